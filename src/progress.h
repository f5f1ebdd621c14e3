/*
 * progress.h
 *		What a long call is at: a NOTICE, now and then.
 *
 * PostgreSQL's progress views, pg_stat_progress_*, show commands of its own
 * and no others, and an extension that passed for COPY there would be lying.
 * So a call that takes long says what it is at every ten seconds, and whoever
 * asks for DEBUG1 hears of every step.
 */
#ifndef SHARECOLLAB_PROGRESS_H
#define SHARECOLLAB_PROGRESS_H

#include "utils/elog.h"
#include "utils/timestamp.h"

#define PROGRESS_INTERVAL	(10 * USECS_PER_SEC)

typedef struct Progress
{
	TimestampTz said_at;
} Progress;

static inline void
progress_begin(Progress *progress)
{
	progress->said_at = GetCurrentTimestamp();
}

/* The level of the message about a step. */
static inline int
progress_level(Progress *progress)
{
	TimestampTz now = GetCurrentTimestamp();

	if (now - progress->said_at < PROGRESS_INTERVAL)
		return DEBUG1;
	progress->said_at = now;
	return NOTICE;
}

#endif							/* SHARECOLLAB_PROGRESS_H */
