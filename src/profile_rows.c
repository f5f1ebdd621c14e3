/*
 * profile_rows.c
 *		Profiles as rows: steps() and buckets().
 *
 * Both stream: a row is made when it is asked for.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/*
 * A half-open range; infinite bounds become unbounded ones.
 */
static Datum
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
	Datum		time_zone;
	Interval	bucket;
	bool		calendar;		/* has days or months: local time counts */
	TimestampTz origin;
	Timestamp	local_origin;
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
 * The start of a bucket, counted from the first one, so that neither the 31st
 * of a month nor a change of daylight saving time shifts those after it.
 */
static TimestampTz
bucket_start(const RowsState *state, int64 number)
{
	Interval	distance;
	int64		months;
	int64		days;
	TimestampTz result;

	if (pg_mul_s64_overflow(state->bucket.month, number, &months) || months > PG_INT32_MAX ||
		pg_mul_s64_overflow(state->bucket.day, number, &days) || days > PG_INT32_MAX ||
		pg_mul_s64_overflow(state->bucket.time, number, &distance.time))
		return DT_NOEND;
	if (!state->calendar)
		return pg_add_s64_overflow(state->origin, distance.time, &result) ||
			result >= END_TIMESTAMP ? DT_NOEND : result;
	distance.month = (int32) months;
	distance.day = (int32) days;
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone,
												   state->time_zone,
												   DirectFunctionCall2(timestamp_pl_interval,
																	   TimestampGetDatum(state->local_origin),
																	   IntervalPGetDatum(&distance))));
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
		state->bucket = *PG_GETARG_INTERVAL_P(2);
		state->time_zone = PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(3)));
		state->calendar = state->bucket.month != 0 || state->bucket.day != 0;
		if (!SPAN_IS_EMPTY(state->span))
		{
			if (state->span.from == DT_NOBEGIN || state->span.until == DT_NOEND)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("cannot divide an unbounded time into buckets"),
						 errhint("Bound the time, for example with tstzrange(a, b).")));
			state->origin = state->span.from;
			state->local_origin = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone,
																		state->time_zone,
																		TimestampTzGetDatum(state->origin)));
		}
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (SPAN_IS_EMPTY(state->span))
		SRF_RETURN_DONE(context);

	bucket.from = state->span.from;
	bucket.until = bucket_start(state, ++state->next);
	bucket.until = Min(bucket.until, state->span.until);
	if (SPAN_IS_EMPTY(bucket))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bucket must be a positive interval")));
	state->span.from = bucket.until;

	integral = profile_integral128(&state->reader, bucket);
	values[0] = span_get_range(state->range_type, bucket);
	values[1] = DirectFunctionCall2(numeric_div,
									decimal128_get_numeric(integral, state->reader.scale),
									NumericGetDatum(int64_to_numeric(bucket.until - bucket.from)));
	values[2] = decimal_get_numeric(profile_peak_of(&state->reader, bucket, &peak_at),
									state->reader.scale);
	values[3] = unit_time_ratio(integral, state->reader.scale, USECS_PER_HOUR);
	SRF_RETURN_NEXT(context,
					HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}
