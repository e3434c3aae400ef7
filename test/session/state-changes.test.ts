import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '../../src/lib/emitter.js'
import type { ClientEvents, StateChange } from '../../src/session/events.js'
import { stateChanges } from '../../src/session/state-changes.js'

const CHANGE: StateChange = { from: 'idle', to: 'connecting', attempt: 1 }

describe('the changes of the state', () => {
  const rig = (): { changes: AsyncGenerator<StateChange>; on: () => number; off: () => number; tell: (change?: StateChange) => void } => {
    const events = new Emitter<ClientEvents>(() => undefined)
    const [on, off] = [vi.spyOn(events, 'on'), vi.spyOn(events, 'off')]
    const changes = stateChanges(events)
    return {
      changes,
      on: () => on.mock.calls.length,
      off: () => off.mock.calls.length,
      tell: (change = CHANGE) => events.emit('state', change)
    }
  }

  it('are heard from the call on, and not only once somebody asks for the first one', async () => {
    const { changes, tell } = rig()
    tell()
    expect(await changes.next()).toEqual({ done: false, value: CHANGE })
  })

  it.each([
    ['at once', 0],
    ['after the first', 1]
  ])('are heard no more after return(), %s', async (_when, count) => {
    const { changes, on, off, tell } = rig()
    for (let n = 0; n < count; n++) {
      tell()
      await changes.next()
    }
    expect([on(), off()]).toEqual([1, 0])
    expect(await changes.return(undefined)).toEqual({ done: true, value: undefined })
    expect(off()).toBe(1)
  })

  it('end at once by return() from elsewhere, while a next() waits', async () => {
    const { changes, off, tell } = rig()
    const asked = changes.next()
    expect(await changes.return(undefined)).toEqual({ done: true, value: undefined })
    expect(await asked).toEqual({ done: true, value: undefined })
    expect(off()).toBe(1)
    tell()
    expect(await changes.next()).toEqual({ done: true, value: undefined })
  })

  it('that were told and not asked for are forgotten with return()', async () => {
    const { changes, tell } = rig()
    tell()
    await changes.return(undefined)
    expect(await changes.next()).toEqual({ done: true, value: undefined })
  })

  it('reach every next() that waits, in order, and end with closed', async () => {
    const { changes, off, tell } = rig()
    const asked = [changes.next(), changes.next(), changes.next()]
    tell()
    tell({ from: 'connecting', to: 'closed' })
    tell()
    expect(await Promise.all(asked)).toEqual([
      { done: false, value: CHANGE },
      { done: false, value: { from: 'connecting', to: 'closed' } },
      { done: true, value: undefined }
    ])
    expect(off()).toBe(1)
  })
})
