-- pages.sql
--		Pages as an XML parser reads them: well-formed whatever the names are, and
--		with the figures of the reports. What a browser makes of them is in
--		test/t/020_pages.pl.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(7);
SET LOCAL jit = off;
TRUNCATE party CASCADE;

CREATE FUNCTION pg_temp.cells(page text, caption text) RETURNS SETOF text LANGUAGE sql AS $$
	-- a cell a line; what stands for a digit is one
	SELECT (SELECT string_agg(replace(replace(translate(array_to_string(xpath('.//text()', c), ''), U&'\2007,', '0'), '&lt;', '<'), '&gt;', '>'), '|' ORDER BY n)
		FROM unnest(xpath('(/*/h:th|/*/h:td|/*/th|/*/td)', r, '{{h,http://www.w3.org/1999/xhtml}}')) WITH ORDINALITY AS x (c, n))
	FROM unnest(xpath(format('//h:table[h:caption="%s"]/h:tbody/h:tr', caption), xmlparse(DOCUMENT page), '{{h,http://www.w3.org/1999/xhtml}}')) AS r;
$$;

CREATE TEMP TABLE name AS
	SELECT i, (ARRAY['<script>alert(1)</script>', '"''><img src=x>', E'tab\t line\n return\r bell\007', ']]>', '<!--', '&lt;', '&#0;', '--></style>', U&'\202ereversed\00ad\feff\fffe', repeat('long ', 50), '%s', '\', '{}', '</title>'])[i] AS name
	FROM generate_series(1, 14) AS i;
SELECT count(create_party(name)) FROM name \g /dev/null
SELECT count(create_pool(p.name, 'compute', p.name, p.name, price => p.i * 0.1, currency => p.name, time_zone => 'Europe/Berlin')) FROM name AS p \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at)
	SELECT pool_id, party_id, r, now() FROM pool, party, unnest('{provider,consumer}'::text[]) AS r;
SELECT count(add_supply(p.name, v.name, 5, '[2026-01-01,2026-03-01)')) FROM name AS p, name AS v \g /dev/null
INSERT INTO lease (pool_id, consumer_id, quantity, during, price)
	SELECT pool_id(p.name), party_id(c.name), 0.1 * c.i, tstzrange('2026-01-01'::timestamptz + c.i * interval '11 hours 17 min', '2026-01-11'::timestamptz + p.i * interval '5 hours 3 s'), 0.01 * (p.i + c.i)
	FROM name AS p, name AS c;
SELECT count(withdraw_supply(p.name, v.name, 5, '[2026-01-07,2026-01-08)')) FROM name AS p, name AS v \g /dev/null

CREATE TEMP TABLE page AS
	SELECT p.name, 'report' AS kind, report_html(p.name, '[2026-01-01,2026-01-20)') AS page FROM name AS p
	UNION ALL
	SELECT p.name, 'statement', statement_html(p.name, '[2026-01-01,2026-01-20)') FROM name AS p;

SELECT is(count(*), 28::bigint, 'pages are well-formed XML') FROM page WHERE xml_is_well_formed_document(page);
SELECT is_empty($$
	SELECT DISTINCT x::text FROM page, unnest(xpath('//*[not(self::h:*) and not(self::svg:*)]|//h:script|//h:img|//@src|//@onerror|//comment()',
		xmlparse(DOCUMENT page), '{{h,http://www.w3.org/1999/xhtml},{svg,http://www.w3.org/2000/svg}}')) AS x
$$, 'no element, attribute or comment comes of a name');
SELECT is_empty($$
	SELECT name FROM page, unnest(xpath('//@id', xmlparse(DOCUMENT page))) AS id GROUP BY kind, name HAVING count(*) <> count(DISTINCT id::text)
$$, 'ids are unique in a page');
SELECT is_empty($$
	SELECT name FROM page WHERE page ~ 'https?://' AND regexp_replace(page, 'xmlns="http://www.w3.org/[^"]*"', '', 'g') ~ 'https?://' OR page ~ '(url\(|@import|href="[^d])'
$$, 'nothing is asked of the network');
SELECT results_eq($$
	SELECT p.name, c.line FROM page AS p, pg_temp.cells(p.page, 'Utilization') WITH ORDINALITY AS c (line, n) WHERE kind = 'report' ORDER BY p.name, n
$$, $$
	SELECT p.name, concat_ws('|', replace(html_period(u.period, 'Europe/Berlin'), '&#x2013;', U&'\2013'), u.capacity_unit_hours, u.leased_unit_hours, u.idle_unit_hours, u.deficit_unit_hours, coalesce(round(100 * u.utilization, 4)::text, ''), u.peak)
	FROM name AS p, utilization_report(p.name, '[2026-01-01,2026-01-20)') AS u ORDER BY p.name, u.period
$$, 'utilization is that of utilization_report');
SELECT results_eq($$
	SELECT p.name, substring(c.line FROM '(?:[|][0-9.]+){4}$') FROM page AS p, pg_temp.cells(p.page, 'Cost by consumer') WITH ORDINALITY AS c (line, n) WHERE kind = 'report' ORDER BY p.name, n
$$, $$
	SELECT p.name, '|' || concat_ws('|', u.leases, u.unit_hours, u.cost, round(100 * u.share, 4))
	FROM name AS p, cost_report(p.name, '[2026-01-01,2026-01-20)') WITH ORDINALITY AS u (consumer, leases, unit_hours, cost, currency, share, n) ORDER BY p.name, n
$$, 'cost is that of cost_report');
SELECT results_eq($$
	SELECT p.name, substring(c.line FROM '[|][0-9.]+[|][0-9.]+[|][0-9.]+$') FROM page AS p, pg_temp.cells(p.page, 'Revenue by provider') WITH ORDINALITY AS c (line, n) WHERE kind = 'report' ORDER BY p.name, n
$$, $$
	SELECT p.name, '|' || concat_ws('|', u.unit_hours, u.revenue, round(100 * u.share, 4))
	FROM name AS p, revenue_report(p.name, '[2026-01-01,2026-01-20)') WITH ORDINALITY AS u (provider, unit_hours, revenue, currency, share, n) ORDER BY p.name, n
$$, 'revenue is that of revenue_report');

SELECT * FROM finish();
ROLLBACK;
