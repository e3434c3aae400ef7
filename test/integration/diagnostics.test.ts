import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import type { DiagnosticEvent, StateChange } from '../../src/index.js'
import { afterTest } from '../helpers/after-test.js'
import { useClient } from '../helpers/use-client.js'
import { useServer } from '../server/use-server.js'

/** What the channel tells. */
function watch(): DiagnosticEvent<StateChange>[] {
  const events: DiagnosticEvent<StateChange>[] = []
  const listener = (event: unknown): void => void events.push(event as DiagnosticEvent<StateChange>)
  subscribe('mcp-websocket-client', listener)
  afterTest(() => void unsubscribe('mcp-websocket-client', listener))
  return events
}

test('the diagnostics channel of Node tells states, requests and frames, without secrets', async () => {
  const { url } = await useServer<string>({ authenticate: (_request, token) => token })
  const events = watch()
  const { client } = useClient({ url: `${url}?key=secret-key`, auth: { token: 'secret-token' } })
  await client.connect()
  await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  await client.close()
  const states = events.flatMap((event) => (event.kind === 'state' ? event.change.to : []))
  expect(states).toEqual(['connecting', 'initializing', 'ready', 'closing', 'closed'])
  const requests = events.filter(({ kind }) => kind === 'request')
  expect(requests).toEqual([{ url, kind: 'request', id: expect.any(Number) as number, method: 'tools/call', resent: false }])
  const frames = events.flatMap((event) => (event.kind === 'frame' ? `${event.direction} ${event.text}` : []))
  expect(frames.filter((frame) => frame.startsWith('out') && frame.includes('tools/call'))).toHaveLength(1)
  expect(frames.filter((frame) => frame.startsWith('in') && frame.includes('"content":'))).not.toEqual([])
  expect(JSON.stringify(events)).not.toContain('secret-')
})

test('what a subscriber of the channel throws harms no call', async () => {
  const thrown: unknown[] = []
  const onUncaught = (error: unknown): void => void thrown.push(error)
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', onUncaught)
  const listener = (): void => {
    throw new Error('a bug of the subscriber')
  }
  subscribe('mcp-websocket-client', listener)
  afterTest(() => {
    unsubscribe('mcp-websocket-client', listener)
    process.off('uncaughtException', onUncaught)
    for (const each of before) process.on('uncaughtException', each)
  })
  const { url } = await useServer()
  const { client } = useClient({ url })
  await client.connect()
  expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  expect(thrown.length).toBeGreaterThan(0)
})
