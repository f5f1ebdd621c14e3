/*
 * calendar.h
 *		The pages of the calendar: to lock, to read and to write them.
 */
#ifndef SHARECOLLAB_CALENDAR_H
#define SHARECOLLAB_CALENDAR_H

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

extern Datum calendar_left(int64 pool_id, int64 quota_id, Span span, bool only_positive);

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

#endif							/* SHARECOLLAB_CALENDAR_H */
