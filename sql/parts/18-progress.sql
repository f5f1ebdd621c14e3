-- 18-progress.sql
--		What a long statement is at.
--		C code: src/progress.c

CREATE FUNCTION report_progress(value anyelement, step text) RETURNS anyelement
	AS 'MODULE_PATHNAME', 'report_progress' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION report_progress(anyelement, text) IS
'The value as it is; for a query that takes long, around what the work is done for. Says what step that was in a NOTICE if the last one, or the start of the statement, was ten seconds ago, and at DEBUG1 always; says nothing of a step that is NULL.';

