/*
 * git_log.h
 *		Reads the output of git log --numstat, commit by commit.
 *
 * Pure C: no memory is allocated and no server function is called.  All
 * strings are slices of the input, as git wrote them: in any encoding, not
 * terminated.
 */
#ifndef SHARECOLLAB_GIT_LOG_H
#define SHARECOLLAB_GIT_LOG_H

#include "slice.h"

/* as a line of git writes a person: Name <email>; either may be empty */
typedef struct GitPerson
{
	Slice		name;
	Slice		email;
} GitPerson;

/* longer ones are nobody's, and an index of them would refuse them */
#define GIT_PERSON_MAX	640

typedef enum GitLogFormat
{
	GIT_LOG_FIELDS,				/* our own, see git_log.c */
	GIT_LOG_PRETTY				/* git's medium and fuller, and what is like them */
} GitLogFormat;

typedef struct GitCommit
{
	GitLogFormat format;
	Slice		hash;			/* 40 or 64 hexadecimal digits */
	int			parents;
	GitPerson	author;
	GitPerson	committer;		/* where it is known, as it is not in medium */
	bool		has_committer;
	int64		author_time;	/* seconds since 1970 */
	int64		committer_time;

	/* of all files together; a binary one has no lines */
	int64		added;
	int64		removed;
	int32		files;
	int32		binaries;

	Slice		trailers;		/* for git_trailer_next() */
	Slice		rows;			/* for git_file_next() */
} GitCommit;

typedef struct GitLogReader
{
	const char *start;
	const char *next;
	const char *end;
	bool		nul;			/* git log -z */
	const char *error;			/* what is wrong ... */
	const char *error_at;		/* ... and where */
} GitLogReader;

typedef enum GitLogResult
{
	GIT_LOG_COMMIT,
	GIT_LOG_END,
	GIT_LOG_ERROR				/* the next call goes on after the bad record */
} GitLogResult;

extern void git_log_open(GitLogReader *reader, const char *data, size_t len);
extern GitLogResult git_log_next(GitLogReader *reader, GitCommit *commit);
extern int64 git_log_line(const GitLogReader *reader, const char *at);

/* the persons that the message of a commit names, with their role */
typedef struct GitTrailers
{
	GitLogFormat format;
	Slice		rest;
	int			field;
} GitTrailers;

extern void git_trailers_open(GitTrailers *trailers, const GitCommit *commit);
extern bool git_trailer_next(GitTrailers *trailers, const char **role, GitPerson *person);

/* the files of a commit */
typedef struct GitFile
{
	int64		added;
	int64		removed;
	bool		binary;
	Slice		path;			/* as git wrote it: perhaps quoted, perhaps a rename */
	Slice		old_path;		/* with -z, and if renamed; else empty */
} GitFile;

extern bool git_file_next(Slice *rows, bool nul, GitFile *file);
extern bool git_file_paths(const GitFile *file, bool nul, char *buffer, Slice *path, Slice *old_path);

#endif							/* SHARECOLLAB_GIT_LOG_H */
