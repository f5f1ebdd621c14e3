-- pictures.sql: svg, gantt, html_escape as a user sees them

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
-- one element a line, without the style, which is always the same
CREATE FUNCTION lines_of(svg text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line FROM regexp_split_to_table(regexp_replace(svg, '<style>.*</style>', ''), '(?<=>)(?=<[^/])') AS line;
$$;
\set ECHO all
\pset tuples_only on
\pset format unaligned

SELECT html_escape($$<a href="x" title='y'>&amp;</a>$$), html_escape(''), html_escape(E'tab\t, line\n, return\r, bell\007, del\177'), html_escape(U&'\00e9\4e2d\+01f600 \fffd\fffe\ffff');

--
-- a profile
--
SELECT lines_of(svg('{"2026-01-01 06:00": 8, "2026-01-01 12:00": 4.5, "2026-01-01 18:00": 0}'::profile, '[2026-01-01,2026-01-02)', 'One day', 'gpu'));
-- and the style
SELECT regexp_split_to_table(substring(svg('{}'::profile, '[2026-01-01,2026-01-02)') FROM '<style>.*</style>'), '(?<=})');
-- nothing, in the time zone of a day of 23 hours; below zero; the smallest picture
SELECT lines_of(svg('{}'::profile, '[2026-03-28 23:00,2026-03-29 22:00)', time_zone => 'Europe/Berlin'));
SELECT lines_of(svg('{"2026-01-01 06:00": -0.25, "2026-01-01 12:00": 1000000}'::profile, '[2026-01-01,2026-01-01 12:00:00.000001)', width => 240, height => 40));
-- names that mean harm; a null one; one that is too long
SELECT lines_of(svg(ARRAY[profile(1), profile(2), profile(3)], ARRAY['<script>alert(1)</script>', NULL, repeat('"&''', 40)], '[2026-01-01,2026-02-01)', '</title><b>', '<u>'));
SELECT svg(profile(1), 'empty') IS NULL, svg(profile(1), NULL) IS NULL;
-- the same picture has the same ids, another one others
SELECT svg(profile(1), '[2026-01-01,2026-01-02)', 'a') = svg(profile(1), '[2026-01-01,2026-01-02)', 'a'),
	count(DISTINCT substring(picture FROM 'id="[^"]*"'))
FROM unnest(ARRAY[svg(profile(1), '[2026-01-01,2026-01-02)', 'a'), svg(profile(1), '[2026-01-01,2026-01-02)', 'b'), svg(profile(2), '[2026-01-01,2026-01-02)', 'a'), svg(profile(1), '[2026-01-01,2026-01-03)', 'a')]) AS picture;

-- labels of the axis of time: from microseconds to millennia, and where clocks change
SELECT during, time_zone, (SELECT string_agg(m[1], ' ' ORDER BY o)
	FROM regexp_matches(svg(profile(1), during::tstzrange, '', '', time_zone, 400), '<text class="middle quiet"[^>]*>([^<]*)<', 'g') WITH ORDINALITY AS m (m, o)) AS ticks
FROM (VALUES ('[2026-01-01 12:00:00,2026-01-01 12:00:00.000003)', 'UTC'), ('[2026-01-01 12:00:00,2026-01-01 12:00:00.1)', 'UTC'),
	('[2026-01-01 11:59:50,2026-01-01 12:00:12.5)', 'Asia/Kathmandu'), ('[2026-01-01 11:50,2026-01-01 12:40)', 'Asia/Kathmandu'),
	('[2026-03-29 00:00,2026-03-29 06:00)', 'Europe/Berlin'), ('[2026-10-24 22:00,2026-10-25 23:00)', 'Europe/Berlin'), ('[2026-10-24 22:00,2026-10-27 23:00)', 'Europe/Berlin'),
	('[2026-01-05,2026-01-12)', 'UTC'), ('[2025-12-20,2026-01-20)', 'UTC'), ('[2026-01-01,2027-01-01)', 'America/New_York'),
	('[2020-01-01,2027-06-01)', 'UTC'), ('[1926-01-01,2026-01-01)', 'UTC'), ('[0500-01-01 BC,0500-01-01)', 'UTC'), ('[4713-01-01 BC,294276-01-01)', 'UTC'),
	('[294276-12-31 23:00,294276-12-31 23:59:59.999999)', 'UTC')) AS v (during, time_zone);

SELECT try(format('SELECT svg(%s)', arguments)) FROM (VALUES ('profile(1), ''[2026-01-01,)'''), ('profile(1), ''(,2026-01-01)'''),
	('profile(1), ''[2026-01-01,2026-01-02)'', width => 239'), ('profile(1), ''[2026-01-01,2026-01-02)'', width => 4001'),
	('profile(1), ''[2026-01-01,2026-01-02)'', height => 39'), ('profile(1), ''[2026-01-01,2026-01-02)'', height => 4001'),
	('profile(1), ''[2026-01-01,2026-01-02)'', time_zone => ''Moon/Crater'''),
	('''{}''::profile[], ''{}''::text[], ''[2026-01-01,2026-01-02)''::tstzrange'), ('array_fill(profile(1), ''{13}''), ''{}''::text[], ''[2026-01-01,2026-01-02)''::tstzrange'),
	('ARRAY[profile(1), NULL], ''{}''::text[], ''[2026-01-01,2026-01-02)''::tstzrange'),
	('profile(123456789012345.678), ''[2026-01-01,2026-01-02)'', width => 240')) AS v (arguments);

--
-- a tally
--
SELECT lines_of(svg('{"alice": 12, "bob": 3.25, "<b>": 0.5, "carol": 0.25}'::tally, 'Commits', 'k', 2));
SELECT lines_of(svg('{"up": 3, "down": -1}'::tally, width => 240));
SELECT lines_of(svg('{}'::tally));
SELECT lines_of(svg(('{"' || repeat('very ', 50) || 'long": 1}')::tally, width => 240));
SELECT try(format('SELECT svg(''{"a": 1}''::tally, %s)', arguments)) FROM (VALUES ('bars => 0'), ('bars => 1001'), ('width => 0')) AS v (arguments);

--
-- periods
--
SELECT lines_of(gantt('{a,a,a,"<b>","<b>",out}', '{"[2026-01-01,2026-01-03)","[2026-01-02,2026-01-05)","[2026-01-03,2026-01-04)","[2026-01-04,)","[2025-01-01,2026-01-01 00:00:01)","[2027-01-01,2028-01-01)"}',
	'{one,two,three,&,five,six}', '[2026-01-01,2026-01-08)', 'Week', 'UTC', 300));
SELECT lines_of(gantt('{}', '{}', '{}', '[2026-01-01,2026-01-08)'));
SELECT gantt('{}', '{}', '{}', 'empty') IS NULL;
SELECT try(format('SELECT gantt(%s)', arguments)) FROM (VALUES ('''{}'', ''{}'', ''{}'', ''[2026-01-01,)'''), ('''{a}'', ''{}'', ''{}'', ''[2026-01-01,2026-01-08)'''),
	('''{a}'', ''{NULL}'', ''{a}'', ''[2026-01-01,2026-01-08)''')) AS v (arguments);

--
-- leases
--
TRUNCATE party RESTART IDENTITY CASCADE;
SELECT count(create_party(name)) FROM unnest('{grid,"<i>ann</i>",bob}'::text[]) AS name;
SELECT create_pool('gpu', 'compute', 'gpu', 'grid', time_zone => 'Europe/Berlin');
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('gpu'), party_id, r, now() FROM party, unnest('{provider,consumer}'::text[]) AS r;
SELECT add_supply('gpu', 'grid', 10, '[2026-01-01,)');
SELECT reserve('gpu', 'bob', 4, '[2026-01-01,2026-01-03)'), reserve('gpu', '<i>ann</i>', 1.5, '[2026-01-02,)'), reserve('gpu', 'bob', 1, '[2026-01-03,2026-01-05)');
SELECT lines_of(lease_gantt('gpu', '[2026-01-01,2026-01-08)', width => 300));
SELECT lines_of(lease_gantt('gpu', '[2026-01-01,2026-01-08)', 1));
SELECT try(format('SELECT lease_gantt(%s)', arguments)) FROM (VALUES ('''nothing'', ''[2026-01-01,2026-01-08)'''), ('''gpu'', ''[2026-01-01,)''')) AS v (arguments);
TRUNCATE party CASCADE;
DROP FUNCTION lines_of, try, calendar_differences;
