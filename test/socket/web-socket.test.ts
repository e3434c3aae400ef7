import { describe, expect, it } from 'vitest'
import {
  oversize,
  StandardSocket,
  type Socket,
  type SocketClosure,
  type SocketListener,
  type SocketOptions,
  type WebSocketLike
} from '../../src/socket/web-socket.js'
import type { Target } from '../../src/socket/web-socket.js'

/** A WebSocket of an engine that the test plays. */
class Engine implements WebSocketLike {
  binaryType = 'blob'
  protocol: string | null = 'mcp.v1'
  onopen: WebSocketLike['onopen'] = null
  onmessage: WebSocketLike['onmessage'] = null
  onerror: WebSocketLike['onerror'] = null
  onclose: WebSocketLike['onclose'] = null
  readyState?: number
  bufferedAmount?: number
  readonly sent: string[] = []
  readonly closed: (readonly [number | undefined, string | undefined])[] = []
  throwsOnClose = false

  send(data: string): void {
    this.sent.push(data)
  }

  close(code?: number, reason?: string): void {
    if (this.throwsOnClose) throw new Error('InvalidStateError')
    this.closed.push([code, reason])
  }
}

class Log implements SocketListener {
  readonly events: unknown[] = []
  closure: SocketClosure | undefined
  onOpened(subprotocol: string | undefined): void {
    this.events.push(['opened', subprotocol])
  }
  onText(text: string, bytes: number): void {
    this.events.push(['text', text, bytes])
  }
  onUndecodable(): void {
    this.events.push(['undecodable'])
  }
  onHeard(): void {
    this.events.push(['heard'])
  }
  onPong(): void {
    this.events.push(['pong'])
  }
  onClosed(closure: SocketClosure): void {
    this.events.push(['closed'])
    this.closure = closure
  }
}

const TARGET: Target = { url: new URL('wss://example.com/'), protocols: ['mcp.v1'], headers: {}, secrets: ['secret-token'] }
const OPTIONS: SocketOptions = { onMissingSubprotocol: 'fail', maxMessageBytes: 100, perMessageDeflate: false, closeTimeout: 1000 }

function rig(target: Partial<Target> = {}, options: Partial<SocketOptions> = {}): { engine: Engine; log: Log; socket: Socket } {
  const engine = new Engine()
  const log = new Log()
  return { engine, log, socket: new StandardSocket(engine, { ...TARGET, ...target }, { ...OPTIONS, ...options }, log) }
}

const utf8 = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer
const close = (engine: Engine, code: number, reason = '', wasClean = false): void => engine.onclose?.({ code, reason, wasClean })

describe('a dial', () => {
  it('opens with the subprotocol that the server chose', () => {
    const { engine, log } = rig()
    engine.onopen?.()
    expect(log.events).toEqual([['opened', 'mcp.v1']])
  })

  it('may end with an error that no close follows (Node 22)', () => {
    const { engine, log } = rig()
    engine.onerror?.({})
    expect(log.closure).toMatchObject({ kind: 'network', code: 1006, wasClean: false, error: { code: 'CONNECT_FAILED', retryable: true } })
    expect(log.events).toEqual([['closed']])
  })

  it('may end with an error and a close: it ends once', () => {
    const { engine, log } = rig()
    engine.onerror?.({ message: 'failed' })
    close(engine, 1006)
    expect(log.events).toEqual([['closed']])
  })

  it('ends once, also with a class that reports its end at every close()', () => {
    const { engine, log } = rig()
    engine.close = (code = 1000) => {
      engine.closed.push([code, undefined])
      // So that a fault is a failure, and not a test without end.
      if (engine.closed.length < 10) close(engine, code)
    }
    close(engine, 1006)
    expect(log.events).toEqual([['closed']])
    expect(engine.closed).toHaveLength(1)
  })

  it('may end with the close that was asked for', () => {
    const { engine, log } = rig()
    close(engine, 1000, '', true)
    expect(log.closure).toEqual({ kind: 'close', code: 1000, reason: '', wasClean: true, retryAfter: undefined })
  })

  it('may end with a close alone', () => {
    const { engine, log } = rig()
    close(engine, 1006)
    expect(log.closure).toMatchObject({ kind: 'network', error: { code: 'CONNECT_FAILED' } })
  })

  it('says what hides behind the failure, which engines do not tell', () => {
    const { engine, log } = rig()
    engine.onerror?.({})
    expect(log.closure?.error?.hint).toMatch(/onMissingSubprotocol/)
    expect(log.closure?.error?.hint).toMatch(/401/)
  })

  it('fails when the server chose no subprotocol (Firefox opens it)', () => {
    const { engine, log } = rig()
    engine.protocol = ''
    engine.onopen?.()
    expect(log.closure).toMatchObject({
      kind: 'subprotocol',
      error: { code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1'], received: undefined }
    })
    expect(log.events).toEqual([['closed']])
    expect(engine.closed).toHaveLength(1)
  })

  it('fails when the server chose one that was not offered', () => {
    const { engine, log } = rig()
    engine.protocol = 'graphql-ws'
    engine.onopen?.()
    expect(log.closure).toMatchObject({ kind: 'subprotocol', error: { received: 'graphql-ws' } })
  })

  it('does not count a token among what was offered, nor show it', () => {
    const { engine, log } = rig({ protocols: ['mcp.v1', 'mcp.bearer.c2VjcmV0LXRva2Vu'] })
    engine.protocol = 'mcp.bearer.c2VjcmV0LXRva2Vu'
    engine.onopen?.()
    expect(log.closure?.kind).toBe('subprotocol')
    expect(log.closure?.error).toMatchObject({ offered: ['mcp.v1'] })
  })

  it('does not show a secret that the server names as its choice', () => {
    const { engine, log } = rig()
    engine.protocol = 'x-secret-token'
    engine.onopen?.()
    expect(log.closure?.error).toMatchObject({ received: 'x-[redacted]' })
  })

  it.each(['fail', 'accept'] as const)('takes null for no subprotocol, as workerd has it (%s)', (onMissingSubprotocol) => {
    const { engine, log } = rig({}, { onMissingSubprotocol })
    engine.protocol = null
    engine.onopen?.()
    if (onMissingSubprotocol === 'accept') expect(log.events).toEqual([['opened', undefined]])
    else expect(log.closure).toMatchObject({ kind: 'subprotocol', error: { received: undefined } })
  })

  it('opens without a subprotocol where that is accepted', () => {
    const { engine, log } = rig({}, { onMissingSubprotocol: 'accept' })
    engine.protocol = ''
    engine.onopen?.()
    expect(log.events).toEqual([['opened', undefined]])
  })
})

describe('an open socket', () => {
  const opened = (options: Partial<SocketOptions> = {}, target: Partial<Target> = {}): ReturnType<typeof rig> => {
    const all = rig(target, options)
    all.engine.onopen?.()
    all.log.events.length = 0
    return all
  }

  it('sends text and counts its bytes', () => {
    const { engine, socket } = opened()
    expect(socket.send('a\u00fc\u{1F600}')).toBe(7)
    expect(engine.sent).toEqual(['a\u00fc\u{1F600}'])
  })

  it('has no ping, no count of bytes, and nothing to learn from a dial that takes too long', () => {
    const { socket } = opened()
    expect([socket.ping(), socket.bytesRead, socket.expire()]).toEqual([false, undefined, undefined])
    expect(() => socket.unref()).not.toThrow()
  })

  it('P17: asks for binary frames as ArrayBuffer, and reads them as text, in order', () => {
    const { engine, log } = opened()
    expect(engine.binaryType).toBe('arraybuffer')
    engine.onmessage?.({ data: 'one' })
    engine.onmessage?.({ data: utf8('two \u00fc') })
    engine.onmessage?.({ data: 'three' })
    expect(log.events).toEqual([
      ['text', 'one', 3],
      ['text', 'two \u00fc', 6],
      ['text', 'three', 5]
    ])
  })

  it('tells of binary frames that are not UTF-8, and goes on', () => {
    const { engine, log } = opened()
    engine.onmessage?.({ data: new Uint8Array([0xff, 0xfe, 0x00]).buffer })
    engine.onmessage?.({ data: 'next' })
    expect(log.events).toEqual([['undecodable'], ['text', 'next', 4]])
  })

  it('tells of data that is neither text nor buffer', () => {
    const { engine, log } = opened()
    engine.onmessage?.({ data: new Blob(['x']) })
    expect(log.events).toEqual([['undecodable']])
  })

  it.each([
    ['text', 'x'.repeat(101)],
    ['text of fewer characters', '\u00fc'.repeat(51)],
    ['binary', utf8('x'.repeat(101))]
  ])('ends with 1009 when a message is too large: %s', (_kind, data) => {
    const { engine, log } = opened()
    engine.onmessage?.({ data })
    expect(log.events).toEqual([['closed']])
    expect(log.closure).toMatchObject({ kind: 'close', code: 1009, wasClean: false })
    expect(log.closure?.reason).toContain('maxMessageBytes')
  })

  it('takes a message of exactly maxMessageBytes', () => {
    const { engine, log } = opened()
    engine.onmessage?.({ data: 'x'.repeat(100) })
    expect(log.events).toEqual([['text', 'x'.repeat(100), 100]])
  })

  it('ends at the close event with its code, reason and wasClean', () => {
    const { engine, log } = opened()
    close(engine, 1012, 'restart', true)
    expect(log.closure).toMatchObject({ kind: 'close', code: 1012, reason: 'restart', wasClean: true })
  })

  it('ends at a close event that has nothing but a code (React Native)', () => {
    const { engine, log } = opened()
    engine.onclose?.({ code: 1001 })
    expect(log.closure).toMatchObject({ kind: 'close', code: 1001, reason: '', wasClean: false })
    const other = opened()
    other.engine.onclose?.({ code: 1001, reason: null, wasClean: true })
    expect(other.log.closure).toMatchObject({ code: 1001, reason: '', wasClean: true })
  })

  it('does not end at an error: the close event follows', () => {
    const { engine, log } = opened()
    engine.onerror?.({})
    expect(log.events).toEqual([])
    close(engine, 1006)
    expect(log.events).toEqual([['closed']])
  })

  it.each([
    [0, false],
    [1006, true]
  ])('takes code %i (wasClean: %j) as 1006 and not clean (Deno, Firefox)', (code, wasClean) => {
    const { engine, log } = opened()
    close(engine, code, '', wasClean)
    expect(log.closure).toMatchObject({ code: 1006, wasClean: false })
  })

  it('reads retry-after out of the reason', () => {
    const { engine, log } = opened()
    close(engine, 1013, 'overloaded; retry-after=7', true)
    expect(log.closure).toMatchObject({ code: 1013, retryAfter: 7000 })
  })

  it('shows no secret that the server quotes', () => {
    const { engine, log } = opened()
    close(engine, 1008, 'bad token secret-token', true)
    expect(log.closure?.reason).toBe('bad token [redacted]')
  })

  it('closes with the code and reason that it is told', () => {
    const { engine, socket } = opened()
    socket.close(1000, 'bye')
    expect(engine.closed).toEqual([[1000, 'bye']])
  })
})

describe('what is buffered', () => {
  const opened = (engineState: Partial<Engine>): Socket => {
    const { engine, socket } = rig()
    Object.assign(engine, engineState)
    return socket
  }

  it.each([0, 2, 3])('is infinite while readyState is %i: nothing more may be written', (readyState) => {
    expect(opened({ readyState, bufferedAmount: 5 }).buffered).toBe(Infinity)
  })

  it('is what the engine says while the socket is open', () => {
    expect(opened({ readyState: 1, bufferedAmount: 5 }).buffered).toBe(5)
  })

  it('is nothing for a class that tells neither state nor buffer', () => {
    expect(opened({}).buffered).toBe(0)
  })

  it('leaves out what this turn of the loop writes, until the next one', async () => {
    const { engine, socket } = rig()
    engine.bufferedAmount = 5
    expect(socket.buffered).toBe(5)
    engine.bufferedAmount = 105
    expect(socket.buffered).toBe(5)
    await Promise.resolve()
    expect(socket.buffered).toBe(105)
    engine.bufferedAmount = 0
    await Promise.resolve()
    expect(socket.buffered).toBe(0)
  })

  it('is infinite at once when the socket begins to close', () => {
    const { engine, socket } = rig()
    engine.readyState = 1
    expect(socket.buffered).toBe(0)
    engine.readyState = 2
    expect(socket.buffered).toBe(Infinity)
  })
})

describe('a close reason that quotes a secret', () => {
  // 119 bytes and fewer cannot have been cut: a server cuts at 123 bytes, between characters of at most 4 bytes.
  const closedWith = (reason: string): string | undefined => {
    const { engine, log } = rig()
    engine.onopen?.()
    close(engine, 1008, reason, true)
    return log.closure?.reason
  }

  it.each([0, 50, 119])('keeps its end with %i bytes, though a secret begins so', (length) => {
    const reason = `${'x'.repeat(Math.max(0, length - 6))}secret`.slice(-length || Infinity)
    expect(closedWith(length === 0 ? '' : reason)).toBe(length === 0 ? '' : reason)
  })

  it.each([120, 121, 122, 123])('loses its end with %i bytes, if a secret begins so', (length) => {
    const start = 'x'.repeat(length - 6)
    expect(closedWith(`${start}secret`)).toBe(start)
  })

  it('is measured in bytes, not in characters', () => {
    const start = '\u00fc'.repeat(57)
    expect(closedWith(`${start}secret`)).toBe(start)
    expect(closedWith(`${start.slice(1)}secret`)).toBe(`${start.slice(1)}secret`)
  })

  it('is shown whole behind what was redacted', () => {
    expect(closedWith('secret-token and more')).toBe('[redacted] and more')
  })
})

describe('the closure of a message that is too large', () => {
  it('names the option and its value', () => {
    expect(oversize(2000)).toEqual({
      kind: 'close',
      code: 1009,
      reason: 'a message is larger than maxMessageBytes (2000)',
      wasClean: false
    })
  })
})

describe('a discarded socket', () => {
  it('is mute', () => {
    const { engine, log, socket } = rig()
    engine.onopen?.()
    log.events.length = 0
    socket.discard()
    engine.onmessage?.({ data: 'late' })
    engine.onmessage?.({ data: new Uint8Array([0xff]).buffer })
    engine.onmessage?.({ data: 'x'.repeat(1000) })
    engine.onerror?.({})
    close(engine, 1000)
    expect(log.events).toEqual([])
  })

  it('that had not opened stays mute when it opens', () => {
    const { engine, log, socket } = rig()
    socket.discard()
    engine.onopen?.()
    engine.onmessage?.({ data: 'late' })
    expect(log.events).toEqual([])
  })

  it('is closed with a code that browsers allow', () => {
    const { engine, socket } = rig()
    socket.discard()
    expect(engine.closed).toEqual([[1000, undefined]])
  })

  it('swallows what the engine throws at close', () => {
    const { engine, log, socket } = rig()
    engine.throwsOnClose = true
    expect(() => socket.discard()).not.toThrow()
    expect(log.events).toEqual([])
  })

  it('keeps its listener for errors: without one, an error ends a Node process', () => {
    const { engine, socket } = rig()
    socket.discard()
    expect(engine.onerror).not.toBeNull()
  })
})
