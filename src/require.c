/*
 * require.c
 *		What functions in SQL require of their arguments.
 */
#include "postgres.h"

#include "compat.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "money.h"
#include "profile.h"
#include "query.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* require_bounded(during): a time, if it has both ends */
PG_FUNCTION_INFO_V1(require_bounded);
Datum
require_bounded(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"period"};
	Span		span;

	require_arguments(fcinfo, lengthof(names), names);
	span = span_arg(PG_GETARG_DATUM(0));
	if (!SPAN_IS_EMPTY(span) && (span.from == DT_NOBEGIN || span.until == DT_NOEND))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be bounded"),
				 errhint("Bound the time, for example with tstzrange(a, b).")));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* require_mode(mode, modes): a word, if it is one of these */
PG_FUNCTION_INFO_V1(require_mode);
Datum
require_mode(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"mode", "modes"};
	StringInfoData known;
	Datum	   *modes;
	int			n;

	require_arguments(fcinfo, lengthof(names), names);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &modes, NULL, &n);
	initStringInfo(&known);
	for (int i = 0; i < n; i++)
	{
		const char *mode = TextDatumGetCString(modes[i]);

		if (text_is(PG_GETARG_TEXT_PP(0), mode))
			PG_RETURN_DATUM(PG_GETARG_DATUM(0));
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", mode);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown mode \"%s\"", text_to_cstring(PG_GETARG_TEXT_PP(0))),
			 errhint("Modes are %s.", known.data)));
}
