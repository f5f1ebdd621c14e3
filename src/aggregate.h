/*
 * aggregate.h
 *		What the support functions of our aggregates share.
 */
#ifndef SHARECOLLAB_AGGREGATE_H
#define SHARECOLLAB_AGGREGATE_H

#include "decimal.h"
#include "libpq/pqformat.h"

/* version of the serialized states, which may travel between servers */
#define STATE_VERSION		1

/* an argument that is an aggregate's state, or NULL before the first row */
#define PG_GETARG_STATE(i, type) \
	(PG_ARGISNULL(i) ? NULL : (type *) PG_GETARG_POINTER(i))

#define PG_RETURN_STATE(state) \
	do { \
		if ((state) == NULL) \
			PG_RETURN_NULL(); \
		PG_RETURN_POINTER(state); \
	} while (0)

/*
 * The memory context of the aggregate; an error if called as a plain function.
 */
static inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (unlikely(!AggCheckCallContext(fcinfo, &context)))
		elog(ERROR, "aggregate support function called in non-aggregate context");
	return context;
}

/* A whole-number quantity. */
static inline Decimal
integer_arg(int64 quantity)
{
	Decimal		result = {quantity, 0};

	if (unlikely(quantity == PG_INT64_MIN))
		decimal_overflow();
	return result;
}

/*
 * Start to write a state: its version and scale.
 */
static inline void
state_send(StringInfo buf, int scale)
{
	pq_begintypsend(buf);
	pq_sendbyte(buf, STATE_VERSION);
	pq_sendbyte(buf, scale);
}

/*
 * Start to read one, in place: the buffer is a view of the bytes, not a copy.
 */
static inline int
state_receive(StringInfo buf, bytea *serialized)
{
	int			scale;

	buf->data = VARDATA_ANY(serialized);
	buf->len = VARSIZE_ANY_EXHDR(serialized);
	buf->maxlen = buf->len;
	buf->cursor = 0;
	if (pq_getmsgbyte(buf) != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version of aggregate state")));
	scale = pq_getmsgbyte(buf);
	if (scale > DECIMAL_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid scale %d in aggregate state", scale)));
	return scale;
}

#endif							/* SHARECOLLAB_AGGREGATE_H */
