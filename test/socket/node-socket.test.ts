import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { canSetHeaders, NodeSocket } from '../../src/socket/node-socket.js'
import type { SocketClosure, SocketListener, SocketOptions, WebSocketLike } from '../../src/socket/web-socket.js'
import type { Target } from '../../src/socket/web-socket.js'

/** An HTTP response, or the stream below a socket, that the test plays. */
class Stream extends EventEmitter {
  statusCode = 101
  statusMessage = ''
  complete = false
  headers: Record<string, string> = {}
  bytesRead = 0
  socket: Stream | undefined
  readonly calls: string[] = []
  destroy(): void {
    this.calls.push('destroy')
  }
  unref(): void {
    this.calls.push('unref')
  }
  writable = true
  readonly written: Buffer[] = []
  write(bytes: Buffer): void {
    this.calls.push('write')
    this.written.push(bytes)
  }
}

/** A `ws` that the test plays. */
class Ws extends EventEmitter implements WebSocketLike {
  static last: Ws
  readonly url: string
  readonly protocols: string[]
  readonly options: Record<string, unknown>
  binaryType = ''
  protocol = ''
  readyState = 0
  onopen: WebSocketLike['onopen'] = null
  onmessage: WebSocketLike['onmessage'] = null
  onerror: WebSocketLike['onerror'] = null
  onclose: WebSocketLike['onclose'] = null
  readonly calls: string[] = []
  constructor(url: string, protocols: string[] = [], options: Record<string, unknown> = {}) {
    super()
    this.url = url
    this.protocols = protocols
    this.options = options
    Ws.last = this
  }
  send(text: string): void {
    this.calls.push(`send ${text}`)
  }
  ping(data: string): void {
    this.calls.push(`ping ${data}`)
  }
  close(): void {
    this.calls.push('close')
  }
  terminate(): void {
    this.calls.push('terminate')
  }
}

class Log implements SocketListener {
  readonly events: unknown[] = []
  readonly closures: SocketClosure[] = []
  onOpened(subprotocol: string | undefined): void {
    this.events.push(['opened', subprotocol])
  }
  onText(text: string, bytes: number): void {
    this.events.push(['text', text, bytes])
  }
  onUndecodable(): void {
    this.events.push('undecodable')
  }
  onHeard(): void {
    this.events.push('heard')
  }
  onPong(): void {
    this.events.push('pong')
  }
  onClosed(closure: SocketClosure): void {
    this.events.push('closed')
    this.closures.push(closure)
  }
}

const TARGET: Target = {
  url: new URL('wss://example.com/ws?key=k'),
  protocols: ['mcp.v1', 'mcp'],
  headers: { 'x-key': 'secret-token' },
  secrets: ['secret-token']
}
const OPTIONS: SocketOptions = { onMissingSubprotocol: 'fail', maxMessageBytes: 100, perMessageDeflate: false, closeTimeout: 1000 }

interface Rig {
  readonly ws: Ws
  readonly log: Log
  readonly socket: NodeSocket
  readonly stream: Stream
  /** The server answers 101. */
  readonly upgrade: (chosen?: string) => Stream
  /** The server answers 101, and ws opens the socket. */
  readonly open: (chosen?: string) => void
  /** The server answers with another status. */
  readonly reject: (status: number) => Stream
}

function rig(options: Partial<SocketOptions> = {}): Rig {
  const log = new Log()
  const socket = new NodeSocket(Ws, TARGET, { ...OPTIONS, ...options }, log)
  const ws = Ws.last
  const stream = new Stream()
  const upgrade = (chosen?: string): Stream => {
    const response = new Stream()
    response.socket = stream
    if (chosen !== undefined) response.headers['sec-websocket-protocol'] = chosen
    ws.emit('upgrade', response)
    return response
  }
  const open = (chosen = 'mcp.v1'): void => {
    upgrade(chosen)
    ws.readyState = 1
    ws.protocol = chosen
    ws.onopen?.()
    log.events.length = 0
  }
  const reject = (status: number): Stream => {
    const response = new Stream()
    response.statusCode = status
    ws.emit('unexpected-response', {}, response)
    return response
  }
  return { ws, log, socket, stream, upgrade, open, reject }
}

const wsError = (code: string, message = 'failed'): Error => Object.assign(new Error(message), { code })

describe('canSetHeaders', () => {
  it.each<[string, unknown, boolean]>([
    ['ws, or what imitates it', Ws, true],
    ['the WebSocket of a browser', EventTarget, false],
    ['an arrow function, which has no prototype', () => ({}), false],
    ['an object', { prototype: { on: () => undefined } }, false],
    ['nothing', undefined, false]
  ])('says of %s: %s%s', (_what, WebSocketClass, expected) => {
    expect(canSetHeaders(WebSocketClass)).toBe(expected)
  })
})

describe('a dial with ws', () => {
  it('carries URL, offer, headers and limits, and never follows redirects', () => {
    const { ws } = rig({ perMessageDeflate: true, closeTimeout: 7 })
    expect([ws.url, ws.protocols]).toEqual(['wss://example.com/ws?key=k', ['mcp.v1', 'mcp']])
    expect(ws.protocols).not.toBe(TARGET.protocols)
    expect(ws.options).toEqual({
      headers: { 'x-key': 'secret-token' },
      perMessageDeflate: true,
      maxPayload: 100,
      closeTimeout: 7,
      followRedirects: false
    })
  })

  it('carries agent and TLS settings, which override none of ours', () => {
    const agent = {}
    const tls = { ca: 'x', followRedirects: true, maxPayload: 1 }
    expect(rig({ agent, tls }).ws.options).toMatchObject({ agent, ca: 'x', followRedirects: false, maxPayload: 100 })
  })

  it('opens with the subprotocol that the 101 named', () => {
    const { ws, log, upgrade } = rig()
    upgrade('mcp')
    ws.onopen?.()
    expect(log.events).toEqual([['opened', 'mcp']])
  })

  it('opens without one where that is accepted: ws is shown the first of the offer, the listener is not', () => {
    const { ws, log, upgrade } = rig({ onMissingSubprotocol: 'accept' })
    expect(upgrade().headers).toEqual({ 'sec-websocket-protocol': 'mcp.v1' })
    ws.protocol = 'mcp.v1'
    ws.onopen?.()
    expect(log.events).toEqual([['opened', undefined]])
  })

  it('works where the engine does not show the stream of the 101, as Bun, and knows then too that there was a 101', () => {
    const { ws, log, socket } = rig({ onMissingSubprotocol: 'accept' })
    ws.emit('upgrade', Object.assign(new Stream(), { socket: null }))
    ws.onopen?.()
    socket.send('text')
    socket.unref()
    expect(ws.calls).toContain('send text')
    expect(log.events).toEqual([['opened', undefined]])
    const other = rig({ onMissingSubprotocol: 'accept' })
    other.ws.emit('upgrade', Object.assign(new Stream(), { socket: null }))
    other.ws.onerror?.({ error: new Error('Server sent no subprotocol') })
    expect(other.log.closures).toMatchObject([{ kind: 'subprotocol', error: { code: 'SUBPROTOCOL_MISMATCH', received: undefined } }])
  })

  it('leaves the 101 as it is otherwise', () => {
    expect(rig().upgrade().headers).toEqual({})
    expect(rig({ onMissingSubprotocol: 'accept' }).upgrade('mcp').headers).toEqual({ 'sec-websocket-protocol': 'mcp' })
  })

  it('fails without a 101 as the error of ws says, once', () => {
    const { ws, log } = rig()
    ws.onerror?.({ error: wsError('ECONNREFUSED') })
    ws.onerror?.({ error: wsError('ECONNREFUSED') })
    ws.onclose?.({ code: 1006, reason: '', wasClean: false })
    expect(log.closures).toMatchObject([{ kind: 'network', error: { code: 'CONNECT_FAILED' } }])
    expect(ws.calls).toContain('terminate')
  })

  it('fails behind a 101 as a broken upgrade, or over its subprotocol', () => {
    const first = rig()
    first.upgrade('mcp.v1')
    first.ws.onerror?.({ error: wsError('', 'Invalid Sec-WebSocket-Accept header') })
    expect(first.log.closures).toMatchObject([{ kind: 'network', error: { code: 'HANDSHAKE_INVALID' } }])
    const second = rig()
    second.upgrade('graphql-ws')
    second.ws.onerror?.({ error: wsError('', 'Server sent an invalid subprotocol') })
    expect(second.log.closures).toMatchObject([{ kind: 'subprotocol', error: { received: 'graphql-ws' } }])
  })

  it('knows nothing when it expires before a response', () => {
    const { socket, upgrade } = rig()
    expect(socket.expire()).toBeUndefined()
    upgrade('mcp.v1')
    expect(socket.expire()).toBeUndefined()
  })
})

describe('a rejected upgrade', () => {
  it.each(['end', 'error', 'close'])('ends the dial at %s, with the body that came, once', (event) => {
    const { log, reject } = rig()
    const response = reject(404)
    response.emit('data', Buffer.from('not '))
    response.emit('data', Buffer.from('here'))
    expect(log.closures).toEqual([])
    response.complete = true
    response.emit(event, new Error('x'))
    response.emit('close')
    expect(log.closures).toMatchObject([{ kind: 'http', status: 404, error: { body: 'not here' } }])
    expect(response.calls).toContain('destroy')
  })

  it('ends as soon as enough of its body came', () => {
    const { log, reject } = rig()
    const response = reject(500)
    response.emit('data', Buffer.from('x'.repeat(4095)))
    expect(log.closures).toEqual([])
    response.emit('data', Buffer.from('x'))
    expect(log.closures).toMatchObject([{ error: { body: 'x'.repeat(4096) } }])
    response.emit('data', Buffer.from('more'))
    expect(log.closures).toHaveLength(1)
  })

  it('is what a dial has learned that expires, without the beginning of a secret', () => {
    const { socket, log, reject } = rig()
    reject(503).emit('data', Buffer.from('bad secret-tok'))
    expect(socket.expire()).toMatchObject({ kind: 'http', status: 503, error: { body: 'bad ' } })
    expect(log.events).toEqual([])
  })

  it('says nothing once the socket was discarded', () => {
    const { socket, log, reject } = rig()
    const response = reject(404)
    socket.discard()
    response.emit('end')
    expect([socket.expire(), log.events, response.calls]).toEqual([undefined, [], ['destroy']])
  })

  it('measures a Retry-After that is a date by the wall clock', () => {
    const { log, reject } = rig()
    const response = reject(503)
    response.headers['retry-after'] = new Date(Date.now() + 60_000).toUTCString()
    response.emit('end')
    expect(log.closures[0]?.retryAfter).toBeGreaterThan(50_000)
    expect(log.closures[0]?.retryAfter).toBeLessThanOrEqual(60_000)
  })
})

describe('an open socket of ws', () => {
  it('writes the frames of one tick at once, and counts their bytes', async () => {
    const { ws, socket, stream, open } = rig()
    open()
    expect([socket.send('a\u00fc'), socket.send('b')]).toEqual([3, 1])
    expect(stream.calls).toEqual([])
    await new Promise((resolve) => process.nextTick(resolve))
    socket.send('c')
    await new Promise((resolve) => process.nextTick(resolve))
    expect([ws.calls, stream.calls, stream.written.map(({ length }) => length)]).toEqual([[], ['write', 'write'], [9 + 7, 7]])
  })

  it('leaves long texts, pings and closing to ws, and keeps the order', () => {
    const { ws, socket, stream, open } = rig()
    open()
    const calls: string[] = []
    const long = 'x'.repeat(3000)
    stream.write = () => void calls.push('write')
    ws.send = (text) => void calls.push(`send ${String(text.length)}`)
    ws.ping = () => void calls.push('ping')
    ws.close = () => void calls.push('close')
    socket.send('a')
    expect(socket.send(long)).toBe(3000)
    socket.send('b')
    socket.ping()
    socket.send('c')
    socket.close(1000, '')
    expect(calls).toEqual(['write', 'send 3000', 'write', 'ping', 'write', 'close'])
  })

  it.each<[string, Partial<SocketOptions>, Record<string, string>]>([
    ['the program gave the class, whose send may do more', { WebSocket: Ws }, {}],
    ['messages are compressed, which ws does asynchronously', {}, { 'sec-websocket-extensions': 'permessage-deflate' }]
  ])('leaves every frame to ws where %s', (_when, options, headers) => {
    const { ws, log, socket, stream } = rig(options)
    ws.emit('upgrade', Object.assign(new Stream(), { socket: stream, headers: { 'sec-websocket-protocol': 'mcp.v1', ...headers } }))
    stream.on('data', ({ length }: Buffer) => ws.calls.push(`read ${String(length)}`))
    ws.readyState = 1
    ws.onopen?.()
    log.events.length = 0
    expect(socket.send('a')).toBe(1)
    stream.emit('data', Buffer.from([0x81, 1, 0x62]))
    expect([ws.calls, stream.calls, log.events]).toEqual([['send a', 'read 3'], [], []])
  })

  it('reads small texts itself, until it closes: ws has to see what comes from then on', () => {
    const { ws, log, socket, stream, open } = rig()
    stream.on('data', ({ length }: Buffer) => ws.calls.push(`read ${String(length)}`))
    open()
    stream.emit('data', Buffer.from([0x81, 2, 0xc3, 0xbc]))
    socket.close(1000, '')
    stream.emit('data', Buffer.from([0x81, 1, 0x62]))
    expect([log.events, ws.calls]).toEqual([[['text', 'ü', 2]], ['close', 'read 3']])
  })

  it('sends although it does not know its stream, where ws is imitated', () => {
    const { ws, socket } = rig()
    expect(socket.send('a')).toBe(1)
    expect(ws.calls).toEqual(['send a'])
  })

  it('tells of a ping of the server', () => {
    const { ws, log, open } = rig()
    open()
    ws.emit('ping')
    expect(log.events).toEqual(['heard'])
  })

  it('numbers its pings, and takes the pong of an older one for a sign of life only', () => {
    const { ws, socket, log, open } = rig()
    open()
    expect([socket.ping(), socket.ping()]).toEqual([true, true])
    expect(ws.calls).toEqual(['ping 1', 'ping 2'])
    for (const data of ['1', '2', '', 'other', '3']) ws.emit('pong', Buffer.from(data))
    expect(log.events).toEqual(['heard', 'pong', 'pong', 'pong', 'pong'])
  })

  it('knows what it read, and lets the process end', () => {
    const { socket, stream, open } = rig()
    expect(socket.bytesRead).toBeUndefined()
    expect(() => socket.unref()).not.toThrow()
    open()
    stream.bytesRead = 42
    socket.unref()
    expect([socket.bytesRead, stream.calls]).toEqual([42, ['unref']])
  })

  it.each([
    ['WS_ERR_INVALID_UTF8', 1007],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
    ['ECONNRESET', 1006]
  ])('closes after the error %s with %i', (code, closeCode) => {
    const { ws, log, open } = rig()
    open()
    ws.onerror?.({ error: wsError(code) })
    expect(log.events).toEqual([])
    ws.onclose?.({ code: 1006, reason: '', wasClean: false })
    expect(log.closures).toMatchObject([{ kind: 'close', code: closeCode, wasClean: false }])
  })

  it('is cut off when it is discarded, and mute from then on', () => {
    const { ws, socket, log, open } = rig()
    open()
    socket.discard()
    for (const event of ['ping', 'pong']) ws.emit(event, Buffer.from('1'))
    ws.onerror?.({ error: wsError('ECONNRESET') })
    ws.onclose?.({ code: 1006, reason: '', wasClean: false })
    expect(log.events).toEqual([])
    expect(ws.calls).toContain('terminate')
    expect(ws.calls).not.toContain('close')
  })

  it('that is discarded first hands over the frames that were sent', () => {
    const { ws, socket, stream, open } = rig()
    open()
    socket.send('a')
    socket.discard()
    expect([stream.written.length, ws.calls]).toEqual([1, ['terminate']])
  })

  it('that is discarded as a dial says nothing of its failure', () => {
    const { ws, socket, log } = rig()
    socket.discard()
    ws.onerror?.({ error: wsError('ECONNREFUSED') })
    expect(log.events).toEqual([])
  })
})
