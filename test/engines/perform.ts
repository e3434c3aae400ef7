import type { Closure, McpWebSocketClient, McpWebSocketClientOptions, McpWebSocketError, StateChange } from '../../src/index.js'

/** What a program does with a server; JSON, as it travels into pages. */
export interface Scenario {
  /** A path of the scripted server (see its table), or a whole URL. */
  readonly path: string
  readonly options?: Omit<Partial<McpWebSocketClientOptions>, 'url'>
  /** How many characters the called tool is to echo. */
  readonly say?: number
  /**
   * What happens once the client is ready, if anything. `call` sends `tools/call` and right behind it `tools/list`, `call alone` only the
   * first, `nudge` a notification; each waits for the break that the path brings, and for what follows it. `close` closes the client
   * instead; `close dialling` does so when the server has the dial, `close waiting` when a retry is due, `close deaf` after a nudge.
   */
  readonly act?: 'call' | 'call alone' | 'nudge' | 'close' | 'close dialling' | 'close waiting' | 'close deaf'
}

/** A rejection, in what a program can tell apart. */
export interface Failure {
  readonly name: string
  readonly code: string
  readonly retryable: boolean
  readonly delivery?: string | undefined
  /** Whether there is a hint; its words differ between engines. */
  readonly hint: boolean
  readonly cause?: Failure | undefined
}

/** A closure, without what differs between engines. */
type SeenClosure = Pick<Closure, 'code' | 'reason' | 'wasClean'> & { readonly kind: string }

/** What the program saw. */
export interface View {
  readonly connect: 'ok' | Failure
  readonly call?: 'ok' | Failure | undefined
  readonly list?: 'ok' | Failure | undefined
  /** All states until nothing more was to come. */
  readonly states: string
  /** The delays of `waiting`, in ms. */
  readonly delays: readonly number[]
  /** Why `ready` ended, the first time. */
  readonly closure?: SeenClosure | undefined
  readonly reconnected?: { readonly resent: number; readonly lost: number } | undefined
  /** How long `close()` took, in ms, where a scenario is about that. */
  readonly closedAfter?: number | undefined
}

// Fast enough for a test, and few: the number of dials tells what is fatal from what is retried.
const RETRIES = { initialDelay: 10, maxDelay: 20, jitter: false, maxRetries: 2 }

/** Plays a scenario in this engine, with a scripted server that it has for itself. */
export async function perform(
  Client: typeof McpWebSocketClient,
  serverUrl: string,
  { path, options, act, say = 1 }: Scenario
): Promise<View> {
  const client = new Client({ url: new URL(path, serverUrl), ...options, reconnect: { ...RETRIES, ...options?.reconnect } })
  const changes: StateChange[] = []
  let reconnected: View['reconnected']
  client.on('state', (change) => changes.push(change))
  client.on('reconnected', ({ resent, lost }) => (reconnected = { resent, lost }))
  const settled = new Promise<void>((resolve) => client.once('reconnected', () => resolve()).once('failed', () => resolve()))

  const connecting = outcomeOf(client.connect())
  if (act === 'close dialling') await seen(serverUrl, 'dial')
  if (act === 'close waiting') await waiting(client)
  let closedAfter = act === 'close dialling' || act === 'close waiting' ? await close(client) : undefined
  const connect = await connecting

  const isReady = connect === 'ok'
  const call =
    isReady && act?.startsWith('call')
      ? client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(say) } }, { timeout: act === 'call' ? 60_000 : 400 })
      : undefined
  const list = isReady && act === 'call' ? client.listTools() : undefined
  const outcomes = Promise.all([call && outcomeOf(call), list && outcomeOf(list)])
  if (isReady && (act === 'nudge' || act === 'close deaf')) await client.notify('notifications/nudge')
  if (isReady && act === 'close deaf') await seen(serverUrl, 'notifications/nudge')
  if (isReady && act?.startsWith('close')) closedAfter = await close(client)
  else if (isReady && act !== undefined) await settled
  const [called, listed] = await outcomes

  const end = changes.find(({ from, closure }) => from === 'ready' && closure)?.closure
  const view: View = {
    connect,
    call: called,
    list: listed,
    states: changes.map(({ to }) => to).join(' '),
    delays: changes.flatMap(({ delay }) => delay ?? []),
    closure: end && { kind: end.kind, code: end.code, reason: end.reason, wasClean: end.wasClean },
    reconnected,
    closedAfter
  }
  await client.close()
  return view
}

/** @returns How long it took. */
async function close(client: McpWebSocketClient): Promise<number> {
  const startedAt = performance.now()
  await client.close()
  return performance.now() - startedAt
}

const waiting = (client: McpWebSocketClient): Promise<void> =>
  new Promise((resolve) => {
    client.on('state', ({ to }) => {
      if (to === 'waiting') resolve()
    })
  })

/** Waits until the scripted server has noted this. */
async function seen(serverUrl: string, what: string): Promise<void> {
  await (await fetch(`${serverUrl.replace(/^ws/, 'http')}/log?until=${what}`)).text()
}

const outcomeOf = (promise: Promise<unknown>): Promise<'ok' | Failure> => promise.then(() => 'ok', failureOf)

function failureOf(error: unknown): Failure {
  const { name, code, retryable, delivery, hint, cause } = error as McpWebSocketError
  const hasCause = cause instanceof Error && 'retryable' in cause
  return { name, code, retryable, delivery, hint: hint !== undefined, cause: hasCause ? failureOf(cause) : undefined }
}
