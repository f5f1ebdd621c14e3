# 006_replication.pl
#		Logical replication of all tables keeps the books: the subscriber has the
#		same facts, digests and statements, at first and as they go on, and its
#		own checks find nothing wrong.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Helpers;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('replication', 'wal_level = logical', 'max_replication_slots = 10', 'max_wal_senders = 10', 'max_sync_workers_per_subscription = 4');

create_database($node, $_) foreach ('publisher', 'subscriber');
sql($node, q{
	SELECT create_party(name) FROM unnest('{commons,north,ann,bob}'::text[]) AS name;
	SELECT create_pool('gpu', 'compute', 'gpu', 'commons', price => 2, fee => 0.1);
	SELECT invite('gpu', p, r), accept('gpu', p, r) FROM (VALUES ('north', 'provider'), ('ann', 'consumer'), ('bob', 'consumer')) AS m (p, r);
	SELECT add_supply('gpu', 'north', 10, '[2025-01-01,)');
	SELECT set_rate('gpu', 'token', 0.00137, 'token', valid => '(,)');
	SELECT reserve('gpu', 'ann', 2, '[2025-01-03,2025-02-07)', 'a lease');
	SELECT record_usage('gpu', CASE i % 2 WHEN 0 THEN 'ann' ELSE 'bob' END, 'token', i, tstzrange(t, t, '[]'), 'test', i::text) FROM generate_series(1, 200) AS i, LATERAL (SELECT '2025-01-01'::timestamptz + i * interval '5 hours') AS x (t);
	SELECT record_payment('gpu', 'ann', 100, 'prepaid', occurred_at => '2025-01-10'), deposit('hold', 'gpu', 'ann', 30, occurred_at => '2025-01-11');
	SELECT close_billing_period('gpu', '[2025-01-01,2025-02-01)');
}, 'publisher');
sql($node, q{CREATE PUBLICATION everything FOR ALL TABLES; SELECT pg_create_logical_replication_slot('books', 'pgoutput')}, 'publisher');
my $publisher = $node->connstr('publisher') =~ s/'/''/gr;
sql($node, "CREATE SUBSCRIPTION books CONNECTION '$publisher' PUBLICATION everything WITH (create_slot = false)", 'subscriber');

my $state = q{
	TABLE party ORDER BY 1;
	TABLE lease ORDER BY 1, 2;
	TABLE calendar ORDER BY 1, 2, 3;
	TABLE usage ORDER BY 1, 2;
	TABLE usage_key ORDER BY 1, 2;
	TABLE rate ORDER BY 1, 2;
	TABLE billing_period ORDER BY 1, 2;
	TABLE charge ORDER BY 1, 2;
	TABLE account ORDER BY 1;
	TABLE journal ORDER BY 1;
	TABLE posting ORDER BY 1, 2;
	TABLE account_balance ORDER BY 1, 2;
	SELECT billing_period_digest(pool_id, billing_period_id) FROM billing_period ORDER BY 1;
	SELECT p.name, s.* FROM party AS p, statement(p.name, '[2025-01-01,2025-04-01)') AS s ORDER BY p.party_id, s.account, s.currency, s.at, s.journal_id, s.what, s.lease_id, s.meter, s.balance;
	SELECT r.* FROM rated('gpu', '[2025-01-01,2025-04-01)') AS r ORDER BY r::text COLLATE "C";
	SELECT coalesce(verify_books(), 'the books are right');
};

sub check_alike
{
	my ($name) = @_;
	my $lsn = sql($node, 'SELECT pg_current_wal_lsn()', 'publisher');

	$node->poll_query_until('subscriber', q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'}) or die 'tables are not copied';
	$node->poll_query_until('publisher', qq{SELECT confirmed_flush_lsn >= '$lsn' FROM pg_replication_slots WHERE slot_name = 'books'}) or die 'changes do not arrive';
	my $expected = sql($node, $state, 'publisher');
	like($expected, qr/the books are right/, "$name: books of the publisher");
	is(sql($node, $state, 'subscriber'), $expected, "$name: the subscriber has the same facts, digests, statements, and right books");
	is_sound($node, 'subscriber', "$name: subscriber");
}

check_alike('a first copy');
sql($node, q{
	SELECT record_usage('gpu', 'bob', 'token', 1000, '[2025-01-20,2025-01-21)', 'test', 'late'), record_usage('gpu', 'bob', 'token', 55, '[2025-02-20,2025-02-21)', 'test', 'more');
	SELECT set_rate('gpu', 'token', 0.002, 'token', valid => '[2025-02-15,)');
	SELECT release(1, '2025-02-01');
	SELECT deposit('capture', 'gpu', 'ann', 10, occurred_at => '2025-02-02');
	SELECT reverse_journal(max(journal_id), '2025-02-03') FROM journal WHERE kind = 'capture';
	SELECT set_limits(account_id, ceiling => 1000000) FROM account WHERE kind = 'receivable';
	SELECT close_billing_period('gpu', '[2025-02-01,2025-03-01)');
}, 'publisher');
check_alike('changes');
# a closed book is closed there, too
my $stderr;
$node->psql('subscriber', 'UPDATE charge SET amount = 0', stderr => \$stderr);
like($stderr, qr/cannot change or remove rows/, 'a subscriber guards what is closed');

sql($node, 'ALTER SUBSCRIPTION books DISABLE; ALTER SUBSCRIPTION books SET (slot_name = NONE); DROP SUBSCRIPTION books', 'subscriber');
$node->stop;
done_testing();
