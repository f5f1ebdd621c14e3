/*
 * money.c
 *		Rounding of amounts, and prices by tiers.
 *
 * All of it is numeric arithmetic that is exact: products and sums only, and
 * rounding where it is asked for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "money.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define call1(function, a)		DirectFunctionCall1((function), (a))
#define call2(function, a, b)	DirectFunctionCall2((function), (a), (b))
#define int4_numeric(i)			NumericGetDatum(int64_to_numeric(i))

static bool
numeric_less(Datum a, Datum b)
{
	return DatumGetBool(call2(numeric_lt, a, b));
}

static void
require_finite(Datum numeric, const char *what)
{
	if (numeric_is_nan(DatumGetNumeric(numeric)) || numeric_is_inf(DatumGetNumeric(numeric)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be finite", what)));
}

/*
 * money_round(amount, scale, mode)
 *
 * Truncate, then say whether what was cut off takes the result one unit away
 * from zero.
 */
typedef enum RoundingMode
{
	ROUND_HALF_EVEN,
	ROUND_HALF_UP,				/* away from zero */
	ROUND_HALF_DOWN,			/* towards zero */
	ROUND_DOWN,					/* towards zero */
	ROUND_UP,					/* away from zero */
	ROUND_FLOOR,
	ROUND_CEILING
} RoundingMode;

static const char *const rounding_modes[] = {
	"half_even", "half_up", "half_down", "down", "up", "floor", "ceiling"
};

static RoundingMode
rounding_mode_arg(const text *mode)
{
	for (size_t i = 0; i < lengthof(rounding_modes); i++)
	{
		if (text_is(mode, rounding_modes[i]))
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown rounding mode \"%s\"", text_to_cstring(mode)),
			 errhint("Rounding modes are half_even, half_up, half_down, down, up, floor and ceiling.")));
}

PG_FUNCTION_INFO_V1(money_round);
Datum
money_round(PG_FUNCTION_ARGS)
{
	Datum		amount = PG_GETARG_DATUM(0);
	int			scale = PG_GETARG_INT32(1);
	RoundingMode mode = rounding_mode_arg(PG_GETARG_TEXT_PP(2));
	Datum		unit;
	Datum		rounded;
	bool		negative;
	int			half;			/* of what was cut off, to half a unit */
	bool		away = false;

	if (scale < -NUMERIC_MAX_PRECISION || scale > NUMERIC_MAX_PRECISION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be between %d and %d", -NUMERIC_MAX_PRECISION, NUMERIC_MAX_PRECISION)));
	require_finite(amount, "amount");

	/* to nearest, away from zero: what numeric does itself */
	if (mode == ROUND_HALF_UP)
		return call2(numeric_round, amount, Int32GetDatum(scale));

	rounded = call2(numeric_trunc, amount, Int32GetDatum(scale));
	if (DatumGetBool(call2(numeric_eq, rounded, amount)))
		return call2(numeric_round, amount, Int32GetDatum(scale));

	negative = numeric_less(amount, int4_numeric(0));
	unit = DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", -scale)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	half = DatumGetInt32(call2(numeric_cmp,
							   call2(numeric_mul, int4_numeric(2),
									 call1(numeric_abs, call2(numeric_sub, amount, rounded))),
							   unit));
	switch (mode)
	{
		case ROUND_HALF_EVEN:
			/* a tie goes away from zero if the last digit is odd */
			away = half > 0 ||
				(half == 0 &&
				 !DatumGetBool(call2(numeric_eq, int4_numeric(0),
									 call2(numeric_mod, rounded,
										   call2(numeric_mul, int4_numeric(2), unit)))));
			break;
		case ROUND_HALF_UP:
		case ROUND_HALF_DOWN:
			away = half > 0;
			break;
		case ROUND_DOWN:
			break;
		case ROUND_UP:
			away = true;
			break;
		case ROUND_FLOOR:
			away = negative;
			break;
		case ROUND_CEILING:
			away = !negative;
			break;
	}
	if (away)
		rounded = call2(negative ? numeric_sub : numeric_add, rounded, unit);
	return rounded;
}

/*
 * tiered(quantity, upto, unit_price, flat, mode), and tiers(): the same by
 * tier.
 *
 * Tiers are continuous: one goes from the end of that before, which it does
 * not include, to its own end, which it does.  The first has no lower end: a
 * quantity of zero enters it, and a negative one is paid back at its price.
 */
typedef struct Tiers
{
	int			n;
	Datum	   *upto;
	Datum	   *unit_price;
	Datum	   *flat;
	bool		endless;		/* the last tier has no end */
	bool		volume;			/* the tier of the quantity prices all of it */
} Tiers;

/* One tier that a quantity enters. */
typedef struct TierEntered
{
	int			i;
	Datum		quantity;
} TierEntered;

/*
 * The elements of an array of finite numbers.
 */
static Datum *
numbers_arg(Datum array, const char *what, int n, bool *endless)
{
	ArrayType  *elements = DatumGetArrayTypeP(array);
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (ARR_NDIM(elements) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s of tiers must be an array of one dimension", what)));
	deconstruct_array(elements, NUMERICOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count == 0 || (n >= 0 && count != n))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 count == 0 ? errmsg("%s of tiers must not be empty", what) :
				 errmsg("%s must have an element for each of the %d tiers", what, n)));
	for (int i = 0; i < count; i++)
	{
		if (endless != NULL && i == count - 1 &&
			(nulls[i] || numeric_is_inf(DatumGetNumeric(values[i]))))
		{
			*endless = true;
			continue;
		}
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s of tier %d must not be null", what, i + 1),
					 endless != NULL ? errdetail("Only the last tier may be without an end.") : 0));
		require_finite(values[i], what);
	}
	return values;
}

/*
 * Read the tiers; false if the result is NULL.
 */
static bool
tiers_args(FunctionCallInfo fcinfo, Tiers *tiers)
{
	ArrayType  *upto;
	text	   *mode;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		return false;
	mode = PG_GETARG_TEXT_PP(4);
	tiers->volume = text_is(mode, "volume");
	if (!tiers->volume && !text_is(mode, "graduated"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode of tiers \"%s\"", text_to_cstring(mode)),
				 errhint("Modes are graduated and volume.")));
	require_finite(PG_GETARG_DATUM(0), "quantity");

	tiers->endless = false;
	upto = PG_GETARG_ARRAYTYPE_P(1);
	tiers->n = ArrayGetNItems(ARR_NDIM(upto), ARR_DIMS(upto));
	tiers->upto = numbers_arg(PointerGetDatum(upto), "end", -1, &tiers->endless);
	tiers->unit_price = numbers_arg(PG_GETARG_DATUM(2), "unit price", tiers->n, NULL);
	tiers->flat = PG_ARGISNULL(3) ? NULL :
		numbers_arg(PG_GETARG_DATUM(3), "flat amount", tiers->n, NULL);
	for (int i = 0; i < tiers->n - (tiers->endless ? 1 : 0); i++)
	{
		if (!numeric_less(i == 0 ? int4_numeric(0) : tiers->upto[i - 1], tiers->upto[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ends of tiers must be positive and ascending")));
	}
	return true;
}

static Datum
tier_flat(const Tiers *tiers, int i)
{
	return tiers->flat == NULL ? int4_numeric(0) : tiers->flat[i];
}

/*
 * The tiers that a quantity enters, in order, and how much of it is in each;
 * returns how many.
 */
static int
tiers_enter(const Tiers *tiers, Datum quantity, TierEntered *entered)
{
	int			n = 0;
	int			last = 0;		/* the tier in which the quantity ends */

	while (!(last == tiers->n - 1 && tiers->endless) &&
		   numeric_less(tiers->upto[last], quantity))
	{
		if (++last == tiers->n)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("quantity is beyond the last tier"),
					 errdetail("The quantity is %s, the last tier ends at %s.",
							   DatumGetCString(call1(numeric_out, quantity)),
							   DatumGetCString(call1(numeric_out, tiers->upto[tiers->n - 1]))),
					 errhint("An end of NULL lets the last tier go on.")));
	}
	for (int i = tiers->volume ? last : 0; i <= last; i++, n++)
	{
		Datum		end = i == last ? quantity : tiers->upto[i];

		entered[n].i = i;
		entered[n].quantity = tiers->volume || i == 0 ? end :
			call2(numeric_sub, end, tiers->upto[i - 1]);
	}
	return n;
}

PG_FUNCTION_INFO_V1(tiered);
Datum
tiered(PG_FUNCTION_ARGS)
{
	Tiers		tiers;
	TierEntered *entered;
	int			n;
	Datum		amount = int4_numeric(0);

	if (!tiers_args(fcinfo, &tiers))
		PG_RETURN_NULL();
	entered = palloc(tiers.n * sizeof(TierEntered));
	n = tiers_enter(&tiers, PG_GETARG_DATUM(0), entered);
	for (int i = 0; i < n; i++)
	{
		amount = call2(numeric_add, amount,
					   call2(numeric_mul, entered[i].quantity, tiers.unit_price[entered[i].i]));
		amount = call2(numeric_add, amount, tier_flat(&tiers, entered[i].i));
	}
	return amount;
}

PG_FUNCTION_INFO_V1(tiers);
Datum
tiers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Tiers		priced;
	TierEntered *entered;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (!tiers_args(fcinfo, &priced))
		return (Datum) 0;
	entered = palloc(priced.n * sizeof(TierEntered));
	n = tiers_enter(&priced, PG_GETARG_DATUM(0), entered);
	for (int i = 0; i < n; i++)
	{
		int			tier = entered[i].i;
		Datum		values[4] = {
			Int32GetDatum(tier + 1),
			entered[i].quantity,
			priced.unit_price[tier],
			tier_flat(&priced, tier)
		};
		bool		nulls[4] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
