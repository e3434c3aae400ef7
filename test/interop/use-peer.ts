import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import { bundle } from '../helpers/child.js'
import { quietPort } from '../integration/proxies/use-proxy.js'
import type { Machine } from './machine.js'
import type { Peer, Tools } from './peers.js'
import { pause } from '../helpers/pause.js'

/** A peer that runs for all tests of a `describe`. */
export interface RunningPeer {
  readonly url: string
  /** Ends it, with SIGKILL unless told otherwise, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it (again), on the same port, and waits until it listens. */
  start(): Promise<void>
}

/** Whether this machine lacks what the peer needs; the set-up has said so. */
export function isMissing({ needs }: Pick<Peer, 'needs'>): boolean {
  return needs !== undefined && 'missing' in inject('machine')[needs]
}

/** What commands are made of, on this machine. */
export function toolsHere(): Tools {
  const folders = Object.entries(inject('machine')).map(([name, chain]) => [name, 'folder' in chain ? chain.folder : ''] as const)
  return { ...(Object.fromEntries(folders) as Record<keyof Machine, string>), bundle }
}

/** Starts a peer before the first test and ends it after the last. */
export function usePeer(peer: Peer): RunningPeer {
  const tools = toolsHere()
  let child: ChildProcess | undefined
  let port = 0
  let folder = ''

  const start = async (): Promise<void> => {
    const [program = '', ...args] = await peer.command(tools, port)
    const log = join(folder, 'log')
    const output = openSync(log, 'a')
    // A process group of its own, so that one signal ends all that it started. It outlives each single test, so to these it
    // is no leak.
    const started = spawn(program, args, { stdio: ['ignore', output, output], detached: true })
    closeSync(output)
    started.unref()
    child = started
    const failed = once(started, 'exit').then(() => {
      throw new Error(`${peer.name} ended:\n${readFileSync(log, 'utf8').slice(-2000)}`)
    })
    failed.catch(() => undefined)
    await Promise.race([listening(port), failed])
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const exited = once(child, 'exit')
    process.kill(-child.pid, signal)
    await exited
  }

  beforeAll(async () => {
    port = await quietPort()
    folder = await mkdtemp(join(tmpdir(), 'interop-'))
    await start()
  })
  afterAll(async () => {
    await kill()
    await rm(folder, { recursive: true })
  })
  return {
    get url() {
      return `ws://127.0.0.1:${String(port)}${peer.path}`
    },
    kill,
    start
  }
}

/** Resolves when somebody listens on the port. Programs of others have no sign for that but the port itself. */
async function listening(port: number, limit = 60_000): Promise<void> {
  for (const end = performance.now() + limit; performance.now() < end;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
  throw new Error(`nobody listens on port ${String(port)}`)
}
