-- 51-rating.sql
--		What usage and leases cost: charges as rows, computed from the facts.

-- What is below a limit and beyond 0, with the sign of the limit: shares of a
-- limited quantity are differences of it, so they always sum to it.
CREATE FUNCTION within(quantity numeric, bound numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(greatest(quantity, least(bound, 0)), greatest(bound, 0));
COMMENT ON FUNCTION within(numeric, numeric) IS 'What of a cumulative quantity is between 0 and a bound, which may be negative.';

-- Differences of this sum to the amount over any parts of the period, whatever
-- they are: to the last of 12 places.
CREATE FUNCTION prorated(amount numeric, part tstzrange, during tstzrange) RETURNS numeric
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN isempty(part) THEN 0
	ELSE round(amount * extract(epoch FROM upper(part) - lower(during)) / extract(epoch FROM upper(during) - lower(during)), 12)
		- round(amount * extract(epoch FROM lower(part) - lower(during)) / extract(epoch FROM upper(during) - lower(during)), 12) END;
COMMENT ON FUNCTION prorated(numeric, tstzrange, tstzrange) IS
'The part of an amount that is for a part of the time that it is for, to 12 decimal places: by seconds, so that a day of 23 or 25 hours counts as such. The parts of whatever the time is divided into always sum to the amount, if that has no more places. Both are bounded.';

CREATE FUNCTION rated(pool text, during tstzrange, known_at timestamptz DEFAULT 'infinity', rates rate[] DEFAULT NULL)
	RETURNS TABLE (consumer_id bigint, provider_id bigint, lease_id bigint, rate_id bigint, category text, meter text, component text,
		period tstzrange, quantity numeric, unit text, list_unit_price numeric, contracted_unit_price numeric,
		list_cost numeric, contracted_cost numeric, effective_cost numeric, billed_cost numeric,
		commitment_status text, labels jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
BEGIN ATOMIC
	WITH chosen AS MATERIALIZED (
		SELECT p.pool_id, p.unit || '-hour' AS unit, p.price
		FROM pool AS p
		WHERE p.pool_id = pool_id(rated.pool) AND require_bounded(rated.during) IS NOT NULL
	), version AS MATERIALIZED (
		SELECT r.*, r.valid * rated.during AS period
		FROM rate AS r
		WHERE rated.rates IS NULL AND r.pool_id = (SELECT chosen.pool_id FROM chosen)
		AND r.known @> rated.known_at AND r.valid && rated.during
		UNION ALL
		SELECT r.*, r.valid * rated.during
		FROM unnest(rated.rates) AS r
		WHERE r.valid && rated.during
	), price AS MATERIALIZED (
		-- said so, the planner takes them for half of all, not for next to none, and does not loop over them
		SELECT v.* FROM version AS v WHERE (v.purchase IS NULL) IS TRUE
	), bought AS MATERIALIZED (
		SELECT v.* FROM version AS v WHERE (v.purchase IS NOT NULL) IS TRUE
	),

	-- Within a segment of the period, no price changes.
	cut AS (
		SELECT lower(rated.during) AS at
		UNION SELECT lower(v.period) FROM version AS v
		UNION SELECT upper(v.period) FROM version AS v
		UNION SELECT lower(s.period) FROM version AS v, steps(v.schedule, v.period) AS s WHERE v.schedule IS NOT NULL
	), segment AS MATERIALIZED (
		-- through an array, since the planner takes it for a short one
		SELECT tstzrange(c.at, lead(c.at, 1, upper(rated.during)) OVER (ORDER BY c.at)) AS period, c.at AS starts, (row_number() OVER (ORDER BY c.at))::integer AS number
		FROM unnest((SELECT array_agg(cut.at) FROM cut WHERE cut.at < upper(rated.during))) AS c (at)
	),
	-- Usage: first what applies to whom, of which meter in which segment; then
	-- how much of it, where the total decides by no more than that. To each of
	-- one there is another, so that these joins are full only in name: but the
	-- planner, who cannot know how much there is, does not loop for them.
	metered AS NOT MATERIALIZED (
		SELECT u.consumer_id, u.provider_id, u.lease_id, u.meter, u.labels, u.quantity,
			width_bucket(u.at, (SELECT array_agg(s.starts ORDER BY s.number) FROM segment AS s)) AS number
		FROM usage AS u
		WHERE u.pool_id = (SELECT chosen.pool_id FROM chosen)
		AND u.at >= lower(rated.during) AND u.at < upper(rated.during) AND u.recorded_at <= rated.known_at
	), applied AS MATERIALIZED (
		SELECT m.consumer_id, m.meter, m.number, r.rate_id, list.rate_id AS list_id, c.rate_id AS commitment_id, r.factor, r.list_factor, r.additive,
			-- nothing but price times quantity
			r.model = 'standard' AND c.rate_id IS NULL AND r.unlimited AS simple,
			dense_rank() OVER (ORDER BY m.meter, r.rate_id, list.rate_id, c.rate_id, r.factor, r.list_factor) AS tariff
		FROM (SELECT DISTINCT m.consumer_id, m.meter, m.number FROM metered AS m) AS m
		JOIN segment AS s ON s.number = m.number
		LEFT JOIN price AS own ON own.party_id = m.consumer_id AND own.meter = m.meter AND own.valid @> s.starts
		LEFT JOIN price AS list ON (list.party_id IS NULL) IS TRUE AND list.meter = m.meter AND list.valid @> s.starts
		LEFT JOIN bought AS c ON c.party_id = m.consumer_id AND c.meter = m.meter AND c.valid @> s.starts,
		LATERAL (SELECT coalesce(own.rate_id, list.rate_id) AS rate_id,
			coalesce(own.model, list.model, 'standard') AS model,
			coalesce(own.model, list.model, 'standard') IN ('standard', 'flat') AS additive,
			CASE WHEN own.rate_id IS NULL THEN num_nonnulls(list.minimum, list.maximum) ELSE num_nonnulls(own.minimum, own.maximum) END = 0 AS unlimited,
			coalesce(value_at(CASE WHEN own.rate_id IS NULL THEN list.schedule ELSE own.schedule END, s.starts), 1) AS factor,
			coalesce(value_at(list.schedule, s.starts), 1) AS list_factor) AS r
	), tariff AS MATERIALIZED (
		SELECT a.tariff, a.meter, a.rate_id, a.commitment_id, a.simple, coalesce(v.model, 'standard') AS model, coalesce(v.unit, 'unit') AS unit,
			coalesce(v.period, rated.during) AS period, CASE WHEN v.model = 'standard' THEN v.price * a.factor ELSE 0 END AS unit_price,
			CASE WHEN list.model = 'standard' THEN list.price * a.list_factor WHEN v.model = 'standard' THEN v.price * a.factor ELSE 0 END AS list_unit_price
		FROM (SELECT DISTINCT a.tariff, a.meter, a.rate_id, a.list_id, a.commitment_id, a.factor, a.list_factor, a.simple FROM applied AS a) AS a
		LEFT JOIN price AS v ON v.rate_id = a.rate_id
		LEFT JOIN price AS list ON list.rate_id = a.list_id
	), used AS NOT MATERIALIZED (
		SELECT m.consumer_id, m.provider_id, CASE WHEN a.additive THEN m.lease_id END AS lease_id,
			CASE WHEN a.additive THEN m.labels ELSE '{}' END AS labels, a.tariff, a.simple, sum(m.quantity) AS quantity
		FROM metered AS m
		-- all of them; said so, the planner takes them for few, and hashes them, not the usage
		FULL JOIN (SELECT a.* FROM applied AS a WHERE a.tariff BETWEEN 1 AND 9223372036854775807) AS a
			ON a.consumer_id = m.consumer_id AND a.meter = m.meter AND a.number = m.number
		GROUP BY 1, 2, 3, 4, 5, 6
	),

	-- Leases, likewise; a hold that was not confirmed in time is none, even
	-- before it is told that it has expired.
	lease AS NOT MATERIALIZED (
		SELECT l.*
		FROM lease AS l
		WHERE l.pool_id = (SELECT chosen.pool_id FROM chosen) AND coalesce(l.held_until > now(), true)
	), held AS (
		SELECT l.lease_id, l.consumer_id, l.quantity, l.effective AS period, coalesce(l.price, chosen.price) AS price, 1::numeric AS part
		FROM lease AS l, chosen
		WHERE l.effective && rated.during
		UNION ALL
		SELECT l.lease_id, l.consumer_id, l.quantity, unused.period, coalesce(l.price, chosen.price), 1 - l.refund
		FROM lease AS l, chosen,
		LATERAL (SELECT tstzrange(greatest(lower(l.during), l.ended_at), upper(l.during)) AS period) AS unused
		WHERE l.refund < 1 AND unused.period && rated.during
	), leased AS (
		SELECT h.consumer_id, h.lease_id, h.part, h.price, coalesce(own.rate_id, list.rate_id) AS rate_id, list.rate_id AS list_id,
			CASE WHEN h.part = 1 THEN c.rate_id END AS commitment_id,
			coalesce(value_at(CASE WHEN own.rate_id IS NULL THEN list.schedule ELSE own.schedule END, s.starts), 1) AS factor,
			coalesce(value_at(list.schedule, s.starts), 1) AS list_factor,
			sum(h.quantity * extract(epoch FROM upper(piece.period) - lower(piece.period))) / 3600.000000000000000000000000000000 AS quantity,
			tstzrange(min(lower(piece.period)), max(upper(piece.period))) AS period
		FROM held AS h
		JOIN segment AS s ON s.period && h.period
		LEFT JOIN price AS own ON own.party_id = h.consumer_id AND own.meter = 'lease' AND own.valid @> s.starts
		LEFT JOIN price AS list ON list.party_id IS NULL AND list.meter = 'lease' AND list.valid @> s.starts
		LEFT JOIN bought AS c ON c.party_id = h.consumer_id AND c.meter = 'lease' AND c.valid @> s.starts,
		LATERAL (SELECT s.period * h.period AS period) AS piece
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
	), line AS MATERIALIZED (
		SELECT u.consumer_id, u.provider_id, u.lease_id, t.meter, u.labels, t.rate_id, t.commitment_id, u.quantity, 1::numeric AS part,
			t.model, t.unit, t.period, t.unit_price, t.list_unit_price
		FROM (SELECT u.* FROM used AS u WHERE NOT coalesce(u.simple, false)) AS u
		FULL JOIN (SELECT t.* FROM tariff AS t WHERE NOT t.simple) AS t ON t.tariff = u.tariff
		WHERE EXISTS (SELECT FROM tariff AS t WHERE NOT t.simple)
		UNION ALL
		SELECT l.consumer_id, NULL, l.lease_id, 'lease', '{}', l.rate_id, l.commitment_id, l.quantity, l.part,
			coalesce(v.model, 'standard'), coalesce(v.unit, chosen.unit), l.period,
			CASE WHEN v.model IS NULL THEN l.price * l.part WHEN v.model = 'standard' THEN v.price * l.factor * l.part ELSE 0 END,
			CASE WHEN list.model = 'standard' THEN list.price * l.list_factor * l.part
				WHEN v.model IS NULL THEN l.price * l.part WHEN v.model = 'standard' THEN v.price * l.factor * l.part ELSE 0 END
		FROM leased AS l
		CROSS JOIN chosen
		LEFT JOIN price AS v ON v.rate_id = l.rate_id
		LEFT JOIN price AS list ON list.rate_id = l.list_id
	),

	-- Commitments: how much of each there is in the period, and what it cost.
	-- What was used before the period counts for what is used up only once.
	before AS (
		SELECT b.rate_id, coalesce((
				SELECT sum(u.quantity)
				FROM usage AS u
				WHERE u.pool_id = (SELECT chosen.pool_id FROM chosen) AND u.consumer_id = b.party_id AND u.meter = b.meter
				AND u.at >= lower(b.valid) AND u.at < lower(b.period) AND u.recorded_at <= rated.known_at), 0)
			+ coalesce((
				SELECT sum(l.quantity * extract(epoch FROM least(upper(l.effective), lower(b.period)) - greatest(lower(l.effective), lower(b.valid))))
				FROM lease AS l
				WHERE b.meter = 'lease' AND l.consumer_id = b.party_id
				AND l.effective && tstzrange(lower(b.valid), lower(b.period))), 0) / 3600.000000000000000000000000000000 AS quantity
		FROM bought AS b
		WHERE b.model = 'prepaid'
	), sold AS (
		SELECT l.commitment_id, sum(l.quantity) AS quantity
		FROM line AS l
		WHERE l.commitment_id IS NOT NULL AND l.model NOT IN ('percentage', 'percentile', 'flat')
		GROUP BY l.commitment_id
	), commitment AS MATERIALIZED (
		SELECT b.*, a.amortised, a.committed, a.used,
			CASE b.model
				WHEN 'reserved' THEN CASE b.meter WHEN 'lease' THEN least(a.used, coalesce((
						SELECT integral(pointwise_min(load_profile(l.effective, l.quantity), profile(b.quantity)), b.period, '1 second')
						FROM lease AS l
						WHERE l.consumer_id = b.party_id AND l.effective && b.period), 0)
						/ 3600.000000000000000000000000000000)
					ELSE within(a.used, a.committed) END
				WHEN 'spend' THEN CASE WHEN a.used * b.price <= a.amortised THEN greatest(a.used, 0) ELSE trunc(a.amortised / b.price, 12) END
				ELSE within(a.before + a.used, b.quantity) - within(a.before, b.quantity) END AS covered,
			CASE b.model WHEN 'prepaid' THEN within(a.before + a.used, b.quantity) END AS drawn,
			CASE b.model WHEN 'prepaid' THEN within(a.before, b.quantity) END AS drawn_before
		FROM bought AS b
		LEFT JOIN before ON before.rate_id = b.rate_id
		LEFT JOIN sold ON sold.commitment_id = b.rate_id,
		LATERAL (SELECT prorated(b.purchase, b.period, b.valid) AS amortised,
			CASE WHEN b.model = 'reserved' THEN CASE b.meter
				WHEN 'lease' THEN b.quantity * extract(epoch FROM upper(b.period) - lower(b.period)) / 3600.000000000000000000000000000000
				ELSE prorated(b.quantity, b.period, b.valid) END END AS committed,
			coalesce(before.quantity, 0) AS before, coalesce(sold.quantity, 0) AS used) AS a
	), balance AS (
		-- what the part that was used has cost
		SELECT c.*, CASE c.model
			WHEN 'reserved' THEN CASE WHEN c.covered = c.committed THEN c.amortised ELSE round(c.amortised * c.covered / c.committed, 12) END
			WHEN 'spend' THEN CASE WHEN c.used * c.price <= c.amortised THEN greatest(c.used, 0) * c.price ELSE c.amortised END
			ELSE round(c.purchase * c.drawn / c.quantity, 12) - round(c.purchase * c.drawn_before / c.quantity, 12) END AS cost
		FROM commitment AS c
	), ordered AS (
		SELECT l.*, b.covered AS bound, b.cost, b.party_id,
			sum(l.quantity) OVER dear AS cumulative
		FROM line AS l
		JOIN balance AS b ON b.rate_id = l.commitment_id
		WHERE l.model NOT IN ('percentage', 'percentile', 'flat')
		WINDOW dear AS (PARTITION BY l.commitment_id
			ORDER BY l.unit_price DESC, l.rate_id, l.provider_id, l.lease_id, l.labels, l.list_unit_price ROWS UNBOUNDED PRECEDING)
	), covered AS MATERIALIZED (
		SELECT o.*, within(o.cumulative, o.bound) - within(o.cumulative - o.quantity, o.bound) AS covered,
			CASE WHEN o.bound = 0 THEN 0
				ELSE CASE WHEN within(o.cumulative, o.bound) = o.bound THEN o.cost ELSE round(o.cost * within(o.cumulative, o.bound) / o.bound, 12) END
				- CASE WHEN within(o.cumulative - o.quantity, o.bound) = o.bound THEN o.cost ELSE round(o.cost * within(o.cumulative - o.quantity, o.bound) / o.bound, 12) END
				END AS effective
		FROM ordered AS o
	), rest AS NOT MATERIALIZED (
		-- what no commitment covers
		SELECT l.consumer_id, l.provider_id, l.lease_id, l.meter, l.labels, l.rate_id, l.model, l.unit, l.period, l.unit_price, l.list_unit_price,
			l.quantity, l.part
		FROM line AS l
		WHERE l.commitment_id IS NULL OR l.model IN ('percentage', 'percentile', 'flat')
		UNION ALL
		SELECT c.consumer_id, c.provider_id, c.lease_id, c.meter, c.labels, c.rate_id, c.model, c.unit, c.period, c.unit_price, c.list_unit_price,
			c.quantity - c.covered, c.part
		FROM covered AS c
	),

	-- Where the total decides. A price of a party's own counts even where it
	-- used nothing, the list price for whoever used something.
	account AS MATERIALIZED (
		SELECT r.consumer_id, r.provider_id, r.rate_id, sum(r.quantity * r.part) AS quantity
		FROM rest AS r
		WHERE r.model NOT IN ('standard', 'flat')
		GROUP BY r.consumer_id, r.provider_id, r.rate_id
		UNION ALL
		SELECT p.party_id, NULL, p.rate_id, 0
		FROM price AS p
		WHERE p.party_id IS NOT NULL AND p.model IN ('graduated', 'volume', 'graduated_percentage')
		AND NOT EXISTS (SELECT FROM rest AS r WHERE r.rate_id = p.rate_id)
	), member AS MATERIALIZED (
		SELECT p.party_id AS consumer_id, p.rate_id FROM price AS p
		WHERE p.party_id IS NOT NULL AND (p.model = 'flat' OR p.minimum IS NOT NULL)
		UNION
		SELECT l.consumer_id, p.rate_id FROM price AS p JOIN line AS l ON l.rate_id = p.rate_id
		WHERE p.model = 'flat' OR p.minimum IS NOT NULL
	), event AS (
		SELECT e.*, within(e.until, e.free) - within(e.until - e.quantity, e.free) AS free_part
		FROM (
			SELECT p.rate_id, u.consumer_id, u.provider_id, u.quantity, p.price, p.event_price, p.event_minimum, p.event_maximum,
				sum(u.quantity) OVER in_order AS until,
				CASE WHEN row_number() OVER in_order > p.free_events THEN 0
					ELSE coalesce(p.free_quantity, CASE WHEN p.free_events IS NULL THEN 0 ELSE 'Infinity'::numeric END) END AS free
			FROM usage AS u
			LEFT JOIN price AS own ON own.party_id = u.consumer_id AND own.meter = u.meter AND own.valid @> u.at
			JOIN price AS p ON p.meter = u.meter AND p.valid @> u.at AND p.model = 'percentage'
				AND CASE WHEN own.rate_id IS NULL THEN p.party_id IS NULL ELSE p.rate_id = own.rate_id END
			WHERE EXISTS (SELECT FROM price AS p WHERE p.model = 'percentage')
			AND u.pool_id = (SELECT chosen.pool_id FROM chosen)
			AND u.at >= lower(rated.during) AND u.at < upper(rated.during) AND u.recorded_at <= rated.known_at
			WINDOW in_order AS (PARTITION BY p.rate_id, u.consumer_id, u.provider_id ORDER BY u.at, u.source, u.source_key ROWS UNBOUNDED PRECEDING)
		) AS e
	), paid AS MATERIALIZED (
		SELECT e.rate_id, e.consumer_id, e.provider_id, sum(e.quantity - e.free_part) AS quantity,
			count(*) FILTER (WHERE f.paid)::numeric AS events,
			coalesce(sum(least(greatest(f.fee, e.event_minimum), e.event_maximum) - f.fee) FILTER (WHERE f.paid), 0) AS limits
		FROM event AS e,
		LATERAL (SELECT (e.quantity - e.free_part) * e.price + coalesce(e.event_price, 0) AS fee,
			e.free = 0 OR e.until - e.quantity >= e.free AS paid) AS f
		GROUP BY e.rate_id, e.consumer_id, e.provider_id
	), level AS (
		SELECT p.rate_id, u.consumer_id, u.provider_id, load_profile(u.during, u.quantity) AS load
		FROM usage AS u
		LEFT JOIN price AS own ON own.party_id = u.consumer_id AND own.meter = u.meter AND own.valid @> u.at
		JOIN price AS p ON p.meter = u.meter AND p.valid @> u.at AND p.model = 'percentile'
			AND CASE WHEN own.rate_id IS NULL THEN p.party_id IS NULL ELSE p.rate_id = own.rate_id END
		WHERE EXISTS (SELECT FROM price AS p WHERE p.model = 'percentile' AND p.meter <> 'lease')
		AND u.pool_id = (SELECT chosen.pool_id FROM chosen)
		AND u.at >= lower(rated.during) AND u.at < upper(rated.during) AND u.recorded_at <= rated.known_at
		AND NOT isempty(u.during) AND lower(u.during) < upper(u.during)
		GROUP BY p.rate_id, u.consumer_id, u.provider_id
		UNION ALL
		SELECT a.rate_id, a.consumer_id, NULL, (SELECT load_profile(l.effective, l.quantity) FROM lease AS l
			WHERE l.consumer_id = a.consumer_id AND l.effective && p.period)
		FROM account AS a
		JOIN price AS p ON p.rate_id = a.rate_id
		WHERE p.model = 'percentile' AND p.meter = 'lease'
	), total AS MATERIALIZED (
		-- tiers, packages, percentages, percentiles, flat amounts
		SELECT a.consumer_id, a.provider_id, a.rate_id, t.component, t.quantity, t.unit_price
		FROM account AS a
		JOIN price AS p ON p.rate_id = a.rate_id,
		LATERAL tiers(a.quantity, p.upto, p.unit_price, p.flat, CASE p.model WHEN 'volume' THEN 'volume' ELSE 'graduated' END) AS tier,
		LATERAL (VALUES ('quantity', tier.quantity, tier.unit_price), ('flat', 1, tier.flat)) AS t (component, quantity, unit_price)
		WHERE p.model IN ('graduated', 'volume', 'graduated_percentage') AND (t.component = 'quantity' OR t.unit_price <> 0)
		UNION ALL
		SELECT a.consumer_id, a.provider_id, a.rate_id, 'quantity',
			div(x.quantity, p.package_size) + CASE WHEN mod(x.quantity, p.package_size) > 0 THEN 1 ELSE 0 END, p.price
		FROM account AS a
		JOIN price AS p ON p.rate_id = a.rate_id,
		LATERAL (SELECT greatest(a.quantity - coalesce(p.free_quantity, 0), 0) AS quantity) AS x
		WHERE p.model = 'package'
		UNION ALL
		SELECT e.consumer_id, e.provider_id, e.rate_id, t.component, t.quantity, t.unit_price
		FROM paid AS e
		JOIN price AS p ON p.rate_id = e.rate_id,
		LATERAL (VALUES ('quantity', e.quantity, p.price), ('event', e.events, coalesce(p.event_price, 0)), ('event limits', 1, e.limits))
			AS t (component, quantity, unit_price)
		WHERE t.component = 'quantity' OR t.unit_price <> 0
		UNION ALL
		SELECT l.consumer_id, l.provider_id, l.rate_id, 'quantity', quantile(l.load, p.period, p.fraction), p.price
		FROM level AS l
		JOIN price AS p ON p.rate_id = l.rate_id
		UNION ALL
		SELECT m.consumer_id, NULL, m.rate_id, 'flat', 1, prorated(p.price, p.period, rated.during)
		FROM member AS m
		JOIN price AS p ON p.rate_id = m.rate_id
		WHERE p.model = 'flat'
	), limited AS (
		SELECT s.consumer_id, s.rate_id, sum(s.cost) AS cost
		FROM (
			SELECT r.consumer_id, r.rate_id, r.quantity * r.unit_price AS cost
			FROM rest AS r
			WHERE r.rate_id IN (SELECT p.rate_id FROM price AS p WHERE p.minimum IS NOT NULL OR p.maximum IS NOT NULL)
			UNION ALL
			SELECT t.consumer_id, t.rate_id, t.quantity * t.unit_price
			FROM total AS t
			UNION ALL
			SELECT m.consumer_id, m.rate_id, 0
			FROM member AS m
		) AS s
		GROUP BY s.consumer_id, s.rate_id
	), charged AS (
		SELECT u.consumer_id, u.provider_id, u.lease_id, t.rate_id, 'usage' AS category, t.meter, 'quantity' AS component, t.period, u.quantity, t.unit,
			t.list_unit_price, t.unit_price, u.quantity * t.unit_price AS billed, u.quantity * t.unit_price AS effective,
			NULL AS commitment_status, u.labels
		FROM (SELECT u.* FROM used AS u WHERE coalesce(u.simple, false)) AS u
		FULL JOIN (SELECT t.* FROM tariff AS t WHERE t.simple) AS t ON t.tariff = u.tariff
		UNION ALL
		SELECT r.consumer_id, r.provider_id, r.lease_id, r.rate_id, 'usage', r.meter,
			CASE WHEN r.part = 1 THEN 'quantity' ELSE 'cancellation' END, r.period, r.quantity, r.unit,
			r.list_unit_price, r.unit_price, r.quantity * r.unit_price, r.quantity * r.unit_price, NULL, r.labels
		FROM rest AS r
		WHERE r.model IN ('standard', 'flat')
		UNION ALL
		SELECT t.consumer_id, t.provider_id, NULL, t.rate_id, 'usage', p.meter, t.component, p.period, t.quantity,
			CASE t.component WHEN 'quantity' THEN CASE p.model WHEN 'package' THEN p.package_size || ' ' || p.unit ELSE p.unit END ELSE t.component END,
			t.unit_price, t.unit_price, t.quantity * t.unit_price, t.quantity * t.unit_price, NULL, '{}'
		FROM total AS t
		JOIN price AS p ON p.rate_id = t.rate_id
		UNION ALL
		SELECT l.consumer_id, NULL, NULL, l.rate_id, 'adjustment', p.meter, t.component, p.period, 1, t.component, t.amount, t.amount,
			t.amount, t.amount, NULL, '{}'
		FROM limited AS l
		JOIN price AS p ON p.rate_id = l.rate_id,
		LATERAL (VALUES ('minimum', greatest(prorated(p.minimum, p.period, rated.during) - l.cost, 0)),
			('maximum', least(prorated(p.maximum, p.period, rated.during) - l.cost, 0))) AS t (component, amount)
		WHERE t.amount <> 0
		UNION ALL
		SELECT c.consumer_id, c.provider_id, c.lease_id, c.commitment_id, 'usage', c.meter, 'commitment', c.period, c.covered, c.unit,
			c.list_unit_price, c.unit_price, 0, c.effective, 'used', c.labels
		FROM covered AS c
		WHERE c.covered <> 0 OR c.effective <> 0
		UNION ALL
		SELECT b.party_id, NULL, NULL, b.rate_id, 'usage', b.meter, 'commitment', b.period, u.quantity, b.unit, 0, 0, 0, u.cost, 'unused', '{}'
		FROM balance AS b,
		LATERAL (SELECT CASE b.model WHEN 'reserved' THEN b.committed - b.covered
				WHEN 'spend' THEN CASE WHEN b.price > 0 THEN round((b.amortised - b.cost) / b.price, 12) ELSE 0 END
				WHEN 'prepaid' THEN CASE WHEN upper(b.valid) <= upper(rated.during) THEN b.quantity - b.drawn ELSE 0 END END AS quantity,
			CASE WHEN b.model <> 'prepaid' THEN b.amortised - b.cost
				WHEN upper(b.valid) <= upper(rated.during) THEN b.purchase - round(b.purchase * b.drawn / b.quantity, 12) ELSE 0 END AS cost) AS u
		WHERE u.quantity <> 0 OR u.cost <> 0
		UNION ALL
		SELECT b.party_id, NULL, NULL, b.rate_id, 'purchase', b.meter, 'purchase', b.period, 1, 'commitment', b.purchase, b.purchase,
			b.purchase, 0, NULL, '{}'
		FROM bought AS b
		WHERE rated.during @> lower(b.valid)
	)
	SELECT c.consumer_id, c.provider_id, c.lease_id, c.rate_id, c.category, c.meter, c.component, c.period, c.quantity, c.unit,
		c.list_unit_price, c.unit_price, c.quantity * c.list_unit_price, c.quantity * c.unit_price, c.effective, c.billed,
		c.commitment_status, c.labels
	FROM charged AS c
	WHERE c.quantity <> 0 OR c.effective <> 0;
END;
COMMENT ON FUNCTION rated(text, tstzrange, timestamptz, rate[]) IS
'The charges of a pool for a bounded period, which is taken as one billing period: computed from the facts as they are now, or as they were known at an instant (usage and rates); with other rates instead, what if. Nothing is stored. What is used is priced by the rate of the consumer''s own that is valid when it begins, or else by the list price; without either it is a row that costs nothing, so that it shows; a lease without a rate costs the price that it was quoted, and what is not paid back of what is given back (cancellation). Tiers, packages and allowances count what a consumer used of one provider (or of whoever supplied) in the period; minimum and maximum what one rate comes to. A commitment covers the dearest first; what is covered is billed nothing and costs its part of the purchase. Every cost is the exact product, never rounded; unit-hours have 30 decimal places. Errors: 42704 unknown pool, 22023 unbounded period, or a quantity beyond the last tier; 22004.';

CREATE FUNCTION rating_corrections(pool text, during tstzrange)
	RETURNS TABLE (consumer_id bigint, provider_id bigint, lease_id bigint, rate_id bigint, category text, meter text, component text,
		period tstzrange, quantity numeric, unit text, list_unit_price numeric, contracted_unit_price numeric,
		list_cost numeric, contracted_cost numeric, effective_cost numeric, billed_cost numeric,
		commitment_status text, labels jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	WITH billed AS (
		SELECT c.*
		FROM charge AS c
		JOIN billing_period AS b ON b.pool_id = c.pool_id AND b.billing_period_id = c.billing_period_id
		WHERE c.pool_id = pool_id(rating_corrections.pool) AND b.during = rating_corrections.during AND NOT c.correction
		UNION ALL
		SELECT c.*
		FROM charge AS c
		WHERE int8range(c.pool_id, c.pool_id, '[]') && int8range(pool_id(rating_corrections.pool), pool_id(rating_corrections.pool), '[]')
		AND c.correction AND c.during <@ rating_corrections.during
	)
	SELECT d.consumer_id, d.provider_id, d.lease_id, coalesce(max(d.rate_id) FILTER (WHERE d.sign > 0), max(d.rate_id)), d.category, d.meter, d.component,
		tstzrange(min(lower(d.period)), max(upper(d.period))), sum(d.sign * d.quantity), d.unit,
		d.list_unit_price, d.contracted_unit_price, sum(d.sign * d.list_cost), sum(d.sign * d.contracted_cost),
		sum(d.sign * d.effective_cost), sum(d.sign * d.billed_cost), d.commitment_status, d.labels
	FROM (
		SELECT 1 AS sign, r.consumer_id, r.provider_id, r.lease_id, r.rate_id, r.category, r.meter, r.component, r.period, r.quantity, r.unit,
			trim_scale(r.list_unit_price) AS list_unit_price, trim_scale(r.contracted_unit_price) AS contracted_unit_price,
			r.list_cost, r.contracted_cost, r.effective_cost, r.billed_cost, r.commitment_status, r.labels
		FROM rated(rating_corrections.pool, rating_corrections.during) AS r
		UNION ALL
		SELECT -1, b.consumer_id, b.provider_id, b.lease_id, b.rate_id, b.category, b.meter, b.component, b.during, b.quantity, b.unit,
			trim_scale(b.list_unit_price), trim_scale(b.contracted_unit_price),
			b.list_cost, b.contracted_cost, b.effective_cost, b.billed_cost, b.commitment_status, b.labels
		FROM billed AS b
	) AS d
	-- what was used in a month that is dropped cannot be rated again
	WHERE pool_id(rating_corrections.pool) IS NOT NULL AND NOT require_bounded(rating_corrections.during) && (SELECT dropped_usage())
	GROUP BY d.consumer_id, d.provider_id, d.lease_id, d.category, d.meter, d.component, d.unit, d.list_unit_price, d.contracted_unit_price,
		d.commitment_status, d.labels,
		-- a price may have a new version that is the same; what is of a commitment stays with it
		CASE WHEN d.commitment_status IS NOT NULL OR d.category = 'purchase' THEN d.rate_id END
	HAVING sum(d.sign * d.quantity) <> 0 OR sum(d.sign * d.effective_cost) <> 0 OR sum(d.sign * d.billed_cost) <> 0;
END;
COMMENT ON FUNCTION rating_corrections(text, tstzrange) IS
'What is still to be billed, or paid back, for a billing period of a pool that was closed: rated() now, less all that was billed for it, in it and later. No rows: nothing. So usage that is late, and prices that change afterwards, are charged once, in whatever order they come; a late unit may lower the bill (volume). Nothing for a period with a part of a month of drop_usage(). Errors as rated().';
