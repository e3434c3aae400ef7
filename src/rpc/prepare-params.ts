import { membersOf } from '../lib/is-object.js'
import type { Params } from '../types/json-rpc.js'

// What the client itself writes into `_meta` of a modern request (MCP 2026-07-28, basic/versioning): a program cannot set it.
const RESERVED = ['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel'].map((name) => `io.modelcontextprotocol/${name}`)

/**
 * The params of a request as the client sends them: without the members of `_meta` that only the client may write, and with `_meta` first,
 * where whoever adds to the request's text finds it. The caller's object is not changed.
 */
export function prepareParams(params: Params | undefined): Params | undefined {
  if (params?._meta === undefined) return params
  const { _meta, ...rest } = params
  const kept = Object.entries(membersOf(_meta)).filter(([key]) => !RESERVED.includes(key))
  return kept.length === 0 ? rest : { _meta: Object.fromEntries(kept), ...rest }
}
