/*
 * tally.h
 *		The type "tally": a quantity by party.
 *
 * Its stored form is that of party_map.h, with one column: the mantissas, sign
 * in the lowest bit (0, -1, 1, -2, ... are 0, 1, 2, 3, ...).  Parties whose
 * quantity is zero are not kept, nor decimal places that no quantity needs.
 */
#ifndef SHARECOLLAB_TALLY_H
#define SHARECOLLAB_TALLY_H

#include "party_map.h"

/*
 * A party of a tally being made.  The mantissa has room for sums, and for the
 * product of any two quantities.
 */
typedef struct TallyRow
{
	PartyKey	key;			/* first: see party_order() */
	int128		quantity;
} TallyRow;

/*
 * A party's place by quantity.
 */
typedef struct TallyRank
{
	int64		quantity;
	int			i;				/* where it is in the tally */
} TallyRank;

extern const PartyMapKind tally_kind;

/* tally.c */
extern void tally_read(Datum tally, PartyMap *map);
extern struct varlena *tally_make(const TallyRow *rows, int64 n, int scale);
extern TallyRow *tally_rows(int64 n);
pg_noreturn extern void tally_overflow(void);

/* split.c */
extern void tally_shares(TallyRow *rows, int64 n, uint128 *parts, uint128 denominator, int64 total);
extern void tally_require_scale(int scale);

/* tally_measure.c */
extern int128 tally_total(const PartyMap *map);
extern TallyRank *tally_ranked(const PartyMap *map);
extern void tally_order_ranks(TallyRank *ranks, int64 n);
extern int	tally_reaching(const TallyRank *ranks, int n, int128 total, Decimal fraction);
extern Decimal tally_fraction_arg(Datum fraction);
extern void tally_require_no_negative(const PartyMap *map, const char *what);

static inline void *
alloc_huge(int64 n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

static inline int64
tally_quantity(const PartyMap *map, int i)
{
	uint64		stored = party_map_value(map, 0, i);

	return (int64) (stored >> 1) ^ -(int64) (stored & 1);
}

#endif							/* SHARECOLLAB_TALLY_H */
