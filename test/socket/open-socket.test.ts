import { EventEmitter } from 'node:events'
import IsomorphicWebSocket from 'isomorphic-ws'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { NodeSocket } from '../../src/socket/node-socket.js'
import { headersWork, openSocket } from '../../src/socket/open-socket.js'
import { StandardSocket, type Socket, type SocketListener, type SocketOptions } from '../../src/socket/web-socket.js'
import type { Target } from '../../src/socket/web-socket.js'
import type { WebSocketConstructor } from '../../src/types/options.js'

const TARGET: Target = { url: new URL('wss://example.com/ws'), protocols: ['mcp.v1', 'mcp'], headers: {}, secrets: [] }
const OPTIONS: SocketOptions = { onMissingSubprotocol: 'fail', maxMessageBytes: 100, perMessageDeflate: false, closeTimeout: 1000 }
const SILENT: SocketListener = {
  onOpened: () => undefined,
  onText: () => undefined,
  onUndecodable: () => undefined,
  onHeard: () => undefined,
  onPong: () => undefined,
  onClosed: () => undefined
}

const dials: unknown[][] = []

/** A WebSocket as browsers have it. */
class Browser extends EventTarget {
  constructor(...args: unknown[]) {
    super()
    dials.push(args)
  }
}

/** A WebSocket that imitates `ws`. */
class Ws extends EventEmitter {
  readonly url: string
  constructor(url: string) {
    super()
    this.url = url
  }
  terminate(): void {
    this.removeAllListeners()
  }
}

const open = (WebSocketClass: unknown): Socket =>
  openSocket(TARGET, { ...OPTIONS, WebSocket: WebSocketClass as WebSocketConstructor }, SILENT)

describe('openSocket', () => {
  it('opens a class that follows the standard with URL and offer, and nothing else', () => {
    expect(open(Browser)).toBeInstanceOf(StandardSocket)
    expect(dials).toEqual([['wss://example.com/ws', ['mcp.v1', 'mcp']]])
    expect(dials[0]?.[1]).not.toBe(TARGET.protocols)
  })

  it('opens a class that imitates ws with all that Node can do', () => {
    const socket = open(Ws)
    expect(socket).toBeInstanceOf(NodeSocket)
    socket.discard()
  })

  const throwing = (thrown: unknown): unknown =>
    class extends EventTarget {
      constructor() {
        super()
        throw thrown
      }
    }

  it('makes a failed dial of what the engine forbids, such as ws: from a page on https:', () => {
    const cause = new DOMException('insecure', 'SecurityError')
    expect(() => open(throwing(cause))).toThrow(
      expect.objectContaining({
        name: 'HandshakeError',
        code: 'CONNECT_FAILED',
        message: 'no connection to wss://example.com/ws: insecure',
        cause,
        retryable: false,
        delivery: 'not-sent'
      }) as Error
    )
  })

  it.each([new SyntaxError('bad subprotocol'), new ReferenceError('x is not defined'), 'no'])(
    'lets anything else that the class throws through, as that is no failed dial: %s',
    (thrown) => {
      const outcome = (): unknown => {
        try {
          return open(throwing(thrown))
        } catch (caught) {
          return caught
        }
      }
      expect(outcome()).toBe(thrown)
    }
  )

  it('does not open what is not a class', () => {
    expect(() => open(5)).toThrow('WebSocket must be given: this engine has none')
  })
})

describe('headersWork', () => {
  it('judges the given class by what it can do', () => {
    expect(headersWork(Browser)).toBe(false)
    expect(headersWork(Ws)).toBe(true)
  })

  it('judges that of isomorphic-ws otherwise: in Node it is ws, even where the engine has a WebSocket of its own', () => {
    expect(IsomorphicWebSocket).toBeTypeOf('function')
    expect(headersWork(undefined)).toBe(true)
  })

  it('throws for what is not a class', () => {
    expect(() => headersWork({} as WebSocketConstructor)).toThrow(TypeError)
  })
})

describe('the class of an engine', () => {
  /** `headersWork` where isomorphic-ws exports this, and the engine has this global. */
  const where = async (imported: unknown, global: unknown): Promise<() => boolean> => {
    vi.resetModules()
    vi.doMock('isomorphic-ws', () => ({ default: imported }))
    vi.stubGlobal('WebSocket', global)
    const fresh = await import('../../src/socket/open-socket.js')
    return () => fresh.headersWork(undefined)
  }

  afterEach(() => {
    vi.doUnmock('isomorphic-ws')
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it.each<[string, unknown, unknown, boolean]>([
    ['ws, whatever the global', Ws, Browser, true],
    ['ws, where a bundler hands over the module', { default: Ws }, Browser, true],
    ['what isomorphic-ws found, without a global', Browser, undefined, false],
    ['the global that was set later', Browser, Ws, true],
    ['the global that was set later, where isomorphic-ws found none', undefined, Ws, true]
  ])('is %s', async (_what, imported, global, expected) => {
    expect((await where(imported, global))()).toBe(expected)
  })

  it('is missed where there is none', async () => {
    expect(await where(undefined, undefined)).toThrow('WebSocket must be given: this engine has none')
  })
})
