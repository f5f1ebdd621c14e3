-- energy.sql
--		carbon_report(): the examples of the standard, and random pools against a
--		sum over their hours in plain SQL.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(20);

-- ----------
-- Software Carbon Intensity: what its specification and case study reckon
-- ----------
SELECT create_party(p) FROM unnest('{energy steward,energy p,energy q,energy a,energy b,energy c}'::text[]) AS p;
SELECT create_pool('energy sci', 'compute', 'core', 'energy steward');
CREATE FUNCTION pg_temp.join_all(pool text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO membership (pool_id, party_id, role, accepted_at)
	SELECT pool_id(pool), party_id, CASE WHEN name ~ ' [pq]$' THEN 'provider' ELSE 'consumer' END, now()
	FROM party WHERE name ~ '^energy .$';
$$;
SELECT pg_temp.join_all('energy sci');
-- eShoppen's application server: 2 of 16 cores, which draw 23.94 W, for an hour;
-- 1205.52 kg were emitted to make it, and it lasts 35040 hours
INSERT INTO supply (pool_id, provider_id, quantity, during, power, embodied, region)
VALUES (pool_id('energy sci'), party_id('energy p'), 16, '[2026-01-01, 2026-01-02)', 23.94 / 2, 1205520.0 / 35040 / 16, 'energy grid');
SELECT set_grid_intensity('energy grid', profile(951), source => 'case study');
SELECT reserve('energy sci', 'energy a', 2, '[2026-01-01 00:00, 2026-01-01 01:00)');
SELECT is(round(operational + embodied, 4), 27.0675, 'eShoppen''s application server')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)') WHERE consumer = 'energy a';
SELECT is(energy, 0.023940, 'its energy')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)') WHERE consumer = 'energy a';
SELECT create_pool('energy embodied', 'compute', 'server', 'energy steward');
SELECT pg_temp.join_all('energy embodied');
INSERT INTO supply (pool_id, provider_id, quantity, during, embodied)
VALUES (pool_id('energy embodied'), party_id('energy p'), 1, '[2026-01-01, 2026-01-02)', 1000000.0 / 35040);
SELECT is(round(sum(embodied), 4), 28.5388, '1000 kg over 4 years, for an hour')
FROM carbon_report('energy embodied', '[2026-01-01 00:00, 2026-01-01 01:00)');

-- per functional unit
SELECT is(sci, (operational + embodied) / 2, 'for a unit-hour')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)') WHERE consumer = 'energy a';
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
SELECT pool_id('energy sci'), party_id('energy a'), 'token', 500000, '[2026-01-01 00:30, 2026-01-01 00:30]', '2026-01-01 00:30', 'energy', k
FROM unnest('{1,2}'::text[]) AS k;
SELECT is(sci, (operational + embodied) / 1000000, 'for a token')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)', 'token') WHERE consumer = 'energy a';

-- what we knew when
SELECT pg_sleep(0.001);
CREATE TEMP TABLE clock AS SELECT clock_timestamp() AS now;
SELECT set_grid_intensity('energy grid', profile(100), '[2026-01-01 00:30,)');
SELECT is(operational, round(0.02394 * (951 + 100) / 2, 6), 'another intensity from the middle on')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)') WHERE consumer = 'energy a';
SELECT is(operational, 22.766940, 'not known then')
FROM clock, carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)', known_at => clock.now) WHERE consumer = 'energy a';
SELECT is(unrated_energy, energy, 'nothing known at all')
FROM carbon_report('energy sci', '[2026-01-01 00:00, 2026-01-01 01:00)', known_at => '2000-01-01') WHERE consumer = 'energy a';
SELECT results_eq($$SELECT valid, intensity FROM grid_intensity WHERE region = 'energy grid' AND upper_inf(known) ORDER BY valid$$,
	$$VALUES ('(,2026-01-01 00:30)'::tstzrange, profile(951)), ('[2026-01-01 00:30,)', profile(100))$$, 'versions do not overlap');

-- ----------
-- Random pools: everything changes on the hour, so hours can be summed
-- ----------
CREATE TEMP TABLE difference (seed integer, what text, consumer text, expected numeric, found numeric);
CREATE TEMP TABLE total (seed integer, what text, expected numeric, found numeric);
CREATE FUNCTION pg_temp.hour(h integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN '2026-03-01 00:00+00'::timestamptz + h * interval '1 hour';
CREATE FUNCTION pg_temp.random_pool(seed integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text := 'energy ' || seed;
	id bigint;
BEGIN
	PERFORM setseed(seed / 1000.0);
	id := create_pool(name, 'compute', 'gpu', 'energy steward');
	PERFORM pg_temp.join_all(name);
	-- both providers, with and without what is known of their supply
	INSERT INTO supply (pool_id, provider_id, quantity, during, power, embodied, region)
	SELECT id, party_id(CASE WHEN random() < 0.5 THEN 'energy p' ELSE 'energy q' END), ceil(random() * 9), tstzrange(pg_temp.hour(s), pg_temp.hour(s + 4 + (random() * 12)::integer)),
		CASE WHEN random() < 0.9 THEN round((random() * 700)::numeric, 1) END, CASE WHEN random() < 0.8 THEN round((random() * 30)::numeric, 2) END,
		CASE WHEN random() < 0.8 THEN name || ' ' || ceil(random() * 2) END
	FROM (SELECT (random() * 20)::integer AS s FROM generate_series(1, 8)) AS r;
	-- leases as far as there is room, then outages under them
	FOR i IN 1..12 LOOP
		BEGIN
			INSERT INTO lease (pool_id, consumer_id, quantity, during)
			SELECT id, party_id('energy ' || (ARRAY['a', 'b', 'c'])[ceil(random() * 3)]), ceil(random() * 4),
				tstzrange(pg_temp.hour(s), pg_temp.hour(s + 1 + (random() * 8)::integer))
			FROM (SELECT (random() * 20)::integer AS s) AS r;
		EXCEPTION WHEN SQLSTATE 'SC001' THEN NULL;
		END;
	END LOOP;
	FOR i IN 1..4 LOOP
		BEGIN
			INSERT INTO supply (pool_id, provider_id, quantity, during)
			SELECT id, party_id(CASE WHEN random() < 0.5 THEN 'energy p' ELSE 'energy q' END), -ceil(random() * 5), tstzrange(pg_temp.hour(s), pg_temp.hour(s + 2))
			FROM (SELECT (random() * 20)::integer AS s) AS r;
		EXCEPTION WHEN SQLSTATE 'SC002' THEN NULL;
		END;
	END LOOP;
	-- intensities by the hour, of one region not for all the time
	PERFORM set_grid_intensity(name || ' 1', (SELECT gauge_profile(pg_temp.hour(h), round((random() * 900)::numeric, 1)) FROM generate_series(0, 40) AS h));
	PERFORM set_grid_intensity(name || ' 2', profile(round((random() * 900)::numeric, 3)), tstzrange(pg_temp.hour(3), pg_temp.hour(9)));
	PERFORM set_grid_intensity(name || ' 2', profile(7), tstzrange(pg_temp.hour(8), pg_temp.hour(11)));

	CREATE TEMP TABLE hourly AS
	WITH hour AS (
		SELECT pg_temp.hour(h) AS at FROM generate_series(2, 25) AS h
	), provider AS (
		-- what is taken away is an average of the provider's supply
		SELECT hour.at, s.provider_id, sum(s.quantity) AS net, sum(s.quantity) FILTER (WHERE s.quantity > 0) AS gross
		FROM hour JOIN supply AS s ON s.pool_id = id AND s.during @> hour.at GROUP BY 1, 2
	), region AS (
		SELECT p.at, s.region, sum(s.quantity * coalesce(s.power, 0) * p.net / p.gross) AS power, sum(s.quantity * coalesce(s.embodied, 0) * p.net / p.gross) AS embodied
		FROM provider AS p JOIN supply AS s ON s.pool_id = id AND s.during @> p.at AND s.provider_id = p.provider_id AND s.quantity > 0 GROUP BY 1, 2
	), grid AS (
		SELECT hour.at, g.region, value_at(g.intensity, hour.at) AS intensity
		FROM hour JOIN grid_intensity AS g ON g.valid @> hour.at AND upper_inf(g.known)
	), pool AS (
		SELECT r.at, sum(r.power) / 1000 AS energy, sum(r.power) FILTER (WHERE g.region IS NULL) / 1000 AS unrated,
			sum(r.power * g.intensity) / 1000 AS operational, sum(r.embodied) AS embodied
		FROM region AS r LEFT JOIN grid AS g USING (at, region) GROUP BY r.at
	), held AS (
		SELECT hour.at, c.name AS consumer, sum(l.quantity) AS quantity
		FROM hour JOIN lease AS l ON l.pool_id = id AND l.during @> hour.at JOIN party AS c ON c.party_id = l.consumer_id GROUP BY 1, 2
	), amount AS (
		SELECT hour.at, coalesce((SELECT sum(net) FROM provider AS p WHERE p.at = hour.at), 0) AS capacity,
			coalesce((SELECT sum(quantity) FROM held AS k WHERE k.at = hour.at), 0) AS booked
		FROM hour
	), holder AS (
		SELECT k.at, k.consumer, k.quantity FROM held AS k
		UNION ALL SELECT a.at, NULL, greatest(a.capacity - a.booked, 0) FROM amount AS a
	)
	SELECT h.consumer, sum(h.quantity) AS unit_hours,
		coalesce(sum(p.energy * h.quantity / nullif(greatest(a.capacity, a.booked), 0)), 0) AS energy,
		coalesce(sum(p.unrated * h.quantity / nullif(greatest(a.capacity, a.booked), 0)), 0) AS unrated_energy,
		coalesce(sum(p.operational * h.quantity / nullif(greatest(a.capacity, a.booked), 0)), 0) AS operational,
		coalesce(sum(p.embodied * h.quantity / nullif(greatest(a.capacity, a.booked), 0)), 0) AS embodied
	FROM holder AS h JOIN amount AS a USING (at) LEFT JOIN pool AS p USING (at)
	GROUP BY h.consumer;

	CREATE TEMP TABLE report AS SELECT * FROM carbon_report(name, tstzrange(pg_temp.hour(2), pg_temp.hour(26)));
	INSERT INTO difference
	SELECT seed, w.what, coalesce(e.consumer, r.consumer), w.expected, w.found
	FROM hourly AS e FULL JOIN report AS r ON coalesce(r.consumer, '') = coalesce(e.consumer, ''),
		LATERAL (VALUES ('unit_hours', e.unit_hours, r.unit_hours), ('energy', e.energy, r.energy), ('unrated_energy', e.unrated_energy, r.unrated_energy),
			('operational', e.operational, r.operational), ('embodied', e.embodied, r.embodied)) AS w (what, expected, found);
	INSERT INTO total
	SELECT d.seed, d.what, sum(d.expected), sum(d.found) FROM difference AS d WHERE d.seed = random_pool.seed GROUP BY 1, 2;
	DROP TABLE hourly, report;
END $$;
SELECT pg_temp.random_pool(s) FROM generate_series(1, 40) AS s;

SELECT cmp_ok(count(*), '>', 600::bigint, 'random pools: figures') FROM difference;
SELECT is(count(*), 0::bigint, 'all of them as the sum over hours, to the last unit')
FROM difference WHERE expected IS NULL OR found IS NULL OR abs(expected - found) >= 0.000001;
SELECT is(count(*), 0::bigint, 'and the totals exactly') FROM total WHERE round(round(expected, 15), 6) <> found;
SELECT ok(bool_and(found > 0), w || ': not nothing') FROM unnest('{unrated_energy,operational,embodied}'::text[]) AS w
JOIN (SELECT what, sum(found) AS found FROM difference GROUP BY what) AS d ON d.what = w GROUP BY w;
-- deficits were among them
SELECT ok(EXISTS (SELECT FROM calendar AS c JOIN pool AS p USING (pool_id) WHERE p.name LIKE 'energy %' AND c.deficit <> '{}'), 'with deficits');

-- errors
SELECT throws_ok($$SELECT * FROM carbon_report('no such pool', '[2026-01-01, 2026-01-02)')$$, '42704', NULL, 'unknown pool');
SELECT throws_ok($$SELECT set_grid_intensity('energy grid', profile(-1))$$, '23514', NULL, 'negative intensity');
SELECT results_eq($$SELECT * FROM carbon_report('energy sci', '(,)')$$, $$SELECT * FROM carbon_report('energy sci', '[2026-01-01, 2026-01-02)')$$,
	'all the time that there was supply');
INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (pool_id('energy sci'), party_id('energy p'), 1, '[2026-01-05,)');
SELECT throws_ok($$SELECT * FROM carbon_report('energy sci', '[2026-01-01,)')$$, '22003', NULL, 'without end');

SELECT * FROM finish();
ROLLBACK;
