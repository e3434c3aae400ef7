import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isSameToken, type McpWebSocketServer } from '../../src/server/index.js'
import { frame, OPCODE } from '../faults/kit/wire.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { until } from '../helpers/until.js'
import { openPeer, sendClose, upgrade, type RawPeer, type ServerFrame } from '../server/raw-peer.js'
import { upgradeRequest, type UpgradeOptions } from '../server/upgrade-request.js'
import { bearer, hold, useServer, type Held } from '../server/use-server.js'

// The examples of docs/binding.md, section 13, replayed with our server and a client of which every byte is given, so that the page says
// what a server does.

const section = readFileSync(new URL('../../docs/binding.md', import.meta.url), 'utf8').split(/^## \d+\. .*$/m)[13] ?? ''

/** The rows of the table of upgrades: how a request differs, the status, and what the response has. */
const rows = [...section.matchAll(/^\| (.+?) *\| (\d{3}) +\| `(.+?)` *\|$/gm)].map(
  ([, request = '', status = '', answer = '']) => [request, Number(status), answer] as const
)

/** The request of a row: its code spans are lines of it, those behind "no" are headers that it lacks. */
function requestOf(row: string): UpgradeOptions {
  let options: UpgradeOptions = { headers: bearer('secret') }
  for (const [, isMissing, line = ''] of row.matchAll(/(no )?`([^`]+)`/g)) {
    const [, method, target] = /^(GET|POST) (\S+) HTTP\/1\.1$/.exec(line) ?? []
    const [name = '', value] = isMissing ? [line] : line.split(/: (.*)/)
    options = method && target ? { ...options, method, target } : { ...options, headers: { ...options.headers, [name]: value } }
  }
  return options
}

test('the good request is that of the test', () => {
  const [, block = ''] = /^```upgrade\n([\s\S]*?)^```$/m.exec(section) ?? []
  expect(block.trim().split('\n').sort()).toEqual(upgradeRequest(8080, requestOf('')).trim().split('\r\n').sort())
})

test('there are examples of upgrades', () => {
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.length).toBe(section.match(/\| \d{3} /g)?.length)
})

test.each(rows)('an upgrade: %s gets %i with %s', async (row, status, answer) => {
  const { port } = await useServer({
    allowedOrigins: ['https://app.example.com'],
    authenticate: (_request, token) => (isSameToken(token, 'secret') ? { user: 'ada' } : undefined)
  })
  const response = await upgrade(port, requestOf(row))
  const [name = '', value] = answer.split(/: (.*)/)
  expect([response.status, response.headers[name.toLowerCase()] === value || response.body.trim() === answer]).toEqual([status, true])
})

const examples = [...section.matchAll(/^#### (.+)\n([\s\S]*?)(?=^#|(?![\s\S]))/gm)].flatMap(([, title = '', text = '']) =>
  [...text.matchAll(/^```frames\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => ({ title, lines: lines.trimEnd().split('\n') }))
)

test('there are examples of frames', () => {
  expect(examples.length).toBeGreaterThan(10)
  expect(examples.length).toBe(section.match(/^```frames$/gm)?.length)
})

/** Our server, and a client that does what an example says. */
class Replay {
  readonly #clock = new FakeClock()
  #server!: McpWebSocketServer<object>
  #peer!: RawPeer
  #held: Held | undefined
  /** Frames of the server that the example has named. */
  #read = 0

  /** What an example calls what happens beside the text frames; with what follows these words, and the number before them. */
  readonly #events: Readonly<Record<string, (rest: string, number: number) => unknown>> = {
    's pass': (_rest, seconds) => this.#clock.advance(seconds * 1000),
    'is done': (_rest, id) => this.#held?.release(id),
    'C sends': (rest) => {
      const isBinary = rest.startsWith('{')
      const data = isBinary ? rest.replace(/ as a binary frame$/, '') : '1'.repeat(Number.parseInt(rest))
      this.#peer.write(frame(isBinary ? OPCODE.binary : OPCODE.text, data, { mask: true }))
    },
    'C sends the byte': (rest) => this.#peer.write(frame(OPCODE.text, Buffer.from([Number.parseInt(rest)]), { mask: true })),
    'C sends a frame that is not masked': () => this.#peer.write(frame(OPCODE.text, '{}')),
    'C pings': () => this.#peer.write(frame(OPCODE.ping, '', { mask: true })),
    'C closes': (code) => sendClose(this.#peer, Number(code)),
    'S pings': () => this.#next(OPCODE.ping),
    'S pongs': () => this.#next(OPCODE.pong),
    'S closes': async (codeAndReason) => {
      const { data } = await this.#next(OPCODE.close)
      expect(`${String(data.readUInt16BE(0))} ${data.subarray(2).toString()}`).toContain(codeAndReason)
    },
    'S hangs up': () => this.#peer.gone,
    'S is about to close': () => void this.#server.close(),
    'the token expires': () => this.#clock.advance(10_000),
    // It did, as soon as the client was there.
    'the MCP server throws': () => undefined
  }

  async start(lines: readonly string[]): Promise<void> {
    const expires = lines.includes('the token expires')
    const { server, port } = await useServer<object>(
      {
        maxInFlight: 2,
        maxMessageBytes: 1000,
        authenticate: () => (expires ? { expiresAt: new Date(Date.now() + 10_000) } : {}),
        onconnection: (transport) => {
          if (lines.includes('the MCP server throws')) throw new Error('it failed')
          this.#held = hold(transport)
        }
      },
      this.#clock
    )
    this.#server = server
    this.#peer = await openPeer(port)
  }

  async end(): Promise<void> {
    this.#peer.socket.destroy()
    await this.#peer.gone
    const closed = this.#server.close({ grace: 0 })
    await this.#clock.advance(0)
    await closed
  }

  async play(line: string): Promise<void> {
    const [, direction, text = ''] = /^([CS]): ?(.*)$/.exec(line) ?? []
    if (direction === 'C') return this.#send(text)
    if (direction === 'S') return this.#expectText(text)
    const [, number = '', words = '', rest = ''] = /^(\d*) ?([^\d{]*)(.*)$/.exec(line) ?? []
    const happen = this.#events[words.trim()]
    if (!happen) throw new Error(`the test does not know the step ${JSON.stringify(line)}`)
    await happen(rest, Number(number))
  }

  async #send(text: string): Promise<void> {
    const before = this.#held?.ids.length ?? 0
    this.#peer.send(text)
    // The server must have it before the next step.
    if (text.includes('"hold"')) await until(() => (this.#held?.ids.length ?? 0) > before, 'the request')
  }

  async #expectText(text: string): Promise<void> {
    const { data } = await this.#next(OPCODE.text)
    expect(JSON.parse(data.toString())).toMatchObject(JSON.parse(text) as object)
  }

  async #next(opcode: number): Promise<ServerFrame> {
    await until(() => this.#peer.frames.length > this.#read || this.#peer.socket.closed, 'a frame of the server')
    const next = this.#peer.frames[this.#read++]
    expect(next?.opcode).toBe(opcode)
    return next!
  }
}

test.each(examples)('frames: $title', async ({ lines }) => {
  const replay = new Replay()
  await replay.start(lines)
  try {
    for (const line of lines) await replay.play(line)
  } finally {
    await replay.end()
  }
})
