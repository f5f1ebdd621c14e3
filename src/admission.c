/*
 * admission.c
 *		Admission: what statements mean for the calendar, and whether it can be.
 *
 * The triggers of tables supply, lease, quota and pool are here.  Whatever
 * statement changes those tables (INSERT, UPDATE, DELETE, COPY, MERGE) becomes
 * one profile of changes per node of the calendar, which is added to the pages
 * that it touches.
 *
 * Nodes form a tree: the quotas of a pool, the pool, its parent, and so on.
 * Each tells the next one above how much it has and how much it takes:
 *
 *		a quota		has a limit (own, and what it may borrow); of the pool it
 *					takes what is booked, and at least what it does not lend
 *		a pool		has what is supplied to it and what its children lend; it
 *					gives to its parent what it lends, and takes of it what is
 *					booked beyond the rest, which it keeps
 *
 * (This is the recursion of Kueue's cohorts, with profiles in place of numbers,
 * hence over future time.)  A budget is a quota of unit-hours: its node has one
 * page, on which the hours used during the window stand as the quantity booked.
 *
 * Why there are no deadlocks within one statement: nodes are visited in one
 * order (pools from the deepest up, by id, quotas before their pool), the pages
 * of a node in order of time, and all are locked before one is written.
 *
 * Deficit is what is booked beyond capacity and allowance, because supply was
 * withdrawn under existing leases or a limit lowered.  Leases never raise it.
 */
#include "postgres.h"

#include "compat.h"
#include "access.h"
#include "access/table.h"
#include "access/xact.h"
#include "calendar.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "guard.h"
#include "miscadmin.h"
#include "progress.h"
#include "query.h"
#include "table.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* deeper trees are a mistake, and longer circles too */
#define MAX_DEPTH		32

/* "no limit": more than anybody has, and still exact with 8 decimal places */
#define NO_LIMIT		INT64CONST(10000000000)

/* what may give way where there is not enough */
typedef enum ChangeKind
{
	CHANGE_OF_LEASES,			/* the change */
	CHANGE_OF_SUPPLY			/* the leases: they come to be in deficit */
} ChangeKind;

/* a pool, as far as admission has to know */
typedef struct Pool
{
	int64		pool_id;
	int			depth;			/* 0 without a parent */
	struct Pool *parent;
	bool		lends_all;
	Decimal		lend;
	bool		borrows_all;
	Decimal		borrow;
	bool		overbooks;
	Datum		overbooking;	/* numeric */

	/* what is to be done, profiles */
	bool		changed;
	Datum		booked;
	Datum		capacity;
	Span		lock;			/* or what is only to be locked */
	struct Pool *asked;			/* the pool that the change is for: this or a child */
	List	   *consumers;		/* of ConsumerChange */
} Pool;

/* the leases of one consumer, where they may touch its quotas */
typedef struct ConsumerChange
{
	int64		consumer_id;
	Datum		booked;
} ConsumerChange;

typedef struct Quota
{
	int64		quota_id;
	Span		during;
	bool		is_budget;
	Decimal		own;			/* or the budget */
	bool		borrows_all;
	Decimal		borrow;
	Decimal		kept;			/* of its own, what it does not lend */
	ConsumerChange *consumer;	/* whose change it has to see */
} Quota;

typedef struct PlannedPage
{
	CalendarPage page;
	int			old_steps;
	bool		last;			/* of its node */
} PlannedPage;

/* one statement's */
typedef struct Admission
{
	Calendar   *calendar;
	ChangeKind	kind;
	bool		restore;		/* nothing is refused */
	bool		lock_only;
	bool		ignore_quotas;
	TriggerData *trigger;		/* or NULL */
	List	   *pools;			/* of Pool */
	List	   *plan;			/* of PlannedPage */

	bool		new_leases;		/* there are transition rows of leases */

	/* if it is about one new lease, what was wished for; for a refusal */
	bool		has_wish;
	int64		wish_consumer;
	int64		wish_lease;
	Decimal		wish_quantity;
	Span		wish_span;
	int64		wish_buffer;	/* what has to be free after it, microseconds */
	Decimal		held_quantity;	/* what it holds, if it is to be changed */
	Span		held_span;
} Admission;

/* which node is short */
typedef struct CalendarNode
{
	Pool	   *pool;
	Quota	   *quota;			/* or NULL */
	int64		consumer_id;
} CalendarNode;

/* the changes of one statement, as one profile per pool and consumer */
#define LEASE_LOAD(sign) \
	"sharecollab.load_profile(sharecollab.occupied(effective, buffer), " sign "quantity)"

static SavedQuery lease_changes[] = {
	{.sql = "SELECT pool_id, consumer_id, " LEASE_LOAD("")
	 " FROM new_rows GROUP BY pool_id, consumer_id"},
	{.sql = "SELECT pool_id, consumer_id, " LEASE_LOAD("-")
	 " FROM old_rows GROUP BY pool_id, consumer_id"},
	{.sql = "SELECT pool_id, consumer_id, " LEASE_LOAD("") " FROM"
	 " (SELECT pool_id, consumer_id, effective, buffer, quantity FROM new_rows"
	 " UNION ALL SELECT pool_id, consumer_id, effective, buffer, -quantity FROM old_rows) AS changed"
	 " GROUP BY pool_id, consumer_id"}
};

static SavedQuery supply_changes[] = {
	{.sql = "SELECT pool_id, 0::bigint, sharecollab.load_profile(during, quantity)"
	 " FROM new_rows GROUP BY pool_id"},
	{.sql = "SELECT pool_id, 0::bigint, sharecollab.load_profile(during, -quantity)"
	 " FROM old_rows GROUP BY pool_id"},
	{.sql = "SELECT pool_id, 0::bigint, sharecollab.load_profile(during, quantity) FROM"
	 " (SELECT pool_id, during, quantity FROM new_rows"
	 " UNION ALL SELECT pool_id, during, -quantity FROM old_rows) AS changed"
	 " GROUP BY pool_id"}
};

/*
 * Unit-hours of a budget's window; each lease's are rounded, so that they can
 * be given back exactly as they were taken.
 */
#define LEASE_HOURS \
	"pg_catalog.round(sharecollab.integral(sharecollab.profile(effective, quantity), $3), 6)"
#define OF_CONSUMER " WHERE pool_id = $1 AND consumer_id = $2 AND effective && $3"

static SavedQuery budget_changes[] = {
	{.sql = "SELECT pg_catalog.sum(" LEASE_HOURS ") FROM new_rows" OF_CONSUMER,
	 .nparams = 3, .types = {INT8OID, INT8OID, TSTZRANGEOID}},
	{.sql = "SELECT -pg_catalog.sum(" LEASE_HOURS ") FROM old_rows" OF_CONSUMER,
	 .nparams = 3, .types = {INT8OID, INT8OID, TSTZRANGEOID}},
	{.sql = "SELECT pg_catalog.sum(hours) FROM (SELECT " LEASE_HOURS " AS hours FROM new_rows" OF_CONSUMER
	 " UNION ALL SELECT -" LEASE_HOURS " FROM old_rows" OF_CONSUMER ") AS changed",
	 .nparams = 3, .types = {INT8OID, INT8OID, TSTZRANGEOID}}
};

static SavedQuery budget_used = {
	.sql = "SELECT pg_catalog.sum(" LEASE_HOURS ") FROM sharecollab.lease" OF_CONSUMER,
	.nparams = 3, .types = {INT8OID, INT8OID, TSTZRANGEOID}
};

static SavedQuery budget_of_lease = {
	.sql = "SELECT pg_catalog.round(sharecollab.integral(sharecollab.profile($1, $2), $3), 6)",
	.nparams = 3, .types = {TSTZRANGEOID, NUMERICOID, TSTZRANGEOID}
};

static SavedQuery leases_of_consumer = {
	.sql = "SELECT " LEASE_LOAD("") " FROM sharecollab.lease WHERE pool_id = $1 AND consumer_id = $2",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

static SavedQuery all_leases = {
	.sql = "SELECT pool_id, 0::bigint, " LEASE_LOAD("") " FROM sharecollab.lease"
	" WHERE pool_id = ANY ($1) GROUP BY pool_id",
	.nparams = 1, .types = {INT8ARRAYOID}
};

static SavedQuery all_supply = {
	.sql = "SELECT pool_id, 0::bigint, sharecollab.load_profile(during, quantity)"
	" FROM sharecollab.supply WHERE pool_id = ANY ($1) GROUP BY pool_id",
	.nparams = 1, .types = {INT8ARRAYOID}
};

#define QUOTA_COLUMNS "pool_id, party_id, quota_id, during, own, borrow, lend, budget"

static SavedQuery all_quotas = {
	.sql = "SELECT " QUOTA_COLUMNS " FROM sharecollab.quota"
	" WHERE pool_id = ANY ($1) ORDER BY pool_id, quota_id",
	.nparams = 1, .types = {INT8ARRAYOID}
};

static SavedQuery old_quotas = {
	.sql = "SELECT " QUOTA_COLUMNS " FROM old_rows ORDER BY pool_id, quota_id"
};

static SavedQuery new_quotas = {
	.sql = "SELECT " QUOTA_COLUMNS " FROM new_rows ORDER BY pool_id, quota_id"
};

static SavedQuery overlapping_quota = {
	.sql = "SELECT a.quota_id, p.name, c.name FROM sharecollab.quota AS a"
	" JOIN sharecollab.quota AS b ON b.pool_id = a.pool_id AND b.party_id = a.party_id"
	" AND b.quota_id < a.quota_id AND b.own IS NOT NULL AND a.during && b.during"
	" JOIN sharecollab.pool AS p ON p.pool_id = a.pool_id"
	" JOIN sharecollab.party AS c ON c.party_id = a.party_id"
	" WHERE a.pool_id = $1 AND a.party_id = $2 AND a.own IS NOT NULL LIMIT 1",
	.nparams = 2, .types = {INT8OID, INT8OID}
};

/* an empty page for each pool; what may be borrowed is there from the start */
#define EMPTY_PAGES \
	"INSERT INTO sharecollab.calendar (pool_id, starts, ends, allowance)" \
	" SELECT pool_id, '-infinity', 'infinity', CASE WHEN parent_id IS NULL THEN '{}'" \
	" ELSE sharecollab.profile(coalesce(borrow, 10000000000)) END FROM "

static SavedQuery pages_of_new_pools = {.sql = EMPTY_PAGES "new_rows"};

static SavedQuery pages_of_pools = {
	.sql = EMPTY_PAGES "sharecollab.pool WHERE pool_id = ANY ($1)",
	.nparams = 1, .types = {INT8ARRAYOID}
};

/* all pools that hang together with some, whatever the parents were before */
static SavedQuery trees = {
	.sql = "WITH RECURSIVE up AS ("
	" SELECT pool_id, parent_id FROM sharecollab.pool WHERE pool_id = ANY ($1)"
	" UNION SELECT p.pool_id, p.parent_id FROM sharecollab.pool AS p JOIN up ON p.pool_id = up.parent_id"
	"), down AS ("
	" SELECT pool_id FROM up"
	" UNION SELECT p.pool_id FROM sharecollab.pool AS p JOIN down ON p.parent_id = down.pool_id"
	") SELECT pg_catalog.array_agg(pool_id) FROM down",
	.nparams = 1, .types = {INT8ARRAYOID}
};

static SavedQuery changed_pools = {
	.sql = "SELECT pg_catalog.array_agg(id) FROM (SELECT n.pool_id FROM new_rows AS n"
	" JOIN old_rows AS o USING (pool_id)"
	" WHERE (n.parent_id, n.borrow, n.lend, n.overbooking) IS DISTINCT FROM"
	" (o.parent_id, o.borrow, o.lend, o.overbooking)"
	" UNION SELECT o.parent_id FROM new_rows AS n JOIN old_rows AS o USING (pool_id)"
	" WHERE n.parent_id IS DISTINCT FROM o.parent_id AND o.parent_id IS NOT NULL) AS c (id)"
};

static SavedQuery new_children = {.sql = "SELECT pool_id FROM new_rows WHERE parent_id IS NOT NULL"};

static SavedQuery every_pool = {
	.sql = "SELECT pg_catalog.array_agg(pool_id) FROM sharecollab.pool"
};

static SavedQuery pool_name = {
	.sql = "SELECT name, unit FROM sharecollab.pool WHERE pool_id = $1",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery party_name = {
	.sql = "SELECT name FROM sharecollab.party WHERE party_id = $1",
	.nparams = 1, .types = {INT8OID}
};

/*
 * Who refuses holds locks on pages, so that a refusal must not take long: of a
 * pool's leases only the newest are looked at.
 */
#define NEWEST_LEASES	"10000"

static SavedQuery blocking_leases = {
	.sql = "SELECT pg_catalog.string_agg(lease_id::text, ', ' ORDER BY quantity DESC, lease_id)"
	" FILTER (WHERE n <= 3), pg_catalog.count(*), pg_catalog.bool_or(looked_at = " NEWEST_LEASES ")"
	" FROM (SELECT lease_id, quantity, looked_at,"
	" pg_catalog.row_number() OVER (ORDER BY quantity DESC, lease_id) AS n"
	" FROM (SELECT newest.*, pg_catalog.count(*) OVER () AS looked_at"
	" FROM (SELECT lease_id, consumer_id, quantity, effective, buffer FROM sharecollab.lease"
	" WHERE pool_id = $1 ORDER BY pool_id DESC, lease_id DESC LIMIT " NEWEST_LEASES ") AS newest) AS counted"
	" WHERE ($2 = 0 OR consumer_id = $2) AND lease_id <> ALL ($4)"
	" AND sharecollab.occupied(effective, buffer) @> $3) AS l",
	.nparams = 4, .types = {INT8OID, INT8OID, TIMESTAMPTZOID, INT8ARRAYOID}
};

static SavedQuery new_leases = {.sql = "SELECT pg_catalog.array_agg(lease_id) FROM new_rows"};

/* within a time that ends at $9, if not at the pool's horizon */
static SavedQuery earliest_start = {
	.sql = "SELECT pg_catalog.lower(f.during), $7::text FROM sharecollab.earliest_fit("
	"sharecollab.availability($1, pg_catalog.tstzrange($4, $9), $2, NULL,"
	" '{}'::sharecollab.profile OPERATOR(sharecollab.-) sharecollab.profile($5, $6)),"
	" $3, $7 + $8, (SELECT pg_catalog.tstzrange($4, LEAST($9,"
	" CASE WHEN p.horizon IS NOT NULL THEN GREATEST($4, pg_catalog.now() + p.horizon + $8) END))"
	" FROM sharecollab.pool AS p WHERE p.name = $1)) AS f (during)",
	.nparams = 9, .types = {TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TSTZRANGEOID, NUMERICOID,
	INTERVALOID, INTERVALOID, TIMESTAMPTZOID}
};

/* days after the wish in which to look for an alternative, then in all of the future */
static const int alternative_days[] = {1, 10, 100};

/* for good: after the last time that there is less */
static SavedQuery earliest_open_start = {
	.sql = "SELECT CASE WHEN NOT bool_or(pg_catalog.upper_inf(s.period)) THEN max(pg_catalog.upper(s.period)) END"
	" FROM sharecollab.steps(sharecollab.availability($1, pg_catalog.tstzrange($4, NULL), $2, NULL,"
	" '{}'::sharecollab.profile OPERATOR(sharecollab.-) sharecollab.profile($5, $6)),"
	" pg_catalog.tstzrange($4, NULL)) AS s WHERE s.quantity < $3",
	.nparams = 6, .types = {TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TSTZRANGEOID, NUMERICOID}
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

static Datum
no_profile(void)
{
	Span		never = {0, 0};
	Decimal		zero = {0, 0};

	return rectangle(never, zero);
}

static char *
decimal_text(int64 mantissa, int scale)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, decimal_get_numeric(mantissa, scale)));
}

/* ----------
 * Refusals
 * ----------
 */

static char *
name_of(SavedQuery *query, int64 id)
{
	Datum		key = Int64GetDatum(id);

	if (query_run(query, &key, NULL, false) == 0)
		return psprintf(INT64_FORMAT, id);
	return TextDatumGetCString(query_value(0, 1, NULL));
}

/*
 * Who holds the pool at an instant, for those who may know.
 */
static char *
blockers(const Admission *admission, const CalendarNode *node, TimestampTz at)
{
	Datum		values[4];
	bool		isnull;
	char	   *leases;
	int64		count;

	/* the rows of a statement with several would stand in their own way */
	if ((!admission->has_wish && !admission->new_leases) ||
		!((pool_roles(node->pool->pool_id) & POOL_OVERSEER) || (node->quota && acts_for(node->consumer_id))))
		return "";
	values[0] = Int64GetDatum(node->pool->pool_id);
	values[1] = Int64GetDatum(node->quota ? node->consumer_id : 0);
	values[2] = TimestampTzGetDatum(at);
	/* what is wished for is not in its own way */
	if (admission->has_wish)
	{
		values[3] = Int64GetDatum(admission->wish_lease);
		values[3] = PointerGetDatum(construct_array(&values[3], 1, INT8OID, sizeof(int64),
													FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	}
	else
	{
		query_run(&new_leases, NULL, NULL, true);
		values[3] = query_value(0, 1, NULL);
	}
	query_run(&blocking_leases, values, NULL, false);
	count = DatumGetInt64(query_value(0, 2, NULL));
	query_value(0, 1, &isnull);
	if (isnull)
		return "";
	leases = TextDatumGetCString(query_value(0, 1, NULL));
	if (DatumGetBool(query_value(0, 3, NULL)))
		return count <= 3 ? psprintf(" Leases %s and perhaps older ones are in the way.", leases) :
			psprintf(" Leases %s and at least " INT64_FORMAT " more are in the way.", leases, count - 3);
	if (count == 1)
		return psprintf(" Lease %s is in the way.", leases);
	if (count <= 3)
		return psprintf(" Leases %s are in the way.", leases);
	return psprintf(" Leases %s and " INT64_FORMAT " more are in the way.", leases, count - 3);
}

/*
 * When what was wished for could be had, or NULL.
 */
static char *
alternative(const Admission *admission, const char *name, const char *unit)
{
	Datum		values[9];
	Interval	duration = {0};
	Interval	buffer = {0};
	bool		open_ended = admission->wish_span.until == DT_NOEND;
	bool		isnull;
	char	   *quantity;
	const char *start;
	int			n = 0;

	if (!admission->has_wish)
		return NULL;
	values[n++] = CStringGetTextDatum(name);
	values[n++] = CStringGetTextDatum(name_of(&party_name, admission->wish_consumer));
	values[n++] = decimal_get_numeric(admission->wish_quantity.mantissa, admission->wish_quantity.scale);
	values[n++] = TimestampTzGetDatum(admission->wish_span.from);
	values[n++] = span_get_range(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), admission->held_span);
	values[n++] = decimal_get_numeric(admission->held_quantity.mantissa, admission->held_quantity.scale);
	if (!open_ended)
	{
		duration.time = admission->wish_span.until - admission->wish_span.from;
		buffer.time = admission->wish_buffer;
		values[n++] = IntervalPGetDatum(&duration);
		values[n++] = IntervalPGetDatum(&buffer);
	}

	/* what can be had soon is found soon; without an end, it takes all of the future */
	isnull = true;
	for (size_t i = open_ended ? lengthof(alternative_days) : 0; isnull && i <= lengthof(alternative_days); i++)
	{
		TimestampTz until = admission->wish_span.until;

		if (i == lengthof(alternative_days) ||
			pg_add_s64_overflow(until, admission->wish_buffer + alternative_days[i] * USECS_PER_DAY, &until) ||
			until >= END_TIMESTAMP)
			until = DT_NOEND;
		values[n] = TimestampTzGetDatum(until);
		query_run(open_ended ? &earliest_open_start : &earliest_start, values, NULL, false);
		query_value(0, 1, &isnull);
	}
	if (isnull)
		return NULL;
	quantity = decimal_text(admission->wish_quantity.mantissa, admission->wish_quantity.scale);
	start = timestamptz_to_str(DatumGetTimestampTz(query_value(0, 1, NULL)));
	if (open_ended)
		return psprintf("%s %s can be had from %s on, without an end.", quantity, unit, start);
	return psprintf("%s %s for %s can be had from %s on.", quantity, unit,
					TextDatumGetCString(query_value(0, 2, NULL)), start);
}

/*
 * Say what is missing: the first step of a profile that is above zero.
 */
static void
refuse(Admission *admission, const CalendarNode *node, Datum missing)
{
	ProfileReader reader;
	char	   *quantity;
	char	   *asked;
	char	   *unit;
	char	   *hint;
	TimestampTz at;
	Datum		key = Int64GetDatum(node->pool->asked->pool_id);

	profile_read(missing, &reader);
	Assert(reader.n > 0);
	at = profile_time(&reader, 0);
	quantity = decimal_text(profile_value(&reader, 0), reader.scale);
	query_run(&pool_name, &key, NULL, false);
	asked = TextDatumGetCString(query_value(0, 1, NULL));
	unit = TextDatumGetCString(query_value(0, 2, NULL));

	query_hide_context();
	if (node->quota && node->quota->is_budget)
		ereport(ERROR,
				(errcode(ERRCODE_QUOTA_EXCEEDED),
				 errmsg("budget of party \"%s\" in pool \"%s\" exceeded",
						name_of(&party_name, node->consumer_id), asked),
				 errdetail("For the time from %s on, %s %s hours more would be needed.",
						   timestamptz_to_str(at), quantity, unit)));
	hint = pool_roles(node->pool->asked->pool_id) ? alternative(admission, asked, unit) : NULL;
	if (node->quota)
		ereport(ERROR,
				(errcode(ERRCODE_QUOTA_EXCEEDED),
				 errmsg("quota of party \"%s\" in pool \"%s\" exceeded",
						name_of(&party_name, node->consumer_id), asked),
				 errdetail("From %s on, %s %s more would be needed.%s",
						   timestamptz_to_str(at), quantity, unit, blockers(admission, node, at)),
				 hint ? errhint("%s", hint) : 0));
	/* whoever may not know of the parent hears of the pool that was asked for */
	if (node->pool != node->pool->asked && pool_roles(node->pool->pool_id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_CAPACITY),
				 errmsg("not enough capacity in pool \"%s\"", name_of(&pool_name, node->pool->pool_id)),
				 errdetail("From %s on, %s %s more would be needed for pool \"%s\", which borrows from it.%s",
						   timestamptz_to_str(at), quantity, unit, asked, blockers(admission, node, at)),
				 hint ? errhint("%s", hint) : 0));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_CAPACITY),
			 errmsg("not enough capacity in pool \"%s\"", asked),
			 errdetail("From %s on, %s %s more would be needed.%s",
					   timestamptz_to_str(at), quantity, unit, blockers(admission, node, at)),
			 hint ? errhint("%s", hint) :
			 errhint("availability() shows how much of the pool is free, and when.")));
}

/* ----------
 * The tree
 * ----------
 */

static Decimal
decimal_column(TableRow *row, const char *name, bool *isnull)
{
	Decimal		none = {0, 0};
	Datum		value = row_column(row, name, isnull);

	return *isnull ? none : decimal_arg(value, name);
}

/*
 * A pool with its ancestors.
 */
static Pool *
find_pool(Admission *admission, int64 pool_id, int length)
{
	ListCell   *cell;
	Pool	   *pool;
	ScanKeyData key;
	TableRow	row;
	bool		isnull;

	foreach(cell, admission->pools)
	{
		pool = lfirst(cell);
		if (pool->pool_id == pool_id)
			return pool;
	}
	if (length > MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pools are nested too deeply"),
				 errdetail("A pool has at most %d ancestors, and is not among them itself.", MAX_DEPTH)));

	pool = palloc0(sizeof(Pool));
	pool->pool_id = pool_id;
	pool->booked = pool->capacity = no_profile();
	key_int8(&key, 1, pool_id);
	row_open(&row, "pool", "pool_pkey", GetLatestSnapshot(), &key, 1);
	if (row_next(&row))
	{
		Datum		parent = row_column(&row, "parent_id", &isnull);
		Decimal		overbooking;

		if (!isnull)
		{
			pool->parent = find_pool(admission, DatumGetInt64(parent), length + 1);
			pool->depth = pool->parent->depth + 1;
		}
		pool->lend = decimal_column(&row, "lend", &pool->lends_all);
		pool->borrow = decimal_column(&row, "borrow", &pool->borrows_all);
		overbooking = decimal_column(&row, "overbooking", &isnull);
		pool->overbooks = decimal_cmp(overbooking.mantissa, overbooking.scale, 1, 0) != 0;
		if (pool->overbooks)
			pool->overbooking = decimal_get_numeric(overbooking.mantissa, overbooking.scale);
	}
	row_close(&row);
	admission->pools = lappend(admission->pools, pool);
	return pool;
}

/* order of visits: children before their parents */
static int
compare_pools(const ListCell *a, const ListCell *b)
{
	const Pool *x = lfirst(a);
	const Pool *y = lfirst(b);

	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return x->pool_id < y->pool_id ? -1 : x->pool_id > y->pool_id;
}

static Quota
make_quota(int64 quota_id, Datum during, Decimal own, bool has_own, Decimal borrow, bool has_borrow,
		   Decimal lend, bool has_lend, Decimal budget)
{
	Quota		quota = {0};

	quota.quota_id = quota_id;
	quota.during = span_arg(during);
	quota.is_budget = !has_own;
	quota.own = has_own ? own : budget;
	quota.borrows_all = !has_borrow;
	quota.borrow = borrow;
	if (has_own && has_lend)
	{
		int			scale = Max(own.scale, lend.scale);
		int64		a;
		int64		b;

		if (!decimal_rescale(own.mantissa, own.scale, scale, &a) ||
			!decimal_rescale(lend.mantissa, lend.scale, scale, &b))
			decimal_overflow();
		quota.kept.mantissa = Max(a - b, 0);
		quota.kept.scale = scale;
	}
	return quota;
}

/*
 * The quotas of a consumer in a pool.  Whoever makes one holds up all changes
 * of the calendar meanwhile (see calendar_of_quotas), so there is none that we
 * should see and do not.
 */
static List *
find_quotas(int64 pool_id, ConsumerChange *consumer)
{
	ScanKeyData keys[2];
	TableRow	row;
	List	   *quotas = NIL;

	key_int8(keys, 1, consumer->consumer_id);
	key_int8(keys, 2, pool_id);
	row_open(&row, "quota", "quota_party_id_pool_id_idx", GetLatestSnapshot(), keys, 2);
	while (row_next(&row))
	{
		Quota	   *quota = palloc(sizeof(Quota));
		bool		no_own;
		bool		no_borrow;
		bool		no_lend;
		bool		isnull;
		Decimal		own = decimal_column(&row, "own", &no_own);
		Decimal		borrow = decimal_column(&row, "borrow", &no_borrow);
		Decimal		lend = decimal_column(&row, "lend", &no_lend);
		Decimal		budget = decimal_column(&row, "budget", &isnull);

		*quota = make_quota(DatumGetInt64(row_column(&row, "quota_id", &isnull)),
							row_column(&row, "during", &isnull),
							own, !no_own, borrow, !no_borrow, lend, !no_lend, budget);
		quota->consumer = consumer;
		quotas = lappend(quotas, quota);
	}
	row_close(&row);
	return quotas;
}

static int
compare_quotas(const ListCell *a, const ListCell *b)
{
	const Quota *x = lfirst(a);
	const Quota *y = lfirst(b);

	return x->quota_id < y->quota_id ? -1 : x->quota_id > y->quota_id;
}

/* ----------
 * Changes
 * ----------
 */

/* From the first instant that a change says something about to the last. */
static Span
support(Datum change)
{
	ProfileReader reader;
	Span		span = {0, 0};

	profile_read(change, &reader);
	if (reader.n > 0)
	{
		span.from = profile_time(&reader, 0);
		span.until = profile_value(&reader, reader.n - 1) == 0 ?
			profile_time(&reader, reader.n - 1) : DT_NOEND;
	}
	return span;
}

static Span
span_union(Span a, Span b)
{
	if (SPAN_IS_EMPTY(a))
		return b;
	if (SPAN_IS_EMPTY(b))
		return a;
	a.from = Min(a.from, b.from);
	a.until = Max(a.until, b.until);
	return a;
}

static Span
span_intersection(Span a, Span b)
{
	a.from = Max(a.from, b.from);
	a.until = Min(a.until, b.until);
	return a;
}

/* What a pool gives to its parent. */
static Datum
lent(const Pool *pool, const CalendarPage *page)
{
	return pool->lends_all ? page->capacity : lesser(page->capacity, rectangle(page->span, pool->lend));
}

/*
 * What it takes of it: never more than it gives and may borrow.  The rest of
 * what is booked is overbooked, or in deficit, and not there at all.
 */
static Datum
taken_of_parent(const Pool *pool, const CalendarPage *page)
{
	Datum		gives = lent(pool, page);
	Datum		taken = positive(subtract(page->booked, subtract(page->capacity, gives)));

	return pool->borrows_all ? taken : lesser(taken, add(gives, rectangle(page->span, pool->borrow)));
}

/* What a quota takes of its pool. */
static Datum
taken_of_pool(const Quota *quota, const CalendarPage *page)
{
	Span		span = span_intersection(quota->during, page->span);

	return greater(page->booked, rectangle(span, quota->kept));
}

static void
lock_page(Admission *admission, const CalendarNode *node, TimestampTz at, CalendarPage *page)
{
	if (!calendar_lock_page(admission->calendar, node->pool->pool_id,
							node->quota ? node->quota->quota_id : WHOLE_POOL, at, page))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pool " INT64_FORMAT " has no calendar at %s",
						node->pool->pool_id, timestamptz_to_str(at)),
				 errhint("rebuild_calendar() makes it again from supply, leases and quotas.")));
}

/*
 * Plan to add changes of what is booked and of the capacity to the pages of a
 * node, or refuse.  Returns by how much the node takes and gives more of and to
 * the next one above.
 */
static void
change_node(Admission *admission, const CalendarNode *node, Datum booked, Datum capacity, Span lock,
			Datum *up_booked, Datum *up_capacity)
{
	Pool	   *pool = node->pool;
	Quota	   *quota = node->quota;
	bool		linear = quota ? quota->kept.mantissa == 0 :
		!pool->parent || (pool->lends_all && pool->borrows_all);
	Datum		allowance = no_profile();
	bool		supply = admission->kind == CHANGE_OF_SUPPLY || !is_zero(capacity) || admission->restore;
	Span		change = span_union(support(booked), support(capacity));
	Span		span = admission->lock_only ? lock : change;
	TimestampTz at;
	PlannedPage *planned = NULL;

	if (pool->overbooks && !quota && !is_zero(capacity))
		allowance = subtract(DirectFunctionCall2(profile_multiply_numeric, capacity, pool->overbooking),
							 capacity);
	*up_booked = linear ? booked : no_profile();
	*up_capacity = linear ? capacity : no_profile();

	/*
	 * Changes of a pool's supply follow each other, whatever pages they touch:
	 * what its providers have left must not change while check_providers() looks.
	 */
	if (admission->kind == CHANGE_OF_SUPPLY && pool->asked == pool)
	{
		CalendarPage first;

		lock_page(admission, node, DT_NOBEGIN, &first);
	}

	for (at = span.from; at < span.until; at = planned->page.span.until)
	{
		CalendarPage old;
		CalendarPage *page;
		Datum		limit;

		CHECK_FOR_INTERRUPTS();
		planned = palloc(sizeof(PlannedPage));
		page = &planned->page;
		lock_page(admission, node, at, page);
		if (admission->lock_only)
			continue;
		old = *page;
		page->booked = add(page->booked, clipped(booked, page->span));
		page->capacity = add(page->capacity, clipped(capacity, page->span));
		page->allowance = add(page->allowance, clipped(allowance, page->span));
		limit = add(page->capacity, page->allowance);
		if (supply)
			page->deficit = positive(subtract(page->booked, limit));
		else
		{
			Datum		allowed = add(limit, page->deficit);

			if (!at_most(page->booked, allowed))
				refuse(admission, node, positive(subtract(page->booked, allowed)));

			/* where leases went, there is less deficit; it must not admit others */
			page->deficit = lesser(page->deficit, positive(subtract(page->booked, limit)));
		}
		if (!linear && quota)
			*up_booked = add(*up_booked, subtract(taken_of_pool(quota, page), taken_of_pool(quota, &old)));
		else if (!linear)
		{
			*up_booked = add(*up_booked, subtract(taken_of_parent(pool, page), taken_of_parent(pool, &old)));
			*up_capacity = add(*up_capacity, subtract(lent(pool, page), lent(pool, &old)));
		}
		planned->old_steps = calendar_page_steps(&old);
		planned->last = false;
		admission->plan = lappend(admission->plan, planned);
	}
	if (planned && !admission->lock_only)
		planned->last = true;
}

/*
 * A statement's change of what a budget has left.
 */
static Datum
budget_change(Admission *admission, int64 pool_id, int64 consumer_id, const Quota *quota)
{
	TriggerData *trigger = admission->trigger;
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	Datum		values[3];
	bool		isnull;
	Decimal		hours;

	if (trigger == NULL)
	{
		values[0] = span_get_range(type, admission->wish_span);
		values[1] = decimal_get_numeric(admission->wish_quantity.mantissa, admission->wish_quantity.scale);
		values[2] = span_get_range(type, quota->during);
		query_run(&budget_of_lease, values, NULL, true);
		hours = decimal_arg(query_value(0, 1, NULL), "budget");
		return rectangle(quota->during, hours);
	}

	values[0] = Int64GetDatum(pool_id);
	values[1] = Int64GetDatum(consumer_id);
	values[2] = span_get_range(type, quota->during);
	query_run(&budget_changes[TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? 0 :
							  TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? 1 : 2],
			  values, NULL, true);
	query_value(0, 1, &isnull);
	if (isnull)
		return no_profile();
	hours = decimal_arg(query_value(0, 1, NULL), "budget");
	return rectangle(quota->during, hours);
}

/*
 * What the leases of consumers mean for their pool, once their quotas have
 * seen them.
 */
static void
change_quotas(Admission *admission, Pool *pool)
{
	List	   *quotas = NIL;
	ListCell   *cell;

	foreach(cell, pool->consumers)
	{
		ConsumerChange *change = lfirst(cell);

		pool->booked = add(pool->booked, change->booked);
		quotas = list_concat(quotas, find_quotas(pool->pool_id, change));
	}
	list_sort(quotas, compare_quotas);
	foreach(cell, quotas)
	{
		Quota	   *quota = lfirst(cell);
		ConsumerChange *change = quota->consumer;
		CalendarNode node = {pool, quota, change->consumer_id};
		Span		lock = span_intersection(pool->lock, quota->during);
		Datum		booked = no_profile();
		Datum		up_booked;
		Datum		up_capacity;

		if (admission->lock_only)
			;
		else if (quota->is_budget)
			booked = budget_change(admission, pool->pool_id, change->consumer_id, quota);
		else
			booked = clipped(change->booked, quota->during);
		change_node(admission, &node, booked, no_profile(), lock, &up_booked, &up_capacity);
		if (!quota->is_budget)
			pool->booked = add(pool->booked, subtract(up_booked, booked));
	}
}

/*
 * Carry all changes into the calendar: plan them all, then write.
 */
static void
admit(Admission *admission)
{
	ListCell   *cell;

	list_sort(admission->pools, compare_pools);
	foreach(cell, admission->pools)
	{
		Pool	   *pool = lfirst(cell);
		CalendarNode node = {pool, NULL, 0};
		Datum		up_booked;
		Datum		up_capacity;

		if (!pool->changed)
			continue;
		change_quotas(admission, pool);
		change_node(admission, &node, pool->booked, pool->capacity, pool->lock, &up_booked, &up_capacity);
		if (pool->parent)
		{
			if (!pool->parent->changed)
				pool->parent->asked = pool->asked;
			pool->parent->booked = add(pool->parent->booked, up_booked);
			pool->parent->capacity = add(pool->parent->capacity, up_capacity);
			pool->parent->lock = span_union(pool->parent->lock, pool->lock);
			pool->parent->changed = true;
		}
	}
	foreach(cell, admission->plan)
	{
		PlannedPage *planned = lfirst(cell);

		calendar_write_page(admission->calendar, &planned->page,
							planned->last && calendar_page_steps(&planned->page) < planned->old_steps);
	}
	CommandCounterIncrement();
}

/* Quotas are read, but the calendar is locked after them: as TRUNCATE does. */
static void
lock_quotas(void)
{
	table_close(open_own_table("quota", AccessShareLock), NoLock);
}

/* Keep everybody else from the calendar. */
static void
close_calendar(void)
{
	lock_quotas();
	table_close(open_own_table("calendar", ShareRowExclusiveLock), NoLock);
}

static Admission *
admission_new(ChangeKind kind, LOCKMODE lockmode)
{
	Admission  *admission = palloc0(sizeof(Admission));

	lock_quotas();
	admission->kind = kind;
	admission->calendar = calendar_open(lockmode);
	return admission;
}

static void
change_pool(Admission *admission, int64 pool_id, int64 consumer_id, Datum change)
{
	Pool	   *pool = find_pool(admission, pool_id, 0);

	pool->changed = true;
	pool->asked = pool;
	if (admission->kind == CHANGE_OF_SUPPLY)
		pool->capacity = add(pool->capacity, change);
	else if (admission->ignore_quotas)
		pool->booked = add(pool->booked, change);
	else
	{
		ListCell   *cell;
		ConsumerChange *consumer;

		foreach(cell, pool->consumers)
		{
			consumer = lfirst(cell);
			if (consumer->consumer_id == consumer_id)
			{
				consumer->booked = add(consumer->booked, change);
				return;
			}
		}
		consumer = palloc(sizeof(ConsumerChange));
		consumer->consumer_id = consumer_id;
		consumer->booked = change;
		pool->consumers = lappend(pool->consumers, consumer);
	}
}

/* All rows (pool, consumer, change) of a query. */
static void
change_pools(Admission *admission, SavedQuery *query, const Datum *values, bool read_only)
{
	uint64		n = query_run(query, values, NULL, read_only);
	SPITupleTable *rows = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		change_pool(admission,
					DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)),
					DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull)),
					SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull));
	}
}

/*
 * No provider can have withdrawn more than it supplies, at any instant.  By
 * now the first page is locked, so whoever withdrew at the same time is done,
 * and is seen at any isolation level.
 */
static void
check_providers(int64 pool_id)
{
	Datum		key = Int64GetDatum(pool_id);
	ProfileReader missing;
	char	   *provider;

	if (query_latest(&overdrawn_provider, &key) == 0)
		return;
	provider = TextDatumGetCString(query_value(0, 1, NULL));
	profile_read(query_value(0, 2, NULL), &missing);
	query_hide_context();
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_SUPPLY),
			 errmsg("provider \"%s\" cannot withdraw more than it supplies", provider),
			 errdetail("From %s on, it would be %s too much.",
					   timestamptz_to_str(profile_time(&missing, 0)),
					   decimal_text(profile_value(&missing, 0), missing.scale))));
}

/* ----------
 * Triggers
 * ----------
 */

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

/* The time that a lease blocks: as occupied() in SQL. */
static Span
occupied(Span effective, const Interval *buffer)
{
	if (!SPAN_IS_EMPTY(effective) && effective.until != DT_NOEND)
	{
		effective.until += buffer->time;	/* less than 30 days, so no overflow */
		if (!IS_VALID_TIMESTAMP(effective.until))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range"),
					 errdetail("The buffer after the lease would end too late.")));
	}
	return effective;
}

/*
 * A statement that changed a single row needs no query to tell what that
 * means for the calendar.  Returns false if there are more.
 */
static bool
change_by_single_rows(Admission *admission, TriggerData *trigger)
{
	Tuplestorestate *tables[2];
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);
	bool		is_lease = admission->kind == CHANGE_OF_LEASES;
	int			pool_column = column_number(trigger->tg_relation, "pool_id");
	int			quantity_column = column_number(trigger->tg_relation, "quantity");
	int			period_column = column_number(trigger->tg_relation, is_lease ? "effective" : "during");

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
		Decimal		quantity;
		Span		span;
		Interval   *buffer;
		int64		consumer_id = 0;

		if (tables[i] == NULL)
			continue;
		row = only_row(tables[i], tupdesc);
#define column(number)	heap_getattr(row, (number), tupdesc, &isnull)
		quantity = decimal_arg(column(quantity_column), "quantity");
		span = span_arg(column(period_column));
		if (is_lease)
		{
			consumer_id = DatumGetInt64(column(column_number(trigger->tg_relation, "consumer_id")));
			buffer = DatumGetIntervalP(column(column_number(trigger->tg_relation, "buffer")));
			if (i == 0)
			{
				admission->has_wish = true;
				admission->wish_consumer = consumer_id;
				admission->wish_lease = DatumGetInt64(column(column_number(trigger->tg_relation, "lease_id")));
				admission->wish_quantity = quantity;
				admission->wish_span = span;
				admission->wish_buffer = buffer->time;
			}
			span = occupied(span, buffer);
			if (i == 1)
			{
				admission->held_quantity = quantity;
				admission->held_span = span;
			}
		}
		if (i == 1)
			quantity.mantissa = -quantity.mantissa;
		change_pool(admission, DatumGetInt64(column(pool_column)), consumer_id, rectangle(span, quantity));
#undef column
	}
	return true;
}

static void rebuild(Datum pools);

static void
rebuild_all(void)
{
	bool		isnull;

	close_calendar();
	query_latest(&every_pool, NULL);
	query_value(0, 1, &isnull);
	if (!isnull)
		rebuild(query_value(0, 1, NULL));
}

/*
 * The body of the triggers of supply and lease.
 */
static Datum
carry_changes(FunctionCallInfo fcinfo, SavedQuery *changes, ChangeKind kind)
{
	TriggerData *trigger = require_trigger(fcinfo, kind == CHANGE_OF_LEASES ? "lease" : "supply");
	Admission  *admission;

	SPI_connect();
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		rebuild_all();
	else
	{
		admission = admission_new(kind, RowExclusiveLock);
		admission->restore = is_restore(trigger);
		admission->trigger = trigger;
		admission->new_leases = kind == CHANGE_OF_LEASES && !TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
		SPI_register_trigger_data(trigger);
		if (!change_by_single_rows(admission, trigger))
			change_pools(admission, &changes[TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? 0 :
											 TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? 1 : 2],
						 NULL, true);
		admit(admission);

		/* even if the pool as a whole lost nothing, a provider may have */
		if (kind == CHANGE_OF_SUPPLY && !admission->restore)
		{
			ListCell   *cell;

			foreach(cell, admission->pools)
			{
				Pool	   *pool = lfirst(cell);

				if (pool->changed)
					check_providers(pool->pool_id);
			}
		}
		calendar_close(admission->calendar);
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

/* The profile in the only row of the last result. */
static Datum
profile_result(void)
{
	bool		isnull;

	query_value(0, 1, &isnull);
	return isnull ? no_profile() : query_value(0, 1, NULL);
}

/*
 * Make or take away the node of a quota.  Returns by how much the pool is
 * booked more.
 */
static Datum
change_quota(Admission *admission, HeapTuple row, TupleDesc tupdesc, bool remove)
{
	bool		isnull[8];
	Datum		value[8];
	Decimal		limit[8];
	Quota		quota;
	CalendarPage page;
	Datum		keys[3];
	Datum		booked;

	for (int i = 0; i < 8; i++)
	{
		value[i] = SPI_getbinval(row, tupdesc, i + 1, &isnull[i]);
		limit[i].mantissa = limit[i].scale = 0;
		if (i >= 4 && !isnull[i])
			limit[i] = decimal_arg(value[i], "limit");
	}
	quota = make_quota(DatumGetInt64(value[2]), value[3], limit[4], !isnull[4], limit[5], !isnull[5],
					   limit[6], !isnull[6], limit[7]);
	keys[0] = value[0];
	keys[1] = value[1];
	keys[2] = value[3];
	page.pool_id = DatumGetInt64(value[0]);
	page.quota_id = quota.quota_id;
	page.span.from = DT_NOBEGIN;
	page.span.until = DT_NOEND;
	page.capacity = rectangle(quota.during, quota.own);
	page.allowance = no_profile();
	if (quota.is_budget)
	{
		query_latest(&budget_used, keys);
		query_value(0, 1, &isnull[0]);
		page.booked = isnull[0] ? no_profile() :
			rectangle(quota.during, decimal_arg(query_value(0, 1, NULL), "budget"));
	}
	else
	{
		Decimal		no_limit = {NO_LIMIT, 0};

		page.allowance = rectangle(quota.during, quota.borrows_all ? no_limit : quota.borrow);
		query_latest(&leases_of_consumer, keys);
		page.booked = clipped(profile_result(), quota.during);
	}
	page.deficit = positive(subtract(page.booked, add(page.capacity, page.allowance)));
	booked = quota.is_budget ? no_profile() : subtract(taken_of_pool(&quota, &page), page.booked);
	if (remove)
	{
		calendar_delete_pages(admission->calendar, page.pool_id, &page.quota_id);
		return subtract(no_profile(), booked);
	}
	calendar_insert_page(admission->calendar, &page);
	CommandCounterIncrement();
	if (calendar_lock_page(admission->calendar, page.pool_id, page.quota_id, DT_NOBEGIN, &page))
		calendar_write_page(admission->calendar, &page, false);
	CommandCounterIncrement();

	/* two limits of a party at a time would contradict each other */
	keys[1] = value[1];
	if (!quota.is_budget && !admission->restore && query_latest(&overlapping_quota, keys) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXCLUSION_VIOLATION),
				 errmsg("party \"%s\" already has a quota in pool \"%s\" at that time",
						TextDatumGetCString(query_value(0, 3, NULL)),
						TextDatumGetCString(query_value(0, 2, NULL))),
				 errhint("Change that quota, or end it where the new one begins.")));
	return booked;
}

/*
 * Make or take away all quotas that a query returns.
 */
static void
change_all_quotas(Admission *admission, SavedQuery *query, const Datum *values, bool remove)
{
	uint64		n = query_run(query, values, NULL, true);
	SPITupleTable *rows = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		Pool	   *pool = find_pool(admission,
									 DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)), 0);

		CHECK_FOR_INTERRUPTS();
		pool->booked = add(pool->booked, change_quota(admission, rows->vals[i], rows->tupdesc, remove));
		pool->changed = true;
		pool->asked = pool;
	}
}

/*
 * A quota sees all leases of its party, also those that others are about to
 * make: so the calendar is closed to them meanwhile.  That is for a moment.
 */
PG_FUNCTION_INFO_V1(calendar_of_quotas);
Datum
calendar_of_quotas(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo, "quota");
	Admission  *admission;

	SPI_connect();
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		rebuild_all();
	else
	{
		admission = admission_new(CHANGE_OF_LEASES, ShareRowExclusiveLock);
		admission->restore = is_restore(trigger);
		SPI_register_trigger_data(trigger);
		if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
			change_all_quotas(admission, &old_quotas, NULL, true);
		if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
			change_all_quotas(admission, &new_quotas, NULL, false);
		admit(admission);
		calendar_close(admission->calendar);
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * Make the calendars of some pools again, from the facts.  What does not fit
 * becomes a deficit.
 */
static void
rebuild(Datum pools)
{
	Admission  *admission = admission_new(CHANGE_OF_SUPPLY, ShareRowExclusiveLock);
	Calendar   *calendar = admission->calendar;
	SavedQuery *facts[] = {&all_supply, &all_leases, &all_quotas};
	static const char *const names[] = {"supply", "leases", "quotas"};
	Datum	   *elements;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(pools), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, NULL, &n);
	for (int i = 0; i < n; i++)
		calendar_delete_pages(calendar, DatumGetInt64(elements[i]), NULL);
	query_run(&pages_of_pools, &pools, NULL, false);
	pfree(admission);
	for (size_t i = 0; i < lengthof(facts); i++)
	{
		ereport(progress_level(),
				(errmsg("calendar is made again: %s", names[i])));
		admission = palloc0(sizeof(Admission));
		admission->calendar = calendar;
		admission->kind = i == 0 ? CHANGE_OF_SUPPLY : CHANGE_OF_LEASES;
		admission->restore = true;
		admission->ignore_quotas = true;
		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
		if (facts[i] == &all_quotas)
			change_all_quotas(admission, facts[i], &pools, false);
		else
			change_pools(admission, facts[i], &pools, true);
		PopActiveSnapshot();
		admit(admission);
	}
	calendar_close(calendar);
}

/*
 * The pools of a change, and all that hang together with them.
 */
static void
rebuild_trees(Datum pools)
{
	bool		isnull;

	close_calendar();
	query_latest(&trees, &pools);
	query_value(0, 1, &isnull);
	if (!isnull)
		rebuild(query_value(0, 1, NULL));
}

/*
 * No pool is nested too deeply, or in itself: pools that are made together may
 * be.
 */
static void
check_ancestors(void)
{
	uint64		n = query_run(&new_children, NULL, NULL, true);
	Admission	admission = {0};

	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		admission.pools = NIL;
		find_pool(&admission, DatumGetInt64(query_value(i, 1, NULL)), 0);
	}
}

/*
 * A new pool gets a calendar of one empty page; one that comes to be limited
 * in another way has its calendar made again.
 */
PG_FUNCTION_INFO_V1(calendar_of_pools);
Datum
calendar_of_pools(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo, "pool");
	bool		isnull;

	SPI_connect();
	SPI_register_trigger_data(trigger);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		query_run(&pages_of_new_pools, NULL, NULL, false);
		check_ancestors();
	}
	else
	{
		query_run(&changed_pools, NULL, NULL, true);
		query_value(0, 1, &isnull);
		if (!isnull)
			rebuild_trees(query_value(0, 1, NULL));
	}
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* rebuild_calendar() */
PG_FUNCTION_INFO_V1(calendar_rebuild);
Datum
calendar_rebuild(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	SPI_connect();
	rebuild_all();
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * Admit a lease that was inserted without a trigger.
 */
void
admit_lease(int64 pool_id, int64 consumer_id, int64 lease_id, Decimal quantity, Span during)
{
	Admission  *admission = admission_new(CHANGE_OF_LEASES, RowExclusiveLock);

	admission->has_wish = true;
	admission->wish_consumer = consumer_id;
	admission->wish_lease = lease_id;
	admission->wish_quantity = quantity;
	admission->wish_span = during;
	change_pool(admission, pool_id, consumer_id, rectangle(during, quantity));
	admit(admission);
	calendar_close(admission->calendar);
}

/*
 * Whoever deletes a pool or a party waits for those who are about to make
 * leases, and keeps others from it, until the deletion is done: reserve() holds
 * a lock on the calendar from before it looks up names.
 */
PG_FUNCTION_INFO_V1(calendar_of_deletions);
Datum
calendar_of_deletions(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called as a trigger")));
	close_calendar();
	return PointerGetDatum(NULL);
}

/*
 * Lock what a lease of a pool during a span would change: for those who will
 * change it in several statements, which then find their locks in order.
 */
void
lock_calendar(int n, const int64 *pools, const int64 *consumers, const Span *spans)
{
	Admission  *admission = admission_new(CHANGE_OF_LEASES, RowExclusiveLock);

	admission->lock_only = true;
	for (int i = 0; i < n; i++)
	{
		Pool	   *pool;

		change_pool(admission, pools[i], consumers[i], no_profile());
		pool = find_pool(admission, pools[i], 0);
		pool->lock = span_union(pool->lock, spans[i]);
	}
	admit(admission);
	calendar_close(admission->calendar);
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
			 errmsg("unit, currency and rounding of a pool cannot be changed"),
			 errhint("Create another pool.")));
	PG_RETURN_NULL();
}
