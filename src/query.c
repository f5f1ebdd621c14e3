/*
 * query.c
 *		SQL from C: statements that are planned once a session.
 */
#include "postgres.h"

#include "compat.h"
#include "access/xact.h"
#include "query.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "executor/tstoreReceiver.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

/* where errors stood before the outermost of our own statements, if one runs */
static ErrorContextCallback *context_outside;
static bool inside = false;

/*
 * Rows go to the destination, or to SPI's own if it is NULL.
 */
static uint64
run(SavedQuery *query, const Datum *values, const char *nulls, bool read_only, DestReceiver *dest)
{
	SPIExecuteOptions options = {.read_only = read_only, .dest = dest};
	volatile int result = 0;
	bool		outermost = !inside;

	if (query->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(query->sql, query->nparams, query->types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare \"%s\"", query->sql);
		query->plan = plan;
	}
	if (query->nparams > 0)
	{
		options.params = makeParamList(query->nparams);
		for (int i = 0; i < query->nparams; i++)
			options.params->params[i] = (ParamExternData) {
				.value = values[i], .isnull = nulls && nulls[i] == 'n', .pflags = PARAM_FLAG_CONST, .ptype = query->types[i]
			};
	}
	if (outermost)
	{
		context_outside = error_context_stack;
		inside = true;
	}
	PG_TRY();
	{
		result = SPI_execute_plan_extended(query->plan, &options);
	}
	PG_FINALLY();
	{
		if (outermost)
			inside = false;
	}
	PG_END_TRY();
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", query->sql, SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Run a statement; the caller has connected SPI.  With read_only, it sees what
 * the calling query sees; without, also all that was done and (at READ
 * COMMITTED) committed since.  Returns the number of rows.
 */
uint64
query_run(SavedQuery *query, const Datum *values, const char *nulls, bool read_only)
{
	return run(query, values, nulls, read_only, NULL);
}

/* a destination of rows: a function that is called with each */
typedef struct EachRow
{
	DestReceiver pub;
	void		(*act) (TupleTableSlot *row, void *argument);
	void	   *argument;
} EachRow;

static bool
each_row(TupleTableSlot *row, DestReceiver *self)
{
	EachRow    *each = (EachRow *) self;

	slot_getallattrs(row);
	each->act(row, each->argument);
	return true;
}

static void
each_startup(DestReceiver *self, int operation, TupleDesc tupdesc)
{
	(void) self;
	(void) operation;
	(void) tupdesc;
}

static void
each_end(DestReceiver *self)
{
	(void) self;
}

/*
 * Run a query, and do something with each of its rows as it comes, so that they
 * need not all be in memory.
 */
void
query_each(SavedQuery *query, const Datum *values, void (*act) (TupleTableSlot *row, void *argument), void *argument)
{
	EachRow		each = {
		{each_row, each_startup, each_end, each_end, DestTransientRel}, act, argument
	};

	run(query, values, NULL, false, &each.pub);
}

/*
 * An error that follows is an answer to the caller's question, whom the
 * statement in which it came up does not concern.
 */
void
query_hide_context(void)
{
	if (inside)
		error_context_stack = context_outside;
}

/*
 * A query about facts that must be those of now, not of the start of the
 * transaction: the calendar is locked, so they do not change under us.
 */
uint64
query_latest(SavedQuery *query, const Datum *values)
{
	uint64		n;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	n = query_run(query, values, NULL, true);
	PopActiveSnapshot();
	return n;
}

/*
 * A value of the last result; it lives as long as the SPI connection.
 */
Datum
query_value(uint64 row, int column, bool *isnull)
{
	bool		null;
	Datum		value;

	if (row >= SPI_tuptable->numvals)
		elog(ERROR, "unexpected lack of row " UINT64_FORMAT, row);
	value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);
	if (isnull)
		*isnull = null;
	else if (null)
		elog(ERROR, "unexpected null in column %d", column);
	return value;
}

/*
 * Read columns of a table or view (as s) into "incoming", under which name the
 * queries of this SPI connection find them.  They are read once, and with the
 * rights of the caller: what a view of somebody's runs is not for ours.  The
 * caller ends what this returns when it has done with them.
 */
Tuplestorestate *
query_read_incoming(Oid source, const char *columns)
{
	SPIExecuteOptions options = {0};
	Tuplestorestate *rows;
	EphemeralNamedRelation incoming = palloc0(sizeof(EphemeralNamedRelationData));
	char	   *sql;
	SPIPlanPtr	plan;
	List	   *plans;

	if (get_rel_name(source) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", source)));
	sql = psprintf("SELECT %s FROM %s AS s", columns,
				   quote_qualified_identifier(get_namespace_name(get_rel_namespace(source)), get_rel_name(source)));
	plan = SPI_prepare(sql, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	rows = tuplestore_begin_heap(true, false, work_mem);
	plans = SPI_plan_get_plan_sources(plan);
	incoming->md.name = "incoming";
	incoming->md.reliddesc = InvalidOid;
	incoming->md.tupdesc = CreateTupleDescCopy(((CachedPlanSource *) linitial(plans))->resultDesc);
	incoming->md.enrtype = ENR_NAMED_TUPLESTORE;
	incoming->reldata = rows;

	options.dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext, false, NULL, NULL);
	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	incoming->md.enrtuples = tuplestore_tuple_count(rows);
	if (SPI_register_relation(incoming) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register the rows to import");
	return rows;
}

/*
 * The verbs are not strict: a null is a mistake of the caller, which silence
 * would hide.  Arguments without a name may be null.
 */
void
require_arguments(FunctionCallInfo fcinfo, int n, const char *const *names)
{
	for (int i = 0; i < n; i++)
	{
		if (names[i] && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
}

/*
 * The arguments of a function, those from "first" on up to "end", as those of a
 * query.
 */
void
query_arguments(FunctionCallInfo fcinfo, int first, int end, Datum *values, char *nulls)
{
	for (int i = first; i < end; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
}
