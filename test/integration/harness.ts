import { inspect } from 'node:util'
import { McpWebSocketClient, type ClientEvents, type McpWebSocketClientOptions, type StateChange } from '../../src/index.js'
import { afterTest } from '../helpers/ws-server.js'

/** A client with everything that it told, closed after the test. */
export interface Observed {
  readonly client: McpWebSocketClient
  readonly states: StateChange[]
  readonly errors: Error[]
  readonly notifications: { readonly method: string; readonly params?: Readonly<Record<string, unknown>> | undefined }[]
}

export function useClient(options: McpWebSocketClientOptions): Observed {
  const client = new McpWebSocketClient(options)
  const states: StateChange[] = []
  const errors: Error[] = []
  const notifications: Observed['notifications'] = []
  client.on('state', (change) => states.push(change))
  client.on('error', (error) => errors.push(error))
  client.on('notification', (notification) => notifications.push(notification))
  afterTest(() => client.close())
  return { client, states, errors, notifications }
}

/** Waits until something is so; it looks after every turn of the event loop. */
export async function until(isSo: () => boolean, what: string, limit = 15_000): Promise<void> {
  const end = performance.now() + limit
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${String(limit)} ms: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The next event of a client, or the next one that is as wanted. */
export function nextEvent<E extends keyof ClientEvents>(
  client: McpWebSocketClient,
  event: E,
  isWanted: (payload: ClientEvents[E]) => boolean = () => true
): Promise<ClientEvents[E]> {
  return new Promise((resolve) => {
    const listener = (payload: ClientEvents[E]): void => {
      if (!isWanted(payload)) return
      client.off(event, listener)
      resolve(payload)
    }
    client.on(event, listener)
  })
}

/** What the promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was expected to reject, and it resolved')
}

/** Everything that a log could show of these values. */
export const everythingShown = (...values: unknown[]): string =>
  values.map((value) => [inspect(value, { depth: 10 }), JSON.stringify(value), String(value)].join('\n')).join('\n')
