import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { CallToolResult, McpWebSocketClient, McpWebSocketClientOptions, StateChange } from '../../../src/index.js'
import { bundle } from '../../helpers/child.js'
import { afterTest } from '../../helpers/after-test.js'

/** A child process that does what the test asks for; ended by its pid after the test. */
export interface Program {
  readonly pid: number
  /** Runs a command of the program (see `programs/`); rejects with what it failed with. */
  ask(command: string, ...args: unknown[]): Promise<unknown>
}

type Message =
  | { readonly event: string; readonly payload: unknown; readonly at: number }
  | { readonly id: number; readonly value?: unknown; readonly error?: { readonly message: string } }

/**
 * Starts one of `programs/`.
 * @param inside - A command that starts it where it should run, for example in another network, and becomes it.
 * @param onTold - Called with what the program tells by itself.
 */
export async function useProgram(
  name: 'client' | 'server',
  inside: readonly string[] = [],
  onTold: (event: string, payload: unknown, at: number) => void = () => undefined
): Promise<Program> {
  const script = await bundle(new URL(`../programs/${name}.ts`, import.meta.url))
  const [execPath, ...execArgv] = [...inside, process.execPath]
  // Not `json`: options hold `Infinity` and `undefined`.
  const child = fork(script, [], { execPath, execArgv, serialization: 'advanced' })
  const gone = once(child, 'close')
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let nextId = 1
  child.on('message', (message: Message) => {
    if ('event' in message) return onTold(message.event, message.payload, message.at)
    const { id, value, error } = message
    const waiting = asked.get(id)
    asked.delete(id)
    if (error) waiting?.reject(Object.assign(new Error(error.message), error))
    else waiting?.resolve(value)
  })
  afterTest(async () => {
    child.kill('SIGKILL')
    await gone
  })
  return {
    pid: child.pid ?? 0,
    ask: (command, ...args) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        asked.set(id, { resolve, reject })
        child.send({ id, command, args })
      })
  }
}

/** A change of state, with the time in ms of the client's own monotonic clock. */
export type TimedChange = StateChange & { readonly at: number }

/** A client in a process of its own, with everything that it told. */
export interface RemoteClient extends Program {
  readonly states: TimedChange[]
  readonly errors: { readonly code?: string; readonly message: string }[]
  /** Methods of the notifications that came. */
  readonly notifications: string[]
  /** Makes the client, first of all. Options that are functions cannot travel. */
  open(options: McpWebSocketClientOptions): Promise<unknown>
  connect(): Promise<unknown>
  callTool(...args: Parameters<McpWebSocketClient['callTool']>): Promise<CallToolResult>
  /** Runs any method of the client. */
  run(method: keyof McpWebSocketClient, ...args: unknown[]): Promise<unknown>
}

/** Starts a process for a client; see `useProgram`. */
export async function useRemoteClient(inside?: readonly string[]): Promise<RemoteClient> {
  const states: TimedChange[] = []
  const errors: RemoteClient['errors'] = []
  const notifications: string[] = []
  const program = await useProgram('client', inside, (event, payload, at) => {
    if (event === 'state') states.push({ ...(payload as StateChange), at })
    else if (event === 'error') errors.push(payload as RemoteClient['errors'][number])
    else notifications.push((payload as { method: string }).method)
  })
  const run: RemoteClient['run'] = (method, ...args) => program.ask('run', method, ...args)
  return {
    ...program,
    states,
    errors,
    notifications,
    open: (options) => program.ask('open', options),
    connect: () => run('connect'),
    callTool: (...args) => run('callTool', ...args) as Promise<CallToolResult>,
    run
  }
}
