/*
 * profile_fuzz.c
 *		Fuzz target of the type "profile", for libFuzzer.
 *
 * The first byte of an input says what to do with the others, and in which time
 * zone (see shim.c); as a digit, in UTC:
 *
 *	0	text input: profile_in(), a 0 byte ends the text
 *	1	binary input: profile_recv()
 *	2	two profiles made from the bytes: comparison and algebra
 *	3	a number: decimal_parse()
 *
 * It must be accepted or refused as the model of model.c does, and what is
 * accepted must be what the model says, in canonical form, also after text and
 * binary output and input.
 */
#include "postgres.h"

#include "compat.h"
#include "lib/stringinfo.h"
#include "model.h"
#include "profile.h"
#include "shim.h"
#include "utils/timestamp.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

extern Datum profile_in(PG_FUNCTION_ARGS);
extern Datum profile_out(PG_FUNCTION_ARGS);
extern Datum profile_eq(PG_FUNCTION_ARGS);
extern Datum profile_ne(PG_FUNCTION_ARGS);
extern Datum profile_cmp(PG_FUNCTION_ARGS);
extern Datum profile_lt(PG_FUNCTION_ARGS);
extern Datum profile_ge(PG_FUNCTION_ARGS);
extern Datum profile_hash(PG_FUNCTION_ARGS);
extern Datum profile_contains(PG_FUNCTION_ARGS);
extern Datum profile_multiply(PG_FUNCTION_ARGS);
extern Datum profile_negate(PG_FUNCTION_ARGS);
extern Datum profile_shift(PG_FUNCTION_ARGS);

/* ----------
 * What holds for each value
 * ----------
 */
static bool
same_bytes(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return VARSIZE(x) == VARSIZE(y) && memcmp(x, y, VARSIZE(x)) == 0;
}

static int128
in_model(int64 mantissa, int scale)
{
	CHECK(scale >= 0 && scale <= MODEL_SCALE && mantissa != PG_INT64_MIN);
	return mantissa * model_pow10(MODEL_SCALE - scale);
}

/* A copy of exactly these bytes, so that reading past their end is noticed */
static void *
copy(const void *bytes, size_t size)
{
	void	   *result = palloc(size);

	memcpy(result, bytes, size);
	return result;
}

static Datum
receive_message(const void *bytes, int size)
{
	StringInfoData message = {.data = copy(bytes, size),.len = size,.maxlen = size};
	Datum		result = DirectFunctionCall1(profile_recv, PointerGetDatum(&message));

	CHECK(message.cursor == message.len);
	return result;
}

static Datum
through_binary(Datum profile)
{
	bytea	   *sent = DatumGetByteaPP(DirectFunctionCall1(profile_send, profile));

	return receive_message(VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
}

static void
check_reading(Datum profile, const Model *expected)
{
	ProfileReader reader;

	profile_read(profile, &reader);
	CHECK(reader.n == expected->n);
	CHECK(reader.scale == model_scale(expected));
	for (int i = 0; i < reader.n; i++)
	{
		int64		at = profile_time(&reader, i);

		CHECK(at == expected->steps[i].at);
		CHECK(i == 0 ? at == DT_NOBEGIN || IS_VALID_TIMESTAMP(at) : IS_VALID_TIMESTAMP(at));
		CHECK(in_model(profile_value(&reader, i), reader.scale) == expected->steps[i].value);
		CHECK(profile_until(&reader, i) == (i + 1 < reader.n ? expected->steps[i + 1].at : DT_NOEND));
		CHECK(profile_find(&reader, at) == i);
		CHECK(at == DT_NOBEGIN || profile_find(&reader, at - 1) == i - 1);
	}
	CHECK(profile_find(&reader, DT_NOEND) == reader.n - 1);
}

/* bytes for a signed integer */
static int
signed_width(int64 value)
{
	int			width = 1;

	while (value < -((int128) 1 << (8 * width - 1)) || value >= (int128) 1 << (8 * width - 1))
		width++;
	return width;
}

/* The form that profile.h describes: the largest unit, the smallest widths. */
static void
check_canonical(Datum profile, const Model *expected)
{
	const struct varlena *datum = (struct varlena *) DatumGetPointer(profile);
	const uint8 *p = (const uint8 *) VARDATA(datum);
	int			n = expected->n;
	int			first = n > 0 && expected->steps[0].at == DT_NOBEGIN ? 1 : 0;
	int			nfinite = n - first;
	int			scale = model_scale(expected);
	int			value_width = 0;
	int			time_width = 0;
	int			unit = 0;
	int128		length = 0;

	for (int i = 0; i < n; i++)
		value_width = Max(value_width,
						  signed_width(expected->steps[i].value / model_pow10(MODEL_SCALE - scale)));
	if (nfinite > 1)
	{
		length = (int128) expected->steps[n - 1].at - expected->steps[first].at;
		for (unit = 5; unit > 0; unit--)
		{
			int			i = first + 1;

			while (i < n && ((int128) expected->steps[i].at - expected->steps[first].at) % profile_units[unit] == 0)
				i++;
			if (i == n)
				break;
		}
		for (time_width = 1; length / profile_units[unit] >> (8 * time_width) != 0;)
			time_width++;
	}
	CHECK(p[0] == PROFILE_VERSION);
	CHECK(p[1] == scale);
	CHECK(p[2] == (value_width << 4 | time_width));
	CHECK(p[3] == (unit | (first ? PROFILE_FROM_MINUS_INFINITY : 0)));
	CHECK((int) VARSIZE(datum) == VARHDRSZ + PROFILE_HEADER_SIZE + (nfinite > 0 ? 8 : 0) +
		  Max(nfinite - 1, 0) * time_width + n * value_width);
}

/* Written at a larger scale, and with breakpoints that change nothing */
static void
check_builder(Datum profile, const Model *expected)
{
	int			scale = model_scale(expected);
	ProfileBuilder builder;

	if (scale < DECIMAL_MAX_SCALE && model_fits(expected, scale + 1))
		scale++;
	profile_builder_init(&builder, 0, scale);
	for (int i = 0; i < expected->n; i++)
	{
		int64		at = expected->steps[i].at;
		int64		value = expected->steps[i].value / model_pow10(MODEL_SCALE - scale);

		profile_put(&builder, at, i % 2);
		profile_put(&builder, at, value);
		if (at != DT_NOBEGIN && (i + 1 == expected->n || at + 1 < expected->steps[i + 1].at))
			profile_append(&builder, at + 1, value);
	}
	CHECK(same_bytes(profile, PointerGetDatum(profile_finish(&builder))));
}

/* With a header of one byte, not aligned, and nothing behind the end */
static void
check_short_header(Datum profile, const Model *expected)
{
	const struct varlena *datum = (struct varlena *) DatumGetPointer(profile);
	Size		size = VARSIZE(datum) - VARHDRSZ + VARHDRSZ_SHORT;
	char	   *packed;

	if (!VARATT_CAN_MAKE_SHORT(datum))
		return;
	packed = (char *) palloc(size + 1) + 1;
	SET_VARSIZE_SHORT(packed, size);
	memcpy(packed + VARHDRSZ_SHORT, VARDATA(datum), size - VARHDRSZ_SHORT);
	check_reading(PointerGetDatum(packed), expected);
	CHECK(DatumGetBool(DirectFunctionCall2(profile_eq, profile, PointerGetDatum(packed))));
	CHECK(DirectFunctionCall1(profile_hash, profile) ==
		  DirectFunctionCall1(profile_hash, PointerGetDatum(packed)));
}

/*
 * What one session writes, another one reads in its own time zone. Numbers are
 * as short as they can be.
 */
static void
check_text(Datum profile, const Model *expected, int zone)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(profile_out, profile));
	Model		read;

	for (const char *p = text; (p = strstr(p, "\": ")) != NULL;)
	{
		size_t		len = strcspn(p += 3, ",}");

		CHECK(memchr(p, '.', len) == NULL || p[len - 1] != '0');
	}
	CHECK(model_read(text, &read) && read.n == expected->n && model_compare(&read, expected) == 0);
	CHECK(same_bytes(profile, DirectFunctionCall1(profile_in, CStringGetDatum(text))));
	shim_set_zone((zone + 1) % SHIM_ZONES);
	CHECK(same_bytes(profile, DirectFunctionCall1(profile_in, CStringGetDatum(text))));
	shim_set_zone(zone);
}

/* The value, just as the model has it */
static void
check_profile(Datum profile, const Model *expected)
{
	check_reading(profile, expected);
	check_canonical(profile, expected);
}

/* The same, and what can be done with one value */
static void
check_thoroughly(Datum profile, const Model *expected, int zone)
{
	Datum		zero;
	Datum		doubled;
	Datum		negative;

	check_profile(profile, expected);
	profile = PointerGetDatum(copy(DatumGetPointer(profile), VARSIZE(DatumGetPointer(profile))));
	check_builder(profile, expected);
	check_short_header(profile, expected);
	check_text(profile, expected, zone);
	CHECK(same_bytes(profile, through_binary(profile)));

	zero = DirectFunctionCall2(profile_subtract, profile, profile);
	CHECK(VARSIZE(DatumGetPointer(zero)) == VARHDRSZ + PROFILE_HEADER_SIZE);
	CHECK(same_bytes(profile, DirectFunctionCall2(profile_add, profile, zero)));
	if (shim_try(profile_add, &doubled, 2, profile, profile))
		CHECK(same_bytes(profile, DirectFunctionCall2(profile_subtract, doubled, profile)));
	negative = DirectFunctionCall1(profile_negate, profile);
	CHECK(same_bytes(profile, DirectFunctionCall1(profile_negate, negative)));
	CHECK(same_bytes(profile,
					 DirectFunctionCall2(profile_subtract,
										 DirectFunctionCall1(profile_positive_part, profile),
										 DirectFunctionCall1(profile_positive_part, negative))));
}

/* ----------
 * 0: text input
 * ----------
 */
static void
fuzz_text(const uint8 *data, size_t size, int zone)
{
	size_t		len = strnlen((const char *) data, size);
	char	   *text = palloc(len + 1);
	Model		expected;
	Datum		profile;

	memcpy(text, data, len);
	text[len] = '\0';
	CHECK(shim_try(profile_in, &profile, 1, CStringGetDatum(text)) == model_read(text, &expected));
	if (model_read(text, &expected))
		check_thoroughly(profile, &expected, zone);
}

/* ----------
 * 1: binary input
 * ----------
 */
static uint64
big_endian(const uint8 *p, int n)
{
	uint64		result = 0;

	while (n-- > 0)
		result = result << 8 | *p++;
	return result;
}

/* What a message says; false if it must be refused. */
static bool
model_receive(const uint8 *data, size_t size, Model *result)
{
	int64		last = 0;

	model_init(result, size / 16 + 1);
	if (size < 6 || data[0] != PROFILE_VERSION || data[1] > MODEL_SCALE ||
		size != 6 + 16 * big_endian(data + 2, 4))
		return false;
	for (const uint8 *p = data + 6; p < data + size; p += 16)
	{
		int64		at = (int64) big_endian(p, 8);
		int64		value = (int64) big_endian(p + 8, 8);
		bool		is_first = p == data + 6;

		if (value == PG_INT64_MIN || (!is_first && at <= last) ||
			!((is_first && at == DT_NOBEGIN) || (at >= MIN_TIMESTAMP && at < END_TIMESTAMP)))
			return false;
		model_append(result, at, in_model(value, data[1]));
		last = at;
	}
	return true;
}

static void
fuzz_binary(const uint8 *data, size_t size, int zone)
{
	StringInfoData message = {.data = copy(data, size),.len = size,.maxlen = size};
	Model		expected;
	Datum		profile;
	bool		accepted = shim_try(profile_recv, &profile, 1, PointerGetDatum(&message));

	CHECK(accepted == model_receive(data, size, &expected));
	if (accepted)
	{
		CHECK(message.cursor == message.len);
		check_thoroughly(profile, &expected, zone);
	}
}

/* ----------
 * 2: two profiles
 * ----------
 */
typedef struct Bytes
{
	const uint8 *next;
	const uint8 *end;
} Bytes;

static int
take(Bytes *bytes)
{
	return bytes->next < bytes->end ? *bytes->next++ : 0;
}

/* A distance between breakpoints: one of our units, or a very long one */
static int64
take_distance(Bytes *bytes)
{
	int			kind = take(bytes) % 8;
	int64		count = take(bytes);

	return count * (kind < 6 ? profile_units[kind] : INT64CONST(1) << (kind == 6 ? 42 : 55));
}

/* A value at a scale: small, near the limits, or with zeros at its end */
static int64
take_value(Bytes *bytes)
{
	int64		value = (int8) take(bytes);
	int			kind = take(bytes);

	if (kind < 64)
		return value;
	if (kind < 128)
		return value < 0 ? -PG_INT64_MAX - 1 - value : PG_INT64_MAX - value;
	if (kind < 192)
		return value * decimal_pow10[kind % 17];
	return value * (INT64CONST(1) << kind % 56);
}

static Datum
take_profile(Bytes *bytes, Model *model)
{
	static const int64 starts[] = {DT_NOBEGIN, MIN_TIMESTAMP, -1, 0, INT64CONST(820454400000000)};
	int			scale = take(bytes) % (DECIMAL_MAX_SCALE + 1);
	int64		at = starts[take(bytes) % lengthof(starts)];
	int			n = take(bytes) % 32;
	ProfileBuilder builder;

	profile_builder_init(&builder, n, scale);
	model_init(model, n);
	for (int i = 0; i < n; i++)
	{
		int64		value = take_value(bytes);
		int64		distance = take_distance(bytes);

		if (value != PG_INT64_MIN)
		{
			profile_append(&builder, at, value);
			model_append(model, at, in_model(value, scale));
		}
		if (at == DT_NOBEGIN)
			at = Max(-distance, MIN_TIMESTAMP);
		else if (distance == 0 || (int128) at + distance >= END_TIMESTAMP)
			break;
		else
			at += distance;
	}
	return PointerGetDatum(profile_finish(&builder));
}

/* An instant at or near a breakpoint */
static int64
take_instant(Bytes *bytes, const Model *model)
{
	int			i = take(bytes);
	int			distance = take(bytes) % 3 - 1;

	if (model->n == 0 || i == 0)
		return DT_NOBEGIN;
	if (i == 255)
		return DT_NOEND;
	i %= model->n;
	if (model->steps[i].at == DT_NOBEGIN)
		return DT_NOBEGIN;
	return Max(model->steps[i].at + distance, MIN_TIMESTAMP);
}

static int128
model_add(int128 a, int128 b)
{
	return a + b;
}

static int128
model_subtract(int128 a, int128 b)
{
	return a - b;
}

static int128
model_least(int128 a, int128 b)
{
	return Min(a, b);
}

static int128
model_greatest(int128 a, int128 b)
{
	return Max(a, b);
}

/* where it is 1, a is more than b */
static int128
model_excess(int128 a, int128 b)
{
	return a > b ? model_pow10(MODEL_SCALE) : 0;
}

static void
check_operation(PGFunction function, ModelOperation operation,
				Datum a, const Model *x, Datum b, const Model *y)
{
	Model		expected;
	Datum		result;
	bool		possible = operation == NULL ? model_multiply(x, y, &expected) :
		model_pointwise(x, y, operation, &expected);

	CHECK(shim_try(function, &result, 2, a, b) == possible);
	if (possible)
		check_profile(result, &expected);
}

static void
check_comparison(Datum a, const Model *x, Datum b, const Model *y)
{
	int			cmp = model_compare(x, y);
	Model		excess;

	CHECK(DatumGetInt32(DirectFunctionCall2(profile_cmp, a, b)) == cmp);
	CHECK(DatumGetInt32(DirectFunctionCall2(profile_cmp, b, a)) == -cmp);
	CHECK(DatumGetBool(DirectFunctionCall2(profile_lt, a, b)) == (cmp < 0));
	CHECK(DatumGetBool(DirectFunctionCall2(profile_ge, a, b)) == (cmp >= 0));
	CHECK(DatumGetBool(DirectFunctionCall2(profile_eq, a, b)) == (cmp == 0));
	CHECK(DatumGetBool(DirectFunctionCall2(profile_ne, a, b)) == (cmp != 0));
	CHECK(same_bytes(a, b) == (cmp == 0));

	(void) model_pointwise(x, y, model_excess, &excess);
	CHECK(DatumGetBool(DirectFunctionCall2(profile_contained, a, b)) == (excess.n == 0));
	CHECK(DatumGetBool(DirectFunctionCall2(profile_contains, b, a)) == (excess.n == 0));
}

static void
check_moving(Datum a, const Model *x, Bytes *bytes)
{
	Span		span;
	Interval	by = {0};
	ProfileReader reader;
	Model		expected;
	Datum		shifted;
	bool		possible;

	span.from = take_instant(bytes, x);
	span.until = take_instant(bytes, x);
	profile_read(a, &reader);
	CHECK(model_clip(x, span.from, span.until, &expected));
	check_profile(PointerGetDatum(profile_clipped(&reader, span)), &expected);

	by.time = take_value(bytes);
	by.day = (int8) take(bytes);
	possible = model_shift(x, by.time + (int128) by.day * USECS_PER_DAY, &expected);
	if (shim_try(profile_shift, &shifted, 2, a, IntervalPGetDatum(&by)))
	{
		CHECK(possible);
		check_profile(shifted, &expected);
	}
	else
		CHECK(!possible || by.time > PG_INT64_MAX / 2 || by.time < PG_INT64_MIN / 2);
}

static void
fuzz_pair(const uint8 *data, size_t size)
{
	Bytes		bytes = {data, data + size};
	Model		x;
	Model		y;
	Datum		a = take_profile(&bytes, &x);
	Datum		b = take_profile(&bytes, &y);

	check_profile(a, &x);
	check_profile(b, &y);
	check_comparison(a, &x, b, &y);
	check_operation(profile_add, model_add, a, &x, b, &y);
	check_operation(profile_subtract, model_subtract, a, &x, b, &y);
	check_operation(profile_pointwise_min, model_least, a, &x, b, &y);
	check_operation(profile_pointwise_max, model_greatest, a, &x, b, &y);
	check_operation(profile_multiply, NULL, a, &x, b, &y);
	check_moving(a, &x, &bytes);
}

/* ----------
 * 3: a number
 * ----------
 */
static void
fuzz_number(const uint8 *data, size_t size)
{
	const char *text = copy(data, size);
	int128		expected;
	int128		again;
	ModelNumber status = model_number(text, size, &expected);
	Decimal		read;

	switch (decimal_parse(text, size, &read))
	{
		case DECIMAL_OK:
			CHECK(status == MODEL_NUMBER);
			CHECK(in_model(read.mantissa, read.scale) == expected);
			CHECK(read.scale == model_value_scale(expected));
			for (int scale = read.scale; scale <= DECIMAL_MAX_SCALE; scale++)
			{
				char		out[DECIMAL_MAXLEN];
				int64		mantissa;
				int			len;

				if (!decimal_rescale(read.mantissa, read.scale, scale, &mantissa))
				{
					CHECK(expected / model_pow10(MODEL_SCALE - scale) != (int64) (expected / model_pow10(MODEL_SCALE - scale)));
					break;
				}
				len = decimal_out(mantissa, scale, out);
				CHECK(strlen(out) == (size_t) len);
				CHECK(model_number(out, len, &again) == MODEL_NUMBER && again == expected);
			}
			break;
		case DECIMAL_SYNTAX:
			CHECK(status == MODEL_NOT_A_NUMBER);
			break;
		case DECIMAL_OVERFLOW:
			CHECK(status == MODEL_TOO_LONG);
			break;
		default:
			CHECK(false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	int			zone;

	if (size == 0)
		return 0;
	zone = data[0] / 4 % SHIM_ZONES;
	shim_begin(zone);
	switch (data[0] % 4)
	{
		case 0:
			fuzz_text(data + 1, size - 1, zone);
			break;
		case 1:
			fuzz_binary(data + 1, size - 1, zone);
			break;
		case 2:
			fuzz_pair(data + 1, size - 1);
			break;
		default:
			fuzz_number(data + 1, size - 1);
	}
	shim_end();
	return 0;
}
