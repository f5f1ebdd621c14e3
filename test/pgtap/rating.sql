-- Usage and rating: never the same thing twice, golden cases of other systems,
-- and the same charges as a recomputation in plain SQL, whatever the order,
-- duplication and batching of what was recorded.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\getenv data SHARECOLLAB_DATA
\if :{?data}
\else
	\set data ''
\endif
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/billing_golden.tsv', true)).size IS NOT NULL AS present,
	:'data' || '/billing_golden.tsv' AS golden,
	'zcat ' || :'data' || '/swf/LCG-2005-1.swf.gz | grep -v "^;" | tr -s " " "\t" | sed "s/^\t//"' AS lcg
\gset

BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.refused(statement text, code text, description text) RETURNS text LANGUAGE sql
RETURN public.throws_ok(statement, code::char(5), NULL::text, description);

SELECT create_party('uni'), create_party('ann'), create_party('bob'), create_party('cat'), create_party('north'), create_party('south') \g /dev/null
SELECT create_pool('gpu', 'compute', 'gpu', 'uni', price => 2, time_zone => 'Europe/Berlin') \g /dev/null
SELECT invite('gpu', p, r), accept('gpu', p, r) FROM (VALUES ('ann', 'consumer'), ('bob', 'consumer'), ('cat', 'consumer'), ('north', 'provider')) AS m (p, r) \g /dev/null
SELECT add_supply('gpu', 'north', 100, '[2026-01-01,)') \g /dev/null

-- What a month costs, in a text: total by consumer, meter and component
CREATE FUNCTION pg_temp.bill(pool text, during tstzrange, known_at timestamptz DEFAULT 'infinity', rates rate[] DEFAULT NULL) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT string_agg(concat_ws(' ', b.name, b.meter, b.component, trim_scale(b.billed), CASE WHEN b.effective <> b.billed THEN 'effective ' || trim_scale(b.effective) END), ', '
		ORDER BY b.name, b.meter, b.component, b.billed)
	FROM (SELECT p.name, r.meter, concat_ws(' ', r.component, r.commitment_status) AS component, sum(r.billed_cost) AS billed, sum(r.effective_cost) AS effective
		FROM rated(pool, during, known_at, rates) AS r JOIN party AS p ON p.party_id = r.consumer_id
		WHERE r.rate_id IS NOT NULL OR r.meter = 'lease' GROUP BY 1, 2, 3) AS b);
-- What one quantity costs under a rate
CREATE FUNCTION pg_temp.cost(rate rate, VARIADIC quantities numeric[]) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	result numeric;
	n bigint := nextval('usage_usage_id_seq');
BEGIN
	PERFORM record_usage('gpu', 'cat', 'golden', q, tstzrange(t, t, '[]'), 'golden', n || '-' || i)
	FROM unnest(quantities) WITH ORDINALITY AS x (q, i), LATERAL (SELECT '2000-01-01'::timestamptz + n * interval '1 day' + i * interval '1 second') AS y (t);
	SELECT coalesce(sum(billed_cost), 0) INTO result
	FROM rated('gpu', tstzrange('2000-01-01'::timestamptz + n * interval '1 day', '2000-01-02'::timestamptz + n * interval '1 day'),
		rates => ARRAY[rate]) AS r;
	RETURN result;
END $$;
CREATE FUNCTION pg_temp.price(model text, VARIADIC settings text[]) RETURNS rate LANGUAGE sql STABLE
RETURN jsonb_populate_record(NULL::rate, jsonb_build_object('pool_id', pool_id('gpu'), 'rate_id', 1000000, 'meter', 'golden', 'unit', 'unit', 'price', 0,
	'valid', '(,)', 'known', '(,)', 'model', model) || jsonb_object(settings));

-- ----------
-- Recording
-- ----------
SELECT record_usage('gpu', 'ann', 'token', 5, '[2026-01-05,2026-01-06)', 'gateway', 'a') AS first \gset
SELECT is(record_usage('gpu', 'ann', 'token', 5.00, '[2026-01-05 00:00+00,2026-01-06 00:00+00)', 'gateway', 'a', labels => '{}'), :first::bigint, 'the same again is the same usage');
SELECT is((SELECT count(*) FROM usage WHERE source = 'gateway'), 1::bigint, 'and no row more');
SELECT throws_ok($$SELECT record_usage('gpu', 'bob', 'token', 6, '[2026-02-05,2026-02-06)', 'gateway', 'a')$$, '23505', 'usage "a" of source "gateway" was recorded otherwise', 'something else under its key is refused');
SELECT throws_ok($$SELECT record_usage('gpu', 'ann', 'token', 5, '[2026-01-05,2026-01-06)', 'gateway', 'a', labels => '{"x": 1}')$$, '23505', NULL, 'even if only a label differs');
SELECT lives_ok($$SELECT record_usage('gpu', 'ann', 'token', 5, '[2026-01-05,2026-01-06)', 'scheduler', 'a')$$, 'another source has keys of its own');
SELECT pg_temp.refused(statement, code, format('%s: %s', code, statement)) FROM (VALUES
	($$SELECT record_usage('gpu', 'ann', 'lease', 5, '[2026-01-05,2026-01-06)', 's', 'x')$$, '23514'),
	($$SELECT record_usage('gpu', 'ann', 'token', 'NaN', '[2026-01-05,2026-01-06)', 's', 'x')$$, '23514'),
	($$SELECT record_usage('gpu', 'ann', 'token', 'Infinity', '[2026-01-05,2026-01-06)', 's', 'x')$$, '23514'),
	($$SELECT record_usage('gpu', 'ann', 'token', 1, '[2026-01-05,)', 's', 'x')$$, '23514'),
	($$SELECT record_usage('gpu', 'ann', 'token', 1, 'empty', 's', 'x')$$, '23502'),
	($$SELECT record_usage('gpu', 'ann', 'token', 1, '[2026-01-05,2026-01-06)', 's', NULL)$$, '23502'),
	($$SELECT record_usage('gpu', 'nobody', 'token', 1, '[2026-01-05,2026-01-06)', 's', 'x')$$, '42704'),
	($$SELECT record_usage('gpu', 'ann', 'token', 1, '[2026-01-05,2026-01-06)', 's', 'x', lease_id => 123456)$$, '23503'),
	($$UPDATE usage SET quantity = 0$$, '55000'), ($$DELETE FROM usage$$, '55000'), ($$TRUNCATE usage$$, '55000'),
	($$UPDATE usage_key SET usage_id = 0$$, '55000'), ($$DELETE FROM usage_key$$, '55000'),
	($$DELETE FROM party WHERE name = 'ann'$$, '23503'), ($$DELETE FROM pool WHERE name = 'gpu'$$, '23503')) AS s (statement, code);

-- many at once, with duplicates, and again
CREATE TEMP TABLE batch AS
	SELECT 'gpu' AS pool, CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END AS consumer, NULL::text AS provider, NULL::bigint AS lease_id, 'byte' AS meter, i::numeric AS quantity,
		tstzrange('2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01'::timestamptz + (i + 1) * interval '1 hour') AS during, NULL::jsonb AS labels,
		'batch' AS source, i::text AS source_key
	FROM generate_series(1, 1500) AS i;
INSERT INTO batch SELECT * FROM batch WHERE quantity % 10 = 0;
SELECT is(record_usage('batch'), 1500::bigint, 'a batch with duplicates: each once');
SELECT is(record_usage('batch'), 0::bigint, 'again: nothing');
SELECT is((SELECT sum(quantity) FROM usage WHERE meter = 'byte'), 1125750::numeric, 'all of it is there');
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
	SELECT pool_id, consumer_id, meter, quantity, during, at, source, source_key FROM usage WHERE meter = 'byte';
SELECT is((SELECT count(*) FROM usage WHERE meter = 'byte'), 1500::bigint, 'INSERT cannot record anything twice either');
UPDATE batch SET quantity = 0 WHERE source_key = '7';
SELECT throws_ok($$SELECT record_usage('batch')$$, '23505', NULL, 'a batch that contradicts what was recorded is refused as a whole');
UPDATE batch SET quantity = 7, consumer = 'nobody' WHERE source_key = '7';
SELECT throws_ok($$SELECT record_usage('batch')$$, '42704', 'party "nobody" does not exist', 'and so is one with a name that is none');

-- partitions
SELECT is(create_usage_partition('2026-01-15')::text, 'usage_2026_01', 'a partition for January');
SELECT is((SELECT count(*) FROM usage_2026_01 WHERE meter = 'byte'), 743::bigint, 'has what was recorded of January');
SELECT is((SELECT count(*) FROM usage WHERE meter = 'byte'), 1500::bigint, 'and nothing is lost or there twice');
SELECT is(record_usage('gpu', 'ann', 'token', 5, '[2026-01-05,2026-01-06)', 'gateway', 'a'), :first::bigint, 'the same again, in a partition, is the same usage');
SELECT pg_temp.refused($$UPDATE usage_2026_01 SET quantity = 0$$, '55000', 'a partition is as immutable');
SELECT pg_temp.refused($$TRUNCATE usage_2026_01$$, '55000', 'also to TRUNCATE');
SELECT pg_temp.refused($$SELECT create_usage_partition('2026-01-01')$$, '42P07', 'one partition a month');
SELECT is(create_usage_partition('2026-12-31')::text, 'usage_2026_12', 'December ends with the year');

-- ----------
-- Golden cases
-- ----------
\if :present
CREATE TEMP TABLE golden (domain text, name text, input jsonb, expected text, source text);
COPY golden FROM :'golden' (FORMAT csv, DELIMITER E'\t', HEADER);
SELECT is(pg_temp.cost(pg_temp.price(g.domain, 'upto', t.upto::text, 'unit_price', t.unit_price::text, 'flat', t.flat::text), (g.input ->> 'q')::numeric),
	g.expected::numeric, format('%s %s', g.domain, g.name))
FROM golden AS g, LATERAL (SELECT array_agg((x ->> 0)::numeric ORDER BY n) AS upto,
		array_agg((x ->> 1)::numeric / CASE g.domain WHEN 'graduated_percentage' THEN 100 ELSE 1 END ORDER BY n) AS unit_price, array_agg((x ->> 2)::numeric ORDER BY n) AS flat
	FROM jsonb_array_elements(coalesce(g.input -> 'tiers_upto_unit_flat', g.input -> 'tiers_upto_ratepct_flat')) WITH ORDINALITY AS e (x, n)) AS t
WHERE g.domain IN ('graduated', 'volume', 'graduated_percentage');
SELECT is(pg_temp.cost(pg_temp.price('package', 'price', g.input ->> 'amount', 'package_size', g.input ->> 'size', 'free_quantity', g.input ->> 'free'), (g.input ->> 'q')::numeric),
	g.expected::numeric, format('%s %s', g.domain, g.name))
FROM golden AS g WHERE g.domain = 'package';
-- events that come to the quantity, the first of them to what is free
SELECT is(pg_temp.cost(pg_temp.price('percentage', 'price', ((g.input ->> 'rate_pct')::numeric / 100)::text, 'free_quantity', g.input ->> 'free_amount',
		'free_events', g.input ->> 'free_events', 'event_price', g.input ->> 'fixed'), 125, 125, 275, 275),
	g.expected::numeric, format('%s %s', g.domain, g.name))
FROM golden AS g WHERE g.domain = 'percentage';

-- The LCG grid: 170 sites lent processors to 28 virtual organisations
CREATE TEMP TABLE job (number bigint, submitted bigint, waited bigint, ran bigint, processors bigint, cpu numeric, memory numeric, wanted bigint, wanted_time bigint,
	wanted_memory numeric, status int, person int, organisation int, executable int, queue int, site int, after bigint, think bigint);
COPY job FROM PROGRAM :'lcg';
SELECT create_party('site ' || site) FROM (SELECT DISTINCT site FROM job ORDER BY site) AS s \g /dev/null
SELECT create_party('vo ' || organisation) FROM (SELECT DISTINCT organisation FROM job ORDER BY organisation) AS s \g /dev/null
SELECT create_pool('grid', 'compute', 'processor', 'uni', fee => 0.05) \g /dev/null
SELECT set_rate('grid', 'processor', 0.000007, 'processor-second', valid => '(,)') \g /dev/null
CREATE TEMP VIEW swf AS
	SELECT 'grid' AS pool, 'vo ' || organisation AS consumer, 'site ' || site AS provider, NULL::bigint AS lease_id, 'processor' AS meter,
		(ran * processors)::numeric AS quantity, tstzrange(t, t + ran * interval '1 second', '[]') AS during, NULL::jsonb AS labels, 'lcg' AS source, number::text AS source_key
	FROM job, LATERAL (SELECT to_timestamp(1132444805 + submitted + greatest(waited, 0)) AS t) AS s
	WHERE ran > 0 AND processors > 0;
SELECT is((SELECT sum(quantity) FROM swf), 1502530759::numeric, 'the LCG trace has 1,502,530,759 processor-seconds');
SELECT is(record_usage('swf'), (SELECT count(*) FROM swf), 'recorded');
SELECT is((SELECT (sum(billed_cost), count(DISTINCT provider_id), count(DISTINCT consumer_id)) FROM rated('grid', '[2005-11-01,2006-01-01)'))::text,
	(1502530759 * 0.000007, (SELECT count(DISTINCT provider) FROM swf), (SELECT count(DISTINCT consumer) FROM swf))::text, 'billed: exactly that times the rate, of all sites to all organisations');
SELECT is((SELECT sum(billed_cost) FROM generate_series('2005-11-20'::timestamptz, '2005-12-15', '1 day') AS t, rated('grid', tstzrange(t, t + interval '1 day'))),
	1502530759 * 0.000007, 'day by day: the same to the last place');
-- and closed, posted and settled, in two periods
SELECT count(close_billing_period('grid', d)) FROM unnest('{"[2005-11-01,2005-12-01)","[2005-12-01,2006-01-01)"}'::tstzrange[]) AS d \g /dev/null
SELECT is((SELECT (sum(quantity), sum(billed_cost))::text FROM charge WHERE pool_id = pool_id('grid')), (1502530759::numeric, 1502530759 * 0.000007)::text, 'closed: charges are 1,502,530,759 processor-seconds times the rate, exactly');
SELECT results_eq($$SELECT billing_period_id, consumer_id, sum(amount) FROM charge WHERE pool_id = pool_id('grid') GROUP BY 1, 2 ORDER BY 1, 2$$,
	$$SELECT billing_period_id, party_id(consumer), money_round(sum(quantity) * 0.000007, 2) FROM swf JOIN billing_period AS b ON b.pool_id = pool_id('grid') AND b.during @> lower(swf.during) GROUP BY 1, 2 ORDER BY 1, 2$$,
	'every organisation is invoiced its exact total, rounded once');
SELECT is_empty($$SELECT p.journal_id FROM posting AS p JOIN account AS a USING (account_id) WHERE a.pool_id = pool_id('grid') GROUP BY p.journal_id, a.currency HAVING sum(p.amount) <> 0$$, 'postings sum to zero, by journal and currency');
SELECT is(verify_books(), NULL, 'and the books are right');
CREATE TEMP TABLE owed AS SELECT party, - sum(balance) AS amount FROM balances('grid') GROUP BY party;
CREATE TEMP TABLE transfer AS SELECT * FROM net_settlement('grid', 'greedy');
SELECT cmp_ok((SELECT count(*) FROM transfer), '<', (SELECT count(*) FROM owed WHERE amount <> 0), 'netting takes fewer transfers than there are parties');
SELECT is_empty($$SELECT * FROM owed AS o FULL JOIN (SELECT party, sum(amount) AS amount FROM (SELECT payee, amount FROM transfer UNION ALL SELECT payer, - amount FROM transfer) AS t (party, amount) GROUP BY party) AS t USING (party)
	WHERE coalesce(o.amount, 0) <> coalesce(t.amount, 0)$$, 'I11: which give each what it is owed');
SELECT is_empty($$SELECT * FROM balances('grid') WHERE balance <> 0 AND kind <> 'cash'$$, 'and settle every balance');
\endif

-- ----------
-- Models that the golden cases leave out
-- ----------
SELECT is(pg_temp.cost(pg_temp.price('percentage', 'price', '0.1', 'event_minimum', '1', 'event_maximum', '5'), 1, 20, 100), 8::numeric, 'percentage: at least 1 and at most 5 for each');
SELECT is(pg_temp.cost(pg_temp.price('percentage', 'price', '0.1', 'free_events', '1'), 50, 20), 2::numeric, 'percentage: the first record is free, whatever it is');
SELECT is(pg_temp.cost(pg_temp.price('percentage', 'price', '0.1', 'free_quantity', '30', 'event_price', '1'), 50, 20), 5::numeric, 'percentage: the record in which the allowance ends is free of the price of a record');
SELECT is(pg_temp.cost(pg_temp.price('standard', 'price', '2', 'minimum', '100'), 10, 5), 100::numeric, 'a minimum');
SELECT is(pg_temp.cost(pg_temp.price('graduated', 'upto', '{10,NULL}', 'unit_price', '{2,1}', 'maximum', '22'), 10, 50), 22::numeric, 'a maximum');
SELECT is(pg_temp.cost(pg_temp.price('standard', 'price', '2', 'schedule', '{"-infinity": 1.5}'), 10), 30::numeric, 'a schedule');


-- the example of the reference: late units raise the bill less, and may lower it
SELECT is(pg_temp.cost(pg_temp.price(model, 'upto', '{100,NULL}', 'unit_price', '{10,5}'), VARIADIC quantities), expected::numeric, format('%s of %s', model, quantities))
FROM (VALUES ('graduated', '{80}'::numeric[], 800), ('graduated', '{80,20}', 1000), ('graduated', '{80,20,20}', 1100), ('volume', '{100}', 1000), ('volume', '{100,1}', 505)) AS g (model, quantities, expected);

-- ----------
-- Leases: quoted prices, rates, schedules, what is given back
-- ----------
SELECT reserve('gpu', 'ann', 10, '[2026-03-01,2026-03-11)') AS lease \gset
SELECT is(pg_temp.bill('gpu', '[2026-03-01,2026-04-01)'), 'ann lease quantity 4800', 'a lease at its quoted price');
UPDATE pool SET price = 3 WHERE name = 'gpu';
SELECT is(pg_temp.bill('gpu', '[2026-03-01,2026-04-01)'), 'ann lease quantity 4800', 'which it keeps');
SELECT set_rate('gpu', 'lease', 1, 'gpu-hour', party => 'ann', valid => '[2026-03-06,)') AS rate \gset
SELECT is(pg_temp.bill('gpu', '[2026-03-01,2026-04-01)'), 'ann lease quantity 3600', 'a price of one''s own, from the middle of the lease on');
SELECT is(pg_temp.bill('gpu', '[2026-03-01,2026-04-01)', (SELECT lower(known) - interval '1 microsecond' FROM rate WHERE rate_id = :rate)), 'ann lease quantity 4800', 'as known before');
SELECT set_rate('gpu', 'lease', 1, 'gpu-hour', party => 'ann', valid => '[2026-03-06,)', schedule => '{"-infinity": 1, "2026-03-08": 3, "2026-03-09": 1}') \g /dev/null
SELECT is(pg_temp.bill('gpu', '[2026-03-01,2026-04-01)'), 'ann lease quantity 4080', 'dearer for a day');
SELECT is((SELECT count(*) FROM rated('gpu', '[2026-03-01,2026-04-01)') WHERE meter = 'lease'), 3::bigint, 'one charge for each level of the price');
SELECT is((SELECT sum(r.billed_cost) FROM generate_series('2026-03-01'::timestamptz, '2026-03-10', '1 day') AS d, rated('gpu', tstzrange(d, d + interval '1 day')) AS r), 4080::numeric, 'day by day: the same');
SELECT record_usage('gpu', 'ann', 'token', 1, '[2026-03-02,2026-03-02]', 'l', '1', lease_id => :lease) AS usage \gset
SELECT is((SELECT count(*) FROM rated('gpu', '[2026-03-01,2026-04-01)') WHERE meter = 'token' AND lease_id = :lease AND billed_cost = 0 AND quantity = 1 AND rate_id IS NULL), 1::bigint,
	'usage without a rate costs nothing, and shows');
SELECT pg_temp.refused(format($$SELECT record_usage('gpu', 'bob', 'token', 1, '[2026-03-02,2026-03-02]', 'l', '2', lease_id => %s)$$, :lease), '23503', 'nobody uses the lease of another');

-- A month of 743 hours, one of 745, a leap day: parts always come to the whole
SELECT is((SELECT sum(prorated(amount, tstzrange(t, t + step), during))
		FROM generate_series(lower(during), upper(during) - interval '1 second', step) AS t), amount, format('%s of %s by %s', amount, during, step))
FROM (VALUES ('[2026-03-01 00:00 Europe/Berlin,2026-04-01 00:00 Europe/Berlin)'::tstzrange, 743), ('[2026-10-01 00:00 Europe/Berlin,2026-11-01 00:00 Europe/Berlin)', 745), ('[2028-02-01,2028-03-01)', 696)) AS m (during, hours),
	(VALUES ('1 hour'::interval), ('8 hours 55 minutes 12 seconds')) AS s (step), (VALUES (1::numeric), (9999.99)) AS a (amount)
WHERE mod(hours * 3600, extract(epoch FROM step)) = 0;

-- ----------
-- Commitments: what was paid is what it cost, used and unused, whenever billed
-- ----------
SELECT create_pool('reserve', 'compute', 'gpu', 'uni', price => 2) \g /dev/null
SELECT invite('reserve', p, r), accept('reserve', p, r) FROM (VALUES ('ann', 'consumer'), ('bob', 'consumer'), ('north', 'provider')) AS m (p, r) \g /dev/null
SELECT add_supply('reserve', 'north', 100, '[2026-01-01,)') \g /dev/null
SELECT reserve('reserve', 'ann', q, p::tstzrange) FROM (VALUES (10, '[2026-01-03,2026-01-13)'), (3, '[2026-01-10,2026-03-05)'), (9, '[2026-02-25 07:00,2026-02-28 11:11:11.111)')) AS l (q, p) \g /dev/null
SELECT set_rate('reserve', 'token', 0.01, 'token', valid => '(,)'), set_rate('reserve', 'lease', 3, 'gpu-hour', valid => '(,)'),
	set_rate('reserve', 'lease', party => 'ann', unit => 'gpu-hour', model => 'reserved', quantity => 8, purchase => 1000.01, valid => '[2026-01-05,2026-03-02 13:37)'),
	set_rate('reserve', 'token', party => 'ann', unit => 'token', model => 'prepaid', quantity => 1000, purchase => 7.77, valid => '[2026-01-05,2026-03-02 13:37)'),
	set_rate('reserve', 'token', 0.007, 'token', 'spend', 'bob', valid => '[2026-01-05,2026-03-02 13:37)', purchase => 9.99) \g /dev/null
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
	SELECT pool_id('reserve'), party_id(CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END), 'token', CASE WHEN i % 17 = 0 THEN -5 ELSE i % 50 END, tstzrange(t, t, '[]'), t, 'reserve', i::text
	FROM generate_series(1, 140) AS i, LATERAL (SELECT '2026-01-02'::timestamptz + i * interval '12 hours') AS x (t);
CREATE FUNCTION pg_temp.commitments(step interval) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT string_agg(format('%s %s', model, paid = cost AND paid = purchase), ', ' ORDER BY model)
	FROM (SELECT v.model, v.purchase, sum(r.billed_cost) FILTER (WHERE r.category = 'purchase') AS paid, sum(r.effective_cost) AS cost
		FROM generate_series('2026-01-01'::timestamptz, '2026-03-31', step) AS t, rated('reserve', tstzrange(t, t + step)) AS r
		JOIN rate AS v ON v.rate_id = r.rate_id
		WHERE v.purchase IS NOT NULL GROUP BY 1, 2) AS c);
SELECT is(pg_temp.commitments(step), 'prepaid t, reserved t, spend t', format('effective is billed, every %s', step)) FROM (VALUES ('1 month'::interval), ('1 week'), ('1 day'), ('100 days'), ('17 hours 13 minutes')) AS s (step);
SELECT is((SELECT sum(quantity) FROM rated('reserve', '[2026-01-01,2026-04-01)') WHERE meter = m AND category = 'usage' AND commitment_status IS DISTINCT FROM 'unused' AND consumer_id = party_id(c)), q, format('%s of %s: what is covered and what is not is all of it', m, c))
FROM (SELECT 'token' AS m, CASE i WHEN 0 THEN 'ann' ELSE 'bob' END AS c, (SELECT sum(quantity) FROM usage WHERE pool_id = pool_id('reserve') AND consumer_id = party_id(CASE i WHEN 0 THEN 'ann' ELSE 'bob' END)) AS q FROM generate_series(0, 1) AS i) AS x;
SELECT is((SELECT sum(quantity) FROM rated('reserve', '[2026-01-01,2026-02-01)') WHERE meter = 'lease' AND commitment_status = 'used'),
	(SELECT integral(pointwise_min(load_profile(effective, quantity), profile(8)), '[2026-01-05,2026-02-01)') FROM lease WHERE pool_id = pool_id('reserve')), 'reserved: at every instant what is leased, up to what is reserved');
SELECT throws_ok($$SELECT set_rate('reserve', 'lease', party => 'ann', model => 'reserved', quantity => 1, purchase => 1, valid => '[2026-03-01,2026-03-03)')$$, '23P01', NULL, 'one commitment at a time');
SELECT is((SELECT count(*) FROM rated('reserve', '[2026-01-01,2026-04-01)') WHERE list_cost <> list_unit_price * quantity OR contracted_cost <> contracted_unit_price * quantity
	OR (commitment_status IS NULL AND category = 'usage' AND (billed_cost <> contracted_cost OR effective_cost <> billed_cost))), 0::bigint, 'every cost is its product');

-- ----------
-- Any order, duplication and batching; and a recomputation in plain SQL
-- ----------
SELECT create_pool('random', 'model', 'replica', 'uni'), setseed(0.42) \g /dev/null
SELECT set_rate('random', 'm0', 0.123, 'unit', valid => '[2026-01-01,2026-01-20)'), set_rate('random', 'm0', 0.456, 'unit', valid => '[2026-01-20,)'), set_rate('random', 'm0', 0.1, 'unit', party => 'ann', valid => '[2026-01-10,2026-02-10)'),
	set_rate('random', 'm1', unit => 'unit', model => 'graduated', upto => '{50,100.5,NULL}', unit_price => '{3,2,1}', flat => '{1,0,7}', valid => '(,)'),
	set_rate('random', 'm2', unit => 'unit', model => 'volume', upto => '{50,100.5,NULL}', unit_price => '{3,2,1}', flat => '{1,0,7}', valid => '(,)'),
	set_rate('random', 'm3', 5, 'unit', 'package', package_size => 7, free_quantity => 3, valid => '(,)') \g /dev/null
CREATE TEMP TABLE random AS
	SELECT 'random' AS pool, (ARRAY['ann', 'bob', 'cat'])[1 + i % 3] AS consumer, (ARRAY['north', 'south', NULL])[1 + (random() * 2)::int] AS provider, NULL::bigint AS lease_id,
		'm' || (random() * 4)::int AS meter, CASE WHEN random() < 0.1 THEN -1 ELSE 1 END * round((random() * 9)::numeric, 1 + (random() * 3)::int) AS quantity,
		tstzrange(t, t + interval '1 minute') AS during, jsonb_build_object('team', (random() * 3)::int) AS labels, 'random' AS source, 'r' || i AS source_key
	FROM generate_series(1, 4000) AS i, LATERAL (SELECT '2026-01-01'::timestamptz + random() * interval '90 days' + i * interval '0') AS x (t);
CREATE TEMP TABLE part AS SELECT * FROM random WHERE false;
DO $$
DECLARE
	n bigint := 0;
BEGIN
	FOR i IN 1 .. 20 LOOP
		DELETE FROM part;
		INSERT INTO part SELECT r.pool, r.consumer, r.provider, r.lease_id, r.meter, r.quantity, r.during, r.labels, r.source, r.source_key FROM (SELECT *, random() AS x FROM random) AS r, generate_series(1, 1 + (r.x * 1000)::int % 2) WHERE r.x < i / 20.0 ORDER BY r.x;
		n := n + record_usage('part');
	END LOOP;
	IF n <> 4000 THEN RAISE 'recorded %', n; END IF;
END $$;
-- by account, in plain SQL, one tier after the other
CREATE TEMP VIEW expected AS
	WITH account AS (
		SELECT consumer, provider, meter, month, sum(quantity) AS q, sum(quantity * CASE
			WHEN consumer = 'ann' AND lower(during) >= '2026-01-10' AND lower(during) < '2026-02-10' THEN 0.1
			WHEN lower(during) < '2026-01-20' THEN 0.123 ELSE 0.456 END) AS standard
		FROM random, LATERAL (SELECT date_trunc('month', lower(during)) AS month) AS d
		GROUP BY 1, 2, 3, 4
	)
	SELECT month, consumer, coalesce(provider, '') AS provider, meter, CASE meter
		WHEN 'm0' THEN standard
		WHEN 'm1' THEN 1 + 3 * least(q, 50) + CASE WHEN q > 50 THEN 2 * (least(q, 100.5) - 50) ELSE 0 END + CASE WHEN q > 100.5 THEN 7 + (q - 100.5) ELSE 0 END
		WHEN 'm2' THEN CASE WHEN q <= 50 THEN 1 + 3 * q WHEN q <= 100.5 THEN 2 * q ELSE 7 + q END
		WHEN 'm3' THEN 5 * ceil(greatest(q - 3, 0) / 7)
		ELSE 0 END AS cost
	FROM account;
CREATE TEMP VIEW actual AS
	SELECT month, c.name AS consumer, coalesce(v.name, '') AS provider, r.meter, sum(r.billed_cost) AS cost
	FROM generate_series('2026-01-01'::timestamptz, '2026-03-01', '1 month') AS month, rated('random', tstzrange(month, month + interval '1 month')) AS r
	JOIN party AS c ON c.party_id = r.consumer_id LEFT JOIN party AS v ON v.party_id = r.provider_id
	GROUP BY 1, 2, 3, 4;
SELECT cmp_ok((SELECT count(*) FROM expected WHERE cost <> 0), '>', 80::bigint, 'there are many accounts');
SELECT is_empty($$
	SELECT * FROM expected AS e FULL JOIN actual AS a USING (month, consumer, provider, meter) WHERE coalesce(e.cost, 0) <> coalesce(a.cost, 0)
$$, 'each account costs what plain SQL says');
SELECT is((SELECT sum(r.quantity) FROM generate_series('2026-01-01'::timestamptz, '2026-03-01', '1 month') AS m, rated('random', tstzrange(m, m + interval '1 month')) AS r WHERE r.meter IN ('m0', 'm1', 'm4') AND r.component = 'quantity'),
	(SELECT sum(quantity) FROM random WHERE meter IN ('m0', 'm1', 'm4')), 'no quantity is lost');

-- ----------
-- Late usage: corrections are what is missing, once, in any order
-- ----------
CREATE FUNCTION pg_temp.bill_corrections() RETURNS numeric LANGUAGE sql
BEGIN ATOMIC
	WITH correction AS (
		INSERT INTO charge (pool_id, billing_period_id, consumer_id, provider_id, lease_id, rate_id, category, correction, meter, component, during, quantity, unit, list_unit_price,
			contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount, commitment_status, labels)
		SELECT pool_id('random'), (SELECT billing_period_id FROM billing_period WHERE pool_id = pool_id('random') AND during @> '2026-02-02'::timestamptz), r.consumer_id, r.provider_id, r.lease_id, r.rate_id, r.category, true, r.meter, r.component, r.period, r.quantity, r.unit, r.list_unit_price,
			r.contracted_unit_price, r.list_cost, r.contracted_cost, r.effective_cost, r.billed_cost, 0, r.commitment_status, r.labels
		FROM rating_corrections('random', '[2026-01-01,2026-02-01)') AS r
		RETURNING billed_cost
	)
	SELECT coalesce(sum(billed_cost), 0) FROM correction;
END;
INSERT INTO billing_period (pool_id, during) VALUES (pool_id('random'), '[2026-01-01,2026-02-01)'), (pool_id('random'), '[2026-02-01,2026-03-01)');
INSERT INTO charge (pool_id, billing_period_id, consumer_id, provider_id, lease_id, rate_id, category, meter, component, during, quantity, unit, list_unit_price,
		contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount, commitment_status, labels)
	SELECT b.pool_id, b.billing_period_id, r.consumer_id, r.provider_id, r.lease_id, r.rate_id, r.category, r.meter, r.component, r.period, r.quantity, r.unit, r.list_unit_price,
		r.contracted_unit_price, r.list_cost, r.contracted_cost, r.effective_cost, r.billed_cost, 0, r.commitment_status, r.labels
	FROM billing_period AS b, rated('random', b.during) AS r WHERE b.pool_id = pool_id('random') AND b.during @> '2026-01-02'::timestamptz;
SELECT is_empty($$SELECT * FROM rating_corrections('random', '[2026-01-01,2026-02-01)')$$, 'nothing to correct');
SELECT sum(billed_cost) AS before FROM rated('random', '[2026-01-01,2026-02-01)') \gset
DO $$
DECLARE
	total numeric := 0;
BEGIN
	FOR i IN 1 .. 30 LOOP
		PERFORM record_usage('random', (ARRAY['ann', 'bob', 'cat'])[1 + (random() * 2)::int], 'm' || (random() * 4)::int, round((random() * 40 - 10)::numeric, 2), tstzrange(t, t, '[]'), 'late', i || '-' || j,
			provider => (ARRAY['north', NULL])[1 + j % 2])
		FROM generate_series(1, i % 3) AS j, LATERAL (SELECT '2026-01-01'::timestamptz + random() * interval '30 days' + j * interval '0') AS x (t);
		IF i % 10 = 0 THEN
			PERFORM set_rate('random', 'm0', round(random()::numeric, 3), 'unit', valid => '[2026-01-05,2026-01-15)');
		END IF;
		PERFORM pg_temp.bill_corrections();
		IF pg_temp.bill_corrections() <> 0 OR EXISTS (SELECT FROM rating_corrections('random', '[2026-01-01,2026-02-01)')) THEN RAISE 'corrected twice'; END IF;
		IF (SELECT sum(billed_cost) FROM charge WHERE pool_id = pool_id('random')) <> (SELECT sum(billed_cost) FROM rated('random', '[2026-01-01,2026-02-01)')) THEN
			RAISE 'charges are not what they should be after %', i;
		END IF;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM charge WHERE correction AND pool_id = pool_id('random')), '>', 30::bigint, 'there were corrections, and each time charges came to what is right');
SELECT is(:before + (SELECT sum(billed_cost) FROM charge WHERE correction AND pool_id = pool_id('random')), (SELECT sum(billed_cost) FROM rated('random', '[2026-01-01,2026-02-01)')), 'all of them come to the difference');
SELECT pg_temp.refused(statement, '55000', statement) FROM (VALUES ($$UPDATE charge SET amount = 1$$), ($$DELETE FROM charge$$), ($$TRUNCATE charge$$)) AS s (statement);

-- What if: other rates
SELECT is(pg_temp.bill('reserve', '[2026-01-01,2026-02-01)', rates => ARRAY(SELECT r FROM rate AS r WHERE pool_id = pool_id('reserve') AND upper_inf(known))),
	pg_temp.bill('reserve', '[2026-01-01,2026-02-01)'), 'with the rates that there are, the same');
SELECT is((SELECT sum(billed_cost) FROM rated('random', '[2026-02-01,2026-03-01)', rates => ARRAY(SELECT jsonb_populate_record(r, '{"price": 2}') FROM rate AS r WHERE pool_id = pool_id('random') AND upper_inf(known) AND meter = 'm3'))),
	(SELECT sum(billed_cost) * 2 / 5 FROM rated('random', '[2026-02-01,2026-03-01)') WHERE meter = 'm3'), 'packages at 2 rather than 5');

SELECT * FROM finish();
ROLLBACK;
