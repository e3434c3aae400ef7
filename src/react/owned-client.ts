import { McpWebSocketClient, type McpWebSocketClientOptions } from 'mcp-websocket-client'
import { followed, keyOf } from './followed-options.js'

// A failure shows in the state of the client.
const ignore = (): void => undefined

/**
 * A client that one component made, and that only this component connects and closes. Making it has no effect outside: React calls
 * components more often than it shows them, and on servers too.
 */
export class OwnedClient {
  /** The client. */
  readonly client: McpWebSocketClient
  /** Options with another key need another client. */
  readonly key: string
  /** The options of the last render that was shown. */
  options: McpWebSocketClientOptions
  #isMounted = false

  /** @throws TypeError naming the option that is wrong. */
  constructor(options: McpWebSocketClientOptions) {
    this.key = keyOf(options)
    this.options = options
    this.client = new McpWebSocketClient(followed(options, () => this.options))
  }

  /** Connects. @returns Closes the client, unless it is mounted again at once. */
  mount(): () => void {
    this.#isMounted = true
    this.client.connect().catch(ignore)
    return () => {
      this.#isMounted = false
      // StrictMode and hot reload unmount and mount again in one turn: the connection stays.
      queueMicrotask(() => {
        if (!this.#isMounted) void this.client.close()
      })
    }
  }

  /** Dials at once. Does nothing while unmounted: nobody would close the connection. */
  readonly reconnect = (): void => {
    if (this.#isMounted) this.client.reconnect().catch(ignore)
  }
}
