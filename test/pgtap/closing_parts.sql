-- closing_parts.sql
--		What closing is made of, against plain SQL: round_to_total() on 3,000
--		random invoices, split_running() on 300, rows_sha256() byte by byte.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL client_min_messages = warning;

SELECT plan(19);

-- ----------
-- round_to_total()
-- ----------

SELECT setseed(0.25) \g /dev/null
CREATE TEMP TABLE line AS
	SELECT b.invoice, b.scale, b.mode, n AS line,
		CASE b.kind
			WHEN 0 THEN 0.5 * ('1e-' || b.scale)::numeric			-- ties, in the sum as well
			WHEN 1 THEN (floor(random() * 5) - 2)::numeric / 3				-- many alike
			WHEN 2 THEN (random() * 1e6)::numeric * (random() - 0.3)::numeric
			WHEN 3 THEN round(random()::numeric, 30)
			WHEN 4 THEN floor(random() * 100)::numeric				-- nothing to round
			WHEN 5 THEN round((random() * 1e4 - 5e3)::numeric, 4)	-- few decimal places, below and above 0
			ELSE CASE WHEN random() < 0.2 THEN NULL ELSE random()::numeric END END AS amount
	FROM (SELECT i AS invoice, i % 8 AS kind, (ARRAY['half_even', 'half_up', 'half_down', 'down', 'up', 'floor', 'ceiling'])[1 + i % 7] AS mode, (random() * 4)::integer AS scale, 1 + floor(random() * 30)::integer AS lines FROM generate_series(1, 3000) AS i) AS b,
		generate_series(1, b.lines) AS n;
CREATE TEMP TABLE rounded AS
	SELECT l.*, round_to_total(l.amount, l.scale, l.mode) OVER (PARTITION BY l.invoice ORDER BY l.line) AS got
	FROM line AS l;
CREATE TEMP TABLE expected AS
	WITH floored AS (
		SELECT l.*, ('1e' || l.scale)::numeric AS units, floor(l.amount * ('1e' || l.scale)::numeric) AS floor
		FROM line AS l
	)
	SELECT f.invoice, f.line, f.amount, (f.floor + CASE WHEN f.amount IS NOT NULL AND
			row_number() OVER (PARTITION BY f.invoice ORDER BY f.amount * f.units - f.floor DESC NULLS LAST, f.line)
			<= money_round(sum(f.amount * f.units) OVER (PARTITION BY f.invoice), 0, f.mode) - sum(f.floor) OVER (PARTITION BY f.invoice)
		THEN 1 ELSE 0 END) / f.units AS want
	FROM floored AS f;
SELECT cmp_ok(count(*), '>', 40000::bigint, 'lines of invoices') FROM rounded;
SELECT is_empty('SELECT r.*, e.want FROM rounded AS r JOIN expected AS e USING (invoice, line) WHERE r.got IS DISTINCT FROM e.want',
	'as largest remainder in plain SQL');
SELECT is_empty('SELECT invoice FROM rounded GROUP BY invoice, scale, mode HAVING sum(got) <> money_round(sum(amount), scale, mode)',
	'lines sum to the total, rounded once');
SELECT is_empty('SELECT * FROM rounded WHERE abs(got - amount) >= (''1e-'' || scale)::numeric', 'and none is a unit from what it is');
SELECT is_empty('SELECT * FROM rounded WHERE (got IS NULL) <> (amount IS NULL)', 'null for null');
SELECT results_eq('SELECT round_to_total(a, 0) OVER (ORDER BY n) FROM (VALUES (1, 0.5), (2, 1), (3, 1)) AS v (n, a)',
	'SELECT round_to_total(a, 0, ''half_even'') OVER (ORDER BY n) FROM (VALUES (1, 0.5), (2, 1), (3, 1)) AS v (n, a)', 'half to even by default');
SELECT throws_ok('SELECT round_to_total(1, 19) OVER ()', '22023', NULL, 'at most 18 places');
SELECT throws_ok($$SELECT round_to_total('NaN', 2) OVER ()$$, '22003', NULL, 'not NaN');
SELECT throws_ok('SELECT round_to_total(1e20, 2) OVER ()', '22003', NULL, 'not more than fits');

-- ----------
-- split_running()
-- ----------

CREATE TEMP TABLE share AS
	SELECT b.b AS bill, (SELECT array_agg(w / t.total * 1.000000000000000000000000000000 ORDER BY i)
		FROM unnest(t.w) WITH ORDINALITY AS w (w, i)) AS shares
	FROM generate_series(1, 300) AS b,
		LATERAL (SELECT array_agg(x.w) AS w, sum(x.w) AS total FROM (
			SELECT ceil(random() * 9)::numeric AS w FROM generate_series(1, 1 + b % 7)) AS x) AS t;
CREATE TEMP TABLE part AS
	SELECT s.bill, n, s.shares, a.amount, split_running(a.amount, s.shares, 2) OVER (PARTITION BY s.bill ORDER BY n) AS parts
	FROM share AS s, generate_series(1, 40) AS n, LATERAL (SELECT round(((random() - 0.2) * n)::numeric, 2) AS amount OFFSET 0) AS a;
CREATE TEMP VIEW parts AS
	SELECT p.bill, p.n, p.amount, u.party, u.part,
		sum(u.part) OVER upto AS got, sum(p.amount * u.share) OVER upto AS exact
	FROM part AS p, unnest(p.parts, p.shares) WITH ORDINALITY AS u (part, share, party)
	WINDOW upto AS (PARTITION BY p.bill, u.party ORDER BY p.n);
SELECT is_empty('SELECT bill, n FROM parts GROUP BY bill, n, amount HAVING sum(part) <> amount', 'each amount divides exactly');
SELECT is_empty('SELECT * FROM parts WHERE abs(got - exact) >= 0.01', 'what a party has got so far is never a unit from its share of all so far');
SELECT is_empty('SELECT * FROM parts WHERE part <> round(part, 2)', 'in whole units');
SELECT is((SELECT array_agg(x.p::text ORDER BY x.n) FROM (SELECT n, split_running(0.01, '{0.5,0.5}', 2) OVER (ORDER BY n) AS p FROM generate_series(1, 4) AS n) AS x),
	'{"{0.01,0}","{0,0.01}","{0.01,0}","{0,0.01}"}', 'of many cents, each gets its share');
SELECT throws_ok($$SELECT split_running(1, CASE n WHEN 1 THEN '{1}'::numeric[] ELSE '{0.5,0.5}' END, 2) OVER (ORDER BY n) FROM generate_series(1, 2) AS n$$,
	'22023', NULL, 'the same parties in every row');
SELECT throws_ok($$SELECT split_running(1, '{0.5,0.1}', 2) OVER ()$$, '22023', NULL, 'whose shares sum to 1');

-- ----------
-- rows_sha256()
-- ----------

SELECT is(rows_sha256(v.a, v.b, v.c), sha256('\x00000008000000000000002a00000003c3a978ffffffff'::bytea
		|| '\x00000008ffffffffffffffff0000000000000003322e35'::bytea), 'values with their lengths')
FROM (VALUES (42::bigint, 'éx', NULL::jsonb), (-1, '', '2.5')) AS v (a, b, c);
SELECT is((SELECT rows_sha256(n ORDER BY n) FROM generate_series(1::bigint, 6000) AS n),
	sha256(sha256((SELECT string_agg('\x00000008'::bytea || int8send(n), '' ORDER BY n) FROM generate_series(1::bigint, 5462) AS n))
		|| (SELECT string_agg('\x00000008'::bytea || int8send(n), '' ORDER BY n) FROM generate_series(5463::bigint, 6000) AS n)), 'block by block');
SELECT is_empty($$SELECT n FROM (
		SELECT (random() - 0.5)::numeric * power(10::numeric, floor(random() * 60 - 30)::integer) AS n FROM generate_series(1, 300)
		UNION ALL SELECT round(n, s) FROM unnest('{0,-0.5,1,10000,-99999999.00012,1e300,-1e-300,NaN,Infinity,-Infinity}'::numeric[]) AS n, unnest('{0,7,400}'::integer[]) AS s) AS v
	WHERE (SELECT rows_sha256(x.n) FROM (VALUES (v.n)) AS x (n)) <> sha256(int4send(length(numeric_send(n))) || numeric_send(n))$$, 'numbers as numeric sends them');
SELECT is((SELECT rows_sha256(1) WHERE false), NULL, 'of no rows, null');

SELECT * FROM finish();
ROLLBACK;
