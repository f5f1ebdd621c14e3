-- Other systems' FOCUS files: what is known to be wrong in them, and nothing else.
--
-- The data is where the environment variable SHARECOLLAB_DATA says; without it,
-- these tests are skipped, loudly.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'America/New_York';
SET search_path = sharecollab, public;

\getenv data SHARECOLLAB_DATA
\if :{?data}
\else
	\set data ''
\endif
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/focus/sums.tsv', true)).size IS NOT NULL AS present \gset
\if :present
\else
	\echo '1..0 # SKIP: no real data (SHARECOLLAB_DATA): FOCUS is NOT CHECKED'
	\quit
\endif

BEGIN;
SELECT plan(18);

-- ----------
-- Every file becomes a table of texts, named as its columns are
-- ----------
CREATE FUNCTION pg_temp.load(file text) RETURNS regclass LANGUAGE plpgsql AS $$
DECLARE
	header text := trim(E'\r' from split_part(ltrim(pg_read_file(file, 0, 10000), E'\ufeff'), E'\n', 1));
BEGIN
	DROP TABLE IF EXISTS loaded;
	EXECUTE format('CREATE TEMP TABLE loaded (%s)',
		(SELECT string_agg(format('%I text', n), ', ' ORDER BY i)
		FROM string_to_table(replace(header, '"', ''), ',') WITH ORDINALITY AS c (n, i)));
	EXECUTE format('COPY loaded FROM PROGRAM %L (FORMAT csv, NULL %L)',
		format('tail -n +2 %s | tr -d "\r" | grep -v "^ *$" | sed "s/,null\>/,/g"', quote_literal(file)),
		CASE WHEN file LIKE '%sample_1000%' THEN 'NULL' ELSE '' END);
	RETURN 'loaded';
END $$;

CREATE TEMP TABLE sums (
	file text, rows bigint, billed text, effective text, list text, contracted text,
	list_checked bigint, list_bad bigint, contracted_checked bigint, contracted_bad bigint, alloc_groups bigint, alloc_ratio_bad bigint
);
SELECT 'COPY sums FROM ' || quote_literal(:'data' || '/focus/sums.tsv') || ' (FORMAT csv, DELIMITER E''\t'', HEADER)' AS copy \gset
:copy;

CREATE TEMP TABLE found (file text, rule text, column_name text, violations bigint);
CREATE FUNCTION pg_temp.check_all(directory text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	FOR f IN SELECT file,
		CASE WHEN file LIKE '%contract_commitment%' THEN 'ContractCommitment' ELSE 'CostAndUsage' END AS dataset,
		CASE WHEN file LIKE '%1_0%' THEN '1.0' WHEN file LIKE '%1_2_%' OR file LIKE '%v1.2%' THEN '1.2' ELSE '1.3' END AS version
		FROM sums
	LOOP
		PERFORM pg_temp.load(directory || f.file);
		INSERT INTO found
		SELECT f.file, v.rule, v.column_name, count(*)
		FROM focus_violations('loaded', f.dataset::focus_dataset, f.version::focus_version,
			complete => f.file LIKE 'toolkit-golden/%' AND f.file NOT LIKE '%/scenarios%') AS v
		GROUP BY v.rule, v.column_name;
	END LOOP;
END $$;
SELECT pg_temp.check_all(:'data' || '/focus/');

SELECT is(count(*), 58::bigint, 'files') FROM sums;
SELECT is(coalesce(sum(violations), 0), 0::numeric, 'nothing in any file of the toolkit, not even a missing column')
FROM found WHERE file LIKE 'toolkit-golden/%';
SELECT is(coalesce(sum(violations), 0), 0::numeric, 'nothing in the examples of corrections')
FROM found WHERE file LIKE 'spec-corrections/%';
SELECT results_eq(
	$$SELECT s.file, coalesce(sum(f.violations) FILTER (WHERE f.rule = 'ListCost-C-009-C'), 0)::bigint,
		coalesce(sum(f.violations) FILTER (WHERE f.rule = 'ContractedCost-C-009-C'), 0)::bigint
	FROM sums AS s LEFT JOIN found AS f USING (file) GROUP BY s.file ORDER BY s.file$$,
	$$SELECT s.file, s.list_bad, s.contracted_bad FROM sums AS s ORDER BY s.file$$,
	'costs that are no products, in each file');
SELECT is(violations, 490::bigint, 'of the 1,000 rows, 490 list costs') FROM found WHERE file LIKE '%sample_1000.csv' AND rule = 'ListCost-C-009-C';
SELECT is(violations, 38::bigint, 'and 38 contracted costs') FROM found WHERE file LIKE '%sample_1000.csv' AND rule = 'ContractedCost-C-009-C';
SELECT is((SELECT sum(violations) FROM found WHERE rule = 'AllocatedMethodDetails-Ratio'), NULL, 'no ratios that do not sum to 1');

-- ----------
-- Which rows: the same as plain SQL finds
-- ----------
SELECT pg_temp.load(:'data' || '/focus/focus_1_0_sample_1000.csv');
CREATE TEMP TABLE violation AS SELECT * FROM focus_violations('loaded', version => '1.0');
SELECT set_eq($$SELECT record ->> 'Id' FROM violation WHERE rule = 'ListCost-C-009-C'$$,
	$$SELECT "Id" FROM loaded WHERE "ListCost"::numeric <> "ListUnitPrice"::numeric * "PricingQuantity"::numeric$$, 'which list costs');
SELECT set_eq($$SELECT record ->> 'Id' FROM violation WHERE rule = 'ContractedCost-C-009-C'$$,
	$$SELECT "Id" FROM loaded WHERE "ContractedCost"::numeric <> "ContractedUnitPrice"::numeric * "PricingQuantity"::numeric$$, 'which contracted costs');
SELECT results_eq($$SELECT row_number, record ->> 'Id' FROM violation WHERE rule = 'ListCost-C-009-C' ORDER BY 1$$,
	$$SELECT n, "Id" FROM (SELECT row_number() OVER () AS n, * FROM loaded) AS l
	WHERE "ListCost"::numeric <> "ListUnitPrice"::numeric * "PricingQuantity"::numeric ORDER BY 1$$, 'numbered as in the file');

-- With types instead of texts, what was only a matter of format is gone
CREATE TEMP TABLE typed AS
	SELECT "Id", "ListCost"::numeric, "ListUnitPrice"::numeric, "PricingQuantity"::numeric, "ContractedCost"::numeric,
		"ContractedUnitPrice"::numeric, "ChargePeriodStart"::timestamp, "ChargePeriodEnd"::timestamp AT TIME ZONE 'UTC' AS "ChargePeriodEnd",
		"BillingPeriodStart"::date, "BillingPeriodEnd"::timestamp, nullif("Tags", '')::jsonb AS "Tags", "ChargeCategory", "ChargeClass"
	FROM loaded;
SELECT results_eq($$SELECT rule, count(*) FROM focus_violations('typed', version => '1.0')
	WHERE column_name IN ('ListCost', 'Tags', 'ChargePeriodStart', 'ChargePeriodEnd', 'BillingPeriodStart', 'BillingPeriodEnd')
	GROUP BY rule ORDER BY rule$$,
	$$VALUES ('ListCost-C-009-C', 490::bigint)$$, 'typed columns, in any time zone');
SELECT is((SELECT count(*) FROM violation WHERE rule = 'DateTimeFormat-A-000-M'), 4000::bigint, 'texts that are not in the format of FOCUS');

-- ----------
-- The model
-- ----------
CREATE TEMP TABLE model AS SELECT pg_read_file(:'data' || '/focus/model/focus_1_4_model.json')::jsonb AS model;
SELECT results_eq(
	$$SELECT dataset::text, column_name COLLATE "C", level, nullable,
		CASE format WHEN 'Numeric' THEN 'Decimal' WHEN 'DateTime' THEN 'Date/Time'
			WHEN 'KeyValue' THEN 'JSON' WHEN 'JsonObject' THEN 'JSON' ELSE 'String' END, introduced::text
	FROM focus_columns() WHERE removed IS NULL ORDER BY 1, 2$$,
	$$SELECT d.value ->> 'dataset_id', c.key COLLATE "C", c.value ->> 'feature_level', (c.value ->> 'allows_nulls')::boolean,
		c.value ->> 'data_type', greatest(c.value ->> 'version', '1.0')
	FROM model, jsonb_each(model -> 'datasets') AS d, jsonb_each(d.value -> 'columns') AS c ORDER BY 1, 2$$,
	'all columns of FOCUS 1.4, as its model has them');
SELECT results_eq(
	$$SELECT dataset::text, column_name COLLATE "C", to_jsonb(allowed) FROM focus_columns() WHERE allowed IS NOT NULL ORDER BY 1, 2$$,
	$$SELECT d.value ->> 'dataset_id', c.key COLLATE "C", c.value -> 'allowed_values'
	FROM model, jsonb_each(model -> 'datasets') AS d, jsonb_each(d.value -> 'columns') AS c
	WHERE jsonb_typeof(c.value -> 'allowed_values') = 'array' AND c.key <> 'ServiceSubcategory' ORDER BY 1, 2$$, 'their allowed values');
SELECT set_eq($$SELECT s, category FROM focus_services(), unnest(subcategories) AS s$$,
	$$SELECT e.key, e.value FROM model, jsonb_each_text(model -> 'service_subcategory_parents') AS e$$, 'services');
-- the official validator has these conditions wrong, so that they never hold
SELECT set_eq(
	$$SELECT r.rule FROM focus_rules() AS f, unnest(f.rule || f.same_as) AS r (rule) WHERE f.requirement LIKE '%not Correction' OR f.requirement LIKE '%unless ChargeClass is Correction'$$,
	format($$SELECT r.key FROM jsonb_each(pg_read_file(%L)::jsonb -> 'ModelRules') AS r
		WHERE r.value -> 'ValidationCriteria' ->> 'MustSatisfy' LIKE '%%ChargeClass is not "Correction".'
		AND r.value -> 'ValidationCriteria' ->> 'Keyword' LIKE 'MUST%%'$$, :'data' || '/focus/model/focus-1.2-requirements-model.json'),
	'every rule for what is not a correction');
SELECT is(bool_and(focus_number(v) IS NOT NULL), true, 'numbers')
FROM jsonb_array_elements_text(pg_read_file(:'data' || '/focus/model/numeric_format_examples.json')::jsonb -> 'valid') AS v;
SELECT is(bool_or(focus_number(v) IS NOT NULL), false, 'and what is none')
FROM jsonb_array_elements_text(pg_read_file(:'data' || '/focus/model/numeric_format_examples.json')::jsonb -> 'invalid') AS v;

SELECT * FROM finish();
ROLLBACK;
