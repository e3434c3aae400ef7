import type { ResumeFailure } from '../wire/resume-frames.js'
import type { CutReason, RejectReason, ServerMetrics } from './types.js'

/** What one server counts. The members are mutable numbers, because they change with every message. */
export class Metrics implements ServerMetrics {
  connections = 0
  connectionsTotal = 0
  requestsInFlight = 0
  messagesReceived = 0
  messagesSent = 0
  bytesReceived = 0
  bytesSent = 0
  malformedMessages = 0
  detachedSessions = 0
  sessionsTotal = 0
  resumesTotal = 0
  storeLost = 0
  readonly handshakesRefused: Record<number, number> = {}
  readonly requestsRejected: Record<RejectReason, number> = { busy: 0, duplicate: 0, closing: 0 }
  readonly connectionsCut: Record<CutReason, number> = { heartbeat: 0, 'slow-reader': 0, failed: 0 }
  readonly resumesFailed: Record<ResumeFailure, number> = {
    expired: 0,
    unknown: 0,
    epoch: 0,
    overflow: 0,
    'stale-generation': 0,
    principal: 0,
    protocol: 0,
    'owner-gone': 0
  }

  /** Counts a rejected upgrade by its HTTP status. */
  rejectedUpgrade(status: number): void {
    this.handshakesRefused[status] = (this.handshakesRefused[status] ?? 0) + 1
  }

  /** A copy, which does not change any more. */
  snapshot(): ServerMetrics {
    return structuredClone<ServerMetrics>(this)
  }
}

type Metric = readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  value: (metrics: ServerMetrics) => number | Readonly<Record<string, number>>,
  label?: string
]

const METRICS: readonly Metric[] = [
  ['connections', 'gauge', 'Connections that are open.', (all) => all.connections],
  ['connections_total', 'counter', 'Connections that were accepted.', (all) => all.connectionsTotal],
  ['handshakes_refused_total', 'counter', 'Rejected upgrades, by HTTP status.', (all) => all.handshakesRefused, 'status'],
  ['connections_cut_total', 'counter', 'Connections that the server cut.', (all) => all.connectionsCut, 'reason'],
  ['requests_in_flight', 'gauge', 'Requests of clients that wait for a response.', (all) => all.requestsInFlight],
  ['requests_rejected_total', 'counter', 'Requests that no MCP server saw.', (all) => all.requestsRejected, 'reason'],
  ['messages_received_total', 'counter', 'JSON-RPC messages from clients.', (all) => all.messagesReceived],
  ['messages_sent_total', 'counter', 'JSON-RPC messages to clients.', (all) => all.messagesSent],
  ['received_bytes_total', 'counter', 'Payload from clients, in bytes.', (all) => all.bytesReceived],
  ['sent_bytes_total', 'counter', 'Payload to clients, in bytes.', (all) => all.bytesSent],
  [
    'malformed_messages_total',
    'counter',
    'Frames, or elements of arrays, that were not JSON-RPC messages.',
    (all) => all.malformedMessages
  ],
  ['detached_sessions', 'gauge', 'Sessions whose client is away.', (all) => all.detachedSessions],
  ['sessions_total', 'counter', 'Resumable sessions that began.', (all) => all.sessionsTotal],
  ['resumes_total', 'counter', 'Clients that got their session back.', (all) => all.resumesTotal],
  ['resumes_failed_total', 'counter', 'Clients that did not get their session back.', (all) => all.resumesFailed, 'reason'],
  ['store_lost', 'gauge', 'Whether the store of sessions cannot be reached: 1 if so.', (all) => all.storeLost]
]

/** The metrics in Prometheus' text format 0.0.4. Every name begins with `mcp_websocket_`. No label needs escaping: all are constants. */
export function formatMetrics(metrics: ServerMetrics): string {
  const lines = METRICS.flatMap(([suffix, type, help, valueOf, label = '']) => {
    const name = `mcp_websocket_${suffix}`
    const value = valueOf(metrics)
    const samples =
      typeof value === 'number'
        ? [`${name} ${String(value)}`]
        : Object.entries(value).map(([word, count]) => `${name}{${label}="${word}"} ${String(count)}`)
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples]
  })
  return `${lines.join('\n')}\n`
}
