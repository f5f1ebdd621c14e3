# What a browser makes of the pages: report_html and statement_html, in both
# colour schemes, on a phone and on a desk. With SHARECOLLAB_SCREENSHOTS= a
# directory, the pictures of the documentation are written there.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;

use Browser;
use Encode qw(decode_utf8);
use Helpers;
use PostgreSQL::Test::Utils;
use Test::More;

my $program = Browser::find();
plan skip_all => 'SKIP: no Chromium here (Debian: apt install chromium): NO PAGE IS LOOKED AT' unless $program;

my $directory = $PostgreSQL::Test::Utils::tmp_check;
my $browser = Browser->new($program, "$directory/browser");
if (!$browser)
{
	diag(slurp_file("$directory/browser.log"));
	plan skip_all => "SKIP: $program does not start: NO PAGE IS LOOKED AT";
}

my $node = new_server('pages');
create_database($node, 'pages');

# ----------
# A pool with names that mean harm, a deficit, and clocks that change
# ----------
my $during = '[2026-03-01 00:00 Europe/Berlin, 2026-04-01 00:00 Europe/Berlin)';
sql($node, q{
	SELECT count(create_party(name)) FROM unnest(ARRAY['grid', '<script>alert(1)</script>', '"&''<b>', 'a provider with a name that is long and has no end, as it goes on and on', 'idle']) AS name;
	SELECT create_pool('<img src=x onerror=alert(2)>', 'compute', 'g<p>u', 'grid', price => 1.234567, currency => 'E&R', time_zone => 'Europe/Berlin');
	INSERT INTO membership (pool_id, party_id, role, accepted_at)
		SELECT 1, party_id, r, now() FROM party, unnest('{provider,consumer}'::text[]) AS r;
	SELECT add_supply('<img src=x onerror=alert(2)>', party, CASE WHEN length(party) < 10 THEN 60 ELSE 20 END, '[2026-02-01,2027-01-01)')
		FROM unnest(ARRAY['"&''<b>', 'a provider with a name that is long and has no end, as it goes on and on']) AS party;
	SELECT reserve('<img src=x onerror=alert(2)>', (ARRAY['<script>alert(1)</script>', '"&''<b>', 'grid'])[1 + i % 3], 1 + i % 3 + 0.000001 * i,
		tstzrange('2026-02-25'::timestamptz + i * interval '7 hours 13 min', '2026-03-01'::timestamptz + i * interval '9 hours 1.5 s'))
		FROM generate_series(1, 60) AS i WHERE i % 7 <> 0;
	SELECT withdraw_supply('<img src=x onerror=alert(2)>', '"&''<b>', 50, '[2026-03-10,2026-03-12)');
}, 'pages');

my %page = (
	report => q{report_html('<img src=x onerror=alert(2)>', '} . $during . q{')},
	'report-empty' => q{report_html('<img src=x onerror=alert(2)>', '[2025-01-01,2025-01-03)')},
	# pictures of all kinds of times and quantities
	pictures => q{html_page('Pictures', '', (
		SELECT string_agg(svg(ARRAY[p, p * 0.7], ARRAY['first of ' || l, 'second, whose name is rather long for a legend of a narrow picture'],
			tstzrange('2026-03-28 17:05', '2026-03-28 17:05'::timestamptz + l::interval), 'Title ' || l, 'unit', z, 340), '' ORDER BY l, z)
		FROM unnest('{3 us,80 us,7 ms,1 s,13 s,61 s,10 min,47 min,3 h,11 h,1 day,40 h,5 days,13 days,20 days,1 month,65 days,7 months,2 years,7 years,30 years,1500 years}'::text[]) WITH ORDINALITY AS d (l, n),
			unnest('{UTC,Asia/Kathmandu,America/Argentina/Buenos_Aires}'::text[]) AS z,
			LATERAL (SELECT profile('[2026-01-01,)', (10::numeric ^ n::int / 10 ^ 12 * 3)::numeric(30, 6) + 0.01) AS p) AS p)
		|| svg('{"WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW": 123456789012.25, "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii": 5, "\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587": 7}'::tally, 'Title', 'units', 12, 340)
		|| gantt('{a,a,b}', '{"[2026-01-01,2026-01-08)","[2026-01-02,2026-01-03)","[2026-01-01,)"}', '{WWWWWWWWWWWWWWWWWW,WWWWW,b}', '[2026-01-01,2026-01-08)', 'Title', 'UTC', 340))},
	statement => q{statement_html('"&''<b>', '} . $during . q{', 'Europe/Berlin')});

# the demo, whose pages are those of the documentation
sql($node, 'CREATE DATABASE demo');
sql($node, 'CREATE EXTENSION sharecollab', 'demo');
run_log([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'data=' . ($ENV{SHARECOLLAB_DATA} // ''),
	'-d', $node->connstr('demo'), '-f', "$FindBin::RealBin/../demo/demo.sql" ]);
my %demo_page = (
	'demo-report' => q{report_html('gpu-commons', '[2026-01-01, 2026-06-01)')},
	'demo-statement' => q{statement_html('Search Lab', '[2026-01-01, 2026-06-01)')});

# ----------
# What is measured in the page
# ----------
# Contrast of every text with what is behind it, and of lines and bars with the
# surface of their picture; what is too little (WCAG 2.1 AA, but for the size)
my $contrast = q{(() => {
	const rgba = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
	const luminance = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
		return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [luminance(rgba(a)), luminance(rgba(b))].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const background = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgba(c)[3] === 1) return c; } return 'rgb(255, 255, 255)'; };
	const bad = [];
	let seen = 0;
	const check = (what, a, b, least) => { seen++; if (!(ratio(a, b) >= least)) bad.push(`${what}: ${a} on ${b}`); };
	const shown = e => e.getClientRects().length > 0;
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walker.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || !shown(e) || e.closest('svg')) continue;
		check(n.data, getComputedStyle(e).color, background(e), 4.5);
	}
	for (const svg of document.querySelectorAll('svg')) {
		if (!shown(svg)) continue;
		const surface = getComputedStyle(svg.querySelector('.surface')).fill;
		for (const t of svg.querySelectorAll('text')) {
			const bar = t.classList.contains('on') && t.parentNode.querySelector('rect');
			check(t.textContent, getComputedStyle(t).fill, bar ? getComputedStyle(bar).fill : surface, 4.5);
		}
		for (const l of svg.querySelectorAll('.line')) check('line', getComputedStyle(l).stroke, surface, 3);
		for (const b of svg.querySelectorAll('.bar, .rest')) check('bar', getComputedStyle(b).fill, surface, 3);
	}
	return seen > 20 || document.querySelectorAll('svg').length === 0 && seen > 5 ? bad.join('\n') : `only ${seen} seen`;
})()};

# What is wider than the screen, but for tables, which scroll
my $overflow = q{(() => {
	const wide = [...document.querySelectorAll('body *')].filter(e => {
		const scroll = e.closest('.scroll');
		return (!scroll || scroll === e) && e.getBoundingClientRect().right > innerWidth + 0.5;
	}).map(e => `<${e.tagName} class="${e.getAttribute('class')}"> ${e.textContent.slice(0, 40)}`);
	if (document.documentElement.scrollWidth > innerWidth) wide.push(`the page: ${document.documentElement.scrollWidth}`);
	return wide.join('\n');
})()};

# Text that a picture cuts off, or that runs into another
my $cut = q{(() => {
	const bad = [];
	for (const svg of document.querySelectorAll('svg')) {
		if (svg.getClientRects().length === 0) continue;
		const box = svg.getBoundingClientRect();
		const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
		texts.forEach(([t, r], i) => {
			if (r.left < box.left - 0.5 || r.right > box.right + 0.5 || r.top < box.top - 0.5 || r.bottom > box.bottom + 0.5) bad.push(`cut off: ${t}`);
			for (const [u, q] of texts.slice(i + 1))
				if (r.left < q.right - 1 && q.left < r.right - 1 && r.top < q.bottom - 4 && q.top < r.bottom - 4) bad.push(`${t} runs into ${u}`);
		});
	}
	return bad.join('\n');
})()};

# The text of the page, as rows: name of the table, then its cells; and the figures
my $rows = q{(() => {
	const text = e => e.textContent.replace(/\u2007/g, '0').replace(/(\d),(?=\d{3})/g, '$1').trim();
	const rows = [];
	for (const figure of document.querySelectorAll('dl > div')) rows.push(['figure', ...[...figure.children].map(text)].join('|'));
	for (const table of document.querySelectorAll('table'))
		for (const row of table.querySelectorAll('tbody tr, tfoot tr')) rows.push([text(table.caption), ...[...row.cells].map(text)].join('|'));
	return rows.join('\n');
})()};

# ----------
# Look
# ----------
my %widths = (phone => 390, desk => 1280);
sub look_at
{
	my ($name, $database, $call) = @_;
	my $file = "$directory/$name.html";

	append_to_file($file, sql($node, "SELECT $call", $database));
	foreach my $screen (sort keys %widths)
	{
		foreach my $scheme (qw(light dark))
		{
			my $where = "$name, $screen, $scheme";
			$browser->open_file($file, $widths{$screen}, $scheme);
			is($browser->complaints, '', "$where: no request, no error, no dialogue");
			is($browser->value_of($overflow), '', "$where: nothing is wider than the screen");
			is($browser->value_of($contrast), '', "$where: contrast");
			is($browser->value_of($cut), '', "$where: no text in a picture is cut off or runs into another");
			cmp_ok($browser->screenshot("$directory/$name-$screen-$scheme.png", $widths{$screen}), '>', 5000, "$where: screenshot");
		}
	}
	is($browser->value_of(q{document.querySelectorAll('script, img, iframe, object, b, p p').length}), 0, "$name: names make no elements");
	is($browser->value_of(q{(() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.length - new Set(ids).size; })()}),
		0, "$name: ids are unique");
	is($browser->value_of(q{[...document.querySelectorAll('svg')].filter(s => !document.getElementById(s.getAttribute('aria-labelledby')) || !document.getElementById(s.getAttribute('aria-describedby'))).length}),
		0, "$name: pictures have a name and a description");
	# on paper: light, whatever the scheme
	$browser->media('print', 'dark');
	is($browser->value_of(q{getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color}), 'rgb(255, 255, 255)rgb(27, 31, 36)',
		"$name: black on white in print");
	is($browser->value_of($contrast), '', "$name: contrast in print");
	like(substr($browser->pdf, 0, 5), qr/^%PDF-/, "$name: prints");
	$browser->media('', 'light');
	return $browser->value_of($rows);
}
my %text = map { $_ => look_at($_, 'pages', $page{$_}) } sort keys %page;
$text{$_} = look_at($_, 'demo', $demo_page{$_}) foreach sort keys %demo_page;

# ----------
# The pictures of the documentation
# ----------
my $screenshots = $ENV{SHARECOLLAB_SCREENSHOTS} || $directory;
foreach my $shot ([ 'report', 'demo-report', 840, 'light', 1100 ], [ 'report-phone', 'demo-report', 390, 'dark', 900 ],
	[ 'statement', 'demo-statement', 840, 'light', 800 ])
{
	my ($name, $of, $width, $scheme, $height) = @$shot;

	$browser->open_file("$directory/$of.html", $width, $scheme);
	my $size = $browser->screenshot("$screenshots/$name.png", $width, $height);
	cmp_ok($size, '<', 150_000, "$name.png is small enough for the documentation");
}

# ----------
# Every figure is that of the reports
# ----------
sub figures_are
{
	my ($name, $database, $query) = @_;

	is($text{$name}, decode_utf8(sql($node, $query, $database)), "$name: every figure is that of the reports");
}

sub report_figures
{
	my ($pool, $time, $bucket, $format, $from) = @_;

	return qq{
		SELECT line FROM (
			SELECT 1 AS part, 1 AS n, concat_ws('|', 'figure', 'Capacity', u.capacity_unit_hours || ' ' || p.unit || '-hours') AS line, p.* FROM pool AS p, utilization_report(p.name, '$time', '10 years') AS u
			UNION ALL SELECT 1, 2, concat_ws('|', 'figure', 'Leased', u.leased_unit_hours || ' ' || p.unit || '-hours'), p.* FROM pool AS p, utilization_report(p.name, '$time', '10 years') AS u
			UNION ALL SELECT 1, 3, concat_ws('|', 'figure', 'Utilization', round(100 * u.utilization, 4) || ' %'), p.* FROM pool AS p, utilization_report(p.name, '$time', '10 years') AS u
			UNION ALL SELECT 1, 4, concat_ws('|', 'figure', 'Peak leased', u.peak || ' ' || p.unit), p.* FROM pool AS p, utilization_report(p.name, '$time', '10 years') AS u
			UNION ALL SELECT 1, 5, concat_ws('|', 'figure', 'Cost to consumers', (SELECT sum(cost) FROM cost_report(p.name, '$time')) || ' ' || p.currency), p.* FROM pool AS p
			UNION ALL SELECT 1, 6, concat_ws('|', 'figure', 'Revenue of providers', (SELECT sum(revenue) FROM revenue_report(p.name, '$time')) || ' ' || p.currency), p.* FROM pool AS p
			UNION ALL SELECT 2, n, concat_ws('|', 'Utilization', to_char(lower(u.period) AT TIME ZONE p.time_zone, '$format'), u.capacity_unit_hours, u.leased_unit_hours, u.idle_unit_hours, u.deficit_unit_hours,
					round(100 * u.utilization, 4), u.peak), p.*
				FROM pool AS p, utilization_report(p.name, '$time', '$bucket') WITH ORDINALITY AS u (period, capacity_unit_hours, leased_unit_hours, idle_unit_hours, deficit_unit_hours, utilization, peak, n)
			UNION ALL SELECT 3, n, concat_ws('|', 'Cost by consumer', consumer, leases, unit_hours, cost, round(100 * share, 4)), p.*
				FROM pool AS p, cost_report(p.name, '$time') WITH ORDINALITY AS c (consumer, leases, unit_hours, cost, currency, share, n)
			UNION ALL SELECT 4, 1, concat_ws('|', 'Cost by consumer', 'Total', sum(leases), sum(unit_hours), sum(cost), round(100 * sum(share), 4)), p.* FROM pool AS p, cost_report(p.name, '$time') AS c GROUP BY p.pool_id
			UNION ALL SELECT 5, n, concat_ws('|', 'Revenue by provider', provider, unit_hours, revenue, round(100 * share, 4)), p.*
				FROM pool AS p, revenue_report(p.name, '$time') WITH ORDINALITY AS c (provider, unit_hours, revenue, currency, share, n)
			UNION ALL SELECT 6, 1, concat_ws('|', 'Revenue by provider', 'Total', sum(unit_hours), sum(revenue), round(100 * sum(share), 4)), p.* FROM pool AS p, revenue_report(p.name, '$time') AS c GROUP BY p.pool_id
			UNION ALL SELECT 7, position, concat_ws('|', 'Leases for which there is not enough supply, in the order in which they give way', '#' || lease_id || ' ' || consumer, d.quantity, peak(missing, '$time'),
					round(integral(missing, '$time'), 6), CASE WHEN preemptible THEN 'yes' ELSE 'no' END), p.*
				FROM pool AS p JOIN lease_in_deficit AS d ON d.pool = p.name WHERE clip(missing, '$time') <> '{}'
		) AS t WHERE t.name = '$pool' ORDER BY part, n};
}
figures_are('report', 'pages', report_figures('<img src=x onerror=alert(2)>', $during, '1 day', 'YYYY-MM-DD'));
figures_are('demo-report', 'demo', report_figures('gpu-commons', '[2026-01-01, 2026-06-01)', '1 month', 'YYYY-MM'));
like($text{report}, qr/^Leases for which there is not enough supply/m, 'report: has a deficit');
like($text{report}, qr{\|<script>alert\(1\)</script>\|}, 'report: names are there as they are');
unlike($text{'demo-report'}, qr/^Leases for which there is not enough supply/m, 'demo-report: has none');

done_testing();
