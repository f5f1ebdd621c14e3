-- parties.sql: parties, pools and who is a member of them

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
TRUNCATE party RESTART IDENTITY CASCADE;

--
-- create_party
--
CREATE ROLE regress_sharecollab_lab;
SELECT create_party('uni');
SELECT create_party('lab', parent => 'uni', role => 'regress_sharecollab_lab');
SELECT create_party('ann', 'person', 'lab');
SELECT create_party(name => 'robo', kind => 'bot');
SELECT create_party(E'Ü''s "group"; --');
SELECT party_id, name, kind, parent_id, role, recorded_at <= now() AS recorded FROM party ORDER BY party_id;

\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT create_party('uni')$$);
SELECT try($$SELECT create_party('')$$);
SELECT try($$SELECT create_party(NULL)$$);
SELECT try($$SELECT create_party('x', 'company')$$);
SELECT try($$SELECT create_party('x', NULL)$$);
SELECT try($$SELECT create_party('x', parent => 'nobody')$$);
SELECT try($$SELECT create_party('x', parent => 'x')$$);
SELECT try($$SELECT create_party('x', role => 'regress_nobody')$$);

-- names are exact
SELECT party_id('uni'), party_id(E'Ü''s "group"; --'), party_id(NULL) IS NULL;
SELECT try($$SELECT party_id('Uni')$$);
SELECT try($$SELECT party_id('uni ')$$);
SELECT try($$SELECT party_id('')$$);

-- nobody is its own parent, and parents stay
SELECT try($$UPDATE party SET parent_id = party_id WHERE name = 'uni'$$);
SELECT try($$DELETE FROM party WHERE name = 'uni'$$);
SELECT try($$DELETE FROM party WHERE name = 'robo'$$);
-- keys are not for the taking
SELECT try($$INSERT INTO party (party_id, name) VALUES (7, 'x')$$);

--
-- create_pool
--
SELECT create_pool('gpus', 'compute', 'gpu', 'uni', price => 1.25, currency => 'EUR', time_zone => 'Europe/Berlin',
	min_quantity => 0.5, max_quantity => 8, quantity_step => 0.5, min_duration => '1 hour', max_duration => '1 month');
SELECT create_pool('a100', 'compute', 'gpu', 'lab', parent => 'gpus');
SELECT create_pool('corpus', 'data', 'seat', 'uni'), create_pool('llm', 'model', 'replica', 'uni');
SELECT pool_id('gpus'), pool_id('a100'), pool_id(NULL) IS NULL;
\pset tuples_only off
\pset format aligned
SELECT pool_id, name, kind, unit, price, currency, time_zone, steward_id, parent_id FROM pool ORDER BY pool_id;
SELECT pool_id, min_quantity, max_quantity, quantity_step, min_duration, max_duration FROM pool ORDER BY pool_id;
-- its steward is a member, and it has a calendar of one empty page
SELECT pool_id, party_id, role, weight, accepted_at = invited_at AS at_once FROM membership ORDER BY pool_id;
SELECT pool_id, starts, ends, capacity, booked, deficit FROM calendar ORDER BY pool_id;

\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT create_pool('gpus', 'compute', 'gpu', 'uni')$$);
SELECT try($$SELECT create_pool('', 'compute', 'gpu', 'uni')$$);
SELECT try($$SELECT create_pool('x', 'storage', 'gpu', 'uni')$$);
SELECT try($$SELECT create_pool('x', 'compute', '', 'uni')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'nobody')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', parent => 'nothing')$$);
SELECT try($$SELECT create_pool(NULL, 'compute', 'gpu', 'uni')$$);
SELECT try($$SELECT create_pool('x', NULL, 'gpu', 'uni')$$);
SELECT try($$SELECT create_pool('x', 'compute', NULL, 'uni')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', NULL)$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', price => NULL)$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', currency => '')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', price => -0.01)$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', price => 'NaN')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', price => 'Infinity')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', time_zone => 'Europe/Atlantis')$$);
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', time_zone => NULL)$$);
SELECT try(format($$SELECT create_pool('x', 'compute', 'gpu', 'uni', %s)$$, terms))
FROM unnest('{min_quantity => 0, min_quantity => -1, min_quantity => ''NaN'', max_quantity => 0, max_quantity => ''Infinity'', quantity_step => 0,
	quantity_step => ''NaN'', "min_quantity => 2, max_quantity => 1", min_duration => ''0'', min_duration => ''-1 hour'', max_duration => ''0'',
	"min_duration => ''2 days'', max_duration => ''47 hours''"}'::text[]) AS terms;
-- whatever failed left nothing
SELECT count(*), (SELECT count(*) FROM membership), (SELECT count(*) FROM calendar) FROM pool;
SELECT try($$SELECT pool_id('GPUs')$$);
SELECT try($$UPDATE pool SET parent_id = pool_id WHERE name = 'gpus'$$);
SELECT try($$UPDATE pool SET time_zone = 'nowhere' WHERE name = 'gpus'$$);
-- bounds may be equal
SELECT try($$SELECT create_pool('x', 'compute', 'gpu', 'uni', min_quantity => 2, max_quantity => 2, min_duration => '1 day', max_duration => '24 hours')$$);

-- a plain INSERT of pools gives each a calendar too; of none, nothing
INSERT INTO pool (name, kind, unit, steward_id) SELECT 'bulk ' || i, 'compute', 'gpu', 1 FROM generate_series(1, 3) AS i;
INSERT INTO pool (name, kind, unit, steward_id) SELECT 'no', 'compute', 'gpu', 1 WHERE false;
WITH one AS (INSERT INTO pool (name, kind, unit, steward_id) VALUES ('one', 'compute', 'gpu', 1)),
	two AS (INSERT INTO pool (name, kind, unit, steward_id) VALUES ('two', 'compute', 'gpu', 1))
INSERT INTO pool (name, kind, unit, steward_id) VALUES ('three', 'compute', 'gpu', 1);
INSERT INTO pool AS p (name, kind, unit, steward_id) VALUES ('one', 'data', 'seat', 1), ('four', 'data', 'seat', 1)
ON CONFLICT (name) DO UPDATE SET kind = excluded.kind;
SELECT p.name, p.kind, count(c.pool_id) FROM pool AS p LEFT JOIN calendar AS c USING (pool_id) WHERE p.pool_id > 5 GROUP BY p.pool_id ORDER BY p.name;
SELECT * FROM calendar_differences();

--
-- invite, accept
--
SELECT try($$SELECT invite('gpus', 'lab')$$);
SELECT try($$SELECT invite('gpus', 'lab', 'provider', 2.5)$$);
SELECT try($$SELECT invite(pool => 'gpus', party => 'ann', role => 'auditor')$$);
SELECT try($$SELECT invite('gpus', 'lab')$$);
SELECT try($$SELECT invite('nothing', 'lab')$$);
SELECT try($$SELECT invite('gpus', 'nobody')$$);
SELECT try($$SELECT invite('gpus', 'ann', 'boss')$$);
SELECT try($$SELECT invite('gpus', 'ann', 'consumer', 0)$$);
SELECT try($$SELECT invite('gpus', 'ann', 'consumer', -1)$$);
SELECT try($$SELECT invite('gpus', 'ann', 'consumer', 'NaN')$$);
SELECT try($$SELECT invite('gpus', 'ann', 'consumer', 'Infinity')$$);
SELECT try($$SELECT invite(NULL, 'ann')$$);
SELECT try($$SELECT invite('gpus', NULL)$$);
SELECT try($$SELECT invite('gpus', 'ann', NULL)$$);
SELECT try($$SELECT invite('gpus', 'ann', 'consumer', NULL)$$);

SELECT try($$SELECT accept('gpus', 'lab')$$);
SELECT try($$SELECT accept('gpus', 'lab', 'provider')$$);
SELECT try($$SELECT accept('gpus', 'lab')$$);
SELECT try($$SELECT accept('gpus', 'robo')$$);
SELECT try($$SELECT accept('gpus', 'ann', 'consumer')$$);
SELECT try($$SELECT accept('gpus', 'ann', 'boss')$$);
SELECT try($$SELECT accept('nothing', 'lab')$$);
SELECT try($$SELECT accept('gpus', 'nobody')$$);
SELECT try($$SELECT accept(NULL, 'lab')$$);
SELECT try($$SELECT accept('gpus', NULL)$$);
SELECT try($$SELECT accept('gpus', 'lab', NULL)$$);
SELECT pool_id, p.name, m.role, m.weight, m.accepted_at IS NOT NULL AS accepted
FROM membership AS m JOIN party AS p USING (party_id) WHERE pool_id = 1 ORDER BY p.name, m.role;

--
-- the end of pools and parties
--
SELECT try($$DELETE FROM party WHERE name = 'lab'$$);
SELECT try($$DELETE FROM pool WHERE name = 'gpus'$$);
DELETE FROM pool WHERE name = 'a100' OR pool_id > 4;
SELECT try($$DELETE FROM pool WHERE name = 'gpus'$$);
SELECT count(*), (SELECT count(*) FROM membership), (SELECT count(*) FROM calendar) FROM pool;
SELECT try($$DELETE FROM party WHERE name = 'lab'$$);
SELECT try($$DELETE FROM party WHERE name IN ('lab', 'ann')$$);

TRUNCATE party CASCADE;
SELECT count(*) FROM calendar;
DROP ROLE regress_sharecollab_lab;
DROP FUNCTION try, calendar_differences;
