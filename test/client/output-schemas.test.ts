import { Validator } from '@cfworker/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import type { CallToolResult, CompileSchema } from '../../src/index.js'
import { LEGACY_RESULT, type FakeSocket } from '../helpers/fake-network.js'
import { settle } from '../helpers/fake-clock.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { useClient, type Rig } from './use-client.js'

const WEATHER = {
  name: 'weather',
  inputSchema: { type: 'object' as const },
  outputSchema: { type: 'object', properties: { celsius: { type: 'number' } }, required: ['celsius'] }
}
const ECHO = { name: 'echo', inputSchema: { type: 'object' as const } }
const CONTENT = { content: [] }
/** Of a server that never tells when its list changes. */
const SILENT = { ...LEGACY_RESULT, capabilities: { tools: {} } }

/** As docs/options.md shows them. */
const COMPILERS: Readonly<Record<string, CompileSchema>> = {
  ajv: (schema) => {
    const ajv = new Ajv2020({ strict: false, validateSchema: false })
    const validate = ajv.compile(schema)
    return (value) => validate(value) || ajv.errorsText(validate.errors)
  },
  '@cfworker/json-schema': (schema) => {
    const validator = new Validator(schema, '2020-12')
    return (value) => {
      const { valid, errors } = validator.validate(value)
      return valid || errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`).join(', ')
    }
  }
}

/** Counts what it is asked to compile. */
function counting(): { compiled: unknown[]; validateOutput: CompileSchema } {
  const compiled: unknown[] = []
  const validateOutput: CompileSchema = (schema) => {
    compiled.push(schema)
    return COMPILERS.ajv!(schema)
  }
  return { compiled, validateOutput }
}

/** A client that has the list. */
async function listed(rig: Rig, tools: object[] = [WEATHER, ECHO], result?: object): Promise<FakeSocket> {
  const socket = await rig.legacy(result)
  const list = rig.client.listTools()
  socket.respond('tools/list', { tools })
  await list
  return socket
}

/** Calls a tool, with a server that knows its list and responds with `result`. */
async function call(rig: Rig, socket: FakeSocket, result: object, name = 'weather'): Promise<CallToolResult> {
  const called = rig.client.callTool({ name })
  called.catch(() => undefined)
  await settle()
  socket.respond('tools/call', result)
  return called
}

const lists = (socket: FakeSocket): number => socket.methods.filter((method) => method === 'tools/list').length

describe.each(Object.entries(COMPILERS))('with %s', (_name, validateOutput) => {
  it('a result that fits its schema arrives as it is', async () => {
    const rig = useClient({ validateOutput })
    const socket = await listed(rig)
    const result = { ...CONTENT, structuredContent: { celsius: 21 } }
    expect(await call(rig, socket, result)).toEqual(result)
  })

  it('a result that breaks its schema rejects, and the error has the result', async () => {
    const rig = useClient({ validateOutput })
    const socket = await listed(rig)
    const result = { ...CONTENT, structuredContent: { celsius: 'warm' } }
    const error = await rejectionOf(call(rig, socket, result))
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_OUTPUT', retryable: false, result })
    expect(error).not.toHaveProperty('delivery')
    expect((error as Error).message).toMatch(/^the result of weather breaks its outputSchema: .*celsius.*number/)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'INVALID_OUTPUT', result })
  })

  it('a schema may name the dialect that v1 of the official SDK writes, and come again with its $id in a later list', async () => {
    const rig = useClient({ validateOutput })
    const $schema = 'http://json-schema.org/draft-07/schema#'
    const tool = { ...WEATHER, outputSchema: { ...WEATHER.outputSchema, $schema, $id: 'https://example.com/weather' } }
    const socket = await listed(rig, [tool])
    const result = { ...CONTENT, structuredContent: { celsius: 21 } }
    expect(await call(rig, socket, result)).toEqual(result)
    const again = rig.client.listTools()
    socket.respond('tools/list', { tools: [structuredClone(tool)] })
    await again
    expect(await call(rig, socket, result)).toEqual(result)
  })
})

describe('with the option validateOutput', () => {
  it.each([
    ['no structuredContent', CONTENT, 'it has no structuredContent'],
    ['structuredContent of null', { ...CONTENT, structuredContent: null }, 'data must be object']
  ])('a result with %s breaks a schema', async (_name, result, why) => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig)
    expect(await rejectionOf(call(rig, socket, result))).toMatchObject({
      message: `the result of weather breaks its outputSchema: ${why}`,
      result
    })
  })

  it('a validator that says no more than false is enough', async () => {
    const rig = useClient({ validateOutput: () => () => false })
    const socket = await listed(rig)
    const called = call(rig, socket, { ...CONTENT, structuredContent: {} })
    expect(await rejectionOf(called)).toMatchObject({ message: 'the result of weather breaks its outputSchema' })
  })

  it('a validator that throws breaks the schema too, and the error has the result', async () => {
    const rig = useClient({ validateOutput: COMPILERS['@cfworker/json-schema'] })
    const socket = await listed(rig, [{ ...WEATHER, outputSchema: { $ref: '#/$defs/missing' } as never }])
    const result = { ...CONTENT, structuredContent: {} }
    expect(await rejectionOf(call(rig, socket, result))).toMatchObject({
      code: 'INVALID_OUTPUT',
      message: expect.stringContaining('the result of weather breaks its outputSchema: Error: Unresolved $ref') as string,
      result
    })
  })

  it.each([
    ['of a tool that failed', { ...CONTENT, isError: true }, 'weather'],
    ['that is a task', { task: { taskId: '1' } }, 'weather'],
    ['of a tool without a schema', { ...CONTENT, structuredContent: 5 }, 'echo'],
    ['of a tool that the list has not', { ...CONTENT, structuredContent: 5 }, 'hidden']
  ])('a result %s is not checked', async (_name, result, name) => {
    const { compiled, validateOutput } = counting()
    const rig = useClient({ validateOutput })
    const socket = await listed(rig)
    expect(await call(rig, socket, result, name)).toEqual(result)
    expect(lists(socket)).toBe(1)
    expect(compiled).toEqual(name === 'weather' ? [WEATHER.outputSchema] : [])
  })

  it('each schema is compiled once, at the first call of its tool', async () => {
    const { compiled, validateOutput } = counting()
    const rig = useClient({ validateOutput })
    const socket = await listed(rig, [WEATHER, { ...WEATHER, name: 'other' }])
    expect(compiled).toEqual([])
    for (let n = 0; n < 3; n++) await call(rig, socket, { ...CONTENT, structuredContent: { celsius: n } })
    expect(compiled).toEqual([WEATHER.outputSchema])
  })

  it('the list is asked for before the first call, within the limits of the call, and no more', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await rig.legacy()
    const reports: unknown[] = []
    const called = rig.client.callTool({ name: 'weather' }, { timeout: 500, onprogress: (report) => reports.push(report) })
    expect(socket.methods.at(-1)).toBe('tools/list')
    expect(socket.asked('tools/list').params).toBeUndefined()
    socket.respond('tools/list', { tools: [WEATHER] })
    await settle()
    socket.respond('tools/call', { ...CONTENT, structuredContent: { celsius: 1 } })
    await called
    await call(rig, socket, { ...CONTENT, structuredContent: { celsius: 2 } })
    expect(lists(socket)).toBe(1)
  })

  it('maxTotalTimeout bounds the list and the call together', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await rig.legacy()
    const called = rejectionOf(rig.client.callTool({ name: 'weather' }, { maxTotalTimeout: 500 }))
    await rig.clock.advance(400)
    socket.respond('tools/list', { tools: [WEATHER] })
    await settle()
    expect(socket.methods.at(-1)).toBe('tools/call')
    await rig.clock.advance(100)
    expect(await called).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tools/call', timeout: 500 })
  })

  it('a call is not sent if the list cannot be had', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await rig.legacy()
    const slow = rejectionOf(rig.client.callTool({ name: 'weather' }, { timeout: 500 }))
    await rig.clock.advance(500)
    expect(await slow).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tools/list' })
    const refused = rejectionOf(rig.client.callTool({ name: 'weather' }))
    socket.respondError('tools/list', -32601)
    expect(await refused).toMatchObject({ code: 'RPC_ERROR' })
    expect(socket.methods).not.toContain('tools/call')
  })

  it('a call is not sent if its schema cannot be compiled', async () => {
    const rig = useClient({
      validateOutput: () => {
        throw new Error('unknown dialect')
      }
    })
    const socket = await listed(rig)
    expect(await rejectionOf(rig.client.callTool({ name: 'weather' }))).toMatchObject({
      code: 'INVALID_OUTPUT',
      delivery: 'not-sent',
      message: 'the outputSchema of weather cannot be compiled: Error: unknown dialect',
      cause: { message: 'unknown dialect' }
    })
    expect(socket.methods).not.toContain('tools/call')
  })

  it('a page of the list tells what its tools promise, and nothing of the others', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await rig.legacy()
    const page = rig.client.listTools({ cursor: 'second' })
    socket.respond('tools/list', { tools: [WEATHER] })
    await page
    expect(await rejectionOf(call(rig, socket, CONTENT))).toMatchObject({ code: 'INVALID_OUTPUT' })
    const called = rig.client.callTool({ name: 'echo' })
    socket.respond('tools/list', { tools: [ECHO] })
    await settle()
    socket.respond('tools/call', CONTENT)
    await called
    expect(lists(socket)).toBe(2)
  })

  it.each([
    ['holds what is no tool', { tools: [null, 'weather', [WEATHER], WEATHER] }],
    ['has no list', {}],
    ['has another thing in its place', { tools: 7 }]
  ])('a page that %s is handed out as it is, and what is in it counts', async (_what, page) => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await rig.legacy()
    const listed = rig.client.listTools({ cursor: 'second' })
    socket.respond('tools/list', page)
    expect(await listed).toEqual(page)
    const called = rig.client.callTool({ name: 'weather' })
    expect(socket.methods.at(-1)).toBe('tools' in page && Array.isArray(page.tools) ? 'tools/call' : 'tools/list')
    void called.catch(() => undefined)
  })

  it('a whole list that holds what is no tool is one, and an empty result breaks no schema', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig, [null as never, WEATHER])
    const called = rig.client.callTool({ name: 'weather' })
    socket.deliver({ jsonrpc: '2.0', id: socket.asked('tools/call').id, result: null })
    expect(await called).toBeNull()
  })

  it('the last list counts', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig)
    const again = rig.client.listTools()
    socket.respond('tools/list', { tools: [{ ...WEATHER, outputSchema: undefined }] })
    await again
    await call(rig, socket, CONTENT)
  })

  it('list_changed makes the client ask again', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    rig.client.callTool({ name: 'weather' }).catch(() => undefined)
    expect(lists(socket)).toBe(2)
  })

  it.each([
    ['the same server does not', SILENT, 0],
    ['a server of another version does', { ...SILENT, serverInfo: { name: 'server', version: '99' } }, 1]
  ])('after a reconnect, %s', async (_name, result, expected) => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig, [WEATHER], SILENT)
    socket.drop()
    const next = await rig.relegacy(result)
    rig.client.callTool({ name: 'weather' }).catch(() => undefined)
    expect(lists(next)).toBe(expected)
  })

  it('a new life begins with no list', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput })
    const socket = await listed(rig)
    const closed = rig.client.close()
    socket.drop({ code: 1000, wasClean: true })
    await closed
    const next = await rig.legacy()
    rig.client.callTool({ name: 'weather' }).catch(() => undefined)
    expect(lists(next)).toBe(1)
  })

  it('neither does one after the client has given up', async () => {
    const rig = useClient({ validateOutput: counting().validateOutput, reconnect: { maxRetries: 0 } })
    const socket = await listed(rig)
    socket.drop()
    expect(rig.client.state).toBe('failed')
    const next = await rig.legacy()
    rig.client.callTool({ name: 'weather' }).catch(() => undefined)
    expect(lists(next)).toBe(1)
  })
})

describe('without it', () => {
  it('nothing is asked for, and nothing is checked', async () => {
    const rig = useClient()
    const socket = await listed(rig)
    expect(await call(rig, socket, { ...CONTENT, structuredContent: 'wrong' })).toMatchObject({ structuredContent: 'wrong' })
    expect(lists(socket)).toBe(1)
  })

  it('must be a function', () => {
    expect(() => useClient({ validateOutput: 'ajv' as never })).toThrow('validateOutput must be a function')
  })
})
