import { describe, expect, it } from 'vitest'
import { RESUME_SUBPROTOCOL } from '../../src/wire/subprotocol.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'

/** A client whose tokens are good for a minute, from the wall clock. */
function useTokens(lifetime = 60_000, changes: object = {}) {
  const asked: { attempt: number; reason: string }[] = []
  const token = (context: { attempt: number; reason: string }) => {
    asked.push(context)
    return { token: `token-${String(asked.length)}`, expiresAt: new Date(Date.now() + lifetime) }
  }
  const rig = useClient({
    url: 'wss://example.com/ws',
    protocol: 'legacy',
    heartbeat: false,
    reconnect: { jitter: false },
    auth: { token },
    ...changes
  })
  return { ...rig, asked }
}
const bearerOf = ({ target }: FakeSocket): string | undefined => target.headers.Authorization

describe('a token that expires', () => {
  it('is renewed 30 s before, over a new connection, which counts as no retry', async () => {
    const rig = useTokens()
    const socket = await rig.legacy()
    expect(bearerOf(socket)).toBe('Bearer token-1')
    await rig.clock.advance(29_000)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(1000)
    const next = await rig.relegacy()
    expect(bearerOf(next)).toBe('Bearer token-2')
    expect(rig.asked).toEqual([
      { attempt: 1, reason: 'connect' },
      { attempt: 1, reason: 'connect' }
    ])
    expect(rig.states.some(({ to }) => to === 'waiting')).toBe(false)
    await rig.clock.advance(30_000)
    expect(bearerOf(await rig.relegacy())).toBe('Bearer token-3')
  })

  it('lets what is in flight finish, holds back what is new, and rejects nothing', async () => {
    const rig = useTokens()
    const socket = await rig.legacy()
    const slow = rig.client.callTool({ name: 'slow' }, { timeout: 300_000 })
    await rig.clock.advance(31_000)
    const waiting = rig.client.listTools()
    await rig.clock.advance(5000)
    expect(rig.client.state).toBe('ready')
    expect(socket.methods).not.toContain('tools/list')
    socket.respond('tools/call', { content: [] })
    await slow
    const next = await rig.relegacy()
    next.respond('tools/list', { tools: [] })
    await waiting
    expect(rig.client.stats()).toMatchObject({ lost: 0, resent: 0 })
  })

  it('keeps the session of mcp.v1.resume', async () => {
    const rig = useTokens(60_000, { resume: true })
    void rig.client.connect()
    const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    const hello = { 'mcp.resume': 'hello', v: 1, session: 's1', epoch: 'e1', received: 0, ttlMs: 120_000, durability: 'process' }
    socket.deliver({ ...hello, resumed: false, limits: { messages: 256, bytes: 1000 } })
    socket.respond('initialize', { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } })
    await rig.clock.advance(30_000)
    const next = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    expect(next.sent[0]).toMatchObject({ 'mcp.resume': 'open', session: 's1' })
    expect(socket.sent).not.toContainEqual({ 'mcp.resume': 'end' })
  })

  it('that expires during a handshake is renewed once the connection is ready', async () => {
    const rig = useTokens(12_000)
    void rig.client.connect()
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(8000)
    socket.respond('initialize', { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } })
    await rig.clock.advance(1000)
    expect(rig.states.at(-1)).toMatchObject({ from: 'ready', closure: { code: 1001, reason: 'the token expires' } })
  })

  it('that is too short for a stable connection meets growing delays', async () => {
    const rig = useTokens(2000)
    await rig.legacy()
    await rig.clock.advance(1000)
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay: 1000 })
    await rig.relegacy()
    await rig.clock.advance(1000)
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay: 2000 })
  })
})
