-- forced.sql
--		What verify_books() finds of what a superuser forces upon closed facts, with
--		triggers and foreign keys off: every column of every table changed, rows
--		added, removed, and all removed; and usage that is removed for good reason.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
\ir ../helpers.sql
SELECT plan(35);
TRUNCATE party RESTART IDENTITY CASCADE;

-- Two months that are closed, the first in a partition of its own, and one that
-- is open: usage of two providers, late too, a lease, tiers, a commitment, prices
-- of a party's own, payments, a deposit, a reversal, an exchange.
SELECT create_party(p) FROM unnest('{commons,north,south,ann,bob}'::text[]) AS p \g /dev/null
SELECT create_project('code', 'model') \g /dev/null
SELECT create_pool('f', 'model', 'call', 'commons', fee => 0.1, contributors_share => 0.1, project => 'code', price => 0.5) \g /dev/null
SELECT invite('f', p, r), accept('f', p, r) FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (p, r) \g /dev/null
SELECT add_supply('f', 'north', 70, '[2024-01-01,)'), add_supply('f', 'south', 30, '[2024-01-01,)') \g /dev/null
SELECT reserve('f', 'ann', 3, '[2024-01-10,2024-02-10)') AS lease \gset
SELECT set_rate('f', 'token', 0.01, 'token', valid => '(,)'), set_rate('f', 'token', 0.009, 'token', party => 'bob', valid => '(,)'),
	set_rate('f', 'job', unit => 'job', model => 'graduated', upto => '{10,NULL}', unit_price => '{1,0.5}', valid => '(,)'),
	set_rate('f', 'token', party => 'ann', unit => 'token', model => 'prepaid', quantity => 5, purchase => 1, valid => '[2024-01-01,2024-02-01)') \g /dev/null
CREATE FUNCTION pg_temp.use(month text, prefix text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(record_usage('f', (ARRAY['ann', 'bob'])[1 + i % 2], (ARRAY['token', 'job'])[1 + i % 3 % 2], i, tstzrange(at, at, '[]'), 'f', prefix || i, CASE WHEN i % 4 = 0 THEN 'north' END,
		CASE WHEN i % 2 = 0 AND i % 3 = 0 THEN (SELECT max(lease_id) FROM lease) END, CASE WHEN i % 5 = 0 THEN '{"team": "x"}' ELSE '{}' END::jsonb))
	FROM generate_series(1, 30) AS i, LATERAL (SELECT (month || '-03')::timestamptz + i * interval '7 hours' AS at) AS a $$;
SELECT create_usage_partition('2024-01-01'), pg_temp.use('2024-01', 'a') \g /dev/null
SELECT close_billing_period('f', '[2024-01-01,2024-02-01)') \g /dev/null
SELECT pg_temp.use('2024-01', 'late'), pg_temp.use('2024-02', 'b') \g /dev/null
SELECT record_payment('f', 'ann', 3, source => 'f', source_key => 'p1', occurred_at => '2024-02-10'), record_payment('f', 'bob', 10, 'prepaid', occurred_at => '2024-02-11') \g /dev/null
SELECT deposit('hold', 'f', 'bob', 4, occurred_at => '2024-02-12') \g /dev/null
SELECT reverse_journal(journal_id, '2024-02-13', 'bounced') FROM journal WHERE source_key = 'p1' \g /dev/null
INSERT INTO exchange_rate (base, quote, at, rate, source) VALUES ('USD', 'EUR', '2024-01-01', 0.9, 'bank'), ('USD', 'EUR', '2024-02-01', 0.8, 'bank');
SELECT exchange('north', 1.23, 'USD', 'EUR', 'payable', 'f', 'f', 'x1', '2024-02-14') \g /dev/null
SELECT close_billing_period('f', '[2024-02-01,2024-03-01)') \g /dev/null
SELECT pg_temp.use('2024-03', 'c') \g /dev/null
SELECT is(verify_books(), NULL, 'the books are right');
SELECT set_eq('SELECT DISTINCT kind FROM journal', '{invoice,payment,hold,reversal,exchange}'::text[], 'and have much in them');

CREATE FUNCTION pg_temp.forced(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SET LOCAL session_replication_role = origin;
	RAISE EXCEPTION USING MESSAGE = coalesce('found: ' || verify_books(), 'not found');
EXCEPTION WHEN raise_exception THEN
	RETURN SQLERRM;
WHEN check_violation OR exclusion_violation THEN
	RETURN 'refused';
END $$;

-- What of a table is a closed fact, or what closed facts are made of
CREATE TEMP TABLE fact (name text, which text);
INSERT INTO fact VALUES ('usage', 'at < $$2024-03-01$$'), ('usage_key', 'true'), ('charge', 'true'), ('journal', 'occurred_at < $$2024-03-01$$'),
	('posting', 'occurred_at < $$2024-03-01$$'), ('account', 'account_id IN (SELECT account_id FROM posting)'), ('account_balance', 'account_id IN (SELECT account_id FROM posting)'), ('billing_period', 'true'),
	('rate', 'rate_id IN (SELECT rate_id FROM charge)'), ('exchange_rate', 'true');
-- Each column of some rows: both of those where it is null, and where it is not
CREATE TEMP TABLE changed AS
SELECT f.name, a.attname::text AS "column", r.tid, pg_temp.forced(format('UPDATE %1$I SET %2$I = %3$s WHERE ctid = %4$L AND tableoid = %5$s', f.name, a.attname, CASE
		WHEN a.attidentity <> '' THEN 'DEFAULT'
		WHEN a.attname = 'kind' THEN CASE f.name WHEN 'journal' THEN $$CASE kind WHEN 'payment' THEN 'transfer' WHEN 'reversal' THEN kind ELSE 'payment' END$$ ELSE $$'breakage'$$ END
		WHEN a.attname = 'category' THEN $$CASE category WHEN 'credit' THEN 'usage' ELSE 'credit' END$$
		WHEN a.attname = 'commitment_status' THEN $$CASE commitment_status WHEN 'used' THEN 'unused' ELSE 'used' END$$
		ELSE CASE t.typname
			WHEN 'timestamptz' THEN format('coalesce(%I, now()) - interval ''1 day''', a.attname)
			WHEN 'bool' THEN format('NOT %I', a.attname)
			WHEN 'jsonb' THEN $$'{"x": 1}'$$
			WHEN 'tstzrange' THEN format('CASE WHEN upper_inf(%1$I) THEN tstzrange(coalesce(lower(%1$I), ''2023-01-01'') + interval ''1 minute'', NULL) ELSE tstzrange(lower(%1$I), upper(%1$I) + interval ''1 minute'') END', a.attname)
			WHEN 'text' THEN format('coalesce(%I, '''') || ''x''', a.attname)
			WHEN 'bytea' THEN format('coalesce(%I, '''') || ''\x00''', a.attname)
			WHEN 'int4' THEN format('%I + 100', a.attname)
			WHEN '_numeric' THEN format('array_append(%I, 1)', a.attname)
			WHEN 'profile' THEN 'profile(2)'
			ELSE format('coalesce(%I, 0) + 1000', a.attname) END END, r.tid, r.tableoid)) AS outcome
FROM fact AS f
JOIN pg_class AS c ON c.relname = f.name AND c.relnamespace = 'sharecollab'::regnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid,
	LATERAL (SELECT x.tid, x.tableoid FROM xmltable('//row' PASSING query_to_xml(format('SELECT * FROM (SELECT ctid AS tid, tableoid::bigint, row_number() OVER (PARTITION BY %2$I IS NULL ORDER BY tableoid, ctid) AS n FROM %1$I WHERE %3$s) AS r WHERE n <= 3',
		f.name, a.attname, f.which), false, false, '') COLUMNS tid text, tableoid bigint) AS x) AS r;
SELECT cmp_ok((SELECT count(*) FROM changed WHERE outcome LIKE 'found%'), '>', 150::bigint, 'every column of every table of facts is changed');
SELECT set_eq($$SELECT DISTINCT name, "column", outcome FROM changed WHERE outcome NOT LIKE 'found%' AND name <> 'rate'$$, $$VALUES
	-- limits are no facts, and may be set; and there is a balance where there are limits
	('account', 'floor', 'refused'), ('account', 'ceiling', 'refused'), ('account', 'ceiling', 'not found'), ('account', 'balance', 'refused'),
	-- of no consequence
	('account', 'recorded_at', 'not found'), ('billing_period', 'recorded_at', 'not found'),
	-- refused where constraints tie it to other columns; with these, see below
	('billing_period', 'during', 'refused'), ('usage', 'at', 'refused'), ('journal', 'source', 'refused'), ('journal', 'source_key', 'refused'), ('journal', 'reverses', 'refused'),
	('charge', 'quantity', 'refused'), ('charge', 'list_unit_price', 'refused'), ('charge', 'list_cost', 'refused'), ('charge', 'contracted_unit_price', 'refused'), ('charge', 'contracted_cost', 'refused'),
	-- what is posted is sealed, not what it was worth elsewhere
	('exchange_rate', 'base', 'not found'), ('exchange_rate', 'quote', 'not found'), ('exchange_rate', 'at', 'not found'), ('exchange_rate', 'rate', 'not found'),
	('exchange_rate', 'source', 'not found'), ('exchange_rate', 'recorded_at', 'not found'), ('exchange_rate', 'recorded_by', 'not found')$$,
	'it is found, but for what is written here');
-- A rate is no closed fact: what was charged by it is. It must be there, though, and be of the meter and the party.
SELECT is_empty($$SELECT "column" FROM changed WHERE name = 'rate' AND ("column" IN ('pool_id', 'rate_id', 'meter')) AND outcome NOT LIKE 'found%'$$, 'and of a rate what makes it another one');

-- Rows that are removed, all and one by one, and added
SELECT is_empty($$SELECT f.name, s.statement FROM fact AS f, LATERAL (VALUES (format('TRUNCATE %I', f.name)), (format('DELETE FROM %I', f.name)),
		(format('DELETE FROM %1$I WHERE ctid = (SELECT ctid FROM %1$I WHERE %2$s ORDER BY ctid LIMIT 1)', f.name, f.which)),
		(format('DELETE FROM %1$I WHERE ctid = (SELECT ctid FROM %1$I WHERE %2$s ORDER BY ctid DESC LIMIT 1)', f.name, f.which))) AS s (statement)
	WHERE f.name <> 'exchange_rate' AND pg_temp.forced(s.statement) NOT LIKE 'found%'$$, 'nor can anything be removed');
SELECT is_empty($$SELECT t, s FROM unnest('{usage_default,usage_2024_01}'::text[]) AS t, unnest('{TRUNCATE %I,DELETE FROM %I WHERE usage_id = (SELECT max(usage_id) FROM usage WHERE tableoid = %1$L::regclass)}'::text[]) AS s
	WHERE pg_temp.forced(format(s, t)) NOT LIKE 'found: usage%is missing'$$, 'whatever partition it is in');
SELECT matches(pg_temp.forced(format('INSERT INTO %1$I OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(f, %2$L)).* FROM %1$I AS f WHERE %3$s LIMIT 1', n, v, w)), '^found', 'nor added: ' || n)
FROM (VALUES ('usage', '{"usage_id": 1001, "source_key": "new"}', 'true'), ('usage_key', '{"usage_id": 1001, "source_key": "new"}', 'true'), ('charge', '{"charge_id": 1001}', 'amount = 0'),
	('journal', '{"journal_id": 1001, "source_key": "f/new"}', 'source IS NOT NULL'), ('posting', '{"line": 1001, "amount": 0}', 'occurred_at < $$2024-03-01$$'),
	('account_balance', '{"at": "2024-01-15", "balance": 0}', 'true'),
	('billing_period', '{"billing_period_id": 1001, "during": "[2023-12-01,2024-01-01)"}', 'true')) AS f (n, v, w);
-- what constraints tie together; what is open, and what is added the right way, is no difference
SELECT matches(pg_temp.forced(s), e, s) FROM (VALUES
	($$UPDATE usage SET during = tstzrange(lower(during) + interval '1 hour', upper(during) + interval '1 hour', '[]'), at = at + interval '1 hour' WHERE usage_id = (SELECT min(usage_id) FROM usage)$$, '^found: usage'),
	($$UPDATE charge SET quantity = 2 * quantity, list_unit_price = list_unit_price / 2, contracted_unit_price = contracted_unit_price / 2 WHERE charge_id = (SELECT min(charge_id) FROM charge WHERE quantity <> 0)$$, '^found'),
	($$UPDATE journal SET source = 'f', source_key = 'new' WHERE journal_id = (SELECT min(journal_id) FROM journal WHERE source IS NULL)$$, '^found'),
	($$UPDATE billing_period SET closed_at = NULL, digest = NULL WHERE billing_period_id = (SELECT max(billing_period_id) FROM billing_period)$$, '^found')) AS t (s, e);

-- ----------
-- Usage that is billed for good may be removed, by drop_usage() and no other way
-- ----------
SELECT matches(pg_temp.forced('DROP TABLE usage_2024_01'), '^found: usage.*is missing', 'a partition is no more to be dropped than its rows');
SELECT pg_temp.use('2024-01', 'later') \g /dev/null
SELECT set_rate('f', 'call', party => 'bob', unit => 'call', model => 'prepaid', quantity => 5, purchase => 1, valid => '[2024-01-15,2024-03-01)') \g /dev/null
SELECT create_usage_partition('2024-03-01') \g /dev/null
SELECT matches(public.try(format('SELECT drop_usage(%L)', d)), e, e) FROM (VALUES
	('2024-02-01', '^42P01 usage has no partition "usage_2024_02"\n +create_usage_partition'),
	('2024-03-31', '^55000 .*still needed\n +Usage \d+ of pool "f" is in no billing period that is closed'),
	('2024-01-31', '^55000 .*still needed\n +Billing period .* of pool "f" has corrections')) AS t (d, e);
SELECT close_billing_period('f', '[2024-03-01,2024-04-01)') \g /dev/null
SELECT matches(public.try($$SELECT drop_usage('2024-01-31')$$), '^55000 .*still needed\n +Commitment \d+ of pool "f" counts .* until 2024-03-01', 'what a commitment still counts is kept, too');
SELECT create_usage_partition('2024-02-01') \g /dev/null
SELECT is(drop_usage('2024-02-10'), 30::bigint, 'the month that it ends in first');
SELECT is(drop_usage('2024-01-31'), 90::bigint, 'then the one before');
SELECT is(drop_usage('2024-01-01'), 0::bigint, 'which is gone then');
SELECT is(dropped_usage(), '{[2024-01-01,2024-03-01)}', 'it is known what is');
SELECT is((SELECT count(*) FROM event WHERE subject = 'usage' AND act = 'removed' AND was ->> 'rows' IN ('30', '90')), 2::bigint, 'and logged');
SELECT is_empty($$SELECT * FROM rating_corrections('f', '[2024-01-01,2024-02-01)')$$, 'nothing of it is corrected any more');
SELECT is(verify_books(), NULL, 'the books are right without');
SELECT is(pg_temp.use('2024-01', 'a'), 30::bigint, 'the same again is still nothing new');
SELECT matches(public.try($$SELECT pg_temp.use('2024-01', 'too late')$$), '^23514 .*usage_dropped', 'what comes later still is refused');
SELECT close_billing_period('f', '[2024-04-01,2024-05-01)') \g /dev/null
SELECT is_empty($$SELECT * FROM charge JOIN billing_period AS b USING (pool_id, billing_period_id) WHERE b.during = '[2024-04-01,2024-05-01)' AND (amount <> 0 OR correction)$$, 'and nothing is paid back');
SELECT is(verify_books(), NULL, 'with all periods');
SELECT matches(pg_temp.forced('DELETE FROM usage WHERE usage_id = (SELECT max(usage_id) FROM usage)'), '^found: usage.*is missing', 'of other months, what is missing is found');

SELECT * FROM finish();
ROLLBACK;
