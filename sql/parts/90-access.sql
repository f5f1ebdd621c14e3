-- 90-access.sql
--		What PUBLIC may do. Everything that is granted to it is granted here.

-- The types and aggregates work on anybody's tables. Our own tables are only
-- for their owner, and for whom the owner grants them to.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;
