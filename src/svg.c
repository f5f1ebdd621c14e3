/*
 * svg.c
 *		Pictures as SVG text: profiles over time, the shares of a tally, and
 *		periods as bars (a Gantt chart).
 *
 * A picture is one self-contained element that a page may contain any number
 * of: its colours are CSS variables that follow the reader's colour scheme, it
 * brings title and description for those who do not see it, and the ids of
 * these are a hash of what is shown, so that nothing in it is random.  All
 * text from outside goes through append_escaped().
 *
 * Positions are whole hundredths of a pixel, computed in integers.
 */
#include "postgres.h"

#include <ctype.h>
#include <inttypes.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "profile.h"
#include "tally.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define PIXEL				100

#define HEX64				"%016" PRIx64

/* space around everything, and height of a line of text, in pixels */
#define MARGIN				12
#define LINE				18

/* a character of the usual label is about that wide, in pixels */
#define CHARACTER			7

#define MIN_WIDTH			240
#define MAX_WIDTH			4000
#define MIN_HEIGHT			40
#define MAX_HEIGHT			4000

/* how many kinds of lines can be told apart */
#define MAX_PROFILES		12
#define COLOURS				6
#define DASHES				4

#define MAX_BARS			1000

/* height of a lane of a Gantt chart, in pixels */
#define LANE				18

/* Contrast with the surface is 4.5 or more for text, and 3 or more for the rest. */
static const char style[] =
"<style>"
".sharecollab{--surface:#fff;--ink:#1b1f24;--quiet:#57606a;--grid:#dfe3e8;--axis:#6e7781;--on:#fff;"
"--c0:#0a5fbf;--c1:#b04a00;--c2:#c4122f;--c3:#1a7533;--c4:#7b3fc4;--c5:#0b7078;"
"max-width:100%;height:auto;font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Liberation Sans\",Arial,sans-serif}"
"@media screen and (prefers-color-scheme:dark){"
".sharecollab{--surface:#14181d;--ink:#e8ebef;--quiet:#a3abb5;--grid:#2c333b;--axis:#8b949e;--on:#0c0f13;"
"--c0:#6cb0ff;--c1:#ffab5e;--c2:#ff8593;--c3:#5fd17f;--c4:#c9a5ff;--c5:#4fd0d6}}"
".sharecollab text{fill:var(--ink);unicode-bidi:isolate}"
".sharecollab .title{font-size:15px;font-weight:600}"
".sharecollab .quiet{fill:var(--quiet)}"
".sharecollab .on{fill:var(--on);font-size:11px}"
".sharecollab .end{text-anchor:end}"
".sharecollab .middle{text-anchor:middle}"
".sharecollab .surface{fill:var(--surface)}"
".sharecollab .grid{stroke:var(--grid);fill:none}"
".sharecollab .axis{stroke:var(--axis);fill:none}"
".sharecollab .c0{stroke:var(--c0);fill:var(--c0)}"
".sharecollab .c1{stroke:var(--c1);fill:var(--c1)}"
".sharecollab .c2{stroke:var(--c2);fill:var(--c2)}"
".sharecollab .c3{stroke:var(--c3);fill:var(--c3)}"
".sharecollab .c4{stroke:var(--c4);fill:var(--c4)}"
".sharecollab .c5{stroke:var(--c5);fill:var(--c5)}"
".sharecollab .line{fill:none;stroke-width:2;stroke-linejoin:round}"
".sharecollab .area{stroke:none;fill-opacity:.18}"
".sharecollab .d1{stroke-dasharray:7 4}"
".sharecollab .d2{stroke-dasharray:2 3}"
".sharecollab .d3{stroke-dasharray:9 3 2 3}"
".sharecollab .bar{stroke:none}"
".sharecollab .rest{stroke:none;fill:var(--axis)}"
"</style>";

/*
 * A picture being made: what is said about it, and the elements so far.
 */
typedef struct Picture
{
	int			width;
	int			y;				/* below what is there already */
	const char *title;			/* as given: not escaped */
	StringInfoData description; /* escaped */
	StringInfoData body;
} Picture;

typedef struct TimeAxis
{
	Span		span;
	Datum		time_zone;		/* text */
	int			left;			/* pixels */
	int			width;
} TimeAxis;

typedef struct ValueAxis
{
	int128		low;			/* mantissas */
	int128		high;
	int128		step;
	int			scale;
	int			top;			/* pixels */
	int			height;
} ValueAxis;

/* ----------
 * Text
 * ----------
 */

/*
 * Text for HTML and XML, as content or within quotes.  What neither can
 * express becomes the replacement character.  References, so that every
 * encoding of a database will do.
 */
static void
append_escaped(StringInfo out, const char *s, int len)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	for (int i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];

		switch (c)
		{
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			case '<':
				appendStringInfoString(out, "&lt;");
				break;
			case '>':
				appendStringInfoString(out, "&gt;");
				break;
			case '"':
				appendStringInfoString(out, "&quot;");
				break;
			case '\'':
				appendStringInfoString(out, "&#39;");
				break;
			case '\r':
				appendStringInfoString(out, "&#13;");
				break;
			default:
				if (c < ' ' && c != '\n' && c != '\t')
					appendStringInfoString(out, "&#xFFFD;");
				else if (c == 0xEF && utf8 && i + 2 < len &&
						 (unsigned char) s[i + 1] == 0xBF && (unsigned char) s[i + 2] >= 0xBE)
				{
					/* U+FFFE and U+FFFF */
					appendStringInfoString(out, "&#xFFFD;");
					i += 2;
				}
				else
					appendStringInfoChar(out, (char) c);
		}
	}
}

static inline void
append_text(StringInfo out, const char *s)
{
	append_escaped(out, s, (int) strlen(s));
}

/*
 * How wide a text is, in pixels: an estimate, rather too wide than too narrow.
 * *len is how many bytes of it fit into so many pixels.
 */
static int
text_width(const char *s, int most, int *len)
{
	int			sum = 0;
	const char *p = s;

	while (*p != '\0')
	{
		int			width = Max(pg_dsplen(p), 0) * CHARACTER;

		if (strchr("WMmw@%", *p))
			width = CHARACTER * 12 / 7;
		else if (*p >= 'A' && *p <= 'Z')
			width = CHARACTER * 9 / 7;
		if (sum + width > most)
			break;
		sum += width;
		p += pg_encoding_mblen(GetDatabaseEncoding(), p);
	}
	*len = (int) (p - s);
	return sum;
}

/* A text that has room for so many pixels: the end of a wider one is cut. */
static int
append_label(StringInfo out, const char *s, int most)
{
	int			len;
	int			width = text_width(s, most, &len);

	if (s[len] == '\0')
	{
		append_escaped(out, s, len);
		return width;
	}
	width = text_width(s, Max(most - 2 * CHARACTER, 0), &len);
	append_escaped(out, s, len);
	appendStringInfoString(out, "&#x2026;");
	return width + 2 * CHARACTER;
}

PG_FUNCTION_INFO_V1(html_escape);
Datum
html_escape(PG_FUNCTION_ARGS)
{
	text	   *input = PG_GETARG_TEXT_PP(0);
	StringInfoData out;

	initStringInfo(&out);
	append_escaped(&out, VARDATA_ANY(input), (int) VARSIZE_ANY_EXHDR(input));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * html_number(numeric): all its digits, of which those after the second
 * decimal place are small.
 */
PG_FUNCTION_INFO_V1(html_number);
Datum
html_number(PG_FUNCTION_ARGS)
{
	const char *p = DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(0)));
	const char *point = p + strcspn(p, ".");
	const char *end = p + strlen(p);
	const char *last = end;		/* the zeros at the end begin there */
	StringInfoData out;

	initStringInfo(&out);
	if (*p == '-')
		appendStringInfoChar(&out, *p++);
	for (; p < point; p++)
	{
		appendStringInfoChar(&out, *p);
		/* neither after the last digit nor within NaN and Infinity */
		if (isdigit((unsigned char) *p) && point - p > 1 && (point - p) % 3 == 1)
			appendStringInfoChar(&out, ',');
	}
	if (end - point <= 3)
		appendBinaryStringInfo(&out, point, (int) (end - point));
	else
	{
		appendBinaryStringInfo(&out, point, 3);
		appendStringInfoString(&out, "<small>");
		while (last > point + 3 && last[-1] == '0')
			last--;
		appendBinaryStringInfo(&out, point + 3, (int) (last - (point + 3)));
		for (; last < end; last++)
			appendStringInfoString(&out, "&#x2007;");
		appendStringInfoString(&out, "</small>");
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * Digits; with thousands apart, if people read them.
 */
static void
append_digits(StringInfo out, int128 mantissa, int scale, bool grouped)
{
	char		digits[64];
	char	   *end = digits + sizeof(digits);
	char	   *p = end;
	int			places = 0;
	uint128		rest = mantissa < 0 ? -(uint128) mantissa : (uint128) mantissa;

	for (; places < scale; places++, rest /= 10)
		*--p = (char) ('0' + (int) (rest % 10));
	if (scale > 0)
		*--p = '.';
	places = 0;
	do
	{
		if (grouped && places > 0 && places % 3 == 0)
			*--p = ',';
		*--p = (char) ('0' + (int) (rest % 10));
		rest /= 10;
		places++;
	} while (rest > 0);
	if (mantissa < 0)
		*--p = '-';
	appendBinaryStringInfo(out, p, (int) (end - p));
}

/* A number without zeros that say nothing. */
static void
append_number(StringInfo out, int128 mantissa, int scale)
{
	for (; scale > 0 && mantissa % 10 == 0; scale--)
		mantissa /= 10;
	append_digits(out, mantissa, scale, true);
}

/* Hundredths of a pixel. */
static void
append_position(StringInfo out, int64 position)
{
	int			scale = 2;

	for (; scale > 0 && position % 10 == 0; scale--)
		position /= 10;
	append_digits(out, position, scale, false);
}

/* Behind a quantity; the unit is not escaped yet. */
static void
append_unit(StringInfo out, const char *unit)
{
	if (unit[0] != '\0')
	{
		appendStringInfoChar(out, ' ');
		append_text(out, unit);
	}
}

/* ----------
 * Time
 * ----------
 */
static Timestamp
local_time(Datum time_zone, TimestampTz at)
{
	return DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone, time_zone,
												 TimestampTzGetDatum(at)));
}

static TimestampTz
instant_of(Datum time_zone, Timestamp local)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, time_zone,
												   TimestampGetDatum(local)));
}

static void
break_down(Timestamp local, struct pg_tm *tm, fsec_t *fsec)
{
	if (timestamp2tm(local, NULL, tm, fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
}

/* As in ISO 8601, without what is zero. */
static void
append_clock(StringInfo out, const struct pg_tm *tm, fsec_t fsec)
{
	appendStringInfo(out, "%02d:%02d", tm->tm_hour, tm->tm_min);
	if (tm->tm_sec == 0 && fsec == 0)
		return;
	appendStringInfo(out, ":%02d", tm->tm_sec);
	if (fsec == 0)
		return;
	appendStringInfo(out, ".%06d", (int) fsec);
	while (out->data[out->len - 1] == '0')
		out->data[--out->len] = '\0';
}

static void
append_year(StringInfo out, int year)
{
	if (year > 0)
		appendStringInfo(out, "%d", year);
	else
		appendStringInfo(out, "%d BC", 1 - year);
}

static void
append_instant(StringInfo out, Datum time_zone, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(at))
	{
		appendStringInfoString(out, at == DT_NOEND ? "open end" : "open start");
		return;
	}
	break_down(local_time(time_zone, at), &tm, &fsec);
	appendStringInfo(out, "%04d-%02d-%02d ", tm.tm_year > 0 ? tm.tm_year : 1 - tm.tm_year,
					 tm.tm_mon, tm.tm_mday);
	append_clock(out, &tm, fsec);
	if (tm.tm_year <= 0)
		appendStringInfoString(out, " BC");
}

static void
append_span(StringInfo out, Datum time_zone, Span span)
{
	append_instant(out, time_zone, span.from);
	appendStringInfoString(out, " &#x2013; ");
	append_instant(out, time_zone, span.until);
}

/*
 * The label of a tick: the most of a date that begins there, of what ticks
 * count.
 */
static void
append_tick_label(StringInfo out, Timestamp local, bool of_months)
{
	struct pg_tm tm;
	fsec_t		fsec;

	break_down(local, &tm, &fsec);
	if (tm.tm_hour != 0 || tm.tm_min != 0 || tm.tm_sec != 0 || fsec != 0)
		append_clock(out, &tm, fsec);
	else if (!of_months)
		appendStringInfo(out, "%s %d", months[tm.tm_mon - 1], tm.tm_mday);
	else if (tm.tm_mon != 1)
		appendStringInfoString(out, months[tm.tm_mon - 1]);
	else
		append_year(out, tm.tm_year);
}

static int64
time_x(const TimeAxis *axis, TimestampTz at)
{
	uint64		offset = (uint64) at - (uint64) axis->span.from;
	uint64		length = (uint64) axis->span.until - (uint64) axis->span.from;

	return (int64) axis->left * PIXEL +
		(int64) ((uint128) offset * (axis->width * PIXEL) / length);
}

/*
 * How far ticks are apart: so many months, or so many microseconds.
 */
typedef struct TickStep
{
	int			months;
	int64		length;			/* microseconds */
} TickStep;

static TickStep
tick_step(const TimeAxis *axis)
{
	static const int64 lengths[] = {
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
		3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600,
		SECS_PER_DAY, 2 * SECS_PER_DAY, 7 * SECS_PER_DAY
	};
	static const int of_months[] = {1, 2, 3, 6};
	uint64		span = (uint64) axis->span.until - (uint64) axis->span.from;
	TickStep	step = {0, 0};

	/* labels of less than a second are long, those of years short */
#define FITS(microseconds, pixels) \
	((uint128) span * (pixels) <= (uint128) (microseconds) * axis->width)

	for (int64 unit = 1; unit < USECS_PER_SEC; unit *= 10)
		for (int i = 0; i < 3; i++)
		{
			step.length = unit * (i == 0 ? 1 : i == 1 ? 2 : 5);
			if (FITS(step.length, 15 * CHARACTER))
				return step;
		}
	for (size_t i = 0; i < lengthof(lengths); i++)
	{
		step.length = lengths[i] * USECS_PER_SEC;
		if (FITS(step.length, (lengths[i] < SECS_PER_MINUTE ? 10 : 8) * CHARACTER))
			return step;
	}
	for (size_t i = 0; i < lengthof(of_months); i++)
	{
		step.months = of_months[i];
		step.length = of_months[i] * (DAYS_PER_MONTH * USECS_PER_DAY);
		if (FITS(step.length, 7 * CHARACTER))
			return step;
	}
	for (int unit = MONTHS_PER_YEAR;; unit *= 10)
		for (int i = 0; i < 3; i++)
		{
			step.months = unit * (i == 0 ? 1 : i == 1 ? 2 : 5);
			step.length = step.months * (DAYS_PER_MONTH * USECS_PER_DAY);
			if (FITS(step.length, 7 * CHARACTER) || unit > 1000000)
				return step;
		}
}

/* The last multiple of a step, counted from an origin, that is not later. */
static inline int64
floor_to(int64 value, int64 origin, int64 step)
{
	int64		rest = (value - origin) % step;

	return value - (rest < 0 ? rest + step : rest);
}

/*
 * The vertical lines at whole hours, days, months or whatever fits, as the
 * clocks of the time zone show them, and their labels below.
 */
static void
append_time_axis(Picture *picture, const TimeAxis *axis, int top, int bottom)
{
	TickStep	step = tick_step(axis);
	const char *time_zone = TextDatumGetCString(axis->time_zone);
	Timestamp	local = local_time(axis->time_zone, axis->span.from);
	TimestampTz previous = DT_NOBEGIN;
	StringInfoData labels;
	StringInfoData label;
	int64		month = 0;
	int64		offset = 0;

	initStringInfo(&labels);
	initStringInfo(&label);
	appendStringInfoString(&picture->body, "<path class=\"grid\" d=\"");
	if (step.months > 0)
	{
		struct pg_tm tm;
		fsec_t		fsec;

		break_down(local, &tm, &fsec);
		month = floor_to((int64) tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1, 0, step.months);
	}
	else if (step.length >= USECS_PER_HOUR)
	{
		/* weeks begin on Monday, as 2000-01-03 was one */
		local = floor_to(local, step.length == 7 * USECS_PER_DAY ? 2 * USECS_PER_DAY : 0,
						 step.length);
	}
	else
	{
		/* within an hour clocks are not changed */
		offset = local - axis->span.from;
		local = floor_to(local, 0, step.length);
	}

	for (;;)
	{
		TimestampTz at;

		CHECK_FOR_INTERRUPTS();
		if (step.months > 0)
		{
			struct pg_tm tm = {0};

			tm.tm_year = (int) (floor_to(month, 0, MONTHS_PER_YEAR) / MONTHS_PER_YEAR);
			tm.tm_mon = (int) (month - (int64) tm.tm_year * MONTHS_PER_YEAR) + 1;
			tm.tm_mday = 1;
			month += step.months;
			if (tm2timestamp(&tm, 0, NULL, &local) != 0)
			{
				/* before the first instant that there is, or after the last */
				if (tm.tm_year < 0)
					continue;
				break;
			}
		}
		if (!IS_VALID_TIMESTAMP(local))
		{
			if (local > 0)
				break;
			local += step.months > 0 ? 0 : step.length;
			continue;
		}
		if (step.length >= USECS_PER_HOUR)
			at = instant_of(axis->time_zone, local);
		else
			at = local - offset;
		if (at > axis->span.until)
			break;
		/* an hour that the clocks skip, or show twice, has one tick */
		if (at >= axis->span.from && at > previous)
		{
			int64		x = time_x(axis, at);
			int64		half;

			previous = at;
			appendStringInfoChar(&picture->body, 'M');
			append_position(&picture->body, x);
			appendStringInfo(&picture->body, " %dV%d", top, bottom);

			/* below it, but within the picture */
			resetStringInfo(&label);
			append_tick_label(&label, local_time(axis->time_zone, at), step.months > 0);
			half = label.len * CHARACTER * PIXEL / 2;
			x = Max(Min(x, picture->width * PIXEL - half), half);
			appendStringInfoString(&labels, "<text class=\"middle quiet\" x=\"");
			append_position(&labels, x);
			appendStringInfo(&labels, "\" y=\"%d\">%s</text>", bottom + LINE - 2, label.data);
		}
		if (step.months == 0)
			local += step.length;
	}
	appendStringInfo(&picture->body, "\"/>%s", labels.data);

	/* the time zone has a line of its own where it does not fit beside the time */
	resetStringInfo(&label);
	append_span(&label, axis->time_zone, axis->span);
	appendStringInfo(&picture->body, "<text class=\"quiet\" x=\"%d\" y=\"%d\">%s",
					 MARGIN, bottom + 2 * LINE, label.data);
	picture->y = bottom + 2 * LINE + 8;
	if ((label.len + (int) strlen(time_zone)) * CHARACTER <= picture->width - 2 * MARGIN)
		appendStringInfoString(&picture->body, ", ");
	else
	{
		appendStringInfo(&picture->body, "</text><text class=\"quiet\" x=\"%d\" y=\"%d\">",
						 MARGIN, bottom + 3 * LINE);
		picture->y += LINE;
	}
	append_text(&picture->body, time_zone);
	appendStringInfoString(&picture->body, "</text>");
}

/* ----------
 * The whole
 * ----------
 */
static void
picture_init(Picture *picture, Datum title, Datum width)
{
	picture->width = DatumGetInt32(width);
	picture->title = TextDatumGetCString(title);
	picture->y = MARGIN;
	if (picture->width < MIN_WIDTH || picture->width > MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width must be between %d and %d", MIN_WIDTH, MAX_WIDTH)));
	initStringInfo(&picture->description);
	initStringInfo(&picture->body);
	if (picture->title[0] != '\0')
	{
		appendStringInfo(&picture->body, "<text class=\"title\" x=\"%d\" y=\"%d\">",
						 MARGIN, picture->y + 14);
		append_label(&picture->body, picture->title, (picture->width - 2 * MARGIN) * 3 / 4);
		appendStringInfoString(&picture->body, "</text>");
		picture->y += 26;
	}
}

static Datum
picture_finish(Picture *picture, const char *title)
{
	StringInfoData out;
	uint64		hash;

	if (picture->title[0] != '\0')
		title = picture->title;
	hash = hash_bytes_extended((unsigned char *) picture->body.data, picture->body.len, 0) ^
		hash_bytes_extended((unsigned char *) picture->description.data, picture->description.len, 1) ^
		hash_bytes_extended((const unsigned char *) title, (int) strlen(title), 2);

	initStringInfo(&out);
	appendStringInfo(&out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sharecollab\" role=\"img\""
					 " aria-labelledby=\"t" HEX64 "\" aria-describedby=\"d" HEX64 "\""
					 " viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\"><title id=\"t" HEX64 "\">",
					 hash, hash, picture->width, picture->y, picture->width, picture->y, hash);
	append_text(&out, title);
	appendStringInfo(&out, "</title><desc id=\"d" HEX64 "\">%s</desc>%s", hash,
					 picture->description.data, style);
	appendStringInfo(&out, "<rect class=\"surface\" width=\"%d\" height=\"%d\"/>",
					 picture->width, picture->y);
	appendBinaryStringInfo(&out, picture->body.data, picture->body.len);
	appendStringInfoString(&out, "</svg>");
	return PointerGetDatum(cstring_to_text_with_len(out.data, out.len));
}

/* Without its place.  False for an empty time. */
static bool
time_axis_init(TimeAxis *axis, Datum during, Datum time_zone)
{
	axis->span = span_arg(during);
	axis->time_zone = time_zone;
	if (SPAN_IS_EMPTY(axis->span))
		return false;
	if (axis->span.from == DT_NOBEGIN || axis->span.until == DT_NOEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot draw an unbounded time"),
				 errhint("Bound the time, for example with tstzrange(a, b).")));
	return true;
}

/* ----------
 * Profiles
 * ----------
 */

/* The value of a breakpoint, on the scale of the axis. */
static inline int128
axis_value(const ProfileReader *reader, int i, int scale)
{
	return (int128) profile_value_from(reader, i) * decimal_pow10[scale - reader->scale];
}

static int64
value_y(const ValueAxis *axis, int128 value)
{
	int128		range = axis->high - axis->low;
	int128		above = axis->high - value;

	/* leave room for the product */
	for (; range > PG_INT64_MAX; range /= 10)
		above /= 10;
	return (int64) axis->top * PIXEL + (int64) (above * (axis->height * PIXEL) / range);
}

/*
 * Round numbers, a few, from the least (or 0) to the greatest (or 0).
 */
static void
value_axis_init(ValueAxis *axis)
{
	int128		unit;

	if (axis->low == 0 && axis->high == 0)
		axis->high = decimal_pow10[axis->scale];
	for (unit = 1;; unit *= 10)
		for (int i = 0; i < 3; i++)
		{
			int128		step = unit * (i == 0 ? 1 : i == 1 ? 2 : 5);
			int128		high = (axis->high + step - 1) / step;
			int128		low = (-axis->low + step - 1) / step;

			if (high + low > 5)
				continue;
			axis->step = step;
			axis->high = high * step;
			axis->low = -low * step;
			return;
		}
}

/*
 * A step line.  With more breakpoints than pixels, what is drawn in each
 * column of pixels is all from the least to the greatest value there, so that
 * no peak is lost, and the size of the picture is bounded.
 */
static void
append_line(StringInfo out, const ProfileReader *reader, const TimeAxis *time,
			const ValueAxis *value)
{
	int			first = profile_find(reader, time->span.from);
	int			last = profile_find(reader, time->span.until - 1);
	int			i = first + 1;

	appendStringInfoChar(out, 'M');
	append_position(out, (int64) time->left * PIXEL);
	appendStringInfoChar(out, ' ');
	append_position(out, value_y(value, axis_value(reader, first, value->scale)));
	if (last - first <= 2 * time->width)
	{
		for (; i <= last; i++)
		{
			appendStringInfoChar(out, 'H');
			append_position(out, time_x(time, profile_time(reader, i)));
			appendStringInfoChar(out, 'V');
			append_position(out, value_y(value, axis_value(reader, i, value->scale)));
		}
	}
	while (i <= last)
	{
		int64		column = time_x(time, profile_time(reader, i)) / PIXEL;
		int64		low = profile_value(reader, i);
		int64		high = low;

		for (i++; i <= last && time_x(time, profile_time(reader, i)) / PIXEL == column; i++)
		{
			CHECK_FOR_INTERRUPTS();
			low = Min(low, profile_value(reader, i));
			high = Max(high, profile_value(reader, i));
		}
		appendStringInfo(out, "H" INT64_FORMAT, column);
		for (int j = 0; j < 3; j++)
		{
			int128		v = j == 0 ? high : j == 1 ? low : profile_value(reader, i - 1);

			appendStringInfoChar(out, 'V');
			append_position(out, value_y(value, v * decimal_pow10[value->scale - reader->scale]));
		}
	}
	appendStringInfo(out, "H%d", time->left + time->width);
}

/*
 * What a picture of profiles is made of.
 */
typedef struct Chart
{
	Picture		picture;
	TimeAxis	time;
	ValueAxis	value;
	const char *unit;
	int			n;
	ProfileReader readers[MAX_PROFILES];
	const char *names[MAX_PROFILES];	/* "" for none */
	bool		has_names;
} Chart;

static void
chart_read(Chart *chart, ArrayType *profiles, ArrayType *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nnames;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(ARR_ELEMTYPE(profiles), &typlen, &typbyval, &typalign);
	deconstruct_array(profiles, ARR_ELEMTYPE(profiles), typlen, typbyval, typalign,
					  &elements, &nulls, &chart->n);
	if (chart->n < 1 || chart->n > MAX_PROFILES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a picture has between 1 and %d profiles", MAX_PROFILES)));
	for (int i = 0; i < chart->n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("profile %d is null", i + 1)));
		profile_read(elements[i], &chart->readers[i]);
		chart->value.scale = Max(chart->value.scale, chart->readers[i].scale);
		chart->names[i] = "";
	}
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &nnames);
	for (int i = 0; i < Min(chart->n, nnames); i++)
	{
		if (nulls[i])
			continue;
		chart->names[i] = TextDatumGetCString(elements[i]);
		chart->has_names |= chart->names[i][0] != '\0';
	}
}

/*
 * Between which values each profile is, as the axis has to know, and as is
 * said to who does not see it.
 */
static void
chart_describe(Chart *chart)
{
	StringInfo	out = &chart->picture.description;
	ValueAxis  *value = &chart->value;
	Span		span = chart->time.span;

	append_span(out, chart->time.time_zone, span);
	appendStringInfoChar(out, ' ');
	append_text(out, TextDatumGetCString(chart->time.time_zone));
	appendStringInfoChar(out, '.');
	for (int i = 0; i < chart->n; i++)
	{
		const ProfileReader *reader = &chart->readers[i];
		int			last = profile_find(reader, span.until - 1);
		int			j = profile_find(reader, span.from);
		int128		low = axis_value(reader, j, value->scale);
		int128		high = low;

		while (++j <= last)
		{
			int128		v = axis_value(reader, j, value->scale);

			CHECK_FOR_INTERRUPTS();
			low = Min(low, v);
			high = Max(high, v);
		}
		value->low = Min(value->low, low);
		value->high = Max(value->high, high);
		appendStringInfoChar(out, ' ');
		append_text(out, chart->names[i][0] != '\0' ? chart->names[i] : "Quantity");
		appendStringInfoString(out, ": from ");
		append_number(out, low, value->scale);
		appendStringInfoString(out, " to ");
		append_number(out, high, value->scale);
		append_unit(out, chart->unit);
		appendStringInfoChar(out, '.');
	}
}

static void
chart_legend(Chart *chart)
{
	Picture    *picture = &chart->picture;
	int			x = MARGIN;

	picture->y += LINE;
	for (int i = 0; i < chart->n; i++)
	{
		StringInfoData name;
		int			width;

		if (chart->names[i][0] == '\0')
			continue;
		initStringInfo(&name);
		width = append_label(&name, chart->names[i], picture->width - 2 * MARGIN - 30);
		if (x > MARGIN && x + 30 + width > picture->width - MARGIN)
		{
			x = MARGIN;
			picture->y += LINE;
		}
		appendStringInfo(&picture->body,
						 "<path class=\"line c%d d%d\" d=\"M%d %dh22\"/><text x=\"%d\" y=\"%d\">%s</text>",
						 i % COLOURS, i % DASHES, x, picture->y - 8, x + 28, picture->y - 4, name.data);
		x += 28 + width + 16;
	}
	picture->y += 4;
}

/*
 * Both axes.  The labels of quantities take as much room as the longest needs.
 */
static void
chart_axes(Chart *chart, int height)
{
	Picture    *picture = &chart->picture;
	StringInfo	out = &picture->body;
	ValueAxis  *value = &chart->value;
	TimeAxis   *time = &chart->time;
	int			longest = 2;
	StringInfoData labels;

	initStringInfo(&labels);
	for (int128 v = value->low; v <= value->high; v += value->step)
	{
		resetStringInfo(&labels);
		append_number(&labels, v, value->scale);
		longest = Max(longest, labels.len);
	}
	time->left = MARGIN + longest * CHARACTER + 6;
	time->width = picture->width - time->left - 2 * MARGIN;
	if (time->width < MIN_WIDTH / 5)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width is not enough for the labels of the quantities")));
	if (chart->unit[0] != '\0')
	{
		picture->y += LINE;
		appendStringInfo(out, "<text class=\"quiet\" x=\"%d\" y=\"%d\">", MARGIN, picture->y - 4);
		append_label(out, chart->unit, picture->width - 2 * MARGIN);
		appendStringInfoString(out, "</text>");
	}
	value->top = picture->y + 6;
	value->height = height;
	append_time_axis(picture, time, value->top, value->top + height);

	appendStringInfoString(out, "<path class=\"grid\" d=\"");
	resetStringInfo(&labels);
	for (int128 v = value->low; v <= value->high; v += value->step)
	{
		int64		y = value_y(value, v);

		appendStringInfo(out, "M%d ", time->left);
		append_position(out, y);
		appendStringInfo(out, "h%d", time->width);
		appendStringInfo(&labels, "<text class=\"end quiet\" x=\"%d\" y=\"", time->left - 6);
		append_position(&labels, y + 4 * PIXEL);
		appendStringInfoString(&labels, "\">");
		append_number(&labels, v, value->scale);
		appendStringInfoString(&labels, "</text>");
	}
	appendStringInfo(out, "\"/>%s<path class=\"axis\" d=\"M%d ", labels.data, time->left);
	append_position(out, value_y(value, 0));
	appendStringInfo(out, "h%d\"/>", time->width);
}

/* The first on top of the others, over its area. */
static void
chart_lines(Chart *chart)
{
	StringInfo	out = &chart->picture.body;

	for (int i = chart->n - 1; i >= 0; i--)
	{
		StringInfoData line;

		initStringInfo(&line);
		append_line(&line, &chart->readers[i], &chart->time, &chart->value);
		if (i == 0)
		{
			appendStringInfo(out, "<path class=\"area c0\" d=\"%sV", line.data);
			append_position(out, value_y(&chart->value, 0));
			appendStringInfo(out, "H%dZ\"/>", chart->time.left);
		}
		appendStringInfo(out, "<path class=\"line c%d d%d\" d=\"%s\"/>",
						 i % COLOURS, i % DASHES, line.data);
	}
}

/*
 * svg(profiles, names, during, title, unit, time_zone, width, height)
 */
PG_FUNCTION_INFO_V1(svg_profiles);
Datum
svg_profiles(PG_FUNCTION_ARGS)
{
	int32		height = PG_GETARG_INT32(7);
	Chart		chart = {0};

	picture_init(&chart.picture, PG_GETARG_DATUM(3), PG_GETARG_DATUM(6));
	if (height < MIN_HEIGHT || height > MAX_HEIGHT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("height must be between %d and %d", MIN_HEIGHT, MAX_HEIGHT)));
	if (!time_axis_init(&chart.time, PG_GETARG_DATUM(2), PG_GETARG_DATUM(5)))
		PG_RETURN_NULL();
	chart.unit = text_to_cstring(PG_GETARG_TEXT_PP(4));
	chart_read(&chart, PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));
	chart_describe(&chart);
	value_axis_init(&chart.value);
	if (chart.has_names)
		chart_legend(&chart);
	chart_axes(&chart, height);
	chart_lines(&chart);
	PG_RETURN_DATUM(picture_finish(&chart.picture, "Quantity over time"));
}

/* ----------
 * Tallies
 * ----------
 */
typedef struct BarScale
{
	int128		low;
	int128		range;
	int			left;			/* pixels */
	int			width;
} BarScale;

static int64
bar_x(const BarScale *scale, int128 quantity)
{
	int128		range = scale->range;
	int128		offset = quantity - scale->low;

	/* leave room for the product */
	for (; range > PG_INT64_MAX; range /= 10)
		offset /= 10;
	return (int64) scale->left * PIXEL + (int64) (offset * (scale->width * PIXEL) / range);
}

/*
 * One bar, and above it whose it is, and how much; its share if shares make
 * sense, which is if nothing is negative.
 */
static void
append_bar(Picture *picture, const BarScale *scale, const char *name, const char *kind,
		   int128 quantity, int decimals, const char *unit, int128 total)
{
	int64		x = bar_x(scale, Min(quantity, 0));
	StringInfoData value;

	initStringInfo(&value);
	append_digits(&value, quantity, decimals, true);
	append_unit(&value, unit);
	if (total > 0)
	{
		int			tenths = (int) (((int128) quantity * 2000 + total) / (2 * total));

		/* of a percent, rounded */
		appendStringInfo(&value, " (%d.%d %%)", tenths / 10, tenths % 10);
	}
	picture->y += LINE;
	appendStringInfo(&picture->body, "<text x=\"%d\" y=\"%d\">", MARGIN, picture->y - 4);
	append_label(&picture->body, name,
				 Max(scale->width - (value.len + 2) * CHARACTER, 2 * CHARACTER));
	appendStringInfo(&picture->body, "</text><text class=\"end\" x=\"%d\" y=\"%d\">%s</text>",
					 picture->width - MARGIN, picture->y - 4, value.data);
	appendStringInfo(&picture->body, "<rect class=\"%s\" x=\"", kind);
	append_position(&picture->body, x);
	appendStringInfo(&picture->body, "\" y=\"%d\" width=\"", picture->y + 1);
	append_position(&picture->body, bar_x(scale, Max(quantity, 0)) - x);
	appendStringInfoString(&picture->body, "\" height=\"8\"/>");
	picture->y += 16;
}

/*
 * svg(tally, title, unit, bars, width)
 */
PG_FUNCTION_INFO_V1(svg_tally);
Datum
svg_tally(PG_FUNCTION_ARGS)
{
	const char *unit = text_to_cstring(PG_GETARG_TEXT_PP(2));
	int32		bars = PG_GETARG_INT32(3);
	PartyMap	map;
	TallyRank  *ranks;
	Picture		picture;
	BarScale	scale;
	int128		total;
	int128		shown = 0;
	int128		high = 0;

	picture_init(&picture, PG_GETARG_DATUM(1), PG_GETARG_DATUM(4));
	if (bars < 1 || bars > MAX_BARS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of bars must be between 1 and %d", MAX_BARS)));
	tally_read(PG_GETARG_DATUM(0), &map);
	ranks = tally_ranked(&map);
	total = tally_total(&map);
	bars = Min(bars, map.n);

	scale.left = MARGIN;
	scale.width = picture.width - 2 * MARGIN;
	for (int i = 0; i < bars; i++)
		shown += ranks[i].quantity;
	if (map.n > 0)
	{
		high = Max(ranks[0].quantity, total - shown);
		scale.low = Min(Min(ranks[bars - 1].quantity, total - shown), 0);
	}
	else
		scale.low = 0;
	scale.range = Max(Max(high, 0) - scale.low, 1);

	appendStringInfo(&picture.description, "Parties: %d, together ", map.n);
	append_digits(&picture.description, total, map.exponent, true);
	append_unit(&picture.description, unit);
	appendStringInfoChar(&picture.description, '.');

	/* shares are of a whole */
	if (map.n > 0 && ranks[map.n - 1].quantity < 0)
		total = 0;
	for (int i = 0; i < bars; i++)
	{
		PartyKey	key = party_map_key(&map, ranks[i].i);

		CHECK_FOR_INTERRUPTS();
		append_bar(&picture, &scale, pnstrdup(key.name, key.len), "bar c0",
				   ranks[i].quantity, map.exponent, unit, total);
	}
	if (map.n > bars)
		append_bar(&picture, &scale, psprintf("%d others", map.n - bars), "rest",
				   tally_total(&map) - shown, map.exponent, unit, total);
	picture.y += 4;
	PG_RETURN_DATUM(picture_finish(&picture, "Quantity by party"));
}

/* ----------
 * Periods
 * ----------
 */

/*
 * gantt(names, periods, labels, during, title, time_zone, width)
 *
 * Bars of the same name that follow each other in the arrays share a row, in
 * as many lanes as it takes that none hides another.
 */
PG_FUNCTION_INFO_V1(svg_gantt);
Datum
svg_gantt(PG_FUNCTION_ARGS)
{
	Span		span;
	Picture		picture;
	TimeAxis	time;
	StringInfoData bars;
	Datum	   *names;
	Datum	   *periods;
	Datum	   *labels;
	bool	   *name_nulls;
	bool	   *period_nulls;
	bool	   *label_nulls;
	int			n;
	int			nperiods;
	int			nlabels;
	int64	   *lanes;			/* where the last bar of each lane ends */
	int			nlanes = 0;
	int			rows = 0;
	int			drawn = 0;
	int			top;
	char	   *row = NULL;

	picture_init(&picture, PG_GETARG_DATUM(4), PG_GETARG_DATUM(6));
	if (!time_axis_init(&time, PG_GETARG_DATUM(3), PG_GETARG_DATUM(5)))
		PG_RETURN_NULL();
	span = time.span;
	time.left = 2 * MARGIN;
	time.width = picture.width - 4 * MARGIN;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, &name_nulls, &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TSTZRANGEOID, -1, false, TYPALIGN_DOUBLE,
					  &periods, &period_nulls, &nperiods);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT,
					  &labels, &label_nulls, &nlabels);
	if (n != nperiods || n != nlabels)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("names, periods and labels must be as many")));

	lanes = palloc(Max(n, 1) * sizeof(int64));
	initStringInfo(&bars);
	picture.y += 4;
	top = picture.y;
	for (int i = 0; i < n; i++)
	{
		Span		whole;
		Span		part;
		char	   *name;
		char	   *label;
		int64		x;
		int64		width;
		int			lane;
		int			len;
		int			y;

		if (name_nulls[i] || period_nulls[i] || label_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("bar %d has a null name, period or label", i + 1)));
		whole = span_arg(periods[i]);
		part.from = Max(whole.from, span.from);
		part.until = Min(whole.until, span.until);
		if (SPAN_IS_EMPTY(whole) || SPAN_IS_EMPTY(part))
			continue;

		name = TextDatumGetCString(names[i]);
		label = TextDatumGetCString(labels[i]);
		if (row == NULL || strcmp(row, name) != 0)
		{
			picture.y += nlanes * LANE + (row == NULL ? 0 : 8) + LINE;
			appendStringInfo(&bars, "<text x=\"%d\" y=\"%d\">", time.left, picture.y - 5);
			append_label(&bars, name, time.width);
			appendStringInfoString(&bars, "</text>");
			row = name;
			nlanes = 0;
			rows++;
		}

		/* the first lane that is free; a bar is at least a pixel wide, so that it is seen */
		x = time_x(&time, part.from);
		width = Max(time_x(&time, part.until) - x, PIXEL);
		for (lane = 0; lane < nlanes && lanes[lane] > x; lane++)
			CHECK_FOR_INTERRUPTS();
		nlanes = Max(nlanes, lane + 1);
		lanes[lane] = x + width;
		y = picture.y + lane * LANE;
		drawn++;

		appendStringInfoString(&bars, "<g><title>");
		append_text(&bars, name);
		appendStringInfoString(&bars, ": ");
		append_text(&bars, label);
		appendStringInfoString(&bars, ", ");
		append_span(&bars, time.time_zone, whole);
		appendStringInfo(&bars, "</title><rect class=\"bar c0\" x=\"");
		append_position(&bars, x);
		appendStringInfo(&bars, "\" y=\"%d\" width=\"", y);
		append_position(&bars, width);
		appendStringInfo(&bars, "\" height=\"%d\" rx=\"2\"/>", LANE - 2);
		/* inside, if it fits there as a whole */
		if (text_width(label, (int) Max(width / PIXEL - 8, 0), &len) > 0 &&
			label[len] == '\0')
		{
			appendStringInfoString(&bars, "<text class=\"on\" x=\"");
			append_position(&bars, x + 4 * PIXEL);
			appendStringInfo(&bars, "\" y=\"%d\">", y + LANE - 6);
			append_text(&bars, label);
			appendStringInfoString(&bars, "</text>");
		}
		appendStringInfoString(&bars, "</g>");
	}
	picture.y += nlanes * LANE + 8;

	append_span(&picture.description, time.time_zone, span);
	appendStringInfoChar(&picture.description, ' ');
	append_text(&picture.description, TextDatumGetCString(time.time_zone));
	appendStringInfo(&picture.description, ". Bars: %d, rows: %d.", drawn, rows);
	append_time_axis(&picture, &time, top, picture.y);
	appendBinaryStringInfo(&picture.body, bars.data, bars.len);
	PG_RETURN_DATUM(picture_finish(&picture, "Periods"));
}
