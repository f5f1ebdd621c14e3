/*
 * usage_fuzz.c
 *		Fuzz target of what the readers of usage logs (sacct, the Standard
 *		Workload Format, OpenCost) share: lines, fields, names and numbers.
 *
 * The first byte of an input says which format the others are:
 *
 *	0	fields with a bar between them, as sacct -P prints them: what was cut,
 *		put together again, is the line
 *	1	fields between blanks, as in SWF: none is empty, none has a blank
 *	2	CSV, as OpenCost exports it: what was read, written in quotes, is read as
 *		the same
 *
 * In each nothing is read outside of the input, lines are counted as they are,
 * and numbers are those that a slow model makes of them.
 */
#include "postgres.h"

#include "shim.h"

/* with its static functions */
#include "usage_log.c"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* as to_integer(), by 128 bits and only then by range */
static bool
model_integer(Slice s, int64 *result)
{
	bool		negative = s.len > 0 && s.data[0] == '-';
	int128		value = 0;

	if (s.len == (size_t) negative)
		return false;
	for (size_t i = negative; i < s.len; i++)
	{
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		value = value * 10 + (s.data[i] - '0');
		if (value > PG_INT64_MAX)
			return false;
	}
	*result = negative ? -(int64) value : (int64) value;
	return true;
}

static void
check_numbers(Slice field)
{
	int64		expected = 0;
	int64		found = 0;
	bool		valid = model_integer(field, &expected);

	CHECK(to_integer(field, &found) == valid && (!valid || found == expected));
	/* seconds alone are what they say; anything else that is a time has parts */
	if (valid && expected <= LAST_UNIX_TIME && field.data[0] != '-')
		CHECK(to_seconds(field, &found) && found == expected);
	else if (to_seconds(field, &found))
		CHECK(found >= 0 && (memchr(field.data, ':', field.len) != NULL || memchr(field.data, '-', field.len) != NULL));
}

/* the line from one place to another, without what ends it */
static Slice
line_between(const char *from, const char *until)
{
	Slice		line = slice(from, until);

	if (line.len > 0 && line.data[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static void
check_together(UsageLog *log, Slice line)
{
	const char *p = line.data;

	for (int i = 0; i < log->n_fields; i++)
	{
		CHECK(log->fields[i].data == p);
		p += log->fields[i].len;
		if (i < log->n_fields - 1)
			CHECK(*p++ == log->delimiter);
	}
	CHECK(log->n_fields == 0 ? line.len == 0 : p == line.data + line.len);
}

/* written in quotes, and read again */
static void
check_again(UsageLog *log)
{
	UsageLog	again = {.delimiter = ',', .quoted = true, .next_line = 1};
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < log->n_fields; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, '"');
		for (size_t k = 0; k < log->fields[i].len; k++)
		{
			if (log->fields[i].data[k] == '"')
				appendStringInfoChar(&out, '"');
			appendStringInfoChar(&out, log->fields[i].data[k]);
		}
		appendStringInfoChar(&out, '"');
	}
	again.rest = (Slice) {out.data, out.len};
	CHECK(next_line(&again) && again.error == NULL && again.rest.len == 0);
	CHECK(again.n_fields == log->n_fields);
	for (int i = 0; i < log->n_fields; i++)
	{
		Slice		a = log->fields[i];
		Slice		b = again.fields[i];

		CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	}
}

static void
fuzz_log(UsageLog *log, const char *data, size_t size)
{
	bool		named = false;

	log->next_line = 1;
	log->rest = (Slice) {data, size};
	for (;;)
	{
		const char *from = log->rest.data;
		int64		number = log->next_line;
		int64		newlines = 0;

		if (!next_line(log))
			break;
		CHECK(log->rest.data > from && log->rest.data + log->rest.len == data + size);
		for (const char *p = from; p < log->rest.data; p++)
			newlines += *p == '\n';
		CHECK(log->line == number && log->next_line == number + newlines);
		if (!log->quoted)
			CHECK(newlines == 1 || (newlines == 0 && log->rest.len == 0));
		for (int i = 0; i < log->n_fields; i++)
		{
			if (log->delimiter == ' ')
				CHECK(log->fields[i].len > 0 && memchr(log->fields[i].data, ' ', log->fields[i].len) == NULL &&
					  memchr(log->fields[i].data, '\t', log->fields[i].len) == NULL);
			check_numbers(log->fields[i]);
		}
		if (log->delimiter == '|')
			check_together(log, line_between(from, log->rest.data));
		else if (log->quoted && log->error == NULL && log->n_fields > 0)
			check_again(log);
		if (!named)
		{
			/* each name is found, at its first place */
			set_names(log);
			for (int i = 0; i < log->n_names; i++)
				CHECK(field_number(log, log->names[i]) >= 0 && field_number(log, log->names[i]) <= i);
			named = true;
		}
	}
	CHECK(log->rest.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static const UsageLog formats[] = {{.delimiter = '|'}, {.delimiter = ' '}, {.delimiter = ',', .quoted = true}};
	UsageLog	log;
	char	   *copy;

	if (size == 0)
		return 0;
	shim_begin(0);
	/* exactly these bytes, so that reading past their end is noticed */
	copy = palloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	log = formats[data[0] % lengthof(formats)];
	fuzz_log(&log, copy, size - 1);
	shim_end();
	return 0;
}
