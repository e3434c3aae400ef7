// What Node's diagnostics channel `mcp-websocket-client` tells.

import type { RequestId } from './json-rpc.js'

/** A message of the channel. @typeParam Change - What the event `state` tells. */
export type DiagnosticEvent<Change = unknown> = {
  /** The URL of the client that publishes the message, without secrets; `undefined` before its first dial. */
  readonly url: string | undefined
} & (
  | {
      /** What is told. */
      readonly kind: 'state'
      /** What the event `state` tells. */
      readonly change: Change
    }
  | {
      /** What is told. */
      readonly kind: 'frame'
      /** Whether the frame was received or sent. */
      readonly direction: 'in' | 'out'
      /** Its text, as it was on the wire. */
      readonly text: string
    }
  /** A request was written to a socket; `resent`: not for the first time. */
  | {
      /** What is told. */
      readonly kind: 'request'
      /** The id of the request. */
      readonly id: RequestId
      /** Its method, for example `tools/call`. */
      readonly method: string
      /** Whether it was written before, to an earlier socket. */
      readonly resent: boolean
    }
)

/** The part of a channel that publishes. */
export interface DiagnosticsChannel {
  /** Whether somebody listens. */
  readonly hasSubscribers: boolean
  /** Tells them. Never throws. */
  publish(message: unknown): void
}
