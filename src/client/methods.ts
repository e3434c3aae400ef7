import { ProtocolError } from '../errors.js'
import { checkCall } from '../rpc/rpc-peer.js'
import type { ClientStats } from '../types/client.js'
import type { PageParams, Params, Result } from '../types/json-rpc.js'
import type { DiscoverResult } from '../types/modern.js'
import type { RequestOptions } from '../types/options.js'
import type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  ReadResourceParams,
  ReadResourceResult
} from '../types/server-features.js'
import type { ListTasksResult, Task, UpdateTaskParams } from '../types/tasks.js'
import { isRequestId, jsonOf } from '../wire/json-rpc.js'
import { CALL_TOOL, DISCOVER, ROOTS_LIST_CHANGED } from '../wire/methods.js'
import { isSchema, sdkForm } from './calls.js'
import type { OutputSchemas } from './output-schemas.js'

// More pages than any real list has: a server that goes on for ever must not eat the client's memory.
const MOST_PAGES = 1000
// How often a list is begun, if the connection breaks between its pages.
const MOST_TRIES = 3

/** The methods of MCP that a client calls. Parameters and results have the shapes of the official SDK. */
export abstract class McpMethods {
  /** The schemas of what tools return; `undefined` without the option `validateOutput`. */
  protected outputs: OutputSchemas | undefined

  /** Sends any request. */
  abstract request<R = Result>(method: string, params?: Params, options?: RequestOptions): Promise<R>

  /** Sends any notification. */
  abstract notify(method: string, params?: Params): Promise<void>

  /** Counts since the client was made, as a copy. */
  abstract stats(): ClientStats

  /** Sends a request that is one of several. @param endsAt - When `maxTotalTimeout`, which bounds all of them, is over. */
  protected abstract send<R>(method: string, params: Params | undefined, options: RequestOptions | undefined, endsAt?: number): Promise<R>

  /** When the options' `maxTotalTimeout` is over, if it counts from now; in ms of the clock. */
  protected abstract endOf(options: RequestOptions | undefined): number | undefined

  /** Asks what the server can do. Source: MCP 2026-07-28, server/discover. */
  discover(options?: RequestOptions): Promise<DiscoverResult> {
    return this.request(DISCOVER, undefined, options)
  }

  /**
   * Lists the tools: all of them, or with a cursor one page.
   * @example
   * ```ts
   * const { tools } = await client.listTools()
   * ```
   */
  listTools(params?: PageParams, options?: RequestOptions): Promise<ListToolsResult> {
    const { outputs } = this
    const listed = this.#list<ListToolsResult>('tools', params, options)
    // Without `outputs` the promise is returned as it is: `then` would cost a microtask.
    return outputs ? listed.then((list) => (outputs.note(list, params?.cursor === undefined), list)) : listed
  }

  /**
   * Calls a tool. If the tool fails, the promise resolves with `isError: true`; it rejects if the call itself fails.
   * @typeParam T - What `structuredContent` is, if there is any; see the option `validateOutput`.
   * @throws As {@link request}; ProtocolError if the result breaks the schema of the tool, with the option `validateOutput`.
   * @example
   * ```ts
   * const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hi' } }, { timeout: 30_000 })
   * ```
   */
  callTool<T = unknown>(params: CallToolParams, options?: RequestOptions): Promise<CallToolResult<T>>
  callTool(params: CallToolParams, options?: RequestOptions, ...more: unknown[]): Promise<CallToolResult> {
    // In v1 of the official SDK a schema comes before the options, which would be ignored here.
    if (more[0] !== undefined || isSchema(options)) return Promise.reject(sdkForm('callTool', 'params, options'))
    return this.outputs ? this.#checked(params, this.outputs, options) : this.request(CALL_TOOL, params, options)
  }

  /** Lists the resources: all of them, or with a cursor one page. */
  listResources(params?: PageParams, options?: RequestOptions): Promise<ListResourcesResult> {
    return this.#list('resources', params, options)
  }

  /** Lists the templates of resources: all of them, or with a cursor one page. */
  listResourceTemplates(params?: PageParams, options?: RequestOptions): Promise<ListResourceTemplatesResult> {
    return this.#list('resourceTemplates', params, options, 'resources/templates/list')
  }

  /** Reads a resource. */
  readResource(params: ReadResourceParams, options?: RequestOptions): Promise<ReadResourceResult> {
    return this.request('resources/read', params, options)
  }

  /** Lists the prompts: all of them, or with a cursor one page. */
  listPrompts(params?: PageParams, options?: RequestOptions): Promise<ListPromptsResult> {
    return this.#list('prompts', params, options)
  }

  /** Gets a prompt, filled in with arguments. */
  getPrompt(params: GetPromptParams, options?: RequestOptions): Promise<GetPromptResult> {
    return this.request('prompts/get', params, options)
  }

  /** Asks for completions of an argument of a prompt or of a resource template. */
  complete(params: CompleteParams, options?: RequestOptions): Promise<CompleteResult> {
    return this.request('completion/complete', params, options)
  }

  /** Asks where a task is. */
  getTask(taskId: string, options?: RequestOptions): Promise<Task> {
    return this.request('tasks/get', { taskId }, options)
  }

  /** Lists the tasks (2025-11-25 only): all of them, or with a cursor one page. */
  listTasks(params?: PageParams, options?: RequestOptions): Promise<ListTasksResult> {
    return this.#list('tasks', params, options)
  }

  /** Gives a task up. @returns In 2025-11-25 the task; in the extension nothing of interest. */
  cancelTask(taskId: string, options?: RequestOptions): Promise<Result> {
    return this.request('tasks/cancel', { taskId }, options)
  }

  /** Gives a task its input (extension of 2026-07-28). @param inputResponses - Under the keys of the task's `inputRequests`. */
  updateTask(taskId: string, inputResponses: UpdateTaskParams['inputResponses'], options?: RequestOptions): Promise<Result> {
    return this.request('tasks/update', { taskId, inputResponses }, options)
  }

  /** Tells the server that the roots changed (legacy era only). @throws TypeError without `roots: { listChanged: true }` in `capabilities`. */
  sendRootsListChanged(): Promise<void> {
    return this.notify(ROOTS_LIST_CHANGED)
  }

  async #checked(params: CallToolParams, outputs: OutputSchemas, options: RequestOptions | undefined): Promise<CallToolResult> {
    checkCall(CALL_TOOL, params, options)
    const { name } = params
    const endsAt = this.endOf(options)
    // Before the call: a list that fails afterwards would cost the result of the call.
    if (!outputs.knows(name)) await this.listTools(undefined, { ...options, onprogress: undefined, resend: undefined })
    const check = outputs.checkOf(name)
    const result = await this.send<CallToolResult>(CALL_TOOL, params, options, endsAt)
    check(result)
    return result
  }

  async #list<R extends Result>(
    key: string,
    params: PageParams | undefined,
    options: RequestOptions | undefined,
    method: string = `${key}/list`
  ): Promise<R> {
    checkCall(method, params, options)
    if (params?.cursor !== undefined) return this.request(method, params, options)
    const endsAt = this.endOf(options)
    for (let tries = 1; ; tries++) {
      const { reconnects } = this.stats()
      const isSameSession = (): boolean => this.stats().reconnects === reconnects || tries === MOST_TRIES
      const ask = (page: PageParams | undefined): Promise<R> => this.send(method, page, options, endsAt)
      const list = await listAll(key, method, params, ask, isSameSession)
      if (list) return list
    }
  }
}

/**
 * Asks for one page after the other.
 * @param isSameSession - Whether the connection is the one on which the list began: a cursor belongs to its session.
 * @returns The whole list; `undefined` if the connection broke between two pages, so that the list has to start anew.
 */
async function listAll<R extends Result>(
  key: string,
  method: string,
  params: PageParams | undefined,
  ask: (params: PageParams | undefined) => Promise<R>,
  isSameSession: () => boolean
): Promise<R | undefined> {
  const pages: unknown[][] = []
  // If a cursor comes a second time, the server goes round in a circle: all pages have been seen.
  const seen = new Set<string>()
  for (let next = params; ;) {
    const page = await ask(next).catch((error: unknown) => {
      if (pages.length === 0 || isSameSession()) throw error
      return undefined
    })
    if (pages.length > 0 && !isSameSession()) return undefined
    // Middleware may resolve with anything.
    const { nextCursor, [key]: found, ...rest } = page ?? ({} as R)
    const items = itemsOf(found, rest, key, method)
    // The last page has no cursor, or an empty one. Some servers number their pages, so a number is a cursor too; anything else is none.
    const cursor = (isRequestId(nextCursor) ? nextCursor : '') as string
    const repeats = seen.has(cursor)
    // A server that ignores cursors sends the first page again and again.
    if (!repeats || !pages.some((before) => jsonOf(before) === jsonOf(items))) pages.push(items)
    if (repeats || !cursor) return { ...rest, [key]: pages.flat() } as unknown as R
    if (seen.size >= MOST_PAGES)
      throw new ProtocolError(
        'INVALID_RESPONSE',
        `${method} never ends: a page after ${String(MOST_PAGES)} others still names a next one`,
        { hint: 'Fetch single pages with { cursor }.' }
      )
    seen.add(cursor)
    next = { ...params, cursor }
  }
}

/** The items of a page. Some servers write an empty list as `{}` or `null`; with other members the list is somewhere else. */
function itemsOf(found: unknown, rest: object, key: string, method: string): unknown[] {
  const strange = Object.keys(rest).filter((name) => name !== '_meta' && name !== 'resultType')
  // Some servers send a list in pieces, as notifications: see docs/interop.md.
  if (found === undefined && strange.length > 0)
    throw new ProtocolError(
      'INVALID_RESPONSE',
      `the response to ${method} came without "${key}", but with ${strange.join(', ').slice(0, 200)}`
    )
  return Array.isArray(found) ? (found as unknown[]) : []
}
