-- invariants.sql
--		What must hold of money whatever happens, and which test shows it:
--
--	I1	postings sum to zero by journal and currency: ledger, random_ledger, and traces of the LCG grid in rating
--	I2	a split sums exactly, each share less than a unit off: split, settlement (split_running)
--	I3	what a consumer pays is what others get: closing, random_ledger, showback (by lease)
--	I4	nothing enters, changes or leaves a closed period: closing, random_ledger, t/002_dump_restore.pl
--	I5	any order, duplication, batching: the same charges: rating, closing, random_ledger
--	I6	rating or closing twice is once: rating, closing, random_ledger
--	I7	cost allocation conserves every measure in every mode: allocation, energy
--	I8	allocated ratios sum to 1 at their scale: here; and focus_violations() finds those that do not: here, focus
--	I9	what a commitment cost is what was paid for it: rating, here through closing
--	I10	all taken back is all as before: ledger, settlement, random_ledger
--	I11	netting leaves everybody's net, in fewer payments than parties: fairness, settlement, rating (LCG)
--	I12	exchange: zero in each currency, rounding only in rounding: random_ledger
--	I13	no floating point in money; the same in parallel and in any order: here, fairness, random_ledger
--	I14	our FOCUS has no violations, published files have those known: focus, focus_views
--	I15	Shapley: efficient, symmetric, null player, core, brute force: fairness
--	I16	months of 743 and 745 hours come to 1 in parts: rating
--	I17	dumps and logical replication keep all: t/002_dump_restore.pl, t/006_replication.pl
--	I18	concurrency gives a serial result: specs iso_closing, iso_ledger, iso_usage; t/005_books_crash.pl
SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(14);
SELECT setseed(0.55) \g /dev/null

-- ----------
-- I8: ratios of a charge that is split over many
-- ----------
CREATE TEMP TABLE ratio AS
	SELECT c AS charge, n, scale, split(1, weight, scale) OVER (PARTITION BY c, scale ORDER BY n) AS ratio, weight / sum(weight) OVER (PARTITION BY c, scale) AS exact
	FROM (SELECT c, n, scale, CASE c % 4 WHEN 0 THEN 1 WHEN 1 THEN 1 + floor(random() * 5) ELSE round((0.001 + random() ^ 5 * 1e6)::numeric, 3) END::numeric AS weight
		FROM generate_series(1, 500) AS c, unnest('{6,12}'::integer[]) AS scale, LATERAL generate_series(1, 1 + c % 17) AS n) AS w;
SELECT is_empty('SELECT charge FROM ratio GROUP BY charge, scale HAVING sum(ratio) <> 1', 'I8: ratios sum to exactly 1 with so many decimal places');
SELECT is_empty($$SELECT * FROM ratio WHERE ratio NOT BETWEEN 0 AND 1 OR abs(ratio - exact) >= ('1e-' || scale)::numeric OR scale(ratio) > scale$$, 'I8: each from 0 to 1 and less than a unit off');
CREATE TEMP TABLE allocated AS
	SELECT charge AS "ResourceId", 'by_weight' AS "AllocatedMethodId", 'team ' || n AS "AllocatedResourceId",
		jsonb_build_object('Elements', jsonb_build_array(jsonb_build_object('AllocatedRatio', ratio)))::text AS "AllocatedMethodDetails"
	FROM ratio WHERE scale = 6;
SELECT is((SELECT count(*) FROM focus_violations('allocated') WHERE rule ~ 'Ratio|Elements'), 0::bigint, 'I8: focus_violations() has nothing against them');
UPDATE allocated SET "AllocatedMethodDetails" = jsonb_build_object('Elements', jsonb_build_array(jsonb_build_object('AllocatedRatio', round(exact, 6))))::text
FROM ratio WHERE scale = 6 AND charge = "ResourceId" AND 'team ' || n = "AllocatedResourceId";
SELECT is((SELECT count(*) FROM focus_violations('allocated') WHERE rule ~ 'Ratio'), (SELECT count(*) FROM (SELECT FROM ratio WHERE scale = 6 GROUP BY charge HAVING sum(round(exact, 6)) <> 1) AS r),
	'I8: and finds each charge whose ratios were rounded one by one');
SELECT cmp_ok((SELECT count(*) FROM focus_violations('allocated') WHERE rule ~ 'Ratio'), '>', 100::bigint, 'which are many');

-- ----------
-- I9: commitments, closed month by month, with usage that comes late
-- ----------
SELECT create_party('iv_' || p) FROM unnest('{commons,north,ann,bob}'::text[]) AS p \g /dev/null
SELECT create_pool('iv', 'compute', 'gpu', 'iv_commons', price => 2, fee => 0.07) \g /dev/null
SELECT invite('iv', 'iv_' || p, r), accept('iv', 'iv_' || p, r) FROM (VALUES ('ann', 'consumer'), ('bob', 'consumer'), ('north', 'provider')) AS m (p, r) \g /dev/null
SELECT add_supply('iv', 'iv_north', 100, '[2025-01-01,)') \g /dev/null
SELECT reserve('iv', 'iv_ann', q, p::tstzrange) FROM (VALUES (10, '[2025-01-03,2025-01-13)'), (3, '[2025-01-10,2025-03-05)'), (9, '[2025-02-25 07:00,2025-02-28 11:11:11.111)')) AS l (q, p) \g /dev/null
SELECT set_rate('iv', 'token', 0.01, 'token', valid => '(,)'), set_rate('iv', 'lease', 3, 'gpu-hour', valid => '(,)'),
	set_rate('iv', 'lease', party => 'iv_ann', unit => 'gpu-hour', model => 'reserved', quantity => 8, purchase => 1000.01, valid => '[2025-01-05,2025-03-02 13:37)'),
	set_rate('iv', 'token', party => 'iv_ann', unit => 'token', model => 'prepaid', quantity => 1000, purchase => 7.77, valid => '[2025-01-05,2025-03-02 13:37)'),
	set_rate('iv', 'token', 0.007, 'token', 'spend', 'iv_bob', valid => '[2025-01-05,2025-03-02 13:37)', purchase => 9.99) \g /dev/null
CREATE TEMP TABLE fact AS
	SELECT i, CASE i % 2 WHEN 0 THEN 'iv_ann' ELSE 'iv_bob' END AS consumer, CASE WHEN i % 17 = 0 THEN -5 ELSE i % 50 END AS quantity, '2025-01-02'::timestamptz + i * interval '12 hours' AS at,
		extract(month FROM '2025-01-02'::timestamptz + i * interval '12 hours')::integer + floor(random() * 2)::integer AS round
	FROM generate_series(1, 140) AS i;
SELECT NULL FROM generate_series(1, 4) AS m, LATERAL (
		SELECT count(record_usage('iv', f.consumer, 'token', f.quantity, tstzrange(f.at, f.at, '[]'), 'iv', f.i::text)) AS n FROM fact AS f WHERE f.round = m) AS r,
	LATERAL (SELECT close_billing_period('iv', tstzrange(make_date(2025, m, 1), make_date(2025, m + 1, 1))) WHERE r.n >= 0) AS c \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM charge WHERE pool_id = pool_id('iv') AND correction AND commitment_status IS NOT NULL), '>', 3::bigint, 'what was late changed what is covered');
SELECT results_eq($$SELECT r.model, sum(c.effective_cost) FILTER (WHERE c.category = 'usage'), sum(c.billed_cost) FILTER (WHERE c.category = 'purchase') FROM charge AS c JOIN rate AS r USING (pool_id, rate_id)
	WHERE pool_id = pool_id('iv') AND r.purchase IS NOT NULL GROUP BY r.model, r.purchase ORDER BY r.model$$,
	$$VALUES ('prepaid', 7.77, 7.77), ('reserved', 1000.01, 1000.01), ('spend', 9.99, 9.99)$$, 'I9: what each commitment cost, used and unused, is what was paid for it');
SELECT is((SELECT sum(effective_cost) FROM charge WHERE pool_id = pool_id('iv')), (SELECT sum(billed_cost) FROM charge WHERE pool_id = pool_id('iv')), 'I9: so are all charges together');

-- ----------
-- I13: no floating point; the same in parallel
-- ----------
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relname IN ('usage', 'rate', 'charge', 'account', 'journal', 'posting', 'exchange_rate', 'account_balance', 'billing_period', 'ledger', 'lease_price', 'charge_division')
	AND c.relnamespace = 'sharecollab'::regnamespace AND a.atttypid IN ('float4'::regtype, 'float8'::regtype)$$, 'I13: no column of money is a floating-point number');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'sharecollab'::regnamespace
	AND (p.prorettype IN ('float4'::regtype, 'float8'::regtype) OR p.proargtypes::oid[] && ARRAY['float4'::regtype, 'float8'::regtype]::oid[] OR p.proallargtypes && ARRAY['float4'::regtype, 'float8'::regtype]::oid[])
	AND p.proname ~ 'rate|charge|bill|usage|split|money|tier|balance|journal|account|posting|exchange|pay|settle|net_|deposit|cost|price|prorat|revenue|profit|statement|weighted|shapley|share_out|peak'$$,
	'I13: nor what goes into a function of money, or comes out of it');
-- the same facts in another order on disk, and read by several processes
CREATE TABLE public.iv_usage AS SELECT * FROM usage WHERE pool_id = pool_id('iv') ORDER BY random();
CREATE TEMP TABLE answer AS SELECT 'serial' AS how, r::text AS line FROM rated('iv', '[2025-01-01,2025-04-01)') AS r;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
INSERT INTO answer SELECT 'parallel', r::text FROM rated('iv', '[2025-01-01,2025-04-01)') AS r;
SELECT is_empty($$SELECT line FROM answer GROUP BY line HAVING count(*) FILTER (WHERE how = 'serial') <> count(*) FILTER (WHERE how = 'parallel')$$, 'I13: rated() gives the same text in parallel');
SELECT is((SELECT weighted_sum(quantity, at, '[2025-01-01,2025-04-01)')::text FROM public.iv_usage), (SELECT weighted_sum(quantity, at, '[2025-01-01,2025-04-01)')::text FROM (SELECT * FROM usage WHERE pool_id = pool_id('iv') ORDER BY at) AS u), 'I13: and so does weighted_sum() in another order');
SELECT is(verify_books('iv'), NULL, 'the books are right, also read in parallel');
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SELECT is((SELECT string_agg(party || kind || balance, ',' ORDER BY party, kind) FROM balances('iv')), (SELECT string_agg(y.name || a.kind || s.sum, ',' ORDER BY y.name, a.kind) FROM account AS a JOIN party AS y USING (party_id),
	LATERAL (SELECT coalesce(sum(p.amount), 0) AS sum FROM posting AS p WHERE p.account_id = a.account_id) AS s WHERE a.pool_id = pool_id('iv')), 'and balances are those of all postings');

SELECT * FROM finish();
ROLLBACK;
