/*
 * lease.c
 *		Leases and what comes before them: names, membership, terms.
 *
 * reserve(), release(), cancel() and import_leases() say what a caller may do
 * and explain what is refused.  Whether there is room is not decided here but
 * by the calendar (calendar.c), for these functions as for plain INSERTs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "profile.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/* as the CHECK constraints of tables supply and lease say */
#define QUANTITY_MAX_SCALE	6
#define QUANTITY_LIMIT		INT64CONST(1000000000000)

static SavedQuery pool_by_name = {
	.sql = "SELECT pool_id FROM sharecollab.pool WHERE name = $1",
	.nparams = 1, .types = {TEXTOID}
};

static SavedQuery party_by_name = {
	.sql = "SELECT party_id FROM sharecollab.party WHERE name = $1",
	.nparams = 1, .types = {TEXTOID}
};

static SavedQuery accept_invitation = {
	.sql = "UPDATE sharecollab.membership SET accepted_at = pg_catalog.now()"
	" WHERE pool_id = $1 AND party_id = $2 AND role = $3 AND accepted_at IS NULL",
	.nparams = 3, .types = {INT8OID, INT8OID, TEXTOID}
};

static SavedQuery is_member = {
	.sql = "SELECT accepted_at IS NOT NULL FROM sharecollab.membership"
	" WHERE pool_id = $1 AND party_id = $2 AND role = $3",
	.nparams = 3, .types = {INT8OID, INT8OID, TEXTOID}
};

static SavedQuery insert_supply = {
	.sql = "INSERT INTO sharecollab.supply (pool_id, provider_id, quantity, during)"
	" VALUES ($1, $2, $3, $4) RETURNING supply_id",
	.nparams = 4, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID}
};

/* all that reserve() has to know, with nulls for what is not there */
static SavedQuery what_to_reserve = {
	.sql = "SELECT p.pool_id, c.party_id, m.accepted_at IS NOT NULL, m.role,"
	" sharecollab.terms_violation(p, $3, $4), p.price"
	" FROM (VALUES (1)) AS one"
	" LEFT JOIN sharecollab.pool AS p ON p.name = $1"
	" LEFT JOIN sharecollab.party AS c ON c.name = $2"
	" LEFT JOIN sharecollab.membership AS m ON m.pool_id = p.pool_id"
	" AND m.party_id = c.party_id AND m.role = 'consumer'",
	.nparams = 4, .types = {TEXTOID, TEXTOID, NUMERICOID, TSTZRANGEOID}
};

static SavedQuery insert_lease = {
	.sql = "INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during, price, reference)"
	" VALUES ($1, $2, $3, $4, $5, $6) RETURNING lease_id",
	.nparams = 6, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID, NUMERICOID, TEXTOID}
};

static SavedQuery lease_by_id = {
	.sql = "SELECT l.pool_id, l.during, l.ended_at, l.end_reason FROM sharecollab.lease AS l"
	" WHERE l.lease_id = $1 FOR NO KEY UPDATE",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery end_lease = {
	.sql = "UPDATE sharecollab.lease SET ended_at = $3, end_reason = $4"
	" WHERE pool_id = $1 AND lease_id = $2",
	.nparams = 4, .types = {INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID}
};

PG_FUNCTION_INFO_V1(pool_id);
Datum
pool_id(PG_FUNCTION_ARGS)
{
	int64		result;

	SPI_connect();
	result = id_of_name(&pool_by_name, "pool", PG_GETARG_TEXT_PP(0), true);
	SPI_finish();
	PG_RETURN_INT64(result);
}

PG_FUNCTION_INFO_V1(party_id);
Datum
party_id(PG_FUNCTION_ARGS)
{
	int64		result;

	SPI_connect();
	result = id_of_name(&party_by_name, "party", PG_GETARG_TEXT_PP(0), true);
	SPI_finish();
	PG_RETURN_INT64(result);
}

/*
 * A party must have a role in a pool, and have accepted it.
 */
static void
require_member(bool invited, bool accepted, const char *role, text *pool_name, text *party_name)
{
	if (!invited)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_A_MEMBER),
				 errmsg("party \"%s\" is not a %s of pool \"%s\"",
						text_to_cstring(party_name), role, text_to_cstring(pool_name)),
				 errhint("invite() the party as %s, and have it accept().", role)));
	if (!accepted)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_A_MEMBER),
				 errmsg("party \"%s\" has not accepted to be a %s of pool \"%s\"",
						text_to_cstring(party_name), role, text_to_cstring(pool_name)),
				 errhint("The party must accept() the invitation first.")));
}

/*
 * A period that can be stored: not empty, half-open, from a finite instant.
 */
static void
require_period(Datum range)
{
	RangeType  *period = DatumGetRangeTypeP(range);
	TypeCacheEntry *type = lookup_type_cache(RangeTypeGetOid(period), TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	range_deserialize(type, period, &lower, &upper, &empty);
	if (empty)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must not be empty")));
	if (lower.infinite || TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(lower.val)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must start at a finite instant")));
	if (!upper.infinite && TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(upper.val)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must end at a finite instant or be unbounded"),
				 errhint("Leave the upper bound out for an open end.")));
	if (!lower.inclusive || upper.inclusive)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be half-open: [start, end)"),
				 errhint("tstzrange(start, end) makes such a period.")));
}

/*
 * A quantity that can be stored.  All quantities of a pool share the 18 digits
 * of its calendar, so none may take more than its part of them.
 */
static void
require_quantity(Datum numeric)
{
	Decimal		quantity = decimal_arg(numeric, "quantity");

	if (quantity.mantissa <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantity must be positive")));
	if (quantity.scale > QUANTITY_MAX_SCALE ||
		decimal_cmp(quantity.mantissa, quantity.scale, QUANTITY_LIMIT, 0) >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("quantity out of range"),
				 errdetail("A quantity of a pool is less than 10^12, with at most %d decimal places.",
						   QUANTITY_MAX_SCALE),
				 errhint("Round the quantity, or choose another unit for the pool.")));
}

/* accept(pool, party, role) */
PG_FUNCTION_INFO_V1(membership_accept);
Datum
membership_accept(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "party", "role"};
	Datum		values[3];

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = Int64GetDatum(id_of_name(&pool_by_name, "pool", PG_GETARG_TEXT_PP(0), false));
	values[1] = Int64GetDatum(id_of_name(&party_by_name, "party", PG_GETARG_TEXT_PP(1), false));
	values[2] = PG_GETARG_DATUM(2);
	if (query_run(&accept_invitation, values, NULL, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_A_MEMBER),
				 errmsg("party \"%s\" has no open invitation to be a %s of pool \"%s\"",
						text_to_cstring(PG_GETARG_TEXT_PP(1)),
						text_to_cstring(PG_GETARG_TEXT_PP(2)),
						text_to_cstring(PG_GETARG_TEXT_PP(0)))));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * add_supply(pool, provider, quantity, during) and withdraw_supply(same): a
 * positive and a negative row of the same table.
 */
static Datum
record_supply(FunctionCallInfo fcinfo, bool withdraw)
{
	static const char *const names[] = {"pool", "provider", "quantity", "period"};
	Datum		values[4];
	bool		invited;
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = Int64GetDatum(id_of_name(&pool_by_name, "pool", PG_GETARG_TEXT_PP(0), false));
	values[1] = Int64GetDatum(id_of_name(&party_by_name, "party", PG_GETARG_TEXT_PP(1), false));
	values[2] = CStringGetTextDatum("provider");
	invited = query_run(&is_member, values, NULL, false) > 0;
	require_member(invited, invited && DatumGetBool(query_value(0, 1, NULL)), "provider",
				   PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	require_quantity(PG_GETARG_DATUM(2));
	require_period(PG_GETARG_DATUM(3));
	values[2] = PG_GETARG_DATUM(2);
	if (withdraw)
		values[2] = DirectFunctionCall1(numeric_uminus, values[2]);
	values[3] = PG_GETARG_DATUM(3);
	query_run(&insert_supply, values, NULL, false);
	result = DatumGetInt64(query_value(0, 1, NULL));
	SPI_finish();
	PG_RETURN_INT64(result);
}

PG_FUNCTION_INFO_V1(supply_add);
Datum
supply_add(PG_FUNCTION_ARGS)
{
	return record_supply(fcinfo, false);
}

PG_FUNCTION_INFO_V1(supply_withdraw);
Datum
supply_withdraw(PG_FUNCTION_ARGS)
{
	return record_supply(fcinfo, true);
}

/* reserve(pool, consumer, quantity, during, reference) */
PG_FUNCTION_INFO_V1(lease_reserve);
Datum
lease_reserve(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "consumer", "quantity", "period"};
	Datum		values[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};
	Datum		pool;
	Datum		consumer;
	Datum		accepted;
	Datum		violation;
	bool		no_pool;
	bool		no_consumer;
	bool		not_invited;
	bool		no_violation;
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	require_quantity(PG_GETARG_DATUM(2));
	require_period(PG_GETARG_DATUM(3));
	SPI_connect();
	for (int i = 0; i < 4; i++)
		values[i] = PG_GETARG_DATUM(i);
	query_run(&what_to_reserve, values, NULL, false);
	pool = query_value(0, 1, &no_pool);
	consumer = query_value(0, 2, &no_consumer);
	accepted = query_value(0, 3, NULL);
	query_value(0, 4, &not_invited);
	violation = query_value(0, 5, &no_violation);
	if (no_pool)
		unknown_name("pool", PG_GETARG_TEXT_PP(0));
	if (no_consumer)
		unknown_name("party", PG_GETARG_TEXT_PP(1));
	require_member(!not_invited, DatumGetBool(accepted), "consumer",
				   PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	if (!no_violation)
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("lease is outside the terms of pool \"%s\"",
						text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errdetail("%s", TextDatumGetCString(violation))));

	values[0] = pool;
	values[1] = consumer;
	values[2] = PG_GETARG_DATUM(2);
	values[3] = PG_GETARG_DATUM(3);
	values[4] = query_value(0, 6, NULL);
	if (PG_ARGISNULL(4))
		nulls[5] = 'n';
	else
		values[5] = PG_GETARG_DATUM(4);
	query_run(&insert_lease, values, nulls, false);
	result = DatumGetInt64(query_value(0, 1, NULL));
	SPI_finish();
	PG_RETURN_INT64(result);
}

/*
 * release(lease, at): give back the rest of a lease that has begun.
 * cancel(lease, at): give back a lease that has not.
 */
static Datum
lease_end(FunctionCallInfo fcinfo, bool cancel)
{
	static const char *const names[] = {"lease", "instant"};
	const char *verb = cancel ? "cancel" : "release";
	int64		lease_id;
	TimestampTz at;
	Span		during;
	bool		isnull;
	Datum		values[4];

	require_arguments(fcinfo, lengthof(names), names);
	lease_id = PG_GETARG_INT64(0);
	at = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("instant must be finite")));
	SPI_connect();
	values[0] = Int64GetDatum(lease_id);
	if (query_run(&lease_by_id, values, NULL, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("lease " INT64_FORMAT " does not exist", lease_id)));
	during = span_arg(query_value(0, 2, NULL));
	query_value(0, 3, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot %s lease " INT64_FORMAT, verb, lease_id),
				 errdetail("It was %s at %s.",
						   TextDatumGetCString(query_value(0, 4, NULL)),
						   timestamptz_to_str(DatumGetTimestampTz(query_value(0, 3, NULL))))));
	if (at >= during.until)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot %s lease " INT64_FORMAT, verb, lease_id),
				 errdetail("It ended at %s.", timestamptz_to_str(during.until))));
	if (cancel && at >= during.from)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot cancel lease " INT64_FORMAT, lease_id),
				 errdetail("It began at %s.", timestamptz_to_str(during.from)),
				 errhint("release() gives back the rest of it.")));
	if (!cancel && at < during.from)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot release lease " INT64_FORMAT, lease_id),
				 errdetail("It begins at %s.", timestamptz_to_str(during.from)),
				 errhint("cancel() gives back all of it.")));

	values[0] = query_value(0, 1, NULL);
	values[1] = Int64GetDatum(lease_id);
	values[2] = TimestampTzGetDatum(at);
	values[3] = CStringGetTextDatum(cancel ? "cancelled" : "released");
	query_run(&end_lease, values, NULL, false);
	SPI_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(lease_release);
Datum
lease_release(PG_FUNCTION_ARGS)
{
	return lease_end(fcinfo, false);
}

PG_FUNCTION_INFO_V1(lease_cancel);
Datum
lease_cancel(PG_FUNCTION_ARGS)
{
	return lease_end(fcinfo, true);
}

/*
 * import_leases(source): admit all rows of a table or view with the columns
 * pool, consumer, quantity, during and reference, in one statement, hence in
 * one pass over the calendar of each pool.  All or nothing.
 */
static char *
first_value(const char *format, const char *source, int column)
{
	bool		isnull;
	char	   *sql = psprintf(format, source);

	if (SPI_execute(sql, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	if (SPI_processed == 0)
		return NULL;
	query_value(0, column, &isnull);
	return isnull ? "(null)" : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

#define column_value(column) \
	SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, (column))

PG_FUNCTION_INFO_V1(lease_import);
Datum
lease_import(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"source"};
	Oid			relation;
	char	   *source;
	char	   *sql;
	char	   *found;
	uint64		count;

	require_arguments(fcinfo, lengthof(names), names);
	relation = PG_GETARG_OID(0);
	if (get_rel_name(relation) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	source = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
										get_rel_name(relation));
	SPI_connect();

	found = first_value("SELECT CASE WHEN s.pool IS NULL THEN 'pool'"
						" WHEN s.consumer IS NULL THEN 'consumer'"
						" WHEN s.quantity IS NULL THEN 'quantity' ELSE 'period' END FROM %s AS s"
						" WHERE s.pool IS NULL OR s.consumer IS NULL"
						" OR s.quantity IS NULL OR s.during IS NULL", source, 1);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", found)));
	found = first_value("SELECT s.pool FROM %s AS s WHERE NOT EXISTS"
						" (SELECT FROM sharecollab.pool AS p WHERE p.name = s.pool)", source, 1);
	if (found)
		unknown_name("pool", cstring_to_text(found));
	found = first_value("SELECT s.consumer FROM %s AS s WHERE NOT EXISTS"
						" (SELECT FROM sharecollab.party AS c WHERE c.name = s.consumer)", source, 1);
	if (found)
		unknown_name("party", cstring_to_text(found));
	found = first_value("SELECT s.consumer, s.pool, EXISTS (SELECT FROM sharecollab.membership AS m"
						" WHERE m.pool_id = p.pool_id AND m.party_id = c.party_id"
						" AND m.role = 'consumer') FROM %s AS s"
						" JOIN sharecollab.pool AS p ON p.name = s.pool"
						" JOIN sharecollab.party AS c ON c.name = s.consumer"
						" WHERE NOT EXISTS (SELECT FROM sharecollab.membership AS m"
						" WHERE m.pool_id = p.pool_id AND m.party_id = c.party_id"
						" AND m.role = 'consumer' AND m.accepted_at IS NOT NULL)", source, 1);
	if (found)
		require_member(strcmp(column_value(3), "t") == 0, false, "consumer",
					   cstring_to_text(column_value(2)), cstring_to_text(found));
	found = first_value("SELECT s.quantity::pg_catalog.numeric, s.during::pg_catalog.tstzrange FROM %s AS s"
						" WHERE NOT (s.quantity > 0 AND s.quantity < 1000000000000"
						" AND s.quantity = round(s.quantity, 6))"
						" OR isempty(s.during) OR NOT lower_inc(s.during) OR upper_inc(s.during)"
						" OR NOT isfinite(lower(s.during)) OR NOT isfinite(upper(s.during))", source, 1);
	if (found)
	{
		require_quantity(query_value(0, 1, NULL));
		require_period(query_value(0, 2, NULL));
	}
	found = first_value("SELECT sharecollab.terms_violation(p, s.quantity, s.during),"
						" s.pool, s.reference FROM %s AS s"
						" JOIN sharecollab.pool AS p ON p.name = s.pool"
						" WHERE sharecollab.terms_violation(p, s.quantity, s.during) IS NOT NULL",
						source, 1);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("lease \"%s\" is outside the terms of pool \"%s\"",
						column_value(3) ? column_value(3) : "(null)", column_value(2)),
				 errdetail("%s", found)));

	sql = psprintf("INSERT INTO sharecollab.lease"
				   " (pool_id, consumer_id, quantity, during, price, reference)"
				   " SELECT p.pool_id, c.party_id, s.quantity, s.during, p.price, s.reference"
				   " FROM %s AS s"
				   " JOIN sharecollab.pool AS p ON p.name = s.pool"
				   " JOIN sharecollab.party AS c ON c.name = s.consumer", source);
	if (SPI_execute(sql, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not execute \"%s\"", sql);
	count = SPI_processed;
	SPI_finish();
	PG_RETURN_INT64((int64) count);
}
