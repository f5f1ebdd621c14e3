-- 20-parties.sql
--		Who takes part: organizations, people and bots.
--		C code: src/lease.c (party_id)

CREATE TABLE party (
	party_id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name		text NOT NULL UNIQUE CHECK (name <> ''),
	kind		text NOT NULL DEFAULT 'organization' CHECK (kind IN ('organization', 'person', 'bot')),
	parent_id	bigint REFERENCES party CHECK (parent_id <> party_id),
	role		regrole,
	listed		boolean NOT NULL DEFAULT false,
	recorded_at	timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX party_parent_id_idx ON party (parent_id);
CREATE INDEX party_role_idx ON party (role) WHERE role IS NOT NULL;
ALTER TABLE party OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('party', '');
SELECT pg_catalog.pg_extension_config_dump('party_party_id_seq', '');

COMMENT ON TABLE party IS 'An organization, person or bot. Pool owners, lease holders, contributors and payees are all parties, so that use, credit and payment join without glue.';
COMMENT ON COLUMN party.party_id IS 'Key.';
COMMENT ON COLUMN party.name IS 'What functions and reports call the party.';
COMMENT ON COLUMN party.kind IS 'organization, person or bot.';
COMMENT ON COLUMN party.parent_id IS 'The party that this one is part of: a team''s organization, for example.';
COMMENT ON COLUMN party.role IS 'The database role that acts for the party, and for all parties below it; as do roles that have its privileges.';
COMMENT ON COLUMN party.listed IS 'Whether all parties may know that this one exists: only then can those who do not know it otherwise invite it.';
COMMENT ON COLUMN party.recorded_at IS 'When the row was written.';

CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON party
	FOR EACH STATEMENT EXECUTE FUNCTION access_changed();

CREATE FUNCTION party_id(name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'party_id' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION party_id(text) IS 'The key of the party of that name; error 42704 if there is none that the caller may know of.';

CREATE FUNCTION create_party(name text, kind text DEFAULT 'organization', parent text DEFAULT NULL, role regrole DEFAULT NULL)
	RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO party (name, kind, parent_id, role)
	VALUES (require_name(create_party.name, create_party.parent), create_party.kind, require_party(create_party.parent),
		require_role(create_party.role))
	RETURNING party.party_id;
END;
COMMENT ON FUNCTION create_party(text, text, text, regrole) IS
'Makes a party and returns its key. Below another, that is for those who act for it, with a name that begins with the other''s and a slash, and with a role whose privileges they have; else for the owner of the extension. Errors: 42501 if the caller may not, 23505 if the name is taken, 23514 for another kind than organization, person or bot, 42704 if the parent does not exist.';

