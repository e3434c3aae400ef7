import type { Params } from '../types/json-rpc.js'

/** The members that are read of a schema, of a property and of a form. The data comes from outside: anything may be missing. */
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
  // JSON leaves out members that are `undefined`, so that they count as left out by the user.
  const members = [...defaults, ...Object.entries(form.content ?? {})].filter(([, value]) => value !== undefined)
  return { ...form, content: Object.fromEntries(members) }
}
