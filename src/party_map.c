/*
 * party_map.c
 *		What the types "tally" and "activity" share: the stored form of
 *		integers by party, which party_map.h describes, and its order.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "party_map.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/*
 * Prepare to read a map without copying or aligning it.
 */
void
party_map_read(Datum datum, const PartyMapKind *kind, PartyMap *map)
{
	struct varlena *stored = packed_arg(datum);
	const uint8 *p = (const uint8 *) VARDATA_ANY(stored);
	uint32		widths;

	if (VARSIZE_ANY_EXHDR(stored) < PARTY_MAP_HEADER_SIZE || p[0] != PARTY_MAP_VERSION ||
		p[1] > kind->max_exponent)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unsupported version of stored %s", kind->name),
				 errhint("The value was written by a newer release of sharecollab, or is damaged.")));

	map->end = p + VARSIZE_ANY_EXHDR(stored);
	map->exponent = p[1];
	widths = (uint32) profile_load(p + 2, 3, map->end);
	map->n = (int32) profile_load(p + 5, 4, map->end);
	p += PARTY_MAP_HEADER_SIZE;
	map->base = 0;
	if (kind->has_base && map->n > 0)
	{
		map->base = profile_load(p, 8, map->end);
		p += 8;
	}
	map->end_width = widths & 0x0F;
	for (int i = 0; i < kind->ncolumns; i++)
	{
		widths >>= 4;
		map->width[i] = widths & 0x0F;
		map->column[i] = p;
		p += (int64) map->n * map->width[i];
	}
	map->ends = p;
	map->names = (const char *) p + (int64) map->n * map->end_width;
	Assert(map->n == 0 ||
		   party_map_key(map, map->n - 1).name + party_map_key(map, map->n - 1).len ==
		   (const char *) map->end);
}

/*
 * Where a party is; -1 if it is not there.
 */
int
party_map_find(const PartyMap *map, PartyKey key)
{
	int			low = 0;
	int			high = map->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			cmp = party_compare(party_map_key(map, middle), key);

		if (cmp == 0)
			return middle;
		if (cmp < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/*
 * The next party of either map; false if there is none.
 */
bool
party_pair_next(PartyPair *pair)
{
	bool		has_a = pair->next_a < pair->a.n;
	bool		has_b = pair->next_b < pair->b.n;
	PartyKey	a = {0};
	PartyKey	b = {0};
	int			cmp;

	CHECK_FOR_INTERRUPTS();
	if (!has_a && !has_b)
		return false;
	if (has_a)
		a = party_map_key(&pair->a, pair->next_a);
	if (has_b)
		b = party_map_key(&pair->b, pair->next_b);
	cmp = !has_b ? -1 : !has_a ? 1 : party_compare(a, b);
	pair->key = cmp <= 0 ? a : b;
	pair->i = cmp <= 0 ? pair->next_a++ : -1;
	pair->j = cmp >= 0 ? pair->next_b++ : -1;
	return true;
}

void
party_map_too_large(const PartyMapKind *kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s has too many parties", kind->name),
			 errdetail("A value is limited to one gigabyte."),
			 errhint("Divide it, for example by project or by kind of contribution.")));
}

/* bytes for an unsigned integer, 0 for 0 */
static inline int
width_of(uint64 value)
{
	int			width = 0;

	while (width < 8 && (value >> (8 * width)) != 0)
		width++;
	return width;
}

/* Write an integer, and perhaps further bytes up to the 8th. */
static inline uint8 *
store(uint8 *p, uint64 value, int width)
{
#ifndef WORDS_BIGENDIAN
	memcpy(p, &value, sizeof(uint64));
#else
	for (int i = 0; i < width; i++, value >>= 8)
		p[i] = (uint8) value;
#endif
	return p + width;
}

/*
 * Make the canonical stored form of parties in order, each there once.
 */
struct varlena *
party_map_pack(const PartyMapKind *kind, int exponent, uint64 base,
			   const PartyOrder *order, int64 n, uint64 **columns)
{
	int64		names_len = 0;
	int			end_width;
	int			width[PARTY_MAP_MAX_COLUMNS];
	uint32		widths;
	int64		size;
	uint64		end = 0;
	struct varlena *result;
	uint8	   *p;

	if (n > PARTY_MAP_MAX)
		party_map_too_large(kind);
	for (int64 i = 0; i < n; i++)
		names_len += order[i].key.len;
	end_width = width_of((uint64) names_len);
	widths = end_width;
	size = VARHDRSZ + PARTY_MAP_HEADER_SIZE + (kind->has_base && n > 0 ? 8 : 0) +
		n * end_width + names_len;
	for (int column = 0; column < kind->ncolumns; column++)
	{
		uint64		bits = 0;

		for (int64 i = 0; i < n; i++)
			bits |= columns[column][i];
		width[column] = width_of(bits);
		widths |= width[column] << (4 * (column + 1));
		size += n * width[column];
	}
	if (size > (int64) (MaxAllocSize - sizeof(uint64)))
		party_map_too_large(kind);
	/* with room for what store() writes behind the last one */
	result = palloc(size + sizeof(uint64));
	SET_VARSIZE(result, size);

	p = (uint8 *) VARDATA(result);
	*p++ = PARTY_MAP_VERSION;
	*p++ = (uint8) exponent;
	p = store(p, widths, 3);
	p = store(p, n, 4);
	if (kind->has_base && n > 0)
		p = store(p, base, 8);
	for (int column = 0; column < kind->ncolumns; column++)
	{
		for (int64 i = 0; i < n; i++)
			p = store(p, columns[column][i], width[column]);
	}
	for (int64 i = 0; i < n; i++)
	{
		end += order[i].key.len;
		p = store(p, end, end_width);
	}
	for (int64 i = 0; i < n; i++)
	{
		memcpy(p, order[i].key.name, order[i].key.len);
		p += order[i].key.len;
	}
	Assert(p == (uint8 *) result + size);
	return result;
}

static inline int
compare_order(const PartyOrder *a, const PartyOrder *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return party_compare(a->key, b->key);
}

#define ST_SORT sort_order
#define ST_ELEMENT_TYPE PartyOrder
#define ST_COMPARE(a, b) compare_order(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The order of rows that start with their PartyKey, a name.
 */
PartyOrder *
party_order(const void *rows, Size row_size, int64 n)
{
	PartyOrder *order = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(PartyOrder));
	const char *row = rows;

	for (int64 i = 0; i < n; i++, row += row_size)
	{
		uint64		prefix = 0;

		order[i].row = i;
		order[i].key = *(const PartyKey *) row;
		if (likely(order[i].key.len >= (int64) sizeof(prefix)))
			memcpy(&prefix, order[i].key.name, sizeof(prefix));
		else
			memcpy(&prefix, order[i].key.name, order[i].key.len);
		order[i].prefix = pg_ntoh64(prefix);
	}
	sort_order(order, n);
	return order;
}

PartyKey
party_key_arg(Datum name)
{
	struct varlena *datum = packed_arg(name);
	PartyKey	key = {VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum)};

	return key;
}

/*
 * The name of a party that is a number; the buffer has room for PARTY_NUMBER_SIZE.
 */
PartyKey
party_number_name(int64 number, char *buf)
{
	PartyKey	key = {buf, pg_lltoa(number, buf)};

	return key;
}

/* The mapping of rekey() is an object. */
void
party_require_mapping(Jsonb *mapping)
{
	if (!JB_ROOT_IS_OBJECT(mapping))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mapping must be a JSON object from old keys to new ones")));
}

/*
 * What a party is called after rekey(): itself, if it is not mentioned.  False
 * if it is left out.
 */
bool
party_mapped(Jsonb *mapping, PartyKey *key)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(&mapping->root, key->name, (int) key->len, &value) == NULL)
		return true;
	if (value.type == jbvNull)
		return false;
	if (value.type == jbvString)
	{
		key->name = value.val.string.val;
		key->len = value.val.string.len;
	}
	else if (value.type == jbvNumeric)
	{
		/* the id of a party */
		key->name = DatumGetCString(DirectFunctionCall1(numeric_out,
														NumericGetDatum(value.val.numeric)));
		key->len = strlen(key->name);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("new key of party \"%.*s\" is neither a string nor a number", (int) key->len, key->name),
				 errhint("Leave out of the mapping who keeps their key; null leaves out the party.")));
	return true;
}

/*
 * Compare the two arguments, and leave no decompressed copies of them behind:
 * a sort or an index calls this often before it frees any memory.
 */
int
party_map_compare_args(FunctionCallInfo fcinfo, int (*compare) (Datum a, Datum b))
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	int			result = compare(PointerGetDatum(a), PointerGetDatum(b));

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

static int
map_equal(Datum a, Datum b)
{
	struct varlena *x = (struct varlena *) DatumGetPointer(a);
	struct varlena *y = (struct varlena *) DatumGetPointer(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/* equality and hashing of both types: equal maps are equal bytes */
PG_FUNCTION_INFO_V1(party_map_eq);
Datum
party_map_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(party_map_compare_args(fcinfo, map_equal));
}

PG_FUNCTION_INFO_V1(party_map_ne);
Datum
party_map_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!party_map_compare_args(fcinfo, map_equal));
}

PG_FUNCTION_INFO_V1(party_map_hash);
Datum
party_map_hash(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);
	Datum		hash = hash_any((unsigned char *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum));

	PG_FREE_IF_COPY(datum, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(party_map_hash_extended);
Datum
party_map_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);
	Datum		hash = hash_any_extended((unsigned char *) VARDATA_ANY(datum),
										 VARSIZE_ANY_EXHDR(datum), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(datum, 0);
	return hash;
}

/* ----------
 * Binary input and output: a number of parties, each with its name first
 * ----------
 */

/* The number; its length is checked before anything is allocated for it. */
int
party_message_count(StringInfo message, const PartyMapKind *kind, int least_size)
{
	int			n = pq_getmsgint(message, 4);

	if (n < 0 || n > (message->len - message->cursor) / least_size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid number of parties in %s: %d", kind->name, n),
				 errdetail("The message has %d bytes left; each party takes at least %d.",
						   message->len - message->cursor, least_size)));
	return n;
}

/* A name: its length, and text in the encoding of the client. */
PartyKey
party_message_key(StringInfo message)
{
	int			len = pq_getmsgint(message, 4);
	int			converted;
	PartyKey	key;

	key.name = pq_getmsgtext(message, len, &converted);
	key.len = converted;
	return key;
}

void
party_send_key(StringInfo message, PartyKey key)
{
	char	   *converted = pg_server_to_client(key.name, (int) key.len);
	int			len = converted == key.name ? (int) key.len : (int) strlen(converted);

	pq_sendint32(message, len);
	pq_sendbytes(message, converted, len);
	if (converted != key.name)
		pfree(converted);
}

/* No party may be there twice. */
void
party_message_order(const PartyOrder *order, int64 n, const PartyMapKind *kind)
{
	for (int64 i = 1; i < n; i++)
	{
		if (party_compare(order[i - 1].key, order[i].key) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("party \"%.*s\" is twice in %s",
							(int) order[i].key.len, order[i].key.name, kind->name)));
	}
}
