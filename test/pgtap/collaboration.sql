-- Identities, affiliations and tasks: who made a contribution, as of any date,
-- as known at any date; to link and to unlink changes figures, never facts.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(64);

-- What a statement is refused with
CREATE FUNCTION pg_temp.refused(statement text, code text, description text) RETURNS text LANGUAGE sql
RETURN public.throws_ok(statement, code::char(5), NULL::text, description);

-- Every figure of a project, as one text
CREATE FUNCTION pg_temp.figures(project text, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity') RETURNS text LANGUAGE sql STABLE
RETURN (SELECT string_agg(concat_ws(' ', contributor, commits, added, removed), ', ' ORDER BY contributor)
	FROM (SELECT contributor, count(*) AS commits, sum(added) AS added, sum(removed) AS removed
		FROM contributions(project, as_of, known_at) WHERE role = 'author' GROUP BY contributor) AS c);
CREATE FUNCTION pg_temp.organizations(project text, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity') RETURNS text LANGUAGE sql STABLE
RETURN (SELECT string_agg(concat_ws(' ', coalesce(organization, 'nobody'), commits), ', ' ORDER BY organization)
	FROM (SELECT organization, round(sum(share), 6) AS commits
		FROM contributions_by_organization(project, as_of, known_at) WHERE role = 'author' GROUP BY organization) AS c);

-- ----------
-- Facts: commits of three addresses and a bot, one a year
-- ----------
SELECT create_project('p'), create_project('other') \g /dev/null
CREATE TEMP TABLE raw AS
	SELECT convert_to(string_agg(E'\x02' || lpad(n::text, 40, '0') || E'\x1f\x1f' || name || E'\x1f' || email || E'\x1f' || extract(epoch FROM make_timestamptz(2020 + n, 1, 1, 0, 0, 0))::bigint
		|| E'\x1fC\x1fc@x\x1f0\n\n' || n || E'\t1\tfile\n', ''), 'UTF8') AS log
	FROM (VALUES (0, 'Ann', 'ann@home'), (1, 'Ann', 'ann@home'), (2, 'A. Nn', 'ann@work'), (3, 'A. Nn', 'ann@work'), (4, 'Bob', 'bob@x'), (5, 'renovate[bot]', 'r@x')) AS v (n, name, email);
SELECT import_git_log('p', log) FROM raw \g /dev/null
CREATE FUNCTION pg_temp.identity(account text) RETURNS bigint LANGUAGE sql STABLE
RETURN (SELECT identity_id FROM identity AS i WHERE i.account = identity.account);
SELECT create_party('Ann', 'person'), create_party('Bob', 'person'), create_party('robot', 'bot'), create_party('Lab'), create_party('Uni') \g /dev/null
CREATE TEMP TABLE fact AS SELECT * FROM contribution;
SELECT pg_temp.figures('p') AS before \gset

SELECT is(:'before'::text, 'A. Nn <ann@work> 2 5 2, Ann <ann@home> 2 1 2, Bob <bob@x> 1 4 1', 'identities stand for themselves until they are linked');
SELECT is(count(*), 6::bigint, 'bots are only there when they are asked for') FROM contributions('p', bots => true) WHERE role = 'author';

-- ----------
-- link, unlink
-- ----------
SELECT clock_timestamp() AS t0 \gset
SELECT lives_ok($$SELECT link_identity(pg_temp.identity('Ann <ann@home>'), 'Ann')$$, 'link');
SELECT lives_ok($$SELECT link_identity(pg_temp.identity('A. Nn <ann@work>'), 'Ann')$$, 'link another');
SELECT clock_timestamp() AS t1 \gset
SELECT is(pg_temp.figures('p'), 'Ann 4 6 4, Bob <bob@x> 1 4 1', 'two identities are one person');
SELECT is(pg_temp.figures('p', known_at => :'t0'), :'before', 'as known before');
SELECT lives_ok($$SELECT unlink_identity(pg_temp.identity('Ann <ann@home>')), unlink_identity(pg_temp.identity('A. Nn <ann@work>'))$$, 'unlink');
SELECT clock_timestamp() AS t2 \gset
SELECT is(pg_temp.figures('p'), :'before', 'unlinking restores every figure');
SELECT is(pg_temp.figures('p', known_at => :'t1'), 'Ann 4 6 4, Bob <bob@x> 1 4 1', 'as known in between');
SELECT is(pg_temp.figures('p', known_at => :'t0'), :'before', 'as known before that');
SELECT set_eq('TABLE contribution', 'TABLE fact', 'no fact was touched');
SELECT is(count(*), 2::bigint, 'what was known is kept') FROM identity_link;
SELECT lives_ok($$SELECT unlink_identity(pg_temp.identity('Ann <ann@home>'))$$, 'unlinking again does nothing');
SELECT is(count(*), 2::bigint, 'nothing at all') FROM identity_link;

-- an address changes hands: from 2023 on it is Bob's
SELECT link_identity(pg_temp.identity('A. Nn <ann@work>'), 'Ann') \g /dev/null
SELECT link_identity(pg_temp.identity('A. Nn <ann@work>'), 'Bob', '[2023-01-01,)') \g /dev/null
SELECT is(pg_temp.figures('p'), 'Ann 1 2 1, Ann <ann@home> 2 1 2, Bob 1 3 1, Bob <bob@x> 1 4 1', 'whose it was when');
SELECT is(pg_temp.figures('p', as_of => '2022-06-01'), 'Ann 2 5 2, Ann <ann@home> 2 1 2, Bob <bob@x> 1 4 1', 'as of a date');
SELECT is(pg_temp.figures('p', as_of => '2024-06-01'), 'Ann <ann@home> 2 1 2, Bob 2 5 2, Bob <bob@x> 1 4 1', 'as of another');
SELECT results_eq($$SELECT p.name, l.valid FROM identity_link AS l JOIN party AS p USING (party_id) WHERE upper_inf(known) ORDER BY valid$$,
	$$VALUES ('Ann', tstzrange(NULL, '2023-01-01')), ('Bob', '[2023-01-01,)')$$, 'the rest of what was linked stays');
SELECT unlink_identity(pg_temp.identity('A. Nn <ann@work>'), '[2022-06-01, 2024-01-01)') \g /dev/null
SELECT results_eq($$SELECT p.name, l.valid FROM identity_link AS l JOIN party AS p USING (party_id) WHERE upper_inf(known) ORDER BY valid$$,
	$$VALUES ('Ann', tstzrange(NULL, '2022-06-01')), ('Bob', '[2024-01-01,)')$$, 'a hole in what was linked');
SELECT is(pg_temp.figures('p', known_at => :'t1'), 'Ann 4 6 4, Bob <bob@x> 1 4 1', 'what was known stays as it was');
SELECT is_empty($$SELECT FROM identity_link AS a JOIN identity_link AS b ON a.identity_id = b.identity_id AND a.ctid <> b.ctid AND a.valid && b.valid AND a.known && b.known$$, 'never two owners');

-- bots are parties
SELECT link_identity(pg_temp.identity('Bob <bob@x>'), 'robot'), link_identity(pg_temp.identity('renovate[bot] <r@x>'), 'Bob') \g /dev/null
SELECT is(pg_temp.figures('p', as_of => '2021-01-01'), 'Ann 2 5 2, Ann <ann@home> 2 1 2, Bob 1 5 1', 'the kind of the party decides, not that of the identity');
SELECT unlink_identity(identity_id) FROM identity \g /dev/null
SELECT is(pg_temp.figures('p'), :'before', 'unlinking all restores every figure');

SELECT pg_temp.refused($$SELECT link_identity(pg_temp.identity('Bob <bob@x>'), 'nobody')$$, '42704', 'link to nobody');
SELECT pg_temp.refused($$SELECT link_identity(-1, 'Bob')$$, '23503', 'link of nothing');
SELECT pg_temp.refused($$SELECT link_identity(pg_temp.identity('Bob <bob@x>'), 'Bob', 'empty')$$, '23514', 'link never');
SELECT pg_temp.refused($$SELECT link_identity(pg_temp.identity('Bob <bob@x>'), NULL)$$, '23502', 'link to null');

-- ----------
-- affiliations
-- ----------
SELECT link_identity(pg_temp.identity('Ann <ann@home>'), 'Ann'), link_identity(pg_temp.identity('A. Nn <ann@work>'), 'Ann') \g /dev/null
SELECT is(pg_temp.organizations('p'), 'nobody 5.000000', 'no affiliations');
SELECT clock_timestamp() AS t3 \gset
SELECT set_affiliation('Ann', 'Lab', valid => '[2021-01-01, 2023-01-01)'), set_affiliation('Ann', 'Uni', 0.25, '[2023-01-01,)') \g /dev/null
SELECT is(pg_temp.organizations('p'), 'Lab 2.000000, Uni 0.250000, nobody 2.750000', 'organizations by date and share, which sum to all');
SELECT is(pg_temp.organizations('p', as_of => '2022-01-01'), 'Lab 4.000000, nobody 1.000000', 'as of a date');
SELECT is(pg_temp.organizations('p', known_at => :'t3'), 'nobody 5.000000', 'as known before');
SELECT set_affiliation('Ann', 'Lab', 0.5, '[2022-01-01, 2024-01-01)') \g /dev/null
SELECT is(pg_temp.organizations('p'), 'Lab 2.000000, Uni 0.250000, nobody 2.750000', 'two employers');
SELECT set_affiliation('Ann', 'Lab', 0) \g /dev/null
SELECT is(pg_temp.organizations('p'), 'Uni 0.250000, nobody 4.750000', 'a share of 0 ends it');
SELECT pg_temp.refused($$SELECT set_affiliation('Ann', 'Lab', 0.750001)$$, '23514', 'more than 1 in sum');
SELECT pg_temp.refused($$SELECT set_affiliation('Ann', 'Lab', 1.1)$$, '23514', 'more than 1');
SELECT pg_temp.refused($$SELECT set_affiliation('Ann', 'Lab', -1)$$, '23514', 'less than 0');
SELECT pg_temp.refused($$SELECT set_affiliation('Ann', 'Ann')$$, '23514', 'with oneself');
SELECT pg_temp.refused($$SELECT set_affiliation('Ann', 'Lab', NULL)$$, '23502', 'with no share');
SELECT lives_ok($$SELECT set_affiliation('Ann', 'Lab', 0.75)$$, 'exactly 1 in sum');

-- ----------
-- tasks
-- ----------
SELECT create_task('p', 'write it', reference => '#1') AS one, create_task('p', 'review it', 'reviewer', 'Ann') AS two \gset
SELECT results_eq('SELECT title, role, assignee, state FROM task_status ORDER BY task_id', $$VALUES ('write it', 'developer', NULL, 'open'), ('review it', 'reviewer', 'Ann', 'assigned')$$, 'tasks');
SELECT pg_temp.refused(format('SELECT complete_task(%s)', :'one'), '55000', 'nobody can have completed it');
SELECT assign_task(:'one', 'Bob'), complete_task(:'one'), cancel_task(:'two', '2026-01-01') \g /dev/null
SELECT results_eq('SELECT title, assignee, state FROM task_status ORDER BY task_id', $$VALUES ('write it', 'Bob', 'completed'), ('review it', 'Ann', 'cancelled')$$, 'their ends');
SELECT pg_temp.refused(format('SELECT assign_task(%s, %L)', :'one', 'Ann'), '55000', 'what has ended is not assigned');
SELECT pg_temp.refused(format('SELECT cancel_task(%s)', :'two'), '55000', 'nor cancelled again');
SELECT pg_temp.refused('SELECT assign_task(-1, NULL)', '22004', 'no null');
SELECT pg_temp.refused($$SELECT assign_task(-1, 'Ann')$$, '42704', 'unknown task');
SELECT pg_temp.refused($$SELECT create_task('p', 'again', reference => '#1')$$, '23505', 'reference already used');

-- ----------
-- organizations: as defined, for random people, times and shares
-- ----------
SELECT create_project('random'), setseed(0.5) \g /dev/null
INSERT INTO party (name, kind) SELECT 'worker ' || i, 'person' FROM generate_series(1, 20) AS i;
INSERT INTO party (name) SELECT 'employer ' || i FROM generate_series(1, 6) AS i;
INSERT INTO identity (platform, account, name) SELECT 'git', 'worker ' || i, 'worker ' || i FROM generate_series(1, 25) AS i;
INSERT INTO identity_link (identity_id, party_id, known)
SELECT i.identity_id, p.party_id, tstzrange('2026-01-01', NULL) FROM identity AS i JOIN party AS p ON p.name = i.account WHERE i.account LIKE 'worker %';
INSERT INTO affiliation (party_id, organization_id, share, valid, known)
SELECT p.party_id, o.party_id, round((0.01 + 0.15 * random())::numeric, 6),
	tstzrange('2020-01-01'::timestamptz + floor(1000 * random()) * interval '1 day', '2023-01-01'::timestamptz + floor(1000 * random()) * interval '1 day'),
	CASE WHEN random() < 0.7 THEN tstzrange('2026-01-01', NULL) ELSE tstzrange('2026-01-01', '2026-02-01') END
FROM party AS p, party AS o WHERE p.name LIKE 'worker %' AND o.name LIKE 'employer %' AND random() < 0.7;
INSERT INTO contribution (project_id, kind, ref, identity_id, role, at)
SELECT project_id('random'), 'commit', n, (SELECT min(identity_id) FROM identity WHERE account LIKE 'worker %') + floor(25 * random())::bigint, 'author',
	'2019-07-01'::timestamptz + floor(2500 * random()) * interval '1 day'
FROM generate_series(1, 2000) AS n;
SELECT set_eq(format($$SELECT ref, organization, share FROM contributions_by_organization('random', %L, %L)$$, as_of, known_at), format($$
	SELECT c.ref, o.name, a.share
	FROM contributions('random', %1$L, %2$L) AS c JOIN affiliation AS a ON a.party_id = c.party_id AND a.known @> %2$L::timestamptz AND a.valid @> coalesce(%1$L, c.at)
	JOIN party AS o ON o.party_id = a.organization_id
	UNION ALL
	SELECT c.ref, NULL, 1 - coalesce(s.share, 0)
	FROM contributions('random', %1$L, %2$L) AS c, LATERAL (
		SELECT sum(a.share) AS share FROM affiliation AS a WHERE a.party_id = c.party_id AND a.known @> %2$L::timestamptz AND a.valid @> coalesce(%1$L, c.at)) AS s
	WHERE coalesce(s.share, 0) < 1$$, as_of, known_at), 'organizations, as in plain SQL: ' || concat_ws(', known at ', as_of, known_at))
FROM (VALUES (NULL::timestamptz, 'infinity'::timestamptz), ('2023-06-01', 'infinity'), (NULL, '2026-01-15')) AS v (as_of, known_at);

-- ----------
-- a commit counts once, even if a push calls its author in another way than git does
-- ----------
CREATE TEMP TABLE told AS SELECT
	jsonb_build_object('ref', 'refs/heads/main', 'repository', '{"default_branch": "main"}'::jsonb, 'commits', jsonb_agg(jsonb_build_object(
		'id', repeat(n, 40), 'timestamp', '2026-01-01T00:00:00Z', 'author', p.person, 'committer', p.person))) AS push,
	convert_to('commit ' || repeat('a', 40) || E'\nAuthor: J', 'UTF8') || '\xfc' || convert_to(E'rgen <j@x>\nDate: 1767225600 +0000\n\n    m\n\n3\t0\ta\n', 'UTF8') AS log
FROM unnest(ARRAY['a', 'b']) AS n, (SELECT '{"name": "J\ufffdrgen", "email": "j@x"}'::jsonb AS person) AS p;
SELECT create_project('pushed'), create_project('logged') \g /dev/null
SELECT import_github('pushed', 'push', push) FROM told \g /dev/null
SELECT is(pg_temp.figures('pushed'), E'J\ufffdrgen <j@x> 2', 'a push');
SELECT import_git_log('pushed', log) FROM told \g /dev/null
SELECT is(pg_temp.figures('pushed'), E'J\\xfcrgen <j@x> 1 3 0, J\ufffdrgen <j@x> 1', 'a push, and then the log');
SELECT import_git_log('logged', log) FROM told \g /dev/null
SELECT import_github('logged', 'push', push) FROM told \g /dev/null
SELECT is(pg_temp.figures('logged'), pg_temp.figures('pushed'), 'the log, and then a push');

-- ----------
-- a mailmap that is imported again and again does not undo what people decide
-- ----------
SELECT create_project('mapped') \g /dev/null
SELECT import_git_log('mapped', convert_to(string_agg(format(E'commit %s\nAuthor: %s\nDate: 1 +0000\n\n    m\n', repeat(n::text, 40), who), ''), 'UTF8'))
FROM (VALUES (1, 'Eve <eve@home>'), (2, 'Eve <eve@work>')) AS v (n, who) \g /dev/null
SELECT is(i::text, '(2,0,0)', 'mailmap: once') FROM import_mailmap('mapped', 'Eve <eve@home> <eve@work>') AS i;
SELECT unlink_identity(pg_temp.identity('Eve <eve@work>')) \g /dev/null
SELECT is(i::text, '(0,0,2)', 'mailmap: the same again') FROM import_mailmap('mapped', 'Eve <eve@home> <eve@work>') AS i;
SELECT is(pg_temp.figures('mapped'), 'Eve <eve@home> 1 0 0, Eve <eve@work> 1 0 0', 'mailmap: who was unlinked stays so');
SELECT is(i::text, '(1,0,1)', 'mailmap: another one is what it says') FROM import_mailmap('mapped', E'Eve <eve@home> <eve@work>\nBob <bob@x> <bob@y>') AS i;

-- ----------
-- times are finite, as reports take one from another
-- ----------
SELECT pg_temp.refused($$SELECT import_github('pushed', 'issues', '{"action": "opened", "issue": {"number": 1, "created_at": "infinity", "updated_at": "2026-01-01", "user": {"id": 1, "login": "a"}}}')$$, '23514', 'an infinite time');
SELECT pg_temp.refused($$SELECT import_github('pushed', 'issues', '{"action": "closed", "issue": {"number": 1, "created_at": "2026-01-01", "closed_at": "-infinity", "updated_at": "2026-01-01", "user": {"id": 1, "login": "a"}}}')$$, '23514', 'an infinite end');

-- ----------
-- what is put on the table counts for importers, too
-- ----------
CREATE TEMP TABLE seen (n bigint);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO seen SELECT count(*) FROM new_rows; RETURN NULL; END$$;
CREATE TRIGGER see AFTER INSERT ON contribution REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.see();
SELECT create_project('triggered') \g /dev/null
SELECT is(i.inserted, (SELECT count(*) FROM contribution WHERE project_id = project_id('p') AND kind = 'commit'), 'import: a table with a trigger')
FROM raw, import_git_log('triggered', log) AS i;
SELECT is(sum(n)::bigint, (SELECT count(*) FROM contribution WHERE project_id = project_id('triggered')), 'import: which fires') FROM seen;
SELECT set_eq($$SELECT kind, ref, identity_id, role, at, done_at, is_merge, added, removed, parts, updated_at FROM contribution WHERE project_id = project_id('triggered')$$,
	$$SELECT kind, ref, identity_id, role, at, done_at, is_merge, added, removed, parts, updated_at FROM contribution WHERE project_id = project_id('p') AND kind = 'commit'$$, 'import: the same rows');
DROP TRIGGER see ON contribution;
ALTER TABLE contribution ADD CHECK (ref NOT LIKE '0%') NOT VALID;
SELECT create_project('checked') \g /dev/null
SELECT pg_temp.refused(format($$SELECT import_git_log('checked', convert_to(%L, 'UTF8'))$$, E'commit ' || repeat('0', 40) || E'\nAuthor: A <a>\nDate: 1 +0000\n'), '23514', 'import: a constraint');
SELECT pg_temp.refused($$SELECT import_github('checked', 'pull_request', '{"action": "opened", "pull_request": {"number": 1, "additions": -1, "created_at": "2026-01-01", "user": {"id": 1, "login": "a"}}}')$$, '23514', 'import: negative lines');

SELECT * FROM finish();
ROLLBACK;
