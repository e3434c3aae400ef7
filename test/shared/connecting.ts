import { describe, expect, it } from 'vitest'
import type { ClientEvents } from '../../src/session/events.js'
import { methodsOf, offers, useLab } from './lab.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'

/** Opening and closing. */
export function connectingSuite(serverUrl: string): void {
  describe('connecting', () => {
    const lab = useLab(serverUrl)

    it('reaches ready on a legacy server, and says what was agreed', async () => {
      const client = lab.client('/legacy')
      const states: ClientEvents['state'][] = []
      client.on('state', (change) => states.push(change))
      expect(client).toMatchObject({ state: 'idle', era: undefined, protocolVersion: undefined, subprotocol: undefined })
      await client.connect()
      expect(states.map(({ from, to }) => `${from} > ${to}`)).toEqual([
        'idle > connecting',
        'connecting > initializing',
        'initializing > ready'
      ])
      expect(client).toMatchObject({
        state: 'ready',
        era: 'legacy',
        protocolVersion: '2025-11-25',
        serverInfo: { name: 'scripted', version: '1' },
        serverCapabilities: { tools: { listChanged: true } },
        instructions: 'Be brief.',
        subprotocol: 'mcp.v1'
      })
      const [dial] = await lab.log('notifications/initialized')
      expect(methodsOf(dial)).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
    })

    it('reaches ready on a modern server', async () => {
      const client = await lab.connected('/modern')
      expect(client).toMatchObject({
        state: 'ready',
        era: 'modern',
        protocolVersion: '2026-07-28',
        serverInfo: { name: 'scripted', version: '2' }
      })
      expect(methodsOf((await lab.log())[0])).toEqual(['server/discover'])
    })

    it('offers exactly mcp.v1', async () => {
      await lab.connected('/legacy')
      expect((await lab.log()).map(({ offered }) => offered)).toEqual(['mcp.v1'])
    })

    it('offers further subprotocols behind mcp.v1, and tells which one the server chose', async () => {
      const client = await lab.connected('/choose/mcp', { subprotocols: ['mcp', 'other'] })
      expect(offers((await lab.log())[0])).toEqual(['mcp.v1', 'mcp', 'other'])
      expect(client.subprotocol).toBe('mcp')
    })

    it('asks no legacy server for its era when told what it is', async () => {
      await lab.connected('/legacy', { protocol: 'legacy' })
      expect(methodsOf((await lab.log('notifications/initialized'))[0])).toEqual(['initialize', 'notifications/initialized'])
    })

    it('dials http: URLs as ws:, and evaluates a function', async () => {
      const url = lab.url('/legacy').replace(/^ws/, 'http')
      const client = await lab.connected('/', { url: () => Promise.resolve(new URL(url)) })
      expect(client.state).toBe('ready')
    })

    it('A1: dials once for callers that come together', async () => {
      const client = lab.client('/legacy')
      await Promise.all([client.connect(), client.connect(), client.connect()])
      await client.connect()
      expect(await lab.log()).toHaveLength(1)
    })

    it('closes with code 1000', async () => {
      const client = await lab.connected('/legacy')
      const closed = nextEvent(client, 'close')
      await Promise.all([client.close(), client.close(), closed])
      expect(client.state).toBe('closed')
      expect((await lab.log('close'))[0]?.closeCode).toBe(1000)
    })

    it('rejects what is pending at close(), and what comes after it', async () => {
      const client = await lab.connected('/legacy')
      const call = rejectionOf(client.callTool({ name: 'silent' }))
      await client.close()
      expect(await call).toMatchObject({ name: 'ClosedError', code: 'CLOSED', delivery: 'unknown' })
      expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'ClosedError', delivery: 'not-sent' })
    })

    it('closes without a server that no longer listens', async () => {
      const client = await lab.connected('/deaf?after=notifications/initialized', { closeTimeout: 30 })
      await lab.log('notifications/initialized')
      const states: string[] = []
      client.on('state', ({ to }) => states.push(to))
      await client.close()
      expect(states).toEqual(['closing', 'closed'])
    })

    it('closes while it dials, and rejects who waits for it', async () => {
      const client = lab.client('/hang')
      const failure = rejectionOf(client.connect())
      await lab.log('dial')
      await client.close()
      expect(await failure).toMatchObject({ name: 'ClosedError' })
      expect(client.state).toBe('closed')
    })

    it('A25: starts a new life after it gave up', async () => {
      const client = lab.client('/status/503?times=1', { reconnect: false })
      await rejectionOf(client.connect())
      expect(client.state).toBe('failed')
      await client.connect()
      expect((await client.listTools()).tools).toHaveLength(1)
      expect(await lab.log()).toHaveLength(2)
    })

    it('A5: starts a new life after close()', async () => {
      const client = await lab.connected('/legacy')
      await client.close()
      await client.connect()
      expect((await client.listTools()).tools).toHaveLength(1)
      expect(await lab.log()).toHaveLength(2)
    })

    it('gives a dial up when its signal fires, with the reason of the signal', async () => {
      const client = lab.client('/hang')
      const controller = new AbortController()
      const reason = new Error('never mind')
      const failure = rejectionOf(client.connect({ signal: controller.signal }))
      await lab.log('dial')
      controller.abort(reason)
      expect(await failure).toBe(reason)
      expect(client.state).toBe('closed')
    })

    it('gives a server up that accepts and says nothing', async () => {
      const client = lab.client('/hang', { connectTimeout: 50, reconnect: false })
      expect(await rejectionOf(client.connect())).toMatchObject({
        name: 'HandshakeError',
        code: 'CONNECT_TIMEOUT',
        retryable: true,
        delivery: 'not-sent'
      })
      expect(client.state).toBe('failed')
    })

    it('gives a server up that opens and answers nothing, era probe included', async () => {
      const client = lab.client('/silent', { probeTimeout: 20, handshakeTimeout: 100, reconnect: false })
      expect(await rejectionOf(client.connect())).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_TIMEOUT' })
      expect(methodsOf((await lab.log())[0])).toEqual(['server/discover', 'initialize'])
    })

    it('dials at every attempt again after a timeout, up to the cap', async () => {
      const client = lab.client('/hang', { connectTimeout: 30, reconnect: { initialDelay: 5, jitter: false, maxRetries: 2 } })
      const error = await rejectionOf(client.connect())
      expect(error).toMatchObject({
        name: 'RetriesExhaustedError',
        code: 'RETRIES_EXHAUSTED',
        attempts: 3,
        cause: { code: 'CONNECT_TIMEOUT' }
      })
      expect(await lab.log()).toHaveLength(3)
    })
  })
}
