import { WebSocket } from 'ws'
import type { McpWebSocketClient } from '../../src/index.js'

/** What every peer makes of a request. */
export interface Answer {
  readonly content: readonly { readonly text: string }[]
}

/** A peer that is connected and ready. */
export interface Connection {
  /** Calls a tool as users of the peer do, with a timeout if the peer has one. */
  request(name: string, text: string): Promise<Answer>
  /** Sets the handler for `notifications/message`. */
  onNotification(handler: (params: { readonly data: number }) => void): void
  close(): unknown
}

/** A client that is measured. */
export interface Peer {
  readonly title: string
  /** The package whose version the table shows. */
  readonly package: string
  open(url: string, folder: string): Promise<Connection>
}

type OnNotification = Parameters<Connection['onNotification']>[0]

interface Frame {
  readonly id?: number
  readonly result: Answer
  readonly params: { readonly data: number }
}

/** How long a request may take, where a peer wants to know. */
const TIMEOUT = 60_000

/** A socket of `ws`, as everybody uses it. */
const openSocket = (url: string): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.once('open', () => resolve(socket)).once('error', reject)
  })

/** Floor a: the least that a program can do. A counter, a Map, a promise. */
async function openRaw(url: string): Promise<Connection> {
  const socket = await openSocket(url)
  const waiting = new Map<number, (answer: Answer) => void>()
  let notified: OnNotification
  let lastId = 0
  socket.on('message', (data: Buffer) => {
    const { id, result, params } = JSON.parse(data.toString()) as Frame
    if (id === undefined) notified(params)
    else {
      waiting.get(id)?.(result)
      waiting.delete(id)
    }
  })
  return {
    request: (name, text) =>
      new Promise((resolve) => {
        const id = ++lastId
        waiting.set(id, resolve)
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { text } } }))
      }),
    onNotification: (handler) => void (notified = handler),
    close: () => socket.close()
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly timer: NodeJS.Timeout
}

/** Anything with the interface of a WebSocket. */
interface SocketLike {
  onmessage: ((event: { data: never }) => void) | null
  send(text: string): void
  close(): void
}

/** Floor b: what {@link openRaw} does, and a timer for each request. */
function correlate(socket: SocketLike): Connection {
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

/** This package. `module` is its main entry. */
async function openOurs(url: string, module: typeof import('../../src/index.js')): Promise<Connection> {
  const client: McpWebSocketClient = new module.McpWebSocketClient({ url, protocol: 'legacy', maxMessageBytes: 32 * 2 ** 20 })
  await client.connect()
  return {
    request: (name, text) => client.callTool({ name, arguments: { text } }) as Promise<unknown> as Promise<Answer>,
    onNotification: (handler) =>
      client.setNotificationHandler('notifications/message', ({ params }) => handler(params as { readonly data: number })),
    close: () => client.close()
  }
}

/** All of them, in the order of the table. The first is the floor. */
export const PEERS: Readonly<Record<string, Peer>> = {
  raw: { title: 'raw ws (floor a)', package: 'ws', open: openRaw },
  again: { title: 'raw ws again (A/A)', package: 'ws', open: openRaw },
  timer: {
    title: 'raw ws + setTimeout (floor b)',
    package: 'ws',
    open: async (url) => correlate((await openSocket(url)) as unknown as SocketLike)
  },
  ours: {
    title: '**mcp-websocket-client**',
    package: 'mcp-websocket-client',
    open: async (url) => openOurs(url, await import('../../src/index.js'))
  }
}

/** The peer `against`: the same package, built in another folder. */
export const AGAINST: Peer = {
  title: 'mcp-websocket-client of --against',
  package: 'mcp-websocket-client',
  open: async (url, folder) => openOurs(url, (await import(`${folder}/dist/node/index.js`)) as typeof import('../../src/index.js'))
}
