import { WebSocketClientTransport } from '../../src/transport/index.js'
import { makeSdkClient, type CallOptions, type SdkClient, type SdkMode } from '../helpers/sdk-client.js'
import { afterTest } from '../helpers/after-test.js'
import { quick } from './quick.js'
import { PEERS, type Peer, type ToolCall } from './peers.js'
import type { RunningPeer } from './use-peer.js'

/** A `Client` of the official SDK, and the transport below it, closed after the test. */
export interface SdkRig extends SdkClient {
  readonly transport: WebSocketClientTransport
  /** Frames as they came. */
  readonly heard: string[]
}

// How long v2 waits for a response to its era probe, in ms.
const PATIENT = 3000
/** Enough where no response will come. */
const IMPATIENT = 300

/** Versions of MCP that v2 has to be restricted to. */
export const versionsFor = ({ rejectsVersions, found }: Peer, mode: SdkMode): string[] | undefined =>
  rejectsVersions && [...(mode === 'v2 modern' ? ['2026-07-28'] : []), found.protocolVersion]

/** The rows that differ for it: to ask the same program for another era is an option of `McpWebSocketClient`. */
export const SDK_PEERS = Object.values<Peer>(PEERS).filter(({ options }) => options.protocol === undefined)

/** A `Client` of the official SDK with the options of the row, not connected yet. @param versions - All that v2 is to speak. */
export function useSdkClient({ url }: RunningPeer, { options, breaksStringIds }: Peer, mode: SdkMode, versions?: string[]): SdkRig {
  const heard: string[] = []
  const trace = (direction: 'in' | 'out', text: string): unknown => direction === 'in' && heard.push(text)
  const transport = new WebSocketClientTransport(url, { reconnect: quick, ...options, trace })
  afterTest(() => transport.close())
  return Object.assign(makeSdkClient(mode, breaksStringIds ? IMPATIENT : PATIENT, versions), { transport, heard })
}

/** Calls a tool. @returns The words of its response. */
export const call = (sdk: SdkClient, { name, arguments: given }: ToolCall, options?: CallOptions): Promise<string> =>
  sdk.call(name, given, options)
