/*
 * party_fuzz.c
 *		Fuzz target of the input of the types "tally" and "activity", for
 *		libFuzzer.
 *
 * The first byte of an input says what to do with the others, and in which time
 * zone (see shim.c); as a digit, in UTC:
 *
 *	0	text input: tally_in(), up to a 0 byte
 *	1	binary input: tally_recv()
 *	2	text input: activity_in()
 *	3	binary input: activity_recv()
 *
 * What is accepted is in canonical form: parties in strict order, what they
 * have in range, the smallest widths; and the same again after text and binary
 * output and input, and after adding and taking away.
 */
#include "postgres.h"

#include "compat.h"
#include "activity.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "shim.h"
#include "tally.h"
#include "utils/timestamp.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

typedef struct FuzzedType
{
	PGFunction	in;
	PGFunction	out;
	PGFunction	recv;
	PGFunction	send;
	PGFunction	add;
	PGFunction	cmp;
	const PartyMapKind *kind;
} FuzzedType;

#define DECLARE(name) extern Datum name(PG_FUNCTION_ARGS)
DECLARE(tally_in);
DECLARE(tally_out);
DECLARE(tally_recv);
DECLARE(tally_send);
DECLARE(tally_add);
DECLARE(tally_subtract);
DECLARE(tally_cmp);
DECLARE(activity_in);
DECLARE(activity_out);
DECLARE(activity_recv);
DECLARE(activity_send);
DECLARE(activity_add);
DECLARE(activity_cmp);

static const FuzzedType types[] = {
	{tally_in, tally_out, tally_recv, tally_send, tally_add, tally_cmp, &tally_kind},
	{activity_in, activity_out, activity_recv, activity_send, activity_add, activity_cmp, &activity_kind}
};

static bool
same_bytes(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return VARSIZE(x) == VARSIZE(y) && memcmp(x, y, VARSIZE(x)) == 0;
}

/* A copy of exactly these bytes, so that reading past their end is noticed */
static void *
copy(const void *bytes, size_t size)
{
	void	   *result = palloc(size);

	memcpy(result, bytes, size);
	return result;
}

static bool
receive(const FuzzedType *type, const void *bytes, size_t size, Datum *result)
{
	StringInfoData message = {.data = copy(bytes, size),.len = (int) size,.maxlen = (int) size};

	return shim_try(type->recv, result, 1, PointerGetDatum(&message)) && message.cursor == message.len;
}

/* widths are the smallest: some value of each column needs all of its bytes */
static void
check_widths(const PartyMap *map, int ncolumns)
{
	for (int c = 0; c < ncolumns; c++)
	{
		uint64		all = 0;

		for (int i = 0; i < map->n; i++)
			all |= party_map_value(map, c, i);
		CHECK(map->width[c] == 0 ? all == 0 : all >> (8 * (map->width[c] - 1)) != 0);
		CHECK(map->width[c] == 8 || all >> (8 * map->width[c]) == 0);
	}
}

static void
check_value(const FuzzedType *type, Datum value)
{
	PartyMap	map;
	PartyKey	last = {NULL, 0};
	Datum		again;
	bytea	   *sent;
	bool		divisible = true;

	party_map_read(value, type->kind, &map);
	CHECK(map.n >= 0 && map.exponent >= 0 && map.exponent <= type->kind->max_exponent);
	for (int i = 0; i < map.n; i++)
	{
		PartyKey	key = party_map_key(&map, i);

		CHECK(key.len >= 0 && (const uint8 *) key.name + key.len <= map.end);
		CHECK(pg_encoding_verifymbstr(PG_UTF8, key.name, (int) key.len) == key.len);
		CHECK(last.name == NULL || party_compare(last, key) < 0);
		CHECK(party_map_find(&map, key) == i);
		last = key;
		if (type->kind == &tally_kind)
		{
			int64		quantity = tally_quantity(&map, i);

			CHECK(quantity != 0 && quantity != PG_INT64_MIN);
			divisible = divisible && quantity % 10 == 0;
		}
		else
		{
			Deeds		deeds;

			activity_deeds(&map, i, &deeds);
			CHECK(deeds.count >= 1 && deeds.added >= 0 && deeds.removed >= 0);
			CHECK(deeds.first <= deeds.last && (deeds.count > 1 || deeds.first == deeds.last));
			CHECK(deeds.first >= (TimestampTz) map.base);
			CHECK(IS_VALID_TIMESTAMP(deeds.first) || TIMESTAMP_NOT_FINITE(deeds.first));
			CHECK(IS_VALID_TIMESTAMP(deeds.last) || TIMESTAMP_NOT_FINITE(deeds.last));
		}
	}
	check_widths(&map, type->kind->ncolumns);
	if (type->kind == &tally_kind)
		CHECK(map.exponent == 0 || (map.n > 0 && !divisible));

	CHECK(shim_try(type->in, &again, 1, DirectFunctionCall1(type->out, value)));
	CHECK(same_bytes(value, again));
	sent = DatumGetByteaPP(DirectFunctionCall1(type->send, value));
	CHECK(receive(type, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent), &again));
	CHECK(same_bytes(value, again));
	CHECK(DatumGetInt32(DirectFunctionCall2(type->cmp, value, again)) == 0);

	/* twice as much, if that is not too much */
	if (shim_try(type->add, &again, 2, value, value))
	{
		PartyMap	sum;

		party_map_read(again, type->kind, &sum);
		CHECK(sum.n == map.n);
		if (type->kind == &tally_kind)
		{
			CHECK(shim_try(tally_subtract, &again, 2, again, value));
			CHECK(same_bytes(value, again));
		}
		else
			for (int i = 0; i < map.n; i++)
			{
				for (int c = 0; c < 3; c++)
					CHECK(party_map_value(&sum, c, i) == 2 * party_map_value(&map, c, i));
				CHECK(party_map_value(&sum, 3, i) == party_map_value(&map, 3, i));
				CHECK(party_map_value(&sum, 4, i) == party_map_value(&map, 4, i));
			}
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	const FuzzedType *type;
	Datum		value;

	if (size == 0)
		return 0;
	type = &types[data[0] / 2 % 2];
	shim_begin(data[0] / 4 % SHIM_ZONES);
	if (data[0] % 2 == 1)
	{
		if (receive(type, data + 1, size - 1, &value))
			check_value(type, value);
	}
	else
	{
		/* a literal is text of the server's encoding */
		size_t		len = strnlen((const char *) data + 1, size - 1);
		char	   *literal = palloc(len + 1);

		memcpy(literal, data + 1, len);
		literal[len] = '\0';
		if (pg_encoding_verifymbstr(PG_UTF8, literal, (int) len) == (int) len &&
			shim_try(type->in, &value, 1, CStringGetDatum(literal)))
			check_value(type, value);
	}
	shim_end();
	return 0;
}
