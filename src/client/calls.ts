import { isObject } from '../lib/is-object.js'
import type { ClientCapabilities } from '../types/capabilities.js'
import { CREATE_ELICITATION, CREATE_MESSAGE, LIST_ROOTS, ROOTS_LIST_CHANGED } from '../wire/methods.js'

/** The error for a call that is written as for the official SDK: it shows how to write it here. */
export const sdkForm = (call: string, parameters: string): TypeError =>
  new TypeError(`this form of ${call} is that of the official SDK: write ${call}(${parameters})`)

/** Whether the value is a schema of zod, which v1 of the official SDK takes. */
export const isSchema = (value: unknown): boolean => isObject(value) && ('_zod' in value || '_def' in value)

/** Parts of a schema of zod 3, zod 4 and zod 4 mini; anything may be missing. */
interface Schema {
  shape?: { method?: { value?: unknown; _zod?: { def?: { values?: unknown[] } } } }
}

/** The method that a schema is for; `method` if it cannot be read. */
function methodOf(schema: unknown): string {
  const { method } = (schema as Schema | undefined)?.shape ?? {}
  // In zod 4 `value` throws if there are several.
  const name = method?._zod?.def?.values?.[0] ?? method?.value
  return typeof name === 'string' ? `'${name}'` : 'method'
}

/**
 * @throws TypeError if the method or the handler is wrong, as in a program without types, or in one that is written for v1 of the official
 * SDK.
 */
export function checkHandler(call: string, method: unknown, handler: unknown): void {
  if (typeof method !== 'string') throw sdkForm(call, `${methodOf(method)}, handler`)
  if (typeof handler !== 'function') throw new TypeError(`the handler of ${method} must be a function`)
}

type Capability = 'elicitation' | 'sampling' | 'roots'

const NEEDS: Readonly<Record<string, readonly [Capability, 'listChanged'?]>> = {
  [CREATE_ELICITATION]: ['elicitation'],
  [CREATE_MESSAGE]: ['sampling'],
  [LIST_ROOTS]: ['roots'],
  [ROOTS_LIST_CHANGED]: ['roots', 'listChanged']
}

/** @throws TypeError naming the capability without which a handler is never called, or a notification means nothing to the server. */
export function checkCapability(method: string, capabilities: ClientCapabilities): void {
  const [name, member] = (Object.hasOwn(NEEDS, method) && NEEDS[method]) || []
  if (name && !(member ? capabilities.roots?.[member] : capabilities[name]))
    throw new TypeError(`${method} needs the option capabilities: { ${name}: {${member ? ` ${member}: true ` : ''}} }`)
}
