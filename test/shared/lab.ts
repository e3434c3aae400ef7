import { afterEach, beforeEach, expect } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import { systemClock, type Clock, type Timer } from '../../src/lib/clock.js'
import { openSocket } from '../../src/socket/open-socket.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { CAPABILITIES } from '../helpers/fixtures.js'
import type { Dial, Message } from '../helpers/serve-for-browser.js'

/** The engine's clock, counting the timers that are set. */
class CountingClock implements Clock {
  readonly #pending = new Set<object>()

  get pendingCount(): number {
    return this.#pending.size
  }

  now(): number {
    return systemClock.now()
  }

  random(): number {
    return systemClock.random()
  }

  after(ms: number, fire: () => void): Timer {
    const mark = {}
    this.#pending.add(mark)
    const timer = systemClock.after(ms, () => {
      this.#pending.delete(mark)
      fire()
    })
    return {
      ...timer,
      cancel: () => {
        this.#pending.delete(mark)
        timer.cancel()
      }
    }
  }
}

/** Retries fast enough for a test. */
export const FAST = { initialDelay: 10, maxDelay: 20, jitter: false } as const

/** Retries later than any test lasts: what reconnects before did not wait for it. */
export const LATE = { initialDelay: 60_000, maxDelay: 60_000, jitter: false } as const

/** What a test has: a log of its own on the scripted server, and clients that are closed behind it. */
export interface Lab {
  /** The URL of a path of the scripted server, with a log of its own for this test. */
  url(path: string): string
  /** A client with fast retries. */
  client(path: string, options?: Partial<McpWebSocketClientOptions>): McpWebSocketClient
  /** A client that is ready. */
  connected(path: string, options?: Partial<McpWebSocketClientOptions>): Promise<McpWebSocketClient>
  /** The dials of this log so far; with `until`, once that method (`dial`, `close`, `ping-frame`) came `count` times. */
  log(until?: string, count?: number): Promise<Dial[]>
}

let logs = 0

/** Sets up a lab for the tests of a `describe`. After each, all clients are closed, and no timer of theirs is left. */
export function useLab(serverUrl: string): Lab {
  let key = ''
  const clock = new CountingClock()
  const clients = new Set<McpWebSocketClient>()

  beforeEach(() => {
    key = `log-${String(performance.timeOrigin)}-${String(++logs)}-${String(Math.random())}`
  })

  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()))
    expect([...clients].map(({ state, pendingCount, queuedCount }) => ({ state, pendingCount, queuedCount }))).toEqual(
      [...clients].map(() => ({ state: 'closed', pendingCount: 0, queuedCount: 0 }))
    )
    clients.clear()
    expect(clock.pendingCount, 'timers left').toBe(0)
  })

  const url = (path: string): string => {
    const result = new URL(path, serverUrl)
    result.searchParams.set('key', key)
    return result.href
  }
  const client: Lab['client'] = (path, options = {}) => {
    const made = new McpWebSocketClient({ url: url(path), reconnect: FAST, capabilities: CAPABILITIES, ...options }, { clock, openSocket })
    clients.add(made)
    return made
  }
  return {
    url,
    client,
    connected: async (path, options) => {
      const made = client(path, options)
      await made.connect()
      return made
    },
    log: async (until, count) => {
      const place = new URL(url('/log').replace(/^ws/, 'http'))
      if (until !== undefined) place.searchParams.set('until', until)
      if (count !== undefined) place.searchParams.set('count', String(count))
      return (await (await fetch(place)).json()) as Dial[]
    }
  }
}

/** The messages of these dials with this method, in order. */
export const messagesOf = (dials: readonly Dial[], method: string): Message[] =>
  dials.flatMap(({ messages }) => messages).filter((message) => message.method === method)

/** The methods that came over one dial, in order; responses of the client have none. */
export const methodsOf = (dial: Dial | undefined): (string | undefined)[] => (dial?.messages ?? []).map(({ method }) => method)

/** The text that a tool said. */
export const said = (result: { readonly content: readonly object[] }): unknown =>
  (result.content[0] as { text?: unknown } | undefined)?.text

/** The elements of `Sec-WebSocket-Protocol`; engines differ in the space behind the comma. */
export const offers = (dial: Dial | undefined): string[] | undefined => dial?.offered?.split(/, ?/)
