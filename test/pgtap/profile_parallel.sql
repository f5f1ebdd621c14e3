-- profile_parallel.sql
--		The aggregates over quantities in time give the same bytes in every plan:
--		serial, parallel, partition-wise, as windows.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260101
\endif

BEGIN;
SELECT plan(140);
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.seed', :'seed', true) \g /dev/null

-- workers cannot see temporary tables
CREATE SCHEMA profile_parallel;
SET LOCAL search_path = profile_parallel, sharecollab, public;

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

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
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
	EXECUTE format('CREATE TABLE outcome AS %s', query);
	SELECT string_agg(o::text, E'\n' ORDER BY o::text) INTO result FROM outcome AS o;
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

-- Passes if a query has the same outcome as another one has without parallelism
CREATE FUNCTION pg_temp.agree(query text, serial_query text, description text) RETURNS SETOF text
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
-- A table for several workers: 150,000 leases, so that four of them have more
-- events each than a state holds without compaction (65,536). Its pages differ
-- in scale, so that workers do. With many ties (a quarter of an hour for three
-- months), and, in other columns, with hardly any.
-- ----------
CREATE TABLE lease AS
SELECT id, CASE WHEN id % 1000 = 999 THEN -1 ELSE (id % 7)::int END AS pool, id % 2000 AS consumer,
	   CASE WHEN id % 50 = 0 THEN NULL WHEN id % 50 = 1 THEN 'empty'
			ELSE tstzrange(a, CASE WHEN id % 501 = 7 THEN NULL ELSE a + floor(random() * 200)::int * interval '15 minutes' END)
	   END AS period,
	   CASE WHEN id % 50 = 2 THEN NULL
			WHEN id < 20000 THEN floor(random() * 100)::numeric
			WHEN id < 40000 THEN floor(random() * 1000)::numeric / 100
			WHEN id < 60000 THEN floor(random() * 1000000)::numeric - 500000
			WHEN id < 80000 THEN floor(random() * 1000000)::numeric / 1000000
			ELSE floor(random() * 40)::numeric / 8 END AS quantity,
	   tstzrange(b, b + make_interval(secs => random() * 1e8), '[]') AS odd_period
FROM (SELECT id, '2026-01-01'::timestamptz + floor(random() * 8640)::int * interval '15 minutes' AS a,
			 '2000-01-01'::timestamptz + make_interval(secs => random() * 1e9) AS b
	  FROM generate_series(1, 150000) AS id) AS random_instants;
ALTER TABLE lease SET (parallel_workers = 4);
ANALYZE lease;

-- ----------
-- The serial answers are right, first of all
-- ----------
SELECT pg_temp.outcome($$
	WITH event AS (
		SELECT at, sum(change) AS change
		FROM (SELECT lower(period) AS at, quantity AS change FROM lease WHERE quantity IS NOT NULL AND NOT isempty(period)
			  UNION ALL
			  SELECT upper(period), -quantity FROM lease WHERE quantity IS NOT NULL AND NOT isempty(period)) AS e
		WHERE at IS NOT NULL GROUP BY at
	), total AS (
		SELECT at, sum(change) OVER (ORDER BY at) AS value FROM event WHERE change <> 0
	)
	SELECT '{' || string_agg(format('"%s": %s', at, trim_scale(value)), ', ' ORDER BY at) || '}' FROM total
$$) = pg_temp.serial('SELECT load_profile(period, quantity)::text FROM lease') AS many_ties,
pg_temp.outcome($$
	WITH event AS (
		SELECT at, sum(change) AS change
		FROM (SELECT lower(odd_period) AS at, quantity AS change FROM lease WHERE quantity IS NOT NULL
			  UNION ALL
			  SELECT upper(odd_period) + interval '1 microsecond', -quantity FROM lease WHERE quantity IS NOT NULL) AS e
		GROUP BY at
	), total AS (
		SELECT at, sum(change) OVER (ORDER BY at) AS value FROM event WHERE change <> 0
	)
	SELECT '{' || string_agg(format('"%s": %s', at, trim_scale(value)), ', ' ORDER BY at) || '}' FROM total
$$) = pg_temp.serial('SELECT load_profile(odd_period, quantity)::text FROM lease') AS few_ties \gset
SELECT ok(:'many_ties', 'serial load_profile of 280,000 events at 9,000 instants is right');
SELECT ok(:'few_ties', 'serial load_profile of 280,000 events at as many instants is right');

-- ----------
-- Parallel
-- ----------
SELECT pg_temp.parallel_same('SELECT profile_send(load_profile(period, quantity)) FROM lease', 'load_profile');
SELECT pg_temp.parallel_same('SELECT profile_send(load_profile(odd_period, quantity)) FROM lease', 'load_profile, few ties');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(load_profile(period, quantity)) FROM lease GROUP BY pool', 'load_profile by pool');
SELECT pg_temp.parallel_same($$SELECT unit_hours(period, quantity, '[2026-01-07,2026-03-17 00:00:00.000001)') FROM lease$$, 'unit_hours');
SELECT pg_temp.parallel_same($$SELECT pool, unit_hours(period, quantity, '[2026-01-07,2026-03-17 00:00:00.000001)') FROM lease GROUP BY pool$$, 'unit_hours by pool');
SELECT pg_temp.parallel_same($$SELECT utilization(period, quantity, 123456.7, '(2026-01-07,2026-03-17 00:00:00.000001)') FROM lease$$, 'utilization');
SELECT pg_temp.parallel_same($$SELECT pool, utilization(period, quantity, pool + 2, '(2026-01-07,2026-03-17 00:00:00.000001)') FROM lease GROUP BY pool$$, 'utilization by pool');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(load_profile(period, id)) AS int8, profile_send(load_profile(period, pool)) AS int4, unit_hours(period, id, ''[2026-01-07,2026-03-17)'') AS hours8, unit_hours(period, pool, ''[2026-01-07,2026-03-17)'') AS hours4 FROM lease GROUP BY pool', 'whole numbers by pool');
SELECT pg_temp.parallel_same($$SELECT decayed(period, quantity, '7 days', '2026-03-17') FROM lease$$, 'decayed');
SELECT pg_temp.parallel_same($$SELECT pool, decayed(period, quantity, '7 days', '2026-03-17') FROM lease GROUP BY pool$$, 'decayed by pool');
SELECT pg_temp.parallel_same('SELECT profile_send(gauge_profile(lower(period), (extract(epoch FROM lower(period))::bigint / 900 % 7) * 0.125)) FROM lease', 'gauge_profile');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(gauge_profile(lower(odd_period), quantity)) FROM lease GROUP BY pool', 'gauge_profile by pool, few ties');
SELECT pg_temp.parallel_same($$SELECT profile_send(load_profile(period, quantity) FILTER (WHERE id % 3 = 0)) AS l,
	unit_hours(period, quantity, '[2026-01-07,2026-03-17)') FILTER (WHERE id > 100000),
	utilization(period, quantity, 8, '[2026-01-07,2026-03-17)') FILTER (WHERE id = 77),
	profile_send(load_profile(period, quantity) FILTER (WHERE false)) FROM lease$$, 'with FILTER');
SELECT pg_temp.parallel_same($$SELECT pool, profile_send(load_profile(period, quantity) FILTER (WHERE id % 3 = 0)) AS l,
	profile_send(load_profile(period, quantity) FILTER (WHERE id < 10)) AS m FROM lease GROUP BY pool$$, 'by pool with FILTER');
SELECT pg_temp.parallel_same('SELECT consumer, profile_send(load_profile(period, quantity)) FROM lease GROUP BY consumer', 'thousands of groups');

-- sum(profile): several hundred steps each, of different scales and units
CREATE TABLE demand AS
SELECT id / 40 AS id, id / 40 % 5 AS pool, load_profile(CASE WHEN id < 60000 THEN period ELSE odd_period END, quantity) AS load
FROM lease GROUP BY id / 40;
INSERT INTO demand SELECT 10000 + i, 9, NULL FROM generate_series(1, 500) AS i;
INSERT INTO demand SELECT 20000 + i, i % 5, '{}' FROM generate_series(1, 500) AS i;
ALTER TABLE demand SET (parallel_workers = 4);
ANALYZE demand;
SELECT is(sum(load), (SELECT load_profile(CASE WHEN id < 60000 THEN period ELSE odd_period END, quantity) FROM lease),
		  'the sum of the loads of the parts is the load of the whole') FROM demand;
SELECT pg_temp.parallel_same('SELECT profile_send(sum(load)) FROM demand', 'sum');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(sum(load)) FROM demand GROUP BY pool', 'sum by pool');
SELECT pg_temp.parallel_same('SELECT profile_send(max(load)) AS m, profile_send(min(load)) AS n FROM demand', 'max and min');
SELECT pg_temp.parallel_same('SELECT pool, profile_send(max(load)) AS m, profile_send(min(load)) AS n FROM demand GROUP BY pool', 'max and min by pool');

-- workers did take part
SELECT set_config('parallel_leader_participation', 'off', true) \g /dev/null
SELECT set_config('max_parallel_workers_per_gather', '4', true) \g /dev/null
CREATE FUNCTION pg_temp.analyzed(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;
SELECT matches(pg_temp.analyzed('SELECT load_profile(period, quantity) FROM lease'), 'Workers Launched: [1-9]', 'workers were launched');

-- two levels in one query
SELECT pg_temp.same('SELECT profile_send(sum(load)) FROM (SELECT load_profile(period, quantity) AS load FROM lease GROUP BY pool) AS pool',
					'%Partial %', pg_temp.serial('SELECT profile_send(load_profile(period, quantity)) FROM lease'), 'sum of load_profile by pool');

-- groups by hash that do not fit in memory
SET LOCAL work_mem = '64kB';
SELECT pg_temp.parallel_same('SELECT consumer, profile_send(load_profile(period, quantity)) FROM lease GROUP BY consumer', 'more groups than fit in memory');
RESET work_mem;

-- ----------
-- Workers with little or nothing to do
-- ----------
CREATE TABLE little AS SELECT * FROM lease WHERE false;
ALTER TABLE little SET (parallel_workers = 4);
\set all_of_them 'SELECT profile_send(load_profile(period, quantity)) AS l, profile_send(load_profile(period, quantity::bigint)) AS i, profile_send(sum(profile(period, quantity))) AS s, profile_send(gauge_profile(lower(period), quantity * 0)) AS g, profile_send(max(profile(period, quantity))) AS m, profile_send(min(profile(period, quantity))) AS n, unit_hours(period, quantity, ''[2026-01-07,2026-03-17)'') AS h, utilization(period, quantity, 3, ''[2026-01-07,2026-03-17)'') AS u, decayed(period, quantity, ''7 days'', ''2026-03-17'') AS d FROM little'

-- (id % 1 = 1) is never true, and the planner does not know it
INSERT INTO little SELECT * FROM lease WHERE id <= 5000;
ANALYZE little;
SELECT pg_temp.parallel_same(:'all_of_them' || ' WHERE id % 1 = 1', 'no rows');
SELECT is(pg_temp.serial(:'all_of_them' || ' WHERE id % 1 = 1'), '(,,,,,,,,)', 'no rows: NULL');
SELECT pg_temp.parallel_same(replace(:'all_of_them', 'little', 'lease') || ' WHERE id % 1 = 1 GROUP BY pool', 'no rows, no groups');

-- three rows, and the planner expects more
DELETE FROM little WHERE id NOT IN (1003, 3004, 4567);
SELECT pg_temp.parallel_same(:'all_of_them', 'more workers than rows');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'more workers than rows, by pool');
DELETE FROM little;
SELECT pg_temp.parallel_same(:'all_of_them', 'an empty table');
SELECT is(pg_temp.serial(:'all_of_them'), '(,,,,,,,,)', 'an empty table: NULL');
TRUNCATE little;

INSERT INTO little (id, pool, period, quantity)
SELECT i, i % 3, CASE i % 2 WHEN 0 THEN tstzrange('[2026-02-01,2026-02-02)') END, CASE i % 2 WHEN 1 THEN 1 END FROM generate_series(1, 5000) AS i;
ANALYZE little;
SELECT pg_temp.parallel_same(:'all_of_them', 'nothing but NULL');
SELECT is(pg_temp.serial(:'all_of_them'), '(,,,,,,,,)', 'nothing but NULL: NULL');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'nothing but NULL by pool');

-- one row with a value, in the last page: one worker has it, the others have none
INSERT INTO little (id, pool, period, quantity) VALUES (5001, 7, '[2026-02-01,2026-02-02)', 1.5);
SELECT pg_temp.parallel_same(:'all_of_them', 'one row among NULLs');
SELECT pg_temp.parallel_same(:'all_of_them' || ' GROUP BY pool', 'one group in one worker');
SELECT is(pg_temp.serial('SELECT load_profile(period, quantity) FROM little'),
		  '("{""2026-02-01 00:00:00+00"": 1.5, ""2026-02-02 00:00:00+00"": 0}")', 'one row among NULLs counts');

TRUNCATE little;
INSERT INTO little (id, pool, period, quantity)
SELECT i, i % 3, CASE i % 2 WHEN 0 THEN 'empty' ELSE tstzrange('[2026-02-01,2026-02-02)') END, i % 2 * 0 FROM generate_series(1, 5000) AS i;
ANALYZE little;
SELECT pg_temp.parallel_same(:'all_of_them', 'nothing but empty periods and zero');
SELECT is(pg_temp.serial('SELECT load_profile(period, quantity), sum(profile(period, quantity)) FROM little'), '({},{})', 'nothing but empty periods and zero: {}');

TRUNCATE little;
INSERT INTO little (id, pool, period, quantity) VALUES (1, 1, '[2026-02-01,2026-02-02)', 1), (2, 2, '[2026-02-01,2026-02-02)', 0.25), (3, 2, '(,2026-02-02)', -1);

-- any plan in a worker
SELECT set_config(:'debug_parallel_query', 'regress', true) \g /dev/null
SELECT pg_temp.agree('SELECT load_profile(period, quantity), sum(profile(period, quantity)) FROM little',
					 'SELECT load_profile(period, quantity), sum(profile(period, quantity)) FROM little',
					 'all of it in a worker');
SELECT pg_temp.agree('SELECT peak(load), mean(load, ''[2026-01-01,2027-01-01)''), load + load AS twice, load <@ load AS within FROM demand',
					 'SELECT peak(load), mean(load, ''[2026-01-01,2027-01-01)''), load + load AS twice, load <@ load AS within FROM demand',
					 'functions in a worker');
SELECT set_config(:'debug_parallel_query', 'off', true) \g /dev/null

-- errors of workers
SELECT is(pg_temp.outcome('SELECT load_profile(period, quantity * 1e17) FROM lease'), 'ERROR 22003', 'out of range in a worker: 22003');
SELECT is(pg_temp.outcome($$SELECT utilization(period, quantity, id % 2, '[2026-01-07,2026-03-17)') FROM lease WHERE id IN (12344, 117777)$$), 'ERROR 22023',
		  'capacities that differ between workers: 22023');
SELECT is(pg_temp.outcome($$SELECT unit_hours(period, quantity, '(,)') FROM lease$$), 'ERROR 22003', 'infinite unit-hours in a worker: 22003');
SELECT is(pg_temp.outcome('SELECT gauge_profile(timestamptz ''2026-01-01'' + id % 149999 * interval ''1 second'', id) FROM lease'), 'ERROR 21000',
		  'a gauge that has two values in two workers: 21000');
SELECT is(pg_temp.outcome($$SELECT decayed(period, quantity, '7 days', CASE WHEN id > 149000 THEN timestamptz '2026-03-17' ELSE '2026-03-18' END) FROM lease$$), 'ERROR 22023',
		  'instants that differ between workers: 22023');

-- ----------
-- Partition-wise, without workers: partial aggregates all the same
-- ----------
CREATE TABLE part (part int, id int, pool int, period tstzrange, quantity numeric) PARTITION BY LIST (part);
CREATE TABLE part_0 PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3);
INSERT INTO part SELECT CASE WHEN id < 20000 THEN 0 WHEN id < 40000 THEN 1 ELSE 2 END, id, pool, period, quantity FROM lease WHERE id < 60000;
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

\set all_of_them 'SELECT profile_send(load_profile(period, quantity)) AS l, profile_send(load_profile(period, quantity::bigint)) AS i, profile_send(sum(profile(period, quantity))) AS s, profile_send(gauge_profile(lower(period), quantity * 0)) AS g, profile_send(max(profile(period, quantity))) AS m, profile_send(min(profile(period, quantity))) AS n, unit_hours(period, quantity, ''[2026-01-07,2026-03-17)'') AS h, utilization(period, quantity, 3, ''[2026-01-07,2026-03-17)'') AS u, decayed(period, quantity, ''7 days'', ''2026-03-17'') AS d FROM part'
SELECT pg_temp.partitionwise_same(:'all_of_them', 'all rows');
SELECT pg_temp.partitionwise_same(replace(:'all_of_them', 'SELECT', 'SELECT pool,') || ' GROUP BY pool', 'by pool');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE part >= 2', 'with an empty partition');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE id % 60000 = 12345', 'a row in one partition');
SELECT pg_temp.partitionwise_same(:'all_of_them' || ' WHERE id % 1 = 1', 'no rows');

-- whole groups in each partition
SET LOCAL enable_partitionwise_aggregate = on;
SELECT pg_temp.same(:'all_of_them' || ' GROUP BY part', '%Append%Aggregate%', pg_temp.serial(:'all_of_them' || ' GROUP BY part'), 'by partition');

-- ----------
-- Sums that leave int64 on the way. Partitions make the order certain: each is
-- summed by itself, then their sums are.
-- ----------
CREATE FUNCTION pg_temp.parts(VARIADIC quantities text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE part;
	INSERT INTO part (part, id, pool, period, quantity)
	SELECT p - 1, i, 1, '[2026-02-01,2026-02-02)', q.quantity::numeric
	FROM unnest(quantities) WITH ORDINALITY AS list(list, p), regexp_split_to_table(list, ', *') WITH ORDINALITY AS q(quantity, i);
	-- rows that do not count, so that the planner takes the trouble
	INSERT INTO part (part) SELECT i % 4 FROM generate_series(1, 2000) AS i;
	ANALYZE part;
END $$;

\set load 'SELECT load_profile(period, quantity)::text AS l, sum(profile(period, quantity))::text FROM part'
\set in_order 'SELECT load_profile(period, quantity ORDER BY part, id)::text AS l, sum(profile(period, quantity) ORDER BY part, id)::text FROM part'
\set in_reverse 'SELECT load_profile(period, quantity ORDER BY part DESC, id DESC)::text AS l, sum(profile(period, quantity) ORDER BY part DESC, id DESC)::text FROM part'

-- "load" serial, partition-wise, in order of rows and in reverse
CREATE FUNCTION pg_temp.all_same(load text, in_order text, in_reverse text, expected text, description text) RETURNS SETOF text
LANGUAGE plpgsql
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
	plan text;
	given text[];
BEGIN
	PERFORM set_config('enable_partitionwise_aggregate', 'on', true);
	plan := pg_temp.plan_of(load);
	given := ARRAY[pg_temp.serial(load), pg_temp.outcome(load), pg_temp.outcome(in_order), pg_temp.outcome(in_reverse)];
	RETURN NEXT ok(plan LIKE '%Finalize%Append%Partial %' AND given = array_fill(expected, ARRAY[4]), description);
	IF given <> array_fill(expected, ARRAY[4]) THEN
		RETURN NEXT diag(format(E'expected: %s\nserial: %s\npartition-wise: %s\nin order: %s\nin reverse: %s', expected, given[1], given[2], given[3], given[4]));
	END IF;
END $$;

SELECT pg_temp.parts('9e18, 9e18', '-9e18, -9e18, 1') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', '("{""2026-02-01 00:00:00+00"": 1, ""2026-02-02 00:00:00+00"": 0}","{""2026-02-01 00:00:00+00"": 1, ""2026-02-02 00:00:00+00"": 0}")',
						'above int64 and back');
SELECT pg_temp.parts('-9e18, -9e18, -9223372036854775807', '9e18, 9e18', '9223372036854775807, -5') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', '("{""2026-02-01 00:00:00+00"": -5, ""2026-02-02 00:00:00+00"": 0}","{""2026-02-01 00:00:00+00"": -5, ""2026-02-02 00:00:00+00"": 0}")',
						'below int64 and back');
SELECT pg_temp.parts('9e18', '9e18', '-5e18') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', 'ERROR 22003', 'above int64 to stay');
SELECT pg_temp.parts('9.000000000000000001', '9.000000000000000001', '-9.000000000000000001, -9.1') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', '("{""2026-02-01 00:00:00+00"": -0.099999999999999999, ""2026-02-02 00:00:00+00"": 0}","{""2026-02-01 00:00:00+00"": -0.099999999999999999, ""2026-02-02 00:00:00+00"": 0}")',
						'fractions of 18 digits');
SELECT pg_temp.parts('0.000000000000000001', '10') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', 'ERROR 22003', 'scales that do not go together');

-- where a scale does not fit a quantity, that is an error, whatever became of the quantity before
SELECT pg_temp.parts('5e18, -5e18', '0.1') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', 'ERROR 22003',
						'large quantities that cancel out before a fraction comes');
SELECT pg_temp.parts('5e17, 5e17', '-5e17, 0.1') \g /dev/null
SELECT pg_temp.all_same(:'load', :'in_order', :'in_reverse', '("{""2026-02-01 00:00:00+00"": 500000000000000000.1, ""2026-02-02 00:00:00+00"": 0}","{""2026-02-01 00:00:00+00"": 500000000000000000.1, ""2026-02-02 00:00:00+00"": 0}")',
						'a sum that does not fit the scale of a fraction, and comes back');

SELECT pg_temp.parts('9e18', '0.1', '5') \g /dev/null
\set extremes 'SELECT max(profile(period, quantity))::text AS m, min(-profile(period, quantity))::text AS n FROM part'
\set extremes_in_order 'SELECT max(profile(period, quantity) ORDER BY part, id)::text AS m, min(-profile(period, quantity) ORDER BY part, id)::text AS n FROM part'
\set extremes_in_reverse 'SELECT max(profile(period, quantity) ORDER BY part DESC, id DESC)::text AS m, min(-profile(period, quantity) ORDER BY part DESC, id DESC)::text AS n FROM part'
SELECT pg_temp.all_same(:'extremes', :'extremes_in_order', :'extremes_in_reverse',
						'ERROR 22003', 'the greatest and the least where scales do not go together');

-- unit-hours are sums of 128 bits
\set hours 'SELECT unit_hours(period, quantity, ''[2026-01-01,2027-01-01)''), utilization(period, quantity, 1, ''[2026-01-01,2027-01-01)'') FROM part'
\set hours_in_order 'SELECT unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'' ORDER BY part, id), utilization(period, quantity, 1, ''[2026-01-01,2027-01-01)'' ORDER BY part, id) FROM part'
\set hours_in_reverse 'SELECT unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'' ORDER BY part DESC, id DESC), utilization(period, quantity, 1, ''[2026-01-01,2027-01-01)'' ORDER BY part DESC, id DESC) FROM part'
SELECT pg_temp.parts('9e18, 9e18', '-9e18, -9e18, 1') \g /dev/null
SELECT pg_temp.all_same(:'hours', :'hours_in_order', :'hours_in_reverse', pg_temp.serial(:'hours'), 'unit-hours above int64 and back');
SELECT is(pg_temp.serial(:'hours'), '(24.0000000000000000,0.00273972602739726027)', 'unit-hours above int64 and back: right');
SELECT pg_temp.parts('1e12, -1e12', '1e-18') \g /dev/null
SELECT pg_temp.all_same(:'hours', :'hours_in_order', :'hours_in_reverse', 'ERROR 22003',
						'unit-hours where a later scale does not fit what was there before');

-- events at one instant that cannot be made one, more of them than a state holds without compaction
CREATE TABLE heavy AS
SELECT i AS id, tstzrange('2026-02-01', '2026-02-02') AS period, CASE WHEN i <= 50000 THEN 9e18 ELSE -9e18 END AS quantity FROM generate_series(1, 100000) AS i
UNION ALL SELECT 0, '[2026-02-01,2026-02-03)', 3;
ALTER TABLE heavy SET (parallel_workers = 4);
ANALYZE heavy;
SELECT is(pg_temp.serial('SELECT load_profile(period, quantity) FROM heavy'),
		  '("{""2026-02-01 00:00:00+00"": 3, ""2026-02-03 00:00:00+00"": 0}")', '50,000 times above int64 and back');
SELECT pg_temp.parallel_same('SELECT profile_send(load_profile(period, quantity)) AS l, profile_send(sum(profile(period, quantity))) AS s FROM heavy', '50,000 times above int64 and back');

-- ----------
-- Other forms of aggregation
-- ----------
SELECT set_config('max_parallel_workers_per_gather', '4', true) \g /dev/null
SELECT pg_temp.agree('SELECT profile_send(load_profile(DISTINCT period, quantity)), unit_hours(DISTINCT period, quantity, ''[2026-01-01,2027-01-01)'') FROM lease',
					 'SELECT profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'') FROM (SELECT DISTINCT period, quantity FROM lease) AS d',
					 'DISTINCT');
SELECT pg_temp.agree('SELECT profile_send(sum(DISTINCT load)) FROM (SELECT load FROM demand UNION ALL SELECT load FROM demand) AS twice',
					 'SELECT profile_send(sum(load)) FROM (SELECT DISTINCT load FROM demand) AS once',
					 'DISTINCT profiles');
SELECT pg_temp.agree('SELECT profile_send(load_profile(period, quantity ORDER BY quantity DESC, period)) AS a, profile_send(load_profile(period, quantity ORDER BY lower(period))) AS b FROM lease',
					 'SELECT profile_send(load_profile(period, quantity)) AS a, profile_send(load_profile(period, quantity)) AS b FROM lease',
					 'ORDER BY in the call');

SELECT pg_temp.agree('SELECT pool, part, profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'')
						   FROM (SELECT *, id % 3 AS part FROM lease) AS l GROUP BY GROUPING SETS ((pool), (part), (pool, part), ())',
					 'SELECT pool, NULL::int AS part, profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'') FROM lease GROUP BY pool
				UNION ALL SELECT NULL, id % 3, profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'') FROM lease GROUP BY id % 3
				UNION ALL SELECT pool, id % 3, profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'') FROM lease GROUP BY pool, id % 3
				UNION ALL SELECT NULL, NULL, profile_send(load_profile(period, quantity)), unit_hours(period, quantity, ''[2026-01-01,2027-01-01)'') FROM lease',
					 'GROUPING SETS');

-- as window functions: every row, from the rows up to it
CREATE TABLE few AS SELECT id, pool, period, odd_period, quantity, profile(odd_period, quantity) AS load FROM lease WHERE id % 400 = 0 OR id < 12;
ANALYZE few;
SELECT pg_temp.agree($$SELECT id, profile_send(load_profile(period, quantity) OVER w) AS l, profile_send(sum(load) OVER w) AS s,
								profile_send(max(load) OVER w) AS m, profile_send(gauge_profile(lower(odd_period), quantity) OVER w) AS g, decayed(period, quantity, '7 days', '2026-03-17') OVER w,
								unit_hours(period, quantity, '[2026-01-07,2026-03-17)') OVER w, utilization(period, quantity, 3, '[2026-01-07,2026-03-17)') OVER w
							FROM few WINDOW w AS (ORDER BY id)$$,
					 $$SELECT id, profile_send(l) AS l, profile_send(s) AS s, profile_send(m) AS m, profile_send(g) AS g, d, h, u
						   FROM few AS f, LATERAL (SELECT load_profile(period, quantity) AS l, sum(load) AS s, max(load) AS m, gauge_profile(lower(odd_period), quantity) AS g, decayed(period, quantity, '7 days', '2026-03-17') AS d, unit_hours(period, quantity, '[2026-01-07,2026-03-17)') AS h,
															utilization(period, quantity, 3, '[2026-01-07,2026-03-17)') AS u
													 FROM few WHERE few.id <= f.id) AS upto$$,
					 'OVER (ORDER BY …)');
SELECT pg_temp.agree($$SELECT id, profile_send(load_profile(period, quantity) OVER w) AS l, profile_send(sum(load) OVER w) AS s,
								profile_send(max(load) OVER w) AS m, profile_send(gauge_profile(lower(odd_period), quantity) OVER w) AS g, decayed(period, quantity, '7 days', '2026-03-17') OVER w,
								unit_hours(period, quantity, '[2026-01-07,2026-03-17)') OVER w, utilization(period, quantity, 3, '[2026-01-07,2026-03-17)') OVER w
							FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS few WINDOW w AS (ORDER BY r ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)$$,
					 $$SELECT id, profile_send(l) AS l, profile_send(s) AS s, profile_send(m) AS m, profile_send(g) AS g, d, h, u
						   FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS f,
								LATERAL (SELECT load_profile(period, quantity) AS l, sum(load) AS s, max(load) AS m, gauge_profile(lower(odd_period), quantity) AS g, decayed(period, quantity, '7 days', '2026-03-17') AS d, unit_hours(period, quantity, '[2026-01-07,2026-03-17)') AS h,
												utilization(period, quantity, 3, '[2026-01-07,2026-03-17)') AS u
										 FROM (SELECT *, row_number() OVER (ORDER BY id) AS r FROM few) AS few WHERE few.r BETWEEN f.r - 3 AND f.r + 2) AS near$$,
					 'OVER (ROWS BETWEEN …)');
SELECT pg_temp.agree($$SELECT id, profile_send(load_profile(period, quantity) OVER (PARTITION BY pool)) FROM few$$,
					 $$SELECT id, profile_send(l) FROM few JOIN (SELECT pool, load_profile(period, quantity) AS l FROM few GROUP BY pool) AS p USING (pool)$$,
					 'OVER (PARTITION BY …)');

-- The final functions leave the state as it is: aggregates may share it
SELECT pg_temp.agree('SELECT pool, profile_send(load_profile(period, quantity)) = profile_send(load_profile(period, quantity)), peak(load_profile(period, quantity)) FROM lease GROUP BY pool',
					 'SELECT pool, true, peak(l) FROM (SELECT pool, load_profile(period, quantity) AS l FROM lease GROUP BY pool) AS p',
					 'one state, several uses');

SELECT * FROM finish();
ROLLBACK;
