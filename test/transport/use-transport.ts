import { expect } from 'vitest'
import type { StateChange } from '../../src/session/events.js'
import type { Reconnected } from '../../src/types/client.js'
import type { JsonRpcMessage, JsonRpcRequest } from '../../src/types/json-rpc.js'
import type { WebSocketClientTransportOptions } from '../../src/types/transport.js'
import { WebSocketClientTransport } from '../../src/transport/websocket-client-transport.js'
import { closeOrderly } from '../helpers/close-orderly.js'
import { endAfterTest } from '../helpers/end-after-test.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { FakeNetwork, LEGACY_RESULT, type FakeSocket, type Message } from '../helpers/fake-network.js'

/** A transport on a fake clock and a fake network; the test is its SDK and its server. */
export interface Rig {
  readonly transport: WebSocketClientTransport
  readonly clock: FakeClock
  readonly network: FakeNetwork
  /** What came up, in order. */
  readonly messages: Message[]
  readonly states: StateChange[]
  readonly reconnections: Reconnected[]
  /** Payloads of the event `error`. */
  readonly errors: Error[]
  /** Calls of `onerror` and `onclose`, in order. */
  readonly calls: (Error | 'close')[]
  /** Sends as the SDK does. */
  readonly send: (message: object) => Promise<void>
  readonly request: (id: number | string, method: string, params?: object) => Promise<void>
  /** Starts; the socket is open and nothing was said. */
  readonly start: () => Promise<FakeSocket>
  /** Starts and makes the handshake of the legacy era, as the SDK does. */
  readonly legacy: (result?: object) => Promise<FakeSocket>
  /** Drops the socket and opens the next one. */
  readonly redial: (socket: FakeSocket) => Promise<FakeSocket>
  /** As `redial`; and the server answers the replay. */
  readonly relegacy: (socket: FakeSocket, result?: object) => Promise<FakeSocket>
}

export const INITIALIZE: JsonRpcRequest = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { name: 'sdk', version: '1' } }
}
export const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' } as const

/** `_meta` of a request of the modern era. */
export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'sdk', version: '2' }
}

/** Constructs a transport; after the test it is closed, and nothing may be left of it. */
export function useTransport(options: WebSocketClientTransportOptions = {}): Rig {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  const transport = new WebSocketClientTransport('ws://127.0.0.1/ws', options, { clock, openSocket: network.openSocket })
  const messages: Message[] = []
  const states: StateChange[] = []
  const reconnections: Reconnected[] = []
  const errors: Error[] = []
  const calls: Rig['calls'] = []
  transport.onmessage = (message) => messages.push(message as Message)
  transport.onerror = (error) => calls.push(error)
  transport.onclose = () => calls.push('close')
  transport.on('state', (change) => states.push(change))
  transport.on('reconnected', (reconnected) => reconnections.push(reconnected))
  transport.on('error', (error) => errors.push(error))
  const send = (message: object): Promise<void> => transport.send(message as JsonRpcMessage)
  const start = async (): Promise<FakeSocket> => {
    const started = transport.start()
    const socket = (await network.last()).accept()
    await started
    return socket
  }
  const redial = async (socket: FakeSocket): Promise<FakeSocket> => {
    socket.drop()
    await clock.advance(Math.ceil(states.at(-1)?.delay ?? 0))
    return (await network.last()).accept()
  }
  const rig: Rig = {
    transport,
    clock,
    network,
    messages,
    states,
    reconnections,
    errors,
    calls,
    send,
    request: (id, method, params) => send({ jsonrpc: '2.0', id, method, ...(params && { params }) }),
    start,
    async legacy(result = LEGACY_RESULT) {
      const socket = await start()
      await send(INITIALIZE)
      socket.respond('initialize', result)
      await send(INITIALIZED)
      messages.length = 0
      return socket
    },
    redial,
    async relegacy(socket, result = LEGACY_RESULT) {
      const next = await redial(socket)
      next.respond('initialize', result)
      await settle()
      return next
    }
  }
  endAfterTest(clock, network, async () => {
    await transport.close()
    expect(calls.filter((call) => call === 'close').length, 'calls of onclose').toBeGreaterThan(0)
  })
  return rig
}

/** Closes, with a server that answers the close frame. */
export const closeClean = ({ transport, network }: Rig): Promise<void> => closeOrderly(network, () => transport.close())
