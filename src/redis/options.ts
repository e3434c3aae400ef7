import { checkOptions, completeOptions, POSITIVE, type Filled, type Kind, type Rules } from '../lib/option-rules.js'

/** Options of `RedisSessionStore`. */
export interface RedisSessionStoreOptions {
  /**
   * What the names of all keys and channels begin with. Servers that share it share their sessions. No braces: Redis Cluster finds the
   * slot of a key between the first ones.
   * @default 'mcp-ws:'
   */
  readonly prefix?: string
  /** How long a server that says nothing counts as alive, in ms. It says so three times as often. @default 6000 */
  readonly lease?: number
}

const PREFIX: Kind = ['a string without braces', (value) => typeof value === 'string' && !/[{}]/.test(value)]

const RULES: Rules = { prefix: ['mcp-ws:', PREFIX], lease: [6000, POSITIVE] }

/** The options with their defaults. @throws TypeError naming the first option that is wrong. */
export function resolveRedisOptions(options: RedisSessionStoreOptions): Filled<RedisSessionStoreOptions> {
  checkOptions(options, RULES)
  return completeOptions({ ...options }, RULES) as unknown as Filled<RedisSessionStoreOptions>
}
