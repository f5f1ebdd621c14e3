-- 14-activity.sql
--		activity, what each party did and when: type, operators, what is read from
--		it, aggregates.
--		C code: src/activity.c, src/activity_agg.c, src/burstiness.c; what it shares with tally:
--		src/party_map.c, src/party_table.h

CREATE TYPE activity;

CREATE FUNCTION activity_in(cstring) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_in' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION activity_out(activity) RETURNS cstring
	AS 'MODULE_PATHNAME', 'activity_out' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION activity_recv(internal) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION activity_send(activity) RETURNS bytea
	AS 'MODULE_PATHNAME', 'activity_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE activity (
	INPUT = activity_in,
	OUTPUT = activity_out,
	RECEIVE = activity_recv,
	SEND = activity_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE activity IS
'What each party did, and when: a JSON object from keys (any text; of our own parties, their ids in digits) to objects of "count" (contributions, at least 1), "added" and "removed" (lines, 0 if left out), "first" and "last" (instants). All counts are bigint; more is an error (22003). Activities of parts merge exactly into that of the whole: months into years, repositories into portfolios. Parties are in order of the bytes of their keys. Equal activities have equal bytes.';
COMMENT ON FUNCTION activity_in(cstring) IS 'Text input of activity; errors 22P02 (malformed), 22003 (out of range). Parties and fields in any order, none twice; instants as timestamptz reads them.';
COMMENT ON FUNCTION activity_out(activity) IS 'Text output of activity: parties in order of the bytes of their keys; instants in ISO style in the session''s time zone, whatever DateStyle says.';
COMMENT ON FUNCTION activity_recv(internal) IS 'Binary input of activity: version byte (1), int4 number of parties, then of each an int4 length, the text of the key, int8 count, added, removed, timestamptz first, last, in any order; error 22P03.';
COMMENT ON FUNCTION activity_send(activity) IS 'Binary output of activity; see activity_recv.';

CREATE CAST (activity AS jsonb) WITH INOUT;
COMMENT ON CAST (activity AS jsonb) IS 'The JSON object that is the text form; jsonb keeps its keys in an order of its own.';
CREATE CAST (jsonb AS activity) WITH INOUT;
COMMENT ON CAST (jsonb AS activity) IS 'From a JSON object as in the text form; errors as for text input.';

-- comparison

CREATE FUNCTION activity_eq(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'party_map_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_eq(activity, activity) IS 'Implements activity = activity.';
CREATE FUNCTION activity_ne(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'party_map_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_ne(activity, activity) IS 'Implements activity <> activity.';
CREATE FUNCTION activity_lt(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'activity_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_lt(activity, activity) IS 'Implements activity < activity.';
CREATE FUNCTION activity_le(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'activity_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_le(activity, activity) IS 'Implements activity <= activity.';
CREATE FUNCTION activity_gt(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'activity_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_gt(activity, activity) IS 'Implements activity > activity.';
CREATE FUNCTION activity_ge(activity, activity) RETURNS boolean
	AS 'MODULE_PATHNAME', 'activity_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_ge(activity, activity) IS 'Implements activity >= activity.';
CREATE FUNCTION activity_cmp(activity, activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'activity_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_cmp(activity, activity) IS
'Implements the btree order of activity: by the first party, in order of keys, that makes a difference; who lacks it is less, then count, added, removed, first and last decide.';

CREATE FUNCTION activity_hash(activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'party_map_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_hash(activity) IS 'Implements hashing of activity.';
CREATE FUNCTION activity_hash_extended(activity, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'party_map_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION activity_hash_extended(activity, bigint) IS 'Implements 64-bit hashing of activity.';

CREATE OPERATOR = (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR = (activity, activity) IS 'Did every party do the same in both activities?';

CREATE OPERATOR <> (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (activity, activity) IS 'Did some party not do the same in both activities?';

CREATE OPERATOR < (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (activity, activity) IS 'Did the first party that makes a difference do less in the left activity? (An order for sorting.)';

CREATE OPERATOR <= (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (activity, activity) IS 'Equal, or less of the first party that makes a difference?';

CREATE OPERATOR > (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (activity, activity) IS 'More of the first party that makes a difference?';

CREATE OPERATOR >= (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (activity, activity) IS 'Equal, or more of the first party that makes a difference?';

CREATE OPERATOR CLASS activity_ops DEFAULT FOR TYPE activity USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 activity_cmp(activity, activity);
COMMENT ON OPERATOR CLASS activity_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on activity.';
COMMENT ON OPERATOR FAMILY activity_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on activity.';

CREATE OPERATOR CLASS activity_ops DEFAULT FOR TYPE activity USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 activity_hash(activity),
	FUNCTION 2 activity_hash_extended(activity, bigint);
COMMENT ON OPERATOR CLASS activity_ops USING hash IS 'GROUP BY, hash joins and hash indexes on activity.';
COMMENT ON OPERATOR FAMILY activity_ops USING hash IS 'GROUP BY, hash joins and hash indexes on activity.';

-- activities from activities

CREATE FUNCTION activity_add(activity, activity) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION activity_add(activity, activity) IS 'Implements activity + activity.';

CREATE OPERATOR + (
	LEFTARG = activity, RIGHTARG = activity, FUNCTION = activity_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (activity, activity) IS 'Both together: for every party the sums of counts and lines, the earlier first and the later last contribution. Error 22003 if a sum is no bigint.';

CREATE FUNCTION rekey(activity activity, mapping jsonb) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_rekey' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION rekey(activity, jsonb) IS
'The same activity under other keys: identities to persons, persons to organizations, as of any date, without touching the facts. The mapping is a JSON object from old keys to new ones (strings, or the ids of parties as numbers); whoever is not in it keeps their key, and whose new key is null is left out (bots); those who get the same key are merged. Keys are looked up once, not again. Errors: 22023 if the mapping is not an object, or the new key of a party neither string nor number nor null; 22003.';

CREATE FUNCTION newcomers(activity activity, during tstzrange) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_newcomers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION newcomers(activity, tstzrange) IS
'The part of an activity that is of parties whose first contribution is in a period. (CHAOSS New Contributors, if the activity is of all time.)';

CREATE FUNCTION inactive(activity activity, since timestamptz) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_inactive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inactive(activity, timestamptz) IS
'The part of an activity that is of parties whose last contribution is before an instant. (CHAOSS Inactive Contributors.)';

CREATE FUNCTION occasional(activity activity, fewer_than integer DEFAULT 2, during tstzrange DEFAULT '(,)') RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_occasional' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION occasional(activity, integer, tstzrange) IS
'The part of an activity that is of parties with fewer contributions than so many, whose first one is in a period (all time, by default). (CHAOSS Occasional Contributors: fewer than n, and new in the period.)';

CREATE FUNCTION band(activity activity, above numeric, upto numeric) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_band' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION band(activity, numeric, numeric) IS
'The part of an activity that is of those who lead, after the ones who made at least the fraction "above" of all contributions, as far as those who made at least the fraction "upto". By count, in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Error 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION core(activity activity, fraction numeric DEFAULT 0.8) RETURNS activity
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(activity, 0, fraction);
COMMENT ON FUNCTION core(activity, numeric) IS
'The fewest parties who made at least a fraction of all contributions, by default 80 %. By count, in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Error 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION regular(activity activity, core numeric DEFAULT 0.8, fraction numeric DEFAULT 0.95) RETURNS activity
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(activity, core, fraction);
COMMENT ON FUNCTION regular(activity, numeric, numeric) IS
'Those who come after the core and with whom at least a fraction of all contributions, by default 95 %, is made up. By count, in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Error 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION casual(activity activity, regular numeric DEFAULT 0.95) RETURNS activity
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(activity, regular, 1);
COMMENT ON FUNCTION casual(activity, numeric) IS
'Those who come after core and regular. By count, in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Error 22003 for a fraction outside 0 to 1.';

-- what is read from it

CREATE FUNCTION parties(activity activity) RETURNS integer
	AS 'MODULE_PATHNAME', 'activity_parties' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION parties(activity) IS 'How many parties there are: contributors.';
CREATE FUNCTION contributions(activity activity) RETURNS bigint
	AS 'MODULE_PATHNAME', 'activity_contributions' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION contributions(activity) IS
'How many contributions all parties made: commits, reviews or whatever was counted. Error 22003.';

CREATE FUNCTION lines_added(activity activity) RETURNS bigint
	AS 'MODULE_PATHNAME', 'activity_lines_added' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION lines_added(activity) IS 'How many lines all parties added. Error 22003.';
CREATE FUNCTION lines_removed(activity activity) RETURNS bigint
	AS 'MODULE_PATHNAME', 'activity_lines_removed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION lines_removed(activity) IS 'How many lines all parties removed. Error 22003.';
CREATE FUNCTION first_at(activity activity) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'activity_first_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION first_at(activity) IS 'The instant of the first contribution; NULL if there is none.';
CREATE FUNCTION last_at(activity activity) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'activity_last_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION last_at(activity) IS 'The instant of the last contribution; NULL if there is none.';
CREATE FUNCTION by_count(activity activity) RETURNS tally
	AS 'MODULE_PATHNAME', 'activity_by_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION by_count(activity) IS
'The contributions of each party as a tally, for all the measures of tallies.';

CREATE FUNCTION by_lines(activity activity) RETURNS tally
	AS 'MODULE_PATHNAME', 'activity_by_lines' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION by_lines(activity) IS
'The lines that each party touched, added plus removed, as a tally. (CHAOSS Code Changes Lines.) Error 22003.';

CREATE FUNCTION entries(activity activity, OUT party text, OUT count bigint, OUT added bigint, OUT removed bigint,
	OUT first timestamptz, OUT last timestamptz) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'activity_entries' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 100;
COMMENT ON FUNCTION entries(activity) IS
'The parties and what they did, in order of keys.';

-- aggregates

CREATE FUNCTION activity_transition(internal, text, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, text, timestamptz) IS 'Implements activity.';
CREATE FUNCTION activity_transition(internal, text, timestamptz, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, text, timestamptz, bigint, bigint) IS 'Implements activity.';
CREATE FUNCTION activity_transition(internal, text, timestamptz, integer, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, text, timestamptz, integer, integer) IS 'Implements activity.';
CREATE FUNCTION activity_transition(internal, bigint, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_number_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, bigint, timestamptz) IS 'Implements activity.';
CREATE FUNCTION activity_transition(internal, bigint, timestamptz, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_number_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, bigint, timestamptz, bigint, bigint) IS 'Implements activity.';
CREATE FUNCTION activity_transition(internal, bigint, timestamptz, integer, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_number_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_transition(internal, bigint, timestamptz, integer, integer) IS 'Implements activity.';
CREATE FUNCTION sum_activity_transition(internal, activity) RETURNS internal
	AS 'MODULE_PATHNAME', 'sum_activity_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION sum_activity_transition(internal, activity) IS 'Implements sum(activity).';
CREATE FUNCTION activity_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION activity_combine(internal, internal) IS 'Implements activity and sum(activity).';
CREATE FUNCTION activity_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'activity_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION activity_serialize(internal) IS 'Implements activity and sum(activity).';
CREATE FUNCTION activity_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'activity_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION activity_deserialize(bytea, internal) IS 'Implements activity and sum(activity).';
CREATE FUNCTION activity_final(internal) RETURNS activity
	AS 'MODULE_PATHNAME', 'activity_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION activity_final(internal) IS 'Implements activity and sum(activity).';

CREATE AGGREGATE activity(party text, at timestamptz) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(text, timestamptz) IS
'How many contributions each party made, when first and when last. Rows with NULL in either argument are left out; NULL if no rows are left. Exact, in any order and in parallel.';

CREATE AGGREGATE activity(party text, at timestamptz, added bigint, removed bigint) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(text, timestamptz, bigint, bigint) IS
'As activity(text, timestamptz), with the lines that each party added and removed; NULL lines count as none. Errors: 22023 for negative lines, 22003.';

CREATE AGGREGATE activity(party text, at timestamptz, added integer, removed integer) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(text, timestamptz, integer, integer) IS
'As activity(text, timestamptz, bigint, bigint), for integer lines.';

CREATE AGGREGATE activity(party bigint, at timestamptz) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(bigint, timestamptz) IS
'How many contributions each party made, when first and when last, by the ids of parties. Rows with NULL in either argument are left out; NULL if no rows are left. Exact, in any order and in parallel.';

CREATE AGGREGATE activity(party bigint, at timestamptz, added bigint, removed bigint) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(bigint, timestamptz, bigint, bigint) IS
'As activity(bigint, timestamptz), with the lines that each party added and removed; NULL lines count as none. Errors: 22023 for negative lines, 22003.';

CREATE AGGREGATE activity(party bigint, at timestamptz, added integer, removed integer) (
	SFUNC = activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity(bigint, timestamptz, integer, integer) IS
'As activity(bigint, timestamptz, bigint, bigint), for integer lines.';

CREATE AGGREGATE sum(activity activity) (
	SFUNC = sum_activity_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = activity_final,
	COMBINEFUNC = activity_combine,
	SERIALFUNC = activity_serialize,
	DESERIALFUNC = activity_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(activity) IS
'All activities together, as +: of months for the year, of repositories for the portfolio, byte for byte what activity() of all their rows is. NULL rows are left out, NULL if no rows are left. Exact, in any order and in parallel. Error 22003.';

-- when it was, whoever did it

CREATE FUNCTION burstiness_transition(internal, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME', 'burstiness_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION burstiness_transition(internal, timestamptz) IS 'Implements burstiness.';

CREATE FUNCTION burstiness_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME', 'burstiness_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION burstiness_final(internal) IS 'Implements burstiness.';

CREATE AGGREGATE burstiness(at timestamptz) (
	SFUNC = burstiness_transition,
	STYPE = internal,
	SSPACE = 64,
	FINALFUNC = burstiness_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE burstiness(timestamptz) IS
'How unevenly events come: (sigma - mu) / (sigma + mu) of the times between successive events, mu their mean and sigma their standard deviation (of all of them, not of a sample), rounded to 16 decimal places. -1 for a clock, about 0 for events at random, near 1 for bursts. (CHAOSS Burstiness; Goh and Barabasi.) Write burstiness(at ORDER BY at): the state, a few integers, needs the order of time. NULL rows are left out; NULL for fewer than 3 events, and if all are at one instant. Errors: 22023 if an event is before the one that came last, 22008 for infinity.';
