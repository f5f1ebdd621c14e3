/*
 * ledger.h
 *		The books of a pool, as a lock; and postings of many journals.
 */
#ifndef SHARECOLLAB_LEDGER_H
#define SHARECOLLAB_LEDGER_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef struct PostingInsert PostingInsert;

/* the columns of posting, as they follow in the table */
enum
{
	POSTING_JOURNAL_ID, POSTING_LINE, POSTING_ACCOUNT_ID, POSTING_OCCURRED_AT, POSTING_RECORDED_AT, POSTING_AMOUNT, POSTING_CHARGE_ID,
	POSTING_COLUMNS
};

extern void lock_books(int64 pool_id, LOCKMODE mode);
extern void require_current_snapshot(void);
extern bool is_plain_posting(Relation posting);
extern PostingInsert *postings_begin(Relation posting);
extern void postings_add(PostingInsert *postings, const NullableDatum *row);
extern void postings_end(PostingInsert *postings);

#endif							/* SHARECOLLAB_LEDGER_H */
