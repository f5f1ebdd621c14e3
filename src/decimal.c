/*
 * decimal.c
 *		Fixed-point decimals: from text and numeric, to text and numeric.
 *
 * numeric is read straight from its stored form.  That form is part of the
 * on-disk format of PostgreSQL (unchanged since 9.1, and pg_upgrade depends
 * on it), and reading it is several times faster than going through the
 * function manager, which matters in aggregates over millions of rows.
 */
#include "postgres.h"

#include "compat.h"
#include "decimal.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* the stored form of numeric, as in PostgreSQL's numeric.c */
#define NUMERIC_SIGN_MASK			0xC000
#define NUMERIC_NEG					0x4000
#define NUMERIC_SHORT				0x8000
#define NUMERIC_SPECIAL				0xC000
#define NUMERIC_SHORT_SIGN			0x2000
#define NUMERIC_SHORT_WEIGHT_SIGN	0x0040
#define NUMERIC_SHORT_WEIGHT_MASK	0x003F
#define NUMERIC_SHORT_DSCALE_MASK	0x1F80
#define NUMERIC_SHORT_DSCALE_SHIFT	7
#define NUMERIC_SHORT_DSCALE_MAX	63
#define NUMERIC_DSCALE_MASK			0x3FFF
#define NUMERIC_DIGIT_BASE			10000
#define NUMERIC_DIGIT_DECIMALS		4

/*
 * So many base-10000 digits always fit the 128-bit accumulator, and a number
 * with more of them has more significant digits than an int64 can hold
 * (the outermost two digits may be only partly significant).
 */
#define MAX_NUMERIC_DIGITS			7

const int64 decimal_pow10[DECIMAL_MAX_SCALE + 1] = {
	INT64CONST(1),
	INT64CONST(10),
	INT64CONST(100),
	INT64CONST(1000),
	INT64CONST(10000),
	INT64CONST(100000),
	INT64CONST(1000000),
	INT64CONST(10000000),
	INT64CONST(100000000),
	INT64CONST(1000000000),
	INT64CONST(10000000000),
	INT64CONST(100000000000),
	INT64CONST(1000000000000),
	INT64CONST(10000000000000),
	INT64CONST(100000000000000),
	INT64CONST(1000000000000000),
	INT64CONST(10000000000000000),
	INT64CONST(100000000000000000),
	INT64CONST(1000000000000000000)
};

/*
 * Bring (-1)^negative * mantissa * 10^-scale into canonical form, if it fits.
 */
static inline DecimalStatus
decimal_make(bool negative, uint128 mantissa, int scale, Decimal *result)
{
	if (mantissa == 0)
	{
		result->mantissa = 0;
		result->scale = 0;
		return DECIMAL_OK;
	}

	/* whole numbers with trailing zeros left out */
	while (scale < 0)
	{
		if (mantissa > PG_INT64_MAX / 10)
			return DECIMAL_OVERFLOW;
		mantissa *= 10;
		scale++;
	}

	/* drop trailing zeros; the 128-bit division is slow and rarely needed */
	while (scale > 0 && mantissa > PG_INT64_MAX && mantissa % 10 == 0)
	{
		mantissa /= 10;
		scale--;
	}
	if (mantissa > PG_INT64_MAX)
		return DECIMAL_OVERFLOW;
	if (scale > 0)
	{
		uint64		small = (uint64) mantissa;

		while (scale > 0 && small % 10 == 0)
		{
			small /= 10;
			scale--;
		}
		mantissa = small;
	}
	if (scale > DECIMAL_MAX_SCALE)
		return DECIMAL_OVERFLOW;

	result->mantissa = negative ? -(int64) mantissa : (int64) mantissa;
	result->scale = scale;
	return DECIMAL_OK;
}

/*
 * Read a JSON number.
 */
DecimalStatus
decimal_parse(const char *str, size_t len, Decimal *result)
{
	const char *p = str;
	const char *end = str + len;
	bool		negative = false;
	uint128		mantissa = 0;
	int64		scale = 0;
	int64		zeros = 0;		/* zeros read but not yet known to matter */
	bool		overflow = false;

	if (p < end && *p == '-')
	{
		negative = true;
		p++;
	}

	/* as in JSON: no leading zeros, and a digit on both sides of the point */
	if (p == end || *p < '0' || *p > '9' ||
		(*p == '0' && p + 1 < end && p[1] >= '0' && p[1] <= '9'))
		return DECIMAL_SYNTAX;
	for (int fraction = 0;; p++)
	{
		if (p < end && *p >= '0' && *p <= '9')
		{
			scale += fraction;
			if (*p == '0')
			{
				/* it takes a nonzero digit behind it to make a zero count */
				if (mantissa != 0 || fraction)
					zeros++;
				continue;
			}
			/* 35 digits fit; a number with more of them is too long anyway */
			for (; zeros > 0 && !overflow; zeros--)
			{
				if (mantissa == 0)
				{
					zeros = 0;
					break;
				}
				overflow = mantissa > ((uint128) PG_INT64_MAX) << 32;
				mantissa *= 10;
			}
			overflow = overflow || mantissa > ((uint128) PG_INT64_MAX) << 32;
			if (!overflow)
				mantissa = mantissa * 10 + (*p - '0');
		}
		else if (p < end && *p == '.' && !fraction)
		{
			fraction = 1;
			if (p + 1 == end || p[1] < '0' || p[1] > '9')
				return DECIMAL_SYNTAX;
		}
		else
			break;
	}
	/* trailing zeros: 10^zeros was read and not multiplied */
	scale -= zeros;

	if (p < end && (*p == 'e' || *p == 'E'))
	{
		bool		negative_exponent = false;
		int64		exponent = 0;

		p++;
		if (p < end && (*p == '+' || *p == '-'))
			negative_exponent = *p++ == '-';
		if (p == end || *p < '0' || *p > '9')
			return DECIMAL_SYNTAX;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
		{
			if (exponent <= PG_INT32_MAX)
				exponent = exponent * 10 + (*p - '0');
		}
		scale += negative_exponent ? exponent : -exponent;
	}
	if (p != end)
		return DECIMAL_SYNTAX;

	if (overflow)
		return DECIMAL_OVERFLOW;
	/* far out of range; zero is zero with any exponent */
	if (mantissa != 0 && (scale > 100 || scale < -100))
		return DECIMAL_OVERFLOW;
	return decimal_make(negative, mantissa, (int) Min(Max(scale, -100), 100), result);
}

/* What is in a numeric, which is detoasted but may have a short header. */
typedef struct NumericParts
{
	bool		negative;
	int			weight;
	int			dscale;
	int			ndigits;
	const char *digits;			/* int16, but not aligned */
} NumericParts;

/* False if it is not finite. */
static inline bool
numeric_parts(const struct varlena *numeric, NumericParts *parts)
{
	const char *p = VARDATA_ANY(numeric);
	const char *end = p + VARSIZE_ANY_EXHDR(numeric);
	uint16		header;

	memcpy(&header, p, sizeof(uint16));
	p += sizeof(uint16);

	switch (header & NUMERIC_SIGN_MASK)
	{
		case NUMERIC_SPECIAL:
			return false;
		case NUMERIC_SHORT:
			parts->negative = (header & NUMERIC_SHORT_SIGN) != 0;
			parts->weight = header & NUMERIC_SHORT_WEIGHT_MASK;
			if (header & NUMERIC_SHORT_WEIGHT_SIGN)
				parts->weight |= ~NUMERIC_SHORT_WEIGHT_MASK;
			parts->dscale = (header & NUMERIC_SHORT_DSCALE_MASK) >> NUMERIC_SHORT_DSCALE_SHIFT;
			break;
		default:
			{
				int16		long_weight;

				parts->negative = (header & NUMERIC_SIGN_MASK) == NUMERIC_NEG;
				memcpy(&long_weight, p, sizeof(int16));
				p += sizeof(int16);
				parts->weight = long_weight;
				parts->dscale = header & NUMERIC_DSCALE_MASK;
			}
	}
	parts->digits = p;
	parts->ndigits = (end - p) / sizeof(int16);
	return true;
}

/*
 * Read a numeric.
 */
DecimalStatus
decimal_from_numeric(const struct varlena *numeric, Decimal *result)
{
	NumericParts parts;
	const char *p;
	int			weight;
	bool		negative;
	int			ndigits;

	if (!numeric_parts(numeric, &parts))
		return DECIMAL_NOT_FINITE;
	p = parts.digits;
	weight = parts.weight;
	negative = parts.negative;
	ndigits = parts.ndigits;

	/* numeric keeps no zero digits at either end */
	if (ndigits <= 4)
	{
		uint64		mantissa = 0;

		for (int i = 0; i < ndigits; i++, p += sizeof(int16))
		{
			int16		digit;

			memcpy(&digit, p, sizeof(int16));
			mantissa = mantissa * NUMERIC_DIGIT_BASE + digit;
		}

		/* the fast way out: a small whole number, the usual quantity */
		if (weight == ndigits - 1)
		{
			result->mantissa = negative ? -(int64) mantissa : (int64) mantissa;
			result->scale = 0;
			return DECIMAL_OK;
		}
		return decimal_make(negative, mantissa,
							(ndigits - 1 - weight) * NUMERIC_DIGIT_DECIMALS, result);
	}
	else if (ndigits <= MAX_NUMERIC_DIGITS)
	{
		uint128		mantissa = 0;

		for (int i = 0; i < ndigits; i++, p += sizeof(int16))
		{
			int16		digit;

			memcpy(&digit, p, sizeof(int16));
			mantissa = mantissa * NUMERIC_DIGIT_BASE + digit;
		}
		return decimal_make(negative, mantissa,
							(ndigits - 1 - weight) * NUMERIC_DIGIT_DECIMALS, result);
	}
	return DECIMAL_OVERFLOW;
}

/*
 * Append the length of a numeric in the binary format of COPY, and what
 * numeric_send() makes of it.  False if it is not finite.
 */
bool
decimal_send_numeric(StringInfo buf, const struct varlena *numeric)
{
	NumericParts parts;

	if (!numeric_parts(numeric, &parts))
		return false;
	pq_sendint32(buf, (4 + parts.ndigits) * sizeof(int16));
	pq_sendint16(buf, parts.ndigits);
	pq_sendint16(buf, parts.weight);
	pq_sendint16(buf, parts.negative ? NUMERIC_NEG : 0);
	pq_sendint16(buf, parts.dscale);
	for (int i = 0; i < parts.ndigits; i++)
	{
		int16		digit;

		memcpy(&digit, parts.digits + i * sizeof(int16), sizeof(int16));
		pq_sendint16(buf, digit);
	}
	return true;
}

/*
 * decimal_arg() for all numbers, and its errors.
 */
Decimal
decimal_arg_slow(Datum numeric, const char *what)
{
	Decimal		result = {0};

	switch (decimal_from_numeric(packed_arg(numeric), &result))
	{
		case DECIMAL_OK:
			break;
		case DECIMAL_NOT_FINITE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s must be finite", what),
					 errdetail("The value is %s.",
							   DatumGetCString(DirectFunctionCall1(numeric_out, numeric)))));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s out of range", what),
					 errdetail("The value %s needs more than %d significant digits or more than %d decimal places.",
							   DatumGetCString(DirectFunctionCall1(numeric_out, numeric)),
							   DECIMAL_MAX_SCALE, DECIMAL_MAX_SCALE),
					 errhint("Round the value, or choose a larger unit.")));
	}
	return result;
}

/*
 * A result does not fit.
 */
void
decimal_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("quantity out of range"),
			 errdetail("A profile keeps %d significant digits: the largest value and the smallest fraction share them.",
					   DECIMAL_MAX_SCALE),
			 errhint("Round the quantities, or choose a larger unit.")));
	pg_unreachable();
}

/*
 * Write a decimal as a JSON number; returns its length.
 */
int
decimal_out(int64 mantissa, int scale, char *buf)
{
	char		digits[DECIMAL_MAXLEN];
	int			len = pg_lltoa(mantissa, digits);
	int			sign = mantissa < 0 ? 1 : 0;
	int			whole = len - sign - scale; /* digits before the point */
	char	   *p = buf;

	if (scale == 0)
	{
		memcpy(buf, digits, len + 1);
		return len;
	}
	if (sign)
		*p++ = '-';
	if (whole <= 0)
	{
		*p++ = '0';
		*p++ = '.';
		for (; whole < 0; whole++)
			*p++ = '0';
		memcpy(p, digits + sign, len - sign);
		p += len - sign;
	}
	else
	{
		memcpy(p, digits + sign, whole);
		p += whole;
		*p++ = '.';
		memcpy(p, digits + sign + whole, scale);
		p += scale;
	}
	*p = '\0';
	return p - buf;
}

/*
 * To numeric, with just so many decimal places: the same bytes as
 * int64_div_fast_to_numeric(), but without making a variable first.
 */
Datum
decimal_to_numeric(int64 mantissa, int scale)
{
	uint64		rest = mantissa < 0 ? -(uint64) mantissa : (uint64) mantissa;
	int			decimals = scale % NUMERIC_DIGIT_DECIMALS;
	int			weight = -((scale + NUMERIC_DIGIT_DECIMALS - 1) / NUMERIC_DIGIT_DECIMALS);
	int16		digits[MAX_NUMERIC_DIGITS];	/* the last first */
	int			n = 0;
	struct varlena *result;
	char	   *p;
	uint16		header;

	if (scale > NUMERIC_SHORT_DSCALE_MAX)
		return NumericGetDatum(int64_div_fast_to_numeric(mantissa, scale));

	/* the last digit may hold fewer decimal places */
	if (decimals != 0)
	{
		digits[n] = rest % decimal_pow10[decimals] * decimal_pow10[NUMERIC_DIGIT_DECIMALS - decimals];
		rest /= decimal_pow10[decimals];
		n += digits[n] != 0;
		weight += n == 0;
	}
	for (; rest > 0; rest /= NUMERIC_DIGIT_BASE)
	{
		digits[n] = rest % NUMERIC_DIGIT_BASE;
		/* without zeros at the end */
		if (n > 0 || digits[n] != 0)
			n++;
		else
			weight++;
	}
	weight = n > 0 ? weight + n - 1 : 0;
	header = NUMERIC_SHORT | (mantissa < 0 ? NUMERIC_SHORT_SIGN : 0) |
		scale << NUMERIC_SHORT_DSCALE_SHIFT |
		(weight < 0 ? NUMERIC_SHORT_WEIGHT_SIGN : 0) | (weight & NUMERIC_SHORT_WEIGHT_MASK);

	result = palloc(VARHDRSZ + sizeof(uint16) + n * sizeof(int16));
	SET_VARSIZE(result, VARHDRSZ + sizeof(uint16) + n * sizeof(int16));
	p = VARDATA(result);
	memcpy(p, &header, sizeof(uint16));
	while (n > 0)
	{
		p += sizeof(int16);
		memcpy(p, &digits[--n], sizeof(int16));
	}
	return PointerGetDatum(result);
}

/*
 * To numeric, without trailing zeros: equal values print alike.
 */
Datum
decimal_get_numeric(int64 mantissa, int scale)
{
	while (scale > 0 && mantissa % 10 == 0)
	{
		mantissa /= 10;
		scale--;
	}
	return decimal_to_numeric(mantissa, scale);
}

/*
 * The same for the 128-bit sums of our accumulators.
 */
Datum
decimal128_get_numeric(int128 mantissa, int scale)
{
	char		digits[DECIMAL_MAXLEN];
	char	   *p = digits + sizeof(digits);
	uint128		rest = mantissa < 0 ? -(uint128) mantissa : (uint128) mantissa;

	while (scale > 0 && mantissa % 10 == 0)
	{
		mantissa /= 10;
		rest /= 10;
		scale--;
	}
	if (mantissa >= PG_INT64_MIN && mantissa <= PG_INT64_MAX)
		return decimal_get_numeric((int64) mantissa, scale);

	/* 39 digits at most; the scale goes into an exponent */
	*--p = '\0';
	for (; rest > 0; rest /= 10)
		*--p = '0' + (int) (rest % 10);
	if (mantissa < 0)
		*--p = '-';
	return DirectFunctionCall3(numeric_in,
							   CStringGetDatum(psprintf("%se-%d", p, scale)),
							   ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}
