import { expect, test } from 'vitest'
import { McpWebSocketServer } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { useClient } from '../helpers/use-client.js'

const LIFETIME = 1000

test.each([false, true])('calls go on while tokens expire, and none is lost or rejected (resume: %s)', async (resume) => {
  const issued: string[] = []
  const used = new Set<string>()
  const expiries = new Map<string, number>()
  const server = new McpWebSocketServer<{ user: string; expiresAt: number }>({
    resume: resume && { principal: ({ user }) => user },
    authenticate: (_request, token = '') => {
      used.add(token)
      return { user: 'ada', expiresAt: (expiries.get(token) ?? 0) / 1000 }
    },
    onconnection: (transport) => void serveTransport('v2', transport)
  })
  await server.listen()
  afterTest(() => server.close({ grace: 0 }))
  const token = () => {
    const next = { token: `token-${String(issued.length)}`, expiresAt: Date.now() + LIFETIME }
    issued.push(next.token)
    expiries.set(next.token, next.expiresAt)
    return next
  }
  const { client, states, errors } = useClient({
    url: `ws://127.0.0.1:${String(server.address()?.port)}/ws`,
    resume,
    auth: { token },
    // A connection counts as stable soon enough for these short tokens.
    reconnect: { resetAfter: 50 }
  })
  await client.connect()
  const until = performance.now() + 3 * LIFETIME
  let calls = 0
  while (performance.now() < until) {
    const { content } = await client.callTool({ name: 'echo', arguments: { message: String(++calls) } })
    expect(JSON.stringify(content)).toContain(String(calls))
  }
  expect(used.size).toBeGreaterThanOrEqual(4)
  expect(states.filter(({ to }) => to === 'waiting')).toEqual([])
  expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
  expect(errors).toEqual([])
})
