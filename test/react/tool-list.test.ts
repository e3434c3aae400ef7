import { describe, expect, it } from 'vitest'
import { ToolList } from '../../src/react/tool-list.js'
import { useClient, type Rig } from '../client/use-client.js'
import type { McpWebSocketClientOptions } from '../../src/index.js'
import { settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT, type FakeSocket } from '../helpers/fake-network.js'

const CHANGED = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }
const listed = (...names: string[]): object => ({ tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) })

interface Watched extends Rig {
  readonly list: ToolList
  /** The names of the tools at every change. */
  readonly seen: (string[] | undefined)[]
  readonly unwatch: () => void
}

/** A list that is watched before its client connects. */
function useList(options: Partial<McpWebSocketClientOptions> = {}): Watched {
  const rig = useClient({ heartbeat: false, reconnect: { jitter: false }, ...options })
  const list = new ToolList(rig.client)
  const seen: (string[] | undefined)[] = []
  const unwatch = list.watch(() => seen.push(list.read().tools?.map(({ name }) => name)))
  return { ...rig, list, seen, unwatch }
}

const asks = ({ methods }: FakeSocket): number => methods.filter((method) => method === 'tools/list').length

async function answer(socket: FakeSocket, ...names: string[]): Promise<void> {
  await settle()
  socket.respond('tools/list', listed(...names))
  await settle()
}

describe('the list of tools', () => {
  it('is asked for once by notifications of one turn, and by those that come while it is read once more', async () => {
    const { legacy, seen } = useList()
    const socket = await legacy()
    socket.deliver(CHANGED)
    socket.deliver(CHANGED)
    await settle()
    expect(asks(socket)).toBe(1)
    socket.deliver(CHANGED)
    socket.deliver(CHANGED)
    await answer(socket, 'old')
    expect(asks(socket)).toBe(2)
    await answer(socket, 'new')
    expect([asks(socket), seen]).toEqual([2, [['old'], ['new']]])
  })

  it('is empty for a server without tools, which is not asked', async () => {
    const { legacy, seen } = useList()
    const socket = await legacy({ ...LEGACY_RESULT, capabilities: {} })
    await settle()
    expect([asks(socket), seen]).toEqual([0, [[]]])
  })

  it.each([
    ['a BigInt', '{"maximum":"9n"}', 1],
    ['more depth than JSON can be written with', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 2]
  ])('may hold %s', async (_what, inputSchema, changes) => {
    const parse = (text: string): unknown =>
      JSON.parse(text, text.length > 10_000 ? undefined : (_name, value: unknown) => (value === '9n' ? 9n : value))
    const { legacy, seen } = useList({ json: { parse, stringify: JSON.stringify } })
    const socket = await legacy()
    for (let n = 0; n < 2; n++) {
      await settle()
      socket.deliver(
        `{"jsonrpc":"2.0","id":${String(socket.asked('tools/list').id)},"result":{"tools":[{"name":"a","inputSchema":${inputSchema}}]}}`
      )
      await settle()
      socket.deliver(CHANGED)
    }
    expect(seen).toEqual(Array.from({ length: changes }, () => ['a']))
  })

  it('stays when reading it fails, with the error, which the next answer takes away', async () => {
    const { legacy, list } = useList()
    const socket = await legacy()
    await answer(socket, 'a')
    const { tools } = list.read()
    socket.deliver(CHANGED)
    await settle()
    socket.respondError('tools/list', -32603, 'broken')
    await settle()
    expect(list.read()).toMatchObject({ tools, error: { rpcCode: -32603 } })
    socket.deliver(CHANGED)
    await answer(socket, 'a')
    expect(list.read()).toEqual({ tools, error: undefined })
    expect(list.read().tools).toBe(tools)
  })

  it('is read again after a reconnect, without an error for what failed in between', async () => {
    const { legacy, relegacy, list, seen } = useList()
    const socket = await legacy()
    await answer(socket, 'a')
    socket.deliver(CHANGED)
    await settle()
    socket.drop()
    const next = await relegacy()
    await answer(next, 'b')
    await answer(next, 'b')
    expect(list.read().error).toBeUndefined()
    expect(seen).toEqual([['a'], ['b']])
  })

  it('is shown although the server does not tell of changes, with the reason', async () => {
    const { modern, list } = useList()
    const socket = await modern()
    await settle()
    expect(asks(socket)).toBe(0)
    socket.respondError('subscriptions/listen', -32601)
    await answer(socket, 'a')
    expect(list.read()).toMatchObject({ tools: [{ name: 'a' }], error: { rpcCode: -32601 } })
  })

  it('ends a subscription that is opened after the last watcher left', async () => {
    const { modern, unwatch, seen } = useList()
    const socket = await modern()
    await settle()
    unwatch()
    acknowledge(socket)
    await settle()
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
    expect(seen).toEqual([])
  })

  it('listens again when it is read next, if the server ended the subscription', async () => {
    const { modern, clock } = useList()
    const socket = await modern()
    await settle()
    acknowledge(socket)
    await answer(socket, 'a')
    socket.respond('subscriptions/listen', { resultType: 'complete' })
    // The session waits so long for the socket to close with it.
    await clock.advance(1000)
    socket.deliver(CHANGED)
    await settle()
    expect(socket.methods.filter((method) => method === 'subscriptions/listen')).toHaveLength(2)
  })

  it('is neither read nor heard of while nobody watches', async () => {
    const { legacy, unwatch, list } = useList()
    unwatch()
    const socket = await legacy()
    socket.deliver(CHANGED)
    await settle()
    expect(asks(socket)).toBe(0)
    list.watch(() => undefined)()
    list.watch(() => undefined)
    await settle()
    expect(asks(socket)).toBe(1)
  })
})

function acknowledge(socket: FakeSocket): void {
  const { id, params } = socket.asked('subscriptions/listen')
  const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
  socket.deliver({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: params?.notifications, _meta }
  })
}
