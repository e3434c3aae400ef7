import { expect, it } from 'vitest'
import { Resumption, type ResumptionHost } from '../../src/connection/resumption.js'
import { SharedTimer } from '../../src/lib/shared-timer.js'
import { helloFrame, encodeControl } from '../../src/wire/resume-frames.js'
import { FakeClock } from '../helpers/fake-clock.js'

const MESSAGES = 4
const limits = { messages: MESSAGES, bytes: 1000 }

/** A resumption that has its first session, with room for few frames. */
function attached(): { resumption: Resumption; written: string[]; ends: string[] } {
  const written: string[] = []
  const ends: string[] = []
  const nothing = (): void => undefined
  const host: ResumptionHost = {
    timer: new SharedTimer(new FakeClock()),
    write: (text) => written.push(text),
    drop: nothing,
    onMisunderstood: nothing,
    onAttached: nothing,
    onOver: () => ends.push('over'),
    onDrain: nothing,
    onPong: nothing,
    onDeparture: nothing
  }
  const resumption = new Resumption(host)
  resumption.open()
  const hello = { resumed: false, session: 's1', epoch: 'e1', received: 0, ttlMs: 1000, limits, durability: 'process' } as const
  resumption.receive(encodeControl(helloFrame(hello)))
  resumption.confirm()
  return { resumption, written, ends }
}

it('a cancellation ends no session whose buffer was full when its socket broke', () => {
  const { resumption, ends } = attached()
  for (let sent = 0; sent < MESSAGES; sent++) resumption.record(`{"request":${String(sent)}}`)
  expect(resumption.isFull).toBe(true)
  resumption.detach({ kind: 'close', code: 1006, wasClean: false, everReady: true })
  resumption.record('{"cancelled":0}')
  expect(ends).toEqual([])
  expect(resumption.isDetached).toBe(true)
})

it('a session ends when four times as much waits as its limits allow, and there is no socket', () => {
  const { resumption, ends } = attached()
  resumption.detach({ kind: 'close', code: 1006, wasClean: false, everReady: true })
  for (let sent = 0; sent < 4 * MESSAGES; sent++) resumption.record('{"progress":1}')
  expect(ends).toEqual([])
  resumption.record('{"progress":1}')
  expect(ends).toEqual(['over'])
})
