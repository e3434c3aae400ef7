import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'
import { afterTest } from './after-test.js'

/** A program of Node that a test started; ended by its pid after the test. */
export interface Child {
  readonly pid: number
  /** Lines that it wrote to stdout so far. */
  readonly lines: string[]
  /** What it wrote to stderr so far. */
  readonly complaints: string
  /** The next line, or the first one if none was taken. */
  nextLine(): Promise<string>
  /** Resolves with the exit code (`null`: ended by a signal) when the process is gone. */
  readonly gone: Promise<number | null>
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>
}

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/mcp-websocket-client/', import.meta.url))
const bundles = new Map<string, Promise<string>>()

afterAll(async () => {
  for (const bundled of bundles.values()) await rm(await bundled, { force: true })
})

/**
 * Bundles a TypeScript program for Node, once for each test file, after which it is removed.
 * @param entry - Relative to the caller: `new URL('./server.ts', import.meta.url)`.
 * @returns Path of the JavaScript file.
 */
export function bundle(entry: URL): Promise<string> {
  const known = bundles.get(entry.href)
  if (known) return known
  const bundled = make(fileURLToPath(entry), `${CACHE}${String(process.pid)}-${String(bundles.size)}.mjs`)
  bundles.set(entry.href, bundled)
  return bundled
}

async function make(entry: string, outfile: string): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages go inside, as one file is read faster than hundreds; those that are CommonJS want a `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent'
  })
  return outfile
}

/** Starts a JavaScript program with this Node. */
export function useChild(script: string, args: readonly string[] = [], nodeArgs: readonly string[] = []): Child {
  const child: ChildProcess = spawn(process.execPath, [...nodeArgs, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let complaints = ''
  let taken = 0
  let wake: () => void = () => undefined
  let rest = ''
  let isGone = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    wake()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const gone = once(child, 'close').then(([code]: unknown[]) => {
    isGone = true
    wake()
    return code as number | null
  })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  afterTest(kill)
  return {
    pid: child.pid ?? 0,
    lines,
    get complaints() {
      return complaints
    },
    async nextLine() {
      while (taken >= lines.length) {
        if (isGone) throw new Error(`the child ended without a further line: ${complaints}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return lines[taken++] ?? ''
    },
    gone,
    kill
  }
}
