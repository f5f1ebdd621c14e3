-- labels.sql
--		What the catalog says of every member of the extension: volatility,
--		strictness, parallel safety, comments, names of arguments, pinned paths.

SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = sharecollab, public;

BEGIN;
SELECT plan(21);

-- ----------
-- The functions there are, and their labels. Whoever adds one adds a line here:
--
--	aggregate, procedure or window, if it is one; trigger; set, if it returns one
--	immutable, stable or volatile
--	strict, if it is
--	safe, restricted or unsafe: parallel safety
--	definer, if it runs with the rights of its owner; leakproof
--
-- Types are written as format_type writes them.
-- ----------
CREATE TEMP TABLE expected (signature text PRIMARY KEY, labels text NOT NULL);
INSERT INTO expected VALUES
	-- 10-types: profile
	('profile_in(cstring)', 'stable strict safe'),
	('profile_out(profile)', 'stable strict safe'),
	('profile_recv(internal)', 'immutable strict safe'),
	('profile_send(profile)', 'immutable strict safe'),
	('profile(numeric)', 'immutable strict safe'),
	('profile(tstzrange,numeric)', 'immutable strict safe'),
	('profile(tstzmultirange)', 'immutable strict safe'),
	('profile_eq(profile,profile)', 'immutable strict safe'),
	('profile_ne(profile,profile)', 'immutable strict safe'),
	('profile_lt(profile,profile)', 'immutable strict safe'),
	('profile_le(profile,profile)', 'immutable strict safe'),
	('profile_gt(profile,profile)', 'immutable strict safe'),
	('profile_ge(profile,profile)', 'immutable strict safe'),
	('profile_cmp(profile,profile)', 'immutable strict safe'),
	('profile_hash(profile)', 'immutable strict safe'),
	('profile_hash_extended(profile,bigint)', 'immutable strict safe'),
	('profile_contained(profile,profile)', 'immutable strict safe'),
	('profile_contains(profile,profile)', 'immutable strict safe'),
	('profile_add(profile,profile)', 'immutable strict safe'),
	('profile_subtract(profile,profile)', 'immutable strict safe'),
	('profile_multiply(profile,profile)', 'immutable strict safe'),
	('profile_multiply_numeric(profile,numeric)', 'immutable strict safe'),
	('numeric_multiply_profile(numeric,profile)', 'immutable strict safe'),
	('profile_negate(profile)', 'immutable strict safe'),
	('pointwise_min(profile,profile)', 'immutable strict safe'),
	('pointwise_max(profile,profile)', 'immutable strict safe'),
	('positive_part(profile)', 'immutable strict safe'),
	('clip(profile,tstzrange)', 'immutable strict safe'),
	('shift(profile,interval)', 'immutable strict safe'),
	('repeat(profile,interval,tstzrange,text)', 'immutable strict safe'),
	('value_at(profile,timestamp with time zone)', 'immutable strict safe'),
	('integral(profile,tstzrange,interval)', 'immutable strict safe'),
	('mean(profile,tstzrange)', 'immutable strict safe'),
	('peak(profile,tstzrange)', 'immutable strict safe'),
	('peak_at(profile,tstzrange)', 'immutable strict safe'),
	('trough(profile,tstzrange)', 'immutable strict safe'),
	('quantile(profile,tstzrange,numeric)', 'immutable strict safe'),
	('duration_above(profile,numeric,tstzrange)', 'immutable strict safe'),
	('earliest_fit(profile,numeric,interval,tstzrange,integer)', 'immutable strict safe'),
	('sparkline(profile,tstzrange,integer)', 'immutable strict safe'),
	('profile_rows_support(internal)', 'immutable strict safe'),
	('steps(profile,tstzrange)', 'set immutable strict safe'),
	('buckets(profile,tstzrange,interval,text)', 'set immutable strict safe'),
	('load_profile_transition(internal,tstzrange,numeric)', 'immutable safe'),
	('sum_profile_transition(internal,profile)', 'immutable safe'),
	('load_profile_combine(internal,internal)', 'immutable safe'),
	('load_profile_serialize(internal)', 'immutable strict safe'),
	('load_profile_deserialize(bytea,internal)', 'immutable strict safe'),
	('load_profile_final(internal)', 'immutable safe'),
	('load_profile_transition(internal,tstzrange,bigint)', 'immutable safe'),
	('load_profile_transition(internal,tstzrange,integer)', 'immutable safe'),
	('gauge_profile_transition(internal,timestamp with time zone,numeric)', 'immutable safe'),
	('load_profile(tstzrange,numeric)', 'aggregate immutable safe'),
	('load_profile(tstzrange,bigint)', 'aggregate immutable safe'),
	('load_profile(tstzrange,integer)', 'aggregate immutable safe'),
	('gauge_profile(timestamp with time zone,numeric)', 'aggregate immutable safe'),
	('sum(profile)', 'aggregate immutable safe'),
	('max_profile_transition(internal,profile)', 'immutable safe'),
	('max_profile_combine(internal,internal)', 'immutable safe'),
	('max_profile_serialize(internal)', 'immutable strict safe'),
	('max_profile_final(internal)', 'immutable safe'),
	('min_profile_transition(internal,profile)', 'immutable safe'),
	('min_profile_combine(internal,internal)', 'immutable safe'),
	('min_profile_serialize(internal)', 'immutable strict safe'),
	('min_profile_final(internal)', 'immutable safe'),
	('pointwise_deserialize(bytea,internal)', 'immutable strict safe'),
	('max(profile)', 'aggregate immutable safe'),
	('min(profile)', 'aggregate immutable safe'),
	('unit_hours_transition(internal,tstzrange,numeric,tstzrange)', 'immutable safe'),
	('unit_hours_transition(internal,tstzrange,bigint,tstzrange)', 'immutable safe'),
	('unit_hours_transition(internal,tstzrange,integer,tstzrange)', 'immutable safe'),
	('utilization_transition(internal,tstzrange,numeric,numeric,tstzrange)', 'immutable safe'),
	('unit_time_combine(internal,internal)', 'immutable safe'),
	('unit_time_serialize(internal)', 'immutable strict safe'),
	('unit_time_deserialize(bytea,internal)', 'immutable strict safe'),
	('unit_hours_final(internal)', 'immutable safe'),
	('utilization_final(internal)', 'immutable safe'),
	('unit_hours(tstzrange,numeric,tstzrange)', 'aggregate immutable safe'),
	('unit_hours(tstzrange,bigint,tstzrange)', 'aggregate immutable safe'),
	('unit_hours(tstzrange,integer,tstzrange)', 'aggregate immutable safe'),
	('utilization(tstzrange,numeric,numeric,tstzrange)', 'aggregate immutable safe'),
	('decayed_transition(internal,tstzrange,numeric,interval,timestamp with time zone)', 'immutable safe'),
	('decayed_combine(internal,internal)', 'immutable safe'),
	('decayed_serialize(internal)', 'immutable strict safe'),
	('decayed_deserialize(bytea,internal)', 'immutable strict safe'),
	('decayed_final(internal)', 'immutable safe'),
	('decayed(tstzrange,numeric,interval,timestamp with time zone)', 'aggregate immutable safe'),
	-- 12-tally
	('absence_factor(tally,numeric)', 'immutable strict safe'),
	('band(tally,numeric,numeric)', 'immutable strict safe'),
	('casual(tally,numeric)', 'immutable strict safe'),
	('core(tally,numeric)', 'immutable strict safe'),
	('entries(tally)', 'set immutable strict safe'),
	('entropy(tally)', 'immutable strict safe'),
	('evenness(tally)', 'immutable strict safe'),
	('gini(tally)', 'immutable strict safe'),
	('hhi(tally)', 'immutable strict safe'),
	('newcomers(tally,tally)', 'immutable strict safe'),
	('numeric_multiply_tally(numeric,tally)', 'immutable strict safe'),
	('parties(tally)', 'immutable strict safe'),
	('quantity_of(tally,bigint)', 'immutable strict safe'),
	('quantity_of(tally,text)', 'immutable strict safe'),
	('regular(tally,numeric,numeric)', 'immutable strict safe'),
	('rekey(tally,jsonb)', 'immutable strict safe'),
	('retained(tally,tally)', 'immutable strict safe'),
	('share_of(tally,bigint)', 'immutable strict safe'),
	('share_of(tally,text)', 'immutable strict safe'),
	('split(numeric,tally,integer)', 'immutable strict safe'),
	('sum(tally)', 'aggregate immutable safe'),
	('sum_tally_transition(internal,tally)', 'immutable safe'),
	('tally(bigint)', 'aggregate immutable safe'),
	('tally(bigint,bigint)', 'aggregate immutable safe'),
	('tally(bigint,integer)', 'aggregate immutable safe'),
	('tally(bigint,numeric)', 'aggregate immutable safe'),
	('tally(character varying)', 'aggregate immutable safe'),
	('tally(text)', 'aggregate immutable safe'),
	('tally(text,bigint)', 'aggregate immutable safe'),
	('tally(text,integer)', 'aggregate immutable safe'),
	('tally(text,numeric)', 'aggregate immutable safe'),
	('tally_add(tally,tally)', 'immutable strict safe'),
	('tally_cmp(tally,tally)', 'immutable strict safe'),
	('tally_combine(internal,internal)', 'immutable safe'),
	('tally_deserialize(bytea,internal)', 'immutable strict safe'),
	('tally_eq(tally,tally)', 'immutable strict safe'),
	('tally_final(internal)', 'immutable safe'),
	('tally_ge(tally,tally)', 'immutable strict safe'),
	('tally_gt(tally,tally)', 'immutable strict safe'),
	('tally_hash(tally)', 'immutable strict safe'),
	('tally_hash_extended(tally,bigint)', 'immutable strict safe'),
	('tally_in(cstring)', 'immutable strict safe'),
	('tally_le(tally,tally)', 'immutable strict safe'),
	('tally_lt(tally,tally)', 'immutable strict safe'),
	('tally_multiply(tally,numeric)', 'immutable strict safe'),
	('tally_ne(tally,tally)', 'immutable strict safe'),
	('tally_negate(tally)', 'immutable strict safe'),
	('tally_out(tally)', 'immutable strict safe'),
	('tally_recv(internal)', 'immutable strict safe'),
	('tally_send(tally)', 'immutable strict safe'),
	('tally_serialize(internal)', 'immutable strict safe'),
	('tally_subtract(tally,tally)', 'immutable strict safe'),
	('tally_transition(internal,bigint)', 'immutable safe'),
	('tally_transition(internal,bigint,bigint)', 'immutable safe'),
	('tally_transition(internal,bigint,integer)', 'immutable safe'),
	('tally_transition(internal,bigint,numeric)', 'immutable safe'),
	('tally_transition(internal,text)', 'immutable safe'),
	('tally_transition(internal,text,bigint)', 'immutable safe'),
	('tally_transition(internal,text,integer)', 'immutable safe'),
	('tally_transition(internal,text,numeric)', 'immutable safe'),
	('top(tally,integer)', 'set immutable strict safe'),
	('total(tally)', 'immutable strict safe'),
	-- 14-activity
	('activity(bigint,timestamp with time zone)', 'aggregate immutable safe'),
	('activity(bigint,timestamp with time zone,bigint,bigint)', 'aggregate immutable safe'),
	('activity(bigint,timestamp with time zone,integer,integer)', 'aggregate immutable safe'),
	('activity(text,timestamp with time zone)', 'aggregate immutable safe'),
	('activity(text,timestamp with time zone,bigint,bigint)', 'aggregate immutable safe'),
	('activity(text,timestamp with time zone,integer,integer)', 'aggregate immutable safe'),
	('activity_add(activity,activity)', 'immutable strict safe'),
	('activity_cmp(activity,activity)', 'immutable strict safe'),
	('activity_combine(internal,internal)', 'immutable safe'),
	('activity_deserialize(bytea,internal)', 'immutable strict safe'),
	('activity_eq(activity,activity)', 'immutable strict safe'),
	('activity_final(internal)', 'immutable safe'),
	('activity_ge(activity,activity)', 'immutable strict safe'),
	('activity_gt(activity,activity)', 'immutable strict safe'),
	('activity_hash(activity)', 'immutable strict safe'),
	('activity_hash_extended(activity,bigint)', 'immutable strict safe'),
	('activity_in(cstring)', 'stable strict safe'),
	('activity_le(activity,activity)', 'immutable strict safe'),
	('activity_lt(activity,activity)', 'immutable strict safe'),
	('activity_ne(activity,activity)', 'immutable strict safe'),
	('activity_out(activity)', 'stable strict safe'),
	('activity_recv(internal)', 'immutable strict safe'),
	('activity_send(activity)', 'immutable strict safe'),
	('activity_serialize(internal)', 'immutable strict safe'),
	('activity_transition(internal,bigint,timestamp with time zone)', 'immutable safe'),
	('activity_transition(internal,bigint,timestamp with time zone,bigint,bigint)', 'immutable safe'),
	('activity_transition(internal,bigint,timestamp with time zone,integer,integer)', 'immutable safe'),
	('activity_transition(internal,text,timestamp with time zone)', 'immutable safe'),
	('activity_transition(internal,text,timestamp with time zone,bigint,bigint)', 'immutable safe'),
	('activity_transition(internal,text,timestamp with time zone,integer,integer)', 'immutable safe'),
	('band(activity,numeric,numeric)', 'immutable strict safe'),
	('burstiness(timestamp with time zone)', 'aggregate immutable safe'),
	('burstiness_final(internal)', 'immutable safe'),
	('burstiness_transition(internal,timestamp with time zone)', 'immutable safe'),
	('by_count(activity)', 'immutable strict safe'),
	('by_lines(activity)', 'immutable strict safe'),
	('casual(activity,numeric)', 'immutable strict safe'),
	('contributions(activity)', 'immutable strict safe'),
	('core(activity,numeric)', 'immutable strict safe'),
	('entries(activity)', 'set immutable strict safe'),
	('first_at(activity)', 'immutable strict safe'),
	('inactive(activity,timestamp with time zone)', 'immutable strict safe'),
	('last_at(activity)', 'immutable strict safe'),
	('lines_added(activity)', 'immutable strict safe'),
	('lines_removed(activity)', 'immutable strict safe'),
	('newcomers(activity,tstzrange)', 'immutable strict safe'),
	('occasional(activity,integer,tstzrange)', 'immutable strict safe'),
	('parties(activity)', 'immutable strict safe'),
	('regular(activity,numeric,numeric)', 'immutable strict safe'),
	('rekey(activity,jsonb)', 'immutable strict safe'),
	('sum(activity)', 'aggregate immutable safe'),
	('sum_activity_transition(internal,activity)', 'immutable safe'),
	-- 18-require
	('require_bounded(tstzrange)', 'immutable safe'),
	('require_mode(text,text[])', 'immutable safe'),
	-- 16-money
	('currency_scale(text)', 'immutable strict safe'),
	('money_round(numeric,integer,text)', 'immutable strict safe'),
	('money_round(numeric,text,text)', 'immutable strict safe'),
	('split(numeric,numeric,integer)', 'window immutable safe'),
	('round_to_total(numeric,integer,text)', 'window immutable safe'),
	('tiered(numeric,numeric[],numeric[],numeric[],text)', 'immutable safe'),
	('tiers(numeric,numeric[],numeric[],numeric[],text)', 'set immutable safe'),
	('weighted_sum_transition(internal,numeric,timestamp with time zone,tstzrange)', 'immutable safe'),
	('weighted_sum_inverse(internal,numeric,timestamp with time zone,tstzrange)', 'immutable safe'),
	('weighted_sum_final(internal)', 'immutable safe'),
	('weighted_sum(numeric,timestamp with time zone,tstzrange)', 'aggregate immutable safe'),
	('shapley_airport(tally,integer)', 'immutable strict safe'),
	('shapley_peak(text[],profile[],tstzrange,integer)', 'immutable strict safe'),
	('coincident_peak(text[],profile[],tstzrange)', 'immutable strict safe'),
	('serial_cost(tally,numeric[],numeric[],numeric[],integer)', 'immutable safe'),
	('share_out(tally,text[],tally,integer)', 'immutable strict safe'),
	('net_transfers(tally,text)', 'set immutable strict safe'),
	-- 18-progress
	('report_progress(anyelement,text)', 'stable safe'),
	-- 18-caller
	('calling_role()', 'stable safe'),
	('is_operator()', 'stable safe'),
	('acts_for(bigint)', 'stable strict safe'),
	('has_pool_role(bigint,text[])', 'stable strict safe'),
	('has_project_role(bigint,text[])', 'stable strict safe'),
	('my_parties()', 'stable safe'),
	('my_pools(text[])', 'stable strict safe'),
	('my_projects(text[])', 'stable strict safe'),
	('require_party(text)', 'stable strict safe'),
	('require_pool(text,text[])', 'stable strict safe'),
	('require_project(text,text[])', 'stable strict safe'),
	('require_name(text,text)', 'stable safe'),
	('require_books(text)', 'stable safe'),
	('require_member(text,text,text)', 'stable safe'),
	('require_source(text,text)', 'stable strict safe'),
	('require_role(regrole)', 'stable strict safe'),
	('access_changed()', 'trigger volatile unsafe'),
	-- 20-parties
	('party_id(text)', 'stable strict safe'),
	('create_party(text,text,text,regrole)', 'volatile unsafe definer'),
	-- 30-sharing
	('calendar_of_pools()', 'trigger volatile unsafe definer'),
	('pool_refuse_change()', 'trigger volatile unsafe'),
	('calendar_of_supply()', 'trigger volatile unsafe definer'),
	('calendar_of_leases()', 'trigger volatile unsafe definer'),
	('calendar_of_quotas()', 'trigger volatile unsafe definer'),
	('calendar_of_deletions()', 'trigger volatile unsafe'),
	('pool_id(text)', 'stable strict safe'),
	('create_pool(text,text,text,text,numeric,text,text,text,numeric,numeric,numeric,interval,interval,interval,interval,interval,boolean,numeric,numeric,numeric,profile,interval,numeric,numeric,text,text)', 'volatile unsafe definer'),
	('invite(text,text,text,numeric)', 'volatile unsafe definer'),
	('accept(text,text,text)', 'volatile unsafe definer'),
	('add_supply(text,text,numeric,tstzrange,numeric,numeric,numeric,text)', 'volatile unsafe definer'),
	('withdraw_supply(text,text,numeric,tstzrange)', 'volatile unsafe definer'),
	('terms_violation(pool,numeric,tstzrange)', 'stable safe'),
	('reserve(text,text,numeric,tstzrange,text,interval,boolean)', 'volatile unsafe definer'),
	('reserve_bundle(text[],text,numeric[],tstzrange[],text,interval,boolean)', 'volatile unsafe definer'),
	('confirm(bigint,text)', 'volatile unsafe definer'),
	('expire_holds()', 'volatile unsafe'),
	('amend(bigint,numeric,tstzrange,timestamp with time zone)', 'volatile unsafe definer'),
	('reclaim(bigint,timestamp with time zone)', 'volatile unsafe definer'),
	('recurring(tstzrange,interval,integer,text)', 'set stable strict safe'),
	('booking_violation(pool,tstzrange)', 'stable safe'),
	('lead_time(interval)', 'immutable strict safe'),
	('occupied(tstzrange,interval)', 'stable safe'),
	('set_quota(text,text,tstzrange,numeric,numeric,numeric,numeric)', 'volatile unsafe definer'),
	('find_slots(text[],numeric,interval,tstzrange,integer,boolean,text)', 'set stable safe definer'),
	('check_calendar(text)', 'set stable safe definer'),
	('rebuild_calendar()', 'volatile unsafe'),
	('release(bigint,timestamp with time zone)', 'volatile unsafe definer'),
	('cancel(bigint,timestamp with time zone)', 'volatile unsafe definer'),
	('import_leases(regclass)', 'volatile unsafe'),
	('availability(text,tstzrange,text,bigint[],profile)', 'stable safe definer'),
	('availability_in_tree(text,tstzrange,text,bigint[],profile)', 'stable safe'),
	('calendar_free(bigint,bigint,tstzrange)', 'stable strict safe'),
	('has_lease(text)', 'stable strict safe leakproof'),
	('has_lease(text,timestamp with time zone)', 'stable strict safe leakproof'),
	-- 40-collaboration
	('affiliation_check()', 'trigger volatile unsafe definer'),
	('project_id(text)', 'stable strict safe'),
	('create_project(text,text,text,text)', 'volatile unsafe definer'),
	('link_identity(bigint,text,tstzrange)', 'volatile unsafe definer'),
	('unlink_identity(bigint,tstzrange)', 'volatile unsafe definer'),
	('set_project_member(text,text,text)', 'volatile unsafe definer'),
	('require_identity(bigint)', 'volatile strict unsafe'),
	('set_affiliation(text,text,numeric,tstzrange)', 'volatile unsafe definer'),
	('create_task(text,text,text,text,text)', 'volatile unsafe definer'),
	('assign_task(bigint,text)', 'volatile unsafe definer'),
	('complete_task(bigint,timestamp with time zone)', 'volatile unsafe definer'),
	('cancel_task(bigint,timestamp with time zone)', 'volatile unsafe definer'),
	('contributions(text,timestamp with time zone,timestamp with time zone,boolean)', 'set stable safe definer'),
	('contributions_by_organization(text,timestamp with time zone,timestamp with time zone,boolean)', 'set stable safe definer'),
	('git_log_support(internal)', 'immutable strict safe'),
	('git_log(bytea,text)', 'set immutable strict safe'),
	('git_log_files(bytea,text)', 'set immutable strict safe'),
	('mailmap_lookup(bytea,text,text)', 'immutable strict safe'),
	('pushed_commits(jsonb,text)', 'set stable safe'),
	('github_event(text,jsonb)', 'set stable safe'),
	('gitlab_event(jsonb)', 'set stable safe'),
	('registry_event(jsonb)', 'set stable safe'),
	('import_git_log(text,bytea,text)', 'volatile unsafe definer'),
	('import_mailmap(text,bytea)', 'volatile unsafe definer'),
	('import_mailmap(text,text)', 'volatile unsafe'),
	('import_github(text,text,jsonb)', 'volatile unsafe definer'),
	('import_gitlab(text,jsonb)', 'volatile unsafe definer'),
	('import_registry(text,jsonb)', 'volatile unsafe definer'),
	-- 48-guard
	('refuse_change()', 'trigger volatile unsafe'),
	('keep_referenced()', 'trigger volatile unsafe'),

	-- 50-billing
	('usage_once()', 'trigger volatile unsafe'),
	('usage_digest(bigint,bigint,bigint,bigint,text,numeric,tstzrange,jsonb)', 'immutable safe'),
	('create_usage_partition(date)', 'volatile unsafe'),
	('drop_usage(date)', 'volatile unsafe'),
	('dropped_usage()', 'stable safe'),
	('record_usage(text,text,text,numeric,tstzrange,text,text,text,bigint,jsonb)', 'volatile unsafe definer'),
	('record_usage(regclass)', 'volatile unsafe'),
	('set_rate(text,text,numeric,text,text,text,tstzrange,numeric[],numeric[],numeric[],numeric,numeric,bigint,numeric,numeric,numeric,numeric,numeric,numeric,numeric,numeric,profile)', 'volatile unsafe definer'),
	-- 51-rating
	('within(numeric,numeric)', 'immutable safe'),
	('prorated(numeric,tstzrange,tstzrange)', 'immutable safe'),
	('rated(text,tstzrange,timestamp with time zone,rate[])', 'set stable safe'),
	('rating_corrections(text,tstzrange)', 'set stable safe'),

	-- 51-usage-log
	('sacct_usage(text,text,text,text,text,text)', 'set stable restricted'),
	('swf_usage(text,text,text,text)', 'set stable restricted'),
	('opencost_usage(text,text,text,text,text)', 'set stable restricted'),
	('import_sacct(text,text,text,text,text,text[],text,text,text)', 'volatile unsafe definer'),
	('import_swf(text,text,text,text,text[],text,text)', 'volatile unsafe definer'),
	('import_opencost(text,text,text,text,text,text[],text,text)', 'volatile unsafe definer'),

	-- 52-ledger
	('posting_check()', 'trigger volatile unsafe'),
	('hold_books()', 'trigger volatile unsafe'),
	('open_account(text,text,text,text,numeric,numeric)', 'volatile unsafe definer'),
	('post_journal(text,bigint[],numeric[],text,text,text,timestamp with time zone,text)', 'volatile unsafe definer'),
	('reverse_journal(bigint,timestamp with time zone,text)', 'volatile unsafe definer'),
	('set_limits(bigint,numeric,numeric)', 'volatile unsafe'),
	('balance(bigint,timestamp with time zone,timestamp with time zone)', 'stable safe'),
	('balances(text,text,timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('trial_balance(timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('record_payment(text,text,numeric,text,text,text,timestamp with time zone)', 'volatile unsafe definer'),
	('deposit(text,text,text,numeric,text,text,timestamp with time zone)', 'volatile unsafe definer'),
	('payout(text,text,timestamp with time zone,numeric,text,timestamp with time zone)', 'set volatile unsafe definer'),
	('aged_payables(text,timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('exchange_rate_at(text,text,timestamp with time zone,timestamp with time zone)', 'stable strict safe'),
	('exchange(text,numeric,text,text,text,text,text,text,timestamp with time zone)', 'volatile unsafe definer'),

	-- 54-closing
	('charge_check()', 'trigger volatile unsafe'),
	('charges_due(bigint,bigint)', 'set stable safe'),
	('earned_shares(bigint,tstzrange[])', 'set stable safe'),
	('split_running(numeric,numeric[],integer)', 'window immutable safe'),
	('close_invoices(bigint,bigint)', 'volatile unsafe'),
	('divided_charges(bigint,bigint)', 'set stable safe'),
	('contribution_weights(text,timestamp with time zone,jsonb,interval,timestamp with time zone)', 'set stable safe'),
	('close_contributors(bigint,bigint,jsonb,interval)', 'volatile unsafe'),
	('close_balances(bigint,bigint)', 'volatile unsafe'),
	('rows_sha256_transition(internal,"any")', 'immutable safe'),
	('rows_sha256_final(internal)', 'immutable safe'),
	('rows_sha256("any")', 'aggregate immutable safe'),
	('billing_period_digest(bigint,bigint)', 'stable safe'),
	('billing_period_differences(bigint,bigint)', 'set stable safe'),
	('close_billing_period(text,tstzrange,jsonb,interval)', 'volatile unsafe definer'),
	('usage_differences()', 'set stable safe'),
	('verify_books(text)', 'stable safe'),
	('statement(text,tstzrange,text,boolean)', 'set stable safe'),
	('statement_trail(text,tstzrange,text)', 'set stable safe'),
	('net_settlement(text,text,text,text,timestamp with time zone)', 'set volatile unsafe definer'),

	-- 56-focus
	('focus_columns()', 'set immutable safe'),
	('focus_services()', 'set immutable safe'),
	('focus_rules()', 'set immutable safe'),
	('focus_date_time(timestamp with time zone,boolean)', 'immutable strict safe'),
	('focus_rounding_tolerance(bigint,numeric)', 'immutable strict safe'),
	('focus_rows(regclass)', 'set stable unsafe'),
	('json_or_null(text)', 'immutable strict safe'),
	('focus_number(text)', 'immutable strict safe'),
	('focus_instant(text)', 'immutable strict safe'),
	('focus_allocated_ratio(text)', 'immutable strict safe'),
	('focus_contract_applied(text)', 'immutable strict safe'),
	('focus_violations(regclass,focus_dataset,focus_version,boolean,regclass)', 'set stable unsafe'),

	-- 58-energy
	('set_grid_intensity(text,profile,tstzrange,text)', 'volatile unsafe'),
	('carbon_report(text,tstzrange,text,timestamp with time zone,integer)', 'set stable safe definer'),

	-- 80-event
	('log_event()', 'trigger volatile unsafe definer'),
	('leases_as_of(bigint,timestamp with time zone)', 'set stable safe'),
	('supplies_as_of(bigint,timestamp with time zone)', 'set stable safe'),
	('availability_as_of(text,tstzrange,timestamp with time zone)', 'stable strict safe definer'),
	-- 60-reports
	('supply_level(bigint,tstzrange,text)', 'set stable safe'),
	('cost_allocation(text,tstzrange,text,text[],text,numeric,tally,text,integer,text)', 'set stable safe'),
	('showback(text,tstzrange,text)', 'set stable safe'),
	('profit_report(text,tstzrange,integer)', 'set stable safe'),
	('utilization_report(text,tstzrange,interval)', 'set stable safe definer'),
	('cost_report(text,tstzrange,integer)', 'set stable safe definer'),
	('health_report(text,tstzrange,boolean,boolean,boolean,timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('review_report(text,tstzrange,double precision,boolean,timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('contributor_report(text,tstzrange,boolean,boolean,boolean,timestamp with time zone,timestamp with time zone)', 'set stable safe'),
	('revenue_report(text,tstzrange,integer)', 'set stable safe definer'),
	-- 70-pages
	('gantt(text[],tstzrange[],text[],tstzrange,text,text,integer)', 'immutable strict safe'),
	('html_escape(text)', 'immutable strict safe'),
	('html_figure(text,text,text)', 'immutable safe'),
	('html_number(numeric)', 'immutable strict safe'),
	('html_page(text,text,text)', 'stable safe'),
	('html_period(tstzrange,text)', 'stable strict safe'),
	('html_row(text[])', 'immutable safe'),
	('html_table(text,text[],text,text)', 'immutable safe'),
	('lease_gantt(text,tstzrange,integer,integer)', 'stable safe'),
	('report_html(text,tstzrange,interval)', 'stable safe'),
	('statement_html(text,tstzrange,text)', 'stable safe'),
	('svg(profile,tstzrange,text,text,text,integer,integer)', 'immutable strict safe'),
	('svg(profile[],text[],tstzrange,text,text,text,integer,integer)', 'immutable strict safe'),
	('svg(tally,text,text,integer,integer)', 'immutable strict safe');

-- ----------
-- The catalog
-- ----------
-- (without the types of arrays and of rows of tables, which are members too from 17 on)
CREATE TEMP VIEW member AS
SELECT classid, objid AS oid FROM pg_depend
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'sharecollab')
AND NOT (classid = 'pg_type'::regclass AND EXISTS (
	SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
	WHERE t.oid = objid AND (c.relkind <> 'c' OR EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid))));

-- "internal" are those that nobody calls by name: operators, input and output,
-- support of operator classes, aggregates and the planner, triggers
CREATE TEMP VIEW function AS
SELECT p.*, p.proname || '(' || array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n) ORDER BY n), ',') || ')' AS signature,
	   p.prorettype = 'trigger'::regtype
	   OR EXISTS (SELECT FROM pg_operator WHERE oprcode = p.oid)
	   OR EXISTS (SELECT FROM pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze))
	   OR EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid)
	   OR EXISTS (SELECT FROM pg_aggregate WHERE p.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn))
	   OR EXISTS (SELECT FROM pg_proc WHERE prosupport = p.oid) AS internal
FROM pg_proc AS p
JOIN member ON classid = 'pg_proc'::regclass AND member.oid = p.oid;

SELECT set_eq($$
	SELECT signature,
		   concat_ws(' ', CASE prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window' END,
					 CASE WHEN prorettype = 'trigger'::regtype THEN 'trigger' END,
					 CASE WHEN proretset THEN 'set' END,
					 CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
					 CASE WHEN proisstrict THEN 'strict' END,
					 CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
					 CASE WHEN prosecdef THEN 'definer' END,
					 CASE WHEN proleakproof THEN 'leakproof' END)
	FROM function
$$, 'SELECT * FROM expected', 'functions and their labels are those listed');

-- ----------
-- Functions
-- ----------
SELECT is_empty($$
	SELECT signature FROM function JOIN pg_language AS l ON l.oid = prolang
	WHERE prokind <> 'a' AND lanname NOT IN ('c', 'sql')
$$, 'every function is in C or SQL');

SELECT is_empty($$
	SELECT signature FROM function JOIN pg_language AS l ON l.oid = prolang
	WHERE lanname = 'sql' AND prosqlbody IS NULL AND NOT coalesce(array_to_string(proconfig, ' ') ~ '\msearch_path=', false)
$$, 'every SQL function has a body that is parsed already, or a search path of its own');

SELECT is_empty($$
	SELECT signature FROM function
	WHERE prosecdef AND NOT coalesce(array_to_string(proconfig, ' ') ~ '\msearch_path=(pg_catalog|"")', false)
$$, 'every SECURITY DEFINER function has a search path of its own, which starts with pg_catalog');

-- Where only the order tells arguments apart, they have names. Exempt are the
-- operands of what could as well be an operator.
SELECT is_empty($$
	SELECT signature FROM function
	WHERE NOT internal AND pronargs > 0
	AND (proargnames IS NULL OR '' = ANY (proargnames[:pronargs]))
	AND signature NOT IN ('sum(profile)', 'max(profile)', 'min(profile)', 'pointwise_min(profile,profile)', 'pointwise_max(profile,profile)')
$$, 'the arguments of every function have names');

SELECT is_empty($$
	SELECT signature FROM function
	WHERE proargmodes IS NOT NULL AND '' = ANY (proargnames)
$$, 'the columns that functions return have names');

-- as regress/sql/opr_sanity has it for PostgreSQL's own
SELECT is_empty($$
	SELECT signature FROM function
	WHERE provolatile = 'v' AND proparallel = 's'
$$, 'no volatile function is parallel safe');

-- ----------
-- Aggregates
-- ----------
SELECT is_empty($$
	SELECT signature FROM function JOIN pg_aggregate ON aggfnoid = function.oid
	WHERE proparallel <> 's' OR signature NOT IN ('burstiness(timestamp with time zone)', 'rows_sha256("any")')
	AND (aggcombinefn = 0 OR (aggtranstype = 'internal'::regtype AND (aggserialfn = 0 OR aggdeserialfn = 0)))
$$, 'every aggregate is parallel safe, combines (unless it needs the order of its rows), and can send its state');

SELECT is_empty($$
	SELECT signature, support.oid::regprocedure
	FROM function JOIN pg_aggregate ON aggfnoid = function.oid
	JOIN pg_proc AS support ON support.oid IN (aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn, aggmfinalfn)
	WHERE support.proparallel <> 's' OR support.provolatile <> 'i'
$$, 'the functions of every aggregate are immutable and parallel safe');

SELECT is_empty($$
	SELECT signature FROM function JOIN pg_aggregate ON aggfnoid = function.oid
	WHERE aggtranstype = 'internal'::regtype AND aggtransspace = 0
$$, 'every aggregate says how much space its state takes');

-- Two of the same state share it only if the final functions leave it alone
SELECT is_empty($$
	SELECT signature FROM function JOIN pg_aggregate ON aggfnoid = function.oid
	WHERE aggfinalmodify <> 'r' OR aggmfinalmodify <> 'r'
$$, 'every aggregate can be used as a window function');

-- ----------
-- Operators
-- ----------
SELECT is_empty($$
	SELECT o.oid::regoperator FROM pg_operator AS o JOIN member ON classid = 'pg_operator'::regclass AND member.oid = o.oid
	WHERE oprresult = 'boolean'::regtype AND oprkind = 'b' AND (oprrest = 0 OR oprjoin = 0)
$$, 'every comparison has estimators');

SELECT is_empty($$
	SELECT o.oid::regoperator FROM pg_operator AS o JOIN member ON classid = 'pg_operator'::regclass AND member.oid = o.oid
	LEFT JOIN pg_operator AS c ON c.oid = o.oprcom
	WHERE o.oprcode <> 0 AND o.oprkind = 'b' AND o.oprname <> '-'
	AND (c.oprcom IS DISTINCT FROM o.oid OR c.oprleft <> o.oprright OR c.oprright <> o.oprleft)
$$, 'every operator but - has a commutator, which knows it too');

SELECT is_empty($$
	SELECT o.oid::regoperator FROM pg_operator AS o JOIN member ON classid = 'pg_operator'::regclass AND member.oid = o.oid
	JOIN pg_operator AS n ON n.oid = o.oprnegate
	WHERE n.oprnegate <> o.oid OR n.oprresult <> 'boolean'::regtype
$$, 'negators know each other');

SELECT is_empty($$
	SELECT o.oid::regoperator FROM pg_operator AS o JOIN member ON classid = 'pg_operator'::regclass AND member.oid = o.oid
	JOIN pg_proc AS p ON p.oid = oprcode
	WHERE p.provolatile = 'v' OR NOT p.proisstrict
$$, 'operators are strict and not volatile');

-- ----------
-- Comments
-- ----------
SELECT is_empty($$
	SELECT pg_describe_object(classid, oid, 0) FROM member
	WHERE classid <> 'pg_class'::regclass AND coalesce(obj_description(oid, classid::regclass::name), '') = ''
$$, 'every function, operator, type, cast, operator class and family has a comment');

SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class AS c JOIN member ON classid = 'pg_class'::regclass AND member.oid = c.oid
	WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
$$, 'every table and view has a comment');

SELECT is_empty($$
	SELECT c.oid::regclass, attname FROM pg_class AS c JOIN member ON classid = 'pg_class'::regclass AND member.oid = c.oid
	JOIN pg_attribute ON attrelid = c.oid
	WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND attnum > 0 AND NOT attisdropped AND coalesce(col_description(c.oid, attnum), '') = ''
$$, 'every column has a comment');

-- A comment is a sentence, or several
SELECT is_empty($$
	SELECT pg_describe_object(classid, member.oid, objsubid), description FROM member
	JOIN pg_description ON classoid = classid AND objoid = member.oid
	WHERE description !~ '^\S.*[.?)]$'
$$, 'every comment ends like a sentence');

-- ----------
-- Tables and views
-- ----------
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class AS c JOIN member ON classid = 'pg_class'::regclass AND member.oid = c.oid
	WHERE relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
$$, 'every view is security_invoker');

SELECT is_empty($$
	SELECT (object).schema, (object).identity
	FROM (SELECT pg_identify_object(classid, oid, 0) AS object FROM member) AS m
	WHERE (object).schema <> 'sharecollab'
$$, 'everything is in the schema sharecollab');

SELECT * FROM finish();
ROLLBACK;
