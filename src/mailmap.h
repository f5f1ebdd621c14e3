/*
 * mailmap.h
 *		Reads a .mailmap and answers as git does.
 *
 * Pure C: no memory is allocated and no server function is called.
 */
#ifndef SHARECOLLAB_MAILMAP_H
#define SHARECOLLAB_MAILMAP_H

#include "slice.h"

/* what is not given has a data of NULL */
typedef struct MailmapEntry
{
	Slice		name;			/* proper name ... */
	Slice		email;			/* ... and address */
	Slice		commit_name;	/* as commits have them */
	Slice		commit_email;
	int			line;
} MailmapEntry;

extern bool mailmap_next(Slice *rest, int *line, MailmapEntry *entry);
extern void mailmap_sort(MailmapEntry *entries, size_t n);
extern bool mailmap_lookup(const MailmapEntry *entries, size_t n, Slice *name, Slice *email);

#endif							/* SHARECOLLAB_MAILMAP_H */
