-- 70-pages.sql
--		What people look at: pictures, and pages for a browser.
--		C code: src/svg.c

CREATE FUNCTION html_escape(text text) RETURNS text
	AS 'MODULE_PATHNAME', 'html_escape' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION html_escape(text) IS
'A text as content of HTML, SVG or XML, also within quotes: & < > " and '' as references; control characters, which these cannot express, as the replacement character.';

CREATE FUNCTION svg(profiles profile[], names text[], during tstzrange, title text DEFAULT '', unit text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720, height integer DEFAULT 180)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_profiles' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION svg(profile[], text[], tstzrange, text, text, text, integer, integer) IS
'A picture of up to 12 profiles during a bounded period, as SVG: exact step lines, the first with its area; round values on an axis that has 0, hours, days or months of the time zone on the other; a legend of the names. The width is that of the picture, the height that of the plot, in pixels. Where there are more steps than pixels, each column of pixels shows all from the least to the greatest value. It is self-contained, follows the reader''s colour scheme, and describes itself to those who do not see it. NULL for an empty period. Errors: 22023 for an unbounded period, no or more than 12 profiles, a width outside 240 to 4000 or a height outside 40 to 4000, an unknown time zone; 22004 for a null profile.';

CREATE FUNCTION svg(profile profile, during tstzrange, title text DEFAULT '', unit text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720, height integer DEFAULT 180)
	RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT svg(ARRAY[profile], '{}', during, title, unit, time_zone, width, height);
END;
COMMENT ON FUNCTION svg(profile, tstzrange, text, text, text, integer, integer) IS
'A picture of one profile, as SVG: see svg(profile[], ...).';

CREATE FUNCTION svg(tally tally, title text DEFAULT '', unit text DEFAULT '', bars integer DEFAULT 12, width integer DEFAULT 720)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_tally' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION svg(tally, text, text, integer, integer) IS
'A picture of a tally, as SVG: a bar for each of so many parties, the largest first, with its quantity and, if none is negative, its share of the total, rounded to a tenth of a percent; one more bar for all others together. Errors 22023: number of bars outside 1 to 1000, width (in pixels) outside 240 to 4000.';

CREATE FUNCTION gantt(names text[], periods tstzrange[], labels text[], during tstzrange, title text DEFAULT '',
	time_zone text DEFAULT 'UTC', width integer DEFAULT 720)
	RETURNS text
	AS 'MODULE_PATHNAME', 'svg_gantt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION gantt(text[], tstzrange[], text[], tstzrange, text, text, integer) IS
'A Gantt chart, as SVG: a bar for each period, where it is within a bounded time; those of the same name, if they stand together, in one row, of as many lanes as it takes. The label is in the bar if it fits, and in its tooltip always. NULL for an empty time. Errors: 22023 for an unbounded time or a width (in pixels) outside 240 to 4000, 2202E if the arrays differ in length, 22004 for nulls in them.';

CREATE FUNCTION lease_gantt(pool text, during tstzrange, leases integer DEFAULT 60, width integer DEFAULT 720)
	RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pool_id(lease_gantt.pool);	-- first, whatever the plan
	WITH held AS MATERIALIZED (
		SELECT c.name AS consumer, l.effective, l.lease_id, '#' || l.lease_id || ' ' || trim_scale(l.quantity) || ' ' || p.unit AS label,
			integral(profile(l.effective, l.quantity), lease_gantt.during, '1 second') AS unit_seconds
		FROM lease AS l
		JOIN pool AS p ON p.pool_id = l.pool_id
		JOIN party AS c ON c.party_id = l.consumer_id
		WHERE l.pool_id = pool_id(lease_gantt.pool) AND l.effective && lease_gantt.during
	), largest AS (
		SELECT h.consumer, h.effective, h.lease_id, h.label
		FROM held AS h
		ORDER BY h.unit_seconds DESC, h.lease_id
		LIMIT lease_gantt.leases
	), shown AS (
		SELECT coalesce(array_agg(s.consumer ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS names,
			coalesce(array_agg(s.effective ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS periods,
			coalesce(array_agg(s.label ORDER BY s.consumer, s.effective, s.lease_id), '{}') AS labels,
			count(*) AS leases, (SELECT count(*) FROM held) AS of
		FROM largest AS s
	)
	SELECT gantt(s.names, s.periods, s.labels, lease_gantt.during,
		CASE WHEN s.leases < s.of THEN 'The ' || s.leases || ' largest of ' || s.of || ' leases' ELSE 'Leases' END,
		p.time_zone, lease_gantt.width)
	FROM pool AS p, shown AS s
	WHERE p.pool_id = pool_id(lease_gantt.pool);
END;
COMMENT ON FUNCTION lease_gantt(text, tstzrange, integer, integer) IS
'A Gantt chart of the leases of a pool during a bounded period, as SVG: a row for each consumer, a bar with quantity and key for each lease; if there are more than so many (NULL: all), those with the most unit-hours in the period, and the title says so. In the time zone of the pool. NULL for an empty period. Errors: 42704 unknown pool, 22003 unbounded period, 22023 width (in pixels) outside 240 to 4000.';

-- Pages are HTML that is well-formed XML, too. What makes them safe: names go
-- through html_escape(), and the page itself forbids scripts and the network.
-- Compiling these long queries would take longer than running them.

CREATE FUNCTION html_number(number numeric) RETURNS text
	AS 'MODULE_PATHNAME', 'html_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION html_number(numeric) IS
'A number with all its decimal places as HTML, for a column of numbers: thousands apart by commas; what follows the second decimal place is small, and zeros at its end are spaces of the width of a digit.';

CREATE FUNCTION html_period(period tstzrange, time_zone text) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH bound AS (
		SELECT timezone(time_zone, CASE WHEN isfinite(lower(period)) THEN lower(period) END) AS first,
			timezone(time_zone, CASE WHEN isfinite(upper(period)) THEN upper(period) END) AS until
	)
	SELECT CASE
		WHEN isempty(period) THEN ''
		WHEN b.until = date_trunc('month', b.until) AND b.first = date_trunc('month', b.first) THEN
			to_char(b.first, 'YYYY-MM')
			|| CASE WHEN b.until > b.first + interval '1 month' THEN ' &#x2013; ' || to_char(b.until - interval '1 day', 'YYYY-MM') ELSE '' END
		WHEN b.until = date_trunc('day', b.until) AND b.first = date_trunc('day', b.first) THEN
			to_char(b.first, 'YYYY-MM-DD')
			|| CASE WHEN b.until > b.first + interval '1 day' THEN ' &#x2013; ' || to_char(b.until - interval '1 day', 'YYYY-MM-DD') ELSE '' END
		ELSE coalesce(to_char(b.first, 'YYYY-MM-DD HH24:MI'), 'open') || ' &#x2013; ' || coalesce(to_char(b.until, 'YYYY-MM-DD HH24:MI'), 'open')
	END
	FROM bound AS b;
END;
COMMENT ON FUNCTION html_period(tstzrange, text) IS
'A period as HTML: its first and last month or day if it is made of whole ones in that time zone; else when it begins and ends, to the minute. Errors: 22023 unknown time zone.';

CREATE FUNCTION html_row(VARIADIC cells text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN '<tr><th scope="row">' || coalesce(cells[1], '') || '</th><td>' || array_to_string(cells[2:], '</td><td>', '') || '</td></tr>';
COMMENT ON FUNCTION html_row(text[]) IS
'A row of a table, of cells that are HTML already; the first of them says what the row is about. Nulls are empty cells.';

CREATE FUNCTION html_table(caption text, heads text[], rows text, total text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN coalesce(rows, '') = '' THEN '<p>' || html_escape(caption) || ': none.</p>'
		ELSE '<div class="scroll" role="region" tabindex="0" aria-label="' || html_escape(caption) || '"><table><caption>' || html_escape(caption)
			|| '</caption><thead><tr><th scope="col">' || array_to_string(heads, '</th><th scope="col">')
			|| '</th></tr></thead><tbody>' || rows || '</tbody>' || coalesce('<tfoot>' || nullif(total, '') || '</tfoot>', '') || '</table></div>' END;
COMMENT ON FUNCTION html_table(text, text[], text, text) IS
'A table of rows as html_row makes them, with a caption, which is text, heads of its columns, which are HTML, and perhaps a row for the total. It scrolls where it is too wide.';

CREATE FUNCTION html_figure(name text, value text, unit text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN '<div><dt>' || html_escape(name) || '</dt><dd>' || coalesce(value, '&#x2013;') || ' <span>' || html_escape(unit) || '</span></dd></div>';
COMMENT ON FUNCTION html_figure(text, text, text) IS
'A headline figure: its name, its value, which is HTML already (NULL: a dash), and its unit.';

CREATE FUNCTION html_page(title text, subtitle text, body text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
	RETURN '<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/><title>' || html_escape(title) || '</title>
<meta name="viewport" content="width=device-width, initial-scale=1"/><meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:"/>
<link rel="icon" href="data:,"/>
<style>
:root{--page:#f1f3f5;--surface:#fff;--ink:#1b1f24;--quiet:#57606a;--rule:#d8dee4;--alert:#b01030}
@media screen and (prefers-color-scheme:dark){:root{--page:#0c0f13;--surface:#14181d;--ink:#e8ebef;--quiet:#a3abb5;--rule:#333b44;--alert:#ff8593}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
main{max-width:800px;margin:32px auto;padding:32px 40px;background:var(--surface);border:1px solid var(--rule);border-radius:8px}
h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:18px;line-height:1.3;margin:36px 0 12px;padding-top:16px;border-top:1px solid var(--rule)}
p{margin:4px 0;color:var(--quiet);overflow-wrap:anywhere}
p.alert{margin-top:20px;color:var(--alert);font-weight:600}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:16px 24px;margin:24px 0 0}
dt{color:var(--quiet);font-size:13px}
dd{margin:0;font-size:22px;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums}
dd span{display:block;font-size:13px;font-weight:400;color:var(--quiet);overflow-wrap:anywhere}
dd small{font-size:13px;font-weight:400}
.scroll{overflow-x:auto;margin:12px 0}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding-bottom:4px}
th,td{padding:5px 0 5px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);vertical-align:baseline}
th:first-child{text-align:left;padding-left:0}
tbody th{font-weight:400;white-space:normal;overflow-wrap:anywhere;min-width:110px}
thead th{color:var(--quiet);font-size:13px;font-weight:400}
tfoot th,tfoot td{font-weight:600;border-bottom:0}
small{font-size:11px;color:var(--quiet)}
svg{display:block;margin:12px 0}
.wide,.narrow{margin:0 -12px}
.narrow{display:none}
@media screen and (max-width:800px){main{margin:0;padding:24px 16px;border:0;border-radius:0}.wide{display:none}.narrow{display:block}
dl{grid-template-columns:repeat(2,minmax(0,1fr))}dd{font-size:18px}}
@media print{@page{margin:15mm}body,main{background:#fff}main{max-width:none;margin:0;padding:0;border:0}.scroll{overflow:visible}
h2{break-after:avoid}svg,tr,dl{break-inside:avoid}table{font-size:9pt}th,td{padding-left:10px}}
</style></head><body><main><header><h1>' || html_escape(title) || '</h1><p>' || subtitle || '</p><p>As recorded at '
	|| to_char(timezone('UTC', now()), 'YYYY-MM-DD HH24:MI') || ' UTC</p></header>' || body || '</main></body></html>
';
COMMENT ON FUNCTION html_page(text, text, text) IS
'A page of its own, from a title, which is text, and what stands below it and in the page, which are HTML. It needs nothing from the network and forbids it, follows the reader''s colour scheme, fits phones, and can be printed. What has class wide is shown on wide screens and in print, what has class narrow on others.';

CREATE FUNCTION report_html(pool text, during tstzrange, bucket interval DEFAULT NULL) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
	SET jit = off
BEGIN ATOMIC
	SELECT pool_id(report_html.pool);	-- first, whatever the plan
	WITH about AS MATERIALIZED (
		SELECT p.pool_id, p.name, p.kind, p.unit, p.price, p.currency, p.time_zone, s.name AS steward,
			html_escape(p.unit || '-hours') AS unit_hours
		FROM pool AS p
		JOIN party AS s ON s.party_id = p.steward_id
		WHERE p.pool_id = pool_id(report_html.pool) AND NOT isempty(report_html.during)
	), whole AS MATERIALIZED (
		-- all of it as one bucket
		SELECT u.capacity_unit_hours, u.leased_unit_hours, u.deficit_unit_hours, u.utilization, u.peak
		FROM utilization_report(report_html.pool, report_html.during, interval '1000 years') AS u
	), calendar AS MATERIALIZED (
		SELECT ARRAY[coalesce(sum(c.booked), '{}'), coalesce(sum(c.capacity), '{}'), coalesce(sum(c.deficit), '{}')] AS profiles
		FROM calendar AS c
		JOIN about AS a ON a.pool_id = c.pool_id
		WHERE c.quota_id = 0 AND tstzrange(c.starts, c.ends) && report_html.during
	), picture AS MATERIALIZED (
		SELECT CASE WHEN whole.deficit_unit_hours > 0 THEN calendar.profiles ELSE calendar.profiles[:2] END AS profiles,
			CASE WHEN whole.deficit_unit_hours > 0 THEN '{leased,capacity,deficit}'::text[] ELSE '{leased,capacity}' END AS names
		FROM calendar, whole
	), used AS MATERIALIZED (
		SELECT string_agg(html_row(html_period(u.period, a.time_zone), html_number(u.capacity_unit_hours), html_number(u.leased_unit_hours),
			html_number(u.idle_unit_hours), html_number(u.deficit_unit_hours), html_number(round(100 * u.utilization, 4)), html_number(u.peak)),
			'' ORDER BY u.period) AS rows
		FROM about AS a, utilization_report(report_html.pool, report_html.during, coalesce(report_html.bucket,
			CASE WHEN upper(report_html.during) - lower(report_html.during) <= interval '35 days' THEN interval '1 day'
				WHEN upper(report_html.during) - lower(report_html.during) <= interval '93 days' THEN interval '7 days'
				ELSE interval '1 month' END)) AS u
	), cost AS MATERIALIZED (
		SELECT sum(c.cost) AS cost, tally(c.consumer, c.cost) AS tally,
			string_agg(html_row('<bdi>' || html_escape(c.consumer) || '</bdi>', html_number(c.leases), html_number(c.unit_hours), html_number(c.cost),
				html_number(round(100 * c.share, 4))), '' ORDER BY c.n) AS rows,
			html_row('Total', html_number(sum(c.leases)), html_number(sum(c.unit_hours)), html_number(sum(c.cost)), html_number(round(100 * sum(c.share), 4))) AS total
		FROM cost_report(report_html.pool, report_html.during) WITH ORDINALITY AS c (consumer, leases, unit_hours, cost, currency, share, n)
	), revenue AS MATERIALIZED (
		SELECT sum(r.revenue) AS revenue, tally(coalesce(r.provider, 'nobody'), r.revenue) AS tally,
			string_agg(html_row(coalesce('<bdi>' || html_escape(r.provider) || '</bdi>', 'while nobody supplied'), html_number(r.unit_hours), html_number(r.revenue),
				html_number(round(100 * r.share, 4))), '' ORDER BY r.n) AS rows,
			html_row('Total', html_number(sum(r.unit_hours)), html_number(sum(r.revenue)), html_number(round(100 * sum(r.share), 4))) AS total
		FROM revenue_report(report_html.pool, report_html.during) WITH ORDINALITY AS r (provider, unit_hours, revenue, currency, share, n)
	), short AS MATERIALIZED (
		SELECT string_agg(html_row('#' || d.lease_id || ' <bdi>' || html_escape(d.consumer) || '</bdi>', html_number(d.quantity), html_number(peak(d.missing, report_html.during)),
			html_number(round(integral(d.missing, report_html.during), 6)), CASE WHEN d.preemptible THEN 'yes' ELSE 'no' END), '' ORDER BY d.position) AS rows
		FROM lease_in_deficit AS d
		JOIN about AS a ON a.name = d.pool
		WHERE clip(d.missing, report_html.during) <> '{}' AND (SELECT whole.deficit_unit_hours FROM whole) > 0
	)
	SELECT html_page(a.name, html_period(report_html.during, a.time_zone) || ', ' || html_escape(a.time_zone) || '<br/>Pool of kind ' || a.kind
			|| ', run by <bdi>' || html_escape(a.steward) || '</bdi>; ' || html_number(a.price) || ' ' || html_escape(a.currency || ' per ' || a.unit || '-hour'),
		'<dl>' || html_figure('Capacity', html_number(w.capacity_unit_hours), a.unit || '-hours')
		|| html_figure('Leased', html_number(w.leased_unit_hours), a.unit || '-hours')
		|| html_figure('Utilization', html_number(round(100 * w.utilization, 4)), '%')
		|| html_figure('Peak leased', html_number(w.peak), a.unit)
		|| html_figure('Cost to consumers', html_number(coalesce(cost.cost, 0.00)), a.currency)
		|| html_figure('Revenue of providers', html_number(coalesce(revenue.revenue, 0.00)), a.currency) || '</dl>'
		|| CASE WHEN w.deficit_unit_hours > 0 THEN '<p class="alert">' || html_number(w.deficit_unit_hours) || ' ' || a.unit_hours
			|| ' were leased and not supplied.</p>' ELSE '' END
		|| '<h2>Capacity and use</h2><div class="wide">'
		|| svg(p.profiles, p.names, report_html.during, 'Capacity and leased quantity', a.unit, a.time_zone, 742) || '</div><div class="narrow">'
		|| svg(p.profiles, p.names, report_html.during, 'Capacity and leased quantity', a.unit, a.time_zone, 382, 160) || '</div>'
		|| html_table('Utilization', ARRAY['Period', 'Capacity<br/>' || a.unit_hours, 'Leased<br/>' || a.unit_hours, 'Idle<br/>' || a.unit_hours,
			'Deficit<br/>' || a.unit_hours, 'Utilization<br/>%', 'Peak<br/>' || html_escape(a.unit)], used.rows)
		|| '<h2>Consumers</h2>'
		|| CASE WHEN cost.tally <> '{}' THEN '<div class="wide">' || svg(cost.tally, 'Cost by consumer', a.currency, 12, 742) || '</div><div class="narrow">'
			|| svg(cost.tally, 'Cost by consumer', a.currency, 12, 382) || '</div>' ELSE '' END
		|| html_table('Cost by consumer', ARRAY['Consumer', 'Leases', html_escape(a.unit || '-hours'), 'Cost<br/>' || html_escape(a.currency),
			'Share of<br/>' || a.unit_hours || ', %'], cost.rows, cost.total)
		|| '<h2>Providers</h2>'
		|| CASE WHEN revenue.tally <> '{}' THEN '<div class="wide">' || svg(revenue.tally, 'Revenue by provider', a.currency, 12, 742) || '</div><div class="narrow">'
			|| svg(revenue.tally, 'Revenue by provider', a.currency, 12, 382) || '</div>' ELSE '' END
		|| html_table('Revenue by provider', ARRAY['Provider', 'Supplied<br/>' || a.unit_hours, 'Revenue<br/>' || html_escape(a.currency),
			'Share of<br/>revenue, %'], revenue.rows, revenue.total)
		|| '<h2>Leases</h2>' || CASE WHEN cost.rows IS NULL THEN '<p>None.</p>' ELSE '<div class="wide">' || lease_gantt(report_html.pool, report_html.during, 60, 742)
			|| '</div><div class="narrow">' || lease_gantt(report_html.pool, report_html.during, 30, 382) || '</div>' END
		|| CASE WHEN w.deficit_unit_hours > 0 THEN '<h2>Deficit</h2>' || html_table('Leases for which there is not enough supply, in the order in which they give way',
			ARRAY['Lease', 'Quantity<br/>' || html_escape(a.unit), 'Most missing<br/>' || html_escape(a.unit), 'Missing<br/>' || a.unit_hours, 'Preemptible'],
			short.rows) ELSE '' END)
	FROM about AS a, whole AS w, picture AS p, used, cost, revenue, short;
END;
COMMENT ON FUNCTION report_html(text, tstzrange, interval) IS
'A page about a pool during a bounded period, for a browser, a mail or the printer: headline figures, capacity and leased quantity over time, utilization_report by buckets (by default days, weeks or months, whatever makes a short table), cost_report and revenue_report with pictures, a Gantt chart of the largest leases, and what is leased and not supplied. The figures are those of the reports, digit for digit. One self-contained document: see html_page. NULL for an empty period. Errors: 42704 unknown pool, 22023 unbounded period or bucket not positive.';

CREATE FUNCTION statement_html(party text, during tstzrange, time_zone text DEFAULT 'UTC') RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
	SET jit = off
BEGIN ATOMIC
	SELECT party_id(statement_html.party);	-- first, whatever the plan
	WITH me AS MATERIALIZED (
		SELECT v.party_id, v.name, v.kind
		FROM party AS v
		WHERE v.party_id = party_id(statement_html.party) AND NOT isempty(statement_html.during)
	), owed AS MATERIALIZED (
		SELECT p.name AS pool, p.unit, c.leases, c.unit_hours, c.cost, c.currency
		FROM me, pool AS p, cost_report(p.name, statement_html.during) AS c
		WHERE EXISTS (SELECT FROM lease AS l WHERE l.pool_id = p.pool_id AND l.consumer_id = me.party_id)
		AND c.consumer = me.name
	), earned AS MATERIALIZED (
		SELECT p.name AS pool, p.unit, r.unit_hours, r.revenue, r.currency
		FROM me, pool AS p, revenue_report(p.name, statement_html.during) AS r
		WHERE EXISTS (SELECT FROM supply AS s WHERE s.pool_id = p.pool_id AND s.provider_id = me.party_id)
		AND r.provider = me.name
	), posted AS MATERIALIZED (
		-- of each account its balances, and what was posted, by kind of journal
		SELECT s.pool, s.account, s.currency, s.what, count(s.journal_id) AS postings, sum(s.amount) AS amount,
			min(s.balance) FILTER (WHERE s.journal_id IS NULL) AS balance,
			CASE s.what WHEN 'opening balance' THEN 1 WHEN 'closing balance' THEN 3 ELSE 2 END AS rank
		FROM me, statement(me.name, statement_html.during) AS s
		GROUP BY s.pool, s.account, s.currency, s.what
	), balance AS MATERIALIZED (
		SELECT b.currency, sum(b.owes) AS owes, sum(b.earns) AS earns
		FROM (SELECT owed.currency, owed.cost AS owes, 0::numeric AS earns FROM owed
			UNION ALL SELECT earned.currency, 0, earned.revenue FROM earned) AS b
		GROUP BY b.currency
	)
	SELECT html_page('Statement: ' || me.name, html_period(statement_html.during, statement_html.time_zone) || ', ' || html_escape(statement_html.time_zone),
		coalesce((SELECT string_agg('<dl>' || html_figure('Owes', html_number(round(b.owes, 2)), b.currency) || html_figure('Earns', html_number(round(b.earns, 2)), b.currency)
				|| html_figure(CASE WHEN b.earns >= b.owes THEN 'To be received' ELSE 'To be paid' END, html_number(round(abs(b.earns - b.owes), 2)), b.currency) || '</dl>',
				'' ORDER BY b.currency)
			FROM balance AS b), '<p>Nothing owed and nothing earned.</p>')
		|| '<h2>Owes</h2>' || html_table('Leased, by pool', ARRAY['Pool', 'Leases', 'Unit-hours', 'Unit', 'Cost', 'Currency'],
			(SELECT string_agg(html_row('<bdi>' || html_escape(o.pool) || '</bdi>', html_number(o.leases), html_number(o.unit_hours), html_escape(o.unit), html_number(o.cost),
				html_escape(o.currency)), '' ORDER BY o.pool) FROM owed AS o))
		|| '<h2>Earns</h2>' || html_table('Supplied, by pool', ARRAY['Pool', 'Unit-hours', 'Unit', 'Revenue', 'Currency'],
			(SELECT string_agg(html_row('<bdi>' || html_escape(e.pool) || '</bdi>', html_number(e.unit_hours), html_escape(e.unit), html_number(e.revenue),
				html_escape(e.currency)), '' ORDER BY e.pool) FROM earned AS e))
		|| '<h2>Accounts</h2>' || html_table('Posted', ARRAY['Account', 'What', 'Postings', 'Amount', 'Balance', 'Currency'],
			(SELECT string_agg(html_row(coalesce('<bdi>' || html_escape(p.pool) || '</bdi>, ', '') || html_escape(p.account), html_escape(p.what),
				CASE WHEN p.rank = 2 THEN html_number(p.postings) END, html_number(p.amount), html_number(p.balance), html_escape(p.currency)),
				'' ORDER BY p.pool NULLS FIRST, p.account, p.currency, p.rank, p.what) FROM posted AS p)))
	FROM me;
END;
COMMENT ON FUNCTION statement_html(text, tstzrange, text) IS
'A page about what a party owes for what it leased, and earns with what it supplied, of all pools, during a bounded period: the figures of cost_report and revenue_report; and its accounts as statement() has them, whose postings are summed by kind. One self-contained document: see html_page. NULL for an empty period. Errors: 42704 unknown party, 22003 unbounded period, 22023 unknown time zone.';
