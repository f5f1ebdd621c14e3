-- 58-energy.sql
--		Energy and carbon: what supply draws and what that emits, shared as costs
--		are.

CREATE TABLE grid_intensity (
	region		text COLLATE "C" NOT NULL CHECK (region <> ''),
	intensity	profile NOT NULL CHECK ('{}' <@ intensity),
	source		text CHECK (source <> ''),
	valid		tstzrange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid)),
	known		tstzrange NOT NULL DEFAULT tstzrange(clock_timestamp(), NULL) CHECK (NOT isempty(known)),
	EXCLUDE USING gist (numrange(hashtextextended(region, 0), hashtextextended(region, 0), '[]') WITH &&, valid WITH &&, known WITH &&)
);
ALTER TABLE grid_intensity OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('grid_intensity', '');

COMMENT ON TABLE grid_intensity IS 'What a kilowatt-hour of a region''s grid emits, over time, bitemporally as rates: versions never overlap (error 23P01), and what was known of it at any time can be read.';
COMMENT ON COLUMN grid_intensity.region IS 'Where, as supply.region calls it.';
COMMENT ON COLUMN grid_intensity.intensity IS 'Grams of CO2 equivalent per kilowatt-hour, location-based. (SCI: I.)';
COMMENT ON COLUMN grid_intensity.source IS 'Who says so.';
COMMENT ON COLUMN grid_intensity.valid IS 'For which time; what the profile says of any other does not matter.';
COMMENT ON COLUMN grid_intensity.known IS 'From when until when this was what we knew; without an end, it still is.';

CREATE FUNCTION set_grid_intensity(region text, intensity profile, valid tstzrange DEFAULT '(,)', source text DEFAULT NULL)
	RETURNS void LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), ended AS (
		UPDATE grid_intensity AS g
		SET known = tstzrange(lower(g.known), clock.now)
		FROM clock
		WHERE g.region = set_grid_intensity.region AND upper_inf(g.known) AND g.valid && set_grid_intensity.valid
		RETURNING g.region, g.intensity, g.source, g.valid
	)
	INSERT INTO grid_intensity (region, intensity, source, valid, known)
	SELECT ended.region, ended.intensity, ended.source, rest, tstzrange(clock.now, NULL)
	FROM ended, clock, unnest(tstzmultirange(ended.valid) - tstzmultirange(set_grid_intensity.valid)) AS rest
	UNION ALL
	SELECT set_grid_intensity.region, set_grid_intensity.intensity, set_grid_intensity.source, set_grid_intensity.valid,
		tstzrange(clock.now, NULL)
	FROM clock;
END;
COMMENT ON FUNCTION set_grid_intensity(text, profile, tstzrange, text) IS
'Says what a kilowatt-hour of a region''s grid emits, in grams of CO2 equivalent, for a time; what was said of that time before is kept as what was known until now. A constant is profile(400). Errors: 23514 if negative or without a region, 23502 for nulls, 23P01 if somebody says so at the same time.';

CREATE FUNCTION carbon_report(pool text, during tstzrange, meter text DEFAULT NULL, known_at timestamptz DEFAULT 'infinity', scale integer DEFAULT 6)
	RETURNS TABLE (consumer text, unit_hours numeric, energy numeric, unrated_energy numeric, operational numeric, embodied numeric,
		functional_units numeric, sci numeric)
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH supplied AS MATERIALIZED (
		SELECT s.provider_id, s.quantity, s.power, s.embodied, s.region, s.during
		FROM supply AS s
		WHERE s.pool_id = pool_id(carbon_report.pool) AND s.during && carbon_report.during
	), leased AS MATERIALIZED (
		SELECT l.consumer_id, clip(load_profile(l.effective, l.quantity), carbon_report.during) AS load
		FROM lease AS l
		WHERE l.pool_id = pool_id(carbon_report.pool) AND l.effective && carbon_report.during AND coalesce(l.held_until > now(), true)
		GROUP BY l.consumer_id
	), total_load AS MATERIALIZED (
		-- where more is leased than there is, those who lease share what there is
		SELECT pointwise_max(c.capacity, b.booked) AS load, b.booked
		FROM (SELECT coalesce(clip(load_profile(s.during, s.quantity), carbon_report.during), '{}') AS capacity FROM supplied AS s) AS c,
			(SELECT coalesce(sum(l.load), '{}') AS booked FROM leased AS l) AS b
	), holder AS MATERIALIZED (
		SELECT l.consumer_id, l.load
		FROM leased AS l
		UNION ALL
		SELECT NULL, t.load - t.booked
		FROM total_load AS t
	), piece AS MATERIALIZED (
		-- between two changes of supply, shares are constant
		SELECT edge.period, value_at(t.load, lower(edge.period)) AS load
		FROM total_load AS t, (
			SELECT tstzrange(e.at, lead(e.at) OVER (ORDER BY e.at)) AS period
			FROM (
				SELECT lower(carbon_report.during) AS at
				UNION SELECT upper(carbon_report.during)
				UNION SELECT lower(s.during) FROM supplied AS s WHERE carbon_report.during @> lower(s.during)
				UNION SELECT upper(s.during) FROM supplied AS s WHERE carbon_report.during @> upper(s.during)
				UNION SELECT lower(k.period) FROM total_load AS d, steps(d.load, carbon_report.during) AS k
			) AS e
		) AS edge
		WHERE NOT upper_inf(edge.period) AND value_at(t.load, lower(edge.period)) > 0
	), source AS MATERIALIZED (
		-- what is taken away from a provider's supply is an average of it
		SELECT piece.period, piece.load, p.region,
			sum(p.power * p.net / p.gross) AS power, sum(p.embodied * p.net / p.gross) AS embodied
		FROM piece, LATERAL (
			SELECT s.region,
				coalesce(sum(s.quantity * s.power) FILTER (WHERE s.quantity > 0), 0) AS power,
				coalesce(sum(s.quantity * s.embodied) FILTER (WHERE s.quantity > 0), 0) AS embodied,
				sum(sum(s.quantity)) OVER (PARTITION BY s.provider_id) AS net,
				sum(sum(s.quantity) FILTER (WHERE s.quantity > 0)) OVER (PARTITION BY s.provider_id) * 1.000000000000000000000000000000 AS gross
			FROM supplied AS s
			WHERE s.during @> lower(piece.period)
			GROUP BY s.provider_id, s.region
		) AS p
		GROUP BY piece.period, piece.load, p.region
	), grid AS MATERIALIZED (
		SELECT r.region, coalesce(sum(clip(g.intensity, g.valid * carbon_report.during)), '{}') AS intensity,
			profile(carbon_report.during, 1) - coalesce(profile(range_agg(g.valid * carbon_report.during)), '{}') AS unrated
		FROM (SELECT DISTINCT source.region FROM source) AS r
		LEFT JOIN grid_intensity AS g ON g.region = r.region AND g.known @> known_at AND g.valid && carbon_report.during
		GROUP BY r.region
	), weight AS (
		SELECT held.consumer_id,
			sum(source.power * held.seconds / source.load) AS energy,
			sum(source.power * held.unrated / source.load) AS unrated,
			sum(source.power * held.gram_seconds / source.load) AS operational,
			sum(source.embodied * held.seconds / source.load) AS embodied
		FROM source
		JOIN (
			SELECT h.consumer_id, g.region, h.load, h.load * g.intensity AS emitting, h.load * g.unrated AS unrated
			FROM holder AS h, grid AS g
			OFFSET 0
		) AS k ON k.region IS NOT DISTINCT FROM source.region
		CROSS JOIN LATERAL (
			SELECT k.consumer_id,
				integral(k.load, source.period, '1 second') * 1.000000000000000000000000000000 AS seconds,
				integral(k.unrated, source.period, '1 second') * 1.000000000000000000000000000000 AS unrated,
				integral(k.emitting, source.period, '1 second') * 1.000000000000000000000000000000 AS gram_seconds
		) AS held
		GROUP BY held.consumer_id
	), total AS (
		SELECT coalesce(round(sum(source.power * integral(profile(1), source.period, '1 second')) / 3600000.000000000000000000000000000000, scale), 0) AS energy,
			coalesce(round(sum(source.power * integral(g.unrated, source.period, '1 second')) / 3600000.000000000000000000000000000000, scale), 0) AS unrated,
			coalesce(round(sum(source.power * integral(g.intensity, source.period, '1 second')) / 3600000.000000000000000000000000000000, scale), 0) AS operational,
			coalesce(round(sum(source.embodied * integral(profile(1), source.period, '1 second')) / 3600.000000000000000000000000000000, scale), 0) AS embodied
		FROM source
		JOIN grid AS g ON g.region IS NOT DISTINCT FROM source.region
	), unit_total AS (
		SELECT round(sum(integral(h.load, carbon_report.during, '1 second')) / 3600.000000000000000000000000000000, 6) AS unit_hours
		FROM holder AS h
	), shared AS (
		SELECT c.name, h.consumer_id,
			split(u.unit_hours, integral(h.load, carbon_report.during, '1 second'), 6) OVER by_name AS unit_hours,
			split(t.energy, coalesce(w.energy, 0), scale) OVER by_name AS energy,
			split(t.unrated, coalesce(w.unrated, 0), scale) OVER by_name AS unrated_energy,
			split(t.operational, coalesce(w.operational, 0), scale) OVER by_name AS operational,
			split(t.embodied, coalesce(w.embodied, 0), scale) OVER by_name AS embodied
		FROM holder AS h
		LEFT JOIN party AS c ON c.party_id = h.consumer_id
		LEFT JOIN weight AS w ON w.consumer_id IS NOT DISTINCT FROM h.consumer_id, total AS t, unit_total AS u
		WINDOW by_name AS (ORDER BY c.name)
	)
	SELECT s.name, s.unit_hours, s.energy, s.unrated_energy, s.operational, s.embodied, r.functional_units,
		(s.operational + s.embodied) / nullif(r.functional_units, 0)
	FROM shared AS s, LATERAL (
		SELECT CASE WHEN s.consumer_id IS NULL THEN NULL
			WHEN carbon_report.meter IS NULL THEN s.unit_hours
			ELSE (
				SELECT sum(u.quantity)
				FROM usage AS u
				WHERE u.pool_id = pool_id(carbon_report.pool) AND u.consumer_id = s.consumer_id AND u.meter = carbon_report.meter
				AND u.at >= lower(carbon_report.during) AND u.at < upper(carbon_report.during)
			) END AS functional_units
	) AS r
	WHERE has_pool_role(pool_id(carbon_report.pool), 'steward', 'auditor') OR acts_for(s.consumer_id)
	ORDER BY s.name;
END;
COMMENT ON FUNCTION carbon_report(text, tstzrange, text, timestamptz, integer) IS
'Energy and emissions of a pool''s supply in a bounded period, shared over those who lease it and, in a row without a consumer, what is idle, by the units that each holds at each instant: unit-hours; energy in kilowatt-hours, and how much of that is without a known grid intensity; operational emissions (energy times the grid intensity of its region) and embodied ones in grams of CO2 equivalent; the functional units and, not rounded, the emissions for each (SCI = (E * I + M) / R). Functional units are unit-hours or, with a meter, the quantity of usage of it. Units whose power or embodied emissions are not known count as 0. Each column sums to its exact total, rounded once to the scale (unit-hours to 6 places). known_at: by the grid intensities that were known then. Stewards and auditors of the pool see all rows, consumers their own. Errors: 42704 unknown pool, 22023 or 22003 for an unbounded period. (Software Carbon Intensity 1.1, ISO/IEC 21031, location-based.)';
