-- platforms.sql: what GitHub, GitLab and registries tell of contributions

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

TRUNCATE party, project, identity, contribution RESTART IDENTITY CASCADE;
\pset null '-'
SELECT create_project('p');
CREATE TEMP TABLE hook (n int GENERATED ALWAYS AS IDENTITY, platform text, event text, payload jsonb);
CREATE VIEW told AS
	SELECT c.kind, c.ref, c.role, i.label AS who, i.kind AS who_kind, c.at, c.done_at, c.state, c.subject_kind || '/' || c.subject_ref AS subject, c.added, c.removed, c.parts, c.updated_at
	FROM contribution AS c JOIN identity AS i USING (identity_id);

--
-- GitHub
--
INSERT INTO hook (platform, event, payload)
SELECT 'github', event, jsonb_build_object('sender', '{"login": "eve", "id": 5, "type": "User"}'::jsonb, 'repository',
	'{"html_url": "https://github.com/o/r", "default_branch": "main", "pushed_at": "2026-01-09T00:00:00Z", "updated_at": "2026-01-09T01:00:00Z"}'::jsonb) || payload::jsonb
FROM (VALUES
	('issues', '{"action": "opened", "issue": {"id": 901, "number": 1, "state": "open", "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "closed_at": null}}'),
	('issues', '{"action": "closed", "issue": {"id": 901, "number": 1, "state": "closed", "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-03T00:00:00Z", "closed_at": "2026-01-03T00:00:00Z"}}'),
	('issue_comment', '{"action": "created", "issue": {"number": 1}, "comment": {"id": 11, "user": {"login": "bob", "id": 2, "type": "User"}, "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}}'),
	('issue_comment', '{"action": "deleted", "issue": {"number": 1}, "comment": {"id": 11, "user": {"login": "bob", "id": 2, "type": "User"}, "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}}'),
	('issue_comment', '{"action": "created", "issue": {"number": 3, "pull_request": {"url": "u"}}, "comment": {"id": 17, "user": {"login": "bob", "id": 2, "type": "User"}, "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}}'),
	('pull_request', '{"action": "closed", "pull_request": {"id": 902, "number": 2, "state": "closed", "user": {"login": "renovate[bot]", "id": 3, "type": "Bot"}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-05T00:00:00Z", "closed_at": "2026-01-05T00:00:00Z", "merged_at": "2026-01-05T00:00:00Z", "merged_by": {"login": "ann", "id": 1, "type": "User"}, "additions": 10, "deletions": 4, "changed_files": 2}}'),
	('pull_request', '{"action": "closed", "pull_request": {"id": 903, "number": 3, "state": "closed", "user": {"login": "bob", "id": 2, "type": "User"}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-05T00:00:00Z", "closed_at": "2026-01-05T00:00:00Z", "merged_at": null}}'),
	('pull_request_review', '{"action": "submitted", "pull_request": {"number": 3}, "review": {"id": 12, "state": "APPROVED", "user": {"login": "ann", "id": 1, "type": "User"}, "submitted_at": "2026-01-04T00:00:00Z"}}'),
	('pull_request_review_comment', '{"action": "created", "pull_request": {"number": 3}, "comment": {"id": 11, "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-04T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"}}'),
	('commit_comment', '{"action": "created", "comment": {"id": 11, "commit_id": "c1", "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-04T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"}}'),
	('discussion', '{"action": "created", "discussion": {"id": 904, "number": 4, "state": "open", "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-04T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"}}'),
	('discussion_comment', '{"action": "created", "discussion": {"number": 4}, "comment": {"id": 11, "user": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-04T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"}}'),
	('release', '{"action": "published", "release": {"id": 13, "draft": false, "prerelease": true, "author": {"login": "ann", "id": 1, "type": "User"}, "created_at": "2026-01-06T00:00:00Z", "published_at": "2026-01-07T00:00:00Z"}}'),
	('fork', '{"forkee": {"id": 14, "owner": {"login": "lab", "id": 4, "type": "Organization"}, "created_at": "2026-01-06T00:00:00Z", "updated_at": "2026-01-06T00:00:00Z"}}'),
	('star', '{"action": "created", "starred_at": "2026-01-06T00:00:00Z"}'),
	('star', '{"action": "deleted", "starred_at": null}'),
	('watch', '{"action": "started"}'),
	('create', '{"ref_type": "tag", "ref": "v1"}'),
	('create', '{"ref_type": "branch", "ref": "b1"}'),
	('create', '{"ref_type": "repository", "ref": null}'),
	('gollum', '{"pages": [{"page_name": "Home", "sha": "aa"}, {"page_name": "More", "sha": "bb"}]}'),
	('package', '{"action": "published", "package": {"id": 15, "name": "img", "package_type": "container", "owner": {"login": "lab", "id": 4, "type": "Organization"}, "package_version": {"version": "1.0", "created_at": "2026-01-08T00:00:00Z", "updated_at": "2026-01-08T00:00:00Z", "author": {"login": "ann", "id": 1, "type": "User"}}}}'),
	('push', '{"ref": "refs/heads/main", "commits": [{"id": "c1", "timestamp": "2026-01-08T01:00:00+01:00", "author": {"name": "Ann", "email": "ann@x", "username": "ann"}, "committer": {"name": "GitHub", "email": "noreply@github.com"}}]}'),
	('push', '{"ref": "refs/heads/topic", "commits": [{"id": "c2", "timestamp": "2026-01-08T01:00:00+01:00", "author": {"name": "Ann", "email": "ann@x"}}]}'),
	('push', '{"ref": "refs/tags/v1", "commits": []}'),
	('workflow_run', '{"action": "completed"}'),
	('what_comes_next', '{}')) AS v (event, payload);
SELECT n, event, i.* FROM hook, import_github('p', event, payload) AS i WHERE platform = 'github' ORDER BY n;
SELECT * FROM told ORDER BY kind COLLATE "C", ref COLLATE "C", role COLLATE "C";
-- again, the last first
SELECT sum(inserted) AS inserted, sum(updated) AS updated FROM (SELECT * FROM hook WHERE platform = 'github' ORDER BY n DESC) AS h, import_github('p', event, payload) AS i;
SELECT create_project('q');
CREATE TEMP TABLE forward AS SELECT * FROM contribution WHERE project_id = project_id('p');
SELECT sum(inserted) AS inserted, sum(updated) AS updated FROM (SELECT * FROM hook WHERE platform = 'github' ORDER BY n DESC) AS h, import_github('q', event, payload) AS i;
SELECT kind, ref, identity_id, role, at, done_at, state, subject_kind, subject_ref, added, removed, parts, updated_at FROM contribution WHERE project_id = project_id('q')
EXCEPT SELECT kind, ref, identity_id, role, at, done_at, state, subject_kind, subject_ref, added, removed, parts, updated_at FROM forward;
-- the log of git knows more of a commit than the push, whichever comes first
SELECT create_project('pushed'), create_project('logged');
INSERT INTO hook (platform, event, payload) VALUES ('github2', 'push', format('{"ref": "refs/heads/main", "repository": {"default_branch": "main"}, "commits": [{"id": "%s", "timestamp": "2026-01-08T00:00:00Z", "author": {"name": "Ann", "email": "ann@x"}, "committer": {"name": "Ann", "email": "ann@x"}}]}', repeat('c', 40))::jsonb);
SELECT convert_to(E'\x02' || repeat('c', 40) || E'\x1f\x1fAnn\x1fann@x\x1f1767830400\x1fAnn\x1fann@x\x1f1767830460\n5\t3\ta\n', 'UTF8') AS log \gset
SELECT i.* FROM hook, import_github('pushed', event, payload) AS i WHERE platform = 'github2';
SELECT * FROM import_git_log('pushed', :'log');
SELECT * FROM import_git_log('logged', :'log');
SELECT i.* FROM hook, import_github('logged', event, payload) AS i WHERE platform = 'github2';
SELECT p.name, role, at, done_at, added, removed, updated_at FROM contribution JOIN project AS p USING (project_id) WHERE p.name IN ('pushed', 'logged') ORDER BY p.name, role COLLATE "C";
TRUNCATE contribution;

--
-- GitLab
--
INSERT INTO hook (platform, payload)
SELECT 'gitlab', '{"project": {"web_url": "https://gitlab.lab.org/g/p", "default_branch": "main"}}'::jsonb || payload::jsonb
FROM (VALUES
	('{"object_kind": "issue", "user": {"id": 1, "username": "ann", "email": "[REDACTED]"}, "object_attributes": {"id": 900, "iid": 1, "author_id": 1, "state": "opened", "action": "open", "created_at": "2026-01-01 00:00:00 UTC", "updated_at": "2026-01-01 00:00:00 UTC"}}'),
	('{"object_kind": "merge_request", "user": {"id": 2, "username": "bob"}, "object_attributes": {"iid": 2, "author_id": 1, "state": "opened", "action": "approved", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00.123Z"}}'),
	('{"object_kind": "merge_request", "user": {"id": 2, "username": "bob"}, "object_attributes": {"iid": 2, "author_id": 3, "state": "merged", "action": "merge", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-03T00:00:00Z"}}'),
	('{"object_kind": "note", "user": {"id": 3, "username": "project_7_bot_0a"}, "issue": {"iid": 1}, "object_attributes": {"id": 12, "author_id": 3, "noteable_type": "Issue", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}'),
	('{"object_kind": "note", "merge_request": {"iid": 2}, "user": {"id": 3, "username": "cy"}, "object_attributes": {"id": 14, "author_id": 3, "noteable_type": "MergeRequest", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}'),
	('{"object_kind": "note", "commit": {"id": "c1"}, "user": {"id": 3, "username": "cy"}, "object_attributes": {"id": 15, "author_id": 3, "noteable_type": "Commit", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}'),
	('{"object_kind": "note", "snippet": {"id": 9}, "user": {"id": 3, "username": "cy"}, "object_attributes": {"id": 16, "author_id": 3, "noteable_type": "Snippet", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}'),
	('{"object_kind": "note", "user": {"id": 3, "username": "cy"}, "object_attributes": {"id": 13, "author_id": 3, "system": true, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}'),
	('{"object_kind": "tag_push", "ref": "refs/tags/v1", "user_id": 1, "user_username": "ann", "commits": [{"timestamp": "2026-01-01T01:00:00+01:00"}]}'),
	('{"object_kind": "release", "tag": "v1", "action": "create", "created_at": "2026-01-01 00:00:00 UTC", "released_at": "2026-01-02 00:00:00 UTC", "commit": {"author": {"name": "Ann", "email": "ann@x"}}}'),
	('{"event_name": "push", "ref": "refs/heads/main", "commits": [{"id": "c1", "timestamp": "2026-01-08T01:00:00+01:00", "author": {"name": "Ann", "email": "ann@x"}}]}'),
	('{"object_kind": "pipeline"}'), ('{"event_name": "user_create", "user_id": 1}'), ('{}'), ('{"object_kind": "issue"}')) AS v (payload);
SELECT n, payload ->> 'object_kind' AS kind, i.* FROM hook, import_gitlab('p', payload) AS i WHERE platform = 'gitlab' ORDER BY n;
SELECT * FROM told ORDER BY kind COLLATE "C", ref COLLATE "C", role COLLATE "C";
TRUNCATE contribution;

--
-- registries
--
INSERT INTO hook (platform, payload) VALUES
	('registry', '{"push_data": {"pushed_at": 1417566161.5, "pusher": "ann", "tag": "latest"}, "repository": {"repo_name": "lab/img"}}'),
	('registry', '{"events": [
		{"id": "e1", "timestamp": "2026-01-01T00:00:00.5Z", "action": "push", "target": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:aa", "repository": "lab/img", "tag": "1"}, "request": {"host": "reg.lab.org:5000"}, "actor": {"name": "ann"}},
		{"id": "e2", "timestamp": "2026-01-01T00:00:01Z", "action": "pull", "target": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:aa", "repository": "lab/img"}, "request": {"host": "reg.lab.org:5000"}, "actor": {}},
		{"id": "e3", "timestamp": "2026-01-01T00:00:00Z", "action": "push", "target": {"mediaType": "application/octet-stream", "digest": "sha256:bb", "repository": "lab/img"}, "request": {"host": "reg.lab.org:5000"}, "actor": {"name": "ann"}}]}'),
	('registry', (SELECT payload FROM hook WHERE event = 'package')), ('registry', '{"events": 1}'), ('registry', '"package"'), ('registry', '[]');
SELECT n, i.* FROM hook, import_registry('p', payload) AS i WHERE platform = 'registry' ORDER BY n;
SELECT * FROM told ORDER BY kind COLLATE "C", ref COLLATE "C", role COLLATE "C";

-- what is not an event
\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT import_github('nothing', 'push', '{}')$$);
SELECT try($$SELECT import_github('p', NULL, '{}')$$);
SELECT try($$SELECT import_gitlab('p', NULL)$$);
SELECT try($$SELECT import_registry(NULL, '{}')$$);
SELECT try($$SELECT import_github('p', 'star', '{"action": "created", "starred_at": "soon", "sender": {"id": 1}}')$$);
DROP VIEW told;
DROP FUNCTION try, calendar_differences;
TRUNCATE party, project, identity, contribution RESTART IDENTITY CASCADE;
