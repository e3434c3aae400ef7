import type { Params } from '../types/json-rpc.js'

/** What is read of a schema, of one of its properties, and of a form; foreign data, so anything may be missing. */
type Form = { action?: unknown; content?: object; properties?: object; default?: unknown } | null | undefined

/**
 * Completes an accepted form with the schema's top-level defaults for what the user left out
 * (MCP 2025-11-25, client/elicitation; the client's capability `elicitation.form.applyDefaults`).
 */
export function applyDefaults(params: Params | undefined, result: unknown): unknown {
  const form = result as Form
  const properties = (params?.requestedSchema as Form)?.properties
  if (!properties || form?.action !== 'accept') return result
  const defaults = Object.entries(properties).map(([name, schema]) => [name, (schema as Form)?.default] as const)
  // What is `undefined` never reaches the wire, so it was left out.
  const members = [...defaults, ...Object.entries(form.content ?? {})].filter(([, value]) => value !== undefined)
  return { ...form, content: Object.fromEntries(members) }
}
