// What a program that extends the client writes: middleware, and what to do with results of other types.

import type { RequestContext } from './client.js'
import type { Params, Result } from './json-rpc.js'
import type { RequestOptions } from './options.js'

/** A request of the program, as middleware sees it. To change it, hand another one to `next`; this one stays as it is. */
export interface ClientRequest {
  /** The method, for example `tools/call`. */
  readonly method: string
  /** The params, without what the client adds to `_meta` when it sends them. */
  readonly params?: Params | undefined
  /** The options of the request. */
  readonly options: RequestOptions
}

/** A request of the server, as middleware sees it. */
export interface ServerRequest {
  /** The method, for example `tools/call`. */
  readonly method: string
  /** The params, as they came. */
  readonly params?: Params | undefined
  /** What the handler gets beside the request. */
  readonly context: RequestContext
}

/**
 * A function around every request of the program, or around every handler of the server's requests.
 * @param request - The request, as the middleware before this one handed it on.
 * @param next - Goes on with the request, or with another one in its place; it may be called more than once, or not at all.
 * @returns The result, or another one in its place. What it throws rejects the request.
 *
 * @example
 * ```ts
 * const withTrace: Middleware = ({ params, ...request }, next) =>
 *   next({ ...request, params: { ...params, _meta: { ...params?._meta, traceparent: currentTraceparent() } } })
 * ```
 */
export type Middleware<R = ClientRequest> = (request: R, next: (request: R) => Promise<unknown>) => Promise<unknown>

/** Goes on with a request whose result is not the last word. */
export interface ResultFlow {
  /** Method of the request. */
  readonly method: string
  /** Its params as they were sent, whatever the program did to its object meanwhile. */
  readonly params: Params
  /** Its options. */
  readonly options: RequestOptions
  /**
   * Sends a request that belongs to the flow: `timeout` bounds each, `maxTotalTimeout` all of them.
   * @returns The result as it came, of whatever type.
   * @param options - Default: those of the flow; for another method only `timeout`, `maxTotalTimeout`, `signal` and `onsent` of them.
   */
  request(method: string, params?: Params, options?: RequestOptions): Promise<Result>
  /**
   * Runs the handlers for requests that came within a result.
   * @param inputRequests - The requests under the keys of the server.
   * @returns The results under the same keys.
   */
  respond(inputRequests: object): Promise<Record<string, unknown>>
  /**
   * Waits. Rejects when the request is given up, the client is closed, or `maxTotalTimeout` is over.
   * @param ms - How long, at most.
   * @param sooner - Ends the wait when it settles.
   */
  wait(ms: number, sooner?: Promise<void>): Promise<void>
}

/**
 * Called with a result of one `resultType`.
 * @returns What the caller of the request gets. If it is another result, its type is looked at again; the same result is returned as it is.
 */
export type ResultTypeHandler = (result: Result, flow: ResultFlow) => Promise<unknown>
