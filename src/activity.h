/*
 * activity.h
 *		The type "activity": what each party did, and when.
 *
 * Its stored form is that of party_map.h, with a base, the earliest instant,
 * and five columns: how many contributions, lines added, lines removed, the
 * first contribution (from the base on), the last one (from the first one on).
 * Times count in the largest unit of profile_units that divides them all.
 */
#ifndef SHARECOLLAB_ACTIVITY_H
#define SHARECOLLAB_ACTIVITY_H

#include "party_map.h"

/*
 * What a party did: at least one contribution.  None of these numbers is
 * negative, so an overflow is one in any order of summing.
 */
typedef struct Deeds
{
	int64		count;
	int64		added;
	int64		removed;
	TimestampTz first;
	TimestampTz last;
} Deeds;

typedef struct ActivityRow
{
	PartyKey	key;			/* first: see party_order() */
	Deeds		deeds;
} ActivityRow;

extern const PartyMapKind activity_kind;

extern void activity_read(Datum activity, PartyMap *map);
extern ActivityRow *activity_rows(int64 n);
extern struct varlena *activity_make(const ActivityRow *rows, int64 n);
pg_noreturn extern void activity_overflow(void);

static inline void
activity_deeds(const PartyMap *map, int i, Deeds *deeds)
{
	uint64		unit = profile_units[map->exponent];
	uint64		first = map->base + party_map_value(map, 3, i) * unit;

	deeds->count = (int64) party_map_value(map, 0, i);
	deeds->added = (int64) party_map_value(map, 1, i);
	deeds->removed = (int64) party_map_value(map, 2, i);
	deeds->first = (TimestampTz) first;
	deeds->last = (TimestampTz) (first + party_map_value(map, 4, i) * unit);
}

/*
 * Add what a party did to what it did; "sum" may still be all zeros.
 */
static inline void
deeds_add(Deeds *sum, const Deeds *deeds)
{
	bool		overflow;

	if (sum->count == 0)
	{
		*sum = *deeds;
		return;
	}
	overflow = pg_add_s64_overflow(sum->count, deeds->count, &sum->count);
	overflow |= pg_add_s64_overflow(sum->added, deeds->added, &sum->added);
	overflow |= pg_add_s64_overflow(sum->removed, deeds->removed, &sum->removed);
	if (unlikely(overflow))
		activity_overflow();
	sum->first = Min(sum->first, deeds->first);
	sum->last = Max(sum->last, deeds->last);
}

#endif							/* SHARECOLLAB_ACTIVITY_H */
