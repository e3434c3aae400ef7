// Bundled with the official SDK and the browser build of the transport, and served with a Content-Security-Policy. It begins by itself:
// what a driver evaluates in a page may be exempt from the policy.
import { violations } from './violations.js'
import { WebSocketClientTransport } from '../../src/transport/index.js'
import { relay, type RelayPlan, type Report } from './relay.js'

/** What the page tells of itself. */
export interface PageReport extends Report {
  /** Lines of the script at which the policy forbade an `eval`. */
  readonly violations: readonly number[]
}

declare global {
  var report: Promise<PageReport>
}

async function play(): Promise<PageReport> {
  const plan = JSON.parse(decodeURIComponent(location.hash.slice(1))) as RelayPlan
  return { ...(await relay(WebSocketClientTransport, plan)), violations }
}

globalThis.report = play()
