/*
 * has_lease.c
 *		Does the caller hold a lease?  For policies of other people's tables.
 *
 * A policy asks that for each row, of one pool or of the pool that the row
 * names, so what the caller holds of a pool is looked up once and kept for as
 * long as the same snapshot is looked through.  Nothing of the answer depends
 * on what the caller may not know, and no argument leads to an error: that is
 * what makes the functions leakproof.
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

typedef struct HeldPool
{
	text	   *name;			/* key */
	uint32		hash;
	char		status;
	int			nspans;
	Span	   *spans;			/* confirmed leases of the caller's parties */
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
	held_hash  *pools;
	HeldPool   *last;
	Oid			role;
	uint64		access_version;
	SubTransactionId subtransaction;
	SnapshotData snapshot;
}			cache;

/* Do two snapshots see the same, within a subtransaction? */
static inline bool
same_snapshot(const SnapshotData *a, Snapshot b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->curcid == b->curcid &&
		a->xcnt == b->xcnt && a->subxcnt == b->subxcnt && a->suboverflowed == b->suboverflowed &&
		a->takenDuringRecovery == b->takenDuringRecovery &&
		(a->xcnt == 0 || memcmp(a->xip, b->xip, a->xcnt * sizeof(TransactionId)) == 0) &&
		(a->subxcnt <= 0 || memcmp(a->subxip, b->subxip, a->subxcnt * sizeof(TransactionId)) == 0);
}

static TransactionId *
copy_ids(const TransactionId *ids, int32 n)
{
	TransactionId *result;

	if (n <= 0)
		return NULL;
	result = MemoryContextAlloc(cache.context, n * sizeof(TransactionId));
	memcpy(result, ids, n * sizeof(TransactionId));
	return result;
}

static void
start_cache(Oid role, Snapshot snapshot)
{
	if (cache.context == NULL)
		cache.context = AllocSetContextCreate(TopMemoryContext, "sharecollab leases of the caller",
											  ALLOCSET_SMALL_SIZES);
	cache.pools = NULL;
	cache.last = NULL;
	MemoryContextReset(cache.context);
	cache.role = role;
	cache.access_version = access_version;
	cache.subtransaction = GetCurrentSubTransactionId();
	cache.snapshot = *snapshot;
	cache.snapshot.xip = copy_ids(snapshot->xip, snapshot->xcnt);
	cache.snapshot.subxip = copy_ids(snapshot->subxip, snapshot->subxcnt);
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

static HeldPool *
held_pool(text *name)
{
	Oid			role = calling_role();
	Snapshot	snapshot = GetActiveSnapshot();
	HeldPool   *pool;
	bool		found;
	Span	   *spans;
	int			nspans;
	text	   *key;

	if (cache.pools == NULL || cache.role != role || cache.access_version != access_version ||
		cache.subtransaction != GetCurrentSubTransactionId() || !same_snapshot(&cache.snapshot, snapshot) ||
		cache.pools->members >= MAX_POOLS)
		start_cache(role, snapshot);
	if (cache.last != NULL && same_name(cache.last->name, name))
		return cache.last;
	pool = held_lookup(cache.pools, name);
	if (pool == NULL)
	{
		nspans = find_spans(name, snapshot, &spans);
		/* what was looked up may have made rights be looked up anew */
		cache.access_version = access_version;
		key = MemoryContextAlloc(cache.context, VARSIZE_ANY(name));
		memcpy(key, name, VARSIZE_ANY(name));
		pool = held_insert(cache.pools, key, &found);
		pool->nspans = nspans;
		pool->spans = NULL;
		if (nspans > 0)
		{
			pool->spans = MemoryContextAllocHuge(cache.context, nspans * sizeof(Span));
			memcpy(pool->spans, spans, nspans * sizeof(Span));
		}
	}
	cache.last = pool;
	return pool;
}

/* has_lease(pool) and has_lease(pool, at) */
PG_FUNCTION_INFO_V1(has_lease);
Datum
has_lease(PG_FUNCTION_ARGS)
{
	HeldPool   *pool = held_pool(PG_GETARG_TEXT_PP(0));
	TimestampTz at = PG_NARGS() > 1 ? PG_GETARG_TIMESTAMPTZ(1) : GetCurrentTransactionStartTimestamp();
	int			low = 0;
	int			high = pool->nspans;

	/* the last that begins by then */
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (pool->spans[middle].from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	PG_RETURN_BOOL(low > 0 && at < pool->spans[low - 1].until);
}
