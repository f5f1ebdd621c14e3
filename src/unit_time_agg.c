/*
 * unit_time_agg.c
 *		Aggregates of quantity times time that need no order of time, only a
 *		sum: unit_hours, utilization, weighted_sum, decayed.
 *
 * The sum is a 128-bit integer, at the largest scale seen, so the answer does
 * not depend on the order of rows or on who summed them.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "aggregate.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

static void
send_int128(StringInfo buf, int128 value)
{
	pq_sendint64(buf, (int64) (value >> 64));
	pq_sendint64(buf, (int64) (uint64) value);
}

static int128
receive_int128(StringInfo buf)
{
	uint128		high = (uint128) (uint64) pq_getmsgint64(buf);

	return (int128) (high << 64 | (uint64) pq_getmsgint64(buf));
}

typedef struct UnitTimeState
{
	int128		sum;			/* quantity's mantissa times microseconds */
	int			scale;
	int64		magnitude;		/* largest quantity of any row, at that scale */

	/* the arguments that must be the same in every row */
	Decimal		capacity;		/* utilization */
	Span		during;			/* utilization, weighted_sum */

	/* weighted_sum, which rows may also leave */
	int64		rows;
	int64		rows_at_scale;	/* of them, those that need all of the scale */
} UnitTimeState;

static UnitTimeState *
unit_time_new(MemoryContext context)
{
	return MemoryContextAllocZero(context, sizeof(UnitTimeState));
}

static void
unit_time_rescale(UnitTimeState *state, int scale)
{
	if (!decimal_rescale(state->magnitude, state->scale, scale, &state->magnitude) ||
		!decimal128_rescale(&state->sum, state->scale, scale))
		decimal_overflow();
	state->scale = scale;
}

static inline void
unit_time_add(UnitTimeState *state, Span period, Decimal quantity, Span during)
{
	Span		overlap;
	int64		mantissa = quantity.mantissa;
	int128		product;

	overlap.from = Max(period.from, during.from);
	overlap.until = Min(period.until, during.until);
	if (SPAN_IS_EMPTY(overlap) || mantissa == 0)
		return;
	if (unlikely(overlap.from == DT_NOBEGIN || overlap.until == DT_NOEND))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("unit-hours are infinite"),
				 errdetail("A period is unbounded within the time that is measured."),
				 errhint("Bound the time, for example with tstzrange(a, b).")));
	if (unlikely(quantity.scale != state->scale))
	{
		if (quantity.scale > state->scale)
			unit_time_rescale(state, quantity.scale);
		else if (!decimal_rescale(mantissa, quantity.scale, state->scale, &mantissa))
			decimal_overflow();
	}
	state->magnitude = Max(state->magnitude, mantissa < 0 ? -mantissa : mantissa);

	/* an int64 times the length of a span always fits */
	product = (int128) mantissa * ((uint64) overlap.until - (uint64) overlap.from);
	if (unlikely(__builtin_add_overflow(state->sum, product, &state->sum)))
		decimal_overflow();
}

PG_FUNCTION_INFO_V1(unit_hours_transition);
Datum
unit_hours_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		if (state == NULL)
			state = unit_time_new(context);
		unit_time_add(state, span_arg(PG_GETARG_DATUM(1)),
					  decimal_arg(PG_GETARG_DATUM(2), "quantity"),
					  span_arg(PG_GETARG_DATUM(3)));
	}
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(unit_hours_transition_int8);
Datum
unit_hours_transition_int8(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		if (state == NULL)
			state = unit_time_new(context);
		unit_time_add(state, span_arg(PG_GETARG_DATUM(1)), integer_arg(PG_GETARG_INT64(2)),
					  span_arg(PG_GETARG_DATUM(3)));
	}
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(unit_hours_transition_int4);
Datum
unit_hours_transition_int4(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		if (state == NULL)
			state = unit_time_new(context);
		unit_time_add(state, span_arg(PG_GETARG_DATUM(1)), integer_arg(PG_GETARG_INT32(2)),
					  span_arg(PG_GETARG_DATUM(3)));
	}
	PG_RETURN_STATE(state);
}

/*
 * The capacity and the time of utilization are one for all rows: a rate has
 * one denominator.
 */
static void
utilization_check(UnitTimeState *state, Decimal capacity, Span during)
{
	if (state->capacity.mantissa != capacity.mantissa ||
		state->capacity.scale != capacity.scale ||
		state->during.from != during.from ||
		state->during.until != during.until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("capacity and time of utilization must be the same in every row"),
				 errhint("Group by them, or divide integral() of the load by integral() of the capacity.")));
}

pg_noreturn static void
weighted_sum_of_two_times(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time of a weighted sum must be the same in every row"),
			 errhint("Group by it.")));
}

PG_FUNCTION_INFO_V1(utilization_transition);
Datum
utilization_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	Decimal		capacity;
	Span		during;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_STATE(state);
	capacity = decimal_arg(PG_GETARG_DATUM(3), "capacity");
	during = span_arg(PG_GETARG_DATUM(4));
	if (state == NULL)
	{
		if (capacity.mantissa < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("capacity must not be negative")));
		if (!SPAN_IS_EMPTY(during) &&
			(during.from == DT_NOBEGIN || during.until == DT_NOEND))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("utilization over an unbounded time is undefined"),
					 errhint("Bound the time, for example with tstzrange(a, b).")));
		state = unit_time_new(context);
		state->capacity = capacity;
		state->during = during;
	}
	else
		utilization_check(state, capacity, during);
	unit_time_add(state,
				  span_arg(PG_GETARG_DATUM(1)),
				  decimal_arg(PG_GETARG_DATUM(2), "quantity"),
				  during);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(unit_time_combine);
Datum
unit_time_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	UnitTimeState *other = PG_GETARG_STATE(1, UnitTimeState);

	if (other == NULL)
		PG_RETURN_STATE(state);
	if (state == NULL)
	{
		state = unit_time_new(context);
		*state = *other;
		PG_RETURN_POINTER(state);
	}
	if (state->rows == 0)
		utilization_check(state, other->capacity, other->during);
	else if (other->rows > 0 &&
			 (state->during.from != other->during.from || state->during.until != other->during.until))
		weighted_sum_of_two_times();
	if (other->scale > state->scale)
		unit_time_rescale(state, other->scale);
	else if (other->scale < state->scale)
		unit_time_rescale(other, state->scale);
	state->magnitude = Max(state->magnitude, other->magnitude);
	state->rows += other->rows;
	if (__builtin_add_overflow(state->sum, other->sum, &state->sum))
		decimal_overflow();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(unit_time_serialize);
Datum
unit_time_serialize(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = (UnitTimeState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	aggregate_context(fcinfo);
	state_send(&buf, state->scale);
	send_int128(&buf, state->sum);
	pq_sendint64(&buf, state->magnitude);
	pq_sendbyte(&buf, state->capacity.scale);
	pq_sendint64(&buf, state->capacity.mantissa);
	pq_sendint64(&buf, state->during.from);
	pq_sendint64(&buf, state->during.until);
	pq_sendint64(&buf, state->rows);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(unit_time_deserialize);
Datum
unit_time_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	UnitTimeState *state;

	aggregate_context(fcinfo);
	state = unit_time_new(CurrentMemoryContext);
	state->scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	state->sum = receive_int128(&buf);
	state->magnitude = pq_getmsgint64(&buf);
	state->capacity.scale = pq_getmsgbyte(&buf);
	state->capacity.mantissa = pq_getmsgint64(&buf);
	state->during.from = pq_getmsgint64(&buf);
	state->during.until = pq_getmsgint64(&buf);
	state->rows = pq_getmsgint64(&buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(unit_hours_final);
Datum
unit_hours_final(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	return unit_time_ratio(state->sum, state->scale, USECS_PER_HOUR);
}

PG_FUNCTION_INFO_V1(utilization_final);
Datum
utilization_final(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	Datum		available;

	aggregate_context(fcinfo);

	/* nothing available is no rate, neither 0 nor 1 */
	if (state == NULL || state->capacity.mantissa == 0 || SPAN_IS_EMPTY(state->during))
		PG_RETURN_NULL();
	available = DirectFunctionCall2(numeric_mul,
									decimal_get_numeric(state->capacity.mantissa,
														state->capacity.scale),
									decimal128_get_numeric((int128) state->during.until -
														   state->during.from, 0));
	return DirectFunctionCall2(numeric_div,
							   decimal128_get_numeric(state->sum, state->scale),
							   available);
}

/*
 * weighted_sum(delta, at, during): the mean over a time of a level that
 * changes by delta at each instant.
 *
 * That is the integral of the level, divided by the time; and the integral of
 * a sum of steps is the sum of their integrals, in any order.  What came before
 * the time counts from its start on.
 */
/* the rows of a moving frame leave again, so a state is never NULL */
PG_FUNCTION_INFO_V1(weighted_sum_transition);
Datum
weighted_sum_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	Decimal		delta;
	Span		step;
	Span		during;
	int			scale;

	if (state == NULL)
		state = unit_time_new(context);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	delta = decimal_arg(PG_GETARG_DATUM(1), "delta");
	during = span_arg(PG_GETARG_DATUM(3));
	if (state->rows++ == 0)
	{
		if (SPAN_IS_EMPTY(during) || during.from == DT_NOBEGIN || during.until == DT_NOEND)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weighted sum over an empty or unbounded time is undefined"),
					 errhint("Bound the time, for example with tstzrange(a, b).")));
		state->during = during;
	}
	else if (state->during.from != during.from || state->during.until != during.until)
		weighted_sum_of_two_times();

	step.from = PG_GETARG_TIMESTAMPTZ(2);
	step.until = during.until;
	if (SPAN_IS_EMPTY(step))
		PG_RETURN_POINTER(state);
	scale = state->scale;
	unit_time_add(state, step, delta, during);
	if (state->scale != scale)
		state->rows_at_scale = 0;
	if (delta.scale == state->scale)
		state->rows_at_scale++;
	PG_RETURN_POINTER(state);
}

/*
 * Take a row away.  With the last that needed so many decimal places they go,
 * too, and then NULL asks for a new start from the rows that are left.
 */
PG_FUNCTION_INFO_V1(weighted_sum_inverse);
Datum
weighted_sum_inverse(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	Decimal		delta;
	Span		step;

	aggregate_context(fcinfo);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_STATE(state);
	delta = decimal_arg(PG_GETARG_DATUM(1), "delta");
	state->rows--;
	step.from = PG_GETARG_TIMESTAMPTZ(2);
	step.until = state->during.until;
	if (SPAN_IS_EMPTY(step))
		PG_RETURN_POINTER(state);
	if (delta.scale == state->scale && --state->rows_at_scale == 0 && state->scale > 0)
		PG_RETURN_NULL();
	delta.mantissa = -delta.mantissa;
	unit_time_add(state, step, delta, state->during);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(weighted_sum_final);
Datum
weighted_sum_final(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_GETARG_STATE(0, UnitTimeState);
	Datum		length;
	Datum		twice;
	Datum		units;
	bool		negative;

	aggregate_context(fcinfo);
	if (state == NULL || state->rows == 0)
		PG_RETURN_NULL();

	/* in whole units of the last place: (2 sum + length) / (2 length), rounded down */
	negative = state->sum < 0;
	length = decimal128_get_numeric((int128) state->during.until - state->during.from, 0);
	twice = DirectFunctionCall2(numeric_add, length, length);
	units = DirectFunctionCall1(numeric_abs, decimal128_get_numeric(state->sum, state->scale));
	units = DirectFunctionCall2(numeric_mul, units,
								decimal128_get_numeric((int128) 200 * decimal_pow10[18], 0));
	units = DirectFunctionCall2(numeric_div_trunc,
								DirectFunctionCall2(numeric_add, units, length), twice);
	units = DirectFunctionCall2(numeric_mul, units,
								DirectFunctionCall3(numeric_in, CStringGetDatum("1e-20"),
													ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (negative)
		units = DirectFunctionCall1(numeric_uminus, units);
	return DirectFunctionCall1(numeric_trim_scale, units);
}

/*
 * decayed(period, quantity, half_life, at): the unit-hours of each period, of
 * which half is forgotten in every half-life after they were used.
 *
 * For a constant quantity q on [s, e) seen at t >= e that is, in closed form,
 *
 *		q * h / ln 2 * (2^-((t - e) / h) - 2^-((t - s) / h))
 *
 * A row's term is irrational, so it is rounded, to 10^-9 unit-seconds; from
 * there on all is integers, and the sum is exact like any other here.
 */
#define DECAYED_SCALE	9

typedef struct DecayedState
{
	int128		sum;			/* unit-seconds, scaled by DECAYED_SCALE */
	int64		half_life;		/* microseconds */
	TimestampTz at;
} DecayedState;

static void
decayed_check(const DecayedState *state, int64 half_life, TimestampTz at)
{
	if (state->half_life != half_life || state->at != at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half-life and instant of decayed must be the same in every row")));
}

static int128
decayed_term(Span period, Decimal quantity, int64 half_life, TimestampTz at)
{
	long double h = half_life;
	long double age;			/* of the end, in half-lives */
	long double remains;		/* of what was used at the end */
	long double part;			/* how much of an endless past this is */
	long double term;

	period.until = Min(period.until, at);
	if (SPAN_IS_EMPTY(period) || quantity.mantissa == 0)
		return 0;
	age = ((long double) at - (long double) period.until) / h;
	remains = exp2l(-age);
	part = period.from == DT_NOBEGIN ? 1 :
		-expm1l(-logl(2) * (((long double) period.until - (long double) period.from) / h));
	term = (long double) quantity.mantissa / decimal_pow10[quantity.scale] *
		(h / USECS_PER_SEC / logl(2)) * remains * part * decimal_pow10[DECAYED_SCALE];

	/* 2^126: half of what an int128 holds */
	if (!(fabsl(term) < 8.5e37L))
		decimal_overflow();
	return (int128) rintl(term);
}

PG_FUNCTION_INFO_V1(decayed_transition);
Datum
decayed_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DecayedState *state = PG_GETARG_STATE(0, DecayedState);
	int64		half_life;
	TimestampTz at;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_STATE(state);
	half_life = positive_length_arg(PG_GETARG_INTERVAL_P(3), "half-life");
	at = PG_GETARG_TIMESTAMPTZ(4);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("instant must be finite")));
	if (state == NULL)
	{
		state = MemoryContextAllocZero(context, sizeof(DecayedState));
		state->half_life = half_life;
		state->at = at;
	}
	decayed_check(state, half_life, at);
	if (__builtin_add_overflow(state->sum,
							   decayed_term(span_arg(PG_GETARG_DATUM(1)),
											decimal_arg(PG_GETARG_DATUM(2), "quantity"),
											half_life, at),
							   &state->sum))
		decimal_overflow();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(decayed_combine);
Datum
decayed_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DecayedState *state = PG_GETARG_STATE(0, DecayedState);
	DecayedState *other = PG_GETARG_STATE(1, DecayedState);

	if (other == NULL)
		PG_RETURN_STATE(state);
	if (state == NULL)
	{
		state = MemoryContextAlloc(context, sizeof(DecayedState));
		*state = *other;
		PG_RETURN_POINTER(state);
	}
	decayed_check(state, other->half_life, other->at);
	if (__builtin_add_overflow(state->sum, other->sum, &state->sum))
		decimal_overflow();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(decayed_serialize);
Datum
decayed_serialize(PG_FUNCTION_ARGS)
{
	DecayedState *state = (DecayedState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	aggregate_context(fcinfo);
	state_send(&buf, DECAYED_SCALE);
	send_int128(&buf, state->sum);
	pq_sendint64(&buf, state->half_life);
	pq_sendint64(&buf, state->at);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(decayed_deserialize);
Datum
decayed_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	DecayedState *state = palloc(sizeof(DecayedState));

	aggregate_context(fcinfo);
	(void) state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	state->sum = receive_int128(&buf);
	state->half_life = pq_getmsgint64(&buf);
	state->at = pq_getmsgint64(&buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(decayed_final);
Datum
decayed_final(PG_FUNCTION_ARGS)
{
	DecayedState *state = PG_GETARG_STATE(0, DecayedState);

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	return unit_time_ratio(state->sum, DECAYED_SCALE, SECS_PER_HOUR);
}
