/*
 * usage_log.c
 *		Usage from the logs of others: sacct, the Standard Workload Format, and
 *		OpenCost.
 *
 * A line is a job or a container, and becomes one row of type usage_entry for
 * each thing that was metered of it.  What differs between the formats is how a
 * line is cut into fields, and what they mean; the rest is the same for all.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "compat.h"
#include "funcapi.h"
#include "json_text.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "progress.h"
#include "query.h"
#include "slice.h"
#include "usage.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* columns of type usage_entry */
enum
{
	ENTRY_CONSUMER, ENTRY_PROVIDER, ENTRY_METER, ENTRY_QUANTITY, ENTRY_DURING, ENTRY_LABELS, ENTRY_KEY,
	ENTRY_COLUMNS
};

/* how much of what was used */
typedef struct Metered
{
	Slice		meter;
	Numeric		quantity;
} Metered;

typedef struct UsageLog
{
	const char *format;			/* what it is, for messages */
	char		delimiter;		/* between fields; ' ' for any blanks */
	bool		quoted;			/* fields may be in double quotes, as in CSV */

	Slice		rest;			/* what is not yet read */
	int64		line;			/* number of the line that is read */
	int64		next_line;
	Slice	   *names;			/* of the fields */
	int			n_names;
	Slice	   *fields;			/* of the line */
	int			n_fields;
	int			room;
	const char *error;			/* why the line cannot be read */

	int			consumer;		/* which field is the party's name */
	int			provider;		/* likewise; -1 for none */
	pg_tz	   *zone;
	bool		skip_errors;
	ReturnSetInfo *result;
	MemoryContext context;		/* of what lasts as long as the log */
	TypeCacheEntry *range_type;

	/* of the line */
	const char *key;
	List	   *metered;
	Datum		values[ENTRY_COLUMNS];
	bool		nulls[ENTRY_COLUMNS];
} UsageLog;

/* ----------
 * Lines and fields
 * ----------
 */

static void
add_field(UsageLog *log, Slice field)
{
	if (log->n_fields == log->room)
	{
		log->room = Max(32, 2 * log->room);
		if (log->fields == NULL)
			log->fields = MemoryContextAlloc(log->context, log->room * sizeof(Slice));
		else
			log->fields = repalloc(log->fields, log->room * sizeof(Slice));
	}
	log->fields[log->n_fields++] = field;
}

/*
 * The next byte, which may not be there
 */
static inline bool
at(UsageLog *log, char c)
{
	return log->rest.len > 0 && *log->rest.data == c;
}

static inline void
advance(UsageLog *log)
{
	if (*log->rest.data == '\n')
		log->next_line++;
	log->rest.data++;
	log->rest.len--;
}

/*
 * A field in double quotes, of which two inside are one
 */
static Slice
quoted_field(UsageLog *log)
{
	const char *from = log->rest.data + 1;
	size_t		doubled = 0;
	size_t		len;
	char	   *value;

	advance(log);
	for (;;)
	{
		if (log->rest.len == 0)
		{
			log->error = "a quoted field does not end";
			return slice(from, log->rest.data);
		}
		if (at(log, '"'))
		{
			advance(log);
			if (!at(log, '"'))
				break;
			doubled++;
		}
		advance(log);
	}
	len = log->rest.data - 1 - from;
	if (doubled == 0)
		return (Slice) {from, len};
	value = palloc(len);
	for (size_t k = 0, n = 0;; k++)
	{
		if (k >= len)
			return (Slice) {value, n};
		value[n++] = from[k];
		if (from[k] == '"')
			k++;
	}
}

static void
read_field(UsageLog *log)
{
	const char *from;

	if (log->quoted && at(log, '"'))
	{
		add_field(log, quoted_field(log));
		if (log->rest.len > 0 && !at(log, log->delimiter) && !at(log, '\n') && !at(log, '\r'))
			log->error = "a quoted field goes on after its end";
	}
	else
	{
		from = log->rest.data;
		while (log->rest.len > 0 && !at(log, '\n') && !at(log, log->delimiter) &&
			   !(log->delimiter == ' ' && at(log, '\t')))
			advance(log);
		add_field(log, slice(from, log->rest.data));
	}
}

/*
 * Cut the next line into fields: false at the end.  A line without anything in
 * it has none.
 */
static bool
next_line(UsageLog *log)
{
	const char *end;

	log->n_fields = 0;
	log->error = NULL;
	if (log->rest.len == 0)
		return false;
	log->line = log->next_line;
	for (;;)
	{
		if (log->delimiter == ' ')
		{
			while (at(log, ' ') || at(log, '\t') || at(log, '\r'))
				advance(log);
			if (log->rest.len == 0 || at(log, '\n'))
				break;
		}
		read_field(log);
		if (log->rest.len == 0 || !(at(log, log->delimiter) || (log->delimiter == ' ' && at(log, '\t'))))
			break;
		advance(log);
	}
	end = log->rest.data;
	/* after an error inside quotes: where the next line begins, if at all */
	while (log->rest.len > 0 && !at(log, '\n'))
		advance(log);
	if (log->rest.len > 0)
		advance(log);
	if (log->n_fields > 0)
	{
		Slice	   *last = &log->fields[log->n_fields - 1];

		/* in quotes it belongs to the field */
		if (last->len > 0 && last->data + last->len == end && end[-1] == '\r')
			last->len--;
		if (log->n_fields == 1 && last->len == 0)
			log->n_fields = 0;
	}
	return true;
}

static inline bool
is_word(Slice s, const char *word)
{
	return s.len == strlen(word) && pg_strncasecmp(s.data, word, s.len) == 0;
}

/*
 * The field of that name, whatever its case: -1 if there is none
 */
static int
field_number(UsageLog *log, Slice name)
{
	for (int i = 0; i < log->n_names; i++)
	{
		if (log->names[i].len == name.len && pg_strncasecmp(log->names[i].data, name.data, name.len) == 0)
			return i;
	}
	return -1;
}

static int
field_named(UsageLog *log, const char *name)
{
	return field_number(log, (Slice) {name, strlen(name)});
}

/* the first of two that there is */
static int
either_field(UsageLog *log, const char *name, const char *other)
{
	int			i = field_named(log, name);

	return i >= 0 ? i : field_named(log, other);
}

/*
 * What the fields are called: by a line of names, with lengths after a % as for
 * sacct's --format.
 */
static void
set_names(UsageLog *log)
{
	MemoryContext old = MemoryContextSwitchTo(log->context);

	log->n_names = log->n_fields;
	log->names = palloc(Max(log->n_fields, 1) * sizeof(Slice));
	for (int i = 0; i < log->n_fields; i++)
	{
		Slice		name = slice_trim(log->fields[i]);
		const char *length = memchr(name.data, '%', name.len);

		if (length)
			name.len = length - name.data;
		log->names[i] = (Slice) {pnstrdup(name.data, name.len), name.len};
	}
	MemoryContextSwitchTo(old);
}

/* ----------
 * Values
 * ----------
 */

/*
 * A whole number; false if it is none, or too large for one that is counted.
 */
static bool
to_integer(Slice s, int64 *result)
{
	bool		negative = s.len > 0 && s.data[0] == '-';

	*result = 0;
	if (s.len == (size_t) negative)
		return false;
	for (size_t i = negative; i < s.len; i++)
	{
		if (!slice_isdigit(s.data[i]) ||
			pg_mul_s64_overflow(*result, 10, result) || pg_add_s64_overflow(*result, s.data[i] - '0', result))
			return false;
	}
	if (negative)
		*result = -*result;
	return true;
}

/*
 * A decimal number that is not negative, perhaps with an exponent; false if it
 * is none.
 */
static bool
to_quantity(Slice s, Numeric *result)
{
	const char *end = s.data + s.len;
	const char *p = s.data;
	char	   *copy;

	while (p < end && slice_isdigit(*p))
		p++;
	if (p == s.data || s.len > 100)
		return false;
	if (p < end && *p == '.')
	{
		for (p++; p < end && slice_isdigit(*p);)
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		const char *digits;

		p++;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		digits = p;
		while (p < end && slice_isdigit(*p))
			p++;
		if (p == digits || p > digits + 3)
			return false;
	}
	if (p != end)
		return false;
	copy = pnstrdup(s.data, s.len);
	*result = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(copy), ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1)));
	return true;
}

static TimestampTz
of_unix_time(int64 seconds)
{
	return (seconds - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
}

/* what timestamptz has room for, and a little less */
#define LAST_UNIX_TIME	INT64CONST(9000000000000)

static bool
in_range(int64 unix_time)
{
	return unix_time >= -62000000000 && unix_time <= LAST_UNIX_TIME;
}

/*
 * 2026-01-31T00:00:00, or just the day, by the time zone of the log; or seconds
 * since 1970.
 */
static bool
to_instant(UsageLog *log, Slice s, TimestampTz *result)
{
	int64		part[6] = {0, 0, 0, 0, 0, 0};
	static const int starts[] = {0, 5, 8, 11, 14, 17};
	static const int lengths[] = {4, 2, 2, 2, 2, 2};
	static const char separators[] = "--T::";
	struct pg_tm tm = {0};
	int			zone;
	int			parts = s.len == 19 ? 6 : 3;

	if (to_integer(s, &part[0]))
	{
		if (!in_range(part[0]))
			return false;
		*result = of_unix_time(part[0]);
		return true;
	}
	if (s.len != 19 && s.len != 10)
		return false;
	for (int i = 0; i < parts; i++)
	{
		if (i > 0 && s.data[starts[i] - 1] != separators[i - 1])
			return false;
		if (!to_integer((Slice) {s.data + starts[i], lengths[i]}, &part[i]) || part[i] < 0)
			return false;
	}
	if (part[0] < 1 || part[1] < 1 || part[1] > MONTHS_PER_YEAR ||
		part[2] < 1 || part[2] > day_tab[isleap(part[0])][part[1] - 1] ||
		part[3] >= HOURS_PER_DAY || part[4] >= MINS_PER_HOUR || part[5] >= SECS_PER_MINUTE)
		return false;
	tm.tm_year = part[0];
	tm.tm_mon = part[1];
	tm.tm_mday = part[2];
	tm.tm_hour = part[3];
	tm.tm_min = part[4];
	tm.tm_sec = part[5];
	zone = DetermineTimeZoneOffset(&tm, log->zone);
	return tm2timestamp(&tm, 0, &zone, result) == 0;
}

/*
 * [days-]hours:minutes:seconds, or seconds
 */
static bool
to_seconds(Slice s, int64 *result)
{
	int64		whole_days = 0;
	int64		total = 0;
	const char *dash = memchr(s.data, '-', s.len);

	if (dash)
	{
		if (!to_integer(slice(s.data, dash), &whole_days) || whole_days < 0 || whole_days > 10000000)
			return false;
		s = slice(dash + 1, s.data + s.len);
	}
	for (;;)
	{
		const char *colon = memchr(s.data, ':', s.len);
		int64		part;

		if (!to_integer(slice(s.data, colon ? colon : s.data + s.len), &part) || part < 0 ||
			total > LAST_UNIX_TIME || part > LAST_UNIX_TIME)
			return false;
		total = total * 60 + part;
		if (colon == NULL)
			break;
		s = slice(colon + 1, s.data + s.len);
	}
	*result = whole_days * SECS_PER_DAY + total;
	return true;
}

static inline Datum
text_datum(Slice s)
{
	return PointerGetDatum(cstring_to_text_with_len(s.data, s.len));
}

static Numeric
multiply(Numeric quantity, int64 by)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(quantity), NumericGetDatum(int64_to_numeric(by))));
}

/*
 * Bytes, or so many times 1024 to the power of them, in GiB: exactly
 */
static Numeric
to_gib(Numeric quantity, int power)
{
	static const char *const units[] = {"9.31322574615478515625e-10", "9.5367431640625e-7", "0.0009765625", "1", "1024", "1048576"};
	Datum		unit = DirectFunctionCall3(numeric_in, CStringGetDatum(units[power]), ObjectIdGetDatum(InvalidOid),
										   Int32GetDatum(-1));

	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale,
											   DirectFunctionCall2(numeric_mul, NumericGetDatum(quantity), unit)));
}

/* ----------
 * Rows
 * ----------
 */

static const Slice cpu_meter = {"cpu", 3};

static UsageLog *
usage_log_open(FunctionCallInfo fcinfo, const char *format, const char *on_error)
{
	UsageLog   *log = palloc0(sizeof(UsageLog));
	text	   *bytes = PG_GETARG_TEXT_PP(0);

	if (strcmp(on_error, "error") != 0 && strcmp(on_error, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for on_error: \"%s\"", on_error),
				 errhint("It is \"error\" or \"skip\".")));
	InitMaterializedSRF(fcinfo, 0);
	log->result = (ReturnSetInfo *) fcinfo->resultinfo;
	log->format = format;
	log->rest = (Slice) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
	log->next_line = 1;
	log->skip_errors = strcmp(on_error, "skip") == 0;
	log->context = CurrentMemoryContext;
	log->range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	log->zone = pg_tzset("UTC");
	return log;
}

static int
party_field(UsageLog *log, text *name)
{
	Slice		s = {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)};
	int			i = field_number(log, s);

	if (i < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has no field \"%s\"", log->format, text_to_cstring(name))));
	return i;
}

/*
 * Which fields are the parties' names; the provider is NULL for none.
 */
static void
set_parties(UsageLog *log, FunctionCallInfo fcinfo, int consumer, int provider)
{
	log->consumer = party_field(log, PG_GETARG_TEXT_PP(consumer));
	log->provider = PG_ARGISNULL(provider) ? -1 : party_field(log, PG_GETARG_TEXT_PP(provider));
}

static void
set_during(UsageLog *log, TimestampTz starts, TimestampTz ends)
{
	RangeBound	lower = {.val = TimestampTzGetDatum(starts), .inclusive = true, .lower = true};
	RangeBound	upper = {.val = TimestampTzGetDatum(ends)};

	log->values[ENTRY_DURING] = RangeTypePGetDatum(make_range_compat(log->range_type, &lower, &upper, false));
}

/*
 * A row of the line, which is written when all of the line could be read.  Where
 * nothing was used, there is none.
 */
static void
add_meter(UsageLog *log, Slice meter, Numeric quantity)
{
	Metered    *metered;

	if (DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(quantity), NumericGetDatum(int64_to_numeric(0)))))
		return;
	metered = palloc(sizeof(Metered));
	*metered = (Metered) {meter, quantity};
	log->metered = lappend(log->metered, metered);
}

static void
put_rows(UsageLog *log)
{
	ListCell   *cell;

	foreach(cell, log->metered)
	{
		const Metered *metered = lfirst(cell);

		log->values[ENTRY_METER] = text_datum(metered->meter);
		log->values[ENTRY_QUANTITY] = NumericGetDatum(metered->quantity);
		log->values[ENTRY_KEY] = CStringGetTextDatum(psprintf("%s/%.*s", log->key, (int) metered->meter.len, metered->meter.data));
		tuplestore_putvalues(log->result->setResult, log->result->setDesc, log->values, log->nulls);
	}
}

static void
add_label(JsonbParseState **state, const char *name, Slice value)
{
	JsonbValue	v = {.type = jbvString};

	if (value.len == 0)
		return;
	v.val.string.val = unconstify(char *, name);
	v.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &v);
	v.val.string.val = unconstify(char *, value.data);
	v.val.string.len = value.len;
	pushJsonbValue(state, WJB_VALUE, &v);
}

/*
 * The fields of these names as labels, which are called so in lower case
 */
static void
set_labels(UsageLog *log, const int *numbers, const char *const *labels, int n)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		if (numbers[i] >= 0)
			add_label(&state, labels[i], log->fields[numbers[i]]);
	}
	log->values[ENTRY_LABELS] = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	log->nulls[ENTRY_LABELS] = false;
}

#define LINES_PER_STEP	4096

/*
 * All lines, of which the format's function makes rows, or sets log->error.
 */
static Datum
usage_log_read(UsageLog *log, void (*read_line) (UsageLog *log, void *arg), void *arg)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "usage log row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row);

	while (next_line(log))
	{
		CHECK_FOR_INTERRUPTS();
		if (log->line % LINES_PER_STEP == 0)
			ereport(progress_level(),
					(errmsg("%s, lines read: " INT64_FORMAT, log->format, log->line)));
		memset(log->nulls, false, sizeof(log->nulls));
		log->metered = NIL;
		if (log->error == NULL && log->n_fields > 0)
			read_line(log, arg);
		if (log->error == NULL)
			put_rows(log);
		else
		{
			if (!log->skip_errors)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid %s: %s", log->format, log->error),
						 errdetail("Line " INT64_FORMAT ".", log->line),
						 errhint("on_error => 'skip' leaves such lines out.")));
			memset(log->nulls, true, sizeof(log->nulls));
			tuplestore_putvalues(log->result->setResult, log->result->setDesc, log->values, log->nulls);
		}
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(old);
	return (Datum) 0;
}

/*
 * The fields of a line that has all of them; one more that is empty comes of
 * sacct -p.
 */
static bool
has_all_fields(UsageLog *log)
{
	if (log->n_fields == log->n_names ||
		(log->n_fields == log->n_names + 1 && log->fields[log->n_names].len == 0))
		return true;
	log->error = psprintf("%d fields where %d are expected", log->n_fields, log->n_names);
	return false;
}

static bool
set_party_names(UsageLog *log)
{
	Slice		consumer = slice_trim(log->fields[log->consumer]);

	if (consumer.len == 0)
	{
		log->error = psprintf("no %.*s", (int) log->names[log->consumer].len, log->names[log->consumer].data);
		return false;
	}
	log->values[ENTRY_CONSUMER] = text_datum(consumer);
	log->nulls[ENTRY_PROVIDER] = log->provider < 0 || log->fields[log->provider].len == 0;
	if (!log->nulls[ENTRY_PROVIDER])
		log->values[ENTRY_PROVIDER] = text_datum(slice_trim(log->fields[log->provider]));
	return true;
}

static void
require_field(UsageLog *log, int number, const char *name)
{
	if (number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid %s: there is no field %s", log->format, name),
				 errhint("The first line says what the fields are, or the argument fields does.")));
}

/*
 * The names of the fields, as the argument says or else the first line that has
 * any
 */
static void
read_names(UsageLog *log, text *fields)
{
	if (fields != NULL)
	{
		Slice		rest = log->rest;
		char		delimiter = log->delimiter;

		log->rest = (Slice) {VARDATA_ANY(fields), VARSIZE_ANY_EXHDR(fields)};
		log->delimiter = ',';
		next_line(log);
		set_names(log);
		log->rest = rest;
		log->delimiter = delimiter;
		log->next_line = 1;
	}
	else
	{
		while (next_line(log) && log->n_fields == 0)
			;
		set_names(log);
	}
}

/* ----------
 * sacct_usage(log, fields, consumer, provider, time_zone, on_error)
 * ----------
 */
static const char *const sacct_labels[] = {
	"cluster", "partition", "qos", "account", "group", "user", "state", "jobname", "wckey"
};

typedef struct Sacct
{
	int			job;
	int			cluster;
	int			starts;
	int			ends;
	int			elapsed;
	int			tres;
	int			cpus;
	int			labels[lengthof(sacct_labels)];
} Sacct;

/*
 * What was allocated, cpu=12,mem=48000M,gres/gpu=2, each for so many seconds.
 * Memory and what else has a unit is in GiB; without one it is in MiB, as Slurm
 * stores it.  Energy is in joules already.
 */
static void
read_tres(UsageLog *log, Slice tres, int64 seconds)
{
	static const char units[] = "KMGTP";

	while (tres.len > 0)
	{
		const char *comma = memchr(tres.data, ',', tres.len);
		Slice		one = slice(tres.data, comma ? comma : tres.data + tres.len);
		const char *equals = memchr(one.data, '=', one.len);
		Slice		meter;
		Slice		amount;
		Numeric		quantity;
		const char *unit = NULL;

		tres = comma ? slice(comma + 1, tres.data + tres.len) : (Slice) {NULL, 0};
		if (equals == NULL || equals == one.data)
		{
			log->error = "a resource is not written as name=quantity";
			return;
		}
		meter = slice(one.data, equals);
		amount = slice(equals + 1, one.data + one.len);
		if (is_word(meter, "mem") || is_word(meter, "vmem") ||
			slice_starts_with(meter, "fs/", 3) || slice_starts_with(meter, "bb/", 3))
		{
			unit = amount.len > 0 ? memchr(units, amount.data[amount.len - 1], strlen(units)) : NULL;
			if (unit)
				amount.len--;
			else
				unit = &units[1];
		}
		if (!to_quantity(amount, &quantity))
		{
			log->error = "the quantity of a resource is not a number";
			return;
		}
		if (unit)
			quantity = to_gib(quantity, (int) (unit - units) + 1);
		add_meter(log, meter, is_word(meter, "energy") ? quantity : multiply(quantity, seconds));
	}
}

static void
read_sacct_line(UsageLog *log, void *arg)
{
	const Sacct *sacct = arg;
	Slice		job;
	Slice		begin;
	Slice		end;
	TimestampTz starts;
	TimestampTz ends;
	int64		seconds = 0;

	if (!has_all_fields(log))
		return;
	job = log->fields[sacct->job];
	begin = log->fields[sacct->starts];
	end = log->fields[sacct->ends];
	/* steps are a part of their job; what has not begun or not ended comes later */
	if (memchr(job.data, '.', job.len) || is_word(begin, "Unknown") || is_word(begin, "None") ||
		is_word(end, "Unknown") || is_word(end, "None") || begin.len == 0)
		return;
	if (job.len == 0)
		log->error = "a job without a number";
	else if (!to_instant(log, begin, &starts) || !to_instant(log, end, &ends))
		log->error = "a time is none";
	else if (ends < starts)
		log->error = "a job ends before it starts";
	else if (sacct->elapsed >= 0 && !to_seconds(log->fields[sacct->elapsed], &seconds))
		log->error = "the elapsed time is none";
	if (log->error || ends == starts || !set_party_names(log))
		return;
	if (sacct->elapsed < 0)
		seconds = (ends - starts) / USECS_PER_SEC;
	set_during(log, starts, ends);
	set_labels(log, sacct->labels, sacct_labels, lengthof(sacct_labels));
	/* a job that was requeued has the same number, and another start */
	log->key = psprintf("%.*s%s%.*s@" INT64_FORMAT,
						sacct->cluster < 0 ? 0 : (int) log->fields[sacct->cluster].len,
						sacct->cluster < 0 ? "" : log->fields[sacct->cluster].data,
						sacct->cluster < 0 ? "" : "/", (int) job.len, job.data,
						(starts - of_unix_time(0)) / USECS_PER_SEC);
	if (sacct->tres >= 0)
		read_tres(log, log->fields[sacct->tres], seconds);
	else
	{
		Numeric		cpus;

		if (!to_quantity(log->fields[sacct->cpus], &cpus))
			log->error = "the number of processors is none";
		else
			add_meter(log, cpu_meter, multiply(cpus, seconds));
	}
}

PG_FUNCTION_INFO_V1(sacct_usage);
Datum
sacct_usage(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"log", NULL, "consumer", NULL, "time_zone", "on_error"};
	UsageLog   *log;
	Sacct		sacct;
	char	   *time_zone;

	require_arguments(fcinfo, lengthof(names), names);
	log = usage_log_open(fcinfo, "sacct output", text_to_cstring(PG_GETARG_TEXT_PP(5)));
	log->delimiter = '|';
	time_zone = text_to_cstring(PG_GETARG_TEXT_PP(4));
	log->zone = pg_tzset(time_zone);
	if (log->zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", time_zone)));
	read_names(log, PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1));
	if (log->n_names == 0)
		return (Datum) 0;
	require_field(log, sacct.job = either_field(log, "JobIDRaw", "JobID"), "JobIDRaw or JobID");
	require_field(log, sacct.starts = field_named(log, "Start"), "Start");
	require_field(log, sacct.ends = field_named(log, "End"), "End");
	sacct.cluster = field_named(log, "Cluster");
	sacct.elapsed = either_field(log, "ElapsedRaw", "Elapsed");
	sacct.tres = field_named(log, "AllocTRES");
	sacct.cpus = either_field(log, "AllocCPUS", "NCPUS");
	require_field(log, Max(sacct.tres, sacct.cpus), "AllocTRES, AllocCPUS or NCPUS");
	for (size_t i = 0; i < lengthof(sacct_labels); i++)
		sacct.labels[i] = field_named(log, sacct_labels[i]);
	set_parties(log, fcinfo, 2, 3);
	return usage_log_read(log, read_sacct_line, &sacct);
}

/* ----------
 * swf_usage(log, consumer, provider, on_error)
 * ----------
 */
enum
{
	SWF_JOB, SWF_SUBMIT, SWF_WAIT, SWF_RUNTIME, SWF_PROCESSORS, SWF_CPU_TIME, SWF_MEMORY,
	SWF_REQUESTED_PROCESSORS, SWF_REQUESTED_TIME, SWF_REQUESTED_MEMORY, SWF_STATUS,
	SWF_USER, SWF_GROUP, SWF_EXECUTABLE, SWF_QUEUE, SWF_PARTITION, SWF_PRECEDING, SWF_THINK_TIME,
	SWF_FIELDS
};

static const char *const swf_names[SWF_FIELDS] = {
	"job", "submit", "wait", "runtime", "processors", "cpu_time", "memory",
	"requested_processors", "requested_time", "requested_memory", "status",
	"user", "group", "executable", "queue", "partition", "preceding", "think_time"
};

static const int swf_label_fields[] = {SWF_USER, SWF_GROUP, SWF_QUEUE, SWF_PARTITION, SWF_EXECUTABLE, SWF_STATUS};
static const char *const swf_labels[] = {"user", "group", "queue", "partition", "executable", "status"};

/* a name that the header gives to a number */
typedef struct SwfName
{
	uint64		key;			/* field and number */
	Slice		name;
	char		status;
} SwfName;

#define SH_PREFIX swf_name
#define SH_ELEMENT_TYPE SwfName
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Swf
{
	int64		epoch;			/* the header's UnixStartTime */
	bool		has_epoch;
	swf_name_hash *names;
} Swf;

static inline uint64
swf_key(int field, int64 number)
{
	return ((uint64) field << 32) | (uint32) number;
}

/*
 * A line of the header, which says when the log begins, and the names of what
 * it numbers: "; Partition: 12 rl.ac.uk".
 */
static void
read_swf_header(UsageLog *log, Swf *swf)
{
	static const struct
	{
		const char *word;
		int			field;
	}			kinds[] = {{"User:", SWF_USER}, {"Group:", SWF_GROUP}, {"Queue:", SWF_QUEUE}, {"Partition:", SWF_PARTITION}};
	int			word = log->fields[0].len == 1 ? 1 : 0;
	Slice		name;
	int64		number;

	if (log->n_fields < word + 2 || !to_integer(log->fields[word + 1], &number))
		return;
	name = log->fields[word];
	if (word == 0)
		name = slice(name.data + 1, name.data + name.len);
	if (is_word(name, "UnixStartTime:") && in_range(number))
	{
		swf->epoch = number;
		swf->has_epoch = true;
	}
	if (log->n_fields < word + 3 || number < 0 || number > PG_INT32_MAX)
		return;
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		bool		found;

		if (is_word(name, kinds[i].word))
			swf_name_insert(swf->names, swf_key(kinds[i].field, number), &found)->name =
				slice(log->fields[word + 2].data,
					  log->fields[log->n_fields - 1].data + log->fields[log->n_fields - 1].len);
	}
}

/*
 * A number by the name that the header gives it, or as "group 7"; empty for -1,
 * which is unknown.
 */
static void
name_field(UsageLog *log, Swf *swf, int field)
{
	Slice	   *value = &log->fields[field];
	int64		number;
	SwfName    *known = NULL;

	if (!to_integer(*value, &number))
	{
		log->error = psprintf("%s is not a number", swf_names[field]);
		return;
	}
	if (number >= 0 && number <= PG_INT32_MAX)
		known = swf_name_lookup(swf->names, swf_key(field, number));
	if (number < 0)
		*value = (Slice) {"", 0};
	else if (known)
		*value = known->name;
	else if (field == SWF_USER || field == SWF_GROUP || field == SWF_QUEUE || field == SWF_PARTITION)
	{
		char	   *name = psprintf("%s " INT64_FORMAT, swf_names[field], number);

		*value = (Slice) {name, strlen(name)};
	}
}

static void
read_swf_line(UsageLog *log, void *arg)
{
	Swf		   *swf = arg;
	int64		submit;
	int64		wait;
	int64		runtime;
	int64		processors;
	int64		requested;
	int64		starts;
	int64		ends;
	int			labels[lengthof(swf_labels)];
	Slice		job;

	if (log->fields[0].data[0] == ';')
	{
		read_swf_header(log, swf);
		return;
	}
	if (!has_all_fields(log))
		return;
	if (!swf->has_epoch)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid workload log: no UnixStartTime before the first job"),
				 errdetail("Line " INT64_FORMAT ".", log->line),
				 errhint("Its header has a line \"; UnixStartTime: ...\", which each piece of it needs.")));
	job = log->fields[SWF_JOB];
	if (!to_integer(log->fields[SWF_SUBMIT], &submit) || !to_integer(log->fields[SWF_WAIT], &wait) ||
		!to_integer(log->fields[SWF_RUNTIME], &runtime) || !to_integer(log->fields[SWF_PROCESSORS], &processors) ||
		!to_integer(log->fields[SWF_REQUESTED_PROCESSORS], &requested))
	{
		log->error = "a field is not a whole number";
		return;
	}
	if (processors < 0)
		processors = requested;
	if (runtime <= 0 || processors <= 0)
		return;					/* did not run */
	if (pg_add_s64_overflow(swf->epoch, submit, &starts) || pg_add_s64_overflow(starts, Max(wait, 0), &starts) ||
		pg_add_s64_overflow(starts, runtime, &ends) || !in_range(starts) || !in_range(ends))
	{
		log->error = "a time is out of range";
		return;
	}
	for (size_t i = 0; i < lengthof(swf_labels); i++)
	{
		labels[i] = swf_label_fields[i];
		name_field(log, swf, labels[i]);
		if (log->error)
			return;
	}
	if (!set_party_names(log))
		return;
	set_during(log, of_unix_time(starts), of_unix_time(ends));
	set_labels(log, labels, swf_labels, lengthof(swf_labels));
	log->key = pnstrdup(job.data, job.len);
	add_meter(log, cpu_meter, multiply(int64_to_numeric(processors), runtime));
}

PG_FUNCTION_INFO_V1(swf_usage);
Datum
swf_usage(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"log", "consumer", NULL, "on_error"};
	UsageLog   *log;
	Swf			swf = {0};

	require_arguments(fcinfo, lengthof(names), names);
	log = usage_log_open(fcinfo, "workload log", text_to_cstring(PG_GETARG_TEXT_PP(3)));
	log->delimiter = ' ';
	log->n_names = SWF_FIELDS;
	log->names = palloc(SWF_FIELDS * sizeof(Slice));
	for (int i = 0; i < SWF_FIELDS; i++)
		log->names[i] = (Slice) {swf_names[i], strlen(swf_names[i])};
	swf.names = swf_name_create(CurrentMemoryContext, 256, NULL);
	set_parties(log, fcinfo, 1, 2);
	return usage_log_read(log, read_swf_line, &swf);
}

/* ----------
 * opencost_usage(log, consumer, provider, on_error)
 * ----------
 */
static const char *const opencost_labels[] = {
	"Namespace", "ControllerKind", "ControllerName", "Pod", "Container"
};

static const char *const opencost_label_names[lengthof(opencost_labels)] = {
	"namespace", "controller_kind", "controller", "pod", "container"
};

/* what is metered: the larger of one or two columns, for a day or as it is */
static const struct
{
	const char *meter;
	const char *columns[2];
	bool		per_second;
	bool		bytes;
}			opencost_meters[] = {
	{"cpu", {"CPUCoreUsageAverage", "CPUCoreRequestAverage"}, true, false},
	{"ram", {"RAMBytesUsageAverage", "RAMBytesRequestAverage"}, true, true},
	{"gpu", {"GPUs", NULL}, true, false},
	{"pv", {"PVBytes", NULL}, true, true},
	{"network_receive", {"NetworkReceiveBytes", NULL}, false, true},
	{"network_transfer", {"NetworkTransferBytes", NULL}, false, true}
};

typedef struct OpenCost
{
	int			date;
	int			labels[lengthof(opencost_labels)];
	int			json;			/* column Labels */
	int			meters[lengthof(opencost_meters)][2];
} OpenCost;

static void
read_opencost_line(UsageLog *log, void *arg)
{
	const OpenCost *opencost = arg;
	Slice		date;
	TimestampTz starts;
	StringInfoData key;

	if (!has_all_fields(log))
		return;
	date = log->fields[opencost->date];
	if (date.len != 10 || date.data[4] != '-' || !to_instant(log, date, &starts))
	{
		log->error = "Date is not a day";
		return;
	}
	if (!set_party_names(log))
		return;
	set_during(log, starts, starts + USECS_PER_DAY);
	set_labels(log, opencost->labels, opencost_label_names, lengthof(opencost_labels));
	if (opencost->json >= 0 && log->fields[opencost->json].len > 0)
	{
		Slice		json = log->fields[opencost->json];
		char	   *copy = pnstrdup(json.data, json.len);
		Datum		labels;

		if (!is_json_text(copy, json.len))
		{
			log->error = "Labels is not JSON";
			return;
		}
		labels = DirectFunctionCall1(jsonb_in, CStringGetDatum(copy));
		if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(labels)))
		{
			log->error = "Labels is not an object";
			return;
		}
		log->values[ENTRY_LABELS] = DirectFunctionCall2(jsonb_concat, labels, log->values[ENTRY_LABELS]);
	}
	initStringInfo(&key);
	appendBinaryStringInfo(&key, date.data, date.len);
	for (size_t i = 0; i < lengthof(opencost_labels); i++)
	{
		appendStringInfoChar(&key, '/');
		if (opencost->labels[i] >= 0)
			appendBinaryStringInfo(&key, log->fields[opencost->labels[i]].data, log->fields[opencost->labels[i]].len);
	}
	log->key = key.data;
	for (size_t i = 0; i < lengthof(opencost_meters); i++)
	{
		Numeric		quantity = int64_to_numeric(0);

		for (int j = 0; j < 2; j++)
		{
			int			column = opencost->meters[i][j];
			Numeric		value;

			if (column < 0 || log->fields[column].len == 0)
				continue;
			if (!to_quantity(log->fields[column], &value))
			{
				log->error = psprintf("%s is not a quantity", opencost_meters[i].columns[j]);
				return;
			}
			quantity = DatumGetNumeric(DirectFunctionCall2(numeric_larger, NumericGetDatum(quantity), NumericGetDatum(value)));
		}
		if (opencost_meters[i].bytes)
			quantity = to_gib(quantity, 0);
		if (opencost_meters[i].per_second)
			quantity = multiply(quantity, SECS_PER_DAY);
		add_meter(log, (Slice) {opencost_meters[i].meter, strlen(opencost_meters[i].meter)}, quantity);
	}
}

PG_FUNCTION_INFO_V1(opencost_usage);
Datum
opencost_usage(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"log", NULL, "consumer", NULL, "on_error"};
	UsageLog   *log;
	OpenCost	opencost;
	int			metered = -1;

	require_arguments(fcinfo, lengthof(names), names);
	log = usage_log_open(fcinfo, "OpenCost export", text_to_cstring(PG_GETARG_TEXT_PP(4)));
	log->delimiter = ',';
	log->quoted = true;
	read_names(log, PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1));
	if (log->n_names == 0)
		return (Datum) 0;
	require_field(log, opencost.date = field_named(log, "Date"), "Date");
	opencost.json = field_named(log, "Labels");
	for (size_t i = 0; i < lengthof(opencost_labels); i++)
		opencost.labels[i] = field_named(log, opencost_labels[i]);
	for (size_t i = 0; i < lengthof(opencost_meters); i++)
	{
		for (int j = 0; j < 2; j++)
		{
			const char *column = opencost_meters[i].columns[j];

			opencost.meters[i][j] = column ? field_named(log, column) : -1;
			metered = Max(metered, opencost.meters[i][j]);
		}
	}
	require_field(log, metered, "with a quantity, such as CPUCoreUsageAverage");
	set_parties(log, fcinfo, 2, 3);
	return usage_log_read(log, read_opencost_line, &opencost);
}

/* ----------
 * Importers
 * ----------
 */

/*
 * An argument as SQL has it
 */
static char *
literal(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? "NULL" : quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(i)));
}

/*
 * Record what a reader makes of the log in argument 1, in the pool of argument
 * 0: those meters that argument meters is about, under the source of argument
 * source.
 */
static Datum
import(FunctionCallInfo fcinfo, const char *reader, int meters, int source, int on_error)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID};
	Datum		values[4] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(source)};
	int64		counts[3] = {0, 0, 0};
	Datum		results[3];
	bool		nulls[3] = {false, false, false};
	TupleDesc	tuple_desc;
	int			nargs = 3;

	if (get_call_result_type(fcinfo, NULL, &tuple_desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(meters))
		values[nargs++] = PG_GETARG_DATUM(meters);
	SPI_connect();
	usage_write(psprintf("(SELECT $1 AS pool, e.consumer, e.provider, NULL::pg_catalog.int8 AS lease_id, e.meter, e.quantity,"
						 " e.during, e.labels, $3 AS source, e.source_key FROM %s AS e WHERE %s)", reader,
						 nargs == 3 ? "e.meter IS NOT NULL" : "e.meter = ANY ($4)"),
				nargs, types, values, &counts[0], &counts[1]);
	if (strcmp(text_to_cstring(PG_GETARG_TEXT_PP(on_error)), "skip") == 0)
	{
		char	   *sql = psprintf("SELECT pg_catalog.count(*) FROM %s AS e WHERE e.meter IS NULL", reader);

		if (SPI_execute_with_args(sql, nargs, types, values, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not execute \"%s\"", sql);
		counts[2] = DatumGetInt64(query_value(0, 1, NULL));
	}
	SPI_finish();
	for (int i = 0; i < 3; i++)
		results[i] = Int64GetDatum(counts[i]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tuple_desc), results, nulls));
}

/* import_sacct(pool, log, fields, consumer, provider, meters, source, time_zone, on_error) */
PG_FUNCTION_INFO_V1(import_sacct);
Datum
import_sacct(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "log", NULL, "consumer", NULL, NULL, "source", "time_zone", "on_error"};

	require_arguments(fcinfo, lengthof(names), names);
	return import(fcinfo, psprintf("sharecollab.sacct_usage($2, %s, %s, %s, %s, %s)", literal(fcinfo, 2), literal(fcinfo, 3),
								   literal(fcinfo, 4), literal(fcinfo, 7), literal(fcinfo, 8)), 5, 6, 8);
}

/* import_swf(pool, log, consumer, provider, meters, source, on_error) */
PG_FUNCTION_INFO_V1(import_swf);
Datum
import_swf(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "log", "consumer", NULL, NULL, "source", "on_error"};

	require_arguments(fcinfo, lengthof(names), names);
	return import(fcinfo, psprintf("sharecollab.swf_usage($2, %s, %s, %s)", literal(fcinfo, 2), literal(fcinfo, 3),
								   literal(fcinfo, 6)), 4, 5, 6);
}

/* import_opencost(pool, log, fields, consumer, provider, meters, source, on_error) */
PG_FUNCTION_INFO_V1(import_opencost);
Datum
import_opencost(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"pool", "log", NULL, "consumer", NULL, NULL, "source", "on_error"};

	require_arguments(fcinfo, lengthof(names), names);
	return import(fcinfo, psprintf("sharecollab.opencost_usage($2, %s, %s, %s, %s)", literal(fcinfo, 2), literal(fcinfo, 3),
								   literal(fcinfo, 4), literal(fcinfo, 7)), 5, 6, 7);
}
