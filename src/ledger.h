/*
 * ledger.h
 *		The books of a pool, as a lock.
 */
#ifndef SHARECOLLAB_LEDGER_H
#define SHARECOLLAB_LEDGER_H

#include "storage/lockdefs.h"

extern void lock_books(int64 pool_id, LOCKMODE mode);
extern void require_current_snapshot(void);

#endif							/* SHARECOLLAB_LEDGER_H */
