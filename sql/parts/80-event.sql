-- 80-event.sql
--		What was done, by whom, and what was known when.
--		C code: src/event.c
--
-- Of a new lease there is no row here, as there are many and each says itself
-- when and by which role it was made; audit_trail has it. Facts that are never
-- changed (usage, charges, journals, contributions) say when they were recorded.

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
CREATE INDEX event_project_id_idx ON event (project_id) WHERE project_id IS NOT NULL;
ALTER TABLE event OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('event', '');
SELECT pg_catalog.pg_extension_config_dump('event_event_id_seq', '');

COMMENT ON TABLE event IS 'What was done: each row that somebody made, changed or removed in the tables that are not facts for ever, and leases that were changed. Append-only.';
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
CREATE TRIGGER log_update AFTER UPDATE ON party REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_delete AFTER DELETE ON party REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('party_id');
CREATE TRIGGER log_insert AFTER INSERT ON pool REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_update AFTER UPDATE ON pool REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_delete AFTER DELETE ON pool REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('pool_id');
CREATE TRIGGER log_insert AFTER INSERT ON membership REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON membership REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON membership REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON supply REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_update AFTER UPDATE ON supply REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_delete AFTER DELETE ON supply REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('supply_id');
CREATE TRIGGER log_update AFTER UPDATE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('lease_id');
CREATE TRIGGER log_delete AFTER DELETE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('lease_id');
CREATE TRIGGER log_insert AFTER INSERT ON quota REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_update AFTER UPDATE ON quota REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_delete AFTER DELETE ON quota REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('quota_id');
CREATE TRIGGER log_insert AFTER INSERT ON project REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_update AFTER UPDATE ON project REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_delete AFTER DELETE ON project REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('project_id');
CREATE TRIGGER log_insert AFTER INSERT ON project_member REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON project_member REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON project_member REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON identity_link REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_update AFTER UPDATE ON identity_link REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_delete AFTER DELETE ON identity_link REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('identity_id');
CREATE TRIGGER log_insert AFTER INSERT ON affiliation REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_update AFTER UPDATE ON affiliation REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_delete AFTER DELETE ON affiliation REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event();
CREATE TRIGGER log_insert AFTER INSERT ON task REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_update AFTER UPDATE ON task REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_delete AFTER DELETE ON task REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('task_id');
CREATE TRIGGER log_insert AFTER INSERT ON rate REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_update AFTER UPDATE ON rate REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_delete AFTER DELETE ON rate REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('rate_id');
CREATE TRIGGER log_insert AFTER INSERT ON billing_period REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_update AFTER UPDATE ON billing_period REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_delete AFTER DELETE ON billing_period REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('billing_period_id');
CREATE TRIGGER log_insert AFTER INSERT ON account REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('account_id');
CREATE TRIGGER log_update AFTER UPDATE ON account REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION log_event('account_id');

CREATE VIEW audit_trail WITH (security_invoker) AS
	SELECT e.at, e.role, e.act, e.subject, e.subject_id, e.pool_id, e.project_id, e.party_id, e.was
	FROM event AS e
	UNION ALL
	SELECT l.recorded_at, l.recorded_by, 'created', 'lease', l.lease_id, l.pool_id, NULL, l.consumer_id, NULL
	FROM lease AS l;
ALTER VIEW audit_trail OWNER TO @extowner@;
COMMENT ON VIEW audit_trail IS 'All that was done and that the reader may see, leases that were made included. With subject = ''lease'' and a subject_id, the life of a lease: what it was before each change, and who changed it.';
COMMENT ON COLUMN audit_trail.at IS 'When it was done.';
COMMENT ON COLUMN audit_trail.role IS 'Who did it: the name of the role that called.';
COMMENT ON COLUMN audit_trail.act IS 'created, changed or removed.';
COMMENT ON COLUMN audit_trail.subject IS 'What: the table.';
COMMENT ON COLUMN audit_trail.subject_id IS 'Which row: its key.';
COMMENT ON COLUMN audit_trail.pool_id IS 'The pool that it is about.';
COMMENT ON COLUMN audit_trail.project_id IS 'The project that it is about.';
COMMENT ON COLUMN audit_trail.party_id IS 'The party that it is about.';
COMMENT ON COLUMN audit_trail.was IS 'The row before; NULL for what was created.';

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

CREATE FUNCTION availability_as_of(pool text, during tstzrange, as_of timestamptz) RETURNS profile
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT positive_part(clip(
		coalesce((SELECT load_profile(s.during, s.quantity) FROM supplies_as_of(p.pool_id, availability_as_of.as_of) AS s), '{}')
			* coalesce((
				SELECT (e.was ->> 'overbooking')::numeric
				FROM event AS e
				WHERE e.pool_id = p.pool_id AND e.at > availability_as_of.as_of AND e.subject = 'pool' AND e.act = 'changed'
				ORDER BY e.event_id
				LIMIT 1), p.overbooking)
		- coalesce((
			SELECT load_profile(occupied(l.effective, l.buffer), l.quantity)
			FROM leases_as_of(p.pool_id, availability_as_of.as_of) AS l
			WHERE (l.held_until <= availability_as_of.as_of AND l.ended_at IS NULL) IS NOT TRUE), '{}'),
		availability_as_of.during))
	FROM pool AS p
	WHERE p.pool_id = pool_id(availability_as_of.pool) AND NOT isempty(availability_as_of.during);
END;
COMMENT ON FUNCTION availability_as_of(text, tstzrange, timestamptz) IS
'How much of a pool was free during a period, by what was known at an instant: what its supply and leases were then. Of the pool by itself: without what it lends to others or borrows, and what quotas keep. NULL for an empty period; error 42704 if there is no such pool that the caller may know of.';
