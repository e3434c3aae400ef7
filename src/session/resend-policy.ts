import type { Params } from '../types/json-rpc.js'
import type { PendingRequest } from '../rpc/pending.js'

/** What may be sent again after the connection broke behind it. */
export type ResendPolicy = 'safe' | 'never' | ((request: { readonly method: string; readonly params?: Params }) => boolean)

// Executing one of these twice changes nothing that executing it once does not. tools/call is missing on purpose: its
// annotations are hints from a server that is not trusted, so only the caller can know.
const SAFE_METHODS: ReadonlySet<string> = new Set([
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
  'resources/read',
  'prompts/get',
  'completion/complete',
  'server/discover',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe'
])

/**
 * Whether a request may be sent a second time when its first fate is unknown.
 * @param own - The request's own option `resend`, which wins.
 */
export function mayResend(method: string, params: Params | undefined, own: PendingRequest['resend'], policy: ResendPolicy): boolean {
  if (own !== undefined) return own !== false
  return typeof policy === 'function' ? policy({ method, params }) : policy === 'safe' && SAFE_METHODS.has(method)
}
