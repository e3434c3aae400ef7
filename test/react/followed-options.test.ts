import { describe, expect, it } from 'vitest'
import type { McpWebSocketClientOptions } from '../../src/index.js'
import { followed, keyOf } from '../../src/react/followed-options.js'

const url = 'wss://mcp.example.com/ws'

/** As `http.Agent` does, it leads to itself. */
class Cyclic {
  readonly self = this as object
  readonly at = performance.now()
}

describe('options mean the same client', () => {
  const pairs: Record<string, [McpWebSocketClientOptions, McpWebSocketClientOptions]> = {
    'with equal objects': [
      { url, clientInfo: { name: 'a', version: '1' }, subprotocols: ['mcp'] },
      { url, clientInfo: { name: 'a', version: '1' }, subprotocols: ['mcp'] }
    ],
    'with other functions in the same places': [
      { url: () => 'ws://a', auth: { token: () => 'a' }, reconnect: { shouldReconnect: () => true } },
      { url: () => 'ws://b', auth: { token: () => 'b' }, reconnect: { shouldReconnect: () => false } }
    ],
    'with a URL and its text': [{ url: new URL(url) }, { url }],
    'with an option that is undefined, and without it': [{ url, auth: undefined }, { url }],
    'with other objects of a class, even those that contain themselves': [
      { url, agent: new Cyclic() },
      { url, agent: new Cyclic() }
    ]
  }

  it.each(Object.entries(pairs))('%s', (_what, [one, other]) => expect(keyOf(one)).toBe(keyOf(other)))
})

describe('options mean another client', () => {
  const pairs: Record<string, [McpWebSocketClientOptions, McpWebSocketClientOptions]> = {
    'with another URL': [{ url }, { url: `${url}/other` }],
    'with another value deep inside': [
      { url, reconnect: { maxRetries: 3 } },
      { url, reconnect: { maxRetries: Infinity } }
    ],
    'with a function in place of a value': [
      { url, auth: { token: 'a' } },
      { url, auth: { token: () => 'a' } }
    ],
    'with one option more': [{ url }, { url, resume: true }],
    'with false in place of an object': [
      { url, heartbeat: false },
      { url, heartbeat: {} }
    ]
  }

  it.each(Object.entries(pairs))('%s', (_what, [one, other]) => expect(keyOf(one)).not.toBe(keyOf(other)))
})

describe('the options of a client', () => {
  it('call the functions of the latest ones, as members of their object', () => {
    const make = (word: string): McpWebSocketClientOptions => ({
      url: () => `ws://${word}`,
      auth: {
        token() {
          return `${word} with ${Object.keys(this).join()}`
        }
      }
    })
    let latest = make('first')
    const { url: urlOf, auth } = followed(latest, () => latest)
    const said = (): unknown[] => [(urlOf as () => string)(), (auth?.token as () => string)()]
    expect(said()).toEqual(['ws://first', 'first with token'])
    latest = make('second')
    expect(said()).toEqual(['ws://second', 'second with token'])
  })

  it('pass on what a function is given', () => {
    const options: McpWebSocketClientOptions = { url, trace: (direction, text) => `${direction} ${text}` }
    expect((followed(options, () => options).trace as (...words: string[]) => string)('in', '{}')).toBe('in {}')
  })

  it('keep a class, a parser, objects of a class and lists as they are', () => {
    const options = { url: new URL(url), WebSocket: Cyclic as never, json: JSON, agent: new Map(), subprotocols: ['mcp'] }
    const copy = followed(options, () => options)
    for (const [name, value] of Object.entries(options)) expect(copy[name as keyof typeof options]).toBe(value)
  })
})

it.each([url, undefined])('what is no object is left to the client: %j', (options) => {
  expect(followed(options as never, () => ({ url }))).toBe(options)
})
