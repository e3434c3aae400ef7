import { expect, test } from 'vitest'
import { bundle, useChild } from '../helpers/child.js'
import { useWsServer, type Frame } from '../helpers/ws-server.js'

const COUNT = 100_000
const MOST_BYTES_EACH = 650
const MOST_LEFT = 2 * 2 ** 20

interface Measured {
  readonly pending: number
  readonly rejected: number
  readonly bytesEach: number
  readonly leftBytes: number
  readonly asked: number
  readonly closed: number
  readonly left: number
}

test.for(['legacy', 'modern'] as const)(
  'A20: 100,000 pending requests cost at most 650 bytes each and are all given back: %s',
  { timeout: 60_000 },
  async (era, { annotate }) => {
    let waiting = 0
    const server = await useWsServer((connection) => {
      const { socket, send, received } = connection
      socket.on('message', (data: Buffer) => {
        // Nobody looks at them later, and the test's own memory is limited too.
        received.length = 0
        const { id, method } = JSON.parse(data.toString()) as Frame
        if (method === 'initialize')
          send({ id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'silent', version: '1' } } })
        else if (method === 'server/discover' && era === 'modern')
          send({ id, result: { supportedVersions: ['2026-07-28'], capabilities: {} } })
        else if (method === 'server/discover') send({ id, error: { code: -32601, message: 'unknown' } })
        else if (method === 'test/never' && (++waiting === 1000 || waiting === 1000 + COUNT)) send({ method: 'notifications/drained' })
      })
    })
    const child = useChild(await bundle(new URL('./child-pending.ts', import.meta.url)), [server.url, String(COUNT)], ['--expose-gc'])
    const measured = JSON.parse(await child.nextLine()) as Measured
    const each = `${measured.bytesEach.toFixed(0)} bytes each`
    const left = `${(measured.leftBytes / 1024).toFixed(0)} KiB left after close()`
    const words = `${each}, ${left}; asked in ${measured.asked.toFixed(0)} ms, closed in ${measured.closed.toFixed(0)} ms`
    await annotate(words)
    expect(measured, words).toMatchObject({ pending: COUNT + 1000, rejected: COUNT + 1000, left: 0 })
    expect(measured.bytesEach, words).toBeLessThanOrEqual(MOST_BYTES_EACH)
    expect(measured.leftBytes, words).toBeLessThanOrEqual(MOST_LEFT)
    expect(await child.gone, child.complaints).toBe(0)
  }
)
