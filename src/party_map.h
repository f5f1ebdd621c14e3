/*
 * party_map.h
 *		What the types "tally" and "activity" share: integers by party.
 *
 * Both are maps from parties, which are texts, to a few integers each.  They
 * are stored in one canonical form, so that equal maps are equal bytes:
 *
 *		version		1 byte		PARTY_MAP_VERSION
 *		exponent	1 byte		tally: decimal places; activity: index of the unit of time
 *		widths		3 bytes		4 bits each: bytes per end of a name, and per value
 *								of each column
 *		n			4 bytes		number of parties
 *		base		8 bytes		activity only, if n > 0: the earliest instant
 *		columns		of n unsigned integers each
 *		ends		n unsigned integers: where each name ends
 *		names		one after the other, in order of their bytes
 *
 * All integers are little-endian, and the widths are the smallest that hold
 * them all; 0 for a column of zeros.  A party is found by binary search.
 */
#ifndef SHARECOLLAB_PARTY_MAP_H
#define SHARECOLLAB_PARTY_MAP_H

#include "lib/stringinfo.h"
#include "profile.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#define PARTY_MAP_VERSION		1
#define PARTY_MAP_HEADER_SIZE	9
#define PARTY_MAP_MAX_COLUMNS	5

/* room for the digits of a number */
#define PARTY_NUMBER_SIZE		24

/* so many at least leave room for their names and values in a varlena */
#define PARTY_MAP_MAX			((int64) (MaxAllocSize / 8))

/*
 * A party: its name, which is not terminated.  In the states of aggregates it
 * may also be a number, whose name is its decimal digits.
 */
typedef struct PartyKey
{
	const char *name;			/* NULL: the party is a number */
	int64		len;			/* bytes of the name, or the number */
} PartyKey;

/*
 * How to read a stored map, in place (even with a short varlena header).
 */
typedef struct PartyMap
{
	int32		n;
	int			exponent;
	uint64		base;
	int			end_width;
	int			width[PARTY_MAP_MAX_COLUMNS];
	const uint8 *column[PARTY_MAP_MAX_COLUMNS];
	const uint8 *ends;
	const char *names;
	const uint8 *end;
} PartyMap;

/* what kind of map it is */
typedef struct PartyMapKind
{
	const char *name;			/* of the type, in messages */
	int			ncolumns;
	bool		has_base;
	int			max_exponent;
} PartyMapKind;

/*
 * The order of some parties: "row" is where each was before.
 */
typedef struct PartyOrder
{
	uint64		prefix;			/* the first bytes of the name */
	PartyKey	key;
	int64		row;
} PartyOrder;

/*
 * Two maps, walked through together in order of their parties.
 */
typedef struct PartyPair
{
	PartyMap	a;
	PartyMap	b;
	int			next_a;
	int			next_b;
	PartyKey	key;			/* the party; where it is in each, or -1 */
	int			i;
	int			j;
} PartyPair;

extern void party_map_read(Datum datum, const PartyMapKind *kind, PartyMap *map);
extern struct varlena *party_map_pack(const PartyMapKind *kind, int exponent, uint64 base,
									  const PartyOrder *order, int64 n, uint64 **columns);
extern int	party_map_find(const PartyMap *map, PartyKey key);
extern bool party_pair_next(PartyPair *pair);
extern PartyOrder *party_order(const void *rows, Size row_size, int64 n);
extern PartyKey party_key_arg(Datum text);
extern PartyKey party_number_name(int64 number, char *buf);
extern void party_require_mapping(Jsonb *mapping);
extern bool party_mapped(Jsonb *mapping, PartyKey *key);
extern void party_map_too_large(const PartyMapKind *kind);
extern int	party_map_compare_args(FunctionCallInfo fcinfo, int (*compare) (Datum a, Datum b));
extern int	party_message_count(StringInfo message, const PartyMapKind *kind, int least_size);
extern PartyKey party_message_key(StringInfo message);
extern void party_message_order(const PartyOrder *order, int64 n, const PartyMapKind *kind);
extern void party_send_key(StringInfo message, PartyKey key);

static inline uint64
party_map_value(const PartyMap *map, int column, int i)
{
	int			width = map->width[column];

	return profile_load(map->column[column] + (int64) i * width, width, map->end);
}

static inline PartyKey
party_map_key(const PartyMap *map, int i)
{
	int			width = map->end_width;
	const uint8 *p = map->ends + (int64) i * width;
	uint64		start = i == 0 ? 0 : profile_load(p - width, width, map->end);
	PartyKey	key;

	key.name = map->names + start;
	key.len = (int64) (profile_load(p, width, map->end) - start);
	return key;
}

/* By bytes; a name comes after those that it starts with. */
static inline int
party_compare(PartyKey a, PartyKey b)
{
	int			cmp = memcmp(a.name, b.name, Min(a.len, b.len));

	return cmp != 0 ? cmp : (a.len > b.len) - (a.len < b.len);
}

static inline text *
party_text(PartyKey key)
{
	return cstring_to_text_with_len(key.name, (int) key.len);
}

#endif							/* SHARECOLLAB_PARTY_MAP_H */
