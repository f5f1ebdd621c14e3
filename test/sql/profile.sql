-- profile.sql
--		The type profile as its users see it.

SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
-- (tables of our own, whatever the extension's are called)
CREATE SCHEMA profile_test;
SET search_path = profile_test, sharecollab, public;
\set SHOW_CONTEXT never

-- What an expression gives: its value, or its error's SQLSTATE and message
CREATE FUNCTION pg_temp.try(expression text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT (' || expression || ')::text' INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ' ' || sqlerrm;
END $$;

-- What a literal gives: its canonical form, or its error's SQLSTATE and detail.
-- From 16 on there is a second way to find out that a literal is malformed,
-- without an error; it has to agree.
CREATE FUNCTION pg_temp.read(literal text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	valid boolean;
BEGIN
	BEGIN
		result := literal::profile;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		result := sqlstate || ' ' || CASE WHEN sqlstate LIKE '22P02' OR detail <> '' THEN detail ELSE 'from timestamptz' END;
	END;
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT pg_input_is_valid($1, ''sharecollab.profile'')' INTO valid USING literal;
		IF valid <> (result ~ '^\{') THEN
			result := result || ' BUT pg_input_is_valid SAYS ' || valid;
		END IF;
	END IF;
	RETURN result;
END $$;

-- ----------
-- Literals
-- ----------
SELECT '{"2026-01-01 00:00:00+00": 8, "2026-03-01 00:00:00+00": 12, "2026-06-01 00:00:00+00": 0}'::profile;
SELECT '{}'::profile;
SELECT profile '{"-infinity": 1}', '{"-infinity": 8, "2026-01-01": 0}'::profile;

-- canonical: sorted; no step that changes nothing; no zeros at the end
SELECT literal, pg_temp.read(literal) AS canonical
FROM (VALUES
	(' { "2026-01-01" : 8 , "2026-01-02" : 0 } '),
	(E'\n{\t"2026-01-01"\r\n:\t8}\n'),
	('{"2026-01-03": 3, "2026-01-01": 1, "2026-01-02": 2}'),
	('{"2026-01-01": 0}'),
	('{"-infinity": 0}'),
	('{"-infinity": 0, "2026-01-01": 0, "2026-01-02": 1}'),
	('{"2026-01-01": 8, "2026-01-02": 8, "2026-01-03": 8}'),
	('{"2026-01-01": 8, "2026-01-02": 8.00, "2026-01-03": 80e-1, "2026-01-04": 0}'),
	('{"2026-01-01": 1.50, "2026-01-02": 2.00, "2026-01-03": 0.25}'),
	('{"2026-01-01": 100, "2026-01-02": 1000}'),
	('{"2026-01-01": -1, "2026-01-02": -0, "2026-01-03": -0.5}'),
	('{"2026-01-01": 1e3, "2026-01-02": 1E+3, "2026-01-03": 25e-2, "2026-01-04": 2.5E-01, "2026-01-05": 0e9999999999999}'),
	('{"2026-01-01": 0.000001, "2026-01-02": 123456789012.123456}'),
	('{"2026-01-01": 1e18, "2026-01-02": -1e18}'),
	('{"2026-01-01": 1e-18, "2026-01-02": -1e-18}'),
	('{"2026-01-01": 9223372036854775807, "2026-01-02": -9223372036854775807}'),
	('{"2026-01-01": 9.223372036854775807}'),
	('{"2026-01-01": 10000000000000000000000000000000000000000e-40}'),
	('{"2026-01-01": 0.00000000000000000000000000000000000000000000000001e50}'),
	('{"2026-01-01": 1.0000000000000000000000000000000000000000000000000000}')
) AS v(literal);

-- instants as timestamptz reads them
SELECT key, pg_temp.read(format('{"%s": 1}', key)) AS canonical
FROM (VALUES
	('2026-01-01'), ('2026-01-01T12:34:56Z'), ('20260101T123456.789Z'), ('2026-01-01 00:00:00.000001+05:30'),
	('2026-01-01 00:00 America/New_York'), ('2026-07-01 00:00 America/New_York'), ('2026-W01'), ('J2461042'),
	('epoch'), ('-infinity'), (' -infinity '), ('1999-12-31 23:59:59.9999995'),
	('4714-11-24 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00'), ('0001-01-01 BC')
) AS v(key);
-- right after and right before what a timestamptz can be
SELECT '{"4714-11-24 00:00:00+00 BC": 1, "4714-11-24 00:00:00.000001+00 BC": 2, "294276-12-31 23:59:59.999998+00": 3, "294276-12-31 23:59:59.999999+00": 0}'::profile;

-- output is in ISO style whatever DateStyle says, in the session's time zone
SET datestyle = 'SQL, DMY';
SELECT '{"2026-01-02 03:04:05.6+00": 1}'::profile;
-- (input is the timestamptz's, so a key in ISO style is the one to write)
SELECT '{"02/01/2026 03:04:05.6 UTC": 1}'::profile;
SET datestyle = 'German';
SELECT '{"2026-01-02 03:04:05.6+00": 1, "0044-03-15 00:00:00+00 BC": 2}'::profile;
SET datestyle = 'Postgres, MDY';
SELECT '{"2026-01-02 03:04:05.6+00": 1}'::profile;
SET timezone = 'America/New_York';
SELECT '{"2026-03-08 06:59:59+00": 1, "2026-03-08 07:00:00+00": 2, "2026-03-08 02:00": 3, "2026-03-08 04:00": 4}'::profile;
SELECT '{"2026-11-01 05:30:00+00": 1, "2026-11-01 06:30:00+00": 2}'::profile;
SET timezone = 'Asia/Kathmandu';
SELECT '{"2026-01-01 00:00": 1, "2026-01-01 00:00:00+00": 2, "1900-01-01 00:00:00+00": 1.5}'::profile;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- malformed
SELECT '{"2026-01-01": eight}'::profile;
\echo :LAST_ERROR_SQLSTATE
SELECT literal, pg_temp.read(literal) AS error
FROM (VALUES
	(''), ('   '), ('{'), ('}'), ('[]'), ('8'), ('null'), ('NULL'), ('"2026-01-01": 8'), ('{{}'), ('{}}'), ('{} {}'), ('{}x'), ('{},'),
	('{"2026-01-01": 8'), ('{"2026-01-01": 8,'), ('{"2026-01-01": 8,}'), ('{,}'), ('{,"2026-01-01": 8}'), ('{"2026-01-01": 8}}'),
	('{"2026-01-01": 8} x'), ('{"2026-01-01": 8;}'), ('{"2026-01-01": 8 "2026-01-02": 9}'), ('{"2026-01-01": 8,, "2026-01-02": 9}'),
	('{"2026-01-01"}'), ('{"2026-01-01":}'), ('{"2026-01-01": }'), ('{"2026-01-01"; 8}'), ('{"2026-01-01" 8}'), ('{"2026-01-01":: 8}'),
	('{2026-01-01: 8}'), ('{''2026-01-01'': 8}'), ('{"2026-01-01: 8}'), ('{2026-01-01": 8}'),
	('{"": 8}'), ('{" ": 8}'), ('{"x": 8}'), ('{"2026-13-01": 8}'), ('{"2026-02-29": 8}'), ('{"2026-01-01 25:00": 8}'),
	('{"2026-01-01 00:00 Nowhere/Land": 8}'), ('{"2026-01-01 \u002b00": 8}'), ('{"2026-01-01\"": 8}'), ('{"2026\/01\/01": 8}'),
	(E'{"2026-01-01\n": 8}'), (E'{"2026-01-01\t": 8}'),
	('{"infinity": 8}'), ('{"2026-01-01": 8, "infinity": 0}'),
	('{"4714-11-23 BC": 8}'), ('{"294277-01-01": 8}'), ('{"294276-12-31 23:59:59.9999999+00": 8}'),
	('{"2026-01-01": 8, "2026-01-01": 8}'), ('{"2026-01-01": 8, "2026-01-02": 8, "2026-01-01 00:00:00+00": 9}'),
	('{"2026-01-01 01:00+01": 8, "2026-01-01": 8}'), ('{"-infinity": 8, "-infinity": 8}'),
	('{"2026-01-01": "8"}'), ('{"2026-01-01": null}'), ('{"2026-01-01": true}'), ('{"2026-01-01": [8]}'), ('{"2026-01-01": {}}'),
	('{"2026-01-01": NaN}'), ('{"2026-01-01": nan}'), ('{"2026-01-01": Infinity}'), ('{"2026-01-01": -Infinity}'),
	('{"2026-01-01": +8}'), ('{"2026-01-01": --8}'), ('{"2026-01-01": 08}'), ('{"2026-01-01": 00}'), ('{"2026-01-01": -01}'), ('{"2026-01-01": 00.5}'),
	('{"2026-01-01": .5}'), ('{"2026-01-01": 5.}'), ('{"2026-01-01": -.5}'), ('{"2026-01-01": 5.e1}'), ('{"2026-01-01": .}'), ('{"2026-01-01": -}'),
	('{"2026-01-01": 1e}'), ('{"2026-01-01": 1e+}'), ('{"2026-01-01": e1}'), ('{"2026-01-01": 1e1.5}'), ('{"2026-01-01": 1ee1}'), ('{"2026-01-01": 1e+-1}'),
	('{"2026-01-01": 1.2.3}'), ('{"2026-01-01": 1-2}'), ('{"2026-01-01": 1_000}'), ('{"2026-01-01": 1,000}'), ('{"2026-01-01": 0x1F}'), ('{"2026-01-01": 1 0}')
) AS v(literal);
-- keys as long as they can be, and longer
SELECT length(key), pg_temp.read(format('{"%s": 8}', key))
FROM (SELECT '2026-01-01' || repeat(' ', n) FROM unnest(ARRAY[100, 118, 119, 10000]) AS n
	  UNION ALL SELECT repeat('2', n) FROM unnest(ARRAY[128, 129]) AS n) AS v(key);
-- long literals
SELECT left(pg_temp.read('{' || repeat(' ', 100000)), 40) AS spaces;
SELECT left(pg_temp.read(repeat('{', 100000)), 40) AS braces;
SELECT pg_temp.read('{"2026-01-01": ' || repeat('0', 100000) || '}') ~ '^22P02' AS zeros,
	   pg_temp.read('{"2026-01-01": 0.' || repeat('0', 100000) || '}') AS zero,
	   pg_temp.read('{"2026-01-01": 0.' || repeat('0', 100000) || '1e100001}') AS one,
	   pg_temp.read('{"2026-01-01": 1' || repeat('0', 100000) || 'e-100000}') AS one_too,
	   pg_temp.read('{"2026-01-01": ' || repeat('9', 100000) || '}') AS nines;

-- out of range
SELECT '{"2026-01-01": 1e19}'::profile;
SELECT '{"2026-01-01": 1e18, "2026-01-02": 0.1}'::profile;
\echo :LAST_ERROR_SQLSTATE
SELECT literal, pg_temp.read(literal) AS error
FROM (VALUES
	('{"2026-01-01": 9223372036854775808}'), ('{"2026-01-01": -9223372036854775808}'), ('{"2026-01-01": 1e19}'), ('{"2026-01-01": 1e-19}'),
	('{"2026-01-01": 0.0000000000000000001}'), ('{"2026-01-01": 9.2233720368547758070001}'), ('{"2026-01-01": 10.000000000000000001}'),
	('{"2026-01-01": 1e999999999999999999999}'), ('{"2026-01-01": 1e-999999999999999999999}'), ('{"2026-01-01": -1e2147483648}'),
	('{"2026-01-01": 340282366920938463463374607431768211456}'), ('{"2026-01-01": 340282366920938463463374607431768211457}'),
	('{"2026-01-01": 1000000000000000000, "2026-01-02": 0.1}'), ('{"2026-01-01": 0.000000000000000001, "2026-01-02": 10}')
) AS v(literal);
-- the largest value and the smallest fraction just go together
SELECT '{"2026-01-01": 922337203685477580.7, "2026-01-02": 0.1, "2026-01-03": -922337203685477580}'::profile;

-- ----------
-- Constructors
-- ----------
SELECT profile(1e19);
SELECT profile(numeric 'NaN');
SELECT expression, pg_temp.try(expression) AS result
FROM (VALUES
	('profile(8)'), ('profile(0)'), ('profile(-1.50)'), ('profile(1e18)'), ('profile(9223372036854775807)'), ('profile(-9223372036854775807)'),
	('profile(0.000000000000000001)'), ('profile(NULL::numeric)'),
	('profile(9223372036854775808)'), ('profile(-9223372036854775808)'), ('profile(1e19)'), ('profile(1e-19)'), ('profile(1234567890.0123456789)'),
	('profile(numeric ''NaN'')'), ('profile(numeric ''Infinity'')'), ('profile(numeric ''-Infinity'')'), ('profile(1e1000)'), ('profile(1e-1000)'),
	('profile(''[2026-01-01,2026-02-01)'', 8)'), ('profile(''[2026-01-01,2026-02-01]'', 8)'), ('profile(''(2026-01-01,2026-02-01)'', 8)'),
	('profile(''(2026-01-01,2026-02-01]'', 8)'), ('profile(''[2026-01-01,2026-01-01]'', 8)'), ('profile(''[2026-01-01,2026-01-01)'', 8)'),
	('profile(''(2026-01-01,2026-01-01 00:00:00.000001)'', 8)'), ('profile(''(2026-01-01,2026-01-01 00:00:00.000001]'', 8)'),
	('profile(''empty'', 8)'), ('profile(''[2026-01-01,)'', 8)'), ('profile(''(,2026-01-01)'', 8)'), ('profile(''(,2026-01-01]'', 8)'), ('profile(''(,)'', 8)'),
	('profile(''[2026-01-01,infinity]'', 8)'), ('profile(''[2026-01-01,infinity)'', 8)'), ('profile(''[-infinity,2026-01-01)'', 8)'),
	('profile(''(-infinity,2026-01-01)'', 8)'), ('profile(''(-infinity,infinity)'', 8)'), ('profile(''[infinity,infinity]'', 8)'), ('profile(''[infinity,]'', 8)'),
	('profile(''[-infinity,-infinity]'', 8)'), ('profile(''(,-infinity]'', 8)'),
	('profile(''[294276-12-31 23:59:59.999999,294276-12-31 23:59:59.999999]'', 8)'), ('profile(''(294276-12-31 23:59:59.999999,)'', 8)'),
	('profile(''[4714-11-24 BC,4714-11-24 BC]'', 8)'),
	('profile(''[2026-01-01,2026-02-01)'', 0)'), ('profile(''[2026-01-01,2026-02-01)'', -0.5)'), ('profile(''[2026-01-01,2026-02-01)'', 1e19)'),
	('profile(''[2026-01-01,2026-02-01)'', ''NaN'')'), ('profile(''empty'', ''NaN'')'),
	('profile(NULL::tstzrange, 8)'), ('profile(''[2026-01-01,2026-02-01)'', NULL)'),
	('profile(tstzmultirange ''{[2026-01-01,2026-02-01),(2026-02-01,2026-03-01],[2026-03-01 00:00:00.000001,2026-04-01)}'')'), ('profile(tstzmultirange ''{}'')'), ('profile(tstzmultirange ''{(,)}'')'),
	('profile(tstzmultirange ''{(,2026-01-01],[infinity,infinity]}'')'), ('profile(NULL::tstzmultirange)')
) AS v(expression);
SELECT tstzmultirange(tstzrange('2026-01-01', '2026-01-02'), tstzrange('2026-01-05', NULL))::profile;

-- ----------
-- Algebra
-- ----------
CREATE TABLE lab (name text PRIMARY KEY, p profile);
INSERT INTO lab VALUES
	('zero', '{}'),
	('flat', '{"-infinity": 4}'),
	('a', '{"2026-01-01": 8, "2026-03-01": 12, "2026-06-01": 0}'),
	('b', '{"2026-02-01": 2.5, "2026-03-01": -2.5, "2026-07-01": 1}'),
	('c', '{"-infinity": 1, "2026-01-01": 8, "2026-03-01": 12.000001, "2026-06-01": 0}'),
	('none', NULL);
SELECT x.name, y.name, x.p + y.p AS "+", x.p - y.p AS "-"
FROM lab x JOIN lab y ON (x.name, y.name) IN (('a', 'b'), ('b', 'a'), ('a', 'a'), ('flat', 'c'), ('zero', 'b'), ('b', 'zero'), ('a', 'none'))
ORDER BY x.name, y.name;
SELECT x.name, y.name, pointwise_min(x.p, y.p), pointwise_max(x.p, y.p)
FROM lab x JOIN lab y ON (x.name, y.name) IN (('a', 'b'), ('b', 'a'), ('flat', 'c'), ('zero', 'b'), ('a', 'none'))
ORDER BY x.name, y.name;
SELECT name, positive_part(p), positive_part('{}' - p) FROM lab ORDER BY name;
SELECT during, clip(p, during)
FROM lab, unnest(ARRAY['(,)', '[2026-02-01,2026-04-01)', '(2026-02-01,2026-03-01]', '[2026-03-01,2026-03-01]', '(,2026-02-01)', '[2026-07-01,)', 'empty']::tstzrange[]) AS during
WHERE name = 'c';

SELECT x.name, y.name, x.p * y.p AS "*"
FROM lab x JOIN lab y ON (x.name, y.name) IN (('a', 'b'), ('b', 'a'), ('flat', 'c'), ('zero', 'b'), ('a', 'none'))
ORDER BY x.name, y.name;
SELECT name, p * 2.5 AS "* 2.5", -1 * p AS "-1 *", -p AS "-", p * 0 AS "* 0" FROM lab WHERE name IN ('b', 'flat', 'zero', 'none') ORDER BY name;
SELECT by, shift(p, by) FROM lab, unnest(ARRAY['1 hour', '-1 day', '1 microsecond', '0', '1 week -6 days']::interval[]) AS by WHERE name = 'c';
-- a working day, from one example; and a night, across changes of daylight saving time
SELECT repeat('{"2026-01-05 09:00": 8, "2026-01-05 17:00": 0}', '1 day', '[2026-01-01,2026-01-04 12:00)');
SELECT repeat('{"2026-01-05 22:00+01": 1, "2026-01-06 06:00+01": 0}', '1 day', '[2026-03-28 12:00+01,2026-03-30 12:00+02)', 'Europe/Berlin');
SELECT repeat('{"2026-01-05 22:00+01": 1, "2026-01-06 06:00+01": 0}', '24 hours', '[2026-03-28 12:00+01,2026-03-30 12:00+02)', 'Europe/Berlin');
SELECT repeat('{"2026-01-31": 1, "2026-02-01": 0}', '1 month', '[2026-01-01,2026-06-01)');
SELECT repeat('{"-infinity": 7, "2026-01-01": 1, "2026-01-02": 2, "2026-01-09": 3}', '7 days', '(2026-01-03,2026-01-09]');
SELECT repeat(profile(8), '1 day', '[2026-01-01,2026-01-02)'), repeat('{"2026-01-01": 1}', '1 day', 'empty'), repeat('{"2026-01-01": 1}', '1 day', NULL);

-- out of range
SELECT profile(9e18) + profile(9e18);
SELECT expression, pg_temp.try(expression) AS result
FROM (VALUES
	('profile(9223372036854775807) + profile(1)'), ('profile(-9223372036854775807) - profile(1)'), ('profile(9223372036854775807) - profile(-1)'),
	('profile(9223372036854775806) + profile(1)'), ('profile(1e18) + profile(0.1)'), ('profile(10) - profile(0.000000000000000001)'),
	('profile(''[2026-01-01,2026-02-01)'', 1e18) + profile(''[2026-03-01,2026-04-01)'', 0.1)'),
	('profile(5000000000000000000) - profile(5000000000000000000)'), ('profile(-5000000000000000000) + profile(5000000000000000000)'),
	('profile(1e10) * profile(1e10)'), ('profile(1e-10) * profile(1e-10)'), ('profile(1e-10) * profile(1e10)'), ('profile(0.000000005) * 0.2'), ('profile(0.0000000005) * 0.0000000005'),
	('profile(1234567890.5) * 1000000000'), ('profile(1) * numeric ''NaN'''), ('profile(1) * 1e19'), ('profile(''[2026-01-01,2026-02-01)'', 1e18) * profile(''[2026-03-01,2026-04-01)'', 1e18)'),
	('shift(''{"2026-01-01": 1}'', ''1 month'')'), ('shift(''{"294276-12-31": 1}'', ''1 day'')'), ('shift(''{"4714-11-24 BC": 1}'', ''-1 microsecond'')'), ('shift(profile(1), ''106751992 days'')'),
	('repeat(''{"2026-01-01": 1}'', ''1 day'', ''[2026-01-01,)'')'), ('repeat(''{"2026-01-01": 1}'', ''0'', ''[2026-01-01,2026-01-02)'')'),
	('repeat(''{"2026-01-01": 1}'', ''1 month -1 day'', ''[2026-01-01,2026-01-02)'')'), ('repeat(''{"2026-01-01": 1}'', ''1 day'', ''[2026-01-01,2026-01-02)'', ''Nowhere/Land'')')
) AS v(expression);

-- ----------
-- Comparison
-- ----------
SELECT x.name, y.name, x.p = y.p AS "=", x.p <> y.p AS "<>", x.p < y.p AS "<", x.p <= y.p AS "<=", x.p > y.p AS ">", x.p >= y.p AS ">=",
	   x.p <@ y.p AS "<@", x.p @> y.p AS "@>"
FROM lab x, lab y ORDER BY x.name, y.name;
SELECT '{"2026-01-01": 1.0, "2026-01-02": 0}'::profile = '{"2026-01-02 00:00:00+00": 0.00, "2026-01-01": 1, "2025-01-01": 0}'::profile AS equal,
	   profile_hash('{"2026-01-01": 1.0, "2026-01-02": 0}') = profile_hash('{"2026-01-02 00:00:00+00": 0.00, "2026-01-01": 1, "2025-01-01": 0}') AS same_hash;
-- the earliest difference decides
SELECT p FROM (VALUES ('{"2026-01-01": 2}'), ('{"2026-01-01": 1, "2026-01-02": 5}'), ('{"2026-01-02": 5}'), ('{"-infinity": -1, "2026-01-01": 100}'), ('{}'),
					  ('{"2026-01-01": 1}'), ('{"2025-01-01": -0.1}'), ('{"2027-01-01": 0.000000000000000001}'), ('{"2027-01-01": 9e18}')) AS v(literal), CAST(literal AS profile) AS p
ORDER BY p;

-- scales that have nothing in common can still be compared
SELECT profile(9e18) > profile(9e-18) AS greater, profile(9e18) @> profile(9e-18) AS contains, profile(-9e18) <@ profile(9e-18) AS contained, profile(9e18) = profile(9e-18) AS equal;

-- ----------
-- Measures
-- ----------
SELECT at, value_at(p, at)
FROM lab, unnest(ARRAY['-infinity', '2025-12-31 23:59:59.999999', '2026-01-01', '2026-02-28', '2026-03-01', '2026-06-01', 'infinity']::timestamptz[]) AS at
WHERE name = 'c';
SELECT value_at('{}', '2026-01-01'), value_at(profile(1.50), '2026-01-01'), value_at(NULL, '2026-01-01'), value_at('{}', NULL);

SELECT integral(p, '(,)') FROM lab WHERE name = 'flat';
SELECT mean(p, '(,)') FROM lab WHERE name = 'flat';
SELECT integral(p, '[2026-01-01,2026-02-01)', '1 month') FROM lab WHERE name = 'flat';
SELECT during, peak(p, during), peak_at(p, during), pg_temp.try(format('mean(%L::profile, %L)', p, during)) AS mean, pg_temp.try(format('integral(%L::profile, %L)', p, during)) AS integral
FROM lab, unnest(ARRAY['(,)', 'empty', '[2026-03-01,2026-03-01)', '[2026-03-01,2026-03-01]', '(2026-02-28 23:59:59.999999,2026-03-01)', '[2026-02-01,2026-04-01)', '[2025-12-01,2026-01-01)',
					   '[2025-12-01,2026-01-01]', '(,2026-01-01)', '[2026-06-01,)', '[2026-05-01,)', '[2026-07-01,2026-08-01)', '[infinity,infinity]', '[-infinity,-infinity]']::tstzrange[]) AS during
WHERE name = 'a';
SELECT during, peak(p, during), peak_at(p, during), pg_temp.try(format('integral(%L::profile, %L)', p, during)) AS integral
FROM lab, unnest(ARRAY['(,)', '(,2026-01-01)', '[2026-04-01,2026-05-01)']::tstzrange[]) AS during
WHERE name = 'c';
SELECT name, peak(p), peak_at(p) FROM lab ORDER BY name;
-- never above zero: the peak is where it touches zero, or is least far below
SELECT peak(p), peak_at(p), peak(p, '[2026-01-01,2026-02-01)'), peak_at(p, '[2026-01-01,2026-02-01)')
FROM (VALUES ('{"2026-01-01": -2, "2026-01-15": -1, "2026-03-01": 0}'::profile), ('{"-infinity": -3, "2026-01-10": -3.5, "2026-01-20": -3}'), ('{}')) AS v(p);

-- the unit of time
SELECT per, pg_temp.try(format('integral(profile(1), ''[2026-01-01,2026-01-02)'', %L)', per)) AS integral
FROM (VALUES ('1 hour'), ('1 day'), ('1 minute'), ('1 second'), ('1 microsecond'), ('7 days'), ('1 day 1 hour'), ('0.5 seconds'), ('1 week -6 days'),
			 ('0'), ('-1 hour'), ('1 day -24 hours'), ('1 month'), ('1 year'), ('1 month -30 days'), ('178000000 years'),
			 ('106751991 days'), ('106751992 days'), ('2147483647 days'), ('-2147483648 days')) AS v(per);
SELECT integral(profile(3), '[2026-01-01,2026-01-02)', NULL), integral(profile(3), NULL), mean(NULL, '[2026-01-01,2026-01-02)'), peak(NULL::profile), peak_at(profile(1), NULL);
-- exact sums, one rounding
SELECT integral('{"2026-01-01": 1, "2026-01-01 00:00:00.000001": 0}', '[2026-01-01,2027-01-01)') AS hours,
	   integral('{"2026-01-01": 1, "2026-01-01 00:00:00.000001": 0}', '[2026-01-01,2027-01-01)', '1 second') AS seconds,
	   integral(profile(9223372036854775807), '[4714-11-24 BC,294276-12-31]', '1 second') AS large,
	   mean(profile(9223372036854775807), '[4714-11-24 BC,294276-12-31]') AS mean,
	   mean('{"2026-01-01": 1, "2026-01-02": 0}', '[2026-01-01,2026-01-04)') AS third,
	   integral(profile(0.000000000000000001), '[2026-01-01,2026-01-01]', '1 second') AS small;

SELECT during, trough(p, during), quantile(p, during, 0.5), quantile(p, during, 0.95), duration_above(p, 8, during)
FROM lab, unnest(ARRAY['empty', '[2026-02-01,2026-04-01)', '[2025-12-01,2026-06-02)', '[2026-03-01,2026-03-01]']::tstzrange[]) AS during
WHERE name = 'c';
SELECT name, trough(p), duration_above(p, 8) FROM lab ORDER BY name;
-- half of the time exactly
SELECT fraction, quantile('{"2026-01-02": 1}', '[2026-01-01,2026-01-03)', fraction) FROM unnest(ARRAY[0, 0.499999999999999999, 0.5, 0.500000000000000001, 1]) AS fraction;
SELECT nth, earliest_fit('{"2026-01-01": 4, "2026-01-02": 8, "2026-01-03": 2, "2026-01-04": 9, "2026-01-06": 8, "2026-01-07": 0}', 8, '1 day', '[2026-01-01 12:00,)', nth) AS fit FROM generate_series(1, 3) AS nth;
SELECT duration, earliest_fit('{"2026-01-01": 4, "2026-01-02": 8, "2026-01-03": 2, "2026-01-04": 9, "2026-01-06": 8, "2026-01-07": 0}', 8, duration, '(2026-01-01,2026-01-06 12:00)') AS fit
FROM unnest(ARRAY['1 microsecond', '1 day', '1 day 1 microsecond', '2.5 days', '2.5 days 1 microsecond']::interval[]) AS duration;
SELECT earliest_fit('{"2026-01-01": 8}', 8, '3650 days', '[2025-01-01,)'), earliest_fit('{}', 0, '1 hour', '[2025-01-01,)'), earliest_fit('{}', 1, '1 hour', '[2025-01-01,)'), earliest_fit('{}', 0, '1 hour', 'empty');
SELECT '[' || sparkline('{"2026-01-01": 1, "2026-01-02": 2, "2026-01-03": 7, "2026-01-04": 0, "2026-01-06": -7}', '[2025-12-31,2026-01-07)', 7) || ']' AS week,
	   '[' || sparkline('{}', '[2025-12-31,2026-01-07)', 3) || ']' AS zero, '[' || sparkline(profile(-3), '[2025-12-31,2026-01-07)', 3) || ']' AS negative,
	   length(sparkline(profile(3), '[2025-12-31,2026-01-07)')) AS width, sparkline(profile(3), 'empty') AS "nothing";
SELECT expression, pg_temp.try(expression) AS result
FROM (VALUES
	('quantile(profile(1), ''(,)'', 0.5)'), ('quantile(profile(1), ''empty'', 0.5)'), ('quantile(profile(1), ''[2026-01-01,2026-01-02)'', 1.5)'), ('quantile(profile(1), ''[2026-01-01,2026-01-02)'', -0.1)'),
	('quantile(profile(1), ''[2026-01-01,2026-01-02)'', ''NaN'')'), ('duration_above(profile(1), 0)'), ('duration_above(profile(1), 1)'), ('duration_above(profile(1), 0, ''[4714-11-24 BC,294276-12-31)'')'),
	('duration_above(profile(1), ''Infinity'')'), ('earliest_fit(profile(1), 1, ''1 hour'', ''(,)'')'), ('earliest_fit(profile(1), 1, ''0'', ''[2026-01-01,)'')'), ('earliest_fit(profile(1), 1, ''1 month'', ''[2026-01-01,)'')'),
	('earliest_fit(profile(1), 1, ''1 hour'', ''[2026-01-01,)'', 0)'), ('earliest_fit(profile(1), 1, ''1 day'', ''[294276-12-31 12:00,)'')'), ('sparkline(profile(1), ''(,)'')'), ('sparkline(profile(1), ''[2026-01-01,2026-01-02)'', 0)'),
	('sparkline(profile(1), ''[2026-01-01,2026-01-02)'', 10001)')
) AS v(expression);

SELECT name, period, quantity FROM lab, steps(p) WHERE name IN ('zero', 'flat', 'a') ORDER BY name, period;
SELECT during, period, quantity
FROM lab, unnest(ARRAY['empty', '[2026-02-01,2026-06-01]', '(2026-02-01,2026-03-01)', '[2026-03-01,2026-03-01]', '(,2026-01-01]', '[2026-08-01,infinity)']::tstzrange[]) WITH ORDINALITY AS d(during, o),
	 steps(p, during)
WHERE name = 'c' ORDER BY o, period;
SELECT count(*) FROM steps(NULL);
-- only as many rows as are asked for
SELECT * FROM steps('{"2026-01-01": 1, "2026-01-02": 2, "2026-01-03": 3}') LIMIT 2;
SELECT quantity FROM (SELECT steps('{"2026-01-01": 1, "2026-01-02": 2}') AS s) AS x, LATERAL (SELECT (s).quantity) AS y;

-- the planner knows how many rows there will be
CREATE FUNCTION pg_temp.planned_rows(query text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT pg_temp.planned_rows($$SELECT * FROM steps('{"2026-01-01": 1, "2026-01-02": 2, "2026-01-03": 3}')$$) AS all,
	   pg_temp.planned_rows($$SELECT * FROM steps('{"2026-01-01": 1, "2026-01-02": 2, "2026-01-03": 3}', '[2026-01-02,2026-01-02 12:00)')$$) AS one,
	   pg_temp.planned_rows($$SELECT * FROM buckets('{}', '[2026-01-01,2026-02-01)', '1 day')$$) AS days,
	   pg_temp.planned_rows($$SELECT * FROM buckets('{}', '(,)', '1 day')$$) AS unknown,
	   pg_temp.planned_rows($$SELECT steps.* FROM lab, steps(p) WHERE name = 'a'$$) AS unknown_too;
SELECT * FROM buckets('{"2026-01-01": 8, "2026-01-02 12:00": 12, "2026-01-03": 0}', '[2026-01-01,2026-01-04)', '1 day');
SELECT period, mean, peak, round(integral, 3) AS integral FROM buckets('{"2026-01-01": 8, "2026-01-15": 12}', '[2026-01-31,2026-04-15 06:00]', '1 month');
SELECT period, integral FROM buckets(profile(1), tstzrange('2026-03-07 05:00+00', '2026-03-10 04:00+00'), '1 day', 'America/New_York');
SELECT period, integral FROM buckets(profile(1), tstzrange('2026-03-07 05:00+00', '2026-03-10 04:00+00'), '24 hours', 'America/New_York');
SELECT expression, pg_temp.try(expression) AS result
FROM (VALUES
	('(SELECT count(*) FROM buckets(profile(1), ''empty'', ''1 day''))'), ('(SELECT count(*) FROM buckets(profile(1), NULL, ''1 day''))'),
	('(SELECT count(*) FROM buckets(profile(1), ''(,)'', ''1 day''))'), ('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,)'', ''1 day''))'),
	('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,2026-01-02)'', ''0''))'), ('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,2026-01-02)'', ''-1 hour''))'),
	('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,2026-01-02)'', ''-1 month''))'), ('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,2026-01-02)'', ''1 day'', ''Nowhere/Land''))'),
	('(SELECT count(*) FROM buckets(profile(1), ''[2026-01-01,2026-01-02)'', ''1 microsecond'') AS b WHERE false)')
) AS v(expression);

-- ----------
-- Aggregates
-- ----------
CREATE TABLE lease (id int, pool text, period tstzrange, quantity numeric);
INSERT INTO lease VALUES
	(1, 'gpu', '[2026-01-01,2026-01-05)', 8), (2, 'gpu', '[2026-01-03,2026-01-07)', 4), (3, 'gpu', '[2026-01-05,2026-01-06)', 8),
	(4, 'gpu', 'empty', 100), (5, 'gpu', NULL, 100), (6, 'gpu', '[2026-01-03,2026-01-04)', NULL),
	(7, 'disk', '[2026-01-01,)', 0.25), (8, 'disk', '(,2026-01-02)', 1.75), (9, 'disk', '(2026-01-04,2026-01-05]', -0.25),
	(10, 'nothing', NULL, NULL), (11, 'zero', '[2026-01-01,2026-01-02)', 0);
SELECT pool, load_profile(period, quantity) FROM lease GROUP BY pool ORDER BY pool;
SELECT load_profile(period, quantity) FROM lease WHERE false;
SELECT load_profile(period, quantity) FILTER (WHERE id < 3), load_profile(DISTINCT period, 1), load_profile(period, quantity ORDER BY quantity) = load_profile(period, quantity) AS same
FROM lease WHERE pool = 'gpu';
SELECT sum(p), sum(p) FILTER (WHERE name = 'none') AS nothing, sum(p - p) AS zero FROM lab;
SELECT pool, unit_hours(period, quantity, '[2026-01-02,2026-01-06)'), utilization(period, quantity, 10, '[2026-01-02,2026-01-06)') FROM lease GROUP BY pool ORDER BY pool;
SELECT id, unit_hours(period, quantity, tstzrange('2026-01-01', '2026-01-04') * period) FROM lease WHERE id < 9 GROUP BY id ORDER BY id;
SELECT max(p), min(p), max(p) FILTER (WHERE name = 'none') AS nothing FROM lab;
SELECT gauge_profile(at, value), gauge_profile(at, value) FILTER (WHERE value IS NULL) AS nothing, gauge_profile(at, 0) AS zero
FROM (VALUES (timestamptz '2026-01-02', 2), ('2026-01-01', 1.5), ('2026-01-03', 2), ('2026-01-02', 2.0), (NULL, 9), ('2026-01-05', NULL), ('infinity', 9), ('-infinity', 0.5)) AS v(at, value);
-- whole numbers of any type
SELECT load_profile(period, quantity::int) = load_profile(period, quantity) AS int4, load_profile(period, quantity::bigint) = load_profile(period, quantity) AS int8,
	   unit_hours(period, quantity::int, '[2026-01-02,2026-01-06)') = unit_hours(period, quantity, '[2026-01-02,2026-01-06)') AS int4,
	   unit_hours(period, quantity::bigint, '[2026-01-02,2026-01-06)') = unit_hours(period, quantity, '[2026-01-02,2026-01-06)') AS int8
FROM lease WHERE pool = 'gpu';
SELECT pool, round(decayed(period, quantity, '1 day', '2026-01-06'), 6) AS decayed, decayed(period, quantity, '1 day', '2026-01-01 00:00:00') AS before FROM lease WHERE id <> 8 GROUP BY pool ORDER BY pool;
-- used up to now, used one half-life ago, used always: h / ln 2 = 34.624680981335 hours
SELECT round(decayed('[2026-01-05,2026-01-06)', 1, '1 day', '2026-01-06'), 9) AS now, round(decayed('[2026-01-04,2026-01-05)', 1, '1 day', '2026-01-06'), 9) AS "then",
	   round(decayed('(,)', 1, '1 day', '2026-01-06'), 9) AS always, decayed('(,)', 1, '1 day', '2026-01-06') = decayed('(,infinity)', 1.0, '24 hours', '2026-01-06 01:00+01') AS same;
SELECT id, load_profile(period, quantity) OVER (ORDER BY id) FROM lease WHERE pool = 'gpu' ORDER BY id;

SELECT expression, pg_temp.try(expression) AS result
FROM (VALUES
	('(SELECT load_profile(period, 1e19) FROM lease)'), ('(SELECT load_profile(period, numeric ''NaN'') FROM lease)'),
	('(SELECT load_profile(''(,)'', 9e18) FROM lease)'), ('(SELECT load_profile(''(,)'', q) FROM (VALUES (9e18), (9e18), (-9e18)) AS v(q))'),
	('(SELECT load_profile(''(,)'', q) FROM (VALUES (1e18), (0.1)) AS v(q))'), ('(SELECT load_profile(''(,)'', q) FROM (VALUES (0.1), (1e18)) AS v(q))'),
	('(SELECT sum(p) FROM (VALUES (profile(9e18)), (profile(9e18))) AS v(p))'), ('(SELECT sum(p) FROM (VALUES (profile(9e18)), (profile(9e18)), (profile(-9e18))) AS v(p))'),
	('(SELECT sum(p) FROM (VALUES (profile(9e18)), (profile(0.1))) AS v(p))'),
	('(SELECT sum(p) FROM (VALUES (''{"2026-01-01": 9e18, "2026-01-02": -9e18, "2026-01-03": 9e18}''::profile)) AS v(p))'),
	('(SELECT unit_hours(period, quantity, ''(,)'') FROM lease WHERE pool = ''disk'')'), ('(SELECT unit_hours(period, 0, ''(,)'') FROM lease WHERE pool = ''disk'')'),
	('(SELECT unit_hours(''[2026-01-01,2026-01-02)'', quantity, ''(,)'') FROM lease WHERE pool = ''disk'')'), ('(SELECT unit_hours(period, quantity, ''empty'') FROM lease)'),
	('(SELECT unit_hours(period, quantity, NULL) FROM lease)'), ('(SELECT unit_hours(period, 1e19, ''empty'') FROM lease)'),
	('(SELECT utilization(period, quantity, 0, ''[2026-01-02,2026-01-06)'') FROM lease)'), ('(SELECT utilization(period, quantity, -1, ''[2026-01-02,2026-01-06)'') FROM lease)'),
	('(SELECT utilization(period, quantity, NULL, ''[2026-01-02,2026-01-06)'') FROM lease)'), ('(SELECT utilization(period, quantity, 1, ''[2026-01-02,)'') FROM lease)'),
	('(SELECT utilization(period, quantity, id, ''[2026-01-02,2026-01-06)'') FROM lease)'),
	('(SELECT utilization(period, quantity, 1, CASE id WHEN 1 THEN ''[2026-01-02,2026-01-06)'' ELSE ''[2026-01-02,2026-01-07)'' END::tstzrange) FROM lease)'),
	-- the same capacity and the same time, written in two ways
	('(SELECT utilization(period, quantity, CASE WHEN id > 2 THEN 10.00 ELSE 10 END, CASE WHEN id > 2 THEN ''[2026-01-02,2026-01-05 23:59:59.999999]'' ELSE ''[2026-01-02,2026-01-06)'' END::tstzrange) FROM lease WHERE pool = ''gpu'')'),
	('(SELECT utilization(period, quantity, ''Infinity'', ''[2026-01-02,2026-01-06)'') FROM lease)'),
	('(SELECT gauge_profile(at, i) FROM (VALUES (timestamptz ''2026-01-01'', 1), (''2026-01-01'', 2)) AS v(at, i))'), ('(SELECT gauge_profile(at, i) FROM (VALUES (timestamptz ''2026-01-01'', 1e18), (''2026-01-02'', 0.1)) AS v(at, i))'),
	('(SELECT load_profile(period, -9223372036854775808) FROM lease)'), ('(SELECT load_profile(period, 9223372036854775807) FROM lease WHERE id = 1)'),
	('(SELECT decayed(period, quantity, ''1 month'', ''2026-01-06'') FROM lease)'), ('(SELECT decayed(period, quantity, ''0'', ''2026-01-06'') FROM lease)'), ('(SELECT decayed(period, quantity, ''1 day'', ''infinity'') FROM lease)'),
	('(SELECT decayed(period, quantity, id * interval ''1 day'', ''2026-01-06'') FROM lease)'), ('(SELECT decayed(period, quantity, ''1 day'', timestamptz ''2026-01-06'' + id * interval ''1 day'') FROM lease)'),
	('(SELECT decayed(NULL, 1, ''1 day'', ''2026-01-06''))')
) AS v(expression);

-- ----------
-- In tables
-- ----------
-- COPY in text
CREATE TABLE copied (LIKE lab);
\copy lab TO stdout
COPY copied FROM stdin;
a	{"2026-01-01": 8, "2026-03-01": 12, "2026-06-01": 0}
b	 { "2026-07-01" : 1.0 , "2026-02-01" : 2.5, "2026-03-01" : -2.5 } 
none	\N
\.
COPY copied FROM stdin;
x	{"2026-01-01": 8
\.
COPY copied FROM stdin (FORMAT csv);
flat,"{""-infinity"": 4}"
\.
SELECT copied.name, copied.p = lab.p AS same FROM copied JOIN lab USING (name) ORDER BY name;

-- GROUP BY, DISTINCT, ORDER BY, sets and joins; by hash and by sorting
CREATE TABLE many AS
SELECT i, load_profile(tstzrange('2026-01-01'::timestamptz + i % 7 * interval '1 day', '2026-02-01'), i % 3) AS p FROM generate_series(1, 500) AS i GROUP BY i;
INSERT INTO many VALUES (0, NULL);
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT p, count(*) FROM many GROUP BY p;
SELECT count(*), sum(n), max(n) FROM (SELECT p, count(*) AS n FROM many GROUP BY p) AS g;
RESET enable_sort;
SET enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT p, count(*) FROM many GROUP BY p;
SELECT count(*), sum(n), max(n) FROM (SELECT p, count(*) AS n FROM many GROUP BY p) AS g;
RESET enable_hashagg;
SELECT count(DISTINCT p) FROM many;
SELECT DISTINCT p FROM many WHERE i <= 3 ORDER BY p DESC NULLS LAST;
SELECT count(*) FROM (SELECT p FROM many UNION SELECT p FROM many) AS u;
SELECT count(*) FROM (SELECT p FROM many WHERE i < 100 EXCEPT SELECT p FROM many WHERE i > 7) AS e;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT count(*) FROM many x JOIN many y USING (p);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT count(*) FROM many x JOIN many y USING (p);
RESET enable_hashjoin;
RESET enable_nestloop;

CREATE INDEX many_btree ON many USING btree (p);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT i FROM many WHERE p = '{"2026-01-02": 1, "2026-02-01": 0}';
SELECT count(*), min(i) FROM many WHERE p = '{"2026-01-02": 1, "2026-02-01": 0.0}';
SELECT count(*) AS below, (SELECT count(*) FROM many WHERE p >= '{"2026-01-04": 1}') AS above, (SELECT count(*) FROM many WHERE p IS NULL) AS unknown FROM many WHERE p < '{"2026-01-04": 1}';
SELECT p FROM many ORDER BY p LIMIT 1;
DROP INDEX many_btree;
CREATE INDEX many_hash ON many USING hash (p);
EXPLAIN (COSTS OFF) SELECT i FROM many WHERE p = '{"2026-01-02": 1, "2026-02-01": 0}';
SELECT count(*), min(i) FROM many WHERE p = '{"2026-01-02": 1, "2026-02-01": 0.0}';
RESET enable_seqscan;
RESET enable_bitmapscan;
CREATE UNIQUE INDEX ON copied (p);
INSERT INTO copied VALUES ('again', '{"-infinity": 4.0}');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE hashed (p profile) PARTITION BY HASH (p);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT p FROM many;
SELECT count(*) > 0 AS some, count(*) < 501 AS not_all FROM hashed_0;

-- the constraint that keeps a pool from being overbooked
CREATE TABLE page (id int, capacity profile, booked profile DEFAULT '{}', CHECK (booked <@ capacity));
INSERT INTO page VALUES (1, '{"2026-01-01": 8}');
UPDATE page SET booked = booked + profile('[2026-01-01,2026-01-05)', 8);
UPDATE page SET booked = booked + profile('[2026-01-04 23:59:59.999999,2026-01-06)', 0.000001);
\echo :LAST_ERROR_SQLSTATE
UPDATE page SET booked = booked + profile('[2026-01-05,2026-01-06)', 8) RETURNING booked;

-- arrays, rows, jsonb
SELECT ARRAY['{}', '{"2026-01-01": 8}']::profile[], ROW('{"2026-01-01": 8}'::profile), ('{"(,)","{}"}'::text[])[2]::profile;
SELECT jsonb_pretty('{"2026-01-01": 8, "-infinity": 0.5}'::profile::text::jsonb);
SELECT '{"2026-06-01 00:00:00+00": 0, "2026-01-01 00:00:00+00": 8.0}'::jsonb::profile, '{"2026-01-01": 8}'::profile::jsonb -> '2026-01-01 00:00:00+00' AS value;
SELECT pg_temp.try('''[]''::jsonb::profile'), pg_temp.try('''{"2026-01-01": "8"}''::jsonb::profile'), pg_temp.try('''{"2026-01-01": 1e-19}''::jsonb::profile');

-- as stored: with a short header; compressed; outside of the row, compressed or not
CREATE TABLE stored (way text, p profile);
ALTER TABLE stored ALTER p SET STORAGE EXTENDED;
INSERT INTO stored SELECT 'short', '{"2026-01-01": 8, "2026-01-02": 0}';
INSERT INTO stored SELECT 'compressed', load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01'::timestamptz + i * interval '1 hour 1 second'), 1) FROM generate_series(1, 2000) AS i;
INSERT INTO stored SELECT 'compressed and external', load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1.000001 hour', NULL), i % 3) FROM generate_series(1, 20000) AS i;
ALTER TABLE stored ALTER p SET STORAGE EXTERNAL;
INSERT INTO stored SELECT 'external', load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1.000001 hour', NULL), i % 3) FROM generate_series(1, 20000) AS i;
SELECT way, (SELECT count(*) FROM steps(p)) AS steps, integral(p, '[2026-01-01,2027-01-01)', '1 second') AS integral, peak(p), peak_at(p), value_at(p, '2026-06-01'),
	   p = p + '{}' AS "=", profile_hash(p) = profile_hash(p + '{}') AS hash, p <@ p AS "<@", profile_cmp(p, p + '{}') AS cmp, profile_send(p) = profile_send(p + '{}') AS send,
	   p::text::profile = p AS text, p - p = '{}' AS "-", sum(p) OVER (PARTITION BY way) = p AS sum
FROM stored;
SELECT x.p = y.p AS same, profile_hash_extended(x.p, 1) = profile_hash_extended(y.p, 1) AS hash FROM stored x, stored y WHERE x.way = 'compressed and external' AND y.way = 'external';
-- compact: 3 bytes for an hourly step of a small number, and no more than 16 for any
SELECT pg_column_size(load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01'::timestamptz + (i + 1) * interval '1 hour'), 1 + i % 8)) AS hourly
FROM generate_series(1, 1000) AS i;

-- 100,000 steps
SELECT (SELECT count(*) FROM steps(p)) AS steps, p::text::profile = p AS text, p + p - p = p AS algebra, integral(p, '[2000-01-01,2030-01-01)', '1 microsecond') AS integral
FROM (SELECT load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1 minute 1 microsecond', '2026-01-01'::timestamptz + i * interval '1 minute 1 microsecond' + interval '7 seconds'), i % 9 + 1) AS p
	  FROM generate_series(1, 50000) AS i) AS long;

SET client_min_messages = warning;
DROP SCHEMA profile_test CASCADE;
