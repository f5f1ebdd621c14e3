-- The demo: a consortium shares GPUs, and gets its first bill.
--
-- Run by "make demo" on a private server. The variable "data" is the directory
-- of the real data, or empty; without it the pods are generated.

\set QUIET on
\pset footer off
SET search_path = sharecollab, public;
SET timezone = 'UTC';
ALTER DATABASE demo SET search_path = sharecollab, public;
ALTER DATABASE demo SET timezone = 'UTC';

\echo '==> a pool of GPUs: three providers, four consumers'
SELECT create_party(name) AS party_id
FROM unnest(ARRAY['AI Commons', 'North Datacenter', 'East Datacenter', 'South University',
	'Search Lab', 'Batch Lab', 'Burst Lab', 'Core Lab']) AS name \g /dev/null
SELECT create_pool('gpu-commons', 'compute', 'gpu', steward => 'AI Commons', price => 1.85) \g /dev/null
SELECT invite('gpu-commons', party, role), accept('gpu-commons', party, role)
FROM (VALUES ('North Datacenter', 'provider'), ('East Datacenter', 'provider'), ('South University', 'provider'),
	('Search Lab', 'consumer'), ('Batch Lab', 'consumer'), ('Burst Lab', 'consumer'), ('Core Lab', 'consumer'))
	AS member (party, role) \g /dev/null
SELECT add_supply('gpu-commons', 'North Datacenter', 40, '[2026-01-01, 2026-07-01)'),
	add_supply('gpu-commons', 'East Datacenter', 24, '[2026-01-01, 2026-07-01)'),
	add_supply('gpu-commons', 'South University', 8, '[2026-03-01, 2026-07-01)') \g /dev/null

-- A trace of pods, as the scheduler of a cluster logs them. The steps from here
-- on are how any CSV of leases is imported: COPY it into a staging table, give
-- it the columns of import_leases() with a view, and admit it in one call.
CREATE TEMP TABLE pod (
	name text, cpu_milli bigint, memory_mib bigint, num_gpu bigint, gpu_milli bigint, gpu_spec text,
	qos text, pod_phase text, creation_time bigint, deletion_time bigint, scheduled_time bigint
);
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/alibaba-gpu-v2023/openb_pod_list_default.csv', true)).size IS NOT NULL AS real,
	:'data' || '/alibaba-gpu-v2023/openb_pod_list_default.csv' AS trace \gset
\if :real
\echo '==> the leases of a real GPU cluster (Alibaba, cluster-trace-gpu-v2023)'
COPY pod FROM :'trace' (FORMAT csv, HEADER);
\else
\echo '==> the leases of an imaginary GPU cluster (the real trace is not here)'
INSERT INTO pod (name, num_gpu, gpu_milli, qos, scheduled_time, deletion_time)
SELECT 'pod-' || i, 1, (ARRAY[1000, 460, 500, 1000, 250])[1 + i % 5], (ARRAY['LS', 'BE', 'BE', 'LS', 'Burstable', 'LS', 'Guaranteed'])[1 + i % 7],
	i * 1733, i * 1733 + 3600 * (1 + i % 24)
FROM generate_series(1, 7000) AS i;
\endif
CREATE TEMP VIEW lease_of_pod AS
	SELECT 'gpu-commons' AS pool,
		CASE qos WHEN 'LS' THEN 'Search Lab' WHEN 'BE' THEN 'Batch Lab' WHEN 'Burstable' THEN 'Burst Lab' ELSE 'Core Lab' END AS consumer,
		num_gpu * gpu_milli / 1000.0 AS quantity,
		tstzrange('2026-01-01 00:00:00+00'::timestamptz + scheduled_time * interval '1 s',
			'2026-01-01 00:00:00+00'::timestamptz + deletion_time * interval '1 s') AS during,
		name AS reference
	FROM pod
	WHERE scheduled_time IS NOT NULL AND num_gpu * gpu_milli > 0;
SELECT import_leases('lease_of_pod') AS leases \gset
\echo '==> admitted' :leases 'leases, none of them beyond capacity at any instant'

\echo
\set ECHO queries
SELECT * FROM utilization_report('gpu-commons', '[2026-01-01, 2026-06-01)', '1 month');

SELECT * FROM cost_report('gpu-commons', '[2026-01-01, 2026-06-01)');

SELECT * FROM revenue_report('gpu-commons', '[2026-01-01, 2026-06-01)');

\echo '==> the bill and the payout are the same amount, to the cent:'
SELECT (SELECT sum(cost) FROM cost_report('gpu-commons', '[2026-01-01, 2026-06-01)')) AS billed,
	(SELECT sum(revenue) FROM revenue_report('gpu-commons', '[2026-01-01, 2026-06-01)')) AS paid_out;

\echo '==> and the pool cannot be overbooked. One more lease, at the busiest instant:'
\set ECHO none
SELECT peak_at(sum(booked)) AS busiest FROM calendar \gset
\set ECHO queries
\set SHOW_CONTEXT never
\set ON_ERROR_STOP off
SELECT reserve('gpu-commons', 'Core Lab', 16, tstzrange(:'busiest', NULL));
\set ECHO none
\echo
