/*
 * guard.c
 *		Triggers that keep facts as they are, and let a restore through.
 *
 * A fact is written once: a correction is a new row.  So UPDATE, DELETE and
 * TRUNCATE are refused to everybody, the owner included; whoever switches the
 * trigger off to get around it is found by verify_books().
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "guard.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "query.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/*
 * Anybody can make a trigger on a table of their own; these are for ours.
 */
TriggerData *
require_trigger(FunctionCallInfo fcinfo, const char *table)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		(!TRIGGER_FIRED_AFTER(trigger->tg_event) && !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called as a statement trigger")));
	if (RelationGetRelid(trigger->tg_relation) !=
		get_relname_relid(table, get_namespace_oid("sharecollab", false)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is a trigger of table sharecollab.%s only", table)));
	return trigger;
}

/*
 * A trigger that sees each row before it is inserted.
 */
TriggerData *
require_insert_trigger(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s() must be called as a trigger before each row that is inserted", function)));
	return trigger;
}

/*
 * Is this the restore of a dump?
 *
 * A restore brings the facts back in any order, with our triggers in place,
 * and leases that were in deficit must get in again.  pg_dump turns off row
 * security and the checking of function bodies, for all it restores; and the
 * owner of the tables, who could disable the triggers just as well, is the
 * only caller for whom that counts here.
 */
bool
is_restore(TriggerData *trigger)
{
	return !row_security && !check_function_bodies && OidIsValid(calling_role()) &&
		has_privs_of_role(calling_role(), trigger->tg_relation->rd_rel->relowner);
}

/*
 * Is nothing in the table?  Then to TRUNCATE it, with others that it refers to,
 * takes nothing away.
 */
static bool
is_empty(Relation relation)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	TableScanDesc scan = table_beginscan(relation, snapshot, 0, NULL);
	bool		result = !table_scan_getnextslot(scan, ForwardScanDirection, slot);

	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return result;
}

PG_FUNCTION_INFO_V1(refuse_change);
Datum
refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("refuse_change() must be called as a trigger")));
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) && is_empty(trigger->tg_relation))
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot change or remove rows of table \"%s\"",
					RelationGetRelationName(trigger->tg_relation)),
			 errdetail("They are facts."),
			 errhint("Record what is right now in a row of its own.")));
}

/*
 * What facts refer to stays, where a foreign key would look it up again for
 * each of them.  The arguments are the table of the facts, the key of the rows
 * that go, and the columns that refer to it.
 */
PG_FUNCTION_INFO_V1(keep_referenced);
Datum
keep_referenced(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char	  **args;
	const char *key;
	StringInfoData sql;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_trigger->tgnargs < 3)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("keep_referenced() must be called as a statement trigger after DELETE")));
	args = trigger->tg_trigger->tgargs;
	key = quote_identifier(args[1]);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT o.%s FROM old_rows AS o WHERE false", key);
	for (int i = 2; i < trigger->tg_trigger->tgnargs; i++)
		appendStringInfo(&sql, " OR EXISTS (SELECT FROM sharecollab.%s AS f WHERE f.%s = o.%s)",
						 quote_identifier(args[0]), quote_identifier(args[i]), key);
	SPI_connect();
	if (SPI_register_trigger_data(trigger) < 0)
		elog(ERROR, "could not register the rows of a trigger");
	if (SPI_execute(sql.data, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql.data);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s " INT64_FORMAT " is referred to by table \"%s\"", RelationGetRelationName(trigger->tg_relation),
						DatumGetInt64(query_value(0, 1, NULL)), args[0])));
	SPI_finish();
	return PointerGetDatum(NULL);
}
