-- usage_log.sql: usage from the logs of others

SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SET search_path = sharecollab, public;
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set helpers :srcdir '/helpers.sql'
\i :helpers
\set ECHO all
\pset null '-'

-- sacct -P: steps, what is pending or runs, a requeued job, what was suspended
\set sacct 'JobIDRaw|Cluster|Partition|QOS|Account|User|State|Start|End|ElapsedRaw|AllocTRES|JobName\n100|c1|gpu|normal|physics|ann|COMPLETED|2026-03-01T00:00:00|2026-03-01T01:00:00|3600|billing=8,cpu=8,gres/gpu=2,gres/gpu:a100=2,mem=64G,node=1,energy=1000|train\n100.batch|c1||||ann|COMPLETED|2026-03-01T00:00:00|2026-03-01T01:00:00|3600|cpu=8,mem=64G,node=1|batch\n101|c1|gpu|normal|physics|bob|PENDING|Unknown|Unknown|0||wait\n102|c1|gpu|normal|physics|bob|RUNNING|2026-03-01T00:00:00|Unknown|50|cpu=1|runs\n\n103|c1|gpu|normal|chemistry|bob|NODE_FAIL|2026-03-01T00:00:00|2026-03-01T00:00:10|10|cpu=1,mem=1536M|again\n103|c1|gpu|normal|chemistry|bob|COMPLETED|2026-03-01T02:00:00|2026-03-01T02:01:00|30|cpu=1,mem=1500|again\n104|c1|gpu|normal|chemistry|bob|CANCELLED by 5|2026-03-01T02:00:00|2026-03-01T02:00:00|0|cpu=1|never\n'
SELECT e.* FROM sacct_usage(replace(:'sacct', '\n', E'\n')) AS e;
-- the same with the fields told, the ends of lines of Windows, sacct -p, days, CPUs only, by user, in another time zone
SELECT e.* FROM sacct_usage(E'7|2026-03-29T01:30:00|2026-03-29T03:30:00|4|ann|\r\n8|2026-03-01T00:00:00|2026-03-03T01:02:03|1|bob|\r\n', 'jobid,start,end%30,ncpus,user%20',
	consumer => 'USER', time_zone => 'Europe/Berlin') AS e;
SELECT e.quantity, e.during FROM sacct_usage(E'JobID|Start|End|Elapsed|AllocCPUS|Account\n9|1772323200|1772409600|1-00:00:00|2|x\n') AS e;
-- parts that cannot be read
SELECT line, try(format('SELECT * FROM sacct_usage(%L)', E'JobID|Start|End|Elapsed|AllocTRES|Account\n1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|x\n' || line)) AS said
FROM unnest('{
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1,
	1|2026-02-30T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|x,
	1|2026-03-01 00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|x,
	1|2026-03-01T02:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|soon|cpu=1|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|-5|cpu=1|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1K|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=-1|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|mem=1Q|x,
	1|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|,
	|2026-03-01T00:00:00|2026-03-01T01:00:00|01:00:00|cpu=1|x,
	1|99999999999999999999|2026-03-01T01:00:00|01:00:00|cpu=1|x,
	1|9223372036854775807|2026-03-01T01:00:00|01:00:00|cpu=1|x
}'::text[]) AS line;
-- nothing of such a line, with on_error => 'skip'
SELECT e.consumer, e.meter FROM sacct_usage(E'JobID|Start|End|AllocTRES|Account\n1|2026-03-01T00:00:00|2026-03-01T01:00:00|cpu=1,mem|x\n2|2026-03-01T00:00:00|2026-03-01T01:00:00|cpu=1|x\n',
	on_error => 'skip') AS e;
SELECT try($$SELECT sacct_usage(NULL)$$);
SELECT try($$SELECT sacct_usage('', consumer => NULL)$$);
SELECT count(*) FROM sacct_usage('');
SELECT count(*) FROM sacct_usage(E'\n\n');
SELECT try($$SELECT sacct_usage(E'JobID|Start|End\n')$$);
SELECT try($$SELECT sacct_usage(E'JobID|Start|End|NCPUS\n')$$);
SELECT try($$SELECT sacct_usage(E'JobID|Start|End|NCPUS|Account\n', provider => 'Cluster')$$);
SELECT try($$SELECT sacct_usage(E'JobID|Start|End|NCPUS|Account\n', time_zone => 'Mars/Olympus')$$);
SELECT try($$SELECT sacct_usage(E'JobID|Start|End|NCPUS|Account\n', on_error => 'ignore')$$);

-- the Standard Workload Format
\set swf '; Version: 2.2\n; UnixStartTime: 1000000000\n; Group: 4 High Energy Physics\n;Partition: 2 lancs.ac.uk   \n; Note: 7 dwarfs\n  1 0 5 100 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1\n\t2 60 -1 50 -1 -1 -1 8 -1 -1 0 3 5 -1 0 3 -1 -1  \n3 60 -1 -1 4 -1 -1 -1 -1 -1 5 3 5 -1 -1 3 -1 -1\n4 60 -1 0 4 -1 -1 -1 -1 -1 5 3 5 -1 -1 3 -1 -1\n'
SELECT e.* FROM swf_usage(replace(replace(:'swf', '\n', E'\n'), '\t', E'\t'), provider => 'partition') AS e;
SELECT e.consumer, e.provider FROM swf_usage(replace(replace(:'swf', '\n', E'\n'), '\t', E'\t'), 'User', 'Queue') AS e;
SELECT line, try(format('SELECT * FROM swf_usage(%L)', E'; UnixStartTime: 0\n\n' || line)) AS said
FROM unnest('{
	1 0 5 100 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1,
	1 0 5 100 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1 7,
	1 zero 5 100 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1,
	1 0 5 100 2 -1 -1 -1 -1 -1 1 12 -1 -1 -1 2 -1 -1,
	1 0 5 100 2 -1 -1 -1 -1 -1 1 twelve 4 -1 -1 2 -1 -1,
	1 0 5 9223372036854775807 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1,
	1 9223372036854775807 5 1 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1
}'::text[]) AS line;
SELECT e.quantity FROM swf_usage(E'; UnixStartTime: 0\n1 0 0 9000000000 9223372036854775807 -1 -1 -1 -1 -1 1 1 4 -1 -1 2 -1 -1') AS e;
SELECT try($$SELECT swf_usage('1 0 5 100 2 -1 -1 -1 -1 -1 1 12 4 -1 -1 2 -1 -1', on_error => 'skip')$$);
SELECT try($$SELECT swf_usage('', consumer => 'team')$$);

-- OpenCost's CSV
CREATE TEMP TABLE opencost AS SELECT $$Date,Namespace,ControllerKind,ControllerName,Pod,Container,CPUCoreUsageAverage,CPUCoreRequestAverage,RAMBytesUsageAverage,RAMBytesRequestAverage,NetworkReceiveBytes,NetworkTransferBytes,GPUs,PVBytes,TotalCost,Labels,Label_team
2026-03-01,web,deployment,front,front-1,nginx,0.004746252978724761,0.01,536870912,0,1073741824,0,0,0,1.5,"{""app"":""a \""quoted\"" one"",""team"":""red"",""pod"":""no""}",red
2026-03-01,ml,,,train-1,"py,torch",2.5e+00,1,1.5E9,,,,8,5368709120,9,,"blue
team"
$$ AS log;
SELECT e.* FROM opencost, opencost_usage(log) AS e;
SELECT DISTINCT e.consumer, e.provider FROM opencost, opencost_usage(log, consumer => 'label_team', provider => 'ControllerName') AS e ORDER BY 1;
SELECT line, try(format('SELECT * FROM opencost_usage(%L)', E'Date,Namespace,GPUs,Labels\n2026-03-01,x,1,\n' || line)) AS said
FROM unnest(ARRAY[
	'2026-03-01,x,1', '2026-3-1,x,1,', '2026-13-01,x,1,', '2026-03-01,,1,', '2026-03-01,x,-1,', '2026-03-01,x,NaN,', '2026-03-01,x,1e9999,',
	'2026-03-01,x,1,{', '2026-03-01,x,1,[]', '2026-03-01,"x,1,', '2026-03-01,"x"y,1,', '1772323200,x,1,'
]) AS line;
-- what follows a line that cannot be read
SELECT e.source_key FROM opencost_usage(E'Date,Namespace,GPUs\n2026-03-01,"x"y,1\n2026-03-02,"a ""b"" c",1\n', on_error => 'skip') AS e;
SELECT try($$SELECT opencost_usage(E'Date,Namespace\n')$$);
SELECT try($$SELECT opencost_usage(E'Day,Namespace,GPUs\n')$$);
DROP FUNCTION try, calendar_differences;
