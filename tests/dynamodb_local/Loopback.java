import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import com.amazonaws.services.dynamodbv2.local.shared.access.LocalDBAccess;
import com.amazonaws.services.dynamodbv2.local.shared.access.LocalDBClient;
import com.amazonaws.services.dynamodbv2.local.shared.jobs.JobsRegister;
import com.amazonaws.services.dynamodbv2.local.shared.jobs.ShardRolloverJob;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.util.Map;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Runs DynamoDB Local on a free port of the loopback interface; its own main class listens on every interface.
 *
 * Takes the same options. Prints the port on standard output, everything else on standard error, and ends when
 * standard input does: with the process that started it, however that one ends. For each line on standard input, it
 * closes every shard of every stream, as it otherwise does after four hours, and prints a line.
 */
public final class Loopback {
    private Loopback() {}

    public static void main(String[] options) throws Exception {
        PrintStream answer = System.out;
        System.setOut(System.err);
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(options);
        Server server = (Server) get(local, DynamoDBProxyServer.class, "server");
        ServerConnector connector = (ServerConnector) server.getConnectors()[0];
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        local.start();
        answer.println(connector.getLocalPort());
        answer.flush();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        while (commands.readLine() != null) {
            for (Object database : databases(local).values()) {
                LocalDBAccess access = (LocalDBAccess) get(database, LocalDBClient.class, "dbAccess");
                JobsRegister jobs = (JobsRegister) get(database, LocalDBClient.class, "jobs");
                new ShardRolloverJob(access, jobs, 0).run();
            }
            answer.println("rolled over");
            answer.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static Map<?, ?> databases(DynamoDBProxyServer local) throws Exception {
        Object handler = get(local, DynamoDBProxyServer.class, "serverHandler");
        Object requests = get(handler, handler.getClass().getSuperclass(), "primaryHandler");
        return (Map<?, ?>) get(requests, requests.getClass(), "dbRequestHandlers");
    }

    private static Object get(Object object, Class<?> type, String name) throws Exception {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
    }
}
