# 030_clients.pl
#		The examples for backend developers in test/examples: psycopg,
#		node-postgres and JDBC do the same and see the same, straight and through
#		PgBouncer in transaction mode. And the queries of the dashboard for Grafana
#		run, as somebody whose search_path knows nothing of us.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $examples = "$ENV{TESTDIR}/test/examples";
my $jdbc = '/usr/share/java/postgresql.jar';
my $psycopg = '/usr/bin/python3';
# (it dies of a command that there is not)
my $has = sub { !!eval { IPC::Run::run([@_], '>', \my $out, '2>&1') } };

# TCP, because JDBC knows nothing else; from this machine only
my $node = new_server('clients', "listen_addresses = '127.0.0.1'");
my $directory = PostgreSQL::Test::Utils::tempdir;

# a pooler, if there is one
my ($pooler, $pooler_port);
my ($pgbouncer) = grep { -x } ('/usr/sbin/pgbouncer', '/usr/local/sbin/pgbouncer');
if ($pgbouncer)
{
	$pooler_port = PostgreSQL::Test::Cluster::get_free_port();
	append_to_file("$directory/users.txt", qq{"postgres" ""\n});
	append_to_file("$directory/pgbouncer.ini", join "\n", '[databases]',
		"* = host=127.0.0.1 port=" . $node->port, '[pgbouncer]', 'listen_addr = 127.0.0.1', "listen_port = $pooler_port",
		'unix_socket_dir =', 'auth_type = trust', "auth_file = $directory/users.txt", 'pool_mode = transaction',
		'ignore_startup_parameters = extra_float_digits', 'default_pool_size = 4', '');
	$pooler = IPC::Run::start([ $pgbouncer, "$directory/pgbouncer.ini" ], '>', "$directory/pgbouncer.log", '2>&1');
	for (1 .. 100)
	{
		last if IPC::Run::run([ 'pg_isready', '-h', '127.0.0.1', '-p', $pooler_port ], '>', \my $out, '2>&1');
		select undef, undef, undef, 0.1;
	}
}

my $expected = join "\n",
	'free at first [16, 0]',
	'the same lease again True',
	'refused SC001 not enough capacity in pool "gpus"',
	'because From 2030-01-10 00:00:00+00 on, 87 gpu more would be needed. Lease 1 is in the way.',
	'free in between [16, 12, 16, 0]',
	'profile round trip True', 'tally round trip True', 'activity round trip True',
	'leases after a broken connection 1', '';

my %clients = (
	'psycopg' => {
		present => $has->($psycopg, '-c', 'import psycopg'),
		command => [ $psycopg, "$examples/lease_client.py" ] },
	'node-postgres' => {
		present => $has->('node', '-e', "require('pg')"),
		command => [ 'node', "$examples/lease_client.js" ] },
	'JDBC' => {
		present => -e $jdbc && $has->('java', '-version'),
		command => [ 'java', '-cp', $jdbc, "$examples/LeaseClient.java" ] });

foreach my $client (sort keys %clients)
{
	foreach my $way ('straight', 'through PgBouncer')
	{
		my $port = $way eq 'straight' ? $node->port : $pooler_port;
	  SKIP:
		{
			skip "SKIP: $client is not here: its example is NOT CHECKED", 1 unless $clients{$client}{present};
			skip 'SKIP: no PgBouncer here: pooling is NOT CHECKED', 1 unless $port;

			my $database = lc("$client $way") =~ s/\W/_/gr;
			create_database($node, $database);
			sql($node, q{
				SELECT create_party('Commons'), create_party('Datacenter'), create_party('Lab');
				SELECT create_pool('gpus', 'compute', 'gpu', 'Commons');
				SELECT invite('gpus', p, r), accept('gpus', p, r) FROM (VALUES ('Datacenter', 'provider'), ('Lab', 'consumer')) AS m (p, r);
				SELECT add_supply('gpus', 'Datacenter', 16, '[2030-01-01,2030-02-01)')}, $database);
			local %ENV = (%ENV, PGHOST => '127.0.0.1', PGPORT => $port, PGUSER => 'postgres', PGDATABASE => $database, PGOPTIONS => '', TZ => 'UTC',
				LEASE_DSN => "host=127.0.0.1 port=$port user=postgres dbname=$database",
				LEASE_URL => "jdbc:postgresql://127.0.0.1:$port/$database?user=postgres");
			delete $ENV{PGOPTIONS};
			my $printed;
			IPC::Run::run($clients{$client}{command}, '>', \$printed, '2>&1', IPC::Run::timeout(120));
			is($printed, $expected, "$client, $way");
		}
	}
}

# Grafana fills in variables and macros, then sends the text
my $dashboard = decode_json(slurp_file("$examples/grafana-dashboard.json"));
create_database($node, 'grafana');
sql($node, q{
	SELECT create_party('Commons'), create_party('Datacenter'), create_party('Lab');
	SELECT create_pool('gpus', 'compute', 'gpu', 'Commons', price => 2);
	SELECT invite('gpus', p, r), accept('gpus', p, r) FROM (VALUES ('Datacenter', 'provider'), ('Lab', 'consumer')) AS m (p, r);
	SELECT add_supply('gpus', 'Datacenter', 16, '[2030-01-01,2030-02-01)'), reserve('gpus', 'Lab', 4, '[2030-01-02,2030-01-05)');
	SELECT withdraw_supply('gpus', 'Datacenter', 14, '[2030-01-04,2030-02-01)');
	SELECT create_project('model');
	SELECT import_git_log('model', convert_to(E'\\x02' || repeat('a', 40) || E'\\x1f\\x1fAnn\\x1fann@x\\x1f1893542400\\x1fAnn\\x1fann@x\\x1f1893542400\\x1f\\x1f\\x1f\\n3\\t1\\tfile\\n', 'UTF8'));
	ALTER DATABASE grafana RESET search_path}, 'grafana');
my %expected_rows = (
	'Capacity, booked and free' => 9, 'Utilization by day' => 31, 'Cost by consumer' => 1, 'Revenue by provider' => 1,
	'Leases that give way' => 1, 'Contributors of ${project}' => 1);
foreach my $query ((map { [ $_->{title}, $_->{targets}[0]{rawSql} ] } @{ $dashboard->{panels} }),
	(map { [ "variable $_->{name}", $_->{query} ] } grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} }))
{
	my ($title, $text) = @$query;
	$text =~ s/\$__timeFrom\(\)/'2030-01-01T00:00:00Z'/g;
	$text =~ s/\$__timeTo\(\)/'2030-02-01T00:00:00Z'/g;
	$text =~ s/\$\{pool\}/gpus/g;
	$text =~ s/\$\{project\}/model/g;
	is(scalar(() = sql($node, $text, 'grafana') =~ /^.+$/mg), $expected_rows{$title} // 1, "Grafana: $title");
}

$pooler->signal('INT') if $pooler;
$pooler->finish if $pooler;
done_testing();
