/*
 * json_text.h
 *		Whether a text is JSON, asked without an error if it is not.
 */
#ifndef SHARECOLLAB_JSON_TEXT_H
#define SHARECOLLAB_JSON_TEXT_H

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"

/* what is nested deeper is none, before the parser runs out of stack */
#define JSON_TEXT_DEPTH 500

/*
 * With its escapes, so that all functions on json can read it
 */
static inline bool
is_json_text(char *json, int len)
{
	bool		quoted = false;
	int			depth = 0;

	for (int i = 0; i < len; i++)
	{
		switch (json[i])
		{
			case '"':
				quoted = !quoted;
				break;
			case '\\':
				if (quoted)
					i++;
				break;
			case '[':
			case '{':
				if (!quoted && ++depth > JSON_TEXT_DEPTH)
					return false;
				break;
			case ']':
			case '}':
				if (!quoted)
					depth--;
				break;
		}
	}
	return json_error_compat(json, len, GetDatabaseEncoding(), true) == JSON_SUCCESS;
}

#endif							/* SHARECOLLAB_JSON_TEXT_H */
