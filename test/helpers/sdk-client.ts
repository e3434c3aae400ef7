import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema
} from '@modelcontextprotocol/sdk/types.js'
import type { ServerTransport } from '../../src/server/index.js'
import type { WebSocketClientTransport } from '../../src/transport/index.js'

/** An unmodified `Client` of the official SDK, as one of its versions and modes, with what it told. */
export interface SdkClient {
  readonly client: ClientV1 | ClientV2
  connect(transport: WebSocketClientTransport | ServerTransport): Promise<void>
  close(): Promise<void>
  /** Calls a tool. @returns The words of its response. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>
  /** Asks for `notifications/resources/updated`, as the era does. */
  subscribe(uri: string): Promise<void>
  /** How often `onclose` was called. */
  readonly closes: number
  readonly errors: Error[]
  /** `notifications/tools/list_changed` that reached the handler. */
  readonly changes: number
  /** Marks of the `notifications/resources/updated` that reached the handler. */
  readonly marks: unknown[]
}

/** Options of a call that both versions have. */
export interface CallOptions {
  readonly timeout?: number
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { progress: number; total?: number | undefined }) => void
}

/** A version and mode of the official SDK. */
export type SdkMode = 'v1' | 'v2 legacy' | 'v2 modern'

/** What a client says of itself. */
export const INFO = { name: 'sdk-client', version: '1.0.0' }
/** What a client can do for its server. */
export const CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } }
/** Results for the requests of a server. */
export const MESSAGE = { role: 'assistant' as const, content: { type: 'text' as const, text: 'hi' }, model: 'none' }
export const ACCEPTED = { action: 'accept' as const, content: { colour: 'red' } }
export const ROOTS = { roots: [{ uri: 'file:///here', name: 'here' }] }

// The test server reports progress whether it was asked to or not.
const onprogress = (): void => undefined

const wordsOf = (result: unknown): string => (result as { content: { text?: string }[] }).content.map(({ text = '' }) => text).join('')

/** Makes a client; of v2 `probeTimeout` bounds the era probe, and `versions` are all that it speaks. */
export function makeSdkClient(mode: SdkMode, probeTimeout?: number, versions?: string[]): SdkClient {
  return mode === 'v1' ? makeV1() : makeV2(mode === 'v2 modern', probeTimeout, versions)
}

function makeV1(): SdkClient {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES })
  const told = { closes: 0, errors: [] as Error[], changes: 0, marks: [] as unknown[] }
  client.onclose = () => {
    told.closes++
  }
  client.onerror = (error) => void told.errors.push(error)
  client.setRequestHandler(CreateMessageRequestSchema, () => MESSAGE)
  client.setRequestHandler(ElicitRequestSchema, () => ACCEPTED)
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS)
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    told.changes++
  })
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.marks.push(params._meta?.mark))
  return Object.assign(told, {
    client,
    connect: (transport: WebSocketClientTransport | ServerTransport) => client.connect(transport),
    close: () => client.close(),
    call: async (name: string, args?: Record<string, unknown>, options?: CallOptions) =>
      wordsOf(await client.callTool({ name, arguments: args }, undefined, { onprogress, ...options })),
    subscribe: async (uri: string) => {
      await client.subscribeResource({ uri })
    }
  })
}

function makeV2(isModern: boolean, timeoutMs: number | undefined, supportedProtocolVersions: string[] | undefined): SdkClient {
  const told = { closes: 0, errors: [] as Error[], changes: 0, marks: [] as unknown[] }
  const client = new ClientV2(INFO, {
    capabilities: CAPABILITIES,
    ...(supportedProtocolVersions && { supportedProtocolVersions }),
    ...(isModern && {
      versionNegotiation: { mode: 'auto', ...(timeoutMs !== undefined && { probe: { timeoutMs } }) },
      listChanged: {
        tools: {
          autoRefresh: false,
          debounceMs: 0,
          onChanged: () => {
            told.changes++
          }
        }
      }
    })
  })
  client.onclose = () => {
    told.closes++
  }
  client.onerror = (error) => void told.errors.push(error)
  client.setRequestHandler('sampling/createMessage', () => MESSAGE)
  client.setRequestHandler('elicitation/create', () => ACCEPTED)
  client.setRequestHandler('roots/list', () => ROOTS)
  if (!isModern)
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      told.changes++
    })
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    told.marks.push((params._meta as { mark?: unknown } | undefined)?.mark)
  })
  return Object.assign(told, {
    client,
    connect: (transport: WebSocketClientTransport | ServerTransport) => client.connect(transport),
    close: () => client.close(),
    call: async (name: string, args?: Record<string, unknown>, options?: CallOptions) =>
      wordsOf(await client.callTool({ name, arguments: args }, { onprogress, ...options })),
    subscribe: async (uri: string) => {
      if (isModern) await client.listen({ resourceSubscriptions: [uri] })
      else await client.subscribeResource({ uri })
    }
  })
}
