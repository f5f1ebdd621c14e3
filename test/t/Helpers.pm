# Helpers.pm
#		What the TAP tests share: a server, a pool to attack, and the checks that
#		no calendar may fail.
package Helpers;

use strict;
use warnings;
use Exporter 'import';
use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server create_database is_sound sql start_session wait_for_lock $helpers_sql);

our $helpers_sql = slurp_file(dirname(__FILE__) . '/../helpers.sql');

# A server that knows nothing of the environment's time zone
sub new_server
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	# the same superuser and encoding whoever runs the tests: PostgreSQL::Test
	# takes LC_ALL away, and without LANG there would be SQL_ASCII
	$ENV{PGUSER} = 'postgres';
	$node->init(extra => [ '-U', 'postgres', '--encoding=UTF8', '--locale=C.UTF-8' ]);
	$node->append_conf('postgresql.conf', join("\n",
		'max_connections = 60', 'max_prepared_transactions = 5', 'fsync = off', 'shared_buffers = 128MB',
		"timezone = 'UTC'", "datestyle = 'ISO'", "intervalstyle = 'postgres'", 'client_min_messages = warning',
		'max_wal_size = 2GB', 'autovacuum_naptime = 1s', @settings) . "\n");
	$node->start;
	return $node;
}

sub create_database
{
	my ($node, $database) = @_;

	sql($node, "CREATE DATABASE $database");
	sql($node, "CREATE EXTENSION sharecollab; ALTER DATABASE $database SET search_path = sharecollab, public; $helpers_sql",
		$database);
}

# Do it, and die if it fails
sub sql
{
	my ($node, $statement, $database, @options) = @_;

	return $node->safe_psql($database // 'postgres', $statement, @options);
}

# No instant has more booked than there is, beyond what the calendar admits is
# missing; and the calendar is what the facts add up to
sub is_sound
{
	my ($node, $database, $name, %pools) = @_;

	is(sql($node, 'SELECT * FROM public.calendar_differences() LIMIT 10', $database), '',
		"$name: the calendar is what the facts add up to");
	is(sql($node, 'SELECT * FROM sharecollab.check_calendar() LIMIT 10', $database), '',
		"$name: and so says check_calendar()");
	foreach my $pool (sort keys %pools)
	{
		my $peak = sql($node, qq{
			WITH event AS (
				SELECT e.at, sum(e.delta) AS delta
				FROM sharecollab.lease AS l, LATERAL (VALUES (lower(l.effective), l.quantity), (upper(l.effective), - l.quantity)) AS e (at, delta)
				WHERE NOT isempty(l.effective) AND e.at IS NOT NULL
				AND l.pool_id = (SELECT pool_id FROM sharecollab.pool WHERE name = '$pool')
				GROUP BY e.at)
			SELECT coalesce(max(load), 0)
			FROM (SELECT sum(delta) OVER (ORDER BY at) AS load FROM event) AS l}, $database);
		cmp_ok($peak, '<=', $pools{$pool}, "$name: at most $pools{$pool} of pool $pool are leased at any time");
	}
}

# A psql that goes on while others do something.  $session->(statement) returns
# when it is done, $session->(statement, 1) at once; $session->() ends it and
# returns all that it said.
sub start_session
{
	my ($node, $database) = @_;
	my ($in, $out, $marks) = ('', '', 0);
	my $psql = IPC::Run::start(
		[ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--dbname', $node->connstr($database) ],
		'<', \$in, '>', \$out, '2>&1', IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));

	return sub {
		my ($statement, $wait_not) = @_;

		if (!defined $statement)
		{
			$in .= "\\q\n";
			$psql->finish;
			return $out;
		}
		$marks++;
		$in .= "$statement;\n\\echo mark $marks\n";
		if ($wait_not)
		{
			$psql->pump_nb;
		}
		else
		{
			$psql->pump until $out =~ /^mark $marks$/m;
		}
	};
}

sub wait_for_lock
{
	my ($node, $database) = @_;

	$node->poll_query_until($database,
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$database' AND wait_event_type = 'Lock'")
		or die 'nobody waits for a lock';
}

1;
