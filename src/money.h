/*
 * money.h
 *		What functions on money share: modes are words.
 */
#ifndef SHARECOLLAB_MONEY_H
#define SHARECOLLAB_MONEY_H

/* Whether a text is this word. */
static inline bool
text_is(const text *t, const char *word)
{
	return VARSIZE_ANY_EXHDR(t) == strlen(word) &&
		memcmp(VARDATA_ANY(t), word, strlen(word)) == 0;
}

extern Datum money_round(PG_FUNCTION_ARGS);

#endif							/* SHARECOLLAB_MONEY_H */
