// Libraries for JSON-RPC. They are not installed beside the sources (see `peers/package.json`), so of each stands here what is used of it.
import { once, type EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { WebSocket } from 'ws'
import { correlate, openSocket, TIMEOUT, type Answer, type Connection, type OnNotification, type SocketLike } from './connection.js'

type Params = Record<string, unknown>

const load = (folder: string, name: string): unknown => createRequire(`${folder}/package.json`)(name)

const TOOL = 'tools/call'
const MESSAGE = 'notifications/message'

interface RpcWebSockets {
  readonly Client: new (
    url: string,
    options: object
  ) => EventEmitter & {
    call(method: string, params: Params, timeout: number): Promise<Answer>
    close(): void
  }
}

export async function openRpcWebSockets(url: string, folder: string): Promise<Connection> {
  const { Client } = load(folder, 'rpc-websockets') as RpcWebSockets
  // It gives up after 5 retries of 1 s, unless told otherwise.
  const client = new Client(url, { max_reconnects: 0 })
  await once(client, 'open')
  return {
    request: (name, text) => client.call(TOOL, { name, arguments: { text } }, TIMEOUT),
    onNotification: (handler) => void client.removeAllListeners(MESSAGE).on(MESSAGE, handler),
    onReopened: (handler) => void client.on('open', handler),
    close: () => client.close()
  }
}

interface JsonRpc2 {
  readonly JSONRPCServer: new () => { addMethod(name: string, handler: OnNotification): void }
  readonly JSONRPCClient: new (send: (request: unknown) => Promise<void>) => object
  readonly JSONRPCServerAndClient: new (
    server: object,
    client: object
  ) => {
    receiveAndSend(message: unknown): Promise<void>
    timeout(ms: number): { request(method: string, params: Params): Promise<Answer> }
  }
}

export async function openJsonRpc2(url: string, folder: string): Promise<Connection> {
  const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = load(folder, 'json-rpc-2.0') as JsonRpc2
  const socket = await openSocket(url)
  const server = new JSONRPCServer()
  const both = new JSONRPCServerAndClient(
    server,
    new JSONRPCClient((request) => {
      socket.send(JSON.stringify(request))
      return Promise.resolve()
    })
  )
  socket.on('message', (data: Buffer) => void both.receiveAndSend(JSON.parse(data.toString())))
  const client = both.timeout(TIMEOUT)
  return {
    request: (name, text) => client.request(TOOL, { name, arguments: { text } }),
    onNotification: (handler) => server.addMethod(MESSAGE, handler),
    close: () => socket.close()
  }
}

interface VscodeJsonRpc {
  readonly createMessageConnection: (
    reader: object,
    writer: object
  ) => {
    listen(): void
    sendRequest(method: string, params: Params): Promise<Answer>
    onNotification(method: string, handler: OnNotification): { dispose(): void }
    dispose(): void
  }
}

const DISPOSABLE = { dispose: () => undefined }
const NO_EVENT = (): object => DISPOSABLE

export async function openVscodeJsonRpc(url: string, folder: string): Promise<Connection> {
  const { createMessageConnection } = load(folder, 'vscode-jsonrpc/node') as VscodeJsonRpc
  const socket = await openSocket(url)
  const reader = {
    onError: NO_EVENT,
    onClose: NO_EVENT,
    onPartialMessage: NO_EVENT,
    listen: (receive: (message: unknown) => void) => {
      socket.on('message', (data: Buffer) => receive(JSON.parse(data.toString())))
      return DISPOSABLE
    },
    ...DISPOSABLE
  }
  const writer = {
    onError: NO_EVENT,
    onClose: NO_EVENT,
    write: (message: unknown) => {
      socket.send(JSON.stringify(message))
      return Promise.resolve()
    },
    end: () => undefined,
    ...DISPOSABLE
  }
  const connection = createMessageConnection(reader, writer)
  connection.listen()
  let registered = DISPOSABLE as { dispose(): void }
  return {
    request: (name, text) => connection.sendRequest(TOOL, { name, arguments: { text } }),
    onNotification: (handler) => {
      registered.dispose()
      registered = connection.onNotification(MESSAGE, handler)
    },
    close: () => {
      connection.dispose()
      socket.close()
    }
  }
}

interface PartySocket {
  readonly default: new (url: string, protocols: string[], options: object) => EventTarget & SocketLike
}

export async function openPartySocket(url: string, folder: string): Promise<Connection> {
  const { default: Reconnecting } = load(folder, 'partysocket/ws') as PartySocket
  const socket = new Reconnecting(url, [], { WebSocket })
  await once(socket, 'open')
  return {
    ...correlate(socket),
    onReopened: (handler) => socket.addEventListener('open', handler)
  }
}
