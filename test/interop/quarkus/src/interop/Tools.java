package interop;

import io.quarkiverse.mcp.server.Cancellation;
import io.quarkiverse.mcp.server.Cancellation.OperationCancellationException;
import io.quarkiverse.mcp.server.Progress;
import io.quarkiverse.mcp.server.Tool;
import java.util.concurrent.atomic.AtomicInteger;

/** The tools of a server on the Quarkus MCP server, with the WebSocket that it has. */
public class Tools {
    private static final AtomicInteger COUNT = new AtomicInteger();

    @Tool
    String echo(String message) {
        return message;
    }

    @Tool
    String slow(double seconds, Progress progress, Cancellation cancellation) throws InterruptedException {
        int steps = 4;
        for (int step = 1; step <= steps; step++) {
            long end = System.nanoTime() + (long) (seconds * 1e9 / steps);
            while (System.nanoTime() < end) {
                Thread.sleep(10);
                if (cancellation.check().isRequested()) {
                    COUNT.incrementAndGet();
                    throw new OperationCancellationException();
                }
            }
            if (progress.token().isPresent()) {
                progress.notificationBuilder().setProgress(step).setTotal(steps).build().sendAndForget();
            }
        }
        return "done";
    }

    @Tool
    String cancellations() {
        return COUNT.toString();
    }
}
