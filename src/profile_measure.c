/*
 * profile_measure.c
 *		Numbers from profiles: value, integral, mean, peak, quantile, ...
 *
 * Sums are exact; nothing is rounded but the quotients of integral() and
 * mean(), as numeric division does.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/*
 * lead_time(interval): how long before something, as an instant, so that a
 * profile can be over it.
 */
PG_FUNCTION_INFO_V1(lead_time);
Datum
lead_time(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(fixed_length_arg(PG_GETARG_INTERVAL_P(0), "lead time"));
}

PG_FUNCTION_INFO_V1(profile_value_at);
Datum
profile_value_at(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);

	profile_read(PG_GETARG_DATUM(0), &reader);
	return decimal_get_numeric(profile_value_from(&reader, profile_find(&reader, at)),
							   reader.scale);
}

static void
infinite_integral(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("integral is infinite"),
			 errdetail("The quantity is not zero during an unbounded time."),
			 errhint("Bound the time, for example with tstzrange(a, b).")));
}

/*
 * A quantity times the length of a span, in microseconds, added to a sum.
 * The product of an int64 and a length always fits; the sum may not.
 */
static inline void
add_unit_time(int128 *sum, int64 value, Span span)
{
	if (value == 0)
		return;
	if (unlikely(span.from == DT_NOBEGIN || span.until == DT_NOEND))
		infinite_integral();
	if (unlikely(__builtin_add_overflow(*sum,
										(int128) value * ((uint64) span.until - (uint64) span.from),
										sum)))
		decimal_overflow();
}

/*
 * The integral over a span: mantissa of the quantity times microseconds.
 */
int128
profile_integral128(const ProfileReader *reader, Span span)
{
	int128		sum = 0;

	if (SPAN_IS_EMPTY(span))
		return 0;
	for (int i = profile_find(reader, span.from); i < reader->n; i++)
	{
		Span		step = span;

		CHECK_FOR_INTERRUPTS();
		if (i >= 0)
			step.from = Max(profile_time(reader, i), span.from);
		step.until = Min(profile_until(reader, i), span.until);
		if (SPAN_IS_EMPTY(step))
			break;
		add_unit_time(&sum, profile_value_from(reader, i), step);
	}
	return sum;
}

/*
 * A quantity-time in units: sum / 10^scale / microseconds.  The powers of ten
 * in the unit only move the decimal point, so unit-seconds are exact; what is
 * left is rounded as numeric division does (at least 16 significant digits).
 */
Datum
unit_time_ratio(int128 sum, int scale, int64 microseconds)
{
	while (microseconds % 10 == 0)
	{
		microseconds /= 10;
		scale++;
	}
	if (microseconds == 1)
		return decimal128_get_numeric(sum, scale);
	return DirectFunctionCall2(numeric_div,
							   decimal128_get_numeric(sum, scale),
							   NumericGetDatum(int64_to_numeric(microseconds)));
}

/*
 * The length of an interval that must have one; "what" names it in errors.
 */
int64
fixed_length_arg(const Interval *interval, const char *what)
{
	int64		result;

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have a fixed length", what),
				 errdetail("Months and years have no fixed length."),
				 errhint("Use days (of 24 hours), hours or less.")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, interval->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", what)));
	return result;
}

int64
positive_length_arg(const Interval *interval, const char *what)
{
	int64		result = fixed_length_arg(interval, what);

	if (result <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive", what)));
	return result;
}

/*
 * Measures per time need a time that has a length.
 */
static void
require_bounded(Span span, const char *measure)
{
	if (span.from == DT_NOBEGIN || span.until == DT_NOEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s over an unbounded time is undefined", measure),
				 errhint("Bound the time, for example with tstzrange(a, b).")));
}

PG_FUNCTION_INFO_V1(profile_integral);
Datum
profile_integral(PG_FUNCTION_ARGS)
{
	ProfileReader reader;

	profile_read(PG_GETARG_DATUM(0), &reader);
	return unit_time_ratio(profile_integral128(&reader, span_arg(PG_GETARG_DATUM(1))),
						   reader.scale,
						   positive_length_arg(PG_GETARG_INTERVAL_P(2), "unit of time"));
}

PG_FUNCTION_INFO_V1(profile_mean);
Datum
profile_mean(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));

	profile_read(PG_GETARG_DATUM(0), &reader);
	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	require_bounded(span, "mean");

	/* the length may exceed an int64, so it goes through the 128-bit form */
	return DirectFunctionCall2(numeric_div,
							   decimal128_get_numeric(profile_integral128(&reader, span),
													  reader.scale),
							   decimal128_get_numeric((int128) span.until - span.from, 0));
}

/*
 * The first instant of the largest value during a span that is not empty.
 */
int64
profile_peak_of(const ProfileReader *reader, Span span, TimestampTz *peak_at)
{
	int			first = profile_find(reader, span.from);
	int			last = profile_find(reader, span.until - 1);
	int			peak_step = first;
	int64		peak = profile_value_from(reader, first);

	for (int i = first + 1; i <= last; i++)
	{
		int64		value = profile_value(reader, i);

		CHECK_FOR_INTERRUPTS();
		if (value > peak)
		{
			peak = value;
			peak_step = i;
		}
	}
	*peak_at = peak_step == first ? span.from : profile_time(reader, peak_step);
	return peak;
}

PG_FUNCTION_INFO_V1(profile_peak);
Datum
profile_peak(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));
	TimestampTz at;

	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	profile_read(PG_GETARG_DATUM(0), &reader);
	return decimal_get_numeric(profile_peak_of(&reader, span, &at), reader.scale);
}

PG_FUNCTION_INFO_V1(profile_peak_at);
Datum
profile_peak_at(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));
	TimestampTz at;

	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	profile_read(PG_GETARG_DATUM(0), &reader);
	profile_peak_of(&reader, span, &at);
	PG_RETURN_TIMESTAMPTZ(at);
}

/*
 * The smallest value during a span.
 */
PG_FUNCTION_INFO_V1(profile_trough);
Datum
profile_trough(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));
	int			first;
	int			last;
	int64		trough;

	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	profile_read(PG_GETARG_DATUM(0), &reader);
	first = profile_find(&reader, span.from);
	last = profile_find(&reader, span.until - 1);
	trough = profile_value_from(&reader, first);
	for (int i = first + 1; i <= last; i++)
	{
		CHECK_FOR_INTERRUPTS();
		trough = Min(trough, profile_value(&reader, i));
	}
	return decimal_get_numeric(trough, reader.scale);
}

/*
 * quantile(profile, during, fraction): the least value that is not exceeded
 * for that fraction of the time, percentile_disc() weighted by time.
 */
typedef struct ValueTime
{
	int64		value;
	uint64		length;			/* microseconds */
} ValueTime;

#define ST_SORT sort_by_value
#define ST_ELEMENT_TYPE ValueTime
#define ST_COMPARE(a, b) ((a)->value < (b)->value ? -1 : (a)->value > (b)->value)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

PG_FUNCTION_INFO_V1(profile_quantile);
Datum
profile_quantile(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));
	/* a fraction such as 2/3 is no decimal; the 18th place decides nothing */
	Decimal		fraction = decimal_arg(DirectFunctionCall2(numeric_round, PG_GETARG_DATUM(2),
														   Int32GetDatum(DECIMAL_MAX_SCALE)),
									   "fraction");
	ValueTime  *pieces;
	int			first;
	int			n = 0;
	uint128		needed;
	uint128		reached = 0;
	int64		result = 0;

	if (fraction.mantissa < 0 || fraction.mantissa > decimal_pow10[fraction.scale])
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("fraction must be between 0 and 1")));
	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	require_bounded(span, "quantile");
	profile_read(PG_GETARG_DATUM(0), &reader);

	first = profile_find(&reader, span.from);
	pieces = MemoryContextAllocHuge(CurrentMemoryContext,
									((int64) reader.n - first + 1) * sizeof(ValueTime));
	for (int i = first; i < reader.n; i++)
	{
		TimestampTz from = i < 0 ? span.from : Max(profile_time(&reader, i), span.from);
		TimestampTz until = Min(profile_until(&reader, i), span.until);

		CHECK_FOR_INTERRUPTS();
		if (from >= until)
			break;
		pieces[n].value = profile_value_from(&reader, i);
		pieces[n++].length = (uint64) until - (uint64) from;
	}
	sort_by_value(pieces, n);

	/* compare time / whole with mantissa / 10^scale, without dividing */
	needed = ((uint128) span.until - (uint128) span.from) * (uint64) fraction.mantissa;
	for (int i = 0; i < n; i++)
	{
		reached += pieces[i].length;
		result = pieces[i].value;
		if (reached * (uint64) decimal_pow10[fraction.scale] >= needed)
			break;
	}
	pfree(pieces);
	return decimal_get_numeric(result, reader.scale);
}

/*
 * duration_above(profile, threshold, during)
 */
PG_FUNCTION_INFO_V1(profile_duration_above);
Datum
profile_duration_above(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Decimal		threshold = decimal_arg(PG_GETARG_DATUM(1), "threshold");
	Span		span = span_arg(PG_GETARG_DATUM(2));
	Interval   *result = palloc0(sizeof(Interval));

	profile_read(PG_GETARG_DATUM(0), &reader);
	for (int i = profile_find(&reader, span.from); i < reader.n; i++)
	{
		TimestampTz from = i < 0 ? span.from : Max(profile_time(&reader, i), span.from);
		TimestampTz until = Min(profile_until(&reader, i), span.until);
		int64		length;

		CHECK_FOR_INTERRUPTS();
		if (from >= until)
			break;
		if (decimal_cmp(profile_value_from(&reader, i), reader.scale,
						threshold.mantissa, threshold.scale) <= 0)
			continue;
		if (from == DT_NOBEGIN || until == DT_NOEND)
			ereport(ERROR,
					(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
					 errmsg("duration is infinite"),
					 errhint("Bound the time, for example with tstzrange(a, b).")));
		if (pg_sub_s64_overflow(until, from, &length) ||
			pg_add_s64_overflow(result->time, length, &result->time))
			ereport(ERROR,
					(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
					 errmsg("interval out of range")));
	}
	PG_RETURN_INTERVAL_P(result);
}

/*
 * earliest_fit(free, quantity, duration, during, nth): the first period of a
 * length, within a time, throughout which a quantity is free; or that in the
 * nth stretch of time that is long enough.
 */
PG_FUNCTION_INFO_V1(profile_earliest_fit);
Datum
profile_earliest_fit(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	Decimal		quantity = decimal_arg(PG_GETARG_DATUM(1), "quantity");
	int64		duration = positive_length_arg(PG_GETARG_INTERVAL_P(2), "duration");
	Span		span = span_arg(PG_GETARG_DATUM(3));
	int32		nth = PG_GETARG_INT32(4);
	TimestampTz start = DT_NOEND;	/* of the free stretch, if we are in one */

	if (nth < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alternatives count from 1")));
	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	if (span.from == DT_NOBEGIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot look for the earliest fit in a time without a start")));
	profile_read(PG_GETARG_DATUM(0), &reader);

	for (int i = profile_find(&reader, span.from);; i++)
	{
		bool		more = i < reader.n;
		TimestampTz from = !more ? span.until :
			i < 0 ? span.from : Max(profile_time(&reader, i), span.from);
		bool		fits;

		CHECK_FOR_INTERRUPTS();
		if (from >= span.until)
			more = false;
		fits = more && decimal_cmp(profile_value_from(&reader, i), reader.scale,
								   quantity.mantissa, quantity.scale) >= 0;
		if (fits && start == DT_NOEND)
			start = from;
		else if (!fits && start != DT_NOEND)
		{
			/* unsigned: the distance may not fit an int64 */
			TimestampTz until = more ? from : span.until;
			TimestampTz end;

			if ((until == DT_NOEND || (uint64) until - (uint64) start >= (uint64) duration) &&
				--nth == 0)
			{
				Span		found;

				if (pg_add_s64_overflow(start, duration, &end) || end >= END_TIMESTAMP)
					PG_RETURN_NULL();
				found.from = start;
				found.until = end;
				return span_get_range(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), found);
			}
			start = DT_NOEND;
		}
		if (!more)
			PG_RETURN_NULL();
	}
}

/*
 * sparkline(profile, during, width): the peaks of so many equal pieces of
 * time, as a line of block characters between the least (or 0) and the
 * greatest (or 0).
 */
PG_FUNCTION_INFO_V1(profile_sparkline);
Datum
profile_sparkline(PG_FUNCTION_ARGS)
{
	static const char *const blocks[] = {
		"\342\226\201", "\342\226\202", "\342\226\203", "\342\226\204",
		"\342\226\205", "\342\226\206", "\342\226\207", "\342\226\210"
	};
	ProfileReader reader;
	Span		span = span_arg(PG_GETARG_DATUM(1));
	int32		width = PG_GETARG_INT32(2);
	int64	   *peaks;
	int64		low = 0;
	int64		high = 0;
	StringInfoData out;

	if (width < 1 || width > 10000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width must be between 1 and 10000")));
	if (SPAN_IS_EMPTY(span))
		PG_RETURN_NULL();
	require_bounded(span, "sparkline");
	profile_read(PG_GETARG_DATUM(0), &reader);

	peaks = palloc(width * sizeof(int64));
	for (int i = 0; i < width; i++)
	{
		uint128		length = (uint128) ((uint64) span.until - (uint64) span.from);
		Span		piece;
		TimestampTz at;

		piece.from = (TimestampTz) ((uint64) span.from + (uint64) (length * i / width));
		piece.until = (TimestampTz) ((uint64) span.from + (uint64) (length * (i + 1) / width));
		peaks[i] = profile_peak_of(&reader, piece, &at);
		low = Min(low, peaks[i]);
		high = Max(high, peaks[i]);
	}

	initStringInfo(&out);
	for (int i = 0; i < width; i++)
	{
		int			level = 0;

		if (high > low)
			level = (int) (((int128) peaks[i] - low) * (lengthof(blocks) - 1) /
						   ((int128) high - low));
		appendStringInfoString(&out, blocks[level]);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
