-- Git logs and mailmaps: real ones give the figures that are known to be true
-- for them, and edge cases what git says of them.
--
-- The data is where the environment variable SHARECOLLAB_DATA says; without it,
-- these tests are skipped, loudly.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = sharecollab, public;

\getenv data SHARECOLLAB_DATA
\if :{?data}
\else
	\set data ''
\endif
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/git/git_git_numstat.log.gz', true)).size IS NOT NULL AS present,
	:'data' || '/git' AS git, :'data' || '/webhooks' AS webhooks
\gset
\if :present
\else
	\echo '1..0 # SKIP: no real data (SHARECOLLAB_DATA): git logs, mailmaps and webhooks are NOT CHECKED'
	\quit
\endif

BEGIN;
SELECT plan(61);

-- COPY reads programs, but no bytes: in hexadecimal, a line for each 1 MB
CREATE TEMP TABLE hex (n bigint GENERATED ALWAYS AS IDENTITY, line text);
CREATE TEMP TABLE log (name text PRIMARY KEY, log bytea);
SELECT format('zcat %s/git_git_numstat.log.gz | od -An -v -tx1 -w1048576 | tr -d " "', :'git') AS git_git,
	format('zcat %s/datasets_numstat.log.gz | od -An -v -tx1 -w1048576 | tr -d " "', :'git') AS datasets,
	format('zcat %s/accelerate_numstat.log.gz | od -An -v -tx1 -w1048576 | tr -d " "', :'git') AS accelerate
\gset
COPY hex (line) FROM PROGRAM :'git_git';
INSERT INTO log SELECT 'git', decode(string_agg(line, '' ORDER BY n), 'hex') FROM hex;
TRUNCATE hex;
COPY hex (line) FROM PROGRAM :'datasets';
INSERT INTO log SELECT 'datasets', decode(string_agg(line, '' ORDER BY n), 'hex') FROM hex;
TRUNCATE hex;
COPY hex (line) FROM PROGRAM :'accelerate';
INSERT INTO log SELECT 'accelerate', decode(string_agg(line, '' ORDER BY n), 'hex') FROM hex;
INSERT INTO log SELECT name, pg_read_binary_file(:'git' || '/edge_' || name || '.log')
FROM unnest(ARRAY['text', 'text_noquotepath', 'z', 'norenames', 'firstparent']) AS name;

-- Everything that an import left, but for keys and times of recording
CREATE FUNCTION pg_temp.fingerprint(project text) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT md5(string_agg(concat_ws('|', c.kind, c.ref, i.platform, i.account, i.name, i.email, i.kind, c.role, c.at, c.done_at,
		coalesce(c.state, '-'), c.subject_kind, c.subject_ref, c.is_merge, coalesce(c.added, -1), coalesce(c.removed, -1), coalesce(c.parts, -1), c.updated_at), E'\n'
		ORDER BY c.kind, c.ref, i.platform, i.account, c.role))
	FROM contribution AS c JOIN identity AS i USING (identity_id) WHERE c.project_id = project_id(project));

-- ----------
-- git/git
-- ----------
SELECT create_project(name) FROM log WHERE name IN ('git', 'datasets', 'accelerate') \g /dev/null
SELECT is(i::text, '(172585,0,6)', 'git: import') FROM log, import_git_log('git', log.log) AS i WHERE name = 'git';
SELECT pg_temp.fingerprint('git') AS whole \gset
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE is_merge), sum(added), sum(removed), sum(parts), count(DISTINCT identity_id)
	FROM contribution WHERE project_id = project_id('git') AND role = 'author'$$,
	'VALUES (81966::bigint, 21215::bigint, 3996678::numeric, 2367678::numeric, 136004::bigint, 2785::bigint)', 'git: commits, merges, lines, files, raw identities');
SELECT results_eq($$SELECT sum(added), sum(removed) FROM contribution WHERE project_id = project_id('git')$$,
	'VALUES (3996678::numeric, 2367678::numeric)', 'git: lines count once, whatever the roles');
SELECT results_eq($$SELECT count(DISTINCT email), count(DISTINCT lower(email)), count(DISTINCT name)
	FROM contribution JOIN identity USING (identity_id) WHERE project_id = project_id('git') AND role = 'author'$$,
	'VALUES (2681::bigint, 2669::bigint, 2444::bigint)', 'git: raw addresses and names');
SELECT bag_eq($$SELECT role, count(*) FROM contribution WHERE project_id = project_id('git') GROUP BY role ORDER BY role$$,
	$$VALUES ('author', 81966::bigint), ('co-author', 230), ('committer', 81966), ('reviewer', 2266), ('signer', 6157)$$, 'git: roles');
SELECT is(count(*), 14::bigint, 'git: committed before they were written') FROM contribution WHERE project_id = project_id('git') AND role = 'author' AND done_at < at;
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE added IS NULL), count(old_path), sum(added), sum(removed) FROM log, git_log_files(log.log) WHERE name = 'git'$$,
	'VALUES (136004::bigint, 78::bigint, 1895::bigint, 3996678::numeric, 2367678::numeric)', 'git: files, binary files, renames, lines');
SELECT is(count(*), 5::bigint, 'git: commits without files that are no merges') FROM contribution WHERE project_id = project_id('git') AND role = 'author' AND parts = 0 AND NOT is_merge;

-- again, in pieces, in another order
SELECT is(i::text, '(0,0,172591)', 'git: a second import changes nothing') FROM log, import_git_log('git', log.log) AS i WHERE name = 'git';
SELECT is(pg_temp.fingerprint('git'), :'whole', 'git: nothing at all');
CREATE TEMP TABLE piece AS
	SELECT n, decode(string_agg(record, '' ORDER BY r), 'hex') AS log
	FROM (SELECT r, r / 7919 AS n, encode(convert_to(E'\x02' || record, 'UTF8'), 'hex') AS record
		FROM log, string_to_table(convert_from(log.log, 'UTF8'), E'\x02') WITH ORDINALITY AS t (record, r)
		WHERE name = 'git' AND record <> '') AS records
	GROUP BY n;
SELECT create_project('pieces') \g /dev/null
SELECT is(sum(i.inserted), 172585::numeric, 'git: in 11 pieces, the last first') FROM (SELECT * FROM piece ORDER BY n DESC) AS p, import_git_log('pieces', p.log) AS i;
SELECT is(pg_temp.fingerprint('pieces'), :'whole', 'git: pieces make the whole');

-- ----------
-- its mailmap
-- ----------
SELECT is(i::text, '(556,0,0)', 'mailmap: identities are linked') FROM import_mailmap('git', pg_read_binary_file(:'git' || '/git_git.mailmap')) AS i;
SELECT results_eq($$SELECT count(DISTINCT contributor), count(*), sum(added) FROM contributions('git', bots => true) WHERE role = 'author'$$,
	'VALUES (2477::bigint, 81966::bigint, 3996678::numeric)', 'mailmap: contributors');
SELECT results_eq($$SELECT count(DISTINCT m.email), count(DISTINCT m.name) FROM (SELECT DISTINCT g.account, g.name, g.email FROM log, git_log(log.log) AS g WHERE log.name = 'git' AND role = 'author') AS i,
	mailmap_lookup(pg_read_binary_file(current_setting('test.git') || '/git_git.mailmap'), i.name, i.email) AS m$$,
	'VALUES (2464::bigint, 2354::bigint)', 'mailmap: addresses and names')
FROM set_config('test.git', :'git', true);
SELECT is(count(*), 15766::bigint, 'mailmap: commits that it changes') FROM contribution JOIN identity USING (identity_id),
	mailmap_lookup(pg_read_binary_file(:'git' || '/git_git.mailmap'), identity.name, identity.email) AS m
WHERE project_id = project_id('git') AND role = 'author' AND (m.name, m.email) <> (identity.name, identity.email);
SELECT is(i::text, '(0,0,556)', 'mailmap: a second import changes nothing') FROM import_mailmap('git', pg_read_binary_file(:'git' || '/git_git.mailmap')) AS i;
SELECT is(pg_temp.fingerprint('git'), :'whole', 'mailmap: facts are not touched');
SELECT is(count(DISTINCT contributor), 2785::bigint, 'mailmap: as known before') FROM contributions('git', known_at => '-infinity', bots => true) WHERE role = 'author';

-- the mailmap first, the log in pieces
SELECT create_project('late') \g /dev/null
DELETE FROM identity_link;
SELECT is(i::text, '(0,0,0)', 'mailmap before the log') FROM import_mailmap('late', pg_read_binary_file(:'git' || '/git_git.mailmap')) AS i;
SELECT import_git_log('late', p.log) FROM piece AS p ORDER BY n DESC \g /dev/null
SELECT is(count(DISTINCT contributor), 2477::bigint, 'mailmap before the log: contributors') FROM contributions('late', bots => true) WHERE role = 'author';

-- absence factor (CHAOSS), in plain SQL: how many make half of the commits
CREATE TEMP TABLE mapped AS
	SELECT i.identity_id, lower(m.email) AS email, m.email AS address
	FROM identity AS i, mailmap_lookup((SELECT mailmap FROM project WHERE name = 'late'), i.name, i.email) AS m;
ANALYZE mapped, contribution, identity, identity_link, party;
CREATE FUNCTION pg_temp.absence_factor(merges boolean, fraction numeric) RETURNS bigint LANGUAGE sql STABLE
RETURN (SELECT 1 + count(*) FILTER (WHERE n.running < fraction * n.total)
	FROM (SELECT sum(count(*)) OVER (ORDER BY count(*) DESC, m.email) AS running, sum(count(*)) OVER () AS total
		FROM contribution AS c JOIN mapped AS m USING (identity_id)
		WHERE project_id = project_id('late') AND role = 'author' AND (merges OR NOT is_merge) GROUP BY m.email) AS n);
SELECT is(pg_temp.absence_factor(true, 0.5), 6::bigint, 'absence factor');
SELECT is(pg_temp.absence_factor(false, 0.5), 15::bigint, 'absence factor without merges');

-- and the report: the same, by our types
SELECT is(ROW(r.contributors, r.newcomers, r.inactive, r.commits, r.lines_added, r.lines_removed, r.absence_factor), ROW(2477::bigint, 2477::bigint, 0::bigint, 81966::bigint, 3996678::bigint, 2367678::bigint, 6),
	'contributor_report()') FROM contributor_report('git', bots => true) AS r;
SELECT is(ROW(r.commits, r.absence_factor, r.absence_factor_by_lines), ROW(81966::bigint - 21215, 15, 14), 'contributor_report() without merges') FROM contributor_report('git', merges => false, bots => true) AS r;
WITH author AS (
	SELECT c.contributor, min(c.at) AS first, count(*) FILTER (WHERE c.at < '2019-01-01') AS before, count(*) FILTER (WHERE c.at >= '2019-01-01' AND c.at < '2020-01-01') AS commits
	FROM contributions('git') AS c WHERE c.kind = 'commit' AND c.role = 'author' GROUP BY 1)
SELECT is(ROW(r.contributors, r.newcomers, r.returning_contributors, r.inactive, r.commits, r.core + r.regular + r.casual),
	(SELECT ROW(count(*) FILTER (WHERE commits > 0), count(*) FILTER (WHERE first >= '2019-01-01' AND first < '2020-01-01'), count(*) FILTER (WHERE commits > 0 AND first < '2019-01-01'),
		count(*) FILTER (WHERE before > 0 AND commits = 0), sum(commits)::bigint, (count(*) FILTER (WHERE commits > 0))::integer) FROM author),
	'contributor_report() of a year, as in plain SQL') FROM contributor_report('git', '[2019-01-01,2020-01-01)') AS r;

SELECT is(ROW(absence_factor(by_count(a), 0.8), parties(occasional(b))), ROW(109, 1159), 'absence factor at 80 %, and authors of one commit')
FROM (SELECT activity(email, at) FILTER (WHERE NOT is_merge) AS a, activity(address, at) AS b FROM contribution JOIN mapped USING (identity_id) WHERE project_id = project_id('late') AND role = 'author') AS s;

-- ----------
-- A rollup by month, keyed by identity: the years are its sums, byte for byte,
-- and to link and unlink people is to give it other keys, not to write it again
-- ----------
CREATE TEMP TABLE month AS
SELECT date_trunc('month', at) AS month, activity(identity_id, at, added, removed) AS a
FROM contribution WHERE project_id = project_id('git') AND role = 'author' GROUP BY 1;
SELECT set_eq($$SELECT date_trunc('year', month), activity_send(sum(a)) FROM month GROUP BY 1$$,
	$$SELECT date_trunc('year', at), activity_send(activity(identity_id, at, added, removed)) FROM contribution WHERE project_id = project_id('git') AND role = 'author' GROUP BY 1$$, 'rollup: months make the year, byte for byte');
SELECT is(activity_send(sum(a)), activity_send((SELECT activity(identity_id, at, added, removed) FROM contribution WHERE project_id = project_id('git') AND role = 'author')), 'rollup: and all of the time') FROM month;
CREATE FUNCTION pg_temp.years() RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT date_trunc('year', month), activity_send(rekey(sum(a), (SELECT jsonb_object_agg(identity_id, CASE WHEN kind <> 'bot' THEN party END) FROM identity_status WHERE valid @> now() OR kind = 'bot')))
	FROM month GROUP BY 1 $$;
CREATE FUNCTION pg_temp.direct_years() RETURNS SETOF record LANGUAGE sql STABLE AS $$
	SELECT date_trunc('year', at), activity_send(activity(CASE WHEN party_id IS NULL THEN identity_id::text ELSE contributor END, at, added, removed))
	FROM contributions('git') WHERE role = 'author' GROUP BY 1 $$;
SELECT set_eq('SELECT * FROM pg_temp.years() AS y (year timestamptz, a bytea)', 'SELECT * FROM pg_temp.direct_years() AS y (year timestamptz, a bytea)', 'rollup: people as the mailmap has them, without bots');
CREATE TEMP TABLE year_before AS SELECT * FROM pg_temp.years() AS y (year timestamptz, a bytea);
CREATE TEMP TABLE report_before AS SELECT r.* FROM contributor_report('git') AS r;
SELECT create_party('everybody', 'person') \g /dev/null
SELECT link_identity(identity_id, 'everybody') FROM identity_status WHERE party IS NULL AND platform = 'git' AND identity_id % 10 = 0 \g /dev/null
SELECT set_eq('SELECT * FROM pg_temp.years() AS y (year timestamptz, a bytea)', 'SELECT * FROM pg_temp.direct_years() AS y (year timestamptz, a bytea)', 'rollup: other people');
SELECT ok(r.contributors < b.contributors - 100 AND r.commits = b.commits, 'rollup: who are fewer') FROM contributor_report('git') AS r, report_before AS b;
SELECT unlink_identity(identity_id) FROM identity_status WHERE party = 'everybody' \g /dev/null
SELECT set_eq('SELECT * FROM pg_temp.years() AS y (year timestamptz, a bytea)', 'TABLE year_before', 'rollup: unlinked, every figure is as before, bit for bit');
SELECT set_eq($$SELECT * FROM contributor_report('git')$$, 'TABLE report_before', 'unlinking restores the report');
SELECT is(pg_temp.fingerprint('git'), :'whole', 'and no fact was touched');

-- ----------
-- datasets and accelerate
-- ----------
SELECT import_git_log(name, log) FROM log WHERE name IN ('datasets', 'accelerate') \g /dev/null
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE is_merge), sum(added), sum(removed), count(DISTINCT identity_id), sum(parts)
	FROM contribution WHERE project_id = project_id('datasets') AND role = 'author'$$,
	'VALUES (4324::bigint, 24::bigint, 1443876::numeric, 1344779::numeric, 718::bigint, 40430::bigint)', 'datasets: commits, merges, lines, identities, files');
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE is_merge), sum(added), sum(removed), count(DISTINCT identity_id), sum(parts)
	FROM contribution WHERE project_id = project_id('accelerate') AND role = 'author'$$,
	'VALUES (1996::bigint, 6::bigint, 109151::numeric, 30557::numeric, 463::bigint, 5810::bigint)', 'accelerate: likewise');
SELECT results_eq($$SELECT name, count(*) FROM log, LATERAL (SELECT ref FROM git_log(log.log) AS g WHERE g.role = 'co-author') AS g
	WHERE name IN ('datasets', 'accelerate') GROUP BY name ORDER BY name$$,
	$$VALUES ('accelerate', 403::bigint), ('datasets', 1265)$$, 'co-authors');
SELECT is(count(*), 4::bigint, 'accelerate: bots') FROM contributions('accelerate', bots => true) AS c JOIN identity AS i USING (identity_id) WHERE role = 'author' AND i.kind = 'bot';
SELECT is(count(*), 1992::bigint, 'accelerate: without bots') FROM contributions('accelerate') WHERE role = 'author';
SELECT is(count(*) > 50, true, 'people of both projects are one identity') FROM identity AS i
WHERE EXISTS (SELECT FROM contribution AS c WHERE c.identity_id = i.identity_id AND project_id = project_id('datasets'))
AND EXISTS (SELECT FROM contribution AS c WHERE c.identity_id = i.identity_id AND project_id = project_id('accelerate'));

-- ----------
-- edge cases
-- ----------
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE is_merge), sum(added), sum(removed), sum(parts) FROM log, git_log(log.log) WHERE log.name = '$$ || name || $$' AND role = 'author'$$,
	format('VALUES (16::bigint, 1::bigint, %s::numeric, %s::numeric, %s::bigint)', added, removed, parts), 'edge cases: ' || name)
FROM (VALUES ('text', 31, 4, 28), ('text_noquotepath', 31, 4, 28), ('z', 31, 4, 28), ('norenames', 46, 19, 32), ('firstparent', 32, 4, 29)) AS v (name, added, removed, parts);
SELECT bag_eq($$SELECT g.* FROM log, git_log(log.log) AS g WHERE log.name = 'text'$$, $$SELECT g.* FROM log, git_log(log.log) AS g WHERE log.name = 'z'$$, 'edge cases: the same with -z');
SELECT bag_eq($$SELECT g.* FROM log, git_log(log.log) AS g WHERE log.name = 'text'$$, $$SELECT g.* FROM log, git_log(log.log) AS g WHERE log.name = 'text_noquotepath'$$, 'edge cases: the same without quotes');
-- but what git writes alike
SELECT bag_eq($$SELECT ref, path, old_path FROM log, git_log_files(log.log) WHERE log.name = 'text' AND path NOT IN ('b', 'y')$$,
	$$SELECT ref, path, old_path FROM log, git_log_files(log.log) WHERE log.name = 'z' AND path NOT IN ('a => b', '{x => y}')$$, 'edge cases: the same paths');
SELECT bag_eq($$SELECT convert_from(path, 'LATIN1') FROM log, git_log_files(log.log) WHERE log.name = 'z' AND old_path IS NULL AND encode(path, 'hex') ~ '^(..)*(0a|09|22|5c|e9|c3)'$$,
	$$VALUES (E'new\nline.txt'), (E'tab\there.txt'), ('quo"te.txt'), ('back\slash.txt'), ('latéin1.txt'), (convert_from('\x636166c3a92e747874', 'LATIN1'))$$, 'edge cases: strange paths');
SELECT bag_eq($$SELECT convert_from(old_path, 'LATIN1') AS old_path, convert_from(path, 'LATIN1') AS path FROM log, git_log_files(log.log) WHERE log.name = 'z' AND old_path IS NOT NULL$$,
	$$VALUES ('arch/i386/Makefile', 'arch/x86/Makefile'), ('plain.txt', 'sub/plain.txt'), ('sub/plain.txt', 'plain.txt'), (convert_from('\x636166c3a92e747874', 'LATIN1'), E'caf\there.txt')$$, 'edge cases: renames');
SELECT bag_eq($$SELECT role, account FROM log, git_log(log.log) WHERE log.name = 'text' AND role NOT IN ('author', 'committer')$$,
	$$VALUES ('co-author', 'Second Person <second@example.org>'), ('co-author', 'THIRD person <THIRD@Example.ORG>')$$, 'edge cases: trailers');
SELECT results_eq($$SELECT min(at), max(at) FROM log, git_log(log.log) WHERE log.name = 'text'$$, $$VALUES ('1999-12-31 23:59:59+00'::timestamptz, '2099-01-01 00:00:00+00'::timestamptz)$$, 'edge cases: times');
-- as git log says it with its mailmap
CREATE TEMP TABLE truth (ref text, name text, email text);
SELECT :'git' || '/edge_truth_mapped.tsv' AS truth \gset
COPY truth FROM :'truth';
SELECT bag_eq($$SELECT g.ref, m.name, m.email FROM log, git_log(log.log) AS g, mailmap_lookup(pg_read_binary_file(current_setting('test.git') || '/edge.mailmap'), g.name, g.email) AS m
	WHERE log.name = 'text' AND role = 'author'$$, 'SELECT ref, name, email FROM truth', 'edge cases: mailmap');

-- ----------
-- webhooks: every example is read, and any order gives the same
-- ----------
CREATE TEMP TABLE hook (n bigint GENERATED ALWAYS AS IDENTITY, hook text);
SELECT 'zcat ' || :'webhooks' || '/github-webhook-examples.jsonl.gz' AS github,
	'zcat ' || :'webhooks' || '/gitlab-docker-webhook-examples.jsonl.gz' AS gitlab
\gset
COPY hook (hook) FROM PROGRAM :'github' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02');
COPY hook (hook) FROM PROGRAM :'gitlab' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02');
CREATE FUNCTION pg_temp.import(project text, hook jsonb, OUT inserted bigint, OUT updated bigint, OUT skipped bigint) LANGUAGE sql
BEGIN ATOMIC
	SELECT * FROM import_github(project, hook ->> 'event', hook -> 'payload') WHERE hook ? 'event'
	UNION ALL
	SELECT * FROM import_gitlab(project, hook -> 'payload') WHERE hook ->> 'platform' = 'gitlab'
	UNION ALL
	SELECT * FROM import_registry(project, hook -> 'payload') WHERE hook ->> 'platform' = 'dockerhub';
END;
SELECT create_project('hooks'), create_project('skooh') \g /dev/null
CREATE TEMP TABLE outcome AS SELECT h.hook::jsonb AS hook, i.* FROM (SELECT * FROM hook ORDER BY n) AS h, pg_temp.import('hooks', h.hook::jsonb) AS i;
SELECT is(count(*), 390::bigint, 'webhooks: all are accepted') FROM outcome;
SELECT is(count(*), (SELECT sum(inserted)::bigint FROM outcome), 'webhooks: what was imported is there') FROM contribution WHERE project_id = project_id('hooks');
SELECT bag_eq($$SELECT c.kind, count(*) FROM contribution AS c WHERE project_id = project_id('hooks') GROUP BY c.kind ORDER BY c.kind$$,
	$$VALUES ('artifact', 3::bigint), ('change_request', 3), ('comment', 9), ('commit', 5), ('discussion', 3), ('fork', 1), ('issue', 4), ('release', 3), ('review', 1), ('star', 1), ('tag', 2), ('wiki', 1)$$, 'webhooks: kinds');
-- what each of them tells, or that it tells nothing of contributions: events of
-- other kinds, tags, branches that are not the default one, and a few examples
-- that lack a number or a time
CREATE TEMP TABLE told AS
SELECT coalesce(hook ->> 'platform', 'github') AS platform, coalesce(hook ->> 'event', hook #>> '{payload,object_kind}', hook #>> '{payload,event_name}', '-') AS event,
	(SELECT string_agg(concat_ws(' ', e.kind, e.role, e.state, 'of ' || e.subject_kind), ', ' ORDER BY e.kind, e.role, e.state) FROM (
		SELECT * FROM github_event(hook ->> 'event', hook -> 'payload') WHERE hook ? 'event' UNION ALL
		SELECT * FROM gitlab_event(hook -> 'payload') WHERE hook ->> 'platform' = 'gitlab' UNION ALL
		SELECT * FROM registry_event(hook -> 'payload') WHERE hook ->> 'platform' = 'dockerhub') AS e) AS entries
FROM outcome;
SELECT bag_eq('SELECT platform, event, count(*), entries FROM told WHERE entries IS NOT NULL GROUP BY platform, event, entries', $$VALUES
	('dockerhub', '-', 1::bigint, 'artifact author released'),
	('github', 'commit_comment', 5, 'comment author of commit'),
	('github', 'create', 5, 'tag author'),
	('github', 'discussion', 3, 'discussion author converting'),
	('github', 'discussion', 3, 'discussion author locked'),
	('github', 'discussion', 9, 'discussion author open'),
	('github', 'discussion_comment', 1, 'comment author deleted of discussion'),
	('github', 'discussion_comment', 3, 'comment author of discussion'),
	('github', 'fork', 3, 'fork author'),
	('github', 'gollum', 3, 'wiki author'),
	('github', 'issue_comment', 2, 'comment author deleted of issue'),
	('github', 'issue_comment', 7, 'comment author of issue'),
	('github', 'issues', 2, 'issue author'),
	('github', 'issues', 1, 'issue author deleted'),
	('github', 'issues', 26, 'issue author open'),
	('github', 'package', 3, 'artifact author released'),
	('github', 'pull_request', 2, 'change_request author closed'),
	('github', 'pull_request', 27, 'change_request author open'),
	('github', 'pull_request_review', 3, 'review reviewer commented of change_request'),
	('github', 'pull_request_review', 1, 'review reviewer dismissed of change_request'),
	('github', 'pull_request_review_comment', 1, 'comment author deleted of change_request'),
	('github', 'pull_request_review_comment', 4, 'comment author of change_request'),
	('github', 'push', 2, 'commit author, commit committer'),
	('github', 'release', 2, 'release author deleted'),
	('github', 'release', 2, 'release author prerelease'),
	('github', 'release', 9, 'release author released'),
	('github', 'star', 2, 'star author'),
	('gitlab', 'issue', 3, 'issue author open'),
	('gitlab', 'merge_request', 4, 'change_request author open'),
	('gitlab', 'note', 2, 'comment author'),
	('gitlab', 'note', 2, 'comment author of change_request'),
	('gitlab', 'note', 2, 'comment author of commit'),
	('gitlab', 'note', 3, 'comment author of issue'),
	('gitlab', 'push', 1, 'commit author'),
	('gitlab', 'push', 2, 'commit author, commit author'),
	('gitlab', 'release', 2, 'release author released'),
	('gitlab', 'tag_push', 1, 'tag author')$$, 'webhooks: what is mapped, and to what');
SELECT is(string_agg(concat_ws(' ', platform, event, count), ', ' ORDER BY platform, event),
	'github branch_protection_rule 5, github check_run 9, github check_suite 9, github code_scanning_alert 6, github delete 4, github dependabot_alert 3, '
		|| 'github deploy_key 2, github deployment 4, github deployment_review 1, github deployment_status 4, github github_app_authorization 2, github '
		|| 'installation 7, github installation_repositories 3, github label 6, github marketplace_purchase 4, github member 4, github membership 5, github '
		|| 'merge_group 2, github meta 2, github milestone 5, github org_block 4, github organization 5, github page_build 3, github ping 4, github project 3, '
		|| 'github project_card 9, github project_column 4, github projects_v2_item 7, github public 3, github pull_request_review_thread 3, github push 5, github'
		|| ' repository 13, github repository_dispatch 2, github repository_import 2, github repository_vulnerability_alert 4, github security_advisory 4, github '
		|| 'sponsorship 4, github star 1, github status 4, github team 6, github team_add 3, github watch 3, github workflow_dispatch 2, github workflow_job 8, '
		|| 'github workflow_run 5, gitlab access_token 2, gitlab build 4, gitlab deployment 2, gitlab feature_flag 1, gitlab group_create 1, gitlab group_destroy '
		|| '1, gitlab group_rename 1, gitlab key_create 1, gitlab key_destroy 1, gitlab merge_request 1, gitlab pipeline 2, gitlab project_create 1, gitlab '
		|| 'project_destroy 1, gitlab project_rename 1, gitlab project_transfer 1, gitlab project_update 1, gitlab subgroup_create 1, gitlab tag_push 2, gitlab '
		|| 'user_add_to_group 2, gitlab user_add_to_team 1, gitlab user_create 1, gitlab user_destroy 1, gitlab user_failed_login 1, gitlab user_remove_from_group'
		|| ' 1, gitlab user_remove_from_team 1, gitlab user_rename 1, gitlab user_update_for_group 1, gitlab user_update_for_team 1, gitlab wiki_page 2',
	'webhooks: what is ignored') FROM (SELECT platform, event, count(*) FROM told WHERE entries IS NULL GROUP BY platform, event) AS m;
SELECT is(sum(inserted + updated)::bigint, 0::bigint, 'webhooks: a second import changes nothing') FROM (SELECT * FROM hook ORDER BY n) AS h, pg_temp.import('hooks', h.hook::jsonb);
SELECT pg_temp.import('skooh', hook::jsonb) FROM hook ORDER BY n DESC \g /dev/null
SELECT is(pg_temp.fingerprint('skooh'), pg_temp.fingerprint('hooks'), 'webhooks: the last first gives the same');

SELECT * FROM finish();
ROLLBACK;
