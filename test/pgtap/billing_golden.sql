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
SELECT plan(4);

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

SELECT * FROM finish();
ROLLBACK;
