-- 18-caller.sql
--		Who calls, and what that role may see and do; what follows from it for
--		every table and function is in 90-access.sql.
--		C code: src/access.c

CREATE FUNCTION calling_role() RETURNS text
	AS 'MODULE_PATHNAME', 'access_calling_role' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION calling_role() IS 'The role that calls: that of the session, as SET ROLE has it, whatever SECURITY DEFINER functions it went through.';

CREATE FUNCTION is_operator() RETURNS boolean
	AS 'MODULE_PATHNAME', 'access_is_operator' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION is_operator() IS 'Whether the caller has the privileges of the role that owns the extension, and may do everything.';

CREATE FUNCTION acts_for(party_id bigint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'access_acts_for' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION acts_for(bigint) IS 'Whether the caller acts for a party: has the privileges of its role, or of that of a party above it, or is the operator.';

CREATE FUNCTION has_pool_role(pool_id bigint, VARIADIC role text[] DEFAULT '{}') RETURNS boolean
	AS 'MODULE_PATHNAME', 'access_has_pool_role' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION has_pool_role(bigint, text[]) IS 'Whether a party that the caller acts for has one of some roles in a pool (steward, provider, consumer, auditor), and has accepted it; without roles, whether it has any, or an invitation. Always true for the operator. Error 22023 for another role.';

CREATE FUNCTION has_project_role(project_id bigint, VARIADIC role text[] DEFAULT '{}') RETURNS boolean
	AS 'MODULE_PATHNAME', 'access_has_project_role' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION has_project_role(bigint, text[]) IS 'Whether a party that the caller acts for has one of some roles in a project (owner, maintainer, contributor); without roles, any. Always true for the operator. Error 22023 for another role.';

CREATE FUNCTION my_parties() RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'access_my_parties' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION my_parties() IS 'The keys of all parties that the caller acts for; for policies: of the operator, to whom they do not apply, none.';

CREATE FUNCTION my_pools(VARIADIC role text[] DEFAULT '{}') RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'access_my_pools' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION my_pools(text[]) IS 'The keys of the pools for which has_pool_role() is true; for policies: of the operator, to whom they do not apply, none.';

CREATE FUNCTION my_projects(VARIADIC role text[] DEFAULT '{}') RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'access_my_projects' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION my_projects(text[]) IS 'The keys of the projects for which has_project_role() is true; for policies: of the operator, to whom they do not apply, none.';

-- What verbs in SQL ask first. A name that the caller may not know of is one
-- that does not exist.

CREATE FUNCTION require_party(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'access_require_party' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_party(text) IS 'The key of a party that the caller acts for. Errors: 42704 if there is none of that name that it may know of, 42501 if it does not act for it.';

CREATE FUNCTION require_pool(name text, VARIADIC role text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'access_require_pool' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_pool(text, text[]) IS 'The key of a pool in which the caller has one of some roles. Errors: 42704 if there is none of that name that it may know of, 42501 if it has none of the roles.';

CREATE FUNCTION require_project(name text, VARIADIC role text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'access_require_project' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_project(text, text[]) IS 'The key of a project in which the caller has one of some roles. Errors: 42704 if there is none of that name that it may know of, 42501 if it has none of the roles.';

CREATE FUNCTION require_books(pool text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'access_require_books' LANGUAGE C STABLE PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_books(text) IS 'The key of a pool of which the caller is steward, and so writes its books; NULL for books of no pool, which are the operator''s. Errors: 42704 if there is none of that name that it may know of, 42501 if it is no steward.';

CREATE FUNCTION require_member(pool text, party text, role text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'access_require_member' LANGUAGE C STABLE PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_member(text, text, text) IS 'The key of a party about which the stewards of a pool may write something down: one that is a member of it (in some role, or any), and has accepted; the operator is free to write of any. NULL for no party. Errors: 42704 if there is no party or pool of that name that the caller may know of, 42501 if it is no steward, SC004 no such member.';

CREATE FUNCTION require_source(source text, pool text) RETURNS text
	AS 'MODULE_PATHNAME', 'access_require_source' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION require_source(text, text) IS 'What facts about a pool come from, as far as the caller may say so. Keys are unique within a source: those that stewards give begin with the name of the pool and a slash, so that they cannot meet, and tell nothing of, what others recorded; the operator is free to give any. Error 42501 for another.';

CREATE FUNCTION require_name(name text, party text) RETURNS text
	AS 'MODULE_PATHNAME', 'access_require_name' LANGUAGE C STABLE PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION require_name(text, text) IS 'A name for something new, made in the name of a party: begins with that party''s name and a slash, so that it cannot be taken by, and tells nothing of, what others have; the operator is free to give any. Errors: 42501 another name, or the caller does not act for the party; 42704 unknown party.';

CREATE FUNCTION require_role(role regrole) RETURNS regrole
	AS 'MODULE_PATHNAME', 'access_require_role' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION require_role(regrole) IS 'A role whose privileges the caller has; error 42501 if it has not.';

CREATE FUNCTION access_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'access_changed' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION access_changed() IS 'Trigger: has all sessions look up again what roles may.';

