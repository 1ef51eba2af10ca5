import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import java.io.PrintStream;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Runs DynamoDB Local on a free port of the loopback interface; its own main class listens on every interface.
 *
 * Takes the same options. Prints the port on standard output, everything else on standard error, and ends when
 * standard input does: with the process that started it, however that one ends.
 */
public final class Loopback {
    private Loopback() {}

    public static void main(String[] options) throws Exception {
        PrintStream answer = System.out;
        System.setOut(System.err);
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(options);
        Field field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        ServerConnector connector = (ServerConnector) ((Server) field.get(local)).getConnectors()[0];
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        local.start();
        answer.println(connector.getLocalPort());
        answer.flush();
        while (System.in.read() >= 0) {}
        Runtime.getRuntime().halt(0);
    }
}
