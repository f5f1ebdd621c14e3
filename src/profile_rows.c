/*
 * profile_rows.c
 *		Profiles as rows: steps() and buckets().
 *
 * Both stream: a row is made when it is asked for.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "profile.h"
#include "recurrence.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/*
 * A half-open range; infinite bounds become unbounded ones.
 */
Datum
span_get_range(TypeCacheEntry *range_type, Span span)
{
	RangeBound	lower = {0};
	RangeBound	upper = {0};

	lower.lower = true;
	lower.inclusive = true;
	lower.infinite = span.from == DT_NOBEGIN;
	lower.val = TimestampTzGetDatum(span.from);
	upper.infinite = span.until == DT_NOEND;
	upper.val = TimestampTzGetDatum(span.until);
	return RangeTypePGetDatum(make_range_compat(range_type, &lower, &upper, false));
}

/*
 * What both functions keep between rows: a copy of the profile, the time that
 * is left to report, and the row type.  Made in the multi-call context.
 */
typedef struct RowsState
{
	ProfileReader reader;
	Span		span;			/* what is left of it */
	int			i;				/* steps(): the piece that holds at its start */
	TypeCacheEntry *range_type;

	/* buckets() */
	Recurrence	recurrence;
	LocalInstant origin;
	int64		next;			/* number of the bucket to come */
} RowsState;

static RowsState *
rows_init(FunctionCallInfo fcinfo, FuncCallContext *context)
{
	RowsState  *state = palloc0(sizeof(RowsState));

	profile_read(PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))), &state->reader);
	state->span = span_arg(PG_GETARG_DATUM(1));
	state->range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	context->tuple_desc = BlessTupleDesc(context->tuple_desc);
	context->user_fctx = state;
	return state;
}

/*
 * steps(profile, during): the constant pieces of a profile, one row each.
 */
PG_FUNCTION_INFO_V1(profile_steps);
Datum
profile_steps(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	RowsState  *state;
	Span		step;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		state = rows_init(fcinfo, context);
		state->i = profile_find(&state->reader, state->span.from);
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (SPAN_IS_EMPTY(state->span))
		SRF_RETURN_DONE(context);

	step.from = state->span.from;
	step.until = Min(profile_until(&state->reader, state->i), state->span.until);
	values[0] = span_get_range(state->range_type, step);
	values[1] = decimal_get_numeric(profile_value_from(&state->reader, state->i),
									state->reader.scale);
	state->span.from = step.until;
	state->i++;
	SRF_RETURN_NEXT(context,
					HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}

/*
 * buckets(profile, during, bucket, time_zone): equal pieces of time, measured.
 */
PG_FUNCTION_INFO_V1(profile_buckets);
Datum
profile_buckets(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	RowsState  *state;
	Span		bucket;
	TimestampTz peak_at;
	int128		integral;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		state = rows_init(fcinfo, context);
		recurrence_init(&state->recurrence, PG_GETARG_INTERVAL_P(2),
						PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(3))), "bucket");
		if (!SPAN_IS_EMPTY(state->span))
		{
			if (state->span.from == DT_NOBEGIN || state->span.until == DT_NOEND)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("cannot divide an unbounded time into buckets"),
						 errhint("Bound the time, for example with tstzrange(a, b).")));
			state->origin = recurrence_from(&state->recurrence, state->span.from);
		}
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (SPAN_IS_EMPTY(state->span))
		SRF_RETURN_DONE(context);

	bucket.from = state->span.from;
	do
	{
		/* a day that a time zone skipped is no bucket */
		bucket.until = recurrence_at(&state->recurrence, state->origin, ++state->next);
	} while (bucket.until <= bucket.from);
	bucket.until = Min(bucket.until, state->span.until);
	state->span.from = bucket.until;

	integral = profile_integral128(&state->reader, bucket);
	values[0] = span_get_range(state->range_type, bucket);
	values[1] = DirectFunctionCall2(numeric_div,
									decimal128_get_numeric(integral, state->reader.scale),
									decimal128_get_numeric((int128) bucket.until - bucket.from, 0));
	values[2] = decimal_get_numeric(profile_peak_of(&state->reader, bucket, &peak_at),
									state->reader.scale);
	values[3] = unit_time_ratio(integral, state->reader.scale, USECS_PER_HOUR);
	SRF_RETURN_NEXT(context,
					HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}

/*
 * Planner support: how many rows the two functions return.
 */
PG_FUNCTION_INFO_V1(profile_rows_support);
Datum
profile_rows_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *request;
	List	   *args;
	Const	   *profile;
	Const	   *during;
	Const	   *bucket;

	if (!IsA(node, SupportRequestRows))
		PG_RETURN_POINTER(NULL);
	request = (SupportRequestRows *) node;
	if (!is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);
	args = ((FuncExpr *) request->node)->args;

#define CONSTANT_ARGUMENT(i) \
	(IsA(list_nth(args, (i)), Const) && !list_nth_node(Const, args, (i))->constisnull ? \
	 list_nth_node(Const, args, (i)) : NULL)

	profile = CONSTANT_ARGUMENT(0);
	during = CONSTANT_ARGUMENT(1);
	if (list_length(args) == 2)
	{
		/* steps: the breakpoints within, and what is before them */
		if (profile != NULL && during != NULL)
		{
			ProfileReader reader;
			Span		span = span_arg(during->constvalue);

			profile_read(profile->constvalue, &reader);
			request->rows = SPAN_IS_EMPTY(span) ? 0 :
				1 + profile_find(&reader, span.until) - profile_find(&reader, span.from);
			PG_RETURN_POINTER(request);
		}
	}
	else if (during != NULL && (bucket = CONSTANT_ARGUMENT(2)) != NULL)
	{
		/* buckets: about length by length */
		Span		span = span_arg(during->constvalue);
		Interval   *every = DatumGetIntervalP(bucket->constvalue);
		double		length = (double) every->month * DAYS_PER_MONTH * USECS_PER_DAY +
			(double) every->day * USECS_PER_DAY + (double) every->time;

		if (length > 0 && span.from != DT_NOBEGIN && span.until != DT_NOEND)
		{
			request->rows = SPAN_IS_EMPTY(span) ? 0 :
				ceil(((double) span.until - (double) span.from) / length);
			PG_RETURN_POINTER(request);
		}
	}
	PG_RETURN_POINTER(NULL);
}
