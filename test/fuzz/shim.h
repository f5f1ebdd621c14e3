/*
 * shim.h
 *		The few functions of the PostgreSQL backend that the fuzzed code calls;
 *		shim.c says what is real and what is not.
 */
#ifndef SHARECOLLAB_FUZZ_SHIM_H
#define SHARECOLLAB_FUZZ_SHIM_H

#include "postgres.h"
#include "compat.h"

/* how many time zones there are to choose from */
#define SHIM_ZONES		4

/* the largest piece of memory that the short inputs of a fuzzer may ask for */
#define SHIM_MAX_ALLOC	(1024 * 1024)

/* Stop: this is what the fuzzer is looking for. */
#define CHECK(condition) \
	((condition) ? (void) 0 : shim_finding("not so: " #condition, __FILE__, __LINE__))

pg_noreturn extern void shim_finding(const char *what, const char *file, int line);

/* Begin and end an input: all memory is freed at the end. */
extern void shim_begin(int zone);
extern void shim_end(void);

/* The time zone of the session, 0 .. SHIM_ZONES - 1 */
extern void shim_set_zone(int zone);

/* Call a function; false if it raised an error that a user may see. */
extern bool shim_try(PGFunction function, Datum *result, int nargs,...);

/* What timestamptz_in does: false if it is no instant. */
extern bool shim_read_instant(const char *str, size_t len, int64 *result);

#endif							/* SHARECOLLAB_FUZZ_SHIM_H */
