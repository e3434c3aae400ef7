import { describe, expect, it, vi } from 'vitest'
import type { RequestOptions, Task } from '../../src/index.js'
import { settle } from '../helpers/fake-clock.js'
import { becomeModern, type FakeSocket } from '../helpers/fake-network.js'
import { watch, type Outcome } from '../helpers/watch.js'
import { closeClean, useClient, type Rig } from './use-client.js'

const CAPABILITIES = { elicitation: {}, roots: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
const ELICIT = { method: 'elicitation/create', params: { message: 'name?', requestedSchema: { type: 'object', properties: {} } } }
const ACCEPT = { action: 'accept' as const, content: { name: 'Ada' } }
const RESULT = { content: [{ type: 'text', text: 'done' }] }

const task = (changes: object = {}): object => ({ taskId: 't', status: 'working', pollIntervalMs: 1000, pollInterval: 1000, ...changes })

const useTasks = (changes: object = {}): Rig => useClient({ capabilities: CAPABILITIES, heartbeat: false, ...changes })

/** Waits for the next look at the task, and responds. */
async function look(rig: Rig, socket: FakeSocket, changes: object): Promise<void> {
  await rig.clock.advance(1200)
  socket.respond('tasks/get', { resultType: 'complete', ...task(changes) })
  await settle()
}

/** A call that the server made a task of. */
async function begin(rig: Rig, options?: RequestOptions, changes?: object): Promise<{ socket: FakeSocket; called: Outcome<unknown> }> {
  const socket = await rig.modern()
  const called = watch(rig.client.callTool({ name: 'x' }, options))
  socket.respond('tools/call', { resultType: 'task', ...task(changes) })
  await settle()
  return { socket, called }
}

/** The same in 2025-11-25, where the program asks for a task. */
async function beginLegacy(rig: Rig, options?: RequestOptions): Promise<{ socket: FakeSocket; called: Outcome<unknown> }> {
  const socket = await rig.legacy()
  const called = watch(rig.client.callTool({ name: 'x', task: { ttl: 1 } }, options))
  socket.respond('tools/call', { task: task() })
  await settle()
  return { socket, called }
}

const count = (socket: FakeSocket, method: string): number => socket.methods.filter((each) => each === method).length

describe('a task of the extension', () => {
  it('is finished by callTool, which returns the result of the tool', async () => {
    const rig = useTasks()
    const statuses: string[] = []
    const { socket, called } = await begin(rig, { ontask: ({ taskId, status }) => void statuses.push(`${taskId} ${status}`) })
    expect(statuses).toEqual(['t working'])
    await look(rig, socket, { statusMessage: 'half' })
    await look(rig, socket, { statusMessage: 'half' })
    expect(called.settled).toBe(false)
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(called.value).toEqual(RESULT)
    expect(statuses).toEqual(['t working', 't working', 't completed'])
    expect(socket.asked('tasks/get').params).toMatchObject({ taskId: 't' })
    expect(count(socket, 'tools/call')).toBe(1)
  })

  it.each([
    [{ pollIntervalMs: 5000 }, 5000],
    [{ pollIntervalMs: 1 }, 100],
    [{ pollIntervalMs: 1e9 }, 60_000],
    [{ pollIntervalMs: 'soon' }, 100],
    [{ pollIntervalMs: undefined, pollInterval: undefined }, 1000],
    [{ pollIntervalMs: null, pollInterval: null }, 1000]
  ])('is looked at as often as the server says, within limits: %j', async (changes, ms) => {
    const rig = useTasks()
    const { socket } = await begin(rig, {}, changes)
    await rig.clock.advance(ms - 1)
    expect(count(socket, 'tasks/get')).toBe(0)
    await rig.clock.advance(ms * 0.2 + 1)
    expect(count(socket, 'tasks/get')).toBe(1)
  })

  it('gets its input from the handlers, for each key once', async () => {
    const rig = useTasks()
    const handler = vi.fn(() => ACCEPT)
    rig.client.setRequestHandler('elicitation/create', handler)
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const { socket, called } = await begin(rig)
    await look(rig, socket, { status: 'input_required', inputRequests: { a: ELICIT } })
    expect(socket.asked('tasks/update').params).toMatchObject({ taskId: 't', inputResponses: { a: ACCEPT } })
    socket.respond('tasks/update', { resultType: 'complete' })
    await settle()
    await look(rig, socket, { status: 'input_required', inputRequests: { a: ELICIT } })
    expect(count(socket, 'tasks/update')).toBe(1)
    await look(rig, socket, { status: 'input_required', inputRequests: { a: ELICIT, b: { method: 'roots/list' } } })
    expect(socket.asked('tasks/update').params?.inputResponses).toEqual({ b: { roots: [] } })
    socket.respond('tasks/update', { resultType: 'complete' })
    await settle()
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(called.value).toEqual(RESULT)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('gets its input once, also where the server confirms it by null', async () => {
    const rig = useTasks()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const { socket, called } = await begin(rig, {}, { status: 'input_required', inputRequests: { a: ELICIT } })
    socket.respond('tasks/update', null)
    await settle()
    await look(rig, socket, { status: 'working', inputRequests: {} })
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect([called.value, count(socket, 'tasks/update')]).toEqual([RESULT, 1])
  })

  it('rejects with the error of a task that failed, and when it was cancelled', async () => {
    const rig = useTasks()
    const { socket, called } = await begin(rig)
    await look(rig, socket, { status: 'failed', error: { code: -32603, message: 'boom', data: 1 } })
    expect(called.error).toMatchObject({ name: 'RpcError', rpcCode: -32603, message: 'boom', data: 1 })
    const other = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', { resultType: 'task', ...task({ status: 'cancelled', statusMessage: 'enough' }) })
    await settle()
    expect(other.error).toMatchObject({ code: 'TASK_CANCELLED', message: 'the task was cancelled: enough' })
  })

  it('that has no id is no task, and one that was not declared is no result', async () => {
    const rig = useTasks()
    const { called } = await begin(rig, {}, { taskId: 7 })
    expect(called.error).toMatchObject({ code: 'INVALID_RESPONSE' })
    const undeclared = useClient()
    const other = await begin(undeclared)
    expect(other.called.error).toMatchObject({ code: 'INVALID_RESPONSE' })
  })

  it('may come after a multi round trip', async () => {
    const rig = useTasks()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', { resultType: 'input_required', inputRequests: { k: ELICIT } })
    await settle()
    socket.respond('tools/call', { resultType: 'task', ...task() })
    await settle()
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(called.value).toEqual(RESULT)
  })

  it('reports progress until it is over', async () => {
    const rig = useTasks()
    const seen: number[] = []
    const { socket, called } = await begin(rig, { onprogress: ({ progress }) => void seen.push(progress), resetTimeoutOnProgress: true })
    const { progressToken } = (socket.asked('tools/call').params?._meta ?? {}) as { progressToken?: string }
    const tell = (progress: number): void =>
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } })
    tell(1)
    await look(rig, socket, {})
    tell(2)
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(called.value).toEqual(RESULT)
    tell(3)
    await settle()
    expect(seen).toEqual([1, 2])
    expect(rig.errors).toEqual([])
  })

  it('is handed out as it is, if the program wants that', async () => {
    const rig = useTasks()
    rig.client.acceptResultType('task', (result) => Promise.resolve(result))
    const { called } = await begin(rig)
    expect(called.value).toMatchObject({ resultType: 'task', taskId: 't' })
  })
})

describe('a task of 2025-11-25', () => {
  it('is finished by callTool, if the program asks for a task', async () => {
    const rig = useTasks()
    const statuses: string[] = []
    const { socket, called } = await beginLegacy(rig, { ontask: ({ status }) => void statuses.push(status) })
    expect(socket.asked('tools/call').params?.task).toEqual({ ttl: 1 })
    await look(rig, socket, {})
    await look(rig, socket, { status: 'completed' })
    socket.respond('tasks/result', RESULT)
    await settle()
    expect(called.value).toEqual(RESULT)
    expect(statuses).toEqual(['working', 'completed'])
  })

  it('is declared by capabilities.tasks too; without it the program has the task', async () => {
    const rig = useTasks({ capabilities: { tasks: {} } })
    const { socket, called } = await beginLegacy(rig)
    await look(rig, socket, { status: 'completed' })
    socket.respond('tasks/result', RESULT)
    await settle()
    expect(called.value).toEqual(RESULT)
    const plain = await beginLegacy(useClient())
    expect(plain.called.value).toEqual({ task: task() })
  })

  it('leaves results alone that only look like one', async () => {
    const rig = useTasks()
    const socket = await rig.legacy()
    const called = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', { content: [], task: { taskId: 1 } })
    const asked = watch(rig.client.request('acme/task'))
    socket.respond('acme/task', { task: { taskId: 1 } })
    await settle()
    expect(called.value).toEqual({ content: [], task: { taskId: 1 } })
    expect(asked.value).toEqual({ task: { taskId: 1 } })
  })

  it('is asked for its result while it needs input, which comes as a request of the server', async () => {
    const rig = useTasks()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const { socket, called } = await beginLegacy(rig, { timeout: 5000 })
    await look(rig, socket, { status: 'input_required' })
    socket.deliver({ jsonrpc: '2.0', id: 1, ...ELICIT })
    await settle()
    expect(socket.sent.at(-1)).toMatchObject({ id: 1, result: ACCEPT })
    // A wait for the human that takes too long is only begun again.
    await rig.clock.advance(5000)
    await look(rig, socket, { status: 'input_required' })
    expect(count(socket, 'tasks/result')).toBe(2)
    socket.respond('tasks/result', RESULT)
    await settle()
    expect(called.value).toEqual(RESULT)
  })

  it('that failed rejects, or returns, as its result does', async () => {
    const rig = useTasks()
    const { socket, called } = await beginLegacy(rig)
    await look(rig, socket, { status: 'failed' })
    socket.respondError('tasks/result', -32000, 'boom')
    await settle()
    expect(called.error).toMatchObject({ rpcCode: -32000 })
  })

  it('whose result is null is over', async () => {
    const rig = useTasks()
    const { socket, called } = await beginLegacy(rig)
    await look(rig, socket, { status: 'completed' })
    socket.respond('tasks/result', null)
    await settle()
    expect([called.settled, called.value]).toEqual([true, null])
  })

  it('whose result does not come in time rejects', async () => {
    const rig = useTasks()
    const { socket, called } = await beginLegacy(rig, { timeout: 3000 })
    await look(rig, socket, { status: 'completed' })
    await rig.clock.advance(3000)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tasks/result' })
  })
})

describe('a drop in the middle of a task', () => {
  it('loses nothing, however many there are, and the tool is called once', async () => {
    const rig = useTasks()
    const { socket, called } = await begin(rig)
    let current = socket
    let calls = count(socket, 'tools/call')
    for (let drop = 0; drop < 10; drop++) {
      await rig.clock.advance(1200)
      current.drop()
      current = await rig.remodern()
      calls += count(current, 'tools/call')
    }
    expect(called.settled).toBe(false)
    await rig.clock.advance(1200)
    current.respond('tasks/get', task({ status: 'completed', result: RESULT }))
    await settle()
    expect(called.value).toEqual(RESULT)
    expect(calls).toBe(1)
  })

  it('asks no human again when the response was lost', async () => {
    const rig = useTasks()
    const handler = vi.fn(() => ACCEPT)
    rig.client.setRequestHandler('elicitation/create', handler)
    const { socket, called } = await begin(rig)
    await look(rig, socket, { status: 'input_required', inputRequests: { a: ELICIT } })
    expect(count(socket, 'tasks/update')).toBe(1)
    socket.drop()
    const next = await rig.remodern()
    await look(rig, next, { status: 'input_required', inputRequests: { a: ELICIT } })
    expect(next.asked('tasks/update').params?.inputResponses).toEqual({ a: ACCEPT })
    next.respond('tasks/update', {})
    await settle()
    await look(rig, next, { status: 'completed', result: RESULT })
    expect(called.value).toEqual(RESULT)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('does not repeat what is too large', async () => {
    const rig = useTasks()
    rig.client.setRequestHandler('elicitation/create', () => ACCEPT)
    const { socket, called } = await begin(rig)
    await look(rig, socket, { status: 'input_required', inputRequests: { a: ELICIT } })
    socket.drop({ code: 1009 })
    await settle()
    expect(called.error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })

  it('ends the call when the client gives up', async () => {
    const rig = useTasks({ reconnect: false })
    const { socket, called } = await begin(rig)
    await rig.clock.advance(1200)
    socket.drop()
    await settle()
    expect(called.settled).toBe(true)
    expect(called.error).toMatchObject({ code: 'CONNECTION_LOST' })
  })
})

describe('a server that tells of its tasks', () => {
  const FILTER = { taskIds: ['t'] }

  /** Grants what was listened for, or a part of it. */
  function acknowledge(socket: FakeSocket, notifications: object = FILTER): void {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': socket.asked('subscriptions/listen').id }
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications } })
  }
  const tell = (socket: FakeSocket, taskId = 't', method = 'notifications/tasks'): void =>
    socket.deliver({ jsonrpc: '2.0', method, params: { taskId, status: 'working' } })

  /** The client listens, and has looked once at the task since. */
  async function listening(): Promise<{ rig: Rig; socket: FakeSocket; called: Outcome<unknown> }> {
    const rig = useTasks()
    const { socket, called } = await begin(rig)
    expect(socket.asked('subscriptions/listen').params).toMatchObject({ notifications: FILTER })
    acknowledge(socket)
    await settle()
    await rig.clock.advance(100)
    socket.respond('tasks/get', task())
    await settle()
    expect(count(socket, 'tasks/get')).toBe(1)
    return { rig, socket, called }
  }

  it('is asked when it tells of a change, and otherwise once a minute', async () => {
    const { rig, socket, called } = await listening()
    await rig.clock.advance(59_000)
    expect(count(socket, 'tasks/get')).toBe(1)
    tell(socket, 'another')
    await settle()
    expect(count(socket, 'tasks/get')).toBe(1)
    tell(socket)
    await settle()
    expect(count(socket, 'tasks/get')).toBe(2)
    socket.respond('tasks/get', task())
    await settle()
    await rig.clock.advance(72_000)
    expect(count(socket, 'tasks/get')).toBe(3)
    socket.respond('tasks/get', task({ status: 'completed', result: RESULT }))
    await settle()
    expect(called.value).toEqual(RESULT)
    expect(socket.asked('notifications/cancelled').params?.requestId).toBe(socket.asked('subscriptions/listen').id)
    expect(rig.client.pendingCount).toBe(0)
  })

  it('is asked ten times a second at most, and never misses what it told meanwhile', async () => {
    const { rig, socket } = await listening()
    await rig.clock.advance(100)
    tell(socket)
    await settle()
    expect(count(socket, 'tasks/get')).toBe(2)
    tell(socket)
    socket.respond('tasks/get', task())
    await settle()
    await rig.clock.advance(99)
    expect(count(socket, 'tasks/get')).toBe(2)
    await rig.clock.advance(1)
    expect(count(socket, 'tasks/get')).toBe(3)
  })

  it('is asked after a reconnect as soon as it listens again', async () => {
    const { rig, socket } = await listening()
    socket.drop()
    const next = await rig.remodern()
    await rig.clock.advance(100)
    expect(count(next, 'tasks/get')).toBe(0)
    acknowledge(next)
    await settle()
    expect(count(next, 'tasks/get')).toBe(1)
  })

  it('is asked as often as it says when it ends the subscription', async () => {
    const { rig, socket } = await listening()
    socket.respond('subscriptions/listen', {})
    // The end counts when the connection outlives it for a second: see decision 0009.
    await rig.clock.advance(1000)
    expect(count(socket, 'tasks/get')).toBe(2)
    await look(rig, socket, {})
    await look(rig, socket, {})
    expect(count(socket, 'tasks/get')).toBe(3)
  })

  it.each([
    ['refuses', (socket: FakeSocket) => socket.respondError('subscriptions/listen', -32601)],
    ['grants nothing of', (socket: FakeSocket) => acknowledge(socket, {})]
  ])('if it %s the subscription, is asked as often as it says, and not to tell again', async (_how, respond) => {
    const rig = useTasks()
    const { socket } = await begin(rig)
    respond(socket)
    await settle()
    await look(rig, socket, {})
    await look(rig, socket, {})
    expect(count(socket, 'tasks/get')).toBeGreaterThanOrEqual(2)
    void rig.client.resumeTask('other').catch(() => undefined)
    await settle()
    expect(count(socket, 'subscriptions/listen')).toBe(1)
  })

  it('in 2025-11-25 tells of its own accord', async () => {
    const rig = useTasks()
    const { socket } = await beginLegacy(rig)
    await rig.clock.advance(100)
    tell(socket, 't', 'notifications/tasks/status')
    await settle()
    expect(count(socket, 'tasks/get')).toBe(1)
    expect(socket.methods).not.toContain('subscriptions/listen')
  })

  it('does so unknown to the middleware of the program', async () => {
    const rig = useTasks()
    const seen: string[] = []
    rig.client.use((request, next) => {
      seen.push(request.method)
      return next(request)
    })
    const { socket } = await begin(rig)
    expect(socket.methods).toContain('subscriptions/listen')
    expect(seen).toEqual(['tools/call'])
  })
})

describe('the limits of a task', () => {
  it('maxTotalTimeout bounds the whole, and leaves the task to be resumed', async () => {
    const rig = useTasks()
    const { socket, called } = await begin(rig, { maxTotalTimeout: 500 })
    await rig.clock.advance(500)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tools/call', timeout: 500 })
    await settle()
    expect(socket.methods).not.toContain('tasks/cancel')
  })

  it('timeout bounds each look', async () => {
    const rig = useTasks()
    const { called } = await begin(rig, { timeout: 300 })
    await rig.clock.advance(1600)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tasks/get', timeout: 300 })
  })

  it('an abort cancels the task', async () => {
    const rig = useTasks()
    const controller = new AbortController()
    const { socket, called } = await begin(rig, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await settle()
    expect(called.error).toBe(controller.signal.reason)
    expect(socket.asked('tasks/cancel').params).toMatchObject({ taskId: 't' })
    socket.respondError('tasks/cancel', -32602)
    await settle()
    expect(rig.errors).toEqual([])
  })

  it('close() leaves the task to be resumed', async () => {
    const rig = useTasks()
    const { socket, called } = await begin(rig)
    await closeClean(rig)
    expect(called.error).toMatchObject({ code: 'CLOSED' })
    expect(socket.methods).not.toContain('tasks/cancel')
  })
})

describe('resumeTask', () => {
  it('finishes a task of an earlier program, which it looks at at once', async () => {
    const rig = useTasks()
    const statuses: Task[] = []
    const socket = await rig.modern()
    const resumed = watch(rig.client.resumeTask('t', { ontask: (each) => void statuses.push(each) }))
    await rig.clock.advance(1)
    socket.respond('tasks/get', task())
    await settle()
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(resumed.value).toEqual(RESULT)
    expect(statuses.map(({ status }) => status)).toEqual(['working', 'completed'])
  })

  it('works in 2025-11-25 and without a declaration, and goes through middleware', async () => {
    const rig = useClient({ heartbeat: false })
    const seen = vi.fn()
    rig.client.use((request, next) => {
      seen(request)
      return next(request)
    })
    const socket = await rig.legacy()
    const resumed = watch(rig.client.resumeTask('t'))
    await rig.clock.advance(1)
    socket.respond('tasks/get', task({ status: 'completed' }))
    await settle()
    socket.respond('tasks/result', RESULT)
    await settle()
    expect(resumed.value).toEqual(RESULT)
    expect(seen).toHaveBeenCalledExactlyOnceWith({ method: 'tasks/result', params: { taskId: 't' }, options: {} })
  })

  it('rejects for a task that the server does not know, and sends nothing for a signal that has fired', async () => {
    const rig = useTasks()
    const socket = await rig.modern()
    const resumed = watch(rig.client.resumeTask('t'))
    await rig.clock.advance(1)
    socket.respondError('tasks/get', -32602)
    await settle()
    expect(resumed.error).toMatchObject({ rpcCode: -32602 })
    await expect(rig.client.resumeTask('t', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    expect(socket.methods).not.toContain('tasks/cancel')
  })

  it.each([
    ['its only failure, if it never retries', false, 'CONNECTION_LOST'],
    ['the end of its retries', { maxRetries: 0 }, 'RETRIES_EXHAUSTED']
  ])('of a client that has failed rejects with %s', async (_what, reconnect, code) => {
    const rig = useTasks({ reconnect })
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).drop({ kind: 'network', code: undefined })
    await settle()
    expect(connected.error).toMatchObject({ code, retryable: true })
    const resumed = watch(rig.client.resumeTask('t'))
    await settle()
    expect(resumed.error).toMatchObject({ code })
  })

  it('looks again after a while when the look itself finds no room', async () => {
    const rig = useTasks({ outbox: false })
    const connected = watch(rig.client.connect())
    const resumed = watch(rig.client.resumeTask('t'))
    await settle()
    const socket = await becomeModern(rig.network)
    expect([connected.settled, resumed.settled, count(socket, 'tasks/get')]).toEqual([true, false, 0])
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(resumed.value).toEqual(RESULT)
  })

  it('looks no more often at a task that the server says nothing of', async () => {
    const rig = useTasks()
    const socket = await rig.modern()
    const resumed = watch(rig.client.resumeTask('t'))
    await rig.clock.advance(1)
    socket.respond('tasks/get', {})
    await rig.clock.advance(999)
    expect(count(socket, 'tasks/get')).toBe(1)
    await look(rig, socket, { status: 'completed', result: RESULT })
    expect(resumed.value).toEqual(RESULT)
  })
})

describe('the methods for tasks', () => {
  it('ask what they are named for', async () => {
    const rig = useTasks()
    const socket = await rig.legacy()
    const got = watch(rig.client.getTask('t'))
    const listed = watch(rig.client.listTasks())
    const cancelled = watch(rig.client.cancelTask('t'))
    const updated = watch(rig.client.updateTask('t', { k: ACCEPT }))
    expect(socket.sent.slice(-4).map(({ method, params }) => [method, params])).toEqual([
      ['tasks/get', { taskId: 't' }],
      ['tasks/list', undefined],
      ['tasks/cancel', { taskId: 't' }],
      ['tasks/update', { taskId: 't', inputResponses: { k: ACCEPT } }]
    ])
    socket.respond('tasks/get', task())
    socket.respond('tasks/list', { tasks: [task()] })
    socket.respond('tasks/cancel', task({ status: 'cancelled' }))
    socket.respond('tasks/update', {})
    await settle()
    expect(got.value).toEqual(task())
    expect(listed.value?.tasks).toEqual([task()])
    expect(cancelled.value).toEqual(task({ status: 'cancelled' }))
    expect(updated.value).toEqual({})
  })
})
