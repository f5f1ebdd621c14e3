-- profile_differential.sql
--		The type profile and its aggregates against plain SQL, on random input.
--
-- Every function is compared, case by case, with a reference that uses window
-- functions, numeric and ranges, and nothing of ours. Another run of random
-- numbers: pg_prove --set seed=0.5 (between -1 and 1).

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260101
\endif

BEGIN;
SELECT plan(73);
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.seed', :'seed', true) \g /dev/null

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

-- The SQLSTATE of a query's error; NULL if there is none
CREATE FUNCTION pg_temp.sqlstate_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END $$;

-- The half-open span of the instants that a range contains
CREATE FUNCTION pg_temp.span_from(period tstzrange) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN isempty(period) THEN NULL
		WHEN lower_inf(period) THEN '-infinity'
		WHEN lower_inc(period) THEN lower(period)
		WHEN lower(period) = '294276-12-31 23:59:59.999999+00' THEN 'infinity'
		ELSE lower(period) + interval '1 microsecond'
	END
$$;

CREATE FUNCTION pg_temp.span_until(period tstzrange) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN isempty(period) THEN NULL
		WHEN upper_inf(period) THEN 'infinity'
		WHEN NOT upper_inc(period) THEN upper(period)
		WHEN upper(period) = '294276-12-31 23:59:59.999999+00' THEN 'infinity'
		ELSE upper(period) + interval '1 microsecond'
	END
$$;

-- The instants that two ranges share, half-open and without bounds at infinity
CREATE FUNCTION pg_temp.overlap(a tstzrange, b tstzrange) RETURNS tstzrange
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN $1 IS NULL OR $2 IS NULL THEN NULL
		WHEN isempty($1) OR isempty($2) OR
			 greatest(pg_temp.span_from($1), pg_temp.span_from($2)) >= least(pg_temp.span_until($1), pg_temp.span_until($2)) THEN 'empty'
		ELSE tstzrange(nullif(greatest(pg_temp.span_from($1), pg_temp.span_from($2)), '-infinity'),
					   nullif(least(pg_temp.span_until($1), pg_temp.span_until($2)), 'infinity'))
	END
$$;

-- From one instant to another. An interval does not hold all distances, and
-- extract(epoch) is not exact at the end of time.
CREATE FUNCTION pg_temp.microseconds(from_ timestamptz, until timestamptz) RETURNS numeric
LANGUAGE sql STABLE AS $$
	SELECT trim_scale(($2::date - $1::date) * 86400000000.0
					  + (extract(epoch FROM $2::time) - extract(epoch FROM $1::time)) * 1000000)
$$;

-- A profile's text from changes (instant, change), by a sweep
CREATE FUNCTION pg_temp.sweep(at timestamptz[], change numeric[]) RETURNS text
LANGUAGE sql STABLE AS $$
	WITH event AS (
		SELECT e.at, sum(e.change) AS change
		FROM unnest($1, $2) AS e(at, change)
		WHERE e.at < 'infinity'
		GROUP BY e.at
	), total AS (
		SELECT event.at, sum(event.change) OVER (ORDER BY event.at) AS value
		FROM event
	), step AS (
		SELECT total.at, total.value, lag(total.value, 1, 0::numeric) OVER (ORDER BY total.at) AS previous
		FROM total
	)
	SELECT '{' || coalesce(string_agg(format('"%s": %s', step.at, trim_scale(step.value)), ', ' ORDER BY step.at), '') || '}'
	FROM step
	WHERE step.value <> step.previous
$$;

-- A profile's text from values (instant, value that holds from it on)
CREATE FUNCTION pg_temp.written(at timestamptz[], value numeric[]) RETURNS text
LANGUAGE sql STABLE AS $$
	WITH step AS (
		SELECT e.at, e.value, lag(e.value, 1, 0::numeric) OVER (ORDER BY e.at) AS previous
		FROM unnest($1, $2) AS e(at, value)
		WHERE e.at < 'infinity'
	)
	SELECT '{' || coalesce(string_agg(format('"%s": %s', step.at, trim_scale(step.value)), ', ' ORDER BY step.at), '') || '}'
	FROM step
	WHERE step.value <> step.previous
$$;

-- Quantity-time (quantity times microseconds) in a unit of so many microseconds.
-- The zeros at the unit's end only move the decimal point; what is left is one
-- numeric division.
CREATE FUNCTION pg_temp.in_units(quantity_time numeric, unit bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN zeros.moved = 1 THEN zeros.quantity_time
		ELSE zeros.quantity_time / zeros.moved
	END
	FROM (SELECT trim_scale($1 * ('1e-' || length($2::text) - length(rtrim($2::text, '0')))::numeric),
				 rtrim($2::text, '0')::numeric) AS zeros(quantity_time, moved)
$$;

-- ----------
-- Random instants, quantities and ranges
-- ----------

-- Few instants per group, so that many coincide: at = origin + k * step. The
-- steps are of every stored unit and width, at the limits of packed events (2^45
-- microseconds), and so long that an int64 does not hold their differences.
CREATE TEMP TABLE clock AS
SELECT g,
	   (ARRAY['2026-01-01 00:00:00+00', '2026-03-08 06:59:59.999999+00', '2000-01-01 00:00:00+00',
			  '1969-12-31 23:59:59.5+00', '2026-10-25 00:30:00+00', '0044-03-15 12:00:00+00 BC']
	   )[1 + floor(random() * 6)]::timestamptz AS origin,
	   (ARRAY['1 microsecond', '7 microseconds', '1 millisecond', '1 second', '1 minute', '15 minutes', '1 hour',
			  '1 day', '30 days', '1 month', '17592186044416 microseconds', '35184372088831 microseconds',
			  '3600000001 microseconds', '64 milliseconds', '21845 hours']
	   )[1 + floor(random() * 15)]::interval AS step
FROM generate_series(1, 1300) AS g;

-- the ends of time, and all of it
UPDATE clock SET origin = '4714-11-24 00:00:00+00 BC', step = '1 microsecond' WHERE g % 40 = 0;
UPDATE clock SET origin = '294276-12-31 23:59:59.999988+00', step = '1 microsecond' WHERE g % 40 = 1;
UPDATE clock SET origin = '4714-11-24 00:00:00+00 BC', step = '27000 years' WHERE g % 40 = 2;
UPDATE clock SET origin = '4714-11-24 00:00:00+00 BC', step = '24900 years 7 microseconds' WHERE g % 40 = 3;
ALTER TABLE clock ADD PRIMARY KEY (g);
ANALYZE clock;

CREATE FUNCTION pg_temp.instant(g int, k int) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE k
		WHEN -1 THEN '-infinity'
		WHEN 12 THEN 'infinity'
		ELSE (SELECT origin + k * step FROM clock WHERE clock.g = $1)
	END;
END $$;

-- A random range between instants of g
CREATE FUNCTION pg_temp.random_range(g int) RETURNS tstzrange
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kind float8 := random();
	bounds text := (ARRAY['[)', '[)', '[]', '(]', '()'])[1 + floor(random() * 5)];
	a timestamptz;
	b timestamptz;
BEGIN
	SELECT origin + floor(random() * 12)::int * step, origin + floor(random() * 12)::int * step
	INTO a, b FROM clock WHERE clock.g = random_range.g;
	-- infinities less often than the others
	IF random() < 0.04 THEN a := '-infinity'; END IF;
	IF random() < 0.04 THEN b := 'infinity'; END IF;
	RETURN CASE
		WHEN kind < 0.03 THEN 'empty'
		ELSE tstzrange(CASE WHEN kind >= 0.10 THEN least(a, b) END,
					   CASE WHEN kind NOT BETWEEN 0.08 AND 0.15 THEN greatest(a, b) END,
					   bounds)
	END;
END $$;

-- A random quantity. The styles: small whole numbers; fractions of different
-- scales; up to 18 digits with g's own scale (so that eight of them still add
-- up); the same with shorter numbers between; around the limits of packed
-- changes; around the limits of stored widths.
CREATE FUNCTION pg_temp.quantity(g int) RETURNS numeric
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	scale numeric := '1e-' || g % 19;
BEGIN
	RETURN trim_scale(CASE g % 6
		WHEN 0 THEN floor(random() * 9)::numeric - 3
		WHEN 1 THEN (floor(random() * 2000001)::numeric - 1000000) * ('1e-' || floor(random() * 7))::numeric
		WHEN 2 THEN ((floor(random() * 2200000000)::numeric - 1100000000) * 1000000000 + floor(random() * 1000000000)::numeric) * scale
		WHEN 3 THEN round((floor(random() * 2200000000)::numeric - 1100000000) * 1000000000 * scale, floor(random() * (g % 19 + 1))::int)
		WHEN 4 THEN (floor(random() * 5)::numeric + 131070) * (ARRAY[1, -1, 2, 0.5])[1 + floor(random() * 4)]
		ELSE ((ARRAY[128, 32768, 8388608, 2147483648, 549755813888, 140737488355328, 36028797018963968])[1 + floor(random() * 7)]
			  + floor(random() * 4)::int - 2) * (ARRAY[1, -1, 1, 0])[1 + floor(random() * 4)]
	END);
END $$;

-- ----------
-- load_profile, profile(period, quantity), unit_hours
-- ----------
CREATE TEMP TABLE lease AS
SELECT c AS case_id, r AS row_id,
	   CASE WHEN random() < 0.05 OR c % 50 = 0 THEN NULL ELSE pg_temp.random_range(1 + c % 1300) END AS period,
	   CASE WHEN random() < 0.05 OR c % 50 = 1 THEN NULL ELSE pg_temp.quantity(1 + c % 1300) END AS quantity
FROM generate_series(1, 6500) AS c, generate_series(1, 8) AS r
WHERE r <= 1 + c % 8;
ANALYZE lease;

CREATE TEMP TABLE c1 AS
WITH event AS (
	SELECT case_id, pg_temp.span_from(period) AS at, quantity AS change, period, quantity
	FROM lease
	UNION ALL
	SELECT case_id, pg_temp.span_until(period), -quantity, NULL, NULL
	FROM lease
), reference AS (
	SELECT case_id,
		   CASE WHEN bool_or(period IS NOT NULL AND quantity IS NOT NULL)
				THEN pg_temp.sweep(array_agg(at) FILTER (WHERE at IS NOT NULL AND change IS NOT NULL),
								   array_agg(change) FILTER (WHERE at IS NOT NULL AND change IS NOT NULL))
		   END AS expected
	FROM event
	GROUP BY case_id
)
SELECT string_agg(format('(%L, %s)', period, quantity), ', ' ORDER BY row_id) AS input,
	   load_profile(period, quantity)::text AS got,
	   min(expected) AS expected
FROM lease JOIN reference USING (case_id)
GROUP BY case_id;
SELECT pg_temp.agree('c1', 6500, 'load_profile is the sweep over its periods');

-- the other order of rows
CREATE TEMP TABLE c2 AS
SELECT string_agg(format('(%L, %s)', period, quantity), ', ' ORDER BY row_id) AS input,
	   profile_send(load_profile(period, quantity ORDER BY row_id)) AS got,
	   profile_send(load_profile(period, quantity ORDER BY row_id DESC)) AS expected
FROM lease GROUP BY case_id;
SELECT pg_temp.agree('c2', 6500, 'load_profile does not depend on the order of rows');

-- PostgreSQL's own @> knows what a range contains
CREATE TEMP TABLE c3 AS
WITH load AS (
	SELECT case_id, load_profile(period, quantity) AS load
	FROM lease
	GROUP BY case_id
), probe AS (
	SELECT case_id, CASE WHEN off_grid THEN i + off ELSE i END AS at
	FROM load,
		 LATERAL (SELECT 1 + case_id % 1300 AS g, floor(random() * 12)::int AS k) AS dice,
		 LATERAL (SELECT pg_temp.instant(g, k) AS i, g % 40 > 3 AS off_grid) AS instant,
		 (VALUES (interval '0'), ('1 microsecond'), ('-1 microsecond')) AS v(off)
	WHERE off_grid OR off = '0'
)
SELECT format('%s at %s', string_agg(format('(%L, %s)', period, quantity), ', '), at) AS input,
	   value_at(load, at) AS got,
	   CASE WHEN load IS NOT NULL THEN coalesce(sum(quantity) FILTER (WHERE period @> at), 0) END AS expected
FROM load JOIN probe USING (case_id) JOIN lease USING (case_id)
GROUP BY case_id, at, load;
SELECT pg_temp.agree('c3', 15000, 'value_at(load_profile) is the sum over the periods that contain the instant');

CREATE TEMP TABLE c4 AS
SELECT format('profile(%L, %s)', period, quantity) AS input,
	   profile(period, quantity)::text AS got,
	   CASE WHEN period IS NOT NULL AND quantity IS NOT NULL THEN
			pg_temp.sweep(ARRAY[pg_temp.span_from(period), pg_temp.span_until(period)], ARRAY[quantity, -quantity])
	   END AS expected
FROM lease;
SELECT pg_temp.agree('c4', 25000, 'profile(period, quantity) is the sweep over its one period');

CREATE TEMP TABLE c5 AS
SELECT format('profile(%s)', quantity) AS input,
	   profile(quantity)::text AS got,
	   pg_temp.sweep(ARRAY['-infinity'::timestamptz], ARRAY[quantity]) AS expected
FROM lease WHERE quantity IS NOT NULL;
SELECT pg_temp.agree('c5', 25000, 'profile(quantity) is a step at -infinity');

-- whole numbers as numeric, bigint and integer
CREATE TEMP TABLE c5a AS
SELECT string_agg(format('(%L, %s)', period, quantity), ', ' ORDER BY row_id) AS input,
	   ARRAY[profile_send(load_profile(period, quantity::bigint)), profile_send(load_profile(period, small::integer))] AS got,
	   ARRAY[profile_send(load_profile(period, quantity)), profile_send(load_profile(period, small))] AS expected
FROM (SELECT case_id, row_id, period, round(quantity) AS quantity, round(quantity) % 2147483648 AS small FROM lease) AS whole
WHERE abs(quantity) < 9223372036854775807
GROUP BY case_id;
SELECT pg_temp.agree('c5a', 5500, 'load_profile of bigint and integer is that of numeric');

-- without quantities: PostgreSQL's own multirange of the same periods
CREATE TEMP TABLE periods AS
SELECT case_id, range_agg(period) AS periods FROM lease WHERE period IS NOT NULL GROUP BY case_id;

CREATE TEMP TABLE c5b AS
SELECT periods::text AS input,
	   ARRAY[profile(periods)::text, (periods::profile)::text] AS got,
	   array_fill((SELECT pg_temp.sweep(array_agg(pg_temp.span_from(r)) || array_agg(pg_temp.span_until(r)),
										array_agg(1.0) || array_agg(-1.0))
				   FROM unnest(periods) AS r), ARRAY[2]) AS expected
FROM periods;
SELECT pg_temp.agree('c5b', 6000, 'profile(multirange) is the sweep over its ranges');

CREATE TEMP TABLE c5c AS
SELECT format('%s at %s', periods, at) AS input, value_at(profile(periods), at) = 1 AS got, periods @> at AS expected
FROM periods, generate_series(0, 11, 2) AS k, pg_temp.instant(1 + case_id % 1300, k) AS at
WHERE case_id % 2 = 0;
SELECT pg_temp.agree('c5c', 15000, 'profile(multirange) is 1 at the instants that it contains');

-- every row has its own "during"; where quantity-time is infinite, see below
CREATE TEMP TABLE metered AS
SELECT l.*, coalesce(pg_temp.overlap(period, during), 'empty') AS overlap
FROM (SELECT *, CASE WHEN random() < 0.03 THEN NULL ELSE pg_temp.random_range(1 + case_id % 1300) END AS during
	  FROM lease) AS l;
ANALYZE metered;

CREATE TEMP TABLE c6 AS
SELECT string_agg(format('(%L, %s, %L)', period, quantity, during), ', ' ORDER BY row_id) AS input,
	   unit_hours(period, quantity, during) AS got,
	   pg_temp.in_units(sum(CASE WHEN quantity = 0 OR isempty(overlap) THEN 0
								 ELSE quantity * pg_temp.microseconds(lower(overlap), upper(overlap)) END)
						FILTER (WHERE period IS NOT NULL AND quantity IS NOT NULL AND during IS NOT NULL),
						3600000000) AS expected
FROM metered
WHERE coalesce(quantity, 0) = 0 OR NOT (lower_inf(overlap) OR upper_inf(overlap))
GROUP BY case_id;
SELECT pg_temp.agree('c6', 5000, 'unit_hours is the sum of quantity times overlap');

CREATE TEMP TABLE c6a AS
SELECT string_agg(format('(%L, %s, %L)', period, quantity, during), ', ' ORDER BY row_id) AS input,
	   ARRAY[unit_hours(period, quantity::bigint, during), unit_hours(period, small::integer, during)] AS got,
	   ARRAY[unit_hours(period, quantity, during), unit_hours(period, small, during)] AS expected
FROM (SELECT case_id, row_id, period, during, overlap, round(quantity) AS quantity, round(quantity) % 2147483648 AS small FROM metered) AS whole
WHERE abs(quantity) < 9223372036854775807 AND (quantity = 0 OR NOT (lower_inf(overlap) OR upper_inf(overlap)))
GROUP BY case_id;
SELECT pg_temp.agree('c6a', 5000, 'unit_hours of bigint and integer is that of numeric');

CREATE TEMP TABLE c7 AS
SELECT format('(%L, %s, %L)', period, quantity, during) AS input,
	   pg_temp.sqlstate_of(format('SELECT sharecollab.unit_hours(%L, %L::numeric, %L)', period, quantity, during)) AS got,
	   '22003' AS expected
FROM metered
WHERE quantity <> 0 AND (lower_inf(overlap) OR upper_inf(overlap));
SELECT pg_temp.agree('c7', 400, 'unit_hours of an infinite time is error 22003');

-- one capacity and one "during" for all rows of a case
CREATE TEMP TABLE used AS
SELECT lease.*, during, capacity, coalesce(pg_temp.overlap(period, during), 'empty') AS overlap
FROM lease
JOIN (SELECT case_id,
			 CASE WHEN isempty(r) OR NOT isfinite(pg_temp.span_from(r)) OR NOT isfinite(pg_temp.span_until(r))
				  THEN tstzrange(pg_temp.instant(1 + case_id % 1300, 2), pg_temp.instant(1 + case_id % 1300, 9))
				  ELSE r END AS during,
			 CASE WHEN case_id % 60 = 7 THEN 0 ELSE abs(pg_temp.quantity(1 + case_id % 1300)) END AS capacity
	  FROM generate_series(1, 6500) AS case_id, pg_temp.random_range(1 + case_id % 1300) AS r) AS w USING (case_id);
ANALYZE used;

CREATE TEMP TABLE c8 AS
SELECT string_agg(format('(%L, %s, %s, %L)', period, quantity, capacity, during), ', ' ORDER BY row_id) AS input,
	   utilization(period, quantity, capacity, during) AS got,
	   trim_scale(sum(CASE WHEN isempty(overlap) THEN 0
						   ELSE quantity * pg_temp.microseconds(lower(overlap), upper(overlap)) END)
				  FILTER (WHERE period IS NOT NULL AND quantity IS NOT NULL))
	   / nullif(min(capacity) * min(pg_temp.microseconds(pg_temp.span_from(during), pg_temp.span_until(during))), 0) AS expected
FROM used
GROUP BY case_id;
SELECT pg_temp.agree('c8', 6500, 'utilization is quantity-time used over quantity-time available');

SELECT is(pg_temp.sqlstate_of($$SELECT sharecollab.utilization('[2026-01-01,2026-01-02)', 1, 1, 'empty')$$), NULL, 'utilization during no time is NULL, not an error');

-- Each term is irrational, and rounded to 10^-9 unit-seconds: as many of them as
-- there are rows is the difference to the true sum, and the last of 16 digits
CREATE TEMP TABLE c9 AS
WITH row_ AS (
	SELECT lease.*, half_life, at, extract(epoch FROM half_life) AS h,
		   pg_temp.span_from(period) AS from_, least(pg_temp.span_until(period), at) AS until
	FROM lease, LATERAL (SELECT (ARRAY['1 hour', '7 days', '1.5 seconds', '3000 days'])[1 + case_id % 4]::interval AS half_life,
								pg_temp.instant(1 + case_id % 1300, 3 + case_id % 8) AS at) AS a
	WHERE (row_id = 1 OR case_id % 8 = 0) AND case_id % 1300 % 40 > 3
), term AS (
	SELECT *, CASE WHEN NOT from_ < until THEN 0
				   ELSE quantity * h / ln2 * (exp(-ln2 * pg_temp.microseconds(until, at) / 1000000 / h)
											  - CASE WHEN from_ = '-infinity' THEN 0
													 ELSE exp(-ln2 * pg_temp.microseconds(from_, at) / 1000000 / h) END)
			  END AS unit_seconds
	FROM row_, CAST(0.6931471805599453094172321214581765680755 AS numeric) AS ln2
	WHERE period IS NOT NULL AND quantity IS NOT NULL
), compared AS (
	SELECT case_id, decayed(period, quantity, half_life, at) AS given, sum(coalesce(unit_seconds, 0)) / 3600 AS exact,
		   count(*) AS rows, sum(abs(coalesce(unit_seconds, 0))) / 3600 AS size, string_agg(format('(%L, %s, %L, %L)', period, quantity, half_life, at), ', ') AS input
	FROM term GROUP BY case_id
)
SELECT format('%s: %s for %s', input, given, exact) AS input, abs(given - exact) <= rows * 1e-9 / 3600 + size * 1e-16 AS got, true AS expected
FROM compared;
SELECT pg_temp.agree('c9', 5000, 'decayed is its closed form');

-- ----------
-- Profiles, as written by users
--
-- 1000 groups of eight that share a clock and a style; "wild" has the steps as
-- written, in disorder, with repetitions and in any notation; "piece" what they
-- mean, over all time. In each group, slot 1 is nowhere less than slot 0, and
-- slot 2 is slot 0 written in another way.
-- ----------
CREATE TEMP TABLE wild AS
SELECT g, slot, k, pg_temp.instant(g, k) AS at, pg_temp.quantity(g) AS value
FROM generate_series(1, 1000) AS g, generate_series(3, 8) AS slot, generate_series(-1, 11) AS k
-- (with g, slot and k in it, the condition is evaluated for each row)
WHERE random() < (slot - 3) * CASE WHEN k = -1 THEN 0.06 ELSE 0.16 END + 0 * g;
-- (slot 3 is always {}); slot 8 becomes slot 0
UPDATE wild SET slot = 0 WHERE slot = 8;
-- longer stretches without change
UPDATE wild SET value = 0 WHERE random() < 0.15;
INSERT INTO wild
SELECT g, 1, k, at, value + CASE WHEN g % 6 IN (0, 4) THEN floor(random() * 2)::int WHEN g % 6 = 2 THEN 0 ELSE 0.5 * floor(random() * 2)::int END
FROM wild WHERE slot = 0 AND g % 6 <> 3;
INSERT INTO wild
SELECT g, 2, k, at, value FROM wild WHERE slot = 0
UNION ALL
SELECT n.g, 2, n.k, pg_temp.instant(n.g, n.k),
	   coalesce((SELECT w.value FROM wild w WHERE w.g = n.g AND w.slot = 0 AND w.k < n.k ORDER BY w.k DESC LIMIT 1), 0)
FROM (SELECT g, k FROM generate_series(1, 1000) AS g, generate_series(-1, 11) AS k WHERE random() < 0.4) AS n
WHERE NOT EXISTS (SELECT FROM wild w WHERE w.g = n.g AND w.slot = 0 AND w.k = n.k);
CREATE INDEX ON wild (g, slot, k);
ANALYZE wild;

CREATE TEMP TABLE pool (id int PRIMARY KEY, g int, slot int, literal text, p profile, expected text);
INSERT INTO pool
SELECT g * 8 + slot, g, slot, literal, literal::profile, expected
FROM (SELECT g, slot,
			 '{' || coalesce(string_agg(format('"%s": %s', at, CASE floor(random() * 4)
											WHEN 0 THEN value::text || 'e0'
											WHEN 1 THEN (value * 1000)::text || 'E-3'
											WHEN 2 THEN (value * 0.01)::text || 'e+2'
											ELSE value::text || CASE WHEN scale(value) > 0 THEN '000' ELSE '.0' END END),
										', ' ORDER BY random()) FILTER (WHERE at IS NOT NULL), '') || '}' AS literal,
			 pg_temp.written(array_agg(at), array_agg(value)) AS expected
	  FROM generate_series(1, 1000) AS g CROSS JOIN generate_series(0, 7) AS slot
	  LEFT JOIN wild USING (g, slot)
	  GROUP BY g, slot) AS l;
ANALYZE pool;

CREATE TEMP TABLE piece AS
SELECT id, from_, until, value
FROM (SELECT g * 8 + slot AS id, at AS from_,
			 lead(at, 1, 'infinity') OVER (PARTITION BY g, slot ORDER BY k) AS until, value
	  FROM wild
	  UNION ALL
	  SELECT g * 8 + slot, '-infinity', coalesce(min(at), 'infinity'), 0
	  FROM generate_series(1, 1000) AS g CROSS JOIN generate_series(0, 7) AS slot
	  LEFT JOIN wild USING (g, slot)
	  GROUP BY g, slot) AS p
WHERE from_ < until;
CREATE INDEX ON piece (id);
ANALYZE piece;

CREATE TEMP TABLE c10 AS
SELECT literal AS input, p::text AS got, expected FROM pool;
SELECT pg_temp.agree('c10', 8000, 'text input and output: sorted, coalesced, trimmed');

CREATE TEMP TABLE c11 AS
SELECT literal AS input, p::text::profile AS got, p AS expected FROM pool;
SELECT pg_temp.agree('c11', 8000, 'text output is read back as the same profile');

-- the same in other time zones and styles of dates
CREATE TEMP TABLE c12 (input text, got bytea, expected bytea);
DO $$
DECLARE
	zone text;
	style text;
BEGIN
	FOR zone, style IN VALUES ('America/St_Johns', 'SQL, DMY'), ('Asia/Kathmandu', 'German'),
							  ('Europe/Amsterdam', 'Postgres, MDY'), ('Pacific/Kiritimati', 'ISO'), ('<-12>+12', 'SQL, MDY')
	LOOP
		PERFORM set_config('timezone', zone, true), set_config('datestyle', style, true);
		INSERT INTO c12
		SELECT zone || ' ' || style || ' ' || p::text, profile_send(p::text::profile), profile_send(p) FROM pool;
	END LOOP;
	PERFORM set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true);
END $$;
SELECT pg_temp.agree('c12', 40000, 'text round trip in any time zone and DateStyle');

-- keys come back from jsonb in another order
CREATE TEMP TABLE c13 AS
SELECT literal AS input, ARRAY[p::text::jsonb::text::profile, p::jsonb::profile] AS got, ARRAY[p, p] AS expected FROM pool;
SELECT pg_temp.agree('c13', 8000, 'text round trip through jsonb');

-- binary, through a file of the client
CREATE TEMP TABLE received (id int, p profile);
\set directory `mktemp -d`
\cd :directory
\copy (SELECT id, p FROM pool) TO 'profile' (FORMAT binary)
\copy received FROM 'profile' (FORMAT binary)
\! rm profile && rmdir "$PWD"
\cd /
CREATE TEMP TABLE c14 AS
SELECT literal AS input, profile_send(received.p) AS got, profile_send(pool.p) AS expected
FROM pool LEFT JOIN received USING (id);
SELECT pg_temp.agree('c14', 8000, 'binary output is read back as the same profile');

-- The binary form, and with it the canonical one: version, scale, number, then
-- the steps
CREATE TEMP TABLE c15 AS
WITH step AS (
	SELECT *, value <> lag(value, 1, 0::numeric) OVER (PARTITION BY id ORDER BY from_) AS kept FROM piece
), scale AS (
	SELECT id, max(scale(trim_scale(value))) AS scale FROM piece GROUP BY id
)
SELECT pool.literal AS input,
	   profile_send(pool.p) AS got,
	   decode('01' || lpad(to_hex(scale), 2, '0') || lpad(to_hex(count(*) FILTER (WHERE kept)), 8, '0')
			  || coalesce(string_agg(
					encode(int8send(CASE WHEN from_ = '-infinity' THEN '-9223372036854775808'
										 ELSE pg_temp.microseconds('2000-01-01', from_) END::bigint), 'hex')
					|| encode(int8send((value * ('1e' || scale)::numeric)::bigint), 'hex'), '' ORDER BY from_)
					FILTER (WHERE kept), ''), 'hex') AS expected
FROM pool JOIN step USING (id) JOIN scale USING (id)
GROUP BY id, literal, pool.p, scale;
SELECT pg_temp.agree('c15', 8000, 'binary output is what its comment says, and minimal');

-- ----------
-- Measures over random periods
-- ----------
CREATE TEMP TABLE asked AS
SELECT id, p, expected AS text, during, pg_temp.span_from(during) AS from_, pg_temp.span_until(during) AS until
FROM (SELECT *, CASE WHEN dice < 0.02 THEN NULL
					 -- half of them off the clock's grid
					 WHEN dice < 0.5 THEN pg_temp.random_range(g)
					 ELSE tstzrange(CASE WHEN isfinite(a) AND g % 40 > 3 THEN a - off ELSE a END,
									CASE WHEN isfinite(b) AND g % 40 > 3 THEN b + off ELSE b END,
									CASE WHEN lower_inc(r) THEN '[' ELSE '(' END || CASE WHEN upper_inc(r) THEN ']' ELSE ')' END)
				END AS during
	  FROM (SELECT pool.*, random() AS dice, pg_temp.random_range(g) AS r,
				   make_interval(secs => floor(random() * 9) / 1000000) AS off
			FROM pool, generate_series(1, 2)) AS d,
		   LATERAL (SELECT lower(r) AS a, upper(r) AS b) AS bound) AS w;
-- (a random range may be empty, and then both of these are NULL)

-- what the pieces are within the period
CREATE TEMP TABLE part AS
SELECT a.n, a.id, piece.value, greatest(a.from_, piece.from_) AS from_, least(a.until, piece.until) AS until
FROM (SELECT *, row_number() OVER () AS n FROM asked) AS a
JOIN piece ON piece.id = a.id AND piece.from_ < a.until AND piece.until > a.from_ AND a.from_ < a.until;
CREATE INDEX ON part (n);
ANALYZE part;

CREATE TEMP TABLE question AS
SELECT a.*, format('%s during %L', a.text, a.during) AS input,
	   q.peak, q.quantity_time,
	   coalesce(q.infinite, false) AS infinite,
	   (SELECT min(part.from_) FROM part WHERE part.n = a.n AND part.value = q.peak) AS peak_at
FROM (SELECT *, row_number() OVER () AS n FROM asked) AS a
LEFT JOIN (SELECT n, max(value) AS peak,
				  bool_or(value <> 0 AND (from_ = '-infinity' OR until = 'infinity')) AS infinite,
				  sum(CASE WHEN value = 0 OR from_ = '-infinity' OR until = 'infinity' THEN 0
						   ELSE value * pg_temp.microseconds(from_, until) END) AS quantity_time
		   FROM part GROUP BY n) AS q USING (n);
ANALYZE question;

CREATE TEMP TABLE c20 AS
SELECT input, peak(p, during) AS got, peak AS expected FROM question;
SELECT pg_temp.agree('c20', 15000, 'peak is the largest quantity of the period');

CREATE TEMP TABLE c21 AS
SELECT input, peak_at(p, during) AS got, peak_at AS expected FROM question;
SELECT pg_temp.agree('c21', 15000, 'peak_at is the first instant of the peak');

CREATE TEMP TABLE c22 AS
SELECT format('%s per %s', input, per) AS input,
	   integral(p, during, per) AS got,
	   CASE WHEN during IS NOT NULL THEN
			pg_temp.in_units(coalesce(quantity_time, 0), (extract(epoch FROM per) * 1000000)::bigint)
	   END AS expected
FROM (SELECT *, (ARRAY['1 hour', '1 second', '1 day', '1 minute', '1 microsecond', '7 seconds', '30 days',
					   '0.000011 seconds', '1 day 1 microsecond', '1.5 hours', '2 seconds'])[1 + n % 11]::interval AS per
	  FROM question) AS q
WHERE NOT infinite;
SELECT pg_temp.agree('c22', 10000, 'integral is the sum of quantity times time');

-- the same by another way: the true quotient, rounded as far as it was given
CREATE TEMP TABLE c23 AS
SELECT format('%s: %s of %s', input, given, exact) AS input,
	   (given = round(exact, scale(given)) AND (scale(given) >= 16 OR abs(given) >= ('1e' || 15 - scale(given))::numeric OR given = exact)) AS got,
	   true AS expected
FROM (SELECT input, integral(p, during) AS given, round(quantity_time, 60) / 3600000000 AS exact
	  FROM question
	  WHERE NOT infinite AND quantity_time IS NOT NULL) AS q;
SELECT pg_temp.agree('c23', 10000, 'integral has at least 16 significant digits, the last one rounded');

CREATE TEMP TABLE c24 AS
SELECT input, pg_temp.sqlstate_of(format('SELECT sharecollab.integral(%L, %L)', text, during)) AS got, '22003' AS expected
FROM question WHERE infinite;
SELECT pg_temp.agree('c24', 500, 'an infinite integral is error 22003');

CREATE TEMP TABLE c25 AS
SELECT input, mean(p, during) AS got,
	   CASE WHEN from_ < until THEN trim_scale(quantity_time) / pg_temp.microseconds(from_, until) END AS expected
FROM question
WHERE NOT coalesce(from_ < until AND (from_ = '-infinity' OR until = 'infinity'), false);
SELECT pg_temp.agree('c25', 10000, 'mean is the integral over the length of the period');

CREATE TEMP TABLE c26 AS
SELECT input, pg_temp.sqlstate_of(format('SELECT sharecollab.mean(%L, %L)', text, during)) AS got, '22023' AS expected
FROM question
WHERE from_ < until AND (from_ = '-infinity' OR until = 'infinity');
SELECT pg_temp.agree('c26', 500, 'the mean over an unbounded period is error 22023');

-- steps: the pieces, those of equal value as one
CREATE TEMP TABLE c27 AS
WITH marked AS (
	SELECT *, CASE WHEN value IS DISTINCT FROM lag(value) OVER (PARTITION BY n ORDER BY from_) THEN from_ END AS start FROM part
), run AS (
	SELECT n, start AS from_, value, lead(start) OVER (PARTITION BY n ORDER BY start) AS next
	FROM marked WHERE start IS NOT NULL
), reference AS (
	SELECT n, string_agg(format('%s %s', tstzrange(nullif(run.from_, '-infinity'), nullif(coalesce(next, question.until), 'infinity')),
								trim_scale(value)), '; ' ORDER BY run.from_) AS expected
	FROM run JOIN question USING (n)
	GROUP BY n
)
SELECT input,
	   (SELECT string_agg(format('%s %s', period, quantity), '; ' ORDER BY o)
		FROM steps(p, during) WITH ORDINALITY AS s(period, quantity, o)) AS got,
	   reference.expected
FROM question LEFT JOIN reference USING (n);
SELECT pg_temp.agree('c27', 15000, 'steps are the pieces of the period, in order');

CREATE TEMP TABLE c28 AS
WITH whole AS (
	SELECT id, array_agg(from_) AS at, array_agg(value) AS value FROM piece GROUP BY id
)
SELECT input, clip(p, during)::text AS got,
	   CASE WHEN during IS NULL THEN NULL
			ELSE (SELECT pg_temp.written(array_agg(part.from_) || question.until, array_agg(part.value) || 0.0)
				  FROM part WHERE part.n = question.n) END AS expected
FROM question;
SELECT pg_temp.agree('c28', 15000, 'clip is the profile during the period, 0 outside');

-- value_at: on, right before and right after breakpoints, and at the infinities
CREATE TEMP TABLE c29 AS
SELECT format('%s at %s', expected, at) AS input,
	   value_at(p, at) AS got,
	   (SELECT value FROM piece
		WHERE piece.id = pool.id AND piece.from_ <= at AND (at < piece.until OR piece.until = 'infinity')) AS expected
FROM pool, generate_series(1, 3),
	 LATERAL (SELECT floor(random() * 14)::int - 1 + 0 * id AS k) AS dice,
	 LATERAL (SELECT CASE WHEN isfinite(i) AND g % 40 > 3 THEN i + (floor(random() * 3)::int - 1) * interval '1 microsecond' ELSE i END AS at
			  FROM pg_temp.instant(g, k) AS i) AS probe;
SELECT pg_temp.agree('c29', 20000, 'value_at is the value that holds');

CREATE TEMP TABLE c31 AS
SELECT input, trough(p, during) AS got, (SELECT min(value) FROM part WHERE part.n = question.n) AS expected FROM question;
SELECT pg_temp.agree('c31', 15000, 'trough is the smallest quantity of the period');

CREATE TEMP TABLE c32 AS
WITH asked AS (
	SELECT n, input, p, during, from_, until, (ARRAY[0, 1, 0.5, 0.95, 0.25, 1.0 / 3, 0.000001])[1 + n % 7]::numeric(19, 18) AS fraction FROM question
), reached AS (
	SELECT part.n, value, sum(pg_temp.microseconds(part.from_, part.until)) OVER (PARTITION BY part.n ORDER BY value) AS length, fraction * pg_temp.microseconds(asked.from_, asked.until) AS needed
	FROM part JOIN asked USING (n)
	WHERE isfinite(asked.from_) AND isfinite(asked.until)
)
SELECT format('%s fraction %s', input, fraction) AS input, quantile(p, during, fraction) AS got, min(value) FILTER (WHERE length >= needed) AS expected
FROM asked LEFT JOIN reached USING (n)
WHERE NOT coalesce(from_ < until AND (from_ = '-infinity' OR until = 'infinity'), false)
GROUP BY n, input, p, during, fraction;
SELECT pg_temp.agree('c32', 10000, 'quantile is the least quantity not exceeded for a fraction of the time');

-- thresholds that are values of the profile, and others
CREATE TEMP TABLE threshold AS
SELECT n, input, p, during, threshold, coalesce(above.infinite, false) AS infinite, coalesce(length, 0) AS length
FROM (SELECT question.*, CASE WHEN n % 3 = 0 THEN 0 WHEN n % 3 = 1 THEN peak ELSE (SELECT min(value) FROM part WHERE part.n = question.n) END AS threshold
	  FROM question WHERE during IS NOT NULL) AS q
LEFT JOIN LATERAL (SELECT bool_or(part.from_ = '-infinity' OR part.until = 'infinity') AS infinite,
						  sum(CASE WHEN isfinite(part.from_) AND isfinite(part.until) THEN pg_temp.microseconds(part.from_, part.until) END) AS length
				   FROM part WHERE part.n = q.n AND value > threshold) AS above ON true;
CREATE TEMP TABLE c33 AS
SELECT format('%s above %s', input, threshold) AS input,
	   CASE WHEN threshold IS NOT NULL THEN ARRAY[extract(epoch FROM duration_above(p, threshold, during)) * 1000000, extract(day FROM duration_above(p, threshold, during))] END AS got,
	   CASE WHEN threshold IS NOT NULL THEN ARRAY[length, 0] END AS expected
FROM threshold WHERE NOT infinite AND length < 9223372036854775808;
SELECT pg_temp.agree('c33', 10000, 'duration_above is the time that the quantity is greater');
CREATE TEMP TABLE c34 AS
SELECT format('%s above %s', input, threshold) AS input,
	   pg_temp.sqlstate_of(format('SELECT sharecollab.duration_above(%L, %L, %L)', p, threshold, during)) AS got, '22015' AS expected
FROM threshold WHERE infinite OR length >= 9223372036854775808;
SELECT pg_temp.agree('c34', 300, 'an infinite duration is error 22015');

CREATE TEMP TABLE c35 AS
WITH wish AS (
	SELECT q.n, input, p, during, quantity, duration, nth, (extract(epoch FROM duration) * 1000000)::numeric AS length
	FROM question AS q JOIN clock ON clock.g = q.id / 8,
		 LATERAL (SELECT CASE WHEN q.n % 3 = 0 THEN 0 ELSE coalesce((SELECT value FROM part WHERE part.n = q.n ORDER BY value, part.from_ OFFSET 1 LIMIT 1), 1) END AS quantity,
						 CASE WHEN extract(month FROM step) + extract(year FROM step) > 0 THEN interval '40 days' ELSE step * (ARRAY[1, 1, 2, 3])[1 + q.n % 4] END AS duration,
						 1 + (q.n % 5) / 3 AS nth) AS w
	WHERE during IS NOT NULL AND from_ > '-infinity'
), fitting AS (
	SELECT part.n, part.from_, part.until, value >= quantity AS fits,
		   count(*) FILTER (WHERE value < quantity) OVER (PARTITION BY part.n ORDER BY part.from_) AS island
	FROM part JOIN wish USING (n)
), stretch AS (
	SELECT n, min(from_) AS from_, max(until) AS until FROM fitting WHERE fits GROUP BY n, island
), long AS (
	SELECT n, from_, duration, row_number() OVER (PARTITION BY n ORDER BY from_) AS nth
	FROM stretch JOIN wish USING (n)
	WHERE CASE WHEN until = 'infinity' THEN true ELSE pg_temp.microseconds(from_, until) >= length END
)
SELECT format('%s: %s for %s, nth %s', input, quantity, wish.duration, wish.nth) AS input,
	   earliest_fit(p, quantity, wish.duration, during, wish.nth::int) AS got,
	   CASE WHEN pg_temp.microseconds(from_, '294276-12-31 23:59:59.999999+00') >= length THEN tstzrange(from_, from_ + long.duration) END AS expected
FROM wish LEFT JOIN long ON long.n = wish.n AND long.nth = wish.nth;
SELECT pg_temp.agree('c35', 10000, 'earliest_fit is the start of the first stretch that is long enough');
SELECT ok(count(*) FILTER (WHERE expected IS NULL) > 2000 AND count(*) FILTER (WHERE expected IS NOT NULL) > 2000, 'both fits and failures were tried') FROM c35;

CREATE TEMP TABLE c36 AS
WITH line AS (
	SELECT *, 1 + n % 12 AS width, pg_temp.microseconds(from_, until) AS length
	FROM question
	WHERE from_ < until AND isfinite(from_) AND isfinite(until) AND n % 2 = 0
), piece_ AS (
	SELECT n, id, i, from_ + (div(length * i, width) || ' microseconds')::interval AS start,
		   from_ + (greatest(div(length * (i + 1), width), div(length * i, width) + 1) || ' microseconds')::interval AS stop
	FROM line, generate_series(0, width - 1) AS i
	WHERE length < 9e18
), peaks AS (
	SELECT n, i, max(value) AS peak FROM piece_ JOIN piece USING (id) WHERE piece.from_ < stop AND piece.until > start GROUP BY n, i
), scaled AS (
	SELECT n, i, peak, least(0, min(peak) OVER (PARTITION BY n)) AS low, greatest(0, max(peak) OVER (PARTITION BY n)) AS high FROM peaks
), reference AS (
	SELECT n, string_agg(substr('▁▂▃▄▅▆▇█', 1 + CASE WHEN high > low THEN div((peak - low) * 7, high - low) ELSE 0 END::int, 1), '' ORDER BY i) AS expected
	FROM scaled GROUP BY n
)
SELECT format('%s width %s', input, width) AS input, sparkline(p, during, width::int) AS got, expected FROM line JOIN reference USING (n);
SELECT pg_temp.agree('c36', 5000, 'sparkline shows the peaks of its pieces');

-- shifted instants; those of -infinity stay
CREATE TEMP TABLE c37 AS
SELECT format('%s by %s', expected, by) AS input, shift(p, by)::text AS got,
	   (SELECT pg_temp.written(array_agg(CASE WHEN isfinite(from_) THEN from_ + (extract(epoch FROM by) * interval '1 second') ELSE from_ END), array_agg(value))
		FROM piece WHERE piece.id = pool.id) AS expected
FROM pool, LATERAL (SELECT (ARRAY['1 hour', '-1 microsecond', '30 days -0.000001 seconds', '0', '-3 days', '-1 day 25 hours'])[1 + id % 6]::interval AS by) AS s
WHERE g % 40 > 3;
SELECT pg_temp.agree('c37', 7000, 'shift moves every instant');

-- Copies of the steps by local time. Of steps at one instant, as in an hour that
-- is skipped, the last one holds.
CREATE TEMP TABLE schedule AS
SELECT row_number() OVER () AS n, *, tstzrange(a, a + make_interval(secs => floor(random() * 16) * extract(epoch FROM every)::float8 / 4), '[)') AS during
FROM (SELECT id, p, expected AS text,
			 (ARRAY['1 day', '7 days', '1 hour', '1 month', '1 day 6 hours', '12 hours', '1 year'])[1 + floor(random() * 7)]::interval AS every,
			 (ARRAY['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'America/Sao_Paulo'])[1 + floor(random() * 5)] AS zone,
			 (ARRAY['2026-03-07 12:00:00+00', '2026-10-24 12:34:56.789+00', '2025-12-31 23:59:59.999999+00', '2026-01-03 00:00:00+00', '2025-11-29 06:00:00+00'])[1 + floor(random() * 5)]::timestamptz AS a
	  FROM pool JOIN clock USING (g), generate_series(1, 2)
	  WHERE g % 40 > 3 AND extract(year FROM origin) = 2026 AND step < interval '31 days') AS s;

CREATE TEMP TABLE c38 AS
WITH example AS (
	SELECT n, id, every, zone, during, from_, value, row_number() OVER w AS i, from_ AT TIME ZONE zone AS local,
		   first_value(from_) OVER w AS first, first_value(from_ AT TIME ZONE zone) OVER w AS first_local
	FROM (SELECT schedule.*, piece.from_, value, value IS DISTINCT FROM lag(value) OVER (PARTITION BY n ORDER BY piece.from_) AS kept FROM schedule JOIN piece USING (id)) AS s
	WHERE kept AND isfinite(from_)
	WINDOW w AS (PARTITION BY n ORDER BY from_)
), copied AS (
	SELECT n, i, k, value, during, CASE WHEN every >= interval '1 day' THEN (local + k * every) AT TIME ZONE zone ELSE from_ + k * every END AS at,
		   CASE WHEN every >= interval '1 day' THEN (first_local + (k + 1) * every) AT TIME ZONE zone ELSE first + (k + 1) * every END AS next
	FROM example, LATERAL (SELECT floor(extract(epoch FROM lower(during) - from_) / extract(epoch FROM every))::int AS k0,
								  floor(extract(epoch FROM upper(during) - from_) / extract(epoch FROM every))::int AS k1) AS l,
		 LATERAL generate_series(k0 - 1, k1 + 1) AS k
	-- the pattern is one period of the example
	WHERE from_ < CASE WHEN every >= interval '1 day' THEN (first_local + every) AT TIME ZONE zone ELSE first + every END
), placed AS (
	SELECT n, k, i, value, greatest(at, lower(during)) AS at FROM copied WHERE at < next AND at < upper(during)
), held AS (
	SELECT DISTINCT ON (n, at) n, at, value FROM placed ORDER BY n, at, k DESC, i DESC
), disorder AS (
	-- in an hour that comes twice in the example, or in none of its copies, local time goes back
	SELECT n FROM (SELECT n, local < lag(local) OVER (PARTITION BY n ORDER BY i) AS back FROM example WHERE every >= interval '1 day') AS e WHERE back
	UNION
	SELECT n FROM (SELECT n, at < lag(at) OVER (PARTITION BY n, k ORDER BY i) AS back FROM copied) AS c WHERE back
), reference AS (
	SELECT n, pg_temp.written(array_agg(at) || upper(during), array_agg(value) || 0.0) AS expected FROM held JOIN schedule USING (n) GROUP BY n, during
)
SELECT format('repeat(%L, %L, %L, %L)', text, every, during, zone) AS input, repeat(p, every, during, zone)::text AS got, coalesce(expected, '{}') AS expected
FROM schedule LEFT JOIN reference USING (n)
WHERE n NOT IN (SELECT n FROM disorder);
SELECT pg_temp.agree('c38', 5000, 'repeat copies the example by local time');

SELECT is(repeat('{"2026-03-01 02:00-05": 2, "2026-03-01 02:30-05": 2.5, "2026-03-01 03:00-05": 3, "2026-03-01 03:30-05": 3.5, "2026-03-01 04:00-05": 0}',
				 '7 days', '[2026-03-08 00:00-05,2026-03-09 00:00-04)', 'America/New_York'),
		  '{"2026-03-08 03:00-04": 3, "2026-03-08 03:30-04": 3.5, "2026-03-08 04:00-04": 0}', 'repeat: three o''clock stays three o''clock where two o''clock is skipped');

-- buckets: their starts by local time, their measures by pieces
CREATE TEMP TABLE bucketed AS
SELECT row_number() OVER () AS n, id, p, expected AS text, bucket, zone,
	   tstzrange(a, a + (CASE WHEN extract(epoch FROM bucket) > 0 THEN floor(random() * 6)::int ELSE 1 END) * bucket
				 + floor(random() * 3)::int * bucket / 3,
				 (ARRAY['[)', '[]', '(]', '()'])[1 + floor(random() * 4)]) AS during
FROM (SELECT id, p, expected, g,
			 (ARRAY['1 hour', '1 day', '1 month', '7 days', '15 minutes', '0.5 seconds', '1 day 6 hours', '1 year',
					'1 microsecond', '90 minutes'])[1 + floor(random() * 10)]::interval AS bucket,
			 (ARRAY['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Europe/Berlin'])[1 + floor(random() * 5)] AS zone,
			 (ARRAY['2026-03-07 00:00:00-05', '2026-10-24 00:00:00+02', '2026-01-31 10:00:00+00', '2025-12-31 22:59:59.999999+00',
					'2026-04-04 02:30:00+11'])[1 + floor(random() * 5)]::timestamptz AS a
	  FROM pool WHERE g % 40 > 3) AS d;

CREATE TEMP TABLE c30 AS
WITH span AS (
	SELECT *, pg_temp.span_from(during) AS from_, pg_temp.span_until(during) AS until FROM bucketed
), edge AS (
	SELECT span.*, i, (from_ AT TIME ZONE zone + i * bucket) AT TIME ZONE zone AS start
	FROM span, generate_series(0, 10) AS i
	WHERE from_ < until
), bucket AS (
	SELECT n, id, i, start, least(lead(start) OVER (PARTITION BY n ORDER BY i), until) AS stop
	FROM edge
), measured AS (
	SELECT n, i, start, stop, max(value) AS peak,
		   sum(value * pg_temp.microseconds(greatest(start, piece.from_), least(stop, piece.until))) AS quantity_time
	FROM bucket JOIN piece USING (id)
	WHERE start < stop AND piece.from_ < stop AND piece.until > start
	GROUP BY n, i, start, stop
), reference AS (
	SELECT n, string_agg(format('%s %s %s %s', tstzrange(start, stop),
								trim_scale(trim_scale(quantity_time) / pg_temp.microseconds(start, stop)), trim_scale(peak),
								trim_scale(pg_temp.in_units(quantity_time, 3600000000))), '; ' ORDER BY i) AS expected
	FROM measured
	GROUP BY n
)
SELECT format('buckets(%L, %L, %L, %L)', text, during, bucket, zone) AS input,
	   (SELECT string_agg(format('%s %s %s %s', period, trim_scale(mean), peak, trim_scale(integral)), '; ' ORDER BY o)
		FROM buckets(p, during, bucket, zone) WITH ORDINALITY AS b(period, mean, peak, integral, o)) AS got,
	   expected
FROM bucketed LEFT JOIN reference USING (n);
SELECT pg_temp.agree('c30', 5000, 'buckets: local time makes them, pieces measure them');

-- ----------
-- Two profiles
-- ----------
CREATE TEMP TABLE pair AS
SELECT row_number() OVER () AS n, a.id AS a_id, b.id AS b_id, a.p AS a, b.p AS b,
	   format('%s and %s', a.expected, b.expected) AS input
FROM pool a JOIN pool b USING (g)
WHERE (a.slot, b.slot) IN ((0, 1), (1, 0), (0, 2), (2, 0), (0, 0), (3, 4), (4, 5), (5, 4), (5, 6), (6, 7), (7, 0), (2, 7), (4, 3));

CREATE TEMP TABLE joint AS
SELECT n, greatest(x.from_, y.from_) AS from_, x.value AS a, y.value AS b
FROM pair JOIN piece x ON x.id = a_id JOIN piece y ON y.id = b_id AND x.from_ < y.until AND y.from_ < x.until;
CREATE INDEX ON joint (n);
ANALYZE joint;

CREATE TEMP TABLE reference AS
SELECT n,
	   pg_temp.written(array_agg(from_), array_agg(a + b)) AS added,
	   pg_temp.written(array_agg(from_), array_agg(a - b)) AS subtracted,
	   pg_temp.written(array_agg(from_), array_agg(least(a, b))) AS lesser,
	   pg_temp.written(array_agg(from_), array_agg(greatest(a, b))) AS greater,
	   bool_and(a <= b) AS contained,
	   bool_and(a >= b) AS contains,
	   bool_and(a = b) AS equal,
	   coalesce((array_agg(sign(a - b) ORDER BY from_) FILTER (WHERE a <> b))[1], 0) AS order_
FROM joint
GROUP BY n;

CREATE TEMP TABLE c40 AS SELECT input, (a + b)::text AS got, added AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c40', 13000, '+ adds at every instant');
CREATE TEMP TABLE c41 AS SELECT input, (a - b)::text AS got, subtracted AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c41', 13000, '- subtracts at every instant');
CREATE TEMP TABLE c42 AS SELECT input, pointwise_min(a, b)::text AS got, lesser AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c42', 13000, 'pointwise_min is the lesser at every instant');
CREATE TEMP TABLE c43 AS SELECT input, pointwise_max(a, b)::text AS got, greater AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c43', 13000, 'pointwise_max is the greater at every instant');

CREATE TEMP TABLE c44 AS SELECT input, ARRAY[a <@ b, b @> a] AS got, ARRAY[contained, contained] AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c44', 13000, '<@ is at most at every instant');
CREATE TEMP TABLE c45 AS SELECT input, ARRAY[a @> b, b <@ a] AS got, ARRAY[contains, contains] AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c45', 13000, '@> is at least at every instant');
SELECT ok(count(*) FILTER (WHERE expected = '{t,t}') > 3000 AND count(*) FILTER (WHERE expected = '{f,f}') > 3000,
		  'both answers of <@ were tried') FROM c44;

CREATE TEMP TABLE c46 AS SELECT input, ARRAY[a = b, NOT a <> b] AS got, ARRAY[equal, equal] AS expected FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c46', 13000, '= is equal at every instant');
CREATE TEMP TABLE c47 AS
SELECT input, ARRAY[a < b, a <= b, a >= b, a > b, profile_cmp(a, b) < 0, profile_cmp(b, a) < 0] AS got,
	   ARRAY[order_ < 0, order_ <= 0, order_ >= 0, order_ > 0, order_ < 0, order_ > 0] AS expected
FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c47', 13000, '< <= >= > order by the earliest difference');

-- one form for one function: bytes, and so size and hash
CREATE TEMP TABLE c48 AS
SELECT input,
	   ARRAY[profile_send(a) = profile_send(b),
			 profile_hash(a) = profile_hash(b) AND profile_hash_extended(a, 0) = profile_hash_extended(b, 0)
			 AND profile_hash_extended(a, 42) = profile_hash_extended(b, 42),
			 hash_record_extended(ROW(a), 7) = hash_record_extended(ROW(b), 7)] AS got,
	   ARRAY[equal, equal, equal] AS expected
FROM pair JOIN reference USING (n);
SELECT pg_temp.agree('c48', 13000, 'equal profiles have equal bytes and hashes, and others do not');

-- products: an error if and only if they do not fit
CREATE TEMP TABLE product AS
WITH product AS (
	SELECT n, from_, a * b AS value FROM joint
), limits AS (
	SELECT n, max(scale(trim_scale(value))) AS scale, max(abs(value)) AS size FROM product GROUP BY n
)
SELECT n, scale <= 18 AND size * ('1e' || scale)::numeric < 9223372036854775808 AS fits, pg_temp.written(array_agg(from_), array_agg(value)) AS multiplied
FROM product JOIN limits USING (n)
GROUP BY n, scale, size;
CREATE TEMP TABLE c51 AS SELECT input, ARRAY[(a * b)::text, (b * a)::text] AS got, ARRAY[multiplied, multiplied] AS expected FROM pair JOIN product USING (n) WHERE fits;
SELECT pg_temp.agree('c51', 5000, '* multiplies at every instant');
CREATE TEMP TABLE c52 AS
SELECT input, pg_temp.sqlstate_of(format('SELECT %L::sharecollab.profile OPERATOR(sharecollab.*) %L::sharecollab.profile', a, b)) AS got, '22003' AS expected
FROM pair JOIN product USING (n) WHERE NOT fits;
SELECT pg_temp.agree('c52', 1000, 'a product that does not fit is error 22003');

CREATE TEMP TABLE times AS
SELECT id, p, text, factor, scale <= 18 AND size * ('1e' || scale)::numeric < 9223372036854775808 AS fits, multiplied
FROM (SELECT pool.id, p, pool.expected AS text, factor, max(scale(trim_scale(value * factor))) AS scale, max(abs(value * factor)) AS size,
			 pg_temp.written(array_agg(from_), array_agg(value * factor)) AS multiplied
	  FROM pool JOIN piece USING (id), LATERAL (SELECT (ARRAY[0, 1, -1, 2, 0.5, 0.1, 1000, 1e9, 0.000000001, 3.14159])[1 + floor(random() * 10)] AS factor FROM generate_series(1, 1 + pool.id * 0)) AS f
	  GROUP BY pool.id, p, pool.expected, factor) AS m;
CREATE TEMP TABLE c53 AS SELECT format('%s times %s', text, factor) AS input, ARRAY[(p * factor)::text, (factor * p)::text] AS got, ARRAY[multiplied, multiplied] AS expected FROM times WHERE fits;
SELECT pg_temp.agree('c53', 5000, '* by a number');
CREATE TEMP TABLE c54 AS
SELECT format('%s times %s', text, factor) AS input, pg_temp.sqlstate_of(format('SELECT %L::sharecollab.profile OPERATOR(sharecollab.*) %s::numeric', p, factor)) AS got, '22003' AS expected
FROM times WHERE NOT fits;
SELECT pg_temp.agree('c54', 100, 'a product by a number that does not fit is error 22003');
CREATE TEMP TABLE c55 AS SELECT expected AS input, ARRAY[-p, p * -1, - -p] AS got, ARRAY['{}' - p, '{}' - p, p] AS expected FROM pool;
SELECT pg_temp.agree('c55', 8000, 'unary -');

-- the same function made in other ways: from text, rectangles, sums, differences
CREATE TEMP TABLE made AS
SELECT pool.expected AS input, p,
	   (SELECT coalesce(load_profile(tstzrange(nullif(from_, '-infinity'), nullif(until, 'infinity')), value), '{}')
		FROM piece WHERE piece.id = pool.id) AS by_load,
	   (SELECT sum(profile(tstzrange(from_, until), value)) FROM piece WHERE piece.id = pool.id) AS by_sum,
	   p + p - p AS by_algebra,
	   (SELECT sum(profile(s.period, s.quantity)) FROM steps(p) AS s) AS by_steps,
	   clip(p, '(,2026-01-01]') + clip(p, '(2026-01-01,)') AS by_clips,
	   positive_part(p) - positive_part('{}' - p) AS by_parts
FROM pool;

CREATE TEMP TABLE c49 AS
SELECT input,
	   ARRAY[profile_send(by_load), profile_send(by_sum), profile_send(by_algebra), profile_send(by_steps),
			 profile_send(by_clips), profile_send(by_parts)] AS got,
	   array_fill(profile_send(p), ARRAY[6]) AS expected
FROM made;
SELECT pg_temp.agree('c49', 8000, 'made in other ways, the bytes are the same');

-- and as stored
CREATE TEMP TABLE c50 AS
SELECT input,
	   ARRAY[p = by_load, p = by_sum, p = by_algebra, p = by_steps, p = by_clips, p = by_parts,
			 pg_column_size(p) = ALL (ARRAY[pg_column_size(by_load), pg_column_size(by_sum), pg_column_size(by_algebra),
											pg_column_size(by_steps), pg_column_size(by_clips), pg_column_size(by_parts)]),
			 profile_hash(p) = ALL (ARRAY[profile_hash(by_load), profile_hash(by_sum), profile_hash(by_algebra),
										  profile_hash(by_steps), profile_hash(by_clips), profile_hash(by_parts)])] AS got,
	   array_fill(true, ARRAY[8]) AS expected
FROM made;
SELECT pg_temp.agree('c50', 8000, 'made in other ways, what is stored is the same');

-- ----------
-- sum(profile)
-- ----------
CREATE TEMP TABLE chosen AS
SELECT c AS case_id, id, CASE WHEN random() < 0.07 OR c % 60 = 0 THEN NULL ELSE p END AS p, pool.expected AS text
FROM generate_series(1, 6000) AS c JOIN pool ON pool.g = 1 + c % 1000
WHERE random() < 0.6;
ANALYZE chosen;

CREATE TEMP TABLE c60 AS
WITH change AS (
	SELECT id, from_ AS at, value - lag(value, 1, 0::numeric) OVER (PARTITION BY id ORDER BY from_) AS change FROM piece
), reference AS (
	SELECT case_id, pg_temp.sweep(array_agg(at), array_agg(change)) AS expected
	FROM chosen JOIN change USING (id)
	WHERE p IS NOT NULL
	GROUP BY case_id
)
SELECT string_agg(text, ' + ') AS input, sum(p)::text AS got, min(expected) AS expected
FROM chosen LEFT JOIN reference USING (case_id)
GROUP BY case_id;
SELECT pg_temp.agree('c60', 5500, 'sum(profile) is the sweep over all steps');

CREATE TEMP TABLE c61 AS
SELECT string_agg(text, ' + ') AS input,
	   ARRAY[profile_send(sum(p ORDER BY id)), profile_send(sum(p ORDER BY id DESC))] AS got,
	   array_fill(profile_send(sum(p)), ARRAY[2]) AS expected
FROM chosen GROUP BY case_id;
SELECT pg_temp.agree('c61', 5500, 'sum(profile) does not depend on the order of rows');

-- max(profile), min(profile): by value at every instant where one of them changes
CREATE TEMP TABLE c62 AS
WITH instant AS (
	SELECT DISTINCT case_id, from_ AS at FROM chosen JOIN piece USING (id) WHERE p IS NOT NULL
), value AS (
	SELECT case_id, at, max(value) AS greatest, min(value) AS least
	FROM instant JOIN chosen USING (case_id) JOIN piece USING (id)
	WHERE p IS NOT NULL AND piece.from_ <= at AND at < piece.until
	GROUP BY case_id, at
), reference AS (
	SELECT case_id, pg_temp.written(array_agg(at), array_agg(greatest)) AS greatest, pg_temp.written(array_agg(at), array_agg(least)) AS least
	FROM value GROUP BY case_id
)
SELECT string_agg(text, ' and ') AS input, ARRAY[max(p)::text, min(p)::text, max(p ORDER BY id)::text, min(p ORDER BY id DESC)::text] AS got,
	   ARRAY[min(reference.greatest), min(reference.least), min(reference.greatest), min(reference.least)] AS expected
FROM chosen LEFT JOIN reference USING (case_id)
GROUP BY case_id;
SELECT pg_temp.agree('c62', 5500, 'max(profile) and min(profile) are the greatest and the least at every instant');

-- samples: in any order, some more than once, some at infinity or unknown
CREATE TEMP TABLE sample AS
SELECT g * 8 + slot AS case_id, g, slot, at, value FROM wild, generate_series(1, 2) AS again WHERE again = 1 OR random() + 0 * g < 0.2
UNION ALL
SELECT g * 8 + slot, g, slot, CASE WHEN random() < 0.5 THEN 'infinity'::timestamptz END, pg_temp.quantity(g) FROM wild WHERE random() < 0.1
UNION ALL
SELECT g * 8 + slot, g, slot, at, NULL FROM wild WHERE random() < 0.1
UNION ALL
SELECT g * 8 + slot, g, slot, at, value FROM wild WHERE random() < 0.1;
CREATE TEMP TABLE c63 AS
WITH reference AS (
	SELECT g * 8 + slot AS case_id, pg_temp.written(array_agg(at), array_agg(value)) AS expected FROM wild GROUP BY g, slot
)
SELECT string_agg(format('(%L, %s)', at, value), ', ') AS input,
	   ARRAY[gauge_profile(at, value ORDER BY random())::text, gauge_profile(at, value ORDER BY at)::text] AS got,
	   CASE WHEN bool_or(at IS NOT NULL AND value IS NOT NULL) THEN ARRAY[min(expected), min(expected)] ELSE ARRAY[NULL, NULL] END AS expected
FROM sample LEFT JOIN reference USING (case_id)
GROUP BY case_id;
SELECT pg_temp.agree('c63', 5500, 'gauge_profile: every sample holds until the next one');
CREATE TEMP TABLE c64 AS
SELECT format('{%s}', string_agg(format('(%L,%s)', at, value), ',')) AS input,
	   pg_temp.sqlstate_of(format('SELECT sharecollab.gauge_profile(a, v) FROM unnest(%L::timestamptz[], %L::numeric[]) AS s(a, v)', array_agg(at), array_agg(value))) AS got,
	   '21000' AS expected
FROM (SELECT g, slot, at, value FROM wild WHERE slot = 4 UNION ALL SELECT DISTINCT ON (g) g, slot, at, value + 1 FROM wild WHERE slot = 4) AS s
GROUP BY g;
SELECT pg_temp.agree('c64', 500, 'two values at one instant are error 21000');

-- ----------
-- Laws
-- ----------
CREATE TEMP TABLE triple AS
SELECT a.p AS a, b.p AS b, c.p AS c, a.id AS a_id, b.id AS b_id,
	   format('%s, %s, %s', a.expected, b.expected, c.expected) AS input
FROM pool a JOIN pool b USING (g) JOIN pool c USING (g)
WHERE (a.slot, b.slot, c.slot) IN ((4, 5, 6), (5, 6, 7), (7, 0, 4), (0, 1, 2), (1, 6, 3), (2, 7, 5), (6, 4, 0));

CREATE TEMP TABLE c70 AS SELECT input, a + b AS got, b + a AS expected FROM triple;
SELECT pg_temp.agree('c70', 7000, 'a + b = b + a');
CREATE TEMP TABLE c71 AS SELECT input, (a + b) + c AS got, a + (b + c) AS expected FROM triple;
SELECT pg_temp.agree('c71', 7000, '(a + b) + c = a + (b + c)');
CREATE TEMP TABLE c72 AS SELECT input, a - a AS got, '{}'::profile AS expected FROM triple;
SELECT pg_temp.agree('c72', 7000, 'a - a = {}');
CREATE TEMP TABLE c73 AS SELECT input, a + b - b AS got, a AS expected FROM triple;
SELECT pg_temp.agree('c73', 7000, 'a + b - b = a');
CREATE TEMP TABLE c74 AS
SELECT input, a <@ b AS got, NOT EXISTS (SELECT FROM steps(a - b) AS s WHERE s.quantity > 0) AS expected FROM triple;
SELECT pg_temp.agree('c74', 7000, 'a <@ b if and only if no step of a - b is positive');
CREATE TEMP TABLE c75 AS
SELECT input, ARRAY[pointwise_min(a, b) + pointwise_max(a, b), pointwise_min(pointwise_max(a, b), a)] AS got, ARRAY[a + b, a] AS expected
FROM triple;
SELECT pg_temp.agree('c75', 7000, 'min + max = a + b; absorption');

-- microseconds are exact: no division
CREATE TEMP TABLE c79 AS SELECT input, (a - b) * 2 AS got, 2 * a + -2 * b AS expected FROM triple WHERE a_id / 8 % 6 IN (0, 1, 4);
SELECT pg_temp.agree('c79', 3000, '(a - b) * 2 = 2a - 2b');

CREATE TEMP TABLE c76 AS
SELECT input, integral(a + b, w, '1 microsecond') AS got, integral(a, w, '1 microsecond') + integral(b, w, '1 microsecond') AS expected
FROM triple, LATERAL (SELECT tstzrange('2025-12-31', '2026-03-09 00:00:00.123456') AS w) AS d;
SELECT pg_temp.agree('c76', 7000, 'integral(a + b) = integral(a) + integral(b)');

-- two measures of the same leases
CREATE TEMP TABLE c77 AS
SELECT string_agg(format('(%L, %s)', period, quantity), ', ' ORDER BY row_id) AS input,
	   unit_hours(period, quantity, during) AS got,
	   integral(load_profile(period, quantity), during) AS expected
FROM lease, LATERAL (SELECT tstzrange('2025-12-31', '2026-11-09 00:00:00.123456') AS during) AS d
GROUP BY case_id, during;
SELECT pg_temp.agree('c77', 6500, 'unit_hours = integral(load_profile)');

-- the order is total: no cycle, and what neither precedes is equal
CREATE TEMP TABLE c78 AS
SELECT input, (a < b AND b < c AND NOT a < c) OR (a <= b AND b <= a AND a <> b) OR (a = b AND b = c AND a <> c) AS got, false AS expected
FROM triple;
SELECT pg_temp.agree('c78', 7000, 'the order is transitive');

SELECT * FROM finish();
ROLLBACK;
