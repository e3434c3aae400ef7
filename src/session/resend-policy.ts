import type { PendingRequest } from '../rpc/pending.js'
import type { Params } from '../types/json-rpc.js'

/** What may be sent again when the connection broke after it was sent: the client's option `resend`. */
export type ResendPolicy = 'safe' | 'never' | ((request: { readonly method: string; readonly params?: Params | undefined }) => boolean)

// Executing one of these a second time changes nothing more. tools/call is missing on purpose: its annotations are hints from a server that
// is not trusted, so only the caller can know. See docs/decisions/0003-nothing-is-executed-twice.md.
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
  'resources/unsubscribe',
  // MCP 2025-11-25, basic/utilities/tasks: reads of a task, and its cancellation, which fails for a task that has ended.
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/cancel'
])

type Judged = Pick<PendingRequest, 'method' | 'params' | 'resend'> & Partial<Pick<PendingRequest, 'isLive'>>

/** Whether a request may be sent a second time if nobody knows whether it was executed. Its own option `resend` wins over the policy. */
export function mayResend({ method, params, resend, isLive }: Judged, policy: ResendPolicy): boolean {
  if (isLive) return true
  if (resend !== undefined) return resend !== false
  return typeof policy === 'function' ? policy({ method, params }) : policy === 'safe' && SAFE_METHODS.has(method)
}
