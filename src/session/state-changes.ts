import { deferred, type Deferred } from '../lib/deferred.js'
import type { Emitter } from '../lib/emitter.js'
import type { ClientEvents, StateChange } from './events.js'

/** Every change of the state from now on, in order, none left out; ends with `closed`. */
export function stateChanges(events: Emitter<ClientEvents>): AsyncGenerator<StateChange, void, undefined> {
  const waiting: StateChange[] = []
  let more: Deferred<void> = deferred()
  const onState = (change: StateChange): void => {
    waiting.push(change)
    more.resolve()
  }
  async function* iterate(): AsyncGenerator<StateChange | undefined, void, undefined> {
    events.on('state', onState)
    try {
      yield undefined
      for (;;) {
        for (let change = waiting.shift(); change; change = waiting.shift()) {
          yield change
          if (change.to === 'closed') return
        }
        await more.promise
        more = deferred()
      }
    } finally {
      events.off('state', onState)
    }
  }
  const changes = iterate()
  // Begun here, so that it listens from now on, and not only once somebody asks for the first change. A generator that was never begun
  // would not run its `finally` either.
  void changes.next()
  return changes as AsyncGenerator<StateChange, void, undefined>
}
