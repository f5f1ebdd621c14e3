/*
 * recurrence.c
 *		Instants that recur, right across changes of daylight saving time.
 *
 * The nth instant is computed from the first one, not from the one before, so
 * that neither the 31st of a month nor a skipped hour shifts those after it.
 * The calendar arithmetic is PostgreSQL's own.
 */
#include "postgres.h"

#include "common/int.h"
#include "compat.h"
#include "miscadmin.h"
#include "recurrence.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp out of range")));
}

/*
 * "what" names the interval in errors.
 */
void
recurrence_init(Recurrence *recurrence, const Interval *every, Datum time_zone, const char *what)
{
	if (every->month < 0 || every->day < 0 || every->time < 0 ||
		(every->month == 0 && every->day == 0 && every->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a positive interval", what)));
	/* an unknown time zone is an error even if there is no need to look */
	(void) DirectFunctionCall2(timestamptz_zone, time_zone, TimestampTzGetDatum(0));
	recurrence->every = *every;
	recurrence->is_local = every->month != 0 || every->day != 0;
	recurrence->time_zone = time_zone;
}

LocalInstant
recurrence_from(const Recurrence *recurrence, TimestampTz at)
{
	LocalInstant result = {at, 0};

	if (recurrence->is_local)
		result.local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone,
															 recurrence->time_zone,
															 TimestampTzGetDatum(at)));
	return result;
}

/*
 * An instant, so many times later (or earlier, if negative).  What is beyond
 * the last instant (or before the first) is infinite, or error 22008 if there
 * are months or days.
 */
TimestampTz
recurrence_at(const Recurrence *recurrence, LocalInstant first, int64 number)
{
	Interval	distance;
	int64		months;
	int64		days;
	TimestampTz result;

	if (pg_mul_s64_overflow(recurrence->every.month, number, &months) ||
		pg_mul_s64_overflow(recurrence->every.day, number, &days) ||
		pg_mul_s64_overflow(recurrence->every.time, number, &distance.time) ||
		months > PG_INT32_MAX || months < PG_INT32_MIN ||
		days > PG_INT32_MAX || days < PG_INT32_MIN)
		out_of_range();
	if (!recurrence->is_local)
	{
		if (pg_add_s64_overflow(first.at, distance.time, &result) || result >= END_TIMESTAMP)
			return DT_NOEND;
		if (result < MIN_TIMESTAMP)
			return DT_NOBEGIN;
		return result;
	}
	distance.month = (int32) months;
	distance.day = (int32) days;
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, recurrence->time_zone,
												   DirectFunctionCall2(timestamp_pl_interval,
																	   TimestampGetDatum(first.local),
																	   IntervalPGetDatum(&distance))));
}

/*
 * The number of the last recurrence at or before an instant.
 */
int64
recurrence_number(const Recurrence *recurrence, LocalInstant first, TimestampTz at)
{
	/* guess by the average length, then correct */
	double		length = (double) recurrence->every.month * DAYS_PER_YEAR / MONTHS_PER_YEAR * USECS_PER_DAY +
		(double) recurrence->every.day * USECS_PER_DAY + (double) recurrence->every.time;
	double		guess = ((double) at - (double) first.at) / length;
	int64		number;

	/* microseconds since the first instant may be too many to count */
	if (guess < -9e18 || guess > 9e18)
		out_of_range();
	number = (int64) guess;

	while (recurrence_at(recurrence, first, number) > at)
	{
		CHECK_FOR_INTERRUPTS();
		number--;
	}
	while (recurrence_at(recurrence, first, number + 1) <= at)
	{
		CHECK_FOR_INTERRUPTS();
		number++;
	}
	return number;
}
