-- pages.sql: report_html and statement_html, and what they are made of

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
-- one element a line; of pictures only their titles, and no time of day
CREATE FUNCTION lines_of(page text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line FROM regexp_split_to_table(regexp_replace(regexp_replace(regexp_replace(page, '<svg.*?<title[^>]*>(.*?)</title>.*?</svg>', '[\1]', 'g'),
		'recorded at [^<]* UTC', 'recorded'), E'(?<=<style>\n).*\n(?=</style>)', ''), '\n|(?<=>)(?=<(?:meta|link|div|section|h1|h2|p|table|caption|thead|tbody|tfoot|tr|dl|footer))') AS line;
$$;
\set ECHO all
TRUNCATE party RESTART IDENTITY CASCADE;

-- numbers and periods
SELECT n, html_number(n) FROM unnest('{0,-1234.5,1234567.891000,999,-999,1000,-1000.000,NaN,-Infinity,0.000001,12345678901234567890.10}'::numeric[]) AS n;
SELECT p, z, html_period(p::tstzrange, z) FROM (VALUES
	('[2026-01-01,2026-01-02)', 'UTC'), ('[2026-01-01,2026-01-03)', 'UTC'), ('[2026-01-01,2026-02-01)', 'UTC'), ('[2026-01-01,2027-01-01)', 'UTC'),
	('[2026-03-28 23:00,2026-03-29 22:00)', 'Europe/Berlin'), ('[2026-03-28 23:00,2026-03-29 23:00)', 'Europe/Berlin'), ('[2026-01-01 12:00,)', 'UTC'),
	('(,2026-01-01)', 'UTC'), ('[-infinity,infinity]', 'UTC'), ('(,)', 'UTC'), ('empty', 'UTC')) AS v (p, z);

\pset tuples_only on
\pset format unaligned
SELECT html_row('a', 'b', NULL), html_row('a'), html_table('<none>', '{a}', NULL), html_table('<one>', '{a,b<br/>c}', html_row('x', 'y'), html_row('t', 'y')), html_figure('<f>', NULL, '"');
-- the style is always the same
SELECT regexp_replace(html_page('<title>', '<b>subtitle</b>', '<p>body</p>'), 'recorded at [^<]* UTC', 'recorded');

--
-- a pool
--
SELECT count(create_party(name)) FROM unnest('{grid,"<script>alert(1)</script>","\"&''"}'::text[]) AS name;
SELECT create_pool('<pool>', 'compute', 'gpu', 'grid', price => 1.5, currency => 'EUR', time_zone => 'Europe/Berlin');
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('<pool>'), party_id, r, now() FROM party, unnest('{provider,consumer}'::text[]) AS r;
SELECT add_supply('<pool>', 'grid', 8, '[2026-01-01 00:00 Europe/Berlin,)'), add_supply('<pool>', '<script>alert(1)</script>', 4, '[2026-01-01 00:00 Europe/Berlin,)');
SELECT reserve('<pool>', '"&''', 5, '[2026-01-05 00:00 Europe/Berlin,2026-01-06 08:20 Europe/Berlin)'), reserve('<pool>', '<script>alert(1)</script>', 4.5, '[2026-01-05 12:00 Europe/Berlin,)');
SELECT lines_of(report_html('<pool>', '[2026-01-05 00:00 Europe/Berlin,2026-01-07 00:00 Europe/Berlin)'));
-- other buckets; a deficit; nothing at all
SELECT withdraw_supply('<pool>', 'grid', 8, '[2026-01-06 00:00 Europe/Berlin,2026-01-06 06:00 Europe/Berlin)');
SELECT line FROM lines_of(report_html('<pool>', '[2026-01-05 00:00 Europe/Berlin,2026-01-07 00:00 Europe/Berlin)', '12 hours')) AS line WHERE line ~ '^<(tr|p class)';
SELECT line FROM lines_of(report_html('<pool>', '[2026-01-01 00:00 Europe/Berlin,2026-03-01 00:00 Europe/Berlin)')) AS line WHERE line ~ '^<tr><th scope="row">2026';
SELECT line FROM lines_of(report_html('<pool>', '[2026-01-01 00:00 Europe/Berlin,2026-05-01 00:00 Europe/Berlin)')) AS line WHERE line ~ '^<tr><th scope="row">2026';
SELECT create_pool('empty', 'data', 'seat', 'grid');
SELECT lines_of(report_html('empty', '[2026-01-05,2026-01-06)'));
SELECT report_html('<pool>', 'empty') IS NULL;
SELECT try(format('SELECT report_html(%s)', arguments)) FROM (VALUES ('''nothing'', ''[2026-01-05,2026-01-06)'''), ('''empty'', ''[2026-01-05,)'''), ('''empty'', ''[2026-01-05,2026-01-06)'', ''0''')) AS v (arguments);

--
-- a party
--
SELECT lines_of(statement_html('<script>alert(1)</script>', '[2026-01-05 00:00 Europe/Berlin,2026-01-07 00:00 Europe/Berlin)', 'Europe/Berlin'));
SELECT line FROM lines_of(statement_html('"&''', '[2026-02-01,2026-03-01)')) AS line WHERE line ~ '^<(h1|p|tr|dl)';
-- with what was posted to its accounts
BEGIN;
SELECT post_journal('payment', ARRAY[open_account('grid', 'cash', 'EUR'), open_account('"&''', 'receivable', 'EUR')], ARRAY[12.5, -12.5], occurred_at => '2026-02-03') > 0,
	post_journal('payment', ARRAY[open_account('grid', 'cash', 'EUR'), open_account('"&''', 'receivable', 'EUR')], ARRAY[7, -7], occurred_at => '2026-01-03') > 0;
SELECT line FROM lines_of(statement_html('"&''', '[2026-02-01,2026-03-01)')) AS line WHERE line ~ '(balance|payment|Accounts)';
ROLLBACK;
SELECT statement_html('grid', 'empty') IS NULL;
SELECT try(format('SELECT statement_html(%s)', arguments)) FROM (VALUES ('''nobody'', ''[2026-01-05,2026-01-06)'''), ('''grid'', ''[2026-01-05,2026-01-06)'', ''Moon/Crater'''), ('''grid'', ''[2026-01-05,)''')) AS v (arguments);

TRUNCATE party CASCADE;
DROP FUNCTION lines_of, try, calendar_differences;
