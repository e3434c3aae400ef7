import { McpWebSocketClient } from '../../src/index.js'
import { many } from './many.js'

// A script in a page: it does in a browser what `client.ts` does in Node, for payloads.

interface Answer {
  readonly content: readonly { readonly text: string }[]
}

type Ask = (text: string) => Promise<Answer>

async function openRaw(url: string): Promise<Ask> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const { id, result } = JSON.parse(data) as { id: number; result: Answer }
    waiting.get(id)?.(result)
    waiting.delete(id)
  }
  return (text) =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { text } } }))
    })
}

async function openOurs(url: string): Promise<Ask> {
  const client = new McpWebSocketClient({ url, protocol: 'legacy', maxMessageBytes: 32 * 2 ** 20 })
  await client.connect()
  return (text) => client.callTool({ name: 'echo', arguments: { text } }) as Promise<unknown> as Promise<Answer>
}

const asks = new Map<string, Ask>()

const bench = {
  open: async (peer: string, url: string): Promise<void> => {
    asks.set(peer, await (peer === 'ours' ? openOurs(url) : openRaw(url)))
  },

  /** @returns MB/s. */
  payload: async (peer: string, bytes: number, count: number, open: number): Promise<number> => {
    const text = 'x'.repeat(bytes)
    const ask = asks.get(peer)!
    const startedAt = performance.now()
    await many(count, open, async () => {
      if ((await ask(text)).content[0]?.text !== text) throw new Error('a wrong answer')
    })
    return (bytes * count) / (performance.now() - startedAt) / 1000
  }
}

/** What the bench calls in the page. */
export type PageBench = typeof bench

Object.assign(globalThis, { bench })
