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

CREATE FUNCTION posting_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'posting_check' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION posting_check() IS 'Trigger: every journal of the statement must be whole and sum to zero in every currency (23514), its accounts must exist (23503) and stay within their floors and ceilings (SC007); error 22003 for an amount of more than 18 significant digits.';
CREATE TRIGGER balance AFTER INSERT ON posting REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION posting_check();

CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
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
	WITH new_account AS (
		INSERT INTO account (party_id, pool_id, kind, currency, floor, ceiling, balance)
		SELECT party_id(open_account.party), pool_id(open_account.pool), open_account.kind, open_account.currency,
			open_account.floor, open_account.ceiling,
			CASE WHEN open_account.floor IS NOT NULL OR open_account.ceiling IS NOT NULL THEN 0 END
		ON CONFLICT (party_id, pool_id, kind, currency) DO NOTHING
		RETURNING account.account_id
	)
	SELECT n.account_id FROM new_account AS n
	UNION ALL
	SELECT a.account_id FROM account AS a
	WHERE a.party_id = party_id(open_account.party) AND a.pool_id IS NOT DISTINCT FROM pool_id(open_account.pool)
	AND a.kind = open_account.kind AND a.currency = open_account.currency;
END;
COMMENT ON FUNCTION open_account(text, text, text, text, numeric, numeric) IS
'The account of a party in a pool (or none), of a kind and currency: makes it if it is not there, with the least and the largest balance that it may have. Errors: 42704 unknown party or pool, 23514 for another kind.';

CREATE FUNCTION post_journal(kind text, accounts bigint[], amounts numeric[], pool text DEFAULT NULL,
	source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL, description text DEFAULT NULL)
	RETURNS bigint AS 'MODULE_PATHNAME', 'journal_post' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION post_journal(text, bigint[], numeric[], text, text, text, timestamptz, text) IS
'Posts amounts (debits positive, credits negative) to accounts, in one journal, and returns its key; occurred now, if not said otherwise. With a source and source_key, the same call again returns the same journal, and another one with the same keys is an error (23505), so that a client can simply retry. Errors: 23514 if the amounts do not sum to zero in every currency, SC007 if an account would pass its floor or ceiling, 23503 unknown account, 42704 unknown pool, 2202E arrays of different lengths, 22004.';

CREATE FUNCTION reverse_journal(journal bigint, occurred_at timestamptz DEFAULT NULL, description text DEFAULT NULL)
	RETURNS bigint AS 'MODULE_PATHNAME', 'journal_reverse' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION reverse_journal(bigint, timestamptz, text) IS
'Takes a journal back: posts the negative of each of its lines, so that every account is what it was, whatever rates are now. Returns the key of that journal; a second time, the same one. Errors: 42704 unknown journal, SC007 if an account would pass its floor or ceiling.';
