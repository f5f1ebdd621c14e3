/*
 * split.c
 *		split(amount, weight, scale): exact shares of an amount, by the weights
 *		of the rows of a window or of a tally.
 *
 * Largest remainder (Hamilton): everybody gets their exact share rounded down
 * to a unit of 10^-scale, and the units that are left go, one each, to those
 * who lost most by that.  So the shares always sum to the amount, none is more
 * than a unit from the exact one, and the result is the same for every run:
 * ties go to the earlier row of the window, or party of the tally.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "windowapi.h"

#define call1(function, a)		DirectFunctionCall1((function), (a))
#define call2(function, a, b)	DirectFunctionCall2((function), (a), (b))
#define int4_numeric(i)			NumericGetDatum(int64_to_numeric(i))

typedef struct Remainder
{
	Datum		remainder;		/* numeric, in units times the total weight */
	int64		row;
} Remainder;

/* kept for the rows of one partition */
typedef struct SplitState
{
	bool		done;
	Datum	   *shares;			/* 0 for a null weight */
	bool	   *nulls;
} SplitState;

/* largest remainder first, then the earlier row */
static int
compare_remainders(const void *a, const void *b)
{
	const Remainder *x = a;
	const Remainder *y = b;
	int			cmp = DatumGetInt32(call2(numeric_cmp, y->remainder, x->remainder));

	return cmp != 0 ? cmp : (x->row > y->row) - (x->row < y->row);
}

static bool
numeric_equal(Datum a, Datum b)
{
	return DatumGetBool(call2(numeric_eq, a, b));
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
 * Compute the shares of all rows of a partition, in the current context.
 */
static void
split_partition(WindowObject window, SplitState *state, int64 nrows, Datum amount, int scale)
{
	Datum		zero = int4_numeric(0);
	Datum		one = int4_numeric(1);
	Datum		digits = Int32GetDatum(scale);
	Datum		unit = DirectFunctionCall3(numeric_in,
										   CStringGetDatum(psprintf("1e-%d", scale)),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		units;
	Datum		total = zero;
	Datum		left;
	Datum	   *weights = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Datum));
	Remainder  *remainders = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Remainder));
	bool		negative = DatumGetBool(call2(numeric_lt, amount, zero));

	if (!numeric_equal(call2(numeric_round, amount, digits), amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split has more than %d decimal places", scale),
				 errdetail("The amount is %s.", DatumGetCString(call1(numeric_out, amount))),
				 errhint("Round the amount first: round(amount, %d).", scale)));

	/* a negative amount is split like the positive one */
	units = call2(numeric_div_trunc, call1(numeric_abs, amount), unit);
	left = units;

	for (int64 i = 0; i < nrows; i++)
	{
		bool		isout;
		Datum		weight = WinGetFuncArgInPartition(window, 1, i, WINDOW_SEEK_HEAD, false,
													  &state->nulls[i], &isout);
		bool		isnull;
		Datum		other;

		CHECK_FOR_INTERRUPTS();
		if (state->nulls[i])
			weight = zero;
		require_finite(weight, "weight");
		if (DatumGetBool(call2(numeric_lt, weight, zero)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight must not be negative")));
		weights[i] = datumCopy(weight, false, -1);
		total = call2(numeric_add, total, weight);

		other = WinGetFuncArgInPartition(window, 0, i, WINDOW_SEEK_HEAD, false, &isnull, &isout);
		if (isnull || !numeric_equal(other, amount))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("amount to split must be the same in every row of the partition")));
		other = WinGetFuncArgInPartition(window, 2, i, WINDOW_SEEK_HEAD, false, &isnull, &isout);
		if (isnull || DatumGetInt32(other) != scale)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scale of a split must be the same in every row of the partition")));
	}
	if (numeric_equal(total, zero) && !numeric_equal(units, zero))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot split an amount when all weights are zero")));

	for (int64 i = 0; i < nrows; i++)
	{
		Datum		product;

		CHECK_FOR_INTERRUPTS();
		remainders[i].row = i;
		if (numeric_equal(units, zero))
		{
			state->shares[i] = zero;
			remainders[i].remainder = zero;
			continue;
		}
		product = call2(numeric_mul, units, weights[i]);
		state->shares[i] = call2(numeric_div_trunc, product, total);
		remainders[i].remainder = call2(numeric_sub, product,
										call2(numeric_mul, state->shares[i], total));
		left = call2(numeric_sub, left, state->shares[i]);
	}

	/* fewer units are left than there are rows with a remainder */
	qsort(remainders, nrows, sizeof(Remainder), compare_remainders);
	for (int64 i = 0; i < nrows && DatumGetBool(call2(numeric_gt, left, zero)); i++)
	{
		int64		row = remainders[i].row;

		state->shares[row] = call2(numeric_add, state->shares[row], one);
		left = call2(numeric_sub, left, one);
	}
	for (int64 i = 0; i < nrows; i++)
	{
		state->shares[i] = call2(numeric_mul, state->shares[i], unit);
		if (negative)
			state->shares[i] = call1(numeric_uminus, state->shares[i]);
	}
}

PG_FUNCTION_INFO_V1(split_window);
Datum
split_window(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	SplitState *state = WinGetPartitionLocalMemory(window, sizeof(SplitState));
	int64		row = WinGetCurrentPosition(window);

	if (!state->done)
	{
		int64		nrows = WinGetPartitionRowCount(window);
		bool		amount_null;
		bool		scale_null;
		Datum		amount = WinGetFuncArgCurrent(window, 0, &amount_null);
		int			scale = DatumGetInt32(WinGetFuncArgCurrent(window, 2, &scale_null));
		MemoryContext old;
		MemoryContext scratch;

		if (amount_null || scale_null)
			PG_RETURN_NULL();
		if (scale < 0 || scale > NUMERIC_MAX_DISPLAY_SCALE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scale must be between 0 and %d", NUMERIC_MAX_DISPLAY_SCALE)));
		require_finite(amount, "amount");

		/* the results live as long as the partition, what they took does not */
		old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
		state->shares = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Datum));
		state->nulls = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(bool));
		scratch = AllocSetContextCreate(CurrentMemoryContext, "split", ALLOCSET_DEFAULT_SIZES);
		MemoryContextSwitchTo(scratch);
		split_partition(window, state, nrows, datumCopy(amount, false, -1), scale);
		MemoryContextSwitchTo(GetMemoryChunkContext(state));
		for (int64 i = 0; i < nrows; i++)
			state->shares[i] = datumCopy(state->shares[i], false, -1);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(scratch);
		state->done = true;
	}
	if (state->nulls[row])
		PG_RETURN_NULL();
	return state->shares[row];
}

/*
 * The same in integers, for tallies: parts of a whole, over one denominator, as
 * whole units that sum to the total.  A tie goes to the earlier row.  The parts
 * may sum to a little less than the total, if they were rounded down.
 */
typedef struct TallyRemainder
{
	uint128		remainder;
	int64		i;
} TallyRemainder;

static int
compare_tally_remainders(const void *a, const void *b)
{
	const TallyRemainder *x = a;
	const TallyRemainder *y = b;

	if (x->remainder != y->remainder)
		return x->remainder > y->remainder ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

void
tally_shares(TallyRow *rows, int64 n, const uint128 *parts, uint128 denominator, int64 total)
{
	TallyRemainder *remainders = MemoryContextAllocHuge(CurrentMemoryContext,
														Max(n, 1) * sizeof(TallyRemainder));
	int64		left = total;

	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[i].quantity = parts[i] / denominator;
		remainders[i].remainder = parts[i] % denominator;
		remainders[i].i = i;
		left -= (int64) rows[i].quantity;
	}

	/* no more units are left than there are rows with a remainder */
	Assert(left >= 0 && left <= n);
	qsort(remainders, n, sizeof(TallyRemainder), compare_tally_remainders);
	for (int64 i = 0; i < left; i++)
		rows[remainders[i].i].quantity++;
	pfree(remainders);
}

void
tally_require_scale(int scale)
{
	if (scale < 0 || scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale of the shares in a tally must be between 0 and %d", DECIMAL_MAX_SCALE)));
}

/*
 * split(amount, weights tally, scale): the shares as a tally.
 *
 * What a tally holds fits integers: units and weights have 63 bits each, their
 * products 126.
 */
PG_FUNCTION_INFO_V1(tally_split);
Datum
tally_split(PG_FUNCTION_ARGS)
{
	Decimal		amount = decimal_arg(PG_GETARG_DATUM(0), "amount to split");
	int			scale = PG_GETARG_INT32(2);
	PartyMap	weights;
	int128		total;
	int64		units;
	TallyRow   *shares;
	uint128    *parts;

	tally_require_scale(scale);
	if (amount.scale > scale)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split has more than %d decimal places", scale),
				 errdetail("The amount is %s.",
						   DatumGetCString(call1(numeric_out, PG_GETARG_DATUM(0)))),
				 errhint("Round the amount first: round(amount, %d).", scale)));
	if (!decimal_rescale(amount.mantissa, amount.scale, scale, &units))
		tally_overflow();

	/* a negative amount is split like the positive one */
	units = units < 0 ? -units : units;

	tally_read(PG_GETARG_DATUM(1), &weights);
	tally_require_no_negative(&weights, "weight");
	total = tally_total(&weights);
	if (total == 0 && units != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot split an amount when all weights are zero")));

	shares = tally_rows(weights.n);
	parts = MemoryContextAllocHuge(CurrentMemoryContext, Max((int64) weights.n, 1) * sizeof(uint128));
	for (int i = 0; i < weights.n; i++)
	{
		shares[i].key = party_map_key(&weights, i);
		parts[i] = (uint128) units * tally_quantity(&weights, i);
	}
	tally_shares(shares, weights.n, parts, total, units);
	if (amount.mantissa < 0)
	{
		for (int i = 0; i < weights.n; i++)
			shares[i].quantity = -shares[i].quantity;
	}
	PG_RETURN_POINTER(tally_make(shares, weights.n, scale));
}
