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
sql($node, 'CREATE ROLE lab');

# Pools of three levels, what is done with them, and what was known after each act
my $history = q{
	SELECT create_party('grid'), create_party('lab', role => 'lab'), create_party('north');
	CREATE TABLE public.known (n serial, at timestamptz DEFAULT now(), pool_id bigint, free profile, leases text);
	CREATE TABLE public.act (done text, failed text);
	CREATE FUNCTION public.draw(n integer) RETURNS integer RETURN floor(random() * n);
	-- of the pools that there are, one of all or of those above a level of the tree
	CREATE FUNCTION public.some_pool(level integer DEFAULT 9) RETURNS text LANGUAGE sql VOLATILE AS $$
		WITH RECURSIVE nested AS (
			SELECT pool_id, name, 1 AS depth FROM pool WHERE parent_id IS NULL
			UNION ALL SELECT p.pool_id, p.name, n.depth + 1 FROM nested AS n JOIN pool AS p ON p.parent_id = n.pool_id)
		SELECT name FROM nested WHERE depth <= level ORDER BY random() LIMIT 1 $$;
	CREATE FUNCTION public.add_pool(name text, parent text) RETURNS void LANGUAGE sql AS $$
		SELECT create_pool(name, 'compute', 'gpu', 'grid', price => 1, parent => parent, lend => nullif(draw(7), 6), borrow => nullif(draw(7), 6),
			buffer => draw(3) * interval '12 hours', overbooking => 1 + draw(2) / 4.0);
		INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT pool_id(name), party_id(p), r, now() FROM (VALUES ('lab', 'consumer'), ('north', 'consumer'), ('north', 'provider'), ('grid', 'provider')) AS m (p, r) $$;
	CREATE FUNCTION public.remove_pool(id bigint) RETURNS void LANGUAGE sql AS $$
		DELETE FROM lease WHERE pool_id = id; DELETE FROM supply WHERE pool_id = id; DELETE FROM quota WHERE pool_id = id; DELETE FROM pool WHERE pool_id = id $$;
	CREATE FUNCTION public.days(first integer, longest integer) RETURNS tstzrange LANGUAGE sql VOLATILE AS $$
		SELECT tstzrange(d, CASE WHEN draw(9) > 0 THEN d + (1 + draw(longest)) * interval '1 day' END)
		FROM (SELECT '2030-01-01'::timestamptz + (first + draw(30)) * interval '1 day' AS d) AS d $$;

	-- one transaction after the other
	CREATE PROCEDURE public.history(seed float8, steps integer) LANGUAGE plpgsql AS $history$
	DECLARE
		acts CONSTANT text[] := '{
			"SELECT add_pool($$p$$ || (SELECT count(*) FROM event), CASE WHEN draw(6) > 0 THEN some_pool(2) END) WHERE (SELECT count(*) FROM pool) < 10",
			"SELECT add_supply(some_pool(), (ARRAY[$$north$$, $$grid$$])[1 + draw(2)], 1 + draw(9), days(0, 60))",
			"SELECT add_supply(some_pool(), (ARRAY[$$north$$, $$grid$$])[1 + draw(2)], 1 + draw(9), days(0, 60))",
			"SELECT withdraw_supply(some_pool(), $$north$$, 1 + draw(2), days(10, 20))",
			"SELECT reserve(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], 1 + draw(3), days(10, 20))",
			"SELECT reserve(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], 1 + draw(3), days(10, 20))",
			"SELECT reserve(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], 1 + draw(3), days(10, 20))",
			"SELECT reserve(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], 1 + draw(3), days(10, 20))",
			"SELECT reserve(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], 1 + draw(2), days(10, 20), hold_for => interval $$15 ms$$ * (1 + draw(5)))",
			"SELECT confirm(lease_id) FROM lease WHERE ended_at IS NULL AND held_until > now() ORDER BY random() LIMIT 1",
			"SELECT expire_holds()",
			"SELECT cancel(lease_id, $$2030-01-05$$) FROM lease WHERE ended_at IS NULL ORDER BY random() LIMIT 1",
			"SELECT amend(lease_id, quantity + 1) FROM lease WHERE ended_at IS NULL ORDER BY random() LIMIT 1",
			"SELECT release(lease_id, lower(during) + interval $$1 days$$) FROM lease WHERE ended_at IS NULL ORDER BY random() LIMIT 1",
			"DELETE FROM lease WHERE lease_id = (SELECT lease_id FROM lease ORDER BY random() LIMIT 1)",
			"UPDATE supply SET quantity = quantity + 1 WHERE supply_id = (SELECT supply_id FROM supply ORDER BY random() LIMIT 1)",
			"DELETE FROM supply WHERE supply_id = (SELECT supply_id FROM supply ORDER BY random() LIMIT 1)",
			"UPDATE pool SET overbooking = 1 + draw(3) / 4.0 WHERE name = some_pool()",
			"UPDATE pool SET lend = nullif(draw(9), 8) WHERE name = some_pool()",
			"UPDATE pool SET borrow = nullif(draw(9), 8) WHERE name = some_pool()",
			"UPDATE pool SET buffer = draw(3) * interval $$8 hours$$ WHERE name = some_pool()",
			"UPDATE pool SET parent_id = CASE WHEN draw(3) > 0 THEN pool_id(some_pool(2)) END WHERE name = some_pool()",
			"SELECT set_quota(some_pool(), (ARRAY[$$lab$$, $$north$$])[1 + draw(2)], days(5, 30), own => 2 + draw(3), borrow => nullif(draw(3), 2), lend => draw(4))",
			"UPDATE quota SET lend = nullif(draw(4), 3) WHERE quota_id = (SELECT quota_id FROM quota ORDER BY random() LIMIT 1)",
			"DELETE FROM quota WHERE quota_id = (SELECT quota_id FROM quota ORDER BY random() LIMIT 1)",
			"SELECT remove_pool(pool_id) FROM pool AS p WHERE NOT EXISTS (SELECT FROM pool WHERE parent_id = p.pool_id) ORDER BY random() LIMIT 1",
			"TRUNCATE lease", "TRUNCATE supply", "TRUNCATE quota"
		}';
		act text;
		error text;
	BEGIN
		PERFORM setseed(seed);
		FOR i IN 1 .. 5 LOOP
			PERFORM add_pool(format('%s/%s', seed, i), CASE WHEN i > 1 THEN format('%s/%s', seed, i / 2) END);
			PERFORM add_supply(format('%s/%s', seed, i), 'north', 10, '[2030-01-01,)');
		END LOOP;
		FOR i IN 1 .. steps LOOP
			act := acts[CASE WHEN i % 30 = 0 THEN cardinality(acts) - draw(4) ELSE 1 + draw(cardinality(acts) - 4) END];
			error := NULL;
			BEGIN EXECUTE act; EXCEPTION WHEN OTHERS THEN error := SQLSTATE; END;
			INSERT INTO public.act VALUES (act, error);
			COMMIT;
			INSERT INTO public.known (pool_id, free, leases)
			SELECT p.pool_id, availability(p.name, '[2030-01-01,2030-06-01)'),
				(SELECT string_agg(concat_ws(' ', lease_id, quantity, effective, ended_at, end_reason), ',' ORDER BY lease_id) FROM lease AS l WHERE l.pool_id = p.pool_id)
			FROM pool AS p;
			COMMIT;
		END LOOP;
	END $history$;
};
foreach my $seed (1 .. 3)
{
	my $database = "past$seed";

	create_database($node, $database);
	sql($node, $history, $database);
	sql($node, "CALL public.history($seed / 10.0, 200)", $database);
	# what comes last does not change any more, and is nothing that was known before
	sql($node, q{SELECT create_party('late'); SELECT add_supply(name, 'north', 99, '[2030-01-01,)') FROM pool;
		SELECT set_quota(name, 'late', '[2030-01-01,)', own => 3, lend => 0) FROM pool}, $database);
	is(sql($node, q{SELECT DISTINCT failed FROM act WHERE failed !~ '^(SC...|23P01|23503|22023|23514)$'}, $database), '', "history $seed: what was not done, was refused");
	cmp_ok(sql($node, q{SELECT count(*) FILTER (WHERE failed IS NULL) FROM act}, $database), '>', 100, 'but most was done');
	cmp_ok(sql($node, q{SELECT count(DISTINCT (pool_id, free)) FROM known}, $database), '>', 50, 'and much changed');
	is(sql($node, q{SELECT n, p.name, at, f.free AS told, known.free FROM known JOIN pool AS p USING (pool_id), availability_as_of(p.name, '[2030-01-01,2030-06-01)', at) AS f (free)
			WHERE f.free <> known.free ORDER BY n LIMIT 3}, $database), '', 'what was free, as it was known at every instant of it');
	is(sql($node, q{SELECT count(*) FROM known WHERE leases IS DISTINCT FROM (SELECT string_agg(concat_ws(' ', lease_id, quantity, effective, ended_at, end_reason), ',' ORDER BY lease_id)
			FROM leases_as_of(pool_id, at))}, $database), '0', 'and the leases');
	is(sql($node, q{SELECT DISTINCT availability_as_of(name, '(,)', recorded_at - interval '1 us') FROM pool}, $database), '{}', 'of a pool that there was not yet, nothing');
}

# The life of a lease, as its consumer reads it
sql($node, q{SELECT create_pool('gpu', 'compute', 'gpu', 'grid'), invite('gpu', 'lab'), invite('gpu', 'north', 'provider')}, 'past1');
sql($node, q{SELECT accept('gpu', 'lab'), accept('gpu', 'north', 'provider')}, 'past1');
sql($node, q{SET ROLE lab; SET search_path = sharecollab, public;
	CREATE TEMP TABLE mine AS SELECT reserve('gpu', 'lab', 1, '[2031-01-01,2031-02-01)') AS id;
	RESET ROLE; SELECT amend(id, 1, '[2031-01-01,2031-03-01)') FROM mine; SET ROLE lab; SELECT cancel(id) FROM mine;}, 'past1')
	if sql($node, q{SELECT add_supply('gpu', 'north', 9, '[2031-01-01,)') > 0}, 'past1') eq 't';
is(sql($node, q{SET ROLE lab; SELECT role, act, was ->> 'during' FROM sharecollab.audit_trail WHERE subject = 'lease'
		AND subject_id = (SELECT max(lease_id) FROM sharecollab.lease) ORDER BY at}, 'past1'),
	qq{lab|created|\npostgres|changed|["2031-01-01 00:00:00+00","2031-02-01 00:00:00+00")\nlab|changed|["2031-01-01 00:00:00+00","2031-03-01 00:00:00+00")},
	'who made a lease, and who changed it');
foreach my $statement ('UPDATE event SET role = NULL', 'DELETE FROM event', 'TRUNCATE event')
{
	my $stderr;
	$node->psql('past1', "SET search_path = sharecollab; $statement", stderr => \$stderr);
	like($stderr, qr/cannot change or remove rows of table "event"/, "$statement: refused");
}

$node->stop;
done_testing();
