import { describe, expect, it } from 'vitest'
import type { SdkClient, SdkMode } from '../helpers/sdk-client.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { isMissing, usePeer } from './use-peer.js'
import { call, SDK_PEERS, useSdkClient, versionsFor, type SdkRig } from './use-sdk-client.js'

// Clients of the official SDK over our transport, with the options that `McpWebSocketClient` needs for the same server.

const MODES: readonly SdkMode[] = ['v1', 'v2 legacy', 'v2 modern']

describe.each(SDK_PEERS.map((peer) => [peer.name, peer] as const))('%s', (_name, peer) => {
  describe.skipIf(isMissing(peer))('a Client', () => {
    const running = usePeer(peer)
    const modes = peer.rejectsVersions ? MODES.slice(1) : MODES
    const connect = async (mode: SdkMode): Promise<SdkRig> => {
      const sdk = useSdkClient(running, peer, mode, versionsFor(peer, mode))
      await sdk.connect(sdk.transport)
      return sdk
    }
    const expectErrors = ({ errors }: SdkClient, handshakes = 1): void => {
      const expected = Array.from({ length: handshakes }, () => peer.found.errors).flat()
      expect(errors.map(({ message }) => message)).toEqual(expected.map((words) => expect.stringMatching(words) as string))
    }

    if (peer.rejectsVersions)
      it.each(MODES)('of %s gets an error, as it asks for 2025-11-25 and for nothing else', async (mode) => {
        const sdk = useSdkClient(running, peer, mode)
        expect(await rejectionOf(sdk.connect(sdk.transport))).toMatchObject({ code: -32603 })
        expect(sdk.heard.at(-1)).toContain('2025-11-25')
      })

    it.each(modes)('of %s connects, and gets the right response to each of fifty calls at once', async (mode) => {
      const sdk = await connect(mode)
      const { attempts } = sdk.transport.stats()
      if (!peer.dropsAtOnce) expect(attempts).toBe(1)
      expect(sdk.client.getServerVersion()?.name).toBe(peer.found.server)
      expect(sdk.transport.subprotocol).toBe(peer.found.subprotocol)
      if ('getProtocolEra' in sdk.client) {
        const isModern = mode === 'v2 modern' && peer.found.era === 'modern'
        expect(sdk.client.getProtocolEra()).toBe(isModern ? 'modern' : 'legacy')
      }
      const calls = Array.from({ length: 50 }, (_, i) => peer.echo(`ünïcode ✓ ${String(i)}`))
      expect(await Promise.all(calls.map((each) => call(sdk, each)))).toEqual(calls.map(({ text }) => text))
      expectErrors(sdk)
      expect(sdk.transport.stats()).toMatchObject({ attempts })
    })

    it.each(modes)('of %s hears of the progress of a call', async (mode) => {
      const sdk = await connect(mode)
      const reports: unknown[] = []
      const slow = peer.slow(0.2)
      expect(await call(sdk, slow, { onprogress: ({ progress, total }) => reports.push([progress, total]) })).toContain(slow.text)
      expect(reports).toEqual(Array.from({ length: peer.reports }, (_, i) => [i + 1, peer.reports]))
      expectErrors(sdk)
    })

    it('is not closed when the server is killed and started again: the call in flight is lost, and the next one works', async () => {
      const sdks = await Promise.all(modes.map(connect))
      // Answered: so the whole handshake, errors included, is over before the server dies.
      for (const sdk of sdks) await call(sdk, peer.echo('before'))
      // A server may have dropped the first connection at once.
      const before = sdks.map(({ transport }) => transport.stats())
      const lost = sdks.map((sdk) => rejectionOf(call(sdk, peer.slow(60))))
      await until(() => sdks.every(({ transport }, i) => transport.stats().sent > before[i]!.sent), 'the calls are sent')
      await running.kill()
      for (const error of await Promise.all(lost))
        expect(error).toMatchObject({ code: 1006, data: { reason: 'CONNECTION_LOST', delivery: 'unknown' } })
      const waiting = sdks.map((sdk) => call(sdk, peer.echo('asked while it was away')))
      await running.start()
      expect(await Promise.all(waiting)).toEqual(sdks.map(() => peer.echo('asked while it was away').text))
      for (const [i, sdk] of sdks.entries()) {
        expect(await call(sdk, peer.echo('still here'))).toBe(peer.echo('still here').text)
        expect(sdk.closes).toBe(0)
        expect(sdk.transport.stats()).toMatchObject({ reconnects: before[i]!.reconnects + 1 })
        expectErrors(sdk, 2)
      }
    })
  })
})
