/*
 * recurrence.h
 *		Instants that recur, right across changes of daylight saving time.
 */
#ifndef SHARECOLLAB_RECURRENCE_H
#define SHARECOLLAB_RECURRENCE_H

#include "datatype/timestamp.h"

/*
 * Every so many months, days and microseconds.  If there are months or days,
 * it is local time that recurs: nine o'clock stays nine o'clock.
 */
typedef struct Recurrence
{
	Interval	every;
	bool		is_local;
	Datum		time_zone;		/* text */
} Recurrence;

/* an instant, and what the clocks there say */
typedef struct LocalInstant
{
	TimestampTz at;
	Timestamp	local;			/* only if the recurrence is local */
} LocalInstant;

extern void recurrence_init(Recurrence *recurrence, const Interval *every, Datum time_zone,
							const char *what);
extern LocalInstant recurrence_from(const Recurrence *recurrence, TimestampTz at);
extern TimestampTz recurrence_at(const Recurrence *recurrence, LocalInstant first, int64 number);
extern int64 recurrence_number(const Recurrence *recurrence, LocalInstant first, TimestampTz at);

#endif							/* SHARECOLLAB_RECURRENCE_H */
