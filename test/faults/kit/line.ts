import type { McpWebSocketClientOptions } from '../../../src/index.js'
import { CAPABILITIES } from '../../helpers/fixtures.js'
import { useClient, type Observed } from '../../helpers/use-client.js'
import { useRawServer, type Dial } from './raw-server.js'
import { acceptDial, OPCODE, textFrame, type RawPeer, type Upgrade } from './wire.js'

/** A JSON-RPC message of the client. */
export interface SentMessage {
  readonly id?: number | string | null
  readonly method?: string
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A client that is ready on a line of raw bytes. */
export interface Line extends Observed {
  /** The server's end of the latest dial. */
  readonly peer: RawPeer
  readonly dial: Dial
  readonly dialCount: number
}

/**
 * Connects a client to a server whose every byte is the test's own: on every dial it serves the handshake, and no more.
 * @param upgrade - What every 101 says.
 */
export async function useLine(options: Partial<McpWebSocketClientOptions> = {}, upgrade?: Upgrade): Promise<Line> {
  const peers: RawPeer[] = []
  const server = await useRawServer((dial) => {
    const peer = acceptDial(dial, upgrade)
    peer.serveHandshake()
    peers.push(peer)
  })
  // A raw server answers no close frame, so nobody waits for that.
  const observed = useClient({ url: server.url, protocol: 'legacy', closeTimeout: 10, capabilities: CAPABILITIES, ...options })
  await observed.client.connect()
  return {
    ...observed,
    get peer() {
      return peers.at(-1)!
    },
    get dial() {
      return server.dials.at(-1)!
    },
    get dialCount() {
      return server.dials.length
    }
  }
}

/** Comes back when the client has read everything that was written before, and its responses are here. */
export async function roundTrip({ client, peer }: Line): Promise<void> {
  // At the response to the first the client has read all; what it answered came before the second.
  for (let turn = 0; turn < 2; turn++) {
    const pinged = client.request('ping', undefined, { timeout: 5000 })
    await Promise.all([pinged, peer.next('ping').then(({ id }) => peer.write(textFrame({ id, result: {} })))])
  }
}

/** Starts a request; its promise, and its id on the wire. */
export async function ask({ client, peer }: Line, timeout = 10_000): Promise<{ asked: Promise<unknown>; id: number }> {
  const asked = client.request('vendor/x', {}, { timeout })
  asked.catch(() => undefined)
  const { id } = await peer.next('vendor/x')
  return { asked, id }
}

/** The responses of the client to requests of the server, so far. */
export const responsesTo = (peer: RawPeer): SentMessage[] =>
  peer.frames
    .flatMap(({ opcode, data }) => (opcode === OPCODE.text ? [JSON.parse(data.toString()) as SentMessage] : []))
    .filter(({ method }) => method === undefined)
