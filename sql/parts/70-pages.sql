-- 70-pages.sql
--		What people look at: pictures, and pages for a browser.
--		C code: src/svg.c

CREATE FUNCTION html_escape(text text) RETURNS text
	AS 'MODULE_PATHNAME', 'html_escape' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION html_escape(text) IS
'A text as content of HTML, SVG or XML, also within quotes: & < > " and '' as references; control characters, which these cannot express, as the replacement character.';

CREATE FUNCTION svg(profiles profile[], names text[], during tstzrange, title text DEFAULT '', unit text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720, height integer DEFAULT 180)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_profiles' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION svg(profile[], text[], tstzrange, text, text, text, integer, integer) IS
'A picture of up to 12 profiles during a bounded period, as SVG: exact step lines, the first with its area; round values on an axis that has 0, hours, days or months of the time zone on the other; a legend of the names. The width is that of the picture, the height that of the plot, in pixels. Where there are more steps than pixels, each column of pixels shows all from the least to the greatest value. It is self-contained, follows the reader''s colour scheme, and describes itself to those who do not see it. NULL for an empty period. Errors: 22023 for an unbounded period, no or more than 12 profiles, a width outside 240 to 4000 or a height outside 40 to 4000, an unknown time zone; 22004 for a null profile.';

CREATE FUNCTION svg(profile profile, during tstzrange, title text DEFAULT '', unit text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720, height integer DEFAULT 180)
	RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT svg(ARRAY[profile], '{}', during, title, unit, time_zone, width, height);
END;
COMMENT ON FUNCTION svg(profile, tstzrange, text, text, text, integer, integer) IS
'A picture of one profile, as SVG: see svg(profile[], ...).';

CREATE FUNCTION svg(tally tally, title text DEFAULT '', unit text DEFAULT '', bars integer DEFAULT 12, width integer DEFAULT 720)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_tally' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION svg(tally, text, text, integer, integer) IS
'A picture of a tally, as SVG: a bar for each of so many parties, the largest first, with its quantity and, if none is negative, its share of the total, rounded to a tenth of a percent; one more bar for all others together. Errors 22023: number of bars outside 1 to 1000, width (in pixels) outside 240 to 4000.';

CREATE FUNCTION gantt(names text[], periods tstzrange[], labels text[], during tstzrange, title text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_gantt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION gantt(text[], tstzrange[], text[], tstzrange, text, text, integer) IS
'A Gantt chart, as SVG: a bar for each period, where it is within a bounded time; those of the same name, if they stand together, in one row, of as many lanes as it takes. The label is in the bar if it fits, and in its tooltip always. NULL for an empty time. Errors: 22023 for an unbounded time or a width (in pixels) outside 240 to 4000, 2202E if the arrays differ in length, 22004 for nulls in them.';

CREATE FUNCTION lease_gantt(pool text, during tstzrange, leases integer DEFAULT 60, width integer DEFAULT 720)
	RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH held AS MATERIALIZED (
		SELECT c.name AS consumer, l.effective, l.lease_id, '#' || l.lease_id || ' ' || trim_scale(l.quantity) || ' ' || p.unit AS label,
			integral(profile(l.effective, l.quantity), lease_gantt.during, '1 second') AS unit_seconds
		FROM lease AS l
		JOIN pool AS p ON p.pool_id = l.pool_id
		JOIN party AS c ON c.party_id = l.consumer_id
		WHERE l.pool_id = pool_id(lease_gantt.pool) AND l.effective && lease_gantt.during
	), largest AS (
		SELECT h.consumer, h.effective, h.lease_id, h.label
		FROM held AS h
		ORDER BY h.unit_seconds DESC, h.lease_id
		LIMIT lease_gantt.leases
	), shown AS (
		SELECT coalesce(array_agg(s.consumer ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS names,
			coalesce(array_agg(s.effective ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS periods,
			coalesce(array_agg(s.label ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS labels,
			count(*) AS leases, (SELECT count(*) FROM held) AS of
		FROM largest AS s
	)
	SELECT gantt(s.names, s.periods, s.labels, lease_gantt.during,
		CASE WHEN s.leases < s.of THEN 'The ' || s.leases || ' largest of ' || s.of || ' leases' ELSE 'Leases' END,
		p.time_zone, lease_gantt.width)
	FROM pool AS p, shown AS s
	WHERE p.pool_id = pool_id(lease_gantt.pool);
END;
COMMENT ON FUNCTION lease_gantt(text, tstzrange, integer, integer) IS
'A Gantt chart of the leases of a pool during a bounded period, as SVG: a row for each consumer, a bar with quantity and key for each lease; if there are more than so many, those with the most unit-hours in the period, and the title says so. In the time zone of the pool. NULL for an empty period. Errors: 42704 unknown pool, 22003 unbounded period, 22023 width (in pixels) outside 240 to 4000.';
