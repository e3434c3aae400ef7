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

let code = ''
beforeAll(async () => {
  await buildIfStale()
  code = readFileSync(join(root, 'dist/browser/index.cjs'), 'utf8')
}, 120_000)

let logs = 0

/** Loads the package in a realm with these globals; `url` names a log of its own on the scripted server. */
function load(globals: object, path = '/legacy'): Context {
  const url = `${inject('serverUrl')}${path}?key=globals-${String(process.pid)}-${String(++logs)}`
  const realm = createContext({ ...globals, url, module: { exports: {} } })
  runInContext(`{ const exports = module.exports; ${code}\n}`, realm)
  runInContext('var { McpWebSocketClient } = module.exports', realm)
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

describe('the client is loaded, constructed and used', () => {
  test.each<[string, object]>([
    ['with all globals of a browser', BROWSER],
    ['without crypto', without('crypto')],
    ['without TextDecoder', without('TextDecoder')],
    ['without TextEncoder', without('TextEncoder')],
    ['without performance', without('performance')],
    ['without btoa', without('btoa', 'atob')],
    ['with a URL that has no setters', { ...BROWSER, URL: ReadOnlyUrl }],
    ['in React Native on Hermes', { ...without('crypto', 'TextDecoder', 'TextEncoder'), URL: ReadOnlyUrl }],
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

test('the package touches no global when it is loaded, and neither chance nor a timer when a client is constructed', async () => {
  const touched: string[] = []
  const forbidden = (name: string) => () => {
    touched.push(name)
    throw new Error(`${name} is forbidden in the scope of a module`)
  }
  const names = ['setTimeout', 'setInterval', 'queueMicrotask', 'fetch', 'WebSocket', 'addEventListener']
  const globals = { URL, AbortController, ...Object.fromEntries(names.map((name) => [name, forbidden(name)])) }
  const realm = load({ ...globals, forbid: forbidden('Math.random'), crypto: { getRandomValues: forbidden('crypto') } })
  runInContext('Math.random = forbid', realm)
  expect(await run(realm, `return new McpWebSocketClient({ url }).state`)).toBe('idle')
  expect(touched).toEqual([])
})

describe('what is missing is named, with its remedy', () => {
  const failure = `catch ({ name, message, cause }) { return { name, text: [message, cause?.message].join(' ') } }`

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
