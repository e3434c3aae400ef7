import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.mcp.client.DefaultMcpClient;
import dev.langchain4j.mcp.client.McpClient;
import dev.langchain4j.mcp.client.transport.websocket.WebSocketMcpTransport;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A client on langchain4j, with the WebSocket that it has. Arguments: the URL, then a token. */
public class Client {
    static String call(McpClient client, String name, String arguments) {
        return client.executeTool(ToolExecutionRequest.builder().name(name).arguments(arguments).build()).resultText();
    }

    static McpClient connect(String url, String token, Duration timeout) {
        Supplier<Map<String, String>> headers = () -> Map.of("Authorization", "Bearer " + token);
        var transport = WebSocketMcpTransport.builder().url(url).headersSupplier(headers).build();
        return DefaultMcpClient.builder().transport(transport).toolExecutionTimeout(timeout).build();
    }

    /** Whether a call that has timed out ends on the server, too: it has no other way to give one up. */
    static boolean giveUp(McpClient client) throws InterruptedException {
        String before = call(client, "cancellations", "{}");
        call(client, "slow", "{\"seconds\":60}");
        for (int i = 0; i < 20; i++) {
            if (!call(client, "cancellations", "{}").equals(before)) {
                return true;
            }
            Thread.sleep(50);
        }
        return false;
    }

    public static void main(String[] args) throws Exception {
        McpClient client = connect(args[0], args[1], Duration.ofSeconds(2));
        String tools = client.listTools().stream().map(ToolSpecification::name).collect(Collectors.joining("\",\""));
        long right = IntStream.range(0, 50).parallel().filter(i -> {
            String message = "ünïcode ✓ " + i;
            return call(client, "echo", "{\"message\":\"" + message + "\"}").equals(message);
        }).count();
        String slow = call(client, "slow", "{\"seconds\":0.2}");
        boolean gaveUp = giveUp(client);
        // It asks for no progress.
        System.out.printf(
            "{\"server\":\"sdk-v2-peer\",\"tools\":[\"%s\"],\"right\":%d,\"slow\":\"%s\",\"progress\":[],\"gaveUp\":%b}%n",
            tools, right, slow, gaveUp);
        client.close();
        System.exit(0);
    }
}
