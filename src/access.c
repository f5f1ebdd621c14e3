/*
 * access.c
 *		Who calls, and what that role may see and do.
 *
 * A role acts for the parties that have it as party.role, or a role whose
 * privileges it has, and for all parties below them (party.parent_id).  What
 * these parties are members of says what it sees and may do; the policies of
 * the tables (90-access.sql) and the verbs ask here.
 *
 * The caller is the role of the session as SET ROLE has it, in policies as in
 * functions that run as the owner of the extension, whatever SECURITY DEFINER
 * functions of other people it went through: nobody's function lends rights to
 * whom calls it, and a pooler that sets the role of a request sets its rights.
 *
 * The operator, who owns the extension, and whoever has the privileges of that
 * role, superusers among them, see and may do everything.
 *
 * All of that is looked up once and kept by the session, for each role that it
 * takes on, until something of it changes: a trigger (access_changed) tells all
 * sessions so, as the server does for roles.  What is kept is what is committed
 * by now, even for a transaction that sees an older state: a right that was
 * taken away is gone at once.
 */
#include "postgres.h"

#include "access.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "guard.h"
#include "miscadmin.h"
#include "query.h"
#include "table.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* the rights of a role in one party, pool or project */
typedef struct Right
{
	int64		id;				/* key */
	int			roles;
} Right;

typedef struct Access
{
	Oid			role;			/* key */
	bool		is_operator;
	HTAB	   *parties;		/* of Right, whose roles mean nothing */
	HTAB	   *pools;
	HTAB	   *projects;
} Access;

/* the tables that rights come from */
static const char *const sources[] = {"party", "membership", "project_member"};

/* the tables and their primary keys, as they were when the cache was filled */
static Oid	watched[2 * lengthof(sources)];

static MemoryContext cache_context = NULL;
static HTAB *cache = NULL;		/* of Access */
static bool stale = true;
uint64		access_version = 0;
static bool transient = false;	/* good for this transaction only */

/* ----------
 * The caller
 * ----------
 */

/*
 * Where the server itself has switched to the rights of somebody else, to run
 * what is theirs (foreign keys, maintenance), the session's role has not asked
 * for anything.  There the present user counts, unless it is the owner of the
 * extension: then there is no telling who called, and it is nobody.
 */
Oid
calling_role(void)
{
	Oid			user = GetUserId();
	Relation	party;
	Oid			owner;

	if (user == GetOuterUserId() || !(InSecurityRestrictedOperation() || InNoForceRLSOperation()))
		return GetOuterUserId();
	party = open_own_table("party", AccessShareLock);
	owner = party->rd_rel->relowner;
	table_close(party, AccessShareLock);
	return user == owner ? InvalidOid : user;
}

/*
 * Go on with the rights of the owner of the extension, until
 * SetUserIdAndSecContext() with what this returns, or an error.
 */
Oid
become_owner(int *context)
{
	Relation	party = open_own_table("party", AccessShareLock);
	Oid			user;

	GetUserIdAndSecContext(&user, context);
	SetUserIdAndSecContext(party->rd_rel->relowner, *context | SECURITY_LOCAL_USERID_CHANGE);
	table_close(party, AccessShareLock);
	return user;
}

/*
 * Its name; whom the server acts for, if nobody has called.
 */
text *
caller_name(void)
{
	Oid			role = calling_role();

	return cstring_to_text(GetUserNameFromId(OidIsValid(role) ? role : GetOuterUserId(), false));
}

PG_FUNCTION_INFO_V1(access_calling_role);
Datum
access_calling_role(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(caller_name());
}

/* ----------
 * The cache
 * ----------
 */
static void
forget(void)
{
	stale = true;
	access_version++;
}

static void
forget_relation(Datum arg, Oid relation)
{
	(void) arg;
	if (!OidIsValid(relation))
		forget();
	for (size_t i = 0; i < lengthof(watched) && !stale; i++)
	{
		if (watched[i] == relation)
			forget();
	}
}

static void
forget_roles(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	forget();
}

static void
forget_transient(XactEvent event, void *arg)
{
	(void) arg;
	if (transient && event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE &&
		event != XACT_EVENT_PARALLEL_PRE_COMMIT)
		forget();
}

static void
start_cache(void)
{
	HASHCTL		control = {0};

	if (cache_context == NULL)
	{
		cache_context = AllocSetContextCreate(CacheMemoryContext, "sharecollab access", ALLOCSET_SMALL_SIZES);
		CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_roles, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
		RegisterXactCallback(forget_transient, NULL);
	}
	cache = NULL;
	MemoryContextReset(cache_context);
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(Access);
	control.hcxt = cache_context;
	/* what changes from now on is a change to what we are about to read */
	stale = transient = false;
	for (size_t i = 0; i < lengthof(sources); i++)
	{
		Relation	relation = open_own_table(sources[i], AccessShareLock);
		List	   *indexes = RelationGetIndexList(relation);

		watched[2 * i] = RelationGetRelid(relation);
		watched[2 * i + 1] = primary_key_index(relation);
		list_free(indexes);
		table_close(relation, AccessShareLock);
	}
	cache = hash_create("sharecollab access", 8, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static HTAB *
make_rights(const char *name)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(Right);
	control.hcxt = cache_context;
	return hash_create(name, 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Returns whether that is new. */
static bool
add_right(HTAB *rights, int64 id, int roles)
{
	bool		found;
	Right	   *right = hash_search(rights, &id, HASH_ENTER, &found);

	right->roles = (found ? right->roles : 0) | roles;
	return !found;
}

static int
roles_in(HTAB *rights, int64 id)
{
	Right	   *right = hash_search(rights, &id, HASH_FIND, NULL);

	return right ? right->roles : 0;
}

static int64
id_column(TableRow *row, const char *name, bool *isnull)
{
	return DatumGetInt64(row_column(row, name, isnull));
}

typedef struct RoleName
{
	const char *name;
	int			role;
} RoleName;

static const RoleName pool_role_names[] = {
	{"steward", POOL_STEWARD}, {"provider", POOL_PROVIDER}, {"consumer", POOL_CONSUMER},
	{"auditor", POOL_AUDITOR}, {NULL, 0}
};

static const RoleName project_role_names[] = {
	{"owner", PROJECT_OWNER}, {"maintainer", PROJECT_MAINTAINER}, {"contributor", PROJECT_CONTRIBUTOR}, {NULL, 0}
};

static int
role_of_name(const RoleName *names, const char *name)
{
	for (; names->name != NULL; names++)
	{
		if (strcmp(names->name, name) == 0)
			return names->role;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no role \"%s\"", name)));
}

/* "steward or auditor" */
static char *
names_of_roles(const RoleName *names, int roles)
{
	char	   *result = "";

	for (; names->name != NULL; names++)
	{
		if (names->role & roles)
			result = psprintf("%s%s%s", result, *result ? " or " : "", names->name);
	}
	return result;
}

/*
 * Look up what a role may.
 */
static void
fill(Access *access, Snapshot snapshot)
{
	List	   *parties = NIL;
	Relation	party = open_own_table("party", AccessShareLock);
	Oid			owner = party->rd_rel->relowner;
	Oid			last_role = InvalidOid;
	bool		last_has = false;
	TableRow	row;
	ScanKeyData key;
	bool		isnull;
	ListCell   *cell;

	table_close(party, AccessShareLock);
	access->is_operator = OidIsValid(access->role) && has_privs_of_role(access->role, owner);
	access->parties = make_rights("parties");
	access->pools = make_rights("pools");
	access->projects = make_rights("projects");
	if (access->is_operator || !OidIsValid(access->role))
		return;

	row_open(&row, "party", "party_role_idx", snapshot, NULL, 0);
	while (row_next(&row))
	{
		Oid			role = DatumGetObjectId(row_column(&row, "role", &isnull));

		if (role != last_role)
			last_has = has_privs_of_role(access->role, role);
		last_role = role;
		if (last_has)
		{
			int64	   *id = palloc(sizeof(int64));

			*id = id_column(&row, "party_id", &isnull);
			if (add_right(access->parties, *id, 0))
				parties = lappend(parties, id);
		}
	}
	row_close(&row);

	/* the list grows while we go through it */
	foreach(cell, parties)
	{
		int64		party_id = *(int64 *) lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		key_int8(&key, 1, party_id);
		row_open(&row, "party", "party_parent_id_idx", snapshot, &key, 1);
		while (row_next(&row))
		{
			int64	   *id = palloc(sizeof(int64));

			*id = id_column(&row, "party_id", &isnull);
			if (add_right(access->parties, *id, 0))
				parties = lappend(parties, id);
		}
		row_close(&row);

		row_open(&row, "membership", "membership_party_id_idx", snapshot, &key, 1);
		while (row_next(&row))
		{
			int			role = role_of_name(pool_role_names, TextDatumGetCString(row_column(&row, "role", &isnull)));

			row_column(&row, "accepted_at", &isnull);
			if (isnull)
				role = POOL_INVITED;
			add_right(access->pools, id_column(&row, "pool_id", &isnull), role);
		}
		row_close(&row);

		row_open(&row, "project_member", "project_member_party_id_idx", snapshot, &key, 1);
		while (row_next(&row))
			add_right(access->projects, id_column(&row, "project_id", &isnull),
					  role_of_name(project_role_names, TextDatumGetCString(row_column(&row, "role", &isnull))));
		row_close(&row);
	}
	list_free_deep(parties);
}

static Access *
access_of_caller(void)
{
	Oid			role = calling_role();
	Access	   *access;

	if (!stale && cache != NULL)
	{
		access = hash_search(cache, &role, HASH_FIND, NULL);
		if (access)
			return access;
	}
	else
		start_cache();

	{
		Access		filled = {.role = role};
		bool		is_parallel = IsInParallelMode();

		/* a parallel query may not take another snapshot than the one it has */
		fill(&filled, is_parallel ? GetActiveSnapshot() : GetLatestSnapshot());
		transient = transient || is_parallel;
		access = hash_search(cache, &role, HASH_ENTER, NULL);
		*access = filled;
	}
	return access;
}

/*
 * Trigger: the rights of some role may be others now; tell all sessions, if
 * and when this is committed.
 */
PG_FUNCTION_INFO_V1(access_changed);
Datum
access_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	List	   *indexes;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("access_changed() must be called as a trigger")));
	indexes = RelationGetIndexList(trigger->tg_relation);
	/* of the index, as that of the table would have all plans made again */
	if (OidIsValid(primary_key_index(trigger->tg_relation)))
		CacheInvalidateRelcacheByRelid(primary_key_index(trigger->tg_relation));
	list_free(indexes);
	return PointerGetDatum(NULL);
}

/* ----------
 * What the caller may
 * ----------
 */
bool
is_operator(void)
{
	return access_of_caller()->is_operator;
}

bool
acts_for(int64 party_id)
{
	Access	   *access = access_of_caller();

	return access->is_operator || hash_search(access->parties, &party_id, HASH_FIND, NULL) != NULL;
}

int
pool_roles(int64 pool_id)
{
	Access	   *access = access_of_caller();

	return access->is_operator ? ~POOL_INVITED : roles_in(access->pools, pool_id);
}

int
project_roles(int64 project_id)
{
	Access	   *access = access_of_caller();

	return access->is_operator ? ~0 : roles_in(access->projects, project_id);
}

/*
 * Does the caller know that a party exists?  As the policy of table party: its
 * own parties, those that are listed, and those that it sees as members, or has
 * accounts of.
 */
bool
knows_party(int64 party_id)
{
	Snapshot	snapshot = IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot();
	TableRow	row;
	ScanKeyData key;
	bool		isnull;
	bool		known = acts_for(party_id);
	Access	   *access = access_of_caller();

	key_int8(&key, 1, party_id);
	if (!known && hash_get_num_entries(access->parties) > 0)
	{
		row_open(&row, "party", "party_pkey", snapshot, &key, 1);
		known = row_next(&row) && DatumGetBool(row_column(&row, "listed", &isnull));
		row_close(&row);
	}
	if (!known && hash_get_num_entries(access->pools) > 0)
	{
		row_open(&row, "membership", "membership_party_id_idx", snapshot, &key, 1);
		while (!known && row_next(&row))
		{
			int			roles = roles_in(access->pools, id_column(&row, "pool_id", &isnull));

			known = (roles & POOL_OVERSEER) ||
				(roles && strcmp(TextDatumGetCString(row_column(&row, "role", &isnull)), "steward") == 0);
		}
		row_close(&row);
	}
	if (!known && hash_get_num_entries(access->pools) > 0)
	{
		row_open(&row, "account", "account_party_id_pool_id_kind_currency_key", snapshot, &key, 1);
		while (!known && row_next(&row))
		{
			int64		pool_id = id_column(&row, "pool_id", &isnull);

			known = !isnull && (roles_in(access->pools, pool_id) & POOL_OVERSEER);
		}
		row_close(&row);
	}
	if (!known && hash_get_num_entries(access->projects) > 0)
	{
		row_open(&row, "project_member", "project_member_party_id_idx", snapshot, &key, 1);
		while (!known && row_next(&row))
			known = roles_in(access->projects, id_column(&row, "project_id", &isnull)) != 0;
		row_close(&row);
		row_open(&row, "identity_link", "identity_link_party_id_idx", snapshot, &key, 1);
		while (!known && row_next(&row))
		{
			int64		project_id = id_column(&row, "project_id", &isnull);

			known = !isnull && (roles_in(access->projects, project_id) & PROJECT_MANAGER);
		}
		row_close(&row);
	}
	return known;
}

/* The parties that the caller acts for; none for the operator, who acts for all. */
int
acting_parties(int64 **party_ids)
{
	HTAB	   *parties = access_of_caller()->parties;
	HASH_SEQ_STATUS status;
	Right	   *right;
	int			n = 0;

	*party_ids = palloc(Max(hash_get_num_entries(parties), 1) * sizeof(int64));
	hash_seq_init(&status, parties);
	while ((right = hash_seq_search(&status)) != NULL)
		(*party_ids)[n++] = right->id;
	return n;
}

/*
 * May the caller know that there is such a row?  For names: a name that it may
 * not see is as one that does not exist.
 */
bool
may_see(const char *table, int64 id)
{
	if (strcmp(table, "party") == 0)
		return knows_party(id);
	if (strcmp(table, "pool") == 0)
		return pool_roles(id) != 0;
	if (strcmp(table, "project") == 0)
		return project_roles(id) != 0;
	return is_operator();
}

/* ----------
 * What verbs require
 * ----------
 */

/* The party of that name, which the caller must act for. */
int64
acting_party(text *name, Snapshot snapshot)
{
	int64		party_id = id_of_name("party", name, snapshot);

	if (!acts_for(party_id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must act for party \"%s\"", text_to_cstring(name)),
				 errhint("Role \"%s\" must have the privileges of that party's role, or of one above it.",
						 GetUserNameFromId(GetOuterUserId(), false))));
	return party_id;
}

void
require_pool_role(int64 pool_id, int roles, const char *name)
{
	if (!(pool_roles(pool_id) & roles))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be %s of pool \"%s\"", names_of_roles(pool_role_names, roles), name)));
}

void
require_project_role(int64 project_id, int roles, const char *name)
{
	if (!(project_roles(project_id) & roles))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be %s of project \"%s\"", names_of_roles(project_role_names, roles), name)));
}

/* The pool of that name, in which the caller must have one of some roles. */
int64
pool_for(text *name, int roles, Snapshot snapshot)
{
	int64		pool_id = id_of_name("pool", name, snapshot);

	require_pool_role(pool_id, roles, text_to_cstring(name));
	return pool_id;
}

/* The pool whose books the caller may write; 0 for those of none, which are the operator's. */
int64
books_for(text *name, Snapshot snapshot)
{
	if (name != NULL)
		return pool_for(name, POOL_STEWARD, snapshot);
	if (!is_operator())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("books of no pool are for the owner of the extension"),
				 errhint("Say of which pool.")));
	return 0;
}

/*
 * A party must have a role in a pool (NULL for any), and have accepted it.
 */
void
require_member(int64 pool_id, int64 party_id, const char *role, text *pool_name, text *party_name)
{
	TableRow	row;
	ScanKeyData keys[3];
	bool		isnull = true;
	bool		invited = false;

	key_int8(keys, 1, pool_id);
	key_int8(keys, 2, party_id);
	if (role)
		key_text(keys, 3, cstring_to_text(role));
	row_open(&row, "membership", "membership_pkey", GetLatestSnapshot(), keys, role ? 3 : 2);
	while (isnull && row_next(&row))
	{
		invited = true;
		row_column(&row, "accepted_at", &isnull);
	}
	row_close(&row);
	if (!invited)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_A_MEMBER),
				 errmsg("party \"%s\" is not a %s of pool \"%s\"",
						text_to_cstring(party_name), role ? role : "member", text_to_cstring(pool_name)),
				 role ? errhint("invite() the party as %s, and have it accept().", role) : 0));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_A_MEMBER),
				 errmsg("party \"%s\" has not accepted to be a %s of pool \"%s\"",
						text_to_cstring(party_name), role ? role : "member", text_to_cstring(pool_name)),
				 errhint("The party must accept() the invitation first.")));
}

int64
project_for(text *name, int roles, Snapshot snapshot)
{
	int64		project_id = id_of_name("project", name, snapshot);

	require_project_role(project_id, roles, text_to_cstring(name));
	return project_id;
}

/* ----------
 * The same for SQL
 * ----------
 */

/* Roles as an array of their names; no names are all roles, and invitations. */
static int
roles_arg(FunctionCallInfo fcinfo, int argument, const RoleName *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			roles = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			roles |= role_of_name(names, TextDatumGetCString(elements[i]));
	}
	return n == 0 ? ~0 : roles;
}

static Datum
ids_with(HTAB *rights, int roles)
{
	HASH_SEQ_STATUS status;
	Right	   *right;
	Datum	   *ids = palloc(Max(hash_get_num_entries(rights), 1) * sizeof(Datum));
	int			n = 0;

	hash_seq_init(&status, rights);
	while ((right = hash_seq_search(&status)) != NULL)
	{
		if (roles == 0 || (right->roles & roles))
			ids[n++] = Int64GetDatum(right->id);
	}
	return PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(access_my_parties);
Datum
access_my_parties(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	return ids_with(access_of_caller()->parties, 0);
}

PG_FUNCTION_INFO_V1(access_my_pools);
Datum
access_my_pools(PG_FUNCTION_ARGS)
{
	return ids_with(access_of_caller()->pools, roles_arg(fcinfo, 0, pool_role_names));
}

PG_FUNCTION_INFO_V1(access_my_projects);
Datum
access_my_projects(PG_FUNCTION_ARGS)
{
	return ids_with(access_of_caller()->projects, roles_arg(fcinfo, 0, project_role_names));
}

PG_FUNCTION_INFO_V1(access_is_operator);
Datum
access_is_operator(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_BOOL(is_operator());
}

PG_FUNCTION_INFO_V1(access_acts_for);
Datum
access_acts_for(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(acts_for(PG_GETARG_INT64(0)));
}

PG_FUNCTION_INFO_V1(access_has_pool_role);
Datum
access_has_pool_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((pool_roles(PG_GETARG_INT64(0)) & roles_arg(fcinfo, 1, pool_role_names)) != 0);
}

PG_FUNCTION_INFO_V1(access_has_project_role);
Datum
access_has_project_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((project_roles(PG_GETARG_INT64(0)) & roles_arg(fcinfo, 1, project_role_names)) != 0);
}

PG_FUNCTION_INFO_V1(access_require_party);
Datum
access_require_party(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(acting_party(PG_GETARG_TEXT_PP(0), GetActiveSnapshot()));
}

PG_FUNCTION_INFO_V1(access_require_pool);
Datum
access_require_pool(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(pool_for(PG_GETARG_TEXT_PP(0), roles_arg(fcinfo, 1, pool_role_names), GetActiveSnapshot()));
}

PG_FUNCTION_INFO_V1(access_require_books);
Datum
access_require_books(PG_FUNCTION_ARGS)
{
	int64		pool_id = books_for(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), GetActiveSnapshot());

	if (pool_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(pool_id);
}

/*
 * A member of the caller's pool: in the name of others nothing is written down,
 * except by the operator.
 */
PG_FUNCTION_INFO_V1(access_require_member);
Datum
access_require_member(PG_FUNCTION_ARGS)
{
	int64		pool_id = books_for(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), GetActiveSnapshot());
	int64		party_id;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	party_id = id_of_name("party", PG_GETARG_TEXT_PP(1), GetActiveSnapshot());
	if (!is_operator())
		require_member(pool_id, party_id, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)),
					   PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	PG_RETURN_INT64(party_id);
}

PG_FUNCTION_INFO_V1(access_require_project);
Datum
access_require_project(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(project_for(PG_GETARG_TEXT_PP(0), roles_arg(fcinfo, 1, project_role_names), GetActiveSnapshot()));
}

/* A name that is within that of a party or pool: what others have, it cannot meet. */
static void
require_within(const char *what, text *name, text *owner)
{
	if (VARSIZE_ANY_EXHDR(name) < VARSIZE_ANY_EXHDR(owner) + 2 ||
		memcmp(VARDATA_ANY(name), VARDATA_ANY(owner), VARSIZE_ANY_EXHDR(owner)) != 0 ||
		VARDATA_ANY(name)[VARSIZE_ANY_EXHDR(owner)] != '/')
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s must begin with \"%s/\"", what, text_to_cstring(owner)),
				 errhint("Other names are for the owner of the extension to give.")));
}

/*
 * A name for something new.  Names are unique, so a name that is taken tells
 * that something exists: those that parties give are within their own, as
 * "lab/gpus" is, and collide with nobody else's.  The operator is free.
 */
PG_FUNCTION_INFO_V1(access_require_name);
Datum
access_require_name(PG_FUNCTION_ARGS)
{
	text	   *name;
	text	   *party;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	if (is_operator())
		PG_RETURN_TEXT_P(name);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must say in which party's name")));
	party = PG_GETARG_TEXT_PP(1);
	acting_party(party, GetActiveSnapshot());
	require_within("name", name, party);
	PG_RETURN_TEXT_P(name);
}

/* The same for where facts come from, whose keys are unique. */
void
require_source(text *source, text *pool_name)
{
	if (!is_operator())
		require_within("source", source, pool_name);
}

PG_FUNCTION_INFO_V1(access_require_source);
Datum
access_require_source(PG_FUNCTION_ARGS)
{
	require_source(PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* A role to act for a new party: one whose privileges the caller has. */
PG_FUNCTION_INFO_V1(access_require_role);
Datum
access_require_role(PG_FUNCTION_ARGS)
{
	Oid			role = PG_GETARG_OID(0);

	if (!is_operator() && !(OidIsValid(calling_role()) && has_privs_of_role(calling_role(), role)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must have privileges of role \"%s\"", GetUserNameFromId(role, false))));
	PG_RETURN_OID(role);
}
