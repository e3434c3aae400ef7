import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext, type Context } from 'node:vm'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { WebSocket } from 'ws'
import { buildIfStale, root } from './packed.js'

// The build for browsers in engines that have less than a browser. Each is a realm with the globals of the language and those listed.

const LEAST = { WebSocket, URL, AbortController, setTimeout, clearTimeout, queueMicrotask } as const

/** A `URL` as React Native has it: it can be read, and nothing can be set. */
class ReadOnlyUrl {
  readonly #url: URL
  constructor(text: string) {
    this.#url = new URL(text)
  }
  get href(): string {
    return this.#url.href
  }
  get protocol(): string {
    return this.#url.protocol
  }
  get host(): string {
    return this.#url.host
  }
  get hostname(): string {
    return this.#url.hostname
  }
  get pathname(): string {
    return this.#url.pathname
  }
  get search(): string {
    return this.#url.search
  }
  get searchParams(): URLSearchParams {
    return this.#url.searchParams
  }
  get hash(): string {
    return this.#url.hash
  }
  get username(): string {
    return this.#url.username
  }
  get password(): string {
    return this.#url.password
  }
}

/** Signals as React Native has them: without a reason. */
class ReasonlessSignal extends EventTarget {
  aborted = false
}

class ReasonlessController {
  readonly signal = new ReasonlessSignal()
  abort(): void {
    if (this.signal.aborted) return
    this.signal.aborted = true
    this.signal.dispatchEvent(new Event('abort'))
  }
}

/** A `URL` as older versions of React Native have it. */
class UnfinishedUrl {
  readonly href: string
  constructor(text: string) {
    this.href = new URL(text).href
  }
  get protocol(): string {
    throw new Error('URL.protocol is not implemented')
  }
  get username(): string {
    throw new Error('URL.username is not implemented')
  }
}

/** A file of the package as an expression for what it exports; `require` is the code of what finds the file that it needs. */
const moduleOf = (name: string, require: string): string =>
  `((require, module) => { { const { exports } = module; ${readFileSync(join(root, 'dist/browser', name), 'utf8')}\n} return module.exports })(${require}, { exports: {} })`

let code = ''
beforeAll(async () => {
  await buildIfStale()
  code = moduleOf('index.cjs', `() => ${moduleOf('core.cjs', 'undefined')}`)
}, 120_000)

let logs = 0

/** Loads the package in a realm with these globals; `url` names a log of its own on the scripted server. */
function load(globals: object, path = '/legacy'): Context {
  const url = `${inject('serverUrl')}${path}?key=globals-${String(process.pid)}-${String(++logs)}`
  const realm = createContext({ ...globals, url })
  runInContext(`var { McpWebSocketClient } = ${code}`, realm)
  return realm
}

/** What the program gives, as JSON: values of the realm have prototypes of their own. */
const run = async (realm: Context, program: string): Promise<unknown> =>
  JSON.parse((await runInContext(`(async () => JSON.stringify(await (async () => { ${program} })()))()`, realm)) as string) as unknown

const USE = `
  const client = new McpWebSocketClient({ url, reconnect: false })
  const frames = []
  client.on('notification', ({ params }) => frames.push(params.name))
  await client.connect()
  const reports = []
  await client.callTool({ name: 'progress' }, { onprogress: ({ progress }) => reports.push(progress) })
  await client.callTool({ name: 'frames' })
  await client.close()
  return { frames: frames.filter(Boolean), reports }`
const USED = { frames: ['BIN1', 'TXT2', 'BIN3'], reports: [1, 2, 3] }

const BROWSER = { ...LEAST, btoa, atob, crypto, performance, TextEncoder, TextDecoder, URLSearchParams }
const without = (...names: string[]): object => Object.fromEntries(Object.entries(BROWSER).filter(([name]) => !names.includes(name)))

const REACT_NATIVE = {
  ...without('crypto', 'performance', 'TextDecoder', 'TextEncoder', 'btoa', 'atob'),
  URL: ReadOnlyUrl,
  AbortController: ReasonlessController
}

describe('the client is loaded, constructed and used', () => {
  test.each<[string, object]>([
    ['with all globals of a browser', BROWSER],
    ['without crypto', without('crypto')],
    ['without TextDecoder', without('TextDecoder')],
    ['without TextEncoder', without('TextEncoder')],
    ['without performance', without('performance')],
    ['without btoa', without('btoa', 'atob')],
    ['with a URL that has no setters', { ...BROWSER, URL: ReadOnlyUrl }],
    ['with signals that have no reason', { ...BROWSER, AbortController: ReasonlessController }],
    ['in React Native on Hermes', REACT_NATIVE],
    ['in jsdom', without('TextDecoder', 'TextEncoder')],
    ['with the least', LEAST]
  ])('%s', async (_what, globals) => {
    expect(await run(load(globals), USE)).toEqual(USED)
  })
})

test('a token travels as a subprotocol where there is neither btoa nor TextEncoder', async () => {
  const program = `
    const client = new McpWebSocketClient({ url, auth: { token: 'schlüssel', via: 'subprotocol' }, reconnect: false })
    await client.connect()
    const { subprotocol } = client
    await client.close()
    return subprotocol`
  expect(await run(load(without('btoa', 'TextEncoder')), program)).toBe('mcp.v1')
})

test('what ends early says why where signals have no reason', async () => {
  const program = `
    const client = new McpWebSocketClient({ url, reconnect: false })
    const errorOf = (promise) => promise.then(() => 'none', (error) => error && error.name)
    const abortedAt = (signal) => errorOf(client.ping({ signal }))
    const closed = errorOf(client.connect())
    await client.close()
    await client.connect()
    const controller = new AbortController()
    const late = abortedAt(controller.signal)
    controller.abort()
    const early = abortedAt(controller.signal)
    const errors = [await closed, await late, await early, await errorOf(client.connect({ signal: controller.signal }))]
    await client.close()
    return errors`
  expect(await run(load(REACT_NATIVE), program)).toEqual(['ClosedError', 'AbortError', 'AbortError', 'AbortError'])
})

test('the package touches no global when it is loaded, and neither chance, a timer nor a signal when a client is constructed', async () => {
  const touched: string[] = []
  const forbidden = (name: string) => () => {
    touched.push(name)
    throw new Error(`${name} is forbidden in the scope of a module`)
  }
  // workerd forbids an AbortController there, too.
  const names = ['setTimeout', 'setInterval', 'queueMicrotask', 'fetch', 'WebSocket', 'addEventListener', 'AbortController']
  const globals = { URL, ...Object.fromEntries(names.map((name) => [name, forbidden(name)])) }
  const realm = load({ ...globals, forbid: forbidden('Math.random'), crypto: { getRandomValues: forbidden('crypto') } })
  runInContext('Math.random = forbid', realm)
  expect(await run(realm, `return new McpWebSocketClient({ url }).state`)).toBe('idle')
  expect(touched).toEqual([])
})

describe('what is missing is named, with its remedy', () => {
  const failure = `catch ({ name, message, cause }) { return { name, text: [message, cause?.message].join(' ') } }`

  test('no WebSocket: by the constructor, with the option that takes one', async () => {
    const program = `try { new McpWebSocketClient({ url }) } ${failure}`
    expect(await run(load(without('WebSocket')), program)).toEqual({
      name: 'TypeError',
      text: expect.stringContaining('WebSocket must be given: this engine has none') as string
    })
  })

  test.each<[string, object]>([
    ['no URL', without('URL')],
    ['the URL of older versions of React Native', { ...BROWSER, URL: UnfinishedUrl }]
  ])('%s: by the constructor', async (_what, globals) => {
    expect(await run(load(globals), `try { new McpWebSocketClient({ url }) } ${failure}`)).toEqual({
      name: 'TypeError',
      text: expect.stringContaining('no complete URL class: load a polyfill first, such as react-native-url-polyfill') as string
    })
  })
})
