import type { AttributeValue, Attributes } from '@opentelemetry/api'
import type { RpcError } from '../errors.js'
import type { Params } from '../types/json-rpc.js'

// The names of OpenTelemetry's semantic conventions for MCP (semantic-conventions-genai, docs/gen-ai/mcp.md). Pure.

/** The histogram of requests that the client makes, in s. */
export const CLIENT_DURATION = 'mcp.client.operation.duration'
/** The histogram of requests that the server makes of the client, in s. */
export const SERVER_DURATION = 'mcp.server.operation.duration'
/** The bounds of both, in s, as the conventions want them. */
export const BOUNDARIES: number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]

/** Name of the attribute with the version of MCP that was agreed. */
export const PROTOCOL_VERSION = 'mcp.protocol.version'
/** Name of the attribute with the id of the request on the wire. */
export const REQUEST_ID = 'jsonrpc.request.id'
/** Name of the attribute with the kind of a failure. The span has the status ERROR then. */
export const ERROR_TYPE = 'error.type'

/** What a span or a point of a metric says about a request. */
export interface Description {
  /** Name of the span: the method, and the tool or prompt. */
  readonly name: string
  /** Attributes with few values, which a metric can have. */
  readonly attributes: Attributes
  /** Attributes for the span alone. */
  readonly details: Attributes
}

/** Describes a request. @param url - Where the server is. */
export function describe(method: string, params: Params | undefined, url: string | undefined): Description {
  const target = typeof params?.name === 'string' ? params.name : undefined
  const isTool = method === 'tools/call'
  const named = isTool || method === 'prompts/get' ? target : undefined
  const attributes: Record<string, AttributeValue> = {
    'mcp.method.name': method,
    'network.protocol.name': 'websocket',
    'network.transport': 'tcp',
    ...addressOf(url)
  }
  if (isTool) attributes['gen_ai.operation.name'] = 'execute_tool'
  if (named !== undefined) attributes[isTool ? 'gen_ai.tool.name' : 'gen_ai.prompt.name'] = named
  const details = typeof params?.uri === 'string' ? { 'mcp.resource.uri': params.uri } : {}
  return { name: named === undefined ? method : `${method} ${named}`, attributes, details }
}

function addressOf(url: string | undefined): Attributes {
  if (url === undefined) return {}
  const { hostname, port, protocol } = new URL(url)
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'wss:' ? 443 : 80) }
}

/** How an operation ended that failed. */
export interface Failure {
  /** Attributes, few enough for a metric. */
  readonly attributes: Attributes
  /** For the status of the span. */
  readonly message: string
}

/** Describes what a request was rejected with. */
export function describeError(error: unknown): Failure {
  const { name, message, code, rpcCode } = (
    error instanceof Error ? error : { name: '_OTHER', message: String(error) }
  ) as Partial<RpcError> & Error
  if (rpcCode === undefined) return { attributes: { [ERROR_TYPE]: typeof code === 'string' ? code : name }, message }
  return { attributes: { [ERROR_TYPE]: String(rpcCode), 'rpc.response.status_code': String(rpcCode) }, message }
}

/** Describes a result: that of a tool may say that the tool failed. @returns `undefined` for success. */
export const describeResult = (result: unknown): Failure | undefined =>
  (result as { isError?: unknown } | null | undefined)?.isError === true
    ? { attributes: { [ERROR_TYPE]: 'tool_error' }, message: 'the tool failed' }
    : undefined
