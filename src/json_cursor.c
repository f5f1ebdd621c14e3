/*
 * json_cursor.c
 *		Reading the JSON objects that are the text forms of our types, and
 *		writing their strings.
 *
 * The literal is text in the server's encoding, valid and without zero bytes,
 * as every input function gets it.  In all server encodings a byte below 128 is
 * an ASCII character, so we look at bytes.
 */
#include "postgres.h"

#include "compat.h"
#include "json_cursor.h"
#include "mb/pg_wchar.h"

/*
 * Report what should have come next.
 */
bool
json_malformed(const JsonCursor *cursor, const char *expected)
{
	ereturn(cursor->context, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("malformed %s literal: \"%s\"", cursor->type, cursor->literal),
			 errdetail("Expected %s at character %d.", expected,
					   pg_mbstrlen_with_len(cursor->literal, cursor->p - cursor->literal) + 1),
			 errhint("%s", cursor->hint)));
}

/* Report that something is there twice. */
bool
json_duplicate(const JsonCursor *cursor, const char *what, PartyKey key)
{
	ereturn(cursor->context, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("malformed %s literal: \"%s\"", cursor->type, cursor->literal),
			 errdetail("The %s \"%.*s\" is there twice.", what, (int) key.len, key.name)));
}

static inline void
skip_space(JsonCursor *cursor)
{
	while (*cursor->p == ' ' || *cursor->p == '\t' || *cursor->p == '\n' || *cursor->p == '\r')
		cursor->p++;
}

/* Step over a character, if it comes next. */
bool
json_next_is(JsonCursor *cursor, char c)
{
	skip_space(cursor);
	if (*cursor->p != c)
		return false;
	cursor->p++;
	return true;
}

bool
json_expect(JsonCursor *cursor, char c, const char *expected)
{
	return json_next_is(cursor, c) || json_malformed(cursor, expected);
}

bool
json_expect_end(JsonCursor *cursor)
{
	skip_space(cursor);
	return *cursor->p == '\0' || json_malformed(cursor, "the end of the literal");
}

/*
 * Four hexadecimal digits; -1 if they are not.
 */
static int
hex4(const char *p)
{
	int			result = 0;

	for (int i = 0; i < 4; i++, p++)
	{
		if (*p >= '0' && *p <= '9')
			result = result * 16 + (*p - '0');
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			result = result * 16 + ((*p | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return result;
}

/*
 * Decode one escape, with the cursor at its backslash, and append it.
 */
static bool
append_escaped(JsonCursor *cursor, StringInfo out)
{
	static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	unsigned char encoded[MAX_UNICODE_EQUIVALENT_STRING + 1];
	int			c;

	if (cursor->p[1] != 'u')
	{
		for (const char *p = plain; *p != '\0'; p += 2)
		{
			if (cursor->p[1] == *p)
			{
				appendStringInfoChar(out, p[1]);
				cursor->p += 2;
				return true;
			}
		}
		return json_malformed(cursor, "a JSON escape sequence");
	}
	c = hex4(cursor->p + 2);
	if (c < 0)
		return json_malformed(cursor, "\"\\u\" and four hexadecimal digits");
	if (c == 0)
		return json_malformed(cursor, "a character other than \\u0000, which a text cannot hold,");
	if (is_utf16_surrogate_first(c))
	{
		int			second = cursor->p[6] == '\\' && cursor->p[7] == 'u' ? hex4(cursor->p + 8) : -1;

		if (second < 0 || !is_utf16_surrogate_second(second))
			return json_malformed(cursor, "a pair of Unicode surrogates");
		c = surrogate_pair_to_codepoint(c, second);
		cursor->p += 6;
	}
	else if (is_utf16_surrogate_second(c))
		return json_malformed(cursor, "a pair of Unicode surrogates");
	if (!unicode_to_server_compat(c, encoded))
		return json_malformed(cursor, "a character of the server's encoding");
	appendStringInfoString(out, (char *) encoded);
	cursor->p += 6;
	return true;
}

/*
 * A string.  One without escapes is not copied: the result points into the
 * literal.
 */
bool
json_string(JsonCursor *cursor, const char *expected, PartyKey *result)
{
	const char *start;
	StringInfoData decoded;

	skip_space(cursor);
	if (*cursor->p != '"')
		return json_malformed(cursor, expected);
	start = ++cursor->p;
	decoded.data = NULL;
	for (;;)
	{
		unsigned char c = (unsigned char) *cursor->p;

		if (c == '"')
			break;
		if (c < ' ')
			return json_malformed(cursor, c == '\0' ? "a double quote" :
								  "an escape sequence instead of a control character");
		if (c != '\\')
		{
			cursor->p++;
			continue;
		}
		if (decoded.data == NULL)
			initStringInfo(&decoded);
		appendBinaryStringInfo(&decoded, start, cursor->p - start);
		if (!append_escaped(cursor, &decoded))
			return false;
		start = cursor->p;
	}
	result->name = start;
	result->len = cursor->p - start;
	if (decoded.data != NULL)
	{
		appendBinaryStringInfo(&decoded, start, cursor->p - start);
		result->name = decoded.data;
		result->len = decoded.len;
	}
	cursor->p++;
	return true;
}

/*
 * A number that we can keep.
 */
bool
json_decimal(JsonCursor *cursor, Decimal *result)
{
	const char *start;

	skip_space(cursor);
	start = cursor->p;
	while (*cursor->p == '+' || *cursor->p == '-' || *cursor->p == '.' ||
		   *cursor->p == 'e' || *cursor->p == 'E' || (*cursor->p >= '0' && *cursor->p <= '9'))
		cursor->p++;
	switch (decimal_parse(start, cursor->p - start, result))
	{
		case DECIMAL_OK:
			return true;
		case DECIMAL_OVERFLOW:
			ereturn(cursor->context, false,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("quantity out of range for type %s: \"%.*s\"", cursor->type,
							(int) Min(cursor->p - start, 100), start),
					 errdetail("It keeps %d significant digits.", DECIMAL_MAX_SCALE)));
		default:
			cursor->p = start;
			return json_malformed(cursor, "a JSON number");
	}
}

/*
 * Write a string, escaped as JSON wants it and no more.
 */
void
json_out_string(StringInfo out, PartyKey string)
{
	const char *start = string.name;
	const char *end = string.name + string.len;

	appendStringInfoCharMacro(out, '"');
	for (const char *p = start; p < end; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (likely(c >= ' ' && c != '"' && c != '\\'))
			continue;
		appendBinaryStringInfo(out, start, p - start);
		start = p + 1;
		switch (c)
		{
			case '\b':
				appendStringInfoString(out, "\\b");
				break;
			case '\f':
				appendStringInfoString(out, "\\f");
				break;
			case '\n':
				appendStringInfoString(out, "\\n");
				break;
			case '\r':
				appendStringInfoString(out, "\\r");
				break;
			case '\t':
				appendStringInfoString(out, "\\t");
				break;
			case '"':
			case '\\':
				appendStringInfoCharMacro(out, '\\');
				appendStringInfoCharMacro(out, c);
				break;
			default:
				appendStringInfo(out, "\\u%04x", c);
		}
	}
	appendBinaryStringInfo(out, start, end - start);
	appendStringInfoCharMacro(out, '"');
}
