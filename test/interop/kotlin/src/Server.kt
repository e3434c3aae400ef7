// A server on the official Kotlin SDK with Ktor, as its tests make one: 127.0.0.1, the port is the only argument, path /ws.
package server

import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.modelcontextprotocol.kotlin.sdk.server.ClientConnection
import io.modelcontextprotocol.kotlin.sdk.server.Server
import io.modelcontextprotocol.kotlin.sdk.server.ServerOptions
import io.modelcontextprotocol.kotlin.sdk.server.mcpWebSocket
import io.modelcontextprotocol.kotlin.sdk.types.CallToolRequest
import io.modelcontextprotocol.kotlin.sdk.types.CallToolResult
import io.modelcontextprotocol.kotlin.sdk.types.Implementation
import io.modelcontextprotocol.kotlin.sdk.types.ProgressNotification
import io.modelcontextprotocol.kotlin.sdk.types.ProgressNotificationParams
import io.modelcontextprotocol.kotlin.sdk.types.ServerCapabilities
import io.modelcontextprotocol.kotlin.sdk.types.TextContent
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.delay
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonPrimitive

val cancellations = AtomicInteger()

fun text(words: String) = CallToolResult(content = listOf(TextContent(words)))

fun CallToolRequest.given(name: String): JsonPrimitive = arguments!!.getValue(name).jsonPrimitive

suspend fun slow(client: ClientConnection, request: CallToolRequest): CallToolResult {
    val steps = 4
    try {
        for (step in 1..steps) {
            delay((request.given("seconds").content.toDouble() * 1000 / steps).toLong())
            request.meta?.progressToken?.let { token ->
                val params = ProgressNotificationParams(token, step.toDouble(), steps.toDouble())
                client.notification(ProgressNotification(params))
            }
        }
    } catch (cancelled: CancellationException) {
        cancellations.incrementAndGet()
        throw cancelled
    }
    return text("done")
}

fun makeServer(): Server {
    val capabilities = ServerCapabilities(tools = ServerCapabilities.Tools(listChanged = false))
    val server = Server(Implementation("kotlin-sdk-peer", "1.0.0"), ServerOptions(capabilities))
    server.addTool("echo", "Says it again") { request -> text(request.given("message").content) }
    server.addTool("slow", "Takes its time") { request -> slow(this, request) }
    server.addTool("cancellations", "Counts") { _ -> text(cancellations.toString()) }
    return server
}

fun main(args: Array<String>) {
    embeddedServer(CIO, host = "127.0.0.1", port = args[0].toInt()) { mcpWebSocket("/ws") { makeServer() } }.start(wait = true)
}
