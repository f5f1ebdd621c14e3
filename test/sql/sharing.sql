-- sharing.sql: supply, leases and the calendar: what is admitted, what is
-- refused and why, by the verbs and by plain DML

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all
\pset format unaligned
\pset tuples_only on
TRUNCATE party RESTART IDENTITY CASCADE;

-- grid runs the pool; north and south supply it; ann and bob lease; ian has
-- been invited, but did not accept; eve has nothing to do with it
SELECT count(create_party(name)) FROM unnest('{grid,north,south,ann,bob,ian,eve}'::text[]) AS name;
SELECT create_pool('gpu', 'compute', 'gpu', 'grid', price => 2);
SELECT count(invite('gpu', p, r)) FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (p, r);
SELECT count(accept('gpu', p, r)) FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (p, r);
SELECT count(invite('gpu', 'ian', r)) FROM unnest('{provider,consumer}'::text[]) AS r;

--
-- add_supply
--
SELECT add_supply('gpu', 'north', 6, '[2026-01-01,2026-07-01)'), add_supply('gpu', 'south', 4, '[2026-02-01,)');
SELECT capacity, booked, deficit FROM calendar;
SELECT availability('gpu');

SELECT try($$SELECT add_supply('nothing', 'north', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'nobody', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'eve', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'ann', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'ian', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply(NULL, 'north', 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', NULL, 1, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'north', NULL, '[2026-01-01,2026-01-02)')$$);
SELECT try($$SELECT add_supply('gpu', 'north', 1, NULL)$$);
SELECT try(format($$SELECT add_supply('gpu', 'north', %L, '[2026-01-01,2026-01-02)')$$, q))
FROM unnest('{0,-1,NaN,Infinity,-Infinity,0.0000000000000000001,12345678901234567890,1e200}'::text[]) AS q;
SELECT try(format($$SELECT add_supply('gpu', 'north', 1, %L)$$, during))
FROM unnest('{empty,"[2026-01-02,2026-01-01)","[2026-01-01,2026-01-01)","[2026-01-01,2026-01-01]","(2026-01-01,2026-01-02]","[2026-01-01,2026-01-02]",
	"(2026-01-01,2026-01-02)","(,2026-01-02)","[-infinity,2026-01-02)","[2026-01-01,infinity)","[2026-01-01,infinity]","[infinity,)","(,)","(2026-01-01,)"}'::text[]) AS during;
-- the last microsecond and the first
SELECT try($$SELECT add_supply('gpu', 'north', 1, '[2026-01-01 00:00:00,2026-01-01 00:00:00.000001)')$$);
SELECT try($$SELECT add_supply('gpu', 'north', 1, '[4714-11-24 BC,4714-11-24 00:00:00.000001 BC)')$$);
SELECT try($$SELECT add_supply('gpu', 'north', 1, '[294276-12-31 23:59:59.999998,294276-12-31 23:59:59.999999)')$$);
SELECT try($$SELECT add_supply('gpu', 'north', 1, '[294276-12-31 23:59:59.999999,)')$$);
SELECT steps(capacity) FROM calendar;
SELECT * FROM calendar_differences();

--
-- withdraw_supply: never more than is supplied
--
SELECT try($$SELECT withdraw_supply('gpu', 'north', 7, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'south', 1, '[2026-01-31,2026-03-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 1, '[2026-06-30,2026-07-01 00:00:00.000001)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 0.5, '[2026-06-30,)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 2, '[2026-06-01,2026-07-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 4.5, '[2026-05-01,2026-06-15)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 4, '[2026-06-01,2026-06-15)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'south', 4, '[2100-01-01,)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'eve', 1, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'ian', 1, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', -1, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 0, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 'NaN', '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', NULL, '[2026-03-01,2026-04-01)')$$);
SELECT try($$SELECT withdraw_supply('gpu', 'north', 1, '[2026-03-01,2026-04-01]')$$);
SELECT try($$SELECT withdraw_supply(NULL, 'north', 1, '[2026-03-01,2026-04-01)')$$);
SELECT provider_id, quantity, during FROM supply ORDER BY supply_id;
SELECT period, quantity FROM calendar, steps(capacity, '[2026-01-02,2101-01-01)');
SELECT * FROM calendar_differences();

--
-- reserve
--
TRUNCATE supply RESTART IDENTITY;
SELECT capacity, deficit FROM calendar;
SELECT add_supply('gpu', 'north', 6, '[2026-01-01,2026-07-01)'), add_supply('gpu', 'south', 4, '[2026-02-01,2027-01-01)');
SELECT reserve('gpu', 'ann', 5, '[2026-01-10,2026-01-20)');
SELECT reserve(pool => 'gpu', consumer => 'bob', quantity => 1, during => '[2026-01-10,2026-01-20)', reference => 'job-1');
SELECT lease_id, consumer_id, quantity, during, price, reference, ended_at, end_reason, effective FROM lease ORDER BY lease_id;
SELECT availability('gpu', '[2026-01-05,2026-02-05)');
-- full: whatever touches it is refused, whatever does not fits
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2026-01-15,2026-01-16)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2026-01-09,2026-01-10 00:00:00.000001)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2026-01-19 23:59:59.999999,2026-01-21)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 0.000001, '[2026-01-01,2026-02-01)')$$);
-- back to back, at full capacity
SELECT try($$SELECT reserve('gpu', 'ann', 6, '[2026-01-05,2026-01-10)')$$);
SELECT try($$SELECT reserve('gpu', 'bob', 6, '[2026-01-20,2026-01-25)')$$);
SELECT period, quantity FROM calendar, steps(booked, '[2026-01-01,2026-02-01)');
-- where capacity ends, and where it has not begun
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2025-12-31,2026-01-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2026-12-31,2027-01-01 00:00:00.000001)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 5, '[2026-06-01,2026-08-01)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2026-06-01,)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[4714-11-24 BC,4713-01-01 BC)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[294276-12-31 23:59:59.999999,)')$$);
-- fractions
SELECT try($$SELECT reserve('gpu', 'ann', 9.999, '[2026-03-01,2026-03-02)')$$);
SELECT try($$SELECT reserve('gpu', 'bob', 0.0015, '[2026-03-01,2026-03-02)')$$);
SELECT try($$SELECT reserve('gpu', 'bob', 0.001, '[2026-03-01,2026-03-02)')$$);
-- missing is what is missing at that instant, not at the worst one
SELECT try($$SELECT reserve('gpu', 'bob', 7, '[2026-01-30,2026-08-01)')$$);

-- who and what
SELECT try($$SELECT reserve('nothing', 'ann', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'nobody', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'eve', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'north', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'grid', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ian', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve(NULL, 'ann', 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', NULL, 1, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', NULL, '[2026-04-01,2026-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, NULL)$$);
SELECT try(format($$SELECT reserve('gpu', 'ann', %L, '[2026-04-01,2026-04-02)')$$, q))
FROM unnest('{0,-1,NaN,Infinity,-Infinity,0.0000000000000000001,12345678901234567890,1e200}'::text[]) AS q;
SELECT try(format($$SELECT reserve('gpu', 'ann', 1, %L)$$, during))
FROM unnest('{empty,"[2026-01-02,2026-01-01)","[2026-01-01,2026-01-01)","[2026-01-01,2026-01-01]","(2026-01-01,2026-01-02]","[2026-01-01,2026-01-02]",
	"(2026-01-01,2026-01-02)","(,2026-01-02)","[-infinity,2026-01-02)","[2026-01-01,infinity)","[2026-01-01,infinity]","[infinity,)","(,)","(2026-01-01,)"}'::text[]) AS during;
-- a reference is used once in a pool
SELECT try($$SELECT reserve('gpu', 'bob', 1, '[2026-04-01,2026-04-02)', 'job-1')$$);
SELECT try($$SELECT reserve('gpu', 'bob', 1, '[2026-04-01,2026-04-02)', 'job-2')$$);
SELECT count(*) FROM lease;
SELECT * FROM calendar_differences();

--
-- the terms of a pool
--
SELECT create_pool('terms', 'compute', 'gpu', 'grid', time_zone => 'Europe/Berlin', min_quantity => 0.5, max_quantity => 4, quantity_step => 0.25,
	min_duration => '1 day', max_duration => '1 month');
SELECT count(invite('terms', p, r)), count(accept('terms', p, r)) FROM (VALUES ('north', 'provider'), ('ann', 'consumer')) AS m (p, r);
SELECT add_supply('terms', 'north', 100, '[2026-01-01,)');
SELECT q, try(format($$SELECT reserve('terms', 'ann', %s, '[2026-05-01 00:00 Europe/Berlin,2026-05-02 00:00 Europe/Berlin)')$$, q))
FROM unnest('{0.25,0.5,0.50,0.6,0.75,4,4.0000001,4.25,100000}'::text[]) AS q;
SELECT q, w, try(format($$SELECT reserve('terms', 'ann', 1, '[%s Europe/Berlin,%s Europe/Berlin)')$$, q, w))
FROM (VALUES
	('2026-05-01 00:00', '2026-05-01 23:59:59.999999'),
	('2026-05-01 00:00', '2026-06-01 00:00'), ('2026-05-01 00:00', '2026-06-01 00:00:00.000001'),
	-- a day of 23 hours, and one of 25
	('2026-03-29 00:00', '2026-03-30 00:00'), ('2026-03-29 00:00', '2026-03-29 23:59:59'),
	('2026-10-25 00:00', '2026-10-25 23:00'), ('2026-10-25 00:00', '2026-10-26 00:00'),
	-- months of 28, 30 and 31 days; with an hour less, and more
	('2026-02-01 00:00', '2026-03-01 00:00'), ('2026-02-01 00:00', '2026-03-01 00:01'), ('2026-01-31 00:00', '2026-02-28 00:00'), ('2026-01-31 00:00', '2026-02-28 00:01'),
	('2026-03-01 00:00', '2026-04-01 00:00'), ('2026-10-01 00:00', '2026-11-01 00:00'), ('2026-10-01 00:00', '2026-11-01 00:01')) AS d (q, w);
SELECT try($$SELECT reserve('terms', 'ann', 1, '[2026-05-01,)')$$);
-- several reasons: the quantity is named first
SELECT try($$SELECT reserve('terms', 'ann', 0.1, '[2026-05-01,)')$$);
-- only a least duration: open-ended is long enough
UPDATE pool SET max_duration = NULL WHERE name = 'terms';
SELECT try($$SELECT reserve('terms', 'ann', 1, '[2027-05-01,)')$$);
-- terms are checked by the verbs, capacity by whoever writes
SELECT try($$INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('terms'), party_id('eve'), 5, '[2026-05-01,2026-05-01 00:01)')$$);
SELECT * FROM calendar_differences();

--
-- refusals across pages, with fractions
--
SELECT create_pool('paged', 'compute', 'seat', 'grid');
SELECT count(invite('paged', p, r)), count(accept('paged', p, r))
FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (p, r);
SELECT add_supply('paged', 'north', 3, '[2026-01-01,2027-01-01)');
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id('paged'), party_id('ann'), CASE WHEN i % 2 = 0 THEN 1 ELSE 2.125 END,
	tstzrange('2026-01-01'::timestamptz + i * interval '12 hours', '2026-01-01'::timestamptz + (i + 1) * interval '12 hours')
FROM generate_series(0, 599) AS i;
SELECT count(*) FROM calendar WHERE pool_id = pool_id('paged');
SELECT try($$SELECT reserve('paged', 'bob', 0.875, '[2026-01-01,2026-10-28)')$$);
SELECT try($$SELECT reserve('paged', 'bob', 0.001, '[2026-01-01,2026-10-28)')$$);
SELECT try($$SELECT reserve('paged', 'bob', 2.5, '[2026-10-28,2027-01-01)')$$);
SELECT try($$SELECT reserve('paged', 'bob', 1, '[2026-10-01,2027-01-01)')$$);
-- on the page's edge, on both sides of it, and over all of them
SELECT ends AS edge FROM calendar WHERE pool_id = pool_id('paged') ORDER BY starts OFFSET 2 LIMIT 1 \gset
SELECT :'edge';
SELECT try(format($$SELECT reserve('paged', 'bob', 0.001, tstzrange(%1$L, %1$L::timestamptz + interval '1 hour'))$$, :'edge'));
SELECT try(format($$SELECT reserve('paged', 'bob', 0.001, tstzrange(%1$L::timestamptz - interval '1 hour', %1$L))$$, :'edge'));
SELECT try(format($$SELECT reserve('paged', 'bob', 0.001, tstzrange(%1$L::timestamptz - interval '13 hours', %1$L::timestamptz + interval '13 hours'))$$, :'edge'));
SELECT try($$SELECT reserve('paged', 'bob', 0.001, '[2025-01-01,)')$$);
SELECT * FROM calendar_differences();

--
-- deficit: supply withdrawn under leases
--
SELECT try($$SELECT withdraw_supply('paged', 'north', 2.5, '[2026-02-01,2026-02-02)')$$);
SELECT s.* FROM (SELECT sum(deficit) AS deficit FROM calendar WHERE pool_id = 3) AS c, steps(deficit, '[2026-01-31,2026-02-03)') AS s;
SELECT availability('paged', '[2026-01-31,2026-02-03)');
-- nobody gets in there, all of it is missing
SELECT try($$SELECT reserve('paged', 'bob', 0.5, '[2026-02-01 06:00,2026-02-01 07:00)')$$);
-- leases go: there is room where nothing is left of the deficit, and only for what fits
DELETE FROM lease WHERE pool_id = pool_id('paged') AND during && '[2026-02-01 12:00,2026-02-02)';
SELECT try($$SELECT reserve('paged', 'bob', 1, '[2026-02-01 12:00,2026-02-02)')$$);
SELECT try($$SELECT reserve('paged', 'bob', 0.5, '[2026-02-01 12:00,2026-02-02)')$$);
SELECT s.* FROM (SELECT sum(deficit) AS deficit FROM calendar WHERE pool_id = 3) AS c, steps(deficit, '[2026-01-31,2026-02-03)') AS s;
-- a lease in deficit may shrink, not grow; and not come back once it was gone
UPDATE lease SET quantity = 0.875 WHERE pool_id = pool_id('paged') AND during @> '2026-02-01 06:00'::timestamptz AND consumer_id = party_id('ann');
SELECT try($$UPDATE lease SET quantity = 1 WHERE pool_id = pool_id('paged') AND during @> '2026-02-01 06:00'::timestamptz AND consumer_id = party_id('ann')$$);
SELECT s.* FROM (SELECT sum(deficit) AS deficit FROM calendar WHERE pool_id = 3) AS c, steps(deficit, '[2026-01-31,2026-02-03)') AS s;
-- supply comes back, from another provider even: deficit goes, and there is room again
SELECT try($$SELECT add_supply('paged', 'south', 1, '[2026-02-01,2026-02-02)')$$);
SELECT s.* FROM (SELECT sum(deficit) AS deficit FROM calendar WHERE pool_id = 3) AS c, steps(deficit, '[2026-01-31,2026-02-03)') AS s;
SELECT try($$SELECT reserve('paged', 'bob', 0.7, '[2026-02-01 01:00,2026-02-01 02:00)')$$);
SELECT try($$SELECT reserve('paged', 'bob', 0.625, '[2026-02-01 01:00,2026-02-01 02:00)')$$);
-- all supply goes, over all pages
SELECT try($$SELECT withdraw_supply('paged', 'south', 1, '[2026-02-01,2026-02-02)')$$);
SELECT try($$DELETE FROM supply WHERE pool_id = pool_id('paged') AND provider_id = party_id('south')$$);
SELECT try($$DELETE FROM supply WHERE pool_id = pool_id('paged') AND quantity = 3$$);
SELECT try($$UPDATE supply SET during = '[2026-01-01,2026-02-03)' WHERE pool_id = pool_id('paged') AND quantity = 3$$);
SELECT integral(sum(deficit), '[2026-02-03,2027-01-01)') = integral(sum(booked), '[2026-02-03,2027-01-01)') FROM calendar WHERE pool_id = pool_id('paged');
SELECT * FROM calendar_differences();
-- it comes back in pieces: pages with a deficit are split
INSERT INTO supply (pool_id, provider_id, quantity, during)
SELECT pool_id('paged'), party_id('south'), 0.5 * (1 + i % 2), tstzrange('2026-03-01'::timestamptz + i * interval '2 hours', '2026-03-01'::timestamptz + (i + 1) * interval '2 hours')
FROM generate_series(0, 599) AS i;
SELECT count(*), count(*) FILTER (WHERE deficit <> '{}') FROM calendar WHERE pool_id = pool_id('paged');
SELECT * FROM calendar_differences();
DELETE FROM supply WHERE pool_id = pool_id('paged') AND provider_id = party_id('south');
SELECT try($$UPDATE supply SET during = '[2026-01-01,2027-01-01)' WHERE pool_id = pool_id('paged') AND quantity = 3$$);
SELECT * FROM calendar_differences();

--
-- release and cancel
--
SELECT reserve('gpu', 'ann', 4, '[2026-09-01,2026-10-01)', 'r1') AS r1 \gset
SELECT reserve('gpu', 'bob', 4, '[2026-10-01,2026-11-01)', 'c1') AS c1 \gset
SELECT try(format($$SELECT release(%s, '2026-08-31 23:59:59')$$, :r1));
SELECT try(format($$SELECT release(%s, '2026-10-01')$$, :r1));
SELECT try(format($$SELECT cancel(%s, '2026-09-01')$$, :r1));
SELECT try(format($$SELECT cancel(%s, '2026-10-01')$$, :r1));
SELECT try(format($$SELECT release(%s, NULL)$$, :r1));
SELECT try(format($$SELECT release(%s, 'infinity')$$, :r1));
SELECT try(format($$SELECT cancel(%s, '-infinity')$$, :r1));
SELECT try($$SELECT release(NULL)$$);
SELECT try($$SELECT cancel(NULL, '2026-01-01')$$);
SELECT try($$SELECT release(0)$$);
SELECT try($$SELECT cancel(0)$$);
-- half of it
SELECT try($$SELECT reserve('gpu', 'bob', 1, '[2026-09-20,2026-09-25)')$$);
SELECT try(format($$SELECT release(%s, '2026-09-20')$$, :r1));
SELECT try(format($$SELECT release(%s, '2026-09-10')$$, :r1));
SELECT try(format($$SELECT cancel(%s, '2026-08-10')$$, :r1));
SELECT try($$SELECT reserve('gpu', 'bob', 4, '[2026-09-20,2026-09-25)')$$);
SELECT try($$SELECT reserve('gpu', 'bob', 1, '[2026-09-19,2026-09-25)')$$);
-- all of it
SELECT try(format($$SELECT cancel(%s, '2026-09-30 23:59:59.999999')$$, :c1));
SELECT try(format($$SELECT cancel(%s, '2026-09-30')$$, :c1));
SELECT try(format($$SELECT release(%s, '2026-10-10')$$, :c1));
-- at the very start, at the very end
SELECT reserve('gpu', 'ann', 4, '[2026-10-01,2026-10-02)') AS r2, reserve('gpu', 'ann', 4, '[2026-10-02,2026-10-03)') AS r3 \gset
SELECT try(format($$SELECT release(%s, '2026-10-01')$$, :r2)), try(format($$SELECT release(%s, '2026-10-02 23:59:59.999999')$$, :r3));
SELECT reference, quantity, during, ended_at, end_reason, effective FROM lease WHERE ended_at IS NOT NULL ORDER BY lease_id;
-- taken back: only if there still is room
SELECT try(format($$UPDATE lease SET ended_at = NULL, end_reason = NULL WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET ended_at = NULL, end_reason = NULL WHERE lease_id = %s$$, :r2));
SELECT try(format($$UPDATE lease SET ended_at = '2026-09-20 00:00:00.000001' WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET ended_at = '2026-09-15' WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET ended_at = '2026-09-15', end_reason = NULL WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET ended_at = 'infinity' WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET end_reason = 'lost' WHERE lease_id = %s$$, :r1));
SELECT try(format($$UPDATE lease SET effective = '[2026-09-01,2026-09-02)' WHERE lease_id = %s$$, :r1));
-- open-ended, given back: the last page
SELECT add_supply('gpu', 'north', 1, '[2028-01-01,)');
SELECT reserve('gpu', 'ann', 1, '[2028-01-01,)') AS r4 \gset
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2030-01-01,2030-01-02)')$$);
SELECT try(format($$SELECT release(%s, '2030-01-01')$$, :r4));
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2030-01-01,2030-01-02)')$$);
SELECT * FROM calendar_differences();

--
-- import_leases
--
CREATE TABLE incoming (pool text, consumer text, quantity numeric, during tstzrange, reference text);
SELECT import_leases('incoming');
INSERT INTO incoming
SELECT 'gpu', CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END, 1, tstzrange('2026-11-01'::timestamptz + i * interval '1 day', '2026-11-01'::timestamptz + (i + 4) * interval '1 day'), 'import-' || i
FROM generate_series(0, 9) AS i;
INSERT INTO incoming VALUES ('paged', 'ann', 0.25, '[2026-11-01,2026-11-02)', NULL), ('paged', 'ann', 0.25, '[2026-11-01,2026-11-02)', NULL);
SELECT import_leases('incoming');
SELECT p.name, count(*), sum(quantity), min(l.price), max(l.price) FROM lease AS l JOIN pool AS p USING (pool_id) WHERE reference LIKE 'import%' OR lower(during) = '2026-11-01' GROUP BY 1 ORDER BY 1;
SELECT * FROM calendar_differences();
-- twice: nothing
SELECT try($$SELECT import_leases('incoming')$$);
-- one bad row among good ones
UPDATE incoming SET reference = 'again-' || reference, during = tstzrange(lower(during) + '30 days', upper(during) + '30 days');
CREATE TABLE bad (row text);
SELECT r, try(format($$
	INSERT INTO incoming VALUES (%s);
	SELECT import_leases('incoming')$$, r))
FROM unnest(ARRAY[
	$$'nothing', 'ann', 1, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'gpu', 'eve', 1, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'gpu', 'ian', 1, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'gpu', 'ann', 0.0000000000000000001, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'gpu', 'ann', 5, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'gpu', 'ann', 1, '[2026-12-31,2027-01-02)', 'x'$$,
	$$'terms', 'ann', 0.1, '[2026-12-01,2026-12-02)', 'x'$$,
	$$'terms', 'ann', 1, '[2026-12-01,2026-12-01 00:01)', NULL$$,
	$$'gpu', 'ann', 1, '[2026-12-01,2026-12-02)', 'again-import-3'$$]) AS r;
SELECT count(*) FROM incoming;
SELECT import_leases('incoming');
-- from a view, a temporary table with names that need quotes, an integer column
CREATE VIEW more AS SELECT 'gpu'::text AS pool, 'ann' AS consumer, 1 AS quantity, tstzrange('2026-12-20', '2026-12-21') AS during, NULL::text AS reference, 'more' AS other;
SELECT import_leases('more');
CREATE TEMP TABLE "My ""Leases""" AS TABLE more;
SELECT import_leases('"My ""Leases"""');
-- what is no source
SELECT try($$SELECT import_leases(NULL)$$);
SELECT try($$SELECT import_leases('no_such_table')$$);
SELECT try($$SELECT import_leases('bad')$$);
SELECT * FROM calendar_differences();
DROP VIEW more;
DROP TABLE bad, incoming;

--
-- lease, by plain DML
--
TRUNCATE lease RESTART IDENTITY;
TRUNCATE supply RESTART IDENTITY;
SELECT count(*), count(*) FILTER (WHERE capacity <> '{}' OR booked <> '{}' OR deficit <> '{}') FROM calendar;
INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (1, 2, 10, '[2026-01-01,)'), (3, 2, 3, '[2026-01-01,)');
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT 1, 4 + i % 2, 5, tstzrange('2026-01-01'::timestamptz + i * interval '1 day', '2026-01-01'::timestamptz + (i + 2) * interval '1 day') FROM generate_series(0, 9) AS i;
SELECT period, quantity FROM calendar, steps(booked) WHERE pool_id = 1 AND quantity > 0;
SELECT * FROM calendar_differences();
-- all rows or none
SELECT try($$INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (3, 4, 3, '[2026-03-01,2026-03-02)'), (1, 4, 5.5, '[2026-01-11,2026-01-13)')$$);
-- what a lease must be
SELECT try(format($$INSERT INTO lease (pool_id, consumer_id, quantity, during, price, ended_at, end_reason) VALUES (%s)$$, r))
FROM unnest(ARRAY[
	$$99, 4, 1, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 99, 1, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$NULL, 4, 1, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, NULL, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 0, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, -1, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 'NaN', '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 'Infinity', '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 0.0000000000000000001, '[2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 1, NULL, 1, NULL, NULL$$,
	$$1, 4, 1, 'empty', 1, NULL, NULL$$,
	$$1, 4, 1, '[2026-03-01,2026-03-02]', 1, NULL, NULL$$,
	$$1, 4, 1, '(2026-03-01,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 1, '(,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 1, '[-infinity,2026-03-02)', 1, NULL, NULL$$,
	$$1, 4, 1, '[2026-03-01,infinity)', 1, NULL, NULL$$,
	$$1, 4, 1, '[2026-03-01,2026-03-02)', -1, NULL, NULL$$,
	$$1, 4, 1, '[2026-03-01,2026-03-02)', 'NaN', NULL, NULL$$,
	$$1, 4, 1, '[2026-03-01,2026-03-02)', 1, '2026-03-01', NULL$$,
	$$1, 4, 1, '[2026-03-01,2026-03-02)', 1, NULL, 'released'$$]) AS r;
-- UPDATE: of all at once, into each other's place; too much; to another pool; over its end
UPDATE lease SET during = tstzrange(lower(during) + '1 day', upper(during) + '1 day'), quantity = 4;
SELECT * FROM calendar_differences();
SELECT try($$UPDATE lease SET quantity = quantity + 1.5 WHERE lease_id > 5$$);
SELECT try($$UPDATE lease SET pool_id = 3 WHERE lease_id = 1$$);
UPDATE lease SET pool_id = 3, quantity = 3 WHERE lease_id = 1;
SELECT try($$UPDATE lease SET pool_id = 3, quantity = 1 WHERE lease_id = 2$$);
UPDATE lease SET pool_id = 4 - pool_id, quantity = 1 WHERE lease_id IN (1, 2);
SELECT pool_id, lease_id, quantity, during FROM lease WHERE lease_id < 4 ORDER BY lease_id;
SELECT try($$UPDATE lease SET pool_id = 99 WHERE lease_id = 1$$);
UPDATE lease SET quantity = 1 WHERE false;
SELECT * FROM calendar_differences();
-- DELETE
DELETE FROM lease WHERE lease_id IN (3, 4, 5);
DELETE FROM lease WHERE false;
SELECT * FROM calendar_differences();
-- COPY
COPY lease (pool_id, consumer_id, quantity, during, reference) FROM stdin;
1	4	4	["2026-03-01 00:00:00+00","2026-03-02 00:00:00+00")	copy-1
3	4	2	["2026-03-01 00:00:00+00","2026-03-02 00:00:00+00")	copy-2
1	5	4	["2026-03-01 12:00:00+00",)	copy-3
\.
SELECT * FROM calendar_differences();
COPY lease (pool_id, consumer_id, quantity, during, reference) FROM stdin;
1	4	1	["2026-02-25 00:00:00+00","2026-02-26 00:00:00+00")	copy-4
1	4	2.01	["2026-02-28 00:00:00+00","2026-03-02 00:00:00+00")	copy-5
\.
SELECT count(*) FROM lease WHERE reference LIKE 'copy%';
-- MERGE: delete, update, insert
MERGE INTO lease AS l
USING (VALUES (1, 'copy-1', 0), (3, 'copy-2', 3), (1, 'merge', 6)) AS v (pool_id, reference, quantity) ON (l.pool_id, l.reference) = (v.pool_id, v.reference)
WHEN MATCHED AND v.quantity = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET quantity = v.quantity
WHEN NOT MATCHED THEN INSERT (pool_id, consumer_id, quantity, during, reference) VALUES (v.pool_id, 4, v.quantity, '[2026-03-01,2026-03-03)', v.reference);
SELECT pool_id, reference, quantity, during FROM lease WHERE reference IS NOT NULL ORDER BY 1, 2;
SELECT * FROM calendar_differences();
SELECT try($q$MERGE INTO lease AS l
	USING (VALUES (1, 'copy-3', 4.5)) AS v (pool_id, reference, quantity) ON (l.pool_id, l.reference) = (v.pool_id, v.reference)
	WHEN MATCHED THEN UPDATE SET quantity = v.quantity$q$);
-- ON CONFLICT
INSERT INTO lease (pool_id, consumer_id, quantity, during, reference) VALUES (1, 4, 1, '[2026-03-01,2026-03-02)', 'copy-3'), (1, 4, 1, '[2026-03-05,2026-03-06)', 'new')
ON CONFLICT (pool_id, reference) DO UPDATE SET quantity = lease.quantity - excluded.quantity;
INSERT INTO lease (pool_id, consumer_id, quantity, during, reference) VALUES (1, 4, 1000, '[2026-03-01,2026-03-02)', 'copy-3') ON CONFLICT DO NOTHING;
SELECT try($q$INSERT INTO lease (pool_id, consumer_id, quantity, during, reference) VALUES (1, 4, 1000, '[2026-03-01,2026-03-02)', 'copy-3')
	ON CONFLICT (pool_id, reference) DO UPDATE SET quantity = excluded.quantity$q$);
SELECT * FROM calendar_differences();
-- several in one statement
WITH gone AS (DELETE FROM lease WHERE reference = 'copy-2'),
	one AS (INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (1, 4, 1, '[2026-05-01,2026-05-02)')),
	two AS (INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (3, 4, 1, '[2026-05-01,2026-05-02)'))
UPDATE lease SET quantity = 2 WHERE reference = 'new';
SELECT * FROM calendar_differences();
-- a lease of a pool that is gone cannot be; a pool with leases stays
SELECT try($$DELETE FROM pool WHERE pool_id = 1$$);
SELECT try($$DELETE FROM pool WHERE pool_id = 3$$);
DELETE FROM lease WHERE pool_id = 3;
DELETE FROM supply WHERE pool_id = 3;
DELETE FROM pool WHERE pool_id = 3;
SELECT count(*) FROM calendar WHERE pool_id = 3;
SELECT * FROM calendar_differences();

--
-- supply, by plain DML
--
SELECT try(format($$INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (%s)$$, r))
FROM unnest(ARRAY[
	$$99, 2, 1, '[2026-03-01,2026-03-02)'$$,
	$$1, 2, 0, '[2026-03-01,2026-03-02)'$$,
	$$1, 2, 'NaN', '[2026-03-01,2026-03-02)'$$,
	$$1, 2, 'Infinity', '[2026-03-01,2026-03-02)'$$,
	$$1, 2, '-Infinity', '[2026-03-01,2026-03-02)'$$,
	$$1, 2, 0.0000000000000000001, '[2026-03-01,2026-03-02)'$$,
	$$1, 2, 1, 'empty'$$,
	$$1, 2, 1, '(2026-03-01,2026-03-02]'$$,
	$$1, 2, 1, '(,2026-03-02)'$$,
	$$1, 2, -11, '[2026-03-01,2026-03-02)'$$,
	$$1, 3, -1, '[2026-03-01,2026-03-02)'$$]) AS r;
INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (1, 3, 2, '[2026-01-01,2026-06-01)'), (1, 2, -1, '[2026-02-01,2026-06-01)'), (1, 3, -2, '[2026-05-01,2026-06-01)');
SELECT period, quantity FROM calendar, steps(capacity) WHERE pool_id = 1;
SELECT try($$UPDATE supply SET during = '[2026-01-01,2026-05-02)' WHERE provider_id = 3 AND quantity = 2$$);
SELECT try($$DELETE FROM supply WHERE quantity = 2$$);
DELETE FROM supply WHERE provider_id = 3;
COPY supply (pool_id, provider_id, quantity, during) FROM stdin;
1	3	0.5	["2026-01-01 00:00:00+00",)
1	2	-9	["2026-03-01 00:00:00+00","2026-03-02 00:00:00+00")
\.
SELECT period, quantity FROM calendar, steps(deficit, '[2026-01-01,2026-06-01)') WHERE pool_id = 1;
MERGE INTO supply AS s USING (VALUES (-9)) AS v (quantity) ON s.quantity = v.quantity WHEN MATCHED THEN DELETE;
SELECT count(*) FROM calendar WHERE deficit <> '{}';
SELECT * FROM calendar_differences();
TRUNCATE supply;
SELECT capacity, booked = deficit FROM calendar WHERE pool_id = 1;
SELECT * FROM calendar_differences();
TRUNCATE lease;
SELECT count(*), count(*) FILTER (WHERE capacity <> '{}' OR booked <> '{}' OR deficit <> '{}') FROM calendar;

--
-- availability
--
SELECT count(add_supply('gpu', 'north', 4, '[2026-01-01,2026-02-01)'));
SELECT count(reserve('gpu', 'ann', 3, '[2026-01-10,2026-01-20)'));
SELECT availability('gpu');
SELECT availability('gpu', '[2026-01-15,2026-01-16)');
SELECT availability('gpu', '[2026-01-20,2026-01-20]');
SELECT availability('gpu', '[2027-01-15,)');
SELECT availability('gpu', 'empty') IS NULL, availability('gpu', NULL) IS NULL, availability(NULL) IS NULL;
SELECT try($$SELECT availability('nothing')$$);

--
-- the calendar itself keeps what no code may break
--
SELECT try($$UPDATE calendar SET booked = profile('[2026-01-01,2026-01-02)', 5) WHERE pool_id = 1$$);
SELECT try($$UPDATE calendar SET capacity = '{}' WHERE pool_id = 1 AND booked <> '{}'$$);
SELECT try($$UPDATE calendar SET ends = starts WHERE pool_id = 1$$);
SELECT * FROM calendar_differences();
-- trigger functions are for triggers
SELECT try(format('SELECT %s()', f)) FROM unnest('{calendar_of_pools,calendar_of_supply,calendar_of_leases,calendar_of_quotas,calendar_of_deletions}'::text[]) AS f;

TRUNCATE party CASCADE;
DROP FUNCTION try, calendar_differences;
