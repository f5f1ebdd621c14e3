-- algebra_parallel.sql
--		gauge_profile, max(profile), min(profile), decayed, and load_profile and
--		unit_hours of whole numbers give the same bytes in every plan: serial,
--		parallel, partition-wise, as windows.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260202
\endif

BEGIN;
SELECT plan(120);
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.seed', :'seed', true) \g /dev/null

-- workers cannot see temporary tables
CREATE SCHEMA algebra_parallel;
SET LOCAL search_path = algebra_parallel, sharecollab, public;

-- ----------
-- Tools
-- ----------
SET LOCAL parallel_setup_cost = 0;
-- functions are free and what a worker sends is not, so it aggregates first
SET LOCAL cpu_operator_cost = 0;
SET LOCAL parallel_tuple_cost = 0.05;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL jit = off;

-- The name changed with 16
SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
			THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END AS debug_parallel_query \gset

CREATE FUNCTION pg_temp.plan_of(query text, options text DEFAULT 'COSTS OFF') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;

-- The rows of a query as one text, or the SQLSTATE of its error
CREATE FUNCTION pg_temp.outcome(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	-- (a subquery's columns may have the same name)
	EXECUTE format('CREATE TABLE outcome AS SELECT q::text AS line FROM (%s) AS q', query);
	SELECT string_agg(line, E'\n' ORDER BY line) INTO result FROM outcome;
	DROP TABLE outcome;
	RETURN coalesce(result, 'no rows');
EXCEPTION WHEN OTHERS THEN
	RETURN 'ERROR ' || sqlstate;
END $$;

-- What a query gives without parallelism
CREATE FUNCTION pg_temp.serial(query text) RETURNS text
LANGUAGE plpgsql
SET max_parallel_workers_per_gather = 0
SET enable_partitionwise_aggregate = off AS $$
BEGIN
	RETURN pg_temp.outcome(query);
END $$;

-- Passes if a query has a plan like "pattern" now, with the outcome expected
CREATE FUNCTION pg_temp.same(query text, pattern text, expected text, description text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	plan text := pg_temp.plan_of(query);
	got text := pg_temp.outcome(query);
BEGIN
	RETURN NEXT ok(plan LIKE pattern AND got = expected AND got NOT LIKE 'ERROR%', description);
	IF plan NOT LIKE pattern THEN
		RETURN NEXT diag(format(E'the plan is not like %s:\n%s', pattern, plan));
	END IF;
	IF got <> expected OR got LIKE 'ERROR%' THEN
		RETURN NEXT diag(format(E'seed %s, %s\ngot:      %s\nexpected: %s', current_setting('test.seed'), query, left(got, 500), left(expected, 500)));
	END IF;
END $$;

-- Passes if two queries have the same rows, the other without parallelism
CREATE FUNCTION pg_temp.alike(query text, serial_query text, description text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	got text := pg_temp.outcome(query);
	expected text := pg_temp.serial(serial_query);
BEGIN
	RETURN NEXT ok(got = expected AND got NOT LIKE 'ERROR%', description);
	IF got <> expected OR got LIKE 'ERROR%' THEN
		RETURN NEXT diag(format(E'seed %s, %s\ngot:      %s\nexpected: %s', current_setting('test.seed'), query, left(got, 500), left(expected, 500)));
	END IF;
END $$;

-- The same in all parallel plans: with and without the leader, by hash and sort
CREATE FUNCTION pg_temp.parallel_same(query text, description text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	expected text := pg_temp.serial(query);
	leader text;
	hash text;
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', '4', true);
	FOREACH leader IN ARRAY ARRAY['on', 'off'] LOOP
		FOREACH hash IN ARRAY ARRAY['on', 'off'] LOOP
			CONTINUE WHEN query NOT LIKE '%GROUP BY%' AND hash = 'off';
			PERFORM set_config('parallel_leader_participation', leader, true), set_config('enable_hashagg', hash, true),
					set_config('enable_sort', CASE hash WHEN 'on' THEN 'off' ELSE 'on' END, true);
			RETURN QUERY SELECT pg_temp.same(query, CASE WHEN query NOT LIKE '%GROUP BY%' THEN '%Gather%Partial Aggregate%'
														 WHEN hash = 'on' THEN '%Partial HashAggregate%'
														 ELSE '%Partial GroupAggregate%' END,
											 expected, format('%s (leader %s, hash %s)', description, leader, hash));
		END LOOP;
	END LOOP;
	PERFORM set_config('enable_hashagg', 'on', true), set_config('enable_sort', 'on', true);
END $$;

-- ----------
-- Tables for several workers. Their first pages have no fractions, so that
-- workers differ in scale.
-- ----------

-- 280,000 samples of 20,000 instants, one value each: each of four workers has
-- more than a state holds without compaction (65,536). "odd" instants are rarely
-- the same, and do not fit the packed form
CREATE TABLE sample AS
SELECT id, (k % 7)::int AS pool, id % 2000 AS consumer,
	   CASE WHEN id % 50 = 0 THEN NULL WHEN k = 77 THEN '-infinity' WHEN k = 78 THEN 'infinity' ELSE '2026-01-01'::timestamptz + k * interval '90 seconds' END AS at,
	   CASE WHEN id % 50 = 1 THEN NULL WHEN k % 11 = 3 THEN 0 WHEN id < 100000 THEN k % 100 ELSE (k % 100)::numeric * 1.000 END
	   + CASE WHEN k % 20000 > 8000 THEN k * 0.00001 ELSE 0 END AS value,
	   '1900-01-01'::timestamptz + id * interval '13579.000003 seconds' AS odd_at
FROM (SELECT id, CASE WHEN id < 60000 THEN floor(random() * 8000)::int ELSE floor(random() * 20000)::int END AS k
	  FROM generate_series(1, 280000) AS id) AS random_instants;
ALTER TABLE sample SET (parallel_workers = 4);
ANALYZE sample;

-- 90,000 leases of whole numbers; for decay, of fractions too
CREATE TABLE lease AS
SELECT id, (id % 7)::int AS pool, id % 2000 AS consumer,
	   CASE WHEN id % 50 = 0 THEN NULL WHEN id % 50 = 1 THEN 'empty'
			ELSE tstzrange(CASE WHEN id % 503 <> 5 THEN a END, CASE WHEN id % 501 <> 7 THEN a + floor(random() * 200)::int * interval '15 minutes' END,
						   (ARRAY['[)', '[]', '(]'])[1 + id % 3]) END AS period,
	   CASE WHEN id % 50 <> 2 THEN floor(random() * 100)::int - 20 END AS quantity,
	   CASE WHEN id % 50 <> 3 THEN (ARRAY[1, -1])[1 + id % 2] * floor(random() * 9000000000000)::bigint END AS large,
	   CASE WHEN id % 50 <> 4 THEN CASE WHEN id < 20000 THEN floor(random() * 100)::numeric ELSE floor(random() * 1000000)::numeric / 1000000 END END AS fraction
FROM (SELECT id, '2026-01-01'::timestamptz + floor(random() * 8640)::int * interval '15 minutes' AS a FROM generate_series(1, 90000) AS id) AS l;
ALTER TABLE lease SET (parallel_workers = 4);
ANALYZE lease;

-- 3,000 profiles of some 20 steps, whole and not; and others of few, none and unknown
CREATE TABLE demand AS
SELECT id / 30 AS id, id / 30 % 5 AS pool, load_profile(period, CASE WHEN id < 40000 THEN quantity ELSE fraction END) AS load
FROM lease GROUP BY id / 30;
INSERT INTO demand SELECT 10000 + i, 9, NULL FROM generate_series(1, 500) AS i;
INSERT INTO demand SELECT 20000 + i, i % 5, '{}' FROM generate_series(1, 500) AS i;
INSERT INTO demand SELECT 30000 + i, i % 5, profile(tstzrange('2026-02-01'::timestamptz + i * interval '1 hour', '2026-03-01'::timestamptz + i * interval '1 hour'), i - 250) FROM generate_series(1, 500) AS i;
ALTER TABLE demand SET (parallel_workers = 4);
ANALYZE demand;

-- ----------
-- The serial answers are right, first of all
-- ----------
SELECT is((SELECT gauge_profile(at, value)::text FROM sample),
		  (WITH d AS (SELECT DISTINCT at, trim_scale(value) AS value FROM sample WHERE at < 'infinity' AND value IS NOT NULL),
				s AS (SELECT at, value, lag(value, 1, 0::numeric) OVER (ORDER BY at) AS previous FROM d)
		   SELECT '{' || string_agg(format('"%s": %s', at, value), ', ' ORDER BY at) || '}' FROM s WHERE value <> previous),
		  'serial gauge_profile of 280,000 samples is right');
SELECT is((SELECT gauge_profile(odd_at, value)::text FROM sample),
		  (WITH s AS (SELECT odd_at AS at, trim_scale(value) AS value, lag(value, 1, 0::numeric) OVER (ORDER BY odd_at) AS previous FROM sample WHERE value IS NOT NULL)
		   SELECT '{' || string_agg(format('"%s": %s', at, value), ', ' ORDER BY at) || '}' FROM s WHERE value <> previous),
		  'serial gauge_profile of 280,000 instants is right');
-- the pieces of all, at every 100th instant where one of them steps
CREATE TABLE probe AS
SELECT DISTINCT at FROM (SELECT lower(period) AS at, row_number() OVER (ORDER BY period) AS r FROM demand, steps(load)) AS s WHERE r % 100 = 1 AND at IS NOT NULL;
SELECT is(array_agg(ARRAY[value_at(largest, at), value_at(least, at)] ORDER BY at),
		  (SELECT array_agg(v ORDER BY at) FROM (SELECT at, ARRAY[max(value_at(load, at)), min(value_at(load, at))] AS v FROM demand, probe GROUP BY at) AS p),
		  'serial max and min of 4,500 profiles are right')
FROM probe, (SELECT max(load) AS largest, min(load) AS least FROM demand) AS m;
\set ln2 0.69314718055994530941723212145817656807550013436026
SELECT ok(abs(decayed(period, fraction, '7 days', '2026-03-01') * 3600
			  - sum(coalesce(fraction * 604800 / :ln2 * (exp(round(-e / 604800 * :ln2, 40)) - CASE WHEN lower_inf(period) THEN 0 ELSE exp(round(-s / 604800 * :ln2, 40)) END), 0))) < 0.000000001 * count(*),
		  'serial decayed of 90,000 leases is right')
FROM (SELECT period, fraction,
			 CASE WHEN NOT isempty(period) AND (lower_inf(period) OR lower(period) < '2026-03-01') THEN
				 extract(epoch FROM '2026-03-01'::timestamptz - least('2026-03-01', CASE WHEN upper_inc(period) THEN upper(period) + interval '1 microsecond' ELSE upper(period) END)) END AS e,
			 CASE WHEN NOT isempty(period) THEN
				 extract(epoch FROM '2026-03-01'::timestamptz - CASE WHEN lower_inc(period) THEN lower(period) ELSE lower(period) + interval '1 microsecond' END) END AS s
	  FROM lease WHERE fraction IS NOT NULL AND period IS NOT NULL) AS l;
SELECT is(ARRAY[load_profile(period, quantity), load_profile(period, large), load_profile(period, quantity::bigint)],
		  ARRAY[load_profile(period, quantity::numeric), load_profile(period, large::numeric), load_profile(period, quantity::numeric)], 'serial load_profile of whole numbers is that of numeric') FROM lease;
SELECT is(ARRAY[unit_hours(period, quantity, w), unit_hours(period, large, w), unit_hours(period, quantity::bigint, w)],
		  ARRAY[unit_hours(period, quantity::numeric, w), unit_hours(period, large::numeric, w), unit_hours(period, quantity::numeric, w)], 'serial unit_hours of whole numbers is that of numeric')
FROM lease, (VALUES ('[2026-01-07,2026-03-17)'::tstzrange)) AS v(w);

-- ----------
-- Parallel
-- ----------
SELECT pg_temp.parallel_same('SELECT profile_send(gauge_profile(at, value)) FROM sample', 'gauge_profile');
SELECT pg_temp.parallel_same('SELECT profile_send(gauge_profile(odd_at, value)) FROM sample', 'gauge_profile, no ties');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(gauge_profile(at, value)) FROM sample GROUP BY pool', 'gauge_profile by pool');
SELECT pg_temp.parallel_same('SELECT profile_send(max(load)) AS largest, profile_send(min(load)) AS least FROM demand', 'max and min');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(max(load)) AS largest, profile_send(min(load)) AS least FROM demand GROUP BY pool', 'max and min by pool');
SELECT pg_temp.parallel_same($$SELECT decayed(period, fraction, '7 days', '2026-03-01') FROM lease$$, 'decayed');
SELECT pg_temp.parallel_same($$SELECT pool, decayed(period, fraction, '36:00:00.000001', '2026-03-01 00:00:00.000001') FROM lease GROUP BY pool$$, 'decayed by pool');
SELECT pg_temp.parallel_same($$SELECT profile_send(load_profile(period, quantity)) AS i, profile_send(load_profile(period, large)) AS b,
	unit_hours(period, quantity, '[2026-01-07,2026-03-17)') AS ih, unit_hours(period, large, '[2026-01-07,2026-03-17)') AS bh FROM lease$$, 'of whole numbers');
SELECT pg_temp.parallel_same($$SELECT pool, profile_send(load_profile(period, quantity)) AS i, profile_send(load_profile(period, large)) AS b,
	unit_hours(period, quantity, '[2026-01-07,2026-03-17)') AS ih, unit_hours(period, large, '[2026-01-07,2026-03-17)') AS bh FROM lease GROUP BY pool$$, 'of whole numbers by pool');
SELECT pg_temp.parallel_same($$SELECT profile_send(load_profile(period, quantity) FILTER (WHERE id % 3 = 0)) AS l, profile_send(max(profile(period, large)) FILTER (WHERE id % 5 = 0)) AS m,
	decayed(period, fraction, '1 day', '2026-03-01') FILTER (WHERE id > 50000) AS d, unit_hours(period, large, '[2026-01-07,2026-03-17)') FILTER (WHERE id = 77) AS h,
	profile_send(gauge_profile(lower(period), 1) FILTER (WHERE false)) AS g, profile_send(gauge_profile(upper(period), id) FILTER (WHERE id = 4321)) AS one FROM lease$$, 'with FILTER');
SELECT pg_temp.parallel_same($$SELECT consumer, profile_send(load_profile(period, quantity)), decayed(period, fraction, '1 day', '2026-03-01'), profile_send(min(profile(period, fraction))), profile_send(gauge_profile(upper(period), 7)) FROM lease GROUP BY consumer$$, 'thousands of groups');

-- workers did take part
SELECT set_config('parallel_leader_participation', 'off', true), set_config('max_parallel_workers_per_gather', '4', true) \g /dev/null
SELECT matches(pg_temp.plan_of(query, 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF'), 'Workers Launched: [1-9]', 'workers were launched: ' || query)
FROM (VALUES ('SELECT gauge_profile(at, value) FROM sample'), ('SELECT max(load) FROM demand'), ('SELECT min(load) FROM demand'),
			 ('SELECT decayed(period, fraction, ''1 day'', ''2026-03-01'') FROM lease'), ('SELECT load_profile(period, quantity) FROM lease'), ('SELECT load_profile(period, large) FROM lease'),
			 ('SELECT unit_hours(period, quantity, ''[2026-01-07,2026-03-17)'') FROM lease'), ('SELECT unit_hours(period, large, ''[2026-01-07,2026-03-17)'') FROM lease')) AS v(query);

-- two levels in one query
SELECT pg_temp.same('SELECT profile_send(max(largest)) AS largest, profile_send(min(least)) AS least FROM (SELECT max(load) AS largest, min(load) AS least FROM demand GROUP BY pool) AS pool',
					'%Partial %', pg_temp.serial('SELECT profile_send(max(load)) AS largest, profile_send(min(load)) AS least FROM demand'), 'max of max by pool');

-- groups by hash that do not fit in memory
SET LOCAL work_mem = '64kB';
SELECT pg_temp.parallel_same('SELECT consumer, profile_send(gauge_profile(at, value)), profile_send(max(profile(tstzrange(odd_at, odd_at + ''2 days''), value))) FROM sample WHERE id < 60000 GROUP BY consumer', 'more groups than fit in memory');
RESET work_mem;

-- ----------
-- Workers with little or nothing to do
-- ----------
CREATE TABLE little AS SELECT * FROM lease WHERE id <= 5000;
ALTER TABLE little SET (parallel_workers = 4);
ANALYZE little;
\set all_of_them 'SELECT profile_send(gauge_profile(lower(period), 1)) AS g, profile_send(max(profile(period, fraction))) AS x, profile_send(min(profile(period, fraction))) AS n, decayed(period, fraction, ''1 day'', ''2026-03-01'') AS d, profile_send(load_profile(period, quantity)) AS i, profile_send(load_profile(period, large)) AS b, unit_hours(period, quantity, ''[2026-01-07,2026-03-17)'') AS ih, unit_hours(period, large, ''[2026-01-07,2026-03-17)'') AS bh FROM little'

-- (id % 1 = 1) is never true, and the planner does not know it
SELECT pg_temp.parallel_same(:'all_of_them' || ' WHERE id % 1 = 1', 'no rows');
SELECT is(pg_temp.serial(:'all_of_them' || ' WHERE id % 1 = 1'), '(,,,,,,,)', 'no rows: NULL');
SELECT pg_temp.parallel_same(replace(:'all_of_them', 'little', 'lease') || ' WHERE id % 1 = 1 GROUP BY pool', 'no rows, no groups');

-- three rows, and the planner expects more
DELETE FROM little WHERE id NOT IN (1009, 3028, 4567);
SELECT pg_temp.parallel_same(:'all_of_them', 'more workers than rows');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'more workers than rows, by pool');
DELETE FROM little;
SELECT pg_temp.parallel_same(:'all_of_them', 'an empty table');
SELECT is(pg_temp.serial(:'all_of_them'), '(,,,,,,,)', 'an empty table: NULL');
TRUNCATE little;

INSERT INTO little (id, pool, period, quantity, large, fraction)
SELECT i, i % 3, NULL, 1, 1, 1 FROM generate_series(1, 2500) AS i UNION ALL SELECT i, i % 3, 'empty'::tstzrange, NULL, NULL, NULL FROM generate_series(2501, 5000) AS i;
ANALYZE little;
SELECT pg_temp.parallel_same(:'all_of_them', 'nothing but NULL');
SELECT is(pg_temp.serial(:'all_of_them'), '(,,,,,,,)', 'nothing but NULL: NULL');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'nothing but NULL by pool');

-- one row with a value, in the last page: one worker has it, the others have none
INSERT INTO little (id, pool, period, quantity, large, fraction) VALUES (5001, 7, '[2026-02-01,2026-02-02)', 3, 3, 3);
SELECT pg_temp.parallel_same(:'all_of_them', 'one row among NULLs');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'one group in one worker');
SELECT is(pg_temp.serial('SELECT gauge_profile(lower(period), fraction)::text, (max(profile(period, quantity)) = min(profile(period, large)))::text FROM little'),
		  '("{""2026-02-01 00:00:00+00"": 3}",true)', 'one row among NULLs counts');

TRUNCATE little;
INSERT INTO little (id, pool, period, quantity, large, fraction)
SELECT i, i % 3, CASE i % 2 WHEN 0 THEN 'empty' ELSE tstzrange('[2026-02-01,2026-02-02)') END, i % 2 * 0, i % 2 * 0, i % 2 * 0 FROM generate_series(1, 5000) AS i;
ANALYZE little;
SELECT pg_temp.parallel_same(replace(:'all_of_them', 'gauge_profile(lower(period), 1)', 'gauge_profile(coalesce(lower(period), ''infinity''), 0)'), 'nothing but empty periods and zero');
SELECT is(pg_temp.serial('SELECT gauge_profile(coalesce(lower(period), ''infinity''), 0) AS g, max(profile(period, fraction)) AS x, decayed(period, fraction, ''1 day'', ''2026-03-01'') = 0 AS d, load_profile(period, large) AS b FROM little'),
		  '({},{},t,{})', 'nothing but empty periods and zero: {}');

-- any plan in a worker
SELECT set_config(:'debug_parallel_query', 'regress', true) \g /dev/null
SELECT pg_temp.alike(query,
	query,
	'functions in a worker: ' || query)
FROM (VALUES ('SELECT id, load * 0.5 AS a, -load AS b, pointwise_min(load, profile(10)) AS c, positive_part(load) AS d, clip(load, ''[2026-02-01,2026-02-15)'') AS e, shift(load, ''7 days'') AS f FROM demand WHERE id % 9 = 0'),
			 ('SELECT id, trough(load) AS a, quantile(load, ''[2026-01-01,2026-04-01)'', 0.95) AS b, duration_above(load, 30, ''[2026-01-01,2026-04-01)'') AS c, earliest_fit(load, 20, ''1 hour'', ''[2026-02-01,)'', 2) AS d, sparkline(load, ''[2026-01-01,2026-04-01)'', 10) AS e FROM demand WHERE id % 9 = 0'),
			 ('SELECT id, b.* FROM demand, buckets(load, ''[2026-03-27,2026-04-01)'', ''1 day'', ''Europe/Berlin'') AS b WHERE id % 99 = 0'),
			 ('SELECT id, repeat(load, ''1 week'', ''[2026-03-27,2026-04-21)'', ''Europe/Berlin'') AS r, load::jsonb AS j FROM demand WHERE id % 9 = 0')) AS v(query);
SELECT set_config(:'debug_parallel_query', 'off', true) \g /dev/null

-- errors of workers
CREATE TABLE conflict AS SELECT id, CASE WHEN id IN (54321, 234567) THEN '2020-01-01' ELSE at END AS at, CASE WHEN id IN (54321, 234567) THEN id ELSE value END AS value FROM sample;
ALTER TABLE conflict SET (parallel_workers = 4);
ANALYZE conflict;
SELECT is(pg_temp.outcome('SELECT gauge_profile(at, value) FROM conflict'), 'ERROR 21000', 'two values at one instant, in two workers: 21000');
SELECT is(pg_temp.outcome($$SELECT decayed(period, fraction, '1 day', CASE WHEN id = 54321 THEN '2026-03-02'::timestamptz ELSE '2026-03-01' END) FROM lease$$), 'ERROR 22023', 'instants that differ between workers: 22023');
SELECT is(pg_temp.outcome($$SELECT decayed(period, fraction, CASE WHEN id < 45000 THEN interval '1 day' ELSE '2 days' END, '2026-03-01') FROM lease$$), 'ERROR 22023', 'half-lives that differ between workers: 22023');
SELECT is(pg_temp.outcome('SELECT load_profile(period, large * 1000000 / 2 * 2) FROM lease WHERE large > 0'), 'ERROR 22003', 'out of range in a worker: 22003');
SELECT is(pg_temp.outcome('SELECT unit_hours(period, quantity, ''(,)'') FROM lease'), 'ERROR 22003', 'infinite unit-hours in a worker: 22003');

-- ----------
-- Partition-wise, without workers: partial aggregates all the same
-- ----------
CREATE TABLE part (part int, LIKE lease) PARTITION BY LIST (part);
CREATE TABLE part_0 PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3);
INSERT INTO part SELECT CASE WHEN id < 10000 THEN 0 WHEN id < 20001 THEN 1 ELSE 2 END, * FROM lease WHERE id < 40000;
ANALYZE part;

CREATE FUNCTION pg_temp.partitionwise_same(query text, description text) RETURNS SETOF text
LANGUAGE plpgsql
SET enable_partitionwise_aggregate = on AS $$
DECLARE
	expected text := pg_temp.serial(query);
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', '0', true);
	RETURN QUERY SELECT pg_temp.same(query, '%Finalize%Append%Partial %', expected, description || ' partition-wise');
	PERFORM set_config('max_parallel_workers_per_gather', '4', true);
	RETURN QUERY SELECT pg_temp.same(query, '%Finalize%Append%Partial %', expected, description || ' partition-wise and parallel');
END $$;

SELECT replace(:'all_of_them', 'little', 'part') AS all_of_them \gset
SELECT pg_temp.partitionwise_same(:'all_of_them', 'all rows');
SELECT pg_temp.partitionwise_same(replace(:'all_of_them', 'SELECT', 'SELECT pool,') || ' GROUP BY pool', 'by pool');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE part >= 2', 'with an empty partition');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE id % 40000 = 12345', 'a row in one partition');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE id % 1 = 1', 'no rows');

-- whole groups in each partition
SET LOCAL enable_partitionwise_aggregate = on;
SELECT pg_temp.same(:'all_of_them' || ' GROUP BY part', '%Append%Aggregate%', pg_temp.serial(:'all_of_them' || ' GROUP BY part'), 'by partition');

-- Partitions make the order certain: each is summed up by itself, then their sums are
CREATE FUNCTION pg_temp.parts(VARIADIC quantities text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE part;
	INSERT INTO part (part, id, pool, period, fraction)
	SELECT p - 1, i, 1, tstzrange(t, t + interval '1 day'), nullif(split_part(q.quantity, '@', 1), '')::numeric
	FROM unnest(quantities) WITH ORDINALITY AS list(list, p), regexp_split_to_table(list, ', *') WITH ORDINALITY AS q(quantity, i),
		 LATERAL (SELECT '2026-02-01'::timestamptz + (split_part(q.quantity, '@', 2) || ' days')::interval AS t) AS at;
	-- rows that do not count, so that the planner takes the trouble
	INSERT INTO part (part) SELECT i % 4 FROM generate_series(1, 2000) AS i;
	ANALYZE part;
END $$;
\set in_parts 'SELECT gauge_profile(lower(period), fraction)::text AS g, max(profile(period, fraction))::text AS x, min(profile(period, fraction))::text AS n FROM part'
\set in_order 'SELECT gauge_profile(lower(period), fraction ORDER BY part, id)::text AS g, max(profile(period, fraction) ORDER BY part, id)::text AS x, min(profile(period, fraction) ORDER BY part, id)::text AS n FROM part'
\set in_reverse 'SELECT gauge_profile(lower(period), fraction ORDER BY part DESC, id DESC)::text AS g, max(profile(period, fraction) ORDER BY part DESC, id DESC)::text AS x, min(profile(period, fraction) ORDER BY part DESC, id DESC)::text AS n FROM part'
CREATE FUNCTION pg_temp.all_same(in_parts text, in_order text, in_reverse text, expected text, description text) RETURNS SETOF text
LANGUAGE plpgsql
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	plan text;
	given text[];
BEGIN
	PERFORM set_config('enable_partitionwise_aggregate', 'on', true);
	plan := pg_temp.plan_of(in_parts);
	given := ARRAY[pg_temp.serial(in_parts), pg_temp.outcome(in_parts), pg_temp.outcome(in_order), pg_temp.outcome(in_reverse)];
	RETURN NEXT ok(plan LIKE '%Finalize%Append%Partial %' AND given = array_fill(expected, ARRAY[4]), description);
	IF given <> array_fill(expected, ARRAY[4]) THEN
		RETURN NEXT diag(format(E'expected: %s\nserial: %s\npartition-wise: %s\nin order: %s\nin reverse: %s', expected, given[1], given[2], given[3], given[4]));
	END IF;
END $$;
SELECT pg_temp.parts('5@0, 7@2', '0.25@1, 7.00@2', '0@4, 5.000@0') \g /dev/null
SELECT pg_temp.all_same(:'in_parts', :'in_order', :'in_reverse',
	'("{""2026-02-01 00:00:00+00"": 5, ""2026-02-02 00:00:00+00"": 0.25, ""2026-02-03 00:00:00+00"": 7, ""2026-02-05 00:00:00+00"": 0}","{""2026-02-01 00:00:00+00"": 5, ""2026-02-02 00:00:00+00"": 0.25, ""2026-02-03 00:00:00+00"": 7, ""2026-02-04 00:00:00+00"": 0}",{})',
	'fractions that come later, and the same again');
SELECT pg_temp.parts('9223372036854775807@0', '-9223372036854775807@1', '1@2') \g /dev/null
SELECT pg_temp.all_same(:'in_parts', :'in_order', :'in_reverse',
	'("{""2026-02-01 00:00:00+00"": 9223372036854775807, ""2026-02-02 00:00:00+00"": -9223372036854775807, ""2026-02-03 00:00:00+00"": 1}","{""2026-02-01 00:00:00+00"": 9223372036854775807, ""2026-02-02 00:00:00+00"": 0, ""2026-02-03 00:00:00+00"": 1, ""2026-02-04 00:00:00+00"": 0}","{""2026-02-02 00:00:00+00"": -9223372036854775807, ""2026-02-03 00:00:00+00"": 0}")',
	'the largest numbers there are');
SELECT pg_temp.parts('5@0', '6@0') \g /dev/null
SELECT pg_temp.all_same(replace(:'in_parts', '''x''', '''x'''), :'in_order', :'in_reverse', 'ERROR 21000', 'two values at one instant, in two partitions');
SELECT pg_temp.parts('1e18@0', '0.1@5') \g /dev/null
SELECT pg_temp.all_same(:'in_parts', :'in_order', :'in_reverse', 'ERROR 22003', 'scales that do not go together');
-- even if the result has only one of them, or else it would depend on the order
SELECT pg_temp.parts('1e18@0, 0@9', '0.1@5', '1@5') \g /dev/null
SELECT pg_temp.all_same('SELECT max(profile(period, fraction))::text FROM part', 'SELECT max(profile(period, fraction) ORDER BY part, id)::text FROM part', 'SELECT max(profile(period, fraction) ORDER BY part DESC, id DESC)::text FROM part',
	'ERROR 22003', 'a fraction that another profile covers');
SELECT pg_temp.all_same('SELECT min(profile(period, fraction))::text FROM part', 'SELECT min(profile(period, fraction) ORDER BY part, id)::text FROM part', 'SELECT min(profile(period, fraction) ORDER BY part DESC, id DESC)::text FROM part',
	'ERROR 22003', 'a fraction and a large number that are nowhere the least');

-- ----------
-- Other forms of aggregation
-- ----------
SELECT set_config('max_parallel_workers_per_gather', '4', true) \g /dev/null
SELECT pg_temp.alike('SELECT profile_send(gauge_profile(DISTINCT at, value)), profile_send(gauge_profile(at, value ORDER BY value DESC)) FROM sample',
	'SELECT profile_send(gauge_profile(at, value)), profile_send(gauge_profile(at, value)) FROM sample',
	'gauge_profile with DISTINCT and ORDER BY');
SELECT pg_temp.alike('SELECT profile_send(max(DISTINCT load)), profile_send(min(load ORDER BY load)), profile_send(max(load ORDER BY id DESC)) FROM demand',
	'SELECT profile_send(max(load)), profile_send(min(load)), profile_send(max(load)) FROM demand',
	'max and min with DISTINCT and ORDER BY');
SELECT pg_temp.alike($$SELECT decayed(period, fraction, '7 days', '2026-03-01' ORDER BY fraction), load_profile(DISTINCT period, quantity), unit_hours(period, large, '[2026-01-07,2026-03-17)' ORDER BY large) FROM lease$$,
	$$SELECT decayed(period, fraction, '7 days', '2026-03-01'), (SELECT load_profile(period, quantity) FROM (SELECT DISTINCT period, quantity FROM lease) AS d), unit_hours(period, large, '[2026-01-07,2026-03-17)') FROM lease$$,
	'decayed and whole numbers with DISTINCT and ORDER BY');
SELECT pg_temp.alike($$SELECT pool, half, profile_send(max(load)), profile_send(min(load)) FROM (SELECT *, id % 2 AS half FROM demand) AS d GROUP BY GROUPING SETS ((pool), (half), ())$$,
	'SELECT pool, NULL::int AS half, profile_send(max(load)), profile_send(min(load)) FROM demand GROUP BY pool
				UNION ALL SELECT NULL, id % 2, profile_send(max(load)), profile_send(min(load)) FROM demand GROUP BY id % 2
				UNION ALL SELECT NULL, NULL, profile_send(max(load)), profile_send(min(load)) FROM demand',
	'GROUPING SETS');

-- as window functions: every row, from the rows up to it
CREATE TABLE few AS SELECT id, pool, period, quantity, large, fraction, profile(period, fraction) AS load, '2026-01-01'::timestamptz + id % 40 * interval '1 day' AS at, id % 40 AS value
FROM lease WHERE id % 400 = 7 OR id < 30;
ANALYZE few;
\set calls 'profile_send(gauge_profile(at, value) OVER w), profile_send(max(load) OVER w), profile_send(min(load) OVER w), decayed(period, fraction, ''1 day'', ''2026-03-01'') OVER w, profile_send(load_profile(period, quantity) OVER w), profile_send(load_profile(period, large) OVER w), unit_hours(period, quantity, ''[2026-01-07,2026-03-17)'') OVER w, unit_hours(period, large, ''[2026-01-07,2026-03-17)'') OVER w'
SELECT pg_temp.alike('SELECT id, ' || :'calls' || ' FROM few WINDOW w AS (ORDER BY id)',
	'SELECT f.id, a.* FROM few AS f, LATERAL (SELECT ' || replace(:'calls', ' OVER w', '') || ' FROM few WHERE few.id <= f.id) AS a',
	'OVER (ORDER BY …)');
SELECT pg_temp.alike('SELECT id, ' || :'calls' || ' FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS few WINDOW w AS (ORDER BY r ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)',
	'SELECT f.id, a.* FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS f, LATERAL (SELECT ' || replace(:'calls', ' OVER w', '') ||
						 ' FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS few WHERE few.r BETWEEN f.r - 3 AND f.r + 2) AS a',
	'OVER (ROWS BETWEEN …)');
SELECT pg_temp.alike('SELECT id, ' || :'calls' || ' FROM few WINDOW w AS (PARTITION BY pool)',
	'SELECT f.id, a.* FROM few AS f, LATERAL (SELECT ' || replace(:'calls', ' OVER w', '') || ' FROM few WHERE few.pool = f.pool) AS a',
	'OVER (PARTITION BY …)');

-- The final functions leave the state as it is: aggregates may share it
SELECT pg_temp.alike('SELECT pool, max(load) = max(load), trough(max(load)), peak(min(load)), profile_send(max(load)) FROM demand GROUP BY pool',
	'SELECT pool, CASE WHEN m IS NOT NULL THEN true END, trough(m), peak(n), profile_send(m) FROM (SELECT pool, max(load) AS m, min(load) AS n FROM demand GROUP BY pool) AS p',
	'one state, several uses');
SELECT pg_temp.alike('SELECT pool, gauge_profile(at, value) = gauge_profile(at, value), peak(gauge_profile(at, value)) FROM sample GROUP BY pool',
	'SELECT pool, true, peak(g) FROM (SELECT pool, gauge_profile(at, value) AS g FROM sample GROUP BY pool) AS p',
	'one gauge, several uses');

-- in no order of rows is it another
SELECT is(count(DISTINCT profile_send(g) || profile_send(x) || profile_send(n) || d::text::bytea), 1::bigint, '100 orders of rows, one answer')
FROM (SELECT i, gauge_profile(at, value) AS g, max(load) AS x, min(load) AS n, decayed(period, fraction, '1 day', '2026-03-01') AS d
	  FROM (SELECT i, few.* FROM generate_series(1, 100) AS i, few ORDER BY random()) AS s GROUP BY i) AS a;

SELECT * FROM finish();
ROLLBACK;
