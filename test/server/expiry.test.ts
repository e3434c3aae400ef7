import { describe, expect, test } from 'vitest'
import { expiryOf } from '../../src/server/expiry.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { until } from '../helpers/until.js'
import { closeCode, openPeer, responseTo, sendClose, upgrade, type RawPeer } from './raw-peer.js'
import { comeBack, openSession, recordEvents } from './resume-client.js'
import { bearer, hold, useServer, type Held } from './use-server.js'

/** When the server thinks that the token expires; a test may change it. */
interface Expiring {
  readonly user: string
  readonly expiresAt: unknown
}

const inSeconds = (seconds: number): number => Date.now() / 1000 + seconds

/** A server that believes every token for some time. */
async function useExpiring(expiresAt: () => unknown = () => inSeconds(60), resume = false) {
  const clock = new FakeClock()
  const held: Held[] = []
  const events: string[] = []
  const served = await useServer<Expiring>(
    {
      heartbeat: false,
      expiryGrace: 5000,
      authenticate: (_request, user = 'ada') => ({ user, expiresAt: expiresAt() }),
      resume: resume && { principal: ({ user }) => user },
      onconnection: (transport) => {
        recordEvents(transport, events)
        held.push(hold(transport))
      }
    },
    clock
  )
  return { ...served, clock, held, events }
}

/** Ends the closing handshake that the server began. */
async function leave(peer: RawPeer, code: number): Promise<void> {
  sendClose(peer, code)
  await peer.gone
}

describe('a token that expires', () => {
  test('ends an idle connection with 4401', async () => {
    const { port, clock, server } = await useExpiring()
    const peer = await openPeer(port, { headers: bearer('ada') })
    await clock.advance(58_000)
    expect(server.metrics().connections).toBe(1)
    await clock.advance(2000)
    expect(await closeCode(peer)).toBe(4401)
    await leave(peer, 4401)
  })

  test('lets what is in flight finish, and executes nothing new', async () => {
    const { port, clock, held } = await useExpiring()
    const peer = await openPeer(port, { headers: bearer('ada') })
    peer.send({ id: 1, method: 'hold' })
    await until(() => held[0]?.ids.length === 1, 'the request')
    await clock.advance(60_000)
    peer.send({ id: 2, method: 'hold' })
    expect((await responseTo(peer, 2)).error).toMatchObject({ code: 10503, data: { retryAfterMs: 1000 } })
    await held[0]!.release(1)
    await responseTo(peer, 1)
    expect(await closeCode(peer)).toBe(4401)
    await leave(peer, 4401)
    expect(held[0]!.ids).toEqual([1])
  })

  test('ends a connection with 4401 when expiryGrace is over, whatever is in flight', async () => {
    const { port, clock, held, server } = await useExpiring()
    const peer = await openPeer(port, { headers: bearer('ada') })
    peer.send({ id: 1, method: 'hold' })
    await until(() => held[0]?.ids.length === 1, 'the request')
    await clock.advance(64_000)
    expect(server.metrics().connections).toBe(1)
    await clock.advance(1000)
    expect(await closeCode(peer)).toBe(4401)
    await leave(peer, 4401)
  })

  test('ends the socket of a resumable session at once, which goes on with what is in flight', async () => {
    const { url, clock, held, events } = await useExpiring(undefined, true)
    const client = await openSession(url)
    client.request(1, 'hold')
    await until(() => held[0]?.ids.length === 1, 'the request')
    await clock.advance(60_000)
    expect(await client.closed).toBe(4401)
    await until(() => events.includes('detach'), 'the loss')
    const again = await openSession(url, comeBack(client.first))
    expect(again.first).toMatchObject({ resumed: true })
    await held[0]!.release(1)
    await again.received(1)
    expect(again.responses()).toEqual([1])
  })

  test('that has expired when it comes is rejected with 401', async () => {
    const { port } = await useExpiring(() => inSeconds(-1))
    expect((await upgrade(port, { headers: bearer('ada') })).status).toBe(401)
  })

  test('whose expiry is no time is rejected with 503, and onerror says what is wrong', async () => {
    const { port, errors } = await useExpiring(() => Date.now() + 60_000)
    expect((await upgrade(port, { headers: bearer('ada') })).status).toBe(503)
    expect(errors.map(({ message }) => message)).toEqual([
      'expiresAt of what authenticate returns must be a Date, or seconds since 1970: divide ms by 1000'
    ])
  })

  test.each<[unknown, number | undefined]>([
    [undefined, undefined],
    ['ada', undefined],
    [{ user: 'ada' }, undefined],
    [{ expiresAt: 1_900_000_000 }, 1_900_000_000_000],
    [{ expiresAt: new Date(1_900_000_000_000) }, 1_900_000_000_000]
  ])('is read from what authenticate returns: %j', (auth, expected) => {
    expect(expiryOf(auth)).toBe(expected)
  })

  test.each(['2030-01-01', null, NaN, new Date(NaN)])('cannot be read from %s', (expiresAt) => {
    expect(() => expiryOf({ expiresAt })).toThrow(TypeError)
  })
})
