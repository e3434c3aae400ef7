import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import parsePrometheus from 'parse-prometheus-text-format'
import { describe, expect, test } from 'vitest'
import type { Signal } from '../../src/cli/io.js'
import { run } from '../../src/cli/main.js'
import { isConnectionLostError, McpWebSocketClient } from '../../src/index.js'
import { McpWebSocketServer } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { bundle, useChild } from '../helpers/child.js'
import { nextEvent } from '../helpers/next-event.js'
import { useFolder } from '../helpers/use-folder.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { openPeer } from '../server/raw-peer.js'
import { EVERYTHING, STUBBORN } from './programs.js'
import { isAlive, useClient } from './served.js'
import { useCli, type Run } from './use-cli.js'
import { useTcpProxy } from './use-tcp-proxy.js'

interface Serving extends Run {
  readonly url: string
  readonly port: number
}

async function useServe(
  command: readonly string[],
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {}
): Promise<Serving> {
  const cli = useCli(['serve', '--port', '0', ...flags, '--', ...command], { env })
  await cli.says(/serving .* at ws:\S+\n/)
  const [, url = ''] = / at (ws:\S+)/.exec(cli.err) ?? []
  // A spread would copy what the run has written so far.
  return Object.assign(Object.create(cli) as Run, { url, port: Number(new URL(url).port) })
}

interface Facts {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly pid: number
}

test('the official everything server is served, and called by the tool itself', async () => {
  const { url } = await useServe(EVERYTHING)
  const cli = useCli(['call', url, 'echo', 'message=hi'])
  expect([await cli.code, cli.out, cli.err]).toEqual([0, 'Echo: hi\n', ''])
})

test('signals are heard before it says that it listens: who reads that may end it at once', async () => {
  const listeners = new Set<(signal: Signal) => void>()
  let heard = 0
  const stderr = new Writable({
    write: (words, _encoding, done) => {
      if (String(words).includes('serving')) heard = listeners.size
      done()
    }
  })
  const code = run(['serve', '--port', '0', '--', ...STUBBORN], {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    env: process.env,
    onSignal: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  })
  await until(() => listeners.size > 0, 'it hears signals')
  for (const listener of listeners) listener('SIGTERM')
  expect(await code).toBe(0)
  expect(heard).toBe(1)
})

test('each client has a program of its own, which ends with its connection', async () => {
  const { url } = await useServe(STUBBORN)
  const [one, other] = [await useClient(url), await useClient(url)]
  const [{ pid }, { pid: otherPid }] = [await one.request<Facts>('facts'), await other.request<Facts>('facts')] as [Facts, Facts]
  expect(pid).not.toBe(otherPid)
  await one.close()
  await until(() => !isAlive(pid), 'it has ended')
  expect(isAlive(otherPid)).toBe(true)
})

test('nothing of a client reaches an argument, a shell or the environment of the program, and neither does the token', async () => {
  const command = [...STUBBORN, '$(id)', '; exit 1', 'a b']
  const { url } = await useServe(command, [], { MCP_WS_TOKEN: 'secret-token', KEPT: 'yes' })
  const client = await useClient(url, { auth: { token: 'secret-token' }, headers: { 'x-evil': '$(id)' } })
  const { argv, env } = await client.request<Facts>('facts')
  expect(argv).toEqual(['$(id)', '; exit 1', 'a b'])
  expect(env).toEqual({ KEPT: 'yes' })
})

test('the death of the program ends its connection with 1011 and the exit code, and the next connection has a new one', async () => {
  const { url, says } = await useServe(STUBBORN)
  const client = await useClient(url)
  const change = nextEvent(client, 'state')
  const lost = await rejectionOf(client.request('exit', { code: 7 }))
  expect(isConnectionLostError(lost) && lost.closure).toMatchObject({ code: 1011, reason: 'the program ended with exit code 7' })
  await change
  await says('[1] the program ended with exit code 7')
  await expect(client.ping()).resolves.toEqual({})
})

test('the death of the program is noticed although something that it started holds its output open', async () => {
  const serving = await useServe(STUBBORN)
  const client = await useClient(serving.url, { reconnect: false })
  const { pid } = await client.request<{ pid: number }>('daemon')
  afterTest(() => void process.kill(pid, 'SIGKILL'))
  const lost = await rejectionOf(client.request('exit', { code: 7 }))
  expect(isConnectionLostError(lost) && lost.closure).toMatchObject({ code: 1011, reason: 'the program ended with exit code 7' })
  serving.signal('SIGTERM')
  expect(await serving.code).toBe(0)
  expect(isAlive(pid)).toBe(true)
})

test('a program that cannot be started ends the connection with 1011', async () => {
  const program = join(await useFolder(), 'program')
  writeFileSync(program, '#!/nowhere/at-all\n', { mode: 0o755 })
  const serving = await useServe([program])
  const { url, says } = serving
  const client = new McpWebSocketClient({ url, protocol: 'legacy', reconnect: false })
  await expect(client.connect()).rejects.toThrow('the program cannot be started: ENOENT')
  await says('[1] the program cannot be started: ENOENT')
  // The end of what never began would be a second line.
  serving.signal('SIGTERM')
  await serving.code
  expect(serving.err).not.toContain('exit code')
})

test.each([
  ['/nowhere/at-all', 'error: There is no program /nowhere/at-all\n'],
  ['nosuchprogram', 'error: There is no program nosuchprogram in the folders of PATH\n']
])('a program that is not there is found out before anybody connects: %s', async (program, text) => {
  const cli = useCli(['serve', '--port', '0', '--', program], { env: { PATH: process.env.PATH } })
  expect([await cli.code, cli.err]).toEqual([2, text])
})

test('what a program says on its standard error is passed on with a prefix, and steers no terminal', async () => {
  const serving = await useServe(STUBBORN)
  const client = await useClient(serving.url)
  await client.request('complain', { words: 'one\n\u001b[31mtwo\n' })
  await serving.says('[1] one\n[1] \\x1b[31mtwo\n')
})

test('what a program writes to its output besides messages is said, and stops nothing', async () => {
  const serving = await useServe(STUBBORN)
  const client = await useClient(serving.url)
  await expect(client.request('chatter')).resolves.toEqual({})
  await serving.says('[1] what the program wrote to its output is not a message: this is no JSON')
})

test('a program may answer null', async () => {
  const client = await useClient((await useServe(STUBBORN)).url)
  await expect(client.request('nothing')).resolves.toBeNull()
})

describe('a request gets an error response', () => {
  test('where the response of the program is too long', async () => {
    const { url } = await useServe(STUBBORN, ['--max-message-bytes', '5000'])
    const client = await useClient(url)
    await expect(client.request('long', { length: 5000 })).rejects.toThrow(
      /^the response was lost: the message has 50\d\d bytes, more than --max-message-bytes allows$/
    )
    await expect(client.request('long', { length: 4000 })).resolves.toBeDefined()
  })

  test('where the response of the program is none', async () => {
    const client = await useClient((await useServe(STUBBORN)).url)
    await expect(client.request('odd')).rejects.toThrow('the response was lost: the line is JSON, but not a message of JSON-RPC 2.0')
  })

  test('where it is nested too deeply to be passed on, in either direction', async () => {
    const { port } = await useServe(STUBBORN)
    const peer = await openPeer(port)
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    peer.send(`{"jsonrpc":"2.0","id":1,"method":"facts","params":{"nested":${nested}}}`)
    const { error } = await peer.message(({ id }) => id === 1)
    expect(error).toEqual({ code: -32603, message: 'what the client sent cannot be written as JSON: Maximum call stack size exceeded' })
    peer.send({ jsonrpc: '2.0', id: 2, method: 'ask' })
    await peer.message(({ id }) => id === 'asked')
    peer.send(`{"jsonrpc":"2.0","id":"asked","result":{"nested":${nested}}}`)
    const { result } = await peer.message(({ id }) => id === 2)
    expect(result).toEqual({ answer: 'what the client sent cannot be written as JSON: Maximum call stack size exceeded' })
  })
})

test('a program that ends neither with its input nor by SIGTERM is killed', async () => {
  const { url } = await useServe(STUBBORN)
  const client = await useClient(url)
  await client.request('stay')
  const { pid } = await client.request<Facts>('facts')
  await client.close()
  await until(() => !isAlive(pid), 'it was killed')
})

describe('with --resume', () => {
  test('the program of a client that is away goes on, and the client gets it back', async () => {
    const serving = await useServe(STUBBORN, ['--resume', '2m', '--verbose'])
    const proxy = await useTcpProxy(serving.port)
    const client = await useClient(`ws://127.0.0.1:${String(proxy.port)}/ws`, { resume: true })
    const { pid } = await client.request<Facts>('facts')
    const call = client.request<Facts>('later', { ms: 400 })
    await client.ping()
    proxy.cut()
    await serving.says('[1] the client is away')
    expect((await call).pid).toBe(pid)
    await serving.says('[1] the client is back')
  })

  test('the program of a client that does not come back is ended', async () => {
    const { url, says } = await useServe(STUBBORN, ['--resume', '50ms', '--verbose'])
    const client = await useClient(url, { resume: true, reconnect: false })
    const { pid } = await client.request<Facts>('facts')
    const proxy = await useTcpProxy(Number(new URL(url).port))
    const other = await useClient(`ws://127.0.0.1:${String(proxy.port)}/ws`, { resume: true, reconnect: false })
    const { pid: otherPid } = await other.request<Facts>('facts')
    proxy.cut()
    await says('[2] the client is away')
    await until(() => !isAlive(otherPid), 'it has ended')
    expect(isAlive(pid)).toBe(true)
  })
})

describe('who may connect', () => {
  test('with a token: whoever has it', async () => {
    const { url } = await useServe(STUBBORN, ['--token', 'right'])
    await useClient(url, { auth: { token: 'right' } })
    const cli = useCli(['tools', url, '--token', 'wrong'])
    expect(await cli.code).toBe(1)
    expect(cli.err).toContain('HTTP 401')
  })

  test('pages, hosts, subprotocols and limits are those of the flags', async () => {
    const flags = ['--allow-origin', 'https://a.example', '--allow-host', 'b.example', '--subprotocol', 'mcp', '--max-connections', '1']
    const more = ['--path', '/x', '--accept-missing-subprotocol', '--max-in-flight', '1', '--max-message-bytes', '500', '--verbose']
    const { url, says } = await useServe(STUBBORN, [...flags, ...more])
    const headers = { host: 'b.example', origin: 'https://a.example' }
    const client = await useClient(url, { headers, offer: ['mcp'] })
    expect([client.subprotocol, new URL(url).pathname]).toEqual(['mcp', '/x'])
    const strangers = new McpWebSocketClient({ url, reconnect: false, headers: { host: 'c.example' } })
    await expect(strangers.connect()).rejects.toThrow('HTTP 403')
    await says('rejected a client with 403')
    const second = new McpWebSocketClient({ url, reconnect: false, headers, offer: [] })
    await expect(second.connect()).rejects.toThrow('HTTP 503')
  })

  test.each([
    [['--host', '0.0.0.0'], 'give --token, or --allow-unauthenticated'],
    [['--host', '0.0.0.0', '--allow-unauthenticated'], 'name the hosts under which clients know this server'],
    [['--allow-origin', '*'], '--allow-origin must be a list'],
    [['--token', ''], '--token is empty'],
    [['--token', 'right\n'], 'no line breaks: no client could send it'],
    [['--token', ' right'], 'no white space around it'],
    [['--port', '99999'], 'It must be a whole number from 0 to 65535'],
    [['--path', 'ws'], '--path must be a string that begins with a slash']
  ])('%j is refused', async (flags, complaint) => {
    const cli = useCli(['serve', ...flags, '--', 'node'])
    expect(await cli.code).toBe(2)
    expect(cli.err).toContain(complaint)
  })

  test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', '::ffff:127.0.0.1', '0.0.0.0', '::', '::ffff:10.0.0.1', 'localhost.example'])(
    '%s is loopback for the tool if it is for the server of the package',
    async (host) => {
      const make = (): unknown => new McpWebSocketServer({ host, allowUnauthenticated: true, onconnection: () => undefined })
      let isLoopback = true
      try {
        make()
      } catch {
        isLoopback = false
      }
      // The wrong path is found out behind the host, so that nothing is opened.
      const cli = useCli(['serve', '--host', host, '--path', 'wrong', '--', 'node'])
      expect([await cli.code, cli.err]).toEqual([2, expect.stringContaining(isLoopback ? 'path must be' : 'others can connect')])
    }
  )

  test('a port that is in use is said', async () => {
    const { port } = await useServe(STUBBORN)
    for (const flags of [[], ['--metrics']]) {
      const cli = useCli(['serve', '--port', String(port), ...flags, '--', 'node'])
      expect(await cli.code).toBe(1)
      expect(cli.err).toContain('EADDRINUSE')
    }
  })
})

describe('--metrics', () => {
  test('serves figures in the format of Prometheus, and nothing else', async () => {
    const { url, port } = await useServe(STUBBORN, ['--metrics'])
    await useClient(url)
    const at = `http://127.0.0.1:${String(port)}`
    const response = await fetch(`${at}/metrics`)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
    const families = parsePrometheus(await response.text()) as readonly unknown[]
    expect(families.length).toBeGreaterThan(5)
    const status = async (path: string, init?: RequestInit): Promise<number> => (await fetch(at + path, init)).status
    expect([await status('/'), await status('/ws'), await status('/metrics', { method: 'POST' })]).toEqual([404, 426, 405])
    expect([await status('/metrics?x=1'), await status('/ws?x=1'), await status('/metrics/?x=1')]).toEqual([200, 426, 404])
  })

  test('wants the token, if there is one', async () => {
    const { port } = await useServe(STUBBORN, ['--metrics', '--token', 'right'])
    const status = async (authorization: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${String(port)}/metrics`, { headers: { authorization } })).status
    expect([await status('Bearer wrong'), await status('Bearer right')]).toEqual([401, 200])
  })
})

describe('a signal', () => {
  test('lets calls finish, ends the programs, and then the tool', async () => {
    const serving = await useServe(STUBBORN)
    const client = await useClient(serving.url)
    const { pid } = await client.request<Facts>('facts')
    const call = client.request<Facts>('later', { ms: 200 })
    await client.ping()
    serving.signal('SIGTERM')
    await expect(call).resolves.toEqual({ pid })
    expect(await serving.code).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })

  test('that comes twice ends them at once', async () => {
    const serving = await useServe(STUBBORN, ['--metrics'])
    const client = await useClient(serving.url, { reconnect: false })
    const lost = rejectionOf(client.request('later', { ms: 60_000 }))
    await client.ping()
    serving.signal('SIGINT')
    serving.signal('SIGINT')
    expect(await serving.code).toBe(130)
    await lost
  })
})

test('bridge and serve in a chain: a call survives the death of the connection in between, executed once', async () => {
  const serving = await useServe(STUBBORN, ['--resume', '1m'])
  const proxy = await useTcpProxy(serving.port)
  const host = useCli(['bridge', `ws://127.0.0.1:${String(proxy.port)}/ws`, '--resume', '--max-delay', '200'])
  host.type(
    `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'h', version: '1' } } })}\n`
  )
  await host.says('stubborn')
  host.type(
    '{"jsonrpc":"2.0","method":"notifications/initialized"}\n{"jsonrpc":"2.0","id":2,"method":"later","params":{"ms":1500}}\n{"jsonrpc":"2.0","id":3,"method":"ping"}\n'
  )
  await host.says('"id":3')
  for (let cut = 0; cut < 3; cut++) {
    proxy.cut()
    host.type(`{"jsonrpc":"2.0","id":${String(10 + cut)},"method":"ping"}\n`)
    await host.says(`"id":${String(10 + cut)}`)
  }
  await host.says('"id":2,"result"')
}, 40_000)

test('as programs, one serves what the other one calls, and SIGTERM ends it with 0', async () => {
  const script = await bundle(new URL('../../src/cli/bin.ts', import.meta.url))
  const server = useChild(script, ['serve', '--port', '0', '--', ...EVERYTHING])
  await until(() => server.complaints.includes('serving'), 'it serves')
  const [, url = ''] = / at (ws:\S+)/.exec(server.complaints) ?? []
  const client = useChild(script, ['call', url, 'get-sum', 'a=1', 'b=2'])
  expect([await client.gone, client.lines]).toEqual([0, ['The sum of 1 and 2 is 3.']])
  process.kill(server.pid, 'SIGTERM')
  expect(await server.gone).toBe(0)
}, 40_000)
