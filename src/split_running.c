/*
 * split_running.c
 *		split_running(amount, shares, scale): many amounts, divided one after the
 *		other among the same parties.
 *
 * To divide each amount by itself would always favour the same: of a thousand
 * charges of a cent, whoever has the largest share would get every one.  So
 * what is divided by largest remainder is the running total, and an amount is
 * the difference to the total before.  Each amount still divides exactly, and
 * what a party has got is never a unit from its exact share of the whole.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "decimal.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "windowapi.h"

#define call1(function, a)		DirectFunctionCall1((function), (a))
#define call2(function, a, b)	DirectFunctionCall2((function), (a), (b))

/* what a party has got so far */
typedef struct RunningShare
{
	Datum		exact;			/* numeric, in units */
	int64		units;
} RunningShare;

/* a party's share of the running total, rounded down */
typedef struct RunningFloor
{
	int			party;
	int64		units;
	Datum		remainder;		/* numeric, below 1 */
} RunningFloor;

/* kept for the rows of one partition */
typedef struct RunningSplit
{
	int			nparties;
	RunningShare *parties;
	int64		total;			/* in units */
	int			scale;
	Datum		power;			/* numeric: units of 1 */
	MemoryContext scratch;		/* for one amount */
} RunningSplit;

/* largest remainder first, then the earlier party */
static int
compare_floors(const void *a, const void *b)
{
	const RunningFloor *x = a;
	const RunningFloor *y = b;
	int			cmp = DatumGetInt32(call2(numeric_cmp, y->remainder, x->remainder));

	return cmp != 0 ? cmp : (x->party > y->party) - (x->party < y->party);
}

static int64
whole_units(Datum numeric)
{
	return DatumGetInt64(call1(numeric_int8, numeric));
}

pg_noreturn static void
wrong_shares(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the shares of each amount must be of the same parties and sum to 1")));
}

/*
 * An amount in units.  Most are decimals, and of few places.
 */
static int64
amount_units(const RunningSplit *split, Datum amount)
{
	Decimal		decimal;
	int64		mantissa;
	Datum		units;

	if (decimal_from_numeric(packed_arg(amount), &decimal) == DECIMAL_OK && decimal.scale <= split->scale &&
		decimal_rescale(decimal.mantissa, decimal.scale, split->scale, &mantissa))
		return mantissa;
	units = call2(numeric_mul, amount, split->power);
	if (!DatumGetBool(call2(numeric_eq, units, DirectFunctionCall2(numeric_trunc, units, Int32GetDatum(0)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split has more than %d decimal places", split->scale)));
	return whole_units(units);
}

/*
 * Divide what an amount adds to the running total; the parties' parts of it
 * take the place of their shares.
 */
static void
divide_amount(RunningSplit *split, Datum amount, Datum *shares)
{
	RunningFloor *floors;
	int64		added = amount_units(split, amount);
	Datum		units;
	int64		left;

	if (pg_add_s64_overflow(split->total, added, &split->total))
		decimal_overflow();
	/* nothing to divide, nor to round */
	if (split->nparties == 1)
	{
		if (!DatumGetBool(call2(numeric_eq, shares[0], NumericGetDatum(int64_to_numeric(1)))))
			wrong_shares();
		shares[0] = decimal_get_numeric(added, split->scale);
		return;
	}
	floors = palloc(split->nparties * sizeof(RunningFloor));
	units = NumericGetDatum(int64_to_numeric(added));
	left = split->total;
	for (int i = 0; i < split->nparties; i++)
	{
		RunningShare *party = &split->parties[i];
		Datum		exact = call2(numeric_add, party->exact, call2(numeric_mul, units, shares[i]));
		Datum		floor = call1(numeric_floor, exact);
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(split));

		pfree(DatumGetPointer(party->exact));
		party->exact = datumCopy(exact, false, -1);
		MemoryContextSwitchTo(old);
		floors[i].party = i;
		floors[i].units = whole_units(floor);
		floors[i].remainder = call2(numeric_sub, exact, floor);
		left -= floors[i].units;
	}
	if (left < 0 || left > split->nparties)
		wrong_shares();
	qsort(floors, split->nparties, sizeof(RunningFloor), compare_floors);
	for (int i = 0; i < split->nparties; i++)
	{
		RunningShare *party = &split->parties[floors[i].party];
		int64		now = floors[i].units + (i < left ? 1 : 0);

		shares[floors[i].party] = decimal_get_numeric(now - party->units, split->scale);
		party->units = now;
	}
}

static void
begin_partition(WindowObject window, RunningSplit *split, int nparties)
{
	MemoryContext context = GetMemoryChunkContext(split);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool		isnull;

	split->scale = DatumGetInt32(WinGetFuncArgCurrent(window, 2, &isnull));
	if (isnull || split->scale < 0 || split->scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be between 0 and %d", DECIMAL_MAX_SCALE)));
	split->nparties = nparties;
	split->parties = palloc0(Max(nparties, 1) * sizeof(RunningShare));
	for (int i = 0; i < nparties; i++)
		split->parties[i].exact = NumericGetDatum(int64_to_numeric(0));
	split->power = NumericGetDatum(int64_to_numeric(decimal_pow10[split->scale]));
	split->scratch = AllocSetContextCreate(context, "split_running", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
}

PG_FUNCTION_INFO_V1(split_running);
Datum
split_running(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	RunningSplit *split = WinGetPartitionLocalMemory(window, sizeof(RunningSplit));
	bool		no_amount;
	bool		no_shares;
	Datum		amount = WinGetFuncArgCurrent(window, 0, &no_amount);
	Datum		shares = WinGetFuncArgCurrent(window, 1, &no_shares);
	Datum	   *parts;
	bool	   *nulls;
	int			n;
	MemoryContext old;

	if (no_amount || no_shares)
		PG_RETURN_NULL();
	if (array_contains_nulls(DatumGetArrayTypeP(shares)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("shares must not be null")));
	deconstruct_array(DatumGetArrayTypeP(shares), NUMERICOID, -1, false, TYPALIGN_INT, &parts, &nulls, &n);
	if (split->parties == NULL)
		begin_partition(window, split, n);
	if (n != split->nparties)
		wrong_shares();

	CHECK_FOR_INTERRUPTS();
	old = MemoryContextSwitchTo(split->scratch);
	MemoryContextReset(split->scratch);
	divide_amount(split, amount, parts);
	MemoryContextSwitchTo(old);
	return PointerGetDatum(construct_array(parts, n, NUMERICOID, -1, false, TYPALIGN_INT));
}
