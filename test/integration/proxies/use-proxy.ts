import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe } from 'vitest'
import { afterTest } from '../../helpers/after-test.js'
import { until } from '../../helpers/until.js'
import { caddyConfig, haproxyConfig, nginxConfig, type Addressed, type ProxySettings } from './configs.js'

/** The proxies that are tested. */
export type ProxyName = 'nginx' | 'haproxy' | 'caddy'

/** One of the programs, and how to speak to it. */
interface Program {
  readonly path: string
  readonly install: string
  readonly config: (settings: Addressed) => string
  readonly args: (folder: string, configFile: string) => string[]
  /** By which signal it takes an order; without one it takes none. */
  readonly signals: Readonly<Partial<Record<ProxyOrder, NodeJS.Signals>>>
  /** The arguments with which it tells the running one to take the configuration, if no signal does. */
  readonly reload?: (folder: string, configFile: string) => string[]
  /** What it says once it takes orders. */
  readonly ready: RegExp
  /** What it says to an order. */
  readonly heard: RegExp
  /** What an old worker says once it accepts nothing more. */
  readonly retired: RegExp
}

/** What a proxy can be told: take the new configuration, end once the open connections have ended, end now. */
type ProxyOrder = 'reload' | 'finish' | 'stop'

const PROGRAMS: Readonly<Record<ProxyName, Program>> = {
  nginx: {
    path: process.env.NGINX_PATH ?? '/usr/sbin/nginx',
    install: 'Debian: apt-get install nginx-light; or set NGINX_PATH',
    config: nginxConfig,
    args: (folder, configFile) => ['-p', folder, '-c', configFile, '-e', 'stderr', '-g', 'daemon off;'],
    signals: { reload: 'SIGHUP', finish: 'SIGQUIT', stop: 'SIGTERM' },
    ready: /start worker process /g,
    heard: /signal \d+ \(\w+\) received/g,
    retired: /gracefully shutting down/g
  },
  haproxy: {
    path: process.env.HAPROXY_PATH ?? '/usr/sbin/haproxy',
    install: 'Debian: apt-get install haproxy; or set HAPROXY_PATH',
    config: haproxyConfig,
    // A master with a worker, as a service runs it: the master takes the orders.
    args: (_folder, configFile) => ['-W', '-f', configFile],
    signals: { reload: 'SIGUSR2', finish: 'SIGUSR1', stop: 'SIGTERM' },
    ready: /Loading success/g,
    heard: /Reloading HAProxy|Exiting Master process/g,
    retired: /Proxy front stopped/g
  },
  caddy: {
    path: process.env.CADDY_PATH ?? '/usr/bin/caddy',
    install: 'Debian: apt-get install caddy; or set CADDY_PATH',
    config: caddyConfig,
    args: (_folder, configFile) => ['run', '--config', configFile, '--adapter', 'caddyfile'],
    signals: { stop: 'SIGTERM' },
    reload: (folder, configFile) => ['reload', '--config', configFile, '--adapter', 'caddyfile', '--address', `unix/${folder}/admin.sock`],
    ready: /serving initial configuration/g,
    heard: /shutting down/g,
    retired: /^$/g
  }
}

/** A running proxy in front of a server of the test. */
export interface Proxy {
  readonly url: string
  /** Whether its process has ended, with all workers. */
  readonly isGone: boolean
  /** Takes other settings without a pause; resolves once the old worker accepts no more dials. */
  reload(settings: ProxySettings): Promise<void>
  /** Accepts no more dials, and ends by itself after the last connection; resolves once the first is so. */
  finish(): Promise<void>
  /** Ends it now, and waits until it is gone. */
  stop(): Promise<void>
  /** Starts it again, on the same port with the same settings. */
  start(): Promise<void>
}

/** A `describe` for one of the proxies. Without the program it is skipped with a warning; in CI that is an error. */
export function describeProxy(name: ProxyName, tests: () => void): void {
  const { path, install } = PROGRAMS[name]
  const isThere = existsSync(path)
  if (!isThere) {
    const message = `No ${name} at ${path} (${install}).`
    if (process.env.CI === 'true') throw new Error(message)
    console.warn(`\n*** SKIPPED: the tests behind a real ${name}. ${message} ***\n`)
  }
  describe.skipIf(!isThere)(name, tests)
}

/**
 * Starts a proxy on a free port of 127.0.0.1; it is ended after the test with all its workers.
 * @param config - Writes its configuration, in place of the usual one.
 */
export async function useProxy(name: ProxyName, settings: ProxySettings, config = PROGRAMS[name].config): Promise<Proxy> {
  const program = PROGRAMS[name]
  const port = await quietPort()
  const folder = await mkdtemp(join(tmpdir(), `${name}-`))
  const configFile = join(folder, `${name}.conf`)
  const configure = (to: ProxySettings): Promise<void> => writeFile(configFile, config({ ...to, port }))
  let child: ChildProcess | undefined
  let complaints = ''

  const count = (words: RegExp): number => complaints.match(words)?.length ?? 0
  const see = (isSo: () => boolean, what: string): Promise<void> =>
    until(isSo, `${name} ${what}`).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${complaints}`)
    })
  const start = async (): Promise<void> => {
    const before = count(program.ready)
    // A process group of its own, so that one signal ends the master and its workers.
    const started = spawn(program.path, program.args(folder, configFile), {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      // Caddy keeps what it knows in the home of its user.
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    })
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    // That is when the last worker has let go of stderr, too.
    started.once('close', () => {
      child = undefined
    })
    child = started
    await see(() => count(program.ready) > before || child !== started, 'starts')
    if (!(await accepts(port))) throw new Error(`${name} does not listen:\n${complaints}`)
  }
  const order = async (what: ProxyOrder, isDone: () => boolean): Promise<void> => {
    const before = count(program.heard)
    const give = (): void => {
      if (count(program.heard) === before) child?.kill(program.signals[what])
    }
    // HAProxy's master ignores what comes in its first moments, and there is no sign that they are over. An order that was
    // heard must not come twice, so what was said meanwhile is read first.
    const again = setInterval(() => setImmediate(give), 500)
    give()
    await see(isDone, `does as told: ${what}`).finally(() => clearInterval(again))
  }
  const retire = async (what: ProxyOrder): Promise<void> => {
    const before = count(program.retired)
    await order(what, () => count(program.retired) > before)
  }

  afterTest(async () => {
    if (child) {
      const gone = once(child, 'close')
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It has just ended by itself.
      }
      await gone
    }
    await rm(folder, { recursive: true })
  })
  await configure(settings)
  await start()
  return {
    url: `ws://127.0.0.1:${String(port)}/ws`,
    get isGone() {
      return !child
    },
    reload: async (to) => {
      await configure(to)
      if (program.reload) await promisify(execFile)(program.path, program.reload(folder, configFile))
      else await retire('reload')
    },
    finish: () => retire('finish'),
    stop: () => order('stop', () => !child),
    start
  }
}

/** A free port below those that the system gives away by itself, so that it is still free when a proxy is started again. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => undefined)
    socket.once('close', (failed) => resolve(!failed))
  })
}
