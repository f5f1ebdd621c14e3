/*
 * profile_agg.c
 *		Aggregates over quantities in time.
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
 * unit_hours(period, quantity, during) and utilization(period, quantity,
 * capacity, during) need no order of time, only a sum.
 *
 * All states are sums of integers at the largest scale seen, so the answer
 * does not depend on the order of rows or on who summed them.
 */
#include "postgres.h"

#include "compat.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

typedef struct LoadEvent
{
	TimestampTz at;
	int64		change;
} LoadEvent;

typedef struct LoadState
{
	MemoryContext context;
	int			scale;
	TimestampTz base;			/* packed instants count from here */
	int64		npacked;
	int64		packed_size;
	int64	   *packed;
	int64		nwide;
	int64		wide_size;
	LoadEvent  *wide;
} LoadState;

/* version of the serialized states, which may travel between servers */
#define STATE_VERSION		1

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

/*
 * The memory context of the aggregate; an error if called as a plain function.
 */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate support function called in non-aggregate context");
	return context;
}

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

static LoadState *
load_new(MemoryContext context)
{
	LoadState  *state = MemoryContextAllocZero(context, sizeof(LoadState));

	state->context = context;
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

/*
 * Sort the events of a state and make one of those at the same instant.
 */
static void
load_compact(LoadState *state)
{
	int64		n = state->npacked + state->nwide;
	LoadEvent  *events = load_sort(load_events(state, 0), n);

	load_replace(state, events, coalesce_events(events, n));
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
	if (change == 0)
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

PG_FUNCTION_INFO_V1(load_profile_transition);
Datum
load_profile_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_ARGISNULL(0) ? NULL : (LoadState *) PG_GETARG_POINTER(0);
	Span		span;
	Decimal		quantity;
	int64		change;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	span = span_arg(PG_GETARG_DATUM(1));
	quantity = decimal_arg(PG_GETARG_DATUM(2), "quantity");
	if (state == NULL)
		state = load_new(context);
	if (!SPAN_IS_EMPTY(span))
	{
		change = load_align(state, quantity.mantissa, quantity.scale);
		load_event(state, span.from, change);
		if (span.until != DT_NOEND)
			load_event(state, span.until, -change);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(sum_profile_transition);
Datum
sum_profile_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	LoadState  *state = PG_ARGISNULL(0) ? NULL : (LoadState *) PG_GETARG_POINTER(0);
	ProfileReader reader;
	int64		previous = 0;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	profile_read(PG_GETARG_DATUM(1), &reader);
	if (state == NULL)
		state = load_new(context);
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
	LoadState  *state = PG_ARGISNULL(0) ? NULL : (LoadState *) PG_GETARG_POINTER(0);
	LoadState  *other = PG_ARGISNULL(1) ? NULL : (LoadState *) PG_GETARG_POINTER(1);
	int64		n;
	LoadEvent  *events;
	LoadEvent  *other_events;

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = load_new(context);
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
	load_replace(state, events, coalesce_events(events, n));
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
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STATE_VERSION);
	pq_sendbyte(&buf, state->scale);
	pq_sendint64(&buf, state->base);
	pq_sendint64(&buf, state->npacked);
	pq_sendint64(&buf, state->nwide);
	pq_sendbytes(&buf, (const char *) state->packed, state->npacked * sizeof(int64));
	if (state->nwide > 0)
		pq_sendbytes(&buf, (const char *) state->wide, state->nwide * sizeof(LoadEvent));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Start to read a serialized state: its version and scale.
 */
static int
state_receive(StringInfo buf, bytea *serialized)
{
	int			scale;

	/* read in place: a view of the bytes, not a copy */
	buf->data = VARDATA_ANY(serialized);
	buf->len = VARSIZE_ANY_EXHDR(serialized);
	buf->maxlen = buf->len;
	buf->cursor = 0;
	if (pq_getmsgbyte(buf) != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version of aggregate state")));
	scale = pq_getmsgbyte(buf);
	if (scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid scale %d in aggregate state", scale)));
	return scale;
}

PG_FUNCTION_INFO_V1(load_profile_deserialize);
Datum
load_profile_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	LoadState  *state;
	int64		left;

	aggregate_context(fcinfo);

	/* in the caller's short-lived context: combine copies what it keeps */
	state = load_new(CurrentMemoryContext);
	state->scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
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

PG_FUNCTION_INFO_V1(load_profile_final);
Datum
load_profile_final(PG_FUNCTION_ARGS)
{
	LoadState  *state = PG_ARGISNULL(0) ? NULL : (LoadState *) PG_GETARG_POINTER(0);
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
 * unit_hours and utilization.
 */
typedef struct UnitTimeState
{
	int128		sum;			/* quantity's mantissa times microseconds */
	int			scale;

	/* the arguments of utilization that must be the same in every row */
	Decimal		capacity;
	Span		during;
} UnitTimeState;

static UnitTimeState *
unit_time_new(MemoryContext context)
{
	return MemoryContextAllocZero(context, sizeof(UnitTimeState));
}

static void
unit_time_rescale(UnitTimeState *state, int scale)
{
	if (!decimal128_rescale(&state->sum, state->scale, scale))
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

	/* an int64 times the length of a span always fits */
	product = (int128) mantissa * ((uint64) overlap.until - (uint64) overlap.from);
	if (unlikely(quantity.scale != state->scale))
	{
		if (quantity.scale > state->scale)
			unit_time_rescale(state, quantity.scale);
		else if (!decimal128_rescale(&product, quantity.scale, state->scale))
			decimal_overflow();
	}
	if (unlikely(__builtin_add_overflow(state->sum, product, &state->sum)))
		decimal_overflow();
}

PG_FUNCTION_INFO_V1(unit_hours_transition);
Datum
unit_hours_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_ARGISNULL(0) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		if (state == NULL)
			state = unit_time_new(context);
		unit_time_add(state,
					  span_arg(PG_GETARG_DATUM(1)),
					  decimal_arg(PG_GETARG_DATUM(2), "quantity"),
					  span_arg(PG_GETARG_DATUM(3)));
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
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

PG_FUNCTION_INFO_V1(utilization_transition);
Datum
utilization_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnitTimeState *state = PG_ARGISNULL(0) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(0);
	Decimal		capacity;
	Span		during;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	capacity = decimal_arg(PG_GETARG_DATUM(3), "capacity");
	during = span_arg(PG_GETARG_DATUM(4));
	if (state == NULL)
	{
		if (capacity.mantissa < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("capacity must not be negative")));
		if (during.from == DT_NOBEGIN || during.until == DT_NOEND)
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
	UnitTimeState *state = PG_ARGISNULL(0) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(0);
	UnitTimeState *other = PG_ARGISNULL(1) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = unit_time_new(context);
		*state = *other;
		PG_RETURN_POINTER(state);
	}
	utilization_check(state, other->capacity, other->during);
	if (other->scale > state->scale)
		unit_time_rescale(state, other->scale);
	else if (other->scale < state->scale)
		unit_time_rescale(other, state->scale);
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
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STATE_VERSION);
	pq_sendbyte(&buf, state->scale);
	pq_sendint64(&buf, (int64) (state->sum >> 64));
	pq_sendint64(&buf, (int64) (uint64) state->sum);
	pq_sendbyte(&buf, state->capacity.scale);
	pq_sendint64(&buf, state->capacity.mantissa);
	pq_sendint64(&buf, state->during.from);
	pq_sendint64(&buf, state->during.until);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(unit_time_deserialize);
Datum
unit_time_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	UnitTimeState *state;
	int64		high;

	aggregate_context(fcinfo);
	state = unit_time_new(CurrentMemoryContext);
	state->scale = state_receive(&buf, PG_GETARG_BYTEA_PP(0));
	high = pq_getmsgint64(&buf);
	state->sum = (int128) ((uint128) high << 64 | (uint64) pq_getmsgint64(&buf));
	state->capacity.scale = pq_getmsgbyte(&buf);
	state->capacity.mantissa = pq_getmsgint64(&buf);
	state->during.from = pq_getmsgint64(&buf);
	state->during.until = pq_getmsgint64(&buf);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(unit_hours_final);
Datum
unit_hours_final(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_ARGISNULL(0) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(0);

	aggregate_context(fcinfo);
	if (state == NULL)
		PG_RETURN_NULL();
	return unit_time_ratio(state->sum, state->scale, USECS_PER_HOUR);
}

PG_FUNCTION_INFO_V1(utilization_final);
Datum
utilization_final(PG_FUNCTION_ARGS)
{
	UnitTimeState *state = PG_ARGISNULL(0) ? NULL : (UnitTimeState *) PG_GETARG_POINTER(0);
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
