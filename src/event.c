/*
 * event.c
 *		The log of what was done: a trigger that writes it.
 *
 * A row of most tables says itself when it was made; what it was before it was
 * changed or removed would be lost, and with it who did that.  One row of the
 * log for each keeps it.  TRUNCATE has no transition tables: the trigger is
 * before it, and reads the table.
 */
#include "postgres.h"

#include "compat.h"
#include "catalog/pg_type.h"
#include "guard.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* the statement for a kind of change of a table, planned once a session */
typedef struct LogPlan
{
	struct
	{
		Oid			relation;
		uint32		kind;
	}			key;
	SavedQuery	query;
} LogPlan;

static HTAB *plans = NULL;

/*
 * Rows tell what they are about by their columns, which have the same names in
 * all tables; the first argument of the trigger is the name of the key, if there
 * is one.  Where there are new_rows as well, what stays as it is (a lock, that is)
 * is no act, nor is a change of only the column that the second argument names.
 */
static SavedQuery *
log_query(TriggerData *trigger)
{
	LogPlan    *plan;
	bool		found;
	struct
	{
		Oid			relation;
		uint32		kind;
	}			key = {RelationGetRelid(trigger->tg_relation), trigger->tg_event & TRIGGER_EVENT_OPMASK};

	if (plans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(key);
		control.entrysize = sizeof(LogPlan);
		plans = hash_create("sharecollab log", 32, &control, HASH_ELEM | HASH_BLOBS);
	}
	plan = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
	{
		const char *id = trigger->tg_trigger->tgnargs > 0 ? trigger->tg_trigger->tgargs[0] : "";
		bool		inserted = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);

		memset(&plan->query, 0, sizeof(SavedQuery));
		plan->query.sql = MemoryContextStrdup(TopMemoryContext, psprintf(
			"INSERT INTO sharecollab.event (act, subject, subject_id, pool_id, project_id, party_id, was)"
			" SELECT %s, %s, (r.fact ->> %s)::pg_catalog.int8, (r.fact ->> 'pool_id')::pg_catalog.int8,"
			" (r.fact ->> 'project_id')::pg_catalog.int8, coalesce(r.fact ->> 'consumer_id', r.fact ->> 'provider_id',"
			" r.fact ->> 'party_id', r.fact ->> 'assignee_id', r.fact ->> 'steward_id')::pg_catalog.int8, %s"
			" FROM (SELECT pg_catalog.to_jsonb(c) AS fact FROM %s AS c) AS r%s",
			inserted ? "'created'" : TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "'changed'" : "'removed'",
			quote_literal_cstr(RelationGetRelationName(trigger->tg_relation)), quote_literal_cstr(id),
			inserted ? "NULL" : "r.fact", inserted ? "new_rows" : !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) ? "old_rows" :
			psprintf("sharecollab.%s", quote_identifier(RelationGetRelationName(trigger->tg_relation))),
			inserted || trigger->tg_trigger->tgnewtable == NULL ? "" : psprintf(
			" WHERE r.fact - %1$s NOT IN (SELECT pg_catalog.to_jsonb(n) - %1$s FROM new_rows AS n)",
			quote_literal_cstr(trigger->tg_trigger->tgnargs > 1 ? trigger->tg_trigger->tgargs[1] : ""))));
	}
	return &plan->query;
}

PG_FUNCTION_INFO_V1(log_event);
Datum
log_event(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("log_event() must be called as a trigger")));
	require_trigger(fcinfo, RelationGetRelationName(trigger->tg_relation));
	/* a restore brings the log as well */
	if (is_restore(trigger))
		return PointerGetDatum(NULL);
	SPI_connect();
	SPI_register_trigger_data(trigger);
	query_run(log_query(trigger), NULL, NULL, false);
	SPI_finish();
	return PointerGetDatum(NULL);
}
