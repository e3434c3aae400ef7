/*
 * What is kept in Redis, and the scripts that change it.
 *
 * `<prefix>{<session>}:meta`  hash: principal, generation, node, state (live or over), and after an orderly end received
 * `<prefix>{<session>}:out`   stream of the frames that the client does not have: the id is 0-<position>, the field `t` is the text
 * `<prefix>node:<node>`       lease of a node; the channel of the same name leads to the node
 * `<prefix>epoch`             names the memory of Redis: if it is missing, Redis has forgotten everything
 * `<prefix>youth`             exists while living nodes may still have to write to a new memory
 *
 * The braces put both keys of a session into one slot of Redis Cluster, where a script may touch the keys of one slot only. For the same
 * reason no script touches the keys of a node or of the epoch. This keeps Redis Cluster possible, although `RedisSessionStore` does not
 * accept the client of a cluster yet.
 */

/** The reply of a script that writes. `fenced`: another node has claimed the session. `forgotten`: Redis does not know the session. */
export const OUTCOMES = { done: 1, fenced: 0, forgotten: -1 } as const

/** The two keys of a session. */
export const keysOf = (prefix: string, session: string): readonly [meta: string, out: string] => [
  `${prefix}{${session}}:meta`,
  `${prefix}{${session}}:out`
]

/** The key with the lease of a node, and the name of its channel. */
export const nodeKeyOf = (prefix: string, node: string): string => `${prefix}node:${node}`

/** The key of the epoch. */
export const epochKeyOf = (prefix: string): string => `${prefix}epoch`

/** The key that exists while the epoch is young. */
export const youthKeyOf = (prefix: string): string => `${prefix}youth`

// ARGV[1] is the node that writes.
const FENCE = `
local meta = redis.call('HMGET', KEYS[1], 'node', 'state')
if not meta[1] then return ${String(OUTCOMES.forgotten)} end
if meta[1] ~= ARGV[1] or meta[2] ~= 'live' then return ${String(OUTCOMES.fenced)} end`

// ARGV[2] is how long the keys live from now, in ms.
const REFRESH = `
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return ${String(OUTCOMES.done)}`

/** Name of a script. */
export type ScriptName = 'create' | 'attach' | 'append' | 'acknowledge' | 'end' | 'claim'

/** The scripts by name; each takes the keys of {@link keysOf}. */
export const SCRIPTS: Readonly<Record<ScriptName, string>> = {
  /**
   * Arguments: node, expiry, principal, generation. If another node has claimed the session while this node had lost Redis, the claim
   * stays.
   */
  create: `
local meta = redis.call('HMGET', KEYS[1], 'node', 'state')
if meta[1] and (meta[1] ~= ARGV[1] or meta[2] ~= 'live') then return ${String(OUTCOMES.fenced)} end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'state', 'live', 'principal', ARGV[3], 'generation', ARGV[4])${REFRESH}`,

  /** Arguments: node, expiry, generation. */
  attach: `${FENCE}
redis.call('HSET', KEYS[1], 'generation', ARGV[3])${REFRESH}`,

  /** Arguments: node, expiry, position, text. Redis itself refuses a position that is not newer. */
  append: `${FENCE}
local added = redis.pcall('XADD', KEYS[2], '0-' .. ARGV[3], 't', ARGV[4])
if added.err and not string.find(added.err, 'equal or smaller', 1, true) then return added end${REFRESH}`,

  /** Arguments: node, expiry, first position that the client does not have. */
  acknowledge: `${FENCE}
redis.call('XTRIM', KEYS[2], 'MINID', '=', '0-' .. ARGV[3])${REFRESH}`,

  /** Arguments: node, expiry, received, `keep` if the frames stay. */
  end: `${FENCE}
redis.call('HSET', KEYS[1], 'state', 'over', 'node', '', 'received', ARGV[3])
if ARGV[4] ~= 'keep' then redis.call('DEL', KEYS[2]) end${REFRESH}`,

  /**
   * Arguments: principal, generation, received by the client. Replies with a reason why not, or with how many frames of the client were
   * received and with the texts, up to the first gap: a replica that took over may lack some.
   */
  claim: `
local meta = redis.call('HMGET', KEYS[1], 'principal', 'generation', 'received')
if not meta[1] then return 'unknown' end
if meta[1] ~= ARGV[1] then return 'principal' end
if tonumber(ARGV[2]) <= tonumber(meta[2]) then return 'stale-generation' end
redis.call('HSET', KEYS[1], 'state', 'over', 'node', '', 'generation', ARGV[2])
local tail = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], '(0-' .. ARGV[3], '+')) do
  if entry[1] ~= string.format('0-%d', ARGV[3] + i) then break end
  tail[i] = entry[2][2]
end
return { meta[3], tail }`
}
