-- focus.sql: what focus_violations() says of a table

SET timezone = 'Asia/Kathmandu';
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

\pset null '-'

-- a charge as it should be
CREATE TEMP TABLE charge (
	"BilledCost" numeric, "EffectiveCost" numeric, "ListCost" numeric, "ContractedCost" numeric,
	"ListUnitPrice" numeric, "ContractedUnitPrice" numeric, "PricingQuantity" numeric, "PricingUnit" text, "PricingCategory" text,
	"PricingCurrency" text, "PricingCurrencyListUnitPrice" numeric, "PricingCurrencyContractedUnitPrice" numeric,
	"PricingCurrencyEffectiveCost" numeric, "BillingCurrency" text, "ConsumedQuantity" numeric, "ConsumedUnit" text,
	"ChargeCategory" text, "ChargeClass" text, "ChargeFrequency" text,
	"ChargePeriodStart" timestamptz, "ChargePeriodEnd" timestamptz, "BillingPeriodStart" timestamptz, "BillingPeriodEnd" timestamptz,
	"ServiceName" text, "ServiceCategory" text, "ServiceSubcategory" text,
	"SkuId" text, "SkuPriceId" text, "SkuMeter" text, "SkuPriceDetails" jsonb,
	"RegionId" text, "RegionName" text, "ResourceId" text, "ResourceName" text, "ResourceType" text,
	"SubAccountId" text, "SubAccountName" text, "SubAccountType" text,
	"CommitmentDiscountId" text, "CommitmentDiscountName" text, "CommitmentDiscountCategory" text, "CommitmentDiscountType" text,
	"CommitmentDiscountStatus" text, "CommitmentDiscountQuantity" numeric, "CommitmentDiscountUnit" text,
	"CapacityReservationId" text, "CapacityReservationStatus" text,
	"AllocatedMethodId" text, "AllocatedMethodDetails" text, "ContractApplied" text, "Tags" text
);
INSERT INTO charge VALUES (20, 20, 30, 20, 3, 2, 10, 'Hours', 'Standard', 'USD', 3, 2, 20, 'USD', 10, 'Hours', 'Usage', NULL, 'Usage-Based',
	'2026-03-05 00:00Z', '2026-03-06 00:00Z', '2026-03-01 00:00Z', '2026-04-01 00:00Z',
	'GPU', 'Compute', 'Virtual Machines', 'gpu', 'gpu-1', 'Hours', '{"GpuCount": 1}', 'eu', 'Europe', 'vm-1', 'one', 'VM', 'lab', 'Lab', 'Team');
SELECT * FROM focus_violations('charge');

-- what breaks which rules
CREATE FUNCTION pg_temp.broken(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rules text;
BEGIN
	CREATE TEMP TABLE broken AS SELECT * FROM charge;
	EXECUTE 'UPDATE broken SET ' || change;
	SELECT string_agg(rule, ' ' ORDER BY rule COLLATE "C") INTO rules FROM focus_violations('broken');
	DROP TABLE broken;
	RETURN rules;
END $$;
SELECT change, pg_temp.broken(change) AS rules
FROM (VALUES
	('"ListCost" = 30.0000000001'),
	('"ContractedCost" = 19.9999999999'),
	('"ListCost" = 31, "ContractedCost" = 21, "ChargeClass" = ''Correction'', "BillingPeriodStart" = ''2026-04-01Z'', "BillingPeriodEnd" = ''2026-05-01Z'''),
	('"ListUnitPrice" = NULL'),
	('"ContractedUnitPrice" = NULL'),
	('"PricingQuantity" = NULL'),
	('"PricingQuantity" = NULL, "PricingUnit" = NULL, "ChargeClass" = ''Correction'', "ChargePeriodStart" = ''2026-02-01Z'''),
	('"PricingCategory" = NULL'),
	('"PricingCurrencyListUnitPrice" = NULL'),
	('"PricingCurrencyContractedUnitPrice" = NULL'),
	('"SkuId" = NULL'),
	('"SkuPriceId" = NULL'),
	('"PricingUnit" = NULL'),
	('"ConsumedQuantity" = NULL'),
	('"ConsumedUnit" = NULL'),
	('"ChargeCategory" = ''Tax'''),
	('"ChargeCategory" = ''Purchase'', "ConsumedQuantity" = NULL, "ConsumedUnit" = NULL'),
	('"ChargeCategory" = ''Credit'', "ConsumedQuantity" = NULL, "ConsumedUnit" = NULL'),
	('"ChargeCategory" = ''Refund'''),
	('"ChargeClass" = ''Correction'''),
	('"ChargePeriodEnd" = "ChargePeriodStart"'),
	('"BillingPeriodEnd" = "BillingPeriodStart"'),
	('"ListUnitPrice" = -3, "ListCost" = -30'),
	('"BilledCost" = NULL'),
	('"BillingCurrency" = ''usd'''),
	('"ServiceSubcategory" = ''Machine Learning'''),
	('"ServiceSubcategory" = ''Magic'''),
	('"RegionName" = NULL'),
	('"RegionId" = NULL'),
	('"ResourceType" = NULL'),
	('"ResourceId" = NULL'),
	('"SubAccountId" = NULL'),
	('"SkuPriceDetails" = ''{"GpuCount": [1]}'''),
	('"Tags" = ''{"a": 1, "a": 2}'''),
	('"Tags" = ''{"a": 1'''),
	('"Tags" = '''''),
	('"PricingUnit" = ''N/A'''),
	('"CommitmentDiscountId" = ''c'''),
	('"CommitmentDiscountId" = ''c'', "CommitmentDiscountCategory" = ''Spend'', "CommitmentDiscountType" = ''Plan'', "CommitmentDiscountStatus" = ''Used'', "CommitmentDiscountQuantity" = 20, "CommitmentDiscountUnit" = ''USD'''),
	('"CommitmentDiscountStatus" = ''Unused'', "CommitmentDiscountQuantity" = 1'),
	('"CapacityReservationId" = ''r'''),
	('"CapacityReservationStatus" = ''Used'''),
	('"AllocatedMethodId" = ''even'', "AllocatedMethodDetails" = ''{"Elements": [{"AllocatedRatio": 0.5}, {"AllocatedRatio": 5e-1}]}'''),
	('"AllocatedMethodId" = ''even'', "AllocatedMethodDetails" = ''{"Elements": [{"AllocatedRatio": 0.3}]}'''),
	('"AllocatedMethodDetails" = ''{"Elements": [{"AllocatedRatio": 2}]}'''),
	('"AllocatedMethodDetails" = ''{"Elements": [{"AllocatedRatio": "1"}]}'''),
	('"ContractApplied" = ''{"Elements": [{"ContractId": "c", "ContractCommitmentId": "d", "ContractCommitmentAppliedCost": 1}]}'''),
	('"ContractApplied" = ''{"Elements": [{"ContractId": "c", "ContractCommitmentId": "d", "ContractCommitmentAppliedCost": 1, "ContractCommitmentAppliedUnit": "h"}]}'''),
	('"ContractApplied" = ''[]''')
) AS v (change);

-- rows against each other
CREATE TEMP TABLE split AS
	SELECT s.resource AS "AllocatedResourceId", 'even' AS "AllocatedMethodId", 'host' AS "ResourceId",
		format('{"Elements": [{"AllocatedRatio": %s}]}', s.ratio) AS "AllocatedMethodDetails", s.sku AS "SkuId", s.price AS "SkuPriceId"
	FROM (VALUES ('a', '0.333334', 's', 'p'), ('b', '0.333333', 's', 'p'), ('c', '0.333333', 's', 'p')) AS s (resource, ratio, sku, price);
SELECT row_number, rule, message FROM focus_violations('split');
UPDATE split SET "AllocatedMethodDetails" = replace("AllocatedMethodDetails", '4', '3');
SELECT row_number, rule, message FROM focus_violations('split');
UPDATE split SET "SkuId" = 'other' WHERE "AllocatedResourceId" = 'c';
SELECT row_number, rule, message FROM focus_violations('split') WHERE column_name LIKE 'Sku%';

-- a commitment: bought for 10, of which 7 were used and 3 were not
CREATE TEMP TABLE commitment AS
	SELECT c.category AS "ChargeCategory", 'c' AS "CommitmentDiscountId", c.status AS "CommitmentDiscountStatus",
		c.billed AS "BilledCost", c.effective AS "EffectiveCost", c.starts AS "ChargePeriodStart", c.ends AS "ChargePeriodEnd"
	FROM (VALUES
		('Purchase', NULL, 10.00, 0.00, '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'),
		('Usage', 'Used', 0, 7, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
		('Usage', 'Unused', 0, 3, '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z')
	) AS c (category, status, billed, effective, starts, ends);
SELECT row_number, rule FROM focus_violations('commitment');
UPDATE commitment SET "EffectiveCost" = 2.99 WHERE "CommitmentDiscountStatus" = 'Unused';
SELECT row_number, rule FROM focus_violations('commitment');
-- not all of the term: nothing to say
DELETE FROM commitment WHERE "CommitmentDiscountStatus" = 'Unused';
SELECT row_number, rule FROM focus_violations('commitment');

-- the other datasets, and invoices against their charges
CREATE TEMP TABLE detail AS
	SELECT i.id AS "InvoiceDetailId", i.invoice AS "InvoiceId", 'Issued' AS "InvoiceIssueStatus", '2026-04-01T00:00:00Z' AS "InvoiceIssueDate",
		i.billed AS "BilledCost", 'USD' AS "BillingCurrency", 'Usage' AS "ChargeCategory"
	FROM (VALUES ('1', 'a', 20.02), ('2', 'b', 25.00)) AS i (id, invoice, billed);
CREATE TEMP TABLE invoiced AS
	SELECT i.invoice AS "InvoiceId", 'Usage' AS "ChargeCategory", 4.00 AS "BilledCost"
	FROM (VALUES ('a'), ('b')) AS i (invoice), generate_series(1, 5);
SELECT row_number, rule, message FROM focus_violations('detail', 'InvoiceDetail', charges => 'invoiced');
UPDATE detail SET "InvoiceIssueDate" = NULL, "InvoiceDetailId" = '1';
SELECT row_number, rule, message FROM focus_violations('detail', 'InvoiceDetail');
SELECT c.diff, c.rows, c.diff <= focus_rounding_tolerance(c.rows, 0.01) AS tolerated
FROM (VALUES (0.02, 5), (5.00, 5), (4.50, 1000000), (15, 1000000)) AS c (diff, rows);
CREATE TEMP TABLE period AS
	SELECT '2026-01-01T00:00:00Z' AS "BillingPeriodStart", '2026-01-01T00:00:00Z' AS "BillingPeriodEnd", 'Ajar' AS "BillingPeriodStatus",
		'2026-01-02T00:00:00Z' AS "BillingPeriodCreated", '2026-01-01T00:00:00Z' AS "BillingPeriodLastUpdated", 'Commons' AS "InvoiceIssuerName"
	FROM generate_series(1, 2);
SELECT row_number, rule, message FROM focus_violations('period', 'BillingPeriod');
CREATE TEMP TABLE contract (
	"ContractCommitmentCategory" text, "ContractCommitmentCost" numeric, "ContractCommitmentQuantity" numeric, "ContractCommitmentUnit" text,
	"ContractCommitmentDiscountPercentage" text
);
INSERT INTO contract VALUES ('Spend', NULL, NULL, 'Hours', '1.5'), ('Usage', 5, NULL, NULL, '0.5');
SELECT row_number, rule, message FROM focus_violations('contract', 'ContractCommitment');

-- versions: what one has and another has not
CREATE TEMP TABLE old ("ProviderName" text, "ServiceProviderName" text);
INSERT INTO old DEFAULT VALUES;
SELECT v, (SELECT string_agg(column_name, ' ') FROM focus_violations('old', version => v) AS f)
FROM unnest(enum_range(NULL::focus_version)) AS v;
SELECT v, count(*) AS missing FROM unnest(enum_range(NULL::focus_version)) AS v, focus_violations('old', version => v, complete => true) AS f
WHERE f.rule = 'ColumnPresent' GROUP BY v ORDER BY v;

-- any names
CREATE TEMP TABLE "odd""; DROP TABLE x; --" ("t" text, "r" text, "BilledCost" text, "Bill""edCost'); --" text, "select" int, "ListCost" float8, "Tags" json);
INSERT INTO "odd""; DROP TABLE x; --" VALUES ('t', 'r', '1,000', 'x', 1, 'NaN', '{"a": {"b": 1}}'), ('t', 'r', '1E500', 'x', 1, '1e20', '{"a": "\u0000"}');
SELECT row_number, rule, message FROM focus_violations('"odd""; DROP TABLE x; --"');
SELECT focus_rows('"odd""; DROP TABLE x; --"');
CREATE TEMP VIEW seen AS SELECT 1 AS "BilledCost" WHERE false;
SELECT * FROM focus_violations('seen');
SELECT focus_number(v) FROM unnest('{4,-3,35.2E-7,35.2E7,35.2E+7,1e5,+4,-,.5,5.,1E,1E99999,"3,4"," 1",""}'::text[]) AS v;
SELECT focus_number(repeat('9', 1001));
SELECT focus_instant(v) FROM unnest('{2026-01-31T00:00:00Z,2025-02-29T00:00:00Z,2024-02-29T23:59:59Z,2026-13-01T00:00:00Z,2026-01-31T24:00:00Z,2026-01-31 00:00:00Z,2026-01-31T00:00:00.5Z,"2026-01-3\u0661T00:00:00Z"}'::text[]) AS v;

SELECT json_or_null(repeat('[', n) || repeat(']', n)) IS NULL FROM unnest('{1,500,501,1000000}'::integer[]) AS n;
SELECT json_or_null('{"[[\"{": "\\u005b"}');

-- errors
CREATE TYPE public.focus_composite AS (a int);
SELECT try($$SELECT focus_violations(NULL)$$);
SELECT try($$SELECT focus_violations('charge', 'Costs')$$);
SELECT try($$SELECT focus_violations('charge', version => '2.0')$$);
SELECT left(try($$SELECT focus_violations('public.focus_composite')$$), 5) AS sqlstate;
DROP TYPE public.focus_composite;
CREATE ROLE focus_reader;
GRANT USAGE ON SCHEMA sharecollab TO focus_reader;
CREATE TABLE public.focus_hidden ("BilledCost" numeric);
SET ROLE focus_reader;
SELECT try($$SELECT focus_violations('public.focus_hidden')$$);
CREATE TEMP TABLE own ("BilledCost" numeric);
INSERT INTO own VALUES (NULL);
SELECT rule, message FROM focus_violations('own');
RESET ROLE;
DROP TABLE own, public.focus_hidden;
REVOKE USAGE ON SCHEMA sharecollab FROM focus_reader;
DROP ROLE focus_reader;
DROP FUNCTION try, calendar_differences;
