import type { Session } from './session.js'
import type { SessionHost } from './session-host.js'

/** What is shown of a session host. */
type Shown = Pick<SessionHost, 'state' | 'stats'> & { readonly session: Pick<Session, 'agreement' | 'url'> }

/**
 * Lets `util.inspect` of Node, and so `console.log`, show facts about `owner`, and no secret. Without this it shows nothing, as all members
 * are private.
 * @param name - Of the class.
 * @param counts - Facts of the owner itself.
 */
export function makeInspectable(owner: object, name: string, host: Shown, counts: () => object): void {
  const inspect = (_depth: number, options: object, inspectOf: (facts: object, options: object) => string): string => {
    const { agreement, url } = host.session
    const { era, serverInfo: server } = agreement ?? {}
    return `${name} ${inspectOf({ state: host.state, url, era, server, ...counts(), stats: host.stats() }, options)}`
  }
  Object.defineProperty(owner, Symbol.for('nodejs.util.inspect.custom'), { value: inspect })
}
