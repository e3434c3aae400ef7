import { McpWebSocketClient, type McpWebSocketClientOptions } from '../../../src/index.js'

// A program: `node hostile-victim.mjs <options as JSON>` dies of what `connect()` rejects with; Node writes that to stderr.

const [options = '{}'] = process.argv.slice(2)
await new McpWebSocketClient({ ...(JSON.parse(options) as McpWebSocketClientOptions), reconnect: false }).connect()
