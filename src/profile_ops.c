/*
 * profile_ops.c
 *		Profiles from profiles: comparison, algebra at every instant, and
 *		moving in time.  What is measured on them is in profile_measure.c.
 *
 * Operations of two profiles walk both in order of time, once, reading the
 * stored form in place.  All arithmetic is checked and exact.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "profile.h"
#include "recurrence.h"
#include "utils/builtins.h"
#include "utils/multirangetypes.h"
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
 * Compare the two arguments, and leave no decompressed copies of them behind:
 * a sort or an index calls this often before it frees any memory.
 */
static int
compare_args(FunctionCallInfo fcinfo, int (*compare) (Datum a, Datum b))
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	int			result = compare(PointerGetDatum(a), PointerGetDatum(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

/*
 * Comparison.  Equal profiles are equal bytes.
 */
static int
profile_equal(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

PG_FUNCTION_INFO_V1(profile_eq);
Datum
profile_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_args(fcinfo, profile_equal));
}

PG_FUNCTION_INFO_V1(profile_ne);
Datum
profile_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!compare_args(fcinfo, profile_equal));
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
	PG_RETURN_INT32(compare_args(fcinfo, profile_compare));
}

#define PROFILE_COMPARISON(name, op) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(compare_args(fcinfo, profile_compare) op 0); \
}

PROFILE_COMPARISON(profile_lt, <)
PROFILE_COMPARISON(profile_le, <=)
PROFILE_COMPARISON(profile_gt, >)
PROFILE_COMPARISON(profile_ge, >=)

PG_FUNCTION_INFO_V1(profile_hash);
Datum
profile_hash(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);
	Datum		hash = hash_any((unsigned char *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum));

	PG_FREE_IF_COPY(datum, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(profile_hash_extended);
Datum
profile_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);
	Datum		hash = hash_any_extended((unsigned char *) VARDATA_ANY(datum),
										 VARSIZE_ANY_EXHDR(datum), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(datum, 0);
	return hash;
}

/*
 * Pointwise: is a at most b at every instant?
 */
static int
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

static int
profile_at_least(Datum a, Datum b)
{
	return profile_at_most(b, a);
}

PG_FUNCTION_INFO_V1(profile_contained);
Datum
profile_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_args(fcinfo, profile_at_most));
}

PG_FUNCTION_INFO_V1(profile_contains);
Datum
profile_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_args(fcinfo, profile_at_least));
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

/*
 * The product of two profiles.
 *
 * Its scale is the sum of theirs.  Where a value then gets too long, the zeros
 * that end all of the values are dropped, so it is an error only if the
 * result cannot be kept.  Returns how many to drop.
 */
static int
product_zeros(Datum a, Datum b)
{
	Side		x;
	Side		y;
	int			zeros;
	bool		fits;

	side_init(&x, a);
	side_init(&y, b);
	zeros = x.reader.scale + y.reader.scale;
	fits = zeros <= DECIMAL_MAX_SCALE;
	while (x.next < x.reader.n || y.next < y.reader.n)
	{
		TimestampTz at = Min(x.next_at, y.next_at);
		int128		product;
		int			ending = 0;

		CHECK_FOR_INTERRUPTS();
		side_advance(&x, at);
		side_advance(&y, at);
		product = (int128) x.value * y.value;
		fits = fits && product > PG_INT64_MIN && product <= PG_INT64_MAX;
		if (product == 0)
			continue;
		for (; ending < zeros && product % 10 == 0; product /= 10)
			ending++;
		zeros = ending;
	}
	return fits ? 0 : zeros;
}

static struct varlena *
profile_product(Datum a, Datum b)
{
	int			zeros = product_zeros(a, b);
	int128		divisor = 1;
	Side		x;
	Side		y;
	int			scale;
	ProfileBuilder builder;

	side_init(&x, a);
	side_init(&y, b);
	scale = x.reader.scale + y.reader.scale - zeros;
	if (scale > DECIMAL_MAX_SCALE)
		decimal_overflow();
	for (; zeros > 0; zeros--)
		divisor *= 10;

	profile_builder_init(&builder, (int64) x.reader.n + y.reader.n, scale);
	while (x.next < x.reader.n || y.next < y.reader.n)
	{
		TimestampTz at = Min(x.next_at, y.next_at);
		int128		product;

		CHECK_FOR_INTERRUPTS();
		side_advance(&x, at);
		side_advance(&y, at);
		product = (int128) x.value * y.value;
		if (unlikely(divisor != 1))
			product /= divisor;
		if (unlikely(product <= PG_INT64_MIN || product > PG_INT64_MAX))
			decimal_overflow();
		profile_append(&builder, at, (int64) product);
	}
	return profile_finish(&builder);
}

PG_FUNCTION_INFO_V1(profile_multiply);
Datum
profile_multiply(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_product(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(profile_multiply_numeric);
Datum
profile_multiply_numeric(PG_FUNCTION_ARGS)
{
	Span		always = {DT_NOBEGIN, DT_NOEND};
	struct varlena *factor = profile_rectangle(always, decimal_arg(PG_GETARG_DATUM(1), "factor"));

	PG_RETURN_POINTER(profile_product(PG_GETARG_DATUM(0), PointerGetDatum(factor)));
}

PG_FUNCTION_INFO_V1(numeric_multiply_profile);
Datum
numeric_multiply_profile(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall2(profile_multiply_numeric, PG_GETARG_DATUM(1), PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(profile_negate);
Datum
profile_negate(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	ProfileBuilder builder;

	profile_read(PG_GETARG_DATUM(0), &reader);
	profile_builder_init(&builder, reader.n, reader.scale);
	for (int i = 0; i < reader.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		profile_append(&builder, profile_time(&reader, i), -profile_value(&reader, i));
	}
	PG_RETURN_PROFILE(&builder);
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
 * shift(profile, by): the same later, or earlier.
 */
PG_FUNCTION_INFO_V1(profile_shift);
Datum
profile_shift(PG_FUNCTION_ARGS)
{
	int64		by = fixed_length_arg(PG_GETARG_INTERVAL_P(1), "shift");
	ProfileReader reader;
	ProfileBuilder builder;

	profile_read(PG_GETARG_DATUM(0), &reader);
	profile_builder_init(&builder, reader.n, reader.scale);
	for (int i = 0; i < reader.n; i++)
	{
		TimestampTz at = profile_time(&reader, i);

		CHECK_FOR_INTERRUPTS();
		if (at != DT_NOBEGIN &&
			(pg_add_s64_overflow(at, by, &at) || !IS_VALID_TIMESTAMP(at)))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		profile_append(&builder, at, profile_value(&reader, i));
	}
	PG_RETURN_PROFILE(&builder);
}

/*
 * repeat(profile, every, during, time_zone): a schedule from one example.
 *
 * The pattern is what the profile says from its first finite breakpoint on,
 * for one period.  Its copies start whole numbers of periods from there, and
 * a copy ends where the next one starts.
 */
PG_FUNCTION_INFO_V1(profile_repeat);
Datum
profile_repeat(PG_FUNCTION_ARGS)
{
	Recurrence	recurrence;
	Span		span = span_arg(PG_GETARG_DATUM(2));
	ProfileReader reader;
	ProfileBuilder builder;
	LocalInstant *steps;
	int			n;
	int64		number;
	TimestampTz start;

	profile_read(PG_GETARG_DATUM(0), &reader);
	recurrence_init(&recurrence, PG_GETARG_INTERVAL_P(1), PG_GETARG_DATUM(3),
					"period of repetition");
	n = reader.n - reader.first_finite;
	profile_builder_init(&builder, reader.n, reader.scale);
	if (n == 0 || SPAN_IS_EMPTY(span))
		PG_RETURN_PROFILE(&builder);
	if (span.from == DT_NOBEGIN || span.until == DT_NOEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot repeat over an unbounded time"),
				 errhint("Bound the time, for example with tstzrange(a, b).")));

	steps = MemoryContextAllocHuge(CurrentMemoryContext, (int64) n * sizeof(LocalInstant));
	for (int i = 0; i < n; i++)
		steps[i] = recurrence_from(&recurrence, profile_time(&reader, reader.first_finite + i));

	/* the pattern is one period of the example */
	start = recurrence_at(&recurrence, steps[0], 1);
	while (steps[n - 1].at >= start)
		n--;

	number = recurrence_number(&recurrence, steps[0], span.from);
	start = recurrence_at(&recurrence, steps[0], number);
	while (start < span.until)
	{
		TimestampTz next = recurrence_at(&recurrence, steps[0], ++number);

		for (int i = 0; i < n; i++)
		{
			TimestampTz at = i == 0 ? start : recurrence_at(&recurrence, steps[i], number - 1);

			CHECK_FOR_INTERRUPTS();
			/* those in an hour that is skipped may come after later ones */
			if (at >= next || at >= span.until)
				continue;
			profile_put(&builder, Max(Max(at, start), span.from),
						profile_value(&reader, reader.first_finite + i));
		}
		start = next;
	}
	profile_put(&builder, span.until, 0);
	pfree(steps);
	PG_RETURN_PROFILE(&builder);
}

/*
 * profile(periods): 1 at the instants of a multirange.
 */
PG_FUNCTION_INFO_V1(profile_of_periods);
Datum
profile_of_periods(PG_FUNCTION_ARGS)
{
	MultirangeType *periods = PG_GETARG_MULTIRANGE_P(0);
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	int32		n;
	RangeType **ranges;
	ProfileBuilder builder;

	multirange_deserialize(type, periods, &n, &ranges);
	profile_builder_init(&builder, 2 * (int64) n, 0);

	/* they come in order, and do not overlap */
	for (int i = 0; i < n; i++)
	{
		Span		span = span_arg(RangeTypePGetDatum(ranges[i]));

		CHECK_FOR_INTERRUPTS();
		if (SPAN_IS_EMPTY(span))
			continue;
		profile_put(&builder, span.from, 1);
		if (span.until != DT_NOEND)
			profile_append(&builder, span.until, 0);
	}
	PG_RETURN_PROFILE(&builder);
}
