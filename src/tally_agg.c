/*
 * tally_agg.c
 *		Aggregates that make tallies: tally(party), tally(party, quantity) and
 *		sum(tally).
 *
 * The state keeps a 128-bit sum for each party, at the largest scale of any
 * row.  So the answer does not depend on the order of rows or on who summed
 * them.  Nor do errors: it is out of range if the largest quantity of any row
 * does not fit at the largest scale, or if a sum does not.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/memutils.h"

#define PARTY_PREFIX	sums
#define PARTY_VALUE		int128
#include "party_table.h"

typedef struct TallyState
{
	sums_table	table;
	int			scale;
	int64		magnitude;		/* largest quantity of any row, at that scale */
} TallyState;

static TallyState *
tally_state(MemoryContext context, bool numbers, int64 size)
{
	TallyState *state = MemoryContextAllocZero(context, sizeof(TallyState));

	sums_init(&state->table, context, numbers, size);
	return state;
}

/*
 * Go to a larger scale.
 */
static void
tally_rescale(TallyState *state, int scale)
{
	int64		factor = decimal_pow10[scale - state->scale];

	if (!decimal_rescale(state->magnitude, state->scale, scale, &state->magnitude))
		tally_overflow();
	for (uint64 i = 0; i < state->table.hash->size; i++)
		state->table.hash->data[i].value *= factor;
	state->scale = scale;
}

/* Bring a quantity and the state to the same scale. */
static inline int64
tally_align(TallyState *state, int64 mantissa, int scale)
{
	if (unlikely(scale != state->scale))
	{
		if (scale > state->scale)
			tally_rescale(state, scale);
		else if (!decimal_rescale(mantissa, scale, state->scale, &mantissa))
			tally_overflow();
	}
	state->magnitude = Max(state->magnitude, mantissa < 0 ? -mantissa : mantissa);
	return mantissa;
}

/* One row. */
static inline Datum
tally_row(FunctionCallInfo fcinfo, PartyKey key, Decimal quantity)
{
	MemoryContext context = aggregate_context(fcinfo);
	TallyState *state = PG_GETARG_STATE(0, TallyState);
	int64		mantissa;

	if (unlikely(state == NULL))
		state = tally_state(context, key.name == NULL, PARTY_FIRST_SIZE);
	mantissa = tally_align(state, quantity.mantissa, quantity.scale);
	*sums_at(&state->table, key, party_hash(key)) += mantissa;
	PG_RETURN_POINTER(state);
}

static inline Decimal
whole_arg(int64 quantity)
{
	Decimal		result = {quantity, 0};

	if (unlikely(quantity == PG_INT64_MIN))
		tally_overflow();
	return result;
}

/* a transition function for each type of party, and of quantity */
#define TALLY_TRANSITION(name, party, has_quantity, quantity) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	if (PG_ARGISNULL(1) || ((has_quantity) && PG_ARGISNULL(2))) \
	{ \
		aggregate_context(fcinfo); \
		PG_RETURN_STATE(PG_GETARG_STATE(0, TallyState)); \
	} \
	return tally_row(fcinfo, party, quantity); \
}

#define TEXT_PARTY			party_key_arg(PG_GETARG_DATUM(1))
#define NUMBER_PARTY		party_number(PG_GETARG_INT64(1))

TALLY_TRANSITION(tally_transition, TEXT_PARTY, false, whole_arg(1))
TALLY_TRANSITION(tally_transition_numeric, TEXT_PARTY, true, decimal_arg(PG_GETARG_DATUM(2), "quantity"))
TALLY_TRANSITION(tally_transition_int8, TEXT_PARTY, true, whole_arg(PG_GETARG_INT64(2)))
TALLY_TRANSITION(tally_transition_int4, TEXT_PARTY, true, whole_arg(PG_GETARG_INT32(2)))
TALLY_TRANSITION(tally_number_transition, NUMBER_PARTY, false, whole_arg(1))
TALLY_TRANSITION(tally_number_transition_numeric, NUMBER_PARTY, true, decimal_arg(PG_GETARG_DATUM(2), "quantity"))
TALLY_TRANSITION(tally_number_transition_int8, NUMBER_PARTY, true, whole_arg(PG_GETARG_INT64(2)))
TALLY_TRANSITION(tally_number_transition_int4, NUMBER_PARTY, true, whole_arg(PG_GETARG_INT32(2)))

PG_FUNCTION_INFO_V1(sum_tally_transition);
Datum
sum_tally_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	TallyState *state = PG_GETARG_STATE(0, TallyState);
	struct varlena *tally;
	PartyMap	map;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	tally = PG_GETARG_VARLENA_PP(1);
	tally_read(PointerGetDatum(tally), &map);
	if (state == NULL)
		state = tally_state(context, false, Max(map.n, PARTY_FIRST_SIZE));
	for (int i = 0; i < map.n; i++)
	{
		PartyKey	key = party_map_key(&map, i);
		int64		mantissa = tally_align(state, tally_quantity(&map, i), map.exponent);

		CHECK_FOR_INTERRUPTS();
		*sums_at(&state->table, key, party_hash(key)) += mantissa;
	}

	/* a window runs through all of its frame without freeing memory */
	PG_FREE_IF_COPY(tally, 1);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(tally_combine);
Datum
tally_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	TallyState *state = PG_GETARG_STATE(0, TallyState);
	TallyState *other = PG_GETARG_STATE(1, TallyState);
	sums_cursor cursor = {0};
	const sums_entry *entry;
	int64		factor;

	if (other == NULL)
		PG_RETURN_STATE(state);
	if (state == NULL)
		state = tally_state(context, other->table.numbers, Max(other->table.n, PARTY_FIRST_SIZE));
	sums_reserve(&state->table, &other->table);
	if (other->scale > state->scale)
		tally_rescale(state, other->scale);
	factor = decimal_pow10[state->scale - other->scale];
	tally_align(state, other->magnitude, other->scale);
	while ((entry = sums_next(&other->table, &cursor)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		*sums_at(&state->table, entry->key, entry->hash) += entry->value * factor;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(tally_serialize);
Datum
tally_serialize(PG_FUNCTION_ARGS)
{
	TallyState *state = (TallyState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	aggregate_context(fcinfo);
	state_send(&buf, state->scale);
	pq_sendint64(&buf, state->magnitude);
	sums_send(&state->table, &buf);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(tally_deserialize);
Datum
tally_deserialize(PG_FUNCTION_ARGS)
{
	TallyState *state;
	StringInfoData buf;

	aggregate_context(fcinfo);

	/* in the caller's short-lived context: combine copies what it keeps */
	state = palloc0(sizeof(TallyState));
	state->scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	state->magnitude = pq_getmsgint64(&buf);
	sums_receive(&state->table, &buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(tally_final);
Datum
tally_final(PG_FUNCTION_ARGS)
{
	TallyState *state = PG_GETARG_STATE(0, TallyState);
	sums_cursor cursor = {0};
	const sums_entry *entry;
	TallyRow   *rows;
	char	   *names = NULL;
	int64		n = 0;
	struct varlena *result;

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	rows = tally_rows(state->table.n);
	if (state->table.numbers)
		names = MemoryContextAllocHuge(CurrentMemoryContext,
									   state->table.n * PARTY_NUMBER_SIZE);
	while ((entry = sums_next(&state->table, &cursor)) != NULL)
	{
		rows[n].key = sums_name(entry, &names);
		rows[n++].quantity = entry->value;
	}
	result = tally_make(rows, n, state->scale);
	PG_RETURN_POINTER(result);
}
