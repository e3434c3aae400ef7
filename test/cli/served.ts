import { McpWebSocketClient, type McpWebSocketClientOptions } from '../../src/index.js'
import { afterTest } from '../helpers/after-test.js'

// For tests of `mcp-ws serve`: a client of it, and whether a program of it lives.

/** A client that is ready; it is closed after the test. */
export async function useClient(url: string, options: Partial<McpWebSocketClientOptions> = {}): Promise<McpWebSocketClient> {
  const client = new McpWebSocketClient({ url, protocol: 'legacy', reconnect: { initialDelay: 20 }, ...options })
  afterTest(() => client.close())
  await client.connect()
  return client
}

/** Whether there is a process with this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
