-- 10-types.sql
--		profile, a quantity over time: type, operators, measures, aggregates.
--		C code: src/profile.c, src/profile_ops.c, src/profile_agg.c

CREATE TYPE profile;

CREATE FUNCTION profile_in(cstring) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_in' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION profile_out(profile) RETURNS cstring
	AS 'MODULE_PATHNAME', 'profile_out' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION profile_recv(internal) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
CREATE FUNCTION profile_send(profile) RETURNS bytea
	AS 'MODULE_PATHNAME', 'profile_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE profile (
	INPUT = profile_in,
	OUTPUT = profile_out,
	RECEIVE = profile_recv,
	SEND = profile_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE profile IS
'A quantity over time, as a step function: a JSON object from instants to numbers. Right-continuous; 0 before the first instant, the last value holds to infinity; "-infinity" may be the first instant; {} is zero at all times. Exact decimals of 18 significant digits, shared between the largest value and the smallest fraction; a number that needs more is an error (22003). Equal profiles have equal bytes.';
COMMENT ON FUNCTION profile_in(cstring) IS 'Text input of profile; errors 22P02 (malformed), 22003 (out of range). Instants as timestamptz reads them, in any order, none twice.';
COMMENT ON FUNCTION profile_out(profile) IS 'Text output of profile: instants in ISO style in the session''s time zone, whatever DateStyle says.';
COMMENT ON FUNCTION profile_recv(internal) IS 'Binary input of profile: version byte (1), scale byte, int4 number of breakpoints, then timestamptz and int8 mantissa of each; error 22P03.';
COMMENT ON FUNCTION profile_send(profile) IS 'Binary output of profile; see profile_recv.';

-- constructors

CREATE FUNCTION profile(quantity numeric) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_constant' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile(quantity numeric) IS
'The same quantity at all times. Error 22003 if the number is not finite or has more than 18 significant digits.';

CREATE FUNCTION profile(period tstzrange, quantity numeric) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_of_period' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile(period tstzrange, quantity numeric) IS
'The quantity at each instant that the period contains, 0 at all others. timestamptz counts microseconds, so (a, starts one microsecond after a and ,b] ends one after b. Error 22003 as for profile(quantity).';

CREATE FUNCTION profile(periods tstzmultirange) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_of_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION profile(tstzmultirange) IS
'1 at each instant that the multirange contains, 0 at all others.';

CREATE CAST (tstzmultirange AS profile) WITH FUNCTION profile(tstzmultirange);
COMMENT ON CAST (tstzmultirange AS profile) IS '1 at each instant that the multirange contains, 0 at all others.';
CREATE CAST (profile AS jsonb) WITH INOUT;
COMMENT ON CAST (profile AS jsonb) IS 'The JSON object that is the text form; jsonb keeps its keys in an order of its own.';
CREATE CAST (jsonb AS profile) WITH INOUT;
COMMENT ON CAST (jsonb AS profile) IS 'From a JSON object of instants and numbers; errors as for text input.';

-- comparison

CREATE FUNCTION profile_eq(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_eq(profile, profile) IS
'Implements profile = profile.';

CREATE FUNCTION profile_ne(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_ne(profile, profile) IS
'Implements profile <> profile.';

CREATE FUNCTION profile_lt(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_lt(profile, profile) IS
'Implements profile < profile.';

CREATE FUNCTION profile_le(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_le(profile, profile) IS
'Implements profile <= profile.';

CREATE FUNCTION profile_gt(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_gt(profile, profile) IS
'Implements profile > profile.';

CREATE FUNCTION profile_ge(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_ge(profile, profile) IS
'Implements profile >= profile.';

CREATE FUNCTION profile_cmp(profile, profile) RETURNS integer
	AS 'MODULE_PATHNAME', 'profile_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_cmp(profile, profile) IS
'Implements the btree order of profile: by the values at the earliest instant where two profiles differ.';

CREATE FUNCTION profile_hash(profile) RETURNS integer
	AS 'MODULE_PATHNAME', 'profile_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_hash(profile) IS
'Implements hashing of profile.';

CREATE FUNCTION profile_hash_extended(profile, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'profile_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION profile_hash_extended(profile, bigint) IS
'Implements 64-bit hashing of profile.';

CREATE OPERATOR = (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR = (profile, profile) IS 'Are the two profiles the same at every instant?';

CREATE OPERATOR <> (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (profile, profile) IS 'Do the two profiles differ at some instant?';

CREATE OPERATOR < (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (profile, profile) IS 'Is the left profile less at the earliest instant where the two differ? (An order for sorting; for less at every instant see <@.)';

CREATE OPERATOR <= (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (profile, profile) IS 'Equal, or less at the earliest instant where the two differ?';

CREATE OPERATOR > (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (profile, profile) IS 'Greater at the earliest instant where the two differ?';

CREATE OPERATOR >= (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (profile, profile) IS 'Equal, or greater at the earliest instant where the two differ?';

CREATE OPERATOR CLASS profile_ops DEFAULT FOR TYPE profile USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 profile_cmp(profile, profile);
COMMENT ON OPERATOR CLASS profile_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on profile.';
COMMENT ON OPERATOR FAMILY profile_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on profile.';

CREATE OPERATOR CLASS profile_ops DEFAULT FOR TYPE profile USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 profile_hash(profile),
	FUNCTION 2 profile_hash_extended(profile, bigint);
COMMENT ON OPERATOR CLASS profile_ops USING hash IS 'GROUP BY, hash joins and hash indexes on profile.';
COMMENT ON OPERATOR FAMILY profile_ops USING hash IS 'GROUP BY, hash joins and hash indexes on profile.';

-- pointwise comparison and algebra

CREATE FUNCTION profile_contained(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_contained' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION profile_contained(profile, profile) IS
'Implements profile <@ profile.';

CREATE FUNCTION profile_contains(profile, profile) RETURNS boolean
	AS 'MODULE_PATHNAME', 'profile_contains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION profile_contains(profile, profile) IS
'Implements profile @> profile.';

CREATE FUNCTION profile_add(profile, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION profile_add(profile, profile) IS
'Implements profile + profile.';

CREATE FUNCTION profile_subtract(profile, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_subtract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION profile_subtract(profile, profile) IS
'Implements profile - profile.';

CREATE FUNCTION profile_multiply(profile, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_multiply' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION profile_multiply(profile, profile) IS
'Implements profile * profile.';

CREATE FUNCTION profile_multiply_numeric(profile, numeric) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_multiply_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION profile_multiply_numeric(profile, numeric) IS
'Implements profile * numeric.';

CREATE FUNCTION numeric_multiply_profile(numeric, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'numeric_multiply_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION numeric_multiply_profile(numeric, profile) IS
'Implements numeric * profile.';

CREATE FUNCTION profile_negate(profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_negate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION profile_negate(profile) IS
'Implements - profile.';

CREATE FUNCTION pointwise_min(profile, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_pointwise_min' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION pointwise_min(profile, profile) IS
'The lesser of two profiles at every instant.';

CREATE FUNCTION pointwise_max(profile, profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_pointwise_max' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION pointwise_max(profile, profile) IS
'The greater of two profiles at every instant.';

CREATE FUNCTION positive_part(profile profile) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_positive_part' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION positive_part(profile) IS
'The quantity where it is above zero, 0 elsewhere.';

CREATE FUNCTION clip(profile profile, during tstzrange) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_clip' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clip(profile, tstzrange) IS
'The profile during a period, 0 outside.';

CREATE OPERATOR <@ (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_contained,
	COMMUTATOR = @>, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (profile, profile) IS 'Is the left profile at most the right one at every instant?';

CREATE OPERATOR @> (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_contains,
	COMMUTATOR = <@, RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (profile, profile) IS 'Is the left profile at least the right one at every instant?';

CREATE OPERATOR + (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (profile, profile) IS 'Sum at every instant. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR - (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_subtract
);
COMMENT ON OPERATOR - (profile, profile) IS 'Difference at every instant. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR * (
	LEFTARG = profile, RIGHTARG = profile, FUNCTION = profile_multiply, COMMUTATOR = *
);
COMMENT ON OPERATOR * (profile, profile) IS 'Product at every instant: quantity times price, power times carbon intensity. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR * (
	LEFTARG = profile, RIGHTARG = numeric, FUNCTION = profile_multiply_numeric, COMMUTATOR = *
);
COMMENT ON OPERATOR * (profile, numeric) IS 'So many times the profile. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR * (
	LEFTARG = numeric, RIGHTARG = profile, FUNCTION = numeric_multiply_profile, COMMUTATOR = *
);
COMMENT ON OPERATOR * (numeric, profile) IS 'So many times the profile. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR - (RIGHTARG = profile, FUNCTION = profile_negate);
COMMENT ON OPERATOR - (NONE, profile) IS 'The negative at every instant.';

CREATE FUNCTION shift(profile profile, by interval) RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_shift' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION shift(profile, interval) IS
'The same, later by an interval of fixed length (a day is 24 hours), or earlier if it is negative. Errors: 22023 for months, 22008 if an instant goes out of range.';

CREATE FUNCTION repeat(profile profile, every interval, during tstzrange, time_zone text DEFAULT 'UTC') RETURNS profile
	AS 'MODULE_PATHNAME', 'profile_repeat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION repeat(profile, interval, tstzrange, text) IS
'A schedule from one example: what the profile says from its first finite instant on, for one period (a week, say), again in every period before and after, during a bounded time; 0 outside. Days and months are those of the time zone: nine o''clock stays nine o''clock when daylight saving time begins. Errors 22023: unbounded time, period not positive, unknown time zone.';

-- measures

CREATE FUNCTION value_at(profile profile, at timestamptz) RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_value_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION value_at(profile profile, at timestamptz) IS
'The quantity at an instant.';

CREATE FUNCTION integral(profile profile, during tstzrange, per interval DEFAULT '1 hour') RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_integral' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION integral(profile profile, during tstzrange, per interval) IS
'Quantity times time: the integral over a period, in quantity times the unit of time (unit-hours by default). The sum is exact; only the division by the unit is rounded, as numeric division does, to at least 16 significant digits. 0 for an empty period. Errors: 22003 if infinite or out of range, 22023 if the unit of time has months (which have no fixed length) or is not positive; a day is 24 hours.';

CREATE FUNCTION mean(profile profile, during tstzrange) RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION mean(profile profile, during tstzrange) IS
'The time-weighted mean: integral over the period divided by its length. NULL for an empty period; error 22023 for an unbounded one.';

CREATE FUNCTION peak(profile profile, during tstzrange DEFAULT '(,)') RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_peak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION peak(profile profile, during tstzrange) IS
'The largest quantity at any instant of the period (of all time, by default, which includes the 0 before the first breakpoint). NULL for an empty period.';

CREATE FUNCTION peak_at(profile profile, during tstzrange DEFAULT '(,)') RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'profile_peak_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION peak_at(profile profile, during tstzrange) IS
'The first instant of the period at which the quantity is the peak; -infinity if that holds from the beginning of time. NULL for an empty period.';

CREATE FUNCTION trough(profile profile, during tstzrange DEFAULT '(,)') RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_trough' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION trough(profile, tstzrange) IS
'The smallest quantity at any instant of the period (of all time, by default, which includes the 0 before the first breakpoint). NULL for an empty period.';

CREATE FUNCTION quantile(profile profile, during tstzrange, fraction numeric) RETURNS numeric
	AS 'MODULE_PATHNAME', 'profile_quantile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION quantile(profile, tstzrange, numeric) IS
'The least quantity that is not exceeded for that fraction of the period: percentile_disc weighted by time. With 0.95 it is what 95th-percentile billing charges for, without sampling. NULL for an empty period. Errors: 22003 for a fraction outside 0 to 1, 22023 for an unbounded period.';

CREATE FUNCTION duration_above(profile profile, threshold numeric, during tstzrange DEFAULT '(,)') RETURNS interval
	AS 'MODULE_PATHNAME', 'profile_duration_above' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION duration_above(profile, numeric, tstzrange) IS
'For how long, in hours, minutes and seconds, the quantity is greater than a threshold during the period. Error 22015 if that is infinite.';

CREATE FUNCTION earliest_fit(profile profile, quantity numeric, duration interval, during tstzrange, nth integer DEFAULT 1) RETURNS tstzrange
	AS 'MODULE_PATHNAME', 'profile_earliest_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION earliest_fit(profile, numeric, interval, tstzrange, integer) IS
'In a profile of what is free: the first period of a duration, within a time, throughout which the quantity is free; with nth, that in the nth stretch of time that is free for long enough. NULL if there is none. Errors 22023: duration not positive or with months, time without a start, nth below 1.';

CREATE FUNCTION sparkline(profile profile, during tstzrange, width integer DEFAULT 60) RETURNS text
	AS 'MODULE_PATHNAME', 'profile_sparkline' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION sparkline(profile, tstzrange, integer) IS
'The peaks of so many equal pieces of a bounded period as a line of block characters, from the lowest (for the least of them or 0) to the full block (for the greatest of them or 0). NULL for an empty period; errors 22023 for an unbounded one or a width outside 1 to 10000.';

CREATE FUNCTION profile_rows_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'profile_rows_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION profile_rows_support(internal) IS 'Planner support: how many rows steps and buckets return.';

CREATE FUNCTION steps(profile profile, during tstzrange DEFAULT '(,)', OUT period tstzrange, OUT quantity numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'profile_steps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 100
	SUPPORT profile_rows_support;
COMMENT ON FUNCTION steps(profile, tstzrange) IS
'The constant pieces of a profile, in order of time: half-open periods that together make up the given one (all time, by default), each with its quantity, 0 included. No rows for an empty period.';

CREATE FUNCTION buckets(profile profile, during tstzrange, bucket interval, time_zone text DEFAULT 'UTC',
	OUT period tstzrange, OUT mean numeric, OUT peak numeric, OUT integral numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'profile_buckets' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 100
	SUPPORT profile_rows_support;
COMMENT ON FUNCTION buckets(profile, tstzrange, interval, text) IS
'A bounded period in pieces of equal length, the last one cut at its end: each with its time-weighted mean, its peak and its integral (unit-hours). Days and months are those of the time zone, so that a day of a change of daylight saving time has 23 or 25 hours. Errors 22023: unbounded period, bucket not positive, unknown time zone.';

-- aggregates

CREATE FUNCTION load_profile_transition(internal, tstzrange, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'load_profile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION load_profile_transition(internal, tstzrange, numeric) IS 'Implements load_profile.';
CREATE FUNCTION sum_profile_transition(internal, profile) RETURNS internal
	AS 'MODULE_PATHNAME', 'sum_profile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION sum_profile_transition(internal, profile) IS 'Implements sum(profile).';
CREATE FUNCTION load_profile_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'load_profile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION load_profile_combine(internal, internal) IS 'Implements load_profile and sum(profile).';
CREATE FUNCTION load_profile_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'load_profile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION load_profile_serialize(internal) IS 'Implements load_profile and sum(profile).';
CREATE FUNCTION load_profile_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'load_profile_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION load_profile_deserialize(bytea, internal) IS 'Implements load_profile and sum(profile).';
CREATE FUNCTION load_profile_final(internal) RETURNS profile
	AS 'MODULE_PATHNAME', 'load_profile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION load_profile_final(internal) IS 'Implements load_profile, gauge_profile and sum(profile).';

CREATE FUNCTION load_profile_transition(internal, tstzrange, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'load_profile_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION load_profile_transition(internal, tstzrange, bigint) IS 'Implements load_profile.';
CREATE FUNCTION load_profile_transition(internal, tstzrange, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'load_profile_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION load_profile_transition(internal, tstzrange, integer) IS 'Implements load_profile.';
CREATE FUNCTION gauge_profile_transition(internal, timestamptz, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'gauge_profile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION gauge_profile_transition(internal, timestamptz, numeric) IS 'Implements gauge_profile.';
CREATE AGGREGATE load_profile(period tstzrange, quantity numeric) (
	SFUNC = load_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = load_profile_final,
	COMBINEFUNC = load_profile_combine,
	SERIALFUNC = load_profile_serialize,
	DESERIALFUNC = load_profile_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE load_profile(tstzrange, numeric) IS
'The sum, at every instant, of the quantities of the periods that contain it: leases to load, supply to capacity. Rows with NULL in either argument are left out; NULL if no rows are left. Exact, in any order and in parallel. Error 22003 if a value needs more than 18 significant digits. (Sweep line over weighted intervals.)';

CREATE AGGREGATE load_profile(period tstzrange, quantity bigint) (
	SFUNC = load_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = load_profile_final,
	COMBINEFUNC = load_profile_combine,
	SERIALFUNC = load_profile_serialize,
	DESERIALFUNC = load_profile_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE load_profile(tstzrange, bigint) IS
'As load_profile(tstzrange, numeric), for bigint quantities.';

CREATE AGGREGATE load_profile(period tstzrange, quantity integer) (
	SFUNC = load_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = load_profile_final,
	COMBINEFUNC = load_profile_combine,
	SERIALFUNC = load_profile_serialize,
	DESERIALFUNC = load_profile_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE load_profile(tstzrange, integer) IS
'As load_profile(tstzrange, numeric), for integer quantities.';

CREATE AGGREGATE gauge_profile(at timestamptz, value numeric) (
	SFUNC = gauge_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = load_profile_final,
	COMBINEFUNC = load_profile_combine,
	SERIALFUNC = load_profile_serialize,
	DESERIALFUNC = load_profile_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE gauge_profile(timestamptz, numeric) IS
'The profile of samples, each of which holds until the next one: a gauge, a price list. Rows with NULL in either argument are left out; NULL if no rows are left. Errors: 21000 if one instant has two values, 22003.';

CREATE AGGREGATE sum(profile) (
	SFUNC = sum_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = load_profile_final,
	COMBINEFUNC = load_profile_combine,
	SERIALFUNC = load_profile_serialize,
	DESERIALFUNC = load_profile_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(profile) IS
'The sum of profiles at every instant; NULL rows are left out, NULL if no rows are left. Exact, in any order and in parallel. Error 22003 if a value needs more than 18 significant digits.';

CREATE FUNCTION max_profile_transition(internal, profile) RETURNS internal
	AS 'MODULE_PATHNAME', 'max_profile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION max_profile_transition(internal, profile) IS 'Implements max(profile).';
CREATE FUNCTION max_profile_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'max_profile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION max_profile_combine(internal, internal) IS 'Implements max(profile).';
CREATE FUNCTION max_profile_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'max_profile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION max_profile_serialize(internal) IS 'Implements max(profile).';
CREATE FUNCTION max_profile_final(internal) RETURNS profile
	AS 'MODULE_PATHNAME', 'max_profile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION max_profile_final(internal) IS 'Implements max(profile).';
CREATE FUNCTION min_profile_transition(internal, profile) RETURNS internal
	AS 'MODULE_PATHNAME', 'min_profile_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION min_profile_transition(internal, profile) IS 'Implements min(profile).';
CREATE FUNCTION min_profile_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'min_profile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION min_profile_combine(internal, internal) IS 'Implements min(profile).';
CREATE FUNCTION min_profile_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'min_profile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION min_profile_serialize(internal) IS 'Implements min(profile).';
CREATE FUNCTION min_profile_final(internal) RETURNS profile
	AS 'MODULE_PATHNAME', 'min_profile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION min_profile_final(internal) IS 'Implements min(profile).';
CREATE FUNCTION pointwise_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'pointwise_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pointwise_deserialize(bytea, internal) IS 'Implements max(profile) and min(profile).';

CREATE AGGREGATE max(profile) (
	SFUNC = max_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = max_profile_final,
	COMBINEFUNC = max_profile_combine,
	SERIALFUNC = max_profile_serialize,
	DESERIALFUNC = pointwise_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(profile) IS
'The greatest of profiles at every instant (not one of them: see the order of profile for that); NULL rows are left out, NULL if no rows are left.';

CREATE AGGREGATE min(profile) (
	SFUNC = min_profile_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = min_profile_final,
	COMBINEFUNC = min_profile_combine,
	SERIALFUNC = min_profile_serialize,
	DESERIALFUNC = pointwise_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(profile) IS
'The least of profiles at every instant (not one of them: see the order of profile for that); NULL rows are left out, NULL if no rows are left.';

CREATE FUNCTION unit_hours_transition(internal, tstzrange, numeric, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'unit_hours_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unit_hours_transition(internal, tstzrange, numeric, tstzrange) IS 'Implements unit_hours.';
CREATE FUNCTION unit_hours_transition(internal, tstzrange, bigint, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'unit_hours_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unit_hours_transition(internal, tstzrange, bigint, tstzrange) IS 'Implements unit_hours.';
CREATE FUNCTION unit_hours_transition(internal, tstzrange, integer, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'unit_hours_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unit_hours_transition(internal, tstzrange, integer, tstzrange) IS 'Implements unit_hours.';
CREATE FUNCTION utilization_transition(internal, tstzrange, numeric, numeric, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'utilization_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION utilization_transition(internal, tstzrange, numeric, numeric, tstzrange) IS 'Implements utilization.';
CREATE FUNCTION unit_time_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'unit_time_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unit_time_combine(internal, internal) IS 'Implements unit_hours and utilization.';
CREATE FUNCTION unit_time_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'unit_time_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION unit_time_serialize(internal) IS 'Implements unit_hours and utilization.';
CREATE FUNCTION unit_time_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'unit_time_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION unit_time_deserialize(bytea, internal) IS 'Implements unit_hours and utilization.';
CREATE FUNCTION unit_hours_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME', 'unit_hours_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unit_hours_final(internal) IS 'Implements unit_hours.';
CREATE FUNCTION utilization_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME', 'utilization_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION utilization_final(internal) IS 'Implements utilization.';

CREATE AGGREGATE unit_hours(period tstzrange, quantity numeric, during tstzrange) (
	SFUNC = unit_hours_transition,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = unit_hours_final,
	COMBINEFUNC = unit_time_combine,
	SERIALFUNC = unit_time_serialize,
	DESERIALFUNC = unit_time_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE unit_hours(tstzrange, numeric, tstzrange) IS
'The sum of quantity times hours of the period within "during": the same as integral(load_profile(period, quantity), during), in linear time and constant space. Rows with a NULL argument are left out; NULL if no rows are left. The sum is exact; only the division by an hour is rounded, to at least 16 significant digits. Error 22003 if infinite or out of range.';

CREATE AGGREGATE unit_hours(period tstzrange, quantity bigint, during tstzrange) (
	SFUNC = unit_hours_transition,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = unit_hours_final,
	COMBINEFUNC = unit_time_combine,
	SERIALFUNC = unit_time_serialize,
	DESERIALFUNC = unit_time_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE unit_hours(tstzrange, bigint, tstzrange) IS
'As unit_hours(tstzrange, numeric, tstzrange), for bigint quantities.';

CREATE AGGREGATE unit_hours(period tstzrange, quantity integer, during tstzrange) (
	SFUNC = unit_hours_transition,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = unit_hours_final,
	COMBINEFUNC = unit_time_combine,
	SERIALFUNC = unit_time_serialize,
	DESERIALFUNC = unit_time_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE unit_hours(tstzrange, integer, tstzrange) IS
'As unit_hours(tstzrange, numeric, tstzrange), for integer quantities.';

CREATE AGGREGATE utilization(period tstzrange, quantity numeric, capacity numeric, during tstzrange) (
	SFUNC = utilization_transition,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = utilization_final,
	COMBINEFUNC = unit_time_combine,
	SERIALFUNC = unit_time_serialize,
	DESERIALFUNC = unit_time_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE utilization(tstzrange, numeric, numeric, tstzrange) IS
'The fraction of a constant capacity that was in use during a time: unit-hours used divided by unit-hours available; above 1 if more was used than available, never clipped. Capacity and time must be the same in every row (error 22023). Rows with a NULL argument are left out; NULL if no rows are left or nothing was available. For a capacity that changes, divide integrals of profiles. (Allocated / Reported in Slurm''s terms.)';

CREATE FUNCTION decayed_transition(internal, tstzrange, numeric, interval, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME', 'decayed_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION decayed_transition(internal, tstzrange, numeric, interval, timestamptz) IS 'Implements decayed.';
CREATE FUNCTION decayed_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'decayed_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION decayed_combine(internal, internal) IS 'Implements decayed.';
CREATE FUNCTION decayed_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'decayed_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_serialize(internal) IS 'Implements decayed.';
CREATE FUNCTION decayed_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'decayed_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION decayed_deserialize(bytea, internal) IS 'Implements decayed.';
CREATE FUNCTION decayed_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME', 'decayed_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION decayed_final(internal) IS 'Implements decayed.';

CREATE AGGREGATE decayed(period tstzrange, quantity numeric, half_life interval, at timestamptz) (
	SFUNC = decayed_transition,
	STYPE = internal,
	SSPACE = 64,
	FINALFUNC = decayed_final,
	COMBINEFUNC = decayed_combine,
	SERIALFUNC = decayed_serialize,
	DESERIALFUNC = decayed_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE decayed(tstzrange, numeric, interval, timestamptz) IS
'Unit-hours used up to an instant, of which half is forgotten in every half-life after they were used: the measure of past use in fair share. In closed form, q h/ln 2 (2^-((t-e)/h) - 2^-((t-s)/h)) for a quantity q on [s, e) seen at t; what comes after the instant does not count. Each row is rounded to 10^-9 unit-seconds, the sum of them is exact. Half-life (of fixed length: no months) and instant must be the same in every row (22023). Rows with a NULL argument are left out; NULL if no rows are left. (What Slurms PriorityDecayHalfLife approximates.)';
