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
