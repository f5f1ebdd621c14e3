-- quota.sql
--		Trees of pools, quotas, budgets, buffers and overbooking against an
--		oracle: thousands of random statements on five pools and fourteen hours.
--
-- Every statement is first made on a shadow of the tables that has no calendar.
-- What the header of src/admission.c says, hour by hour in plain SQL over the
-- shadow, tells what each node has and takes then, hence whether the statement
-- fits or which node refuses it, from when on and by how much. Then the same
-- statement, or the verb that stands for it, is made on the tables themselves,
-- which must say the same. And availability() must be what can be had.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
-- what is estimated here would have everything compiled
SET LOCAL jit = off;

\if :{?batches}
\else
	\set batches 24
	\set statements 220
\endif
SELECT plan(:batches * 6 + 4);

-- ----------
-- The oracle
-- ----------

CREATE TEMP TABLE pool (LIKE sharecollab.pool INCLUDING ALL EXCLUDING IDENTITY);
CREATE TEMP TABLE supply (LIKE sharecollab.supply INCLUDING ALL EXCLUDING IDENTITY);
CREATE TEMP TABLE lease (LIKE sharecollab.lease INCLUDING ALL EXCLUDING IDENTITY);
CREATE TEMP TABLE quota (LIKE sharecollab.quota INCLUDING ALL EXCLUDING IDENTITY);

-- an hour of the grid: leases begin and end on hours 0 to 12, buffers reach to
-- 14, and what is then stays so
CREATE FUNCTION pg_temp.instant(hour integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
	$$SELECT '2100-01-01 00:00:00+00'::timestamptz + hour * interval '1 hour'$$;
CREATE FUNCTION pg_temp.hour(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE AS
	$$SELECT (extract(epoch FROM at) - 4102444800)::integer / 3600$$;

-- a node at an hour; a budget has one
CREATE TYPE pg_temp.cell AS (pool_id bigint, depth integer, quota_id bigint, is_budget boolean, hour integer, booked numeric, limited numeric);

CREATE FUNCTION pg_temp.state() RETURNS pg_temp.cell[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN (
		WITH hours AS (
			SELECT generate_series(0, 14) AS hour
		), leased AS MATERIALIZED (
			SELECT l.pool_id, l.consumer_id, h.hour, sum(l.quantity) AS quantity
			FROM pg_temp.lease AS l,
			LATERAL generate_series(pg_temp.hour(lower(l.effective)),
				least(coalesce(pg_temp.hour(upper(l.effective)) + extract(hour FROM l.buffer)::integer, 15), 15) - 1) AS h (hour)
			GROUP BY l.pool_id, l.consumer_id, h.hour
		), supplied AS (
			SELECT s.pool_id, h.hour, sum(s.quantity) AS quantity
			FROM pg_temp.supply AS s,
			LATERAL generate_series(pg_temp.hour(lower(s.during)), coalesce(pg_temp.hour(upper(s.during)), 15) - 1) AS h (hour)
			GROUP BY s.pool_id, h.hour
		), limits AS MATERIALIZED (
			SELECT q.pool_id, q.quota_id, h.hour, coalesce(l.quantity, 0) AS booked,
				q.own + coalesce(q.borrow, 1e10) AS limited,
				-- at least what it does not lend
				greatest(q.own - coalesce(q.lend, q.own) - coalesce(l.quantity, 0), 0) AS kept
			FROM pg_temp.quota AS q
			CROSS JOIN LATERAL generate_series(pg_temp.hour(lower(q.during)), coalesce(pg_temp.hour(upper(q.during)), 15) - 1) AS h (hour)
			LEFT JOIN leased AS l ON l.pool_id = q.pool_id AND l.consumer_id = q.party_id AND l.hour = h.hour
			WHERE q.own IS NOT NULL
		), base AS MATERIALIZED (
			SELECT p.pool_id, p.parent_id, p.lend, p.overbooking, h.hour,
				CASE WHEN p.parent_id IS NULL THEN 0 ELSE coalesce(p.borrow, 1e10) END AS borrow,
				(p.parent_id IS NOT NULL)::integer + (pp.parent_id IS NOT NULL)::integer AS depth,
				coalesce(s.quantity, 0) AS capacity,
				coalesce((SELECT sum(l.quantity) FROM leased AS l WHERE l.pool_id = p.pool_id AND l.hour = h.hour), 0)
				+ coalesce((SELECT sum(q.kept) FROM limits AS q WHERE q.pool_id = p.pool_id AND q.hour = h.hour), 0) AS booked
			FROM pg_temp.pool AS p
			CROSS JOIN hours AS h
			LEFT JOIN pg_temp.pool AS pp ON pp.pool_id = p.parent_id
			LEFT JOIN supplied AS s ON s.pool_id = p.pool_id AND s.hour = h.hour
		), grandchild AS MATERIALIZED (
			SELECT * FROM base WHERE depth = 2
		), child AS MATERIALIZED (
			SELECT b.pool_id, b.parent_id, b.lend, b.overbooking, b.hour, b.borrow, b.depth,
				b.capacity + coalesce(c.given, 0) AS capacity, b.booked + coalesce(c.taken, 0) AS booked
			FROM base AS b
			LEFT JOIN (
				SELECT g.parent_id, g.hour, sum(least(g.capacity, g.lend)) AS given,
					sum(least(greatest(g.booked - (g.capacity - least(g.capacity, g.lend)), 0), least(g.capacity, g.lend) + g.borrow)) AS taken
				FROM grandchild AS g
				GROUP BY g.parent_id, g.hour
			) AS c ON c.parent_id = b.pool_id AND c.hour = b.hour
			WHERE b.depth = 1
		), root AS (
			SELECT b.pool_id, b.parent_id, b.lend, b.overbooking, b.hour, b.borrow, b.depth,
				b.capacity + coalesce(c.given, 0) AS capacity, b.booked + coalesce(c.taken, 0) AS booked
			FROM base AS b
			LEFT JOIN (
				SELECT g.parent_id, g.hour, sum(least(g.capacity, g.lend)) AS given,
					sum(least(greatest(g.booked - (g.capacity - least(g.capacity, g.lend)), 0), least(g.capacity, g.lend) + g.borrow)) AS taken
				FROM child AS g
				GROUP BY g.parent_id, g.hour
			) AS c ON c.parent_id = b.pool_id AND c.hour = b.hour
			WHERE b.depth = 0
		), node AS (
			SELECT n.pool_id, n.depth, 0::bigint, false, n.hour, n.booked, n.capacity * n.overbooking + n.borrow
			FROM (TABLE grandchild UNION ALL TABLE child UNION ALL TABLE root) AS n
			UNION ALL
			SELECT q.pool_id, p.depth, q.quota_id, false, q.hour, q.booked, q.limited
			FROM limits AS q
			JOIN base AS p ON p.pool_id = q.pool_id AND p.hour = 0
			UNION ALL
			SELECT q.pool_id, p.depth, q.quota_id, true, pg_temp.hour(lower(q.during)), coalesce((
				SELECT sum(l.quantity * (least(coalesce(pg_temp.hour(upper(l.effective)), 99), pg_temp.hour(upper(q.during)))
					- greatest(pg_temp.hour(lower(l.effective)), pg_temp.hour(lower(q.during)))))
				FROM pg_temp.lease AS l
				WHERE l.pool_id = q.pool_id AND l.consumer_id = q.party_id AND l.effective && q.during), 0), q.budget
			FROM pg_temp.quota AS q
			JOIN base AS p ON p.pool_id = q.pool_id AND p.hour = 0
			WHERE q.budget IS NOT NULL
		)
		SELECT array_agg(ROW(node.*)::pg_temp.cell) FROM node);
END $$;

-- How a statement on leases or quotas is refused that leads from one state to
-- another. Leases of several consumers may break several quotas of a pool: any
-- of them is right, but it is theirs that is named, and the deepest pool's.
CREATE FUNCTION pg_temp.refusals(before pg_temp.cell[], after pg_temp.cell[]) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN (
		WITH broken AS (
			SELECT a.pool_id, a.depth, a.quota_id, a.is_budget, a.hour, a.booked - greatest(a.limited, b.booked) AS missing,
				dense_rank() OVER (ORDER BY a.depth DESC, a.pool_id, a.quota_id = 0) AS rank,
				row_number() OVER (PARTITION BY a.pool_id, a.quota_id ORDER BY a.hour) AS n
			FROM unnest(after) AS a
			JOIN unnest(before) AS b ON b.pool_id = a.pool_id AND b.quota_id = a.quota_id AND b.hour = a.hour
			WHERE a.booked > a.limited AND a.booked > b.booked
		)
		SELECT array_agg(CASE
			WHEN b.is_budget THEN format('SC006 budget of party "%s" in pool "%s" exceeded: For the time from %s on, %s gpu hours', c.name, p.name, pg_temp.instant(b.hour), trim_scale(b.missing))
			WHEN b.quota_id > 0 THEN format('SC006 quota of party "%s" in pool "%s" exceeded: From %s on, %s gpu', c.name, p.name, pg_temp.instant(b.hour), trim_scale(b.missing))
			ELSE format('SC001 not enough capacity in pool "%s": From %s on, %s gpu', p.name, pg_temp.instant(b.hour), trim_scale(b.missing)) END)
		FROM broken AS b
		JOIN pg_temp.pool AS p ON p.pool_id = b.pool_id
		LEFT JOIN pg_temp.quota AS q ON q.quota_id = b.quota_id
		LEFT JOIN party AS c ON c.party_id = q.party_id
		WHERE b.rank = 1 AND b.n = 1);
END $$;

-- ----------
-- One statement, on the shadow and on the tables
-- ----------

CREATE TEMP TABLE history (op text, accepted boolean, refusal text, problem text);

-- %1$s is the schema; a verb may stand for the statement
CREATE FUNCTION pg_temp.try(op text, kind text, statement text, verb text, INOUT state pg_temp.cell[], OUT accepted boolean) LANGUAGE plpgsql AS $$
DECLARE
	after pg_temp.cell[];
	expected text[];
	found text;
	message text;
	detail text;
BEGIN
	accepted := true;
	BEGIN
		EXECUTE format(statement, 'pg_temp.');
		after := pg_temp.state();
		IF kind = 'lease' THEN
			expected := pg_temp.refusals(state, after);
		ELSIF kind = 'quota' THEN
			IF EXISTS (SELECT FROM pg_temp.quota AS a JOIN pg_temp.quota AS b ON a.pool_id = b.pool_id AND a.party_id = b.party_id AND a.quota_id < b.quota_id
					AND a.during && b.during AND a.own IS NOT NULL AND b.own IS NOT NULL) THEN
				expected := '{23P01}';
			ELSE
				-- what is booked in a quota stays, whatever the quota comes to be
				expected := pg_temp.refusals(state, ARRAY(SELECT a FROM unnest(after) AS a WHERE a.quota_id = 0));
			END IF;
		ELSIF kind = 'supply' THEN
			IF EXISTS (SELECT FROM pg_temp.supply AS s, LATERAL generate_series(pg_temp.hour(lower(s.during)), coalesce(pg_temp.hour(upper(s.during)), 15) - 1) AS h (hour)
					GROUP BY s.pool_id, s.provider_id, h.hour HAVING sum(s.quantity) < 0) THEN
				expected := '{SC002}';
			END IF;
		END IF;
		BEGIN
			EXECUTE coalesce(verb, format(statement, 'sharecollab.'));
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			found := CASE WHEN SQLSTATE IN ('SC002', '23P01') THEN SQLSTATE
				ELSE format('%s %s: %s', SQLSTATE, message, split_part(detail, ' more would', 1)) END;
			RAISE SQLSTATE 'UNDO1';
		END;
		state := after;
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		accepted := false;
	END;
	found := replace(found, ' hours hours', ' hours');
	INSERT INTO history VALUES (op, accepted, found,
		CASE WHEN (found IS NULL AND expected IS NOT NULL) OR (found IS NOT NULL AND (expected IS NULL OR found <> ALL (expected)))
			THEN format('%s: expected %s, found %s', coalesce(verb, format(statement, '')), coalesce(expected::text, 'to fit'), coalesce(found, 'fits')) END);
END $$;

-- ----------
-- availability() is the largest quantity that is accepted at that instant
-- ----------

CREATE FUNCTION pg_temp.fits(pool_id bigint, consumer_id bigint, quantity numeric, hour integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	message text;
BEGIN
	INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during)
	VALUES (fits.pool_id, fits.consumer_id, fits.quantity, tstzrange(pg_temp.instant(fits.hour), CASE WHEN fits.hour < 14 THEN pg_temp.instant(fits.hour + 1) END));
	RAISE SQLSTATE 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN true;
WHEN SQLSTATE 'SC001' OR SQLSTATE 'SC006' THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	-- it does not look at budgets
	RETURN CASE WHEN message NOT LIKE 'budget%' THEN false END;
END $$;

CREATE FUNCTION pg_temp.try_availability(pool text, consumer text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	free profile := availability(try_availability.pool, '[2100-01-01,)', try_availability.consumer);
	hour integer := floor(random() * 15);
	quantity numeric := value_at(free, pg_temp.instant(hour));
BEGIN
	INSERT INTO history
	SELECT 'availability', true, NULL, format('availability(%s, %s) at %s is %s, but %s', pool, consumer, pg_temp.instant(hour), quantity, why)
	FROM (SELECT CASE WHEN quantity > 0 AND NOT pg_temp.fits(pool_id(pool), party_id(consumer), quantity, hour) THEN 'it is refused'
		WHEN pg_temp.fits(pool_id(pool), party_id(consumer), quantity + 0.000001, hour) THEN 'there is more' END AS why) AS w
	WHERE why IS NOT NULL;
END $$;

-- without some leases it is what it is when they are gone; with a load, when that is leased
CREATE FUNCTION pg_temp.try_what_if(pool text, consumer text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	gone bigint[] := ARRAY(SELECT l.lease_id FROM pg_temp.lease AS l WHERE l.pool_id = pool_id(pool) AND random() < 0.4);
	expected profile[];
	found profile[];
BEGIN
	IF random() < 0.3 THEN
		-- holds that have expired, in place of leases that are thought away
		UPDATE sharecollab.lease SET held_until = '2020-01-01' WHERE lease_id = ANY (gone) AND ended_at IS NULL;
		found := ARRAY[availability(pool), availability(pool, consumer => consumer)];
		PERFORM expire_holds();
		expected := ARRAY[availability(pool), availability(pool, consumer => consumer)];
	ELSE
		found := ARRAY[availability(pool, without => gone), availability(pool, consumer => consumer, without => gone)];
		DELETE FROM sharecollab.lease WHERE lease_id = ANY (gone);
		expected := ARRAY[availability(pool), availability(pool, consumer => consumer)];
	END IF;
	RAISE SQLSTATE 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	IF found <> expected THEN
		INSERT INTO history VALUES ('what if', true, NULL, format('availability(%s, %s) without %s: expected %s, found %s', pool, consumer, gone, expected, found));
	END IF;
END $$;

-- ----------
-- The workload
-- ----------

CREATE FUNCTION pg_temp.random_period(open float8 DEFAULT 0.05) RETURNS tstzrange LANGUAGE sql VOLATILE AS $$
	SELECT tstzrange(pg_temp.instant(s.s), CASE WHEN random() >= open THEN pg_temp.instant(least(s.s + ceil(random() * random() * 12)::integer, 12)) END)
	FROM (SELECT floor(random() * 12)::integer AS s) AS s
$$;
CREATE FUNCTION pg_temp.random_quantity() RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT greatest(round((random() * random() * 12)::numeric * 2) / 2, 0.5)
$$;
CREATE FUNCTION pg_temp.some_leases(at_most integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(l.lease_id::text, ','), '0')
	FROM (SELECT lease_id FROM pg_temp.lease ORDER BY random(), lease_id LIMIT ceil(random() * at_most)) AS l
$$;
CREATE FUNCTION pg_temp.lease_rows(n integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT string_agg(format('(%s, %s, %s, %s, %L::tstzrange, %L::interval)', (p.ids)[ceil(random() * cardinality(p.ids))], (SELECT last_value FROM lease_lease_id_seq) + 1000000 + i,
		(c.ids)[ceil(random() * cardinality(c.ids))], pg_temp.random_quantity(), pg_temp.random_period(), CASE WHEN random() < 0.2 THEN '1 hour' ELSE '0' END), ', ')
	FROM generate_series(1, n) AS i,
		(SELECT array_agg(pool_id) AS ids FROM pg_temp.pool) AS p,
		(SELECT array_agg(party_id) AS ids FROM party WHERE name LIKE 'consumer %') AS c
$$;
-- a number or, as often as is said, NULL
CREATE FUNCTION pg_temp.maybe(fraction float8, top integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < fraction THEN floor(random() * (top + 1))::text ELSE 'NULL' END
$$;

-- many pages, whose edges are where nothing else is
CREATE FUNCTION pg_temp.split_pages(pool_id bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO sharecollab.supply (pool_id, provider_id, quantity, during)
	SELECT split_pages.pool_id, 2, 0.001 * (1 + i % 2), tstzrange(pg_temp.instant(0) + i * interval '2 min', pg_temp.instant(0) + (i + 1) * interval '2 min')
	FROM generate_series(0, 359) AS i;
	DELETE FROM sharecollab.supply WHERE quantity BETWEEN 0 AND 0.01
$$;

CREATE FUNCTION pg_temp.run(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	columns constant text := '(pool_id, lease_id, consumer_id, quantity, during, buffer)';
	state pg_temp.cell[] := pg_temp.state();
	r float8;
	i integer := 0;
	p record;
	c record;
	l record;
	q record;
	quantity numeric;
	during tstzrange;
	hour integer;
	id bigint;
	statement text;
	verb text;
	op text;
	kind text;
BEGIN
	WHILE i < n LOOP
		i := i + 1;
		r := random();
		SELECT * INTO p FROM pg_temp.pool ORDER BY random(), pool_id LIMIT 1;
		SELECT party_id, name INTO c FROM party WHERE name LIKE 'consumer %' ORDER BY random(), party_id LIMIT 1;
		SELECT x.* INTO l FROM pg_temp.lease AS x WHERE ended_at IS NULL ORDER BY random(), lease_id LIMIT 1;
		SELECT * INTO q FROM pg_temp.quota ORDER BY random(), quota_id LIMIT 1;
		quantity := pg_temp.random_quantity();
		during := pg_temp.random_period();
		IF i % 30 = 0 THEN
			PERFORM pg_temp.split_pages(p.pool_id);
		END IF;
		id := (SELECT last_value + is_called::integer FROM lease_lease_id_seq);
		verb := NULL;
		kind := 'lease';

		IF r < 0.35 OR l IS NULL THEN
			op := 'reserve';
			statement := format('INSERT INTO %%1$slease (pool_id, lease_id, consumer_id, quantity, during, buffer, price) VALUES (%s, %s, %s, %s, %L, %L, 0)',
				p.pool_id, id, c.party_id, quantity, during, p.buffer);
			verb := format('SELECT reserve(%L, %L, %s, %L)', p.name, c.name, quantity, during);
			IF r < 0.06 THEN
				op := 'reserve_bundle';
				SELECT * INTO q FROM pg_temp.pool ORDER BY random(), pool_id LIMIT 1;
				statement := format('INSERT INTO %%1$slease (pool_id, lease_id, consumer_id, quantity, during, buffer, price) VALUES (%s, %s, %s, %s, %L, %L, 0), (%s, %s, %s, 1, %L, %L, 0)',
					p.pool_id, id, c.party_id, quantity, during, p.buffer, q.pool_id, id + 1, c.party_id, during, q.buffer);
				verb := format('SELECT reserve_bundle(ARRAY[%L, %L], %L, ARRAY[%s, 1], ARRAY[%L::tstzrange])', p.name, q.name, c.name, quantity, during);
			END IF;
		ELSIF r < 0.40 THEN
			op := 'insert';
			statement := format('INSERT INTO %%1$slease %s OVERRIDING SYSTEM VALUE VALUES %s', columns, pg_temp.lease_rows(ceil(random() * 4)::integer));
			PERFORM setval('lease_lease_id_seq', id + 10);
			statement := replace(statement, (id + 1000000)::text, id::text);
		ELSIF r < 0.46 THEN
			op := 'update';
			statement := format('UPDATE %%1$slease SET %s WHERE lease_id IN (%s)', CASE floor(random() * 5)::integer
				WHEN 0 THEN format('quantity = %s', quantity)
				WHEN 1 THEN format('during = %L, ended_at = NULL, end_reason = NULL', during)
				WHEN 2 THEN format('pool_id = %s', p.pool_id)
				WHEN 3 THEN format('consumer_id = %s', c.party_id)
				ELSE format('buffer = %L', floor(random() * 3) * interval '1 hour') END, pg_temp.some_leases(3));
		ELSIF r < 0.50 THEN
			op := 'delete';
			statement := format('DELETE FROM %%1$slease WHERE lease_id IN (%s)', pg_temp.some_leases(4));
		ELSIF r < 0.60 THEN
			-- before it begins, or once it has
			hour := pg_temp.hour(lower(l.during)) + CASE WHEN random() < 0.4 THEN 0 ELSE 1 END;
			IF random() < 0.5 THEN
				quantity := greatest(l.quantity + CASE WHEN random() < 0.5 THEN -0.5 ELSE 0.5 END, 0.5);
			END IF;
			IF random() < 0.4 THEN
				during := l.during;
			END IF;
			IF pg_temp.hour(lower(l.during)) < hour AND (hour >= coalesce(pg_temp.hour(upper(l.during)), 15) OR hour >= coalesce(pg_temp.hour(upper(during)), 15)) THEN
				hour := pg_temp.hour(lower(l.during));
				during := tstzrange(lower(l.during), upper(l.during));
			ELSIF pg_temp.hour(lower(l.during)) <= hour THEN
				during := tstzrange(lower(l.during), CASE WHEN upper(during) > pg_temp.instant(hour) THEN upper(during) END);
			END IF;
			op := 'amend';
			statement := format('UPDATE %%1$slease SET quantity = %s, during = %L WHERE lease_id = %s', quantity, during, l.lease_id);
			IF hour > pg_temp.hour(lower(l.during)) AND quantity <> l.quantity THEN
				op := 'amend later';
				statement := format('UPDATE %%1$slease SET ended_at = %L, end_reason = ''amended'', buffer = ''0'', refund = 1 WHERE lease_id = %s;'
					' INSERT INTO %%1$slease (pool_id, lease_id, consumer_id, quantity, during, buffer, price, preemptible) VALUES (%s, %s, %s, %s, %L, %L, %L, %L)',
					pg_temp.instant(hour), l.lease_id, l.pool_id, id, l.consumer_id, quantity, tstzrange(pg_temp.instant(hour), upper(during)), l.buffer, l.price, l.preemptible);
			END IF;
			verb := format('SELECT amend(%s, %s, %L, %L)', l.lease_id, quantity, during, pg_temp.instant(hour));
		ELSIF r < 0.66 THEN
			hour := pg_temp.hour(lower(l.during));
			IF random() < 0.5 THEN
				op := 'cancel';
				hour := hour - 1;
			ELSE
				op := CASE WHEN random() < 0.6 THEN 'release' ELSE 'reclaim' END;
				hour := least(hour + floor(random() * 3)::integer, coalesce(pg_temp.hour(upper(l.during)) - 1, 12));
			END IF;
			IF op = 'reclaim' THEN
				UPDATE sharecollab.lease SET preemptible = true WHERE lease_id = l.lease_id;
				UPDATE pg_temp.lease SET preemptible = true WHERE lease_id = l.lease_id;
			END IF;
			statement := format('UPDATE %%1$slease SET ended_at = %L, end_reason = %L, refund = 1 WHERE lease_id = %s',
				pg_temp.instant(hour), CASE op WHEN 'cancel' THEN 'cancelled' ELSE op || CASE op WHEN 'release' THEN 'd' ELSE 'ed' END END, l.lease_id);
			verb := format('SELECT %s(%s, %L)', op, l.lease_id, pg_temp.instant(hour));
		ELSIF r < 0.80 THEN
			kind := 'supply';
			SELECT party_id, name INTO c FROM party WHERE name LIKE 'provider %' ORDER BY random(), party_id LIMIT 1;
			id := (SELECT last_value + is_called::integer FROM supply_supply_id_seq);
			IF r < 0.74 THEN
				op := CASE WHEN random() < 0.55 THEN 'add_supply' ELSE 'withdraw_supply' END;
				statement := format('INSERT INTO %%1$ssupply (pool_id, supply_id, provider_id, quantity, during) VALUES (%s, %s, %s, %s, %L)',
					p.pool_id, id, c.party_id, CASE op WHEN 'add_supply' THEN quantity ELSE - quantity END, during);
				verb := format('SELECT %s(%L, %L, %s, %L)', op, p.name, c.name, quantity, during);
			ELSE
				SELECT x.* INTO l FROM pg_temp.supply AS x ORDER BY random(), supply_id LIMIT 1;
				CONTINUE WHEN l IS NULL;
				op := CASE WHEN r < 0.77 THEN 'delete supply' ELSE 'update supply' END;
				statement := format(CASE WHEN r < 0.77 THEN 'DELETE FROM %%1$ssupply WHERE supply_id IN (%s, %s)'
					ELSE format('UPDATE %%%%1$ssupply SET quantity = quantity + 1, pool_id = %s WHERE supply_id IN (%%s, %%s) AND quantity <> -1', p.pool_id) END,
					l.supply_id, l.supply_id + floor(random() * 3));
			END IF;
		ELSIF r < 0.92 THEN
			kind := 'quota';
			id := (SELECT last_value + is_called::integer FROM quota_quota_id_seq);
			during := pg_temp.random_period(0.2);
			IF r < 0.86 AND (SELECT count(*) FROM pg_temp.quota) < 9 THEN
				op := 'set_quota';
				IF random() < 0.3 THEN
					during := tstzrange(lower(during), coalesce(upper(during), pg_temp.instant(12)));
					statement := format('INSERT INTO %%1$squota (pool_id, quota_id, party_id, during, budget) VALUES (%s, %s, %s, %L, %s)',
						p.pool_id, id, c.party_id, during, floor(random() * 40));
					verb := regexp_replace(statement, '.*, ', '');
					verb := format('SELECT set_quota(%L, %L, %L, budget => %s)', p.name, c.name, during, rtrim(verb, ')'));
				ELSE
					verb := format('%s, %s, %s', floor(random() * 7), pg_temp.maybe(0.7, 5), pg_temp.maybe(0.5, 5));
					statement := format('INSERT INTO %%1$squota (pool_id, quota_id, party_id, during, own, borrow, lend) VALUES (%s, %s, %s, %L, %s)',
						p.pool_id, id, c.party_id, during, verb);
					verb := format('SELECT set_quota(%L, %L, %L, %s)', p.name, c.name, during, verb);
				END IF;
			ELSIF q IS NULL THEN
				CONTINUE;
			ELSIF r < 0.89 THEN
				op := 'update quota';
				statement := format('UPDATE %%1$squota SET %s WHERE quota_id IN (%s, %s) AND own IS %s NULL', CASE
					WHEN q.own IS NULL THEN format('budget = %s', floor(random() * 40))
					WHEN random() < 0.6 THEN format('own = %s, borrow = %s, lend = %s', floor(random() * 7), pg_temp.maybe(0.7, 5), pg_temp.maybe(0.5, 5))
					WHEN random() < 0.5 THEN format('during = %L', during)
					WHEN random() < 0.5 THEN format('party_id = %s', c.party_id)
					ELSE format('pool_id = %s', p.pool_id) END, q.quota_id, q.quota_id + floor(random() * 3), CASE WHEN q.own IS NULL THEN '' ELSE 'NOT' END);
			ELSE
				op := 'delete quota';
				statement := format('DELETE FROM %%1$squota WHERE quota_id IN (%s, %s)', q.quota_id, q.quota_id + floor(random() * 3));
			END IF;
		ELSIF r < 0.985 THEN
			kind := 'pool';
			op := 'update pool';
			-- in the order of their ids, so that there are no circles; three levels
			SELECT * INTO q FROM pg_temp.pool AS x WHERE x.pool_id < p.pool_id
				AND NOT EXISTS (SELECT FROM pg_temp.pool AS a JOIN pg_temp.pool AS b ON b.pool_id = a.parent_id WHERE a.pool_id = x.pool_id AND b.parent_id IS NOT NULL)
				AND (x.parent_id IS NULL OR NOT EXISTS (SELECT FROM pg_temp.pool AS a WHERE a.parent_id = p.pool_id))
				AND NOT EXISTS (SELECT FROM pg_temp.pool AS a JOIN pg_temp.pool AS b ON b.parent_id = a.pool_id WHERE a.parent_id = p.pool_id)
				ORDER BY random(), pool_id LIMIT 1;
			statement := format('UPDATE %%1$spool SET %s WHERE pool_id = %s', CASE floor(random() * 5)::integer
				WHEN 0 THEN format('lend = %s', pg_temp.maybe(0.6, 8))
				WHEN 1 THEN format('borrow = %s', pg_temp.maybe(0.6, 8))
				WHEN 2 THEN format('overbooking = %s', (ARRAY[1, 1, 1.25, 1.5, 0.8])[ceil(random() * 5)])
				WHEN 3 THEN format('buffer = %L', CASE WHEN random() < 0.4 THEN '1 hour' ELSE '0' END)
				ELSE format('parent_id = %s', CASE WHEN random() < 0.8 AND q IS NOT NULL THEN q.pool_id::text ELSE 'NULL' END) END, p.pool_id);
		ELSIF r < 0.99 THEN
			op := 'truncate';
			kind := (ARRAY['supply', 'pool', 'pool'])[ceil(random() * 3)];
			statement := format('TRUNCATE %%1$s%s', CASE kind WHEN 'supply' THEN 'supply' ELSE (ARRAY['lease', 'quota'])[ceil(random() * 2)] END);
		ELSE
			-- so that there is something to lease again
			op := 'supply of all';
			kind := 'supply';
			id := (SELECT last_value + is_called::integer FROM supply_supply_id_seq);
			PERFORM setval('supply_supply_id_seq', id + 10);
			statement := format('INSERT INTO %%1$ssupply (pool_id, supply_id, provider_id, quantity, during) OVERRIDING SYSTEM VALUE'
				' SELECT pool_id, %s + row_number() OVER (ORDER BY pool_id), %s, 3, %L FROM %%1$spool', id, (SELECT party_id FROM party WHERE name = 'provider 0'),
				tstzrange(pg_temp.instant(0), pg_temp.instant(12)));
		END IF;
		SELECT t.state INTO state FROM pg_temp.try(op, kind, statement, verb, state) AS t;
		IF i % 4 = 0 THEN
			PERFORM pg_temp.try_availability(p.name, 'consumer ' || floor(random() * 3));
		END IF;
		IF i % 10 = 0 THEN
			PERFORM pg_temp.try_what_if(p.name, 'consumer ' || floor(random() * 3));
		END IF;
	END LOOP;
END $$;

-- ----------
-- Batches, each on fresh tables, from another tree
-- ----------

CREATE TEMP TABLE total (op text, statements bigint, accepted bigint, refusals text[], deficits bigint, pages bigint);

-- the calendar without its pages
CREATE TEMP VIEW nodes AS
	SELECT c.pool_id, c.quota_id, sum(c.capacity) AS capacity, sum(c.allowance) AS allowance, sum(c.booked) AS booked, sum(c.deficit) AS deficit
	FROM calendar AS c
	GROUP BY c.pool_id, c.quota_id;

CREATE FUNCTION pg_temp.batch(n integer, statements integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before pg_temp.nodes[];
BEGIN
	TRUNCATE party RESTART IDENTITY CASCADE;
	TRUNCATE pg_temp.pool, pg_temp.supply, pg_temp.lease, pg_temp.quota, history;
	PERFORM setseed(n / 1000.0);
	PERFORM create_party(name) FROM unnest('{steward,provider 0,provider 1,consumer 0,consumer 1,consumer 2}'::text[]) AS name;
	PERFORM create_pool('pool ' || i, 'compute', 'gpu', 'steward') FROM generate_series(1, 5) AS i;
	INSERT INTO membership (pool_id, party_id, role, accepted_at)
	SELECT p.pool_id, c.party_id, split_part(c.name, ' ', 1), now() FROM sharecollab.pool AS p, party AS c WHERE c.name LIKE '% _';
	UPDATE sharecollab.pool SET parent_id = (ARRAY[NULL, 1, 1, 2, NULL])[pool_id], lend = (ARRAY[NULL, NULL, 3, 2, NULL])[pool_id] WHERE n % 3 > 0;
	UPDATE sharecollab.pool SET overbooking = 1.5 WHERE pool_id = 1 + n % 5;
	PERFORM add_supply('pool ' || i, 'provider ' || i % 2, 6, '[2100-01-01,)') FROM generate_series(1, 5) AS i;
	INSERT INTO pg_temp.pool SELECT * FROM sharecollab.pool;
	INSERT INTO pg_temp.supply SELECT * FROM sharecollab.supply;

	PERFORM pg_temp.split_pages(pool_id) FROM pg_temp.pool;
	PERFORM pg_temp.run(statements);

	INSERT INTO total
	SELECT h.op, count(*), count(*) FILTER (WHERE h.accepted), array_agg(DISTINCT left(h.refusal, 10)) FILTER (WHERE h.refusal IS NOT NULL),
		(SELECT count(*) FROM calendar WHERE deficit <> '{}'), (SELECT count(*) FROM calendar WHERE quota_id = 0)
	FROM history AS h
	GROUP BY h.op;
	RETURN NEXT is_empty($q$SELECT problem FROM history WHERE problem IS NOT NULL LIMIT 10$q$,
		'what fits is accepted and what does not is refused, by the right node: batch ' || n);
	RETURN NEXT is_empty('SELECT * FROM check_calendar()', 'check_calendar(): batch ' || n);
	RETURN NEXT is_empty($q$
		SELECT s.*, value_at(n.booked, pg_temp.instant(s.hour)) AS found, value_at(n.capacity + n.allowance, pg_temp.instant(s.hour)) AS limit_found
		FROM unnest(pg_temp.state()) AS s
		FULL JOIN pg_temp.nodes AS n ON n.pool_id = s.pool_id AND n.quota_id = s.quota_id
		WHERE (s.booked, s.limited, greatest(s.booked - s.limited, 0)) IS DISTINCT FROM (value_at(n.booked, pg_temp.instant(s.hour)),
			value_at(n.capacity + n.allowance, pg_temp.instant(s.hour)), value_at(n.deficit, pg_temp.instant(s.hour)))
		LIMIT 10$q$, 'the calendar has what each node has and takes: batch ' || n);
	RETURN NEXT is_empty($q$(SELECT pool_id, lease_id, consumer_id, quantity, effective, buffer FROM sharecollab.lease
			EXCEPT SELECT pool_id, lease_id, consumer_id, quantity, effective, buffer FROM pg_temp.lease)
		UNION ALL (SELECT pool_id, lease_id, consumer_id, quantity, effective, buffer FROM pg_temp.lease
			EXCEPT SELECT pool_id, lease_id, consumer_id, quantity, effective, buffer FROM sharecollab.lease)$q$,
		'leases are what the statements say: batch ' || n);
	before := ARRAY(SELECT c FROM pg_temp.nodes AS c ORDER BY c.pool_id, c.quota_id);
	PERFORM rebuild_calendar();
	RETURN NEXT ok(before = ARRAY(SELECT c FROM pg_temp.nodes AS c ORDER BY c.pool_id, c.quota_id), 'rebuild_calendar() changes nothing: batch ' || n);
	RETURN NEXT is_empty('SELECT * FROM check_calendar()', 'and is right itself: batch ' || n);
END $$;

SELECT pg_temp.batch(n, :statements) FROM generate_series(1, :batches) AS n;

-- ----------
-- All in all
-- ----------

SELECT cmp_ok((SELECT sum(statements) FROM total), '>=', :batches * :statements::numeric * 0.9, 'enough statements to mean something');
SELECT cmp_ok((SELECT sum(statements - accepted) FROM total), '>=', :batches * :statements::numeric * 0.1, 'enough of them refused');
SELECT cmp_ok((SELECT count(*) FROM total WHERE deficits > 0), '>', 0::bigint, 'there were deficits');
SELECT cmp_ok((SELECT max(pages) FROM total), '>', 8::bigint, 'and more than one page');

SELECT diag(format('%s statements of %s kinds, %s accepted', sum(statements), count(DISTINCT op), sum(accepted))) FROM total;
SELECT * FROM finish();
ROLLBACK;
