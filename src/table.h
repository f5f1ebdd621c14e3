/*
 * table.h
 *		Rows of our own tables, by their keys and without the executor.
 */
#ifndef SHARECOLLAB_TABLE_H
#define SHARECOLLAB_TABLE_H

#include "access/genam.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * One row at a time, found by the first columns of an index.
 */
typedef struct TableRow
{
	Relation	heap;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} TableRow;

/* a column as the install script makes it */
typedef struct MadeColumn
{
	const char *name;
	Oid			type;
} MadeColumn;

/*
 * Rows on their way into a table.
 */
typedef struct RowInsert
{
	Relation	heap;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slots[512];
	int			nslots;			/* how many there are */
	int			n;				/* and how many are filled */
} RowInsert;

extern Relation open_own_table(const char *name, LOCKMODE lockmode);
extern bool is_as_made(Relation relation, const MadeColumn *columns, int ncolumns, int ndefaults);
extern bool is_plain_table(Relation relation, const char *own_trigger, int foreign_keys);
extern AttrNumber column_number(Relation relation, const char *name);
extern void row_open(TableRow *row, const char *table, const char *index, Snapshot snapshot,
					 ScanKey keys, int nkeys);
extern void row_again(TableRow *row, ScanKey keys, int nkeys);
extern bool row_next(TableRow *row);
extern bool row_last(TableRow *row);
extern Datum row_column(TableRow *row, const char *name, bool *isnull);
extern void row_close(TableRow *row);
extern void insert_begin(RowInsert *insert, Relation heap, bool once);
extern TupleTableSlot *insert_slot(RowInsert *insert);
extern void insert_row(RowInsert *insert, const NullableDatum *row);
extern bool insert_row_once(RowInsert *insert, const NullableDatum *row, AttrNumber a, AttrNumber b,
							Oid sequence, int64 *id);
extern void insert_keep(RowInsert *insert);
extern void insert_end(RowInsert *insert);
extern void key_int8(ScanKey keys, int n, int64 value);
extern void key_text(ScanKey keys, int n, text *value);
pg_noreturn extern void unknown_name(const char *table, text *name);
extern void find_by_name(TableRow *row, const char *table, text *name, Snapshot snapshot);
extern int64 id_of_name(const char *table, text *name, Snapshot snapshot);

#endif							/* SHARECOLLAB_TABLE_H */
