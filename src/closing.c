/*
 * closing.c
 *		close_billing_period(): the order of its steps, and what they wait for.
 *
 * The steps themselves are SQL functions, each of which passes once over the
 * period.  All is one transaction, so that a crash leaves the period open.
 */
#include "postgres.h"

#include "compat.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "guard.h"
#include "ledger.h"
#include "progress.h"
#include "query.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

static SavedQuery period_during = {
	.sql = "SELECT b.billing_period_id, b.digest FROM sharecollab.billing_period AS b WHERE b.pool_id = $1 AND b.during = $2",
	.nparams = 2, .types = {INT8OID, TSTZRANGEOID}
};

/*
 * What is in the way: earlier and open, closed and later, or closed and not
 * followed at once, so that what is between would never be billed.
 */
static SavedQuery period_out_of_order = {
	.sql = "SELECT b.during::pg_catalog.text, CASE WHEN b.closed_at IS NULL THEN 'an earlier billing period is open'"
	" WHEN pg_catalog.lower(b.during) >= pg_catalog.upper($2) THEN 'a later billing period is closed'"
	" ELSE 'the billing period does not begin where the last one ended' END"
	" FROM sharecollab.billing_period AS b WHERE b.pool_id = $1 AND CASE"
	" WHEN b.closed_at IS NULL THEN pg_catalog.upper(b.during) <= pg_catalog.lower($2)"
	" WHEN pg_catalog.lower(b.during) >= pg_catalog.upper($2) THEN true"
	" ELSE pg_catalog.upper(b.during) < pg_catalog.lower($2) AND pg_catalog.upper(b.during) ="
	" (SELECT pg_catalog.max(pg_catalog.upper(c.during)) FROM sharecollab.billing_period AS c WHERE c.pool_id = $1 AND c.closed_at IS NOT NULL) END"
	" ORDER BY b.closed_at IS NOT NULL, b.during LIMIT 1",
	.nparams = 2, .types = {INT8OID, TSTZRANGEOID}
};

static SavedQuery insert_period = {
	.sql = "INSERT INTO sharecollab.billing_period (pool_id, during) VALUES ($1, $2) RETURNING billing_period_id",
	.nparams = 2, .types = {INT8OID, TSTZRANGEOID}
};

static SavedQuery seal_period = {
	.sql = "UPDATE sharecollab.billing_period AS b SET closed_at = pg_catalog.clock_timestamp(),"
	" digest = sharecollab.billing_period_digest(b.pool_id, b.billing_period_id)"
	" WHERE b.pool_id = $1 AND b.billing_period_id = $2 RETURNING b.digest",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery differences = {
	.sql = "SELECT d.difference FROM sharecollab.billing_period_differences($1, $2) AS d (difference) LIMIT 1",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static struct
{
	const char *done;
	SavedQuery	query;
}			steps[] = {
	{"charges made", {
		.sql = "SELECT sharecollab.close_charges($1, $2)",
		.nparams = 2, .types = {INT8OID, INT8OID}
	}},
	{"charges posted", {
		.sql = "SELECT sharecollab.close_postings($1, $2)",
		.nparams = 2, .types = {INT8OID, INT8OID}
	}},
	{"contributors' share divided", {
		.sql = "SELECT sharecollab.close_contributors($1, $2, $3, $4)",
		.nparams = 4, .types = {INT8OID, INT8OID, JSONBOID, INTERVALOID}
	}},
	{"balances kept", {
		.sql = "SELECT sharecollab.close_balances($1, $2)",
		.nparams = 2, .types = {INT8OID, INT8OID}
	}},
};

static void
announce(TimestampTz start, const char *done)
{
	ereport(progress_level(),
			(errmsg("%s after %ld s", done, TimestampDifferenceMilliseconds(start, GetCurrentTimestamp()) / 1000)));
}

/*
 * A period that can be closed: bounded, and over.
 */
static void
require_ended(RangeType *during)
{
	TypeCacheEntry *typcache = lookup_type_cache(RangeTypeGetOid(during), TYPECACHE_RANGE_INFO);
	RangeBound	lower,
				upper;
	bool		empty;

	range_deserialize(typcache, during, &lower, &upper, &empty);
	if (empty || lower.infinite || upper.infinite || !lower.inclusive || upper.inclusive ||
		TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(lower.val)) || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(upper.val)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a billing period must be half-open and bounded")));
	if (DatumGetTimestampTz(upper.val) > GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the billing period has not ended yet"),
				 errdetail("It ends at %s.", timestamptz_to_str(DatumGetTimestampTz(upper.val)))));
}

/*
 * The period's key, made if it is not there; false with its digest if it is
 * closed.  The books are ours.
 */
static bool
open_period(Datum *values, Datum *digest)
{
	bool		exists = query_run(&period_during, values, NULL, false) > 0;
	bool		open = true;
	Datum		key = (Datum) 0;

	if (exists)
	{
		key = query_value(0, 1, NULL);
		*digest = query_value(0, 2, &open);
		if (!open)
			return false;
	}
	if (query_run(&period_out_of_order, values, NULL, false) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s", TextDatumGetCString(query_value(0, 2, NULL))),
				 errdetail("Billing period %s.", TextDatumGetCString(query_value(0, 1, NULL)))));
	if (!exists)
	{
		query_run(&insert_period, values, NULL, false);
		key = query_value(0, 1, NULL);
	}
	values[1] = key;
	return true;
}

PG_FUNCTION_INFO_V1(billing_period_close);
Datum
billing_period_close(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "during", "weights"};
	Datum		values[4];
	char		nulls[5] = "    ";
	Datum		digest;
	Datum		result;
	int64		pool_id;
	TimestampTz start = GetCurrentTimestamp();

	require_arguments(fcinfo, lengthof(names), names);
	require_ended(PG_GETARG_RANGE_P(1));
	pool_id = id_of_name("pool", PG_GETARG_TEXT_PP(0), GetActiveSnapshot());
	values[0] = Int64GetDatum(pool_id);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = PG_GETARG_DATUM(2);
	values[3] = PG_GETARG_DATUM(3);
	if (PG_ARGISNULL(3))
		nulls[3] = 'n';

	/* nobody posts to the pool, or closes another period of it, meanwhile */
	lock_books(pool_id, ExclusiveLock);
	require_current_snapshot();
	SPI_connect();
	if (open_period(values, &digest))
	{
		for (size_t i = 0; i < lengthof(steps); i++)
		{
			query_run(&steps[i].query, values, nulls, false);
			announce(start, steps[i].done);
		}
		if (query_run(&differences, values, NULL, false) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("cannot close the billing period: its books are wrong"),
					 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL)))));
		announce(start, "books checked");
		query_run(&seal_period, values, NULL, false);
		digest = query_value(0, 1, NULL);
		announce(start, "billing period sealed");
	}
	result = SPI_datumTransfer(digest, false, -1);
	SPI_finish();
	return result;
}

static SavedQuery closed_period = {
	.sql = "SELECT b.during::pg_catalog.text FROM sharecollab.billing_period AS b"
	" WHERE b.pool_id = $1 AND b.billing_period_id = $2 AND b.closed_at IS NOT NULL",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

/*
 * The periods that a statement made charges in: mostly one.  Those of the same
 * come together, so that only changes are worth a look.
 */
PG_FUNCTION_INFO_V1(charge_check);
Datum
charge_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo, "charge");
	TupleTableSlot *slot;
	AttrNumber	columns[2];
	Datum		values[2] = {0, 0};

	if (is_restore(trigger))
		return PointerGetDatum(NULL);
	columns[0] = column_number(trigger->tg_relation, "pool_id");
	columns[1] = column_number(trigger->tg_relation, "billing_period_id");
	slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation), &TTSOpsMinimalTuple);
	SPI_connect();
	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, slot))
	{
		bool		isnull;
		Datum		pool_id = slot_getattr(slot, columns[0], &isnull);
		Datum		period_id = slot_getattr(slot, columns[1], &isnull);

		CHECK_FOR_INTERRUPTS();
		/* keys are above 0 */
		if (pool_id == values[0] && period_id == values[1])
			continue;
		values[0] = pool_id;
		values[1] = period_id;
		lock_books(DatumGetInt64(pool_id), RowExclusiveLock);
		if (query_latest(&closed_period, values) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_BOOKS_CLOSED),
					 errmsg("the billing period is closed"),
					 errdetail("Billing period %s.", TextDatumGetCString(query_value(0, 1, NULL))),
					 errhint("A correction is a charge of a billing period that is open.")));
	}
	SPI_finish();
	ExecDropSingleTupleTableSlot(slot);
	return PointerGetDatum(NULL);
}
