import { Client as ClientV2, type Transport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { isConnectionLostError, isRpcError, McpWebSocketClient, type ReconnectOptions } from '../../../src/index.js'
import type { SubscriptionFilter } from '../../../src/types/modern.js'
import { ACCEPTED, CAPABILITIES, INFO, MESSAGE, ROOTS, type SdkMode } from '../../helpers/sdk-client.js'

/** What a client was told or asked, as its user sees it. */
export interface Told {
  readonly method: string
  readonly params?: unknown
}

/** How an operation can fail, whoever reports it. */
export type Failure =
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } }
  | { readonly aborted: true }
  /** The connection broke behind it; the value is the delivery. */
  | { readonly lost: string }

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onprogress?: (report: unknown) => void
  /** It may be sent again, says the caller; only our own client can be told so call by call. */
  readonly resend?: boolean
}

/** A client of a server of MCP: an SDK's, or our own. What all of them call by the same name is in `client`. */
export interface Caller {
  readonly client: ClientV1 | ClientV2 | McpWebSocketClient
  /** Notifications that came and are not yet in a record. */
  readonly heard: Told[]
  /** Server requests that came and are not yet in a record. */
  readonly asked: Told[]
  /** What went wrong without an owner. */
  readonly errors: unknown[]
  /** Whether it heeds {@link CallOptions.resend}. */
  readonly resends: boolean
  /** What is known of the server. */
  describe(): unknown
  call(name: string, args: Record<string, unknown>, options: CallOptions): Promise<unknown>
  /** Sends a request of any method. */
  request(method: string): Promise<unknown>
  /** All pages of the tools. */
  allTools(): Promise<unknown>
  setLevel(level: 'warning' | 'debug'): Promise<unknown>
  /** Modern era only. */
  listen(filter: SubscriptionFilter): Promise<{ readonly honoredFilter: unknown; close(): void | Promise<void> }>
  /** Translates what an operation rejected with. */
  failureOf(error: unknown): Failure
  close(): Promise<void>
}

/** A caller on top of an SDK; it has still to be connected. */
export interface SdkCaller extends Caller {
  connect(transport: TransportV1 & TransportV2): Promise<void>
}

/** In `_meta` of a request of the modern era. */
export const LOG_LEVEL = 'io.modelcontextprotocol/logLevel'

const LOST = 1006

interface SdkError {
  readonly code: number | string
  readonly message: string
  readonly data?: { readonly reason?: string; readonly delivery?: string }
}

/** Both SDKs report an abort as a timeout, v1 with a code of its own, and v1 puts the code before the message. */
function failureOfSdk(thrown: unknown): Failure {
  const { code, message, data } = thrown as SdkError
  if (code === LOST) return { lost: `${String(data?.reason)}, ${String(data?.delivery)}` }
  if (message.includes(GIVEN_UP)) return { aborted: true }
  if (typeof code !== 'number') throw thrown
  return { error: { code, message: message.replace(/^MCP error -?\d+: /, ''), ...(data !== undefined && { data }) } }
}

function failureOfOwn(thrown: unknown): Failure {
  if (isConnectionLostError(thrown)) return { lost: `${thrown.code}, ${String(thrown.delivery)}` }
  if (isRpcError(thrown)) {
    const { rpcCode, message, data } = thrown
    return { error: { code: rpcCode, message, ...(data !== undefined && { data }) } }
  }
  if (thrown instanceof Error && thrown.message === GIVEN_UP) return { aborted: true }
  throw thrown
}

/** The reason of every abort. */
export const GIVEN_UP = 'no longer wanted'

const toldOf = ({ method, params }: Told): Told => ({ method, ...(params !== undefined && { params }) })

/** A caller that is the client of an official SDK. */
export function makeSdkCaller(mode: SdkMode): SdkCaller {
  return mode === 'v1' ? makeV1() : makeV2(mode === 'v2 modern')
}

function makeV1(): SdkCaller {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES })
  const notes = observe(client)
  const asks =
    <A>(result: A) =>
    (request: Told): A => {
      notes.asked.push(toldOf(request))
      return result
    }
  client.setRequestHandler(CreateMessageRequestSchema, async (request, { _meta, sendNotification }) => {
    await report(_meta, (method, params) => sendNotification({ method, params }))
    return asks(MESSAGE)(request)
  })
  client.setRequestHandler(ElicitRequestSchema, asks(ACCEPTED))
  client.setRequestHandler(ListRootsRequestSchema, asks(ROOTS))
  return {
    client,
    ...notes,
    ...common(client),
    connect: (transport) => client.connect(transport),
    call: (name, args, { resend: _resend, ...options }) => client.callTool({ name, arguments: args }, undefined, options),
    request: (method) => client.request({ method }, ResultSchema),
    async allTools() {
      // v1 gives page after page.
      const tools: unknown[] = []
      let cursor: string | undefined
      do {
        const page = await client.listTools(cursor === undefined ? undefined : { cursor })
        tools.push(...page.tools)
        cursor = page.nextCursor
      } while (cursor !== undefined)
      return { tools }
    },
    setLevel: (level) => client.setLoggingLevel(level),
    listen: () => Promise.reject(new TypeError('v1 knows no listen'))
  }
}

function makeV2(isModern: boolean): SdkCaller {
  const client = new ClientV2(INFO, {
    capabilities: CAPABILITIES,
    ...(isModern && { versionNegotiation: { mode: 'auto' } })
  })
  const notes = observe(client)
  const asks =
    <A>(result: A) =>
    (request: Told): A => {
      notes.asked.push(toldOf(request))
      return result
    }
  client.setRequestHandler('sampling/createMessage', async (request, { mcpReq }) => {
    await report(mcpReq._meta, (method, params) => mcpReq.notify({ method, params }))
    return asks(MESSAGE)(request)
  })
  client.setRequestHandler('elicitation/create', asks(ACCEPTED))
  client.setRequestHandler('roots/list', asks(ROOTS))
  let meta: { _meta: Record<string, unknown> } | undefined
  return {
    client,
    ...notes,
    ...common(client),
    connect: (transport) => client.connect(transport),
    call: (name, args, { resend: _resend, ...options }) => client.callTool({ name, arguments: args, ...meta }, options),
    request: (method) => client.request({ method }, ResultSchema),
    allTools: () => client.listTools(),
    setLevel(level) {
      if (!isModern) return client.setLoggingLevel(level)
      // In the modern era the user of the SDK says it with every call.
      meta = { _meta: { [LOG_LEVEL]: level } }
      return Promise.resolve({})
    },
    listen: (filter) => client.listen(filter)
  }
}

/** What every client reports of its progress with a sample, if it was asked to. */
const STEPS = [1, 2]

async function report(
  meta: { readonly progressToken?: string | number | undefined } | undefined,
  notify: (method: 'notifications/progress', params: { progressToken: string | number; progress: number }) => Promise<void>
): Promise<void> {
  const { progressToken } = meta ?? {}
  if (progressToken === undefined) return
  for (const progress of STEPS) await notify('notifications/progress', { progressToken, progress })
}

/** What the clients of both SDKs have in common. */
function common(client: ClientV1 | ClientV2): Pick<Caller, 'resends' | 'describe' | 'failureOf' | 'close'> {
  return {
    resends: false,
    describe: () => [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions()],
    failureOf: failureOfSdk,
    close: () => client.close()
  }
}

function observe(client: ClientV1 | ClientV2): Pick<Caller, 'heard' | 'asked' | 'errors'> {
  const heard: Told[] = []
  const errors: unknown[] = []
  client.fallbackNotificationHandler = (notification: Told) => {
    heard.push(toldOf(notification))
    return Promise.resolve()
  }
  client.onerror = (error) => errors.push(error)
  client.onclose = () => errors.push('onclose')
  return { heard, asked: [], errors }
}

// The event `notification` tells everything; the clients of the SDK keep what they handle themselves.
const HANDLED = ['notifications/progress', 'notifications/cancelled', 'notifications/subscriptions/acknowledged']

/** A caller that is our own client; it has still to be connected. */
export interface OwnCaller extends Caller {
  readonly client: McpWebSocketClient
}

export function makeOwnCaller(url: string, protocol: 'legacy' | 'modern', reconnect: ReconnectOptions): OwnCaller {
  const client = new McpWebSocketClient({ url, protocol, reconnect, clientInfo: INFO, capabilities: CAPABILITIES })
  const [heard, asked, errors]: [Told[], Told[], unknown[]] = [[], [], []]
  const asks =
    <A>(result: A) =>
    (request: Told): A => {
      asked.push(toldOf(request))
      return result
    }
  client.setRequestHandler('sampling/createMessage', (request, { sendProgress }) => {
    for (const progress of STEPS) sendProgress({ progress })
    return asks(MESSAGE)(request)
  })
  client.setRequestHandler('elicitation/create', asks(ACCEPTED))
  client.setRequestHandler('roots/list', asks(ROOTS))
  client.on('notification', (notification) => {
    if (!HANDLED.includes(notification.method)) heard.push(toldOf(notification))
  })
  client.on('error', (error) => errors.push(error))
  client.on('close', () => errors.push('onclose'))
  return {
    client,
    heard,
    asked,
    errors,
    resends: true,
    describe: () => [client.serverInfo, client.serverCapabilities, client.instructions],
    call: (name, args, options) => client.callTool({ name, arguments: args }, options),
    request: (method) => client.request(method),
    allTools: () => client.listTools(),
    setLevel: (level) => client.setLoggingLevel(level),
    listen: (filter) => client.listen(filter),
    failureOf: failureOfOwn,
    close: () => client.close()
  }
}
