// DuckDB's window sweep, for test/bench/run --peers: loads the CSV, then prints
// the milliseconds of each round.
const { DuckDBInstance } = require('@duckdb/node-api');

(async () => {
	const [file, rounds] = process.argv.slice(2);
	const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
	await connection.run(`CREATE TABLE lease AS
		SELECT column0::INTEGER AS pool, column1::BIGINT AS start, column2::BIGINT AS stop, column3::BIGINT AS quantity
		FROM read_csv('${file}', header = false)`);
	for (let round = 0; round < Number(rounds); round++) {
		const start = process.hrtime.bigint();
		await (await connection.runAndReadAll(`SELECT count(v), max(v) FROM (
			SELECT pool, max(load) AS v FROM (
				SELECT pool, sum(change) OVER (PARTITION BY pool ORDER BY instant) AS load FROM (
					SELECT pool, start AS instant, quantity AS change FROM lease
					UNION ALL SELECT pool, stop, -quantity FROM lease))
			GROUP BY pool)`)).getRows();
		console.log(Number(process.hrtime.bigint() - start) / 1e6);
	}
})();
