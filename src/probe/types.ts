import type { ConnectionOptions, McpWebSocketClientOptions } from '../types/options.js'

/** Options of {@link probe}: those of the client with which the server should be reached. */
export interface ProbeOptions extends Pick<
  ConnectionOptions,
  'auth' | 'headers' | 'subprotocols' | 'offer' | 'onMissingSubprotocol' | 'connectTimeout' | 'tls' | 'agent'
> {
  /** Era of MCP. @default 'auto' */
  readonly protocol?: McpWebSocketClientOptions['protocol']
  /** How long each attempt may take, from the dial to the end of the handshake, in ms. @default 5000 */
  readonly timeout?: number | undefined
  /** Ends the probe. */
  readonly signal?: AbortSignal | undefined
  /** Called with every step as soon as it is done. */
  readonly onstep?: ((step: ProbeStep) => void) | undefined
}

/** What was tried, and what came of it. */
export interface ProbeStep {
  /** What was tried, in a few words. */
  readonly name: string
  /** Whether it worked. */
  readonly ok: boolean
  /** What came of it. Secrets are redacted. */
  readonly detail: string
  /** How long it took, in ms. */
  readonly duration: number
}

/** Options of the client that are to be changed or added; `url` where another address works. */
export interface ProbeChange extends Pick<McpWebSocketClientOptions, 'subprotocols' | 'offer' | 'onMissingSubprotocol' | 'protocol'> {
  /** Another address of the same host. */
  readonly url?: string | undefined
  /** The token has to travel in another way. */
  readonly via?: 'subprotocol' | undefined
}

/** A server that was reached. */
export interface ProbedServer {
  /** Its name and version, if it gave them. */
  readonly name?: string | undefined
  /** Version of its program. */
  readonly version?: string | undefined
  /** Era of MCP. */
  readonly era?: 'legacy' | 'modern' | undefined
  /** Version of MCP that was agreed. */
  readonly protocolVersion?: string | undefined
  /** The subprotocol that it named. */
  readonly subprotocol?: string | undefined
  /** Whether it keeps sessions: then `resume: true` lets calls survive a lost connection. */
  readonly resume: boolean
  /** How long it takes to respond to a ping, in ms. */
  readonly roundTrip?: number | undefined
  /** Whether it turns away clients that have no credentials; `undefined` if none were given, so that nobody asked. */
  readonly needsCredentials?: boolean | undefined
}

/** What a probe found out. */
export interface ProbeReport {
  /** The address, without secrets. */
  readonly url: string
  /** Whether a client with the given options reaches the server. */
  readonly ok: boolean
  /** Everything that was tried, in order. */
  readonly steps: readonly ProbeStep[]
  /** Why a client with the given options does not reach it, in words. */
  readonly cause?: string | undefined
  /** What to do about it, in words. */
  readonly remedy?: string | undefined
  /** What has to be changed, if that alone helps: a client with it has really connected. Empty if the given options work. */
  readonly change?: ProbeChange | undefined
  /** The line of TypeScript that connects; a token is not in it. */
  readonly typescript?: string | undefined
  /** The same as flags for `mcp-ws`, the address first. */
  readonly flags?: readonly string[] | undefined
  /** The server, if it was reached. */
  readonly server?: ProbedServer | undefined
}
