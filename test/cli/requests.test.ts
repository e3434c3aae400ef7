import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useFolder } from '../helpers/use-folder.js'
import { serveMcp, serveTransport } from '../helpers/mcp-server.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/until.js'
import { useWsServer, type ServerConnection } from '../helpers/ws-server.js'
import { useServer } from '../server/use-server.js'
import { useCli } from './use-cli.js'

type Responses = Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => object>>

/** A legacy server whose results are those of the test. */
async function useResults(responses: Responses, capabilities: object = { tools: {}, resources: {}, prompts: {} }): Promise<string> {
  const serve = ({ socket, send }: ServerConnection): void => {
    socket.on('message', (data: Buffer) => {
      const { id, method, params = {} } = JSON.parse(data.toString()) as { id?: number; method: string; params?: Record<string, unknown> }
      if (id === undefined) return
      const initialized = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'results', version: '1' } }
      const result = method === 'initialize' ? initialized : responses[method]?.(params)
      send(result ? { id, result } : { id, error: { code: -32601, message: 'unknown' } })
    })
  }
  const { url } = await useWsServer(serve, { handleProtocols: () => 'mcp.v1' })
  return url
}

const SCHEMA = {
  type: 'object',
  properties: {
    city: { type: 'string', description: 'Where' },
    days: { type: 'integer', minimum: 1 },
    units: { enum: ['metric', 'imperial'] },
    detailed: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    at: { type: 'object' },
    sizes: { type: 'array', items: { type: 'number' } },
    any: {}
  },
  required: ['city'],
  additionalProperties: false
}

/** A server with one tool, which returns its arguments. */
const useWeather = (): Promise<string> =>
  useResults({
    'tools/list': () => ({ tools: [{ name: 'weather', description: 'What\nit \u001b[31mwill be', inputSchema: SCHEMA }] }),
    'tools/call': ({ arguments: args }) => ({ content: [], structuredContent: args })
  })

const call = async (url: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> => {
  const cli = useCli(['call', url, ...words, '--protocol', 'legacy'])
  const code = await cli.code
  return { code, out: cli.out, err: cli.err }
}

describe.each(['v1', 'v2'] as const)('with a server of SDK %s', (sdk) => {
  const serve = async (): Promise<string> => (await useServer({ onconnection: (transport) => void serveTransport(sdk, transport) })).url

  test('call prints the text of the result', async () => {
    const cli = useCli(['call', await serve(), 'echo', 'message=hi'])
    expect(await cli.code).toBe(0)
    expect(cli.out).toBe('hi\n')
    expect(cli.err).toBe('')
  })

  test('call ends with 1 if the tool fails', async () => {
    const cli = useCli(['call', await serve(), 'fail'])
    expect(await cli.code).toBe(1)
    expect(cli.out).toBe('it failed\n')
    expect(cli.err).toBe('error: the tool failed\n')
  })

  test('call --json prints the whole result', async () => {
    const cli = useCli(['call', await serve(), 'echo', '{"message":"hi"}', '--json'])
    expect(await cli.code).toBe(0)
    expect(JSON.parse(cli.out)).toMatchObject({ content: [{ type: 'text', text: 'hi' }] })
  })

  test('tools, resources and prompts list all pages', async () => {
    const url = await serve()
    const outputs = await Promise.all(
      ['tools', 'resources', 'prompts'].map(async (command) => {
        const cli = useCli([command, url])
        expect(await cli.code).toBe(0)
        return cli.out
      })
    )
    expect(outputs[0]).toMatch(/^echo {2}echo\n[^]*^consult {2}consult\n/m)
    expect(outputs[1]).toBe('test://plain\n  plain\ntest://{name}\n  any\n')
    expect(outputs[2]).toBe('greet\n  who\n')
  })

  test('tools --json prints them as they came', async () => {
    const cli = useCli(['tools', await serve(), '--json'])
    expect(await cli.code).toBe(0)
    expect((JSON.parse(cli.out) as { name: string }[]).map(({ name }) => name)).toContain('echo')
  })

  test('read prints a text, and prompt its messages', async () => {
    const url = await serve()
    const read = useCli(['read', url, 'test://plain'])
    const prompt = useCli(['prompt', url, 'greet', 'who=2'])
    expect([await read.code, read.out]).toEqual([0, 'content of test://plain\n'])
    expect([await prompt.code, prompt.out]).toEqual([0, 'user: Greet 2\n'])
  })

  test('a call that reports progress shows it on a terminal, and takes it away', async () => {
    const cli = useCli(['call', await serve(), 'slow'], { isTTY: true, env: { NO_COLOR: '1' } })
    expect(await cli.code).toBe(0)
    expect(cli.err).toContain('[#############.......] 66 % step 2\r\x1b[K')
    expect(cli.err.endsWith('\r\x1b[K')).toBe(true)
    expect(cli.out).toBe('done\n')
  })

  test('Ctrl-C cancels the call on the server, and ends with 130', async () => {
    const aborted: string[] = []
    const options = { onAborted: (method: string) => void aborted.push(method) }
    const { url } = await useServer({ onconnection: (transport) => void serveTransport(sdk, transport, options) })
    const cli = useCli(['call', url, 'hold'], { isTTY: true })
    await cli.says('step 1')
    cli.signal('SIGINT')
    expect(await cli.code).toBe(130)
    await until(() => aborted.length > 0, 'the server hears of it')
  })

  test('what the server asks is asked on the terminal, and asked again until it fits', async () => {
    const cli = useCli(['call', await serve(), 'elicitation'], { isTTY: true, env: { NO_COLOR: '1' } })
    await cli.says('colour (string): ')
    cli.type('\n')
    await cli.says('A value is required.')
    cli.type('red\n')
    await cli.says('shade (string; optional; default "light"): ')
    cli.type('\n')
    await cli.says('Send this?')
    cli.type('yes\n')
    expect(await cli.code).toBe(0)
    expect(JSON.parse(cli.out)).toEqual({ action: 'accept', content: { colour: 'red', shade: 'light' } })
  })

  test('Ctrl-D, and no, are answers too', async () => {
    const url = await serve()
    const ended = useCli(['call', url, 'elicitation'], { isTTY: true })
    await ended.says('colour')
    ended.endInput()
    expect(await ended.code).toBe(0)
    expect(JSON.parse(ended.out)).toMatchObject({ action: 'cancel' })
    const declined = useCli(['call', url, 'elicitation'], { isTTY: true })
    await declined.says('colour')
    declined.type('red\n')
    await declined.says('shade')
    declined.type('dark\n')
    await declined.says('Send this?')
    declined.type('no\n')
    expect(await declined.code).toBe(0)
    expect(JSON.parse(declined.out)).toMatchObject({ action: 'decline' })
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129]
  ] as const)('%s ends a call, and listen, with %i', async (name, code) => {
    const url = await serve()
    const calling = useCli(['call', url, 'hold'], { isTTY: true })
    await calling.says('step 1')
    calling.signal(name)
    expect([await calling.code, calling.err]).toEqual([code, expect.stringMatching(/error:.* interrupted\n$/)])
    const listening = useCli(['listen', url])
    await listening.says('Ctrl-C ends it')
    listening.signal(name)
    expect([await listening.code, listening.err]).toEqual([code, expect.not.stringContaining('error')])
  })

  test('listen prints notifications until Ctrl-C', async () => {
    const { url, transports } = await useServer({ onconnection: (transport) => void serveTransport(sdk, transport) })
    const cli = useCli(['listen', url, '--level', 'info', '--resource', 'test://a', '--verbose'])
    await cli.says('listening to test-server')
    await transports[0]?.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: '\u009b31m' } })
    await cli.says('message {"level":"info","data":"\\u009b31m"}')
    expect(cli.err).toContain('initializing → ready')
    cli.signal('SIGINT')
    expect(await cli.code).toBe(130)
  })
})

describe('questions that come at once', () => {
  /** A server whose tool asks for two fields at the same time, and returns the answers. */
  async function useInquiry(): Promise<string> {
    const form = (field: string): object => ({
      message: `Your ${field}?`,
      requestedSchema: { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] }
    })
    const serve = ({ socket, send }: ServerConnection): void => {
      const answers = new Map<string, unknown>()
      let call: number | undefined
      socket.on('message', (data: Buffer) => {
        const { id, method, result } = JSON.parse(data.toString()) as { id?: number | string; method?: string; result?: unknown }
        if (method === 'initialize')
          return send({ id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'asks', version: '1' } } })
        if (method === 'tools/call') {
          call = id as number
          for (const field of ['name', 'password']) send({ id: field, method: 'elicitation/create', params: form(field) })
        } else if (method === undefined && answers.set(String(id), result).size === 2)
          send({ id: call, result: { content: [], structuredContent: Object.fromEntries(answers) } })
      })
    }
    return (await useWsServer(serve, { handleProtocols: () => 'mcp.v1' })).url
  }

  test('are asked one after the other, and no line answers two of them', async () => {
    const cli = useCli(['call', await useInquiry(), 'x', '--protocol', 'legacy'], { isTTY: true })
    await cli.says('name (string): ')
    cli.type('Ada\n')
    await cli.says('Send this?')
    expect(cli.err).not.toContain('password')
    cli.type('yes\n')
    await cli.says('password (string): ')
    cli.type('secret\n')
    await cli.says(/Send this[^]*Send this/)
    cli.type('yes\n')
    expect(await cli.code).toBe(0)
    expect(JSON.parse(cli.out)).toEqual({
      name: { action: 'accept', content: { name: 'Ada' } },
      password: { action: 'accept', content: { password: 'secret' } }
    })
  })

  test('are all cancelled by Ctrl-D', async () => {
    const cli = useCli(['call', await useInquiry(), 'x', '--protocol', 'legacy'], { isTTY: true })
    await cli.says('name (string): ')
    cli.endInput()
    expect(await cli.code).toBe(0)
    expect(JSON.parse(cli.out)).toEqual({ name: { action: 'cancel' }, password: { action: 'cancel' } })
  })
})

describe('arguments', () => {
  test('become what the schema of the tool wants', async () => {
    const words = ['city=2024', 'days=3', 'units=metric', 'detailed=true', 'tags=a', 'tags=b', 'at={"x":1}', 'sizes=[1,2]', 'any=4']
    const { code, out } = await call(await useWeather(), 'weather', ...words)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      city: '2024',
      days: 3,
      units: 'metric',
      detailed: true,
      tags: ['a', 'b'],
      at: { x: 1 },
      sizes: [1, 2],
      any: 4
    })
  })

  test.each([
    [['days=3'], 'city is missing'],
    [['city=Rome', 'days=many'], 'days = "many": Instance type "string" is invalid. Expected "integer".'],
    [['city=Rome', 'days=0'], 'days = 0: 0 is less than 1.'],
    [['city=Rome', 'units=old'], 'units = "old": Instance does not match any of ["metric","imperial"].'],
    [['city=Rome', 'town=x'], 'town is not an argument of this tool']
  ])('%j are refused before the call: %s', async (words, complaint) => {
    const { code, out, err } = await call(await useWeather(), 'weather', ...words)
    expect(err).toBe(`error: weather does not take these arguments:\n  ${complaint}\n`)
    expect([code, out]).toEqual([2, ''])
  })

  test.each([
    [['{"city":'], 'The argument is not valid JSON'],
    [['{"city":"x"}', 'days=1'], 'A JSON object must be the only argument'],
    [['Rome'], 'Rome is neither key=value nor, alone, a JSON object']
  ])('%j are refused before anything is dialled', async (words, complaint) => {
    const { code, err } = await call('ws://127.0.0.1:1/ws', 'weather', ...words)
    expect(err).toContain(complaint)
    expect(code).toBe(2)
  })

  test('a tool that is not there is named, with those that are', async () => {
    const { code, err } = await call(await useWeather(), 'whether')
    expect(err).toBe('error: The server has no tool whether. It has: weather\n')
    expect(code).toBe(2)
  })

  test('a schema that nobody can use stops nothing, and neither does a server that lists no tools', async () => {
    const results: Responses = {
      'tools/list': () => ({ tools: [{ name: 'x', inputSchema: { type: 'object', $ref: 'nowhere' } }] }),
      'tools/call': () => ({ content: [{ type: 'text', text: 'called' }] })
    }
    expect((await call(await useResults(results), 'x', 'a=1')).out).toBe('called\n')
    expect((await call(await useResults(results, {}), 'x', 'a=1')).out).toBe('called\n')
  })

  test('tools lists them with their types', async () => {
    const cli = useCli(['tools', await useWeather(), '--protocol', 'legacy'])
    expect(await cli.code).toBe(0)
    expect(cli.out).toContain(
      'weather  What it \\x1b[31mwill be\n  city: string  Where\n  days: integer (optional)\n  units: metric | imperial (optional)\n'
    )
    expect(cli.out).toContain('  tags: list of string (optional)\n')
  })
})

test.each([undefined, null, 'any'])('tools and prompts list what has %j in place of its arguments', async (value) => {
  const url = await useResults({
    'tools/list': () => ({ tools: [{ name: 'bare', inputSchema: value }] }),
    'prompts/list': () => ({ prompts: [{ name: 'plain', arguments: value }] })
  })
  const [tools, prompts] = [useCli(['tools', url]), useCli(['prompts', url])]
  expect([await tools.code, tools.out, tools.err]).toEqual([0, 'bare\n', ''])
  expect([await prompts.code, prompts.out, prompts.err]).toEqual([0, 'plain\n', ''])
})

describe('a result', () => {
  const PNG = Buffer.from('not really a picture')
  const CONTENT = [
    { type: 'text', text: 'red \u001b[31m and \u202eback\r\nnext' },
    { type: 'image', mimeType: 'image/png', data: PNG.toString('base64') },
    { type: 'resource', resource: { uri: 'test://\u001b', mimeType: '../../evil', blob: PNG.toString('base64') } },
    { type: 'resource_link', uri: 'test://b', name: 'b' },
    { type: 'strange', words: '\u009b' },
    { type: 'resource', resource: { uri: 'test://c', text: 'inside' } },
    null
  ]
  const useContent = (): Promise<string> => useResults({ 'tools/call': () => ({ content: CONTENT }) }, {})

  test('never steers the terminal', async () => {
    const { out } = await call(await useContent(), 'x')
    expect(out).toBe(
      [
        'red \\x1b[31m and \\u202eback',
        'next',
        '[image: image/png, 20 B]',
        '[resource test://\\x1b: ../../evil, 20 B]',
        '[link: b test://b]',
        '{\n  "type": "strange",\n  "words": "\\u009b"\n}',
        'inside',
        'null\n'
      ].join('\n')
    )
  })

  test('as JSON never does either, and is the same JSON', async () => {
    const { out } = await call(await useContent(), 'x', '--json')
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(JSON.parse(out)).toEqual({ content: CONTENT })
  })

  test('--save writes images and blobs under names of our own, and never over a file', async () => {
    const folder = await useFolder()
    const url = await useContent()
    const { code, err } = await call(url, 'x', '--save', folder)
    expect(code).toBe(0)
    expect(readdirSync(folder)).toEqual(['result-1.png', 'result-2.bin'])
    expect(readFileSync(join(folder, 'result-1.png'))).toEqual(PNG)
    expect(err).toBe(`saved ${join(folder, 'result-1.png')}\nsaved ${join(folder, 'result-2.bin')}\n`)
    const again = await call(url, 'x', '--save', folder)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('EEXIST')])
  })

  test('--save makes the folder', async () => {
    const folder = join(await useFolder(), 'a', 'b')
    expect((await call(await useContent(), 'x', '--save', folder)).code).toBe(0)
    expect(readdirSync(folder)).toHaveLength(2)
  })

  test('--save into what is no folder ends with 2, and the tool is not called', async () => {
    const file = join(await useFolder(), 'file')
    writeFileSync(file, '')
    let calls = 0
    const url = await useResults({ 'tools/call': () => ({ content: [], calls: ++calls }) }, {})
    const { code, err } = await call(url, 'x', '--save', file)
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: --save: EEXIST/)])
    expect(calls).toBe(0)
  })

  test('that is structured is shown once, pretty', async () => {
    const structuredContent = { a: 1 }
    const repeated = { content: [{ type: 'text', text: '{"a": 1}' }], structuredContent }
    expect((await call(await useResults({ 'tools/call': () => repeated }, {}), 'x')).out).toBe('{\n  "a": 1\n}\n')
    const wrapped = { content: [{ type: 'text', text: 'hello' }], structuredContent: { content: 'hello' } }
    expect((await call(await useResults({ 'tools/call': () => wrapped }, {}), 'x')).out).toBe('hello\n')
    const beside = { content: [{ type: 'text', text: 'one' }], structuredContent }
    expect((await call(await useResults({ 'tools/call': () => beside }, {}), 'x')).out).toBe('one\n{\n  "a": 1\n}\n')
  })
})

describe('a connection', () => {
  test('that does not come about ends with 1, the cause and the delays', async () => {
    const url = `ws://127.0.0.1:${String(await freePort())}/ws`
    const cli = useCli(['tools', url, '--retries', '1'])
    expect(await cli.code).toBe(1)
    expect(cli.err).toMatch(
      /^reconnecting in \d+ (ms|s): ECONNREFUSED\nerror: gave up after 2 attempts: no connection to ws:.*\n {2}hint: Nothing listens/
    )
    expect(cli.out).toBe('')
  })

  test('that is lost between resources and templates prints no half of the list', async () => {
    const serve = ({ socket }: ServerConnection): void => {
      serveMcp('v1', socket)
      socket.on('message', (data: Buffer) => {
        if (data.toString().includes('resources/templates/list')) socket.close(4409, 'gone')
      })
    }
    const { url } = await useWsServer(serve, { handleProtocols: () => 'mcp.v1' })
    const cli = useCli(['resources', url, '--protocol', 'legacy'])
    expect([await cli.code, cli.out]).toEqual([1, ''])
    expect(cli.err).toContain('closed with code 4409')
  })

  test('that is lost during a call says so', async () => {
    const serve = (connection: ServerConnection): void => {
      serveMcp('v1', connection.socket)
      connection.socket.on('message', (data: Buffer) => {
        if (data.toString().includes('"hold"')) connection.socket.close(4409, 'gone \u001b[2J')
      })
    }
    const { url } = await useWsServer(serve, { handleProtocols: () => 'mcp.v1' })
    const cli = useCli(['call', url, 'hold', '--protocol', 'legacy'])
    expect(await cli.code).toBe(1)
    expect(cli.err).not.toContain('\u001b')
    expect(cli.err.match(/executed/g)).toHaveLength(1)
  })

  test('takes the token from the environment, and headers', async () => {
    const { url } = await useServer({
      authenticate: (request, token) => (token === 'secret' && request.headers['x-key'] === 'a: b' ? {} : undefined)
    })
    const cli = useCli(['call', url, 'echo', 'message=in', '--header', 'X-Key: a: b'], { env: { MCP_WS_TOKEN: 'secret' } })
    expect([await cli.code, cli.out]).toEqual([0, 'in\n'])
    const without = useCli(['tools', url])
    expect(await without.code).toBe(1)
    expect(without.err).toContain('hint: The server wants credentials')
  })

  test('may offer another subprotocol, or take none', async () => {
    const { url } = await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => false })
    const failing = useCli(['tools', url])
    expect(await failing.code).toBe(1)
    expect(failing.err).toContain('give --accept-missing-subprotocol')
    const accepting = useCli(['tools', url, '--accept-missing-subprotocol'])
    expect(await accepting.code).toBe(0)
    const { url: other } = await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => 'mcp' })
    expect(await useCli(['tools', other, '--subprotocol', 'mcp']).code).toBe(0)
    expect(await useCli(['tools', other, '--offer', 'mcp']).code).toBe(0)
  })
})

describe('wrong usage ends with 2:', () => {
  test.each([
    [['unknown'], "unknown command 'unknown'"],
    [['tools'], "missing required argument 'url'"],
    [['tools', 'ws://x', '--timeout', 'soon'], 'It must be a time such as 500ms, 30s or 2m.'],
    [['tools', 'ws://x', '--retries', 'x'], 'It must be a whole number of at least 0.'],
    [['tools', 'ws://x', '--header', 'nothing'], '--header must be "Name: value"'],
    [['tools', 'ws://x', '--ca', '/nowhere'], '--ca: ENOENT'],
    [['tools', 'nowhere'], 'url must be an absolute URL'],
    [['tools', 'ws://x', '--offer', 'a', '--subprotocol', 'b'], 'cannot be used with'],
    [['tools', 'ws://x', '--subprotocol', 'mcp.v1'], '--subprotocol must be']
  ])('%j', async (argv, complaint) => {
    const cli = useCli(argv)
    expect(await cli.code).toBe(2)
    expect(cli.err).toContain(complaint)
    expect(cli.out).toBe('')
  })

  test('help and version are no mistakes', async () => {
    const help = useCli(['--help'])
    expect(await help.code).toBe(0)
    expect(help.out).toContain('Usage: mcp-ws')
    const version = useCli(['--version'])
    expect([await version.code, version.out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
  })
})

test.each([
  [['tools'], 'This server has no tools.'],
  [['resources'], 'This server has no resources.'],
  [['prompts'], 'This server has no prompts.'],
  [['tasks'], 'This server has no tasks.'],
  [['read', 'test://a'], 'This server has no resources.'],
  [['prompt', 'a'], 'This server has no prompts.'],
  [['call', 'a'], 'This server has no tools.'],
  [['task', 'a'], 'This server has no tasks.'],
  [['task', 'a', '--cancel'], 'This server has no tasks.'],
  [['listen', '--level', 'info'], 'This server has no logging.'],
  [['listen', '--resource', 'test://a'], 'This server has no resources.']
])('%j says what the server does not have', async ([command = '', ...words], text) => {
  const cli = useCli([command, await useResults({}, {}), ...words, '--protocol', 'legacy'])
  expect([await cli.code, cli.out, cli.err]).toEqual([1, '', `error: ${text}\n`])
})

test('a server with the tasks of 2026-07-28 has no list of them', async () => {
  const url = await useResults({}, { extensions: { 'io.modelcontextprotocol/tasks': {} } })
  const cli = useCli(['tasks', url, '--protocol', 'legacy'])
  expect([await cli.code, cli.err]).toEqual([1, 'error: This server has no list of its tasks.\n'])
})

describe('tasks', () => {
  const task = (status: string) => ({
    taskId: 't1',
    status,
    createdAt: 'then',
    lastUpdatedAt: 'now',
    ttl: null,
    statusMessage: 'half\u001bway'
  })
  const content = [{ type: 'text', text: 'done' }]

  test.each([
    ['required', true],
    ['optional', false],
    [undefined, false]
  ])('are asked for where the support of the tool is %s: %j', async (taskSupport, isAsked) => {
    let asked: unknown
    const url = await useResults({
      'tools/list': () => ({ tools: [{ name: 'research', inputSchema: { type: 'object' }, execution: { taskSupport } }] }),
      'tools/call': ({ task: params }) => {
        asked = params
        return params ? { task: task('working') } : { content }
      },
      'tasks/get': () => task('completed'),
      'tasks/result': () => ({ content })
    })
    const { code, out } = await call(url, 'research')
    expect([code, out]).toEqual([0, 'done\n'])
    expect(asked).toEqual(isAsked ? {} : undefined)
  })

  test('are listed', async () => {
    const url = await useResults({ 'tasks/list': () => ({ tasks: [task('working')] }) })
    const cli = useCli(['tasks', url, '--protocol', 'legacy'])
    expect([await cli.code, cli.out]).toEqual([0, 't1  working, half\\x1bway\n  updated now\n'])
  })

  test('are waited for, and print the result of their tool', async () => {
    let asked = 0
    const url = await useResults({
      'tasks/get': () => task(++asked < 2 ? 'working' : 'completed'),
      'tasks/result': ({ taskId }) => ({ content: taskId === 't1' ? content : [] })
    })
    const cli = useCli(['task', url, 't1', '--protocol', 'legacy'])
    expect([await cli.code, cli.out]).toEqual([0, 'done\n'])
    expect(cli.err).toContain('task t1: working, half\\x1bway\n')
  })

  test('go on when the wait for them is ended by Ctrl-C, and end by --cancel', async () => {
    const methods: string[] = []
    const note = (method: string, status: string) => () => {
      methods.push(method)
      return task(status)
    }
    const url = await useResults({ 'tasks/get': note('tasks/get', 'working'), 'tasks/cancel': note('tasks/cancel', 'cancelled') })
    const waiting = useCli(['task', url, 't1', '--protocol', 'legacy'])
    await waiting.says('task t1: working')
    waiting.signal('SIGINT')
    expect(await waiting.code).toBe(130)
    expect(methods).not.toContain('tasks/cancel')
    const cli = useCli(['task', url, 't1', '--cancel', '--protocol', 'legacy'])
    expect(await cli.code).toBe(0)
    expect(methods.at(-1)).toBe('tasks/cancel')
  })
})
