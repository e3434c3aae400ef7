import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { McpWebSocketClient } from '../../src/index.js'
import { probe, type ProbeOptions } from '../../src/probe/index.js'
import { useCli } from '../cli/use-cli.js'
import { makeCertificate, makeCertificates, useTlsServer } from '../faults/kit/certificates.js'
import { headerOf, reply, useRawServer, useRejectingServer, type Dial } from '../faults/kit/raw-server.js'
import { useFolder } from '../helpers/use-folder.js'
import { freePort } from '../helpers/free-port.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { useWsServer } from '../helpers/ws-server.js'
import { useServer } from '../server/use-server.js'

/** A broken set-up: where a client does not get through with the given options. */
interface SetUp {
  readonly url: string
  readonly options?: ProbeOptions
}

interface Row {
  readonly fault: string
  readonly setUp: () => Promise<SetUp>
  readonly cause: RegExp
  readonly remedy?: RegExp
  /** The flags that help, without the address; `undefined`: no option helps. */
  readonly flags?: readonly string[]
  /** The path of the address that helps, if it is another one. */
  readonly path?: string
}

const { authority, good, expired, foreign } = await makeCertificates()
const selfSigned = await makeCertificate()
const trusting = { tls: { ca: authority.cert } }

/** An MCP server that judges the offer. `undefined`: 426; `false`: none is named; a string: that is named. */
async function useOffers(choose: (offered: readonly string[]) => string | false | undefined, body = 'Upgrade Required'): Promise<string> {
  const { url } = await useWsServer(({ socket }) => serveMcp('v1', socket), {
    verifyClient: ({ req }, done) => {
      const isFine = choose((req.headers['sec-websocket-protocol'] ?? '').split(/, */).filter(Boolean)) !== undefined
      done(isFine, 426, body)
    },
    handleProtocols: (offered) => choose([...offered]) || false
  })
  return url
}

/** An MCP server at one path; what is at the others is up to the test. */
async function usePath(path: string, reject: { status: number; body?: string }): Promise<string> {
  const { port } = await useWsServer(({ socket }) => serveMcp('v1', socket), {
    verifyClient: ({ req }, done) => done(req.url === path, reject.status, reject.body),
    handleProtocols: () => 'mcp.v1'
  })
  return `ws://127.0.0.1:${String(port)}/wrong`
}

const rejecting = async (status: number, body = '', headers: Record<string, string> = {}): Promise<SetUp> => ({
  url: (await useRejectingServer({ status, body, headers })).url
})

const LOGIN = '<!doctype html><title>Sign in to the network</title>'

const ROWS: readonly Row[] = [
  {
    fault: 'nobody listens',
    setUp: async () => ({ url: `ws://127.0.0.1:${String(await freePort())}/ws` }),
    cause: /ECONNREFUSED/,
    remedy: /Nothing listens on this port/
  },
  {
    fault: 'the host has no address',
    setUp: () => Promise.resolve({ url: 'ws://nowhere.invalid/ws' }),
    cause: /ENOTFOUND|EAI_AGAIN/,
    remedy: /name/i
  },
  {
    fault: 'a server that names no subprotocol',
    setUp: async () => ({ url: await useOffers(() => false) }),
    cause: /chose no subprotocol \(offered: mcp\.v1\)/,
    remedy: /onMissingSubprotocol: 'accept'/,
    flags: ['--accept-missing-subprotocol']
  },
  {
    fault: 'a server that always names mcp',
    setUp: async () => ({ url: await useOffers(() => 'mcp') }),
    cause: /chose the subprotocol "mcp", which was not offered/,
    remedy: /subprotocols: \['mcp'\]/,
    flags: ['--subprotocol', 'mcp']
  },
  {
    fault: 'a server that wants mcp in the offer, and says 426 otherwise',
    setUp: async () => ({ url: await useOffers((offered) => (offered.includes('mcp') ? 'mcp' : undefined)) }),
    cause: /HTTP 426/,
    remedy: /It works with: subprotocols: \['mcp'\]/,
    flags: ['--subprotocol', 'mcp']
  },
  {
    fault: 'a server that wants a subprotocol of its own, and names it',
    setUp: async () => ({
      url: await useOffers((offered) => (offered.includes('acme.v2') ? 'acme.v2' : undefined), 'Subprotocol required: acme.v2')
    }),
    cause: /HTTP 426.*Subprotocol required: acme\.v2/,
    remedy: /It works with: subprotocols: \['acme\.v2'\]/,
    flags: ['--subprotocol', 'acme.v2']
  },
  {
    fault: 'a server that takes the one offer mcp, names nothing, and drops everything else at once, as that of the Kotlin SDK',
    setUp: async () => {
      const { url } = await useWsServer(
        ({ socket, request }) => {
          if (request.headers['sec-websocket-protocol'] === 'mcp') serveMcp('v1', socket)
          else socket.close(1011, 'wrong subprotocol')
        },
        { handleProtocols: () => false }
      )
      return { url, options: { onMissingSubprotocol: 'accept' } }
    },
    cause: /drops it at once: .*1011/,
    remedy: /offer: \['mcp'\]/,
    flags: ['--offer', 'mcp', '--accept-missing-subprotocol']
  },
  {
    fault: 'a server that repeats the whole offer',
    setUp: async () => ({
      url: (
        await useWsServer(({ socket }) => serveMcp('v1', socket), {
          handleProtocols: (_offered, { headers }) => headers['sec-websocket-protocol'] ?? false
        })
      ).url,
      options: { subprotocols: ['other'] }
    }),
    cause: /mcp\.v1,/,
    remedy: /repeats what was offered/,
    flags: ['--offer', 'mcp.v1']
  },
  {
    fault: 'a proxy without Upgrade headers in front of a server that says 426',
    setUp: () => rejecting(426, 'Upgrade Required'),
    cause: /HTTP 426/,
    remedy: /proxy_set_header Upgrade \$http_upgrade;\n {2}proxy_set_header Connection "upgrade";/
  },
  {
    fault: 'a proxy without Upgrade headers in front of a server that says 400',
    setUp: () => rejecting(400, 'Can "Upgrade" only to "WebSocket"'),
    cause: /HTTP 400/,
    remedy: /did not arrive as a WebSocket upgrade/
  },
  {
    fault: 'credentials are missing',
    setUp: async () => ({ url: (await useServer({ authenticate: () => undefined })).url }),
    cause: /HTTP 401/,
    remedy: /The server wants credentials/
  },
  {
    fault: 'credentials are wrong',
    setUp: async () => ({ url: (await useServer({ authenticate: () => undefined })).url, options: { auth: { token: 'wrong' } } }),
    cause: /HTTP 401/,
    remedy: /rejected the credentials/
  },
  {
    fault: 'a proxy that drops Authorization',
    setUp: async () => ({
      url: (
        await useServer({
          authenticate: ({ headers }, token) => (headers.authorization === undefined && token === 'right' ? {} : undefined)
        })
      ).url,
      options: { auth: { token: 'right' } }
    }),
    cause: /HTTP 401/,
    remedy: /auth\.via: 'subprotocol'/,
    flags: ['--token-via', 'subprotocol']
  },
  {
    fault: 'a path that is not there',
    setUp: async () => ({ url: await usePath('/ws', { status: 404 }) }),
    cause: /HTTP 404/,
    remedy: /Nothing is served at this path.*\n.*\/ws/,
    flags: [],
    path: '/ws'
  },
  {
    fault: 'a path that an ASGI server rejects with 403',
    setUp: async () => ({ url: await usePath('/mcp', { status: 403 }) }),
    cause: /HTTP 403/,
    remedy: /the path is wrong/,
    flags: [],
    path: '/mcp'
  },
  {
    fault: 'a path that takes no GET',
    setUp: async () => ({ url: await usePath('/mcp/ws', { status: 405 }) }),
    cause: /HTTP 405/,
    remedy: /not a WebSocket/,
    flags: [],
    path: '/mcp/ws'
  },
  {
    fault: 'a wrong path and no subprotocol, both',
    setUp: async () => {
      const { port } = await useWsServer(({ socket }) => serveMcp('v1', socket), {
        verifyClient: ({ req }, done) => done(req.url === '/ws', 404),
        handleProtocols: () => false
      })
      return { url: `ws://127.0.0.1:${String(port)}/` }
    },
    cause: /HTTP 404/,
    remedy: /onMissingSubprotocol: 'accept'/,
    flags: ['--accept-missing-subprotocol'],
    path: '/ws'
  },
  { fault: 'a captive portal that shows its page', setUp: () => rejecting(200, LOGIN), cause: /HTTP 200/, remedy: /captive portal/ },
  {
    fault: 'a captive portal that redirects',
    setUp: () => rejecting(302, '', { Location: 'http://login.example/' }),
    cause: /HTTP 302/,
    remedy: /Redirects are not followed.*login\.example/
  },
  { fault: 'a captive portal that says so', setUp: () => rejecting(511, LOGIN), cause: /HTTP 511/, remedy: /captive portal/ },
  {
    fault: 'a server behind the proxy is down',
    setUp: () => rejecting(502),
    cause: /HTTP 502/,
    remedy: /cannot reach the server behind it/
  },
  { fault: 'too many connections', setUp: () => rejecting(429), cause: /HTTP 429/, remedy: /Too many/ },
  {
    fault: 'wss: to a server without TLS',
    setUp: async () => ({ url: (await useServer()).url.replace('ws:', 'wss:') }),
    cause: /ws: wrong version number \(SSL routines\)$/,
    remedy: /use ws:\/\//,
    flags: [],
    path: '/ws'
  },
  {
    fault: 'ws: to a server with TLS',
    setUp: async () => ({ url: (await useTlsServer(good)).url.replace('wss:', 'ws:'), options: trusting }),
    cause: /no connection|does not answer with HTTP/,
    remedy: /It works with: url: 'wss:/,
    flags: [],
    path: '/ws'
  },
  {
    fault: 'a certificate that nobody signed',
    setUp: async () => ({ url: (await useTlsServer(selfSigned)).url }),
    cause: /self-signed/,
    remedy: /pass it as tls\.ca/
  },
  {
    fault: 'an authority that is not trusted',
    setUp: async () => ({ url: (await useTlsServer(good)).url }),
    cause: /no secure connection/,
    remedy: /tls\.ca/
  },
  {
    fault: 'a certificate that has expired',
    setUp: async () => ({ url: (await useTlsServer(expired)).url, options: trusting }),
    cause: /expired/,
    remedy: /has expired/
  },
  {
    fault: 'a certificate of another host',
    setUp: async () => ({ url: (await useTlsServer(foreign)).url, options: trusting }),
    cause: /does not match/,
    remedy: /another host name/
  },
  {
    fault: 'a server that drops every connection at once',
    setUp: async () => ({ url: (await useWsServer(({ socket }) => socket.close(1008, 'no'), { handleProtocols: () => 'mcp.v1' })).url }),
    cause: /drops it at once: .*1008/,
    remedy: /It wants something else: credentials/
  },
  {
    fault: 'a server whose program cannot be started',
    setUp: async () => ({
      url: (await useWsServer(({ socket }) => socket.close(1011, 'no program'), { handleProtocols: () => 'mcp.v1' })).url
    }),
    cause: /drops it at once: .*1011 "no program"/,
    remedy: /^The server failed: see its log\.$/
  },
  {
    fault: 'frames that are no JSON-RPC',
    setUp: async () => ({
      url: (await useWsServer(({ socket }) => socket.send('{"type":"hello"}'), { handleProtocols: () => 'mcp.v1' })).url,
      options: { timeout: 300 }
    }),
    cause: /frames that are no JSON-RPC: "\{\\"type\\":\\"hello\\"\}"/,
    remedy: /another protocol than MCP/
  },
  {
    fault: 'a server that says nothing',
    setUp: async () => ({
      url: (await useWsServer(() => undefined, { handleProtocols: () => 'mcp.v1' })).url,
      options: { timeout: 300 }
    }),
    cause: /within 300 ms|not ready/
  },
  {
    fault: 'a server of another protocol that names no subprotocol and says nothing',
    setUp: async () => ({ url: (await useWsServer(() => undefined, { handleProtocols: () => false })).url, options: { timeout: 300 } }),
    cause: /chose no subprotocol/,
    remedy: /^With onMissingSubprotocol: 'accept' the socket opens, but nobody answers MCP: this is probably not an MCP server\.$/
  },
  {
    fault: 'a server of another protocol that names no subprotocol and greets its client',
    setUp: async () => ({
      url: (await useWsServer(({ socket }) => socket.send('{"type":"hello"}'), { handleProtocols: () => false })).url,
      options: { timeout: 300 }
    }),
    cause: /chose no subprotocol/,
    remedy: /nobody answers MCP: this is probably not an MCP server\.$/
  },
  {
    fault: 'a server that names no subprotocol, and drops clients that take none',
    setUp: async () => ({ url: (await useWsServer(({ socket }) => socket.close(1008, 'no'), { handleProtocols: () => false })).url }),
    cause: /chose no subprotocol/,
    remedy: /^With onMissingSubprotocol: 'accept' another fault follows: The server accepts the connection and drops it at once: .*1008/
  },
  {
    fault: 'a server of SSH',
    setUp: async () => ({
      url: (
        await useRawServer(
          () => undefined,
          ({ socket }: Dial) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')
        )
      ).url
    }),
    cause: /does not answer with HTTP/,
    remedy: /Is this the port of a WebSocket server/
  },
  {
    fault: 'credentials in plain text',
    setUp: () => Promise.resolve({ url: 'ws://nowhere.invalid/ws', options: { auth: { token: 'secret' } } }),
    cause: /credentials would travel in plain text/,
    remedy: /Use wss:\/\//
  },
  {
    fault: 'a 101 without what it needs',
    setUp: async () => ({ url: (await useRawServer((dial) => reply(dial, { status: 101 }))).url }),
    cause: /breaks RFC 6455/,
    remedy: /Is this the port/
  }
]

describe('the probe names the cause of', () => {
  test.each(ROWS)(
    '$fault',
    async ({ setUp, cause, remedy, flags, path }) => {
      const { url, options = {} } = await setUp()
      const report = await probe(url, { timeout: 3000, ...options })
      expect(report.cause).toMatch(cause)
      if (remedy) expect(report.remedy).toMatch(remedy)
      expect(report.ok).toBe(false)
      expect(JSON.stringify(report)).not.toContain('secret')
      if (flags === undefined) {
        expect(report.typescript).toBeUndefined()
        return
      }
      const [address = '', ...others] = report.flags ?? []
      expect(others).toEqual(flags)
      expect(new URL(address).pathname).toBe(path ?? '/ws')
      await expectConnects(address, others, options, report.change ?? {})
    },
    30_000
  )

  test('is tried with more than 30 set-ups', () => expect(ROWS.length).toBeGreaterThan(30))
})

/** The flags that the probe prints connect the tool, and its change connects a client. */
async function expectConnects(address: string, flags: readonly string[], options: ProbeOptions, change: object): Promise<void> {
  const given: string[] = []
  if (options.auth) given.push('--token', String(options.auth.token))
  if (options.tls?.ca) {
    const folder = await useFolder()
    writeFileSync(join(folder, 'ca.pem'), options.tls.ca as string)
    given.push('--ca', join(folder, 'ca.pem'))
  }
  const cli = useCli(['tools', address, ...flags, ...given, '--retries', '0'])
  expect([await cli.code, cli.err]).toEqual([0, ''])
  const { via, ...members } = change as { via?: 'subprotocol' }
  const { subprotocols, onMissingSubprotocol, tls, auth } = options
  const withOffer = 'offer' in members ? {} : { subprotocols }
  const client = new McpWebSocketClient({
    url: address,
    onMissingSubprotocol,
    tls,
    auth: auth && { ...auth, via },
    ...withOffer,
    ...members,
    reconnect: false
  })
  await client.connect()
  await client.close()
}

describe('a server that can be reached', () => {
  test('is described, with its sessions and what a client has to write', async () => {
    const { url } = await useServer({ resume: true, authenticate: (_request, token) => (token === 'right' ? {} : undefined) })
    const steps: string[] = []
    const report = await probe(url, { auth: { token: 'right' }, onstep: ({ name }) => steps.push(name) })
    expect(report).toMatchObject({
      ok: true,
      url,
      change: {},
      typescript: `const client = new McpWebSocketClient({ url: '${url}', auth: { token } })`,
      flags: [url],
      server: {
        name: 'test-server',
        version: '1.2.3',
        era: 'modern',
        protocolVersion: '2026-07-28',
        subprotocol: 'mcp.v1',
        resume: true,
        needsCredentials: true
      }
    })
    expect(report.cause).toBeUndefined()
    expect(report.server?.roundTrip).toBeGreaterThanOrEqual(0)
    expect(steps).toEqual(['TCP', 'MCP as given', 'MCP with sessions', 'MCP without credentials'])
    expect(report.steps.map(({ ok }) => ok)).toEqual([true, true, true, false])
  })

  test('with TLS shows its certificate', async () => {
    const { url } = await useTlsServer(good)
    const { ok, steps } = await probe(url.replace('127.0.0.1', '127.0.0.1'), trusting)
    expect(ok).toBe(true)
    expect(steps.find(({ name }) => name === 'TLS')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^TLSv1\.\d, certificate of localhost, valid until/) as string
    })
  })

  test('whose certificate another name or nobody vouches for has the flags for that', async () => {
    const { url } = await useTlsServer(selfSigned)
    const { steps, flags = [] } = await probe(url, { tls: { servername: 'mcp.example.com', rejectUnauthorized: false } })
    expect(steps.every(({ ok }) => ok)).toBe(true)
    expect(flags).toEqual([url, '--servername', 'mcp.example.com', '--insecure-tls'])
    expect(await useCli(['tools', ...flags, '--retries', '0']).code).toBe(0)
  })

  test('in plain text shows why TLS fails, and no line of source', async () => {
    const { steps } = await probe((await useServer()).url.replace('ws:', 'wss:'))
    expect(steps.find(({ name }) => name === 'TLS')?.detail).toMatch(
      /^wrong version number \(SSL routines\)\. The server speaks plain text/
    )
  })

  test('by a name shows the addresses behind it, and keeps secrets of the URL to itself', async () => {
    const { port } = await useServer()
    const { url, steps, flags } = await probe(`ws://localhost:${String(port)}/ws?key=secret-key`)
    expect(url).toBe(`ws://localhost:${String(port)}/ws`)
    expect(steps[0]).toMatchObject({ name: 'name', ok: true, detail: expect.stringContaining('127.0.0.1') as string })
    expect(flags).toEqual([`${url}?…`])
  })

  test('keeps the options that it needs, in the line and in the flags', async () => {
    const url = await useOffers((offered) => (offered.length === 1 ? false : undefined))
    const report = await probe(url, { offer: ['mcp'], onMissingSubprotocol: 'accept', protocol: 'legacy', headers: { 'x-key': 'secret' } })
    expect(report.typescript).toBe(
      `const client = new McpWebSocketClient({ url: '${url}', headers, offer: ['mcp'], onMissingSubprotocol: 'accept', protocol: 'legacy' })`
    )
    expect(report.flags).toEqual([url, '--offer', 'mcp', '--accept-missing-subprotocol', '--protocol', 'legacy'])
    expect(report.server).toMatchObject({ needsCredentials: false, resume: false })
  })
})

describe('probe()', () => {
  test('throws for what is no URL, and for an option that is wrong', async () => {
    await expect(probe('nowhere')).rejects.toThrow(TypeError)
    await expect(probe({ url: 'ws://127.0.0.1' } as never)).rejects.toThrow('url must come before options')
    await expect(probe(`ws://127.0.0.1:${String(await freePort())}`, { subprotocols: ['a b'] })).rejects.toThrow(TypeError)
  })

  test.each([
    ['timeout', 0],
    ['timeout', '5000'],
    ['connectTimeout', '5000'],
    ['onstep', 5]
  ])('names the option %s where it is %j', async (name, value) => {
    const url = `ws://127.0.0.1:${String(await freePort())}`
    await expect(probe(url, { [name]: value })).rejects.toThrow(new RegExp(`^${name} must be a `))
  })

  test('ends with its signal', async () => {
    const { url } = await useWsServer(() => undefined, { handleProtocols: () => 'mcp.v1' })
    const reason = new Error('enough')
    await expect(probe(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const probing = probe(url, { signal: controller.signal, onstep: () => controller.abort(reason) })
    await expect(probing).rejects.toBe(reason)
  })

  test('tries nothing twice', async () => {
    const { url } = await useWsServer(() => undefined, { handleProtocols: () => false })
    const { steps } = await probe(url, { timeout: 300 })
    const names = steps.map(({ name }) => name)
    expect(names.length).toBeGreaterThan(3)
    expect(names).toEqual([...new Set(names)])
  })

  test('sends no credentials to another scheme', async () => {
    const heads: string[] = []
    const { url } = await useRawServer((dial) => {
      heads.push(String(headerOf(dial, 'authorization')))
      reply(dial, { status: 404 })
    })
    const report = await probe(url.replace('ws:', 'wss:'), { auth: { token: 'secret' }, timeout: 1000 })
    expect(report.ok).toBe(false)
    expect(heads).toEqual([])
  })
})

describe('mcp-ws probe', () => {
  test('prints steps, cause, remedy and what works, and ends with 1', async () => {
    const url = await useOffers(() => false)
    const cli = useCli(['probe', url])
    expect(await cli.code).toBe(1)
    expect(cli.out).toContain('ok      TCP: 127.0.0.1 port')
    expect(cli.out).toContain('failed  MCP as given: ')
    expect(cli.out).toMatch(/What is wrong\n.*chose no subprotocol[^]*What to do\n[^]*The server\ntest-server 1\.2\.3\n/)
    expect(cli.out).toContain(
      `\nconst client = new McpWebSocketClient({ url: '${url}', onMissingSubprotocol: 'accept' })\nmcp-ws tools ${url} --accept-missing-subprotocol\n`
    )
    expect(cli.err).toBe('')
  })

  test('has colours on a terminal, unless NO_COLOR is set, and none in a file', async () => {
    const { url } = await useServer()
    const outputs = await Promise.all(
      [{ isTTY: true }, { isTTY: true, env: { NO_COLOR: '1' } }, {}].map(async (surroundings) => {
        const cli = useCli(['probe', url], surroundings)
        expect(await cli.code).toBe(0)
        return cli.out.includes('\u001b[')
      })
    )
    expect(outputs).toEqual([true, false, false])
  })

  test('--json prints the report, and nothing else', async () => {
    const { url } = await useServer()
    const cli = useCli(['probe', url, '--json'])
    expect(await cli.code).toBe(0)
    expect(JSON.parse(cli.out)).toMatchObject({ ok: true, flags: [url] })
  })

  test('dials no longer than --connect-timeout', async () => {
    // It accepts connections, and says nothing.
    const { url } = await useRawServer(() => undefined)
    const cli = useCli(['probe', url, '--connect-timeout', '300ms'])
    expect(await cli.code).toBe(1)
    expect(cli.out).toMatch(/failed {2}MCP as given: .*300 ms/)
  })

  test('ends with 143 by SIGTERM', async () => {
    const { url } = await useRawServer(() => undefined)
    const cli = useCli(['probe', url])
    await cli.says('TCP')
    cli.signal('SIGTERM')
    expect(await cli.code).toBe(143)
  })

  test.each([['--resume'], ['--verbose'], ['--retries', '3']])('refuses %s, which means nothing here', async (...words) => {
    const cli = useCli(['probe', 'ws://127.0.0.1:1/ws', ...words])
    expect([await cli.code, cli.err]).toEqual([2, expect.stringContaining('unknown option')])
  })

  test('refuses what is no URL', async () => {
    const cli = useCli(['probe', 'nowhere'])
    expect([await cli.code, cli.err]).toEqual([2, expect.stringContaining('url must be')])
  })
})
