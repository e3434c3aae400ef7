/*
 * The layer `otel` is the entry `./otel`: traces and metrics of OpenTelemetry. It uses only public members of the client (the middleware,
 * the option `onsent` and the event `state`), and does not import it. conventions.ts knows the names; this file makes spans.
 */
import {
  context,
  metrics,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type Meter,
  type Span,
  type SpanOptions,
  type Tracer
} from '@opentelemetry/api'
import type { Closure } from '../errors.js'
import type { ClientRequest, Middleware, ServerRequest } from '../types/extensions.js'
import type { SentRequest } from '../types/options.js'
import { LISTEN } from '../wire/methods.js'
import {
  BOUNDARIES,
  CLIENT_DURATION,
  describe,
  describeError,
  describeResult,
  PROTOCOL_VERSION,
  REQUEST_ID,
  SERVER_DURATION,
  type Description,
  type Failure
} from './conventions.js'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Makes the spans. Default: that of the global provider. */
  readonly tracer?: Tracer | undefined
  /** Makes the metrics. Default: that of the global provider. */
  readonly meter?: Meter | undefined
}

/** A change of the connection, as far as spans tell it. */
export interface ConnectionChange {
  /** The state that was entered. */
  readonly to: string
  /** Number of the dial under way or to come. */
  readonly attempt?: number | undefined
  /** Time until the next dial, in ms. */
  readonly delay?: number | undefined
  /** What ended the connection or the dial. */
  readonly closure?: Closure | undefined
}

/** The members of `McpWebSocketClient` that {@link instrument} needs. */
export interface InstrumentedClient {
  /** Where the server is, without secrets. */
  readonly url: string | undefined
  /** The version that was agreed. */
  readonly protocolVersion: string | undefined
  /** Puts middleware around the requests of the program. */
  use(middleware: Middleware): () => void
  /** Puts middleware around the handlers of the server's requests. */
  useForServerRequests(middleware: Middleware<ServerRequest>): () => void
  /** Registers a listener. */
  on(event: 'state', listener: (change: ConnectionChange) => void): unknown
  /** Removes it. */
  off(event: 'state', listener: (change: ConnectionChange) => void): unknown
}

/** A request under way. */
interface Operation {
  readonly span: Span
  readonly description: Description
  readonly duration: Histogram
}

const NAME = 'mcp-websocket-client'

/**
 * Traces a client: a span and a point of a histogram for each request, as OpenTelemetry's conventions for MCP name them. The trace context
 * travels in `params._meta` (SEP-414), by the propagator that the program has set, so that a server can go on with the trace; and the
 * handlers of the server's requests go on with the server's.
 *
 * A span ends with its request, and has an event for each change of the connection meanwhile. A request that is sent again gets a further
 * span, which is linked to the first. `subscriptions/listen` has no span, as it lasts as long as the connection.
 * @returns Stops it.
 * @example
 * ```ts
 * import { McpWebSocketClient } from 'mcp-websocket-client'
 * import { instrument } from 'mcp-websocket-client/otel'
 *
 * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws' })
 * instrument(client)
 * ```
 */
export function instrument(client: InstrumentedClient, options: InstrumentOptions = {}): () => void {
  const { tracer = trace.getTracer(NAME), meter = metrics.getMeter(NAME) } = options
  const tracing = new Tracing(client, tracer, meter)
  const stopRequests = client.use(tracing.request)
  const stopHandlers = client.useForServerRequests(tracing.handler)
  client.on('state', tracing.onState)
  return () => {
    stopRequests()
    stopHandlers()
    client.off('state', tracing.onState)
  }
}

class Tracing {
  readonly #client: InstrumentedClient
  readonly #tracer: Tracer
  readonly #requests: Histogram
  readonly #handlers: Histogram
  /** Spans that have not ended. */
  readonly #open = new Set<Span>()

  constructor(client: InstrumentedClient, tracer: Tracer, meter: Meter) {
    this.#client = client
    this.#tracer = tracer
    const histogram = (name: string): Histogram =>
      meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: BOUNDARIES } })
    this.#requests = histogram(CLIENT_DURATION)
    this.#handlers = histogram(SERVER_DURATION)
  }

  readonly request: Middleware = (request, next) => {
    if (request.method === LISTEN) return next(request)
    const { params, options } = request
    const operation = this.#start(request, { kind: SpanKind.CLIENT }, context.active(), this.#requests)
    const own = trace.setSpan(context.active(), operation.span)
    const _meta = { ...params?._meta }
    propagation.inject(own, _meta)
    const onsent = (sent: SentRequest): unknown => {
      this.#noteSent(operation, own, sent)
      return options.onsent?.(sent)
    }
    return this.#finish(operation, own, () => next({ ...request, params: { ...params, _meta }, options: { ...options, onsent } }))
  }

  readonly handler: Middleware<ServerRequest> = (request, next) => {
    const parent = propagation.extract(context.active(), request.params?._meta ?? {})
    const attributes = { [REQUEST_ID]: String(request.context.requestId) }
    const operation = this.#start(request, { kind: SpanKind.SERVER, attributes }, parent, this.#handlers)
    return this.#finish(operation, trace.setSpan(parent, operation.span), () => next(request))
  }

  readonly onState = ({ to, attempt, delay, closure }: ConnectionChange): void => {
    const attributes = { attempt, delay, 'closure.kind': closure?.kind, 'closure.code': closure?.code ?? closure?.status }
    for (const span of this.#open) span.addEvent(`connection ${to}`, attributes)
  }

  #start({ method, params }: ClientRequest | ServerRequest, options: SpanOptions, parent: Context, duration: Histogram): Operation {
    const description = describe(method, params, this.#client.url)
    const attributes = { ...description.attributes, ...description.details, ...options.attributes }
    const span = this.#tracer.startSpan(description.name, { ...options, attributes }, parent)
    this.#open.add(span)
    return { span, description, duration }
  }

  /** A flow of several requests has one span, and the id of the last one. */
  #noteSent({ span, description: { name, attributes } }: Operation, own: Context, { id, resent }: SentRequest): void {
    const idOnWire = { [REQUEST_ID]: String(id) }
    if (!resent) return void span.setAttributes(idOnWire)
    const links = [{ context: span.spanContext() }]
    // Ended at once, because it only marks the moment: the response ends the first span.
    this.#tracer.startSpan(`${name} resent`, { kind: SpanKind.CLIENT, attributes: { ...attributes, ...idOnWire }, links }, own).end()
  }

  async #finish({ span, description, duration }: Operation, own: Context, run: () => Promise<unknown>): Promise<unknown> {
    const startedAt = performance.now()
    let failure: Failure | undefined
    try {
      const result = await context.with(own, run)
      failure = describeResult(result)
      return result
    } catch (error) {
      failure = describeError(error)
      throw error
    } finally {
      const outcome: Attributes = { [PROTOCOL_VERSION]: this.#client.protocolVersion, ...failure?.attributes }
      if (failure) span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message })
      span.setAttributes(outcome).end()
      this.#open.delete(span)
      // The context of the caller is back by now: exemplars have to lead to this span.
      duration.record((performance.now() - startedAt) / 1000, { ...description.attributes, ...outcome }, own)
    }
  }
}
