// Which fields a JSON Schema asks for, and what their inputs mean. Pure: `schema-form.ts` makes elements of them.

/** A field of a form. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly hint: string | undefined
  readonly required: boolean
  /** `json` stands for everything that no simple input can hold. */
  readonly kind: 'text' | 'number' | 'check' | 'choice' | 'json'
  /** The values to choose from; only in a `choice`. */
  readonly choices: readonly Choice[]
  readonly initial: unknown
  /** Attributes of the input. */
  readonly limits: Readonly<Record<string, string>>
}

interface Choice {
  readonly value: unknown
  readonly title: string
}

type Schema = Readonly<Record<string, unknown>>

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The fields of an object's schema, in its order. */
export function fieldsOf(schema: Schema): Field[] {
  const { properties, required } = schema
  if (!isSchema(properties)) return []
  const needed = listOf(required)
  return Object.entries(properties).map(([name, property]) => fieldOf(name, isSchema(property) ? property : {}, needed.includes(name)))
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const choices = choicesOf(schema)
  const kind = choices.length > 0 ? 'choice' : kindOf(schema)
  return {
    name,
    label: textOf(schema.title) ?? name,
    hint: textOf(schema.description),
    required,
    kind,
    choices,
    initial: schema.default,
    limits: limitsOf(kind, schema)
  }
}

function kindOf({ type }: Schema): Field['kind'] {
  // `['string', 'null']` is a text that may be left out.
  const [only, ...others] = (Array.isArray(type) ? (type as unknown[]) : [type]).filter((one) => one !== 'null')
  if (others.length > 0) return 'json'
  if (only === 'string') return 'text'
  if (only === 'number' || only === 'integer') return 'number'
  return only === 'boolean' ? 'check' : 'json'
}

function choicesOf(schema: Schema): Choice[] {
  const names = listOf(schema.enumNames)
  const bare = listOf(schema.enum).map((value, n) => ({ value, title: textOf(names[n]) ?? String(value) }))
  if (bare.length > 0) return bare
  const titled = listOf(schema.oneOf)
  if (!titled.every((one) => isSchema(one) && 'const' in one)) return []
  return (titled as Schema[]).map(({ const: value, title }) => ({ value, title: textOf(title) ?? String(value) }))
}

const LIMITS: Readonly<Record<string, string>> = {
  minimum: 'min',
  maximum: 'max',
  minLength: 'minlength',
  maxLength: 'maxlength',
  pattern: 'pattern'
}

function limitsOf(kind: Field['kind'], schema: Schema): Record<string, string> {
  const given = Object.entries(LIMITS).filter(([keyword]) => schema[keyword] !== undefined)
  const limits = Object.fromEntries(given.map(([keyword, attribute]) => [attribute, String(schema[keyword])]))
  return kind === 'number' ? { ...limits, step: schema.type === 'integer' ? '1' : 'any' } : limits
}

/**
 * The value of a field, from what its input holds: a text, the number of a choice, or whether a box is checked.
 * @returns `undefined` if it is to be left out.
 * @throws SyntaxError for text that is not JSON, in a field of the kind `json`.
 */
export function valueOf({ kind, required, choices }: Field, input: string | boolean): unknown {
  if (typeof input === 'boolean') return input
  if (input === '') return kind === 'text' && required ? '' : undefined
  if (kind === 'number') return Number(input)
  if (kind === 'choice') return choices[Number(input)]?.value
  return kind === 'json' ? (JSON.parse(input) as unknown) : input
}
