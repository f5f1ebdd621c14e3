/*
 * project.c
 *		Projects: names, tasks, and what keeps identities and affiliations right.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "query.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

static SavedQuery task_by_id = {
	.sql = "SELECT t.project_id, t.assignee_id, t.ended_at, t.end_reason FROM sharecollab.task AS t"
	" WHERE t.task_id = $1 FOR NO KEY UPDATE",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery set_assignee = {
	.sql = "UPDATE sharecollab.task SET assignee_id = $3, assigned_at = pg_catalog.now()"
	" WHERE project_id = $1 AND task_id = $2 AND assignee_id IS DISTINCT FROM $3",
	.nparams = 3, .types = {INT8OID, INT8OID, INT8OID}
};

static SavedQuery end_task = {
	.sql = "UPDATE sharecollab.task SET ended_at = $3, end_reason = $4"
	" WHERE project_id = $1 AND task_id = $2",
	.nparams = 4, .types = {INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID}
};

PG_FUNCTION_INFO_V1(project_id);
Datum
project_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(id_of_name("project", PG_GETARG_TEXT_PP(0), GetActiveSnapshot()));
}

/* ----------
 * Tasks
 * ----------
 */

/*
 * Lock a task that is open, for what the verb says; its project.
 */
static Datum
open_task(Datum task_id, const char *verb, bool *unassigned)
{
	int64		id = DatumGetInt64(task_id);
	bool		isnull;

	if (query_run(&task_by_id, &task_id, NULL, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("task " INT64_FORMAT " does not exist", id)));
	query_value(0, 3, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot %s task " INT64_FORMAT, verb, id),
				 errdetail("It was %s at %s.", TextDatumGetCString(query_value(0, 4, NULL)),
						   timestamptz_to_str(DatumGetTimestampTz(query_value(0, 3, NULL))))));
	query_value(0, 2, unassigned);
	return query_value(0, 1, NULL);
}

/* assign_task(task, assignee) */
PG_FUNCTION_INFO_V1(task_assign);
Datum
task_assign(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"task", "assignee"};
	Datum		values[3];
	bool		unassigned;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = open_task(PG_GETARG_DATUM(0), "assign", &unassigned);
	values[1] = PG_GETARG_DATUM(0);
	values[2] = Int64GetDatum(id_of_name("party", PG_GETARG_TEXT_PP(1), GetLatestSnapshot()));
	query_run(&set_assignee, values, NULL, false);
	SPI_finish();
	PG_RETURN_VOID();
}

/* complete_task(task, at) and cancel_task(task, at) */
static Datum
task_end(FunctionCallInfo fcinfo, bool cancel)
{
	static const char *const names[] = {"task", "instant"};
	const char *verb = cancel ? "cancel" : "complete";
	Datum		values[4];
	bool		unassigned;

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = open_task(PG_GETARG_DATUM(0), verb, &unassigned);
	if (unassigned && !cancel)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot complete task " INT64_FORMAT, PG_GETARG_INT64(0)),
				 errdetail("It is assigned to nobody."),
				 errhint("assign_task() says who does it.")));
	values[1] = PG_GETARG_DATUM(0);
	values[2] = PG_GETARG_DATUM(1);
	values[3] = CStringGetTextDatum(cancel ? "cancelled" : "completed");
	query_run(&end_task, values, NULL, false);
	SPI_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(task_complete);
Datum
task_complete(PG_FUNCTION_ARGS)
{
	return task_end(fcinfo, false);
}

PG_FUNCTION_INFO_V1(task_cancel);
Datum
task_cancel(PG_FUNCTION_ARGS)
{
	return task_end(fcinfo, true);
}

/* ----------
 * Triggers
 * ----------
 */
static void
begin_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s() must be called as a trigger", name)));
	SPI_connect();
	if (SPI_register_trigger_data((TriggerData *) fcinfo->context) < 0)
		elog(ERROR, "could not register the rows of a trigger");
}

static bool
any_row(const char *sql)
{
	if (SPI_execute(sql, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
	return SPI_processed > 0;
}

/*
 * The shares of a person never come to more than 1.  Whoever gives shares
 * updates the person, so that others who do so at the same time wait and then
 * see these, or, if they look at an older state, are refused.
 */
PG_FUNCTION_INFO_V1(affiliation_check);
Datum
affiliation_check(PG_FUNCTION_ARGS)
{
	begin_trigger(fcinfo, "affiliation_check");
	if (SPI_execute("UPDATE sharecollab.party SET name = name"
					" WHERE party_id IN (SELECT n.party_id FROM new_rows AS n)", false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not lock the persons of affiliations");
	if (any_row("SELECT p.name, l.load::pg_catalog.text FROM ("
				"SELECT a.party_id, sharecollab.load_profile(a.valid, a.share) AS load"
				" FROM sharecollab.affiliation AS a WHERE upper_inf(a.known)"
				" AND a.party_id IN (SELECT n.party_id FROM new_rows AS n)"
				" GROUP BY a.party_id) AS l"
				" JOIN sharecollab.party AS p ON p.party_id = l.party_id"
				" WHERE sharecollab.peak(l.load, '(,)') > 1"))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("affiliations of party \"%s\" come to more than 1",
						TextDatumGetCString(query_value(0, 1, NULL))),
				 errdetail("Their sum over time: %s", TextDatumGetCString(query_value(0, 2, NULL))),
				 errhint("End or lessen another first: set_affiliation() with a share of 0 ends one.")));
	SPI_finish();
	return PointerGetDatum(NULL);
}
