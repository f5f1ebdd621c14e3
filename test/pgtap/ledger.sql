-- ledger.sql
--		Random journals against plain SQL: they balance whatever statement writes
--		them, at every pair of times, and what is taken back is as if it had
--		never been.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\getenv srcdir PG_ABS_SRCDIR

BEGIN;
\ir ../helpers.sql
SELECT plan(15);
TRUNCATE party RESTART IDENTITY CASCADE;
SELECT setseed(0.6);

SELECT count(create_party('p' || i)) FROM generate_series(1, 8) AS i;
SELECT count(open_account('p' || i, k, c)) FROM generate_series(1, 8) AS i, unnest('{receivable,payable}'::text[]) AS k, unnest('{USD,JPY,credits}'::text[]) AS c;

-- Journals of 2 to 6 lines in one to three currencies, whose last line in each
-- takes what is left; written by a bulk statement, in no order
CREATE TEMP TABLE wanted AS
	SELECT j.journal, '2026-01-01'::timestamptz + (j.journal * 7919 % 1000) * interval '1 hour' AS occurred_at, c.currency, l.line, a.account_id,
		round((random() * 10 ^ (random() * 10))::numeric * (CASE WHEN random() < 0.5 THEN 1 ELSE -1 END), (random() * 6)::integer) AS amount
	FROM generate_series(1, 3000) AS j (journal),
		LATERAL (SELECT currency FROM unnest('{USD,JPY,credits}'::text[]) WITH ORDINALITY AS u (currency, n) WHERE n <= 1 + j.journal % 3) AS c,
		LATERAL (SELECT generate_series(1, 1 + j.journal % 2) AS line) AS l,
		LATERAL (SELECT account_id FROM account WHERE account.currency = c.currency AND (j.journal + l.line) IS NOT NULL ORDER BY random() LIMIT 1) AS a;
INSERT INTO wanted
	SELECT journal, occurred_at, currency, 9, (SELECT max(account_id) FROM account AS a WHERE a.currency = w.currency), - sum(amount) FROM wanted AS w GROUP BY 1, 2, 3;
ALTER TABLE wanted ADD number integer;
UPDATE wanted AS w SET number = n.number FROM (SELECT ctid, row_number() OVER (PARTITION BY journal ORDER BY currency, line) AS number FROM wanted) AS n WHERE n.ctid = w.ctid;

CREATE TEMP TABLE posted AS
	WITH j AS (
		INSERT INTO journal (kind, source, source_key, occurred_at, recorded_at)
		SELECT DISTINCT 'transfer', 'random', journal::text, occurred_at, occurred_at + (journal % 50) * interval '1 day' FROM wanted
		RETURNING journal_id, source_key, occurred_at, recorded_at
	), p AS (
		INSERT INTO posting
		SELECT j.journal_id, w.number, w.account_id, j.occurred_at, j.recorded_at, w.amount
		FROM j JOIN wanted AS w ON w.journal = j.source_key::integer ORDER BY hashint8(w.number * 7 + w.journal)
		RETURNING 1
	)
	SELECT (SELECT count(*) FROM j) AS journals, (SELECT count(*) FROM p) AS postings;
SELECT results_eq('TABLE posted', 'SELECT count(DISTINCT journal), count(*) FROM wanted', 'journals are written by one statement, in any order');

SELECT is_empty($$SELECT p.journal_id, a.currency FROM posting AS p JOIN account AS a USING (account_id) GROUP BY 1, 2 HAVING sum(p.amount) <> 0$$,
	'I1: every journal sums to zero in every currency');
SELECT is_empty($$
	SELECT t, u, a.currency FROM generate_series('2026-01-01'::timestamptz, '2026-04-01', '11 days') AS t, generate_series('2026-01-01'::timestamptz, '2026-04-01', '13 days') AS u,
		posting AS p JOIN account AS a USING (account_id)
	WHERE p.occurred_at <= t AND p.recorded_at <= u GROUP BY 1, 2, 3 HAVING sum(p.amount) <> 0$$,
	'I1: so do all accounts, as of any time and as known at any');

-- One cent more or less, in any line of any journal, is refused
CREATE FUNCTION pg_temp.refused(n integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint := 0;
	chosen record;
BEGIN
	FOR chosen IN SELECT journal, number, currency FROM wanted ORDER BY hashint8(journal * 10 + number) LIMIT n LOOP
		BEGIN
			WITH j AS (
				INSERT INTO journal (kind, occurred_at) VALUES ('transfer', '2026-01-01') RETURNING *
			)
			INSERT INTO posting
			SELECT j.journal_id, w.number, w.account_id, j.occurred_at, j.recorded_at, w.amount + CASE WHEN w.number = chosen.number THEN 0.000001 ELSE 0 END
			FROM j, wanted AS w WHERE w.journal = chosen.journal;
		EXCEPTION WHEN check_violation THEN
			result := result + (SQLERRM ~ 'does not balance')::integer;
		END;
	END LOOP;
	RETURN result;
END $$;
SELECT is(pg_temp.refused(500), 500::bigint, 'a millionth in one line is enough to refuse a journal');

-- and so is a line that is missing, whichever it is
CREATE FUNCTION pg_temp.refused_without(n integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint := 0;
	chosen record;
BEGIN
	FOR chosen IN SELECT journal, number FROM wanted WHERE amount <> 0 ORDER BY hashint8(journal * 10 + number + 1) LIMIT n LOOP
		BEGIN
			WITH j AS (
				INSERT INTO journal (kind, occurred_at) VALUES ('transfer', '2026-01-01') RETURNING *
			)
			INSERT INTO posting
			SELECT j.journal_id, w.number, w.account_id, j.occurred_at, j.recorded_at, w.amount
			FROM j, wanted AS w WHERE w.journal = chosen.journal AND w.number <> chosen.number;
		EXCEPTION WHEN check_violation THEN
			result := result + 1;
		END;
	END LOOP;
	RETURN result;
END $$;
SELECT is(pg_temp.refused_without(500), 500::bigint, 'and so is a missing line');

-- I10: everything taken back
CREATE TEMP TABLE before AS SELECT account_id, sum(amount) AS balance FROM posting GROUP BY 1;
SELECT is((SELECT count(DISTINCT reverse_journal(journal_id)) FROM (SELECT journal_id FROM journal WHERE reverses IS NULL AND source = 'random' OFFSET 0) AS j), 3000::bigint, 'every journal is taken back');
SELECT is_empty($$SELECT account_id FROM posting GROUP BY 1 HAVING sum(amount) <> 0$$, 'I10: every account is what it was before');
SELECT is((SELECT count(DISTINCT reverse_journal(journal_id)) FROM (SELECT journal_id FROM journal WHERE kind = 'reversal' OFFSET 0) AS j), 3000::bigint, 'and back again');
SELECT results_eq('SELECT account_id, sum(amount) FROM posting GROUP BY 1 ORDER BY 1', 'SELECT * FROM before ORDER BY 1', 'I10: which is what it was');

-- An exchange again is the same one, whatever the rate is by now; another one is refused
INSERT INTO exchange_rate (base, quote, at, rate) VALUES ('USD', 'EUR', '2024-01-01', 0.9), ('USD', 'GBP', '2024-01-01', 0.9);
SELECT create_party('traveller') \g /dev/null
SELECT exchange('traveller', 10.01, 'USD', 'EUR', source => 'fx', source_key => '1') AS exchanged \gset
INSERT INTO exchange_rate (base, quote, at, rate) VALUES ('USD', 'EUR', '2024-01-02', 0.8);
SELECT is(exchange('traveller', 10.01, 'USD', 'EUR', source => 'fx', source_key => '1'), :exchanged::bigint, 'to exchange the same again, after the rate changed, returns the journal that it made');
SELECT matches(public.try(format($$SELECT exchange(%s, source => 'fx', source_key => '1'%s)$$, a, o)), '^23505 .* posted before, and differently\n  This differs from journal \d+ in its ' || e, a || o)
FROM (VALUES ($$'traveller', 10.02, 'USD', 'EUR'$$, '', 'amounts'), ($$'traveller', 10.01, 'USD', 'GBP'$$, '', 'accounts'), ($$'traveller', 10.01, 'USD', 'EUR', 'cash'$$, '', 'accounts'),
	($$'traveller', 10.01, 'USD', 'EUR'$$, $$, occurred_at => '2024-01-01'$$, 'time')) AS t (a, o, e);

-- Who may write postings by SQL, and not see the account whose limits they must
-- keep, is told that there is none
CREATE ROLE ledger_clerk;
SELECT create_party('desk', role => 'ledger_clerk'), create_pool('till', 'compute', 'gpu', 'desk') \g /dev/null
SELECT open_account('desk', 'held', 'USD', 'till', floor => -5) AS held, open_account('desk', 'cash', 'USD', 'till') AS cash \gset
INSERT INTO journal (kind, occurred_at) VALUES ('transfer', now()) RETURNING journal_id AS journal, recorded_at AS recorded \gset
GRANT USAGE ON SCHEMA sharecollab TO ledger_clerk;
GRANT INSERT ON posting TO ledger_clerk;
GRANT SELECT, UPDATE ON account TO ledger_clerk;
CREATE POLICY ledger_clerk ON posting FOR INSERT TO ledger_clerk WITH CHECK (true);
SELECT throws_ok(format('SET LOCAL ROLE ledger_clerk; INSERT INTO posting VALUES (%1$s, 1, %2$s, %4$L, %4$L, 1), (%1$s, 2, %3$s, %4$L, %4$L, -1)',
	:journal, :held, :cash, :'recorded'), '23503', format('account %s does not exist', :held), 'an account with limits that is hidden');

SELECT * FROM finish();
ROLLBACK;
