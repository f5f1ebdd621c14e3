-- 18-require.sql
--		What functions in SQL require of their arguments.
--		C code: src/require.c

CREATE FUNCTION require_bounded(during tstzrange) RETURNS tstzrange
	AS 'MODULE_PATHNAME', 'require_bounded' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION require_bounded(tstzrange) IS 'A time, if it has both ends or is empty. Errors: 22023 if not, 22004 null.';

CREATE FUNCTION require_mode(mode text, modes text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'require_mode' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION require_mode(text, text[]) IS 'A word, if it is one of these. Errors: 22023 if not, 22004 null.';
