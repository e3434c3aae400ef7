import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import type { McpWebSocketServer, ServerTransport } from '../../src/server/index.js'
import { PORTS } from '../../src/session/session-host.js'
import { WebSocketClientTransport } from '../../src/transport/websocket-client-transport.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'
import { afterTest } from '../helpers/after-test.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { MemoryHub, type MemoryStore } from '../helpers/memory-store.js'
import { until } from '../helpers/until.js'
import { useWsServer } from '../helpers/ws-server.js'
import { dialForResume, type ResumeClient } from '../server/resume-client.js'
import { useServer } from '../server/use-server.js'

// The examples of docs/binding.md, section 12, replayed with our server and our client, so that the page says what they do.

const root = fileURLToPath(new URL('../../', import.meta.url))
const section = readFileSync(`${root}docs/binding.md`, 'utf8').split(/^## \d+\. .*$/m)[12] ?? ''

type Json = Record<string, unknown>
type End = 'client' | 'server'

/** A frame of an example, or what happens between two frames. */
type Step =
  | { readonly from: 'C' | 'S'; readonly fate: '' | 'lost' | 'again'; readonly frame: Json }
  | { readonly event: string; readonly value: number }

interface Example {
  readonly title: string
  /** The ends of ours that it is replayed with. */
  readonly ends: readonly string[]
  readonly steps: readonly Step[]
}

function readStep(line: string): Step {
  const [, from, fate = '', text] = /^([CS])(?: (lost|again))?: (\{.*\})$/.exec(line) ?? []
  if (text !== undefined) return { from: from as 'C' | 'S', fate: fate as 'lost', frame: JSON.parse(text) as Json }
  const [number = '0'] = /\d+/.exec(line) ?? []
  return { event: line.replace(/\d+/, 'n').replace('passes', 'pass'), value: Number(number) }
}

const examples: readonly Example[] = [...section.matchAll(/^#### (.+)\n[^#]*?^```wire ?(\w*)\n([\s\S]*?)^```$/gm)].map(
  ([, title = '', end = '', lines = '']) => ({
    title,
    ends: end === '' ? ['client', 'server'] : [end],
    steps: lines.trim().split('\n').map(readStep)
  })
)
const examplesFor = (end: End): readonly Example[] => examples.filter(({ ends }) => ends.includes(end))

const isControl = (frame: Json): boolean => 'mcp.resume' in frame
const unknownEvent = (event: string): never => {
  throw new Error(`the test does not know the step ${JSON.stringify(event)}`)
}

test('there are examples, for both ends', () => {
  expect(examples.length).toBe(section.match(/^```wire/gm)?.length)
  expect(examplesFor('client').length).toBeGreaterThan(5)
  expect(examplesFor('server').length).toBeGreaterThan(5)
})

/** Our server, and a client that does what an example says. */
class ServerReplay {
  readonly #clock = new FakeClock()
  readonly #hub = new MemoryHub()
  readonly #isShared: boolean
  /** The names that an example uses, and those that the server gave. */
  readonly #names = new Map<unknown, unknown>()
  readonly #received: JsonRpcMessage[] = []
  readonly #sockets: ResumeClient[] = []
  readonly #servers: McpWebSocketServer[] = []
  #store: MemoryStore | undefined
  #url = ''
  #transport: ServerTransport | undefined
  /** Frames of the server on the newest socket that the example has named. */
  #read = 0

  constructor({ steps }: Example) {
    this.#isShared = steps.some((step) => 'frame' in step && step.frame.durability === 'store')
  }

  async play(step: Step): Promise<void> {
    if ('event' in step) return this.#happen(step)
    if (step.from === 'C') return this.#sendAsClient(step.frame, step.fate)
    if (!isControl(step.frame) && step.fate !== 'again') await this.#transport?.send(step.frame as unknown as JsonRpcMessage)
    if (step.fate === 'lost') this.#read++
    else await this.#expect(step.frame)
  }

  /** A server that is another machine, or has lost its memory. */
  async start(): Promise<void> {
    const store = (this.#store = this.#hub.store())
    const { url, server } = await useServer(
      {
        resume: this.#isShared ? { store } : true,
        heartbeat: false,
        onconnection: (transport) => {
          this.#transport = transport
          transport.onmessage = (message) => this.#received.push(message)
          return transport.start()
        }
      },
      this.#clock
    )
    this.#servers.push(server)
    this.#url = url
  }

  async end(): Promise<void> {
    for (const { ws } of this.#sockets) ws.terminate()
    const closed = this.#servers.map((server) => server.close({ grace: 0 }))
    await this.#clock.advance(0)
    await Promise.all(closed)
  }

  get #server(): McpWebSocketServer {
    return this.#servers.at(-1)!
  }

  get #socket(): ResumeClient {
    return this.#sockets.at(-1)!
  }

  async #happen({ event, value }: { readonly event: string; readonly value: number }): Promise<void> {
    switch (event) {
      case 'C dials':
        this.#sockets.push(await dialForResume(this.#url))
        this.#read = 0
        return
      case 'the connection breaks': {
        this.#socket.ws.terminate()
        return until(() => this.#server.metrics().connections === 0, 'the server has lost the connection')
      }
      case 'n s pass':
        return this.#clock.advance(value * 1000)
      case 'S restarts':
        return this.start()
      case 'the machine is gone':
        this.#hub.dead.add(this.#store?.node ?? '')
        return this.start()
      case 'S is about to close':
        void this.#server.close()
        return
      case 'S closes n':
        expect(await this.#socket.closed).toBe(value)
        return
      case 'S closes the first connection with n':
        expect(await this.#sockets[0]?.closed).toBe(value)
        return
      case 'C is done':
        return
      case 'C closes n':
        this.#socket.ws.close(value)
        expect(await this.#socket.closed).toBe(value)
        return
      default:
        return unknownEvent(event)
    }
  }

  async #sendAsClient(frame: Json, fate: string): Promise<void> {
    if (fate === 'lost') return
    const named = Object.entries(frame).map(([key, value]) => [key, this.#names.get(value) ?? value] as const)
    this.#socket.send(Object.fromEntries(named))
    if (isControl(frame)) return
    await until(() => this.#received.length > 0, 'the message comes up')
    expect(this.#received.shift()).toEqual(frame)
  }

  async #expect(frame: Json): Promise<void> {
    await until(() => this.#socket.texts.length > this.#read, JSON.stringify(frame))
    const actual = JSON.parse(this.#socket.texts[this.#read++] ?? '') as Json
    for (const key of ['session', 'epoch']) {
      if (!(key in frame)) continue
      // The same name in the example is the same name of the server, and another one is another.
      if (!this.#names.has(frame[key])) expect([...this.#names.values()]).not.toContain(actual[key])
      else expect(actual[key]).toBe(this.#names.get(frame[key]))
      this.#names.set(frame[key], actual[key])
      actual[key] = frame[key]
    }
    expect(actual).toEqual(frame)
  }
}

describe('our server does what the binding says:', () => {
  test.each(examplesFor('server'))('$title', async (example) => {
    const replay = new ServerReplay(example)
    await replay.start()
    try {
      for (const step of example.steps) await replay.play(step)
    } finally {
      await replay.end()
    }
  })
})

/** A connection as the server of an example sees it. */
interface ServerSocket {
  readonly ws: WebSocket
  /** All frames of the client, in their order. */
  readonly texts: string[]
  /** Resolves with the close code. */
  readonly closed: Promise<number>
}

/** Our client, and a server that does what an example says. */
class ClientReplay {
  readonly #clock = new FakeClock()
  readonly #sockets: ServerSocket[] = []
  readonly #delivered: Json[] = []
  #transport: WebSocketClientTransport | undefined
  #dials = 0
  /** Frames of the client on the newest socket that the example has named. */
  #read = 0
  #closing: Promise<void> | undefined

  async start(): Promise<void> {
    const { url } = await useWsServer(
      ({ socket: ws }) => {
        const texts: string[] = []
        ws.on('message', (data: Buffer) => texts.push(data.toString()))
        this.#sockets.push({ ws, texts, closed: new Promise((resolve) => ws.once('close', resolve)) })
      },
      { handleProtocols: (offered) => (expect([...offered]).toEqual(['mcp.v1', 'mcp.v1.resume']), 'mcp.v1.resume') }
    )
    const options = { resume: true, heartbeat: false, reconnect: { initialDelay: 10, jitter: false } } as const
    const transport = new WebSocketClientTransport(url, options, { ...PORTS, clock: this.#clock })
    transport.onmessage = (message) => this.#delivered.push(message)
    this.#transport = transport
    afterTest(() => transport.close())
    transport.start().catch(() => undefined)
  }

  async end(): Promise<void> {
    await this.#transport?.close()
    await this.#closing
  }

  async play(step: Step): Promise<void> {
    if ('event' in step) return this.#happen(step)
    const { from, fate, frame } = step
    if (from === 'S') return this.#sendAsServer(frame, fate)
    if (!isControl(frame) && fate !== 'again') await this.#transport?.send(frame as unknown as JsonRpcMessage)
    await this.#expect(frame)
  }

  get #socket(): ServerSocket {
    return this.#sockets.at(-1)!
  }

  async #happen({ event, value }: { readonly event: string; readonly value: number }): Promise<void> {
    switch (event) {
      case 'C dials':
        this.#dials++
        await until(() => {
          // It waits before it dials again.
          if (this.#transport?.state === 'waiting') void this.#clock.advance(10)
          return this.#sockets.length === this.#dials
        }, 'a dial')
        this.#read = 0
        return
      case 'the connection breaks': {
        this.#socket.ws.terminate()
        return until(() => this.#transport?.state === 'waiting', 'the client has lost the connection')
      }
      case 'n s pass':
        // While it has no connection the client asks as soon as it can, and the server has the time.
        if (this.#transport?.state === 'ready') await this.#clock.advance(value * 1000)
        return
      case 'S restarts':
      case 'the machine is gone':
        return
      case 'C is done':
        this.#closing = this.#transport?.close()
        return
      case 'C closes n':
        expect(await this.#socket.closed).toBe(value)
        return
      default:
        return unknownEvent(event)
    }
  }

  async #sendAsServer(frame: Json, fate: string): Promise<void> {
    if (fate === 'lost') return
    this.#socket.ws.send(JSON.stringify(frame))
    if (isControl(frame)) {
      // What follows is about the session that it brings.
      if (frame['mcp.resume'] === 'hello' && frame.tail === undefined) await until(() => this.#transport?.state === 'ready', 'ready')
      return
    }
    await until(() => this.#delivered.some((message) => JSON.stringify(message) === JSON.stringify(frame)), JSON.stringify(frame))
  }

  async #expect(frame: Json): Promise<void> {
    await until(() => this.#socket.texts.length > this.#read, JSON.stringify(frame))
    expect(JSON.parse(this.#socket.texts[this.#read++] ?? '')).toEqual(frame)
  }
}

describe('our client does what the binding says:', () => {
  test.each(examplesFor('client'))('$title', async (example) => {
    const replay = new ClientReplay()
    await replay.start()
    for (const step of example.steps) await replay.play(step)
    await replay.end()
  })
})

describe('the tables of the binding', () => {
  const source = ts.createSourceFile(
    'resume-frames.ts',
    readFileSync(`${root}src/wire/resume-frames.ts`, 'utf8'),
    ts.ScriptTarget.Latest,
    true
  )
  const membersOf = (name: string): string[] =>
    source.statements
      .filter(ts.isInterfaceDeclaration)
      .filter((each) => each.name.text === name)
      .flatMap(({ members }) => members.map((member) => member.name?.getText().replaceAll("'", '') ?? ''))

  test.each([
    ['`open`', 'OpenFrame'],
    ['`hello`', 'HelloFrame'],
    ['`ack`, `ping` and `pong`', 'ReceiptFrame'],
    ['`goaway`', 'GoawayFrame'],
    ['`end`', 'EndFrame']
  ])('name every member of %s', (kinds, name) => {
    const table = section.split(`\n${kinds}: `)[1]?.split(/\n\n(?!\|)/)[0] ?? ''
    const named = [...table.matchAll(/^\| `([\w.]+)`/gm)].map(([, member = '']) => member)
    expect(named).toEqual(membersOf(name))
    expect(named.length).toBeGreaterThan(0)
  })

  test('name every reason for which a session is not resumed', () => {
    const reasons = source.statements
      .filter(ts.isTypeAliasDeclaration)
      .filter((each) => each.name.text === 'ResumeFailure')
      .flatMap(({ type }) => (ts.isUnionTypeNode(type) ? type.types.map((each) => each.getText().replaceAll("'", '')) : []))
    expect(reasons.length).toBeGreaterThan(5)
    expect(reasons.filter((reason) => !section.includes(`\`"${reason}"\``))).toEqual([])
  })
})
