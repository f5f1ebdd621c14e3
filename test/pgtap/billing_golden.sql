-- Figures that other billing systems publish, or test themselves with.
--
-- The data is where the environment variable SHARECOLLAB_DATA says; without it,
-- these tests are skipped, loudly.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = sharecollab, public;

\getenv data SHARECOLLAB_DATA
\if :{?data}
\else
	\set data ''
\endif
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/billing_golden.tsv', true)).size IS NOT NULL AS present,
	:'data' || '/billing_golden.tsv' AS golden
\gset
\if :present
\else
	\echo '1..0 # SKIP: no real data (SHARECOLLAB_DATA): the golden figures of billing are NOT CHECKED'
	\quit
\endif

BEGIN;
SELECT plan(15);

CREATE TEMP TABLE golden (domain text, "case" text, input jsonb, expected jsonb, source text);
COPY golden FROM :'golden' (FORMAT csv, HEADER, DELIMITER E'\t');

-- what is an array of tiers there, in the form of ours
CREATE FUNCTION pg_temp.price_by(tiers jsonb, quantity numeric, mode text, unit numeric DEFAULT 1) RETURNS numeric LANGUAGE sql AS $$
	SELECT tiered(quantity, array_agg((t ->> 0)::numeric ORDER BY n), array_agg((t ->> 1)::numeric * unit ORDER BY n),
		array_agg((t ->> 2)::numeric ORDER BY n), mode)
	FROM jsonb_array_elements(tiers) WITH ORDINALITY AS e (t, n)
$$;
SELECT results_eq($$
	SELECT "case", pg_temp.price_by(input -> 'tiers_upto_unit_flat', (input ->> 'q')::numeric, domain)
	FROM golden WHERE domain IN ('graduated', 'volume')
$$, $$ SELECT "case", expected::text::numeric FROM golden WHERE domain IN ('graduated', 'volume') $$, 'graduated and volume');
SELECT results_eq($$
	SELECT "case", pg_temp.price_by(input -> 'tiers_upto_ratepct_flat', (input ->> 'q')::numeric, 'graduated', 0.01)
	FROM golden WHERE domain = 'graduated_percentage'
$$, $$ SELECT "case", expected::text::numeric FROM golden WHERE domain = 'graduated_percentage' $$, 'graduated percentage');
SELECT results_eq($$
	SELECT "case", array_agg(share ORDER BY n) FROM (
		SELECT "case", n, split((input ->> 'total')::numeric, weight::numeric, scale((input ->> 'unit')::numeric)) OVER (PARTITION BY "case" ORDER BY n) AS share
		FROM golden, jsonb_array_elements_text(input -> 'weights') WITH ORDINALITY AS w (weight, n)
		WHERE domain = 'largest_remainder') AS s
	GROUP BY "case" ORDER BY "case"
$$, $$ SELECT "case", ARRAY(SELECT jsonb_array_elements_text(expected)::numeric) FROM golden WHERE domain = 'largest_remainder' ORDER BY "case" $$,
	'largest remainder');
SELECT results_eq($$
	SELECT money_round((input ->> 'src')::numeric * (input ->> 'rate')::numeric, 'INR', mode) FROM golden, unnest('{half_even,half_up}'::text[]) AS mode WHERE domain = 'fx'
$$, $$ SELECT (expected #>> '{}')::numeric FROM golden, generate_series(1, 2) WHERE domain = 'fx' $$, 'a converted amount');

SELECT results_eq($$
	SELECT "case", ARRAY(SELECT e.quantity FROM entries(shapley_airport(
		(SELECT tally(lpad(n::text, 2, '0'), d::numeric) FROM jsonb_array_elements_text(input) WITH ORDINALITY AS u (d, n)), 0)) AS e ORDER BY e.party)
	FROM golden WHERE domain = 'shapley_airport'
$$, $$ SELECT "case", ARRAY(SELECT jsonb_array_elements_text(expected)::numeric) FROM golden WHERE domain = 'shapley_airport' $$, 'airport game');
SELECT results_eq($$
	SELECT "case", (SELECT round(weighted_sum((d ->> 1)::numeric, '2023-08-01'::timestamptz + (d ->> 0)::numeric * interval '1 hour',
			tstzrange('2023-08-01', '2023-08-01'::timestamptz + (input ->> 'end_h')::numeric * interval '1 hour')), 5)
		FROM jsonb_array_elements(input -> 'events_h_delta') AS d)
	FROM golden WHERE domain = 'weighted_sum'
$$, $$ SELECT "case", expected::text::numeric FROM golden WHERE domain = 'weighted_sum' $$, 'weighted sum');

-- ----------
-- Costs of containers and idle costs of their clusters, by resource
-- ----------
CREATE TEMP TABLE container (cluster text, namespace text, container text, resource text, cost numeric);
INSERT INTO container
	SELECT cluster, namespace, format('container%s/%s', n, cluster), resource, CASE WHEN n = 1 AND resource = 'ram' THEN 11 ELSE 1 END
	FROM (VALUES ('c1', 'ns1', 1, 3), ('c1', 'ns2', 4, 6), ('c2', 'ns2', 4, 6), ('c2', 'ns3', 7, 9)) AS v (cluster, namespace, first, last),
		generate_series(first, last) AS n, unnest('{cpu,gpu,ram,network,balancer,volume}'::text[]) AS resource;
CREATE TEMP TABLE idle (cluster text, resource text, cost numeric);
INSERT INTO idle VALUES ('c1', 'cpu', 5), ('c1', 'ram', 15), ('c2', 'cpu', 5), ('c2', 'ram', 5);

-- direct costs by namespace; idle costs by namespace: each cluster's resource
-- splits by what was used of it there
CREATE TEMP TABLE stage AS
	SELECT (SELECT tally(namespace, cost) FROM container) AS direct,
		(SELECT sum(split(i.cost, u.used, 8)) FROM idle AS i JOIN LATERAL (
			SELECT tally(c.namespace, c.cost) AS used FROM container AS c WHERE (c.cluster, c.resource) = (i.cluster, i.resource)) AS u ON true) AS idle,
		(SELECT tally(cluster, cost) FROM container WHERE namespace = 'ns2') AS direct_of_ns2,
		(SELECT sum(cost) FROM idle) AS idle_apart;
CREATE FUNCTION pg_temp.golden(name text) RETURNS tally LANGUAGE sql AS $$
	SELECT tally(k, v::numeric) FROM golden, jsonb_array_elements_text(input) WITH ORDINALITY AS i (k, n)
	JOIN LATERAL jsonb_array_elements_text(expected) WITH ORDINALITY AS e (v, n) USING (n)
	WHERE domain = 'opencost' AND "case" LIKE name || ' %'
$$;
CREATE FUNCTION pg_temp.rounded(tally) RETURNS tally LANGUAGE sql AS $$ SELECT tally(party, round(quantity, 5)) FROM entries($1) $$;
SELECT is(direct + '{"__idle__": 1}'::tally * idle_apart, pg_temp.golden('1b'), 'idle apart') FROM stage;
SELECT is(direct + idle, pg_temp.golden('3a'), 'idle shared, per cluster and resource') FROM stage;
SELECT is(share_out(direct, '{ns3}', '{"ns1": 1, "ns2": 1, "ns3": 1}', 8) + '{"__idle__": 30}', pg_temp.golden('4a'), 'ns3 shared evenly') FROM stage;
SELECT is(share_out(direct, '{ns3}', direct, 8) + '{"__idle__": 30}', pg_temp.golden('4b'), 'ns3 shared by weight') FROM stage;
SELECT is(pg_temp.rounded(direct + split(7 * 24, direct, 8) + '{"__idle__": 30}'), pg_temp.golden('4d'), 'overhead by weight') FROM stage;
SELECT is(direct_of_ns2 + '{"__idle__": 1}'::tally * quantity_of(idle, 'ns2'), pg_temp.golden('5d'), 'ns2 by cluster, idle apart') FROM stage;
SELECT is(pg_temp.rounded(('{"ns2": 1}'::tally * quantity_of(share_out(direct, '{ns1}', direct, 8), 'ns2'))
	+ '{"__idle__": 1}'::tally * quantity_of(share_out(idle, '{ns1}', direct, 8), 'ns2')), pg_temp.golden('6e'), 'ns1 shared, then only ns2, idle apart: nothing leaks') FROM stage;
-- whatever is shared how, the whole stays
SELECT is_empty($$
	SELECT shared, weights FROM stage, unnest('{ns1,ns2,ns3}'::text[]) AS shared,
		unnest(ARRAY[direct, idle, '{"ns1": 1, "ns2": 1, "ns3": 1}']) AS weights
	WHERE total(share_out(direct + idle, ARRAY[shared], weights, 8)) <> 112
$$, 'the total stays 112 in every mode');
-- each node's idle is for the workloads there
SELECT is((SELECT array_agg(share ORDER BY node, workload) FROM (
		SELECT n AS node, workload, split((node ->> 1)::numeric - (node ->> 0)::numeric, 1, 4) OVER (PARTITION BY n ORDER BY workload) AS share
		FROM golden, jsonb_array_elements(input -> 'nodes') WITH ORDINALITY AS e (node, n), generate_series(1, (node ->> 0)::integer) AS workload
		WHERE domain = 'idle_share') AS s),
	(SELECT array_agg(v::numeric) FROM golden, jsonb_array_elements_text(expected) AS v WHERE domain = 'idle_share'), 'idle by node');

SELECT * FROM finish();
ROLLBACK;
