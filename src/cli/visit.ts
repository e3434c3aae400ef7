import { McpWebSocketClient, type McpWebSocketClientOptions, type RequestOptions, type Task } from '../index.js'
import { VERSION } from '../version.js'
import { askUser, inTurn } from './ask.js'
import { describeChange } from './connection-status.js'
import { construct, endedBy } from './failure.js'
import { connectionOptions, type ConnectionFlags } from './flags.js'
import type { Io } from './io.js'
import { printableLine } from './printable.js'
import { hasColours, painter, Status } from './terminal.js'

/** The flags of the commands that ask a server something. */
export interface VisitFlags extends ConnectionFlags {
  /** Whether to print the result as JSON. */
  readonly json?: boolean | undefined
  /** How long a request may take, in ms. */
  readonly timeout?: number | undefined
  /** How often to dial again. */
  readonly retries?: number | undefined
  /** The era of MCP. */
  readonly protocol: 'auto' | 'legacy' | 'modern'
}

/** A client that is connected, with what a command needs beside it. */
export interface Visit {
  /** Connected. */
  readonly client: McpWebSocketClient
  /** Aborted by a signal such as Ctrl-C, with the Failure that ends the command. */
  readonly signal: AbortSignal
  /** For every request of the command. */
  readonly request: RequestOptions
  /** Standard error. */
  readonly status: Status
}

/** How often a command dials again, if no flag says: enough for a server that is just starting. */
const RETRIES = 3

/**
 * Connects, lets the command do its work, and closes. A signal aborts the work, so that the server hears of it.
 * @param onVisit - Called before `connect`, because notifications may come at once.
 * @throws What the work throws, and a Failure after a signal.
 */
export async function visit(
  io: Io,
  url: string,
  flags: VisitFlags,
  work: (visit: Visit) => Promise<void>,
  onVisit?: (client: McpWebSocketClient, status: Status) => void
): Promise<void> {
  const status = new Status(io.stderr)
  const interrupted = new AbortController()
  const client = makeClient(io, url, flags, status)
  const endListening = io.onSignal((name) => interrupted.abort(endedBy(name, 'interrupted')))
  const { signal } = interrupted
  try {
    onVisit?.(client, status)
    await client.connect({ signal })
    const onprogress: RequestOptions['onprogress'] = (report) => status.progress(report)
    const ontask: RequestOptions['ontask'] = (task) => status.line(describeTask(task))
    const request = { signal, ontask, ...(io.stderr.isTTY === true && { onprogress, resetTimeoutOnProgress: true }) }
    await work({ client, signal, status, request })
  } finally {
    status.clear()
    endListening()
    await client.close()
  }
}

/** A task in one line. */
export const describeTask = ({ taskId, status, statusMessage }: Task): string =>
  printableLine(`task ${taskId}: ${status}${statusMessage === undefined ? '' : `, ${statusMessage}`}`)

function makeClient(io: Io, url: string, flags: VisitFlags, status: Status): McpWebSocketClient {
  // Questions need a person at a terminal.
  const asks = io.stdin.isTTY === true && io.stderr.isTTY === true
  const options: McpWebSocketClientOptions = {
    ...connectionOptions(flags, io.env),
    url,
    protocol: flags.protocol,
    clientInfo: { name: 'mcp-ws', version: VERSION },
    reconnect: { maxRetries: flags.retries ?? RETRIES },
    ...(flags.timeout !== undefined && { requestTimeout: flags.timeout }),
    capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} }, ...(asks && { elicitation: { form: {}, url: {} } }) }
  }
  const client = construct(() => new McpWebSocketClient(options))
  const paint = painter(hasColours(io.stderr, io.env))
  client.on('state', (change) => {
    const words = describeChange(change, flags.verbose === true)
    if (words !== undefined) status.line(paint(change.to === 'waiting' ? 'yellow' : 'dim', words))
  })
  client.on('error', (error) => {
    if (flags.verbose) status.line(paint('yellow', printableLine(error.message)))
  })
  const ask = inTurn((params: Parameters<typeof askUser>[1], signal: AbortSignal) => {
    status.clear()
    return askUser(io, params, signal)
  })
  if (asks) client.setRequestHandler('elicitation/create', ({ params }, { signal }) => ask(params, signal))
  return client
}
