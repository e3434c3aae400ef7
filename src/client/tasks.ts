import { McpWebSocketError, ProtocolError, RpcError } from '../errors.js'
import { isObject } from '../lib/is-object.js'
import type { ResultFlow, ResultTypeHandler } from '../types/extensions.js'
import type { Result } from '../types/json-rpc.js'
import type { Task } from '../types/tasks.js'
import type { TaskWatch } from './task-news.js'

/** The `resultType` of a task (extension `io.modelcontextprotocol/tasks`). */
export const TASK = 'task'
/** The extension of 2026-07-28, as capabilities name it. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

// In ms: how long to wait between two looks at a task. The server may say otherwise, within the limits; if it tells of every change, the
// longest wait is enough. Each wait is longer by up to the part `SPREAD`.
const POLL = 1000
const LEAST_POLL = 100
const MOST_POLL = 60_000
const SPREAD = 0.2

/** What {@link finishTask} needs. */
export interface TaskHost {
  /** A number in [0, 1). */
  random(): number
  /** Whether the client has ended, so that there is nothing to wait for. */
  isOver(): boolean
  /** Tells the program where a task is. */
  tell(flow: ResultFlow, task: Task): void
  /** Watches what the server tells of a task, until the watch is closed. */
  watch(taskId: string): TaskWatch
}

/**
 * Waits until a task is over, and gives it what it needs meanwhile. A lost connection only delays it: all that is asked about a task can
 * be asked again. A task of 2025-11-25 keeps its result, and the server's requests to the client, for `tasks/result`.
 * @returns What the request that made the task would have returned.
 * @throws RpcError if the task failed; McpWebSocketError if it was cancelled; ProtocolError if it has no id; what a handler or a request rejects with.
 */
export const finishTask =
  (host: TaskHost): ResultTypeHandler =>
  async (made, flow) => {
    const task = (isObject(made.task) ? made.task : made) as Task
    if (typeof task.taskId !== 'string') throw new ProtocolError('INVALID_RESPONSE', 'the server made a task without an id')
    const watch = host.watch(task.taskId)
    try {
      return await follow(task, flow, host, watch)
    } catch (error) {
      // An abort of the request cancels its task. After `close()` or a timeout the program may come back for it.
      if (flow.options.signal?.aborted) flow.request('tasks/cancel', { taskId: task.taskId }, {}).catch(() => undefined)
      throw error
    } finally {
      watch.close()
    }
  }

async function follow(first: Task, flow: ResultFlow, host: TaskHost, watch: TaskWatch): Promise<unknown> {
  const { taskId } = first
  /**
   * Asks about the task.
   * @returns `undefined` if it has to ask again: the connection was lost, the outbox was full, or a request with `isPatient` timed out.
   */
  const ask = (method: string, more?: object, isPatient = false): Promise<Result | undefined> =>
    flow.request(method, { taskId, ...more }).catch((error: unknown) => {
      const { retryable, code } = (error ?? {}) as Partial<McpWebSocketError>
      if (!retryable || host.isOver() || (code === 'REQUEST_TIMEOUT' && !isPatient)) throw error
      return undefined
    })
  const handled = new Set<string>()
  /** Responses that the server has not confirmed yet. */
  let responses: object | undefined
  let told: unknown
  for (let task: Partial<Task> = first, looks = 0; ; looks++) {
    const { status, statusMessage, inputRequests, error } = task
    const news = `${status ?? ''} ${statusMessage ?? ''}`
    if (status && news !== told) host.tell(flow, task as Task)
    told = news
    if (status === 'cancelled') throw new McpWebSocketError('TASK_CANCELLED', `the task was cancelled: ${statusMessage ?? ''}`)
    if (status === 'failed' && error) throw new RpcError(error.code, error.message, error.data)
    if (status === 'completed' && task.result) return task.result
    const isOver = status === 'completed' || status === 'failed'
    if (isOver || (status === 'input_required' && !inputRequests)) {
      // A human may take longer than any timeout.
      const result = await ask('tasks/result', {}, !isOver)
      if (result !== undefined) return result
    } else if (inputRequests) {
      const fresh = Object.entries(inputRequests).filter(([key]) => !handled.has(key))
      for (const [key] of fresh) handled.add(key)
      if (fresh.length > 0) responses = { ...responses, ...(await flow.respond(Object.fromEntries(fresh))) }
      // Any result confirms them, even `null`.
      if (responses && (await ask('tasks/update', { inputResponses: responses })) !== undefined) responses = undefined
    }
    // A resumed task, of which only the id is known, is looked at at once. Every later look waits, even if requests fail fast.
    if (status || looks > 0) {
      const pause = (watch.isTold ? MOST_POLL : pauseOf(task)) * (1 + host.random() * SPREAD)
      // A task is not looked at more often than this, even if it changes more often.
      await flow.wait(LEAST_POLL)
      await flow.wait(pause - LEAST_POLL, watch.news)
    }
    watch.reset()
    task = (await ask('tasks/get')) ?? task
  }
}

/** Some servers write `null` for what they leave open. */
function pauseOf({ pollIntervalMs, pollInterval }: { readonly pollIntervalMs?: unknown; readonly pollInterval?: unknown }): number {
  return Math.min(MOST_POLL, Math.max(LEAST_POLL, Number(pollIntervalMs ?? pollInterval ?? POLL) || 0))
}
