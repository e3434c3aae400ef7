import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { bundle } from '../helpers/child.js'
import { freePort } from '../helpers/free-port.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { useWsServer, type WsServer } from '../helpers/ws-server.js'
import { useServer } from '../server/use-server.js'
import { INITIALIZE, line, surviveCuts, useBridge } from './use-bridge.js'
import { useCli, type Run } from './use-cli.js'

const bin = (): Promise<string> => bundle(new URL('../../src/cli/bin.ts', import.meta.url))

const answers = (cli: Run): { id?: unknown; result?: unknown; error?: { code: number; message: string; data?: unknown } }[] =>
  cli.out
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text) as object)

const useMcp = (port = 0, onConnection = (): void => undefined): Promise<WsServer> =>
  useWsServer(
    ({ socket }) => {
      onConnection()
      serveMcp('v1', socket)
    },
    { port, handleProtocols: () => 'mcp.v1' }
  )

describe('a host on the official SDK', () => {
  const hosts = {
    v1: (script: string, url: string, ...flags: string[]) => ({
      client: new ClientV1({ name: 'host', version: '1' }),
      transport: new StdioV1({ command: process.execPath, args: [script, 'bridge', url, ...flags], stderr: 'ignore' })
    }),
    v2: (script: string, url: string, ...flags: string[]) => ({
      client: new ClientV2({ name: 'host', version: '1' }),
      transport: new StdioV2({ command: process.execPath, args: [script, 'bridge', url, ...flags], stderr: 'ignore' })
    })
  }

  test.each(['v1', 'v2'] as const)(
    '%s sees no disconnect over 10 restarts of the server',
    async (version) => {
      let server = await useMcp()
      const { client, transport } = hosts[version](await bin(), server.url, '--max-delay', '200')
      let closes = 0
      client.onclose = () => closes++
      await client.connect(transport)
      afterTest(() => client.close())
      const { port } = server
      for (let restart = 1; restart <= 10; restart++) {
        await server.close()
        let isBack = false
        server = await useMcp(port, () => (isBack = true))
        // A call that was written before the bridge has seen the end of the connection would be lost.
        await until(() => isBack, 'the bridge is back')
        const message = `after restart ${String(restart)}`
        const result = await client.callTool({ name: 'echo', arguments: { message } })
        expect(result.content).toEqual([{ type: 'text', text: message }])
      }
      expect(closes).toBe(0)
    },
    60_000
  )

  test.each(['v1', 'v2'] as const)('%s ends the bridge by ending its input', async (version) => {
    const { url } = await useMcp()
    const { client, transport } = hosts[version](await bin(), url)
    await client.connect(transport)
    const { pid } = transport
    const before = performance.now()
    await client.close()
    // It would be killed after 2 s.
    expect(performance.now() - before).toBeLessThan(1900)
    expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH')
  })
})

test('a call that is lost is answered with an error that says whether it was executed', async () => {
  const server = await useMcp()
  const cli = await useBridge(server.url)
  cli.type(line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold', arguments: {} } }))
  await until(() => server.connections[0]!.received.some(({ id }) => id === 2), 'the call is there')
  await server.close()
  await cli.says('"id":2')
  const lost = answers(cli).find(({ id }) => id === 2)
  expect(lost?.error?.data).toEqual({ reason: 'CONNECTION_LOST', delivery: 'unknown' })
  await cli.says(/mcp-ws bridge: reconnecting in .*/)
})

test('with --resume a call survives 5 cuts, and is executed once', () => surviveCuts(3), 40_000)

describe('messages', () => {
  test('pass through as they were written, with numbers that JavaScript cannot hold', async () => {
    const texts: string[] = []
    const server = await useWsServer(
      ({ socket }) => {
        socket.on('message', (data: Buffer) => {
          const text = data.toString()
          texts.push(text)
          const { id, method } = JSON.parse(text) as { id?: number; method?: string }
          if (method === 'initialize')
            socket.send(
              `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"raw","version":"1"}}}`
            )
          else if (method === 'raw') {
            socket.send(` {"result" : {"n":12345678901234567890},"id":${String(id)}, "jsonrpc":"2.0"}`)
            socket.send('{"jsonrpc":"2.0","method":"notifications/x","params":{"n":12345678901234567890}}')
            socket.send('{\n"jsonrpc":"2.0","method":"notifications/lines"\r\n,"params":{}}')
            socket.send('{"jsonrpc":"2.0","id":0,"method":"ping"}')
          }
        })
      },
      { handleProtocols: () => 'mcp.v1' }
    )
    const cli = await useBridge(server.url)
    const raw = '{"method":"raw",  "params":{"big":12345678901234567890}, "id":2,"jsonrpc":"2.0"}'
    cli.type(`${raw}\r\n`)
    await cli.says('"ping"')
    expect(texts).toContain(raw)
    expect(cli.out).toContain('\n {"result" : {"n":12345678901234567890},"id":2, "jsonrpc":"2.0"}\n')
    expect(cli.out).toContain('\n{"jsonrpc":"2.0","method":"notifications/x","params":{"n":12345678901234567890}}\n')
    expect(cli.out).toContain('\n{"jsonrpc":"2.0","method":"notifications/lines","params":{}}\n')
    const { id } = answers(cli).at(-1) as { id: string }
    cli.type(line({ jsonrpc: '2.0', id, result: {} }))
    await until(() => texts.some((text) => text === '{"jsonrpc":"2.0","id":0,"result":{}}'), 'the answer has its id back')
  })

  test('that the host cuts into pieces, and several in one, arrive whole', async () => {
    const cli = await useBridge((await useMcp()).url)
    const text = line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo', arguments: { message: 'grün' } } })
    for (const byte of Buffer.from(text)) cli.type(Uint8Array.of(byte))
    cli.type(line({ jsonrpc: '2.0', id: 3, method: 'ping' }) + '\n' + line([{ jsonrpc: '2.0', id: 4, method: 'ping' }]))
    await cli.says('"id":4')
    await cli.says('"id":3')
    await cli.says('grün')
  })

  test('that are none get an error response, and what follows is served', async () => {
    const cli = await useBridge((await useMcp()).url, '--max-message-bytes', '500')
    const long = 'x'.repeat(600)
    cli.type('not JSON\n')
    cli.type(line({ jsonrpc: '2.0', id: 7 }))
    cli.type(line({ jsonrpc: '1.0' }))
    cli.type(line({ jsonrpc: '2.0', id: 8, method: 'x', params: { long } }))
    cli.type(line({ method: 'x', params: { long, inner: { id: 5 } }, jsonrpc: '2.0', id: 'nine' }))
    cli.type(line({ method: 'x', params: { long, text: '"id":5}' } }))
    cli.type(line({ jsonrpc: '2.0', id: 10, method: 'ping' }))
    await cli.says('"id":10')
    const failures = answers(cli).filter(({ error }) => error)
    expect(failures.map(({ id, error }) => [id, error?.code])).toEqual([
      [null, -32700],
      [7, -32600],
      [null, -32600],
      [8, -32600],
      ['nine', -32600],
      [null, -32600]
    ])
    expect(cli.err).toContain('more than --max-message-bytes allows')
  })

  test.each([
    [
      { result: { long: 'x'.repeat(600) } },
      { error: { code: -32603, message: expect.stringMatching(/^the response was lost: the message has 6\d\d bytes/) as string } }
    ],
    [
      { result: 1, error: {}, jsonrpc: '1.0' },
      { error: { code: -32603, message: expect.stringMatching(/^the response was lost: the line is JSON, but not/) as string } }
    ],
    [{ result: null }, { result: null }]
  ])('with which the host responds reach the server, or an error does in their place: %#', async (response, expected) => {
    const server = await useWsServer(
      ({ socket, send }) => {
        serveMcp('v1', socket)
        socket.on('message', (data: Buffer) => {
          if (data.includes('notifications/initialized')) send({ id: 0, method: 'roots/list' })
        })
      },
      { handleProtocols: () => 'mcp.v1' }
    )
    const cli = await useBridge(server.url, '--max-message-bytes', '500')
    await cli.says('roots/list')
    const { id } = answers(cli).at(-1) as { id: string }
    cli.type(line({ jsonrpc: '2.0', id, ...response }))
    cli.type(line({ jsonrpc: '2.0', id: 2, method: 'ping' }))
    await cli.says('"id":2')
    const received = server.connections[0]!.received.find((frame) => frame.id === 0 && frame.method === undefined)
    expect(received).toEqual({ jsonrpc: '2.0', id: 0, ...expected })
  })

  test('that wait for a server which is not there yet are sent when it is', async () => {
    const port = await freePort()
    const cli = useCli(['bridge', `ws://127.0.0.1:${String(port)}/ws`, '--verbose'])
    cli.type(line(INITIALIZE))
    await cli.says('reconnecting in')
    await useMcp(port)
    await cli.says('"serverInfo"')
    expect(cli.err).toContain('initializing → ready')
  })

  test('with an id that is in use are refused', async () => {
    const cli = await useBridge((await useMcp()).url)
    const hold = line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold', arguments: {} } })
    cli.type(hold + hold)
    await cli.says('a request with the id 2 is pending')
  })
})

describe('the end', () => {
  test('of the input in mid-line is said, and what was complete is answered before the bridge ends with 0', async () => {
    const cli = await useBridge((await useMcp()).url)
    cli.type(line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'slow', arguments: {} } }) + '{"jsonrpc":"2.0","id":3,')
    cli.endInput()
    expect(await cli.code).toBe(0)
    const all = answers(cli)
    expect(all.find(({ id }) => id === 2)?.result).toMatchObject({ content: [{ text: 'done' }] })
    expect(all.find(({ error }) => error)).toMatchObject({ id: null, error: { code: -32700, message: 'the input ended within a message' } })
  })

  test('of the input behind a message without a line break loses nothing', async () => {
    const cli = await useBridge((await useMcp()).url)
    cli.type(line({ jsonrpc: '2.0', id: 2, method: 'ping' }).trim())
    cli.endInput()
    expect(await cli.code).toBe(0)
    expect(answers(cli).some(({ id }) => id === 2)).toBe(true)
  })

  test('of the input waits 5 s for responses; then what has none gets an error response, and the bridge ends with 1', async () => {
    const cli = await useBridge((await useMcp()).url)
    cli.type(line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold', arguments: {} } }))
    cli.endInput()
    expect(await cli.code).toBe(1)
    expect(answers(cli).find(({ id }) => id === 2)?.error).toEqual({
      code: -32603,
      message: 'no response came within 5 s after the end of the input; whether the request was executed is unknown',
      data: { reason: 'REQUEST_TIMEOUT', delivery: 'unknown' }
    })
    expect(cli.err).toContain('error: no response to 1 request')
  })

  test('of the input leaves no request without a response although the server cannot be reached', async () => {
    const cli = useCli(['bridge', `ws://127.0.0.1:${String(await freePort())}/ws`])
    cli.type(line(INITIALIZE))
    cli.endInput()
    expect(await cli.code).toBe(1)
    expect(answers(cli)).toEqual([{ jsonrpc: '2.0', id: 1, error: expect.objectContaining({ code: -32603 }) as object }])
  })

  test('of the input does not wait for what was cancelled', async () => {
    const server = await useMcp()
    const cli = await useBridge(server.url)
    cli.type(line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'hold', arguments: {} } }))
    cli.type(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }))
    cli.endInput()
    expect(await cli.code).toBe(0)
  })

  test('that the server decides is told to the host, and ends the bridge with 1', async () => {
    const { url } = await useServer({ authenticate: () => undefined })
    const cli = useCli(['bridge', url])
    cli.type(line(INITIALIZE))
    expect(await cli.code).toBe(1)
    expect(answers(cli)).toEqual([{ jsonrpc: '2.0', id: 1, error: expect.objectContaining({ code: 1006 }) as object }])
    expect(cli.err).toContain('hint: The server wants credentials')
  })

  test.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 0]
  ] as const)('by %s is %i', async (signal, code) => {
    const cli = await useBridge((await useMcp()).url)
    cli.signal(signal)
    expect(await cli.code).toBe(code)
  })
})
