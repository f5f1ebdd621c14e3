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

CREATE FUNCTION tiered(quantity numeric, upto numeric[], unit_price numeric[], flat numeric[] DEFAULT NULL, mode text DEFAULT 'graduated') RETURNS numeric
	AS 'MODULE_PATHNAME', 'tiered' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tiered(numeric, numeric[], numeric[], numeric[], text) IS
'What a quantity costs by tiers, exactly, never rounded. Each tier has an end, which belongs to it (NULL or infinity for the last: without end), a unit price, and a flat amount that is due once the tier is entered; the first always is, even at 0. Mode graduated: the part of the quantity in each tier is priced there; volume: the tier that the quantity ends in prices all of it. A negative quantity is paid back at the first tier''s price. With fractions as unit prices these are graduated percentages of an amount. NULL if an argument is, flat amounts apart (none). Errors: 22023 an unknown mode, ends that do not ascend from above 0, a quantity beyond the last end; 2202E arrays of other lengths or dimensions; 22004 null elements; 22003 numbers that are not finite.';

CREATE FUNCTION tiers(quantity numeric, upto numeric[], unit_price numeric[], flat numeric[] DEFAULT NULL, mode text DEFAULT 'graduated')
	RETURNS TABLE (tier integer, quantity numeric, unit_price numeric, flat numeric)
	AS 'MODULE_PATHNAME', 'tiers' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION tiers(numeric, numeric[], numeric[], numeric[], text) IS
'The tiers that a quantity enters, one row each: number of the tier, the quantity in it, unit price, and flat amount; sum(quantity * unit_price + flat) is tiered() of the same arguments. Errors: as there.';

