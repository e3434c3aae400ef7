import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  arrowsOf,
  checkCycles,
  checkDependencies,
  checkDocs,
  checkExtensions,
  checkFunctions,
  checkLayers,
  checkLength,
  checkPurity,
  checkStarExports,
  checkStyle,
  countCodeLines,
  importsOf,
  MOST_FUNCTION_LINES,
  MOST_LINES,
  type Source,
  type Violation
} from './helpers/architecture.js'

const root = new URL('../src/', import.meta.url)

const sources: Source[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }))

/** Sources that exist only here: path to text. */
const inMemory = (files: Record<string, string>): Source[] => Object.entries(files).map(([path, text]) => ({ path, text }))

describe('the sources', () => {
  it('are all read', () => {
    expect(sources.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['index.ts', 'client/client.ts', 'connection/lifecycle.ts', 'socket/open-socket.ts'])
    )
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100)
  })

  it('import their own layer and those that it may see', () => expect(checkLayers(sources)).toEqual([]))

  it('form at most 68 arrows between layers', () => expect(arrowsOf(sources).length).toBeLessThanOrEqual(68))

  it('import only files that exist', () => {
    const paths = new Set(sources.map(({ path }) => path))
    expect(sources.flatMap(importsOf).filter(({ target }) => target !== undefined && !paths.has(target))).toEqual([])
  })

  it('have no cycles, not even of types', () => expect(checkCycles(sources)).toEqual([]))

  it('have no export * but in index.ts, script.ts and types/', () => expect(checkStarExports(sources)).toEqual([]))

  it('have effects in few files only', () => expect(checkPurity(sources)).toEqual([]))

  it('import each dependency in its one home, and the official SDK nowhere', () => expect(checkDependencies(sources)).toEqual([]))

  it('name relative imports with .js', () => expect(checkExtensions(sources)).toEqual([]))

  it(`have at most ${String(MOST_LINES)} lines of code a file`, () => expect(checkLength(sources)).toEqual([]))

  it(`have at most ${String(MOST_FUNCTION_LINES)} lines a function`, () => expect(checkFunctions(sources)).toEqual([]))

  it('document every export and every public member', () => expect(checkDocs(sources)).toEqual([]))

  it('have no any, no !, no console, no TODO, and switch no check off', () => expect(checkStyle(sources)).toEqual([]))
})

describe('every form of import is seen:', () => {
  it.each([
    ['import', `import { a } from './b.js'`],
    ['import for side effects', `import './b.js'`],
    ['import type', `import type { A } from './b.js'`],
    ['import { type }', `import { type A } from './b.js'`],
    ['export from', `export { a } from './b.js'`],
    ['export type from', `export type { A } from './b.js'`],
    ['export *', `export * from './b.js'`],
    ['export * as', `export * as b from './b.js'`],
    ['dynamic import()', `const load = () => import('./b.js')`],
    ['import() as a type', `export let a: import('./b.js').A`],
    ['import = require', `import b = require('./b.js')`],
    ['require()', `const b = require('./b.js')`]
  ])('%s', (_name, text) => {
    expect(importsOf({ path: 'socket/a.ts', text }).map(({ target }) => target)).toEqual(['socket/b.ts'])
  })

  it('words in comments and strings are none', () => {
    expect(importsOf({ path: 'a.ts', text: `// import './b.js'\nconst text = "import './b.js'"` })).toEqual([])
  })

  it('specifiers resolve from the importing file', () => {
    const text = `import '../errors.js'\nimport './x/y.js'\nimport 'nanoid'`
    expect(importsOf({ path: 'wire/a.ts', text }).map(({ target }) => target)).toEqual(['errors.ts', 'wire/x/y.ts', undefined])
  })
})

describe('a broken rule is reported:', () => {
  const breaks: Record<string, [check: (sources: readonly Source[]) => Violation[], files: Record<string, string>, report: string]> = {
    'an import of a layer above': [
      checkLayers,
      { 'wire/a.ts': `import '../socket/target.js'` },
      'wire/a.ts imports socket/target.ts, but wire may not see socket'
    ],
    'an import of a layer above, for types': [
      checkLayers,
      { 'connection/a.ts': `import type { SessionConfig } from '../session/session.js'` },
      'connection/a.ts imports session/session.ts, but connection may not see session'
    ],
    'the index imported from within': [
      checkLayers,
      { 'client/client.ts': `export * from '../index.js'` },
      'client/client.ts imports index.ts, but client may not see index.ts'
    ],
    'errors that import a rule': [
      checkLayers,
      { 'errors.ts': `import './socket/hints.js'` },
      'errors.ts imports socket/hints.ts, but errors.ts may not see socket'
    ],
    'a connection that knows the peer': [
      checkLayers,
      { 'connection/connection.ts': `import type { Call } from '../rpc/rpc-peer.js'` },
      'connection/connection.ts imports rpc/rpc-peer.ts, but connection may not see rpc'
    ],
    'a client that knows the transport': [
      checkLayers,
      { 'client/client.ts': `import('../transport/messages.js')` },
      'client/client.ts imports transport/messages.ts, but client may not see transport'
    ],
    'a server that knows the session': [
      checkLayers,
      { 'server/heartbeat.ts': `import { judge } from '../session/liveness.js'` },
      'server/heartbeat.ts imports session/liveness.ts, but server may not see session'
    ],
    'a store that knows the server': [
      checkLayers,
      { 'redis/scripts.ts': `import { Metrics } from '../server/metrics.js'` },
      'redis/scripts.ts imports server/metrics.ts, but redis may not see server'
    ],
    'a command that looks behind an entry': [
      checkLayers,
      { 'cli/commands/serve.ts': `import { Metrics } from '../../server/metrics.js'` },
      'cli/commands/serve.ts imports server/metrics.ts, but cli sees entries only'
    ],
    'a hook that knows the client from within': [
      checkLayers,
      { 'react/use-mcp-client.ts': `import { McpWebSocketClient } from '../client/client.js'` },
      'react/use-mcp-client.ts imports client/client.ts, but react may not see client'
    ],
    'a file without a layer': [
      checkLayers,
      { 'helpers.ts': '' },
      'helpers.ts lies in no layer: see LAYERS in test/helpers/architecture.ts'
    ],
    'a cycle': [
      checkCycles,
      { 'a.ts': `import './b.js'`, 'b.ts': `export * from './c.js'`, 'c.ts': `import type { A } from './a.js'` },
      'a.ts > b.ts > c.ts > a.ts is a cycle'
    ],
    'a file that imports itself': [checkCycles, { 'wire/a.ts': `import './a.js'` }, 'wire/a.ts > wire/a.ts is a cycle'],
    'export *': [checkStarExports, { 'wire/a.ts': `export * from './b.js'` }, 'wire/a.ts has an export *'],
    'export * as': [checkStarExports, { 'client.ts': `export * as types from './types/common.js'` }, 'client.ts has an export *'],
    'a timer in a rule': [
      checkPurity,
      { 'wire/a.ts': 'setTimeout(() => 1, 5)' },
      'wire/a.ts:1 uses setTimeout, but it is no file for effects'
    ],
    'an interval in a rule': [
      checkPurity,
      { 'wire/a.ts': '\nsetInterval(() => 1, 5)' },
      'wire/a.ts:2 uses setInterval, but it is no file for effects'
    ],
    'the wall clock in a rule': [
      checkPurity,
      { 'wire/a.ts': 'const now = Date.now()' },
      'wire/a.ts:1 uses Date.now, but it is no file for effects'
    ],
    'new Date() in a rule': [
      checkPurity,
      { 'wire/a.ts': 'const now = new Date()' },
      'wire/a.ts:1 uses new Date(), but it is no file for effects'
    ],
    'the monotonic clock in a rule': [
      checkPurity,
      { 'wire/a.ts': 'performance.now()' },
      'wire/a.ts:1 uses performance, but it is no file for effects'
    ],
    'chance in a rule': [checkPurity, { 'wire/a.ts': 'Math.random()' }, 'wire/a.ts:1 uses Math.random, but it is no file for effects'],
    'a socket in a rule': [
      checkPurity,
      { 'wire/a.ts': `new WebSocket('ws://x')` },
      'wire/a.ts:1 uses WebSocket, but it is no file for effects'
    ],
    'the process in a rule': [checkPurity, { 'wire/a.ts': 'process.env.X' }, 'wire/a.ts:1 uses process, but it is no file for effects'],
    'a promise in a rule': [checkPurity, { 'wire/a.ts': 'Promise.resolve()' }, 'wire/a.ts:1 uses Promise, but it is no file for effects'],
    'a promise type in a rule': [
      checkPurity,
      { 'wire/a.ts': 'export let a: Promise<void>' },
      'wire/a.ts:1 uses Promise, but it is no file for effects'
    ],
    'async in a rule': [checkPurity, { 'wire/a.ts': 'const a = async () => 1' }, 'wire/a.ts:1 uses async, but it is no file for effects'],
    'await in a rule': [checkPurity, { 'wire/a.ts': 'await 1' }, 'wire/a.ts:1 uses await, but it is no file for effects'],
    'fetch in a rule': [checkPurity, { 'wire/a.ts': `fetch('x')` }, 'wire/a.ts:1 uses fetch, but it is no file for effects'],
    'isomorphic-ws away from home': [
      checkDependencies,
      { 'socket/target.ts': `import WebSocket from 'isomorphic-ws'` },
      'socket/target.ts imports isomorphic-ws, whose home is socket/open-socket.ts'
    ],
    'eventemitter3 away from home': [
      checkDependencies,
      { 'client.ts': `import { EventEmitter } from 'eventemitter3'` },
      'client.ts imports eventemitter3, whose home is lib/emitter.ts'
    ],
    'nanoid away from home': [
      checkDependencies,
      { 'session.ts': `import('nanoid/non-secure')` },
      'session.ts imports nanoid/non-secure, whose home is rpc/rpc-peer.ts'
    ],
    'a builtin away from home': [
      checkDependencies,
      { 'connection.ts': `import type { A } from 'node:net'` },
      'connection.ts imports node:net, whose home is socket/node-socket.ts and socket/frame-reader.ts and socket/frame-writer.ts and socket/failed-dial.ts and server/ and cli/ and probe/network-steps.ts'
    ],
    'a builtin at run time': [
      checkDependencies,
      { 'socket/failed-dial.ts': `import http from 'node:http'` },
      'socket/failed-dial.ts imports more than types of node:http'
    ],
    'a builtin without its prefix': [
      checkDependencies,
      { 'socket/failed-dial.ts': `import type { A } from 'http'` },
      'socket/failed-dial.ts imports http, which is no dependency of this package at run time'
    ],
    'the package itself, away from the hooks': [
      checkDependencies,
      { 'transport/messages.ts': `import { isRpcError } from 'mcp-websocket-client'` },
      'transport/messages.ts imports mcp-websocket-client, whose home is react/'
    ],
    ws: [
      checkDependencies,
      { 'socket/open-socket.ts': `import WebSocket from 'ws'` },
      'socket/open-socket.ts imports ws, whose home is server/server.ts and server/peer-socket.ts'
    ],
    'the official SDK': [
      checkDependencies,
      { 'types/common.ts': `export type * from '@modelcontextprotocol/sdk/types.js'` },
      'types/common.ts imports @modelcontextprotocol/sdk/types.js, which is no dependency of this package at run time'
    ],
    'an import without an extension': [
      checkExtensions,
      { 'client.ts': `import './session'` },
      'client.ts imports ./session, which does not end in .js'
    ],
    'an import of a .ts file': [
      checkExtensions,
      { 'client.ts': `import './session.ts'` },
      'client.ts imports ./session.ts, which does not end in .js'
    ],
    'a file that is too long': [
      checkLength,
      { 'client.ts': 'const a = 1\n\n// why\n'.repeat(401) },
      'client.ts has 401 lines of code, more than 400'
    ],
    'an export without a comment': [checkDocs, { 'a.ts': '// no TSDoc\nexport const a = 1' }, 'a.ts:2 exports a without a TSDoc comment'],
    'a type without a comment': [
      checkDocs,
      { 'a.ts': '/** A. */\nconst a = 1\nexport type A = typeof a' },
      'a.ts:3 exports A without a TSDoc comment'
    ],
    'a function without a comment': [checkDocs, { 'a.ts': 'export function a(): void {}' }, 'a.ts:1 exports a without a TSDoc comment'],
    'an interface without a comment': [
      checkDocs,
      { 'a.ts': 'export interface A {\n  /** x */\n  x: 1\n}' },
      'a.ts:1 exports A without a TSDoc comment'
    ],
    'a function that is too long': [
      checkFunctions,
      { 'a.ts': `function a(): void {\n${'f()\n'.repeat(59)}}` },
      'a.ts:1 has a function of 61 lines, more than 60'
    ],
    'a member of a class without a comment': [
      checkDocs,
      { 'a.ts': '/** A. */\nexport class A {\n  readonly #b = 1\n  c = 2\n}' },
      'a.ts:4 exports A.c without a TSDoc comment'
    ],
    'a member of an interface without a comment': [
      checkDocs,
      { 'a.ts': '/** A. */\nexport interface A {\n  b(): void\n}' },
      'a.ts:3 exports A.b without a TSDoc comment'
    ],
    any: [checkStyle, { 'a.ts': 'let a: any' }, 'a.ts:1 has an any'],
    'as any': [checkStyle, { 'a.ts': 'f(1 as any)' }, 'a.ts:1 has an any'],
    'a non-null !': [checkStyle, { 'a.ts': 'const b = a!.b' }, 'a.ts:1 has a non-null !'],
    'a definite !': [checkStyle, { 'a.ts': 'let a!: string' }, 'a.ts:1 has a definite !'],
    'ts-ignore': [checkStyle, { 'a.ts': '// @ts-ignore\nf()' }, 'a.ts:1 switches the type checker off'],
    'ts-expect-error': [checkStyle, { 'a.ts': '/* @ts-expect-error */\nf()' }, 'a.ts:1 switches the type checker off'],
    'eslint-disable': [checkStyle, { 'a.ts': '// eslint-disable-next-line\nf()' }, 'a.ts:1 switches the linter off'],
    'a TODO': [checkStyle, { 'a.ts': '\n// TODO: later' }, 'a.ts:2 has a TODO'],
    'the console': [checkStyle, { 'a.ts': `console.log('x')` }, 'a.ts:1 writes to the console']
  }

  it.each(Object.entries(breaks))('%s', (_name, [check, files, report]) => {
    expect(check(inMemory(files))).toEqual([report])
  })
})

describe('what is allowed is not reported:', () => {
  it('imports of the own layer and those below', () => {
    const files = {
      'connection/connection.ts': `import '../lib/clock.js'\nimport './backoff.js'\nimport '../socket/target.js'`,
      'types/a.ts': `import '../errors.js'`
    }
    expect(checkLayers(inMemory(files))).toEqual([])
  })

  it('two ways to one file', () => {
    const files = { 'a.ts': `import './b.js'\nimport './c.js'`, 'b.ts': `import './d.js'`, 'c.ts': `import './d.js'`, 'd.ts': '' }
    expect(checkCycles(inMemory(files))).toEqual([])
  })

  it('export * in index.ts and types/', () => {
    expect(checkStarExports(inMemory({ 'index.ts': `export * from './client.js'`, 'types/a.ts': `export type * from './b.js'` }))).toEqual(
      []
    )
  })

  it('members that bear the name of a global, words in comments and strings, and time handed in', () => {
    const text = `// setTimeout, Promise\nexport const a = (x: { process: number }, now: number) => x.process + Date.parse('fetch') + now`
    expect(checkPurity(inMemory({ 'wire/a.ts': text, 'lib/clock.ts': 'setTimeout(f)' }))).toEqual([])
  })

  it('promises in a file that declares only types', () => {
    const text = `import type { A } from './b.js'\nexport type { B } from './b.js'\nexport interface C {\n  d(): Promise<A>\n}\ntype E = WebSocket`
    expect(checkPurity(inMemory({ 'server/types.ts': text }))).toEqual([])
    expect(checkPurity(inMemory({ 'server/types.ts': `${text}\nconst f = 1` }))).toHaveLength(2)
  })

  it('dependencies at home', () => {
    const files = {
      'rpc/rpc-peer.ts': `import { nanoid } from 'nanoid/non-secure'`,
      'socket/node-socket.ts': `import type { A } from 'node:http'`
    }
    expect(checkDependencies(inMemory(files))).toEqual([])
  })

  it('overloads that share one comment', () => {
    expect(
      checkDocs(
        inMemory({
          'a.ts': '/** A. */\nexport function a(x: 1): 1\nexport function a(x: 2): 2\nexport function a(x: number): number { return x }'
        })
      )
    ).toEqual([])
  })

  it('a member that an interface explains, in the class that implements it', () => {
    const files = {
      'a.ts': '/** A. */\nexport interface A {\n  /** B. */\n  b(): void\n}',
      'b.ts': `import type { A } from './a.js'\n/** C. */\nexport class C implements A {\n  b(): void {}\n}`
    }
    expect(checkDocs(inMemory(files))).toEqual([])
  })

  it('comments and blank lines, whatever their number', () => {
    const text = `/**\n * One.\n */\nexport const a = 1 // two\n\n/* three */ // four\nconst b = \`\nfive\n\`\n`
    expect(countCodeLines({ path: 'a.ts', text })).toBe(4)
  })

  it('a company in a comment, and ! as not', () => {
    expect(checkStyle(inMemory({ 'a.ts': '// any console!\nconst a = !b && many !== c' }))).toEqual([])
  })
})
