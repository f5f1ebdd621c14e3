-- 52-ledger.sql
--		Double entry: accounts, journals and their postings, exchange rates.
--		C code: src/ledger.c

-- An amount is positive for a debit, negative for a credit. What others owe is
-- a debit (receivable), what is owed to others a credit (payable).
CREATE TABLE account (
	account_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	party_id	bigint NOT NULL REFERENCES party,
	pool_id		bigint REFERENCES pool,
	kind		text NOT NULL CHECK (kind IN ('receivable', 'payable', 'fee', 'contributors', 'held', 'prepaid', 'cash', 'fx', 'rounding', 'breakage')),
	currency	text NOT NULL CHECK (currency <> ''),
	floor		numeric CHECK (floor > '-Infinity' AND floor < 'Infinity'),
	ceiling		numeric CHECK (ceiling > '-Infinity' AND ceiling < 'Infinity'),
	balance		numeric CHECK (balance > '-Infinity' AND balance < 'Infinity'),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	UNIQUE NULLS NOT DISTINCT (party_id, pool_id, kind, currency),
	CHECK (floor <= ceiling),
	CHECK ((balance IS NULL) = (floor IS NULL AND ceiling IS NULL))
);
CREATE INDEX account_pool_id_idx ON account (pool_id);
ALTER TABLE account OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('account', '');
SELECT pg_catalog.pg_extension_config_dump('account_account_id_seq', '');

COMMENT ON TABLE account IS 'What a party has to do with the money of a pool, in one currency. Its balance is the sum of its postings: debits are positive, credits negative.';
COMMENT ON COLUMN account.account_id IS 'Key.';
COMMENT ON COLUMN account.party_id IS 'Whose account it is.';
COMMENT ON COLUMN account.pool_id IS 'The pool; NULL for an account that is of no pool.';
COMMENT ON COLUMN account.kind IS 'receivable (what the party owes for what it used), payable (what it has earned by what it supplied), fee (what the steward has earned), contributors (what a contributor has earned; of the steward, what is kept for contributors whom nobody is linked to), prepaid (what the party paid in advance), held (what of it is held as a deposit), cash (money that the party keeps for the pool), fx (exchange of currencies), rounding, breakage (what was prepaid and never used).';
COMMENT ON COLUMN account.currency IS 'An ISO 4217 code or the name of a virtual currency.';
COMMENT ON COLUMN account.floor IS 'The least balance that postings may lead to; NULL for no limit. Error SC007 beyond it.';
COMMENT ON COLUMN account.ceiling IS 'The largest balance that postings may lead to; NULL for no limit. With a ceiling of 0, a prepaid account cannot be overdrawn. Error SC007 beyond it.';
COMMENT ON COLUMN account.balance IS 'The sum of the account''s postings, kept only where there is a floor or ceiling to check it against; else NULL, so that many can post to the account at once.';
COMMENT ON COLUMN account.recorded_at IS 'When the row was written.';

CREATE TABLE journal (
	journal_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pool_id		bigint REFERENCES pool,
	kind		text NOT NULL CHECK (kind IN ('invoice', 'distribution', 'payment', 'payout', 'hold', 'capture', 'release', 'exchange', 'settlement', 'reversal', 'transfer')),
	source		text,
	source_key	text,
	occurred_at	timestamptz NOT NULL CHECK (isfinite(occurred_at)),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	recorded_by	text NOT NULL DEFAULT calling_role(),
	description	text,
	reverses	bigint UNIQUE REFERENCES journal CHECK (reverses <> journal_id),
	UNIQUE (source, source_key),
	CHECK ((source IS NULL) = (source_key IS NULL)),
	CHECK ((reverses IS NULL) = (kind <> 'reversal'))
);
CREATE INDEX journal_pool_id_idx ON journal (pool_id);
ALTER TABLE journal OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('journal', '');
SELECT pg_catalog.pg_extension_config_dump('journal_journal_id_seq', '');

COMMENT ON TABLE journal IS 'Something that happened to money: its postings sum to zero in every currency. Never changed: a mistake is reversed.';
COMMENT ON COLUMN journal.journal_id IS 'Key.';
COMMENT ON COLUMN journal.pool_id IS 'The pool it is about; NULL for none or several.';
COMMENT ON COLUMN journal.kind IS 'What happened: invoice (a consumer is charged), distribution (contributors get their share), payment (somebody paid), payout (somebody was paid), hold, capture and release (of a deposit), exchange (of currencies), settlement (debts were set off against each other), reversal, transfer (anything else).';
COMMENT ON COLUMN journal.source IS 'Where it comes from: a payment provider, for example; with source_key unique, so that nothing is posted twice.';
COMMENT ON COLUMN journal.source_key IS 'What it is called there.';
COMMENT ON COLUMN journal.occurred_at IS 'When it happened.';
COMMENT ON COLUMN journal.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN journal.recorded_by IS 'The role that did.';
COMMENT ON COLUMN journal.description IS 'For people to read.';
COMMENT ON COLUMN journal.reverses IS 'The journal that it takes back, whole and at its own rates; NULL for any other.';

-- No foreign keys: the trigger looks up an account or journal once a statement,
-- where they would once a row, and rows of either are never deleted.
CREATE TABLE posting (
	journal_id	bigint NOT NULL,
	line		integer NOT NULL CHECK (line > 0),
	account_id	bigint NOT NULL,
	occurred_at	timestamptz NOT NULL,
	recorded_at	timestamptz NOT NULL,
	amount		numeric NOT NULL,
	charge_id	bigint,
	PRIMARY KEY (journal_id, line)
);
CREATE INDEX posting_account_id_occurred_at_idx ON posting (account_id, occurred_at);
ALTER TABLE posting OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('posting', '');

COMMENT ON TABLE posting IS 'One line of a journal. All lines of a journal are written by one statement, which is refused (23514) if they do not sum to zero in every currency; COPY is no exception.';
COMMENT ON COLUMN posting.journal_id IS 'The journal.';
COMMENT ON COLUMN posting.line IS 'Number of the line within the journal, from 1.';
COMMENT ON COLUMN posting.account_id IS 'The account, which also says the currency.';
COMMENT ON COLUMN posting.occurred_at IS 'When it happened: that of the journal.';
COMMENT ON COLUMN posting.recorded_at IS 'When it was recorded: that of the journal.';
COMMENT ON COLUMN posting.amount IS 'Debit, or if negative credit, in the account''s currency: at most 18 significant digits.';
COMMENT ON COLUMN posting.charge_id IS 'The charge it comes from; NULL for none.';

CREATE TABLE exchange_rate (
	base		text NOT NULL CHECK (base <> ''),
	quote		text NOT NULL CHECK (quote <> '' AND quote <> base),
	at			timestamptz NOT NULL CHECK (isfinite(at)),
	rate		numeric NOT NULL CHECK (rate > 0 AND rate < 'Infinity'),
	source		text,
	recorded_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	recorded_by	text NOT NULL DEFAULT calling_role(),
	PRIMARY KEY (base, quote, at, recorded_at)
);
ALTER TABLE exchange_rate OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('exchange_rate', '');

COMMENT ON TABLE exchange_rate IS 'What a unit of one currency is worth in another, from an instant until the next. A correction is a new row for the same instant: the last one recorded counts.';
COMMENT ON COLUMN exchange_rate.base IS 'The currency that is converted.';
COMMENT ON COLUMN exchange_rate.quote IS 'The currency that it is converted to.';
COMMENT ON COLUMN exchange_rate.at IS 'Since when the rate holds.';
COMMENT ON COLUMN exchange_rate.rate IS 'How many units of quote a unit of base is worth.';
COMMENT ON COLUMN exchange_rate.source IS 'Who says so; for people to read.';
COMMENT ON COLUMN exchange_rate.recorded_at IS 'When the row was written.';
COMMENT ON COLUMN exchange_rate.recorded_by IS 'The role that did.';

-- A balance is the last of these and what was posted since: to read one costs
-- a period, not a history.
CREATE TABLE account_balance (
	account_id	bigint NOT NULL,
	at			timestamptz NOT NULL CHECK (isfinite(at)),
	balance		numeric NOT NULL,
	recorded_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (account_id, at)
);
ALTER TABLE account_balance OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('account_balance', '');

COMMENT ON TABLE account_balance IS 'The balance of an account when a billing period of its pool was closed, since when nothing can occur before.';
COMMENT ON COLUMN account_balance.account_id IS 'The account.';
COMMENT ON COLUMN account_balance.at IS 'End of the billing period.';
COMMENT ON COLUMN account_balance.balance IS 'Sum of what was posted to the account that occurred before.';
COMMENT ON COLUMN account_balance.recorded_at IS 'When the row was written.';

-- up to when the books of a pool are closed
CREATE INDEX billing_period_closed_idx ON billing_period (pool_id, upper(during)) WHERE closed_at IS NOT NULL;

CREATE FUNCTION posting_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'posting_check' LANGUAGE C;
COMMENT ON FUNCTION posting_check() IS 'Trigger: every journal of the statement must be whole and sum to zero in every currency (23514), its accounts must exist (23503) and stay within their floors and ceilings (SC007), and the books of their pools must be open then (SC008); error 22003 for an amount of more than 18 significant digits.';
CREATE TRIGGER balance AFTER INSERT ON posting REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION posting_check();

CREATE FUNCTION hold_books() RETURNS trigger
	AS 'MODULE_PATHNAME', 'hold_books' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION hold_books() IS 'Trigger: whoever opens an account of a pool keeps its books from being closed until the end of the transaction, as whoever posts to it does; so that neither waits for the other.';
CREATE TRIGGER hold_books BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION hold_books();

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON account_balance
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rate
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts BEFORE DELETE OR TRUNCATE ON account
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_identity BEFORE UPDATE OF account_id, party_id, pool_id, kind, currency, recorded_at ON account
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- the verbs

CREATE FUNCTION open_account(party text, kind text, currency text, pool text DEFAULT NULL, floor numeric DEFAULT NULL, ceiling numeric DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO account (party_id, pool_id, kind, currency, floor, ceiling, balance)
	SELECT require_member(open_account.pool, open_account.party), require_books(open_account.pool), open_account.kind, open_account.currency,
		open_account.floor, open_account.ceiling,
		CASE WHEN open_account.floor IS NOT NULL OR open_account.ceiling IS NOT NULL THEN 0 END
	ON CONFLICT (party_id, pool_id, kind, currency) DO NOTHING;
	-- a statement of its own, which sees what others opened meanwhile
	SELECT a.account_id
	FROM account AS a
	WHERE a.party_id = party_id(open_account.party) AND a.pool_id IS NOT DISTINCT FROM pool_id(open_account.pool)
	AND a.kind = open_account.kind AND a.currency = open_account.currency;
END;
COMMENT ON FUNCTION open_account(text, text, text, text, numeric, numeric) IS
'The account of a party in a pool (or none), of a kind and currency: makes it if it is not there, with the least and the largest balance that it may have. For stewards of the pool, of its members; of no pool, for the owner of the extension. Errors: 42501 the caller may not, SC004 no member, 42704 unknown party or pool, 23514 for another kind.';

CREATE FUNCTION post_journal(kind text, accounts bigint[], amounts numeric[], pool text DEFAULT NULL,
	source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, description text DEFAULT NULL)
	RETURNS bigint AS 'MODULE_PATHNAME', 'journal_post' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION post_journal(text, bigint[], numeric[], text, text, text, timestamptz, text) IS
'Posts amounts (debits positive, credits negative) to accounts, in one journal, and returns its key; occurred now, if not said otherwise. With a source and source_key, the same call again returns the same journal, and another one with the same keys is an error (23505), so that a client can simply retry. For stewards of the pool, to its accounts, from a source that begins with the pool''s name and a slash (''gpu/bank''); of no pool, or between pools, for the owner of the extension. Errors: 42501 the caller may not, 23514 if the amounts do not sum to zero in every currency, SC007 if an account would pass its floor or ceiling, 23503 no such account (of the pool), 42704 unknown pool, 2202E arrays of different lengths or empty, 22004.';

CREATE FUNCTION reverse_journal(journal bigint, occurred_at timestamptz DEFAULT NULL, description text DEFAULT NULL)
	RETURNS bigint AS 'MODULE_PATHNAME', 'journal_reverse' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reverse_journal(bigint, timestamptz, text) IS
'Takes a journal back: posts the negative of each of its lines, so that every account is what it was, whatever rates are now. Returns the key of that journal; a second time, the same one. Occurred now, if not said otherwise, and never before what it takes back. For stewards of the journal''s pool. Errors: 42704 no such journal, 22023 an earlier time, SC007 if an account would pass its floor or ceiling.';

CREATE FUNCTION set_limits(account bigint, floor numeric DEFAULT NULL, ceiling numeric DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'account_set_limits' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION set_limits(bigint, numeric, numeric) IS
'Gives an account a floor and a ceiling, or takes them away; a balance that is beyond them already may come back, and not go further. For the owner of the extension, as it stops all posting until the transaction ends. Error: 42704 unknown account.';

-- balances

CREATE FUNCTION balance(account bigint, at timestamptz DEFAULT 'infinity', known_at timestamptz DEFAULT 'infinity') RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT s.balance + (
			SELECT coalesce(sum(p.amount), 0)
			FROM posting AS p
			WHERE p.account_id = balance.account AND p.occurred_at >= s.at AND p.occurred_at < balance.at AND p.recorded_at <= balance.known_at)
	FROM (
		SELECT b.at, b.balance
		FROM account_balance AS b
		WHERE b.account_id = balance.account AND b.at <= balance.at AND b.recorded_at <= balance.known_at
		UNION ALL
		SELECT '-infinity', 0
		ORDER BY 1 DESC
		LIMIT 1
	) AS s;
END;
COMMENT ON FUNCTION balance(bigint, timestamptz, timestamptz) IS
'The balance of an account: the sum of what occurred before an instant, as far as it was recorded by another. Debits are positive: what a consumer owes is above 0, what a provider is owed below.';

CREATE FUNCTION balances(pool text DEFAULT NULL, party text DEFAULT NULL, at timestamptz DEFAULT 'infinity', known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (account_id bigint, pool text, party text, kind text, currency text, balance numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT a.account_id, l.name, p.name, a.kind, a.currency, balance(a.account_id, balances.at, balances.known_at)
	FROM account AS a
	JOIN party AS p ON p.party_id = a.party_id
	LEFT JOIN pool AS l ON l.pool_id = a.pool_id
	WHERE (balances.pool IS NULL OR a.pool_id = pool_id(balances.pool))
	AND (balances.party IS NULL OR a.party_id = party_id(balances.party))
	ORDER BY l.name NULLS FIRST, p.name, a.kind, a.currency;
END;
COMMENT ON FUNCTION balances(text, text, timestamptz, timestamptz) IS
'The balances of all accounts, or of those of a pool or party: of what occurred before an instant, as far as it was recorded by another. They sum to zero in every currency. Error: 42704 unknown pool or party.';

CREATE FUNCTION trial_balance(at timestamptz DEFAULT 'infinity', known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (currency text, kind text, debit numeric, credit numeric, balance numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT a.currency, a.kind, coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0), coalesce(- sum(p.amount) FILTER (WHERE p.amount < 0), 0), sum(p.amount)
	FROM posting AS p
	JOIN account AS a ON a.account_id = p.account_id
	WHERE p.occurred_at < trial_balance.at AND p.recorded_at <= trial_balance.known_at
	GROUP BY GROUPING SETS ((a.currency, a.kind), (a.currency))
	ORDER BY a.currency, a.kind NULLS LAST;
END;
COMMENT ON FUNCTION trial_balance(timestamptz, timestamptz) IS
'What was debited and credited in each currency, by kind of account and (kind NULL) in all, which is the same: of what occurred before an instant, as far as it was recorded by another. Reads all postings.';

CREATE VIEW ledger WITH (security_invoker) AS
	SELECT j.journal_id, p.line, j.kind AS journal, j.occurred_at, j.recorded_at, l.name AS pool, y.name AS party, a.kind AS account,
		p.amount, a.currency, p.charge_id, j.source, j.source_key, j.description, j.reverses
	FROM posting AS p
	JOIN journal AS j ON j.journal_id = p.journal_id
	JOIN account AS a ON a.account_id = p.account_id
	JOIN party AS y ON y.party_id = a.party_id
	LEFT JOIN pool AS l ON l.pool_id = a.pool_id;
ALTER VIEW ledger OWNER TO @extowner@;
COMMENT ON VIEW ledger IS 'Every posting, with names.';
COMMENT ON COLUMN ledger.journal_id IS 'Key of the journal.';
COMMENT ON COLUMN ledger.line IS 'Number of the line within the journal.';
COMMENT ON COLUMN ledger.journal IS 'Kind of the journal: what happened.';
COMMENT ON COLUMN ledger.occurred_at IS 'When it happened.';
COMMENT ON COLUMN ledger.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN ledger.pool IS 'The pool of the account; NULL for none.';
COMMENT ON COLUMN ledger.party IS 'Whose account it is.';
COMMENT ON COLUMN ledger.account IS 'Kind of the account.';
COMMENT ON COLUMN ledger.amount IS 'Debit, or if negative credit.';
COMMENT ON COLUMN ledger.currency IS 'Currency of the account.';
COMMENT ON COLUMN ledger.charge_id IS 'The charge it comes from; NULL for none.';
COMMENT ON COLUMN ledger.source IS 'Where the journal comes from.';
COMMENT ON COLUMN ledger.source_key IS 'What it is called there.';
COMMENT ON COLUMN ledger.description IS 'For people to read.';
COMMENT ON COLUMN ledger.reverses IS 'The journal that it takes back; NULL for any other.';

-- payments and deposits

CREATE FUNCTION record_payment(pool text, party text, amount numeric, kind text DEFAULT 'receivable',
	source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT post_journal('payment',
		ARRAY[open_account(s.name, 'cash', l.currency, l.name),
			open_account(record_payment.party, record_payment.kind, l.currency, l.name, ceiling => CASE WHEN record_payment.kind = 'prepaid' THEN 0 END)],
		ARRAY[record_payment.amount, - record_payment.amount], l.name, record_payment.source, record_payment.source_key, record_payment.occurred_at)
	FROM pool AS l
	JOIN party AS s ON s.party_id = l.steward_id
	WHERE l.pool_id = require_books(record_payment.pool);
END;
COMMENT ON FUNCTION record_payment(text, text, numeric, text, text, text, timestamptz) IS
'A party paid the steward of a pool (who says so): for what it owes (receivable), or in advance (prepaid, which can be held as a deposit and never be overdrawn). A negative amount pays back. With a source and source_key, nothing is recorded twice. Returns the key of the journal. Errors: as post_journal() and open_account().';

CREATE FUNCTION deposit(what text, pool text, party text, amount numeric,
	source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT post_journal(deposit.what,
		ARRAY[open_account(deposit.party, CASE deposit.what WHEN 'hold' THEN 'prepaid' ELSE 'held' END, l.currency, l.name, ceiling => 0),
			CASE deposit.what
				WHEN 'hold' THEN open_account(deposit.party, 'held', l.currency, l.name, ceiling => 0)
				WHEN 'release' THEN open_account(deposit.party, 'prepaid', l.currency, l.name, ceiling => 0)
				WHEN 'capture' THEN open_account(deposit.party, 'receivable', l.currency, l.name) END],
		-- nothing but an amount above 0 makes sense
		ARRAY[nullif(greatest(deposit.amount, 0), 0), - nullif(greatest(deposit.amount, 0), 0)], l.name, deposit.source, deposit.source_key, deposit.occurred_at)
	FROM pool AS l
	WHERE l.pool_id = require_books(deposit.pool);
END;
COMMENT ON FUNCTION deposit(text, text, text, numeric, text, text, timestamptz) IS
'A deposit of a party in a pool: "hold" takes an amount from what it prepaid, "capture" pays with it what the party owes, "release" gives it back. Never more than there is (SC007). Returns the key of the journal. For stewards of the pool. Errors: as post_journal() and open_account(), 23502 for another word, or an amount that is not above 0.';

-- Two payouts at once pay once: the second waits for the first to finish.
CREATE FUNCTION payout(pool text, party text, cutoff timestamptz DEFAULT now(), at_least numeric DEFAULT 0, kind text DEFAULT 'payable',
	occurred_at timestamptz DEFAULT NULL)
	RETURNS TABLE (journal_id bigint, amount numeric, currency text) LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
BEGIN ATOMIC
	SELECT require_books(payout.pool);	-- first, whatever the plan
	UPDATE account SET floor = a.floor
	FROM account AS a
	WHERE account.account_id = a.account_id AND a.pool_id = pool_id(payout.pool) AND a.party_id = party_id(payout.party) AND a.kind = payout.kind;
	WITH due AS MATERIALIZED (
		-- what was paid since was paid for the oldest
		SELECT a.account_id, a.currency, - balance(a.account_id, payout.cutoff) - (
				SELECT coalesce(sum(p.amount), 0)
				FROM posting AS p
				WHERE p.account_id = a.account_id AND p.occurred_at >= payout.cutoff AND p.amount > 0) AS amount
		FROM account AS a
		WHERE a.pool_id = pool_id(payout.pool) AND a.party_id = party_id(payout.party) AND a.kind = payout.kind
	)
	SELECT post_journal('payout', ARRAY[d.account_id, open_account(s.name, 'cash', d.currency, l.name)], ARRAY[d.amount, - d.amount], l.name,
			occurred_at => payout.occurred_at),
		d.amount, d.currency
	FROM due AS d, pool AS l
	JOIN party AS s ON s.party_id = l.steward_id
	WHERE l.pool_id = pool_id(payout.pool) AND d.amount > 0 AND d.amount >= payout.at_least;
END;
COMMENT ON FUNCTION payout(text, text, timestamptz, numeric, text, timestamptz) IS
'Pays a party what it has earned in a pool (payable; or fee, contributors, ...) before a cutoff and still has to get, in each currency, if it is at least so much: out of the steward''s cash. Who was paid too much, because of a refund, owes it, and gets the less later. For stewards of the pool. Returns the journals; no rows if there is nothing to pay. Errors: as post_journal(); 40001 above READ COMMITTED if another payout was at the same time.';

CREATE FUNCTION aged_payables(pool text, at timestamptz DEFAULT 'infinity', known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (party text, kind text, currency text, journal_id bigint, occurred_at timestamptz, earned numeric, outstanding numeric, age interval)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH moved AS (
		SELECT p.account_id, p.journal_id, p.occurred_at, - sum(p.amount) AS earned
		FROM posting AS p
		JOIN account AS a ON a.account_id = p.account_id
		WHERE a.pool_id = pool_id(aged_payables.pool) AND a.kind IN ('payable', 'fee', 'contributors')
		AND p.occurred_at < aged_payables.at AND p.recorded_at <= aged_payables.known_at
		GROUP BY p.account_id, p.journal_id, p.occurred_at
	), aged AS (
		SELECT m.account_id, m.journal_id, m.occurred_at, m.earned,
			sum(greatest(m.earned, 0)) OVER (PARTITION BY m.account_id ORDER BY m.occurred_at, m.journal_id)
				+ sum(least(m.earned, 0)) OVER (PARTITION BY m.account_id) AS unpaid
		FROM moved AS m
	)
	SELECT y.name, a.kind, a.currency, g.journal_id, g.occurred_at, g.earned, least(g.earned, g.unpaid),
		CASE WHEN isfinite(aged_payables.at) THEN aged_payables.at ELSE now() END - g.occurred_at
	FROM aged AS g
	JOIN account AS a ON a.account_id = g.account_id
	JOIN party AS y ON y.party_id = a.party_id
	WHERE g.earned > 0 AND g.unpaid > 0
	ORDER BY y.name, a.kind, a.currency, g.occurred_at, g.journal_id;
END;
COMMENT ON FUNCTION aged_payables(text, timestamptz, timestamptz) IS
'What is still to be paid to those who earned in a pool, by the journal that it comes from: payouts pay the oldest first. Of what occurred before an instant, as far as it was recorded by another. Error: 42704 unknown pool.';

-- exchange of currencies

CREATE FUNCTION exchange_rate_at(base text, quote text, at timestamptz DEFAULT now(), known_at timestamptz DEFAULT 'infinity') RETURNS numeric
	AS 'MODULE_PATHNAME', 'exchange_rate_at' LANGUAGE C STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION exchange_rate_at(text, text, timestamptz, timestamptz) IS
'How many units of quote a unit of base was worth at an instant, by what was recorded by another: by a rate of just these two, never the inverse of one. Error: 42704 if there is none.';

CREATE FUNCTION exchange(party text, amount numeric, base text, quote text, kind text DEFAULT 'payable', pool text DEFAULT NULL,
	source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH exact AS (
		-- the same again is at the rate that it was at
		SELECT coalesce((
				SELECT q.amount
				FROM journal AS j
				JOIN posting AS b ON b.journal_id = j.journal_id AND b.line = 1 AND b.amount = exchange.amount
				JOIN posting AS q ON q.journal_id = j.journal_id AND q.line = 3
				WHERE j.source = exchange.source AND j.source_key = exchange.source_key AND j.kind = 'exchange'),
			exchange.amount * exchange_rate_at(exchange.base, exchange.quote, coalesce(exchange.occurred_at, now()))) AS amount
	), leg AS (
		SELECT v.kind, v.currency, v.amount, v.line
		FROM exact AS e, LATERAL (VALUES
			(1, exchange.kind, exchange.base, exchange.amount),
			(2, 'fx', exchange.base, - exchange.amount),
			(3, 'fx', exchange.quote, e.amount),
			(4, exchange.kind, exchange.quote, - money_round(e.amount, exchange.quote)),
			(5, 'rounding', exchange.quote, money_round(e.amount, exchange.quote) - e.amount)) AS v (line, kind, currency, amount)
		WHERE v.line < 5 OR v.amount <> 0
	)
	SELECT post_journal('exchange', array_agg(open_account(exchange.party, g.kind, g.currency, exchange.pool) ORDER BY g.line), array_agg(g.amount ORDER BY g.line),
		exchange.pool, exchange.source, exchange.source_key, exchange.occurred_at)
	FROM leg AS g;
END;
COMMENT ON FUNCTION exchange(text, numeric, text, text, text, text, text, text, timestamptz) IS
'Moves a balance of a party from one currency to another, at the rate stored for that instant: debits the amount in base, and credits what it is worth in quote, rounded once (half to even); both through accounts of kind fx, and what rounding made is posted to rounding. For what the party owes, the amount is negative. Returns the key of the journal. With a source and source_key, the same call again returns the same journal, whatever rates were stored meanwhile; another one with the same keys is an error (23505). For stewards of the pool. Errors: 42704 no such rate, as post_journal().';
