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
SELECT plan(28);

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
	RETURN concat_ws(' ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''), nullif(place, ''));
END $$;

-- ----------
-- To learn that something exists: the answer for what is hidden is the answer
-- for what is not there
-- ----------
CREATE TEMP TABLE probe (statement text);
INSERT INTO probe VALUES
	('SELECT pool_id(%L)'), ('SELECT availability(%L)'), ('SELECT reserve(%L, ''l_mallory'', 1, ''[2100-01-01,2100-01-02)'')'),
	('SELECT reserve_bundle(ARRAY[''l_pool'', %L], ''l_mallory'', ''{1}'', ''{"[2100-03-01,2100-03-02)"}'')'),
	('SELECT invite(%L, ''l_mallory'')'), ('SELECT accept(%L, ''l_mallory'')'), ('SELECT add_supply(%L, ''l_mallory'', 1, ''[2100-01-01,)'')'),
	('SELECT withdraw_supply(%L, ''l_mallory'', 1, ''[2100-01-01,)'')'), ('SELECT set_quota(%L, ''l_mallory'', ''[2100-01-01,)'', 1)'),
	('SELECT count(*) FROM find_slots(ARRAY[%L], 1, ''1 day'', ''[2100-01-01,2100-02-01)'')'), ('SELECT count(*) FROM check_calendar(%L)'),
	('SELECT count(*) FROM utilization_report(%L, ''[2100-01-01,2100-01-02)'')'), ('SELECT count(*) FROM cost_report(%L, ''[2100-01-01,2100-01-02)'')'),
	('SELECT count(*) FROM revenue_report(%L, ''[2100-01-01,2100-01-02)'')'), ('SELECT count(*) FROM carbon_report(%L, ''[2100-01-01,2100-01-02)'')'),
	('SELECT availability_as_of(%L, ''[2100-01-01,2100-01-02)'', now())'), ('SELECT has_lease(%L)'), ('SELECT lease_gantt(%L, ''[2100-01-01,2100-01-02)'')'),
	('SELECT report_html(%L, ''[2100-01-01,2100-01-02)'')'), ('SELECT require_pool(%L, ''steward'')'),
	('SELECT create_pool(''l_mallory/x'', ''data'', ''seat'', ''l_mallory'', parent => %L)'), ('SELECT create_pool(%L, ''data'', ''seat'', ''l_mallory'')'),
	('SELECT create_party(%L)'), ('SELECT create_party(%L, parent => ''l_mallory'')'), ('SELECT create_project(%L, owner => ''l_mallory'')'),
	('SELECT party_id(%L)'), ('SELECT reserve(''l_pool'', %L, 1, ''[2100-01-01,2100-01-02)'')'), ('SELECT availability(''l_pool'', consumer => %L)'),
	('SELECT add_supply(''l_pool'', %L, 1, ''[2100-01-01,)'')'), ('SELECT accept(''l_pool'', %L)'), ('SELECT confirm(own, %L) FROM victim'),
	('SELECT set_affiliation(''l_mallory'', %L)'), ('SELECT set_affiliation(%L, ''l_mallory'')'), ('SELECT statement_html(%L, ''[2100-01-01,2100-01-02)'')'),
	('SELECT project_id(%L)'), ('SELECT count(*) FROM contributions(%L)'), ('SELECT count(*) FROM contributions_by_organization(%L)'),
	('SELECT contributors FROM contributor_report(%L)'), ('SELECT create_task(%L, ''x'')'), ('SELECT set_project_member(%L, ''l_mallory'', ''owner'')'),
	('SELECT import_mailmap(%L, ''''::text)'), ('SELECT import_git_log(%L, '''')'), ('SELECT import_github(%L, ''ping'', ''{}'')'),
	('SELECT count(*) FROM pool WHERE name = %L'), ('SELECT count(*) FROM party WHERE name = %L');

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
SELECT alike(pg_temp.said('l_mallory', $$SELECT count(*) FROM (SELECT FROM pool FOR UPDATE) AS p$$), 'ZZ000 0', 'nobody can lock a pool but its stewards');
SELECT alike(pg_temp.said('l_mallory', $$WITH u AS (UPDATE pool SET price = 0 RETURNING 1) SELECT count(*) FROM u$$), 'ZZ000 0', 'nor set its price');
SELECT alike(pg_temp.said('l_steward', $$WITH u AS (UPDATE pool SET price = 2 RETURNING 1) SELECT count(*) FROM u$$), 'ZZ000 2', 'who is steward can, of those pools');
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
