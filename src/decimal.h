/*
 * decimal.h
 *		Fixed-point decimals: an int64 mantissa and a decimal scale.
 *
 * All quantities inside our types are such decimals.  They are exact or they
 * are an error (22003); nothing here rounds.
 */
#ifndef SHARECOLLAB_DECIMAL_H
#define SHARECOLLAB_DECIMAL_H

#include "common/int.h"
#include "lib/stringinfo.h"

/* the largest power of ten that fits an int64 mantissa */
#define DECIMAL_MAX_SCALE	18

/* sign, 19 digits, point, leading zero and end of string; with slack */
#define DECIMAL_MAXLEN		48

typedef struct Decimal
{
	int64		mantissa;		/* never PG_INT64_MIN, so that it can be negated */
	int			scale;			/* 0 .. DECIMAL_MAX_SCALE; as small as possible */
} Decimal;

extern const int64 decimal_pow10[DECIMAL_MAX_SCALE + 1];

/* why a number cannot be represented; decimal_error() makes the message */
typedef enum DecimalStatus
{
	DECIMAL_OK,
	DECIMAL_SYNTAX,				/* not a number at all (only from text) */
	DECIMAL_NOT_FINITE,			/* NaN or infinity (only from numeric) */
	DECIMAL_OVERFLOW			/* more digits than we keep */
} DecimalStatus;

extern DecimalStatus decimal_parse(const char *str, size_t len, Decimal *result);
extern DecimalStatus decimal_from_numeric(const struct varlena *numeric, Decimal *result);
extern bool decimal_send_numeric(StringInfo buf, const struct varlena *numeric);
extern Decimal decimal_arg_slow(Datum numeric, const char *what);
pg_noreturn extern void decimal_overflow(void);

extern int	decimal_out(int64 mantissa, int scale, char *buf);
extern Datum decimal_to_numeric(int64 mantissa, int scale);
extern Datum decimal_get_numeric(int64 mantissa, int scale);
extern Datum decimal128_get_numeric(int128 mantissa, int scale);

/*
 * A varlena argument, detoasted if it must be, but with a short header left
 * as it is.
 */
static inline struct varlena *
packed_arg(Datum datum)
{
	struct varlena *pointer = (struct varlena *) DatumGetPointer(datum);

	if (unlikely(VARATT_IS_COMPRESSED(pointer) || VARATT_IS_EXTERNAL(pointer)))
		return pg_detoast_datum_packed(pointer);
	return pointer;
}

/*
 * Read a numeric argument; "what" names it in the error.
 *
 * The usual quantity, a whole number below 10000, is read right here: a header
 * (see decimal.c) that says not negative, weight 0, and one digit.
 */
static inline Decimal
decimal_arg(Datum numeric, const char *what)
{
	struct varlena *datum = packed_arg(numeric);

	if (likely(VARSIZE_ANY_EXHDR(datum) == 2 * sizeof(int16)))
	{
		uint16		header;
		int16		digit;

		memcpy(&header, VARDATA_ANY(datum), sizeof(uint16));
		memcpy(&digit, VARDATA_ANY(datum) + sizeof(uint16), sizeof(int16));
		if (likely((header & 0xE07F) == 0x8000))
		{
			Decimal		result = {digit, 0};

			return result;
		}
	}
	return decimal_arg_slow(PointerGetDatum(datum), what);
}

/*
 * Bring a mantissa to a larger scale.  False if it does not fit.
 */
static inline bool
decimal_rescale(int64 mantissa, int from, int to, int64 *result)
{
	Assert(from <= to && to <= DECIMAL_MAX_SCALE);

	if (from == to)
	{
		*result = mantissa;
		return true;
	}
	return !pg_mul_s64_overflow(mantissa, decimal_pow10[to - from], result) &&
		*result != PG_INT64_MIN;
}

/*
 * The same for the 128-bit sums of our accumulators.
 */
static inline bool
decimal128_rescale(int128 *mantissa, int from, int to)
{
	Assert(from <= to && to - from <= DECIMAL_MAX_SCALE);

	return from == to ||
		!__builtin_mul_overflow(*mantissa, (int128) decimal_pow10[to - from], mantissa);
}

/*
 * Compare two decimals of different scales; cannot overflow.
 */
static inline int
decimal_cmp(int64 a, int a_scale, int64 b, int b_scale)
{
	int128		x = a;
	int128		y = b;

	if (a_scale < b_scale)
		x *= decimal_pow10[b_scale - a_scale];
	else
		y *= decimal_pow10[a_scale - b_scale];
	return (x > y) - (x < y);
}

#endif							/* SHARECOLLAB_DECIMAL_H */
