/*
 * burstiness.c
 *		Aggregate burstiness(at): whether events come evenly, at random or in
 *		bursts.
 *
 * The measure of Goh and Barabasi, (sigma - mu) / (sigma + mu), of the times
 * between successive events.  They have to come in order of time: then their
 * sum and the sum of their squares are all that is kept, as integers.  No sum
 * of squares is larger than the square of the whole span of timestamps, which
 * fits.  There is no combine function, as parallel workers share one span.
 */
#include "postgres.h"

#include "compat.h"
#include "aggregate.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* decimal places of the result, and of the root in it */
#define BURSTINESS_SCALE	16
#define ROOT_SCALE			40

#define integer_numeric(i)	decimal128_get_numeric((i), 0)
#define call2(function, a, b) \
	DirectFunctionCall2(function, (a), (b))

typedef struct BurstinessState
{
	int64		events;
	TimestampTz first;
	TimestampTz last;
	int128		squares;		/* of microseconds */
} BurstinessState;

static int128
span_of(TimestampTz from, TimestampTz until)
{
	return (int128) until - from;
}

PG_FUNCTION_INFO_V1(burstiness_transition);
Datum
burstiness_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	BurstinessState *state = PG_GETARG_STATE(0, BurstinessState);
	TimestampTz at;
	int128		gap;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	at = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("burstiness of infinite timestamps is not defined")));
	if (state == NULL)
	{
		state = MemoryContextAllocZero(context, sizeof(BurstinessState));
		state->first = state->last = at;
	}
	if (at < state->last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("burstiness needs its events in order of time"),
				 errhint("Write burstiness(at ORDER BY at).")));
	gap = span_of(state->last, at);
	state->squares += gap * gap;
	state->last = at;
	state->events++;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(burstiness_final);
Datum
burstiness_final(PG_FUNCTION_ARGS)
{
	BurstinessState *state = PG_GETARG_STATE(0, BurstinessState);
	int128		sum;
	Datum		mu;
	Datum		sigma;

	aggregate_context(fcinfo);
	if (state == NULL || state->events < 3 || state->first == state->last)
		PG_RETURN_NULL();

	/* both times the number of gaps n: the sum, and sqrt(n squares - sum^2) */
	sum = span_of(state->first, state->last);
	mu = integer_numeric(sum);
	sigma = call2(numeric_sub,
				  call2(numeric_mul, integer_numeric(state->events - 1), integer_numeric(state->squares)),
				  call2(numeric_mul, mu, mu));
	sigma = DirectFunctionCall1(numeric_sqrt,
								call2(numeric_round, sigma, Int32GetDatum(ROOT_SCALE)));
	return call2(numeric_round,
				 call2(numeric_div, call2(numeric_sub, sigma, mu), call2(numeric_add, sigma, mu)),
				 Int32GetDatum(BURSTINESS_SCALE));
}
