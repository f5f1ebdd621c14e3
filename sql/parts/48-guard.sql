-- 48-guard.sql
--		Facts are written once.
--		C code: src/guard.c

CREATE FUNCTION refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'refuse_change' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE of a table of facts (of an empty one, TRUNCATE may pass); error 55000.';
