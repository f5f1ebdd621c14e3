/*
 * git_fuzz.c
 *		Fuzz target of the parsers of git logs and mailmaps, for libFuzzer.
 *
 * The first byte of an input says what to do with the others:
 *
 *	even	a git log: nothing is read outside of it, each step gets on, the
 *			files of a commit are what was counted, and a commit that is read
 *			alone is the same commit
 *	odd		a mailmap: the answers are those of a model that looks at all
 *			entries in turn
 */
#include "postgres.h"

#include "compat.h"
#include "git_log.h"
#include "mailmap.h"
#include "shim.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

static bool
same(Slice a, Slice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void
check_inside(Slice s, const char *from, const char *until)
{
	if (s.len > 0)
		CHECK(s.data >= from && s.data + s.len <= until);
}

/* Reads all of a commit that can be read of it */
static void
check_commit(const GitCommit *commit, const GitLogReader *reader, const char *from)
{
	GitTrailers trailers;
	GitPerson	person;
	const char *role;
	Slice		rows = commit->rows;
	GitFile		file;
	int64		added = 0;
	int64		removed = 0;
	int			files = 0;
	int			binaries = 0;

	check_inside(commit->hash, from, reader->next);
	check_inside(commit->author.name, from, reader->next);
	check_inside(commit->author.email, from, reader->next);
	check_inside(commit->committer.name, from, reader->next);
	check_inside(commit->committer.email, from, reader->next);
	check_inside(commit->trailers, from, reader->next);
	check_inside(commit->rows, from, reader->next);
	CHECK(commit->hash.len == 40 || commit->hash.len == 64);

	git_trailers_open(&trailers, commit);
	while (git_trailer_next(&trailers, &role, &person))
	{
		CHECK(strlen(role) > 0 && person.name.len + person.email.len > 0);
		check_inside(person.name, commit->trailers.data, commit->trailers.data + commit->trailers.len);
		check_inside(person.email, commit->trailers.data, commit->trailers.data + commit->trailers.len);
	}
	while (git_file_next(&rows, reader->nul, &file))
	{
		char	   *buffer = palloc(2 * file.path.len + 1);
		Slice		path;
		Slice		old_path;

		CHECK(file.added >= 0 && file.removed >= 0 && file.path.len > 0);
		if (git_file_paths(&file, reader->nul, buffer, &path, &old_path))
		{
			CHECK(path.len <= 2 * file.path.len);
			CHECK(reader->nul || old_path.len <= file.path.len);
		}
		added += file.added;
		removed += file.removed;
		files++;
		binaries += file.binary;
	}
	CHECK(rows.len == 0);
	CHECK(added == commit->added && removed == commit->removed);
	CHECK(files == commit->files && binaries == commit->binaries);
}

static void
fuzz_log(const char *data, size_t size)
{
	GitLogReader reader;
	GitCommit	commit;
	const char *from = data;

	git_log_open(&reader, data, size);
	for (;;)
	{
		GitLogResult result = git_log_next(&reader, &commit);

		if (result == GIT_LOG_END)
			break;
		CHECK(reader.next > from && reader.next <= data + size);
		if (result == GIT_LOG_ERROR)
		{
			CHECK(reader.error_at >= data && reader.error_at <= data + size);
			CHECK(git_log_line(&reader, reader.error_at) >= 1);
		}
		else
		{
			size_t		len = reader.next - from;
			char	   *copy = palloc(len);
			GitLogReader alone;
			GitCommit	again;

			check_commit(&commit, &reader, from);
			memcpy(copy, from, len);
			git_log_open(&alone, copy, len);
			if (alone.nul == reader.nul)
			{
				CHECK(git_log_next(&alone, &again) == GIT_LOG_COMMIT);
				CHECK(same(again.hash, commit.hash) && again.parents == commit.parents);
				CHECK(same(again.author.name, commit.author.name) && same(again.author.email, commit.author.email));
				CHECK(again.author_time == commit.author_time && again.committer_time == commit.committer_time);
				CHECK(again.added == commit.added && again.removed == commit.removed && again.files == commit.files);
				CHECK(same(again.trailers, commit.trailers));
				CHECK(git_log_next(&alone, &again) == GIT_LOG_END);
			}
		}
		from = reader.next;
	}
}

/* ----------
 * Mailmaps
 * ----------
 */
#define MAX_ENTRIES	256

static bool
alike(Slice a, Slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
	{
		if (pg_ascii_tolower((unsigned char) a.data[i]) != pg_ascii_tolower((unsigned char) b.data[i]))
			return false;
	}
	return true;
}

static void
model_lookup(const MailmapEntry *entries, size_t n, Slice *name, Slice *email)
{
	Slice		old_name = *name;
	Slice		old_email = *email;

	for (size_t i = n; i-- > 0;)
	{
		const MailmapEntry *e = &entries[i];

		if (e->commit_name.data && alike(e->commit_name, old_name) && alike(e->commit_email, old_email))
		{
			if (e->name.data)
				*name = e->name;
			if (e->email.data)
				*email = e->email;
			return;
		}
	}
	for (size_t i = 0; i < n; i++)
	{
		const MailmapEntry *e = &entries[i];

		if (e->commit_name.data == NULL && alike(e->commit_email, old_email))
		{
			if (e->name.data)
				*name = e->name;
			if (e->email.data)
				*email = e->email;
		}
	}
}

static void
fuzz_mailmap(const char *data, size_t size)
{
	static MailmapEntry entries[MAX_ENTRIES];
	static MailmapEntry sorted[MAX_ENTRIES];
	Slice		rest = {data, size};
	size_t		n = 0;
	int			line = 0;

	while (n < MAX_ENTRIES && mailmap_next(&rest, &line, &entries[n]))
	{
		MailmapEntry *e = &entries[n++];

		check_inside(rest, data, data + size);
		check_inside(e->name, data, data + size);
		check_inside(e->email, data, data + size);
		check_inside(e->commit_name, data, data + size);
		check_inside(e->commit_email, data, data + size);
		CHECK(e->commit_email.data != NULL && e->line == line);
	}
	memcpy(sorted, entries, n * sizeof(MailmapEntry));
	mailmap_sort(sorted, n);
	for (size_t i = 0; i < n; i++)
	{
		for (size_t j = 0; j < n && j < 8; j++)
		{
			Slice		name = entries[j].commit_name.data ? entries[j].commit_name : (Slice) {"x", 1};
			Slice		email = entries[i].commit_email;
			Slice		model_name = name;
			Slice		model_email = email;

			mailmap_lookup(sorted, n, &name, &email);
			model_lookup(entries, n, &model_name, &model_email);
			CHECK(same(name, model_name) && same(email, model_email));
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	char	   *copy;

	if (size == 0)
		return 0;
	shim_begin(0);
	/* exactly these bytes, so that reading past their end is noticed */
	copy = palloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 2 == 0)
		fuzz_log(copy, size - 1);
	else
		fuzz_mailmap(copy, size - 1);
	shim_end();
	return 0;
}
