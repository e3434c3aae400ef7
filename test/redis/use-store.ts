import {
  RedisSessionStore,
  type RedisClient,
  type RedisSessionStoreOptions,
  type SessionStoreListener,
  type StoreIdentity
} from '../../src/redis/index.js'
import { afterTest } from '../helpers/after-test.js'
import { useRedisClient } from '../helpers/redis-server.js'
import { turn } from '../helpers/turn.js'

/** What a listener was told, in order of each kind. */
export interface Told extends SessionStoreListener {
  readonly texts: string[]
  readonly fenced: string[]
  readonly losses: Error[]
  /** How often the store was restored. */
  restores: number
}

/** A listener that remembers. */
export function remember(): Told {
  const told: Told = {
    texts: [],
    fenced: [],
    losses: [],
    restores: 0,
    onMessage: (text) => void told.texts.push(text),
    onFenced: (session) => void told.fenced.push(session),
    onLost: (error) => void told.losses.push(error),
    onRestored: () => {
      told.restores++
    }
  }
  return told
}

/** A node: a store that was opened, with a client of its own. */
export interface Node extends StoreIdentity {
  readonly store: RedisSessionStore
  readonly client: Awaited<ReturnType<typeof useRedisClient>>
  /** What the store made of the client. */
  readonly subscribers: readonly RedisClient[]
  readonly told: Told
}

/** What other nodes have left in a Redis: it is not empty, so nobody has to be waited for. */
export async function useBefore(client: Node['client'], prefix = 'mcp-ws:'): Promise<void> {
  await client.set(`${prefix}epoch`, 'of other nodes', { condition: 'NX' })
}

/** Asks again until the lease is over in which other nodes may still write to a Redis that was lost. */
export async function whenComplete<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (thrown) {
      if (!String(thrown).includes('other servers may still have to write')) throw thrown
      // It rejects without asking Redis, and the node has to say that it lives.
      await turn()
    }
  }
}

/** Opens a store, which is closed after the test, on a Redis that other nodes have used. */
export async function useNode(url: string, options?: RedisSessionStoreOptions): Promise<Node> {
  const client = await useRedisClient(url)
  await useBefore(client, options?.prefix)
  const subscribers: RedisClient[] = []
  const given: RedisClient = client
  const duplicate = given.duplicate.bind(client)
  given.duplicate = () => {
    const subscriber = duplicate()
    subscribers.push(subscriber)
    return subscriber
  }
  const store = new RedisSessionStore(given, options)
  const told = remember()
  afterTest(() => store.close())
  return { store, client, subscribers, told, ...(await store.open(told)) }
}

/** A session with a principal. */
export const session = (generation: number, id = 's1', principal = 'ada'): { id: string; principal: string; generation: number } => ({
  id,
  principal,
  generation
})
