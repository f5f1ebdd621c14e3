-- Real traces give the figures that are known to be true for them.
--
-- The data is where the environment variable SHARECOLLAB_DATA says; without it,
-- these tests are skipped, loudly.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = sharecollab, public;

\getenv data SHARECOLLAB_DATA
\if :{?data}
\else
	\set data ''
\endif
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/alibaba-gpu-v2023/openb_pod_list_default.csv', true)).size IS NOT NULL AS present,
	:'data' || '/alibaba-gpu-v2023/openb_pod_list_default.csv' AS pods,
	:'data' || '/alibaba-gpu-v2023/openb_node_list_all_node.csv' AS nodes,
	'zcat ' || :'data' || '/swf/LCG-2005-1.swf.gz | grep -v "^;" | tr -s " " "\t" | sed "s/^\t//"' AS lcg,
	'zcat ' || :'data' || '/swf/NASA-iPSC-1993-3.1-cln.swf.gz | grep -v "^;" | tr -s " " "\t" | sed "s/^\t//"' AS nasa,
	'zcat ' || :'data' || '/sacct/xdmod-pozidriv.sacct.gz' AS sacct
\gset
\if :present
\else
	\echo '1..0 # SKIP: no real data (SHARECOLLAB_DATA): the traces are NOT CHECKED'
	\quit
\endif

BEGIN;
SELECT plan(40);

-- ----------
-- Alibaba GPU trace: a lease per pod
-- ----------
CREATE TEMP TABLE pod (
	name text, cpu_milli bigint, memory_mib bigint, num_gpu bigint, gpu_milli bigint, gpu_spec text,
	qos text, pod_phase text, creation_time bigint, deletion_time bigint, scheduled_time bigint
);
COPY pod FROM :'pods' (FORMAT csv, HEADER);
CREATE FUNCTION pg_temp.at(seconds bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN to_timestamp(0) + seconds * interval '1 s';
CREATE TEMP VIEW scheduled AS
	SELECT *, num_gpu * gpu_milli / 1000.0 AS gpus,
		tstzrange(pg_temp.at(scheduled_time), pg_temp.at(deletion_time)) AS during
	FROM pod WHERE scheduled_time IS NOT NULL;
CREATE TEMP VIEW created AS
	SELECT *, num_gpu * gpu_milli / 1000.0 AS gpus,
		tstzrange(pg_temp.at(creation_time), pg_temp.at(deletion_time)) AS during
	FROM pod;
CREATE TEMP TABLE load AS
	SELECT load_profile(during, gpus) AS gpus, load_profile(during, num_gpu) AS whole,
		load_profile(during, cpu_milli) AS cpus, load_profile(during, 1) AS pods
	FROM scheduled;

SELECT is(count(*), 7255::bigint, 'Alibaba: leases') FROM scheduled;
SELECT is(integral(gpus, '(,)', '1 second'), 185294426.970, 'Alibaba: GPU-seconds, exactly') FROM load;
SELECT is(round(integral(gpus, '(,)'), 6), 51470.674158, 'Alibaba: GPU-hours') FROM load;
SELECT is(round(unit_hours(during, gpus, '(,)'), 6), 51470.674158, 'Alibaba: GPU-hours, without a sweep') FROM scheduled;
SELECT is(unit_hours(during, gpus, '(,)'), (SELECT integral(gpus, '(,)') FROM load), 'Alibaba: both to the last digit') FROM scheduled;
SELECT is(peak(gpus), 65.590, 'Alibaba: peak of GPUs') FROM load;
SELECT is(peak_at(gpus), pg_temp.at(12523649), 'Alibaba: when') FROM load;
SELECT is(integral(whole, '(,)', '1 second'), 214603958::numeric, 'Alibaba: whole GPU-seconds') FROM load;
SELECT is(peak(whole), 71::numeric, 'Alibaba: peak of whole GPUs') FROM load;
SELECT is(integral(cpus, '(,)', '1 second'), 2506537593492::numeric, 'Alibaba: milli-CPU-seconds') FROM load;
SELECT is(peak(pods), 56::numeric, 'Alibaba: peak of pods') FROM load;
SELECT is(peak_at(pods), pg_temp.at(11821651), 'Alibaba: when') FROM load;
SELECT is(count(*), 8152::bigint, 'Alibaba: pods') FROM created;
SELECT is(count(*) FILTER (WHERE isempty(during)), 1::bigint, 'Alibaba: an empty period') FROM created;
SELECT is(round(unit_hours(during, gpus, '(,)'), 6), 51600.473306, 'Alibaba: GPU-hours from creation') FROM created;
SELECT is(integral(load_profile(during, gpus), '(,)', '1 second'), 185761703.900, 'Alibaba: GPU-seconds from creation') FROM created;
SELECT is(peak_at(load_profile(during, gpus)), pg_temp.at(12523614), 'Alibaba: peak from creation') FROM created;

-- the same through the product: GPUs, and CPUs for the pods without
CREATE TEMP TABLE node (sn text, cpu_milli bigint, memory_mib bigint, gpu bigint, model text);
COPY node FROM :'nodes' (FORMAT csv, HEADER);
SELECT create_party(name) FROM
	(SELECT 'steward' UNION SELECT DISTINCT 'owner of ' || coalesce(model, 'CPUs') FROM node UNION SELECT DISTINCT qos FROM pod) AS p (name) \g /dev/null
SELECT create_pool('gpu', 'compute', 'gpu', 'steward', price => 1.85) AS gpu, create_pool('cpu', 'compute', 'core', 'steward', price => 0.031) AS cpu \g /dev/null
SELECT invite(pool, party, role), accept(pool, party, role)
	FROM (SELECT DISTINCT 'gpu', 'owner of ' || model, 'provider' FROM node WHERE gpu > 0
		UNION ALL SELECT DISTINCT 'cpu', 'owner of ' || coalesce(model, 'CPUs'), 'provider' FROM node
		UNION ALL SELECT DISTINCT p, qos, 'consumer' FROM pod, unnest(ARRAY['gpu', 'cpu']) AS p) AS m (pool, party, role) \g /dev/null
SELECT add_supply('gpu', 'owner of ' || model, sum(gpu), '[1970-01-01, 1971-01-01)') FROM node WHERE gpu > 0 GROUP BY model
	UNION ALL
	SELECT add_supply('cpu', 'owner of ' || coalesce(model, 'CPUs'), sum(cpu_milli) / 1000, '[1970-01-01, 1971-01-01)') FROM node GROUP BY model \g /dev/null
CREATE TEMP VIEW lease_of_pod AS
	SELECT CASE WHEN gpus > 0 THEN 'gpu' ELSE 'cpu' END AS pool, qos AS consumer,
		CASE WHEN gpus > 0 THEN gpus ELSE cpu_milli / 1000.0 END AS quantity, during, name AS reference
	FROM scheduled;

SELECT is(import_leases('lease_of_pod'), 7255::bigint, 'import: every lease is admitted');
SELECT is(sum(capacity), profile('[1970-01-01, 1971-01-01)'::tstzrange, 6212), 'import: 6,212 GPUs are supplied') FROM calendar WHERE pool_id = pool_id('gpu');
SELECT is(sum(booked), (SELECT gpus FROM load), 'import: the calendar is the load') FROM calendar WHERE pool_id = pool_id('gpu');
SELECT is(sum(deficit), '{}'::profile, 'import: nothing is overbooked') FROM calendar;
SELECT is(sum(leases), 6203::numeric, 'cost_report: leases') FROM cost_report('gpu', '[1970-01-01, 1971-01-01)');
SELECT is(sum(unit_hours), 51470.674158, 'cost_report: GPU-hours') FROM cost_report('gpu', '[1970-01-01, 1971-01-01)');
SELECT is(sum(cost), round(185294426.970 * 1.85 / 3600, 2), 'cost_report: cost') FROM cost_report('gpu', '[1970-01-01, 1971-01-01)');
SELECT is(sum(share), 1::numeric, 'cost_report: shares') FROM cost_report('gpu', '[1970-01-01, 1971-01-01)');
SELECT is(sum(revenue), (SELECT sum(cost) FROM cost_report(pool, '[1970-01-01, 1971-01-01)')), 'revenue_report: what ' || pool || ' costs is what it earns')
FROM unnest(ARRAY['cpu', 'gpu']) AS pool, revenue_report(pool, '[1970-01-01, 1971-01-01)') GROUP BY pool ORDER BY pool;
SELECT is(sum(share), 1::numeric, 'revenue_report: shares') FROM revenue_report('gpu', '[1970-01-01, 1971-01-01)');
SELECT is(array[leased_unit_hours, peak, capacity_unit_hours], array[51470.674158, 65.59, 6212 * 8760], 'utilization_report: the whole year')
FROM utilization_report('gpu', '[1970-01-01, 1971-01-01)', '1 year');

-- ----------
-- SWF: LCG (with its donor sites and virtual organisations) and NASA
-- ----------
CREATE TEMP TABLE job (
	id bigint, submit bigint, wait bigint, run bigint, processors bigint, cpu numeric, memory bigint, requested bigint,
	requested_time bigint, requested_memory bigint, status bigint, user_id bigint, group_id bigint, executable bigint,
	queue bigint, partition bigint, preceding bigint, think bigint
);
COPY job FROM PROGRAM :'lcg';
SELECT is(count(*), 188041::bigint, 'LCG: jobs') FROM job;
SELECT is(integral(load, '(,)', '1 second'), 1502530759::numeric, 'LCG: processor-seconds') || E'\n' ||
	is(peak(load), 3359::numeric, 'LCG: peak') || E'\n' ||
	is(peak_at(load), pg_temp.at(754021), 'LCG: when')
FROM (SELECT load_profile(tstzrange(pg_temp.at(submit), pg_temp.at(submit + greatest(run, 0))), processors) AS load FROM job) AS l;
SELECT is(array[group_id::numeric, round(unit_hours * 3600)], array[4, 1009538099::numeric], 'LCG: the group that used most')
FROM (SELECT group_id, unit_hours(tstzrange(pg_temp.at(submit), pg_temp.at(submit + greatest(run, 0))), processors, '(,)') FROM job GROUP BY 1 ORDER BY 2 DESC LIMIT 1) AS g;
SELECT is(array[partition::numeric, round(unit_hours * 3600)], array[40, 344432239::numeric], 'LCG: the site that gave most')
FROM (SELECT partition, unit_hours(tstzrange(pg_temp.at(submit), pg_temp.at(submit + greatest(run, 0))), processors, '(,)') FROM job GROUP BY 1 ORDER BY 2 DESC LIMIT 1) AS p;

TRUNCATE job;
COPY job FROM PROGRAM :'nasa';
SELECT is(array[integral(load, '(,)', '1 second'), peak(load)], array[474238015::numeric, 176], 'NASA: processor-seconds and peak') || E'\n' ||
	is(peak_at(load), pg_temp.at(3010441), 'NASA: when')
FROM (SELECT load_profile(tstzrange(pg_temp.at(submit), pg_temp.at(submit + greatest(run, 0))), processors) AS load FROM job) AS l;

-- ----------
-- sacct
-- ----------
CREATE TEMP TABLE sacct (line text);
COPY sacct FROM PROGRAM :'sacct' (FORMAT text, DELIMITER E'\x01');
CREATE TEMP TABLE step AS
	SELECT f[14]::timestamptz AS stop, tstzrange(f[13]::timestamptz, f[14]::timestamptz) AS during, f[19]::bigint AS ncpus
	FROM (SELECT string_to_array(line, '|') AS f FROM sacct) AS s
	WHERE f[13] <> 'Unknown' AND f[14] <> 'Unknown' AND f[13]::timestamptz <= f[14]::timestamptz;
SELECT is(integral(load, '(,)', '1 second'), 259143395::numeric, 'sacct: CPU-seconds') || E'\n' ||
	is(peak(load), 1159::numeric, 'sacct: peak') || E'\n' ||
	is(peak_at(load), pg_temp.at(1483177680), 'sacct: when')
FROM (SELECT load_profile(during, ncpus) AS load FROM step) AS l;

SELECT * FROM finish();
ROLLBACK;
