import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { describeFailure, runAgent } from '../../docs/examples/agent/agent.js'
import { startTestServer } from '../../docs/examples/testing/test-server.js'
import { McpWebSocketError, type JsonRpcMessage } from '../../src/index.js'
import { afterTest } from '../helpers/after-test.js'
import { bundle, useChild, type Child } from '../helpers/child.js'
import { freePort } from '../helpers/free-port.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { useFolder } from '../helpers/use-folder.js'
import { useServer } from '../server/use-server.js'

// The programs of docs/examples that need Node and nothing else. React runs in test/browser, the page in test/engines, two nodes behind
// HAProxy in test/integration/proxies, and frameworks in test/interop.

const EXAMPLES = new URL('../../docs/examples/', import.meta.url)

/** Starts an example as a program of Node, in a bundle of its own. */
const useExample = async (path: string, ...args: string[]): Promise<Child> => useChild(await bundle(new URL(path, EXAMPLES)), args)

describe('an agent', () => {
  test('uses two servers, does without a dead one, and tells its model of a lost call what it must know', async () => {
    const first = await useServer()
    const other = await useServer({ onconnection: (transport) => void serveTransport('v1', transport) })
    const dead = `ws://127.0.0.1:${String(await freePort())}/ws`
    const histories: string[][] = []
    const answer = await runAgent(
      [dead, first.url, other.url],
      (tools, history) => {
        histories.push([...history])
        if (history.length === 0) {
          expect(tools.map(({ name }) => name)).toContain('echo')
          return Promise.resolve({ tool: 'echo', arguments: { message: 'hello' } })
        }
        if (history.length === 1) {
          for (const { infos, server } of [first, other])
            void until(() => server.metrics().requestsInFlight > 0, 'the call is under way').then(
              () => infos[0]?.request.socket.destroy(),
              () => undefined
            )
          return Promise.resolve({ tool: 'hold', arguments: {} })
        }
        if (history.length === 2) return Promise.resolve({ tool: 'fail', arguments: {} })
        return Promise.resolve(history.length === 3 ? { tool: 'none', arguments: {} } : { answer: 'done' })
      },
      new AbortController().signal
    )
    expect(answer).toBe('done')
    expect(histories.at(-1)).toEqual([
      expect.stringMatching(/^echo returned: .*hello/),
      expect.stringMatching(/^hold was called, and its result was lost\. It may have been executed, or not\./),
      expect.stringMatching(/^fail failed: .*it failed/),
      'There is no tool none.'
    ])
  }, 30_000)

  test('that is told to end gives its call up, and leaves nothing open', async () => {
    const aborted: string[] = []
    const { url, server } = await useServer({
      onconnection: (transport) => void serveTransport('v2', transport, { onAborted: (name) => aborted.push(name) })
    })
    const controller = new AbortController()
    const running = rejectionOf(runAgent([url], () => Promise.resolve({ tool: 'hold', arguments: {} }), controller.signal))
    await until(() => server.metrics().requestsInFlight > 0, 'the call is under way')
    const reason = new Error('SIGTERM')
    controller.abort(reason)
    expect(await running).toBe(reason)
    await until(() => server.metrics().connections === 0, 'the client is gone')
    expect(aborted).toEqual(['hold'])
  })

  test('is a program that ends by itself', async () => {
    const { url } = await useServer()
    const agent = await useExample('agent/main.ts', url)
    expect(await agent.nextLine()).toBe('echo returned: [{"type":"text","text":"hello"}]')
    expect(await agent.gone).toBe(0)
  })

  test('ended by SIGTERM in the middle of a call gives it up, closes its connection and says why it ended', async () => {
    const results: Record<string, object> = {
      'server/discover': { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
      'tools/list': { resultType: 'complete', tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }
    }
    const received: string[] = []
    const { url, server } = await useServer({
      onconnection: (transport) => {
        transport.onmessage = (message) => {
          if (!('method' in message)) return
          received.push(message.method)
          const result = results[message.method]
          if ('id' in message && result) void transport.send({ jsonrpc: '2.0', id: message.id, result } as JsonRpcMessage)
        }
        return transport.start()
      }
    })
    const agent = await useExample('agent/main.ts', url)
    await until(() => received.includes('tools/call'), 'the call is under way')
    process.kill(agent.pid, 'SIGTERM')
    expect(await agent.gone).toBe(1)
    expect(agent.complaints).toContain('Error: SIGTERM')
    await until(() => server.metrics().connections === 0, 'its connection is closed')
    expect(received.slice(2)).toEqual(['tools/call', 'notifications/cancelled'])
  })

  test.each(['unknown', 'not-sent'] as const)('tells its model of a call with delivery %s what docs/delivery.md says', async (delivery) => {
    const guide = await readFile(new URL('../../docs/delivery.md', import.meta.url), 'utf8')
    const error = new McpWebSocketError('CONNECTION_LOST', 'it broke', { retryable: true, delivery })
    expect(guide.replaceAll('\n> ', ' ')).toContain(describeFailure('`pay`', error))
  })
})

describe('a command in one file', () => {
  test('says how it is called, and what is wrong with an address', async () => {
    const folder = await useFolder()
    await promisify(execFile)(process.execPath, [fileURLToPath(new URL('cli/build.mjs', EXAMPLES)), folder])
    const run = async (...args: string[]): Promise<[number | null, string]> => {
      const program = useChild(join(folder, 'cli.mjs'), args)
      return [await program.gone, program.complaints]
    }
    expect(await run('ws://127.0.0.1:8080/ws')).toEqual([2, 'usage: cli URL TOOL [JSON]\n'])
    expect(await run('nowhere', 'echo')).toEqual([1, expect.stringContaining('TypeError: url must be an absolute URL')])
  })

  test.each(['cjs', 'mjs'])('tells the server of Ctrl-C, and leaves with 130: %s', async (suffix) => {
    const folder = await useFolder()
    await promisify(execFile)(process.execPath, [fileURLToPath(new URL('cli/build.mjs', EXAMPLES)), folder])
    const program = join(folder, `cli.${suffix}`)
    const aborted: string[] = []
    const { url, server } = await useServer({
      onconnection: (transport) => void serveTransport('v2', transport, { onAborted: (name) => aborted.push(name) })
    })
    const done = useChild(program, [url, 'echo', '{"message":"hi"}'])
    expect(await done.nextLine()).toBe('[{"type":"text","text":"hi"}]')
    expect(await done.gone).toBe(0)
    const held = useChild(program, [url, 'hold'])
    await until(() => server.metrics().requestsInFlight > 0, 'the call is under way')
    process.kill(held.pid, 'SIGINT')
    expect(await held.gone).toBe(130)
    await until(() => aborted.length > 0, 'the server heard of it')
  })
})

describe('an Express app', () => {
  test('serves its pages and MCP on one port, and lets in only who has the token', async () => {
    process.env.PORT = '0'
    process.env.MCP_TOKEN = 'secret'
    afterTest(() => {
      delete process.env.PORT
      delete process.env.MCP_TOKEN
    })
    const app = await useExample('express/server.ts')
    const port = /listening on (\d+)/.exec(await app.nextLine())?.[1] ?? ''
    const url = `ws://127.0.0.1:${port}/ws`
    const { client } = useClient({ url, auth: { token: 'secret' } })
    await client.connect()
    expect((await client.callTool({ name: 'hello' })).content).toEqual([{ type: 'text', text: 'hello' }])
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
    expect([response.headers.get('x-powered-by'), await response.text()]).toEqual(['Express', '1 clients\n'])
    const stranger = useClient({ url, auth: { token: 'guessed' } })
    expect(await rejectionOf(stranger.client.connect())).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
    process.kill(app.pid, 'SIGTERM')
    expect(await app.gone).toBe(0)
  })
})

describe('a server for tests', () => {
  test('breaks the connections of its clients when it is told to, and they come back', async () => {
    const { url, breakConnections, stop } = await startTestServer()
    afterTest(stop)
    const { client } = useClient({ url, reconnect: { initialDelay: 10 } })
    await client.connect()
    const reconnected = nextEvent(client, 'reconnected')
    await breakConnections()
    await reconnected
    expect((await client.callTool({ name: 'pay' })).content).toEqual([{ type: 'text', text: 'paid' }])
  })
})
