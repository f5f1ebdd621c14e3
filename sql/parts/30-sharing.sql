-- 30-sharing.sql
--		What is shared: pools, members, supply, leases, and the calendar that
--		says what is free.
--		C code: src/lease.c (verbs), src/admission.c (triggers), src/availability.c

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
	notice			interval CHECK (notice > '0'),
	horizon			interval CHECK (horizon > '0'),
	buffer			interval NOT NULL DEFAULT '0' CHECK (buffer >= '0' AND buffer < '30 days' AND extract(day FROM buffer) = 0 AND date_trunc('day', buffer) = '0'),
	instant			boolean NOT NULL DEFAULT true,
	overbooking		numeric NOT NULL DEFAULT 1 CHECK (overbooking > 0 AND overbooking <= 100 AND overbooking = round(overbooking, 2)),
	borrow			numeric DEFAULT 0 CHECK (borrow >= 0 AND borrow < 1e12 AND borrow = round(borrow, 6)),
	lend			numeric DEFAULT 0 CHECK (lend >= 0 AND lend < 1e12 AND lend = round(lend, 6)),
	cancellation	profile CHECK ('{}' <@ cancellation AND cancellation <@ profile(1)),
	preemption_notice	interval NOT NULL DEFAULT '0' CHECK (preemption_notice >= '0'),
	min_parties		integer NOT NULL DEFAULT 3 CHECK (min_parties >= 0),
	fee				numeric NOT NULL DEFAULT 0 CHECK (fee >= 0 AND fee <= 1 AND fee = round(fee, 6)),
	contributors_share	numeric NOT NULL DEFAULT 0 CHECK (contributors_share >= 0 AND contributors_share = round(contributors_share, 6)),
	rounding		text NOT NULL DEFAULT 'half_even' CHECK (money_round(0, 0, rounding) = 0),
	recorded_at		timestamptz NOT NULL DEFAULT now(),
	CHECK (min_quantity <= max_quantity),
	CHECK (min_duration <= max_duration),
	CHECK (fee + contributors_share <= 1)
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
COMMENT ON COLUMN pool.notice IS 'Terms: how long before it begins a lease must be reserved at the latest; NULL for no limit.';
COMMENT ON COLUMN pool.horizon IS 'Terms: how far from now a lease may end at the latest; NULL for no limit. Excludes open-ended leases.';
COMMENT ON COLUMN pool.buffer IS 'Terms: how long the quantity is kept free after each lease, for example to clean up; hours and less.';
COMMENT ON COLUMN pool.instant IS 'Terms: whether a lease is booked at once; if not, it is held until the steward confirms it.';
COMMENT ON COLUMN pool.overbooking IS 'Terms: how many times the capacity may be booked: 1.2 lets leases take 120 % of it.';
COMMENT ON COLUMN pool.borrow IS 'How much more than its own capacity the pool may use of its parent''s; NULL for as much as is free there. (Kueue: borrowingLimit.)';
COMMENT ON COLUMN pool.lend IS 'How much of its own capacity, while it does not use it, the pool leaves to its parent and thus to the parent''s other children; NULL for all. (Kueue: lendingLimit.)';
COMMENT ON COLUMN pool.cancellation IS 'Terms: which part of the price is paid back, by how long before the start a lease is given back: a profile from 0 to 1 over lead_time(). NULL if all is.';
COMMENT ON COLUMN pool.preemption_notice IS 'Terms: how long before a preemptible lease is reclaimed its consumer is told.';
COMMENT ON COLUMN pool.min_parties IS 'Terms: how many parties, besides its own, must have leases on a day for the pool''s use on that day to be told to a member that is no steward or auditor: see utilization_report().';
COMMENT ON COLUMN pool.fee IS 'Terms: which part of what is charged for the pool is its steward''s, from 0 to 1, with at most 6 decimal places.';
COMMENT ON COLUMN pool.contributors_share IS 'Terms: which part of what is charged goes to the contributors of the project that made what is shared, likewise; the rest is the providers''.';
COMMENT ON COLUMN pool.rounding IS 'How the total of an invoice is rounded to the places of the currency: a mode of money_round(), half_even unless the law says otherwise (half_up).';
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

CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON membership
	FOR EACH STATEMENT EXECUTE FUNCTION access_changed();

CREATE TABLE supply (
	pool_id		bigint NOT NULL REFERENCES pool,
	supply_id	bigint GENERATED ALWAYS AS IDENTITY,
	provider_id	bigint NOT NULL REFERENCES party,
	quantity	numeric NOT NULL CHECK (quantity <> 0 AND abs(quantity) < 1e12 AND quantity = round(quantity, 6)),
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND (upper_inf(during) OR isfinite(upper(during)))),
	cost_rate	numeric CHECK (cost_rate >= 0 AND cost_rate < 'Infinity'),
	power		numeric CHECK (power >= 0 AND power < 'Infinity'),
	embodied	numeric CHECK (embodied >= 0 AND embodied < 'Infinity'),
	region		text CHECK (region <> ''),
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
COMMENT ON COLUMN supply.cost_rate IS 'What a unit costs its provider for an hour, in the pool''s currency; NULL if it is not known.';
COMMENT ON COLUMN supply.power IS 'What a unit draws, in watts; NULL if it is not known.';
COMMENT ON COLUMN supply.embodied IS 'What was emitted to make a unit, in grams of CO2 equivalent for each hour of its life; NULL if it is not known.';
COMMENT ON COLUMN supply.region IS 'Where it is, as the grid intensity calls it; NULL if it is not known.';
COMMENT ON COLUMN supply.recorded_at IS 'When the row was written.';

CREATE TABLE lease (
	pool_id		bigint NOT NULL REFERENCES pool,
	lease_id	bigint GENERATED ALWAYS AS IDENTITY,
	consumer_id	bigint NOT NULL REFERENCES party,
	quantity	numeric NOT NULL CHECK (quantity > 0 AND quantity < 1e12 AND quantity = round(quantity, 6)),
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND (upper_inf(during) OR isfinite(upper(during)))),
	price		numeric CHECK (price >= 0 AND price < 'Infinity'),
	reference	text,
	booking_id	bigint,
	held_until	timestamptz,
	preemptible	boolean NOT NULL DEFAULT false,
	buffer		interval NOT NULL DEFAULT '0' CHECK (buffer >= '0' AND buffer < '30 days' AND extract(day FROM buffer) = 0 AND date_trunc('day', buffer) = '0'),
	cancellation	profile,
	ended_at	timestamptz CHECK (isfinite(ended_at)),
	end_reason	text CHECK (end_reason IN ('released', 'cancelled', 'expired', 'reclaimed', 'amended')),
	refund		numeric CHECK (refund >= 0 AND refund <= 1),
	effective	tstzrange NOT NULL GENERATED ALWAYS AS (during * tstzrange(NULL, ended_at)) STORED,
	recorded_by	text NOT NULL DEFAULT calling_role(),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, lease_id),
	UNIQUE (pool_id, reference),
	CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX lease_lease_id_idx ON lease (lease_id);
CREATE INDEX lease_consumer_id_idx ON lease (consumer_id);
CREATE INDEX lease_booking_id_idx ON lease (booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX lease_pool_id_held_until_idx ON lease (pool_id, held_until) WHERE held_until IS NOT NULL AND ended_at IS NULL;
CREATE SEQUENCE booking_id_seq;
ALTER SEQUENCE booking_id_seq OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('booking_id_seq', '');
COMMENT ON SEQUENCE booking_id_seq IS 'Keys of bookings: leases that were made by one call have the same.';
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
COMMENT ON COLUMN lease.booking_id IS 'What the lines of a bundle, reserved together, have in common.';
COMMENT ON COLUMN lease.held_until IS 'The lease is only held, until then: it holds its quantity, and ends unless it is confirmed. NULL once it is.';
COMMENT ON COLUMN lease.preemptible IS 'Whether the lease may be reclaimed, with the pool''s notice, and goes first where supply is withdrawn.';
COMMENT ON COLUMN lease.buffer IS 'How long the quantity is kept free after the lease.';
COMMENT ON COLUMN lease.cancellation IS 'The pool''s cancellation policy when the lease was reserved.';
COMMENT ON COLUMN lease.ended_at IS 'When the lease was given back before its end; NULL if it was not.';
COMMENT ON COLUMN lease.end_reason IS 'released (after its start), cancelled (before), expired (held and not confirmed), reclaimed or amended (its rest has another quantity, and is a lease of its own).';
COMMENT ON COLUMN lease.refund IS 'Which part of the price of the time given back is paid back, from 0 to 1; NULL if the lease did not end early.';
COMMENT ON COLUMN lease.effective IS 'The period for which the lease really holds its quantity: during, up to ended_at; empty if it was cancelled.';
COMMENT ON COLUMN lease.recorded_by IS 'The role that made the lease.';
COMMENT ON COLUMN lease.recorded_at IS 'When the row was written.';

CREATE TABLE quota (
	pool_id		bigint NOT NULL REFERENCES pool,
	quota_id	bigint GENERATED ALWAYS AS IDENTITY,
	party_id	bigint NOT NULL REFERENCES party,
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND (upper_inf(during) OR isfinite(upper(during)))),
	own			numeric CHECK (own >= 0 AND own < 1e12 AND own = round(own, 6)),
	borrow		numeric CHECK (borrow >= 0 AND borrow < 1e12 AND borrow = round(borrow, 6)),
	lend		numeric CHECK (lend >= 0 AND lend < 1e12 AND lend = round(lend, 6)),
	budget		numeric CHECK (budget >= 0 AND budget < 1e12 AND budget = round(budget, 6)),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, quota_id),
	CHECK (own IS NOT NULL OR (borrow IS NULL AND lend IS NULL)),
	CHECK ((own IS NULL) <> (budget IS NULL)),
	CHECK (budget IS NULL OR NOT upper_inf(during))
);
CREATE INDEX quota_party_id_pool_id_idx ON quota (party_id, pool_id);
ALTER TABLE quota OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('quota', '');
SELECT pg_catalog.pg_extension_config_dump('quota_quota_id_seq', '');

COMMENT ON TABLE quota IS 'A party''s limit in a pool during a period, or its budget of unit-hours for that time. Of leases in this pool itself, not in pools below it. Every statement that changes this table is carried into the calendar at once; what is leased already stays, as a deficit of the quota.';
COMMENT ON COLUMN quota.pool_id IS 'The pool.';
COMMENT ON COLUMN quota.quota_id IS 'Key within the pool, above 0.';
COMMENT ON COLUMN quota.party_id IS 'The consumer that it is for.';
COMMENT ON COLUMN quota.during IS 'When the quota is in force; before and after, the party is as free as if it had none. A party has one limit at a time, and any number of budgets.';
COMMENT ON COLUMN quota.own IS 'The quantity that is the party''s own: it may lease that much. NULL for a budget. (Kueue: nominalQuota.)';
COMMENT ON COLUMN quota.borrow IS 'How much more than its own it may lease while the pool has it; NULL for as much as there is. (Kueue: borrowingLimit.)';
COMMENT ON COLUMN quota.lend IS 'How much of its own others may lease while it does not; the rest is kept for it. NULL for all. (Kueue: lendingLimit.)';
COMMENT ON COLUMN quota.budget IS 'How many unit-hours the party may lease during the period; each lease counts rounded to 6 decimal places. NULL for a limit.';
COMMENT ON COLUMN quota.recorded_at IS 'When the row was written.';

-- Derived from supply, lease and quota by triggers, and therefore not dumped.
CREATE TABLE calendar (
	pool_id		bigint NOT NULL REFERENCES pool ON DELETE CASCADE,
	quota_id	bigint NOT NULL DEFAULT 0,
	starts		timestamptz NOT NULL,
	ends		timestamptz NOT NULL,
	capacity	profile NOT NULL DEFAULT '{}',
	allowance	profile NOT NULL DEFAULT '{}',
	booked		profile NOT NULL DEFAULT '{}',
	deficit		profile NOT NULL DEFAULT '{}',
	PRIMARY KEY (pool_id, quota_id, starts),
	CHECK (starts < ends),
	CONSTRAINT calendar_not_overbooked CHECK (booked <@ capacity + allowance + deficit)
) WITH (fillfactor = 50, toast_tuple_target = 4080);
ALTER TABLE calendar OWNER TO @extowner@;

COMMENT ON TABLE calendar IS 'How much a pool (or a quota of it) has and how much of it is booked, over time, in pages that partition its time line. Derived from supply, lease and quota by triggers; the page that admission reads and writes.';
COMMENT ON COLUMN calendar.pool_id IS 'The pool.';
COMMENT ON COLUMN calendar.quota_id IS 'The quota; 0 for the pool itself.';
COMMENT ON COLUMN calendar.starts IS 'First instant of the page; -infinity for the first page.';
COMMENT ON COLUMN calendar.ends IS 'End of the page, and start of the next; infinity for the last page.';
COMMENT ON COLUMN calendar.capacity IS 'Sum of supply during the page, and of what the pool''s children lend; of a quota, its own quantity; of a budget, its unit-hours.';
COMMENT ON COLUMN calendar.allowance IS 'What may be booked beyond the capacity: by overbooking, and borrowed from the parent or the pool (10^10 for no limit).';
COMMENT ON COLUMN calendar.booked IS 'Sum of leases during the page, with the buffers after them, what quotas keep and do not use, and what the pool''s children take; of a budget, the unit-hours used.';
COMMENT ON COLUMN calendar.deficit IS 'What is booked beyond capacity and allowance, because supply was withdrawn under leases, or a limit lowered.';
COMMENT ON CONSTRAINT calendar_not_overbooked ON calendar IS 'At no instant is more booked than there is, except for a recorded deficit.';

CREATE FUNCTION occupied(effective tstzrange, buffer interval) RETURNS tstzrange
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	WHEN buffer = '0' OR isempty(effective) OR upper_inf(effective) THEN effective
	ELSE tstzrange(lower(effective), upper(effective) + buffer)
	END;
COMMENT ON FUNCTION occupied(tstzrange, interval) IS 'The time for which a lease keeps its quantity from others: its effective period and the buffer after it.';

CREATE FUNCTION calendar_of_pools() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_pools' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_pools() IS 'Trigger: gives new pools a calendar, and makes it again where parent, borrow, lend or overbooking change. Error 22023 if a pool is its own ancestor.';
CREATE FUNCTION calendar_of_supply() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_supply' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_supply() IS 'Trigger: carries changes of supply into the calendar. Errors: SC002 if a provider would supply less than nothing, 22003.';
CREATE FUNCTION calendar_of_leases() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_leases' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_leases() IS 'Trigger: carries changes of leases into the calendar. Errors: SC001 if there is not enough capacity, SC006 if there is not enough of a quota, 22003.';
CREATE FUNCTION calendar_of_quotas() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_quotas' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_quotas() IS 'Trigger: carries changes of quotas into the calendar. Errors: SC001 if the pool has not enough for what a quota keeps, 23P01 if a party would have two limits at a time, 22003.';

CREATE FUNCTION rebuild_calendar() RETURNS void
	AS 'MODULE_PATHNAME', 'calendar_rebuild' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION rebuild_calendar() IS 'Makes the calendars of all pools again, from supply, leases and quotas: needed after a restore that disabled triggers (pg_restore --data-only --disable-triggers), and never else. What does not fit becomes a deficit.';

CREATE FUNCTION pool_refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pool_refuse_change' LANGUAGE C;
COMMENT ON FUNCTION pool_refuse_change() IS 'Trigger: keeps unit, currency and rounding of a pool as they are; error 55000.';
CREATE TRIGGER keep_unit_and_currency BEFORE UPDATE ON pool
	FOR EACH ROW WHEN (OLD.unit <> NEW.unit OR OLD.currency <> NEW.currency OR OLD.rounding <> NEW.rounding) EXECUTE FUNCTION pool_refuse_change();

CREATE TRIGGER calendar_insert AFTER INSERT ON pool REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_pools();
CREATE TRIGGER calendar_update AFTER UPDATE ON pool REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_pools();
CREATE FUNCTION calendar_of_deletions() RETURNS trigger
	AS 'MODULE_PATHNAME', 'calendar_of_deletions' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION calendar_of_deletions() IS 'Trigger: lets no lease be made while pools or parties are deleted, or get other keys.';
CREATE TRIGGER calendar_delete BEFORE DELETE OR UPDATE OF pool_id ON pool
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_deletions();
CREATE TRIGGER calendar_delete BEFORE DELETE OR UPDATE OF party_id ON party
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_deletions();

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
CREATE TRIGGER calendar_insert AFTER INSERT ON quota REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_quotas();
CREATE TRIGGER calendar_update AFTER UPDATE ON quota REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_quotas();
CREATE TRIGGER calendar_delete AFTER DELETE ON quota REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_quotas();
CREATE TRIGGER calendar_truncate AFTER TRUNCATE ON quota
	FOR EACH STATEMENT EXECUTE FUNCTION calendar_of_quotas();

-- the verbs

CREATE FUNCTION pool_id(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'pool_id' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION pool_id(text) IS 'The key of the pool of that name; error 42704 if there is none that the caller may know of.';

CREATE FUNCTION invite(pool text, party text, role text DEFAULT 'consumer', weight numeric DEFAULT 1)
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO membership (pool_id, party_id, role, weight)
	VALUES (require_pool(invite.pool, 'steward'), party_id(invite.party), invite.role, invite.weight);
END;
COMMENT ON FUNCTION invite(text, text, text, numeric) IS
'Invites a party to be steward, provider, consumer or auditor of a pool, with a fair-share weight; for stewards of the pool. Errors: 42501 if the caller is none, 42704 if pool or party do not exist, or the caller may not know of them, 23505 if already invited, 23514 for another role.';

CREATE FUNCTION accept(pool text, party text, role text DEFAULT 'consumer') RETURNS void
	AS 'MODULE_PATHNAME', 'membership_accept' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION accept(text, text, text) IS
'Accepts an invitation; for those who act for the party. Errors: 42501 if the caller does not, 42704 if pool or party do not exist, SC004 if there is no open invitation.';

CREATE FUNCTION add_supply(pool text, provider text, quantity numeric, during tstzrange,
	cost_rate numeric DEFAULT NULL, power numeric DEFAULT NULL, embodied numeric DEFAULT NULL, region text DEFAULT NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'supply_add' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION add_supply(text, text, numeric, tstzrange, numeric, numeric, numeric, text) IS
'A provider adds a quantity to a pool during a half-open period, which may be open-ended; returns the supply''s key. What a unit costs the provider, draws and emits, and where it is, may be told (see the columns of table supply). Errors: 42501 the caller does not act for the provider, 42704 unknown name, SC004 not a provider, 22023 quantity or period, 22003 quantity (of 10^12 or more, or of more than 6 decimal places), 22004 null, 23514 cost, power or emission that is none, or an empty region.';

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

CREATE FUNCTION booking_violation(pool pool, during tstzrange)
	RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	WHEN lower(during) < now() + (pool).notice
		THEN format('The period begins in less than %s.', (pool).notice)
	WHEN (pool).horizon IS NOT NULL AND upper_inf(during)
		THEN format('The period is open-ended; the end must be within %s.', (pool).horizon)
	WHEN upper(during) > now() + (pool).horizon
		THEN format('The period ends more than %s from now.', (pool).horizon)
	END;
COMMENT ON FUNCTION booking_violation(pool, tstzrange) IS
'Why a period could not be reserved now on the terms of a pool: its notice and horizon; NULL if it could.';

CREATE FUNCTION lead_time(lead_time interval) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'lead_time' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lead_time(interval) IS
'Where a time before the start of a lease stands in a cancellation policy, which is a profile over lead time: 2000-01-01 00:00 UTC is the start itself, later is earlier before it, and before that the lease has begun. gauge_profile(lead_time(lead), refund) makes a policy. Error 22023 for months.';

CREATE FUNCTION reserve(pool text, consumer text, quantity numeric, during tstzrange, reference text DEFAULT NULL,
	hold_for interval DEFAULT NULL, preemptible boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_reserve' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reserve(text, text, numeric, tstzrange, text, interval, boolean) IS
'Leases a quantity of a pool to a consumer during a half-open period, which may be open-ended, at the pool''s present price; returns the lease''s key. With a reference, the same call again returns the same lease. With hold_for, or if the pool is not instant, the lease is only held until confirm(); at most for hold_for, and until it begins. Errors: SC001 not enough capacity (the detail says from when and how much, the hint when it can be had), SC003 outside the pool''s terms, SC004 not a consumer of the pool, SC006 quota or budget exceeded, 42501 the caller does not act for the consumer, 42704 unknown name, 22023 quantity or period, 22003 quantity, 22004 null, 23505 reference already used for another lease.';

CREATE FUNCTION reserve_bundle(pools text[], consumer text, quantities numeric[], periods tstzrange[], reference text DEFAULT NULL,
	hold_for interval DEFAULT NULL, preemptible boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_reserve_bundle' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reserve_bundle(text[], text, numeric[], tstzrange[], text, interval, boolean) IS
'Leases several lines, all or none: a quantity of each pool during each period; an array of one element counts for all lines, so that one pool can be reserved for many periods (see recurring). Returns the booking_id that the leases have in common. Errors: 2202E arrays of different lengths, and those of reserve for one pool.';

CREATE FUNCTION recurring(first tstzrange, every interval, count integer, time_zone text DEFAULT 'UTC') RETURNS SETOF tstzrange
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 50
BEGIN ATOMIC
	-- days and months are added in local time, hours are hours; the first is as it was given
	SELECT tstzrange(r.starts, r.ends)
	FROM generate_series(0, count - 1) AS n,
	LATERAL (SELECT timezone(time_zone, lower(first)) + n * date_trunc('day', every),
		timezone(time_zone, upper(first)) + n * date_trunc('day', every)) AS local (starts, ends),
	LATERAL (SELECT CASE WHEN n = 0 THEN lower(first) ELSE timezone(time_zone, local.starts) + n * (every - date_trunc('day', every)) END,
		CASE WHEN n = 0 THEN upper(first) ELSE timezone(time_zone, local.ends) + n * (every - date_trunc('day', every)) END) AS r (starts, ends)
	WHERE r.starts < r.ends
	AND timezone(time_zone, timezone(time_zone, local.starts)) = local.starts;
END;
COMMENT ON FUNCTION recurring(tstzrange, interval, integer, text) IS
'A bounded period and its repetitions, so many in all: every day or month at the same local time, across changes of daylight saving time, too. One that would begin at a local time that does not exist on its day is left out; an end that does not exist is so much later.';

CREATE FUNCTION confirm(lease_id bigint, steward text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'lease_confirm' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION confirm(bigint, text) IS
'Makes a lease of a hold; by a steward, if the pool is not instant. Does nothing for a lease that is confirmed. Errors: 42501 the caller acts neither for the consumer nor for a steward, or not for that one, 42704 unknown lease or party, SC004 not a steward of the pool, SC005 the hold has expired or ended, 22004 null.';

CREATE FUNCTION expire_holds() RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_expire_holds' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION expire_holds() IS
'Ends all holds that were not confirmed in time, and returns how many. reserve() does that for its own pool; it is only for pools that share a parent that it may be worth to do it for all.';

CREATE FUNCTION amend(lease_id bigint, quantity numeric DEFAULT NULL, during tstzrange DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_amend' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION amend(bigint, numeric, tstzrange, timestamptz) IS
'Changes the quantity or period of a lease, at its price; NULL leaves it as it is. What the lease holds itself is not in its way. Of the pool''s terms, notice and horizon are only for what is added. Of a lease that has begun, only the end can be moved, and with another quantity the rest becomes a lease of its own, whose key is returned. Errors: those of reserve(), 42704 unknown lease, SC003 also for taking something from a lease with a cancellation policy, SC005 ended, or a change of what is past.';

CREATE FUNCTION release(lease_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'lease_release' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION release(bigint, timestamptz) IS
'Gives back the rest of a lease from an instant on, which is within the lease; its cancellation policy says what part of the price of the rest is paid back (see lease.refund). Errors: 42501 the caller does not act for the consumer, 42704 unknown lease, SC005 not active then, 22004 null.';

CREATE FUNCTION cancel(lease_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'lease_cancel' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION cancel(bigint, timestamptz) IS
'Gives back a whole lease, at an instant before it begins; its cancellation policy says what part of the price is paid back (see lease.refund). Errors: 42501 the caller does not act for the consumer, 42704 unknown lease, SC005 already begun or ended, 22004 null.';

CREATE FUNCTION reclaim(lease_id bigint, at timestamptz DEFAULT NULL) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'lease_reclaim' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reclaim(bigint, timestamptz) IS
'Takes back a preemptible lease (for stewards of the pool) at an instant, by default as soon as the pool''s notice allows, and returns when that is. The price of the rest is paid back. Errors: 42501 not a steward, 42704 unknown lease, SC003 not preemptible or too soon, SC005 not active then, 22004 null.';

CREATE FUNCTION import_leases(source regclass) RETURNS bigint
	AS 'MODULE_PATHNAME', 'lease_import' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION import_leases(regclass) IS
'Admits all rows of a table or view as leases, all or none, in one pass per pool; returns how many. The source has the columns pool text, consumer text, quantity numeric, during tstzrange, reference text, and is read with the caller''s rights. For stewards of all the pools. Errors as reserve(), and 42501 not a steward. For leases that exist already: of the terms only quantity and duration are checked, and no buffer is kept after them.';

-- From the root of the pool's tree down, what each pool could take for one of
-- its own: what it keeps for itself, and what its parent would give it.
CREATE FUNCTION calendar_free(pool_id bigint, quota_id bigint, during tstzrange) RETURNS profile
	AS 'MODULE_PATHNAME', 'calendar_free' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION calendar_free(bigint, bigint, tstzrange) IS
'What the calendar of a pool (or of a quota of it) has left during a period: capacity and allowance less what is booked, negative where there is a deficit. NULL for an empty period, and to callers who are no members of the pool (of a quota: no stewards or auditors).';

CREATE FUNCTION availability_in_tree(pool text, during tstzrange, consumer text, without bigint[], additional profile)
	RETURNS profile LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE ancestor AS (
		SELECT p.pool_id, p.parent_id, p.borrow, p.lend, p.overbooking, 0 AS height
		FROM pool AS p
		WHERE p.pool_id = pool_id(availability_in_tree.pool)
		UNION ALL
		SELECT p.pool_id, p.parent_id, p.borrow, p.lend, p.overbooking, a.height + 1
		FROM pool AS p
		JOIN ancestor AS a ON a.parent_id = p.pool_id
	), node AS MATERIALIZED (
		SELECT a.height, a.parent_id, a.overbooking,
			coalesce(sum(c.capacity + c.allowance), '{}') AS limited,
			coalesce(sum(c.booked), '{}') AS booked,
			CASE WHEN a.lend IS NULL THEN '{}' ELSE positive_part(coalesce(sum(c.capacity), '{}') - profile(a.lend)) END AS kept,
			-- the most that it takes of its parent: what it lends, and what it may borrow
			CASE WHEN a.lend IS NULL THEN coalesce(sum(c.capacity), '{}') ELSE pointwise_min(coalesce(sum(c.capacity), '{}'), profile(a.lend)) END
				+ profile(coalesce(a.borrow, 1e10)) AS most
		FROM ancestor AS a
		LEFT JOIN calendar AS c ON c.pool_id = a.pool_id AND c.quota_id = 0
			AND tstzrange(c.starts, c.ends) && during
		GROUP BY a.height, a.parent_id, a.borrow, a.lend, a.overbooking
	), changed AS MATERIALIZED (
		-- leases that are thought away or in addition, and holds that have expired
		SELECT l.consumer_id, sum(l.load) AS load
		FROM (
			SELECT l.consumer_id, '{}' - profile(occupied(l.effective, l.buffer), l.quantity) AS load
			FROM lease AS l
			WHERE l.pool_id = pool_id(availability_in_tree.pool)
			AND l.held_until <= now() AND l.ended_at IS NULL AND l.lease_id <> ALL (coalesce(without, '{}'))
			AND NOT isempty(l.effective)
			UNION ALL
			SELECT l.consumer_id, '{}' - profile(occupied(l.effective, l.buffer), l.quantity)
			FROM lease AS l
			WHERE l.pool_id = pool_id(availability_in_tree.pool)
			AND l.lease_id = ANY (without) AND (acts_for(l.consumer_id) OR has_pool_role(l.pool_id, 'steward', 'auditor'))
			AND NOT isempty(l.effective)
			UNION ALL
			SELECT party_id(availability_in_tree.consumer), availability_in_tree.additional
		) AS l
		GROUP BY l.consumer_id
	), quota_node AS MATERIALIZED (
		SELECT q.party_id, q.during, profile(q.during, greatest(q.own - coalesce(q.lend, q.own), 0)) AS kept,
			page.limited, page.booked, clip(changed.load, q.during) AS load
		FROM changed
		JOIN quota AS q ON q.party_id = changed.consumer_id,
		LATERAL (SELECT coalesce(sum(c.capacity + c.allowance), '{}') AS limited, coalesce(sum(c.booked), '{}') AS booked
			FROM calendar AS c
			WHERE c.pool_id = q.pool_id AND c.quota_id = q.quota_id
			AND tstzrange(c.starts, c.ends) && availability_in_tree.during) AS page
		WHERE q.pool_id = pool_id(availability_in_tree.pool)
		AND q.own IS NOT NULL AND q.during && availability_in_tree.during
	), shift AS (
		-- what that means for the pool, of which quotas keep a part anyway, and so on for its ancestors
		SELECT 0 AS height, (SELECT sum(changed.load) FROM changed)
			+ coalesce((SELECT sum(pointwise_max(q.booked + q.load, q.kept) - pointwise_max(q.booked, q.kept) - q.load)
				FROM quota_node AS q), '{}') AS load
		UNION ALL
		SELECT n.height + 1, pointwise_min(positive_part(n.booked + shift.load - n.kept), n.most)
			- pointwise_min(positive_part(n.booked - n.kept), n.most)
		FROM shift
		JOIN node AS n ON n.height = shift.height
		WHERE n.parent_id IS NOT NULL
	), free AS (
		SELECT node.height, positive_part(node.limited - node.booked - shift.load) AS quantity
		FROM node
		JOIN shift ON shift.height = node.height
		WHERE node.parent_id IS NULL
		UNION ALL
		SELECT node.height,
			fit.quantity + CASE WHEN node.overbooking = 1 THEN '{}'
				-- what is overbooked takes nothing of the parent; it is there where the parent has all the rest
				ELSE (fit.room - fit.quantity) * (profile(1) - 100000000 * pointwise_min(profile(0.00000001), pointwise_min(profile(1),
					positive_part(node.most - positive_part(node.booked + shift.load - node.kept) - free.quantity)))) END
		FROM free
		JOIN node ON node.height = free.height - 1
		JOIN shift ON shift.height = node.height,
		LATERAL (SELECT r.room, pointwise_min(r.room, positive_part(node.kept - node.booked - shift.load) + free.quantity) AS quantity
			FROM (SELECT positive_part(node.limited - node.booked - shift.load) AS room) AS r) AS fit
	)
	SELECT CASE WHEN NOT isempty(during) THEN clip(free.quantity + coalesce((
			SELECT sum(positive_part(q.kept - q.booked - q.load)
				+ pointwise_min(clip(free.quantity, q.during),
					positive_part(q.limited - pointwise_max(q.booked + q.load, q.kept)))
				- clip(free.quantity, q.during))
			FROM quota_node AS q
			WHERE q.party_id = party_id(availability_in_tree.consumer)), '{}'), during) END
	FROM free
	WHERE free.height = 0;
END;
COMMENT ON FUNCTION availability_in_tree(text, tstzrange, text, bigint[], profile) IS 'What availability() returns, for a pool that may have a parent and a consumer that may have quotas.';

CREATE FUNCTION availability(pool text, during tstzrange DEFAULT '(,)', consumer text DEFAULT NULL,
	without bigint[] DEFAULT NULL, additional profile DEFAULT '{}') RETURNS profile
	AS 'MODULE_PATHNAME', 'availability' LANGUAGE C STABLE PARALLEL SAFE COST 1000
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION availability(text, tstzrange, text, bigint[], profile) IS
'How much of a pool is free, over time, during a period; 0 outside and where there is a deficit. With a consumer, how much it can lease: within its quota there (but not its budgets), and including what that keeps for it. What if: without these leases, by their keys (of those that the caller may see), or with an additional load (such as load_profile of leases one thinks of; those of the consumer, if there is one). Takes no locks; holds that have expired count as free. NULL for an empty period; errors: 42704 if the pool or consumer does not exist, 42501 if the caller neither acts for the consumer nor is steward or auditor.';

CREATE FUNCTION set_quota(pool text, party text, during tstzrange, own numeric DEFAULT NULL, borrow numeric DEFAULT 0,
	lend numeric DEFAULT NULL, budget numeric DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO quota (pool_id, party_id, during, own, borrow, lend, budget)
	VALUES (require_pool(set_quota.pool, 'steward'), party_id(set_quota.party), set_quota.during, set_quota.own,
		CASE WHEN set_quota.own IS NOT NULL THEN set_quota.borrow END, set_quota.lend, set_quota.budget)
	RETURNING quota.quota_id;
END;
COMMENT ON FUNCTION set_quota(text, text, tstzrange, numeric, numeric, numeric, numeric) IS
'Limits what a party may lease of a pool during a period (for stewards of the pool): to a quantity of its own and what it may borrow (by default nothing, NULL for all there is), of which it keeps what it does not lend (by default nothing); or to a budget of unit-hours. Returns the quota''s key. Errors: 42501 not a steward, 42704 unknown name, 23514 neither own nor budget or numbers that make no sense, SC001 the pool has not enough for what is kept, 23P01 the party has another limit at that time.';

CREATE FUNCTION find_slots(pools text[], quantity numeric, duration interval, during tstzrange, count integer DEFAULT 10,
	cheapest boolean DEFAULT false, consumer text DEFAULT NULL)
	RETURNS TABLE (pool text, period tstzrange, cost numeric, currency text)
	AS 'MODULE_PATHNAME', 'availability_find_slots' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION find_slots(text[], numeric, interval, tstzrange, integer, boolean, text) IS
'When and in which of some pools (NULL for all that the caller is a member of) a quantity is free for a duration, within a time that has a start: so many slots, the earliest first, or the cheapest; one for each stretch of time that is long enough, with the pool''s buffer after it. The cost is that at the pool''s present price. With a consumer, within its quotas. Takes no locks. Errors: 22023 duration not positive or with months, no start, or a negative count; 42704 unknown consumer; 42501 the caller neither acts for it nor is steward or auditor of each pool.';

CREATE FUNCTION check_calendar(pool text DEFAULT NULL)
	RETURNS TABLE (pool_name text, quota_id bigint, what text, at timestamptz, difference numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH page AS (
		SELECT c.pool_id, c.quota_id, c.capacity, c.allowance, c.booked, c.deficit,
			c.starts IS DISTINCT FROM lag(c.ends, 1, '-infinity') OVER node
				OR (lead(c.starts) OVER node IS NULL AND c.ends <> 'infinity') AS gap, c.starts
		FROM calendar AS c
		WINDOW node AS (PARTITION BY c.pool_id, c.quota_id ORDER BY c.starts)
	), node AS MATERIALIZED (
		SELECT page.pool_id, page.quota_id, min(page.starts) FILTER (WHERE page.gap) AS gap_at,
			sum(page.capacity) AS capacity, sum(page.allowance) AS allowance,
			sum(page.booked) AS booked, sum(page.deficit) AS deficit
		FROM page
		GROUP BY page.pool_id, page.quota_id
	), child AS (
		-- what pools give to their parents, and take of them
		SELECT p.parent_id, sum(lent.quantity) AS lent,
			sum(pointwise_min(positive_part(n.booked - (n.capacity - lent.quantity)),
				lent.quantity + profile(coalesce(p.borrow, 1e10)))) AS taken
		FROM pool AS p
		JOIN node AS n ON n.pool_id = p.pool_id AND n.quota_id = 0,
		LATERAL (SELECT CASE WHEN p.lend IS NULL THEN n.capacity ELSE pointwise_min(n.capacity, profile(p.lend)) END) AS lent (quantity)
		WHERE p.parent_id IS NOT NULL
		GROUP BY p.parent_id
	), kept AS (
		SELECT q.pool_id, sum(pointwise_max(n.booked, profile(q.during, greatest(q.own - coalesce(q.lend, q.own), 0))) - n.booked) AS quantity
		FROM quota AS q
		JOIN node AS n ON n.pool_id = q.pool_id AND n.quota_id = q.quota_id
		WHERE q.own IS NOT NULL
		GROUP BY q.pool_id
	), expected AS (
		SELECT p.pool_id, 0::bigint AS quota_id, e.capacity,
			e.capacity * (p.overbooking - 1)
				+ CASE WHEN p.parent_id IS NULL THEN '{}' ELSE profile(coalesce(p.borrow, 1e10)) END AS allowance,
			coalesce(report_progress((SELECT load_profile(occupied(l.effective, l.buffer), l.quantity) FROM lease AS l WHERE l.pool_id = p.pool_id),
					format('leases of pool "%s" are added up', p.name)), '{}')
				+ coalesce(kept.quantity, '{}') + coalesce(child.taken, '{}') AS booked
		FROM pool AS p
		LEFT JOIN child ON child.parent_id = p.pool_id
		LEFT JOIN kept ON kept.pool_id = p.pool_id,
		LATERAL (SELECT coalesce((SELECT load_profile(s.during, s.quantity) FROM supply AS s WHERE s.pool_id = p.pool_id), '{}')
			+ coalesce(child.lent, '{}')) AS e (capacity)
		UNION ALL
		SELECT q.pool_id, q.quota_id, profile(q.during, coalesce(q.own, q.budget)),
			CASE WHEN q.own IS NULL THEN '{}' ELSE profile(q.during, coalesce(q.borrow, 1e10)) END,
			CASE WHEN q.own IS NULL
				THEN profile(q.during, coalesce((SELECT sum(round(integral(profile(l.effective, l.quantity), q.during), 6))
					FROM lease AS l
					WHERE l.pool_id = q.pool_id AND l.consumer_id = q.party_id AND l.effective && q.during), 0))
				ELSE coalesce(report_progress((SELECT clip(load_profile(occupied(l.effective, l.buffer), l.quantity), q.during)
						FROM lease AS l
						WHERE l.pool_id = q.pool_id AND l.consumer_id = q.party_id),
					format('leases of quota %s are added up', q.quota_id)), '{}') END
		FROM quota AS q
	)
	SELECT p.name, coalesce(e.quota_id, n.quota_id), d.what, s.at, s.quantity
	FROM expected AS e
	FULL JOIN node AS n ON n.pool_id = e.pool_id AND n.quota_id = e.quota_id
	LEFT JOIN pool AS p ON p.pool_id = coalesce(e.pool_id, n.pool_id),
	LATERAL (VALUES
		('capacity', n.capacity - e.capacity),
		('allowance', n.allowance - e.allowance),
		('booked', n.booked - e.booked),
		('deficit', n.deficit - positive_part(e.booked - e.capacity - e.allowance)),
		('overbooked', positive_part(n.booked - n.capacity - n.allowance - n.deficit)),
		('pages', CASE WHEN e.pool_id IS NULL OR n.pool_id IS NULL THEN profile(1)
			WHEN n.gap_at IS NOT NULL THEN profile(tstzrange(n.gap_at, NULL), 1) END)
	) AS d (what, difference),
	LATERAL (
		SELECT lower(t.period), t.quantity
		FROM steps(d.difference) AS t
		WHERE t.quantity <> 0
		ORDER BY lower(t.period)
		LIMIT 1
	) AS s (at, quantity)
	WHERE (check_calendar.pool IS NULL OR p.name = check_calendar.pool) AND (p.pool_id IS NULL OR has_pool_role(p.pool_id, 'steward', 'auditor'))
	ORDER BY p.name, coalesce(e.quota_id, n.quota_id), d.what;
END;
COMMENT ON FUNCTION check_calendar(text) IS
'In what the calendar of a pool (NULL for all that the caller is steward or auditor of) differs from what supply, leases and quotas add up to; no rows: it does not. For each node (quota_id 0 is the pool itself) what is wrong (capacity, allowance, booked, deficit; overbooked; pages that are missing or leave a gap), from when on, and by how much. Reads all leases of the pools.';

-- What a lease opens: for policies on tables of other people's.

CREATE FUNCTION has_lease(pool text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'has_lease' LANGUAGE C STABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION has_lease(text) IS 'Whether a party that the caller acts for has a lease of a pool now: a confirmed one, at the start of the transaction. False if there is no such pool, and for the operator, who is a party to nothing. For policies of tables that hold what is leased, such as USING (has_lease(''corpus'')): it takes no lock, fails for no argument, and is looked up once a statement, so that a row costs what a comparison does. USING ((SELECT has_lease(''corpus''))), where the planner sees that it is asked once, costs still less.';

CREATE FUNCTION has_lease(pool text, at timestamptz) RETURNS boolean
	AS 'MODULE_PATHNAME', 'has_lease_at' LANGUAGE C STABLE STRICT PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION has_lease(text, timestamptz) IS 'Whether a party that the caller acts for has a lease of a pool at an instant: as has_lease(pool), for rows that say when they are of.';
