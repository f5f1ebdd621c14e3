# 040_newcomer.pl
#		The path of somebody new, as README.md has it under "Five minutes": from a
#		clean clone to the first report about a repository and a pool of one's own.
#		Every command runs as it is written there.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $clone = "$ENV{TESTDIR}/clone";
my $has = sub { IPC::Run::run([@_], '>', \my $out, '2>&1') };

plan skip_all => 'SKIP: no git or make here: the path of a newcomer is NOT CHECKED'
  unless $has->('git', '--version') && $has->('make', '--version') && -f "$clone/Makefile";

my $readme = slurp_file("$clone/README.md");
my ($section) = $readme =~ /^## Five minutes\n(.*?)^## /ms or die 'README.md has no section "Five minutes"';
my $commands = join '', $section =~ /^    (.*\n)/mg;
my ($tour) = $readme =~ /^((?:    SELECT create_party.*\n)(?:    .*\n)+)/m or die 'README.md has no tour';
$tour =~ s/^    //mg;

my $node = new_server('newcomer');
my $home = PostgreSQL::Test::Utils::tempdir;

# their repository
ok($has->('bash', '-ec', qq{
	mkdir $home/my-repository && cd $home/my-repository && git init -q .
	commit() { echo "\$1 \$2" >>file && git add file && git -c user.name="\$1" -c user.email="\$1\@example.org" commit -q -m "\$2"; }
	commit ann one; commit bob two; commit ann three }), 'a repository');

# their rights: "sudo" of "make install" installs below their home, not into the system
mkdir "$home/bin";
append_to_file("$home/bin/sudo", qq{#!/bin/sh\nexec "\$@" DESTDIR=$home/root\n});
chmod 0755, "$home/bin/sudo";

my ($start, $printed) = (time);
{
	local %ENV = (%ENV, HOME => $home, PATH => "$home/bin:$ENV{PATH}", PGHOST => $node->host, PGPORT => $node->port, PGUSER => 'postgres',
		SHARECOLLAB_TOUR => "$home/tour.sql");
	delete $ENV{MAKEFLAGS};
	delete $ENV{MAKELEVEL};
	append_to_file("$home/tour.sql", "SET search_path = sharecollab;\n$tour");
	ok(IPC::Run::run([ 'bash', '-ec', "cd $clone\n$commands\n" . 'psql -d mine -X -q -v ON_ERROR_STOP=1 -f "$SHARECOLLAB_TOUR"' ],
			'>', \$printed, '2>&1'), 'the commands of README.md run')
	  or diag($printed);
}
note(sprintf 'from the clone to the first reports in %.0f s', time - $start);
note($printed);

like($printed, qr/^ +2 \| +3 \|/m, 'two contributors, three commits');
is(sql($node, q{SELECT count(*) FROM sharecollab.lease}, 'mine'), 1, 'a lease in a pool of their own');
ok(-f "$home/root$_", "installed: $_")
  for split /\n/, `$ENV{PG_CONFIG} --pkglibdir | sed 's|\$|/sharecollab.so|'; $ENV{PG_CONFIG} --sharedir | sed 's|\$|/extension/sharecollab.control|'`;

done_testing();
