-- 12-tally.sql
--		tally, a quantity by party: type, operators, measures, aggregates, split.
--		C code: src/tally.c, src/tally_measure.c, src/tally_agg.c, src/split.c;
--		what it shares with activity: src/party_map.c, src/party_table.h

CREATE TYPE tally;

CREATE FUNCTION tally_in(cstring) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION tally_out(tally) RETURNS cstring
	AS 'MODULE_PATHNAME', 'tally_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION tally_recv(internal) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION tally_send(tally) RETURNS bytea
	AS 'MODULE_PATHNAME', 'tally_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

CREATE TYPE tally (
	INPUT = tally_in,
	OUTPUT = tally_out,
	RECEIVE = tally_recv,
	SEND = tally_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE tally IS
'A quantity by party: a JSON object from keys (any text; of our own parties, their ids in digits) to numbers. Whoever is not mentioned has 0, and zeros are not kept. Exact decimals of 18 significant digits, shared between the largest quantity and the smallest fraction; a number that needs more is an error (22003). Parties are in order of the bytes of their keys. Equal tallies have equal bytes.';
COMMENT ON FUNCTION tally_in(cstring) IS 'Text input of tally; errors 22P02 (malformed), 22003 (out of range). Parties in any order, none twice.';
COMMENT ON FUNCTION tally_out(tally) IS 'Text output of tally: parties in order of the bytes of their keys.';
COMMENT ON FUNCTION tally_recv(internal) IS 'Binary input of tally: version byte (1), scale byte, int4 number of parties, then of each an int4 length, the text of the key and its int8 mantissa, in any order; error 22P03.';
COMMENT ON FUNCTION tally_send(tally) IS 'Binary output of tally; see tally_recv.';

CREATE CAST (tally AS jsonb) WITH INOUT;
COMMENT ON CAST (tally AS jsonb) IS 'The JSON object that is the text form; jsonb keeps its keys in an order of its own.';
CREATE CAST (jsonb AS tally) WITH INOUT;
COMMENT ON CAST (jsonb AS tally) IS 'From a JSON object of parties and numbers; errors as for text input.';

-- comparison

CREATE FUNCTION tally_eq(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'party_map_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_eq(tally, tally) IS 'Implements tally = tally.';
CREATE FUNCTION tally_ne(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'party_map_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_ne(tally, tally) IS 'Implements tally <> tally.';
CREATE FUNCTION tally_lt(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'tally_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_lt(tally, tally) IS 'Implements tally < tally.';
CREATE FUNCTION tally_le(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'tally_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_le(tally, tally) IS 'Implements tally <= tally.';
CREATE FUNCTION tally_gt(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'tally_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_gt(tally, tally) IS 'Implements tally > tally.';
CREATE FUNCTION tally_ge(tally, tally) RETURNS boolean
	AS 'MODULE_PATHNAME', 'tally_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_ge(tally, tally) IS 'Implements tally >= tally.';
CREATE FUNCTION tally_cmp(tally, tally) RETURNS integer
	AS 'MODULE_PATHNAME', 'tally_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_cmp(tally, tally) IS
'Implements the btree order of tally: by the quantities of the first party, in order of keys, that makes a difference.';

CREATE FUNCTION tally_hash(tally) RETURNS integer
	AS 'MODULE_PATHNAME', 'party_map_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_hash(tally) IS 'Implements hashing of tally.';
CREATE FUNCTION tally_hash_extended(tally, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'party_map_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION tally_hash_extended(tally, bigint) IS 'Implements 64-bit hashing of tally.';

CREATE OPERATOR = (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR = (tally, tally) IS 'Has every party the same quantity in both tallies?';

CREATE OPERATOR <> (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (tally, tally) IS 'Has some party not the same quantity in both tallies?';

CREATE OPERATOR < (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (tally, tally) IS 'Has the first party that makes a difference less in the left tally? (An order for sorting.)';

CREATE OPERATOR <= (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (tally, tally) IS 'Equal, or less of the first party that makes a difference?';

CREATE OPERATOR > (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (tally, tally) IS 'More of the first party that makes a difference?';

CREATE OPERATOR >= (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (tally, tally) IS 'Equal, or more of the first party that makes a difference?';

CREATE OPERATOR CLASS tally_ops DEFAULT FOR TYPE tally USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 tally_cmp(tally, tally);
COMMENT ON OPERATOR CLASS tally_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on tally.';
COMMENT ON OPERATOR FAMILY tally_ops USING btree IS 'ORDER BY, DISTINCT and btree indexes on tally.';

CREATE OPERATOR CLASS tally_ops DEFAULT FOR TYPE tally USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 tally_hash(tally),
	FUNCTION 2 tally_hash_extended(tally, bigint);
COMMENT ON OPERATOR CLASS tally_ops USING hash IS 'GROUP BY, hash joins and hash indexes on tally.';
COMMENT ON OPERATOR FAMILY tally_ops USING hash IS 'GROUP BY, hash joins and hash indexes on tally.';

-- algebra

CREATE FUNCTION tally_add(tally, tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION tally_add(tally, tally) IS 'Implements tally + tally.';
CREATE FUNCTION tally_subtract(tally, tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_subtract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION tally_subtract(tally, tally) IS 'Implements tally - tally.';
CREATE FUNCTION tally_multiply(tally, numeric) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_multiply' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION tally_multiply(tally, numeric) IS 'Implements tally * numeric.';
CREATE FUNCTION numeric_multiply_tally(numeric, tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'numeric_multiply_tally' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION numeric_multiply_tally(numeric, tally) IS 'Implements numeric * tally.';
CREATE FUNCTION tally_negate(tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_negate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION tally_negate(tally) IS 'Implements - tally.';

CREATE OPERATOR + (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (tally, tally) IS 'Sum for every party. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR - (
	LEFTARG = tally, RIGHTARG = tally, FUNCTION = tally_subtract
);
COMMENT ON OPERATOR - (tally, tally) IS 'Difference for every party. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR * (
	LEFTARG = tally, RIGHTARG = numeric, FUNCTION = tally_multiply, COMMUTATOR = *
);
COMMENT ON OPERATOR * (tally, numeric) IS 'So many times the tally. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR * (
	LEFTARG = numeric, RIGHTARG = tally, FUNCTION = numeric_multiply_tally, COMMUTATOR = *
);
COMMENT ON OPERATOR * (numeric, tally) IS 'So many times the tally. Error 22003 if it needs more than 18 significant digits.';

CREATE OPERATOR - (RIGHTARG = tally, FUNCTION = tally_negate);
COMMENT ON OPERATOR - (NONE, tally) IS 'The negative of every quantity.';

CREATE FUNCTION rekey(tally tally, mapping jsonb) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_rekey' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION rekey(tally, jsonb) IS
'The same quantities under other keys: identities to persons, persons to organizations. The mapping is a JSON object from old keys to new ones (strings, or the ids of parties as numbers); whoever is not in it keeps their key, and whose new key is null is left out (bots); those who get the same key are summed, so the total of all who stay does, too. Keys are looked up once, not again. Errors: 22023 if the mapping is not an object, or the new key of a party neither string nor number nor null; 22003.';

CREATE FUNCTION newcomers(tally tally, earlier tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_newcomers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION newcomers(tally, tally) IS
'The part of a tally that is of parties who are not in the earlier one. How many they are: parties(newcomers(…)). (CHAOSS New Contributors, if the earlier tally is of all time before.)';

CREATE FUNCTION retained(tally tally, earlier tally) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_retained' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION retained(tally, tally) IS
'The part of a tally that is of parties who are in the earlier one, too. The share of those who stayed: parties(retained(now, earlier)) / parties(earlier).';

CREATE FUNCTION split(amount numeric, weights tally, scale integer) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_split' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION split(numeric, tally, integer) IS
'An amount divided by the weights of a tally, in shares of so many decimal places. Largest remainder method: the shares always sum to the amount, and each is less than one unit of the last place from the exact share; a tie goes to the party that comes first in order of keys. (The same for rows: split(amount, weight, scale) OVER (…).) Errors: 22023 for negative weights, no weights but an amount, an amount with more decimal places, a scale outside 0 to 18; 22003.';

-- measures

CREATE FUNCTION total(tally tally) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_total_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION total(tally) IS 'The sum of all quantities.';
CREATE FUNCTION parties(tally tally) RETURNS integer
	AS 'MODULE_PATHNAME', 'tally_parties' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION parties(tally) IS 'How many parties there are: those whose quantity is not zero.';
CREATE FUNCTION quantity_of(tally tally, party text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_quantity_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION quantity_of(tally, text) IS 'The quantity of a party; 0 if it is not in the tally.';
CREATE FUNCTION quantity_of(tally tally, party bigint) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_quantity_of_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION quantity_of(tally, bigint) IS
'The quantity of a party of ours, by its id; 0 if it is not in the tally.';

CREATE FUNCTION share_of(tally tally, party text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_share_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION share_of(tally, text) IS
'The quantity of a party divided by the total, as numeric division does. NULL if the total is zero.';

CREATE FUNCTION share_of(tally tally, party bigint) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_share_of_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION share_of(tally, bigint) IS 'The share of a party of ours, by its id.';

CREATE FUNCTION absence_factor(tally tally, fraction numeric DEFAULT 0.5) RETURNS integer
	AS 'MODULE_PATHNAME', 'tally_absence_factor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION absence_factor(tally, numeric) IS
'The smallest number of parties whose quantities make up at least a fraction of the total. (CHAOSS Contributor Absence Factor, once called bus factor; keyed by organization, the Elephant Factor.) NULL for an empty tally; errors: 22023 for a negative quantity, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION gini(tally tally) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_gini' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION gini(tally) IS
'The Gini coefficient: sum of (2i - n - 1) x(i) divided by n times the total, with the n quantities x in ascending order. 0 if all parties have the same, up to (n - 1)/n if one has all. Only who is in the tally counts, so nobody with zero. NULL for an empty tally; error 22023 for a negative quantity.';

CREATE FUNCTION hhi(tally tally) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_hhi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION hhi(tally) IS
'The Herfindahl-Hirschman index: the sum of the squares of all shares, from 1/n to 1 (times 10000 for points). NULL for an empty tally; error 22023 for a negative quantity.';

CREATE FUNCTION entropy(tally tally) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_entropy' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION entropy(tally) IS
'The Shannon entropy in nats: minus the sum of s ln s over all shares s, rounded to 16 decimal places. 0 if one party has all, ln n if all have the same. NULL for an empty tally; error 22023 for a negative quantity.';

CREATE FUNCTION evenness(tally tally) RETURNS numeric
	AS 'MODULE_PATHNAME', 'tally_evenness' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION evenness(tally) IS
'Pielou''s evenness: entropy divided by ln n, rounded to 16 decimal places; 1 if all parties have the same. NULL for fewer than two parties; error 22023 for a negative quantity.';

CREATE FUNCTION band(tally tally, above numeric, upto numeric) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_band' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION band(tally, numeric, numeric) IS
'The part of a tally that is of those who lead, after the ones who make up at least the fraction "above" of the total, as far as those who make up at least the fraction "upto". With quantities in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Errors: 22023 for a negative quantity, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION core(tally tally, fraction numeric DEFAULT 0.8) RETURNS tally
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(tally, 0, fraction);
COMMENT ON FUNCTION core(tally, numeric) IS
'The fewest parties who make up at least a fraction of the total, by default 80 %: as many as absence_factor(tally, fraction) says. With quantities in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Errors: 22023 for a negative quantity, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION regular(tally tally, core numeric DEFAULT 0.8, fraction numeric DEFAULT 0.95) RETURNS tally
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(tally, core, fraction);
COMMENT ON FUNCTION regular(tally, numeric, numeric) IS
'Those who come after the core and with whom at least a fraction of the total, by default 95 %, is made up. With quantities in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Errors: 22023 for a negative quantity, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION casual(tally tally, regular numeric DEFAULT 0.95) RETURNS tally
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN band(tally, regular, 1);
COMMENT ON FUNCTION casual(tally, numeric) IS
'Those who come after core and regular. With quantities in descending order, ties in order of keys. (Onion model of the CHAOSS glossary.) Errors: 22023 for a negative quantity, 22003 for a fraction outside 0 to 1.';

CREATE FUNCTION entries(tally tally, OUT party text, OUT quantity numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'tally_entries' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 100;
COMMENT ON FUNCTION entries(tally) IS
'The parties and their quantities, in order of keys.';

CREATE FUNCTION top(tally tally, parties integer, OUT party text, OUT quantity numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'tally_top' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 10;
COMMENT ON FUNCTION top(tally, integer) IS
'So many parties with the largest quantities, the largest first; ties in order of keys. Error 22023 if the number is negative.';

-- aggregates

CREATE FUNCTION tally_transition(internal, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, text) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, text, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_transition_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, text, numeric) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, text, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, text, bigint) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, text, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, text, integer) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_number_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, bigint) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, bigint, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_number_transition_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, bigint, numeric) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_number_transition_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, bigint, bigint) IS 'Implements tally.';
CREATE FUNCTION tally_transition(internal, bigint, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_number_transition_int4' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_transition(internal, bigint, integer) IS 'Implements tally.';
CREATE FUNCTION sum_tally_transition(internal, tally) RETURNS internal
	AS 'MODULE_PATHNAME', 'sum_tally_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION sum_tally_transition(internal, tally) IS 'Implements sum(tally).';
CREATE FUNCTION tally_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tally_combine(internal, internal) IS 'Implements tally and sum(tally).';
CREATE FUNCTION tally_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'tally_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tally_serialize(internal) IS 'Implements tally and sum(tally).';
CREATE FUNCTION tally_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'tally_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tally_deserialize(bytea, internal) IS 'Implements tally and sum(tally).';
CREATE FUNCTION tally_final(internal) RETURNS tally
	AS 'MODULE_PATHNAME', 'tally_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION tally_final(internal) IS 'Implements tally and sum(tally).';

CREATE AGGREGATE tally(party text) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(text) IS
'How many rows each party has. Rows without a party are left out; NULL if no rows are left.';

CREATE AGGREGATE tally(party character varying) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(character varying) IS
'As tally(text); without it, PostgreSQL would read tally(party) as a cast of that type.';

CREATE AGGREGATE tally(party text, quantity numeric) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(text, numeric) IS
'The sum of the quantities of each party. Rows with NULL in either argument are left out; NULL if no rows are left. Exact, in any order and in parallel. Error 22003 if a tally cannot hold it: 18 significant digits, shared between the largest quantity and the smallest fraction.';

CREATE AGGREGATE tally(party text, quantity bigint) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(text, bigint) IS
'As tally(text, numeric), for bigint quantities.';

CREATE AGGREGATE tally(party text, quantity integer) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(text, integer) IS
'As tally(text, numeric), for integer quantities.';

CREATE AGGREGATE tally(party bigint) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(bigint) IS
'How many rows each party has, by the ids of parties.';

CREATE AGGREGATE tally(party bigint, quantity numeric) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(bigint, numeric) IS
'The sum of the quantities of each party, by the ids of parties.';

CREATE AGGREGATE tally(party bigint, quantity bigint) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(bigint, bigint) IS
'As tally(bigint, numeric), for bigint quantities.';

CREATE AGGREGATE tally(party bigint, quantity integer) (
	SFUNC = tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE tally(bigint, integer) IS
'As tally(bigint, numeric), for integer quantities.';

CREATE AGGREGATE sum(tally tally) (
	SFUNC = sum_tally_transition,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = tally_final,
	COMBINEFUNC = tally_combine,
	SERIALFUNC = tally_serialize,
	DESERIALFUNC = tally_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(tally) IS
'The sum of tallies for every party; NULL rows are left out, NULL if no rows are left. Exact, in any order and in parallel. Error 22003 as for tally(party, quantity).';
