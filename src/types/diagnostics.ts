// What Node's diagnostics channel `mcp-websocket-client` tells.

import type { RequestId } from './json-rpc.js'

/** A message of the channel. @typeParam Change - What the event `state` tells. */
export type DiagnosticEvent<Change = unknown> = {
  /** Where the client that tells it is connected, without secrets; `undefined` before its first dial. */
  readonly url: string | undefined
} & (
  | { readonly kind: 'state'; readonly change: Change }
  | { readonly kind: 'frame'; readonly direction: 'in' | 'out'; readonly text: string }
  /** A request was written to a socket; `resent`: not for the first time. */
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly resent: boolean }
)

/** The part of a channel that publishes. */
export interface DiagnosticsChannel {
  /** Whether somebody listens. */
  readonly hasSubscribers: boolean
  /** Tells them. Never throws. */
  publish(message: unknown): void
}
