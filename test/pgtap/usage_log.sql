-- Real logs give the figures that are known to be true for them, and are
-- recorded once, in whatever pieces they come.
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
SELECT :'data' <> '' AND (pg_stat_file(:'data' || '/sacct/xdmod-pozidriv.sacct.gz', true)).size IS NOT NULL AS present,
	'jobid,jobidraw,cluster,partition,qos,account,group,gid,user,uid,submit,eligible,start,end,elapsed,exitcode,state,nnodes,ncpus,reqcpus,reqmem,reqtres,alloctres,timelimit,nodelist,jobname' AS fields
\gset
\if :present
\else
	\echo '1..0 # SKIP: no real data (SHARECOLLAB_DATA): the imports of usage are NOT CHECKED'
	\quit
\endif

BEGIN;
SELECT plan(22);

CREATE TEMP TABLE line (log text, number bigserial, line text);
CREATE FUNCTION pg_temp.read(log text, file text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE line ALTER log SET DEFAULT %L', log);
	EXECUTE format('COPY line (line) FROM PROGRAM %L (FORMAT csv, DELIMITER E''\x01'', QUOTE E''\x02'')', 'zcat ' || quote_literal(file));
END $$;
SELECT pg_temp.read('sacct', :'data' || '/sacct/xdmod-pozidriv.sacct.gz'), pg_temp.read('lcg', :'data' || '/swf/LCG-2005-1.swf.gz'),
	pg_temp.read('nasa', :'data' || '/swf/NASA-iPSC-1993-3.1-cln.swf.gz');
CREATE TEMP TABLE whole AS SELECT log AS name, string_agg(line, E'\n' ORDER BY number) AS log FROM line GROUP BY log;

-- ----------
-- What is known of them
-- ----------
CREATE TEMP TABLE sacct AS SELECT u.* FROM whole AS w, sacct_usage(w.log, :'fields', provider => 'cluster') AS u WHERE w.name = 'sacct';
SELECT is(sum(quantity), 259143395::numeric, 'sacct: CPU-seconds') FROM sacct WHERE meter = 'cpu';
SELECT is(count(DISTINCT consumer), 7::bigint, 'sacct: accounts') FROM sacct;
SELECT is(count(DISTINCT labels ->> 'user'), 18::bigint, 'sacct: users') FROM sacct;
SELECT is(peak(load_profile(during, quantity / extract(epoch FROM upper(during) - lower(during)))), 1159::numeric, 'sacct: peak of CPUs') FROM sacct WHERE meter = 'cpu';
SELECT is(count(*), count(DISTINCT source_key), 'sacct: each has a key of its own') FROM sacct;
-- plain SQL over the lines, with the memory in MiB
SELECT results_eq($$SELECT meter, count(*), sum(quantity) FROM sacct GROUP BY meter ORDER BY meter$$,
	$$SELECT split_part(t, '=', 1), count(*), sum(CASE WHEN t LIKE 'mem=%G' THEN 1.0 WHEN t LIKE 'mem=%M' THEN 1 / 1024.0 ELSE 1 END
		* rtrim(split_part(t, '=', 2), 'MG')::numeric * extract(epoch FROM split_part(line, '|', 14)::timestamp - split_part(line, '|', 13)::timestamp))
	FROM line, string_to_table(split_part(line, '|', 23), ',') AS t
	WHERE log = 'sacct' AND split_part(line, '|', 14) <> split_part(line, '|', 13) GROUP BY 1 ORDER BY 1$$, 'sacct: as plain SQL reads it');

CREATE TEMP TABLE swf AS SELECT w.name, u.* FROM whole AS w, swf_usage(w.log, provider => CASE w.name WHEN 'lcg' THEN 'partition' END) AS u WHERE w.name <> 'sacct';
SELECT is(sum(quantity), 1502530759::numeric, 'LCG: processor-seconds') FROM swf WHERE name = 'lcg';
SELECT is(count(DISTINCT consumer), 28::bigint, 'LCG: virtual organisations') FROM swf WHERE name = 'lcg';
SELECT is(sum(quantity), 1009538099::numeric, 'LCG: the largest') FROM swf WHERE name = 'lcg' AND consumer = 'group 4';
SELECT is(sum(quantity), 344432239::numeric, 'LCG: the largest donor, by its name') FROM swf
WHERE name = 'lcg' AND provider = (SELECT regexp_replace(line, '^; Partition: +40 +(\S+) *$', '\1') FROM line WHERE log = 'lcg' AND line ~ '^; Partition: +40 ');
SELECT is(count(*), (SELECT count(*) FROM line WHERE log = 'lcg' AND line ~ '^ *[0-9]+ +[0-9]+ +[-0-9]+ +[1-9]'), 'LCG: jobs that ran')
FROM swf WHERE name = 'lcg';
SELECT is(sum(quantity), 474238015::numeric, 'NASA: processor-seconds') FROM swf WHERE name = 'nasa';
SELECT is(peak(load_profile(during, quantity / extract(epoch FROM upper(during) - lower(during)))), 176::numeric, 'NASA: peak') FROM swf WHERE name = 'nasa';
SELECT results_eq(format($$SELECT meter, count(*), round(sum(quantity), 6) FROM opencost_usage(pg_read_file(%L)) GROUP BY meter ORDER BY meter COLLATE "C"$$, :'data' || '/focus/opencost_export_sample.csv'),
	$$VALUES ('cpu', 2::bigint, 1728.00::numeric), ('network_receive', 2, round((218111585.010404 + 212036692.55668178) / 1073741824, 6)),
		('network_transfer', 2, round((57502870.15291049 + 57170568.83113373) / 1073741824, 6)),
		('ram', 2, round((145796482.84444442 + 144941027.5555558) * 86400 / 1073741824, 6))$$, 'OpenCost: the larger of request and usage');

-- ----------
-- Recorded: in pieces, out of order, some of them twice, once with lines that cannot be read
-- ----------
SELECT create_party('log steward');
SELECT create_party(p) FROM (SELECT DISTINCT consumer AS p FROM sacct UNION SELECT DISTINCT provider FROM sacct) AS p WHERE p NOT IN (SELECT name FROM party);
SELECT create_pool('log pool', 'compute', 'cpu', 'log steward');
SELECT throws_ok($$SELECT import_sacct('log pool', '1|x', 'jobid,account')$$, '22P02', NULL, 'not even what it needs');
CREATE TEMP TABLE piece AS
	SELECT piece, string_agg(line, E'\n' ORDER BY number) || CASE WHEN piece % 3 = 0 THEN E'\nnonsense\n' ELSE E'\n' END AS log
	FROM (SELECT number, line, ntile(12) OVER (ORDER BY number) + r AS piece FROM line, generate_series(0, 1) AS r WHERE log = 'sacct') AS l
	GROUP BY piece;
CREATE TEMP TABLE imported AS
	SELECT p.piece, i.* FROM (SELECT * FROM piece ORDER BY hashint4(piece::integer)) AS p,
		import_sacct('log pool', p.log, :'fields', provider => 'cluster', meters => '{cpu}', on_error => 'skip') AS i;
SELECT is(sum(inserted), (SELECT count(*) FROM sacct WHERE meter = 'cpu')::numeric, 'each once') FROM imported;
SELECT is(sum(skipped), sum(inserted), 'and once more, which changes nothing') FROM imported;
SELECT is(sum(unreadable), 4::numeric, 'lines that could not be read') FROM imported;
SELECT results_eq($$SELECT c.name, v.name, u.meter COLLATE "default", u.quantity, u.during, u.labels, u.source_key COLLATE "default" FROM usage AS u JOIN party AS c ON c.party_id = u.consumer_id
		JOIN party AS v ON v.party_id = u.provider_id WHERE u.source = 'sacct' AND u.pool_id = pool_id('log pool') ORDER BY u.source_key$$,
	$$SELECT consumer, provider, meter, quantity, during, labels, source_key FROM sacct WHERE meter = 'cpu' ORDER BY source_key COLLATE "C"$$, 'as it was read');
SELECT throws_ok(format($$SELECT import_sacct('log pool', %L, %L)$$, (SELECT replace(log, '|cpu=', '|cpu=1') FROM piece WHERE piece = 1), :'fields'), '23505', NULL, 'the same job otherwise');
SELECT throws_ok(format($$SELECT import_sacct('log pool', %L, %L, consumer => 'user', source => 'other')$$, (SELECT log FROM piece WHERE piece = 1), :'fields'), '42704', NULL, 'an unknown party');
SELECT throws_ok($$SELECT import_swf('log pool', '1 2 3')$$, '22P02', NULL, 'not this format');

SELECT * FROM finish();
ROLLBACK;
