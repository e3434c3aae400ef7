// Serves the page of `page.ts`, and asks every page that is open for its title.
//
//   npm pkg set type=module && npm install esbuild @modelcontextprotocol/client @modelcontextprotocol/server mcp-websocket-client
//   npx esbuild page.ts --bundle --format=esm --outfile=page.js
//   npx tsx gateway.ts page.js 8080
//   (open http://127.0.0.1:8080)
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/client'
import { McpWebSocketServer } from 'mcp-websocket-client/server'

const [script = 'page.js', port = '8080'] = process.argv.slice(2)
const PAGE = '<!doctype html><title>My page</title><script type="module" src="/page.js"></script>'

/** Tokens that were given out, and until when each is good. In a real program a token belongs to the user who is signed in. */
const tokens = new Map<string, number>()
function makeToken(): string {
  const token = randomUUID()
  tokens.set(token, Date.now() + 60_000)
  return token
}

const http = createServer(({ url }, response) => {
  const respond = (type: string, body: string): void => void response.writeHead(200, { 'content-type': type }).end(body)
  if (url === '/') respond('text/html', PAGE)
  else if (url === '/page.js') respond('text/javascript', readFileSync(script, 'utf8'))
  else if (url === '/token') respond('text/plain', makeToken())
  else response.writeHead(404).end()
})

const gateway = new McpWebSocketServer({
  server: http,
  // Only pages that this program has served.
  allowedOrigins: (origin) => origin === `http://127.0.0.1:${String(addressOf())}`,
  authenticate: (_request, token = '') => ((tokens.get(token) ?? 0) > Date.now() ? {} : undefined),
  onconnection: async (transport) => {
    const client = new Client({ name: 'gateway', version: '1.0.0' })
    await client.connect(transport)
    console.log('the title is', JSON.stringify((await client.callTool({ name: 'title' })).content))
  }
})
const addressOf = (): number | undefined => gateway.address()?.port

await gateway.listen()
http.listen(Number(port), '127.0.0.1', () => console.log('listening on', addressOf()))
