/*
 * party_table.h
 *		The state of an aggregate that keeps something for each party.
 *
 * A template, around PostgreSQL's lib/simplehash.h.  Define before including:
 *
 *		PARTY_PREFIX	of the names that it makes: PREFIX_table, PREFIX_at(), ...
 *		PARTY_VALUE		type of what is kept for a party; starts as zeros
 *
 * Parties come as texts or as numbers, all of one table alike.  A table is
 * bounded by its distinct parties: of each it keeps one entry, in the hash
 * table itself, so that a row costs one place in memory, and the bytes of its
 * name once.  Everything is in the memory context of the aggregate.
 *
 * A table that was sent by another process is not made again: its entries are
 * read where they came, for PREFIX_next() only.
 */
#include "aggregate.h"
#include "common/hashfn.h"
#include "party_map.h"

#define PARTY_MAKE(suffix)			PARTY_PASTE(PARTY_PREFIX, suffix)
#define PARTY_PASTE(prefix, suffix)	PARTY_PASTE_(prefix, suffix)
#define PARTY_PASTE_(prefix, suffix)	prefix##_##suffix

#define PARTY_ENTRY		PARTY_MAKE(entry)
#define PARTY_TABLE		PARTY_MAKE(table)

#ifndef PARTY_TABLE_H
#define PARTY_TABLE_H

/* so many parties have room at first, and so many bytes of names */
#define PARTY_FIRST_SIZE	4
#define PARTY_FIRST_NAMES	128
#define PARTY_MOST_NAMES	65536

/* so many bytes of entries make a large table */
#define PARTY_LARGE_TABLE	4096

/*
 * Numbers are multiplied by the golden ratio; the table looks at low bits.
 */
static inline uint32
party_hash(PartyKey key)
{
	if (key.name == NULL)
		return (uint32) (((uint64) key.len * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
	return hash_bytes((const unsigned char *) key.name, (int) key.len);
}

/* numbers have no name, so that both are NULL */
static inline bool
party_same(PartyKey a, PartyKey b)
{
	return a.len == b.len &&
		(a.name == b.name || memcmp(a.name, b.name, a.len) == 0);
}

static inline PartyKey
party_number(int64 number)
{
	PartyKey	key = {NULL, number};

	return key;
}
#endif							/* PARTY_TABLE_H */

typedef struct PARTY_ENTRY
{
	PartyKey	key;
	uint32		hash;
	char		status;			/* simplehash's */
	PARTY_VALUE value;
} PARTY_ENTRY;

#define SH_PREFIX		PARTY_MAKE(hash)
#define SH_ELEMENT_TYPE	PARTY_ENTRY
#define SH_KEY_TYPE		PartyKey
#define SH_KEY			key
#define SH_HASH_KEY(tb, key)	party_hash(key)
#define SH_EQUAL(tb, a, b)		party_same(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a)		((a)->hash)
#define SH_USE_NONDEFAULT_ALLOCATOR
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * The entries of a large table begin at a line of the processor's cache, so
 * that one of the size of a line costs no more than one.  Where the memory
 * begins is kept before them.
 */
static inline void *
PARTY_MAKE(hash_allocate) (PARTY_MAKE(hash_hash) * hash, Size size)
{
	Size		line = size < PARTY_LARGE_TABLE ? MAXIMUM_ALIGNOF : PG_CACHE_LINE_SIZE / 2;
	void	   *memory = MemoryContextAllocExtended(hash->ctx, size + line,
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	void	  **entries = (void **) TYPEALIGN(line, (char *) memory + sizeof(void *));

	entries[-1] = memory;
	return entries;
}

static inline void
PARTY_MAKE(hash_free) (PARTY_MAKE(hash_hash) * hash, void *entries)
{
	(void) hash;
	pfree(((void **) entries)[-1]);
}

typedef struct PARTY_TABLE
{
	MemoryContext context;
	bool		numbers;		/* parties are numbers */
	int64		n;
	PARTY_MAKE(hash_hash) * hash;
	char	   *names;			/* room for names that are still to come */
	int64		names_left;
	int64		names_size;		/* of the last piece of it */

	/* instead of a hash table: what was sent */
	const char *sent;
	const char *sent_names;
} PARTY_TABLE;

static void
PARTY_MAKE(init) (PARTY_TABLE *table, MemoryContext context, bool numbers, int64 size)
{
	table->context = context;
	table->numbers = numbers;
	table->hash = PARTY_MAKE(hash_create) (context, (uint32) Min(size, PG_INT32_MAX), NULL);
}

/*
 * A copy of a name that lives as long as the table.
 */
static const char *
PARTY_MAKE(keep) (PARTY_TABLE *table, const char *name, int64 len)
{
	char	   *copy;

	/* never NULL, which would be a number */
	if (len == 0)
		return "";
	if (len > table->names_left)
	{
		int64		size = Min(Max(table->names_size * 2, PARTY_FIRST_NAMES), PARTY_MOST_NAMES);

		/* a name of that length gets a piece of its own */
		if (len > size / 4)
			return memcpy(MemoryContextAlloc(table->context, len), name, len);
		table->names = MemoryContextAlloc(table->context, size);
		table->names_size = table->names_left = size;
	}
	copy = table->names;
	table->names += len;
	table->names_left -= len;
	return memcpy(copy, name, len);
}

/*
 * What is kept for a party, for the caller to change.  Most are there already,
 * and found here faster than by an insertion, which may move others.
 */
static inline PARTY_VALUE *
PARTY_MAKE(at) (PARTY_TABLE *table, PartyKey key, uint32 hash)
{
	const PARTY_ENTRY *end = table->hash->data + table->hash->size;
	PARTY_ENTRY *entry = &table->hash->data[hash & table->hash->sizemask];
	bool		found;

	for (; entry < end && entry->status != 0; entry++)
	{
		if (entry->hash == hash && party_same(entry->key, key))
			return &entry->value;
	}
	entry = PARTY_MAKE(hash_insert_hash) (table->hash, key, hash, &found);
	if (unlikely(!found))
	{
		if (key.name != NULL)
			entry->key.name = PARTY_MAKE(keep) (table, key.name, key.len);
		memset(&entry->value, 0, sizeof(PARTY_VALUE));
		table->n++;
	}
	return &entry->value;
}

/*
 * A party of that hash is going to be looked up soon.
 */
static inline void
PARTY_MAKE(prefetch) (const PARTY_TABLE *table, uint32 hash)
{
	__builtin_prefetch(&table->hash->data[hash & table->hash->sizemask], 1);
}

/*
 * The next of all entries, in any order; NULL after the last one.  Start with
 * a cursor of zeros.
 */
typedef struct PARTY_MAKE(cursor)
{
	int64		next;
	const char *name;
	PARTY_ENTRY sent;
} PARTY_MAKE(cursor);

static inline const PARTY_ENTRY *
PARTY_MAKE(next) (const PARTY_TABLE *table, PARTY_MAKE(cursor) * cursor)
{
	if (table->sent == NULL)
	{
		while (cursor->next < (int64) table->hash->size)
		{
			const PARTY_ENTRY *entry = &table->hash->data[cursor->next++];

			if (entry->status != 0)
				return entry;
		}
		return NULL;
	}
	if (cursor->next >= table->n)
		return NULL;

	/* by memcpy, as it may be misaligned */
	memcpy(&cursor->sent, table->sent + cursor->next++ * sizeof(PARTY_ENTRY), sizeof(PARTY_ENTRY));
	cursor->sent.key.name = NULL;
	if (!table->numbers)
	{
		if (cursor->name == NULL)
			cursor->name = table->sent_names;
		cursor->sent.key.name = cursor->name;
		cursor->name += cursor->sent.key.len;
	}
	return &cursor->sent;
}

/*
 * Make room for the parties of another table.  Not only for speed: taken in
 * the order of their hash into a table that is smaller, they would all want
 * to be at its beginning.
 */
static void
PARTY_MAKE(reserve) (PARTY_TABLE *table, const PARTY_TABLE *other)
{
	if (table->numbers != other->numbers)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("aggregate states have parties of different types")));
	if ((uint64) (table->n + other->n) > table->hash->grow_threshold)
		PARTY_MAKE(hash_grow) (table->hash, (uint64) (table->n + other->n) * 5 / 4);
}

/*
 * Send a table: what its parties are, how many, their entries, their names.
 */
static void
PARTY_MAKE(send) (const PARTY_TABLE *table, StringInfo buf)
{
	PARTY_MAKE(cursor) cursor = {0};
	const PARTY_ENTRY *entry;
	char	   *sent;

	pq_sendbyte(buf, table->numbers);
	pq_sendint64(buf, table->n);
	if (table->n > (int64) (MaxAllocSize / sizeof(PARTY_ENTRY)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("aggregate state has too many parties to be sent")));
	enlargeStringInfo(buf, (int) (table->n * sizeof(PARTY_ENTRY)));
	sent = buf->data + buf->len;
	memset(sent, 0, table->n * sizeof(PARTY_ENTRY));
	buf->len += (int) (table->n * sizeof(PARTY_ENTRY));
	for (; (entry = PARTY_MAKE(next) (table, &cursor)) != NULL; sent += sizeof(PARTY_ENTRY))
	{
		/* no address leaves the process */
		memcpy(sent + offsetof(PARTY_ENTRY, key.len), &entry->key.len, sizeof(int64));
		memcpy(sent + offsetof(PARTY_ENTRY, hash), &entry->hash, sizeof(uint32));
		memcpy(sent + offsetof(PARTY_ENTRY, value), &entry->value, sizeof(PARTY_VALUE));
	}
	if (table->numbers)
		return;
	memset(&cursor, 0, sizeof(cursor));
	while ((entry = PARTY_MAKE(next) (table, &cursor)) != NULL)
		appendBinaryStringInfo(buf, entry->key.name, (int) entry->key.len);
}

/*
 * Receive one, which is left where it is.
 */
static void
PARTY_MAKE(receive) (PARTY_TABLE *table, StringInfo buf)
{
	int64		left;

	memset(table, 0, sizeof(PARTY_TABLE));
	table->numbers = pq_getmsgbyte(buf) != 0;
	table->n = pq_getmsgint64(buf);
	left = buf->len - buf->cursor;
	if (table->n < 0 || table->n > left / (int64) sizeof(PARTY_ENTRY))
		goto invalid;
	table->sent = pq_getmsgbytes(buf, (int) (table->n * sizeof(PARTY_ENTRY)));
	left -= table->n * sizeof(PARTY_ENTRY);
	if (!table->numbers)
	{
		for (int64 i = 0; i < table->n; i++)
		{
			int64		len;

			memcpy(&len, table->sent + i * sizeof(PARTY_ENTRY) + offsetof(PARTY_ENTRY, key.len),
				   sizeof(int64));
			if (len < 0 || len > left)
				goto invalid;
			left -= len;
		}
		table->sent_names = buf->data + buf->cursor;
		buf->cursor = buf->len;
	}
	if (left == 0)
		return;

invalid:
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid length of aggregate state")));
}

/*
 * The name of a party of the table; that of a number is written at *buf, which
 * is moved behind it.  PARTY_NUMBER_SIZE bytes each are enough.
 */
static inline PartyKey
PARTY_MAKE(name) (const PARTY_ENTRY *entry, char **buf)
{
	PartyKey	key = entry->key;

	if (key.name == NULL)
	{
		key = party_number_name(key.len, *buf);
		*buf += key.len + 1;
	}
	return key;
}

#undef PARTY_PREFIX
#undef PARTY_VALUE
#undef PARTY_ENTRY
#undef PARTY_TABLE
#undef PARTY_MAKE
#undef PARTY_PASTE
#undef PARTY_PASTE_
