-- split.sql
--		split() against largest remainder in plain SQL, on 6,000 random groups.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL client_min_messages = warning;

SELECT plan(20);

-- ----------
-- Groups: an amount with so many decimal places, and weights in an order
-- ----------

SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE bill AS
	SELECT n AS bill_id, n % 12 AS kind,
		CASE n % 12 WHEN 0 THEN 0 WHEN 1 THEN 6 WHEN 2 THEN 18 ELSE floor(random() * 7)::integer END AS scale,
		ceil(random() * random() * 40)::integer AS parties
	FROM generate_series(1, 6000) AS n;
ALTER TABLE bill ADD amount numeric;
UPDATE bill
SET amount = CASE kind
		WHEN 3 THEN 0 						-- nothing to split
		WHEN 4 THEN ('1e-' || scale)::numeric	-- less than there are parties
		WHEN 5 THEN parties * 7				-- divides evenly if weights are alike
		ELSE round((random() * 10 ^ (random() * 9))::numeric, scale) END
	* CASE WHEN random() < 0.3 THEN -1 ELSE 1 END;

CREATE TEMP TABLE line AS
	SELECT b.bill_id, n AS ord, md5(b.bill_id || '-' || n) AS shuffled,
		CASE
			WHEN b.kind IN (4, 5) THEN 1									-- all alike
			WHEN b.kind = 6 THEN floor(random() * 3)::numeric				-- many ties, many zeros
			WHEN b.kind = 7 THEN round(random()::numeric, 9)				-- fractions
			WHEN b.kind = 8 THEN (random() * 10 ^ (random() * 40 - 20))::numeric	-- far apart
			WHEN b.kind = 9 THEN 1.0 / 3 * n
			WHEN b.kind = 10 THEN CASE n WHEN 1 THEN 1e30 ELSE 1e-30 END
			ELSE ceil(random() * 1000)::numeric END AS weight
	FROM bill AS b, generate_series(1, b.parties) AS n;
-- somebody has to have a weight
UPDATE line SET weight = 1
WHERE ord = 1 AND NOT EXISTS (SELECT FROM line AS o WHERE o.bill_id = line.bill_id AND o.weight > 0);
CREATE INDEX ON line (bill_id);
ANALYZE bill, line;

-- ----------
-- Largest remainder, exactly: units and weights as whole numbers, div and mod
-- ----------

CREATE TEMP TABLE oracle AS
	WITH whole AS (
		SELECT l.bill_id, l.ord, l.shuffled, b.scale, sign(b.amount) AS sign,
			trunc(abs(b.amount) * ('1e' || b.scale)::numeric) AS units,
			l.weight * 1e60 AS weight,
			sum(l.weight * 1e60) OVER (PARTITION BY l.bill_id) AS total
		FROM line AS l
		JOIN bill AS b USING (bill_id)
	), floored AS (
		SELECT w.*, div(w.units * w.weight, w.total) AS share, mod(w.units * w.weight, w.total) AS remainder
		FROM whole AS w
	), ranked AS (
		SELECT f.*, f.units - sum(f.share) OVER (PARTITION BY f.bill_id) AS left_over,
			row_number() OVER (PARTITION BY f.bill_id ORDER BY f.remainder DESC, f.ord) AS rank,
			row_number() OVER (PARTITION BY f.bill_id ORDER BY f.remainder DESC, f.shuffled) AS shuffled_rank
		FROM floored AS f
	)
	SELECT r.bill_id, r.ord, r.sign * (r.share + CASE WHEN r.rank <= r.left_over THEN 1 ELSE 0 END) * ('1e-' || r.scale)::numeric AS share,
		r.sign * (r.share + CASE WHEN r.shuffled_rank <= r.left_over THEN 1 ELSE 0 END) * ('1e-' || r.scale)::numeric AS shuffled_share,
		r.sign * r.units AS units, r.weight, r.total
	FROM ranked AS r;
CREATE INDEX ON oracle (bill_id, ord);

CREATE TEMP TABLE answer AS
	SELECT l.bill_id, l.ord, b.amount, b.scale, l.weight, split(b.amount, l.weight, b.scale) OVER (PARTITION BY l.bill_id ORDER BY l.ord) AS share
	FROM line AS l
	JOIN bill AS b USING (bill_id);
CREATE INDEX ON answer (bill_id, ord);
ANALYZE answer, oracle;

SELECT is((SELECT count(*) FROM (SELECT bill_id FROM answer GROUP BY bill_id) AS g), 6000::bigint, 'six thousand groups');
SELECT is_empty('SELECT a.*, o.share AS expected FROM answer AS a JOIN oracle AS o USING (bill_id, ord) WHERE a.share <> o.share OR a.share IS NULL LIMIT 5',
	'every share is that of the oracle');
SELECT is_empty('SELECT bill_id FROM answer GROUP BY bill_id, amount HAVING sum(share) <> amount',
	'the shares sum to the amount, always');
SELECT is_empty($$SELECT a.* FROM answer AS a JOIN oracle AS o USING (bill_id, ord)
		WHERE abs(a.share * ('1e' || a.scale)::numeric * o.total - o.units * o.weight) >= o.total LIMIT 5$$,
	'each share is within one unit of the exact one');
SELECT is_empty('SELECT * FROM answer WHERE weight = 0 AND share <> 0', 'no weight, no share');
SELECT is_empty('SELECT * FROM answer WHERE share * sign(amount) < 0', 'no share has the other sign');
SELECT is_empty('SELECT * FROM answer WHERE scale(share) <> scale', 'shares show just so many decimal places');
SELECT is_empty('SELECT * FROM answer WHERE numeric_send(share) <> numeric_send(share::text::numeric)', 'shares are stored as numeric itself would');
SELECT is_empty('SELECT a.* FROM answer AS a JOIN answer AS b USING (bill_id) WHERE a.weight > b.weight AND a.share * sign(a.amount) < b.share * sign(a.amount) LIMIT 5',
	'who has more weight never gets less');

-- ----------
-- In another order: only who gets the units of a tie may change
-- ----------

CREATE TEMP TABLE permuted AS
	SELECT l.bill_id, l.ord, split(b.amount, l.weight, b.scale) OVER (PARTITION BY l.bill_id ORDER BY l.shuffled) AS share
	FROM line AS l
	JOIN bill AS b USING (bill_id);
CREATE INDEX ON permuted (bill_id, ord);
ANALYZE permuted;
SELECT is_empty('SELECT p.*, o.shuffled_share FROM permuted AS p JOIN oracle AS o USING (bill_id, ord) WHERE p.share <> o.shuffled_share LIMIT 5',
	'in another order, every share is that of the oracle');
SELECT is_empty('SELECT bill_id, share, count(*) FROM answer GROUP BY 1, 2 HAVING bool_and(weight = 1)
		EXCEPT SELECT bill_id, p.share, count(*) FROM permuted AS p JOIN answer AS a USING (bill_id, ord) GROUP BY 1, 2',
	'among equals, the shares are the same whatever the order');
SELECT is_empty('SELECT a.* FROM answer AS a JOIN answer AS b USING (bill_id)
		WHERE a.weight = b.weight AND a.ord < b.ord AND abs(a.share) < abs(b.share) LIMIT 5',
	'a tie goes to the earlier row');

-- ----------
-- Weights times any factor, and everything in one partition
-- ----------

SELECT is_empty('SELECT a.bill_id, a.ord FROM answer AS a
		JOIN (SELECT l.bill_id, l.ord, split(b.amount, l.weight * 7.77, b.scale) OVER (PARTITION BY l.bill_id ORDER BY l.ord) AS share
			FROM line AS l JOIN bill AS b USING (bill_id)) AS s USING (bill_id, ord)
		WHERE s.share <> a.share',
	'only the ratio of weights counts');
SELECT is((SELECT sum(share) FROM (SELECT split(12345678.91, weight, 2) OVER (ORDER BY bill_id, ord) AS share FROM line) AS s), 12345678.91,
	'an amount over all lines at once');

-- ----------
-- Many rows in one partition, with many remainders alike, or none alike; one
-- needs 128 bits
-- ----------

CREATE TEMP TABLE crowd AS
	SELECT n, n * 7919 % 100003 AS ord, n % 13 AS few, n::bigint * n AS many
	FROM generate_series(1, 100000) AS n;
CREATE FUNCTION pg_temp.differences(amount numeric, weight text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('WITH given AS (
			SELECT ord, split($1, %1$s, 2) OVER (ORDER BY ord) AS share,
				div($1 * 100 * %1$s, sum(%1$s) OVER ()) AS floor, mod($1 * 100 * %1$s, sum(%1$s) OVER ()) AS remainder
			FROM crowd
		), ranked AS (
			SELECT *, row_number() OVER (ORDER BY remainder DESC, ord) <= $1 * 100 - sum(floor) OVER () AS one_more FROM given
		)
		SELECT count(*) FROM ranked WHERE share <> (floor + one_more::integer) / 100', weight) USING amount;
END;
$$;
SELECT is(pg_temp.differences(123456.78, 'few'), 0::bigint, 'a hundred thousand rows, 13 remainders');
SELECT is(pg_temp.differences(9876543210987.65, 'many'), 0::bigint, 'and as many remainders');

-- ----------
-- The limits of scale
-- ----------

SELECT results_eq($$SELECT split(1, w, 16) OVER (ORDER BY w) FROM (VALUES (1), (2)) AS v (w)$$,
	'VALUES (0.3333333333333333), (0.6666666666666667)', 'scale 16');
SELECT lives_ok($$SELECT split(1, w, 18) OVER (ORDER BY w) FROM (VALUES (1), (2)) AS v (w)$$, 'scale 18');
SELECT lives_ok($$SELECT split(1, w, 1000) OVER (ORDER BY w) FROM (VALUES (1), (2)) AS v (w)$$, 'scale 1000, the largest that is allowed');
SELECT throws_ok($$SELECT split(1, w, w::integer) OVER (ORDER BY w) FROM (VALUES (1), (2)) AS v (w)$$, '22023', NULL,
	'a scale that is not the same in every row is refused, like an amount');

SELECT * FROM finish();
ROLLBACK;
