-- money.sql
--		Rounding and tiers against plain SQL, on thousands of random inputs.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL client_min_messages = warning;
\ir ../helpers.sql

SELECT plan(17);

-- ----------
-- Rounding
-- ----------
SELECT results_eq($$
	SELECT amount, scale, string_agg(money_round(amount, scale, mode)::text, ' ' ORDER BY n)
	FROM (VALUES (1, 0.125, 2), (2, 1.005, 2), (3, -0.005, 2), (4, 2.5, 0), (5, 3.5, 0), (6, -2.5, 0)) AS v (k, amount, scale),
		unnest('{half_even,half_up,half_down,down,up,floor,ceiling}'::text[]) WITH ORDINALITY AS m (mode, n)
	GROUP BY k, amount, scale ORDER BY k
$$, $$ VALUES
	(0.125, 2, '0.12 0.13 0.12 0.12 0.13 0.12 0.13'), (1.005, 2, '1.00 1.01 1.00 1.00 1.01 1.00 1.01'),
	(-0.005, 2, '0.00 -0.01 0.00 0.00 -0.01 -0.01 0.00'), (2.5, 0, '2 3 2 2 3 2 3'), (3.5, 0, '4 4 3 3 4 3 4'), (-2.5, 0, '-2 -3 -2 -2 -3 -3 -2')
$$, 'every mode, on ties');

SELECT setseed(0.25) \g /dev/null
CREATE TEMP TABLE amount AS
	SELECT n, scale, CASE n % 4
			WHEN 0 THEN round((random() * 200 - 100)::numeric, scale + 1)			-- one ninth are ties
			WHEN 1 THEN (floor(random() * 2000 - 1000) + 0.5)::numeric * ('1e' || -scale)::numeric	-- all are
			WHEN 2 THEN ((random() - 0.5) * 10 ^ (random() * 40 - 20))::numeric
			ELSE round((random() * 1e6 - 5e5)::numeric, greatest(scale, 0)) END AS amount
	FROM (SELECT n, floor(random() * 9 - 2)::integer AS scale FROM generate_series(1, 20000) AS n) AS s;

-- in units of the last place, which are whole numbers and halves to numeric's own functions
SELECT is_empty($$
	SELECT a.*, mode, money_round(amount, scale, mode), correct
	FROM (SELECT n, scale, amount, amount * ('1e' || scale)::numeric AS units, ('1e' || -scale)::numeric AS unit FROM amount) AS a,
		LATERAL (VALUES
			('half_up', round(units)),
			('down', trunc(units)),
			('floor', floor(units)),
			('ceiling', ceil(units)),
			('up', sign(units) * ceil(abs(units))),
			('half_down', sign(units) * ceil(abs(units) - 0.5)),
			('half_even', CASE WHEN abs(units - trunc(units)) = 0.5 THEN 2 * round(trunc(units) / 2 + 0.25 * sign(units)) ELSE round(units) END)
		) AS m (mode, correct)
	WHERE money_round(amount, scale, mode) IS DISTINCT FROM correct * unit
$$, 'every mode, on 20,000 amounts');
SELECT is_empty($$ SELECT * FROM amount WHERE scale(money_round(amount, scale)) <> greatest(scale, 0) $$, 'as many decimal places as asked for');
SELECT is_empty($$ SELECT * FROM amount WHERE money_round(-amount, scale) <> -money_round(amount, scale)
	OR money_round(-amount, scale, 'floor') <> -money_round(amount, scale, 'ceiling') $$, 'the modes mirror each other');
SELECT is_empty($$ SELECT * FROM amount, unnest('{half_even,half_up,half_down,down,up,floor,ceiling}'::text[]) AS mode
	WHERE money_round(money_round(amount, scale, mode), scale, mode) <> money_round(amount, scale, mode) $$, 'rounding twice is rounding once');
SELECT is((SELECT array_agg(money_round(1.0055, c)) FROM unnest('{JPY,USD,KWD,CLF,credits}'::text[]) AS c), '{1,1.01,1.006,1.0055,1.01}',
	'to the minor unit of a currency');
SELECT is(money_round(1250, -2), 1200::numeric, 'to hundreds');
SELECT is(money_round(repeat('9', 60)::numeric + 0.5, 0), ('1' || repeat('0', 60))::numeric, 'many digits');
SELECT throws_ok($$ SELECT money_round(1, 2, 'nearest') $$, '22023', NULL, 'an unknown mode');
SELECT throws_ok($$ SELECT money_round('NaN', 2) $$, '22003', NULL, 'not a number');

-- ----------
-- Tiers
-- ----------
CREATE TEMP TABLE tier AS
	SELECT price_id, row_number() OVER (PARTITION BY price_id ORDER BY upto) AS tier,
		coalesce(lag(upto) OVER (PARTITION BY price_id ORDER BY upto), 0) AS lo,
		nullif(upto, 1e9) AS upto, round((random() * 20 - 2)::numeric, 3) AS unit_price, round((random() * 5)::numeric, 2) AS flat
	FROM (
		SELECT DISTINCT price_id, CASE WHEN n = 1 THEN 1e9 ELSE round((random() * 100 + 0.01)::numeric, (random() * 2)::integer) + 0.01 END AS upto
		FROM generate_series(1, 300) AS price_id, generate_series(1, 1 + price_id % 7) AS n
	) AS t;
CREATE TEMP TABLE price AS
	SELECT price_id, array_agg(upto ORDER BY tier) AS upto, array_agg(unit_price ORDER BY tier) AS unit_price, array_agg(flat ORDER BY tier) AS flat
	FROM tier GROUP BY price_id;
-- anything, and every edge, and right after it
CREATE TEMP TABLE quantity AS
	SELECT price_id, round((random() * 150)::numeric, 4) AS quantity FROM price, generate_series(1, 10)
	UNION ALL SELECT price_id, upto + e FROM tier, unnest('{0,0.0001}'::numeric[]) AS e WHERE upto IS NOT NULL
	UNION ALL SELECT price_id, 0 FROM price;

SELECT is_empty($$
	SELECT q.*, tiered(quantity, p.upto, p.unit_price, p.flat), t.amount
	FROM quantity AS q JOIN price AS p USING (price_id),
	LATERAL (SELECT sum((least(q.quantity, coalesce(t.upto, q.quantity)) - t.lo) * t.unit_price + t.flat) AS amount
		FROM tier AS t WHERE t.price_id = q.price_id AND (q.quantity > t.lo OR t.tier = 1)) AS t
	WHERE tiered(quantity, p.upto, p.unit_price, p.flat) IS DISTINCT FROM t.amount
$$, 'graduated');
SELECT is_empty($$
	SELECT q.*, tiered(quantity, p.upto, p.unit_price, p.flat, 'volume'), t.amount
	FROM quantity AS q JOIN price AS p USING (price_id),
	LATERAL (SELECT q.quantity * t.unit_price + t.flat AS amount FROM tier AS t
		WHERE t.price_id = q.price_id AND (q.quantity > t.lo OR t.tier = 1) ORDER BY t.lo DESC LIMIT 1) AS t
	WHERE tiered(quantity, p.upto, p.unit_price, p.flat, 'volume') IS DISTINCT FROM t.amount
$$, 'volume');
SELECT is_empty($$
	SELECT q.*, mode FROM quantity AS q JOIN price AS p USING (price_id), unnest('{graduated,volume}'::text[]) AS mode,
	LATERAL (SELECT sum(t.quantity * t.unit_price + t.flat) AS amount, sum(t.quantity) AS quantity,
			bool_and(t.unit_price = p.unit_price[t.tier] AND t.flat = p.flat[t.tier]) AS same
		FROM tiers(q.quantity, p.upto, p.unit_price, p.flat, mode) AS t) AS t
	WHERE t.amount IS DISTINCT FROM tiered(q.quantity, p.upto, p.unit_price, p.flat, mode) OR t.quantity <> q.quantity OR NOT t.same
$$, 'tiers() sums to tiered()');
SELECT is(tiered(-3, '{10,NULL}', '{2,1}', '{5,0}'), -1::numeric, 'a negative quantity is paid back at the first price');
SELECT is(tiered(15, '{10,Infinity}', '{2,1}'), 25::numeric, 'infinity is no end, and there need not be flat amounts');
SELECT is(tiered(NULL, '{NULL}', '{2}'), NULL::numeric, 'nothing is NULL');
SELECT results_eq($$
	SELECT left(try(format('SELECT tiered(%s)', args)), 5) FROM unnest(ARRAY[
		$a$21, '{10,20}', '{2,1}'$a$, $a$1, '{20,10}', '{2,1}'$a$, $a$1, '{0,NULL}', '{2,1}'$a$, $a$1, '{NULL}', '{2}', NULL, 'package'$a$,
		$a$1, '{}', '{}'$a$, $a$1, '{NULL}', '{2,1}'$a$, $a$1, '{NULL}', '{2}', '{}'$a$, $a$1, '{{1,NULL}}', '{2,1}'$a$,
		$a$1, '{1,NULL,3}', '{2,1,1}'$a$, $a$1, '{NULL}', '{NULL}'$a$,
		$a$'NaN', '{NULL}', '{2}'$a$, $a$1, '{NaN,NULL}', '{2,1}'$a$, $a$1, '{NULL}', '{Infinity}'$a$]) AS args
$$, $$ VALUES ('22023'), ('22023'), ('22023'), ('22023'), ('2202E'), ('2202E'), ('2202E'), ('2202E'), ('22004'), ('22004'), ('22003'), ('22003'), ('22003') $$,
	'errors of tiers');

SELECT * FROM finish();
ROLLBACK;
