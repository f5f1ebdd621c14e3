-- tally_differential.sql
--		The type tally and its aggregates against plain SQL, on random input.
--
-- Every function is compared, case by case, with a reference that uses joins,
-- window functions, numeric and JSON, and nothing of ours. Another run of random
-- numbers: pg_prove --set seed=0.5 (between -1 and 1).

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260101
\endif

BEGIN;
SELECT plan(36);
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.seed', :'seed', true) \g /dev/null
SET LOCAL jit = off;

-- ----------
-- Tools
-- ----------

-- A comparison is a table (input text, got, expected). Passes if it has enough
-- rows and no mismatch; else says how to repeat the first one.
CREATE FUNCTION pg_temp.agree(comparison regclass, description text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	cases bigint;
	mismatches bigint;
	example record;
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE got IS DISTINCT FROM expected) FROM %s', comparison)
		INTO cases, mismatches;
	RETURN NEXT ok(cases >= 5000 AND mismatches = 0, description);
	IF cases < 5000 THEN
		RETURN NEXT diag(format('only %s cases', cases));
	END IF;
	IF mismatches > 0 THEN
		EXECUTE format('SELECT input, got::text, expected::text FROM %s WHERE got IS DISTINCT FROM expected
						ORDER BY length(input), input LIMIT 1', comparison) INTO example;
		RETURN NEXT diag(format(E'seed %s: %s of %s cases differ; the shortest:\ninput:    %s\ngot:      %s\nexpected: %s',
								current_setting('test.seed'), mismatches, cases,
								example.input, example.got, example.expected));
	END IF;
	EXECUTE format('DROP TABLE %s', comparison);
END $$;

-- A tally's text from parties, each there once, and quantities; the SQLSTATE if
-- it is out of range
CREATE FUNCTION pg_temp.written(parties text[], quantities numeric[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	needed int;
	largest numeric;
	result text;
BEGIN
	SELECT coalesce(max(scale(trim_scale(quantity))), 0), max(abs(quantity)),
		   '{' || coalesce(string_agg(to_json(party) || ': ' || trim_scale(quantity), ', ' ORDER BY party COLLATE "C"), '') || '}'
	INTO needed, largest, result
	FROM unnest(parties, quantities) AS e (party, quantity) WHERE quantity <> 0;
	RETURN CASE WHEN needed > 18 OR largest * ('1e' || needed)::numeric > 9223372036854775807 THEN '22003' ELSE result END;
END $$;

-- What an operation gives as text, or its SQLSTATE
CREATE FUNCTION pg_temp.done(operation text, a tally, b tally DEFAULT NULL, n numeric DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE operation
		WHEN '+' THEN (a + b)::text
		WHEN '-' THEN (a - b)::text
		WHEN '*' THEN (a * n)::text
		WHEN 'n *' THEN (n * a)::text
		WHEN 'negate' THEN (- a)::text
		WHEN 'split' THEN split(n, a, 4)::text
	END;
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN '22003';
END $$;

-- ----------
-- Random rows: names of all kinds, several rows of a party, quantities of the
-- styles below. Of every g there is at least one row; in half of the styles none
-- is negative.
-- ----------
CREATE TEMP TABLE name (n int PRIMARY KEY, party text);
INSERT INTO name SELECT row_number() OVER (), party FROM unnest(ARRAY['', 'a', 'b', 'ab', 'abc', 'A', 'é', 'z', 'ü', 'aaaaaaaa', 'aaaaaaaab', 'aaaaaaaac', 'aaaaaaa',
	E'tab\there', E'line\nfeed', 'quo"te', 'back\slash', E'\x01\x1f\x7f', '日本', '😀', 'alice', 'bob', '1', '10', '2', ' blank ', '{"a": 1}', 'null',
	repeat('long name ', 60)]) AS party;

CREATE FUNCTION pg_temp.quantity(g int) RETURNS numeric
LANGUAGE sql VOLATILE AS $$
	SELECT trim_scale(CASE g % 8
		WHEN 0 THEN floor(random() * 4)::numeric								-- ties, zeros
		WHEN 1 THEN floor(random() * 1000)::numeric
		WHEN 2 THEN floor(random() * 1000000)::numeric * ('1e-' || floor(random() * 7))::numeric
		WHEN 3 THEN (random() * 1e15)::bigint * ('1e-' || g % 15)::numeric	-- long
		WHEN 4 THEN floor(random() * 9)::numeric - 4							-- cancel out
		WHEN 5 THEN (floor(random() * 2000001)::numeric - 1000000) * ('1e-' || floor(random() * 7))::numeric
		WHEN 6 THEN (floor(random() * 2e9)::numeric - 1e9) * 922337203 * ('1e-' || g % 19)::numeric	-- near the limits
		ELSE CASE WHEN random() < 0.5 THEN -1 ELSE 1 END * floor(random() * 10)::numeric * ('1e-' || (random() * 18)::int)::numeric
	END)
$$;

CREATE TEMP TABLE fact AS
SELECT g, k, name.party, (name.n - 3) * (CASE WHEN g % 2 = 0 THEN 1 ELSE 230584300921369395 END) AS id, quantity
FROM (SELECT g, k, 1 + floor(random() * CASE g % 3 WHEN 0 THEN 29 WHEN 1 THEN 5 ELSE 12 END)::int AS n, pg_temp.quantity(g) AS quantity
	FROM generate_series(1, 6000) AS g, LATERAL generate_series(1, 1 + floor(random() * 12 + g * 0)::int) AS k) AS f
JOIN name USING (n);
CREATE INDEX ON fact (g);
ANALYZE fact;

-- sums by party, in plain SQL
CREATE TEMP TABLE entry AS
SELECT g, party, sum(quantity) AS quantity, count(*) AS rows FROM fact GROUP BY g, party;
CREATE INDEX ON entry (g);
ANALYZE entry;
CREATE TEMP TABLE wanted AS
SELECT g, array_agg(party ORDER BY party) AS parties, array_agg(quantity ORDER BY party) AS quantities,
	   pg_temp.written(array_agg(party ORDER BY party), array_agg(quantity ORDER BY party)) AS written
FROM entry GROUP BY g;
ALTER TABLE wanted ADD PRIMARY KEY (g);
ANALYZE wanted;

-- ----------
-- Aggregates
-- ----------
CREATE FUNCTION pg_temp.tallied(g int) RETURNS tally
LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT tally(party, quantity) FROM fact WHERE fact.g = tallied.g);
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN NULL;
END $$;
CREATE TEMP TABLE tallied AS SELECT g, pg_temp.tallied(g) AS t FROM wanted;
ALTER TABLE tallied ADD PRIMARY KEY (g);
ANALYZE tallied;

-- a row that does not fit next to another one is an error, whatever they sum to
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, coalesce(t::text, '22003') AS got,
	CASE WHEN (SELECT pg_temp.written(array_agg(k::text), array_agg(quantity)) FROM fact WHERE fact.g = w.g) = '22003' THEN '22003' ELSE written END AS expected
FROM tallied JOIN wanted AS w USING (g);
SELECT pg_temp.agree('c', 'tally(party, quantity)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, tally(party)::text AS got,
	(SELECT pg_temp.written(array_agg(party), array_agg(rows)) FROM entry WHERE entry.g = fact.g) AS expected FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'tally(party)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, tally(party::varchar)::text AS got, tally(party)::text AS expected FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'tally(varchar)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, tally(id, quantity)::text AS got, tally(id::text, quantity)::text AS expected
FROM fact WHERE g IN (SELECT g FROM tallied WHERE t IS NOT NULL) GROUP BY g;
SELECT pg_temp.agree('c', 'tally(bigint, numeric)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, tally(id)::text AS got, tally(id::text)::text AS expected FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'tally(bigint)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input,
	concat(tally(id, k), tally(id, k::bigint), tally(party, k), tally(party, k::bigint * 3), tally(id::int, k) FILTER (WHERE abs(id) < 1000)) AS got,
	concat(tally(id::text, k::numeric), tally(id::text, k::numeric), tally(party, k::numeric), tally(party, k * 3::numeric), tally(id::text, k::numeric) FILTER (WHERE abs(id) < 1000)) AS expected
FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'tally of whole numbers');

-- from here on: those that fit
DELETE FROM tallied WHERE t IS NULL;
DELETE FROM wanted WHERE g NOT IN (SELECT g FROM tallied);
DELETE FROM entry WHERE g NOT IN (SELECT g FROM tallied) OR quantity = 0;
UPDATE wanted SET (parties, quantities) = (SELECT coalesce(array_agg(party), '{}'), coalesce(array_agg(quantity), '{}') FROM entry WHERE entry.g = wanted.g);
ANALYZE tallied, wanted, entry;

CREATE TEMP TABLE bucket AS SELECT g, m, g - g % m AS b FROM tallied, unnest(ARRAY[1, 16]) AS m WHERE m = 1 OR g % 8 <= 1;
CREATE TEMP TABLE c AS SELECT m || ' from ' || b AS input, s.sum::text AS got, coalesce(e.written, '{}') AS expected
FROM (SELECT m, b, sum(t) FROM bucket JOIN tallied USING (g) GROUP BY m, b) AS s
LEFT JOIN (SELECT m, b, pg_temp.written(array_agg(party), array_agg(quantity)) AS written
	FROM (SELECT m, b, party, sum(quantity) AS quantity FROM bucket JOIN entry USING (g) GROUP BY m, b, party) AS q GROUP BY m, b) AS e USING (m, b);
SELECT pg_temp.agree('c', 'sum(tally)');

-- ----------
-- Algebra and comparison: of neighbours, and of those eight apart, which have
-- the same style
-- ----------
CREATE TEMP TABLE pair AS
SELECT x.g, y.g AS h, x.t AS a, y.t AS b FROM tallied AS x JOIN tallied AS y ON y.g IN (x.g + 1, x.g + 8);
CREATE TEMP TABLE merged AS
SELECT p.g, p.h, m.party, coalesce(m.a, 0) AS a, coalesce(m.b, 0) AS b, m.a IS NOT NULL AS in_a, m.b IS NOT NULL AS in_b
FROM pair AS p, LATERAL (SELECT party, sum(quantity) FILTER (WHERE g = p.g) AS a, sum(quantity) FILTER (WHERE g = p.h) AS b FROM entry WHERE g IN (p.g, p.h) GROUP BY party) AS m;
CREATE INDEX ON merged (g, h);
ANALYZE pair, merged;

CREATE TEMP TABLE c AS SELECT a || ' + ' || b AS input, pg_temp.done('+', a, b) AS got,
	(SELECT coalesce(pg_temp.written(array_agg(party), array_agg(m.a + m.b)), '{}') FROM merged AS m WHERE (m.g, m.h) = (p.g, p.h)) AS expected FROM pair AS p;
SELECT ok((SELECT count(*) FROM c WHERE expected = '22003') > 50, 'some sums are out of range');
SELECT pg_temp.agree('c', '+');
CREATE TEMP TABLE c AS SELECT a || ' - ' || b AS input, pg_temp.done('-', a, b) AS got,
	(SELECT coalesce(pg_temp.written(array_agg(party), array_agg(m.a - m.b)), '{}') FROM merged AS m WHERE (m.g, m.h) = (p.g, p.h)) AS expected FROM pair AS p;
SELECT pg_temp.agree('c', '-');
CREATE TEMP TABLE factor AS SELECT g, trim_scale(CASE g / 8 % 4 WHEN 0 THEN floor(random() * 20)::numeric - 10 WHEN 1 THEN (ARRAY[0.1, 0.5, 1000, 1e-18, 0.125, 1e17])[1 + floor(random() * 6)]
	WHEN 2 THEN (random() * 1e9)::bigint / 1000.0 ELSE (random() * 1e17)::bigint END) AS factor FROM tallied;
CREATE TEMP TABLE c AS SELECT t || ' * ' || factor AS input, pg_temp.done('*', t, n => factor) AS got,
	pg_temp.written(parties, ARRAY(SELECT quantity * factor FROM unnest(quantities) WITH ORDINALITY AS q (quantity, n) ORDER BY n)) AS expected
FROM tallied JOIN wanted USING (g) JOIN factor USING (g);
SELECT ok((SELECT count(*) FROM c WHERE expected = '22003') > 500 AND (SELECT count(*) FROM c WHERE expected <> '22003') > 2000, 'some products are out of range, and some are not');
SELECT pg_temp.agree('c', '*');
CREATE TEMP TABLE c AS SELECT factor || ' * ' || t AS input, pg_temp.done('n *', t, n => factor) AS got, pg_temp.done('*', t, n => factor) AS expected FROM tallied JOIN factor USING (g);
SELECT pg_temp.agree('c', 'numeric * tally');
CREATE TEMP TABLE c AS SELECT '-' || t AS input, (- t)::text AS got, pg_temp.written(parties, ARRAY(SELECT - quantity FROM unnest(quantities) WITH ORDINALITY AS q (quantity, n) ORDER BY n)) AS expected
FROM tallied JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'unary -');

-- each with itself, too
CREATE TEMP TABLE c AS SELECT a || ' ' || b AS input, concat_ws(' ', a = b, a <> b, a < b, a <= b, a > b, a >= b, tally_cmp(a, b), tally_hash(a) = tally_hash(b), tally_hash_extended(a, 7) = tally_hash_extended(b, 7)) AS got,
	concat_ws(' ', cmp = 0, cmp <> 0, cmp < 0, cmp <= 0, cmp > 0, cmp >= 0, cmp, cmp = 0, cmp = 0) AS expected
FROM pair AS p, LATERAL (SELECT coalesce((SELECT sign(m.a - m.b) FROM merged AS m WHERE (m.g, m.h) = (p.g, p.h) AND m.a <> m.b ORDER BY party COLLATE "C" LIMIT 1), 0) AS cmp) AS s;
INSERT INTO c SELECT t || ' itself', concat_ws(' ', t = u, tally_cmp(t, u), tally_hash(t) = tally_hash(u)), 't 0 t' FROM tallied, LATERAL (SELECT (t::text)::tally AS u) AS s;
SELECT pg_temp.agree('c', 'comparison');
SELECT is((SELECT count(DISTINCT t) FROM tallied), (SELECT count(DISTINCT written) FROM wanted), 'DISTINCT');

-- ----------
-- Text, JSON
-- ----------
-- in another order, with blanks, zeros and escapes that were not needed
CREATE TEMP TABLE c AS SELECT literal AS input, literal::tally::text AS got, written AS expected
FROM (SELECT g, E'\n{ ' || coalesce(string_agg((SELECT '"' || coalesce(string_agg(CASE WHEN ascii(ch) > 65535 OR (ascii(ch) > 31 AND random() < 0.7 AND ch NOT IN ('"', '\')) THEN ch
		ELSE '\u' || lpad(CASE WHEN random() < 0.5 THEN upper(to_hex(ascii(ch))) ELSE to_hex(ascii(ch)) END, 4, '0') END, '' ORDER BY i), '') || '"'
		FROM regexp_split_to_table(party, '') WITH ORDINALITY AS s (ch, i) WHERE ch <> '')
		|| E' :\t' || CASE floor(random() * 3) WHEN 0 THEN quantity::text WHEN 1 THEN quantity || CASE WHEN scale(quantity) = 0 THEN '.000' ELSE '00' END
			ELSE (quantity * 1000)::text || 'e-3' END, E' ,\r\n' ORDER BY random()), '') || ' } ' AS literal FROM wanted LEFT JOIN entry USING (g) GROUP BY g) AS l JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'text input');
CREATE TEMP TABLE c AS SELECT written AS input, t::jsonb AS got, (SELECT coalesce(jsonb_object_agg(party, trim_scale(quantity)), '{}') FROM entry WHERE entry.g = tallied.g) AS expected FROM tallied JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'tally to jsonb');
CREATE TEMP TABLE c AS SELECT written AS input, t::jsonb::tally AS got, t AS expected FROM tallied JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'jsonb to tally');

-- ----------
-- Measures
-- ----------
CREATE TEMP TABLE c AS SELECT written AS input, row(total(t), parties(t))::text AS got, (SELECT row(coalesce(trim_scale(sum(quantity)), 0), count(*))::text FROM entry WHERE entry.g = w.g) AS expected
FROM tallied JOIN wanted AS w USING (g);
SELECT pg_temp.agree('c', 'total and parties');
CREATE TEMP TABLE c AS SELECT party || ' of ' || t AS input, row(quantity_of(t, party), share_of(t, party))::text AS got,
	row(trim_scale(coalesce(quantity, 0)), trim_scale(coalesce(quantity, 0)) / nullif(trim_scale(total), 0))::text AS expected
FROM tallied JOIN LATERAL (SELECT sum(quantity) AS total FROM entry WHERE entry.g = tallied.g) AS s ON true JOIN name ON name.n % 7 = g % 7 LEFT JOIN entry USING (g, party);
SELECT pg_temp.agree('c', 'quantity_of and share_of');
CREATE TEMP TABLE c AS SELECT 'id ' || g AS input, row(quantity_of(t, m), share_of(t, m))::text AS got, row(quantity_of(t, m::text), share_of(t, m::text))::text AS expected
FROM (SELECT g, tally(id % 7, k) AS t FROM fact GROUP BY g) AS s, LATERAL (SELECT (g % 7 - 3)::bigint AS m) AS i;
SELECT pg_temp.agree('c', 'quantity_of and share_of by number');
CREATE TEMP TABLE c AS SELECT written AS input, (SELECT string_agg(e::text, ' ' ORDER BY n) FROM entries(t) WITH ORDINALITY AS e (party, quantity, n)) AS got,
	(SELECT string_agg(row(party, trim_scale(quantity), n)::text, ' ' ORDER BY n) FROM (SELECT party, quantity, row_number() OVER (ORDER BY party COLLATE "C") AS n FROM entry WHERE entry.g = w.g) AS s) AS expected
FROM tallied JOIN wanted AS w USING (g);
SELECT pg_temp.agree('c', 'entries');
CREATE TEMP TABLE ranked AS SELECT g, party, quantity, row_number() OVER (PARTITION BY g ORDER BY quantity DESC, party COLLATE "C") AS n FROM entry;
CREATE INDEX ON ranked (g);
ANALYZE ranked;
CREATE TEMP TABLE c AS SELECT written AS input, (SELECT string_agg(e::text, ' ' ORDER BY n) FROM top(t, g % 10) WITH ORDINALITY AS e (party, quantity, n)) AS got,
	(SELECT string_agg(row(party, trim_scale(quantity), n)::text, ' ' ORDER BY n) FROM ranked WHERE ranked.g = w.g AND n <= g % 10) AS expected
FROM tallied JOIN wanted AS w USING (g);
SELECT pg_temp.agree('c', 'top');

-- concentration, for quantities that are not negative: two of them in a row
-- make enough cases
CREATE TEMP TABLE positive AS SELECT g, t FROM tallied WHERE g % 8 <= 3
UNION ALL SELECT 10000 + x.g, x.t + y.t FROM tallied AS x JOIN tallied AS y ON y.g = x.g + 8 WHERE x.g % 8 <= 2
UNION ALL SELECT 20000 + g, '{}' FROM generate_series(1, 5) AS g;
CREATE TEMP TABLE share AS
SELECT g, party, quantity, trim_scale(sum(quantity) OVER (PARTITION BY g)) AS total, count(*) OVER (PARTITION BY g) AS parties,
	   row_number() OVER (PARTITION BY g ORDER BY quantity) AS ascending,
	   trim_scale(sum(quantity) OVER (PARTITION BY g ORDER BY quantity DESC, party COLLATE "C" ROWS UNBOUNDED PRECEDING)) AS reached,
	   row_number() OVER (PARTITION BY g ORDER BY quantity DESC, party COLLATE "C") AS descending
FROM (SELECT g, e.party, trim_scale(e.quantity * 1e18) AS quantity FROM positive, entries(t) AS e) AS s;
CREATE INDEX ON share (g);
ANALYZE share, positive;
CREATE TEMP TABLE c AS SELECT fraction || ' of ' || t AS input, absence_factor(t, fraction) AS got,
	(SELECT CASE WHEN fraction = 0 THEN min(0) ELSE min(descending) END FROM share WHERE share.g = p.g AND reached >= total * fraction) AS expected
FROM positive AS p, LATERAL (SELECT CASE WHEN g % 3 = 0 THEN 0.5 WHEN g % 31 = 1 THEN g % 2 ELSE round(random()::numeric, 1 + g % 17) END AS fraction) AS f;
UPDATE c SET expected = 0 WHERE input LIKE '0 of%' AND input NOT LIKE '%{}';
SELECT pg_temp.agree('c', 'absence_factor');
CREATE TEMP TABLE c AS SELECT t::text AS input, gini(t) AS got,
	(SELECT sum((2 * ascending - parties - 1) * quantity) / (max(parties) * max(total)) FROM share WHERE share.g = p.g) AS expected FROM positive AS p;
SELECT pg_temp.agree('c', 'gini');
CREATE TEMP TABLE c AS SELECT t::text AS input, hhi(t) AS got, (SELECT sum(quantity * quantity) / (max(total) * max(total)) FROM share WHERE share.g = p.g) AS expected FROM positive AS p;
SELECT pg_temp.agree('c', 'hhi');
-- with 60 decimal places, and from the shares themselves
CREATE TEMP TABLE entropy AS SELECT g, - sum(s * ln(s)) AS entropy, max(parties) AS parties
FROM (SELECT g, round(quantity::numeric, 60) / total AS s, parties FROM share) AS s GROUP BY g;
CREATE TEMP TABLE c AS SELECT t::text AS input, entropy(t) AS got, round(e.entropy, 16) AS expected FROM positive LEFT JOIN entropy AS e USING (g);
SELECT pg_temp.agree('c', 'entropy');
CREATE TEMP TABLE c AS SELECT t::text AS input, evenness(t) AS got, CASE WHEN parties > 1 THEN round(e.entropy / ln(round(parties::numeric, 60)), 16) END AS expected FROM positive LEFT JOIN entropy AS e USING (g);
SELECT pg_temp.agree('c', 'evenness');
CREATE TEMP TABLE c AS SELECT t || ' from ' || above || ' to ' || upto AS input, band(t, above, upto)::text AS got,
	(SELECT coalesce(pg_temp.written(array_agg(party), array_agg(trim_scale(quantity * 1e-18))), '{}') FROM share WHERE share.g = p.g AND reached - quantity >= total * above AND reached - quantity < total * upto) AS expected
FROM positive AS p, LATERAL (SELECT round(random()::numeric * 0.7, g % 5) AS above, round(random()::numeric, g % 6) AS upto) AS f;
SELECT pg_temp.agree('c', 'band');
CREATE TEMP TABLE c AS SELECT t::text AS input, row(core(t) + regular(t) + casual(t), core(t), regular(t), casual(t), parties(core(t)))::text AS got,
	row(t, band(t, 0, 0.8), band(t, 0.8, 0.95), band(t, 0.95, 1), coalesce(absence_factor(t, 0.8), 0))::text AS expected FROM positive;
SELECT pg_temp.agree('c', 'core, regular and casual');

-- ----------
-- Parts, other keys, shares
-- ----------
CREATE TEMP TABLE c AS SELECT a || ' after ' || b AS input, row(newcomers(a, b), retained(a, b))::text AS got,
	(SELECT row(coalesce(pg_temp.written(array_agg(party) FILTER (WHERE NOT in_b), array_agg(m.a) FILTER (WHERE NOT in_b)), '{}'),
				coalesce(pg_temp.written(array_agg(party) FILTER (WHERE in_b), array_agg(m.a) FILTER (WHERE in_b)), '{}'))::text FROM merged AS m WHERE (m.g, m.h) = (p.g, p.h) AND in_a) AS expected FROM pair AS p;
SELECT pg_temp.agree('c', 'newcomers and retained');
CREATE TEMP TABLE mapping AS SELECT g, (SELECT coalesce(jsonb_object_agg(party, CASE WHEN n % 3 = 0 THEN to_jsonb(n % 4) ELSE to_jsonb((ARRAY['', 'org', 'a', 'é', 'aaaaaaaab'])[1 + floor(random() * 5)]) END), '{}')
	FROM name WHERE random() < 0.6 AND g > 0) AS mapping FROM tallied WHERE g % 8 <> 6;
INSERT INTO mapping SELECT g, '{}' FROM tallied WHERE g % 8 = 6;
CREATE TEMP TABLE c AS SELECT t || ' by ' || mapping AS input, rekey(t, mapping)::text AS got,
	(SELECT coalesce(pg_temp.written(array_agg(party), array_agg(quantity)), '{}') FROM (SELECT coalesce(mapping ->> party, party) AS party, sum(quantity) AS quantity FROM entry WHERE entry.g = m.g GROUP BY 1) AS s) AS expected
FROM tallied JOIN mapping AS m USING (g);
SELECT pg_temp.agree('c', 'rekey');
SELECT is_empty('SELECT t, mapping FROM tallied JOIN mapping USING (g) WHERE total(rekey(t, mapping)) <> total(t)', 'rekey keeps the total');
CREATE TEMP TABLE amount AS SELECT g, t, scale, trim_scale(CASE g % 5 WHEN 0 THEN 0 WHEN 1 THEN ('1e-' || scale)::numeric WHEN 2 THEN parties(t) * 7 ELSE round((random() * 10 ^ (random() * 9))::numeric, scale) END
	* CASE WHEN g % 3 = 0 THEN -1 ELSE 1 END) AS amount
FROM (SELECT *, floor(random() * 9)::int AS scale FROM positive WHERE t <> '{}') AS s;
CREATE TEMP TABLE c AS SELECT amount || ' by ' || t AS input, split(amount, t, scale)::text AS got,
	(SELECT pg_temp.written(array_agg(party), array_agg(share)) FROM (SELECT party, split(amount, quantity, scale) OVER (ORDER BY party COLLATE "C") AS share FROM share WHERE share.g = a.g) AS s) AS expected
FROM amount AS a;
SELECT pg_temp.agree('c', 'split, as split of rows');
SELECT is_empty('SELECT * FROM amount WHERE total(split(amount, t, scale)) <> amount', 'the shares sum to the amount');

SELECT * FROM finish();
ROLLBACK;
