-- billing_limits.sql
--		Billing refuses what it could not bill rightly: prices that cannot be
--		rated, times without an end, modes that are none, empty journals, gaps
--		between billing periods; and it bills no hold that was never confirmed.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
\ir ../helpers.sql
SELECT no_plan();

SELECT count(create_party(p)) FROM unnest('{bl_commons,bl_north,bl_ann,bl_bob}'::text[]) AS p \g /dev/null
SELECT create_pool('bl', 'compute', 'gpu', 'bl_commons', price => 2) \g /dev/null
SELECT invite('bl', p, r), accept('bl', p, r) FROM (VALUES ('bl_north', 'provider'), ('bl_ann', 'consumer'), ('bl_bob', 'consumer')) AS m (p, r) \g /dev/null
SELECT add_supply('bl', 'bl_north', 100, '[2025-01-01,)') \g /dev/null

-- A price that cannot be rated would keep its period open for ever.
SELECT matches(public.try(format($$SELECT set_rate('bl', 'x', model => 'graduated', valid => '(,)', %s)$$, tiers)), expected, 'refused: ' || tiers)
FROM (VALUES
	($$upto => '{10,NaN}', unit_price => '{1,2}'$$, '^22003'), ($$upto => '{10,5}', unit_price => '{1,2}'$$, '^22023'),
	($$upto => '{NULL,10}', unit_price => '{1,2}'$$, '^22004'), ($$upto => '{-5,NULL}', unit_price => '{1,2}'$$, '^22023'),
	($$upto => '{10,NULL}', unit_price => '{1,NULL}'$$, '^22004'), ($$upto => '{10,NULL}', unit_price => '{1,Infinity}'$$, '^22003'),
	($$upto => '{1,NULL}', unit_price => '{1,2}', flat => '{1,NaN}'$$, '^22003'), ($$upto => '{}', unit_price => '{}'$$, '^2202E'),
	($$upto => '{{1,2},{3,NULL}}', unit_price => '{{1,2},{3,4}}'$$, '^2202E'), ($$upto => '{1,NULL}', unit_price => '{1}'$$, '^(2202E|23514)'),
	($$unit_price => '{1}'$$, '^23514')) AS t (tiers, expected);

-- A time without an end has no period to bill, and no cost that is finite.
SELECT is(public.try(format('SELECT count(*) FROM ' || f, r)), E'22023 period must be bounded\n  Bound the time, for example with tstzrange(a, b).', format(f, r))
FROM unnest('{rated(''bl''\, %L), rating_corrections(''bl''\, %L), statement(''bl_ann''\, %L), cost_allocation(''bl''\, %L), supply_level(pool_id(''bl'')\, %L)}'::text[]) AS f,
	unnest('{"[2025-01-01,)","(,2025-01-01)","[2025-01-01,infinity)","(,)"}'::text[]) AS r;
SELECT is(public.try(format('SELECT count(*) FROM ' || f, 'empty')), 'done', 'an empty time has nothing: ' || f)
FROM unnest('{rated(''bl''\, %L), statement(''bl_ann''\, %L), cost_allocation(''bl''\, %L)}'::text[]) AS f;

SELECT is(public.try($$SELECT count(*) FROM cost_allocation('bl', '[2025-01-01,2025-02-01)', 'evenly')$$),
	E'22023 unknown mode "evenly"\n  Modes are separate, even, weighted, peak, coincident_peak, measure.', 'a mode that is none is not taken for another');
SELECT matches(public.try($$SELECT count(*) FROM cost_allocation('bl', '[2025-01-01,2025-02-01)', share => 'separate')$$), '^22023', 'of sharing, too');

-- Journals
SELECT is(public.try($$SELECT post_journal('transfer', '{}', '{}')$$), '2202E a journal must have postings', 'there are no empty journals');
SELECT open_account('bl_ann', 'receivable', 'USD', 'bl') AS a, open_account('bl_north', 'payable', 'USD', 'bl') AS b \gset
SELECT post_journal('transfer', ARRAY[:a, :b], '{5,-5}', 'bl', occurred_at => '2030-01-01') AS j \gset
SELECT is(public.try(format('SELECT reverse_journal(%s, %L)', :j, '2029-12-31')), format(E'22023 journal %s cannot be taken back before it happened\n  It occurred at 2030-01-01 00:00:00+00.', :j),
	'nothing is taken back before it happened');
SELECT reverse_journal(:j) AS r \gset
SELECT is((SELECT occurred_at FROM journal WHERE journal_id = :r), '2030-01-01'::timestamptz, 'not even by default');
SELECT is(balance(:a, t), 0::numeric, 'so that no balance is ever of the reversal alone') FROM unnest('{2029-12-31,2030-01-02}'::timestamptz[]) AS t;

-- What is between two closed periods would never be billed.
SELECT set_rate('bl', 'token', 0.01, 'token', valid => '(,)') \g /dev/null
SELECT record_usage('bl', 'bl_ann', 'token', 100 * n, tstzrange(t, t, '[]'), 'test', n::text) FROM (VALUES (1, '2025-01-10'::timestamptz), (2, '2025-02-10'), (3, '2025-03-10')) AS u (n, t) \g /dev/null
SELECT close_billing_period('bl', '[2025-01-01,2025-02-01)') IS NOT NULL \g /dev/null
SELECT is(public.try($$SELECT close_billing_period('bl', '[2025-03-01,2025-04-01)')$$),
	E'55000 the billing period does not begin where the last one ended\n  Billing period ["2025-01-01 00:00:00+00","2025-02-01 00:00:00+00").', 'billing periods follow one another');
INSERT INTO billing_period (pool_id, during) SELECT pool_id('bl'), d FROM unnest('{"[2025-02-01,2025-03-01)","[2025-03-01,2025-04-01)"}'::tstzrange[]) AS d;
SELECT matches(public.try($$SELECT close_billing_period('bl', '[2025-03-01,2025-04-01)')$$), '^55000 an earlier billing period is open', 'also where their rows were made before');
SELECT close_billing_period('bl', d) FROM unnest('{"[2025-02-01,2025-03-01)","[2025-03-01,2025-04-01)"}'::tstzrange[]) AS d \g /dev/null
SELECT is((SELECT sum(amount) FROM charge WHERE pool_id = pool_id('bl')), 6.00, 'so that all is billed');
SELECT is(verify_books('bl'), NULL, 'and the books are right');

-- Who must round half up does, and never otherwise in the same pool
SELECT create_pool('bl_up', 'compute', 'gpu', 'bl_commons', rounding => 'half_up'), create_pool('bl_yen', 'compute', 'gpu', 'bl_commons', rounding => 'up', currency => 'JPY') \g /dev/null
SELECT set_rate(p, 'token', 0.125, 'token', valid => '(,)'), record_usage(p, 'bl_ann', 'token', 1, '[2025-01-10,2025-01-11)', p, '1'),
	close_billing_period(p, '[2025-01-01,2025-02-01)') IS NOT NULL FROM unnest('{bl_up,bl_yen}'::text[]) AS p \g /dev/null
SELECT results_eq($$SELECT amount FROM charge WHERE pool_id IN (pool_id('bl_up'), pool_id('bl_yen')) ORDER BY pool_id$$, '{0.13,1}'::numeric[], 'invoices are rounded as the pool has it');
SELECT is(verify_books(p), NULL, 'and their books are right: ' || p) FROM unnest('{bl_up,bl_yen}'::text[]) AS p;
SELECT matches(public.try($$UPDATE pool SET rounding = 'half_even' WHERE name = 'bl_up'$$), '^55000 unit, currency and rounding', 'the rounding of a pool stays');
SELECT matches(public.try($$SELECT create_pool('bl_x', 'compute', 'gpu', 'bl_commons', rounding => 'half')$$), '^22023 unknown rounding mode', 'and is one that there is');

-- I9, for each of several commitments to one meter: what is corrected stays with its commitment
SELECT set_rate('bl', 'minute', 0.9, 'minute', valid => '(,)'),
	set_rate('bl', 'minute', model => 'prepaid', party => 'bl_ann', quantity => 100, purchase => 50, valid => '[2025-04-01,2025-04-15)'),
	set_rate('bl', 'minute', model => 'prepaid', party => 'bl_ann', quantity => 100, purchase => 80, valid => '[2025-04-15,2025-05-01)'),
	record_usage('bl', 'bl_ann', 'minute', 40, '[2025-04-20,2025-04-21)', 'test', 'minutes'), close_billing_period('bl', '[2025-04-01,2025-05-01)') IS NOT NULL,
	record_usage('bl', 'bl_ann', 'minute', 60, '[2025-04-05,2025-04-06)', 'test', 'late minutes'), close_billing_period('bl', '[2025-05-01,2025-06-01)') IS NOT NULL \g /dev/null
SELECT results_eq($$SELECT r.purchase, sum(c.billed_cost), sum(c.effective_cost), sum(c.quantity) FILTER (WHERE c.commitment_status = 'used') FROM charge AS c JOIN rate AS r ON r.pool_id = c.pool_id AND r.rate_id = c.rate_id
	WHERE c.pool_id = pool_id('bl') AND r.purchase IS NOT NULL GROUP BY 1 ORDER BY 1$$, $$VALUES (50::numeric, 50::numeric, 50::numeric, 60::numeric), (80, 80, 80, 40)$$,
	'I9: each commitment costs over its term what it cost to buy');
SELECT is_empty($$SELECT rule, message FROM focus_violations('focus_cost_and_usage') WHERE record ->> 'ServiceName' = 'bl'$$, 'as FOCUS has it');

-- Nor is what was used before the first one: said while something can be done, and when it comes later.
SELECT create_pool('bl_first', 'compute', 'gpu', 'bl_commons') \g /dev/null
SELECT set_rate('bl_first', 'token', 2, 'token', valid => '(,)'), record_usage('bl_first', 'bl_ann', 'token', n, tstzrange(t, t, '[]'), 'first', n::text) FROM (VALUES (5, '2025-01-10'::timestamptz), (7, '2025-01-20'), (1, '2025-02-10')) AS u (n, t) \g /dev/null
SELECT is(public.try($$SELECT close_billing_period('bl_first', '[2025-02-01,2025-03-01)')$$), E'55000 usage from 2025-01-10 00:00:00+00 on, before the first billing period, would never be billed\n'
	'  The first is 5 of meter "token" by "bl_ann", which source "first" calls "5".\n  Close an earlier billing period first, one that begins by then.', 'the first billing period leaves no usage behind');
SELECT close_billing_period('bl_first', d) FROM unnest('{"[2025-01-01,2025-02-01)","[2025-02-01,2025-03-01)"}'::tstzrange[]) AS d \g /dev/null
SELECT is((SELECT sum(amount) FROM charge WHERE pool_id = pool_id('bl_first')), 26.00, 'so that all is billed');
SELECT record_usage('bl_first', 'bl_ann', 'token', 9, '[2024-12-10,2024-12-10]', 'first', 'late') \g /dev/null
SET LOCAL client_min_messages = error;
SELECT is(public.try($$SELECT close_billing_period('bl_first', '[2025-03-01,2025-04-01)')$$), 'done', 'but it does not keep later ones from being closed');

SET LOCAL client_min_messages = warning;

-- What is too large to be billed names itself, and can be taken back.
SELECT create_pool('bl_large', 'compute', 'gpu', 'bl_commons') \g /dev/null
SELECT set_rate('bl_large', 'token', 2, 'token', valid => '(,)'), set_rate('bl_large', 'level', 2, model => 'percentile', fraction => 0.95, valid => '(,)'),
	record_usage('bl_large', 'bl_ann', 'token', 3, '[2025-01-10,2025-01-10]', 'large', 'right'), record_usage('bl_large', 'bl_bob', 'token', 1e30, '[2025-01-11,2025-01-11]', 'large', 'wrong') \g /dev/null
SELECT is(public.try($$SELECT close_billing_period('bl_large', '[2025-01-01,2025-02-01)')$$), E'22003 cannot close the billing period of pool "bl_large": bigint out of range\n'
	'  The largest charge is 2000000000000000000000000000000 USD: 1000000000000000000000000000000 token of meter "token" for "bl_bob" in ["2025-01-01 00:00:00+00","2025-02-01 00:00:00+00"). '
	'The largest usage is 1000000000000000000000000000000 of meter "token" by "bl_bob" at 2025-01-11 00:00:00+00, which source "large" calls "wrong".\n'
	'  An amount has at most 18 digits. Usage that was recorded by mistake is taken back by its negative quantity, under a key of its own.', 'usage that is too large to be billed is named');
SELECT record_usage('bl_large', 'bl_bob', 'token', -1e30, '[2025-01-11,2025-01-11]', 'large', 'wrong, taken back'),
	record_usage('bl_large', 'bl_bob', 'level', 1e31, '[2025-01-11,2025-01-12)', 'large', 'level') \g /dev/null
SELECT matches(public.try($$SELECT close_billing_period('bl_large', '[2025-01-01,2025-02-01)')$$), E'^22003 .*: quantity out of range\n  The largest usage is 1(0){31} of meter "level"', 'also if it cannot even be rated');
SELECT set_rate('bl_large', 'level', 0, valid => '(,)'), close_billing_period('bl_large', '[2025-01-01,2025-02-01)') \g /dev/null
SELECT is((SELECT sum(amount) FROM charge WHERE pool_id = pool_id('bl_large')), 6.00, 'taken back, or at another rate, it is in nobody''s way');
SELECT is(verify_books(p), NULL, 'books: ' || p) FROM unnest('{bl_first,bl_large}'::text[]) AS p;

-- A hold that nobody confirmed is no lease, whether somebody has noticed or not.
SELECT reserve('bl', 'bl_bob', 10, tstzrange(now() + interval '1 hour', now() + interval '3 hours'), hold_for => '10 minutes') AS held \gset
SELECT is((SELECT sum(billed_cost) FROM rated('bl', tstzrange(now(), now() + interval '1 day'))), 40.000000000000000000000000000000, 'a hold is what it would cost');
UPDATE lease SET held_until = now() - interval '1 second' WHERE lease_id = :held;
SELECT is_empty($$SELECT * FROM rated('bl', tstzrange(now(), now() + interval '1 day'))$$, 'and once it has expired nothing');
SELECT is_empty($$SELECT * FROM cost_report('bl', tstzrange(now(), now() + interval '1 day'))$$, 'in no report');
SELECT is((SELECT sum(revenue) FROM profit_report('bl', tstzrange(now(), now() + interval '1 day'))), 0.00, 'nobody earns by it');
SELECT is((SELECT sum(direct) FROM cost_allocation('bl', tstzrange(now(), now() + interval '1 day'))), 0.00, 'and nobody bears its cost');

SELECT * FROM finish();
ROLLBACK;
