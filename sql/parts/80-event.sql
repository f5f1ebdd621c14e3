-- 80-event.sql
--		What was done, by whom, and what was known when.
--		C code: src/event.c
--
-- Of a new lease there is no row here, nor of usage, journals, contributions and
-- exchange rates: there are many, and each says itself when and by which role it
-- was recorded; audit_trail has them. Of what closing a billing period makes
-- (charges, postings, balances), the period and the journals say it.

CREATE TABLE event (
	event_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at			timestamptz NOT NULL DEFAULT clock_timestamp(),
	role		text NOT NULL DEFAULT calling_role(),
	act			text NOT NULL CHECK (act IN ('created', 'changed', 'removed')),
	subject		text NOT NULL,
	subject_id	bigint,
	pool_id		bigint,
	project_id	bigint,
	party_id	bigint,
	was			jsonb,
	CHECK ((act = 'created') = (was IS NULL))
);
CREATE INDEX event_pool_id_at_idx ON event (pool_id, at) WHERE pool_id IS NOT NULL;
CREATE INDEX event_party_id_idx ON event (party_id) WHERE party_id IS NOT NULL;
CREATE INDEX event_at_idx ON event (at) WHERE subject = 'pool';
CREATE INDEX event_project_id_idx ON event (project_id) WHERE project_id IS NOT NULL;
ALTER TABLE event OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('event', '');
SELECT pg_catalog.pg_extension_config_dump('event_event_id_seq', '');

COMMENT ON TABLE event IS 'What was done: each row that somebody made, changed or removed, but for those that say themselves who recorded them (leases, usage, journals, contributions, exchange rates: see audit_trail). Append-only.';
COMMENT ON COLUMN event.event_id IS 'Key. Of two events about the same row, the later has the larger one.';
COMMENT ON COLUMN event.at IS 'When it was done.';
COMMENT ON COLUMN event.role IS 'Who did it: the name of the role that called.';
COMMENT ON COLUMN event.act IS 'created, changed or removed.';
COMMENT ON COLUMN event.subject IS 'What: the table.';
COMMENT ON COLUMN event.subject_id IS 'Which row: its key (lease_id, ...); NULL where that is the party, pool or project.';
COMMENT ON COLUMN event.pool_id IS 'The pool that it is about.';
COMMENT ON COLUMN event.project_id IS 'The project that it is about.';
COMMENT ON COLUMN event.party_id IS 'The party that it is about: consumer, provider, member, assignee, steward.';
COMMENT ON COLUMN event.was IS 'What was changed or removed: the row before, with times in UTC; NULL for what was created.';

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON event
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION log_event() RETURNS trigger
	AS 'MODULE_PATHNAME', 'log_event' LANGUAGE C
	SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET extra_float_digits = 1;
COMMENT ON FUNCTION log_event() IS 'Trigger: writes what was made, changed or removed into event.';

CREATE TRIGGER log_insert AFTER INSERT ON party REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_update AFTER UPDATE ON party REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_delete AFTER DELETE ON party REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON party
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_insert AFTER INSERT ON pool REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_update AFTER UPDATE ON pool REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_delete AFTER DELETE ON pool REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON pool
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_insert AFTER INSERT ON membership REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON membership REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON membership REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON membership
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON supply REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_update AFTER UPDATE ON supply REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_delete AFTER DELETE ON supply REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON supply
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_update AFTER UPDATE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('lease_id');
CREATE TRIGGER log_delete AFTER DELETE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('lease_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON lease
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('lease_id');
CREATE TRIGGER log_insert AFTER INSERT ON quota REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_update AFTER UPDATE ON quota REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_delete AFTER DELETE ON quota REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON quota
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_insert AFTER INSERT ON project REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_update AFTER UPDATE ON project REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_delete AFTER DELETE ON project REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON project
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_insert AFTER INSERT ON project_member REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON project_member REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON project_member REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON project_member
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON identity_link REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_update AFTER UPDATE ON identity_link REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_delete AFTER DELETE ON identity_link REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON identity_link
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_insert AFTER INSERT ON affiliation REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON affiliation REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON affiliation REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON affiliation
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON task REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_update AFTER UPDATE ON task REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_delete AFTER DELETE ON task REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON task
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_insert AFTER INSERT ON rate REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_update AFTER UPDATE ON rate REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_delete AFTER DELETE ON rate REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON rate
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_insert AFTER INSERT ON billing_period REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_update AFTER UPDATE ON billing_period REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_delete AFTER DELETE ON billing_period REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_insert AFTER INSERT ON account REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('account_id');
-- what is posted changes the balance
CREATE TRIGGER log_update AFTER UPDATE ON account REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('account_id', 'balance');
CREATE TRIGGER log_update AFTER UPDATE ON contribution REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON contribution REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON contribution
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON grid_intensity REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON grid_intensity REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON grid_intensity REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON grid_intensity
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();

CREATE VIEW audit_trail WITH (security_invoker) AS
	SELECT e.at, e.role, e.act, e.subject, e.subject_id, e.pool_id, e.project_id, e.party_id, e.was
	FROM event AS e
	UNION ALL
	SELECT l.recorded_at, l.recorded_by, 'created', 'lease', l.lease_id, l.pool_id, NULL, l.consumer_id, NULL
	FROM lease AS l
	UNION ALL
	SELECT u.recorded_at, u.recorded_by, 'created', 'usage', u.usage_id, u.pool_id, NULL, u.consumer_id, NULL
	FROM usage AS u
	UNION ALL
	SELECT j.recorded_at, j.recorded_by, 'created', 'journal', j.journal_id, j.pool_id, NULL, NULL, NULL
	FROM journal AS j
	UNION ALL
	SELECT c.recorded_at, c.recorded_by, 'created', 'contribution', NULL, NULL, c.project_id, NULL, NULL
	FROM contribution AS c
	UNION ALL
	SELECT r.recorded_at, r.recorded_by, 'created', 'exchange_rate', NULL, NULL, NULL, NULL, NULL
	FROM exchange_rate AS r;
ALTER VIEW audit_trail OWNER TO @extowner@;
COMMENT ON VIEW audit_trail IS 'All that was done and that the reader may see: the log, and facts that say themselves who recorded them. With subject = ''lease'' and a subject_id, the life of a lease: what it was before each change, and who changed it. That of a statement is statement_trail().';
COMMENT ON COLUMN audit_trail.at IS 'When it was done.';
COMMENT ON COLUMN audit_trail.role IS 'Who did it: the name of the role that called.';
COMMENT ON COLUMN audit_trail.act IS 'created, changed or removed.';
COMMENT ON COLUMN audit_trail.subject IS 'What: the table.';
COMMENT ON COLUMN audit_trail.subject_id IS 'Which row: its key.';
COMMENT ON COLUMN audit_trail.pool_id IS 'The pool that it is about.';
COMMENT ON COLUMN audit_trail.project_id IS 'The project that it is about.';
COMMENT ON COLUMN audit_trail.party_id IS 'The party that it is about.';
COMMENT ON COLUMN audit_trail.was IS 'The row before; NULL for what was created.';

CREATE FUNCTION statement_trail(party text, during tstzrange, pool text DEFAULT NULL)
	RETURNS TABLE (at timestamptz, role text, act text, subject text, subject_id bigint, pool text, was jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH posted AS MATERIALIZED (
		SELECT DISTINCT p.journal_id, a.account_id, a.pool_id, p.charge_id
		FROM account AS a
		JOIN posting AS p ON p.account_id = a.account_id AND p.occurred_at >= lower(statement_trail.during) AND p.occurred_at < upper(statement_trail.during)
		WHERE a.party_id = party_id(statement_trail.party)
		AND (statement_trail.pool IS NULL OR a.pool_id = pool_id(statement_trail.pool))
	), charged AS MATERIALIZED (
		SELECT c.pool_id, c.billing_period_id, c.consumer_id, c.lease_id, c.rate_id, c.meter, c.during
		FROM posted AS p
		JOIN charge AS c ON c.pool_id = p.pool_id AND c.charge_id = p.charge_id
	), made_of AS (
		SELECT 'journal' AS subject, p.journal_id AS subject_id, p.pool_id FROM posted AS p
		UNION
		SELECT 'account', p.account_id, p.pool_id FROM posted AS p
		UNION
		SELECT 'billing_period', c.billing_period_id, c.pool_id FROM charged AS c
		UNION
		SELECT 'lease', c.lease_id, c.pool_id FROM charged AS c WHERE c.lease_id IS NOT NULL
		UNION
		SELECT 'rate', c.rate_id, c.pool_id FROM charged AS c WHERE c.rate_id IS NOT NULL
	), span AS (
		SELECT min(lower(c.during)) AS starts, max(upper(c.during)) AS ends FROM charged AS c
	), act AS (
		SELECT e.at, e.role, e.act, e.subject, e.subject_id, e.pool_id, e.was, e.event_id
		FROM made_of AS m
		JOIN event AS e ON e.pool_id = m.pool_id AND e.subject = m.subject AND e.subject_id = m.subject_id
		UNION ALL
		SELECT e.at, e.role, e.act, e.subject, e.subject_id, e.pool_id, e.was, e.event_id
		FROM made_of AS m
		JOIN event AS e ON e.party_id = party_id(statement_trail.party) AND e.pool_id IS NULL AND e.subject = m.subject AND e.subject_id = m.subject_id
		WHERE m.pool_id IS NULL
		UNION ALL
		SELECT l.recorded_at, l.recorded_by, 'created', 'lease', l.lease_id, l.pool_id, NULL, 0
		FROM made_of AS m
		JOIN lease AS l ON l.pool_id = m.pool_id AND l.lease_id = m.subject_id
		WHERE m.subject = 'lease'
		UNION ALL
		SELECT j.recorded_at, j.recorded_by, 'created', 'journal', j.journal_id, j.pool_id, NULL, 0
		FROM made_of AS m
		JOIN journal AS j ON j.journal_id = m.subject_id
		WHERE m.subject = 'journal'
		UNION ALL
		SELECT u.recorded_at, u.recorded_by, 'created', 'usage', u.usage_id, u.pool_id, NULL, 0
		FROM usage AS u
		WHERE u.at >= (SELECT span.starts FROM span) AND u.at <= (SELECT span.ends FROM span)
		AND EXISTS (SELECT FROM charged AS c
			WHERE c.pool_id = u.pool_id AND c.consumer_id = u.consumer_id AND c.meter = u.meter AND c.during @> u.at)
	)
	SELECT t.at, t.role, t.act, t.subject, t.subject_id, l.name, t.was
	FROM act AS t
	LEFT JOIN pool AS l ON l.pool_id = t.pool_id
	ORDER BY t.at, t.event_id, t.subject, t.subject_id;
END;
COMMENT ON FUNCTION statement_trail(text, tstzrange, text) IS
'Who did what a statement() of a party is made of, and when, as far as the caller may see it: its journals and accounts, the billing periods of its charges, and the usage, leases and rates that these are for, with each change. The columns are those of audit_trail. Errors: 42704 unknown party or pool.';

-- What was known at an instant: rows that have not changed since, and what
-- those were that have. (Columns, not the row type of the table, which could not
-- be altered then.)
CREATE FUNCTION leases_as_of(pool bigint, as_of timestamptz)
	RETURNS TABLE (pool_id bigint, lease_id bigint, consumer_id bigint, quantity numeric, during tstzrange, price numeric, reference text, booking_id bigint, held_until timestamptz, preemptible boolean, buffer interval, cancellation profile, ended_at timestamptz, end_reason text, refund numeric, effective tstzrange, recorded_by text, recorded_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH changed AS MATERIALIZED (
		SELECT DISTINCT ON (e.subject_id) e.subject_id, e.was
		FROM event AS e
		WHERE e.pool_id = leases_as_of.pool AND e.at > as_of AND e.subject = 'lease'
		ORDER BY e.subject_id, e.event_id
	)
	SELECT l.pool_id, l.lease_id, l.consumer_id, l.quantity, l.during, l.price, l.reference, l.booking_id, l.held_until, l.preemptible, l.buffer, l.cancellation, l.ended_at, l.end_reason, l.refund, l.effective, l.recorded_by, l.recorded_at
	FROM lease AS l
	WHERE l.pool_id = leases_as_of.pool AND l.recorded_at <= as_of
	AND l.lease_id NOT IN (SELECT c.subject_id FROM changed AS c)
	UNION ALL
	SELECT r.pool_id, r.lease_id, r.consumer_id, r.quantity, r.during, r.price, r.reference, r.booking_id, r.held_until, r.preemptible, r.buffer, r.cancellation, r.ended_at, r.end_reason, r.refund, r.effective, r.recorded_by, r.recorded_at
	FROM changed AS c, jsonb_to_record(c.was) AS r (pool_id bigint, lease_id bigint, consumer_id bigint, quantity numeric, during tstzrange, price numeric, reference text, booking_id bigint, held_until timestamptz, preemptible boolean, buffer interval, cancellation profile, ended_at timestamptz, end_reason text, refund numeric, effective tstzrange, recorded_by text, recorded_at timestamptz)
	WHERE r.recorded_at <= as_of;
END;
COMMENT ON FUNCTION leases_as_of(bigint, timestamptz) IS 'The leases of a pool that the caller may see, as they were known at an instant.';

CREATE FUNCTION supplies_as_of(pool bigint, as_of timestamptz)
	RETURNS TABLE (pool_id bigint, supply_id bigint, provider_id bigint, quantity numeric, during tstzrange, cost_rate numeric, power numeric, embodied numeric, region text, recorded_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH changed AS MATERIALIZED (
		SELECT DISTINCT ON (e.subject_id) e.subject_id, e.was
		FROM event AS e
		WHERE e.pool_id = supplies_as_of.pool AND e.at > as_of AND e.subject = 'supply' AND e.act <> 'created'
		ORDER BY e.subject_id, e.event_id
	)
	SELECT s.pool_id, s.supply_id, s.provider_id, s.quantity, s.during, s.cost_rate, s.power, s.embodied, s.region, s.recorded_at
	FROM supply AS s
	WHERE s.pool_id = supplies_as_of.pool AND s.recorded_at <= as_of
	AND s.supply_id NOT IN (SELECT c.subject_id FROM changed AS c)
	UNION ALL
	SELECT r.pool_id, r.supply_id, r.provider_id, r.quantity, r.during, r.cost_rate, r.power, r.embodied, r.region, r.recorded_at
	FROM changed AS c, jsonb_to_record(c.was) AS r (pool_id bigint, supply_id bigint, provider_id bigint, quantity numeric, during tstzrange, cost_rate numeric, power numeric, embodied numeric, region text, recorded_at timestamptz)
	WHERE r.recorded_at <= as_of;
END;
COMMENT ON FUNCTION supplies_as_of(bigint, timestamptz) IS 'The supply of a pool that the caller may see, as it was known at an instant.';

-- The calendar as it was: from the leaves of the pool's tree up, what each pool
-- had and what was booked of it (as check_calendar() adds it up), then from the
-- root down what each could take (as availability_in_tree()).
CREATE FUNCTION availability_as_of(pool text, during tstzrange, as_of timestamptz) RETURNS profile
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET jit = off
BEGIN ATOMIC
	WITH RECURSIVE changed AS MATERIALIZED (
		SELECT DISTINCT ON (e.pool_id) e.pool_id, e.was
		FROM event AS e
		WHERE e.at > availability_as_of.as_of AND e.subject = 'pool' AND e.act <> 'created'
		ORDER BY e.pool_id, e.event_id
	), pool_then AS MATERIALIZED (
		SELECT p.pool_id, p.parent_id, p.overbooking, p.borrow, p.lend
		FROM pool AS p
		WHERE p.recorded_at <= availability_as_of.as_of AND p.pool_id NOT IN (SELECT c.pool_id FROM changed AS c)
		UNION ALL
		SELECT r.pool_id, r.parent_id, r.overbooking, r.borrow, r.lend
		FROM changed AS c, jsonb_to_record(c.was) AS r (pool_id bigint, parent_id bigint, overbooking numeric, borrow numeric, lend numeric, recorded_at timestamptz)
		WHERE r.recorded_at <= availability_as_of.as_of
	), ancestor AS (
		-- no deeper than pools may be nested
		SELECT p.pool_id, p.parent_id, 0 AS height
		FROM pool_then AS p
		WHERE p.pool_id = pool_id(availability_as_of.pool)
		UNION ALL
		SELECT p.pool_id, p.parent_id, a.height + 1
		FROM ancestor AS a
		JOIN pool_then AS p ON p.pool_id = a.parent_id
		WHERE a.height < 32
	), tree AS (
		SELECT a.pool_id, 0 AS depth
		FROM ancestor AS a
		WHERE a.parent_id IS NULL
		UNION ALL
		SELECT p.pool_id, t.depth + 1
		FROM tree AS t
		JOIN pool_then AS p ON p.parent_id = t.pool_id
		WHERE t.depth < 32
	), leased AS MATERIALIZED (
		-- holds that had expired count as free, but not those of other pools
		SELECT t.pool_id, l.consumer_id, load_profile(occupied(l.effective, l.buffer), l.quantity) AS load
		FROM tree AS t, leases_as_of(t.pool_id, availability_as_of.as_of) AS l
		WHERE t.pool_id <> pool_id(availability_as_of.pool) OR (l.held_until <= availability_as_of.as_of AND l.ended_at IS NULL) IS NOT TRUE
		GROUP BY t.pool_id, l.consumer_id
	), quota_changed AS MATERIALIZED (
		SELECT DISTINCT ON (e.subject_id) e.subject_id, e.was
		FROM tree AS t
		JOIN event AS e ON e.pool_id = t.pool_id AND e.at > availability_as_of.as_of AND e.subject = 'quota' AND e.act <> 'created'
		ORDER BY e.subject_id, e.event_id
	), quota_then AS (
		SELECT q.pool_id, q.party_id, q.during, q.own, q.lend
		FROM tree AS t
		JOIN quota AS q ON q.pool_id = t.pool_id
		WHERE q.recorded_at <= availability_as_of.as_of AND q.quota_id NOT IN (SELECT c.subject_id FROM quota_changed AS c)
		UNION ALL
		SELECT r.pool_id, r.party_id, r.during, r.own, r.lend
		FROM quota_changed AS c, jsonb_to_record(c.was) AS r (pool_id bigint, party_id bigint, during tstzrange, own numeric, lend numeric, recorded_at timestamptz)
		WHERE r.recorded_at <= availability_as_of.as_of
	), kept AS (
		-- what quotas keep and do not use
		SELECT q.pool_id, sum(pointwise_max(coalesce(l.load, '{}'), profile(q.during, q.own - q.lend)) - coalesce(l.load, '{}')) AS quantity
		FROM quota_then AS q
		LEFT JOIN leased AS l ON l.pool_id = q.pool_id AND l.consumer_id = q.party_id
		WHERE q.own > q.lend
		GROUP BY q.pool_id
	), node AS MATERIALIZED (
		-- a pool without its children
		SELECT p.pool_id, p.parent_id, t.depth, p.overbooking, p.lend, coalesce(p.borrow, 1e10) AS borrow,
			coalesce((SELECT load_profile(s.during, s.quantity) FROM supplies_as_of(p.pool_id, availability_as_of.as_of) AS s), '{}') AS capacity,
			coalesce((SELECT sum(l.load) FROM leased AS l WHERE l.pool_id = p.pool_id), '{}')
				+ coalesce((SELECT k.quantity FROM kept AS k WHERE k.pool_id = p.pool_id), '{}') AS booked
		FROM tree AS t
		JOIN pool_then AS p ON p.pool_id = t.pool_id
	), level AS (
		-- and with them, one level of the tree after the other
		SELECT max(n.depth) + 1 AS depth, '{}'::bigint[] AS pools, '{}'::profile[] AS capacity, '{}'::profile[] AS booked
		FROM node AS n
		UNION ALL
		SELECT v.depth - 1, w.pools, w.capacity, w.booked
		FROM level AS v, LATERAL (
			SELECT array_agg(n.pool_id) AS pools, array_agg(n.capacity + coalesce(c.lent, '{}')) AS capacity, array_agg(n.booked + coalesce(c.taken, '{}')) AS booked
			FROM node AS n, LATERAL (
				SELECT sum(g.lent) AS lent, sum(pointwise_min(positive_part(g.booked - g.capacity + g.lent), g.lent + profile(g.borrow))) AS taken
				FROM (
					SELECT x.capacity, x.booked, c.borrow, CASE WHEN c.lend IS NULL THEN x.capacity ELSE pointwise_min(x.capacity, profile(c.lend)) END AS lent
					FROM unnest(v.pools, v.capacity, v.booked) AS x (pool_id, capacity, booked)
					JOIN node AS c ON c.pool_id = x.pool_id
					WHERE c.parent_id = n.pool_id
				) AS g
			) AS c
			WHERE n.depth = v.depth - 1
		) AS w
		WHERE v.depth > 0
	), part AS MATERIALIZED (
		SELECT a.height, a.parent_id, n.overbooking, x.booked,
			x.capacity * n.overbooking + CASE WHEN a.parent_id IS NULL THEN '{}' ELSE profile(n.borrow) END AS limited,
			CASE WHEN n.lend IS NULL THEN '{}' ELSE positive_part(x.capacity - profile(n.lend)) END AS kept,
			CASE WHEN n.lend IS NULL THEN x.capacity ELSE pointwise_min(x.capacity, profile(n.lend)) END + profile(n.borrow) AS most
		FROM level AS v, unnest(v.pools, v.capacity, v.booked) AS x (pool_id, capacity, booked)
		JOIN ancestor AS a ON a.pool_id = x.pool_id
		JOIN node AS n ON n.pool_id = x.pool_id
	), free AS (
		SELECT p.height, positive_part(p.limited - p.booked) AS quantity
		FROM part AS p
		WHERE p.parent_id IS NULL
		UNION ALL
		SELECT p.height,
			fit.quantity + CASE WHEN p.overbooking = 1 THEN '{}'
				ELSE (fit.room - fit.quantity) * (profile(1) - 100000000 * pointwise_min(profile(0.00000001), pointwise_min(profile(1),
					positive_part(p.most - positive_part(p.booked - p.kept) - free.quantity)))) END
		FROM free
		JOIN part AS p ON p.height = free.height - 1,
		LATERAL (SELECT r.room, pointwise_min(r.room, positive_part(p.kept - p.booked) + free.quantity) AS quantity
			FROM (SELECT positive_part(p.limited - p.booked) AS room) AS r) AS fit
	)
	SELECT CASE WHEN pool_id(availability_as_of.pool) IS NOT NULL AND NOT isempty(availability_as_of.during)
		THEN coalesce((SELECT clip(f.quantity, availability_as_of.during) FROM free AS f WHERE f.height = 0), '{}') END;
END;
COMMENT ON FUNCTION availability_as_of(text, tstzrange, timestamptz) IS
'How much of a pool was free during a period, by what was known at an instant: what availability(pool, during) said then. The pools of its tree with what they lent and borrowed, supply, leases with their buffers, holds that had not expired, and what quotas kept are as they were. 0 if there was no such pool yet. Reads all supply and leases of the tree, and what has changed since. NULL for an empty period; error 42704 if there is no such pool that the caller may know of.';
