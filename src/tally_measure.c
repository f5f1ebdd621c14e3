/*
 * tally_measure.c
 *		Numbers from tallies: totals, shares, who leads, how even it is.
 *
 * Sums are exact, and taken in an order that does not matter.  Nothing is
 * rounded but quotients, as numeric division does, and logarithms, which are
 * taken with more digits than are kept.  The scale of a tally cancels out of
 * all ratios, so these are computed from the mantissas.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* decimal places of entropy, and with how many more its logarithms are taken */
#define ENTROPY_SCALE		16
#define LOGARITHM_SCALE		36

#define call1(function, a)		DirectFunctionCall1((function), (a))
#define call2(function, a, b)	DirectFunctionCall2((function), (a), (b))
#define int_numeric(i)			decimal128_get_numeric((i), 0)

int128
tally_total(const PartyMap *map)
{
	int128		total = 0;

	for (int i = 0; i < map->n; i++)
		total += tally_quantity(map, i);
	return total;
}

void
tally_require_no_negative(const PartyMap *map, const char *what)
{
	for (int i = 0; i < map->n; i++)
	{
		PartyKey	key;

		if (likely(tally_quantity(map, i) >= 0))
			continue;
		key = party_map_key(map, i);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what),
				 errdetail("That of party \"%.*s\" is.", (int) key.len, key.name)));
	}
}

/* largest quantity first, then in order of the parties */
#define ST_SORT sort_ranks
#define ST_ELEMENT_TYPE TallyRank
#define ST_COMPARE(a, b) \
	((a)->quantity != (b)->quantity ? ((a)->quantity > (b)->quantity ? -1 : 1) : \
	 ((a)->i > (b)->i) - ((a)->i < (b)->i))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

void
tally_order_ranks(TallyRank *ranks, int64 n)
{
	sort_ranks(ranks, n);
}

TallyRank *
tally_ranked(const PartyMap *map)
{
	TallyRank  *ranks = MemoryContextAllocHuge(CurrentMemoryContext,
											   Max((int64) map->n, 1) * sizeof(TallyRank));

	for (int i = 0; i < map->n; i++)
	{
		ranks[i].quantity = tally_quantity(map, i);
		ranks[i].i = i;
	}
	sort_ranks(ranks, map->n);
	return ranks;
}

/* A fraction of a total. */
Decimal
tally_fraction_arg(Datum fraction)
{
	Decimal		result = decimal_arg(fraction, "fraction");

	if (result.mantissa < 0 || result.mantissa > decimal_pow10[result.scale])
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("fraction must be between 0 and 1")));
	return result;
}

/*
 * How many of those who lead it takes to reach a fraction of the total.
 */
int
tally_reaching(const TallyRank *ranks, int n, int128 total, Decimal fraction)
{
	int64		unit = decimal_pow10[fraction.scale];
	int128		needed = total / unit * fraction.mantissa +
		(total % unit * fraction.mantissa + unit - 1) / unit;
	int128		sum = 0;
	int			i;

	for (i = 0; i < n && sum < needed; i++)
		sum += ranks[i].quantity;
	return i;
}

PG_FUNCTION_INFO_V1(tally_total_numeric);
Datum
tally_total_numeric(PG_FUNCTION_ARGS)
{
	PartyMap	map;

	tally_read(PG_GETARG_DATUM(0), &map);
	return decimal128_get_numeric(tally_total(&map), map.exponent);
}

PG_FUNCTION_INFO_V1(tally_parties);
Datum
tally_parties(PG_FUNCTION_ARGS)
{
	PartyMap	map;

	tally_read(PG_GETARG_DATUM(0), &map);
	PG_RETURN_INT32(map.n);
}

static int64
quantity_of(const PartyMap *map, PartyKey key)
{
	int			i = party_map_find(map, key);

	return i < 0 ? 0 : tally_quantity(map, i);
}

/* of a party by name, or by number */
static Datum
tally_quantity_of_key(FunctionCallInfo fcinfo, PartyKey key)
{
	PartyMap	map;

	tally_read(PG_GETARG_DATUM(0), &map);
	return decimal_get_numeric(quantity_of(&map, key), map.exponent);
}

static Datum
tally_share_of_key(FunctionCallInfo fcinfo, PartyKey key)
{
	PartyMap	map;
	int128		total;

	tally_read(PG_GETARG_DATUM(0), &map);
	total = tally_total(&map);
	if (total == 0)
		PG_RETURN_NULL();
	return call2(numeric_div, decimal_get_numeric(quantity_of(&map, key), map.exponent),
				 decimal128_get_numeric(total, map.exponent));
}

PG_FUNCTION_INFO_V1(tally_quantity_of);
Datum
tally_quantity_of(PG_FUNCTION_ARGS)
{
	return tally_quantity_of_key(fcinfo, party_key_arg(PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(tally_quantity_of_int8);
Datum
tally_quantity_of_int8(PG_FUNCTION_ARGS)
{
	char		buf[PARTY_NUMBER_SIZE];

	return tally_quantity_of_key(fcinfo, party_number_name(PG_GETARG_INT64(1), buf));
}

PG_FUNCTION_INFO_V1(tally_share_of);
Datum
tally_share_of(PG_FUNCTION_ARGS)
{
	return tally_share_of_key(fcinfo, party_key_arg(PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(tally_share_of_int8);
Datum
tally_share_of_int8(PG_FUNCTION_ARGS)
{
	char		buf[PARTY_NUMBER_SIZE];

	return tally_share_of_key(fcinfo, party_number_name(PG_GETARG_INT64(1), buf));
}

/*
 * A tally for the measures of concentration, largest quantity first; NULL if
 * it is empty.
 */
static TallyRank *
concentration_arg(Datum tally, int *n, int128 *total)
{
	PartyMap	map;

	tally_read(tally, &map);
	tally_require_no_negative(&map, "quantity");
	*n = map.n;
	*total = tally_total(&map);
	return map.n == 0 ? NULL : tally_ranked(&map);
}

PG_FUNCTION_INFO_V1(tally_absence_factor);
Datum
tally_absence_factor(PG_FUNCTION_ARGS)
{
	int			n;
	int128		total;
	TallyRank  *ranks = concentration_arg(PG_GETARG_DATUM(0), &n, &total);
	Decimal		fraction = tally_fraction_arg(PG_GETARG_DATUM(1));

	if (ranks == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT32(tally_reaching(ranks, n, total, fraction));
}

/*
 * Mean absolute difference of all pairs, over twice the mean: in ascending
 * order, sum of (2i - n - 1) x(i) over n times the total.
 */
PG_FUNCTION_INFO_V1(tally_gini);
Datum
tally_gini(PG_FUNCTION_ARGS)
{
	int			n;
	int128		total;
	TallyRank  *ranks = concentration_arg(PG_GETARG_DATUM(0), &n, &total);
	int128		sum = 0;

	if (ranks == NULL)
		PG_RETURN_NULL();
	for (int i = 0; i < n; i++)
		sum += (int128) ranks[i].quantity * (n - 1 - 2 * (int64) i);
	return call2(numeric_div, int_numeric(sum), int_numeric(total * n));
}

/*
 * The sum of the squares of all shares.  Squares have up to 126 bits, so they
 * are summed in halves.
 */
PG_FUNCTION_INFO_V1(tally_hhi);
Datum
tally_hhi(PG_FUNCTION_ARGS)
{
	int			n;
	int128		total;
	TallyRank  *ranks = concentration_arg(PG_GETARG_DATUM(0), &n, &total);
	int128		high = 0;
	int128		low = 0;
	Datum		squares;
	Datum		square;

	if (ranks == NULL)
		PG_RETURN_NULL();
	for (int i = 0; i < n; i++)
	{
		uint128		product = (uint128) ranks[i].quantity * ranks[i].quantity;

		high += (uint64) (product >> 64);
		low += (uint64) product;
	}
	squares = call2(numeric_add, int_numeric(low),
					call2(numeric_mul, int_numeric(high), int_numeric((int128) 1 << 64)));
	square = call2(numeric_mul, int_numeric(total), int_numeric(total));
	return call2(numeric_div, squares, square);
}

/* the natural logarithm, with many decimal places */
static Datum
logarithm(int128 number)
{
	return call1(numeric_ln, call2(numeric_round, int_numeric(number),
								   Int32GetDatum(LOGARITHM_SCALE)));
}

/*
 * -sum of s ln s = ln(total) - sum of x ln x / total.  Many have the same few
 * quantities, so each logarithm is taken once.
 */
static Datum
entropy(const TallyRank *ranks, int n, int128 total)
{
	Datum		sum = int_numeric(0);

	for (int i = 0; i < n;)
	{
		int64		quantity = ranks[i].quantity;
		int			start = i;

		CHECK_FOR_INTERRUPTS();
		while (++i < n && ranks[i].quantity == quantity)
			 /* count them */ ;
		sum = call2(numeric_add, sum,
					call2(numeric_mul, logarithm(quantity),
						  int_numeric((int128) quantity * (i - start))));
	}
	return call2(numeric_sub, logarithm(total), call2(numeric_div, sum, int_numeric(total)));
}

PG_FUNCTION_INFO_V1(tally_entropy);
Datum
tally_entropy(PG_FUNCTION_ARGS)
{
	int			n;
	int128		total;
	TallyRank  *ranks = concentration_arg(PG_GETARG_DATUM(0), &n, &total);

	if (ranks == NULL)
		PG_RETURN_NULL();
	return call2(numeric_round, entropy(ranks, n, total), Int32GetDatum(ENTROPY_SCALE));
}

PG_FUNCTION_INFO_V1(tally_evenness);
Datum
tally_evenness(PG_FUNCTION_ARGS)
{
	int			n;
	int128		total;
	TallyRank  *ranks = concentration_arg(PG_GETARG_DATUM(0), &n, &total);

	/* one party is neither even nor uneven */
	if (ranks == NULL || n == 1)
		PG_RETURN_NULL();
	return call2(numeric_round, call2(numeric_div, entropy(ranks, n, total), logarithm(n)),
				 Int32GetDatum(ENTROPY_SCALE));
}

/*
 * Those who lead, from the one after a fraction of the total is reached to the
 * one with whom another fraction is.
 */
PG_FUNCTION_INFO_V1(tally_band);
Datum
tally_band(PG_FUNCTION_ARGS)
{
	Decimal		above = tally_fraction_arg(PG_GETARG_DATUM(1));
	Decimal		upto = tally_fraction_arg(PG_GETARG_DATUM(2));
	PartyMap	map;
	TallyRank  *ranks;
	TallyRow   *rows;
	int128		total;
	int			from;
	int			until;

	tally_read(PG_GETARG_DATUM(0), &map);
	tally_require_no_negative(&map, "quantity");
	total = tally_total(&map);
	ranks = tally_ranked(&map);
	from = tally_reaching(ranks, map.n, total, above);
	until = tally_reaching(ranks, map.n, total, upto);
	rows = tally_rows(Max(until - from, 0));
	for (int i = from; i < until; i++)
	{
		rows[i - from].key = party_map_key(&map, ranks[i].i);
		rows[i - from].quantity = ranks[i].quantity;
	}
	PG_RETURN_POINTER(tally_make(rows, Max(until - from, 0), map.exponent));
}

/* ----------
 * Tallies as rows: entries() and top().  Both stream.
 * ----------
 */
typedef struct EntriesState
{
	PartyMap	map;
	TallyRank  *ranks;			/* top(): in this order */
} EntriesState;

static Datum
tally_rows_next(FunctionCallInfo fcinfo, bool top)
{
	FuncCallContext *context;
	EntriesState *state;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			i;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		state = palloc0(sizeof(EntriesState));
		tally_read(PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))), &state->map);
		context->max_calls = state->map.n;
		if (top)
		{
			int			n = PG_GETARG_INT32(1);

			if (n < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("number of parties must not be negative")));
			state->ranks = tally_ranked(&state->map);
			context->max_calls = Min(n, state->map.n);
		}
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		context->user_fctx = state;
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (context->call_cntr >= context->max_calls)
		SRF_RETURN_DONE(context);
	i = (int) context->call_cntr;
	if (top)
		i = state->ranks[i].i;
	values[0] = PointerGetDatum(party_text(party_map_key(&state->map, i)));
	values[1] = decimal_get_numeric(tally_quantity(&state->map, i), state->map.exponent);
	SRF_RETURN_NEXT(context,
					HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}

PG_FUNCTION_INFO_V1(tally_entries);
Datum
tally_entries(PG_FUNCTION_ARGS)
{
	return tally_rows_next(fcinfo, false);
}

PG_FUNCTION_INFO_V1(tally_top);
Datum
tally_top(PG_FUNCTION_ARGS)
{
	return tally_rows_next(fcinfo, true);
}
