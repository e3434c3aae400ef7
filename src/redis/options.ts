import { checkOptions, completeOptions, POSITIVE, type Filled, type Kind, type Rules } from '../lib/option-rules.js'

/** Options of `RedisSessionStore`. */
export interface RedisSessionStoreOptions {
  /**
   * What the names of all keys and channels begin with. Servers that share it share their sessions. It must not contain braces: Redis
   * Cluster computes the slot of a key from what stands between the first ones.
   * @default 'mcp-ws:'
   */
  readonly prefix?: string
  /** How long a server counts as alive after its last sign of life, in ms. It gives three signs of life in this time. @default 6000 */
  readonly lease?: number
}

const PREFIX: Kind = ['a string without braces', (value) => typeof value === 'string' && !/[{}]/.test(value)]

const RULES: Rules = { prefix: ['mcp-ws:', PREFIX], lease: [6000, POSITIVE] }

/** The options with their defaults. @throws TypeError naming the first option that is wrong. */
export function resolveRedisOptions(options: RedisSessionStoreOptions): Filled<RedisSessionStoreOptions> {
  checkOptions(options, RULES)
  return completeOptions({ ...options }, RULES) as unknown as Filled<RedisSessionStoreOptions>
}
