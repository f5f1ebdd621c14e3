-- ledger_differential.sql
--		post_journal() inserts rows itself where nobody has put anything on the
--		tables, and by a statement elsewhere: random journals, good and bad, give
--		the same rows and the same errors both ways, whatever users put there.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(58);
TRUNCATE party RESTART IDENTITY CASCADE;
SELECT setseed(0.8);

SELECT count(create_party('p' || i)) FROM generate_series(1, 4) AS i;
SELECT create_pool('gpu', 'compute', 'gpu', 'p1'), create_pool('other', 'compute', 'gpu', 'p2'), create_pool('bare', 'compute', 'gpu', 'p3');
SELECT count(invite(pool, 'p' || i, 'consumer') IS NULL) + count(accept(pool, 'p' || i, 'consumer') IS NULL) FROM unnest('{gpu,other}'::text[]) AS pool, generate_series(1, 4) AS i;
-- 1 to 8 of pool gpu, the second half of no more than 100 either way; 9 to 12 of
-- pool other, in another currency; 13 to 16 of no pool
SELECT count(open_account('p' || i, 'cash', 'USD', 'gpu')) FROM generate_series(1, 4) AS i;
SELECT count(open_account('p' || i, 'held', 'USD', 'gpu', floor => -100, ceiling => 100)) FROM generate_series(1, 4) AS i;
SELECT count(open_account('p' || i, 'cash', 'JPY', 'other')) FROM generate_series(1, 4) AS i;
SELECT count(open_account('p' || i, 'cash', 'USD')) FROM generate_series(1, 4) AS i;
SELECT close_billing_period('gpu', '[2026-01-01,2026-02-01)') IS NOT NULL;

-- two of three journals are right, and most of the others wrong in one thing
CREATE TEMP TABLE wanted AS
	SELECT n, CASE wrong WHEN 1 THEN 'gift' WHEN 2 THEN 'reversal' WHEN 3 THEN NULL ELSE (ARRAY['invoice', 'distribution', 'payment', 'payout', 'hold',
			'capture', 'release', 'exchange', 'settlement', 'transfer'])[1 + n % 10] END AS kind,
		CASE wrong WHEN 4 THEN a || 99::bigint WHEN 5 THEN a || NULL::bigint WHEN 6 THEN a[2:] WHEN 7 THEN '{}' WHEN 21 THEN ARRAY[a, a] ELSE a || x END AS accounts,
		CASE wrong WHEN 4 THEN m || 0.0 WHEN 5 THEN m || 0.0 WHEN 7 THEN '{}' WHEN 8 THEN m || NULL::numeric WHEN 9 THEN m || 'NaN'::numeric
			WHEN 10 THEN m || 'Infinity'::numeric WHEN 11 THEN m || 1234567890123456789.5 WHEN 12 THEN m || 0.000001 WHEN 21 THEN ARRAY[m, m]
			ELSE m || - (SELECT sum(v) FROM unnest(m) AS v) END AS amounts,
		CASE wrong WHEN 13 THEN 'nowhere' WHEN 14 THEN 'bare' ELSE (ARRAY['gpu', 'other', NULL])[1 + n / 10 % 3] END AS pool,
		CASE WHEN wrong = 15 OR n % 50 = 0 THEN (ARRAY['gpu', 'other', NULL])[1 + n / 10 % 3] || '/bank' END AS source,
		CASE WHEN wrong = 15 OR n % 50 = 0 THEN (n % 7)::text END AS source_key,
		CASE wrong WHEN 16 THEN 'infinity' WHEN 17 THEN '2026-01-15' ELSE (ARRAY[NULL, '2026-02-01', '2026-03-01 12:00'])[1 + n % 3]::timestamptz END AS occurred_at,
		CASE wrong WHEN 18 THEN repeat(md5(n::text), 300) WHEN 19 THEN '' ELSE (ARRAY[NULL, 'note ' || n])[1 + n % 2] END AS description
	FROM (
		SELECT n, (random() * 60)::integer AS wrong,
			(SELECT array_agg(CASE WHEN random() < 0.02 THEN 9 ELSE (ARRAY[1, 1, 5, 13])[1 + n % 4] END + (random() * 3)::bigint ORDER BY i) FROM generate_series(1, 1 + n % 4) AS i) AS a,
			(SELECT array_agg(round((random() * 60 - 30)::numeric, (random() * 6)::integer) ORDER BY i) FROM generate_series(1, 1 + n % 4) AS i) AS m,
			(ARRAY[1, 1, 5, 13])[1 + n % 4]::bigint AS x
		FROM generate_series(1, 3000) AS n) AS s;

-- of ten, one with a key of its own, one that is the same call again, and one
-- that differs from it in one thing
UPDATE wanted SET source = 'bank', source_key = n::text WHERE n % 10 = 3;
UPDATE wanted AS w SET (kind, accounts, amounts, pool, source, source_key, occurred_at, description) =
	(SELECT CASE d WHEN 1 THEN 'payment' WHEN 2 THEN 'gift' ELSE o.kind END, CASE d WHEN 3 THEN o.accounts || o.accounts ELSE o.accounts END,
		CASE d WHEN 3 THEN o.amounts || o.amounts WHEN 4 THEN (SELECT array_agg(-m) FROM unnest(o.amounts) AS m) ELSE o.amounts END,
		CASE d WHEN 5 THEN 'bare' ELSE o.pool END, o.source, o.source_key,
		CASE d WHEN 6 THEN '2026-02-02' ELSE o.occurred_at END, CASE d WHEN 7 THEN 'another' ELSE o.description END
	FROM wanted AS o, (SELECT CASE w.n % 10 WHEN 5 THEN 1 + w.n / 10 % 7 END AS d) AS s WHERE o.n = w.n / 10 * 10 + 3)
WHERE w.n % 10 IN (4, 5);

-- Posts those up to a number, and tells what came of each and what there is then,
-- before it takes all back. A trigger that does nothing forces the statement.
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION pg_temp.play(changed text, forced boolean, up_to integer, OUT outcome text[], OUT by_statement bigint) LANGUAGE plpgsql AS $$
DECLARE
	w record;
	state text; message text; detail text; hint text; context text;
BEGIN
	by_statement := 0;
	BEGIN
		PERFORM setval('journal_journal_id_seq', 1000), setval('observed_n_seq', 1000);
		EXECUTE changed;
		IF forced THEN
			CREATE TRIGGER forced AFTER INSERT ON posting FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing();
		END IF;
		FOR w IN SELECT * FROM wanted WHERE n <= up_to ORDER BY n LOOP
			BEGIN
				outcome := outcome || (w.n || ': ' || post_journal(w.kind, w.accounts, w.amounts, w.pool, w.source, w.source_key, w.occurred_at, w.description));
			EXCEPTION WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
				outcome := outcome || concat_ws(' | ', w.n, state, message, detail, hint);
				-- by it is what was posted before
				by_statement := by_statement + (context ~ 'INSERT INTO sharecollab.journal'
					AND NOT EXISTS (SELECT FROM journal AS j WHERE j.source = w.source AND j.source_key = w.source_key))::integer;
			END;
		END LOOP;
		outcome := outcome || (SELECT array_agg(j::text ORDER BY j.journal_id) FROM journal AS j) || (SELECT array_agg(p::text ORDER BY p.journal_id, p.line) FROM posting AS p)
			|| (SELECT array_agg(a::text ORDER BY a.account_id) FROM account AS a) || (SELECT array_agg(o::text ORDER BY o.n) FROM observed AS o);
		RAISE EXCEPTION SQLSTATE 'P0999';
	EXCEPTION WHEN SQLSTATE 'P0999' THEN
		NULL;
	END;
END $$;

CREATE TABLE observed (n bigint GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION pg_temp.observe() RETURNS trigger LANGUAGE plpgsql SET search_path = sharecollab, public AS $$
BEGIN
	INSERT INTO observed (what) SELECT concat_ws(' ', TG_TABLE_NAME, TG_WHEN, to_jsonb(NEW) - 'recorded_at', (SELECT count(*) FROM posting AS p WHERE p.journal_id = NEW.journal_id));
	RETURN NEW;
END $$;

CREATE TEMP TABLE played AS SELECT forced, p.* FROM unnest('{f,t}'::boolean[]) AS forced, pg_temp.play('SELECT', forced, 3000) AS p;
SELECT is_empty('SELECT unnest(outcome) FROM played WHERE forced EXCEPT SELECT unnest(outcome) FROM played WHERE NOT forced', 'random journals: what a statement gives, rows give');
SELECT is_empty('SELECT unnest(outcome) FROM played WHERE NOT forced EXCEPT SELECT unnest(outcome) FROM played WHERE forced', 'and the other way round');
SELECT is((SELECT by_statement FROM played WHERE NOT forced), 0::bigint, 'the one without the statement');
SELECT cmp_ok((SELECT by_statement FROM played WHERE forced), '>', 100::bigint, 'the other with it');
SELECT set_eq($$SELECT DISTINCT split_part(o, ' | ', 2) FROM played, unnest(outcome) AS o WHERE o ~ '^\d+ \| '$$,
	'{23514,22004,23503,23502,22003,2202E,42704,23505,SC007,SC008}'::text[], 'journals are refused for every reason');
SELECT cmp_ok((SELECT count(*) FROM played, unnest(outcome) AS o WHERE NOT forced AND o ~ '^\d+: '), '>', 1500::bigint, 'and most are not');
SELECT set_eq($$SELECT substring(o from 'in its (\w+)') FROM played, unnest(outcome) AS o WHERE o ~ '^\d+ \| 23505'$$,
	'{pool,kind,time,description,accounts,amounts}'::text[], 'what was posted before differs in each of its parts');
SELECT cmp_ok((SELECT count(*) - count(DISTINCT substring(o from '^\d+: (.*)')) FROM played, unnest(outcome) AS o WHERE NOT forced AND o ~ '^\d+: '), '>', 100::bigint,
	'and what does not is posted once');

-- Whatever users put on the tables works either way
CREATE FUNCTION pg_temp.compare(what text, by_statement boolean, changed text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	ours record;
	theirs record;
BEGIN
	SELECT * INTO ours FROM pg_temp.play(changed, false, 300);
	SELECT * INTO theirs FROM pg_temp.play(changed, true, 300);
	RETURN NEXT is(ours.outcome, theirs.outcome, what || ': the same');
	RETURN NEXT is(ours.by_statement > 0, by_statement, what || CASE WHEN by_statement THEN ': by a statement' ELSE ': as rows' END);
END $$;

SELECT pg_temp.compare('a CHECK', false, 'ALTER TABLE posting ADD CHECK (abs(amount) < 20)');
SELECT pg_temp.compare('a CHECK of the journal', false, $$ALTER TABLE journal DROP CONSTRAINT journal_kind_check, ADD CHECK (kind IN ('transfer', 'gift', 'reversal'))$$);
SELECT pg_temp.compare('a column that must not be null', false, 'ALTER TABLE journal ALTER description SET NOT NULL');
SELECT pg_temp.compare('an index', false, 'CREATE INDEX ON posting (round(amount), line) WHERE amount > 0');
SELECT pg_temp.compare('a unique index', false, 'CREATE UNIQUE INDEX ON posting (account_id, amount)');
SELECT pg_temp.compare('a unique index of keys alone', false, 'CREATE UNIQUE INDEX ON journal (source_key)');
SELECT pg_temp.compare('a unique index of some keys', false, $$CREATE UNIQUE INDEX ON journal (source, source_key) WHERE source_key > '2'$$);
SELECT pg_temp.compare('another index of the keys', false, 'ALTER TABLE journal DROP CONSTRAINT journal_source_source_key_key; CREATE UNIQUE INDEX ON journal (source_key, source) INCLUDE (kind)');
SELECT pg_temp.compare('no index of the keys', true, 'ALTER TABLE journal DROP CONSTRAINT journal_source_source_key_key');
SELECT pg_temp.compare('an index of the keys and more', true, 'ALTER TABLE journal DROP CONSTRAINT journal_source_source_key_key, ADD UNIQUE (source, source_key, kind)');
SELECT pg_temp.compare('an exclusion constraint', false, 'ALTER TABLE journal ADD EXCLUDE USING btree (description WITH =)');
SELECT pg_temp.compare('an order', false, 'CLUSTER posting USING posting_pkey');
SELECT pg_temp.compare('a trigger of rows', true, 'CREATE TRIGGER observe BEFORE INSERT ON posting FOR EACH ROW EXECUTE FUNCTION pg_temp.observe()');
SELECT pg_temp.compare('a trigger of journals', true, 'CREATE TRIGGER observe AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION pg_temp.observe()');
SELECT pg_temp.compare('a rule', true, $$CREATE RULE observe AS ON INSERT TO posting DO INSTEAD INSERT INTO observed (what) VALUES (NEW.account_id)$$);
SELECT pg_temp.compare('a column', true, 'ALTER TABLE posting ADD note text');
SELECT pg_temp.compare('a generated column', true, 'ALTER TABLE posting ADD cents numeric GENERATED ALWAYS AS (amount * 100) STORED');
SELECT pg_temp.compare('a default', true, 'ALTER TABLE posting ALTER charge_id SET DEFAULT 7');
SELECT pg_temp.compare('a foreign key', true, 'CREATE TABLE allowed (amount numeric PRIMARY KEY); INSERT INTO allowed SELECT generate_series(-30, 30); ALTER TABLE posting ADD FOREIGN KEY (amount) REFERENCES allowed');
SELECT pg_temp.compare('a deferrable key', true, 'ALTER TABLE posting ADD UNIQUE (account_id, amount) DEFERRABLE');
SELECT pg_temp.compare('a deferrable key of journals', true, 'ALTER TABLE journal DROP CONSTRAINT journal_source_source_key_key, ADD UNIQUE (source, source_key) DEFERRABLE');
SELECT pg_temp.compare('a trigger that is off', true, 'ALTER TABLE posting DISABLE TRIGGER balance');

-- policies bind an owner who is no superuser, if forced to
CREATE ROLE ledger_keeper;
GRANT USAGE, CREATE ON SCHEMA sharecollab TO ledger_keeper;
GRANT SELECT ON observed TO ledger_keeper;
CREATE FUNCTION pg_temp.owned(but text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('ALTER %s OWNER TO ledger_keeper;', o), ' ') || but
	FROM unnest('{TABLE journal,TABLE posting,TABLE account,TABLE party,TABLE pool,FUNCTION post_journal,FUNCTION posting_check}'::text[]) AS o
$$;
SELECT pg_temp.compare('an owner', false, pg_temp.owned(''));
SELECT pg_temp.compare('a policy', true, pg_temp.owned('ALTER TABLE posting FORCE ROW LEVEL SECURITY; CREATE POLICY small ON posting FOR INSERT WITH CHECK (abs(amount) < 20)'));
SELECT pg_temp.compare('a policy of journals', true, pg_temp.owned('ALTER TABLE journal FORCE ROW LEVEL SECURITY; CREATE POLICY small ON journal FOR INSERT WITH CHECK (description IS NULL)'));

SELECT * FROM finish();
ROLLBACK;
