import { describe, expect, it } from 'vitest'
import { FAST, LATE, offers, useLab } from './lab.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'

/** What kind of WebSocket runs the tests: a browser's shows nothing of a rejected upgrade, Bun's looks for the subprotocol by itself. */
export type Engine = 'node' | 'bun' | 'browser'

/** What a browser tells of every rejected upgrade: that it failed, with the likely causes. */
const OPAQUE = {
  name: 'HandshakeError',
  code: 'CONNECT_FAILED',
  retryable: true,
  hint: expect.stringMatching(/401.*403.*426.*onMissingSubprotocol.*certificate/s) as string
}

/** Servers that reject the upgrade, or accept it in another way than the client asked for. */
export function upgradesSuite(serverUrl: string, engine: Engine): void {
  const seesHttp = engine !== 'browser'
  const acceptsAtOnce = engine === 'node'

  describe('N20: a server that names no subprotocol', () => {
    const lab = useLab(serverUrl)

    it('fails the dial, with a hint at the remedy', async () => {
      const client = lab.client('/no-subprotocol', { reconnect: { ...FAST, maxRetries: 1 } })
      const error = await rejectionOf(client.connect())
      if (seesHttp) {
        const hint = expect.stringContaining("onMissingSubprotocol: 'accept'") as string
        expect(error).toMatchObject({
          name: 'SubprotocolError',
          code: 'SUBPROTOCOL_MISMATCH',
          offered: ['mcp.v1'],
          received: undefined,
          hint
        })
      } else expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 2, cause: OPAQUE })
      expect(await lab.log()).toHaveLength(seesHttp ? 1 : 2)
    })

    it(`is accepted on request ${acceptsAtOnce ? 'by the same dial' : 'by one more dial without subprotocols'}`, async () => {
      const client = await lab.connected('/no-subprotocol', { onMissingSubprotocol: 'accept', reconnect: LATE })
      expect(client.subprotocol).toBeUndefined()
      expect((await client.listTools()).tools).toHaveLength(1)
      expect((await lab.log()).map(({ offered }) => offered)).toEqual(acceptsAtOnce ? ['mcp.v1'] : ['mcp.v1', null])
    })
  })

  describe('a server that names another subprotocol', () => {
    const lab = useLab(serverUrl)

    it.each(['fail', 'accept'] as const)('fails the dial with onMissingSubprotocol: %s', async (onMissingSubprotocol) => {
      const client = lab.client('/wrong-subprotocol', { onMissingSubprotocol, reconnect: { ...FAST, maxRetries: 1 } })
      const error = await rejectionOf(client.connect())
      if (seesHttp) expect(error).toMatchObject({ name: 'SubprotocolError', offered: ['mcp.v1'], received: 'other' })
      else expect(error).toMatchObject({ name: 'RetriesExhaustedError', cause: OPAQUE })
      expect(client.state).toBe('failed')
    })

    it('is fine with a program that offers it', async () => {
      const client = await lab.connected('/wrong-subprotocol', { subprotocols: ['other'] })
      expect(client.subprotocol).toBe('other')
    })
  })

  describe('a rejected upgrade', () => {
    const lab = useLab(serverUrl)
    const twice = { ...FAST, maxRetries: 1 }

    it.each([
      [401, 'UNAUTHORIZED'],
      [403, 'UNAUTHORIZED'],
      [302, 'UNEXPECTED_STATUS'],
      [400, 'UNEXPECTED_STATUS'],
      [404, 'UNEXPECTED_STATUS'],
      [426, 'UNEXPECTED_STATUS']
    ])(`with status %i ${seesHttp ? 'is fatal' : 'is retried up to the cap'}`, async (status, code) => {
      const client = lab.client(`/status/${String(status)}`, { reconnect: twice })
      const error = await rejectionOf(client.connect())
      const shown = { code, status, retryable: false, hint: expect.any(String) as string }
      expect(error).toMatchObject(seesHttp ? shown : { name: 'RetriesExhaustedError', attempts: 2, cause: OPAQUE })
      if (seesHttp && status !== 302) expect(error).toMatchObject({ body: `rejected with ${String(status)}` })
      expect(client.state).toBe('failed')
      expect(await lab.log()).toHaveLength(seesHttp ? 1 : 2)
    })

    it.each([408, 425, 429, 500, 502, 503])('with status %i is retried up to the cap', async (status) => {
      const client = lab.client(`/status/${String(status)}`, { reconnect: twice })
      const cause = seesHttp ? { name: 'HandshakeError', code: 'UNEXPECTED_STATUS', status, retryable: true } : OPAQUE
      expect(await rejectionOf(client.connect())).toMatchObject({ name: 'RetriesExhaustedError', attempts: 2, cause })
      expect(await lab.log()).toHaveLength(2)
    })

    it('that is over when the client dials again ends in ready', async () => {
      const client = await lab.connected('/status/503?times=2')
      expect(client.state).toBe('ready')
      expect((await lab.log()).map(offers)).toEqual([['mcp.v1'], ['mcp.v1'], ['mcp.v1']])
    })

    it(`with Retry-After ${seesHttp ? 'sets the delay' : 'is like any other: the header is out of reach'}`, async () => {
      const client = lab.client('/status/503?retry-after=30')
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      const failure = rejectionOf(client.connect())
      const { delay, closure } = await waiting
      expect(closure).toMatchObject(seesHttp ? { kind: 'http', status: 503, retryAfter: 30_000 } : { kind: 'network', error: OPAQUE })
      if (seesHttp) expect(delay).toBeGreaterThanOrEqual(30_000)
      else expect(delay).toBe(FAST.initialDelay)
      await client.close()
      expect(await failure).toMatchObject({ name: 'ClosedError' })
    })

    it('with reconnect: false rejects with the attempt’s own error', async () => {
      const client = lab.client('/status/503', { reconnect: false })
      expect(await rejectionOf(client.connect())).toMatchObject(seesHttp ? { code: 'UNEXPECTED_STATUS', status: 503 } : OPAQUE)
    })

    it.runIf(seesHttp)('shows its body whole, even if a secret begins as the body ends', async () => {
      const client = lab.client('/status/404?token=4-is-how-it-begins')
      expect(await rejectionOf(client.connect())).toMatchObject({ body: 'rejected with 404' })
    })

    it('by nobody at all is a failed connection', async () => {
      // Outside the range of ports that systems give away by themselves, and not on the list that browsers block.
      const client = lab.client('/', { url: 'ws://127.0.0.1:65535/ws', reconnect: false })
      expect(await rejectionOf(client.connect())).toMatchObject({ code: 'CONNECT_FAILED', retryable: true })
    })
  })
}
