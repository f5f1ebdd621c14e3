/*
 * table.c
 *		Rows of our own tables, by their keys and without the executor.
 *
 * To plan, start and end a query costs several times what it takes to find a
 * row of a known table; reserve() has a handful of them to find.
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_trigger.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/*
 * One of our tables, whatever the search_path.
 */
Relation
open_own_table(const char *name, LOCKMODE lockmode)
{
	Oid			relation = get_relname_relid(name, get_namespace_oid("sharecollab", false));

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"sharecollab.%s\" does not exist", name)));
	return table_open(relation, lockmode);
}

/*
 * Is an INSERT by its owner one into its heap and indexes, but for the triggers
 * whose work the caller does: the one of that name, and those of so many foreign
 * keys?  Not if somebody made another trigger, rules, or policies that bind the
 * owner.
 */
bool
is_plain_table(Relation relation, const char *own_trigger, int foreign_keys)
{
	TriggerDesc *triggers = relation->trigdesc;

	if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relispartition || relation->rd_rules != NULL ||
		SessionReplicationRole != SESSION_REPLICATION_ROLE_ORIGIN ||
		check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_ENABLED)
		return false;
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_INSERT(trigger->tgtype))
			continue;
		if (RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_FK)
			foreign_keys--;
		else if (own_trigger == NULL || strcmp(trigger->tgname, own_trigger) != 0 || trigger->tgenabled != TRIGGER_FIRES_ON_ORIGIN)
			return false;
	}
	return foreign_keys == 0;
}

/*
 * Are its columns those, and as many defaults on them?  Then who knows them
 * need not look.
 */
bool
is_as_made(Relation relation, const MadeColumn *columns, int ncolumns, int ndefaults)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	if (tupdesc->natts != ncolumns || tupdesc->constr == NULL || tupdesc->constr->num_defval != ndefaults)
		return false;
	for (int i = 0; i < ncolumns; i++)
	{
		Form_pg_attribute column = TupleDescAttr(tupdesc, i);

		if (strcmp(NameStr(column->attname), columns[i].name) != 0 || column->atttypid != columns[i].type ||
			column->atttypmod != -1 || column->attgenerated)
			return false;
	}
	return true;
}

AttrNumber
column_number(Relation relation, const char *name)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(tupdesc, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return column->attnum;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist",
					name, RelationGetRelationName(relation))));
}

/* the n-th column of the index is equal to a value */
void
key_int8(ScanKey keys, int n, int64 value)
{
	ScanKeyInit(&keys[n - 1], n, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value));
}

void
key_text(ScanKey keys, int n, text *value)
{
	ScanKeyInit(&keys[n - 1], n, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(value));
	keys[n - 1].sk_collation = DEFAULT_COLLATION_OID;
}

/*
 * Look for rows of a table that a snapshot sees; row_next() gets them.
 */
void
row_open(TableRow *row, const char *table, const char *index, Snapshot snapshot,
		 ScanKey keys, int nkeys)
{
	row->heap = open_own_table(table, AccessShareLock);
	row->index = index_open(get_relname_relid(index, RelationGetNamespace(row->heap)),
							AccessShareLock);
	row->slot = table_slot_create(row->heap, NULL);
	row->snapshot = RegisterSnapshot(snapshot);
	row->scan = index_beginscan_compat(row->heap, row->index, row->snapshot, nkeys);
	index_rescan(row->scan, keys, nkeys, NULL, 0);
}

/* Look for others, in the same table by the same index. */
void
row_again(TableRow *row, ScanKey keys, int nkeys)
{
	index_rescan(row->scan, keys, nkeys, NULL, 0);
}

bool
row_next(TableRow *row)
{
	return index_getnext_slot(row->scan, ForwardScanDirection, row->slot);
}

/* The last of them, by the columns that follow in the index. */
bool
row_last(TableRow *row)
{
	return index_getnext_slot(row->scan, BackwardScanDirection, row->slot);
}

/* A column of the row, which is valid until the next one or row_close(). */
Datum
row_column(TableRow *row, const char *name, bool *isnull)
{
	return slot_getattr(row->slot, column_number(row->heap, name), isnull);
}

void
row_close(TableRow *row)
{
	index_endscan(row->scan);
	UnregisterSnapshot(row->snapshot);
	ExecDropSingleTupleTableSlot(row->slot);
	index_close(row->index, AccessShareLock);
	table_close(row->heap, AccessShareLock);
}

void
unknown_name(const char *table, text *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("%s \"%s\" does not exist", table, text_to_cstring(name)),
			 errhint("Names are compared exactly; create_%s() makes a new one.", table)));
}

/*
 * Find a row by its name, or say that there is none: nor is there one for whom
 * may not see it.
 */
void
find_by_name(TableRow *row, const char *table, text *name, Snapshot snapshot)
{
	ScanKeyData key;
	bool		isnull;

	key_text(&key, 1, name);
	row_open(row, table, psprintf("%s_name_key", table), snapshot, &key, 1);
	if (!row_next(row) || !may_see(table, DatumGetInt64(row_column(row, psprintf("%s_id", table), &isnull))))
		unknown_name(table, name);
}

/*
 * The key of the row of that name.
 */
int64
id_of_name(const char *table, text *name, Snapshot snapshot)
{
	TableRow	row;
	bool		isnull;
	int64		result;

	find_by_name(&row, table, name, snapshot);
	result = DatumGetInt64(row_column(&row, psprintf("%s_id", table), &isnull));
	row_close(&row);
	return result;
}

/*
 * Insert rows into a table that is_plain_table(): in batches, as COPY does; or
 * one, by insert_row_once().
 */
void
insert_begin(RowInsert *insert, Relation heap, bool once)
{
	insert->heap = heap;
	insert->estate = CreateExecutorState();
	insert->result = makeNode(ResultRelInfo);
	InitResultRelInfo(insert->result, heap, 0, NULL, 0);
	ExecOpenIndices(insert->result, once);
	insert->nslots = insert->n = 0;
}

static void
insert_batch(RowInsert *insert)
{
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < insert->n; i++)
	{
		if (TTS_EMPTY(insert->slots[i]))
			ExecConstraints(insert->result, ExecStoreVirtualTuple(insert->slots[i]), insert->estate);
	}
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(insert->estate));
	table_multi_insert(insert->heap, insert->slots, insert->n, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < insert->n; i++)
		insert_index_entries(insert->result, insert->slots[i], insert->estate, UPDATE_NO_INDEXES);
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(insert->estate);
	insert->n = 0;
}

/*
 * The next row, for the caller to fill.  What its values point to must live until
 * insert_end(), or insert_keep().
 */
TupleTableSlot *
insert_slot(RowInsert *insert)
{
	if (insert->n == lengthof(insert->slots))
		insert_batch(insert);
	if (insert->n == insert->nslots)
	{
		MemoryContext old = MemoryContextSwitchTo(insert->estate->es_query_cxt);

		insert->slots[insert->nslots++] = table_slot_create(insert->heap, NULL);
		MemoryContextSwitchTo(old);
	}
	return ExecClearTuple(insert->slots[insert->n++]);
}

void
insert_row(RowInsert *insert, const NullableDatum *row)
{
	TupleTableSlot *slot = insert_slot(insert);

	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = row[i].value;
		slot->tts_isnull[i] = row[i].isnull;
	}
}

/*
 * Take a copy of the last row, once it is filled.
 */
void
insert_keep(RowInsert *insert)
{
	TupleTableSlot *slot = ExecStoreVirtualTuple(insert->slots[insert->n - 1]);

	ExecConstraints(insert->result, slot, insert->estate);
	ExecMaterializeSlot(slot);
	/* what a constraint looked at may be large */
	ResetPerTupleExprContext(insert->estate);
}

/*
 * The unique indexes of two columns: those that ON CONFLICT (…) infers.
 */
static List *
arbiter_indexes(ResultRelInfo *result, AttrNumber a, AttrNumber b)
{
	List	   *indexes = NIL;

	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		IndexInfo  *info = result->ri_IndexRelationInfo[i];
		AttrNumber *key = info->ii_IndexAttrNumbers;

		if (info->ii_Unique && info->ii_NumIndexKeyAttrs == 2 && info->ii_Predicate == NIL &&
			((key[0] == a && key[1] == b) || (key[0] == b && key[1] == a)) &&
			result->ri_IndexRelationDescs[i]->rd_index->indisvalid)
			indexes = lappend_oid(indexes, RelationGetRelid(result->ri_IndexRelationDescs[i]));
	}
	return indexes;
}

/*
 * Insert a row, unless there is one with the same two columns a and b, or no
 * index that could tell: as INSERT … ON CONFLICT (a, b) DO NOTHING does.  The
 * first column, which must be null, is taken from the sequence when none is there.
 *
 * The row is speculative until it is in all indexes.  Until then others who find
 * it wait for that, not for this transaction; if another came first, it is taken
 * back, and that one waited for.  No snapshot sees the row of a transaction that
 * did not commit, nor does it matter then, or after a crash, whether it still was.
 */
bool
insert_row_once(RowInsert *insert, const NullableDatum *row, AttrNumber a, AttrNumber b, Oid sequence, int64 *id)
{
	List	   *arbiters = arbiter_indexes(insert->result, a, b);
	TupleTableSlot *slot;
	MemoryContext old;
	ItemPointerData other;
	bool		inserted = false;

	if (arbiters == NIL)
		return false;
	insert_row(insert, row);
	slot = ExecStoreVirtualTuple(insert->slots[--insert->n]);
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(insert->estate));
	while (!inserted && check_index_constraints(insert->result, slot, insert->estate, &other, arbiters))
	{
		bool		conflict = false;
		uint32		token;

		CHECK_FOR_INTERRUPTS();
		if (slot->tts_isnull[0])
		{
			slot->tts_values[0] = Int64GetDatum(nextval_internal(sequence, false));
			slot->tts_isnull[0] = false;
			ExecConstraints(insert->result, slot, insert->estate);
		}
		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		table_tuple_insert_speculative(insert->heap, slot, GetCurrentCommandId(true), 0, NULL, token);
		insert_index_entries_unless(insert->result, slot, insert->estate, &conflict, arbiters);
		table_tuple_complete_speculative(insert->heap, slot, token, !conflict);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
		inserted = !conflict;
	}
	MemoryContextSwitchTo(old);
	if (inserted)
		*id = DatumGetInt64(slot->tts_values[0]);
	ResetPerTupleExprContext(insert->estate);
	return inserted;
}

void
insert_end(RowInsert *insert)
{
	if (insert->n > 0)
		insert_batch(insert);
	while (insert->nslots > 0)
		ExecDropSingleTupleTableSlot(insert->slots[--insert->nslots]);
	ExecCloseIndices(insert->result);
	FreeExecutorState(insert->estate);
	CommandCounterIncrement();
}
