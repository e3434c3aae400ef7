import { build, type BuildOptions } from 'esbuild'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { VERSION } from '../../src/version.js'
import { importsOf } from '../helpers/architecture.js'
import { CLIENT, diagnose, REACT, SERVER, WITH_SDK } from './consumers.js'
import { buildIfStale, packAndInstall, root, type Installed } from './packed.js'

interface Manifest {
  readonly version: string
  readonly type: string
  readonly sideEffects: boolean
  readonly unpkg: string
  readonly jsdelivr: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** How long the compiler may take, in ms, where other programs compete with it. */
const COMPILING = 120_000

let installed: Installed

beforeAll(async () => {
  await buildIfStale()
  installed = await packAndInstall()
  return () => installed.remove()
}, 120_000)

const read = (path: string): string => readFileSync(join(installed.packageFolder, path), 'utf8')

const esm = (program: string): Promise<unknown> => installed.node('--input-type=module', '--eval', program)
// Node 20 before 20.19 cannot require ES modules.
const cjs = (program: string): Promise<unknown> =>
  installed.node('--no-experimental-require-module', '--input-type=commonjs', '--eval', program)

describe('the packed package', () => {
  const names = 'console.log(JSON.stringify(Object.keys(m).filter((name) => name !== "default").sort()))'

  it('is imported and required under the same names', async () => {
    const imported = await esm(`import * as m from 'mcp-websocket-client'; ${names}`)
    expect(imported).toEqual(expect.arrayContaining(['McpWebSocketClient', 'McpWebSocketError', 'isRpcError']))
    expect(await cjs(`const m = require('mcp-websocket-client'); ${names}`)).toEqual(imported)
  })

  it('prints why nobody answers with the first lines of the README, before the second dial', async () => {
    const [, lines = ''] = /```ts\n(.*?)```/s.exec(read('README.md')) ?? []
    const program = lines.replace(/ws:[^']*/, 'ws://127.0.0.1:1/ws').replace(/^import .*$/m, '')
    const said = await esm(`
      import { McpWebSocketClient } from 'mcp-websocket-client'
      const print = console.log
      const printed = []
      console.log = (...words) => {
        printed.push(words.join(' '))
        if (!printed.at(-1).includes('waiting')) return
        print(JSON.stringify(printed))
        process.exit()
      }
      ${program}`)
    expect(said).toEqual([
      expect.stringContaining('idle → connecting'),
      'connecting → waiting no connection to ws://127.0.0.1:1/ws: connect ECONNREFUSED 127.0.0.1:1'
    ])
  })

  it.each(['import', 'require'])('talks to a server when loaded by %s, and lets the process end', async (how) => {
    const program = `
      const visit = async ({ McpWebSocketClient }) => {
        const client = new McpWebSocketClient({ url: '${inject('serverUrl')}/legacy?key=${how}-${String(process.pid)}' })
        await client.connect()
        const { tools } = await client.listTools()
        await client.close()
        console.log(JSON.stringify({ state: client.state, tools: tools.map(({ name }) => name) }))
      }
      visit(${how === 'import' ? 'm' : `require('mcp-websocket-client')`})`
    const said = how === 'import' ? await esm(`import * as m from 'mcp-websocket-client'; ${program}`) : await cjs(program)
    expect(said).toEqual({ state: 'closed', tools: ['echo'] })
  })

  it.each(['import', 'require'])(
    'has a transport for the official SDK, loaded by %s, that passes its handshake and lets the process end',
    async (how) => {
      const program = `
      const visit = async ({ WebSocketClientTransport, ...others }) => {
        const transport = new WebSocketClientTransport('${inject('serverUrl')}/legacy?key=transport-${how}-${String(process.pid)}')
        const responded = new Promise((resolve) => { transport.onmessage = resolve })
        const closed = new Promise((resolve) => { transport.onclose = resolve })
        await transport.start()
        const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'packed', version: '1' } }
        await transport.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
        const { id, result } = await responded
        await transport.close()
        await closed
        console.log(JSON.stringify({ id, version: result.protocolVersion, others: Object.keys(others) }))
      }
      visit(${how === 'import' ? '{ ...m }' : `{ ...require('mcp-websocket-client/transport') }`})`
      const said = how === 'import' ? await esm(`import * as m from 'mcp-websocket-client/transport'; ${program}`) : await cjs(program)
      expect(said).toEqual({ id: 0, version: '2025-11-25', others: [] })
    }
  )

  it('A27: recognises the errors of its other copy', async () => {
    const program = `
      import { createRequire } from 'node:module'
      import { isClosedError, ClosedError } from 'mcp-websocket-client'
      const other = createRequire(process.cwd() + '/x.js')('mcp-websocket-client')
      console.log(JSON.stringify([other.ClosedError === ClosedError, isClosedError(new other.ClosedError()), other.isClosedError(new ClosedError())]))`
    expect(await esm(program)).toEqual([false, true, true])
  })

  it('shows its package.json', async () => {
    expect(await cjs(`console.log(JSON.stringify(require('mcp-websocket-client/package.json').version))`)).toBe(VERSION)
  })

  it('keeps everything else to itself', async () => {
    const program = `try { require('mcp-websocket-client/dist/node/index.cjs') } catch ({ code }) { console.log(JSON.stringify(code)) }`
    expect(await cjs(program)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('holds every file that it names', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>
    const pathsIn = (value: unknown): string[] => {
      if (typeof value === 'string') return value.startsWith('./') ? [value] : []
      return typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, each]) => [...pathsIn(key), ...pathsIn(each)])
        : []
    }
    const { main, types, browser, exports, bin, unpkg, jsdelivr } = manifest
    // The keys of `exports` are names, those of `browser` are files.
    const paths = pathsIn([main, types, browser, Object.values(exports as object), bin, unpkg, jsdelivr, manifest['react-native']])
    expect(paths.length).toBeGreaterThan(10)
    expect(paths.filter((path) => !existsSync(join(installed.packageFolder, path)))).toEqual([])
  })
})

describe('the packed entry ./server', () => {
  it.each(['import', 'require'])('serves a client of the same package when loaded by %s, and lets the process end', async (how) => {
    const program = `
      const visit = async ({ McpWebSocketServer, isSameToken }, { McpWebSocketClient }) => {
        const server = new McpWebSocketServer({
          authenticate: (request, token) => isSameToken(token, 'right') || undefined,
          onconnection: (transport) => {
            transport.onmessage = ({ id, method }) => {
              if (id === undefined) return
              const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } } : {}
              transport.send({ jsonrpc: '2.0', id, result })
            }
            return transport.start()
          }
        })
        await server.listen()
        const url = 'ws://127.0.0.1:' + server.address().port + '/ws'
        const client = new McpWebSocketClient({ url, protocol: 'legacy', auth: { token: 'right' } })
        await client.connect()
        await client.ping()
        const { subprotocol } = client
        await client.close()
        const { connectionsTotal } = server.metrics()
        await server.close()
        console.log(JSON.stringify({ subprotocol, connectionsTotal }))
      }`
    const said =
      how === 'import'
        ? await esm(`import * as s from 'mcp-websocket-client/server'; import * as c from 'mcp-websocket-client'; ${program}\nvisit(s, c)`)
        : await cjs(`${program}\nvisit(require('mcp-websocket-client/server'), require('mcp-websocket-client'))`)
    expect(said).toEqual({ subprotocol: 'mcp.v1', connectionsTotal: 1 })
  })

  it('has the same names either way', async () => {
    const names = 'console.log(JSON.stringify(Object.keys(m).filter((name) => name !== "default").sort()))'
    expect(await esm(`import * as m from 'mcp-websocket-client/server'; ${names}`)).toEqual(['McpWebSocketServer', 'isSameToken'])
    expect(await cjs(`const m = require('mcp-websocket-client/server'); ${names}`)).toEqual(['McpWebSocketServer', 'isSameToken'])
  })

  it.each(['dist/node/server.d.ts', 'dist/node/server.d.cts'])('declares itself in %s with types of Node and of nobody else', (path) => {
    const text = read(path)
    const packages = new Set(importsOf({ path, text }).map(({ specifier }) => specifier))
    expect([...packages].filter((name) => !name.startsWith('node:') && !name.startsWith('.'))).toEqual([])
  })

  it('brings ws along, and nothing else', () => {
    const text = read('dist/node/server.js')
    const packages = importsOf({ path: 'server.js', text }).map(({ specifier }) => specifier)
    expect(packages.filter((name) => !/^(node:)?(http|crypto|events|buffer)$/.test(name))).toEqual(['ws'])
  })
})

describe('the packed entry ./redis', () => {
  it('has the same name either way, without the package redis', async () => {
    const names = 'console.log(JSON.stringify(Object.keys(m).filter((name) => name !== "default")))'
    expect(await esm(`import * as m from 'mcp-websocket-client/redis'; ${names}`)).toEqual(['RedisSessionStore'])
    expect(await cjs(`const m = require('mcp-websocket-client/redis'); ${names}`)).toEqual(['RedisSessionStore'])
  })

  it.each(['d.ts', 'd.cts', 'js', 'cjs'])('imports nothing in dist/node/redis.%s', (suffix) => {
    const path = `dist/node/redis.${suffix}`
    expect(importsOf({ path, text: read(path) })).toEqual([])
  })
})

describe('the packed entry ./otel', () => {
  it('has the same name either way', async () => {
    const names = 'console.log(JSON.stringify(Object.keys(m).filter((name) => name !== "default")))'
    expect(await esm(`import * as m from 'mcp-websocket-client/otel'; ${names}`)).toEqual(['instrument'])
    expect(await cjs(`const m = require('mcp-websocket-client/otel'); ${names}`)).toEqual(['instrument'])
  })

  it.each(['d.ts', 'd.cts', 'js', 'cjs'])('imports the API of OpenTelemetry, and nothing else, in dist/any/otel.%s', (suffix) => {
    const path = `dist/any/otel.${suffix}`
    expect(new Set(importsOf({ path, text: read(path) }).map(({ specifier }) => specifier))).toEqual(new Set(['@opentelemetry/api']))
  })
})

describe('the packed entry ./probe', () => {
  it.each(['import', 'require'])('looks at a server when loaded by %s, and lets the process end', async (how) => {
    const program = `visit = ({ probe }) => probe('${inject('serverUrl')}/legacy?key=probe-${how}').then(({ ok, server }) => console.log(JSON.stringify([ok, server.era])))`
    const said =
      how === 'import'
        ? await esm(`import * as m from 'mcp-websocket-client/probe'; const ${program}; visit(m)`)
        : await cjs(`const ${program}; visit(require('mcp-websocket-client/probe'))`)
    expect(said).toEqual([true, 'legacy'])
  })
})

describe('the packed program mcp-ws', () => {
  const bin = (): string => join(installed.packageFolder, 'dist/bin/mcp-ws.js')

  it('runs by itself, and says its version', () => {
    expect(execFileSync(bin(), ['--version'], { encoding: 'utf8' })).toBe(`${VERSION}\n`)
  })

  it('needs less than 150 ms of the processor to show its help, beside what Node by itself takes', () => {
    // Time on the wall would be that of whatever else runs here.
    const tell = `data:text/javascript,process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write(String(user + system)) })`
    const timeOf = (...args: string[]): number =>
      Number(spawnSync(process.execPath, ['--import', tell, ...args], { encoding: 'utf8' }).stderr)
    const best = (...args: string[]): number => Math.min(...Array.from({ length: 3 }, () => timeOf(...args)))
    expect((best(bin(), '--help') - best('--eval', '0')) / 1000).toBeLessThan(150)
  })

  it('loads neither TLS nor HTTP for its help', () => {
    const tell = `data:text/javascript,process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')))`
    const { stderr } = spawnSync(process.execPath, ['--import', tell, bin(), '--help'], { encoding: 'utf8' })
    const loaded = stderr.split('\n')
    expect(loaded).toContain('NativeModule fs')
    for (const name of ['tls', 'http', 'https', 'crypto', 'dns']) expect(loaded).not.toContain(`NativeModule ${name}`)
  })
})

describe('the packed entry ./react', () => {
  const program = `
    const Page = ({ client }) => {
      const { client: own, state, tools } = useMcpClient({ url: 'ws://127.0.0.1:1/ws' })
      return [own instanceof McpWebSocketClient, state, tools, useMcpState(client).state].join()
    }
    console.log(JSON.stringify(renderToString(createElement(Page, { client: new McpWebSocketClient({ url: 'ws://127.0.0.1:1/ws' }) }))))`
  const loads = {
    import: `import { createElement } from 'react'
      import { renderToString } from 'react-dom/server'
      import { McpWebSocketClient } from 'mcp-websocket-client'
      import { useMcpClient, useMcpState } from 'mcp-websocket-client/react'`,
    require: `const { createElement } = require('react')
      const { renderToString } = require('react-dom/server')
      const { McpWebSocketClient } = require('mcp-websocket-client')
      const { useMcpClient, useMcpState } = require('mcp-websocket-client/react')`
  } as const

  it.each(['import', 'require'] as const)('renders on a server when loaded by %s, with the client of the main entry', async (how) => {
    expect(await (how === 'import' ? esm : cjs)(loads[how] + program)).toBe('true,idle,,idle')
  })

  it.each([
    ['browser', 'import'],
    ['browser', 'require'],
    ['node', 'import'],
    ['node', 'require']
  ] as const)('is in a bundle for %s, by %s, with the client of that platform once', async (platform, how) => {
    const { metafile } = await build({
      stdin: { contents: loads[how] + program, resolveDir: installed.folder },
      bundle: true,
      write: false,
      metafile: true,
      platform,
      external: ['react', 'react-dom'],
      logLevel: 'silent',
      absWorkingDir: installed.folder
    })
    const own = Object.keys(metafile.inputs).filter((path) => path.includes('mcp-websocket-client/'))
    const suffix = how === 'import' ? 'js' : 'cjs'
    expect(own.sort()).toEqual(
      ['any/react', `${platform}/core`, `${platform}/index`].map((path) => `node_modules/mcp-websocket-client/dist/${path}.${suffix}`)
    )
  })

  it.each(['d.ts', 'd.cts'])('declares itself in dist/any/react.%s with the types of the main entry alone', (suffix) => {
    const path = `dist/any/react.${suffix}`
    expect(importsOf({ path, text: read(path) }).map(({ specifier }) => specifier)).toEqual(['mcp-websocket-client'])
  })
})

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

  it('has the version that the client gives as its own', () => expect(VERSION).toBe(manifest.version))

  it('lets bundlers drop what is not used', () => expect(manifest.sideEffects).toBe(false))

  it('gives CDNs the script of docs/runtimes.md, which names this version', () => {
    const { unpkg, jsdelivr } = manifest
    expect(unpkg).toBe(jsdelivr)
    const scripts = [...read('docs/runtimes.md').matchAll(/<script src="[^"]*\/mcp-websocket-client@([^/]+)\/([^"]+)">/g)]
    expect(scripts.map(([, version, path = '']) => [version, `./${path}`])).toEqual([[VERSION, jsdelivr]])
  })

  it('exports itself', () => expect(manifest.exports['./package.json']).toBe('./package.json'))

  it('lists conditions of engines before those of formats, and types first', () => {
    const leaves = (value: object): string[] =>
      'default' in value ? [Object.keys(value).join()] : Object.values(value).flatMap((each) => leaves(each as object))
    for (const entry of ['.', './transport']) {
      const exported = manifest.exports[entry] as object
      expect(Object.keys(exported)).toEqual(['react-native', 'workerd', 'browser', 'import', 'require'])
      expect(new Set(leaves(exported))).toEqual(new Set(['types,default']))
    }
  })

  it('has exactly the dependencies of the design', () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual(['eventemitter3', 'isomorphic-ws', 'nanoid', 'ws'])
  })

  it('asks for ws 8.21 or later: isomorphic-ws would take any', () => {
    const [, major, minor] = /^\^(\d+)\.(\d+)\.\d+$/.exec(manifest.dependencies.ws ?? '') ?? []
    expect(Number(major)).toBe(8)
    expect(Number(minor)).toBeGreaterThanOrEqual(21)
  })
})

describe('a bundle for Node', () => {
  const NAMES = ['McpWebSocketServer', 'McpWebSocketClient', 'WebSocketClientTransport'] as const
  const ENTRIES = ['mcp-websocket-client/server', 'mcp-websocket-client', 'mcp-websocket-client/transport']
  // A server that answers whatever it is asked, a client, and a transport that asks by itself.
  const program = `
    const respond = (transport) => {
      transport.onmessage = ({ id, method }) => {
        const result = method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } } : {}
        if (id !== undefined) transport.send({ jsonrpc: '2.0', id, result })
      }
      return transport.start()
    }
    const visit = async () => {
      const server = new McpWebSocketServer({ allowUnauthenticated: true, onconnection: respond })
      await server.listen()
      const url = 'ws://127.0.0.1:' + server.address().port + '/ws'
      const client = new McpWebSocketClient({ url, protocol: 'legacy' })
      await client.connect()
      await client.ping()
      await client.close()
      const transport = new WebSocketClientTransport(url)
      const responded = new Promise((resolve) => { transport.onmessage = resolve })
      await transport.start()
      await transport.send({ jsonrpc: '2.0', id: 7, method: 'ping' })
      const { id } = await responded
      await transport.close()
      const { connectionsTotal } = server.metrics()
      await server.close()
      console.log(JSON.stringify({ id, connectionsTotal }))
    }
    visit()`
  const imports = ENTRIES.map((entry, i) => `import { ${NAMES[i] ?? ''} } from '${entry}'`).join('\n')
  const requires = ENTRIES.map((entry, i) => `const { ${NAMES[i] ?? ''} } = require('${entry}')`).join('\n')

  it.each([
    ['ES module by import', 'esm', imports],
    ['CommonJS module by require', 'cjs', requires]
  ] as const)('made of all entries as one %s runs by itself, and lets the process end', async (_how, format, loading) => {
    // What esbuild makes of a CommonJS dependency (ws) in an ES module asks for `require`.
    const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`
    expect(readFileSync(join(root, 'docs/runtimes.md'), 'utf8')).toContain(`--banner:js="${banner}"`)
    const { outputFiles, metafile } = await build({
      stdin: { contents: loading + program, resolveDir: installed.folder },
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format,
      banner: format === 'esm' ? { js: banner } : {},
      logLevel: 'silent',
      absWorkingDir: installed.folder,
      outfile: format === 'esm' ? 'out.mjs' : 'out.cjs'
    })
    // Not in the folder of the program: there it would find what it lacks.
    const folder = mkdtempSync(join(tmpdir(), 'bundled-'))
    const path = join(folder, format === 'esm' ? 'out.mjs' : 'out.cjs')
    writeFileSync(path, outputFiles[0]?.text ?? '')
    try {
      expect(await installed.node(path)).toEqual({ id: 7, connectionsTotal: 2 })
    } finally {
      rmSync(folder, { recursive: true })
    }
    const own = Object.keys(metafile.inputs).filter((input) => input.includes('mcp-websocket-client/'))
    const suffix = format === 'esm' ? 'js' : 'cjs'
    expect(own.sort()).toEqual(
      ['core', 'index', 'server', 'transport'].map((entry) => `node_modules/mcp-websocket-client/dist/node/${entry}.${suffix}`)
    )
  })
})

describe('the client and the transport in one program', () => {
  // Nobody listens there: the error of the transport is one of the client's classes.
  const program = `
    const refused = new WebSocketClientTransport('ws://127.0.0.1:1/ws', { reconnect: false }).start()
    refused.catch((error) => {
      const [known] = [error, error.cause].filter((each) => each?.code === 'CONNECT_FAILED')
      console.log(JSON.stringify([known instanceof McpWebSocketError, isMcpWebSocketError(known)]))
    })`
  const loads = {
    import: `import { McpWebSocketError, isMcpWebSocketError } from 'mcp-websocket-client'
      import { WebSocketClientTransport } from 'mcp-websocket-client/transport'`,
    require: `const { McpWebSocketError, isMcpWebSocketError } = require('mcp-websocket-client')
      const { WebSocketClientTransport } = require('mcp-websocket-client/transport')`
  } as const

  it.each(['import', 'require'] as const)('have the same classes of errors when loaded by %s', async (how) => {
    expect(await (how === 'import' ? esm : cjs)(loads[how] + program)).toEqual([true, true])
  })

  it.each([
    ['browser', 'import'],
    ['browser', 'require'],
    ['node', 'import'],
    ['node', 'require']
  ] as const)('are in a bundle for %s, by %s, with one copy of what they share', async (platform, how) => {
    const { outputFiles, metafile } = await build({
      stdin: {
        contents: `${loads[how]}\nglobalThis.used = [McpWebSocketError, isMcpWebSocketError, WebSocketClientTransport]`,
        resolveDir: installed.folder
      },
      bundle: true,
      write: false,
      metafile: true,
      platform,
      logLevel: 'silent',
      absWorkingDir: installed.folder
    })
    const own = Object.keys(metafile.inputs).filter((path) => path.includes('mcp-websocket-client/'))
    const suffix = how === 'import' ? 'js' : 'cjs'
    const files = ['core', 'index', 'transport'].map((name) => `node_modules/mcp-websocket-client/dist/${platform}/${name}.${suffix}`)
    expect(own.sort()).toEqual(files)
    expect(outputFiles[0]?.text.match(/name = "RetriesExhaustedError"/g)).toHaveLength(1)
  })
})

describe('the built files', () => {
  const built = (suffix: string): string[] =>
    readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(suffix))
  const mayInline: Readonly<Record<string, readonly string[]>> = {
    node: ['nanoid'],
    browser: ['isomorphic-ws', 'eventemitter3', 'nanoid'],
    bin: ['isomorphic-ws', 'eventemitter3', 'nanoid', 'ws', 'commander', '@cfworker/json-schema']
  }

  /** What a file was made of, by its map. The program has none: there the bundler tells it in comments. */
  const sourcesOf = (path: string): string[] =>
    path.startsWith('bin')
      ? [...read(`dist/${path}`).matchAll(/^\/\/ ((?:src|node_modules)\/.*)$/gm)].map(([, source = '']) => `../${source}`)
      : (JSON.parse(read(`dist/${path}.map`)) as { sources: string[] }).sources

  it('are made of src and of the dependencies that are inlined, not of an official SDK or of zod', () => {
    const scripts = [...built('.js'), ...built('.cjs')]
    expect(scripts).toHaveLength(24)
    for (const path of scripts) {
      const sources = sourcesOf(path)
      expect(sources).not.toEqual([])
      const packages = sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [])
      const others = sources.filter((source) => !source.includes('node_modules/') && !/^(\.\.\/)+src\//.test(source))
      expect(packages.filter((name) => !mayInline[dirname(path)]?.includes(name))).toEqual([])
      expect(others).toEqual([])
    }
  })

  it('have maps that lead into the src of the package, and do not repeat it', () => {
    for (const path of built('.map')) {
      const { sources, sourcesContent = [] } = JSON.parse(read(`dist/${path}`)) as { sources: string[]; sourcesContent?: unknown[] }
      expect(sources.filter((source, i) => /^(\.\.\/)+src\//.test(source) && typeof sourcesContent[i] === 'string')).toEqual([])
    }
  })

  it('import nothing but the dependencies, Node, and what the entries share', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as Manifest
    const scripts = [...built('.js'), ...built('.cjs')]
    expect(scripts).toHaveLength(24)
    for (const path of scripts) {
      const packages = importsOf({ path, text: read(`dist/${path}`) }).map(({ specifier }) => specifier)
      const alone: Readonly<Record<string, readonly string[]>> = {
        browser: [],
        bin: builtinModules,
        any: ['mcp-websocket-client', ...Object.keys(peerDependencies)]
      }
      const allowed = alone[dirname(path)] ?? [...Object.keys(dependencies), ...builtinModules]
      const shared = /\/(index|transport)\.c?js$/.test(path) ? [`./core.${path.replace(/.*\./, '')}`] : []
      const others = packages.filter((name) => !allowed.includes(name.replace(/^node:/, '')))
      expect(others, path).toEqual(shared)
    }
  })
})

describe('a bundle for browsers', () => {
  const bundle = async (contents: string, options: BuildOptions = {}): Promise<{ text: string; inputs: string[] }> => {
    const { outputFiles = [], metafile } = await build({
      stdin: { contents, resolveDir: installed.folder },
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
      absWorkingDir: installed.folder,
      ...options
    })
    return { text: outputFiles.map((file) => file.text).join('\n'), inputs: Object.keys(metafile?.inputs ?? {}) }
  }
  const imports = `import { McpWebSocketClient } from 'mcp-websocket-client'; globalThis.McpWebSocketClient = McpWebSocketClient`
  const requires = `globalThis.McpWebSocketClient = require('mcp-websocket-client').McpWebSocketClient`

  it.each([
    ['import', imports],
    ['require', requires]
  ])('made by %s has no trace of Node, ws or HTTP statuses', async (_how, contents) => {
    const { text, inputs } = await bundle(contents)
    expect(text).toContain('mcp.v1')
    for (const trace of ['node:', 'unexpected-response', 'captive portal', 'ECONNREFUSED', 'Retry-After asks', 'require("'])
      expect(text).not.toContain(trace)
    // No other package: what it needs is inlined.
    expect(inputs.filter((path) => path !== '<stdin>')).toEqual(
      ['core', 'index'].map((name) => expect.stringContaining(`mcp-websocket-client/dist/browser/${name}.`) as string)
    )
  })

  it('of the transport has no trace of Node, of ws, or of the client', async () => {
    const { text, inputs } = await bundle(
      `import { WebSocketClientTransport } from 'mcp-websocket-client/transport'; globalThis.T = WebSocketClientTransport`
    )
    for (const trace of ['node:', 'unexpected-response', 'ECONNREFUSED', 'require("', 'input_required', 'tools/call'])
      expect(text).not.toContain(trace)
    expect(inputs.filter((path) => path !== '<stdin>')).toEqual(
      ['core', 'transport'].map((name) => `node_modules/mcp-websocket-client/dist/browser/${name}.js`)
    )
  })

  it('cannot have the server in it', async () => {
    const built = bundle(`import { isSameToken } from 'mcp-websocket-client/server'; globalThis.isSameToken = isSameToken`)
    await expect(built).rejects.toThrow('Could not resolve "mcp-websocket-client/server"')
  })

  it('cannot have the store in it', async () => {
    const built = bundle(`import { RedisSessionStore } from 'mcp-websocket-client/redis'; globalThis.S = RedisSessionStore`)
    await expect(built).rejects.toThrow('Could not resolve "mcp-websocket-client/redis"')
  })

  it('made without conditions, by old bundlers, comes to the same', async () => {
    const { inputs } = await bundle(requires, { conditions: [], mainFields: ['browser', 'main'] })
    expect(inputs.join()).toMatch(/dist\/browser\/index\./)
  })

  it('drops the client where only a guard is used', async () => {
    const { text } = await bundle(`import { isRpcError } from 'mcp-websocket-client'; globalThis.isRpcError = isRpcError`, { minify: true })
    expect(text).toContain('RpcError')
    expect(text).not.toContain('tools/call')
  })

  it('loses what the one for Node has', () => {
    for (const trace of ['unexpected-response', 'captive portal']) {
      expect(read('dist/node/core.js')).toContain(trace)
      for (const name of ['core.js', 'index.js', 'transport.js', 'core.cjs', 'index.cjs', 'transport.cjs', 'mcp-websocket-client.iife.js'])
        expect(read(`dist/browser/${name}`)).not.toContain(trace)
    }
  })
})

describe('the declarations', () => {
  const files = ['index', 'transport'].flatMap((entry) =>
    ['node', 'browser'].flatMap((platform) => ['ts', 'cts'].map((format) => `dist/${platform}/${entry}.d.${format}`))
  )

  it.each(files)('%s stand alone: no import, no type of ws or Node', (path) => {
    const text = read(path)
    expect(importsOf({ path, text })).toEqual([])
    expect(text).not.toMatch(/\/\/\/ *<reference +(types|path)/)
    expect(namesIn(text).filter((name) => /^(NodeJS|Buffer|IncomingMessage|EventEmitter|WsLike)$/.test(name))).toEqual([])
  })

  it('say the same in both formats and for both platforms', () => {
    for (const entry of ['index', 'transport']) {
      const [first, ...others] = files.filter((path) => path.includes(entry)).map(exportsOf)
      for (const other of others) expect(other).toEqual(first)
    }
  })

  // A change of these files is one of what programs see. What an entry shares with the main one stands in its report alone.
  it.each(['index', 'transport', 'server', 'redis', 'otel', 'probe', 'react'])('of %s are those of the API report', async (entry) => {
    const path = `dist/${['react', 'otel'].includes(entry) ? 'any' : 'node'}/${entry}.d.ts`
    const elsewhere = entry === 'index' ? [] : declarationsOf('dist/node/index.d.ts')
    const own = declarationsOf(path).filter((declaration) => !elsewhere.includes(declaration))
    await expect([exportsOf(path).join('\n'), ...own].join('\n\n') + '\n').toMatchFileSnapshot(`api/${entry}.txt`)
  })

  it('export, as values, what the package exports', async () => {
    const values = exportsOf('dist/node/index.d.ts').filter((name) => !name.startsWith('type '))
    expect(await esm(`import * as m from 'mcp-websocket-client'; console.log(JSON.stringify(Object.keys(m).sort()))`)).toEqual(
      values.sort()
    )
  })

  const { ModuleKind, ModuleResolutionKind } = ts
  const bundler = { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler }
  const nodeNext = { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext }
  const node16 = { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 }
  const inNode = [
    ['an ES module in Node', 'consumer.mts', nodeNext],
    ['CommonJS in Node', 'consumer.cts', nodeNext],
    ['a program for Node with a bundler', 'consumer.ts', bundler]
  ] as const
  const inPage = { ...bundler, customConditions: ['browser'] }
  const elsewhere = [
    ['an ES module with the rules of Node 16', 'consumer.mts', node16],
    ['CommonJS with the rules of Node 16', 'consumer.cts', node16],
    ['a page with a bundler', 'consumer.ts', inPage]
  ] as const

  /** What is wrong, with and without `exactOptionalPropertyTypes`: neither includes the other. */
  const complaints = (path: string, text: string, options: ts.CompilerOptions): string[] =>
    [true, false].flatMap((exactOptionalPropertyTypes) => diagnose(path, text, { ...options, exactOptionalPropertyTypes }))

  it.each([...inNode, ...elsewhere])(
    'satisfy %s that has neither the types of Node nor skipLibCheck',
    (_who, name, options) => {
      expect(complaints(join(installed.folder, name), CLIENT, options)).toEqual([])
      expect(complaints(join(installed.folder, name), REACT, options)).toEqual([])
    },
    COMPILING
  )

  const typeRoots = [join(root, 'node_modules/@types')]

  it.each(inNode)(
    'of the server satisfy %s that has the types of Node',
    (_who, name, options) => {
      expect(complaints(join(installed.folder, name), SERVER, { ...options, types: ['node'], typeRoots })).toEqual([])
    },
    COMPILING
  )

  it(
    'of the server are not there for a page with a bundler',
    () => {
      expect(complaints(join(installed.folder, 'consumer.ts'), SERVER, { ...inPage, types: ['node'], typeRoots })).toContainEqual(
        expect.stringContaining("Cannot find module 'mcp-websocket-client/server'")
      )
    },
    COMPILING
  )

  it.each(inNode)(
    'put %s between both versions of the official SDK',
    (_who, name, options) => {
      // Here the SDKs are installed, and the package knows itself by its name.
      expect(complaints(join(root, name), WITH_SDK, { ...options, types: ['node'] })).toEqual([])
    },
    COMPILING
  )
})

/** What a declaration file exports, in order; types marked as such. */
function exportsOf(path: string): string[] {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
  return file.statements
    .filter(ts.isExportDeclaration)
    .flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []))
    .map(({ name, isTypeOnly }) => (isTypeOnly ? `type ${name.text}` : name.text))
    .sort()
}

/** What a declaration file declares, without comments, in the order of the names: moving code about changes nothing. */
function declarationsOf(path: string): string[] {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
  const printer = ts.createPrinter({ removeComments: true })
  const nameOf = (text: string): string => /^(?:abstract )?\w+ (.*)/s.exec(text)?.[1] ?? text
  return file.statements
    .filter((statement) => !ts.isExportDeclaration(statement))
    .map((statement) => printer.printNode(ts.EmitHint.Unspecified, statement, file).replace(/^declare /, ''))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** Every identifier of a source; what comments say does not count. */
function namesIn(text: string): string[] {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('x.d.ts', text, ts.ScriptTarget.Latest, true))
  return [...names]
}
