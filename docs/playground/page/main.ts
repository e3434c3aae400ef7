import type { McpWebSocketClientOptions } from 'mcp-websocket-client'
import { Bench } from './bench.js'
import { ConnectionView } from './connection-view.js'
import { byId } from './dom.js'
import { readState, wireFaults } from './fault-panel.js'
import { wireOwnServer } from './own-server.js'

/** Shorter than the defaults, so that there is more to see: nobody wants to watch a heartbeat of 25 s. */
const LIVELY = {
  connectTimeout: 4000,
  heartbeat: { interval: 3000, timeout: 2000 },
  reconnect: { initialDelay: 1500, maxDelay: 5000, maxRetries: 1000 }
} as const satisfies Partial<McpWebSocketClientOptions>

/** The part of the page that the address names. */
function showPart(): void {
  const name = location.hash === '#elsewhere' ? 'elsewhere' : 'here'
  for (const part of ['here', 'elsewhere']) byId(part).hidden = part !== name
  for (const link of document.querySelectorAll('nav a')) link.ariaCurrent = link.getAttribute('href') === `#${name}` ? 'page' : null
}

addEventListener('hashchange', showPart)
showPart()
wireOwnServer(new Bench(byId('bench-elsewhere'), '2. Call a tool'))

const state = await readState()
wireFaults(byId('faults'), state)
const views = {
  'without sessions': new ConnectionView('Without sessions', { url: state.url, ...LIVELY }),
  'with sessions': new ConnectionView('With sessions', { url: state.url, resume: true, ...LIVELY })
}
new Bench(byId('bench-here'), '1. Call a tool').use(views)
for (const view of Object.values(views)) {
  byId('connections-here').append(view.element)
  view.connect()
}
