/*
 * closing.c
 *		close_billing_period(): the order of its steps, and what they wait for.
 *
 * What is charged and posted is SQL, each step of which passes once over the
 * period; its rows go straight into the tables.  All is one transaction, so that
 * a crash leaves the period open.
 */
#include "postgres.h"

#include "access.h"
#include "compat.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "decimal.h"
#include "executor/tuptable.h"
#include "guard.h"
#include "ledger.h"
#include "progress.h"
#include "query.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
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

/*
 * Usage before the first billing period of a pool, which no period will ever
 * bill: what is new since the last one was closed, if any was.
 */
static SavedQuery usage_before = {
	.sql = "SELECT pg_catalog.format('The first is %s of meter \"%s\" by \"%s\", which source \"%s\" calls \"%s\".',"
	" u.quantity, u.meter, y.name, u.source, u.source_key), u.at::pg_catalog.text, b.closed_at IS NOT NULL"
	" FROM (SELECT least(pg_catalog.lower($2), pg_catalog.min(pg_catalog.lower(b.during))) AS starts, pg_catalog.max(b.closed_at) AS closed_at"
	" FROM sharecollab.billing_period AS b WHERE b.pool_id = $1 AND b.closed_at IS NOT NULL) AS b,"
	/* in the order of the primary key, so that it is the first row or none */
	" LATERAL (SELECT u.* FROM sharecollab.usage AS u WHERE u.pool_id = $1 AND u.at < b.starts"
	" AND (b.closed_at IS NULL OR u.recorded_at > b.closed_at) ORDER BY u.at LIMIT 1) AS u"
	" JOIN sharecollab.party AS y ON y.party_id = u.consumer_id",
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

#define CHARGE_COLUMNS \
	"billing_period_id, consumer_id, provider_id, lease_id, rate_id, category, correction, meter, component, during," \
	" quantity, unit, list_unit_price, contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount," \
	" commitment_status, labels"

static SavedQuery charges_due = {
	.sql = "SELECT pool_id, " CHARGE_COLUMNS " FROM sharecollab.charges_due($1, $2)",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery insert_charges = {
	.sql = "INSERT INTO sharecollab.charge (pool_id, " CHARGE_COLUMNS ")"
	" SELECT pool_id, " CHARGE_COLUMNS " FROM sharecollab.charges_due($1, $2)",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery make_invoices = {
	.sql = "SELECT sharecollab.close_invoices($1, $2)",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery divided_charges = {
	.sql = "SELECT journal_id, occurred_at, recorded_at, charge_id, consumer, amount, accounts, amounts FROM sharecollab.divided_charges($1, $2)",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery insert_postings = {
	.sql = "INSERT INTO sharecollab.posting (journal_id, line, account_id, occurred_at, recorded_at, amount, charge_id)"
	" SELECT d.journal_id, pg_catalog.row_number() OVER (PARTITION BY d.journal_id ORDER BY d.n, l.n), l.account_id, d.occurred_at, d.recorded_at,"
	" CASE l.n WHEN 1 THEN l.amount ELSE - l.amount END, d.charge_id"
	" FROM (SELECT d.*, pg_catalog.row_number() OVER () AS n FROM sharecollab.divided_charges($1, $2) AS d) AS d,"
	" LATERAL unnest(d.consumer || d.accounts, d.amount || d.amounts) WITH ORDINALITY AS l (account_id, amount, n)"
	" WHERE l.amount <> 0",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery divide_contributors = {
	.sql = "SELECT sharecollab.close_contributors($1, $2, $3, $4)",
	.nparams = 4, .types = {INT8OID, INT8OID, JSONBOID, INTERVALOID}
};

static SavedQuery keep_balances = {
	.sql = "SELECT sharecollab.close_balances($1, $2)",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

/*
 * What cannot be billed: the largest charge, if they can be rated at all, and
 * the largest usage.
 */
static SavedQuery largest_charge = {
	.sql = "SELECT pg_catalog.format('The largest charge is %s %s: %s %s of meter \"%s\" for \"%s\" in %s. ',"
	" c.billed_cost, l.currency, c.quantity, c.unit, c.meter, y.name, c.period)"
	" FROM sharecollab.pool AS l JOIN sharecollab.billing_period AS b ON b.pool_id = l.pool_id AND b.billing_period_id = $2,"
	" LATERAL (SELECT r.consumer_id, r.billed_cost, r.quantity, r.unit, r.meter, r.period FROM sharecollab.rated(l.name, b.during) AS r"
	" UNION ALL SELECT r.consumer_id, r.billed_cost, r.quantity, r.unit, r.meter, r.period"
	" FROM sharecollab.billing_period AS e, sharecollab.rating_corrections(l.name, e.during) AS r"
	" WHERE e.pool_id = l.pool_id AND e.closed_at IS NOT NULL) AS c"
	" JOIN sharecollab.party AS y ON y.party_id = c.consumer_id"
	" WHERE l.pool_id = $1 ORDER BY pg_catalog.abs(c.billed_cost) DESC LIMIT 1",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery largest_usage = {
	.sql = "SELECT pg_catalog.format('The largest usage is %s of meter \"%s\" by \"%s\" at %s, which source \"%s\" calls \"%s\".',"
	" u.quantity, u.meter, y.name, u.at, u.source, u.source_key)"
	" FROM sharecollab.billing_period AS b JOIN sharecollab.usage AS u ON u.pool_id = b.pool_id AND u.at < pg_catalog.upper(b.during)"
	" JOIN sharecollab.party AS y ON y.party_id = u.consumer_id"
	" WHERE b.pool_id = $1 AND b.billing_period_id = $2 ORDER BY pg_catalog.abs(u.quantity) DESC LIMIT 1",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

/*
 * Something out of range in a subtransaction is an error that it returns, with
 * all undone; any other is thrown.
 */
static ErrorData *
error_of(void (*act) (void *), void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		act(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error && error->sqlerrcode != ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE)
		ReThrowError(error);
	return error;
}

typedef struct Closing
{
	Datum	   *values;
	const char *nulls;
	TimestampTz start;
	const char *pool;
	char	   *largest;		/* charge, in words */
} Closing;

static void
describe_charge(void *argument)
{
	Closing    *closing = argument;

	if (query_run(&largest_charge, closing->values, NULL, false) > 0)
		closing->largest = TextDatumGetCString(query_value(0, 1, NULL));
}

static void
announce(TimestampTz start, const char *done)
{
	ereport(progress_level(),
			(errmsg("%s after %ld s", done, TimestampDifferenceMilliseconds(start, GetCurrentTimestamp()) / 1000)));
}

/* until the caller's nest level ends */
static void
set_for_now(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The planner cannot know how many charges there are, when they were made just
 * before, and must not bet on few: hence no nested loops, and no sorts where
 * it can do without.
 */
static int
plan_for_many(void)
{
	static const char *const settings[] = {"enable_nestloop", "enable_sort", "enable_incremental_sort", "jit"};
	int			nest_level = NewGUCNestLevel();

	for (size_t i = 0; i < lengthof(settings); i++)
		set_for_now(settings[i], "off");
	return nest_level;
}

static const MadeColumn charge_columns[] = {
	{"pool_id", INT8OID}, {"charge_id", INT8OID}, {"billing_period_id", INT8OID}, {"consumer_id", INT8OID}, {"provider_id", INT8OID},
	{"lease_id", INT8OID}, {"rate_id", INT8OID}, {"category", TEXTOID}, {"correction", BOOLOID}, {"meter", TEXTOID}, {"component", TEXTOID},
	{"during", TSTZRANGEOID}, {"quantity", NUMERICOID}, {"unit", TEXTOID}, {"list_unit_price", NUMERICOID},
	{"contracted_unit_price", NUMERICOID}, {"list_cost", NUMERICOID}, {"contracted_cost", NUMERICOID}, {"effective_cost", NUMERICOID},
	{"billed_cost", NUMERICOID}, {"amount", NUMERICOID}, {"commitment_status", TEXTOID}, {"labels", JSONBOID}, {"recorded_at", TIMESTAMPTZOID}
};

typedef struct ChargeInsert
{
	RowInsert	insert;
	Oid			sequence;		/* of charge_id */
} ChargeInsert;

/* a row of charges_due(): of a charge, but for charge_id and recorded_at */
static void
add_charge(TupleTableSlot *row, void *argument)
{
	ChargeInsert *charges = argument;
	TupleTableSlot *charge = insert_slot(&charges->insert);
	const int	last = lengthof(charge_columns) - 1;

	charge->tts_values[0] = row->tts_values[0];
	charge->tts_values[1] = Int64GetDatum(nextval_internal(charges->sequence, false));
	charge->tts_values[last] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	charge->tts_isnull[0] = charge->tts_isnull[1] = charge->tts_isnull[last] = false;
	memcpy(&charge->tts_values[2], &row->tts_values[1], (last - 2) * sizeof(Datum));
	memcpy(&charge->tts_isnull[2], &row->tts_isnull[1], (last - 2) * sizeof(bool));
	insert_keep(&charges->insert);
}

/*
 * Charges, without the executor where it would do nothing but insert them; the
 * trigger's work is done, as the books are ours and the period is open.
 */
static void
make_charges(Closing *closing)
{
	Relation	charge = open_own_table("charge", RowExclusiveLock);
	int			nest_level = plan_for_many();

	if (is_plain_table(charge, "closed", 0) && is_as_made(charge, charge_columns, lengthof(charge_columns), 4))
	{
		ChargeInsert charges;

		charges.sequence = get_relname_relid("charge_charge_id_seq", RelationGetNamespace(charge));
		insert_begin(&charges.insert, charge, false);
		query_each(&charges_due, closing->values, add_charge, &charges);
		insert_end(&charges.insert);
	}
	else
		query_run(&insert_charges, closing->values, NULL, false);
	AtEOXact_GUC(true, nest_level);
	table_close(charge, NoLock);
}

typedef struct Legs
{
	PostingInsert *postings;
	int64		journal_id;
	int32		line;			/* the last one of the journal */
	MemoryContext scratch;		/* for one charge */
} Legs;

/* a row of divided_charges() */
static void
add_legs(TupleTableSlot *row, void *argument)
{
	Legs	   *legs = argument;
	MemoryContext old = MemoryContextSwitchTo(legs->scratch);
	int64	   *accounts = NULL;
	Datum	   *amounts = NULL;
	int			n = 0;
	NullableDatum posting[POSTING_COLUMNS] = {
		[POSTING_JOURNAL_ID] = {row->tts_values[0], false},
		[POSTING_LINE] = {0, false},
		[POSTING_ACCOUNT_ID] = {row->tts_values[4], false},
		[POSTING_OCCURRED_AT] = {row->tts_values[1], false},
		[POSTING_RECORDED_AT] = {row->tts_values[2], false},
		[POSTING_AMOUNT] = {row->tts_values[5], false},
		[POSTING_CHARGE_ID] = {row->tts_values[3], false}
	};

	if (DatumGetInt64(row->tts_values[0]) != legs->journal_id)
		legs->line = 0;
	legs->journal_id = DatumGetInt64(row->tts_values[0]);
	posting[POSTING_LINE].value = Int32GetDatum(++legs->line);
	postings_add(legs->postings, posting);
	/* with nobody to get it, the journal will not balance */
	if (!row->tts_isnull[6] && !row->tts_isnull[7])
	{
		accounts = (int64 *) ARR_DATA_PTR(DatumGetArrayTypeP(row->tts_values[6]));
		deconstruct_array(DatumGetArrayTypeP(row->tts_values[7]), NUMERICOID, -1, false, TYPALIGN_INT, &amounts, NULL, &n);
	}
	for (int i = 0; i < n; i++)
	{
		if (decimal_arg(amounts[i], "amount").mantissa == 0)
			continue;
		posting[POSTING_LINE].value = Int32GetDatum(++legs->line);
		posting[POSTING_ACCOUNT_ID].value = Int64GetDatum(accounts[i]);
		posting[POSTING_AMOUNT].value = DirectFunctionCall1(numeric_uminus, amounts[i]);
		postings_add(legs->postings, posting);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(legs->scratch);
}

static void
post_charges(Closing *closing)
{
	Relation	posting = open_own_table("posting", RowExclusiveLock);
	int			nest_level = plan_for_many();

	query_run(&make_invoices, closing->values, NULL, false);
	if (is_plain_posting(posting))
	{
		Legs		legs = {
			.postings = postings_begin(posting),
			.scratch = AllocSetContextCreate(CurrentMemoryContext, "legs", ALLOCSET_SMALL_SIZES)
		};

		query_each(&divided_charges, closing->values, add_legs, &legs);
		postings_end(legs.postings);
		MemoryContextDelete(legs.scratch);
	}
	else
		query_run(&insert_postings, closing->values, NULL, false);
	AtEOXact_GUC(true, nest_level);
	table_close(posting, NoLock);
}

static void
run_steps(void *argument)
{
	Closing    *closing = argument;

	make_charges(closing);
	announce(closing->start, "charges made");
	post_charges(closing);
	announce(closing->start, "charges posted");
	query_run(&divide_contributors, closing->values, closing->nulls, false);
	announce(closing->start, "contributors' share divided");
	query_run(&keep_balances, closing->values, NULL, false);
	announce(closing->start, "balances kept");
}

/*
 * Do all steps; if a number is too large, say where it may come from.
 */
static void
close_books(Closing *closing)
{
	ErrorData  *error = error_of(run_steps, closing);
	const char *usage = "";

	if (error == NULL)
		return;
	closing->largest = "";
	(void) error_of(describe_charge, closing);
	if (query_run(&largest_usage, closing->values, NULL, false) > 0)
		usage = TextDatumGetCString(query_value(0, 1, NULL));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("cannot close the billing period of pool \"%s\": %s", closing->pool, error->message),
			 errdetail("%s%s", closing->largest, usage),
			 errhint("An amount has at most 18 digits. Usage that was recorded by mistake is taken back by its negative quantity, under a key of its own.")));
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
	if (query_run(&usage_before, values, NULL, false) > 0)
	{
		bool		later = DatumGetBool(query_value(0, 3, NULL));

		ereport(later ? WARNING : ERROR,
				(errcode(later ? ERRCODE_WARNING : ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("usage from %s on, before the first billing period, would never be billed",
						TextDatumGetCString(query_value(0, 2, NULL))),
				 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL))),
				 later ? 0 : errhint("Close an earlier billing period first, one that begins by then.")));
	}
	if (!exists)
	{
		query_run(&insert_period, values, NULL, false);
		key = query_value(0, 1, NULL);
	}
	values[1] = key;
	return true;
}

/*
 * To close is maintenance, as to make an index is: it may take as much memory.
 */
static int
raise_work_mem(void)
{
	int			nest_level = NewGUCNestLevel();

	if (work_mem < maintenance_work_mem)
		set_for_now("work_mem", psprintf("%d", maintenance_work_mem));
	return nest_level;
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
	pool_id = pool_for(PG_GETARG_TEXT_PP(0), POOL_STEWARD, GetActiveSnapshot());
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
		int			nest_level = raise_work_mem();
		Closing		closing = {values, nulls, start, text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL};

		close_books(&closing);
		if (query_run(&differences, values, NULL, false) > 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("cannot close the billing period: its books are wrong"),
					 errdetail("%s", TextDatumGetCString(query_value(0, 1, NULL)))));
		announce(start, "books checked");
		query_run(&seal_period, values, NULL, false);
		digest = query_value(0, 1, NULL);
		announce(start, "billing period sealed");
		AtEOXact_GUC(true, nest_level);
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
