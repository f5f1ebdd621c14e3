/*
 * profile_agg.c
 *		Aggregates that make profiles.
 *
 * load_profile(period, quantity) and sum(profile) make a profile by a sweep:
 * every period is an event (instant, change of quantity) at its start and the
 * opposite one at its end; sorted by instant, the running sum of the changes
 * is the profile.
 *
 * Memory traffic is what such an aggregate costs, so events are kept packed:
 * 46 bits for the microseconds from the state's base (a year either way), 18
 * for the change.  What does not fit is kept wide, at 16 bytes.
 * When a large array is full, its events are sorted and those of one instant
 * made one, so that a state is bounded by its distinct instants; so they are
 * before they go to another process, which thus receives sorted runs.
 *
 * gauge_profile(at, value) keeps its samples in the same way: an event's
 * change is the value itself.
 *
 * States are sums of integers at the largest scale seen, so the answer does
 * not depend on the order of rows or on who summed them.  Nor do errors: it is
 * out of range if the largest quantity does not fit at the largest scale,
 * whatever became of that quantity in between.
 *
 * max(profile) and min(profile) are at the end.
 */
#include "postgres.h"

#include "compat.h"
#include "aggregate.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "profile.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct LoadEvent
{
	TimestampTz at;
	int64		change;
} LoadEvent;

typedef struct LoadState
{
	MemoryContext context;
	bool		gauge;			/* events are values, not changes */
	int			scale;
	int64		magnitude;		/* largest quantity of any row, at that scale */
	TimestampTz base;			/* packed instants count from here */
	int64		npacked;
	int64		packed_size;
	int64	   *packed;
	int64		nwide;
	int64		wide_size;
	LoadEvent  *wide;
} LoadState;

/* a packed event: the distance from the base above, the change below */
#define CHANGE_BITS			18
#define CHANGE_BIAS			(INT64CONST(1) << (CHANGE_BITS - 1))
#define CHANGE_MASK			((INT64CONST(1) << CHANGE_BITS) - 1)
#define DISTANCE_BIAS		(UINT64CONST(1) << (63 - CHANGE_BITS))

/*
 * Bases are multiples of a month or so: states often share one, and a year
 * either way of the first event still can be packed.
 */
#define BASE_MASK			((INT64CONST(1) << (59 - CHANGE_BITS)) - 1)

#define LOAD_FIRST_SIZE		32

/* below this many events growing is cheaper than compacting */
#define LOAD_COMPACT_SIZE	65536

/* events by their instants; packed ones without unpacking them */
#define SORT_NAME		sort_wide
#define SORT_TYPE		LoadEvent
#define SORT_KEY(e)		((uint64) (e).at ^ (UINT64CONST(1) << 63))
#include "sort_by_time.h"

#define SORT_NAME		sort_packed
#define SORT_TYPE		int64
#define SORT_KEY(e)		(((uint64) (e) ^ (UINT64CONST(1) << 63)) >> CHANGE_BITS)
#include "sort_by_time.h"

/*
 * Make one event of two at the same instant, if it is one.  Where the sum
 * would not fit, events stay apart: later ones may bring it back, and the
 * answer must not depend on when we compact.  Samples of a gauge must agree.
 */
static inline bool
add_change(int64 *change, int64 other, int64 limit, bool gauge, TimestampTz at)
{
	int64		sum;

	if (gauge)
	{
		if (*change != other)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("gauge has two values at %s", timestamptz_to_str(at)),
					 errhint("Decide for one, for example with SELECT DISTINCT ON.")));
		return true;
	}
	if (pg_add_s64_overflow(*change, other, &sum) || sum <= -limit || sum >= limit)
		return false;
	*change = sum;
	return true;
}

static LoadState *
load_new(MemoryContext context, bool gauge)
{
	LoadState  *state = MemoryContextAllocZero(context, sizeof(LoadState));

	state->context = context;
	state->gauge = gauge;
	state->packed_size = LOAD_FIRST_SIZE;
	state->packed = MemoryContextAlloc(context, LOAD_FIRST_SIZE * sizeof(int64));
	return state;
}

static inline bool
can_pack(TimestampTz base, TimestampTz at, int64 change)
{
	/* unsigned: the range of timestamps is wider than an int64 */
	return (uint64) at - (uint64) base + DISTANCE_BIAS < 2 * DISTANCE_BIAS &&
		change > -CHANGE_BIAS && change < CHANGE_BIAS && at != DT_NOBEGIN;
}

static inline int64
pack_event(TimestampTz base, TimestampTz at, int64 change)
{
	return (int64) (((uint64) at - (uint64) base) << CHANGE_BITS) | (change + CHANGE_BIAS);
}

static inline LoadEvent
unpack_event(TimestampTz base, int64 packed)
{
	LoadEvent	event;

	event.at = base + (packed >> CHANGE_BITS);
	event.change = (packed & CHANGE_MASK) - CHANGE_BIAS;
	return event;
}

static void
resize_packed(LoadState *state, int64 size)
{
	state->packed = repalloc_huge(state->packed, size * sizeof(int64));
	state->packed_size = size;
}

static void
resize_wide(LoadState *state, int64 size)
{
	if (state->wide == NULL)
		state->wide = MemoryContextAllocHuge(state->context, size * sizeof(LoadEvent));
	else
		state->wide = repalloc_huge(state->wide, size * sizeof(LoadEvent));
	state->wide_size = size;
}

/*
 * All events of a state, in memory for so many.
 */
static void
unpack_events(const LoadState *state, LoadEvent *events)
{
	for (int64 i = 0; i < state->npacked; i++)
		events[i] = unpack_event(state->base, state->packed[i]);
	if (state->nwide > 0)
		memcpy(events + state->npacked, state->wide, state->nwide * sizeof(LoadEvent));
}

/*
 * Sort the events of a state and make one of those at the same instant; those
 * that came to nothing go.  Packed and wide ones are not looked at together.
 */
static void
load_compact(LoadState *state)
{
	void	   *scratch = MemoryContextAllocHuge(CurrentMemoryContext,
												 Max(Max(state->npacked * sizeof(int64),
														 state->nwide * sizeof(LoadEvent)), 1));
	int64	   *packed = sort_packed(state->packed, scratch, state->npacked);
	LoadEvent  *wide;
	int64		n = 0;

	for (int64 i = 0; i < state->npacked; i++)
	{
		LoadEvent	event = unpack_event(state->base, packed[i]);
		LoadEvent	last = n > 0 ? unpack_event(state->base, state->packed[n - 1]) : event;

		if (n > 0 && last.at == event.at &&
			add_change(&last.change, event.change, CHANGE_BIAS, state->gauge, event.at))
		{
			state->packed[n - 1] = pack_event(state->base, last.at, last.change);
			continue;
		}
		if (n > 0 && last.change == 0 && !state->gauge)
			n--;
		state->packed[n++] = packed[i];
	}
	if (n > 0 && !state->gauge && unpack_event(state->base, state->packed[n - 1]).change == 0)
		n--;
	state->npacked = n;

	wide = sort_wide(state->wide, scratch, state->nwide);
	n = 0;
	for (int64 i = 0; i < state->nwide; i++)
	{
		if (n > 0 && state->wide[n - 1].at == wide[i].at &&
			add_change(&state->wide[n - 1].change, wide[i].change, PG_INT64_MAX,
					   state->gauge, wide[i].at))
			continue;
		if (n > 0 && state->wide[n - 1].change == 0 && !state->gauge)
			n--;
		state->wide[n++] = wide[i];
	}
	if (n > 0 && !state->gauge && state->wide[n - 1].change == 0)
		n--;
	state->nwide = n;
	pfree(scratch);
}

/*
 * An array is full: make room, by compaction if that frees a good part.
 */
static void
load_grow(LoadState *state)
{
	if (state->npacked + state->nwide >= LOAD_COMPACT_SIZE)
		load_compact(state);
	if (state->npacked > state->packed_size / 4 * 3)
		resize_packed(state, state->packed_size * 2);
	if (state->nwide > state->wide_size / 4 * 3)
		resize_wide(state, state->wide_size * 2);
}

static inline void
load_event(LoadState *state, TimestampTz at, int64 change)
{
	if (unlikely(change == 0 && !state->gauge))
		return;
	if (unlikely(state->npacked == 0 && at != DT_NOBEGIN))
		state->base = at & ~BASE_MASK;
	for (;;)
	{
		if (likely(can_pack(state->base, at, change)))
		{
			if (likely(state->npacked < state->packed_size))
			{
				state->packed[state->npacked++] = pack_event(state->base, at, change);

				/*
				 * With many groups, the place of a group's next event is out
				 * of the cache when its next row comes.  Ask for it now.
				 */
				__builtin_prefetch(&state->packed[state->npacked + 7], 1);
				return;
			}
		}
		else if (state->wide_size == 0)
		{
			resize_wide(state, LOAD_FIRST_SIZE);
			continue;
		}
		else if (state->nwide < state->wide_size)
		{
			state->wide[state->nwide].at = at;
			state->wide[state->nwide++].change = change;
			return;
		}

		/* this may move the base, so look again */
		load_grow(state);
	}
}

/*
 * Go to a larger scale.
 */
static void
load_rescale(LoadState *state, int scale)
{
	int64		n = state->npacked + state->nwide;
	int64		factor = decimal_pow10[scale - state->scale];
	LoadEvent  *events;

	if (!decimal_rescale(state->magnitude, state->scale, scale, &state->magnitude))
		decimal_overflow();
	events = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(LoadEvent));
	unpack_events(state, events);
	state->npacked = 0;
	state->nwide = 0;
	for (int64 i = 0; i < n; i++)
	{
		int128		change = (int128) events[i].change * factor;

		CHECK_FOR_INTERRUPTS();

		/* a sum of changes may have to come apart again */
		for (; change > PG_INT64_MAX; change -= PG_INT64_MAX)
			load_event(state, events[i].at, PG_INT64_MAX);
		for (; change < -PG_INT64_MAX; change += PG_INT64_MAX)
			load_event(state, events[i].at, -PG_INT64_MAX);
		load_event(state, events[i].at, (int64) change);
	}
	state->scale = scale;
	pfree(events);
}

/* Bring a quantity and the state to the same scale. */
static inline int64
load_align(LoadState *state, int64 mantissa, int scale)
{
	if (unlikely(scale != state->scale))
	{
		if (scale > state->scale)
			load_rescale(state, scale);
		else if (!decimal_rescale(mantissa, scale, state->scale, &mantissa))
			decimal_overflow();
	}
	state->magnitude = Max(state->magnitude, mantissa < 0 ? -mantissa : mantissa);
	return mantissa;
}

/* The load of one period. */
static inline LoadState *
load_period(LoadState *state, MemoryContext context, Span span, Decimal quantity)
{
	if (state == NULL)
		state = load_new(context, false);
	if (!SPAN_IS_EMPTY(span))
	{
		int64		change = load_align(state, quantity.mantissa, quantity.scale);

		load_event(state, span.from, change);
		if (span.until != DT_NOEND)
			load_event(state, span.until, -change);
	}
	return state;
}

PG_FUNCTION_INFO_V1(load_profile_transition);
Datum
load_profile_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		state = load_period(state, context, span_arg(PG_GETARG_DATUM(1)),
							decimal_arg(PG_GETARG_DATUM(2), "quantity"));
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(load_profile_transition_int8);
Datum
load_profile_transition_int8(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		state = load_period(state, context, span_arg(PG_GETARG_DATUM(1)),
							integer_arg(PG_GETARG_INT64(2)));
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(load_profile_transition_int4);
Datum
load_profile_transition_int4(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		state = load_period(state, context, span_arg(PG_GETARG_DATUM(1)),
							integer_arg(PG_GETARG_INT32(2)));
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(gauge_profile_transition);
Datum
gauge_profile_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
		Decimal		value = decimal_arg(PG_GETARG_DATUM(2), "value");

		if (state == NULL)
			state = load_new(context, true);

		/* a sample at infinity holds at no time */
		if (at != DT_NOEND)
		{
			/* a statement of its own: to align may be to rescale the state */
			int64		mantissa = load_align(state, value.mantissa, value.scale);

			load_event(state, at, mantissa);
		}
	}
	PG_RETURN_STATE(state);
}

PG_FUNCTION_INFO_V1(sum_profile_transition);
Datum
sum_profile_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	struct varlena *profile;
	ProfileReader reader;
	int64		previous = 0;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	profile = PG_GETARG_VARLENA_PP(1);
	profile_read(PointerGetDatum(profile), &reader);
	if (state == NULL)
		state = load_new(context, false);
	for (int i = 0; i < reader.n; i++)
	{
		TimestampTz at = profile_time(&reader, i);
		int64		value = load_align(state, profile_value(&reader, i), reader.scale);
		int64		change;

		CHECK_FOR_INTERRUPTS();

		/* a step from one value to another may itself not fit: take it in two */
		if (pg_sub_s64_overflow(value, previous, &change) || change == PG_INT64_MIN)
		{
			load_event(state, at, -previous);
			change = value;
		}
		load_event(state, at, change);
		previous = value;
	}

	/* a window runs through all of its frame without freeing memory */
	PG_FREE_IF_COPY(profile, 1);
	PG_RETURN_POINTER(state);
}

/*
 * Give a state that was deserialized in place arrays of its own.
 */
static void
load_own(LoadState *state)
{
	int64	   *packed = state->packed;
	LoadEvent  *wide = state->wide;

	state->packed_size = Max(state->npacked, LOAD_FIRST_SIZE);
	state->packed = MemoryContextAllocHuge(state->context, state->packed_size * sizeof(int64));
	memcpy(state->packed, packed, state->npacked * sizeof(int64));
	state->wide_size = Max(state->nwide, LOAD_FIRST_SIZE);
	state->wide = MemoryContextAllocHuge(state->context, state->wide_size * sizeof(LoadEvent));
	memcpy(state->wide, wide, state->nwide * sizeof(LoadEvent));
}

/*
 * Append the packed events of another state, sorted and perhaps not aligned.
 * Returns false if they cannot be counted from the base of this one.
 */
static bool
load_append(LoadState *state, const LoadState *other)
{
	int64		n = state->npacked + other->npacked;
	uint64		distance = (uint64) other->base - (uint64) state->base;
	int64		ends[2];
	int64	   *appended;

	if (other->npacked == 0)
		return true;
	memcpy(&ends[0], other->packed, sizeof(int64));
	memcpy(&ends[1], other->packed + (other->npacked - 1), sizeof(int64));
	for (int i = 0; i < 2; i++)
	{
		if (!can_pack(state->base, unpack_event(other->base, ends[i]).at, 0))
			return false;
	}
	if (n > state->packed_size && n >= LOAD_COMPACT_SIZE)
	{
		load_compact(state);
		n = state->npacked + other->npacked;
	}
	if (n > state->packed_size)
		resize_packed(state, Max(n, state->packed_size * 2));
	appended = state->packed + state->npacked;
	memcpy(appended, other->packed, other->npacked * sizeof(int64));
	if (distance != 0)
	{
		for (int64 i = 0; i < other->npacked; i++)
			appended[i] = (int64) ((uint64) appended[i] + (distance << CHANGE_BITS));
	}
	state->npacked = n;
	return true;
}

/*
 * The runs that come from workers are sorted; appended to each other they are
 * merged when the result is made (see sort_by_time.h).
 */
PG_FUNCTION_INFO_V1(load_profile_combine);
Datum
load_profile_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	LoadState  *other = PG_GETARG_STATE(1, LoadState);

	if (other == NULL)
		PG_RETURN_STATE(state);
	if (state == NULL)
	{
		state = load_new(context, other->gauge);
		state->scale = other->scale;
		state->magnitude = other->magnitude;
		state->base = other->base;

		/* there will be another one */
		if (other->npacked * 2 > state->packed_size)
			resize_packed(state, other->npacked * 2);
	}
	else if (other->scale > state->scale)
		load_rescale(state, other->scale);

	if (other->scale == state->scale && other->nwide == 0 && load_append(state, other))
		state->magnitude = Max(state->magnitude, other->magnitude);
	else
	{
		load_own(other);
		if (other->scale < state->scale)
			load_rescale(other, state->scale);
		state->magnitude = Max(state->magnitude, other->magnitude);
		for (int64 i = 0; i < other->npacked; i++)
		{
			LoadEvent	event = unpack_event(other->base, other->packed[i]);

			load_event(state, event.at, event.change);
		}
		for (int64 i = 0; i < other->nwide; i++)
			load_event(state, other->wide[i].at, other->wide[i].change);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(load_profile_serialize);
Datum
load_profile_serialize(PG_FUNCTION_ARGS)
{
	LoadState  *state = (LoadState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	aggregate_context(fcinfo);
	load_compact(state);
	state_send(&buf, state->scale);
	pq_sendbyte(&buf, state->gauge);
	pq_sendint64(&buf, state->magnitude);
	pq_sendint64(&buf, state->base);
	pq_sendint64(&buf, state->npacked);
	pq_sendint64(&buf, state->nwide);
	pq_sendbytes(&buf, (const char *) state->packed, state->npacked * sizeof(int64));
	if (state->nwide > 0)
		pq_sendbytes(&buf, (const char *) state->wide, state->nwide * sizeof(LoadEvent));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(load_profile_deserialize);
Datum
load_profile_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	LoadState  *state;
	int			scale;
	int64		left;

	aggregate_context(fcinfo);

	/* in the caller's short-lived context: combine copies what it keeps */
	scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	state = palloc0(sizeof(LoadState));
	state->context = CurrentMemoryContext;
	state->gauge = pq_getmsgbyte(&buf) != 0;
	state->scale = scale;
	state->magnitude = pq_getmsgint64(&buf);
	state->base = pq_getmsgint64(&buf);
	state->npacked = pq_getmsgint64(&buf);
	state->nwide = pq_getmsgint64(&buf);
	left = buf.len - buf.cursor;
	if (state->npacked < 0 || state->npacked > left / (int64) sizeof(int64) ||
		state->nwide < 0 || state->nwide > left / (int64) sizeof(LoadEvent) ||
		state->npacked * (int64) sizeof(int64) + state->nwide * (int64) sizeof(LoadEvent) != left)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid length of aggregate state")));
	/* in place, which combine only reads, by memcpy as it may be misaligned */
	state->packed = (int64 *) pq_getmsgbytes(&buf, state->npacked * sizeof(int64));
	state->wide = (LoadEvent *) pq_getmsgbytes(&buf, state->nwide * sizeof(LoadEvent));
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/*
 * Memory for the final functions to work in.  It is kept from group to group:
 * to get and give back as much for each would cost more than the sorting.
 */
static void *
final_scratch(FunctionCallInfo fcinfo, Size size)
{
	typedef struct Scratch
	{
		Size		size;
		void	   *memory;
	} Scratch;
	Scratch    *scratch = fcinfo->flinfo->fn_extra;

	if (scratch == NULL)
		scratch = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Scratch));
	if (scratch->size < size)
	{
		if (scratch->memory != NULL)
			pfree(scratch->memory);
		scratch->size = 0;
		scratch->memory = MemoryContextAllocHuge(fcinfo->flinfo->fn_mcxt, size);
		scratch->size = size;
	}
	return scratch->memory;
}

/*
 * An event in order of time; "last" if it is the last one at its instant.
 */
static inline void
sweep(ProfileBuilder *builder, int128 *sum, LoadEvent event, bool last, bool gauge)
{
	if (gauge)
		*sum = event.change;
	else
		*sum += event.change;
	if (!last)
		return;
	if (unlikely(*sum > PG_INT64_MAX || *sum <= PG_INT64_MIN))
		decimal_overflow();
	profile_append(builder, event.at, (int64) *sum);
}

/*
 * The final function of load_profile, sum(profile) and gauge_profile.  Sorting
 * changes the order of a state's events but not what it says, so to the
 * executor it is read-only.
 */
PG_FUNCTION_INFO_V1(load_profile_final);
Datum
load_profile_final(PG_FUNCTION_ARGS)
{
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	int64		n;
	int64	   *scratch;
	ProfileBuilder builder;
	int128		sum = 0;

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	n = state->npacked + state->nwide;
	if (n > PROFILE_MAX_STEPS)
	{
		load_compact(state);
		n = state->npacked + state->nwide;
		if (n > PROFILE_MAX_STEPS)
			profile_too_long();
	}
	builder.n = 0;
	builder.size = n;
	builder.scale = state->scale;

	if (state->nwide == 0)
	{
		int64	   *packed;

		scratch = final_scratch(fcinfo, Max(n, 1) * 3 * sizeof(int64));
		builder.at = scratch + n;
		builder.value = scratch + 2 * n;
		packed = sort_packed(state->packed, scratch, n);
		for (int64 i = 0; i < n; i++)
		{
			LoadEvent	event = unpack_event(state->base, packed[i]);
			bool		last = i + 1 == n ||
			packed[i + 1] >> CHANGE_BITS != packed[i] >> CHANGE_BITS;

			if (unlikely(!last && state->gauge))
				add_change(&event.change, unpack_event(state->base, packed[i + 1]).change,
						   PG_INT64_MAX, true, event.at);
			sweep(&builder, &sum, event, last, state->gauge);
		}
	}
	else
	{
		LoadEvent  *events;
		LoadEvent  *sorted;

		scratch = final_scratch(fcinfo, n * (2 * sizeof(LoadEvent) + 2 * sizeof(int64)));
		builder.at = scratch;
		builder.value = scratch + n;
		events = (LoadEvent *) (scratch + 2 * n);
		unpack_events(state, events);
		sorted = sort_wide(events, events + n, n);
		for (int64 i = 0; i < n; i++)
		{
			bool		last = i + 1 == n || sorted[i + 1].at != sorted[i].at;

			if (unlikely(!last && state->gauge))
				add_change(&sorted[i].change, sorted[i + 1].change,
						   PG_INT64_MAX, true, sorted[i].at);
			sweep(&builder, &sum, sorted[i], last, state->gauge);
		}
	}
	PG_RETURN_POINTER(profile_pack(&builder));
}

/*
 * max(profile) and min(profile): the greatest and the least at every instant.
 *
 * One after the other, profiles would be walked through again for each row.
 * So they are combined like the digits of a binary number: two of a level
 * make one of the next, and each breakpoint takes part in log(rows) walks.
 */
#define POINTWISE_LEVELS	48

typedef struct PointwiseState
{
	int			scale;			/* largest of any row */
	int64		magnitude;		/* largest value of any row, at that scale */
	struct varlena *level[POINTWISE_LEVELS];
} PointwiseState;

/*
 * Values that do not go together are an error even if the result has only one
 * of them, or else it would depend on the order of rows.
 */
static void
pointwise_align(PointwiseState *state, int64 magnitude, int scale)
{
	if (!decimal_rescale(state->magnitude, state->scale, Max(state->scale, scale),
						 &state->magnitude) ||
		!decimal_rescale(magnitude, scale, Max(state->scale, scale), &magnitude))
		decimal_overflow();
	state->scale = Max(state->scale, scale);
	state->magnitude = Max(state->magnitude, magnitude);
}

static struct varlena *
pointwise_pair(PGFunction operation, struct varlena *a, struct varlena *b)
{
	return (struct varlena *) DatumGetPointer(DirectFunctionCall2(operation,
																  PointerGetDatum(a),
																  PointerGetDatum(b)));
}

/* Take in a profile that is in memory of the aggregate. */
static void
pointwise_add(PointwiseState *state, PGFunction operation, struct varlena *profile)
{
	int			level = 0;

	for (; level < POINTWISE_LEVELS - 1 && state->level[level] != NULL; level++)
	{
		struct varlena *pair = pointwise_pair(operation, state->level[level], profile);

		pfree(state->level[level]);
		pfree(profile);
		state->level[level] = NULL;
		profile = pair;
	}
	Assert(state->level[level] == NULL);
	state->level[level] = profile;
}

/* All of it, without changing it. */
static struct varlena *
pointwise_result(const PointwiseState *state, PGFunction operation)
{
	struct varlena *result = NULL;

	for (int level = 0; level < POINTWISE_LEVELS; level++)
	{
		if (state->level[level] != NULL)
			result = result == NULL ? state->level[level] :
				pointwise_pair(operation, result, state->level[level]);
	}
	return result;
}

static Datum
pointwise_transition(FunctionCallInfo fcinfo, PGFunction operation)
{
	MemoryContext context = aggregate_context(fcinfo);
	PointwiseState *state = PG_GETARG_STATE(0, PointwiseState);

	if (!PG_ARGISNULL(1))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		struct varlena *profile = PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1));
		ProfileReader reader;
		int64		magnitude = 0;

		if (state == NULL)
			state = palloc0(sizeof(PointwiseState));
		profile_read(PointerGetDatum(profile), &reader);
		for (int i = 0; i < reader.n; i++)
		{
			int64		value = profile_value(&reader, i);

			magnitude = Max(magnitude, value < 0 ? -value : value);
		}
		pointwise_align(state, magnitude, reader.scale);
		pointwise_add(state, operation, profile);
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_STATE(state);
}

static Datum
pointwise_combine(FunctionCallInfo fcinfo, PGFunction operation)
{
	MemoryContext context = aggregate_context(fcinfo);
	PointwiseState *state = PG_GETARG_STATE(0, PointwiseState);
	PointwiseState *other = PG_GETARG_STATE(1, PointwiseState);

	if (other != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		if (state == NULL)
			state = palloc0(sizeof(PointwiseState));
		pointwise_align(state, other->magnitude, other->scale);
		pointwise_add(state, operation,
					  PG_DETOAST_DATUM_COPY(PointerGetDatum(pointwise_result(other, operation))));
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_STATE(state);
}

static Datum
pointwise_final(FunctionCallInfo fcinfo, PGFunction operation)
{
	PointwiseState *state = PG_GETARG_STATE(0, PointwiseState);

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();

	/* a copy: the result may outlive the state */
	PG_RETURN_POINTER(PG_DETOAST_DATUM_COPY(PointerGetDatum(pointwise_result(state, operation))));
}

/* a state travels as the profile that it amounts to, in its binary form */
static Datum
pointwise_serialize(FunctionCallInfo fcinfo, PGFunction operation)
{
	PointwiseState *state = (PointwiseState *) PG_GETARG_POINTER(0);
	StringInfoData buf;
	bytea	   *profile;

	aggregate_context(fcinfo);
	profile = DatumGetByteaPP(DirectFunctionCall1(profile_send,
												  PointerGetDatum(pointwise_result(state, operation))));
	state_send(&buf, state->scale);
	pq_sendint64(&buf, state->magnitude);
	pq_sendbytes(&buf, VARDATA_ANY(profile), VARSIZE_ANY_EXHDR(profile));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(pointwise_deserialize);
Datum
pointwise_deserialize(PG_FUNCTION_ARGS)
{
	PointwiseState *state = palloc0(sizeof(PointwiseState));
	StringInfoData buf;

	aggregate_context(fcinfo);
	state->scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	state->magnitude = pq_getmsgint64(&buf);
	state->level[0] = (struct varlena *) DatumGetPointer(DirectFunctionCall1(profile_recv,
																			 PointerGetDatum(&buf)));
	PG_RETURN_POINTER(state);
}

#define POINTWISE_AGGREGATE(name, operation) \
PG_FUNCTION_INFO_V1(name##_transition); \
Datum name##_transition(PG_FUNCTION_ARGS) \
{ \
	return pointwise_transition(fcinfo, operation); \
} \
PG_FUNCTION_INFO_V1(name##_combine); \
Datum name##_combine(PG_FUNCTION_ARGS) \
{ \
	return pointwise_combine(fcinfo, operation); \
} \
PG_FUNCTION_INFO_V1(name##_serialize); \
Datum name##_serialize(PG_FUNCTION_ARGS) \
{ \
	return pointwise_serialize(fcinfo, operation); \
} \
PG_FUNCTION_INFO_V1(name##_final); \
Datum name##_final(PG_FUNCTION_ARGS) \
{ \
	return pointwise_final(fcinfo, operation); \
}

POINTWISE_AGGREGATE(max_profile, profile_pointwise_max)
POINTWISE_AGGREGATE(min_profile, profile_pointwise_min)
