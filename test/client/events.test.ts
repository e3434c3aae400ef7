import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

describe('the events of a client', () => {
  it('tell its life in order', async () => {
    const rig = useClient()
    const told: string[] = []
    rig.client.on('state', ({ from, to }) => told.push(`${from} > ${to}`))
    rig.client.on('reconnected', () => told.push('reconnected'))
    rig.client.on('close', () => told.push('close'))
    ;(await rig.legacy()).drop()
    await rig.relegacy()
    await closeClean(rig)
    expect(told).toEqual([
      'idle > connecting',
      'connecting > initializing',
      'initializing > ready',
      'ready > waiting',
      'waiting > connecting',
      'connecting > initializing',
      'initializing > ready',
      'reconnected',
      'ready > closing',
      'closing > closed',
      'close'
    ])
  })

  it('say what ended a connection, and when the next dial is', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    ;(await rig.legacy()).drop({ code: 1012, reason: 'restart', wasClean: true })
    expect(rig.states.at(-1)).toEqual({
      from: 'ready',
      to: 'waiting',
      attempt: 2,
      delay: 1000,
      closure: {
        kind: 'close',
        code: 1012,
        reason: 'restart',
        wasClean: true,
        everReady: true,
        error: expect.objectContaining({
          code: 'CONNECTION_LOST',
          message: 'the connection to ws://127.0.0.1/ws closed with code 1012 "restart"'
        }) as Error
      },
      error: undefined
    })
  })

  it('reach every listener in the order in which it happened, even when a listener causes more', async () => {
    const rig = useClient()
    const one: string[] = []
    const two: string[] = []
    rig.client.on('state', ({ to }) => {
      one.push(to)
      if (to === 'connecting') void rig.client.close()
    })
    rig.client.on('state', ({ to }) => two.push(to))
    watch(rig.client.connect())
    await settle()
    expect(one).toEqual(['connecting', 'closed'])
    expect(two).toEqual(one)
  })

  it.each(['connecting', 'initializing', 'ready', 'waiting'])('may lead a listener to close the client: at %s', async (state) => {
    const rig = useClient()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    rig.client.on('state', ({ to }) => {
      if (to === state) void rig.client.close()
    })
    watch(rig.client.connect())
    await settle()
    const socket = rig.network.sockets[0]
    expect(() => {
      socket?.accept()
      if (socket?.state === 'open') socket.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
      if (socket?.state === 'open') socket.drop()
    }).not.toThrow()
    await settle()
    expect(asked.error).toMatchObject({ code: state === 'waiting' ? 'CONNECTION_LOST' : 'CLOSED' })
    expect(socket?.methods ?? []).toEqual(
      { connecting: [], initializing: [], ready: ['server/discover'], waiting: ['server/discover', 'tools/call'] }[state]
    )
  })

  it('end with close(), except for state and close: a listener that closes the client hears of no more notifications', async () => {
    const rig = useClient()
    const capabilities = { tools: { listChanged: true }, prompts: { listChanged: true } }
    const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'fake', version: '1' } }
    ;(await rig.legacy(result)).drop()
    rig.client.on('notification', () => void rig.client.close())
    await rig.relegacy(result)
    expect(rig.notifications).toHaveLength(1)
  })

  it('reach the other listeners when one throws, and the event error tells', async () => {
    const rig = useClient()
    const problem = new Error('bad listener')
    rig.client.on('state', () => {
      throw problem
    })
    const after = vi.fn()
    rig.client.on('state', after)
    await rig.legacy()
    expect(after).toHaveBeenCalledTimes(3)
    expect(rig.errors).toEqual([problem, problem, problem])
    expect(rig.client.state).toBe('ready')
  })

  it('reach async listeners too: the event error tells what they reject with', async () => {
    const rig = useClient()
    const problem = new Error('bad listener')
    rig.client.on('state', async () => Promise.reject(problem))
    rig.client.once('notification', () => ({ then: (_resolve: unknown, reject: (thrown: unknown) => void) => reject(problem) }))
    rig.client.on('error', async () => Promise.reject(new Error('worse')))
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/x' })
    await settle()
    expect(rig.errors).toEqual([problem, problem, problem, problem])
    expect(rig.client.state).toBe('ready')
  })

  it('do no harm when a listener of error throws', async () => {
    const rig = useClient()
    rig.client.on('error', () => {
      throw new Error('worse')
    })
    const socket = await rig.legacy()
    socket.deliver('no JSON')
    expect(rig.errors).toHaveLength(1)
    expect(rig.client.state).toBe('ready')
  })

  it('do no harm when nobody listens to error', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    rig.client.off('error', () => undefined)
    expect(() => socket.deliver('no JSON')).not.toThrow()
  })

  it('reach a listener of once only once', async () => {
    const rig = useClient()
    const listener = vi.fn()
    rig.client.once('state', listener)
    await rig.legacy()
    expect(listener).toHaveBeenCalledOnce()
  })

  it('no longer reach a listener that is off', async () => {
    const rig = useClient()
    const listener = vi.fn()
    const never = vi.fn()
    rig.client.on('state', listener).once('state', never).off('state', listener).off('state', never)
    await rig.legacy()
    expect(listener).not.toHaveBeenCalled()
    expect(never).not.toHaveBeenCalled()
  })
})

describe('util.inspect', () => {
  it('shows state, url, era, server and counts of a client, and no secret', async () => {
    const rig = useClient({ url: 'ws://user:hunter22@127.0.0.1/ws?key=querysecret', auth: { token: 'secret-token' } })
    expect(inspect(rig.client)).toMatch(/^McpWebSocketClient \{\s+state: 'idle',\s+url: undefined/)
    await rig.legacy()
    watch(rig.client.listTools())
    const shown = inspect(rig.client)
    for (const part of [
      "state: 'ready'",
      "url: 'ws://127.0.0.1/ws'",
      "era: 'legacy'",
      'server: { name',
      'pending: 1',
      'queued: 0',
      'attempts: 1'
    ])
      expect(shown).toContain(part)
    expect(shown).not.toMatch(/secret|hunter22/)
    expect(inspect({ rig: { client: rig.client } }, { depth: 1 })).toContain('client: McpWebSocketClient')
  })
})

describe('stats', () => {
  it('count from zero', () => {
    const { client } = useClient()
    expect(client.stats()).toEqual({
      attempts: 0,
      reconnects: 0,
      sent: 0,
      received: 0,
      bytesSent: 0,
      bytesReceived: 0,
      resent: 0,
      bytesWaiting: 0,
      lost: 0
    })
  })

  it('count messages and bytes both ways', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const before = rig.client.stats()
    expect(before.sent).toBe(socket.sent.length)
    expect(before.bytesSent).toBe(socket.texts.join('').length)
    const text = '{"jsonrpc":"2.0","method":"notifications/x"}'
    socket.deliver(text)
    expect(rig.client.stats()).toMatchObject({
      received: before.received + 1,
      bytesReceived: before.bytesReceived + text.length
    })
  })

  it('count dials, reconnects, and what was lost and sent again, over lives', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }))
    watch(rig.client.request('tools/list'))
    first.drop()
    ;(await rig.redial()).drop()
    await rig.relegacy()
    expect(rig.client.stats()).toMatchObject({ attempts: 3, reconnects: 1, lost: 1, resent: 1 })
    await closeClean(rig)
    await rig.legacy()
    expect(rig.client.stats()).toMatchObject({ attempts: 4, reconnects: 1, lost: 1, resent: 1 })
  })

  it('are a snapshot', async () => {
    const rig = useClient()
    const before = rig.client.stats()
    await rig.legacy()
    expect(before.attempts).toBe(0)
  })
})

describe('trace', () => {
  it('sees every frame as it is, both ways', async () => {
    const seen: [string, string][] = []
    const rig = useClient({ trace: (direction, text) => seen.push([direction, text]) })
    const socket = await rig.legacy()
    socket.deliver('not JSON')
    expect(seen.filter(([direction]) => direction === 'out').map(([, text]) => text)).toEqual(socket.texts)
    expect(seen.at(-1)).toEqual(['in', 'not JSON'])
    expect(seen[0]?.[0]).toBe('out')
    expect(seen.map(([direction]) => direction)).toEqual(['out', 'in', 'out', 'in', 'out', 'in'])
  })

  it('sees no credentials', async () => {
    const seen: string[] = []
    const rig = useClient({
      url: 'ws://user:hunter22@127.0.0.1/?key=querysecret',
      auth: { token: 'secret-token' },
      headers: { 'x-api-key': 'headersecret' },
      trace: (_direction, text) => seen.push(text)
    })
    await rig.legacy()
    expect(seen.join()).not.toMatch(/secret|hunter22/)
  })

  it('harms nobody when it throws', async () => {
    const problem = new Error('bad trace')
    const rig = useClient({
      trace: () => {
        throw problem
      }
    })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    expect(() => {
      socket.respondError('server/discover', -32601)
      socket.respond('initialize', { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'a', version: '1' } })
    }).not.toThrow()
    await settle()
    expect(connected).toMatchObject({ settled: true, error: undefined })
    expect(rig.errors).toContain(problem)
  })
})

describe('unref', () => {
  it('lets go of the socket once the client is ready', async () => {
    const rig = useClient({ unref: true })
    watch(rig.client.connect())
    const socket = await rig.network.last()
    expect(socket.isUnref).toBe(false)
    socket.accept().respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    expect(socket.isUnref).toBe(true)
  })

  it('is off by default', async () => {
    const rig = useClient()
    expect((await rig.legacy()).isUnref).toBe(false)
  })
})
