import type { McpWebSocketClient } from '../../../src/index.js'

// What the programs that soak have in common; nothing of the test runner is imported here.

/** Bytes in use, when all garbage is gone. */
export async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 6; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    ;(globalThis as { gc?: () => void }).gc?.()
  }
  return process.memoryUsage().heapUsed
}

/** Sockets, timers and all else that is open in this process. */
export const handles = (): string[] => process.getActiveResourcesInfo().sort()

/** Calls `echo`, and fails if that is not what comes back. */
export async function wantEcho(client: McpWebSocketClient, message: string): Promise<void> {
  const { content } = await client.callTool({ name: 'echo', arguments: { message } })
  const [part] = content as readonly { readonly text?: string }[]
  if (part?.text !== message) throw new Error(`${message} was answered with ${String(part?.text)}`)
}
