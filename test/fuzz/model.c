/*
 * model.c
 *		A naive implementation of profiles: see model.h.
 */
#include "model.h"

#include <ctype.h>

#include "datatype/timestamp.h"

#define MAX_MANTISSA	((int128) PG_INT64_MAX)

int128
model_pow10(int exponent)
{
	int128		result = 1;

	while (exponent-- > 0)
		result *= 10;
	return result;
}

/*
 * A big number by its digits: "digits" * 10^exponent, no zero at either end.
 * It fits if it has at most 18 decimal places and, without the point, is at
 * most the largest int64.
 */
static ModelNumber
fit_digits(bool negative, const char *digits, int ndigits, int64 exponent, int128 *result)
{
	static const char largest[] = "9223372036854775807";
	char		whole[sizeof(largest)];
	int			nwhole;

	*result = 0;
	if (ndigits == 0)
		return MODEL_NUMBER;
	if (exponent < -MODEL_SCALE || ndigits + Max(exponent, 0) > (int) strlen(largest))
		return MODEL_TOO_LONG;
	nwhole = ndigits + Max(exponent, 0);
	memset(whole, '0', nwhole);
	memcpy(whole, digits, ndigits);
	if (nwhole == (int) strlen(largest) && memcmp(whole, largest, nwhole) > 0)
		return MODEL_TOO_LONG;

	for (int i = 0; i < nwhole; i++)
		*result = *result * 10 + (whole[i] - '0');
	*result *= model_pow10(MODEL_SCALE + Min(exponent, 0));
	if (negative)
		*result = -*result;
	return MODEL_NUMBER;
}

ModelNumber
model_number(const char *str, size_t len, int128 *result)
{
	const char *p = str;
	const char *end = str + len;
	char	   *digits = palloc(len + 1);
	int			ndigits = 0;
	int			first = 0;
	int64		exponent = 0;
	bool		negative = p < end && *p == '-';
	ModelNumber status;

	if (negative)
		p++;
	while (p < end && isdigit((unsigned char) *p))
		digits[ndigits++] = *p++;
	if (ndigits == 0 || (ndigits > 1 && digits[0] == '0'))
		return MODEL_NOT_A_NUMBER;
	if (p < end && *p == '.')
	{
		const char *point = p++;

		while (p < end && isdigit((unsigned char) *p))
			digits[ndigits++] = *p++;
		exponent = point + 1 - p;
		if (exponent == 0)
			return MODEL_NOT_A_NUMBER;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		const char *start;
		bool		minus;
		int64		written = 0;

		p++;
		minus = p < end && *p == '-';
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		/* far more than the length of any input is enough */
		for (start = p; p < end && isdigit((unsigned char) *p); p++)
			written = Min(written * 10 + (*p - '0'), INT64CONST(1000000000000));
		if (p == start)
			return MODEL_NOT_A_NUMBER;
		exponent += minus ? -written : written;
	}
	if (p != end)
		return MODEL_NOT_A_NUMBER;

	for (; ndigits > 0 && digits[ndigits - 1] == '0'; ndigits--)
		exponent++;
	while (first < ndigits && digits[first] == '0')
		first++;
	status = fit_digits(negative, digits + first, ndigits - first, exponent, result);
	pfree(digits);
	return status;
}

int
model_value_scale(int128 value)
{
	int			scale = MODEL_SCALE;

	for (; scale > 0 && value % 10 == 0; value /= 10)
		scale--;
	return scale;
}

int
model_scale(const Model *model)
{
	int			scale = 0;

	for (int i = 0; i < model->n; i++)
		scale = Max(scale, model_value_scale(model->steps[i].value));
	return scale;
}

bool
model_fits(const Model *model, int scale)
{
	int128		unit = model_pow10(MODEL_SCALE - scale);

	for (int i = 0; i < model->n; i++)
	{
		int128		mantissa = model->steps[i].value / unit;

		if (mantissa > MAX_MANTISSA || mantissa < -MAX_MANTISSA)
			return false;
	}
	return true;
}

void
model_init(Model *model, int size)
{
	model->n = 0;
	model->size = size;
	model->steps = palloc(size * sizeof(ModelStep));
}

void
model_append(Model *model, int64 at, int128 value)
{
	CHECK(model->n == 0 || model->steps[model->n - 1].at < at);
	if (value == (model->n == 0 ? 0 : model->steps[model->n - 1].value))
		return;
	CHECK(model->n < model->size);
	model->steps[model->n].at = at;
	model->steps[model->n++].value = value;
}

int128
model_value_at(const Model *model, int64 at)
{
	int128		value = 0;

	for (int i = 0; i < model->n && model->steps[i].at <= at; i++)
		value = model->steps[i].value;
	return value;
}

/*
 * The instants of both, each once, in order
 */
static int
both_instants(const Model *a, const Model *b, int64 **result)
{
	int			i = 0;
	int			j = 0;
	int			n = 0;

	*result = palloc((a->n + b->n) * sizeof(int64));
	while (i < a->n || j < b->n)
	{
		int64		at = j == b->n || (i < a->n && a->steps[i].at < b->steps[j].at) ?
			a->steps[i].at : b->steps[j].at;

		if (i < a->n && a->steps[i].at == at)
			i++;
		if (j < b->n && b->steps[j].at == at)
			j++;
		(*result)[n++] = at;
	}
	return n;
}

int
model_compare(const Model *a, const Model *b)
{
	int64	   *at;
	int			n = both_instants(a, b, &at);

	for (int i = 0; i < n; i++)
	{
		int128		x = model_value_at(a, at[i]);
		int128		y = model_value_at(b, at[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/*
 * An operation that needs no more decimal places than its operands have: all
 * three must fit at the common scale of the two.
 */
bool
model_pointwise(const Model *a, const Model *b, ModelOperation operation, Model *result)
{
	int			scale = Max(model_scale(a), model_scale(b));
	int64	   *at;
	int			n = both_instants(a, b, &at);

	model_init(result, n);
	for (int i = 0; i < n; i++)
		model_append(result, at[i], operation(model_value_at(a, at[i]), model_value_at(b, at[i])));
	return model_fits(a, scale) && model_fits(b, scale) && model_fits(result, scale);
}

/*
 * A product has up to 36 decimal places, and must get by with 18.
 */
bool
model_multiply(const Model *a, const Model *b, Model *result)
{
	int128		a_unit = model_pow10(MODEL_SCALE - model_scale(a));
	int128		b_unit = model_pow10(MODEL_SCALE - model_scale(b));
	int64	   *at;
	int			n = both_instants(a, b, &at);

	model_init(result, n);
	for (int i = 0; i < n; i++)
	{
		int128		product = (model_value_at(a, at[i]) / a_unit) * (model_value_at(b, at[i]) / b_unit);
		int			scale = model_scale(a) + model_scale(b);

		for (; scale > 0 && product % 10 == 0; product /= 10)
			scale--;
		if (scale > MODEL_SCALE || product > MAX_MANTISSA || product < -MAX_MANTISSA)
			return false;
		model_append(result, at[i], product * model_pow10(MODEL_SCALE - scale));
	}
	return model_fits(result, model_scale(result));
}

bool
model_clip(const Model *model, int64 from, int64 until, Model *result)
{
	model_init(result, model->n + 2);
	if (from < until)
	{
		model_append(result, from, model_value_at(model, from));
		for (int i = 0; i < model->n; i++)
		{
			if (model->steps[i].at > from && model->steps[i].at < until)
				model_append(result, model->steps[i].at, model->steps[i].value);
		}
		if (until != DT_NOEND)
			model_append(result, until, 0);
	}
	return true;
}

bool
model_shift(const Model *model, int64 by, Model *result)
{
	model_init(result, model->n);
	for (int i = 0; i < model->n; i++)
	{
		int128		at = (int128) model->steps[i].at + by;

		if (model->steps[i].at == DT_NOBEGIN)
			at = DT_NOBEGIN;
		else if (at < MIN_TIMESTAMP || at >= END_TIMESTAMP)
			return false;
		model_append(result, (int64) at, model->steps[i].value);
	}
	return true;
}

/* ----------
 * Text
 * ----------
 */
static const char *
skip(const char *p)
{
	return p + strspn(p, " \t\n\r");
}

static int
compare_steps(const void *a, const void *b)
{
	int64		x = ((const ModelStep *) a)->at;
	int64		y = ((const ModelStep *) b)->at;

	return x < y ? -1 : x > y;
}

/*
 * A profile literal; false if it is none.
 */
bool
model_read(const char *str, Model *result)
{
	const char *p = skip(str);
	Model		read;

	/* no breakpoint is shorter than "2000-01-01":0, */
	model_init(&read, strlen(str) / 10 + 1);
	model_init(result, read.size);
	if (*p++ != '{')
		return false;
	for (p = skip(p); *p != '}'; p = skip(p))
	{
		ModelStep  *step = &read.steps[read.n];
		size_t		len;

		if (read.n > 0)
		{
			if (*p++ != ',')
				return false;
			p = skip(p);
		}
		if (*p++ != '"')
			return false;
		len = strcspn(p, "\"");
		if (p[len] == '\0' || !shim_read_instant(p, len, &step->at) || step->at == DT_NOEND)
			return false;
		p = skip(p + len + 1);
		if (*p++ != ':')
			return false;
		p = skip(p);
		len = strspn(p, "+-.eE0123456789");
		if (model_number(p, len, &step->value) != MODEL_NUMBER)
			return false;
		p += len;
		read.n++;
	}
	if (*skip(p + 1) != '\0')
		return false;

	qsort(read.steps, read.n, sizeof(ModelStep), compare_steps);
	for (int i = 0; i < read.n; i++)
	{
		if (i > 0 && read.steps[i - 1].at == read.steps[i].at)
			return false;
		model_append(result, read.steps[i].at, read.steps[i].value);
	}
	return model_fits(result, model_scale(result));
}
