/*
 * shim.c
 *		Stands in for the PostgreSQL backend, so that the fuzzed code runs
 *		without a server.
 *
 * Real: everything under test (src/profile.c, src/decimal.c, ...), the
 * server's headers with the macros and inline functions in them, and from the
 * server's static libraries (libpgcommon, libpgport) StringInfo, psprintf,
 * hash_bytes, qsort and printf.
 *
 * Shims, all in this file:
 *	- memory: one malloc() for each allocation, so that AddressSanitizer sees
 *	  the end of each; filled with changing bytes, so that one that was never
 *	  written shows up as a difference; all freed at the end of an input
 *	- errors: the message is formatted (which reads its arguments), then a
 *	  longjmp() to shim_try(); an error outside it, or one without a proper
 *	  SQLSTATE, is a finding, and so is a failed Assert
 *	- function calls: as DirectFunctionCall, without collations
 *	- messages: the reading half of pqformat.c
 *	- timestamptz: a strict reader and writer of PostgreSQL's ISO style, in
 *	  time zones with a fixed offset
 *
 * Backend functions that only code calls which is not fuzzed are not there at
 * all (see test/fuzz/run): such a call would end at address 0.
 */
#include "postgres.h"

#include <ctype.h>
#include <setjmp.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "shim.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

volatile sig_atomic_t InterruptPending = false;
MemoryContext CurrentMemoryContext = NULL;

void
ProcessInterrupts(void)
{
}

void
shim_finding(const char *what, const char *file, int line)
{
	fprintf(stderr, "FINDING: %s\n    at %s:%d\n", what, file, line);
	abort();
}

#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *condition, const char *file, int line)
#else
void
ExceptionalCondition(const char *condition, const char *type, const char *file, int line)
#endif
{
	shim_finding(condition, file, line);
}

/* ----------
 * Memory
 * ----------
 */
static void **blocks;
static int	nblocks;
static int	maxblocks;
static unsigned char filling;

static void
require_sensible(Size size)
{
	if (size > SHIM_MAX_ALLOC)
		shim_finding("memory out of proportion to the input", __FILE__, __LINE__);
}

void *
palloc(Size size)
{
	void	   *block;

	require_sensible(size);
	if (nblocks == maxblocks)
	{
		maxblocks = maxblocks * 2 + 64;
		blocks = realloc(blocks, maxblocks * sizeof(void *));
	}
	block = malloc(size);
	if (block == NULL || blocks == NULL)
		shim_finding("out of memory", __FILE__, __LINE__);
	memset(block, ++filling, size);
	return blocks[nblocks++] = block;
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

/* most likely one of the last that were made */
static int
find_block(void *pointer)
{
	for (int i = nblocks - 1; i >= 0; i--)
	{
		if (blocks[i] == pointer)
			return i;
	}
	shim_finding("pfree or repalloc of what is not allocated", __FILE__, __LINE__);
}

void
pfree(void *pointer)
{
	int			i = find_block(pointer);

	free(pointer);
	blocks[i] = blocks[--nblocks];
}

void *
repalloc(void *pointer, Size size)
{
	int			i = find_block(pointer);

	require_sensible(size);
	blocks[i] = realloc(pointer, size);
	if (blocks[i] == NULL)
		shim_finding("out of memory", __FILE__, __LINE__);
	return blocks[i];
}

void *
repalloc_huge(void *pointer, Size size)
{
	return repalloc(pointer, size);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	(void) context;
	return palloc(size);
}

char *
pnstrdup(const char *str, Size len)
{
	char	   *result;

	len = strnlen(str, len);
	result = palloc(len + 1);
	memcpy(result, str, len);
	result[len] = '\0';
	return result;
}

char *
pstrdup(const char *str)
{
	return pnstrdup(str, strlen(str));
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return palloc(size);
}

/* nothing here is compressed or out of line */
struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	CHECK(!VARATT_IS_COMPRESSED(datum) && !VARATT_IS_EXTERNAL(datum));
	return datum;
}

/* ----------
 * Errors
 * ----------
 */
static jmp_buf *catcher;
static int	sqlstate;
static char message[1024];

bool
errstart(int elevel, const char *domain)
{
	sqlstate = 0;
	message[0] = '\0';
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	/* the user's fault: a data exception, a limit or a broken message */
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	if (category != ERRCODE_DATA_EXCEPTION && category != ERRCODE_PROGRAM_LIMIT_EXCEEDED &&
		sqlstate != ERRCODE_PROTOCOL_VIOLATION)
	{
		fprintf(stderr, "error: %s\n", message);
		shim_finding("an error that no input should cause", filename, lineno);
	}
	if (catcher == NULL)
	{
		fprintf(stderr, "error: %s\n", message);
		shim_finding("an error where there should be none", filename, lineno);
	}
	longjmp(*catcher, 1);
}

#if PG_VERSION_NUM >= 160000
/* soft errors, of which nobody here asks for the soft kind */
bool
errsave_start(struct Node *context, const char *domain)
{
	return errstart(ERROR, domain);
}

void
errsave_finish(struct Node *context, const char *filename, int lineno, const char *funcname)
{
	errfinish(filename, lineno, funcname);
}

bool
DirectInputFunctionCallSafe(PGFunction func, char *str, Oid typioparam, int32 typmod,
							fmNodePtr escontext, Datum *result)
{
	*result = DirectFunctionCall3(func, CStringGetDatum(str), ObjectIdGetDatum(typioparam),
								  Int32GetDatum(typmod));
	return true;
}
#endif

int
errcode(int sqlerrcode)
{
	sqlstate = sqlerrcode;
	return 0;
}

/* they all format their arguments, and keep the last result */
#define SHIM_MESSAGE(name) \
int \
name(const char *fmt,...) \
{ \
	va_list		args; \
 \
	va_start(args, fmt); \
	vsnprintf(message, sizeof(message), fmt, args); \
	va_end(args); \
	return 0; \
}

SHIM_MESSAGE(errmsg)
SHIM_MESSAGE(errmsg_internal)
SHIM_MESSAGE(errdetail)
SHIM_MESSAGE(errdetail_internal)
SHIM_MESSAGE(errhint)

/* ----------
 * Function calls
 * ----------
 */
static Datum
call(PGFunction function, int nargs, const Datum *args)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	Datum		result;

	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, NULL, NULL);
	for (int i = 0; i < nargs; i++)
	{
		fcinfo->args[i].value = args[i];
		fcinfo->args[i].isnull = false;
	}
	result = function(fcinfo);
	CHECK(!fcinfo->isnull);
	return result;
}

Datum
DirectFunctionCall1Coll(PGFunction func, Oid collation, Datum arg1)
{
	return call(func, 1, &arg1);
}

Datum
DirectFunctionCall2Coll(PGFunction func, Oid collation, Datum arg1, Datum arg2)
{
	Datum		args[] = {arg1, arg2};

	return call(func, 2, args);
}

Datum
DirectFunctionCall3Coll(PGFunction func, Oid collation, Datum arg1, Datum arg2, Datum arg3)
{
	Datum		args[] = {arg1, arg2, arg3};

	return call(func, 3, args);
}

bool
shim_try(PGFunction function, Datum *result, int nargs,...)
{
	jmp_buf		here;
	Datum		datums[FUNC_MAX_ARGS];
	va_list		args;

	va_start(args, nargs);
	for (int i = 0; i < nargs; i++)
		datums[i] = va_arg(args, Datum);
	va_end(args);

	if (setjmp(here) != 0)
	{
		catcher = NULL;
		return false;
	}
	catcher = &here;
	*result = call(function, nargs, datums);
	catcher = NULL;
	return true;
}

/* ----------
 * Messages
 * ----------
 */
static const uint8 *
message_bytes(StringInfo msg, int n)
{
	if (n > msg->len - msg->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("insufficient data left in message")));
	msg->cursor += n;
	return (const uint8 *) msg->data + msg->cursor - n;
}

static uint64
message_integer(StringInfo msg, int n)
{
	const uint8 *p = message_bytes(msg, n);
	uint64		result = 0;

	for (int i = 0; i < n; i++)
		result = result << 8 | p[i];
	return result;
}

int
pq_getmsgbyte(StringInfo msg)
{
	return (int) message_integer(msg, 1);
}

unsigned int
pq_getmsgint(StringInfo msg, int b)
{
	return (unsigned int) message_integer(msg, b);
}

int64
pq_getmsgint64(StringInfo msg)
{
	return (int64) message_integer(msg, 8);
}

/* client and server both use UTF-8 */
char *
pq_getmsgtext(StringInfo msg, int rawbytes, int *nbytes)
{
	char	   *result;

	if (rawbytes < 0 || rawbytes > msg->len - msg->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("insufficient data left in message")));
	result = palloc(rawbytes + 1);
	memcpy(result, message_bytes(msg, rawbytes), rawbytes);
	result[rawbytes] = '\0';
	if (pg_encoding_verifymbstr(PG_UTF8, result, rawbytes) != rawbytes)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("invalid byte sequence")));
	*nbytes = rawbytes;
	return result;
}

void
#if PG_VERSION_NUM >= 160000
pq_sendbytes(StringInfo buf, const void *data, int datalen)
#else
pq_sendbytes(StringInfo buf, const char *data, int datalen)
#endif
{
	appendBinaryStringInfo(buf, data, datalen);
}

char *
pg_server_to_client(const char *s, int len)
{
	return unconstify(char *, s);
}

int
pg_mbstrlen_with_len(const char *mbstr, int limit)
{
	int			n = 0;

	for (int i = 0; i < limit && mbstr[i] != '\0'; n++)
		i += pg_utf_mblen((const unsigned char *) mbstr + i);
	return n;
}

#if PG_VERSION_NUM >= 160000
bool
pg_unicode_to_server_noerror(pg_wchar c, unsigned char *s)
#else
void
pg_unicode_to_server(pg_wchar c, unsigned char *s)
#endif
{
	unicode_to_utf8(c, s);
	s[pg_utf_mblen(s)] = '\0';
#if PG_VERSION_NUM >= 160000
	return true;
#endif
}

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

void
pq_begintypsend(StringInfo buf)
{
	initStringInfo(buf);
	appendStringInfoSpaces(buf, VARHDRSZ);
}

bytea *
pq_endtypsend(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return (bytea *) buf->data;
}

/* ----------
 * Numbers to text: as in numutils.c, at most 20 characters and the end
 * ----------
 */
int
pg_lltoa(int64 value, char *a)
{
	char		digits[MAXINT8LEN];
	uint64		rest = value < 0 ? -(uint64) value : (uint64) value;
	int			n = 0;
	char	   *p = a;

	do
		digits[n++] = '0' + rest % 10;
	while ((rest /= 10) != 0);
	if (value < 0)
		*p++ = '-';
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	return p - a;
}

/* ----------
 * Instants
 * ----------
 */

/* seconds east of Greenwich: UTC, Kolkata, New York long ago, the farthest */
static const int zone_offset[SHIM_ZONES] = {0, 19800, -17762, 57599};
static int	zone;

void
shim_set_zone(int number)
{
	zone = number;
}

/* Days from 2000-01-01, in the proleptic Gregorian calendar; year 0 is 1 BC. */
static int64
days_from_date(int64 year, int month, int day)
{
	int64		era;
	int			year_of_era;
	int			day_of_year;

	/* years begin in March, so that the leap day is the last; 400 are an era */
	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		day_of_year - 730425;
}

static void
date_from_days(int64 days, struct pg_tm *tm)
{
	int64		since = days + 730425;
	int64		era = (since >= 0 ? since : since - 146096) / 146097;
	int			day = since - era * 146097;
	int			year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int			month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	tm->tm_mday = day - (153 * month + 2) / 5 + 1;
	tm->tm_mon = month < 10 ? month + 3 : month - 9;
	tm->tm_year = year + era * 400 + (tm->tm_mon <= 2);
}

/* Read exactly so many digits, or up to so many. */
static bool
read_digits(const char **p, const char *end, int least, int most, int *result)
{
	int			n = 0;

	for (*result = 0; n < most && *p < end && isdigit((unsigned char) **p); n++)
		*result = *result * 10 + (*(*p)++ - '0');
	return n >= least;
}

static bool
read_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/*
 * YYYY-MM-DD[ HH:MM:SS[.FFFFFF]][+HH[:MM[:SS]]][ BC], or one of the infinities
 */
bool
shim_read_instant(const char *str, size_t len, int64 *result)
{
	const char *p = str;
	const char *end = str + len;
	int			year;
	int			month;
	int			day;
	int			hour = 0;
	int			minute = 0;
	int			second = 0;
	int			microsecond = 0;
	int			offset = zone_offset[zone];
	struct pg_tm there_and_back;
	int64		days;
	int128		instant;

	if (len == strlen(EARLY) && memcmp(str, EARLY, len) == 0)
	{
		*result = DT_NOBEGIN;
		return true;
	}
	if (len == strlen(LATE) && memcmp(str, LATE, len) == 0)
	{
		*result = DT_NOEND;
		return true;
	}
	if (!read_digits(&p, end, 4, 6, &year) || !read_char(&p, end, '-') ||
		!read_digits(&p, end, 2, 2, &month) || !read_char(&p, end, '-') ||
		!read_digits(&p, end, 2, 2, &day))
		return false;
	if (p + 1 < end && *p == ' ' && isdigit((unsigned char) p[1]))
	{
		p++;
		if (!read_digits(&p, end, 2, 2, &hour) || !read_char(&p, end, ':') ||
			!read_digits(&p, end, 2, 2, &minute) || !read_char(&p, end, ':') ||
			!read_digits(&p, end, 2, 2, &second))
			return false;
		if (read_char(&p, end, '.'))
		{
			const char *start = p;

			if (!read_digits(&p, end, 1, 6, &microsecond))
				return false;
			for (int n = p - start; n < 6; n++)
				microsecond *= 10;
		}
	}
	if (p < end && (*p == '+' || *p == '-'))
	{
		bool		west = *p++ == '-';
		int			parts[3] = {0};

		for (int i = 0; i < 3 && (i == 0 || read_char(&p, end, ':')); i++)
		{
			if (!read_digits(&p, end, 2, 2, &parts[i]))
				return false;
		}
		if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59)
			return false;
		offset = parts[0] * 3600 + parts[1] * 60 + parts[2];
		if (west)
			offset = -offset;
	}
	if (end - p == 3 && memcmp(p, " BC", 3) == 0)
	{
		if (year == 0)
			return false;
		year = 1 - year;
		p += 3;
	}
	else if (year == 0)
		return false;
	if (p != end || month < 1 || month > 12 || day < 1 || day > 31 ||
		hour > 23 || minute > 59 || second > 59)
		return false;
	days = days_from_date(year, month, day);
	date_from_days(days, &there_and_back);
	if (there_and_back.tm_mday != day)
		return false;

	instant = ((int128) days * 86400 + hour * 3600 + minute * 60 + second - offset) * USECS_PER_SEC + microsecond;
	*result = (int64) instant;
	return instant >= MIN_TIMESTAMP && instant < END_TIMESTAMP;
}

Datum
timestamptz_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	int64		result;

	if (!shim_read_instant(str, strlen(str), &result))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("invalid input syntax for type timestamp with time zone: \"%s\"", str)));
	PG_RETURN_TIMESTAMPTZ(result);
}

int
timestamp2tm(Timestamp dt, int *tzp, struct pg_tm *tm, fsec_t *fsec, const char **tzn,
			 pg_tz *attimezone)
{
	int64		seconds;
	int64		days;

	CHECK(IS_VALID_TIMESTAMP(dt) && attimezone == NULL);
	*fsec = ((dt % USECS_PER_SEC) + USECS_PER_SEC) % USECS_PER_SEC;
	seconds = (dt - *fsec) / USECS_PER_SEC + zone_offset[zone];
	tm->tm_sec = ((seconds % 86400) + 86400) % 86400;
	days = (seconds - tm->tm_sec) / 86400;
	tm->tm_hour = tm->tm_sec / 3600;
	tm->tm_min = tm->tm_sec / 60 % 60;
	tm->tm_sec %= 60;
	date_from_days(days, tm);
	*tzp = -zone_offset[zone];
	*tzn = NULL;
	return 0;
}

void
EncodeDateTime(struct pg_tm *tm, fsec_t fsec, bool print_tz, int tz, const char *tzn, int style, char *str)
{
	int			offset = abs(tz);

	CHECK(style == USE_ISO_DATES && print_tz);
	str += sprintf(str, "%04d-%02d-%02d %02d:%02d:%02d",
				   tm->tm_year > 0 ? tm->tm_year : 1 - tm->tm_year,
				   tm->tm_mon, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
	if (fsec != 0)
	{
		str += sprintf(str, ".%06d", fsec);
		while (str[-1] == '0')
			*--str = '\0';
	}
	str += sprintf(str, "%c%02d", tz <= 0 ? '+' : '-', offset / 3600);
	if (offset % 3600 != 0)
		str += sprintf(str, ":%02d", offset / 60 % 60);
	if (offset % 60 != 0)
		str += sprintf(str, ":%02d", offset % 60);
	if (tm->tm_year <= 0)
		strcpy(str, " BC");
}

/* only for messages */
const char *
timestamptz_to_str(TimestampTz t)
{
	static char buf[32];

	snprintf(buf, sizeof(buf), INT64_FORMAT, t);
	return buf;
}

/* ----------
 * Inputs
 * ----------
 */
void
shim_begin(int zone_number)
{
	CHECK(nblocks == 0 && catcher == NULL);
	filling = 0;
	shim_set_zone(zone_number);
}

void
shim_end(void)
{
	while (nblocks > 0)
		free(blocks[--nblocks]);
}
