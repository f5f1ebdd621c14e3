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
#include "miscadmin.h"
#include "utils/acl.h"
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

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
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
