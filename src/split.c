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

#include "catalog/pg_type.h"
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
	bool		nulls_before;	/* rows without amount or scale came first */
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
 * The shares in integers, if amount and weights fit them, as money does.
 */
static bool
split_integers(SplitState *state, WindowObject window, int64 nrows, Datum amount)
{
	Decimal		whole;
	Decimal    *weights;
	TallyRow   *rows;
	uint128    *parts;
	int64		units;
	int64		size;
	int128		total = 0;
	int			weight_scale = 0;

	if (state->scale > DECIMAL_MAX_SCALE ||
		decimal_from_numeric((struct varlena *) DatumGetPointer(amount), &whole) != DECIMAL_OK ||
		whole.scale > state->scale ||
		!decimal_rescale(whole.mantissa, whole.scale, state->scale, &units))
		return false;
	size = units < 0 ? -units : units;

	weights = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Decimal));
	for (int64 i = 0; i < nrows; i++)
	{
		bool		isout;
		Datum		weight = WinGetFuncArgInPartition(window, 1, i, WINDOW_SEEK_HEAD, false, &state->nulls[i], &isout);

		CHECK_FOR_INTERRUPTS();
		weights[i].mantissa = 0;
		weights[i].scale = 0;
		if (state->nulls[i])
			continue;
		if (decimal_from_numeric(packed_arg(weight), &weights[i]) != DECIMAL_OK)
			return false;
		if (weights[i].mantissa < 0)
			negative_weight();
		weight_scale = Max(weight_scale, weights[i].scale);
	}
	parts = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(uint128));
	for (int64 i = 0; i < nrows; i++)
	{
		int64		weight;

		if (!decimal_rescale(weights[i].mantissa, weights[i].scale, weight_scale, &weight))
			return false;
		parts[i] = (uint128) size * weight;
		total += weight;
	}
	if (total == 0 && size != 0)
		no_weight();
	rows = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(TallyRow));
	tally_shares(rows, nrows, parts, Max(total, 1), size);
	for (int64 i = 0; i < nrows; i++)
		state->units[i] = units < 0 ? -(int64) rows[i].quantity : (int64) rows[i].quantity;
	return true;
}

/*
 * The shares in numeric.
 */
static void
split_numerics(SplitState *state, WindowObject window, int64 nrows, Datum amount)
{
	Datum		zero = int4_numeric(0);
	Datum		one = int4_numeric(1);
	Datum		unit = DirectFunctionCall3(numeric_in,
										   CStringGetDatum(psprintf("1e-%d", state->scale)),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Datum		units;
	Datum		total = zero;
	Datum		left;
	Datum	   *weights = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Datum));
	Remainder  *remainders = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Remainder));
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
		state->shares[i] = call2(numeric_mul, state->shares[i], unit);
		if (negative)
			state->shares[i] = call1(numeric_uminus, state->shares[i]);
	}
}

static void
split_partition(SplitState *state, WindowObject window, int64 nrows, Datum amount)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));

	state->amount = datumCopy(amount, false, -1);
	MemoryContextSwitchTo(old);
	if (!split_integers(state, window, nrows, amount))
	{
		MemoryContextSwitchTo(GetMemoryChunkContext(state));
		state->shares = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Datum));
		MemoryContextSwitchTo(old);
		split_numerics(state, window, nrows, amount);
		MemoryContextSwitchTo(GetMemoryChunkContext(state));
		for (int64 i = 0; i < nrows; i++)
			state->shares[i] = datumCopy(state->shares[i], false, -1);
		MemoryContextSwitchTo(old);
	}
}

/*
 * The amounts of a partition, rounded down; but those that lost most by that
 * are rounded up, so that all sum to the exact sum, rounded.
 */
static void
round_partition(SplitState *state, WindowObject window, int64 nrows, Datum first)
{
	Datum		power = NumericGetDatum(int64_to_numeric(decimal_pow10[state->scale]));
	Datum		total = int4_numeric(0);
	Remainder  *remainders = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(Remainder));
	int64		n = 0;
	int128		left = 0;
	bool		mode_null;
	Datum		mode = WinGetFuncArgCurrent(window, 2, &mode_null);

	(void) first;
	if (mode_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("mode must not be null")));
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
	left += DatumGetInt64(call1(numeric_int8, DirectFunctionCall3(money_round, total, Int32GetDatum(0), mode)));

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

/*
 * The row's share: those of a partition are computed when its first row comes.
 */
static Datum
window_share(FunctionCallInfo fcinfo, int scale_argument, int max_scale,
			 void (*compute) (SplitState *, WindowObject, int64, Datum))
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
		MemoryContext old;
		MemoryContext scratch;

		state->scale = DatumGetInt32(WinGetFuncArgCurrent(window, scale_argument, &scale_null));
		if (amount_null || scale_null)
			PG_RETURN_NULL();
		if (state->scale < 0 || state->scale > max_scale)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scale must be between 0 and %d", max_scale)));
		require_finite(amount, "amount");

		/* the results live as long as the partition, what they took does not */
		old = MemoryContextSwitchTo(GetMemoryChunkContext(state));
		state->units = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(int64));
		state->nulls = MemoryContextAllocHuge(CurrentMemoryContext, nrows * sizeof(bool));
		scratch = AllocSetContextCreate(CurrentMemoryContext, "split", ALLOCSET_DEFAULT_SIZES);
		MemoryContextSwitchTo(scratch);
		amount = PointerGetDatum(pg_detoast_datum_copy((struct varlena *) DatumGetPointer(amount)));
		compute(state, window, nrows, amount);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(scratch);
		state->done = true;
		state->nulls_before = row > 0;
	}
	if (state->nulls[row])
		PG_RETURN_NULL();
	if (state->shares != NULL)
		return state->shares[row];
	return NumericGetDatum(state->scale == 0 ? int64_to_numeric(state->units[row]) :
						   int64_div_fast_to_numeric(state->units[row], state->scale));
}

/*
 * That amount and scale are the same in every row is seen as each becomes the
 * current one, which costs least.
 */
PG_FUNCTION_INFO_V1(split_window);
Datum
split_window(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	SplitState *state = WinGetPartitionLocalMemory(window, sizeof(SplitState));
	Datum		result = window_share(fcinfo, 2, NUMERIC_MAX_DISPLAY_SCALE, split_partition);
	bool		isnull;
	Datum		value;

	if (!state->done)
		return result;
	value = WinGetFuncArgCurrent(window, 0, &isnull);
	if (isnull || !same_number(value, state->amount) || state->nulls_before)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split must be the same in every row of the partition")));
	value = WinGetFuncArgCurrent(window, 2, &isnull);
	if (isnull || DatumGetInt32(value) != state->scale)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale of a split must be the same in every row of the partition")));
	return result;
}

PG_FUNCTION_INFO_V1(round_to_total);
Datum
round_to_total(PG_FUNCTION_ARGS)
{
	return window_share(fcinfo, 1, DECIMAL_MAX_SCALE, round_partition);
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

static inline int
compare_tally_remainders(const TallyRemainder *x, const TallyRemainder *y)
{
	if (x->remainder != y->remainder)
		return x->remainder > y->remainder ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

#define ST_SORT sort_tally_remainders
#define ST_ELEMENT_TYPE TallyRemainder
#define ST_COMPARE(a, b) compare_tally_remainders(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
tally_shares(TallyRow *rows, int64 n, const uint128 *parts, uint128 denominator, int64 total)
{
	TallyRemainder *remainders = MemoryContextAllocHuge(CurrentMemoryContext,
														Max(n, 1) * sizeof(TallyRemainder));
	int64		left = total;

	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (((parts[i] | denominator) >> 64) == 0)
		{
			/* what the processor does itself */
			rows[i].quantity = (uint64) parts[i] / (uint64) denominator;
			remainders[i].remainder = (uint64) parts[i] % (uint64) denominator;
		}
		else
		{
			rows[i].quantity = parts[i] / denominator;
			remainders[i].remainder = parts[i] % denominator;
		}
		remainders[i].i = i;
		left -= (int64) rows[i].quantity;
	}

	/* no more units are left than there are rows with a remainder */
	Assert(left >= 0 && left <= n);
	if (left > 0)
		sort_tally_remainders(remainders, n);
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
