/*
 * profile_ops.c
 *		What is computed from profiles: comparison, pointwise algebra,
 *		and measures (value, integral, mean, peak).
 *
 * Operations of two profiles walk both in order of time, once, reading the
 * stored form in place.  All arithmetic is checked; nothing is rounded but
 * the quotients of integral() and mean(), which numeric division rounds.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/*
 * Two profiles, walked through together.
 */
typedef struct Side
{
	ProfileReader reader;
	int			next;			/* the next breakpoint */
	TimestampTz next_at;		/* its instant; DT_NOEND if there is none */
	int64		value;			/* the value that holds before it */
} Side;

static inline void
side_init(Side *side, Datum profile)
{
	profile_read(profile, &side->reader);
	side->next = 0;
	side->next_at = side->reader.n > 0 ? profile_time(&side->reader, 0) : DT_NOEND;
	side->value = 0;
}

/* Step over the breakpoint at an instant, if there is one. */
static inline void
side_advance(Side *side, TimestampTz at)
{
	if (side->next_at != at)
		return;
	side->value = profile_value(&side->reader, side->next);
	side->next_at = profile_until(&side->reader, side->next);
	side->next++;
}

/*
 * The instants that a range contains.
 *
 * timestamptz counts whole microseconds, so every range of them is a
 * half-open span: "(a," starts at the next microsecond, and "b]" ends after
 * b.  A range that contains no instant that timestamptz can express is
 * empty.  The range is read in place, in its stored form, which is part of
 * PostgreSQL's on-disk format like that of numeric (see decimal.c): type OID,
 * the finite bounds, one byte of flags.
 */
Span
span_arg(Datum range)
{
	struct varlena *datum = packed_arg(range);
	const char *p = VARDATA_ANY(datum);
	char		flags = p[VARSIZE_ANY_EXHDR(datum) - 1];
	Span		span = {DT_NOBEGIN, DT_NOEND};

	if (flags & RANGE_EMPTY)
	{
		span.until = DT_NOBEGIN;
		return span;
	}
	p += sizeof(Oid);
	if (RANGE_HAS_LBOUND(flags))
	{
		memcpy(&span.from, p, sizeof(TimestampTz));
		p += sizeof(TimestampTz);
		if (!(flags & RANGE_LB_INC) && !TIMESTAMP_NOT_FINITE(span.from))
		{
			span.from++;
			if (span.from >= END_TIMESTAMP)
				span.from = DT_NOEND;
		}
	}
	if (RANGE_HAS_UBOUND(flags))
	{
		memcpy(&span.until, p, sizeof(TimestampTz));
		if ((flags & RANGE_UB_INC) && !TIMESTAMP_NOT_FINITE(span.until))
		{
			span.until++;
			if (span.until >= END_TIMESTAMP)
				span.until = DT_NOEND;
		}
	}
	return span;
}

/*
 * Comparison.  Equal profiles are equal bytes.
 */
static bool
profile_equal(Datum a, Datum b)
{
	struct varlena *x = packed_arg(a);
	struct varlena *y = packed_arg(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

PG_FUNCTION_INFO_V1(profile_eq);
Datum
profile_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(profile_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(profile_ne);
Datum
profile_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!profile_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/*
 * The order of the btree operators: by the values at the earliest instant
 * where the two differ.
 */
static int
profile_compare(Datum a, Datum b)
{
	Side		x;
	Side		y;

	side_init(&x, a);
	side_init(&y, b);
	while (x.next < x.reader.n || y.next < y.reader.n)
	{
		TimestampTz at = Min(x.next_at, y.next_at);
		int			cmp;

		CHECK_FOR_INTERRUPTS();
		side_advance(&x, at);
		side_advance(&y, at);
		cmp = decimal_cmp(x.value, x.reader.scale, y.value, y.reader.scale);
		if (cmp != 0)
			return cmp;
	}
	return 0;
}

PG_FUNCTION_INFO_V1(profile_cmp);
Datum
profile_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(profile_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

#define PROFILE_COMPARISON(name, op) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(profile_compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) op 0); \
}

PROFILE_COMPARISON(profile_lt, <)
PROFILE_COMPARISON(profile_le, <=)
PROFILE_COMPARISON(profile_gt, >)
PROFILE_COMPARISON(profile_ge, >=)

PG_FUNCTION_INFO_V1(profile_hash);
Datum
profile_hash(PG_FUNCTION_ARGS)
{
	struct varlena *datum = packed_arg(PG_GETARG_DATUM(0));

	return hash_any((unsigned char *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum));
}

PG_FUNCTION_INFO_V1(profile_hash_extended);
Datum
profile_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *datum = packed_arg(PG_GETARG_DATUM(0));

	return hash_any_extended((unsigned char *) VARDATA_ANY(datum),
							 VARSIZE_ANY_EXHDR(datum), PG_GETARG_INT64(1));
}

/*
 * Pointwise: is a at most b at every instant?
 */
static bool
profile_at_most(Datum a, Datum b)
{
	Side		x;
	Side		y;

	side_init(&x, a);
	side_init(&y, b);
	while (x.next < x.reader.n || y.next < y.reader.n)
	{
		TimestampTz at = Min(x.next_at, y.next_at);

		CHECK_FOR_INTERRUPTS();
		side_advance(&x, at);
		side_advance(&y, at);
		if (decimal_cmp(x.value, x.reader.scale, y.value, y.reader.scale) > 0)
			return false;
	}
	return true;
}

PG_FUNCTION_INFO_V1(profile_contained);
Datum
profile_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(profile_at_most(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(profile_contains);
Datum
profile_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(profile_at_most(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
}

/*
 * Pointwise algebra: the result of an operation on two values of one scale.
 */
typedef int64 (*PointwiseOperation) (int64 a, int64 b);

static inline int64
checked(bool overflow, int64 result)
{
	if (unlikely(overflow || result == PG_INT64_MIN))
		decimal_overflow();
	return result;
}

static inline int64
value_add(int64 a, int64 b)
{
	int64		result;
	bool		overflow = pg_add_s64_overflow(a, b, &result);

	return checked(overflow, result);
}

static inline int64
value_subtract(int64 a, int64 b)
{
	int64		result;
	bool		overflow = pg_sub_s64_overflow(a, b, &result);

	return checked(overflow, result);
}

/* inlined into each operation, so that the call of "operation" is none */
static pg_attribute_always_inline struct varlena *
profile_pointwise(Datum a, Datum b, PointwiseOperation operation)
{
	Side		x;
	Side		y;
	int64		x_factor;
	int64		y_factor;
	int64		x_value = 0;
	int64		y_value = 0;
	ProfileBuilder builder;

	side_init(&x, a);
	side_init(&y, b);
	profile_builder_init(&builder, (int64) x.reader.n + y.reader.n,
						 Max(x.reader.scale, y.reader.scale));
	x_factor = decimal_pow10[builder.scale - x.reader.scale];
	y_factor = decimal_pow10[builder.scale - y.reader.scale];

	while (x.next < x.reader.n || y.next < y.reader.n)
	{
		TimestampTz at = Min(x.next_at, y.next_at);
		bool		overflow;

		CHECK_FOR_INTERRUPTS();
		side_advance(&x, at);
		side_advance(&y, at);
		overflow = pg_mul_s64_overflow(x.value, x_factor, &x_value);
		overflow |= pg_mul_s64_overflow(y.value, y_factor, &y_value);
		if (unlikely(overflow))
			decimal_overflow();
		profile_append(&builder, at, operation(x_value, y_value));
	}
	return profile_finish(&builder);
}

static inline int64
value_min(int64 a, int64 b)
{
	return Min(a, b);
}

static inline int64
value_max(int64 a, int64 b)
{
	return Max(a, b);
}

PG_FUNCTION_INFO_V1(profile_add);
Datum
profile_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_pointwise(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), value_add));
}

PG_FUNCTION_INFO_V1(profile_subtract);
Datum
profile_subtract(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_pointwise(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), value_subtract));
}

PG_FUNCTION_INFO_V1(profile_pointwise_min);
Datum
profile_pointwise_min(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_pointwise(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), value_min));
}

PG_FUNCTION_INFO_V1(profile_pointwise_max);
Datum
profile_pointwise_max(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_pointwise(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), value_max));
}

/* what is above zero */
PG_FUNCTION_INFO_V1(profile_positive_part);
Datum
profile_positive_part(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	ProfileBuilder builder;

	profile_read(PG_GETARG_DATUM(0), &reader);
	profile_builder_init(&builder, reader.n, reader.scale);
	for (int i = 0; i < reader.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		profile_append(&builder, profile_time(&reader, i), Max(profile_value(&reader, i), 0));
	}
	PG_RETURN_PROFILE(&builder);
}

/*
 * The profile during a span, 0 outside.
 */
struct varlena *
profile_clipped(const ProfileReader *reader, Span span)
{
	ProfileBuilder builder;
	int			i;
	int			last;

	if (SPAN_IS_EMPTY(span))
	{
		profile_builder_init(&builder, 0, 0);
		return profile_finish(&builder);
	}
	i = profile_find(reader, span.from);
	last = span.until == DT_NOEND ? reader->n - 1 : profile_find(reader, span.until);
	profile_builder_init(&builder, (int64) last - i + 2, reader->scale);
	profile_append(&builder, span.from, profile_value_from(reader, i));
	while (++i <= last && profile_time(reader, i) < span.until)
	{
		CHECK_FOR_INTERRUPTS();
		profile_append(&builder, profile_time(reader, i), profile_value(reader, i));
	}
	if (span.until != DT_NOEND)
		profile_append(&builder, span.until, 0);
	return profile_finish(&builder);
}

PG_FUNCTION_INFO_V1(profile_clip);
Datum
profile_clip(PG_FUNCTION_ARGS)
{
	ProfileReader reader;

	profile_read(PG_GETARG_DATUM(0), &reader);
	PG_RETURN_POINTER(profile_clipped(&reader, span_arg(PG_GETARG_DATUM(1))));
}

/*
 * Measures.
 */
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
 * The length of a unit of time.  A month has no fixed length.
 */
static int64
interval_microseconds(const Interval *interval)
{
	int64		result;

	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unit of time must have a fixed length"),
				 errdetail("Months and years have no fixed length."),
				 errhint("Use days (of 24 hours), hours or less.")));
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, interval->time, &result) ||
		result <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unit of time must be positive")));
	return result;
}

PG_FUNCTION_INFO_V1(profile_integral);
Datum
profile_integral(PG_FUNCTION_ARGS)
{
	ProfileReader reader;

	profile_read(PG_GETARG_DATUM(0), &reader);
	return unit_time_ratio(profile_integral128(&reader, span_arg(PG_GETARG_DATUM(1))),
						   reader.scale,
						   interval_microseconds(PG_GETARG_INTERVAL_P(2)));
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
	if (span.from == DT_NOBEGIN || span.until == DT_NOEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean over an unbounded time is undefined"),
				 errhint("Bound the time, for example with tstzrange(a, b).")));

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
	int			i = profile_find(reader, span.from);
	int64		peak = profile_value_from(reader, i);

	*peak_at = span.from;
	while (++i < reader->n)
	{
		TimestampTz at = profile_time(reader, i);
		int64		value = profile_value(reader, i);

		CHECK_FOR_INTERRUPTS();
		if (at >= span.until)
			break;
		if (value > peak)
		{
			peak = value;
			*peak_at = at;
		}
	}
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
