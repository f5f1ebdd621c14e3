-- algebra_differential.sql
--		The algebra of profiles, their measures beyond sums, and the aggregates
--		that came with them, against plain SQL, on random input.
--
-- References use window functions, numeric, ranges and AT TIME ZONE, and nothing
-- of ours. What is true of every profile (a * b = b * a, ...) is at the end.
-- Another run of random numbers: pg_prove --set seed=0.5 (between -1 and 1).

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260202
\endif

BEGIN;
SELECT plan(115);
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.seed', :'seed', true) \g /dev/null
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;

-- ----------
-- Tools
-- ----------

-- A comparison is a table (input text, got, expected). Passes if it has enough
-- rows and no mismatch; else says how to repeat the first one.
CREATE FUNCTION pg_temp.agree(comparison regclass, at_least bigint, description text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	cases bigint;
	mismatches bigint;
	example record;
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE got IS DISTINCT FROM expected) FROM %s', comparison)
		INTO cases, mismatches;
	RETURN NEXT ok(cases >= at_least AND mismatches = 0, description);
	IF cases < at_least THEN
		RETURN NEXT diag(format('only %s cases', cases));
	END IF;
	IF mismatches > 0 THEN
		EXECUTE format('SELECT input, got::text, expected::text FROM %s WHERE got IS DISTINCT FROM expected
						ORDER BY length(input), input LIMIT 1', comparison) INTO example;
		RETURN NEXT diag(format(E'seed %s: %s of %s cases differ; the shortest:\ninput:    %s\ngot:      %s\nexpected: %s',
								current_setting('test.seed'), mismatches, cases,
								example.input, example.got, example.expected));
	END IF;
END $$;

-- pg_temp.try_NAME(arguments): an expression as text, or the SQLSTATE of its error
CREATE FUNCTION pg_temp.define_try(name text, arguments text, expression text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FUNCTION pg_temp.try_%s(%s) RETURNS text LANGUAGE plpgsql AS $f$
					BEGIN
						RETURN (%s)::text;
					EXCEPTION WHEN OTHERS THEN
						RETURN ''ERROR '' || sqlstate;
					END $f$', name, arguments, expression);
END $$;
SELECT pg_temp.define_try(name, arguments, expression)
FROM (VALUES
	('multiply', 'a profile, b profile', 'a * b'),
	('multiply', 'a profile, b numeric', 'a * b'),
	('multiply', 'a numeric, b profile', 'a * b'),
	('add', 'a profile, b profile', 'a + b'),
	('subtract', 'a profile, b profile', 'a - b'),
	('negate', 'a profile', '- a'),
	('min', 'a profile, b profile', 'pointwise_min(a, b)'),
	('max', 'a profile, b profile', 'pointwise_max(a, b)'),
	('positive_part', 'a profile', 'positive_part(a)'),
	('clip', 'a profile, during tstzrange', 'clip(a, during)'),
	('shift', 'a profile, by interval', 'shift(a, by)'),
	('trough', 'a profile, during tstzrange', 'trough(a, during)'),
	('quantile', 'a profile, during tstzrange, fraction numeric', 'quantile(a, during, fraction)'),
	('duration_above', 'a profile, threshold numeric, during tstzrange', 'duration_above(a, threshold, during)'),
	('earliest_fit', 'a profile, quantity numeric, duration interval, during tstzrange, nth int',
		'earliest_fit(a, quantity, duration, during, nth)'),
	('sparkline', 'a profile, during tstzrange, width int', 'sparkline(a, during, width)'),
	('repeat', 'a profile, every interval, during tstzrange, zone text', 'repeat(a, every, during, zone)'),
	('buckets', 'a profile, during tstzrange, bucket interval, zone text',
		'SELECT string_agg(format(''%s %s %s %s'', b.period, trim_scale(b.mean), b.peak, trim_scale(b.integral)), ''; '' ORDER BY o)
		 FROM buckets(a, during, bucket, zone) WITH ORDINALITY AS b(period, mean, peak, integral, o)'),
	('gauge', 'at timestamptz[], value numeric[]', 'SELECT gauge_profile(u.at, u.value) FROM unnest($1, $2) AS u(at, value)'),
	('largest', 'p profile[]', 'SELECT max(u) FROM unnest(p) AS u'),
	('least', 'p profile[]', 'SELECT min(u) FROM unnest(p) AS u'),
	('load', 'period tstzrange[], quantity numeric[]', 'SELECT load_profile(u.p, u.q) FROM unnest($1, $2) AS u(p, q)'),
	('load', 'period tstzrange[], quantity bigint[]', 'SELECT load_profile(u.p, u.q) FROM unnest($1, $2) AS u(p, q)'),
	('load', 'period tstzrange[], quantity int[]', 'SELECT load_profile(u.p, u.q) FROM unnest($1, $2) AS u(p, q)'),
	('hours', 'period tstzrange[], quantity numeric[], during tstzrange', 'SELECT unit_hours(u.p, u.q, $3) FROM unnest($1, $2) AS u(p, q)'),
	('hours', 'period tstzrange[], quantity bigint[], during tstzrange', 'SELECT unit_hours(u.p, u.q, $3) FROM unnest($1, $2) AS u(p, q)'),
	('hours', 'period tstzrange[], quantity int[], during tstzrange', 'SELECT unit_hours(u.p, u.q, $3) FROM unnest($1, $2) AS u(p, q)')
) AS v(name, arguments, expression) \g /dev/null

-- The half-open span of the instants that a range contains
CREATE FUNCTION pg_temp.span_from(period tstzrange) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN isempty(period) THEN NULL
		WHEN lower_inf(period) THEN '-infinity'
		WHEN lower_inc(period) OR NOT isfinite(lower(period)) THEN lower(period)
		WHEN lower(period) = '294276-12-31 23:59:59.999999+00' THEN 'infinity'
		ELSE lower(period) + interval '1 microsecond'
	END
$$;

CREATE FUNCTION pg_temp.span_until(period tstzrange) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN isempty(period) THEN NULL
		WHEN upper_inf(period) THEN 'infinity'
		WHEN NOT upper_inc(period) OR NOT isfinite(upper(period)) THEN upper(period)
		WHEN upper(period) = '294276-12-31 23:59:59.999999+00' THEN 'infinity'
		ELSE upper(period) + interval '1 microsecond'
	END
$$;

-- From one instant to another. An interval does not hold all distances, and
-- extract(epoch) is not exact at the end of time.
CREATE FUNCTION pg_temp.microseconds(from_ timestamptz, until timestamptz) RETURNS numeric
LANGUAGE sql STABLE AS $$
	SELECT trim_scale(($2::date - $1::date) * 86400000000.0
					  + (extract(epoch FROM $2::time) - extract(epoch FROM $1::time)) * 1000000)
$$;

-- at + by, where a day has 24 hours (as in UTC); NULL if out of range
CREATE FUNCTION pg_temp.later(at timestamptz, by interval) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN at + by;
EXCEPTION WHEN datetime_field_overflow THEN
	RETURN NULL;
END $$;

-- Quantity-time (quantity times microseconds) in a unit of so many microseconds
CREATE FUNCTION pg_temp.in_units(quantity_time numeric, unit bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN zeros.moved = 1 THEN zeros.quantity_time
		ELSE zeros.quantity_time / zeros.moved
	END
	FROM (SELECT trim_scale($1 * ('1e-' || length($2::text) - length(rtrim($2::text, '0')))::numeric),
				 rtrim($2::text, '0')::numeric) AS zeros(quantity_time, moved)
$$;

-- Numbers that a profile can hold together: a mantissa of 63 bits, at a scale of at most 18
CREATE FUNCTION pg_temp.fits(scale int, largest numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce($1, 0) <= 18 AND coalesce($2, 0) * ('1e' || least(coalesce($1, 0), 40))::numeric <= 9223372036854775807
$$;

-- The texts of profiles. "source" is a table (n, at, value): the value holds from
-- the instant on, until the next one of the same n. What no profile can hold is
-- the error that the algebra makes of it.
CREATE FUNCTION pg_temp.profiles(source regclass) RETURNS TABLE (n bigint, profile text)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($f$
		SELECT n::bigint,
			   CASE WHEN NOT pg_temp.fits(max(scale(trim_scale(value))), max(abs(value))) THEN 'ERROR 22003'
					ELSE '{' || coalesce(string_agg(format('"%%s": %%s', at, trim_scale(value)), ', ' ORDER BY at)
										 FILTER (WHERE value <> previous), '') || '}' END
		FROM (SELECT n, at, value, lag(value, 1, 0::numeric) OVER (PARTITION BY n ORDER BY at) AS previous
			  FROM %s WHERE at < 'infinity') AS s
		GROUP BY n$f$, source);
END $$;

-- ----------
-- Profiles on 120 clocks: 13 instants each (the first is -infinity), of every
-- stored unit and width, at the ends of time, and all over it. A clock has a
-- style of quantities, too.
-- ----------
CREATE TEMP TABLE clock AS
SELECT c,
	   (ARRAY['2026-01-01 00:00:00+00', '2026-03-08 06:59:59.999999+00', '2000-01-01 00:00:00+00',
			  '1969-12-31 23:59:59.5+00', '2026-10-25 00:30:00+00', '0044-03-15 12:00:00+00 BC']
	   )[1 + c % 6]::timestamptz AS origin,
	   (ARRAY['1 microsecond', '7 microseconds', '1 millisecond', '1 second', '1 minute', '15 minutes', '1 hour',
			  '1 day', '30 days', '1 month', '35184372088831 microseconds', '3600000001 microseconds', '21845 hours']
	   )[1 + c % 13]::interval AS step
FROM generate_series(0, 119) AS c;
UPDATE clock SET origin = '4714-11-24 00:00:00+00 BC', step = '1 microsecond' WHERE c % 24 = 3;
UPDATE clock SET origin = '294276-12-31 23:59:59.999988+00', step = '1 microsecond' WHERE c % 24 = 8;
UPDATE clock SET origin = '4714-11-24 00:00:00+00 BC', step = '27000 years' WHERE c % 24 = 13;

CREATE TEMP TABLE grid AS
SELECT c, k, CASE k WHEN -1 THEN '-infinity' WHEN 12 THEN 'infinity' ELSE origin + k * step END AS at
FROM clock, generate_series(-1, 12) AS k;
ALTER TABLE grid ADD PRIMARY KEY (c, k);
ANALYZE grid;

CREATE FUNCTION pg_temp.quantity(c int, slot int) RETURNS numeric
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN trim_scale(CASE c % 7
		-- whole numbers, and small fractions: three of them multiply without error
		WHEN 0 THEN floor(random() * 9)::numeric - 3
		WHEN 1 THEN (floor(random() * 2001)::numeric - 1000) * ('1e-' || floor(random() * 4))::numeric
		-- 9 digits each, so that 18 come out
		WHEN 2 THEN (floor(random() * 2000000001)::numeric - 1000000000) * ('1e-' || c % 10)::numeric
		-- scales that add up to 24; the powers of two and five make zeros at the end
		WHEN 3 THEN (floor(random() * 101)::numeric - 50) * 1e-12
					* CASE slot % 2 WHEN 0 THEN 2::numeric ELSE 5 END ^ (12 - slot / 2 % 9)::numeric
		-- all digits there are
		WHEN 4 THEN (ARRAY[1, -1])[1 + floor(random() * 2)] * ('1e-' || c % 19)::numeric
					* (ARRAY[9223372036854775807, 9223372036854775806, 4611686018427387904, 1000000000000000000, 0, 0,
							 floor(random() * 1000000000)::numeric * 1000000000 + floor(random() * 1000000000)::numeric])[1 + floor(random() * 7)]
		WHEN 5 THEN (ARRAY[0, 0, 1, 1, 2])[1 + floor(random() * 5)]
		-- each profile fits; two of them may not go together
		ELSE (floor(random() * 2001)::numeric - 1000)
			 * ('1e' || (ARRAY[0, -15, -18, -9])[1 + slot % 4] + floor(random() * 16))::numeric
	END);
END $$;

-- what is written, and what holds: "dense" has a value at every instant of the clock
CREATE TEMP TABLE wild AS
SELECT c, slot, k, CASE WHEN random() < 0.15 THEN 0 ELSE pg_temp.quantity(c, slot) END AS value
FROM generate_series(0, 119) AS c, generate_series(0, 55) AS slot, generate_series(-1, 11) AS k
WHERE random() < slot % 8 * 0.13 AND (k >= 0 OR random() < 0.4);
CREATE INDEX ON wild (c, slot);
ANALYZE wild;

CREATE TEMP TABLE dense AS
SELECT c * 56 + slot AS id, c, slot, k, at, coalesce(first_value(value) OVER (PARTITION BY c, slot, run ORDER BY k), 0) AS value
FROM (SELECT c, slot, k, at, value, count(value) OVER (PARTITION BY c, slot ORDER BY k) AS run
	  FROM grid CROSS JOIN generate_series(0, 55) AS slot LEFT JOIN wild USING (c, slot, k)
	  WHERE k < 12) AS r;
ALTER TABLE dense ADD PRIMARY KEY (c, slot, k);
CREATE INDEX ON dense (id);
ANALYZE dense;

-- the same as pieces of time
CREATE TEMP TABLE piece AS
SELECT id, dense.at AS from_, grid.at AS until, value
FROM dense JOIN grid ON grid.c = dense.c AND grid.k = dense.k + 1;
CREATE INDEX ON piece (id);
ANALYZE piece;

CREATE TEMP TABLE t AS SELECT id AS n, at, value FROM dense;
CREATE TEMP TABLE pool AS
SELECT n::int AS id, (n / 56)::int AS c, (n % 56)::int AS slot, profile::profile AS p, profile AS text
FROM pg_temp.profiles('t');
ALTER TABLE pool ADD PRIMARY KEY (id);
ANALYZE pool;
DROP TABLE t;

CREATE TEMP TABLE c1 AS SELECT text AS input, p::text AS got, text AS expected FROM pool;
SELECT pg_temp.agree('c1', 6720, 'the profiles of this test are what they should be');

-- pairs on the same clock
CREATE TEMP TABLE pair AS
SELECT row_number() OVER (ORDER BY a.id, distance) AS n, a.c, a.slot AS a_slot, b.slot AS b_slot, a.p AS a, b.p AS b,
	   format('%s and %s', a.text, b.text) AS input
FROM pool AS a, (VALUES (0), (1), (9)) AS v(distance), pool AS b
WHERE b.c = a.c AND b.slot = (a.slot + distance) % 56 AND (distance > 0 OR a.slot < 14);
CREATE TEMP TABLE joint AS
SELECT n, a.at, a.value AS a, b.value AS b
FROM pair JOIN dense AS a ON a.c = pair.c AND a.slot = a_slot JOIN dense AS b ON b.c = pair.c AND b.slot = b_slot AND b.k = a.k;
CREATE INDEX ON joint (n);
ANALYZE pair;
ANALYZE joint;

-- ----------
-- *
-- ----------
CREATE TEMP TABLE t AS SELECT n, at, a * b AS value FROM joint;
CREATE TEMP TABLE c10 AS
SELECT input, pg_temp.try_multiply(a, b) AS got, profile AS expected FROM pair JOIN pg_temp.profiles('t') USING (n);
SELECT pg_temp.agree('c10', 13000, 'profile * profile is the product at every instant, and fits if it can');
SELECT ok(count(*) FILTER (WHERE c10.expected = 'ERROR 22003') > 500, 'and does not fit if it cannot') FROM c10;
-- of those that fit, how many were in need of their zeros
SELECT ok(count(*) > 300, 'products fit because zeros at the end do not count')
FROM pair JOIN pg_temp.profiles('t') USING (n)
WHERE profile <> 'ERROR 22003' AND profile <> '{}'
  AND (SELECT max(scale(trim_scale(value))) FROM dense WHERE c = pair.c AND slot = a_slot)
	+ (SELECT max(scale(trim_scale(value))) FROM dense WHERE c = pair.c AND slot = b_slot) > 18;
DROP TABLE t;

CREATE TEMP TABLE multiplied AS
SELECT id AS n, c, slot, p, text, CASE WHEN random() < 0.04 THEN 0
									   WHEN random() < 0.04 THEN (ARRAY[1e19, 1e-19, 9223372036854775807, -9223372036854775807, 9223372036854775808, 1.0000000000000000001, 'NaN', '-infinity'])[1 + floor(random() * 8)]
									   ELSE pg_temp.quantity(c, slot + 1) END AS factor
FROM pool;
CREATE TEMP TABLE t AS
SELECT n, dense.at, value * nullif(nullif(factor, 'NaN'), '-infinity') AS value FROM multiplied JOIN dense ON dense.id = n;
CREATE TEMP TABLE c11 AS
SELECT format('%s times %s', text, factor) AS input,
	   ARRAY[pg_temp.try_multiply(p, factor), pg_temp.try_multiply(factor, p)] AS got,
	   array_fill(CASE WHEN factor = 'NaN' OR abs(factor) = 'infinity' OR NOT pg_temp.fits(scale(trim_scale(factor)), abs(factor)) THEN 'ERROR 22003'
					   ELSE profile END, ARRAY[2]) AS expected
FROM multiplied JOIN pg_temp.profiles('t') USING (n);
SELECT pg_temp.agree('c11', 6720, 'profile * numeric and numeric * profile');
SELECT ok(count(*) FILTER (WHERE expected[1] = 'ERROR 22003') BETWEEN 300 AND 3000, 'which may be an error') FROM c11;
DROP TABLE t;

-- as with other types of numbers
CREATE TEMP TABLE c12 AS
SELECT format('%s times %s', text, i) AS input, ARRAY[p * i, i * p, p * i::bigint, i::smallint * p] AS got, array_fill(p * i::numeric, ARRAY[4]) AS expected
FROM (SELECT *, floor(random() * 11)::int - 5 AS i FROM pool WHERE c % 7 <> 4 AND c % 7 <> 6) AS m;
SELECT pg_temp.agree('c12', 4500, 'profile * integer, bigint, smallint');

-- ----------
-- - a, positive_part, pointwise_min, pointwise_max, + and -
-- ----------
CREATE TEMP TABLE t AS SELECT id AS n, at, -value AS value FROM dense;
CREATE TEMP TABLE c20 AS SELECT text AS input, pg_temp.try_negate(p) AS got, profile AS expected FROM pool JOIN pg_temp.profiles('t') ON n = id;
SELECT pg_temp.agree('c20', 6720, '- profile is the negative at every instant');
UPDATE t SET value = greatest(-value, 0);
CREATE TEMP TABLE c21 AS SELECT text AS input, pg_temp.try_positive_part(p) AS got, profile AS expected FROM pool JOIN pg_temp.profiles('t') ON n = id;
SELECT pg_temp.agree('c21', 6720, 'positive_part is what is above zero');
DROP TABLE t;

-- "common": the two can be written at one scale
CREATE TEMP TABLE pairwise AS
SELECT n, pg_temp.fits(max(greatest(scale(trim_scale(a)), scale(trim_scale(b)))), max(greatest(abs(a), abs(b)))) AS common FROM joint GROUP BY n;
CREATE TEMP TABLE t AS SELECT n, at, least(a, b) AS value FROM joint;
CREATE TEMP TABLE c22 AS
SELECT input, pg_temp.try_min(a, b) AS got, profile AS expected, common FROM pair JOIN pg_temp.profiles('t') USING (n) JOIN pairwise USING (n);
UPDATE t SET value = greatest(a, b) FROM joint WHERE joint.n = t.n AND joint.at = t.at;
CREATE TEMP TABLE c23 AS
SELECT input, pg_temp.try_max(a, b) AS got, profile AS expected, common FROM pair JOIN pg_temp.profiles('t') USING (n) JOIN pairwise USING (n);
UPDATE t SET value = a + b FROM joint WHERE joint.n = t.n AND joint.at = t.at;
CREATE TEMP TABLE c24 AS
SELECT input, pg_temp.try_add(a, b) AS got, profile AS expected, common FROM pair JOIN pg_temp.profiles('t') USING (n) JOIN pairwise USING (n);
UPDATE t SET value = a - b FROM joint WHERE joint.n = t.n AND joint.at = t.at;
CREATE TEMP TABLE c25 AS
SELECT input, pg_temp.try_subtract(a, b) AS got, profile AS expected, common FROM pair JOIN pg_temp.profiles('t') USING (n) JOIN pairwise USING (n);
DROP TABLE t;
CREATE TEMP TABLE c26 AS
SELECT 'min ' || input AS input, got, expected FROM c22 WHERE NOT common AND expected <> 'ERROR 22003'
UNION ALL SELECT 'max ' || input, got, expected FROM c23 WHERE NOT common AND expected <> 'ERROR 22003'
UNION ALL SELECT 'add ' || input, got, expected FROM c24 WHERE NOT common AND expected <> 'ERROR 22003'
UNION ALL SELECT 'subtract ' || input, got, expected FROM c25 WHERE NOT common AND expected <> 'ERROR 22003';
DELETE FROM c22 WHERE NOT common AND expected <> 'ERROR 22003';
DELETE FROM c23 WHERE NOT common AND expected <> 'ERROR 22003';
DELETE FROM c24 WHERE NOT common AND expected <> 'ERROR 22003';
DELETE FROM c25 WHERE NOT common AND expected <> 'ERROR 22003';
SELECT pg_temp.agree('c22', 11000, 'pointwise_min is the lesser at every instant');
SELECT pg_temp.agree('c23', 11000, 'pointwise_max is the greater at every instant');
SELECT pg_temp.agree('c24', 11000, '+ adds at every instant, and is an error if that does not fit');
SELECT pg_temp.agree('c25', 11000, '- subtracts at every instant, and is an error if that does not fit');
SELECT ok(count(*) FILTER (WHERE expected = 'ERROR 22003') > 200, 'errors of pointwise_max were tried') FROM c23;
SELECT ok(bool_and(got::text LIKE 'ERROR 22003%') AND count(*) >= 100, 'operands that do not share a scale are refused, whichever of them the result is') FROM c26;

-- ----------
-- Random periods
-- ----------
CREATE FUNCTION pg_temp.random_range(c int) RETURNS tstzrange
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kind float8 := random();
	bounds text := (ARRAY['[)', '[)', '[]', '(]', '()'])[1 + floor(random() * 5)];
	i int := floor(random() * 12);
	j int := floor(random() * 12);
	a timestamptz := (SELECT at FROM grid WHERE grid.c = $1 AND k = least(i, j));
	b timestamptz := (SELECT at FROM grid WHERE grid.c = $1 AND k = greatest(i, j));
BEGIN
	-- half of them off the clock's grid
	IF random() < 0.5 AND c % 24 NOT IN (3, 8, 13) THEN
		a := a - make_interval(secs => floor(random() * 9) / 1000000);
		b := b + make_interval(secs => floor(random() * 9) / 1000000);
	END IF;
	IF random() < 0.03 THEN a := '-infinity'; END IF;
	IF random() < 0.03 THEN b := 'infinity'; END IF;
	RETURN CASE
		WHEN kind < 0.02 THEN 'empty'
		WHEN kind < 0.03 THEN tstzrange('infinity', NULL, bounds)
		WHEN kind < 0.04 THEN tstzrange(NULL, '-infinity', bounds)
		ELSE tstzrange(CASE WHEN kind >= 0.10 THEN a END, CASE WHEN kind NOT BETWEEN 0.08 AND 0.15 THEN b END, bounds)
	END;
END $$;

-- one for each profile
CREATE TEMP TABLE asked AS
SELECT id AS n, c, slot, p, text, during, coalesce(pg_temp.span_from(during), 'infinity') AS from_, coalesce(pg_temp.span_until(during), '-infinity') AS until
FROM (SELECT *, CASE WHEN random() < 0.01 THEN NULL ELSE pg_temp.random_range(c) END AS during FROM pool) AS w;
ALTER TABLE asked ADD PRIMARY KEY (n);
CREATE TEMP TABLE part AS
SELECT n, value, greatest(asked.from_, piece.from_) AS from_, least(asked.until, piece.until) AS until
FROM asked JOIN piece ON id = n
WHERE asked.from_ < asked.until AND piece.from_ < asked.until AND piece.until > asked.from_ AND during IS NOT NULL;
-- (a piece that begins at infinity is none)
DELETE FROM part WHERE from_ >= until;
CREATE INDEX ON part (n);
ANALYZE asked;
ANALYZE part;

-- ----------
-- clip, trough
-- ----------
CREATE TEMP TABLE t AS SELECT n, from_ AS at, value FROM part UNION ALL SELECT n, until, 0 FROM asked WHERE EXISTS (SELECT FROM part WHERE part.n = asked.n);
CREATE TEMP TABLE c30 AS
SELECT format('%s during %L', text, during) AS input, pg_temp.try_clip(p, during) AS got,
	   CASE WHEN during IS NOT NULL THEN coalesce(profile, '{}') END AS expected
FROM asked LEFT JOIN pg_temp.profiles('t') USING (n);
SELECT pg_temp.agree('c30', 6720, 'clip is the profile during the period, 0 outside');
DROP TABLE t;

CREATE TEMP TABLE c31 AS
SELECT format('%s during %L', text, during) AS input, pg_temp.try_trough(p, during) AS got, trim_scale(min(value))::text AS expected
FROM asked LEFT JOIN part USING (n)
GROUP BY n, text, p, during;
SELECT pg_temp.agree('c31', 6720, 'trough is the smallest quantity of the period');
CREATE TEMP TABLE c32 AS
SELECT text AS input, ARRAY[trough(p), trough(p, '(,)'), -peak(-p)] AS got, array_fill(trim_scale(min(value)), ARRAY[3]) AS expected
FROM pool JOIN dense USING (id) GROUP BY id, text, p;
SELECT pg_temp.agree('c32', 6720, 'trough of all time');

-- ----------
-- quantile
-- ----------
-- fractions: of tenths and eighths of the time, exactly, just above and just below
CREATE TEMP TABLE fraction AS
SELECT n, f, CASE f
		WHEN 1 THEN (ARRAY[0, 1, 0.95, 0.5, 0.05, 0.000000000000000001, 0.999999999999999999])[1 + floor(random() * 7)]
		WHEN 2 THEN round(random()::numeric, 15) END AS fraction
FROM asked, generate_series(1, 2) AS f;
CREATE TEMP TABLE c40 AS
WITH total AS (
	SELECT n, bool_or(from_ = '-infinity' OR until = 'infinity') AS unbounded,
		   sum(CASE WHEN from_ = '-infinity' OR until = 'infinity' THEN 0 ELSE pg_temp.microseconds(from_, until) END) AS whole
	FROM part GROUP BY n
), level AS (
	SELECT n, value, sum(CASE WHEN unbounded THEN 0 ELSE pg_temp.microseconds(from_, until) END) AS length, whole, unbounded
	FROM part JOIN total USING (n) GROUP BY n, value, whole, unbounded
), cumulative AS (
	SELECT *, sum(length) OVER (PARTITION BY n ORDER BY value) AS reached FROM level
)
SELECT format('quantile(%L, %L, %s)', text, during, fraction) AS input,
	   pg_temp.try_quantile(p, during, fraction) AS got,
	   CASE WHEN bool_or(unbounded) THEN 'ERROR 22023' ELSE trim_scale(min(value) FILTER (WHERE reached >= fraction * whole))::text END AS expected
FROM asked JOIN fraction USING (n) LEFT JOIN cumulative USING (n)
GROUP BY n, f, text, p, during, fraction;
SELECT pg_temp.agree('c40', 13000, 'quantile is percentile_disc weighted by time');

CREATE TEMP TABLE exact AS
SELECT id AS n, p, text, parts, fraction, tstzrange(a.at, b.at) AS during, a.k AS from_, b.k AS until
FROM (SELECT *, (ARRAY[8, 10, 5])[1 + floor(random() * 3)] AS parts, floor(random() * 11) AS i, floor(random() * 3) - 1 AS off
	  FROM pool JOIN clock USING (c) WHERE step <> '1 month' AND step <> '27000 years') AS e,
	 LATERAL (SELECT least(greatest(least(i, parts)::numeric / parts + off::numeric * 1e-18, 0), 1) AS fraction, floor(random() * 2)::int + 0 * id AS first) AS f,
	 LATERAL (SELECT at, k FROM grid WHERE grid.c = e.c AND k = first) AS a, LATERAL (SELECT at, k FROM grid WHERE grid.c = e.c AND k = first + parts) AS b;
CREATE TEMP TABLE c41 AS
WITH cumulative AS (
	SELECT n, fraction, parts, value, sum(count(*)) OVER (PARTITION BY n ORDER BY value) AS reached
	FROM exact JOIN dense ON id = n AND k >= from_ AND k < until
	GROUP BY n, fraction, parts, value
), reference AS (
	SELECT n, trim_scale(min(value) FILTER (WHERE reached >= fraction * parts)) AS expected FROM cumulative GROUP BY n
)
SELECT format('quantile(%L, %L, %s)', text, during, fraction) AS input, pg_temp.try_quantile(p, during, fraction) AS got, expected::text AS expected
FROM exact JOIN reference USING (n);
SELECT pg_temp.agree('c41', 5000, 'quantile at the very boundaries');

CREATE TEMP TABLE c42 AS
SELECT format('%s during %L', text, during) AS input,
	   ARRAY[quantile(p, during, 0), quantile(p, during, 1), quantile(p, during, 0.000000000000000000)] AS got,
	   ARRAY[trough(p, during), peak(p, during), trough(p, during)] AS expected
FROM asked WHERE from_ >= until OR (isfinite(from_) AND isfinite(until));
SELECT pg_temp.agree('c42', 5000, 'quantile 0 is the trough, 1 the peak');

-- ----------
-- duration_above
-- ----------
CREATE TEMP TABLE threshold AS
SELECT asked.*, dense.value + CASE WHEN i < 4 THEN 0 ELSE (i - 5) * ('1e-' || scale(trim_scale(dense.value)))::numeric END AS threshold
FROM (SELECT *, floor(random() * 13)::int - 1 AS k, floor(random() * 7)::int AS i FROM asked) AS asked
JOIN dense ON dense.id = asked.n AND dense.k = asked.k;
CREATE TEMP TABLE c50 AS
WITH duration AS (
	SELECT n, bool_or(value > threshold AND (part.from_ = '-infinity' OR part.until = 'infinity')) AS infinite,
		   sum(CASE WHEN value <= threshold OR part.from_ = '-infinity' OR part.until = 'infinity' THEN 0 ELSE pg_temp.microseconds(part.from_, part.until) END) AS length
	FROM part JOIN threshold USING (n) GROUP BY n
)
SELECT format('%s above %s during %L', text, threshold, during) AS input,
	   pg_temp.try_duration_above(p, threshold, during) AS got,
	   CASE WHEN NOT pg_temp.fits(scale(trim_scale(threshold)), abs(threshold)) THEN CASE WHEN during IS NOT NULL THEN 'ERROR 22003' END
			WHEN infinite OR length > 9223372036854775807 THEN 'ERROR 22015'
			WHEN during IS NOT NULL THEN
				lpad(div(coalesce(length, 0), 3600000000)::text, greatest(2, length(div(coalesce(length, 0), 3600000000)::text)), '0')
				|| ':' || lpad((div(coalesce(length, 0), 60000000) % 60)::text, 2, '0') || ':' || lpad((div(coalesce(length, 0), 1000000) % 60)::text, 2, '0')
				|| CASE WHEN length % 1000000 > 0 THEN rtrim('.' || lpad((length % 1000000)::bigint::text, 6, '0'), '0') ELSE '' END
	   END AS expected
FROM threshold LEFT JOIN duration USING (n);
SELECT pg_temp.agree('c50', 6720, 'duration_above is the time with more, in hours, minutes and seconds');
SELECT ok(count(*) FILTER (WHERE expected = 'ERROR 22015') > 200, 'infinite durations were tried') FROM c50;

-- ----------
-- earliest_fit
-- ----------
-- durations that fit exactly, and that are a microsecond too long
CREATE TEMP TABLE wish AS
SELECT row_number() OVER () AS w, asked.*, least(dense.value, other.value) AS quantity, 1 + floor(random() ^ 2 * 4)::int AS nth,
	   CASE WHEN b.at - a.at > '1 day' AND random() < 0.3 THEN justify_hours(b.at - a.at) ELSE b.at - a.at END
	   + CASE WHEN random() < 0.2 AND asked.c % 24 NOT IN (3, 8) THEN interval '1 microsecond' ELSE '0' END AS duration
FROM (SELECT *, floor(random() * 13)::int - 1 AS k, floor(random() * 13)::int - 1 AS o, floor(random() * 8)::int AS i, 1 + floor(random() ^ 3 * 4)::int AS l
	  FROM asked, generate_series(1, 2) WHERE asked.c % 24 <> 13) AS asked
JOIN dense ON dense.id = asked.n AND dense.k = asked.k
JOIN dense AS other ON other.id = asked.n AND other.k = o
JOIN grid AS a ON a.c = asked.c AND a.k = i
JOIN grid AS b ON b.c = asked.c AND b.k = i + l;
CREATE INDEX ON wish (n);
ANALYZE wish;
CREATE TEMP TABLE c60 AS
WITH candidate AS (
	-- where it gets free, or the time begins
	SELECT w, wish.n, quantity, duration, nth, part.from_ AS start, pg_temp.later(part.from_, duration) AS stop, wish.until
	FROM wish JOIN part USING (n)
	WHERE value >= quantity AND part.from_ > '-infinity'
	  AND NOT EXISTS (SELECT FROM part AS before WHERE before.n = part.n AND before.until = part.from_ AND before.value >= quantity)
), fit AS (
	SELECT *, row_number() OVER (PARTITION BY w ORDER BY start) AS number
	FROM candidate
	WHERE (stop <= until OR until = 'infinity')
	  AND NOT EXISTS (SELECT FROM part WHERE part.n = candidate.n AND part.from_ < coalesce(stop, 'infinity') AND part.until > start AND value < quantity)
)
SELECT format('earliest_fit(%L, %s, %L, %L, %s)', text, wish.quantity, wish.duration, during, wish.nth) AS input,
	   pg_temp.try_earliest_fit(p, wish.quantity, wish.duration, during, wish.nth) AS got,
	   CASE WHEN during IS NULL THEN NULL
			WHEN wish.from_ = '-infinity' AND wish.from_ < wish.until THEN 'ERROR 22023'
			WHEN stop IS NOT NULL THEN tstzrange(start, stop)::text
	   END AS expected
FROM wish LEFT JOIN fit ON fit.w = wish.w AND number = wish.nth;
SELECT pg_temp.agree('c60', 12000, 'earliest_fit is the first place found by trying all of them');
SELECT ok(count(*) FILTER (WHERE got LIKE '[%') > 2500 AND count(*) FILTER (WHERE got IS NULL) > 1000, 'and sometimes there is none') FROM c60;

-- what is found is free throughout, and nothing earlier is
CREATE TEMP TABLE c61 AS
SELECT format('earliest_fit(%L, %s, %L, %L, %s)', text, quantity, duration, during, nth) AS input,
	   ARRAY[trough(p, fit) >= quantity, fit <@ tstzrange(nullif(from_, '-infinity'), nullif(until, 'infinity')),
			 earliest_fit(p, quantity, duration, tstzrange(from_, upper(fit) - interval '1 microsecond'), nth) IS NULL,
			 earliest_fit(p, quantity, duration, fit) = fit] AS got,
	   ARRAY[true, true, true, true] AS expected
FROM (SELECT *, earliest_fit(p, quantity, duration, during, nth) AS fit FROM wish WHERE from_ > '-infinity' AND from_ < until) AS w
WHERE fit IS NOT NULL;
SELECT pg_temp.agree('c61', 2000, 'earliest_fit: free throughout, within the time, none earlier');

-- ----------
-- sparkline
-- ----------
CREATE TEMP TABLE drawn AS
SELECT asked.*, 1 + floor(random() * 30)::int AS width,
	   CASE WHEN from_ < until AND isfinite(from_) AND isfinite(until) THEN pg_temp.microseconds(from_, until) END AS length
FROM asked;
CREATE TEMP TABLE c70 AS
WITH cell AS (
	SELECT n, i, width, length, div(length * i, width) AS from_, div(length * (i + 1), width) AS until
	FROM drawn, generate_series(0, width - 1) AS i WHERE length IS NOT NULL
), relative AS (
	SELECT part.n, value, pg_temp.microseconds(asked.from_, part.from_) AS from_, pg_temp.microseconds(asked.from_, part.until) AS until
	FROM part JOIN asked USING (n) JOIN drawn USING (n) WHERE length IS NOT NULL
), peak AS (
	-- a cell shorter than a microsecond shows the instant that it is in
	SELECT n, i, max(value) AS peak
	FROM cell JOIN relative USING (n)
	WHERE relative.from_ < greatest(cell.until, cell.from_ + 1) AND relative.until > cell.from_
	GROUP BY n, i
), bound AS (
	SELECT n, least(min(peak), 0) AS low, greatest(max(peak), 0) AS high FROM peak GROUP BY n
), line AS (
	SELECT n, string_agg(substr('▁▂▃▄▅▆▇█', 1 + CASE WHEN high > low THEN div((peak - low) * 7, high - low)::int ELSE 0 END, 1), '' ORDER BY i) AS line
	FROM peak JOIN bound USING (n) GROUP BY n
)
SELECT format('sparkline(%L, %L, %s)', text, during, width) AS input,
	   pg_temp.try_sparkline(p, during, width) AS got,
	   CASE WHEN from_ < until AND during IS NOT NULL AND length IS NULL THEN 'ERROR 22023' ELSE line END AS expected
FROM drawn LEFT JOIN line USING (n);
SELECT pg_temp.agree('c70', 6720, 'sparkline shows the peaks of equal pieces');

CREATE TEMP TABLE c71 AS
SELECT format('sparkline(%L, %L, %s)', text, during, width) AS input,
	   ARRAY[length(line) = width, line ~ '^[▁▂▃▄▅▆▇█]*$', line COLLATE "C" <= greater COLLATE "C" OR peak(p, during) > 1000] AS got,
	   ARRAY[true, true, true] AS expected
FROM (SELECT *, sparkline(p, during, width) AS line,
			 -- more everywhere but at the peak: no block gets lower
			 sparkline(pointwise_max(p, pointwise_min(p + '{"-infinity": 1}', profile(greatest(peak(p, during), 0)))), during, width) AS greater
	  FROM drawn WHERE length IS NOT NULL AND c % 7 IN (0, 1, 5) AND trough(p, during) >= 0) AS d;
SELECT pg_temp.agree('c71', 500, 'sparkline: of its width, and monotone');
CREATE TEMP TABLE c72 AS
SELECT format('sparkline(%L, %L)', text, during) AS input,
	   ARRAY[sparkline(p, during) = sparkline(p, during, 60), length(sparkline(p, during, 10000)) = 10000] AS got, ARRAY[true, true] AS expected
FROM drawn WHERE length IS NOT NULL AND c % 10 = 0;
SELECT pg_temp.agree('c72', 300, 'sparkline has a width of 60 by default, and of 10000 at most');

-- ----------
-- shift
-- ----------
CREATE TEMP TABLE shifted AS
SELECT id AS n, p, text, CASE floor(random() * 6)
		WHEN 0 THEN make_interval(secs => floor(random() * 21) / 1000000 - 0.000010)
		WHEN 1 THEN make_interval(days => floor(random() * 800)::int - 400)
		WHEN 2 THEN make_interval(days => floor(random() * 800)::int - 400, hours => floor(random() * 100)::int - 50, secs => random() * 1000)
		WHEN 3 THEN make_interval(days => (floor(random() * 3) - 1)::int * 106000000, hours => floor(random() * 100)::int - 50)
		WHEN 4 THEN make_interval(days => floor(random() * 10)::int) - make_interval(secs => random() * 1000000)
		ELSE make_interval(hours => floor(random() * 2000000000)::int - 1000000000) END AS by
FROM pool;
CREATE TEMP TABLE t AS
-- only instants that are breakpoints matter
SELECT n, k, CASE k WHEN -1 THEN at ELSE pg_temp.later(at, extract(day FROM by)::int * interval '24 hours' + (by - extract(day FROM by)::int * interval '1 day')) END AS at, value
FROM shifted JOIN (SELECT *, lag(value, 1, 0::numeric) OVER (PARTITION BY id ORDER BY k) AS previous FROM dense) AS d ON id = n
WHERE value <> previous;
CREATE TEMP TABLE c80 AS
SELECT format('shift(%L, %L)', text, by) AS input, pg_temp.try_shift(p, by) AS got,
	   CASE WHEN EXISTS (SELECT FROM t WHERE t.n = shifted.n AND at IS NULL) THEN 'ERROR 22008' ELSE coalesce(profile, '{}') END AS expected
FROM shifted LEFT JOIN pg_temp.profiles('t') USING (n);
SELECT pg_temp.agree('c80', 6720, 'shift moves every instant but -infinity');
SELECT ok(count(*) FILTER (WHERE expected = 'ERROR 22008') > 500, 'and is an error when one leaves the range') FROM c80;
DROP TABLE t;
SET LOCAL timezone = 'Europe/Berlin';
CREATE TEMP TABLE c81 AS
SELECT text AS input, pg_temp.try_shift(p, make_interval(days => i)) AS got, pg_temp.try_shift(p, make_interval(hours => 24 * i)) AS expected
FROM pool, LATERAL (SELECT floor(random() * 500)::int - 250 + 0 * id AS i) AS d;
SET LOCAL timezone = 'UTC';
SELECT pg_temp.agree('c81', 6720, 'shift: a day has 24 hours whatever the time zone');

-- ----------
-- gauge_profile
-- ----------
CREATE TEMP TABLE sample AS
SELECT n, r, c, CASE WHEN dice < 0.04 THEN NULL ELSE (SELECT at FROM grid WHERE grid.c = s.c AND grid.k = s.k) END AS at,
	   CASE WHEN dice BETWEEN 0.04 AND 0.08 THEN NULL ELSE value END AS value
FROM (SELECT n, r, n % 120 AS c, floor(random() * 14)::int - 1 AS k, random() AS dice, pg_temp.quantity(n % 120, n / 120) AS value
	  FROM generate_series(1, 7200) AS n, generate_series(1, 10) AS r WHERE r <= 1 + n % 10) AS s;
-- the same again, written in another way; and in one of ten cases another value
INSERT INTO sample
SELECT n, r + 100, c, at, (CASE WHEN value = 0 THEN '0' ELSE value::text END || CASE WHEN scale(value) > 0 THEN '0' ELSE '.000' END)::numeric FROM sample WHERE random() < 0.2;
DELETE FROM sample AS s WHERE n % 10 <> 3 AND EXISTS (SELECT FROM sample AS o WHERE o.n = s.n AND o.at = s.at AND o.value <> s.value AND o.r < s.r);
CREATE TEMP TABLE c90 AS
WITH distinct_sample AS (
	SELECT n, at, min(value) AS value, min(value) < max(value) AS conflict
	FROM sample WHERE at < 'infinity' AND value IS NOT NULL GROUP BY n, at
), step AS (
	SELECT *, lag(value, 1, 0::numeric) OVER (PARTITION BY n ORDER BY at) AS previous FROM distinct_sample
), reference AS (
	SELECT n, bool_or(conflict) AS conflict, pg_temp.fits(max(scale(trim_scale(value))), max(abs(value))) AS fits,
		   '{' || coalesce(string_agg(format('"%s": %s', at, trim_scale(value)), ', ' ORDER BY at) FILTER (WHERE value <> previous), '') || '}' AS profile
	FROM step GROUP BY n
), given AS (
	SELECT n, array_agg(at ORDER BY random()) AS at, array_agg(value) AS value, bool_or(at IS NOT NULL AND value IS NOT NULL) AS any_
	FROM (SELECT * FROM sample ORDER BY random()) AS s GROUP BY n
)
SELECT string_agg(format('(%L, %s)', at, value), ', ' ORDER BY r) AS input,
	   pg_temp.try_gauge(array_agg(at ORDER BY dice), array_agg(value ORDER BY dice)) AS got,
	   CASE WHEN conflict THEN 'ERROR 21000' WHEN NOT fits THEN 'ERROR 22003'
			WHEN bool_or(at IS NOT NULL AND value IS NOT NULL) THEN coalesce(profile, '{}') END AS expected
FROM (SELECT *, random() AS dice FROM sample) AS s LEFT JOIN reference USING (n)
GROUP BY n, profile, conflict, fits;
SELECT pg_temp.agree('c90', 7200, 'gauge_profile: each sample holds until the next one');
SELECT ok(count(*) FILTER (WHERE expected = 'ERROR 21000') > 200 AND count(*) FILTER (WHERE expected IS NULL) > 20 AND count(*) FILTER (WHERE expected = '{}') > 20,
		  'conflicts, nothing and only zero were tried') FROM c90;
CREATE TEMP TABLE c91 AS
SELECT text AS input, (SELECT gauge_profile(coalesce(lower(period), '-infinity'), quantity ORDER BY random()) FROM steps(p)) AS got, p AS expected FROM pool;
SELECT pg_temp.agree('c91', 6720, 'gauge_profile takes back what steps gives');

-- ----------
-- max(profile), min(profile)
-- ----------
CREATE TEMP TABLE chosen AS
SELECT n, r, n % 120 * 56 + floor(random() * 56)::int AS id, random() < 0.08 OR n % 70 = 0 AS is_null
FROM (SELECT n, (ARRAY[1, 1, 2, 2, 2, 3, 3, 3, 7, 7, 8])[1 + n % 11] AS size FROM generate_series(1, 5600) AS n
	  UNION ALL SELECT n, 64 FROM generate_series(5601, 5840) AS n) AS s, generate_series(1, size) AS r;
CREATE INDEX ON chosen (n);
ANALYZE chosen;
CREATE TEMP TABLE summary AS
SELECT n, at, max(value) AS largest, min(value) AS least, max(abs(value)) AS widest, max(scale(trim_scale(value))) AS scale
FROM chosen JOIN dense USING (id) WHERE NOT is_null GROUP BY n, at;
CREATE TEMP TABLE given AS
SELECT n, string_agg(CASE WHEN is_null THEN 'NULL' ELSE text END, ', ' ORDER BY r) AS input,
	   array_agg(CASE WHEN NOT is_null THEN p END ORDER BY r) AS p, array_agg(CASE WHEN NOT is_null THEN p END ORDER BY r DESC) AS reversed
FROM chosen JOIN pool USING (id) GROUP BY n;
-- values that do not go together are an error, even if the result has only one of them: else it would depend on the order
CREATE TEMP TABLE mixed AS SELECT n FROM summary GROUP BY n HAVING NOT pg_temp.fits(max(scale), max(widest));
CREATE TEMP TABLE t AS SELECT n, at, largest AS value FROM summary;
CREATE TEMP TABLE c100 AS
SELECT input, ARRAY[pg_temp.try_largest(p), pg_temp.try_largest(reversed)] AS got,
	   array_fill(CASE WHEN n IN (TABLE mixed) THEN 'ERROR 22003' ELSE profile END, ARRAY[2]) AS expected
FROM given LEFT JOIN pg_temp.profiles('t') USING (n);
UPDATE t SET value = least FROM summary WHERE summary.n = t.n AND summary.at = t.at;
CREATE TEMP TABLE c101 AS
SELECT input, ARRAY[pg_temp.try_least(p), pg_temp.try_least(reversed)] AS got,
	   array_fill(CASE WHEN n IN (TABLE mixed) THEN 'ERROR 22003' ELSE profile END, ARRAY[2]) AS expected
FROM given LEFT JOIN pg_temp.profiles('t') USING (n);
DROP TABLE t;
SELECT pg_temp.agree('c100', 5800, 'max(profile) is the greatest at every instant, in any order');
SELECT pg_temp.agree('c101', 5800, 'min(profile) is the least at every instant, in any order');
SELECT ok(count(*) FILTER (WHERE expected[1] = 'ERROR 22003') > 200 AND count(*) FILTER (WHERE expected[1] IS NULL) > 50, 'errors and nothing were tried') FROM c101;

-- any grouping: 20 profiles, cut at random places
CREATE TEMP TABLE grouped AS
SELECT n, r, id, floor(random() * (1 + n % 6))::int AS part
FROM (SELECT n, r, n % 120 * 56 + floor(random() * 56)::int AS id FROM generate_series(1, 6000) AS n, generate_series(1, 20) AS r
	  WHERE n % 120 % 7 <> 6) AS s;
CREATE TEMP TABLE c103 AS
SELECT format('%s: %s', n, array_agg(ids)) AS input, ARRAY[max(largest), min(least)] AS got, min(expected) AS expected
FROM (SELECT n, part, string_agg(id::text, ' ') AS ids, max(p) AS largest, min(p) AS least FROM grouped JOIN pool USING (id) GROUP BY n, part) AS g
JOIN (SELECT n, ARRAY[max(p), min(p)] AS expected FROM grouped JOIN pool USING (id) GROUP BY n) AS whole USING (n)
GROUP BY n;
SELECT pg_temp.agree('c103', 5000, 'max and min of profiles: of parts, then of the parts, is of the whole');

-- ----------
-- Casts
-- ----------
CREATE TEMP TABLE c110 AS
SELECT text AS input, ARRAY[p::jsonb::text, p::jsonb::profile::text] AS got, ARRAY[text::jsonb::text, text] AS expected FROM pool;
SELECT pg_temp.agree('c110', 6720, 'to jsonb and back');

CREATE TEMP TABLE periods AS
SELECT n, c, range_agg(r) AS periods
FROM (SELECT n, c, pg_temp.random_range(c) AS r
	  FROM (SELECT n, n % 120 AS c, i FROM generate_series(1, 6000) AS n, generate_series(1, 6) AS i WHERE i <= 1 + n % 6) AS s) AS r
-- all of time is of no use here
WHERE NOT (lower_inf(r) AND upper_inf(r) AND random() < 0.9) GROUP BY n, c;
UPDATE periods SET periods = '{}' WHERE n % 100 = 0;
-- breakpoints, and a microsecond around them
CREATE TEMP TABLE c111 AS
SELECT format('%L at %s', periods, at) AS input, value_at(periods::profile, at) AS got, CASE WHEN periods @> at THEN 1 ELSE 0 END::numeric AS expected
FROM periods, LATERAL (SELECT CASE WHEN c % 24 IN (3, 8, 13) THEN at ELSE at + (floor(random() * 11)::int - 5) * interval '1 microsecond' END AS at
					   FROM grid WHERE grid.c = periods.c AND k BETWEEN 0 AND 11) AS probe;
SELECT pg_temp.agree('c111', 60000, 'the profile of a multirange is 1 where it contains the instant');
CREATE TEMP TABLE t AS
WITH change AS (
	SELECT n, pg_temp.span_from(r) AS at, 1 AS change FROM periods, unnest(periods) AS r
	UNION ALL SELECT n, pg_temp.span_until(r), -1 FROM periods, unnest(periods) AS r
)
SELECT n, at, sum(sum(change)) OVER (PARTITION BY n ORDER BY at)::numeric AS value FROM change GROUP BY n, at;
CREATE TEMP TABLE c112 AS
SELECT periods::text AS input, ARRAY[periods::profile::text, profile(periods)::text] AS got, array_fill(coalesce(profile, '{}'), ARRAY[2]) AS expected
FROM periods LEFT JOIN pg_temp.profiles('t') USING (n);
SELECT pg_temp.agree('c112', 5500, 'the profile of a multirange is the sum of those of its ranges');
DROP TABLE t;
CREATE TEMP TABLE c113 AS
SELECT periods::text AS input, (SELECT coalesce(range_agg(period), '{}')::profile FROM steps(periods::profile) WHERE quantity = 1) AS got, periods::profile AS expected
FROM periods;
SELECT pg_temp.agree('c113', 5500, 'a profile''s periods make the same profile');

-- ----------
-- Time zones: days when the clocks there change, both ways; one that was
-- skipped; and the end of a month
-- ----------
CREATE TEMP TABLE event (e int, zone text, day timestamp);
INSERT INTO event VALUES
	(0, 'Europe/Berlin', '2026-03-29'), (1, 'Europe/Berlin', '2026-10-25'),
	(2, 'America/Sao_Paulo', '2018-11-04'), (3, 'America/Sao_Paulo', '2018-02-18'),
	(4, 'Australia/Lord_Howe', '2026-10-04'), (5, 'Australia/Lord_Howe', '2026-04-05'),
	(6, 'Pacific/Apia', '2011-12-30'), (7, 'Asia/Kolkata', '2026-01-31'),
	(8, 'Europe/Berlin', '2026-01-31'), (9, 'America/Sao_Paulo', '2018-10-31'), (10, 'UTC', '2028-02-29'), (11, 'Pacific/Apia', '2011-11-30');

-- ----------
-- buckets
-- ----------
CREATE TEMP TABLE bucketed AS
SELECT n, zone, bucket, local, calendar, tstzrange(start, CASE WHEN calendar THEN (start AT TIME ZONE zone + whole * bucket + part * bucket) AT TIME ZONE zone
															  ELSE start + whole * bucket + part * bucket END, bounds) AS during
FROM (SELECT n, zone, bucket, calendar, local, local AT TIME ZONE zone AS start,
			 floor(random() * 7)::int AS whole, (ARRAY[0, 0, 0.5, 0.999])[1 + floor(random() * 4)] AS part,
			 (ARRAY['[)', '[)', '[)', '[]', '(]', '()'])[1 + floor(random() * 6)] AS bounds
	  FROM (SELECT n, e, (ARRAY['1 day', '1 hour', '1 day', '15 minutes', '1 month', '90 minutes', '1 week', '6 hours', '1 month', '24 hours', '1 year',
								'1 day 6 hours', '1 month 1 day', '2 days', '30 minutes', '3 months', '1.5 seconds', '1 day 00:00:00.000001'])[1 + floor(random() * 18)]::interval AS bucket
			FROM (SELECT n, n % 12 AS e FROM generate_series(1, 6600) AS n) AS s) AS u
	  JOIN event USING (e),
	  LATERAL (SELECT extract(day FROM bucket) <> 0 OR extract(month FROM bucket) <> 0 OR extract(year FROM bucket) <> 0 AS calendar,
					  day - floor(random() * 4)::int * CASE WHEN bucket < '12 hours' THEN interval '1 hour' ELSE least(bucket, '1 month') END
					  + (ARRAY['0', '00:00', '00:30', '02:00', '02:30', '03:00', '01:30', '23:30', '09:00', '12:34:56.789012'])[1 + floor(random() * 10)]::interval AS local) AS l) AS w
-- (where a skipped day ends before it begins)
WHERE whole >= 0;
ALTER TABLE bucketed ADD PRIMARY KEY (n);
CREATE TEMP TABLE span AS
SELECT *, pg_temp.span_from(during) AS from_, pg_temp.span_until(during) AS until FROM bucketed;
-- breakpoints at random, some of them on the edges of the buckets
CREATE TEMP TABLE bucket_piece AS
SELECT n, at AS from_, lead(at, 1, 'infinity') OVER (PARTITION BY n ORDER BY at) AS until, value
FROM (SELECT DISTINCT ON (n, at) n, at, value
	  FROM (SELECT n, coalesce(from_, local AT TIME ZONE zone) + CASE i % 2 WHEN 0 THEN (random() * 8 - 1) * bucket ELSE (floor(random() * 9)::int - 1) * bucket END AS at,
				   (floor(random() * 2001)::numeric - 500) / (ARRAY[1, 4, 1000])[1 + n % 3] AS value
			FROM span, generate_series(1, 8) AS i WHERE i <= n % 9
			UNION ALL SELECT n, '-infinity', CASE WHEN n % 5 = 0 THEN 7.5 ELSE 0 END FROM span) AS s
	  ORDER BY n, at) AS d;
CREATE INDEX ON bucket_piece (n);
ANALYZE bucket_piece;
CREATE TEMP TABLE t AS SELECT n, from_ AS at, value FROM bucket_piece;
CREATE TEMP TABLE measured_bucket AS
SELECT span.*, profile AS text, profile::profile AS p FROM span JOIN pg_temp.profiles('t') USING (n);
ALTER TABLE measured_bucket ADD PRIMARY KEY (n);
DROP TABLE t;
CREATE TEMP TABLE c120 AS
WITH edge AS (
	SELECT n, i, until, CASE WHEN i = 0 THEN from_
							 WHEN calendar THEN (from_ AT TIME ZONE zone + i * bucket) AT TIME ZONE zone
							 ELSE from_ + i * bucket END AS start
	FROM span, generate_series(0, 14) AS i
	WHERE from_ < until
), increasing AS (
	-- a day that a time zone skipped is none
	SELECT *, max(start) OVER (PARTITION BY n ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM edge
), bucket AS (
	SELECT n, i, start, least(lead(start, 1, until) OVER (PARTITION BY n ORDER BY i), until) AS stop
	FROM increasing WHERE (before IS NULL OR start > before) AND start < until
), measured AS (
	SELECT n, i, start, stop, max(value) AS peak,
		   sum(value * pg_temp.microseconds(greatest(start, from_), least(stop, bucket_piece.until))) AS quantity_time
	FROM bucket JOIN bucket_piece USING (n)
	WHERE from_ < stop AND bucket_piece.until > start
	GROUP BY n, i, start, stop
), reference AS (
	SELECT n, string_agg(format('%s %s %s %s', tstzrange(start, stop),
								trim_scale(trim_scale(quantity_time) / pg_temp.microseconds(start, stop)), trim_scale(peak),
								trim_scale(pg_temp.in_units(quantity_time, 3600000000))), '; ' ORDER BY i) AS expected
	FROM measured
	GROUP BY n
)
SELECT format('buckets(%L, %L, %L, %L)', text, during, bucket, zone) AS input,
	   pg_temp.try_buckets(p, during, bucket, zone) AS got, expected
FROM measured_bucket LEFT JOIN reference USING (n);
SELECT pg_temp.agree('c120', 6600, 'buckets: local time makes them, pieces measure them');
SELECT ok(count(*) FILTER (WHERE got LIKE '%;%') > 4000 AND count(*) FILTER (WHERE got IS NULL) BETWEEN 50 AND 2000, 'buckets: several, and sometimes none') FROM c120;

CREATE TEMP TABLE c121 AS
SELECT format('buckets(%L, %L, %L, %L)', text, during, bucket, zone) AS input,
	   (SELECT ARRAY[sum(integral(p, b.period, '1 second')), max(b.peak), count(*) FILTER (WHERE b.mean * extract(epoch FROM upper(b.period) - lower(b.period)) NOT BETWEEN b.integral * 3600 - 1e-6 AND b.integral * 3600 + 1e-6)]
		FROM buckets(p, during, bucket, zone) AS b) AS got,
	   ARRAY[CASE WHEN from_ < until THEN integral(p, during, '1 second') END, peak(p, during), 0] AS expected
FROM measured_bucket;
SELECT pg_temp.agree('c121', 6600, 'buckets add up to the whole');

CREATE TEMP TABLE in_utc AS
SELECT n, array_agg(b.period ORDER BY o) AS periods, sum(b.mean) AS mean, sum(b.peak) AS peak, sum(b.integral) AS integral FROM measured_bucket, buckets(p, during, bucket, zone) WITH ORDINALITY AS b(period, mean, peak, integral, o) GROUP BY n;
SET LOCAL timezone = 'Australia/Lord_Howe';
SET LOCAL datestyle = 'SQL, DMY';
CREATE TEMP TABLE c122 AS
SELECT format('buckets(%L, %L, %L, %L)', text, during, bucket, zone) AS input,
	   (SELECT ROW(array_agg(b.period ORDER BY o), sum(b.mean), sum(b.peak), sum(b.integral))::text
		FROM buckets(p, during, bucket, zone) WITH ORDINALITY AS b(period, mean, peak, integral, o)) AS got, ROW(periods, mean, peak, integral)::text AS expected
FROM measured_bucket JOIN in_utc USING (n);
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SELECT pg_temp.agree('c122', 5000, 'buckets: the session''s time zone and DateStyle do not matter');

-- ----------
-- repeat
-- ----------
CREATE TEMP TABLE schedule AS
SELECT n, zone, every, calendar, first,
	   tstzrange(a, a + (length * 1.0) * every, (ARRAY['[)', '[)', '[)', '[]', '(]', '()'])[1 + floor(random() * 6)]) AS during
FROM (SELECT n, zone, every, calendar, first, first AT TIME ZONE zone + (random() * 12 - 6) * every AS a, random() ^ 2 * 7 AS length
	  FROM (SELECT n, n % 12 AS e, (ARRAY['1 day', '1 week', '1 month', '6 hours', '1 day', '24 hours', '90 minutes', '1 day 12 hours', '2 days', '1 month 15 days', '1 year'])[1 + floor(random() * 11)]::interval AS every
			FROM generate_series(1, 7000) AS n) AS u
	  JOIN event USING (e),
	  LATERAL (SELECT extract(day FROM every) <> 0 OR extract(month FROM every) <> 0 OR extract(year FROM every) <> 0 AS calendar,
					  day + (floor(random() * 13)::int - 6) * CASE WHEN every < '1 day' THEN interval '6 hours' ELSE least(every, '1 week') END
					  + (ARRAY['0', '00:00', '00:30', '02:00', '02:30', '03:00', '01:30', '23:30', '09:00', '12:34:56.789012'])[1 + floor(random() * 10)]::interval AS first) AS f) AS w;
-- what it says: one to five steps, the first one at its start, in local time; some after the first period
CREATE TEMP TABLE example AS
SELECT n, zone, every, calendar, i, at, at AT TIME ZONE zone AS local, value
FROM (SELECT n, zone, every, calendar, at, value, row_number() OVER (PARTITION BY n ORDER BY at) - 1 AS i
	  FROM (SELECT DISTINCT ON (n, at) n, zone, every, calendar, (first + part * every) AT TIME ZONE zone AS at,
				   CASE WHEN part = 0 THEN 100 ELSE floor(random() * 9)::numeric END AS value
			FROM (SELECT schedule.*, CASE i WHEN 1 THEN 0 ELSE round((random() * 1.2)::numeric, 2) END AS part
				  FROM schedule, generate_series(1, 5) AS i WHERE i <= 1 + n % 5) AS s
			ORDER BY n, at, part) AS d) AS e;
-- only steps that change something are there to be repeated
DELETE FROM example WHERE (n, i) IN (SELECT n, i FROM (SELECT *, lag(value) OVER (PARTITION BY n ORDER BY i) AS previous FROM example) AS e WHERE value = previous);
ANALYZE example;
CREATE TEMP TABLE t AS SELECT n, at, value FROM example UNION ALL SELECT n, '-infinity', 5 FROM schedule WHERE n % 7 = 0;
CREATE TEMP TABLE repeated AS
SELECT schedule.*, profile AS text, profile::profile AS p, pg_temp.span_from(during) AS from_, pg_temp.span_until(during) AS until
FROM schedule JOIN pg_temp.profiles('t') USING (n);
ALTER TABLE repeated ADD PRIMARY KEY (n);
DROP TABLE t;
CREATE TEMP TABLE copy AS
SELECT example.n, m, i, m * 100 + i AS number, value, example.at < second.at AS shown,
	   CASE WHEN calendar THEN (local + m * every) AT TIME ZONE zone ELSE example.at + m * every END AS at
FROM example, generate_series(-14, 16) AS m,
	 LATERAL (SELECT CASE WHEN calendar THEN (o.local + every) AT TIME ZONE zone ELSE o.at + every END AS at FROM example AS o WHERE o.n = example.n AND o.i = 0) AS second;
CREATE INDEX ON copy (n, m) WHERE i = 0;
ANALYZE copy;
-- those that matter; none begins before its copy does
CREATE TEMP TABLE used AS
SELECT copy.n, copy.m, copy.i, copy.number, copy.shown, greatest(copy.at, start.at) AS at, copy.at AS raw, from_, until, next.at AS next
FROM copy JOIN repeated USING (n)
JOIN copy AS start ON start.n = copy.n AND start.m = copy.m AND start.i = 0
JOIN copy AS next ON next.n = copy.n AND next.m = copy.m + 1 AND next.i = 0
WHERE from_ < until AND start.at < until AND next.at > from_;
CREATE INDEX ON used (n);
ANALYZE used;
-- a step after the first period that comes back in a longer one; a step in a skipped hour, with another one after it
CREATE TEMP TABLE odd AS
SELECT DISTINCT n, kind
FROM (SELECT n, 'after' AS kind FROM used WHERE NOT shown AND at < next
	  UNION ALL
	  SELECT n, 'skipped' FROM (SELECT n, raw, max(raw) OVER (PARTITION BY n, m ORDER BY i) AS latest FROM used WHERE shown) AS o WHERE raw < latest) AS o;
CREATE TEMP TABLE t AS
WITH running AS (
	-- of what began by then, the last one in order of the schedule
	SELECT n, at, from_, until, max(number) OVER (PARTITION BY n ORDER BY at) AS number
	FROM used WHERE shown AND at < next
)
SELECT DISTINCT ON (r.n, greatest(r.at, from_)) r.n, greatest(r.at, from_) AS at, copy.value
FROM running AS r JOIN copy USING (n, number)
WHERE r.at < until
ORDER BY r.n, greatest(r.at, from_), r.number DESC;
INSERT INTO t SELECT n, until, 0 FROM repeated WHERE from_ < until;
CREATE TEMP TABLE c130 AS
SELECT n, format('repeat(%L, %L, %L, %L)', text, every, during, zone) AS input,
	   pg_temp.try_repeat(p, every, during, zone) AS got, coalesce(profile, '{}') AS expected
FROM repeated LEFT JOIN pg_temp.profiles('t') USING (n);
CREATE TEMP TABLE c131 AS SELECT c130.* FROM c130 JOIN odd USING (n) WHERE kind = 'after';
DELETE FROM c130 WHERE n IN (SELECT n FROM odd WHERE kind = 'after');
DROP TABLE t;
SELECT pg_temp.agree('c130', 6000, 'repeat: local time repeats the steps');
SELECT ok(count(*) > 10, 'with steps in a skipped hour before others') FROM c130 JOIN odd USING (n);
SELECT pg_temp.agree('c131', 10, 'repeat: steps after the first period are left out');

-- and not by that of the session
SET LOCAL timezone = 'America/Sao_Paulo';
SET LOCAL datestyle = 'German';
CREATE TEMP TABLE c134 AS
SELECT format('repeat(%L, %L, %L, %L)', text, every, during, zone) AS input, pg_temp.try_repeat(p, every, during, zone)::jsonb::profile AS got, c130.got::profile AS expected
FROM repeated JOIN c130 USING (n);
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SELECT pg_temp.agree('c134', 6000, 'repeat: the session''s time zone and DateStyle do not matter');

-- what the clocks there say decides; on days when they change, too. Not at night, see above
CREATE TEMP TABLE weekly AS
SELECT n, zone, every, p, repeat(p, every, tstzrange(day AT TIME ZONE zone - interval '40 days', day AT TIME ZONE zone + interval '40 days'), zone) AS r, day
FROM (SELECT n, zone, day, every,
			 (SELECT gauge_profile((date_trunc('day', day) - interval '30 days'
									+ make_interval(days => floor(random() * extract(day FROM every))::int, mins => 300 + i * 160 + floor(random() * 150)::int)) AT TIME ZONE zone,
								   floor(random() * 50)::numeric)
			  FROM generate_series(0, n % 6) AS i) AS p
	  FROM (SELECT n, (ARRAY['1 day', '7 days', '2 days', '5 days'])[1 + n % 4]::interval AS every FROM generate_series(1, 1500) AS n) AS s
	  JOIN event ON e = n % 12) AS w;
CREATE TEMP TABLE c133 AS
SELECT format('repeat of %s every %s in %s at %s', p, every, zone, local) AS input, value_at(r, local AT TIME ZONE zone) AS got, value_at(r, (local + every) AT TIME ZONE zone) AS expected
FROM weekly, generate_series(1, 8) AS i,
	 LATERAL (SELECT day + (random() * 60 - 30) * interval '1 day' + 0 * i * n * interval '1 day' AS local) AS l
-- both are what a clock has shown, once; and not what a skipped day left to the one after
WHERE NOT (zone = 'Pacific/Apia' AND tsrange('2011-12-30', '2012-01-01') @> ANY (ARRAY[local, local + every])) AND (local AT TIME ZONE zone) AT TIME ZONE zone = local AND ((local + every) AT TIME ZONE zone) AT TIME ZONE zone = local + every
  AND ((local AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone <> local AND (((local + every) AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone <> local + every
  AND (zone <> 'Australia/Lord_Howe' OR (((local AT TIME ZONE zone) - interval '30 minutes') AT TIME ZONE zone <> local AND (((local + every) AT TIME ZONE zone) - interval '30 minutes') AT TIME ZONE zone <> local + every));
SELECT pg_temp.agree('c133', 10000, 'repeat: the same in every period, by local time');

-- ----------
-- decayed
-- ----------
\set ln2 0.69314718055994530941723212145817656807550013436026
CREATE TEMP TABLE use AS
SELECT n, r, CASE WHEN random() < 0.03 OR n % 90 = 0 THEN NULL ELSE period END AS period, CASE WHEN random() < 0.03 THEN NULL ELSE quantity END AS quantity, half_life, at
FROM (SELECT n, r, half_life, at,
			 CASE WHEN random() < 0.02 THEN 'empty'
				  ELSE tstzrange(CASE WHEN random() > 0.03 THEN s END, CASE WHEN random() > 0.05 THEN s + length END, (ARRAY['[)', '[)', '[)', '[]', '(]', '()'])[1 + floor(random() * 6)]) END AS period,
			 (floor(random() * 2001)::numeric - 300) / (ARRAY[1, 8, 1000])[1 + n % 3] AS quantity
	  FROM (SELECT n, r, half_life, at, at - (random() * 40) ^ (1 + n % 2) * half_life * 0.2 + half_life * 0.5 AS s, (random() * 3) ^ 2 * half_life + interval '2 microseconds' AS length
			FROM (SELECT n, (ARRAY['7 days', '1 hour', '00:00:00.5', '30 days 12:00:00', '1 microsecond', '365 days', '90 seconds'])[1 + n % 7]::interval AS half_life,
						 '2026-03-01 12:00:00+00'::timestamptz + n * interval '7 hours 11.000013 seconds' AS at
				  FROM generate_series(1, 6000) AS n) AS c, generate_series(1, 6) AS r WHERE r <= 1 + n % 6) AS s) AS u;
ANALYZE use;
-- the closed form, with 45 digits after the point
CREATE TEMP TABLE term AS
SELECT n, r, round(coalesce(quantity * h / 1000000 / :ln2 * (exp(round(-e / h * :ln2, 45)) - CASE WHEN from_ = '-infinity' THEN 0 ELSE exp(round(-s / h * :ln2, 45)) END), 0), 45) AS term
FROM (SELECT n, r, quantity, from_, round(extract(epoch FROM half_life) * 1000000, 60) AS h,
			 pg_temp.microseconds(least(until, at), at) AS e, CASE WHEN from_ > '-infinity' THEN pg_temp.microseconds(from_, at) END AS s
	  FROM (SELECT *, pg_temp.span_from(period) AS from_, pg_temp.span_until(period) AS until FROM use
			WHERE period IS NOT NULL AND quantity IS NOT NULL) AS u
	  WHERE from_ < least(until, at)) AS a;
ALTER TABLE term ADD PRIMARY KEY (n, r);
CREATE TEMP TABLE answer AS
SELECT n, string_agg(format('(%L, %s, %L, %L)', period, quantity, half_life, at), ', ' ORDER BY r) AS input,
	   decayed(period, quantity, half_life, at ORDER BY r) AS got, decayed(period, quantity, half_life, at ORDER BY r DESC) AS reversed,
	   decayed(period, quantity, half_life, at ORDER BY random()) AS shuffled,
	   sum(CASE WHEN period IS NOT NULL AND quantity IS NOT NULL THEN coalesce(term, 0) END) AS expected,
	   sum(CASE WHEN period IS NOT NULL AND quantity IS NOT NULL THEN coalesce(round(term, 9), 0) END) AS rounded,
	   coalesce(sum(abs(term)), 0) AS size, count(*) AS rows
FROM use LEFT JOIN term USING (n, r)
GROUP BY n;
CREATE TEMP TABLE c140 AS
SELECT input || format(' got %s expected %s', got * 3600, expected) AS input,
	   ARRAY[(got IS NULL) = (expected IS NULL),
			 coalesce(abs(got * 3600 - expected) <= 0.000000001 * rows + 0.000000000000000001 * size + 0.0000000000000001 * abs(expected), true),
			 coalesce(abs(got * 3600 - expected) < 0.000000000001 * abs(expected) OR abs(expected) < 1000 * rows OR abs(expected) < 0.01 * size, true)] AS got,
	   ARRAY[true, true, true] AS expected
FROM answer;
SELECT pg_temp.agree('c140', 6000, 'decayed is the closed form, within 1e-9 unit-seconds a row');
CREATE TEMP TABLE c141 AS
SELECT input, ARRAY[got, reversed, shuffled] AS got, array_fill(got, ARRAY[3]) AS expected FROM answer;
SELECT pg_temp.agree('c141', 6000, 'decayed is the same in any order of rows');
CREATE TEMP TABLE c142 AS
SELECT input, trim_scale(got) AS got, trim_scale(pg_temp.in_units(trim_scale(rounded) * 1000000, 3600000000)) AS expected
FROM answer WHERE size < 10000 OR size IS NULL;
SELECT pg_temp.agree('c142', 2500, 'decayed: each row rounded to 1e-9, their sum exact');
SELECT is(round(decayed('[2026-01-01,2026-01-04)', 8.0, '7 days', '2026-01-11') * 3600, 2), 896983.10, 'decayed: 8 for 3 days, half-life of 7, after 10 days');
SELECT is(round(decayed(p, 8.0, '7 days', '2026-01-11') * 3600, 2), 896983.10, 'decayed: the same in pieces')
FROM (SELECT tstzrange(s, s + '1 hour') AS p FROM generate_series('2026-01-01'::timestamptz, '2026-01-03 23:00', '1 hour') AS s) AS h;
-- after another half-life, half of it is left
CREATE TEMP TABLE c143 AS
SELECT min(half_life)::text || ': ' || string_agg(format('(%L, %s)', period, quantity), ', ') AS input,
	   abs(decayed(period, quantity, half_life, at + half_life) * 2 - decayed(period, quantity, half_life, at)) * 3600 <= 0.000000002 * count(*) + 0.000000000000001 * abs(decayed(period, quantity, half_life, at)) * 3600 AS got,
	   CASE WHEN count(*) FILTER (WHERE period IS NOT NULL AND quantity IS NOT NULL) > 0 THEN true END AS expected
FROM (SELECT n, period * tstzrange(NULL, at) AS period, quantity, half_life, at FROM use) AS u GROUP BY n;
SELECT pg_temp.agree('c143', 6000, 'decayed: half of it is left after another half-life');

-- ----------
-- load_profile and unit_hours of bigint and integer
-- ----------
CREATE TEMP TABLE whole AS
SELECT n, r, CASE WHEN random() < 0.05 OR n % 60 = 0 THEN NULL ELSE pg_temp.random_range(c) END AS period, pg_temp.random_range(c) AS during,
	   CASE WHEN random() < 0.05 OR n % 60 = 1 THEN NULL
			WHEN c % 3 = 0 THEN floor(random() * 9)::bigint - 3
			WHEN c % 3 = 1 THEN (ARRAY[2147483647, -2147483648, 131071, 131072, -131071, 0])[1 + floor(random() * 6)]
			ELSE (ARRAY[9223372036854775807, -9223372036854775808, -9223372036854775807, 4611686018427387904, -1, 1, 0])[1 + floor(random() * 7)] END::bigint AS quantity
FROM (SELECT n, r, n % 120 AS c FROM generate_series(1, 8000) AS n, generate_series(1, 6) AS r WHERE r <= 1 + n % 6) AS s;
CREATE TEMP TABLE whole_case AS
SELECT n, string_agg(format('(%L, %s)', period, quantity), ', ' ORDER BY r) || format(' during %L', (array_agg(during))[1]) AS input,
	   array_agg(period ORDER BY r) AS period, array_agg(quantity ORDER BY r) AS quantity, (array_agg(during))[1] AS during
FROM whole GROUP BY n;
CREATE TEMP TABLE c150 AS
SELECT input, ARRAY[pg_temp.try_load(period, quantity), pg_temp.try_hours(period, quantity, during)] AS got,
	   ARRAY[pg_temp.try_load(period, quantity::numeric[]), pg_temp.try_hours(period, quantity::numeric[], during)] AS expected FROM whole_case;
SELECT pg_temp.agree('c150', 8000, 'load_profile and unit_hours of bigint are those of numeric');
CREATE TEMP TABLE c151 AS
SELECT input, ARRAY[pg_temp.try_load(period, quantity::int[]), pg_temp.try_hours(period, quantity::int[], during)] AS got,
	   ARRAY[pg_temp.try_load(period, quantity::numeric[]), pg_temp.try_hours(period, quantity::numeric[], during)] AS expected
FROM whole_case WHERE n % 120 % 3 < 2;
SELECT pg_temp.agree('c151', 5000, 'load_profile and unit_hours of integer are those of numeric');
-- literals and parameters without a type do not say which, as for PostgreSQL's own sum()
SELECT throws_ok($$SELECT load_profile('[2026-01-01,2026-01-02)', '8')$$, '42725', NULL, 'load_profile of a literal');
SELECT throws_ok($$SELECT unit_hours('[2026-01-01,2026-01-02)', '8', '[2026-01-01,2026-01-02)')$$, '42725', NULL, 'unit_hours of a literal');

-- ----------
-- What is true of all profiles
-- ----------

-- three on a clock, of which products fit
CREATE TEMP TABLE triple AS
SELECT x.p AS a, y.p AS b, z.p AS c, format('a %s, b %s, c %s', x.text, y.text, z.text) AS input
FROM pool AS x JOIN pool AS y USING (c) JOIN pool AS z USING (c)
WHERE c % 7 IN (0, 1, 5) AND (y.slot - x.slot + 56) % 56 IN (1, 3) AND (z.slot - y.slot + 56) % 56 = 1;
CREATE TEMP TABLE c160 AS SELECT input, a * b AS got, b * a AS expected FROM triple;
SELECT pg_temp.agree('c160', 5000, 'a * b = b * a');
CREATE TEMP TABLE c161 AS SELECT input, a * (b + c) AS got, a * b + a * c AS expected FROM triple;
SELECT pg_temp.agree('c161', 5000, 'a * (b + c) = a * b + a * c');
CREATE TEMP TABLE c162 AS SELECT input, (a * b) * c AS got, a * (b * c) AS expected FROM triple;
SELECT pg_temp.agree('c162', 5000, '(a * b) * c = a * (b * c)');
CREATE TEMP TABLE c163 AS SELECT input, a - b AS got, a + -b AS expected FROM triple;
SELECT pg_temp.agree('c163', 5000, 'a - b = a + -b');
CREATE TEMP TABLE c164 AS SELECT input, pointwise_min(a, b) + pointwise_max(a, b) AS got, a + b AS expected FROM triple;
SELECT pg_temp.agree('c164', 5000, 'pointwise_min(a, b) + pointwise_max(a, b) = a + b');
CREATE TEMP TABLE c165 AS
SELECT input, ARRAY[pointwise_min(a, b) <@ a, pointwise_max(a, b) @> b, pointwise_min(a, b) = pointwise_min(b, a), pointwise_max(a, pointwise_max(b, c)) = pointwise_max(pointwise_max(a, b), c),
					pointwise_min(a, pointwise_max(a, b)) = a, pointwise_max(a, b) = a + positive_part(b - a)] AS got, array_fill(true, ARRAY[6]) AS expected FROM triple;
SELECT pg_temp.agree('c165', 5000, 'pointwise_min and pointwise_max are a lattice');
CREATE TEMP TABLE c166 AS
SELECT input, ARRAY[(SELECT max(u) FROM unnest(ARRAY[a, b, c]) AS u), (SELECT min(u) FROM unnest(ARRAY[c, b, a]) AS u)] AS got,
	   ARRAY[pointwise_max(a, pointwise_max(b, c)), pointwise_min(a, pointwise_min(b, c))] AS expected FROM triple;
SELECT pg_temp.agree('c166', 5000, 'max(profile) and min(profile) of three');

-- one, of any style
CREATE TEMP TABLE c170 AS SELECT text AS input, ARRAY[p * profile(1), profile(1) * p, p * 1, 1 * p, p * 1.000] AS got, array_fill(p, ARRAY[5]) AS expected FROM pool;
SELECT pg_temp.agree('c170', 6720, 'a * 1 = a');
CREATE TEMP TABLE c171 AS SELECT text AS input, ARRAY[-(-p), p * -1, - p] AS got, ARRAY[p, -p, -1 * p] AS expected FROM pool;
SELECT pg_temp.agree('c171', 6720, '- (- a) = a');
CREATE TEMP TABLE c172 AS SELECT text AS input, ARRAY[positive_part(p) - positive_part(-p), positive_part(positive_part(p)), pointwise_max(p, '{}')] AS got, ARRAY[p, positive_part(p), positive_part(p)] AS expected FROM pool;
SELECT pg_temp.agree('c172', 6720, 'positive_part(a) - positive_part(- a) = a');
CREATE TEMP TABLE c173 AS SELECT text AS input, ARRAY[p * 0, p * '{}', p - p, p + -p] AS got, array_fill('{}'::profile, ARRAY[4]) AS expected FROM pool;
SELECT pg_temp.agree('c173', 6720, 'a * 0 = a - a = {}');
CREATE TEMP TABLE c174 AS
SELECT format('%s during %L', text, during) AS input, integral(clip(p, during), '(,)', '1 second') AS got, integral(p, during, '1 second') AS expected
FROM asked WHERE from_ >= until OR (isfinite(from_) AND isfinite(until));
SELECT pg_temp.agree('c174', 5000, 'the integral of a clip is the integral over the window');
CREATE TEMP TABLE c175 AS
SELECT format('%s during %L and %L', text, during, other) AS input, clip(clip(p, during), other) AS got, clip(p, during * other) AS expected
FROM (SELECT *, pg_temp.random_range(c) AS other FROM asked) AS a;
SELECT pg_temp.agree('c175', 6720, 'clip(clip(a, w1), w2) = clip(a, w1 * w2)');
CREATE TEMP TABLE c176 AS
SELECT format('%s during %L', text, during) AS input, clip(p, during) AS got, p * profile(during, 1) AS expected FROM asked;
SELECT pg_temp.agree('c176', 6720, 'clip is a product with 1 during the period');
CREATE TEMP TABLE c177 AS
SELECT format('%s by %s', text, by) AS input, ARRAY[shift(shift(p, by), -by), shift(p, '0')] AS got, ARRAY[p, p] AS expected
FROM shifted WHERE pg_temp.try_shift(p, by) NOT LIKE 'ERROR%';
SELECT pg_temp.agree('c177', 5000, 'shift(shift(a, i), -i) = a');

-- what comes out of all of them is in the one form: by way of text, of binary, of
-- its bytes, of its steps
CREATE TEMP TABLE result AS
SELECT row_number() OVER () AS n, p
FROM (SELECT a * b AS p FROM triple UNION ALL SELECT a * b * 0.5 FROM triple UNION ALL SELECT -p FROM pool UNION ALL SELECT positive_part(p) FROM pool
	  UNION ALL SELECT pointwise_min(a, b) FROM triple UNION ALL SELECT pointwise_max(a, b) FROM triple UNION ALL SELECT clip(p, during) FROM asked
	  UNION ALL SELECT shift(p, by) FROM shifted WHERE pg_temp.try_shift(p, by) NOT LIKE 'ERROR%'
	  UNION ALL SELECT repeat(p, every, during, zone) FROM repeated UNION ALL SELECT profile(periods) FROM periods
	  UNION ALL SELECT max(p) FROM grouped JOIN pool USING (id) GROUP BY n UNION ALL SELECT min(p) FROM grouped JOIN pool USING (id) GROUP BY n
	  UNION ALL SELECT gauge_profile(at, value) FROM sample WHERE c % 7 <> 6 AND n % 10 <> 3 GROUP BY n
	  UNION ALL SELECT multiplied.p * factor FROM multiplied WHERE pg_temp.try_multiply(multiplied.p, factor) NOT LIKE 'ERROR%') AS r;
DELETE FROM result WHERE p IS NULL;
CREATE TEMP TABLE c180 AS
SELECT p::text AS input,
	   ARRAY[p::text::profile = p, p::jsonb::profile = p, p + '{}' = p, pg_column_size(p + '{}') = pg_column_size(p::text::profile),
			 profile_hash(p::text::profile) = profile_hash(p), profile_hash_extended(p::text::profile, 1) = profile_hash_extended(p, 1)] AS got,
	   array_fill(true, ARRAY[6]) AS expected
FROM result;
SELECT pg_temp.agree('c180', 60000, 'results are written and read as the same bytes');
CREATE TEMP TABLE received (n bigint, p profile);
\set directory `mktemp -d`
\cd :directory
\copy (SELECT n, p FROM result WHERE p::text::profile = p) TO 'profile' (FORMAT binary)
\copy received FROM 'profile' (FORMAT binary)
\! rm profile && rmdir "$PWD"
\cd /
CREATE TEMP TABLE c181 AS
SELECT result.p::text AS input, received.p AS got, result.p AS expected FROM result LEFT JOIN received USING (n);
SELECT pg_temp.agree('c181', 60000, 'results are sent and received as the same bytes');
CREATE TEMP TABLE c182 AS
SELECT p::text AS input, (SELECT count(*) FROM (SELECT quantity, lag(quantity) OVER (ORDER BY period) AS before FROM steps(p)) AS s WHERE quantity = before) AS got, 0 AS expected
FROM result WHERE n % 4 = 0 AND p::text::profile = p;
SELECT pg_temp.agree('c182', 15000, 'results have no step that changes nothing');

-- ----------
-- Large profiles: 100,000 steps of a minute, and as many half a minute later
-- ----------
CREATE FUNCTION pg_temp.v(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1 * 7919 + $1 / 97) % 101 - 50';
CREATE FUNCTION pg_temp.minute(i int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$SELECT '2026-01-01 00:00:00+00'::timestamptz + $1 * interval '1 minute'$$;
CREATE TEMP TABLE large AS
SELECT gauge_profile(pg_temp.minute(i), pg_temp.v(i) + CASE WHEN i = 0 THEN 0.5 ELSE 0 END) AS a,
	   gauge_profile(pg_temp.minute(i) + interval '30 seconds', pg_temp.v(i + 31) * 0.25) AS b
FROM generate_series(0, 99999) AS i;
SELECT ok(count(*) FILTER (WHERE quantity <> 0) > 98000, 'large profiles have 100,000 steps') FROM large, steps(a);
CREATE TEMP TABLE moment AS
SELECT i, t, pg_temp.v(i) AS a, pg_temp.v(CASE WHEN half THEN i + 31 ELSE i + 30 END) * 0.25 AS b
FROM (SELECT 1 + floor(random() * 99998)::int AS i, random() < 0.5 AS half FROM generate_series(1, 5000)) AS r,
	 LATERAL (SELECT pg_temp.minute(i) + CASE WHEN half THEN interval '30 seconds' ELSE '29.999999 seconds' END AS t) AS m;
CREATE TEMP TABLE c190 AS
SELECT t::text AS input,
	   ARRAY[value_at(product, t), value_at(negative, t), value_at(lesser, t), value_at(greater, t), value_at(positive, t), value_at(later, t + interval '5 hours'), value_at(times, t)] AS got,
	   ARRAY[trim_scale(a * b), -a, trim_scale(least(a, b)), trim_scale(greatest(a, b)), greatest(a, 0), a, trim_scale(a * 0.001)] AS expected
FROM (SELECT a * b AS product, -a AS negative, pointwise_min(a, b) AS lesser, pointwise_max(a, b) AS greater, positive_part(a) AS positive, shift(a, '5 hours') AS later, a * 0.001 AS times FROM large OFFSET 0) AS l, moment;
SELECT pg_temp.agree('c190', 5000, 'large profiles: algebra');
\set week '''[2026-01-01 00:01:00+00,2026-03-11 10:40:00+00)'''
SELECT is(ARRAY[trough(a, :week), quantile(a, :week, 0), quantile(a, :week, 0.05), quantile(a, :week, 0.95), quantile(a, :week, 1)],
		  (SELECT (min(v) || percentile_disc(ARRAY[0, 0.05, 0.95, 1]) WITHIN GROUP (ORDER BY v))::numeric[] FROM (SELECT pg_temp.v(i) AS v FROM generate_series(1, 99999) AS i) AS s),
		  'large profiles: trough and quantiles') FROM large;
SELECT is(duration_above(a, 17, :week), (SELECT count(*) * interval '1 minute' FROM generate_series(1, 99999) AS i WHERE pg_temp.v(i) > 17), 'large profiles: duration_above') FROM large;
SELECT is((SELECT array_agg(round(integral, 12)) FROM buckets(a, :week, '1 hour')),
		  (SELECT array_agg(round(s / 60.0, 12) ORDER BY h) FROM (SELECT (i - 1) / 60 AS h, sum(pg_temp.v(i)) AS s FROM generate_series(1, 99999) AS i GROUP BY h) AS s), 'large profiles: buckets') FROM large;
SELECT is(earliest_fit(a, 40, '2 minutes', :week, 3), (SELECT tstzrange(t, t + interval '2 minutes') FROM
			(SELECT pg_temp.minute(i) AS t FROM generate_series(1, 99998) AS i WHERE pg_temp.v(i) >= 40 AND pg_temp.v(i + 1) >= 40 AND (i = 1 OR pg_temp.v(i - 1) < 40) ORDER BY i OFFSET 2 LIMIT 1) AS f),
		  'large profiles: earliest_fit') FROM large;
SELECT is(repeat(clip(a, '[2026-01-02,2026-01-09)'), '1 week', '[2026-01-16,2026-02-13)', 'Europe/Berlin'),
		  (SELECT sum(shift(clip(a, '[2026-01-02,2026-01-09)'), n * interval '7 days')) FROM generate_series(2, 5) AS n), 'large profiles: repeat') FROM large;
SELECT is(ARRAY[a::jsonb::profile, (SELECT gauge_profile(coalesce(lower(period), '-infinity'), quantity) FROM steps(a)), (SELECT range_agg(period)::profile FROM steps(a) WHERE quantity > 0)],
		  ARRAY[a, a, pointwise_min(positive_part(a * 2), profile(1))], 'large profiles: jsonb, gauge_profile, multirange') FROM large;
SELECT is((SELECT array_agg(value_at(largest, t) ORDER BY i) FROM moment, (SELECT max(shift(a, k * interval '1 minute')) AS largest FROM large, generate_series(0, 31) AS k) AS m WHERE i > 40),
		  (SELECT array_agg((SELECT max(pg_temp.v(i - k)) FROM generate_series(0, 31) AS k)::numeric ORDER BY i) FROM moment WHERE i > 40), 'large profiles: max of 32');

-- ----------
-- Limits
-- ----------

-- What takes long can be canceled
CREATE FUNCTION pg_temp.canceled(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	EXECUTE query;
	RETURN 'finished';
EXCEPTION
	WHEN query_canceled THEN
		RETURN CASE WHEN clock_timestamp() - start < '3 seconds' THEN 'canceled' ELSE 'canceled late' END;
	WHEN OTHERS THEN
		RETURN 'ERROR ' || sqlstate;
END $$;
SET LOCAL statement_timeout = '200ms';
SELECT is(pg_temp.canceled($$SELECT repeat('{"2026-01-01": 1}', '1 microsecond', '[2000-01-01,12000-01-01)')$$), 'canceled', 'repeat can be canceled');
SELECT is(pg_temp.canceled($$SELECT repeat('{"2026-01-01": 1, "2026-01-01 09:00": 2}', '1 day', '[4000-01-01 BC,290000-01-01)', 'Europe/Berlin')$$), 'canceled', 'repeat of days can be canceled');
SELECT is(pg_temp.canceled($$SELECT count(*) FROM buckets('{"2026-01-01": 1}', '[2000-01-01,12000-01-01)', '1 microsecond')$$), 'canceled', 'buckets can be canceled');
SELECT is(pg_temp.canceled($$SELECT max(shift(a, k * interval '1 microsecond')) FROM large, generate_series(1, 1000000) AS k$$), 'canceled', 'max(profile) can be canceled');
SELECT is(pg_temp.canceled($$SELECT gauge_profile('2026-01-01'::timestamptz + k * interval '1 microsecond', k) FROM generate_series(1, 1000000000) AS k$$), 'canceled', 'gauge_profile can be canceled');
SELECT is(pg_temp.canceled($$SELECT decayed('[2026-01-01,2026-01-02)', k, '1 day', '2026-01-02') FROM generate_series(1, 1000000000) AS k$$), 'canceled', 'decayed can be canceled');
SET LOCAL statement_timeout = 0;
-- (what a query sees first of a set is not made in vain)
SELECT is(array_agg(b), array_agg('2000-01-01'::timestamptz + i * interval '1 microsecond'), 'buckets makes no more rows than are asked for')
FROM (SELECT lower((buckets('{}', '[2000-01-01,12000-01-01)', '1 microsecond')).period) AS b, generate_series(0, 99) AS i LIMIT 100) AS s;
-- memory is bounded: a gigabyte
SELECT throws_ok($$SELECT repeat('{"2026-01-01": 1, "2026-01-01 00:00:30": 0}', '1 minute', '[2026-01-01,12026-01-01)')$$, '54000', NULL, 'repeat for 10,000 years by the minute is too long a profile');

-- the first and the last microsecond
SELECT is(clip(profile(1), '[294276-12-31 23:59:59.999999,]'), '{"294276-12-31 23:59:59.999999+00": 1}', 'clip to the last microsecond');
SELECT is(quantile(p, '[4714-11-24 BC,294276-12-31)', f), v, 'quantile of nearly all of time')
FROM (VALUES ('{"2026-01-01": 1}'::profile, 0.0225, 0::numeric), ('{"2026-01-01": 1}', 0.0226, 1), ('{"-infinity": 9223372036854775807}', 0.999999999999999999, 9223372036854775807)) AS t(p, f, v);
SELECT is(sparkline('{"2026-01-01": 1}', '[4714-11-24 BC,294276-12-31)', 10), '██████████', 'sparkline of nearly all of time');
SELECT is(earliest_fit('{"2026-01-01": 1}', 1, '100000000 days', '[4714-11-24 BC,294276-12-31)'), tstzrange('2026-01-01', '2026-01-01'::timestamptz + interval '100000000 days'), 'earliest_fit of 273,790 years');
SELECT is(gauge_profile(t, v), '{"-infinity": 1, "4714-11-24 00:00:00+00 BC": 2, "294276-12-31 23:59:59.999999+00": 3}', 'gauge_profile of all of time')
FROM (VALUES ('-infinity'::timestamptz, 1), ('4714-11-24 BC', 2), ('294276-12-31 23:59:59.999999', 3), ('infinity', 4)) AS s(t, v);
SELECT is(ARRAY[gauge_profile(t, v), sum(profile(tstzrange(t, NULL), v)), load_profile(tstzrange(t, NULL), v)],
		  ARRAY['{"-infinity": 1, "294276-12-31": 2}'::profile, '{"-infinity": 1, "294276-12-31": 3}', '{"-infinity": 1, "294276-12-31": 3}'], 'aggregates from the beginning of time to its last day')
FROM (VALUES ('294276-12-31'::timestamptz, 2), ('-infinity', 1)) AS s(t, v);
SELECT is(profile('{[4714-11-24 BC,4714-11-24 BC],[294276-12-31 23:59:59.999999,infinity]}'::tstzmultirange),
		  '{"4714-11-24 00:00:00+00 BC": 1, "4714-11-24 00:00:00.000001+00 BC": 0, "294276-12-31 23:59:59.999999+00": 1}', 'profile(multirange) at the ends of time');
SELECT is(decayed('[4714-11-24 BC,294276-12-31 23:59:59.999999]', 1000000, '1 microsecond', '294276-12-31 23:59:59.999999') > 0, true, 'decayed of all of time');
SELECT is(repeat('{"2026-01-01": 1, "2026-01-01 12:00": 2}', '1 day', '[4714-11-24 BC,4714-11-25 BC)'), '{"4714-11-24 00:00:00+00 BC": 1, "4714-11-24 12:00:00+00 BC": 2, "4714-11-25 00:00:00+00 BC": 0}', 'repeat at the beginning of time');

SELECT lives_ok($$SELECT buckets(profile(1), '[294276-12-31 22:00,294276-12-31 23:30)', '1 hour')$$, 'the last bucket is cut');
SELECT throws_ok($$SELECT repeat('{"2026-01-01": 1, "2026-01-01 12:00": 2}', '1 day', '[294276-12-31,294276-12-31 23:30)')$$, '22008', NULL, 'repeat on the last day, which has no next one');
SELECT throws_ok($$SELECT repeat('{"2026-01-01 12:00": 1, "2026-01-01 13:00": 2}', '1 day', '[4714-11-24 BC,4714-11-25 BC)')$$, '22008', NULL, 'repeat from the first day, which has none before it');
SELECT is(pg_temp.try_buckets(profile(1), '[4714-11-24 BC,294260-01-01)', '298975 years', 'UTC'), '["4714-11-24 00:00:00+00 BC","294260-01-01 00:00:00+00") 1 1 2620735632', 'a bucket longer than an int64 of microseconds');
SELECT throws_ok($$SELECT buckets(profile(1), '[2026-01-01,2026-01-02)', '1 hour', 'Atlantis/Poseidonis')$$, '22023', NULL, 'buckets of an hour in an unknown time zone');
SELECT throws_ok($$SELECT repeat(profile('[2026-01-01,2026-01-02)', 1), '48 hours', '[2026-01-01,2026-01-12)', 'Atlantis/Poseidonis')$$, '22023', NULL, 'repeat every 48 hours in an unknown time zone');
SELECT lives_ok($$SELECT quantile(profile(1), '[2026-01-01,2026-01-02)', 2 / 3.0)$$, 'quantile of two thirds');

SELECT * FROM finish();
ROLLBACK;
