/*
 * mailmap.c
 *		Reads a .mailmap and answers as git does.
 *
 * The rules are those of git check-mailmap: an address maps once, not
 * transitively; case does not matter in ASCII; an entry for a name and an
 * address goes before those for the address alone, and these add up, later
 * ones first.
 *
 * Pure C: see mailmap.h.
 */
#include "postgres.h"

#include "compat.h"
#include "mailmap.h"

static const Slice absent = {NULL, 0};

/* As strcasecmp in the C locale, so that other bytes are themselves */
static int
compare_ignoring_case(Slice a, Slice b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++)
	{
		unsigned char x = a.data[i];
		unsigned char y = b.data[i];

		x += x >= 'A' && x <= 'Z' ? 'a' - 'A' : 0;
		y += y >= 'A' && y <= 'Z' ? 'a' - 'A' : 0;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/*
 * "Name <address>" at the start of the line, which goes behind it.
 */
static bool
parse_person(Slice *line, bool may_be_empty, Slice *name, Slice *email)
{
	const char *end = line->data + line->len;
	const char *left = memchr(line->data, '<', line->len);
	const char *right = left ? memchr(left, '>', end - left) : NULL;

	*name = *email = absent;
	if (right == NULL || (left + 1 == right && !may_be_empty))
		return false;
	*name = slice_trim(slice(line->data, left));
	if (name->len == 0)
		*name = absent;
	*email = slice(left + 1, right);
	*line = slice(right + 1, end);
	return true;
}

/*
 * The next entry: false if there is none.  Lines without one are comments,
 * whatever is in them.
 */
bool
mailmap_next(Slice *rest, int *line, MailmapEntry *entry)
{
	while (rest->len > 0)
	{
		const char *end = rest->data + rest->len;
		const char *newline = memchr(rest->data, '\n', rest->len);
		Slice		rest_of_line = slice(rest->data, newline ? newline : end);

		*rest = slice(newline ? newline + 1 : end, end);
		entry->line = ++*line;
		if (rest_of_line.len == 0 || rest_of_line.data[0] == '#' ||
			!parse_person(&rest_of_line, false, &entry->name, &entry->email))
			continue;
		if (!parse_person(&rest_of_line, true, &entry->commit_name, &entry->commit_email))
		{
			entry->commit_email = entry->email;
			entry->email = absent;
		}
		return true;
	}
	return false;
}

static int
compare_entries(const void *a, const void *b)
{
	const MailmapEntry *x = a;
	const MailmapEntry *y = b;
	int			cmp = compare_ignoring_case(x->commit_email, y->commit_email);

	return cmp != 0 ? cmp : x->line - y->line;
}

/*
 * Puts entries into the order that mailmap_lookup() needs.
 */
void
mailmap_sort(MailmapEntry *entries, size_t n)
{
	qsort(entries, n, sizeof(MailmapEntry), compare_entries);
}

/*
 * Replaces what is mapped of a name and an address; false if nothing is.
 */
bool
mailmap_lookup(const MailmapEntry *entries, size_t n, Slice *name, Slice *email)
{
	size_t		low = 0;
	size_t		high = n;
	Slice		new_name = absent;
	Slice		new_email = absent;
	const MailmapEntry *by_name = NULL;

	while (low < high)
	{
		size_t		middle = (low + high) / 2;

		if (compare_ignoring_case(entries[middle].commit_email, *email) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && compare_ignoring_case(entries[low].commit_email, *email) == 0; low++)
	{
		const MailmapEntry *entry = &entries[low];

		if (entry->commit_name.data != NULL)
		{
			if (compare_ignoring_case(entry->commit_name, *name) == 0)
				by_name = entry;
			continue;
		}
		if (entry->name.data != NULL)
			new_name = entry->name;
		if (entry->email.data != NULL)
			new_email = entry->email;
	}
	if (by_name != NULL)
	{
		new_name = by_name->name;
		new_email = by_name->email;
	}
	if (new_name.data != NULL)
		*name = new_name;
	if (new_email.data != NULL)
		*email = new_email;
	return new_name.data != NULL || new_email.data != NULL;
}
