/*
 * fairness.c
 *		Who pays how much: shares of a common capacity by the Shapley value, and
 *		the transfers that settle balances.
 *
 * All of it is integers: quantities in units of the last place, shares as
 * numerators over one denominator, rounded by tally_shares() to sum to the
 * whole.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "money.h"
#include "port/pg_bitutils.h"
#include "tally.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* all coalitions of so many parties are looked at */
#define SHAPLEY_PEAK_MAX	16

/* and all subsets of so many balances */
#define NET_EXACT_MAX		20

/* fractions of a unit, in shapley_airport */
#define FRACTION_BITS		60

/*
 * The units of a quantity, at the scale of the shares.
 */
static int64
units_of(int64 mantissa, int from, int scale)
{
	int64		units;

	if (from <= scale)
	{
		if (!decimal_rescale(mantissa, from, scale, &units))
			decimal_overflow();
		return units;
	}
	if (mantissa % decimal_pow10[from - scale] != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantity to share has more than %d decimal places", scale)));
	return mantissa / decimal_pow10[from - scale];
}

/*
 * shapley_airport(demands, scale)
 *
 * In ascending order, the step from one demand to the next divides evenly
 * among all who demand at least the next.  A step's part has 60 binary places,
 * so that of a million parties' sums not 10^-12 of a unit is lost; and what is
 * lost is what tally_shares() gives back first.
 */
PG_FUNCTION_INFO_V1(shapley_airport);
Datum
shapley_airport(PG_FUNCTION_ARGS)
{
	int			scale = PG_GETARG_INT32(1);
	PartyMap	demands;
	TallyRank  *ranks;
	TallyRow   *rows;
	uint128    *parts;
	uint128		part = 0;
	int64		reached = 0;

	tally_read(PG_GETARG_DATUM(0), &demands);
	tally_require_no_negative(&demands, "demand");
	tally_require_scale(scale);
	ranks = tally_ranked(&demands);
	rows = tally_rows(demands.n);
	parts = alloc_huge(demands.n, sizeof(uint128));
	for (int i = demands.n - 1; i >= 0; i--)
	{
		int64		demand = units_of(ranks[i].quantity, demands.exponent, scale);

		CHECK_FOR_INTERRUPTS();

		/* i + 1 parties demand as much, or more */
		part += ((uint128) (demand - reached) << FRACTION_BITS) / (i + 1);
		parts[ranks[i].i] = part;
		rows[ranks[i].i].key = party_map_key(&demands, ranks[i].i);
		reached = demand;
	}
	tally_shares(rows, demands.n, parts, (uint128) 1 << FRACTION_BITS, reached);
	PG_RETURN_POINTER(tally_make(rows, demands.n, scale));
}

/*
 * The parties of shapley_peak, in order, and their loads in units over the
 * pieces of time in which none changes.
 */
typedef struct Loads
{
	int			n;
	PartyKey	party[SHAPLEY_PEAK_MAX];
	ProfileReader reader[SHAPLEY_PEAK_MAX];
	int64		npieces;
	int64	   *units[SHAPLEY_PEAK_MAX];
} Loads;

/*
 * Put a party where it belongs.
 */
static void
loads_insert(Loads *loads, PartyKey party, const ProfileReader *reader)
{
	int			i;

	if (loads->n == SHAPLEY_PEAK_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("peaks can be shared among %d parties at most", SHAPLEY_PEAK_MAX),
				 errhint("shapley_airport() of each party's own peak has no such limit.")));
	for (i = loads->n; i > 0; i--)
	{
		int			cmp = party_compare(loads->party[i - 1], party);

		if (cmp == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("party \"%.*s\" has more than one load", (int) party.len, party.name),
					 errhint("Sum its loads first.")));
		if (cmp < 0)
			break;
		loads->party[i] = loads->party[i - 1];
		loads->reader[i] = loads->reader[i - 1];
	}
	loads->party[i] = party;
	loads->reader[i] = *reader;
	loads->n++;
}

static int
compare_instants(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/*
 * Cut the time where any load changes, and read the loads.
 */
static void
loads_read(Loads *loads, Span during, int scale)
{
	int64		size = 1;
	int64		nedges = 0;
	TimestampTz *edges;

	for (int i = 0; i < loads->n; i++)
		size += loads->reader[i].n;
	edges = alloc_huge(size, sizeof(TimestampTz));
	edges[nedges++] = during.from;
	for (int i = 0; i < loads->n; i++)
	{
		for (int j = 0; j < loads->reader[i].n; j++)
		{
			TimestampTz at = profile_time(&loads->reader[i], j);

			if (at > during.from && at < during.until)
				edges[nedges++] = at;
		}
	}
	qsort(edges, nedges, sizeof(TimestampTz), compare_instants);
	loads->npieces = 0;
	for (int64 k = 0; k < nedges; k++)
	{
		if (k == 0 || edges[k] != edges[loads->npieces - 1])
			edges[loads->npieces++] = edges[k];
	}
	for (int i = 0; i < loads->n; i++)
	{
		const ProfileReader *reader = &loads->reader[i];
		int			piece = profile_find(reader, during.from);

		loads->units[i] = alloc_huge(loads->npieces, sizeof(int64));
		for (int64 k = 0; k < loads->npieces; k++)
		{
			int64		units;

			CHECK_FOR_INTERRUPTS();
			while (piece + 1 < reader->n && profile_time(reader, piece + 1) <= edges[k])
				piece++;
			units = units_of(profile_value_from(reader, piece), reader->scale, scale);
			if (units < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("load must not be negative"),
						 errdetail("That of party \"%.*s\" is.",
								   (int) loads->party[i].len, loads->party[i].name)));

			/* so that the loads of all parties can be added */
			if (units > PG_INT64_MAX / SHAPLEY_PEAK_MAX)
				decimal_overflow();
			loads->units[i][k] = units;
		}
	}
	pfree(edges);
}

/*
 * The peak of every coalition.  Each differs from the one before by one party
 * that comes or goes (a Gray code).
 */
static int64 *
coalition_peaks(const Loads *loads)
{
	int64	   *peaks = alloc_huge((int64) 1 << loads->n, sizeof(int64));
	int64	   *sum = alloc_huge(loads->npieces, sizeof(int64));
	uint32		coalition = 0;

	memset(sum, 0, loads->npieces * sizeof(int64));
	peaks[0] = 0;
	for (uint32 k = 1; k < (uint32) 1 << loads->n; k++)
	{
		int			party = pg_rightmost_one_pos32(k);
		const int64 *load = loads->units[party];
		int64		peak = 0;

		CHECK_FOR_INTERRUPTS();
		coalition ^= (uint32) 1 << party;
		if (coalition >> party & 1)
		{
			for (int64 i = 0; i < loads->npieces; i++)
			{
				sum[i] += load[i];
				peak = Max(peak, sum[i]);
			}
		}
		else
		{
			for (int64 i = 0; i < loads->npieces; i++)
			{
				sum[i] -= load[i];
				peak = Max(peak, sum[i]);
			}
		}
		peaks[coalition] = peak;
	}
	pfree(sum);
	return peaks;
}

/*
 * shapley_peak(parties, loads, during, scale)
 *
 * A party's share is the mean, over all orders in which the parties may come,
 * of what the peak grows by when it comes: over the denominator n!, the sum
 * over all coalitions without it of s! (n - s - 1)! times that.  16! times an
 * int64 is less than 2^108.
 */
PG_FUNCTION_INFO_V1(shapley_peak);
Datum
shapley_peak(PG_FUNCTION_ARGS)
{
	ArrayType  *parties = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *profiles = PG_GETARG_ARRAYTYPE_P(1);
	Span		during = span_arg(PG_GETARG_DATUM(2));
	int			scale = PG_GETARG_INT32(3);
	Datum	   *names;
	Datum	   *values;
	bool	   *no_name;
	bool	   *no_value;
	int			nnames;
	int			nvalues;
	Loads		loads;
	int64	   *peaks;
	uint32		all;
	uint128		factorial[SHAPLEY_PEAK_MAX + 1];
	uint128		parts[SHAPLEY_PEAK_MAX] = {0};
	TallyRow   *rows;

	tally_require_scale(scale);
	if (ARR_NDIM(parties) > 1 || ARR_NDIM(profiles) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("parties and loads must be arrays of one dimension")));
	deconstruct_array(parties, TEXTOID, -1, false, TYPALIGN_INT, &names, &no_name, &nnames);
	deconstruct_array(profiles, ARR_ELEMTYPE(profiles), -1, false, TYPALIGN_INT,
					  &values, &no_value, &nvalues);
	if (nnames != nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be as many loads as parties")));
	if (!SPAN_IS_EMPTY(during) && (during.from == DT_NOBEGIN || during.until == DT_NOEND))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the peak of an unbounded time cannot be shared"),
				 errhint("Bound the time, for example with tstzrange(a, b).")));
	loads.n = 0;
	loads.npieces = 0;
	for (int i = 0; i < nnames; i++)
	{
		ProfileReader reader;

		if (no_name[i] || no_value[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("parties and loads must not be null")));
		profile_read(values[i], &reader);
		loads_insert(&loads, party_key_arg(names[i]), &reader);
	}
	if (SPAN_IS_EMPTY(during))
		loads.n = 0;
	else
		loads_read(&loads, during, scale);
	peaks = coalition_peaks(&loads);
	all = (uint32) (((int64) 1 << loads.n) - 1);

	factorial[0] = 1;
	for (int i = 1; i <= loads.n; i++)
		factorial[i] = factorial[i - 1] * i;
	for (uint32 coalition = 0; coalition < all; coalition++)
	{
		int			others = pg_popcount32(coalition);
		uint128		orders = factorial[others] * factorial[loads.n - others - 1];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < loads.n; i++)
		{
			if ((coalition >> i & 1) == 0)
				parts[i] += orders * (peaks[coalition | (uint32) 1 << i] - peaks[coalition]);
		}
	}
	rows = tally_rows(loads.n);
	for (int i = 0; i < loads.n; i++)
		rows[i].key = loads.party[i];
	tally_shares(rows, loads.n, parts, factorial[loads.n], peaks[all]);
	PG_RETURN_POINTER(tally_make(rows, loads.n, scale));
}

/*
 * net_transfers(balances, mode)
 */
typedef struct Balance
{
	int			party;			/* in the tally */
	int64		amount;			/* without its sign */
} Balance;

typedef struct Netting
{
	PartyMap	map;
	ReturnSetInfo *result;
} Netting;

/* the largest amount first, then the earlier party */
#define ST_SORT sort_balances
#define ST_ELEMENT_TYPE Balance
#define ST_COMPARE(a, b) \
	((a)->amount != (b)->amount ? ((a)->amount > (b)->amount ? -1 : 1) : \
	 ((a)->party > (b)->party) - ((a)->party < (b)->party))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

static int
compare_balances(Datum a, Datum b, void *unused)
{
	const Balance *x = (const Balance *) DatumGetPointer(a);
	const Balance *y = (const Balance *) DatumGetPointer(b);

	(void) unused;
	if (x->amount != y->amount)
		return x->amount > y->amount ? 1 : -1;
	return (x->party < y->party) - (x->party > y->party);
}

static void
transfer(Netting *netting, int payer, int payee, int64 amount)
{
	PartyKey	from = party_map_key(&netting->map, payer);
	PartyKey	to = party_map_key(&netting->map, payee);
	Datum		values[3] = {
		PointerGetDatum(cstring_to_text_with_len(from.name, from.len)),
		PointerGetDatum(cstring_to_text_with_len(to.name, to.len)),
		decimal_get_numeric(amount, netting->map.exponent)
	};
	bool		nulls[3] = {false};

	tuplestore_putvalues(netting->result->setResult, netting->result->setDesc, values, nulls);
	for (int i = 0; i < 3; i++)
		pfree(DatumGetPointer(values[i]));
}

/*
 * The largest payer pays the largest payee: each transfer settles one of them,
 * the last both.
 */
static void
transfer_greedily(Netting *netting, Balance *payers, int npayers, Balance *payees, int npayees)
{
	binaryheap *from = binaryheap_allocate(Max(npayers, 1), compare_balances, NULL);
	binaryheap *to = binaryheap_allocate(Max(npayees, 1), compare_balances, NULL);

	for (int i = 0; i < npayers; i++)
		binaryheap_add_unordered(from, PointerGetDatum(&payers[i]));
	for (int i = 0; i < npayees; i++)
		binaryheap_add_unordered(to, PointerGetDatum(&payees[i]));
	binaryheap_build(from);
	binaryheap_build(to);
	while (!binaryheap_empty(from))
	{
		Balance    *payer = (Balance *) DatumGetPointer(binaryheap_first(from));
		Balance    *payee = (Balance *) DatumGetPointer(binaryheap_first(to));
		int64		amount = Min(payer->amount, payee->amount);

		CHECK_FOR_INTERRUPTS();
		transfer(netting, payer->party, payee->party, amount);
		payer->amount -= amount;
		payee->amount -= amount;
		if (payer->amount == 0)
			(void) binaryheap_remove_first(from);
		else
			binaryheap_replace_first(from, PointerGetDatum(payer));
		if (payee->amount == 0)
			(void) binaryheap_remove_first(to);
		else
			binaryheap_replace_first(to, PointerGetDatum(payee));
	}
	binaryheap_free(from);
	binaryheap_free(to);
}

/*
 * Find as many groups that sum to zero as there can be: each of n parties
 * settles with n - 1 transfers, so that the more there are, the fewer it takes.
 * For each subset, the most groups that end one after the other when parties
 * are added in some order.
 */
static void
transfer_exactly(Netting *netting, Balance *payers, int npayers, Balance *payees, int npayees)
{
	int			n = npayers + npayees;
	uint32		nsubsets = (uint32) 1 << n;
	int128	   *sums = alloc_huge(nsubsets, sizeof(int128));
	uint8	   *groups = alloc_huge(nsubsets, sizeof(uint8));
	Balance    *group_payers = palloc(n * sizeof(Balance));
	Balance    *group_payees = palloc(n * sizeof(Balance));
	uint32		left = nsubsets - 1;

	sums[0] = 0;
	groups[0] = 0;
	for (uint32 subset = 1; subset < nsubsets; subset++)
	{
		int			lowest = pg_rightmost_one_pos32(subset);
		uint8		most = 0;

		CHECK_FOR_INTERRUPTS();
		sums[subset] = sums[subset & (subset - 1)] +
			(lowest < npayers ? -(int128) payers[lowest].amount : payees[lowest - npayers].amount);
		for (uint32 rest = subset; rest != 0; rest &= rest - 1)
			most = Max(most, groups[subset & ~(rest & -rest)]);
		groups[subset] = most + (sums[subset] == 0 ? 1 : 0);
	}

	/* go back the same way; a group is what is between two zeros */
	while (left != 0)
	{
		int			from = 0;
		int			to = 0;

		do
		{
			uint8		before = groups[left] - (sums[left] == 0 ? 1 : 0);
			int			i = 0;

			while ((left >> i & 1) == 0 || groups[left & ~((uint32) 1 << i)] != before)
				i++;
			if (i < npayers)
				group_payers[from++] = payers[i];
			else
				group_payees[to++] = payees[i - npayers];
			left &= ~((uint32) 1 << i);
		} while (sums[left] != 0);
		transfer_greedily(netting, group_payers, from, group_payees, to);
	}
}

PG_FUNCTION_INFO_V1(net_transfers);
Datum
net_transfers(PG_FUNCTION_ARGS)
{
	const text *mode = PG_GETARG_TEXT_PP(1);
	bool		exact = text_is(mode, "exact");
	Netting		netting;
	Balance    *payers;
	Balance    *payees;
	int			npayers = 0;
	int			npayees = 0;
	int			i = 0;
	int			j = 0;
	int			from = 0;
	int			to = 0;
	int128		total;

	if (!exact && !text_is(mode, "greedy"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode of netting \"%s\"", text_to_cstring(mode)),
				 errhint("Modes are greedy and exact.")));
	InitMaterializedSRF(fcinfo, 0);
	netting.result = (ReturnSetInfo *) fcinfo->resultinfo;
	tally_read(PG_GETARG_DATUM(0), &netting.map);
	total = tally_total(&netting.map);
	if (total != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("balances to settle must sum to zero"),
				 errdetail("They sum to %s.",
						   DatumGetCString(DirectFunctionCall1(numeric_out,
															   decimal128_get_numeric(total, netting.map.exponent))))));

	payers = alloc_huge(netting.map.n, sizeof(Balance));
	payees = alloc_huge(netting.map.n, sizeof(Balance));
	for (int k = 0; k < netting.map.n; k++)
	{
		int64		amount = tally_quantity(&netting.map, k);
		Balance    *balance = amount < 0 ? &payers[npayers++] : &payees[npayees++];

		balance->party = k;
		balance->amount = amount < 0 ? -amount : amount;
	}
	sort_balances(payers, npayers);
	sort_balances(payees, npayees);

	/* equal amounts, which are never better settled otherwise; the rest stays */
	while (i < npayers && j < npayees)
	{
		if (payers[i].amount == payees[j].amount)
		{
			transfer(&netting, payers[i].party, payees[j].party, payers[i].amount);
			i++;
			j++;
		}
		else if (payers[i].amount > payees[j].amount)
			payers[from++] = payers[i++];
		else
			payees[to++] = payees[j++];
	}
	while (i < npayers)
		payers[from++] = payers[i++];
	while (j < npayees)
		payees[to++] = payees[j++];

	if (exact && from + to > NET_EXACT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the least number of transfers can be found for %d parties at most", NET_EXACT_MAX),
				 errdetail("There are %d whose balance matches no other.", from + to),
				 errhint("Mode greedy has no such limit.")));
	if (exact)
		transfer_exactly(&netting, payers, from, payees, to);
	else
		transfer_greedily(&netting, payers, from, payees, to);
	return (Datum) 0;
}
