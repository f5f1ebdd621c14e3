/*
 * compat.h
 *		The differences between PostgreSQL 15, 16, 17 and 18, in one place.
 *
 * Every C file includes this right after postgres.h and includes no
 * version-dependent header itself.
 */
#ifndef SHARECOLLAB_COMPAT_H
#define SHARECOLLAB_COMPAT_H

#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "sharecollab needs PostgreSQL 15 or newer"
#endif

#ifndef HAVE_INT128
#error "sharecollab needs a compiler with 128-bit integers"
#endif

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"

#define make_range_compat(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty, NULL)

/* false after a soft error: from 16 on */
#define direct_input_compat(function, str, context, result) \
	DirectInputFunctionCallSafe(function, str, InvalidOid, -1, context, result)

/* false if the server's encoding lacks the character: from 16 on */
#define unicode_to_server_compat(c, s)	pg_unicode_to_server_noerror(c, s)
#else

#define unicode_to_server_compat(c, s)	(pg_unicode_to_server(c, s), true)

#define make_range_compat(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty)

#define direct_input_compat(function, str, context, result) \
	((void) (context), \
	 *(result) = DirectFunctionCall3(function, CStringGetDatum(str), \
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)), \
	 true)

/*
 * PostgreSQL 15 exports every symbol of a module; we build with
 * -fvisibility=hidden, as PGXS itself does from 16 on, so that our internal
 * names cannot collide with those of another extension.
 */
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname) (void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_, funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = {1}; \
	return &my_finfo; \
} \
extern int	no_such_variable

/* soft errors came with 16; before that they are hard ones */
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

#if PG_VERSION_NUM >= 160000
#define UpdateIndexes TU_UpdateIndexes
#define UPDATE_NO_INDEXES TU_None
#define insert_index_entries(result, slot, estate, which) \
	ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL, \
						  (which) == TU_Summarizing)
#define insert_index_entries_unless(result, slot, estate, conflict, arbiters) \
	ExecInsertIndexTuples(result, slot, estate, false, true, conflict, arbiters, false)
#else
#define UpdateIndexes bool
#define UPDATE_NO_INDEXES false
#define insert_index_entries(result, slot, estate, which) \
	((void) (which), ExecInsertIndexTuples(result, slot, estate, false, false, NULL, NIL))
#define insert_index_entries_unless(result, slot, estate, conflict, arbiters) \
	ExecInsertIndexTuples(result, slot, estate, false, true, conflict, arbiters)
#endif

#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#define index_beginscan_compat(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#define primary_key_index(relation) RelationGetPrimaryKeyIndex(relation)
#define check_index_constraints(result, slot, estate, other, arbiters) \
	ExecCheckIndexConstraints(result, slot, estate, other, arbiters)
#else
#define index_beginscan_compat(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#define primary_key_index(relation) RelationGetPrimaryKeyIndex(relation, false)
#define check_index_constraints(result, slot, estate, other, arbiters) \
	ExecCheckIndexConstraints(result, slot, estate, other, &(slot)->tts_tid, arbiters)
#endif

/* what is wrong with a JSON text, for whoever includes common/jsonapi.h */
#if PG_VERSION_NUM < 170000
#define json_error_compat(json, len, encoding, need_escapes) \
	pg_parse_json(makeJsonLexContextCstringLen(json, len, encoding, need_escapes), &nullSemAction)
#else
#define json_error_compat(json, len, encoding, need_escapes) \
	pg_parse_json(makeJsonLexContextCstringLen(NULL, json, len, encoding, need_escapes), &nullSemAction)
#endif

#endif							/* SHARECOLLAB_COMPAT_H */
