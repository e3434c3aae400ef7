// The main job on real programs: the official "everything" server behind supergateway's WebSocket, a crash in the middle,
// and a client that carries on. Run it with `npm run demo`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { isConnectionLostError, McpWebSocketClient } from 'mcp-websocket-client'

const require = createRequire(import.meta.url)

/** The program that a package installs as a command. */
function commandOf(name) {
  const manifest = require.resolve(`${name}/package.json`)
  const { bin } = require(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : Object.values(bin)[0])
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const port = await freePort()
const url = `ws://127.0.0.1:${port}/message`
let gateway

function startGateway() {
  const stdio = `"${process.execPath}" "${commandOf('@modelcontextprotocol/server-everything')}"`
  // Its own process group, so that a kill also takes the server that the gateway started.
  gateway = spawn(process.execPath, [commandOf('supergateway'), '--stdio', stdio, '--outputTransport', 'ws', '--port', String(port)], {
    stdio: 'ignore',
    detached: true
  })
  return gateway
}

async function killGateway() {
  const exited = once(gateway, 'exit')
  process.kill(-gateway.pid, 'SIGKILL')
  await exited
}

const step = (text) => console.log(`\n${text}`)
const detail = (text) => console.log(`   ${text}`)
const textOf = (result) => result.content.map((block) => block.text ?? `(${block.type})`).join(' ')

process.on('exit', () => {
  try {
    process.kill(-gateway.pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
})

startGateway()
const client = new McpWebSocketClient({ url, reconnect: { initialDelay: 200, maxDelay: 1000, maxRetries: 60 } })
client.on('state', ({ from, to, delay }) =>
  detail(`${from} → ${to}${delay === undefined ? '' : ` (next dial in ${Math.round(delay)} ms)`}`)
)

step(`1. Connect to ${url} while the gateway is still starting`)
await client.connect()
detail(
  `${client.serverInfo.name} ${client.serverInfo.version}, MCP ${client.protocolVersion} (${client.era}), subprotocol ${client.subprotocol}`
)

step('2. List the tools and call two of them')
const { tools } = await client.listTools()
detail(`${tools.length} tools: ${tools.map(({ name }) => name).join(', ')}`)
detail(`echo → ${textOf(await client.callTool({ name: 'echo', arguments: { message: 'hello' } }))}`)
detail(`get-sum → ${textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 40 } }))}`)

step('3. Follow the progress of a long-running tool')
const long = await client.callTool(
  { name: 'trigger-long-running-operation', arguments: { duration: 2, steps: 4 } },
  { onprogress: ({ progress, total }) => detail(`progress ${progress}/${total}`) }
)
detail(textOf(long))

step('4. Kill the gateway (SIGKILL) while a call is in flight, and start it again')
const lost = client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 1 } }).catch((error) => error)
await killGateway()
const error = await lost
if (!isConnectionLostError(error)) throw new Error('the lost call was not reported', { cause: error })
detail(`the call in flight: ${error.name}, delivery ${error.delivery}`)
startGateway()
const made = client.callTool({ name: 'echo', arguments: { message: 'asked while the server was away' } })
detail(`${client.queuedCount} request waits`)
detail(`echo → ${textOf(await made)}`)

step('5. Call again')
detail(`echo → ${textOf(await client.callTool({ name: 'echo', arguments: { message: 'still here' } }))}`)

const { attempts, reconnects, sent, received } = client.stats()
await client.close()
await killGateway()
step(`Done: ${attempts} dials, ${reconnects} reconnect, ${sent} messages sent, ${received} received.`)
