# README.md tells the truth: the report that it shows is the one that the demo
# prints, and its examples run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file("$ENV{TESTDIR}/README.md");
my $data = $ENV{SHARECOLLAB_DATA} // '';

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;

# the indented blocks, without the indentation
my @blocks;
my $open = 0;
for my $line (split /\n/, $readme)
{
	if ($line =~ s/^    //)
	{
		push @blocks, '' unless $open;
		$open = 1;
		$blocks[-1] .= "$line\n";
	}
	elsif ($line eq '' && $open)
	{
		$blocks[-1] .= "\n";
	}
	else
	{
		$open = 0;
	}
}
my ($report) = grep { /^==> a pool of GPUs/ } @blocks;
my $examples = join "\n", grep { /^SELECT |^CREATE TEMP/ } @blocks;
ok($report, 'README.md has a report');
ok($examples, 'README.md has examples');

# what the demo prints, line by line, without padding; it may print more lines
sub lines_of
{
	my @lines = grep { $_ ne '' } map { s/\s+$//r } split /\n/, shift;
	s/^psql:[^:]*:\d+: // for @lines;
	return @lines;
}

SKIP:
{
	skip 'SKIP: no real data (SHARECOLLAB_DATA): the report of README.md is NOT CHECKED', 1
	  unless -d "$data/alibaba-gpu-v2023";

	$node->safe_psql('postgres', 'CREATE DATABASE demo');
	$node->safe_psql('demo', 'CREATE EXTENSION sharecollab');
	my $output = "$PostgreSQL::Test::Utils::tmp_check/demo.out";
	IPC::Run::run(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "data=$data",
			'-d', $node->connstr('demo'), '-f', "$ENV{TESTDIR}/test/demo/demo.sql"
		],
		'>', $output, '2>&1');
	my @printed = lines_of(slurp_file($output));
	my @missing;
	for my $line (lines_of($report))
	{
		# in the same order
		my $found = 0;
		for my $i (0 .. $#printed)
		{
			next unless $printed[$i] eq $line;
			splice @printed, 0, $i + 1;
			$found = 1;
			last;
		}
		push @missing, $line unless $found;
	}
	is(join("\n", @missing), '', 'the demo prints the report of README.md');
}

# the examples, in one session; what they read is made first
append_to_file("$PostgreSQL::Test::Utils::tmp_check/jobs.csv",
	"id,account,gpus,start,stop\n"
	  . "1,Lab,2,2026-03-01 00:00+00,2026-03-01 12:00+00\n"
	  . "2,Lab,0.5,2026-03-01 06:00+00,2026-03-02 00:00+00\n");
$examples =~ s{'jobs\.csv'}{'$PostgreSQL::Test::Utils::tmp_check/jobs.csv'};
my ($ret, $stdout, $stderr) = $node->psql(
	'postgres', "CREATE EXTENSION sharecollab;
SET search_path = sharecollab, public;
SET timezone = 'UTC';
CREATE TABLE my_jobs (machine text, during tstzrange, gpus numeric);
INSERT INTO my_jobs VALUES ('a', '[2026-01-01, 2026-01-02)', 3);
$examples");
is($stderr, '', 'the examples of README.md run');
like($stdout, qr/^a\|3\|72\./m, 'the example with a table of one\'s own');

# an example's result stands behind it as a comment
while ($examples =~ /^(SELECT [^;]*;)\n-- (\{.*\})$/mg)
{
	is($node->safe_psql('postgres',
			"SET search_path = sharecollab, public; SET timezone = 'UTC'; $1"),
		$2, "result of: $1");
}

done_testing();
