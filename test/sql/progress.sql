-- progress.sql: long calls say what they are at, to who asks for it, and can be
-- stopped

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all
TRUNCATE party, project RESTART IDENTITY CASCADE;
CREATE TEMP TABLE log AS
SELECT convert_to(string_agg(format(E'commit %s\nAuthor: A%s <a%2$s@example.com>\nDate:   %s +0000\n\n    message\n', lpad(to_hex(i), 40, '0'), i % 100, 1700000000 + i), E'\n'), 'UTF8') AS log
FROM generate_series(1, 10000) AS i;
SELECT create_project('p', 'code'), create_party('grid'), create_pool('gpu', 'compute', 'gpu', 'grid');
INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id('gpu'), party_id('grid'), r, now() FROM unnest('{provider,consumer}'::text[]) AS r;
SELECT add_supply('gpu', 'grid', 1, '[2026-01-01,2027-01-01)');
CREATE TEMP VIEW job AS SELECT 'gpu' AS pool, 'grid' AS consumer, 1 AS quantity, '[2026-01-01,2026-01-02)'::tstzrange AS during, 'a' AS reference;

-- silent, unless it takes long
SET client_min_messages = notice;
SELECT * FROM import_git_log('p', (SELECT log FROM log));
SELECT import_leases('job');
SELECT rebuild_calendar();
SELECT count(*) FROM check_calendar();
SELECT verify_books('gpu');
SELECT count(*) FROM focus_rows('job');
-- or at DEBUG1 (first the cache of operator classes has to grow, which it would tell)
SELECT count(*) > 100 AS cached FROM pg_opclass WHERE pg_opclass_is_visible(oid);
BEGIN;
SET LOCAL client_min_messages = debug1;
SELECT * FROM import_git_log('p', (SELECT log FROM log));
DELETE FROM lease;
SELECT import_leases('job');
SELECT rebuild_calendar();
SELECT count(*) FROM check_calendar();
SELECT verify_books('gpu');
SELECT count(*) FROM focus_rows('job');
SELECT report_progress(17, 'one'), report_progress(NULL::text, NULL);
ROLLBACK;

-- stopped before they are done
SET client_min_messages = warning;
CREATE TEMP TABLE large AS
SELECT gauge_profile('2026-01-01'::timestamptz + i * interval '1 s', i % 1009) AS profile FROM generate_series(1, 1000000) AS i;
SET statement_timeout = 5;
SELECT * FROM import_git_log('p', (SELECT log FROM log));
SELECT count(*) FROM git_log((SELECT log || '\x0a' || log || '\x0a' || log FROM log));
SELECT svg(profile, '[2026-01-01,2027-01-01)') FROM large;
RESET statement_timeout;

TRUNCATE party, project RESTART IDENTITY CASCADE;
TRUNCATE identity CASCADE;
DROP FUNCTION try, calendar_differences;
