/*
 * availability.c
 *		What is free: availability() of a pool, and find_slots() among many.
 *
 * Both read the calendar and take no locks.  Usually the pages of the pool say
 * it all; where it has a parent, holds that have expired, or a consumer with
 * quotas, a query of the whole tree does.
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/xact.h"
#include "calendar.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/pairingheap.h"
#include "miscadmin.h"
#include "query.h"
#include "table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

/* $5 is a profile, whose type is known when it is called */
static SavedQuery availability_in_tree = {
	.sql = "SELECT sharecollab.availability_in_tree($1, $2, $3, $4, $5)",
	.nparams = 5, .types = {TEXTOID, TSTZRANGEOID, TEXTOID, INT8ARRAYOID}
};

static SavedQuery slots_in_tree = {
	.sql = "SELECT sharecollab.availability_in_tree($1, $2, $3, NULL, '{}')",
	.nparams = 3, .types = {TEXTOID, TSTZRANGEOID, TEXTOID}
};

/* holds that were not confirmed in time */
static void
expired_hold_keys(ScanKey keys, int64 pool_id)
{
	key_int8(keys, 1, pool_id);
	ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

bool
has_expired_hold(int64 pool_id, Snapshot snapshot)
{
	ScanKeyData keys[2];
	TableRow	row;
	bool		result;

	expired_hold_keys(keys, pool_id);
	row_open(&row, "lease", "lease_pool_id_held_until_idx", snapshot, keys, 2);
	result = row_next(&row);
	row_close(&row);
	return result;
}

/* Is there a quota of a party in a pool? */
static bool
has_quota(int64 pool_id, int64 party_id, Snapshot snapshot)
{
	ScanKeyData keys[2];
	TableRow	row;
	bool		result;

	key_int8(keys, 1, party_id);
	key_int8(keys, 2, pool_id);
	row_open(&row, "quota", "quota_party_id_pool_id_idx", snapshot, keys, 2);
	result = row_next(&row);
	row_close(&row);
	return result;
}

/*
 * What a consumer has left of a quota is its own affair, and the pool's.
 */
static int64
require_consumer(int64 pool_id, text *consumer, Snapshot snapshot)
{
	return pool_roles(pool_id) & POOL_OVERSEER ?
		id_of_name("party", consumer, snapshot) : acting_party(consumer, snapshot);
}

/*
 * availability(pool, during, consumer, without, additional)
 */
PG_FUNCTION_INFO_V1(availability);
Datum
availability(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TableRow	row;
	int64		id;
	int64		consumer_id = 0;
	bool		isnull;
	Datum		result;
	Datum		values[5];
	char		nulls[5];
	Oid			profile;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(4) || SPAN_IS_EMPTY(span_arg(PG_GETARG_DATUM(1))))
		PG_RETURN_NULL();
	find_by_name(&row, "pool", PG_GETARG_TEXT_PP(0), snapshot);
	id = DatumGetInt64(row_column(&row, "pool_id", &isnull));
	row_column(&row, "parent_id", &isnull);
	row_close(&row);
	if (!PG_ARGISNULL(2))
		consumer_id = require_consumer(id, PG_GETARG_TEXT_PP(2), snapshot);
	if (isnull && PG_ARGISNULL(3) && is_zero(PG_GETARG_DATUM(4)) && !has_expired_hold(id, snapshot) &&
		(PG_ARGISNULL(2) || !has_quota(id, consumer_id, snapshot)))
		return calendar_left(id, WHOLE_POOL, span_arg(PG_GETARG_DATUM(1)), true);
	SPI_connect();
	profile = get_fn_expr_rettype(fcinfo->flinfo);
	if (availability_in_tree.types[4] != profile && OidIsValid(profile))
	{
		if (availability_in_tree.plan != NULL)
			SPI_freeplan(availability_in_tree.plan);
		availability_in_tree.plan = NULL;
		availability_in_tree.types[4] = profile;
	}
	query_arguments(fcinfo, 0, 5, values, nulls);
	query_run(&availability_in_tree, values, nulls, true);
	result = SPI_datumTransfer(query_value(0, 1, NULL), false, -1);
	SPI_finish();
	return result;
}

/* ----------
 * find_slots()
 *
 * The best slots so far are in a heap, the last of them on top.  A pool is read
 * no further than where a slot may begin that comes before that one, and not at
 * all if none can.
 * ----------
 */
typedef struct Candidate
{
	Datum		name;			/* of the pool, and so on */
	Datum		currency;
	Datum		price;
	Datum		cost;			/* of a slot; 0 until it is asked for */
} Candidate;

typedef struct Slot
{
	pairingheap_node node;
	Candidate  *pool;
	TimestampTz from;
} Slot;

typedef struct Search
{
	Decimal		quantity;
	int64		duration;
	int32		count;
	bool		cheapest;
	Datum		numeric_quantity;
	Datum		seconds;
	Datum		last_price;		/* and what a slot costs at it */
	Datum		last_cost;
	pairingheap *slots;
	int32		nslots;
	MemoryContext context;		/* of what is kept */
	MemoryContext scratch;		/* of a pool */

	/* the pool that we are in */
	Candidate	pool;
	Candidate  *kept;			/* the same, once there is a slot of it */
	int64		blocked;		/* the duration and the buffer after it */
	TimestampTz from;			/* of the stretch that is free; DT_NOEND if we are in none */
	bool		found;			/* its slot */
} Search;

static Datum
cost(Search *search, Candidate *pool)
{
	if (pool->cost == 0)
	{
		if (search->last_price == 0 || !datumIsEqual(search->last_price, pool->price, false, -1))
		{
			MemoryContext old = MemoryContextSwitchTo(search->scratch);
			Datum		result = DirectFunctionCall2(numeric_mul, pool->price, search->numeric_quantity);

			result = DirectFunctionCall2(numeric_mul, result, search->seconds);
			result = DirectFunctionCall2(numeric_div, result, decimal_get_numeric(SECS_PER_HOUR, 0));
			result = DirectFunctionCall1(numeric_trim_scale, result);
			MemoryContextSwitchTo(search->context);
			search->last_price = datumCopy(pool->price, false, -1);
			search->last_cost = datumCopy(result, false, -1);
			MemoryContextSwitchTo(old);
		}
		pool->cost = search->last_cost;
	}
	return pool->cost;
}

static int
compare_costs(Search *search, Candidate *a, Candidate *b)
{
	Datum		x = cost(search, a);
	Datum		y = cost(search, b);

	return x == y ? 0 : DatumGetInt32(DirectFunctionCall2(numeric_cmp, x, y));
}

/* The order of slots: those of a pool differ in when they begin. */
static int
compare_slots(Search *search, Candidate *a, TimestampTz a_from, Candidate *b, TimestampTz b_from)
{
	int			order = search->cheapest ? compare_costs(search, a, b) : 0;

	if (order == 0)
		order = a_from < b_from ? -1 : a_from > b_from;
	if (order == 0 && !search->cheapest)
		order = compare_costs(search, a, b);
	if (order == 0)
		order = varstr_cmp(VARDATA_ANY(a->name), VARSIZE_ANY_EXHDR(a->name),
						   VARDATA_ANY(b->name), VARSIZE_ANY_EXHDR(b->name), DEFAULT_COLLATION_OID);
	return order;
}

static int
compare_in_heap(const pairingheap_node *a, const pairingheap_node *b, void *search)
{
	const Slot *x = pairingheap_const_container(Slot, node, a);
	const Slot *y = pairingheap_const_container(Slot, node, b);

	return compare_slots(search, x->pool, x->from, y->pool, y->from);
}

/* Would a slot of this pool that begins then be among those asked for? */
static inline bool
is_wanted(Search *search, TimestampTz from)
{
	Slot	   *last;

	if (search->nslots < search->count)
		return true;
	last = pairingheap_container(Slot, node, pairingheap_first(search->slots));
	return compare_slots(search, &search->pool, from, last->pool, last->from) < 0;
}

static void
keep_slot(Search *search)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	Slot	   *slot;

	if (search->kept == NULL)
	{
		search->kept = palloc(sizeof(Candidate));
		*search->kept = search->pool;
		search->kept->name = datumCopy(search->pool.name, false, -1);
		search->kept->currency = datumCopy(search->pool.currency, false, -1);
		cost(search, search->kept);
	}
	if (search->nslots < search->count)
	{
		slot = palloc(sizeof(Slot));
		search->nslots++;
	}
	else
		slot = pairingheap_container(Slot, node, pairingheap_remove_first(search->slots));
	slot->pool = search->kept;
	slot->from = search->from;
	pairingheap_add(search->slots, &slot->node);
	MemoryContextSwitchTo(old);
}

/*
 * So much of the pool is free during the next piece of time.  Returns whether
 * what follows may matter.
 */
static bool
look_at(Search *search, TimestampTz from, TimestampTz until, int64 value, int scale)
{
	if (decimal_cmp(value, scale, search->quantity.mantissa, search->quantity.scale) < 0)
		search->from = DT_NOEND;
	else
	{
		if (search->from == DT_NOEND)
		{
			search->from = from;
			search->found = false;
		}
		/* unsigned: the distance may not fit an int64 */
		if (!search->found &&
			(until == DT_NOEND || (uint64) until - (uint64) search->from >= (uint64) search->blocked))
		{
			TimestampTz end;

			if (pg_add_s64_overflow(search->from, search->blocked, &end) || end >= END_TIMESTAMP ||
				!is_wanted(search, search->from))
				return false;
			keep_slot(search);
			search->found = true;
		}
	}
	return is_wanted(search, search->from == DT_NOEND || search->found ? until : search->from);
}

/* The pools of some names, or all, in the order of their keys. */
static void
open_pools(TableRow *row, ArrayType *names, Snapshot snapshot)
{
	ScanKeyData key;

	if (names == NULL)
	{
		row_open(row, "pool", "pool_pkey", snapshot, NULL, 0);
		return;
	}
	key_text(&key, 1, (text *) names);
	key.sk_flags |= SK_SEARCHARRAY;
	row_open(row, "pool", "pool_name_key", snapshot, &key, 1);
}

/*
 * Expired holds of one pool after the other.  Going through all pools, we look
 * for the next one that has any.
 */
typedef struct Holds
{
	TableRow	row;
	ScanKeyData keys[2];
	bool		all_pools;
	int64		from;			/* there are none in these pools */
	int64		until;
} Holds;

static void
holds_open(Holds *holds, bool all_pools, Snapshot snapshot)
{
	expired_hold_keys(holds->keys, 0);
	if (all_pools)
		ScanKeyInit(&holds->keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, 0);
	holds->all_pools = all_pools;
	holds->from = holds->until = 0;
	row_open(&holds->row, "lease", "lease_pool_id_held_until_idx", snapshot, holds->keys, 2);
}

static bool
holds_in(Holds *holds, int64 pool_id)
{
	if (pool_id < holds->from || pool_id >= holds->until)
	{
		bool		isnull;

		holds->keys[0].sk_argument = Int64GetDatum(pool_id);
		row_again(&holds->row, holds->keys, 2);
		holds->from = pool_id;
		holds->until = row_next(&holds->row) ? DatumGetInt64(row_column(&holds->row, "pool_id", &isnull)) :
			holds->all_pools ? PG_INT64_MAX : pool_id + 1;
	}
	return pool_id >= holds->until;
}

/*
 * find_slots(pools, quantity, duration, during, count, cheapest, consumer)
 */
PG_FUNCTION_INFO_V1(availability_find_slots);
Datum
availability_find_slots(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TypeCacheEntry *range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *consumer = PG_ARGISNULL(6) ? NULL : PG_GETARG_TEXT_PP(6);
	int64		consumer_id = 0;
	bool		acts = false;	/* for the consumer */
	Search		search = {0};
	Span		span;
	TableRow	row;
	Holds		holds;
	CalendarWalk walk;
	AttrNumber	columns[6];
	static const char *const names[] = {"pool_id", "name", "price", "currency", "buffer", "parent_id"};
	Slot	  **slots;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return (Datum) 0;
	search.quantity = decimal_arg(PG_GETARG_DATUM(1), "quantity");
	search.duration = positive_length_arg(PG_GETARG_INTERVAL_P(2), "duration");
	span = span_arg(PG_GETARG_DATUM(3));
	search.count = PG_GETARG_INT32(4);
	search.cheapest = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	if (search.count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("count must not be negative")));
	if (SPAN_IS_EMPTY(span) || search.count == 0)
		return (Datum) 0;
	if (span.from == DT_NOBEGIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot look for the earliest fit in a time without a start")));
	search.numeric_quantity = PG_GETARG_DATUM(1);
	search.seconds = DirectFunctionCall2(extract_interval, CStringGetTextDatum("epoch"), PG_GETARG_DATUM(2));
	search.slots = pairingheap_allocate(compare_in_heap, &search);
	search.context = CurrentMemoryContext;
	search.scratch = AllocSetContextCreate(CurrentMemoryContext, "find_slots", ALLOCSET_SMALL_SIZES);

	holds_open(&holds, PG_ARGISNULL(0), snapshot);
	calendar_walk_open(&walk, snapshot);
	open_pools(&row, PG_ARGISNULL(0) ? NULL : PG_GETARG_ARRAYTYPE_P(0), snapshot);
	for (size_t i = 0; i < lengthof(columns); i++)
		columns[i] = column_number(row.heap, names[i]);

	while (row_next(&row))
	{
		Datum		values[lengthof(columns)];
		bool		nulls[lengthof(columns)];
		int64		pool_id;
		int64		buffer;
		Span		window = span;

		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < lengthof(columns); i++)
			values[i] = slot_getattr(row.slot, columns[i], &nulls[i]);
		pool_id = DatumGetInt64(values[0]);
		if (pool_roles(pool_id) == 0)
			continue;
		if (consumer && !acts)
		{
			consumer_id = require_consumer(pool_id, consumer, snapshot);
			acts = acts_for(consumer_id);
		}
		search.pool.name = values[1];
		search.pool.price = values[2];
		search.pool.currency = values[3];
		search.pool.cost = 0;
		search.kept = NULL;
		search.from = DT_NOEND;
		if (!is_wanted(&search, span.from))
			continue;

		/* the buffer has to be free, too, if after the time that is asked for */
		buffer = DatumGetIntervalP(values[4])->time;
		if (pg_add_s64_overflow(search.duration, buffer, &search.blocked) ||
			(span.until != DT_NOEND &&
			 (pg_add_s64_overflow(span.until, buffer, &window.until) || !IS_VALID_TIMESTAMP(window.until))))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range"),
					 errdetail("The buffer after the lease would end too late.")));

		/* does it have no parent, and so on? then its pages say it all */
		if (nulls[5] && !holds_in(&holds, pool_id) &&
			(consumer == NULL || !has_quota(pool_id, consumer_id, snapshot)))
		{
			calendar_walk_start(&walk, pool_id, WHOLE_POOL, window);
			while (calendar_walk_next(&walk) &&
				   look_at(&search, walk.from, walk.until, Max(walk.value, 0), walk.scale))
				;
		}
		else
		{
			ProfileReader left;
			Datum		arguments[3];

			/* not around the scans, which keep memory of their own */
			MemoryContextSwitchTo(search.scratch);
			arguments[0] = values[1];
			arguments[1] = span_get_range(range_type, window);
			arguments[2] = PointerGetDatum(consumer);
			SPI_connect();
			query_run(&slots_in_tree, arguments, consumer ? "   " : "  n", true);
			profile_read(SPI_datumTransfer(query_value(0, 1, NULL), false, -1), &left);
			SPI_finish();
			for (int i = profile_find(&left, window.from); window.from < window.until; i++)
			{
				TimestampTz until = Min(profile_until(&left, i), window.until);

				if (!look_at(&search, window.from, until, profile_value_from(&left, i), left.scale))
					break;
				window.from = until;
			}
			MemoryContextSwitchTo(search.context);
		}
		MemoryContextReset(search.scratch);
	}
	row_close(&row);
	calendar_walk_close(&walk);
	row_close(&holds.row);

	slots = palloc(Max(search.nslots, 1) * sizeof(Slot *));
	for (int i = search.nslots; i-- > 0;)
		slots[i] = pairingheap_container(Slot, node, pairingheap_remove_first(search.slots));
	for (int i = 0; i < search.nslots; i++)
	{
		Span		period = {slots[i]->from, slots[i]->from + search.duration};
		Datum		values[4] = {slots[i]->pool->name, span_get_range(range_type, period), slots[i]->pool->cost, slots[i]->pool->currency};
		bool		nulls[4] = {false, false, false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
