import { describe, expect, it } from 'vitest'
import {
  isConnectionLostError,
  isSubprotocolError,
  type CallToolResult,
  type McpWebSocketClientOptions,
  type Progress
} from '../../src/index.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient as useAnyClient, type Observed } from '../helpers/use-client.js'
import { quick } from './quick.js'
import { PEERS, type Peer, type ToolCall } from './peers.js'
import { isMissing, usePeer } from './use-peer.js'

// Short, so that a call of two seconds outlasts several probes.
const HEARTBEAT = { interval: 250, timeout: 500 }
const LONG = 2

const GIVEN_UP: Readonly<Record<Peer['cancels'], string>> = {
  tool: 'which ends it there too',
  response: 'that the server carries on, but does not respond any more',
  nothing: 'that the server carries on, and drops the late response'
}

const textOf = ({ content }: CallToolResult): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('')

describe.each(Object.values<Peer>(PEERS).map((peer) => [peer.name, peer] as const))('%s', (_name, peer) => {
  describe.skipIf(isMissing(peer))('the client', () => {
    const running = usePeer(peer)
    const useClient = (options: Partial<McpWebSocketClientOptions> = {}): Observed =>
      useAnyClient({ url: running.url, reconnect: quick, ...peer.options, ...options })
    const call = async ({ client }: Observed, { text, ...params }: ToolCall): Promise<void> => {
      expect(textOf(await client.callTool(params))).toBe(text)
    }
    const expectErrors = (errors: readonly Error[], handshakes = 1): void => {
      const expected = Array.from({ length: handshakes }, () => peer.found.errors).flat()
      expect(errors.map(({ message }) => message)).toEqual(expected.map((words) => expect.stringMatching(words) as string))
    }

    it('connects with the first dial, and finds subprotocol, era and version', async () => {
      const observed = useClient()
      const { client, states, errors } = observed
      await client.connect()
      const dropped = states.flatMap(({ closure }) => closure?.code ?? [])
      expect(new Set(dropped)).toEqual(new Set(peer.dropsAtOnce && dropped.length > 0 ? [1011] : []))
      expect(client.stats().attempts).toBe(1 + dropped.length)
      if (dropped.length === 0) expect(states.map(({ to }) => to)).toEqual(['connecting', 'initializing', 'ready'])
      const { subprotocol, era, protocolVersion, serverInfo } = client
      expect({ subprotocol, era, protocolVersion, server: serverInfo?.name }).toEqual({
        subprotocol: peer.found.subprotocol,
        era: peer.found.era,
        protocolVersion: peer.found.protocolVersion,
        server: peer.found.server
      })
      await call(observed, peer.echo('first'))
      expectErrors(errors)
    })

    if (peer.found.subprotocol !== 'mcp.v1')
      it('says without the options which one is needed', async () => {
        const { client } = useClient({ subprotocols: [], offer: undefined, onMissingSubprotocol: 'fail' })
        const error = await rejectionOf(client.connect())
        expect(isSubprotocolError(error) && { offered: error.offered, received: error.received }).toEqual({
          offered: ['mcp.v1'],
          received: peer.found.subprotocol
        })
        const [option] = Object.keys(peer.options)
        expect(isSubprotocolError(error) && `${error.message} ${String(error.hint)}`).toContain(option)
        expect(client.stats().attempts).toBe(1)
      })

    it('lists the tools', async () => {
      const { client } = useClient()
      await client.connect()
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining([...peer.tools]))
    })

    it('gets the right response to each of fifty calls at once', async () => {
      const observed = useClient()
      await observed.client.connect()
      await Promise.all(Array.from({ length: 50 }, (_, i) => call(observed, peer.echo(`ünïcode ✓ ${String(i)}`))))
      expectErrors(observed.errors)
    })

    it('keeps a call that takes longer than interval and timeout of the heartbeat, and hears of its progress', async () => {
      const observed = useClient({ heartbeat: HEARTBEAT })
      const { client, states, errors } = observed
      await client.connect()
      const { attempts } = client.stats()
      const { text, ...params } = peer.slow(LONG)
      const reports: Progress[] = []
      const result = await client.callTool(params, { onprogress: (progress) => reports.push(progress) })
      expect(textOf(result)).toContain(text)
      expect(reports.map(({ progress, total }) => [progress, total])).toEqual(
        Array.from({ length: peer.reports }, (_, i) => [i + 1, peer.reports])
      )
      await call(observed, peer.echo('afterwards'))
      expect(client.stats(), JSON.stringify(states)).toMatchObject({ attempts, reconnects: 0, lost: 0 })
      expectErrors(errors)
    })

    it(`gives a call up ${GIVEN_UP[peer.cancels]}`, async () => {
      const wire: string[] = []
      const observed = useClient({ trace: (direction, frame) => wire.push(`${direction} ${frame}`) })
      const { client, errors } = observed
      await client.connect()
      const { attempts } = client.stats()
      const count = async (): Promise<number> => Number(textOf(await client.callTool({ name: 'cancellations' })))
      const before = peer.cancels === 'tool' ? await count() : 0
      const abort = new AbortController()
      const { text: _text, ...params } = peer.slow(1)
      const given = rejectionOf(client.callTool(params, { signal: abort.signal }))
      const { id } = JSON.parse(wire.findLast((frame) => frame.startsWith('out'))!.slice(4)) as { id: number }
      const hasResponse = (): boolean => wire.some((frame) => frame.startsWith('in') && frame.includes(`"id":${String(id)}`))
      // The response to a ping behind it means that the call runs. Where messages are worked on one by one, it would come too late.
      if (peer.cancels !== 'nothing') await client.ping()
      abort.abort(new Error('enough'))
      expect(await given).toMatchObject({ message: 'enough' })
      if (peer.cancels === 'tool') {
        while ((await count()) === before) await client.ping()
        expect(await count()).toBe(before + 1)
      } else if (peer.cancels === 'response') {
        // Of two calls that take the same time, the first would be answered first.
        await call(observed, peer.slow(1))
        expect(hasResponse()).toBe(false)
      } else await until(hasResponse, 'the late response')
      await call(observed, peer.echo('the next one'))
      expect(client.pendingCount).toBe(0)
      expect(client.stats()).toMatchObject({ attempts, reconnects: 0 })
      // Servers that know no cancellation answer it, too.
      expectErrors(errors.slice(0, peer.found.errors.length))
    })

    it('comes back when the server was killed and started again, and calls again', async () => {
      const observed = useClient({ heartbeat: HEARTBEAT })
      const { client, errors } = observed
      await client.connect()
      // Answered: so the whole handshake, errors included, is over before the server dies.
      await call(observed, peer.echo('before'))
      const { text: _text, ...params } = peer.slow(60)
      const lost = rejectionOf(client.callTool(params))
      const left = nextEvent(client, 'state')
      await running.kill()
      const error = await lost
      expect(isConnectionLostError(error) && error.delivery).toBe('unknown')
      expect(await left).toMatchObject({ from: 'ready', to: 'waiting', closure: { code: 1006 } })
      const waiting = call(observed, peer.echo('asked while it was away'))
      expect(client.queuedCount).toBe(1)
      const back = nextEvent(client, 'reconnected')
      await running.start()
      await waiting
      expect(await back).toMatchObject({ lost: 1, resent: 0, serverChanged: false })
      await call(observed, peer.echo('still here'))
      expect(client.subprotocol).toBe(peer.found.subprotocol)
      expect(client.stats()).toMatchObject({ reconnects: 1 })
      expectErrors(errors, 2)
    })
  })
})
