-- 50-billing.sql
--		Money: what is used, what that costs, and the periods it is billed in.
--		C code: src/usage.c

CREATE TABLE billing_period (
	pool_id		bigint NOT NULL REFERENCES pool,
	billing_period_id	bigint GENERATED ALWAYS AS IDENTITY,
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND NOT upper_inf(during) AND isfinite(upper(during))),
	closed_at	timestamptz CHECK (isfinite(closed_at)),
	digest		bytea,
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, billing_period_id),
	CHECK ((closed_at IS NULL) = (digest IS NULL)),
	EXCLUDE USING gist (int8range(pool_id, pool_id, '[]') WITH &&, during WITH &&)
);
ALTER TABLE billing_period OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('billing_period', '');
SELECT pg_catalog.pg_extension_config_dump('billing_period_billing_period_id_seq', '');

CREATE TRIGGER keep_facts BEFORE DELETE OR TRUNCATE ON billing_period
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

COMMENT ON TABLE billing_period IS 'A time that is billed at once. It is open until it is closed, and a closed one never opens again.';
COMMENT ON COLUMN billing_period.pool_id IS 'The pool.';
COMMENT ON COLUMN billing_period.billing_period_id IS 'Key within the pool.';
COMMENT ON COLUMN billing_period.during IS 'Half-open and bounded; those of a pool do not overlap.';
COMMENT ON COLUMN billing_period.closed_at IS 'When it was closed; NULL while it is open.';
COMMENT ON COLUMN billing_period.digest IS 'SHA-256 of its charges and postings, and of the digest of the pool''s period before; NULL while it is open.';
COMMENT ON COLUMN billing_period.recorded_at IS 'When the row was written.';

-- Partitioned by hand: an index of the whole would be made again for each
-- partition that a dump attaches, before the dump makes its own. So each
-- partition has indexes and statement triggers of its own, from
-- create_usage_partition(). No foreign keys, as of contribution.
CREATE SEQUENCE usage_usage_id_seq;
ALTER SEQUENCE usage_usage_id_seq OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('usage_usage_id_seq', '');

CREATE TABLE usage (
	pool_id		bigint NOT NULL,
	usage_id	bigint NOT NULL DEFAULT nextval('usage_usage_id_seq'),
	consumer_id	bigint NOT NULL,
	provider_id	bigint,
	lease_id	bigint,
	meter		text COLLATE "C" NOT NULL CHECK (meter <> '' AND meter <> 'lease'),
	quantity	numeric NOT NULL CHECK (quantity > '-Infinity' AND quantity < 'Infinity'),
	during		tstzrange NOT NULL CHECK (lower_inc(during) AND isfinite(lower(during)) AND NOT upper_inf(during) AND isfinite(upper(during))),
	at			timestamptz NOT NULL CHECK (at = lower(during)),
	labels		jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
	source		text COLLATE "C" NOT NULL CHECK (source <> ''),
	source_key	text COLLATE "C" NOT NULL CHECK (source_key <> ''),
	recorded_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	recorded_by	text NOT NULL DEFAULT calling_role()
) PARTITION BY RANGE (at);
ALTER TABLE usage OWNER TO @extowner@;
CREATE TABLE usage_default PARTITION OF usage (PRIMARY KEY (pool_id, at, usage_id)) DEFAULT;
CREATE INDEX usage_default_pool_id_recorded_at_idx ON usage_default (pool_id, recorded_at);
ALTER TABLE usage_default OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('usage_default', '');

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE ON usage
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts_truncate BEFORE TRUNCATE ON usage_default
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER keep_usage AFTER DELETE ON pool REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION keep_referenced('usage', 'pool_id', 'pool_id');
CREATE TRIGGER keep_usage AFTER DELETE ON party REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION keep_referenced('usage', 'party_id', 'consumer_id', 'provider_id');
CREATE TRIGGER keep_usage AFTER DELETE ON lease REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION keep_referenced('usage', 'lease_id', 'lease_id');

COMMENT ON TABLE usage IS 'A metered quantity: what a consumer used of a pool, when. A fact, never changed: what was wrong is corrected by another row, with a negative quantity. Partitioned by time (create_usage_partition), and never twice the same thing (usage_key). Belongs to the billing period that it begins in.';
COMMENT ON COLUMN usage.pool_id IS 'The pool.';
COMMENT ON COLUMN usage.usage_id IS 'Key.';
COMMENT ON COLUMN usage.consumer_id IS 'Who used it.';
COMMENT ON COLUMN usage.provider_id IS 'Whose supply it was; NULL for whoever supplied then.';
COMMENT ON COLUMN usage.lease_id IS 'Under which lease; NULL if under none.';
COMMENT ON COLUMN usage.meter IS 'What was measured: the meter of rate. Not ''lease'', which is what is leased itself.';
COMMENT ON COLUMN usage.quantity IS 'How much; negative for a correction. In the unit of the rate of the meter. For a rate by percentile the level that held during the time.';
COMMENT ON COLUMN usage.during IS 'When; for an event, from and up to the same instant, both included.';
COMMENT ON COLUMN usage.at IS 'When it began: lower(during).';
COMMENT ON COLUMN usage.labels IS 'What else is known of it, such as a project or team to show costs by.';
COMMENT ON COLUMN usage.source IS 'Who reported it, such as a scheduler or gateway.';
COMMENT ON COLUMN usage.source_key IS 'What it is called there: one thing is never recorded twice.';
COMMENT ON COLUMN usage.recorded_at IS 'When the row was written.';
COMMENT ON COLUMN usage.recorded_by IS 'The role that did.';
COMMENT ON TABLE usage_default IS 'The partition of usage for times that have none of their own.';
COMMENT ON COLUMN usage_default.pool_id IS 'As usage.pool_id.';
COMMENT ON COLUMN usage_default.usage_id IS 'As usage.usage_id.';
COMMENT ON COLUMN usage_default.consumer_id IS 'As usage.consumer_id.';
COMMENT ON COLUMN usage_default.provider_id IS 'As usage.provider_id.';
COMMENT ON COLUMN usage_default.lease_id IS 'As usage.lease_id.';
COMMENT ON COLUMN usage_default.meter IS 'As usage.meter.';
COMMENT ON COLUMN usage_default.quantity IS 'As usage.quantity.';
COMMENT ON COLUMN usage_default.during IS 'As usage.during.';
COMMENT ON COLUMN usage_default.at IS 'As usage.at.';
COMMENT ON COLUMN usage_default.labels IS 'As usage.labels.';
COMMENT ON COLUMN usage_default.source IS 'As usage.source.';
COMMENT ON COLUMN usage_default.source_key IS 'As usage.source_key.';
COMMENT ON COLUMN usage_default.recorded_at IS 'As usage.recorded_at.';
COMMENT ON COLUMN usage_default.recorded_by IS 'As usage.recorded_by.';

CREATE TABLE usage_key (
	source		text COLLATE "C" NOT NULL,
	source_key	text COLLATE "C" NOT NULL,
	usage_id	bigint NOT NULL,
	at			timestamptz NOT NULL,
	digest		bytea NOT NULL,
	recorded_at	timestamptz NOT NULL,
	recorded_by	text NOT NULL,
	PRIMARY KEY (source, source_key)
);
ALTER TABLE usage_key OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('usage_key', '');

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_key
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION usage_once() RETURNS trigger
	AS 'MODULE_PATHNAME', 'usage_once' LANGUAGE C;
COMMENT ON FUNCTION usage_once() IS 'Trigger: leaves out usage that was recorded before. Errors: 23505 it was recorded otherwise, 23503 there is no such lease of the consumer.';
CREATE TRIGGER once BEFORE INSERT ON usage
	FOR EACH ROW EXECUTE FUNCTION usage_once();

COMMENT ON TABLE usage_key IS 'What usage was ever recorded, whatever its time and even where usage is removed (drop_usage): the same again is ignored, and something else under the same key is an error.';
COMMENT ON COLUMN usage_key.source IS 'As usage.source.';
COMMENT ON COLUMN usage_key.source_key IS 'As usage.source_key.';
COMMENT ON COLUMN usage_key.usage_id IS 'Key of the usage.';
COMMENT ON COLUMN usage_key.at IS 'When it began.';
COMMENT ON COLUMN usage_key.digest IS 'SHA-256 of what was recorded.';
COMMENT ON COLUMN usage_key.recorded_at IS 'As usage.recorded_at.';
COMMENT ON COLUMN usage_key.recorded_by IS 'As usage.recorded_by.';

CREATE FUNCTION usage_digest(pool_id bigint, consumer_id bigint, provider_id bigint, lease_id bigint, meter text, quantity numeric, during tstzrange, labels jsonb) RETURNS bytea
	AS 'MODULE_PATHNAME', 'usage_digest' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION usage_digest(bigint, bigint, bigint, bigint, text, numeric, tstzrange, jsonb) IS
'SHA-256 of what a record of usage says, as usage_key keeps it; equal for equal records, whatever settings and server. NULL if anything but provider or lease is.';

CREATE FUNCTION create_usage_partition(month date) RETURNS regclass
	AS 'MODULE_PATHNAME', 'usage_partition' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION create_usage_partition(date) IS
'Makes the partition of usage for the month (of UTC) that a day is in, and moves there what was recorded of it. Only for the owner of the extension. Errors: 42P07 it exists already, 42501 somebody else, 22004 null.';

CREATE FUNCTION drop_usage(month date) RETURNS bigint
	AS 'MODULE_PATHNAME', 'usage_drop' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION drop_usage(date) IS
'Removes the usage of the month (of UTC) that a day is in, which has a partition and is billed for good; returns how many rows there were. The partition stays, empty, and refuses what comes late (23514); usage_key stays. Billing periods with a part of the month are final: nothing of them is corrected any more, and rated() does not know what was used. Never drop a partition itself: closing would pay back all that was billed for it. Only for the owner of the extension. Errors: 55000 some of it is not billed yet, has corrections that are to be billed, or is what a prepaid commitment counts of which later months are kept (drop these first), 42P01 no such partition, 42501 somebody else, 22004 null.';

CREATE FUNCTION dropped_usage() RETURNS tstzmultirange
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(range_agg(tstzrange(timezone('UTC', m.starts), timezone('UTC', m.starts + interval '1 month'))), '{}')
	FROM pg_inherits AS i
	JOIN pg_class AS t ON t.oid = i.inhrelid
	JOIN pg_constraint AS c ON c.conrelid = t.oid AND c.conname = 'usage_dropped' AND c.contype = 'c',
	LATERAL (SELECT make_date(split_part(t.relname, '_', 2)::integer, split_part(t.relname, '_', 3)::integer, 1)::timestamp AS starts) AS m
	WHERE i.inhparent = 'usage'::regclass;
END;
COMMENT ON FUNCTION dropped_usage() IS 'Of which times usage was removed: the months of drop_usage().';

CREATE FUNCTION record_usage(pool text, consumer text, meter text, quantity numeric, during tstzrange, source text, source_key text,
	provider text DEFAULT NULL, lease_id bigint DEFAULT NULL, labels jsonb DEFAULT '{}')
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO usage (pool_id, consumer_id, provider_id, lease_id, meter, quantity, during, at, labels, source, source_key)
	VALUES (require_pool(record_usage.pool, 'steward'), require_member(record_usage.pool, record_usage.consumer, 'consumer'),
		require_member(record_usage.pool, record_usage.provider, 'provider'), record_usage.lease_id,
		record_usage.meter, record_usage.quantity, record_usage.during, lower(record_usage.during), record_usage.labels,
		require_source(record_usage.source, record_usage.pool), record_usage.source_key);
	SELECT k.usage_id
	FROM usage_key AS k
	WHERE k.source = record_usage.source AND k.source_key = record_usage.source_key;
END;
COMMENT ON FUNCTION record_usage(text, text, text, numeric, tstzrange, text, text, text, bigint, jsonb) IS
'Records what a consumer used of a pool: a quantity of a meter during a time (an event: from and up to the same instant, ''[t,t]''), of a provider or of whoever supplies then, perhaps under a lease. For stewards of the pool, about its consumers and providers, from a source that begins with the pool''s name and a slash (''gpu/slurm''). Returns the key of the usage. To record the same again, by source and source_key, does nothing and returns the key that it has, for ever. Errors: 42501 the caller may not, SC004 no such member, 23505 recorded otherwise, 42704 unknown name, 23503 no such lease of that consumer, 23514 quantity or time that is none, or meter ''lease'', 23502 null, 40001 recorded by another transaction meanwhile (REPEATABLE READ and up).';

CREATE FUNCTION record_usage(source regclass) RETURNS bigint
	AS 'MODULE_PATHNAME', 'usage_record' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION record_usage(regclass) IS
'Records all rows of a table or view as usage, all or none; returns how many are new. The source has the columns pool text, consumer text, provider text, lease_id bigint, meter text, quantity numeric, during tstzrange, labels jsonb, source text, source_key text. It is read with the caller''s rights. Who may, and errors, as record_usage() of one.';

CREATE TABLE rate (
	pool_id		bigint NOT NULL REFERENCES pool,
	rate_id		bigint GENERATED ALWAYS AS IDENTITY,
	party_id	bigint REFERENCES party,
	meter		text COLLATE "C" NOT NULL CHECK (meter <> ''),
	unit		text NOT NULL CHECK (unit <> ''),
	model		text NOT NULL DEFAULT 'standard' CHECK (model IN
		('standard', 'graduated', 'volume', 'package', 'percentage', 'graduated_percentage', 'flat', 'percentile', 'reserved', 'spend', 'prepaid')),
	price		numeric NOT NULL DEFAULT 0 CHECK (price > '-Infinity' AND price < 'Infinity'),
	upto		numeric[],
	unit_price	numeric[],
	flat		numeric[],
	package_size	numeric CHECK (package_size > 0 AND package_size < 'Infinity'),
	free_quantity	numeric CHECK (free_quantity >= 0 AND free_quantity < 'Infinity'),
	free_events	bigint CHECK (free_events >= 0),
	event_price	numeric CHECK (event_price >= 0 AND event_price < 'Infinity'),
	event_minimum	numeric CHECK (event_minimum >= 0 AND event_minimum < 'Infinity'),
	event_maximum	numeric CHECK (event_maximum >= 0 AND event_maximum < 'Infinity'),
	fraction	numeric CHECK (fraction > 0 AND fraction <= 1),
	minimum		numeric CHECK (minimum >= 0 AND minimum < 'Infinity'),
	maximum		numeric CHECK (maximum >= 0 AND maximum < 'Infinity'),
	quantity	numeric CHECK (quantity > 0 AND quantity < 'Infinity'),
	purchase	numeric CHECK (purchase >= 0 AND purchase < 'Infinity'),
	schedule	profile,
	valid		tstzrange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid)),
	known		tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL) CHECK (NOT isempty(known)),
	PRIMARY KEY (pool_id, rate_id),
	CHECK ((model IN ('graduated', 'volume', 'graduated_percentage')) = (unit_price IS NOT NULL)),
	CHECK (cardinality(upto) = cardinality(unit_price) AND cardinality(coalesce(flat, unit_price)) = cardinality(unit_price)),
	CHECK (unit_price IS NOT NULL OR num_nonnulls(upto, flat) = 0),
	CHECK (unit_price IS NULL OR tiered(0, upto, unit_price, flat) IS NOT NULL),
	CHECK ((model = 'package') = (package_size IS NOT NULL)),
	CHECK ((model = 'percentile') = (fraction IS NOT NULL)),
	CHECK (model = 'percentage' OR num_nonnulls(free_events, event_price, event_minimum, event_maximum) = 0),
	CHECK (model IN ('package', 'percentage') OR free_quantity IS NULL),
	CHECK ((model IN ('reserved', 'prepaid')) = (quantity IS NOT NULL)),
	CHECK ((model IN ('reserved', 'spend', 'prepaid')) = (purchase IS NOT NULL)),
	CHECK (purchase IS NULL OR (party_id IS NOT NULL AND lower_inc(valid) AND NOT upper_inc(valid) AND isfinite(lower(valid)) AND NOT upper_inf(valid) AND isfinite(upper(valid)))),
	CHECK (model <> 'percentage' OR meter <> 'lease'),
	CHECK (schedule IS NULL OR model = 'standard'),
	CHECK (num_nonnulls(minimum, maximum) = 0 OR purchase IS NULL),
	CHECK (purchase = round(purchase, 12) AND quantity = round(quantity, 12)),
	CHECK (event_minimum <= event_maximum),
	CHECK (minimum <= maximum),
	EXCLUDE USING gist (int8range(pool_id, pool_id, '[]') WITH &&, int8range(coalesce(party_id, 0), coalesce(party_id, 0), '[]') WITH &&,
		numrange(hashtextextended(meter, 0), hashtextextended(meter, 0), '[]') WITH &&, valid WITH &&, known WITH &&) WHERE (purchase IS NULL),
	EXCLUDE USING gist (int8range(pool_id, pool_id, '[]') WITH &&, int8range(coalesce(party_id, 0), coalesce(party_id, 0), '[]') WITH &&,
		numrange(hashtextextended(meter, 0), hashtextextended(meter, 0), '[]') WITH &&, valid WITH &&, known WITH &&) WHERE (purchase IS NOT NULL)
);
CREATE INDEX rate_party_id_idx ON rate (party_id);
ALTER TABLE rate OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('rate', '');
SELECT pg_catalog.pg_extension_config_dump('rate_rate_id_seq', '');

COMMENT ON TABLE rate IS 'A price of a pool, in its currency: the list price of a meter, what a party pays instead, or a commitment that a party made, bitemporally: versions of a price never overlap (error 23P01), and what was known of it at any time can be read.';
COMMENT ON COLUMN rate.pool_id IS 'The pool.';
COMMENT ON COLUMN rate.rate_id IS 'Key within the pool.';
COMMENT ON COLUMN rate.party_id IS 'Whose price it is, before the list price; NULL for the list price.';
COMMENT ON COLUMN rate.meter IS 'What is priced: a meter of usage, or ''lease'' for the unit-hours that are leased.';
COMMENT ON COLUMN rate.unit IS 'What the quantities count: token, GiB, unit-hour, ...';
COMMENT ON COLUMN rate.model IS 'standard (price times quantity), graduated (each tier at its price), volume (all at the price of the tier that the quantity is in), package (price of each begun package), percentage (price is a part of the quantity, which is an amount of money), graduated_percentage, flat (price for the billing period), percentile (price times the level below which usage was for a fraction of the time); commitments: reserved (a quantity at every instant, or for usage in all), spend (an amount, at a price of its own), prepaid (a quantity, until it is used up or lapses).';
COMMENT ON COLUMN rate.price IS 'Price of a unit or package; part of an amount (0.013 for 1.3 %); price for a billing period; of a commitment, of a unit that it covers (spend).';
COMMENT ON COLUMN rate.upto IS 'Tiers: up to which quantity each goes, itself included; NULL for the last, without end.';
COMMENT ON COLUMN rate.unit_price IS 'Tiers: the price of a unit in each, or the part of an amount.';
COMMENT ON COLUMN rate.flat IS 'Tiers: what is due once for each that is entered; NULL for nothing.';
COMMENT ON COLUMN rate.package_size IS 'How many units a package has.';
COMMENT ON COLUMN rate.free_quantity IS 'What is free in a billing period, of packages and percentages; NULL for nothing.';
COMMENT ON COLUMN rate.free_events IS 'Percentage: how many records of usage are free in a billing period; the free quantity ends with them; NULL for no such end.';
COMMENT ON COLUMN rate.event_price IS 'Percentage: price of each record that is not free.';
COMMENT ON COLUMN rate.event_minimum IS 'Percentage: the least that such a record costs; NULL for no such limit.';
COMMENT ON COLUMN rate.event_maximum IS 'Percentage: the most that such a record costs; NULL for no such limit.';
COMMENT ON COLUMN rate.fraction IS 'Percentile: which, 0.95 for the 95th.';
COMMENT ON COLUMN rate.minimum IS 'The least that is due for a billing period, for the part of it that the rate is valid in; the rest is a charge of its own. NULL for no such limit.';
COMMENT ON COLUMN rate.maximum IS 'The most that is due for a billing period, likewise.';
COMMENT ON COLUMN rate.quantity IS 'Commitment: how many units.';
COMMENT ON COLUMN rate.purchase IS 'Commitment: what it costs, for all the time that it is valid; due when that begins.';
COMMENT ON COLUMN rate.schedule IS 'By which factor the price is multiplied over time (time of use, surge); NULL for 1.';
COMMENT ON COLUMN rate.valid IS 'For what was used when.';
COMMENT ON COLUMN rate.known IS 'From when until when this was the price; without an end, it still is.';

CREATE FUNCTION set_rate(pool text, meter text, price numeric DEFAULT 0, unit text DEFAULT 'unit', model text DEFAULT 'standard',
	party text DEFAULT NULL, valid tstzrange DEFAULT tstzrange(now(), NULL), upto numeric[] DEFAULT NULL,
	unit_price numeric[] DEFAULT NULL, flat numeric[] DEFAULT NULL, package_size numeric DEFAULT NULL,
	free_quantity numeric DEFAULT NULL, free_events bigint DEFAULT NULL, event_price numeric DEFAULT NULL,
	event_minimum numeric DEFAULT NULL, event_maximum numeric DEFAULT NULL, fraction numeric DEFAULT NULL,
	minimum numeric DEFAULT NULL, maximum numeric DEFAULT NULL, quantity numeric DEFAULT NULL, purchase numeric DEFAULT NULL,
	schedule profile DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT FROM pool AS p WHERE p.pool_id = require_pool(set_rate.pool, 'steward') FOR NO KEY UPDATE;
	-- what a party commits itself to, no steward writes down for it
	SELECT CASE WHEN set_rate.purchase IS NOT NULL THEN require_party(set_rate.party) END;
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), ended AS (
		-- a commitment stays: whoever has one cannot have another at the same time
		UPDATE rate AS r
		SET known = tstzrange(lower(r.known), clock.now)
		FROM clock
		WHERE set_rate.purchase IS NULL AND r.purchase IS NULL
		AND r.pool_id = pool_id(set_rate.pool) AND r.party_id IS NOT DISTINCT FROM party_id(set_rate.party)
		AND r.meter = set_rate.meter AND upper_inf(r.known) AND r.valid && set_rate.valid
		RETURNING r.*
	), rest AS (
		INSERT INTO rate (pool_id, party_id, meter, unit, model, price, upto, unit_price, flat, package_size, free_quantity, free_events, event_price,
			event_minimum, event_maximum, fraction, minimum, maximum, quantity, purchase, schedule, valid, known)
		SELECT e.pool_id, e.party_id, e.meter, e.unit, e.model, e.price, e.upto, e.unit_price, e.flat, e.package_size, e.free_quantity,
			e.free_events, e.event_price, e.event_minimum, e.event_maximum, e.fraction, e.minimum, e.maximum, e.quantity, e.purchase,
			e.schedule, part, tstzrange(clock.now, NULL)
		FROM ended AS e, clock, unnest(tstzmultirange(e.valid) - tstzmultirange(set_rate.valid)) AS part
	)
	INSERT INTO rate (pool_id, party_id, meter, unit, model, price, upto, unit_price, flat, package_size, free_quantity, free_events, event_price,
		event_minimum, event_maximum, fraction, minimum, maximum, quantity, purchase, schedule, valid, known)
	SELECT pool_id(set_rate.pool), require_member(set_rate.pool, set_rate.party), set_rate.meter, set_rate.unit, set_rate.model, set_rate.price,
		set_rate.upto, set_rate.unit_price, set_rate.flat, set_rate.package_size, set_rate.free_quantity, set_rate.free_events, set_rate.event_price, set_rate.event_minimum,
		set_rate.event_maximum, set_rate.fraction, set_rate.minimum, set_rate.maximum, set_rate.quantity, set_rate.purchase,
		set_rate.schedule,
		set_rate.valid, tstzrange(clock.now, NULL)
	-- after those before it have ended
	FROM clock, (SELECT count(*) FROM ended) AS done
	RETURNING rate.rate_id;
END;
COMMENT ON FUNCTION set_rate(text, text, numeric, text, text, text, tstzrange, numeric[], numeric[], numeric[], numeric, numeric, bigint, numeric, numeric, numeric, numeric, numeric, numeric, numeric, numeric, profile) IS
'From now on, this is known to be the price of a meter of a pool (''lease'' for what is leased) during a period, by default from now on: the list price, or that of a party; or, with a purchase, a commitment that the party makes. What was known of that time before is kept as what was known. The columns of table rate say what the models and their parameters are. If the period has been billed, the next billing corrects it. For stewards of the pool; a commitment, for who also acts for the party. Returns the key of the rate. Errors: 42501 the caller may not, SC004 the party is no member, 42704 unknown name, 23514 parameters that the model does not have or lacks, tiers as tiered(), 23P01 a commitment while there is another, 23502 null.';

-- No foreign keys, as of usage: closing makes all the rows, and verify_books()
-- checks them.
CREATE TABLE charge (
	pool_id		bigint NOT NULL,
	charge_id	bigint GENERATED ALWAYS AS IDENTITY,
	billing_period_id	bigint NOT NULL,
	consumer_id	bigint NOT NULL,
	provider_id	bigint,
	lease_id	bigint,
	rate_id		bigint,
	category	text NOT NULL CHECK (category IN ('usage', 'purchase', 'credit', 'adjustment')),
	correction	boolean NOT NULL DEFAULT false,
	meter		text COLLATE "C" NOT NULL,
	component	text NOT NULL DEFAULT 'quantity',
	during		tstzrange NOT NULL CHECK (NOT isempty(during)),
	quantity	numeric NOT NULL,
	unit		text NOT NULL,
	list_unit_price	numeric NOT NULL,
	contracted_unit_price	numeric NOT NULL,
	list_cost	numeric NOT NULL CHECK (list_cost = list_unit_price * quantity),
	contracted_cost	numeric NOT NULL CHECK (contracted_cost = contracted_unit_price * quantity),
	effective_cost	numeric NOT NULL,
	billed_cost	numeric NOT NULL,
	amount		numeric NOT NULL,
	commitment_status	text CHECK (commitment_status IN ('used', 'unused')),
	labels		jsonb NOT NULL DEFAULT '{}',
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (pool_id, charge_id)
);
CREATE INDEX charge_billing_period_id_idx ON charge (pool_id, billing_period_id, consumer_id);
CREATE INDEX charge_during_idx ON charge USING gist (int8range(pool_id, pool_id, '[]'), during) WHERE correction;
CREATE INDEX charge_consumer_id_idx ON charge (consumer_id);
CREATE INDEX charge_provider_id_idx ON charge (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX charge_lease_id_idx ON charge (pool_id, lease_id) WHERE lease_id IS NOT NULL;
ALTER TABLE charge OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('charge', '');
SELECT pg_catalog.pg_extension_config_dump('charge_charge_id_seq', '');

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON charge
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

COMMENT ON TABLE charge IS 'One rated line of a closed billing period: the grain of a row of FOCUS. A fact, made when the period closes and never changed: corrections are charges of a later period.';
COMMENT ON COLUMN charge.pool_id IS 'The pool.';
COMMENT ON COLUMN charge.charge_id IS 'Key within the pool.';
COMMENT ON COLUMN charge.billing_period_id IS 'The billing period that it is billed in.';
COMMENT ON COLUMN charge.consumer_id IS 'Who pays.';
COMMENT ON COLUMN charge.provider_id IS 'Whose supply it was; NULL for whoever supplied then.';
COMMENT ON COLUMN charge.lease_id IS 'Under which lease; NULL if under none, or several.';
COMMENT ON COLUMN charge.rate_id IS 'By which rate; NULL for the price that was quoted for the lease, or where there is no rate for the meter and nothing is charged.';
COMMENT ON COLUMN charge.category IS 'usage, purchase (of a commitment), credit or adjustment (up to a minimum, down to a maximum).';
COMMENT ON COLUMN charge.correction IS 'Whether it corrects what was billed for an earlier billing period.';
COMMENT ON COLUMN charge.meter IS 'The meter of usage, or ''lease''.';
COMMENT ON COLUMN charge.component IS 'Which part of the price it is: quantity, flat, event, minimum, maximum, purchase, commitment.';
COMMENT ON COLUMN charge.during IS 'The time that it is for.';
COMMENT ON COLUMN charge.quantity IS 'How much of it; negative where less was used than was billed.';
COMMENT ON COLUMN charge.unit IS 'What the quantity counts.';
COMMENT ON COLUMN charge.list_unit_price IS 'List price of a unit.';
COMMENT ON COLUMN charge.contracted_unit_price IS 'The consumer''s price of a unit.';
COMMENT ON COLUMN charge.list_cost IS 'Exactly list_unit_price times quantity.';
COMMENT ON COLUMN charge.contracted_cost IS 'Exactly contracted_unit_price times quantity.';
COMMENT ON COLUMN charge.effective_cost IS 'What it costs with what was paid for a commitment spread over the time of that.';
COMMENT ON COLUMN charge.billed_cost IS 'What is billed, exactly.';
COMMENT ON COLUMN charge.amount IS 'What is invoiced: the total of the consumer''s billed costs, rounded once to the places of the currency and divided over them by largest remainder.';
COMMENT ON COLUMN charge.commitment_status IS 'Whether it is for what was used of a commitment or for what was not; NULL if for none.';
COMMENT ON COLUMN charge.labels IS 'Labels of the usage.';
COMMENT ON COLUMN charge.recorded_at IS 'When the row was written.';
