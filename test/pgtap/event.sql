-- event.sql
--		Every act leaves a trace of who did it, in what role, and when: that of
--		each acting function, and that of each table that can be written.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(14);

CREATE ROLE e_steward;
CREATE ROLE e_lab;
CREATE ROLE e_north;
SELECT create_party(name, role => name::regrole) FROM unnest('{e_steward,e_lab,e_north}'::text[]) AS name;
UPDATE party SET listed = true WHERE name LIKE 'e\_%';
CREATE TEMP TABLE key (what text PRIMARY KEY, id bigint);
GRANT ALL ON key TO PUBLIC;
CREATE TEMP VIEW e_incoming AS
SELECT 'e_steward/gpu' AS pool, 'e_lab' AS consumer, NULL::text AS provider, NULL::bigint AS lease_id, 'tokens' AS meter, n AS quantity,
	'[2026-01-02,2026-01-03)'::tstzrange AS during, '{}'::jsonb AS labels, 'e_steward/gpu/set' AS source, n::text AS source_key,
	n::text AS reference
FROM generate_series(1, 3) AS n;
CREATE TEMP VIEW e_leases AS
SELECT pool, consumer, 1 AS quantity, '[2100-03-01,2100-03-02)'::tstzrange AS during, reference FROM e_incoming;
GRANT SELECT ON e_incoming, e_leases TO PUBLIC;

-- What is done, one after the other, by whom, and of which tables that leaves a
-- trace. In it, key('x') is the key that the act called x returned.
CREATE FUNCTION pg_temp.key(what text) RETURNS bigint LANGUAGE sql AS $$SELECT id FROM key WHERE key.what = $1$$;
CREATE TEMP TABLE act (n int GENERATED ALWAYS AS IDENTITY, function text, role text, statement text, subjects text);
INSERT INTO act (function, role, statement, subjects) VALUES
	('create_pool', 'e_steward', $$SELECT create_pool('e_steward/gpu', 'compute', 'gpu', 'e_steward', price => 1)$$, 'membership pool'),
	('create_party', 'e_lab', $$SELECT create_party('e_lab/team', parent => 'e_lab')$$, 'party'),
	('invite', 'e_steward', $$SELECT invite('e_steward/gpu', 'e_lab')$$, 'membership'),
	('invite', 'e_steward', $$SELECT invite('e_steward/gpu', 'e_north', 'provider')$$, 'membership'),
	('accept', 'e_lab', $$SELECT accept('e_steward/gpu', 'e_lab')$$, 'membership'),
	('accept', 'e_north', $$SELECT accept('e_steward/gpu', 'e_north', 'provider')$$, 'membership'),
	('add_supply', 'e_north', $$SELECT add_supply('e_steward/gpu', 'e_north', 100, '[2026-01-01,)')$$, 'supply'),
	('withdraw_supply', 'e_north', $$SELECT withdraw_supply('e_steward/gpu', 'e_north', 1, '[2026-01-01,)')$$, 'supply'),
	('set_quota', 'e_steward', $$SELECT set_quota('e_steward/gpu', 'e_lab', '[2100-01-01,2101-01-01)', 50)$$, 'quota'),
	('reserve', 'e_lab', $$SELECT reserve('e_steward/gpu', 'e_lab', 1, '[2026-01-01,2026-02-01)')$$, 'lease'),
	('reserve', 'e_lab', $$SELECT reserve('e_steward/gpu', 'e_lab', 1, '[2100-02-01,2100-03-01)', hold_for => '1 day') -- held$$, 'lease'),
	('confirm', 'e_lab', $$SELECT confirm(pg_temp.key('held'))$$, 'lease'),
	('amend', 'e_lab', $$SELECT amend(pg_temp.key('held'), 2)$$, 'lease'),
	('cancel', 'e_lab', $$SELECT cancel(pg_temp.key('held'))$$, 'lease'),
	('reserve', 'e_lab', $$SELECT reserve('e_steward/gpu', 'e_lab', 1, '[2026-01-01,2100-03-01)', preemptible => true) -- long$$, 'lease'),
	('release', 'e_lab', $$SELECT release(pg_temp.key('long'), '2099-01-01')$$, 'lease'),
	('reserve', 'e_lab', $$SELECT reserve('e_steward/gpu', 'e_lab', 1, '[2026-01-01,2100-03-01)', preemptible => true) -- other$$, 'lease'),
	('reclaim', 'e_steward', $$SELECT reclaim(pg_temp.key('other'), '2099-01-01') IS NULL$$, 'lease'),
	('reserve_bundle', 'e_lab', $$SELECT reserve_bundle('{e_steward/gpu}', 'e_lab', '{1}', '{"[2100-01-01,2100-02-01)","[2100-02-01,2100-03-01)"}')$$, 'lease lease'),
	('import_leases', 'e_steward', $$SELECT import_leases('e_leases')$$, 'lease lease lease'),
	('expire_holds', NULL, $$SELECT expire_holds()$$, NULL),
	('create_project', 'e_lab', $$SELECT create_project('e_lab/code', owner => 'e_lab')$$, 'project project_member'),
	('set_project_member', 'e_lab', $$SELECT set_project_member('e_lab/code', 'e_north', 'maintainer')$$, 'project_member'),
	('import_git_log', 'e_north', $$SELECT inserted FROM import_git_log('e_lab/code', convert_to(E'commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nAuthor:     Ann <ann@e>\nAuthorDate: Mon Jan 5 10:00:00 2026 +0000\nCommit:     Ann <ann@e>\nCommitDate: Mon Jan 5 10:00:00 2026 +0000\n\n    one\n', 'UTF8'))$$, 'contribution contribution'),
	('import_mailmap', 'e_north', $$SELECT inserted FROM import_mailmap('e_lab/code', 'Ann Proper <proper@e> <ann@e>'::text)$$, 'identity_link party project'),
	('import_github', 'e_north', $$SELECT inserted FROM import_github('e_lab/code', 'fork', '{"repository": {"full_name": "e/code"}, "forkee": {"id": 7, "full_name": "x/code", "created_at": "2026-01-06T00:00:00Z", "owner": {"id": 9, "login": "x", "type": "User"}}, "sender": {"id": 9, "login": "x", "type": "User"}}')$$, 'contribution'),
	('unlink_identity', 'e_north', $$SELECT unlink_identity(identity_id) FROM identity WHERE email = 'ann@e'$$, 'identity_link'),
	('link_identity', 'e_north', $$SELECT link_identity(identity_id, 'e_north') FROM identity WHERE email = 'ann@e'$$, 'identity_link'),
	('set_affiliation', 'e_lab', $$SELECT set_affiliation('e_lab', 'e_lab/team')$$, 'affiliation'),
	('create_task', 'e_north', $$SELECT create_task('e_lab/code', 'write') -- task$$, 'task'),
	('create_task', 'e_north', $$SELECT create_task('e_lab/code', 'again') -- again$$, 'task'),
	('assign_task', 'e_north', $$SELECT assign_task(pg_temp.key('task'), 'e_lab')$$, 'task'),
	('complete_task', 'e_lab', $$SELECT complete_task(pg_temp.key('task'))$$, 'task'),
	('cancel_task', 'e_north', $$SELECT cancel_task(pg_temp.key('again'))$$, 'task'),
	('set_rate', 'e_steward', $$SELECT set_rate('e_steward/gpu', 'tokens', 2, valid => '(,)')$$, 'rate'),
	('set_rate', 'e_steward', $$SELECT set_rate('e_steward/gpu', 'tokens', 3, valid => '(,)')$$, 'rate rate'),
	('record_usage', 'e_steward', $$SELECT record_usage('e_steward/gpu', 'e_lab', 'tokens', 5, '[2026-01-02,2026-01-03)', 'e_steward/gpu/a', '1')$$, 'usage'),
	('record_usage', 'e_steward', $$SELECT record_usage('e_incoming')$$, 'usage usage usage'),
	('import_sacct', 'e_steward', $$SELECT inserted FROM import_sacct('e_steward/gpu', E'JobIDRaw|Account|NCPUS|Start|End\n1|e_lab|2|2026-01-03T00:00:00|2026-01-03T01:00:00\n', source => 'e_steward/gpu/sacct')$$, 'usage'),
	('import_swf', 'e_steward', $$SELECT inserted FROM import_swf('e_steward/gpu', E'; UnixStartTime: 1767398400\n; Group: 4 e_lab\n1 0 0 60 2 -1 -1 2 -1 -1 1 1 4 -1 -1 -1 -1 -1\n', source => 'e_steward/gpu/swf')$$, 'usage'),
	('import_opencost', 'e_steward', $$SELECT inserted FROM import_opencost('e_steward/gpu', E'Date,Namespace,CPUCoreUsageAverage,Pod,Container\n2026-01-03,e_lab,1,p,c\n', source => 'e_steward/gpu/opencost')$$, 'usage'),
	('close_billing_period', 'e_steward', $$SELECT length(close_billing_period('e_steward/gpu', '[2026-01-01,2026-02-01)'))$$, 'account account account account account billing_period billing_period journal'),
	('record_payment', 'e_steward', $$SELECT record_payment('e_steward/gpu', 'e_lab', 10)$$, 'account journal'),
	('open_account', 'e_steward', $$SELECT open_account('e_lab', 'prepaid', 'USD', 'e_steward/gpu', ceiling => 0) -- prepaid$$, 'account'),
	('set_limits', NULL, $$SELECT set_limits(pg_temp.key('prepaid'), -1000, 0)$$, 'account'),
	('record_payment', 'e_steward', $$SELECT record_payment('e_steward/gpu', 'e_lab', 10, 'prepaid')$$, 'journal'),
	('deposit', 'e_steward', $$SELECT deposit('hold', 'e_steward/gpu', 'e_lab', 4)$$, 'account journal'),
	('payout', 'e_steward', $$SELECT journal_id FROM payout('e_steward/gpu', 'e_north', at_least => 0, occurred_at => now())$$, 'journal'),
	('post_journal', 'e_steward', $$SELECT post_journal('transfer', ARRAY[a.account_id, b.account_id], '{1,-1}', 'e_steward/gpu') FROM pool AS l, account AS a, account AS b WHERE l.name = 'e_steward/gpu' AND a.pool_id = l.pool_id AND b.pool_id = l.pool_id AND a.kind = 'fee' AND b.kind = 'contributors' -- posted$$, 'journal'),
	('reverse_journal', 'e_steward', $$SELECT reverse_journal(pg_temp.key('posted'))$$, 'journal'),
	('exchange', 'e_steward', $$SELECT exchange('e_north', 1, 'USD', 'EUR', 'payable', 'e_steward/gpu')$$, 'account account account journal'),
	('net_settlement', 'e_steward', $$SELECT count(*) FROM net_settlement('e_steward/gpu')$$, 'journal'),
	('set_grid_intensity', NULL, $$SELECT set_grid_intensity('e', profile(1))$$, 'grid_intensity');
INSERT INTO exchange_rate (base, quote, at, rate) VALUES ('USD', 'EUR', '2026-01-01', 0.5);

CREATE FUNCTION pg_temp.act() RETURNS TABLE (number int, done text, expected text) LANGUAGE plpgsql AS $$
DECLARE
	a act;
	result text;
BEGIN
	CREATE TEMP TABLE before AS SELECT * FROM audit_trail LIMIT 0;
	FOR a IN SELECT * FROM act ORDER BY n LOOP
		TRUNCATE before;
		INSERT INTO before SELECT * FROM audit_trail;
		EXECUTE format('SET LOCAL ROLE %I', coalesce(a.role, 'none'));
		BEGIN EXECUTE a.statement INTO result; EXCEPTION WHEN OTHERS THEN number := a.n; done := SQLERRM; expected := a.subjects; RETURN NEXT; RESET ROLE; CONTINUE; END;
		RESET ROLE;
		INSERT INTO key SELECT substring(a.statement FROM ' -- (.*)'), nullif(result, '')::bigint WHERE a.statement LIKE '% -- %';
		RETURN QUERY SELECT a.n, (SELECT string_agg(t.subject, ' ' ORDER BY t.subject)
				FROM (SELECT * FROM audit_trail EXCEPT ALL SELECT * FROM before) AS t
				WHERE t.role = coalesce(a.role, session_user)), a.subjects
			UNION ALL
			-- in nobody else's name
			SELECT a.n, t.role || ' did ' || t.subject, NULL
			FROM (SELECT * FROM audit_trail EXCEPT ALL SELECT * FROM before) AS t
			WHERE t.role <> coalesce(a.role, session_user);
	END LOOP;
END $$;
SELECT is_empty($$SELECT a.function, t.done, t.expected, a.statement FROM pg_temp.act() AS t JOIN act AS a ON a.n = t.number WHERE t.done IS DISTINCT FROM t.expected$$,
	'every act leaves the trace that it should, in the name of who did it');
SELECT set_eq($$
	SELECT DISTINCT p.proname::text FROM pg_proc AS p
	WHERE p.pronamespace = 'sharecollab'::regnamespace AND p.provolatile = 'v' AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
	-- parts of others; of what can be computed, and where it is kept; and what is done as import_github() does it
	AND p.proname NOT IN ('require_identity', 'close_invoices', 'close_contributors', 'close_balances',
		'rebuild_calendar', 'create_usage_partition', 'drop_usage', 'import_gitlab', 'import_registry')
$$, 'SELECT DISTINCT function FROM act', 'of every function that acts');

-- The tables themselves, whoever writes them
CREATE TEMP VIEW written AS
SELECT c.oid, c.relname::text AS name,
	EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'recorded_by') AS says,
	ARRAY(SELECT t.tgname::text FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgfoid = 'log_event'::regproc) AS logged,
	coalesce((SELECT bit_or(t.tgtype) FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgfoid = 'refuse_change'::regproc AND t.tgqual IS NULL AND t.tgattr = ''), 0) AS refused
FROM pg_class AS c
WHERE c.relnamespace = 'sharecollab'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
-- computed (calendar), or a part of what closing a period does, that of recording usage, and of importing contributions
AND c.relname NOT IN ('event', 'calendar', 'charge', 'posting', 'account_balance', 'usage_key', 'identity');
SELECT is_empty($$SELECT name FROM written WHERE NOT says AND 'log_insert' <> ALL (logged)$$, 'what is made says who made it, or the log does');
SELECT is_empty($$SELECT name FROM written WHERE 'log_update' <> ALL (logged) AND refused & 16 = 0$$, 'what is changed is logged, or cannot be');
SELECT is_empty($$SELECT name FROM written WHERE 'log_delete' <> ALL (logged) AND refused & 8 = 0$$, 'and so what is removed');
-- (usage has that trigger on its partitions)
SELECT is_empty($$SELECT name FROM written WHERE 'log_truncate' <> ALL (logged) AND refused & 32 = 0 AND name <> 'usage'$$, 'all at once, too');

-- Of an act that matters for no more than balances, the journal is the trace
SELECT is((SELECT count(*) FROM event WHERE subject = 'account' AND act = 'changed'), 1::bigint, 'what is posted changes no account, but limits do');
SELECT is((SELECT was ->> 'ceiling' FROM event WHERE subject = 'account' AND act = 'changed'), '0', 'which were others before');

-- The trail of a statement, as its party reads it
SET LOCAL ROLE e_lab;
SELECT results_eq($$
	SELECT role, act, subject, count(*) FROM statement_trail('e_lab', '[2026-01-01,2026-02-01)') GROUP BY role, act, subject ORDER BY subject, act, role
$$, $$
	VALUES ('e_steward', 'created', 'account', 1::bigint), ('e_steward', 'changed', 'billing_period', 1::bigint), ('e_steward', 'created', 'billing_period', 1::bigint),
		('e_steward', 'created', 'journal', 1::bigint), ('e_lab', 'changed', 'lease', 1::bigint), ('e_steward', 'changed', 'lease', 1::bigint),
		('e_lab', 'created', 'lease', 3::bigint), ('e_steward', 'created', 'rate', 1::bigint), ('e_steward', 'created', 'usage', 4::bigint)
$$, 'who did what a statement is made of');
SELECT is((SELECT count(*) FROM statement_trail('e_lab', '[2026-01-01,2026-02-01)', 'e_steward/gpu')), 14::bigint, 'in a pool');
SELECT is_empty($$SELECT * FROM statement_trail('e_lab', '[2025-01-01,2025-02-01)')$$, 'of a time without postings, nothing');
SET LOCAL ROLE e_north;
SELECT throws_ok($$SELECT * FROM statement_trail('e_lab/team', '[2026-01-01,2026-02-01)')$$, '42704', NULL, 'nor of a party that the reader may not know of');
SELECT is_empty($$SELECT * FROM statement_trail('e_lab', '[2026-01-01,2026-02-01)')$$, 'and of a rival, nothing');
SELECT is_empty($$SELECT role FROM audit_trail WHERE subject = 'usage'$$, 'nor who recorded what a rival used');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
