"""Python (psycopg 3): lease from a pool, retry safely, read our types as JSON.

    LEASE_DSN='host=… dbname=…' python3 lease_client.py

The same example is in lease_client.js (node-postgres) and LeaseClient.java (JDBC).
"""
import json
import os

import psycopg

DSN = os.environ["LEASE_DSN"]


def connect():
    # PgBouncer in transaction mode has no session to keep prepared statements
    # or settings in: so none are used, and names are qualified
    return psycopg.connect(DSN, prepare_threshold=None)


def in_transaction(work):
    """Run work(connection); again if the connection broke or another
    transaction was in the way. That is safe for whatever has a reference."""
    for attempt in range(5):
        try:
            with connect() as connection:
                return work(connection)
        except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
            if attempt == 4:
                raise


def reserve(connection, quantity, during, reference):
    return connection.execute(
        "SELECT sharecollab.reserve('gpus', 'Lab', %s, %s::tstzrange, reference => %s)",
        (quantity, during, reference),
    ).fetchone()[0]


def availability(connection):
    text = connection.execute(
        "SELECT sharecollab.availability('gpus', '[2030-01-01,2030-02-01)')::text"
    ).fetchone()[0]
    return json.loads(text)


print("free at first", list(in_transaction(availability).values()))

during = "[2030-01-10,2030-01-20)"
lease = in_transaction(lambda c: reserve(c, 4, during, "job-1"))
again = in_transaction(lambda c: reserve(c, 4, during, "job-1"))
print("the same lease again", lease == again)

# a refusal has a SQLSTATE, a detail and a hint
try:
    in_transaction(lambda c: reserve(c, 99, during, "job-2"))
except psycopg.Error as error:
    print("refused", error.diag.sqlstate, error.diag.message_primary)
    print("because", error.diag.message_detail)

# what is rolled back was never booked
try:
    with connect() as connection:
        reserve(connection, 8, during, "job-3")
        raise KeyboardInterrupt
except KeyboardInterrupt:
    pass
print("free in between", list(in_transaction(availability).values()))

# our types go in and come out as JSON
profile = {"2030-01-01 00:00:00+00": 8, "2030-02-01 00:00:00+00": 0}
tally = {"alice": 12, "bob": 3}
activity = {
    "17": {
        "count": 2, "added": 340, "removed": 25,
        "first": "2030-01-03 00:00:00+00", "last": "2030-01-05 00:00:00+00",
    }
}
with connect() as connection:
    for name, value in (("profile", profile), ("tally", tally), ("activity", activity)):
        row = connection.execute(
            f"SELECT (%s::text::sharecollab.{name})::text", (json.dumps(value),)
        ).fetchone()
        print(name, "round trip", json.loads(row[0]) == value)

# the connection breaks in the middle: the retry does not book twice
broken = []


def reserve_and_break(connection):
    lease = reserve(connection, 2, during, "job-4")
    if not broken:
        broken.append(lease)
        with connect() as other:
            other.execute(
                "SELECT pg_terminate_backend(%s)",
                (connection.execute("SELECT pg_backend_pid()").fetchone()[0],),
            )
        connection.execute("SELECT 1")
    return lease


in_transaction(reserve_and_break)
with connect() as connection:
    count = connection.execute(
        "SELECT count(*) FROM sharecollab.lease WHERE reference = 'job-4'"
    ).fetchone()[0]
print("leases after a broken connection", count)
