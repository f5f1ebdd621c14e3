-- 90-access.sql
--		Who sees what. What PUBLIC may do, row by row; everything that is granted
--		to it is granted here, and what is not is the operator's: the role that
--		owns the extension, and those with its privileges.
--		C code: src/access.c
--
-- In a word, of what a pool has to tell:
--
--	member		a party with any role in the pool, or invited to one: that it
--				exists, its terms and price, who is steward, what is free
--	consumer	its own leases, quotas, usage, charges and postings
--	provider	its own supply, earnings and postings
--	auditor		everything
--	steward		everything; invites, sets terms, quotas and prices, confirms, reclaims,
--				records usage, and writes the books: of its pools and members
--
-- and of a project: contributors see all of it, maintainers import, link
-- identities and hand out tasks, owners say who the members are. A party is
-- known to those who act for it, to those who see it as a member or have its
-- account in their pool's books, and, if it is listed, to all parties.
--
-- The tables can be read directly, and policies leave the rows that are the
-- reader's. They are written as sets (= ANY of an array that is made once), so
-- that indexes serve; first what lets those in who read many rows. To write is
-- for functions that check and say what is missing, and run as the owner to do
-- it; only a pool's terms and whether a party is listed can be set by UPDATE.
--
-- Policies do not bind the owner of the tables (no FORCE), who must be able to
-- dump all of them: pg_dump sets row_security off, so that it fails, rather
-- than leave rows out, for anybody who may not see all.

GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;

-- Who takes part

ALTER TABLE party ENABLE ROW LEVEL SECURITY;
GRANT SELECT, UPDATE (listed) ON party TO PUBLIC;
CREATE POLICY known ON party FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR (listed AND (SELECT my_parties()) <> '{}')
	OR party_id IN (SELECT m.party_id FROM membership AS m)
	OR ((SELECT my_projects()) <> '{}' AND (
		party_id IN (SELECT m.party_id FROM project_member AS m)
		OR party_id IN (SELECT l.party_id FROM identity_link AS l)))
	OR ((SELECT my_pools('steward', 'auditor')) <> '{}' AND party_id IN (SELECT a.party_id FROM account AS a)));
CREATE POLICY own ON party FOR UPDATE USING (party_id = ANY ((SELECT my_parties())::bigint[]));

-- Pools

ALTER TABLE pool ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON pool TO PUBLIC;
GRANT UPDATE (price, time_zone, min_quantity, max_quantity, quantity_step, min_duration, max_duration, notice, horizon, buffer,
	instant, overbooking, lend, cancellation, preemption_notice, min_parties) ON pool TO PUBLIC;
CREATE POLICY member ON pool FOR SELECT USING (pool_id = ANY ((SELECT my_pools())::bigint[]));
CREATE POLICY steward ON pool FOR UPDATE USING (pool_id = ANY ((SELECT my_pools('steward'))::bigint[]));

ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON membership TO PUBLIC;
CREATE POLICY known ON membership FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR (role = 'steward' AND pool_id = ANY ((SELECT my_pools())::bigint[])));

ALTER TABLE supply ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON supply TO PUBLIC;
CREATE POLICY known ON supply FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR provider_id = ANY ((SELECT my_parties())::bigint[]));

ALTER TABLE lease ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON lease TO PUBLIC;
CREATE POLICY known ON lease FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR consumer_id = ANY ((SELECT my_parties())::bigint[]));

ALTER TABLE quota ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON quota TO PUBLIC;
CREATE POLICY known ON quota FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR party_id = ANY ((SELECT my_parties())::bigint[]));

-- Members see what is free with availability() and pool_status.
ALTER TABLE calendar ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON calendar TO PUBLIC;
CREATE POLICY known ON calendar FOR SELECT USING (pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[]));

-- Projects

ALTER TABLE project ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON project TO PUBLIC;
CREATE POLICY member ON project FOR SELECT USING (project_id = ANY ((SELECT my_projects())::bigint[]));

ALTER TABLE project_member ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON project_member TO PUBLIC;
CREATE POLICY member ON project_member FOR SELECT USING (project_id = ANY ((SELECT my_projects())::bigint[]));

ALTER TABLE contribution ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON contribution TO PUBLIC;
CREATE POLICY member ON contribution FOR SELECT USING (project_id = ANY ((SELECT my_projects())::bigint[]));

ALTER TABLE task ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON task TO PUBLIC;
CREATE POLICY known ON task FOR SELECT USING (
	project_id = ANY ((SELECT my_projects())::bigint[])
	OR assignee_id = ANY ((SELECT my_parties())::bigint[]));

-- Names and addresses of people: to those who link them, and their own parties.
-- What a project's contributors are called, contributions() tells all members.

ALTER TABLE identity_link ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON identity_link TO PUBLIC;
CREATE POLICY known ON identity_link FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR project_id = ANY ((SELECT my_projects('owner', 'maintainer'))::bigint[]));

ALTER TABLE identity ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON identity TO PUBLIC;
CREATE POLICY known ON identity FOR SELECT USING (
	identity_id IN (SELECT l.identity_id FROM identity_link AS l)
	OR identity_id IN (SELECT c.identity_id FROM contribution AS c
		WHERE c.project_id = ANY ((SELECT my_projects('owner', 'maintainer'))::bigint[])));

ALTER TABLE affiliation ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON affiliation TO PUBLIC;
CREATE POLICY known ON affiliation FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR organization_id = ANY ((SELECT my_parties())::bigint[]));

-- Money. A charge names its consumer, so it is not its provider's to see: that
-- one sees what it earned, in its accounts and revenue_report().

ALTER TABLE billing_period ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON billing_period TO PUBLIC;
CREATE POLICY member ON billing_period FOR SELECT USING (pool_id = ANY ((SELECT my_pools())::bigint[]));

-- (A partition of its own would be read past this policy: nothing is granted
-- on partitions.)
ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_key ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON usage TO PUBLIC;
CREATE POLICY known ON usage FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR consumer_id = ANY ((SELECT my_parties())::bigint[]));

ALTER TABLE rate ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON rate TO PUBLIC;
CREATE POLICY known ON rate FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR (party_id IS NULL AND pool_id = ANY ((SELECT my_pools())::bigint[]))
	OR pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[]));

ALTER TABLE charge ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON charge TO PUBLIC;
CREATE POLICY known ON charge FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR consumer_id = ANY ((SELECT my_parties())::bigint[]));

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON account TO PUBLIC;
CREATE POLICY known ON account FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR party_id = ANY ((SELECT my_parties())::bigint[]));

ALTER TABLE posting ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON posting TO PUBLIC;
CREATE POLICY known ON posting FOR SELECT USING (account_id IN (SELECT a.account_id FROM account AS a));

ALTER TABLE account_balance ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON account_balance TO PUBLIC;
CREATE POLICY known ON account_balance FOR SELECT USING (account_id IN (SELECT a.account_id FROM account AS a));

ALTER TABLE journal ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON journal TO PUBLIC;
CREATE POLICY known ON journal FOR SELECT USING (
	pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR journal_id IN (SELECT p.journal_id FROM posting AS p));

ALTER TABLE exchange_rate ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON exchange_rate TO PUBLIC;
CREATE POLICY known ON exchange_rate FOR SELECT USING ((SELECT my_parties()) <> '{}');

ALTER TABLE grid_intensity ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON grid_intensity TO PUBLIC;
CREATE POLICY known ON grid_intensity FOR SELECT USING ((SELECT my_parties()) <> '{}');

-- What was done

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON event TO PUBLIC;
CREATE POLICY known ON event FOR SELECT USING (
	party_id = ANY ((SELECT my_parties())::bigint[])
	OR pool_id = ANY ((SELECT my_pools('steward', 'auditor'))::bigint[])
	OR project_id = ANY ((SELECT my_projects('owner', 'maintainer'))::bigint[])
	-- of what every member may see: list prices, and billing periods
	OR (party_id IS NULL AND subject IN ('rate', 'billing_period') AND pool_id = ANY ((SELECT my_pools())::bigint[])));

-- Views: rows are those of the tables

GRANT SELECT ON pool_status, supply_status, lease_status, lease_in_deficit, lease_price, charge_division, identity_status, task_status, audit_trail, ledger,
	focus_cost_and_usage, focus_invoice_detail, focus_billing_period, focus_contract_commitment TO PUBLIC;

-- Functions that run as the owner of the extension. Each looks at the caller's
-- rights first: itself in C, in SQL with require_party() and its like, or it
-- returns rows by acts_for(), has_pool_role() and has_project_role(). (To belong
-- to the owner, as they would else be the bootstrap superuser's.)

ALTER FUNCTION create_party SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION create_pool SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION invite SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION accept SECURITY DEFINER;
ALTER FUNCTION add_supply SECURITY DEFINER;
ALTER FUNCTION withdraw_supply SECURITY DEFINER;
ALTER FUNCTION reserve SECURITY DEFINER;
ALTER FUNCTION reserve_bundle SECURITY DEFINER;
ALTER FUNCTION confirm SECURITY DEFINER;
ALTER FUNCTION amend SECURITY DEFINER;
ALTER FUNCTION release SECURITY DEFINER;
ALTER FUNCTION cancel SECURITY DEFINER;
ALTER FUNCTION reclaim SECURITY DEFINER;
ALTER FUNCTION set_quota SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION availability SECURITY DEFINER;
ALTER FUNCTION find_slots SECURITY DEFINER;
ALTER FUNCTION check_calendar SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION create_project SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION set_project_member SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION link_identity SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION unlink_identity SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION set_affiliation SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION create_task SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION assign_task SECURITY DEFINER;
ALTER FUNCTION complete_task SECURITY DEFINER;
ALTER FUNCTION cancel_task SECURITY DEFINER;
ALTER FUNCTION contributions(text, timestamptz, timestamptz, boolean) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION contributions_by_organization SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION import_git_log SECURITY DEFINER;
ALTER FUNCTION import_mailmap(text, bytea) SECURITY DEFINER;
ALTER FUNCTION import_github SECURITY DEFINER;
ALTER FUNCTION import_gitlab SECURITY DEFINER;
ALTER FUNCTION import_registry SECURITY DEFINER;
ALTER FUNCTION open_account SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION post_journal SECURITY DEFINER;
ALTER FUNCTION reverse_journal SECURITY DEFINER;
ALTER FUNCTION record_payment SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION deposit SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION payout SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION exchange SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION record_usage(text, text, text, numeric, tstzrange, text, text, text, bigint, jsonb) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION import_sacct SECURITY DEFINER;
ALTER FUNCTION import_swf SECURITY DEFINER;
ALTER FUNCTION import_opencost SECURITY DEFINER;
ALTER FUNCTION set_rate SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION close_billing_period SECURITY DEFINER;
ALTER FUNCTION net_settlement SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION utilization_report SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION cost_report SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION revenue_report SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION carbon_report SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION availability_as_of SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
-- triggers: what they carry into the calendar, or look for, is not the caller's
ALTER FUNCTION calendar_of_pools SECURITY DEFINER;
ALTER FUNCTION calendar_of_supply SECURITY DEFINER;
ALTER FUNCTION calendar_of_leases SECURITY DEFINER;
ALTER FUNCTION calendar_of_quotas SECURITY DEFINER;
ALTER FUNCTION affiliation_check SECURITY DEFINER;
ALTER FUNCTION log_event SECURITY DEFINER;

ALTER FUNCTION create_party OWNER TO @extowner@;
ALTER FUNCTION create_pool OWNER TO @extowner@;
ALTER FUNCTION invite OWNER TO @extowner@;
ALTER FUNCTION accept OWNER TO @extowner@;
ALTER FUNCTION add_supply OWNER TO @extowner@;
ALTER FUNCTION withdraw_supply OWNER TO @extowner@;
ALTER FUNCTION reserve OWNER TO @extowner@;
ALTER FUNCTION reserve_bundle OWNER TO @extowner@;
ALTER FUNCTION confirm OWNER TO @extowner@;
ALTER FUNCTION amend OWNER TO @extowner@;
ALTER FUNCTION release OWNER TO @extowner@;
ALTER FUNCTION cancel OWNER TO @extowner@;
ALTER FUNCTION reclaim OWNER TO @extowner@;
ALTER FUNCTION set_quota OWNER TO @extowner@;
ALTER FUNCTION availability OWNER TO @extowner@;
ALTER FUNCTION find_slots OWNER TO @extowner@;
ALTER FUNCTION check_calendar OWNER TO @extowner@;
ALTER FUNCTION create_project OWNER TO @extowner@;
ALTER FUNCTION set_project_member OWNER TO @extowner@;
ALTER FUNCTION link_identity OWNER TO @extowner@;
ALTER FUNCTION unlink_identity OWNER TO @extowner@;
ALTER FUNCTION set_affiliation OWNER TO @extowner@;
ALTER FUNCTION create_task OWNER TO @extowner@;
ALTER FUNCTION assign_task OWNER TO @extowner@;
ALTER FUNCTION complete_task OWNER TO @extowner@;
ALTER FUNCTION cancel_task OWNER TO @extowner@;
ALTER FUNCTION contributions(text, timestamptz, timestamptz, boolean) OWNER TO @extowner@;
ALTER FUNCTION contributions_by_organization OWNER TO @extowner@;
ALTER FUNCTION import_git_log OWNER TO @extowner@;
ALTER FUNCTION import_mailmap(text, bytea) OWNER TO @extowner@;
ALTER FUNCTION import_github OWNER TO @extowner@;
ALTER FUNCTION import_gitlab OWNER TO @extowner@;
ALTER FUNCTION import_registry OWNER TO @extowner@;
ALTER FUNCTION open_account OWNER TO @extowner@;
ALTER FUNCTION post_journal OWNER TO @extowner@;
ALTER FUNCTION reverse_journal OWNER TO @extowner@;
ALTER FUNCTION record_payment OWNER TO @extowner@;
ALTER FUNCTION deposit OWNER TO @extowner@;
ALTER FUNCTION payout OWNER TO @extowner@;
ALTER FUNCTION exchange OWNER TO @extowner@;
ALTER FUNCTION record_usage(text, text, text, numeric, tstzrange, text, text, text, bigint, jsonb) OWNER TO @extowner@;
ALTER FUNCTION import_sacct OWNER TO @extowner@;
ALTER FUNCTION import_swf OWNER TO @extowner@;
ALTER FUNCTION import_opencost OWNER TO @extowner@;
ALTER FUNCTION set_rate OWNER TO @extowner@;
ALTER FUNCTION close_billing_period OWNER TO @extowner@;
ALTER FUNCTION net_settlement OWNER TO @extowner@;
ALTER FUNCTION utilization_report OWNER TO @extowner@;
ALTER FUNCTION cost_report OWNER TO @extowner@;
ALTER FUNCTION revenue_report OWNER TO @extowner@;
ALTER FUNCTION carbon_report OWNER TO @extowner@;
ALTER FUNCTION availability_as_of OWNER TO @extowner@;
ALTER FUNCTION log_event OWNER TO @extowner@;
ALTER FUNCTION calendar_of_pools OWNER TO @extowner@;
ALTER FUNCTION calendar_of_supply OWNER TO @extowner@;
ALTER FUNCTION calendar_of_leases OWNER TO @extowner@;
ALTER FUNCTION calendar_of_quotas OWNER TO @extowner@;
ALTER FUNCTION affiliation_check OWNER TO @extowner@;

-- Functions that nobody else needs: parts of others, and the operator's tools

REVOKE EXECUTE ON FUNCTION availability_in_tree, require_identity, rebuild_calendar, expire_holds, create_usage_partition, drop_usage,
	charges_due, close_invoices, divided_charges, close_contributors, close_balances FROM PUBLIC;
ALTER FUNCTION rebuild_calendar OWNER TO @extowner@;
ALTER FUNCTION create_usage_partition OWNER TO @extowner@;
ALTER FUNCTION drop_usage OWNER TO @extowner@;
ALTER FUNCTION charges_due OWNER TO @extowner@;
ALTER FUNCTION close_invoices OWNER TO @extowner@;
ALTER FUNCTION divided_charges OWNER TO @extowner@;
ALTER FUNCTION close_contributors OWNER TO @extowner@;
ALTER FUNCTION close_balances OWNER TO @extowner@;
ALTER FUNCTION expire_holds OWNER TO @extowner@;
ALTER FUNCTION availability_in_tree OWNER TO @extowner@;
ALTER FUNCTION require_identity OWNER TO @extowner@;

-- Those of triggers are called by nobody
REVOKE EXECUTE ON FUNCTION access_changed, affiliation_check, calendar_of_deletions, calendar_of_leases, calendar_of_pools,
	calendar_of_quotas, calendar_of_supply, charge_check, hold_books, keep_referenced, log_event, pool_refuse_change, posting_check, refuse_change, usage_once FROM PUBLIC;
-- but who attaches a partition of usage gives it its triggers
GRANT EXECUTE ON FUNCTION refuse_change, usage_once TO @extowner@;
