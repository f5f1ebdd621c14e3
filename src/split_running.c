/*
 * split_running.c
 *		split_running(amount, share, line, party, scale): many amounts, divided
 *		one after the other among the same parties.
 *
 * To divide each amount by itself would always favour the same: of a thousand
 * charges of a cent, whoever has the largest share would get every one.  So
 * what is divided by largest remainder is the running total, and an amount is
 * the difference to the total before.  Each amount still divides exactly, and
 * what a party has got is never a unit from its exact share of the whole.
 */
#include "postgres.h"

#include "compat.h"
#include "common/hashfn.h"
#include "decimal.h"
#include "miscadmin.h"
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
	int64		party;
	char		status;			/* simplehash's */
	Datum		exact;			/* numeric, in units */
	int64		units;
} RunningShare;

#define SH_PREFIX running
#define SH_ELEMENT_TYPE RunningShare
#define SH_KEY_TYPE int64
#define SH_KEY party
#define SH_HASH_KEY(tb, key) hash_bytes_uint32((uint32) (key) ^ (uint32) ((uint64) (key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* a row of the line at hand */
typedef struct LineRow
{
	int64		party;
	int64		row;
	int64		units;			/* of the party's running total, then of this row */
	Datum		remainder;		/* numeric, below 1 */
	bool		null;			/* no share: not divided */
} LineRow;

/* kept for the rows of one partition */
typedef struct RunningSplit
{
	running_hash *parties;
	int64		total;			/* in units */
	int			scale;
	Datum		power;			/* numeric: units of 1 */
	MemoryContext scratch;		/* for one line */
	LineRow    *rows;
	int			nrows;
	int			maxrows;
	int64		first;			/* where the line begins */
} RunningSplit;

static Datum
argument(WindowObject window, int which, int64 row, const char *what)
{
	bool		isnull;
	bool		isout;
	Datum		value = WinGetFuncArgInPartition(window, which, row, WINDOW_SEEK_HEAD, false, &isnull, &isout);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	return value;
}

/* largest remainder first, then the earlier row */
static int
compare_rows(const void *a, const void *b)
{
	const LineRow *x = *(LineRow *const *) a;
	const LineRow *y = *(LineRow *const *) b;
	int			cmp = DatumGetInt32(call2(numeric_cmp, y->remainder, x->remainder));

	return cmp != 0 ? cmp : (x->row > y->row) - (x->row < y->row);
}

static int64
whole_units(Datum numeric)
{
	return DatumGetInt64(call1(numeric_int8, numeric));
}

/*
 * Read the rows of the line that begins at a row of the partition.
 */
static void
read_line(WindowObject window, RunningSplit *split, int64 first)
{
	int64		line = DatumGetInt64(argument(window, 2, first, "line"));

	split->first = first;
	split->nrows = 0;
	for (int64 row = first;; row++)
	{
		bool		isnull;
		bool		isout;
		Datum		value = WinGetFuncArgInPartition(window, 2, row, WINDOW_SEEK_HEAD, false, &isnull, &isout);

		if (isout || isnull || DatumGetInt64(value) != line)
			break;
		if (split->nrows == split->maxrows)
		{
			split->maxrows *= 2;
			split->rows = repalloc(split->rows, split->maxrows * sizeof(LineRow));
		}
		split->rows[split->nrows].row = row;
		split->rows[split->nrows].party = DatumGetInt64(argument(window, 3, row, "party"));
		split->nrows++;
	}
}

/*
 * Divide what the line adds to the running total.
 */
static void
divide_line(WindowObject window, RunningSplit *split)
{
	Datum		units = call2(numeric_mul, argument(window, 0, split->first, "amount"), split->power);
	LineRow   **order = palloc(split->nrows * sizeof(LineRow *));
	int64		left;
	int			n = 0;

	if (!DatumGetBool(call2(numeric_eq, units, DirectFunctionCall2(numeric_trunc, units, Int32GetDatum(0)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount to split has more than %d decimal places", split->scale)));
	if (pg_add_s64_overflow(split->total, whole_units(units), &split->total))
		decimal_overflow();
	left = split->total;
	for (int i = 0; i < split->nrows; i++)
	{
		LineRow    *row = &split->rows[i];
		bool		found;
		bool		isout;
		Datum		share = WinGetFuncArgInPartition(window, 1, row->row, WINDOW_SEEK_HEAD, false, &row->null, &isout);
		RunningShare *party;
		Datum		exact;
		Datum		floor;
		MemoryContext old;

		if (row->null)
			continue;
		party = running_insert(split->parties, row->party, &found);
		exact = call2(numeric_mul, units, share);
		if (found)
			exact = call2(numeric_add, exact, party->exact);
		else
			party->units = 0;
		floor = call1(numeric_floor, exact);
		row->units = whole_units(floor);
		row->remainder = call2(numeric_sub, exact, floor);
		left -= row->units;
		order[n++] = row;
		if (found)
			pfree(DatumGetPointer(party->exact));
		old = MemoryContextSwitchTo(GetMemoryChunkContext(split));
		party->exact = datumCopy(exact, false, -1);
		MemoryContextSwitchTo(old);
	}
	if (n == 0)
		return;
	if (n != (int) split->parties->members || left < 0 || left > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the shares of each line must be of the same parties and sum to 1")));
	qsort(order, n, sizeof(LineRow *), compare_rows);
	for (int i = 0; i < n; i++)
	{
		RunningShare *party = running_lookup(split->parties, order[i]->party);
		int64		now = order[i]->units + (i < left ? 1 : 0);

		order[i]->units = now - party->units;
		party->units = now;
	}
}

PG_FUNCTION_INFO_V1(split_running);
Datum
split_running(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	RunningSplit *split = WinGetPartitionLocalMemory(window, sizeof(RunningSplit));
	int64		row = WinGetCurrentPosition(window);
	LineRow    *result;

	if (split->parties == NULL)
	{
		MemoryContext context = GetMemoryChunkContext(split);
		MemoryContext old = MemoryContextSwitchTo(context);

		split->scale = DatumGetInt32(argument(window, 4, row, "scale"));
		if (split->scale < 0 || split->scale > DECIMAL_MAX_SCALE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("scale must be between 0 and %d", DECIMAL_MAX_SCALE)));
		split->parties = running_create(context, 8, NULL);
		split->power = NumericGetDatum(int64_to_numeric(decimal_pow10[split->scale]));
		split->scratch = AllocSetContextCreate(context, "split_running", ALLOCSET_DEFAULT_SIZES);
		split->maxrows = 8;
		split->rows = palloc(split->maxrows * sizeof(LineRow));
		MemoryContextSwitchTo(old);
	}
	if (row >= split->first + split->nrows)
	{
		MemoryContext old = MemoryContextSwitchTo(split->scratch);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(split->scratch);
		read_line(window, split, row);
		divide_line(window, split);
		MemoryContextSwitchTo(old);
		/* the rows before are not needed again */
		WinSetMarkPosition(window, row);
	}
	result = &split->rows[row - split->first];
	if (result->null)
		PG_RETURN_NULL();
	return decimal_get_numeric(result->units, split->scale);
}
