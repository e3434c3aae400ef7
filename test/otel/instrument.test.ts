import { context, propagation, SpanKind, SpanStatusCode, trace, type Context, type Meter } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { McpWebSocketServer } from '../../src/server/index.js'
import { instrument } from '../../src/otel/index.js'
import { afterTest } from '../helpers/after-test.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { hold, useServer } from '../server/use-server.js'

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
})
afterAll(() => {
  context.disable()
  propagation.disable()
})

/** The real SDK of OpenTelemetry, which keeps what it gets. */
function useTelemetry() {
  const spans = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer('test')
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  const meters = new MeterProvider({ readers: [reader] })
  afterTest(() => meters.shutdown())
  const named = (name: string): ReadableSpan => {
    const span = spans.getFinishedSpans().find((each) => each.name === name)
    if (!span)
      throw new Error(
        `no span ${name} among ${spans
          .getFinishedSpans()
          .map((each) => each.name)
          .join(', ')}`
      )
    return span
  }
  const points = async (): Promise<{ name: string; attributes: object; count: number }[]> => {
    await reader.forceFlush()
    const [metrics] = exporter.getMetrics().slice(-1)
    return (metrics?.scopeMetrics ?? []).flatMap(({ metrics: all }) =>
      all.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({ name: descriptor.name, attributes, count: (value as { count: number }).count }))
      )
    )
  }
  return { spans, tracer, meter: meters.getMeter('test'), named, points }
}

const text = (value: string) => ({ content: [{ type: 'text', text: value }] })

describe('a trace', () => {
  it('crosses the wire: it begins in the agent, goes through the call and the handler of the server, and back into ours', async () => {
    const telemetry = useTelemetry()
    const { tracer } = telemetry
    const server = new McpWebSocketServer({
      allowUnauthenticated: true,
      onconnection: (transport) => {
        transport.onmessage = (message) => {
          if (!('method' in message && 'id' in message)) return
          const { id, method, params } = message
          if (method === 'initialize') {
            const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
            void transport.send({ jsonrpc: '2.0', id, result })
          } else if (method === 'tools/call') {
            // What an instrumented MCP server does.
            const parent = propagation.extract(context.active(), params?._meta ?? {})
            const span = tracer.startSpan('the server runs echo', { kind: SpanKind.SERVER }, parent)
            const _meta = {}
            propagation.inject(trace.setSpan(parent, span), _meta)
            void transport.send({ jsonrpc: '2.0', id: 7, method: 'roots/list', params: { _meta } })
            span.end()
            void transport.send({ jsonrpc: '2.0', id, result: text('hi') })
          }
        }
        void transport.start()
      }
    })
    await server.listen()
    afterTest(() => server.close({ grace: 0 }))
    const port = server.address()?.port ?? 0
    const { client } = useClient({ url: `ws://127.0.0.1:${String(port)}/ws`, protocol: 'legacy', capabilities: { roots: {} } })
    instrument(client, telemetry)
    let wasActive: string | undefined
    client.setRequestHandler('roots/list', () => {
      wasActive = trace.getActiveSpan()?.spanContext().traceId
      return { roots: [] }
    })
    await client.connect()
    const agent = tracer.startSpan('the agent')
    await context.with(trace.setSpan(context.active(), agent), () => client.callTool({ name: 'echo', arguments: { message: 'hi' } }))
    agent.end()
    await until(() => telemetry.spans.getFinishedSpans().length === 4, 'the span of roots/list')
    const [own, theirs, roots] = [
      telemetry.named('tools/call echo'),
      telemetry.named('the server runs echo'),
      telemetry.named('roots/list')
    ]
    expect([own.parentSpanContext?.spanId, theirs.parentSpanContext?.spanId, roots.parentSpanContext?.spanId]).toEqual([
      agent.spanContext().spanId,
      own.spanContext().spanId,
      theirs.spanContext().spanId
    ])
    const { traceId } = agent.spanContext()
    expect(wasActive).toBe(traceId)
    for (const span of [own, theirs, roots]) expect(span.spanContext().traceId).toBe(traceId)
    expect(own).toMatchObject({
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'echo',
        'gen_ai.operation.name': 'execute_tool',
        'mcp.protocol.version': '2025-11-25',
        'network.protocol.name': 'websocket',
        'server.address': '127.0.0.1',
        'server.port': port,
        'jsonrpc.request.id': expect.stringMatching(/^\d+$/) as string
      }
    })
    expect(roots).toMatchObject({ kind: SpanKind.SERVER, attributes: { 'mcp.method.name': 'roots/list', 'jsonrpc.request.id': '7' } })
  })
})

describe('a request that fails', () => {
  it('has an error type in its span and in the metric, and keeps its other context', async () => {
    const telemetry = useTelemetry()
    const { url } = await useServer()
    const { client } = useClient({ url })
    instrument(client, telemetry)
    await client.connect()
    const failed = await client.callTool({ name: 'fail' }).catch((error: unknown) => error)
    expect(failed).toBeDefined()
    await rejectionOf(client.request('no/such'))
    expect(telemetry.named('no/such')).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: expect.any(String) as string },
      attributes: { 'error.type': '-32601', 'rpc.response.status_code': '-32601' }
    })
    const points = await telemetry.points()
    expect(points.map(({ name, count }) => [name, count])).toEqual([
      ['mcp.client.operation.duration', 1],
      ['mcp.client.operation.duration', 1]
    ])
    expect(points[1]?.attributes).toMatchObject({
      'mcp.method.name': 'no/such',
      'error.type': '-32601',
      'mcp.protocol.version': '2026-07-28'
    })
    expect(points[1]?.attributes).not.toHaveProperty('jsonrpc.request.id')
  })
})

test('the duration of a request is recorded in the context of its span, to which exemplars lead', async () => {
  const telemetry = useTelemetry()
  const { url } = await useServer()
  const { client } = useClient({ url })
  const recordedIn: (string | undefined)[] = []
  const record = (_value: number, _attributes: unknown, own: Context = context.active()): void =>
    void recordedIn.push(trace.getSpanContext(own)?.spanId)
  instrument(client, { ...telemetry, meter: { createHistogram: () => ({ record }) } as unknown as Meter })
  await client.connect()
  await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  expect(recordedIn).toEqual([telemetry.named('tools/call echo').spanContext().spanId])
})

describe('a request whose connection breaks', () => {
  it('tells what happened to the connection, and links the resent request to the first', async () => {
    const telemetry = useTelemetry()
    const held: ReturnType<typeof hold>[] = []
    const { url, transports } = await useServer({
      onconnection: (transport) => {
        const each = hold(transport)
        const { onmessage } = transport
        transport.onmessage = (message, extra) => {
          if (!('method' in message && message.method === 'initialize' && 'id' in message)) return onmessage?.(message, extra)
          const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } }
          void transport.send({ jsonrpc: '2.0', id: message.id, result })
        }
        held.push(each)
      }
    })
    const { client } = useClient({ url, protocol: 'legacy', reconnect: { initialDelay: 100 } })
    const sent: boolean[] = []
    instrument(client, telemetry)
    await client.connect()
    const call = client.request('hold', {}, { resend: true, onsent: ({ resent }) => void sent.push(resent) })
    await until(() => held[0]!.ids.length === 1, 'the request')
    await transports[0]!.close()
    await until(() => held[1]?.ids.length === 1, 'the second request')
    await held[1]!.release(held[1]!.ids[0]!)
    await call
    expect(sent).toEqual([false, true])
    const [first, second] = [telemetry.named('hold'), telemetry.named('hold resent')]
    expect(second.links.map(({ context: { spanId } }) => spanId)).toEqual([first.spanContext().spanId])
    expect(second.attributes['jsonrpc.request.id']).toBe(first.attributes['jsonrpc.request.id'])
    expect(first.events.map(({ name }) => name)).toEqual([
      'connection waiting',
      'connection connecting',
      'connection initializing',
      'connection ready'
    ])
    expect(first.events[0]?.attributes).toMatchObject({ attempt: 2, 'closure.kind': 'close', 'closure.code': 1000 })
  })
})

describe('instrument', () => {
  it('is undone by what it returns, and leaves subscriptions alone', async () => {
    const telemetry = useTelemetry()
    const { url } = await useServer()
    const { client } = useClient({ url })
    const stop = instrument(client, telemetry)
    await client.connect()
    const subscription = await client.listen({ toolsListChanged: true })
    subscription.close()
    await subscription.closed
    stop()
    await client.listTools()
    expect(telemetry.spans.getFinishedSpans()).toEqual([])
  })

  it('works without a provider: nothing is sent anywhere, and calls go on', async () => {
    const { url } = await useServer()
    const { client } = useClient({ url })
    instrument(client)
    await client.connect()
    expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  })
})
