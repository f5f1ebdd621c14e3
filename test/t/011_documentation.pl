# 011_documentation.pl
#		The pages in doc/ tell the truth: each block of SQL in them runs, page by
#		page in a database of its own, and prints what stands in the block after
#		it. Blocks look so:
#
#		```sql
#		SELECT 1;
#		```
#		```
#		 ?column?
#		...
#		```
#
#		A block of SQL that no such block follows may print nothing but is run.
#		doc/reference.md is what the COMMENTs in the database say, and
#		doc/architecture.md lists the files of the source with what each says of
#		itself at its top.
#		DOCUMENTATION_UPDATE=directory writes the pages there as they should be;
#		"make docs" puts them in place.

use strict;
use warnings;

use File::Basename;
use File::Find;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{TESTDIR};
my $data = $ENV{SHARECOLLAB_DATA} // '';
my $node = PostgreSQL::Test::Cluster->new('documentation');

$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\ndatestyle = 'ISO'\nintervalstyle = 'postgres'\nmax_prepared_transactions = 2\n");
$node->start;

# Write a page as it should be, if that is asked for
sub update
{
	my ($name, @text) = @_;
	my $directory = $ENV{DOCUMENTATION_UPDATE} || return;

	make_path(dirname("$directory/$name"));
	open my $file, '>', "$directory/$name" or die "$directory/$name: $!";
	print $file @text;
	close $file;
}

my @pages;
find({ no_chdir => 1, wanted => sub { push @pages, $_ if /\.md$/ } }, "$root/doc");

foreach my $page (sort @pages)
{
	my $text = slurp_file($page);
	my $name = substr($page, length("$root/doc/"));
	my @parts = split /^(```[a-z]*\n.*?^```\n)/ms, $text;
	my @runs;

	next unless $text =~ /^```sql\n/m;
  SKIP:
	{
		skip "SKIP: no real data (SHARECOLLAB_DATA): $name is NOT CHECKED", 1
		  if $text =~ /:data\b/ && !-d "$data/webhooks";

		for my $i (0 .. $#parts)
		{
			next unless $parts[$i] =~ /^```sql\n(.*)^```\n$/ms;
			push @runs, { at => $i, sql => $1 };
			# its output, if the next thing is that
			if ($i + 2 <= $#parts && $parts[ $i + 1 ] =~ /^\s*$/ && $parts[ $i + 2 ] =~ /^```(?:text)?\n(.*)^```\n$/ms)
			{
				$runs[-1]{output} = $1;
			}
		}

		my $database = 'doc_' . ($name =~ s/\W/_/gr);
		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database,
			"CREATE EXTENSION sharecollab; ALTER DATABASE $database SET search_path = sharecollab, public");
		my $script = join '', map { "$_->{sql}\n\\echo [end of block]\n" } @runs;
		my $printed;
		IPC::Run::run(
			[ 'psql', '-X', '-q', '-v', "data=$data", '-d', $node->connstr($database) ],
			'<', \$script, '>', \$printed, '2>&1');
		my @printed = split /^\[end of block\]\n/m, $printed;

		for my $run (@runs)
		{
			my $is = shift(@printed) // '';
			$is =~ s/^psql:<stdin>:\d+: //mg;
			$is =~ s/[ \t]+$//mg;
			$is =~ s/\n+\z/\n/;
			my ($first) = $run->{sql} =~ /^([^\n]*)/;
			is($is, $run->{output} // '', "$name: $first");
			if (defined $run->{output})
			{
				$parts[ $run->{at} + 2 ] = "```\n$is```\n";
			}
			elsif ($is ne '')
			{
				$parts[ $run->{at} ] .= "```\n$is```\n";
			}
		}
		update($name, @parts);
	}
}

ok(scalar @pages, 'there are pages');

$node->safe_psql('postgres', 'CREATE DATABASE reference');
$node->safe_psql('reference', 'CREATE EXTENSION sharecollab');
my ($reference, $complaints);
IPC::Run::run([ 'psql', '-XqAt', '-d', $node->connstr('reference'), '-f', "$root/test/reference.sql" ],
	'>', \$reference, '2>', \$complaints);
is($complaints, '', 'the reference can be made');
$reference =~ s/\n+\z/\n/;
# what a file is for: the indented lines at its top, up to an empty one
sub purpose
{
	my ($lines, $comment) = @_;
	my @purpose;

	for my $line (split /\n/, $lines)
	{
		if ($line =~ /^$comment\t\t(\S.*)/) { push @purpose, $1 }
		elsif (@purpose) { last }
	}
	my $purpose = join ' ', @purpose;
	$purpose =~ s/ *C code: .*//;
	$purpose =~ s/\|/\\|/g;
	return $purpose;
}
SKIP:
{
	my @files = sort(glob("$root/clone/sql/parts/*.sql"), glob("$root/clone/src/*.c"));
	skip 'SKIP: the source is not here: the list of its files is NOT CHECKED', 1 unless @files;
	my $rows = "| file | what it is for |\n|---|---|\n";
	for my $file (grep { !/00-header/ } @files)
	{
		my $purpose = purpose(slurp_file($file), $file =~ /sql$/ ? '--' : qr/ \*/);
		isnt($purpose, '', basename($file) . ' says at its top what it is for');
		$rows .= sprintf "| `%s` | %s |\n", substr($file, length("$root/clone/")), $purpose;
	}
	my $architecture = slurp_file("$root/doc/architecture.md");
	my $expected = $architecture =~ s/(<!-- made by .*? -->\n).*?(<!-- end -->)/$1$rows$2/sr;
	ok($architecture eq $expected, 'doc/architecture.md lists the files; if not: make docs');
	update('architecture.md', $expected);
}

my $is = -f "$root/doc/reference.md" ? slurp_file("$root/doc/reference.md") : '';
ok($is eq $reference, 'doc/reference.md is what the comments say; if not: make docs');
update('reference.md', $reference);
done_testing();
