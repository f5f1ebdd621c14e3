/*
 * profile.h
 *		The type "profile": a quantity over time, as a step function.
 *
 * A profile is right-continuous, 0 before its first breakpoint, and its last
 * value holds to infinity.  It is stored in one canonical form, so that equal
 * profiles are equal bytes:
 *
 *		version		1 byte		PROFILE_VERSION
 *		scale		1 byte		decimal places of all values, as few as possible
 *		widths		1 byte		bytes per time (low 4 bits) and per value (high)
 *		unit		1 byte		index of the time unit; bit 7: starts at -infinity
 *		n			4 bytes		number of breakpoints
 *		base		8 bytes		first finite breakpoint, in microseconds
 *		times		the other finite breakpoints: (time - base) / unit
 *		values		n mantissas, signed
 *
 * All integers are little-endian; the unit is the largest that divides all
 * the time differences, and the widths are the smallest that hold them all.
 * An hourly profile of small numbers thus takes 3 bytes a breakpoint, and
 * any breakpoint is found without reading those before it.
 */
#ifndef SHARECOLLAB_PROFILE_H
#define SHARECOLLAB_PROFILE_H

#include "datatype/timestamp.h"
#include "decimal.h"

#define PROFILE_VERSION			1

#define PROFILE_FROM_MINUS_INFINITY	0x80

/* the bytes before the first breakpoint, after the varlena header */
#define PROFILE_HEADER_SIZE		8

/* limited by the size of a varlena; at most 16 bytes a breakpoint */
#define PROFILE_MAX_STEPS		((int64) (MaxAllocSize / 16 - 1))

/*
 * How to read a stored profile, in place (even with a short varlena header).
 */
typedef struct ProfileReader
{
	int32		n;				/* number of breakpoints */
	int			scale;
	int			first_finite;	/* 1 if the first breakpoint is -infinity */
	int			time_width;
	int			value_width;
	int64		unit;			/* microseconds */
	TimestampTz base;
	const uint8 *times;
	const uint8 *values;
	const uint8 *end;
} ProfileReader;

/*
 * A profile being made, breakpoint by breakpoint in order of time.
 */
typedef struct ProfileBuilder
{
	int32		n;
	int64		size;
	int			scale;
	TimestampTz *at;
	int64	   *value;
} ProfileBuilder;

/*
 * A half-open span of instants [from, until).  -infinity and infinity are
 * DT_NOBEGIN and DT_NOEND, so that both compare as plain integers.
 */
typedef struct Span
{
	TimestampTz from;
	TimestampTz until;
} Span;

#define SPAN_IS_EMPTY(span)	((span).from >= (span).until)

extern const int64 profile_units[];

/* profile.c */
extern void profile_read(Datum profile, ProfileReader *reader);
extern void profile_builder_init(ProfileBuilder *builder, int64 size, int scale);
extern struct varlena *profile_pack(ProfileBuilder *builder);
extern struct varlena *profile_finish(ProfileBuilder *builder);
pg_noreturn extern void profile_too_long(void);
extern struct varlena *profile_rectangle(Span span, Decimal quantity);
extern int	profile_find(const ProfileReader *reader, TimestampTz at);
extern void instant_out(TimestampTz at, char *buf);
extern bool instant_in(char *str, struct Node *context, TimestampTz *result);

/* profile_ops.c */
extern Span span_arg(Datum range);
extern struct varlena *profile_clipped(const ProfileReader *reader, Span span);

/* profile_measure.c */
extern int64 fixed_length_arg(const Interval *interval, const char *what);
extern int64 positive_length_arg(const Interval *interval, const char *what);
extern int128 profile_integral128(const ProfileReader *reader, Span span);
extern int64 profile_peak_of(const ProfileReader *reader, Span span, TimestampTz *peak_at);
extern Datum unit_time_ratio(int128 sum, int scale, int64 microseconds);

/* profile_rows.c */
struct TypeCacheEntry;
extern Datum span_get_range(struct TypeCacheEntry *range_type, Span span);

/* operations that other files call through DirectFunctionCall */
extern PGDLLEXPORT Datum profile_add(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_subtract(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_multiply_numeric(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_contained(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_pointwise_min(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_pointwise_max(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_positive_part(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_value_at(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_recv(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum profile_send(PG_FUNCTION_ARGS);

/*
 * Read an unsigned little-endian integer of 0 to 8 bytes.
 */
static inline uint64
profile_load(const uint8 *p, int width, const uint8 *end)
{
	uint64		result = 0;

#ifndef WORDS_BIGENDIAN
	if (likely(end - p >= (ptrdiff_t) sizeof(uint64)))
	{
		memcpy(&result, p, sizeof(uint64));
		return width == 8 ? result : result & ((UINT64CONST(1) << (8 * width)) - 1);
	}
#endif
	for (int i = width - 1; i >= 0; i--)
		result = (result << 8) | p[i];
	return result;
}

static inline TimestampTz
profile_time(const ProfileReader *reader, int i)
{
	uint64		offset;

	i -= reader->first_finite;
	if (i < 0)
		return DT_NOBEGIN;
	if (i == 0)
		return reader->base;
	offset = profile_load(reader->times + (int64) (i - 1) * reader->time_width,
						  reader->time_width, reader->end);

	/* unsigned: the whole range of timestamps is wider than an int64 */
	return (TimestampTz) ((uint64) reader->base + offset * (uint64) reader->unit);
}

/* The instant before which breakpoint i holds: that of the next one. */
static inline TimestampTz
profile_until(const ProfileReader *reader, int i)
{
	return i + 1 < reader->n ? profile_time(reader, i + 1) : DT_NOEND;
}

static inline int64
profile_value(const ProfileReader *reader, int i)
{
	int			width = reader->value_width;
	uint64		value = profile_load(reader->values + (int64) i * width, width, reader->end);
	int			shift = 64 - 8 * width;

	/* extend the sign */
	return (int64) (value << shift) >> shift;
}

/* The value that holds from breakpoint i on; 0 before the first. */
static inline int64
profile_value_from(const ProfileReader *reader, int i)
{
	return i < 0 ? 0 : profile_value(reader, i);
}

extern void profile_builder_grow(ProfileBuilder *builder);

/*
 * Add a breakpoint; one that changes nothing is left out.
 */
static inline void
profile_append(ProfileBuilder *builder, TimestampTz at, int64 value)
{
	int32		n = builder->n;

	Assert(n == 0 || builder->at[n - 1] < at);

	if (value == (n == 0 ? 0 : builder->value[n - 1]))
		return;
	if (unlikely(n == builder->size))
		profile_builder_grow(builder);
	builder->at[n] = at;
	builder->value[n] = value;
	builder->n = n + 1;
}

/*
 * Let a value hold from an instant on, whatever was said about it before.
 */
static inline void
profile_put(ProfileBuilder *builder, TimestampTz at, int64 value)
{
	while (builder->n > 0 && builder->at[builder->n - 1] >= at)
		builder->n--;
	profile_append(builder, at, value);
}

#define PG_RETURN_PROFILE(builder)	PG_RETURN_POINTER(profile_finish(builder))

#endif							/* SHARECOLLAB_PROFILE_H */
