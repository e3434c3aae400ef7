import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  checkCycles,
  checkDependencies,
  checkDocs,
  checkExtensions,
  checkLength,
  checkPurity,
  checkRanks,
  checkStarExports,
  checkStyle,
  countCodeLines,
  importsOf,
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
    expect(sources.map(({ path }) => path)).toEqual(expect.arrayContaining(['index.ts', 'client.ts', 'core/lifecycle.ts', 'io/socket.ts']))
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100)
  })

  it('import their own rank or below, and never from the other side', () => expect(checkRanks(sources)).toEqual([]))

  it('import only files that exist', () => {
    const paths = new Set(sources.map(({ path }) => path))
    expect(sources.flatMap(importsOf).filter(({ target }) => target !== undefined && !paths.has(target))).toEqual([])
  })

  it('have no cycles, not even of types', () => expect(checkCycles(sources)).toEqual([]))

  it('have no export * but in index.ts and types/', () => expect(checkStarExports(sources)).toEqual([]))

  it('are pure in core/', () => expect(checkPurity(sources)).toEqual([]))

  it('import each dependency in its one home, and the official SDK nowhere', () => expect(checkDependencies(sources)).toEqual([]))

  it('name relative imports with .js', () => expect(checkExtensions(sources)).toEqual([]))

  it(`have at most ${String(MOST_LINES)} lines of code a file`, () => expect(checkLength(sources)).toEqual([]))

  it('document every export', () => expect(checkDocs(sources)).toEqual([]))

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
    expect(importsOf({ path: 'io/a.ts', text }).map(({ target }) => target)).toEqual(['io/b.ts'])
  })

  it('words in comments and strings are none', () => {
    expect(importsOf({ path: 'a.ts', text: `// import './b.js'\nconst text = "import './b.js'"` })).toEqual([])
  })

  it('specifiers resolve from the importing file', () => {
    const text = `import '../errors.js'\nimport './x/y.js'\nimport 'nanoid'`
    expect(importsOf({ path: 'core/a.ts', text }).map(({ target }) => target)).toEqual(['errors.ts', 'core/x/y.ts', undefined])
  })
})

describe('a broken rule is reported:', () => {
  const breaks: Record<string, [check: (sources: readonly Source[]) => Violation[], files: Record<string, string>, report: string]> = {
    'an import of a higher rank': [
      checkRanks,
      { 'core/a.ts': `import '../io/clock.js'` },
      'core/a.ts (rank 1) imports io/clock.ts (rank 2) above it'
    ],
    'an import of a higher rank for types': [
      checkRanks,
      { 'session.ts': `import type { ClientEvents } from './events.js'` },
      'session.ts (rank 4) imports events.ts (rank 5) above it'
    ],
    'the index imported from within': [
      checkRanks,
      { 'client.ts': `export * from './index.js'` },
      'client.ts (rank 6) imports index.ts (rank 7) above it'
    ],
    'errors that import core': [
      checkRanks,
      { 'errors.ts': `import './core/hints.js'` },
      'errors.ts (rank 0) imports core/hints.ts (rank 1) above it'
    ],
    'a connection that knows the peer': [
      checkRanks,
      { 'connection.ts': `import type { Call } from './rpc-peer.js'` },
      'connection.ts, which belongs to the connection, imports rpc-peer.ts, which belongs to the peer'
    ],
    'a peer that knows the connection': [
      checkRanks,
      { 'inbound-dispatch.ts': `import('./connection.js')` },
      'inbound-dispatch.ts, which belongs to the peer, imports connection.ts, which belongs to the connection'
    ],
    'a file without a rank': [checkRanks, { 'helpers.ts': '' }, 'helpers.ts has no rank: give it one in test/helpers/architecture.ts'],
    'a cycle': [
      checkCycles,
      { 'a.ts': `import './b.js'`, 'b.ts': `export * from './c.js'`, 'c.ts': `import type { A } from './a.js'` },
      'a.ts > b.ts > c.ts > a.ts is a cycle'
    ],
    'a file that imports itself': [checkCycles, { 'core/a.ts': `import './a.js'` }, 'core/a.ts > core/a.ts is a cycle'],
    'export *': [checkStarExports, { 'core/a.ts': `export * from './b.js'` }, 'core/a.ts has an export *'],
    'export * as': [checkStarExports, { 'client.ts': `export * as types from './types/common.js'` }, 'client.ts has an export *'],
    'a timer in core': [checkPurity, { 'core/a.ts': 'setTimeout(() => 1, 5)' }, 'core/a.ts:1 uses setTimeout, but core/ is pure'],
    'an interval in core': [checkPurity, { 'core/a.ts': '\nsetInterval(() => 1, 5)' }, 'core/a.ts:2 uses setInterval, but core/ is pure'],
    'the wall clock in core': [checkPurity, { 'core/a.ts': 'const now = Date.now()' }, 'core/a.ts:1 uses Date.now, but core/ is pure'],
    'new Date() in core': [checkPurity, { 'core/a.ts': 'const now = new Date()' }, 'core/a.ts:1 uses new Date(), but core/ is pure'],
    'the monotonic clock in core': [checkPurity, { 'core/a.ts': 'performance.now()' }, 'core/a.ts:1 uses performance, but core/ is pure'],
    'chance in core': [checkPurity, { 'core/a.ts': 'Math.random()' }, 'core/a.ts:1 uses Math.random, but core/ is pure'],
    'a socket in core': [checkPurity, { 'core/a.ts': `new WebSocket('ws://x')` }, 'core/a.ts:1 uses WebSocket, but core/ is pure'],
    'the process in core': [checkPurity, { 'core/a.ts': 'process.env.X' }, 'core/a.ts:1 uses process, but core/ is pure'],
    'a promise in core': [checkPurity, { 'core/a.ts': 'Promise.resolve()' }, 'core/a.ts:1 uses Promise, but core/ is pure'],
    'a promise type in core': [checkPurity, { 'core/a.ts': 'type A = Promise<void>' }, 'core/a.ts:1 uses Promise, but core/ is pure'],
    'async in core': [checkPurity, { 'core/a.ts': 'const a = async () => 1' }, 'core/a.ts:1 uses async, but core/ is pure'],
    'await in core': [checkPurity, { 'core/a.ts': 'await 1' }, 'core/a.ts:1 uses await, but core/ is pure'],
    'fetch in core': [checkPurity, { 'core/a.ts': `fetch('x')` }, 'core/a.ts:1 uses fetch, but core/ is pure'],
    'a builtin in core': [
      checkPurity,
      { 'core/a.ts': `import type { A } from 'node:http'` },
      'core/a.ts imports node:http, but core/ is pure'
    ],
    'a package in core': [checkPurity, { 'core/a.ts': `import { nanoid } from 'nanoid'` }, 'core/a.ts imports nanoid, but core/ is pure'],
    'isomorphic-ws away from home': [
      checkDependencies,
      { 'io/target.ts': `import WebSocket from 'isomorphic-ws'` },
      'io/target.ts imports isomorphic-ws, whose home is io/socket.ts'
    ],
    'eventemitter3 away from home': [
      checkDependencies,
      { 'client.ts': `import { EventEmitter } from 'eventemitter3'` },
      'client.ts imports eventemitter3, whose home is events.ts'
    ],
    'nanoid away from home': [
      checkDependencies,
      { 'session.ts': `import('nanoid')` },
      'session.ts imports nanoid, whose home is rpc-peer.ts'
    ],
    'a builtin away from home': [
      checkDependencies,
      { 'connection.ts': `import type { A } from 'node:net'` },
      'connection.ts imports node:net, whose home is io/node-socket.ts and io/refusal.ts and server/'
    ],
    'a builtin at run time': [
      checkDependencies,
      { 'io/refusal.ts': `import http from 'node:http'` },
      'io/refusal.ts imports more than types of node:http'
    ],
    'a builtin without its prefix': [
      checkDependencies,
      { 'io/refusal.ts': `import type { A } from 'http'` },
      'io/refusal.ts imports http, which is no dependency of this package at run time'
    ],
    ws: [
      checkDependencies,
      { 'io/socket.ts': `import WebSocket from 'ws'` },
      'io/socket.ts imports ws, whose home is server/server.ts and server/peer-socket.ts'
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
      { 'client.ts': 'const a = 1\n\n// why\n'.repeat(251) },
      'client.ts has 251 lines of code, more than 250'
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
      { 'a.ts': 'export interface A { /** x */ x: 1 }' },
      'a.ts:1 exports A without a TSDoc comment'
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
  it('imports of the own rank and below', () => {
    const files = {
      'connection.ts': `import './io/clock.js'\nimport './core/backoff.js'\nimport './own-requests.js'`,
      'types/a.ts': `import '../errors.js'`
    }
    expect(checkRanks(inMemory(files))).toEqual([])
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
    expect(checkPurity(inMemory({ 'core/a.ts': text, 'io/b.ts': 'setTimeout(f)' }))).toEqual([])
  })

  it('dependencies at home', () => {
    const files = { 'rpc-peer.ts': `import { nanoid } from 'nanoid'`, 'io/node-socket.ts': `import type { A } from 'node:http'` }
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

  it('comments and blank lines, whatever their number', () => {
    const text = `/**\n * One.\n */\nexport const a = 1 // two\n\n/* three */ // four\nconst b = \`\nfive\n\`\n`
    expect(countCodeLines({ path: 'a.ts', text })).toBe(4)
  })

  it('a company in a comment, and ! as not', () => {
    expect(checkStyle(inMemory({ 'a.ts': '// any console!\nconst a = !b && many !== c' }))).toEqual([])
  })
})
