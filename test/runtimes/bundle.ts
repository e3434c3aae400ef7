import { build as esbuild, type Plugin } from 'esbuild'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** What the facts import from `src`, and what stands in for it: the entries of the installed package. */
const PACKED: Readonly<Record<string, string>> = {
  // Without the second argument, which is for tests that bring their own clock and sockets.
  'client/client': `
    import { McpWebSocketClient as Packed } from 'mcp-websocket-client'
    export class McpWebSocketClient extends Packed { constructor(options) { super(options) } }`,
  errors: `export * from 'mcp-websocket-client'`,
  'transport/websocket-client-transport': `export * from 'mcp-websocket-client/transport'`,
  'server/index': `export * from 'mcp-websocket-client/server'`,
  // Only given to that second argument.
  'lib/clock': 'export const systemClock = undefined',
  'socket/open-socket': 'export const openSocket = undefined'
}

const packed = (entry: string, folder: string): Plugin => ({
  name: 'packed',
  setup(build) {
    build.onResolve({ filter: /^vitest$/ }, () => ({ path: join(HERE, 'runner.ts') }))
    if (entry === 'jest') build.onResolve({ filter: /\/expect\.js$/ }, () => ({ path: join(HERE, 'programs/jest-expect.ts') }))
    // A part of vitest, and so of its version.
    build.onResolve({ filter: /^@vitest\/expect$/ }, ({ path, kind, pluginData }) =>
      pluginData === packed
        ? undefined
        : build.resolve(path, {
            kind,
            pluginData: packed,
            resolveDir: dirname(createRequire(import.meta.url).resolve('vitest/package.json'))
          })
    )
    build.onResolve({ filter: /\/src\// }, ({ path }) => ({ path: path.replace(/.*\/src\/(.*)\.js$/, '$1'), namespace: 'packed' }))
    build.onLoad({ filter: /.*/, namespace: 'packed' }, ({ path }) => ({ contents: PACKED[path] ?? '', resolveDir: folder }))
  }
})

/**
 * Bundles a program with all but the package, which the runtime itself finds in the folder.
 * @param entry - A file of `programs/`, without its suffix.
 * @param name - The file to write into the folder: `.mjs` or `.cjs`.
 * @param conditions - With them the package is bundled too, as the tools of that runtime do it.
 */
export async function bundle(entry: string, folder: string, name: string, conditions?: string[]): Promise<void> {
  await esbuild({
    entryPoints: [join(HERE, `programs/${entry}.ts`)],
    outfile: join(folder, name),
    bundle: true,
    format: name.endsWith('.cjs') ? 'cjs' : 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    external: ['node:*', ...(conditions ? [] : ['mcp-websocket-client'])],
    conditions: conditions ?? [],
    plugins: [packed(entry, folder)],
    logLevel: 'silent'
  })
}
