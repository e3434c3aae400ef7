import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { WebSocket } from 'ws'

/** What every peer makes of a request. */
export interface Answer {
  readonly content: readonly { readonly text: string }[]
}

/** A peer that is connected and ready. */
export interface Connection {
  /** Calls a tool as users of the peer do, with a timeout if the peer has one. */
  request(name: string, text: string): Promise<Answer>
  /** Sets the handler for `notifications/message`. */
  onNotification(handler: OnNotification): void
  /** Sets the handler for a connection that is there again, of a peer that dials again. */
  onReopened?(handler: () => void): void
  close(): unknown
}

/** Takes the parameters of a `notifications/message`. */
export type OnNotification = (params: { readonly data: number }) => void

interface Frame {
  readonly id?: number
  readonly result: Answer
  readonly params: { readonly data: number }
}

/** How long a request may take, where a peer wants to know. */
export const TIMEOUT = 60_000

/** A socket of `ws`, as everybody uses it. */
export const openSocket = (url: string, subprotocols: string[] = []): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, subprotocols)
    socket.once('open', () => resolve(socket)).once('error', reject)
  })

/** A connection without any library, which can send more than calls of tools. */
export interface RawConnection extends Connection {
  call(method: string, params: object): Promise<Answer>
}

/** What carries the messages of {@link rawOver}, each as a text. */
interface Line {
  readonly send: (text: string) => void
  readonly close: () => unknown
}

/** A counter, a Map, a promise. @returns The connection, and what takes the texts that come in. */
function rawOver({ send, close }: Line): { connection: RawConnection; onText: (text: string) => void } {
  const waiting = new Map<number, (answer: Answer) => void>()
  let notified: OnNotification
  let lastId = 0
  const call = (method: string, params: object): Promise<Answer> =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  return {
    onText: (text) => {
      const { id, result, params } = JSON.parse(text) as Frame
      if (id === undefined) notified(params)
      else {
        waiting.get(id)?.(result)
        waiting.delete(id)
      }
    },
    connection: {
      call,
      request: (name, text) => call('tools/call', { name, arguments: { text } }),
      onNotification: (handler) => void (notified = handler),
      close
    }
  }
}

/** Floor a: the least that a program can do. */
export async function openRaw(url: string, subprotocols?: string[]): Promise<RawConnection> {
  const socket = await openSocket(url, subprotocols)
  const { connection, onText } = rawOver({ send: (text) => socket.send(text), close: () => socket.close() })
  socket.on('message', (data: Buffer) => onText(data.toString()))
  return connection
}

const OPEN = `{"mcp.resume":"open","v":1,"session":null,"epoch":null,"received":0,"generation":1,"limits":{"messages":256,"bytes":8388608}}`

/** Floor a with a session of `mcp.v1.resume`, as far as a connection needs it that never breaks. */
export async function openRawSession(url: string): Promise<RawConnection> {
  const socket = await openSocket(url, ['mcp.v1', 'mcp.v1.resume'])
  const { connection, onText } = rawOver({ send: (text) => socket.send(text), close: () => socket.close() })
  const opened = once(socket, 'message')
  socket.send(OPEN)
  await opened
  let received = 0
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    if (text.startsWith('{"mcp.resume":')) return
    // After 64 frames, as the client of this package; the first one at once, as that client does within a second.
    if (++received % 64 === 0 || received === 1) socket.send(`{"mcp.resume":"ack","received":${String(received)}}`)
    onText(text)
  })
  return connection
}

/** A host that has started a program of Node as its server: a message is a line of standard input or output. */
export async function openOverStdio(args: readonly string[]): Promise<RawConnection> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const { connection, onText } = rawOver({ send: (text) => child.stdin.write(`${text}\n`), close: () => child.stdin.end() })
  createInterface({ input: child.stdout }).on('line', onText)
  const clientInfo = { name: 'bench', version: '1.0.0' }
  await connection.call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return connection
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly timer: NodeJS.Timeout
}

/** Anything with the interface of a WebSocket. */
export interface SocketLike {
  onmessage: ((event: { data: never }) => void) | null
  send(text: string): void
  close(): void
}

/** Floor b: what {@link openRaw} does, and a timer for each request. */
export function correlate(socket: SocketLike): Connection {
  const waiting = new Map<number, Waiting>()
  let notified: OnNotification
  let lastId = 0
  socket.onmessage = ({ data }) => {
    const { id, result, params } = JSON.parse(data) as Frame
    if (id === undefined) notified(params)
    else {
      const found = waiting.get(id)
      clearTimeout(found?.timer)
      found?.resolve(result)
      waiting.delete(id)
    }
  }
  return {
    request: (name, text) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        const timer = setTimeout(() => {
          waiting.delete(id)
          reject(new Error('timeout'))
        }, TIMEOUT)
        waiting.set(id, { resolve, timer })
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { text } } }))
      }),
    onNotification: (handler) => void (notified = handler),
    close: () => socket.close()
  }
}

/** The least that can be called a transport of the official SDK, over an open socket. */
export function transportOver(socket: WebSocket): Transport {
  const transport: Transport = {
    start: () => {
      socket.on('message', (data: Buffer) => transport.onmessage?.(JSON.parse(data.toString()) as JSONRPCMessage))
      socket.on('close', () => transport.onclose?.())
      return Promise.resolve()
    },
    send: (message) => {
      socket.send(JSON.stringify(message))
      return Promise.resolve()
    },
    close: () => {
      socket.close()
      return Promise.resolve()
    }
  }
  return transport
}
