/*
 * has_lease.c
 *		Does the caller hold a lease?  For policies of other people's tables.
 *
 * A policy asks that for each row, of one pool or of the pool that the row
 * names, so what the caller holds of a pool is looked up once and kept for as
 * long as nothing of the question changes: the transaction, the snapshot, the
 * role, and what it may.  Where the name of the pool is constant, the call keeps
 * it, too, and a row costs no more than to see that all of that is the same.
 *
 * Nothing of the answer depends on what the caller may not know, and no argument
 * leads to an error: that is what makes the functions leakproof.
 */
#include "postgres.h"

#include "access.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "profile.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* what is kept is dropped when there is so much of it */
#define MAX_POOLS	10000

/* what the caller's parties hold of a pool */
typedef struct Held
{
	bool		now;			/* at the start of the transaction */
	int			nspans;
	Span	   *spans;			/* confirmed leases, in order and apart */
} Held;

typedef struct HeldPool
{
	text	   *name;			/* key */
	uint32		hash;
	char		status;
	Held		held;
} HeldPool;

static inline uint32
hash_name(const text *name)
{
	return hash_bytes((const unsigned char *) VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

static inline bool
same_name(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

#define SH_PREFIX held
#define SH_ELEMENT_TYPE HeldPool
#define SH_KEY_TYPE text *
#define SH_KEY name
#define SH_HASH_KEY(tb, key) hash_name(key)
#define SH_EQUAL(tb, a, b) same_name(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* for whom, and as of what, the pools were looked up */
static struct
{
	MemoryContext context;
	held_hash  *pools;			/* NULL: none of it is good any longer */
	HeldPool   *last;
	uint64		version;		/* another one each time that it is begun */
	Oid			role;
	uint64		access_version;
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
	CommandId	curcid;
}			cache;

/* what a call with a constant name keeps */
typedef struct Call
{
	uint64		version;		/* of the cache that it is from; 0 for none */
	bool		is_constant;
	Held		held;
} Call;

/*
 * Is what was looked up what would be looked up now?
 *
 * Within a transaction, time goes on: of those that a snapshot saw running, none
 * runs again later, so snapshots of the same bounds that saw as many saw the
 * same.  What this transaction did itself is seen by command, and is undone only
 * by the end of a subtransaction; both ends forget (below).
 */
static inline bool
is_current(void)
{
	Snapshot	snapshot = GetActiveSnapshot();

	return cache.pools != NULL && cache.access_version == access_version &&
		cache.curcid == snapshot->curcid && cache.xmax == snapshot->xmax && cache.xmin == snapshot->xmin &&
		cache.xcnt == snapshot->xcnt && cache.subxcnt == snapshot->subxcnt &&
		((cache.role == GetUserId() && cache.role == GetOuterUserId()) || cache.role == calling_role());
}

static void
forget_transaction(XactEvent event, void *arg)
{
	(void) event;
	(void) arg;
	cache.pools = NULL;
}

static void
forget_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	(void) event;
	(void) id;
	(void) parent;
	(void) arg;
	cache.pools = NULL;
}

static void
start_cache(void)
{
	Snapshot	snapshot = GetActiveSnapshot();

	if (cache.context == NULL)
	{
		cache.context = AllocSetContextCreate(TopMemoryContext, "sharecollab leases of the caller",
											  ALLOCSET_SMALL_SIZES);
		RegisterXactCallback(forget_transaction, NULL);
		RegisterSubXactCallback(forget_subtransaction, NULL);
	}
	cache.pools = NULL;
	cache.last = NULL;
	MemoryContextReset(cache.context);
	cache.version++;
	cache.role = calling_role();
	cache.access_version = access_version;
	cache.xmin = snapshot->xmin;
	cache.xmax = snapshot->xmax;
	cache.xcnt = snapshot->xcnt;
	cache.subxcnt = snapshot->subxcnt;
	cache.curcid = snapshot->curcid;
	cache.pools = held_create(cache.context, 16, NULL);
}

static int
compare_spans(const void *a, const void *b)
{
	TimestampTz x = ((const Span *) a)->from;
	TimestampTz y = ((const Span *) b)->from;

	return (x > y) - (x < y);
}

/*
 * Look up what the caller's parties hold of a pool, as spans that are in order
 * and apart.
 */
static int
find_spans(text *name, Snapshot snapshot, Span **result)
{
	int64	   *parties;
	int			nparties = acting_parties(&parties);
	TableRow	row;
	ScanKeyData key;
	bool		isnull;
	int64		pool_id;
	int			nspans = 0;
	int			allocated = 8;
	int			merged = 0;
	Span	   *spans;

	*result = NULL;
	if (nparties == 0)
		return 0;
	key_text(&key, 1, name);
	row_open(&row, "pool", "pool_name_key", snapshot, &key, 1);
	pool_id = row_next(&row) ? DatumGetInt64(row_column(&row, "pool_id", &isnull)) : 0;
	row_close(&row);
	if (pool_id == 0)
		return 0;

	spans = palloc(allocated * sizeof(Span));
	for (int i = 0; i < nparties; i++)
	{
		key_int8(&key, 1, parties[i]);
		row_open(&row, "lease", "lease_consumer_id_idx", snapshot, &key, 1);
		while (row_next(&row))
		{
			Span		span;

			CHECK_FOR_INTERRUPTS();
			if (DatumGetInt64(row_column(&row, "pool_id", &isnull)) != pool_id)
				continue;
			row_column(&row, "held_until", &isnull);
			if (!isnull)
				continue;
			span = span_arg(row_column(&row, "effective", &isnull));
			if (SPAN_IS_EMPTY(span))
				continue;
			if (nspans == allocated)
				spans = repalloc_huge(spans, (allocated *= 2) * sizeof(Span));
			spans[nspans++] = span;
		}
		row_close(&row);
	}
	qsort(spans, nspans, sizeof(Span), compare_spans);
	for (int i = 0; i < nspans; i++)
	{
		if (merged > 0 && spans[i].from <= spans[merged - 1].until)
			spans[merged - 1].until = Max(spans[merged - 1].until, spans[i].until);
		else
			spans[merged++] = spans[i];
	}
	*result = spans;
	return merged;
}

static bool
is_held_at(const Held *held, TimestampTz at)
{
	int			low = 0;
	int			high = held->nspans;

	/* the last that begins by then */
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (held->spans[middle].from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && at < held->spans[low - 1].until;
}

static Held *
held_of_pool(text *name)
{
	HeldPool   *pool;

	if (!is_current() || cache.pools->members >= MAX_POOLS)
		start_cache();
	if (cache.last != NULL && same_name(cache.last->name, name))
		return &cache.last->held;
	pool = held_lookup(cache.pools, name);
	if (pool == NULL)
	{
		Span	   *spans;
		int			nspans = find_spans(name, GetActiveSnapshot(), &spans);
		text	   *key = MemoryContextAlloc(cache.context, VARSIZE_ANY(name));
		bool		found;

		/* what was looked up may have made rights be looked up anew */
		cache.access_version = access_version;
		memcpy(key, name, VARSIZE_ANY(name));
		pool = held_insert(cache.pools, key, &found);
		pool->held.nspans = nspans;
		pool->held.spans = NULL;
		if (nspans > 0)
		{
			pool->held.spans = MemoryContextAllocHuge(cache.context, nspans * sizeof(Span));
			memcpy(pool->held.spans, spans, nspans * sizeof(Span));
		}
		pool->held.now = is_held_at(&pool->held, GetCurrentTransactionStartTimestamp());
	}
	cache.last = pool;
	return &pool->held;
}

static pg_noinline Held *
look_up(FunctionCallInfo fcinfo)
{
	Call	   *call = fcinfo->flinfo->fn_extra;
	Held	   *held = held_of_pool(PG_GETARG_TEXT_PP(0));

	if (call == NULL)
	{
		call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Call));
		call->is_constant = get_fn_expr_arg_stable(fcinfo->flinfo, 0);
		fcinfo->flinfo->fn_extra = call;
	}
	if (call->is_constant)
	{
		call->version = cache.version;
		call->held = *held;
	}
	return held;
}

static inline Held *
held_of_call(FunctionCallInfo fcinfo)
{
	Call	   *call = fcinfo->flinfo->fn_extra;

	if (likely(call != NULL && call->version == cache.version && is_current()))
		return &call->held;
	return look_up(fcinfo);
}

PG_FUNCTION_INFO_V1(has_lease);
Datum
has_lease(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(held_of_call(fcinfo)->now);
}

PG_FUNCTION_INFO_V1(has_lease_at);
Datum
has_lease_at(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_held_at(held_of_call(fcinfo), PG_GETARG_TIMESTAMPTZ(1)));
}
