/*
 * calendar.c
 *		The calendar of a pool: how much it has and how much is booked, over
 *		time.  Admission is done here.
 *
 * The rows of table calendar partition the time line of each pool into pages;
 * a page holds the capacity, booked and deficit profiles of its span.  They
 * are derived from tables supply and lease, by the statement triggers in this
 * file: whatever statement changes those tables (INSERT, UPDATE, DELETE, COPY,
 * MERGE) becomes one profile of changes per pool, which is added to the pages
 * that it touches.
 *
 * Why nothing can be overbooked: adding to a page is an update of the row that
 * holds the truth, so two transactions that would book the same time queue up
 * on that row, at any isolation level (above READ COMMITTED the second one
 * fails with a serialization error, as PostgreSQL promises), and the CHECK
 * constraint of the table says that no page may be booked beyond its capacity,
 * whatever the code here does.
 *
 * Why there are no deadlocks within one statement: pools are visited in order
 * of id, and the pages of a pool in order of time.
 *
 * Deficit is what is booked beyond capacity, because supply was withdrawn
 * under existing leases.  Supply may raise it; leases can only lower it.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "profile.h"
#include "query.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

/*
 * A page with more breakpoints than this is split into pages of half as many:
 * so a row stays at about a kilobyte and its updates stay HOT.
 */
#define PAGE_MAX_STEPS	128

/* whose change it is decides what may give: the change or the deficit */
typedef enum ChangeKind
{
	CHANGE_OF_LEASES,
	CHANGE_OF_SUPPLY
} ChangeKind;

/* a page as read and locked */
typedef struct CalendarPage
{
	Span		span;
	Datum		capacity;
	Datum		booked;
	Datum		deficit;
	Oid			type;			/* profile's OID */
} CalendarPage;

/* the changes of one statement, as one profile per pool */
static SavedQuery lease_changes[] = {
	{.sql = "SELECT pool_id, sharecollab.load_profile(effective, quantity)"
	 " FROM new_rows GROUP BY pool_id ORDER BY pool_id"},
	{.sql = "SELECT pool_id, sharecollab.load_profile(effective, -quantity)"
	 " FROM old_rows GROUP BY pool_id ORDER BY pool_id"},
	{.sql = "SELECT pool_id, sharecollab.load_profile(effective, quantity) FROM"
	 " (SELECT pool_id, effective, quantity FROM new_rows"
	 " UNION ALL SELECT pool_id, effective, -quantity FROM old_rows) AS changed"
	 " GROUP BY pool_id ORDER BY pool_id"}
};

static SavedQuery supply_changes[] = {
	{.sql = "SELECT pool_id, sharecollab.load_profile(during, quantity)"
	 " FROM new_rows GROUP BY pool_id ORDER BY pool_id"},
	{.sql = "SELECT pool_id, sharecollab.load_profile(during, -quantity)"
	 " FROM old_rows GROUP BY pool_id ORDER BY pool_id"},
	{.sql = "SELECT pool_id, sharecollab.load_profile(during, quantity) FROM"
	 " (SELECT pool_id, during, quantity FROM new_rows"
	 " UNION ALL SELECT pool_id, during, -quantity FROM old_rows) AS changed"
	 " GROUP BY pool_id ORDER BY pool_id"}
};

static SavedQuery new_calendars = {
	.sql = "INSERT INTO sharecollab.calendar (pool_id, starts, ends)"
	" SELECT pool_id, '-infinity', 'infinity' FROM new_rows"
};

/*
 * The page that an instant is on.  If another transaction splits it while we
 * wait for the lock, we get the part that keeps its start, and look again.
 */
static SavedQuery page_at = {
	.sql = "SELECT starts, ends, capacity, booked, deficit FROM sharecollab.calendar"
	" WHERE pool_id = $1 AND starts <= $2"
	" ORDER BY starts DESC LIMIT 1 FOR NO KEY UPDATE",
	.nparams = 2, .types = {INT8OID, TIMESTAMPTZOID}
};

/* $4 to $6 are profiles: with_type() sets their type */
static SavedQuery update_page = {
	.sql = "UPDATE sharecollab.calendar SET ends = $3, capacity = $4, booked = $5, deficit = $6"
	" WHERE pool_id = $1 AND starts = $2",
	.nparams = 6, .types = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static SavedQuery insert_page = {
	.sql = "INSERT INTO sharecollab.calendar (pool_id, starts, ends, capacity, booked, deficit)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	.nparams = 6, .types = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static SavedQuery clear_leases = {
	.sql = "UPDATE sharecollab.calendar SET booked = DEFAULT, deficit = DEFAULT"
};

static SavedQuery clear_supply = {
	.sql = "UPDATE sharecollab.calendar SET capacity = DEFAULT,"
	" deficit = sharecollab.positive_part(booked)"
};

static SavedQuery pool_name = {
	.sql = "SELECT name, unit FROM sharecollab.pool WHERE pool_id = $1",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery overdrawn_provider = {
	.sql = "SELECT p.name, sharecollab.positive_part('{}'::sharecollab.profile OPERATOR(sharecollab.-) s.load)"
	" FROM (SELECT provider_id, sharecollab.load_profile(during, quantity) AS load"
	" FROM sharecollab.supply WHERE pool_id = $1 GROUP BY provider_id) AS s"
	" JOIN sharecollab.party AS p ON p.party_id = s.provider_id"
	" WHERE NOT '{}'::sharecollab.profile OPERATOR(sharecollab.<@) s.load"
	" ORDER BY p.name LIMIT 1",
	.nparams = 1, .types = {INT8OID}
};

#define add(a, b)			DirectFunctionCall2(profile_add, (a), (b))
#define subtract(a, b)		DirectFunctionCall2(profile_subtract, (a), (b))
#define lesser(a, b)		DirectFunctionCall2(profile_pointwise_min, (a), (b))
#define positive(a)			DirectFunctionCall1(profile_positive_part, (a))
#define at_most(a, b)		DatumGetBool(DirectFunctionCall2(profile_contained, (a), (b)))

static Datum
clipped(Datum profile, Span span)
{
	ProfileReader reader;

	profile_read(profile, &reader);
	return PointerGetDatum(profile_clipped(&reader, span));
}

/*
 * Is this the restore of a dump?
 *
 * A restore brings the facts back in any order, with our triggers in place,
 * and leases that were in deficit must get in again.  pg_dump turns off row
 * security and the checking of function bodies, for all it restores; and the
 * owner of the tables, who could disable the triggers just as well, is the
 * only one for whom that counts here.
 */
static bool
is_restore(TriggerData *trigger)
{
	return !row_security && !check_function_bodies && !InLocalUserIdChange() &&
		has_privs_of_role(GetUserId(), trigger->tg_relation->rd_rel->relowner);
}

/*
 * Say what is missing: the first step of a profile that is above zero.
 */
static void
refuse(int64 pool_id, Datum missing)
{
	ProfileReader reader;
	char	   *quantity;
	Datum		key = Int64GetDatum(pool_id);
	char	   *name;
	char	   *unit;

	profile_read(missing, &reader);
	Assert(reader.n > 0);
	quantity = DatumGetCString(DirectFunctionCall1(numeric_out,
												   decimal_get_numeric(profile_value(&reader, 0),
																	   reader.scale)));
	query_run(&pool_name, &key, NULL, false);
	name = TextDatumGetCString(query_value(0, 1, NULL));
	unit = TextDatumGetCString(query_value(0, 2, NULL));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_CAPACITY),
			 errmsg("not enough capacity in pool \"%s\"", name),
			 errdetail("From %s on, %s %s more would be needed.",
					   timestamptz_to_str(profile_time(&reader, 0)), quantity, unit),
			 errhint("availability() shows how much of the pool is free, and when.")));
}

/*
 * Tell a query the type of the profiles it writes.  It is only known at run
 * time, and changes if the extension is dropped and created again.
 */
static SavedQuery *
with_type(SavedQuery *query, Oid type)
{
	if (query->types[3] != type)
	{
		if (query->plan != NULL)
			SPI_freeplan(query->plan);
		query->plan = NULL;
		query->types[3] = query->types[4] = query->types[5] = type;
	}
	return query;
}

/*
 * Write a page back, in several if it has become large.
 */
static void
write_page(int64 pool_id, const CalendarPage *page)
{
	ProfileReader capacity;
	ProfileReader booked;
	const ProfileReader *longer;
	int			npages;
	Span		span = page->span;

	profile_read(page->capacity, &capacity);
	profile_read(page->booked, &booked);
	longer = capacity.n > booked.n ? &capacity : &booked;
	npages = longer->n > PAGE_MAX_STEPS ? longer->n / (PAGE_MAX_STEPS / 2) : 1;

	for (int i = 0; i < npages; i++)
	{
		Datum		values[6];

		CHECK_FOR_INTERRUPTS();
		if (i + 1 < npages)
			span.until = profile_time(longer, (int64) longer->n * (i + 1) / npages);
		else
			span.until = page->span.until;
		values[0] = Int64GetDatum(pool_id);
		values[1] = TimestampTzGetDatum(span.from);
		values[2] = TimestampTzGetDatum(span.until);
		values[3] = npages == 1 ? page->capacity : clipped(page->capacity, span);
		values[4] = npages == 1 ? page->booked : clipped(page->booked, span);
		values[5] = npages == 1 ? page->deficit : clipped(page->deficit, span);
		query_run(with_type(i == 0 ? &update_page : &insert_page, page->type),
				  values, NULL, false);
		span.from = span.until;
	}
}

/*
 * Add a change to a page, or refuse it.
 */
static void
change_page(int64 pool_id, CalendarPage *page, Datum change, ChangeKind kind, bool restore)
{
	if (kind == CHANGE_OF_LEASES && !restore)
	{
		Datum		allowed = add(page->capacity, page->deficit);

		page->booked = add(page->booked, change);
		if (!at_most(page->booked, allowed))
			refuse(pool_id, positive(subtract(page->booked, allowed)));

		/* where leases went, there is less deficit; it must not admit others */
		page->deficit = lesser(page->deficit, positive(subtract(page->booked, page->capacity)));
	}
	else
	{
		if (kind == CHANGE_OF_LEASES)
			page->booked = add(page->booked, change);
		else
			page->capacity = add(page->capacity, change);
		page->deficit = positive(subtract(page->booked, page->capacity));
	}
	write_page(pool_id, page);
}

/*
 * Add a change to the calendar of a pool.
 */
static void
change_calendar(int64 pool_id, Datum change, ChangeKind kind, bool restore)
{
	ProfileReader reader;
	TimestampTz at;
	TimestampTz until;

	profile_read(change, &reader);
	if (reader.n == 0)
		return;
	at = profile_time(&reader, 0);
	until = profile_value(&reader, reader.n - 1) == 0 ?
		profile_time(&reader, reader.n - 1) : DT_NOEND;

	while (at < until)
	{
		Datum		values[2];
		CalendarPage		page;

		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(pool_id);
		values[1] = TimestampTzGetDatum(at);
		if (query_run(&page_at, values, NULL, false) != 1)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("pool " INT64_FORMAT " has no calendar at %s",
							pool_id, timestamptz_to_str(at))));
		page.span.from = DatumGetTimestampTz(query_value(0, 1, NULL));
		page.span.until = DatumGetTimestampTz(query_value(0, 2, NULL));
		if (page.span.until <= at)
			continue;			/* it was split under us */
		page.capacity = query_value(0, 3, NULL);
		page.booked = query_value(0, 4, NULL);
		page.deficit = query_value(0, 5, NULL);
		page.type = SPI_gettypeid(SPI_tuptable->tupdesc, 3);
		change_page(pool_id, &page, clipped(change, page.span), kind, restore);
		at = page.span.until;
	}
}

/*
 * No provider can have withdrawn more than it supplies, at any instant.  By
 * now the pages are locked, so whoever withdrew at the same time is seen.
 */
static void
check_providers(int64 pool_id)
{
	Datum		key = Int64GetDatum(pool_id);
	ProfileReader missing;
	char	   *provider;

	if (query_run(&overdrawn_provider, &key, NULL, false) == 0)
		return;
	provider = TextDatumGetCString(query_value(0, 1, NULL));
	profile_read(query_value(0, 2, NULL), &missing);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_SUPPLY),
			 errmsg("provider \"%s\" cannot withdraw more than it supplies", provider),
			 errdetail("From %s on, it would be %s too much.",
					   timestamptz_to_str(profile_time(&missing, 0)),
					   DatumGetCString(DirectFunctionCall1(numeric_out,
														   decimal_get_numeric(profile_value(&missing, 0),
																			   missing.scale))))));
}

/*
 * The row of a transition table that has one row.
 */
static HeapTuple
only_row(Tuplestorestate *rows, TupleDesc tupdesc)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsMinimalTuple);
	int			pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	HeapTuple	row;

	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	if (!tuplestore_gettupleslot(rows, true, false, slot))
		elog(ERROR, "transition table is empty");
	row = ExecCopySlotHeapTuple(slot);
	ExecDropSingleTupleTableSlot(slot);
	return row;
}

/*
 * A statement that changed a single row needs no query to tell what that
 * means for the calendar.  Returns false if there are more.
 */
static bool
single_change(TriggerData *trigger, ChangeKind kind, int64 *pool_id, Datum *change)
{
	Tuplestorestate *tables[2];
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);
	int			pool_column = SPI_fnumber(tupdesc, "pool_id");
	int			quantity_column = SPI_fnumber(tupdesc, "quantity");
	int			period_column = SPI_fnumber(tupdesc,
											kind == CHANGE_OF_LEASES ? "effective" : "during");
	bool		found = false;

	tables[0] = trigger->tg_newtable;
	tables[1] = trigger->tg_oldtable;
	for (int i = 0; i < 2; i++)
	{
		if (tables[i] != NULL && tuplestore_tuple_count(tables[i]) != 1)
			return false;
	}
	for (int i = 0; i < 2; i++)
	{
		HeapTuple	row;
		bool		isnull;
		int64		pool;
		Decimal		quantity;
		Datum		rectangle;

		if (tables[i] == NULL)
			continue;
		row = only_row(tables[i], tupdesc);
		pool = DatumGetInt64(heap_getattr(row, pool_column, tupdesc, &isnull));
		quantity = decimal_arg(heap_getattr(row, quantity_column, tupdesc, &isnull), "quantity");
		if (i == 1)
			quantity.mantissa = -quantity.mantissa;
		rectangle = PointerGetDatum(profile_rectangle(span_arg(heap_getattr(row, period_column,
																			tupdesc, &isnull)),
													  quantity));
		if (found && pool != *pool_id)
			return false;
		*change = found ? add(*change, rectangle) : rectangle;
		*pool_id = pool;
		found = true;
	}
	return found;
}

static void
carry_change(int64 pool_id, Datum change, ChangeKind kind, bool restore)
{
	change_calendar(pool_id, change, kind, restore);

	/* even if the pool as a whole lost nothing, a provider may have */
	if (kind == CHANGE_OF_SUPPLY && !restore)
		check_providers(pool_id);
}

/*
 * Anybody can make a trigger on a table of their own; these are for ours.
 */
static void
require_own_table(TriggerData *trigger, const char *table)
{
	Oid			schema = get_namespace_oid("sharecollab", false);

	if (RelationGetRelid(trigger->tg_relation) != get_relname_relid(table, schema))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is a trigger of table sharecollab.%s only", table)));
}

/*
 * The body of both statement triggers: changes of facts become changes of the
 * calendar.
 */
static Datum
carry_changes(FunctionCallInfo fcinfo, SavedQuery *changes, ChangeKind kind)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		restore;
	SPITupleTable *pools;
	uint64		npools;
	int64		pool_id;
	Datum		change;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called as a statement trigger")));
	require_own_table(trigger, kind == CHANGE_OF_LEASES ? "lease" : "supply");
	restore = is_restore(trigger);
	SPI_connect();
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		query_run(kind == CHANGE_OF_LEASES ? &clear_leases : &clear_supply, NULL, NULL, false);
		SPI_finish();
		return PointerGetDatum(NULL);
	}

	if (single_change(trigger, kind, &pool_id, &change))
	{
		carry_change(pool_id, change, kind, restore);
		SPI_finish();
		return PointerGetDatum(NULL);
	}

	SPI_register_trigger_data(trigger);
	npools = query_run(&changes[TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? 0 :
								TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? 1 : 2],
					   NULL, NULL, true);
	pools = SPI_tuptable;
	for (uint64 i = 0; i < npools; i++)
	{
		bool		isnull;

		pool_id = DatumGetInt64(SPI_getbinval(pools->vals[i], pools->tupdesc, 1, &isnull));
		change = SPI_getbinval(pools->vals[i], pools->tupdesc, 2, &isnull);
		carry_change(pool_id, change, kind, restore);
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(calendar_of_leases);
Datum
calendar_of_leases(PG_FUNCTION_ARGS)
{
	return carry_changes(fcinfo, lease_changes, CHANGE_OF_LEASES);
}

PG_FUNCTION_INFO_V1(calendar_of_supply);
Datum
calendar_of_supply(PG_FUNCTION_ARGS)
{
	return carry_changes(fcinfo, supply_changes, CHANGE_OF_SUPPLY);
}

/*
 * A new pool gets a calendar of one empty page.
 */
PG_FUNCTION_INFO_V1(calendar_of_pool);
Datum
calendar_of_pool(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called as a statement trigger")));
	require_own_table((TriggerData *) fcinfo->context, "pool");
	SPI_connect();
	SPI_register_trigger_data((TriggerData *) fcinfo->context);
	query_run(&new_calendars, NULL, NULL, false);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * What all leases of a pool are counted and charged in stays as it is.
 */
PG_FUNCTION_INFO_V1(pool_refuse_change);
Datum
pool_refuse_change(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("unit and currency of a pool cannot be changed"),
			 errhint("Create another pool.")));
	PG_RETURN_NULL();
}
