-- showback.sql
--		showback() shows the bill by parties and labels, to the last unit, and
--		charge_division that what a consumer pays of each lease is what others get.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(13);
SELECT setseed(0.4);

SELECT create_party('sb_commons'), create_party('sb_north'), create_party('sb_south'), create_party('sb_uni') \g /dev/null
SELECT create_party('sb_physics', parent => 'sb_uni'), create_party('sb_biology', parent => 'sb_uni') \g /dev/null
SELECT create_party('sb_lasers', parent => 'sb_physics'), create_party('sb_plasma', parent => 'sb_physics'), create_party('sb_firm') \g /dev/null
SELECT create_pool('sb', 'compute', 'gpu', 'sb_commons', price => 1.234567, fee => 0.07, contributors_share => 0.03) \g /dev/null
SELECT invite('sb', 'sb_' || p, r), accept('sb', 'sb_' || p, r) FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('lasers', 'consumer'),
	('plasma', 'consumer'), ('biology', 'consumer'), ('firm', 'consumer')) AS m (p, r) \g /dev/null
SELECT add_supply('sb', 'sb_north', 60, '[2025-01-01,)'), add_supply('sb', 'sb_south', 40, '[2025-01-10,2025-01-20)') \g /dev/null
SELECT set_rate('sb', 'token', unit => 'token', model => 'graduated', upto => '{1000,NULL}', unit_price => '{0.0137,0.0051}', flat => '{3.333,0}', valid => '(,)'),
	set_rate('sb', 'call', 0.00123, 'call', minimum => 7, valid => '(,)'), set_rate('sb', 'GiB', 12, 'GiB', 'flat', valid => '(,)'),
	set_rate('sb', 'token', party => 'sb_firm', model => 'prepaid', quantity => 500, purchase => 9.99, valid => '[2025-01-01,2026-01-01)') \g /dev/null
SELECT reserve('sb', 'sb_' || (ARRAY['lasers', 'plasma', 'biology', 'firm'])[1 + i % 4], 1 + i % 3, tstzrange(t, t + i * interval '37 minutes'))
FROM generate_series(1, 40) AS i, LATERAL (SELECT '2025-01-01'::timestamptz + (random() * 20 + i * 0) * interval '1 day') AS x (t) \g /dev/null
SELECT record_usage('sb', 'sb_' || (ARRAY['lasers', 'plasma', 'biology', 'firm'])[1 + floor(random() * 4)::int], (ARRAY['token', 'call', 'GiB'])[1 + i % 3],
	(random() * 100)::integer - 5, tstzrange(t, t, '[]'), 'test', i::text,
	labels => CASE WHEN i % 5 > 0 THEN jsonb_build_object('project', 'p' || i % 7, 'x', i) ELSE '{}' END)
FROM generate_series(1, 300) AS i, LATERAL (SELECT '2025-01-01'::timestamptz + (random() * 30 + i * 0) * interval '1 day') AS x (t) \g /dev/null
CREATE TEMP TABLE shown AS SELECT NULL::text AS label, s.* FROM showback('sb', '[2025-01-01,2025-02-01)') AS s
	UNION ALL SELECT 'project', s.* FROM showback('sb', '[2025-01-01,2025-02-01)', 'project') AS s;
SELECT close_billing_period('sb', '[2025-01-01,2025-02-01)') IS NOT NULL \g /dev/null

SELECT results_eq($$SELECT consumer, cost FROM shown WHERE label IS NULL ORDER BY consumer$$,
	$$SELECT p.name, sum(c.amount) FROM charge AS c JOIN party AS p ON p.party_id = c.consumer_id WHERE c.pool_id = pool_id('sb') GROUP BY p.name ORDER BY p.name$$,
	'what is shown back to each consumer is its invoice');
SELECT results_eq($$SELECT consumer, sum(cost) FROM shown WHERE label = 'project' GROUP BY consumer ORDER BY consumer$$,
	$$SELECT consumer, cost FROM shown WHERE label IS NULL ORDER BY consumer$$, 'also in parts, by a label');
SELECT results_eq($$SELECT path[1], path[2], sum(cost) FROM shown WHERE label = 'project' GROUP BY ROLLUP (path[1], path[2]) ORDER BY 1, 2$$,
	$$WITH RECURSIVE up AS (
		SELECT p.party_id, p.party_id AS top, NULL::bigint AS second FROM party AS p WHERE p.parent_id IS NULL
		UNION ALL SELECT p.party_id, up.top, coalesce(up.second, p.party_id) FROM up JOIN party AS p ON p.parent_id = up.party_id)
	SELECT t.name, s.name, sum(c.amount) FROM charge AS c JOIN up ON up.party_id = c.consumer_id JOIN party AS t ON t.party_id = up.top LEFT JOIN party AS s ON s.party_id = up.second
	WHERE c.pool_id = pool_id('sb') GROUP BY ROLLUP (t.name, s.name) ORDER BY 1, 2$$, 'and by the tree of parties, at every level');
SELECT is((SELECT array_agg(DISTINCT path) FROM shown WHERE consumer = 'sb_lasers'), '{{sb_uni,sb_physics,sb_lasers}}'::text[], 'the path begins at the top');
SELECT is((SELECT count(DISTINCT value) FROM shown WHERE label = 'project'), 7::bigint, 'all projects are shown');
-- within a cent, against plain SQL: additive charges by their labels, others by what was used
SELECT is_empty($$
	WITH exact AS (
		SELECT p.name AS consumer, v.value, sum(c.billed_cost * v.part) AS cost
		FROM charge AS c JOIN party AS p ON p.party_id = c.consumer_id LEFT JOIN rate AS r ON r.pool_id = c.pool_id AND r.rate_id = c.rate_id,
			LATERAL (SELECT c.labels ->> 'project' AS value, 1::numeric AS part WHERE c.labels <> '{}' OR coalesce(r.model, 'standard') = 'standard'
					OR NOT EXISTS (SELECT FROM usage AS u WHERE u.pool_id = c.pool_id AND u.consumer_id = c.consumer_id AND u.meter = c.meter)
				UNION ALL SELECT u.labels ->> 'project', greatest(sum(u.quantity), 0) / sum(greatest(sum(u.quantity), 0)) OVER () FROM usage AS u
				WHERE NOT (c.labels <> '{}' OR coalesce(r.model, 'standard') = 'standard') AND u.pool_id = c.pool_id AND u.consumer_id = c.consumer_id AND u.meter = c.meter GROUP BY 1) AS v
		WHERE c.pool_id = pool_id('sb') GROUP BY 1, 2)
	SELECT * FROM exact FULL JOIN (SELECT * FROM shown WHERE label = 'project') AS s ON s.consumer = exact.consumer AND s.value IS NOT DISTINCT FROM exact.value
	WHERE abs(exact.cost - s.cost) < 0.01 IS NOT TRUE AND coalesce(exact.cost, 0) + coalesce(s.cost, 0) <> 0$$, 'each project costs what plain SQL says, to less than a cent');
SELECT cmp_ok((SELECT count(*) FROM charge WHERE pool_id = pool_id('sb') AND labels = '{}' AND category = 'usage' AND meter = 'token'), '>', 5::bigint, 'there are charges of tiers');

-- I3, for each lease and each charge
SELECT is_empty($$SELECT charge_id FROM charge_division WHERE pool = 'sb' AND amount <> providers + fee + contributors$$,
	'what the consumer pays of each charge is what providers, steward and contributors get');
SELECT is_empty($$SELECT lease_id FROM charge_division WHERE pool = 'sb' AND lease_id IS NOT NULL GROUP BY lease_id HAVING sum(amount) <> sum(providers + fee + contributors) OR abs(sum(fee) - 0.07 * sum(amount)) > 0.02$$,
	'and of each lease, with the fee that was agreed');
SELECT is((SELECT count(DISTINCT lease_id) FROM charge_division WHERE pool = 'sb'), 40::bigint, 'of all leases');
SELECT is((SELECT ROW(sum(amount), sum(providers)) FROM charge_division WHERE pool = 'sb'),
	(SELECT ROW(sum(balance) FILTER (WHERE kind = 'receivable'), - sum(balance) FILTER (WHERE kind = 'payable')) FROM balances('sb')), 'which is in the books');

-- serial cost sharing
SELECT is((SELECT string_agg(serial_cost(d::tally, '{20,NULL}', '{1,3}')::text, ' ') FROM unnest('{"{\"a\": 10\, \"b\": 20\, \"c\": 30}","{\"a\": 10\, \"b\": 20\, \"c\": 300}","{}"}'::text[]) AS d),
	'{"a": 16.67, "b": 46.67, "c": 76.66} {"a": 16.67, "b": 46.67, "c": 886.66} {}', 'nobody pays for what others demand beyond its own');
SELECT is_empty($$
	SELECT i, a, served FROM generate_series(1, 300) AS i,
		LATERAL (SELECT tally('p' || n, floor(random() * 50)::numeric / 4 + i * 0) AS demand FROM generate_series(1, 1 + i % 7) AS n) AS d,
		LATERAL (SELECT serial_cost(d.demand, '{7,20,NULL}', '{0.37,0.91,1.13}', '{5,1,0}', 4) AS a) AS a,
		LATERAL (SELECT jsonb_object_agg(e.party, (
			-- by the definition: s_k = (n - k + 1) q_k + what smaller ones demand
			SELECT sum((tiered(s.s, '{7,20,NULL}', '{0.37,0.91,1.13}', '{5,1,0}') - coalesce(tiered(s.b, '{7,20,NULL}', '{0.37,0.91,1.13}', '{5,1,0}'), 0)) / s.n)
			FROM (SELECT s, lag(s) OVER (ORDER BY q, k) AS b, m - k + 1 AS n, k, q, party FROM (
				SELECT f.party, f.quantity AS q, row_number() OVER (ORDER BY f.quantity, f.party) AS k, count(*) OVER () AS m,
					(count(*) OVER () - row_number() OVER (ORDER BY f.quantity, f.party) + 1) * f.quantity + sum(f.quantity) OVER (ORDER BY f.quantity, f.party ROWS UNBOUNDED PRECEDING) - f.quantity AS s
				FROM entries(d.demand) AS f) AS o) AS s
			WHERE (s.q, s.party) <= (e.quantity, e.party))) AS served FROM entries(d.demand) AS e) AS w
	WHERE total(a) <> (SELECT coalesce(round(tiered(total(d.demand), '{7,20,NULL}', '{0.37,0.91,1.13}', '{5,1,0}'), 4), 0) WHERE total(d.demand) > 0)
		OR EXISTS (SELECT FROM jsonb_each_text(served) AS s WHERE abs(quantity_of(a, s.key) - s.value::numeric) >= 0.0001)$$, 'serial_cost is its definition, and sums to the cost');

SELECT * FROM finish();
ROLLBACK;
