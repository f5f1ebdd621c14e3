/*
 * contribution.h
 *		What importers bring: who did what, until it is written.
 */
#ifndef SHARECOLLAB_CONTRIBUTION_H
#define SHARECOLLAB_CONTRIBUTION_H

#include "utils/palloc.h"

/* columns of the type contribution_entry: those of a fact, and whose it is */
enum
{
	ENTRY_KIND, ENTRY_REF, ENTRY_ROLE, ENTRY_AT, ENTRY_DONE_AT, ENTRY_STATE, ENTRY_SUBJECT_KIND,
	ENTRY_SUBJECT_REF, ENTRY_IS_MERGE, ENTRY_ADDED, ENTRY_REMOVED, ENTRY_PARTS, ENTRY_UPDATED_AT,
	FACT_COLUMNS,

	ENTRY_PLATFORM = FACT_COLUMNS, ENTRY_ACCOUNT, ENTRY_NAME, ENTRY_EMAIL, ENTRY_IDENTITY_KIND,
	ENTRY_COLUMNS,
	IDENTITY_COLUMNS = ENTRY_COLUMNS - FACT_COLUMNS
};

typedef struct Facts Facts;
typedef struct Identity Identity;

extern Facts *facts_begin(void);
extern Identity *facts_identity(Facts *facts, const Datum *values);
extern void facts_add(Facts *facts, Identity *identity, const Datum *values, const bool *nulls);
extern int64 facts_count(const Facts *facts);
extern void facts_write_identities(Facts *facts);
extern void facts_write(Facts *facts, int64 project_id, int64 *inserted, int64 *updated);

#endif							/* SHARECOLLAB_CONTRIBUTION_H */
