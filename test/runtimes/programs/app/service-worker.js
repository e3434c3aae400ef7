import { McpWebSocketClient } from 'mcp-websocket-client'
import { use } from './use.js'

/** A client that stays connected from one message to the next. */
let kept
let calls = 0

async function keep({ url, token, message }) {
  kept ??= new McpWebSocketClient({ url, auth: { token, via: 'subprotocol' } })
  await kept.connect()
  await kept.callTool({ name: 'echo', arguments: { message } })
  return { calls: ++calls }
}

globalThis.answerWith((place) => (place.keeps ? keep(place) : use(place)))
