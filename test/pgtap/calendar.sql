-- calendar.sql
--		The calendar against an oracle: 3,500 random statements on four pools.
--
-- Every statement is first made on a shadow of table lease that has no
-- calendar. From the rows that differ then, plain SQL over leases and supply
-- says whether it fits and, if not, from when on how much is missing.
-- Then the same statement is made on lease itself, which must say the same.
-- After each batch the calendar must be what the facts add up to.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
\ir ../helpers.sql

SELECT plan(49);

-- ----------
-- Pools: steady never loses supply, so it never has a deficit
-- ----------

CREATE TEMP TABLE setting AS
	SELECT p.name, create_party('steward of ' || p.name) AS party_id, p.capacity, p.digits, p.withdraws
	FROM (VALUES ('steady', 12, 0, false), ('shaky', 8, 0, true), ('fractional', 3, 3, true), ('open', 8, 1, true))
		AS p (name, capacity, digits, withdraws);
SELECT create_pool(name, 'compute', 'gpu', 'steward of ' || name) FROM setting \g /dev/null
SELECT create_party(name) FROM unnest('{provider 0,provider 1,consumer 0,consumer 1,consumer 2}'::text[]) AS name \g /dev/null
SELECT invite(s.name, p.name, split_part(p.name, ' ', 1)), accept(s.name, p.name, split_part(p.name, ' ', 1))
	FROM setting AS s, party AS p WHERE p.name ~ ' \d$' \g /dev/null

-- ----------
-- The shadow: what lease would be if the statement were accepted
-- ----------

CREATE TEMP TABLE shadow (LIKE lease INCLUDING ALL EXCLUDING IDENTITY);
CREATE TEMP SEQUENCE ids START 1000000;
CREATE TEMP TABLE history (op text, accepted boolean, problem text);

-- the first shortage then: more booked than there is, and more than is now
CREATE FUNCTION pg_temp.shortage() RETURNS text LANGUAGE sql AS $$
	WITH difference AS (
		(SELECT s.pool_id, s.lease_id, s.effective, s.quantity FROM shadow AS s
		EXCEPT SELECT l.pool_id, l.lease_id, l.effective, l.quantity FROM lease AS l)
		UNION ALL
		(SELECT l.pool_id, l.lease_id, l.effective, - l.quantity FROM lease AS l
		EXCEPT SELECT s.pool_id, s.lease_id, s.effective, - s.quantity FROM shadow AS s)
	), event AS (
		SELECT d.pool_id, e.at, 0::numeric AS booked, e.delta AS change, 0::numeric AS capacity
		FROM difference AS d, LATERAL (VALUES (lower(d.effective), d.quantity), (upper(d.effective), - d.quantity)) AS e (at, delta)
		WHERE e.at IS NOT NULL
		UNION ALL
		SELECT l.pool_id, e.at, e.delta, 0, 0
		FROM lease AS l, LATERAL (VALUES (lower(l.effective), l.quantity), (upper(l.effective), - l.quantity)) AS e (at, delta)
		WHERE e.at IS NOT NULL AND l.pool_id IN (SELECT d.pool_id FROM difference AS d)
		UNION ALL
		SELECT s.pool_id, e.at, 0, 0, e.delta
		FROM supply AS s, LATERAL (VALUES (lower(s.during), s.quantity), (upper(s.during), - s.quantity)) AS e (at, delta)
		WHERE e.at IS NOT NULL AND s.pool_id IN (SELECT d.pool_id FROM difference AS d)
	), level AS (
		SELECT e.pool_id, e.at, sum(sum(e.booked)) OVER w AS booked, sum(sum(e.change)) OVER w AS change,
			sum(sum(e.capacity)) OVER w AS capacity
		FROM event AS e
		GROUP BY e.pool_id, e.at
		WINDOW w AS (PARTITION BY e.pool_id ORDER BY e.at)
	)
	SELECT format('%s: From %s on, %s gpu more would be needed.', p.name, l.at,
		trim_scale(l.booked + l.change - greatest(l.capacity, l.booked)))
	FROM level AS l
	JOIN pool AS p ON p.pool_id = l.pool_id
	WHERE l.booked + l.change > greatest(l.capacity, l.booked)
	ORDER BY l.pool_id, l.at
	LIMIT 1
$$;

-- likewise, if a provider's supply changed by so much during a period
CREATE FUNCTION pg_temp.overdraft(pool_id bigint, provider_id bigint, quantity numeric, during tstzrange) RETURNS text LANGUAGE sql AS $$
	WITH event AS (
		SELECT e.at, e.delta
		FROM (SELECT s.quantity, s.during
			FROM supply AS s
			WHERE (s.pool_id, s.provider_id) = (overdraft.pool_id, overdraft.provider_id)
			UNION ALL SELECT overdraft.quantity, overdraft.during) AS s,
			LATERAL (VALUES (lower(s.during), s.quantity), (upper(s.during), - s.quantity)) AS e (at, delta)
		WHERE e.at IS NOT NULL
	), level AS (
		SELECT e.at, sum(sum(e.delta)) OVER (ORDER BY e.at) AS supply
		FROM event AS e
		GROUP BY e.at
	)
	SELECT format('From %s on, it would be %s too much.', l.at, trim_scale(- l.supply))
	FROM level AS l
	WHERE l.supply < 0
	ORDER BY l.at
	LIMIT 1
$$;

-- make a statement on the shadow and, or another form of it, on lease
CREATE FUNCTION pg_temp.try(op text, statement text, verb text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	expected text;
	found text;
	detail text;
BEGIN
	BEGIN
		EXECUTE format(statement, 'shadow');
		expected := pg_temp.shortage();
		BEGIN
			EXECUTE coalesce(verb, format(statement, 'lease'));
		EXCEPTION WHEN SQLSTATE 'SC001' THEN
			GET STACKED DIAGNOSTICS found = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			-- who is in the way is for test/sql/sharing.sql to see
			found := substring(found FROM 'pool "(.*)"') || ': ' || regexp_replace(detail, ' Leases? .* (is|are) in the way\.$', '');
			RAISE SQLSTATE 'UNDO1';
		END;
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN NULL;
	END;
	INSERT INTO history
	VALUES (op, found IS NULL,
		CASE WHEN found IS DISTINCT FROM expected
			THEN format('%s: expected %s, found %s', coalesce(verb, statement), coalesce(expected, 'to fit'), coalesce(found, 'fits')) END);
	RETURN found IS NULL;
END $$;

CREATE FUNCTION pg_temp.try_supply(op text, statement text, pool_id bigint, provider_id bigint, quantity numeric, during tstzrange)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	expected text := pg_temp.overdraft(pool_id, provider_id, quantity, during);
	found text;
BEGIN
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN SQLSTATE 'SC002' THEN
		GET STACKED DIAGNOSTICS found = PG_EXCEPTION_DETAIL;
	END;
	INSERT INTO history
	VALUES (op, found IS NULL,
		CASE WHEN found IS DISTINCT FROM expected
			THEN format('%s: expected %s, found %s', statement, coalesce(expected, 'to fit'), coalesce(found, 'fits')) END);
END $$;

-- ----------
-- The workload
-- ----------

CREATE FUNCTION pg_temp.random_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT CASE
		WHEN r.r < 0.01 THEN '4713-01-01 BC'::timestamptz + random() * interval '2 days'
		WHEN r.r < 0.02 THEN '294276-12-01'::timestamptz + random() * interval '20 days'
		WHEN r.r < 0.10 THEN '2026-03-01'::timestamptz + random() * interval '30 days'
		ELSE '2026-03-01'::timestamptz + floor(random() * 30 * 96) * interval '15 min' END
	FROM (SELECT random() AS r) AS r
$$;
CREATE FUNCTION pg_temp.random_period() RETURNS tstzrange LANGUAGE sql VOLATILE AS $$
	SELECT tstzrange(at.at, CASE
		WHEN r.r < 0.03 THEN NULL
		WHEN r.r < 0.06 THEN at.at + interval '1 us'
		WHEN r.r < 0.60 THEN at.at + ceil(random() * 32) * interval '15 min'
		ELSE at.at + ceil(random() * 400) * interval '15 min' END)
	FROM (SELECT random() AS r) AS r, (SELECT pg_temp.random_time() AS at) AS at
$$;
CREATE FUNCTION pg_temp.random_quantity(digits integer) RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT greatest(round((random() * random() * 7)::numeric, digits), 0.1 ^ digits)
$$;
CREATE FUNCTION pg_temp.some_leases(at_most integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(l.lease_id::text, ','), '0')
	FROM (SELECT lease_id FROM lease ORDER BY random(), lease_id LIMIT ceil(random() * at_most)) AS l
$$;

-- One value clause for a lease, in columns (pool_id, lease_id, consumer_id, quantity, during, price, reference)
CREATE FUNCTION pg_temp.lease_values(n integer, pool text DEFAULT NULL) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT string_agg(format('(%s, %s, %s, %s, %L::tstzrange, 0, %L)', p.pool_id, nextval('ids'), c.party_id,
		pg_temp.random_quantity(p.digits), pg_temp.random_period(), CASE WHEN random() < 0.5 THEN 'r' || currval('ids') END), ', ')
	FROM generate_series(1, n) AS i, LATERAL (
		SELECT p.pool_id, s.digits FROM setting AS s JOIN pool AS p USING (name)
		WHERE i = i AND s.name = coalesce(lease_values.pool, s.name) ORDER BY random(), p.pool_id LIMIT 1) AS p, LATERAL (
		SELECT c.party_id FROM party AS c WHERE i = i AND c.name LIKE 'consumer _' ORDER BY random(), c.party_id LIMIT 1) AS c
$$;

CREATE FUNCTION pg_temp.run(n integer, pools text[] DEFAULT '{steady,shaky,fractional,open}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	columns constant text := '(pool_id, lease_id, consumer_id, quantity, during, price, reference)';
	r float8;
	l record;
	p record;
	q numeric;
	during tstzrange;
	at timestamptz;
	ref text;
	id bigint;
BEGIN
	FOR i IN 1 .. n LOOP
		r := random();
		SELECT INTO p pool.pool_id, s.* FROM setting AS s JOIN pool USING (name) WHERE name = ANY (pools) ORDER BY random(), pool_id LIMIT 1;
		SELECT INTO l * FROM lease ORDER BY random(), lease_id LIMIT 1;
		q := pg_temp.random_quantity(p.digits);
		during := pg_temp.random_period();

		IF (SELECT count(*) FROM lease) > 500 THEN
			PERFORM pg_temp.try('delete many', format('DELETE FROM %%1$s WHERE lease_id IN (%s)', pg_temp.some_leases(400)));
		ELSIF r < 0.30 OR l IS NULL THEN
			id := nextval('ids');
			ref := CASE WHEN random() < 0.5 THEN 'r' || id END;
			SELECT INTO l name, party_id FROM party WHERE name LIKE 'consumer _' ORDER BY random(), party_id LIMIT 1;
			IF pg_temp.try('reserve', format('INSERT INTO %%1$s %s VALUES (%s, %s, %s, %s, %L, 0, %L)', columns, p.pool_id, id, l.party_id, q, during, ref),
				format('SELECT reserve(%L, %L, %s, %L, %L)', p.name, l.name, q, during, ref)) THEN
				UPDATE shadow SET lease_id = currval('lease_lease_id_seq') WHERE lease_id = id;
			END IF;
		ELSIF r < 0.41 THEN
			PERFORM pg_temp.try('insert', format('INSERT INTO %%1$s %s OVERRIDING SYSTEM VALUE VALUES %s', columns,
				pg_temp.lease_values(ceil(random() * 6)::integer)));
		ELSIF r < 0.43 THEN
			PERFORM pg_temp.try('insert many', format('INSERT INTO %%1$s %s OVERRIDING SYSTEM VALUE'
				' SELECT %s, %s + i, %s, 0.001, tstzrange(%5$L::timestamptz + i * interval ''11 min'', %5$L::timestamptz + (i + 5) * interval ''11 min''), 0'
				' FROM generate_series(1, %6$s) AS i', replace(columns, ', reference', ''), p.pool_id, nextval('ids'), l.consumer_id, lower(during), ceil(random() * 150)));
			PERFORM setval('ids', currval('ids') + 250);
		ELSIF r < 0.53 THEN
			PERFORM pg_temp.try('update quantity', format('UPDATE %%1$s SET quantity = greatest(round(quantity * %s, 3), 0.001) WHERE lease_id IN (%s)',
				round((random() * 1.7 + 0.3)::numeric, 1), pg_temp.some_leases(5)));
		ELSIF r < 0.62 THEN
			PERFORM pg_temp.try('update period', format('UPDATE %%1$s SET during = tstzrange(lower(during) + %1$L, upper(during) + %1$L), ended_at = ended_at + %1$L WHERE lease_id IN (%2$s)',
				ceil(random() * 200) * interval '15 min', pg_temp.some_leases(4)));
		ELSIF r < 0.67 THEN
			PERFORM pg_temp.try('update pool', format('UPDATE %%1$s SET pool_id = %s, reference = NULL WHERE lease_id IN (%s)', p.pool_id, pg_temp.some_leases(3)));
		ELSIF r < 0.70 THEN
			PERFORM pg_temp.try('update bounds', format('UPDATE %%1$s SET during = tstzrange(lower(during), %s) WHERE lease_id IN (%s)',
				CASE WHEN random() < 0.2 THEN 'NULL' ELSE format('lower(during) + %L', ceil(random() * 50) * interval '15 min') END, pg_temp.some_leases(2)));
		ELSIF r < 0.74 THEN
			PERFORM pg_temp.try('delete', format('DELETE FROM %%1$s WHERE lease_id IN (%s)', pg_temp.some_leases(4)));
		ELSIF r < 0.80 THEN
			SELECT INTO l * FROM lease WHERE ended_at IS NULL ORDER BY random(), lease_id LIMIT 1;
			at := lower(l.during) + CASE WHEN random() < 0.2 THEN 0 ELSE random() END * coalesce(upper(l.during) - lower(l.during) - interval '1 us', interval '9 days');
			PERFORM pg_temp.try('release', format('UPDATE %%1$s SET ended_at = %L, end_reason = ''released'' WHERE lease_id = %s', at, l.lease_id),
				format('SELECT release(%s, %L)', l.lease_id, at));
		ELSIF r < 0.82 THEN
			SELECT INTO l * FROM lease WHERE ended_at IS NULL AND lower(lease.during) > '2000-01-01' ORDER BY random(), lease_id LIMIT 1;
			at := lower(l.during) - ceil(random() * 10) * interval '1 hour';
			PERFORM pg_temp.try('cancel', format('UPDATE %%1$s SET ended_at = %L, end_reason = ''cancelled'' WHERE lease_id = %s', at, l.lease_id),
				format('SELECT cancel(%s, %L)', l.lease_id, at));
		ELSIF r < 0.86 THEN
			PERFORM pg_temp.try('reopen', format('UPDATE %%1$s SET ended_at = NULL, end_reason = NULL WHERE ended_at IS NOT NULL AND lease_id IN'
				' (SELECT lease_id FROM lease WHERE ended_at IS NOT NULL ORDER BY md5(lease_id || %L) LIMIT %s)', i, ceil(random() * 3)));
		ELSIF r < 0.88 THEN
			PERFORM pg_temp.try('insert from itself', format('INSERT INTO %%1$s %s OVERRIDING SYSTEM VALUE'
				' SELECT pool_id, %2$s * bigint ''1000'' + row_number() OVER (ORDER BY lease_id), consumer_id, quantity, tstzrange(lower(during) + %3$L, upper(during) + %3$L), price FROM %%1$s WHERE lease_id IN (%4$s)',
				replace(columns, ', reference', ''), nextval('ids'), random() * interval '5 days', pg_temp.some_leases(3)));
		ELSIF r < 0.91 THEN
			PERFORM pg_temp.try('on conflict', format('INSERT INTO %%1$s AS l %s OVERRIDING SYSTEM VALUE'
				' SELECT v.pool_id, v.lease_id, v.consumer_id, v.quantity, v.during, v.price, CASE WHEN random() < 0 THEN v.reference ELSE coalesce('
				' (SELECT o.reference FROM %%1$s AS o WHERE o.pool_id = v.pool_id AND o.reference IS NOT NULL ORDER BY md5(o.lease_id || v.lease_id::text) LIMIT 1), v.reference) END'
				' FROM (VALUES %s) AS v %1$s'
				' ON CONFLICT (pool_id, reference) DO UPDATE SET quantity = (l.quantity + excluded.quantity) / 2 - mod((l.quantity + excluded.quantity) / 2, 0.001) + 0.001, during = excluded.during',
				columns, pg_temp.lease_values(1, 'steady')));
		ELSIF r < 0.94 THEN
			PERFORM pg_temp.try('merge', format('MERGE INTO %%1$s AS l'
				' USING (VALUES %2$s) AS v %1$s ON l.pool_id = v.pool_id AND mod(l.lease_id, 40) = mod(v.lease_id, 40)'
				' WHEN MATCHED AND mod(l.lease_id, 3) = 0 THEN DELETE'
				' WHEN MATCHED THEN UPDATE SET quantity = greatest(round(l.quantity * 1.2, 1), 1)'
				' WHEN NOT MATCHED THEN INSERT %1$s OVERRIDING SYSTEM VALUE VALUES (v.pool_id, v.lease_id, v.consumer_id, v.quantity, v.during, v.price, NULL)',
				columns, pg_temp.lease_values(1, 'steady')));
		ELSIF r < 0.95 THEN
			PERFORM pg_temp.try('nothing', 'UPDATE %1$s SET quantity = quantity, during = during WHERE mod(lease_id, 3) = 0');
		ELSE
			-- what follows adds to it, and so would fail by itself at the end of time
			CONTINUE WHEN lower(during) > '294000-01-01';
			SELECT INTO l name, party_id FROM party WHERE name LIKE 'provider _' ORDER BY random(), party_id LIMIT 1;
			IF r < 0.98 AND p.withdraws THEN
				q := p.capacity / 2.0 * ceil(random() * 4) / 4;
				during := tstzrange(lower(during), lower(during) + random() * interval '15 days');
				PERFORM pg_temp.try_supply('withdraw_supply', format('SELECT withdraw_supply(%L, %L, %s, %L)', p.name, l.name, q, during),
					p.pool_id, l.party_id, - q, during);
			ELSIF r < 0.99 AND p.withdraws THEN
				SELECT INTO l * FROM supply WHERE pool_id = p.pool_id AND lower(supply.during) > '2000-01-01' ORDER BY random(), supply_id LIMIT 1;
				CONTINUE WHEN l IS NULL;
				PERFORM pg_temp.try_supply('delete supply', format('DELETE FROM supply WHERE supply_id = %s', l.supply_id),
					l.pool_id, l.provider_id, - l.quantity, l.during);
			ELSIF r < 0.992 THEN
				-- many at once, as a schedule has them
				INSERT INTO supply (pool_id, provider_id, quantity, during)
				SELECT p.pool_id, l.party_id, 0.01 * (1 + h % 2), tstzrange(lower(during) + h * interval '13 min', lower(during) + (h + 1) * interval '13 min')
				FROM generate_series(1, 80) AS h;
			ELSE
				PERFORM pg_temp.try_supply('add_supply', format('SELECT add_supply(%L, %L, %s, %L)', p.name, l.name, q, during),
					p.pool_id, l.party_id, q, during);
			END IF;
		END IF;
	END LOOP;
END $$;

-- ----------
-- Ten batches, each from empty tables on, the pages left split
-- ----------

CREATE FUNCTION pg_temp.batch(n integer, pools text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE lease, supply, shadow;
	DELETE FROM history;
	RETURN NEXT is((SELECT count(*) FROM calendar WHERE (capacity, booked, deficit) <> ('{}', '{}', '{}')), 0::bigint,
		'an empty calendar before batch ' || n);
	PERFORM add_supply(s.name, 'provider ' || i, s.capacity / 2.0, '[4713-01-01 BC,)')
	FROM setting AS s, generate_series(0, 1) AS i;
	PERFORM setseed(n / 100.0);
	PERFORM pg_temp.run(350, pools);
	INSERT INTO total
	SELECT count(*), count(*) FILTER (WHERE accepted), (SELECT count(*) FROM calendar),
		(SELECT count(*) FROM calendar WHERE deficit <> '{}')
	FROM history;
	RETURN NEXT is_empty($q$SELECT problem FROM history WHERE problem IS NOT NULL LIMIT 10$q$,
		'what fits is accepted and what does not is refused, with the right reason: batch ' || n);
	RETURN NEXT is_empty('SELECT * FROM check_calendar()', 'and check_calendar() says so: batch ' || n);
	RETURN NEXT is_empty('TABLE pg_temp.calendar_problems', 'the calendar is what the facts add up to: batch ' || n);
END $$;

CREATE TEMP TABLE total (operations bigint, accepted bigint, pages bigint, deficits bigint);
CREATE TEMP VIEW calendar_problems AS SELECT * FROM public.calendar_differences() LIMIT 10;

SELECT pg_temp.batch(1, '{steady,shaky,fractional,open}');
SELECT pg_temp.batch(2, '{steady}');
SELECT pg_temp.batch(3, '{shaky}');
SELECT pg_temp.batch(4, '{fractional}');
SELECT pg_temp.batch(5, '{open}');
SELECT pg_temp.batch(6, '{steady,shaky}');
SELECT pg_temp.batch(7, '{fractional,open}');
SELECT pg_temp.batch(8, '{shaky}');
SELECT pg_temp.batch(9, '{shaky,open}');
SELECT pg_temp.batch(10, '{steady,shaky,fractional,open}');

-- ----------
-- All in all
-- ----------

UPDATE shadow SET refund = lease.refund FROM lease WHERE lease.lease_id = shadow.lease_id AND lease.pool_id = shadow.pool_id;
SELECT is_empty('(SELECT * FROM lease EXCEPT SELECT * FROM shadow) UNION ALL (SELECT * FROM shadow EXCEPT SELECT * FROM lease)',
	'lease is what the accepted statements made of it');
SELECT is_empty($$SELECT * FROM calendar JOIN pool USING (pool_id) WHERE name = 'steady' AND deficit <> '{}'$$,
	'no deficit where supply was never withdrawn');
SELECT cmp_ok((SELECT sum(operations) FROM total), '>=', 3300::numeric, 'enough statements to mean something');
SELECT cmp_ok((SELECT sum(operations - accepted) FROM total), '>=', 400::numeric, 'enough of them refused');
SELECT cmp_ok((SELECT max(pages) FROM total), '>=', 12::bigint, 'pages did split');
SELECT cmp_ok((SELECT sum(deficits) FROM total), '>', 0::numeric, 'there were deficits');

-- an undone split leaves no trace
CREATE TEMP TABLE before AS TABLE calendar;
SAVEPOINT big;
DELETE FROM lease;
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id('steady'), party_id('consumer 0'), 0.001 * (1 + i % 2), tstzrange('2026-03-01'::timestamptz + i * interval '7 min', '2026-03-01'::timestamptz + (i + 1) * interval '7 min')
FROM generate_series(1, 5000) AS i;
SELECT cmp_ok((SELECT count(*) FROM calendar WHERE pool_id = pool_id('steady')), '>=', 70::bigint, 'five thousand leases in one statement make many pages');
SELECT is_empty('TABLE pg_temp.calendar_problems', 'which are right');
ROLLBACK TO big;
SELECT is_empty('(SELECT * FROM calendar EXCEPT SELECT * FROM before) UNION ALL (SELECT * FROM before EXCEPT SELECT * FROM calendar)',
	'rolled back to a savepoint, the calendar is as it was');

SELECT diag(format('%s statements, %s accepted; up to %s pages', sum(operations), sum(accepted), max(pages))) FROM total;
SELECT * FROM finish();
ROLLBACK;
