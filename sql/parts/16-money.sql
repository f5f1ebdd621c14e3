-- 16-money.sql
--		Money without tables: rounding, exact shares, prices by tiers.
--		C code: src/money.c src/split.c

CREATE FUNCTION currency_scale(currency text) RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE
		WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
			'XAF', 'XOF', 'XPF') THEN 0
		WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
		WHEN currency IN ('CLF', 'UYW') THEN 4
		ELSE 2 END;
COMMENT ON FUNCTION currency_scale(text) IS
'How many decimal places an amount of a currency has: the minor unit of ISO 4217 (JPY 0, USD 2, KWD 3, CLF 4); 2 for every other word, such as a pool''s own credits.';

CREATE FUNCTION money_round(amount numeric, scale integer, mode text DEFAULT 'half_even') RETURNS numeric
	AS 'MODULE_PATHNAME', 'money_round' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION money_round(numeric, integer, text) IS
'An amount rounded to so many decimal places (fewer than none: to tens, hundreds ...). Modes: half_even (the default, without bias: ISO 80000-1, IEEE 754), half_up and half_down (a tie goes away from or towards zero; round() is half_up), down and up (towards and away from zero), floor, ceiling. Errors: 22023 unknown mode or scale not between -1000 and 1000, 22003 an amount that is not finite.';

CREATE FUNCTION money_round(amount numeric, currency text, mode text DEFAULT 'half_even') RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN money_round(amount, currency_scale(currency), mode);
COMMENT ON FUNCTION money_round(numeric, text, text) IS
'As money_round(numeric, integer, text), to the decimal places of a currency: see currency_scale().';

CREATE FUNCTION split(amount numeric, weight numeric, scale integer) RETURNS numeric
	AS 'MODULE_PATHNAME', 'split_window' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION split(numeric, numeric, integer) IS
'Window function: this row''s share of an amount, by its weight among the rows of the partition, with so many decimal places. Largest remainder method: the shares always sum to the amount, and each is less than one unit of the last place from the exact share; a tie goes to the row that comes first in the window''s order. A null weight gets no share (NULL). Errors 22023: negative weights, all weights zero but not the amount, an amount with more decimal places or not the same in every row.';

CREATE FUNCTION round_to_total(amount numeric, scale integer, mode text DEFAULT 'half_even') RETURNS numeric
	AS 'MODULE_PATHNAME', 'round_to_total' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION round_to_total(numeric, integer, text) IS
'Window function: this row''s amount rounded down or up to so many decimal places, at most 18, so that the rows of the partition sum to their exact sum, rounded once, in a mode of money_round(): the lines of an invoice. Largest remainder method: those are rounded up that would lose most, and a tie goes to the row that comes first in the window''s order. NULL for a null amount. Errors: 22023 another scale or mode, 22003 an amount that is not finite or of more than 18 digits, 22004 a null mode.';

CREATE FUNCTION tiered(quantity numeric, upto numeric[], unit_price numeric[], flat numeric[] DEFAULT NULL, mode text DEFAULT 'graduated') RETURNS numeric
	AS 'MODULE_PATHNAME', 'tiered' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tiered(numeric, numeric[], numeric[], numeric[], text) IS
'What a quantity costs by tiers, exactly, never rounded. Each tier has an end, which belongs to it (NULL or infinity for the last: without end), a unit price, and a flat amount that is due once the tier is entered; the first always is, even at 0. Mode graduated: the part of the quantity in each tier is priced there; volume: the tier that the quantity ends in prices all of it. A negative quantity is paid back at the first tier''s price. With fractions as unit prices these are graduated percentages of an amount. NULL if an argument is, flat amounts apart (none). Errors: 22023 an unknown mode, ends that do not ascend from above 0, a quantity beyond the last end; 2202E arrays of other lengths or dimensions; 22004 null elements; 22003 numbers that are not finite.';

CREATE FUNCTION tiers(quantity numeric, upto numeric[], unit_price numeric[], flat numeric[] DEFAULT NULL, mode text DEFAULT 'graduated')
	RETURNS TABLE (tier integer, quantity numeric, unit_price numeric, flat numeric)
	AS 'MODULE_PATHNAME', 'tiers' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION tiers(numeric, numeric[], numeric[], numeric[], text) IS
'The tiers that a quantity enters, one row each: number of the tier, the quantity in it, unit price, and flat amount; sum(quantity * unit_price + flat) is tiered() of the same arguments. Errors: as there.';

CREATE FUNCTION weighted_sum_transition(internal, numeric, timestamptz, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'weighted_sum_transition' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weighted_sum_transition(internal, numeric, timestamptz, tstzrange) IS 'Implements weighted_sum.';
CREATE FUNCTION weighted_sum_inverse(internal, numeric, timestamptz, tstzrange) RETURNS internal
	AS 'MODULE_PATHNAME', 'weighted_sum_inverse' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weighted_sum_inverse(internal, numeric, timestamptz, tstzrange) IS 'Implements weighted_sum in a moving frame.';
CREATE FUNCTION weighted_sum_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME', 'weighted_sum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weighted_sum_final(internal) IS 'Implements weighted_sum.';

CREATE AGGREGATE weighted_sum(delta numeric, at timestamptz, during tstzrange) (
	SFUNC = weighted_sum_transition,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = weighted_sum_final,
	COMBINEFUNC = unit_time_combine,
	SERIALFUNC = unit_time_serialize,
	DESERIALFUNC = unit_time_deserialize,
	MSFUNC = weighted_sum_transition,
	MINVFUNC = weighted_sum_inverse,
	MSTYPE = internal,
	MSSPACE = 128,
	MFINALFUNC = weighted_sum_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE weighted_sum(numeric, timestamptz, tstzrange) IS
'The mean, over a bounded time, of a level that changes by delta at each instant: sum(delta * (end - greatest(at, start)) / (end - start)). What is dated before the time counts from its start on, what is dated after it not at all. Rows may come in any order, in parallel and late, and may leave a moving frame. Exact, rounded once, half away from zero, to 20 decimal places. Rows with a NULL argument are left out; NULL if no rows are left. Errors: 22023 a time that is empty, unbounded or not the same in every row; 22003 out of range. (Lago: weighted_sum.)';

CREATE FUNCTION shapley_airport(demands tally, scale integer) RETURNS tally
	AS 'MODULE_PATHNAME', 'shapley_airport' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION shapley_airport(tally, integer) IS
'What each party owes for a capacity as large as the largest demand, if only the largest counts: the Shapley value of the airport game (Littlechild and Owen 1973). Each step from one demand to the next divides evenly among those who need it. The shares sum to the largest demand exactly; they are rounded to so many decimal places by largest remainder, so that equal demands differ by a unit of the last place at most, and nobody pays more than its own demand. Use it as weights: split(cost, shapley_airport(peaks, 9), 2). Errors: 22023 a negative demand, one with more decimal places, a scale not between 0 and 18; 22003 out of range.';

CREATE FUNCTION shapley_peak(parties text[], loads profile[], during tstzrange, scale integer) RETURNS tally
	AS 'MODULE_PATHNAME', 'shapley_peak' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION shapley_peak(text[], profile[], tstzrange, integer) IS
'What each party owes for a capacity as large as the peak of all their loads together during a bounded time: the Shapley value of the game whose coalitions cost their own peak, exactly, of 16 parties at most (all their coalitions are looked at). The shares sum to the peak; they are rounded to so many decimal places by largest remainder. Loads of one party in several elements are added. shapley_peak(array_agg(party), array_agg(load), ...). Errors: 54000 more than 16 parties with a load, 22023 negative loads, loads with more decimal places, an unbounded time; 22004 null elements; 2202E arrays of different lengths; 22003 out of range.';

CREATE FUNCTION coincident_peak(parties text[], loads profile[], during tstzrange) RETURNS tally
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH load AS (
		SELECT l.party, l.load
		FROM ROWS FROM (unnest(parties), unnest(loads)) AS l (party, load)
	)
	SELECT coalesce(tally(l.party, value_at(l.load, peak.at)), '{}')
	FROM load AS l, (SELECT peak_at(sum(load.load), during) AS at FROM load) AS peak;
END;
COMMENT ON FUNCTION coincident_peak(text[], profile[], tstzrange) IS
'How much of the peak of all loads together during a time is each party''s: its load at that instant, the first if there are several. The parts sum to the peak.';

CREATE FUNCTION serial_cost(demands tally, upto numeric[], unit_price numeric[], flat numeric[] DEFAULT NULL, scale integer DEFAULT 2) RETURNS tally
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH demand AS (
		-- "rest" parties need at least as much, and all together "served" if nobody had more
		SELECT d.party, d.rest, d.before + d.rest * d.quantity AS served
		FROM (
			SELECT e.party, e.quantity, sum(e.quantity) OVER smaller - e.quantity AS before, count(*) OVER () - row_number() OVER smaller + 1 AS rest
			FROM entries(demands) AS e
			WINDOW smaller AS (ORDER BY e.quantity, e.party ROWS UNBOUNDED PRECEDING)
		) AS d
	), step AS (
		SELECT d.party, d.rest, d.served, c.cost, c.cost - lag(c.cost, 1, 0::numeric) OVER (ORDER BY d.rest DESC) AS more
		FROM demand AS d, LATERAL (SELECT tiered(d.served, upto, unit_price, flat) AS cost) AS c
	), owed AS (
		SELECT s.party, max(s.cost) OVER () AS cost, sum(s.more * 1.000000000000000000000000000000 / s.rest) OVER (ORDER BY s.rest DESC ROWS UNBOUNDED PRECEDING) AS owed
		FROM step AS s
	), shared AS (
		SELECT o.party, split(money_round(o.cost, scale), o.owed, scale) OVER (ORDER BY o.party) AS amount
		FROM owed AS o
	)
	SELECT coalesce(tally(s.party, s.amount), '{}')
	FROM shared AS s;
END;
COMMENT ON FUNCTION serial_cost(tally, numeric[], numeric[], numeric[], integer) IS
'What each party owes of what all demands together cost by tiers (graduated, as tiered() has them), if nobody shall pay for what others demand beyond its own: serial cost sharing (Moulin and Shenker 1992). The smallest demand pays its even part of what it would cost if all had demanded as much; the next that, and its even part of the step up to its own; and so on. So who pushes all into a dearer tier pays for it. Rounded once, half to even, and divided by largest remainder: the shares always sum to the cost. NULL if an argument but "flat" is. Errors: 22023 a negative demand or price, as tiered().';

CREATE FUNCTION share_out(costs tally, parties text[], weights tally, scale integer) RETURNS tally
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(tally(c.party, c.quantity) FILTER (WHERE c.party <> ALL (parties)), '{}')
		+ split(coalesce(sum(c.quantity) FILTER (WHERE c.party = ANY (parties)), 0),
			(SELECT coalesce(tally(w.party, w.quantity), '{}') FROM entries(weights) AS w WHERE w.party <> ALL (parties)), scale)
	FROM entries(costs) AS c;
END;
COMMENT ON FUNCTION share_out(tally, text[], tally, integer) IS
'Costs after those of some parties (a platform team, say) are shared by the others in proportion to their weights, to so many decimal places. The total stays what it was, to the last unit. Errors 22023: nobody else has a weight, a negative one, costs with more decimal places.';

CREATE FUNCTION net_transfers(balances tally, mode text DEFAULT 'greedy') RETURNS TABLE (payer text, payee text, amount numeric)
	AS 'MODULE_PATHNAME', 'net_transfers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION net_transfers(tally, text) IS
'Transfers that settle balances: above zero is what a party is to receive, below what it is to pay. Each party''s net stays, no more is paid than the sum of the balances above zero, and there are fewer transfers than parties. Equal amounts are matched first; then, in mode greedy, the largest payer pays the largest payee, and so on; mode exact finds the least number of transfers, for 20 parties at most whose balance matches no other. Rows are in a fixed order. Errors: 22023 balances that do not sum to zero or an unknown mode, 54000 too many parties for mode exact.';

