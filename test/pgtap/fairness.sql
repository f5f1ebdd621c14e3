-- fairness.sql
--		Shapley values against all coalitions, netting against all partitions,
--		weighted sums against the window query that they replace.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
\ir ../helpers.sql

SELECT plan(32);
SELECT setseed(0.75) \g /dev/null

-- ----------
-- shapley_airport: games of up to 8 parties, with zeros and ties
-- ----------
CREATE TEMP TABLE game AS
	SELECT game, 'p' || i AS party, i, scale,
		CASE WHEN random() < 0.1 THEN 0 WHEN random() < 0.3 THEN game % 5 ELSE round((random() * 100)::numeric, least(scale, game % 3)) END AS demand
	FROM (SELECT game, CASE game % 4 WHEN 0 THEN 9 ELSE game % 4 + 1 END AS scale FROM generate_series(1, 160) AS game) AS g,
		generate_series(0, game % 8) AS i;
CREATE TEMP TABLE shared AS
	SELECT game, scale, max(demand) AS largest, count(*) AS n, tally(party, demand) AS demands, shapley_airport(tally(party, demand), scale) AS shares
	FROM game GROUP BY game, scale;
CREATE TEMP TABLE coalition AS
	SELECT s.game, c AS members, coalesce(m.cost, 0) AS cost, m.n
	FROM shared AS s, generate_series(0, (1 << s.n::integer) - 1) AS c,
		LATERAL (SELECT max(g.demand) AS cost, count(*)::integer AS n FROM game AS g WHERE g.game = s.game AND c >> g.i & 1 = 1) AS m;
CREATE INDEX ON coalition (game, members);
ANALYZE coalition, game, shared;

-- times n!, which is whole
CREATE TEMP TABLE value AS
	SELECT g.game, g.party, sum(factorial(a.n) * factorial(s.n - a.n - 1) * (b.cost - a.cost)) AS parts, factorial(s.n) AS whole
	FROM game AS g JOIN shared AS s USING (game)
	JOIN coalition AS a ON a.game = g.game AND a.members >> g.i & 1 = 0
	JOIN coalition AS b ON b.game = g.game AND b.members = a.members | (1 << g.i)
	GROUP BY g.game, g.party, s.n;
SELECT is_empty($$
	SELECT s.game, v.party FROM shared AS s JOIN value AS v USING (game)
	WHERE abs(quantity_of(s.shares, v.party) * v.whole - v.parts) >= v.whole * ('1e-' || s.scale)::numeric
$$, 'less than a unit from the mean over all orders');
SELECT is_empty($$ SELECT * FROM shared WHERE total(shares) <> largest $$, 'efficiency: the shares sum to the largest demand');
SELECT is_empty($$ SELECT * FROM game JOIN shared USING (game) WHERE demand = 0 AND quantity_of(shares, party) <> 0 $$, 'who demands nothing pays nothing');
SELECT is_empty($$ SELECT * FROM game AS a JOIN game AS b USING (game, demand) JOIN shared AS s USING (game)
	WHERE abs(quantity_of(shares, a.party) - quantity_of(shares, b.party)) > ('1e-' || s.scale)::numeric $$, 'symmetry, to a unit');
SELECT is_empty($$ SELECT * FROM game JOIN shared USING (game) WHERE quantity_of(shares, party) NOT BETWEEN 0 AND demand $$, 'nobody pays more than alone');
SELECT is_empty($$
	SELECT c.* FROM coalition AS c JOIN shared AS s USING (game)
	WHERE (SELECT coalesce(sum(quantity_of(s.shares, g.party)), 0) FROM game AS g WHERE g.game = c.game AND c.members >> g.i & 1 = 1)
		> c.cost + c.n * ('1e-' || s.scale)::numeric
$$, 'the core: no coalition pays more than alone, but for units');

CREATE TEMP TABLE crowd AS SELECT 'p' || n AS party, floor(random() ^ 3 * 1000)::numeric AS demand FROM generate_series(1, 20000) AS n;
SELECT is_empty($$
	WITH s AS MATERIALIZED (SELECT shapley_airport(tally(party, demand), 6) AS shares FROM crowd)
	SELECT e.*, phi FROM s, entries(s.shares) AS e JOIN (
		SELECT party, sum(step / needed) OVER (ORDER BY demand, party) AS phi FROM (
			SELECT party, demand, demand - lag(demand, 1, 0) OVER w AS step, (count(*) OVER () - row_number() OVER w + 1)::numeric(40, 20) AS needed
			FROM crowd WHERE demand > 0 WINDOW w AS (ORDER BY demand, party)) AS c
	) AS c USING (party) WHERE abs(e.quantity - phi) >= 0.000001
$$, '20,000 parties, against the formula');
SELECT is((SELECT total(shapley_airport(tally(party, demand), 6)) FROM crowd), (SELECT max(demand) FROM crowd), 'and they sum to it');
SELECT results_eq($$ SELECT left(try(format('SELECT shapley_airport(%s)', args)), 5) FROM unnest(ARRAY[
	$a$'{"a": -1}', 2$a$, $a$'{"a": 0.125}', 2$a$, $a$'{"a": 1}', 19$a$, $a$'{"a": 1000000}', 18$a$]) AS args $$,
	$$ VALUES ('22023'), ('22023'), ('22023'), ('22003') $$, 'errors of shapley_airport');

-- ----------
-- shapley_peak: loads by the hour
-- ----------
CREATE TEMP TABLE hourly AS
	SELECT game, 'p' || i AS party, i, h, CASE WHEN random() < 0.2 OR i = 3 THEN 0 ELSE floor(random() * 20) / 2 END::numeric AS load
	FROM generate_series(1, 60) AS game, generate_series(0, game % 6) AS i, generate_series(0, 5) AS h;
CREATE TEMP TABLE peaks AS
	SELECT game, count(*)::integer AS n, array_agg(party ORDER BY random()) AS names, '[2026-01-01,2026-01-01 06:00)'::tstzrange AS during,
		shapley_peak(array_agg(party ORDER BY party DESC), array_agg(load ORDER BY party DESC), '[2026-01-01,2026-01-01 06:00)', 4) AS shares,
		coincident_peak(array_agg(party), array_agg(load), '[2026-01-01,2026-01-01 06:00)') AS coincident, peak(sum(load), '[2026-01-01,2026-01-01 06:00)') AS peak
	FROM (SELECT game, party, sum(profile(tstzrange('2026-01-01'::timestamptz + h * interval '1 hour', '2026-01-01'::timestamptz + (h + 1) * interval '1 hour'), load)) AS load
		FROM hourly GROUP BY game, party) AS l
	GROUP BY game;
CREATE TEMP TABLE crowd_peak AS
	SELECT p.game, c AS members, coalesce(max(t.load), 0) AS cost
	FROM peaks AS p, LATERAL generate_series(0, (1 << p.n) - 1) AS c
	LEFT JOIN LATERAL (SELECT sum(h.load) AS load FROM hourly AS h WHERE h.game = p.game AND c >> h.i & 1 = 1 GROUP BY h.h) AS t ON true
	GROUP BY p.game, c;
SELECT is_empty($$
	SELECT g.game, g.party FROM (SELECT DISTINCT game, party, i FROM hourly) AS g JOIN peaks AS s USING (game)
	JOIN crowd_peak AS a ON a.game = g.game AND a.members >> g.i & 1 = 0
	JOIN crowd_peak AS b ON b.game = g.game AND b.members = a.members | (1 << g.i),
	LATERAL (SELECT length(replace(a.members::bit(8)::text, '0', '')) AS size) AS c
	GROUP BY g.game, g.party, s.shares, s.n
	HAVING abs(quantity_of(s.shares, g.party) * factorial(s.n) - sum(factorial(c.size) * factorial(s.n - c.size - 1) * (b.cost - a.cost))) >= 0.0001 * factorial(s.n)
$$, 'shapley_peak: less than a unit from the mean over all orders');
SELECT is_empty($$ SELECT * FROM peaks WHERE total(shares) <> peak OR quantity_of(shares, 'p3') <> 0 $$, 'the shares sum to the peak; no load, no share');
SELECT is_empty($$ SELECT * FROM peaks WHERE total(coincident) <> peak $$, 'coincident_peak sums to the peak');
SELECT is((SELECT total(shapley_peak(array_agg('p' || n), array_agg(profile(tstzrange('2026-01-01'::timestamptz + n * interval '1 hour', '2026-02-01'), n)), '[2026-01-01,2026-02-01)', 0))
	FROM generate_series(1, 16) AS n), 136::numeric, '16 parties');
SELECT is(shapley_peak('{}', '{}', '[2026-01-01,2026-02-01)', 2), '{}'::tally, 'nobody');
SELECT is(shapley_peak('{a}', '{"{}"}', 'empty', 2), '{}'::tally, 'no time');
SELECT throws_ok($$ SELECT shapley_peak(array_agg('p' || n), array_agg(profile(n)), '[2026-01-01,2026-02-01)', 0) FROM generate_series(1, 17) AS n $$, '54000', NULL,
	'more than 16 parties');
SELECT throws_ok($$ SELECT shapley_peak('{a,a}', ARRAY[profile(1), profile(2)], '[2026-01-01,2026-02-01)', 2) $$, '22023', NULL, 'a party twice');
SELECT throws_ok($$ SELECT shapley_peak('{a}', ARRAY[profile(-1)], '[2026-01-01,2026-02-01)', 2) $$, '22023', NULL, 'a negative load');
SELECT throws_ok($$ SELECT shapley_peak('{a}', ARRAY[profile(1)], '[2026-01-01,)', 2) $$, '22023', NULL, 'an unbounded time');
SELECT throws_ok($$ SELECT shapley_peak('{a,b}', ARRAY[profile(1)], '[2026-01-01,2026-02-01)', 2) $$, '2202E', NULL, 'arrays of different lengths');

-- ----------
-- net_transfers
-- ----------
CREATE TEMP TABLE clearing AS
	SELECT set_id, tally(party, amount) AS balances
	FROM (
		SELECT set_id, 'p' || i AS party, b - CASE WHEN i = 0 THEN sum(b) OVER (PARTITION BY set_id) ELSE 0 END AS amount
		FROM (SELECT set_id, i, floor(random() * 11 - 5)::numeric / 4 AS b FROM generate_series(1, 800) AS set_id, generate_series(0, set_id % 8) AS i) AS r
	) AS b
	GROUP BY set_id;
CREATE TEMP TABLE moved AS SELECT set_id, mode, t.* FROM clearing, unnest('{greedy,exact}'::text[]) AS mode, net_transfers(balances, mode) AS t;
SELECT is_empty($$
	SELECT set_id, mode, balances FROM clearing, unnest('{greedy,exact}'::text[]) AS mode
	WHERE balances <> (SELECT coalesce(tally(payee, amount), '{}') - coalesce(tally(payer, amount), '{}') FROM moved AS m WHERE (m.set_id, m.mode) = (clearing.set_id, mode.mode))
$$, 'everybody''s net is what it was');
SELECT is_empty($$ SELECT set_id, mode FROM moved JOIN clearing USING (set_id) GROUP BY set_id, mode, balances
	HAVING count(*) >= parties(balances) OR min(amount) <= 0
	OR sum(amount) <> (SELECT sum(quantity) FROM entries(balances) WHERE quantity > 0) $$, 'fewer transfers than parties, of no more than is owed');
-- the most groups that sum to zero, one with the first party or none at a time
CREATE FUNCTION pg_temp.groups(amounts numeric[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer := coalesce(cardinality(amounts), 0);
	most integer := 0;
BEGIN
	IF n = 0 THEN RETURN 0; END IF;
	FOR c IN 0 .. (1 << n - 1) - 1 LOOP
		IF amounts[1] + coalesce((SELECT sum(a) FROM unnest(amounts[2:]) WITH ORDINALITY AS u (a, i) WHERE c >> i::integer - 1 & 1 = 1), 0) = 0 THEN
			most := greatest(most, 1 + pg_temp.groups(ARRAY(SELECT a FROM unnest(amounts[2:]) WITH ORDINALITY AS u (a, i) WHERE c >> i::integer - 1 & 1 = 0)));
		END IF;
	END LOOP;
	RETURN most;
END $$;
SELECT is_empty($$
	SELECT set_id, balances FROM clearing
	WHERE set_id <= 400 AND (SELECT count(*) FROM moved AS m WHERE m.set_id = clearing.set_id AND mode = 'exact')
		<> parties(balances) - pg_temp.groups(ARRAY(SELECT quantity FROM entries(balances)))
$$, 'exact: parties less the most groups that sum to zero');
SELECT results_eq($$ SELECT mode, count(*) FROM unnest('{greedy,exact}'::text[]) AS mode, net_transfers('{"a": -4, "b": -3, "c": 2, "d": 2, "e": 3}', mode) GROUP BY mode ORDER BY mode $$,
	$$ VALUES ('exact', 3::bigint), ('greedy', 3) $$, 'equal amounts first');
SELECT results_eq($$ SELECT mode, count(*) FROM unnest('{greedy,exact}'::text[]) AS mode, net_transfers('{"a": -9, "b": -6, "c": 3, "d": 4, "e": 8}', mode) GROUP BY mode ORDER BY mode $$,
	$$ VALUES ('exact', 4::bigint), ('greedy', 4) $$, 'no group, no less than parties less one');
SELECT results_eq($$ SELECT left(try(s), 5) FROM unnest(ARRAY[$a$SELECT net_transfers('{"a": 1}')$a$, $a$SELECT net_transfers('{}', 'fast')$a$,
	$a$SELECT net_transfers(tally('p' || n, CASE n WHEN 22 THEN -231 ELSE n END), 'exact') FROM generate_series(1, 22) AS n$a$]) AS s $$,
	$$ VALUES ('22023'), ('22023'), ('54000') $$, 'errors of net_transfers');
SELECT is((SELECT count(*) FROM (SELECT tally('p' || n, CASE WHEN n <= 50000 THEN 2 * n ELSE - 2 * (n - 50000) + 1 - 2 * (n % 2) END) AS b FROM generate_series(1, 100000) AS n) AS t, net_transfers(b)) < 100000, true, '100,000 parties');

-- ----------
-- weighted_sum
-- ----------
CREATE TEMP TABLE event AS
	SELECT n % 50 AS customer, CASE WHEN random() < 0.02 THEN NULL ELSE round((random() * 10 - 4)::numeric, (n % 4)) END AS delta,
		'2026-03-01'::timestamptz + random() * interval '31 days' * CASE WHEN random() < 0.1 THEN -1 ELSE 1.1 END AS at,
		'[2026-03-01, 2026-04-01)'::tstzrange AS during
	FROM generate_series(1, 20000) AS n;
-- how Lago does it: the level after each event, until the next one
SELECT is_empty($$
	SELECT customer, ours.value, lago.value FROM (SELECT customer, weighted_sum(delta, at, during) AS value FROM event GROUP BY customer) AS ours
	FULL JOIN (
		SELECT customer, sum(level * extract(epoch FROM until - at)) / extract(epoch FROM interval '31 days') AS value FROM (
			SELECT customer, at, sum(delta) OVER w AS level, lead(at, 1, '2026-04-01') OVER w AS until FROM (
				SELECT customer, greatest(at, '2026-03-01') AS at, delta FROM event WHERE at < '2026-04-01' AND delta IS NOT NULL) AS e
			WINDOW w AS (PARTITION BY customer ORDER BY at ROWS UNBOUNDED PRECEDING)) AS l
		GROUP BY customer
	) AS lago USING (customer)
	WHERE abs(ours.value - lago.value) > 1e-12 OR ours.value IS NULL OR lago.value IS NULL
$$, 'weighted_sum is the level between events');
SELECT is_empty($$
	SELECT customer, at FROM (
		SELECT customer, at, weighted_sum(delta, at, during) OVER w AS moving, array_agg(delta) OVER w AS deltas, array_agg(at) OVER w AS instants
		FROM event WHERE customer < 10 WINDOW w AS (PARTITION BY customer ORDER BY at ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)
	) AS m WHERE moving::text IS DISTINCT FROM
		(SELECT weighted_sum(d, a, '[2026-03-01, 2026-04-01)') FROM unnest(deltas, instants) AS r (d, a))::text
$$, 'a moving frame gives what its rows give');
SELECT throws_ok($$ SELECT weighted_sum(1, now(), tstzrange(d, '2027-01-01')) FROM unnest('{2026-01-01,2026-02-01}'::timestamptz[]) AS d $$, '22023', NULL, 'one time for all rows');
SELECT throws_ok($$ SELECT weighted_sum(1, now(), '[2026-01-01,)') $$, '22023', NULL, 'a bounded one');

-- bit for bit the same in parallel
CREATE TEMP TABLE answer (how text, value text);
INSERT INTO answer SELECT 'serial', weighted_sum(delta, at, during)::text FROM event;
CREATE TABLE public.event_parallel AS TABLE event;
ALTER TABLE public.event_parallel SET (parallel_workers = 3);
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is((SELECT weighted_sum(delta, at, during)::text FROM public.event_parallel), (SELECT value FROM answer), 'parallel is serial');

SELECT * FROM finish();
ROLLBACK;
