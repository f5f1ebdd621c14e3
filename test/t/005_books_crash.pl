# 005_books_crash.pl
#		A backend is killed, or the server stops, in the middle of closing a
#		billing period and of recording usage: nothing half-done is left, the
#		same again goes through, and what it makes is what it makes elsewhere.

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

my $node = new_server('books', 'synchronous_commit = on', 'full_page_writes = on', 'autovacuum = off');
my $directory = PostgreSQL::Test::Utils::tempdir;

create_database($node, 'books');
sql($node, q{
	SELECT create_party(name) FROM unnest('{commons,north,south,ann,bob,cat}'::text[]) AS name;
	SELECT create_project('code', 'model');
	SELECT create_pool('calls', 'model', 'call', 'commons', price => 0.5, fee => 0.1, contributors_share => 0.05, project => 'code');
	SELECT invite('calls', p, 'provider'), accept('calls', p, 'provider') FROM unnest('{north,south}'::text[]) AS p;
	SELECT add_supply('calls', 'north', 70, '[2025-01-01,)'), add_supply('calls', 'south', 30, '[2025-01-10,2025-01-20)');
	SELECT set_rate('calls', 'token', 0.00137, 'token', valid => '(,)');
	SELECT import_git_log('code', convert_to(string_agg(E'\x02' || lpad(i::text, 40, '0') || E'\x1f\x1fauthor ' || i % 2 || E'\x1fa' || i % 2 || E'@x\x1f' || 1700000000 + i || E'\x1fc\x1fc@x\x1f1700000000\n' || E'1\t1\tfile\n', ''), 'UTF8'))
	FROM generate_series(1, 20) AS i;
	SELECT link_identity(identity_id, 'cat') FROM identity WHERE email = 'a0@x';
	INSERT INTO lease (pool_id, consumer_id, quantity, during)
	SELECT 1, party_id(CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END), 1, tstzrange(t, t + i * interval '1 hour') FROM generate_series(1, 50) AS i, LATERAL (SELECT '2025-01-01'::timestamptz + i * interval '9 hours') AS x (t);
	INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, labels, source, source_key)
	SELECT 1, party_id(CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END), 'token', i % 100, tstzrange(t, t, '[]'), t, jsonb_build_object('job', i % 300), 'test', i::text
	FROM generate_series(1, 3000) AS i, LATERAL (SELECT '2025-01-01'::timestamptz + i * interval '14 minutes') AS x (t);
	SELECT record_payment('calls', 'ann', 5, 'prepaid', occurred_at => '2025-01-05');
	CREATE TABLE public.batch AS
	SELECT 'calls' AS pool, 'bob' AS consumer, NULL::text AS provider, NULL::bigint AS lease_id, 'token' AS meter, i::numeric AS quantity, '[2025-01-07,2025-01-08)'::tstzrange AS during,
		NULL::jsonb AS labels, 'gateway' AS source, to_char(i, 'FM0000') AS source_key FROM generate_series(1, 2000) AS i;
}, 'books');
# where nothing happens
sql($node, 'CREATE DATABASE calm TEMPLATE books');
sql($node, 'ALTER DATABASE calm SET search_path = sharecollab, public');

# All that the books say, but for keys and the time of recording
my $content = q{
	SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")), count(*)
	FROM (
		SELECT concat_ws('|', b.during, c.consumer_id, c.provider_id, c.lease_id, c.category, c.correction, c.meter, c.component, c.during, c.quantity, c.unit, c.list_unit_price, c.contracted_unit_price,
			c.list_cost, c.contracted_cost, c.effective_cost, c.billed_cost, c.amount, c.labels) AS line
		FROM charge AS c JOIN billing_period AS b USING (pool_id, billing_period_id)
		UNION ALL
		SELECT concat_ws('|', j.kind, j.occurred_at, a.party_id, a.kind, a.currency, p.amount, c.lease_id, c.during, c.meter, c.labels)
		FROM posting AS p JOIN journal AS j USING (journal_id) JOIN account AS a USING (account_id) LEFT JOIN charge AS c USING (charge_id)
		UNION ALL
		SELECT concat_ws('|', 'balance', a.party_id, a.kind, a.currency, b.at, b.balance) FROM account_balance AS b JOIN account AS a USING (account_id)
	) AS l};
my $close = q{SELECT encode(close_billing_period('calls', '[2025-01-01,2025-02-01)', half_life => '100 days'), 'hex')};
my $record = q{SELECT record_usage('batch')};

sql($node, "$record; $close", 'calm');
my $right = sql($node, $content, 'calm');
like($right, qr/^\w{32}\|\d{4,}$/, 'a closing that nothing happens to');

# Start a statement, and when it waits for a lock that another session has, end
# it all
sub interrupt
{
	my ($statement, $obstacle, $how, $name) = @_;
	my $other = start_session($node, 'books');
	my ($out, $err) = ('', '');

	$other->("BEGIN; $obstacle");
	my $psql = IPC::Run::start([ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--dbname', $node->connstr('books'), '--command', $statement ], '<', \undef, '>', \$out, '2>', \$err);
	wait_for_lock($node, 'books');
	my @processes = split /\n/, sql($node, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	my $backend = sql($node, q{SELECT pid FROM pg_stat_activity WHERE datname = 'books' AND wait_event_type = 'Lock'});
	if ($how eq 'kill')
	{
		kill 'KILL', $backend;
		# all others end with it
		for (1 .. 300)
		{
			last unless -e $node->data_dir . '/postmaster.pid';
			usleep(100_000);
		}
		$node->{_pid} = undef;
	}
	elsif ($how eq 'terminate')
	{
		sql($node, "SELECT pg_terminate_backend($backend)");
	}
	else
	{
		$node->stop('immediate');
	}
	$psql->finish;
	if ($how ne 'terminate')
	{
		for (1 .. 300)
		{
			last unless kill(0, @processes);
			usleep(100_000);
		}
		$node->start;
	}
	eval { $other->() };
	is($out, '', "$name, $how: it had not finished");
	like($err, qr/server closed the connection|terminating connection/, "$name, $how: and was ended");
}

my $nothing = q{SELECT (SELECT count(*) FROM billing_period), (SELECT count(*) FROM charge), (SELECT count(*) FROM journal), (SELECT count(*) FROM posting), (SELECT count(*) FROM account_balance),
	(SELECT count(*) FROM account), (SELECT count(*) FROM usage), (SELECT count(*) FROM usage_key), coalesce(verify_books(), 'right')};
my $before = sql($node, $nothing, 'books');

# ----------
# Recording: in the middle of a batch, whose 1500th row another session records, too
# ----------

foreach my $how ('kill', 'immediate', 'terminate')
{
	interrupt($record, q{SELECT record_usage('calls', 'bob', 'token', 1500, '[2025-01-07,2025-01-08)', 'gateway', '1500')}, $how, 'recording');
	is(sql($node, $nothing, 'books'), $before, "recording, $how: nothing of it is there, usage or key");
}
is(sql($node, $record, 'books'), 2000, 'then all of it is recorded');
is(sql($node, $record, 'books'), 0, 'once');
$before = sql($node, $nothing, 'books');

# ----------
# Closing: before its charges, its postings, its balances and its seal
# ----------

foreach my $obstacle ('LOCK TABLE charge IN SHARE MODE', 'LOCK TABLE posting IN SHARE MODE', 'LOCK TABLE account_balance IN SHARE MODE')
{
	foreach my $how ('kill', 'immediate', 'terminate')
	{
		my $table = (split / /, $obstacle)[2];

		interrupt($close, $obstacle, $how, "closing, before $table");
		is(sql($node, $nothing, 'books'), $before, "closing, before $table, $how: nothing of it is there");
	}
}
my $digest = sql($node, $close, 'books');
is(sql($node, $content, 'books'), $right, 'then it closes, to the same charges, postings and balances as elsewhere');
is(sql($node, $close, 'books'), $digest, 'and closes once');
is(sql($node, 'SELECT verify_books()', 'books'), '', 'the books are right');
is(sql($node, $content, 'books'), $right, 'and stay so');

# what was acknowledged survives, sealed
$node->stop('immediate');
$node->start;
is(sql($node, $close, 'books'), $digest, 'a closing that was acknowledged survives a crash');
is(sql($node, 'SELECT verify_books()', 'books'), '', 'with right books');

# ----------
# Many who record one by one, while the postmaster is killed
# ----------

my $clients = 3;
foreach my $client (1 .. $clients)
{
	append_to_file("$directory/calls.$client.sql",
		join('', map { "SELECT $_ || ' ' || record_usage('calls', 'ann', 'token', $_, '[2025-02-03,2025-02-04)', 'client $client', '$_');\n" } 1 .. 4000));
}
sub record_all { return map { IPC::Run::start([ 'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--dbname', $node->connstr('books'), '--file', "$directory/calls.$_.sql" ],
		'<', \undef, '>', "$directory/said.$_", '2>', "$directory/error.$_") } 1 .. $clients }
my @psql = record_all();
$node->poll_query_until('books', q{SELECT count(*) > 200 FROM usage WHERE source = 'client 2'}) or die;
my @processes = split /\n/, sql($node, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
$node->kill9;
$_->finish foreach @psql;
for (1 .. 300)
{
	last unless kill(0, @processes);
	usleep(100_000);
}
$node->start;
my @acknowledged = map { my $client = $_; map { "('client $client', '$_')" } slurp_file("$directory/said.$client") =~ /^(\d+) \d+\n/mg } 1 .. $clients;
cmp_ok(scalar(@acknowledged), '>', 100, 'usage was recorded');
is(sql($node, 'SELECT count(*) FROM (VALUES ' . join(', ', @acknowledged) . ') AS a (source, key) WHERE NOT EXISTS (SELECT FROM usage AS u WHERE u.source = a.source AND u.source_key = a.key)', 'books'), 0,
	'whatever was acknowledged is there');
is(sql($node, 'SELECT count(*) FROM usage AS u FULL JOIN usage_key AS k USING (source, source_key) WHERE u.usage_id IS DISTINCT FROM k.usage_id', 'books'), 0, 'every usage has its key, and every key its usage');
$_->finish foreach record_all();
is(sql($node, q{SELECT count(*), sum(quantity) FROM usage WHERE source ~ 'client'}, 'books'), $clients * 4000 . '|' . $clients * 4000 * 4001 / 2, 'and when all is recorded again, it is there once');

$node->stop;
done_testing();
