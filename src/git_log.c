/*
 * git_log.c
 *		Reads the output of git log --numstat, commit by commit.
 *
 * Two formats are read, with or without -z, told apart by how a record begins:
 *
 *	fields	--format='%x02%H%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%cn%x1f%ce%x1f%ct'
 *			and up to three more fields with the values of the trailers
 *			Co-authored-by, Signed-off-by and Reviewed-by, which %x1d separates
 *	pretty	git's own: medium, which is its default, and fuller, with any --date
 *			that has a time zone; trailers are found in the message as git does
 *
 * then a line for each file: added TAB removed TAB path.
 *
 * Pure C: see git_log.h.
 */
#include "postgres.h"

#include "common/int.h"
#include "compat.h"
#include "git_log.h"

#define RECORD_START	'\x02'
#define FIELD_SEPARATOR	'\x1f'
#define VALUE_SEPARATOR	'\x1d'

/* of a timestamptz, in seconds since 1970 */
#define MIN_TIME		INT64CONST(-210866803200)
#define MAX_TIME		INT64CONST(9224318016000)

/* line counts beyond this are not git's */
#define MAX_DIGITS		18

/* numbers of fields of our own format */
enum
{
	F_HASH, F_PARENTS, F_AUTHOR_NAME, F_AUTHOR_EMAIL, F_AUTHOR_TIME,
	F_COMMITTER_NAME, F_COMMITTER_EMAIL, F_COMMITTER_TIME,
	F_TRAILERS
};

/* the trailers that credit somebody, and for what */
static const struct
{
	const char *key;
	const char *role;
}			trailer_roles[] = {
	/* first those of our own format, in its order */
	{"Co-authored-by", "co-author"},
	{"Signed-off-by", "signer"},
	{"Reviewed-by", "reviewer"},
	{"Acked-by", "acker"},
	{"Tested-by", "tester"},
	{"Reported-by", "reporter"},
	{"Suggested-by", "suggester"},
	{"Helped-by", "helper"},
	{"Mentored-by", "mentor"},
};

#define NUM_FIELD_TRAILERS	3

/* ----------
 * Pieces
 * ----------
 */
static bool
fail(GitLogReader *reader, const char *at, const char *error)
{
	reader->error = error;
	reader->error_at = at;
	return false;
}

/* where the line that begins at p ends: at its newline or the end of all */
static const char *
line_end(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', end - p);

	return newline ? newline : end;
}

static bool
is_hash(Slice s)
{
	if (s.len != 40 && s.len != 64)
		return false;
	for (size_t i = 0; i < s.len; i++)
	{
		if (!slice_isdigit(s.data[i]) && (s.data[i] < 'a' || s.data[i] > 'f'))
			return false;
	}
	return true;
}

static bool
parse_int(Slice s, int64 *result)
{
	bool		negative = s.len > 0 && s.data[0] == '-';
	int64		value = 0;

	if (s.len == (size_t) negative || s.len > MAX_DIGITS)
		return false;
	for (size_t i = negative; i < s.len; i++)
	{
		if (!slice_isdigit(s.data[i]))
			return false;
		value = value * 10 + (s.data[i] - '0');
	}
	*result = negative ? -value : value;
	return true;
}

static bool
parse_time(Slice s, int64 *result)
{
	return parse_int(s, result) && *result >= MIN_TIME && *result < MAX_TIME;
}

static int
count_words(Slice s)
{
	int			count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += s.data[i] != ' ' && (i == 0 || s.data[i - 1] == ' ');
	return count;
}

/*
 * "Name <email>", split as git splits it: at the first "<" and the first ">"
 * after it.  Without them, all is name.
 */
static GitPerson
split_person(Slice s)
{
	GitPerson	person = {slice_trim(s), {s.data, 0}};
	const char *end = s.data + s.len;
	const char *open = memchr(s.data, '<', s.len);
	const char *close = open ? memchr(open, '>', end - open) : NULL;

	if (close)
	{
		person.name = slice_trim(slice(s.data, open));
		person.email = slice_trim(slice(open + 1, close));
	}
	return person;
}

static const char person_too_long[] = "name and address of more than " CppAsString2(GIT_PERSON_MAX) " bytes";

static bool
person_fits(GitPerson person)
{
	return person.name.len + person.email.len <= GIT_PERSON_MAX;
}

/* ----------
 * Dates, as --date=default, iso, iso-strict, rfc, raw and unix write them
 * ----------
 */

/* Days since 1970-01-01 of the Gregorian calendar */
static int64
days_of_date(int64 year, int64 month, int64 day)
{
	int64		y = month <= 2 ? year - 1 : year;
	int64		era = (y >= 0 ? y : y - 399) / 400;
	int64		year_of_era = y - era * 400;
	int64		day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* numbers between separators, as in 2005-04-07 and 15:13:13 */
static bool
parse_parts(Slice s, char separator, int64 *parts)
{
	for (int i = 0; i < 3; i++)
	{
		const char *stop = i < 2 ? memchr(s.data, separator, s.len) : s.data + s.len;

		if (stop == NULL || stop == s.data || !slice_isdigit(s.data[0]) ||
			stop - s.data > 4 || !parse_int(slice(s.data, stop), &parts[i]))
			return false;
		if (i < 2)
			s = slice(stop + 1, s.data + s.len);
	}
	return true;
}

/* +0130, -08:00, Z */
static bool
parse_zone(Slice s, int64 *seconds)
{
	int64		hours;
	int64		minutes;

	if (s.len == 1 && s.data[0] == 'Z')
	{
		*seconds = 0;
		return true;
	}
	if ((s.len != 5 && (s.len != 6 || s.data[3] != ':')) || (s.data[0] != '+' && s.data[0] != '-') ||
		!slice_isdigit(s.data[1]) || !parse_int((Slice) {s.data + 1, 2}, &hours) ||
		!slice_isdigit(s.data[s.len - 2]) || !parse_int((Slice) {s.data + s.len - 2, 2}, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * (s.data[0] == '-' ? -60 : 60);
	return true;
}

static bool
parse_date(Slice s, int64 *result)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64		date[3] = {-1, 0, 0};	/* year, month, day */
	int64		time[3] = {-1, 0, 0};
	int64		zone = 0;
	bool		has_zone = false;
	const char *p = s.data;
	const char *end = s.data + s.len;

	/* unix and raw, whose time zone changes nothing */
	{
		const char *space = memchr(s.data, ' ', s.len);

		if (parse_time(slice(s.data, space ? space : end), result))
			return space == NULL || parse_zone(slice(space + 1, end), &zone);
	}

	/* the others are words which say themselves what they are */
	while (p < end)
	{
		const char *from = p;
		Slice		word;
		int64		number;

		while (p < end && *p != ' ' && *p != ',' && !(*p == 'T' && p > from && slice_isdigit(p[-1])))
			p++;
		word = slice(from, p);
		if (p < end)
			p++;
		if (word.len == 0)
			continue;
		if (memchr(word.data, ':', word.len) && time[0] < 0 && slice_isdigit(word.data[0]))
		{
			/* in iso-strict, the time zone follows at once */
			Slice		rest = {word.data, 0};

			if (word.len > 8)
			{
				rest = slice(word.data + 8, word.data + word.len);
				word.len = 8;
			}
			if (!parse_parts(word, ':', time) || (rest.len > 0 && !parse_zone(rest, &zone)))
				return false;
			has_zone |= rest.len > 0;
		}
		else if (parse_parts(word, '-', date))
			continue;
		else if (parse_zone(word, &zone))
			has_zone = true;
		else if (slice_isdigit(word.data[0]) && parse_int(word, &number))
		{
			if (word.len <= 2)
				date[2] = number;
			else
				date[0] = number;
		}
		else if (word.len == 3)
		{
			for (int month = 0; month < 12; month++)
			{
				if (memcmp(word.data, months + 3 * month, 3) == 0)
					date[1] = month + 1;
			}
		}
		else
			return false;
	}
	if (!has_zone || time[0] < 0 || time[0] > 24 || time[1] > 59 || time[2] > 60 ||
		date[0] < 0 || date[0] > 9999 || date[1] < 1 || date[1] > 12 || date[2] < 1 || date[2] > 31)
		return false;
	*result = ((days_of_date(date[0], date[1], date[2]) * 24 + time[0]) * 60 + time[1]) * 60 + time[2] - zone;
	return true;
}

/* ----------
 * Files
 * ----------
 */

/*
 * A row at p: true, and p goes behind it, or false, and p stays or is where
 * the error is.
 */
static bool
parse_row(const char **p, const char *end, bool nul, GitFile *file)
{
	const char *q = *p;
	const char *fields[2];
	Slice		counts[2];
	char		terminator = nul ? '\0' : '\n';

	for (int i = 0; i < 2; i++)
	{
		fields[i] = q;
		while (q < end && (slice_isdigit(*q) || *q == '-'))
			q++;
		counts[i] = slice(fields[i], q);
		if (q == end || *q != '\t')
			return false;
		q++;
	}
	file->binary = counts[0].len == 1 && counts[0].data[0] == '-';
	if (file->binary)
	{
		file->added = file->removed = 0;
		if (counts[1].len != 1 || counts[1].data[0] != '-')
			return false;
	}
	else if (counts[0].len == 0 || counts[0].data[0] == '-' || !parse_int(counts[0], &file->added) ||
			 counts[1].len == 0 || counts[1].data[0] == '-' || !parse_int(counts[1], &file->removed))
		return false;

	/* with -z, a rename is: nothing, NUL, old path, NUL, new path, NUL */
	file->old_path = (Slice) {q, 0};
	for (int i = 0;; i++)
	{
		const char *stop = q < end ? memchr(q, terminator, end - q) : NULL;

		if (stop == NULL)
		{
			/* the last newline of a text may be missing */
			if (nul || q == end)
				return false;
			file->path = slice(q, end);
			*p = end;
			return true;
		}
		file->path = slice(q, stop);
		q = stop + 1;
		if (file->path.len > 0 && (i == 0 || i == 2))
			break;
		if (!nul || (i > 0 && file->path.len == 0))
			return false;
		if (i == 1)
			file->old_path = file->path;
	}
	*p = q;
	return true;
}

/*
 * The rows of a commit up to the next record; reader->next goes behind them.
 */
static bool
parse_rows(GitLogReader *reader, GitCommit *commit)
{
	const char *p = reader->next;
	GitFile		file;

	/* blank lines before the first row, and after the last */
	while (p < reader->end && (*p == '\n' || *p == '\0'))
		p++;
	commit->rows.data = p;
	while (p < reader->end && (slice_isdigit(*p) || *p == '-'))
	{
		const char *row = p;

		if (!parse_row(&p, reader->end, reader->nul, &file))
			return fail(reader, row, "invalid line of a file: expected added, TAB, removed, TAB, path");
		if (pg_add_s64_overflow(commit->added, file.added, &commit->added) ||
			pg_add_s64_overflow(commit->removed, file.removed, &commit->removed) ||
			commit->files == PG_INT32_MAX)
			return fail(reader, row, "more lines than can be counted");
		commit->files++;
		commit->binaries += file.binary;
	}
	commit->rows.len = p - commit->rows.data;
	while (p < reader->end && (*p == '\n' || *p == '\0'))
		p++;
	reader->next = p;
	return true;
}

/*
 * The next file of a commit; rows is commit->rows, and shrinks.
 */
bool
git_file_next(Slice *rows, bool nul, GitFile *file)
{
	const char *p = rows->data;
	const char *end = rows->data + rows->len;

	if (rows->len == 0 || !parse_row(&p, end, nul, file))
		return false;
	*rows = slice(p, end);
	return true;
}

/*
 * A path in C quotes at *p, decoded to *out; *p goes behind the closing quote.
 */
static bool
unquote(const char **p, const char *end, char **out)
{
	const char *q = *p + 1;
	char	   *o = *out;

	for (;;)
	{
		if (q == end)
			return false;
		if (*q == '"')
			break;
		if (*q != '\\')
			*o++ = *q++;
		else if (end - q >= 4 && q[1] >= '0' && q[1] <= '3' &&
				 q[2] >= '0' && q[2] <= '7' && q[3] >= '0' && q[3] <= '7')
		{
			*o++ = (char) ((q[1] - '0') * 64 + (q[2] - '0') * 8 + (q[3] - '0'));
			q += 4;
		}
		else
		{
			static const char letters[] = "abtnvfr\"\\";
			static const char bytes[] = "\a\b\t\n\v\f\r\"\\";
			const char *letter = end - q >= 2 && q[1] != '\0' ? strchr(letters, q[1]) : NULL;

			if (letter == NULL)
				return false;
			*o++ = bytes[letter - letters];
			q += 2;
		}
	}
	*p = q + 1;
	*out = o;
	return true;
}

static const char *
find(const char *p, const char *end, const char *what, size_t len)
{
	for (; end - p >= (ptrdiff_t) len; p++)
	{
		p = memchr(p, what[0], end - p - len + 1);
		if (p == NULL)
			return NULL;
		if (memcmp(p, what, len) == 0)
			return p;
	}
	return NULL;
}

/*
 * What a file is called and, if it was renamed, was called before: else
 * old_path is empty.  The buffer has room for twice the length of file->path.
 *
 * Without -z this is a guess where a name itself has " => " in it: git writes
 * a file called "a => b" just like a rename.  False if a path is quoted in a
 * way that git does not.
 */
bool
git_file_paths(const GitFile *file, bool nul, char *buffer, Slice *path, Slice *old_path)
{
	static const char arrow[] = " => ";
	const char *p = file->path.data;
	const char *end = p + file->path.len;
	const char *middle;
	const char *open;
	const char *close;
	char	   *out = buffer;

	*path = file->path;
	*old_path = file->old_path;
	if (nul)
		return true;

	/* quoted, alone or renamed; such a rename never has braces */
	if (*p == '"')
	{
		if (!unquote(&p, end, &out))
			return false;
		*path = slice(buffer, out);
		if (p == end)
			return true;
		if (!slice_starts_with(slice(p, end), arrow, 4))
			return false;
		*old_path = *path;
		p += 4;
		if (p == end)
			return false;
		if (*p != '"')
		{
			*path = slice(p, end);
			return true;
		}
		*path = (Slice) {out, 0};
		if (!unquote(&p, end, &out) || p != end)
			return false;
		path->len = out - path->data;
		return true;
	}
	middle = find(p, end, arrow, 4);
	if (middle == NULL)
		return true;
	if (end[-1] == '"' && middle + 4 < end - 1 && middle[4] == '"')
	{
		const char *q = middle + 4;

		if (!unquote(&q, end, &out) || q != end)
			return false;
		*old_path = slice(p, middle);
		*path = slice(buffer, out);
		return true;
	}

	/* common/{old => new}/common, where one side may be empty */
	open = middle;
	while (open > p && *open != '{')
		open--;
	close = memchr(middle, '}', end - middle);
	if (*open == '{' && close != NULL && (open == p || open[-1] == '/') && (close + 1 == end || close[1] == '/'))
	{
		for (int side = 0; side < 2; side++)
		{
			Slice		inner = side == 0 ? slice(open + 1, middle) : slice(middle + 4, close);
			const char *tail = close + 1;
			char	   *from = out;

			memcpy(out, p, open - p);
			out += open - p;
			memcpy(out, inner.data, inner.len);
			out += inner.len;
			if (inner.len == 0 && tail < end && (out == from || out[-1] == '/'))
				tail++;
			memcpy(out, tail, end - tail);
			out += end - tail;
			if (side == 0)
				*old_path = slice(from, out);
			else
				*path = slice(from, out);
		}
		return path->len > 0 && old_path->len > 0;
	}
	if (middle == p || middle + 4 == end)
		return true;			/* a strange name */
	*old_path = slice(p, middle);
	*path = slice(middle + 4, end);
	return true;
}

/* ----------
 * Commits
 * ----------
 */

/*
 * A record of our own format; reader->next is behind its first byte.
 */
static bool
parse_fields(GitLogReader *reader, GitCommit *commit)
{
	const char *p = reader->next;
	const char *stop = memchr(p, reader->nul ? '\0' : '\n', reader->end - p);
	Slice		fields[F_TRAILERS] = {{0}};
	int			n = 0;

	if (stop == NULL)
		stop = reader->end;
	while (n < F_TRAILERS)
	{
		const char *separator = memchr(p, FIELD_SEPARATOR, stop - p);

		fields[n++] = slice(p, separator ? separator : stop);
		p = separator ? separator + 1 : stop;
		if (separator == NULL)
			break;
	}
	if (n < F_TRAILERS)
		return fail(reader, reader->next, "record has less than 8 fields");
	commit->format = GIT_LOG_FIELDS;
	commit->hash = fields[F_HASH];
	if (!is_hash(commit->hash))
		return fail(reader, commit->hash.data, "invalid commit hash");
	commit->parents = count_words(fields[F_PARENTS]);
	commit->author = (GitPerson) {slice_trim(fields[F_AUTHOR_NAME]), slice_trim(fields[F_AUTHOR_EMAIL])};
	commit->committer = (GitPerson) {slice_trim(fields[F_COMMITTER_NAME]), slice_trim(fields[F_COMMITTER_EMAIL])};
	commit->has_committer = true;
	if (!person_fits(commit->author) || !person_fits(commit->committer))
		return fail(reader, commit->hash.data, person_too_long);
	if (!parse_time(fields[F_AUTHOR_TIME], &commit->author_time))
		return fail(reader, fields[F_AUTHOR_TIME].data, "invalid time of the author");
	if (!parse_time(fields[F_COMMITTER_TIME], &commit->committer_time))
		return fail(reader, fields[F_COMMITTER_TIME].data, "invalid time of the committer");
	commit->trailers = slice(p, stop);
	reader->next = stop < reader->end ? stop + 1 : stop;
	return true;
}

/*
 * A record of git's own format; reader->next is behind the word "commit" and
 * the space after it.
 */
static bool
parse_pretty(GitLogReader *reader, GitCommit *commit)
{
	const char *p = reader->next;
	const char *end = reader->end;
	const char *stop = line_end(p, end);
	const char *word = p;
	bool		has_author = false;
	bool		has_time = false;
	bool		has_committer_time = false;

	/* commit HASH [PARENT...] [(refs)] */
	while (word < stop && *word != ' ')
		word++;
	commit->format = GIT_LOG_PRETTY;
	commit->hash = slice(p, word);
	if (!is_hash(commit->hash))
		return fail(reader, p, "invalid commit hash");
	for (;;)
	{
		const char *from = ++word;

		while (word < stop && *word != ' ')
			word++;
		if (from >= stop || !is_hash(slice(from, word)))
			break;
		commit->parents++;
	}

	/* Key: value, up to a blank line */
	for (p = stop + 1; p < end && *p != '\n' && *p != '\0'; p = stop + 1)
	{
		const char *colon;
		Slice		key;
		Slice		value;

		stop = line_end(p, end);
		colon = memchr(p, ':', stop - p);
		if (colon == NULL)
			return fail(reader, p, "unexpected line in the header of a commit");
		key = slice(p, colon);
		value = slice_trim(slice(colon + 1, stop));

#define KEY_IS(literal) \
	(key.len == sizeof(literal) - 1 && memcmp(key.data, literal, sizeof(literal) - 1) == 0)

		if (KEY_IS("Author"))
		{
			commit->author = split_person(value);
			has_author = true;
		}
		else if (KEY_IS("Commit"))
		{
			commit->committer = split_person(value);
			commit->has_committer = true;
		}
		else if (KEY_IS("Merge"))
			commit->parents = count_words(value);
		else if (KEY_IS("Date") || KEY_IS("AuthorDate"))
		{
			if (!parse_date(value, &commit->author_time))
				return fail(reader, value.data, "invalid date");
			has_time = true;
		}
		else if (KEY_IS("CommitDate"))
		{
			if (!parse_date(value, &commit->committer_time))
				return fail(reader, value.data, "invalid date");
			has_committer_time = true;
		}
	}
	if (!has_author)
		return fail(reader, reader->next, "commit has no author");
	if (!person_fits(commit->author) || !person_fits(commit->committer))
		return fail(reader, commit->hash.data, person_too_long);
	if (!has_time)
		return fail(reader, reader->next, "commit has no date");
	if (!has_committer_time)
		commit->committer_time = commit->author_time;

	/* the message, indented, then perhaps notes, indented too */
	p = Min(p, end);
	commit->trailers = (Slice) {p, 0};
	for (bool notes = false; p < end && *p != '\0'; p = stop < end ? stop + 1 : end)
	{
		stop = line_end(p, end);
		if (stop - p >= 4 && memcmp(p, "    ", 4) == 0)
		{
			if (!notes)
				commit->trailers.len = stop - commit->trailers.data;
		}
		else if (stop - p >= 5 && memcmp(p, "Notes", 5) == 0)
			notes = true;
		else if (p != stop)
			break;
	}
	reader->next = p;
	return true;
}

void
git_log_open(GitLogReader *reader, const char *data, size_t len)
{
	memset(reader, 0, sizeof(GitLogReader));
	reader->start = reader->next = data;
	reader->end = data + len;
	/* no text has a zero byte, and -z ends each name with one */
	reader->nul = len > 0 && memchr(data, '\0', len) != NULL;
}

static bool
starts_record(const char *p, const char *end)
{
	return *p == RECORD_START || slice_starts_with(slice(p, end), "commit ", 7);
}

GitLogResult
git_log_next(GitLogReader *reader, GitCommit *commit)
{
	const char *p = reader->next;

	memset(commit, 0, sizeof(GitCommit));
	while (p < reader->end && (*p == '\n' || *p == '\0'))
		p++;
	if (p == reader->end)
		return GIT_LOG_END;
	if (!starts_record(p, reader->end))
		fail(reader, p, "expected the start of a commit");
	else
	{
		bool		fields = *p == RECORD_START;

		reader->next = p + (fields ? 1 : 7);
		if ((fields ? parse_fields(reader, commit) : parse_pretty(reader, commit)) &&
			parse_rows(reader, commit))
			return GIT_LOG_COMMIT;
	}

	/* go on where something looks like a start again */
	for (p = Max(p + 1, reader->error_at); p < reader->end; p++)
	{
		if ((p[-1] == '\n' || p[-1] == '\0') && starts_record(p, reader->end))
			break;
	}
	reader->next = p;
	return GIT_LOG_ERROR;
}

/*
 * The number of a line, from 1.  Counted only when somebody asks.
 */
int64
git_log_line(const GitLogReader *reader, const char *at)
{
	int64		line = 1;

	for (const char *p = reader->start; (p = memchr(p, '\n', at - p)) != NULL; p++)
		line++;
	return line;
}

/* ----------
 * Trailers
 * ----------
 */

/* The role that a key stands for: NULL if none */
static const char *
role_of_key(Slice key)
{
	for (int i = 0; i < (int) lengthof(trailer_roles); i++)
	{
		if (strlen(trailer_roles[i].key) == key.len &&
			pg_strncasecmp(trailer_roles[i].key, key.data, key.len) == 0)
			return trailer_roles[i].role;
	}
	return NULL;
}

/* Without the indentation that git log gives each line of a message */
static Slice
message_line(const char *p, const char *stop)
{
	return stop - p >= 4 ? slice(p + 4, stop) : slice(stop, stop);
}

/* "Key: value" */
static bool
split_trailer(Slice line, Slice *key, Slice *value)
{
	size_t		i = 0;
	size_t		len;

	while (i < line.len && (slice_isdigit(line.data[i]) || line.data[i] == '-' ||
							(line.data[i] >= 'a' && line.data[i] <= 'z') ||
							(line.data[i] >= 'A' && line.data[i] <= 'Z')))
		i++;
	len = i;
	while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	if (len == 0 || i == line.len || line.data[i] != ':')
		return false;
	*key = (Slice) {line.data, len};
	*value = slice(line.data + i + 1, line.data + line.len);
	return true;
}

/*
 * The trailers of a message are its last paragraph, unless that is its title:
 * if all lines are trailers, or at least a quarter are and one is of those
 * that git itself writes.  (git interpret-trailers)
 */
static Slice
trailer_block(Slice message)
{
	const char *end = message.data + message.len;
	const char *block = NULL;
	bool		blank = true;
	int			paragraphs = 0;
	int			trailers = 0;
	int			others = 0;
	bool		by_git = false;
	bool		in_trailer = false;

	for (const char *p = message.data; p < end;)
	{
		const char *stop = line_end(p, end);
		Slice		line = message_line(p, stop);
		Slice		key;
		Slice		value;

		if (slice_trim(line).len == 0)
			blank = true;
		else
		{
			if (blank)
			{
				block = p;
				paragraphs++;
				trailers = others = 0;
				by_git = in_trailer = blank = false;
			}
			if (slice_isspace(line.data[0]))
				others += !in_trailer;	/* the line before goes on */
			else if (slice_starts_with(line, "(cherry picked from commit ", 27))
			{
				trailers++;
				by_git = true;
				in_trailer = false;
			}
			else if (split_trailer(line, &key, &value))
			{
				trailers++;
				by_git |= slice_starts_with(line, "Signed-off-by: ", 15);
				in_trailer = true;
			}
			else
			{
				others++;
				in_trailer = false;
			}
		}
		p = stop < end ? stop + 1 : end;
	}
	if (paragraphs < 2 || trailers == 0 || (others > 0 && !(by_git && trailers * 3 >= others)))
		return (Slice) {end, 0};
	return slice(block, end);
}

void
git_trailers_open(GitTrailers *trailers, const GitCommit *commit)
{
	trailers->format = commit->format;
	trailers->rest = commit->trailers;
	trailers->field = 0;
	if (commit->format == GIT_LOG_PRETTY)
		trailers->rest = trailer_block(commit->trailers);
}

/*
 * The next person: false if there is none.
 */
bool
git_trailer_next(GitTrailers *trailers, const char **role, GitPerson *person)
{
	const char *end = trailers->rest.data + trailers->rest.len;

	while (trailers->rest.len > 0)
	{
		const char *p = trailers->rest.data;
		const char *stop = p;

		if (trailers->format == GIT_LOG_FIELDS)
		{
			int			field = trailers->field;

			while (stop < end && *stop != VALUE_SEPARATOR && *stop != FIELD_SEPARATOR)
				stop++;
			trailers->field += stop < end && *stop == FIELD_SEPARATOR;
			trailers->rest = slice(stop < end ? stop + 1 : end, end);
			if (field >= NUM_FIELD_TRAILERS)
				return false;
			*role = trailer_roles[field].role;
			*person = split_person(slice(p, stop));
		}
		else
		{
			Slice		key;
			Slice		value;
			const char *next;

			/* a line, and those which continue it */
			stop = line_end(p, end);
			while (stop < end)
			{
				Slice		more;

				next = line_end(stop + 1, end);
				more = message_line(stop + 1, next);
				if (more.len == 0 || !slice_isspace(more.data[0]) || slice_trim(more).len == 0)
					break;
				stop = next;
			}
			trailers->rest = slice(stop < end ? stop + 1 : end, end);
			if (stop - p < 4 || !split_trailer(slice(p + 4, stop), &key, &value) ||
				(*role = role_of_key(key)) == NULL)
				continue;
			*person = split_person(value);
		}
		if ((person->name.len > 0 || person->email.len > 0) && person_fits(*person))
			return true;
	}
	return false;
}
