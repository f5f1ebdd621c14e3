-- reports.sql: views and reports

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
\set ECHO all
TRUNCATE party RESTART IDENTITY CASCADE;

SELECT count(create_party(name)) FROM unnest('{grid,north,south,ann,bob,cy}'::text[]) AS name;
CREATE FUNCTION members(pool text) RETURNS bigint LANGUAGE sql AS $$
	WITH invited AS (
		INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT pool_id(pool), party_id, CASE WHEN name IN ('north', 'south') THEN 'provider' ELSE 'consumer' END, now()
		FROM party WHERE name <> 'grid'
		RETURNING party_id
	)
	SELECT count(*) FROM invited;
$$;

--
-- utilization_report, on the days when clocks change
--
SELECT create_pool('gpu', 'compute', 'gpu', 'grid', price => 2, currency => 'EUR', time_zone => 'Europe/Berlin'), members('gpu');
SELECT add_supply('gpu', 'north', 10, '[2026-01-01,2027-01-01)');
SELECT reserve('gpu', 'ann', 4, '[2026-03-28 12:00,2026-03-29 10:00)'), reserve('gpu', 'bob', 10, '[2026-10-24 22:00,2026-10-25 23:00)'),
	reserve('gpu', 'ann', 0.000001, '[2026-10-25 23:00,2026-10-25 23:00:01)');
-- a day of 23 hours
SELECT * FROM utilization_report('gpu', '[2026-03-28 00:00 Europe/Berlin,2026-03-31 00:00 Europe/Berlin)');
-- one of 25, and what rounds to nothing
SELECT * FROM utilization_report('gpu', '[2026-10-24 00:00 Europe/Berlin,2026-10-27 00:00 Europe/Berlin)');
-- months, of 28, 30 and 31 days, one an hour short and one an hour long; the last bucket is cut
SELECT * FROM utilization_report('gpu', '[2026-01-01 00:00 Europe/Berlin,2026-11-15 00:00 Europe/Berlin)', '1 month');
-- hours over the change
SELECT * FROM utilization_report('gpu', '[2026-10-25 00:00,2026-10-25 03:30)', '1 hour');
SELECT * FROM utilization_report('gpu', '[2026-03-28 23:30,2026-03-29 03:00)', '90 min');
-- before supply, and across its end
SELECT * FROM utilization_report('gpu', '[2025-12-30,2026-01-02)');
SELECT * FROM utilization_report('gpu', '[2026-12-31 12:00,2027-01-01 12:00)', '6 hours');
SELECT count(*), min(lower(period)), max(upper(period)), sum(capacity_unit_hours), sum(leased_unit_hours), bool_and(capacity_unit_hours = leased_unit_hours + idle_unit_hours - deficit_unit_hours)
FROM utilization_report('gpu', '[2026-01-01,2027-01-01)', '1 hour');

-- deficit shows
SELECT withdraw_supply('gpu', 'north', 8, '[2026-10-25 00:00,2026-10-25 12:00)');
SELECT * FROM utilization_report('gpu', '[2026-10-24 22:00,2026-10-26 00:00)', '6 hours');
SELECT withdraw_supply('gpu', 'north', 2, '[2026-10-25 00:00,2026-10-25 12:00)');
SELECT * FROM utilization_report('gpu', '[2026-10-25 00:00,2026-10-25 12:00)', '12 hours');

-- an empty pool; nothing to report
SELECT create_pool('empty', 'data', 'seat', 'grid');
SELECT * FROM utilization_report('empty', '[2026-01-01,2026-01-03)');
SELECT * FROM utilization_report('gpu', 'empty');
SELECT count(*) FROM utilization_report('gpu', NULL);
SELECT count(*) FROM utilization_report(NULL, '[2026-01-01,2026-01-03)');
SELECT count(*) FROM utilization_report('gpu', '[2026-01-01,2026-01-03)', NULL);

\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT * FROM utilization_report('nothing', '[2026-01-01,2026-01-03)')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '[2026-01-01,)')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '(,2026-01-01)')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '(,)')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '[2026-01-01,infinity)')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '[2026-01-01,2026-01-03)', '0')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '[2026-01-01,2026-01-03)', '-1 day')$$);
SELECT try($$SELECT * FROM utilization_report('gpu', '[2026-01-01,2026-01-03)', '1 month -31 days')$$);
\pset tuples_only off
\pset format aligned

--
-- cost_report: the price of a lease is that of its day
--
SELECT create_pool('seats', 'data', 'seat', 'grid', price => 0.10), members('seats');
SELECT add_supply('seats', 'north', 100, '[2026-01-01,2027-01-01)');
SELECT reserve('seats', 'ann', 1, '[2026-01-01,2026-01-02)');
UPDATE pool SET price = 0.50 WHERE name = 'seats';
SELECT reserve('seats', 'ann', 1, '[2026-01-02,2026-01-03)'), reserve('seats', 'bob', 2, '[2026-01-01,2026-01-05)') AS released, reserve('seats', 'cy', 7, '[2026-01-01,2026-01-03)') AS cancelled;
UPDATE pool SET price = 0.70 WHERE name = 'seats';
-- without a price of its own, a lease has the pool's of now
INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('seats'), party_id('cy'), 1, '[2026-01-31,2026-02-02)');
SELECT release((SELECT lease_id FROM lease WHERE quantity = 2), '2026-01-02 12:00'), cancel((SELECT lease_id FROM lease WHERE quantity = 7), '2025-12-31');
-- ann 24 x 0.10 + 24 x 0.50; bob 72 x 0.50; cy 24 x 0.70 in January, of 48
SELECT * FROM cost_report('seats', '[2026-01-01,2026-02-01)');
SELECT * FROM cost_report('seats', '[2026-01-01,2027-01-01)');
SELECT * FROM cost_report('seats', '[2026-01-01 12:00,2026-01-02 12:00)', 0);
SELECT * FROM cost_report('seats', '[2026-01-03,2026-01-04)');
SELECT * FROM cost_report('seats', 'empty');
SELECT * FROM cost_report('empty', '[2026-01-01,2026-02-01)');
SELECT count(*) FROM cost_report(NULL, '[2026-01-01,2026-02-01)');
SELECT count(*) FROM cost_report('seats', NULL);

-- thirds: the total is rounded once, then split
SELECT create_pool('thirds', 'model', 'replica', 'grid', price => 0.333333333333), members('thirds');
SELECT add_supply('thirds', 'north', 1, '[2026-01-01,2027-01-01)'), add_supply('thirds', 'south', 2, '[2026-01-01,2027-01-01)');
SELECT reserve('thirds', c, 1, '[2026-01-01,2026-01-01 01:00)') FROM unnest('{cy,bob,ann}'::text[]) AS c;
SELECT * FROM cost_report('thirds', '[2026-01-01,2026-01-02)');
SELECT * FROM cost_report('thirds', '[2026-01-01,2026-01-02)', 0);
SELECT * FROM cost_report('thirds', '[2026-01-01,2026-01-02)', 12);
-- twenty minutes are a third of an hour
SELECT * FROM cost_report('thirds', '[2026-01-01 00:20,2026-01-01 00:40)', 4);
SELECT * FROM revenue_report('thirds', '[2026-01-01,2026-01-02)');
SELECT * FROM revenue_report('thirds', '[2026-01-01 00:20,2026-01-01 00:40)', 4);

-- many consumers
SELECT create_pool('many', 'compute', 'gpu', 'grid', price => 0.07), members('many');
SELECT add_supply('many', 'north', 1000, '[2026-01-01,2026-03-01)'), add_supply('many', 'south', 337, '[2026-01-11 01:02:03.456789,2026-02-01)');
SELECT count(create_party('consumer ' || i)) FROM generate_series(1, 1000) AS i;
INSERT INTO lease (pool_id, consumer_id, quantity, during, price)
SELECT pool_id('many'), party_id('consumer ' || i), 1 + i % 7 * 0.001, tstzrange('2026-01-01'::timestamptz + i * interval '17 min 1.000001 s', '2026-01-20'::timestamptz + i * interval '37 min'), round(i % 11 / 7.0, 9)
FROM generate_series(1, 1000) AS i WHERE i % 50 <> 0;
SELECT count(*), sum(leases), sum(unit_hours), sum(cost), sum(share), min(cost), max(cost) FROM cost_report('many', '[2026-01-01,2026-02-01)');
SELECT count(*), sum(unit_hours), sum(revenue), sum(share) FROM revenue_report('many', '[2026-01-01,2026-02-01)');
-- of the total: exactly, by another way
SELECT round(sum(extract(epoch FROM upper(w) - lower(w)) * quantity * price) / 3600, 2) AS cost, round(sum(extract(epoch FROM upper(w) - lower(w)) * quantity) / 3600, 6) AS unit_hours
FROM (SELECT quantity, price, effective * '[2026-01-01,2026-02-01)' AS w FROM lease WHERE pool_id = pool_id('many')) AS l WHERE NOT isempty(w);
SELECT scale, (SELECT sum(cost) FROM cost_report('many', '[2026-01-05 06:07:08.9,2026-01-25)', scale)) = (SELECT sum(revenue) FROM revenue_report('many', '[2026-01-05 06:07:08.9,2026-01-25)', scale)) AS equal
FROM generate_series(0, 9) AS scale;
-- four days at a time
SELECT count(*), bool_and(c.cost = r.revenue) AS equal, bool_and(r.share = 1) AS whole, bool_and(r.unit_hours = u.capacity_unit_hours) AS capacity, bool_and(c.unit_hours = u.leased_unit_hours) AS leased
FROM utilization_report('many', '[2026-01-01,2026-02-10)', '4 days') AS u,
	LATERAL (SELECT sum(cost) AS cost, sum(unit_hours) AS unit_hours FROM cost_report('many', u.period)) AS c,
	LATERAL (SELECT sum(revenue) AS revenue, sum(unit_hours) AS unit_hours, sum(share) AS share FROM revenue_report('many', u.period)) AS r
WHERE c.cost IS NOT NULL;

--
-- revenue_report: by what each supplies at each instant
--
SELECT create_pool('shared', 'compute', 'gpu', 'grid', price => 1), members('shared');
SELECT add_supply('shared', 'north', 3, '[2026-01-01,2026-01-11)'), add_supply('shared', 'south', 1, '[2026-01-06,2026-01-16)');
SELECT reserve('shared', 'ann', 1, '[2026-01-01,2026-01-16)');
-- north 5 x 24 + 5 x 24 x 3/4, south 5 x 24 x 1/4 + 5 x 24
SELECT * FROM revenue_report('shared', '[2026-01-01,2026-02-01)');
SELECT * FROM cost_report('shared', '[2026-01-01,2026-02-01)');
-- the share changes in the middle of the lease, and of the day
SELECT * FROM revenue_report('shared', '[2026-01-05 12:00,2026-01-06 12:00)');
-- withdrawn: less for north
SELECT withdraw_supply('shared', 'north', 2, '[2026-01-06,2026-01-11)');
SELECT * FROM revenue_report('shared', '[2026-01-01,2026-02-01)');
-- nobody supplies any more: leased all the same, and earned by nobody
SELECT withdraw_supply('shared', 'north', 3, '[2026-01-02,2026-01-04)');
SELECT * FROM revenue_report('shared', '[2026-01-01,2026-02-01)');
SELECT * FROM cost_report('shared', '[2026-01-01,2026-02-01)');
SELECT * FROM utilization_report('shared', '[2026-01-01,2026-01-16)', '5 days');
SELECT * FROM revenue_report('shared', '[2026-01-02,2026-01-04)');
-- supplied, but not leased; neither; nothing ever
SELECT reserve('shared', 'bob', 1, '[2026-01-01,2026-01-02)');
SELECT * FROM revenue_report('many', '[2026-02-20,2026-02-21)');
SELECT * FROM revenue_report('shared', '[2027-01-01,2027-02-01)');
SELECT * FROM revenue_report('empty', '[2026-01-01,2026-02-01)');
SELECT count(*) FROM revenue_report(NULL, '[2026-01-01,2026-02-01)');

\pset tuples_only on
\pset format unaligned
SELECT try(format($$SELECT * FROM %s('nothing', '[2026-01-01,2026-02-01)')$$, r)) FROM unnest('{cost_report,revenue_report}'::text[]) AS r;
-- something open-ended, in an unbounded period
SELECT create_pool('open', 'compute', 'gpu', 'grid', price => 1), members('open');
SELECT add_supply('open', 'north', 3, '[2026-01-01,)'), reserve('open', 'ann', 1, '[2026-01-01,)');
SELECT try(format($$SELECT * FROM %s('open', %L)$$, r, d)) FROM unnest('{cost_report,revenue_report}'::text[]) AS r, unnest('{"[2026-01-01,)","(,)"}'::text[]) AS d;
SELECT try(format($$SELECT * FROM %s('open', '[2026-01-01,2026-02-01)', %s)$$, r, s)) FROM unnest('{cost_report,revenue_report}'::text[]) AS r, unnest('{-1,1001}'::text[]) AS s;
\pset tuples_only off
\pset format aligned

--
-- views: what is upcoming, active or ended depends on the time; here it is far away
--
TRUNCATE lease, supply RESTART IDENTITY;
SELECT create_pool('now', 'compute', 'gpu', 'grid', price => 2), members('now');
SELECT add_supply('now', 'north', 10, '[2000-01-01,)'), add_supply('now', 'north', 1, '[2000-01-01,2001-01-01)'), add_supply('now', 'south', 1, '[3000-01-01,3001-01-01)'),
	withdraw_supply('now', 'north', 1, '[2000-01-01,3000-01-01)');
SELECT reserve('now', 'ann', 1, '[2000-01-01,2001-01-01)', 'past'), reserve('now', 'ann', 2, '[2000-01-01,)', 'open'), reserve('now', 'bob', 3, '[2000-01-01,3000-01-01)', 'present'),
	reserve('now', 'bob', 4, '[3000-01-01,3001-01-01)', 'future'), reserve('now', 'bob', 1, '[2000-01-01,3000-01-01)', 'given back'), reserve('now', 'bob', 1, '[2000-01-01,3000-01-01)', 'will be given back'),
	reserve('now', 'cy', 1, '[3000-01-01,3001-01-01)', 'called off');
SELECT release(5, '2001-01-01'), release(6, '2999-01-01'), cancel(7, '2001-01-01');
UPDATE pool SET price = 5 WHERE name = 'now';
INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('now'), party_id('cy'), 1, '[2000-01-01,)');
SELECT lease_id, pool, consumer, quantity, unit, during, effective, state, price, currency, reference FROM lease_status ORDER BY lease_id;
SELECT supply_id, pool, provider, quantity, unit, during, state FROM supply_status ORDER BY supply_id;
-- 9 supplied; leased 2 + 3 + 1 + 1
SELECT * FROM pool_status WHERE pool IN ('now', 'empty') ORDER BY pool;
SELECT withdraw_supply('now', 'north', 8, '[2000-01-01,3000-01-01)');
SELECT * FROM pool_status WHERE pool = 'now';
SELECT count(*) = (SELECT count(*) FROM pool) FROM pool_status;

TRUNCATE party CASCADE;
DROP FUNCTION members, try, calendar_differences;
