-- pictures.sql
--		What is read out of a picture, as an XML parser and the eye read it, is
--		what went in: on random input. Another run of random numbers: pg_prove
--		--set seed=0.5 (between -1 and 1).

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260101
\endif

BEGIN;
SELECT plan(14);
SELECT setseed(:seed) \g /dev/null
SET LOCAL jit = off;

-- ----------
-- Tools
-- ----------

-- Elements and attributes by XPath; svg: is the namespace
CREATE FUNCTION pg_temp.find(picture text, path text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT x::text FROM unnest(xpath(path, xmlparse(DOCUMENT picture), '{{svg,http://www.w3.org/2000/svg}}')) AS x;
$$;
CREATE FUNCTION pg_temp.found(picture text, path text) RETURNS numeric LANGUAGE sql AS $$
	SELECT f::numeric FROM pg_temp.find(picture, path) AS f;
$$;

-- The corners of a path of M, H and V, in order
CREATE FUNCTION pg_temp.corners(d text, OUT n bigint, OUT x numeric, OUT y numeric) RETURNS SETOF record LANGUAGE sql AS $$
	WITH command AS (
		SELECT o AS n, m[1] AS c, m[2]::numeric AS a, m[3]::numeric AS b
		FROM regexp_matches(d, '([MHV])([0-9.-]+)(?: ([0-9.-]+))?', 'g') WITH ORDINALITY AS m (m, o)
	), stretch AS (
		SELECT n, CASE WHEN c <> 'V' THEN a END AS x, CASE WHEN c = 'V' THEN a ELSE b END AS y,
			count(*) FILTER (WHERE c <> 'V') OVER (ORDER BY n) AS xs, count(*) FILTER (WHERE c <> 'H') OVER (ORDER BY n) AS ys
		FROM command
	)
	SELECT n, max(x) OVER (PARTITION BY xs), max(y) OVER (PARTITION BY ys) FROM stretch ORDER BY n;
$$;

-- The scale of values, from the labels of the axis: the value at y is
-- base + y * slope
CREATE FUNCTION pg_temp.value_scale(picture text, OUT base numeric, OUT slope numeric) LANGUAGE sql AS $$
	WITH label AS (
		SELECT replace(v, ',', '')::numeric AS v, y::numeric - 4 AS y
		FROM ROWS FROM (pg_temp.find(picture, '//svg:text[contains(@class, "end")]/text()'), pg_temp.find(picture, '//svg:text[contains(@class, "end")]/@y')) AS l (v, y)
	), slope AS (
		SELECT (max(v) - min(v)) / (min(y) - max(y)) AS slope FROM label
	)
	SELECT max(v) - slope * min(y), slope FROM label, slope GROUP BY slope;
$$;

-- ----------
-- Profiles
-- ----------
CREATE TEMP TABLE drawn AS
	SELECT i, names, profiles, during, svg(profiles, names, during, 'Picture ' || i, unit, zone, width, height) AS picture, width, height
	FROM (
		SELECT i, ARRAY[E'<b>&amp;"''\001', NULL, 'name ' || i] AS names, (ARRAY['', 'gpu', '<i>'])[1 + i % 3] AS unit,
			(ARRAY['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu'])[1 + i % 4] AS zone,
			300 + (random() * 900)::int AS width, 40 + (random() * 400)::int AS height,
			tstzrange('2026-01-01'::timestamptz + random() * interval '100 days', '2026-04-15'::timestamptz + random() * random() * random() * interval '10000 days') AS during,
			ARRAY(
				SELECT coalesce(sum(profile(tstzrange('2025-12-01'::timestamptz + random() * interval '500 days' + 0 * step * interval '1 day', NULL),
					round((random() * (10 ^ (i % 9)) - (i % 2) * (10 ^ (i % 9)) / 2)::numeric, i % 5))), '{}')
				FROM generate_series(1, 1 + i % 3) AS p, generate_series(1, i % 30) AS step
				GROUP BY p
				UNION ALL SELECT profile(0) WHERE i % 30 = 0
			) AS profiles
		FROM generate_series(1, 400) AS i
	) AS v;

SELECT is((SELECT count(*) FROM drawn WHERE xml_is_well_formed_document(picture)), 400::bigint, 'pictures of profiles are well-formed XML');

SELECT is_empty($$
	WITH line AS MATERIALIZED (
		-- drawn from the last to the first
		SELECT d.i, d.profiles[array_length(d.profiles, 1) + 1 - l.o] AS profile, d.during, d.height, l.d AS line, (pg_temp.value_scale(d.picture)).*
		FROM drawn AS d, pg_temp.find(d.picture, '//svg:path[starts-with(@class, "line") and not(contains(@d, "h22"))]/@d') WITH ORDINALITY AS l (d, o)
	), corner AS (
		-- one for each breakpoint: where it arrives at the value
		SELECT l.i, l.profile, l.line, row_number() OVER (PARTITION BY l.i, l.line, l.profile ORDER BY c.n) AS n, c.x, c.y,
			min(c.x) OVER w AS left_x, max(c.x) OVER w AS right_x
		FROM line AS l, pg_temp.corners(l.line) AS c
		WHERE c.n % 2 = 1 OR c.n = (SELECT max(n) FROM pg_temp.corners(l.line))
		WINDOW w AS (PARTITION BY l.i, l.line, l.profile)
	), expected AS (
		SELECT l.i, l.profile, l.line, l.during, l.base, l.slope, s.o AS n, s.period, s.quantity
		FROM line AS l, steps(l.profile, l.during) WITH ORDINALITY AS s (period, quantity, o)
	)
	SELECT e.i, e.n, e.period, e.quantity, c.x, c.y
	FROM expected AS e
	LEFT JOIN corner AS c ON (c.i, c.profile, c.line, c.n) = (e.i, e.profile, e.line, e.n)
	-- to a hundredth of a pixel, both ways
	WHERE c.x IS NULL
	OR abs(e.base + e.slope * c.y - e.quantity) > 1.01 * abs(e.slope) / 100
	OR abs((c.x - c.left_x) / (c.right_x - c.left_x)
		- extract(epoch FROM lower(e.period) - lower(e.during)) / extract(epoch FROM upper(e.during) - lower(e.during))) > 1.01 / 100 / (c.right_x - c.left_x)
$$, 'time and value of every step are where the axes say');

SELECT is_empty($$
	SELECT i FROM drawn
	WHERE (SELECT count(*) FROM pg_temp.find(picture, '//svg:path[starts-with(@class, "line") and not(contains(@d, "h22"))]')) <> array_length(profiles, 1)
	OR (SELECT count(*) FROM pg_temp.find(picture, '//svg:path[starts-with(@class, "area")]')) <> 1
$$, 'there is a line for each profile, and one area');

SELECT is_empty($$
	SELECT i FROM drawn
	WHERE NOT (
		SELECT count(*) BETWEEN 2 AND 6 AND bool_or(v = '0') AND bool_and(v ~ '^-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]*[1-9])?$')
			AND trim('0.' FROM ((max(replace(v, ',', '')::numeric) - min(replace(v, ',', '')::numeric)) / (count(*) - 1))::text) IN ('1', '2', '5')
		FROM pg_temp.find(picture, '//svg:text[contains(@class, "end")]/text()') AS v)
$$, 'the axis of values has two to six round numbers, one of them 0');

SELECT is_empty($$
	SELECT i, x, y FROM drawn, LATERAL (
		SELECT NULL::numeric, y FROM pg_temp.found(picture, '//svg:text/@y') AS y
		UNION ALL SELECT x, NULL FROM pg_temp.found(picture, '//svg:text/@x') AS x) AS t (x, y)
	WHERE x NOT BETWEEN 0 AND width OR y NOT BETWEEN 0 AND (SELECT h FROM pg_temp.found(picture, '/svg:svg/@height') AS h)
$$, 'no text begins outside of the picture');

SELECT is_empty($$
	SELECT i FROM drawn
	WHERE (SELECT count(*) FROM pg_temp.find(picture, '//*')) <> (SELECT count(*) FROM pg_temp.find(picture, '//svg:*[self::svg:svg or self::svg:title or self::svg:desc or self::svg:style or self::svg:rect or self::svg:path or self::svg:text]'))
	OR EXISTS (SELECT FROM pg_temp.find(picture, '//svg:style//*'))
	OR NOT EXISTS (SELECT FROM pg_temp.find(picture, format('/svg:svg[@role = "img"][@aria-labelledby = svg:title/@id][@aria-describedby = svg:desc/@id]/svg:title[. = "Picture %s"]', i)))
	OR (SELECT f FROM pg_temp.find(picture, '(//svg:text[@x = "40"])[1]/text()') AS f) <> U&'&lt;b&gt;&amp;amp;"''\fffd'
$$, 'text from outside is text: no element comes of it, and it is there whole');

SELECT is((SELECT count(DISTINCT id) FROM drawn, pg_temp.find(picture, '//@id') AS id), 800::bigint, 'ids do not clash');

-- ----------
-- Many steps: each column of pixels shows all from the least to the greatest
-- value there
-- ----------
CREATE TEMP TABLE crowded AS
	SELECT profile, during, svg(profile, during, width => 500, height => 1000) AS picture
	FROM (SELECT gauge_profile('2026-01-01'::timestamptz + i * interval '1 min', CASE WHEN i = 77777 THEN 5000 ELSE (random() * 1000)::int END) AS profile,
			'[2025-12-25,2026-03-15)'::tstzrange AS during
		FROM generate_series(1, 100000) AS i) AS p;
SELECT cmp_ok((SELECT length(picture) FROM crowded), '<', 40000, 'a picture of 100000 steps is small');
SELECT is_empty($$
	WITH corner AS MATERIALIZED (
		SELECT c.n, floor(c.x) AS x, s.base + s.slope * c.y AS v, c.n = (max(c.n) OVER ()) AS is_last
		FROM crowded, pg_temp.find(picture, '//svg:path[starts-with(@class, "line")]/@d') AS d, pg_temp.corners(d) AS c, pg_temp.value_scale(picture) AS s
	), edge AS (
		SELECT min(x) AS left_x, max(x) AS right_x FROM corner
	), step AS (
		SELECT floor(e.left_x + (e.right_x - e.left_x) * extract(epoch FROM lower(s.period) - lower(during)) / extract(epoch FROM upper(during) - lower(during))) AS x, s.quantity
		FROM crowded, edge AS e, steps(profile, during) AS s
	), expected AS (
		SELECT x, min(quantity) AS low, max(quantity) AS high FROM step GROUP BY x
	), drawn AS (
		-- without the point where the line arrives, which is of the column before
		SELECT x, min(v) AS low, max(v) AS high
		FROM (SELECT x, v, lag(x, 1, -1) OVER (ORDER BY n) AS before, n FROM corner WHERE NOT is_last) AS c
		WHERE n = 1 OR x = before
		GROUP BY x
	)
	SELECT * FROM expected AS e FULL JOIN drawn AS d USING (x)
	WHERE d.low IS NULL OR e.low IS NULL OR abs(e.low - d.low) > 0.06 OR abs(e.high - d.high) > 0.06
$$, 'and shows the least and the greatest value of each pixel');

-- ----------
-- Tallies
-- ----------
CREATE TEMP TABLE bars AS
	SELECT i, tally, svg(tally, 'Tally', 'x', 10, 300 + i) AS picture, 300 + i - 24 AS width
	FROM (
		SELECT i, (SELECT tally(E'<p>&''"' || p, round((random() * 10 ^ (i % 12) - CASE WHEN i % 3 = 0 THEN 10 ^ (i % 12) / 2 ELSE 0 END)::numeric, i % 4)) FROM generate_series(1, 1 + i % 25) AS p) AS tally
		FROM generate_series(1, 300) AS i
	) AS t
	WHERE parties(tally) > 0;
SELECT is_empty($$
	WITH bar AS (
		SELECT b.i, r.o AS n, r.w, t.name, replace(split_part(t.value, ' ', 1), ',', '')::numeric AS value, substring(t.value FROM '\((.*) %\)')::numeric AS percent,
			sum(r.w) OVER (PARTITION BY b.i) AS all_w
		FROM bars AS b,
			ROWS FROM (pg_temp.found(picture, '//svg:rect[@height = "8"]/@width'), pg_temp.find(picture, '//svg:text[not(@class)]/text()'), pg_temp.find(picture, '//svg:text[@class = "end"]/text()')) WITH ORDINALITY AS r (w, name, value, o),
			LATERAL (SELECT r.name, r.value) AS t (name, value)
	), ranked AS (
		SELECT b.i, b.tally, b.width, e.party, e.quantity, row_number() OVER (PARTITION BY b.i ORDER BY e.quantity DESC, e.party COLLATE "C") AS n,
			parties(b.tally) AS parties, min(e.quantity) OVER (PARTITION BY b.i) AS least
		FROM bars AS b, entries(b.tally) AS e (party, quantity)
	), expected AS (
		SELECT i, width, CASE WHEN n <= 10 THEN n ELSE 11 END AS n, CASE WHEN n <= 10 THEN html_escape(party) ELSE parties - 10 || ' others' END AS name,
			sum(quantity) AS value, CASE WHEN min(least) >= 0 THEN round(100 * sum(quantity) / total(tally), 1) END AS percent
		FROM ranked GROUP BY 1, 2, 3, 4, tally
	), scaled AS (
		SELECT *, greatest(max(value) OVER w, 0) - least(min(value) OVER w, 0) AS range FROM expected WINDOW w AS (PARTITION BY i)
	)
	SELECT e.i, e.n, e.name, e.value, e.percent, e.range, b.name, b.value, b.percent, b.w
	FROM scaled AS e FULL JOIN bar AS b ON (b.i, b.n) = (e.i, e.n)
	WHERE (e.value, e.percent) IS DISTINCT FROM (b.value, b.percent)
	OR abs(b.w - abs(e.value) * e.width / e.range) > 0.03
	OR left(replace(e.name, '&#39;', ''''), 3) <> left(b.name, 3)
$$, 'bars are as long as their quantities, which are written above them, with their shares');
SELECT is((SELECT count(DISTINCT id) FROM bars, pg_temp.find(picture, '//@id') AS id), (SELECT 2 * count(*) FROM bars), 'ids do not clash');

-- ----------
-- Gantt charts
-- ----------
CREATE TEMP TABLE charts AS
	SELECT i, names, periods, labels, during, gantt(names, periods, labels, during, 'Chart', 'UTC', 400) AS picture
	FROM (
		SELECT i, '[2026-01-01,2026-02-01)'::tstzrange AS during, array_agg('<row> ' || r ORDER BY r, s, p) AS names, array_agg(tstzrange(s, s + random() * interval '10 days') ORDER BY r, s, p) AS periods,
			array_agg('bar ' || p ORDER BY r, s, p) AS labels
		FROM generate_series(1, 100) AS i, generate_series(1, 30) AS p,
			LATERAL (SELECT (random() * 3)::int + 0 * (i + p), '2025-12-25'::timestamptz + random() * interval '45 days') AS v (r, s)
		GROUP BY i
	) AS c;
CREATE TEMP TABLE chart_bars AS
	SELECT c.i, b.n, b.x, b.y, b.w, split_part(t.t, ',', 1) AS what
	FROM charts AS c, ROWS FROM (pg_temp.found(c.picture, '//svg:g/svg:rect/@x'), pg_temp.found(c.picture, '//svg:g/svg:rect/@y'), pg_temp.found(c.picture, '//svg:g/svg:rect/@width'),
		pg_temp.find(c.picture, '//svg:g/svg:title/text()')) WITH ORDINALITY AS b (x, y, w, t, n), LATERAL (SELECT b.t) AS t (t);
SELECT is_empty($$
	WITH expected AS (
		SELECT c.i, row_number() OVER (PARTITION BY c.i ORDER BY b.o) AS n, html_escape(b.name || ': ' || b.label) AS what, b.period * c.during AS period, c.during
		FROM charts AS c, unnest(c.names, c.periods, c.labels) WITH ORDINALITY AS b (name, period, label, o)
		WHERE b.period && c.during
	)
	SELECT * FROM expected AS e FULL JOIN chart_bars AS b USING (i, n)
	WHERE b.what IS DISTINCT FROM e.what
	OR abs(24 + 352 * extract(epoch FROM lower(e.period) - lower(e.during)) / extract(epoch FROM upper(e.during) - lower(e.during)) - b.x) > 0.011
	OR abs(greatest(352 * extract(epoch FROM upper(e.period) - lower(e.period)) / extract(epoch FROM upper(e.during) - lower(e.during)), 1) - b.w) > 0.021
$$, 'bars are where their periods are');
SELECT is_empty($$
	SELECT * FROM chart_bars AS a JOIN chart_bars AS b ON a.i = b.i AND a.n < b.n AND a.y = b.y AND a.x < b.x + b.w AND b.x < a.x + a.w
$$, 'no bar hides another');
SELECT is_empty($$
	SELECT i FROM charts WHERE NOT xml_is_well_formed_document(picture)
	OR EXISTS (SELECT FROM pg_temp.found(picture, '//svg:g/svg:rect/@y') AS y WHERE y + 16 > (SELECT h - 50 FROM pg_temp.found(picture, '/svg:svg/@height') AS h))
$$, 'all of them above the axis of time');

SELECT * FROM finish();
ROLLBACK;
