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
