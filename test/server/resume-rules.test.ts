import { describe, expect, test } from 'vitest'
import { Sessions, TOMBSTONES, type Resumable } from '../../src/server/sessions.js'
import { hashPrincipal } from '../../src/server/principal.js'
import { anOpen } from './resume-client.js'

const aSession = (members: Partial<Resumable> = {}): Resumable => ({
  id: 's',
  principal: 'ada',
  generation: 3,
  sent: 10,
  acknowledged: 4,
  received: 7,
  isPoisoned: false,
  ...members
})

const ask = { session: 's', epoch: 'e', generation: 4, received: 6 }

describe('an open frame', () => {
  test.each([
    ['I10: for the session of somebody else', ask, 'bob', {}, 'unknown', null],
    ['for a session that never was', { ...ask, session: 'x' }, 'ada', {}, 'unknown', null],
    ['I9: with another epoch', { ...ask, epoch: 'f' }, 'ada', {}, 'epoch', null],
    ['I9: with another epoch, for the session of somebody else', { ...ask, epoch: 'f' }, 'bob', {}, 'epoch', null],
    ['X1: with the same generation', { ...ask, generation: 3 }, 'ada', {}, 'stale-generation', null],
    ['X1: with a lower generation', { ...ask, generation: 0 }, 'ada', {}, 'stale-generation', null],
    ['X3, I15: with more than was sent', { ...ask, received: 11 }, 'ada', {}, 'protocol', 7],
    ['I15: with less than was acknowledged', { ...ask, received: 3 }, 'ada', {}, 'protocol', 7],
    ['I17: for a session whose frames have broken too many sockets', { ...ask, received: 4 }, 'ada', { isPoisoned: true }, 'protocol', 7]
  ])('%s is answered with a new session', (_what, open, principal, members, reason, delivered) => {
    const sessions = new Sessions<Resumable>(1)
    const session = aSession(members)
    sessions.add(session)
    const verdict = sessions.judge(anOpen(open), 'e', principal, 0)
    // Only a client that contradicts its own session ends it.
    expect(verdict).toEqual({ action: 'fail', reason, delivered, ...(reason === 'protocol' && { over: session }) })
    expect(sessions.find('s')).toBe(session)
  })

  test.each([
    ['with all that was sent', { ...ask, received: 10 }, {}],
    ['with what was acknowledged', { ...ask, received: 4 }, {}],
    ['with progress after frames that had broken sockets', { ...ask, received: 5 }, { isPoisoned: true }]
  ])('%s gets the session', (_what, open, members) => {
    const sessions = new Sessions<Resumable>(1)
    const session = aSession(members)
    sessions.add(session)
    expect(sessions.judge(anOpen(open), 'e', 'ada', 0)).toEqual({ action: 'attach', session })
  })

  test('that asks for no session begins one', () => {
    expect(new Sessions<Resumable>(1).judge(anOpen(), 'e', 'ada', 0)).toEqual({ action: 'begin' })
  })
})

describe('a session that is over', () => {
  const end = (at: number): Sessions<Resumable> => {
    const sessions = new Sessions<Resumable>(1)
    const session = aSession()
    sessions.add(session)
    sessions.end(session, 'expired', at)
    return sessions
  }

  test('I8: is remembered with what it had received, for its own user only', () => {
    const sessions = end(0)
    expect(sessions.judge(anOpen(ask), 'e', 'ada', 1)).toEqual({ action: 'fail', reason: 'expired', delivered: 7 })
    expect(sessions.judge(anOpen(ask), 'e', 'bob', 1)).toEqual({ action: 'fail', reason: 'unknown', delivered: null })
  })

  test.each([
    [-1, 'expired'],
    [0, 'unknown'],
    [1, 'unknown']
  ])('is forgotten after 10 minutes: %i ms', (ms, reason) => {
    const sessions = end(1000)
    expect(sessions.judge(anOpen(ask), 'e', 'ada', 1000 + TOMBSTONES.ttl + ms)).toMatchObject({ reason })
    expect(sessions.tombstoneCount).toBe(reason === 'expired' ? 1 : 0)
  })

  test('is forgotten when 10,000 others have ended since', () => {
    const sessions = end(0)
    for (let n = 1; n <= TOMBSTONES.max; n++) sessions.end(aSession({ id: String(n) }), 'expired', 0)
    expect(sessions.tombstoneCount).toBe(TOMBSTONES.max)
    expect(sessions.judge(anOpen(ask), 'e', 'ada', 0)).toMatchObject({ reason: 'unknown' })
    expect(sessions.judge(anOpen({ ...ask, session: '1' }), 'e', 'ada', 0)).toMatchObject({ reason: 'expired' })
  })

  test('that another node has claimed is not remembered', () => {
    const sessions = new Sessions<Resumable>(1)
    sessions.end(aSession(), undefined, 0)
    expect(sessions.tombstoneCount).toBe(0)
  })
})

test('beyond maxDetached the session ends whose client has been away for longest', () => {
  const sessions = new Sessions<Resumable>(2)
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => aSession({ id })) as [Resumable, Resumable, Resumable, Resumable]
  expect([sessions.detach(a), sessions.detach(b)]).toEqual([undefined, undefined])
  sessions.attach(a)
  expect(sessions.detach(a)).toBeUndefined()
  expect(sessions.detach(c)).toBe(b)
  sessions.end(b, 'overflow', 0)
  expect(sessions.detachedCount).toBe(2)
  expect(sessions.detach(d)).toBe(a)
})

test('beyond maxDetached the user who has most makes room, and nobody at the cost of others', () => {
  const sessions = new Sessions<Resumable>(4)
  const of = (principal: string, n: number): Resumable => aSession({ id: `${principal}${String(n)}`, principal })
  const [ada, bob] = [of('ada', 1), of('bob', 1)]
  const mallory = [1, 2, 3, 4].map((n) => of('mallory', n)) as [Resumable, Resumable, Resumable, Resumable]
  const drop = (session: Resumable): unknown => {
    const dropped = sessions.detach(session)
    if (dropped !== undefined) sessions.end(dropped, 'overflow', 0)
    return dropped?.id
  }
  expect([ada, ...mallory].map(drop)).toEqual([undefined, undefined, undefined, undefined, 'mallory1'])
  expect(drop(bob)).toBe('mallory2')
  sessions.attach(mallory[3])
  // Now all have as many.
  expect([of('cleo', 1), of('dan', 1)].map(drop)).toEqual([undefined, 'ada1'])
  expect(sessions.detachedCount).toBe(4)
})

test('the user with most sessions that are over is the first one of whom one is forgotten', () => {
  const sessions = new Sessions<Resumable>(1)
  sessions.end(aSession({ id: 'ada' }), 'expired', 0)
  for (let n = 0; n < TOMBSTONES.max; n++) sessions.end(aSession({ id: String(n), principal: 'mallory' }), 'expired', 0)
  expect(sessions.judge(anOpen({ ...ask, session: 'ada' }), 'e', 'ada', 0)).toMatchObject({ reason: 'expired' })
  expect(sessions.judge(anOpen({ ...ask, session: '0' }), 'e', 'mallory', 0)).toMatchObject({ reason: 'unknown' })
  expect(sessions.tombstoneCount).toBe(TOMBSTONES.max)
})

describe('the principal', () => {
  test('is a hash of all that authenticate returned, or of what the program says', () => {
    const ada = hashPrincipal({ user: 'ada', token: 'x' }, undefined)
    expect(ada).toMatch(/^[\w-]{43}$/)
    expect(hashPrincipal({ user: 'ada', token: 'x' }, undefined)).toBe(ada)
    expect(hashPrincipal({ user: 'ada', token: 'y' }, undefined)).not.toBe(ada)
    const byUser = ({ user }: { user: string }): string => user
    expect(hashPrincipal({ user: 'ada', token: 'y' }, byUser)).toBe(hashPrincipal({ user: 'ada', token: 'x' }, byUser))
    expect(hashPrincipal(undefined, undefined)).toMatch(/^[\w-]{43}$/)
  })

  class Private {
    readonly #name: string
    constructor(name: string) {
      this.#name = name
    }
    get name(): string {
      return this.#name
    }
  }

  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('ada')],
    ['a bigint', 1n],
    ['a Map', new Map([['user', 'ada']])],
    ['a Set', { scopes: new Set(['a']) }],
    ['an object of a class, whose members may be private', [new Private('ada')]]
  ])('is not made of what JSON cannot hold: %s', (_what, auth) => {
    expect(() => hashPrincipal(auth, undefined)).toThrow(TypeError)
  })

  test('is made of what says itself what it is in JSON, and of objects without a prototype', () => {
    const hash = (auth: unknown): string => hashPrincipal(auth, undefined)
    expect(hash({ at: new Date(1) })).not.toBe(hash({ at: new Date(2) }))
    expect(hash(Object.assign(Object.create(null), { user: 'ada' }))).toBe(hash({ user: 'ada' }))
  })

  test('is a string', () => {
    expect(() => hashPrincipal('ada', (() => undefined) as never)).toThrow(/^resume\.principal must return a string$/)
  })
})
