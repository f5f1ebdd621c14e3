# 002_dump_restore.pl
#		A dump restores to the same answers, in whatever form and order, as
#		superuser and as the plain owner of the database; and the leniency that a
#		restore needs is nobody else's.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('dump');
my $directory = PostgreSQL::Test::Utils::tempdir;
my $stderr;

# What a database says of itself: every table, view and report
my $state = q{
	SET search_path = sharecollab, public;
	SET jit = off;
	\echo tables
	TABLE party ORDER BY 1;
	TABLE pool ORDER BY 1;
	TABLE membership ORDER BY 1, 2, 3;
	TABLE supply ORDER BY 1, 2;
	TABLE lease ORDER BY 1, 2;
	TABLE quota ORDER BY 1, 2;
	TABLE project ORDER BY 1;
	TABLE project_member ORDER BY 1, 2;
	TABLE event ORDER BY 1;
	TABLE audit_trail ORDER BY subject, subject_id, at, act, party_id, role;
	TABLE identity ORDER BY 1;
	TABLE identity_link ORDER BY 1, known, valid;
	TABLE affiliation ORDER BY 1, 2, known, valid;
	TABLE contribution ORDER BY 1, 2, 3, 4, 5;
	TABLE task ORDER BY 1, 2;
	TABLE billing_period ORDER BY 1, 2;
	TABLE usage ORDER BY 1, 2;
	TABLE usage_key ORDER BY 1, 2;
	TABLE rate ORDER BY 1, 2;
	TABLE charge ORDER BY 1, 2;
	TABLE account ORDER BY 1;
	TABLE journal ORDER BY 1;
	TABLE posting ORDER BY 1, 2;
	TABLE exchange_rate ORDER BY 1, 2, 3, 4;
	TABLE account_balance ORDER BY 1, 2;
	TABLE ledger ORDER BY journal_id, line;
	SELECT * FROM trial_balance();
	SELECT coalesce(verify_books(), 'the books are right');
	SELECT d, encode(close_billing_period('gpu', d), 'hex') FROM unnest('{"[2026-01-01,2026-02-01)","[2026-02-01,2026-03-01)"}'::tstzrange[]) AS d;
	SELECT p.name, s.* FROM party AS p, statement(p.name, '[2026-01-01,2026-04-01)') AS s ORDER BY p.party_id, s.pool, s.account, s.currency, s.at, s.journal_id, s.what, s.lease_id, s.meter, s.balance;
	SELECT * FROM balances(at => '2026-02-15') ORDER BY account_id;
	SELECT * FROM aged_payables('gpu', '2026-04-01') ORDER BY party, kind, journal_id;
	SELECT r.* FROM rating_corrections('gpu', '[2026-01-01,2026-02-01)') AS r ORDER BY r::text COLLATE "C";
	TABLE grid_intensity ORDER BY region, known, valid;
	\echo views
	TABLE identity_status ORDER BY identity_id, valid;
	TABLE task_status ORDER BY task_id;
	TABLE pool_status ORDER BY pool;
	TABLE supply_status ORDER BY pool, supply_id;
	TABLE lease_status ORDER BY pool, lease_id;
	TABLE lease_in_deficit ORDER BY pool, position;
	TABLE lease_price ORDER BY pool_id, lease_id, used;
	TABLE focus_cost_and_usage ORDER BY "x_ChargeId";
	TABLE focus_invoice_detail ORDER BY "InvoiceDetailId";
	TABLE focus_contract_commitment ORDER BY "ContractCommitmentId";
	\echo reports
	SELECT p.name, r.* FROM pool AS p, utilization_report(p.name, '[2026-01-01,2026-03-01)', '1 day') AS r ORDER BY p.pool_id, r.period;
	SELECT p.name, r.* FROM pool AS p, cost_report(p.name, '[2026-01-01,2026-03-01)') AS r ORDER BY p.pool_id, r.consumer;
	SELECT p.name, r.* FROM pool AS p, revenue_report(p.name, '[2026-01-01,2026-03-01)', 4) AS r ORDER BY p.pool_id, r.provider;
	SELECT p.name, availability(p.name) FROM pool AS p ORDER BY p.pool_id;
	SELECT * FROM contributions('git', bots => true) ORDER BY kind, ref, identity_id, role;
	SELECT * FROM contributions_by_organization('git') ORDER BY kind, ref, identity_id, role, organization_id;
	SELECT p.name, r.* FROM project AS p, contributor_report(p.name) AS r ORDER BY p.project_id;
	SELECT p.name, r.* FROM project AS p, review_report(p.name) AS r ORDER BY p.project_id;
	SELECT p.name, r.* FROM project AS p, health_report(p.name) AS r ORDER BY p.project_id;
	SELECT p.name, r.* FROM pool AS p, carbon_report(p.name, '[2026-01-01,2026-03-01)') AS r ORDER BY p.pool_id, r.consumer;
	SELECT r.* FROM rated('gpu', '[2026-01-01,2026-04-01)') AS r ORDER BY r::text COLLATE "C";
	SELECT tableoid::regclass, count(*) FROM usage GROUP BY 1 ORDER BY 1;
	\echo calendar
	SELECT pool_id, quota_id, sum(capacity), sum(allowance), sum(booked), sum(deficit) FROM calendar GROUP BY pool_id, quota_id ORDER BY pool_id, quota_id;
	SELECT p.name, availability(p.name, consumer => 'bob') FROM pool AS p ORDER BY p.pool_id;
};

# ----------
# A database of alice, who is nobody special
# ----------

sql($node, q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE lab LOGIN;
	CREATE ROLE mallory LOGIN;
	CREATE DATABASE source OWNER alice;
});

sub as_role { my ($role, $statement, $database) = @_; return sql($node, $statement, $database, extra_params => [ '-U', $role ]); }

as_role('alice', "CREATE EXTENSION sharecollab; CREATE SCHEMA mine; ALTER DATABASE source SET search_path = sharecollab, public;", 'source');
as_role('alice', q{
	SELECT create_party('uni'), create_party('grid', parent => 'uni'), create_party('lab', 'organization', 'uni', 'lab'), create_party('ann', 'person', 'lab'),
		create_party('bob', 'person', 'lab'), create_party('north'), create_party('south'), create_party('bot', 'bot');
	DELETE FROM party WHERE name = 'bot';
	SELECT create_pool('gpu', 'compute', 'gpu', 'grid', price => 1.5, currency => 'EUR', time_zone => 'Europe/Berlin', min_quantity => 0.125, max_quantity => 64, quantity_step => 0.125,
		min_duration => '1 hour', max_duration => '3 months');
	SELECT create_pool('a100', 'compute', 'gpu', 'grid', parent => 'gpu'), create_pool('corpus', 'data', 'seat', 'uni', price => 0.01), create_pool('empty', 'model', 'replica', 'uni');
	SELECT invite(p, m, r, 2), accept(p, m, r)
	FROM unnest('{gpu,a100,corpus}'::text[]) AS p, (VALUES ('north', 'provider'), ('south', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (m, r);
	SELECT invite('gpu', 'lab', 'auditor');
	SELECT add_supply('gpu', 'north', 40, '[2026-01-01,2026-07-01)'), add_supply('gpu', 'south', 24.5, '[2026-01-15,)'), add_supply('a100', 'south', 8, '[2026-01-01,)'),
		add_supply('corpus', 'north', 1000, '[2020-01-01,)');
	-- some pages
	INSERT INTO lease (pool_id, consumer_id, quantity, during, price, reference)
	SELECT pool_id('gpu'), party_id(CASE i % 3 WHEN 0 THEN 'ann' ELSE 'bob' END), 0.125 * (1 + i % 16), tstzrange('2026-01-01'::timestamptz + i * interval '3 hours', '2026-01-02 06:00'::timestamptz + i * interval '3 hours'), 1.5, 'job-' || i
	FROM generate_series(1, 300) AS i;
	SELECT reserve('corpus', 'ann', 10, '[2026-01-01,)', 'open'), reserve('corpus', 'bob', 1, '[2026-01-01,2026-02-01)', NULL), reserve('a100', 'bob', 8, '[2026-01-05,2026-02-05)', E'odd\t"ref"\\\\');
	UPDATE pool SET price = 2.25 WHERE name = 'gpu';
	SELECT reserve('gpu', 'ann', 0.25, tstzrange('2026-02-01'::timestamptz + i * interval '1 day', '2026-02-02'::timestamptz + i * interval '1 day')) FROM generate_series(1, 20) AS i;
	INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (pool_id('gpu'), party_id('ann'), 0.5, '[2026-02-01,2026-02-03)');
	SELECT release(lease_id, lower(during) + (upper(during) - lower(during)) / 3) FROM lease WHERE lease_id % 10 = 1 AND NOT upper_inf(during);
	SELECT cancel(lease_id, lower(during) - interval '1 hour') FROM lease WHERE lease_id % 10 = 2 AND NOT upper_inf(during);
	-- outages under leases
	SELECT withdraw_supply('gpu', 'north', 40, '[2026-01-10,2026-01-20)'), withdraw_supply('gpu', 'north', 30.25, '[2026-02-01,2026-02-10 12:34:56.789)'), withdraw_supply('a100', 'south', 5, '[2026-01-20,)');
	-- quotas (one that its party is beyond), a budget, holds, a bundle, terms
	SELECT set_quota('corpus', 'bob', '[2026-01-01,2027-01-01)', 5, NULL), set_quota('corpus', 'ann', '[2026-03-01,2026-06-01)', 3, 2),
		set_quota('gpu', 'ann', '[2026-01-01,2027-01-01)', budget => 100000);
	SELECT reserve('corpus', 'bob', 1, '[2100-01-01,2100-02-01)', 'held', hold_for => '50 years'), reserve('corpus', 'bob', 1, '[2100-01-01,2100-02-01)', preemptible => true);
	SELECT reserve_bundle('{gpu,corpus}', 'bob', '{1,2}', '{"[2026-06-01,2026-06-10)"}', 'bundle');
	UPDATE pool SET cancellation = profile(0.25), buffer = '1 hour', overbooking = 1.1, horizon = '1000 years', preemption_notice = '2 days', instant = false WHERE name = 'corpus';
	SELECT confirm(reserve('corpus', 'bob', 0.5, '[2099-03-01,2099-04-01)', 'policy'), 'uni');
	SELECT cancel(lease_id, '2099-02-01') FROM lease WHERE reference = 'policy';
	SELECT setval('lease_lease_id_seq', 5000);
	-- facts of a project, and what was known of them when
	SELECT create_project('git'), create_project('hub', 'model', 'https://example.org/hub', 'uni'), set_project_member('hub', 'ann', 'maintainer');
	UPDATE party SET listed = true WHERE name = 'south';
	SELECT import_git_log('git', convert_to(string_agg(E'\\x02' || lpad(i::text, 40, '0') || E'\\x1f\\x1fauthor ' || i % 7 || E'\\x1fa' || i % 11 || E'@x\\x1f' || 1700000000 + i || E'\\x1f\\u00fc\\x1fc@x\\x1f1800000000\\n'
		|| i || E'\\t1\\tfile\\n', ''), 'UTF8')) FROM generate_series(1, 200) AS i;
	SELECT import_mailmap('git', 'Proper <p@x> <a1@x>');
	SELECT import_github('hub', 'pull_request', '{"action": "opened", "pull_request": {"number": 7, "state": "open", "created_at": "2026-01-06T00:00:00Z", "user": {"id": 2, "login": "y"}}}'),
		import_github('hub', 'issue_comment', '{"action": "created", "issue": {"number": 7, "pull_request": {}}, "comment": {"id": 8, "created_at": "2026-01-07T00:00:00Z", "user": {"id": 3, "login": "z"}}}');
	SELECT import_github('hub', 'star', '{"action": "created", "starred_at": "2026-01-06T00:00:00Z", "sender": {"id": 1, "login": "x[bot]"}}');
	SELECT link_identity(identity_id, 'ann'), link_identity(identity_id, 'bob', '[2024-01-01,)') FROM identity WHERE email IN ('a2@x', 'a3@x');
	SELECT unlink_identity(identity_id) FROM identity WHERE email = 'a3@x';
	SELECT set_affiliation('ann', 'lab', 0.5), set_affiliation('ann', 'uni', 0.5, '[2023-01-01,)'), set_affiliation('ann', 'lab', 0.25);
	SELECT create_task('git', 'write', reference => '#1'), create_task('git', 'read', 'reviewer', 'ann'), complete_task(2, '2026-01-01');
	-- money: accounts with and without a limit, a journal and its reversal, a rate
	SELECT post_journal('invoice', ARRAY[open_account('ann', 'receivable', 'EUR', 'gpu'), open_account('north', 'payable', 'EUR', 'gpu')], '{12.34, -12.34}', 'gpu', 'test', '1'),
		post_journal('payment', ARRAY[open_account('uni', 'cash', 'EUR', 'gpu', floor => 0), open_account('ann', 'prepaid', 'EUR', 'gpu', ceiling => 0)], '{100, -100}'), reverse_journal(1);
	INSERT INTO exchange_rate VALUES ('EUR', 'USD', '2026-01-01', 1.17, 'test');
	-- what supply draws and emits
	UPDATE supply SET power = 700, embodied = 5.5, region = 'DE' WHERE quantity > 0;
	SELECT set_grid_intensity('DE', profile(400), source => 'grid'), set_grid_intensity('DE', profile(350), '[2026-02-01,)');
	-- usage, in a partition and outside, at prices that changed, and under commitments
	SELECT set_rate('gpu', 'token', 0.001, 'token', valid => '(,)'), set_rate('gpu', 'token', 0.002, 'token', valid => '[2026-01-15,)'),
		set_rate('gpu', 'token', unit => 'token', model => 'graduated', party => 'bob', upto => '{100,NULL}', unit_price => '{0.5,0.25}', flat => '{1,0}', valid => '(,)'),
		set_rate('gpu', 'token', party => 'ann', unit => 'token', model => 'prepaid', quantity => 1000, purchase => 7.5, valid => '[2026-01-10,2026-02-10)');
	INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, labels, source, source_key)
	SELECT pool_id('gpu'), party_id(CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END), 'token', i, tstzrange(t, t + interval '1 minute'), t, jsonb_build_object('job', i % 5), 'test', i::text
	FROM generate_series(1, 100) AS i, LATERAL (SELECT '2026-01-01'::timestamptz + i * interval '13 hours') AS x (t);
	-- two billing periods closed, what was late for the first in the second, and one open
	UPDATE pool SET fee = 0.1, contributors_share = 0.05, project_id = 1 WHERE name = 'gpu';
	SELECT close_billing_period('gpu', '[2026-01-01,2026-02-01)', half_life => '1 year');
	SELECT record_usage('gpu', 'bob', 'token', 17, '[2026-01-20,2026-01-21)', 'test', 'very late', labels => '{"job": 7}'), record_payment('gpu', 'bob', 12.5, occurred_at => '2026-02-10'),
		exchange('north', 3.33, 'EUR', 'USD', 'payable', 'gpu', occurred_at => '2026-02-11');
	SELECT set_rate('gpu', 'token', 0.0015, 'token', valid => '[2026-01-10,2026-01-12)');
	SELECT close_billing_period('gpu', '[2026-02-01,2026-03-01)');
	INSERT INTO billing_period (pool_id, during) VALUES (1, '[2026-03-01,2026-04-01)');
	SELECT create_usage_partition('2026-01-01'), create_usage_partition('2026-03-01');
	SELECT record_usage('gpu', 'ann', 'token', 3, '[2026-03-01,2026-03-02)', 'test', 'march'), record_usage('gpu', 'ann', 'token', 3, '[2026-01-01,2026-01-02)', 'test', 'late', 'north', (SELECT min(lease_id) FROM lease WHERE pool_id = 1 AND consumer_id = party_id('ann')));
	-- what was withdrawn is dumped before what it was withdrawn from
	UPDATE supply SET recorded_at = recorded_at WHERE quantity > 0;
}, 'source');
sql($node, $helpers_sql, 'source');
my $expected = sql($node, $state, 'source');
is_sound($node, 'source', 'source');
cmp_ok(sql($node, q{SELECT count(*) FROM calendar WHERE deficit <> '{}'}, 'source'), '>', 1, 'source: there are deficits');
cmp_ok(sql($node, q{SELECT count(*) FROM calendar WHERE pool_id = 1}, 'source'), '>', 3, 'source: on some pages');
sql($node, 'DROP FUNCTION try, calendar_differences', 'source');

# ----------
# Restored, in all ways
# ----------

# All that a restored database must do: answer alike, go on, and guard itself
sub check_restored
{
	my ($database, $name, $owner) = @_;

	is(sql($node, q{SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class WHERE relnamespace = 'sharecollab'::regnamespace AND relname !~ '^usage_[0-9]'}, $database), $owner,
		"$name: all belongs to $owner, who restored it");
	# partitions made at run time are tables like any other: they keep their owner
	is(sql($node, q{SELECT string_agg(relname || ' ' || relowner::regrole, ', ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'sharecollab'::regnamespace AND relname ~ '^usage_[0-9_]+$'}, $database),
		'usage_2026_01 alice, usage_2026_03 alice', "$name: partitions of usage belong to whom they belonged");
	is(sql($node, $state, $database), $expected, "$name: the same tables, views and reports");
	sql($node, "ALTER DATABASE $database SET search_path = sharecollab, public; $helpers_sql", $database);
	is_sound($node, $database, $name);
	is(as_role($owner, q{SELECT create_party('new') > 8, create_pool('new', 'data', 'seat', 'new') > 4, add_supply('corpus', 'north', 1, '[2026-01-01,2026-01-02)') > 7,
		reserve('corpus', 'ann', 1, '[2026-01-01,2026-01-02)') > 5000}, $database), 't|t|t|t', "$name: keys go on where they were");
	is(as_role($owner, q{SELECT record_usage('gpu', 'ann', 'token', 3, '[2026-03-01,2026-03-02)', 'test', 'march') = (SELECT max(usage_id) - 1 FROM usage)}, $database), 't', "$name: what was recorded is not recorded again");
	foreach my $role ('postgres', $owner)
	{
		foreach my $statement ('UPDATE usage SET quantity = 0', 'DELETE FROM usage_2026_01', 'TRUNCATE usage_2026_01', 'TRUNCATE usage', 'DELETE FROM usage_key')
		{
			$node->psql($database, $statement, stderr => \$stderr, extra_params => [ '-U', $role ]);
			like($stderr, qr/cannot change or remove rows/, "$name: usage stays as it is, for $role");
		}
		foreach my $statement (q{SELECT reserve('a100', 'ann', 1, '[2026-01-20,2026-01-21)')}, q{UPDATE lease SET quantity = quantity + 1 WHERE pool_id = 2},
			q{INSERT INTO lease (pool_id, consumer_id, quantity, during) VALUES (2, 4, 0.5, '[2026-01-25,2026-01-26)')})
		{
			$node->psql($database, $statement, stderr => \$stderr, extra_params => [ '-U', $role ]);
			like($stderr, qr/not enough capacity in pool "a100"/, "$name: no more than there is, for $role");
		}
	}
	$node->psql($database, q{SELECT post_journal('transfer', '{3,1}', '{-100.01,100.01}')}, stderr => \$stderr);
	like($stderr, qr/would pass its floor/, "$name: accounts keep their floors");
	foreach my $role ('postgres', $owner)
	{
		foreach my $table ('charge', 'posting', 'journal', 'account_balance')
		{
			foreach my $statement ("UPDATE $table SET recorded_at = recorded_at", "DELETE FROM $table", "TRUNCATE $table CASCADE")
			{
				$node->psql($database, $statement, stderr => \$stderr, extra_params => [ '-U', $role ]);
				like($stderr, qr/cannot change or remove rows/, "$name: $table stays as it is, for $role");
			}
		}
		$node->psql($database, q{SELECT post_journal('transfer', '{1,2}', '{1,-1}', occurred_at => '2026-02-28')}, stderr => \$stderr, extra_params => [ '-U', $role ]);
		like($stderr, qr/are closed until 2026-03-01/, "$name: nothing enters a closed period, for $role");
	}
	is(as_role($owner, q{SELECT octet_length(close_billing_period('gpu', '[2026-03-01,2026-04-01)'))}, $database), 32, "$name: the open period closes");
	is(sql($node, q{SELECT sum(billed_cost) = (SELECT sum(billed_cost) FROM generate_series(1, 3) AS m, rated('gpu', tstzrange(make_date(2026, m, 1), make_date(2026, m + 1, 1)))) FROM charge WHERE pool_id = 1}, $database), 't',
		"$name: with what is due by then");
	is(sql($node, q{SELECT verify_books()}, $database), '', "$name: and the books are right");
	$node->psql($database, q{INSERT INTO posting SELECT journal_id, 3, 1, occurred_at, recorded_at, 1 FROM journal WHERE journal_id = 3}, stderr => \$stderr);
	like($stderr, qr/does not balance/, "$name: journals balance");
	is_sound($node, $database, "$name, used");
}

sub client { my @command = @_; command_ok([ $command[0], '-h', $node->host, '-p', $node->port, @command[ 1 .. $#command ] ], "@command" =~ s/\S+\/|-X |-q |-v \S+ |-U //gr); }

foreach my $role ('postgres', 'alice')
{
	my $dump = "$directory/$role";

	client('pg_dump', '-U', $role, '-f', "$dump.sql", 'source');
	client('pg_dump', '-U', $role, '--inserts', '--rows-per-insert=4', '-f', "$dump.inserts.sql", 'source');
	client('pg_dump', '-U', $role, '-Fc', '-f', "$dump.custom", 'source');
	client('pg_dump', '-U', $role, '-Fc', '--data-only', '-f', "$dump.data", 'source');
	foreach my $file ("$dump.sql", "$dump.inserts.sql")
	{
		unlike(slurp_file($file), qr/(COPY|INSERT INTO) sharecollab\.calendar/, "$role: the calendar is not in the dump");
	}

	my @psql = ('psql', '-U', $role, '-X', '-q', '-v', 'ON_ERROR_STOP=1');
	my @pg_restore = ('pg_restore', '-U', $role, '--exit-on-error');
	my %restore = (
		plain => [ [ @psql, '-f', "$dump.sql" ] ],
		inserts => [ [ @psql, '-f', "$dump.inserts.sql" ] ],
		custom => [ [ @pg_restore, "$dump.custom" ] ],
		one_transaction => [ [ @pg_restore, '--single-transaction', "$dump.custom" ] ],
		as_alice => [ [ @pg_restore, '--role=alice', "$dump.custom" ] ],
		# the data of extensions' tables knows no order when it comes in parallel
		parallel => [ [ @pg_restore, '--section=pre-data', '--section=data', "$dump.custom" ], [ @pg_restore, '-j', 4, '--section=post-data', "$dump.custom" ] ]);
	foreach my $way (sort keys %restore)
	{
		my $database = "${role}_$way";

		sql($node, "CREATE DATABASE $database OWNER alice");
		client(@$_, '-d', $database) foreach @{ $restore{$way} };
		check_restored($database, "$role, $way", $way eq 'as_alice' ? 'alice' : $role);
		sql($node, "DROP DATABASE $database");
	}

	# leases before supply, supply before leases: what is there when does not matter
	foreach my $order ([ 'lease', 'membership', 'supply', 'quota' ], [ 'quota', 'supply', 'lease', 'membership' ])
	{
		my $database = "${role}_" . join('_', @$order);
		my ($list) = run_command([ 'pg_restore', '-l', "$dump.data" ]);
		my %entry = map { /TABLE DATA sharecollab (\S+)/ ? ($1 => $_) : () } split /\n/, $list;
		my @sequences = grep { /SEQUENCE SET/ } split /\n/, $list;

		is(scalar(@sequences), 16, "$role: all sequences");
		append_to_file("$dump.$order->[0].list", join("\n", @sequences, @entry{ 'party', 'project', 'pool', 'project_member', 'identity', 'contribution', 'affiliation', 'identity_link', 'task', 'usage_2026_01', 'usage_key', 'rate', 'usage_2026_03', 'usage_default', 'charge', 'posting', 'journal', 'account', 'billing_period', 'exchange_rate', 'account_balance', 'grid_intensity', 'event', @$order }) . "\n");
		sql($node, "CREATE DATABASE $database OWNER alice");
		as_role('alice', q{CREATE EXTENSION sharecollab; SELECT sharecollab.create_usage_partition('2026-01-01'), sharecollab.create_usage_partition('2026-03-01')}, $database);
		client('pg_restore', '-U', $role, '--exit-on-error', '-L', "$dump.$order->[0].list", '-d', $database, "$dump.data");
		check_restored($database, "$role, @$order", 'alice');
		sql($node, "DROP DATABASE $database");
	}
}

# ----------
# Where a restore fails for now, or takes another step
# ----------

foreach my $way ('parallel data', 'a parent that was changed, by INSERT', 'data only, with triggers disabled')
{
	my $database = 'gap';
	my @psql = ('psql', '-U', 'postgres', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', $database);
	my $done;

	sql($node, "CREATE DATABASE $database");
	if ($way eq 'parallel data')
	{
		$done = run_log([ 'pg_restore', '-U', 'postgres', '-h', $node->host, '-p', $node->port, '--exit-on-error', '-j', 4, '-d', $database, "$directory/postgres.custom" ]);
	}
	elsif ($way =~ /^a parent/)
	{
		create_database($node, 'family');
		sql($node, q{SELECT create_party('parent'), create_party('child', parent => 'parent'); VACUUM FULL party; UPDATE party SET role = 'lab' WHERE name = 'parent'; VACUUM FULL party}, 'family');
		run_log([ 'pg_dump', '-U', 'postgres', '-h', $node->host, '-p', $node->port, '--inserts', '-f', "$directory/family.sql", 'family' ]);
		$done = run_log([ @psql, '-f', "$directory/family.sql" ]);
	}
	else
	{
		sql($node, q{CREATE EXTENSION sharecollab; SELECT sharecollab.create_usage_partition('2026-01-01'), sharecollab.create_usage_partition('2026-03-01')}, $database);
		run_log([ 'pg_dump', '-U', 'postgres', '-h', $node->host, '-p', $node->port, '--data-only', '--disable-triggers', '-f', "$directory/disabled.sql", 'source' ]);
		run_log([ @psql, '-f', "$directory/disabled.sql" ]);
		sql($node, 'SELECT sharecollab.rebuild_calendar()', $database);
		is(sql($node, $state, $database), $expected, 'restored, data only, with triggers disabled, and rebuild_calendar(): the same tables, views and reports');
		sql($node, "DROP DATABASE $database");
		next;
	}
	TODO:
	{
		local $TODO = 'foreign keys of extension tables are there while data comes';
		ok($done, "restored: $way");
	}
	sql($node, "DROP DATABASE $database");
}

# ----------
# Dumped and restored once more, from what was restored
# ----------

sql($node, 'CREATE DATABASE again OWNER alice');
client('psql', '-U', 'alice', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$directory/alice.sql", '-d', 'again');
client('pg_dump', '-U', 'alice', '-f', "$directory/again.sql", 'again');
my ($one, $two) = map { slurp_file("$directory/$_.sql") =~ s/^\\(un)?restrict .*\n//mgr } ('alice', 'again');
# the settings of a database are not in its dump
is($two, $one, 'the dump of a restored database is the dump that it was restored from');

# ----------
# Taken along by pg_upgrade, to another server of this version: that makes the
# members of the extension one by one, in an order of its own
# ----------
{
	my $old = $node;
	my $new = new_server('upgraded');
	my $bindir = $old->config_data('--bindir');

	sql($old, "DROP DATABASE $_") foreach 'again', 'family';
	$_->stop foreach $old, $new;
	chdir $directory or die $!;
	command_ok([ 'pg_upgrade', '--no-sync', '-U', 'postgres', '-b', $bindir, '-B', $bindir, '-s', $old->host,
			'-d', $old->data_dir, '-D', $new->data_dir, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
	$node = $new;
	$node->start;
	check_restored('source', 'pg_upgrade', 'alice');
	$node->stop;
	$node = $old;
	$node->start;
}

# ----------
# The leniency of a restore is for who could switch off the triggers as well
# ----------

my $settings = 'SET row_security = off; SET check_function_bodies = off;';
my $overbook = q{INSERT INTO sharecollab.lease (pool_id, consumer_id, quantity, during) VALUES (2, 4, 9, '[2026-03-01,2026-04-01)')};
sql($node, 'ALTER ROLE mallory BYPASSRLS');
as_role('alice', q{
	GRANT USAGE ON SCHEMA sharecollab TO mallory;
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sharecollab TO mallory;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA sharecollab TO mallory;
}, 'source');
foreach my $statement ($overbook, q{UPDATE sharecollab.lease SET quantity = 9 WHERE pool_id = 2})
{
	isnt($node->psql('source', "$settings $statement", stderr => \$stderr, extra_params => [ '-U', 'mallory' ]), 0, 'mallory fails');
	like($stderr, qr/not enough capacity in pool "a100"/, 'who has every grant, but is not the owner, cannot overbook as a restore can');
}
isnt($node->psql('source', "$settings INSERT INTO sharecollab.supply (pool_id, provider_id, quantity, during) VALUES (2, 6, -1, '[2026-03-01,2026-04-01)')",
		stderr => \$stderr, extra_params => [ '-U', 'mallory' ]), 0, 'mallory fails');
like($stderr, qr/cannot withdraw more than it supplies/, 'nor withdraw what was never supplied');
foreach my $half ('SET row_security = off', 'SET check_function_bodies = off')
{
	$node->psql('source', "$half; $overbook", stderr => \$stderr, extra_params => [ '-U', 'alice' ]);
	like($stderr, qr/not enough capacity in pool "a100"/, "alice, after $half alone: refused");
}
# a function of the owner, which others may call, is no restore either, nor does it lend anybody a right
as_role('alice', q{
	CREATE FUNCTION mine.book(quantity numeric) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	RETURN sharecollab.reserve('a100', 'bob', quantity, '[2026-03-01,2026-04-01)');
	GRANT USAGE ON SCHEMA mine TO mallory;
}, 'source');
$node->psql('source', 'SELECT mine.book(9)', stderr => \$stderr, extra_params => [ '-U', 'mallory' ]);
like($stderr, qr/party "bob" does not exist/, 'through a function of the owner, mallory cannot overbook');
$node->psql('source', "$settings SELECT mine.book(9)", stderr => \$stderr, extra_params => [ '-U', 'mallory' ]);
like($stderr, qr/party "bob" does not exist/, 'nor with the settings of a restore');
$node->psql('source', "$settings SELECT sharecollab.reserve('a100', 'bob', 9, '[2026-03-01,2026-04-01)')", stderr => \$stderr, extra_params => [ '-U', 'mallory' ]);
like($stderr, qr/party "bob" does not exist/, 'nor at all: who has every grant acts for nobody');
is(sql($node, $state, 'source'), $expected, 'nothing came of it');
# alice and a superuser can; and what they did is on record
as_role('alice', "$settings $overbook", 'source');
is(sql($node, q{SELECT value_at(deficit, '2026-03-15') FROM calendar WHERE pool_id = 2 AND '2026-03-15' BETWEEN starts AND ends}, 'source'), 6,
	'alice herself can, as she could disable the triggers, and the deficit says so');

$node->stop;
done_testing();
