-- profile_binary.sql
--		The binary form of profile: what it writes comes back, and what it would
--		never write is an error.

SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE SCHEMA profile_binary_test;
SET search_path = profile_binary_test, sharecollab, public;
\set SHOW_CONTEXT never

-- ----------
-- What it writes
-- ----------
CREATE TABLE sent (id int, p profile);
INSERT INTO sent VALUES
	(1, '{}'), (2, NULL), (3, '{"-infinity": 1}'), (4, '{"-infinity": -0.5, "2000-01-01": 0}'), (5, '{"2000-01-01 00:00:00.000001": 12.25, "2026-01-01": 0}'),
	(6, '{"4714-11-24 00:00:00+00 BC": 9223372036854775807, "294276-12-31 23:59:59.999999+00": -9223372036854775807}'),
	(7, '{"2000-01-01": 0.000000000000000001}');
INSERT INTO sent SELECT 8, load_profile(tstzrange('2026-01-01'::timestamptz + i * interval '1.000001 hour', NULL), i % 7 - 3) FROM generate_series(1, 30000) AS i;
SELECT id, profile_send(p) FROM sent WHERE id < 8 ORDER BY id;

-- through a file of psql's, in the directory of results (\copy knows no variables)
\getenv directory PG_ABS_BUILDDIR
\cd :directory/results
CREATE TABLE received (id int, p profile);
\copy sent TO 'profile_binary.data' (FORMAT binary)
\copy received FROM 'profile_binary.data' (FORMAT binary)
SELECT id, received.p = sent.p AS same, profile_send(received.p) = profile_send(sent.p) AS bytes, (SELECT count(*) FROM steps(received.p)) AS steps FROM received JOIN sent USING (id) ORDER BY id;

-- as an element, as a field
CREATE TABLE sent_nested AS SELECT array_agg(p ORDER BY id) AS elements, ROW(7, '{"2000-01-01": 8}'::profile)::sent AS field FROM sent WHERE id < 8;
CREATE TABLE received_nested (LIKE sent_nested);
\copy sent_nested TO 'profile_binary.data' (FORMAT binary)
\copy received_nested FROM 'profile_binary.data' (FORMAT binary)
SELECT received_nested.elements = sent_nested.elements AS elements, received_nested.field = sent_nested.field AS field FROM received_nested, sent_nested;

-- ----------
-- What it reads: any steps in order, made canonical
-- ----------
-- Send a message, hexadecimal digits with blanks for the eye: the profile that
-- it makes, or the error
CREATE TABLE message (p profile);
CREATE FUNCTION pg_temp.receive(message text) RETURNS text
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
	EXECUTE format('COPY message FROM PROGRAM %L (FORMAT binary)', 'printf ''' || octal || '''');
	SELECT p::text INTO result FROM message;
	TRUNCATE message;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' / ', sqlstate || ' ' || sqlerrm, nullif(detail, ''));
END $$;

SELECT what, pg_temp.receive(message) AS received
FROM (VALUES
	('no steps', '01 00 00000000'),
	('no steps, a scale all the same', '01 12 00000000'),
	('one step', '01 00 00000001 0000000000000000 0000000000000008'),
	('at -infinity', '01 00 00000001 8000000000000000 0000000000000008'),
	('first and last instant', '01 00 00000002 fd0f7cc1411fa000 0000000000000001 7fffff5bb3b29fff 0000000000000000'),
	('zero first', '01 00 00000002 8000000000000000 0000000000000000 0000000000000000 0000000000000001'),
	('nothing but zero', '01 12 00000001 0000000000000000 0000000000000000'),
	('a step that changes nothing', '01 00 00000003 0000000000000000 0000000000000008 0000000000000001 0000000000000008 0000000000000002 0000000000000000'),
	('a scale that no value needs', '01 03 00000002 0000000000000000 0000000000000bb8 0000000000000001 00000000000001f4'),
	('largest and least value', '01 00 00000002 0000000000000000 7fffffffffffffff 0000000000000001 8000000000000001'),
	('smallest fraction', '01 12 00000002 0000000000000000 ffffffffffffffff 0000000000000001 0000000000000001')
) AS v(what, message);

-- ----------
-- What it does not read
-- ----------
SELECT what, pg_temp.receive(message) AS error
FROM (VALUES
	('empty', ''),
	('version only', '01'),
	('no number', '01 00'),
	('half a number', '01 00 0000'),
	('version 0', '00 00 00000000'),
	('version 2', '02 00 00000000'),
	('version 255', 'ff 00 00000000'),
	('text instead', '7b 7d'),
	('jsonb instead', '01 7b 7d'),
	('scale 19', '01 13 00000000'),
	('scale 127', '01 7f 00000000'),
	('scale 128', '01 80 00000000'),
	('scale 255', '01 ff 00000001 0000000000000000 0000000000000008'),
	('number -1', '01 00 ffffffff'),
	('number -1, with a step', '01 00 ffffffff 0000000000000000 0000000000000008'),
	('number -2^31', '01 00 80000000'),
	('number 2^31 - 1', '01 00 7fffffff 0000000000000000 0000000000000008'),
	('number 2^28, 16 times of which is 0 in 32 bits', '01 00 10000000'),
	('number 2^28 + 1', '01 00 10000001 0000000000000000 0000000000000008'),
	('number 2 for one step', '01 00 00000002 0000000000000000 0000000000000008'),
	('number 1 for two steps', '01 00 00000001 0000000000000000 0000000000000008 0000000000000001 0000000000000009'),
	('number 0 for one step', '01 00 00000000 0000000000000000 0000000000000008'),
	('number 1 for no step', '01 00 00000001'),
	('truncated value', '01 00 00000001 0000000000000000 00000000000000'),
	('truncated instant', '01 00 00000001 00000000000000'),
	('a byte after the end', '01 00 00000001 0000000000000000 0000000000000008 00'),
	('a byte after no steps', '01 00 00000000 00'),
	('a step twice', '01 00 00000002 0000000000000000 0000000000000008 0000000000000000 0000000000000009'),
	('a step twice, the same', '01 00 00000002 0000000000000000 0000000000000008 0000000000000000 0000000000000008'),
	('in disorder', '01 00 00000002 0000000000000001 0000000000000008 0000000000000000 0000000000000009'),
	('in disorder behind', '01 00 00000003 0000000000000001 0000000000000008 0000000000000002 0000000000000008 ffffffffffffffff 0000000000000009'),
	('-infinity twice', '01 00 00000002 8000000000000000 0000000000000008 8000000000000000 0000000000000009'),
	('-infinity second', '01 00 00000002 0000000000000000 0000000000000008 8000000000000000 0000000000000009'),
	('infinity', '01 00 00000001 7fffffffffffffff 0000000000000008'),
	('infinity last', '01 00 00000002 0000000000000000 0000000000000008 7fffffffffffffff 0000000000000000'),
	('before the first instant', '01 00 00000001 fd0f7cc1411f9fff 0000000000000008'),
	('after the last instant', '01 00 00000001 7fffff5bb3b2a000 0000000000000008'),
	('right after -infinity', '01 00 00000001 8000000000000001 0000000000000008'),
	('right before infinity', '01 00 00000001 7ffffffffffffffe 0000000000000008'),
	('value -2^63', '01 00 00000001 0000000000000000 8000000000000000'),
	('value -2^63 second', '01 12 00000002 0000000000000000 0000000000000008 0000000000000001 8000000000000000')
) AS v(what, message);

SET client_min_messages = warning;
DROP SCHEMA profile_binary_test CASCADE;
