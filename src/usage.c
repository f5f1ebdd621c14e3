/*
 * usage.c
 *		Metered quantities: never the same thing twice, and partitions by month.
 *
 * Usage arrives from outside, often more than once.  The trigger here makes that
 * harmless for every way in, COPY included: a row that was recorded before is
 * left out, and another one under the same key is an error.  The keys are in a
 * table of their own, because a unique index of a partitioned table cannot do
 * without the partition's key, and a record may come again with another time.
 */
#include "postgres.h"

#include "access.h"
#include "compat.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "digest.h"
#include "guard.h"
#include "lib/stringinfo.h"
#include "ledger.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "query.h"
#include "table.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "usage.h"

/* ----------
 * Once and for ever
 *
 * Operators are qualified, too, because the trigger pins no search_path: that
 * would take longer than all the rest of it.
 * ----------
 */

static SavedQuery insert_key = {
	.sql = "INSERT INTO sharecollab.usage_key (source, source_key, usage_id, at, recorded_at, recorded_by, digest)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
	.nparams = 7, .types = {TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, BYTEAOID}
};

static SavedQuery key_digest = {
	.sql = "SELECT k.digest, k.usage_id, k.at FROM sharecollab.usage_key AS k WHERE k.source OPERATOR(pg_catalog.=) $1"
	" AND k.source_key OPERATOR(pg_catalog.=) $2",
	.nparams = 2, .types = {TEXTOID, TEXTOID}
};

static SavedQuery difference = {
	.sql = "SELECT pg_catalog.string_agg(pg_catalog.format('%s is %s, but was %s', d.name,"
	" coalesce(d.new, 'null'), coalesce(d.old, 'null')), '; ')"
	" FROM sharecollab.usage AS u, LATERAL (VALUES"
	" ('pool_id', u.pool_id::pg_catalog.text, $3::pg_catalog.text),"
	" ('consumer_id', u.consumer_id::pg_catalog.text, $4::pg_catalog.text),"
	" ('provider_id', u.provider_id::pg_catalog.text, $5::pg_catalog.text),"
	" ('lease_id', u.lease_id::pg_catalog.text, $6::pg_catalog.text),"
	" ('meter', u.meter::pg_catalog.text, $7),"
	" ('quantity', pg_catalog.trim_scale(u.quantity)::pg_catalog.text, pg_catalog.trim_scale($8)::pg_catalog.text),"
	" ('during', u.during::pg_catalog.text, $9::pg_catalog.text),"
	" ('labels', u.labels::pg_catalog.text, $10::pg_catalog.text)) AS d (name, old, new)"
	" WHERE u.at OPERATOR(pg_catalog.=) $1 AND u.usage_id OPERATOR(pg_catalog.=) $2"
	" AND NOT coalesce(d.old OPERATOR(pg_catalog.=) d.new, d.old IS NULL AND d.new IS NULL)",
	.nparams = 10, .types = {TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, NUMERICOID, TSTZRANGEOID, JSONBOID}
};

/* what a record says, in the order that the statements above and the digest have it */
static const char *const payload_columns[] = {
	"pool_id", "consumer_id", "provider_id", "lease_id", "meter", "quantity", "during", "labels"
};

enum
{
	PAYLOAD_POOL, PAYLOAD_CONSUMER, PAYLOAD_PROVIDER, PAYLOAD_LEASE, PAYLOAD_METER,
	PAYLOAD_QUANTITY, PAYLOAD_DURING, PAYLOAD_LABELS, PAYLOAD_COLUMNS
};

static void
add_text(StringInfo out, const char *data, int len)
{
	pq_sendint32(out, len);
	appendBinaryStringInfo(out, data, len);
}

/*
 * SHA-256 of a record in a form that depends on neither settings nor versions:
 * equal records are equal bytes.
 */
static bytea *
payload_digest(const Datum *values, const bool *nulls)
{
	StringInfoData out;
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	text	   *meter = DatumGetTextPP(values[PAYLOAD_METER]);
	char	   *quantity = numeric_normalize(DatumGetNumeric(values[PAYLOAD_QUANTITY]));
	Jsonb	   *labels = DatumGetJsonbP(values[PAYLOAD_LABELS]);
	char	   *json = JsonbToCString(NULL, &labels->root, VARSIZE(labels));
	RangeType  *during = DatumGetRangeTypeP(values[PAYLOAD_DURING]);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	initStringInfo(&out);
	for (int i = PAYLOAD_POOL; i <= PAYLOAD_LEASE; i++)
		pq_sendint64(&out, nulls[i] ? 0 : DatumGetInt64(values[i]));
	add_text(&out, VARDATA_ANY(meter), VARSIZE_ANY_EXHDR(meter));
	add_text(&out, quantity, strlen(quantity));
	range_deserialize(lookup_type_cache(RangeTypeGetOid(during), TYPECACHE_RANGE_INFO), during,
					  &lower, &upper, &empty);
	pq_sendbyte(&out, range_get_flags(during));
	pq_sendint64(&out, empty ? 0 : DatumGetInt64(lower.val));
	pq_sendint64(&out, empty ? 0 : DatumGetInt64(upper.val));
	add_text(&out, json, strlen(json));

	digest_bytes(&out, (uint8 *) VARDATA(result));
	pfree(out.data);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	return result;
}

/*
 * usage_digest(pool_id, consumer_id, provider_id, lease_id, meter, quantity,
 * during, labels)
 */
PG_FUNCTION_INFO_V1(usage_digest);
Datum
usage_digest(PG_FUNCTION_ARGS)
{
	Datum		payload[PAYLOAD_COLUMNS];
	bool		nulls[PAYLOAD_COLUMNS];

	for (int i = 0; i < PAYLOAD_COLUMNS; i++)
	{
		payload[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
		if (nulls[i] && i != PAYLOAD_PROVIDER && i != PAYLOAD_LEASE)
			PG_RETURN_NULL();
	}
	PG_RETURN_BYTEA_P(payload_digest(payload, nulls));
}

/*
 * The key is taken already: by the same record?  If not, say what differs.
 */
static void
require_same(text *source, text *key, bytea *digest, const Datum *payload, const bool *nulls)
{
	Datum		keys[2] = {PointerGetDatum(source), PointerGetDatum(key)};
	Datum		values[2 + PAYLOAD_COLUMNS];
	char		null_flags[2 + PAYLOAD_COLUMNS];
	bytea	   *recorded;
	bool		isnull = true;
	int64		usage_id;

	if (query_latest(&key_digest, keys) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent recording of usage")));
	recorded = DatumGetByteaPP(query_value(0, 1, NULL));
	if (VARSIZE_ANY_EXHDR(recorded) == VARSIZE_ANY_EXHDR(digest) &&
		memcmp(VARDATA_ANY(recorded), VARDATA_ANY(digest), VARSIZE_ANY_EXHDR(digest)) == 0)
		return;
	usage_id = DatumGetInt64(query_value(0, 2, NULL));
	values[0] = query_value(0, 3, NULL);
	values[1] = Int64GetDatum(usage_id);
	memset(null_flags, ' ', sizeof(null_flags));
	for (int i = 0; i < PAYLOAD_COLUMNS; i++)
	{
		values[2 + i] = payload[i];
		null_flags[2 + i] = nulls[i] ? 'n' : ' ';
	}
	if (query_run(&difference, values, null_flags, false) > 0)
		query_value(0, 1, &isnull);
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("usage \"%s\" of source \"%s\" was recorded otherwise",
					text_to_cstring(key), text_to_cstring(source)),
			 isnull ? errdetail("It is usage " INT64_FORMAT ".", usage_id) :
			 errdetail("In usage " INT64_FORMAT " %s.", usage_id, TextDatumGetCString(query_value(0, 1, NULL))),
			 errhint("Usage is never changed: record a correction, with a negative quantity, under a key of its own.")));
}

/*
 * The lease that something was used under is one of the consumer, in the pool.
 */
static void
require_lease(const Datum *payload)
{
	TableRow	row;
	ScanKeyData keys[2];
	bool		isnull;

	key_int8(keys, 1, DatumGetInt64(payload[PAYLOAD_POOL]));
	key_int8(keys, 2, DatumGetInt64(payload[PAYLOAD_LEASE]));
	row_open(&row, "lease", "lease_pkey", GetLatestSnapshot(), keys, 2);
	if (!row_next(&row) ||
		DatumGetInt64(row_column(&row, "consumer_id", &isnull)) != DatumGetInt64(payload[PAYLOAD_CONSUMER]))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("the consumer has no lease " INT64_FORMAT " in the pool",
						DatumGetInt64(payload[PAYLOAD_LEASE]))));
	row_close(&row);
}

/*
 * Before a row of usage is inserted, whoever does it: take its key, and leave
 * out what was recorded before.
 */
PG_FUNCTION_INFO_V1(usage_once);
Datum
usage_once(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_insert_trigger(fcinfo, "usage_once");
	Relation	relation = trigger->tg_relation;
	HeapTuple	tuple = trigger->tg_trigtuple;
	Datum		payload[PAYLOAD_COLUMNS];
	bool		nulls[PAYLOAD_COLUMNS];
	static const char *const key_columns[] = {"source", "source_key", "usage_id", "at", "recorded_at", "recorded_by"};
	Datum		values[lengthof(key_columns) + 1];
	bytea	   *digest;
	bool		isnull;

	if (is_restore(trigger))
		return PointerGetDatum(tuple);

	for (int i = 0; i < PAYLOAD_COLUMNS; i++)
	{
		payload[i] = heap_getattr(tuple, column_number(relation, payload_columns[i]),
								  RelationGetDescr(relation), &nulls[i]);
		if (nulls[i] && i != PAYLOAD_PROVIDER && i != PAYLOAD_LEASE)
			return PointerGetDatum(tuple);	/* NOT NULL refuses it */
	}
	for (size_t i = 0; i < lengthof(key_columns); i++)
	{
		values[i] = heap_getattr(tuple, column_number(relation, key_columns[i]),
								 RelationGetDescr(relation), &isnull);
		if (isnull)
			return PointerGetDatum(tuple);
	}
	if (!nulls[PAYLOAD_LEASE])
		require_lease(payload);
	digest = payload_digest(payload, nulls);
	values[lengthof(key_columns)] = PointerGetDatum(digest);

	SPI_connect();
	if (query_run(&insert_key, values, NULL, false) == 0)
	{
		require_same(DatumGetTextPP(values[0]), DatumGetTextPP(values[1]), digest, payload, nulls);
		tuple = NULL;
	}
	SPI_finish();
	return PointerGetDatum(tuple);
}

/* ----------
 * Many at once
 * ----------
 */

#define MEMBERS \
	"SELECT y.party_id, y.name, m.pool_id, m.role FROM sharecollab.membership AS m" \
	" JOIN sharecollab.party AS y ON y.party_id = m.party_id WHERE m.accepted_at IS NOT NULL"

/*
 * Record the rows of a FROM item with the columns pool, consumer, provider,
 * lease_id, meter, quantity, during, labels, source and source_key, in one
 * statement; how many are new, and how many were there.  In the order of their
 * keys, so that two that record the same wait for each other rather than
 * deadlock.  The caller has connected SPI, and is the owner.
 */
void
usage_write(const char *from, int nargs, Oid *types, Datum *values, int64 *inserted, int64 *skipped)
{
	/* the functions are for what is not found, or may not be: they say so */
	char	   *sql = psprintf("WITH source AS MATERIALIZED (SELECT s.* FROM %s AS s), inserted AS ("
							   "INSERT INTO sharecollab.usage (pool_id, consumer_id, provider_id, lease_id, meter,"
							   " quantity, during, at, labels, source, source_key)"
							   " SELECT coalesce(p.pool_id, sharecollab.require_pool(s.pool, 'steward')),"
							   " coalesce(c.party_id, sharecollab.require_member(s.pool, s.consumer, 'consumer')),"
							   " coalesce(v.party_id, sharecollab.require_member(s.pool, s.provider, 'provider')),"
							   " s.lease_id, s.meter, s.quantity,"
							   " s.during, lower(s.during), coalesce(s.labels, '{}'),"
							   " sharecollab.require_source(s.source, s.pool), s.source_key"
							   " FROM source AS s"
							   " LEFT JOIN sharecollab.pool AS p ON p.name = s.pool"
							   " AND sharecollab.has_pool_role(p.pool_id, 'steward')"
							   " LEFT JOIN (" MEMBERS ") AS c ON c.name = s.consumer AND c.pool_id = p.pool_id AND c.role = 'consumer'"
							   " LEFT JOIN (" MEMBERS ") AS v ON v.name = s.provider AND v.pool_id = p.pool_id AND v.role = 'provider'"
							   " ORDER BY s.source COLLATE \"C\", s.source_key COLLATE \"C\" RETURNING 1)"
							   " SELECT (SELECT count(*) FROM inserted), (SELECT count(*) FROM source)", from);

	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	*inserted = DatumGetInt64(query_value(0, 1, NULL));
	*skipped = DatumGetInt64(query_value(0, 2, NULL)) - *inserted;
}

/* record_usage(source) */
PG_FUNCTION_INFO_V1(usage_record);
Datum
usage_record(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"source"};
	Tuplestorestate *incoming;
	Oid			user;
	int			context;
	int64		inserted;
	int64		skipped;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	incoming = query_read_incoming(PG_GETARG_OID(0), "s.pool::pg_catalog.text, s.consumer::pg_catalog.text, s.provider::pg_catalog.text,"
						" s.lease_id::pg_catalog.int8, s.meter::pg_catalog.text, s.quantity::pg_catalog.numeric,"
						" s.during::pg_catalog.tstzrange, s.labels::pg_catalog.jsonb, s.source::pg_catalog.text,"
						" s.source_key::pg_catalog.text");
	user = become_owner(&context);
	usage_write("incoming", 0, NULL, NULL, &inserted, &skipped);
	SetUserIdAndSecContext(user, context);
	tuplestore_end(incoming);
	SPI_finish();
	PG_RETURN_INT64(inserted);
}

/* ----------
 * Partitions
 * ----------
 */

static void
run(const char *sql)
{
	if (SPI_execute(sql, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
}

/* A month of UTC, and what its partition is called. */
typedef struct Month
{
	char	   *starts;			/* expressions */
	char	   *ends;
	char	   *name;
	char	   *table;			/* qualified */
	Oid			oid;			/* if there is one */
} Month;

static Month
month_of(DateADT date, Relation usage)
{
	Month		result;
	int			year,
				month,
				day;
	Oid			namespace = RelationGetNamespace(usage);

	if (DATE_NOT_FINITE(date) || date < -POSTGRES_EPOCH_JDATE + date2j(1, 1, 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("usage has partitions for months from the year 1 on")));
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	result.name = psprintf("usage_%04d_%02d", year, month);
	result.starts = psprintf("timestamptz '%04d-%02d-01 00:00:00+00'", year, month);
	result.ends = psprintf("timestamptz '%04d-%02d-01 00:00:00+00'", month == 12 ? year + 1 : year, month % 12 + 1);
	result.table = quote_qualified_identifier(get_namespace_name(namespace), result.name);
	result.oid = get_relname_relid(result.name, namespace);
	return result;
}

/*
 * create_usage_partition(month): the partition of a month of UTC.  What was
 * recorded of it until now moves there from the default partition.
 */
PG_FUNCTION_INFO_V1(usage_partition);
Datum
usage_partition(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"month"};
	Month		month;
	Relation	usage;
	Oid			namespace;
	Oid			owner;
	Oid			created;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	usage = open_own_table("usage", ShareUpdateExclusiveLock);
	namespace = RelationGetNamespace(usage);
	owner = usage->rd_rel->relowner;
	month = month_of(PG_GETARG_DATEADT(0), usage);
	table_close(usage, NoLock);
	if (OidIsValid(month.oid))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("partition \"%s\" exists already", month.name)));
	run("LOCK TABLE sharecollab.usage_default IN ACCESS EXCLUSIVE MODE");
	run(psprintf("CREATE TABLE %s (LIKE sharecollab.usage INCLUDING DEFAULTS INCLUDING CONSTRAINTS)", month.table));
	run("ALTER TABLE sharecollab.usage_default DISABLE TRIGGER keep_facts");
	run(psprintf("WITH moved AS (DELETE FROM sharecollab.usage_default WHERE at >= %s AND at < %s RETURNING *)"
				 " INSERT INTO %s SELECT * FROM moved", month.starts, month.ends, month.table));
	run("ALTER TABLE sharecollab.usage_default ENABLE TRIGGER keep_facts");
	run(psprintf("ALTER TABLE %s ADD PRIMARY KEY (pool_id, at, usage_id)", month.table));
	run(psprintf("CREATE INDEX %s ON %s (pool_id, recorded_at)",
				 quote_identifier(psprintf("%s_pool_id_recorded_at_idx", month.name)), month.table));
	run(psprintf("ALTER TABLE sharecollab.usage ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)",
				 month.table, month.starts, month.ends));
	run(psprintf("CREATE TRIGGER keep_facts_truncate BEFORE TRUNCATE ON %s"
				 " FOR EACH STATEMENT EXECUTE FUNCTION sharecollab.refuse_change()", month.table));
	run(psprintf("ALTER TABLE %s OWNER TO %s", month.table,
				 quote_identifier(GetUserNameFromId(owner, false))));
	created = get_relname_relid(month.name, namespace);
	SPI_finish();
	PG_RETURN_OID(created);
}

/*
 * drop_usage(month): removes what was recorded of a month that is billed for
 * good.  Its partition stays, empty, and takes nothing any more: that is how
 * all the rest knows.
 */
PG_FUNCTION_INFO_V1(usage_drop);
Datum
usage_drop(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"month"};
	Month		month;
	Relation	usage;
	int64		count;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	usage = open_own_table("usage", ShareUpdateExclusiveLock);
	month = month_of(PG_GETARG_DATEADT(0), usage);
	table_close(usage, NoLock);
	if (!OidIsValid(month.oid) || !get_rel_relispartition(month.oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("usage has no partition \"%s\"", month.name),
				 errhint("create_usage_partition() makes it, of what was recorded of the month.")));
	run(psprintf("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", month.table));
	require_current_snapshot();
	if (OidIsValid(get_relation_constraint_oid(month.oid, "usage_dropped", true)))
	{
		SPI_finish();
		PG_RETURN_INT64(0);
	}

	/* what is still to be billed would be lost, and what was billed paid back */
	run(psprintf("SELECT b.reason FROM ("
				 "SELECT pg_catalog.format('Usage %%s of pool \"%%s\" is in no billing period that is closed.', u.usage_id, p.name) AS reason"
				 " FROM %1$s AS u JOIN sharecollab.pool AS p ON p.pool_id = u.pool_id"
				 " WHERE NOT EXISTS (SELECT FROM sharecollab.billing_period AS b WHERE b.pool_id = u.pool_id AND b.closed_at IS NOT NULL AND b.during @> u.at)"
				 " UNION ALL"
				 " SELECT pg_catalog.format('Billing period %%s of pool \"%%s\" has corrections that the next one will bill.', b.during, p.name)"
				 " FROM sharecollab.billing_period AS b JOIN sharecollab.pool AS p ON p.pool_id = b.pool_id"
				 " WHERE b.closed_at IS NOT NULL AND b.during && pg_catalog.tstzrange(%2$s, %3$s)"
				 " AND EXISTS (SELECT FROM sharecollab.rating_corrections(p.name, b.during))"
				 " UNION ALL"
				 " SELECT pg_catalog.format('Commitment %%s of pool \"%%s\" counts what was used from the month until %%s, for which usage is kept.',"
				 " r.rate_id, p.name, pg_catalog.upper(r.valid))"
				 " FROM sharecollab.rate AS r JOIN sharecollab.pool AS p ON p.pool_id = r.pool_id"
				 " WHERE r.model = 'prepaid' AND r.valid && pg_catalog.tstzrange(%2$s, %3$s) AND pg_catalog.upper(r.valid) > %3$s"
				 " AND NOT pg_catalog.tstzrange(%3$s, pg_catalog.upper(r.valid)) <@ sharecollab.dropped_usage()) AS b LIMIT 1",
				 month.table, month.starts, month.ends));
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("usage of the month is still needed"),
				 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL)))));

	run(psprintf("SELECT pg_catalog.count(*) FROM %s", month.table));
	count = DatumGetInt64(query_value(0, 1, NULL));
	run(psprintf("ALTER TABLE %s DISABLE TRIGGER keep_facts_truncate", month.table));
	run(psprintf("TRUNCATE %s", month.table));
	run(psprintf("ALTER TABLE %s ENABLE TRIGGER keep_facts_truncate, ADD CONSTRAINT usage_dropped CHECK (false)", month.table));
	run(psprintf("INSERT INTO sharecollab.event (act, subject, was) SELECT 'removed', 'usage',"
				 " pg_catalog.jsonb_build_object('month', %s, 'rows', " INT64_FORMAT ")", quote_literal_cstr(month.name), count));
	SPI_finish();
	PG_RETURN_INT64(count);
}
