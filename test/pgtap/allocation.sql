-- allocation.sql
--		cost_allocation() conserves what supply costs under every mode (I7), its
--		direct part is that of an hour-by-hour recomputation in plain SQL, and
--		profit_report() sums to the pool.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
\ir ../helpers.sql
SELECT plan(20);
SELECT setseed(0.3);

-- hours and whole units, so that plain SQL can sum hour by hour
SELECT count(create_party('al_' || p)) FROM unnest('{commons,north,south,platform,ann,bob,idle}'::text[]) AS p;
SELECT create_pool('al', 'compute', 'gpu', 'al_commons', price => 2);
UPDATE pool SET fee = 0.1, contributors_share = 0.05 WHERE name = 'al';
SELECT count(invite('al', 'al_' || p, r)), count(accept('al', 'al_' || p, r))
FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('platform', 'consumer'), ('ann', 'consumer'), ('bob', 'consumer'), ('idle', 'consumer')) AS m (p, r);
SELECT add_supply('al', 'al_north', 12, '[2026-01-01,2026-01-20)'), add_supply('al', 'al_south', 7, '[2026-01-05 06:00,)');
UPDATE supply SET cost_rate = 1.37 WHERE provider_id = party_id('al_north');
UPDATE supply SET cost_rate = 0.91 WHERE provider_id = party_id('al_south');
SELECT withdraw_supply('al', 'al_north', 5, '[2026-01-10,2026-01-12)');
SELECT count(public.try(format('SELECT reserve(%L, %L, %s, tstzrange(%L, %L))', 'al', 'al_' || (ARRAY['platform', 'ann', 'bob'])[1 + i % 3], 1 + i % 4, t, t + (1 + i % 30) * interval '1 hour')))
FROM generate_series(1, 150) AS i, LATERAL (SELECT '2026-01-01'::timestamptz + floor(random() * 700 + i * 0) * interval '1 hour') AS x (t);

CREATE TEMP TABLE hour AS
SELECT h, (SELECT sum(quantity) FROM supply WHERE pool_id = pool_id('al') AND during @> h) AS capacity,
	-- what is withdrawn costs nothing any more, at the average of its provider
	(SELECT sum(n) FROM (SELECT sum(quantity * cost_rate) FILTER (WHERE quantity > 0) * sum(quantity) / sum(quantity) FILTER (WHERE quantity > 0) AS n
		FROM supply WHERE pool_id = pool_id('al') AND during @> h GROUP BY provider_id) AS c) AS cost
FROM generate_series('2026-01-01'::timestamptz, '2026-01-30 23:00', '1 hour') AS h;
SELECT cmp_ok((SELECT count(*) FROM lease WHERE pool_id = pool_id('al')), '>', 40::bigint, 'there are leases');

SELECT is((SELECT sum(cost) FROM cost_allocation('al', '[2026-01-01,2026-01-31)')), (SELECT round(sum(cost), 2) FROM hour),
	'all costs together are what supply costs');
SELECT is_empty($$
	SELECT a.consumer, a.direct, p.direct
	FROM cost_allocation('al', '[2026-01-01,2026-01-31)') AS a
	JOIN (SELECT c.name, sum(l.quantity * h.cost / h.capacity) AS direct
		FROM hour AS h JOIN lease AS l ON l.pool_id = pool_id('al') AND l.effective @> h.h JOIN party AS c ON c.party_id = l.consumer_id
		GROUP BY c.name) AS p ON p.name = a.consumer
	WHERE abs(a.direct - p.direct) >= 0.01$$, 'direct cost is that of plain SQL, to less than a cent');
SELECT is((SELECT count(*) FROM cost_allocation('al', '[2026-01-01,2026-01-31)') WHERE consumer IS NOT NULL AND direct > 0), 3::bigint, 'of all consumers');

-- I7
SELECT is_empty($$
	SELECT i, s, o, m.*
	FROM unnest('{separate,even,weighted,peak,coincident_peak,measure}'::text[]) AS i, unnest('{even,weighted,peak,coincident_peak,measure}'::text[]) AS s,
		unnest('{0,123.45}'::numeric[]) AS o, unnest(ARRAY['{}', '{al_platform}', '{al_platform,al_ann,al_bob}']::text[]) AS g,
		LATERAL (SELECT sum(cost) AS cost, sum(shared_share) AS shared, sum(overhead_share) AS overhead, sum(direct + idle_share) AS supply
			FROM cost_allocation('al', '[2026-01-01,2026-01-31)', i, g::text[], s, o, tally '{"al_ann": 3, "al_bob": 1}')) AS m
	WHERE m.cost <> (SELECT round(sum(cost), 2) FROM hour) + o OR m.shared <> 0 OR m.overhead <> o OR m.supply <> (SELECT round(sum(cost), 2) FROM hour)$$,
	'I7: whatever the modes, the total is conserved, and so is each column');
SELECT is((SELECT cost FROM cost_allocation('al', '[2026-01-01,2026-01-31)', 'weighted', '{al_platform}', 'even') WHERE consumer = 'al_platform'), 0.00, 'a shared consumer bears nothing itself');
SELECT is((SELECT count(*) FROM cost_allocation('al', '[2026-01-01,2026-01-31)', 'even') WHERE consumer IS NULL), 0::bigint, 'and idle cost that is shared out is nobody''s any more');
SELECT is((SELECT array_agg(overhead_share ORDER BY consumer) FROM cost_allocation('al', '[2026-01-01,2026-01-31)', share => 'measure', overhead => 10, measure => '{"al_ann": 3, "al_bob": 1}') WHERE consumer IS NOT NULL),
	'{7.50,2.50,0.00}'::numeric[], 'by a measure of one''s own');

-- reserved, and not used
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
SELECT pool_id('al'), l.consumer_id, 'gpu-hours', sum(l.quantity * extract(epoch FROM upper(l.effective) - lower(l.effective)) / 3600) / 4, '[2026-01-01,2026-01-01]', '2026-01-01', 'al', l.consumer_id::text
FROM lease AS l WHERE l.pool_id = pool_id('al') AND l.effective <@ '[2026-01-01,2026-01-31)' GROUP BY l.consumer_id;
SELECT is_empty($$SELECT consumer, direct, unused FROM cost_allocation('al', '[2026-01-01,2026-01-31)', used_meter => 'gpu-hours')
	WHERE consumer IS NOT NULL AND (unused < direct * 0.74 OR unused > direct)$$, 'what was reserved and not used is its holder''s');

-- the three measures
SELECT results_eq($$SELECT sum(cost), sum(revenue), sum(revenue - fees - cost) FROM profit_report('al', '[2026-01-01,2026-01-31)')$$,
	$$SELECT (SELECT sum(round(c, 2)) FROM (SELECT sum(extract(epoch FROM upper(period) - lower(period)) / 3600 * hourly) AS c FROM supply_level(pool_id('al'), '[2026-01-01,2026-01-31)') WHERE provider_id IS NOT NULL GROUP BY provider_id) AS s),
		(SELECT sum(cost) FROM cost_report('al', '[2026-01-01,2026-01-31)')), (SELECT sum(profit) FROM profit_report('al', '[2026-01-01,2026-01-31)'))$$,
	'cost, revenue and profit sum to the pool''s');
SELECT cmp_ok(abs((SELECT sum(leased_unit_hours) FROM profit_report('al', '[2026-01-01,2026-01-31)'))
	- (SELECT sum(leased_unit_hours) FROM utilization_report('al', '[2026-01-01,2026-01-31)', '1 month'))), '<', 0.00001, 'and what is leased of each is what is leased');

-- supply, against plain SQL by the hour
SELECT is_empty($$
	SELECT h, c.* FROM hour, LATERAL (SELECT sum(quantity) FILTER (WHERE provider_id IS NULL) AS whole, sum(quantity) FILTER (WHERE provider_id IS NOT NULL) AS parts,
			sum(hourly) FILTER (WHERE provider_id IS NULL) AS whole_cost, sum(hourly) FILTER (WHERE provider_id IS NOT NULL) AS part_cost
		FROM supply_level(pool_id('al'), '[2026-01-01,2026-01-31)') WHERE period @> h) AS c
	WHERE c.whole <> capacity OR c.parts <> capacity OR abs(c.whole_cost - hour.cost) > 1e-15 OR c.part_cost <> c.whole_cost$$,
	'supply_level() is what is supplied at each hour, and what that costs');

-- the same engine for energy and emissions
UPDATE supply SET power = 400, embodied = 31.7, region = 'al_r1' WHERE provider_id = party_id('al_north');
UPDATE supply SET power = 333.3, embodied = 17, region = 'al_r2' WHERE provider_id = party_id('al_south');
SELECT set_grid_intensity('al_r1', load_profile(tstzrange(h, h + interval '1 hour'), (300 + random() * 200)::numeric(9, 3)), '[2026-01-01,2026-01-25)')
FROM generate_series('2026-01-01'::timestamptz, '2026-01-30 23:00', '1 hour') AS h \g /dev/null
SELECT set_grid_intensity('al_r2', profile(57.7)) \g /dev/null
CREATE TEMP TABLE emitted AS SELECT w.what, a.* FROM unnest('{energy,operational,embodied}'::text[]) AS w (what),
	cost_allocation('al', '[2026-01-01,2026-01-31)', what => w.what, scale => 6) AS a;
SELECT is_empty($$
	SELECT * FROM emitted AS e FULL JOIN (SELECT c.consumer, v.* FROM carbon_report('al', '[2026-01-01,2026-01-31)') AS c,
		LATERAL (VALUES ('energy', c.energy), ('operational', c.operational), ('embodied', c.embodied)) AS v (what, amount)) AS c ON c.what = e.what AND c.consumer IS NOT DISTINCT FROM e.consumer
	WHERE abs(e.cost - c.amount) <= 0.000002 IS NOT TRUE$$, 'energy and emissions are allocated as carbon_report() has them');
SELECT results_eq($$SELECT what, sum(cost) FROM emitted GROUP BY what ORDER BY what$$,
	$$SELECT v.what, sum(v.amount) FROM carbon_report('al', '[2026-01-01,2026-01-31)') AS c, LATERAL (VALUES ('energy', c.energy), ('operational', c.operational), ('embodied', c.embodied)) AS v (what, amount)
	GROUP BY v.what ORDER BY v.what$$, 'to the same totals, to the last place');
SELECT is_empty($$
	SELECT i, m.* FROM unnest('{even,weighted,peak,coincident_peak}'::text[]) AS i,
		LATERAL (SELECT sum(cost) AS cost, count(*) FILTER (WHERE consumer IS NULL) AS idle, min(currency) AS unit FROM cost_allocation('al', '[2026-01-01,2026-01-31)', i, what => 'operational', scale => 6)) AS m
	WHERE m.cost <> (SELECT sum(cost) FROM emitted WHERE what = 'operational') OR m.idle <> 0 OR m.unit <> 'gCO2e'$$, 'and what is idle can be shared out in every way');
SELECT throws_ok($$SELECT cost_allocation('al', '[2026-01-01,2026-01-31)', what => 'water')$$, '22023', 'unknown mode "water"', 'nothing else is allocated');

-- revenue is all that is billed, of usage and by rates, too, divided as closing does
SELECT set_rate('al', 'gpu-hours', 0.0137, valid => '(,)'), set_rate('al', 'lease', 1.77, valid => '[2026-01-08,)'),
	record_usage('al', 'al_ann', 'gpu-hours', 777, '[2026-01-09,2026-01-09]', 'al', 'of south', provider => 'al_south'),
	record_usage('al', 'al_ann', 'gpu-hours', -999, '[2026-01-09,2026-01-09]', 'al', 'south, corrected', provider => 'al_south') \g /dev/null
CREATE TEMP TABLE profit AS SELECT * FROM profit_report('al', '[2026-01-01,2026-01-31)');
SELECT is((SELECT sum(revenue) FROM profit), (SELECT round(sum(billed_cost), 2) FROM rated('al', '[2026-01-01,2026-01-31)')), 'revenue is what is billed');
SELECT close_billing_period('al', '[2026-01-01,2026-01-31)') IS NOT NULL \g /dev/null
SELECT is_empty($$SELECT provider, revenue - fees, -balance FROM profit FULL JOIN balances('al') AS b ON b.party = profit.provider AND b.kind = 'payable'
	WHERE b.kind = 'payable' AND abs(revenue * 0.85 + balance) < 0.05 IS NOT TRUE AND coalesce(revenue, balance) <> 0$$, 'and each provider''s is what is owed to it, but for the rounding of each invoice');
SELECT cmp_ok((SELECT count(*) FROM profit WHERE revenue <> 0), '>=', 2::bigint, 'of both');

-- what a thousand providers earn, whose supply all begins at times of its own, is one pass over each one's
SELECT create_party('al_p' || i) FROM generate_series(1, 1000) AS i \g /dev/null
SELECT create_pool('al2', 'compute', 'gpu', 'al_commons', price => 1) \g /dev/null
INSERT INTO supply (pool_id, provider_id, quantity, during)
SELECT pool_id('al2'), party_id('al_p' || i), 1 + i % 7, tstzrange('2026-01-01'::timestamptz + i * interval '17 min', NULL) FROM generate_series(1, 1000) AS i;
SELECT invite('al2', 'al_ann', 'consumer'), accept('al2', 'al_ann', 'consumer') \g /dev/null
SELECT reserve('al2', 'al_ann', 3, '[2026-01-03,2026-01-30)') IS NOT NULL \g /dev/null
SELECT is((SELECT ROW(count(*), sum(revenue), sum(cost), sum(leased_unit_hours), sum(unit_hours)) FROM profit_report('al2', '[2026-01-01,2026-02-01)')),
	(SELECT ROW(1000::bigint, 1944.00, round(sum(q * s), 2), 1944.000000, round(sum(q * s), 6)) FROM (
		SELECT quantity AS q, extract(epoch FROM '2026-02-01' - lower(during)) / 3600 AS s FROM supply WHERE pool_id = pool_id('al2')) AS x), 'sums of a thousand rows are the pool''s');

SELECT * FROM finish();
ROLLBACK;
