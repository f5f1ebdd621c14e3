/*
 * usage.h
 *		Metered quantities: never the same thing twice.
 */
#ifndef SHARECOLLAB_USAGE_H
#define SHARECOLLAB_USAGE_H

extern void usage_write(const char *from, int nargs, Oid *types, Datum *values,
						int64 *inserted, int64 *skipped);

#endif							/* SHARECOLLAB_USAGE_H */
