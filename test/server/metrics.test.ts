import parsePrometheus from 'parse-prometheus-text-format'
import { describe, expect, test } from 'vitest'
import { formatMetrics, Metrics } from '../../src/server/metrics.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { openPeer, upgrade } from './raw-peer.js'
import { useServer } from './use-server.js'

interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly metrics: readonly { readonly value: string; readonly labels?: Readonly<Record<string, string>> }[]
}

/** The value of each sample, as a parser from npm reads the text. */
function samplesOf(text: string): Record<string, number> {
  const families = parsePrometheus(text) as Family[]
  return Object.fromEntries(
    families.flatMap(({ name, metrics }) =>
      metrics.map(({ value, labels }) => [labels ? `${name}{${Object.entries(labels).join()}}` : name, Number(value)] as const)
    )
  )
}

describe('the text of Prometheus', () => {
  test('has the same values as metrics()', async () => {
    const { server, url, port } = await useServer({ maxInFlight: 1, heartbeat: false })
    const { client } = useClient({ url, protocol: 'legacy' })
    await client.connect()
    await client.callTool({ name: 'echo', arguments: { message: 'ü' } })
    await upgrade(port, { target: '/other' })
    await upgrade(port, { headers: { 'Sec-WebSocket-Protocol': undefined } })
    const peer = await openPeer(port)
    peer.send('{')
    await peer.message(({ error }) => error?.code === -32700)
    peer.socket.destroy()
    await until(() => server.metrics().connections === 1, 'the peer has left')
    const all = server.metrics()
    expect(all).toMatchObject({
      connections: 1,
      connectionsTotal: 2,
      handshakesRefused: { 404: 1, 426: 1 },
      requestsInFlight: 0,
      requestsRejected: { busy: 0, duplicate: 0, closing: 0 },
      // initialize, initialized, tools/call
      messagesReceived: 3,
      messagesSent: 3,
      malformedMessages: 1,
      connectionsCut: { heartbeat: 0, 'slow-reader': 0, failed: 0 }
    })
    expect(samplesOf(server.metricsText())).toEqual({
      mcp_websocket_connections: all.connections,
      mcp_websocket_connections_total: all.connectionsTotal,
      'mcp_websocket_handshakes_refused_total{status,404}': 1,
      'mcp_websocket_handshakes_refused_total{status,426}': 1,
      'mcp_websocket_connections_cut_total{reason,heartbeat}': 0,
      'mcp_websocket_connections_cut_total{reason,slow-reader}': 0,
      'mcp_websocket_connections_cut_total{reason,failed}': 0,
      mcp_websocket_requests_in_flight: 0,
      'mcp_websocket_requests_rejected_total{reason,busy}': 0,
      'mcp_websocket_requests_rejected_total{reason,duplicate}': 0,
      'mcp_websocket_requests_rejected_total{reason,closing}': 0,
      mcp_websocket_messages_received_total: all.messagesReceived,
      mcp_websocket_messages_sent_total: all.messagesSent,
      mcp_websocket_received_bytes_total: all.bytesReceived,
      mcp_websocket_sent_bytes_total: all.bytesSent,
      mcp_websocket_malformed_messages_total: 1,
      mcp_websocket_detached_sessions: 0,
      mcp_websocket_sessions_total: 0,
      mcp_websocket_resumes_total: 0,
      'mcp_websocket_resumes_failed_total{reason,expired}': 0,
      'mcp_websocket_resumes_failed_total{reason,unknown}': 0,
      'mcp_websocket_resumes_failed_total{reason,epoch}': 0,
      'mcp_websocket_resumes_failed_total{reason,overflow}': 0,
      'mcp_websocket_resumes_failed_total{reason,stale-generation}': 0,
      'mcp_websocket_resumes_failed_total{reason,principal}': 0,
      'mcp_websocket_resumes_failed_total{reason,protocol}': 0,
      'mcp_websocket_resumes_failed_total{reason,owner-gone}': 0,
      mcp_websocket_store_lost: 0
    })
  })

  test('explains each metric', () => {
    const text = formatMetrics(new Metrics())
    const families = parsePrometheus(text) as Family[]
    expect(families.length).toBe(16)
    for (const { name, type, help } of families) {
      expect(help).toMatch(/\.$/)
      // Prometheus: a counter's name ends with _total.
      expect(type).toBe(name.endsWith('_total') ? 'COUNTER' : 'GAUGE')
    }
    expect(text.endsWith('\n')).toBe(true)
  })
})

test('the numbers are a copy', () => {
  const metrics = new Metrics()
  const before = metrics.snapshot()
  metrics.rejectedUpgrade(404)
  metrics.connections++
  expect([before.connections, before.handshakesRefused]).toEqual([0, {}])
})

test('bytes are those of the payload, in UTF-8', async () => {
  const { server, port } = await useServer({ onconnection: (transport) => transport.start() })
  const peer = await openPeer(port)
  const text = '{"jsonrpc":"2.0","method":"ü"}'
  peer.send(text)
  await until(() => server.metrics().messagesReceived === 1, 'the message')
  expect(server.metrics().bytesReceived).toBe(Buffer.byteLength(text))
})
