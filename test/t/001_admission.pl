# 001_admission.pl
#		Many clients on few units, at every isolation level; two-phase commit;
#		a hundred thousand leases in one COPY.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = 4;
my $node = new_server('admission');
my ($stdout, $stderr);

create_database($node, 'load');

# ----------
# Sixteen clients, two pools: hot never loses supply; mixed gains and loses
# ----------

sql($node, q{
	SELECT create_party(name) FROM unnest('{grid,north,c0,c1,c2}'::text[]) AS name;
	SELECT create_pool(name, 'compute', 'gpu', 'grid') FROM unnest('{hot,mixed}'::text[]) AS name;
	INSERT INTO membership (pool_id, party_id, role, accepted_at)
	SELECT pool_id, party_id, CASE party.name WHEN 'north' THEN 'provider' ELSE 'consumer' END, now() FROM pool, party WHERE party.name <> 'grid';
	SELECT add_supply(name, 'north', 8, '[2026-01-01,)') FROM unnest('{hot,mixed}'::text[]) AS name;

	-- Each call that pgbench counts leaves a row here: the lease that it made, or
	-- why it did not
	CREATE TABLE public.call (lease_id bigint, verb text, sqlstate text);
	CREATE FUNCTION public.attempt(verb text, statement text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		id bigint;
	BEGIN
		IF verb = 'reserve' THEN
			EXECUTE statement INTO id;
		ELSE
			EXECUTE statement;
		END IF;
		INSERT INTO public.call VALUES (id, verb, '00000');
	EXCEPTION WHEN SQLSTATE 'SC001' OR SQLSTATE 'SC002' OR SQLSTATE 'SC005' OR undefined_object THEN
		INSERT INTO public.call VALUES (NULL, verb, SQLSTATE);
	END $$;
	CREATE FUNCTION public.period(start integer, duration integer) RETURNS tstzrange LANGUAGE sql IMMUTABLE AS $$
		SELECT tstzrange('2026-02-01 00:00+00'::timestamptz + start * interval '10 min', '2026-02-01 00:00+00'::timestamptz + (start + duration) * interval '10 min')
	$$;
}, 'load');

# Over all of them together there are some 600 instants, hence some 10 pages
my %script = (
	'reserve@10' => q{
\set start random(0, 280)
\set duration random(1, 6)
\set quantity random(1, 3)
\set consumer random(0, 2)
SELECT public.attempt('reserve', format('SELECT reserve(%L, %L, %s, %L)', 'hot', 'c' || :consumer, :quantity, public.period(:start, :duration)));
},
	'give_back@8' => q{
SELECT public.attempt('release', 'SELECT release(lease_id, lower(during) + (upper(during) - lower(during)) * floor(random() * 4) * 0.25) FROM lease
	WHERE lease_id >= (SELECT floor(random() * last_value)::bigint FROM lease_lease_id_seq) AND ended_at IS NULL ORDER BY lease_id LIMIT 1');
},
	'call_off@2' => q{
SELECT public.attempt('cancel', 'SELECT cancel(lease_id, ''2026-01-31'') FROM lease
	WHERE lease_id >= (SELECT floor(random() * last_value)::bigint FROM lease_lease_id_seq) ORDER BY lease_id LIMIT 1');
},
	'several@2' => q{
\set start random(0, 280)
\set step random(1, 9)
SELECT public.attempt('insert', format('INSERT INTO lease (pool_id, consumer_id, quantity, during)
	SELECT 1 + i %% 2, 3, 1, public.period(%s + i * %s, 4) FROM generate_series(0, 5) AS i', :start, :step));
},
	'move@2' => q{
\set start random(0, 280)
SELECT public.attempt('update', format('UPDATE lease SET during = public.period(%s, 3), pool_id = 3 - pool_id
	WHERE ended_at IS NULL AND lease_id = (SELECT lease_id FROM lease
		WHERE lease_id >= (SELECT floor(random() * last_value)::bigint FROM lease_lease_id_seq) ORDER BY lease_id LIMIT 1)', :start));
},
	'supply@2' => q{
\set start random(0, 280)
\set quantity random(1, 5)
SELECT public.attempt('supply', format('SELECT add_supply(%L, %L, %s, %L)', 'mixed', 'north', :quantity, public.period(:start, 40)));
},
	'outage@3' => q{
\set start random(0, 280)
\set quantity random(1, 5)
SELECT public.attempt('outage', format('SELECT withdraw_supply(%L, %L, %s, %L)', 'mixed', 'north', :quantity, public.period(:start, 40)));
});

# scripts are files
my $directory = PostgreSQL::Test::Utils::tempdir;
my @scripts;
foreach my $name (sort keys %script)
{
	my ($file, $weight) = split /@/, $name;

	append_to_file("$directory/$file.sql", $script{$name});
	push @scripts, '-f', "$directory/$file.sql\@$weight";
}

foreach my $level ('read committed', 'repeatable read', 'serializable')
{
	(my $option = $level) =~ s/ /\\ /;
	local $ENV{PGOPTIONS} = "-c default_transaction_isolation=$option";

	sql($node, 'TRUNCATE call, lease RESTART IDENTITY', 'load');
	my $ok = IPC::Run::run([ 'pgbench', '-n', '-c', 16, '-j', 2, '-T', $seconds, '--max-tries=10000',
			'-p', $node->port, '-h', $node->host, @scripts, 'load' ], '>', \$stdout, '2>', \$stderr);
	ok($ok, "$level: pgbench ends well") or diag($stderr);
	my ($processed) = $stdout =~ /number of transactions actually processed: (\d+)/;
	my ($retried) = $stdout =~ /total number of retries: (\d+)/;
	my ($made, $refused, $calls, $pages, $deficits) = split /\|/, sql($node, q{
		SELECT count(*) FILTER (WHERE verb = 'reserve' AND sqlstate = '00000'), count(*) FILTER (WHERE sqlstate = 'SC001'), count(*),
			(SELECT count(*) FROM calendar), (SELECT count(*) FROM calendar WHERE deficit <> '{}') FROM call}, 'load');
	note("$level: $processed transactions, $retried retries, $made leases made, $refused refused, $pages pages, $deficits with deficit");
	is($calls, $processed, "$level: every transaction that pgbench counts has happened once");
	is(sql($node, q{SELECT count(*) FROM call WHERE verb = 'reserve' AND sqlstate = '00000' AND lease_id NOT IN (SELECT lease_id FROM lease)}, 'load'), 0,
		"$level: every lease that reserve() made is there");
	is(sql($node, q{SELECT count(*) - 6 * (SELECT count(*) FROM call WHERE verb = 'insert' AND sqlstate = '00000')
			- (SELECT count(DISTINCT lease_id) FROM call WHERE verb = 'reserve' AND sqlstate = '00000') FROM lease}, 'load'), 0,
		"$level: and no other");
	cmp_ok($made, '>', 100, "$level: leases were made");
	cmp_ok($refused, '>', 100, "$level: and refused");
	is_sound($node, 'load', $level, hot => 8);
	is(sql($node, q{SELECT count(*) FROM calendar JOIN pool USING (pool_id) WHERE name = 'hot' AND deficit <> '{}'}, 'load'), 0,
		"$level: no deficit where supply was never withdrawn");
}
cmp_ok(sql($node, 'SELECT count(*) FROM calendar', 'load'), '>=', 6, 'pages were split meanwhile');

# ----------
# Two-phase commit: a prepared lease holds its place, whatever happens
# ----------

sql($node, 'TRUNCATE lease RESTART IDENTITY', 'load');
sql($node, q{BEGIN; SELECT reserve('hot', 'c0', 8, '[2026-03-01,2026-03-02)'); PREPARE TRANSACTION 'one'}, 'load');
sql($node, q{BEGIN; SELECT reserve('mixed', 'c0', 1, '[2027-03-01,2027-03-02)'); PREPARE TRANSACTION 'two'}, 'load');
$node->restart;
isnt($node->psql('load', q{SET lock_timeout = '100ms'; SELECT reserve('hot', 'c1', 1, '[2026-03-01,2026-03-02)')}, stderr => \$stderr), 0,
	'a prepared lease holds its place, after a restart too');
like($stderr, qr/lock timeout/, 'because its page is locked');
sql($node, q{COMMIT PREPARED 'one'}, 'load');
sql($node, q{ROLLBACK PREPARED 'two'}, 'load');
$node->psql('load', q{SELECT reserve('hot', 'c1', 1, '[2026-03-01,2026-03-02)')}, stderr => \$stderr);
like($stderr, qr/not enough capacity/, 'once committed, it is full');
is(sql($node, q{SELECT reserve('mixed', 'c1', 1, '[2027-03-01,2027-03-02)') > 0}, 'load'), 't', 'once rolled back, it is free');
is_sound($node, 'load', 'two-phase commit', hot => 8);

# ----------
# A hundred thousand leases in one COPY: one pass over the calendar of each pool
# ----------

create_database($node, 'bulk');
sql($node, q{
	SELECT create_party(name) FROM unnest('{grid,north,ann}'::text[]) AS name;
	SELECT create_pool('pool ' || i, 'compute', 'gpu', 'grid') FROM generate_series(1, 4) AS i;
	INSERT INTO membership (pool_id, party_id, role, accepted_at) SELECT pool_id, party_id, r, now() FROM pool, party, unnest('{provider,consumer}'::text[]) AS r;
	SELECT add_supply('pool ' || i, 'north', 10000, '[2026-01-01,2027-01-01)') FROM generate_series(1, 4) AS i;
	SELECT setseed(0.1);
	CREATE TABLE public.incoming AS
	SELECT 1 + i % 3 AS pool_id, 3 AS consumer_id, 1 + floor(random() * 4) AS quantity,
		tstzrange(at, at + ceil(random() * 48) * interval '1 hour') AS during
	FROM generate_series(1, 100000) AS i, LATERAL (SELECT '2026-02-01 00:00+00'::timestamptz + floor(random() * 90 * 24 + i * 0) * interval '1 hour' AS at) AS at;
}, 'bulk');
sql($node, "COPY public.incoming TO '$directory/incoming'", 'bulk');
my $counts = q{SELECT n_tup_upd, n_tup_ins - (SELECT count(*) - 4 FROM calendar), n_tup_del FROM pg_stat_xact_all_tables WHERE relid = 'calendar'::regclass};
is(sql($node, "BEGIN; COPY lease (pool_id, consumer_id, quantity, during) FROM '$directory/incoming'; $counts; COMMIT", 'bulk'), '3|0|0',
	'COPY updates one page for each pool that it touches, and inserts those that were split off, once');
is(sql($node, 'SELECT count(*) FROM lease', 'bulk'), 100000, 'all leases are there');
is_sound($node, 'bulk', 'COPY', map { ("pool $_" => 10000) } 1 .. 4);
cmp_ok(sql($node, 'SELECT count(*) FROM calendar WHERE pool_id = 1', 'bulk'), '>=', 30, 'on many pages');
is(sql($node, q{SELECT max(leased_unit_hours - expected) FROM utilization_report('pool 1', '[2026-01-01,2027-01-01)', '7 days'),
		LATERAL (SELECT sum(quantity * extract(epoch FROM upper(w) - lower(w)) / 3600) AS expected
			FROM (SELECT quantity, effective * period AS w FROM lease WHERE pool_id = 1 AND effective && period) AS l) AS e}, 'bulk') + 0, 0,
	'and the report that reads pages agrees with the leases');

# one row too much: none at all
sql($node, q{UPDATE public.incoming SET quantity = 1; INSERT INTO public.incoming SELECT 2, 3, 10000 - peak(booked) + 5, '[2026-01-10,2026-06-01)' FROM (SELECT sum(booked) AS booked FROM calendar WHERE pool_id = 2) AS c;
	COPY public.incoming TO '}. "$directory/too_much'", 'bulk');
isnt($node->psql('bulk', "COPY lease (pool_id, consumer_id, quantity, during) FROM '$directory/too_much'", stderr => \$stderr), 0, 'a COPY with one row too much is refused');
like($stderr, qr/not enough capacity in pool "pool 2"/, 'because of that row');
is(sql($node, 'SELECT count(*) FROM lease', 'bulk'), 100000, 'all of it');

# then single leases: one page each, and mostly HOT
sql($node, 'VACUUM calendar', 'bulk');
my ($updates, $hot) = split /\|/, sql($node, q{
	SELECT count(reserve('pool 1', 'ann', 1, tstzrange(at, at + '1 hour'))) FROM generate_series('2026-02-01'::timestamptz, '2026-04-01', '5 hours') AS at \g /dev/null
	SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_all_tables WHERE relid = 'calendar'::regclass} =~ s/^\s*/BEGIN; /r, 'bulk');
note("$updates updates, $hot of them HOT");
cmp_ok($updates, '<=', 284 * 1.1, 'a short lease after that updates one page, or two if it is across their edge');
is_sound($node, 'bulk', 'single leases after COPY', 'pool 1' => 10000);
# an empty table is all there is: COPY FREEZE
sql($node, "BEGIN; TRUNCATE lease; COPY lease (pool_id, consumer_id, quantity, during) FROM '$directory/incoming' WITH (FREEZE); COMMIT", 'bulk');
is_sound($node, 'bulk', 'COPY FREEZE', map { ("pool $_" => 10000) } 1 .. 4);
is(sql($node, 'SELECT count(*) FROM lease', 'bulk'), 100000, 'COPY FREEZE: all leases are there');

# ----------
# TRUNCATE while somebody else splits a page
# ----------

foreach my $table ('supply', 'lease')
{
	my $split = $table eq 'supply'
		? q{INSERT INTO lease (pool_id, consumer_id, quantity, during) SELECT 1, 3, 1, tstzrange('2026-02-01'::timestamptz + i * interval '2 hours', '2026-02-01'::timestamptz + (i * 2 + 1) * interval '1 hour') FROM generate_series(1, 100) AS i}
		: q{INSERT INTO supply (pool_id, provider_id, quantity, during) SELECT 1, 2, 1, tstzrange('2026-02-01'::timestamptz + i * interval '2 hours', '2026-02-01'::timestamptz + (i * 2 + 1) * interval '1 hour') FROM generate_series(1, 100) AS i};
	create_database($node, "truncate_$table");
	sql($node, q{
		SELECT create_party(name) FROM unnest('{grid,north,ann}'::text[]) AS name;
		SELECT create_pool('pool', 'compute', 'gpu', 'grid');
		INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (1, 2, 10, '[2026-01-01,2027-01-01)');
		INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (1, 3, 1, '[2026-01-01,2027-01-01)');
	}, "truncate_$table");
	my $one = start_session($node, "truncate_$table");
	my $two = start_session($node, "truncate_$table");
	$one->("BEGIN; $split");
	$two->("TRUNCATE $table", 1);
	wait_for_lock($node, "truncate_$table");
	$one->('COMMIT');
	$one->();
	$two->();
	is_sound($node, "truncate_$table", "TRUNCATE $table while a page is split");
}

# ----------
# TRUNCATE in a transaction that has not seen a pool, or pages, that came after its start
# ----------

create_database($node, 'truncate_late');
sql($node, q{
	SELECT create_party(name) FROM unnest('{grid,north,ann}'::text[]) AS name;
	SELECT create_pool('old', 'compute', 'gpu', 'grid');
}, 'truncate_late');
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $one = start_session($node, 'truncate_late');
	$one->("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM lease");
	sql($node, qq{
		SELECT create_pool('$level', 'compute', 'gpu', 'grid');
		INSERT INTO supply (pool_id, provider_id, quantity, during) VALUES (pool_id('$level'), 2, 10, '[2026-01-01,2027-01-01)');
		INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('$level'), 3, 1, '[2026-01-01,2027-01-01)');
	}, 'truncate_late');
	$one->('TRUNCATE lease; COMMIT');
	like($one->(), qr/could not serialize/, "TRUNCATE, $level: the world has moved on");
	is_sound($node, 'truncate_late', "TRUNCATE, $level, of what came after its start", $level => 10);
}

$node->stop;
done_testing();
