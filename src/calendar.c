/*
 * calendar.c
 *		The calendar: how much there is and how much is booked, over time.
 *
 * The rows of table calendar partition the time line of each node (a pool, or
 * a quota of it) into pages; a page holds the capacity, allowance, booked and
 * deficit profiles of its span.  They are derived from tables supply, lease
 * and quota by the triggers in admission.c, which alone writes them.
 *
 * Why nothing can be overbooked: adding to a page is an update of the row that
 * holds the truth, so two transactions that would book the same time queue up
 * on that row, at any isolation level (above READ COMMITTED the second one
 * fails with a serialization error, as PostgreSQL promises), and no page is
 * written here that is booked beyond its capacity, allowance and deficit.  The
 * CHECK constraint of the table says the same to everybody else.
 *
 * Pages are read and written without the executor: for a row of a known table,
 * found by its key, that is most of the cost of an UPDATE.
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "calendar.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "table.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * A page with more breakpoints than this is split into pages of half as many:
 * so a row stays at about a kilobyte and its updates stay HOT.
 */
#define PAGE_MAX_STEPS		128

/*
 * A page that a change made shorter than this is merged with the next one, if
 * both together are not half full and nobody else is at work there.
 */
#define PAGE_MERGE_STEPS	16

Calendar *
calendar_open(LOCKMODE lockmode)
{
	Calendar   *calendar = palloc0(sizeof(Calendar));
	Relation	heap = open_own_table("calendar", lockmode);

	calendar->heap = heap;
	calendar->index = index_open(primary_key_index(heap), lockmode);
	calendar->slot = table_slot_create(heap, NULL);
	calendar->new_slot = MakeSingleTupleTableSlot(RelationGetDescr(heap), &TTSOpsVirtual);
	calendar->pool_id = column_number(heap, "pool_id");
	calendar->quota_id = column_number(heap, "quota_id");
	calendar->starts = column_number(heap, "starts");
	calendar->ends = column_number(heap, "ends");
	calendar->capacity = column_number(heap, "capacity");
	calendar->allowance = column_number(heap, "allowance");
	calendar->booked = column_number(heap, "booked");
	calendar->deficit = column_number(heap, "deficit");
	return calendar;
}

/* Locks are kept until the end of the transaction. */
void
calendar_close(Calendar *calendar)
{
	if (calendar->estate != NULL)
	{
		ExecCloseIndices(calendar->result);
		FreeExecutorState(calendar->estate);
	}
	ExecDropSingleTupleTableSlot(calendar->slot);
	ExecDropSingleTupleTableSlot(calendar->new_slot);
	index_close(calendar->index, NoLock);
	table_close(calendar->heap, NoLock);
	pfree(calendar);
}

static void
could_not_serialize(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("Another transaction booked time on the same page of the calendar."),
			 errhint("Retry the transaction.")));
}

/*
 * Find the page that an instant is on, as last committed (or written by us),
 * and put it into the calendar's slot.
 */
static bool
find_page(Calendar *calendar, int64 pool_id, int64 quota_id, TimestampTz at, Snapshot snapshot)
{
	ScanKeyData keys[3];
	IndexScanDesc scan;
	bool		found;

	/* in the order of the primary key's columns */
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(pool_id));
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(quota_id));
	ScanKeyInit(&keys[2], 3, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(at));
	scan = index_beginscan_compat(calendar->heap, calendar->index, snapshot, 3);
	index_rescan(scan, keys, 3, NULL, 0);
	found = index_getnext_slot(scan, BackwardScanDirection, calendar->slot);
	index_endscan(scan);
	return found;
}

static void
read_page(Calendar *calendar, CalendarPage *page)
{
	TupleTableSlot *slot = calendar->slot;

	slot_getallattrs(slot);
#define column(number)	slot->tts_values[(number) - 1]
#define profile_column(number) \
	PointerGetDatum(PG_DETOAST_DATUM_COPY(column(number)))
	page->pool_id = DatumGetInt64(column(calendar->pool_id));
	page->quota_id = DatumGetInt64(column(calendar->quota_id));
	page->span.from = DatumGetTimestampTz(column(calendar->starts));
	page->span.until = DatumGetTimestampTz(column(calendar->ends));
	page->capacity = profile_column(calendar->capacity);
	page->allowance = profile_column(calendar->allowance);
	page->booked = profile_column(calendar->booked);
	page->deficit = profile_column(calendar->deficit);
	page->tid = slot->tts_tid;
#undef profile_column
#undef column
}

/*
 * Lock the page in the calendar's slot, as it is after whoever was at work on
 * it.  Returns false if it is gone, or locked and we do not wait.
 */
static bool
lock_found_page(Calendar *calendar, Snapshot snapshot, LockWaitPolicy wait_policy)
{
	TM_FailureData failure;
	TM_Result	result;

	/*
	 * The newest version is the truth.  If our transaction is to see the world
	 * as of its start and this is newer, the world has moved on.
	 */
	if (IsolationUsesXactSnapshot() &&
		!table_tuple_satisfies_snapshot(calendar->heap, calendar->slot, GetTransactionSnapshot()))
		could_not_serialize();

	result = table_tuple_lock(calendar->heap, &calendar->slot->tts_tid, snapshot, calendar->slot,
							  GetCurrentCommandId(false), LockTupleNoKeyExclusive, wait_policy,
							  IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
							  &failure);
	switch (result)
	{
		case TM_Ok:
			return true;
		case TM_WouldBlock:
			return false;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				could_not_serialize();
			return false;
		default:
			elog(ERROR, "unexpected result %d of locking a page of the calendar", result);
	}
}

/*
 * Lock and read the page that an instant is on.  Returns false if the node has
 * none.
 *
 * While we wait for the lock, another transaction may split the page, which
 * leaves us with the part that keeps its start, or merge it away: look again.
 */
bool
calendar_lock_page(Calendar *calendar, int64 pool_id, int64 quota_id, TimestampTz at,
				   CalendarPage *page)
{
	for (;;)
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		bool		found = find_page(calendar, pool_id, quota_id, at, snapshot);
		bool		locked = found && lock_found_page(calendar, snapshot, LockWaitBlock);

		UnregisterSnapshot(snapshot);
		if (!found)
			return false;
		if (locked)
		{
			read_page(calendar, page);
			ExecClearTuple(calendar->slot);
			if (at < page->span.until)
				return true;
		}
		ExecClearTuple(calendar->slot);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
fill_slot(Calendar *calendar, const CalendarPage *page)
{
	TupleTableSlot *slot = calendar->new_slot;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
#define set_column(number, value) \
	(slot->tts_values[(number) - 1] = (value), slot->tts_isnull[(number) - 1] = false)
	set_column(calendar->pool_id, Int64GetDatum(page->pool_id));
	set_column(calendar->quota_id, Int64GetDatum(page->quota_id));
	set_column(calendar->starts, TimestampTzGetDatum(page->span.from));
	set_column(calendar->ends, TimestampTzGetDatum(page->span.until));
	set_column(calendar->capacity, page->capacity);
	set_column(calendar->allowance, page->allowance);
	set_column(calendar->booked, page->booked);
	set_column(calendar->deficit, page->deficit);
#undef set_column
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(calendar->heap);

	/* the table's own CHECK constraint, which is not asked on this way */
	if (!at_most(page->booked, add(add(page->capacity, page->allowance), page->deficit)))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("page of the calendar would be overbooked")));
}

/* New index entries for the row in the new slot. */
static void
index_page(Calendar *calendar, UpdateIndexes which)
{
	if (calendar->estate == NULL)
	{
		calendar->estate = CreateExecutorState();
		calendar->result = makeNode(ResultRelInfo);
		InitResultRelInfo(calendar->result, calendar->heap, 1, NULL, 0);
		ExecOpenIndices(calendar->result, false);
	}
	insert_index_entries(calendar->result, calendar->new_slot, calendar->estate, which);
	ResetPerTupleExprContext(calendar->estate);
}

void
calendar_insert_page(Calendar *calendar, const CalendarPage *page)
{
	fill_slot(calendar, page);
	simple_table_tuple_insert(calendar->heap, calendar->new_slot);
	index_page(calendar, UPDATE_NO_INDEXES);
}

static void
update_page(Calendar *calendar, const CalendarPage *page)
{
	ItemPointerData tid = page->tid;
	UpdateIndexes which;

	fill_slot(calendar, page);
	simple_table_tuple_update(calendar->heap, &tid, calendar->new_slot, InvalidSnapshot, &which);
	if (which != UPDATE_NO_INDEXES)
		index_page(calendar, which);
}

/*
 * Delete the pages of one node of a pool, or of all (quota_id is NULL).  The
 * calendar is closed to others meanwhile; also above READ COMMITTED, what they
 * wrote before is there, and the world must not have moved on since our start.
 */
void
calendar_delete_pages(Calendar *calendar, int64 pool_id, const int64 *quota_id)
{
	Snapshot	snapshot;
	ScanKeyData keys[2];
	IndexScanDesc scan;
	int			nkeys = quota_id ? 2 : 1;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	key_int8(keys, 1, pool_id);
	if (quota_id)
		key_int8(keys, 2, *quota_id);
	scan = index_beginscan_compat(calendar->heap, calendar->index, snapshot, nkeys);
	index_rescan(scan, keys, nkeys, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, calendar->slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (IsolationUsesXactSnapshot() &&
			!table_tuple_satisfies_snapshot(calendar->heap, calendar->slot, GetTransactionSnapshot()))
			could_not_serialize();
		simple_table_tuple_delete(calendar->heap, &calendar->slot->tts_tid, InvalidSnapshot);
	}
	index_endscan(scan);
	ExecClearTuple(calendar->slot);
	UnregisterSnapshot(snapshot);
	CommandCounterIncrement();
}

int
calendar_page_steps(const CalendarPage *page)
{
	ProfileReader capacity;
	ProfileReader booked;

	profile_read(page->capacity, &capacity);
	profile_read(page->booked, &booked);
	return Max(capacity.n, booked.n);
}

/*
 * Take the next page into a short one.  Only if that can be had at once: to
 * wait for a page is for those who need it.
 */
static void
merge_next_page(Calendar *calendar, CalendarPage *page)
{
	Snapshot	snapshot;
	CalendarPage next;
	bool		locked;

	if (page->span.until == DT_NOEND)
		return;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	locked = find_page(calendar, page->pool_id, page->quota_id, page->span.until, snapshot) &&
		(!IsolationUsesXactSnapshot() ||
		 table_tuple_satisfies_snapshot(calendar->heap, calendar->slot, GetTransactionSnapshot())) &&
		lock_found_page(calendar, snapshot, LockWaitSkip);
	UnregisterSnapshot(snapshot);
	if (locked)
		read_page(calendar, &next);
	ExecClearTuple(calendar->slot);
	if (!locked || next.span.from != page->span.until ||
		calendar_page_steps(page) + calendar_page_steps(&next) > PAGE_MAX_STEPS / 2)
		return;
	simple_table_tuple_delete(calendar->heap, &next.tid, InvalidSnapshot);
	CommandCounterIncrement();
	page->span.until = next.span.until;
	page->capacity = add(page->capacity, next.capacity);
	page->allowance = add(page->allowance, next.allowance);
	page->booked = add(page->booked, next.booked);
	page->deficit = add(page->deficit, next.deficit);
}

/*
 * Write a locked page back: in several if it has become long, and together
 * with the next one if it was made short.
 */
void
calendar_write_page(Calendar *calendar, const CalendarPage *page, bool shrunk)
{
	CalendarPage piece = *page;
	int			nsteps = calendar_page_steps(page);
	ProfileReader capacity;
	ProfileReader booked;
	const ProfileReader *longer;
	int			npieces;

	if (nsteps <= PAGE_MAX_STEPS)
	{
		if (shrunk && nsteps <= PAGE_MERGE_STEPS)
			merge_next_page(calendar, &piece);
		update_page(calendar, &piece);
		return;
	}

	profile_read(page->capacity, &capacity);
	profile_read(page->booked, &booked);
	longer = capacity.n > booked.n ? &capacity : &booked;
	npieces = longer->n / (PAGE_MAX_STEPS / 2);
	for (int i = 0; i < npieces; i++)
	{
		CHECK_FOR_INTERRUPTS();
		piece.span.until = i + 1 < npieces ?
			profile_time(longer, (int64) longer->n * (i + 1) / npieces) : page->span.until;
		piece.capacity = clipped(page->capacity, piece.span);
		piece.allowance = clipped(page->allowance, piece.span);
		piece.booked = clipped(page->booked, piece.span);
		piece.deficit = clipped(page->deficit, piece.span);
		if (i == 0)
			update_page(calendar, &piece);
		else
			calendar_insert_page(calendar, &piece);
		piece.span.from = piece.span.until;
	}
}

void
calendar_walk_open(CalendarWalk *walk, Snapshot snapshot)
{
	walk->calendar = calendar_open(AccessShareLock);
	walk->scan = index_beginscan_compat(walk->calendar->heap, walk->calendar->index, snapshot, 3);
	walk->context = AllocSetContextCreate(CurrentMemoryContext, "page of the calendar",
										  ALLOCSET_DEFAULT_SIZES);
	key_int8(walk->first_page, 1, 0);
	key_int8(walk->first_page, 2, 0);
	memcpy(walk->next_page, walk->first_page, sizeof(walk->next_page));
	ScanKeyInit(&walk->first_page[2], 3, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, 0);
	ScanKeyInit(&walk->next_page[2], 3, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE, 0);
}

void
calendar_walk_close(CalendarWalk *walk)
{
	MemoryContextDelete(walk->context);
	index_endscan(walk->scan);
	calendar_close(walk->calendar);
}

/* Walk along a span of a node: the next piece is its first. */
void
calendar_walk_start(CalendarWalk *walk, int64 pool_id, int64 quota_id, Span span)
{
	walk->first_page[0].sk_argument = walk->next_page[0].sk_argument = Int64GetDatum(pool_id);
	walk->first_page[1].sk_argument = walk->next_page[1].sk_argument = Int64GetDatum(quota_id);
	walk->span = span;
	walk->npages = 0;
	walk->page_until = span.from;
	walk->scale = 0;
}

/*
 * Go to the next page, and find the first one by looking back from the start
 * of the span.
 */
bool
calendar_walk_page(CalendarWalk *walk)
{
	TupleTableSlot *slot = walk->calendar->slot;
	ScanKey		keys = walk->npages == 0 ? walk->first_page : walk->next_page;
	Datum		capacity;
	Datum		allowance;
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (SPAN_IS_EMPTY(walk->span))
		return false;
	if (walk->npages < 2)
	{
		keys[2].sk_argument = TimestampTzGetDatum(walk->span.from);
		index_rescan(walk->scan, keys, 3, NULL, 0);
	}
	if (!index_getnext_slot(walk->scan, walk->npages == 0 ? BackwardScanDirection : ForwardScanDirection, slot))
		return false;
	walk->npages++;

	slot_getallattrs(slot);
#define column(number)	slot->tts_values[(number) - 1]
	walk->page_until = Min(DatumGetTimestampTz(column(walk->calendar->ends)), walk->span.until);
	capacity = column(walk->calendar->capacity);
	allowance = column(walk->calendar->allowance);
	MemoryContextReset(walk->context);
	old = MemoryContextSwitchTo(walk->context);
	profile_read(is_zero(allowance) ? capacity : add(capacity, allowance), &walk->limit);
	profile_read(column(walk->calendar->booked), &walk->booked);
	MemoryContextSwitchTo(old);
#undef column
	walk->scale = Max(walk->scale, Max(walk->limit.scale, walk->booked.scale));
	walk->i = profile_find(&walk->limit, walk->span.from);
	walk->j = profile_find(&walk->booked, walk->span.from);
	return true;
}

/* Bring what was built so far, or a value, to the larger scale of the two. */
static void
align_scale(ProfileBuilder *builder, int scale)
{
	for (int i = 0; i < builder->n; i++)
	{
		if (!decimal_rescale(builder->value[i], builder->scale, scale, &builder->value[i]))
			decimal_overflow();
	}
	builder->scale = scale;
}

/*
 * What the pages of a node have left during a span that is not empty, or only
 * what is above zero.
 */
Datum
calendar_left(int64 pool_id, int64 quota_id, Span span, bool only_positive)
{
	CalendarWalk walk;
	ProfileBuilder builder;

	profile_builder_init(&builder, 64, 0);
	calendar_walk_open(&walk, GetActiveSnapshot());
	calendar_walk_start(&walk, pool_id, quota_id, span);
	while (calendar_walk_next(&walk))
	{
		if (walk.scale > builder.scale)
			align_scale(&builder, walk.scale);
		profile_append(&builder, walk.from, only_positive ? Max(walk.value, 0) : walk.value);
	}
	if (walk.npages > 0 && span.until != DT_NOEND)
		profile_append(&builder, walk.until, 0);
	calendar_walk_close(&walk);
	PG_RETURN_PROFILE(&builder);
}

/* calendar_free(pool_id, quota_id, during) */
PG_FUNCTION_INFO_V1(calendar_free);
Datum
calendar_free(PG_FUNCTION_ARGS)
{
	Span		span = span_arg(PG_GETARG_DATUM(2));

	if (SPAN_IS_EMPTY(span) ||
		!(pool_roles(PG_GETARG_INT64(0)) & (PG_GETARG_INT64(1) == WHOLE_POOL ? ~0 : POOL_OVERSEER)))
		PG_RETURN_NULL();
	return calendar_left(PG_GETARG_INT64(0), PG_GETARG_INT64(1), span, false);
}
