import { join } from 'node:path'
import type { McpWebSocketServerOptions } from '../../src/server/index.js'
import type { Peer, Tools } from './peers.js'

/**
 * One row: a client that was written by others, in a small program of ours that calls each tool of `node/tools.ts`, gives one call up, and
 * prints what it found as a line of JSON.
 */
export interface ClientPeer {
  /** As in docs/interop.md. */
  readonly name: string
  readonly needs: NonNullable<Peer['needs']>
  /** The program and its arguments. */
  readonly command: (tools: Tools, url: string, token: string) => readonly string[]
  /** What its upgrade request offers. */
  readonly offers: string | undefined
  /** What `McpWebSocketServer` must be told to let it in, and nothing else. */
  readonly options: Pick<McpWebSocketServerOptions, 'extraSubprotocols' | 'requireSubprotocol'>
  readonly subprotocol: string | undefined
  /** Whether it can send a token. */
  readonly sendsToken: boolean
  readonly found: {
    readonly version: string
    /** Whether a caller hears of progress. */
    readonly progress: boolean
    /** Whether giving a call up ends it on the server. */
    readonly cancels: boolean
  }
}

const ALL = { progress: true, cancels: true }

/** All rows. A further client is a further entry. */
export const CLIENTS = {
  goSdk: {
    name: 'Go SDK 1.8.0 over coder/websocket 1.8.14',
    needs: 'go',
    command: ({ go }, url, token) => [join(go, 'sdkclient'), url, token],
    offers: undefined,
    options: { requireSubprotocol: false },
    subprotocol: undefined,
    sendsToken: true,
    found: { version: '2026-07-28', ...ALL }
  }
} satisfies Readonly<Record<string, ClientPeer>>
