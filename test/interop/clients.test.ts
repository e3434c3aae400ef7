import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isSameToken, McpWebSocketServer, type McpWebSocketServerOptions, type RejectionInfo } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { CLIENTS, type ClientPeer } from './clients.js'
import { until } from '../helpers/until.js'
import { serveBothEras } from './node/sdk-v2-server.js'
import { isMissing, toolsHere } from './use-peer.js'

// Clients of others, against `McpWebSocketServer` with v2 of the official SDK behind it.

const TOKEN = 'the-right-token'

interface ServerRig {
  readonly server: McpWebSocketServer<unknown>
  readonly url: string
  readonly offers: (string | undefined)[]
  readonly chosen: (string | undefined)[]
  /** The version of each session that began with `initialize`. */
  readonly versions: unknown[]
  readonly rejections: RejectionInfo[]
  readonly errors: Error[]
}

async function useServer({ sendsToken }: ClientPeer, options: Partial<McpWebSocketServerOptions<unknown>>): Promise<ServerRig> {
  const rig: Omit<ServerRig, 'server' | 'url'> = { offers: [], chosen: [], versions: [], rejections: [], errors: [] }
  const server = new McpWebSocketServer<unknown>({
    port: 0,
    ...(sendsToken ? { authenticate: (_request, token) => isSameToken(token, TOKEN) } : { allowUnauthenticated: true }),
    ...options,
    onconnection: (transport, { request }) => {
      rig.offers.push(request.headers['sec-websocket-protocol'])
      rig.chosen.push(transport.subprotocol)
      const send = transport.send.bind(transport)
      transport.send = (message) => {
        if ('result' in message && 'serverInfo' in message.result) rig.versions.push(message.result.protocolVersion)
        return send(message)
      }
      return serveBothEras(transport)
    },
    onrejected: (_request, rejection) => rig.rejections.push(rejection),
    onerror: (error) => rig.errors.push(error)
  })
  await server.listen()
  afterTest(() => server.close({ grace: 0 }))
  return { server, url: `ws://127.0.0.1:${String(server.address()?.port)}/ws`, ...rig }
}

/** Runs the program to its end. @returns What it found. @throws What it said, if it failed. */
async function run({ command }: ClientPeer, url: string, token = TOKEN): Promise<object> {
  const [program = '', ...args] = command(toolsHere(), url, token)
  const { stdout } = await promisify(execFile)(program, args, { timeout: 50_000, killSignal: 'SIGKILL' })
  // Libraries may say something before.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as object
}

describe.each(Object.values<ClientPeer>(CLIENTS).map((peer) => [peer.name, peer] as const))('%s', (_name, peer) => {
  describe.skipIf(isMissing(peer))('as a client', () => {
    it('is rejected by default with a 426 that says what is required', async () => {
      const { url, rejections } = await useServer(peer, {})
      await expect(run(peer, url)).rejects.toThrow()
      expect(rejections[0]).toEqual({ status: 426, reason: 'Subprotocol required: mcp.v1' })
    })

    it('lists, calls, hears of progress and gives up, with the options of its row', async () => {
      const { server, url, offers, chosen, versions, rejections, errors } = await useServer(peer, peer.options)
      const { version, progress, cancels } = peer.found
      const found = await run(peer, url)
      // Not every client tells its user which version it speaks.
      expect({ version: versions[0], ...found }).toEqual({
        server: 'sdk-v2-peer',
        version,
        tools: ['echo', 'slow', 'cancellations'],
        right: 50,
        slow: 'done',
        progress: progress ? [1, 2, 3, 4].map((step) => [step, 4]) : [],
        gaveUp: cancels
      })
      expect([...new Set(offers)]).toEqual([peer.offers])
      expect([...new Set(chosen)]).toEqual([peer.subprotocol])
      expect({ rejections, errors }).toEqual({ rejections: [], errors: [] })
      await until(() => server.metrics().connections === 0, 'it has left')
      expect(server.metrics()).toMatchObject({ malformedMessages: 0, connectionsCut: { heartbeat: 0, 'slow-reader': 0, failed: 0 } })
    })

    if (peer.sendsToken)
      it('is rejected with 401 if its token is wrong', async () => {
        const { url, rejections } = await useServer(peer, peer.options)
        await expect(run(peer, url, 'a-wrong-token')).rejects.toThrow()
        expect(rejections[0]).toMatchObject({ status: 401 })
      })
  })
})
