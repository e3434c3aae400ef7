import { describe, expect, it } from 'vitest'
import {
  isConnectionLostError,
  isHandshakeError,
  isRpcError,
  type CallToolResult,
  type McpWebSocketClientOptions,
  type TokenContext
} from '../../src/index.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient as useAnyClient, type Observed } from '../helpers/use-client.js'
import { quick } from './quick.js'
import { PEERS, type Peer } from './peers.js'
import { isMissing, usePeer, type RunningPeer } from './use-peer.js'
import { call as callWithSdk, useSdkClient } from './use-sdk-client.js'

// What is odd about servers that nobody here wrote, and how the client takes it: each is a remark in docs/interop.md.

interface Quirks {
  readonly running: RunningPeer
  /** A connected client with the options of the row. */
  readonly connect: (options?: Partial<McpWebSocketClientOptions>) => Promise<Observed>
}

function describePeer(peer: Peer, tests: (quirks: Quirks) => void): void {
  describe.skipIf(isMissing(peer))(peer.name, () => {
    const running = usePeer(peer)
    const connect = async (options: Partial<McpWebSocketClientOptions> = {}): Promise<Observed> => {
      const observed = useAnyClient({ url: running.url, reconnect: quick, ...peer.options, ...options })
      await observed.client.connect()
      return observed
    }
    tests({ running, connect })
  })
}

/** The versions that a client asked for, from what it sent. */
const versionsIn = (sent: readonly string[]): unknown[] =>
  sent
    .map((text) => JSON.parse(text) as { method?: string; params?: { protocolVersion?: string } })
    .filter(({ method }) => method === 'initialize')
    .map(({ params }) => params?.protocolVersion)

/** An HTTP status in place of the upgrade. */
async function statusAt(url: string, options: Partial<McpWebSocketClientOptions> = {}): Promise<number | undefined> {
  const { client } = useAnyClient({ url, ...options })
  const error = await rejectionOf(client.connect())
  return isHandshakeError(error) ? error.status : undefined
}

const textOf = ({ content }: CallToolResult): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('')

describePeer(PEERS.everything, ({ running, connect }) => {
  it.each([
    ['sampling', 'sampling/createMessage', { role: 'assistant', content: { type: 'text', text: 'hello' }, model: 'none' }, 'hello'],
    ['elicitation', 'elicitation/create', { action: 'accept', content: { name: 'Ada' } }, 'Name: Ada'],
    ['roots', 'roots/list', { roots: [{ uri: 'file:///here', name: 'here' }] }, 'file:///here']
  ])('asks the client (%s), and its tool returns the result', async (capability, method, result, words) => {
    const { client, errors } = await connect({ capabilities: { [capability]: {} } })
    client.setRequestHandler(method, () => result)
    const tools = { sampling: 'trigger-sampling-request', elicitation: 'trigger-elicitation-request', roots: 'get-roots-list' }
    const params = { name: tools[capability as keyof typeof tools], arguments: capability === 'sampling' ? { prompt: 'say hello' } : {} }
    expect(textOf(await client.callTool(params))).toContain(words)
    expect(errors).toEqual([])
  })

  it('tells of a resource that the client subscribed to, also after a restart, without being asked again', async () => {
    const uri = 'demo://resource/dynamic/text/1'
    const { client, notifications } = await connect()
    const updates = (): number =>
      notifications.filter(({ method, params }) => method === 'notifications/resources/updated' && params?.uri === uri).length
    await client.subscribeResource({ uri })
    await client.callTool({ name: 'toggle-subscriber-updates' })
    await until(() => updates() === 1, 'an update')
    const back = nextEvent(client, 'reconnected')
    await running.kill()
    await running.start()
    await back
    // The new process has its own toggle. One more comes from the client itself: the gap may have swallowed something.
    await client.callTool({ name: 'toggle-subscriber-updates' })
    await until(() => updates() >= 3, 'an update from the new process')
  })

  it('logs from the level on that the client asked for', async () => {
    const { client, notifications } = await connect()
    const logged = (): unknown[] =>
      notifications.flatMap(({ method, params }) => (method === 'notifications/message' ? [[params?.level, params?.data]] : []))
    await client.setLoggingLevel('info')
    await client.subscribeResource({ uri: 'demo://one' })
    const message = ['info', expect.stringMatching(/^Received Subscribe Resource request for URI: demo:\/\/one/) as string]
    expect(logged()).toEqual([message])
    await client.setLoggingLevel('error')
    await client.subscribeResource({ uri: 'demo://two' })
    expect(logged()).toEqual([message])
  })

  it('is another process for each client', async () => {
    const toggled = await Promise.all(
      [1, 2].map(async () => textOf(await (await connect()).client.callTool({ name: 'toggle-simulated-logging' })))
    )
    // The second one would stop what the first one started.
    expect(toggled).toEqual(Array(2).fill(expect.stringMatching(/^Started/)))
  })
})

describePeer(PEERS.sdkV1, ({ connect }) => {
  it('knows nothing of the modern era, and says so at once', async () => {
    await expect(connect({ protocol: 'modern' })).rejects.toMatchObject({ code: 'INITIALIZE_REFUSED' })
  })

  it('answers an unknown method with -32601', async () => {
    const { client } = await connect()
    const error = await rejectionOf(client.request('no/such/method'))
    expect(isRpcError(error) && error.rpcCode).toBe(-32601)
  })
})

describePeer(PEERS.sdkV2, ({ connect }) => {
  it('serves both eras on one port at the same time', async () => {
    const all = await Promise.all((['modern', 'legacy', 'auto'] as const).map((protocol) => connect({ protocol })))
    expect(all.map(({ client }) => client.era)).toEqual(['modern', 'legacy', 'modern'])
    const said = await Promise.all(all.map(({ client }, i) => client.callTool({ name: 'echo', arguments: { message: String(i) } })))
    expect(said.map(textOf)).toEqual(['0', '1', '2'])
  })
})

describePeer(PEERS.supergateway, ({ running, connect }) => {
  it('answers a wrong path with 400', async () => {
    expect(await statusAt(running.url.replace('/message', '/ws'))).toBe(400)
  })

  it('tells all clients of the progress of each, and the client hears of its own only', async () => {
    const heard = await Promise.all(
      [2, 5].map(async (steps) => {
        const { client, errors } = await connect()
        const reports: unknown[] = []
        const params = { name: 'trigger-long-running-operation', arguments: { duration: 0.5, steps } }
        await client.callTool(params, { onprogress: ({ total }) => reports.push(total) })
        expect(errors).toEqual([])
        return reports
      })
    )
    expect(heard).toEqual([Array(2).fill(2), Array(5).fill(5)])
  })

  it('asks the client, but never reads the response: the call that asked ends with its timeout', async () => {
    const { client } = await connect({ capabilities: { sampling: {} } })
    let asked = 0
    client.setRequestHandler('sampling/createMessage', () => {
      asked++
      return { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'none' }
    })
    const params = { name: 'trigger-sampling-request', arguments: { prompt: 'say hi', maxTokens: 5 } }
    await expect(client.callTool(params, { timeout: 1500 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' })
    expect(asked).toBe(1)
  })

  it('answers the era probe of SDK v2 under the id null: v2 takes it for a legacy server after its timeout', async () => {
    const sdk = useSdkClient(running, PEERS.supergateway, 'v2 modern')
    await sdk.connect(sdk.transport)
    expect(sdk.heard[0]).toContain('"id":null')
    expect('getProtocolEra' in sdk.client && sdk.client.getProtocolEra()).toBe('legacy')
  })

  it('lets two Clients of the SDK hear the progress of each other, as both count their ids from 0', async () => {
    const [one, two] = [useSdkClient(running, PEERS.supergateway, 'v1'), useSdkClient(running, PEERS.supergateway, 'v1')]
    for (const sdk of [one, two]) await sdk.connect(sdk.transport)
    const reports: unknown[] = []
    const held = rejectionOf(callWithSdk(one, PEERS.supergateway.slow(60), { onprogress: (report) => reports.push(report) }))
    await callWithSdk(two, PEERS.supergateway.slow(0.2))
    await until(() => reports.length === 4, 'the progress of the other call')
    await one.close()
    await held
  })
})

describePeer(PEERS.gomcp, ({ connect }) => {
  it('answers a version that it does not know with an error, and the client asks for older ones on the same socket', async () => {
    const sent: string[] = []
    const { client } = await connect({ trace: (direction, text) => direction === 'out' && sent.push(text) })
    expect(versionsIn(sent)).toEqual(['2025-11-25', '2025-06-18', '2025-03-26'])
    expect(client.stats().attempts).toBe(1)
  })

  it('lists its tools among its capabilities, in another order every time, and is the same server nevertheless', async () => {
    const heard: string[] = []
    const { client } = await connect({
      trace: (direction, text) => direction === 'in' && text.includes('capabilities') && heard.push(text)
    })
    const changes: boolean[] = []
    client.on('reconnected', ({ serverChanged }) => changes.push(serverChanged))
    const orderOf = (text: string): string => String(text.match(/"name":"(?:echo|slow)"/g))
    while (new Set(heard.map(orderOf)).size < 2) await client.reconnect()
    expect(changes).toEqual(changes.map(() => false))
  })

  it('works on one message at a time: a ping is answered when the tool is done', async () => {
    const responses: string[] = []
    const { client } = await connect({ trace: (direction, text) => direction === 'in' && text.includes('"id"') && responses.push(text) })
    responses.length = 0
    await Promise.all([client.callTool({ name: 'slow', arguments: { seconds: 0.3 } }), client.ping()])
    expect(responses).toEqual([expect.stringContaining('done'), expect.not.stringContaining('done')])
  })

  it('tells every client that the tools changed, after every handshake', async () => {
    const first = await connect()
    await until(() => first.notifications.length === 1, 'its own notification')
    await connect()
    await until(() => first.notifications.length === 2, 'that of the other one')
    expect(first.notifications.map(({ method }) => method)).toEqual(Array(2).fill('notifications/tools/list_changed'))
  })

  it('answers some notifications with a frame that is not a message, which is an error event', async () => {
    const { client, errors } = await connect()
    await client.notify('notifications/progress', { progressToken: 1, progress: 1 })
    await client.ping()
    expect(errors).toMatchObject([
      { code: 'INVALID_RESPONSE', message: expect.stringContaining('the server sent an invalid message') as string }
    ])
  })

  it('answers parameters of a wrong type without an id: an error event, and the timeout ends the call', async () => {
    const { client, errors } = await connect()
    const call = client.request('tools/call', { name: 'echo', arguments: 'no object' as never }, { timeout: 300 })
    await expect(call).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' })
    expect(errors).toMatchObject([{ code: 'INVALID_RESPONSE', message: expect.stringContaining('without an id') as string }])
  })

  it('answers an unknown tool with -32603', async () => {
    const { client } = await connect()
    const error = await rejectionOf(client.callTool({ name: 'none' }))
    expect(isRpcError(error) && error.rpcCode).toBe(-32603)
  })
})

describePeer(PEERS.coder, ({ running, connect }) => {
  it('reads 32 768 bytes and no more: 1009 fails the request, as in the imitation of DevMesh', async () => {
    const { client } = await connect()
    const back = nextEvent(client, 'reconnected')
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(33_000) } }))
    expect(isConnectionLostError(error) && error).toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      closure: { code: 1009, reason: 'read limited at 32769 bytes' }
    })
    await back
  })

  it('answers a request that lost its upgrade with 426, as in the imitation of DevMesh', async () => {
    const response = await fetch(running.url.replace('ws:', 'http:'))
    expect(response.status).toBe(426)
    expect(await response.text()).toMatch(/^WebSocket protocol violation: Connection header "[^"]*" does not contain Upgrade\n$/)
  })
})

const coderWithout: Peer = {
  ...PEERS.coder,
  name: `${PEERS.coder.name} without Subprotocols`,
  command: (tools, port) => PEERS.coder.command(tools, port).slice(0, -1),
  options: { onMissingSubprotocol: 'accept' }
}

describePeer(coderWithout, ({ connect }) => {
  it('names none, and the option helps', async () => {
    const { client } = await connect()
    expect(client.subprotocol).toBeUndefined()
  })
})

/** What SDKs do that serve both eras. */
function servesBothEras(connect: Quirks['connect']): void {
  it('serves both eras, each connection in the one that it asks for', async () => {
    const all = await Promise.all((['modern', 'legacy'] as const).map((protocol) => connect({ protocol })))
    expect(all.map(({ client }) => [client.era, client.protocolVersion])).toEqual([
      ['modern', '2026-07-28'],
      ['legacy', '2025-11-25']
    ])
  })
}

/** The codes of an unknown tool and of an unknown method. */
async function codesOf(connect: Quirks['connect']): Promise<unknown[]> {
  const { client } = await connect()
  const errors = await Promise.all([rejectionOf(client.callTool({ name: 'none' })), rejectionOf(client.request('no/such/method'))])
  return errors.map((error) => isRpcError(error) && error.rpcCode)
}

/** The texts of a slow call and of a quick one behind it, in the order in which they come. */
async function orderOf(connect: Quirks['connect']): Promise<string[]> {
  const { client } = await connect()
  const ended: string[] = []
  const call = async (name: string, args: Record<string, unknown>): Promise<unknown> =>
    ended.push(textOf(await client.callTool({ name, arguments: args })))
  await Promise.all([call('slow', { seconds: 0.3 }), call('echo', { message: 'meanwhile' })])
  return ended
}

function worksInParallel(connect: Quirks['connect']): void {
  it('works on calls in parallel', async () => {
    expect(await orderOf(connect)).toEqual(['meanwhile', 'done'])
  })
}

function knowsItsNames(connect: Quirks['connect']): void {
  it('answers an unknown tool with -32602, and an unknown method with -32601', async () => {
    expect(await codesOf(connect)).toEqual([-32602, -32601])
  })
}

describePeer(PEERS.goSdk, ({ connect }) => {
  servesBothEras(connect)

  worksInParallel(connect)
  knowsItsNames(connect)

  it('reads no more than coder/websocket does: 32 768 bytes', async () => {
    const { client } = await connect()
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(33_000) } }))
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })
})

describePeer(PEERS.kotlin, ({ connect }) => {
  it.each([['mcp.v1'], ['mcp.v1', 'mcp']])('drops every connection with another offer than exactly mcp: %s %s', async (...offer) => {
    const error = await rejectionOf(connect({ offer, reconnect: false }))
    expect(isConnectionLostError(error) && error).toMatchObject({ closure: { code: 1006 }, delivery: 'not-sent' })
    expect(isConnectionLostError(error) && error.hint).toContain('it may want another subprotocol')
  })

  worksInParallel(connect)

  it('answers an unknown tool with a result that is an error, and an unknown method with -32601', async () => {
    const { client } = await connect()
    expect(await client.callTool({ name: 'none' })).toMatchObject({ isError: true })
    await expect(client.request('no/such/method')).rejects.toMatchObject({ rpcCode: -32601 })
  })
})

describePeer(PEERS.quarkus, ({ running, connect }) => {
  worksInParallel(connect)
  knowsItsNames(connect)

  it('answers a wrong path with 404', async () => {
    expect(await statusAt(running.url.replace('/mcp/ws', '/mcp'))).toBe(404)
  })

  it('drops the connection without a close code on a message of more than 64 KiB, and the client comes back', async () => {
    const { client } = await connect()
    const back = nextEvent(client, 'reconnected')
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(66_000) } }))
    expect(isConnectionLostError(error) && error).toMatchObject({ delivery: 'unknown', closure: { code: 1006 } })
    await back
  })
})

describePeer(PEERS.rmcp, ({ running, connect }) => {
  servesBothEras(connect)

  worksInParallel(connect)
  knowsItsNames(connect)

  it('looks at no path', async () => {
    const { client } = useAnyClient({ url: `${running.url}any/path`, ...PEERS.rmcp.options })
    await client.connect()
    expect(client.state).toBe('ready')
  })
})

describePeer(PEERS.tower, ({ running, connect }) => {
  it.each([
    [{ subprotocols: ['mcp.version.2025-11-25'] }, 'mcp.version.2025-11-25'],
    [{ subprotocols: ['mcp.version.1999-01-01'], onMissingSubprotocol: 'accept' as const }, undefined]
  ])('chooses a version that it has: %o', async (options, chosen) => {
    const { client } = await connect({ onMissingSubprotocol: 'fail', ...options })
    expect(client.subprotocol).toBe(chosen)
  })

  it('works on one message at a time', async () => {
    expect(await orderOf(connect)).toEqual(['done', 'meanwhile'])
  })

  knowsItsNames(connect)

  it('answers a wrong path with 404', async () => {
    expect(await statusAt(running.url.replace('/ws', '/mcp'))).toBe(404)
  })
})

describePeer(PEERS.pythonSdk2, ({ connect }) => {
  servesBothEras(connect)

  worksInParallel(connect)

  it('answers an unknown method with -32601', async () => {
    const { client } = await connect()
    await expect(client.request('no/such/method')).rejects.toMatchObject({ rpcCode: -32601 })
  })
})

describePeer(PEERS.starlette, ({ running, connect }) => {
  it.each([
    ['no token', '/ws', undefined],
    ['a wrong token', '/ws', { token: 'an-expired-token' }],
    ['a wrong path', '/mcp', PEERS.starlette.options.auth]
  ])('answers %s with 403, which is final for a fixed token', async (_what, path, auth) => {
    expect(await statusAt(running.url.replace('/ws', path), { ...PEERS.starlette.options, auth })).toBe(403)
  })

  it('gives a token function a second chance after 403, at once', async () => {
    const asked: string[] = []
    const token = ({ reason }: TokenContext): string => {
      asked.push(reason)
      return reason === 'unauthorized' ? PEERS.starlette.options.auth.token : 'an-expired-token'
    }
    const { client } = await connect({ auth: { token } })
    expect(asked).toEqual(['connect', 'unauthorized'])
    expect(client.stats().attempts).toBe(2)
  })

  it('closes with 1012 when it is told to end, and the client comes back after the restart', async () => {
    const { client } = await connect()
    const left = nextEvent(client, 'state')
    const back = nextEvent(client, 'reconnected')
    await running.kill('SIGTERM')
    expect(await left).toMatchObject({ to: 'waiting', closure: { code: 1012, wasClean: true } })
    await running.start()
    await back
  })
})

const pythonWebsocketsWith: Peer = {
  ...PEERS.pythonWebsockets,
  name: `${PEERS.pythonWebsockets.name} with subprotocols=['mcp.v1']`,
  command: (tools, port) => [...PEERS.pythonWebsockets.command(tools, port), 'mcp.v1'],
  options: {}
}

describePeer(pythonWebsocketsWith, ({ connect }) => {
  it('names it, and no option is needed', async () => {
    const { client } = await connect()
    expect(client.subprotocol).toBe('mcp.v1')
  })
})

describePeer(PEERS.pythonSdk, ({ running, connect }) => {
  it('answers a wrong path with 403', async () => {
    expect(await statusAt(running.url.replace('/ws', '/mcp'), PEERS.pythonSdk.options)).toBe(403)
  })

  it('answers an unknown method with -32602', async () => {
    const { client } = await connect()
    const error = await rejectionOf(client.request('no/such/method'))
    expect(isRpcError(error) && error.rpcCode).toBe(-32602)
  })

  it('reads 16 MiB and no more: it hangs up in the middle, so that its 1009 may be lost, and the client comes back', async () => {
    const { client } = await connect({ outbox: { maxBytes: 2 ** 25 } })
    const back = nextEvent(client, 'reconnected')
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(17 * 2 ** 20) } }))
    expect(isConnectionLostError(error) && error.delivery).toBe('unknown')
    expect([1006, 1009]).toContain(isConnectionLostError(error) && error.closure.code)
    await back
  })

  it('closes with 1012 when it is told to end, and the client comes back after the restart', async () => {
    const { client } = await connect()
    const left = nextEvent(client, 'state')
    const back = nextEvent(client, 'reconnected')
    await running.kill('SIGTERM')
    expect(await left).toMatchObject({ to: 'waiting', closure: { code: 1012, wasClean: true } })
    await running.start()
    await back
  })
})

describePeer(PEERS.pythonWebsockets, ({ connect }) => {
  it('reads 1 MiB and no more: 1009 fails the request, and the client comes back', async () => {
    const { client } = await connect()
    const back = nextEvent(client, 'reconnected')
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(2 ** 20) } }))
    expect(isConnectionLostError(error) && error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', closure: { code: 1009 } })
    await back
  })
})
