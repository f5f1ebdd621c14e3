-- admission.sql: what may be done with a lease from wish to end, and what each
-- refusal says: holds, bundles, amendments, cancellation policies, preemption,
-- quotas, budgets, parent pools, terms, slots and recurrences

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
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
ALTER SEQUENCE booking_id_seq RESTART;

-- grid and ivy run pools; north and south supply them; ann, bob and cyd lease;
-- ian was invited and did not accept; eve has nothing to do with it
SELECT count(create_party(name)) FROM unnest('{grid,ivy,north,south,ann,bob,cyd,ian,eve}'::text[]) AS name;
CREATE FUNCTION open_pool(name text, capacity numeric, price numeric DEFAULT 0, parent text DEFAULT NULL, during tstzrange DEFAULT '[2100-01-01,2101-01-01)') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_pool(name, 'compute', 'gpu', 'grid', price => price, parent => parent, borrow => NULL, lend => NULL);
	PERFORM invite(name, p, r), accept(name, p, r) FROM (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer'), ('cyd', 'consumer')) AS m (p, r);
	PERFORM invite(name, 'ian');
	IF capacity > 0 THEN
		PERFORM add_supply(name, 'north', capacity, during);
	END IF;
END $$;
-- how much of a pool is free, and the leases as they are
CREATE FUNCTION free(pool text, consumer text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT availability(pool, '[2100-01-01,2101-01-01)', consumer)
$$;
CREATE VIEW leases AS
	SELECT l.pool, l.lease_id, l.consumer, l.quantity, l.during, l.state, l.price, l.reference, l.booking_id AS booking, l.held_until, l.refund,
		CASE WHEN l.effective <> l.during THEN l.effective END AS effective
	FROM lease_status AS l;

--
-- reserve: what is refused, and what is said
--
SELECT open_pool('gpu', 8, 2);
SELECT try($$SELECT reserve('nothing', 'ann', 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'nobody', 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'eve', 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ian', 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve(NULL, 'ann', 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', NULL, 1, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', NULL, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, NULL)$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', preemptible => NULL)$$);
SELECT try($$SELECT reserve('gpu', 'ann', 0, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1e12, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, 'empty')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '(,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2100-04-01,infinity)')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02]')$$);
SELECT try(format($$SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', hold_for => %L)$$, h)) FROM unnest('{0,-1 hour}'::text[]) AS h;
SELECT reserve('gpu', 'ann', 5, '[2100-04-01,2100-04-11)'), reserve('gpu', 'bob', 1, '[2100-04-01,2100-04-05)');
-- who is in the way, from when on, how much is missing, and when it can be had
SELECT try($$SELECT reserve('gpu', 'cyd', 3, '[2100-04-01,2100-04-02)')$$);
SELECT try($$SELECT reserve('gpu', 'cyd', 4, '[2100-04-09,2100-04-20)')$$);
SELECT reserve('gpu', 'cyd', 0.5, '[2100-04-01,2100-04-03)'), reserve('gpu', 'cyd', 0.5, '[2100-04-01,2100-04-03)');
SELECT try($$SELECT reserve('gpu', 'cyd', 3, '[2100-04-02,2100-04-03)')$$);
SELECT reserve('gpu', 'cyd', 0.25, '[2100-04-02,2100-04-03)');
SELECT try($$SELECT reserve('gpu', 'cyd', 3, '[2100-04-02,2100-04-03)')$$);
-- nothing but time of another kind is in the way: no supply, never enough, no end
SELECT try($$SELECT reserve('gpu', 'cyd', 1, '[2099-12-31,2100-01-02)')$$);
SELECT try($$SELECT reserve('gpu', 'cyd', 9, '[2100-05-01,2100-05-02)')$$);
SELECT try($$SELECT reserve('gpu', 'cyd', 1, '[2100-05-01,)')$$);
SELECT try($$SELECT reserve('gpu', 'cyd', 8, '[2100-04-01,2100-12-31 12:00)')$$);
-- rows of one statement are not in each other's way by name
SELECT try($$INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('gpu'), party_id('cyd'), 5, '[2100-05-01,2100-05-02)' FROM generate_series(1, 2)$$);
SELECT * FROM leases;
SELECT free('gpu');
DELETE FROM lease;

--
-- A reference: the same call is the same lease
--
SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', 'job') AS job \gset
SELECT reserve('gpu', 'ann', 1.0, '[2100-04-01 02:00+02,2100-04-02)', 'job') = :job;
SELECT count(*) FROM lease;
SELECT try(replace($$SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', 'job')$$, a, b))
FROM (VALUES ('ann', 'bob'), (', 1,', ', 2,'), ('04-02', '04-03'), ('''job''', '''job'', preemptible => true')) AS r (a, b);
-- it was given back: that is what became of it
SELECT cancel(:job, '2100-03-01');
SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', 'job') = :job;
-- of another pool, it is another
SELECT open_pool('tpu', 2);
SELECT reserve('tpu', 'ann', 1, '[2100-04-01,2100-04-02)', 'job') <> :job;
-- terms that were changed since then are for others
UPDATE pool SET max_quantity = 0.5, notice = '100000 years' WHERE name = 'gpu';
SELECT reserve('gpu', 'ann', 1, '[2100-04-01,2100-04-02)', 'job') = :job;
UPDATE pool SET max_quantity = NULL, notice = NULL WHERE name = 'gpu';

--
-- reserve_bundle: all lines or none
--
SELECT open_pool('weekly', 1, during => '[2026-01-01,)'), open_pool('cleaned', 2);
SELECT reserve_bundle('{gpu,tpu}', 'ann', '{2,1}', '{"[2100-05-01,2100-05-02)"}', 'both') AS both \gset
SELECT pool, quantity, during, reference, booking = :both FROM leases WHERE booking IS NOT NULL;
SELECT reserve_bundle('{gpu,tpu}', 'ann', '{2,1}', '{"[2100-05-01,2100-05-02)"}', 'both') = :both;
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{2,2}', '{"[2100-05-01,2100-05-02)"}', 'both')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu,tpu}', 'ann', '{2,1,1}', '{"[2100-05-01,2100-05-02)"}', 'both')$$);
-- a part of a booking is another booking
SELECT try($$SELECT reserve_bundle('{gpu}', 'ann', '{2}', '{"[2100-05-01,2100-05-02)"}', 'both')$$);
SELECT try($$SELECT reserve('gpu', 'ann', 2, '[2100-05-01,2100-05-02)', 'both/1')$$);
-- one line does not fit, or is not allowed: none is there
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{2,2}', '{"[2100-05-01,2100-05-02)"}')$$);
SELECT try($$SELECT reserve_bundle('{tpu,tpu}', 'ann', '{1.5}', '{"[2100-06-01,2100-06-03)","[2100-06-02,2100-06-04)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,nothing}', 'ann', '{1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ian', '{1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{1,-1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{1}', '{"[2100-06-01,2100-06-03)",empty}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{1,1,1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu,gpu}', 'ann', '{1}', '{"[2100-06-01,2100-06-03)","[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{}', 'ann', '{}', '{}')$$);
SELECT try($$SELECT reserve_bundle('{gpu,NULL}', 'ann', '{1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu}', 'ann', '{NULL}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu}', 'ann', '{1}', '{NULL}')$$);
SELECT try($$SELECT reserve_bundle(NULL, 'ann', '{1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu}', NULL, '{1}', '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu}', 'ann', NULL, '{"[2100-06-01,2100-06-03)"}')$$);
SELECT try($$SELECT reserve_bundle('{gpu}', 'ann', '{1}', NULL)$$);
SELECT count(*) FROM lease WHERE booking_id <> :both;
-- lines of two bookings are none
SELECT reserve_bundle('{gpu,tpu}', 'ann', '{1}', '{"[2100-07-01,2100-07-02)"}', 'mixed') <> reserve_bundle('{weekly,cleaned}', 'ann', '{1}', '{"[2100-07-01,2100-07-02)"}', 'mixed');
SELECT try($$SELECT reserve_bundle('{gpu,cleaned}', 'ann', '{1}', '{"[2100-07-01,2100-07-02)"}', 'mixed')$$);
SELECT * FROM calendar_differences();

--
-- recurring: at the same local time; what does not exist is left out
--
SELECT timezone('Europe/Berlin', lower(p)), p FROM recurring('[2026-03-15 09:00 Europe/Berlin,2026-03-15 17:00 Europe/Berlin)', '1 week', 4, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-03-28 01:30 Europe/Berlin,2026-03-28 03:30 Europe/Berlin)', '1 day', 3, 'Europe/Berlin') AS p;
-- from 2:15 to 2:45 there is no time on the 29th; in October it is the second of two, but for the first
SELECT p FROM recurring('[2026-03-28 02:15 Europe/Berlin,2026-03-28 02:45 Europe/Berlin)', '1 day', 3, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-10-24 02:15 Europe/Berlin,2026-10-24 02:45 Europe/Berlin)', '1 day', 3, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-10-25 00:15,2026-10-25 00:45)', '1 day', 2, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-03-28 02:30 Europe/Berlin,2026-03-28 03:15 Europe/Berlin)', '1 day', 3, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-03-28 01:45 Europe/Berlin,2026-03-28 02:30 Europe/Berlin)', '1 day', 2, 'Europe/Berlin') AS p;
SELECT p FROM recurring('[2026-10-24 22:00 Europe/Berlin,2026-10-25 06:00 Europe/Berlin)', '1 day', 2, 'Europe/Berlin') AS p;
-- hours are hours
SELECT p FROM recurring('[2026-03-28 12:00 Europe/Berlin,2026-03-28 13:00 Europe/Berlin)', '24 hours', 2, 'Europe/Berlin') AS p;
-- the end of a month is that of its month
SELECT p FROM recurring('[2026-01-31,2026-02-01)', '1 month', 4) AS p;
SELECT p FROM recurring('[2026-01-01,2026-01-02)', '1 day', 0) AS p;
SELECT try($$SELECT recurring('[2026-01-01,2026-01-02)', '1 day', 2, 'Nowhere/Here')$$);
-- all of them are one booking
SELECT reserve_bundle('{weekly}', 'ann', '{1}', ARRAY(SELECT recurring('[2026-03-15 09:00 Europe/Berlin,2026-03-15 17:00 Europe/Berlin)', '1 week', 3, 'Europe/Berlin')), 'monday');
SELECT during, reference FROM leases WHERE pool = 'weekly' ORDER BY lease_id;
SELECT try($$SELECT reserve_bundle('{weekly}', 'bob', '{1}', ARRAY(SELECT recurring('[2026-03-15 15:00,2026-03-15 16:00)', '1 week', 3)))$$);
SELECT try($$SELECT reserve_bundle('{weekly}', 'bob', '{1}', ARRAY(SELECT recurring('[2026-03-15 16:00,2026-03-15 17:00)', '1 week', 3)))$$);

--
-- Holds: they hold their quantity until they are confirmed, or until their time is over
--
SELECT open_pool('asked', 2, 1);
UPDATE pool SET instant = false WHERE name = 'asked';
TRUNCATE lease RESTART IDENTITY;
SELECT reserve('tpu', 'ann', 2, '[2100-04-01,2100-05-01)', 'hold', hold_for => '300000 days') AS hold \gset
SELECT * FROM leases;
SELECT try($$SELECT reserve('tpu', 'bob', 1, '[2100-04-30,2100-05-01)')$$);
SELECT confirm(:hold), confirm(:hold);
SELECT * FROM leases;
-- not confirmed in time: the next one who reserves gets its place
UPDATE lease SET held_until = '2020-01-01' WHERE lease_id = :hold;
SELECT state FROM leases;
SELECT free('tpu'), availability('tpu', '[2100-01-01,2101-01-01)', 'ann');
SELECT try(format('SELECT %s(%s)', v, :hold)) FROM unnest('{confirm,release,cancel,reclaim,amend}'::text[]) AS v;
SELECT reserve('tpu', 'bob', 1, '[2100-04-30,2100-05-01)');
SELECT * FROM leases ORDER BY lease_id;
SELECT try(format('SELECT %s(%s)', v, :hold)) FROM unnest('{confirm,release,cancel,reclaim,amend}'::text[]) AS v;
-- as a bundle, too, and all at once
SELECT reserve_bundle('{gpu,tpu}', 'cyd', '{8,1}', '{"[2100-06-01,2100-07-01)"}', hold_for => '300000 days') > 0;
SELECT try($$SELECT reserve('gpu', 'bob', 1, '[2100-06-01,2100-07-01)')$$);
SELECT expire_holds();
UPDATE lease SET held_until = '2020-01-01' WHERE held_until = '2100-06-01';
SELECT expire_holds(), expire_holds();
SELECT pool, state, effective, refund FROM leases WHERE consumer = 'cyd' ORDER BY pool;
-- one that began a long time ago is not over before it is held
SELECT add_supply('asked', 'north', 1, '[2020-01-01,2021-01-01)') > 0;
SELECT reserve('asked', 'bob', 1, '[2020-01-01,2020-02-01)') AS hold \gset
SELECT state, held_until FROM leases WHERE lease_id = :hold;
SELECT release(:hold, '2020-01-15');
SELECT reserve('tpu', 'bob', 1, '[2100-08-01,2100-08-02)', hold_for => '300000 days') AS hold \gset
SELECT cancel(:hold, '2100-07-01');
SELECT try(format('SELECT confirm(%s)', :hold));
SELECT try('SELECT confirm(NULL)');
SELECT try('SELECT confirm(0)');
SELECT * FROM calendar_differences();
SELECT * FROM check_calendar();

-- a pool whose steward has to confirm
SELECT reserve('asked', 'ann', 2, '[2100-04-01,2100-05-01)') AS hold \gset
SELECT * FROM leases WHERE pool = 'asked';
SELECT try($$SELECT reserve('asked', 'bob', 1, '[2100-04-01,2100-05-01)')$$);
SELECT try(format('SELECT confirm(%s)', :hold));
SELECT try(format('SELECT confirm(%s, %L)', :hold, p)) FROM unnest('{ann,eve,nobody}'::text[]) AS p;
SELECT invite('asked', 'ivy', 'steward');
SELECT try(format('SELECT confirm(%s, %L)', :hold, p)) FROM unnest('{ivy,grid,grid}'::text[]) AS p;
SELECT state, held_until FROM leases WHERE pool = 'asked';

--
-- amend
--
TRUNCATE lease RESTART IDENTITY;
SELECT reserve('tpu', 'ann', 1, '[2100-04-01,2100-05-01)') AS a, reserve('tpu', 'bob', 1, '[2100-04-01,2100-04-11)') AS b \gset
-- it is not in its own way
SELECT amend(:a, 2, '[2100-04-11,2100-05-11)') = :a, amend(:a, NULL, '[2100-04-20,2100-06-01)') = :a, amend(:a, 1.5) = :a;
SELECT * FROM leases ORDER BY lease_id;
SELECT try(format($$SELECT amend(%s, 2, '[2100-04-10,2100-05-01)')$$, :a));
SELECT try(format($$SELECT amend(%s, 3)$$, :a));
SELECT try(format($$SELECT amend(%s, during => '[2100-04-20,)')$$, :a));
-- what is wished for later can be had, where it is now
SELECT try(format($$SELECT amend(%s, 2, '[2100-03-25,2100-04-15)')$$, :a));
-- after it began: the end alone; or another quantity from then on
SELECT amend(:b, during => '[2100-04-01,2100-04-06)', at => '2100-04-02') = :b;
SELECT amend(:b, during => '[2100-04-01,2100-04-08)', at => '2100-04-02') = :b;
SELECT amend(:b, 2, at => '2100-04-03') AS c \gset
SELECT :b <> :c;
SELECT amend(:c, 0.5, '[2100-04-03,2100-04-10)', '2100-04-05') AS d \gset
SELECT amend(:d, 2, at => '2100-04-05') = :d;
SELECT * FROM leases ORDER BY lease_id;
SELECT try(format($$SELECT amend(%s, 1, '[2100-04-06,2100-04-10)', '2100-04-07')$$, :d));
SELECT try(format($$SELECT amend(%s, 1, '[2100-04-05,2100-04-07)', '2100-04-07')$$, :d));
SELECT try(format($$SELECT amend(%s, 1, '[2100-04-05,2100-04-07)', '2100-04-10')$$, :d));
SELECT try(format($$SELECT amend(%s, 2.5, '[2100-04-05,2100-05-01)', '2100-04-07')$$, :d));
SELECT try(format($$SELECT amend(%s, 1, at => '2100-04-02')$$, :c));
-- a hold is over when the lease begins, wherever it is moved to
SELECT reserve('tpu', 'bob', 1, '[2100-08-10,2100-08-20)', hold_for => '300000 days') AS h \gset
SELECT amend(:h, during => '[2100-08-01,2100-08-11)') = :h;
SELECT state, during, held_until FROM leases WHERE lease_id = :h;
SELECT amend(:h, during => '[2100-08-15,2100-08-16)') = :h;
SELECT state, during, held_until FROM leases WHERE lease_id = :h;
SELECT cancel(:h, '2100-07-01');
SELECT try(format($$SELECT amend(%s, -1)$$, :a));
SELECT try(format($$SELECT amend(%s, 1, 'empty')$$, :a));
SELECT try(format($$SELECT amend(%s, 1, at => 'infinity')$$, :a));
SELECT try(format($$SELECT amend(%s, 1, at => NULL)$$, :a));
SELECT try('SELECT amend(NULL, 1)');
SELECT try('SELECT amend(0, 1)');
SELECT free('tpu');
SELECT * FROM calendar_differences();

--
-- Terms: notice, horizon, buffer, overbooking
--
UPDATE pool SET notice = '1 hour', horizon = '3 years' WHERE name = 'tpu';
SELECT try($$SELECT reserve('tpu', 'ann', 1, '[2020-05-01,2100-05-02)')$$);
SELECT try($$SELECT reserve('tpu', 'ann', 1, '[2100-05-01,2100-05-02)')$$);
SELECT try($$SELECT reserve('tpu', 'ann', 1, '[2100-05-01,)')$$);
SELECT try($$SELECT reserve_bundle('{gpu,tpu}', 'ann', '{1}', '{"[2100-05-01,2100-05-02)"}')$$);
-- longer is more than the terms of today allow; shorter is not
SELECT try(format($$SELECT amend(%s, during => '[2100-04-05,2100-04-11)', at => '2100-04-07')$$, :d));
SELECT try(format($$SELECT amend(%s, during => '[2100-04-05,2100-04-09)', at => '2100-04-07')$$, :d));
SELECT try(format($$UPDATE pool SET %s WHERE name = 'tpu'$$, t))
FROM unnest('{notice = ''0'',horizon = ''-1 day'',"buffer = ''1 day''","buffer = ''720:00''",overbooking = 0,overbooking = 1.001,overbooking = 101,"cancellation = profile(1.5)","cancellation = ''{}'' - profile(1)",borrow = -1,lend = -1,"preemption_notice = ''-1 hour''",unit = ''cpu'',currency = ''EUR''}'::text[]) AS t;
-- a buffer after each lease is as if it were leased, but nobody has it
UPDATE pool SET buffer = '2 hours' WHERE name = 'cleaned';
SELECT reserve('cleaned', 'ann', 2, '[2100-04-01,2100-04-02)') AS a, reserve('cleaned', 'ann', 2, '[2100-04-02 02:00,2100-04-03)') AS b \gset
SELECT try($$SELECT reserve('cleaned', 'bob', 1, '[2100-04-03 01:59,2100-04-04)')$$);
SELECT try($$SELECT reserve('cleaned', 'bob', 1, '[2100-03-31 20:00,2100-03-31 22:00:01)')$$);
SELECT try($$SELECT reserve('cleaned', 'bob', 1, '[2100-12-31 20:00,2100-12-31 22:00:01)')$$);
SELECT free('cleaned');
-- when it is released early, it is cleaned early; when cancelled, not at all; another quantity is cleaned once
SELECT release(:a, '2100-04-01 12:00'), cancel(:b, '2100-04-01');
SELECT reserve('cleaned', 'bob', 2, '[2100-04-10,2100-04-20)') AS c \gset
SELECT amend(:c, 1, at => '2100-04-15') AS d \gset
SELECT free('cleaned');
SELECT consumer, leases, unit_hours FROM cost_report('cleaned', '[2100-01-01,2101-01-01)');
SELECT * FROM check_calendar();
-- more than there is
SELECT open_pool('overbooked', 10);
UPDATE pool SET overbooking = 1.25 WHERE name = 'overbooked';
SELECT free('overbooked');
SELECT reserve('overbooked', 'ann', 12, '[2100-04-01,2100-05-01)') > 0;
SELECT try($$SELECT reserve('overbooked', 'ann', 1, '[2100-04-01,2100-05-01)')$$);
SELECT add_supply('overbooked', 'south', 2, '[2100-04-01,2100-04-10)') > 0;
SELECT free('overbooked');
-- 0.8 of it is what may be booked from now on; the rest is in deficit
UPDATE pool SET overbooking = 0.8 WHERE name = 'overbooked';
SELECT free('overbooked'), deficit FROM calendar WHERE pool_id = pool_id('overbooked');
SELECT consumer, quantity, missing FROM lease_in_deficit;
UPDATE pool SET overbooking = 1.25 WHERE name = 'overbooked';
SELECT deficit FROM calendar WHERE pool_id = pool_id('overbooked');
SELECT * FROM check_calendar();

--
-- Cancellation policy: all a week before, half until the start, then a tenth
--
TRUNCATE lease RESTART IDENTITY;
SELECT try($$SELECT lead_time('1 month')$$);
SELECT lead_time('7 days'), lead_time('0'), lead_time('-1 hour');
UPDATE pool SET cancellation = (SELECT gauge_profile(at, refund) FROM (VALUES ('-infinity', 0.1), (lead_time('0'), 0.5), (lead_time('7 days'), 1)) AS v (at, refund)) WHERE name = 'gpu';
SELECT cancellation FROM pool WHERE name = 'gpu';
SELECT reserve('gpu', 'ann', 1, '[2100-04-11,2100-04-21)', 'r' || i) FROM generate_series(1, 6) AS i;
UPDATE pool SET cancellation = NULL, price = 3 WHERE name = 'gpu';
SELECT cancel(1, '2100-04-04'), cancel(2, '2100-04-04 00:00:00.000001'), cancel(3, '2100-04-10 23:59:59.999999'), release(4, '2100-04-11'), release(5, '2100-04-16');
SELECT reference, state, price, refund, effective FROM leases ORDER BY lease_id;
-- nothing of it can be had back by an amendment; more of it can be had
SELECT try($$SELECT amend(6, 0.5)$$);
SELECT try($$SELECT amend(6, 1, '[2100-04-12,2100-04-21)')$$);
SELECT try($$SELECT amend(6, 2, '[2100-04-11,2100-04-20)')$$);
SELECT try($$SELECT amend(6, 0.5, at => '2100-04-16')$$);
SELECT try($$SELECT amend(6, 2, '[2100-04-11,2100-04-26)', at => '2100-04-16')$$);
SELECT reference, quantity, during, state, price, refund, effective FROM leases WHERE lease_id >= 6 ORDER BY lease_id;
-- a hold is paid back in full; an open-ended lease has no rest with a price
UPDATE pool SET cancellation = profile(0.25), price = 2 WHERE name IN ('gpu', 'weekly');
SELECT reserve('gpu', 'bob', 1, '[2100-04-11,2100-04-21)', hold_for => '300000 days') AS h, reserve('weekly', 'bob', 1, '[2100-04-11,)') AS o \gset
SELECT cancel(:h, '2100-04-01'), release(:o, '2100-04-12');
SELECT quantity, state, price, refund, effective FROM leases WHERE consumer = 'bob' ORDER BY lease_id;
SELECT * FROM lease_price ORDER BY lease_id, used DESC;
-- 2 a unit-hour: of 480 each is charged 0, 240, 240, 240, 456; and of the sixth 240, then 10 days of 2
SELECT * FROM cost_report('gpu', '[2100-01-01,2101-01-01)');
SELECT * FROM cost_report('gpu', '[2100-04-11,2100-04-16)');
SELECT * FROM revenue_report('gpu', '[2100-01-01,2101-01-01)');
SELECT (SELECT sum(cost) FROM cost_report('gpu', d)) = (SELECT sum(revenue) FROM revenue_report('gpu', d))
FROM unnest('{"[2100-04-01,2100-04-15)","[2100-04-15,2100-04-16 12:34:56.789)","[2100-04-20,2100-04-30)"}'::tstzrange[]) AS d;
SELECT try($$SELECT cost_report('gpu', '[2100-01-01,)')$$);
SELECT try($$SELECT revenue_report('nothing', '[2100-01-01,2100-02-01)')$$);
-- what cannot be given back
SELECT reserve('gpu', 'cyd', 1, '[2100-05-01,2100-05-02)') AS c \gset
SELECT try(format($$SELECT release(%s, '2100-04-30')$$, :c));
SELECT try(format($$SELECT release(%s, '2100-05-02')$$, :c));
SELECT try(format($$SELECT cancel(%s, '2100-05-01')$$, :c));
SELECT try(format($$SELECT cancel(%s, '2100-05-02')$$, :c));
SELECT try(format($$SELECT release(%s, 'infinity')$$, :c));
SELECT try($$SELECT release(NULL)$$), try($$SELECT cancel(NULL)$$), try($$SELECT release(0)$$), try($$SELECT cancel(0)$$), try($$SELECT release(1, NULL)$$);
SELECT try($$SELECT release(4, '2100-04-12')$$), try($$SELECT cancel(1, '2100-04-01')$$), try($$SELECT amend(5, 1)$$), try($$SELECT confirm(5)$$);

--
-- Deficit: who gives way, in order; preemptible leases are reclaimed
--
TRUNCATE lease RESTART IDENTITY;
SELECT open_pool('spot', 10, 1);
UPDATE pool SET preemption_notice = '1 hour' WHERE name = 'spot';
SELECT reserve('spot', c, q, d, preemptible => p)
FROM (VALUES ('ann', 3, '[2100-04-01,2100-05-01)'::tstzrange, false), ('bob', 2, '[2100-04-01,2100-04-20)', true), ('ann', 3, '[2100-04-10,2100-06-01)', false), ('bob', 2, '[2100-04-15,2100-05-15)', true)) AS l (c, q, d, p);
SELECT free('spot');
SELECT * FROM lease_in_deficit;
-- 2 less: the younger of the preemptible ones; 7 less: part of an older one, too
SELECT withdraw_supply('spot', 'north', 2, '[2100-04-12,2100-05-01)') > 0;
SELECT pool, position, lease_id, consumer, quantity, unit, during, preemptible, reclaimable_at, missing FROM lease_in_deficit ORDER BY position;
SELECT withdraw_supply('spot', 'north', 5, '[2100-04-12,2100-05-01)') > 0;
SELECT position, lease_id, consumer, quantity, preemptible, missing FROM lease_in_deficit ORDER BY position;
-- nobody gets in there, and who is there may only have less
SELECT try($$SELECT reserve('spot', 'cyd', 1, '[2100-04-11,2100-04-13)')$$);
SELECT try($$SELECT amend(1, 4)$$);
BEGIN;
SELECT amend(1, 2, at => '2100-04-13') <> 1;
SELECT lease_id, quantity, effective FROM leases WHERE consumer = 'ann' ORDER BY lease_id;
SELECT * FROM check_calendar();
ROLLBACK;
SELECT try($$SELECT amend(1, during => '[2100-04-01,2100-04-30)')$$);
SELECT try($$SELECT amend(1, during => '[2100-04-01,2100-05-01)')$$);
SELECT regexp_replace(try(format('SELECT reclaim(%s)', l)), 'from .* on', 'from ... on') FROM unnest('{1,0}'::bigint[]) AS l;
SELECT regexp_replace(try(format($$SELECT reclaim(2, %L)$$, at)), 'from .* on', 'from ... on') FROM unnest('{2020-01-01,infinity,2100-04-20}'::text[]) AS at;
SELECT try('SELECT reclaim(NULL)');
SELECT reclaim(4, '2100-04-15'), reclaim(2, '2100-04-14');
SELECT try('SELECT reclaim(4)');
SELECT lease_id, state, refund, effective FROM leases ORDER BY lease_id;
SELECT position, lease_id, missing FROM lease_in_deficit ORDER BY position;
-- before it began, at the earliest
SELECT reserve('spot', 'bob', 1, '[2100-10-01,2100-11-01)', preemptible => true) AS p \gset
SELECT reclaim(:p) < '2100-10-01';
SELECT lease_id, effective FROM leases WHERE lease_id = :p;
-- to end the first ones until no row is left makes up for the deficit
SELECT release(3, '2100-04-12');
SELECT position, lease_id, missing FROM lease_in_deficit ORDER BY position;
UPDATE lease SET ended_at = '2100-04-12' WHERE lease_id = 2;
SELECT position, lease_id, missing FROM lease_in_deficit ORDER BY position;
SELECT * FROM calendar_differences();

--
-- Quotas
--
TRUNCATE lease RESTART IDENTITY;
SELECT open_pool('shared', 10);
SELECT set_quota('shared', 'ann', '[2100-04-01,2100-05-01)', 4) AS own, set_quota('shared', 'ann', '[2100-05-01,2100-06-01)', 4, borrow => 2, lend => 1) AS kept,
	set_quota('shared', 'bob', '[2100-05-01,)', 1, borrow => NULL) AS all \gset
SELECT free('shared'), free('shared', 'ann'), free('shared', 'bob'), free('shared', 'cyd');
SELECT try($$SELECT reserve('shared', 'ann', 5, '[2100-04-30,2100-05-02)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 6, '[2100-05-01,2100-05-02)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 7, '[2100-05-02,2100-05-03)')$$);
SELECT try($$SELECT reserve('shared', 'bob', 5, '[2100-05-01,2100-05-02)')$$);
SELECT try($$SELECT reserve('shared', 'bob', 8, '[2100-05-02,2100-05-03)')$$);
SELECT try($$SELECT reserve('shared', 'bob', 7, '[2100-05-02,2100-05-03)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 3, '[2100-05-02,2100-05-03)')$$);
SELECT free('shared'), free('shared', 'ann');
-- what a quota cannot be
SELECT try($$SELECT set_quota('shared', 'ann', '[2100-05-31,2100-06-02)', 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', 7, lend => 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)')$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', 1, budget => 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', lend => 1, budget => 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,)', budget => 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', -1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', 1, borrow => -1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', '[2100-05-01,2100-06-01)', 1e12)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', 'empty', 1)$$);
SELECT try($$SELECT set_quota('nothing', 'cyd', '[2100-05-01,2100-06-01)', 1)$$);
SELECT try($$SELECT set_quota('shared', 'nobody', '[2100-05-01,2100-06-01)', 1)$$);
SELECT try($$SELECT set_quota(NULL, 'cyd', '[2100-05-01,2100-06-01)', 1)$$);
SELECT try($$SELECT set_quota('shared', 'cyd', NULL, 1)$$);
-- lower than what is leased: it stays, nothing more gets in
UPDATE quota SET own = 1, borrow = 0, lend = NULL WHERE quota_id = :kept;
SELECT quota_id, capacity, booked, deficit FROM calendar WHERE pool_id = pool_id('shared') ORDER BY quota_id;
SELECT try($$SELECT reserve('shared', 'ann', 0.5, '[2100-05-02,2100-05-03)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-05-03,2100-05-04)')$$);
-- without it, the pool alone decides
DELETE FROM quota;
SELECT try($$SELECT reserve('shared', 'ann', 9, '[2100-05-03,2100-05-04)')$$);
SELECT * FROM check_calendar();
-- what if: without leases of one's own; those of others do not help where the quota is the limit
TRUNCATE lease RESTART IDENTITY;
SELECT set_quota('shared', 'ann', '[2100-04-01,2100-05-01)', 4) > 0;
SELECT reserve('shared', 'ann', 3, '[2100-04-01,2100-04-11)'), reserve('shared', 'bob', 5, '[2100-04-01,2100-04-11)');
SELECT availability('shared', '[2100-04-01,2100-04-03)', c, w) FROM unnest('{ann,bob}'::text[]) AS c, (VALUES ('{}'::bigint[]), ('{1}'), ('{2}'), ('{1,2}')) AS v (w);
SELECT availability('shared', '[2100-04-01,2100-04-03)', c, additional => profile('[2100-04-02,2100-04-03)', 1)) FROM unnest('{ann,bob}'::text[]) AS c;

--
-- Budgets
--
TRUNCATE lease, quota RESTART IDENTITY;
SELECT set_quota('shared', 'ann', '[2100-04-01,2100-05-01)', budget => 100) AS budget \gset
SELECT try($$SELECT reserve('shared', 'ann', 10, '[2100-04-01,2100-04-01 09:00)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-04-01 09:00,2100-04-01 19:00:01)')$$);
-- of what is in the window
SELECT try($$SELECT reserve('shared', 'ann', 10, '[2100-04-30 23:00,2100-05-01 09:00)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-03-01,2100-04-01 00:00:00.01)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-03-01,2100-04-01)')$$);
SELECT try($$SELECT reserve('shared', 'bob', 10, '[2100-04-02,2100-04-12)')$$);
-- and is there again when it is given back; a limit and a budget go together
SELECT release(1, '2100-04-01 08:00');
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-04-15,)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-04-15,2100-04-15 10:00)')$$);
SELECT set_quota('shared', 'ann', '[2100-04-01,2100-05-01)', 2) > 0;
UPDATE quota SET budget = 1000 WHERE quota_id = :budget;
SELECT try($$SELECT reserve('shared', 'ann', 3, '[2100-04-15,2100-04-16)')$$);
SELECT try($$SELECT reserve('shared', 'ann', 1, '[2100-04-01,2100-05-01)')$$);
-- also of an amendment, and of more than one
SELECT reserve('shared', 'ann', 1, '[2100-04-20,2100-04-21)') AS l \gset
UPDATE quota SET budget = 120 WHERE quota_id = :budget;
SELECT try(format($$SELECT amend(%s, 2, '[2100-04-20,2100-04-25)')$$, :l));
SELECT try(format($$SELECT amend(%s, 1, '[2100-04-20,2100-04-20 12:00)')$$, :l));
SELECT try($$INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT pool_id('shared'), party_id('ann'), 1, tstzrange('2100-04-25'::timestamptz + i * interval '8 hours', '2100-04-25'::timestamptz + (i + 1) * interval '8 hours') FROM generate_series(1, 3) AS i$$);
SELECT * FROM check_calendar();

--
-- Parents: what a pool lends and borrows
--
TRUNCATE lease, quota RESTART IDENTITY;
SELECT open_pool('campus', 2), open_pool('physics', 6, parent => 'campus'), open_pool('biology', 4, parent => 'campus');
SELECT free('campus'), free('physics'), free('biology');
UPDATE pool SET lend = 1 WHERE name = 'physics';
UPDATE pool SET borrow = 2 WHERE name = 'biology';
SELECT free('campus'), free('physics'), free('biology');
SELECT try($$SELECT reserve('biology', 'ann', 7, '[2100-04-01,2100-05-01)')$$);
SELECT try($$SELECT reserve('physics', 'ann', 13, '[2100-04-01,2100-05-01)')$$);
SELECT try($$SELECT reserve('campus', 'ann', 8, '[2100-04-01,2100-05-01)')$$);
SELECT try($$SELECT reserve('biology', 'ann', 6, '[2100-04-01,2100-05-01)')$$);
SELECT free('campus'), free('physics'), free('biology');
SELECT try($$SELECT reserve('physics', 'bob', 7, '[2100-04-20,2100-05-02)')$$);
SELECT try($$SELECT reserve('physics', 'bob', 6, '[2100-04-20,2100-05-02)')$$);
SELECT free('campus'), free('physics'), free('biology');
-- what if: without a lease, what it borrowed is there again
SELECT lease_id AS b FROM leases WHERE pool = 'biology' \gset
SELECT lease_id AS p FROM leases WHERE pool = 'physics' \gset
SELECT availability('biology', '[2100-04-01,2100-06-01)', without => ARRAY[:b]), availability('physics', '[2100-04-01,2100-06-01)', without => ARRAY[:p]);
SELECT try(format($$SELECT amend(%s, 5, '[2100-04-10,2100-04-25)')$$, :b));
SELECT try(format($$SELECT amend(%s, 6, '[2100-04-10,2100-04-25)')$$, :b));
SELECT try(format($$SELECT amend(%s, 7, '[2100-04-10,2100-04-25)')$$, :b));
-- what a child has lost and cannot borrow is its own deficit, not its parent's
SELECT withdraw_supply('biology', 'north', 3, '[2100-04-12,2100-04-14)') > 0;
SELECT p.name, c.capacity, c.booked, c.deficit FROM calendar AS c JOIN pool AS p USING (pool_id) WHERE p.name IN ('campus', 'physics', 'biology') ORDER BY 1;
-- it cannot be part of itself, nor of too many
SELECT try($$UPDATE pool SET parent_id = pool_id WHERE name = 'campus'$$);
SELECT try($$UPDATE pool SET parent_id = pool_id('physics') WHERE name = 'campus'$$);
SELECT try($$SELECT create_pool('lost', 'compute', 'gpu', 'grid', parent => 'nothing')$$);
SELECT try($$DELETE FROM pool WHERE name = 'campus'$$);
-- on its own, it has what it is supplied with
SELECT pool, lease_id, missing FROM lease_in_deficit ORDER BY pool;
UPDATE pool SET parent_id = NULL WHERE name = 'biology';
SELECT free('campus'), free('physics'), free('biology');
SELECT pool, lease_id, missing FROM lease_in_deficit ORDER BY pool;
SELECT * FROM check_calendar();

--
-- find_slots
--
TRUNCATE lease RESTART IDENTITY;
UPDATE pool SET price = 1, notice = NULL, horizon = NULL WHERE name = 'tpu';
SELECT reserve('gpu', 'ann', 7, '[2100-04-02,2100-04-04)'), reserve('gpu', 'ann', 7, '[2100-04-05,2100-04-06)'), reserve('tpu', 'ann', 1, '[2100-04-01,2100-04-04)');
SELECT * FROM find_slots('{gpu,tpu}', 2, '1 day', '[2100-04-01,2100-05-01)');
SELECT * FROM find_slots('{gpu,tpu}', 2, '1 day', '[2100-04-01,2100-05-01)', 2);
SELECT * FROM find_slots('{gpu,tpu}', 2, '1 day', '[2100-04-01,2100-05-01)', 2, cheapest => true);
SELECT * FROM find_slots('{gpu,tpu}', 2, '1 day', '[2100-04-01,2100-04-04)');
SELECT * FROM find_slots('{gpu,tpu}', 2, '36 hours', '[2100-04-01,)', 1);
SELECT * FROM find_slots('{gpu,tpu}', 9, '1 day', '[2100-04-01,)');
SELECT * FROM find_slots('{nothing}', 1, '1 day', '[2100-04-01,)');
SELECT pool, period FROM find_slots(NULL, 1.5, '1 day', '[2100-04-01,2100-04-03)');
SELECT * FROM find_slots('{gpu,tpu}', 2, '1 day', '[2100-04-01,2100-05-01)', 0);
SELECT set_quota('tpu', 'bob', '[2100-04-01,2100-04-15)', 1) > 0;
SELECT * FROM find_slots('{tpu,physics}', 2, '1 day', '[2100-04-01,2100-05-01)', consumer => 'bob');
-- a slot can be had: with the pool's buffer after it, and where a hold has expired
SELECT reserve('cleaned', 'ann', 2, '[2100-04-02,2100-04-03)'), reserve('tpu', 'ann', 2, '[2100-04-20,2100-04-30)', hold_for => '300000 days') AS hold \gset
UPDATE lease SET held_until = '2020-01-01' WHERE lease_id = :hold;
SELECT pool, period, try(format('SELECT reserve(%L, %L, 2, %L)', pool, 'bob', period)) FROM find_slots('{cleaned,tpu}', 2, '1 day', '[2100-04-01,2100-04-29)', 1);
SELECT pool, period, try(format('SELECT reserve(%L, %L, 2, %L)', pool, 'bob', period)) FROM find_slots('{tpu}', 2, '1 day', '[2100-04-25,2100-04-29)', 1);
SELECT try($$SELECT find_slots('{gpu}', 1, '0', '[2100-04-01,)')$$);
SELECT try($$SELECT find_slots('{cleaned}', 1, '-1 hour', '[2100-04-01,)')$$);
SELECT try($$SELECT find_slots('{gpu}', 1, '1 month', '[2100-04-01,)')$$);
SELECT try($$SELECT find_slots('{gpu}', 1, '1 hour', '(,2100-04-01)')$$);
SELECT try($$SELECT find_slots('{gpu}', 1, '1 hour', '[2100-04-01,)', consumer => 'nobody')$$);
SELECT try($$SELECT find_slots('{gpu}', 1, '1 hour', '[2100-04-01,)', -1)$$);
-- the buffer may be after the time that is asked for
SELECT period FROM find_slots('{cleaned}', 2, '1 day', '[2100-04-05,2100-04-06)');
SELECT period FROM find_slots('{cleaned}', 2, '20 hours', '[2100-04-01,2100-04-03)');
-- whom the refusal of a lease with a buffer sends on can have it there
SELECT try($$SELECT reserve('cleaned', 'bob', 1, '[2100-04-01 06:00,2100-04-01 23:00)')$$);
SELECT try($$SELECT reserve('cleaned', 'bob', 1, '[2100-04-03 02:00,2100-04-03 19:00)')$$);

-- nobody is sent to where the terms do not let him
SELECT open_pool('near', 2, during => '[2020-01-01,)');
SELECT reserve('near', 'ann', 1, tstzrange(now(), now() + interval '5 days')) > 0;
UPDATE pool SET horizon = '6 days' WHERE name = 'near';
SELECT substring(try($$SELECT reserve('near', 'bob', 2, tstzrange(now(), now() + interval '2 days'))$$) FROM '[^\n]*$');
SELECT substring(try($$SELECT reserve('near', 'bob', 2, tstzrange(now(), now() + interval '1 day'))$$) FROM '2 gpu for .* can be had') AS hint;
-- a lease without an end
SELECT open_pool('endless', 2, during => '[2100-01-01,)');
SELECT reserve('endless', 'ann', 1, '[2100-02-01,2100-03-01)') > 0, reserve('endless', 'ann', 2, '[2100-05-01,2100-06-01)') > 0;
SELECT regexp_replace(try($$SELECT reserve('endless', 'bob', 2, '[2100-01-10,)')$$), 'Lease \d+', 'Lease N');
SELECT reserve('endless', 'bob', 2, '[2100-06-01,)') > 0;
SELECT substring(try($$SELECT reserve('endless', 'bob', 1, '[2100-02-01,)')$$) FROM '[^\n]*$');

-- of a pool with more than 10,000 leases, a refusal looks at the newest
SELECT open_pool('long', 10000);
INSERT INTO lease (pool_id, consumer_id, quantity, during)
SELECT pool_id('long'), party_id('ann'), CASE n WHEN 1 THEN 9000 WHEN 10000 THEN 1000 WHEN 10001 THEN 2 ELSE 1 END,
	CASE WHEN n IN (1, 10000) THEN '[2100-02-01,2100-03-01)'::tstzrange ELSE '[2100-05-01,2100-06-01)' END
FROM generate_series(1, 10001) AS n ORDER BY n;
SELECT regexp_replace(try($$SELECT reserve('long', 'bob', 1, '[2100-02-10,2100-02-11)')$$), 'Leases \d+', 'Leases N');
SELECT regexp_replace(try($$SELECT reserve('long', 'bob', 1, '[2100-05-10,2100-05-11)')$$), 'Leases [0-9, ]+', 'Leases K, L, M ');

SELECT * FROM check_calendar();
SELECT rebuild_calendar();
SELECT * FROM check_calendar();
TRUNCATE party CASCADE;
DROP VIEW leases;
DROP FUNCTION try, calendar_differences, open_pool, free;
