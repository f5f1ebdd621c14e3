/*
 * progress.c
 *		What a long statement is at: a NOTICE, now and then.
 *
 * PostgreSQL's progress views, pg_stat_progress_*, show commands of its own
 * and no others, and an extension that passed for COPY there would be lying.
 * So a statement that takes long says what it is at every ten seconds, and
 * whoever asks for DEBUG1 hears of every step.
 */
#include "postgres.h"

#include "compat.h"
#include "access/xact.h"
#include "progress.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define PROGRESS_INTERVAL	(10 * USECS_PER_SEC)

static TimestampTz said_at;

int
progress_level(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now - Max(said_at, GetCurrentStatementStartTimestamp()) < PROGRESS_INTERVAL)
		return DEBUG1;
	said_at = now;
	return NOTICE;
}

/* report_progress(value, step) */
PG_FUNCTION_INFO_V1(report_progress);
Datum
report_progress(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(1))
		ereport(progress_level(),
				(errmsg("%s", text_to_cstring(PG_GETARG_TEXT_PP(1)))));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}
