-- 60-reports.sql
--		What users read: views with names, and reports.

CREATE VIEW pool_status WITH (security_invoker) AS
	SELECT p.name AS pool, p.kind, p.unit, s.name AS steward, p.price, p.currency,
		value_at(c.capacity, now()) AS capacity,
		value_at(c.booked, now()) AS leased,
		value_at(positive_part(calendar_free(p.pool_id, 0, tstzrange(now(), now() + '1 microsecond'))), now()) AS free,
		value_at(c.deficit, now()) AS deficit
	FROM pool AS p
	JOIN party AS s ON s.party_id = p.steward_id
	LEFT JOIN calendar AS c ON c.pool_id = p.pool_id AND c.quota_id = 0 AND c.starts <= now() AND now() < c.ends;
ALTER VIEW pool_status OWNER TO @extowner@;
COMMENT ON VIEW pool_status IS 'Every pool that the reader may know of, as it is now.';
COMMENT ON COLUMN pool_status.pool IS 'Name of the pool.';
COMMENT ON COLUMN pool_status.kind IS 'compute, data or model.';
COMMENT ON COLUMN pool_status.unit IS 'What the quantities count.';
COMMENT ON COLUMN pool_status.steward IS 'Who runs the pool.';
COMMENT ON COLUMN pool_status.price IS 'Price of a unit for an hour, now.';
COMMENT ON COLUMN pool_status.currency IS 'Currency of the price.';
COMMENT ON COLUMN pool_status.capacity IS 'Quantity supplied now; NULL for who is no steward or auditor.';
COMMENT ON COLUMN pool_status.leased IS 'Quantity leased now; likewise.';
COMMENT ON COLUMN pool_status.free IS 'Quantity that is supplied and not leased now.';
COMMENT ON COLUMN pool_status.deficit IS 'Quantity that is leased and not supplied now; likewise.';

CREATE VIEW supply_status WITH (security_invoker) AS
	SELECT p.name AS pool, s.supply_id, v.name AS provider, s.quantity, p.unit, s.during,
		CASE WHEN now() < lower(s.during) THEN 'upcoming'
			WHEN now() < upper(s.during) OR upper_inf(s.during) THEN 'active'
			ELSE 'ended' END AS state,
		s.recorded_at
	FROM supply AS s
	JOIN pool AS p ON p.pool_id = s.pool_id
	JOIN party AS v ON v.party_id = s.provider_id;
ALTER VIEW supply_status OWNER TO @extowner@;
COMMENT ON VIEW supply_status IS 'Supply, with names and its state now.';
COMMENT ON COLUMN supply_status.pool IS 'Name of the pool.';
COMMENT ON COLUMN supply_status.supply_id IS 'Key of the supply within the pool.';
COMMENT ON COLUMN supply_status.provider IS 'Who supplies.';
COMMENT ON COLUMN supply_status.quantity IS 'Quantity added or, if negative, taken away.';
COMMENT ON COLUMN supply_status.unit IS 'What the quantity counts.';
COMMENT ON COLUMN supply_status.during IS 'The period of the supply.';
COMMENT ON COLUMN supply_status.state IS 'upcoming, active or ended: derived from the time now.';
COMMENT ON COLUMN supply_status.recorded_at IS 'When it was recorded.';

CREATE VIEW lease_status WITH (security_invoker) AS
	SELECT p.name AS pool, l.lease_id, c.name AS consumer, l.quantity, p.unit, l.during, l.effective,
		CASE WHEN l.end_reason IS NOT NULL AND now() >= l.ended_at THEN l.end_reason
			WHEN l.held_until <= now() THEN 'expired'
			WHEN l.held_until IS NOT NULL THEN 'held'
			WHEN now() < lower(l.during) THEN 'upcoming'
			WHEN now() < upper(l.during) OR upper_inf(l.during) THEN 'active'
			ELSE 'ended' END AS state,
		coalesce(l.price, p.price) AS price, p.currency, l.reference, l.booking_id,
		l.held_until, l.preemptible, l.refund, l.recorded_at
	FROM lease AS l
	JOIN pool AS p ON p.pool_id = l.pool_id
	JOIN party AS c ON c.party_id = l.consumer_id;
ALTER VIEW lease_status OWNER TO @extowner@;
COMMENT ON VIEW lease_status IS 'Leases, with names and their state now.';
COMMENT ON COLUMN lease_status.pool IS 'Name of the pool.';
COMMENT ON COLUMN lease_status.lease_id IS 'Key of the lease.';
COMMENT ON COLUMN lease_status.consumer IS 'Who holds the lease.';
COMMENT ON COLUMN lease_status.quantity IS 'Quantity leased, in that unit.';
COMMENT ON COLUMN lease_status.unit IS 'What the quantity counts.';
COMMENT ON COLUMN lease_status.during IS 'The period as reserved.';
COMMENT ON COLUMN lease_status.effective IS 'The period for which it really holds its quantity.';
COMMENT ON COLUMN lease_status.state IS 'held (until it is confirmed), upcoming, active, ended, or how it ended early (released, cancelled, expired, reclaimed, amended): derived from the time now.';
COMMENT ON COLUMN lease_status.price IS 'Price of a unit for an hour, in that currency: the lease''s own or else the pool''s.';
COMMENT ON COLUMN lease_status.currency IS 'Currency of the price.';
COMMENT ON COLUMN lease_status.reference IS 'What the lease is called elsewhere.';
COMMENT ON COLUMN lease_status.booking_id IS 'What the lines of a bundle have in common.';
COMMENT ON COLUMN lease_status.held_until IS 'Until when it is held without being confirmed.';
COMMENT ON COLUMN lease_status.preemptible IS 'Whether it may be reclaimed.';
COMMENT ON COLUMN lease_status.refund IS 'Part of the price of the time given back that is paid back.';
COMMENT ON COLUMN lease_status.recorded_at IS 'When it was recorded.';

-- Those who came first, and are not preemptible, keep what there is. A pool is
-- short of what it leases and of what pools below it take.
CREATE VIEW lease_in_deficit WITH (security_invoker) AS
	WITH RECURSIVE below AS (
		SELECT c.pool_id
		FROM calendar AS c
		WHERE c.quota_id = 0 AND c.deficit <> '{}'
		UNION
		SELECT p.pool_id
		FROM pool AS p
		JOIN below ON below.pool_id = p.parent_id
	), node AS MATERIALIZED (
		SELECT p.pool_id, p.parent_id, c.deficit, c.capacity + c.allowance AS limited, c.booked,
			-- what it takes of its parent
			pointwise_min(positive_part(c.booked - c.capacity + l.lent), l.lent + profile(coalesce(p.borrow, 1e10))) AS taken
		FROM pool AS p,
		LATERAL (SELECT sum(c.deficit) AS deficit, sum(c.capacity) AS capacity, sum(c.allowance) AS allowance, sum(c.booked) AS booked
			FROM calendar AS c WHERE c.pool_id = p.pool_id AND c.quota_id = 0) AS c,
		LATERAL (SELECT CASE WHEN p.lend IS NULL THEN c.capacity ELSE pointwise_min(c.capacity, profile(p.lend)) END) AS l (lent)
		WHERE p.pool_id IN (SELECT below.pool_id FROM below)
	), member AS (
		-- the pools whose leases a short one is short of, and how much they take of it
		SELECT node.pool_id AS short_id, node.pool_id, NULL::profile AS taken
		FROM node
		WHERE node.deficit <> '{}'
		UNION ALL
		SELECT m.short_id, node.pool_id, CASE WHEN m.taken IS NULL THEN node.taken ELSE pointwise_min(m.taken, node.taken) END
		FROM member AS m
		JOIN node ON node.parent_id = m.pool_id
	), affected AS (
		SELECT short.pool_id, l.pool_id AS lease_pool_id, l.lease_id, l.consumer_id, l.quantity, l.during, l.preemptible, l.recorded_at,
			o.load, short.deficit, short.limited, short.booked
		FROM node AS short
		JOIN member AS m ON m.short_id = short.pool_id
		JOIN lease AS l ON l.pool_id = m.pool_id,
		LATERAL (SELECT profile(occupied(l.effective, l.buffer), l.quantity)) AS p (load),
		LATERAL (SELECT CASE WHEN m.taken IS NULL THEN p.load ELSE pointwise_min(p.load, m.taken) END) AS o (load)
		WHERE NOT isempty(l.effective) AND pointwise_min(o.load, short.deficit) <> '{}'
	), ranked AS (
		SELECT a.pool_id, a.lease_pool_id, a.lease_id, a.consumer_id, a.quantity, a.during, a.preemptible, a.recorded_at, a.load, a.deficit,
			a.limited, a.booked - sum(a.load) OVER (PARTITION BY a.pool_id) AS others,
			sum(a.load) OVER (PARTITION BY a.pool_id ORDER BY a.preemptible, a.recorded_at, a.lease_id) AS senior
		FROM affected AS a
	), missing AS (
		SELECT r.pool_id, r.lease_pool_id, r.lease_id, r.consumer_id, r.quantity, r.during, r.preemptible, r.recorded_at,
			pointwise_min(pointwise_min(r.load, r.deficit), positive_part(r.senior + r.others - r.limited)) AS missing
		FROM ranked AS r
	)
	SELECT p.name AS pool,
		row_number() OVER (PARTITION BY m.pool_id ORDER BY m.preemptible DESC, m.recorded_at DESC, m.lease_id DESC) AS position,
		m.lease_id, c.name AS consumer, m.quantity, p.unit, m.during, m.preemptible,
		CASE WHEN m.preemptible THEN greatest(now() + own.preemption_notice, lower(m.during)) END AS reclaimable_at,
		m.missing
	FROM missing AS m
	JOIN pool AS p ON p.pool_id = m.pool_id
	JOIN pool AS own ON own.pool_id = m.lease_pool_id
	JOIN party AS c ON c.party_id = m.consumer_id
	WHERE m.missing <> '{}';
ALTER VIEW lease_in_deficit OWNER TO @extowner@;
COMMENT ON VIEW lease_in_deficit IS 'Leases for which there is not enough supply, in the order in which they give way: preemptible ones first, then the youngest. To end the first ones until no row is left makes up for the deficit.';
COMMENT ON COLUMN lease_in_deficit.pool IS 'Name of the pool that has not enough: that of the lease, or one that it borrows from.';
COMMENT ON COLUMN lease_in_deficit.position IS 'Place in the order in which the pool''s leases give way.';
COMMENT ON COLUMN lease_in_deficit.lease_id IS 'Key of the lease.';
COMMENT ON COLUMN lease_in_deficit.consumer IS 'Who holds the lease.';
COMMENT ON COLUMN lease_in_deficit.quantity IS 'Quantity leased, in that unit.';
COMMENT ON COLUMN lease_in_deficit.unit IS 'What the quantity counts.';
COMMENT ON COLUMN lease_in_deficit.during IS 'The period as reserved.';
COMMENT ON COLUMN lease_in_deficit.preemptible IS 'Whether it may be reclaimed.';
COMMENT ON COLUMN lease_in_deficit.reclaimable_at IS 'From when on it can be reclaimed, with the pool''s notice; NULL if it is not preemptible.';
COMMENT ON COLUMN lease_in_deficit.missing IS 'How much of it is not there, over time, in the same unit.';

CREATE VIEW lease_price WITH (security_invoker) AS
	SELECT l.pool_id, l.lease_id, l.consumer_id, l.quantity, l.effective AS period, l.price, true AS used
	FROM lease AS l
	WHERE coalesce(l.held_until > now(), true)
	UNION ALL
	SELECT l.pool_id, l.lease_id, l.consumer_id, l.quantity,
		tstzrange(greatest(lower(l.during), l.ended_at), upper(l.during)), coalesce(l.price, p.price) * (1 - l.refund), false
	FROM lease AS l
	JOIN pool AS p ON p.pool_id = l.pool_id
	WHERE l.refund < 1;
ALTER VIEW lease_price OWNER TO @extowner@;
COMMENT ON VIEW lease_price IS 'What leases are charged for: the time that they hold their quantity (none, if they were held and not confirmed in time), and what is not paid back of the price of the rest.';
COMMENT ON COLUMN lease_price.pool_id IS 'Key of the pool.';
COMMENT ON COLUMN lease_price.lease_id IS 'Key of the lease.';
COMMENT ON COLUMN lease_price.consumer_id IS 'Key of the party that holds the lease.';
COMMENT ON COLUMN lease_price.quantity IS 'Quantity leased, in the pool''s unit.';
COMMENT ON COLUMN lease_price.period IS 'The time that is charged for.';
COMMENT ON COLUMN lease_price.price IS 'Price of a unit for an hour, in the pool''s currency; NULL for the pool''s price.';
COMMENT ON COLUMN lease_price.used IS 'Whether the lease holds its quantity then; if not, it was given back.';

CREATE VIEW charge_division WITH (security_invoker) AS
	SELECT l.name AS pool, b.during AS billing_period, c.charge_id, y.name AS consumer, c.lease_id, c.meter, c.during, c.amount,
		coalesce(- sum(p.amount) FILTER (WHERE a.kind = 'payable'), 0) AS providers,
		coalesce(- sum(p.amount) FILTER (WHERE a.kind = 'fee'), 0) AS fee,
		coalesce(- sum(p.amount) FILTER (WHERE a.kind = 'contributors'), 0) AS contributors, l.currency
	FROM charge AS c
	JOIN pool AS l ON l.pool_id = c.pool_id
	JOIN billing_period AS b ON b.pool_id = c.pool_id AND b.billing_period_id = c.billing_period_id
	JOIN party AS y ON y.party_id = c.consumer_id
	LEFT JOIN journal AS j ON j.source = 'close_billing_period' AND j.source_key = concat_ws('/', c.pool_id, c.billing_period_id, c.consumer_id)
	LEFT JOIN posting AS p ON p.journal_id = j.journal_id AND p.charge_id = c.charge_id
	LEFT JOIN account AS a ON a.account_id = p.account_id
	GROUP BY l.name, l.currency, b.during, c.charge_id, y.name, c.lease_id, c.meter, c.during, c.amount;
ALTER VIEW charge_division OWNER TO @extowner@;
COMMENT ON VIEW charge_division IS 'Who gets what the consumer of a charge pays: amount = providers + fee + contributors, always; sum by lease_id, and it is so for each lease. As it was posted when its billing period closed; who may not see the postings of others, sees no parts.';
COMMENT ON COLUMN charge_division.pool IS 'Name of the pool.';
COMMENT ON COLUMN charge_division.billing_period IS 'The billing period that it is billed in.';
COMMENT ON COLUMN charge_division.charge_id IS 'Key of the charge within the pool.';
COMMENT ON COLUMN charge_division.consumer IS 'Who pays.';
COMMENT ON COLUMN charge_division.lease_id IS 'Under which lease; NULL if under none, or several.';
COMMENT ON COLUMN charge_division.meter IS 'What is charged for: a meter of usage, or ''lease''.';
COMMENT ON COLUMN charge_division.during IS 'The time that it is for.';
COMMENT ON COLUMN charge_division.amount IS 'What the consumer pays, in that currency.';
COMMENT ON COLUMN charge_division.providers IS 'What the providers get of it.';
COMMENT ON COLUMN charge_division.fee IS 'What the steward gets of it.';
COMMENT ON COLUMN charge_division.contributors IS 'What contributors get of it.';
COMMENT ON COLUMN charge_division.currency IS 'The pool''s currency.';

-- The calendar is an exact rollup that is always current: this report reads
-- pages, never leases.
CREATE FUNCTION utilization_report(pool text, during tstzrange, bucket interval DEFAULT '1 day')
	RETURNS TABLE (period tstzrange, capacity_unit_hours numeric, leased_unit_hours numeric,
		idle_unit_hours numeric, deficit_unit_hours numeric, utilization numeric, peak numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE total AS MATERIALIZED (
		SELECT coalesce(sum(c.capacity), '{}') AS capacity,
			coalesce(sum(c.booked), '{}') AS booked,
			coalesce(sum(c.deficit), '{}') AS deficit
		FROM calendar AS c
		WHERE c.pool_id = pool_id(utilization_report.pool) AND c.quota_id = 0
		AND tstzrange(c.starts, c.ends) && during
	), chosen AS MATERIALIZED (
		SELECT p.pool_id, p.time_zone, p.min_parties, has_pool_role(p.pool_id, 'steward', 'auditor') AS sees_all
		FROM pool AS p
		WHERE p.pool_id = pool_id(utilization_report.pool)
	), consumer AS (
		-- who else had leases, if the caller may not see that; teams count as the party that they are part of
		SELECT p.party_id, p.parent_id, range_agg(l.effective) AS held
		FROM chosen
		JOIN lease AS l ON l.pool_id = chosen.pool_id AND l.effective && during
		JOIN party AS p ON p.party_id = l.consumer_id
		WHERE NOT chosen.sees_all AND NOT acts_for(l.consumer_id)
		GROUP BY p.party_id, p.parent_id
	), ancestor AS (
		SELECT c.party_id, c.parent_id, c.held, 0 AS height
		FROM consumer AS c
		UNION ALL
		SELECT p.party_id, p.parent_id, a.held, a.height + 1
		FROM ancestor AS a
		JOIN party AS p ON p.party_id = a.parent_id
		WHERE a.height < 100
	), told AS (
		-- whole days, on each of which enough others had leases: no sum of such days tells of one that is not
		SELECT leased.*, chosen.sees_all OR (
			date_trunc('day', local.starts) = local.starts AND date_trunc('day', local.ends) = local.ends
			AND NOT EXISTS (
				SELECT FROM generate_series(local.starts, local.ends - interval '1 microsecond', interval '1 day') AS day
				WHERE (SELECT count(DISTINCT a.party_id) FROM ancestor AS a
					WHERE a.parent_id IS NULL
					AND a.held && tstzrange(timezone(chosen.time_zone, day), timezone(chosen.time_zone, day + interval '1 day'))
					) < chosen.min_parties)) AS told
		FROM total, chosen, buckets(total.booked, during, bucket, chosen.time_zone) AS leased,
		LATERAL (SELECT timezone(chosen.time_zone, lower(leased.period)), timezone(chosen.time_zone, upper(leased.period))) AS local (starts, ends)
	)
	SELECT t.period, f.*
	FROM told AS t
	LEFT JOIN LATERAL (
		SELECT round(integral(total.capacity, t.period), 6),
			round(t.integral, 6),
			round(integral(total.capacity, t.period), 6) - round(t.integral, 6)
				+ round(integral(total.deficit, t.period), 6),
			round(integral(total.deficit, t.period), 6),
			round(t.integral / nullif(integral(total.capacity, t.period), 0), 6),
			t.peak
		FROM total
		WHERE t.told
	) AS f ON true
	ORDER BY t.period;
END;
COMMENT ON FUNCTION utilization_report(text, tstzrange, interval) IS
'Use of a pool in each bucket of a bounded period (days and months in the pool''s time zone; the last bucket is cut): unit-hours supplied, leased, idle and in deficit, with capacity = leased + idle - deficit always; utilization = leased / capacity, above 1 where there is a deficit, NULL without capacity; and the peak of what was leased. Rounded to 6 decimal places. Errors: 42704 unknown pool, 22023 unbounded period or bucket not positive. To a member of the pool that is no steward or auditor, only buckets of whole days are told, on each of which at least pool.min_parties parties, besides those that it acts for, had leases (teams count as what they are part of); all else is NULL. (Slurm: Reported = Allocated + Idle, OverCommitted.)';

CREATE FUNCTION cost_report(pool text, during tstzrange, scale integer DEFAULT 2)
	RETURNS TABLE (consumer text, leases bigint, unit_hours numeric, cost numeric, currency text, share numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- Unit-seconds are exact, hours are not always; 30 decimal places in the
	-- divisor make the rounded total right whatever the quantities and prices.
	WITH leased AS (
		SELECT priced.consumer_id, priced.currency, sum(priced.leases)::bigint AS leases,
			sum(priced.unit_seconds) AS unit_seconds, sum(priced.charged_seconds * priced.price) AS cost_seconds
		FROM (
			SELECT l.consumer_id, p.currency, coalesce(l.price, p.price) AS price, count(*) FILTER (WHERE l.used) AS leases,
				coalesce(integral(load_profile(l.period, l.quantity) FILTER (WHERE l.used), cost_report.during, '1 second'), 0) AS unit_seconds,
				integral(load_profile(l.period, l.quantity), cost_report.during, '1 second') AS charged_seconds
			FROM lease_price AS l
			JOIN pool AS p ON p.pool_id = l.pool_id
			WHERE l.pool_id = pool_id(cost_report.pool)
			AND l.period && cost_report.during
			GROUP BY l.consumer_id, p.currency, coalesce(l.price, p.price)
		) AS priced
		GROUP BY priced.consumer_id, priced.currency
	), total AS (
		SELECT round(sum(t.unit_seconds) / 3600.000000000000000000000000000000, 6) AS unit_hours,
			round(sum(t.cost_seconds) / 3600.000000000000000000000000000000, scale) AS cost,
			CASE WHEN sum(t.unit_seconds) = 0 THEN 0 ELSE 1 END::numeric AS share
		FROM leased AS t
	)
	SELECT r.name, r.leases, r.unit_hours, r.cost, r.currency, CASE WHEN r.sees_all THEN r.share END
	FROM (
		SELECT c.name, leased.leases,
			split(total.unit_hours, leased.unit_seconds, 6) OVER by_name AS unit_hours,
			split(total.cost, leased.cost_seconds, scale) OVER by_name AS cost,
			leased.currency,
			split(total.share, leased.unit_seconds, 6) OVER by_name AS share,
			leased.consumer_id, has_pool_role(pool_id(cost_report.pool), 'steward', 'auditor') AS sees_all
		FROM leased
		JOIN party AS c ON c.party_id = leased.consumer_id, total
		WINDOW by_name AS (ORDER BY c.name)
	) AS r
	WHERE r.sees_all OR acts_for(r.consumer_id)
	ORDER BY r.name;
END;
COMMENT ON FUNCTION cost_report(text, tstzrange, integer) IS
'What each consumer of a pool leased during a bounded period: number of leases, unit-hours, cost at the price of each lease (with what is not paid back of those given back), and share of the unit-hours. The exact totals are rounded once (unit-hours to 6 decimal places, cost to "scale" of them, half away from zero) and split by largest remainder, so the rows always sum to them, and the shares to 1. Stewards and auditors of the pool see all rows, consumers their own, without the share. Errors: 42704 unknown pool, 22003 unbounded period.';

CREATE FUNCTION revenue_report(pool text, during tstzrange, scale integer DEFAULT 2)
	RETURNS TABLE (provider text, unit_hours numeric, revenue numeric, currency text, share numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH chosen AS (
		SELECT p.pool_id, p.currency, p.price
		FROM pool AS p
		WHERE p.pool_id = pool_id(revenue_report.pool)
	), leased AS (
		SELECT coalesce(l.price, chosen.price) AS price, load_profile(l.period, l.quantity) AS load
		FROM lease_price AS l
		JOIN chosen ON chosen.pool_id = l.pool_id
		WHERE l.period && revenue_report.during
		GROUP BY coalesce(l.price, chosen.price)
	), whole AS (
		SELECT coalesce(sum(leased.price * integral(leased.load, revenue_report.during, '1 second')), 0) AS revenue_seconds
		FROM leased
	), level AS MATERIALIZED (
		SELECT s.*
		FROM supply_level((SELECT chosen.pool_id FROM chosen), revenue_report.during) AS s
	), clock AS MATERIALIZED (
		-- what each unit of supply has earned, from the start until the end of each stretch in which supply does not change
		SELECT lower(p.period) AS starts, upper(p.period) AS ends, p.revenue_seconds, p.unit, sum(p.unit) OVER (ORDER BY p.period) AS until
		FROM (
			SELECT l.period, r.revenue_seconds, r.revenue_seconds * 1.000000000000000000000000000000 / l.quantity AS unit
			FROM level AS l,
				LATERAL (SELECT coalesce(sum(leased.price * integral(leased.load, l.period, '1 second')), 0) AS revenue_seconds FROM leased) AS r
			WHERE l.provider_id IS NULL
		) AS p
	), earned AS (
		SELECT l.provider_id, sum(l.quantity * extract(epoch FROM upper(l.period) - lower(l.period))) AS unit_seconds,
			sum(l.quantity * (b.until - a.until + a.unit)) AS weight
		FROM level AS l
		JOIN clock AS a ON a.starts = lower(l.period)
		JOIN clock AS b ON b.ends = upper(l.period)
		WHERE l.provider_id IS NOT NULL
		GROUP BY l.provider_id
		UNION ALL
		-- while nobody supplied
		SELECT NULL, 0, w.revenue_seconds - coalesce((SELECT sum(c.revenue_seconds) FROM clock AS c), 0)
		FROM whole AS w
		WHERE w.revenue_seconds > coalesce((SELECT sum(c.revenue_seconds) FROM clock AS c), 0)
	), total AS (
		SELECT (SELECT round(sum(earned.unit_seconds) / 3600.000000000000000000000000000000, 6) FROM earned) AS unit_hours,
			(SELECT round(w.revenue_seconds / 3600.000000000000000000000000000000, scale) FROM whole AS w) AS revenue,
			(SELECT CASE WHEN sum(earned.weight) = 0 THEN 0 ELSE 1 END::numeric FROM earned) AS share
	)
	SELECT r.name, r.unit_hours, r.revenue, r.currency, CASE WHEN r.sees_all THEN r.share END
	FROM (
		SELECT v.name,
			split(total.unit_hours, earned.unit_seconds, 6) OVER by_name AS unit_hours,
			split(total.revenue, earned.weight, scale) OVER by_name AS revenue,
			chosen.currency,
			split(total.share, earned.weight, 6) OVER by_name AS share,
			earned.provider_id, has_pool_role(chosen.pool_id, 'steward', 'auditor') AS sees_all
		FROM earned
		LEFT JOIN party AS v ON v.party_id = earned.provider_id, total, chosen
		WINDOW by_name AS (ORDER BY v.name)
	) AS r
	WHERE r.sees_all OR acts_for(r.provider_id)
	ORDER BY r.name;
END;
COMMENT ON FUNCTION revenue_report(text, tstzrange, integer) IS
'What each provider of a pool supplied and earned by leases during a bounded period: unit-hours supplied, revenue at the price of each lease, and share of it; who supplied nothing then has no row (what is billed for usage and by rates, too, is in profit_report). At each instant revenue is divided in proportion to what each supplies then; what was leased while nobody supplied is in a row without provider. The total is that of cost_report, rounded once and split by largest remainder, so the rows always sum to it. Stewards and auditors of the pool see all rows, providers their own, without the share. Errors: 42704 unknown pool, 22023 unbounded period.';


CREATE FUNCTION contributor_report(project text, during tstzrange DEFAULT '(,)', merges boolean DEFAULT true,
	committed boolean DEFAULT false, bots boolean DEFAULT false, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (contributors bigint, newcomers bigint, returning_contributors bigint, inactive bigint,
		commits bigint, lines_added bigint, lines_removed bigint,
		absence_factor integer, absence_factor_by_lines integer, elephant_factor integer, hhi numeric, gini numeric,
		core integer, regular integer, casual integer)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	WITH commit AS MATERIALIZED (
		SELECT c.contributor, CASE WHEN committed THEN coalesce(c.done_at, c.at) ELSE c.at END AS at, c.added, c.removed
		FROM contributions(contributor_report.project, contributor_report.as_of, contributor_report.known_at, contributor_report.bots) AS c
		WHERE c.kind = 'commit' AND c.role = 'author' AND (merges OR NOT c.is_merge)
	), past AS (
		-- since the beginning, up to the end of the period
		SELECT activity(c.contributor, c.at, c.added, c.removed) AS all_time,
			activity(c.contributor, c.at, c.added, c.removed) FILTER (WHERE c.at <@ during) AS now
		FROM commit AS c
		WHERE upper_inf(during) OR c.at < upper(during)
	), organization AS (
		SELECT absence_factor(tally(c.organization, c.share)) AS factor
		FROM contributions_by_organization(contributor_report.project, contributor_report.as_of, contributor_report.known_at, contributor_report.bots) AS c
		WHERE c.kind = 'commit' AND c.role = 'author' AND (merges OR NOT c.is_merge) AND c.organization IS NOT NULL
		AND CASE WHEN committed THEN coalesce(c.done_at, c.at) ELSE c.at END <@ during
	)
	SELECT coalesce(parties(p.now), 0), coalesce(parties(newcomers(p.all_time, during)), 0),
		coalesce(parties(p.now), 0) - coalesce(parties(newcomers(p.all_time, during)), 0),
		coalesce(parties(p.all_time), 0) - coalesce(parties(p.now), 0),
		coalesce(contributions(p.now), 0), coalesce(lines_added(p.now), 0), coalesce(lines_removed(p.now), 0),
		absence_factor(by_count(p.now)), absence_factor(by_lines(p.now)), o.factor, hhi(by_count(p.now)), gini(by_count(p.now)),
		parties(core(by_count(p.now))), parties(regular(by_count(p.now))), parties(casual(by_count(p.now)))
	FROM past AS p, organization AS o;
END;
COMMENT ON FUNCTION contributor_report(text, tstzrange, boolean, boolean, boolean, timestamptz, timestamptz) IS
'Who wrote a project during a period, in one row, by the authors of its commits (with merges, or without; by the time they were authored, or committed; bots if asked for; people and organizations as of an instant and as known at one, see contributions()): contributors; of them newcomers, whose first commit of all is in the period, and those who return; inactive, who had contributed before and did not; commits and lines; absence factor by commits and by lines (the least number of people who did half of it), elephant factor (of organizations; what no organization has is left out); concentration (HHI, Gini) and how many are core (the first 80 % of commits), regular (the next 15 %) and casual. Source: CHAOSS. NULL where there were no commits. Error: 42704 unknown project.';

CREATE FUNCTION review_report(project text, during tstzrange DEFAULT '(,)', fraction double precision DEFAULT 0.5,
	bots boolean DEFAULT false, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (opened bigint, merged bigint, declined bigint, acceptance_ratio numeric,
		open bigint, closure_ratio numeric, efficiency_index numeric,
		responded bigint, time_to_first_response interval, time_to_merge interval,
		reviews bigint, reviewers bigint, merged_without_review bigint)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	WITH told AS MATERIALIZED (
		SELECT c.kind, c.ref, c.role, c.at, c.done_at, c.state, c.subject_ref, c.contributor
		FROM contributions(review_report.project, review_report.as_of, review_report.known_at, review_report.bots) AS c
		WHERE c.kind = 'change_request' AND c.role = 'author'
		OR c.kind IN ('comment', 'review') AND c.subject_kind = 'change_request'
	), answer AS (
		-- what others said of a change request
		SELECT q.ref, min(a.at) AS first_at, bool_or(a.kind = 'review' AND a.at <= q.done_at) AS reviewed
		FROM told AS q
		JOIN told AS a ON a.subject_ref = q.ref
		WHERE q.kind = 'change_request' AND a.contributor <> q.contributor AND a.at >= q.at
		GROUP BY q.ref
	), request AS (
		SELECT q.at <@ during AS opened_then, q.done_at <@ during AS closed_then, q.state = 'merged' AS was_merged,
			tstzrange(least(q.at, q.done_at), q.done_at, '[]') && during AS open_then,
			a.first_at - q.at AS response, q.done_at - q.at AS duration, coalesce(a.reviewed, false) AS reviewed
		FROM told AS q
		LEFT JOIN answer AS a ON a.ref = q.ref
		WHERE q.kind = 'change_request'
	), count AS (
		SELECT count(*) FILTER (WHERE opened_then) AS opened,
			count(*) FILTER (WHERE closed_then) AS closed,
			count(*) FILTER (WHERE closed_then AND was_merged) AS merged,
			count(*) FILTER (WHERE open_then) AS open,
			count(response) FILTER (WHERE opened_then) AS responded,
			percentile_disc(review_report.fraction) WITHIN GROUP (ORDER BY response) FILTER (WHERE opened_then) AS time_to_first_response,
			percentile_disc(review_report.fraction) WITHIN GROUP (ORDER BY duration) FILTER (WHERE opened_then AND was_merged) AS time_to_merge,
			count(*) FILTER (WHERE closed_then AND was_merged AND NOT reviewed) AS merged_without_review
		FROM request
	), review AS (
		SELECT count(*) AS reviews, count(DISTINCT t.contributor) AS reviewers
		FROM told AS t
		WHERE t.kind = 'review' AND t.at <@ during
	)
	SELECT c.opened, c.merged, c.closed - c.merged, round(c.merged::numeric / nullif(c.closed, 0), 6),
		c.open, round(c.closed::numeric / nullif(c.open, 0), 6), round(c.closed::numeric / nullif(c.opened, 0), 6),
		c.responded, c.time_to_first_response, c.time_to_merge, r.reviews, r.reviewers, c.merged_without_review
	FROM count AS c, review AS r;
END;
COMMENT ON FUNCTION review_report(text, tstzrange, double precision, boolean, timestamptz, timestamptz) IS
'How a project deals with change requests, in one row (bots if asked for; people as of an instant and as known at one, see contributions()): opened, merged and declined (closed without a merge) during the period; acceptance ratio, merged / (merged + declined); open, at some time of the period; closure ratio, (merged + declined) / open, from 0 to 1 (CHAOSS); efficiency index, (merged + declined) / opened, which is above 1 where a backlog shrinks (GrimoireLab); of those opened during the period, how many somebody else than their author responded to with a comment or review, whenever that was, and the time that took, and the time from opening to merge of those that were merged: both the given fraction of them in order (percentile_disc; 0.5 is the median); reviews during the period, and by how many; how many were merged then that nobody else had reviewed. Who has two identities is the same person once they are linked. Ratios have 6 decimal places. NULL where there is nothing to divide by. Source: CHAOSS. Errors: 42704 unknown project, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION health_report(project text, during tstzrange DEFAULT '(,)', merges boolean DEFAULT true,
	committed boolean DEFAULT false, bots boolean DEFAULT false, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (time_to_first_response interval, closure_ratio numeric, absence_factor integer, releases bigint, release_interval interval)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	WITH release AS (
		SELECT count(*) AS releases, (max(c.done_at) - min(c.done_at)) / nullif(count(*) - 1, 0) AS release_interval
		FROM contributions(health_report.project, health_report.as_of, health_report.known_at, true) AS c
		WHERE c.kind = 'release' AND c.state = 'released' AND c.done_at <@ during
	)
	SELECT v.time_to_first_response, v.closure_ratio, c.absence_factor, r.releases, r.release_interval
	FROM review_report(health_report.project, health_report.during, bots => health_report.bots, as_of => health_report.as_of,
			known_at => health_report.known_at) AS v,
		contributor_report(health_report.project, health_report.during, health_report.merges, health_report.committed,
			health_report.bots, health_report.as_of, health_report.known_at) AS c,
		release AS r;
END;
COMMENT ON FUNCTION health_report(text, tstzrange, boolean, boolean, boolean, timestamptz, timestamptz) IS
'The four metrics of the CHAOSS Starter Project Health model, in one row: the median time from a change request to the first response of somebody else, and the change request closure ratio, as in review_report(); the contributor absence factor by commits, as in contributor_report(), with the same parameters; release frequency: how many releases were published during the period, by whomever or whatever, without drafts and pre-releases, and the mean time from one to the next (NULL for fewer than two). Error: 42704 unknown project.';
