-- slots.sql
--		find_slots() against plain SQL: every slot of every pool, sorted.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SELECT plan(8);
SELECT setseed(0.25) \g /dev/null

-- pools of all kinds: with a parent, a buffer, quotas, deficits, expired holds,
-- one page or many, quantities with decimal places, equal and other prices
SELECT create_party(name) FROM unnest('{slot-steward,slot-provider,slot-consumer,slot-other}'::text[]) AS name \g /dev/null
SELECT create_pool('slot ' || i, 'compute', 'gpu', 'slot-steward', price => CASE WHEN i % 3 = 0 THEN i / 7.0 ELSE i % 4 END, currency => CASE WHEN i % 5 = 0 THEN 'EUR' ELSE 'USD' END)
FROM generate_series(1, 24) AS i \g /dev/null
CREATE TEMP TABLE slot_pool AS SELECT p.*, substr(name, 6)::integer AS i FROM pool AS p WHERE name ~ '^slot ';
UPDATE pool SET buffer = '90 minutes' WHERE pool_id IN (SELECT pool_id FROM slot_pool WHERE i % 4 = 1);
INSERT INTO membership (pool_id, party_id, role, accepted_at)
SELECT pool_id, party_id, CASE party.name WHEN 'slot-provider' THEN 'provider' ELSE 'consumer' END, now()
FROM slot_pool, party WHERE party.name ~ '^slot-[pco]';
INSERT INTO supply (pool_id, provider_id, quantity, during)
SELECT pool_id, party_id('slot-provider'), CASE WHEN i % 6 = 5 THEN 1e5 WHEN i % 2 = 0 THEN 8 ELSE 7.25 END, '[2099-12-31,2100-03-20)' FROM slot_pool WHERE i < 24;
SELECT set_quota('slot 3', 'slot-consumer', '[2100-01-10,2100-02-10)', 2), set_quota('slot 7', 'slot-consumer', '[2100-01-01,2100-03-01)', 3, lend => 0), set_quota('slot 4', 'slot-consumer', '[2100-01-01,)', 3, NULL),
	set_quota('slot 9', 'slot-consumer', '[2100-01-01,2100-02-01)', budget => 10) \g /dev/null
-- and 1000 times a lease: those that do not fit are not made
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT pool_id, i, '2100-01-01 00:00:00+00'::timestamptz + floor(random() * 1800) * interval '1 hour' AS start, 1 + floor(random() * 9) / 2 AS quantity,
		random() AS length, random() AS other FROM slot_pool, generate_series(1, 45) WHERE i < 24
	LOOP
		BEGIN
			INSERT INTO lease (pool_id, consumer_id, quantity, during, buffer)
			VALUES (r.pool_id, party_id(CASE WHEN r.other < 0.5 THEN 'slot-consumer' ELSE 'slot-other' END), r.quantity,
				tstzrange(r.start, r.start + (1 + floor(r.length * 90)) * interval '1 hour'), CASE WHEN r.i % 4 = 1 THEN interval '90 minutes' ELSE '0' END);
		EXCEPTION WHEN SQLSTATE 'SC001' OR SQLSTATE 'SC006' THEN
		END;
	END LOOP;
END $$;
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id, party_id('slot-other'), 1 + j % 7, tstzrange(t, t + (1 + j % 5) * interval '1 hour')
FROM slot_pool, LATERAL (SELECT j, '2100-01-01 00:00:00+00'::timestamptz + floor(random() * 1800) * interval '1 hour' AS t FROM generate_series(1, 900) AS j) AS s WHERE i % 6 = 5;
UPDATE pool SET parent_id = pool_id('slot 2'), borrow = 2, lend = NULL WHERE name IN ('slot 4', 'slot 6', 'slot 8');
INSERT INTO supply (pool_id, provider_id, quantity, during)
SELECT pool_id, party_id('slot-provider'), CASE WHEN i % 6 = 5 THEN 10 - 1e5 ELSE -4 END, '[2100-01-20,2100-02-03)' FROM slot_pool WHERE i % 3 = 2;
UPDATE lease SET held_until = now() - interval '1 hour' FROM slot_pool AS p WHERE p.pool_id = lease.pool_id AND p.i IN (10, 12, 13, 22) AND lease_id % 3 = 0;

SELECT ok(bool_or(deficit <> '{}') AND bool_or(starts > '-infinity') AND bool_or(quota_id > 0), 'there are deficits, many pages and quotas') FROM calendar;

CREATE FUNCTION pg_temp.all_slots(pools text[], quantity numeric, duration interval, during tstzrange, count integer, cheapest boolean, consumer text)
	RETURNS TABLE (pool text, period tstzrange, cost numeric, currency text) LANGUAGE sql AS $$
	WITH candidate AS MATERIALIZED (
		SELECT p.name, p.currency, p.buffer, w.during, availability(p.name, w.during, all_slots.consumer) AS free,
			trim_scale(p.price * all_slots.quantity * extract(epoch FROM all_slots.duration) / 3600) AS cost
		FROM sharecollab.pool AS p,
		LATERAL (SELECT tstzrange(lower(all_slots.during), upper(all_slots.during) + p.buffer)) AS w (during)
		WHERE p.name ~ '^slot ' AND (all_slots.pools IS NULL OR p.name = ANY (all_slots.pools))
	)
	SELECT c.name, tstzrange(lower(f.period), upper(f.period) - c.buffer), c.cost, c.currency
	FROM candidate AS c, generate_series(1, 70) AS n,
	LATERAL earliest_fit(c.free, all_slots.quantity, all_slots.duration + c.buffer, c.during, n) AS f (period)
	WHERE f.period IS NOT NULL
	ORDER BY CASE WHEN all_slots.cheapest THEN c.cost END, lower(f.period), c.cost, c.name
	LIMIT all_slots.count
$$;

CREATE TEMP TABLE wish AS
SELECT n, CASE WHEN random() < 0.4 THEN (SELECT array_agg(CASE WHEN random() < 0.05 THEN 'nothing' ELSE 'slot ' || ceil(random() * 24) END) FROM generate_series(1, ceil(random() * 12)::integer) WHERE n > 0) END AS pools,
	ceil(random() * 30)::numeric / 4 AS quantity, (ARRAY['1 hour', '20 hours', '3 days', '8 days 00:30', '00:00:00.000001'])[ceil(random() * 5)]::interval AS duration,
	tstzrange(t, CASE WHEN random() < 0.9 THEN t + random() * random() * interval '70 days' END) AS during,
	(ARRAY[1, 2, 5, 10, 40, 2000])[ceil(random() * 6)] AS count, random() < 0.5 AS cheapest, CASE WHEN random() < 0.5 THEN 'slot-consumer' END AS consumer
FROM (SELECT n, '2099-12-30 00:00:00+00'::timestamptz + random() * interval '80 days' AS t FROM generate_series(1, 80) AS n) AS s;

CREATE TEMP TABLE answer AS
SELECT w.*, array(SELECT s::text FROM find_slots(coalesce(w.pools, (SELECT array_agg(name) FROM slot_pool)), w.quantity, w.duration, w.during, w.count, w.cheapest, w.consumer) WITH ORDINALITY AS s) AS ours,
	array(SELECT s::text FROM pg_temp.all_slots(w.pools, w.quantity, w.duration, w.during, w.count, w.cheapest, w.consumer) WITH ORDINALITY AS s) AS theirs
FROM wish AS w;
SELECT is_empty('SELECT * FROM answer WHERE ours <> theirs LIMIT 3', 'find_slots() finds what a query of all slots finds');
SELECT cmp_ok(count(*) FILTER (WHERE cardinality(ours) BETWEEN 1 AND count - 1), '>', 10::bigint, 'all that there are') FROM answer;
SELECT cmp_ok(count(*) FILTER (WHERE cardinality(ours) = count), '>', 20::bigint, 'and the best of more') FROM answer;

-- without names: all pools, also those of others, if there are any
SELECT is_empty($$
	SELECT w.n FROM wish AS w
	WHERE w.n <= 15 AND w.pools IS NULL AND array(SELECT s::text FROM find_slots(NULL, w.quantity, w.duration, w.during, 2000, w.cheapest, w.consumer) AS s WHERE s.pool ~ '^slot ')
		<> array(SELECT s::text FROM pg_temp.all_slots(NULL, w.quantity, w.duration, w.during, 2000, w.cheapest, w.consumer) AS s)$$, 'and in all pools');

SELECT is_empty($$SELECT find_slots(NULL, NULL, '1 hour', '[2100-01-01,)')$$, 'nothing is asked for: no slots');
SELECT is_empty($$SELECT find_slots('{slot 1,NULL}', 1, '1 hour', 'empty')$$, 'no time: no slots');
SELECT is((SELECT count(*) FROM find_slots('{slot 1,NULL,slot 1}', 1, '1 hour', '[2100-01-01,2100-01-02)', 1)), 1::bigint, 'a name twice is one pool, and NULL is none');
SELECT * FROM finish();
ROLLBACK;
