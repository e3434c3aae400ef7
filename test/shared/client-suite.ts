import { connectingSuite } from './connecting.js'
import { reconnectingSuite } from './reconnecting.js'
import { upgradesSuite, type Engine } from './upgrades.js'
import { relayingSuite } from './relaying.js'
import { requestsSuite } from './requests.js'

/**
 * The same facts in every engine (rule of behaviour 10), against the scripted server of helpers/serve-for-browser.ts.
 * They differ only where an engine cannot see HTTP.
 */
export function clientSuite(serverUrl: string, engine: Engine): void {
  connectingSuite(serverUrl)
  requestsSuite(serverUrl)
  reconnectingSuite(serverUrl)
  upgradesSuite(serverUrl, engine)
  relayingSuite(serverUrl)
}
