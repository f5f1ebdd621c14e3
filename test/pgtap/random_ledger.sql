-- random_ledger.sql
--		10,000 operations: usage, corrections and late usage, payments, deposits,
--		exchanges and transfers of several currencies, reversals, leases given
--		back, prices that change afterwards, and closings of four periods of two
--		pools. They are played three times: one by one and in order; in random
--		order, in batches and again and again (I5, I6); and with usage that comes
--		in other billing periods. The same charges, postings and balances, digit
--		for digit, and what plain SQL makes of the list of operations.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
SET jit = off;

BEGIN;
\ir ../helpers.sql
SELECT plan(28);
TRUNCATE party RESTART IDENTITY CASCADE;
-- no autovacuum that would take these for empty, as they are to all others
LOCK TABLE usage_default, usage_key, charge, posting, account_balance, event IN SHARE UPDATE EXCLUSIVE MODE;
SELECT setseed(0.17) \g /dev/null

CREATE FUNCTION pg_temp.month(n integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN make_timestamptz(2025 + (n - 1) / 12, (n - 1) % 12 + 1, 1, 0, 0, 0, 'UTC');

-- ----------
-- What happens: facts, each known from a round on, which ends with a closing
-- ----------

CREATE TEMP TABLE pool_terms (pool text, currency text, scale integer, price numeric, token numeric, dearer numeric, gib numeric, own numeric);
INSERT INTO pool_terms VALUES ('eur', 'EUR', 2, 2, 0.00137, 0.00151, 0.11, 0.07), ('jpy', 'JPY', 0, 301, 0.37, 0.41, 17, 13.3);

CREATE TEMP TABLE fact AS
	SELECT f.n, CASE WHEN random() < 0.5 THEN 'eur' ELSE 'jpy' END AS pool, 1 + floor(random() * 6)::integer AS lab,
		CASE WHEN random() < 0.4 THEN 1 + floor(random() * 3)::integer END AS site,
		(ARRAY['token', 'call', 'gib', 'note'])[1 + floor(random() * 3.2)::integer] AS meter,
		round((random() * 30)::numeric, floor(random() * 4)::integer) AS quantity,
		pg_temp.month(f.month) + random() * interval '27 days' AS at,
		jsonb_build_object('team', floor(random() * 3)) AS labels, f.month,
		CASE WHEN random() < 0.2 THEN f.month + floor(random() * (5 - f.month))::integer WHEN random() < 0.05 THEN greatest(f.month - 1, 1) ELSE f.month END AS round,
		-- and when it comes otherwise
		f.month + floor(random() * (5 - f.month))::integer AS other_round
	FROM (SELECT n, 1 + floor(random() * 4)::integer AS month FROM generate_series(1, 7200) AS n) AS f;
-- corrections take back some or all, when the fact is known or later
INSERT INTO fact
	SELECT n + 10000, pool, lab, site, meter, - CASE WHEN random() < 0.5 THEN quantity ELSE round(quantity * random()::numeric, 3) END, at, labels, month,
		round + floor(random() * (5 - round))::integer, other_round
	FROM fact WHERE n % 10 = 0;

-- chains of steps, of which each needs those before
CREATE TEMP TABLE step AS
	SELECT row_number() OVER (ORDER BY c.chain, w.seq)::integer AS n, c.chain, w.seq::integer AS seq, w.what, c.pool, c.lab, c.amount, c.part,
		least(4, c.round + (w.seq::integer - 1) / 2) AS round
	FROM (
		SELECT chain, CASE WHEN random() < 0.5 THEN 'eur' ELSE 'jpy' END AS pool, 1 + floor(random() * 6)::integer AS lab, 1 + floor(random() * 4)::integer AS round,
			1 + floor(random() * 5000)::numeric AS amount, random()::numeric AS part
		FROM generate_series(1, 1250) AS chain
	) AS c, LATERAL unnest(CASE
		WHEN chain % 25 < 9 THEN CASE chain % 4 WHEN 0 THEN '{pay,reverse}' ELSE '{pay}' END
		WHEN chain % 25 < 13 THEN '{prepay,hold,capture,release,overdraw}'
		WHEN chain % 25 < 20 THEN CASE chain % 5 WHEN 0 THEN '{exchange,reverse}' ELSE '{exchange}' END
		ELSE CASE chain % 3 WHEN 0 THEN '{transfer,reverse}' ELSE '{transfer}' END END::text[]) WITH ORDINALITY AS w (what, seq);
ALTER TABLE step ADD at timestamptz;
UPDATE step SET at = pg_temp.month(round) + random() * interval '27 days',
	amount = CASE WHEN what IN ('prepay', 'hold', 'capture', 'release', 'overdraw') OR pool = 'jpy' THEN amount ELSE amount + round(part, 2) END;
UPDATE step AS s SET at = o.at + (pg_temp.month(s.round + 1) - o.at) * s.part FROM step AS o WHERE s.what = 'reverse' AND o.n = s.n - 1;
CREATE TEMP TABLE day_rate AS
	SELECT base, quote, at, round((rate * (0.9 + random() / 5))::numeric, 5) AS rate
	FROM (VALUES ('EUR', 'JPY', 163.2), ('EUR', 'KWD', 0.335), ('JPY', 'EUR', 0.00613), ('JPY', 'KWD', 0.00205)) AS r (base, quote, rate),
		generate_series('2024-12-25'::timestamptz, '2025-05-01', '7 days') AS at;

INSERT INTO exchange_rate SELECT base, quote, at, rate, 'test' FROM day_rate;

-- leases, some of which are given back early: known in a later round
CREATE TEMP TABLE rented AS
	SELECT n, CASE WHEN n % 2 = 0 THEN 'eur' ELSE 'jpy' END AS pool, 1 + n % 6 AS lab, 1 + n % 4 AS quantity, starts, starts + (5 + n % 90) * interval '7 hours' AS ends,
		CASE WHEN n % 3 = 0 THEN starts + (1 + n % 5) * interval '5 hours' END AS released, 1 + n % 4 AS round
	FROM (SELECT n, '2025-01-01'::timestamptz + floor(random() * 2500) * interval '1 hour' AS starts FROM generate_series(1, 120) AS n) AS l;
UPDATE rented SET ends = least(ends, '2025-05-01'), round = greatest(round, extract(month FROM starts)::integer);

SELECT cmp_ok((SELECT count(*) FROM fact) + (SELECT count(*) FROM step) + (SELECT count(*) FROM rented WHERE released IS NOT NULL), '>=', 10000::bigint, '10,000 operations');

-- ----------
-- Three times
-- ----------

-- one operation of a world, and how often it was refused
CREATE TEMP TABLE refusal (world integer, n integer);
CREATE FUNCTION pg_temp.do(world integer, s step) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	w text := 'w' || world || ' ';
	pool text := w || s.pool;
	lab text := w || 'lab' || s.lab;
	base text := upper(s.pool);
	quote text := CASE WHEN s.chain % 2 = 0 THEN 'KWD' WHEN s.pool = 'eur' THEN 'JPY' ELSE 'EUR' END;
	id bigint;
BEGIN
	CASE s.what
		WHEN 'pay' THEN RETURN record_payment(pool, lab, s.amount, source => w, source_key => s.n::text, occurred_at => s.at);
		WHEN 'prepay' THEN RETURN record_payment(pool, lab, s.amount, 'prepaid', w, s.n::text, s.at);
		WHEN 'hold' THEN RETURN deposit('hold', pool, lab, s.amount, w, s.n::text, s.at);
		WHEN 'capture' THEN RETURN deposit('capture', pool, lab, 1 + floor(s.amount * s.part / 2), w, s.n::text, s.at);
		WHEN 'release' THEN RETURN deposit('release', pool, lab, 1 + floor(s.amount * s.part / 3), w, s.n::text, s.at);
		WHEN 'overdraw' THEN
			BEGIN
				RETURN deposit(CASE s.chain % 2 WHEN 0 THEN 'hold' ELSE 'capture' END, pool, lab, 100000000, w, s.n::text, s.at);
			-- there never is so much; and when it is tried again, it is too late
			EXCEPTION WHEN SQLSTATE 'SC007' OR SQLSTATE 'SC008' THEN
				INSERT INTO refusal VALUES (world, s.n);
				RETURN NULL;
			END;
		WHEN 'exchange' THEN RETURN exchange(lab, s.amount, base, quote, 'cash', pool, w, s.n::text, s.at);
		WHEN 'transfer' THEN RETURN post_journal('transfer',
				ARRAY[open_account(lab, 'payable', base), open_account(w || 'site1', 'payable', base), open_account(lab, 'receivable', quote), open_account(w || 'site2', 'receivable', quote)],
				ARRAY[s.amount, - s.amount, - 3 * s.amount, 3 * s.amount], NULL, w, s.n::text, s.at);
		WHEN 'reverse' THEN
			SELECT journal_id INTO STRICT id FROM journal WHERE source = w AND source_key = (s.n - 1)::text;
			RETURN reverse_journal(id, s.at);
	END CASE;
END $$;

CREATE TEMP VIEW reported AS
	SELECT x.world, f.n, format('w%s %s', x.world, f.pool) AS pool, format('w%s lab%s', x.world, f.lab) AS consumer, 'w' || x.world || ' site' || f.site AS provider,
		NULL::bigint AS lease_id, f.meter, f.quantity, tstzrange(f.at, f.at, '[]') AS during, f.labels, 'w' || x.world AS source, f.n::text AS source_key
	FROM fact AS f, generate_series(1, 3) AS x (world);
CREATE TEMP TABLE batch AS SELECT pool, consumer, provider, lease_id, meter, quantity, during, labels, source, source_key FROM reported LIMIT 0;
CREATE TEMP TABLE digest (world integer, pool text, round integer, digest bytea);

-- the plan of a world: what comes when, and together with what
CREATE TEMP TABLE plan (world integer, round integer, pos double precision, fact integer, step integer);
INSERT INTO plan
	SELECT 1, round, n, n, NULL FROM fact
	UNION ALL SELECT 1, round, n, NULL, n FROM step
	-- only usage comes at another time
	UNION ALL SELECT 3, other_round, n, n, NULL FROM fact
	UNION ALL SELECT 3, round, n, NULL, n FROM step
	-- in any order, of the steps of a chain in theirs
	UNION ALL SELECT 2, round, random(), n, NULL FROM fact
	UNION ALL
	SELECT 2, s.round, r.pos, NULL, s.n
	FROM (SELECT n, chain, round, row_number() OVER (PARTITION BY chain, round ORDER BY seq) AS k FROM step) AS s
	JOIN (SELECT chain, round, pos, row_number() OVER (PARTITION BY chain, round ORDER BY pos) AS k FROM (SELECT chain, round, random() AS pos FROM step) AS p) AS r USING (chain, round, k);
-- and again: soon, or after a closing or two
INSERT INTO plan
	SELECT 2, r.round, CASE WHEN r.round = p.round THEN p.pos + (1 - p.pos) * random() ELSE random() END, p.fact, p.step
	FROM (SELECT *, random() AS chance FROM plan WHERE world = 2) AS p, LATERAL (SELECT CASE WHEN p.chance < 0.15 THEN p.round ELSE 4 END AS round) AS r
	WHERE p.chance < 0.25;
ALTER TABLE plan ADD bunch integer;
UPDATE plan SET bunch = CASE world WHEN 2 THEN floor(pos * pos * 60) ELSE 0 END;

CREATE FUNCTION pg_temp.finish(world integer, round integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	w text := 'w' || world || ' ';
	during tstzrange := tstzrange(pg_temp.month(round), pg_temp.month(round + 1));
BEGIN
	PERFORM release(l.lease_id, r.released)
	FROM rented AS r JOIN lease AS l ON l.pool_id = pool_id(w || r.pool) AND l.reference = r.n::text
	WHERE r.round = finish.round AND r.released IS NOT NULL ORDER BY CASE world WHEN 2 THEN - r.n ELSE r.n END;
	-- what January cost, it turns out in March
	IF round = 3 THEN
		PERFORM set_rate(w || 'eur', 'token', 0.00099, 'token', valid => '[2025-01-10,2025-01-20)');
	END IF;
	INSERT INTO digest SELECT world, p.pool, finish.round, close_billing_period(w || p.pool, during) FROM pool_terms AS p ORDER BY CASE world WHEN 2 THEN p.price END, p.pool;
	-- I6
	INSERT INTO digest SELECT world, p.pool, finish.round, close_billing_period(w || p.pool, during) FROM pool_terms AS p;
END $$;

CREATE FUNCTION pg_temp.play(world integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	w text := 'w' || world || ' ';
	r record;
	done integer := 1;
BEGIN
	PERFORM create_party(w || name) FROM unnest('{steward,site1,site2,site3,lab1,lab2,lab3,lab4,lab5,lab6}'::text[]) WITH ORDINALITY AS n (name, i) ORDER BY i;
	FOR r IN SELECT * FROM pool_terms ORDER BY pool LOOP
		PERFORM create_pool(w || r.pool, 'compute', 'gpu', w || 'steward', price => r.price, currency => r.currency, fee => 0.1, contributors_share => 0.033333);
		PERFORM invite(w || r.pool, p.name, p.role), accept(w || r.pool, p.name, p.role)
		FROM (SELECT name, CASE WHEN name ~ 'lab' THEN 'consumer' ELSE 'provider' END AS role FROM party WHERE name ~ (w || '(lab|site)') ORDER BY party_id) AS p;
		PERFORM add_supply(w || r.pool, w || 'site1', 300, '[2025-01-01,2025-06-01)'), add_supply(w || r.pool, w || 'site2', 170, '[2025-01-20,)'), add_supply(w || r.pool, w || 'site3', 7, '[2025-02-03,2025-03-05 12:00)');
		PERFORM set_rate(w || r.pool, 'token', r.token, 'token', valid => '(,2025-02-15)'), set_rate(w || r.pool, 'token', r.dearer, 'token', valid => '[2025-02-15,)'),
			set_rate(w || r.pool, 'gib', r.gib, 'GiB', valid => '(,)'), set_rate(w || r.pool, 'gib', r.own, 'GiB', party => w || 'lab1', valid => '(,)'),
			set_rate(w || r.pool, 'call', unit => 'call', model => 'graduated', upto => '{100,500.5,NULL}', unit_price => '{0.3,0.2,0.1}', flat => '{1,0,5}', valid => '(,)');
		INSERT INTO lease (pool_id, consumer_id, quantity, during, reference)
		SELECT pool_id(w || pool), party_id(w || 'lab' || lab), quantity, tstzrange(starts, ends), n::text FROM rented WHERE pool = r.pool ORDER BY n;
	END LOOP;
	FOR r IN
		SELECT round, bunch, array_agg(fact ORDER BY pos) FILTER (WHERE fact IS NOT NULL) AS facts, array_agg(step ORDER BY pos) FILTER (WHERE step IS NOT NULL) AS steps
		FROM plan WHERE plan.world = play.world GROUP BY round, bunch ORDER BY round, bunch
	LOOP
		IF r.round > done THEN
			PERFORM pg_temp.finish(world, done);
			done := r.round;
		END IF;
		CASE world
			WHEN 1 THEN
				PERFORM record_usage(u.pool, u.consumer, u.meter, u.quantity, u.during, u.source, u.source_key, u.provider, u.lease_id, u.labels)
				FROM reported AS u JOIN unnest(r.facts) WITH ORDINALITY AS f (n, i) USING (n) WHERE u.world = play.world ORDER BY f.i;
			WHEN 2 THEN
				DELETE FROM batch;
				INSERT INTO batch SELECT u.pool, u.consumer, u.provider, u.lease_id, u.meter, u.quantity, u.during, u.labels, u.source, u.source_key
				FROM reported AS u JOIN unnest(r.facts) AS f (n) USING (n) WHERE u.world = play.world;
				PERFORM record_usage('batch');
			ELSE
				INSERT INTO usage (pool_id, consumer_id, provider_id, meter, quantity, during, at, labels, source, source_key)
				SELECT pool_id(u.pool), party_id(u.consumer), party_id(u.provider), u.meter, u.quantity, u.during, lower(u.during), u.labels, u.source, u.source_key
				FROM reported AS u WHERE u.world = play.world AND u.n = ANY (r.facts) ORDER BY hashint4(u.n);
		END CASE;
		PERFORM pg_temp.do(world, s) FROM unnest(r.steps) WITH ORDINALITY AS t (n, i) JOIN step AS s USING (n) ORDER BY t.i;
	END LOOP;
	PERFORM pg_temp.finish(world, done);
END $$;

SELECT lives_ok('SELECT pg_temp.play(1)', 'one by one and in order');
SELECT lives_ok('SELECT pg_temp.play(2)', 'in any order, in batches, again and again');
SELECT lives_ok('SELECT pg_temp.play(3)', 'with usage in other billing periods');
SELECT is((SELECT count(*) FROM usage), (SELECT 3 * count(*) FROM fact), 'every fact is recorded once in each');
SELECT is((SELECT count(DISTINCT (world, n)) FROM refusal), (SELECT 3 * count(*) FROM step WHERE what = 'overdraw'), 'no deposit was overdrawn');
SELECT is((SELECT count(DISTINCT (world, pool, round, digest)) FROM digest), 24::bigint, 'a period that is closed twice has one digest');
SELECT is(verify_books(), NULL, 'and all books are right');

-- ----------
-- The same to the last digit: as text, with names for keys
-- ----------

-- nobody has counted these rows yet
SET LOCAL enable_nestloop = off;
CREATE TEMP TABLE billed AS
	SELECT left(l.name, 2) AS world, substr(l.name, 4) AS pool, substr(c.name, 4) AS consumer, h.billed_cost, h.meter,
		concat_ws('|', substr(l.name, 4), b.during, substr(c.name, 4), coalesce(substr(v.name, 4), '-'), coalesce(s.reference, '-'), h.category, h.correction, h.meter, h.component, h.during, h.quantity, h.unit,
			h.list_unit_price, h.contracted_unit_price, h.list_cost, h.contracted_cost, h.effective_cost, h.billed_cost, h.amount, h.commitment_status, h.labels) AS line,
		concat_ws('|', substr(l.name, 4), substr(c.name, 4), coalesce(substr(v.name, 4), '-'), coalesce(s.reference, '-'), h.category, h.meter, h.component, h.unit,
			trim_scale(h.list_unit_price), trim_scale(h.contracted_unit_price), h.commitment_status, h.labels) AS what,
		h.charge_id, h.quantity, h.list_cost, h.contracted_cost, h.effective_cost, date_trunc('month', lower(h.during)) AS month, h.amount, lower(b.during) AS billed_in
	FROM charge AS h
	JOIN pool AS l USING (pool_id)
	JOIN billing_period AS b USING (pool_id, billing_period_id)
	JOIN party AS c ON c.party_id = h.consumer_id
	LEFT JOIN party AS v ON v.party_id = h.provider_id
	LEFT JOIN lease AS s ON s.lease_id = h.lease_id AND s.pool_id = h.pool_id;
CREATE TEMP TABLE posted AS
	SELECT left(y.name, 2) AS world, concat_ws('|', j.kind, j.occurred_at, substr(l.name, 4), substr(y.name, 4), a.kind, a.currency, p.amount, j.description, j.reverses IS NOT NULL, c.line) AS line
	FROM posting AS p
	JOIN journal AS j USING (journal_id)
	JOIN account AS a USING (account_id)
	JOIN party AS y USING (party_id)
	LEFT JOIN pool AS l ON l.pool_id = a.pool_id
	LEFT JOIN billed AS c USING (charge_id);
ANALYZE billed, posted;
-- in what two worlds differ
CREATE FUNCTION pg_temp.unlike(lines text, one text, other text) RETURNS text LANGUAGE sql
RETURN format($$SELECT line, a.n, b.n FROM (SELECT line, count(*) AS n FROM %1$s WHERE world = %2$L GROUP BY 1) AS a
	FULL JOIN (SELECT line, count(*) AS n FROM %1$s WHERE world = %3$L GROUP BY 1) AS b USING (line) WHERE a.n IS DISTINCT FROM b.n ORDER BY line LIMIT 5$$, lines, one, other);
SELECT cmp_ok((SELECT count(*) FROM billed WHERE world = 'w1' AND line ~ '\|t\|'), '>', 500::bigint, 'there are corrections');
SELECT is_empty(pg_temp.unlike('billed', 'w1', 'w2'), 'I5: the same charges, whatever the order, duplication and batching');
SELECT is_empty(pg_temp.unlike('posted', 'w1', 'w2'), 'I5: posted to the same accounts, to the same cents');
CREATE TEMP TABLE standing AS
	SELECT left(b.party, 2) AS world, concat_ws('|', t, substr(b.pool, 4), substr(b.party, 4), b.kind, b.currency, b.balance) AS line
	FROM unnest('{2025-01-01,2025-01-31 23:59:59.999999,2025-02-01,2025-02-14 12:34,2025-03-01,2025-04-01,2025-04-20,infinity}'::timestamptz[]) AS t, balances(at => t) AS b;
SELECT is_empty(pg_temp.unlike('standing', 'w1', 'w2'), 'and the same balances at any time');
CREATE TEMP TABLE stated AS
	SELECT left(p.name, 2) AS world, concat_ws('|', substr(s.pool, 4), substr(s.party, 4), s.account, s.currency, s.at, s.what, s.meter, s.amount, CASE WHEN s.what ~ 'balance' THEN s.balance END) AS line
	FROM party AS p, (SELECT DISTINCT during FROM billing_period OFFSET 0) AS b, statement(p.name, b.during) AS s WHERE p.name ~ '(lab1|site2|steward)';
SELECT is_empty(pg_temp.unlike('stated', 'w1', 'w2'), 'and the same statements');

-- whatever period it comes in, what it is billed for is the same in the end
SELECT is_empty($$SELECT what, month FROM (
		SELECT what, month, world, sum(quantity) AS quantity, sum(list_cost) AS list, sum(contracted_cost) AS contracted, sum(effective_cost) AS effective, sum(billed_cost) AS billed
		FROM billed WHERE world <> 'w2' GROUP BY 1, 2, 3 HAVING sum(quantity) <> 0 OR sum(billed_cost) <> 0) AS s
	GROUP BY 1, 2 HAVING count(*) <> 2 OR count(DISTINCT (quantity, list, contracted, effective, billed)) <> 1$$,
	'I5: and the same exact costs, in whatever billing period usage comes');

-- ----------
-- In plain SQL, from the list of operations
-- ----------

CREATE FUNCTION pg_temp.half_even(amount numeric, scale integer) RETURNS numeric LANGUAGE sql IMMUTABLE
RETURN (SELECT CASE WHEN abs(units - trunc(units)) = 0.5 THEN 2 * round(trunc(units) / 2 + 0.25 * sign(units)) ELSE round(units) END / ('1e' || scale)::numeric
	FROM (SELECT amount * ('1e' || scale)::numeric AS units) AS u);
-- what is known after each round of the months that are over
CREATE FUNCTION pg_temp.due(other boolean) RETURNS TABLE (pool text, lab integer, known integer, cost numeric) LANGUAGE sql AS $$
	WITH metered AS (
		SELECT f.pool, f.lab, k.known, f.month, f.meter, f.site, sum(f.quantity) AS quantity, sum(f.quantity * CASE f.meter
				WHEN 'token' THEN CASE WHEN f.pool = 'eur' AND k.known >= 3 AND f.at >= '2025-01-10' AND f.at < '2025-01-20' THEN 0.00099 WHEN f.at < '2025-02-15' THEN t.token ELSE t.dearer END
				WHEN 'gib' THEN CASE f.lab WHEN 1 THEN t.own ELSE t.gib END ELSE 0 END) AS cost
		FROM generate_series(1, 4) AS k (known)
		JOIN fact AS f ON f.month <= k.known AND CASE WHEN other THEN f.other_round ELSE f.round END <= k.known
		JOIN pool_terms AS t ON t.pool = f.pool
		GROUP BY 1, 2, 3, 4, 5, 6
	)
	SELECT m.pool, m.lab, m.known, sum(m.cost) FROM (
		SELECT m.pool, m.lab, m.known, m.cost + CASE m.meter WHEN 'call' THEN 1 + 0.3 * least(m.quantity, 100)
			+ CASE WHEN m.quantity > 100 THEN 0.2 * (least(m.quantity, 500.5) - 100) ELSE 0 END + CASE WHEN m.quantity > 500.5 THEN 5 + 0.1 * (m.quantity - 500.5) ELSE 0 END ELSE 0 END AS cost
		FROM metered AS m
		UNION ALL
		SELECT r.pool, r.lab, k.known, r.quantity * t.price * greatest(extract(epoch FROM least(CASE WHEN r.round <= k.known THEN coalesce(r.released, r.ends) ELSE r.ends END, pg_temp.month(k.known + 1)) - r.starts) / 3600, 0)
		FROM rented AS r JOIN pool_terms AS t ON t.pool = r.pool, generate_series(1, 4) AS k (known)
	) AS m
	GROUP BY 1, 2, 3 $$;
SELECT is_empty($$SELECT * FROM (SELECT pool, 'lab' || lab AS consumer, cost FROM pg_temp.due(false) WHERE known = 4) AS d
	FULL JOIN (SELECT pool, consumer, sum(billed_cost) AS billed FROM billed WHERE world = 'w1' GROUP BY 1, 2) AS b USING (pool, consumer) WHERE d.cost IS DISTINCT FROM b.billed$$,
	'charges are what plain SQL says, exactly');
CREATE TEMP TABLE invoice AS
	SELECT w.world, d.pool, d.lab, d.known, pg_temp.half_even(d.cost - lag(d.cost, 1, 0::numeric) OVER (PARTITION BY w.world, d.pool, d.lab ORDER BY d.known), t.scale) AS amount
	FROM (VALUES ('w1', false), ('w2', false), ('w3', true)) AS w (world, other), pg_temp.due(w.other) AS d JOIN pool_terms AS t USING (pool);
SELECT is_empty($$SELECT * FROM invoice AS i
	FULL JOIN (SELECT world, pool, right(consumer, 1)::integer AS lab, extract(month FROM billed_in)::integer AS known, sum(amount) AS billed FROM billed GROUP BY 1, 2, 3, 4) AS b USING (world, pool, lab, known)
	WHERE coalesce(i.amount, 0) <> coalesce(b.billed, 0)$$, 'every invoice is the exact difference to what was known before, rounded once');

CREATE TEMP TABLE expected AS
	WITH done AS (
		SELECT s.*, 1 AS sign FROM step AS s WHERE what NOT IN ('reverse', 'overdraw')
		UNION ALL SELECT s.*, -1 FROM step AS s JOIN step AS r ON r.chain = s.chain AND r.seq = s.seq + 1 AND r.what = 'reverse'
	), moved AS (
		SELECT d.*, upper(d.pool) AS base, CASE WHEN d.chain % 2 = 0 THEN 'KWD' WHEN d.pool = 'eur' THEN 'JPY' ELSE 'EUR' END AS quote, 'lab' || d.lab AS party,
			1 + floor(d.amount * d.part / 2) AS captured, 1 + floor(d.amount * d.part / 3) AS released
		FROM done AS d
	), exchanged AS (
		SELECT m.*, m.amount * (SELECT r.rate FROM day_rate AS r WHERE (r.base, r.quote) = (m.base, m.quote) AND r.at <= m.at ORDER BY r.at DESC LIMIT 1) AS exact
		FROM moved AS m
	), leg AS (
		SELECT CASE WHEN m.what <> 'transfer' THEN m.pool END AS pool, v.party, v.kind, v.currency, m.sign * v.amount AS amount
		FROM exchanged AS m, LATERAL (VALUES
			('pay', 'steward', 'cash', base, amount), ('pay', party, 'receivable', base, - amount),
			('prepay', 'steward', 'cash', base, amount), ('prepay', party, 'prepaid', base, - amount),
			('hold', party, 'prepaid', base, amount), ('hold', party, 'held', base, - amount),
			('capture', party, 'held', base, captured), ('capture', party, 'receivable', base, - captured),
			('release', party, 'held', base, released), ('release', party, 'prepaid', base, - released),
			('exchange', party, 'cash', base, amount), ('exchange', party, 'fx', base, - amount), ('exchange', party, 'fx', quote, exact),
			('exchange', party, 'cash', quote, - pg_temp.half_even(exact, CASE quote WHEN 'JPY' THEN 0 WHEN 'EUR' THEN 2 ELSE 3 END)),
			('exchange', party, 'rounding', quote, pg_temp.half_even(exact, CASE quote WHEN 'JPY' THEN 0 WHEN 'EUR' THEN 2 ELSE 3 END) - exact),
			('transfer', party, 'payable', base, amount), ('transfer', 'site1', 'payable', base, - amount),
			('transfer', party, 'receivable', quote, -3 * amount), ('transfer', 'site2', 'receivable', quote, 3 * amount)) AS v (what, party, kind, currency, amount)
		WHERE v.what = m.what
	), closed AS (
		SELECT world, pool, 'lab' || lab AS party, 'receivable' AS kind, upper(pool) AS currency, amount FROM invoice
		UNION ALL SELECT world, pool, 'all', 'earned', upper(pool), - amount FROM invoice
		UNION ALL SELECT 'w' || n, pool, party, kind, currency, amount FROM leg, generate_series(1, 3) AS n
	)
	SELECT world, pool, party, kind, currency, sum(amount) AS amount FROM closed GROUP BY 1, 2, 3, 4, 5;
CREATE TEMP TABLE found AS
	SELECT left(b.party, 2) AS world, substr(b.pool, 4) AS pool, CASE WHEN e.earned THEN 'all' ELSE substr(b.party, 4) END AS party, CASE WHEN e.earned THEN 'earned' ELSE b.kind END AS kind,
		b.currency, sum(b.balance) AS amount
	FROM balances() AS b, LATERAL (SELECT b.pool IS NOT NULL AND b.kind IN ('payable', 'fee', 'contributors') AS earned) AS e
	GROUP BY 1, 2, 3, 4, 5;
SELECT is_empty($$SELECT * FROM expected AS e FULL JOIN found AS f ON (f.world, f.party, f.kind, f.currency) = (e.world, e.party, e.kind, e.currency) AND f.pool IS NOT DISTINCT FROM e.pool
	WHERE coalesce(e.amount, 0) <> coalesce(f.amount, 0)$$, 'every balance is what plain SQL says, exactly');
-- I12
SELECT is_empty($$SELECT j.journal_id, a.currency FROM journal AS j JOIN posting AS p USING (journal_id) JOIN account AS a USING (account_id) GROUP BY 1, 2 HAVING sum(p.amount) <> 0$$,
	'I1, I12: every journal sums to zero in every currency');
SELECT is_empty($$SELECT p.amount FROM posting AS p JOIN account AS a USING (account_id) WHERE a.pool_id IS NOT NULL AND a.kind NOT IN ('fx', 'rounding') AND p.amount <> round(p.amount, currency_scale(a.currency)) $$,
	'I12: parts of the smallest unit are only in accounts of kind fx and rounding');
SELECT is_empty($$SELECT p.amount FROM posting AS p JOIN account AS a USING (account_id) WHERE a.kind = 'rounding' AND abs(p.amount) * ('1e' || currency_scale(a.currency))::numeric > 0.5 $$,
	'I12: and rounding is at most half of it each time');
SELECT cmp_ok((SELECT count(*) FROM posting AS p JOIN account AS a USING (account_id) WHERE a.kind = 'rounding'), '>', 100::bigint, 'which there was');

-- I3
SELECT is_empty($$SELECT c.pool_id, c.charge_id FROM charge AS c
	LEFT JOIN (SELECT p.charge_id, a.pool_id, sum(p.amount) FILTER (WHERE a.kind = 'receivable') AS gross, - sum(p.amount) FILTER (WHERE a.kind = 'payable') AS net, - sum(p.amount) FILTER (WHERE a.kind = 'fee') AS fee,
			- sum(p.amount) FILTER (WHERE a.kind = 'contributors') AS contributors, count(*) FILTER (WHERE a.kind NOT IN ('receivable', 'payable', 'fee', 'contributors')) AS others
		FROM posting AS p JOIN account AS a USING (account_id) WHERE p.charge_id IS NOT NULL GROUP BY 1, 2) AS g USING (charge_id, pool_id)
	WHERE coalesce(g.gross, 0) <> c.amount OR coalesce(g.gross, 0) <> coalesce(g.net, 0) + coalesce(g.fee, 0) + coalesce(g.contributors, 0) OR g.others <> 0$$,
	'I3: of every charge the consumer pays what providers, steward and contributors get');

-- ----------
-- Closed is closed, also for a superuser
-- ----------

SELECT is_empty($$SELECT t, s, public.try(format(s, t)) FROM unnest('{usage,usage_default,usage_key,charge,journal,posting,account_balance,exchange_rate}'::text[]) AS t,
	unnest('{UPDATE %1$s SET recorded_at = recorded_at,DELETE FROM %1$s,TRUNCATE %1$s,TRUNCATE %1$s CASCADE}'::text[]) AS s
	WHERE public.try(format(CASE t WHEN 'usage_key' THEN replace(s, 'recorded_at', 'at') ELSE s END, t)) !~ '^(55000|0A000)'$$,
	'no fact of a closed period can be changed, removed or truncated');
SELECT is_empty($$SELECT s, public.try(s) FROM unnest(ARRAY['DELETE FROM billing_period', 'TRUNCATE billing_period CASCADE', 'UPDATE billing_period SET during = during WHERE closed_at IS NOT NULL',
	'UPDATE billing_period SET closed_at = NULL, digest = NULL', 'DELETE FROM account', 'TRUNCATE account', 'UPDATE account SET kind = kind', 'DELETE FROM pool', 'DELETE FROM party']) AS s WHERE public.try(s) !~ '^(55000|23503|23001)'$$,
	'nor the period, nor what its facts are about');
SELECT results_eq($$SELECT left(public.try(s), 5) FROM unnest(ARRAY[
	$a$SELECT post_journal('transfer', ARRAY[min(account_id), max(account_id)], '{1,-1}', occurred_at => '2025-04-30 23:59:59.999999') FROM account WHERE pool_id = pool_id('w1 eur') AND currency = 'EUR' AND kind = 'receivable'$a$,
	$a$SELECT reverse_journal(journal_id, occurred_at) FROM journal WHERE kind = 'invoice' AND pool_id = pool_id('w1 eur') LIMIT 1$a$,
	$a$INSERT INTO charge OVERRIDING SYSTEM VALUE SELECT (n).* FROM (SELECT jsonb_populate_record(c, '{"charge_id": 1000000000}') AS n FROM charge AS c LIMIT 1) AS c$a$]) AS s$$,
	$$VALUES ('SC008'), ('SC008'), ('SC008')$$, 'and nothing enters it');

-- ----------
-- I10: all that ever happened is taken back, the last first
-- ----------

RESET enable_nestloop;
-- those that there are, are for tables that were empty
DISCARD PLANS;
CREATE TEMP TABLE back AS
	SELECT journal_id FROM journal AS o WHERE reverses IS NULL AND NOT EXISTS (SELECT FROM journal AS r WHERE r.reverses = o.journal_id);
SELECT is((SELECT count(DISTINCT reverse_journal(journal_id, '2025-05-02')) FROM (SELECT * FROM back ORDER BY 1 DESC OFFSET 0) AS b), (SELECT count(*) FROM back), 'all is taken back');
SELECT is_empty('SELECT * FROM balances() WHERE balance <> 0', 'I10: every account is at zero again');
SELECT is(verify_books(), NULL, 'and the books are right');

SELECT * FROM finish();
ROLLBACK;
