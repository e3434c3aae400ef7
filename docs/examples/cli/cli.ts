// A command that calls one tool. Ctrl-C gives the call up, so that the server hears of it, and leaves with 130 as shells expect.
// `build.mjs` beside it makes one file of it that needs no `node_modules`:
//
//   npm install mcp-websocket-client esbuild
//   node build.mjs
//   node dist/cli.mjs ws://127.0.0.1:8080/ws echo '{"message":"hi"}'
import { McpWebSocketClient } from 'mcp-websocket-client'

async function main([url, tool, json = '{}']: readonly string[]): Promise<number> {
  if (url === undefined || tool === undefined) {
    console.error('usage: cli URL TOOL [JSON]')
    return 2
  }
  const controller = new AbortController()
  const { signal } = controller
  process.once('SIGINT', () => controller.abort(new Error('interrupted')))
  let client: McpWebSocketClient | undefined
  try {
    client = new McpWebSocketClient({ url })
    await client.connect({ signal })
    const args = JSON.parse(json) as Record<string, unknown>
    const { content, isError } = await client.callTool({ name: tool, arguments: args }, { signal, timeout: Infinity })
    console.log(JSON.stringify(content))
    return isError ? 1 : 0
  } catch (error) {
    console.error(String(error))
    return signal.aborted ? 130 : 1
  } finally {
    await client?.close()
  }
}

// No await here: a CommonJS bundle has none at the top level.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
