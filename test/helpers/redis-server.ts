import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { describe } from 'vitest'
import { afterTest } from './after-test.js'
import { freePort } from './free-port.js'
import { REDIS_PATH, startRedis } from './redis-process.js'

/** A `describe` with a real Redis. Without the program it is skipped with a warning; in CI that is an error. */
export function describeRedis(name: string, tests: () => void): void {
  const isThere = existsSync(REDIS_PATH)
  if (!isThere) {
    const message = `No redis-server at ${REDIS_PATH} (Debian: apt-get install redis-server; or set REDIS_PATH).`
    if (process.env.CI === 'true') throw new Error(message)
    console.warn(`\n*** SKIPPED: the tests with a real Redis. ${message} ***\n`)
  }
  describe.skipIf(!isThere)(name, tests)
}

/** A Redis of one test, which keeps nothing when it is killed. */
export interface RedisServer {
  readonly url: string
  /** Kills it, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port; it is empty. */
  start(): Promise<void>
  /** It stands still: its sockets stay open, and nobody answers. */
  freeze(): void
  /** It goes on. */
  thaw(): void
}

/** A connected client, which is destroyed after the test. Losses are expected. */
export async function useRedisClient(url: string, options: Parameters<typeof createClient>[0] = {}) {
  const client = createClient({ socket: { reconnectStrategy: 20 }, ...options, url })
  client.on('error', () => undefined)
  afterTest(() => client.destroy())
  await client.connect()
  return client
}

/** Starts a Redis on a free port of 127.0.0.1, which ends after the test. */
export async function useRedisServer(...more: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const start = async (): Promise<void> => {
    child = await startRedis(port, folder, ...more)
  }
  afterTest(async () => {
    await kill()
    rmSync(folder, { recursive: true })
  })
  await start()
  return {
    url: `redis://127.0.0.1:${String(port)}`,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT')
  }
}
