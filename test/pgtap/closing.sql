-- closing.sql
--		Billing periods are closed: random usage, late and corrected, of several
--		providers, by several consumers, period by period, against plain SQL; and
--		whatever is changed afterwards is refused, or found.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
\ir ../helpers.sql
SELECT plan(47);
TRUNCATE party RESTART IDENTITY CASCADE;
SELECT setseed(0.7);

SELECT count(create_party(p)) FROM unnest('{commons,north,south,ann,bob}'::text[]) AS p;
SELECT count(create_party('lab' || i)) FROM generate_series(1, 6) AS i;
SELECT create_project('code', 'model');
SELECT create_pool('calls', 'model', 'call', 'commons', fee => 0.1, contributors_share => 0.033333, project => 'code');
SELECT add_supply('calls', p, q, d) FROM (SELECT invite('calls', 'north', 'provider'), accept('calls', 'north', 'provider'), invite('calls', 'south', 'provider'), accept('calls', 'south', 'provider') OFFSET 0) AS m,
	(VALUES ('north', 7, '[2024-01-01,2024-05-01)'::tstzrange), ('south', 3, '[2024-01-15,)')) AS s (p, q, d);
SELECT set_rate('calls', 'token', 0.00137, 'token', valid => '(,)'), set_rate('calls', 'job', 0.07, 'job', valid => '(,)');
SELECT import_git_log('code', convert_to(string_agg(E'\x02' || lpad(i::text, 40, '0') || E'\x1f\x1fauthor ' || i % 3 || E'\x1fa' || i % 3 || E'@x\x1f' || 1700000000 + i * 10000 || E'\x1fc\x1fc@x\x1f1700000000\n'
	|| E'1\t1\tfile\n', ''), 'UTF8')) FROM generate_series(1, 200) AS i;
SELECT link_identity(identity_id, CASE email WHEN 'a0@x' THEN 'ann' ELSE 'bob' END) FROM identity WHERE email IN ('a0@x', 'a1@x');

CREATE FUNCTION pg_temp.use(n integer, starts timestamptz, ends timestamptz) RETURNS bigint LANGUAGE sql BEGIN ATOMIC
	INSERT INTO sharecollab.usage (pool_id, consumer_id, provider_id, meter, quantity, during, at, source, source_key)
	SELECT pool_id('calls'), party_id('lab' || 1 + floor(random() * 6)), CASE WHEN random() < 0.2 THEN party_id('north') END, m,
		CASE m WHEN 'job' THEN 1 ELSE (random() * 1000)::integer - 50 END, tstzrange(at, at + interval '1 hour'), at, 'test', gen_random_uuid()::text
	FROM (SELECT starts + random() * (ends - starts - interval '1 hour') AS at, CASE WHEN random() < 0.3 THEN 'job' ELSE 'token' END AS m FROM generate_series(1, n)) AS u;
	SELECT count(*) FROM sharecollab.usage;
END;
SELECT pg_temp.use(600, '2024-01-01', '2024-02-01'), pg_temp.use(400, '2024-02-01', '2024-03-01');

SELECT close_billing_period('calls', '[2024-01-01,2024-02-01)') AS digest \gset
SELECT is(verify_books(), NULL, 'a period is closed, and the books are right');
SELECT is(close_billing_period('calls', '[2024-01-01,2024-02-01)'), :'digest'::bytea, 'to close it again says the same');
SELECT is((SELECT count(*) FROM billing_period), 1::bigint, 'and does nothing');

-- the facts that are known now, summed in plain SQL
SELECT results_eq($$SELECT consumer_id, sum(billed_cost) FROM charge GROUP BY 1 HAVING sum(billed_cost) <> 0 ORDER BY 1$$,
	$$SELECT consumer_id, sum(quantity * CASE meter WHEN 'job' THEN 0.07 ELSE 0.00137 END) FROM usage WHERE at < '2024-02-01' GROUP BY 1 HAVING sum(quantity * CASE meter WHEN 'job' THEN 0.07 ELSE 0.00137 END) <> 0 ORDER BY 1$$,
	'charges are what was used times the rate');
SELECT results_eq($$SELECT party_id(b.party), b.balance FROM balances('calls') AS b WHERE b.kind = 'receivable' AND b.balance <> 0 ORDER BY 1$$,
	$$SELECT consumer_id, money_round(sum(billed_cost), 2) FROM charge GROUP BY 1 HAVING money_round(sum(billed_cost), 2) <> 0 ORDER BY 1$$,
	'each consumer owes the exact total, rounded once');

-- I3: each charge divides exactly
SELECT is_empty($$SELECT charge_id FROM charge LEFT JOIN posting USING (charge_id) GROUP BY charge_id, charge.amount HAVING coalesce(sum(posting.amount), 0) <> 0 OR coalesce(sum(posting.amount) FILTER (WHERE posting.amount > 0 AND charge.amount > 0), 0) < charge.amount$$,
	'I3: what the consumer of each charge pays, is what providers, steward and contributors get');
SELECT is_empty($$
	SELECT a.kind FROM posting AS p JOIN account AS a USING (account_id) JOIN journal AS j USING (journal_id) JOIN charge AS c USING (charge_id)
	WHERE j.kind = 'invoice' AND a.kind IN ('fee', 'contributors') GROUP BY a.kind, c.consumer_id
	HAVING abs(sum(p.amount) + (SELECT sum(amount) FROM charge AS d WHERE d.consumer_id = c.consumer_id) * CASE a.kind WHEN 'fee' THEN 0.1 ELSE 0.033333 END) >= 0.01 * (SELECT 1 + count(DISTINCT (provider_id, during)) FROM charge)$$,
	'and the steward and the contributors get their part of each invoice, to a cent in each group of charges with the same providers');

-- the contributors' pot: ann, bob and one whom nobody knows, by commits
SELECT results_eq($$SELECT party, - balance FROM balances('calls') WHERE kind = 'contributors' ORDER BY party$$,
	$$SELECT party, split((SELECT - sum(amount) FROM posting JOIN account USING (account_id) JOIN journal AS j USING (journal_id) WHERE j.kind = 'invoice' AND account.kind = 'contributors'), n, 2) OVER (ORDER BY id NULLS LAST)
		FROM (SELECT coalesce(party_id, 0) = 0 AS nobody, nullif(party_id, 0) AS id, coalesce(p.name, 'commons') AS party, n FROM (SELECT party_id, count(*)::numeric AS n FROM contributions('code') WHERE kind = 'commit' AND role = 'author' AND at < '2024-02-01' GROUP BY 1) AS c LEFT JOIN party AS p USING (party_id)) AS w ORDER BY party$$,
	'the contributors'' share divides by commits; what is of nobody known stays with the steward');
SELECT results_eq($$SELECT party_id, weight FROM contribution_weights('code', '2024-02-01', '{"commit": 2}', '10 days') ORDER BY 1$$,
	$$SELECT party_id, sum(2 * round(power(0.5, extract(epoch FROM '2024-02-01' - at) / 864000), 12)) FROM contributions('code') WHERE role = 'author' AND at < '2024-02-01' GROUP BY 1 ORDER BY 1$$,
	'weights by kind, halved with each half-life');

-- I5, I6: late usage and corrections come with the next period, once
SELECT pg_temp.use(50, '2024-01-01', '2024-02-01');
INSERT INTO usage (pool_id, consumer_id, provider_id, meter, quantity, during, at, source, source_key)
	SELECT pool_id, consumer_id, provider_id, meter, - quantity, during, at, 'correction', source_key FROM usage WHERE at < '2024-02-01' AND source = 'test' ORDER BY source_key LIMIT 30;
SET LOCAL work_mem = '1MB';
SELECT isnt(close_billing_period('calls', '[2024-02-01,2024-03-01)'), :'digest'::bytea, 'the next period is closed');
SELECT is(current_setting('work_mem'), '1MB', 'the memory that it took is for as long as that takes');
SELECT is(verify_books(), NULL, 'and the books are right');
SELECT results_eq($$SELECT consumer_id, sum(billed_cost) FROM charge GROUP BY 1 ORDER BY 1$$,
	$$SELECT consumer_id, sum(quantity * CASE meter WHEN 'job' THEN 0.07 ELSE 0.00137 END) FROM usage GROUP BY 1 ORDER BY 1$$,
	'I5: what was late or corrected is billed with it');
SELECT cmp_ok((SELECT count(*) FROM charge WHERE correction), '>', 0::bigint, 'as corrections');
SELECT close_billing_period('calls', '[2024-03-01,2024-04-01)') IS NOT NULL;
SELECT is((SELECT count(*) FROM charge JOIN billing_period AS b USING (pool_id, billing_period_id) WHERE lower(b.during) = '2024-03-01' AND billed_cost <> 0), 0::bigint, 'I6: and never again');
SELECT is_empty('SELECT currency FROM trial_balance() WHERE kind IS NULL AND balance <> 0', 'I1: all accounts sum to zero');
SELECT is_empty($$SELECT account_id, at FROM account_balance AS b WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM posting AS p WHERE p.account_id = b.account_id AND p.occurred_at < b.at)$$,
	'balances at the end of periods are those of all history');
SELECT is_empty($$SELECT account_id, t FROM account, generate_series('2024-01-01'::timestamptz, '2024-05-01', '9 days') AS t
	WHERE balance(account_id, t) <> (SELECT coalesce(sum(amount), 0) FROM posting AS p WHERE p.account_id = account.account_id AND p.occurred_at < t)$$,
	'and so is any balance that is read from them');
SELECT is_empty($$SELECT s.account FROM party, statement(party.name, '[2024-02-01,2024-03-01)') AS s GROUP BY party.name, s.pool, s.account, s.currency
	HAVING max(s.balance) FILTER (WHERE what = 'closing balance') <> max(s.balance) FILTER (WHERE what = 'opening balance') + coalesce(sum(s.amount), 0)$$,
	'statements: opening balance, lines and closing balance sum');

-- I4: nothing enters, changes or leaves
SELECT matches(public.try(s), e) FROM (VALUES
	($$SELECT post_journal('transfer', '{1,2}', '{1,-1}', occurred_at => '2024-03-31 23:59')$$, '^SC008'),
	($$INSERT INTO charge (pool_id, billing_period_id, consumer_id, category, meter, during, quantity, unit, list_unit_price, contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount)
		SELECT pool_id, billing_period_id, consumer_id, category, meter, during, 0, unit, 0, 0, 0, 0, 0, 0, 0 FROM charge LIMIT 1$$, '^SC008'),
	('UPDATE charge SET amount = 0', '^55000'), ('DELETE FROM charge', '^55000'), ('TRUNCATE charge', '^55000'), ('DELETE FROM billing_period', '^55000'),
	($$UPDATE billing_period SET digest = '\x00'$$, '^55000'), ('UPDATE billing_period SET closed_at = NULL, digest = NULL', '^55000'), ('UPDATE account_balance SET balance = 0', '^55000'),
	($$SELECT close_billing_period('calls', '[2023-12-01,2024-01-01)')$$, '^55000 a later billing period is closed'),
	($$SELECT close_billing_period('calls', '[2024-03-15,2024-04-15)')$$, '^23P01'),
	($$SELECT close_billing_period('calls', '[2024-04-01,2999-01-01)')$$, '^55000 the billing period has not ended yet'),
	($$SELECT close_billing_period('calls', '[2024-04-01,)')$$, '^22023')) AS t (s, e);

-- and where somebody forces it, it is found
CREATE FUNCTION pg_temp.found(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SET LOCAL session_replication_role = origin;
	result := verify_books();
	RAISE EXCEPTION USING MESSAGE = coalesce(result, 'nothing');
EXCEPTION WHEN raise_exception THEN
	RETURN SQLERRM;
END $$;
SELECT matches(pg_temp.found(s), e, s) FROM (VALUES
	('UPDATE posting SET amount = amount + 0.01 WHERE journal_id = 1 AND line = 1', 'journal 1: its postings in USD sum to 0.01'),
	('DELETE FROM posting WHERE journal_id = 1', 'journal 1: it has 0 lines'),
	('UPDATE posting SET account_id = (SELECT max(account_id) FROM account) WHERE journal_id = 1 AND line = 2', 'billing period|account|charge'),
	('UPDATE charge SET amount = amount + 0.01 WHERE charge_id = (SELECT max(charge_id) FROM charge WHERE amount > 0)', 'invoice of|what is posted'),
	($$UPDATE charge SET labels = '{"a": 1}' WHERE charge_id = (SELECT max(charge_id) FROM charge)$$, 'its digest is'),
	($$UPDATE journal SET recorded_at = '2024-01-01' WHERE journal_id = 1$$, 'the times are others'),
	('UPDATE account_balance SET balance = balance + 1 WHERE account_id = 1', 'is kept as'),
	('UPDATE usage SET quantity = quantity + 1 WHERE usage_id = (SELECT min(usage_id) + 6 FROM usage)', '^usage \d+: it is not what was recorded'),
	('UPDATE usage SET provider_id = NULL WHERE usage_id = (SELECT min(usage_id) FROM usage WHERE provider_id IS NOT NULL)', 'it is not what was recorded'),
	('DELETE FROM usage_key WHERE usage_id = (SELECT min(usage_id) + 6 FROM usage)', '^usage \d+: it is not what was recorded'),
	($$SELECT create_usage_partition('2024-02-01'); DELETE FROM usage WHERE usage_id = (SELECT min(usage_id) FROM usage WHERE at >= '2024-02-01')$$, 'is missing')) AS t (s, e);
-- whatever is changed of a charge, journal or posting
SELECT is_empty($$
	SELECT c.relname, a.attname, f.found
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_type AS t ON t.oid = a.atttypid,
		LATERAL (SELECT pg_temp.found(format('UPDATE %1$s SET %2$I = %3$s WHERE ctid = (SELECT ctid FROM %1$s WHERE %2$I IS NOT NULL ORDER BY md5(ctid::text) LIMIT 1)', c.relname, a.attname,
			CASE t.typname WHEN 'timestamptz' THEN a.attname || ' - interval ''1 second''' WHEN 'bool' THEN 'NOT ' || a.attname WHEN 'jsonb' THEN '''{"x": 1}'''
				WHEN 'tstzrange' THEN format('tstzrange(lower(%1$s), upper(%1$s) + interval ''1 minute'')', a.attname)
				WHEN 'text' THEN CASE a.attname WHEN 'kind' THEN '''payment''' WHEN 'category' THEN '''credit''' ELSE a.attname || ' || ''x''' END ELSE a.attname || ' + 1' END)) AS found) AS f
	WHERE c.relnamespace = 'sharecollab'::regnamespace AND c.relname IN ('charge', 'posting', 'journal') AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
	-- refused by a constraint, or null in all rows
	AND (c.relname, a.attname) NOT IN (('charge', 'quantity'), ('charge', 'list_cost'), ('charge', 'list_unit_price'), ('charge', 'contracted_cost'), ('charge', 'contracted_unit_price'),
		('charge', 'commitment_status'), ('charge', 'lease_id'), ('journal', 'description'), ('journal', 'reverses'), ('posting', 'journal_id'), ('posting', 'line'))
	AND f.found = 'nothing'$$, 'it is found');

-- closing inserts rows without the executor, unless there is more to do
CREATE FUNCTION pg_temp.books() RETURNS text LANGUAGE sql SET search_path = sharecollab AS $$
	SELECT md5(string_agg(r.row::text, E'\n' ORDER BY r.row))
	FROM (
		SELECT jsonb_build_array(row_number() OVER (ORDER BY c.charge_id), to_jsonb(c) - '{charge_id,billing_period_id}'::text[]) AS row FROM charge AS c
		UNION ALL
		SELECT jsonb_build_array('posting', dense_rank() OVER (ORDER BY p.journal_id), p.line, a.party_id, a.kind, p.occurred_at, p.recorded_at, p.amount::text,
			dense_rank() OVER (ORDER BY p.charge_id))
		FROM posting AS p JOIN account AS a USING (account_id)
	) AS r
$$;
SELECT pg_temp.use(500, '2024-03-01', '2024-05-01');
SAVEPOINT untouched;
CREATE OR REPLACE FUNCTION earned_shares(pool bigint, stays tstzrange[]) RETURNS TABLE (during tstzrange, cohort bigint, provider_id bigint, share numeric)
	LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT NULL::tstzrange, NULL::bigint, NULL::bigint, NULL::numeric WHERE false';
SELECT public.try($$SELECT close_billing_period('calls', '[2024-04-01,2024-05-01)')$$) AS refused \gset
ROLLBACK TO untouched;
SELECT matches(:'refused'::text, '^23514 journal \d+ does not balance', 'charges that nobody gets are refused');

CREATE TEMP TABLE seen (n bigint);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO pg_temp.seen SELECT count(*) FROM new_rows; RETURN NULL; END$$;
GRANT ALL ON seen TO PUBLIC;
CREATE TRIGGER see AFTER INSERT ON charge REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.see();
CREATE TRIGGER see AFTER INSERT ON posting REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.see();
SELECT close_billing_period('calls', '[2024-04-01,2024-05-01)') \g /dev/null
SELECT pg_temp.books() AS books, (SELECT sum(n) FROM seen) = (SELECT count(*) FROM charge JOIN billing_period AS b USING (billing_period_id) WHERE b.during @> timestamptz '2024-04-01')
	+ (SELECT count(*) FROM posting WHERE occurred_at >= '2024-04-01') AS seen \gset
ROLLBACK TO untouched;
SELECT ok(:'seen', 'triggers of others see the charges and postings');

SELECT close_billing_period('calls', '[2024-04-01,2024-05-01)') IS NOT NULL;
SELECT is(pg_temp.books(), :'books', 'and are the same, row by row, without them');

SELECT * FROM finish();
ROLLBACK;
