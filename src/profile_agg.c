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
 * 46 bits for the microseconds from the state's first instant (a year either
 * way), 18 for the change.  What does not fit is kept wide, at 16 bytes.
 * When a large array is full, its events are sorted and those of one instant
 * made one, so that a state is bounded by its distinct instants; so they are
 * before they go to another process, which thus receives sorted runs.
 *
 * gauge_profile(at, value) keeps its samples in the same way: an event's
 * change is the value itself.
 *
 * States are sums of integers at the largest scale seen, so the answer does
 * not depend on the order of rows or on who summed them.
 *
 * max(profile) and min(profile) are at the end.
 */
#include "postgres.h"

#include "compat.h"
#include "aggregate.h"
#include "miscadmin.h"
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

#define LOAD_FIRST_SIZE		32

/* below this many events growing is cheaper than compacting */
#define LOAD_COMPACT_SIZE	65536

/* below this many events a comparison sort is faster than a radix sort */
#define RADIX_SORT_MIN		256
#define RADIX_BITS			11
#define RADIX_SIZE			(1 << RADIX_BITS)
#define RADIX_PASSES		((64 + RADIX_BITS - 1) / RADIX_BITS)

/* up to so many sorted runs are merged instead */
#define MERGE_RUNS			8

#define ST_SORT sort_few_events
#define ST_ELEMENT_TYPE LoadEvent
#define ST_COMPARE(a, b) ((a)->at < (b)->at ? -1 : (a)->at > (b)->at)
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

static LoadEvent *
allocate_events(int64 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(LoadEvent));
}

/*
 * Merge neighbouring sorted runs, two by two, until one is left; "starts" has
 * their first positions and n.  Returns the array that holds the result.
 */
static LoadEvent *
merge_runs(LoadEvent *events, LoadEvent *scratch, int64 *starts, int nruns)
{
	while (nruns > 1)
	{
		LoadEvent  *swap = events;
		int			merged = 0;

		for (int run = 0; run < nruns; run += 2)
		{
			int64		left = starts[run];
			int64		left_end = starts[run + 1];
			int64		right = left_end;
			int64		right_end = run + 1 < nruns ? starts[run + 2] : left_end;
			LoadEvent  *to = scratch + left;

			CHECK_FOR_INTERRUPTS();
			while (left < left_end && right < right_end)
				*to++ = events[events[right].at < events[left].at ? right++ : left++];
			memcpy(to, events + left, (left_end - left) * sizeof(LoadEvent));
			to += left_end - left;
			memcpy(to, events + right, (right_end - right) * sizeof(LoadEvent));
			starts[merged++] = starts[run];
			starts[merged] = right_end;
		}
		nruns = merged;
		events = scratch;
		scratch = swap;
	}
	return events;
}

/*
 * Sort by the distance from the earliest event, least significant digit
 * first: instants within a year need 5 passes, whatever their order.
 * Returns the array that holds the result.
 */
static LoadEvent *
radix_sort_events(LoadEvent *events, LoadEvent *scratch, int64 n,
				  TimestampTz earliest, TimestampTz latest)
{
	uint64		range = (uint64) latest - (uint64) earliest;
	int			passes = 0;
	uint32	  (*count)[RADIX_SIZE];

	while (passes < RADIX_PASSES && range >> (passes * RADIX_BITS) != 0)
		passes++;
	count = palloc0(passes * sizeof(*count));
	for (int64 i = 0; i < n; i++)
	{
		uint64		key = (uint64) events[i].at - (uint64) earliest;

		for (int pass = 0; pass < passes; pass++, key >>= RADIX_BITS)
			count[pass][key & (RADIX_SIZE - 1)]++;
	}
	for (int pass = 0; pass < passes; pass++)
	{
		int			shift = pass * RADIX_BITS;
		uint32		position = 0;
		LoadEvent  *swap = events;

		CHECK_FOR_INTERRUPTS();
		for (int digit = 0; digit < RADIX_SIZE; digit++)
		{
			uint32		here = count[pass][digit];

			count[pass][digit] = position;
			position += here;
		}
		for (int64 i = 0; i < n; i++)
		{
			uint64		key = (uint64) events[i].at - (uint64) earliest;

			scratch[count[pass][(key >> shift) & (RADIX_SIZE - 1)]++] = events[i];
		}
		events = scratch;
		scratch = swap;
	}
	pfree(count);
	return events;
}

/*
 * Sort events by instant.  Returns the array that holds the result, "events"
 * or "scratch".
 */
static LoadEvent *
sort_events(LoadEvent *events, LoadEvent *scratch, int64 n)
{
	TimestampTz earliest = n > 0 ? events[0].at : 0;
	TimestampTz latest = earliest;
	int64		starts[MERGE_RUNS + 1] = {0};
	int			nruns = 1;

	for (int64 i = 1; i < n; i++)
	{
		if (events[i - 1].at > events[i].at)
		{
			if (nruns < MERGE_RUNS)
				starts[nruns] = i;
			nruns++;
		}
		earliest = Min(earliest, events[i].at);
		latest = Max(latest, events[i].at);
	}
	if (nruns == 1)
		return events;
	if (nruns <= MERGE_RUNS)
	{
		starts[nruns] = n;
		return merge_runs(events, scratch, starts, nruns);
	}
	if (n < RADIX_SORT_MIN || n > PG_UINT32_MAX)
	{
		sort_few_events(events, n);
		return events;
	}
	return radix_sort_events(events, scratch, n, earliest, latest);
}

/*
 * Make one event of those at the same instant, in place; returns how many are
 * left.  Where the sum would not fit, events stay apart: later ones may bring
 * it back, and the answer must not depend on when we compact.
 */
static int64
coalesce_events(LoadEvent *events, int64 n)
{
	int64		kept = 0;

	for (int64 i = 0; i < n; i++)
	{
		int64		sum;

		if (kept > 0 && events[kept - 1].at == events[i].at &&
			!pg_add_s64_overflow(events[kept - 1].change, events[i].change, &sum) &&
			sum != PG_INT64_MIN)
			events[kept - 1].change = sum;
		else
		{
			/* the instant before is complete; it may have come to nothing */
			if (kept > 0 && events[kept - 1].change == 0)
				kept--;
			events[kept++] = events[i];
		}
	}
	if (kept > 0 && events[kept - 1].change == 0)
		kept--;
	return kept;
}

/*
 * The same for samples: at one instant there can be one value only.
 */
static int64
coalesce_samples(LoadEvent *events, int64 n)
{
	int64		kept = 0;

	for (int64 i = 0; i < n; i++)
	{
		if (kept == 0 || events[kept - 1].at != events[i].at)
			events[kept++] = events[i];
		else if (events[kept - 1].change != events[i].change)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("gauge has two values at %s", timestamptz_to_str(events[i].at)),
					 errhint("Decide for one, for example with SELECT DISTINCT ON.")));
	}
	return kept;
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
	/* unsigned: the whole range of timestamps is wider than an int64 */
	return (uint64) at - (uint64) base + DISTANCE_BIAS < 2 * DISTANCE_BIAS &&
		change > -CHANGE_BIAS && change < CHANGE_BIAS;
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
 * The events of a state as they are, with free space for more behind them.
 */
static LoadEvent *
load_events(const LoadState *state, int64 more)
{
	int64		n = state->npacked + state->nwide;
	LoadEvent  *events = allocate_events(n + more);

	for (int64 i = 0; i < state->npacked; i++)
		events[i] = unpack_event(state->base, state->packed[i]);
	if (state->nwide > 0)
		memcpy(events + state->npacked, state->wide, state->nwide * sizeof(LoadEvent));
	return events;
}

/*
 * Sort n events in memory of their own, which is freed or returned.
 */
static LoadEvent *
load_sort(LoadEvent *events, int64 n)
{
	LoadEvent  *scratch = allocate_events(n);
	LoadEvent  *sorted = sort_events(events, scratch, n);

	pfree(sorted == events ? scratch : events);
	return sorted;
}

/*
 * Make a state hold these events, which are freed.  They come in order when
 * this matters: the base is put in their middle, where most can be packed.
 */
static void
load_replace(LoadState *state, LoadEvent *events, int64 n)
{
	int64		npacked = 0;

	state->base = n > 0 ? events[n / 2].at : 0;
	for (int64 i = 0; i < n; i++)
		npacked += can_pack(state->base, events[i].at, events[i].change);
	if (npacked > state->packed_size)
		resize_packed(state, npacked);
	if (n - npacked > state->wide_size)
		resize_wide(state, n - npacked);

	state->npacked = 0;
	state->nwide = 0;
	for (int64 i = 0; i < n; i++)
	{
		if (can_pack(state->base, events[i].at, events[i].change))
			state->packed[state->npacked++] =
				pack_event(state->base, events[i].at, events[i].change);
		else
			state->wide[state->nwide++] = events[i];
	}
	pfree(events);
}

static int64
load_coalesce(const LoadState *state, LoadEvent *events, int64 n)
{
	return state->gauge ? coalesce_samples(events, n) : coalesce_events(events, n);
}

/*
 * Sort the events of a state and make one of those at the same instant.
 */
static void
load_compact(LoadState *state)
{
	int64		n = state->npacked + state->nwide;
	LoadEvent  *events = load_sort(load_events(state, 0), n);

	load_replace(state, events, load_coalesce(state, events, n));
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
	if (unlikely(state->npacked == 0 && state->nwide == 0))
		state->base = at;
	for (;;)
	{
		if (likely(can_pack(state->base, at, change)))
		{
			if (likely(state->npacked < state->packed_size))
			{
				state->packed[state->npacked++] = pack_event(state->base, at, change);
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
	LoadEvent  *events = load_events(state, 0);

	for (int64 i = 0; i < n; i++)
	{
		if (!decimal_rescale(events[i].change, state->scale, scale, &events[i].change))
			decimal_overflow();
	}
	load_replace(state, events, n);
	state->scale = scale;
}

/* Bring a quantity and the state to the same scale. */
static inline int64
load_align(LoadState *state, int64 mantissa, int scale)
{
	if (likely(scale == state->scale))
		return mantissa;
	if (scale > state->scale)
		load_rescale(state, scale);
	else if (!decimal_rescale(mantissa, scale, state->scale, &mantissa))
		decimal_overflow();
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
	ProfileReader reader;
	int64		previous = 0;

	if (PG_ARGISNULL(1))
		PG_RETURN_STATE(state);
	profile_read(PG_GETARG_DATUM(1), &reader);
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
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(load_profile_combine);
Datum
load_profile_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	LoadState  *other = PG_GETARG_STATE(1, LoadState);
	int64		n;
	LoadEvent  *events;
	LoadEvent  *other_events;

	if (other == NULL)
		PG_RETURN_STATE(state);
	if (state == NULL)
	{
		state = load_new(context, other->gauge);
		state->scale = other->scale;
	}
	else if (other->scale > state->scale)
		load_rescale(state, other->scale);
	else if (other->scale < state->scale)
		load_rescale(other, state->scale);

	/* sorted runs from the workers: merging them now is cheaper than later */
	n = other->npacked + other->nwide;
	events = load_events(state, n);
	other_events = load_events(other, 0);
	memcpy(events + state->npacked + state->nwide, other_events, n * sizeof(LoadEvent));
	pfree(other_events);
	n += state->npacked + state->nwide;
	events = load_sort(events, n);
	load_replace(state, events, load_coalesce(state, events, n));
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
	state = load_new(CurrentMemoryContext, pq_getmsgbyte(&buf) != 0);
	state->scale = scale;
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
	resize_packed(state, Max(state->npacked, 1));
	resize_wide(state, Max(state->nwide, 1));
	pq_copymsgbytes(&buf, (char *) state->packed, state->npacked * sizeof(int64));
	pq_copymsgbytes(&buf, (char *) state->wide, state->nwide * sizeof(LoadEvent));
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(gauge_profile_final);
Datum
gauge_profile_final(PG_FUNCTION_ARGS)
{
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	LoadEvent  *events;
	int64		n;
	ProfileBuilder builder;

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	n = state->npacked + state->nwide;
	events = load_sort(load_events(state, 0), n);
	n = load_coalesce(state, events, n);
	profile_builder_init(&builder, n, state->scale);
	for (int64 i = 0; i < n; i++)
		profile_append(&builder, events[i].at, events[i].change);
	pfree(events);
	PG_RETURN_PROFILE(&builder);
}

PG_FUNCTION_INFO_V1(load_profile_final);
Datum
load_profile_final(PG_FUNCTION_ARGS)
{
	LoadState  *state = PG_GETARG_STATE(0, LoadState);
	LoadEvent  *events;
	int64		n;
	ProfileBuilder builder;
	int128		sum = 0;

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	n = state->npacked + state->nwide;
	events = load_sort(load_events(state, 0), n);

	profile_builder_init(&builder, n, state->scale);
	for (int64 i = 0; i < n; i++)
	{
		sum += events[i].change;
		if (i + 1 < n && events[i + 1].at == events[i].at)
			continue;
		if (unlikely(sum > PG_INT64_MAX || sum <= PG_INT64_MIN))
			decimal_overflow();
		profile_append(&builder, events[i].at, (int64) sum);
	}
	pfree(events);
	PG_RETURN_PROFILE(&builder);
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
	struct varlena *level[POINTWISE_LEVELS];
} PointwiseState;

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

		if (state == NULL)
			state = palloc0(sizeof(PointwiseState));
		pointwise_add(state, operation, PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1)));
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
	aggregate_context(fcinfo);
	return DirectFunctionCall1(profile_send,
							   PointerGetDatum(pointwise_result((PointwiseState *) PG_GETARG_POINTER(0),
																operation)));
}

PG_FUNCTION_INFO_V1(pointwise_deserialize);
Datum
pointwise_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *serialized = PG_GETARG_BYTEA_PP(0);
	PointwiseState *state = palloc0(sizeof(PointwiseState));
	StringInfoData buf;

	aggregate_context(fcinfo);
	buf.data = VARDATA_ANY(serialized);
	buf.len = buf.maxlen = VARSIZE_ANY_EXHDR(serialized);
	buf.cursor = 0;
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
