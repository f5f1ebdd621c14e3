/*
 * import.c
 *		Contributions from outside: git logs, mailmaps, payloads of platforms.
 *
 * Each source is a function from what was received to rows of the type
 * contribution_entry: git_log() here, the others in SQL.  What comes then is
 * the same for all, see contribution.c.
 */
#include "postgres.h"

#include "access.h"
#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "contribution.h"
#include "funcapi.h"
#include "git_log.h"
#include "mailmap.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "progress.h"
#include "query.h"
#include "table.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* ----------
 * Text of git
 * ----------
 */

/*
 * Bytes of git, which are UTF-8 or should be, as text of the server: bytes that
 * are not become \xNN.  A name that was folded is one line again.
 */
static text *
text_of_git(Slice s, bool unfold)
{
	StringInfoData out;

	initStringInfo(&out);
	for (size_t i = 0; i < s.len;)
	{
		int			len;

		if (s.data[i] == '\n' && unfold)
		{
			while (i < s.len && slice_isspace(s.data[i]))
				i++;
			appendStringInfoChar(&out, ' ');
			continue;
		}
		len = pg_encoding_verifymbchar(PG_UTF8, s.data + i, s.len - i);
		if (len > 0)
			appendBinaryStringInfo(&out, s.data + i, len);
		else
			appendStringInfo(&out, "\\x%02x", (unsigned char) s.data[i]);
		i += Max(len, 1);
	}
	return cstring_to_text(pg_any_to_server(out.data, out.len, PG_UTF8));
}

/* ----------
 * git_log() and git_log_files()
 * ----------
 */

/* the few persons of the many entries, as text already */
typedef struct PersonEntry
{
	GitPerson	person;
	uint32		hash;
	char		status;
	Datum		values[IDENTITY_COLUMNS];
	Identity   *identity;		/* import_git_log() only */
} PersonEntry;

static inline uint32
hash_person(GitPerson person)
{
	return hash_combine(hash_bytes((const unsigned char *) person.name.data, person.name.len),
						hash_bytes((const unsigned char *) person.email.data, person.email.len));
}

static inline bool
same_slice(Slice a, Slice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool
same_person(GitPerson a, GitPerson b)
{
	return same_slice(a.name, b.name) && same_slice(a.email, b.email);
}

#define SH_PREFIX persons
#define SH_ELEMENT_TYPE PersonEntry
#define SH_KEY_TYPE GitPerson
#define SH_KEY person
#define SH_HASH_KEY(tb, key) hash_person(key)
#define SH_EQUAL(tb, a, b) same_person(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* who of the commit comes next */
typedef enum GitLogTurn
{
	TURN_COMMIT,
	TURN_COMMITTER,
	TURN_TRAILER
} GitLogTurn;

/* after so many commits it may say how far it is */
#define COMMITS_PER_STEP	4096

typedef struct GitLogState
{
	GitLogReader reader;
	bool		skip_errors;
	GitCommit	commit;
	GitTrailers trailers;
	GitLogTurn	turn;
	persons_hash *persons;
	PersonEntry *person;		/* of the row; NULL for what cannot be read */
	MemoryContext context;		/* of the persons */
	Datum		values[ENTRY_COLUMNS];
	bool		nulls[ENTRY_COLUMNS];
	Datum		author_role;
	Datum		committer_role;
	Datum		platform;
	Datum		person_kind;
	Datum		bot_kind;
	char		ref[VARHDRSZ + 64];
	int64		commits;		/* read so far */

	/* git_log_files() */
	Slice		rows;
} GitLogState;

static TimestampTz
timestamp_of_seconds(int64 seconds)
{
	return (seconds - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
}

static bool
slice_contains(Slice s, const char *what)
{
	size_t		len = strlen(what);

	for (size_t i = 0; i + len <= s.len; i++)
	{
		if (pg_strncasecmp(s.data + i, what, len) == 0)
			return true;
	}
	return false;
}

/*
 * GitHub's Apps, and the committer of what was merged on its web pages
 */
static bool
is_bot(GitPerson person)
{
	return slice_contains(person.name, "[bot]") || slice_contains(person.email, "[bot]@") ||
		(person.email.len == strlen("noreply@github.com") && slice_contains(person.email, "noreply@github.com"));
}

static void
set_person(GitLogState *state, GitPerson person)
{
	bool		found;
	PersonEntry *entry = persons_insert(state->persons, person, &found);

	if (!found)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);
		StringInfoData account;

		initStringInfo(&account);
		appendBinaryStringInfo(&account, person.name.data, person.name.len);
		appendStringInfoString(&account, person.name.len > 0 ? " <" : "<");
		appendBinaryStringInfo(&account, person.email.data, person.email.len);
		appendStringInfoChar(&account, '>');
		entry->values[ENTRY_PLATFORM - FACT_COLUMNS] = state->platform;
		entry->values[ENTRY_ACCOUNT - FACT_COLUMNS] =
			PointerGetDatum(text_of_git((Slice) {account.data, account.len}, true));
		entry->values[ENTRY_NAME - FACT_COLUMNS] = PointerGetDatum(text_of_git(person.name, true));
		entry->values[ENTRY_EMAIL - FACT_COLUMNS] = PointerGetDatum(text_of_git(person.email, true));
		entry->values[ENTRY_IDENTITY_KIND - FACT_COLUMNS] = is_bot(person) ? state->bot_kind : state->person_kind;
		entry->identity = NULL;
		MemoryContextSwitchTo(old);
	}
	state->person = entry;
	memcpy(&state->values[FACT_COLUMNS], entry->values, sizeof(entry->values));
}

static void
set_commit(GitLogState *state)
{
	const GitCommit *commit = &state->commit;

	memset(state->nulls, false, sizeof(state->nulls));
	state->nulls[ENTRY_STATE] = state->nulls[ENTRY_SUBJECT_KIND] = state->nulls[ENTRY_SUBJECT_REF] = true;
	SET_VARSIZE(state->ref, VARHDRSZ + commit->hash.len);
	memcpy(VARDATA(state->ref), commit->hash.data, commit->hash.len);
	state->values[ENTRY_REF] = PointerGetDatum(state->ref);
	state->values[ENTRY_ROLE] = state->author_role;
	state->values[ENTRY_AT] = TimestampTzGetDatum(timestamp_of_seconds(commit->author_time));
	state->values[ENTRY_DONE_AT] = TimestampTzGetDatum(timestamp_of_seconds(commit->committer_time));
	state->nulls[ENTRY_DONE_AT] = !commit->has_committer;
	state->values[ENTRY_IS_MERGE] = BoolGetDatum(commit->parents > 1);
	state->values[ENTRY_ADDED] = Int64GetDatum(commit->added);
	state->values[ENTRY_REMOVED] = Int64GetDatum(commit->removed);
	state->values[ENTRY_PARTS] = Int32GetDatum(commit->files);
	set_person(state, commit->author);
}

/*
 * A commit that can be read: false at the end.  With on_error 'skip', those
 * that cannot have a hash of no length.
 */
static bool
next_commit(GitLogState *state)
{
	GitLogReader *reader = &state->reader;

	if (state->commits++ % COMMITS_PER_STEP == COMMITS_PER_STEP - 1)
		ereport(progress_level(),
				(errmsg("git log: " INT64_FORMAT " commits, %d %% read", state->commits,
						(int) (100.0 * (reader->next - reader->start) / (reader->end - reader->start)))));
	switch (git_log_next(reader, &state->commit))
	{
		case GIT_LOG_COMMIT:
			return true;
		case GIT_LOG_END:
			return false;
		case GIT_LOG_ERROR:
			if (!state->skip_errors)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid git log: %s", reader->error),
						 errdetail("Line " INT64_FORMAT ", byte offset " INT64_FORMAT ".",
								   git_log_line(reader, reader->error_at),
								   (int64) (reader->error_at - reader->start)),
						 errhint("on_error => 'skip' leaves such commits out.")));
			state->commit.hash.len = 0;
	}
	return true;
}

/*
 * The next row of git_log(), in state->values and nulls: false at the end.
 */
static bool
next_entry(GitLogState *state)
{
	const char *role;
	GitPerson	person;

	if (state->turn == TURN_COMMITTER)
	{
		/* lines count once, for the author */
		state->nulls[ENTRY_ADDED] = state->nulls[ENTRY_REMOVED] = state->nulls[ENTRY_PARTS] = true;
		git_trailers_open(&state->trailers, &state->commit);
		state->turn = TURN_TRAILER;
		if (state->commit.has_committer)
		{
			state->values[ENTRY_ROLE] = state->committer_role;
			set_person(state, state->commit.committer);
			return true;
		}
	}
	if (state->turn == TURN_TRAILER)
	{
		while (git_trailer_next(&state->trailers, &role, &person))
		{
			/* author and committer vouch for the commit already */
			if (strcmp(role, "signer") == 0 &&
				(same_person(person, state->commit.author) ||
				 (state->commit.has_committer && same_person(person, state->commit.committer))))
				continue;
			state->values[ENTRY_ROLE] = CStringGetTextDatum(role);
			set_person(state, person);
			return true;
		}
		state->turn = TURN_COMMIT;
	}
	CHECK_FOR_INTERRUPTS();
	if (!next_commit(state))
		return false;
	if (state->commit.hash.len == 0)
	{
		memset(state->nulls, true, sizeof(state->nulls));
		state->person = NULL;
		return true;
	}
	set_commit(state);
	state->turn = TURN_COMMITTER;
	return true;
}

static GitLogState *
git_log_begin(bytea *log, const char *on_error)
{
	GitLogState *state = palloc0(sizeof(GitLogState));

	if (strcmp(on_error, "error") != 0 && strcmp(on_error, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for on_error: \"%s\"", on_error),
				 errhint("It is \"error\" or \"skip\".")));
	git_log_open(&state->reader, VARDATA_ANY(log), VARSIZE_ANY_EXHDR(log));
	state->skip_errors = strcmp(on_error, "skip") == 0;
	state->persons = persons_create(CurrentMemoryContext, 1024, NULL);
	state->context = CurrentMemoryContext;
	state->author_role = CStringGetTextDatum("author");
	state->committer_role = CStringGetTextDatum("committer");
	state->platform = CStringGetTextDatum("git");
	state->person_kind = CStringGetTextDatum("person");
	state->bot_kind = CStringGetTextDatum("bot");
	state->values[ENTRY_KIND] = CStringGetTextDatum("commit");
	/* nothing is newer than the commit itself */
	state->values[ENTRY_UPDATED_AT] = TimestampTzGetDatum(DT_NOEND);
	return state;
}

/* The first call of a function that reads a log. */
static void
git_log_first_call(FunctionCallInfo fcinfo)
{
	FuncCallContext *context = SRF_FIRSTCALL_INIT();
	MemoryContext old = MemoryContextSwitchTo(context->multi_call_memory_ctx);

	if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	context->tuple_desc = BlessTupleDesc(context->tuple_desc);
	context->user_fctx = git_log_begin(DatumGetByteaPP(PG_GETARG_DATUM(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	MemoryContextSwitchTo(old);
}

/* git_log(log, on_error) */
PG_FUNCTION_INFO_V1(git_log);
Datum
git_log(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	GitLogState *state;

	if (SRF_IS_FIRSTCALL())
		git_log_first_call(fcinfo);
	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (!next_entry(state))
		SRF_RETURN_DONE(context);
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc,
															   state->values, state->nulls)));
}

/* git_log_files(log, on_error) */
PG_FUNCTION_INFO_V1(git_log_files);
Datum
git_log_files(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	GitLogState *state;
	GitFile		file;
	Slice		path;
	Slice		old_path;
	char	   *buffer;
	Datum		values[5];
	bool		nulls[5] = {false, false, false, false, false};

	if (SRF_IS_FIRSTCALL())
		git_log_first_call(fcinfo);
	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	while (!git_file_next(&state->rows, state->reader.nul, &file))
	{
		CHECK_FOR_INTERRUPTS();
		if (!next_commit(state))
			SRF_RETURN_DONE(context);
		if (state->commit.hash.len > 0)
			state->rows = state->commit.rows;
	}
	buffer = palloc(2 * file.path.len + 1);
	if (!git_file_paths(&file, state->reader.nul, buffer, &path, &old_path))
	{
		path = file.path;		/* as it is */
		old_path.len = 0;
	}
	values[0] = PointerGetDatum(cstring_to_text_with_len(state->commit.hash.data, state->commit.hash.len));
	values[1] = PointerGetDatum(cstring_to_text_with_len(path.data, path.len));
	values[2] = PointerGetDatum(cstring_to_text_with_len(old_path.data, old_path.len));
	values[3] = Int64GetDatum(file.added);
	values[4] = Int64GetDatum(file.removed);
	nulls[2] = old_path.len == 0;
	nulls[3] = nulls[4] = file.binary;
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}

/*
 * Planner support: how many rows git_log() has, by its length.  A commit has
 * some three persons and two files.
 */
PG_FUNCTION_INFO_V1(git_log_support);
Datum
git_log_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *request = (SupportRequestRows *) node;
	Node	   *log;

	if (!IsA(node, SupportRequestRows) || !is_funcclause(request->node))
		PG_RETURN_POINTER(NULL);
	log = linitial(((FuncExpr *) request->node)->args);
	if (!IsA(log, Const) || ((Const *) log)->constisnull)
		PG_RETURN_POINTER(NULL);
	request->rows = 1 + toast_raw_datum_size(((Const *) log)->constvalue) / 100;
	PG_RETURN_POINTER(request);
}

/* ----------
 * mailmap_lookup(mailmap, name, email)
 * ----------
 */
typedef struct Mailmap
{
	Slice		bytes;
	MailmapEntry *entries;
	size_t		n;
} Mailmap;

static Mailmap *
mailmap_read(Slice bytes)
{
	Mailmap    *result = palloc0(sizeof(Mailmap));
	text	   *all = text_of_git(bytes, false);
	Slice		rest = {VARDATA_ANY(all), VARSIZE_ANY_EXHDR(all)};
	int			line = 0;
	size_t		room = 64;
	MailmapEntry entry;

	result->bytes = (Slice) {palloc(bytes.len + 1), bytes.len};
	memcpy(unconstify(char *, result->bytes.data), bytes.data, bytes.len);
	result->entries = palloc(room * sizeof(MailmapEntry));
	while (mailmap_next(&rest, &line, &entry))
	{
		if (result->n == room)
		{
			room *= 2;
			result->entries = repalloc_huge(result->entries, room * sizeof(MailmapEntry));
		}
		result->entries[result->n++] = entry;
	}
	mailmap_sort(result->entries, result->n);
	return result;
}

PG_FUNCTION_INFO_V1(mailmap_lookup_sql);
Datum
mailmap_lookup_sql(PG_FUNCTION_ARGS)
{
	Mailmap    *mailmap = fcinfo->flinfo->fn_extra;
	bytea	   *bytes_arg = PG_GETARG_BYTEA_PP(0);
	Slice		bytes = {VARDATA_ANY(bytes_arg), VARSIZE_ANY_EXHDR(bytes_arg)};
	Slice		name;
	Slice		email;
	text	   *name_arg = PG_GETARG_TEXT_PP(1);
	text	   *email_arg = PG_GETARG_TEXT_PP(2);
	TupleDesc	tuple_desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	/* read once for all rows that have the same, each in its own context */
	if (mailmap == NULL || !same_slice(mailmap->bytes, bytes))
	{
		MemoryContext context;
		MemoryContext old;

		if (mailmap != NULL)
		{
			fcinfo->flinfo->fn_extra = NULL;
			MemoryContextDelete(GetMemoryChunkContext(mailmap));
		}
		context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "mailmap", ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(context);
		mailmap = mailmap_read(bytes);
		fcinfo->flinfo->fn_extra = mailmap;
		MemoryContextSwitchTo(old);
	}
	name = (Slice) {VARDATA_ANY(name_arg), VARSIZE_ANY_EXHDR(name_arg)};
	email = (Slice) {VARDATA_ANY(email_arg), VARSIZE_ANY_EXHDR(email_arg)};
	mailmap_lookup(mailmap->entries, mailmap->n, &name, &email);
	values[0] = PointerGetDatum(cstring_to_text_with_len(name.data, name.len));
	values[1] = PointerGetDatum(cstring_to_text_with_len(email.data, email.len));
	if (get_call_result_type(fcinfo, NULL, &tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tuple_desc), values, nulls)));
}

/* ----------
 * Importers
 * ----------
 */

/*
 * The identities of project $1, with the names that mailmap $2 gives them, where
 * it gives one of those who then have the same a new one.
 */
#define MAPPED \
	"seen AS MATERIALIZED (" \
	"SELECT DISTINCT c.identity_id FROM sharecollab.contribution AS c WHERE c.project_id = $1)," \
	" mapped AS MATERIALIZED (" \
	"SELECT m.identity_id, m.proper, m.kind FROM (" \
	"SELECT i.identity_id, n.proper, pg_catalog.bool_or(i.account <> n.proper) OVER same AS changed," \
	" CASE WHEN pg_catalog.bool_and(i.kind = 'bot') OVER same THEN 'bot' ELSE 'person' END AS kind" \
	" FROM seen, LATERAL (" \
	"SELECT o.* FROM sharecollab.identity AS o WHERE o.identity_id = seen.identity_id OFFSET 0) AS i," \
	" sharecollab.mailmap_lookup($2, i.name, i.email) AS m, LATERAL (" \
	"SELECT m.name || CASE WHEN m.name <> '' THEN ' ' ELSE '' END || '<' || m.email || '>' AS proper) AS n" \
	" WHERE i.platform = 'git' WINDOW same AS (PARTITION BY n.proper)) AS m WHERE m.changed)"

/*
 * Whoever says whose an identity is locks it, so that the links which follow
 * are made with a look at what others have said.
 */
#define WRITE_PARTIES \
	"WITH " MAPPED "," \
	" locked AS MATERIALIZED (" \
	"SELECT FROM sharecollab.identity AS i WHERE i.identity_id IN (SELECT m.identity_id FROM mapped AS m)" \
	" ORDER BY i.identity_id FOR NO KEY UPDATE)" \
	" INSERT INTO sharecollab.party (name, kind) SELECT DISTINCT m.proper, m.kind FROM mapped AS m" \
	" LEFT JOIN LATERAL (" \
	"SELECT o.party_id FROM sharecollab.party AS o WHERE o.name = m.proper OFFSET 0) AS o ON true" \
	" WHERE (SELECT pg_catalog.count(*) FROM locked) >= 0 AND o.party_id IS NULL ORDER BY m.proper ON CONFLICT (name) DO NOTHING"

/*
 * With $3, only identities that were never linked to anybody: what people have
 * decided since stays.  Without $4, only those that contributed to none but the
 * caller's projects, see require_identity().  The insert waits for the update.
 */
#define WRITE_LINKS \
	"WITH " MAPPED "," \
	" clock AS MATERIALIZED (SELECT pg_catalog.clock_timestamp() AS now)," \
	" wanted AS MATERIALIZED (" \
	"SELECT m.identity_id, o.party_id FROM mapped AS m, LATERAL (" \
	"SELECT o.party_id FROM sharecollab.party AS o WHERE o.name = m.proper OFFSET 0) AS o" \
	" WHERE $4 OR m.identity_id NOT IN (SELECT c.identity_id FROM sharecollab.contribution AS c" \
	" WHERE NOT sharecollab.has_project_role(c.project_id, 'owner', 'maintainer')))," \
	" ended AS (" \
	"UPDATE sharecollab.identity_link AS l SET known = pg_catalog.tstzrange(lower(l.known), clock.now)" \
	" FROM clock WHERE NOT $3 AND l.project_id = $1 AND upper_inf(l.known) AND NOT EXISTS (" \
	"SELECT FROM wanted AS w WHERE w.identity_id = l.identity_id AND w.party_id = l.party_id)" \
	" RETURNING l.identity_id)," \
	" linked AS (" \
	"INSERT INTO sharecollab.identity_link (identity_id, party_id, known, project_id)" \
	" SELECT w.identity_id, w.party_id, pg_catalog.tstzrange(clock.now, NULL), $1 FROM wanted AS w, clock" \
	" WHERE (SELECT pg_catalog.count(*) FROM ended) >= 0 AND NOT EXISTS (" \
	"SELECT FROM sharecollab.identity_link AS l WHERE l.identity_id = w.identity_id AND ($3" \
	" OR upper_inf(l.known) AND NOT (l.project_id IS NOT DISTINCT FROM $1 AND l.party_id <> w.party_id)))" \
	" RETURNING identity_id)" \
	" SELECT (SELECT pg_catalog.count(*) FROM linked WHERE identity_id NOT IN (SELECT identity_id FROM ended))," \
	" (SELECT pg_catalog.count(DISTINCT identity_id) FROM ended)," \
	" (SELECT pg_catalog.count(*) FROM wanted) - (SELECT pg_catalog.count(*) FROM linked)"

/*
 * One that holds until the end of the transaction, so that imports into a
 * project come one after the other, each with a look at what is there.
 */
static SavedQuery lock_project = {
	.sql = "SELECT project_id, mailmap FROM sharecollab.project WHERE project_id = $1 FOR NO KEY UPDATE",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery keep_mailmap = {
	.sql = "UPDATE sharecollab.project SET mailmap = $2 WHERE project_id = $1 AND mailmap IS DISTINCT FROM $2",
	.nparams = 2, .types = {INT8OID, BYTEAOID}
};

static void
execute(const char *sql, int nargs, Oid *types, Datum *values, int expected)
{
	int			result = SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0);

	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
}

static void
apply_mailmap(Datum project_id, Datum mailmap, bool only_new)
{
	Oid			types[4] = {INT8OID, BYTEAOID, BOOLOID, BOOLOID};
	Datum		values[4] = {project_id, mailmap, BoolGetDatum(only_new), BoolGetDatum(is_operator())};

	execute(WRITE_PARTIES, 2, types, values, SPI_OK_INSERT);
	execute(WRITE_LINKS, 4, types, values, SPI_OK_SELECT);
}

static Datum
return_counts(FunctionCallInfo fcinfo, int64 inserted, int64 updated, int64 skipped)
{
	TupleDesc	tuple_desc;
	Datum		values[3] = {Int64GetDatum(inserted), Int64GetDatum(updated), Int64GetDatum(skipped)};
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tuple_desc), values, nulls));
}

/* The commits of a log; what cannot be read counts as nothing. */
static int64
read_git_log(Facts *facts, bytea *log, const char *on_error)
{
	GitLogState *state = git_log_begin(log, on_error);
	int64		nothing = 0;
	Datum		ref = 0;

	while (next_entry(state))
	{
		PersonEntry *person = state->person;

		if (person == NULL)
		{
			nothing++;
			continue;
		}
		if (person->identity == NULL)
			person->identity = facts_identity(facts, person->values);
		if (state->turn == TURN_COMMITTER)
			ref = PointerGetDatum(cstring_to_text_with_len(state->commit.hash.data, state->commit.hash.len));
		state->values[ENTRY_REF] = ref;
		facts_add(facts, person->identity, state->values, state->nulls);
	}
	return nothing;
}

/* The rows of a query; an event that tells nothing is one, too. */
static int64
read_event(Facts *facts, SavedQuery *query, const Datum *args)
{
	uint64		n = query_run(query, args, NULL, false);
	SPITupleTable *rows = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		Datum		values[ENTRY_COLUMNS];
		bool		nulls[ENTRY_COLUMNS];

		heap_deform_tuple(rows->vals[i], rows->tupdesc, values, nulls);
		facts_add(facts, facts_identity(facts, &values[FACT_COLUMNS]), values, nulls);
	}
	return n == 0 ? 1 : 0;
}

/*
 * Import what a source makes of the arguments after the project: a query, or
 * none for a git log.
 */
static Datum
import(FunctionCallInfo fcinfo, SavedQuery *query, const char *const *names)
{
	Datum		args[2];
	Datum		project_id;
	Datum		mailmap;
	bool		no_mailmap;
	Facts	   *facts;
	int64		total;
	int64		inserted;
	int64		updated;

	require_arguments(fcinfo, PG_NARGS(), names);
	SPI_connect();
	project_id = Int64GetDatum(project_for(PG_GETARG_TEXT_PP(0), PROJECT_MANAGER, GetLatestSnapshot()));
	if (query_run(&lock_project, &project_id, NULL, false) == 0)
		unknown_name("project", PG_GETARG_TEXT_PP(0));
	mailmap = query_value(0, 2, &no_mailmap);
	facts = facts_begin();
	if (query == NULL)
		total = read_git_log(facts, PG_GETARG_BYTEA_PP(1), text_to_cstring(PG_GETARG_TEXT_PP(2)));
	else
	{
		for (int i = 1; i < PG_NARGS(); i++)
			args[i - 1] = PG_GETARG_DATUM(i);
		total = read_event(facts, query, args);
	}
	total += facts_count(facts);
	facts_write_identities(facts);
	ereport(progress_level(),
			(errmsg("identities are written, now " INT64_FORMAT " contributions", total)));
	facts_write(facts, DatumGetInt64(project_id), &inserted, &updated);
	/* nobody is seen for the first time where nothing is */
	if (!no_mailmap && inserted > 0)
	{
		ereport(progress_level(),
				(errmsg("contributions are written, now the mailmap of the project")));
		apply_mailmap(project_id, mailmap, true);
	}
	SPI_finish();
	return return_counts(fcinfo, inserted, updated, total - inserted - updated);
}

/* import_git_log(project, log, on_error) */
PG_FUNCTION_INFO_V1(import_git_log);
Datum
import_git_log(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"project", "log", "on_error"};

	return import(fcinfo, NULL, names);
}

/* import_github(project, event, payload) */
PG_FUNCTION_INFO_V1(import_github);
Datum
import_github(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"project", "event", "payload"};
	static SavedQuery query = {
		.sql = "SELECT * FROM sharecollab.github_event($1, $2)",
		.nparams = 2, .types = {TEXTOID, JSONBOID}
	};

	return import(fcinfo, &query, names);
}

/* import_gitlab(project, payload) */
PG_FUNCTION_INFO_V1(import_gitlab);
Datum
import_gitlab(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"project", "payload"};
	static SavedQuery query = {
		.sql = "SELECT * FROM sharecollab.gitlab_event($1)",
		.nparams = 1, .types = {JSONBOID}
	};

	return import(fcinfo, &query, names);
}

/* import_registry(project, payload) */
PG_FUNCTION_INFO_V1(import_registry);
Datum
import_registry(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"project", "payload"};
	static SavedQuery query = {
		.sql = "SELECT * FROM sharecollab.registry_event($1)",
		.nparams = 1, .types = {JSONBOID}
	};

	return import(fcinfo, &query, names);
}

/* import_mailmap(project, mailmap) */
PG_FUNCTION_INFO_V1(import_mailmap);
Datum
import_mailmap(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"project", "mailmap"};
	Datum		values[2];
	int64		counts[3];

	require_arguments(fcinfo, lengthof(names), names);
	SPI_connect();
	values[0] = Int64GetDatum(project_for(PG_GETARG_TEXT_PP(0), PROJECT_MANAGER, GetLatestSnapshot()));
	if (query_run(&lock_project, values, NULL, false) == 0)
		unknown_name("project", PG_GETARG_TEXT_PP(0));
	values[1] = PG_GETARG_DATUM(1);
	/* one that says nothing new does not undo what people have decided since */
	apply_mailmap(values[0], values[1], query_run(&keep_mailmap, values, NULL, false) == 0);
	for (int i = 0; i < 3; i++)
		counts[i] = DatumGetInt64(query_value(0, i + 1, NULL));
	SPI_finish();
	return return_counts(fcinfo, counts[0], counts[1], counts[2]);
}
