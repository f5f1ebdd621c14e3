# 012_as_of.pl
#		What was known at an instant can be had again, whatever has happened since;
#		and every change of a lease names who made it.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('as_of');
create_database($node, 'past');

sql($node, q{
	CREATE ROLE lab;
	SELECT create_party('grid'), create_party('lab', role => 'lab'), create_party('north');
	SELECT create_pool('gpu', 'compute', 'gpu', 'grid', price => 1);
	SELECT invite('gpu', 'lab'), accept('gpu', 'lab'), invite('gpu', 'north', 'provider'), accept('gpu', 'north', 'provider');
	CREATE TABLE public.known (n serial, at timestamptz, free profile, leases text);
	GRANT ALL ON public.known, public.known_n_seq TO lab;
}, 'past');

# A history, one transaction after the other, and what was known after each
srand(17);
my $history = "SET search_path = sharecollab, public;\n";
my @acts = (
	sub { sprintf "SELECT add_supply('gpu', 'north', %d, tstzrange('2030-01-01'::timestamptz + %d * interval '1 day', NULL))", 1 + rand 9, rand 30 },
	sub { sprintf "SELECT withdraw_supply('gpu', 'north', 1, tstzrange('2030-02-01'::timestamptz + %d * interval '1 day', '2030-04-01'))", rand 30 },
	(sub { sprintf "SELECT reserve('gpu', 'lab', %d, tstzrange('2030-02-01'::timestamptz + %d * interval '1 day', '2030-02-01'::timestamptz + %d * interval '1 day'))", 1 + rand 2, rand 10, 11 + rand 20 }) x 4,
	sub { "SELECT reserve('gpu', 'lab', 1, '[2030-02-05,2030-02-07)', hold_for => '1 ms')" },
	sub { sprintf "SELECT cancel(lease_id, '2030-01-15') FROM lease WHERE ended_at IS NULL AND held_until IS NULL ORDER BY lease_id OFFSET %d LIMIT 1", rand 5 },
	sub { sprintf "SELECT amend(lease_id, quantity + 1) FROM lease WHERE ended_at IS NULL AND held_until IS NULL ORDER BY lease_id OFFSET %d LIMIT 1", rand 5 },
	sub { sprintf "SELECT release(lease_id, lower(during) + interval '3 days') FROM lease WHERE ended_at IS NULL AND held_until IS NULL ORDER BY lease_id OFFSET %d LIMIT 1", rand 5 },
	sub { "DELETE FROM lease WHERE lease_id = (SELECT max(lease_id) FROM lease)" },
	sub { sprintf "UPDATE pool SET overbooking = %s", 1 + int(rand 3) / 4 });
$history .= $acts[0]->() . ";\n" for 1 .. 3;
foreach my $n (1 .. 120)
{
	$history .= $acts[ rand @acts ]->() . ";\nSELECT pg_sleep(0.002);\n"
		. "INSERT INTO public.known (at, free, leases) SELECT clock_timestamp(), availability('gpu', '[2030-01-01,2030-06-01)'), "
		. "(SELECT string_agg(concat_ws(' ', lease_id, quantity, effective, ended_at, end_reason), ',' ORDER BY lease_id) FROM lease);\nSELECT pg_sleep(0.001);\n";
}
$node->psql('past', $history, on_error_stop => 0);

cmp_ok(sql($node, 'SELECT count(*) FROM known', 'past'), '==', 120, 'all of the history happened');
cmp_ok(sql($node, q{SELECT count(DISTINCT free::text) FROM known}, 'past'), '>', 40, 'and much changed');
is(sql($node, q{SELECT n, availability_as_of('gpu', '[2030-01-01,2030-06-01)', at), free FROM known WHERE availability_as_of('gpu', '[2030-01-01,2030-06-01)', at) <> free ORDER BY n LIMIT 3}, 'past'),
	'', 'what was free, as it was known at every instant of it');
is(sql($node, q{SELECT n FROM known, LATERAL (SELECT string_agg(concat_ws(' ', lease_id, quantity, effective, ended_at, end_reason), ',' ORDER BY lease_id) AS leases
		FROM leases_as_of(pool_id('gpu'), at)) AS l WHERE l.leases IS DISTINCT FROM known.leases}, 'past'), '', 'and the leases');

# The life of a lease, as its consumer reads it
sql($node, q{SET ROLE lab; SET search_path = sharecollab, public;
	CREATE TEMP TABLE mine AS SELECT reserve('gpu', 'lab', 1, '[2031-01-01,2031-02-01)') AS id;
	RESET ROLE; SELECT amend(id, 1, '[2031-01-01,2031-03-01)') FROM mine; SET ROLE lab; SELECT cancel(id) FROM mine;}, 'past')
	if sql($node, q{SELECT add_supply('gpu', 'north', 9, '[2031-01-01,)') > 0}, 'past') eq 't';
is(sql($node, q{SET ROLE lab; SELECT role, act, was ->> 'during' FROM sharecollab.audit_trail WHERE subject = 'lease'
		AND subject_id = (SELECT max(lease_id) FROM sharecollab.lease) ORDER BY at}, 'past'),
	qq{lab|created|\npostgres|changed|["2031-01-01 00:00:00+00","2031-02-01 00:00:00+00")\nlab|changed|["2031-01-01 00:00:00+00","2031-03-01 00:00:00+00")},
	'who made a lease, and who changed it');
foreach my $statement ('UPDATE event SET role = NULL', 'DELETE FROM event', 'TRUNCATE event')
{
	my $stderr;
	$node->psql('past', "SET search_path = sharecollab; $statement", stderr => \$stderr);
	like($stderr, qr/cannot change or remove rows of table "event"/, "$statement: refused");
}

$node->stop;
done_testing();
