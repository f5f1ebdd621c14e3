-- profile_limits.sql
--		Long profiles: what they cost in memory, and that they can be interrupted.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(9);
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;

-- 300 profiles of 45 kB, of which a table has the compressed form out of line
CREATE TEMP TABLE stored AS
SELECT i, long + profile('[2026-01-01,2027-01-01)', i * 7919 % 300) AS p
FROM (SELECT load_profile(tstzrange('2026-01-01'::timestamptz + g * interval '1.000001 second', NULL), 1) AS long FROM generate_series(1, 5000) AS g) AS l,
	 generate_series(1, 300) AS i;
ANALYZE stored;

-- Megabytes of this backend once the first row of a query is there; the query
-- has a column i. (The condition, always true, keeps a sort from looking for
-- that one row only.)
CREATE FUNCTION pg_temp.megabytes(query text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
	result numeric;
BEGIN
	EXECUTE format('SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE q.i IS NOT NULL) FROM (%s OFFSET 0) AS q WHERE random() < 2 LIMIT 1', query) INTO result;
	RETURN round(result / 1000000);
END $$;
SELECT pg_temp.megabytes('SELECT i FROM stored ORDER BY i') AS base \gset

SELECT cmp_ok(pg_temp.megabytes('SELECT i, p FROM stored ORDER BY p') - :base, '<', 30::numeric, 'sorting takes no memory per comparison');
SELECT cmp_ok(pg_temp.megabytes('SELECT i, p FROM (SELECT DISTINCT ON (p) i, p FROM stored ORDER BY p) AS d') - :base, '<', 30::numeric, 'nor does DISTINCT');
SELECT cmp_ok(pg_temp.megabytes('SELECT rank() OVER (ORDER BY p) AS i FROM stored') - :base, '<', 30::numeric, 'nor does a window');
SELECT cmp_ok(pg_temp.megabytes('SELECT count(*) AS i, p = ''{}'' FROM stored GROUP BY p = ''{}''') - :base, '<', 30::numeric, 'nor does comparing with one');
CREATE INDEX ON stored USING hash (p);
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT cmp_ok(pg_temp.megabytes('SELECT max(a.i) AS i FROM stored AS a JOIN stored AS b USING (p)') - :base, '<', 60::numeric, 'nor does looking up in an index');

-- The transition functions keep what they need, and nothing else: as a window,
-- with every row as the frame's end, the state of the aggregate is still there
SELECT cmp_ok(pg_temp.megabytes('SELECT i, peak(sum(p) OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) FROM stored') - :base, '<', 30::numeric, 'sum(profile) in a window');

-- interrupts: each of these takes seconds if it is let run
CREATE FUNCTION pg_temp.interrupted(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz := clock_timestamp();
BEGIN
	EXECUTE query;
	RETURN 'not interrupted';
EXCEPTION WHEN query_canceled THEN
	RETURN CASE WHEN clock_timestamp() - started < '3 seconds' THEN 'interrupted' ELSE 'late' END;
END $$;
SET LOCAL statement_timeout = '200ms';
SELECT is(pg_temp.interrupted($$SELECT load_profile(tstzrange(to_timestamp(g % 1000003), NULL), 1) FROM generate_series(1, 100000000) AS g$$), 'interrupted', 'load_profile');
SELECT is(pg_temp.interrupted($$SELECT sum(p) FROM stored, generate_series(1, 10000)$$), 'interrupted', 'sum(profile)');
SELECT is(pg_temp.interrupted($$SELECT count(*) FROM stored AS a, stored AS b, stored AS c WHERE a.p <@ b.p + c.p$$), 'interrupted', 'algebra');

SELECT * FROM finish();
ROLLBACK;
