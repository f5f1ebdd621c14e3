/*
 * ledger.c
 *		Double entry: what every journal must be, whatever statement writes it.
 *
 * One trigger sees all postings of a statement at once, which costs little,
 * and checks that in each journal the amounts sum to zero in every currency.
 * A journal is written by one statement: its lines are 1 to n, and the primary
 * key (journal_id, line) admits line 1 only once.
 *
 * Nothing is kept up to date by a posting, so that many can write to the same
 * account at once; except the balance of an account with a floor or ceiling,
 * which is checked under the lock of its row.
 */
#include "postgres.h"

#include "access.h"
#include "compat.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "decimal.h"
#include "guard.h"
#include "ledger.h"
#include "miscadmin.h"
#include "profile.h"
#include "query.h"
#include "storage/lmgr.h"
#include "table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* an exact amount: a mantissa of the largest scale that a decimal can have */
typedef int128 Amount;

typedef struct LedgerAccount
{
	int64		id;
	char		status;			/* simplehash's */
	bool		limited;		/* it has a floor or ceiling */
	int			currency;		/* index into the currencies of the statement */
	int64		pool_id;		/* 0: of no pool */
	Amount		change;
} LedgerAccount;

typedef struct CurrencySum
{
	int			currency;
	Amount		sum;
	struct CurrencySum *next;
} CurrencySum;

typedef struct LedgerJournal
{
	int64		id;
	char		status;			/* simplehash's */
	int32		lines;
	int32		last_line;
	TimestampTz occurred_at;
	TimestampTz recorded_at;
	CurrencySum first;			/* nearly always the only one */
} LedgerJournal;

static inline uint32
hash_id(int64 id)
{
	return hash_bytes_uint32((uint32) id ^ (uint32) (id >> 32));
}

#define SH_PREFIX accounts
#define SH_ELEMENT_TYPE LedgerAccount
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) hash_id(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX journals
#define SH_ELEMENT_TYPE LedgerJournal
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) hash_id(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* when the statement posts first to a pool */
typedef struct LedgerPool
{
	int64		id;
	TimestampTz earliest;
} LedgerPool;

/* All that a statement posts. */
typedef struct Ledger
{
	accounts_hash *accounts;
	List	   *pools;			/* of LedgerPool *, usually one */
	journals_hash *journals;
	List	   *currencies;		/* of text * */
	TableRow	account;		/* to look them up, once open */
	TableRow	journal;
} Ledger;

/*
 * Operators of those that the trigger runs are qualified, too: it pins no
 * search_path, which takes longer than to look up accounts and journal.
 */
static SavedQuery lock_account = {
	.sql = "SELECT a.balance, a.floor, a.ceiling, p.name, a.kind FROM sharecollab.account AS a"
	" JOIN sharecollab.party AS p ON p.party_id OPERATOR(pg_catalog.=) a.party_id"
	" WHERE a.account_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE OF a",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery name_of_pool = {
	.sql = "SELECT p.name FROM sharecollab.pool AS p WHERE p.pool_id OPERATOR(pg_catalog.=) $1",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery set_balance = {
	.sql = "UPDATE sharecollab.account SET balance = balance OPERATOR(pg_catalog.+) $2"
	" WHERE account_id OPERATOR(pg_catalog.=) $1",
	.nparams = 2, .types = {INT8OID, NUMERICOID}
};

/*
 * The books of a pool, as a lock: until the end of the transaction.
 */
void
lock_books(int64 pool_id, LOCKMODE mode)
{
	LockDatabaseObject(get_relname_relid("pool", get_namespace_oid("sharecollab", false)),
					   (Oid) pool_id, (uint16) (pool_id >> 32), mode);
}

/*
 * Above READ COMMITTED a transaction goes on with what it saw at first.  If
 * something was committed before it got the lock it just took, that is not all.
 */
void
require_current_snapshot(void)
{
	Snapshot	ours,
				latest;

	if (!IsolationUsesXactSnapshot())
		return;
	ours = GetTransactionSnapshot();
	latest = GetLatestSnapshot();
	if (ours->xmax != latest->xmax || ours->xcnt != latest->xcnt ||
		memcmp(ours->xip, latest->xip, ours->xcnt * sizeof(TransactionId)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to transactions that ended since this one began"),
				 errhint("The transaction might succeed if retried.")));
}

static char *
pool_name(int64 id)
{
	Datum		key = Int64GetDatum(id);

	SPI_connect();
	query_run(&name_of_pool, &key, NULL, false);
	return TextDatumGetCString(query_value(0, 1, NULL));
}

static void
add_amount(Amount *sum, Amount amount)
{
	if (unlikely(__builtin_add_overflow(*sum, amount, sum)))
		decimal_overflow();
}

static int
currency_index(Ledger *ledger, text *currency)
{
	ListCell   *cell;

	foreach(cell, ledger->currencies)
	{
		text	   *other = lfirst(cell);

		if (VARSIZE_ANY_EXHDR(other) == VARSIZE_ANY_EXHDR(currency) &&
			memcmp(VARDATA_ANY(other), VARDATA_ANY(currency), VARSIZE_ANY_EXHDR(other)) == 0)
			return foreach_current_index(cell);
	}
	ledger->currencies = lappend(ledger->currencies,
								 DatumGetTextPCopy(PointerGetDatum(currency)));
	return list_length(ledger->currencies) - 1;
}

static bool
look_up(TableRow *row, const char *table, const char *index, int64 id)
{
	ScanKeyData key;

	key_int8(&key, 1, id);
	if (row->heap == NULL)
		row_open(row, table, index, GetLatestSnapshot(), &key, 1);
	else
		row_again(row, &key, 1);
	return row_next(row);
}

pg_noreturn static void
no_account(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("account " INT64_FORMAT " does not exist", id)));
}

static LedgerAccount *
find_account(Ledger *ledger, int64 id)
{
	bool		found;
	LedgerAccount *account = accounts_insert(ledger->accounts, id, &found);

	if (!found)
	{
		bool		no_floor,
					no_ceiling,
					no_pool;
		Datum		pool;

		if (!look_up(&ledger->account, "account", "account_pkey", id))
			no_account(id);
		account->currency = currency_index(ledger, DatumGetTextPP(row_column(&ledger->account, "currency", &no_floor)));
		row_column(&ledger->account, "floor", &no_floor);
		row_column(&ledger->account, "ceiling", &no_ceiling);
		pool = row_column(&ledger->account, "pool_id", &no_pool);
		/* what is not of the caller's pools is not there */
		if (!is_operator() && (no_pool || !(pool_roles(DatumGetInt64(pool)) & POOL_STEWARD)))
			no_account(id);
		account->limited = !no_floor || !no_ceiling;
		account->pool_id = no_pool ? 0 : DatumGetInt64(pool);
		account->change = 0;
	}
	return account;
}

static LedgerJournal *
add_journal(Ledger *ledger, int64 id, TimestampTz occurred_at, TimestampTz recorded_at)
{
	bool		found;
	LedgerJournal *journal = journals_insert(ledger->journals, id, &found);

	journal->occurred_at = occurred_at;
	journal->recorded_at = recorded_at;
	journal->lines = journal->last_line = 0;
	return journal;
}

static LedgerJournal *
find_journal(Ledger *ledger, int64 id)
{
	LedgerJournal *journal = journals_lookup(ledger->journals, id);
	bool		isnull;

	if (journal != NULL)
		return journal;
	if (!look_up(&ledger->journal, "journal", "journal_pkey", id))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("journal " INT64_FORMAT " does not exist", id)));
	return add_journal(ledger, id, DatumGetTimestampTz(row_column(&ledger->journal, "occurred_at", &isnull)),
					   DatumGetTimestampTz(row_column(&ledger->journal, "recorded_at", &isnull)));
}

static LedgerPool *
find_pool(Ledger *ledger, int64 id)
{
	ListCell   *cell;

	foreach(cell, ledger->pools)
	{
		LedgerPool *pool = lfirst(cell);

		if (pool->id == id)
			return pool;
	}
	return NULL;
}

static void
add_pool(Ledger *ledger, int64 id, TimestampTz at)
{
	LedgerPool *pool = find_pool(ledger, id);

	if (pool == NULL)
	{
		pool = palloc(sizeof(LedgerPool));
		pool->id = id;
		pool->earliest = at;
		ledger->pools = lappend(ledger->pools, pool);
	}
	pool->earliest = Min(pool->earliest, at);
}

/*
 * Take note of a posting; the checks that need no other posting are here.
 */
static void
add_posting(Ledger *ledger, int64 journal_id, int32 line, int64 account_id,
			TimestampTz occurred_at, TimestampTz recorded_at, Decimal value)
{
	LedgerAccount *account = find_account(ledger, account_id);
	LedgerJournal *journal = find_journal(ledger, journal_id);
	CurrencySum *sum = &journal->first;
	Amount		amount = value.mantissa;

	if (journal->lines++ == 0)
		journal->first = (CurrencySum) {.currency = account->currency};
	if (journal->occurred_at != occurred_at || journal->recorded_at != recorded_at)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a posting of journal " INT64_FORMAT " has not the times of its journal", journal_id)));
	while (sum->currency != account->currency)
	{
		if (sum->next == NULL)
		{
			sum->next = palloc0(sizeof(CurrencySum));
			sum->next->currency = account->currency;
		}
		sum = sum->next;
	}
	if (!decimal128_rescale(&amount, value.scale, DECIMAL_MAX_SCALE))
		decimal_overflow();
	add_amount(&sum->sum, amount);
	add_amount(&account->change, amount);
	if (account->pool_id != 0)
		add_pool(ledger, account->pool_id, occurred_at);
	journal->last_line = Max(journal->last_line, line);
}

static void
read_postings(Ledger *ledger, TriggerData *trigger)
{
	Relation	relation = trigger->tg_relation;
	AttrNumber	columns[] = {
		column_number(relation, "journal_id"), column_number(relation, "line"), column_number(relation, "account_id"),
		column_number(relation, "occurred_at"), column_number(relation, "recorded_at"), column_number(relation, "amount")
	};
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);

	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, slot))
	{
		Datum		value[lengthof(columns)];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		/* none of the columns can be null */
		for (size_t i = 0; i < lengthof(columns); i++)
			value[i] = slot_getattr(slot, columns[i], &isnull);
		add_posting(ledger, DatumGetInt64(value[0]), DatumGetInt32(value[1]), DatumGetInt64(value[2]),
					DatumGetTimestampTz(value[3]), DatumGetTimestampTz(value[4]), decimal_arg(value[5], "amount"));
	}
	ExecDropSingleTupleTableSlot(slot);
}

static Datum
amount_numeric(Amount amount)
{
	return DirectFunctionCall1(numeric_trim_scale, decimal128_get_numeric(amount, DECIMAL_MAX_SCALE));
}

/*
 * Of several journals that are wrong, the first is named, in every run.
 */
static void
check_journals(Ledger *ledger)
{
	LedgerJournal *journal,
			   *wrong = NULL;
	journals_iterator iterator;

	journals_start_iterate(ledger->journals, &iterator);
	while ((journal = journals_iterate(ledger->journals, &iterator)) != NULL)
	{
		bool		right = journal->last_line == journal->lines;

		for (CurrencySum *sum = &journal->first; sum != NULL; sum = sum->next)
			right = right && sum->sum == 0;
		if (!right && (wrong == NULL || journal->id < wrong->id))
			wrong = journal;
	}
	if (wrong == NULL)
		return;
	for (CurrencySum *sum = &wrong->first; sum != NULL; sum = sum->next)
	{
		if (sum->sum != 0)
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("journal " INT64_FORMAT " does not balance", wrong->id),
					 errdetail("Its postings in %s sum to %s.",
							   text_to_cstring(list_nth(ledger->currencies, sum->currency)),
							   DatumGetCString(DirectFunctionCall1(numeric_out, amount_numeric(sum->sum)))),
					 errhint("All postings of a journal are written by one statement.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("journal " INT64_FORMAT " is not complete", wrong->id),
			 errdetail("It has %d lines, and the last of them is number %d.", wrong->lines, wrong->last_line),
			 errhint("All postings of a journal are written by one statement.")));
}

static int
compare_accounts(const void *a, const void *b)
{
	const LedgerAccount *x = *(LedgerAccount *const *) a;
	const LedgerAccount *y = *(LedgerAccount *const *) b;

	return (x->id > y->id) - (x->id < y->id);
}

static void
refuse_limit(Datum balance, Datum limit, const char *what)
{
	query_hide_context();
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_BALANCE),
			 errmsg("account %s of \"%s\" would pass its %s",
					TextDatumGetCString(query_value(0, 5, NULL)), TextDatumGetCString(query_value(0, 4, NULL)), what),
			 errdetail("Its balance would be %s, and its %s is %s.",
					   DatumGetCString(DirectFunctionCall1(numeric_out, balance)), what,
					   DatumGetCString(DirectFunctionCall1(numeric_out, limit)))));
}

/*
 * Accounts with a floor or ceiling: in the order of their keys, so that two
 * statements cannot wait for each other.
 */
static void
check_limits(Ledger *ledger)
{
	LedgerAccount **limited = palloc(ledger->accounts->members * sizeof(LedgerAccount *));
	LedgerAccount *account;
	accounts_iterator iterator;
	int			n = 0;

	accounts_start_iterate(ledger->accounts, &iterator);
	while ((account = accounts_iterate(ledger->accounts, &iterator)) != NULL)
	{
		if (account->limited)
			limited[n++] = account;
	}
	if (n == 0)
		return;
	qsort(limited, n, sizeof(LedgerAccount *), compare_accounts);
	SPI_connect();
	for (int i = 0; i < n; i++)
	{
		Datum		values[] = {
			Int64GetDatum(limited[i]->id), amount_numeric(limited[i]->change)
		};
		Datum		balance,
					limit;
		bool		isnull;

		/* policies may hide it, or its party, from who writes postings by SQL */
		if (query_run(&lock_account, values, NULL, false) == 0)
			no_account(limited[i]->id);
		balance = DirectFunctionCall2(numeric_add, query_value(0, 1, NULL), values[1]);
		limit = query_value(0, 2, &isnull);
		if (!isnull && DatumGetBool(DirectFunctionCall2(numeric_lt, balance, limit)) && limited[i]->change < 0)
			refuse_limit(balance, limit, "floor");
		limit = query_value(0, 3, &isnull);
		if (!isnull && DatumGetBool(DirectFunctionCall2(numeric_gt, balance, limit)) && limited[i]->change > 0)
			refuse_limit(balance, limit, "ceiling");
		query_run(&set_balance, values, NULL, false);
	}
	SPI_finish();
}

static int
compare_pools(const ListCell *a, const ListCell *b)
{
	const LedgerPool *x = lfirst(a);
	const LedgerPool *y = lfirst(b);

	return (x->id > y->id) - (x->id < y->id);
}

/*
 * Up to when the books of a pool are closed; false if they never were.
 */
static bool
closed_until(int64 pool_id, Snapshot snapshot, TimestampTz *until)
{
	TableRow	period;
	ScanKeyData key;
	bool		found;

	key_int8(&key, 1, pool_id);
	row_open(&period, "billing_period", "billing_period_closed_idx", snapshot, &key, 1);
	found = row_last(&period);
	if (found)
	{
		bool		isnull;

		*until = span_arg(row_column(&period, "during", &isnull)).until;
	}
	row_close(&period);
	return found;
}

/*
 * Before an account is inserted.  A closing opens accounts too: it must not find
 * one that is not committed, whose transaction then waits for the books.
 */
PG_FUNCTION_INFO_V1(hold_books);
Datum
hold_books(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_insert_trigger(fcinfo, "hold_books");
	Datum		pool;
	bool		isnull;

	pool = heap_getattr(trigger->tg_trigtuple, column_number(trigger->tg_relation, "pool_id"),
						RelationGetDescr(trigger->tg_relation), &isnull);
	if (!isnull && !is_restore(trigger))
		lock_books(DatumGetInt64(pool), RowExclusiveLock);
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * Nothing enters a closed period.  Who posts to a pool holds its books until
 * the end of the transaction, together with others who do; who closes them
 * holds them alone.  So what is seen here, with a snapshot that is taken after
 * the lock, is final.
 */
static void
check_books(Ledger *ledger)
{
	ListCell   *cell;

	list_sort(ledger->pools, compare_pools);
	foreach(cell, ledger->pools)
	{
		LedgerPool *pool = lfirst(cell);
		TimestampTz until;

		lock_books(pool->id, RowExclusiveLock);
		if (closed_until(pool->id, GetLatestSnapshot(), &until) && pool->earliest < until)
			ereport(ERROR,
					(errcode(ERRCODE_BOOKS_CLOSED),
					 errmsg("the books of pool \"%s\" are closed until %s",
							pool_name(pool->id), timestamptz_to_str(until)),
					 errdetail("The journal occurred at %s.", timestamptz_to_str(pool->earliest)),
					 errhint("Post it at a time that is not closed yet; a correction goes there, too.")));
	}
}

static Ledger
ledger_begin(void)
{
	/* accounts and journals that the same statement made, or others just did */
	CommandCounterIncrement();
	return (Ledger) {
		.accounts = accounts_create(CurrentMemoryContext, 8, NULL),
		.journals = journals_create(CurrentMemoryContext, 1, NULL)
	};
}

/* The checks that need all postings. */
static void
ledger_end(Ledger *ledger)
{
	if (ledger->account.heap != NULL)
		row_close(&ledger->account);
	if (ledger->journal.heap != NULL)
		row_close(&ledger->journal);
	check_journals(ledger);
	check_books(ledger);
	check_limits(ledger);
}

PG_FUNCTION_INFO_V1(posting_check);
Datum
posting_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = require_trigger(fcinfo, "posting");
	Ledger		ledger;

	if (is_restore(trigger))
		return PointerGetDatum(NULL);
	ledger = ledger_begin();
	read_postings(&ledger, trigger);
	ledger_end(&ledger);
	return PointerGetDatum(NULL);
}

/* ----------
 * Verbs
 * ----------
 */

#define INSERT_JOURNAL(on_conflict) { \
	.sql = "WITH journal AS (" \
	"INSERT INTO sharecollab.journal (pool_id, kind, source, source_key, occurred_at, description)" \
	" VALUES ($1, $2, $3, $4, coalesce($5, pg_catalog.now()), $6)" \
	on_conflict " RETURNING journal_id, occurred_at, recorded_at), posting AS (" \
	"INSERT INTO sharecollab.posting (journal_id, line, account_id, occurred_at, recorded_at, amount)" \
	" SELECT j.journal_id, l.line, l.account_id, j.occurred_at, j.recorded_at, l.amount" \
	" FROM journal AS j, unnest($7, $8) WITH ORDINALITY AS l (account_id, amount, line))" \
	" SELECT j.journal_id FROM journal AS j", \
	.nparams = 8, \
	.types = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID} \
}

/* that it may be there already costs, and only one with keys can be */
static SavedQuery insert_journal = INSERT_JOURNAL("");
static SavedQuery insert_journal_once = INSERT_JOURNAL(" ON CONFLICT (source, source_key) DO NOTHING");

/* what differs, if anything: NULL if nothing does */
static SavedQuery same_journal = {
	.sql = "SELECT j.journal_id, CASE"
	" WHEN j.pool_id IS DISTINCT FROM $1 THEN 'pool'"
	" WHEN j.kind <> $2 THEN 'kind'"
	" WHEN j.occurred_at <> $5 THEN 'time'"
	" WHEN j.description IS DISTINCT FROM $6 THEN 'description'"
	" WHEN (SELECT pg_catalog.array_agg(p.account_id ORDER BY p.line) FROM sharecollab.posting AS p"
	" WHERE p.journal_id = j.journal_id) IS DISTINCT FROM $7 THEN 'accounts'"
	" WHEN (SELECT pg_catalog.array_agg(p.amount ORDER BY p.line) FROM sharecollab.posting AS p"
	" WHERE p.journal_id = j.journal_id) IS DISTINCT FROM $8 THEN 'amounts' END"
	" FROM sharecollab.journal AS j WHERE j.source = $3 AND j.source_key = $4",
	.nparams = 8,
	.types = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID}
};

static SavedQuery insert_reversal = {
	.sql = "WITH journal AS ("
	"INSERT INTO sharecollab.journal (pool_id, kind, occurred_at, description, reverses)"
	" SELECT o.pool_id, 'reversal', coalesce($2, greatest(o.occurred_at, pg_catalog.now())), $3, o.journal_id"
	" FROM sharecollab.journal AS o WHERE o.journal_id = $1 AND coalesce($2 >= o.occurred_at, true)"
	" ON CONFLICT (reverses) DO NOTHING RETURNING journal_id, occurred_at, recorded_at), posting AS ("
	"INSERT INTO sharecollab.posting (journal_id, line, account_id, occurred_at, recorded_at, amount, charge_id)"
	" SELECT j.journal_id, o.line, o.account_id, j.occurred_at, j.recorded_at, -o.amount, o.charge_id"
	" FROM journal AS j, sharecollab.posting AS o WHERE o.journal_id = $1)"
	" SELECT j.journal_id FROM journal AS j",
	.nparams = 3, .types = {INT8OID, TIMESTAMPTZOID, TEXTOID}
};

static SavedQuery reversal_of = {
	.sql = "SELECT j.journal_id FROM sharecollab.journal AS j WHERE j.reverses = $1",
	.nparams = 1, .types = {INT8OID}
};

static SavedQuery journal_time = {
	.sql = "SELECT j.occurred_at::pg_catalog.text FROM sharecollab.journal AS j WHERE j.journal_id = $1",
	.nparams = 1, .types = {INT8OID}
};

/* A journal must be in books that the caller may write. */
static void
require_journal(int64 id)
{
	TableRow	row;
	ScanKeyData key;
	bool		isnull;
	bool		found;
	int64		pool_id;

	key_int8(&key, 1, id);
	row_open(&row, "journal", "journal_pkey", GetLatestSnapshot(), &key, 1);
	found = row_next(&row);
	if (found && !is_operator())
	{
		pool_id = DatumGetInt64(row_column(&row, "pool_id", &isnull));
		found = !isnull && (pool_roles(pool_id) & POOL_STEWARD);
	}
	row_close(&row);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("journal " INT64_FORMAT " does not exist", id)));
}

/* arguments of post_journal(), as those of the statements above */
enum
{
	POST_POOL, POST_KIND, POST_SOURCE, POST_SOURCE_KEY, POST_OCCURRED_AT, POST_DESCRIPTION, POST_ACCOUNTS, POST_AMOUNTS,
	POST_ARGUMENTS
};

static const MadeColumn journal_columns[] = {
	{"journal_id", INT8OID}, {"pool_id", INT8OID}, {"kind", TEXTOID}, {"source", TEXTOID}, {"source_key", TEXTOID},
	{"occurred_at", TIMESTAMPTZOID}, {"recorded_at", TIMESTAMPTZOID}, {"recorded_by", TEXTOID}, {"description", TEXTOID},
	{"reverses", INT8OID}
};

static const MadeColumn posting_columns[POSTING_COLUMNS] = {
	[POSTING_JOURNAL_ID] = {"journal_id", INT8OID},
	[POSTING_LINE] = {"line", INT4OID},
	[POSTING_ACCOUNT_ID] = {"account_id", INT8OID},
	[POSTING_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID},
	[POSTING_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID},
	[POSTING_AMOUNT] = {"amount", NUMERICOID},
	[POSTING_CHARGE_ID] = {"charge_id", INT8OID}
};

/* Does an INSERT insert rows, and nothing else happens than posting_check()? */
bool
is_plain_posting(Relation posting)
{
	return is_plain_table(posting, "balance", 0) && is_as_made(posting, posting_columns, lengthof(posting_columns), 0);
}

/*
 * Would the statement insert rows, as post_rows() does, and nothing else happen?
 * Not if somebody has put a trigger, a column or a default on the tables, or
 * made their owner be bound by policies.
 */
static bool
can_post_rows(Relation journal, Relation posting)
{
	return is_plain_table(journal, NULL, 2) && is_as_made(journal, journal_columns, lengthof(journal_columns), 2) &&
		is_plain_posting(posting);
}

struct PostingInsert
{
	MemoryContext context;
	RowInsert	insert;
	Ledger		ledger;
};

/*
 * Insert postings of journals that are there, with the checks that the trigger
 * makes of those of one statement.
 */
PostingInsert *
postings_begin(Relation posting)
{
	PostingInsert *postings = palloc(sizeof(PostingInsert));

	postings->context = CurrentMemoryContext;
	insert_begin(&postings->insert, posting, false);
	postings->ledger = ledger_begin();
	return postings;
}

/* a row in the order of the table's columns; what it points to need not live on */
void
postings_add(PostingInsert *postings, const NullableDatum *row)
{
	MemoryContext old;

	/* which refuses nulls */
	insert_row(&postings->insert, row);
	insert_keep(&postings->insert);
	old = MemoryContextSwitchTo(postings->context);
	add_posting(&postings->ledger, DatumGetInt64(row[POSTING_JOURNAL_ID].value), DatumGetInt32(row[POSTING_LINE].value),
				DatumGetInt64(row[POSTING_ACCOUNT_ID].value), DatumGetTimestampTz(row[POSTING_OCCURRED_AT].value),
				DatumGetTimestampTz(row[POSTING_RECORDED_AT].value), decimal_arg(row[POSTING_AMOUNT].value, "amount"));
	MemoryContextSwitchTo(old);
}

void
postings_end(PostingInsert *postings)
{
	insert_end(&postings->insert);
	ledger_end(&postings->ledger);
}

/*
 * The foreign key of a journal, as its trigger would look it up and lock it.
 */
static void
hold_pool(int64 id)
{
	TableRow	pool;
	ScanKeyData key;
	TM_FailureData failure;

	table_close(open_own_table("pool", RowShareLock), NoLock);
	key_int8(&key, 1, id);
	row_open(&pool, "pool", "pool_pkey", GetLatestSnapshot(), &key, 1);
	if (!row_next(&pool) ||
		table_tuple_lock(pool.heap, &pool.slot->tts_tid, pool.snapshot, pool.slot, GetCurrentCommandId(false), LockTupleKeyShare,
						 LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure) != TM_Ok)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("pool " INT64_FORMAT " does not exist", id)));
	row_close(&pool);
}

/*
 * A journal and its postings: without the executor, which takes longer than all
 * the rest, and with the checks that the trigger makes.  False, and nothing is
 * done, if there is one with its source and key: the statement says what then.
 */
static bool
post_rows(Relation journal, Relation posting, const Datum *values, const char *nulls, int64 *id)
{
	Oid			sequence = get_relname_relid("journal_journal_id_seq", RelationGetNamespace(journal));
	bool		once = nulls[POST_SOURCE] != 'n';
	bool		inserted = true;
	TimestampTz recorded_at = GetCurrentTransactionStartTimestamp();
	TimestampTz occurred_at = nulls[POST_OCCURRED_AT] == 'n' ? recorded_at : DatumGetTimestampTz(values[POST_OCCURRED_AT]);
	NullableDatum row[] = {
		{0, true}, {values[POST_POOL], nulls[POST_POOL] == 'n'}, {values[POST_KIND], false},
		{values[POST_SOURCE], !once}, {values[POST_SOURCE_KEY], !once},
		{TimestampTzGetDatum(occurred_at), false}, {TimestampTzGetDatum(recorded_at), false},
		{PointerGetDatum(caller_name()), false}, {values[POST_DESCRIPTION], nulls[POST_DESCRIPTION] == 'n'}, {0, true}
	};
	Ledger		ledger;
	RowInsert	insert;
	Datum	   *accounts,
			   *amounts;
	bool	   *account_nulls,
			   *amount_nulls;
	int			n;

	insert_begin(&insert, journal, once);
	if (once)
		inserted = insert_row_once(&insert, row, column_number(journal, "source"), column_number(journal, "source_key"), sequence, id);
	else
	{
		*id = nextval_internal(sequence, false);
		row[0] = (NullableDatum) {Int64GetDatum(*id), false};
		insert_row(&insert, row);
	}
	insert_end(&insert);
	if (!inserted)
		return false;

	deconstruct_array(DatumGetArrayTypeP(values[POST_ACCOUNTS]), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &accounts, &account_nulls, &n);
	deconstruct_array(DatumGetArrayTypeP(values[POST_AMOUNTS]), NUMERICOID, -1, false, TYPALIGN_INT, &amounts, &amount_nulls, &n);
	insert_begin(&insert, posting, false);
	for (int i = 0; i < n; i++)
		insert_row(&insert, (NullableDatum[]) {
			{Int64GetDatum(*id), false}, {Int32GetDatum(i + 1), false}, {accounts[i], account_nulls[i]},
			{TimestampTzGetDatum(occurred_at), false}, {TimestampTzGetDatum(recorded_at), false}, {amounts[i], amount_nulls[i]}, {0, true}
		});
	insert_end(&insert);

	ledger = ledger_begin();
	add_journal(&ledger, *id, occurred_at, recorded_at);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_posting(&ledger, *id, i + 1, DatumGetInt64(accounts[i]), occurred_at, recorded_at, decimal_arg(amounts[i], "amount"));
	}
	/* accounts stay, and so does a pool that has one */
	if (nulls[POST_POOL] != 'n' && find_pool(&ledger, DatumGetInt64(values[POST_POOL])) == NULL)
		hold_pool(DatumGetInt64(values[POST_POOL]));
	ledger_end(&ledger);
	return true;
}

/*
 * post_journal(kind, accounts, amounts, pool, source, source_key, occurred_at,
 * description)
 */
PG_FUNCTION_INFO_V1(journal_post);
Datum
journal_post(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"kind", "accounts", "amounts"};
	static const int argument[POST_ARGUMENTS] = {3, 0, 4, 5, 6, 7, 1, 2};
	Datum		values[POST_ARGUMENTS];
	char		nulls[POST_ARGUMENTS + 1] = "        ";
	Relation	journal,
				posting;
	bool		same;
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	if (ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(1)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(1))) !=
		ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(2)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(2))))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be as many amounts as accounts")));
	if (ARR_NDIM(PG_GETARG_ARRAYTYPE_P(1)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a journal must have postings")));
	if (PG_ARGISNULL(4) != PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source and source_key go together")));
	for (int i = 0; i < POST_ARGUMENTS; i++)
	{
		values[i] = PG_GETARG_DATUM(argument[i]);
		if (PG_ARGISNULL(argument[i]))
			nulls[i] = 'n';
	}
	values[POST_POOL] = Int64GetDatum(books_for(PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3), GetLatestSnapshot()));
	if (!PG_ARGISNULL(4))
		require_source(PG_GETARG_TEXT_PP(4), PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
	PreventCommandIfReadOnly("INSERT");
	journal = open_own_table("journal", RowExclusiveLock);
	posting = open_own_table("posting", RowExclusiveLock);
	if (!can_post_rows(journal, posting) || !post_rows(journal, posting, values, nulls, &result))
	{
		SPI_connect();
		if (query_run(PG_ARGISNULL(4) ? &insert_journal : &insert_journal_once, values, nulls, false) == 0)
		{
			query_run(&same_journal, values, nulls, false);
			query_value(0, 2, &same);
			if (!same)
				ereport(ERROR,
						(errcode(ERRCODE_UNIQUE_VIOLATION),
						 errmsg("journal \"%s\" of \"%s\" was posted before, and differently",
								text_to_cstring(PG_GETARG_TEXT_PP(5)), text_to_cstring(PG_GETARG_TEXT_PP(4))),
						 errdetail("This differs from journal " INT64_FORMAT " in its %s.",
								   DatumGetInt64(query_value(0, 1, NULL)), TextDatumGetCString(query_value(0, 2, NULL)))));
		}
		result = DatumGetInt64(query_value(0, 1, NULL));
		SPI_finish();
	}
	table_close(posting, NoLock);
	table_close(journal, NoLock);
	PG_RETURN_INT64(result);
}

/* reverse_journal(journal, occurred_at, description) */
PG_FUNCTION_INFO_V1(journal_reverse);
Datum
journal_reverse(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"journal"};
	Datum		values[3];
	char		nulls[4] = "   ";
	int64		result;

	require_arguments(fcinfo, lengthof(names), names);
	query_arguments(fcinfo, 0, 3, values, nulls);
	require_journal(PG_GETARG_INT64(0));
	SPI_connect();
	if (query_run(&insert_reversal, values, nulls, false) == 0 &&
		query_run(&reversal_of, values, NULL, false) == 0)
	{
		query_run(&journal_time, values, NULL, false);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("journal " INT64_FORMAT " cannot be taken back before it happened", PG_GETARG_INT64(0)),
				 errdetail("It occurred at %s.", TextDatumGetCString(query_value(0, 1, NULL)))));
	}
	result = DatumGetInt64(query_value(0, 1, NULL));
	SPI_finish();
	PG_RETURN_INT64(result);
}

static SavedQuery set_limits = {
	.sql = "UPDATE sharecollab.account SET floor = $2, ceiling = $3, balance = CASE WHEN $2 IS NOT NULL OR $3 IS NOT NULL"
	" THEN (SELECT coalesce(pg_catalog.sum(p.amount), 0) FROM sharecollab.posting AS p WHERE p.account_id = $1) END"
	" WHERE account_id = $1 RETURNING account_id",
	.nparams = 3, .types = {INT8OID, NUMERICOID, NUMERICOID}
};

/*
 * set_limits(account, floor, ceiling): others who post at the moment may not
 * know yet that the balance is kept, so that it must be counted after them.
 */
PG_FUNCTION_INFO_V1(account_set_limits);
Datum
account_set_limits(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"account"};
	Datum		values[3];
	char		nulls[4] = "   ";
	Relation	posting;

	require_arguments(fcinfo, lengthof(names), names);
	query_arguments(fcinfo, 0, 3, values, nulls);
	posting = open_own_table("posting", ShareRowExclusiveLock);
	table_close(posting, NoLock);
	require_current_snapshot();
	SPI_connect();
	if (query_run(&set_limits, values, nulls, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("account " INT64_FORMAT " does not exist", PG_GETARG_INT64(0))));
	SPI_finish();
	PG_RETURN_VOID();
}

static SavedQuery rate_at = {
	.sql = "SELECT r.rate FROM sharecollab.exchange_rate AS r"
	" WHERE r.base = $1 AND r.quote = $2 AND r.at <= $3 AND r.recorded_at <= $4"
	" ORDER BY r.at DESC, r.recorded_at DESC LIMIT 1",
	.nparams = 4, .types = {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

PG_FUNCTION_INFO_V1(exchange_rate_at);
Datum
exchange_rate_at(PG_FUNCTION_ARGS)
{
	Datum		values[4];
	Datum		result;

	for (int i = 0; i < 4; i++)
		values[i] = PG_GETARG_DATUM(i);
	SPI_connect();
	if (query_run(&rate_at, values, NULL, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no rate from %s to %s at %s",
						text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)),
						timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(2))),
				 errhint("Rates are rows of table exchange_rate.")));
	result = SPI_datumTransfer(query_value(0, 1, NULL), false, -1);
	SPI_finish();
	return result;
}
