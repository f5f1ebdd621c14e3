-- The demo, continued: who made the checkout that it runs in. "make demo" has
-- just imported its git history into the project "sharecollab".

\set QUIET on
\pset footer off
SET search_path = sharecollab, public;
SET timezone = 'UTC';
-- what autovacuum would do within a minute
SET client_min_messages = error;
ANALYZE;

\echo
\set ECHO queries
SELECT contributors, newcomers, commits, lines_added, lines_removed, absence_factor, absence_factor_by_lines, gini, core, regular, casual
FROM contributor_report('sharecollab', bots => true) \gx
SELECT contributor, count(*) AS commits, sum(added) AS added, sum(removed) AS removed, burstiness(at ORDER BY at)
FROM contributions('sharecollab', bots => true) WHERE kind = 'commit' AND role = 'author'
GROUP BY contributor ORDER BY commits DESC, contributor LIMIT 5;
\set ECHO none
\echo
