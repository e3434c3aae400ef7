import { describe, expect, test } from 'vitest'
import type { McpWebSocketServerOptions } from '../../src/server/index.js'
import { Faults } from '../../src/server/faults.js'
import { afterTest } from '../helpers/after-test.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { until } from '../helpers/until.js'
import { openPeer, sendUpgrade } from './raw-peer.js'
import { hold, useServer } from './use-server.js'

const fail = (): never => {
  throw new Error('a bug')
}

/** The warnings of this process, as they come. */
function useWarnings(): Error[] {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  afterTest(() => void process.off('warning', onWarning))
  return warnings
}

/** A server without `onerror`. */
const useSilent = (options: Partial<McpWebSocketServerOptions>) => useServer({ onerror: undefined, ...options })

describe('without onerror, a warning of the process tells of', () => {
  const origin = { headers: { Origin: 'https://a.example' } }
  test.each<[string, Partial<McpWebSocketServerOptions>, RegExp, object?]>([
    ['onconnection', { onconnection: fail }, /^onconnection failed, and the connection ends with 1011: Error: a bug\n/],
    ['authenticate', { authenticate: fail }, /^authenticate failed, and the client gets 503: Error: a bug\n/],
    ['allowedOrigins', { allowedOrigins: fail }, /^allowedOrigins failed, and the client gets 503: Error: a bug\n/, origin],
    ['path', { path: fail }, /^path failed, and the client gets 404: Error: a bug\n/],
    ['onrejected', { onrejected: fail, path: '/other' }, /^onrejected failed: Error: a bug\n/],
    [
      'a callback of a transport',
      { onconnection: (transport) => void (hold(transport).transport.onclose = fail) },
      /^a callback of a transport failed: /
    ]
  ])('%s that throws', async (_callback, options, text, request = {}) => {
    const warnings = useWarnings()
    const { port } = await useSilent(options)
    const peer = await sendUpgrade(port, request)
    await peer.response()
    peer.socket.destroy()
    await until(() => warnings.length === 1, 'a warning')
    expect(warnings[0]?.name).toBe('McpWebSocketServerWarning')
    expect(warnings[0]?.message).toMatch(text)
    expect(warnings[0]?.message).toContain('The option onerror takes such errors')
  })
})

describe('an onconnection that does not start its transport', () => {
  const NOT_STARTED = /^onconnection has not started its transport within 5 s: call connect\(transport\)/

  test('is reported after 5 s', async () => {
    const clock = new FakeClock()
    const { port, errors, transports } = await useServer({ onconnection: () => undefined, heartbeat: false }, clock)
    await openPeer(port)
    await until(() => transports.length === 1, 'a connection')
    await clock.advance(4999)
    expect(errors).toEqual([])
    await clock.advance(1)
    expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(NOT_STARTED)])
  })

  test('but later, in time, is not', async () => {
    const clock = new FakeClock()
    const { port, errors, transports } = await useServer({ onconnection: () => undefined, heartbeat: false }, clock)
    await openPeer(port)
    await until(() => transports.length === 1, 'a connection')
    await transports[0]!.start()
    await clock.advance(5000)
    expect(errors).toEqual([])
  })

  test('is not reported where the client has left before', async () => {
    const clock = new FakeClock()
    const { port, errors, transports, server } = await useServer({ onconnection: () => undefined, heartbeat: false }, clock)
    const peer = await openPeer(port)
    await until(() => transports.length === 1, 'a connection')
    peer.socket.destroy()
    await until(() => server.metrics().connections === 0, 'the client has left')
    expect(clock.pendingCount).toBe(0)
    expect(errors).toEqual([])
  })
})

describe('the warnings', () => {
  const make = () => {
    const texts: string[] = []
    return { texts, faults: new Faults(undefined, (text) => texts.push(text)) }
  }

  test('tell each distinct fault once', () => {
    const { texts, faults } = make()
    for (const message of ['a', 'a', 'b', 'a']) faults.report('x failed', new Error(message))
    faults.report('y failed', new Error('a'))
    expect(texts.map((text) => text.split('\n')[0])).toEqual(['x failed: Error: a', 'x failed: Error: b', 'y failed: Error: a'])
  })

  test('are at most 20, as clients may have a say in their words', () => {
    const { texts, faults } = make()
    for (let n = 0; n < 100; n++) faults.report('x failed', new Error(String(n)))
    expect(texts).toHaveLength(20)
  })

  test('do not come where there is an onerror, not even if it throws', () => {
    const told: Error[] = []
    const texts: string[] = []
    const onerror = (error: Error): void => {
      told.push(error)
      fail()
    }
    const faults = new Faults(onerror, (text) => texts.push(text))
    faults.report('x failed', new Error('a'))
    expect([told.length, texts]).toEqual([1, []])
  })
})
