-- 62-allocation.sql
--		What supply costs and who bears it: idle and shared cost, overhead; and
--		the three measures of sharing, utilization, cost and profit.

CREATE FUNCTION cost_allocation(pool text, during tstzrange, idle text DEFAULT 'separate', shared text[] DEFAULT '{}',
	share text DEFAULT 'weighted', overhead numeric DEFAULT 0, measure tally DEFAULT NULL, used_meter text DEFAULT NULL, scale integer DEFAULT 2,
	what text DEFAULT 'cost')
	RETURNS TABLE (consumer text, unit_hours numeric, direct numeric, unused numeric, idle_share numeric, shared_share numeric,
		overhead_share numeric, cost numeric, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH piece AS MATERIALIZED (
		SELECT s.period, s.quantity AS capacity, s.hourly
		FROM supply_level(require_pool(cost_allocation.pool, 'steward', 'auditor'), cost_allocation.during, cost_allocation.what) AS s
		WHERE s.provider_id IS NULL
	), held AS MATERIALIZED (
		SELECT l.consumer_id, p.name, load_profile(l.period, l.quantity) AS load
		FROM lease_price AS l
		JOIN party AS p ON p.party_id = l.consumer_id
		WHERE l.pool_id = require_pool(cost_allocation.pool, 'steward', 'auditor') AND l.used AND l.period && cost_allocation.during
		GROUP BY l.consumer_id, p.name
	), pool_load AS (
		SELECT coalesce(sum(h.load), '{}') AS load FROM held AS h
	), spent AS MATERIALIZED (
		-- stage 1: unit-seconds, and what they cost at what a unit costs then
		SELECT h.name, h.load, integral(h.load, cost_allocation.during, '1 second') AS unit_seconds,
			coalesce((SELECT sum(integral(h.load, p.period, '1 second') * p.hourly / p.capacity) FROM piece AS p), 0) AS weight
		FROM held AS h
		UNION ALL
		SELECT NULL, NULL, 0,
			coalesce(sum(integral(positive_part(profile(p.period, p.capacity) - clip(t.load, p.period)), p.period, '1 second') * p.hourly / p.capacity), 0)
		FROM piece AS p, pool_load AS t
	), total AS (
		SELECT round(coalesce(sum(p.hourly * extract(epoch FROM upper(p.period) - lower(p.period))), 0) / 3600.000000000000000000000000000000,
			cost_allocation.scale) AS amount
		FROM piece AS p
	), idle_part AS (
		-- where more is leased than there is, all that there is costs those who lease it
		SELECT CASE WHEN sum(s.weight) FILTER (WHERE s.name IS NOT NULL) > 0
				THEN least(round(coalesce(sum(s.weight) FILTER (WHERE s.name IS NULL), 0) / 3600.000000000000000000000000000000, cost_allocation.scale), total.amount)
			ELSE total.amount END AS amount
		FROM spent AS s, total
		GROUP BY total.amount
	), direct AS MATERIALIZED (
		SELECT s.name, s.load, round(s.unit_seconds / 3600.000000000000000000000000000000, 6) AS unit_hours,
			split(CASE WHEN s.name IS NULL THEN 0 ELSE total.amount - i.amount END, s.weight, cost_allocation.scale) OVER whole AS amount,
			coalesce(s.name = ANY (cost_allocation.shared), false) AS is_shared, i.amount AS idle_amount
		FROM spent AS s, total, idle_part AS i
		WINDOW whole AS (PARTITION BY s.name IS NULL ORDER BY s.name)
	), peaks AS (
		SELECT d.name, CASE WHEN d.name IS NOT NULL THEN greatest(coalesce(peak(d.load, cost_allocation.during), 0), 0) END AS peak,
			coalesce(value_at(d.load, peak_at((SELECT t.load FROM pool_load AS t), cost_allocation.during)), 0) AS coincident
		FROM direct AS d
	), weighted AS MATERIALIZED (
		-- stage 2: by what is shared out what is not direct
		SELECT d.name, d.unit_hours, d.amount, d.is_shared, d.idle_amount,
			CASE WHEN d.name IS NULL THEN 0 ELSE m.idle END AS idle_weight,
			CASE WHEN d.name IS NULL OR d.is_shared THEN 0 ELSE m.share END AS share_weight
		FROM direct AS d
		JOIN peaks AS p ON p.name IS NOT DISTINCT FROM d.name,
		LATERAL (SELECT CASE WHEN d.name IS NULL THEN 0 ELSE
				quantity_of((SELECT shapley_airport(tally(q.name, q.peak), 9) FROM peaks AS q WHERE q.peak > 0
					AND (cost_allocation.idle = 'peak' OR NOT q.name = ANY (cost_allocation.shared))), d.name) END AS airport) AS a,
		LATERAL (SELECT
			CASE require_mode(cost_allocation.idle, '{separate,even,weighted,peak,coincident_peak,measure}') WHEN 'even' THEN 1 WHEN 'weighted' THEN d.amount WHEN 'peak' THEN a.airport
				WHEN 'coincident_peak' THEN p.coincident WHEN 'measure' THEN quantity_of(cost_allocation.measure, d.name) ELSE 0 END,
			CASE require_mode(cost_allocation.share, '{even,weighted,peak,coincident_peak,measure}') WHEN 'even' THEN 1 WHEN 'weighted' THEN d.amount WHEN 'peak' THEN a.airport
				WHEN 'coincident_peak' THEN p.coincident WHEN 'measure' THEN quantity_of(cost_allocation.measure, d.name) END) AS m (idle, share)
	), divisible AS (
		-- what nobody has a weight for is not divided
		SELECT w.*, sum(w.idle_weight) OVER () > 0 AS idle_divides, sum(w.share_weight) OVER () > 0 AS share_divides
		FROM weighted AS w
	), idle_shared AS MATERIALIZED (
		SELECT d.*, split(CASE WHEN d.idle_divides THEN d.idle_amount ELSE 0 END, d.idle_weight, cost_allocation.scale) OVER by_name
			+ CASE WHEN d.name IS NULL AND NOT d.idle_divides THEN d.idle_amount ELSE 0 END AS idle_share
		FROM divisible AS d
		WINDOW by_name AS (ORDER BY d.name)
	), given AS (
		SELECT i.*, CASE WHEN i.is_shared AND i.share_divides THEN i.amount + i.idle_share ELSE 0 END AS given
		FROM idle_shared AS i
	), pooled AS (
		SELECT g.*, sum(g.given) OVER () AS pot
		FROM given AS g
	), apportioned AS (
		SELECT q.*, split(q.pot, q.share_weight, cost_allocation.scale) OVER by_name - q.given AS shared_share,
			split(CASE WHEN q.share_divides THEN round(cost_allocation.overhead, cost_allocation.scale) ELSE 0 END, q.share_weight, cost_allocation.scale) OVER by_name
				+ CASE WHEN q.name IS NULL AND NOT q.share_divides THEN round(cost_allocation.overhead, cost_allocation.scale) ELSE 0 END AS overhead_share
		FROM pooled AS q
		WINDOW by_name AS (ORDER BY q.name)
	)
	SELECT a.name, a.unit_hours, a.amount,
		CASE WHEN cost_allocation.used_meter IS NULL OR a.name IS NULL THEN NULL
			ELSE round(a.amount * (1 - least(greatest(coalesce(u.quantity, 0), 0), a.unit_hours) / nullif(a.unit_hours, 0)), cost_allocation.scale) END,
		a.idle_share, a.shared_share, a.overhead_share, a.amount + a.idle_share + a.shared_share + a.overhead_share,
		CASE cost_allocation.what WHEN 'cost' THEN p.currency WHEN 'energy' THEN 'kWh' ELSE 'gCO2e' END
	FROM apportioned AS a
	JOIN pool AS p ON p.pool_id = require_pool(cost_allocation.pool, 'steward', 'auditor')
	LEFT JOIN (
		SELECT y.name, sum(g.quantity) AS quantity
		FROM usage AS g
		JOIN party AS y ON y.party_id = g.consumer_id
		WHERE g.pool_id = require_pool(cost_allocation.pool, 'steward', 'auditor') AND g.meter = cost_allocation.used_meter AND cost_allocation.during @> g.at
		GROUP BY y.name
	) AS u ON u.name = a.name
	WHERE a.name IS NOT NULL OR a.idle_share + a.overhead_share <> 0
	ORDER BY a.name;
END;
COMMENT ON FUNCTION cost_allocation(text, tstzrange, text, text[], text, numeric, tally, text, integer, text) IS
'Who bears what a pool costs its providers during a bounded period, in two stages. First each consumer gets the cost of what it leased, used or not (direct; of it "unused" is what it did not use, by usage of a meter in unit-hours), at each instant at what a unit costs then. Then, in this order: idle cost stays in a row without consumer (idle => ''separate'') or is shared out; the costs of shared consumers (a platform team) are shared out among the others; and so is overhead, an amount of one''s own. By what: even, weighted (by direct cost), peak (Shapley value of each one''s own peak), coincident_peak (load at the peak of the pool), measure (a tally of one''s own by name). The sum of cost is always what supply costs plus the overhead, whatever the modes and whatever rows are chosen afterwards; every column is exact to the last place. What cannot be shared out, because nobody has a weight, stays where it was. Instead of cost, the same for what => ''energy'' (kWh), ''operational'' or ''embodied'' emissions (gCO2e), as supply_level() has them. For the pool''s steward and auditors. Errors: 42704 unknown pool, 42501 for others, 22023 unbounded period or unknown mode, 22004. (OpenCost: idle, shareIdle, shareSplit, shared overhead.)';

CREATE FUNCTION profit_report(pool text, during tstzrange, scale integer DEFAULT 2)
	RETURNS TABLE (provider text, unit_hours numeric, leased_unit_hours numeric, utilization numeric,
		revenue numeric, fees numeric, cost numeric, profit numeric, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH chosen AS MATERIALIZED (
		SELECT p.pool_id, p.name, p.currency, p.fee + p.contributors_share AS fees
		FROM pool AS p
		WHERE p.pool_id = require_pool(profit_report.pool, 'steward', 'auditor')
	), level AS MATERIALIZED (
		SELECT s.*
		FROM supply_level((SELECT chosen.pool_id FROM chosen), profit_report.during) AS s
	), leased AS MATERIALIZED (
		SELECT coalesce(load_profile(l.period, l.quantity), '{}') AS load
		FROM lease_price AS l
		JOIN chosen ON chosen.pool_id = l.pool_id
		WHERE l.used AND l.period && profit_report.during
	), clock AS MATERIALIZED (
		-- how long each unit of supply was leased, from the start until the end of each stretch
		SELECT lower(l.period) AS starts, upper(l.period) AS ends, m.seconds, sum(m.seconds) OVER (ORDER BY l.period) AS until
		FROM level AS l, leased,
			LATERAL (SELECT integral(leased.load, l.period, '1 second') * 1.000000000000000000000000000000 / l.quantity AS seconds) AS m
		WHERE l.provider_id IS NULL
	), provided AS (
		SELECT l.provider_id, sum(l.quantity * t.seconds) AS unit_seconds, sum(t.seconds * l.hourly) AS cost_seconds,
			sum(l.quantity * (b.until - a.until + a.seconds)) AS leased_seconds
		FROM level AS l
		JOIN clock AS a ON a.starts = lower(l.period)
		JOIN clock AS b ON b.ends = upper(l.period),
			LATERAL (SELECT extract(epoch FROM upper(l.period) - lower(l.period)) AS seconds) AS t
		WHERE l.provider_id IS NOT NULL
		GROUP BY l.provider_id
	), billed AS MATERIALIZED (
		SELECT r.provider_id, CASE WHEN r.provider_id IS NULL THEN r.period END AS period, sum(r.billed_cost) AS cost
		FROM rated((SELECT chosen.name FROM chosen), profit_report.during) AS r
		GROUP BY 1, 2
	), earned AS (
		SELECT e.provider_id, sum(e.cost) AS cost
		FROM (
			SELECT b.provider_id, b.cost FROM billed AS b WHERE b.provider_id IS NOT NULL
			UNION ALL
			SELECT s.provider_id, b.cost * s.share
			FROM earned_shares((SELECT chosen.pool_id FROM chosen),
				ARRAY(SELECT b.period FROM billed AS b WHERE b.provider_id IS NULL)) AS s
			JOIN billed AS b ON b.provider_id IS NULL AND b.period = s.during
		) AS e
		GROUP BY e.provider_id
	), line AS (
		SELECT v.name, coalesce(q.unit_seconds, 0) AS unit_seconds, coalesce(q.leased_seconds, 0) AS leased_seconds, coalesce(q.cost_seconds, 0) AS cost_seconds,
			coalesce(e.cost, 0) AS earned, money_round(coalesce(e.cost, 0), profit_report.scale, 'floor') AS below
		FROM provided AS q
		FULL JOIN earned AS e ON e.provider_id = q.provider_id
		JOIN party AS v ON v.party_id = coalesce(q.provider_id, e.provider_id)
	), total AS (
		SELECT round(sum(l.unit_seconds) / 3600.000000000000000000000000000000, 6) AS unit_hours,
			round(sum(l.leased_seconds) / 3600.000000000000000000000000000000, 6) AS leased_unit_hours,
			round(sum(l.cost_seconds) / 3600.000000000000000000000000000000, profit_report.scale) AS cost,
			round((SELECT sum(b.cost) FROM billed AS b), profit_report.scale) - sum(l.below) AS above
		FROM line AS l
	), shared AS (
		SELECT l.name, split(t.unit_hours, l.unit_seconds, 6) OVER by_name AS unit_hours,
			split(t.leased_unit_hours, l.leased_seconds, 6) OVER by_name AS leased_unit_hours,
			l.below + split(coalesce(t.above, 0), l.earned - l.below, profit_report.scale) OVER by_name AS revenue,
			split(t.cost, l.cost_seconds, profit_report.scale) OVER by_name AS cost
		FROM line AS l, total AS t
		WINDOW by_name AS (ORDER BY l.name)
	)
	SELECT s.name, s.unit_hours, s.leased_unit_hours, round(s.leased_unit_hours / nullif(s.unit_hours, 0), 6),
		s.revenue, f.fees, s.cost, s.revenue - f.fees - s.cost, chosen.currency
	FROM shared AS s, chosen, LATERAL (SELECT round(s.revenue * chosen.fees, profit_report.scale) AS fees) AS f
	ORDER BY s.name;
END;
COMMENT ON FUNCTION profit_report(text, tstzrange, integer) IS
'The three measures of sharing for each provider of a pool during a bounded period: utilization (of what it supplied, what was leased: at each instant its part of the pool''s); revenue, its part of all that rated() bills, leases, usage and commitments, divided as closing does; and cost (supply.cost_rate, or the pool''s price where there is none). Profit = revenue - fees - cost, where fees are the parts of the steward and the contributors. Sums over its rows are the pool''s, to the last place. For the pool''s steward and auditors. Errors as cost_allocation() and rated().';

CREATE FUNCTION showback(pool text, during tstzrange, label text DEFAULT NULL)
	RETURNS TABLE (path text[], consumer text, value text, cost numeric, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE line AS MATERIALIZED (
		-- where the total decides the price, a charge has no labels, and is for all that was used
		SELECT r.consumer_id, r.meter, r.labels ->> showback.label AS value, r.billed_cost,
			r.labels = '{}' AND coalesce(t.model, 'standard') <> 'standard' AS for_all
		FROM rated(showback.pool, showback.during) AS r
		LEFT JOIN rate AS t ON t.pool_id = pool_id(showback.pool) AND t.rate_id = r.rate_id
	), used AS (
		SELECT u.consumer_id, u.meter, u.labels ->> showback.label AS value, greatest(sum(u.quantity), 0) AS quantity
		FROM usage AS u
		WHERE u.pool_id = pool_id(showback.pool) AND u.at >= lower(showback.during) AND u.at < upper(showback.during)
		GROUP BY u.consumer_id, u.meter, u.labels ->> showback.label
	), part AS (
		SELECT u.consumer_id, u.meter, u.value,
			u.quantity * 1.000000000000000000000000000000 / nullif(sum(u.quantity) OVER (PARTITION BY u.consumer_id, u.meter), 0) AS part
		FROM used AS u
	), cell AS (
		SELECT l.consumer_id, coalesce(p.value, l.value) AS value, sum(l.billed_cost * coalesce(p.part, 1)) AS cost
		FROM line AS l
		LEFT JOIN part AS p ON l.for_all AND p.consumer_id = l.consumer_id AND p.meter = l.meter AND p.part > 0
		GROUP BY l.consumer_id, coalesce(p.value, l.value)
	), total AS (
		SELECT l.consumer_id, sum(l.billed_cost) AS cost
		FROM line AS l
		GROUP BY l.consumer_id
	), floored AS (
		SELECT c.consumer_id, c.value, c.cost, money_round(c.cost, g.currency, 'floor') AS floor, money_round(t.cost, g.currency, g.rounding) AS total, g.currency
		FROM cell AS c
		JOIN total AS t ON t.consumer_id = c.consumer_id
		JOIN pool AS g ON g.pool_id = pool_id(showback.pool)
	), rest AS (
		SELECT f.*, f.total - sum(f.floor) OVER (PARTITION BY f.consumer_id) AS units
		FROM floored AS f
	), ancestor AS (
		SELECT t.consumer_id, p.parent_id, ARRAY[p.name] AS path
		FROM total AS t
		JOIN party AS p ON p.party_id = t.consumer_id
		UNION ALL
		SELECT a.consumer_id, p.parent_id, p.name || a.path
		FROM ancestor AS a
		JOIN party AS p ON p.party_id = a.parent_id
		WHERE cardinality(a.path) < 100
	), root AS (
		SELECT DISTINCT ON (a.consumer_id) a.consumer_id, a.path
		FROM ancestor AS a
		ORDER BY a.consumer_id, cardinality(a.path) DESC
	), shown AS (
		SELECT t.path, r.value, r.floor + split(r.units, r.cost - r.floor, currency_scale(r.currency)) OVER (PARTITION BY r.consumer_id ORDER BY r.value) AS cost,
			r.currency
		FROM rest AS r
		JOIN root AS t ON t.consumer_id = r.consumer_id
	)
	SELECT s.path, s.path[cardinality(s.path)], s.value, s.cost, s.currency
	FROM shown AS s
	ORDER BY s.path, s.value;
END;
COMMENT ON FUNCTION showback(text, tstzrange, text) IS
'What rated() bills for a bounded period, by consumer and by the value of a label of its usage, such as its team or project; NULL for what has no such label. Path is the parties that the consumer is part of, the topmost first, so that GROUP BY path[1] or ROLLUP (path[1], path[2]) shows back by the tree of parties. Charges where the total decides the price (tiers, packages, minimum, purchases ...) divide by the quantity of their meter that was used under each label. Each consumer''s rows sum to what closing would invoice it, to the last unit, so that sums of them are never off, whatever they are grouped by. Errors: as rated().';
