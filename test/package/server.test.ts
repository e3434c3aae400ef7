import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { importsOf } from '../helpers/architecture.js'
import { buildIfStale, packAndInstall, type Installed } from './packed.js'

let installed: Installed

beforeAll(async () => {
  await buildIfStale()
  installed = await packAndInstall()
  return () => installed.remove()
}, 120_000)

const esm = (program: string): Promise<unknown> => installed.node('--input-type=module', '--eval', program)
const cjs = (program: string): Promise<unknown> =>
  installed.node('--no-experimental-require-module', '--input-type=commonjs', '--eval', program)

describe('the packed entry ./server', () => {
  it.each(['import', 'require'])('serves a client of the same package when loaded by %s, and lets the process end', async (how) => {
    const program = `
      const visit = async ({ McpWebSocketServer, isSameToken }, { McpWebSocketClient }) => {
        const server = new McpWebSocketServer({
          authenticate: (request, token) => isSameToken(token, 'right') || undefined,
          onconnection: (transport) => {
            transport.onmessage = ({ id, method }) => {
              if (id === undefined) return
              const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } } : {}
              transport.send({ jsonrpc: '2.0', id, result })
            }
            return transport.start()
          }
        })
        await server.listen()
        const url = 'ws://127.0.0.1:' + server.address().port + '/ws'
        const client = new McpWebSocketClient({ url, protocol: 'legacy', auth: { token: 'right' } })
        await client.connect()
        await client.ping()
        const { subprotocol } = client
        await client.close()
        const { connectionsTotal } = server.metrics()
        await server.close()
        console.log(JSON.stringify({ subprotocol, connectionsTotal }))
      }`
    const said =
      how === 'import'
        ? await esm(`import * as s from 'mcp-websocket-client/server'; import * as c from 'mcp-websocket-client'; ${program}\nvisit(s, c)`)
        : await cjs(`${program}\nvisit(require('mcp-websocket-client/server'), require('mcp-websocket-client'))`)
    expect(said).toEqual({ subprotocol: 'mcp.v1', connectionsTotal: 1 })
  })

  it('has the same names either way', async () => {
    const names = 'console.log(JSON.stringify(Object.keys(m).filter((name) => name !== "default").sort()))'
    expect(await esm(`import * as m from 'mcp-websocket-client/server'; ${names}`)).toEqual(['McpWebSocketServer', 'isSameToken'])
    expect(await cjs(`const m = require('mcp-websocket-client/server'); ${names}`)).toEqual(['McpWebSocketServer', 'isSameToken'])
  })

  it.each(['dist/node/server.d.ts', 'dist/node/server.d.cts'])('declares itself in %s with types of Node and of nobody else', (path) => {
    const text = readFileSync(join(installed.packageFolder, path), 'utf8')
    const packages = new Set(importsOf({ path, text }).map(({ specifier }) => specifier))
    expect([...packages].filter((name) => !name.startsWith('node:') && !name.startsWith('.'))).toEqual([])
  })

  it('brings ws along, and nothing else', () => {
    const text = readFileSync(join(installed.packageFolder, 'dist/node/server.js'), 'utf8')
    const packages = importsOf({ path: 'server.js', text }).map(({ specifier }) => specifier)
    expect(packages.filter((name) => !/^(node:)?(http|crypto)$/.test(name))).toEqual(['ws'])
  })
})
