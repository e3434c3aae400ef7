import { expect, test } from 'vitest'
import type { Closure } from '../../src/index.js'
import { History } from '../../docs/playground/page/history.js'

const closure: Closure = { kind: 'close', code: 1006, wasClean: false, everReady: true }

/** A client that was ready from 100 to 200, and waits for 1.5 s. */
function outage(): History {
  const history = new History(0)
  history.change({ from: 'initializing', to: 'ready' }, 100)
  history.change({ from: 'ready', to: 'waiting', attempt: 2, delay: 1500, closure }, 200)
  return history
}

test('a state lasts until the next one, and a delay says when it is to end', () => {
  const { segments, marks } = outage()
  expect(segments).toEqual([
    { state: 'idle', from: 0, to: 100, texts: ['idle'] },
    { state: 'ready', from: 100, to: 200, texts: ['ready'] },
    { state: 'waiting', from: 200, planned: 1700, texts: ['waiting 1.5 s', '1.5 s'] }
  ])
  expect(marks).toEqual([{ at: 200, kind: 'lost', label: 'connection lost' }])
})

test('a dial that fails is no lost connection', () => {
  const history = outage()
  history.change({ from: 'connecting', to: 'waiting', attempt: 3, delay: 10, closure }, 300)
  expect(history.marks).toHaveLength(1)
})

test('calls at the same time have lanes of their own, as long as there are some', () => {
  const history = new History(0)
  const lanes = [1, 2, 3, 4].map((now) => history.call('count', now).lane)
  expect(lanes).toEqual([0, 1, 2, 2])
  history.bars[1]!.to = 5
  expect(history.call('count', 6).lane).toBe(1)
})

test('what ended before a time is forgotten, and what lasts is not', () => {
  const history = outage()
  history.back('resumed', 300)
  history.call('count', 50).to = 150
  const pending = history.call('count', 60)
  history.forget(250)
  expect(history.segments.map(({ state }) => state)).toEqual(['waiting'])
  expect(history.marks.map(({ label }) => label)).toEqual(['resumed'])
  expect(history.bars).toEqual([pending])
})
