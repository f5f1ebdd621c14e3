# 004_soak.pl
#		Many clients that do everything at once, in one pool and in hundreds, at
#		every isolation level, and with the server killed under them. Short here;
#		"make soak" makes it long:
#
#		SOAK_OPERATIONS		how many operations in all
#		SOAK_KILLS			how many times the server is killed
#		SOAK_CLIENTS		how many clients at a time

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use POSIX qw(ceil);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $operations = $ENV{SOAK_OPERATIONS} // 18000;
my $kills = $ENV{SOAK_KILLS} // 2;
my $clients = $ENV{SOAK_CLIENTS} // 32;
my $node = new_server('soak', 'max_connections = 100', 'synchronous_commit = off', 'deadlock_timeout = 100ms');
my $directory = PostgreSQL::Test::Utils::tempdir;
my ($stdout, $stderr);

# how often of a hundred times
my %verbs = (
	reserve => 26, hold => 6, confirm => 6, amend => 12, release => 8, cancel => 8, bundle => 8, several => 3,
	preemptible => 4, reclaim => 4, outage => 5, supply => 5, quota => 3, move => 2);

foreach my $verb (sort keys %verbs)
{
	append_to_file("$directory/$verb.sql", "SELECT public.soak('$verb');\n");
}
my @scripts = map { ('-f', "$directory/$_.sql\@$verbs{$_}") } sort keys %verbs;

# Some pools on their own, some in trees of three levels that borrow and lend
sub create_soak
{
	my ($database, $pools) = @_;

	create_database($node, $database);
	sql($node, q{
		SELECT count(create_party(name)) FROM unnest('{grid,north,south,c0,c1,c2,c3,c4,c5}'::text[]) AS name;
		SELECT count(create_pool('p' || i, 'compute', 'gpu', 'grid', buffer => CASE WHEN i % 7 = 3 THEN '10 min'::interval ELSE '0' END, overbooking => CASE WHEN i % 16 = 15 THEN 1.25 ELSE 1 END))
		FROM generate_series(1, } . $pools . q{) AS i;
		-- 8 is the child of 5 and 6 and 7 are the children of 8, and so on
		UPDATE pool AS p SET parent_id = q.pool_id, borrow = (ARRAY[NULL, 4, 0])[1 + p.pool_id % 3], lend = (ARRAY[NULL, 3, 0])[1 + p.pool_id % 3]
		FROM pool AS q WHERE (p.pool_id % 16, q.pool_id - p.pool_id) IN ((8, -3), (6, 2), (7, 1));
		INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT pool_id, party_id, CASE WHEN party.name IN ('north', 'south') THEN 'provider' ELSE 'consumer' END, now() FROM pool, party WHERE party.name <> 'grid';
		SELECT count(add_supply(name, 'north', 8, '[2100-01-01,)')) FROM pool;

		-- Each call that is counted leaves a row here: how many leases it made, or
		-- why it did nothing
		CREATE TABLE public.call (verb text, made bigint, sqlstate text);
		CREATE FUNCTION public.soak(verb text) RETURNS void LANGUAGE plpgsql AS $$
		DECLARE
			pools CONSTANT integer := } . $pools . q{;
			pool CONSTANT text := 'p' || 1 + floor(random() * pools)::integer;
			consumer CONSTANT text := 'c' || floor(random() * 6)::integer;
			start CONSTANT timestamptz := '2100-02-01 00:00+00'::timestamptz + floor(random() * 250) * interval '10 min';
			during CONSTANT tstzrange := tstzrange(start, CASE WHEN random() < 0.98 THEN start + ceil(random() * 12) * interval '10 min' END);
			quantity CONSTANT numeric := ceil(random() * 3)::numeric / 2;
			-- some lease
			id bigint := (SELECT l.lease_id FROM sharecollab.lease AS l
				WHERE l.lease_id >= (SELECT floor(random() * last_value)::bigint FROM sharecollab.lease_lease_id_seq)
				AND (verb <> 'confirm' OR l.held_until IS NOT NULL) AND (verb <> 'reclaim' OR l.preemptible)
				ORDER BY l.lease_id LIMIT 1);
			held sharecollab.lease;
			made bigint := 0;
		BEGIN
			SELECT * INTO held FROM sharecollab.lease AS l WHERE l.lease_id = id;
			CASE verb
				WHEN 'reserve' THEN made := (SELECT count(reserve(pool, consumer, quantity, during)));
				WHEN 'hold' THEN made := (SELECT count(reserve(pool, consumer, quantity, during, hold_for => random() * interval '1 s' + interval '1 ms')));
				WHEN 'preemptible' THEN made := (SELECT count(reserve(pool, consumer, quantity, during, preemptible => true)));
				WHEN 'confirm' THEN PERFORM confirm(id);
				WHEN 'amend' THEN
					-- of one that has begun by then, another quantity makes another lease
					made := (SELECT count(*) FROM amend(id, quantity,
						tstzrange(CASE WHEN random() < 0.5 THEN lower(held.during) ELSE start END, start + ceil(random() * 20) * interval '10 min'),
						CASE WHEN random() < 0.5 THEN now() ELSE lower(held.during) + interval '5 min' END) AS a WHERE a <> id);
				WHEN 'release' THEN PERFORM release(id, lower(held.during) + coalesce(upper(held.during) - lower(held.during), '1 hour') * floor(random() * 4) * 0.25);
				WHEN 'cancel' THEN PERFORM cancel(id);
				WHEN 'reclaim' THEN PERFORM reclaim(id);
				WHEN 'bundle' THEN
					PERFORM reserve_bundle((SELECT array_agg('p' || 1 + (floor(random() * 4)::integer + i * 7) % pools) FROM generate_series(1, 3) AS i), consumer, ARRAY[quantity], ARRAY[during]);
					made := 3;
				WHEN 'several' THEN
					INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during)
					SELECT 1 + (floor(random() * 500)::integer + i) % pools, 4 + i % 6, 0.5, tstzrange(start + i * interval '70 min', start + i * interval '70 min' + interval '1 hour')
					FROM generate_series(1, 5) AS i;
					made := 5;
				WHEN 'move' THEN
					UPDATE sharecollab.lease AS l SET pool_id = 1 + (l.pool_id + 3) % pools, consumer_id = 4 + (l.consumer_id + 1) % 6 WHERE l.lease_id = id;
				WHEN 'outage' THEN PERFORM withdraw_supply(pool, CASE WHEN random() < 0.5 THEN 'north' ELSE 'south' END, quantity * 4, tstzrange(start, start + interval '3 hours'));
				WHEN 'supply' THEN PERFORM add_supply(pool, 'south', quantity * 4, tstzrange(start, start + interval '5 hours'));
				WHEN 'quota' THEN
					CASE floor(random() * 5)::integer
						WHEN 0 THEN PERFORM set_quota(pool, consumer, tstzrange(start, start + interval '1 day'), floor(random() * 6)::numeric, floor(random() * 3)::numeric, floor(random() * 3)::numeric);
						WHEN 1 THEN PERFORM set_quota(pool, consumer, tstzrange(start, start + interval '2 days'), budget => floor(random() * 30)::numeric);
						WHEN 2 THEN
							UPDATE sharecollab.quota AS q SET own = floor(random() * 6)::numeric
							WHERE q.own IS NOT NULL AND (q.pool_id, q.quota_id) = (SELECT r.pool_id, r.quota_id FROM sharecollab.quota AS r ORDER BY random() LIMIT 1);
						ELSE
							DELETE FROM sharecollab.quota AS q
							WHERE (q.pool_id, q.quota_id) = (SELECT r.pool_id, r.quota_id FROM sharecollab.quota AS r ORDER BY random() LIMIT 1);
					END CASE;
			END CASE;
			INSERT INTO public.call VALUES (verb, made, '00000');
		EXCEPTION WHEN SQLSTATE 'SC001' OR SQLSTATE 'SC002' OR SQLSTATE 'SC003' OR SQLSTATE 'SC005' OR SQLSTATE 'SC006' OR exclusion_violation OR undefined_object
				OR null_value_not_allowed OR invalid_parameter_value OR data_exception THEN
			INSERT INTO public.call VALUES (verb, 0, SQLSTATE);
		END $$;
	}, $database);
}

# All that must hold, whatever happened
sub check_soak
{
	my ($database, $name) = @_;

	is(sql($node, 'SELECT * FROM check_calendar() LIMIT 10', $database), '', "$name: the calendar is what the facts add up to");

	# nothing of ours: sums over the rows, and the deficit through its text
	is(sql($node, q{
		WITH RECURSIVE tree AS (
			SELECT pool_id AS root, pool_id, overbooking FROM sharecollab.pool WHERE parent_id IS NULL
			UNION ALL SELECT t.root, p.pool_id, p.overbooking FROM tree AS t JOIN sharecollab.pool AS p ON p.parent_id = t.pool_id
		), event AS (
			SELECT l.pool_id, e.at, e.delta
			FROM sharecollab.lease AS l, LATERAL (VALUES (lower(l.effective), l.quantity), (upper(l.effective) + l.buffer, - l.quantity)) AS e (at, delta)
			WHERE NOT isempty(l.effective)
			UNION ALL
			SELECT s.pool_id, e.at, e.delta * t.overbooking
			FROM sharecollab.supply AS s JOIN tree AS t USING (pool_id), LATERAL (VALUES (lower(s.during), - s.quantity), (upper(s.during), s.quantity)) AS e (at, delta)
			UNION ALL
			SELECT c.pool_id, d.key::timestamptz, lag(d.value::numeric, 1, 0::numeric) OVER (PARTITION BY c.pool_id, c.starts ORDER BY d.key::timestamptz) - d.value::numeric
			FROM sharecollab.calendar AS c, LATERAL jsonb_each_text(c.deficit::text::jsonb) AS d
			WHERE c.quota_id = 0
		), load AS (
			SELECT t.root, e.at, sum(sum(e.delta)) OVER (PARTITION BY t.root ORDER BY e.at) AS over
			FROM event AS e JOIN tree AS t USING (pool_id) WHERE e.at IS NOT NULL GROUP BY t.root, e.at
		)
		SELECT * FROM load WHERE over > 0 LIMIT 5}, $database), '', "$name: at no instant is more leased than there is and than the deficit admits");
	is(sql($node, 'SELECT (SELECT count(*) FROM sharecollab.lease) - sum(made) FROM public.call', $database), 0, "$name: no lease is lost or doubled");
	is(sql($node, q{SELECT count(*) FROM (SELECT booking_id FROM sharecollab.lease WHERE booking_id IS NOT NULL AND end_reason IS DISTINCT FROM 'amended' GROUP BY booking_id HAVING count(*) < 3) AS b}, $database), 0,
		"$name: bundles are whole");
}

my ($total, $retries) = (0, 0);

foreach my $pools (1, 16, 500)
{
	create_soak("soak$pools", $pools);
	foreach my $level ('read committed', 'repeatable read', 'serializable')
	{
		(my $option = $level) =~ s/ /\\ /;
		local $ENV{PGOPTIONS} = "-c default_transaction_isolation=$option";
		my $transactions = ceil($operations / 9 / $clients);
		my $ok = IPC::Run::run([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions, '--max-tries=100000', '-p', $node->port, '-h', $node->host, @scripts, "soak$pools" ],
			'>', \$stdout, '2>', \$stderr);
		ok($ok, "$pools pools, $level: pgbench ends well") or diag($stderr);
		my ($processed) = $stdout =~ /number of transactions actually processed: (\d+)/;
		my ($retried) = $stdout =~ /total number of retries: (\d+)/;
		$total += $processed;
		$retries += $retried;
		note("$pools pools, $level: $processed operations, $retried retries");
		check_soak("soak$pools", "$pools pools, $level");
	}
	is(sql($node, 'SELECT count(*) FROM public.call', "soak$pools"), ceil($operations / 9 / $clients) * $clients * 3, "$pools pools: every operation has happened once");
	is(sql($node, "SELECT deadlocks FROM pg_stat_database WHERE datname = 'soak$pools'"), 0, "$pools pools: no deadlock");
	note(sql($node, q{SELECT string_agg(format('%s %s', n, s), ', ' ORDER BY s) FROM (SELECT sqlstate AS s, count(*) AS n FROM public.call GROUP BY 1) AS c}, "soak$pools"));
	# of a short run, a rare verb may have found nothing to do: it gets more chances
	my $idle = q{SELECT v FROM unnest('{reserve,hold,amend,release,cancel,bundle,outage,quota,preemptible}'::text[]) AS v WHERE NOT EXISTS (SELECT FROM public.call WHERE verb = v AND sqlstate = '00000')};
	for (1 .. 20)
	{
		my $verbs = sql($node, $idle, "soak$pools") or last;
		sql($node, "SELECT public.soak('$_') FROM generate_series(1, 50)", "soak$pools") for split /\n/, $verbs;
	}
	is(sql($node, $idle, "soak$pools"), '', "$pools pools: every verb was done");
}

# ----------
# Killed in the middle
# ----------

foreach my $round (1 .. $kills)
{
	my $level = ('read\ committed', 'repeatable\ read', 'serializable')[$round % 3];
	local $ENV{PGOPTIONS} = "-c default_transaction_isolation=$level";
	my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', 60, '--max-tries=100000', '-p', $node->port, '-h', $node->host, @scripts, 'soak16' ],
		'>', \$stdout, '2>', \$stderr);

	usleep(500_000 + 37_000 * ($round % 20));
	my @processes = split /\n/, sql($node, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	$node->kill9;
	$bench->finish;
	# its children take a moment to notice, and until then hold the shared memory
	for (1 .. 300)
	{
		last unless kill(0, @processes);
		usleep(100_000);
	}
	$node->start;
	check_soak('soak16', "after kill $round");
}
my $seconds = time - $^T;
note("$total operations, $retries retries, $kills kills in $seconds s");
$node->stop;
done_testing();
