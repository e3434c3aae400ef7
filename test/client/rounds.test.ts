import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket, Message } from '../helpers/fake-network.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const DONE = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
const ELICIT = { method: 'elicitation/create', params: { message: 'name?', requestedSchema: { type: 'object', properties: {} } } }
const ACCEPT = { action: 'accept' as const, content: { name: 'Ada' } }

const legs = (socket: FakeSocket): Message[] => socket.sent.filter(({ method }) => method === 'tools/call')
const needs = (inputRequests?: object, requestState?: string): object => ({ resultType: 'input_required', inputRequests, requestState })

async function respond(socket: FakeSocket, result: object): Promise<void> {
  socket.respond('tools/call', result)
  await settle()
}

/** A handler that waits for a human. */
function human(): { decide: () => void; handler: () => Promise<typeof ACCEPT> } {
  let decide = (): void => undefined
  const promise = new Promise<typeof ACCEPT>((resolve) => (decide = () => resolve(ACCEPT)))
  return { decide: () => decide(), handler: () => promise }
}

describe('P30: a multi round-trip request', () => {
  it('is asked again with the results of the handlers under the keys of the server', async () => {
    const rig = useClient()
    const sampled = { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'hi' } }
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    rig.client.setRequestHandler('sampling/createMessage', () => Promise.resolve(sampled))
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x', arguments: { a: 1 } }))
    await respond(
      socket,
      needs(
        { k1: ELICIT, k2: { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }, k3: { method: 'roots/list' } },
        'opaque'
      )
    )
    const [first, second] = legs(socket)
    const { _meta, ...params } = second!.params!
    expect(params).toEqual({
      name: 'x',
      arguments: { a: 1 },
      inputResponses: { k1: ACCEPT, k2: sampled, k3: { roots: [] } },
      requestState: 'opaque'
    })
    expect(_meta).toHaveProperty(['io.modelcontextprotocol/protocolVersion'])
    expect(second!.id).not.toBe(first!.id)
    expect(called.settled).toBe(false)
    await respond(socket, DONE)
    expect(called.value).toEqual(DONE)
  })

  it('hands the params of the request to the handler', async () => {
    const rig = useClient()
    const handler = vi.fn(() => ACCEPT)
    rig.client.setRequestHandler('elicitation/create', handler)
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    expect(handler).toHaveBeenCalledExactlyOnceWith(ELICIT, expect.objectContaining({ signal: expect.any(AbortSignal) as AbortSignal }))
  })

  it.each(['', ' spaced ', '{"json": [1,  2]}', 'ünï\u0000cödé \u{1F600}', 'a'.repeat(5000)])(
    'gives requestState back to the byte: %j',
    async (state) => {
      const rig = useClient()
      const socket = await rig.modern()
      watch(rig.client.callTool({ name: 'x' }))
      await respond(socket, needs(undefined, state))
      await rig.clock.advance(250)
      expect(legs(socket)[1]?.params?.requestState).toBe(state)
    }
  )

  it('has an empty result from a handler that returns nothing, and rejects when one returns no object, as a request would', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    rig.client.setRequestHandler('x/note', () => undefined)
    rig.client.setRequestHandler('x/word', () => 'word')
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ a: { method: 'x/note' } }))
    expect(legs(socket).at(-1)?.params?.inputResponses).toEqual({ a: {} })
    await respond(socket, needs({ a: { method: 'x/word' } }))
    expect(called.error).toMatchObject({ message: 'The request handler did not return an object' })
  })

  it('sends no requestState when the server gave none', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }, 'one'))
    await respond(socket, needs({ k: ELICIT }))
    expect(legs(socket)[1]?.params).toHaveProperty('requestState', 'one')
    expect(legs(socket)[2]?.params).not.toHaveProperty('requestState')
  })

  it('waits 250 ms before a leg that carries state only', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs(undefined, 's'))
    await rig.clock.advance(249)
    expect(legs(socket)).toHaveLength(1)
    await rig.clock.advance(1)
    expect(legs(socket)).toHaveLength(2)
    expect(legs(socket)[1]?.params).not.toHaveProperty('inputResponses')
  })

  it('gives up after ten rounds', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    for (let round = 0; round < 10; round++) {
      expect(called.settled).toBe(false)
      await respond(socket, needs({ k: ELICIT }))
    }
    expect(legs(socket)).toHaveLength(11)
    await respond(socket, needs({ k: ELICIT }))
    expect(called.error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE' })
    expect(legs(socket)).toHaveLength(11)
  })

  it('may have its result after ten rounds', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    for (let round = 0; round < 10; round++) await respond(socket, needs({ k: ELICIT }))
    await respond(socket, DONE)
    expect(called.value).toEqual(DONE)
  })

  it.each(['prompts/get', 'resources/read'])('may be %s, too', async (method) => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const asked = watch(rig.client.request(method, { name: 'x' }))
    socket.respond(method, needs({ k: ELICIT }))
    await settle()
    socket.respond(method, { fine: true })
    await settle()
    expect(asked.value).toEqual({ fine: true })
  })

  it('rejects when no handler is set, or the handler throws', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const lacking = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    expect(lacking.error).toMatchObject({ code: 'INVALID_RESPONSE' })
    const problem = new Error('no')
    rig.client.setRequestHandler('elicitation/create', () => Promise.reject(problem))
    const failing = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    expect(failing.error).toBe(problem)
  })

  it('tells the other handlers when one has failed, since their responses no longer matter', async () => {
    const rig = useClient()
    const reasons: unknown[] = []
    rig.client.setRequestHandler('elicitation/create', async (_request, { signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason))
      return human().handler()
    })
    const error = new Error('no roots')
    rig.client.setRequestHandler('roots/list', () => Promise.reject(error))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ a: ELICIT, b: { method: 'roots/list' } }))
    expect([called.error, reasons]).toEqual([error, [error]])
  })

  it('rejects with the RpcError of a later leg', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    socket.respondError('tools/call', -32602)
    await settle()
    expect(called.error).toMatchObject({ rpcCode: -32602 })
  })

  it.each([{ k: 'not an object' }, { k: { params: {} } }])('rejects when the requests for input are malformed: %j', async (requests) => {
    const rig = useClient()
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs(requests))
    expect(called.error).toMatchObject({ code: 'INVALID_RESPONSE' })
  })
})

describe('the limits of a flow', () => {
  it('maxPending bounds what is asked for at once: no handler runs beyond it', async () => {
    const rig = useClient({ maxPending: 2 })
    const handler = vi.fn(() => ACCEPT)
    rig.client.setRequestHandler('elicitation/create', handler)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ a: ELICIT, b: ELICIT }))
    expect([called.settled, handler.mock.calls.length]).toEqual([false, 2])
    await respond(socket, needs({ a: ELICIT, b: ELICIT, c: ELICIT }))
    expect(called.error).toMatchObject({ code: 'INVALID_RESPONSE', message: 'the server asked for 3 inputs at once' })
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('timeout bounds each leg, and not the human', async () => {
    const rig = useClient({ heartbeat: false })
    const { decide, handler } = human()
    rig.client.setRequestHandler('elicitation/create', handler)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(90)
    await respond(socket, needs({ k: ELICIT }))
    await rig.clock.advance(600_000)
    expect(called.settled).toBe(false)
    decide()
    await settle()
    expect(legs(socket)).toHaveLength(2)
    await rig.clock.advance(99)
    expect(called.settled).toBe(false)
    await rig.clock.advance(1)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 100 })
  })

  it('maxTotalTimeout bounds the whole, while a human thinks', async () => {
    const rig = useClient({ heartbeat: false })
    let signal: AbortSignal | undefined
    rig.client.setRequestHandler('elicitation/create', (_request, context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }, { maxTotalTimeout: 1000 }))
    await rig.clock.advance(300)
    await respond(socket, needs({ k: ELICIT }))
    await rig.clock.advance(699)
    expect(called.settled).toBe(false)
    await rig.clock.advance(1)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tools/call', timeout: 1000 })
    expect(signal?.aborted).toBe(true)
  })

  it('maxTotalTimeout bounds the whole, while a leg is under way', async () => {
    const rig = useClient({ heartbeat: false })
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }, { maxTotalTimeout: 1000 }))
    await rig.clock.advance(600)
    await respond(socket, needs({ k: ELICIT }))
    await rig.clock.advance(399)
    expect(called.settled).toBe(false)
    await rig.clock.advance(1)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
  })

  it('maxTotalTimeout names the limit that the caller set, whichever leg it ends', async () => {
    const rig = useClient({ heartbeat: false })
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }, { maxTotalTimeout: 1000 }))
    await rig.clock.advance(600)
    await respond(socket, needs({ k: ELICIT }))
    await rig.clock.advance(400)
    expect(called.error).toMatchObject({ timeout: 1000 })
  })
})

describe('the end of a flow', () => {
  it('comes with the signal of the caller, and the handler hears of it', async () => {
    const rig = useClient()
    let heard: AbortSignal | undefined
    rig.client.setRequestHandler('elicitation/create', (_request, context) => {
      heard = context.signal
      return new Promise(() => undefined)
    })
    const socket = await rig.modern()
    const controller = new AbortController()
    const called = watch(rig.client.callTool({ name: 'x' }, { signal: controller.signal }))
    await respond(socket, needs({ k: ELICIT }))
    controller.abort(new Error('enough'))
    await settle()
    expect(called.error).toBe(controller.signal.reason)
    expect(heard?.aborted).toBe(true)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  it('comes with the signal of the caller during a later leg, and the server hears of it', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const controller = new AbortController()
    const called = watch(rig.client.callTool({ name: 'x' }, { signal: controller.signal }))
    await respond(socket, needs({ k: ELICIT }))
    controller.abort(new Error('enough'))
    await settle()
    expect(called.error).toBe(controller.signal.reason)
    expect(socket.sent.at(-1)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: legs(socket)[1]?.id } })
  })

  it('comes with close() while a human thinks', async () => {
    const rig = useClient()
    const { decide, handler } = human()
    rig.client.setRequestHandler('elicitation/create', handler)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    await closeClean(rig)
    expect(called.error).toMatchObject({ code: 'CLOSED' })
    decide()
    await settle()
    expect(legs(socket)).toHaveLength(1)
  })

  it('comes with close() during a later leg, whose delivery is unknown', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    await closeClean(rig)
    expect(called.error).toMatchObject({ code: 'CLOSED', delivery: 'unknown' })
  })

  it('comes with close() during the pause, of which no timer is left', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs(undefined, 's'))
    await closeClean(rig)
    expect(called.error).toMatchObject({ code: 'CLOSED' })
    expect(rig.clock.pendingCount).toBe(0)
  })

  it('never calls a leg that waits to be sent again unsent when the client gives up', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1 } })
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const asked = watch(rig.client.getPrompt({ name: 'x' }))
    socket.respond('prompts/get', needs({ k: ELICIT }))
    await settle()
    socket.drop()
    ;(await rig.redial()).drop()
    await settle()
    expect(asked.settled).toBe(true)
    expect((asked.error as { delivery?: string }).delivery).not.toBe('not-sent')
  })

  it('survives a drop while a human thinks: the next leg goes to the new socket', async () => {
    const rig = useClient()
    const { decide, handler } = human()
    rig.client.setRequestHandler('elicitation/create', handler)
    const first = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(first, needs({ k: ELICIT }, 's'))
    first.drop()
    decide()
    const socket = await rig.remodern()
    expect(legs(socket)).toHaveLength(1)
    expect(legs(socket)[0]?.params).toMatchObject({ inputResponses: { k: ACCEPT }, requestState: 's' })
    await respond(socket, DONE)
    expect(called.value).toEqual(DONE)
  })

  it('comes with a drop during a leg of tools/call', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: ELICIT }))
    socket.drop()
    await settle()
    expect(called.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
  })
})

describe('resultType', () => {
  it('complete is a result', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, DONE)
    expect(called.value).toEqual(DONE)
  })

  it('absent is a result', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, { content: [] })
    expect(called.value).toEqual({ content: [] })
  })

  it('of an unknown kind is no result', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, { resultType: 'task', taskId: 1 })
    expect(called.error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE' })
    expect((called.error as Error).message).toContain('task')
  })
})

describe('capabilities.elicitation.form.applyDefaults', () => {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string', default: 'Bob' }, age: { type: 'integer', default: 7 }, mail: { type: 'string' } }
  }
  const elicit = { method: 'elicitation/create', params: { message: 'who?', requestedSchema: schema } }

  it('completes accepted content with the defaults of the schema, in both eras', async () => {
    const rig = useClient({ capabilities: { elicitation: { form: { applyDefaults: true } } } })
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }))
    await respond(socket, needs({ k: elicit }))
    expect(legs(socket)[1]?.params?.inputResponses).toEqual({ k: { action: 'accept', content: { name: 'Ada', age: 7 } } })
    await closeClean(rig)
    const legacy = await rig.legacy()
    legacy.deliver({ jsonrpc: '2.0', id: 1, ...elicit })
    await settle()
    expect(legacy.sent.at(-1)?.result).toEqual({ action: 'accept', content: { name: 'Ada', age: 7 } })
  })

  it('leaves other actions alone, and everything when it is not declared', async () => {
    const rig = useClient({ capabilities: { elicitation: { form: { applyDefaults: true } } } })
    rig.client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }))
    const plain = useClient({ capabilities: { elicitation: { form: {} } } })
    plain.client.setRequestHandler('elicitation/create', () => ACCEPT)
    for (const [{ legacy }, result] of [
      [rig, { action: 'decline' }],
      [plain, ACCEPT]
    ] as const) {
      const socket = await legacy()
      socket.deliver({ jsonrpc: '2.0', id: 1, ...elicit })
      await settle()
      expect(socket.sent.at(-1)?.result).toEqual(result)
    }
  })
})
