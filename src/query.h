/*
 * query.h
 *		SQL from C: statements that are planned once a session.
 */
#ifndef SHARECOLLAB_QUERY_H
#define SHARECOLLAB_QUERY_H

#include "executor/spi.h"
#include "utils/tuplestore.h"

/*
 * A statement with its parameter types.  Names in it are qualified, and the
 * function that runs it pins its search_path, so that the saved plan cannot
 * be led astray.
 */
typedef struct SavedQuery
{
	const char *sql;
	int			nparams;
	Oid			types[12];
	SPIPlanPtr	plan;			/* made on first use, kept for the session */
} SavedQuery;

extern uint64 query_run(SavedQuery *query, const Datum *values, const char *nulls, bool read_only);
extern void query_each(SavedQuery *query, const Datum *values, void (*act) (TupleTableSlot *row, void *argument), void *argument);
extern void query_hide_context(void);
extern uint64 query_latest(SavedQuery *query, const Datum *values);
extern Tuplestorestate *query_read_incoming(Oid source, const char *columns);
extern Datum query_value(uint64 row, int column, bool *isnull);
extern void query_arguments(FunctionCallInfo fcinfo, int first, int end, Datum *values, char *nulls);
extern void require_arguments(FunctionCallInfo fcinfo, int n, const char *const *names);

/* conditions that are ours; the class is documented in doc/errors.md */
#define ERRCODE_INSUFFICIENT_CAPACITY	MAKE_SQLSTATE('S','C','0','0','1')
#define ERRCODE_INSUFFICIENT_SUPPLY		MAKE_SQLSTATE('S','C','0','0','2')
#define ERRCODE_OUTSIDE_TERMS			MAKE_SQLSTATE('S','C','0','0','3')
#define ERRCODE_NOT_A_MEMBER			MAKE_SQLSTATE('S','C','0','0','4')
#define ERRCODE_LEASE_NOT_ACTIVE		MAKE_SQLSTATE('S','C','0','0','5')
#define ERRCODE_QUOTA_EXCEEDED			MAKE_SQLSTATE('S','C','0','0','6')
#define ERRCODE_INSUFFICIENT_BALANCE	MAKE_SQLSTATE('S','C','0','0','7')
#define ERRCODE_BOOKS_CLOSED			MAKE_SQLSTATE('S','C','0','0','8')

#endif							/* SHARECOLLAB_QUERY_H */
