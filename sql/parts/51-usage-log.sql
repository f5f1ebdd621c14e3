-- 51-usage-log.sql
--		Usage from the logs of others: sacct, the Standard Workload Format, OpenCost.
--		C code: src/usage_log.c

CREATE TYPE usage_entry AS (
	consumer	text,
	provider	text,
	meter		text,
	quantity	numeric,
	during		tstzrange,
	labels		jsonb,
	source_key	text
);
ALTER TYPE usage_entry OWNER TO @extowner@;
COMMENT ON TYPE usage_entry IS 'What a log says of one thing that was metered; all columns NULL for a line that cannot be read.';
COMMENT ON COLUMN usage_entry.consumer IS 'Name of who used it.';
COMMENT ON COLUMN usage_entry.provider IS 'Name of whose it was; NULL if the log does not say.';
COMMENT ON COLUMN usage_entry.meter IS 'What was metered.';
COMMENT ON COLUMN usage_entry.quantity IS 'How much, exactly: units times seconds, memory in GiB times seconds, what was transferred in GiB, energy in joules.';
COMMENT ON COLUMN usage_entry.during IS 'When.';
COMMENT ON COLUMN usage_entry.labels IS 'What else the log says, as texts.';
COMMENT ON COLUMN usage_entry.source_key IS 'What it is called: the same again for the same line, whatever piece of the log it is in.';

CREATE FUNCTION sacct_usage(log text, fields text DEFAULT NULL, consumer text DEFAULT 'Account', provider text DEFAULT NULL,
	time_zone text DEFAULT 'UTC', on_error text DEFAULT 'error') RETURNS SETOF usage_entry
	AS 'MODULE_PATHNAME', 'sacct_usage' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10000;
COMMENT ON FUNCTION sacct_usage(text, text, text, text, text, text) IS
'What Slurm''s "sacct -P" prints as usage: for each job that has ended, a row for each resource that it had (AllocTRES: cpu, mem, node, billing, gres/gpu, ...; else AllocCPUS or NCPUS as cpu), times the seconds of ElapsedRaw or Elapsed, else from Start to End. Steps are a part of their job. Needs JobIDRaw or JobID, Start, End and a resource; fields are those given to sacct''s --format, NULL if the first line has them. Consumer and provider are the values of those fields; cluster, partition, qos, account, group, user, state and jobname become labels. Times are local to the time zone, or seconds since 1970. Errors: 22P02 for what cannot be read, with its line, unless on_error is skip; 22023 no such field, time zone or on_error; 22004 null.';

CREATE FUNCTION swf_usage(log text, consumer text DEFAULT 'group', provider text DEFAULT NULL, on_error text DEFAULT 'error')
	RETURNS SETOF usage_entry
	AS 'MODULE_PATHNAME', 'swf_usage' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10000;
COMMENT ON FUNCTION swf_usage(text, text, text, text) IS
'A log in the Standard Workload Format as usage: for each job that ran, its processors (those that it requested if the log does not know) times seconds, as cpu. Consumer and provider are one of user, group, queue, partition and executable, by the names that the header has for them ("; Partition: 12 rl.ac.uk"), else as "group 4". Each piece of a log needs the lines of the header, at least UnixStartTime. Errors: 22P02 for what cannot be read, with its line, unless on_error is skip; 22023 no such field or on_error; 22004 null.';

CREATE FUNCTION opencost_usage(log text, fields text DEFAULT NULL, consumer text DEFAULT 'Namespace', provider text DEFAULT NULL,
	on_error text DEFAULT 'error') RETURNS SETOF usage_entry
	AS 'MODULE_PATHNAME', 'opencost_usage' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 ROWS 10000;
COMMENT ON FUNCTION opencost_usage(text, text, text, text, text) IS
'A CSV export of OpenCost as usage: for each container and day (of UTC) cpu and ram, each the larger of what was used and what was requested on average, gpu and pv, times the seconds of the day, and network_receive and network_transfer as they are. Memory and bytes are in GiB. Consumer and provider are the values of those columns, such as Namespace or Label_team; Kubernetes'' labels, namespace, controller, pod and container become labels. fields names the columns, with commas, where the first line does not. Errors: 22P02 for what cannot be read, with its line, unless on_error is skip; 22023 no such field or on_error; 22004 null.';

CREATE FUNCTION import_sacct(pool text, log text, fields text DEFAULT NULL, consumer text DEFAULT 'Account', provider text DEFAULT NULL,
	meters text[] DEFAULT NULL, source text DEFAULT 'sacct', time_zone text DEFAULT 'UTC', on_error text DEFAULT 'error',
	OUT inserted bigint, OUT skipped bigint, OUT unreadable bigint)
	AS 'MODULE_PATHNAME', 'import_sacct' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION import_sacct(text, text, text, text, text, text[], text, text, text) IS
'Records what sacct_usage() reads as usage of a pool, all of it or of some meters only. A log may come in pieces of whole lines, in any order and more than once: what was recorded before is skipped, and so are, with on_error skip, lines that cannot be read. Who may as record_usage(): a steward says source => ''gpu/sacct'' for pool gpu. Errors: 42501 the caller may not, SC004 no consumer or provider of the pool, 42704 unknown pool or party; 23505 if a job was recorded otherwise under the same source; 22P02, 22023 and 22004 as sacct_usage().';

CREATE FUNCTION import_swf(pool text, log text, consumer text DEFAULT 'group', provider text DEFAULT NULL,
	meters text[] DEFAULT NULL, source text DEFAULT 'swf', on_error text DEFAULT 'error',
	OUT inserted bigint, OUT skipped bigint, OUT unreadable bigint)
	AS 'MODULE_PATHNAME', 'import_swf' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION import_swf(text, text, text, text, text[], text, text) IS
'Records what swf_usage() reads as usage of a pool, as import_sacct() does. Jobs only have numbers: give each log a source of its own.';

CREATE FUNCTION import_opencost(pool text, log text, fields text DEFAULT NULL, consumer text DEFAULT 'Namespace', provider text DEFAULT NULL,
	meters text[] DEFAULT NULL, source text DEFAULT 'opencost', on_error text DEFAULT 'error',
	OUT inserted bigint, OUT skipped bigint, OUT unreadable bigint)
	AS 'MODULE_PATHNAME', 'import_opencost' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION import_opencost(text, text, text, text, text, text[], text, text) IS
'Records what opencost_usage() reads as usage of a pool, as import_sacct() does.';
