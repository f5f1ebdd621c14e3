-- 54-closing.sql
--		Closing a billing period: its charges are fixed, invoiced, divided among
--		those who earned them, and sealed.
--		C code: src/closing.c src/digest.c src/split_running.c

CREATE TRIGGER keep_closed BEFORE UPDATE ON billing_period FOR EACH ROW
	WHEN (OLD.closed_at IS NOT NULL OR NEW.pool_id <> OLD.pool_id OR NEW.billing_period_id <> OLD.billing_period_id OR NEW.during <> OLD.during)
	EXECUTE FUNCTION refuse_change();

CREATE FUNCTION charge_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'charge_check' LANGUAGE C SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION charge_check() IS 'Trigger: no charge enters a billing period that is closed; error SC008.';
CREATE TRIGGER closed AFTER INSERT ON charge REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION charge_check();

-- The steps of close_billing_period(), each one pass over the period. The planner
-- is told there that charges may be many, where it matters; those steps that
-- return rows are inlined into its queries (src/closing.c).

CREATE FUNCTION charges_due(pool bigint, billing_period bigint)
	RETURNS TABLE (pool_id bigint, billing_period_id bigint, consumer_id bigint, provider_id bigint, lease_id bigint, rate_id bigint, category text,
		correction boolean, meter text, component text, during tstzrange, quantity numeric, unit text,
		list_unit_price numeric, contracted_unit_price numeric, list_cost numeric, contracted_cost numeric, effective_cost numeric, billed_cost numeric,
		amount numeric, commitment_status text, labels jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- One statement, and so one snapshot: what is recorded later is late, and
	-- corrected by the next period.
	WITH period AS (
		SELECT p.pool_id, p.name, b.billing_period_id, b.during, currency_scale(p.currency) AS scale, p.rounding
		FROM billing_period AS b
		JOIN pool AS p ON p.pool_id = b.pool_id
		WHERE b.pool_id = charges_due.pool AND b.billing_period_id = charges_due.billing_period
	), due AS (
		SELECT d.pool_id, d.billing_period_id, d.scale, d.rounding, false AS correction, r.*
		FROM period AS d, rated(d.name, d.during) AS r
		UNION ALL
		SELECT d.pool_id, d.billing_period_id, d.scale, d.rounding, true, r.*
		FROM period AS d
		JOIN billing_period AS e ON e.pool_id = d.pool_id AND e.closed_at IS NOT NULL AND upper(e.during) <= lower(d.during),
			rating_corrections(d.name, e.during) AS r
	), invoiced AS (
		-- What is sorted by comes first, as it is found fastest there; and any
		-- order will do that is the same every time.
		SELECT d.consumer_id, d.labels::text COLLATE "C" AS label, lower(d.period) AS starts, upper(d.period) AS ends, d.quantity, d.correction, d.meter,
			d.lease_id, d.provider_id, d.component, d.category, d.contracted_unit_price, d.labels,
			d.pool_id, d.billing_period_id, d.rate_id, d.period, d.unit, d.list_unit_price, d.list_cost, d.contracted_cost, d.effective_cost, d.billed_cost,
			d.commitment_status, round_to_total(d.billed_cost, d.scale, d.rounding) OVER invoice AS amount
		FROM due AS d
		WINDOW invoice AS (PARTITION BY d.consumer_id ORDER BY d.labels::text COLLATE "C", lower(d.period), upper(d.period), d.quantity, d.correction,
			d.meter, d.lease_id, d.provider_id, d.component, d.category, d.contracted_unit_price)
	)
	SELECT i.pool_id, i.billing_period_id, i.consumer_id, i.provider_id, i.lease_id, i.rate_id, i.category, i.correction, i.meter, i.component, i.period,
		i.quantity, i.unit, i.list_unit_price, i.contracted_unit_price, i.list_cost, i.contracted_cost, i.effective_cost, i.billed_cost,
		i.amount, i.commitment_status, i.labels
	FROM invoiced AS i;
END;
COMMENT ON FUNCTION charges_due(bigint, bigint) IS
'The charges that close_billing_period() makes: of a billing period, and of closed ones before it the corrections. The total of each consumer is rounded once, as the pool has it (rounding), and divided over its charges by largest remainder.';

CREATE FUNCTION split_running(amount numeric, shares numeric[], scale integer) RETURNS numeric[]
	AS 'MODULE_PATHNAME', 'split_running' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION split_running(numeric, numeric[], integer) IS
'Window function: the amount of each row, in the window''s order, divided among parties by their shares, which sum to 1, with so many decimal places. What is divided by largest remainder is the running total: so each amount divides exactly, and what a party has got so far is always less than one unit from its exact share of all amounts so far, which split() of each amount would not give. One part may so be a unit below 0. A tie goes to the earlier party; NULL, and not divided, if the amount or the shares are. Errors: 22023 if there are other parties than before, their shares do not sum to 1, or an amount has more decimal places, 22003, 22004.';

CREATE FUNCTION close_invoices(pool bigint, billing_period bigint) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH party AS MATERIALIZED (
		SELECT c.consumer_id, c.provider_id
		FROM charge AS c
		WHERE c.pool_id = close_invoices.pool AND c.billing_period_id = close_invoices.billing_period
		GROUP BY c.consumer_id, c.provider_id
	), needed AS (
		SELECT y.consumer_id AS party_id, 'receivable' AS kind FROM party AS y
		UNION
		SELECT y.provider_id, 'payable' FROM party AS y WHERE y.provider_id IS NOT NULL
		UNION
		SELECT s.provider_id, 'payable' FROM supply AS s WHERE s.pool_id = close_invoices.pool
		UNION
		SELECT l.steward_id, k.kind FROM pool AS l, unnest(ARRAY['payable', 'fee', 'contributors']) AS k (kind) WHERE l.pool_id = close_invoices.pool
	)
	INSERT INTO account (party_id, pool_id, kind, currency)
	SELECT n.party_id, l.pool_id, n.kind, l.currency
	FROM needed AS n, pool AS l
	WHERE l.pool_id = close_invoices.pool
	AND NOT EXISTS (SELECT FROM account AS a
		WHERE a.party_id = n.party_id AND a.pool_id = l.pool_id AND a.kind = n.kind AND a.currency = l.currency)
	ORDER BY n.kind, n.party_id;

	INSERT INTO journal (pool_id, kind, source, source_key, occurred_at)
	SELECT b.pool_id, 'invoice', 'close_billing_period', concat_ws('/', b.pool_id, b.billing_period_id, a.party_id),
		upper(b.during) - interval '1 microsecond'
	FROM billing_period AS b
	JOIN account AS a ON a.pool_id = b.pool_id AND a.kind = 'receivable'
	JOIN pool AS l ON l.pool_id = a.pool_id AND l.currency = a.currency,
		-- one of them will do
		LATERAL (SELECT FROM charge AS c
			WHERE c.pool_id = b.pool_id AND c.billing_period_id = b.billing_period_id AND c.consumer_id = a.party_id AND c.amount <> 0 LIMIT 1) AS c
	WHERE b.pool_id = close_invoices.pool AND b.billing_period_id = close_invoices.billing_period
	ORDER BY a.party_id;
END;
COMMENT ON FUNCTION close_invoices(bigint, bigint) IS
'A step of close_billing_period(): opens the accounts that a billing period posts to, and one journal for each consumer who has to pay.';

CREATE FUNCTION divided_charges(pool bigint, billing_period bigint)
	RETURNS TABLE (journal_id bigint, occurred_at timestamptz, recorded_at timestamptz, charge_id bigint, consumer bigint, amount numeric,
		accounts bigint[], amounts numeric[])
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- Who gets what of a charge is rounded on the running totals of an invoice:
	-- each charge divides exactly, and nobody's total is off by a unit, however
	-- many charges there are.
	WITH term AS MATERIALIZED (
		SELECT l.pool_id, currency_scale(l.currency) AS scale, l.fee, l.contributors_share, 1 - l.fee - l.contributors_share AS rest, l.steward_id
		FROM pool AS l
		WHERE l.pool_id = divided_charges.pool
	), account AS MATERIALIZED (
		SELECT a.account_id, a.party_id, a.kind
		FROM account AS a
		JOIN pool AS l ON l.pool_id = a.pool_id AND l.currency = a.currency
		WHERE a.pool_id = divided_charges.pool
	), invoice AS MATERIALIZED (
		SELECT a.party_id AS consumer_id, a.account_id, j.journal_id, j.occurred_at, j.recorded_at
		FROM account AS a
		JOIN journal AS j ON j.pool_id = divided_charges.pool AND j.source = 'close_billing_period'
			AND j.source_key = concat_ws('/', divided_charges.pool, divided_charges.billing_period, a.party_id)
		WHERE a.kind = 'receivable'
	), earned AS (
		-- a charge of one provider, or of a time
		SELECT a.party_id AS provider_id, NULL::tstzrange AS during, - a.party_id AS cohort, a.account_id, 1::numeric AS share
		FROM account AS a
		WHERE a.kind = 'payable'
		UNION ALL
		SELECT NULL, e.during, e.cohort, a.account_id, e.share
		FROM earned_shares(divided_charges.pool, ARRAY(SELECT DISTINCT c.during FROM charge AS c WHERE c.pool_id = divided_charges.pool
			AND c.billing_period_id = divided_charges.billing_period AND c.provider_id IS NULL)) AS e
		JOIN account AS a ON a.party_id = e.provider_id AND a.kind = 'payable'
	), payee AS MATERIALIZED (
		SELECT p.provider_id, p.during, p.cohort, array_agg(p.account_id ORDER BY p.account_id) AS accounts, array_agg(p.share ORDER BY p.account_id) AS shares
		FROM (
			SELECT e.provider_id, e.during, e.cohort, e.account_id, t.rest * e.share AS share
			FROM term AS t, earned AS e
			UNION ALL
			SELECT e.provider_id, e.during, e.cohort, a.account_id, CASE a.kind WHEN 'fee' THEN t.fee ELSE t.contributors_share END
			FROM term AS t
			JOIN account AS a ON a.party_id = t.steward_id AND a.kind IN ('fee', 'contributors'),
				(SELECT DISTINCT e.provider_id, e.during, e.cohort FROM earned AS e) AS e
		) AS p
		WHERE p.share > 0
		GROUP BY p.provider_id, p.during, p.cohort
	), divided AS (
		SELECT i.journal_id, i.account_id, i.occurred_at, i.recorded_at, c.charge_id, c.amount,
			coalesce(p.cohort, s.cohort) AS cohort, coalesce(p.accounts, s.accounts) AS accounts,
			split_running(c.amount, coalesce(p.shares, s.shares), t.scale) OVER (
				PARTITION BY i.journal_id, coalesce(p.cohort, s.cohort) ORDER BY c.charge_id) AS amounts
		FROM term AS t, (
			SELECT c.charge_id, c.consumer_id, c.provider_id, CASE WHEN c.provider_id IS NULL THEN c.during END AS during, c.amount
			FROM charge AS c
			WHERE c.pool_id = divided_charges.pool AND c.billing_period_id = divided_charges.billing_period AND c.amount <> 0
		) AS c
		JOIN invoice AS i ON i.consumer_id = c.consumer_id
		LEFT JOIN payee AS p ON p.provider_id = c.provider_id
		LEFT JOIN payee AS s ON s.during = c.during
	)
	SELECT d.journal_id, d.occurred_at, d.recorded_at, d.charge_id, d.account_id, d.amount, d.accounts, d.amounts
	FROM divided AS d
	ORDER BY d.journal_id, d.cohort, d.charge_id;
END;
COMMENT ON FUNCTION divided_charges(bigint, bigint) IS
'What close_billing_period() posts: for each charge of the billing period, in the order of its journal, what the consumer''s account owes, and what of it the accounts of providers, steward and contributors get. Each charge divides exactly; and of the total of an invoice everybody gets the exact share rounded up or down.';

CREATE FUNCTION contribution_weights(project text, before timestamptz, weights jsonb DEFAULT '{"commit": 1}', half_life interval DEFAULT NULL,
	known_at timestamptz DEFAULT 'infinity')
	RETURNS TABLE (party_id bigint, weight numeric) LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT c.party_id, sum(w.weight * CASE WHEN contribution_weights.half_life IS NULL THEN 1
		ELSE round(power(0.5, extract(epoch FROM contribution_weights.before - c.at) / extract(epoch FROM contribution_weights.half_life)), 12) END)
	FROM contributions(contribution_weights.project, known_at => contribution_weights.known_at) AS c,
		LATERAL (SELECT coalesce(contribution_weights.weights ->> (c.kind || '/' || c.role),
			CASE c.role WHEN 'author' THEN contribution_weights.weights ->> c.kind END)::numeric AS weight) AS w
	WHERE c.at < contribution_weights.before AND w.weight > 0
	GROUP BY c.party_id;
END;
COMMENT ON FUNCTION contribution_weights(text, timestamptz, jsonb, interval, timestamptz) IS
'What everybody contributed to a project before an instant, as one number: each contribution counts what "weights" says for its kind ("review": 2; in another role than author for kind and role, "commit/committer": 0.5; 0 for what it does not name), and half of that for each half-life of its age, to 12 decimal places. In the row without party: what is of identities that nobody is linked to. Error: 42704 unknown project.';

CREATE FUNCTION close_contributors(pool bigint, billing_period bigint, weights jsonb, half_life interval) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO account (party_id, pool_id, kind, currency)
	SELECT w.party_id, l.pool_id, 'contributors', l.currency
	FROM pool AS l
	JOIN project AS r ON r.project_id = l.project_id
	JOIN billing_period AS b ON b.pool_id = l.pool_id AND b.billing_period_id = close_contributors.billing_period,
		contribution_weights(r.name, upper(b.during), close_contributors.weights, close_contributors.half_life) AS w
	WHERE l.pool_id = close_contributors.pool AND l.contributors_share > 0 AND w.party_id IS NOT NULL AND w.weight > 0
	AND NOT EXISTS (SELECT FROM account AS a
		WHERE a.party_id = w.party_id AND a.pool_id = l.pool_id AND a.kind = 'contributors' AND a.currency = l.currency)
	ORDER BY w.party_id;

	WITH period AS (
		SELECT l.pool_id, l.currency, l.steward_id, currency_scale(l.currency) AS scale, r.name AS project, b.billing_period_id, b.during, a.account_id
		FROM pool AS l
		JOIN project AS r ON r.project_id = l.project_id
		JOIN billing_period AS b ON b.pool_id = l.pool_id AND b.billing_period_id = close_contributors.billing_period
		JOIN account AS a ON a.pool_id = l.pool_id AND a.party_id = l.steward_id AND a.kind = 'contributors' AND a.currency = l.currency
		WHERE l.pool_id = close_contributors.pool
	), pot AS (
		SELECT d.account_id, - sum(p.amount) AS amount
		FROM period AS d
		JOIN journal AS j ON j.pool_id = d.pool_id AND j.kind = 'invoice'
			AND j.source = 'close_billing_period' AND j.source_key LIKE concat_ws('/', d.pool_id, d.billing_period_id, '%')
		JOIN posting AS p ON p.journal_id = j.journal_id AND p.account_id = d.account_id
		GROUP BY d.account_id
	), divided AS (
		SELECT w.party_id, split(pot.amount, w.weight, d.scale) OVER (ORDER BY w.party_id NULLS LAST) AS amount
		FROM period AS d
		JOIN pot ON pot.account_id = d.account_id,
			contribution_weights(d.project, upper(d.during), close_contributors.weights, close_contributors.half_life) AS w
		WHERE w.weight > 0
	), given AS MATERIALIZED (
		SELECT v.party_id, v.amount
		FROM divided AS v, period AS d
		WHERE v.party_id <> d.steward_id AND v.amount <> 0
	), journal AS (
		INSERT INTO journal (pool_id, kind, source, source_key, occurred_at)
		SELECT d.pool_id, 'distribution', 'close_billing_period', concat_ws('/', d.pool_id, d.billing_period_id), upper(d.during) - interval '1 microsecond'
		FROM period AS d
		WHERE EXISTS (SELECT FROM given)
		RETURNING journal_id, occurred_at, recorded_at
	), leg AS (
		SELECT d.account_id, (SELECT sum(g.amount) FROM given AS g) AS amount, 1 AS side
		FROM period AS d
		UNION ALL
		SELECT a.account_id, - g.amount, 2
		FROM given AS g
		JOIN period AS d ON true
		JOIN account AS a ON a.pool_id = d.pool_id AND a.party_id = g.party_id AND a.kind = 'contributors' AND a.currency = d.currency
	)
	INSERT INTO posting (journal_id, line, account_id, occurred_at, recorded_at, amount)
	SELECT j.journal_id, row_number() OVER (ORDER BY g.side, g.account_id), g.account_id, j.occurred_at, j.recorded_at, g.amount
	FROM journal AS j, leg AS g;
END;
COMMENT ON FUNCTION close_contributors(bigint, bigint, jsonb, interval) IS
'A step of close_billing_period(): divides the contributors'' share of a billing period among them, by contribution_weights() up to its end and largest remainder. What is of nobody known stays with the steward, in its account of kind contributors.';

CREATE FUNCTION close_balances(pool bigint, billing_period bigint) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO account_balance (account_id, at, balance)
	SELECT a.account_id, upper(b.during), balance(a.account_id, upper(b.during))
	FROM account AS a
	JOIN billing_period AS b ON b.pool_id = a.pool_id
	WHERE b.pool_id = close_balances.pool AND b.billing_period_id = close_balances.billing_period;
END;
COMMENT ON FUNCTION close_balances(bigint, bigint) IS 'A step of close_billing_period(): keeps the balances of the pool''s accounts at the end of the billing period.';

CREATE FUNCTION rows_sha256_transition(internal, VARIADIC "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'rows_sha256_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rows_sha256_transition(internal, "any") IS 'Implements rows_sha256.';
CREATE FUNCTION rows_sha256_final(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rows_sha256_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rows_sha256_final(internal) IS 'Implements rows_sha256.';

CREATE AGGREGATE rows_sha256(VARIADIC columns "any") (
	SFUNC = rows_sha256_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = rows_sha256_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rows_sha256("any") IS
'SHA-256 of rows, in the order that they come in: of each value in turn its length in bytes (4 bytes in network order; -1 for null) and what it is in the binary format of COPY, but text and jsonb as UTF-8 text. Whenever, after a row, there are 65536 bytes or more, they are replaced by their SHA-256. So it is the same whatever the settings, platform and encoding. NULL of no rows.';

CREATE FUNCTION billing_period_digest(pool bigint, billing_period bigint) RETURNS bytea
	LANGUAGE sql STABLE PARALLEL SAFE SET enable_nestloop = off SET enable_sort = off SET jit = off
BEGIN ATOMIC
	-- What is in order by an index comes so, and need not be sorted.
	WITH period AS (
		SELECT b.pool_id, b.billing_period_id, b.during
		FROM billing_period AS b
		WHERE b.pool_id = billing_period_digest.pool AND b.billing_period_id = billing_period_digest.billing_period
	), posted AS MATERIALIZED (
		-- in order, so that their postings nearly are
		SELECT j.journal_id
		FROM (
			SELECT DISTINCT p.journal_id
			FROM period AS d
			JOIN account AS a ON a.pool_id = d.pool_id,
				-- account by account, by the index, and not all that was ever posted
				LATERAL (SELECT p.* FROM posting AS p
					WHERE p.account_id = a.account_id AND p.occurred_at >= lower(d.during) AND p.occurred_at < upper(d.during) OFFSET 0) AS p
			OFFSET 0
		) AS j
		ORDER BY j.journal_id
	)
	SELECT sha256(
		coalesce((SELECT b.digest FROM billing_period AS b
			WHERE b.pool_id = d.pool_id AND b.closed_at IS NOT NULL AND upper(b.during) <= lower(d.during)
			ORDER BY upper(b.during) DESC LIMIT 1), '')
		|| (SELECT rows_sha256(b.pool_id, b.billing_period_id, lower(b.during), upper(b.during)) FROM period AS b)
		|| coalesce((
			SELECT rows_sha256(c.charge_id, c.consumer_id, c.provider_id, c.lease_id, c.rate_id, c.category, c.correction, c.meter, c.component, c.during,
				c.quantity, c.unit, c.list_unit_price, c.contracted_unit_price, c.list_cost, c.contracted_cost, c.effective_cost, c.billed_cost, c.amount,
				c.commitment_status, c.labels, c.recorded_at)
			FROM (
				SELECT c.*
				-- grouped, lest they be looked for from the first and the last charge of the pool
				FROM (SELECT min(c.charge_id) AS first, max(c.charge_id) AS last FROM charge AS c
					WHERE c.pool_id = d.pool_id AND c.billing_period_id = d.billing_period_id GROUP BY c.billing_period_id) AS b,
					LATERAL (SELECT c.* FROM charge AS c
						WHERE c.pool_id = d.pool_id AND c.charge_id BETWEEN b.first AND b.last
						ORDER BY c.pool_id, c.charge_id OFFSET 0) AS c
				WHERE c.billing_period_id = d.billing_period_id
			) AS c), '')
		|| coalesce((
			SELECT rows_sha256(j.journal_id, j.pool_id, j.kind, j.source, j.source_key, j.occurred_at, j.recorded_at, j.recorded_by, j.description, j.reverses
				ORDER BY j.journal_id)
			FROM journal AS j
			WHERE j.journal_id IN (SELECT p.journal_id FROM posted AS p)), '')
		|| coalesce((
			SELECT rows_sha256(p.journal_id, p.line, p.account_id, p.party_id, p.kind, p.currency, p.occurred_at, p.recorded_at, p.amount, p.charge_id)
			FROM (
				SELECT p.*, a.party_id, a.kind, a.currency
				FROM posted AS j,
					LATERAL (SELECT p.* FROM posting AS p WHERE p.journal_id = j.journal_id OFFSET 0) AS p
				JOIN account AS a ON a.account_id = p.account_id
				WHERE a.pool_id = d.pool_id AND p.occurred_at >= lower(d.during) AND p.occurred_at < upper(d.during)
				ORDER BY j.journal_id, p.line
			) AS p), ''))
	FROM period AS d;
END;
COMMENT ON FUNCTION billing_period_digest(bigint, bigint) IS
'SHA-256 of, one after the other: the digest of the pool''s closed billing period before; rows_sha256() of the period itself (pool_id, billing_period_id, lower(during), upper(during)); of its charges in the order of charge_id (all columns of charge but pool_id and billing_period_id, as they follow in the table); of the journals that posted to accounts of the pool in it, in the order of journal_id (journal_id, pool_id, kind, source, source_key, occurred_at, recorded_at, recorded_by, description, reverses); and of these postings in the order of journal_id and line (journal_id, line, account_id, the account''s party_id, kind and currency, occurred_at, recorded_at, amount, charge_id). What there is none of is left out. Equal for equal facts, whatever settings and server.';

CREATE FUNCTION billing_period_differences(pool bigint, billing_period bigint) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE SET enable_nestloop = off SET jit = off
BEGIN ATOMIC
	SELECT format('invoice of "%s": charges sum to %s, billed is %s', p.name, i.amount, i.billed)
	FROM (
		SELECT c.consumer_id, sum(c.amount) AS amount, sum(c.billed_cost) AS billed
		FROM charge AS c
		WHERE c.pool_id = billing_period_differences.pool AND c.billing_period_id = billing_period_differences.billing_period
		GROUP BY c.consumer_id
	) AS i
	JOIN party AS p ON p.party_id = i.consumer_id
	JOIN pool AS l ON l.pool_id = billing_period_differences.pool
	WHERE i.amount <> money_round(i.billed, l.currency, l.rounding)
	UNION ALL
	SELECT format('charge %s: its amount is %s, what is posted is %s to its consumer and %s to others', c.charge_id, c.amount, coalesce(p.debit, 0), coalesce(p.credit, 0))
	FROM charge AS c
	LEFT JOIN (
		SELECT g.charge_id, sum(g.amount) FILTER (WHERE a.kind = 'receivable') AS debit, sum(g.amount) FILTER (WHERE a.kind <> 'receivable') AS credit
		FROM journal AS j,
			-- journal by journal, by the index, and not all that was ever posted
			LATERAL (SELECT p.* FROM posting AS p WHERE p.journal_id = j.journal_id OFFSET 0) AS g
		JOIN account AS a ON a.account_id = g.account_id
		WHERE a.pool_id = billing_period_differences.pool AND j.pool_id = a.pool_id AND j.kind = 'invoice' AND j.source = 'close_billing_period'
		AND j.source_key LIKE concat_ws('/', billing_period_differences.pool, billing_period_differences.billing_period, '%')
		GROUP BY g.charge_id
	) AS p ON p.charge_id = c.charge_id
	WHERE c.pool_id = billing_period_differences.pool AND c.billing_period_id = billing_period_differences.billing_period
	AND (c.amount <> coalesce(p.debit, 0) OR c.amount <> - coalesce(p.credit, 0));
END;
COMMENT ON FUNCTION billing_period_differences(bigint, bigint) IS
'What is wrong with the charges of a billing period, in words: amounts that do not sum to the rounded total of the consumer, charges that are not posted exactly; no rows if nothing is.';

CREATE FUNCTION close_billing_period(pool text, during tstzrange, weights jsonb DEFAULT '{"commit": 1}', half_life interval DEFAULT NULL)
	RETURNS bytea AS 'MODULE_PATHNAME', 'billing_period_close' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION close_billing_period(text, tstzrange, jsonb, interval) IS
'Closes a billing period of a pool for good, and returns its digest: makes its charges and the corrections of closed ones before it (rated(), rating_corrections()), an invoice for each consumer, whose every charge divides among providers, steward and contributors, divides the contributors'' share by contribution_weights(), keeps the balances, checks it all, and seals it. From then on nothing that occurred in the period can be posted. All or nothing; of a period that is closed, only returns the digest. It sorts and hashes in maintenance_work_mem, where that is more than work_mem. For stewards of the pool. Errors: 42501 the caller is none, 42704 unknown pool, or one whose project the caller may not know of, 55000 if the period has not ended, an earlier one is open, a later one closed, it does not begin where the last closed one ended, or it is the first and there is usage before it (that is recorded later is a warning: it is not billed; nor is what was leased before), 23P01 if it overlaps another, 22023 unbounded period, 40001 above READ COMMITTED if others posted meanwhile, 22003 an amount is too large (the detail says what may be the cause), XX001 if a check fails.';

-- not inlined, so that only who reads usage_key needs to be allowed to
CREATE FUNCTION usage_differences() RETURNS TABLE (usage_id bigint, difference text)
	LANGUAGE sql STABLE PARALLEL SAFE SET enable_nestloop = off SET jit = off
BEGIN ATOMIC
	SELECT u.usage_id, format('usage %s: it is not what was recorded as "%s" of "%s"', u.usage_id, u.source_key, u.source)
	FROM usage AS u
	LEFT JOIN usage_key AS k ON k.source = u.source AND k.source_key = u.source_key
	WHERE k.usage_id IS DISTINCT FROM u.usage_id OR (k.at, k.recorded_at, k.recorded_by) <> (u.at, u.recorded_at, u.recorded_by)
	OR k.digest <> usage_digest(u.pool_id, u.consumer_id, u.provider_id, u.lease_id, u.meter, u.quantity, u.during, u.labels)
	UNION ALL
	-- but for the months of drop_usage()
	SELECT k.usage_id, format('usage %s: what was recorded as "%s" of "%s" is missing', k.usage_id, k.source_key, k.source)
	FROM usage_key AS k
	WHERE NOT EXISTS (SELECT FROM usage AS u WHERE u.source = k.source AND u.source_key = k.source_key)
	AND NOT (SELECT dropped_usage()) @> k.at;
END;
COMMENT ON FUNCTION usage_differences() IS
'Usage that is not what was recorded, by usage_key, and what is missing, but for the months of drop_usage(); no rows if nothing is wrong.';

CREATE FUNCTION verify_books(pool text DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH chosen AS (
		SELECT l.pool_id, l.name
		FROM pool AS l
		WHERE CASE WHEN verify_books.pool IS NULL THEN is_operator() ELSE l.pool_id = require_pool(verify_books.pool, 'steward', 'auditor') END
	), difference AS (
		-- an error for others, also where there is nothing that they see
		SELECT 0 AS rank, 0::bigint AS key, NULL::text AS difference
		WHERE verify_books.pool IS NOT NULL AND require_pool(verify_books.pool, 'steward', 'auditor') IS NULL
		UNION ALL
		-- the ledger as a whole, which only the operator sees
		SELECT 1 AS rank, p.journal_id AS key, format('journal %s: its postings in %s sum to %s', p.journal_id, a.currency, sum(p.amount)) AS difference
		FROM posting AS p
		JOIN account AS a ON a.account_id = p.account_id
		WHERE is_operator()
		GROUP BY p.journal_id, a.currency
		HAVING sum(p.amount) <> 0
		UNION ALL
		SELECT 2, j.journal_id, format('journal %s: it has %s lines, numbered up to %s', j.journal_id, count(p.line), coalesce(max(p.line), 0))
		FROM journal AS j
		LEFT JOIN posting AS p ON p.journal_id = j.journal_id
		WHERE is_operator()
		GROUP BY j.journal_id
		HAVING count(p.line) <> coalesce(max(p.line), 0) OR count(p.line) = 0
		UNION ALL
		SELECT 3, p.journal_id, format('journal %s, line %s: its account or journal is missing, or the times are others', p.journal_id, p.line)
		FROM posting AS p
		LEFT JOIN journal AS j ON j.journal_id = p.journal_id
		LEFT JOIN account AS a ON a.account_id = p.account_id
		WHERE is_operator() AND (j.journal_id IS NULL OR a.account_id IS NULL OR p.occurred_at <> j.occurred_at OR p.recorded_at <> j.recorded_at)
		UNION ALL
		SELECT 4, r.journal_id, format('journal %s: it does not take back journal %s', r.journal_id, r.reverses)
		FROM journal AS r
		WHERE is_operator() AND r.reverses IS NOT NULL AND EXISTS (
			SELECT
			FROM (SELECT p.line, p.account_id, p.amount FROM posting AS p WHERE p.journal_id = r.journal_id) AS p
			FULL JOIN (SELECT p.line, p.account_id, - p.amount AS amount FROM posting AS p WHERE p.journal_id = r.reverses) AS o ON o.line = p.line
			WHERE (p.account_id, p.amount) IS DISTINCT FROM (o.account_id, o.amount))
		UNION ALL
		SELECT 5, a.account_id, format('account %s: its balance is %s, its postings sum to %s', a.account_id, a.balance, s.balance)
		FROM account AS a, LATERAL (SELECT coalesce(sum(p.amount), 0) AS balance FROM posting AS p WHERE p.account_id = a.account_id) AS s
		WHERE is_operator() AND a.balance <> s.balance
		UNION ALL
		SELECT 5, 0, NULL
		WHERE is_operator() AND report_progress(false, 'the ledger as a whole is verified')
		-- period by period
		UNION ALL
		SELECT 6, b.billing_period_id, format('billing period %s of pool "%s": %s', b.during, l.name, d.difference)
		FROM chosen AS l
		JOIN billing_period AS b ON b.pool_id = l.pool_id AND b.closed_at IS NOT NULL,
			billing_period_differences(b.pool_id,
				report_progress(b.billing_period_id, format('charges of billing period %s of pool "%s" come next', b.during, l.name))) AS d (difference)
		UNION ALL
		SELECT 7, c.charge_id, format('charge %s of pool "%s": its billing period is not closed', c.charge_id, l.name)
		FROM chosen AS l
		JOIN charge AS c ON c.pool_id = l.pool_id
		LEFT JOIN billing_period AS b ON b.pool_id = c.pool_id AND b.billing_period_id = c.billing_period_id
		WHERE b.closed_at IS NULL
		UNION ALL
		SELECT 7, c.charge_id, format('charge %s of pool "%s": its rate is missing, or of something else', c.charge_id, l.name)
		FROM chosen AS l
		JOIN charge AS c ON c.pool_id = l.pool_id AND c.rate_id IS NOT NULL
		LEFT JOIN rate AS r ON r.pool_id = c.pool_id AND r.rate_id = c.rate_id AND r.meter = c.meter AND coalesce(r.party_id = c.consumer_id, true)
		WHERE r.rate_id IS NULL
		UNION ALL
		SELECT 8, s.account_id, CASE WHEN s.balance <> s.before + p.amount
			THEN format('account %s: its balance at %s is kept as %s, but %s would be right', s.account_id, s.at, s.balance, s.before + p.amount)
			ELSE format('account %s: its balance at %s is kept as if known before what it sums', s.account_id, s.at) END
		FROM chosen AS l
		JOIN account AS a ON a.pool_id = l.pool_id,
			LATERAL (SELECT b.account_id, b.at, b.balance, b.recorded_at, lag(b.at, 1, '-infinity') OVER upto AS since, lag(b.balance, 1, 0::numeric) OVER upto AS before
				FROM account_balance AS b WHERE b.account_id = a.account_id WINDOW upto AS (ORDER BY b.at)) AS s,
			LATERAL (SELECT coalesce(sum(p.amount), 0) AS amount, max(p.recorded_at) AS recorded_at FROM posting AS p
				WHERE p.account_id = s.account_id AND p.occurred_at >= s.since AND p.occurred_at < s.at) AS p
		WHERE s.balance <> s.before + p.amount OR s.recorded_at < p.recorded_at
		UNION ALL
		SELECT 8, a.account_id, format('account %s: its balance at %s is not kept', a.account_id, upper(b.during))
		FROM chosen AS l
		JOIN account AS a ON a.pool_id = l.pool_id
		JOIN billing_period AS b ON b.pool_id = l.pool_id AND b.closed_at IS NOT NULL
		WHERE EXISTS (SELECT FROM posting AS p WHERE p.account_id = a.account_id AND p.occurred_at < upper(b.during))
		AND NOT EXISTS (SELECT FROM account_balance AS s WHERE s.account_id = a.account_id AND s.at = upper(b.during))
		UNION ALL
		SELECT 8, s.account_id, format('account %s: no billing period was closed that kept its balance at %s', s.account_id, s.at)
		FROM account_balance AS s
		LEFT JOIN account AS a ON a.account_id = s.account_id
		WHERE CASE WHEN a.pool_id IS NULL THEN verify_books.pool IS NULL AND is_operator() ELSE a.pool_id IN (SELECT l.pool_id FROM chosen AS l) END
		AND NOT EXISTS (SELECT FROM billing_period AS b WHERE b.pool_id = a.pool_id AND upper(b.during) = s.at AND b.closed_at >= s.recorded_at)
		UNION ALL
		SELECT 9, b.billing_period_id, format('billing period %s of pool "%s": its digest is %s, that of its facts %s', b.during, l.name,
			encode(b.digest, 'hex'), encode(billing_period_digest(b.pool_id, b.billing_period_id), 'hex'))
		FROM chosen AS l
		JOIN billing_period AS b ON b.pool_id = l.pool_id AND b.closed_at IS NOT NULL
		WHERE b.digest IS DISTINCT FROM report_progress(billing_period_digest(b.pool_id, b.billing_period_id),
			format('billing period %s of pool "%s" is verified', b.during, l.name))
		UNION ALL
		SELECT 10, u.usage_id, u.difference
		FROM usage_differences() AS u
		WHERE verify_books.pool IS NULL AND is_operator()
	)
	SELECT d.difference
	FROM difference AS d
	ORDER BY d.rank, d.key, d.difference
	LIMIT 1;
END;
COMMENT ON FUNCTION verify_books(text) IS
'Recomputes all books, or of one pool those of its closed billing periods: journals that balance, are complete and have their accounts; reversals that are the negative of what they reverse; balances that are kept, for each account and period; charges that sum to their invoices, are posted exactly and have their rates; the chain of digests; and, of all books, whether usage is what was recorded, and all of it but what drop_usage() removed. What rates and exchange rates say is not sealed, only what was charged and posted by them. NULL if all is well; else the first difference, in words, whoever made it. A pool''s steward and auditors may verify its periods, the operator all. Errors: 42704 unknown pool, 42501 for others.';

CREATE FUNCTION statement(party text, during tstzrange, pool text DEFAULT NULL, tree boolean DEFAULT false)
	RETURNS TABLE (pool text, party text, account text, currency text, at timestamptz, what text, journal_id bigint, lease_id bigint, meter text,
		amount numeric, balance numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE member AS (
		SELECT party_id(statement.party) AS party_id
		UNION
		SELECT p.party_id
		FROM member AS m
		JOIN party AS p ON p.parent_id = m.party_id
		WHERE statement.tree
	), mine AS MATERIALIZED (
		SELECT a.account_id, a.pool_id, l.name AS pool, y.name AS party, a.kind, a.currency
		FROM member AS m
		JOIN party AS y ON y.party_id = m.party_id
		JOIN account AS a ON a.party_id = m.party_id
		LEFT JOIN pool AS l ON l.pool_id = a.pool_id
		WHERE statement.pool IS NULL OR a.pool_id = pool_id(statement.pool)
	), line AS (
		SELECT a.account_id, 1 AS rank, lower(statement.during) AS at, 'opening balance' AS what, NULL::bigint AS journal_id, NULL::integer AS line,
			NULL::bigint AS charge_id, balance(a.account_id, lower(statement.during)) AS amount
		FROM mine AS a
		UNION ALL
		SELECT p.account_id, 2, p.occurred_at, j.kind, p.journal_id, p.line, p.charge_id, p.amount
		FROM mine AS a
		JOIN posting AS p ON p.account_id = a.account_id AND p.occurred_at >= lower(statement.during) AND p.occurred_at < upper(statement.during)
		JOIN journal AS j ON j.journal_id = p.journal_id
		UNION ALL
		SELECT a.account_id, 3, upper(statement.during), 'closing balance', NULL, NULL, NULL, 0
		FROM mine AS a
	)
	SELECT a.pool, a.party, a.kind, a.currency, l.at, l.what, l.journal_id, c.lease_id, c.meter, CASE l.rank WHEN 2 THEN l.amount END,
		sum(l.amount) OVER (PARTITION BY l.account_id ORDER BY l.rank, l.at, l.journal_id, l.line ROWS UNBOUNDED PRECEDING)
	FROM line AS l
	JOIN mine AS a ON a.account_id = l.account_id
	LEFT JOIN charge AS c ON c.pool_id = a.pool_id AND c.charge_id = l.charge_id
	-- errors also where there is nothing to be seen
	WHERE party_id(statement.party) IS NOT NULL AND require_bounded(statement.during) IS NOT NULL
	ORDER BY a.pool NULLS FIRST, a.party, a.kind, a.currency, l.rank, l.at, l.journal_id, l.line;
END;
COMMENT ON FUNCTION statement(text, tstzrange, text, boolean) IS
'The accounts of a party (and with "tree" of all parties below it), or of those in one pool, during a bounded period: opening balance, every posting with the lease and meter it is for, and closing balance. What the party owes is positive, what it has earned negative. Reads what was posted since a billing period was closed, not the history. Errors: 42704 unknown party or pool, 22023 unbounded period, 22004.';

CREATE FUNCTION net_settlement(pool text, mode text DEFAULT 'bilateral', source text DEFAULT NULL, source_key text DEFAULT NULL, occurred_at timestamptz DEFAULT NULL)
	RETURNS TABLE (payer text, payee text, amount numeric, currency text, journal_id bigint) LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	-- two settlements at once settle once
	UPDATE account SET floor = account.floor
	WHERE account.pool_id = require_books(net_settlement.pool) AND account.kind IN ('receivable', 'payable', 'fee', 'contributors');
	WITH account AS MATERIALIZED (
		SELECT a.account_id, p.party_id, p.name, balance(a.account_id) AS balance
		FROM account AS a
		JOIN pool AS l ON l.pool_id = a.pool_id AND l.currency = a.currency
		JOIN party AS p ON p.party_id = a.party_id
		WHERE a.pool_id = require_books(net_settlement.pool) AND a.kind IN ('receivable', 'payable', 'fee', 'contributors')
	), steward AS (
		SELECT p.name, p.party_id, l.currency
		FROM pool AS l
		JOIN party AS p ON p.party_id = l.steward_id
		WHERE l.pool_id = require_books(net_settlement.pool)
	), net AS MATERIALIZED (
		SELECT a.name, - sum(a.balance) AS amount
		FROM account AS a, steward AS s
		WHERE a.party_id <> s.party_id
		GROUP BY a.name
		HAVING sum(a.balance) <> 0
	), transfer AS (
		SELECT CASE WHEN n.amount < 0 THEN n.name ELSE s.name END AS payer, CASE WHEN n.amount < 0 THEN s.name ELSE n.name END AS payee, abs(n.amount) AS amount
		FROM net AS n, steward AS s
		WHERE net_settlement.mode = 'bilateral'
		UNION ALL
		-- the steward stands for what is not there: money that it keeps
		SELECT t.payer, t.payee, t.amount
		FROM (
			SELECT tally(b.name, b.amount) AS balances
			FROM (
				SELECT n.name, n.amount FROM net AS n
				UNION ALL
				SELECT s.name, - (SELECT sum(n.amount) FROM net AS n) FROM steward AS s
			) AS b
			WHERE net_settlement.mode <> 'bilateral'
		) AS b, net_transfers(b.balances, net_settlement.mode) AS t
		WHERE net_settlement.mode <> 'bilateral'
	), posted AS MATERIALIZED (
		SELECT post_journal('settlement', array_agg(a.account_id ORDER BY a.account_id) || open_account(s.name, 'cash', s.currency, net_settlement.pool),
			array_agg(- a.balance ORDER BY a.account_id) || sum(a.balance), net_settlement.pool,
			net_settlement.source, net_settlement.source_key, net_settlement.occurred_at) AS journal_id, s.currency
		FROM account AS a, steward AS s
		WHERE a.balance <> 0
		GROUP BY s.name, s.currency
	)
	SELECT t.payer, t.payee, t.amount, p.currency, p.journal_id
	FROM posted AS p
	LEFT JOIN transfer AS t ON true
	ORDER BY t.payer, t.payee;
END;
COMMENT ON FUNCTION net_settlement(text, text, text, text, timestamptz) IS
'Settles all that is owed in a pool, in its currency: what each party owes and has earned there is set off against each other in one journal, after which its accounts are at zero, and the rows are the payments that are left, at most one less than there are parties. Mode bilateral: each with the steward, who is everybody''s counterparty; greedy or exact: among all, see net_transfers(). Money that the steward keeps (cash, deposits) is the steward''s to pay. No rows if nothing is owed. For stewards of the pool. Errors: 42501 the caller is none, 42704 unknown pool, 22023 another mode, as post_journal(); 40001 above READ COMMITTED if another settlement was at the same time.';
