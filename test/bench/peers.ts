import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { correlate, openOverStdio, openRaw, openSocket, type Connection, type SocketLike } from './connection.js'

/** Folders with what the bench does not find beside itself. */
export interface Folders {
  /** That of this repository. */
  readonly root: string
  /** Where `peers/package.json` is installed. */
  readonly peers: string
  /** Of `--against`. */
  readonly against: string
}

/** A client that is measured. */
export interface Peer {
  readonly title: string
  /** The package whose version the table shows. */
  readonly package: string
  /** Whether this package is what is measured. */
  readonly isOurs?: boolean
  /** Whether the package is one of `peers/package.json`. */
  readonly isApart?: boolean
  open(url: string, folders: Folders): Promise<Connection>
}

// Nobody loads what another peer needs: imported in its own process, when it is opened.
const mcp = (): Promise<typeof import('./mcp-clients.js')> => import('./mcp-clients.js')
const rpc = (): Promise<typeof import('./rpc-libraries.js')> => import('./rpc-libraries.js')

const apart = (title: string, name: string, open: Peer['open']): Peer => ({ title, package: name, isApart: true, open })

/** All of them, in the order of the table. The first is the floor. */
export const PEERS: Readonly<Record<string, Peer>> = {
  raw: { title: 'raw ws (floor a)', package: 'ws', open: (url) => openRaw(url) },
  again: { title: 'raw ws again (A/A)', package: 'ws', open: (url) => openRaw(url) },
  timer: {
    title: 'raw ws + setTimeout (floor b)',
    package: 'ws',
    open: async (url) => correlate((await openSocket(url)) as unknown as SocketLike)
  },
  ours: {
    title: 'mcp-websocket-client',
    isOurs: true,
    package: 'mcp-websocket-client',
    open: async (url) => (await mcp()).openOurs(url, await import('../../src/index.js'))
  },
  'ours-use': {
    title: 'mcp-websocket-client, with a middleware',
    isOurs: true,
    package: 'mcp-websocket-client',
    open: async (url) => (await mcp()).openOurs(url, await import('../../src/index.js'), { use: true })
  },
  'ours-resume': {
    title: 'mcp-websocket-client, with a session',
    isOurs: true,
    package: 'mcp-websocket-client',
    open: async (url) => (await mcp()).openOurs(url, await import('../../src/index.js'), { resume: true })
  },
  'ours-v1': {
    title: 'SDK v1, our transport',
    isOurs: true,
    package: '@modelcontextprotocol/sdk',
    open: async (url) => (await mcp()).openV1(await (await mcp()).ourTransport(url))
  },
  'ours-v2': {
    title: 'SDK v2, our transport',
    isOurs: true,
    package: '@modelcontextprotocol/client',
    open: async (url) => (await mcp()).openV2(await (await mcp()).ourTransport(url))
  },
  v1: {
    title: 'SDK v1, minimal transport',
    package: '@modelcontextprotocol/sdk',
    open: async (url) => (await mcp()).openV1(await (await mcp()).minimalTransport(url))
  },
  'v1-own': {
    title: 'SDK v1, its own transport',
    package: '@modelcontextprotocol/sdk',
    open: async (url) => (await mcp()).openV1(await (await mcp()).formerTransport(url))
  },
  v2: {
    title: 'SDK v2, minimal transport',
    package: '@modelcontextprotocol/client',
    open: async (url) => (await mcp()).openV2(await (await mcp()).minimalTransport(url))
  },
  'rpc-websockets': apart('rpc-websockets', 'rpc-websockets', async (url, { peers }) => (await rpc()).openRpcWebSockets(url, peers)),
  'json-rpc-2.0': apart('json-rpc-2.0', 'json-rpc-2.0', async (url, { peers }) => (await rpc()).openJsonRpc2(url, peers)),
  'vscode-jsonrpc': apart('vscode-jsonrpc (no timeouts)', 'vscode-jsonrpc', async (url, { peers }) =>
    (await rpc()).openVscodeJsonRpc(url, peers)
  ),
  partysocket: apart('partysocket + own correlation', 'partysocket', async (url, { peers }) => (await rpc()).openPartySocket(url, peers))
}

/** The peer `against`: the same package, built in another folder. */
export const AGAINST: Peer = {
  title: 'mcp-websocket-client of --against',
  isOurs: true,
  package: 'mcp-websocket-client',
  open: async (url, { against }) =>
    (await mcp()).openOurs(url, (await import(`${against}/dist/node/index.js`)) as typeof import('../../src/index.js'))
}

const throughRelay: Peer['open'] = (url) => openOverStdio([fileURLToPath(new URL('relay.mjs', import.meta.url)), url])

/** What passes the messages of a host on standard input and output to the server. The first is the floor. */
export const BRIDGES: Readonly<Record<string, Peer>> = {
  relay: { title: 'raw pipe to ws (floor)', package: 'ws', open: throughRelay },
  'relay-again': { title: 'raw pipe to ws again (A/A)', package: 'ws', open: throughRelay },
  bridge: {
    title: '`mcp-ws bridge`',
    isOurs: true,
    package: 'mcp-websocket-client',
    open: (url, { root }) => openOverStdio([join(root, 'dist/bin/mcp-ws.js'), 'bridge', '--accept-missing-subprotocol', url])
  }
}

/** A peer by the name that `--only` knows, or one of the bridges. */
export const peerOf = (name: string): Peer => (name === 'against' ? AGAINST : (PEERS[name] ?? BRIDGES[name]!))
