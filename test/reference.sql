-- reference.sql
--		Prints doc/reference.md: every object of the extension, in the words of
--		its COMMENT. Run with psql -XqAt ("make docs" does).

SET search_path = sharecollab, pg_catalog;

CREATE TEMP VIEW member AS
	SELECT d.classid, d.objid
	FROM pg_depend AS d
	JOIN pg_extension AS e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'sharecollab';

-- Inside of a table of Markdown a bar would end the cell
CREATE FUNCTION pg_temp.cell(t text) RETURNS text LANGUAGE sql
RETURN replace(replace(coalesce(t, ''), '|', '\|'), E'\n', ' ');

CREATE TEMP VIEW routine AS
	SELECT p.oid, p.prokind, p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
		obj_description(p.oid, 'pg_proc') AS comment,
		-- what only the server calls
		p.prorettype IN ('trigger'::regtype, 'internal'::regtype) OR 'internal'::regtype = ANY (p.proargtypes) OR 'cstring'::regtype = ANY (p.proargtypes)
			OR p.prorettype = 'cstring'::regtype
			OR EXISTS (SELECT FROM pg_operator AS o WHERE o.oprcode = p.oid)
			OR EXISTS (SELECT FROM pg_amproc AS a WHERE a.amproc = p.oid)
			OR EXISTS (SELECT FROM pg_aggregate AS a WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
			OR EXISTS (SELECT FROM pg_type AS t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend)) AS hidden
	FROM pg_proc AS p
	JOIN member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

\qecho '# Reference'
\qecho
\qecho 'Every type, aggregate, function, operator, table and view of sharecollab, in the words of its COMMENT: psql shows the same with'
\qecho '`\\df+ sharecollab.*` and `\\d+ sharecollab.*`. This page is made by `make docs`.'
\qecho
\qecho '## Types'
\qecho
SELECT format(E'- `%s`  \n  %s', format_type(t.oid, NULL), obj_description(t.oid, 'pg_type'))
FROM pg_type AS t
JOIN member AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE obj_description(t.oid, 'pg_type') IS NOT NULL
ORDER BY format_type(t.oid, NULL);
\qecho
\qecho '## Operators'
\qecho
\qecho '| operator | meaning |'
\qecho '|---|---|'
SELECT format('| `%s` | %s |', pg_temp.cell(concat_ws(' ', format_type(NULLIF(o.oprleft, 0), NULL), o.oprname, format_type(NULLIF(o.oprright, 0), NULL))),
	pg_temp.cell(obj_description(o.oid, 'pg_operator')))
FROM pg_operator AS o
JOIN member AS m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
ORDER BY o.oprname COLLATE "C", 1;
\qecho
\qecho '## Aggregates and window functions'
\qecho
SELECT format(E'- `%s(%s)` → `%s`  \n  %s', r.proname, r.arguments, r.result, r.comment)
FROM routine AS r
WHERE r.prokind IN ('a', 'w')
ORDER BY r.proname COLLATE "C", r.arguments COLLATE "C";
\qecho
\qecho '## Functions'
\qecho
SELECT format(E'- `%s(%s)` → `%s`  \n  %s', r.proname, r.arguments, r.result, r.comment)
FROM routine AS r
WHERE r.prokind NOT IN ('a', 'w') AND NOT r.hidden
ORDER BY r.proname COLLATE "C", r.arguments COLLATE "C";
\qecho
\qecho '## Tables and views'
\qecho
SELECT format(E'### %s%s\n\n%s\n\n| column | type | meaning |\n|---|---|---|\n%s\n', c.relname,
	CASE c.relkind WHEN 'v' THEN ' (view)' ELSE '' END, obj_description(c.oid, 'pg_class'),
	(SELECT string_agg(format('| `%s` | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod), pg_temp.cell(col_description(c.oid, a.attnum))), E'\n' ORDER BY a.attnum)
	FROM pg_attribute AS a
	WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class AS c
JOIN member AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
ORDER BY c.relname COLLATE "C";
