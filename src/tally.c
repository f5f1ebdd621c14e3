/*
 * tally.c
 *		The type "tally": text and binary input and output, comparison,
 *		algebra, and what becomes of its parties.
 *
 * What is measured on tallies is in tally_measure.c, the aggregates are in
 * tally_agg.c, split() is in split.c.
 */
#include "postgres.h"

#include "compat.h"
#include "json_cursor.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

const PartyMapKind tally_kind = {"tally", 1, false, DECIMAL_MAX_SCALE};

void
tally_read(Datum tally, PartyMap *map)
{
	party_map_read(tally, &tally_kind, map);
}

void
tally_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("quantity out of range"),
			 errdetail("A tally keeps %d significant digits: the largest value and the smallest fraction share them.",
					   DECIMAL_MAX_SCALE),
			 errhint("Round the quantities, or choose a larger unit.")));
	pg_unreachable();
}

/* Memory for so many rows. */
TallyRow *
tally_rows(int64 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(TallyRow));
}

/*
 * Drop the decimal places that no quantity needs.
 */
static int
trim_scale(int128 *quantities, int64 n, int scale)
{
	for (; scale > 0; scale--)
	{
		for (int64 i = 0; i < n; i++)
		{
			if (quantities[i] % 10 != 0)
				return scale;
		}
		for (int64 i = 0; i < n; i++)
			quantities[i] /= 10;
	}
	return scale;
}

/*
 * Make a tally of rows in order of their parties; those of one party are
 * summed.  The scale may be too large, if the quantities do not need it.
 */
static struct varlena *
make_ordered(const TallyRow *rows, PartyOrder *order, int64 nrows, int scale)
{
	int128	   *quantities = MemoryContextAllocHuge(CurrentMemoryContext,
													Max(nrows, 1) * sizeof(int128));
	uint64	   *column = (uint64 *) quantities; /* written behind what is read */
	struct varlena *result;
	int64		n = 0;

	for (int64 i = 0; i < nrows;)
	{
		PartyOrder	party = order[i];
		int128		sum = rows[party.row].quantity;

		while (++i < nrows && order[i].prefix == party.prefix &&
			   party_compare(order[i].key, party.key) == 0)
			sum += rows[order[i].row].quantity;
		if (sum == 0)
			continue;
		order[n] = party;
		quantities[n++] = sum;
	}
	scale = n == 0 ? 0 : trim_scale(quantities, n, scale);
	for (int64 i = 0; i < n; i++)
	{
		int128		quantity = quantities[i];

		if (unlikely(scale > DECIMAL_MAX_SCALE || quantity > PG_INT64_MAX || quantity <= PG_INT64_MIN))
			tally_overflow();
		column[i] = ((uint64) quantity << 1) ^ (quantity < 0 ? ~UINT64CONST(0) : 0);
	}
	result = party_map_pack(&tally_kind, scale, 0, order, n, &column);
	pfree(quantities);
	pfree(order);
	return result;
}

/* The same of rows in any order. */
struct varlena *
tally_make(const TallyRow *rows, int64 n, int scale)
{
	return make_ordered(rows, party_order(rows, sizeof(TallyRow), n), n, scale);
}

/*
 * Bring quantities, each with as few decimal places of its own as it needs, to
 * the most of any.  False if one does not fit.
 */
static bool
align_rows(TallyRow *rows, const uint8 *scales, int64 n, int *scale)
{
	*scale = 0;
	for (int64 i = 0; i < n; i++)
		*scale = Max(*scale, scales[i]);
	for (int64 i = 0; i < n; i++)
	{
		rows[i].quantity *= decimal_pow10[*scale - scales[i]];
		if (rows[i].quantity > PG_INT64_MAX || rows[i].quantity <= PG_INT64_MIN)
			return false;
	}
	return true;
}

/*
 * Text input: a JSON object from parties to numbers, in any order.
 */
PG_FUNCTION_INFO_V1(tally_in);
Datum
tally_in(PG_FUNCTION_ARGS)
{
	JsonCursor	cursor = {0};
	int64		size = 16;
	int64		n = 0;
	TallyRow   *rows = tally_rows(size);
	uint8	   *scales = palloc(size);
	PartyOrder *order;
	int			scale;

	cursor.literal = cursor.p = PG_GETARG_CSTRING(0);
	cursor.type = tally_kind.name;
	cursor.hint = "A tally is a JSON object from parties to numbers, such as '{\"alice\": 12, \"bob\": 3}'.";
	cursor.context = fcinfo->context;

	if (!json_expect(&cursor, '{', "\"{\""))
		PG_RETURN_NULL();
	if (!json_next_is(&cursor, '}'))
	{
		do
		{
			Decimal		quantity;

			CHECK_FOR_INTERRUPTS();
			if (n == size)
			{
				size *= 2;
				rows = repalloc_huge(rows, size * sizeof(TallyRow));
				scales = repalloc_huge(scales, size);
			}
			if (!json_string(&cursor, n == 0 ? "\"}\" or a party in double quotes" : "a party in double quotes",
							 &rows[n].key) ||
				!json_expect(&cursor, ':', "\":\"") ||
				!json_decimal(&cursor, &quantity))
				PG_RETURN_NULL();
			rows[n].quantity = quantity.mantissa;
			scales[n++] = quantity.scale;
		} while (json_next_is(&cursor, ','));
		if (!json_expect(&cursor, '}', "\",\" or \"}\""))
			PG_RETURN_NULL();
	}
	if (!json_expect_end(&cursor))
		PG_RETURN_NULL();

	order = party_order(rows, sizeof(TallyRow), n);
	for (int64 i = 1; i < n; i++)
	{
		if (party_compare(order[i - 1].key, order[i].key) == 0)
		{
			json_duplicate(&cursor, "party", order[i].key);
			PG_RETURN_NULL();
		}
	}
	if (!align_rows(rows, scales, n, &scale))
		ereturn(cursor.context, (Datum) 0,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("quantity out of range for type tally"),
				 errdetail("A tally keeps %d significant digits: the largest value and the smallest fraction share them.",
						   DECIMAL_MAX_SCALE)));
	PG_RETURN_POINTER(make_ordered(rows, order, n, scale));
}

PG_FUNCTION_INFO_V1(tally_out);
Datum
tally_out(PG_FUNCTION_ARGS)
{
	PartyMap	map;
	StringInfoData out;

	tally_read(PG_GETARG_DATUM(0), &map);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < map.n; i++)
	{
		char		number[DECIMAL_MAXLEN];
		int64		quantity = tally_quantity(&map, i);
		int			scale = map.exponent;

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(&out, ", ");
		json_out_string(&out, party_map_key(&map, i));
		for (; scale > 0 && quantity % 10 == 0; scale--)
			quantity /= 10;
		decimal_out(quantity, scale, number);
		appendStringInfoString(&out, ": ");
		appendStringInfoString(&out, number);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/*
 * Binary input and output: version, scale, number of parties, then of each the
 * length of its name, the name (text in the encoding of the client) and the
 * mantissa (int64), in network byte order.
 */
PG_FUNCTION_INFO_V1(tally_recv);
Datum
tally_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			scale;
	int			n;
	TallyRow   *rows;
	PartyOrder *order;

	if (version != PARTY_MAP_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported tally version number %d", version)));
	scale = pq_getmsgbyte(buf);
	if (scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid tally scale %d", scale),
				 errdetail("The scale is between 0 and %d.", DECIMAL_MAX_SCALE)));
	n = party_message_count(buf, &tally_kind, sizeof(int32) + sizeof(int64));
	rows = tally_rows(n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[i].key = party_message_key(buf);
		rows[i].quantity = pq_getmsgint64(buf);
	}
	order = party_order(rows, sizeof(TallyRow), n);
	party_message_order(order, n, &tally_kind);
	PG_RETURN_POINTER(make_ordered(rows, order, n, scale));
}

PG_FUNCTION_INFO_V1(tally_send);
Datum
tally_send(PG_FUNCTION_ARGS)
{
	PartyMap	map;
	StringInfoData buf;

	tally_read(PG_GETARG_DATUM(0), &map);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, PARTY_MAP_VERSION);
	pq_sendbyte(&buf, map.exponent);
	pq_sendint32(&buf, map.n);
	for (int i = 0; i < map.n; i++)
	{
		party_send_key(&buf, party_map_key(&map, i));
		pq_sendint64(&buf, tally_quantity(&map, i));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Comparison: by the quantity of the first party that makes a difference
 * ----------
 */
static inline int64
pair_quantity(const PartyMap *map, int i)
{
	return i < 0 ? 0 : tally_quantity(map, i);
}

static void
pair_read(PartyPair *pair, Datum a, Datum b)
{
	tally_read(a, &pair->a);
	tally_read(b, &pair->b);
	pair->next_a = pair->next_b = 0;
}

static int
tally_compare(Datum a, Datum b)
{
	PartyPair	pair;

	pair_read(&pair, a, b);
	while (party_pair_next(&pair))
	{
		int			cmp = decimal_cmp(pair_quantity(&pair.a, pair.i), pair.a.exponent,
									  pair_quantity(&pair.b, pair.j), pair.b.exponent);

		if (cmp != 0)
			return cmp;
	}
	return 0;
}

PG_FUNCTION_INFO_V1(tally_cmp);
Datum
tally_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(party_map_compare_args(fcinfo, tally_compare));
}

#define TALLY_COMPARISON(name, op) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(party_map_compare_args(fcinfo, tally_compare) op 0); \
}

TALLY_COMPARISON(tally_lt, <)
TALLY_COMPARISON(tally_le, <=)
TALLY_COMPARISON(tally_gt, >)
TALLY_COMPARISON(tally_ge, >=)

/* ----------
 * Algebra
 * ----------
 */
static struct varlena *
tally_sum(Datum a, Datum b, int sign)
{
	PartyPair	pair;
	TallyRow   *rows;
	int64		n = 0;
	int			scale;
	int64		a_factor;
	int64		b_factor;

	pair_read(&pair, a, b);
	scale = Max(pair.a.exponent, pair.b.exponent);
	a_factor = decimal_pow10[scale - pair.a.exponent];
	b_factor = sign * decimal_pow10[scale - pair.b.exponent];
	rows = tally_rows((int64) pair.a.n + pair.b.n);
	while (party_pair_next(&pair))
	{
		rows[n].key = pair.key;
		rows[n++].quantity = (int128) pair_quantity(&pair.a, pair.i) * a_factor +
			(int128) pair_quantity(&pair.b, pair.j) * b_factor;
	}
	return tally_make(rows, n, scale);
}

PG_FUNCTION_INFO_V1(tally_add);
Datum
tally_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_sum(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 1));
}

PG_FUNCTION_INFO_V1(tally_subtract);
Datum
tally_subtract(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_sum(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), -1));
}

static struct varlena *
tally_times(Datum tally, Decimal factor)
{
	PartyMap	map;
	TallyRow   *rows;

	tally_read(tally, &map);
	rows = tally_rows(map.n);
	for (int i = 0; i < map.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[i].key = party_map_key(&map, i);
		rows[i].quantity = (int128) tally_quantity(&map, i) * factor.mantissa;
	}
	return tally_make(rows, map.n, map.exponent + factor.scale);
}

PG_FUNCTION_INFO_V1(tally_multiply);
Datum
tally_multiply(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_times(PG_GETARG_DATUM(0), decimal_arg(PG_GETARG_DATUM(1), "factor")));
}

PG_FUNCTION_INFO_V1(numeric_multiply_tally);
Datum
numeric_multiply_tally(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_times(PG_GETARG_DATUM(1), decimal_arg(PG_GETARG_DATUM(0), "factor")));
}

PG_FUNCTION_INFO_V1(tally_negate);
Datum
tally_negate(PG_FUNCTION_ARGS)
{
	Decimal		minus_one = {-1, 0};

	PG_RETURN_POINTER(tally_times(PG_GETARG_DATUM(0), minus_one));
}

/* ----------
 * Some of the parties, or others
 * ----------
 */

/* those of the first tally that the second one has, or has not */
static struct varlena *
tally_part(Datum tally, Datum other, bool present)
{
	PartyPair	pair;
	TallyRow   *rows;
	int64		n = 0;

	pair_read(&pair, tally, other);
	rows = tally_rows(pair.a.n);
	while (party_pair_next(&pair))
	{
		if (pair.i < 0 || (pair.j >= 0) != present)
			continue;
		rows[n].key = pair.key;
		rows[n++].quantity = tally_quantity(&pair.a, pair.i);
	}
	return tally_make(rows, n, pair.a.exponent);
}

PG_FUNCTION_INFO_V1(tally_newcomers);
Datum
tally_newcomers(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_part(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), false));
}

PG_FUNCTION_INFO_V1(tally_retained);
Datum
tally_retained(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(tally_part(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), true));
}

/*
 * rekey(tally, mapping): the same quantities under other keys.
 */
PG_FUNCTION_INFO_V1(tally_rekey);
Datum
tally_rekey(PG_FUNCTION_ARGS)
{
	Jsonb	   *mapping = PG_GETARG_JSONB_P(1);
	PartyMap	map;
	TallyRow   *rows;
	int64		n = 0;

	party_require_mapping(mapping);
	tally_read(PG_GETARG_DATUM(0), &map);
	rows = tally_rows(map.n);
	for (int i = 0; i < map.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[n].key = party_map_key(&map, i);
		rows[n].quantity = tally_quantity(&map, i);
		n += party_mapped(mapping, &rows[n].key);
	}
	PG_RETURN_POINTER(tally_make(rows, n, map.exponent));
}
