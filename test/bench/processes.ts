import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Milliseconds of a clock that all processes of the machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** What a program of the bench does for the one that started it, by name. */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>

interface Order {
  readonly command: string
  readonly argument: unknown
}

type Report = { readonly value: unknown } | { readonly error: string }

/** Does what the parent process orders, one order after another, and ends with it. */
export function obey(commands: Commands): void {
  let last: Promise<unknown> = Promise.resolve()
  process.on('disconnect', () => process.exit())
  process.on('message', ({ command, argument }: Order) => {
    last = last.then(async () => {
      const report = await perform(commands, command, argument)
      process.send?.(report)
    })
  })
}

async function perform(commands: Commands, command: string, argument: unknown): Promise<Report> {
  try {
    return { value: await commands[command]!(argument as never) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** The cores that this process may use, as the system numbers them; empty where nobody can be pinned. */
function coresOf(): number[] {
  if (!existsSync('/usr/bin/taskset') || !existsSync('/proc/self/status')) return []
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

const cores = coresOf()
/** Whether client and server each have a core of their own. */
export const isPinned = cores.length > 1

/** The core of the clients, and that of the servers. */
export type Side = 'client' | 'server'

/** A program of the bench, in a process of its own. */
export class Program {
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>

  /**
   * @param name - Of the bundle beside this one.
   * @param side - Which core it gets, if there is more than one.
   */
  constructor(name: string, side: Side) {
    const node = [process.execPath, '--expose-gc', fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))]
    const [program = '', ...args] = isPinned ? ['/usr/bin/taskset', '-c', String(cores[side === 'client' ? 0 : 1]), ...node] : node
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#gone = once(this.#child, 'exit')
  }

  /** Has it carry out one of its {@link Commands}. */
  async order<T>(command: string, argument?: unknown): Promise<T> {
    const ended = this.#gone.then(() => ({ error: `the process ended during ${command}` }))
    this.#child.send({ command, argument })
    const answered = once(this.#child, 'message').then(([report]: unknown[]) => report as Report)
    const report = await Promise.race([answered, ended])
    if ('error' in report) throw new Error(report.error)
    return report.value as T
  }

  /** Ends it with SIGKILL, and waits until it is gone: nothing that it holds is worth a goodbye. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }
}

/** Where an `echo-server` listens, and since when. */
export interface Listening {
  readonly port: number
  readonly at: number
}

/** Runs what needs programs, and ends all that it started, however it ends. */
export async function withPrograms<T>(run: (start: (name: string, side: Side) => Program) => Promise<T>): Promise<T> {
  const programs: Program[] = []
  try {
    return await run((name, side) => {
      const program = new Program(name, side)
      programs.push(program)
      return program
    })
  } finally {
    await Promise.all(programs.map((program) => program.kill()))
  }
}
