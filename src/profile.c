/*
 * profile.c
 *		The type "profile": its canonical stored form, text and binary
 *		input and output, and its constructors.
 *
 * The stored form is described in profile.h; only profile_read() and
 * profile_pack() know it.  What is computed from profiles is in
 * profile_ops.c, the aggregates are in profile_agg.c.
 */
#include "postgres.h"

#include "compat.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* one breakpoint as written by the user, with a scale of its own */
typedef struct InputStep
{
	TimestampTz at;
	Decimal		value;
} InputStep;

/* each divides the next; the choice among them is part of the stored form */
const int64 profile_units[] = {
	1,
	INT64CONST(1000),
	USECS_PER_SEC,
	USECS_PER_MINUTE,
	USECS_PER_HOUR,
	USECS_PER_DAY
};

#define LARGEST_UNIT	((int) lengthof(profile_units) - 1)

/*
 * Prepare to read a profile without copying or aligning it.
 */
void
profile_read(Datum profile, ProfileReader *reader)
{
	struct varlena *datum = packed_arg(profile);
	const uint8 *p = (const uint8 *) VARDATA_ANY(datum);
	uint64		base;
	int			nfinite;

	if (VARSIZE_ANY_EXHDR(datum) < PROFILE_HEADER_SIZE || p[0] != PROFILE_VERSION ||
		(p[3] & 0x07) > LARGEST_UNIT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unsupported version of stored profile"),
				 errhint("The value was written by a newer release of sharecollab, or is damaged.")));

	reader->end = p + VARSIZE_ANY_EXHDR(datum);
	reader->scale = p[1];
	reader->time_width = p[2] & 0x0F;
	reader->value_width = p[2] >> 4;
	reader->unit = profile_units[p[3] & 0x07];
	reader->first_finite = (p[3] & PROFILE_FROM_MINUS_INFINITY) ? 1 : 0;
	reader->n = (int32) profile_load(p + 4, 4, reader->end);
	p += PROFILE_HEADER_SIZE;

	nfinite = reader->n - reader->first_finite;
	base = 0;
	if (nfinite > 0)
	{
		base = profile_load(p, 8, reader->end);
		p += 8;
	}
	reader->base = (TimestampTz) base;
	reader->times = p;
	reader->values = p + (int64) Max(nfinite - 1, 0) * reader->time_width;
	Assert(reader->values + (int64) reader->n * reader->value_width == reader->end);
}

/*
 * The last breakpoint at or before an instant; -1 if there is none.
 */
int
profile_find(const ProfileReader *reader, TimestampTz at)
{
	int			low = -1;
	int			high = reader->n;

	while (high - low > 1)
	{
		int			middle = low + (high - low) / 2;

		if (profile_time(reader, middle) <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void
profile_too_long(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("profile has too many breakpoints"),
			 errdetail("At most " INT64_FORMAT " are possible.", PROFILE_MAX_STEPS),
			 errhint("Clip the profile to a shorter time, or split it by period.")));
	pg_unreachable();
}

/*
 * Start a profile; "size" is a guess of its number of breakpoints.
 */
void
profile_builder_init(ProfileBuilder *builder, int64 size, int scale)
{
	builder->n = 0;
	builder->size = Min(Max(size, 4), PROFILE_MAX_STEPS);
	builder->scale = scale;
	builder->at = MemoryContextAllocHuge(CurrentMemoryContext,
										 builder->size * sizeof(TimestampTz));
	builder->value = MemoryContextAllocHuge(CurrentMemoryContext,
											builder->size * sizeof(int64));
}

void
profile_builder_grow(ProfileBuilder *builder)
{
	if (builder->size >= PROFILE_MAX_STEPS)
		profile_too_long();
	builder->size = Min(builder->size * 2, PROFILE_MAX_STEPS);
	builder->at = repalloc_huge(builder->at, builder->size * sizeof(TimestampTz));
	builder->value = repalloc_huge(builder->value, builder->size * sizeof(int64));
}

/* Write an integer, and perhaps further bytes up to the 8th. */
static inline uint8 *
store(uint8 *p, uint64 value, int width)
{
#ifndef WORDS_BIGENDIAN
	memcpy(p, &value, sizeof(uint64));
#else
	for (int i = 0; i < width; i++, value >>= 8)
		p[i] = (uint8) value;
#endif
	return p + width;
}

/* bytes for an unsigned integer, at least 1 */
static inline int
unsigned_width(uint64 value)
{
	int			width = 1;

	while (width < 8 && (value >> (8 * width)) != 0)
		width++;
	return width;
}

/*
 * Drop the decimal places that no value needs.
 */
static void
trim_scale(ProfileBuilder *builder)
{
	while (builder->scale > 0)
	{
		for (int i = 0; i < builder->n; i++)
		{
			if (builder->value[i] % 10 != 0)
				return;
		}
		for (int i = 0; i < builder->n; i++)
			builder->value[i] /= 10;
		builder->scale--;
	}
}

/*
 * Make the canonical stored form.
 */
struct varlena *
profile_pack(ProfileBuilder *builder)
{
	int			n = builder->n;
	int			first = n > 0 && builder->at[0] == DT_NOBEGIN ? 1 : 0;
	int			nfinite = n - first;
	uint64		base = nfinite > 0 ? (uint64) builder->at[first] : 0;
	int			unit = LARGEST_UNIT;
	int			time_width = 0;
	int			value_width = 0;
	uint64		value_bits = 0;
	int64		size;
	struct varlena *result;
	uint8	   *p;

	if (n == 0)
		builder->scale = 0;
	else
		trim_scale(builder);

	for (int i = first + 1; i < n && unit > 0; i++)
	{
		uint64		offset = (uint64) builder->at[i] - base;

		while (offset % (uint64) profile_units[unit] != 0)
			unit--;
	}
	if (nfinite > 1)
		time_width = unsigned_width(((uint64) builder->at[n - 1] - base) / profile_units[unit]);
	else
		unit = 0;

	/* fold negative values onto positive ones of the same width */
	for (int i = 0; i < n; i++)
		value_bits |= (uint64) (builder->value[i] ^ (builder->value[i] >> 63));
	if (n > 0)
		value_width = value_bits >> 62 != 0 ? 8 : unsigned_width(value_bits << 1);

	size = VARHDRSZ + PROFILE_HEADER_SIZE + (nfinite > 0 ? 8 : 0) +
		(int64) Max(nfinite - 1, 0) * time_width + (int64) n * value_width;
	if (size > (int64) (MaxAllocSize - sizeof(uint64)))
		profile_too_long();
	/* with room for what store() writes behind the last one */
	result = palloc(size + sizeof(uint64));
	SET_VARSIZE(result, size);

	p = (uint8 *) VARDATA(result);
	*p++ = PROFILE_VERSION;
	*p++ = (uint8) builder->scale;
	*p++ = (uint8) (value_width << 4 | time_width);
	*p++ = (uint8) (unit | (first ? PROFILE_FROM_MINUS_INFINITY : 0));
	p = store(p, n, 4);
	if (nfinite > 0)
		p = store(p, base, 8);
	if (unit == 0)
	{
		for (int i = first + 1; i < n; i++)
			p = store(p, (uint64) builder->at[i] - base, time_width);
	}
	else
	{
		for (int i = first + 1; i < n; i++)
			p = store(p, ((uint64) builder->at[i] - base) / profile_units[unit], time_width);
	}
	for (int i = 0; i < n; i++)
		p = store(p, (uint64) builder->value[i], value_width);
	Assert(p == (uint8 *) result + size);
	return result;
}

/*
 * The same, and free the builder's arrays.
 */
struct varlena *
profile_finish(ProfileBuilder *builder)
{
	struct varlena *result = profile_pack(builder);

	pfree(builder->at);
	pfree(builder->value);
	return result;
}

/*
 * Text input: a JSON object from instants to numbers.
 *
 * The order of the keys does not matter, as clients do not keep it (jsonb
 * does not).  JSON escapes are not supported in keys: no timestamp needs one.
 */
static int
compare_input_steps(const void *a, const void *b)
{
	TimestampTz x = ((const InputStep *) a)->at;
	TimestampTz y = ((const InputStep *) b)->at;

	return (x > y) - (x < y);
}

static inline const char *
skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

PG_FUNCTION_INFO_V1(profile_in);
Datum
profile_in(PG_FUNCTION_ARGS)
{
	char	   *literal = PG_GETARG_CSTRING(0);
	const char *p = skip_space(literal);
	InputStep  *steps;
	int			n = 0;
	int			size = 16;
	int			scale = 0;
	bool		sorted = true;
	const char *expected;
	ProfileBuilder builder;

	steps = palloc(size * sizeof(InputStep));
	if (*p != '{')
	{
		expected = "\"{\"";
		goto malformed;
	}
	p = skip_space(p + 1);
	while (*p != '}' || n > 0)
	{
		char		key[MAXDATELEN + 1];
		const char *start;
		TimestampTz at;
		size_t		len;

		CHECK_FOR_INTERRUPTS();

		/* the instant */
		if (*p != '"')
		{
			expected = n == 0 ? "\"}\" or an instant in double quotes" : "an instant in double quotes";
			goto malformed;
		}
		start = ++p;
		while (*p != '"' && *p != '\\' && (unsigned char) *p >= ' ')
			p++;
		len = p - start;
		if (*p != '"' || len > MAXDATELEN)
		{
			p = start - 1;
			expected = "an instant in double quotes, without escapes";
			goto malformed;
		}
		memcpy(key, start, len);
		key[len] = '\0';
		if (!instant_in(key, fcinfo->context, &at))
			PG_RETURN_NULL();
		if (at == DT_NOEND)
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("malformed profile literal: \"%s\"", literal),
					 errdetail("A breakpoint cannot be at infinity.")));

		p = skip_space(p + 1);
		if (*p != ':')
		{
			expected = "\":\"";
			goto malformed;
		}
		p = skip_space(p + 1);

		/* the number */
		start = p;
		while (*p == '+' || *p == '-' || *p == '.' || *p == 'e' || *p == 'E' ||
			   (*p >= '0' && *p <= '9'))
			p++;
		if (n == size)
		{
			if (size >= PROFILE_MAX_STEPS)
				profile_too_long();
			size = Min((int64) size * 2, PROFILE_MAX_STEPS);
			steps = repalloc_huge(steps, size * sizeof(InputStep));
		}
		switch (decimal_parse(start, p - start, &steps[n].value))
		{
			case DECIMAL_OK:
				break;
			case DECIMAL_OVERFLOW:
				ereturn(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("quantity out of range for type profile: \"%.*s\"",
								(int) Min(p - start, 100), start),
						 errdetail("A profile keeps %d significant digits.", DECIMAL_MAX_SCALE)));
			default:
				p = start;
				expected = "a JSON number";
				goto malformed;
		}
		steps[n].at = at;
		sorted = sorted && (n == 0 || steps[n - 1].at < steps[n].at);
		scale = Max(scale, steps[n].value.scale);
		n++;

		p = skip_space(p);
		if (*p == '}')
			break;
		if (*p != ',')
		{
			expected = "\",\" or \"}\"";
			goto malformed;
		}
		p = skip_space(p + 1);
	}
	p = skip_space(p + 1);
	if (*p != '\0')
	{
		expected = "the end of the literal";
		goto malformed;
	}

	if (!sorted)
		qsort(steps, n, sizeof(InputStep), compare_input_steps);
	profile_builder_init(&builder, n, scale);
	for (int i = 0; i < n; i++)
	{
		int64		value;

		if (i > 0 && steps[i - 1].at == steps[i].at)
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("malformed profile literal: \"%s\"", literal),
					 errdetail("The instant \"%s\" has two values.",
							   timestamptz_to_str(steps[i].at))));
		if (!decimal_rescale(steps[i].value.mantissa, steps[i].value.scale, scale, &value))
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("quantity out of range for type profile"),
					 errdetail("A profile keeps %d significant digits: the largest value and the smallest fraction share them.",
							   DECIMAL_MAX_SCALE)));
		profile_append(&builder, steps[i].at, value);
	}
	pfree(steps);
	PG_RETURN_PROFILE(&builder);

malformed:
	ereturn(fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("malformed profile literal: \"%s\"", literal),
			 errdetail("Expected %s at character %d.", expected, (int) (p - literal) + 1),
			 errhint("A profile is a JSON object from instants to numbers, such as '{\"2026-01-01 00:00:00+00\": 8}'.")));
}

/*
 * Instants of our types are written in ISO style whatever DateStyle says, in
 * the session's time zone as timestamptz prints them, so that JSON clients can
 * rely on the form.  The buffer has room for MAXDATELEN + 1 bytes.
 */
void
instant_out(TimestampTz at, char *buf)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	const char *tzn;

	if (at == DT_NOBEGIN)
		strcpy(buf, EARLY);
	else if (at == DT_NOEND)
		strcpy(buf, LATE);
	else if (timestamp2tm(at, &tz, &tm, &fsec, &tzn, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	else
		EncodeDateTime(&tm, fsec, true, tz, tzn, USE_ISO_DATES, buf);
}

/* And read as timestamptz reads them; false after a soft error. */
bool
instant_in(char *str, struct Node *context, TimestampTz *result)
{
	Datum		at;

	if (!direct_input_compat(timestamptz_in, str, context, &at))
		return false;
	*result = DatumGetTimestampTz(at);
	return true;
}

/*
 * Text output.
 */
PG_FUNCTION_INFO_V1(profile_out);
Datum
profile_out(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	StringInfoData out;

	profile_read(PG_GETARG_DATUM(0), &reader);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < reader.n; i++)
	{
		TimestampTz at = profile_time(&reader, i);
		char		buf[MAXDATELEN + 1];
		char		number[DECIMAL_MAXLEN];
		int64		value = profile_value(&reader, i);
		int			scale = reader.scale;

		CHECK_FOR_INTERRUPTS();
		instant_out(at, buf);
		for (; scale > 0 && value % 10 == 0; scale--)
			value /= 10;
		decimal_out(value, scale, number);
		appendStringInfo(&out, "%s\"%s\": %s", i > 0 ? ", " : "", buf, number);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/*
 * Binary input and output: version, scale, number of breakpoints, then each
 * instant (as timestamptz) and mantissa (int64), in network byte order.
 */
PG_FUNCTION_INFO_V1(profile_recv);
Datum
profile_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			scale;
	int			n;
	TimestampTz previous = 0;
	ProfileBuilder builder;

	if (version != PROFILE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported profile version number %d", version)));
	scale = pq_getmsgbyte(buf);
	if (scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid profile scale %d", scale),
				 errdetail("The scale is between 0 and %d.", DECIMAL_MAX_SCALE)));
	n = pq_getmsgint(buf, 4);

	/* check the length before allocating */
	if (n < 0 || n > PROFILE_MAX_STEPS || n != (buf->len - buf->cursor) / 16 ||
		(buf->len - buf->cursor) % 16 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid number of breakpoints in profile: %d", n),
				 errdetail("The message has %d bytes left; each breakpoint takes 16.",
						   buf->len - buf->cursor)));

	profile_builder_init(&builder, n, scale);
	for (int i = 0; i < n; i++)
	{
		TimestampTz at = pq_getmsgint64(buf);
		int64		value = pq_getmsgint64(buf);

		CHECK_FOR_INTERRUPTS();
		if ((i > 0 && at <= previous) ||
			!(IS_VALID_TIMESTAMP(at) || (i == 0 && at == DT_NOBEGIN)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid instant in profile"),
					 errdetail("Instants must be valid and in strictly increasing order; only the first may be -infinity.")));
		if (value == PG_INT64_MIN)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("quantity out of range for type profile")));
		previous = at;
		profile_append(&builder, at, value);
	}
	PG_RETURN_PROFILE(&builder);
}

PG_FUNCTION_INFO_V1(profile_send);
Datum
profile_send(PG_FUNCTION_ARGS)
{
	ProfileReader reader;
	StringInfoData buf;

	profile_read(PG_GETARG_DATUM(0), &reader);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, PROFILE_VERSION);
	pq_sendbyte(&buf, reader.scale);
	pq_sendint32(&buf, reader.n);
	for (int i = 0; i < reader.n; i++)
	{
		pq_sendint64(&buf, profile_time(&reader, i));
		pq_sendint64(&buf, profile_value(&reader, i));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * The quantity during one span, 0 outside.
 */
struct varlena *
profile_rectangle(Span span, Decimal quantity)
{
	ProfileBuilder builder;

	profile_builder_init(&builder, 2, quantity.scale);
	if (!SPAN_IS_EMPTY(span))
	{
		profile_append(&builder, span.from, quantity.mantissa);
		if (span.until != DT_NOEND)
			profile_append(&builder, span.until, 0);
	}
	return profile_finish(&builder);
}

/* profile(quantity): the same at all times */
PG_FUNCTION_INFO_V1(profile_constant);
Datum
profile_constant(PG_FUNCTION_ARGS)
{
	Span		always = {DT_NOBEGIN, DT_NOEND};

	PG_RETURN_POINTER(profile_rectangle(always, decimal_arg(PG_GETARG_DATUM(0), "quantity")));
}

/* profile(period, quantity) */
PG_FUNCTION_INFO_V1(profile_of_period);
Datum
profile_of_period(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(profile_rectangle(span_arg(PG_GETARG_DATUM(0)),
										decimal_arg(PG_GETARG_DATUM(1), "quantity")));
}
