// What the official conformance runner starts as the client under test: one scenario, with our client or with the SDK's `Client` over our
// transport. The runner's servers speak HTTP only, so that a small gateway stands in between, in this process.
// Usage: node client.mjs (client | v1 | v2) (steady | killed) URL, and the name of the scenario in MCP_CONFORMANCE_SCENARIO.

import { once } from 'node:events'
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { McpWebSocketClient } from 'mcp-websocket-client'
import { WebSocketClientTransport } from 'mcp-websocket-client/transport'
import { WebSocketServer } from 'ws'

const INFO = { name: 'conformance', version: '1.0.0' }
const CAPABILITIES = { elicitation: { form: { applyDefaults: true } } }
const FAST = { reconnect: { initialDelay: 10 } }

const [kind, fate, target] = process.argv.slice(2)
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_PROTOCOL_VERSION: version } = process.env

/** Accepts WebSockets and hands every message to the HTTP server, and everything that this responds back. */
async function startGateway() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mcp.v1' })
  server.on('connection', (socket) => {
    const session = { over: new AbortController() }
    socket.on('close', () => session.over.abort())
    // HTTP requests could overtake each other.
    let last = Promise.resolve()
    socket.on('message', (data) => {
      const message = JSON.parse(String(data))
      const sent = last.then(() => forward(message, session, socket))
      if (message.method !== 'tools/call') last = sent.catch(() => undefined)
      sent.catch((error) => session.over.signal.aborted || socket.close(1011, String(error).slice(0, 100)))
    })
  })
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    kill: () => server.clients.forEach((socket) => socket.terminate()),
    close: () => {
      server.clients.forEach((socket) => socket.terminate())
      server.close()
    }
  }
}

async function forward(message, session, socket) {
  const { method, params } = message
  const modern = params?._meta?.['io.modelcontextprotocol/protocolVersion']
  const response = await fetch(target, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...((modern ?? session.version) && { 'MCP-Protocol-Version': modern ?? session.version }),
      ...(modern && { 'Mcp-Method': method, ...(params.name && { 'Mcp-Name': params.name }) }),
      ...(session.id && { 'Mcp-Session-Id': session.id })
    },
    body: JSON.stringify(message),
    signal: session.over.signal
  })
  session.id ??= response.headers.get('mcp-session-id') ?? undefined
  for await (const text of textsOf(response)) {
    if (method === 'initialize') session.version = JSON.parse(text).result?.protocolVersion
    socket.send(text)
  }
  if (method === 'notifications/initialized' && session.id) void listen(session, socket)
}

/** Hands on what the server sends outside of any response. */
async function listen({ id, version, over }, socket) {
  const headers = { Accept: 'text/event-stream', 'Mcp-Session-Id': id, 'MCP-Protocol-Version': version }
  try {
    for await (const text of textsOf(await fetch(target, { headers, signal: over.signal }))) socket.send(text)
  } catch (error) {
    if (!over.signal.aborted) throw error
  }
}

/** The messages of a response, which is one of them, or a stream of events (MCP 2025-11-25, basic/transports). */
async function* textsOf(response) {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await response.text()
    if (text.trim() !== '') yield text
    return
  }
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split(/\r?\n\r?\n/)
    rest = events.pop()
    for (const event of events) {
      const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:'))
      if (data.length > 0) yield data.map((line) => line.slice(5)).join('')
    }
  }
}

/** The few calls that scenarios need, the same over each kind of client. */
async function open(url) {
  const accept = () => ({ action: 'accept', content: scenario.includes('defaults') ? {} : { confirmed: true } })
  if (kind === 'client') {
    const client = new McpWebSocketClient({ url, clientInfo: INFO, capabilities: CAPABILITIES, ...FAST })
    client.setRequestHandler('elicitation/create', accept)
    await client.connect()
    const reconnected = new Promise((resolve) => client.once('reconnected', resolve))
    return {
      list: () => client.listTools(),
      call: (name, args = {}) => client.callTool({ name, arguments: args }),
      reconnected,
      close: () => client.close()
    }
  }
  const transport = new WebSocketClientTransport(url, FAST)
  const reconnected = new Promise((resolve) => transport.once('reconnected', resolve))
  const options = { capabilities: CAPABILITIES }
  const client =
    kind === 'v1'
      ? new ClientV1(INFO, options)
      : new ClientV2(INFO, { ...options, versionNegotiation: { mode: version === '2026-07-28' ? 'auto' : 'legacy' } })
  client.setRequestHandler(kind === 'v1' ? ElicitRequestSchema : 'elicitation/create', accept)
  await client.connect(transport)
  return {
    list: () => client.listTools(),
    call: (name, args = {}) => client.callTool({ name, arguments: args }),
    reconnected,
    close: () => client.close()
  }
}

const SCENARIOS = {
  initialize: () => undefined,
  tools_call: (client) => client.call('add_numbers', { a: 5, b: 3 }),
  'elicitation-sep1034-client-defaults': (client) => client.call('test_client_elicitation_defaults'),
  'request-metadata': () => undefined,
  // The last of the tools leaves out `resultType`, which SDK v2 rejects; the runner only looks at what was sent.
  'sep-2322-client-request-state': (client) =>
    Promise.allSettled(['echo_state', 'no_state', 'unrelated', 'no_result_type'].map((name) => client.call(`test_mrtr_${name}`))),
  'json-schema-ref-no-deref': () => undefined,
  'json-schema-2020-12-preservation': (client, { tools }) => client.call('json_schema_echo', { schema: tools[0].inputSchema })
}

const gateway = await startGateway()
try {
  const client = await open(gateway.url)
  const listed = await client.list()
  if (fate === 'killed') {
    gateway.kill()
    await client.reconnected
  }
  await SCENARIOS[scenario](client, listed)
  await client.close()
} finally {
  gateway.close()
}
