import { McpWebSocketClient, type McpWebSocketClientOptions } from '../../../src/index.js'
import { obey, tell } from './obey.js'

// A client in a process of its own, which can be stopped, blocked, given another wall clock, or put into another network.

let client: McpWebSocketClient

const TrueDate = Date

obey({
  open: (options: McpWebSocketClientOptions) => {
    client = new McpWebSocketClient(options)
    client.on('state', (change) => tell('state', change))
    client.on('error', (error) => tell('error', error))
    client.on('notification', ({ method }) => tell('notification', { method }))
  },
  run: (method: 'callTool', ...args: Parameters<McpWebSocketClient['callTool']>) => client[method](...args),
  stats: () => client.stats(),
  /** Nothing else runs for so long. */
  block: (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end);
  },
  /** From now on the wall clock is wrong by so much; the monotonic one goes on as before. */
  jump: (ms: number) => {
    globalThis.Date = class extends TrueDate {
      constructor(...args: readonly unknown[]) {
        if (args.length === 0) super(TrueDate.now() + ms)
        else super(...(args as [number]))
      }

      static override now(): number {
        return TrueDate.now() + ms
      }
    } as DateConstructor
  }
})
