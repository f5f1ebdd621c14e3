-- access_matrix.sql
--		Who sees and may do what: every table, view and function, by every kind of
--		role, with the expected outcome.
--
-- A new table or view fails the test until it has a row in "readable": how many
-- rows of the fixture each role sees. A new function that is not immutable fails
-- it until it has a row in "callable": a call, and what comes of it for each
-- role. In both, the outcome is text: words "ROLE OUTCOME", and "* OUTCOME" for
-- all roles that are not named. An outcome is what the statement returns, or the
-- SQLSTATE that it fails with: 42501 for what is not granted, 42704 for names of
-- what the role may not know of; where both hold and the planner chooses which
-- comes first, "refused" stands for either. Give the fixture at least one row for the table,
-- of more than one party; "all" (every row there is) must be what the operator
-- sees. The test says what it found instead.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;

-- ----------
-- The cast: a role for each party, of the same name
-- ----------
CREATE TEMP TABLE role (name text PRIMARY KEY, what text NOT NULL);
INSERT INTO role VALUES
	('m_none', 'a role that acts for no party'),
	('m_outsider', 'a party that is a member of nothing'),
	('m_invited', 'invited to the pool as a consumer, and has not accepted'),
	('m_consumer', 'consumer of the pool'),
	('m_team', 'a party below m_consumer; no member itself'),
	('m_rival', 'another consumer of the pool'),
	('m_provider', 'provider of the pool'),
	('m_auditor', 'auditor of the pool'),
	('m_steward', 'steward of the pool'),
	('m_other', 'steward of another pool'),
	('m_owner', 'owner of the project'),
	('m_maintainer', 'maintainer of the project'),
	('m_contributor', 'contributor to the project, which has a task there'),
	('m_operator', 'has the privileges of the owner of the extension');

SELECT format('CREATE ROLE %I', name) FROM role WHERE name <> 'm_operator' \gexec
SELECT format('CREATE ROLE m_operator IN ROLE %I', relowner::regrole::text) FROM pg_class WHERE oid = 'party'::regclass \gexec
SELECT create_party(name, role => name::regrole) FROM role WHERE name NOT IN ('m_none', 'm_operator', 'm_team');
SELECT create_party('m_team', parent => 'm_consumer', role => 'm_team');
UPDATE party SET listed = true WHERE name = 'm_outsider';

SELECT create_pool('m_pool', 'compute', 'gpu', 'm_steward', price => 1), create_pool('m_other_pool', 'data', 'seat', 'm_other');
SELECT invite('m_pool', p, r), accept('m_pool', p, r)
FROM (VALUES ('m_consumer', 'consumer'), ('m_rival', 'consumer'), ('m_provider', 'provider'), ('m_auditor', 'auditor')) AS m (p, r);
SELECT invite('m_pool', 'm_invited'), invite('m_other_pool', 'm_rival'), accept('m_other_pool', 'm_rival'),
	invite('m_other_pool', 'm_other', 'provider'), accept('m_other_pool', 'm_other', 'provider');
SELECT add_supply('m_pool', 'm_provider', 10, '[2026-01-01,)'), add_supply('m_other_pool', 'm_other', 10, '[2026-01-01,)');
-- holds, leases, preemptible ones, and one that is short
CREATE TEMP TABLE key AS
SELECT reserve('m_pool', 'm_consumer', 2, '[2100-01-01,2100-02-01)', 'a', '1 day', true) AS held,
	reserve('m_pool', 'm_consumer', 3, '[2026-02-01,2026-03-01)', 'b') AS past,
	reserve('m_pool', 'm_rival', 4, '[2100-01-01,2100-02-01)', 'c') AS rivals,
	reserve('m_pool', 'm_consumer', 1, '[2100-03-01,2100-04-01)', preemptible => true) AS preemptible,
	reserve('m_other_pool', 'm_rival', 4, '[2100-01-01,2100-02-01)', 'c') AS elsewhere,
	0::bigint AS identity, 0::bigint AS assigned, 0::bigint AS journal, 0::bigint AS cash, 0::bigint AS owed;
SELECT withdraw_supply('m_pool', 'm_provider', 8, '[2100-01-01,2100-01-02)');
SELECT set_quota('m_pool', 'm_consumer', '[2100-01-01,2100-02-01)', 5), set_quota('m_pool', 'm_rival', '[2100-01-01,2100-02-01)', 5);

SELECT create_project('m_project', owner => 'm_owner'), create_project('m_secret', owner => 'm_other');
SELECT set_project_member('m_project', 'm_maintainer', 'maintainer'), set_project_member('m_project', 'm_contributor', 'contributor');
SELECT import_git_log(p, convert_to(E'commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nAuthor:     Ann <ann@m>\nAuthorDate: Mon Jan 5 10:00:00 2026 +0000\nCommit:     Ann <ann@m>\nCommitDate: Mon Jan 5 10:00:00 2026 +0000\n\n    one\n', 'UTF8'))
FROM unnest('{m_project}'::text[]) AS p;
SELECT import_git_log('m_secret', convert_to(E'commit bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\nAuthor:     Bob <bob@m>\nAuthorDate: Mon Jan 5 10:00:00 2026 +0000\nCommit:     Bob <bob@m>\nCommitDate: Mon Jan 5 10:00:00 2026 +0000\n\n    one\n', 'UTF8'));
SELECT import_mailmap('m_project', 'Ann Proper <proper@m> <ann@m>'::text);
UPDATE key SET identity = (SELECT identity_id FROM identity WHERE email = 'ann@m'),
	assigned = create_task('m_project', 'write', assignee => 'm_contributor');
SELECT link_identity(identity_id, 'm_outsider') FROM identity WHERE email = 'bob@m';
SELECT set_affiliation('m_contributor', 'm_owner'), set_affiliation('m_rival', 'm_outsider'), create_task('m_secret', 'hide');

INSERT INTO billing_period (pool_id, during) SELECT pool_id(p), '[2026-02-01,2026-03-01)' FROM unnest('{m_pool,m_other_pool}'::text[]) AS p;
INSERT INTO usage (pool_id, consumer_id, meter, quantity, during, at, source, source_key)
SELECT pool_id(u.pool), party_id(u.party), 'tokens', 1, '[2026-02-01,2026-02-02)', '2026-02-01', 'm', u.party || u.pool
FROM (VALUES ('m_pool', 'm_consumer'), ('m_pool', 'm_rival'), ('m_other_pool', 'm_rival')) AS u (pool, party);
INSERT INTO usage_key VALUES ('m', 'm_consumer', 1, '2026-02-01', '', now(), 'm');
INSERT INTO rate (pool_id, party_id, meter, unit, price)
SELECT pool_id(r.pool), party_id(r.party), r.meter, 'x', 1
FROM (VALUES ('m_pool', NULL, 'tokens'), ('m_pool', 'm_rival', 'special'), ('m_other_pool', NULL, 'tokens')) AS r (pool, party, meter);
INSERT INTO rate (pool_id, party_id, meter, unit, model, price, quantity, purchase, valid)
VALUES (pool_id('m_pool'), party_id('m_rival'), 'lease', 'x', 'reserved', 1, 1, 1, '[2026-01-01,2027-01-01)');
INSERT INTO charge (pool_id, billing_period_id, consumer_id, provider_id, category, meter, during, quantity, unit,
	list_unit_price, contracted_unit_price, list_cost, contracted_cost, effective_cost, billed_cost, amount)
SELECT b.pool_id, b.billing_period_id, c.party_id, party_id('m_provider'), 'usage', 'lease', '[2026-02-01,2026-02-02)', 1, 'x', 1, 1, 1, 1, 1, 1, 1
FROM billing_period AS b, party AS c
WHERE (b.pool_id = pool_id('m_pool') AND c.name IN ('m_consumer', 'm_rival')) OR (b.pool_id = pool_id('m_other_pool') AND c.name = 'm_rival');
UPDATE key SET cash = open_account('m_consumer', 'receivable', 'USD', 'm_pool'), owed = open_account('m_provider', 'payable', 'USD', 'm_pool');
UPDATE key SET journal = post_journal('invoice', ARRAY[cash, owed], '{5,-5}', 'm_pool');
SELECT post_journal('invoice', ARRAY[open_account('m_rival', 'receivable', 'USD', 'm_pool'), owed], '{7,-7}', 'm_pool') FROM key;
INSERT INTO exchange_rate (base, quote, at, rate) VALUES ('USD', 'EUR', '2026-01-01', 0.9);
SELECT set_grid_intensity('m', profile(100));
INSERT INTO account_balance (account_id, at, balance) SELECT a, '2026-01-01', 0 FROM key, unnest(ARRAY[cash, owed]) AS a;
ALTER TABLE key ADD pool bigint, ADD quota bigint, ADD consumer bigint, ADD project bigint;
UPDATE key SET pool = pool_id('m_pool'), consumer = party_id('m_consumer'), project = project_id('m_project'),
	quota = (SELECT q.quota_id FROM quota AS q WHERE q.party_id = party_id('m_consumer'));
CREATE TEMP VIEW m_incoming AS
SELECT 'm_pool' AS pool, 'm_consumer' AS consumer, 1 AS quantity, '[2101-01-01,2102-01-01)'::tstzrange AS during, 'in' AS reference;
GRANT SELECT ON key, m_incoming TO PUBLIC;

-- What comes of a statement for a role; nothing is left of it.
CREATE FUNCTION pg_temp.outcome(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement INTO result;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = CASE result WHEN '' THEN 'done' ELSE coalesce(result, 'null') END;
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN RETURN SQLERRM;
	WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- What is expected for a role: its own word, or that for all others.
CREATE FUNCTION pg_temp.expected(role text, outcomes text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(substring(', ' || outcomes || ',' FROM ', (?:[a-z ]* )?' || substr(role, 3) || '(?: [a-z ]*)? ([^ ,]+),'),
		substring(', ' || outcomes || ',' FROM ', \* ([^ ,]+),'))
$$;

-- ----------
-- Tables and views: how many rows who sees
-- ----------
CREATE TEMP TABLE readable (relation text PRIMARY KEY, outcomes text NOT NULL);
INSERT INTO readable VALUES
	('party', 'none 0, outsider 1, team 2, operator all, maintainer owner 5, auditor steward 7, invited other provider 3, * 4'),
	('pool', 'operator rival all, contributor maintainer none outsider owner team 0, * 1'),
	('membership', 'other 3, rival 4, operator all, auditor steward 6, consumer invited provider 2, * 0'),
	('supply', 'other 1, operator all, auditor provider steward 2, * 0'),
	('lease', 'other 1, rival 2, consumer 3, operator all, auditor steward 4, * 0'),
	('quota', 'consumer rival 1, auditor operator steward all, * 0'),
	('calendar', 'other 1, operator all, auditor steward 3, * 0'),
	('project', 'operator all, contributor maintainer other owner 1, * 0'),
	('project_member', 'other 1, operator all, contributor maintainer owner 3, * 0'),
	('identity', 'operator all, maintainer other outsider owner 1, * 0'),
	('identity_link', 'operator all, maintainer outsider owner 1, * 0'),
	('affiliation', 'operator all, contributor outsider owner rival 1, * 0'),
	('contribution', 'operator all, contributor maintainer other owner 2, * 0'),
	('task', 'operator all, contributor maintainer other owner 1, * 0'),
	('billing_period', 'operator rival all, contributor maintainer none outsider owner team 0, * 1'),
	('usage', 'operator all, consumer other 1, auditor rival steward 2, * 0'),
	('usage_default', 'operator all, * 42501'),
	('usage_key', 'operator all, * 42501'),
	('rate', 'auditor steward 3, operator rival all, consumer invited other provider 1, * 0'),
	('charge', 'operator all, consumer other 1, auditor rival steward 2, * 0'),
	('account', 'consumer provider rival 1, auditor operator steward all, * 0'),
	('journal', 'consumer rival 1, auditor operator provider steward all, * 0'),
	('posting', 'provider 2, consumer rival 1, auditor operator steward all, * 0'),
	('account_balance', 'consumer provider 1, auditor operator steward all, * 0'),
	('charge_division', 'auditor rival steward 2, consumer other 1, operator all, * 0'),
	('ledger', 'provider 2, consumer rival 1, auditor operator steward all, * 0'),
	('exchange_rate', 'none 0, * all'),
	('grid_intensity', 'none 0, * all'),
	('focus_cost_and_usage', 'operator all, consumer other 1, auditor rival steward 2, * 0'),
	('focus_invoice_detail', 'operator all, consumer other 1, auditor rival steward 2, * 0'),
	('focus_billing_period', 'operator rival all, contributor maintainer none outsider owner team 0, * 1'),
	('focus_contract_commitment', 'auditor operator rival steward all, * 0'),
	('event', 'none 0, team 1, rival 14, other 13, invited contributor 4, outsider 3, operator all, auditor steward 23, * 8'),
	('audit_trail', 'none 0, team 2, rival 20, other 18, invited 5, outsider 4, contributor 7, consumer 14, operator all, auditor steward 32, * 11'),
	('pool_status', 'operator rival all, contributor maintainer none outsider owner team 0, * 1'),
	('supply_status', 'other 1, operator all, auditor provider steward 2, * 0'),
	('lease_status', 'other 1, rival 2, consumer 3, operator all, auditor steward 4, * 0'),
	('lease_in_deficit', 'auditor operator steward all, * 0'),
	('lease_price', 'other 1, rival 2, consumer 3, operator all, auditor steward 4, * 0'),
	('identity_status', 'operator all, maintainer other outsider owner 1, * 0'),
	('task_status', 'operator all, contributor maintainer other owner 1, * 0');

CREATE TEMP TABLE callable (function text NOT NULL, statement text PRIMARY KEY, outcomes text NOT NULL);
INSERT INTO callable VALUES
	-- who calls
	('is_operator', 'SELECT is_operator()', 'operator true, * false'),
	('acts_for', $$SELECT acts_for(consumer) FROM key$$, 'consumer operator true, * false'),
	('has_pool_role', $$SELECT has_pool_role(pool, 'steward', 'auditor') FROM key$$, 'auditor operator steward true, * false'),
	('has_project_role', $$SELECT has_project_role(project) FROM key$$, 'contributor maintainer operator owner true, * false'),
	('my_parties', 'SELECT cardinality(my_parties())', 'consumer 2, none operator 0, * 1'),
	('my_pools', 'SELECT cardinality(my_pools())', 'rival 2, auditor consumer invited other provider steward 1, * 0'),
	('my_projects', 'SELECT cardinality(my_projects())', 'contributor maintainer other owner 1, * 0'),
	('report_progress', $$SELECT report_progress(true, NULL)$$, '* true'),
	('require_party', $$SELECT require_party('m_consumer') > 0$$, 'auditor steward 42501, consumer operator true, * 42704'),
	('require_pool', $$SELECT require_pool('m_pool', 'steward') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('require_project', $$SELECT require_project('m_project', 'owner') > 0$$, 'contributor maintainer 42501, operator owner true, * 42704'),
	('require_books', $$SELECT require_books('m_pool') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('require_books', $$SELECT require_books(NULL)$$, 'operator null, * 42501'),
	('require_member', $$SELECT require_member('m_pool', 'm_consumer', 'consumer') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('require_member', $$SELECT require_member('m_pool', 'm_invited', 'consumer') > 0$$, 'operator true, steward SC004, auditor consumer invited provider rival 42501, * 42704'),
	('require_source', $$SELECT require_source('m_pool/x', 'm_pool')$$, '* m_pool/x'),
	('require_name', $$SELECT require_name('m_consumer/x', 'm_consumer')$$, 'auditor steward 42501, consumer operator m_consumer/x, * 42704'),
	('require_role', $$SELECT require_role('m_consumer')$$, 'consumer operator m_consumer, * 42501'),
	('require_identity', $$SELECT require_identity(identity) > 0 FROM key$$, 'operator true, * 42501'),
	-- names
	('party_id', $$SELECT party_id('m_consumer') > 0$$, 'auditor consumer operator steward true, * 42704'),
	('pool_id', $$SELECT pool_id('m_pool') > 0$$, 'contributor maintainer none other outsider owner team 42704, * true'),
	('project_id', $$SELECT project_id('m_project') > 0$$, 'contributor maintainer operator owner true, * 42704'),
	-- parties and pools
	('create_party', $$SELECT create_party('m_consumer/new', parent => 'm_consumer') > 0$$, 'auditor steward 42501, consumer operator true, * 42704'),
	('create_party', $$SELECT create_party('m_new') > 0$$, 'operator true, * 42501'),
	('create_pool', $$SELECT create_pool('m_steward/new', 'compute', 'gpu', 'm_steward') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('create_pool', $$SELECT create_pool('m_other/new', 'compute', 'gpu', 'm_other', parent => 'm_pool') > 0$$, 'rival 42501, operator true, * 42704'),
	('invite', $$SELECT invite('m_pool', 'm_outsider')$$, 'operator steward null, auditor consumer invited provider rival 42501, * 42704'),
	('accept', $$SELECT accept('m_pool', 'm_invited')$$, 'auditor steward 42501, invited operator done, * 42704'),
	('set_quota', $$SELECT set_quota('m_pool', 'm_consumer', '[2101-01-01,2102-01-01)', 5) > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('add_supply', $$SELECT add_supply('m_pool', 'm_provider', 1, '[2101-01-01,2102-01-01)') > 0$$, 'auditor steward 42501, operator provider true, * 42704'),
	('withdraw_supply', $$SELECT withdraw_supply('m_pool', 'm_provider', 1, '[2101-01-01,2102-01-01)') > 0$$, 'auditor steward 42501, operator provider true, * 42704'),
	-- leases
	('reserve', $$SELECT reserve('m_pool', 'm_consumer', 1, '[2101-01-01,2102-01-01)') > 0$$, 'auditor steward 42501, consumer operator true, * 42704'),
	('reserve', $$SELECT reserve('m_pool', 'm_team', 1, '[2101-01-01,2102-01-01)') > 0$$, 'consumer operator SC004, * 42704'),
	('reserve_bundle', $$SELECT reserve_bundle('{m_pool}', 'm_consumer', '{1}', '{"[2101-01-01,2102-01-01)"}') > 0$$, 'auditor steward 42501, consumer operator true, * 42704'),
	('confirm', $$SELECT confirm(held) FROM key$$, 'auditor 42501, consumer operator steward done, * 42704'),
	('amend', $$SELECT amend(held, 1) > 0 FROM key$$, 'auditor steward 42501, consumer operator true, * 42704'),
	('release', $$SELECT release(past, '2026-02-02') FROM key$$, 'auditor steward 42501, consumer operator done, * 42704'),
	('cancel', $$SELECT cancel(held) FROM key$$, 'auditor steward 42501, consumer operator done, * 42704'),
	('reclaim', $$SELECT reclaim(preemptible) >= now() FROM key$$, 'auditor consumer 42501, operator steward true, * 42704'),
	('cancel', $$SELECT cancel(elsewhere) FROM key$$, 'other 42501, operator rival done, * 42704'),
	('import_leases', $$SELECT import_leases('m_incoming')$$, 'operator steward 1, auditor consumer invited provider rival 42501, * 42704'),
	('expire_holds', 'SELECT expire_holds()', 'operator 0, * 42501'),
	('rebuild_calendar', 'SELECT rebuild_calendar()', 'operator done, * 42501'),
	-- what is free, and used
	('availability', $$SELECT availability('m_pool', '[2100-01-15,2100-01-16)') <> '{}'$$, 'contributor maintainer none other outsider owner team 42704, * true'),
	('availability', $$SELECT availability('m_pool', '[2100-01-15,2100-01-16)', 'm_consumer') <> '{}'$$, 'auditor consumer operator steward true, * 42704'),
	('availability', $$SELECT peak(availability('m_pool', '[2100-01-15,2100-01-16)', without => ARRAY[rivals]), '(,)') FROM key$$, 'consumer invited provider 4, auditor operator rival steward 8, * 42704'),
	('availability_in_tree', $$SELECT availability_in_tree('m_pool', '[2100-01-15,2100-01-16)', NULL, NULL, '{}') <> '{}'$$, 'operator true, * 42501'),
	('calendar_free', $$SELECT calendar_free(pool, 0, '[2100-01-15,2100-01-16)') <> '{}' FROM key$$, 'contributor maintainer none other outsider owner team null, * true'),
	('calendar_free', $$SELECT calendar_free(pool, quota, '[2100-01-15,2100-01-16)') <> '{}' FROM key$$, 'auditor operator steward true, * null'),
	('find_slots', $$SELECT count(DISTINCT pool) FROM find_slots(NULL, 1, '1 day', '[2100-01-01,2100-02-01)')$$, 'operator rival 2, contributor maintainer none outsider owner team 0, * 1'),
	('check_calendar', $$SELECT count(*) FROM check_calendar('m_pool')$$, '* 0'),
	('utilization_report', $$SELECT count(utilization) FROM utilization_report('m_pool', '[2026-02-01,2026-02-03)')$$, 'auditor operator steward 2, consumer invited provider rival 0, * 42704'),
	('cost_report', $$SELECT count(*) FROM cost_report('m_pool', '[2026-01-01,2101-01-01)')$$, 'invited provider 0, consumer rival 1, auditor operator steward 2, * 42704'),
	('revenue_report', $$SELECT count(*) FROM revenue_report('m_pool', '[2026-01-01,2101-01-01)')$$, 'consumer invited rival 0, auditor operator provider steward 1, * 42704'),
	('lease_gantt', $$SELECT (length(lease_gantt('m_pool', '[2100-01-01,2101-01-01)')) - length(replace(lease_gantt('m_pool', '[2100-01-01,2101-01-01)'), ' gpu', ''))) / 4$$, 'rival 1, consumer 2, invited provider 0, auditor operator steward 3, * 42704'),
	('carbon_report', $$SELECT count(*) FROM carbon_report('m_pool', '[2026-01-01,2101-01-01)')$$, 'invited provider 0, consumer rival 1, auditor operator steward 3, * 42704'),
	('set_grid_intensity', $$SELECT set_grid_intensity('m', profile(1))$$, 'operator null, * 42501'),
	('focus_rows', $$SELECT count(*) FROM focus_rows('lease')$$, 'other 1, rival 2, consumer 3, operator 5, auditor steward 4, * 0'),
	('focus_violations', $$SELECT count(*) > 0 FROM focus_violations('charge')$$, '* false'),
	('report_html', $$SELECT report_html('m_pool', '[2100-01-01,2100-01-03)') LIKE '%m_rival%'$$, 'consumer invited provider false, auditor operator rival steward true, * 42704'),
	('statement_html', $$SELECT statement_html('m_consumer', '[2100-01-01,2100-01-03)') LIKE '%m_pool%'$$, 'auditor consumer operator steward true, * 42704'),
	('has_lease', $$SELECT has_lease('m_pool')$$, '* false'),
	('has_lease', $$SELECT has_lease('m_pool', '2100-01-15')$$, 'rival true, * false'),
	('leases_as_of', $$SELECT count(*) FROM key, leases_as_of(pool, clock_timestamp())$$, 'rival 1, consumer 3, auditor operator steward 4, * 0'),
	('supplies_as_of', $$SELECT count(*) FROM key, supplies_as_of(pool, clock_timestamp())$$, 'auditor operator provider steward 2, * 0'),
	('availability_as_of', $$SELECT availability_as_of('m_pool', '[2100-01-15,2100-01-16)', clock_timestamp()) <> '{}'$$, 'contributor maintainer none other outsider owner team 42704, * true'),
	-- projects
	('create_project', $$SELECT create_project('m_owner/new', owner => 'm_owner') > 0$$, 'contributor maintainer 42501, operator owner true, * 42704'),
	('set_project_member', $$SELECT set_project_member('m_project', 'm_outsider', 'contributor')$$, 'contributor maintainer 42501, operator owner null, * 42704'),
	('link_identity', $$SELECT link_identity(identity, 'm_outsider') FROM key$$, 'maintainer operator owner null, * 42704'),
	('unlink_identity', $$SELECT unlink_identity(identity) FROM key$$, 'maintainer operator owner null, * 42704'),
	('set_affiliation', $$SELECT set_affiliation('m_contributor', 'm_owner', 0.5)$$, 'maintainer owner 42501, contributor operator null, * 42704'),
	('create_task', $$SELECT create_task('m_project', 'x') > 0$$, 'contributor 42501, maintainer operator owner true, * 42704'),
	('assign_task', $$SELECT assign_task(assigned, 'm_owner') FROM key$$, 'contributor 42501, maintainer operator owner done, * 42704'),
	('complete_task', $$SELECT complete_task(assigned) FROM key$$, 'contributor maintainer operator owner done, * 42704'),
	('cancel_task', $$SELECT cancel_task(assigned) FROM key$$, 'contributor 42501, maintainer operator owner done, * 42704'),
	('contributions', $$SELECT count(*) FROM contributions('m_project')$$, 'contributor maintainer operator owner 2, * 42704'),
	('contributions_by_organization', $$SELECT count(*) FROM contributions_by_organization('m_project')$$, 'contributor maintainer operator owner 2, * 42704'),
	('contributor_report', $$SELECT contributors FROM contributor_report('m_project')$$, 'contributor maintainer operator owner 1, * 42704'),
	('review_report', $$SELECT count(*) FROM review_report('m_project')$$, 'contributor maintainer operator owner 1, * 42704'),
	('health_report', $$SELECT count(*) FROM health_report('m_project')$$, 'contributor maintainer operator owner 1, * 42704'),
	('import_git_log', $$SELECT skipped FROM import_git_log('m_project', '')$$, 'contributor 42501, maintainer operator owner 0, * 42704'),
	('import_mailmap', $$SELECT skipped FROM import_mailmap('m_project', ''::bytea)$$, 'contributor 42501, maintainer operator owner 0, * 42704'),
	('import_mailmap', $$SELECT skipped FROM import_mailmap('m_project', ''::text)$$, 'contributor 42501, maintainer operator owner 0, * 42704'),
	('import_github', $$SELECT skipped FROM import_github('m_project', 'ping', '{}')$$, 'contributor 42501, maintainer operator owner 1, * 42704'),
	('import_gitlab', $$SELECT skipped FROM import_gitlab('m_project', '{}')$$, 'contributor 42501, maintainer operator owner 1, * 42704'),
	('import_registry', $$SELECT skipped FROM import_registry('m_project', '{}')$$, 'contributor 42501, maintainer operator owner 1, * 42704'),
	-- money
	('open_account', $$SELECT open_account('m_consumer', 'prepaid', 'USD', 'm_pool') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('set_limits', $$SELECT set_limits(cash, 0) FROM key$$, 'operator done, * 42501'),
	('balance', $$SELECT balance(cash) FROM key$$, 'auditor consumer operator steward 5, * 0'),
	('balances', $$SELECT count(*) FROM balances()$$, 'consumer provider rival 1, auditor operator steward 3, * 0'),
	('trial_balance', $$SELECT count(*) FROM trial_balance()$$, 'consumer provider rival 2, auditor operator steward 3, * 0'),
	('aged_payables', $$SELECT count(*) FROM aged_payables('m_pool')$$, 'consumer invited rival 0, auditor operator provider steward 2, * 42704'),
	('record_payment', $$SELECT record_payment('m_pool', 'm_consumer', 1) > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('deposit', $$SELECT deposit('hold', 'm_pool', 'm_consumer', 1) > 0$$, 'operator steward SC007, auditor consumer invited provider rival 42501, * 42704'),
	('payout', $$SELECT count(*) FROM payout('m_pool', 'm_provider')$$, 'operator steward 0, auditor consumer invited provider rival 42501, * 42704'),
	('exchange', $$SELECT exchange('m_provider', 1, 'USD', 'EUR', 'payable', 'm_pool') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('exchange_rate_at', $$SELECT exchange_rate_at('USD', 'EUR')$$, 'none 42704, * 0.9'),
	('drop_usage', $$SELECT drop_usage('2026-01-01')$$, 'operator 42P01, * 42501'),
	('dropped_usage', $$SELECT dropped_usage()$$, '* {}'),
	('create_usage_partition', $$SELECT create_usage_partition('2026-02-01')$$, 'operator usage_2026_02, * 42501'),
	('record_usage', $$SELECT record_usage('m_pool', 'm_consumer', 'tokens', 1, '[2026-02-01,2026-02-02)', 'm_pool/m', 'new') > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('set_rate', $$SELECT set_rate('m_pool', 'other', 1) > 0$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('showback', $$SELECT count(*) FROM showback('m_pool', '[2026-02-01,2026-03-01)')$$, 'invited provider 0, consumer rival 1, auditor operator steward 2, * 42704'),
	('rated', $$SELECT count(*) FROM rated('m_pool', '[2026-02-01,2026-03-01)')$$, 'invited provider 0, consumer rival 2, auditor operator steward 4, * 42704'),
	('rating_corrections', $$SELECT count(*) FROM rating_corrections('m_pool', '[2026-02-01,2026-03-01)')$$, 'invited provider 0, consumer rival 3, auditor operator steward 6, * 42704'),
	('import_sacct', $$SELECT inserted FROM import_sacct('m_pool', '')$$, 'operator steward 0, auditor consumer invited provider rival 42501, * 42704'),
	('import_swf', $$SELECT inserted FROM import_swf('m_pool', '')$$, 'operator steward 0, auditor consumer invited provider rival 42501, * 42704'),
	('import_opencost', $$SELECT inserted FROM import_opencost('m_pool', '')$$, 'operator steward 0, auditor consumer invited provider rival 42501, * 42704'),
	('post_journal', $$SELECT post_journal('payment', ARRAY[cash, owed], '{1,-1}', 'm_pool') > 0 FROM key$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('reverse_journal', $$SELECT reverse_journal(journal) > 0 FROM key$$, 'operator steward true, * 42704'),
	-- closing, and what it is made of
	('close_billing_period', $$SELECT close_billing_period('m_pool', '[2026-02-01,2026-03-01)') IS NOT NULL$$, 'operator steward true, auditor consumer invited provider rival 42501, * 42704'),
	('charges_due', $$SELECT count(*) FROM key, charges_due(pool, 0)$$, 'operator 0, * 42501'),
	('close_invoices', $$SELECT close_invoices(pool, 1) FROM key$$, 'operator null, * 42501'),
	('divided_charges', $$SELECT count(*) FROM key, divided_charges(pool, 0)$$, 'operator 0, * 42501'),
	('close_contributors', $$SELECT close_contributors(pool, 1, '{}', NULL) FROM key$$, 'operator null, * 42501'),
	('close_balances', $$SELECT close_balances(pool, 1) FROM key$$, 'operator null, * 42501'),
	('earned_shares', $$SELECT count(*) FROM key, earned_shares(pool, '{"[2026-02-01,2026-03-01)"}')$$, 'auditor consumer invited operator provider rival steward 1, * 0'),
	('contribution_weights', $$SELECT count(*) FROM contribution_weights('m_project', '2027-01-01')$$, 'contributor maintainer operator owner 1, * 42704'),
	('billing_period_digest', $$SELECT billing_period_digest(b.pool_id, b.billing_period_id) IS NOT NULL FROM billing_period AS b ORDER BY 1 LIMIT 1$$, 'contributor maintainer none outsider owner team null, * true'),
	('billing_period_differences', $$SELECT count(*) FROM key, billing_period AS b, billing_period_differences(b.pool_id, b.billing_period_id)$$, 'operator 3, auditor rival steward 2, consumer other 1, * 0'),
	('usage_differences', 'SELECT count(*) FROM usage_differences()', 'operator 1, * 42501'),
	('verify_books', $$SELECT verify_books('m_pool') IS NULL$$, 'auditor operator steward false, consumer invited provider rival 42501, * 42704'),
	('statement', $$SELECT count(*) FROM statement('m_consumer', '[2026-01-01,2101-01-01)')$$, 'auditor consumer operator steward 3, * 42704'),
	('statement_trail', $$SELECT count(*) FROM statement_trail('m_consumer', '[2026-01-01,2101-01-01)')$$, 'auditor consumer operator steward 2, * 42704'),
	('net_settlement', $$SELECT count(*) FROM net_settlement('m_pool')$$, 'operator steward 3, auditor consumer invited provider rival 42501, * 42704'),
	-- what supply costs
	('supply_level', $$SELECT count(*) FROM supply_level((SELECT max(pool_id) FROM pool WHERE name = 'm_pool'), '[2026-02-01,2026-03-01)')$$, 'auditor operator steward provider 2, * 0'),
	('cost_allocation', $$SELECT count(*) FROM cost_allocation('m_pool', '[2026-02-01,2026-03-01)')$$, 'auditor operator steward 2, consumer invited provider rival 42501, * 42704'),
	('profit_report', $$SELECT count(*) FROM profit_report('m_pool', '[2026-02-01,2026-03-01)')$$, 'auditor operator steward 1, consumer invited provider rival 42501, * 42704');


CREATE TEMP VIEW found AS
SELECT 'rows of ' || q.relation AS what, r.name AS role, q.outcomes,
	CASE WHEN o.outcome = a.outcome AND o.outcome <> '0' THEN 'all' ELSE o.outcome END AS outcome
FROM readable AS q
CROSS JOIN role AS r,
LATERAL pg_temp.outcome(r.name, 'SELECT count(*) FROM sharecollab.' || q.relation) AS o (outcome),
LATERAL pg_temp.outcome('m_operator', 'SELECT count(*) FROM sharecollab.' || q.relation) AS a (outcome)
UNION ALL
SELECT c.statement, r.name, c.outcomes, pg_temp.outcome(r.name, c.statement)
FROM callable AS c
CROSS JOIN role AS r;

-- ----------
-- The verdict
-- ----------
SELECT plan(9);

CREATE TEMP TABLE result AS
SELECT f.what, f.role, f.outcomes, f.outcome, pg_temp.expected(f.role, f.outcomes) AS expected FROM found AS f;
-- and no other plan, as statistics make them, asks for the right too late
ANALYZE;
INSERT INTO result
SELECT f.what, f.role, f.outcomes, f.outcome, pg_temp.expected(f.role, f.outcomes) AS expected FROM found AS f;

SELECT is_empty($$SELECT what, role, expected, outcome FROM result WHERE outcome IS DISTINCT FROM expected
	AND (expected = 'refused' AND outcome IN ('42501', '42704')) IS NOT TRUE$$,
	'everybody sees and may do what the matrix says');
SELECT is((SELECT count(*) FROM result), 2 * (SELECT count(*) FROM role) * ((SELECT count(*) FROM readable) + (SELECT count(*) FROM callable)),
	'no cell was left out');
SELECT is_empty($$
	SELECT what, word FROM result, regexp_split_to_table(regexp_replace(outcomes, ' [^ ,]+(,|$)', '', 'g'), ' ') AS word
	WHERE word <> '*' AND 'm_' || word NOT IN (SELECT name FROM role)
$$, 'the matrix names no role that there is not');

SELECT is_empty($$SELECT what FROM result WHERE role = 'm_operator' AND what LIKE 'rows of %' AND outcome <> 'all'$$,
	'every table and view has rows to be seen');

-- What has to be listed: all that can tell something of a table
SELECT set_eq($$SELECT relname::text FROM pg_class WHERE relnamespace = 'sharecollab'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')$$,
	$$SELECT relation FROM readable$$, 'every table and view is listed');
SELECT set_eq($$
	SELECT DISTINCT proname::text FROM pg_proc
	WHERE pronamespace = 'sharecollab'::regnamespace AND prorettype <> 'trigger'::regtype AND (provolatile <> 'i' OR prosecdef)
	-- these look at nothing but their arguments and settings
	AND proname NOT IN ('profile_in', 'profile_out', 'activity_in', 'activity_out', 'calling_role', 'occupied', 'terms_violation',
		'booking_violation', 'recurring', 'pushed_commits', 'github_event', 'gitlab_event', 'registry_event', 'html_period', 'html_page', 'sacct_usage', 'swf_usage', 'opencost_usage')
$$, $$SELECT DISTINCT function FROM callable$$, 'every function that is not immutable is listed');

-- What the matrix does not call
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc AS p
	WHERE pronamespace = 'sharecollab'::regnamespace AND prorettype = 'trigger'::regtype AND has_function_privilege('m_none', p.oid, 'EXECUTE')
$$, 'the functions of triggers are not for everybody to make triggers with');
SELECT is_empty($$
	SELECT c.oid::regclass, a.privilege_type
	FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'sharecollab'::regnamespace AND a.grantee = 0
	AND (a.privilege_type <> 'SELECT' OR c.relkind NOT IN ('r', 'p', 'v') OR (c.relkind <> 'v' AND NOT c.relrowsecurity))
$$, 'PUBLIC may only SELECT, only from views and tables with row security, and use no sequence');
SELECT is_empty($$
	SELECT oid::regclass FROM pg_class
	WHERE relnamespace = 'sharecollab'::regnamespace AND relkind IN ('r', 'p') AND (NOT relrowsecurity OR relforcerowsecurity)
$$, 'every table has row security, which its owner is not bound by');

SELECT * FROM finish();
ROLLBACK;
