-- settlement.sql
--		net_settlement() in every mode, on random debts: every balance is settled,
--		everybody gets or pays what all its accounts say (I11), and what is
--		posted can be taken back. split_running() against plain SQL.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
\ir ../helpers.sql
SELECT plan(25);
SELECT setseed(0.35) \g /dev/null

-- ----------
-- net_settlement: the same debts in a pool for each mode
-- ----------
CREATE TEMP TABLE mode AS SELECT * FROM unnest('{bilateral,greedy,exact}'::text[]) WITH ORDINALITY AS m (mode, n);
SELECT create_party('st_' || p) FROM unnest('{steward,1,2,3,4,5,6,7,8}'::text[]) AS p \g /dev/null
SELECT create_pool('st ' || s || ' ' || mode, 'compute', 'gpu', 'st_steward') FROM generate_series(1, 40) AS s, mode \g /dev/null
-- what a set owes: debits and credits of some parties, the rest in the steward's cash, deposits, and another currency
CREATE TEMP TABLE debt AS
	SELECT s AS set_id, 'st_' || i AS party, k.kind, 'USD' AS currency, round((random() * 40 - 20)::numeric * CASE s % 3 WHEN 0 THEN 1 ELSE 100 END, CASE s % 3 WHEN 0 THEN 0 ELSE 2 END) AS amount
	FROM generate_series(1, 40) AS s, generate_series(1, 8) AS i, unnest('{receivable,payable,contributors}'::text[]) AS k (kind)
	WHERE i <= 1 + s % 8 AND random() < 0.6;
INSERT INTO debt
	SELECT s, 'st_steward', k.kind, 'USD', round((random() * 20 - 10)::numeric, 2) FROM generate_series(1, 40) AS s, unnest('{fee,payable,cash}'::text[]) AS k (kind) WHERE s % 4 > 0
	UNION ALL SELECT s, 'st_1', 'prepaid', 'USD', -7.5 FROM generate_series(1, 40) AS s WHERE s % 5 = 0;
-- some owe nothing to each other in the end
INSERT INTO debt SELECT set_id, 'st_steward', 'held', 'USD', - sum(amount) FROM debt GROUP BY set_id;
INSERT INTO debt SELECT s, p, 'receivable', 'EUR', a FROM generate_series(1, 40) AS s, (VALUES ('st_1', 3), ('st_steward', -3)) AS v (p, a);
SELECT post_journal('transfer', array_agg(open_account(party, kind, currency, 'st ' || set_id || ' ' || mode) ORDER BY party, kind, currency), array_agg(amount ORDER BY party, kind, currency), occurred_at => '2026-01-01')
FROM debt, mode GROUP BY set_id, mode.n, mode \g /dev/null

CREATE TEMP VIEW standing AS SELECT split_part(b.pool, ' ', 2)::integer AS set_id, split_part(b.pool, ' ', 3) AS mode, b.* FROM balances() AS b WHERE b.pool ~ '^st ';
CREATE TEMP TABLE before AS TABLE standing;
CREATE TEMP TABLE paid AS SELECT s AS set_id, mode, t.* FROM generate_series(1, 40) AS s, mode, net_settlement('st ' || s || ' ' || mode, mode, 'st', s || mode, '2026-01-02') AS t;
CREATE TEMP TABLE net AS
	SELECT DISTINCT b.set_id, b.mode, b.party, - coalesce(sum(b.balance) FILTER (WHERE b.kind IN ('receivable', 'payable', 'fee', 'contributors') AND b.currency = 'USD') OVER (PARTITION BY b.set_id, b.mode, b.party), 0) AS amount
	FROM before AS b;
-- the steward stands for what is not there
UPDATE net AS n SET amount = - (SELECT coalesce(sum(o.amount), 0) FROM net AS o WHERE (o.set_id, o.mode) = (n.set_id, n.mode) AND o.party <> n.party) WHERE party = 'st_steward';

SELECT cmp_ok((SELECT count(*) FROM paid WHERE payer IS NOT NULL), '>', 200::bigint, 'there are payments');
SELECT is_empty($$SELECT * FROM standing WHERE balance <> 0 AND currency = 'USD' AND kind IN ('receivable', 'payable', 'fee', 'contributors')$$, 'every balance is settled');
SELECT is_empty($$SELECT n.*, got FROM net AS n LEFT JOIN (SELECT set_id, mode, party, sum(amount) AS got FROM (SELECT set_id, mode, payee, amount FROM paid UNION ALL SELECT set_id, mode, payer, - amount FROM paid) AS t (set_id, mode, party, amount)
	GROUP BY 1, 2, 3) AS g USING (set_id, mode, party) WHERE n.amount <> coalesce(got, 0)$$, 'I11: everybody gets or pays just what its accounts came to');
SELECT is_empty($$SELECT p.set_id, p.mode FROM paid AS p WHERE payer IS NOT NULL GROUP BY 1, 2 HAVING count(*) > (SELECT count(*) - 1 FROM net AS n WHERE (n.set_id, n.mode) = (p.set_id, p.mode) AND n.amount <> 0) OR min(amount) <= 0$$,
	'I11: in fewer payments than there are parties, of more than nothing');
SELECT is_empty($$SELECT p.set_id, p.mode, sum(amount) FROM paid AS p WHERE mode <> 'bilateral' GROUP BY 1, 2 HAVING sum(amount) <> (SELECT sum(n.amount) FROM net AS n WHERE (n.set_id, n.mode) = (p.set_id, p.mode) AND n.amount > 0)$$,
	'I11: and no more is paid than is owed');
SELECT is_empty($$SELECT * FROM paid WHERE mode = 'bilateral' AND 'st_steward' NOT IN (payer, payee)$$, 'bilateral: each with the steward');
SELECT is_empty($$SELECT set_id FROM paid GROUP BY 1 HAVING count(payer) FILTER (WHERE mode = 'exact') > least(count(payer) FILTER (WHERE mode = 'greedy'), count(payer) FILTER (WHERE mode = 'bilateral'))$$, 'exact: never more payments than the others');
SELECT cmp_ok((SELECT count(payer) FILTER (WHERE mode = 'exact') FROM paid), '<', (SELECT count(payer) FILTER (WHERE mode = 'bilateral') FROM paid), 'and fewer in all');
SELECT is_empty($$SELECT * FROM before AS b JOIN standing AS s USING (account_id) WHERE b.balance <> s.balance AND (b.currency <> 'USD' OR (b.kind NOT IN ('receivable', 'payable', 'fee', 'contributors') AND (b.party, b.kind) <> ('st_steward', 'cash')))$$,
	'deposits and other currencies stay as they are');
SELECT is_empty($$SELECT set_id, mode FROM standing WHERE currency = 'USD' GROUP BY 1, 2 HAVING sum(balance) <> 0$$, 'I1: and each pool sums to zero');
SELECT is((SELECT count(*) FROM paid AS p JOIN journal AS j USING (journal_id) WHERE j.kind <> 'settlement' OR j.occurred_at <> '2026-01-02' OR j.source <> 'st' OR j.source_key <> p.set_id || p.mode), 0::bigint, 'in one journal each, which says so');
SELECT is_empty($$SELECT t.* FROM mode, net_settlement('st 7 ' || mode, mode) AS t$$, 'nothing is settled twice');
SELECT is((SELECT count(DISTINCT reverse_journal(journal_id)) FROM (SELECT DISTINCT journal_id FROM paid) AS p), (SELECT count(DISTINCT journal_id) FROM paid), 'settlements are taken back');
SELECT is_empty($$SELECT * FROM before AS b FULL JOIN standing AS s USING (account_id) WHERE coalesce(b.balance, 0) <> coalesce(s.balance, 0)$$, 'I10: which leaves everything as it was');
SELECT results_eq($$SELECT left(public.try(s), 5) FROM unnest(ARRAY[$a$SELECT net_settlement('st 7 exact', 'fast')$a$, $a$SELECT net_settlement('nowhere')$a$]) AS s$$, $$VALUES ('22023'), ('42704')$$, 'errors of net_settlement');
SELECT create_pool('st crowd', 'compute', 'gpu', 'st_steward') \g /dev/null
SELECT create_party('st_crowd' || i) FROM generate_series(1, 30) AS i \g /dev/null
SELECT post_journal('transfer', array_agg(open_account('st_crowd' || i, 'receivable', 'USD', 'st crowd')), array_agg(CASE i WHEN 30 THEN -435 ELSE i END)) FROM generate_series(1, 30) AS i \g /dev/null
SELECT matches(public.try($$SELECT net_settlement('st crowd', 'exact')$$), '^54000', 'exact is for few');
SELECT is((SELECT count(*) FROM net_settlement('st crowd', 'greedy')), 29::bigint, 'greedy for many');

-- ----------
-- split_running: 600 invoices of lines, each divided among the same parties; ties,
-- zero shares and negative totals among them
-- ----------
CREATE TEMP TABLE line AS
	SELECT i, l, CASE i % 4 WHEN 0 THEN 0 WHEN 1 THEN 6 ELSE 2 END AS scale,
		CASE WHEN random() < 0.1 THEN 0 WHEN i % 5 = 0 THEN 1 ELSE round((random() * 10 ^ (random() * 6))::numeric) END * CASE WHEN random() < 0.2 + i % 2 * 0.5 THEN -1 ELSE 1 END AS units
	FROM generate_series(1, 600) AS i, LATERAL generate_series(1, 1 + i % 13) AS l;
CREATE TEMP TABLE share AS
	SELECT w.i, w.l, w.p, w.weight * 1.000000000000000000000000000000 / nullif(sum(w.weight) OVER (PARTITION BY w.i, w.l), 0) AS share
	FROM (
		SELECT i, l, p, CASE WHEN i % 3 = 0 THEN 1 WHEN i % 7 = 0 AND p > 1 THEN 0 WHEN i % 2 = 0 THEN i % 50 + p ELSE 1 + floor(random() * 20) END::numeric AS weight
		FROM line, LATERAL generate_series(1, 1 + i % 6) AS p
	) AS w;
CREATE TEMP TABLE answer AS
	SELECT i, l, scale, units, shares, split_running(units * ('1e-' || scale)::numeric, shares, scale) OVER (PARTITION BY i, scale ORDER BY l, shares NULLS FIRST) AS parts
	-- what is not divided is in between
	FROM (SELECT line.*, s.shares FROM line JOIN (SELECT i, l, array_agg(share ORDER BY p) AS shares FROM share GROUP BY i, l) AS s USING (i, l) UNION ALL SELECT line.*, NULL FROM line WHERE i % 4 = 1) AS r;
CREATE TEMP TABLE divided AS
	SELECT a.i, a.l, u.p, a.scale, a.units, u.share, u.amount FROM answer AS a, unnest(a.shares, a.parts) WITH ORDINALITY AS u (share, amount, p);
CREATE TEMP TABLE oracle AS
	WITH running AS (
		SELECT d.*, sum(units * share) OVER (PARTITION BY i, p ORDER BY l) AS exact, t.total
		FROM divided AS d JOIN (SELECT i, l, sum(units) OVER (PARTITION BY i ORDER BY l) AS total FROM line) AS t USING (i, l)
	), ranked AS (
		SELECT r.*, floor(exact) + CASE WHEN row_number() OVER (PARTITION BY i, l ORDER BY exact - floor(exact) DESC, p) <= total - sum(floor(exact)) OVER (PARTITION BY i, l) THEN 1 ELSE 0 END AS now
		FROM running AS r
	)
	SELECT r.*, now - lag(now, 1, 0::numeric) OVER (PARTITION BY i, p ORDER BY l) AS right
	FROM ranked AS r;
SELECT cmp_ok((SELECT count(*) FROM oracle), '>', 10000::bigint, 'there are many shares');
SELECT is_empty($$SELECT * FROM oracle WHERE amount IS DISTINCT FROM "right" * ('1e-' || scale)::numeric LIMIT 5$$, 'the largest remainder of the running total, in plain SQL');
SELECT is_empty($$SELECT i, l FROM divided GROUP BY i, l, scale, units HAVING sum(amount) <> units * ('1e-' || scale)::numeric$$, 'every line divides exactly');
SELECT is_empty($$SELECT i, p FROM (SELECT i, p, scale, sum(amount) OVER w AS got, sum(units * share) OVER w AS exact FROM divided WINDOW w AS (PARTITION BY i, p ORDER BY l)) AS r WHERE abs(got * ('1e' || scale)::numeric - exact) >= 1$$,
	'I2: and nobody is ever a unit from the exact share of all so far');
SELECT is_empty('SELECT * FROM divided WHERE scale(amount) > scale', 'with no more decimal places');
SELECT is_empty($$SELECT i, p FROM divided WHERE share = 0 GROUP BY 1, 2 HAVING count(*) = (SELECT count(*) FROM line AS l WHERE l.i = divided.i) AND bool_or(amount <> 0)$$, 'no share, nothing');
SELECT is((SELECT count(*) FROM answer WHERE (shares IS NULL) <> (parts IS NULL)), 0::bigint, 'NULL where nothing is to be divided');
SELECT results_eq($$SELECT left(public.try(format('SELECT split_running(%s) OVER (ORDER BY n) FROM (VALUES %s) AS v (n, a)', c, v)), 5) FROM (VALUES
	('a, ''{1.5}'', 2', '(1, 1)'), ('a, ''{1}'', 2', '(1, 0.001)'), ('a, ''{1}'', 19', '(1, 1)'), ('a, ''{1}'', -1', '(1, 1)'),
	('a, ''{1}'', 18', '(1, 10)'), ('a, ''{1}'', 0', '(1, 9000000000000000000), (2, 9000000000000000000)'), ('a, ''{1}'', 0', '(1, 1e30)'), ('a, ''{1,NULL}'', 2', '(1, 1)')) AS e (c, v)$$,
	$$VALUES ('22023'), ('22023'), ('22023'), ('22023'), ('22003'), ('22003'), ('22003'), ('22004')$$, 'errors of split_running');

SELECT * FROM finish();
ROLLBACK;
