import type { ClientEvents, McpWebSocketClient } from '../../src/index.js'

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
