import { describe, expect, it } from 'vitest'
import type { Subscription } from '../../src/client/subscriptions.js'
import { settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT, type FakeSocket, type Message } from '../helpers/fake-network.js'
import { closeClean, useClient, type Rig } from './use-client.js'
import { watch, type Outcome } from '../helpers/watch.js'

const FILTER = { toolsListChanged: true, resourceSubscriptions: ['a:1'] }
const ID = 'io.modelcontextprotocol/subscriptionId'

const listens = (socket: FakeSocket): Message[] => socket.sent.filter(({ method }) => method === 'subscriptions/listen')

function acknowledge(socket: FakeSocket, notifications: object = FILTER, id: unknown = socket.asked('subscriptions/listen').id): void {
  socket.deliver({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta: { [ID]: id }, notifications } })
}

/** A client with a subscription of `a:1` that the server has acknowledged. */
async function subscribe(): Promise<{ rig: Rig; socket: FakeSocket }> {
  const rig = useClient()
  const socket = await rig.modern()
  watch(rig.client.subscribeResource({ uri: 'a:1' }))
  acknowledge(socket)
  await settle()
  return { rig, socket }
}

/** An open subscription on a modern server. */
async function open(rig: Rig): Promise<{ socket: FakeSocket; subscription: Subscription; closed: Outcome<string> }> {
  const socket = await rig.modern()
  const listening = rig.client.listen(FILTER)
  acknowledge(socket)
  const subscription = await listening
  return { socket, subscription, closed: watch(subscription.closed) }
}

describe('listen', () => {
  it('asks with the filter and resolves at the acknowledgement', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const listening = watch(rig.client.listen(FILTER))
    await settle()
    expect(socket.asked('subscriptions/listen').params?.notifications).toEqual(FILTER)
    expect(listening.settled).toBe(false)
    acknowledge(socket, { toolsListChanged: true })
    await settle()
    expect(listening.value?.honoredFilter).toEqual({ toolsListChanged: true })
  })

  it('has a positive integer as its id', async () => {
    const rig = useClient()
    const { socket } = await open(rig)
    expect(socket.asked('subscriptions/listen').id).toSatisfy((id: unknown) => Number.isInteger(id) && (id as number) > 0)
  })

  it('lets the notifications through', async () => {
    const rig = useClient()
    const { socket } = await open(rig)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:1', _meta: { [ID]: 1 } } })
    expect(rig.notifications.at(-1)).toEqual({ method: 'notifications/resources/updated', params: { uri: 'a:1', _meta: { [ID]: 1 } } })
  })

  it('rejects when the server answers with an error', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const listening = watch(rig.client.listen(FILTER))
    socket.respondError('subscriptions/listen', -32601)
    await settle()
    expect(listening.error).toMatchObject({ rpcCode: -32601 })
    expect(rig.errors).toEqual([])
  })

  it('rejects when it is not acknowledged within its timeout', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const listening = watch(rig.client.listen(FILTER, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(listening.error).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
  })

  it('has no end in time once it is acknowledged', async () => {
    const rig = useClient({ heartbeat: false })
    const { closed } = await open(rig)
    await rig.clock.advance(1e9)
    expect(closed.settled).toBe(false)
  })

  it('waits in the outbox like any request', async () => {
    const rig = useClient()
    const listening = watch(rig.client.listen(FILTER))
    const socket = await rig.modern()
    acknowledge(socket)
    await settle()
    expect(listening.value?.honoredFilter).toEqual(FILTER)
  })

  it('may be open several times, and acknowledgements find theirs', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const one = watch(rig.client.listen({ toolsListChanged: true }))
    const two = watch(rig.client.listen({ promptsListChanged: true }))
    const [first, second] = listens(socket)
    acknowledge(socket, { promptsListChanged: true }, second?.id)
    await settle()
    expect([one.settled, two.value?.honoredFilter]).toEqual([false, { promptsListChanged: true }])
    acknowledge(socket, {}, first?.id)
    await settle()
    expect(one.value?.honoredFilter).toEqual({})
  })
})

describe('the end of a subscription', () => {
  it('by its close() is local, and the server is told', async () => {
    const rig = useClient()
    const { socket, subscription, closed } = await open(rig)
    const { id } = socket.asked('subscriptions/listen')
    subscription.close()
    subscription.close()
    await settle()
    expect(closed.value).toBe('local')
    expect(socket.sent.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: id } })
    expect(socket.methods.filter((method) => method === 'notifications/cancelled')).toHaveLength(1)
    expect(rig.client.pendingCount).toBe(0)
  })

  it('by close() while disconnected is not told, and it is not restored', async () => {
    const rig = useClient()
    const { socket, subscription, closed } = await open(rig)
    socket.drop()
    subscription.close()
    await settle()
    expect(closed.value).toBe('local')
    expect((await rig.remodern()).methods).toEqual(['server/discover'])
  })

  it('by close() of the client is local', async () => {
    const rig = useClient()
    const { closed } = await open(rig)
    await closeClean(rig)
    expect(closed.value).toBe('local')
  })

  it("by the caller's signal is local, and the server is told", async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const controller = new AbortController()
    const listening = rig.client.listen(FILTER, { signal: controller.signal })
    acknowledge(socket)
    const closed = watch((await listening).closed)
    controller.abort(new Error('enough'))
    await settle()
    expect(closed.value).toBe('local')
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
  })

  it('by the end of the retries is remote', async () => {
    const rig = useClient({ reconnect: false })
    const { socket, closed } = await open(rig)
    socket.drop()
    await settle()
    expect(closed.value).toBe('remote')
  })

  it('by a result is graceful, if the connection stays for a second', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    socket.respond('subscriptions/listen', { _meta: { [ID]: socket.asked('subscriptions/listen').id } })
    await rig.clock.advance(999)
    expect(closed.settled).toBe(false)
    await rig.clock.advance(1)
    expect(closed.value).toBe('graceful')
    socket.drop()
    expect((await rig.remodern()).methods).toEqual(['server/discover'])
  })

  it('by a result is none if the connection drops within a second: it is opened again', async () => {
    const rig = useClient()
    const { socket, subscription, closed } = await open(rig)
    const { id } = socket.asked('subscriptions/listen')
    socket.respond('subscriptions/listen', { _meta: { [ID]: id } })
    await rig.clock.advance(500)
    socket.drop()
    const second = await rig.remodern()
    expect(listens(second)).toHaveLength(1)
    expect(listens(second)[0]?.params?.notifications).toEqual(FILTER)
    acknowledge(second, { toolsListChanged: true })
    await rig.clock.advance(5000)
    expect(closed.settled).toBe(false)
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
    subscription.close()
    await settle()
    expect(closed.value).toBe('local')
    expect(second.sent.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: listens(second)[0]?.id } })
  })

  it.each([false, { maxMessages: 0 }] as const)('by a result followed by a drop is none, even with the outbox %j', async (outbox) => {
    const rig = useClient({ outbox })
    const { socket, closed } = await open(rig)
    socket.respond('subscriptions/listen', {})
    await settle()
    socket.drop()
    expect(listens(await rig.remodern())).toHaveLength(1)
    expect(closed.settled).toBe(false)
  })

  it('by a result and then close() of the client leaves no timer', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    socket.respond('subscriptions/listen', {})
    await settle()
    await closeClean(rig)
    expect(closed.settled).toBe(true)
    expect(rig.clock.pendingCount).toBe(0)
  })

  it('by a result and then its close() is local, and leaves no timer', async () => {
    const rig = useClient({ heartbeat: false })
    const { socket, subscription, closed } = await open(rig)
    await rig.clock.advance(5000)
    socket.respond('subscriptions/listen', {})
    await settle()
    subscription.close()
    await settle()
    expect(closed.value).toBe('local')
    expect(rig.clock.holdCount).toBe(0)
    expect(socket.methods).not.toContain('notifications/cancelled')
  })

  it('by an error is remote', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    socket.respondError('subscriptions/listen', -32000)
    await settle()
    expect(closed.value).toBe('remote')
  })

  it('by notifications/cancelled of the server is remote, and it is not restored', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    const { id } = socket.asked('subscriptions/listen')
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
    await rig.clock.advance(999)
    expect(closed.settled).toBe(false)
    await rig.clock.advance(1)
    expect(closed.value).toBe('remote')
    socket.drop()
    expect((await rig.remodern()).methods).toEqual(['server/discover'])
  })
})

describe('a drop', () => {
  it('does not end a subscription: it is restored verbatim, before ready', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    const text = socket.texts.find((each) => each.includes('subscriptions/listen'))
    socket.drop()
    const second = (await rig.redial()).accept()
    let atReady = 0
    rig.client.on('state', ({ to }) => {
      if (to === 'ready') atReady = second.texts.length
    })
    second.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    expect(second.texts[1]).toBe(text)
    expect(atReady).toBe(2)
    acknowledge(second)
    await settle()
    expect(closed.settled).toBe(false)
  })

  it('is survived as often as need be', async () => {
    const rig = useClient({ reconnect: { initialDelay: 1 } })
    const { socket, closed } = await open(rig)
    const text = socket.texts.at(-1)
    let last = socket
    for (let drop = 0; drop < 5; drop++) {
      last.drop()
      last = await rig.remodern()
      expect(last.texts.at(-1)).toBe(text)
    }
    expect(closed.settled).toBe(false)
  })

  it('does not end a subscription that was not acknowledged yet', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const listening = watch(rig.client.listen(FILTER))
    socket.drop()
    const second = await rig.remodern()
    acknowledge(second)
    await settle()
    expect(listening.value?.honoredFilter).toEqual(FILTER)
    expect(listens(second)).toHaveLength(1)
  })

  it('ends it when the restore gets an error response: RESTORE_FAILED and remote', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    socket.drop()
    const second = await rig.remodern()
    second.respondError('subscriptions/listen', -32000)
    await settle()
    expect(closed.value).toBe('remote')
    expect(rig.errors).toMatchObject([{ name: 'ProtocolError', code: 'RESTORE_FAILED' }])
    second.drop()
    expect((await rig.remodern()).methods).toEqual(['server/discover'])
  })

  it('is told of by an error for each URI that the server honours no longer, and the subscription goes on', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const listening = rig.client.listen({ resourceSubscriptions: ['a:1', 'a:2', 'a:3'] })
    acknowledge(socket, { resourceSubscriptions: ['a:1', 'a:2'] })
    const subscription = await listening
    socket.drop()
    const second = await rig.remodern()
    acknowledge(second, { resourceSubscriptions: ['a:1'] })
    await settle()
    expect(rig.errors).toMatchObject([
      { code: 'RESTORE_FAILED', message: 'subscriptions/listen could not be restored: the server declined a:2' }
    ])
    expect([subscription.honoredFilter, second.methods.at(-1)]).toEqual([{ resourceSubscriptions: ['a:1'] }, 'subscriptions/listen'])
  })

  it('ends it when the server has become a legacy one', async () => {
    const rig = useClient()
    const { socket, closed } = await open(rig)
    socket.drop()
    const second = (await rig.redial()).accept()
    second.respondError('server/discover', -32601)
    second.respond('initialize', LEGACY_RESULT)
    await settle()
    expect(closed.value).toBe('remote')
    expect(rig.errors).toMatchObject([{ code: 'RESTORE_FAILED' }])
    expect(rig.client.pendingCount).toBe(0)
  })
})

describe('subscribeResource on a legacy server', () => {
  it('is a request, and is asked anew after a drop once it was confirmed', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const subscribed = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    expect(socket.asked('resources/subscribe').params).toEqual({ uri: 'a:1' })
    socket.respond('resources/subscribe', {})
    await settle()
    expect(subscribed.value).toEqual({})
    socket.drop()
    const second = await rig.relegacy()
    expect(second.asked('resources/subscribe').params).toEqual({ uri: 'a:1' })
    expect(second.asked('resources/subscribe').id).toBeGreaterThan(1e9)
  })

  it('is not restored after an error response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    socket.respondError('resources/subscribe', -32602)
    socket.drop()
    expect((await rig.relegacy()).methods).not.toContain('resources/subscribe')
  })

  it('is not asked anew after unsubscribeResource', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    socket.respond('resources/subscribe', {})
    watch(rig.client.unsubscribeResource({ uri: 'a:1' }))
    expect(socket.asked('resources/unsubscribe').params).toEqual({ uri: 'a:1' })
    socket.respond('resources/unsubscribe', {})
    socket.drop()
    expect((await rig.relegacy()).methods).not.toContain('resources/subscribe')
  })

  it('is not asked anew after a later unsubscribeResource that alone was answered', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const subscribed = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    const other = watch(rig.client.subscribeResource({ uri: 'a:2' }))
    watch(rig.client.unsubscribeResource({ uri: 'a:1' }))
    socket.respond('resources/unsubscribe', {})
    socket.drop()
    const second = await rig.relegacy()
    await settle()
    expect(subscribed.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect(second.sent.filter(({ params }) => params?.uri).map(({ params }) => params)).toEqual([{ uri: 'a:2' }])
    expect(other.settled).toBe(false)
  })

  it('is not undone after a drop by an earlier unsubscribeResource without an answer', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.unsubscribeResource({ uri: 'a:1' }))
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    socket.respond('resources/subscribe', {})
    socket.drop()
    const { methods } = await rig.relegacy()
    expect(methods).toContain('resources/subscribe')
    expect(methods).not.toContain('resources/unsubscribe')
  })

  it('tells by RESTORE_FAILED that it could not be restored, and then forgets it', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    socket.respond('resources/subscribe', {})
    socket.drop()
    const second = await rig.relegacy()
    second.respondError('resources/subscribe', -32002)
    expect(rig.errors).toMatchObject([{ code: 'RESTORE_FAILED' }])
    expect(rig.client.state).toBe('ready')
    second.drop()
    expect((await rig.relegacy()).methods).not.toContain('resources/subscribe')
  })
})

describe('subscribeResource on a modern server', () => {
  it('is a listen, which unsubscribeResource ends', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const subscribed = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    expect(socket.asked('subscriptions/listen').params?.notifications).toEqual({ resourceSubscriptions: ['a:1'] })
    acknowledge(socket)
    await settle()
    expect(subscribed.value).toEqual({})
    await rig.client.subscribeResource({ uri: 'a:1' })
    expect(listens(socket)).toHaveLength(1)
    await rig.client.unsubscribeResource({ uri: 'a:1' })
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
  })

  it.each([{}, { resourceSubscriptions: ['a:2'] }, { resourceSubscriptions: true }, { toolsListChanged: true }])(
    'rejects when the server honours none of it, leaves nothing open and can be asked for again: %j',
    async (honored) => {
      const rig = useClient()
      const socket = await rig.modern()
      const subscribed = watch(rig.client.subscribeResource({ uri: 'a:1' }))
      acknowledge(socket, honored)
      await settle()
      expect(subscribed.error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE', retryable: false })
      expect(socket.sent.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: listens(socket)[0]?.id } })
      expect(rig.client.pendingCount).toBe(0)
      const again = watch(rig.client.subscribeResource({ uri: 'a:1' }))
      acknowledge(socket, { resourceSubscriptions: ['a:1'] }, listens(socket)[1]?.id)
      await settle()
      expect(again.value).toEqual({})
    }
  )

  it('can be asked for again after the server ended it', async () => {
    const { rig, socket } = await subscribe()
    socket.respondError('subscriptions/listen', -32000)
    await settle()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    await settle()
    expect(listens(socket)).toHaveLength(2)
  })

  it('rejects with the reason where it is aborted while its listen is written, and can be asked for again', async () => {
    const controller = new AbortController()
    const given = new Error('enough')
    const trace = (_direction: string, text: string): void => {
      if (text.includes('subscriptions/listen')) controller.abort(given)
    }
    const rig = useClient({ trace })
    const socket = await rig.modern()
    await expect(rig.client.subscribeResource({ uri: 'a:1' }, { signal: controller.signal })).rejects.toBe(given)
    void rig.client.subscribeResource({ uri: 'a:1' }).catch(() => undefined)
    await settle()
    expect(listens(socket)).toHaveLength(2)
  })

  it("is not ended by the caller's signal once it is open", async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const controller = new AbortController()
    const subscribed = watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal: controller.signal }))
    acknowledge(socket)
    await settle()
    controller.abort()
    await settle()
    expect([subscribed.value, socket.methods.at(-1)]).toEqual([{}, 'subscriptions/listen'])
    socket.drop()
    expect(listens(await rig.remodern())).toHaveLength(1)
  })

  it('is given up by an abort before it is open, and can be asked for again at once', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const controller = new AbortController()
    const given = watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal: controller.signal }))
    controller.abort(new Error('unmounted'))
    const again = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    acknowledge(socket)
    await settle()
    expect(given.error).toEqual(new Error('unmounted'))
    expect(again.value).toEqual({})
    expect(socket.methods.slice(-3)).toEqual(['subscriptions/listen', 'notifications/cancelled', 'subscriptions/listen'])
  })

  it('goes on opening for a second caller when the first one gives up', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const first = new AbortController()
    const given = watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal: first.signal }))
    const other = watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal: new AbortController().signal }))
    first.abort(new Error('unmounted'))
    await settle()
    expect([given.error, other.settled]).toEqual([new Error('unmounted'), false])
    acknowledge(socket)
    await settle()
    expect([other.value, socket.methods.at(-1)]).toEqual([{}, 'subscriptions/listen'])
  })

  it("ends the wait of a second caller by that one's signal only", async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const second = new AbortController()
    const first = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    const given = watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal: second.signal }))
    second.abort(new Error('unmounted'))
    await settle()
    expect([given.error, first.settled]).toEqual([new Error('unmounted'), false])
    acknowledge(socket)
    await settle()
    expect([first.value, listens(socket).length]).toEqual([{}, 1])
  })

  it('is given up when the last of its callers has given up', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const controllers = [new AbortController(), new AbortController()]
    const given = controllers.map(({ signal }) => watch(rig.client.subscribeResource({ uri: 'a:1' }, { signal })))
    for (const [index, controller] of controllers.entries()) controller.abort(index)
    await settle()
    expect(given.map(({ error }) => error)).toEqual([0, 1])
    expect(socket.methods.slice(-2)).toEqual(['subscriptions/listen', 'notifications/cancelled'])
    expect(rig.client.pendingCount).toBe(0)
  })

  it('tells by RESTORE_FAILED that a server honours it no longer after a reconnect, and can be asked for again', async () => {
    const { rig, socket } = await subscribe()
    socket.drop()
    const second = await rig.remodern()
    acknowledge(second, {})
    await settle()
    expect(rig.errors).toMatchObject([{ name: 'ProtocolError', code: 'RESTORE_FAILED', message: expect.stringContaining('a:1') as string }])
    expect(second.methods.at(-1)).toBe('notifications/cancelled')
    expect(rig.client.pendingCount).toBe(0)
    const again = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    acknowledge(second, FILTER, listens(second)[1]?.id)
    await settle()
    expect(again.value).toEqual({})
  })

  it('tells of nothing where a server honours it as before after a reconnect', async () => {
    const { rig, socket } = await subscribe()
    socket.drop()
    const second = await rig.remodern()
    acknowledge(second)
    await settle()
    expect([rig.errors, second.methods.at(-1)]).toEqual([[], 'subscriptions/listen'])
  })

  it('opens one listen when middleware asks for the same resource meanwhile', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    let inner: Outcome<unknown> | undefined
    rig.client.use((request, next) => {
      inner ??= watch(rig.client.subscribeResource({ uri: 'a:1' }))
      return next(request)
    })
    const outer = watch(rig.client.subscribeResource({ uri: 'a:1' }))
    await settle()
    expect(listens(socket)).toHaveLength(1)
    acknowledge(socket)
    await settle()
    expect([outer.value, inner?.value]).toEqual([{}, {}])
    await rig.client.unsubscribeResource({ uri: 'a:1' })
    await settle()
    expect(rig.client.pendingCount).toBe(0)
  })

  it('leaves nothing open when it is asked for twice at a time and then ended', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    for (const { id } of listens(socket)) acknowledge(socket, FILTER, id)
    await settle()
    await rig.client.unsubscribeResource({ uri: 'a:1' })
    await settle()
    expect(rig.client.pendingCount).toBe(0)
  })
})

describe('setLoggingLevel', () => {
  it('sends a level that a listener of ready sets after one that waited for ready', async () => {
    const rig = useClient()
    const waited = watch(rig.client.setLoggingLevel('debug'))
    rig.client.on('state', ({ to }) => {
      if (to === 'ready') watch(rig.client.setLoggingLevel('error'))
    })
    const socket = await rig.legacy()
    await settle()
    const levels = socket.sent.filter(({ method }) => method === 'logging/setLevel').map(({ params }) => params?.level)
    expect(levels).toEqual(['debug', 'error'])
    socket.deliver({ jsonrpc: '2.0', id: socket.sent.find(({ params }) => params?.level === 'debug')?.id, result: {} })
    await settle()
    expect(waited).toMatchObject({ settled: true, error: undefined })
  })

  it('is a request on a legacy server, and is restored', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.setLoggingLevel('warning'))
    socket.respond('logging/setLevel', {})
    watch(rig.client.setLoggingLevel('debug'))
    socket.respond('logging/setLevel', {})
    socket.drop()
    const second = await rig.relegacy()
    expect(second.sent.filter(({ method }) => method === 'logging/setLevel').map(({ params }) => params)).toEqual([{ level: 'debug' }])
  })

  it('travels with every request to a modern server', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    expect(await rig.client.setLoggingLevel('warning')).toEqual({})
    expect(socket.methods).toEqual(['server/discover'])
    watch(rig.client.request('tools/list'))
    expect(socket.asked('tools/list').params?._meta).toHaveProperty(['io.modelcontextprotocol/logLevel'], 'warning')
    socket.drop()
    const second = await rig.remodern()
    watch(rig.client.request('prompts/list'))
    expect(second.asked('prompts/list').params?._meta).toHaveProperty(['io.modelcontextprotocol/logLevel'], 'warning')
  })

  it('is no request to a modern server even if it was called before the era was known', async () => {
    const rig = useClient()
    watch(rig.client.setLoggingLevel('warning'))
    const socket = await rig.modern()
    expect(socket.methods).not.toContain('logging/setLevel')
    watch(rig.client.request('tools/list'))
    expect(socket.asked('tools/list').params?._meta).toHaveProperty(['io.modelcontextprotocol/logLevel'], 'warning')
  })
})
