// A client on the official Kotlin SDK with Ktor. Arguments: the URL, then a token. It prints what it found, as a line of JSON.
package client

import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.plugins.websocket.WebSockets
import io.ktor.client.request.header
import io.modelcontextprotocol.kotlin.sdk.client.Client
import io.modelcontextprotocol.kotlin.sdk.client.mcpWebSocketTransport
import io.modelcontextprotocol.kotlin.sdk.shared.RequestOptions
import io.modelcontextprotocol.kotlin.sdk.types.Implementation
import io.modelcontextprotocol.kotlin.sdk.types.TextContent
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonArray
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlin.system.exitProcess

suspend fun Client.call(name: String, arguments: Map<String, Any?>, options: RequestOptions? = null): String {
    val result = callTool(name, arguments, emptyMap(), options)
    return (result.content.first() as TextContent).text
}

/** Whether a call that is given up ends on the server, too. */
suspend fun Client.giveUp(): Boolean {
    val before = call("cancellations", emptyMap())
    runBlocking {
        val running = launch { call("slow", mapOf("seconds" to 60)) }
        delay(100)
        running.cancel()
    }
    repeat(20) {
        if (call("cancellations", emptyMap()) != before) return true
        delay(50)
    }
    return false
}

fun main(args: Array<String>): Unit = runBlocking {
    val (url, token) = args
    val client = Client(Implementation("kotlin-sdk-client", "1.0.0"))
    client.connect(HttpClient(CIO) { install(WebSockets) }.mcpWebSocketTransport(url) { header("Authorization", "Bearer $token") })
    val names = client.listTools().tools.map { it.name }
    val messages = List(50) { "ünïcode ✓ $it" }
    val answers = messages.map { async { client.call("echo", mapOf("message" to it)) } }.awaitAll()
    val progress = mutableListOf<Pair<Double, Double?>>()
    val words = client.call("slow", mapOf("seconds" to 0.2), RequestOptions(onProgress = { progress.add(it.progress to it.total) }))
    val gaveUp = client.giveUp()
    val found = buildJsonObject {
        put("server", client.serverVersion?.name)
        putJsonArray("tools") { names.forEach { add(it) } }
        put("right", answers.zip(messages).count { (answer, message) -> answer == message })
        put("slow", words)
        putJsonArray("progress") {
            progress.forEach { (done, total) ->
                addJsonArray {
                    add(done)
                    add(total)
                }
            }
        }
        put("gaveUp", gaveUp)
    }
    println(found)
    client.close()
    exitProcess(0)
}
