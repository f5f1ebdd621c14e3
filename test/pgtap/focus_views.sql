-- focus_views.sql
--		What we billed keeps the rules of FOCUS, whatever it is.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'Pacific/Chatham';
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(24);

SELECT create_party('focus steward'), create_party('focus a'), create_party('focus b', 'person'), create_party('focus p') \g /dev/null
SELECT create_pool('focus ' || k, k, 'unit', 'focus steward', currency => c) FROM (VALUES ('compute', 'EUR'), ('data', 'JPY'), ('model', 'KWD')) AS v (k, c) \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at)
SELECT p.pool_id, y.party_id, CASE WHEN y.name = 'focus p' THEN 'provider' ELSE 'consumer' END, now() FROM pool AS p, party AS y
WHERE p.name ~ '^focus ' AND y.name ~ '^focus .$';
SELECT add_supply('focus compute', 'focus p', 10, '[2026-01-01,)'), reserve('focus compute', 'focus a', 1, '[2026-01-01, 2026-02-01)', 'job') \g /dev/null

-- rates of all kinds
INSERT INTO rate (pool_id, party_id, meter, unit, model, price, unit_price, upto, fraction, package_size, quantity, purchase, schedule, valid)
SELECT p.pool_id, CASE WHEN v.purchase IS NOT NULL THEN party_id('focus a') END, v.meter, 'token', v.model, 0.1, v.unit_price, v.upto, v.fraction, v.size, v.quantity, v.purchase, v.schedule,
	CASE WHEN v.purchase IS NOT NULL THEN '[2026-01-01 00:00+00, 2026-07-01 00:00+00)'::tstzrange ELSE '(,)' END
FROM pool AS p, (VALUES
	('m1', 'standard', NULL::numeric[], NULL::numeric[], NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::profile),
	('m2', 'graduated', '{1,2}', '{10,NULL}', NULL, NULL, NULL, NULL, NULL),
	('m3', 'percentile', NULL, NULL, 0.95, NULL, NULL, NULL, NULL),
	('m4', 'package', NULL, NULL, NULL, 10, NULL, NULL, NULL),
	('m5', 'standard', NULL, NULL, NULL, NULL, NULL, NULL, profile(2)),
	('m6', 'reserved', NULL, NULL, NULL, NULL, 8, 100, NULL),
	('m7', 'spend', NULL, NULL, NULL, NULL, NULL, 1000, NULL),
	('m8', 'prepaid', NULL, NULL, NULL, NULL, 500, 50, NULL)
) AS v (meter, model, unit_price, upto, fraction, size, quantity, purchase, schedule)
WHERE p.name ~ '^focus ';
INSERT INTO billing_period (pool_id, during)
SELECT p.pool_id, tstzrange(t, t + interval '1 month') FROM pool AS p, unnest('{2026-01-01 00:00+00,2026-02-01 00:00+00,2026-03-01 00:00+00}'::timestamptz[]) AS t WHERE p.name ~ '^focus ';

-- charges at random, with as many places as they like
SELECT setseed(0.6) \g /dev/null
INSERT INTO charge (pool_id, billing_period_id, consumer_id, provider_id, lease_id, rate_id, category, correction, meter, component, during,
	quantity, unit, list_unit_price, contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount, commitment_status, labels)
SELECT t.pool_id, t.billing_period_id, party_id(CASE WHEN random() < 0.5 THEN 'focus a' ELSE 'focus b' END), CASE WHEN random() < 0.5 THEN party_id('focus p') END,
	CASE WHEN k.lease THEN 1 END, CASE WHEN NOT k.lease THEN r.rate_id END, k.category, k.correction, CASE WHEN k.lease THEN 'lease' ELSE r.meter END, k.component, k.during,
	k.quantity, r.unit, k.list, k.contracted, k.list * k.quantity, k.contracted * k.quantity,
	CASE WHEN k.category = 'purchase' THEN 0 ELSE k.contracted * k.quantity END,
	CASE WHEN k.status IS NOT NULL THEN 0 ELSE k.contracted * k.quantity END,
	round(CASE WHEN k.status IS NOT NULL THEN 0 ELSE k.contracted * k.quantity END, currency_scale(t.currency)), k.status,
	CASE WHEN random() < 0.3 THEN '{}' ELSE jsonb_build_object('team', n, 'deep', '{"a": [1]}'::jsonb, 'none', NULL) END
FROM generate_series(1, 1500) AS n
-- the period with its pool, as a join to that might draw the period again for each pool
CROSS JOIN LATERAL (SELECT b.pool_id, b.billing_period_id, b.during, p.name, p.currency FROM billing_period AS b JOIN pool AS p ON p.pool_id = b.pool_id
	WHERE p.name ~ '^focus ' AND lower(b.during) < '2026-03-01 00:00+00' ORDER BY random() + n * 0 LIMIT 1) AS t
CROSS JOIN LATERAL (SELECT * FROM rate AS o WHERE o.pool_id = t.pool_id ORDER BY random() + n * 0 LIMIT 1) AS r
CROSS JOIN LATERAL (SELECT random() < 0.2 AND t.name = 'focus compute' AND r.purchase IS NULL AS lease, random() AS kind, random() AS late, random() AS span, random() AS q, n AS i) AS d
CROSS JOIN LATERAL (SELECT d.lease,
	CASE WHEN r.purchase IS NOT NULL AND d.kind < 0.3 THEN 'purchase' WHEN d.kind > 0.9 THEN 'adjustment' WHEN d.kind > 0.85 THEN 'credit' ELSE 'usage' END AS category,
	d.late < 0.3 AND lower(t.during) > '2026-01-02' AS correction,
	CASE WHEN d.kind > 0.9 THEN 'minimum' WHEN d.span < 0.1 THEN 'flat' ELSE 'quantity' END AS component,
	CASE WHEN r.purchase IS NOT NULL AND d.kind BETWEEN 0.3 AND 0.85 THEN CASE WHEN d.span < 0.5 THEN 'used' ELSE 'unused' END END AS status,
	CASE WHEN d.span < 0.05 THEN tstzrange(e.at, e.at, '[]') WHEN d.span < 0.5 THEN tstzrange(e.at, e.at + interval '0.1 s') ELSE tstzrange(e.at, e.at + interval '1 day') END AS during,
	round((d.q * 1000 - CASE WHEN d.late < 0.3 THEN 500 ELSE 0 END)::numeric, 6) AS quantity,
	round(CASE WHEN d.q < 0.05 THEN -0.5 WHEN d.kind > 0.85 THEN 1 - d.q * 3 ELSE d.q END::numeric, 9) AS list,
	round(CASE WHEN d.q < 0.05 THEN -0.5 WHEN d.kind > 0.85 THEN 1 - d.q * 3 ELSE d.q END::numeric, 9) * CASE WHEN d.kind > 0.85 AND d.kind <= 0.9 THEN 1 ELSE 0.9 END AS contracted
	FROM (SELECT CASE WHEN d.late < 0.3 AND lower(t.during) > '2026-01-02' THEN lower(t.during) - interval '20 days' ELSE lower(t.during) END
		+ d.q * interval '20 days' AS at) AS e) AS k;
UPDATE billing_period SET closed_at = upper(during) + interval '1.5 s', digest = ''
WHERE pool_id IN (SELECT pool_id FROM pool WHERE name ~ '^focus ') AND lower(during) < '2026-03-01 00:00+00';

-- as a superuser may see all, so only ours
CREATE TEMP VIEW cost_and_usage AS SELECT * FROM focus_cost_and_usage WHERE "InvoiceIssuerName" = 'focus steward';
CREATE TEMP VIEW invoice_detail AS SELECT * FROM focus_invoice_detail WHERE "InvoiceIssuerName" = 'focus steward';
CREATE TEMP VIEW period AS SELECT * FROM focus_billing_period WHERE "InvoiceIssuerName" = 'focus steward';
CREATE TEMP VIEW commitment AS SELECT * FROM focus_contract_commitment WHERE "InvoiceIssuerName" = 'focus steward';

SELECT is(count(*), 1500::bigint, 'a row for each charge') FROM cost_and_usage;
SELECT is_empty($$SELECT rule, column_name, count(*), min(message) FROM focus_violations('cost_and_usage', complete => true)
	-- what a commitment costs is made up here
	WHERE rule <> 'DiscountHandling-A-011-C' GROUP BY 1, 2$$, 'nothing against Cost and Usage');
SELECT is_empty($$SELECT rule, message FROM focus_violations('invoice_detail', 'InvoiceDetail', complete => true, charges => 'cost_and_usage')$$, 'nothing against Invoice Detail');
SELECT is_empty($$SELECT rule, message FROM focus_violations('period', 'BillingPeriod', complete => true)$$, 'nothing against Billing Period');
SELECT is_empty($$SELECT rule, message FROM focus_violations('commitment', 'ContractCommitment', complete => true)$$, 'nothing against Contract Commitment');
SELECT is((SELECT sum("BilledCost") FROM cost_and_usage), (SELECT sum(billed_cost) FROM charge JOIN pool USING (pool_id) WHERE name ~ '^focus '), 'what is billed, exactly');
SELECT is((SELECT sum("BilledCost") FROM invoice_detail), (SELECT sum(amount) FROM charge JOIN pool USING (pool_id) WHERE name ~ '^focus '), 'what is invoiced');
SELECT bag_eq($$SELECT "InvoiceId", sum("BilledCost") FROM invoice_detail GROUP BY 1$$,
	$$SELECT concat_ws('/', pool_id, billing_period_id, consumer_id), sum(amount) FROM charge JOIN pool USING (pool_id) WHERE name ~ '^focus ' GROUP BY 1$$, 'by invoice');
SELECT is(count(*), count(DISTINCT "InvoiceDetailId"), 'each line of an invoice once') FROM invoice_detail;
SELECT ok(bool_and("ChargePeriodStart" < "ChargePeriodEnd"), 'a charge lasts at least a second') FROM cost_and_usage;
SELECT ok(bool_and("ReferenceInvoiceId" <> "InvoiceId") AND count(*) > 0, 'corrections name the invoice that they correct') FROM invoice_detail WHERE "InvoiceDetailGrain" ->> 'ChargeClass' = 'Correction';
SELECT ok(bool_and("ReferenceInvoiceId" = "InvoiceId"), 'others themselves') FROM invoice_detail WHERE "InvoiceDetailGrain" ->> 'ChargeClass' IS NULL;
SELECT bag_eq($$SELECT "ChargeCategory" FROM cost_and_usage GROUP BY 1$$, $$VALUES ('Usage'), ('Purchase'), ('Credit'), ('Adjustment')$$, 'all categories are there');
SELECT ok(count(*) > 0, 'and negative prices') FROM charge JOIN pool USING (pool_id) WHERE name ~ '^focus ' AND list_unit_price < 0 AND category = 'usage';
SELECT results_eq($$SELECT "BillingPeriodStart", "BillingPeriodStatus" FROM period ORDER BY 1$$,
	$$VALUES ('2026-01-01T00:00:00Z', 'Closed'), ('2026-02-01T00:00:00Z', 'Closed'), ('2026-03-01T00:00:00Z', 'Open')$$, 'periods, in UTC');
SELECT results_eq($$SELECT DISTINCT "ContractCommitmentType", "ContractCommitmentDurationType" FROM commitment ORDER BY 1$$,
	$$VALUES ('prepaid', '6 Months'), ('reserved', '6 Months'), ('spend', '6 Months')$$, 'commitments');
SELECT is(count(*), 0::bigint, 'charges of commitments name one that is there') FROM cost_and_usage AS c
WHERE c."CommitmentDiscountId" IS NOT NULL AND c."CommitmentDiscountId" NOT IN (SELECT "ContractCommitmentId" FROM commitment);
-- the columns stand in the order of the model
SELECT is_empty($$SELECT attrelid::regclass, attname FROM (
		SELECT attrelid, attname, lag(attname) OVER (PARTITION BY attrelid ORDER BY attnum) AS before FROM pg_attribute
		WHERE attrelid = ANY ('{focus_cost_and_usage,focus_invoice_detail,focus_billing_period,focus_contract_commitment}'::regclass[])) AS a
	WHERE attname NOT LIKE 'x\_%' AND attname::text COLLATE "C" <= before::text COLLATE "C"$$, 'columns in order');
SELECT is_empty($$SELECT c.dataset, c.column_name FROM focus_columns() AS c WHERE c.level = 'Mandatory' AND c.removed IS NULL AND NOT EXISTS (
	SELECT FROM pg_attribute AS a WHERE a.attname = c.column_name AND a.attrelid = CASE c.dataset WHEN 'CostAndUsage' THEN 'focus_cost_and_usage'::regclass
		WHEN 'InvoiceDetail' THEN 'focus_invoice_detail' WHEN 'BillingPeriod' THEN 'focus_billing_period' ELSE 'focus_contract_commitment' END)$$, 'none is missing');

-- ----------
-- What rating makes of leases, usage and commitments, for all their time
-- ----------
SELECT create_pool('rated pool', 'compute', 'gpu', 'focus steward', 2) \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at)
SELECT pool_id('rated pool'), y.party_id, CASE WHEN y.name = 'focus p' THEN 'provider' ELSE 'consumer' END, now() FROM party AS y WHERE y.name ~ '^focus .$';
UPDATE pool SET cancellation = profile(0.5) WHERE name = 'rated pool';
SELECT add_supply('rated pool', 'focus p', 50, '[2026-01-01,)') \g /dev/null
SELECT reserve('rated pool', c, n / 8.0, tstzrange('2026-01-01 00:00+00'::timestamptz + n * interval '37 hours', '2026-01-04 07:00+00'::timestamptz + n * interval '37 hours'))
FROM generate_series(1, 20) AS n, unnest('{focus a,focus b}'::text[]) AS c \g /dev/null
SELECT release(lease_id, lower(during) + interval '1 day 1 second') FROM lease WHERE pool_id = pool_id('rated pool') AND lease_id % 3 = 0 \g /dev/null
SELECT set_rate('rated pool', 'standard', 0.5, valid => '(,)'), set_rate('rated pool', 'graduated', model => 'graduated', upto => '{10,NULL}', unit_price => '{1,0.3}', flat => '{2,0}', valid => '(,)'),
	set_rate('rated pool', 'flat', 9.99, model => 'flat', valid => '(,)'), set_rate('rated pool', 'package', 3, model => 'package', package_size => 7, valid => '(,)'),
	set_rate('rated pool', 'capped', 1, minimum => 5, maximum => 100, valid => '(,)'),
	set_rate('rated pool', 'surge', 1, schedule => profile('[2026-01-10 00:00+00, 2026-01-12 00:00+00)', 2) + profile(1), valid => '(,)') \g /dev/null
SELECT set_rate('rated pool', 'lease', model => 'reserved', party => 'focus a', valid => '[2026-01-01 00:00+00, 2026-02-01 00:00+00)', quantity => 1.5, purchase => 1000, unit => 'gpu-hour'),
	set_rate('rated pool', 'standard', 0.4, model => 'spend', party => 'focus b', valid => '[2026-01-01 00:00+00, 2026-02-01 00:00+00)', purchase => 77.77),
	set_rate('rated pool', 'package', model => 'prepaid', party => 'focus b', valid => '[2026-01-01 00:00+00, 2026-02-01 00:00+00)', quantity => 1000, purchase => 100),
	set_rate('rated pool', 'surge', model => 'reserved', party => 'focus a', valid => '[2026-01-01 00:00+00, 2026-07-01 00:00+00)', quantity => 100, purchase => 600) \g /dev/null
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
SELECT pool_id('rated pool'), party_id(c), m, round((random() * 30)::numeric, 3), tstzrange(t, t + interval '1 hour'), t, 'focus_views', concat_ws('/', c, m, n)
FROM generate_series(1, 25) AS n, unnest('{focus a,focus b}'::text[]) AS c, unnest('{standard,graduated,flat,package,capped,surge,unpriced}'::text[]) AS m,
	LATERAL (SELECT '2026-01-01 00:00+00'::timestamptz + n * interval '29 hours' AS t) AS h;
INSERT INTO billing_period (pool_id, during) VALUES (pool_id('rated pool'), '[2026-01-01 00:00+00, 2026-02-01 00:00+00)');
INSERT INTO charge (pool_id, billing_period_id, consumer_id, provider_id, lease_id, rate_id, category, meter, component, during, quantity, unit,
	list_unit_price, contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount, commitment_status, labels)
SELECT t.pool_id, t.billing_period_id, r.consumer_id, r.provider_id, r.lease_id, r.rate_id, r.category, r.meter, r.component, r.period, r.quantity, r.unit,
	r.list_unit_price, r.contracted_unit_price, r.list_cost, r.contracted_cost, r.effective_cost, r.billed_cost,
	round(r.billed_cost, 2), r.commitment_status, r.labels
FROM billing_period AS t, rated('rated pool', t.during) AS r WHERE t.pool_id = pool_id('rated pool');
UPDATE billing_period SET closed_at = upper(during), digest = '' WHERE pool_id = pool_id('rated pool');
CREATE TEMP VIEW rated_usage AS SELECT * FROM focus_cost_and_usage WHERE "ServiceName" = 'rated pool';
CREATE TEMP VIEW rated_detail AS SELECT * FROM focus_invoice_detail WHERE "InvoiceId" IN (SELECT "InvoiceId" FROM rated_usage);
SELECT is_empty($$SELECT rule, column_name, count(*), min(message) FROM focus_violations('rated_usage', complete => true) GROUP BY 1, 2$$, 'nothing against what was rated');
SELECT is_empty($$SELECT rule, message FROM focus_violations('rated_detail', 'InvoiceDetail', complete => true, charges => 'rated_usage')$$, 'nor against its invoices');
SELECT bag_eq($$SELECT DISTINCT "CommitmentDiscountType", "CommitmentDiscountStatus" FROM rated_usage WHERE "CommitmentDiscountStatus" = 'Used'$$,
	$$VALUES ('reserved', 'Used'), ('spend', 'Used'), ('prepaid', 'Used')$$, 'commitments were used');
SELECT results_eq($$SELECT "CommitmentDiscountType", sum("BilledCost"), sum("EffectiveCost") FROM rated_usage WHERE "CommitmentDiscountId" IS NOT NULL AND "SkuMeter" <> 'surge' GROUP BY 1 ORDER BY 1$$,
	$$VALUES ('prepaid', 100::numeric, 100::numeric), ('reserved', 1000, 1000), ('spend', 77.77, 77.77)$$, 'and cost over their time what they cost to buy');
SELECT is((SELECT ROW("ChargePeriodStart", "ChargePeriodEnd", "BilledCost") FROM rated_usage WHERE "ChargeCategory" = 'Purchase' AND "SkuMeter" = 'surge'),
	ROW('2026-01-01T00:00:00Z'::text, '2026-07-01T00:00:00Z'::text, 600::numeric), 'a purchase is for all its term, of which only a part has been used');

SELECT * FROM finish();
ROLLBACK;
