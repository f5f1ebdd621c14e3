/*
 * lease.c
 *		Leases and what comes before them: names, membership, terms.
 *
 * reserve(), release(), cancel() and import_leases() say what a caller may do
 * and explain what is refused.  Whether there is room is not decided here but
 * by the calendar (calendar.c), for these functions as for plain INSERTs.
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "calendar.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "progress.h"
#include "query.h"
#include "table.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* as the CHECK constraints of tables supply and lease say */
#define QUANTITY_MAX_SCALE	6
#define QUANTITY_LIMIT		INT64CONST(1000000000000)

static SavedQuery accept_invitation = {
	.sql = "UPDATE sharecollab.membership SET accepted_at = pg_catalog.now()"
	" WHERE pool_id = $1 AND party_id = $2 AND role = $3 AND accepted_at IS NULL",
	.nparams = 3, .types = {INT8OID, INT8OID, TEXTOID}
};

static SavedQuery insert_supply = {
	.sql = "INSERT INTO sharecollab.supply (pool_id, provider_id, quantity, during, cost_rate, power, embodied, region)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING supply_id",
	.nparams = 8, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID, NUMERICOID, NUMERICOID, NUMERICOID, TEXTOID}
};

/* notice and horizon are about what is reserved in addition, if anything is */
static SavedQuery violation = {
	.sql = "SELECT coalesce(sharecollab.terms_violation(p, $2, $3), sharecollab.booking_violation(p, $4))"
	" FROM sharecollab.pool AS p WHERE p.pool_id = $1",
	.nparams = 4, .types = {INT8OID, NUMERICOID, TSTZRANGEOID, TSTZRANGEOID}
};

static SavedQuery insert_lease = {
	.sql = "INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during, price)"
	" VALUES ($1, $2, $3, $4, $5) RETURNING lease_id",
	.nparams = 5, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID, NUMERICOID}
};

/* lines with all that a lease may have */
static SavedQuery insert_lines = {
	.sql = "INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during, price, reference,"
	" booking_id, held_until, preemptible, buffer, cancellation)"
	" SELECT p.pool_id, $2, l.quantity, l.during, p.price, l.reference, $6,"
	" CASE WHEN $7 IS NOT NULL OR NOT p.instant THEN coalesce(LEAST(pg_catalog.now() + $7,"
	" CASE WHEN pg_catalog.lower(l.during) > pg_catalog.now() THEN pg_catalog.lower(l.during) END), 'infinity') END,"
	" $8, p.buffer, p.cancellation"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))"
	" WITH ORDINALITY AS l (pool_id, quantity, during, reference, n)"
	" JOIN sharecollab.pool AS p ON p.pool_id = l.pool_id ORDER BY l.n"
	" ON CONFLICT (pool_id, reference) DO NOTHING RETURNING lease_id",
	.nparams = 8, .types = {INT8ARRAYOID, INT8OID, NUMERICARRAYOID, TSTZRANGEARRAYOID, TEXTARRAYOID,
	INT8OID, INTERVALOID, BOOLOID}
};

/* what a reference stands for, and whether it is the same wish */
static SavedQuery lease_by_reference = {
	.sql = "SELECT l.lease_id, l.booking_id,"
	" l.consumer_id = $3 AND l.quantity = $4 AND l.during = $5 AND l.preemptible = $6,"
	" (SELECT pg_catalog.count(*) FROM sharecollab.lease AS o WHERE o.booking_id = l.booking_id"
	" AND o.reference IS NOT NULL), l.consumer_id"
	" FROM sharecollab.lease AS l WHERE l.pool_id = $1 AND l.reference = $2",
	.nparams = 6, .types = {INT8OID, TEXTOID, INT8OID, NUMERICOID, TSTZRANGEOID, BOOLOID}
};

static SavedQuery next_booking = {
	.sql = "SELECT pg_catalog.nextval('sharecollab.booking_id_seq')"
};

/* rows before pages, and none that somebody is at work on: see expire_holds() */
static SavedQuery expired_holds = {
	.sql = "SELECT l.pool_id, l.lease_id, l.consumer_id, sharecollab.occupied(l.effective, l.buffer)"
	" FROM sharecollab.lease AS l WHERE l.pool_id = ANY ($1)"
	" AND l.held_until <= pg_catalog.now() AND l.ended_at IS NULL"
	" ORDER BY l.pool_id, l.lease_id FOR NO KEY UPDATE SKIP LOCKED",
	.nparams = 1, .types = {INT8ARRAYOID}
};

static SavedQuery pools_with_expired_holds = {
	.sql = "SELECT pg_catalog.array_agg(DISTINCT l.pool_id) FROM sharecollab.lease AS l"
	" WHERE l.held_until <= pg_catalog.now() AND l.ended_at IS NULL"
};

static SavedQuery end_holds = {
	.sql = "UPDATE sharecollab.lease AS l SET ended_at = l.held_until, end_reason = 'expired', refund = 1"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS h (pool_id, lease_id)"
	" WHERE l.pool_id = h.pool_id AND l.lease_id = h.lease_id",
	.nparams = 2, .types = {INT8ARRAYOID, INT8ARRAYOID}
};

/* its pool is looked up afterwards, as the lease may be moved while we wait for it */
static SavedQuery lease_by_id = {
	.sql = "SELECT l.pool_id, l.during, l.ended_at, l.end_reason, l.held_until, l.cancellation, l.quantity,"
	" l.preemptible FROM sharecollab.lease AS l WHERE l.lease_id = $1 FOR NO KEY UPDATE",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery end_lease = {
	.sql = "UPDATE sharecollab.lease SET ended_at = $3, end_reason = $4, refund = $5"
	" WHERE pool_id = $1 AND lease_id = $2",
	.nparams = 5, .types = {INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, NUMERICOID}
};

static SavedQuery confirm_lease = {
	.sql = "UPDATE sharecollab.lease SET held_until = NULL WHERE pool_id = $1 AND lease_id = $2",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

/* a hold ends when the lease begins, also if that is earlier now */
static SavedQuery amend_lease = {
	.sql = "UPDATE sharecollab.lease SET quantity = $3, during = $4,"
	" held_until = CASE WHEN held_until > pg_catalog.lower($4) AND pg_catalog.lower($4) > pg_catalog.now()"
	" THEN pg_catalog.lower($4) ELSE held_until END"
	" WHERE pool_id = $1 AND lease_id = $2",
	.nparams = 4, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID}
};

/*
 * The rest of a lease becomes a lease of its own: which holds nothing, until
 * one statement ends the one and begins the other.  In two, what the rest has
 * now would be in the way where there is a deficit, even of less.
 */
static SavedQuery continue_lease = {
	.sql = "INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during, price, booking_id,"
	" held_until, preemptible, buffer, cancellation, ended_at, end_reason)"
	" SELECT l.pool_id, l.consumer_id, $3, $4, l.price, l.booking_id, l.held_until, l.preemptible,"
	" l.buffer, l.cancellation, pg_catalog.lower($4), 'amended' FROM sharecollab.lease AS l WHERE l.pool_id = $1 AND l.lease_id = $2"
	" RETURNING lease_id",
	.nparams = 4, .types = {INT8OID, INT8OID, NUMERICOID, TSTZRANGEOID}
};

static SavedQuery hand_over = {
	.sql = "UPDATE sharecollab.lease AS l SET ended_at = e.at, end_reason = e.reason, refund = e.refund,"
	" buffer = coalesce(e.buffer, l.buffer)"
	" FROM (VALUES ($2, $4, 'amended', 1, interval '0'), ($3, NULL, NULL, NULL, NULL))"
	" AS e (lease_id, at, reason, refund, buffer)"
	" WHERE l.pool_id = $1 AND l.lease_id = e.lease_id",
	.nparams = 4, .types = {INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID}
};

PG_FUNCTION_INFO_V1(pool_id);
Datum
pool_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(id_of_name("pool", PG_GETARG_TEXT_PP(0), GetActiveSnapshot()));
}

PG_FUNCTION_INFO_V1(party_id);
Datum
party_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(id_of_name("party", PG_GETARG_TEXT_PP(0), GetActiveSnapshot()));
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
	values[0] = Int64GetDatum(id_of_name("pool", PG_GETARG_TEXT_PP(0), GetLatestSnapshot()));
	values[1] = Int64GetDatum(acting_party(PG_GETARG_TEXT_PP(1), GetLatestSnapshot()));
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
 * add_supply(pool, provider, quantity, during, cost_rate, power, embodied,
 * region) and withdraw_supply(the first four): a positive and a negative row of
 * the same table.
 */
static Datum
record_supply(FunctionCallInfo fcinfo, bool withdraw)
{
	static const char *const names[] = {"pool", "provider", "quantity", "period"};
	Datum		values[8];
	char		nulls[9] = "    nnnn";
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = Int64GetDatum(id_of_name("pool", PG_GETARG_TEXT_PP(0), GetLatestSnapshot()));
	values[1] = Int64GetDatum(acting_party(PG_GETARG_TEXT_PP(1), GetLatestSnapshot()));
	require_member(DatumGetInt64(values[0]), DatumGetInt64(values[1]), "provider",
				   PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	require_quantity(PG_GETARG_DATUM(2));
	require_period(PG_GETARG_DATUM(3));
	values[2] = PG_GETARG_DATUM(2);
	if (withdraw)
		values[2] = DirectFunctionCall1(numeric_uminus, values[2]);
	values[3] = PG_GETARG_DATUM(3);
	query_arguments(fcinfo, 4, PG_NARGS(), values, nulls);
	query_run(&insert_supply, values, nulls, false);
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

/* ----------
 * reserve
 * ----------
 */

/* one line of a booking: what is wished for, and where */
typedef struct Line
{
	text	   *pool_name;
	int64		pool_id;
	Datum		quantity;
	Datum		during;
	Datum		price;			/* in the pool's currency, for a unit-hour */
	bool		has_terms;		/* the pool has any, which check_terms() looks at */
	bool		plain;			/* nothing to be said but these */
} Line;

static const char *const terms_columns[] = {
	"min_quantity", "max_quantity", "quantity_step", "min_duration", "max_duration",
	"notice", "horizon"
};

/*
 * Look up the pool of a line, and whether the consumer may reserve there.
 */
static void
check_line(Line *line, int64 consumer_id, text *consumer_name)
{
	TableRow	row;
	bool		isnull;

	require_quantity(line->quantity);
	require_period(line->during);
	find_by_name(&row, "pool", line->pool_name, GetLatestSnapshot());
	line->pool_id = DatumGetInt64(row_column(&row, "pool_id", &isnull));
	line->price = PointerGetDatum(PG_DETOAST_DATUM_COPY(row_column(&row, "price", &isnull)));
	line->plain = DatumGetBool(row_column(&row, "instant", &isnull)) &&
		DatumGetIntervalP(row_column(&row, "buffer", &isnull))->time == 0;
	row_column(&row, "cancellation", &isnull);
	line->plain = line->plain && isnull;
	line->has_terms = false;
	for (size_t i = 0; i < lengthof(terms_columns) && !line->has_terms; i++)
	{
		row_column(&row, terms_columns[i], &isnull);
		line->has_terms = !isnull;
	}
	row_close(&row);

	require_member(line->pool_id, consumer_id, "consumer", line->pool_name, consumer_name);
}

/*
 * A line must be within the terms of its pool.
 */
static void
check_terms(const Line *line)
{
	Datum		values[4];
	bool		isnull;

	if (!line->has_terms)
		return;
	values[0] = Int64GetDatum(line->pool_id);
	values[1] = line->quantity;
	values[2] = values[3] = line->during;
	query_run(&violation, values, NULL, false);
	query_value(0, 1, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("lease is outside the terms of pool \"%s\"", text_to_cstring(line->pool_name)),
				 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL)))));
}

static Datum
int8_array(const int64 *values, int n)
{
	Datum	   *elements = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * End the holds of some pools that were not confirmed in time, and lock all
 * that the lines will change.
 *
 * First the rows, then the pages, all of them in order: whoever releases a
 * lease takes its row and then its pages, too.  A row that somebody is at work
 * on is left to them.
 */
static int
expire_holds(Datum pools, const Line *lines, int nlines, int64 consumer_id)
{
	int			nholds = (int) query_run(&expired_holds, &pools, NULL, false);
	int			n = nholds + nlines;
	int64	   *pool_ids = palloc(Max(n, 1) * sizeof(int64));
	int64	   *lease_ids = palloc(Max(n, 1) * sizeof(int64));
	int64	   *consumers = palloc(Max(n, 1) * sizeof(int64));
	Span	   *spans = palloc(Max(n, 1) * sizeof(Span));
	Datum		values[2];

	if (nholds == 0)
		return 0;
	for (int i = 0; i < nholds; i++)
	{
		pool_ids[i] = DatumGetInt64(query_value(i, 1, NULL));
		lease_ids[i] = DatumGetInt64(query_value(i, 2, NULL));
		consumers[i] = DatumGetInt64(query_value(i, 3, NULL));
		spans[i] = span_arg(query_value(i, 4, NULL));
	}
	for (int i = 0; i < nlines; i++)
	{
		pool_ids[nholds + i] = lines[i].pool_id;
		consumers[nholds + i] = consumer_id;
		spans[nholds + i] = span_arg(lines[i].during);
	}
	lock_calendar(n, pool_ids, consumers, spans);
	values[0] = int8_array(pool_ids, nholds);
	values[1] = int8_array(lease_ids, nholds);
	query_run(&end_holds, values, NULL, false);
	return nholds;
}

/* expire_holds(): for all pools */
PG_FUNCTION_INFO_V1(lease_expire_holds);
Datum
lease_expire_holds(PG_FUNCTION_ARGS)
{
	int64		count = 0;
	bool		isnull;

	(void) fcinfo;

	SPI_connect();
	query_run(&pools_with_expired_holds, NULL, NULL, false);
	query_value(0, 1, &isnull);
	if (!isnull)
		count = expire_holds(query_value(0, 1, NULL), NULL, 0, 0);
	SPI_finish();
	PG_RETURN_INT64(count);
}

/* what can be said of a booking beside its lines */
typedef struct Booking
{
	text	   *reference;		/* or NULL */
	Interval   *hold_for;		/* or NULL */
	bool		preemptible;
	bool		is_bundle;
} Booking;

/* The lines of a bundle have references of their own. */
static text *
line_reference(const Booking *booking, int i)
{
	if (booking->reference == NULL || !booking->is_bundle)
		return booking->reference;
	return cstring_to_text(psprintf("%s/%d", text_to_cstring(booking->reference), i + 1));
}

/*
 * What was reserved before by the same reference: a client that did not get
 * the answer asks again.  Returns false if nothing was.
 */
static bool
find_reference(const Booking *booking, const Line *lines, int nlines, int64 consumer_id, int64 *result)
{
	int			nfound = 0;
	bool		whole = true;

	if (booking->reference == NULL)
		return false;
	for (int i = 0; i < nlines; i++)
	{
		Datum		values[6];
		bool		isnull;

		values[0] = Int64GetDatum(lines[i].pool_id);
		values[1] = PointerGetDatum(line_reference(booking, i));
		values[2] = Int64GetDatum(consumer_id);
		values[3] = lines[i].quantity;
		values[4] = lines[i].during;
		values[5] = BoolGetDatum(booking->preemptible);
		if (query_run(&lease_by_reference, values, NULL, false) == 0)
			continue;
		query_value(0, 2, &isnull);
		if (!DatumGetBool(query_value(0, 3, NULL)) || isnull == booking->is_bundle)
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("reference \"%s\" is already used in pool \"%s\"",
							text_to_cstring(line_reference(booking, i)),
							text_to_cstring(lines[i].pool_name)),
					 acts_for(DatumGetInt64(query_value(0, 5, NULL))) || (pool_roles(lines[i].pool_id) & POOL_OVERSEER) ?
					 errdetail("Lease " INT64_FORMAT " has it, and is not the same.",
							   DatumGetInt64(query_value(0, 1, NULL))) : 0,
					 errhint("Repeat the call with the same arguments, or use a new reference.")));
		if (booking->is_bundle)
		{
			int64		id = DatumGetInt64(query_value(0, 2, NULL));

			whole = whole && (nfound == 0 || id == *result) &&
				DatumGetInt64(query_value(0, 4, NULL)) == nlines;
			*result = id;
		}
		else
			*result = DatumGetInt64(query_value(0, 1, NULL));
		nfound++;
	}
	/* one with other lines, or more, is not the same */
	if (nfound > 0 && (nfound < nlines || !whole))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("reference \"%s\" is already used for another booking",
						text_to_cstring(booking->reference))));
	return nfound > 0;
}

/*
 * Insert the lines of a booking in one statement, hence all or none.
 */
static int64
insert_booking(const Booking *booking, const Line *lines, int nlines, int64 consumer_id)
{
	Datum		values[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	int64	   *pools = palloc(nlines * sizeof(int64));
	Datum	   *quantities = palloc(nlines * sizeof(Datum));
	Datum	   *periods = palloc(nlines * sizeof(Datum));
	Datum	   *references = palloc(nlines * sizeof(Datum));
	bool	   *reference_nulls = palloc(nlines * sizeof(bool));
	int			dims[1];
	int			lower_bounds[1] = {1};
	int64		result = 0;

	for (int i = 0; i < nlines; i++)
	{
		pools[i] = lines[i].pool_id;
		quantities[i] = lines[i].quantity;
		periods[i] = lines[i].during;
		reference_nulls[i] = booking->reference == NULL;
		references[i] = PointerGetDatum(line_reference(booking, i));
	}
	dims[0] = nlines;
	values[0] = int8_array(pools, nlines);
	values[1] = Int64GetDatum(consumer_id);
	values[2] = PointerGetDatum(construct_array(quantities, nlines, NUMERICOID, -1, false, TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_array(periods, nlines, TSTZRANGEOID, -1, false, TYPALIGN_DOUBLE));
	values[4] = PointerGetDatum(construct_md_array(references, reference_nulls, 1, dims, lower_bounds,
												   TEXTOID, -1, false, TYPALIGN_INT));
	if (booking->is_bundle)
	{
		query_run(&next_booking, NULL, NULL, false);
		result = DatumGetInt64(query_value(0, 1, NULL));
	}
	else
		nulls[5] = 'n';
	values[5] = Int64GetDatum(result);
	values[6] = IntervalPGetDatum(booking->hold_for);
	if (booking->hold_for == NULL)
		nulls[6] = 'n';
	values[7] = BoolGetDatum(booking->preemptible);
	if (query_run(&insert_lines, values, nulls, false) < (uint64) nlines)
	{
		/* somebody was faster, with the same reference: the same client? */
		if (!find_reference(booking, lines, nlines, consumer_id, &result))
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("reference \"%s\" is already used",
							text_to_cstring(booking->reference))));
		return result;
	}
	return booking->is_bundle ? result : DatumGetInt64(query_value(0, 1, NULL));
}

/* CHECK constraints of table lease that a line of a plain booking fulfils */
#define LEASE_CHECKS	8

/*
 * Would an INSERT into table lease do nothing but what insert_lease_row() does?
 *
 * Not if somebody has put a trigger, a column or a constraint on it, or made
 * its owner be bound by policies.  Foreign keys need no trigger here: what they
 * point to was found with a lock held on the calendar, and whoever deletes a
 * pool or a party has to wait for that (see calendar_of_deletions).
 */
static bool
can_insert_lease_row(Relation lease)
{
	TupleConstr *constraints = RelationGetDescr(lease)->constr;

	return is_plain_table(lease, "calendar_insert", 2) && constraints != NULL && constraints->num_check == LEASE_CHECKS;
}

/*
 * Insert a lease of which there is nothing but a line to say.  The checks of
 * the table were made, and its trigger's work is done here, so this goes
 * without the executor, which would take several times as long.  Returns false
 * if it cannot.
 */
static bool
insert_lease_row(const Line *line, int64 consumer_id, int64 *lease_id)
{
	Relation	lease = open_own_table("lease", RowExclusiveLock);
	TupleTableSlot *slot;
	EState	   *estate;
	ResultRelInfo *result;
	Interval	no_buffer = {0};
	int			nknown = 0;
	int			ncolumns = 0;
	struct
	{
		const char *name;
		Datum		value;
		bool		isnull;
	}			columns[] = {
		{"pool_id", Int64GetDatum(line->pool_id), false},
		{"lease_id", 0, false},
		{"consumer_id", Int64GetDatum(consumer_id), false},
		{"quantity", line->quantity, false},
		{"during", line->during, false},
		{"effective", line->during, false},
		{"price", line->price, false},
		{"preemptible", BoolGetDatum(false), false},
		{"buffer", IntervalPGetDatum(&no_buffer), false},
		{"recorded_by", PointerGetDatum(caller_name()), false},
		{"recorded_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false},
		{"reference", 0, true}, {"booking_id", 0, true}, {"held_until", 0, true},
		{"cancellation", 0, true}, {"ended_at", 0, true}, {"end_reason", 0, true},
		{"refund", 0, true}
	};

	if (!can_insert_lease_row(lease))
	{
		table_close(lease, NoLock);
		return false;
	}
	PreventCommandIfReadOnly("reserve()");
	*lease_id = nextval_internal(get_relname_relid("lease_lease_id_seq", RelationGetNamespace(lease)), false);
	columns[1].value = Int64GetDatum(*lease_id);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(lease), &TTSOpsVirtual);
	memset(slot->tts_isnull, true, RelationGetDescr(lease)->natts * sizeof(bool));
	for (int i = 0; i < RelationGetDescr(lease)->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(lease), i);

		if (column->attisdropped)
			continue;
		ncolumns++;
		for (size_t j = 0; j < lengthof(columns); j++)
		{
			if (strcmp(NameStr(column->attname), columns[j].name) != 0)
				continue;
			if (columns[j].isnull && column->attnotnull)
				break;
			nknown++;
			slot->tts_values[i] = columns[j].value;
			slot->tts_isnull[i] = columns[j].isnull;
			break;
		}
	}
	if (nknown < ncolumns)
	{
		ExecDropSingleTupleTableSlot(slot);
		table_close(lease, NoLock);
		return false;
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(lease);
	simple_table_tuple_insert(lease, slot);

	estate = CreateExecutorState();
	result = makeNode(ResultRelInfo);
	InitResultRelInfo(result, lease, 1, NULL, 0);
	ExecOpenIndices(result, false);
	insert_index_entries(result, slot, estate, UPDATE_NO_INDEXES);
	ExecCloseIndices(result);
	FreeExecutorState(estate);
	ExecDropSingleTupleTableSlot(slot);
	table_close(lease, NoLock);
	CommandCounterIncrement();

	admit_lease(line->pool_id, consumer_id, *lease_id,
				decimal_arg(line->quantity, "quantity"), span_arg(line->during));
	return true;
}

static int64
reserve_lines(const Booking *booking, Line *lines, int nlines, text *consumer_name)
{
	Interval	nothing = {0};
	int64		consumer_id;
	bool		plain = booking->reference == NULL && booking->hold_for == NULL &&
		!booking->preemptible && !booking->is_bundle;
	bool		expired = false;
	int64		result;

	/*
	 * From now on, nobody deletes a pool or a party.  The tables of leases and
	 * quotas first, as statements on them do, TRUNCATE among them.
	 */
	table_close(open_own_table("lease", RowExclusiveLock), NoLock);
	table_close(open_own_table("quota", AccessShareLock), NoLock);
	table_close(open_own_table("calendar", RowExclusiveLock), NoLock);

	consumer_id = acting_party(consumer_name, GetLatestSnapshot());
	if (booking->hold_for != NULL &&
		!DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(booking->hold_for),
										  IntervalPGetDatum(&nothing))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hold_for must be positive")));
	for (int i = 0; i < nlines; i++)
	{
		check_line(&lines[i], consumer_id, consumer_name);
		plain = plain && lines[i].plain;
		expired = expired || has_expired_hold(lines[i].pool_id, GetLatestSnapshot());
	}
	/* the terms may have been others then: what was reserved is reserved */
	if (find_reference(booking, lines, nlines, consumer_id, &result))
		return result;
	for (int i = 0; i < nlines; i++)
		check_terms(&lines[i]);
	if (expired)
	{
		int64	   *pools = palloc(nlines * sizeof(int64));

		for (int i = 0; i < nlines; i++)
			pools[i] = lines[i].pool_id;
		expire_holds(int8_array(pools, nlines), lines, nlines, consumer_id);
	}
	if (plain)
	{
		Datum		values[5];

		if (insert_lease_row(&lines[0], consumer_id, &result))
			return result;
		values[0] = Int64GetDatum(lines[0].pool_id);
		values[1] = Int64GetDatum(consumer_id);
		values[2] = lines[0].quantity;
		values[3] = lines[0].during;
		values[4] = lines[0].price;
		query_run(&insert_lease, values, NULL, false);
		return DatumGetInt64(query_value(0, 1, NULL));
	}
	return insert_booking(booking, lines, nlines, consumer_id);
}

static Booking
booking_args(FunctionCallInfo fcinfo, bool is_bundle)
{
	Booking		booking = {0};

	if (PG_ARGISNULL(6))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("preemptible must not be null")));
	booking.reference = PG_ARGISNULL(4) ? NULL : PG_GETARG_TEXT_PP(4);
	booking.hold_for = PG_ARGISNULL(5) ? NULL : PG_GETARG_INTERVAL_P(5);
	booking.preemptible = PG_GETARG_BOOL(6);
	booking.is_bundle = is_bundle;
	return booking;
}

/* reserve(pool, consumer, quantity, during, reference, hold_for, preemptible) */
PG_FUNCTION_INFO_V1(lease_reserve);
Datum
lease_reserve(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "consumer", "quantity", "period"};
	Booking		booking;
	Line		line;
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	booking = booking_args(fcinfo, false);
	line.pool_name = PG_GETARG_TEXT_PP(0);
	line.quantity = PG_GETARG_DATUM(2);
	line.during = PG_GETARG_DATUM(3);
	result = reserve_lines(&booking, &line, 1, PG_GETARG_TEXT_PP(1));
	SPI_finish();
	PG_RETURN_INT64(result);
}

/*
 * The elements of an array argument, repeated if there is one for all lines.
 */
static Datum *
array_arg(FunctionCallInfo fcinfo, int argument, const char *name, Oid type, char align, int nlines)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, type, -1, false, align, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", name)));
	}
	if (n != nlines && n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%d lines, but %d %s", nlines, n, name),
				 errhint("Give one for each line of the booking, or one for all.")));
	if (n == 1 && nlines > 1)
	{
		elements = repalloc(elements, nlines * sizeof(Datum));
		for (int i = 1; i < nlines; i++)
			elements[i] = elements[0];
	}
	return elements;
}

/* reserve_bundle(pools[], consumer, quantities[], periods[], reference, hold_for, preemptible) */
PG_FUNCTION_INFO_V1(lease_reserve_bundle);
Datum
lease_reserve_bundle(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pools", "consumer", "quantities", "periods"};
	Booking		booking;
	Line	   *lines;
	int			nlines = 0;
	Datum	   *pools;
	Datum	   *quantities;
	Datum	   *periods;
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	booking = booking_args(fcinfo, true);
	for (int i = 0; i < 4; i++)
	{
		ArrayType  *array;

		if (i == 1)
			continue;
		array = PG_GETARG_ARRAYTYPE_P(i);
		nlines = Max(nlines, ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
	}
	if (nlines == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a booking needs at least one pool")));
	pools = array_arg(fcinfo, 0, "pools", TEXTOID, TYPALIGN_INT, nlines);
	quantities = array_arg(fcinfo, 2, "quantities", NUMERICOID, TYPALIGN_INT, nlines);
	periods = array_arg(fcinfo, 3, "periods", TSTZRANGEOID, TYPALIGN_DOUBLE, nlines);
	lines = palloc(nlines * sizeof(Line));
	for (int i = 0; i < nlines; i++)
	{
		lines[i].pool_name = DatumGetTextPP(pools[i]);
		lines[i].quantity = quantities[i];
		lines[i].during = periods[i];
	}
	result = reserve_lines(&booking, lines, nlines, PG_GETARG_TEXT_PP(1));
	SPI_finish();
	PG_RETURN_INT64(result);
}

/* ----------
 * What becomes of a lease
 * ----------
 */

typedef struct Lease
{
	int64		lease_id;
	int64		pool_id;
	Span		during;
	Datum		quantity;
	bool		is_hold;
	TimestampTz held_until;
	bool		has_policy;
	Datum		cancellation;	/* profile */
	bool		preemptible;
	TimestampTz reclaimable;	/* from when on the pool's notice would be kept */
	bool		instant;
	text	   *pool_name;
} Lease;

pg_noreturn static void
unknown_lease(int64 lease_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("lease " INT64_FORMAT " does not exist", lease_id)));
}

/* who may do something with a lease */
typedef enum LeaseRight
{
	FOR_CONSUMER = 1,
	FOR_STEWARD = 2
} LeaseRight;

/*
 * The caller must be one of them.  That is looked at before the lease is
 * locked, so that nobody can hold up what is somebody else's.
 */
static void
require_lease_right(int64 lease_id, int rights)
{
	ScanKeyData key;
	TableRow	row;
	bool		isnull;
	bool		is_consumer = false;
	int			roles = 0;

	key_int8(&key, 1, lease_id);
	row_open(&row, "lease", "lease_lease_id_idx", GetLatestSnapshot(), &key, 1);
	if (row_next(&row))
	{
		is_consumer = acts_for(DatumGetInt64(row_column(&row, "consumer_id", &isnull)));
		roles = pool_roles(DatumGetInt64(row_column(&row, "pool_id", &isnull)));
	}
	row_close(&row);
	if (!is_consumer && !(roles & POOL_OVERSEER))
		unknown_lease(lease_id);
	if (!(is_consumer && (rights & FOR_CONSUMER)) && !((roles & POOL_STEWARD) && (rights & FOR_STEWARD)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 rights == FOR_STEWARD ? errmsg("must be steward of the pool of lease " INT64_FORMAT, lease_id) :
				 errmsg("must act for the consumer of lease " INT64_FORMAT, lease_id)));
}

/*
 * Read and lock a lease that has not ended, for those who have a right to it.
 */
static Lease
active_lease(const char *verb, int64 lease_id, int rights)
{
	Lease		lease;
	Datum		key = Int64GetDatum(lease_id);
	ScanKeyData pool_key;
	TableRow	pool;
	bool		isnull;

	require_lease_right(lease_id, rights);
	if (query_run(&lease_by_id, &key, NULL, false) == 0)
		unknown_lease(lease_id);
	lease.lease_id = lease_id;
	lease.pool_id = DatumGetInt64(query_value(0, 1, NULL));
	lease.during = span_arg(query_value(0, 2, NULL));
	query_value(0, 3, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot %s lease " INT64_FORMAT, verb, lease_id),
				 errdetail("It was %s at %s.",
						   TextDatumGetCString(query_value(0, 4, NULL)),
						   timestamptz_to_str(DatumGetTimestampTz(query_value(0, 3, NULL))))));
	lease.held_until = DatumGetTimestampTz(query_value(0, 5, &isnull));
	lease.is_hold = !isnull;
	if (lease.is_hold && lease.held_until <= GetCurrentTransactionStartTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot %s lease " INT64_FORMAT, verb, lease_id),
				 errdetail("It was held until %s, and not confirmed.",
						   timestamptz_to_str(lease.held_until)),
				 errhint("Reserve again.")));
	lease.cancellation = query_value(0, 6, &isnull);
	lease.has_policy = !isnull;
	lease.quantity = query_value(0, 7, NULL);
	lease.preemptible = DatumGetBool(query_value(0, 8, NULL));

	key_int8(&pool_key, 1, lease.pool_id);
	row_open(&pool, "pool", "pool_pkey", GetLatestSnapshot(), &pool_key, 1);
	if (!row_next(&pool))
		elog(ERROR, "pool " INT64_FORMAT " does not exist", lease.pool_id);
	lease.instant = DatumGetBool(row_column(&pool, "instant", &isnull));
	lease.pool_name = DatumGetTextPCopy(row_column(&pool, "name", &isnull));
	lease.reclaimable = DatumGetTimestampTz(
		DirectFunctionCall2(timestamptz_pl_interval,
							TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
							row_column(&pool, "preemption_notice", &isnull)));
	row_close(&pool);
	return lease;
}

static void
require_finite(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("instant must be finite")));
}

static void
require_before_end(const Lease *lease, const char *verb, TimestampTz at)
{
	if (at >= lease->during.until)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot %s lease " INT64_FORMAT, verb, lease->lease_id),
				 errdetail("It ended at %s.", timestamptz_to_str(lease->during.until))));
}

/*
 * End a lease.  What part of the price of the rest is paid back is a question
 * of how long before its start that was.
 */
static void
end(const Lease *lease, TimestampTz at, const char *reason, bool full_refund)
{
	Datum		values[5];

	values[0] = Int64GetDatum(lease->pool_id);
	values[1] = Int64GetDatum(lease->lease_id);
	values[2] = TimestampTzGetDatum(at);
	values[3] = CStringGetTextDatum(reason);
	values[4] = decimal_get_numeric(1, 0);
	if (lease->has_policy && !lease->is_hold && !full_refund && lease->during.until != DT_NOEND)
		values[4] = DirectFunctionCall2(profile_value_at, lease->cancellation,
										TimestampTzGetDatum(lease->during.from - at));
	query_run(&end_lease, values, NULL, false);
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
	TimestampTz at;
	Lease		lease;

	require_arguments(fcinfo, lengthof(names), names);
	at = PG_GETARG_TIMESTAMPTZ(1);
	require_finite(at);
	SPI_connect();
	lease = active_lease(verb, PG_GETARG_INT64(0), FOR_CONSUMER);
	require_before_end(&lease, verb, at);
	if (cancel && at >= lease.during.from)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot cancel lease " INT64_FORMAT, lease.lease_id),
				 errdetail("It began at %s.", timestamptz_to_str(lease.during.from)),
				 errhint("release() gives back the rest of it.")));
	if (!cancel && at < lease.during.from)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot release lease " INT64_FORMAT, lease.lease_id),
				 errdetail("It begins at %s.", timestamptz_to_str(lease.during.from)),
				 errhint("cancel() gives back all of it.")));
	end(&lease, at, cancel ? "cancelled" : "released", false);
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

/* reclaim(lease, at): take back a preemptible lease, with notice */
PG_FUNCTION_INFO_V1(lease_reclaim);
Datum
lease_reclaim(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"lease"};
	Lease		lease;
	TimestampTz at;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	lease = active_lease("reclaim", PG_GETARG_INT64(0), FOR_STEWARD);
	at = PG_ARGISNULL(1) ? lease.reclaimable : PG_GETARG_TIMESTAMPTZ(1);
	require_finite(at);
	require_before_end(&lease, "reclaim", at);
	if (!lease.preemptible)
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("cannot reclaim lease " INT64_FORMAT, lease.lease_id),
				 errdetail("It is not preemptible.")));
	if (at < lease.reclaimable)
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("cannot reclaim lease " INT64_FORMAT, lease.lease_id),
				 errdetail("With the notice of pool \"%s\", that is possible from %s on.",
						   text_to_cstring(lease.pool_name), timestamptz_to_str(lease.reclaimable))));
	end(&lease, at, "reclaimed", true);
	SPI_finish();
	PG_RETURN_TIMESTAMPTZ(at);
}

/* confirm(lease, party): a hold becomes a lease */
PG_FUNCTION_INFO_V1(lease_confirm);
Datum
lease_confirm(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"lease"};
	Lease		lease;
	Datum		values[3];

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	lease = active_lease("confirm", PG_GETARG_INT64(0), FOR_CONSUMER | FOR_STEWARD);
	if (!lease.instant)
	{
		if (PG_ARGISNULL(1))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_A_MEMBER),
					 errmsg("lease " INT64_FORMAT " is for a steward of pool \"%s\" to confirm",
							lease.lease_id, text_to_cstring(lease.pool_name)),
					 errhint("Say which one: confirm(lease, party).")));
		require_member(lease.pool_id, acting_party(PG_GETARG_TEXT_PP(1), GetLatestSnapshot()), "steward",
					   lease.pool_name, PG_GETARG_TEXT_PP(1));
	}
	values[0] = Int64GetDatum(lease.pool_id);
	values[1] = Int64GetDatum(lease.lease_id);
	if (lease.is_hold)
		query_run(&confirm_lease, values, NULL, false);
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * amend(lease, quantity, during, at): another quantity or period.
 *
 * What has been used stays as it is: of a lease that has begun, the rest with
 * another quantity becomes a lease of its own.
 */
PG_FUNCTION_INFO_V1(lease_amend);
Datum
lease_amend(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"lease"};
	Lease		lease;
	TimestampTz at;
	Datum		quantity;
	Datum		range;
	Span		during;
	Span		added;
	bool		same_quantity;
	int			more;
	bool		isnull;
	Datum		values[4];
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("instant must not be null")));
	at = PG_GETARG_TIMESTAMPTZ(3);
	require_finite(at);
	SPI_connect();
	lease = active_lease("amend", PG_GETARG_INT64(0), FOR_CONSUMER);
	require_before_end(&lease, "amend", at);
	quantity = PG_ARGISNULL(1) ? lease.quantity : PG_GETARG_DATUM(1);
	require_quantity(quantity);
	range = PG_ARGISNULL(2) ? span_get_range(type, lease.during) : PG_GETARG_DATUM(2);
	require_period(range);
	during = added = span_arg(range);
	more = DatumGetInt32(DirectFunctionCall2(numeric_cmp, quantity, lease.quantity));
	same_quantity = more == 0;

	if (at >= lease.during.from && during.from != lease.during.from)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot move the start of lease " INT64_FORMAT, lease.lease_id),
				 errdetail("It began at %s.", timestamptz_to_str(lease.during.from))));
	if (at >= lease.during.from && during.until <= at)
		ereport(ERROR,
				(errcode(ERRCODE_LEASE_NOT_ACTIVE),
				 errmsg("cannot end lease " INT64_FORMAT " in the past", lease.lease_id),
				 errhint("release() ends a lease now.")));
	if (lease.has_policy && !lease.is_hold &&
		(more < 0 || during.from > lease.during.from || during.until < lease.during.until))
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("cannot take anything from lease " INT64_FORMAT, lease.lease_id),
				 errdetail("It was reserved with a cancellation policy."),
				 errhint("cancel() or release() it, which pays back by that policy, and reserve again.")));

	/* the terms of today, for what the lease is to be and what that is more */
	if (more > 0)
		added.from = Max(at, during.from);
	else if (during.from >= lease.during.from)
		added.from = Max(lease.during.until, during.from);
	values[0] = Int64GetDatum(lease.pool_id);
	values[1] = quantity;
	values[2] = range;
	values[3] = added.from < added.until ? span_get_range(type, added) : 0;
	query_run(&violation, values, added.from < added.until ? "    " : "   n", false);
	query_value(0, 1, &isnull);
	if (!isnull && !(at >= lease.during.from && same_quantity && during.until <= lease.during.until))
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("lease is outside the terms of pool \"%s\"", text_to_cstring(lease.pool_name)),
				 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL)))));

	if (at <= lease.during.from || same_quantity)
	{
		values[1] = Int64GetDatum(lease.lease_id);
		values[2] = quantity;
		values[3] = range;
		query_run(&amend_lease, values, NULL, false);
		result = lease.lease_id;
	}
	else
	{
		Span		rest = {at, during.until};

		values[1] = Int64GetDatum(lease.lease_id);
		values[2] = quantity;
		values[3] = span_get_range(type, rest);
		query_run(&continue_lease, values, NULL, false);
		result = DatumGetInt64(query_value(0, 1, NULL));
		values[2] = Int64GetDatum(result);
		values[3] = TimestampTzGetDatum(at);
		query_run(&hand_over, values, NULL, false);
	}
	SPI_finish();
	PG_RETURN_INT64(result);
}

/* ----------
 * import_leases
 * ----------
 */

#define column_value(column) \
	SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, (column))

/*
 * The first row of a query over the rows to import; false if there is none.
 */
static bool
first_row(const char *sql)
{
	if (SPI_execute(sql, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	return SPI_processed > 0;
}

/*
 * What is wrong with the rows to import, if anything is.
 */
static void
check_incoming(void)
{
	if (first_row("SELECT CASE WHEN s.pool IS NULL THEN 'pool'"
				  " WHEN s.consumer IS NULL THEN 'consumer'"
				  " WHEN s.quantity IS NULL THEN 'quantity' ELSE 'period' END FROM incoming AS s"
				  " WHERE s.pool IS NULL OR s.consumer IS NULL"
				  " OR s.quantity IS NULL OR s.during IS NULL"))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", column_value(1))));
	if (first_row("SELECT s.pool FROM incoming AS s WHERE NOT EXISTS"
				  " (SELECT FROM sharecollab.pool AS p WHERE p.name = s.pool"
				  " AND sharecollab.has_pool_role(p.pool_id))"))
		unknown_name("pool", cstring_to_text(column_value(1)));
	if (first_row("SELECT p.pool_id, p.name FROM sharecollab.pool AS p"
				  " WHERE p.name IN (SELECT s.pool FROM incoming AS s)"
				  " AND NOT sharecollab.has_pool_role(p.pool_id, 'steward')"))
		require_pool_role(DatumGetInt64(query_value(0, 1, NULL)), POOL_STEWARD, column_value(2));
	/* stewards know their members; of others there is no telling whether they exist */
	if (first_row("SELECT s.consumer FROM incoming AS s WHERE NOT EXISTS"
				  " (SELECT FROM sharecollab.party AS c WHERE c.name = s.consumer"
				  " AND (sharecollab.is_operator() OR c.party_id IN (SELECT m.party_id FROM sharecollab.membership AS m"
				  " WHERE sharecollab.has_pool_role(m.pool_id, 'steward'))))"))
		unknown_name("party", cstring_to_text(column_value(1)));
	if (first_row("SELECT p.pool_id, c.party_id, s.pool, s.consumer FROM incoming AS s"
				  " JOIN sharecollab.pool AS p ON p.name = s.pool"
				  " JOIN sharecollab.party AS c ON c.name = s.consumer"
				  " WHERE NOT EXISTS (SELECT FROM sharecollab.membership AS m"
				  " WHERE m.pool_id = p.pool_id AND m.party_id = c.party_id"
				  " AND m.role = 'consumer' AND m.accepted_at IS NOT NULL)"))
		require_member(DatumGetInt64(query_value(0, 1, NULL)), DatumGetInt64(query_value(0, 2, NULL)), "consumer",
					   cstring_to_text(column_value(3)), cstring_to_text(column_value(4)));
	if (first_row("SELECT s.quantity, s.during FROM incoming AS s"
				  " WHERE NOT (s.quantity > 0 AND s.quantity < 1000000000000"
				  " AND s.quantity = round(s.quantity, 6))"
				  " OR isempty(s.during) OR NOT lower_inc(s.during) OR upper_inc(s.during)"
				  " OR NOT isfinite(lower(s.during)) OR NOT isfinite(upper(s.during))"))
	{
		require_quantity(query_value(0, 1, NULL));
		require_period(query_value(0, 2, NULL));
	}
	if (first_row("SELECT sharecollab.terms_violation(p, s.quantity, s.during),"
				  " s.pool, s.reference FROM incoming AS s"
				  " JOIN sharecollab.pool AS p ON p.name = s.pool"
				  " WHERE sharecollab.terms_violation(p, s.quantity, s.during) IS NOT NULL"))
		ereport(ERROR,
				(errcode(ERRCODE_OUTSIDE_TERMS),
				 errmsg("lease \"%s\" is outside the terms of pool \"%s\"",
						column_value(3) ? column_value(3) : "(null)", column_value(2)),
				 errdetail("%s", column_value(1))));
}

/*
 * import_leases(source): admit all rows of a table or view with the columns
 * pool, consumer, quantity, during and reference, in one statement, hence in
 * one pass over the calendar of each pool.  All or nothing.
 */
PG_FUNCTION_INFO_V1(lease_import);
Datum
lease_import(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"source"};
	Tuplestorestate *incoming;
	Oid			user;
	int			context;
	uint64		count;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	incoming = query_read_incoming(PG_GETARG_OID(0), "s.pool::pg_catalog.text, s.consumer::pg_catalog.text,"
						" s.quantity::pg_catalog.numeric, s.during::pg_catalog.tstzrange, s.reference::pg_catalog.text");

	/* from here on as the owner, as verbs that read nothing of the caller's are */
	user = become_owner(&context);
	check_incoming();
	ereport(progress_level(),
			(errmsg("leases are checked, now they are admitted")));
	if (SPI_execute("INSERT INTO sharecollab.lease"
					" (pool_id, consumer_id, quantity, during, price, reference)"
					" SELECT p.pool_id, c.party_id, s.quantity, s.during, p.price, s.reference"
					" FROM incoming AS s"
					" JOIN sharecollab.pool AS p ON p.name = s.pool"
					" JOIN sharecollab.party AS c ON c.name = s.consumer"
					" ORDER BY pg_catalog.lower(s.during), s.reference", false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not execute the import");
	count = SPI_processed;
	SetUserIdAndSecContext(user, context);
	tuplestore_end(incoming);
	SPI_finish();
	PG_RETURN_INT64((int64) count);
}
