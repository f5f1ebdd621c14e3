-- tally.sql: the types tally and activity, as a user sees them

SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = sharecollab, public;
SET client_min_messages = warning;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all
\pset format unaligned
\pset tuples_only on
\pset null (null)

-- ----------
-- tally: text form
-- ----------
SELECT '{"alice": 12, "bob": 3}'::tally, '{}'::tally, ' { "b" : 1.50 , "a":-2e3, "z":0 } '::tally, '{"17": 1, "9": 2, "": 3, "B": 4, "a": 5, "é": 6}'::tally;
-- escapes, read and written
SELECT '{"tab\t nl\n quote\" back\\ slash\/ \u00e9\u00E9 \ud83d\ude00 \u0001\b\f\r": 1}'::tally;
SELECT '{"a": 9223372036854775807, "b": -9223372036854775807}'::tally, '{"a": 0.000000000000000001}'::tally, '{"a": 9223372036854775.807}'::tally;
SELECT try(format('SELECT %L::tally', literal))
FROM unnest(ARRAY['', ' ', '{', '}', '[]', '1', 'null', '"a"', '{"a"}', '{"a":}', '{"a": 1', '{"a": 1,}', '{,}', '{"a": 1 "b": 2}', '{"a": 1} x', '{a: 1}', '{''a'': 1}', '{1: 1}', '{"a": "1"}', '{"a": null}',
	'{"a": true}', '{"a": {}}', '{"a": +1}', '{"a": 01}', '{"a": .5}', '{"a": 1.}', '{"a": 1e}', '{"a": NaN}', '{"a": Infinity}', '{"a": 1, "b": 2, "a": 1}', '{"a": 0, "\u0061": 0}',
	'{"a', '{"a\', '{"a\"', E'{"a\tb": 1}', '{"\x": 1}', '{"\u12": 1}', '{"\u00zz": 1}', '{"\u0000": 1}', '{"\ud800": 1}', '{"\ud800x": 1}', '{"\ud800\u0041": 1}', '{"\udc00": 1}', '{"é": x}',
	'{"a": 1e18, "b": 0.1}', '{"a": 9223372036854775808}', '{"a": -9223372036854775808}', '{"a": 1e-19}', '{"a": 1e999999999999}', '{"a": 0e999999999999}']) AS literal;
-- jsonb
SELECT '{"b": 1.5, "aa": 2}'::tally::jsonb, '{"b": 1.50, "aa": 2}'::jsonb::tally, try('SELECT ''[1]''::jsonb::tally'), try($$SELECT '{"a": {"b": 1}}'::jsonb::tally$$);

-- equal is equal, however it was made
SELECT a = b, a <> b, a < b, a <= b, a > b, a >= b, tally_cmp(a, b)
FROM (VALUES ('{"a": 1.0, "b": 0}'::tally, '{"a": 1}'::tally), ('{"a": 1}', '{"a": 1, "b": -1}'), ('{"a": 1}', '{"b": 100}'), ('{"a": -1}', '{}'), ('{"a": 0.1}', '{"a": 0.01}')) AS v (a, b);
SELECT t, count(*) FROM (VALUES ('{"a": 1.0}'::tally), ('{"b": 2}'), ('{"a": 1}'), ('{}'), (NULL)) AS v (t) GROUP BY t ORDER BY t;
CREATE TEMP TABLE kept (t tally PRIMARY KEY);
INSERT INTO kept VALUES ('{"a": 1}'), ('{"b": 2}');
SELECT try($$INSERT INTO kept VALUES ('{"a": 1.000, "c": 0}')$$);
CREATE INDEX ON kept USING hash (t);

-- algebra
SELECT '{"a": 1}'::tally + '{"a": 0.5, "b": 1}', '{"a": 1}'::tally - '{"a": 1, "b": 1}', '{"a": 1.25}'::tally * 4, 0.5 * '{"a": 1, "b": 3}'::tally, - '{"a": 1, "b": -2.5}'::tally, '{"a": 1}'::tally * 0, '{"a": 1e-18}'::tally * 1e17;
SELECT try(format('SELECT %s', expression))
FROM unnest(ARRAY['''{"a": 9223372036854775807}''::tally + ''{"a": 1}''', '''{"a": 1e18}''::tally + ''{"b": 0.1}''', '''{"a": 1e10}''::tally * 1e10', '''{"a": 1e-10}''::tally * 1e-10', '''{"a": 1}''::tally * ''NaN''', '''{"a": 1}''::tally * ''-Infinity''',
	'''{"a": 1}''::tally * 1e-19']) AS expression;

-- ----------
-- Aggregates
-- ----------
CREATE TEMP TABLE fact (who text, id bigint, amount numeric, at timestamptz, added integer, removed integer);
INSERT INTO fact VALUES ('alice', 1, 10, '2026-01-03 10:00', 100, 20), ('bob', 2, 2.5, '2026-01-05 09:30', 5, 5), ('alice', 1, 2, '2026-02-01 00:00', NULL, NULL), ('carol', 3, 0, '2026-03-08 12:00:00.5', 7, 0),
	(NULL, NULL, 99, '2026-03-09', 1, 1), ('bob', 2, NULL, NULL, 3, 3);
SELECT tally(who), tally(who, amount), tally(id), tally(id, amount), tally(id::integer, added), tally(who, added::bigint), tally(who::varchar), tally(who::varchar(3), amount) FROM fact;
SELECT tally(who), tally(who, amount), sum(tally), tally(id) FROM (SELECT who, amount, id, NULL::tally AS tally FROM fact WHERE false) AS f;
SELECT tally(who, NULL::numeric), tally(who, 0), tally(NULL::text), tally(who) FILTER (WHERE amount > 5), tally(DISTINCT who) FROM fact;
SELECT sum(t), sum(t) FILTER (WHERE t <> '{}') FROM (VALUES ('{"a": 1}'::tally), ('{"a": 0.5, "b": -1}'), (NULL), ('{}')) AS v (t);
SELECT who, tally(who) OVER (ORDER BY at NULLS FIRST) FROM fact WHERE who IS NOT NULL ORDER BY at NULLS FIRST;
-- a sum that comes back into range is no error, a quantity that needs too many digits is one
SELECT tally(who, q) FROM (VALUES ('a', 9223372036854775807), ('a', 9223372036854775807), ('a', -9223372036854775807)) AS v (who, q);
SELECT try(format('SELECT tally(who, q) FROM (VALUES %s) AS v (who, q)', v))
FROM unnest(ARRAY['(''a'', 9223372036854775807), (''a'', 1)', '(''a'', 9223372036854775807), (''b'', 0.1)', '(''b'', 0.1), (''a'', 9223372036854775807)', '(''a'', ''NaN''::numeric)', '(''a'', ''-Infinity''::numeric)', '(''a'', 1e-19)', '(1, (-9223372036854775807 - 1)::bigint)',
	'(''a'', (-9223372036854775807 - 1)::bigint)']) AS v;

-- ----------
-- Measures
-- ----------
-- the vector of CHAOSS: two make half; equal ones are not counted all; nobody, one
SELECT absence_factor('{"a": 1000, "b": 202, "c": 90, "d": 33, "e": 332, "f": 343, "g": 42, "h": 433}'), absence_factor('{"a": 10, "b": 10, "c": 10, "d": 10}'), absence_factor('{}'), absence_factor('{"a": 0.1}');
SELECT fraction, absence_factor('{"a": 10, "b": 10, "c": 10, "d": 10}', fraction) FROM unnest(ARRAY[0, 0.2, 0.25, 0.250000000000000001, 0.5, 0.51, 0.8, 1]) AS fraction;
SELECT t, total(t), parties(t), quantity_of(t, 'a'), share_of(t, 'a'), gini(t), hhi(t), entropy(t), evenness(t)
FROM unnest(ARRAY['{}', '{"a": 7}', '{"a": 1, "b": 1}', '{"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}', '{"a": 3, "b": 1}', '{"b": 9223372036854775807, "a": 1}']::tally[]) AS t;
SELECT total('{"a": 1, "b": -1}'), share_of('{"a": 1, "b": -1}', 'a'), share_of('{"a": 3, "b": -1}', 'b'), quantity_of('{"17": 2.50}', 17), share_of('{"17": 1, "4": 3}', 17), quantity_of('{"a": 1}', 'z'), share_of('{"a": 1}', 'z');
SELECT * FROM entries('{"b": 1, "a": 2.50, "c": -1}'::tally);
SELECT * FROM top('{"b": 1, "a": 2.50, "d": 1, "c": 1, "e": -1}', 3);
SELECT count(*) FROM unnest(ARRAY[0, 1, 9]) AS n, top('{"b": 1, "a": 2}', n);
SELECT core(t), regular(t), casual(t), core(t, 0.5), regular(t, 0.5, 0.9), casual(t, 0.9), band(t, 0.2, 0.9), band(t, 0.9, 0.2)
FROM unnest(ARRAY['{"a": 70, "b": 15, "c": 8, "d": 4, "e": 3}', '{}', '{"a": 10, "b": 10, "c": 10, "d": 10}']::tally[]) AS t;
SELECT try('SELECT ' || expression)
FROM unnest(ARRAY['absence_factor(''{"a": -1}'')', 'gini(''{"a": 1, "b": -1}'')', 'hhi(''{"a": -1}'')', 'entropy(''{"a": -1}'')', 'evenness(''{"a": -1}'')', 'core(''{"a": -1}''::tally)', 'absence_factor(''{"a": 1}'', 1.1)', 'absence_factor(''{"a": 1}'', -0.1)',
	'absence_factor(''{"a": 1}'', ''NaN'')', 'band(''{"a": 1}''::tally, 0, 2)', 'top(''{"a": 1}'', -1)']) AS expression;

-- who came, who stayed; other keys
SELECT newcomers('{"a": 1, "b": 2}'::tally, '{"b": 5, "c": 1}'::tally), retained('{"a": 1, "b": 2}', '{"b": 5, "c": 1}'), newcomers('{"a": 1}'::tally, '{}'::tally), retained('{}', '{"a": 1}');
SELECT rekey('{"a": 1, "b": 2, "c": 3.5}'::tally, '{"a": "org", "b": "org", "x": "y"}'), rekey('{"a": 1, "b": -1}'::tally, '{"a": "b"}'), rekey('{"a": 1, "b": 2}'::tally, '{"a": "b", "b": "a"}'), rekey('{"1": 1, "2": 2}'::tally, '{"1": 2}'), rekey('{"a": 1}'::tally, '{}'), rekey('{"a": 1, "b": 2, "c": 3}'::tally, '{"a": null, "c": "a"}');
SELECT try(format('SELECT rekey(''{"a": 1}''::tally, %L)', mapping)) FROM unnest(ARRAY['[]', '1', '{"a": {}}', '{"a": []}', '{"a": true}', '{"z": null}']) AS mapping;

-- ----------
-- split
-- ----------
SELECT split(100, '{"a": 1, "b": 1, "c": 1}'::tally, 2), split(100.01, '{"a": 1, "b": 1, "c": 1}'::tally, 2), split(-10, '{"a": 1, "b": 1, "c": 4}'::tally, 0), split(0.01, '{"b": 1, "a": 1}'::tally, 2), split(0, '{}'::tally, 2), split(5, '{"a": 0.001}'::tally, 0),
	split(9223372036854775807, '{"a": 9223372036854775807, "b": 9223372036854775807}'::tally, 0), split(1, '{"a": 1, "b": 2}'::tally, 18);
SELECT try(format('SELECT split(%s, %L::tally, %s)', amount, weights, scale))
FROM (VALUES ('1', '{}', '0'), ('1', '{"a": -1}', '0'), ('0.5', '{"a": 1}', '0'), ('1', '{"a": 1}', '-1'), ('1', '{"a": 1}', '19'), ('100', '{"a": 1}', '18'), ('''NaN''', '{"a": 1}', '0'), ('1e30', '{"a": 1}', '0')) AS v (amount, weights, scale);

-- ----------
-- activity
-- ----------
SELECT activity(who, at, added, removed), activity(id, at), activity(id::integer, at, added::bigint, removed), activity(who, at) FILTER (WHERE false) FROM fact;
SELECT '{}'::activity, '{"é\n": {"last": "2026-05-30", "first": "2026-01-03 01:00+01", "count": 2.0}, "a": {"count": 1, "removed": 5, "first": "-infinity", "last": "-infinity"}}'::activity;
SET timezone = 'Asia/Kolkata';
SET datestyle = 'German';
SELECT activity(who, at) FROM fact;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT try(format('SELECT %L::activity', literal))
FROM unnest(ARRAY['', '{', '{"a"}', '{"a": 1}', '{"a": {}}', '{"a": {"count": 1}}', '{"a": {"count": 1, "first": "2026-01-01"}}', '{"a": {"count": "1"}}', '{"a": {"count": 1.5}}', '{"a": {"count": 1e19}}', '{"a": {"count": null}}', '{"a": {"first": 1}}', '{"a": {"first": "soon"}}',
	'{"a": {"first": "2026-02-30"}}', '{"a": {"Count": 1}}', '{"a": {"lines": 1}}', '{"a": {"count": 1, "count": 1}}', '{"a": {"count": 1,}}', '{"a": {"count": 1, "first": "2026-01-01", "last": "2026-01-01"}} x',
	'{"a": {"count": 0, "first": "2026-01-01", "last": "2026-01-01"}}', '{"a": {"count": -1, "first": "2026-01-01", "last": "2026-01-01"}}', '{"a": {"count": 1, "added": -1, "first": "2026-01-01", "last": "2026-01-01"}}',
	'{"a": {"count": 2, "first": "2026-01-02", "last": "2026-01-01"}}', '{"a": {"count": 1, "first": "2026-01-01", "last": "2026-01-02"}}',
	'{"a": {"count": 1, "first": "2026-01-01", "last": "2026-01-01"}, "a": {"count": 1, "first": "2026-01-01", "last": "2026-01-01"}}', '{"a": {"count": 1, "first": "2026-01-01", "last": "' || repeat('9', 200) || '"}}']) AS literal;
CREATE TEMP TABLE month AS SELECT date_trunc('month', at) AS month, activity(who, at, added, removed) AS a FROM fact WHERE at IS NOT NULL GROUP BY 1;
-- months make the year, byte for byte
SELECT sum(a) = (SELECT activity(who, at, added, removed) FROM fact), activity_send(sum(a)) = (SELECT activity_send(activity(who, at, added, removed)) FROM fact) FROM month;
SELECT month, a FROM month ORDER BY a;
SELECT a = b, a < b, activity_cmp(a, b), activity_cmp(b, a) FROM month AS x (m, a), month AS y (m, b) ORDER BY x.m, y.m;
CREATE TEMP TABLE year AS SELECT sum(a) AS a FROM month;
SELECT parties(a), contributions(a), lines_added(a), lines_removed(a), first_at(a), last_at(a), by_count(a), by_lines(a), absence_factor(by_count(a)) FROM year;
SELECT parties(a), contributions(a), lines_added(a), lines_removed(a), first_at(a), last_at(a), by_count(a), by_lines(a), a + a, core(a), newcomers(a, '(,)'), rekey(a, '{"a": "b"}') FROM (SELECT '{}'::activity AS a) AS s;
SELECT e.* FROM year, entries(a) AS e;
SELECT by_count(newcomers(a, '[2026-01-04,2026-03-08 12:00:00.5)')), by_count(newcomers(a, 'empty')), by_count(inactive(a, '2026-02-01 00:00:00.000001')), by_count(inactive(a, '2026-02-01')), by_count(occasional(a)), by_count(occasional(a, 3, '[2026-01-01,2026-02-01)')) FROM year;
SELECT by_count(core(a)), by_count(regular(a)), by_count(casual(a)), by_count(core(a, 0.5)), by_count(regular(a, 0.5, 0.7)), by_count(casual(a, 0.7)) FROM year;
SELECT rekey(a, '{"alice": 17, "bob": 17}') FROM year;
SELECT rekey(a, '{"alice": null}') FROM year;
-- a contributor with two identities counts once after they are linked, twice before, and again after they are unlinked
SELECT parties(a), parties(rekey(a, '{"bob": "alice"}')), parties(rekey(a, '{}')), contributions(rekey(a, '{"bob": "alice"}')) FROM year;
SELECT try(statement)
FROM unnest(ARRAY['SELECT activity(''a'', now(), -1, 0)', 'SELECT activity(1, now(), 0, -1)', 'SELECT activity(''a'', now(), 9223372036854775807, 0) FROM generate_series(1, 2)', 'SELECT rekey(a, ''[]'') FROM year', 'SELECT rekey(a, ''{"bob": []}'') FROM year', 'SELECT core(a, 1.5) FROM year',
	'SELECT lines_added(''{"a": {"count": 1, "added": 9223372036854775807, "first": "2026-01-01", "last": "2026-01-01"}, "b": {"count": 1, "added": 1, "first": "2026-01-01", "last": "2026-01-01"}}'')',
	'SELECT by_lines(''{"a": {"count": 1, "added": 9223372036854775807, "removed": 1, "first": "2026-01-01", "last": "2026-01-01"}}'')',
	'SELECT a + ''{"alice": {"count": 9223372036854775807, "first": "2026-01-01", "last": "2026-01-01"}}'' FROM year']) AS statement;
SELECT ('{"a": {"count": 1, "first": "2026-01-01", "last": "2026-01-01"}}'::jsonb)::activity::jsonb;

-- ----------
-- Binary form
-- ----------
SELECT tally_send('{}'), tally_send('{"a": 1, "é": -2.5}'), activity_send('{}'), activity_send('{"a": {"count": 1, "added": 2, "removed": 3, "first": "2000-01-01", "last": "2000-01-01"}}');
CREATE TEMP TABLE sent AS SELECT n, t, a FROM (SELECT 1 AS n, '{}'::tally AS t, '{}'::activity AS a UNION ALL SELECT 2, tally(who, amount), activity(who, at, added, removed) FROM fact
	UNION ALL SELECT 3, tally('party ' || i, i * 0.001), activity('é' || i, '2026-01-01'::timestamptz + i * interval '7 microseconds', i, i * 2) FROM generate_series(1, 20000) AS i
	UNION ALL SELECT 4, '{"": 9223372036854775807, "\n": -9223372036854775807}', '{"": {"count": 9223372036854775807, "first": "-infinity", "last": "infinity"}}' UNION ALL SELECT 5, NULL, NULL) AS s;
CREATE TEMP TABLE received (LIKE sent);
\getenv directory PG_ABS_BUILDDIR
\cd :directory/results
\copy sent TO 'tally.data' (FORMAT binary)
\copy received FROM 'tally.data' (FORMAT binary)
SELECT n, x.t = y.t AS tally, x.a = y.a AS activity, parties(x.t), parties(x.a), pg_column_size(x.t) = pg_column_size(y.t) AS size FROM sent AS x JOIN received AS y USING (n) ORDER BY n;
-- in another encoding, and back
SET client_encoding = 'LATIN1';
\copy (SELECT n, t, a FROM sent WHERE n IN (1, 3)) TO 'tally.data' (FORMAT binary)
TRUNCATE received;
\copy received FROM 'tally.data' (FORMAT binary)
RESET client_encoding;
SELECT n, x.t = y.t AS tally, x.a = y.a AS activity FROM sent AS x JOIN received AS y USING (n) ORDER BY n;

-- Send a message, hexadecimal digits with blanks for the eye: what it makes, or the error
CREATE TEMP TABLE tally_message (v tally);
CREATE TEMP TABLE activity_message (v activity);
CREATE FUNCTION pg_temp.receive(type text, message text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	bytes bytea := decode(replace(message, ' ', ''), 'hex');
	octal text;
	result text;
	detail text;
BEGIN
	-- the header of COPY, one row of one field, the end
	bytes := '\x5047434f50590aff0d0a00' || int4send(0) || int4send(0)
		|| int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2);
	SELECT string_agg('\' || b / 64 || b / 8 % 8 || b % 8, '' ORDER BY i) INTO octal
	FROM generate_series(0, length(bytes) - 1) AS i, get_byte(bytes, i) AS b;
	EXECUTE format('COPY %I FROM PROGRAM %L (FORMAT binary)', type || '_message', 'printf ''' || octal || '''');
	EXECUTE format('SELECT v::text FROM %I', type || '_message') INTO result;
	EXECUTE format('TRUNCATE %I', type || '_message');
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' / ', sqlstate || ' ' || sqlerrm, nullif(detail, ''));
END $$;
SELECT what, pg_temp.receive('tally', message) AS received
FROM (VALUES
	('nothing', '01 00 00000000'),
	('a scale that no quantity needs', '01 03 00000001 00000001 61 0000000000000bb8'),
	('in disorder, and a zero', '01 00 00000003 00000001 62 0000000000000002 00000001 63 0000000000000000 00000001 61 0000000000000001'),
	('no name', '01 00 00000001 00000000 0000000000000001'),
	('empty', ''),
	('version 0', '00 00 00000000'),
	('version 2', '02 00 00000000'),
	('text instead', '7b 7d'),
	('scale 19', '01 13 00000000'),
	('number -1', '01 00 ffffffff'),
	('number 2^31 - 1', '01 00 7fffffff 00000001 61 0000000000000001'),
	('number 2 for one', '01 00 00000002 00000001 61 0000000000000001'),
	('number 0 for one', '01 00 00000000 00000001 61 0000000000000001'),
	('truncated', '01 00 00000001 00000001 61 00000000000001'),
	('a byte after the end', '01 00 00000001 00000001 61 0000000000000001 00'),
	('length -1', '01 00 00000001 ffffffff 0000000000000001 00000000'),
	('length too large', '01 00 00000001 7fffffff 61 0000000000000001'),
	('twice', '01 00 00000002 00000001 61 0000000000000001 00000001 61 0000000000000001'),
	('not UTF-8', '01 00 00000001 00000001 ff 0000000000000001'),
	('half a character', '01 00 00000001 00000001 c3 0000000000000001'),
	('a zero byte', '01 00 00000001 00000001 00 0000000000000001'),
	('least int64', '01 00 00000001 00000001 61 8000000000000000')
) AS v (what, message);
SELECT what, pg_temp.receive('activity', message) AS received
FROM (VALUES
	('nothing', '01 00000000'),
	('one', '01 00000001 00000001 61 0000000000000002 0000000000000001 0000000000000000 0000000000000000 0000000000000001'),
	('in disorder', '01 00000002 00000001 62 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000000 00000001 61 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000000'),
	('version 2', '02 00000000'),
	('number 1 for none', '01 00000001'),
	('number too large', '01 7fffffff 00000001 61 0000000000000002 0000000000000001 0000000000000000 0000000000000000 0000000000000001'),
	('count 0', '01 00000001 00000001 61 0000000000000000 0000000000000001 0000000000000000 0000000000000000 0000000000000000'),
	('negative lines', '01 00000001 00000001 61 0000000000000001 ffffffffffffffff 0000000000000000 0000000000000000 0000000000000000'),
	('last before first', '01 00000001 00000001 61 0000000000000002 0000000000000001 0000000000000000 0000000000000001 0000000000000000'),
	('two instants of one', '01 00000001 00000001 61 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000001'),
	('an instant out of range', '01 00000001 00000001 61 0000000000000002 0000000000000001 0000000000000000 0000000000000000 7ffffffffffffffe'),
	('twice', '01 00000002 00000001 61 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000000 00000001 61 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000000'),
	('not UTF-8', '01 00000001 00000001 ff 0000000000000001 0000000000000001 0000000000000000 0000000000000000 0000000000000000')
) AS v (what, message);

-- stored values are short: names, and 2 or 3 bytes of each number
SELECT pg_column_size(tally('p' || i, i)) AS tally, pg_column_size(activity('p' || i, '2026-01-01'::timestamptz + i * interval '1 hour', i, 2)) AS activity FROM generate_series(1, 1000) AS i;

DROP FUNCTION try, calendar_differences;
