import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const hasBrowser = existsSync(executablePath)

if (!hasBrowser) {
  const message = `No browser at ${executablePath}: install Chromium (Debian: apt-get install chromium) or set CHROMIUM_PATH.`
  if (process.env.CI === 'true') throw new Error(message)
  console.warn(`\n*** SKIPPED: the tests in a real browser. ${message} ***\n`)
}

const node: TestProjectConfiguration = {
  extends: true,
  test: {
    name: 'node',
    environment: 'node',
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/browser/**',
      'test/shared/**',
      'test/types/**',
      'test/engines/**',
      'test/heavy/**',
      'test/interop/**',
      'test/integration/proxies/**',
      'test/runtimes/**'
    ],
    setupFiles: ['test/helpers/no-leaks.ts'],
    globalSetup: ['test/helpers/serve-for-browser.ts'],
    testTimeout: 20_000
  }
}

/** Tests that need more than Node and Chromium, or more than minutes; each has a script of its own, and `npm test` leaves them out. */
const apart = (
  name: string,
  folder: string,
  testTimeout: number,
  globalSetup: string[] = [],
  maxWorkers = 1
): TestProjectConfiguration => ({
  extends: true,
  test: {
    name,
    environment: 'node',
    include: [`${folder}/**/*.test.ts`],
    setupFiles: ['test/helpers/no-leaks.ts'],
    globalSetup,
    fileParallelism: maxWorkers > 1,
    maxWorkers,
    testTimeout,
    hookTimeout: testTimeout
  }
})

const browser: TestProjectConfiguration = {
  extends: true,
  resolve: { alias: [{ find: /^(.*)\/(node-socket|inspection)\.js$/, replacement: '$1/$2.browser.js' }] },
  optimizeDeps: {
    include: [
      'isomorphic-ws',
      'eventemitter3',
      'nanoid',
      'react',
      'react-dom/client',
      'react-dom/server',
      'react/jsx-dev-runtime',
      'react-refresh/runtime'
    ]
  },
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/helpers/serve-for-browser.ts'],
    browser: {
      enabled: true,
      headless: true,
      ui: false,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath,
          args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
            '--disable-dev-shm-usage'
          ]
        }
      }),
      instances: [{ browser: 'chromium' }]
    }
  }
}

/** The type tests, with one set of compiler options. */
const types = (name: string, tsconfig: string): TestProjectConfiguration => ({
  extends: true,
  test: {
    name,
    include: [],
    typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.ts'], tsconfig }
  }
})

export default defineConfig({
  // The hooks, and the examples of the documentation, import the entries by their names, as a program does.
  resolve: {
    alias: [
      { find: /^mcp-websocket-client$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) },
      { find: /^mcp-websocket-client\/(\w+)$/, replacement: fileURLToPath(new URL('src/$1/index.ts', import.meta.url)) }
    ]
  },
  test: {
    // On two cores vitest would take one file at a time; most of a test is waiting.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/types/**', 'src/**/*.browser.ts'],
      reporter: ['text', 'json-summary'],
      // Where rules decide, every line is a decision that somebody may rely on. Files that open sockets get by with the average, and so
      // does what only engines without the usual globals run.
      thresholds: {
        lines: 99,
        'src/{client,connection,lib,rpc,session,transport,wire}/**': { lines: 100 }
      }
    },
    projects: [
      node,
      ...(hasBrowser ? [browser] : []),
      types('types', './tsconfig.json'),
      // Programs compile with `exactOptionalPropertyTypes` or without it, and neither includes the other.
      types('types-loose', './test/types/tsconfig.loose.json'),
      apart('proxies', 'test/integration/proxies', 60_000),
      apart('engines', 'test/engines', 120_000),
      apart('heavy', 'test/heavy', 600_000),
      // Servers take their time to start, and calls to end: there is more waiting in it than work.
      apart('interop', 'test/interop', 60_000, ['test/interop/set-up.ts'], 3),
      apart('runtimes', 'test/runtimes', 60_000, ['test/helpers/serve-for-browser.ts', 'test/runtimes/set-up.ts'])
    ]
  }
})
