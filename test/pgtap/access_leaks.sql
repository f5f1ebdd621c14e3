-- access_leaks.sql
--		What a rival tries: to learn that something exists, whose it is, or how
--		much of it there is, past the policies; and to have functions of the
--		extension do what the rival wants.
--
-- Not hidden, as the server tells it to everybody: how large the tables are in
-- all (pg_class), and what the planner estimates from that.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
-- no key looks like a number that something else is
ALTER TABLE lease ALTER COLUMN lease_id RESTART WITH 7000001;
SELECT plan(39);

CREATE ROLE l_mallory;
CREATE ROLE l_victim;
CREATE ROLE l_steward;
SELECT create_party('l_mallory', role => 'l_mallory'), create_party('l_victim', role => 'l_victim'),
	create_party('l_steward', role => 'l_steward'), create_party('l_hidden');
SELECT create_pool('l_pool', 'compute', 'gpu', 'l_steward', price => 1), create_pool('l_secret', 'data', 'seat', 'l_hidden');
SELECT create_pool('l_child', 'compute', 'gpu', 'l_steward', parent => 'l_secret', borrow => 1);
SELECT invite(p, c), accept(p, c) FROM unnest('{l_pool,l_child}'::text[]) AS p, unnest('{l_mallory,l_victim}'::text[]) AS c;
SELECT invite(p, 'l_steward', 'provider'), accept(p, 'l_steward', 'provider') FROM unnest('{l_pool,l_child}'::text[]) AS p;
SELECT add_supply('l_pool', 'l_steward', 10, '[2026-01-01,)'), add_supply('l_child', 'l_steward', 2, '[2026-01-01,)');
SELECT create_project('l_project', owner => 'l_hidden');
CREATE TEMP TABLE victim AS
SELECT reserve('l_pool', 'l_victim', 8, '[2100-01-01,2100-02-01)', 'l_reference') AS lease,
	reserve('l_pool', 'l_mallory', 1, '[2100-01-01,2100-02-01)') AS own,
	create_task('l_project', 'secret') AS task, party_id('l_victim') AS party, pool_id('l_secret') AS pool;
GRANT SELECT ON victim TO PUBLIC;
-- what is the rival's own: a pool that it is steward of, and a project
SET LOCAL ROLE l_mallory;
SELECT create_pool('l_mallory/pool', 'compute', 'gpu', 'l_mallory'), create_project('l_mallory/code', owner => 'l_mallory');
SELECT invite('l_mallory/pool', 'l_mallory'), accept('l_mallory/pool', 'l_mallory');
RESET ROLE;
GRANT CREATE ON SCHEMA public TO l_mallory;

-- All that an error says, and what a result is, for a role.
CREATE FUNCTION pg_temp.said(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
	place text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement INTO message;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(message, 'null');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, place = TABLE_NAME;
	-- keys are others for each
	RETURN concat_ws(' ', SQLSTATE, message, regexp_replace(nullif(detail, ''), 'row contains \(\d+', 'row contains (KEY'), nullif(hint, ''), nullif(place, ''));
END $$;

-- ----------
-- To learn that something exists: the answer for what is hidden is the answer
-- for what is not there
-- ----------
-- Every function that looks at tables, with the name as each of its texts in
-- turn; the others are what a call could be right with.
CREATE FUNCTION pg_temp.argument(name text, type text, spread boolean, probed boolean, value text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN spread THEN 'VARIADIC ' ELSE '' END || CASE
		WHEN probed THEN CASE type WHEN 'text' THEN '%1$L::text' ELSE 'ARRAY[%1$L]::text[]' END
		WHEN type = 'text' THEN quote_literal(value) || '::text'
		WHEN type = 'text[]' THEN format('ARRAY[%L]::text[]', value)
		ELSE coalesce((SELECT quote_literal(v.value) FROM (VALUES ('tstzrange', '[2100-01-01,2100-01-02)'), ('tstzrange[]', '{"[2100-03-01,2100-03-02)"}'),
			('numeric', '1'), ('numeric[]', '{1}'), ('bigint', '1'), ('bigint[]', '{1}'), ('integer', '1'), ('boolean', 'false'), ('interval', '1 day'),
			('timestamp with time zone', '2100-01-01'), ('jsonb', '{}'), ('bytea', ''), ('date', '2100-01-01'), ('sharecollab.profile', '{}'), ('profile', '{}')) AS v (type, value)
			WHERE v.type = argument.type), 'NULL') || '::' || type END
$$;
CREATE TEMP TABLE probe AS
SELECT format('SELECT %s FROM %s(%s) AS x', CASE p.provolatile WHEN 'v' THEN 'count(x)' ELSE 'string_agg(x::text, '' '')' END, p.oid::regproc, string_agg(pg_temp.argument(a.name, a.type::regtype::text, p.provariadic <> 0 AND a.n = p.pronargs, a.n = i.n,
		CASE a.name WHEN 'pool' THEN 'l_pool' WHEN 'pools' THEN 'l_pool' WHEN 'project' THEN 'l_mallory/code' WHEN 'currency' THEN 'USD' WHEN 'base' THEN 'USD' WHEN 'quote' THEN 'EUR'
			WHEN 'kind' THEN CASE p.proname WHEN 'create_party' THEN 'bot' WHEN 'create_project' THEN 'code' WHEN 'create_pool' THEN 'compute' WHEN 'post_journal' THEN 'transfer' ELSE 'receivable' END WHEN 'role' THEN 'consumer' WHEN 'what' THEN 'hold' WHEN 'name' THEN 'l_mallory/x'
			WHEN 'unit' THEN 'gpu' WHEN 'time_zone' THEN 'UTC' WHEN 'source' THEN 'l_pool/x' ELSE 'l_mallory' END), ', ' ORDER BY a.n)) AS statement
FROM pg_proc AS p, LATERAL unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs]) WITH ORDINALITY AS a (type, name, n),
	LATERAL (SELECT t.n FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (type, n) WHERE t.type IN ('text'::regtype, 'text[]'::regtype)) AS i
WHERE p.pronamespace = 'sharecollab'::regnamespace AND p.prokind = 'f' AND p.provolatile <> 'i' AND has_function_privilege('l_mallory', p.oid, 'EXECUTE')
AND 'internal'::regtype <> ALL (p.proargtypes::oid[])
GROUP BY p.oid, i.n;
INSERT INTO probe VALUES
	('SELECT reserve(%1$L, ''l_mallory'', 1, ''[2100-01-01,2100-01-02)'')'), ('SELECT reserve(''l_pool'', %1$L, 1, ''[2100-01-01,2100-01-02)'')'),
	('SELECT create_pool(''l_mallory/x'', ''data'', ''seat'', ''l_mallory'', parent => %1$L)'), ('SELECT create_pool(%1$L, ''data'', ''seat'', ''l_mallory'')'),
	('SELECT create_pool(''l_mallory/x'', ''data'', ''seat'', ''l_mallory'', project => %1$L)'),
	('SELECT create_party(%1$L)'), ('SELECT create_party(%1$L, parent => ''l_mallory'')'), ('SELECT create_project(%1$L, owner => ''l_mallory'')'),
	('SELECT confirm(own, %1$L) FROM victim'), ('SELECT invite(''l_mallory/pool'', %1$L)'), ('SELECT open_account(%1$L, ''receivable'', ''USD'', ''l_mallory/pool'')'),
	('SELECT record_usage(''l_mallory/pool'', %1$L, ''m'', 1, ''[2100-01-01,2100-01-02)'', ''l_mallory/pool/s'', ''k'')'),
	('SELECT record_usage(''l_mallory/pool'', ''l_mallory'', ''m'', 1, ''[2100-01-01,2100-01-02)'', ''l_mallory/pool/s'', ''k'', provider => %1$L)'),
	('SELECT set_rate(''l_mallory/pool'', ''m'', 1, party => %1$L)'), ('SELECT record_payment(''l_mallory/pool'', %1$L, 1)'), ('SELECT set_quota(''l_mallory/pool'', %1$L, ''[2100-01-01,)'', 1)'),
	('SELECT count(*) FROM payout(''l_mallory/pool'', %1$L)'), ('SELECT exchange(%1$L, 1, ''USD'', ''EUR'', pool => ''l_mallory/pool'')'),
	('SELECT import_sacct(''l_mallory/pool'', format(E''JobIDRaw|Account|NCPUS|Start|End\n1|%%s|2|2026-01-03T00:00:00|2026-01-03T01:00:00\n'', %1$L), source => ''l_mallory/pool/sacct'')'),
	('SELECT set_project_member(''l_mallory/code'', %1$L, ''owner'')'), ('SELECT create_task(''l_mallory/code'', ''x'', assignee => %1$L)'), ('SELECT set_affiliation(''l_mallory'', %1$L)'),
	('SELECT count(*) FROM pool WHERE name = %1$L'), ('SELECT count(*) FROM party WHERE name = %1$L'), ('SELECT count(*) FROM project WHERE name = %1$L');

SELECT is_empty(format($$
	SELECT p.statement, hidden, nothing
	FROM probe AS p, pg_temp.said('l_mallory', format(p.statement, %L)) AS hidden, pg_temp.said('l_mallory', format(p.statement, 'l_nothing')) AS nothing
	WHERE replace(hidden, %1$L, 'NAME') IS DISTINCT FROM replace(nothing, 'l_nothing', 'NAME')
$$, name), 'the answer for ' || name || ', which is hidden, is that for a name that nobody has')
FROM unnest('{l_secret,l_hidden,l_project,l_victim}'::text[]) AS name;

-- keys
SELECT is_empty($$
	SELECT statement, hidden, nothing
	FROM victim AS v, (VALUES ('SELECT release(%s)'), ('SELECT cancel(%s)'), ('SELECT amend(%s, 1)'), ('SELECT confirm(%s)'), ('SELECT reclaim(%s)'),
			('SELECT count(*) FROM lease WHERE lease_id = %s'), ('SELECT count(*) FROM audit_trail WHERE subject_id = %s AND subject = ''lease'''),
			('SELECT peak(availability(''l_pool'', ''[2100-01-01,2100-01-02)'', without => ARRAY[%s]::bigint[]), ''(,)'')')) AS p (statement),
		pg_temp.said('l_mallory', format(statement, v.lease)) AS hidden, pg_temp.said('l_mallory', format(statement, 1000000000)) AS nothing
	WHERE replace(hidden, v.lease::text, 'KEY') <> replace(nothing, '1000000000', 'KEY')
$$, 'the answer for a rival''s lease is that for a key that there is not');
SELECT is_empty($$
	SELECT statement, hidden, nothing
	FROM victim AS v, (VALUES ('SELECT assign_task(%s, ''l_mallory'')'), ('SELECT complete_task(%s)'), ('SELECT cancel_task(%s)')) AS p (statement),
		pg_temp.said('l_mallory', format(statement, v.task)) AS hidden, pg_temp.said('l_mallory', format(statement, 1000000000)) AS nothing
	WHERE replace(hidden, v.task::text, 'KEY') <> replace(nothing, '1000000000', 'KEY')
$$, 'nor is there a task of somebody else''s project');

-- ----------
-- Errors
-- ----------
SELECT unalike(pg_temp.said('l_mallory', $$SELECT reserve('l_pool', 'l_mallory', 5, '[2100-01-05,2100-01-06)')$$), '%in the way%',
	'a refusal names nobody''s leases');
SELECT alike(pg_temp.said('l_steward', $$SELECT reserve('l_pool', 'l_mallory', 5, '[2100-01-05,2100-01-06)')$$), '42501%must act for%',
	'and a steward acts in nobody''s name');
SELECT unalike(pg_temp.said('l_mallory', $$SELECT reserve('l_child', 'l_mallory', 5, '[2100-01-05,2100-01-06)')$$), '%l_secret%',
	'nor does it name a pool that the caller may not know of');
SELECT unalike(pg_temp.said('l_mallory', $$SELECT reserve('l_pool', 'l_mallory', 1, '[2100-05-01,2100-05-02)', 'l_reference') > 0$$), '%Lease%',
	'a reference that is taken does not say by which lease');

-- ----------
-- In another's name: who is steward of a pool writes down what members of it
-- owe, and nothing of anybody else
-- ----------
CREATE TEMP TABLE book AS
SELECT open_account('l_victim', 'receivable', 'USD', 'l_pool') AS victims, open_account('l_steward', 'fee', 'USD', 'l_pool') AS stewards, 0::bigint AS journal, 0::bigint AS own;
UPDATE book SET journal = post_journal('transfer', ARRAY[victims, stewards], '{1,-1}', 'l_pool', 'bank', '1'), own = open_account('l_mallory', 'cash', 'USD', 'l_mallory/pool');
GRANT SELECT ON book TO PUBLIC;
SELECT is_empty($$
	SELECT statement, said
	FROM (VALUES
		('SC004', $s$SELECT record_usage('l_mallory/pool', 'l_steward', 'm', 1, '[2026-01-01,2026-01-02)', 'l_mallory/pool/s', '1')$s$),
		('SC004', $s$SELECT record_usage('l_mallory/pool', 'l_mallory', 'm', 1, '[2026-01-01,2026-01-02)', 'l_mallory/pool/s', '1', provider => 'l_steward')$s$),
		('SC004', $s$SELECT open_account('l_steward', 'receivable', 'USD', 'l_mallory/pool')$s$),
		('SC004', $s$SELECT record_payment('l_mallory/pool', 'l_steward', 1)$s$),
		('SC004', $s$SELECT set_rate('l_mallory/pool', 'm', 1, party => 'l_steward')$s$),
		('SC004', $s$SELECT import_sacct('l_mallory/pool', E'JobIDRaw|Account|NCPUS|Start|End\n1|l_steward|2|2026-01-03T00:00:00|2026-01-03T01:00:00\n', source => 'l_mallory/pool/sacct')$s$),
		('42501', $s$SELECT set_rate('l_mallory/pool', 'm', 1, party => 'l_steward', quantity => 1, purchase => 1, model => 'reserved', valid => '[2026-01-01,2027-01-01)')$s$),
		('42501', $s$SELECT open_account('l_mallory', 'cash', 'USD')$s$),
		('42501', $s$SELECT set_limits(own, 0) FROM book$s$),
		-- books of somebody else's
		('23503', $s$SELECT post_journal('transfer', ARRAY[own, victims], '{-1,1}', 'l_mallory/pool') FROM book$s$),
		('23503', $s$SELECT post_journal('transfer', ARRAY[own, 1000000000], '{-1,1}', 'l_mallory/pool') FROM book$s$),
		('42501', $s$SELECT post_journal('transfer', ARRAY[victims, stewards], '{1,-1}', 'l_pool') FROM book$s$),
		('42501', $s$SELECT post_journal('transfer', ARRAY[own, own], '{1,-1}') FROM book$s$),
		('42704', $s$SELECT reverse_journal(journal) FROM book$s$),
		('42704', $s$SELECT reverse_journal(1000000000)$s$),
		-- keys that others have, or that closing will take
		('42501', $s$SELECT post_journal('transfer', ARRAY[own, own], '{1,-1}', 'l_mallory/pool', 'bank', '1') FROM book$s$),
		('42501', $s$SELECT post_journal('transfer', ARRAY[own, own], '{1,-1}', 'l_mallory/pool', 'close_billing_period', pool_id('l_pool') || '/1/1') FROM book$s$),
		('42501', $s$SELECT record_usage('l_mallory/pool', 'l_mallory', 'm', 1, '[2026-01-01,2026-01-02)', 'sacct', '1')$s$),
		('42501', $s$SELECT record_usage('l_mallory/pool', 'l_mallory', 'm', 1, '[2026-01-01,2026-01-02)', 'l_mallory/pool', '1')$s$)) AS t (state, statement),
		pg_temp.said('l_mallory', statement) AS said
	WHERE left(said, 5) <> state
$$, 'a steward writes of members, in books that are the pool''s, and under keys of its own');
CREATE TEMP VIEW l_usage AS
SELECT 'l_mallory/pool' AS pool, 'l_steward' AS consumer, NULL::text AS provider, NULL::bigint AS lease_id, 'm' AS meter, 1 AS quantity,
	'[2026-01-01,2026-01-02)'::tstzrange AS during, '{}'::jsonb AS labels, 'l_mallory/pool/s' AS source, '1' AS source_key;
GRANT SELECT ON l_usage TO PUBLIC;
SELECT alike(pg_temp.said('l_mallory', $$SELECT record_usage('pg_temp.l_usage')$$), 'SC004%', 'no more so in a set');
SELECT alike(pg_temp.said('l_mallory', format('SELECT post_journal(''transfer'', ARRAY[own, %s], ''{-1,1}'', ''l_mallory/pool'') FROM book', a.id)), '23503 account ' || a.id || ' does not exist',
	'an account of others is one that there is not')
FROM (SELECT victims FROM book UNION ALL SELECT 1000000000) AS a (id);

-- ----------
-- How much others use, where they are few
-- ----------
SELECT create_pool('l_small', 'compute', 'gpu', 'l_steward', price => 1), create_party('l_few'), create_party('l_third'), create_party('l_victim/team', parent => 'l_victim');
SELECT invite('l_small', 'l_steward', 'provider'), accept('l_small', 'l_steward', 'provider'), add_supply('l_small', 'l_steward', 100, '[2026-01-01,)');
SELECT invite('l_small', c), accept('l_small', c) FROM unnest('{l_mallory,l_victim,l_victim/team,l_few,l_third}'::text[]) AS c;
SELECT reserve('l_small', c, q, d) IS NOT NULL AS reserved
FROM (VALUES
	-- three others on the 1st, to midnight; on the 2nd two and the caller; on the 3rd two and a team of one of them; on the 4th, three
	('l_victim', 1, '[2100-01-01,2100-01-05)'::tstzrange), ('l_few', 2, '[2100-01-01,2100-01-05)'), ('l_third', 4, '[2100-01-01,2100-01-02)'),
	('l_mallory', 8, '[2100-01-02,2100-01-03)'), ('l_victim/team', 16, '[2100-01-03,2100-01-04)'), ('l_third', 32, '[2100-01-04 23:00,2100-01-05)')) AS v (c, q, d);
GRANT l_mallory TO CURRENT_USER;
CREATE FUNCTION pg_temp.told(during tstzrange, bucket interval) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL ROLE l_mallory;
	result := (SELECT string_agg(coalesce(trim_scale(leased_unit_hours)::text, '-'), ' ' ORDER BY period) FROM utilization_report('l_small', during, bucket));
	RESET ROLE;
	RETURN result;
END $$;
SELECT is(pg_temp.told('[2100-01-01,2100-01-06)', '1 day'), '168 - - 104 -', 'days with as many others as there must be are told, and no others');
SELECT is(pg_temp.told('[2100-01-01,2100-01-03)', '2 days'), '-', 'nor in a sum with one that is');
SELECT is(pg_temp.told('[2100-01-01,2100-01-02)', '1 hour'), rtrim(repeat('- ', 24)), 'nor hours of one that is');
SELECT is(pg_temp.told('[2100-01-01 01:00,2100-01-03 01:00)', '1 day'), '- -', 'nor what is no day');
-- all windows of whole and half days: what is told of one is the sum of days that are told
SELECT is_empty($$
	SELECT f, t, told
	FROM generate_series('2100-01-01'::timestamptz, '2100-01-05', '12 hours') AS f, generate_series('2100-01-01 12:00'::timestamptz, '2100-01-06', '12 hours') AS t,
		pg_temp.told(tstzrange(f, t), t - f) AS told
	WHERE f < t AND told <> '-'
	AND NOT (date_trunc('day', f) = f AND date_trunc('day', t) = t AND NOT EXISTS (
		SELECT FROM generate_series(f, t - interval '1 day', '1 day') AS d WHERE pg_temp.told(tstzrange(d, d + interval '1 day'), '1 day') = '-'))
$$, 'and no window less another is a day that is not told');
-- the same pool as a part of another, which the caller is a member of, too
SELECT create_pool('l_whole', 'compute', 'gpu', 'l_steward', price => 1), invite('l_whole', 'l_mallory'), accept('l_whole', 'l_mallory');
UPDATE pool SET parent_id = pool_id('l_whole'), lend = 0, borrow = NULL WHERE name = 'l_small';
SET LOCAL ROLE l_mallory;
SELECT is((SELECT count(leased_unit_hours) FROM utilization_report('l_whole', '[2100-01-01,2100-01-06)')), 0::bigint, 'nor does the pool that it is a part of tell');
RESET ROLE;
UPDATE pool SET min_parties = 2 WHERE name = 'l_small';
SELECT is(pg_temp.told('[2100-01-01,2100-01-06)', '1 day'), '168 264 456 104 -', 'unless fewer must be');

-- ----------
-- The tables: no way to write, lock, refer to, or count past the policies
-- ----------
CREATE TEMP VIEW own_table AS
SELECT c.oid, c.oid::regclass::text AS name FROM pg_class AS c
WHERE c.relnamespace = 'sharecollab'::regnamespace AND c.relkind IN ('r', 'p');
GRANT SELECT ON own_table TO PUBLIC;
SELECT is_empty($$
	SELECT t.name, s FROM own_table AS t,
		unnest(ARRAY['INSERT INTO %s DEFAULT VALUES', 'INSERT INTO %s DEFAULT VALUES ON CONFLICT DO NOTHING', 'DELETE FROM %s', 'TRUNCATE %s CASCADE',
			'COPY %s FROM ''/dev/null''', 'LOCK TABLE %s IN SHARE MODE', 'CREATE TRIGGER t AFTER INSERT ON %s EXECUTE FUNCTION suppress_redundant_updates_trigger()']) AS s,
		pg_temp.said('l_mallory', format(s, t.name)) AS said
	WHERE said NOT LIKE '42501%'
$$, 'no table can be written or locked');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class AS c
	WHERE c.relnamespace = 'sharecollab'::regnamespace AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('l_mallory', c.oid, 'USAGE, SELECT, UPDATE') END
$$, 'no sequence tells how much was done');
SELECT is_empty($$
	SELECT t.name FROM own_table AS t WHERE has_any_column_privilege('l_mallory', t.oid, 'REFERENCES') OR has_table_privilege('l_mallory', t.oid, 'TRIGGER')
$$, 'no foreign key asks for what there is');
SELECT alike(pg_temp.said('l_mallory', $$SELECT count(*) FROM (SELECT FROM pool FOR UPDATE) AS p$$), 'ZZ000 1', 'nobody can lock a pool but its stewards');
SELECT alike(pg_temp.said('l_mallory', $$WITH u AS (UPDATE pool SET price = 0 RETURNING name) SELECT string_agg(name, ' ') FROM u$$), 'ZZ000 l_mallory/pool', 'nor set its price');
SELECT alike(pg_temp.said('l_steward', $$WITH u AS (UPDATE pool SET price = 2 RETURNING 1) SELECT count(*) FROM u$$), 'ZZ000 4', 'who is steward can, of those pools');
SELECT alike(pg_temp.said('l_steward', $$UPDATE pool SET parent_id = NULL, borrow = NULL$$), '42501%', 'but not take more of the parent');
SELECT alike(pg_temp.said('l_steward', $$WITH u AS (UPDATE pool SET overbooking = 2 WHERE name = 'l_pool' RETURNING 1) SELECT count(*) FROM u$$), 'ZZ000 1', 'which makes its calendar anew, whoever may not write that');
SELECT is_empty($$SELECT * FROM check_calendar()$$, 'and that is as it should be');
SET LOCAL ROLE l_mallory;
SELECT is_empty($$SELECT tablename FROM pg_stats WHERE schemaname = 'sharecollab'$$, 'statistics are hidden');
RESET ROLE;

-- ----------
-- Code of the rival's, run within a query
-- ----------
CREATE TABLE public.l_loot (what text);
GRANT ALL ON public.l_loot TO PUBLIC;
SET LOCAL ROLE l_mallory;
CREATE FUNCTION public.l_steal(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN INSERT INTO public.l_loot VALUES (what); RETURN true; END $$;
SELECT count(*) FROM lease_status WHERE public.l_steal(consumer || quantity);
SELECT count(*) FROM lease WHERE public.l_steal(lease_id::text || consumer_id);
SELECT count(*) FROM audit_trail WHERE public.l_steal(role || coalesce(was::text, ''));
SELECT count(*) FROM pool_status WHERE public.l_steal(pool);
SELECT count(*) FROM party WHERE public.l_steal(name);
RESET ROLE;
SELECT is_empty($$SELECT what FROM public.l_loot, victim WHERE what LIKE '%victim%' OR what LIKE '%secret%' OR what LIKE '%hidden%' OR what = lease::text || party$$,
	'a cheap function in a predicate sees only what the policies leave');
SELECT isnt((SELECT count(*) FROM public.l_loot), 0::bigint, 'though it saw that');

-- Names of the extension's and of the server's, taken by somebody else
TRUNCATE public.l_loot;
SET LOCAL ROLE l_mallory;
CREATE FUNCTION public.party_id(name text) RETURNS bigint LANGUAGE sql AS $$INSERT INTO public.l_loot VALUES ('party_id'); SELECT 1::bigint$$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS $$INSERT INTO public.l_loot VALUES ('now'); SELECT '2000-01-01'::timestamptz$$;
CREATE FUNCTION public.l_equal(a bigint, b bigint) RETURNS boolean LANGUAGE sql AS $$INSERT INTO public.l_loot VALUES ('='); SELECT true$$;
CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.l_equal);
CREATE FUNCTION public.l_equal(a text, b text) RETURNS boolean LANGUAGE sql AS $$INSERT INTO public.l_loot VALUES ('='); SELECT true$$;
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.l_equal);
RESET ROLE;
SET LOCAL search_path = public, pg_temp, sharecollab, pg_catalog;
-- run by a role that has more rights, with the rival's search_path
SELECT sharecollab.reserve('l_pool', 'l_mallory', 0.5, '[2100-06-01,2100-06-02)') > 0,
	sharecollab.invite('l_pool', 'l_hidden'), sharecollab.accept('l_pool', 'l_hidden'), sharecollab.availability('l_pool') IS NOT NULL,
	(SELECT count(*) FROM sharecollab.cost_report('l_pool', '[2100-01-01,2101-01-01)')), (SELECT count(*) FROM sharecollab.check_calendar('l_pool')),
	sharecollab.create_task('l_project', 'x') IS NOT NULL, (SELECT count(*) FROM sharecollab.contributions('l_project'));
SET LOCAL search_path = sharecollab, public;
SELECT is((SELECT string_agg(DISTINCT what, ' ') FROM public.l_loot), NULL, 'no function of the extension calls what a search_path leads to');

-- Temporary tables come first on every path that does not say otherwise
CREATE TEMP TABLE lease (pool_id bigint, lease_id bigint, consumer_id bigint);
CREATE TEMP TABLE party (party_id bigint, name text);
SELECT isnt(sharecollab.reserve('l_pool', 'l_victim', 0.5, '[2100-07-01,2100-07-02)'), NULL, 'a temporary table is not mistaken for one of the extension''s');
DROP TABLE pg_temp.lease, pg_temp.party;

-- A source of leases that does what its owner wants, with the rights of whom it is given to
CREATE VIEW public.l_incoming AS SELECT 'l_pool' AS pool, 'l_victim' AS consumer, 1 AS quantity, '[2101-01-01,2101-01-02)'::tstzrange AS during, current_user::text AS reference;
GRANT SELECT ON public.l_incoming TO PUBLIC;
SELECT alike(pg_temp.said('l_mallory', $$SELECT import_leases('public.l_incoming')$$), '42501 must be steward%', 'who is no steward imports nothing');
SET LOCAL ROLE l_steward;
SELECT is((SELECT import_leases('public.l_incoming')), 1::bigint, 'a steward does');
SELECT is((SELECT reference FROM lease WHERE consumer_id = (SELECT party FROM victim) AND lower(during) = '2101-01-01'), 'l_steward', 'and what is read is read with the steward''s rights');
RESET ROLE;

-- ----------
-- Text that would be a statement, in every argument that is a text
-- ----------
CREATE FUNCTION pg_temp.injected() RETURNS TABLE (function text, said text) LANGUAGE plpgsql AS $$
DECLARE
	f record;
	payload text;
BEGIN
	FOR f IN
		SELECT p.oid, p.oid::regprocedure::text AS name, p.proargtypes::oid[] AS types, p.provariadic <> 0 AS variadic
		FROM pg_proc AS p
		WHERE p.pronamespace = 'sharecollab'::regnamespace AND p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype)
		AND 'internal'::regtype <> ALL (p.proargtypes::oid[]) AND 'cstring'::regtype <> ALL (p.proargtypes::oid[])
		AND (p.proargtypes::oid[] && ARRAY['text'::regtype, 'text[]'::regtype]::oid[])
	LOOP
		FOREACH payload IN ARRAY ARRAY[$p$'); DROP TABLE sharecollab.lease CASCADE; --$p$, $p$"; DROP TABLE sharecollab.lease; --$p$, $p$\'); SELECT 1/0; --$p$, '%s%n%I']
		LOOP
			function := f.name;
			said := pg_temp.said(session_user::text, (
				SELECT format('SELECT count(*) FROM (SELECT %s(%s)) AS x', f.oid::regproc, string_agg(
					CASE WHEN n = array_length(f.types, 1) AND f.variadic THEN 'VARIADIC ' ELSE '' END || CASE t WHEN 'text'::regtype THEN quote_literal(payload) || '::text'
						WHEN 'text[]'::regtype THEN format('ARRAY[%L]::text[]', payload)
						WHEN 'tstzrange'::regtype THEN '''[2100-01-01,2100-01-02)''::tstzrange'
						WHEN 'numeric'::regtype THEN '1::numeric'
						WHEN 'bigint'::regtype THEN '1::bigint'
						ELSE format('NULL::%s', t::regtype) END, ', ' ORDER BY n))
				FROM unnest(f.types) WITH ORDINALITY AS a (t, n)));
			IF said ~ '^(42601|22012|42P01|42703|42883|XX)' THEN
				RETURN NEXT;
			END IF;
		END LOOP;
	END LOOP;
END $$;
SELECT is_empty('SELECT * FROM pg_temp.injected()', 'no text becomes a statement');

SELECT * FROM finish();
ROLLBACK;
