-- Metrics of open-source projects: the examples of CHAOSS, what other tools
-- get wrong of the same, and the reports on reviews and health against plain
-- SQL that reads the tables by itself.

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

\if :{?seed}
\else
\set seed 0.20260301
\endif

BEGIN;
SELECT plan(43);
SELECT setseed(:seed) \g /dev/null
SET LOCAL jit = off;

-- ----------
-- Absence and elephant factor
-- ----------
SELECT is(absence_factor(tally(n::text, n)), 2, 'CHAOSS, Contributor Absence Factor: its example') FROM unnest(ARRAY[1000, 202, 90, 33, 332, 343, 42, 433]) AS n;
SELECT is(absence_factor(tally(i, 10)), 2, 'ties: two of four equals do half, not all four (OpenDigger)') FROM generate_series(1, 4) AS i;
SELECT is(absence_factor('{"a": 50, "b": 30, "c": 20}'), 1, 'half is 50 %, and reaching it is enough, not 51 % (LFX Insights)');
SELECT is(absence_factor(tally(i, 1)), 10000, 'no share is rounded before they are summed (LFX Insights)') FROM generate_series(1, 20000) AS i;
SELECT is(absence_factor('{}'), NULL, 'nobody has none');
SELECT is(absence_factor('{"a": 3}'), 1, 'one is all there is');
SELECT is(ROW(parties(core(t)), parties(regular(t)), parties(casual(t))), ROW(4, 2, 2), 'CHAOSS, onion model: 80, 15 and 5 %')
FROM (SELECT tally(n::text, n) AS t FROM unnest(ARRAY[1000, 202, 90, 33, 332, 343, 42, 433]) AS n) AS s;
SELECT is(parties(tally(i % 50021)), 50021, 'contributors are counted, not estimated (DevStats, LFX Insights)') FROM generate_series(1, 100000) AS i;

-- ----------
-- Commits: what a tool of its own for each of these got wrong
-- ----------
-- A record of a git log
CREATE FUNCTION pg_temp.log(hash text, author text, email text, at timestamptz, files text, committer text DEFAULT 'C', trailers text DEFAULT '') RETURNS text LANGUAGE sql
RETURN E'\x02' || rpad(hash, 40, '0') || E'\x1f\x1f' || author || E'\x1f' || email || E'\x1f' || extract(epoch FROM at)::bigint
	|| E'\x1f' || committer || E'\x1f' || lower(committer) || E'@x\x1f' || extract(epoch FROM at)::bigint || E'\x1f' || trailers || E'\n\n' || files;
CREATE FUNCTION pg_temp.identity(account text) RETURNS bigint LANGUAGE sql STABLE
RETURN (SELECT identity_id FROM identity AS i WHERE i.account = identity.account);
SELECT create_project('p'), create_party('Ann', 'person'), create_party('Bot', 'bot'), create_party('Lab'), create_party('Uni') \g /dev/null

SELECT is(i::text, '(15,0,0)', 'a log') FROM import_git_log('p', convert_to(
	pg_temp.log('a1', 'Ann', 'ann@home', '2025-01-01', E'1\t1\ta\n2\t0\tb\n3\t0\tc\n') ||
	pg_temp.log('a2', 'A. Nn', 'ann@work', '2025-01-15', E'0\t0\t{old => new}/a\n5\t2\tb => d\n', trailers => 'Ann <ann@home>') ||
	pg_temp.log('a3', 'Bob', 'bob@x', '2025-02-01', E'7\t0\t++ b/x\n0\t4\t-- a/y\n', committer => 'A. Nn', trailers => E'Cy <cy@x>\x1dBob <bob@x>') ||
	pg_temp.log('a4', 'renovate[bot]', 'r@x', '2025-02-02', E'100\t100\tpackage.json\n') ||
	pg_temp.log('a5', 'Dee', 'dee@x', '2099-01-01', '') ||
	pg_temp.log('a6', 'Dee', 'dee@x', '1970-01-01', E'-\t-\tpicture.png\n'), 'UTF8')) AS i;
SELECT is(r.commits, 5::bigint, 'commits are commits, not files (Augur)') FROM contributor_report('p') AS r;
SELECT is(ROW(r.lines_added, r.lines_removed), ROW(18::bigint, 7::bigint), 'lines are those of git, also those that look like headers of a patch (Augur), and of renamed files (git-fame)') FROM contributor_report('p') AS r;
SELECT is(ROW(a.commits, a.absence_factor, b.commits, b.lines_added), ROW(5::bigint, 2, 6::bigint, 118::bigint), 'bots are out of every figure by one parameter (DevLake)') FROM contributor_report('p') AS a, contributor_report('p', bots => true) AS b;
SELECT is(ROW(r.commits, r.contributors, r.newcomers), ROW(1::bigint, 1::bigint, 0::bigint), 'any time from 1970 to 2099, and who comes back in 2099 is not new') FROM contributor_report('p', '[2099-01-01,)') AS r;
SELECT is(count(*), 4::bigint, 'who is a co-author of a commit of their own did it once') FROM (SELECT DISTINCT ref, contributor FROM contributions('p') WHERE role IN ('author', 'co-author') AND ref LIKE 'a3%' OR ref LIKE 'a2%' AND role <> 'committer') AS c;
SELECT throws_ok(format('SELECT import_git_log(%L, %L)', 'p', convert_to(E'\x02' || repeat('b', 40) || E'\x1f\x1fA\x1fa@x\x1fyesterday\x1fC\x1fc@x\x1f0\n', 'UTF8')), '22P02', NULL, 'a commit without a date is an error, not of 1970 (Augur)');

-- two identities in one period
SELECT clock_timestamp() AS before \gset
CREATE TEMP TABLE unlinked AS SELECT r.*, (SELECT activity(contributor, at, added, removed) FROM contributions('p') WHERE role = 'author') AS a FROM contributor_report('p') AS r;
CREATE TEMP TABLE fact AS SELECT * FROM contribution;
SELECT link_identity(pg_temp.identity(a), 'Ann') FROM unnest(ARRAY['Ann <ann@home>', 'A. Nn <ann@work>']) AS a \g /dev/null
SELECT is(ROW(a.contributors, b.contributors, c.contributors), ROW(1::bigint, 2::bigint, 2::bigint), 'two identities are one contributor once they are linked, and two as known before')
FROM contributor_report('p', '[2025-01-01,2025-02-01)') AS a, contributor_report('p', '[2025-01-01,2025-02-01)', known_at => :'before') AS b, (SELECT count(DISTINCT identity_id) AS contributors FROM contributions('p', as_of => NULL) WHERE role = 'author' AND at < '2025-02-01' AND at > '2024-01-01') AS c;
SELECT is(count(DISTINCT contributor), 2::bigint, 'committers are people (and C), not pairs of name and address (Augur)') FROM contributions('p') WHERE role = 'committer';
SELECT set_affiliation('Ann', 'Lab', 0.5, '[2025-01-01, 2025-01-10)'), set_affiliation('Ann', 'Uni', 0.5, '[2025-01-01,)') \g /dev/null
SELECT results_eq($$SELECT coalesce(organization, 'nobody'), sum(share)::numeric(9, 2) FROM contributions_by_organization('p') WHERE role = 'author' GROUP BY organization ORDER BY organization$$,
	$$VALUES ('Lab', 0.50), ('Uni', 1.00), ('nobody', 3.50)$$, 'two employers share a commit, which nobody counts twice (SortingHat), each while that lasts (Augur, LFX Insights)');
SELECT set_eq('TABLE contribution', 'TABLE fact', 'and no fact is rewritten (Augur, crowd.dev, SortingHat)');
SELECT set_affiliation('Ann', 'Lab', 0), set_affiliation('Ann', 'Uni', 0), unlink_identity(identity_id) FROM identity \g /dev/null
SELECT set_eq($$SELECT r.*, (SELECT activity(contributor, at, added, removed) FROM contributions('p') WHERE role = 'author') AS a FROM contributor_report('p') AS r$$,
	'TABLE unlinked', 'who was merged is unmerged, and every figure is as before (SourceCred, hatstall)');

-- pushes announce 20 commits at most, and the same ones again after a rebase or
-- in a fork; git has them all
SELECT create_project('pushed') \g /dev/null
SELECT import_gitlab('pushed', jsonb_build_object('object_kind', 'push', 'ref', 'refs/heads/main', 'total_commits_count', 25, 'project', '{"default_branch": "main"}'::jsonb, 'commits',
	(SELECT jsonb_agg(jsonb_build_object('id', rpad(to_hex(i), 40, '0'), 'timestamp', '2025-01-01T00:00:00Z', 'author', '{"name": "Ann", "email": "ann@home"}'::jsonb)) FROM generate_series(20, 39) AS i)))
FROM generate_series(1, 2) \g /dev/null
SELECT import_git_log('pushed', convert_to(string_agg(pg_temp.log(to_hex(i), 'Ann', 'ann@home', '2025-01-01', E'1\t0\ta\n', committer => 'Ann'), ''), 'UTF8')) FROM generate_series(15, 39) AS i \g /dev/null
SELECT is(ROW(commits, lines_added), ROW(25::bigint, 25::bigint), 'commits come from git, once each, whatever pushes say (GH Archive, OSS Insight)') FROM contributor_report('pushed');
SELECT import_github('pushed', 'commit_comment', jsonb_build_object('action', 'created', 'comment', jsonb_build_object('id', i, 'commit_id', rpad(to_hex(20 + i % 2), 40, '0'), 'created_at', '2025-01-02T00:00:00Z', 'user', '{"id": 1, "login": "bob"}'::jsonb)))
FROM generate_series(1, 3) AS i \g /dev/null
SELECT results_eq($$SELECT c.ref LIKE '14%', count(*) FROM contributions('pushed') AS a JOIN contributions('pushed') AS c ON (c.kind, c.ref, c.role) = (a.subject_kind, a.subject_ref, 'author') WHERE a.kind = 'comment' GROUP BY 1 ORDER BY 1$$,
	'VALUES (false, 2::bigint), (true, 1)', 'comments on commits join to their commits, not to all of them (Augur)');

-- what is shared out
SELECT is(split(1, '{"a": 1, "b": 100}'::tally, 0), '{"b": 1}'::tally, 'one unit goes to who has most, whoever comes first (SourceCred)');
SELECT is(total(split(1000003, tally(i, i), 2)), 1000003::numeric, 'shares sum to the amount, whatever is left after rounding (Drips)') FROM generate_series(1, 1000) AS i;
SELECT is(sum(t), '{"ann": 0.7}'::tally, 'parts of a score sum to the whole: nothing is truncated on the way (Open-Assistant)') FROM (SELECT tally('ann'::text, 0.1 * n) AS t FROM unnest(ARRAY[3, 4]) AS n GROUP BY n) AS s;
SELECT is(decayed(p, 1, '7 days', '2026-03-01' ORDER BY p DESC), decayed(p, 1, '7 days', '2026-03-01' ORDER BY p), 'credit that decays does not depend on the order of reports (BOINC)')
FROM (SELECT tstzrange('2026-01-01'::timestamptz + i * interval '1 hour', '2026-01-01'::timestamptz + i * interval '2 hours') AS p FROM generate_series(1, 100) AS i) AS s;

-- ----------
-- review_report() and health_report(): random projects against plain SQL
-- ----------
SELECT create_project('q'), create_party('P1', 'person'), create_party('P2', 'person'), create_party('P3', 'bot') \g /dev/null
INSERT INTO identity (platform, account, name, kind) SELECT 'test', i::text, 'user' || i, CASE WHEN i >= 9 THEN 'bot' ELSE 'person' END FROM generate_series(1, 10) AS i;
CREATE TEMP TABLE who AS SELECT identity_id, account::int AS n, kind = 'bot' AS bot, label AS name FROM identity WHERE platform = 'test';
SELECT link_identity(identity_id, 'P1') FROM who WHERE n IN (1, 2) \g /dev/null
SELECT link_identity(identity_id, 'P2') FROM who WHERE n = 9 \g /dev/null
SELECT link_identity(identity_id, 'P3') FROM who WHERE n = 3 \g /dev/null
UPDATE who SET name = CASE WHEN n IN (1, 2) THEN 'P1' WHEN n = 9 THEN 'P2' WHEN n = 3 THEN 'P3' ELSE name END, bot = n IN (3, 10);
CREATE TEMP TABLE request AS
SELECT i AS ref, who.*, at, CASE WHEN state <> 'open' THEN at + round(random() * 60) * interval '12 hours' END AS done_at, state
FROM (SELECT i, 1 + floor(random() * 10)::int AS n, '2025-01-01'::timestamptz + floor(random() * 120) * interval '12 hours' AS at,
		(ARRAY['open', 'merged', 'merged', 'closed', 'deleted'])[1 + floor(random() * 5)] AS state FROM generate_series(1, 400) AS i) AS r JOIN who USING (n);
CREATE TEMP TABLE answer AS
SELECT i AS ref, kind, subject_kind, (1 + floor(random() * 400))::int AS subject, who.*, at
FROM (SELECT i, 1 + floor(random() * 10)::int AS n, '2025-01-01'::timestamptz + floor(random() * 160) * interval '12 hours' AS at,
		(ARRAY['comment', 'review', 'discussion'])[1 + floor(random() * 3)] AS kind, (ARRAY['change_request', 'issue'])[1 + i % 2] AS subject_kind FROM generate_series(1, 3000) AS i) AS r JOIN who USING (n);
CREATE TEMP TABLE published AS
SELECT i AS ref, identity_id, at, (ARRAY['released', 'released', 'draft', 'prerelease'])[1 + floor(random() * 4)] AS state
FROM (SELECT i, '2025-01-01'::timestamptz + floor(random() * 120) * interval '12 hours' AS at FROM generate_series(1, 30) AS i) AS r, who WHERE n = 10;
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, done_at, state) SELECT project_id('q'), 'change_request', ref, identity_id, 'author', at, done_at, state FROM request;
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, done_at, state) SELECT project_id('q'), 'change_request', ref, 1, 'merger', at, done_at, state FROM request WHERE state = 'merged';
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, subject_kind, subject_ref) SELECT project_id('q'), kind, ref, identity_id, CASE kind WHEN 'review' THEN 'reviewer' ELSE 'author' END, at, subject_kind, subject FROM answer;
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, done_at, state) SELECT project_id('q'), 'release', ref, identity_id, 'author', at, at, state FROM published;
ANALYZE contribution, identity, identity_link, request, answer;
CREATE TEMP TABLE period AS SELECT tstzrange('2025-01-01'::timestamptz + a * interval '12 hours', '2025-01-01'::timestamptz + (a + b) * interval '12 hours', bounds) AS during, bots
FROM (SELECT floor(random() * 150) AS a, floor(random() * 60) AS b, (ARRAY['[)', '[]', '()', '(]'])[1 + i % 4] AS bounds, i % 3 = 0 AS bots FROM generate_series(1, 60) AS i) AS s
UNION ALL VALUES ('(,)'::tstzrange, false), ('(,)', true), ('empty', false), ('[2025-02-01,)', false), ('(,2025-02-01)', true), ('[1999-01-01,2000-01-01)', false);
CREATE TEMP TABLE expected AS
SELECT p.during, p.bots, r.opened, r.merged, r.declined, CASE WHEN r.merged + r.declined > 0 THEN round(r.merged * 1.0 / (r.merged + r.declined), 6) END AS acceptance_ratio, r.open,
	CASE WHEN r.open > 0 THEN round((r.merged + r.declined) * 1.0 / r.open, 6) END AS closure_ratio, CASE WHEN r.opened > 0 THEN round((r.merged + r.declined) * 1.0 / r.opened, 6) END AS efficiency_index,
	r.responded, (r.responses)[(r.responded + 1) / 2] AS time_to_first_response, (r.durations)[(cardinality(r.durations) + 1) / 2] AS time_to_merge, v.reviews, v.reviewers, r.merged_without_review,
	(SELECT count(*) FROM published AS b WHERE b.state = 'released' AND p.during @> b.at) AS releases,
	(SELECT avg(gap) FROM (SELECT b.at - lag(b.at) OVER (ORDER BY b.at) AS gap FROM published AS b WHERE b.state = 'released' AND p.during @> b.at) AS g) AS release_interval
FROM period AS p, LATERAL (
	SELECT count(*) FILTER (WHERE opened) AS opened, count(*) FILTER (WHERE closed AND state = 'merged') AS merged, count(*) FILTER (WHERE closed AND state = 'closed') AS declined,
		-- opened before the end, and not closed before the beginning
		count(*) FILTER (WHERE open) AS open, count(*) FILTER (WHERE opened AND response IS NOT NULL) AS responded,
		array_agg(response ORDER BY response) FILTER (WHERE opened AND response IS NOT NULL) AS responses, array_agg(done_at - at ORDER BY done_at - at) FILTER (WHERE opened AND state = 'merged') AS durations,
		count(*) FILTER (WHERE closed AND state = 'merged' AND NOT reviewed) AS merged_without_review
	FROM (SELECT q.*, p.during @> q.at AS opened, p.during @> q.done_at AS closed,
			NOT isempty(p.during) AND (upper_inf(p.during) OR q.at < upper(p.during) OR upper_inc(p.during) AND q.at = upper(p.during))
			AND (q.done_at IS NULL OR lower_inf(p.during) OR q.done_at > lower(p.during) OR lower_inc(p.during) AND q.done_at = lower(p.during)) AS open,
			(SELECT min(a.at - q.at) FROM answer AS a WHERE a.subject_kind = 'change_request' AND a.subject = q.ref AND a.kind <> 'discussion' AND a.name <> q.name AND a.at >= q.at AND (p.bots OR NOT a.bot)) AS response,
			EXISTS (SELECT FROM answer AS a WHERE a.subject_kind = 'change_request' AND a.subject = q.ref AND a.kind = 'review' AND a.name <> q.name AND a.at BETWEEN q.at AND q.done_at AND (p.bots OR NOT a.bot)) AS reviewed
		FROM request AS q WHERE q.state <> 'deleted' AND (p.bots OR NOT q.bot)) AS q) AS r, LATERAL (
	SELECT count(*) AS reviews, count(DISTINCT a.name) AS reviewers FROM answer AS a WHERE a.kind = 'review' AND a.subject_kind = 'change_request' AND p.during @> a.at AND (p.bots OR NOT a.bot)) AS v;
SELECT is(count(*), 66::bigint, 'periods, at least a third of them with medians') FROM expected HAVING count(time_to_first_response) > 22 AND count(time_to_merge) > 22 AND sum(merged_without_review) > 100;
SELECT set_eq('SELECT during, bots, r.* FROM period, review_report($$q$$, during, bots => bots) AS r',
	'SELECT during, bots, opened, merged, declined, acceptance_ratio, open, closure_ratio, efficiency_index, responded, time_to_first_response, time_to_merge, reviews, reviewers, merged_without_review FROM expected', 'review_report(), as in plain SQL');
SELECT set_eq('SELECT during, bots, r.* FROM period, health_report($$q$$, during, bots => bots) AS r',
	'SELECT during, bots, time_to_first_response, closure_ratio, NULL::int, releases, release_interval FROM expected', 'health_report(), as in plain SQL');
SELECT is_empty('SELECT * FROM expected WHERE closure_ratio NOT BETWEEN 0 AND 1', 'the closure ratio of CHAOSS is from 0 to 1');
SELECT isnt_empty('SELECT * FROM expected WHERE efficiency_index > 1', 'the efficiency index of GrimoireLab is not');
SELECT is(ROW(r.responded, r.time_to_first_response), (SELECT ROW(count(response), percentile_disc(0.85) WITHIN GROUP (ORDER BY response)) FROM (SELECT min(a.at) - q.at AS response
	FROM request AS q LEFT JOIN answer AS a ON a.subject = q.ref AND a.subject_kind = 'change_request' AND a.kind <> 'discussion' AND a.name <> q.name AND a.at >= q.at AND NOT a.bot
	WHERE q.state <> 'deleted' AND NOT q.bot GROUP BY q.ref, q.at) AS s), 'another fraction than the median') FROM review_report('q', fraction => 0.85) AS r;
SELECT throws_ok($$SELECT * FROM review_report('q', fraction => 1.5)$$, '22003', NULL, 'no fraction');
SELECT throws_ok($$SELECT * FROM review_report('nothing')$$, '42704', NULL, 'no project to review');
SELECT throws_ok($$SELECT * FROM health_report('nothing')$$, '42704', NULL, 'no project whose health it could be');
SELECT is(ROW(a.absence_factor, a.closure_ratio), ROW(2, NULL::numeric), 'the absence factor is that of commits') FROM health_report('p', merges => false, committed => true) AS a;
-- the author's second identity is no response; nor is the author known as another before the link
SELECT create_project('own') \g /dev/null
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, state) SELECT project_id('own'), 'change_request', '1', identity_id, 'author', '2025-01-01', 'open' FROM who WHERE n = 1;
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at, subject_kind, subject_ref) SELECT project_id('own'), 'comment', '1', identity_id, 'author', '2025-01-02', 'change_request', '1' FROM who WHERE n = 2;
SELECT is(ROW(a.responded, a.time_to_first_response, b.responded, b.time_to_first_response), ROW(0::bigint, NULL::interval, 1::bigint, '1 day'::interval), 'who answers themselves from another account does not respond, once that is known')
FROM review_report('own') AS a, review_report('own', known_at => '-infinity') AS b;

-- ----------
-- burstiness
-- ----------
CREATE TEMP TABLE event AS
SELECT g, '2026-01-01'::timestamptz + CASE g % 4 WHEN 0 THEN i * interval '1 hour' WHEN 1 THEN random() * 1000 * interval '1 hour' WHEN 2 THEN random() ^ 20 * 1000000 * interval '1 hour' ELSE floor(random() * 3) * interval '1 microsecond' END AS at
FROM generate_series(1, 2000) AS g, generate_series(1, 1 + g % 13) AS i;
INSERT INTO event SELECT 3001, at FROM unnest(ARRAY['4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999+00']::timestamptz[]) AS at;
SELECT set_eq('SELECT g, burstiness(at ORDER BY at) FROM event GROUP BY g',
	$$SELECT g, CASE WHEN count(*) > 2 AND max(at) > min(at) THEN round((sqrt(round(count(gap) * sum(gap ^ 2) - sum(gap) ^ 2, 60)) - sum(gap)) / (sqrt(round(count(gap) * sum(gap ^ 2) - sum(gap) ^ 2, 60)) + sum(gap)), 16) END
	FROM (SELECT g, at, round((extract(epoch FROM at) - extract(epoch FROM lag(at) OVER (PARTITION BY g ORDER BY at))) * 1000000) AS gap FROM event) AS s GROUP BY g$$, 'burstiness, as in plain SQL');
SELECT is_empty($$SELECT g FROM (SELECT g, burstiness(at ORDER BY at) AS b, count(*) AS n FROM event GROUP BY g) AS s WHERE b NOT BETWEEN -1 AND 1 OR coalesce(b = -1, false) <> (n > 2) AND g % 4 = 0$$, 'burstiness is -1 for a clock, and always less than 1');
SELECT is(burstiness(b ORDER BY g), (SELECT burstiness(at ORDER BY at) FROM event WHERE g = 1 LIMIT 1), 'NULL rows are left out') FROM (SELECT g, NULL::timestamptz AS b FROM event UNION ALL SELECT g, at FROM event WHERE g = 1) AS s WHERE g < 1 OR b IS NULL;
SELECT results_eq($$SELECT burstiness(at) OVER (ORDER BY at) FROM (SELECT at FROM event WHERE g = 12 UNION ALL SELECT NULL) AS s$$, $$SELECT (SELECT burstiness(e.at ORDER BY e.at) FROM event AS e WHERE e.g = 12 AND e.at <= m.at OR e.g = 12 AND m.at IS NULL) FROM (SELECT at FROM event WHERE g = 12 UNION ALL SELECT NULL) AS m ORDER BY m.at$$, 'burstiness as a window function');
SELECT throws_ok($$SELECT burstiness(at ORDER BY at DESC) FROM event$$, '22023', 'burstiness needs its events in order of time', 'events in another order');
SELECT throws_ok($$SELECT burstiness('infinity')$$, '22008', NULL, 'nothing is an infinite time from anything');

SELECT * FROM finish();
ROLLBACK;
