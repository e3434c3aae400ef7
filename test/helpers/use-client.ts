import { McpWebSocketClient, type McpWebSocketClientOptions, type StateChange } from '../../src/index.js'
import { afterTest } from './after-test.js'

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
