-- 53-supply.sql
--		What each provider supplies, what that comes to, and which share of what
--		is earned that makes.

CREATE FUNCTION supply_level(pool bigint, during tstzrange, what text DEFAULT 'cost')
	RETURNS TABLE (provider_id bigint, period tstzrange, quantity numeric, hourly numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH row AS MATERIALIZED (
		SELECT s.provider_id, s.quantity, s.during * require_bounded(supply_level.during) AS during, s.region,
			CASE require_mode(supply_level.what, '{cost,energy,operational,embodied}') WHEN 'cost' THEN coalesce(s.cost_rate, p.price)
				WHEN 'embodied' THEN coalesce(s.embodied, 0) ELSE coalesce(s.power, 0) / 1000 END AS rate
		FROM supply AS s
		JOIN pool AS p ON p.pool_id = s.pool_id
		WHERE s.pool_id = supply_level.pool AND s.during && supply_level.during
	), grid AS MATERIALIZED (
		SELECT g.region, g.intensity, g.valid * supply_level.during AS valid
		FROM grid_intensity AS g
		WHERE supply_level.what = 'operational' AND upper_inf(g.known) AND g.valid && supply_level.during
	), edge AS (
		SELECT r.provider_id, e.at
		FROM row AS r, LATERAL (VALUES (lower(r.during)), (upper(r.during))) AS e (at)
		UNION
		SELECT r.provider_id, e.at
		FROM row AS r
		JOIN grid AS g ON g.region = r.region, steps(g.intensity, g.valid) AS k, LATERAL (VALUES (lower(k.period)), (upper(k.period))) AS e (at)
	), piece AS (
		SELECT e.provider_id, tstzrange(e.at, lead(e.at) OVER (PARTITION BY e.provider_id ORDER BY e.at)) AS period
		FROM edge AS e
	), level AS MATERIALIZED (
		-- what is withdrawn counts no more, at the average of what is there
		SELECT p.provider_id, p.period, sum(r.quantity) AS quantity,
			sum(r.quantity * r.rate * CASE WHEN supply_level.what = 'operational' THEN coalesce(value_at(g.intensity, lower(p.period)), 0) ELSE 1 END)
				FILTER (WHERE r.quantity > 0) * sum(r.quantity) / (sum(r.quantity) FILTER (WHERE r.quantity > 0) * 1.000000000000000000000000000000) AS hourly
		FROM piece AS p
		JOIN row AS r ON r.provider_id = p.provider_id AND r.during @> p.period
		LEFT JOIN grid AS g ON g.region = r.region AND g.valid @> lower(p.period)
		WHERE NOT upper_inf(p.period)
		GROUP BY p.provider_id, p.period
		HAVING sum(r.quantity) > 0
	), change AS (
		SELECT e.at, sum(e.quantity) AS quantity, sum(e.hourly) AS hourly
		FROM level AS l, LATERAL (VALUES (lower(l.period), l.quantity, l.hourly), (upper(l.period), - l.quantity, - l.hourly)) AS e (at, quantity, hourly)
		GROUP BY e.at
	), whole AS (
		SELECT tstzrange(c.at, lead(c.at) OVER upto) AS period, sum(c.quantity) OVER upto AS quantity, sum(c.hourly) OVER upto AS hourly
		FROM change AS c
		WINDOW upto AS (ORDER BY c.at)
	)
	SELECT l.provider_id, l.period, l.quantity, l.hourly
	FROM level AS l
	UNION ALL
	SELECT NULL, w.period, w.quantity, w.hourly
	FROM whole AS w
	WHERE w.quantity > 0;
END;
COMMENT ON FUNCTION supply_level(bigint, tstzrange, text) IS
'What each provider of a pool supplies during a bounded time, in each stretch in which that does not change, and what it comes to for an hour: cost (by the cost_rate of the supply, or the pool''s price where there is none), energy (kWh, by its power), operational emissions (gCO2e, energy times the intensity of the grid in its region, 0 where that is not known) or embodied ones (gCO2e). In rows without provider: all of them together. Of supply that the caller may see. Errors: 22023 unbounded period or something else to be told, 22004.';

-- Whoever supplies, earns. To divide the time between borders among all who
-- supply then costs time times providers; so what a unit has earned since the
-- start is looked up at the borders of each one's supply instead.
CREATE FUNCTION earned_shares(pool bigint, stays tstzrange[])
	RETURNS TABLE (during tstzrange, cohort bigint, provider_id bigint, share numeric)
	LANGUAGE sql STABLE PARALLEL SAFE SET enable_nestloop = off SET jit = off
BEGIN ATOMIC
	WITH stay AS MATERIALIZED (
		-- what is for an instant is for the microsecond that begins then
		SELECT DISTINCT s.during, lower(s.during) AS starts, greatest(upper(s.during), lower(s.during) + interval '1 microsecond') AS ends
		FROM unnest(stays) AS s (during)
	), level AS MATERIALIZED (
		SELECT l.provider_id, lower(l.period) AS starts, upper(l.period) AS ends, l.quantity
		FROM supply_level(earned_shares.pool, coalesce((SELECT tstzrange(min(s.starts), max(s.ends)) FROM stay AS s HAVING count(*) > 0), 'empty')) AS l
	), border AS (
		SELECT b.at, sum(b.quantity) AS quantity
		FROM (
			SELECT e.at, e.quantity
			FROM level AS l, LATERAL (VALUES (l.starts, l.quantity), (l.ends, - l.quantity)) AS e (at, quantity)
			WHERE l.provider_id IS NULL
			UNION ALL
			SELECT e.at, 0
			FROM stay AS s, LATERAL (VALUES (s.starts), (s.ends)) AS e (at)
		) AS b
		GROUP BY b.at
	), stretch AS (
		SELECT b.at, extract(epoch FROM lead(b.at) OVER upto - b.at) AS seconds, sum(b.quantity) OVER upto AS quantity
		FROM border AS b
		WINDOW upto AS (ORDER BY b.at)
	), clock AS MATERIALIZED (
		-- from the start until each border: what a unit has earned, and the time in which nobody supplied
		SELECT s.at, coalesce(sum(CASE WHEN s.quantity > 0 THEN s.seconds * 1.000000000000000000000000000000 / s.quantity ELSE 0 END) OVER before, 0) AS unit,
			coalesce(sum(CASE WHEN s.quantity > 0 THEN 0 ELSE s.seconds END) OVER before, 0) AS nobody
		FROM stretch AS s
		WINDOW before AS (ORDER BY s.at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
	), held AS (
		SELECT s.during, l.provider_id, l.quantity, greatest(s.starts, l.starts) AS starts, least(s.ends, l.ends) AS ends
		FROM stay AS s
		JOIN level AS l ON l.starts < s.ends AND l.ends > s.starts
		WHERE l.provider_id IS NOT NULL
	), weight AS (
		SELECT e.during, e.provider_id, sum(e.weight) AS weight
		FROM (
			SELECT h.during, h.provider_id, h.quantity * (b.unit - a.unit) AS weight
			FROM held AS h
			JOIN clock AS a ON a.at = h.starts
			JOIN clock AS b ON b.at = h.ends
			UNION ALL
			SELECT s.during, p.steward_id, b.nobody - a.nobody
			FROM stay AS s
			JOIN clock AS a ON a.at = s.starts
			JOIN clock AS b ON b.at = s.ends
			JOIN pool AS p ON p.pool_id = earned_shares.pool
			WHERE b.nobody > a.nobody
		) AS e
		GROUP BY e.during, e.provider_id
	), total AS (
		SELECT w.during, sum(w.weight) AS total, array_agg(w.provider_id ORDER BY w.provider_id) AS providers
		FROM weight AS w
		GROUP BY w.during
	), numbered AS (
		SELECT t.during, t.total, dense_rank() OVER (ORDER BY t.providers) AS cohort
		FROM total AS t
	)
	SELECT w.during, n.cohort, w.provider_id, w.weight / n.total
	FROM weight AS w
	JOIN numbered AS n ON n.during = w.during;
END;
COMMENT ON FUNCTION earned_shares(bigint, tstzrange[]) IS
'Who earns what is for a bounded time, and which share of it, for each of some times: at each instant all in proportion to what they supply then, and the steward where nobody does. The shares of a time sum to 1, but for the 30th decimal place; times with the same providers are a cohort. By the supply that the caller may see. Errors: 22023 unbounded times.';
