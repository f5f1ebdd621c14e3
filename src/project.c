/*
 * project.c
 *		Projects: names, tasks, and what keeps identities and affiliations right.
 */
#include "postgres.h"

#include "access.h"
#include "catalog/namespace.h"
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

static SavedQuery projects_of_identity = {
	.sql = "SELECT DISTINCT c.project_id FROM sharecollab.contribution AS c WHERE c.identity_id = $1",
	.nparams = 1, .types = {INT8OID}
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
 * Whoever manages the project may do anything with a task, its assignee may
 * say that it is done.  Before it is locked, so that others cannot hold it up.
 */
static void
require_task(int64 task_id, bool assignee_may)
{
	ScanKeyData key;
	TableRow	row;
	int64		assignee_id;
	bool		isnull;
	int			roles = 0;
	bool		is_assignee = false;

	key_int8(&key, 1, task_id);
	row_open(&row, "task", "task_task_id_idx", GetLatestSnapshot(), &key, 1);
	if (row_next(&row))
	{
		roles = project_roles(DatumGetInt64(row_column(&row, "project_id", &isnull)));
		assignee_id = DatumGetInt64(row_column(&row, "assignee_id", &isnull));
		is_assignee = !isnull && acts_for(assignee_id);
	}
	row_close(&row);
	if (roles == 0 && !is_assignee)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("task " INT64_FORMAT " does not exist", task_id)));
	if (!(roles & PROJECT_MANAGER) && !(is_assignee && assignee_may))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner or maintainer of the project of task " INT64_FORMAT, task_id)));
}

/*
 * Lock a task that is open, for what the verb says; its project.
 */
static Datum
open_task(Datum task_id, const char *verb, bool *unassigned)
{
	int64		id = DatumGetInt64(task_id);
	bool		isnull;

	require_task(id, strcmp(verb, "complete") == 0);
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
 * Identities
 * ----------
 */

/*
 * Whose an identity is counts in all projects that it contributed to, so that
 * is for those to say who manage all of them.  (Anybody can import a history
 * with somebody else's name in it.)
 */
PG_FUNCTION_INFO_V1(require_identity);
Datum
require_identity(PG_FUNCTION_ARGS)
{
	Datum		identity_id = PG_GETARG_DATUM(0);
	uint64		n;
	bool		knows = false;
	bool		manages = true;

	if (is_operator())
		return identity_id;
	SPI_connect();
	n = query_run(&projects_of_identity, &identity_id, NULL, true);
	for (uint64 i = 0; i < n; i++)
	{
		int			roles = project_roles(DatumGetInt64(query_value(i, 1, NULL)));

		knows = knows || (roles & PROJECT_MANAGER);
		manages = manages && (roles & PROJECT_MANAGER);
	}
	SPI_finish();
	if (!knows)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("identity " INT64_FORMAT " does not exist", DatumGetInt64(identity_id))));
	if (!manages)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("identity " INT64_FORMAT " has contributed to other projects, too",
						DatumGetInt64(identity_id)),
				 errhint("Whose it is, is for owners or maintainers of all of them to say, or for the owner of the extension.")));
	return identity_id;
}

/* ----------
 * Triggers
 * ----------
 */

/* Anybody can make a trigger on a table of their own; these are for ours. */
static void
begin_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo) ||
		RelationGetNamespace(((TriggerData *) fcinfo->context)->tg_relation) !=
		get_namespace_oid("sharecollab", false))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s() must be called as a trigger of a table of sharecollab", name)));
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
