-- 18-guard.sql
--		Facts are written once, and what they refer to stays.
--		C code: src/guard.c

CREATE FUNCTION refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'refuse_change' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION refuse_change() IS 'Trigger: refuses UPDATE, DELETE and TRUNCATE of a table of facts (of an empty one, TRUNCATE may pass); error 55000.';

CREATE FUNCTION keep_referenced() RETURNS trigger
	AS 'MODULE_PATHNAME', 'keep_referenced' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION keep_referenced() IS 'Trigger: what facts refer to is not deleted; error 23503. Arguments: the table of the facts, the key, and the columns that refer to it.';
