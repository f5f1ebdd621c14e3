/*
 * sort_by_time.h
 *		Sort an array by a 64-bit key, for profile_agg.c.
 *
 * A template, like PostgreSQL's lib/sort_template.h, which sorts what is small
 * here.  Define before including it:
 *
 *		SORT_NAME		the function to make:
 *						SORT_TYPE *SORT_NAME(SORT_TYPE *a, SORT_TYPE *b, int64 n)
 *		SORT_TYPE		type of the elements
 *		SORT_KEY(e)		key of an element, as a uint64
 *
 * The function sorts the n elements of a, with room for as many in b, and
 * returns which of the two holds the result.  A few sorted runs, as they come
 * from parallel workers, are merged; anything else that is not small goes
 * through a radix sort, least significant digit first, of the distance from
 * the least key: so what comes from one year takes 4 passes, in any order, at
 * the speed of the memory.
 */

#define ST_SORT SORT_MAKE(few)
#define ST_ELEMENT_TYPE SORT_TYPE
#define ST_COMPARE(a, b) (SORT_KEY(*(a)) < SORT_KEY(*(b)) ? -1 : SORT_KEY(*(a)) > SORT_KEY(*(b)))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE

#define SORT_MAKE(suffix)		SORT_PASTE(SORT_NAME, suffix)
#define SORT_PASTE(name, suffix)	SORT_PASTE_(name, suffix)
#define SORT_PASTE_(name, suffix)	name##_##suffix

#include "lib/sort_template.h"

/* up to so many sorted runs are merged */
#define SORT_MERGE_RUNS		8

/* below this many elements a comparison sort is faster than a radix sort */
#define SORT_RADIX_MIN		512
#define SORT_RADIX_BITS		12	/* so many counters fit the fastest cache */
#define SORT_RADIX_SIZE		(1 << SORT_RADIX_BITS)

/*
 * Merge neighbouring runs, two by two, until one is left; "starts" has their
 * first positions, and n.
 */
static SORT_TYPE *
SORT_MAKE(merge) (SORT_TYPE *from, SORT_TYPE *to, int64 *starts, int nruns)
{
	while (nruns > 1)
	{
		SORT_TYPE  *swap = from;
		int			merged = 0;

		for (int run = 0; run < nruns; run += 2)
		{
			int64		left = starts[run];
			int64		left_end = starts[run + 1];
			int64		right = left_end;
			int64		right_end = run + 1 < nruns ? starts[run + 2] : left_end;
			SORT_TYPE  *out = to + left;

			CHECK_FOR_INTERRUPTS();
			while (left < left_end && right < right_end)
			{
				/* which one is next cannot be predicted: no branch on it */
				int64		next = SORT_KEY(from[right]) < SORT_KEY(from[left]);

				*out++ = from[next ? right : left];
				right += next;
				left += 1 - next;
			}
			memcpy(out, from + left, (left_end - left) * sizeof(SORT_TYPE));
			out += left_end - left;
			memcpy(out, from + right, (right_end - right) * sizeof(SORT_TYPE));
			starts[merged++] = starts[run];
			starts[merged] = right_end;
		}
		nruns = merged;
		from = to;
		to = swap;
	}
	return from;
}

static SORT_TYPE *
SORT_MAKE(radix) (SORT_TYPE *from, SORT_TYPE *to, int64 n, uint64 least, uint64 greatest)
{
	int			width = pg_leftmost_one_pos64(greatest - least) + 1;
	int			passes = (width + SORT_RADIX_BITS - 1) / SORT_RADIX_BITS;
	int			bits = (width + passes - 1) / passes;
	int			size = 1 << bits;
	uint32	  (*count)[SORT_RADIX_SIZE] = palloc(passes * sizeof(*count));

	for (int pass = 0; pass < passes; pass++)
		memset(count[pass], 0, size * sizeof(uint32));
	for (int64 i = 0; i < n; i++)
	{
		uint64		key = SORT_KEY(from[i]) - least;

		for (int pass = 0; pass < passes; pass++, key >>= bits)
			count[pass][key & (size - 1)]++;
	}
	for (int pass = 0; pass < passes; pass++)
	{
		int			shift = pass * bits;
		uint32		position = 0;
		SORT_TYPE  *swap = from;

		CHECK_FOR_INTERRUPTS();
		for (int digit = 0; digit < size; digit++)
		{
			uint32		here = count[pass][digit];

			count[pass][digit] = position;
			position += here;
		}
		for (int64 i = 0; i < n; i++)
		{
			uint64		key = SORT_KEY(from[i]) - least;

			to[count[pass][(key >> shift) & (size - 1)]++] = from[i];
		}
		from = to;
		to = swap;
	}
	pfree(count);
	return from;
}

static SORT_TYPE *
SORT_NAME(SORT_TYPE *a, SORT_TYPE *b, int64 n)
{
	uint64		least = n > 0 ? SORT_KEY(a[0]) : 0;
	uint64		greatest = least;
	uint64		previous = least;
	int64		starts[SORT_MERGE_RUNS + 1] = {0};
	int			nruns = 1;

	for (int64 i = 1; i < n; i++)
	{
		uint64		key = SORT_KEY(a[i]);

		if (key < previous)
		{
			if (nruns < SORT_MERGE_RUNS)
				starts[nruns] = i;
			nruns++;
		}
		least = Min(least, key);
		greatest = Max(greatest, key);
		previous = key;
	}
	if (nruns == 1)
		return a;
	if (nruns <= SORT_MERGE_RUNS)
	{
		starts[nruns] = n;
		return SORT_MAKE(merge) (a, b, starts, nruns);
	}
	if (n < SORT_RADIX_MIN || n > PG_UINT32_MAX)
	{
		SORT_MAKE(few) (a, n);
		return a;
	}
	return SORT_MAKE(radix) (a, b, n, least, greatest);
}

#undef SORT_NAME
#undef SORT_TYPE
#undef SORT_KEY
#undef SORT_MAKE
#undef SORT_PASTE
#undef SORT_PASTE_
#undef SORT_MERGE_RUNS
#undef SORT_RADIX_MIN
#undef SORT_RADIX_BITS
#undef SORT_RADIX_SIZE
