import { beforeEach, describe, expect, it } from 'vitest'
import type { LifecycleState } from '../../src/connection/lifecycle.js'
import { Emitter } from '../../src/lib/emitter.js'
import type { ClientEvents } from '../../src/session/events.js'
import { OutageNotice } from '../../src/session/outage-notice.js'
import { FakeClock } from '../helpers/fake-clock.js'

// The notice looks at the names of the states alone.
const state = (name: LifecycleState['name']): LifecycleState => ({ name }) as LifecycleState
const [ready, waiting, connecting, closing, failed] = (['ready', 'waiting', 'connecting', 'closing', 'failed'] as const).map(state) as [
  LifecycleState,
  LifecycleState,
  LifecycleState,
  LifecycleState,
  LifecycleState
]

describe('an outage', () => {
  let clock: FakeClock
  let notice: OutageNotice
  let told: unknown[]

  beforeEach(() => {
    clock = new FakeClock()
    told = []
    const events = new Emitter<ClientEvents>((error) => told.push(error))
    events.on('connection-lost', () => told.push('lost'))
    events.on('connection-restored', (restored) => told.push(restored))
    notice = new OutageNotice(clock, events)
  })

  it('is told once, when it lasts for 5 s, and so is its end, with how long it was', async () => {
    expect(notice.isTold).toBe(false)
    notice.onState(waiting, ready)
    await clock.advance(4999)
    expect([told, notice.isTold]).toEqual([[], false])
    await clock.advance(1)
    expect([told, notice.isTold]).toEqual([['lost'], true])
    notice.onState(connecting, waiting)
    await clock.advance(60_000)
    expect(told).toEqual(['lost'])
    notice.onState(ready, connecting)
    expect([told, notice.isTold]).toEqual([['lost', { downtime: 65_000 }], false])
  })

  it('that is shorter is told by nobody, and leaves no timer', async () => {
    notice.onState(waiting, ready)
    await clock.advance(4999)
    notice.onState(ready, connecting)
    expect(clock.pendingCount).toBe(0)
    await clock.advance(60_000)
    expect(told).toEqual([])
  })

  it('is not told to a page that slept through it and is connected again soon after it woke', async () => {
    notice.onState(waiting, ready)
    await clock.sleep(60_000)
    expect(told).toEqual([])
    notice.onState(ready, connecting)
    await clock.advance(60_000)
    expect(told).toEqual([])
  })

  it('is told 5 s after a page woke, and then also by a timer that is always late, as in a hidden page', async () => {
    notice.onState(waiting, ready)
    await clock.sleep(60_000)
    await clock.advance(4999)
    expect(told).toEqual([])
    await clock.sleep(60_000)
    expect(told).toEqual(['lost'])
  })

  it.each([
    ['closes', closing],
    ['gives up', failed]
  ])('ends without a word when the client %s', async (_how, end) => {
    notice.onState(waiting, ready)
    await clock.advance(5000)
    notice.onState(end, waiting)
    expect([told, notice.isTold]).toEqual([['lost'], false])
    notice.onState(ready, connecting)
    expect(told).toEqual(['lost'])
  })

  it('is none while there never was a connection, and none when the client itself ends one', () => {
    notice.onState(connecting, state('idle'))
    notice.onState(waiting, connecting)
    notice.onState(ready, connecting)
    notice.onState(closing, ready)
    expect([told, clock.pendingCount]).toEqual([[], 0])
  })

  it('keeps no process alive', () => {
    notice.onState(waiting, ready)
    expect([clock.pendingCount, clock.holdCount]).toEqual([1, 0])
  })
})
