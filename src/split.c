/*
 * split.c
 *		split(amount, weight, scale): exact shares of an amount, by the weights
 *		of the rows of a window or of a tally; and round_to_total(amount, scale,
 *		mode), amounts rounded so that they sum to their rounded total.
 *
 * Largest remainder (Hamilton): everybody gets their exact share rounded down
 * to a unit of 10^-scale, and the units that are left go, one each, to those
 * who lost most by that.  So the shares always sum to the amount, none is more
 * than a unit from the exact one, and the result is the same for every run:
 * ties go to the earlier row of the window, or party of the tally.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "compat.h"
#include "decimal.h"
#include "miscadmin.h"
#include "money.h"
#include "tally.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "windowapi.h"

#define call1(function, a)		DirectFunctionCall1((function), (a))
#define call2(function, a, b)	DirectFunctionCall2((function), (a), (b))
#define int4_numeric(i)			NumericGetDatum(int64_to_numeric(i))

/* of so many remainders the largest are found by comparing each with each */
#define FEW_REMAINDERS	16

typedef struct Remainder
{
	Datum		remainder;		/* numeric, in units times the total weight */
	int64		row;
} Remainder;

/* kept for the rows of one partition */
typedef struct SplitState
{
	bool		done;
	int			scale;
	Datum		amount;			/* to split: of all rows */
	bool	   *nulls;
	int64	   *units;			/* the shares, in units of 10^-scale */
	Datum	   *shares;			/* or numeric, where those do not fit */
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
 * The same number: mostly the same bytes.
 */
static bool
same_number(Datum a, Datum b)
{
	return datumIsEqual(a, b, false, -1) || numeric_equal(a, b);
}

pg_noreturn static void
negative_weight(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("weight must not be negative")));
}

pg_noreturn static void
no_weight(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot split an amount when all weights are zero")));
}

/*
 * Which remainder comes k-th if the largest comes first.  Reorders them.
 */
static uint128
kth_largest(uint128 *remainders, int64 n, int64 k)
{
	int64		low = 0;
	int64		high = n - 1;
	pg_prng_state prng;

	/* at random, so that no order of the rows is a bad one */
	pg_prng_seed(&prng, 0);
	while (low < high)
	{
		uint128		pivot = remainders[pg_prng_uint64_range(&prng, low, high)];
		int64		i = low;
		int64		j = high;

		CHECK_FOR_INTERRUPTS();
		while (i <= j)
		{
			while (remainders[i] > pivot)
				i++;
			while (remainders[j] < pivot)
				j--;
			if (i <= j)
			{
				uint128		swap = remainders[i];

				remainders[i++] = remainders[j];
				remainders[j--] = swap;
			}
		}
		if (k - 1 <= j)
			high = j;
		else if (k - 1 >= i)
			low = i;
		else
			break;
	}
	return remainders[k - 1];
}

/*
 * The units that are left go, one each, to the largest remainders; of those
 * that are alike, to the first.
 */
static void
hand_out(int64 *units, const uint128 *remainders, int64 n, int64 left)
{
	uint128    *order;
	uint128		least;

	/* no more units are left than there are rows with a remainder */
	Assert(left >= 0 && left <= n);
	if (left == 0)
		return;

	/* a few are counted off: that has no branches to mispredict */
	if (n <= FEW_REMAINDERS)
	{
		for (int i = 0; i < n; i++)
		{
			int			before = 0;

			for (int j = 0; j < i; j++)
				before += remainders[j] >= remainders[i];
			for (int j = i + 1; j < n; j++)
				before += remainders[j] > remainders[i];
			units[i] += before < left;
		}
		return;
	}

	order = alloc_huge(n, sizeof(uint128));
	memcpy(order, remainders, n * sizeof(uint128));
	least = kth_largest(order, n, left);
	pfree(order);
	for (int64 i = 0; i < n; i++)
		left -= remainders[i] > least;
	for (int64 i = 0; i < n; i++)
	{
		bool		tie = (remainders[i] == least) & (left > 0);

		left -= tie;
		units[i] += tie | (remainders[i] > least);
	}
}

/*
 * Parts of a whole, over one denominator, as whole units that sum to the total.
 * The parts may sum to a little less, if they were rounded down.  They are left
 * as the remainders.
 */
static void
divide(int64 *units, uint128 *parts, int64 n, uint128 denominator, int64 total)
{
	int64		left = total;

	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (((parts[i] | denominator) >> 64) == 0)
		{
			/* what the processor does itself */
			units[i] = (uint64) parts[i] / (uint64) denominator;
			parts[i] = (uint64) parts[i] % (uint64) denominator;
		}
		else
		{
			units[i] = (int64) (parts[i] / denominator);
			parts[i] = parts[i] % denominator;
		}
		left -= units[i];
	}
	hand_out(units, parts, n, left);
}

/*
 * An argument in all rows, as integers of the same scale: that of the one with
 * the most decimal places, or the given one.  NULL is 0.  False if one does not fit.
 */
static bool
read_integers(SplitState *state, WindowObject window, int argument, int64 nrows,
			  bool negative_too, int *scale)
{
	for (int64 i = 0; i < nrows; i++)
	{
		bool		isout;
		Datum		value = WinGetFuncArgInPartition(window, argument, i, WINDOW_SEEK_HEAD, false, &state->nulls[i], &isout);
		Decimal		number = {0};

		CHECK_FOR_INTERRUPTS();
		if (!state->nulls[i] && decimal_from_numeric(packed_arg(value), &number) != DECIMAL_OK)
			return false;
		if (number.mantissa < 0 && !negative_too)
			negative_weight();
		if (number.scale > *scale)
		{
			for (int64 j = 0; j < i; j++)
			{
				if (!decimal_rescale(state->units[j], *scale, number.scale, &state->units[j]))
					return false;
			}
			*scale = number.scale;
		}
		if (!decimal_rescale(number.mantissa, number.scale, *scale, &state->units[i]))
			return false;
	}
	return true;
}

/*
 * The shares in integers, if amount and weights fit them, as money does.
 */
static bool
split_integers(SplitState *state, WindowObject window, int64 nrows)
{
	Decimal		amount;
	uint128    *parts;
	int64		units;
	int64		size;
	int128		total = 0;
	int			weight_scale = 0;

	if (state->scale > DECIMAL_MAX_SCALE ||
		decimal_from_numeric((struct varlena *) DatumGetPointer(state->amount), &amount) != DECIMAL_OK ||
		amount.scale > state->scale ||
		!decimal_rescale(amount.mantissa, amount.scale, state->scale, &units) ||
		!read_integers(state, window, 1, nrows, false, &weight_scale))
		return false;
	size = units < 0 ? -units : units;

	parts = alloc_huge(nrows, sizeof(uint128));
	for (int64 i = 0; i < nrows; i++)
	{
		parts[i] = (uint128) size * state->units[i];
		total += state->units[i];
	}
	if (total == 0 && size != 0)
		no_weight();
	divide(state->units, parts, nrows, Max(total, 1), size);
	if (units < 0)
	{
		for (int64 i = 0; i < nrows; i++)
			state->units[i] = -state->units[i];
	}
	return true;
}

/*
 * The shares in numeric.
 */
static void
split_numerics(SplitState *state, WindowObject window, int64 nrows)
{
	MemoryContext results = GetMemoryChunkContext(state);
	Datum		amount = state->amount;
	Datum		zero = int4_numeric(0);
	Datum		one = int4_numeric(1);
	Datum		unit = DirectFunctionCall3(numeric_in,
										   CStringGetDatum(psprintf("1e-%d", state->scale)),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		units;
	Datum		total = zero;
	Datum		left;
	Datum	   *weights = alloc_huge(nrows, sizeof(Datum));
	Remainder  *remainders = alloc_huge(nrows, sizeof(Remainder));
	bool		negative = DatumGetBool(call2(numeric_lt, amount, zero));

	if (!numeric_equal(call2(numeric_round, amount, Int32GetDatum(state->scale)), amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split has more than %d decimal places", state->scale),
				 errdetail("The amount is %s.", DatumGetCString(call1(numeric_out, amount))),
				 errhint("Round the amount first: round(amount, %d).", state->scale)));

	/* a negative amount is split like the positive one */
	units = call2(numeric_div_trunc, call1(numeric_abs, amount), unit);
	left = units;
	state->shares = MemoryContextAllocHuge(results, nrows * sizeof(Datum));
	for (int64 i = 0; i < nrows; i++)
	{
		bool		isout;
		Datum		weight = WinGetFuncArgInPartition(window, 1, i, WINDOW_SEEK_HEAD, false, &state->nulls[i], &isout);

		CHECK_FOR_INTERRUPTS();
		weights[i] = state->nulls[i] ? zero :
			PointerGetDatum(pg_detoast_datum_copy((struct varlena *) DatumGetPointer(weight)));
		require_finite(weights[i], "weight");
		if (DatumGetBool(call2(numeric_lt, weights[i], zero)))
			negative_weight();
		total = call2(numeric_add, total, weights[i]);
	}
	if (numeric_equal(total, zero) && !numeric_equal(units, zero))
		no_weight();

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
		Datum		share = call2(numeric_mul, state->shares[i], unit);
		MemoryContext old;

		if (negative)
			share = call1(numeric_uminus, share);
		old = MemoryContextSwitchTo(results);
		state->shares[i] = datumCopy(share, false, -1);
		MemoryContextSwitchTo(old);
	}
}

static void
split_partition(SplitState *state, WindowObject window, int64 nrows)
{
	if (!split_integers(state, window, nrows))
		split_numerics(state, window, nrows);
}

/*
 * What amounts sum to, rounded.
 */
static int64
rounded_total(Datum total, Datum mode)
{
	return DatumGetInt64(call1(numeric_int8, DirectFunctionCall3(money_round, total, Int32GetDatum(0), mode)));
}

/*
 * The amounts of a partition, rounded down; but those that lost most by that
 * are rounded up, so that all sum to the exact sum, rounded.  In integers, if
 * they fit.
 */
static bool
round_integers(SplitState *state, WindowObject window, int64 nrows, Datum mode)
{
	int			scale = state->scale;
	int64		unit;
	uint128    *remainders;
	int128		total = 0;
	int128		left = 0;

	if (!read_integers(state, window, 0, nrows, true, &scale))
		return false;
	unit = decimal_pow10[scale - state->scale];
	remainders = alloc_huge(nrows, sizeof(uint128));
	for (int64 i = 0; i < nrows; i++)
	{
		int64		exact = state->units[i];
		bool		down = exact % unit < 0;

		total += exact;
		state->units[i] = exact / unit - down;
		remainders[i] = exact % unit + (down ? unit : 0);
		left -= state->units[i];
	}
	left += rounded_total(decimal128_get_numeric(total, scale - state->scale), mode);
	hand_out(state->units, remainders, nrows, (int64) left);
	return true;
}

/*
 * The same in numeric.
 */
static void
round_numerics(SplitState *state, WindowObject window, int64 nrows, Datum mode)
{
	Datum		power = NumericGetDatum(int64_to_numeric(decimal_pow10[state->scale]));
	Datum		total = int4_numeric(0);
	Remainder  *remainders = alloc_huge(nrows, sizeof(Remainder));
	int64		n = 0;
	int128		left = 0;

	for (int64 i = 0; i < nrows; i++)
	{
		bool		isout;
		Datum		amount = WinGetFuncArgInPartition(window, 0, i, WINDOW_SEEK_HEAD, false, &state->nulls[i], &isout);
		Datum		exact;
		Datum		floor;
		Datum		sum;

		CHECK_FOR_INTERRUPTS();
		if (state->nulls[i])
			continue;
		require_finite(amount, "amount");
		exact = call2(numeric_mul, amount, power);
		floor = call1(numeric_floor, exact);
		state->units[i] = DatumGetInt64(call1(numeric_int8, floor));
		left -= state->units[i];
		remainders[n].row = i;
		remainders[n++].remainder = call2(numeric_sub, exact, floor);
		sum = call2(numeric_add, total, exact);
		pfree(DatumGetPointer(exact));
		pfree(DatumGetPointer(floor));
		pfree(DatumGetPointer(total));
		total = sum;
	}
	left += rounded_total(total, mode);

	/* no more units are left than there are rows with a remainder */
	Assert(left >= 0 && left <= n);
	if (left > 0)
		qsort(remainders, n, sizeof(Remainder), compare_remainders);
	for (int64 i = 0; i < left; i++)
	{
		if (pg_add_s64_overflow(state->units[remainders[i].row], 1, &state->units[remainders[i].row]))
			decimal_overflow();
	}
}

static void
round_partition(SplitState *state, WindowObject window, int64 nrows)
{
	bool		mode_null;
	Datum		mode = WinGetFuncArgCurrent(window, 2, &mode_null);

	if (mode_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("mode must not be null")));
	if (!round_integers(state, window, nrows, mode))
		round_numerics(state, window, nrows, mode);
}

/*
 * The shares of a partition, computed when its first row comes.  False if that
 * has no amount or no scale: then the next row tries.  What it takes lives as
 * long as the row, the results as long as the partition.
 */
static bool
compute_partition(SplitState *state, WindowObject window, int scale_argument, int max_scale,
				  void (*compute) (SplitState *, WindowObject, int64))
{
	MemoryContext old;
	int64		nrows = WinGetPartitionRowCount(window);
	bool		amount_null;
	bool		scale_null;
	Datum		amount = WinGetFuncArgCurrent(window, 0, &amount_null);

	state->scale = DatumGetInt32(WinGetFuncArgCurrent(window, scale_argument, &scale_null));
	if (amount_null || scale_null)
		return false;
	if (state->scale < 0 || state->scale > max_scale)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be between 0 and %d", max_scale)));
	require_finite(amount, "amount");

	old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
	state->amount = datumCopy(PointerGetDatum(packed_arg(amount)), false, -1);
	state->units = alloc_huge(nrows, sizeof(int64));
	state->nulls = alloc_huge(nrows, sizeof(bool));
	MemoryContextSwitchTo(old);
	compute(state, window, nrows);
	state->done = true;
	return true;
}

static Datum
row_share(FunctionCallInfo fcinfo, const SplitState *state)
{
	int64		row = WinGetCurrentPosition(PG_WINDOW_OBJECT());

	if (state->nulls[row])
		PG_RETURN_NULL();
	if (state->shares != NULL)
		return state->shares[row];
	return decimal_to_numeric(state->units[row], state->scale);
}

/*
 * That amount and scale are the same in every row is seen as each becomes the
 * current one, which costs least; that none without came first, at once.
 */
PG_FUNCTION_INFO_V1(split_window);
Datum
split_window(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	SplitState *state = WinGetPartitionLocalMemory(window, sizeof(SplitState));
	bool		first = !state->done;
	bool		isnull;
	Datum		value;

	if (first && !compute_partition(state, window, 2, NUMERIC_MAX_DISPLAY_SCALE, split_partition))
		PG_RETURN_NULL();

	value = WinGetFuncArgCurrent(window, 0, &isnull);
	if (isnull || !same_number(value, state->amount) ||
		(first && WinGetCurrentPosition(window) > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split must be the same in every row of the partition")));
	value = WinGetFuncArgCurrent(window, 2, &isnull);
	if (isnull || DatumGetInt32(value) != state->scale)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale of a split must be the same in every row of the partition")));
	return row_share(fcinfo, state);
}

PG_FUNCTION_INFO_V1(round_to_total);
Datum
round_to_total(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	SplitState *state = WinGetPartitionLocalMemory(window, sizeof(SplitState));

	if (!state->done && !compute_partition(state, window, 1, DECIMAL_MAX_SCALE, round_partition))
		PG_RETURN_NULL();
	return row_share(fcinfo, state);
}

/*
 * divide() for the rows of a tally.
 */
void
tally_shares(TallyRow *rows, int64 n, uint128 *parts, uint128 denominator, int64 total)
{
	int64	   *units = alloc_huge(n, sizeof(int64));

	divide(units, parts, n, denominator, total);
	for (int64 i = 0; i < n; i++)
		rows[i].quantity = units[i];
	pfree(units);
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
	parts = alloc_huge(weights.n, sizeof(uint128));
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
