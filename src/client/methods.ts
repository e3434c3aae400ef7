import { ProtocolError } from '../errors.js'
import type { Era } from '../session/agreement.js'
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

// More pages than any real list has: a server that goes on for ever must not eat the client.
const MOST_PAGES = 1000

/** The methods of MCP that a client calls, as thin as they can be; parameters and results as in the official SDK. */
export abstract class McpMethods {
  /** Era of the server, once known. */
  abstract get era(): Era | undefined

  /** Sends any request. */
  abstract request<R = Result>(method: string, params?: Params, options?: RequestOptions): Promise<R>

  /** Sends any notification. */
  abstract notify(method: string, params?: Params): Promise<void>

  /** Asks the server for a sign of life; servers of the modern era, which know no `ping`, are asked `server/discover`. */
  ping(options?: RequestOptions): Promise<Result> {
    return this.request(this.era === 'modern' ? 'server/discover' : 'ping', undefined, options)
  }

  /** Asks what the server can do (MCP 2026-07-28). */
  discover(options?: RequestOptions): Promise<DiscoverResult> {
    return this.request('server/discover', undefined, options)
  }

  /** All tools, or with a cursor one page of them. */
  listTools(params?: PageParams, options?: RequestOptions): Promise<ListToolsResult> {
    return this.#list('tools', params, options)
  }

  /** Calls a tool. A tool that fails resolves with `isError: true`; what rejects is a failed call. */
  callTool(params: CallToolParams, options?: RequestOptions): Promise<CallToolResult> {
    return this.request('tools/call', params, options)
  }

  /** All resources, or with a cursor one page of them. */
  listResources(params?: PageParams, options?: RequestOptions): Promise<ListResourcesResult> {
    return this.#list('resources', params, options)
  }

  /** All resource templates, or with a cursor one page of them. */
  listResourceTemplates(params?: PageParams, options?: RequestOptions): Promise<ListResourceTemplatesResult> {
    return this.#list('resourceTemplates', params, options, 'resources/templates/list')
  }

  readResource(params: ReadResourceParams, options?: RequestOptions): Promise<ReadResourceResult> {
    return this.request('resources/read', params, options)
  }

  /** All prompts, or with a cursor one page of them. */
  listPrompts(params?: PageParams, options?: RequestOptions): Promise<ListPromptsResult> {
    return this.#list('prompts', params, options)
  }

  getPrompt(params: GetPromptParams, options?: RequestOptions): Promise<GetPromptResult> {
    return this.request('prompts/get', params, options)
  }

  /** Asks for completions of an argument of a prompt or a resource template. */
  complete(params: CompleteParams, options?: RequestOptions): Promise<CompleteResult> {
    return this.request('completion/complete', params, options)
  }

  /** Tells the server that the roots changed (legacy era only). */
  sendRootsListChanged(): Promise<void> {
    return this.notify('notifications/roots/list_changed')
  }

  async #list<R extends Result>(
    key: string,
    params: PageParams | undefined,
    options: RequestOptions | undefined,
    method: string = `${key}/list`
  ): Promise<R> {
    const items: unknown[] = []
    // The last page names no cursor; one that came before leads in a circle: what is there to see has been seen.
    const seen = new Set<unknown>([undefined, null])
    for (let next = params; ;) {
      const page = await this.request<R>(method, next, options)
      // An empty cursor is a cursor too (MCP 2026-07-28, server/utilities/pagination).
      if (params?.cursor !== undefined) return page
      const { nextCursor, [key]: found, ...rest } = page
      // `{}` and `null` are how some servers say "none"; with other members the list is somewhere else (DevMesh sends it in pieces).
      const strange = Object.keys(rest).filter((name) => name !== '_meta' && name !== 'resultType')
      if (found === undefined && strange.length > 0)
        throw new ProtocolError('INVALID_RESPONSE', `${method} was answered without "${key}", but with ${strange.join(', ').slice(0, 200)}`)
      if (Array.isArray(found)) for (const item of found) items.push(item)
      if (seen.has(nextCursor)) return { ...rest, [key]: items } as unknown as R
      if (seen.size > MOST_PAGES)
        throw new ProtocolError('INVALID_RESPONSE', `${method} has no end`, { hint: 'Fetch single pages with { cursor }.' })
      seen.add(nextCursor)
      next = { ...params, cursor: nextCursor as string }
    }
  }
}
