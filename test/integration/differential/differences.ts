import { LOG_LEVEL } from './callers.js'
import { SUBSCRIPTION_ID, type Message, type Seen } from './tap.js'
import type { Step } from './script.js'

/** One thing that our client does otherwise than the clients of the SDK, on purpose. */
interface Difference {
  readonly what: string
  readonly why: string
  /** Makes a member of a message or of a step even; `undefined` leaves it out. */
  readonly even: (name: string, value: unknown, whole: Message | Step) => unknown
}

const isCancellation = (whole: Message | Step): boolean => 'method' in whole && whole.method === 'notifications/cancelled'

/** All of them, beside ids and progress tokens. Nothing else may differ. */
export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'the reason of a cancellation',
    why: 'the SDK writes the kind of an error before its words; for the end of a listen it gives no reason, and we do',
    even: (name, value, whole) => {
      if (name !== 'reason' || !isCancellation(whole)) return value
      return value === 'closed' ? undefined : String(value).replace(/^Error: /, '')
    }
  },
  {
    what: '_meta of a cancellation in the modern era',
    why: 'MCP 2026-07-28 wants version and capabilities in requests; v2 writes them into notifications too',
    even: (name, value, whole) => (name === '_meta' && isCancellation(whole) ? undefined : value)
  },
  {
    what: 'the log level in modern requests that are no calls',
    why: 'our client remembers it and says it in every request; the user of v2 says it himself, here in calls',
    even: (name, value, whole) => (name === LOG_LEVEL && 'method' in whole && whole.method !== 'tools/call' ? undefined : value)
  },
  {
    what: 'resultType in what the user gets',
    why: 'v2 takes it off; we hand results out as they came',
    even: (name, value, whole) => (name === 'resultType' && 'outcome' in whole ? undefined : value)
  }
]

function evenOut<T extends Message | Step>(whole: T): T {
  const even = (name: string, value: unknown): unknown => DIFFERENCES.reduce((left, each) => each.even(name, left, whole), value)
  return JSON.parse(JSON.stringify(whole), even) as T
}

type Name = (value: unknown) => unknown

/** Names values in the order in which they first appear. */
function namer(prefix: string): Name {
  const names = new Map<unknown, string>()
  return (value) => {
    if (!names.has(value)) names.set(value, `${prefix} ${String(names.size + 1)}`)
    return names.get(value)
  }
}

/**
 * The messages of one direction, with ids and progress tokens named in the order of their requests: the SDK counts from 0, we
 * count on from a random number; the SDK's token is the id, ours are unique strings.
 */
export function evenMessages(seen: readonly Seen[], direction: Seen['direction']): Message[] {
  const ids = { in: namer('request of the client'), out: namer('request of the server') }
  const token = namer('token')
  for (const { direction: from, message } of seen) if (message.method !== undefined && message.id !== undefined) ids[from](message.id)
  const other = direction === 'in' ? 'out' : 'in'
  const rename = (message: Message): Message =>
    JSON.parse(JSON.stringify(message), (name, value: unknown) => {
      if (name === 'progressToken') return token(value)
      if (name === 'requestId') return ids[direction](value)
      if (name === SUBSCRIPTION_ID) return ids.in(value)
      if (name === 'id') return ids[message.method === undefined ? other : direction](value)
      return value
    }) as Message
  return seen.filter((each) => each.direction === direction).map(({ message }) => evenOut(rename(message)))
}

/** What the user saw, with the ids of subscriptions and the tokens of the server's requests named in the order in which they appear. */
export function evenSteps(steps: readonly Step[]): Step[] {
  const names = new Map([SUBSCRIPTION_ID, 'progressToken'].map((name) => [name, namer(name)]))
  const named = JSON.parse(JSON.stringify(steps), (name, value: unknown) => names.get(name)?.(value) ?? value) as Step[]
  return named.map((step) => evenOut(step))
}
