import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.postgresql.util.PSQLException;

/**
 * Java (JDBC): lease from a pool, retry safely, read our types as JSON.
 *
 * <pre>LEASE_URL='jdbc:postgresql://host/database?user=…' java -cp postgresql.jar LeaseClient.java</pre>
 *
 * The same example is in lease_client.py (psycopg) and lease_client.js (node-postgres).
 */
public class LeaseClient {
    interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    // PgBouncer in transaction mode has no session to keep prepared statements
    // or settings in: so none are used (prepareThreshold=0), and names are qualified
    static Connection connect() throws SQLException {
        Connection connection = DriverManager.getConnection(System.getenv("LEASE_URL") + "&prepareThreshold=0");
        connection.setAutoCommit(false);
        return connection;
    }

    /**
     * Run the work; again if the connection broke or another transaction was in
     * the way. That is safe for whatever has a reference.
     */
    static <T> T inTransaction(Work<T> work) throws SQLException {
        for (int attempt = 0;; attempt++) {
            try (Connection connection = connect()) {
                T result = work.run(connection);
                connection.commit();
                return result;
            } catch (SQLException e) {
                String state = e.getSQLState() == null ? "08006" : e.getSQLState();
                boolean again = state.equals("40001") || state.startsWith("08") || state.startsWith("57P");
                if (!again || attempt == 4)
                    throw e;
            }
        }
    }

    static String value(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++)
                statement.setObject(i + 1, parameters[i]);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }

    static long reserve(Connection connection, int quantity, String during, String reference) throws SQLException {
        return Long.parseLong(value(connection,
                "SELECT sharecollab.reserve('gpus', 'Lab', ?::numeric, ?::tstzrange, reference => ?)",
                quantity, during, reference));
    }

    // a profile is a flat JSON object: any JSON library reads it
    static List<String> availability(Connection connection) throws SQLException {
        List<String> values = new ArrayList<>();
        Matcher entry = Pattern.compile("\": ([-0-9.]+)").matcher(value(connection,
                "SELECT sharecollab.availability('gpus', '[2030-01-01,2030-02-01)')::text"));
        while (entry.find())
            values.add(entry.group(1));
        return values;
    }

    static String yes(boolean value) {
        return value ? "True" : "False";
    }

    public static void main(String[] arguments) throws SQLException {
        System.out.println("free at first " + inTransaction(LeaseClient::availability));

        String during = "[2030-01-10,2030-01-20)";
        long lease = inTransaction(c -> reserve(c, 4, during, "job-1"));
        long again = inTransaction(c -> reserve(c, 4, during, "job-1"));
        System.out.println("the same lease again " + yes(lease == again));

        // a refusal has a SQLSTATE, a detail and a hint
        try {
            inTransaction(c -> reserve(c, 99, during, "job-2"));
        } catch (PSQLException e) {
            System.out.println("refused " + e.getSQLState() + " " + e.getServerErrorMessage().getMessage());
            System.out.println("because " + e.getServerErrorMessage().getDetail());
        }

        // what is rolled back was never booked
        try (Connection connection = connect()) {
            reserve(connection, 8, during, "job-3");
            connection.rollback();
        }
        System.out.println("free in between " + inTransaction(LeaseClient::availability));

        // our types go in and come out as JSON
        String[][] values = {
            { "profile", "{\"2030-01-01 00:00:00+00\": 8, \"2030-02-01 00:00:00+00\": 0}" },
            { "tally", "{\"alice\": 12, \"bob\": 3}" },
            { "activity", "{\"17\": {\"count\": 2, \"added\": 340, \"removed\": 25, "
                    + "\"first\": \"2030-01-03 00:00:00+00\", \"last\": \"2030-01-05 00:00:00+00\"}}" } };
        for (String[] v : values) {
            String result = inTransaction(c -> value(c, "SELECT (?::text::sharecollab." + v[0] + ")::text", v[1]));
            System.out.println(v[0] + " round trip " + yes(result.equals(v[1])));
        }

        // the connection breaks in the middle: the retry does not book twice
        boolean[] broken = { false };
        inTransaction(c -> {
            long id = reserve(c, 2, during, "job-4");
            if (!broken[0]) {
                broken[0] = true;
                int pid = Integer.parseInt(value(c, "SELECT pg_backend_pid()"));
                inTransaction(other -> value(other, "SELECT pg_terminate_backend(?)", pid));
                value(c, "SELECT 1");
            }
            return id;
        });
        System.out.println("leases after a broken connection " + inTransaction(
                c -> value(c, "SELECT count(*) FROM sharecollab.lease WHERE reference = 'job-4'")));
    }
}
