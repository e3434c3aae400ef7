import type { StateChange } from '../../src/index.js'
import type { FailureData, WebSocketClientTransport } from '../../src/transport/index.js'
import { makeSdkClient, type SdkClient, type SdkMode } from '../helpers/sdk-client.js'

/** What a program is to do with an unmodified `Client` of the SDK; JSON, as it travels into pages. */
export interface RelayPlan {
  readonly mode: SdkMode
  readonly serverUrl: string
  /** Where the server is ended and started again; see stage.ts. */
  readonly stageUrl: string
  readonly token: string
  /** `null`: no end. */
  readonly maxRetries: number | null
}

/** What came of one restart of the server. */
export interface Round {
  /** The call that was under way, in what the SDK tells of it. */
  readonly lost: { readonly code: number } & FailureData
  /** The response to a call that was made while no server was there. */
  readonly waited: string
  /** The response to a call in which the new server asks the client. */
  readonly asked: string
  /** Whether the new server's `list_changed` reached the handler. */
  readonly heard: boolean
}

/** What the program saw. */
export interface Report {
  /** The code of the error with which `connect()` rejected. */
  readonly failed?: string
  /** What the server chose. */
  readonly subprotocol?: string | undefined
  readonly first?: string
  readonly rounds: readonly Round[]
  /** How often `onclose` was called, before `close()` and after it. */
  readonly closes: readonly number[]
  readonly errors: readonly string[]
}

/** How the server goes, and what the next one asks the client. */
const ROUNDS = [
  ['close', 'sampling'],
  ['crash', 'elicitation'],
  ['close', 'roots']
] as const

// Longer than the server needs to come back: engines make those wait whose dials fail.
const RECONNECT = { initialDelay: 100, maxDelay: 200, jitter: false } as const

/** Plays a plan in this engine, with a stage of its own. */
export async function relay(
  Transport: typeof WebSocketClientTransport,
  { mode, serverUrl, stageUrl, token, maxRetries }: RelayPlan
): Promise<Report> {
  const client = makeSdkClient(mode)
  const transport = new Transport(serverUrl, {
    auth: { token, via: 'subprotocol' },
    reconnect: { ...RECONNECT, maxRetries: maxRetries ?? Infinity }
  })
  try {
    await client.connect(transport)
  } catch (error) {
    return { failed: (error as { code: string }).code, rounds: [], closes: [client.closes], errors: messagesOf(client) }
  }
  const { subprotocol } = transport
  const first = await client.call('echo', { message: 'first' })
  const rounds: Round[] = []
  for (const [how, request] of ROUNDS) rounds.push(await survive(client, transport, stageUrl, how, request))
  const closesBefore = client.closes
  await client.close()
  return { subprotocol, first, rounds, closes: [closesBefore, client.closes], errors: messagesOf(client) }
}

async function survive(
  client: SdkClient,
  transport: WebSocketClientTransport,
  stageUrl: string,
  how: string,
  request: string
): Promise<Round> {
  const stage = (what: string): Promise<unknown> => fetch(stageUrl + what, { method: 'POST' }).then((response) => response.text())
  let arrived: () => void = () => undefined
  const isUnderWay = new Promise<void>((resolve) => (arrived = resolve))
  const lost = client.call('hold', {}, { onprogress: () => arrived() }).then(() => RESPONDED, lossOf)
  await isUnderWay
  const dropped = stateOf(transport, 'waiting')
  await stage(how)
  await dropped
  const waiting = client.call('echo', { message: `since ${how}` })
  await stage('start')
  const waited = await waiting
  const { changes } = client
  await client.call('change')
  return { lost: await lost, waited, asked: await client.call(request), heard: await soon(() => client.changes > changes) }
}

const RESPONDED: Round['lost'] = { code: 0, reason: 'it was answered', delivery: 'unknown' }

/** What the errors of both SDKs have. */
const lossOf = (error: unknown): Round['lost'] => {
  const { code, data } = error as { readonly code: number; readonly data: FailureData }
  return { code, ...data }
}

const stateOf = (transport: WebSocketClientTransport, wanted: string): Promise<void> =>
  new Promise((resolve) => {
    const listener = ({ to }: StateChange): void => {
      if (to !== wanted) return
      transport.off('state', listener)
      resolve()
    }
    transport.on('state', listener)
  })

/** Looks after every turn of the loop, for 5 s at most. */
async function soon(isSo: () => boolean): Promise<boolean> {
  const end = performance.now() + 5000
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve))
  return isSo()
}

const messagesOf = ({ errors }: SdkClient): string[] => errors.map(({ message }) => message)
