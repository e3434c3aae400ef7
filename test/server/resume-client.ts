import { once } from 'node:events'
import { WebSocket, type ClientOptions } from 'ws'
import {
  encodeControl,
  isControl,
  openFrame,
  readServerControl,
  type ControlFrame,
  type HelloFrame,
  type OpenFrame,
  type ReplayLimits
} from '../../src/wire/resume-frames.js'
import type { ServerTransport } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'

/** A client of `mcp.v1.resume` that decides about every frame, and does nothing by itself. */
export interface ResumeClient {
  readonly ws: WebSocket
  /** All frames of the server, in their order. */
  readonly texts: string[]
  /** Sends a control frame, a message or any text. */
  readonly send: (frame: object | string) => void
  /** Requests something of the server. */
  readonly request: (id: number, method: string) => void
  /** The control frames of the server. */
  readonly control: () => ControlFrame[]
  /** The data frames of the server. */
  readonly data: () => string[]
  /** Ids of the responses of the server, in their order. */
  readonly responses: () => unknown[]
  /** Resolves with the hello frame. */
  readonly hello: () => Promise<HelloFrame>
  /** Resolves when the server has sent that many data frames. */
  readonly received: (count: number) => Promise<void>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
}

export const LIMITS: ReplayLimits = { messages: 256, bytes: 8 * 2 ** 20 }

/** An open frame; that of a new session, but for what is given. */
export const anOpen = (members: Partial<OpenFrame> = {}): OpenFrame =>
  openFrame({ session: null, epoch: null, received: 0, generation: 1, limits: LIMITS, ...members })

/** Dials, and sends nothing yet. */
export async function dialForResume(url: string, options: ClientOptions = {}): Promise<ResumeClient> {
  const ws = new WebSocket(url, ['mcp.v1', 'mcp.v1.resume'], options)
  afterTest(() => ws.terminate())
  const texts: string[] = []
  ws.on('message', (data: Buffer) => texts.push(data.toString()))
  ws.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => ws.once('close', resolve))
  await once(ws, 'open')
  const control = (): ControlFrame[] => texts.filter(isControl).flatMap((text) => readServerControl(text) ?? [])
  const data = (): string[] => texts.filter((text) => !isControl(text))
  return {
    ws,
    texts,
    closed,
    control,
    data,
    send: (frame) => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    request: (id, method) => ws.send(JSON.stringify({ jsonrpc: '2.0', id, method })),
    responses: () => data().map((text) => (JSON.parse(text) as { id?: unknown }).id),
    received: (count) => until(() => data().length >= count, `${String(count)} data frames`),
    hello: async () => {
      const find = (): HelloFrame | undefined => control().find((frame): frame is HelloFrame => frame['mcp.resume'] === 'hello')
      await until(() => find() !== undefined || ws.readyState === ws.CLOSED, 'a hello frame')
      const hello = find()
      if (hello === undefined) throw new Error('closed without a hello frame')
      return hello
    }
  }
}

/** Dials and opens a session. */
export async function openSession(
  url: string,
  members: Partial<OpenFrame> = {},
  options: ClientOptions = {}
): Promise<ResumeClient & { readonly first: HelloFrame }> {
  const client = await dialForResume(url, options)
  client.send(encodeControl(anOpen(members)))
  return { ...client, first: await client.hello() }
}

/** What a client sends that comes back to a session. */
export const comeBack = ({ session, epoch }: HelloFrame, generation = 2, received = 0): Partial<OpenFrame> => ({
  session,
  epoch,
  generation,
  received
})

/** A control frame with a count. */
export const receipt = (kind: 'ack' | 'ping' | 'pong', received: number): string => encodeControl({ 'mcp.resume': kind, received })

/** A numbered notification. */
export const note = (n: number): { jsonrpc: '2.0'; method: string; params: { n: number } } => ({
  jsonrpc: '2.0',
  method: 'note',
  params: { n }
})

/** The numbers of notifications, from their texts; `undefined` for any other message. */
export const numbers = (texts: readonly string[]): unknown[] =>
  texts.map((text) => (JSON.parse(text) as { params?: { n: number } }).params?.n)

/** Notes when the client of a transport is away, is back, and when its session is over. */
export function recordEvents(transport: ServerTransport, events: string[]): void {
  transport.ondetach = () => events.push('detach')
  transport.onattach = () => events.push('attach')
  transport.onclose = () => events.push('close')
}
