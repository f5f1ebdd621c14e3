-- split.sql: split() as a window function

SET search_path = sharecollab, public;
SET client_min_messages = warning;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all
\pset format unaligned
\pset tuples_only on
\pset null (null)
-- the shares of an amount, by weights in this order
CREATE FUNCTION shares(amount numeric, scale integer, VARIADIC weights numeric[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(share::text, '-'), ' ' ORDER BY n)
	FROM (SELECT n, split(amount, weight, scale) OVER (ORDER BY n) AS share FROM unnest(weights) WITH ORDINALITY AS w (weight, n)) AS s
$$;

-- a cent too many, two too many, none
SELECT shares(100, 2, 1, 1, 1), shares(100.01, 2, 1, 1, 1), shares(99, 2, 1, 1, 1);
-- the largest remainders get them, wherever they are
SELECT shares(10, 0, 1.4, 3.3, 5.3), shares(10, 0, 5.3, 3.3, 1.4), shares(1, 0, 1, 5, 3), shares(7, 0, 3, 3, 3, 5);
-- a tie goes to the first; the ratio of weights counts, not their size
SELECT shares(1, 0, 1, 1), shares(1, 0, 1000, 1000), shares(0.01, 2, 0.001, 0.001, 0.001), shares(1, 0, 1e-30, 1e-30), shares(1, 0, 1e30, 1e-30);
-- all scales: yen, cents, dinars, more
SELECT scale, shares(1000, scale, 1, 2, 4) FROM generate_series(0, 8) AS scale;
-- a negative amount is split like the positive one
SELECT shares(-100, 2, 1, 1, 1), shares(-0.01, 2, 1, 1), shares(-10, 0, 1.4, 3.3, 5.3);
-- nobody without a weight gets anything; nothing can be split among anybody
SELECT shares(100, 2, 1, 0, 2), shares(0.01, 2, 0, 0, 1), shares(0, 2, 1, 2), shares(0, 2, 0, 0), shares(0, 2, 1), shares(5, 0, 7);
-- a null weight is nobody
SELECT shares(100, 2, 1, NULL, 2), shares(0, 0, NULL, 1), shares(0, 0, NULL, NULL);
-- fewer digits than allowed are no matter, nor trailing zeros
SELECT shares(100.0, 2, 1, 1), shares(100.000, 2, 1, 1), shares(1e2, 0, 1, 1), shares(12345678901234567890.12, 2, 1, 2);
-- no amount, no shares
SELECT shares(NULL, 2, 1, 2), shares(100, NULL, 1, 2), shares(100, 2, VARIADIC '{}');

SELECT try(format('SELECT shares(%s)', args))
FROM unnest(ARRAY['100, 2, 0, 0', '100, 2, NULL, 0', '100, 2, 1, -1', '0, 2, 1, -1', '100.001, 2, 1, 1', '0.5, 0, 1, 1', '-0.001, 2, 1', '100, -1, 1, 1', '100, 1001, 1, 1',
	$$'NaN', 2, 1, 1$$, $$'Infinity', 2, 1$$, $$100, 2, 1, 'NaN'$$, $$100, 2, 'Infinity', 1$$]) AS args;
SELECT try('SELECT split(n, 1, 2) OVER () FROM generate_series(1, 2) AS n');
SELECT try('SELECT split(CASE n WHEN 1 THEN 5 END, 1, 2) OVER (ORDER BY n) FROM generate_series(1, 2) AS n');
SELECT try('SELECT split(CASE n WHEN 2 THEN 5 END, 1, 2) OVER (ORDER BY n) FROM generate_series(1, 2) AS n');
SELECT try('SELECT split(100, 1, 2)');

-- partitions are on their own; the order of the window decides ties; frames do not matter
CREATE TEMP TABLE line (bill integer, amount numeric, who text, weight numeric);
INSERT INTO line VALUES (1, 10, 'ann', 1), (1, 10, 'bob', 1), (1, 10, 'cy', 1), (2, 0.05, 'ann', 2), (2, 0.05, 'bob', 2), (3, 7, 'ann', 5);
SELECT bill, who, split(amount, weight, 2) OVER (PARTITION BY bill ORDER BY who), split(amount, weight, 2) OVER (PARTITION BY bill ORDER BY who DESC),
	split(amount, weight, 2) OVER (PARTITION BY bill ORDER BY who ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
FROM line ORDER BY bill, who;
SELECT bill, sum(share), amount FROM (SELECT bill, amount, split(amount, weight, 2) OVER (PARTITION BY bill ORDER BY who) AS share FROM line) AS s GROUP BY bill, amount ORDER BY bill;
-- amounts of the same value are the same, however they are written
SELECT split(amount, 1, 2) OVER (ORDER BY amount::text) FROM (VALUES (5.0), (5), (5.00)) AS v (amount);
-- many rows
SELECT count(*), sum(share), min(share), max(share), count(*) FILTER (WHERE share = 0.01) FROM (SELECT split(1234.56, 1, 2) OVER (ORDER BY n) AS share FROM generate_series(1, 200000) AS n) AS s;
-- over aggregates, as in a bill
SELECT bill, who, split(100, sum(weight), 0) OVER (ORDER BY bill, who) FROM line GROUP BY bill, who ORDER BY bill, who;
-- a tie is decided in the same way in any run
SELECT count(DISTINCT shares(100, 2, 3, 3, 3, 3, 3, 3, 3)) FROM generate_series(1, 100);

DROP FUNCTION shares, try, calendar_differences;
