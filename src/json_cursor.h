/*
 * json_cursor.h
 *		Reading the JSON objects that are the text forms of our types.
 *
 * A cursor walks over a literal.  Every function steps over blanks first; all
 * that expect something return false if it is not there, after reporting the
 * error: where it can be (PostgreSQL 16) as a soft one, so the caller only has
 * to return.
 */
#ifndef SHARECOLLAB_JSON_CURSOR_H
#define SHARECOLLAB_JSON_CURSOR_H

#include "party_map.h"

typedef struct JsonCursor
{
	const char *literal;
	const char *p;				/* what comes next */
	const char *type;			/* "tally", in messages */
	const char *hint;			/* what a literal looks like */
	struct Node *context;		/* for soft errors */
} JsonCursor;

extern bool json_malformed(const JsonCursor *cursor, const char *expected);
extern bool json_duplicate(const JsonCursor *cursor, const char *what, PartyKey key);
extern bool json_next_is(JsonCursor *cursor, char c);
extern bool json_expect(JsonCursor *cursor, char c, const char *expected);
extern bool json_expect_end(JsonCursor *cursor);
extern bool json_string(JsonCursor *cursor, const char *expected, PartyKey *result);
extern bool json_decimal(JsonCursor *cursor, Decimal *result);

extern void json_out_string(StringInfo out, PartyKey string);

#endif							/* SHARECOLLAB_JSON_CURSOR_H */
