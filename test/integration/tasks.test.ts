// Tasks of real servers, through drops and restarts of the program.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import type { JsonRpcMessage, JsonRpcResult, McpWebSocketClientOptions, Params, Task } from '../../src/index.js'
import type { ServerTransport } from '../../src/server/index.js'
import { WebSocketClientTransport } from '../../src/transport/index.js'
import { afterTest } from '../helpers/after-test.js'
import { useLine, type CuttableLine } from '../helpers/cuttable-line.js'
import { until } from '../helpers/until.js'
import { useClient, type Observed } from '../helpers/use-client.js'
import { useServer } from '../server/use-server.js'

const RECONNECT = { initialDelay: 10, maxDelay: 20, maxRetries: Infinity, jitter: false } as const
const DROPS = 10

const optionsFor = ({ url }: CuttableLine, more: Partial<McpWebSocketClientOptions> = {}): McpWebSocketClientOptions => ({
  url,
  reconnect: RECONNECT,
  capabilities: { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
  ...more
})

const textOf = (result: { content?: unknown }): string => (result.content as { text: string }[]).map(({ text }) => text).join('')

/** Cuts the line at every look of the client at its task, for as many times. */
async function cutAtEveryLook(line: CuttableLine, { client }: Observed, times = DROPS): Promise<void> {
  for (let cuts = 0; cuts < times; cuts++) {
    const { reconnects, sent } = client.stats()
    await until(() => client.state === 'ready' && client.stats().sent > sent, 'the client asked')
    line.cut()
    await until(() => client.stats().reconnects > reconnects, 'the client is back')
  }
}

describe('a task server on SDK v1', () => {
  /** A server whose tool works until it is told to end, and asks for a colour first if it is to; all connections share the tasks. */
  async function serve(options: { resume?: boolean } = {}): Promise<{
    line: CuttableLine
    executed: string[]
    /** Whether a tool has what it asked for. */
    answered: () => boolean
    end: () => void
  }> {
    const taskStore = new InMemoryTaskStore()
    const taskMessageQueue = new InMemoryTaskMessageQueue()
    const executed: string[] = []
    const ends: (() => void)[] = []
    afterTest(() => taskStore.cleanup())
    const onconnection = (transport: ServerTransport): Promise<void> => {
      const server = new McpServer(
        { name: 'tasks-v1', version: '1' },
        { capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }, taskStore, taskMessageQueue }
      )
      for (const name of ['work', 'ask'])
        server.experimental.tasks.registerToolTask(
          name,
          { execution: { taskSupport: 'required' } },
          {
            async createTask({ taskStore: store, sendRequest }) {
              const task = await store.createTask({ ttl: 60_000, pollInterval: 100 })
              executed.push(name)
              const finish = async (): Promise<void> => {
                let text = 'done'
                if (name === 'ask') {
                  await store.updateTaskStatus(task.taskId, 'input_required')
                  const params = { message: 'colour?', requestedSchema: { type: 'object' as const, properties: {} } }
                  const { content } = await sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema, {
                    relatedTask: task
                  } as object)
                  text = String(content?.colour)
                  await store.updateTaskStatus(task.taskId, 'working')
                }
                await new Promise<void>((resolve) => ends.push(resolve))
                await store.storeTaskResult(task.taskId, 'completed', { content: [{ type: 'text', text }] })
              }
              // The SDK tells connections of the task that are gone.
              finish().catch(() => undefined)
              return { task }
            },
            getTask: async ({ taskStore: store, taskId }) => store.getTask(taskId),
            getTaskResult: async ({ taskStore: store, taskId }) => store.getTaskResult(taskId) as Promise<{ content: [] }>
          }
        )
      return server.connect(transport)
    }
    const { port } = await useServer({ onconnection, ...(options.resume && { resume: true }) })
    const end = (): void => {
      for (const each of ends) each()
    }
    return { line: await useLine(port), executed, answered: () => ends.length > 0, end }
  }

  test('finishes through ten drops and a restart of the program, executed once', async () => {
    const { line, executed, end } = await serve()
    const first = useClient(optionsFor(line))
    await first.client.connect()
    let taskId = ''
    const called = first.client.callTool({ name: 'work', task: {} }, { ontask: (task) => void (taskId = task.taskId) })
    called.catch(() => undefined)
    await until(() => taskId !== '', 'there is a task')
    await cutAtEveryLook(line, first)
    await first.client.close()
    await expect(called).rejects.toMatchObject({ code: 'CLOSED' })
    const second = useClient(optionsFor(line))
    await second.client.connect()
    const statuses: string[] = []
    const resumed = second.client.resumeTask(taskId, { ontask: ({ status }) => void statuses.push(status) })
    await cutAtEveryLook(line, second, 2)
    end()
    expect(textOf(await resumed)).toBe('done')
    expect(statuses).toEqual(['working', 'completed'])
    expect((await second.client.listTasks()).tasks.map((task) => task.taskId)).toEqual([taskId])
    expect(executed).toEqual(['work'])
  })

  test('gets its input through tasks/result, in a session that survives ten drops', async () => {
    const { line, executed, answered, end } = await serve({ resume: true })
    const observed = useClient(optionsFor(line, { resume: true }))
    const { client } = observed
    let answer = (): void => undefined
    const human = new Promise<void>((resolve) => (answer = resolve))
    let asked = 0
    client.setRequestHandler('elicitation/create', async () => {
      asked++
      await human
      return { action: 'accept', content: { colour: 'red' } }
    })
    await client.connect()
    const called = client.callTool({ name: 'ask', task: {} })
    await until(() => asked === 1, 'the human is asked')
    for (let drop = 0; drop < DROPS; drop++) {
      const { attempts } = client.stats()
      line.cut()
      await until(() => client.stats().attempts > attempts && client.state === 'ready', 'the client is back')
    }
    answer()
    await until(() => answered(), 'the server has the answer')
    end()
    expect(textOf(await called)).toBe('red')
    expect([asked, executed]).toEqual([1, ['ask']])
  })

  test('an abort cancels it, and other programs learn that', async () => {
    const { line } = await serve()
    const { client } = useClient(optionsFor(line))
    const other = useClient(optionsFor(line)).client
    await Promise.all([client.connect(), other.connect()])
    const controller = new AbortController()
    let taskId = ''
    const ontask = (task: Task): void => void (taskId = task.taskId)
    const called = client.callTool({ name: 'work', task: {} }, { signal: controller.signal, ontask })
    called.catch(() => undefined)
    await until(() => taskId !== '', 'there is a task')
    const watched = other.resumeTask(taskId)
    watched.catch(() => undefined)
    controller.abort(new Error('enough'))
    await expect(called).rejects.toThrow('enough')
    await expect(watched).rejects.toMatchObject({ code: 'TASK_CANCELLED' })
    expect(await other.getTask(taskId)).toMatchObject({ status: 'cancelled' })
  })

  test('survives drops below the Client of the SDK, with callToolStream', async () => {
    const { line, executed, end } = await serve()
    const client = new Client({ name: 'v1', version: '1' })
    const transport = new WebSocketClientTransport(line.url, { reconnect: RECONNECT })
    afterTest(() => client.close())
    await client.connect(transport)
    await client.listTools()
    const seen: string[] = []
    let reconnects = 0
    transport.on('reconnected', () => reconnects++)
    for await (const message of client.experimental.tasks.callToolStream({ name: 'work' })) {
      seen.push(message.type)
      if (message.type === 'taskStatus' && reconnects < 3) {
        const before = reconnects
        line.cut()
        await until(() => reconnects > before, 'the transport is back')
      } else if (message.type === 'taskStatus') end()
      if (message.type === 'result') expect(textOf(message.result as { content: unknown })).toBe('done')
    }
    expect(seen.at(-1)).toBe('result')
    expect(executed).toEqual(['work'])
  })
})

describe('server-everything', () => {
  /** One process for all connections; its handshake is made once, as it registers its tools then. */
  async function serve(): Promise<{ line: CuttableLine; answers: JsonRpcMessage[] }> {
    const require = createRequire(import.meta.url)
    const entry = require.resolve('@modelcontextprotocol/server-everything/dist/index.js')
    const child = spawn(process.execPath, [entry, 'stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
    afterTest(() => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill()
      return ended
    })
    const answers: JsonRpcMessage[] = []
    let current: ServerTransport | undefined
    let handshake: JsonRpcResult | undefined
    let initializeId: unknown
    let isInitialized = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as JsonRpcMessage
      if ('result' in message && message.id === initializeId) handshake = message
      current?.send(message).catch(() => undefined)
    })
    const onconnection = (transport: ServerTransport): Promise<void> => {
      current = transport
      transport.onmessage = (message) => {
        const method = 'method' in message ? message.method : undefined
        if (method === undefined) answers.push(message)
        if (method === 'initialize' && handshake) return void transport.send({ ...handshake, id: (message as { id: number }).id })
        if (method === 'notifications/initialized' && isInitialized) return
        if (method === 'initialize') initializeId = (message as { id: number }).id
        isInitialized ||= method === 'notifications/initialized'
        child.stdin.write(`${JSON.stringify(message)}\n`)
      }
      return transport.start()
    }
    const { port } = await useServer({ onconnection })
    return { line: await useLine(port), answers }
  }

  test('finishes its research through ten drops, a restart of the program and a question, executed once', async () => {
    const { line, answers } = await serve()
    const first = useClient(optionsFor(line, { protocol: 'legacy' }))
    await first.client.connect()
    let taskId = ''
    const ontask = (task: Task): void => void (taskId = task.taskId)
    const called = first.client.callTool(
      { name: 'simulate-research-query', arguments: { topic: 'python', ambiguous: true }, task: {} },
      { ontask }
    )
    called.catch(() => undefined)
    await until(() => taskId !== '', 'there is a task')
    const cuts = async ({ client }: Observed, times: number): Promise<void> => {
      for (let cut = 0; cut < times; cut++) {
        const { reconnects } = client.stats()
        line.cut()
        await until(() => client.stats().reconnects > reconnects, 'the client is back')
      }
    }
    await cuts(first, 5)
    await first.client.close()
    const second = useClient(optionsFor(line, { protocol: 'legacy' }))
    let asked = 0
    second.client.setRequestHandler('elicitation/create', () => {
      asked++
      return { action: 'accept', content: { interpretation: 'snake' } }
    })
    await second.client.connect()
    const resumed = second.client.resumeTask(taskId)
    await cuts(second, 3)
    await until(() => answers.length > 0, 'it has its answer')
    await cuts(second, 2)
    expect(textOf(await resumed)).toContain('snake')
    expect(asked).toBe(1)
    expect((await second.client.listTasks()).tasks).toHaveLength(1)
  })
})

describe('a server of the extension', () => {
  type Schema = { parse(value: unknown): unknown }
  type Request = { id: number; method: string; params: Params }

  /**
   * A task server in memory, which reads and writes what the schemas of the extension say.
   * @param tells - It tells those who listen, and wants to be asked once a minute.
   */
  async function serve(tells = false): Promise<{ line: CuttableLine; executed: string[]; finish: () => void; updates: unknown[] }> {
    // Without its types: they do not compile under the settings of this project.
    const name: string = '@modelcontextprotocol/ext-tasks/core/v2'
    const schemas = (await import(name)) as Record<string, Schema>
    const check = (schema: string, value: object): object => {
      expect(schemas[schema], schema).toBeDefined()
      schemas[schema]?.parse(value)
      return value
    }
    const tasks = new Map<string, Record<string, unknown>>()
    const executed: string[] = []
    const updates: unknown[] = []
    const listeners = new Map<string, { transport: ServerTransport; _meta: object }>()
    const now = new Date().toISOString()
    const respond = ({ method, params }: Request): object => {
      const task = tasks.get(String(params.taskId))
      if (method === 'server/discover')
        return {
          resultType: 'complete',
          supportedVersions: ['2026-07-28'],
          capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
        }
      if (method === 'tools/call') {
        expect(
          schemas.ClientTaskCapabilityEnvelopeV2Schema?.parse(params._meta?.['io.modelcontextprotocol/clientCapabilities'])
        ).toBeDefined()
        executed.push(String(params.name))
        const made = {
          taskId: `task-${String(executed.length)}`,
          status: 'working',
          createdAt: now,
          lastUpdatedAt: now,
          ttlMs: null,
          pollIntervalMs: tells ? 60_000 : 100
        }
        tasks.set(made.taskId, made)
        return check('CreateTaskResultV2Schema', { resultType: 'task', ...made })
      }
      if (!task) throw Object.assign(new Error('no such task'), { code: -32602 })
      if (method === 'tasks/get') return check('GetTaskResultV2Schema', { resultType: 'complete', ...task })
      if (method === 'tasks/update') {
        updates.push(params.inputResponses)
        const { inputRequests: _answered, ...rest } = task
        tasks.set(String(params.taskId), { ...rest, status: 'working' })
      } else tasks.set(String(params.taskId), { ...task, status: 'cancelled' })
      return { resultType: 'complete' }
    }
    const onconnection = (transport: ServerTransport): Promise<void> => {
      transport.onmessage = (message) => {
        if (!('id' in message) || !('method' in message)) return
        const request = message as Request
        if (tells && request.method === 'subscriptions/listen') {
          const { notifications = {} } = request.params as { notifications?: { taskIds?: string[] } }
          check('TaskSubscriptionNotificationsV2Schema', notifications)
          const _meta = { 'io.modelcontextprotocol/subscriptionId': request.id }
          for (const taskId of notifications.taskIds ?? []) listeners.set(taskId, { transport, _meta })
          const acknowledged = { method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications } }
          void transport.send({ jsonrpc: '2.0', ...acknowledged })
          return
        }
        const schema = { 'tasks/get': 'GetTask', 'tasks/update': 'UpdateTask', 'tasks/cancel': 'CancelTask' }[request.method]
        if (schema) check(`${schema}RequestV2Schema`, request)
        try {
          void transport.send({ jsonrpc: '2.0', id: request.id, result: respond(request) } as JsonRpcMessage)
        } catch (error) {
          const { code = -32603, message: words } = error as { code?: number; message: string }
          void transport.send({ jsonrpc: '2.0', id: request.id, error: { code, message: words } })
        }
      }
      return transport.start()
    }
    const { port } = await useServer({ onconnection })
    const tell = (taskId: string): void => {
      const { transport, _meta } = listeners.get(taskId) ?? {}
      const message = { jsonrpc: '2.0' as const, method: 'notifications/tasks', params: { _meta, ...tasks.get(taskId) } }
      check('TaskStatusNotificationV2Schema', message)
      void transport?.send(message as JsonRpcMessage)
    }
    const finish = (): void => {
      for (const [id, task] of tasks) {
        tasks.set(
          id,
          task.status === 'working' && updates.length > 0
            ? { ...task, status: 'completed', result: { content: [{ type: 'text', text: 'done' }] } }
            : {
                ...task,
                status: 'input_required',
                inputRequests: {
                  colour: {
                    method: 'elicitation/create',
                    params: { message: 'colour?', requestedSchema: { type: 'object', properties: {} } }
                  }
                }
              }
        )
        if (tells) tell(id)
      }
    }
    return { line: await useLine(port), executed, finish, updates }
  }

  test('finishes through ten drops, a restart of the program and a question, executed once', async () => {
    const { line, executed, finish, updates } = await serve()
    const first = useClient(optionsFor(line))
    await first.client.connect()
    expect(first.client.era).toBe('modern')
    let taskId = ''
    const called = first.client.callTool({ name: 'work' }, { ontask: (task) => void (taskId = task.taskId) })
    called.catch(() => undefined)
    await until(() => taskId !== '', 'there is a task')
    await cutAtEveryLook(line, first)
    await first.client.close()
    const second = useClient(optionsFor(line))
    let asked = 0
    second.client.setRequestHandler('elicitation/create', () => {
      asked++
      return { action: 'accept', content: { colour: 'red' } }
    })
    await second.client.connect()
    const resumed = second.client.resumeTask(taskId)
    finish()
    await until(() => updates.length === 1, 'it has its input')
    await cutAtEveryLook(line, second, 2)
    finish()
    expect(textOf(await resumed)).toBe('done')
    expect([asked, executed, updates]).toEqual([1, ['work'], [{ colour: { action: 'accept', content: { colour: 'red' } } }]])
  })

  test('that tells of its tasks need not be asked, after drops either', async () => {
    const { line, executed, finish, updates } = await serve(true)
    const observed = useClient(optionsFor(line))
    const { client } = observed
    const acknowledged: Params[] = []
    client.setNotificationHandler('notifications/subscriptions/acknowledged', ({ params }) => void acknowledged.push(params))
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { colour: 'red' } }))
    await client.connect()
    const called = client.callTool({ name: 'work' })
    await until(() => acknowledged.length === 1, 'the server tells of the task')
    for (let drops = 1; drops <= DROPS; drops++) {
      line.cut()
      await until(() => acknowledged.length === drops + 1, 'the server tells of it again')
    }
    finish()
    await until(() => updates.length === 1, 'it has its input')
    finish()
    expect(textOf(await called)).toBe('done')
    expect(executed).toEqual(['work'])
    expect(client.pendingCount).toBe(0)
  })

  test('says that it does not know a task, and cancels one that is given up', async () => {
    const { line } = await serve()
    const { client } = useClient(optionsFor(line))
    await client.connect()
    await expect(client.resumeTask('none')).rejects.toMatchObject({ rpcCode: -32602 })
    const controller = new AbortController()
    let taskId = ''
    const ontask = (task: Task): void => {
      taskId = task.taskId
      controller.abort(new Error('enough'))
    }
    await expect(client.callTool({ name: 'work' }, { signal: controller.signal, ontask })).rejects.toThrow('enough')
    await expect(client.resumeTask(taskId)).rejects.toMatchObject({ code: 'TASK_CANCELLED' })
  })
})
