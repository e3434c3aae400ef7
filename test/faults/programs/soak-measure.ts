import type { McpWebSocketClient } from '../../../src/index.js'

// What the programs that soak have in common; nothing of the test runner is imported here.

/** Sockets, timers and all else that is open in this process. */
export const handles = (): string[] => process.getActiveResourcesInfo().sort()

/** Calls `echo`, and fails if that is not what comes back. */
export async function wantEcho(client: McpWebSocketClient, message: string): Promise<void> {
  const { content } = await client.callTool({ name: 'echo', arguments: { message } })
  const [part] = content as readonly { readonly text?: string }[]
  if (part?.text !== message) throw new Error(`${message} was answered with ${String(part?.text)}`)
}
