-- 30-sharing.sql
--		What is shared: pools, members, supply, leases, and the calendar that
--		says what is free.
--		C code: src/lease.c (verbs), src/calendar.c (triggers)

CREATE TABLE pool (
	pool_id			bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name			text NOT NULL UNIQUE CHECK (name <> ''),
	kind			text NOT NULL CHECK (kind IN ('compute', 'data', 'model')),
	unit			text NOT NULL CHECK (unit <> ''),
	price			numeric NOT NULL DEFAULT 0 CHECK (price >= 0 AND price < 'Infinity'),
	currency		text NOT NULL DEFAULT 'USD' CHECK (currency <> ''),
	time_zone		text NOT NULL DEFAULT 'UTC' CHECK (timezone(time_zone, '2000-01-01 00:00:00+00'::timestamptz) IS NOT NULL),
	steward_id		bigint NOT NULL REFERENCES party,
	parent_id		bigint REFERENCES pool CHECK (parent_id <> pool_id),
	min_quantity	numeric CHECK (min_quantity > 0 AND min_quantity < 'Infinity'),
	max_quantity	numeric CHECK (max_quantity > 0 AND max_quantity < 'Infinity'),
	quantity_step	numeric CHECK (quantity_step > 0 AND quantity_step < 'Infinity'),
	min_duration	interval CHECK (min_duration > '0'),
	max_duration	interval CHECK (max_duration > '0'),
	recorded_at		timestamptz NOT NULL DEFAULT now(),
	CHECK (min_quantity <= max_quantity),
	CHECK (min_duration <= max_duration)
);
CREATE INDEX pool_steward_id_idx ON pool (steward_id);
CREATE INDEX pool_parent_id_idx ON pool (parent_id);
ALTER TABLE pool OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('pool', '');
SELECT pg_catalog.pg_extension_config_dump('pool_pool_id_seq', '');

COMMENT ON TABLE pool IS 'A shareable, fungible resource: any unit of it is as good as any other.';
COMMENT ON COLUMN pool.pool_id IS 'Key.';
COMMENT ON COLUMN pool.name IS 'What functions and reports call the pool.';
COMMENT ON COLUMN pool.kind IS 'compute, data or model.';
COMMENT ON COLUMN pool.unit IS 'What quantities count: gpu, seat, GiB, ... Cannot be changed.';
COMMENT ON COLUMN pool.price IS 'Price of a unit for an hour, in the pool''s currency. A lease keeps the price it was reserved at.';
COMMENT ON COLUMN pool.currency IS 'Currency of the price: an ISO 4217 code or the name of a virtual currency. Cannot be changed.';
COMMENT ON COLUMN pool.time_zone IS 'Time zone that days and months of this pool are counted in.';
COMMENT ON COLUMN pool.steward_id IS 'The party that runs the pool.';
COMMENT ON COLUMN pool.parent_id IS 'The pool that this one is a part of.';
COMMENT ON COLUMN pool.min_quantity IS 'Terms: least quantity of a lease; NULL for no limit.';
COMMENT ON COLUMN pool.max_quantity IS 'Terms: largest quantity of a lease; NULL for no limit.';
COMMENT ON COLUMN pool.quantity_step IS 'Terms: quantities of leases are multiples of this; NULL for any.';
COMMENT ON COLUMN pool.min_duration IS 'Terms: shortest lease, days and months in the pool''s time zone; NULL for no limit.';
COMMENT ON COLUMN pool.max_duration IS 'Terms: longest lease, days and months in the pool''s time zone; NULL for no limit. Excludes open-ended leases.';
COMMENT ON COLUMN pool.recorded_at IS 'When the row was written.';

CREATE TABLE membership (
	pool_id		bigint NOT NULL REFERENCES pool ON DELETE CASCADE,
	party_id	bigint NOT NULL REFERENCES party,
	role		text NOT NULL CHECK (role IN ('steward', 'provider', 'consumer', 'auditor')),
	weight		numeric NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight < 'Infinity'),
	invited_at	timestamptz NOT NULL DEFAULT now(),
	accepted_at	timestamptz,
	PRIMARY KEY (pool_id, party_id, role)
);
CREATE INDEX membership_party_id_idx ON membership (party_id);
ALTER TABLE membership OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('membership', '');

COMMENT ON TABLE membership IS 'A party''s role in a pool, once invited and accepted.';
COMMENT ON COLUMN membership.pool_id IS 'The pool.';
COMMENT ON COLUMN membership.party_id IS 'The party.';
COMMENT ON COLUMN membership.role IS 'steward (runs the pool), provider (supplies), consumer (leases) or auditor (sees all).';
COMMENT ON COLUMN membership.weight IS 'Fair-share weight.';
COMMENT ON COLUMN membership.invited_at IS 'When the party was invited.';
COMMENT ON COLUMN membership.accepted_at IS 'When it accepted; NULL while the invitation is open.';

CREATE TABLE supply (
	pool_id		bigint NOT NULL REFERENCES pool,
	supply_id	bigint GENERATED ALWAYS AS IDENTITY,
	provider_id	bigint NOT NULL REFERENCES party,
	quantity	numeric NOT NULL CHECK (quantity <> 0 AND abs(quantity) < 1e12 AND quantity = round(quantity, 6)),
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND (upper_inf(during) OR isfinite(upper(during)))),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, supply_id)
);
CREATE INDEX supply_provider_id_idx ON supply (provider_id);
ALTER TABLE supply OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('supply', '');
SELECT pg_catalog.pg_extension_config_dump('supply_supply_id_seq', '');

COMMENT ON TABLE supply IS 'A provider adds a quantity to a pool during a period or, with a negative quantity (an outage, a withdrawal), takes it away.';
COMMENT ON COLUMN supply.pool_id IS 'The pool.';
COMMENT ON COLUMN supply.supply_id IS 'Key within the pool.';
COMMENT ON COLUMN supply.provider_id IS 'Who supplies.';
COMMENT ON COLUMN supply.quantity IS 'In units of the pool, below 10^12 and with at most 6 decimal places; negative for what is taken away. The sum of a provider is never below 0.';
COMMENT ON COLUMN supply.during IS 'Half-open period; an unbounded end means until further notice.';
COMMENT ON COLUMN supply.recorded_at IS 'When the row was written.';

CREATE TABLE lease (
	pool_id		bigint NOT NULL REFERENCES pool,
	lease_id	bigint GENERATED ALWAYS AS IDENTITY,
	consumer_id	bigint NOT NULL REFERENCES party,
	quantity	numeric NOT NULL CHECK (quantity > 0 AND quantity < 1e12 AND quantity = round(quantity, 6)),
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND (upper_inf(during) OR isfinite(upper(during)))),
	price		numeric CHECK (price >= 0 AND price < 'Infinity'),
	reference	text,
	ended_at	timestamptz CHECK (isfinite(ended_at)),
	end_reason	text CHECK (end_reason IN ('released', 'cancelled')),
	effective	tstzrange NOT NULL GENERATED ALWAYS AS (during * tstzrange(NULL, ended_at)) STORED,
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, lease_id),
	UNIQUE (pool_id, reference),
	CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX lease_lease_id_idx ON lease (lease_id);
CREATE INDEX lease_consumer_id_idx ON lease (consumer_id);
ALTER TABLE lease OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('lease', '');
SELECT pg_catalog.pg_extension_config_dump('lease_lease_id_seq', '');

COMMENT ON TABLE lease IS 'A consumer holds a quantity of a pool during a period. Every statement that changes this table is checked against the calendar: error SC001 if there is not enough capacity.';
COMMENT ON COLUMN lease.pool_id IS 'The pool.';
COMMENT ON COLUMN lease.lease_id IS 'Key.';
COMMENT ON COLUMN lease.consumer_id IS 'Who holds the lease.';
COMMENT ON COLUMN lease.quantity IS 'In units of the pool, below 10^12 and with at most 6 decimal places.';
COMMENT ON COLUMN lease.during IS 'Half-open period as reserved; an unbounded end means until released.';
COMMENT ON COLUMN lease.price IS 'Price of a unit for an hour as quoted when the lease was reserved; NULL for the pool''s price.';
COMMENT ON COLUMN lease.reference IS 'What the lease is called elsewhere (a job or pod); unique within the pool, so that nothing is imported twice.';
COMMENT ON COLUMN lease.ended_at IS 'When the lease was given back before its end; NULL if it was not.';
COMMENT ON COLUMN lease.end_reason IS 'released (after its start) or cancelled (before).';
COMMENT ON COLUMN lease.effective IS 'The period for which the lease really holds its quantity: during, up to ended_at; empty if it was cancelled.';
COMMENT ON COLUMN lease.recorded_at IS 'When the row was written.';

-- Derived from supply and lease by triggers, and therefore not dumped.
CREATE TABLE calendar (
	pool_id		bigint NOT NULL REFERENCES pool ON DELETE CASCADE,
	starts		timestamptz NOT NULL,
	ends		timestamptz NOT NULL,
	capacity	profile NOT NULL DEFAULT '{}',
	booked		profile NOT NULL DEFAULT '{}',
	deficit		profile NOT NULL DEFAULT '{}',
	PRIMARY KEY (pool_id, starts),
	CHECK (starts < ends),
	CONSTRAINT calendar_not_overbooked CHECK (booked <@ capacity + deficit)
) WITH (fillfactor = 50);
ALTER TABLE calendar OWNER TO @extowner@;

COMMENT ON TABLE calendar IS 'How much a pool has and how much of it is booked, over time, in pages that partition its time line. Derived from supply and lease by triggers; the page that admission reads and writes.';
COMMENT ON COLUMN calendar.pool_id IS 'The pool.';
COMMENT ON COLUMN calendar.starts IS 'First instant of the page; -infinity for the first page.';
COMMENT ON COLUMN calendar.ends IS 'End of the page, and start of the next; infinity for the last page.';
COMMENT ON COLUMN calendar.capacity IS 'Sum of supply during the page.';
COMMENT ON COLUMN calendar.booked IS 'Sum of leases during the page.';
COMMENT ON COLUMN calendar.deficit IS 'What is booked beyond capacity, because supply was withdrawn under leases.';
COMMENT ON CONSTRAINT calendar_not_overbooked ON calendar IS 'At no instant is more booked than there is, except for a recorded deficit.';

CREATE FUNCTION calendar_of_pool() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_pool' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_pool() IS 'Trigger: gives new pools a calendar.';
CREATE FUNCTION calendar_of_supply() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_supply' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_supply() IS 'Trigger: carries changes of supply into the calendar. Errors: SC002 if a provider would supply less than nothing, 22003.';
CREATE FUNCTION calendar_of_leases() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_leases' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_leases() IS 'Trigger: carries changes of leases into the calendar. Errors: SC001 if there is not enough capacity, 22003.';

CREATE FUNCTION pool_refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pool_refuse_change' LANGUAGE C;
COMMENT ON FUNCTION pool_refuse_change() IS 'Trigger: keeps unit and currency of a pool as they are; error 55000.';
CREATE TRIGGER keep_unit_and_currency BEFORE UPDATE ON pool
	FOR EACH ROW WHEN (OLD.unit <> NEW.unit OR OLD.currency <> NEW.currency) EXECUTE FUNCTION pool_refuse_change();

CREATE TRIGGER calendar_insert AFTER INSERT ON pool REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_pool();
CREATE TRIGGER calendar_insert AFTER INSERT ON supply REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_supply();
CREATE TRIGGER calendar_update AFTER UPDATE ON supply REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_supply();
CREATE TRIGGER calendar_delete AFTER DELETE ON supply REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_supply();
CREATE TRIGGER calendar_truncate AFTER TRUNCATE ON supply
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_supply();
CREATE TRIGGER calendar_insert AFTER INSERT ON lease REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_leases();
CREATE TRIGGER calendar_update AFTER UPDATE ON lease REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_leases();
CREATE TRIGGER calendar_delete AFTER DELETE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_leases();
CREATE TRIGGER calendar_truncate AFTER TRUNCATE ON lease
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_leases();

-- the verbs

CREATE FUNCTION pool_id(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'pool_id' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION pool_id(text) IS 'The key of the pool of that name; error 42704 if there is none.';

CREATE FUNCTION create_pool(name text, kind text, unit text, steward text,
	price numeric DEFAULT 0, currency text DEFAULT 'USD', time_zone text DEFAULT 'UTC', parent text DEFAULT NULL,
	min_quantity numeric DEFAULT NULL, max_quantity numeric DEFAULT NULL, quantity_step numeric DEFAULT NULL,
	min_duration interval DEFAULT NULL, max_duration interval DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH new_pool AS (
		INSERT INTO pool (name, kind, unit, steward_id, price, currency, time_zone, parent_id,
			min_quantity, max_quantity, quantity_step, min_duration, max_duration)
		VALUES (create_pool.name, create_pool.kind, create_pool.unit, party_id(create_pool.steward),
			create_pool.price, create_pool.currency, create_pool.time_zone, pool_id(create_pool.parent),
			create_pool.min_quantity, create_pool.max_quantity, create_pool.quantity_step,
			create_pool.min_duration, create_pool.max_duration)
		RETURNING pool.pool_id, pool.steward_id
	), steward AS (
		INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT new_pool.pool_id, new_pool.steward_id, 'steward', now()
		FROM new_pool
	)
	SELECT new_pool.pool_id
	FROM new_pool;
END;
COMMENT ON FUNCTION create_pool(text, text, text, text, numeric, text, text, text, numeric, numeric, numeric, interval, interval) IS
'Makes a pool, with its terms, and its steward a member; returns its key. Errors: 23505 if the name is taken, 23514 for terms that make no sense, 42704 if the steward or parent does not exist, 22023 for an unknown time zone.';

CREATE FUNCTION invite(pool text, party text, role text DEFAULT 'consumer', weight numeric DEFAULT 1)
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO membership (pool_id, party_id, role, weight)
	VALUES (pool_id(invite.pool), party_id(invite.party), invite.role, invite.weight);
END;
COMMENT ON FUNCTION invite(text, text, text, numeric) IS
'Invites a party to be steward, provider, consumer or auditor of a pool, with a fair-share weight. Errors: 42704 if pool or party do not exist, 23505 if already invited, 23514 for another role.';

CREATE FUNCTION accept(pool text, party text, role text DEFAULT 'consumer') RETURNS void
	AS 'MODULE_PATHNAME', 'membership_accept' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION accept(text, text, text) IS
'Accepts an invitation. Errors: 42704 if pool or party do not exist, SC004 if there is no open invitation.';

CREATE FUNCTION add_supply(pool text, provider text, quantity numeric, during tstzrange) RETURNS bigint
	AS 'MODULE_PATHNAME', 'supply_add' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION add_supply(text, text, numeric, tstzrange) IS
'A provider adds a quantity to a pool during a half-open period, which may be open-ended; returns the supply''s key. Errors: 42704 unknown name, SC004 not a provider, 22023 quantity or period, 22003 quantity (of 10^12 or more, or of more than 6 decimal places), 22004 null.';

CREATE FUNCTION withdraw_supply(pool text, provider text, quantity numeric, during tstzrange) RETURNS bigint
	AS 'MODULE_PATHNAME', 'supply_withdraw' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION withdraw_supply(text, text, numeric, tstzrange) IS
'A provider takes a quantity away again: an outage or the end of a supply. Never refused because of leases: where they need more than is left, the calendar records a deficit. Returns the key of the new, negative supply. Errors: SC002 if the provider supplies less than that at some instant, and those of add_supply.';

-- Without FROM, so that it is inlined where it is used. Only days and months
-- are added in local time; an hour is an hour.
CREATE FUNCTION terms_violation(pool pool, quantity numeric, during tstzrange)
	RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	WHEN quantity < (pool).min_quantity
		THEN format('The quantity is %s %s; the least is %s.', quantity, (pool).unit, (pool).min_quantity)
	WHEN quantity > (pool).max_quantity
		THEN format('The quantity is %s %s; the most is %s.', quantity, (pool).unit, (pool).max_quantity)
	WHEN mod(quantity, (pool).quantity_step) <> 0
		THEN format('The quantity is %s %s; it must be a multiple of %s.', quantity, (pool).unit, (pool).quantity_step)
	WHEN timezone((pool).time_zone, timezone((pool).time_zone, lower(during)) + date_trunc('day', (pool).min_duration))
			+ ((pool).min_duration - date_trunc('day', (pool).min_duration)) > upper(during)
		THEN format('The period is shorter than %s.', (pool).min_duration)
	WHEN (pool).max_duration IS NOT NULL AND upper_inf(during)
		THEN format('The period is open-ended; the longest is %s.', (pool).max_duration)
	WHEN timezone((pool).time_zone, timezone((pool).time_zone, lower(during)) + date_trunc('day', (pool).max_duration))
			+ ((pool).max_duration - date_trunc('day', (pool).max_duration)) < upper(during)
		THEN format('The period is longer than %s.', (pool).max_duration)
	END;
COMMENT ON FUNCTION terms_violation(pool, numeric, tstzrange) IS
'Why a lease of a quantity during a period would be outside the terms of a pool; NULL if it would not.';

CREATE FUNCTION reserve(pool text, consumer text, quantity numeric, during tstzrange, reference text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_reserve' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reserve(text, text, numeric, tstzrange, text) IS
'Leases a quantity of a pool to a consumer during a half-open period, which may be open-ended, at the pool''s present price; returns the lease''s key. Errors: SC001 not enough capacity (the detail says from when and how much), SC003 outside the pool''s terms, SC004 not a consumer of the pool, 42704 unknown name, 22023 quantity or period, 22003 quantity, 22004 null, 23505 reference already used.';

CREATE FUNCTION release(lease_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'lease_release' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION release(bigint, timestamptz) IS
'Gives back the rest of a lease from an instant on, which is within the lease. Errors: 42704 unknown lease, SC005 not active then, 22004 null.';

CREATE FUNCTION cancel(lease_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'lease_cancel' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION cancel(bigint, timestamptz) IS
'Gives back a whole lease, at an instant before it begins. Errors: 42704 unknown lease, SC005 already begun or ended, 22004 null.';

CREATE FUNCTION import_leases(source regclass) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_import' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION import_leases(regclass) IS
'Admits all rows of a table or view as leases, all or none, in one pass per pool; returns how many. The source has the columns pool text, consumer text, quantity numeric, during tstzrange, reference text. Errors as reserve().';

CREATE FUNCTION availability(pool text, during tstzrange DEFAULT '(,)') RETURNS profile
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT clip(positive_part(sum(c.capacity - c.booked)), during)
	FROM calendar AS c
	WHERE c.pool_id = pool_id(availability.pool)
	AND tstzrange(c.starts, c.ends) && during;
END;
COMMENT ON FUNCTION availability(text, tstzrange) IS
'How much of a pool is free, over time, during a period; 0 outside and where there is a deficit. NULL for an empty period; error 42704 if the pool does not exist.';

