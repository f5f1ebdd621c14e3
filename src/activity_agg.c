/*
 * activity_agg.c
 *		Aggregates that make activities: activity(party, at [, added, removed])
 *		and sum(activity).
 *
 * The state keeps for each party what the activity will say of it.  All of
 * that are counts, sums of what is not negative, least and greatest: the
 * answer depends neither on the order of rows nor on who summed them, nor do
 * errors.
 */
#include "postgres.h"

#include "compat.h"
#include "activity.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define PARTY_PREFIX	deeds
#define PARTY_VALUE		Deeds
#include "party_table.h"

/*
 * Of many parties, most are not in the processor's cache, and to wait for each
 * takes as long as all the rest of a row.  So of a state of more parties than
 * this, rows whose party is a number wait until they are so many, and their
 * parties are asked for from memory all at once.
 */
#define WAITING_ROWS	64

typedef struct WaitingRow
{
	int64		party;
	TimestampTz at;
	int64		added;
	int64		removed;
} WaitingRow;

typedef struct ActivityState
{
	int			nwaiting;
	int			room;			/* for waiting rows: 0 or WAITING_ROWS */
	deeds_table table;
	WaitingRow	waiting[FLEXIBLE_ARRAY_MEMBER];
} ActivityState;

static ActivityState *
activity_state(MemoryContext context, bool numbers, int64 size)
{
	ActivityState *state = MemoryContextAllocZero(context, sizeof(ActivityState));

	deeds_init(&state->table, context, numbers, size);
	return state;
}

static void
negative_lines(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("lines added and removed must not be negative")));
}

static inline void
activity_add(ActivityState *state, PartyKey key, TimestampTz at, int64 added, int64 removed)
{
	Deeds		deeds = {1, added, removed, at, at};

	deeds_add(deeds_at(&state->table, key, party_hash(key)), &deeds);
}

/* Every use of the table but the next row begins here. */
static void
activity_settle(ActivityState *state)
{
	const WaitingRow *end = state->waiting + state->nwaiting;

	for (const WaitingRow *row = state->waiting; row < end; row++)
		deeds_prefetch(&state->table, party_hash(party_number(row->party)));
	for (const WaitingRow *row = state->waiting; row < end; row++)
		activity_add(state, party_number(row->party), row->at, row->added, row->removed);
	state->nwaiting = 0;
}

/*
 * What most rows do not need is apart from them, and called last, so that they
 * call nothing.
 */
static pg_noinline Datum
activity_skip_row(FunctionCallInfo fcinfo)
{
	aggregate_context(fcinfo);
	PG_RETURN_STATE(PG_GETARG_STATE(0, ActivityState));
}

static pg_noinline Datum
activity_settle_rows(ActivityState *state)
{
	activity_settle(state);
	PG_RETURN_POINTER(state);
}

static pg_noinline Datum
activity_add_row(FunctionCallInfo fcinfo, PartyKey key, int64 added, int64 removed)
{
	MemoryContext context = aggregate_context(fcinfo);
	ActivityState *state = PG_GETARG_STATE(0, ActivityState);

	if (unlikely((added | removed) < 0))
		negative_lines();
	if (unlikely(state == NULL))
		state = activity_state(context, key.name == NULL, PARTY_FIRST_SIZE);
	activity_add(state, key, PG_GETARG_TIMESTAMPTZ(2), added, removed);
	if (key.name == NULL && state->table.n > WAITING_ROWS)
	{
		Size		size = offsetof(ActivityState, waiting) + WAITING_ROWS * sizeof(WaitingRow);

		state = repalloc(state, size);
		state->room = WAITING_ROWS;
	}
	PG_RETURN_POINTER(state);
}

/* One row. */
static inline Datum
activity_row(FunctionCallInfo fcinfo, PartyKey key, int64 added, int64 removed)
{
	ActivityState *state = (ActivityState *) PG_GETARG_POINTER(0);
	WaitingRow *row;

	if (key.name != NULL || PG_ARGISNULL(0) || state->room == 0 ||
		unlikely((added | removed) < 0))
		return activity_add_row(fcinfo, key, added, removed);

	row = &state->waiting[state->nwaiting++];
	row->party = key.len;
	row->at = PG_GETARG_TIMESTAMPTZ(2);
	row->added = added;
	row->removed = removed;
	if (unlikely(state->nwaiting == state->room))
		return activity_settle_rows(state);
	PG_RETURN_POINTER(state);
}

/* a transition function for each type of party, and of lines */
#define ACTIVITY_TRANSITION(name, party, added, removed) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) \
		return activity_skip_row(fcinfo); \
	return activity_row(fcinfo, party, added, removed); \
}

#define TEXT_PARTY			party_key_arg(PG_GETARG_DATUM(1))
#define NUMBER_PARTY		party_number(PG_GETARG_INT64(1))

/* a number of lines that is not known is none */
#define LINES8(i)			(PG_ARGISNULL(i) ? 0 : PG_GETARG_INT64(i))
#define LINES4(i)			(PG_ARGISNULL(i) ? 0 : PG_GETARG_INT32(i))

ACTIVITY_TRANSITION(activity_transition, TEXT_PARTY, 0, 0)
ACTIVITY_TRANSITION(activity_transition_int8, TEXT_PARTY, LINES8(3), LINES8(4))
ACTIVITY_TRANSITION(activity_transition_int4, TEXT_PARTY, LINES4(3), LINES4(4))
ACTIVITY_TRANSITION(activity_number_transition, NUMBER_PARTY, 0, 0)
ACTIVITY_TRANSITION(activity_number_transition_int8, NUMBER_PARTY, LINES8(3), LINES8(4))
ACTIVITY_TRANSITION(activity_number_transition_int4, NUMBER_PARTY, LINES4(3), LINES4(4))

PG_FUNCTION_INFO_V1(sum_activity_transition);
Datum
sum_activity_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	ActivityState *state = PG_GETARG_STATE(0, ActivityState);
	struct varlena *activity;
	PartyMap	map;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	activity = PG_GETARG_VARLENA_PP(1);
	activity_read(PointerGetDatum(activity), &map);
	if (state == NULL)
		state = activity_state(context, false, Max(map.n, PARTY_FIRST_SIZE));
	for (int i = 0; i < map.n; i++)
	{
		PartyKey	key = party_map_key(&map, i);
		Deeds		deeds;

		CHECK_FOR_INTERRUPTS();
		activity_deeds(&map, i, &deeds);
		deeds_add(deeds_at(&state->table, key, party_hash(key)), &deeds);
	}

	/* a window runs through all of its frame without freeing memory */
	PG_FREE_IF_COPY(activity, 1);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(activity_combine);
Datum
activity_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	ActivityState *state = PG_GETARG_STATE(0, ActivityState);
	ActivityState *other = PG_GETARG_STATE(1, ActivityState);
	deeds_cursor cursor = {0};
	const deeds_entry *entry;

	if (other == NULL)
		PG_RETURN_STATE(state);
	activity_settle(other);
	if (state == NULL)
		state = activity_state(context, other->table.numbers,
							   Max(other->table.n, PARTY_FIRST_SIZE));
	deeds_reserve(&state->table, &other->table);
	while ((entry = deeds_next(&other->table, &cursor)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		deeds_add(deeds_at(&state->table, entry->key, entry->hash), &entry->value);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(activity_serialize);
Datum
activity_serialize(PG_FUNCTION_ARGS)
{
	ActivityState *state = (ActivityState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	aggregate_context(fcinfo);
	activity_settle(state);
	state_send(&buf, 0);
	deeds_send(&state->table, &buf);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(activity_deserialize);
Datum
activity_deserialize(PG_FUNCTION_ARGS)
{
	ActivityState *state;
	StringInfoData buf;

	aggregate_context(fcinfo);

	/* in the caller's short-lived context: combine copies what it keeps */
	state = palloc0(sizeof(ActivityState));
	(void) state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	deeds_receive(&state->table, &buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(activity_final);
Datum
activity_final(PG_FUNCTION_ARGS)
{
	ActivityState *state = PG_GETARG_STATE(0, ActivityState);
	deeds_cursor cursor = {0};
	const deeds_entry *entry;
	ActivityRow *rows;
	char	   *names = NULL;
	int64		n = 0;

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	activity_settle(state);
	rows = activity_rows(state->table.n);
	if (state->table.numbers)
		names = MemoryContextAllocHuge(CurrentMemoryContext,
									   state->table.n * PARTY_NUMBER_SIZE);
	while ((entry = deeds_next(&state->table, &cursor)) != NULL)
	{
		rows[n].key = deeds_name(entry, &names);
		rows[n++].deeds = entry->value;
	}
	PG_RETURN_POINTER(activity_make(rows, n));
}
