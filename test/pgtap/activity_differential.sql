-- activity_differential.sql
--		The type activity and its aggregates against plain SQL, on random input.
--
-- Every function is compared, case by case, with a reference that uses GROUP BY,
-- window functions and JSON, and nothing of ours. Another run of random numbers:
-- pg_prove --set seed=0.5 (between -1 and 1).

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260101
\endif

BEGIN;
SELECT plan(22);
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

-- What one party did, as text
CREATE FUNCTION pg_temp.written(party text, count bigint, added numeric, removed numeric, first timestamptz, last timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT format('%s: {"count": %s, "added": %s, "removed": %s, "first": "%s", "last": "%s"}', to_json($1), $2, $3, $4, $5, $6)
$$;

-- ----------
-- Random facts of 6,000 groups: instants of all units and of the ends of time,
-- lines that are sometimes not known, and as many as a bigint holds
-- ----------
CREATE TEMP TABLE name (n int PRIMARY KEY, party text);
INSERT INTO name SELECT row_number() OVER (), party FROM unnest(ARRAY['', 'a', 'b', 'ab', 'A', 'é', 'z', 'aaaaaaaa', 'aaaaaaaab', 'aaaaaaa',
	E'tab\there', 'quo"te', 'back\slash', E'\x01', '日本', '😀', 'alice', '1', '10', '2']) AS party;
CREATE TEMP TABLE fact AS
SELECT g, name.n, party, (name.n - 3)::bigint * CASE WHEN g % 2 = 0 THEN 1 ELSE 4611686018427387 END AS id, at, added, removed
FROM (SELECT g, 1 + floor(random() * CASE g % 3 WHEN 0 THEN 20 WHEN 1 THEN 4 ELSE 9 END)::int AS n,
		CASE WHEN g % 50 = 0 AND random() < 0.2 THEN (ARRAY['-infinity', 'infinity', '4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00'])[1 + floor(random() * 4)]::timestamptz
			ELSE (ARRAY['2026-01-01 00:00:00+00', '2005-04-07 15:13:13-07', '1969-12-31 23:59:59.999999+00', '0044-03-15 12:00:00+00 BC'])[1 + g % 4]::timestamptz
				+ floor(random() * (ARRAY[3, 100, 70000])[1 + g % 3])::int * (ARRAY['1 microsecond', '1 millisecond', '1 second', '1 minute', '1 hour', '1 day', '7 microseconds'])[1 + g % 7]::interval END AS at,
		CASE WHEN random() < 0.1 THEN NULL WHEN g % 10 = 0 THEN floor(random() * 4e17)::bigint WHEN g % 10 = 1 THEN 0 ELSE floor(random() * 300)::bigint END AS added,
		CASE WHEN random() < 0.1 THEN NULL ELSE floor(random() * 90)::bigint END AS removed
	FROM generate_series(1, 6000) AS g, LATERAL generate_series(1, 1 + floor(random() * 12 + g * 0)::int) AS k) AS f
JOIN name USING (n);
CREATE INDEX ON fact (g);
ANALYZE fact;

CREATE TEMP TABLE entry AS
SELECT g, party, count(*), coalesce(sum(added), 0)::bigint AS added, coalesce(sum(removed), 0)::bigint AS removed, min(at) AS first, max(at) AS last,
	   pg_temp.written(party, count(*), coalesce(sum(added), 0), coalesce(sum(removed), 0), min(at), max(at)) AS written
FROM fact GROUP BY g, party;
CREATE INDEX ON entry (g);
CREATE TEMP TABLE wanted AS SELECT g, '{' || string_agg(written, ', ' ORDER BY party COLLATE "C") || '}' AS written FROM entry GROUP BY g;
ALTER TABLE wanted ADD PRIMARY KEY (g);
CREATE TEMP TABLE act AS SELECT g, activity(party, at, added, removed) AS a FROM fact GROUP BY g;
ALTER TABLE act ADD PRIMARY KEY (g);
ANALYZE entry, wanted, act;

-- ----------
-- Aggregates
-- ----------
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, a::text AS got, written AS expected FROM act JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'activity(party, at, added, removed)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, activity(party, at)::text AS got,
	(SELECT '{' || string_agg(pg_temp.written(party, count, 0, 0, first, last), ', ' ORDER BY party COLLATE "C") || '}' FROM entry WHERE entry.g = fact.g) AS expected FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'activity(party, at)');
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, row(activity(id, at, added, removed), activity(id, at), activity(id, at, (added % 1000)::int, removed::int), activity(party, at, (added % 1000)::int, removed::int))::text AS got,
	row(activity(id::text, at, added, removed), activity(id::text, at), activity(id::text, at, added % 1000, removed), activity(party::varchar, at, added % 1000, removed))::text AS expected FROM fact GROUP BY g;
SELECT pg_temp.agree('c', 'activity of bigint parties, and integer lines');
-- the sum of parts, however they are cut, is the whole: byte for byte
CREATE TEMP TABLE c AS SELECT 'g ' || g AS input, activity_send(sum(part)) AS got, activity_send(act.a) AS expected
FROM (SELECT g, date_trunc('day', at), n % 3, activity(party, at, added, removed) AS part FROM fact GROUP BY 1, 2, 3) AS s JOIN act USING (g) GROUP BY g, act.a;
SELECT pg_temp.agree('c', 'sum(activity)');

-- ----------
-- Merging and comparison
-- ----------
CREATE TEMP TABLE pair AS SELECT x.g, y.g AS h, x.a, y.a AS b FROM act AS x JOIN act AS y ON y.g IN (x.g + 1, x.g + 84);
ANALYZE pair;
CREATE TEMP TABLE c AS SELECT a || ' + ' || b AS input, (a + b)::text AS got,
	(SELECT '{' || string_agg(written, ', ' ORDER BY party COLLATE "C") || '}' FROM (SELECT party, pg_temp.written(party, sum(count)::bigint, sum(added), sum(removed), min(first), max(last)) AS written FROM entry WHERE g IN (p.g, p.h) GROUP BY party) AS s) AS expected
FROM pair AS p;
SELECT pg_temp.agree('c', '+');
CREATE TEMP TABLE c AS SELECT a || ' ' || b AS input, concat_ws(' ', a = b, a <> b, a < b, a <= b, a > b, a >= b, activity_cmp(a, b), activity_hash(a) = activity_hash(b), activity_hash_extended(a, 7) = activity_hash_extended(b, 7)) AS got,
	concat_ws(' ', cmp = 0, cmp <> 0, cmp < 0, cmp <= 0, cmp > 0, cmp >= 0, cmp, cmp = 0, cmp = 0) AS expected
FROM pair AS p, LATERAL (SELECT coalesce((SELECT CASE WHEN x IS NULL THEN -1 WHEN y IS NULL THEN 1 WHEN x < y THEN -1 ELSE 1 END
	FROM (SELECT party, max(row(count, added, removed, first, last)::text) FILTER (WHERE g = p.g) AS xt, max(row(count, added, removed, first, last)::text) FILTER (WHERE g = p.h) AS yt FROM entry WHERE g IN (p.g, p.h) GROUP BY party) AS m
	LEFT JOIN LATERAL (SELECT row(e.count, e.added, e.removed, e.first, e.last) AS x FROM entry AS e WHERE e.g = p.g AND e.party = m.party) AS x ON true
	LEFT JOIN LATERAL (SELECT row(e.count, e.added, e.removed, e.first, e.last) AS y FROM entry AS e WHERE e.g = p.h AND e.party = m.party) AS y ON true
	WHERE xt IS DISTINCT FROM yt ORDER BY party COLLATE "C" LIMIT 1), 0) AS cmp) AS s;
INSERT INTO c SELECT a || ' itself', concat_ws(' ', a = b, activity_cmp(a, b), activity_hash(a) = activity_hash(b)), 't 0 t' FROM act, LATERAL (SELECT (a::text)::activity AS b) AS s;
SELECT pg_temp.agree('c', 'comparison');

-- ----------
-- Text, JSON, rows
-- ----------
-- in another order, with blanks, escapes, in other time zones, and without zeros
CREATE TEMP TABLE c AS SELECT literal AS input, literal::activity::text AS got, written AS expected
FROM (SELECT g, E'\t{' || string_agg(format(E' %s :\n{ %s } ', (SELECT '"' || coalesce(string_agg(CASE WHEN ascii(ch) > 65535 OR (ascii(ch) > 31 AND random() < 0.7 AND ch NOT IN ('"', '\')) THEN ch
		ELSE '\u' || lpad(to_hex(ascii(ch)), 4, '0') END, '' ORDER BY i), '') || '"' FROM regexp_split_to_table(party, '') WITH ORDINALITY AS s (ch, i) WHERE ch <> ''),
		(SELECT string_agg(format('"%s" : %s', f, v), ' , ' ORDER BY random()) FROM (VALUES ('count', count || '.0'), ('added', CASE WHEN added <> 0 THEN added || 'e0' END), ('removed', CASE WHEN removed <> 0 OR g % 2 = 0 THEN removed::text END),
			('first', '"' || first || '"'), ('last', '"' || CASE WHEN isfinite(last) AND last < '2200-01-01' AND last > '1000-01-01' THEN to_char(last AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD"T"HH24:MI:SS.US+09') ELSE last::text END || '"')) AS v (f, v) WHERE v IS NOT NULL)), ',' ORDER BY random()) || E'}\n' AS literal FROM entry GROUP BY g) AS l
JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'text input');
CREATE TEMP TABLE c AS SELECT written AS input, a::jsonb AS got, (SELECT jsonb_object_agg(party, jsonb_build_object('count', count, 'added', added, 'removed', removed, 'first', first::text, 'last', last::text)) FROM entry WHERE entry.g = act.g) AS expected FROM act JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'activity to jsonb');
CREATE TEMP TABLE c AS SELECT written AS input, a::jsonb::activity AS got, a AS expected FROM act JOIN wanted USING (g);
SELECT pg_temp.agree('c', 'jsonb to activity');
CREATE TEMP TABLE c AS SELECT written AS input, (SELECT string_agg(e::text, ' ' ORDER BY n) FROM entries(a) WITH ORDINALITY AS e (party, count, added, removed, first, last, n)) AS got,
	(SELECT string_agg(row(party, count, added, removed, first, last, n)::text, ' ' ORDER BY n) FROM (SELECT *, row_number() OVER (ORDER BY party COLLATE "C") AS n FROM entry WHERE entry.g = w.g) AS s) AS expected FROM act JOIN wanted AS w USING (g);
SELECT pg_temp.agree('c', 'entries');

-- ----------
-- What is read from it
-- ----------
CREATE TEMP TABLE c AS SELECT a::text AS input, row(parties(a), contributions(a), lines_added(a), lines_removed(a), first_at(a), last_at(a))::text AS got,
	(SELECT row(count(*), sum(count), sum(added), sum(removed), min(first), max(last))::text FROM entry WHERE entry.g = act.g) AS expected FROM act;
SELECT pg_temp.agree('c', 'parties, contributions, lines_added, lines_removed, first_at and last_at');
CREATE TEMP TABLE c AS SELECT a::text AS input, row(by_count(a), by_lines(a))::text AS got,
	(SELECT row(tally(party, count), tally(party, added + removed))::text FROM entry WHERE entry.g = act.g) AS expected FROM act;
SELECT pg_temp.agree('c', 'by_count and by_lines');

-- ----------
-- Parts, other keys
-- ----------
CREATE FUNCTION pg_temp.part(g int, parties text[]) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT '{' || coalesce(string_agg(written, ', ' ORDER BY party COLLATE "C"), '') || '}' FROM entry WHERE entry.g = $1 AND party = ANY ($2)
$$;
-- at, before and after instants of the group, unbounded, and empty
CREATE TEMP TABLE window_ AS SELECT g, a, CASE WHEN k = 0 THEN 'empty' ELSE tstzrange(CASE WHEN k <> 1 THEN least(x, y) END, CASE WHEN k <> 2 THEN greatest(x, y) END, (ARRAY['[)', '[]', '()', '(]'])[1 + g % 4]) END AS during, x
FROM act, LATERAL (SELECT floor(random() * 12 + g * 0)::int AS k, min(first) AS x, min(last) AS y FROM (SELECT first, last FROM entry WHERE entry.g = act.g AND isfinite(first) AND isfinite(last) ORDER BY random() LIMIT 1) AS s) AS r WHERE x IS NOT NULL;
CREATE TEMP TABLE c AS SELECT a || ' in ' || during AS input, newcomers(a, during)::text AS got, pg_temp.part(g, ARRAY(SELECT party FROM entry WHERE entry.g = w.g AND during @> first)) AS expected FROM window_ AS w;
SELECT pg_temp.agree('c', 'newcomers');
CREATE TEMP TABLE c AS SELECT a || ' since ' || since AS input, inactive(a, since)::text AS got, pg_temp.part(g, ARRAY(SELECT party FROM entry WHERE entry.g = w.g AND last < since)) AS expected
FROM window_ AS w, unnest(ARRAY[x, upper(during)]) AS since WHERE since IS NOT NULL;
SELECT pg_temp.agree('c', 'inactive');
CREATE TEMP TABLE c AS SELECT a || ' ' || during || ' ' || g % 5 AS input, row(occasional(a, g % 5, during), occasional(a), occasional(a, 3))::text AS got,
	row(pg_temp.part(g, ARRAY(SELECT party FROM entry WHERE entry.g = w.g AND during @> first AND count < w.g % 5)), pg_temp.part(g, ARRAY(SELECT party FROM entry WHERE entry.g = w.g AND count < 2)),
		pg_temp.part(g, ARRAY(SELECT party FROM entry WHERE entry.g = w.g AND count < 3)))::text AS expected FROM window_ AS w;
SELECT pg_temp.agree('c', 'occasional');
CREATE TEMP TABLE reached AS SELECT g, party, count, sum(count) OVER (PARTITION BY g) AS total, sum(count) OVER (PARTITION BY g ORDER BY count DESC, party COLLATE "C" ROWS UNBOUNDED PRECEDING) AS reached FROM entry;
CREATE INDEX ON reached (g);
ANALYZE reached;
CREATE TEMP TABLE c AS SELECT a || ' from ' || above || ' to ' || upto AS input, band(a, above, upto)::text AS got,
	pg_temp.part(g, ARRAY(SELECT party FROM reached AS r WHERE r.g = act.g AND reached - count >= total * above AND reached - count < total * upto)) AS expected
FROM act, LATERAL (SELECT round(random()::numeric * 0.7, g % 5) AS above, round(random()::numeric, g % 6) AS upto) AS f;
SELECT pg_temp.agree('c', 'band');
CREATE TEMP TABLE c AS SELECT a::text AS input, row(core(a), regular(a), casual(a))::text AS got, row(band(a, 0, 0.8), band(a, 0.8, 0.95), band(a, 0.95, 1))::text AS expected FROM act;
SELECT pg_temp.agree('c', 'core, regular and casual');
SELECT is_empty('SELECT a FROM act WHERE (by_count(core(a)), by_count(regular(a)), by_count(casual(a))) IS DISTINCT FROM (core(by_count(a)), regular(by_count(a)), casual(by_count(a)))', 'they are the same for the tally by count');
CREATE TEMP TABLE mapping AS SELECT g, (SELECT coalesce(jsonb_object_agg(party, CASE WHEN n % 3 = 0 THEN to_jsonb(n % 4) ELSE to_jsonb((ARRAY['', 'org', 'a', 'é', 'aaaaaaaab'])[1 + floor(random() * 5)]) END), '{}')
	FROM name WHERE random() < 0.6 AND g > 0) AS mapping FROM act;
CREATE TEMP TABLE c AS SELECT a || ' by ' || mapping AS input, rekey(a, mapping)::text AS got,
	(SELECT '{' || string_agg(written, ', ' ORDER BY party COLLATE "C") || '}' FROM (SELECT coalesce(mapping ->> party, party) AS party, pg_temp.written(coalesce(mapping ->> party, party), sum(count)::bigint, sum(added), sum(removed), min(first), max(last)) AS written
	 FROM entry WHERE entry.g = m.g GROUP BY 1) AS s) AS expected FROM act JOIN mapping AS m USING (g);
SELECT pg_temp.agree('c', 'rekey');
-- of the facts under the new keys, byte for byte; and back: what was merged comes from the facts again
SELECT is_empty('SELECT g FROM act JOIN mapping USING (g) JOIN fact USING (g) GROUP BY g, a, mapping HAVING activity_send(rekey(a, mapping)) <> activity_send(activity(coalesce(mapping ->> party, party), at, added, removed))',
	'rekey is the activity of the facts under the new keys');
SELECT is_empty('SELECT x.g FROM act AS x JOIN act AS y ON y.g = x.g + 1 WHERE rekey(x.a + y.a, ''{"a": "b"}'') <> rekey(x.a, ''{"a": "b"}'') + rekey(y.a, ''{"a": "b"}'')', 'rekey of the sum is the sum of both');
-- numbers, more than let rows wait, asked for after every row: nothing of a row is left for later
SELECT is_empty('SELECT i FROM (SELECT i, activity(i * i % 307, at, i, i % 3) OVER w AS number, activity((i * i % 307)::text, at, i, i % 3) OVER w AS name
	FROM generate_series(1, 1000) AS i, LATERAL (SELECT CASE WHEN i % 5 > 0 THEN ''2026-01-01''::timestamptz + i * 7919 % 1009 * interval ''1 s'' END AS at) AS t WINDOW w AS (ORDER BY i)) AS s
	WHERE number IS DISTINCT FROM name', 'a running activity of numbers is that of their names');

SELECT * FROM finish();
ROLLBACK;
