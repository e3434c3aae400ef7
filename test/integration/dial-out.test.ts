import { describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import type { ServerTransport } from '../../src/server/index.js'
import { WebSocketClientTransport, type WebSocketClientTransportOptions } from '../../src/transport/index.js'
import { afterTest } from '../helpers/after-test.js'
import { serveTransport, type McpServerOptions, type SdkVersion } from '../helpers/mcp-server.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { makeSdkClient, type SdkClient, type SdkMode } from '../helpers/sdk-client.js'
import { until } from '../helpers/until.js'
import { useServer, type Served } from '../server/use-server.js'

// Both ways round at once: MCP servers of the official SDK dial out, and a gateway on our server puts a `Client` of the official SDK on
// each connection that it accepts.

const QUICK = { initialDelay: 5, maxDelay: 20 }

interface Gateway extends Served<undefined> {
  /** One for each connection, in order; connected. */
  readonly clients: SdkClient[]
  /** Resolves with the client of the connection with this number, from 0. */
  client(number: number): Promise<SdkClient>
}

async function useGateway(mode: SdkMode, port = 0): Promise<Gateway> {
  const clients: SdkClient[] = []
  const onconnection = async (transport: ServerTransport): Promise<void> => {
    const client = makeSdkClient(mode, 1000)
    await client.connect(transport)
    clients.push(client)
  }
  const served = await useServer({ port, onconnection })
  const client = async (number: number): Promise<SdkClient> => {
    await until(() => clients.length > number, `connection ${String(number)} has a client`)
    return clients[number]!
  }
  return Object.assign(served, { clients, client })
}

/** An MCP server that dials out. */
function dialOut(sdk: SdkVersion, url: string, options: McpServerOptions = {}, more: WebSocketClientTransportOptions = {}) {
  const transport = new WebSocketClientTransport(url, { role: 'server', reconnect: QUICK, ...more })
  const errors: Error[] = []
  transport.on('error', (error) => errors.push(error))
  afterTest(serveTransport(sdk, transport, options))
  afterTest(() => transport.close())
  return { transport, errors }
}

const ROWS: readonly (readonly [SdkVersion, SdkMode])[] = [
  ['v1', 'v1'],
  ['v1', 'v2 legacy'],
  ['v1', 'v2 modern'],
  ['v2', 'v1'],
  ['v2', 'v2 legacy'],
  ['v2', 'v2 modern']
]

describe.each(ROWS)('an McpServer of SDK %s that dials out to a Client %s', (sdk, mode) => {
  test('has its tools called, and asks its client', async () => {
    const gateway = await useGateway(mode)
    const { errors } = dialOut(sdk, gateway.url)
    const client = await gateway.client(0)
    expect((await client.client.listTools()).tools.length).toBeGreaterThan(0)
    expect(await client.call('echo', { message: 'ünï' })).toBe('ünï')
    for (const kind of ['elicitation', 'sampling', 'roots']) expect(await client.call(kind)).toMatch(/red|hi|here/)
    expect([errors, client.errors]).toEqual([[], []])
  })

  test('meets a new client after each drop, and brings it nothing of the last one', async () => {
    const gateway = await useGateway(mode)
    const aborted: string[] = []
    const { transport, errors } = dialOut(sdk, gateway.url, { onAborted: (name) => aborted.push(name) })
    for (let round = 0; round < 3; round++) {
      const client = await gateway.client(round)
      let isUnderWay = false
      const lost = rejectionOf(client.call('hold', {}, { onprogress: () => (isUnderWay = true) }))
      await until(() => isUnderWay, 'the call is under way')
      gateway.infos[round]!.request.socket.destroy()
      expect(await lost).toMatchObject({ message: expect.stringMatching(/closed/i) as string })
      await until(() => aborted.length > round, 'the handler was aborted')
      const next = await gateway.client(round + 1)
      expect(await next.call('echo', { message: String(round) })).toBe(String(round))
      expect(next.errors).toEqual([])
      expect(client.closes).toBe(1)
    }
    expect(transport.stats()).toMatchObject({ reconnects: 3, resent: 0, lost: 0 })
    expect(errors).toEqual([])
  })

  test('comes back when the gateway was away', async () => {
    const gateway = await useGateway(mode)
    dialOut(sdk, gateway.url)
    await (await gateway.client(0)).call('echo', { message: 'before' })
    const { port } = gateway.server.address()!
    await gateway.server.close({ grace: 0 })
    const again = await useGateway(mode, port)
    expect(await (await again.client(0)).call('echo', { message: 'after' })).toBe('after')
  })
})

test('a gateway may want one subprotocol of its own, or none', async () => {
  const offers: (string | undefined)[] = []
  const gateway = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: ([first = '']) => first })
  afterTest(() => {
    for (const socket of gateway.clients) socket.terminate()
    gateway.close()
  })
  gateway.on('connection', (socket, { headers }) => {
    offers.push(headers['sec-websocket-protocol'])
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }))
    socket.on('message', (data: Buffer) => offers.push(data.toString()))
  })
  await new Promise((resolve) => gateway.once('listening', resolve))
  const url = `ws://127.0.0.1:${String((gateway.address() as { port: number }).port)}`
  dialOut('v1', url, {}, { offer: [] })
  await until(() => offers.length === 2, 'the ping was answered')
  dialOut('v1', url, {}, { offer: ['gateway'] })
  await until(() => offers.length === 4, 'the ping was answered')
  const pong = '{"jsonrpc":"2.0","id":1,"result":{}}'
  expect(offers.map((text) => (text?.startsWith('{') ? (JSON.parse(text) as unknown) : text))).toEqual([
    undefined,
    JSON.parse(pong),
    'gateway',
    JSON.parse(pong)
  ])
})
