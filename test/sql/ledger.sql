-- ledger.sql
--		Accounts, journals and postings as a user sees them, and what is refused.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
BEGIN;
\i :helpers
\set ECHO all
TRUNCATE party RESTART IDENTITY CASCADE;

SELECT count(create_party(name)) FROM unnest('{commons,lab,datacenter}'::text[]) AS name;
SELECT create_pool('gpus', 'compute', 'gpu', 'commons') IS NOT NULL;
SELECT open_account('lab', 'receivable', 'USD', 'gpus') AS owed, open_account('datacenter', 'payable', 'USD', 'gpus') AS earned,
	open_account('commons', 'fee', 'USD', 'gpus') AS fee, open_account('commons', 'cash', 'USD', 'gpus', floor => 0) AS cash,
	open_account('lab', 'prepaid', 'USD', 'gpus', ceiling => 0) AS prepaid, open_account('lab', 'receivable', 'EUR', 'gpus') AS owed_eur \gset
SELECT open_account('lab', 'receivable', 'USD', 'gpus') = :owed, open_account('lab', 'receivable', 'USD') <> :owed;
SELECT try($$SELECT open_account('nobody', 'cash', 'USD')$$), try($$SELECT open_account('lab', 'cash', 'USD', 'nothing')$$), try($$SELECT open_account('lab', 'debt', 'USD')$$);

-- a journal is whole or is not
SELECT post_journal('invoice', ARRAY[:owed, :earned, :fee], '{100, -90, -10}', 'gpus', 'test', '1', '2026-01-31', 'January') AS invoice \gset
SELECT post_journal('invoice', ARRAY[:owed, :earned, :fee], '{100, -90, -10}', 'gpus', 'test', '1', '2026-01-31', 'January') = :invoice AS again,
	post_journal('invoice', ARRAY[:owed, :earned, :fee], '{100.00, -90, -10}', 'gpus', 'test', '1', description => 'January') = :invoice AS same_time;
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s, %s]::bigint[], '{100, -91, -9}', 'gpus', 'test', '1', '2026-01-31', 'January')$$, :owed, :earned, :fee));
SELECT try(format($$SELECT post_journal('payment', ARRAY[%s, %s, %s]::bigint[], '{100, -90, -10}', 'gpus', 'test', '1', '2026-01-31', 'January')$$, :owed, :earned, :fee));
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s, %s]::bigint[], '{100, -90, -10}', 'gpus', 'test', '1', '2026-02-01', 'January')$$, :owed, :earned, :fee));
SELECT regexp_replace(try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{100, -99.99}')$$, :owed, :earned)), 'journal \d+', 'journal');
SELECT regexp_replace(try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{100, -100}')$$, :owed_eur, :earned)), 'journal \d+', 'journal');
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{100}')$$, :owed, :earned));
SELECT try($$SELECT post_journal('invoice', ARRAY[-1, -2]::bigint[], '{100, -100}')$$);
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{NaN, NaN}')$$, :owed, :earned));
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{1e-19, -1e-19}')$$, :owed, :earned));
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, NULL]::bigint[], '{1, -1}')$$, :owed));
SELECT try(format($$SELECT post_journal('gift', ARRAY[%s, %s]::bigint[], '{1, -1}')$$, :owed, :earned));
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{1, -1}', source => 'test')$$, :owed, :earned));
SELECT try(format($$SELECT post_journal('invoice', ARRAY[%s, %s]::bigint[], '{1, -1}', 'nothing')$$, :owed, :earned));

-- floors and ceilings
SELECT post_journal('payment', ARRAY[:cash, :prepaid], '{50, -50}', 'gpus') IS NOT NULL;
SELECT try(format($$SELECT post_journal('transfer', ARRAY[%s, %s]::bigint[], '{50.01, -50.01}')$$, :prepaid, :owed));
SELECT try(format($$SELECT post_journal('payout', ARRAY[%s, %s]::bigint[], '{50.01, -50.01}')$$, :earned, :cash));
SELECT post_journal('transfer', ARRAY[:prepaid, :owed], '{50, -50}') IS NOT NULL;
SELECT account_id = :cash AS is_cash, kind, floor, ceiling, balance FROM account WHERE balance IS NOT NULL ORDER BY 1;

-- mistakes are reversed
SELECT reverse_journal(:invoice, '2026-02-01', 'wrong lab') AS reversal \gset
SELECT reverse_journal(:invoice) = :reversal, try('SELECT reverse_journal(0)'), try('SELECT reverse_journal(NULL)');
SELECT j.kind, p.line, p.account_id = :owed AS owed, p.amount, p.occurred_at FROM posting AS p JOIN journal AS j USING (journal_id) WHERE journal_id IN (:invoice, :reversal) ORDER BY journal_id, line;

-- payments, deposits, payouts, and how old is what is still to be paid
SELECT record_payment('gpus', 'lab', 20, 'prepaid', 'bank', '7', '2026-02-02') = record_payment('gpus', 'lab', 20, 'prepaid', 'bank', '7', '2026-02-02');
SELECT deposit('hold', 'gpus', 'lab', 15) IS NOT NULL, try($$SELECT deposit('hold', 'gpus', 'lab', 5.01)$$), deposit('capture', 'gpus', 'lab', 10) IS NOT NULL,
	try($$SELECT deposit('capture', 'gpus', 'lab', 5.01)$$), deposit('release', 'gpus', 'lab', 5) IS NOT NULL, try($$SELECT deposit('hold', 'gpus', 'lab', -1)$$);
SELECT post_journal('invoice', ARRAY[:owed, :earned], '{30, -30}', 'gpus', occurred_at => '2026-02-10') IS NOT NULL, post_journal('invoice', ARRAY[:owed, :earned], '{12, -12}', 'gpus', occurred_at => '2026-03-10') IS NOT NULL;
SELECT kind, earned, outstanding, age FROM aged_payables('gpus', '2026-04-01');
SELECT amount, currency FROM payout('gpus', 'datacenter', '2026-03-01', at_least => 100);
SELECT amount, currency FROM payout('gpus', 'datacenter', '2026-03-01', occurred_at => '2026-03-20');
SELECT amount, currency FROM payout('gpus', 'datacenter', '2026-03-01');
SELECT kind, earned, outstanding, age FROM aged_payables('gpus', '2026-04-01');
SELECT post_journal('transfer', ARRAY[:owed, :earned], '{-20, 20}', 'gpus', occurred_at => '2026-03-25') IS NOT NULL AS refund;
SELECT amount, currency FROM payout('gpus', 'datacenter');
SELECT pool, party, kind, currency, balance FROM balances('gpus');
SELECT pool, party, kind, currency, balance FROM balances(party => 'datacenter', at => '2026-03-11'), balance(:earned, '2026-03-11', '2000-01-01') AS unknown;
SELECT * FROM trial_balance();
SELECT try(format('SELECT set_limits(%s, ceiling => -100)', :earned)), try(format('SELECT post_journal(%L, ARRAY[%s, %s]::bigint[], %L)', 'transfer', :owed, :earned, '{-1, 1}')),
	post_journal('transfer', ARRAY[:owed, :earned], '{1, -1}') IS NOT NULL, set_limits(:earned), try('SELECT set_limits(0)');

-- currencies
INSERT INTO exchange_rate (base, quote, at, rate) VALUES ('USD', 'INR', '2026-01-01', 82.42135), ('USD', 'JPY', '2026-01-01', 150.5), ('USD', 'JPY', '2026-02-01', 160);
SELECT exchange('datacenter', 100.00, 'USD', 'INR', occurred_at => '2026-01-15') AS exchange \gset
SELECT line, account, amount, currency FROM ledger WHERE journal_id = :exchange ORDER BY line;
SELECT exchange_rate_at('USD', 'JPY', '2026-01-31'), exchange_rate_at('USD', 'JPY', '2026-02-01');
SELECT try($$SELECT exchange_rate_at('JPY', 'USD', '2026-02-01')$$), try($$SELECT exchange('lab', 1, 'USD', 'JPY', occurred_at => '2025-12-31')$$);

-- and nothing else
SELECT try(format('%s', s)) FROM unnest(ARRAY['UPDATE posting SET amount = 0', 'DELETE FROM posting', 'TRUNCATE posting', 'UPDATE journal SET kind = kind', 'DELETE FROM journal', 'TRUNCATE party CASCADE',
	'DELETE FROM account', $$UPDATE account SET currency = 'EUR'$$, 'UPDATE exchange_rate SET rate = 1', 'DELETE FROM posting WHERE false',
	'MERGE INTO posting USING (VALUES (1)) AS v (i) ON true WHEN MATCHED THEN DELETE']) AS s;
SELECT regexp_replace(try(s), 'journal \d+', 'journal') FROM unnest(ARRAY[
	'INSERT INTO posting SELECT journal_id, 4, account_id, occurred_at, recorded_at, 0 FROM posting WHERE line = 1',
	'INSERT INTO posting SELECT journal_id, line, account_id, occurred_at, recorded_at, amount FROM posting ON CONFLICT (journal_id, line) DO UPDATE SET amount = 0',
	$$WITH j AS (INSERT INTO journal (kind, occurred_at) VALUES ('transfer', '2026-01-01') RETURNING *) INSERT INTO posting SELECT journal_id, 1, (SELECT min(account_id) FROM account), now(), recorded_at, 0 FROM j$$,
	$$INSERT INTO posting SELECT -1, 1, min(account_id), now(), now(), 0 FROM account$$]) AS s;
ROLLBACK;
