/**
 * The store that shares the sessions of servers on several machines, in Redis. For Node.
 *
 * @packageDocumentation
 */

export { RedisSessionStore } from './redis-session-store.js'
export type { RedisSessionStoreOptions } from './options.js'
export type { RedisClient, RedisCommandOptions } from './redis-client.js'
export type {
  ClaimedSession,
  ClaimRejection,
  FoundSession,
  SessionStore,
  SessionStoreListener,
  StoredSession,
  StoreIdentity
} from '../types/session-store.js'
