import type { Implementation, ServerCapabilities } from '../types/common.js'
import { jsonOf } from '../wire/json-rpc.js'
import { isObject, membersOf } from '../lib/is-object.js'

/** The shape of MCP that a server speaks: 2026-07-28 ("modern", stateless), or all before it ("legacy", opens with `initialize`). */
export type Era = 'legacy' | 'modern'

/** The newest revision of the modern era that this package speaks. */
export const NEWEST_MODERN = '2026-07-28'

/** What a handshake agreed on with the server. */
export interface Agreement {
  /** The era of `version`. */
  readonly era: Era
  /** The revision of MCP. */
  readonly version: string
  /** Name and version of the server, if it gave them. */
  readonly serverInfo: Implementation | undefined
  /** What the server can do. */
  readonly capabilities: ServerCapabilities
  /** What the server wants a model to know about it. */
  readonly instructions: string | undefined
}

/** The agreement in the result of `initialize` or `server/discover`. */
export function agreementOf(version: string, result: Record<string, unknown>): Agreement {
  const serverInfo = result.serverInfo ?? membersOf(result._meta)['io.modelcontextprotocol/serverInfo']
  return {
    era: version === NEWEST_MODERN ? 'modern' : 'legacy',
    version,
    serverInfo: isObject(serverInfo) ? (serverInfo as unknown as Implementation) : undefined,
    capabilities: membersOf(result.capabilities),
    instructions: typeof result.instructions === 'string' ? result.instructions : undefined
  }
}

/** Whether two agreements were made with servers that look the same; the instructions do not count. */
export function sameServer(a: Agreement, b: Agreement): boolean {
  const looks = (agreement: Agreement): string => unordered({ ...agreement, instructions: undefined })
  return looks(a) === looks(b)
}

// No capability is nested this deeply. Every level costs a copy of what is below it, and a peer may nest without end.
const DEEPEST = 10

/** JSON with members and lists sorted: some servers write both in the order of a hash table, which differs each time. */
function unordered(value: unknown, depth = 0): string {
  if (depth >= DEEPEST) return jsonOf(value)
  const inner = (item: unknown): string => unordered(item, depth + 1)
  if (Array.isArray(value)) return `[${value.map(inner).sort().join()}]`
  if (!isObject(value)) return jsonOf(value)
  const members = Object.keys(value).map((name) => `${jsonOf(name)}:${inner(value[name])}`)
  return `{${members.sort().join()}}`
}
