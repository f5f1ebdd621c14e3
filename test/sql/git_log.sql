-- git_log.sql: what is read of git logs and mailmaps, and what is refused

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all

TRUNCATE party, project, identity, contribution RESTART IDENTITY CASCADE;
\pset null '(null)'

--
-- our own format, text and -z, with and without trailers
--
CREATE FUNCTION record(hash text, author text, lines text, parents text DEFAULT '', trailers text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE
RETURN E'\x02' || rpad(hash, 40, '0') || E'\x1f' || parents || E'\x1f' || split_part(author, '|', 1) || E'\x1f' || split_part(author, '|', 2)
	|| E'\x1f1700000000\x1fCo Mitter\x1fco@x\x1f1700000060' || trailers || E'\n' || lines;
SELECT left(ref, 4) AS ref, role, at, done_at, is_merge, added, removed, parts, account, identity_kind
FROM git_log(convert_to(
	record('a1', 'Ann|ann@x', E'\n3\t1\ta.c\n0\t0\t{a => b}/x\n-\t-\tp.png\n', trailers => E'\x1fBob <bob@x>\x1dCy\x1fAnn <ann@x>\x1dDee <dee@x>\x1fEve <>')
	|| record('b2', 'dependabot[bot]|49699333+dependabot[bot]@users.noreply.github.com', E'1\t2\ta => b\n', parents => '1 2 3')
	|| record('c3', '|', ''), 'UTF8'));
SELECT left(ref, 4) AS ref, role, added, removed, parts, account
FROM git_log(convert_to(rtrim(record('a1', 'Ann|ann@x', ''), E'\n'), 'UTF8') || '\x00' || convert_to(E'\n1\t0\t', 'UTF8') || '\x00' || 'old' || '\x00' || 'new' || '\x00'
	|| convert_to(E'2\t0\tnew\nline', 'UTF8') || '\x00');
SELECT * FROM git_log('');
SELECT * FROM git_log(E'\n\n');
SELECT * FROM git_log(NULL) AS none;

-- bytes that are not UTF-8
SELECT account FROM git_log('\x02' || convert_to(repeat('a', 40) || E'\x1f\x1fJ', 'UTF8') || '\xfc' || convert_to(E'rgen \u00fc\x1fj@x\x1f-1\x1fJ\x1fj@x\x1f0\n', 'UTF8'));

--
-- git's own formats
--
SELECT left(ref, 4) AS ref, role, at, done_at, is_merge, added, removed, parts, account
FROM git_log(convert_to($$commit 1111111111111111111111111111111111111111 (HEAD -> main, tag: v1)
Merge: 2222222 3333333
Author: Ann <ann@x>
Date:   Thu Apr 7 15:13:13 2005 -0700

    Merge it
    
    With words.
    
    Signed-off-by: Dee <dee@x>
    co-authored-by: Bob
     Junior <bob@x>
    Reviewed-By: Eve <eve@x>
    Tested-by: Tom <tom@x>

Notes:
    Reviewed-by: Nobody <nobody@x>

commit 2222222222222222222222222222222222222222
Author:     Ann <ann@x>
AuthorDate: 2005-04-07T22:13:13Z
Commit:     Co Mitter <co@x>
CommitDate: 2005-04-08 00:13:13 +0200

    Reviewed-by: title only <x@x>

1	2	a.c
-	-	"\303\244\t.png"
commit 3333333333333333333333333333333333333333 4444444444444444444444444444444444444444
Author: Ann <ann@x>
Date:   1112911993 -0700

    No trailers

    words
    more words
    and more
    and more
    Reviewed-by: Eve <eve@x>
commit 4444444444444444444444444444444444444444
Author: Ann <ann@x>
Date:   Thu, 7 Apr 2005 15:13:13 -0700
$$, 'UTF8'));

--
-- files
--
SELECT convert_from(path, 'UTF8') AS path, convert_from(old_path, 'UTF8') AS old_path, added, removed
FROM git_log_files(convert_to(record('a1', 'Ann|ann@x', $$1	0	plain
1	0	a => b
1	0	{a => b}
1	0	d/{a => b}/c
1	0	d/{ => b}/c
1	0	d/{a => }/c
1	0	"q\"\\\t\n\303\244"
1	0	"q\"" => plain
1	0	plain => "q\""
1	0	"a\"" => "b\""
-	-	bin
1	0	{ => 
1	0	 => x
1	0	"broken\x"
$$), 'UTF8'));

--
-- what cannot be read
--
\pset tuples_only on
\pset format unaligned
SELECT try(format('SELECT * FROM git_log(%L)', convert_to(log, 'UTF8')))
FROM (VALUES (1, 'nonsense'), (2, E'\n\nnonsense'), (3, E'\x02'), (4, record('a1', 'Ann|ann@x', E'1\t2\n')), (5, record('a1', 'Ann|ann@x', E'x\t2\ty\n')),
	(6, record('a1', 'Ann|ann@x', E'1\t0\ta\n1\t-\tb\n')), (7, record('a1', 'Ann|ann@x', E'1\t0\ta\n9999999999999999999\t1\tb\n')),
	(8, record('x', 'Ann|ann@x', '')), (9, replace(record('a1', 'Ann|ann@x', ''), '1700000000', 'today')), (10, replace(record('a1', 'Ann|ann@x', ''), '1700000060', '99999999999999')),
	(11, E'commit ' || repeat('a', 40) || E'\nAuthor: A <a>\n\n    x\n'), (12, E'commit ' || repeat('a', 40) || E'\nDate: 1 +0000\n\n    x\n'),
	(13, E'commit ' || repeat('a', 40) || E'\nAuthor: A <a>\nDate:   Thu Apr 7 15:13:13 2005\n\n    x\n'), (14, E'commit ' || repeat('a', 40) || E'\nAuthor: A <a>\nDate:  1 +0000\n\n    x\n a.c | 1 +\n'),
	(15, E'commit ' || repeat('a', 39) || E'\nAuthor: A <a>\nDate:  1 +0000\n'), (16, E'commit ' || repeat('a', 40) || E'\nAuthor: A <a>\nDate:  2005-13-01 00:00:00 +0000\n')) AS v (n, log)
ORDER BY n;
SELECT try($$SELECT * FROM git_log('', 'ignore')$$);
\pset tuples_only off
\pset format aligned
SELECT left(ref, 4) AS ref, role FROM git_log(convert_to('nonsense' || E'\n' || record('a1', 'Ann|ann@x', E'1\t2\n') || record('b2', 'Ann|ann@x', E'1\t2\ta\n'), 'UTF8'), 'skip');

--
-- import
--
SELECT create_project('p');
SELECT * FROM import_git_log('p', convert_to('nonsense' || E'\n' || record('a1', 'Ann|ann@x', E'1\t2\ta\n') || record('a1', 'Ann|ann@x', E'1\t2\ta\n'), 'UTF8'), on_error => 'skip');
SELECT * FROM import_git_log('p', convert_to(record('a1', 'Ann|ann@x', E'1\t2\ta\n'), 'UTF8'));
SELECT * FROM import_git_log('p', '');
\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT import_git_log('q', '')$$);
SELECT try($$SELECT import_git_log('p', NULL)$$);
SELECT try($$SELECT import_git_log(NULL, '')$$);
SELECT try($$SELECT import_git_log('p', 'x')$$);
SELECT try($$SELECT import_git_log('p', '', 'x')$$);
SELECT try($$DELETE FROM project$$);
SELECT try($$DELETE FROM identity$$);
\pset tuples_only off
\pset format aligned

--
-- mailmaps, by the rules of git check-mailmap
--
SELECT name, email, (mailmap_lookup(convert_to($$# comment
New <a@x> trailing words
<b@y> <B@x>
Proper <c@y> <c@x>
Proper <d@y> Old Name  <d@x>
Simple <d@x>
No Mail <n@x> <>
N2 <> <q@x>
 # not a comment <z@x>
First <e@x>
<e@y> <e@x>
Once <f@y> <f@x>
Twice <g@y> <f@y>
$$, 'UTF8'), name, email)).*
FROM (VALUES ('Old', 'a@x'), ('Old', 'A@X'), ('Old', 'b@x'), ('Old', 'c@x'), ('OLD name', 'D@x'), ('Other', 'd@x'), ('Old', ''), ('Old', 'q@x'), ('Old', 'z@x'), ('Old', 'e@x'), ('Old', 'f@x'), ('Old', 'nobody@x')) AS v (name, email);
SELECT * FROM import_mailmap('p', 'Ann Proper <ann@y> <ann@x>');
SELECT identity, party, kind, mailmap_of FROM identity_status ORDER BY 1;
-- identities that come later
SELECT * FROM import_git_log('p', convert_to(record('b2', 'annie|ANN@x', E'1\t2\ta\n') || record('b3', 'Ann Proper|ann@y', ''), 'UTF8'));
SELECT identity, party, kind, mailmap_of FROM identity_status ORDER BY 1;
-- what people say stays
SELECT create_party('Ann', 'person');
SELECT link_identity(identity_id, 'Ann') FROM identity WHERE email = 'ann@x';
SELECT unlink_identity(identity_id) FROM identity WHERE email = 'ANN@x';
SELECT * FROM import_git_log('p', convert_to(record('b4', 'annie|ANN@x', E'1\t2\ta\n'), 'UTF8'));
SELECT identity, party, kind, mailmap_of FROM identity_status ORDER BY 1;
-- another mailmap replaces the first
SELECT * FROM import_mailmap('p', 'Ann P <ann@z> <ann@y>'::bytea);
SELECT identity, party, kind, mailmap_of FROM identity_status ORDER BY 1;
SELECT * FROM import_mailmap('p', '');
SELECT identity, party, kind, mailmap_of FROM identity_status ORDER BY 1;
\pset tuples_only on
\pset format unaligned
SELECT try($$SELECT import_mailmap('q', '')$$);
SELECT try($$SELECT import_mailmap('p', NULL::bytea)$$);
-- names that are too long for anybody
SELECT try($$SELECT import_git_log('p', convert_to(record('b5', repeat('x', 638) || '|x@x', '') || record('b6', 'Fits|f@x', ''), 'UTF8'))$$);
SELECT try($$SELECT git_log(E'commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nAuthor: x <$$ || repeat('x', 640) || $$>\nDate:   Thu Jan 1 00:00:00 1970 +0000\n\n    Message\n')$$);
SELECT inserted > 0, skipped FROM import_git_log('p', convert_to(record('b5', repeat('x', 638) || '|x@x', '') || record('b6', 'Fits|f@x', '') || record('b7', repeat('x', 637) || '|x@x', ''), 'UTF8'), 'skip');
SELECT length(name) FROM identity WHERE email = 'x@x';
DROP FUNCTION record, try, calendar_differences;
TRUNCATE party, project, identity, contribution RESTART IDENTITY CASCADE;
