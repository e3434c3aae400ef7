import { describe, expect, it } from 'vitest'
import * as semconv from '@opentelemetry/semantic-conventions/incubating'
import { McpWebSocketError, RpcError } from '../../src/errors.js'
import * as conventions from '../../src/otel/conventions.js'

const URL = 'wss://example.com/ws'
const SERVER = { 'network.protocol.name': 'websocket', 'network.transport': 'tcp', 'server.address': 'example.com', 'server.port': 443 }

describe('a request', () => {
  it.each([
    ['tools/call', { name: 'echo' }, 'tools/call echo', { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'echo' }, {}],
    ['prompts/get', { name: 'greet' }, 'prompts/get greet', { 'gen_ai.prompt.name': 'greet' }, {}],
    ['resources/read', { uri: 'a://b' }, 'resources/read', {}, { 'mcp.resource.uri': 'a://b' }],
    ['acme/do', { name: 'x' }, 'acme/do', {}, {}],
    ['tools/call', undefined, 'tools/call', { 'gen_ai.operation.name': 'execute_tool' }, {}]
  ])('%s %j is named %s', (method, params, name, attributes, details) => {
    expect(conventions.describe(method, params, URL)).toEqual({
      name,
      attributes: { 'mcp.method.name': method, ...SERVER, ...attributes },
      details
    })
  })

  it.each([
    ['ws://127.0.0.1:8080/ws', { 'server.address': '127.0.0.1', 'server.port': 8080 }],
    ['ws://example.com/', { 'server.address': 'example.com', 'server.port': 80 }],
    [undefined, {}]
  ])('knows the server of %s', (url, expected) => {
    expect(conventions.describe('ping', undefined, url).attributes).toEqual({
      'mcp.method.name': 'ping',
      'network.protocol.name': 'websocket',
      'network.transport': 'tcp',
      ...expected
    })
  })
})

describe('a failure', () => {
  it.each([
    [new RpcError(-32602, 'bad', undefined), { 'error.type': '-32602', 'rpc.response.status_code': '-32602' }, 'bad'],
    [new McpWebSocketError('REQUEST_TIMEOUT', 'late', {}), { 'error.type': 'REQUEST_TIMEOUT' }, 'late'],
    [new DOMException('stop', 'AbortError'), { 'error.type': 'AbortError' }, 'stop'],
    ['why', { 'error.type': '_OTHER' }, 'why']
  ])('(%s) has a type', (error, attributes, message) => {
    expect(conventions.describeError(error)).toEqual({ attributes, message })
  })

  it('of a tool is in its result', () => {
    expect(conventions.describeResult({ isError: true })).toEqual({
      attributes: { 'error.type': 'tool_error' },
      message: 'the tool failed'
    })
    for (const result of [{ isError: false }, {}, undefined, null]) expect(conventions.describeResult(result)).toBeUndefined()
  })
})

it('names are those of the published conventions', () => {
  expect([conventions.CLIENT_DURATION, conventions.SERVER_DURATION, conventions.PROTOCOL_VERSION, conventions.REQUEST_ID]).toEqual([
    semconv.METRIC_MCP_CLIENT_OPERATION_DURATION,
    semconv.METRIC_MCP_SERVER_OPERATION_DURATION,
    semconv.ATTR_MCP_PROTOCOL_VERSION,
    semconv.ATTR_JSONRPC_REQUEST_ID
  ])
  const { attributes } = conventions.describe('tools/call', { name: 'echo' }, URL)
  const { attributes: prompt } = conventions.describe('prompts/get', { name: 'greet' }, URL)
  const { details } = conventions.describe('resources/read', { uri: 'a://b' }, URL)
  const { attributes: failure } = conventions.describeError(new RpcError(-32602, 'bad', undefined))
  const names: readonly string[] = Object.values(semconv).filter((value) => typeof value === 'string')
  for (const name of Object.keys({ ...attributes, ...prompt, ...details, ...failure })) expect(names).toContain(name)
})
