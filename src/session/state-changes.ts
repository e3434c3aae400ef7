import type { Emitter } from '../lib/emitter.js'
import type { ClientEvents, StateChange } from './events.js'

/** Every change of the state from now on, in order, none left out; ends with `closed`. */
export function stateChanges(events: Emitter<ClientEvents>): AsyncGenerator<StateChange, void, undefined> {
  /** `undefined` is the end. */
  const waiting: (StateChange | undefined)[] = []
  let wake = (): void => undefined
  const tell = (change?: StateChange): void => {
    waiting.push(change)
    wake()
    if (change?.to === 'closed') tell()
    else if (!change) events.off('state', tell)
  }
  async function* iterate(): AsyncGenerator<StateChange, void, undefined> {
    for (;;) {
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const change = waiting.shift()
      if (!change) return
      yield change
    }
  }
  // Here, so that it listens from now on, and not only once somebody asks for the first change.
  events.on('state', tell)
  const changes = iterate()
  const end = changes.return.bind(changes)
  // A generator alone would end only after the `next()` that waits, which may be for ever; and one that was never begun runs none of its code.
  changes.return = (value) => {
    tell()
    return end(value)
  }
  return changes
}
