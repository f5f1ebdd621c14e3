-- profile_algebra.sql
--		The second half of the type profile, as a user sees it: algebra, measures,
--		schedules, buckets, gauges, decay; and every error of theirs.
--
-- Thorough comparisons are in test/pgtap/algebra_differential.sql.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET search_path = sharecollab, public;
\set SHOW_CONTEXT never

-- A day in a pool: what was leased, what it costs by the hour, what is free of 8
\set leased '''{"2026-01-05 00:00:00+00": 4, "2026-01-05 08:00:00+00": 7, "2026-01-05 12:00:00+00": 2, "2026-01-06 00:00:00+00": 0}''::profile'
\set price '''{"-infinity": 1.25, "2026-01-05 09:00:00+00": 2.5, "2026-01-05 17:00:00+00": 1.25}''::profile'
\set day '''[2026-01-05,2026-01-06)''::tstzrange'

-- ----------
-- Products
-- ----------
SELECT :leased * :price AS cost;
SELECT integral(:leased * :price, :day) AS total;
SELECT :leased * 0.5 AS half, 0.5 * :leased = :leased * 0.5 AS either_way;
SELECT :leased * 2 AS integer, 3::bigint * profile(2) AS bigint, profile(2) * 1e-18 AS tiny;
SELECT :leased * '{}' AS times_nothing, profile(0) * :leased AS times_zero, NULL::numeric * :leased AS times_null;
-- the scale is as small as it can be
SELECT profile(0.5) * profile(0.2) AS one_tenth, profile(0.000000000004) * profile(0.0000025) AS of_19_places;
SELECT profile(3037000499) * profile(-3037000499) AS of_19_digits;
SELECT profile(3037000500) * profile(3037000500) AS too_long;
\echo :LAST_ERROR_SQLSTATE
SELECT profile(0.0000000001) * profile(0.0000000001) AS too_fine;
\echo :LAST_ERROR_SQLSTATE
-- where they are not zero at the same time, anything goes
SELECT profile('[2026-01-01,2026-01-02)', 9e18) * profile('[2026-01-02,2026-01-03)', 1e-18) AS never_both;
SELECT :leased * 'NaN'::numeric;
\echo :LAST_ERROR_SQLSTATE
SELECT 'infinity'::numeric * :leased;
\echo :LAST_ERROR_SQLSTATE
SELECT :leased * 1.0000000000000000001;
\echo :LAST_ERROR_SQLSTATE
SELECT :leased * 1.5::float8;
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- Negative, positive part, lesser and greater, clip
-- ----------
SELECT - :leased AS negative, - - :leased = :leased AS twice, - '{}'::profile AS nothing;
SELECT - profile(9223372036854775807) AS least_there_is;
SELECT positive_part('{"2026-01-01": -3, "2026-01-02": 2.5, "2026-01-03": -1}');
SELECT positive_part(profile(-1)) AS nothing, positive_part(profile(1)) AS everything;
-- shortage: what was asked for beyond 5
SELECT positive_part(:leased - profile(5)) AS shortage;
SELECT pointwise_min(:leased, profile(5)), pointwise_max(:leased, profile(5));
SELECT pointwise_min(profile(-1), '{}') AS least, pointwise_max(profile(-1), '{}') AS greatest;
SELECT pointwise_max('{"2026-01-01": 1000000000000000000, "2026-01-02": 0}', '{"2026-01-02": 0.1}');
\echo :LAST_ERROR_SQLSTATE
SELECT during, clip('{"-infinity": 1, "2026-01-02": 3}', during)
FROM (VALUES ('[2026-01-01,2026-01-03)'::tstzrange), ('(2026-01-01,2026-01-03]'), ('(,2026-01-02)'), ('[2026-01-02,)'), ('(,)'),
			 ('[-infinity,infinity]'), ('[2026-01-05,2026-01-05]'), ('empty'), (NULL)) AS v(during);

-- ----------
-- shift
-- ----------
SELECT shift(:leased, '7 days') AS next_week, shift(:leased, '-1 hour') AS earlier;
SELECT shift('{"-infinity": 1, "2026-01-01": 2}', '1 microsecond') AS the_past_stays, shift(profile(1), '1000000 days') AS always;
-- a day has 24 hours, whatever the time zone
SET timezone = 'Europe/Berlin';
SELECT shift('{"2026-03-28 12:00": 1}', '1 day');
SET timezone = 'UTC';
SELECT shift(:leased, '1 month');
\echo :LAST_ERROR_SQLSTATE
SELECT shift(:leased, '1 year -12 months');
SELECT shift(:leased, '110000000 days');
\echo :LAST_ERROR_SQLSTATE
SELECT shift(:leased, '106751991 days');
\echo :LAST_ERROR_SQLSTATE
SELECT shift('{"4714-11-24 00:00:00+00 BC": 1}', '-1 microsecond');
\echo :LAST_ERROR_SQLSTATE
SELECT shift('{"294276-12-31 23:59:59.999998+00": 1}', '1 microsecond') AS last_instant;
SELECT shift('{"294276-12-31 23:59:59.999998+00": 1}', '2 microseconds');
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- repeat
-- ----------
-- nine to five, every day; Monday morning to Friday night, every week
SELECT repeat('{"2026-01-05 09:00": 8, "2026-01-05 17:00": 0}', '1 day', '[2026-01-10,2026-01-12)');
SELECT steps.* FROM repeat('{"2026-01-05 09:00": 8, "2026-01-09 17:00": 0}', '1 week', '[2026-01-01,2026-01-22)') AS r, steps(r, '[2026-01-01,2026-01-22)');
-- in Berlin, across the change to daylight saving time on 29 March
SELECT lower(period) AS utc, lower(period) AT TIME ZONE 'Europe/Berlin' AS berlin, quantity
FROM repeat('{"2026-01-05 09:00+01": 8, "2026-01-05 17:00+01": 0}', '1 day', '[2026-03-28,2026-03-31)', 'Europe/Berlin') AS r, steps(r, '[2026-03-28,2026-03-31)');
-- by the hour it is time that repeats, not the clock
SELECT lower(period) AS utc, lower(period) AT TIME ZONE 'Europe/Berlin' AS berlin, quantity
FROM repeat('{"2026-01-05 09:00+01": 8, "2026-01-05 17:00+01": 0}', '24 hours', '[2026-03-28,2026-03-31)', 'Europe/Berlin') AS r, steps(r, '[2026-03-28,2026-03-31)');
-- the last day of each month
SELECT repeat('{"2026-01-31": 1, "2026-02-01": 0}', '1 month', '[2026-01-01,2026-06-01)');
-- half past two is no time on that day, so half past three
SELECT repeat('{"2026-03-01 02:30+01": 1, "2026-03-01 12:00+01": 0}', '1 day', '[2026-03-28 12:00,2026-03-30 12:00)', 'Europe/Berlin');
-- what is before the first finite instant, or after the period, does not count
SELECT repeat('{"-infinity": 9, "2026-01-01": 1, "2026-01-01 12:00": 2, "2026-01-02": 3, "2026-01-03": 4}', '1 day', '[2026-01-08,2026-01-10)');
-- a time that begins or ends within a period; before the example; none
SELECT repeat('{"2026-01-01": 1, "2026-01-01 12:00": 2}', '1 day', '[2025-12-30 18:00,2025-12-31 18:00]');
SELECT repeat('{"2026-01-01": 1}', '1 day', 'empty') AS no_time, repeat('{}', '1 day', '[2026-01-01,2026-01-02)') AS nothing, repeat('{"2026-01-01": 1}', '1 day', NULL) AS unknown;
SELECT repeat('{"2026-01-01": 1}', '1 day', '[2026-01-01,)');
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('{"2026-01-01": 1}', '1 day', '(,2026-01-01)');
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('{"2026-01-01": 1}', '0', '[2026-01-01,2026-01-02)');
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('{"2026-01-01": 1}', '-1 day', '[2026-01-01,2026-01-02)');
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('{"2026-01-01": 1}', '1 month -1 day', '[2026-01-01,2026-01-02)');
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('{"2026-01-01": 1}', '1 day', '[2026-01-01,2026-01-02)', 'Atlantis/Poseidonis');
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- trough, quantile, duration_above
-- ----------
SELECT trough(:leased) AS ever, trough(:leased, :day) AS that_day, trough(:leased, '[2026-01-05 09:00,2026-01-05 10:00)') AS from_nine_to_ten,
	   trough(profile(-3)) AS negative, trough(:leased, 'empty') AS never;
-- 8 hours of 4, 4 hours of 7, 12 hours of 2
SELECT f, quantile(:leased, :day, f)
FROM (VALUES (0), (0.5), (0.500000000000000001), (0.833333333333333333), (0.833333333333333334), (0.95), (1), (NULL)) AS v(f);
SELECT quantile(:leased, 'empty', 0.5) AS never, quantile('{}', :day, 0.5) AS nothing, quantile(profile(-2), :day, 0.5) AS negative;
SELECT quantile(:leased, :day, 1.000001);
\echo :LAST_ERROR_SQLSTATE
SELECT quantile(:leased, :day, -0.1);
\echo :LAST_ERROR_SQLSTATE
SELECT quantile(:leased, :day, 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT quantile(:leased, '[2026-01-05,)', 0.95);
\echo :LAST_ERROR_SQLSTATE
SELECT threshold, duration_above(:leased, threshold, :day), duration_above(:leased, threshold, '(2026-01-05 07:00,2026-01-05 13:00]')
FROM (VALUES (-1), (0), (2), (3.5), (4), (7)) AS v(threshold);
SELECT duration_above(:leased, 0) AS of_all_time, duration_above(:leased, 0, 'empty') AS never, duration_above(profile(1), 0, '[2026-01-01,2026-04-01)') AS hours;
SELECT duration_above(:leased, -1);
\echo :LAST_ERROR_SQLSTATE
SELECT duration_above(profile(1), 0, '[4714-11-24 BC,294276-01-01)');
\echo :LAST_ERROR_SQLSTATE
SELECT duration_above(:leased, 'NaN', :day);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- earliest_fit
-- ----------
\set free 'clip(profile(8) - :leased, ''[2026-01-05,2026-01-07)'')'
SELECT :free AS free;
SELECT quantity, duration, earliest_fit(:free, quantity, duration, '[2026-01-05 01:00,)')
FROM (VALUES (4, '7 hours'::interval), (4, '7 hours 1 microsecond'), (6, '1 hour'), (1, '1 day 23 hours'), (1, '2 days'), (8, '1 day'), (8, '24:00:00.000001'), (9, '1 second'), (0, '15000 days'), (-1, '1 hour')) AS v(quantity, duration);
-- second, third and fourth choice: one in every stretch that is free for long enough
SELECT nth, earliest_fit('{"2026-01-01": 2, "2026-01-03": 0, "2026-01-04": 1, "2026-01-05": 0, "2026-01-06": 5, "2026-01-07": 3, "2026-01-08": 0, "2026-01-09": 1}', 1, '2 days', '[2026-01-01,)', nth)
FROM generate_series(1, 4) AS nth;
-- within bounds of every kind
SELECT during, earliest_fit(profile(1), 1, '1 hour', during)
FROM (VALUES ('[2026-01-01,2026-01-01 01:00)'::tstzrange), ('(2026-01-01,2026-01-01 01:00]'), ('(2026-01-01,2026-01-01 01:00)'), ('[2026-01-01,infinity)'), ('empty'),
			 ('[294276-12-31 23:00,)'), (NULL)) AS v(during);
SELECT earliest_fit(:free, 1, '0', :day);
\echo :LAST_ERROR_SQLSTATE
SELECT earliest_fit(:free, 1, '-1 hour', :day);
\echo :LAST_ERROR_SQLSTATE
SELECT earliest_fit(:free, 1, '1 month', :day);
\echo :LAST_ERROR_SQLSTATE
SELECT earliest_fit(:free, 1, '1 hour', '(,2026-01-06)');
\echo :LAST_ERROR_SQLSTATE
SELECT earliest_fit(:free, 1, '1 hour', :day, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT earliest_fit(:free, 'infinity', '1 hour', :day);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- sparkline
-- ----------
SELECT sparkline(:leased, :day, 24), sparkline(:leased, '[2026-01-04,2026-01-07)', 12) AS three_days, sparkline(:leased, :day, 1) AS one;
SELECT length(sparkline(:leased, :day)) AS by_default, sparkline('{}', :day, 5) AS nothing, sparkline(profile(1), :day, 5) AS all_the_same, sparkline(profile(-1), :day, 5) AS negative;
SELECT sparkline('{"2026-01-05": -3, "2026-01-05 06:00": 0, "2026-01-05 12:00": 2, "2026-01-05 18:00": 4}', :day, 4) AS around_zero,
	   sparkline(:leased, 'empty', 5) AS never, sparkline(:leased, '[2026-01-05,2026-01-05]', 3) AS one_instant;
SELECT sparkline(:leased, '[2026-01-05,)');
\echo :LAST_ERROR_SQLSTATE
SELECT sparkline(:leased, :day, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT sparkline(:leased, :day, 10001);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- buckets
-- ----------
SELECT * FROM buckets(:leased, '[2026-01-05 06:00,2026-01-06 01:00]', '6 hours');
-- days in Berlin: one of 23 hours
SELECT period, upper(period) - lower(period) AS length, mean, integral
FROM buckets(profile(2), '[2026-03-28 00:00+01,2026-03-31 00:00+02)', '1 day', 'Europe/Berlin');
-- and one of 25
SELECT period, upper(period) - lower(period) AS length, mean, integral
FROM buckets(profile(2), '[2026-10-24 00:00+02,2026-10-26 12:00+01)', '1 day', 'Europe/Berlin');
-- 30 December 2011 was skipped in Samoa
SELECT lower(period) AT TIME ZONE 'Pacific/Apia' AS day, upper(period) - lower(period) AS length
FROM buckets(profile(1), '[2011-12-28 00:00-10,2012-01-02 00:00+14)', '1 day', 'Pacific/Apia');
-- months from the 31st
SELECT period FROM buckets('{}', '[2026-01-31,2026-05-15)', '1 month');
SELECT * FROM buckets(profile(1), 'empty', '1 hour');
SELECT * FROM buckets(profile(1), NULL, '1 hour');
SELECT * FROM buckets(profile(1), '[2026-01-05,)', '1 hour');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM buckets(profile(1), :day, '0');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM buckets(profile(1), :day, '-1 hour');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM buckets(profile(1), :day, '1 day', 'Atlantis/Poseidonis');
\echo :LAST_ERROR_SQLSTATE
-- the planner knows about how many
CREATE FUNCTION pg_temp.rows_expected(query text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END $$;
SELECT pg_temp.rows_expected('SELECT * FROM buckets(''{}'', ''[2026-01-05,2026-01-06)'', ''15 minutes'')') AS buckets_96,
	   pg_temp.rows_expected('SELECT * FROM steps(''{"2026-01-05": 1, "2026-01-07": 2}'')') AS steps_3;

-- ----------
-- Casts
-- ----------
SELECT '{[2026-01-01,2026-01-02),(2026-01-03,2026-01-04],[2026-01-05,)}'::tstzmultirange::profile;
SELECT profile('{}'::tstzmultirange) AS never, profile('{(,)}'::tstzmultirange) AS always, profile('{[2026-01-01,2026-01-01]}'::tstzmultirange) AS one_instant;
-- opening hours: only what is leased within them
SELECT :leased * profile('{[2026-01-05 06:00,2026-01-05 10:00)}'::tstzmultirange) AS within;
SELECT :leased::jsonb AS document, :leased::jsonb -> '2026-01-05 08:00:00+00' AS a_number, :leased::jsonb::profile = :leased AS and_back;
SELECT '{"2026-02-01": 1.50, "2026-01-01": 2e0}'::jsonb::profile;
SELECT '[1, 2]'::jsonb::profile;
\echo :LAST_ERROR_SQLSTATE
SELECT '{"2026-01-01": "8"}'::jsonb::profile;
\echo :LAST_ERROR_SQLSTATE
SELECT '{"2026-01-01": 1e19}'::jsonb::profile;
\echo :LAST_ERROR_SQLSTATE
SELECT '{"2026-01-01": null}'::jsonb::profile;
\echo :LAST_ERROR_SQLSTATE
-- neither happens by itself
SELECT jsonb_object_keys(:leased);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- gauge_profile
-- ----------
CREATE TEMP TABLE reading (at timestamptz, value numeric);
INSERT INTO reading VALUES ('2026-01-03', 12.5), ('2026-01-01', 10), ('2026-01-02', 10.0), ('2026-01-04', 0), ('2026-01-01', 10.000), (NULL, 1), ('2026-01-05', NULL);
SELECT gauge_profile(at, value) FROM reading;
SELECT gauge_profile(at, value) AS nothing FROM reading WHERE at IS NULL OR value IS NULL;
SELECT gauge_profile(at, value) AS only_zero FROM reading WHERE value = 0;
SELECT gauge_profile(at, value) FROM (VALUES ('-infinity'::timestamptz, 1), ('2026-01-01', 2), ('infinity', 3)) AS v(at, value);
SELECT gauge_profile(at, value) OVER (ORDER BY at) FROM reading WHERE at < '2026-01-05' AND value <> 10;
INSERT INTO reading VALUES ('2026-01-03', 12.6);
SELECT gauge_profile(at, value) FROM reading;
\echo :LAST_ERROR_SQLSTATE
SELECT gauge_profile(at, value) FROM (SELECT DISTINCT ON (at) * FROM reading ORDER BY at, value DESC) AS r;
SELECT gauge_profile(at, value) FROM (VALUES ('2026-01-01'::timestamptz, 'NaN'::numeric)) AS v(at, value);
\echo :LAST_ERROR_SQLSTATE
SELECT gauge_profile(at, value) FROM (VALUES ('2026-01-01'::timestamptz, 1e18), ('2026-01-02', 0.01)) AS v(at, value);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- max(profile), min(profile)
-- ----------
CREATE TEMP TABLE demand (team text, wanted profile);
INSERT INTO demand VALUES ('a', '{"2026-01-01": 4, "2026-01-03": 1}'), ('a', '{"2026-01-02": 3, "2026-01-04": 5}'), ('b', '{"2026-01-01": -2.5}'), ('b', NULL), ('c', NULL), ('d', '{}');
SELECT team, max(wanted), min(wanted) FROM demand GROUP BY team ORDER BY team;
SELECT max(wanted), min(wanted) FROM demand;
SELECT max(wanted) AS no_rows FROM demand WHERE false;
SELECT max(wanted) FROM (VALUES ('{"2026-01-01": 1000000000000000000, "2026-01-02": 0}'::profile), ('{"2026-01-02": 0.1}')) AS v(wanted);
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- decayed
-- ----------
-- 8 units for 3 days, half-life of 7 days, after 10 days: 896,983.10 unit-seconds
SELECT round(decayed('[2026-01-01,2026-01-04)', 8.0, '7 days', '2026-01-11') * 3600, 2) AS unit_seconds;
-- a half-life later half of it is left; before, nothing; and of what goes on, only what was
CREATE TEMP TABLE used (period tstzrange, quantity numeric);
INSERT INTO used VALUES ('[2026-01-01,2026-01-02)', 2), ('[2026-01-03,)', 1), ('empty', 5), (NULL, 5), ('[2026-01-03,2026-01-04)', NULL);
SELECT at, round(decayed(period, quantity, '1 day', at), 9) FROM used, generate_series('2026-01-01'::timestamptz, '2026-01-05', '1 day') AS at GROUP BY at ORDER BY at;
-- for ever, one unit is as much as one for 1/ln 2 of a half-life
SELECT round(decayed('(,)', 1, '1 hour', '2026-01-01'), 12) AS hours, decayed(NULL::tstzrange, 1, '1 hour', '2026-01-01') AS nothing, decayed('empty', 1, '1 hour', '2026-01-01') AS zero;
SELECT decayed(period, quantity, '1 month', '2026-01-05') FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT decayed(period, quantity, '0', '2026-01-05') FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT decayed(period, quantity, '1 day', 'infinity') FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT decayed(period, quantity, '1 day', lower(period)) FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT decayed(period, quantity, quantity * interval '1 day', '2026-01-05') FROM used WHERE NOT isempty(period);
\echo :LAST_ERROR_SQLSTATE
SELECT decayed(period, 'NaN', '1 day', '2026-01-05') FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT decayed('(,)', 9e18, '100000000 days', '2026-01-05');
\echo :LAST_ERROR_SQLSTATE

-- ----------
-- Whole numbers
-- ----------
SELECT load_profile(period, 3) AS integer, load_profile(period, 3::bigint) AS bigint, load_profile(period, 3.0) AS numeric FROM used;
SELECT unit_hours(period, 3, '[2026-01-01,2026-01-05)') AS integer, unit_hours(period, 3::bigint, '[2026-01-01,2026-01-05)') AS bigint, unit_hours(period, 3.0, '[2026-01-01,2026-01-05)') AS numeric FROM used;
SELECT load_profile(period, 9223372036854775807) FROM used WHERE quantity = 1;
SELECT load_profile(period, -9223372036854775808) FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT unit_hours(period, -9223372036854775808, '[2026-01-01,2026-01-05)') FROM used;
\echo :LAST_ERROR_SQLSTATE
SELECT unit_hours(period, 1, '(,)') FROM used;
\echo :LAST_ERROR_SQLSTATE
