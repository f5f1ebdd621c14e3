-- has_lease.sql
--		A lease opens what it is for: a data set, and models by seats.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(26);

CREATE ROLE h_lab;
CREATE ROLE h_other;
SELECT create_party('h_lab', role => 'h_lab'), create_party('h_other', role => 'h_other'), create_party('h_team', parent => 'h_lab'), create_party('h_owner');
SELECT create_pool(p, k, 'seat', 'h_owner') FROM (VALUES ('h_corpus', 'data'), ('h_model-a', 'model'), ('h_model-b', 'model')) AS v (p, k);
SELECT invite(p, c), accept(p, c) FROM unnest('{h_corpus,h_model-a,h_model-b}'::text[]) AS p, unnest('{h_lab,h_other,h_team}'::text[]) AS c;
SELECT invite(p, 'h_owner', 'provider'), accept(p, 'h_owner', 'provider'), add_supply(p, 'h_owner', 10, '[2026-01-01,)')
FROM unnest('{h_corpus,h_model-a,h_model-b}'::text[]) AS p;

-- A data set: whoever has a lease of it reads it. Of a stream, what was written
-- while the lease ran.
CREATE TABLE public.h_document (id int PRIMARY KEY, written_at timestamptz, body text);
INSERT INTO public.h_document SELECT i, '2026-01-01'::timestamptz + i * interval '1 day', 'text ' || i FROM generate_series(0, 99) AS i;
ALTER TABLE public.h_document ENABLE ROW LEVEL SECURITY;
CREATE POLICY leased ON public.h_document USING (has_lease('h_corpus'));
CREATE TABLE public.h_stream AS TABLE public.h_document;
ALTER TABLE public.h_stream ENABLE ROW LEVEL SECURITY;
CREATE POLICY leased ON public.h_stream USING (has_lease('h_corpus', written_at));
-- A registry of models, each a pool of seats
CREATE TABLE public.h_registry (model text, weights bytea);
INSERT INTO public.h_registry VALUES ('h_model-a', 'a'), ('h_model-b', 'b'), ('h_none', 'c');
ALTER TABLE public.h_registry ENABLE ROW LEVEL SECURITY;
CREATE POLICY seat ON public.h_registry USING (has_lease(model));
GRANT SELECT ON public.h_document, public.h_stream, public.h_registry TO PUBLIC;

CREATE FUNCTION pg_temp.seen(role text, relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE 'SELECT count(*) FROM ' || relation INTO result;
	RESET ROLE;
	RETURN result;
END $$;

SELECT is(pg_temp.seen('h_lab', 'public.h_document'), '0', 'without a lease, there is nothing to read');
CREATE TEMP TABLE key AS SELECT reserve('h_corpus', 'h_lab', 1, tstzrange(now() - interval '1 day', now() + interval '1 day')) AS lease;
SELECT is(pg_temp.seen('h_lab', 'public.h_document'), '100', 'with one, there is all of it');
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '0', 'for who has it only');
SELECT is(pg_temp.seen('h_lab', 'public.h_stream'), '0', 'a lease of today opens nothing of January');
SELECT reserve('h_corpus', 'h_team', 1, '[2026-01-10,2026-01-20)'), reserve('h_corpus', 'h_lab', 1, '[2026-01-15,2026-01-25)'),
	reserve('h_corpus', 'h_lab', 1, '[2026-02-01,2026-02-03)');
SELECT is(pg_temp.seen('h_lab', 'public.h_stream'), '17', 'leases of January do, those of teams too');

SELECT is(pg_temp.seen('h_lab', 'public.h_registry'), '0', 'models without a seat');
SELECT reserve('h_model-b', 'h_lab', 1, tstzrange(now(), NULL));
SELECT is(pg_temp.seen('h_lab', 'public.h_registry'), '1', 'a seat opens its model');

-- What changes, changes at once: also within a transaction, and back again
SAVEPOINT before;
SELECT release(lease) FROM key;
SELECT is(pg_temp.seen('h_lab', 'public.h_document'), '0', 'released is closed');
ROLLBACK TO before;
SELECT is(pg_temp.seen('h_lab', 'public.h_document'), '100', 'and was it not, it is not');
SAVEPOINT before;
SELECT reserve('h_corpus', 'h_other', 1, tstzrange(now(), NULL)) IS NOT NULL AS reserved;
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '100', 'reserved is open');
ROLLBACK TO before;
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '0', 'and no longer when that is taken back');
SELECT reserve('h_corpus', 'h_other', 1, tstzrange(now(), NULL), hold_for => '1 hour');
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '0', 'a hold opens nothing');

SAVEPOINT before;
GRANT h_lab TO h_other;
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '100', 'who gets the privileges of a role has its leases');
REVOKE h_lab FROM h_other;
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '0', 'as long as it has them');
ROLLBACK TO before;
UPDATE party SET parent_id = party_id('h_other') WHERE name = 'h_lab';
SELECT is(pg_temp.seen('h_other', 'public.h_document'), '100', 'who comes to act for a party has its leases');
UPDATE party SET parent_id = NULL WHERE name = 'h_lab';

-- One call, and what changes while it runs: the role, rows of this transaction,
-- what is taken back
SAVEPOINT before;
SELECT release(lease_id) FROM lease WHERE consumer_id = party_id('h_other') AND end_reason IS NULL;
SET LOCAL ROLE h_lab;
SELECT is((SELECT string_agg(concat(has_lease('h_corpus'), set_config('role', CASE i % 2 WHEN 0 THEN 'h_lab' ELSE 'h_other' END, true) <> ''), ' ' ORDER BY i)
	FROM (SELECT generate_series(1, 4) AS i OFFSET 0) AS s), 'tt ft tt ft', 'of each row, whoever asks then');
RESET ROLE;
CREATE FUNCTION pg_temp.course(role text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
	lease bigint;
BEGIN
	result := '';
	FOR i IN 1 .. 3 LOOP
		-- the same call, an expression that is kept for the transaction
		PERFORM set_config('role', CASE i WHEN 2 THEN 'none' ELSE role END, true);
		result := result || has_lease('h_corpus') || ' ';
		PERFORM set_config('role', 'none', true);
		BEGIN
			IF i = 1 THEN
				lease := reserve('h_corpus', 'h_other', 1, tstzrange(now(), NULL));
				RAISE EXCEPTION USING ERRCODE = 'ZZ000';
			ELSIF i = 2 THEN
				lease := reserve('h_corpus', 'h_other', 1, tstzrange(now(), NULL));
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT is(pg_temp.course('h_other'), 'false false true ', 'taken back it is not there, for another role it is not, and reserved it is');
CREATE FUNCTION pg_temp.lent() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN RETURN has_lease('h_corpus'); END $$;
ALTER FUNCTION pg_temp.lent OWNER TO h_lab;
CREATE ROLE h_nobody;
SET LOCAL ROLE h_nobody;
SELECT is(pg_temp.lent(), false, 'a function lends no lease to whom calls it');
SELECT is((SELECT string_agg(concat(has_lease('h_corpus'), pg_temp.lent()), ' ') FROM generate_series(1, 2)), 'ff ff', 'not in between, either');
SET LOCAL ROLE h_lab;
SELECT is((SELECT string_agg(concat(has_lease('h_corpus'), pg_temp.lent()), ' ') FROM generate_series(1, 2)), 'tt tt', 'nor takes the caller''s away');
RESET ROLE;
-- kept plans
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE documents(text) AS SELECT count(*) FROM public.h_document WHERE has_lease($1);
SET LOCAL ROLE h_lab;
PREPARE own AS SELECT count(*) FROM public.h_document;
SELECT results_eq('EXECUTE own', ARRAY[100::bigint], 'a plan that was made once');
SELECT results_eq($$EXECUTE documents('h_corpus')$$, ARRAY[100::bigint], 'has the pool as its argument');
SELECT results_eq($$EXECUTE documents('h_model-a')$$, ARRAY[0::bigint], 'and another the next time');
SET LOCAL ROLE h_nobody;
SELECT results_eq('EXECUTE own', ARRAY[0::bigint], 'and is another role''s then');
RESET ROLE;
DEALLOCATE ALL;
ROLLBACK TO before;

-- against plain SQL
CREATE TEMP TABLE instant AS SELECT '2025-12-31'::timestamptz + random() * interval '40 days' AS at FROM generate_series(1, 2000);
INSERT INTO instant VALUES ('-infinity'), ('infinity'), ('2026-01-10'), ('2026-01-25'), ('2026-02-03');
GRANT SELECT ON instant TO PUBLIC;
SET LOCAL ROLE h_lab;
SELECT is_empty($$
	SELECT at FROM instant
	WHERE has_lease('h_corpus', at) IS DISTINCT FROM EXISTS (SELECT FROM lease_status AS l WHERE l.pool = 'h_corpus' AND l.effective @> at AND l.held_until IS NULL AND at < 'infinity')
$$, 'at every instant as the leases say');
SELECT is(has_lease('h_corpus', NULL), NULL, 'at no instant, nothing');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
