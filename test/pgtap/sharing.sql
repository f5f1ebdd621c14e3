-- sharing.sql
--		Attempts to overbook a pool, to lose a lease and to make the calendar
--		differ, by the odd corners of SQL.

\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SET LOCAL search_path = sharecollab, public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
\ir ../helpers.sql

SELECT plan(101);

SELECT create_party(name) FROM unnest('{grid,north,south,ann,bob}'::text[]) AS name \g /dev/null
SELECT create_pool('gpu', 'compute', 'gpu', 'grid'), create_pool('other', 'compute', 'gpu', 'grid') \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at)
SELECT pool_id, party_id, CASE WHEN party.name IN ('north', 'south') THEN 'provider' ELSE 'consumer' END, now() FROM pool, party WHERE party.name <> 'grid';
SELECT add_supply('gpu', 'north', 10, '[2026-01-01,2027-01-01)'), add_supply('other', 'north', 10, '[2026-01-01,2027-01-01)') \g /dev/null
-- what it costs, draws and emits, and who earns: told when it is made
SELECT create_project('weights', 'model') \g /dev/null
SELECT create_pool('shared weights', 'model', 'replica', 'grid', fee => 0.1, contributors_share => 0.9, project => 'weights') \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) VALUES (pool_id('shared weights'), party_id('north'), 'provider', now());
SELECT add_supply('shared weights', 'north', 2, '[2026-01-01,2026-02-01)', 1.25, 700, 5.5, 'DE'), add_supply('shared weights', 'north', 1, '[2026-01-01,)', region => 'FR'),
	withdraw_supply('shared weights', 'north', 1, '[2026-01-01,)') \g /dev/null
SELECT is((SELECT (p.fee, p.contributors_share, j.name)::text FROM pool AS p JOIN project AS j USING (project_id) WHERE p.name = 'shared weights'), '(0.1,0.9,weights)', 'a pool with a fee, and a share of contributors');
SELECT results_eq($$SELECT quantity, cost_rate, power, embodied, region FROM supply WHERE pool_id = pool_id('shared weights') ORDER BY supply_id$$,
	$$VALUES (2::numeric, 1.25, 700::numeric, 5.5, 'DE'), (1, NULL, NULL, NULL, 'FR'), (-1, NULL, NULL, NULL, NULL)$$, 'supply that says what it costs, draws and emits, and where it is');
SELECT throws_ok($$SELECT add_supply('shared weights', 'north', 1, '[2026-01-01,)', power => -1)$$, '23514', NULL, 'no supply draws less than nothing');
SELECT throws_ok($$SELECT create_pool('greedy', 'model', 'replica', 'grid', fee => 0.5, contributors_share => 0.6)$$, '23514', NULL, 'nor is more given away than is charged');
SELECT throws_ok($$SELECT create_pool('orphan', 'model', 'replica', 'grid', project => 'none')$$, '42704', 'project "none" does not exist', 'a project that is none');
CREATE FUNCTION pg_temp.sound(name text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is_empty('SELECT * FROM public.calendar_differences() LIMIT 5', name || ': the calendar is what the facts add up to')
	UNION ALL
	SELECT is_empty($q$SELECT pool_id FROM calendar WHERE deficit <> '{}'$q$, name || ': nothing is overbooked')
$$;
PREPARE all_of_it AS INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('gpu'), party_id('ann'), 10, '[2026-05-01,2026-06-01)';
PREPARE a_bit AS INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('gpu'), party_id('ann'), 0.1, '[2026-05-10,2026-05-11)';

-- ----------
-- Subtransactions
-- ----------

SAVEPOINT one;
EXECUTE all_of_it;
ROLLBACK TO one;
SELECT lives_ok('EXECUTE all_of_it', 'what was rolled back to a savepoint has left its place');
SELECT throws_ok('EXECUTE a_bit', 'SC001', NULL, 'once it is taken, it is taken');
SAVEPOINT two;
DELETE FROM lease;
ROLLBACK TO two;
SELECT throws_ok('EXECUTE a_bit', 'SC001', NULL, 'a DELETE that was rolled back frees nothing');
SAVEPOINT three;
DELETE FROM lease;
RELEASE three;
SELECT lives_ok('EXECUTE a_bit', 'one that was not frees its place');
SELECT pg_temp.sound('savepoints');

-- ----------
-- Cursors
-- ----------

DELETE FROM lease;
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id('gpu'), party_id('ann'), 5, tstzrange('2026-02-01'::timestamptz + i * interval '1 day', '2026-02-03'::timestamptz + i * interval '1 day') FROM generate_series(1, 5) AS i;
DECLARE c CURSOR FOR SELECT * FROM lease ORDER BY lease_id FOR UPDATE;
FETCH c \g /dev/null
SELECT throws_ok('UPDATE lease SET quantity = 5.5 WHERE CURRENT OF c', 'SC001', NULL, 'WHERE CURRENT OF: too much');
SELECT lives_ok('UPDATE lease SET quantity = 4.5 WHERE CURRENT OF c', 'WHERE CURRENT OF: less');
FETCH c \g /dev/null
SELECT lives_ok('UPDATE lease SET quantity = 5 WHERE CURRENT OF c', 'WHERE CURRENT OF: as much as there is');
FETCH c \g /dev/null
DELETE FROM lease WHERE CURRENT OF c;
CLOSE c;
SELECT pg_temp.sound('cursors');

-- ----------
-- Triggers and rules of others
-- ----------

CREATE FUNCTION pg_temp.double() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.quantity := NEW.quantity * 2; RETURN NEW; END';
CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION pg_temp.book_too() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() < 3 THEN
		INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during) VALUES (NEW.pool_id, NEW.consumer_id, NEW.quantity, NEW.during);
	END IF;
	RETURN NULL;
END $$;
-- a plain reserve() does without the executor, and so without the trigger
SET LOCAL track_functions = 'all';
CREATE TEMP VIEW lease_trigger AS SELECT coalesce(pg_stat_get_xact_function_calls('calendar_of_leases'::regproc), 0) AS calls;
SELECT calls AS calls_before FROM lease_trigger \gset
SELECT reserve('gpu', 'bob', 0.1, '[2026-06-20,2026-06-21)') AS plain \gset
SELECT is((SELECT calls FROM lease_trigger), :calls_before::bigint, 'reserve() takes the short way, as long as nothing is in it');
DELETE FROM lease WHERE lease_id = :plain;
SET LOCAL track_functions = 'none';
CREATE TRIGGER a BEFORE INSERT ON lease FOR EACH ROW EXECUTE FUNCTION pg_temp.double();
SELECT throws_ok($$SELECT reserve('gpu', 'bob', 5.5, '[2026-07-01,2026-07-02)')$$, 'SC001', NULL, 'a trigger that takes more: refused');
SELECT lives_ok($$SELECT reserve('gpu', 'bob', 5, '[2026-07-01,2026-07-02)')$$, 'a trigger that takes more: what there is');
DROP TRIGGER a ON lease;
CREATE TRIGGER a BEFORE INSERT OR DELETE ON lease FOR EACH ROW EXECUTE FUNCTION pg_temp.skip();
DELETE FROM lease;
INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('gpu'), party_id('ann'), 1000, '[2026-01-01,2026-02-01)');
DROP TRIGGER a ON lease;
SELECT pg_temp.sound('rows that a trigger skips');
-- each by its name before, between and after ours
CREATE TRIGGER a AFTER INSERT ON lease FOR EACH ROW EXECUTE FUNCTION pg_temp.book_too();
SELECT throws_ok($$SELECT reserve('gpu', 'bob', 3.4, '[2026-08-01,2026-08-02)')$$, 'SC001', NULL, 'a trigger that books too: refused');
SELECT lives_ok($$SELECT reserve('gpu', 'bob', 3.3, '[2026-08-01,2026-08-02)')$$, 'a trigger that books too: three times');
SELECT is((SELECT count(*) FROM lease WHERE quantity = 3.3), 3::bigint, 'all three are there');
DROP TRIGGER a ON lease;
CREATE FUNCTION pg_temp.book_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() < 2 THEN
		UPDATE sharecollab.lease SET quantity = quantity + 0.1 WHERE during && '[2026-08-01,2026-08-02)';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER z AFTER INSERT ON lease FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.book_after();
SELECT throws_ok($$SELECT reserve('gpu', 'bob', 0.1, '[2026-08-03,2026-08-04)')$$, 'SC001', NULL, 'a trigger that takes more of another lease: refused');
DROP TRIGGER z ON lease;
SELECT pg_temp.sound('triggers that book');

-- ----------
-- Names that hide ours
-- ----------

CREATE TEMP TABLE new_rows (pool_id bigint, effective tstzrange, quantity numeric);
CREATE TEMP TABLE old_rows (LIKE new_rows);
CREATE TEMP TABLE calendar (LIKE calendar);
CREATE FUNCTION public.load_profile(tstzrange, numeric) RETURNS profile LANGUAGE sql AS $$SELECT '{}'::profile$$;
CREATE FUNCTION public.minus(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 0::numeric';
CREATE OPERATOR public.- (RIGHTARG = numeric, FUNCTION = public.minus);
SET LOCAL search_path = public, pg_temp, sharecollab, pg_catalog;
SELECT lives_ok($$SELECT reserve('other', 'bob', 10, '[2026-08-03,2026-08-04)')$$, 'hidden names: as before');
SELECT throws_ok($$INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('other'), party_id('ann'), i, '[2026-08-03,2026-08-04)' FROM generate_series(1, 2) AS i$$,
	'SC001', NULL, 'hidden names: no more than before');
UPDATE lease SET quantity = quantity / 2;
DELETE FROM lease WHERE pool_id = pool_id('other');
SET LOCAL search_path = sharecollab, public;
DROP OPERATOR public.- (NONE, numeric);
DROP FUNCTION public.load_profile(tstzrange, numeric), public.minus;
DROP TABLE new_rows, old_rows, pg_temp.calendar;
SELECT pg_temp.sound('hidden names');

-- ----------
-- The table changes between two statements of a session; so does the extension
-- ----------

ALTER TABLE lease ADD COLUMN note text DEFAULT 'x', ADD COLUMN effective2 tstzrange;
SELECT lives_ok('EXECUTE all_of_it', 'after ADD COLUMN');
UPDATE lease SET note = 'y';
ALTER TABLE lease DROP COLUMN note;
SELECT throws_ok('EXECUTE a_bit', 'SC001', NULL, 'after DROP COLUMN');
UPDATE lease SET quantity = quantity * 0.9;
INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('gpu'), party_id('ann'), i * 0.1, '[2026-05-10,2026-05-11)' FROM generate_series(1, 3) AS i;
SELECT pg_temp.sound('another table layout');
ALTER TABLE lease DROP COLUMN effective2;
SAVEPOINT whole;
DROP EXTENSION sharecollab CASCADE;
CREATE EXTENSION sharecollab;
SELECT create_party(name) FROM unnest('{grid,ann}'::text[]) AS name \g /dev/null
SELECT create_pool('gpu', 'compute', 'gpu', 'grid') \g /dev/null
SELECT invite('gpu', p, r), accept('gpu', p, r) FROM (VALUES ('grid', 'provider'), ('ann', 'consumer')) AS m (p, r) \g /dev/null
SELECT add_supply('gpu', 'grid', 10, '[2026-01-01,2027-01-01)') \g /dev/null
SELECT lives_ok($$SELECT reserve('gpu', 'ann', 10, '[2026-01-01,2026-02-01)')$$, 'the extension dropped and made again in a session: reserve()');
SELECT throws_ok($$INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT 1, 2, 1, '[2026-01-01,2026-02-01)' FROM generate_series(1, 2)$$, 'SC001', NULL,
	'the extension dropped and made again in a session: INSERT');
ROLLBACK TO whole;
SELECT throws_ok('EXECUTE all_of_it', 'SC001', NULL, 'and back again');
SELECT pg_temp.sound('the extension dropped and made again');

-- ----------
-- Plans that are kept
-- ----------

DELETE FROM lease;
PREPARE verb (numeric, tstzrange) AS SELECT reserve('gpu', 'ann', $1, $2) > 0;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT lives_ok(format('EXECUTE verb (1, ''[2026-01-01,2026-01-%s)'')', 10 + i), 'a prepared reserve(), ' || i) FROM generate_series(1, 10) AS i;
SELECT throws_ok('EXECUTE verb (1, ''[2026-01-01,2026-01-11)'')', 'SC001', NULL, 'a prepared reserve(), once too often');
RESET plan_cache_mode;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT throws_ok('EXECUTE verb (0.5, ''[2026-01-10,2026-01-12)'')', 'SC001', NULL, 'whatever the plan');
RESET enable_indexscan;
RESET enable_bitmapscan;

-- ----------
-- The ends of time and of numbers
-- ----------

DELETE FROM lease;
SELECT lives_ok($$SELECT add_supply('other', 'south', 5, '[4714-11-24 BC,)')$$, 'supply from the beginning of time');
SELECT lives_ok($$SELECT reserve('other', 'ann', 5, '[4714-11-24 BC,4714-11-24 00:00:00.000001 BC)')$$, 'the first microsecond');
SELECT throws_ok($$SELECT reserve('other', 'ann', 5, '[4714-11-24 BC,4713-01-01 BC)')$$, 'SC001', NULL, 'taken');
SELECT lives_ok($$SELECT reserve('other', 'ann', 5, '[294276-12-31 23:59:59.999998,294276-12-31 23:59:59.999999)')$$, 'the last but one');
SELECT lives_ok($$SELECT reserve('other', 'ann', 5, '[294276-12-31 23:59:59.999999,)')$$, 'the last, for ever');
SELECT throws_ok($$SELECT reserve('other', 'ann', 5, '[2030-01-01,)')$$, 'SC001', NULL, 'taken');
SELECT lives_ok($$SELECT reserve('other', 'ann', 5, '[4714-11-24 00:00:00.000001 BC,294276-12-31 23:59:59.999998)')$$, 'all the time between');
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id('other'), party_id('ann'), 0.001 * (1 + i % 2), tstzrange('2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01'::timestamptz + (i + 1) * interval '1 hour') FROM generate_series(1, 500) AS i;
SELECT pg_temp.sound('the ends of time');

-- ----------
-- What does not hold yet
-- ----------

TRUNCATE lease;
-- withdraw_supply() asks each provider, a statement only their sum
SELECT withdraw_supply('other', 'north', 1, '[2026-03-01,2026-04-01)') \g /dev/null
SELECT throws_ok($$INSERT INTO supply (pool_id, provider_id, quantity, during) SELECT pool_id('gpu'), party_id(p), q, '[2026-01-01,2026-02-01)' FROM (VALUES ('south', -5), ('north', 10)) AS v (p, q)$$,
	'SC002', NULL, 'nobody withdraws what was never supplied, though another adds more in the same statement');
SELECT throws_ok($$UPDATE supply SET provider_id = party_id('south') WHERE pool_id = pool_id('other') AND quantity = 10$$,
	'SC002', NULL, 'nor passes on what it was withdrawn from');

-- hours are hours; only days and months are those of the time zone
SELECT create_pool('berlin', 'compute', 'gpu', 'grid', time_zone => 'Europe/Berlin', min_duration => '12 hours', max_duration => '1 day 12 hours') \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('berlin'), party_id, CASE name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM party WHERE name IN ('north', 'ann');
SELECT add_supply('berlin', 'north', 10, '[2026-01-01,)') \g /dev/null
SELECT throws_ok($$SELECT reserve('berlin', 'ann', 1, '[2026-03-28 20:00,2026-03-29 07:00)')$$, 'SC003', NULL, '11 hours over the change to summer time are less than 12');
SELECT lives_ok($$SELECT reserve('berlin', 'ann', 1, '[2026-10-24 20:00,2026-10-25 08:00)')$$, '12 hours over the change to winter time are 12');
SELECT throws_ok($$SELECT reserve('berlin', 'ann', 1, '[2026-10-23 22:00,2026-10-25 11:00)')$$, 'SC003', NULL, 'a day of 24 hours and 13 hours are more than 1 day 12 hours');

-- import_leases() promises the errors of reserve()
CREATE TEMP TABLE incoming (pool text, consumer text, quantity numeric, during tstzrange, reference text);
CREATE FUNCTION pg_temp.import(pool text, consumer text, quantity numeric, during tstzrange) RETURNS bigint LANGUAGE sql AS $$
	TRUNCATE incoming;
	INSERT INTO incoming VALUES (pool, consumer, quantity, during);
	SELECT import_leases('incoming');
$$;
SELECT throws_ok($$SELECT pg_temp.import('gpu', 'nobody', 1, '[2026-01-01,2026-01-02)')$$, '42704', NULL, 'import_leases: an unknown consumer');
SELECT throws_ok($$SELECT pg_temp.import('gpu', NULL, 1, '[2026-01-01,2026-01-02)')$$, '22004', NULL, 'import_leases: no consumer');
SELECT throws_ok($$SELECT pg_temp.import('gpu', 'ann', NULL, '[2026-01-01,2026-01-02)')$$, '22004', NULL, 'import_leases: no quantity');
SELECT throws_ok($$SELECT pg_temp.import('gpu', 'ann', 0, '[2026-01-01,2026-01-02)')$$, '22023', NULL, 'import_leases: quantity 0');
SELECT throws_ok($$SELECT pg_temp.import('gpu', 'ann', 1, '[2026-01-01,2026-01-02]')$$, '22023', NULL, 'import_leases: a period that is not half-open');

-- one consumer's quantity must not keep others out
SELECT throws_ok($$SELECT reserve('other', 'ann', 0.0000001, '[2026-05-01,2026-06-01)')$$, '22003', NULL, 'a lease of next to nothing would take the digits of the others');
-- nor a price make the reports fail
SELECT create_pool('third', 'compute', 'gpu', 'grid', price => 1.0 / 3) \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('third'), party_id, CASE name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM party WHERE name IN ('north', 'ann');
SELECT add_supply('third', 'north', 10, '[2026-01-01,)'), reserve('third', 'ann', 1, '[2026-01-01,2026-01-02)') \g /dev/null
SELECT lives_ok($$SELECT * FROM cost_report('third', '[2026-01-01,2026-02-01)')$$, 'a pool whose price has 20 digits has a cost report');
SELECT lives_ok($$SELECT * FROM revenue_report('third', '[2026-01-01,2026-02-01)')$$, 'and a revenue report');
-- bills do not change afterwards
SELECT create_pool('cheap', 'compute', 'gpu', 'grid', price => 1) \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('cheap'), party_id, CASE name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM party WHERE name IN ('north', 'ann');
SELECT add_supply('cheap', 'north', 10, '[2026-01-01,)'), reserve('cheap', 'ann', 1, '[2026-01-01,2026-01-02)') \g /dev/null
SELECT throws_ok($$UPDATE pool SET currency = 'JPY' WHERE name = 'cheap'$$, '55000', NULL, 'a pool keeps its currency');
SELECT is((SELECT currency FROM cost_report('cheap', '[2026-01-01,2026-02-01)')), 'USD', 'what was leased for dollars is owed in dollars');
-- nothing happened, in no time
SELECT is_empty($$SELECT revenue FROM revenue_report('cheap', 'empty')$$, 'in an empty period nobody supplies, and nobody earns');

-- ----------
-- Buffers, and the end of time
-- ----------

SELECT throws_ok($$SELECT create_pool('odd', 'compute', 'gpu', 'grid', buffer => '1 mon -720 hours')$$, '23514', NULL, 'a buffer has no months, also if they come to nothing');
SELECT throws_ok($$SELECT create_pool('odd', 'compute', 'gpu', 'grid', buffer => '1 year -8640 hours')$$, '23514', NULL, 'nor years');
SELECT throws_ok($$INSERT INTO lease (pool_id, consumer_id, quantity, during, buffer) VALUES (pool_id('gpu'), party_id('ann'), 1, '[2026-05-01,2026-06-01)', '1 mon -721 hours')$$, '23514', NULL, 'a lease neither');
SELECT create_pool('buffered', 'compute', 'gpu', 'grid', buffer => '2 hours') \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('buffered'), party_id, CASE name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM party WHERE name IN ('north', 'ann');
SELECT add_supply('buffered', 'north', 1, '[2026-01-01,)') \g /dev/null
SELECT throws_ok($$SELECT reserve('buffered', 'ann', 1, '[294276-12-31 21:00,294276-12-31 23:00)')$$, '22008', NULL, 'a buffer that ends after the last instant');
SELECT lives_ok($$SELECT reserve('buffered', 'ann', 1, '[294276-12-31 21:00,294276-12-31 21:30)')$$, 'one that ends just before it');
SELECT throws_ok($$SELECT reserve('buffered', 'ann', 1, '[294276-12-31 22:00,)')$$, 'SC001', NULL, 'and is kept');
SELECT lives_ok($$SELECT reserve('buffered', 'ann', 1, '[2200-01-01 00:00:00.000001,2200-01-01 00:00:00.000002)')$$, 'a lease of a microsecond');
SELECT throws_ok($$SELECT reserve('buffered', 'ann', 1, '[2200-01-01 00:00:00.0000001,2200-01-01 00:00:00.0000002)')$$, '22023', NULL, 'one of less is empty');
SELECT is_empty('SELECT * FROM check_calendar()', 'the calendar is what the facts add up to, to the end of time');

-- ----------
-- Trees
-- ----------

SELECT throws_ok($$INSERT INTO pool (pool_id, name, kind, unit, steward_id, parent_id) OVERRIDING SYSTEM VALUE VALUES (1000001, 'hen', 'compute', 'gpu', party_id('grid'), 1000002), (1000002, 'egg', 'compute', 'gpu', party_id('grid'), 1000001)$$,
	'22023', NULL, 'pools that are made together are not their own ancestors');
SELECT lives_ok($$INSERT INTO pool (pool_id, name, kind, unit, steward_id, parent_id) OVERRIDING SYSTEM VALUE SELECT 2000000 + i, 'chain' || i, 'compute', 'gpu', party_id('grid'), CASE WHEN i > 0 THEN 1999999 + i END FROM generate_series(0, 32) AS i$$, 'a pool may have 32 ancestors');
SELECT throws_ok($$INSERT INTO pool (name, kind, unit, steward_id, parent_id) VALUES ('too deep', 'compute', 'gpu', party_id('grid'), 2000032)$$, '22023', NULL, 'but not 33');
SELECT throws_ok($$UPDATE pool SET parent_id = 2000032 WHERE name = 'buffered'$$, '22023', NULL, 'however it comes to that');

-- a parent that is short of what its children take: those give way whose leases take it
SELECT create_pool('top', 'compute', 'gpu', 'grid'), create_pool('left', 'compute', 'gpu', 'grid', parent => 'top', borrow => NULL, lend => NULL),
	create_pool('right', 'compute', 'gpu', 'grid', parent => 'top', borrow => NULL, lend => NULL), create_pool('apart', 'compute', 'gpu', 'grid', parent => 'top') \g /dev/null
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id(p), party_id, CASE name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM party, unnest('{left,right,apart}'::text[]) AS p WHERE name IN ('north', 'ann', 'bob');
SELECT add_supply(p, 'north', 10, '[2026-01-01,2027-01-01)') FROM unnest('{left,right,apart}'::text[]) AS p \g /dev/null
SELECT reserve('apart', 'ann', 10, '[2026-02-01,2026-03-01)', 'kept'), reserve('left', 'ann', 9, '[2026-02-01,2026-03-01)', 'first'), reserve('right', 'bob', 4, '[2026-02-10,2026-02-20)', 'preemptible', preemptible => true),
	reserve('left', 'bob', 5, '[2026-02-01,2026-03-01)', 'borrowed') \g /dev/null
SELECT is_empty('SELECT * FROM lease_in_deficit', 'children may borrow what others do not use');
SELECT withdraw_supply('right', 'north', 9, '[2026-02-15,2026-02-25)') \g /dev/null
SELECT results_eq($$SELECT d.pool, l.reference, d.missing FROM lease_in_deficit AS d JOIN lease AS l USING (lease_id) ORDER BY d.position$$,
	$$VALUES ('top', 'preemptible', profile('[2026-02-15,2026-02-20)', 4)), ('top', 'borrowed', profile('[2026-02-15,2026-02-20)', 3) + profile('[2026-02-20,2026-02-25)', 3))$$,
	'who borrows gives way when that is withdrawn, preemptible leases first; who has its own does not');
UPDATE lease SET ended_at = lower(during), end_reason = 'reclaimed' WHERE lease_id = (SELECT lease_id FROM lease_in_deficit WHERE position = 1);
SELECT is((SELECT count(*) FROM lease_in_deficit), 1::bigint, 'when the first has given way, there is the next');
UPDATE lease SET ended_at = lower(during), end_reason = 'reclaimed' WHERE lease_id = (SELECT lease_id FROM lease_in_deficit WHERE position = 1);
SELECT is_empty('SELECT * FROM lease_in_deficit', 'until nothing is missing');
SELECT is_empty($$SELECT * FROM calendar WHERE deficit <> '{}'$$, 'and the calendar says so, too');

-- ----------
-- Terms of what is added
-- ----------

UPDATE pool SET notice = '1 day', horizon = '10 days' WHERE name = 'other';
SELECT add_supply('other', 'north', 10, period) FROM unnest('{"[2000-01-01,2026-01-01)","[2027-01-01,2100-01-01)"}'::tstzrange[]) AS period \g /dev/null
INSERT INTO lease (pool_id, consumer_id, quantity, during, reference) VALUES (pool_id('other'), party_id('ann'), 2, tstzrange(now() - interval '1 day', now() + interval '2 days'), 'running') RETURNING lease_id AS running \gset
SELECT is(amend(:running, during => tstzrange(now() - interval '1 day', now() + interval '3 days')), :running::bigint, 'a running lease can be extended with the notice that its new time needs');
SELECT throws_ok(format('SELECT amend(%s, during => tstzrange(now() - interval ''1 day'', now() + interval ''11 days''))', :running), 'SC003', NULL, 'within the horizon');
SELECT throws_ok(format('SELECT amend(%s, 3)', :running), 'SC003', NULL, 'more of it needs notice, too');
SELECT is(amend(:running, during => tstzrange(now() - interval '1 day', now() + interval '12 hours')), :running::bigint, 'less does not');
SELECT throws_ok(format('SELECT amend(%s, during => tstzrange(now() - interval ''1 day'', now() + interval ''2 days''))', :running), 'SC003', NULL, 'nor is there notice for what comes right after it');
SELECT is_empty('SELECT * FROM check_calendar()', 'after all this, the calendar is what the facts add up to');

SELECT * FROM finish();
ROLLBACK;
