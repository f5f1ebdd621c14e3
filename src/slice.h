/*
 * slice.h
 *		A piece of text inside a larger one.
 */
#ifndef SHARECOLLAB_SLICE_H
#define SHARECOLLAB_SLICE_H

#include "c.h"

typedef struct Slice
{
	const char *data;
	size_t		len;
} Slice;

static inline Slice
slice(const char *from, const char *until)
{
	return (Slice) {from, until - from};
}

/* what is blank for git, whatever the locale */
static inline bool
slice_isspace(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool
slice_isdigit(char c)
{
	return c >= '0' && c <= '9';
}

static inline Slice
slice_trim(Slice s)
{
	while (s.len > 0 && slice_isspace(s.data[0]))
	{
		s.data++;
		s.len--;
	}
	while (s.len > 0 && slice_isspace(s.data[s.len - 1]))
		s.len--;
	return s;
}

static inline bool
slice_starts_with(Slice s, const char *prefix, size_t len)
{
	return s.len >= len && memcmp(s.data, prefix, len) == 0;
}

#endif							/* SHARECOLLAB_SLICE_H */
