# 003_crash.pl
#		The postmaster is killed under load, several times: what was acknowledged
#		is there, what was not is there wholly or not at all, and the calendar is
#		what the facts add up to.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

my $rounds = 3;
my $clients = 6;
# pages are written by checkpoints meanwhile, half of them under way
my $node = new_server('crash', 'synchronous_commit = on', 'full_page_writes = on', 'checkpoint_timeout = 30s', 'autovacuum = off');
my $directory = PostgreSQL::Test::Utils::tempdir;

create_database($node, 'crash');
sql($node, q{
	SELECT create_party(name) FROM unnest('{grid,north,ann}'::text[]) AS name;
	SELECT create_pool(name, 'compute', 'gpu', 'grid') FROM unnest('{one,two}'::text[]) AS name;
	INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id, party_id, r, now() FROM pool, party, unnest('{provider,consumer}'::text[]) AS r;
	SELECT add_supply(name, 'north', 20, '[2026-01-01,)') FROM unnest('{one,two}'::text[]) AS name;

	-- books, gives back or moves something, and says what it booked, if anything
	CREATE FUNCTION public.attempt() RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		start timestamptz := '2026-02-01 00:00+00'::timestamptz + floor(random() * 3000) * interval '10 min';
		booked bigint;
	BEGIN
		CASE floor(random() * 6)::integer
			WHEN 0 THEN PERFORM release(lease_id, lower(during)) FROM lease WHERE ended_at IS NULL AND lease_id >= (SELECT floor(random() * last_value)::bigint FROM lease_lease_id_seq) ORDER BY lease_id LIMIT 1;
			WHEN 1 THEN
				INSERT INTO lease (pool_id, consumer_id, quantity, during)
				SELECT 1 + i % 2, 3, 0.5, tstzrange(start + i * interval '70 min', start + i * interval '70 min' + interval '1 hour') FROM generate_series(1, 20) AS i;
			WHEN 2 THEN
				UPDATE lease SET pool_id = 3 - pool_id, during = tstzrange(lower(during), lower(during) + interval '2 hours')
				WHERE lease_id = (SELECT lease_id FROM lease WHERE lease_id >= (SELECT floor(random() * last_value)::bigint FROM lease_lease_id_seq) ORDER BY lease_id LIMIT 1);
			ELSE booked := reserve(CASE WHEN random() < 0.5 THEN 'one' ELSE 'two' END, 'ann', 0.5 * ceil(random() * 4)::numeric, tstzrange(start, start + ceil(random() * 12) * interval '10 min'));
		END CASE;
		RETURN booked;
	EXCEPTION WHEN SQLSTATE 'SC001' OR SQLSTATE 'SC005' THEN
		RETURN NULL;
	END $$;
}, 'crash');
append_to_file("$directory/calls.sql", "SELECT public.attempt();\n" x 20000);

foreach my $round (1 .. $rounds)
{
	my @psql;

	foreach my $client (1 .. $clients)
	{
		my ($out, $err) = ('', '');
		my $psql = IPC::Run::start(
			[ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--dbname', $node->connstr('crash'), '--file', "$directory/calls.sql" ],
			'<', \undef, '>', "$directory/said.$client", '2>', "$directory/error.$client");
		push @psql, $psql;
	}
	usleep(1_200_000 + 150_000 * $round);
	sql($node, 'CHECKPOINT') if $round == 2;
	my @processes = split /\n/, sql($node, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	$node->kill9;
	$_->finish foreach @psql;
	# its children take a moment to notice, and until then hold the shared memory
	for (1 .. 300)
	{
		last unless kill(0, @processes);
		usleep(100_000);
	}
	$node->start;

	# a line that is not complete was not acknowledged
	my @acknowledged = map { slurp_file("$directory/said.$_") =~ /^(\d+)\n/mg } 1 .. $clients;
	cmp_ok(scalar(@acknowledged), '>', 50, "round $round: leases were made");
	note(scalar(@acknowledged) . ' leases acknowledged');
	is(join("\n", map { grep { /ERROR:/ } split /\n/, slurp_file("$directory/error.$_") } 1 .. $clients), '', "round $round: and nobody met an error before");
	is(sql($node, "SELECT count(*) FROM unnest('{" . join(',', @acknowledged) . "}'::bigint[]) AS id WHERE id NOT IN (SELECT lease_id FROM lease)", 'crash'), 0,
		"round $round: every lease that was acknowledged is there");
	is_sound($node, 'crash', "round $round", one => 20, two => 20);
	is(sql($node, q{SELECT count(*) FROM calendar WHERE deficit <> '{}'}, 'crash'), 0, "round $round: no deficit");
}
cmp_ok(sql($node, 'SELECT count(*) FROM calendar', 'crash'), '>', 10, 'pages were split meanwhile');
# the indexes too
sql($node, 'CREATE EXTENSION IF NOT EXISTS amcheck', 'crash') if sql($node, q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'}) > 0;
SKIP:
{
	skip 'no amcheck here', 1 unless sql($node, q{SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'}, 'crash') > 0;
	is(sql($node, q{SELECT count(bt_index_check(indexrelid, true)) FROM pg_index WHERE indrelid IN ('lease'::regclass, 'calendar'::regclass)}, 'crash') > 0, 1, 'the indexes are whole');
}

# ----------
# Nor does a user crash it
# ----------

sql($node, q{
	CREATE ROLE mallory LOGIN;
	GRANT USAGE ON SCHEMA sharecollab TO mallory;
	CREATE SCHEMA mallory AUTHORIZATION mallory;
}, 'crash');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->restart;
foreach my $columns ('pool_id bigint, effective tstzrange, quantity numeric', 'pool_id text, effective bigint, quantity text', 'name text')
{
	my $stderr;
	my $values = $columns =~ s/\w+ \w+/NULL/gr;

	foreach my $kind ('leases', 'supply', 'pools', 'quotas')
	{
		$node->psql('crash', qq{
			DROP TABLE IF EXISTS mallory.fake;
			CREATE TABLE mallory.fake ($columns);
			CREATE TRIGGER mine AFTER INSERT ON mallory.fake REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sharecollab.calendar_of_$kind();
			INSERT INTO mallory.fake VALUES ($values);
		}, stderr => \$stderr, extra_params => [ '-U', 'mallory' ]);
		unlike($stderr, qr/server closed the connection/, "calendar_of_$kind() on a table ($columns) of somebody else does no harm")
			or $node->poll_query_until('crash', 'SELECT true');
	}
}
# a session in which that was tried goes on with ours
my $stderr;
$node->psql('crash', q{
	CREATE TABLE mallory.fake2 (pool_id text, effective tstzrange, quantity numeric);
	CREATE TRIGGER mine AFTER INSERT ON mallory.fake2 REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sharecollab.calendar_of_leases();
	INSERT INTO mallory.fake2 SELECT 'x', '[2026-01-01,2026-01-02)', 1 FROM generate_series(1, 2);
	INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT 1, 3, 0.001, '[2050-01-01,2050-01-02)' FROM generate_series(1, 2);
}, stderr => \$stderr, on_error_stop => 0);
unlike($stderr, qr/has wrong type/, 'the plans of a session are for our tables');
unlike($stderr, qr/pool \d+ has no calendar/, 'no text is taken for a number, nor shown as one');
is_sound($node, 'crash', 'after all', one => 20, two => 20);

$node->stop;
done_testing();
