/*
 * Node.js (node-postgres): lease from a pool, retry safely, read our types as JSON.
 *
 *     PGHOST=… PGDATABASE=… node lease_client.js
 *
 * The same example is in lease_client.py (psycopg) and LeaseClient.java (JDBC).
 */
const { Client } = require('pg');

// PgBouncer in transaction mode has no session to keep prepared statements or
// settings in: so none are used, and names are qualified
async function withConnection(work) {
  const client = new Client({
    host: process.env.PGHOST, port: process.env.PGPORT, user: process.env.PGUSER, database: process.env.PGDATABASE,
  });
  client.on('error', () => {}); // the query that is under way reports it
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

// Run work(client); again if the connection broke or another transaction was in
// the way. That is safe for whatever has a reference.
async function inTransaction(work) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await withConnection(async (client) => {
        await client.query('BEGIN');
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      });
    } catch (error) {
      const state = error.code || '08006';
      const again = state === '40001' || !/^[0-9A-Z]{5}$/.test(state) || /^(08|57P)/.test(state);
      if (!again || attempt === 4) throw error;
    }
  }
}

async function reserve(client, quantity, during, reference) {
  const { rows } = await client.query(
    "SELECT sharecollab.reserve('gpus', 'Lab', $1::numeric, $2::tstzrange, reference => $3) AS lease",
    [quantity, during, reference]);
  return rows[0].lease;
}

async function availability(client) {
  const { rows } = await client.query(
    "SELECT sharecollab.availability('gpus', '[2030-01-01,2030-02-01)')::text AS free");
  return JSON.parse(rows[0].free);
}

const list = (profile) => '[' + Object.values(profile).join(', ') + ']';
const yes = (value) => (value ? 'True' : 'False');

(async () => {
  console.log('free at first', list(await inTransaction(availability)));

  const during = '[2030-01-10,2030-01-20)';
  const lease = await inTransaction((c) => reserve(c, 4, during, 'job-1'));
  const again = await inTransaction((c) => reserve(c, 4, during, 'job-1'));
  console.log('the same lease again', yes(lease === again));

  // a refusal has a SQLSTATE, a detail and a hint
  try {
    await inTransaction((c) => reserve(c, 99, during, 'job-2'));
  } catch (error) {
    console.log('refused', error.code, error.message);
    console.log('because', error.detail);
  }

  // what is rolled back was never booked
  await withConnection(async (client) => {
    await client.query('BEGIN');
    await reserve(client, 8, during, 'job-3');
    await client.query('ROLLBACK');
  });
  console.log('free in between', list(await inTransaction(availability)));

  // our types go in and come out as JSON
  const values = {
    profile: { '2030-01-01 00:00:00+00': 8, '2030-02-01 00:00:00+00': 0 },
    tally: { alice: 12, bob: 3 },
    activity: { 17: { count: 2, added: 340, removed: 25, first: '2030-01-03 00:00:00+00', last: '2030-01-05 00:00:00+00' } },
  };
  await withConnection(async (client) => {
    for (const [name, value] of Object.entries(values)) {
      const { rows } = await client.query(`SELECT ($1::text::sharecollab.${name})::text AS value`, [JSON.stringify(value)]);
      console.log(name, 'round trip', yes(JSON.stringify(JSON.parse(rows[0].value)) === JSON.stringify(value)));
    }
  });

  // the connection breaks in the middle: the retry does not book twice
  let broken = false;
  await inTransaction(async (client) => {
    const id = await reserve(client, 2, during, 'job-4');
    if (!broken) {
      broken = true;
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      await withConnection((other) => other.query('SELECT pg_terminate_backend($1)', [rows[0].pid]));
      await client.query('SELECT 1');
    }
    return id;
  });
  await withConnection(async (client) => {
    const { rows } = await client.query("SELECT count(*) FROM sharecollab.lease WHERE reference = 'job-4'");
    console.log('leases after a broken connection', rows[0].count);
  });
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
