/*
 * calendar.h
 *		The pages of the calendar: to lock, to read and to write them.
 */
#ifndef SHARECOLLAB_CALENDAR_H
#define SHARECOLLAB_CALENDAR_H

#include "access/genam.h"
#include "nodes/execnodes.h"
#include "storage/lockdefs.h"
#include "profile.h"

/* the node of a pool as a whole; other numbers are those of its quotas */
#define WHOLE_POOL			0

/*
 * A page as read and locked.  Its profiles are 0 outside of its span.
 */
typedef struct CalendarPage
{
	int64		pool_id;
	int64		quota_id;
	Span		span;
	Datum		capacity;
	Datum		allowance;
	Datum		booked;
	Datum		deficit;
	ItemPointerData tid;
} CalendarPage;

/*
 * Table calendar, open for changes.
 */
typedef struct Calendar
{
	Relation	heap;
	Relation	index;
	TupleTableSlot *slot;		/* of the table's kind, to read into */
	TupleTableSlot *new_slot;	/* to write from */
	AttrNumber	pool_id;
	AttrNumber	quota_id;
	AttrNumber	starts;
	AttrNumber	ends;
	AttrNumber	capacity;
	AttrNumber	allowance;
	AttrNumber	booked;
	AttrNumber	deficit;
	EState	   *estate;			/* for new index entries; NULL until needed */
	ResultRelInfo *result;
} Calendar;

extern Calendar *calendar_open(LOCKMODE lockmode);
extern void calendar_close(Calendar *calendar);
extern bool calendar_lock_page(Calendar *calendar, int64 pool_id, int64 quota_id,
							   TimestampTz at, CalendarPage *page);
extern int	calendar_page_steps(const CalendarPage *page);
extern void calendar_write_page(Calendar *calendar, const CalendarPage *page, bool shrunk);
extern void calendar_insert_page(Calendar *calendar, const CalendarPage *page);

extern void calendar_delete_pages(Calendar *calendar, int64 pool_id, const int64 *quota_id);

/*
 * A walk along what the pages of a node have left, which is below zero where
 * they are in deficit: piece by piece, in order of time.
 */
typedef struct CalendarWalk
{
	Calendar   *calendar;
	IndexScanDesc scan;
	ScanKeyData first_page[3];	/* the last that starts by then */
	ScanKeyData next_page[3];
	Span		span;			/* what is still to come */

	/* the page that we are on */
	int			npages;			/* with those before it */
	TimestampTz page_until;
	ProfileReader limit;
	ProfileReader booked;
	int			i;				/* the pieces of these that hold */
	int			j;
	MemoryContext context;		/* of the page */

	/* the piece */
	TimestampTz from;
	TimestampTz until;
	int64		value;
	int			scale;			/* which only grows, on one walk */
} CalendarWalk;

extern void calendar_walk_open(CalendarWalk *walk, Snapshot snapshot);
extern void calendar_walk_start(CalendarWalk *walk, int64 pool_id, int64 quota_id, Span span);
extern bool calendar_walk_page(CalendarWalk *walk);
extern void calendar_walk_close(CalendarWalk *walk);
extern Datum calendar_left(int64 pool_id, int64 quota_id, Span span, bool only_positive);

/* availability.c */
extern bool has_expired_hold(int64 pool_id, Snapshot snapshot);

/* admission.c */
extern void admit_lease(int64 pool_id, int64 consumer_id, int64 lease_id, Decimal quantity, Span during);
extern void lock_calendar(int n, const int64 *pools, const int64 *consumers, const Span *spans);

#define add(a, b)			DirectFunctionCall2(profile_add, (a), (b))
#define subtract(a, b)		DirectFunctionCall2(profile_subtract, (a), (b))
#define lesser(a, b)		DirectFunctionCall2(profile_pointwise_min, (a), (b))
#define greater(a, b)		DirectFunctionCall2(profile_pointwise_max, (a), (b))
#define positive(a)			DirectFunctionCall1(profile_positive_part, (a))
#define at_most(a, b)		DatumGetBool(DirectFunctionCall2(profile_contained, (a), (b)))

static inline bool
is_zero(Datum profile)
{
	ProfileReader reader;

	profile_read(profile, &reader);
	return reader.n == 0;
}

static inline Datum
clipped(Datum profile, Span span)
{
	ProfileReader reader;

	profile_read(profile, &reader);
	return PointerGetDatum(profile_clipped(&reader, span));
}

static inline Datum
rectangle(Span span, Decimal quantity)
{
	return PointerGetDatum(profile_rectangle(span, quantity));
}

/* The value that holds from breakpoint i on, at a larger scale. */
static inline int64
value_at_scale(const ProfileReader *reader, int i, int scale)
{
	int64		value = profile_value_from(reader, i);

	if (reader->scale != scale && !decimal_rescale(value, reader->scale, scale, &value))
		decimal_overflow();
	return value;
}

/*
 * The next piece, if there is one: what the page may hold less what is booked,
 * both walked along together.  Beyond a page, its profiles are 0.
 */
static inline bool
calendar_walk_next(CalendarWalk *walk)
{
	TimestampTz next_limit;
	TimestampTz next_booked;

	while (walk->span.from >= walk->page_until)
	{
		if (!calendar_walk_page(walk))
			return false;
	}
	walk->from = walk->span.from;
	if (pg_sub_s64_overflow(value_at_scale(&walk->limit, walk->i, walk->scale),
							value_at_scale(&walk->booked, walk->j, walk->scale), &walk->value))
		decimal_overflow();
	next_limit = profile_until(&walk->limit, walk->i);
	next_booked = profile_until(&walk->booked, walk->j);
	walk->until = Min(Min(next_limit, next_booked), walk->page_until);
	walk->i += next_limit == walk->until;
	walk->j += next_booked == walk->until;
	walk->span.from = walk->until;
	return true;
}

#endif							/* SHARECOLLAB_CALENDAR_H */
