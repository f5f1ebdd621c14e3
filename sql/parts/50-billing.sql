-- 50-billing.sql
--		Money: exact shares of an amount.
--		C code: src/split.c

CREATE FUNCTION split(amount numeric, weight numeric, scale integer) RETURNS numeric
	AS 'MODULE_PATHNAME', 'split_window' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE;
COMMENT ON FUNCTION split(numeric, numeric, integer) IS
'Window function: this row''s share of an amount, by its weight among the rows of the partition, with so many decimal places. Largest remainder method: the shares always sum to the amount, and each is less than one unit of the last place from the exact share; a tie goes to the row that comes first in the window''s order. A null weight gets no share (NULL). Errors 22023: negative weights, all weights zero but not the amount, an amount with more decimal places or not the same in every row.';

