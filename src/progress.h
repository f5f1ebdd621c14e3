/*
 * progress.h
 *		What a long statement is at: a NOTICE, now and then.
 */
#ifndef SHARECOLLAB_PROGRESS_H
#define SHARECOLLAB_PROGRESS_H

/* The level of the message about a step: NOTICE or DEBUG1. */
extern int	progress_level(void);

#endif							/* SHARECOLLAB_PROGRESS_H */
