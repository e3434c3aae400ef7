import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { EVERYTHING } from '../cli/programs.js'
import { afterTest } from '../helpers/after-test.js'
import { useChild, type Child } from '../helpers/child.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/until.js'
import { useFolder } from '../helpers/use-folder.js'
import { buildIfStale, root } from '../package/packed.js'

// Official programs that know standard input and output only, on both sides of a WebSocket: a host, `mcp-ws bridge`, `mcp-ws serve`, a server.

const { stdio } = inject('machine')
const BIN = join(root, 'dist/bin/mcp-ws.js')
const folder = 'folder' in stdio ? stdio.folder : ''
const programOf = (name: string): string => join(folder, 'node_modules/.bin', name)

beforeAll(buildIfStale, 120_000)

interface Serving {
  readonly child: Child
  readonly url: string
}

/** `mcp-ws serve` in front of a program. */
async function useServe(command: readonly string[], port = 0): Promise<Serving> {
  const child = useChild(BIN, ['serve', '--port', String(port), '--', ...command])
  await until(() => child.complaints.includes('serving'), 'it serves')
  const [, url = ''] = / at (ws:\S+)/.exec(child.complaints) ?? []
  return { child, url }
}

/** What the official Inspector, as the host of a bridge, says of a server. */
async function inspect(url: string, ...args: readonly string[]): Promise<unknown> {
  const command = [programOf('mcp-inspector'), '--cli', process.execPath, BIN, 'bridge', url, ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    timeout: 50_000,
    env: { ...process.env, HOME: await useFolder() }
  })
  return JSON.parse(stdout)
}

interface Tools {
  readonly tools: readonly { readonly name: string }[]
}

describe.skipIf('missing' in stdio)('the official Inspector', () => {
  test('lists and calls the tools of server-memory', async () => {
    const memory = join(await useFolder(), 'memory.json')
    const { url } = await useServe(['env', `MEMORY_FILE_PATH=${memory}`, process.execPath, programOf('mcp-server-memory')])
    const { tools } = (await inspect(url, '--method', 'tools/list')) as Tools
    expect(tools.map(({ name }) => name)).toContain('create_entities')
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote the first program'] }]
    await inspect(url, '--method', 'tools/call', '--tool-name', 'create_entities', '--tool-arg', `entities=${JSON.stringify(entities)}`)
    const graph = await inspect(url, '--method', 'tools/call', '--tool-name', 'read_graph')
    expect(graph).toMatchObject({ structuredContent: { entities, relations: [] } })
  })

  test('reads a file by way of server-filesystem', async () => {
    const shared = await useFolder()
    await writeFile(join(shared, 'hello.txt'), 'hello')
    const { url } = await useServe([process.execPath, programOf('mcp-server-filesystem'), shared])
    const path = join(shared, 'hello.txt')
    const result = await inspect(url, '--method', 'tools/call', '--tool-name', 'read_text_file', '--tool-arg', `path=${path}`)
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'hello' }] })
  })
})

test('a host of the official SDK goes on when serve is killed and started again', async () => {
  const port = await freePort()
  let serving = await useServe(EVERYTHING, port)
  const client = new Client({ name: 'host', version: '1' })
  let closes = 0
  client.onclose = () => closes++
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, 'bridge', serving.url, '--max-delay', '200'],
    stderr: 'pipe'
  })
  let said = ''
  transport.stderr?.on('data', (text: Buffer) => (said += text.toString()))
  await client.connect(transport)
  afterTest(() => client.close())
  for (let restart = 1; restart <= 3; restart++) {
    const before = said.length
    await serving.child.kill()
    await until(() => said.includes('reconnecting', before), 'the bridge says that it has noticed')
    serving = await useServe(EVERYTHING, port)
    const message = `after restart ${String(restart)}`
    const { content } = await client.callTool({ name: 'echo', arguments: { message } })
    expect(content).toEqual([{ type: 'text', text: `Echo: ${message}` }])
  }
  expect(closes).toBe(0)
})
