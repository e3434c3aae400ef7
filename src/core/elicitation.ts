import type { Params } from '../types/json-rpc.js'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/**
 * Completes an accepted form with the schema's top-level defaults for what the user left out
 * (MCP 2025-11-25, client/elicitation; the client's capability `elicitation.form.applyDefaults`).
 */
export function applyDefaults(params: Params | undefined, result: unknown): unknown {
  const properties = isObject(params?.requestedSchema) ? params.requestedSchema.properties : undefined
  if (!isObject(properties) || !isObject(result) || result.action !== 'accept') return result
  const defaults = Object.entries(properties).flatMap(([name, schema]) =>
    isObject(schema) && schema.default !== undefined ? [[name, schema.default] as const] : []
  )
  // What is `undefined` never reaches the wire, so it was left out.
  const given = Object.entries(isObject(result.content) ? result.content : {}).filter(([, value]) => value !== undefined)
  return { ...result, content: Object.fromEntries([...defaults, ...given]) }
}
