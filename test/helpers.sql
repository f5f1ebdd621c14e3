-- helpers.sql
--		What tests share. Regression tests and pgTAP read this file with \i, TAP
--		tests through Helpers.pm.

-- Do a statement and say how it failed: SQLSTATE, message, detail, hint
CREATE FUNCTION public.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	-- whole rows have the time in them
	IF detail LIKE 'Failing row contains%' THEN
		detail := '';
	END IF;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- In what the calendar differs from supply and lease; no rows: all is well.
-- Plain SQL on purpose, with none of our aggregates, operators or measures: a
-- profile is read through its text, which is JSON.
CREATE FUNCTION public.calendar_differences(
	OUT pool_id bigint, OUT what text, OUT at timestamptz, OUT expected numeric, OUT found numeric)
	RETURNS SETOF record LANGUAGE sql STABLE
BEGIN ATOMIC
	-- what the facts say: steps up and down
	WITH fact AS (
		SELECT l.pool_id, 'booked' AS what, e.at, e.delta
		FROM sharecollab.lease AS l,
			LATERAL (VALUES (lower(l.effective), l.quantity), (upper(l.effective) + l.buffer, - l.quantity)) AS e (at, delta)
		WHERE NOT isempty(l.effective) AND e.at IS NOT NULL
		UNION ALL
		SELECT s.pool_id, 'capacity', e.at, e.delta
		FROM sharecollab.supply AS s,
			LATERAL (VALUES (lower(s.during), s.quantity), (upper(s.during), - s.quantity)) AS e (at, delta)
		WHERE e.at IS NOT NULL
	), level AS (
		SELECT f.pool_id, f.at,
			sum(coalesce(sum(f.delta) FILTER (WHERE f.what = 'booked'), 0)) OVER by_time
			- sum(coalesce(sum(f.delta) FILTER (WHERE f.what = 'capacity'), 0)) OVER by_time AS over
		FROM fact AS f
		GROUP BY f.pool_id, f.at
		WINDOW by_time AS (PARTITION BY f.pool_id ORDER BY f.at)
	), expected AS (
		SELECT f.pool_id, f.what, f.at, sum(f.delta) AS delta
		FROM fact AS f
		GROUP BY f.pool_id, f.what, f.at
		UNION ALL
		SELECT l.pool_id, 'deficit', l.at,
			greatest(l.over, 0) - greatest(lag(l.over, 1, 0::numeric) OVER (PARTITION BY l.pool_id ORDER BY l.at), 0)
		FROM level AS l
	),
	-- what the calendar says
	page AS (
		SELECT c.pool_id, c.starts, c.ends, p.what, p.steps
		FROM (SELECT * FROM sharecollab.calendar WHERE quota_id = 0) AS c, LATERAL (VALUES
			('booked', c.booked::text::jsonb),
			('capacity', c.capacity::text::jsonb),
			('deficit', c.deficit::text::jsonb)) AS p (what, steps)
	), step AS (
		SELECT p.pool_id, p.starts, p.ends, p.what, s.key::timestamptz AS at, s.value::numeric AS value,
			lag(s.value::numeric, 1, 0::numeric) OVER (PARTITION BY p.pool_id, p.starts, p.what ORDER BY s.key::timestamptz) AS previous,
			lead(s.key) OVER (PARTITION BY p.pool_id, p.starts, p.what ORDER BY s.key::timestamptz) IS NULL AS is_last
		FROM page AS p, LATERAL jsonb_each_text(p.steps) AS s
	), found AS (
		SELECT s.pool_id, s.what, s.at, sum(s.value - s.previous) AS delta
		FROM step AS s
		GROUP BY s.pool_id, s.what, s.at
	), span AS (
		SELECT c.pool_id, c.starts, c.ends,
			lag(c.ends, 1, '-infinity') OVER by_time AS previous_ends,
			lead(c.starts, 1, 'infinity') OVER by_time AS next_starts
		FROM (SELECT * FROM sharecollab.calendar WHERE quota_id = 0) AS c
		WINDOW by_time AS (PARTITION BY c.pool_id ORDER BY c.starts)
	)
	SELECT coalesce(e.pool_id, f.pool_id), coalesce(e.what, f.what) || ' changes by', coalesce(e.at, f.at),
		coalesce(e.delta, 0), coalesce(f.delta, 0)
	FROM expected AS e
	FULL JOIN found AS f ON (f.pool_id, f.what, f.at) = (e.pool_id, e.what, e.at)
	WHERE coalesce(e.delta, 0) <> coalesce(f.delta, 0)
	UNION ALL
	SELECT s.pool_id, s.what || ' is below zero', s.at, 0, s.value
	FROM step AS s
	WHERE s.value < 0
	UNION ALL
	SELECT s.pool_id, s.what || ' outside of its page', s.at, 0, s.value
	FROM step AS s
	WHERE s.at < s.starts OR (s.at >= s.ends AND s.value <> 0) OR (s.is_last AND s.ends < 'infinity' AND s.value <> 0)
	UNION ALL
	SELECT s.pool_id, 'gap or overlap of pages', s.starts, NULL, NULL
	FROM span AS s
	WHERE s.previous_ends <> s.starts OR s.next_starts <> s.ends
	UNION ALL
	SELECT p.pool_id, 'no calendar', NULL, NULL, NULL
	FROM sharecollab.pool AS p
	WHERE NOT EXISTS (SELECT FROM sharecollab.calendar AS c WHERE c.pool_id = p.pool_id)
	UNION ALL
	-- 128, and the end where it was cut; deficit may have a step wherever the other two have one
	SELECT p.pool_id, p.what || ' of a page is too long', p.starts, CASE p.what WHEN 'deficit' THEN 258 ELSE 129 END, n.steps
	FROM page AS p, LATERAL (SELECT count(*) FROM jsonb_object_keys(p.steps)) AS n (steps)
	WHERE n.steps > CASE p.what WHEN 'deficit' THEN 258 ELSE 129 END
	ORDER BY 1, 3, 2;
END;
