/*
 * contribution.c
 *		What importers bring, written: identities and contributions.
 *
 * All facts of an import are gathered first.  Then identities that are new are
 * written, all at once, and then the facts, in the order of their key, which
 * is that of the index that they go into.  Of two that tell of the same thing,
 * in an import or in the table, the newer stays.
 */
#include "postgres.h"

#include "access.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "contribution.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "query.h"
#include "slice.h"
#include "table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* the columns of an identity, numbered from here */
#define COLUMN(entry_column)	((entry_column) - ENTRY_PLATFORM)

struct Identity
{
	Datum		values[IDENTITY_COLUMNS];
	int64		identity_id;
};

/* platform and account: what an identity is known by */
typedef struct IdentityKey
{
	Slice		platform;
	Slice		account;
} IdentityKey;

typedef struct IdentityEntry
{
	IdentityKey key;
	uint32		hash;
	char		status;
	Identity   *identity;
} IdentityEntry;

typedef struct Fact
{
	Identity   *identity;
	Datum		values[FACT_COLUMNS];
	bool		nulls[FACT_COLUMNS];
} Fact;

/* facts are many and large: they are sorted where they lie */
typedef struct FactOrder
{
	uint64		prefix;			/* the first bytes of the reference */
	int64		row;
} FactOrder;

static inline Slice
text_slice(Datum value)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(value);

	return (Slice) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}

static inline int
compare_slices(Slice a, Slice b)
{
	int			cmp = memcmp(a.data, b.data, Min(a.len, b.len));

	return cmp != 0 ? cmp : (a.len > b.len) - (a.len < b.len);
}

static inline int
compare_texts(Datum a, Datum b)
{
	return a == b ? 0 : compare_slices(text_slice(a), text_slice(b));
}

static inline uint32
hash_slice(Slice s)
{
	return hash_bytes((const unsigned char *) s.data, (int) s.len);
}

#define SH_PREFIX identities
#define SH_ELEMENT_TYPE IdentityEntry
#define SH_KEY_TYPE IdentityKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_combine(hash_slice((key).platform), hash_slice((key).account))
#define SH_EQUAL(tb, a, b) \
	(compare_slices((a).account, (b).account) == 0 && compare_slices((a).platform, (b).platform) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct Facts
{
	MemoryContext context;
	identities_hash *identities;
	Fact	   *fact;
	int64		n;
	int64		room;
};

Facts *
facts_begin(void)
{
	Facts	   *facts = palloc0(sizeof(Facts));

	facts->context = CurrentMemoryContext;
	facts->identities = identities_create(CurrentMemoryContext, 1024, NULL);
	facts->room = 64;
	facts->fact = palloc(facts->room * sizeof(Fact));
	return facts;
}

/*
 * Does a name say more than another of the same account?  One that is more
 * than the account does; else it is the same, whichever came first.
 */
static bool
better_name(const Datum *values, const Datum *than)
{
	bool		is_account = compare_texts(values[COLUMN(ENTRY_NAME)], values[COLUMN(ENTRY_ACCOUNT)]) == 0;
	bool		was_account = compare_texts(than[COLUMN(ENTRY_NAME)], than[COLUMN(ENTRY_ACCOUNT)]) == 0;

	if (is_account != was_account)
		return was_account;
	for (int i = COLUMN(ENTRY_NAME); i < IDENTITY_COLUMNS; i++)
	{
		int			cmp = compare_texts(values[i], than[i]);

		if (cmp != 0)
			return cmp < 0;
	}
	return false;
}

/*
 * Somebody, with the columns from ENTRY_PLATFORM on, which live as long as the
 * facts.
 */
Identity *
facts_identity(Facts *facts, const Datum *values)
{
	IdentityKey key = {text_slice(values[COLUMN(ENTRY_PLATFORM)]), text_slice(values[COLUMN(ENTRY_ACCOUNT)])};
	bool		found;
	IdentityEntry *entry = identities_insert(facts->identities, key, &found);

	if (!found)
		entry->identity = MemoryContextAlloc(facts->context, sizeof(Identity));
	if (!found || better_name(values, entry->identity->values))
		memcpy(entry->identity->values, values, sizeof(entry->identity->values));
	return entry->identity;
}

/*
 * What somebody did; the texts live as long as the facts.
 */
void
facts_add(Facts *facts, Identity *identity, const Datum *values, const bool *nulls)
{
	Fact	   *fact;

	if (facts->n == facts->room)
	{
		facts->room *= 2;
		facts->fact = repalloc_huge(facts->fact, facts->room * sizeof(Fact));
	}
	fact = &facts->fact[facts->n++];
	fact->identity = identity;
	memcpy(fact->values, values, sizeof(fact->values));
	memcpy(fact->nulls, nulls, sizeof(fact->nulls));
}

int64
facts_count(const Facts *facts)
{
	return facts->n;
}

/* ----------
 * Identities
 *
 * A new project is nothing that statistics know of, and to join its million
 * rows as if they were one takes days.  So all that could grow is looked up
 * through its key, row by row: that is what LATERAL and OFFSET 0 are for, and
 * why importers run without sequential scans and merge joins.
 * ----------
 */

/* One whose name was not known gets it when it is. */
static SavedQuery write_identities = {
	.sql = "INSERT INTO sharecollab.identity AS i (platform, account, name, email, kind)"
	" SELECT p.platform, p.account, p.name, p.email, p.kind"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3),"
	" pg_catalog.unnest($4), pg_catalog.unnest($5)) AS p (platform, account, name, email, kind) LEFT JOIN LATERAL ("
	"SELECT o.name FROM sharecollab.identity AS o"
	" WHERE o.platform = p.platform AND o.account = p.account OFFSET 0) AS o ON true"
	" WHERE o.name IS NULL OR o.name = p.account AND p.name <> p.account"
	" ORDER BY p.platform, p.account"
	" ON CONFLICT (platform, account) DO UPDATE"
	" SET name = excluded.name, email = excluded.email, kind = excluded.kind"
	" WHERE i.name = i.account AND excluded.name <> excluded.account",
	.nparams = IDENTITY_COLUMNS, .types = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}
};

static SavedQuery find_identities = {
	.sql = "SELECT o.identity_id"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS p (platform, account, n), LATERAL ("
	"SELECT o.identity_id FROM sharecollab.identity AS o"
	" WHERE o.platform = p.platform AND o.account = p.account OFFSET 0) AS o ORDER BY p.n",
	.nparams = 2, .types = {TEXTARRAYOID, TEXTARRAYOID}
};

/*
 * Every identity gets its key; those that are new, a row.
 */
void
facts_write_identities(Facts *facts)
{
	int			n = (int) facts->identities->members;
	Identity  **identities = palloc(n * sizeof(Identity *));
	Datum	   *column = palloc(n * sizeof(Datum));
	Datum		arrays[IDENTITY_COLUMNS];
	identities_iterator iterator;

	if (n == 0)
		return;
	identities_start_iterate(facts->identities, &iterator);
	for (int i = 0; i < n; i++)
		identities[i] = identities_iterate(facts->identities, &iterator)->identity;
	for (int j = 0; j < IDENTITY_COLUMNS; j++)
	{
		for (int i = 0; i < n; i++)
			column[i] = identities[i]->values[j];
		arrays[j] = PointerGetDatum(construct_array(column, n, TEXTOID, -1, false, TYPALIGN_INT));
	}
	query_run(&write_identities, arrays, NULL, false);
	if (query_run(&find_identities, arrays, NULL, false) != (uint64) n)
		elog(ERROR, "identities that were written are not there");
	for (int i = 0; i < n; i++)
		identities[i]->identity_id = DatumGetInt64(query_value(i, 1, NULL));
}

/* ----------
 * Contributions
 * ----------
 */

/*
 * What makes the newer of two facts about the same thing; a null comes before
 * all else.  AGE_OF() is the same in SQL.
 */
static int
compare_ages(const Fact *a, const Fact *b)
{
	static const struct
	{
		int			column;
		bool		is_text;
	}			age[] = {
		{ENTRY_UPDATED_AT, false}, {ENTRY_DONE_AT, false}, {ENTRY_ADDED, false}, {ENTRY_REMOVED, false},
		{ENTRY_PARTS, false}, {ENTRY_STATE, true}, {ENTRY_SUBJECT_KIND, true}, {ENTRY_SUBJECT_REF, true},
		{ENTRY_IS_MERGE, false}, {ENTRY_AT, false}
	};

	for (size_t i = 0; i < lengthof(age); i++)
	{
		int			column = age[i].column;
		bool		a_null = a->nulls[column];
		bool		b_null = b->nulls[column];
		int			cmp;

		if (a_null || b_null)
			cmp = b_null - a_null;
		else if (age[i].is_text)
			cmp = compare_texts(a->values[column], b->values[column]);
		else
			cmp = ((int64) a->values[column] > (int64) b->values[column]) -
				((int64) a->values[column] < (int64) b->values[column]);
		if (cmp != 0)
			return cmp;
	}
	return 0;
}

#define AGE_OF(row) \
	"(" row ".updated_at, COALESCE(" row ".done_at, '-infinity'), COALESCE(" row ".added, -1)," \
	" COALESCE(" row ".removed, -1), COALESCE(" row ".parts, -1), COALESCE(" row ".state, '') COLLATE \"C\"," \
	" COALESCE(" row ".subject_kind, ''), COALESCE(" row ".subject_ref, '')," \
	" " row ".is_merge, " row ".at)"

/* by the key of a contribution, in its project */
static int
compare_keys(const Fact *a, const Fact *b)
{
	int			cmp = compare_texts(a->values[ENTRY_REF], b->values[ENTRY_REF]);

	if (cmp == 0)
		cmp = compare_texts(a->values[ENTRY_KIND], b->values[ENTRY_KIND]);
	if (cmp == 0)
		cmp = (a->identity->identity_id > b->identity->identity_id) -
			(a->identity->identity_id < b->identity->identity_id);
	if (cmp == 0)
		cmp = compare_texts(a->values[ENTRY_ROLE], b->values[ENTRY_ROLE]);
	return cmp;
}

/* the newest of each key first */
static inline int
compare_facts(const FactOrder *a, const FactOrder *b, const Fact *fact)
{
	int			cmp;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	cmp = compare_keys(&fact[a->row], &fact[b->row]);
	return cmp != 0 ? cmp : compare_ages(&fact[b->row], &fact[a->row]);
}

#define ST_SORT sort_facts
#define ST_ELEMENT_TYPE FactOrder
#define ST_COMPARE_ARG_TYPE const Fact
#define ST_COMPARE(a, b, fact) compare_facts(a, b, fact)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The facts in order, each key once; how many there are.
 */
static int64
order_facts(Facts *facts, FactOrder **result)
{
	FactOrder  *order = MemoryContextAllocHuge(CurrentMemoryContext, Max(facts->n, 1) * sizeof(FactOrder));
	int64		n = 0;

	for (int64 i = 0; i < facts->n; i++)
	{
		Slice		ref = text_slice(facts->fact[i].values[ENTRY_REF]);
		uint64		prefix = 0;

		memcpy(&prefix, ref.data, Min(ref.len, sizeof(prefix)));
		order[i] = (FactOrder) {pg_ntoh64(prefix), i};
	}
	sort_facts(order, facts->n, facts->fact);
	for (int64 i = 0; i < facts->n; i++)
	{
		if (n == 0 || compare_keys(&facts->fact[order[n - 1].row], &facts->fact[order[i].row]) != 0)
			order[n++] = order[i];
	}
	*result = order;
	return n;
}

/* columns of table contribution */
enum
{
	ROW_IDENTITY_ID = FACT_COLUMNS, ROW_PROJECT_ID, ROW_RECORDED_AT, ROW_RECORDED_BY,
	ROW_COLUMNS
};

static const struct
{
	const char *name;
	Oid			type;
	Oid			collation;
}			row_columns[ROW_COLUMNS] = {
	[ENTRY_KIND] = {"kind", TEXTOID, C_COLLATION_OID},
	[ENTRY_REF] = {"ref", TEXTOID, C_COLLATION_OID},
	[ENTRY_ROLE] = {"role", TEXTOID, C_COLLATION_OID},
	[ENTRY_AT] = {"at", TIMESTAMPTZOID, InvalidOid},
	[ENTRY_DONE_AT] = {"done_at", TIMESTAMPTZOID, InvalidOid},
	[ENTRY_STATE] = {"state", TEXTOID, DEFAULT_COLLATION_OID},
	[ENTRY_SUBJECT_KIND] = {"subject_kind", TEXTOID, C_COLLATION_OID},
	[ENTRY_SUBJECT_REF] = {"subject_ref", TEXTOID, C_COLLATION_OID},
	[ENTRY_IS_MERGE] = {"is_merge", BOOLOID, InvalidOid},
	[ENTRY_ADDED] = {"added", INT8OID, InvalidOid},
	[ENTRY_REMOVED] = {"removed", INT8OID, InvalidOid},
	[ENTRY_PARTS] = {"parts", INT4OID, InvalidOid},
	[ENTRY_UPDATED_AT] = {"updated_at", TIMESTAMPTZOID, InvalidOid},
	[ROW_IDENTITY_ID] = {"identity_id", INT8OID, InvalidOid},
	[ROW_PROJECT_ID] = {"project_id", INT8OID, InvalidOid},
	[ROW_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID, InvalidOid},
	[ROW_RECORDED_BY] = {"recorded_by", TEXTOID, DEFAULT_COLLATION_OID}
};

typedef struct Row
{
	Datum		values[ROW_COLUMNS];
	bool		nulls[ROW_COLUMNS];
} Row;

/* what does not change from fact to fact */
static void
row_begin(Row *row, int64 project_id)
{
	memset(row, 0, sizeof(Row));
	row->values[ROW_PROJECT_ID] = Int64GetDatum(project_id);
	row->values[ROW_RECORDED_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	row->values[ROW_RECORDED_BY] = PointerGetDatum(caller_name());
}

static inline void
row_fill(Row *row, const Fact *fact)
{
	memcpy(row->values, fact->values, sizeof(fact->values));
	memcpy(row->nulls, fact->nulls, sizeof(fact->nulls));
	row->values[ROW_IDENTITY_ID] = Int64GetDatum(fact->identity->identity_id);
}

static SavedQuery any_contribution = {
	.sql = "SELECT FROM sharecollab.contribution WHERE project_id = $1 LIMIT 1",
	.nparams = 1, .types = {INT8OID}
};

/*
 * Would an INSERT into the table do nothing but what insert_facts() does?  Not
 * if somebody has put a trigger on it that has something to do then, or a column,
 * or made its owner be bound by policies.
 */
static bool
can_insert_facts(Relation contribution, int *source)
{
	TupleDesc	columns = RelationGetDescr(contribution);

	if (!is_plain_table(contribution, NULL, 0) || columns->natts != ROW_COLUMNS)
		return false;
	for (int i = 0; i < ROW_COLUMNS; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		source[i] = 0;
		while (source[i] < ROW_COLUMNS && strcmp(row_columns[source[i]].name, NameStr(column->attname)) != 0)
			source[i]++;
		if (source[i] == ROW_COLUMNS || column->attgenerated)
			return false;
	}
	return true;
}

/* how many facts before it is its turn one is fetched */
#define AHEAD	8

/*
 * Facts of a project that has none, without the executor: in half of the time
 * that an INSERT takes.  Returns false if the table does not let that be done.
 */
static bool
insert_facts(const Facts *facts, const FactOrder *order, int64 n, int64 project_id)
{
	Relation	contribution = open_own_table("contribution", RowExclusiveLock);
	int			source[ROW_COLUMNS];
	RowInsert	insert;
	Row			row;

	if (!can_insert_facts(contribution, source))
	{
		table_close(contribution, NoLock);
		return false;
	}
	insert_begin(&insert, contribution, false);
	row_begin(&row, project_id);
	for (int64 i = 0; i < n; i++)
	{
		TupleTableSlot *slot = insert_slot(&insert);

		/* facts lie in another order, and most of them not in the processor's cache */
		if (i + 2 * AHEAD < n)
			__builtin_prefetch(&facts->fact[order[i + 2 * AHEAD].row]);
		if (i + AHEAD < n)
			__builtin_prefetch(DatumGetPointer(facts->fact[order[i + AHEAD].row].values[ENTRY_REF]));
		row_fill(&row, &facts->fact[order[i].row]);
		for (int k = 0; k < ROW_COLUMNS; k++)
		{
			slot->tts_values[k] = row.values[source[k]];
			slot->tts_isnull[k] = row.nulls[source[k]];
		}
	}
	insert_end(&insert);
	table_close(contribution, NoLock);
	return true;
}

/*
 * Facts that are new, and those that are newer than what is there.  The latter
 * are found again by where they are, as nobody else imports into the project.
 * Those who look at an older state of it are told by ON CONFLICT.
 */
static SavedQuery merge_facts = {
	.sql = "WITH entry AS MATERIALIZED ("
	"SELECT f.*, c.place FROM fact AS f LEFT JOIN LATERAL ("
	"SELECT c.ctid AS place, " AGE_OF("c") " < " AGE_OF("f") " AS older FROM sharecollab.contribution AS c"
	" WHERE c.project_id = f.project_id AND c.kind = f.kind AND c.ref = f.ref"
	" AND c.identity_id = f.identity_id AND c.role = f.role OFFSET 0) AS c ON true"
	" WHERE c.place IS NULL OR c.older),"
	" updated AS ("
	"UPDATE sharecollab.contribution AS c SET at = f.at, done_at = f.done_at, state = f.state,"
	" subject_kind = f.subject_kind, subject_ref = f.subject_ref, is_merge = f.is_merge,"
	" added = f.added, removed = f.removed, parts = f.parts,"
	" updated_at = f.updated_at, recorded_at = f.recorded_at, recorded_by = f.recorded_by"
	" FROM entry AS f WHERE f.place IS NOT NULL AND c.ctid = f.place),"
	" inserted AS ("
	"INSERT INTO sharecollab.contribution (project_id, kind, ref, identity_id, role, at, done_at, state,"
	" subject_kind, subject_ref, is_merge, added, removed, parts, updated_at, recorded_at, recorded_by)"
	" SELECT f.project_id, f.kind, f.ref, f.identity_id, f.role, f.at, f.done_at, f.state,"
	" f.subject_kind, f.subject_ref, f.is_merge, f.added, f.removed, f.parts, f.updated_at, f.recorded_at, f.recorded_by"
	" FROM entry AS f WHERE f.place IS NULL ON CONFLICT DO NOTHING)"
	" SELECT pg_catalog.count(*) FILTER (WHERE f.place IS NULL),"
	" pg_catalog.count(*) FILTER (WHERE f.place IS NOT NULL) FROM entry AS f"
};

/*
 * The facts as a relation, for a statement to read.
 */
static EphemeralNamedRelation
fact_relation(const Facts *facts, const FactOrder *order, int64 n, int64 project_id)
{
	EphemeralNamedRelation relation = palloc0(sizeof(EphemeralNamedRelationData));
	TupleDesc	columns = CreateTemplateTupleDesc(ROW_COLUMNS);
	Tuplestorestate *store = tuplestore_begin_heap(false, false, work_mem);
	Row			row;

	for (int i = 0; i < ROW_COLUMNS; i++)
	{
		TupleDescInitEntry(columns, i + 1, row_columns[i].name, row_columns[i].type, -1, 0);
		TupleDescInitEntryCollation(columns, i + 1, row_columns[i].collation);
	}
	row_begin(&row, project_id);
	for (int64 i = 0; i < n; i++)
	{
		row_fill(&row, &facts->fact[order[i].row]);
		tuplestore_putvalues(store, columns, row.values, row.nulls);
	}
	relation->md.name = pstrdup("fact");
	relation->md.tupdesc = columns;
	relation->md.enrtype = ENR_NAMED_TUPLESTORE;
	relation->md.enrtuples = n;
	relation->reldata = store;
	return relation;
}

/*
 * Write the facts of identities that are written: how many are new, and how
 * many replaced what was there.
 */
void
facts_write(Facts *facts, int64 project_id, int64 *inserted, int64 *updated)
{
	Datum		project = Int64GetDatum(project_id);
	FactOrder  *order;
	int64		n = order_facts(facts, &order);
	EphemeralNamedRelation relation;

	*inserted = n;
	*updated = 0;
	if (!IsolationUsesXactSnapshot() && query_run(&any_contribution, &project, NULL, false) == 0 &&
		insert_facts(facts, order, n, project_id))
		return;
	relation = fact_relation(facts, order, n, project_id);
	if (SPI_register_relation(relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register facts");
	query_run(&merge_facts, NULL, NULL, false);
	*inserted = DatumGetInt64(query_value(0, 1, NULL));
	*updated = DatumGetInt64(query_value(0, 2, NULL));
	if (SPI_unregister_relation(relation->md.name) != SPI_OK_REL_UNREGISTER)
		elog(ERROR, "could not unregister facts");
	tuplestore_end(relation->reldata);
}
