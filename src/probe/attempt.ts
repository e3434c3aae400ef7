import { McpWebSocketClient } from '../client/client.js'
import { parseText } from '../wire/json-rpc.js'
import type { ProbeChange, ProbedServer, ProbeOptions } from './types.js'

/** How one attempt ended. */
export type Outcome =
  | { readonly ok: true; readonly server: ProbedServer }
  | { readonly ok: false; readonly error: unknown; readonly malformed: string | undefined }

const LONGEST_START = 60

/** The beginning of a text that is not a message; `undefined` if it is one. */
function startOfMalformed(text: string): string | undefined {
  const problems: string[] = []
  parseText(
    text,
    () => undefined,
    ({ problem }) => problems.push(problem)
  )
  return problems.length > 0 ? text.slice(0, LONGEST_START) : undefined
}

/** How long an attempt may take, in ms. */
export interface Limits {
  /** Each of its steps. */
  readonly timeout: number
  /** Its dial; at most `timeout`. */
  readonly connectTimeout: number
}

/** Connects a client as a program would, looks at the server, and closes. */
export async function attempt(url: URL, options: ProbeOptions, change: ProbeChange, limits: Limits, resume = false): Promise<Outcome> {
  const { timeout, connectTimeout } = limits
  const { auth, headers, tls, agent, signal } = options
  const offer = change.subprotocols ? undefined : (change.offer ?? options.offer)
  let malformed: string | undefined
  const client = new McpWebSocketClient({
    url: change.url ?? url,
    auth: auth && { ...auth, via: change.via ?? auth.via },
    headers,
    tls,
    agent,
    offer,
    subprotocols: offer ? undefined : (change.subprotocols ?? options.subprotocols),
    onMissingSubprotocol: change.onMissingSubprotocol ?? options.onMissingSubprotocol,
    protocol: change.protocol ?? options.protocol,
    connectTimeout,
    handshakeTimeout: timeout,
    requestTimeout: timeout,
    reconnect: false,
    resume,
    trace: (direction, text) => {
      if (direction === 'in') malformed ??= startOfMalformed(text)
    }
  })
  try {
    await client.connect({ ...(signal && { signal }) })
    await client.ping()
    const { serverInfo, era, protocolVersion, subprotocol } = client
    const { latency } = client.stats()
    const { name, version } = serverInfo ?? {}
    return { ok: true, server: { name, version, era, protocolVersion, subprotocol, resume: false, roundTrip: latency } }
  } catch (error) {
    return { ok: false, error, malformed }
  } finally {
    await client.close()
  }
}
