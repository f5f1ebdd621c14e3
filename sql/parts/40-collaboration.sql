-- 40-collaboration.sql
--		What is made together: projects, who they know contributors as, what
--		these contributed, and what is left to do.
--		C code: src/git_log.c and src/mailmap.c (parsers), src/import.c
--		(importers), src/contribution.c (what they write), src/project.c (verbs)

CREATE TABLE project (
	project_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name		text NOT NULL UNIQUE CHECK (name <> ''),
	kind		text NOT NULL DEFAULT 'code' CHECK (kind IN ('code', 'data', 'model')),
	location	text,
	mailmap		bytea,
	recorded_at	timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE project OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('project', '');
SELECT pg_catalog.pg_extension_config_dump('project_project_id_seq', '');

COMMENT ON TABLE project IS 'A repository of code, data or a model that people contribute to, wherever it is kept: git, GitHub, GitLab, a registry of artifacts, or several of them.';
COMMENT ON COLUMN project.project_id IS 'Key.';
COMMENT ON COLUMN project.name IS 'What functions and reports call the project.';
COMMENT ON COLUMN project.kind IS 'What is made: code, data or model.';
COMMENT ON COLUMN project.location IS 'Where it is: a URL, for people to read.';
COMMENT ON COLUMN project.mailmap IS 'The .mailmap that was imported last; import_git_log() applies it to identities that it sees for the first time.';
COMMENT ON COLUMN project.recorded_at IS 'When the row was written.';

CREATE TABLE project_member (
	project_id	bigint NOT NULL REFERENCES project ON DELETE CASCADE,
	party_id	bigint NOT NULL REFERENCES party,
	role		text NOT NULL CHECK (role IN ('owner', 'maintainer', 'contributor')),
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (project_id, party_id)
);
CREATE INDEX project_member_party_id_idx ON project_member (party_id);
ALTER TABLE project_member OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('project_member', '');

COMMENT ON TABLE project_member IS 'What a party may do in a project, whoever contributed to it.';
COMMENT ON COLUMN project_member.project_id IS 'The project.';
COMMENT ON COLUMN project_member.party_id IS 'The party.';
COMMENT ON COLUMN project_member.role IS 'owner (also says who the members are), maintainer (imports, links identities, hands out tasks) or contributor (sees all of it).';
COMMENT ON COLUMN project_member.recorded_at IS 'When the row was written.';

CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON project_member
	FOR EACH STATEMENT EXECUTE FUNCTION access_changed();

ALTER TABLE pool ADD COLUMN project_id bigint REFERENCES project;
CREATE INDEX pool_project_id_idx ON pool (project_id);
COMMENT ON COLUMN pool.project_id IS 'The project that made what is shared: whose contributors have the contributors'' share; NULL for none, and their share is kept.';

CREATE TABLE identity (
	identity_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	platform	text COLLATE "C" NOT NULL CHECK (platform <> ''),
	account		text COLLATE "C" NOT NULL,
	name		text NOT NULL,
	email		text NOT NULL DEFAULT '',
	kind		text NOT NULL DEFAULT 'person' CHECK (kind IN ('organization', 'person', 'bot')),
	label		text NOT NULL GENERATED ALWAYS AS (CASE platform WHEN 'git' THEN account ELSE name || ' (' || platform || ')' END) STORED,
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	UNIQUE (platform, account)
);
CREATE INDEX identity_email_idx ON identity (lower(email));
ALTER TABLE identity OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('identity', '');
SELECT pg_catalog.pg_extension_config_dump('identity_identity_id_seq', '');

COMMENT ON TABLE identity IS 'Somebody as seen on a platform. Whose it is, identity_link says.';
COMMENT ON COLUMN identity.identity_id IS 'Key.';
COMMENT ON COLUMN identity.platform IS 'Where it was seen: git, or the host name of GitHub, GitLab or a registry.';
COMMENT ON COLUMN identity.account IS 'What the platform knows it by: for git "Name <address>", exactly as in the commits; elsewhere the number of the account, which outlives a change of its name, or the name where there is no number.';
COMMENT ON COLUMN identity.name IS 'Name or login, as first seen; the account where neither was.';
COMMENT ON COLUMN identity.email IS 'Mail address, as first seen; empty where the platform shows none.';
COMMENT ON COLUMN identity.kind IS 'What it is as far as the platform says, or its name does ([bot]): organization, person or bot. The kind of the party that it is linked to goes before this.';
COMMENT ON COLUMN identity.label IS 'What reports call it as long as it is linked to nobody.';
COMMENT ON COLUMN identity.recorded_at IS 'When the row was written.';

-- Exclusion needs an operator class of the key; as a range of one it has one
-- without another extension.
CREATE TABLE identity_link (
	identity_id	bigint NOT NULL REFERENCES identity,
	party_id	bigint NOT NULL REFERENCES party,
	valid		tstzrange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid)),
	known		tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL) CHECK (NOT isempty(known)),
	project_id	bigint REFERENCES project,
	EXCLUDE USING gist (int8range(identity_id, identity_id, '[]') WITH &&, valid WITH &&, known WITH &&)
);
CREATE INDEX identity_link_identity_id_idx ON identity_link (identity_id);
CREATE INDEX identity_link_party_id_idx ON identity_link (party_id);
CREATE INDEX identity_link_project_id_idx ON identity_link (project_id);
ALTER TABLE identity_link OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('identity_link', '');

COMMENT ON TABLE identity_link IS 'Whose an identity is, bitemporally: since when that holds, and since when we know. Rows are ended, never changed or deleted, so that every report can be had again as it once was.';
COMMENT ON COLUMN identity_link.identity_id IS 'The identity.';
COMMENT ON COLUMN identity_link.party_id IS 'Whose it is: at any instant, of what is known at any instant, of one party at most.';
COMMENT ON COLUMN identity_link.valid IS 'For contributions of which time.';
COMMENT ON COLUMN identity_link.known IS 'From when until when this was what we knew; without an end, it still is.';
COMMENT ON COLUMN identity_link.project_id IS 'The project whose .mailmap says so; NULL if a person does. The mailmap never changes what a person said.';

CREATE TABLE affiliation (
	party_id		bigint NOT NULL REFERENCES party,
	organization_id	bigint NOT NULL REFERENCES party CHECK (organization_id <> party_id),
	share			numeric NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1 AND share = round(share, 6)),
	valid			tstzrange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid)),
	known			tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL) CHECK (NOT isempty(known)),
	EXCLUDE USING gist (int8range(party_id, party_id, '[]') WITH &&, int8range(organization_id, organization_id, '[]') WITH &&, valid WITH &&, known WITH &&)
);
CREATE INDEX affiliation_party_id_idx ON affiliation (party_id);
CREATE INDEX affiliation_organization_id_idx ON affiliation (organization_id);
ALTER TABLE affiliation OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('affiliation', '');

COMMENT ON TABLE affiliation IS 'Whom somebody works for, bitemporally as identity_link. What is known now gives nobody away more than once: error 23514.';
COMMENT ON COLUMN affiliation.party_id IS 'The person.';
COMMENT ON COLUMN affiliation.organization_id IS 'The organization.';
COMMENT ON COLUMN affiliation.share IS 'Which part of the person''s contributions are the organization''s: above 0, at most 1, at most 6 decimal places.';
COMMENT ON COLUMN affiliation.valid IS 'For contributions of which time.';
COMMENT ON COLUMN affiliation.known IS 'From when until when this was what we knew; without an end, it still is.';

CREATE FUNCTION affiliation_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'affiliation_check' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION affiliation_check() IS 'Trigger: at no time are the shares of a person more than 1; error 23514.';
CREATE TRIGGER check_shares AFTER INSERT ON affiliation REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION affiliation_check();
CREATE TRIGGER check_shares_update AFTER UPDATE ON affiliation REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION affiliation_check();

-- No foreign keys: to look up project and identity again for each fact would
-- take as long as all the rest of an import, which has just done so. Triggers
-- keep both from being deleted.
CREATE TABLE contribution (
	project_id		bigint NOT NULL,
	kind			text COLLATE "C" NOT NULL CHECK (kind <> ''),
	ref				text COLLATE "C" NOT NULL,
	identity_id		bigint NOT NULL,
	role			text COLLATE "C" NOT NULL CHECK (role <> ''),
	at				timestamptz NOT NULL CHECK (isfinite(at)),
	done_at			timestamptz CHECK (isfinite(done_at)),
	state			text,
	subject_kind	text COLLATE "C",
	subject_ref		text COLLATE "C",
	is_merge		boolean NOT NULL DEFAULT false,
	added			bigint CHECK (added >= 0),
	removed			bigint CHECK (removed >= 0),
	parts			integer CHECK (parts >= 0),
	updated_at		timestamptz NOT NULL DEFAULT now(),
	recorded_at		timestamptz NOT NULL DEFAULT now(),
	recorded_by		text NOT NULL DEFAULT calling_role(),
	PRIMARY KEY (project_id, ref, kind, identity_id, role),
	CHECK ((subject_kind IS NULL) = (subject_ref IS NULL))
);
ALTER TABLE contribution OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('contribution', '');

COMMENT ON TABLE contribution IS 'Somebody did something for a project: a fact as the platform tells it. It names the identity, never the person, so that to merge and unmerge people rewrites no fact.';
COMMENT ON COLUMN contribution.project_id IS 'The project.';
COMMENT ON COLUMN contribution.kind IS 'What was done: commit, change_request, review, issue, comment, discussion, release, artifact, tag, branch, wiki, fork, star, pull, or any other word: annotation, dataset, evaluation, ...';
COMMENT ON COLUMN contribution.ref IS 'Which one, unique within project and kind: hash of the commit, number of the issue or change request, ...';
COMMENT ON COLUMN contribution.identity_id IS 'Who, as seen on the platform.';
COMMENT ON COLUMN contribution.role IS 'In which role: author, committer, co-author, signer, reviewer, merger, ...';
COMMENT ON COLUMN contribution.at IS 'When: authored, opened, submitted.';
COMMENT ON COLUMN contribution.done_at IS 'When it was done: committed, merged, closed, published; NULL if it is not, or nothing tells.';
COMMENT ON COLUMN contribution.state IS 'What became of it: open, merged, closed; approved, changes_requested, commented, dismissed; draft, prerelease, released; deleted, which no report counts. NULL for a commit.';
COMMENT ON COLUMN contribution.subject_kind IS 'Kind of the contribution to the same project that this one is about: of the change request, issue, commit or discussion that was reviewed or commented on; NULL for one that stands for itself, or where nothing tells.';
COMMENT ON COLUMN contribution.subject_ref IS 'Which one that is: its ref.';
COMMENT ON COLUMN contribution.is_merge IS 'A commit with several parents.';
COMMENT ON COLUMN contribution.added IS 'Lines added, in the row of the author only, so that sums are right; NULL if not known. The lines of a change request are also those of its commits.';
COMMENT ON COLUMN contribution.removed IS 'Lines removed, likewise.';
COMMENT ON COLUMN contribution.parts IS 'Files changed, likewise, binary ones too.';
COMMENT ON COLUMN contribution.updated_at IS 'The state of the platform that the row shows: of two reports on the same fact, the later stays. infinity for a commit that was read from git, -infinity for one that was only announced by a push.';
COMMENT ON COLUMN contribution.recorded_at IS 'When the row was written.';
COMMENT ON COLUMN contribution.recorded_by IS 'The role that did.';

CREATE TRIGGER keep_contributions AFTER DELETE ON project REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION keep_referenced('contribution', 'project_id', 'project_id');
CREATE TRIGGER keep_contributions AFTER DELETE ON identity REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION keep_referenced('contribution', 'identity_id', 'identity_id');

CREATE TABLE task (
	project_id	bigint NOT NULL REFERENCES project,
	task_id		bigint GENERATED ALWAYS AS IDENTITY,
	title		text NOT NULL CHECK (title <> ''),
	role		text NOT NULL DEFAULT 'developer' CHECK (role <> ''),
	assignee_id	bigint REFERENCES party,
	assigned_at	timestamptz,
	ended_at	timestamptz,
	end_reason	text CHECK (end_reason IN ('completed', 'cancelled')),
	reference	text,
	recorded_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (project_id, task_id),
	UNIQUE (project_id, reference),
	CHECK ((assignee_id IS NULL) = (assigned_at IS NULL)),
	CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
	CHECK (end_reason <> 'completed' OR assignee_id IS NOT NULL)
);
CREATE INDEX task_task_id_idx ON task (task_id);
CREATE INDEX task_assignee_id_idx ON task (assignee_id);
ALTER TABLE task OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('task', '');
SELECT pg_catalog.pg_extension_config_dump('task_task_id_seq', '');

COMMENT ON TABLE task IS 'Work to do for a project.';
COMMENT ON COLUMN task.project_id IS 'The project.';
COMMENT ON COLUMN task.task_id IS 'Key.';
COMMENT ON COLUMN task.title IS 'What is to be done.';
COMMENT ON COLUMN task.role IS 'In which role: developer, reviewer, annotator, ...';
COMMENT ON COLUMN task.assignee_id IS 'Who does it; NULL for nobody yet.';
COMMENT ON COLUMN task.assigned_at IS 'Since when that is so.';
COMMENT ON COLUMN task.ended_at IS 'When it was completed or cancelled; NULL while it is open.';
COMMENT ON COLUMN task.end_reason IS 'completed or cancelled.';
COMMENT ON COLUMN task.reference IS 'What it is called elsewhere (an issue); unique within the project.';
COMMENT ON COLUMN task.recorded_at IS 'When the row was written.';

-- the verbs

CREATE FUNCTION project_id(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'project_id' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION project_id(text) IS 'The key of the project of that name; error 42704 if there is none that the caller may know of.';

-- Here, because a pool may have a project
CREATE FUNCTION create_pool(name text, kind text, unit text, steward text,
	price numeric DEFAULT 0, currency text DEFAULT 'USD', time_zone text DEFAULT 'UTC', parent text DEFAULT NULL,
	min_quantity numeric DEFAULT NULL, max_quantity numeric DEFAULT NULL, quantity_step numeric DEFAULT NULL,
	min_duration interval DEFAULT NULL, max_duration interval DEFAULT NULL,
	notice interval DEFAULT NULL, horizon interval DEFAULT NULL, buffer interval DEFAULT '0', instant boolean DEFAULT true,
	overbooking numeric DEFAULT 1, borrow numeric DEFAULT 0, lend numeric DEFAULT 0,
	cancellation profile DEFAULT NULL, preemption_notice interval DEFAULT '0',
	fee numeric DEFAULT 0, contributors_share numeric DEFAULT 0, project text DEFAULT NULL, rounding text DEFAULT 'half_even')
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH new_pool AS (
		INSERT INTO pool (name, kind, unit, steward_id, price, currency, time_zone, parent_id,
			min_quantity, max_quantity, quantity_step, min_duration, max_duration,
			notice, horizon, buffer, instant, overbooking, borrow, lend, cancellation, preemption_notice,
			fee, contributors_share, project_id, rounding)
		VALUES (require_name(create_pool.name, create_pool.steward), create_pool.kind, create_pool.unit, require_party(create_pool.steward),
			create_pool.price, create_pool.currency, create_pool.time_zone, require_pool(create_pool.parent, 'steward'),
			create_pool.min_quantity, create_pool.max_quantity, create_pool.quantity_step,
			create_pool.min_duration, create_pool.max_duration,
			create_pool.notice, create_pool.horizon, create_pool.buffer, create_pool.instant,
			create_pool.overbooking, create_pool.borrow, create_pool.lend,
			create_pool.cancellation, create_pool.preemption_notice,
			create_pool.fee, create_pool.contributors_share, project_id(create_pool.project), create_pool.rounding)
		RETURNING pool.pool_id, pool.steward_id
	), steward AS (
		INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT new_pool.pool_id, new_pool.steward_id, 'steward', now()
		FROM new_pool
	)
	SELECT new_pool.pool_id
	FROM new_pool;
END;
COMMENT ON FUNCTION create_pool(text, text, text, text, numeric, text, text, text, numeric, numeric, numeric, interval, interval, interval, interval, interval, boolean, numeric, numeric, numeric, profile, interval, numeric, numeric, text, text) IS
'Makes a pool, with its terms (see the columns of table pool; UPDATE pool changes them), and its steward a member; returns its key. For those who act for the steward, with a name that begins with the steward''s and a slash; below another pool, for its stewards. Errors: 42501 if the caller may not, 23505 if the name is taken, 23514 for terms that make no sense, 42704 if the steward, parent or project does not exist, 22023 for an unknown time zone or rounding.';

CREATE FUNCTION create_project(name text, kind text DEFAULT 'code', location text DEFAULT NULL, owner text DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH new_project AS (
		INSERT INTO project (name, kind, location)
		VALUES (require_name(create_project.name, create_project.owner), create_project.kind, create_project.location)
		RETURNING project.project_id
	), owner AS (
		INSERT INTO project_member (project_id, party_id, role)
		SELECT new_project.project_id, require_party(create_project.owner), 'owner'
		FROM new_project
		WHERE create_project.owner IS NOT NULL
	)
	SELECT new_project.project_id
	FROM new_project;
END;
COMMENT ON FUNCTION create_project(text, text, text, text) IS
'Makes a project, with its owner as its first member, and returns its key. For those who act for the owner, with a name that begins with the owner''s and a slash. Errors: 42501 if the caller may not, 42704 unknown owner, 23505 if the name is taken, 23514 for another kind than code, data or model.';

CREATE FUNCTION set_project_member(project text, party text, role text) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	DELETE FROM project_member AS m
	WHERE m.project_id = require_project(set_project_member.project, 'owner')
	AND m.party_id = party_id(set_project_member.party) AND set_project_member.role IS NULL;
	INSERT INTO project_member (project_id, party_id, role)
	SELECT require_project(set_project_member.project, 'owner'), party_id(set_project_member.party), set_project_member.role
	WHERE set_project_member.role IS NOT NULL
	ON CONFLICT (project_id, party_id) DO UPDATE SET role = excluded.role;
END;
COMMENT ON FUNCTION set_project_member(text, text, text) IS
'Makes a party owner, maintainer or contributor of a project, or with NULL none of these any more; for owners of the project. Errors: 42501 if the caller acts for none, 42704 unknown project or party, 23514 for another role.';

CREATE FUNCTION require_identity(identity_id bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'require_identity' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_identity(bigint) IS 'The key of an identity that the caller may link: owner or maintainer of all projects that it contributed to. Errors: 42704 if it contributed to none of the caller''s, 42501 if it contributed to others, too.';

-- What was known of the identity in that time ends; what is left of it outside
-- of that time goes on as a row of its own.
CREATE FUNCTION link_identity(identity_id bigint, party text, valid tstzrange DEFAULT '(,)')
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT FROM identity AS i WHERE i.identity_id = require_identity(link_identity.identity_id) FOR NO KEY UPDATE;
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), ended AS (
		UPDATE identity_link AS l
		SET known = tstzrange(lower(l.known), clock.now)
		FROM clock
		WHERE l.identity_id = link_identity.identity_id AND upper_inf(l.known) AND l.valid && link_identity.valid
		RETURNING l.party_id, l.valid, l.project_id
	)
	INSERT INTO identity_link (identity_id, party_id, valid, known, project_id)
	SELECT link_identity.identity_id, ended.party_id, rest, tstzrange(clock.now, NULL), ended.project_id
	FROM ended, clock, unnest(tstzmultirange(ended.valid) - tstzmultirange(link_identity.valid)) AS rest
	UNION ALL
	SELECT link_identity.identity_id, party_id(link_identity.party), link_identity.valid, tstzrange(clock.now, NULL), NULL
	FROM clock;
END;
COMMENT ON FUNCTION link_identity(bigint, text, tstzrange) IS
'From now on, contributions of an identity during a period are known to be those of a party, whatever was known before. Facts stay as they are. For owners and maintainers of all projects that it contributed to. Errors: 42501 if the caller is none, 42704 unknown party, 23503 unknown identity, 23514 empty period, 23502 null.';

CREATE FUNCTION unlink_identity(identity_id bigint, valid tstzrange DEFAULT '(,)')
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT FROM identity AS i WHERE i.identity_id = require_identity(unlink_identity.identity_id) FOR NO KEY UPDATE;
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), ended AS (
		UPDATE identity_link AS l
		SET known = tstzrange(lower(l.known), clock.now)
		FROM clock
		WHERE l.identity_id = unlink_identity.identity_id AND upper_inf(l.known) AND l.valid && unlink_identity.valid
		RETURNING l.party_id, l.valid, l.project_id
	)
	INSERT INTO identity_link (identity_id, party_id, valid, known, project_id)
	SELECT unlink_identity.identity_id, ended.party_id, rest, tstzrange(clock.now, NULL), ended.project_id
	FROM ended, clock, unnest(tstzmultirange(ended.valid) - tstzmultirange(unlink_identity.valid)) AS rest;
END;
COMMENT ON FUNCTION unlink_identity(bigint, tstzrange) IS
'From now on, it is not known whose contributions of an identity during a period are: every figure is again what it was before they were linked. Does nothing if that is so already. For whom and errors as link_identity().';

CREATE FUNCTION set_affiliation(party text, organization text, share numeric DEFAULT 1, valid tstzrange DEFAULT '(,)')
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT FROM party AS p WHERE p.party_id = require_party(set_affiliation.party) FOR NO KEY UPDATE;
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), ended AS (
		UPDATE affiliation AS a
		SET known = tstzrange(lower(a.known), clock.now)
		FROM clock
		WHERE a.party_id = party_id(set_affiliation.party)
		AND a.organization_id = party_id(set_affiliation.organization)
		AND upper_inf(a.known) AND a.valid && set_affiliation.valid
		RETURNING a.party_id, a.organization_id, a.share, a.valid
	)
	INSERT INTO affiliation (party_id, organization_id, share, valid, known)
	SELECT ended.party_id, ended.organization_id, ended.share, rest, tstzrange(clock.now, NULL)
	FROM ended, clock, unnest(tstzmultirange(ended.valid) - tstzmultirange(set_affiliation.valid)) AS rest
	UNION ALL
	SELECT party_id(set_affiliation.party), party_id(set_affiliation.organization), set_affiliation.share,
		set_affiliation.valid, tstzrange(clock.now, NULL)
	FROM clock
	WHERE set_affiliation.share IS DISTINCT FROM 0;
END;
COMMENT ON FUNCTION set_affiliation(text, text, numeric, tstzrange) IS
'From now on, a person is known to work for an organization during a period, with a share of all that the person does; 0 for not at all. For those who act for the person. Errors: 42501 if the caller does not, 42704 unknown party, 23514 for a share or an empty period, or if the shares of the person come to more than 1, 23502 null.';

CREATE FUNCTION create_task(project text, title text, role text DEFAULT 'developer', assignee text DEFAULT NULL, reference text DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO task (project_id, title, role, assignee_id, assigned_at, reference)
	VALUES (require_project(create_task.project, 'owner', 'maintainer'), create_task.title, create_task.role, party_id(create_task.assignee),
		CASE WHEN create_task.assignee IS NOT NULL THEN now() END, create_task.reference)
	RETURNING task.task_id;
END;
COMMENT ON FUNCTION create_task(text, text, text, text, text) IS
'Makes a task, perhaps with an assignee at once; returns its key. For owners and maintainers of the project. Errors: 42501 if the caller acts for none, 42704 unknown project or party, 23505 reference already used, 23514 empty title or role, 23502 null.';

CREATE FUNCTION assign_task(task_id bigint, assignee text) RETURNS void
	AS 'MODULE_PATHNAME', 'task_assign' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION assign_task(bigint, text) IS
'Gives an open task to a party, whoever had it before; for owners and maintainers of the project. Errors: 42501 if the caller acts for none, 42704 unknown task or party, 55000 already ended, 22004 null.';

CREATE FUNCTION complete_task(task_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'task_complete' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION complete_task(bigint, timestamptz) IS
'The assignee has done a task; says who acts for the assignee, or an owner or maintainer of the project. Errors: 42501 anybody else, 42704 unknown task, 55000 already ended or assigned to nobody, 22004 null.';

CREATE FUNCTION cancel_task(task_id bigint, at timestamptz DEFAULT now()) RETURNS void
	AS 'MODULE_PATHNAME', 'task_cancel' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION cancel_task(bigint, timestamptz) IS
'A task is not to be done any more; for owners and maintainers of the project. Errors: 42501 if the caller acts for none, 42704 unknown task, 55000 already ended, 22004 null.';

-- whose contributions are

-- Planned with no instant known, "known @> known_at" would be estimated to leave
-- next to nothing, and links, until there are statistics, be looked through for
-- each contribution; of coalesce() it is estimated to leave half.
CREATE FUNCTION contributions(project text, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity', bots boolean DEFAULT false)
	RETURNS TABLE (kind text, ref text, role text, at timestamptz, done_at timestamptz, state text,
		subject_kind text, subject_ref text, is_merge boolean,
		added bigint, removed bigint, parts integer, identity_id bigint, party_id bigint, contributor text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
BEGIN ATOMIC
	SELECT c.kind, c.ref, c.role, c.at, c.done_at, c.state, c.subject_kind, c.subject_ref, c.is_merge, c.added, c.removed, c.parts,
		c.identity_id, l.party_id, coalesce(p.name, i.label)
	FROM contribution AS c
	JOIN identity AS i ON i.identity_id = c.identity_id
	LEFT JOIN identity_link AS l ON l.identity_id = c.identity_id
		AND l.valid @> coalesce(contributions.as_of, c.at) AND coalesce(l.known @> contributions.known_at, false)
	LEFT JOIN party AS p ON p.party_id = l.party_id
	WHERE c.project_id = project_id(contributions.project)
	AND c.state IS DISTINCT FROM 'deleted'
	-- the commit itself goes before what a push said of it, whatever that called its author
	AND (c.updated_at > '-infinity' OR NOT EXISTS (
		SELECT FROM contribution AS r
		WHERE r.project_id = c.project_id AND r.ref = c.ref AND r.kind = c.kind AND r.role = c.role AND r.updated_at = 'infinity'
		OFFSET 0))
	AND (contributions.bots OR coalesce(p.kind, i.kind) <> 'bot');
END;
COMMENT ON FUNCTION contributions(text, timestamptz, timestamptz, boolean) IS
'What was contributed to a project and by whom: identities resolved to parties as these were linked at the time of each contribution, or as of an instant, by what was known at an instant (by default, all that is known). contributor is the name of the party or, if it is linked to none, of the identity; party_id is then NULL. Bots are left out, unless asked for; so is what was deleted, and what a push said of a commit that was read from git since. Error: 42704 unknown project.';

CREATE FUNCTION contributions_by_organization(project text, as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT 'infinity', bots boolean DEFAULT false)
	RETURNS TABLE (kind text, ref text, role text, at timestamptz, done_at timestamptz, state text,
		subject_kind text, subject_ref text, is_merge boolean,
		added bigint, removed bigint, parts integer, identity_id bigint, party_id bigint, contributor text,
		organization_id bigint, organization text, share numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
BEGIN ATOMIC
	WITH contribution AS MATERIALIZED (
		SELECT c.*, coalesce(contributions_by_organization.as_of, c.at) AS instant
		FROM contributions(contributions_by_organization.project, contributions_by_organization.as_of,
			contributions_by_organization.known_at, contributions_by_organization.bots) AS c
	), employed AS MATERIALIZED (
		SELECT a.party_id, a.organization_id, o.name, a.share, a.valid
		FROM affiliation AS a
		JOIN party AS o ON o.party_id = a.organization_id
		WHERE coalesce(a.known @> contributions_by_organization.known_at, false)
	), load AS MATERIALIZED (
		SELECT employed.party_id, load_profile(employed.valid, employed.share) AS load
		FROM employed
		GROUP BY employed.party_id
	)
	SELECT c.kind, c.ref, c.role, c.at, c.done_at, c.state, c.subject_kind, c.subject_ref, c.is_merge, c.added, c.removed, c.parts,
		c.identity_id, c.party_id, c.contributor, e.organization_id, e.name, e.share
	FROM contribution AS c
	JOIN employed AS e ON e.party_id = c.party_id AND e.valid @> c.instant
	UNION ALL
	-- what is left to nobody
	SELECT c.kind, c.ref, c.role, c.at, c.done_at, c.state, c.subject_kind, c.subject_ref, c.is_merge, c.added, c.removed, c.parts,
		c.identity_id, c.party_id, c.contributor, NULL, NULL, 1 - coalesce(value_at(l.load, c.instant), 0)
	FROM contribution AS c
	LEFT JOIN load AS l ON l.party_id = c.party_id
	WHERE coalesce(value_at(l.load, c.instant), 0) < 1;
END;
COMMENT ON FUNCTION contributions_by_organization(text, timestamptz, timestamptz, boolean) IS
'As contributions(), in one row for each organization that the contributor worked for at the time, with its share; what no organization has is a row with organization NULL. The shares of each contribution sum to 1, so that what is weighted with them sums to the total.';

CREATE VIEW identity_status WITH (security_invoker) AS
	SELECT i.identity_id, i.platform, i.label AS identity, p.name AS party, coalesce(p.kind, i.kind) AS kind, l.valid,
		j.name AS mailmap_of
	FROM identity AS i
	LEFT JOIN identity_link AS l ON l.identity_id = i.identity_id AND upper_inf(l.known)
	LEFT JOIN party AS p ON p.party_id = l.party_id
	LEFT JOIN project AS j ON j.project_id = l.project_id;
ALTER VIEW identity_status OWNER TO @extowner@;
COMMENT ON VIEW identity_status IS 'Identities, and whose they are by what is known now.';
COMMENT ON COLUMN identity_status.identity_id IS 'Key of the identity.';
COMMENT ON COLUMN identity_status.platform IS 'Where it was seen.';
COMMENT ON COLUMN identity_status.identity IS 'What it is called there.';
COMMENT ON COLUMN identity_status.party IS 'Whose it is; NULL if that is not known.';
COMMENT ON COLUMN identity_status.kind IS 'organization, person or bot.';
COMMENT ON COLUMN identity_status.valid IS 'For contributions of which time.';
COMMENT ON COLUMN identity_status.mailmap_of IS 'The project whose .mailmap says so; NULL if a person does.';

CREATE VIEW task_status WITH (security_invoker) AS
	SELECT j.name AS project, t.task_id, t.title, t.role, p.name AS assignee,
		coalesce(t.end_reason, CASE WHEN t.assignee_id IS NULL THEN 'open' ELSE 'assigned' END) AS state,
		t.assigned_at, t.ended_at, t.reference, t.recorded_at
	FROM task AS t
	JOIN project AS j ON j.project_id = t.project_id
	LEFT JOIN party AS p ON p.party_id = t.assignee_id;
ALTER VIEW task_status OWNER TO @extowner@;
COMMENT ON VIEW task_status IS 'Tasks, with names and their state.';
COMMENT ON COLUMN task_status.project IS 'Name of the project.';
COMMENT ON COLUMN task_status.task_id IS 'Key of the task.';
COMMENT ON COLUMN task_status.title IS 'What is to be done.';
COMMENT ON COLUMN task_status.role IS 'In which role.';
COMMENT ON COLUMN task_status.assignee IS 'Who does it.';
COMMENT ON COLUMN task_status.state IS 'open, assigned, completed or cancelled.';
COMMENT ON COLUMN task_status.assigned_at IS 'Since when it has its assignee.';
COMMENT ON COLUMN task_status.ended_at IS 'When it was completed or cancelled.';
COMMENT ON COLUMN task_status.reference IS 'What it is called elsewhere.';
COMMENT ON COLUMN task_status.recorded_at IS 'When it was recorded.';

-- What importers read: each source is a function to rows of this type.
CREATE TYPE contribution_entry AS (
	kind			text COLLATE "C",
	ref				text COLLATE "C",
	role			text COLLATE "C",
	at				timestamptz,
	done_at			timestamptz,
	state			text,
	subject_kind	text COLLATE "C",
	subject_ref		text COLLATE "C",
	is_merge		boolean,
	added			bigint,
	removed			bigint,
	parts			integer,
	updated_at		timestamptz,
	platform		text COLLATE "C",
	account			text COLLATE "C",
	name			text,
	email			text,
	identity_kind	text
);
ALTER TYPE contribution_entry OWNER TO @extowner@;
COMMENT ON TYPE contribution_entry IS 'A contribution and its identity, as a source tells them. Where kind is null, there was something that could not be read or is nobody''s contribution.';
COMMENT ON COLUMN contribution_entry.kind IS 'As contribution.kind.';
COMMENT ON COLUMN contribution_entry.ref IS 'As contribution.ref.';
COMMENT ON COLUMN contribution_entry.role IS 'As contribution.role.';
COMMENT ON COLUMN contribution_entry.at IS 'As contribution.at.';
COMMENT ON COLUMN contribution_entry.done_at IS 'As contribution.done_at.';
COMMENT ON COLUMN contribution_entry.state IS 'As contribution.state.';
COMMENT ON COLUMN contribution_entry.subject_kind IS 'As contribution.subject_kind.';
COMMENT ON COLUMN contribution_entry.subject_ref IS 'As contribution.subject_ref.';
COMMENT ON COLUMN contribution_entry.is_merge IS 'As contribution.is_merge.';
COMMENT ON COLUMN contribution_entry.added IS 'As contribution.added.';
COMMENT ON COLUMN contribution_entry.removed IS 'As contribution.removed.';
COMMENT ON COLUMN contribution_entry.parts IS 'As contribution.parts.';
COMMENT ON COLUMN contribution_entry.updated_at IS 'As contribution.updated_at.';
COMMENT ON COLUMN contribution_entry.platform IS 'As identity.platform.';
COMMENT ON COLUMN contribution_entry.account IS 'As identity.account.';
COMMENT ON COLUMN contribution_entry.name IS 'As identity.name.';
COMMENT ON COLUMN contribution_entry.email IS 'As identity.email.';
COMMENT ON COLUMN contribution_entry.identity_kind IS 'As identity.kind.';

-- git

CREATE FUNCTION git_log_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'git_log_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION git_log_support(internal) IS 'Planner support: how many rows a git log has.';

CREATE FUNCTION git_log(log bytea, on_error text DEFAULT 'error') RETURNS SETOF contribution_entry
	AS 'MODULE_PATHNAME', 'git_log' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000 SUPPORT git_log_support;
COMMENT ON FUNCTION git_log(bytea, text) IS
'Reads the output of git log --numstat, with or without -z, in git''s own format (medium, fuller) or the one that the README has: a row for the author of each commit, with its lines, and more for its committer and those whom its trailers name (Co-authored-by and so on), but none for one who signs off a commit of his own. Bytes that are not UTF-8 become \xNN. Errors: 22P02 with line and byte offset; with on_error ''skip'' a row of nulls instead for each commit that cannot be read.';

CREATE FUNCTION git_log_files(log bytea, on_error text DEFAULT 'error',
	OUT ref text, OUT path bytea, OUT old_path bytea, OUT added bigint, OUT removed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'git_log_files' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION git_log_files(bytea, text) IS
'The files of a git log: commit, path, path before a rename (else NULL), lines added and removed (NULL for a binary file). Paths are bytes, as in git. Without -z, what looks like a rename is taken for one, as git writes both alike. Errors as git_log().';

CREATE FUNCTION mailmap_lookup(mailmap bytea, INOUT name text, INOUT email text)
	AS 'MODULE_PATHNAME', 'mailmap_lookup_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mailmap_lookup(bytea, text, text) IS
'Name and address as a .mailmap has them, by the rules of git check-mailmap; unchanged if it does not.';

-- platforms: what their events tell, as JSON. Actors are accounts of the
-- platform; authors of commits are identities of git, so that a commit that a
-- push announced and the same from the log are one.

CREATE FUNCTION pushed_commits(payload jsonb, branch text) RETURNS SETOF contribution_entry
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
	SELECT 'commit', c ->> 'id', role, (c ->> 'timestamp')::timestamptz, NULL::timestamptz, NULL, NULL, NULL, false,
		NULL::bigint, NULL::bigint, NULL::integer, '-infinity'::timestamptz, 'git',
		concat(nullif(btrim(p.name), '') || ' ', '<', p.email, '>'), p.name, p.email,
		CASE WHEN p.name LIKE '%[bot]%' OR p.email LIKE '%[bot]@%' OR p.email = 'noreply@github.com' THEN 'bot' ELSE 'person' END
	FROM jsonb_array_elements(CASE WHEN jsonb_typeof(pushed_commits.payload -> 'commits') = 'array' THEN pushed_commits.payload -> 'commits' END) AS c,
		(VALUES ('author'), ('committer')) AS r (role),
		LATERAL (SELECT btrim(coalesce(c #>> ARRAY[role, 'name'], '')) AS name, btrim(coalesce(c #>> ARRAY[role, 'email'], '')) AS email) AS p
	WHERE pushed_commits.payload ->> 'ref' = 'refs/heads/' || pushed_commits.branch
	AND c -> role IS NOT NULL AND c ->> 'id' IS NOT NULL AND c ->> 'timestamp' IS NOT NULL;
END;
COMMENT ON FUNCTION pushed_commits(jsonb, text) IS
'The commits of a push of GitHub or GitLab to a branch, without their lines, which only git knows.';

CREATE FUNCTION github_event(event text, payload jsonb) RETURNS SETOF contribution_entry
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
	WITH host AS (
		SELECT coalesce(nullif(split_part(github_event.payload #>> '{repository,html_url}', '/', 3), ''), 'github.com') AS host
	), object AS (
		-- issues, change requests, comments, ...: one object, with its author
		SELECT m.kind, github_event.payload -> m.path AS o, github_event.payload -> m.path -> m.who AS who,
			CASE WHEN m.prefixed THEN github_event.event || '/' ELSE '' END AS prefix
		FROM (VALUES
			('issues', 'issue', 'issue', 'user', false),
			('pull_request', 'pull_request', 'change_request', 'user', false),
			('pull_request_review', 'review', 'review', 'user', false),
			('pull_request_review_comment', 'comment', 'comment', 'user', true),
			('issue_comment', 'comment', 'comment', 'user', true),
			('commit_comment', 'comment', 'comment', 'user', true),
			('discussion_comment', 'comment', 'comment', 'user', true),
			('discussion', 'discussion', 'discussion', 'user', false),
			('release', 'release', 'release', 'author', false),
			('fork', 'forkee', 'fork', 'owner', false)) AS m (event, path, kind, who, prefixed)
		WHERE m.event = github_event.event
	), subject AS (
		-- what a review or comment is about
		SELECT m.kind, github_event.payload #>> m.path AS ref
		FROM (VALUES
			('pull_request_review', 'change_request', '{pull_request,number}'::text[]),
			('pull_request_review_comment', 'change_request', '{pull_request,number}'),
			('issue_comment', CASE jsonb_typeof(github_event.payload #> '{issue,pull_request}') WHEN 'object' THEN 'change_request' ELSE 'issue' END, '{issue,number}'),
			('commit_comment', 'commit', '{comment,commit_id}'),
			('discussion_comment', 'discussion', '{discussion,number}')) AS m (event, kind, path)
		WHERE m.event = github_event.event AND github_event.payload #>> m.path IS NOT NULL
	), entry AS (
		SELECT object.kind, object.prefix || coalesce(o ->> 'number', o ->> 'id') AS ref,
			CASE object.kind WHEN 'review' THEN 'reviewer' ELSE 'author' END AS role,
			coalesce(o ->> 'created_at', o ->> 'submitted_at')::timestamptz AS at,
			coalesce(o ->> 'merged_at', o ->> 'closed_at', o ->> 'submitted_at', o ->> 'published_at')::timestamptz AS done_at,
			CASE WHEN github_event.payload ->> 'action' = 'deleted' THEN 'deleted'
				WHEN o ->> 'merged_at' IS NOT NULL THEN 'merged'
				WHEN object.kind <> 'release' THEN lower(o ->> 'state')
				WHEN (o ->> 'draft')::boolean THEN 'draft'
				WHEN (o ->> 'prerelease')::boolean THEN 'prerelease'
				ELSE 'released' END AS state,
			subject.kind AS subject_kind, subject.ref AS subject_ref,
			(o ->> 'additions')::bigint AS added, (o ->> 'deletions')::bigint AS removed, (o ->> 'changed_files')::integer AS parts,
			CASE WHEN github_event.payload ->> 'action' = 'deleted' THEN 'infinity'
				ELSE coalesce(o ->> 'updated_at', o ->> 'published_at', o ->> 'submitted_at', o ->> 'created_at') END::timestamptz AS updated_at,
			object.who
		FROM object LEFT JOIN subject ON true
		UNION ALL
		-- who merged a change request
		SELECT 'change_request', o ->> 'number', 'merger', (o ->> 'created_at')::timestamptz, (o ->> 'merged_at')::timestamptz, 'merged', NULL, NULL,
			NULL, NULL, NULL, (o ->> 'updated_at')::timestamptz, o -> 'merged_by'
		FROM object
		WHERE object.kind = 'change_request' AND o ->> 'merged_at' IS NOT NULL
		UNION ALL
		-- what has no object of its own
		SELECT 'star', github_event.payload #>> '{sender,id}', 'author', (github_event.payload ->> 'starred_at')::timestamptz, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL, (github_event.payload ->> 'starred_at')::timestamptz, github_event.payload -> 'sender'
		WHERE github_event.event = 'star' AND github_event.payload ->> 'action' = 'created'
		UNION ALL
		SELECT github_event.payload ->> 'ref_type', github_event.payload ->> 'ref', 'author',
			(github_event.payload #>> '{repository,pushed_at}')::timestamptz, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL, (github_event.payload #>> '{repository,pushed_at}')::timestamptz, github_event.payload -> 'sender'
		WHERE github_event.event = 'create' AND github_event.payload ->> 'ref_type' IN ('branch', 'tag')
		UNION ALL
		SELECT 'wiki', (page ->> 'page_name') || '@' || (page ->> 'sha'), 'author',
			(github_event.payload #>> '{repository,updated_at}')::timestamptz, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL, (github_event.payload #>> '{repository,updated_at}')::timestamptz, github_event.payload -> 'sender'
		FROM jsonb_array_elements(CASE WHEN github_event.event = 'gollum' AND jsonb_typeof(github_event.payload -> 'pages') = 'array' THEN github_event.payload -> 'pages' END) AS page
		UNION ALL
		SELECT 'artifact', (p ->> 'package_type') || '/' || (p ->> 'name') || '@' || coalesce(p #>> '{package_version,version}', p #>> '{package_version,name}'),
			'author', (p #>> '{package_version,created_at}')::timestamptz, (p #>> '{package_version,created_at}')::timestamptz, 'released', NULL, NULL,
			NULL, NULL, NULL, (p #>> '{package_version,updated_at}')::timestamptz, coalesce(p #> '{package_version,author}', p -> 'owner')
		FROM (SELECT github_event.payload -> github_event.event AS p) AS package
		WHERE github_event.event IN ('package', 'registry_package')
	)
	SELECT e.kind, e.ref, e.role, e.at, e.done_at, e.state, e.subject_kind, e.subject_ref, false, e.added, e.removed, e.parts, coalesce(e.updated_at, e.at),
		host.host, e.who ->> 'id', coalesce(e.who ->> 'login', e.who ->> 'id'), coalesce(e.who ->> 'email', ''),
		CASE WHEN e.who ->> 'type' = 'Bot' OR e.who ->> 'login' LIKE '%[bot]' THEN 'bot'
			WHEN e.who ->> 'type' = 'Organization' THEN 'organization'
			ELSE 'person' END
	FROM entry AS e, host
	WHERE e.kind IS NOT NULL AND e.ref IS NOT NULL AND e.at IS NOT NULL AND e.who ->> 'id' IS NOT NULL
	UNION ALL
	SELECT p.*
	FROM pushed_commits(github_event.payload, github_event.payload #>> '{repository,default_branch}') AS p
	WHERE github_event.event = 'push';
END;
COMMENT ON FUNCTION github_event(text, jsonb) IS
'What an event of GitHub (its name, as in the header X-GitHub-Event, and its payload) tells of contributions. Mapped: issues, pull_request, pull_request_review, pull_request_review_comment, issue_comment, commit_comment, discussion, discussion_comment, release, fork, star (created), create (branch, tag), gollum, package and registry_package (published), push to the default branch. All others, and payloads that do not say what, when and who, have no rows.';

CREATE FUNCTION gitlab_event(payload jsonb) RETURNS SETOF contribution_entry
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
	WITH event AS (
		SELECT coalesce(gitlab_event.payload ->> 'object_kind', gitlab_event.payload ->> 'event_name') AS event,
			coalesce(nullif(split_part(gitlab_event.payload #>> '{project,web_url}', '/', 3), ''), 'gitlab.com') AS host,
			gitlab_event.payload -> 'object_attributes' AS o, gitlab_event.payload -> 'user' AS actor
	), entry AS (
		-- the user of an event is who did it, perhaps not the author
		SELECT CASE event WHEN 'merge_request' THEN 'change_request' WHEN 'note' THEN 'comment' ELSE 'issue' END AS kind,
			CASE event WHEN 'note' THEN o ->> 'id' ELSE o ->> 'iid' END AS ref, 'author' AS role,
			(o ->> 'created_at')::timestamptz AS at,
			CASE WHEN o ->> 'state' IN ('closed', 'merged') THEN coalesce(o ->> 'merged_at', o ->> 'closed_at', o ->> 'updated_at') END::timestamptz AS done_at,
			CASE o ->> 'state' WHEN 'opened' THEN 'open' ELSE o ->> 'state' END AS state,
			CASE WHEN subject.ref IS NOT NULL THEN subject.kind END AS subject_kind, subject.ref AS subject_ref,
			(o ->> 'updated_at')::timestamptz AS updated_at,
			o ->> 'author_id' AS account,
			CASE WHEN coalesce(actor ->> 'id', o ->> 'author_id') = o ->> 'author_id' THEN actor ->> 'username' END AS name,
			CASE WHEN coalesce(actor ->> 'id', o ->> 'author_id') = o ->> 'author_id' THEN actor ->> 'email' END AS email
		FROM event LEFT JOIN (VALUES
			('MergeRequest', 'change_request', gitlab_event.payload #>> '{merge_request,iid}'),
			('Issue', 'issue', gitlab_event.payload #>> '{issue,iid}'),
			('Commit', 'commit', gitlab_event.payload #>> '{commit,id}')) AS subject (noteable_type, kind, ref)
			ON subject.noteable_type = o ->> 'noteable_type'
		WHERE event IN ('issue', 'merge_request', 'note') AND (o ->> 'system')::boolean IS NOT TRUE
		UNION ALL
		SELECT 'change_request', o ->> 'iid', 'merger', (o ->> 'created_at')::timestamptz, (o ->> 'updated_at')::timestamptz, 'merged', NULL, NULL,
			(o ->> 'updated_at')::timestamptz, actor ->> 'id', actor ->> 'username', actor ->> 'email'
		FROM event
		WHERE event = 'merge_request' AND o ->> 'action' = 'merge'
		UNION ALL
		SELECT 'review', o ->> 'iid', 'reviewer', (o ->> 'updated_at')::timestamptz, (o ->> 'updated_at')::timestamptz,
			CASE WHEN o ->> 'action' IN ('approved', 'approval') THEN 'approved' ELSE 'dismissed' END,
			'change_request', o ->> 'iid', (o ->> 'updated_at')::timestamptz, actor ->> 'id', actor ->> 'username', actor ->> 'email'
		FROM event
		WHERE event = 'merge_request' AND o ->> 'action' IN ('approved', 'approval', 'unapproved', 'unapproval')
		UNION ALL
		SELECT 'tag', substr(gitlab_event.payload ->> 'ref', length('refs/tags/') + 1), 'author',
			(gitlab_event.payload #>> '{commits,0,timestamp}')::timestamptz, NULL, NULL, NULL, NULL,
			(gitlab_event.payload #>> '{commits,0,timestamp}')::timestamptz,
			gitlab_event.payload ->> 'user_id', coalesce(gitlab_event.payload ->> 'user_username', gitlab_event.payload ->> 'user_name'), gitlab_event.payload ->> 'user_email'
		FROM event
		WHERE event = 'tag_push'
	)
	SELECT e.kind, e.ref, e.role, e.at, e.done_at, e.state, e.subject_kind, e.subject_ref, false, NULL::bigint, NULL::bigint, NULL::integer, coalesce(e.updated_at, e.at),
		event.host, e.account, coalesce(e.name, e.account), CASE WHEN e.email LIKE '%@%' THEN e.email ELSE '' END,
		CASE WHEN e.name ~ '_bot(_[0-9a-f]+)?$' OR e.name LIKE '%[bot]' THEN 'bot' ELSE 'person' END
	FROM entry AS e, event
	WHERE e.ref IS NOT NULL AND e.at IS NOT NULL AND e.account IS NOT NULL
	UNION ALL
	-- nobody is named but the author of the commit
	SELECT 'release', gitlab_event.payload ->> 'tag', 'author', (gitlab_event.payload ->> 'created_at')::timestamptz,
		(gitlab_event.payload ->> 'released_at')::timestamptz,
		CASE gitlab_event.payload ->> 'action' WHEN 'delete' THEN 'deleted' ELSE 'released' END, NULL, NULL, false, NULL, NULL, NULL,
		CASE gitlab_event.payload ->> 'action' WHEN 'delete' THEN 'infinity' ELSE gitlab_event.payload ->> 'released_at' END::timestamptz,
		'git', concat(p.name || ' ', '<', p.email, '>'), p.name, p.email, 'person'
	FROM event,
		(SELECT nullif(btrim(gitlab_event.payload #>> '{commit,author,name}'), '') AS name, btrim(gitlab_event.payload #>> '{commit,author,email}') AS email) AS p
	WHERE event.event = 'release' AND p.name IS NOT NULL AND p.email IS NOT NULL
	AND gitlab_event.payload ->> 'tag' IS NOT NULL AND gitlab_event.payload ->> 'created_at' IS NOT NULL
	UNION ALL
	SELECT p.*
	FROM event, pushed_commits(gitlab_event.payload, gitlab_event.payload #>> '{project,default_branch}') AS p
	WHERE event.event = 'push';
END;
COMMENT ON FUNCTION gitlab_event(jsonb) IS
'What a webhook or system hook of GitLab tells of contributions. Mapped: issue, merge_request (also who merged and who approved), note, tag_push, release (of the author of its commit, as GitLab names nobody else), push to the default branch. All others, and payloads that do not say what, when and who, have no rows. GitLab does not tell when a change request was closed: done_at is when it was changed last.';

CREATE FUNCTION registry_event(payload jsonb) RETURNS SETOF contribution_entry
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
	-- Docker Hub
	SELECT 'artifact', concat(r ->> 'repo_name', ':', p ->> 'tag', '@', p ->> 'pushed_at'), 'author',
		to_timestamp((p ->> 'pushed_at')::double precision), to_timestamp((p ->> 'pushed_at')::double precision), 'released', NULL, NULL, false,
		NULL::bigint, NULL::bigint, NULL::integer, to_timestamp((p ->> 'pushed_at')::double precision),
		'docker.io', p ->> 'pusher', p ->> 'pusher', '', 'person'
	FROM (SELECT registry_event.payload -> 'push_data' AS p, registry_event.payload -> 'repository' AS r) AS hub
	WHERE r ->> 'repo_name' IS NOT NULL AND p ->> 'pushed_at' IS NOT NULL AND p ->> 'pusher' IS NOT NULL
	UNION ALL
	-- OCI distribution: manifests, not the layers that they are made of
	SELECT CASE e ->> 'action' WHEN 'push' THEN 'artifact' ELSE 'pull' END,
		CASE e ->> 'action' WHEN 'push' THEN concat(t ->> 'repository', '@', t ->> 'digest') ELSE e ->> 'id' END,
		CASE e ->> 'action' WHEN 'push' THEN 'author' ELSE 'consumer' END,
		(e ->> 'timestamp')::timestamptz, (e ->> 'timestamp')::timestamptz, CASE e ->> 'action' WHEN 'push' THEN 'released' END, NULL, NULL, false,
		NULL, NULL, NULL, (e ->> 'timestamp')::timestamptz,
		coalesce(nullif(e #>> '{request,host}', ''), 'registry'), coalesce(nullif(e #>> '{actor,name}', ''), 'anonymous'),
		coalesce(nullif(e #>> '{actor,name}', ''), 'anonymous'), '', 'person'
	FROM jsonb_array_elements(CASE WHEN jsonb_typeof(registry_event.payload -> 'events') = 'array' THEN registry_event.payload -> 'events' END) AS e,
		LATERAL (SELECT e -> 'target' AS t) AS target
	WHERE e ->> 'action' IN ('push', 'pull') AND e ->> 'id' IS NOT NULL AND e ->> 'timestamp' IS NOT NULL
	AND (t ->> 'mediaType' LIKE '%manifest%' OR t ->> 'mediaType' LIKE '%image.index%') AND t ->> 'digest' IS NOT NULL
	UNION ALL
	-- GitHub's, GHCR among them
	SELECT g.*
	FROM unnest(ARRAY['package', 'registry_package']) AS event, github_event(event, registry_event.payload) AS g
	WHERE registry_event.payload ? event;
END;
COMMENT ON FUNCTION registry_event(jsonb) IS
'What a registry of artifacts tells: a push is a contribution of kind artifact, a pull one of kind pull in the role of consumer. Read are webhooks of Docker Hub, notifications of OCI distribution (registry) and packages of GitHub. All else has no rows.';

-- the importers

CREATE FUNCTION import_git_log(project text, log bytea, on_error text DEFAULT 'error',
	OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	AS 'MODULE_PATHNAME', 'import_git_log' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
COMMENT ON FUNCTION import_git_log(text, bytea, text) IS
'Imports the output of git log --numstat (see git_log) into a project, whole or in pieces at the start of a commit, in any order, as often as you like. Returns how many contributions are new, how many are now better known (a commit that a push announced), and how many entries changed nothing; a commit has one for its author, its committer and each person that its trailers name. Errors: 42704 unknown project, 22P02 a commit that cannot be read (on_error ''skip'' counts it as skipped), 22023 another on_error, 22004 null.';

CREATE FUNCTION import_mailmap(project text, mailmap bytea, OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	AS 'MODULE_PATHNAME', 'import_mailmap' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
COMMENT ON FUNCTION import_mailmap(text, bytea) IS
'Links the git identities of a project as its .mailmap says, to parties that are called "Proper Name <proper address>"; those that do not exist are made. Kept for identities that import_git_log() sees later. Replaces the .mailmap before it, and never what link_identity() said; the same one again does not link anew what unlink_identity() ended. Returns how many identities were linked, how many linked otherwise or not any more, and how many were left as they are. Errors: 42704 unknown project, 22004 null.';

CREATE FUNCTION import_mailmap(project text, mailmap text, OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT i.inserted, i.updated, i.skipped
	FROM import_mailmap(import_mailmap.project, convert_to(import_mailmap.mailmap, 'UTF8')) AS i;
END;
COMMENT ON FUNCTION import_mailmap(text, text) IS 'As import_mailmap(text, bytea), for a mailmap that is text.';

CREATE FUNCTION import_github(project text, event text, payload jsonb, OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	AS 'MODULE_PATHNAME', 'import_github' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off SET enable_mergejoin = off SET timezone = 'UTC';
COMMENT ON FUNCTION import_github(text, text, jsonb) IS
'Imports an event of GitHub (see github_event) into a project; in any order, as often as you like: of two that tell of the same thing, the later stays. Returns how many contributions are new, how many were changed, and how many entries changed nothing. An event that tells of no contribution counts as one that is skipped. Errors: 42704 unknown project, 22004 null, 22007 or 22P02 a time or number that is none, 23514 an infinite time or a negative number of lines.';

CREATE FUNCTION import_gitlab(project text, payload jsonb, OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	AS 'MODULE_PATHNAME', 'import_gitlab' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off SET enable_mergejoin = off SET timezone = 'UTC';
COMMENT ON FUNCTION import_gitlab(text, jsonb) IS
'Imports a webhook or system hook of GitLab (see gitlab_event) into a project, as import_github().';

CREATE FUNCTION import_registry(project text, payload jsonb, OUT inserted bigint, OUT updated bigint, OUT skipped bigint)
	AS 'MODULE_PATHNAME', 'import_registry' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off SET enable_mergejoin = off SET timezone = 'UTC';
COMMENT ON FUNCTION import_registry(text, jsonb) IS
'Imports what a registry of artifacts tells (see registry_event) into a project, as import_github().';
