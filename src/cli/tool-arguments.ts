import { Validator } from '@cfworker/json-schema'
import type { Tool } from '../index.js'
import { usageError } from './failure.js'
import { isObject, type Members } from './members.js'
import { printable, printableJson, printableLine } from './printable.js'

/** The names of the types that a property may have; empty if its schema does not say. */
function typesOf(schema: unknown): readonly string[] {
  if (!isObject(schema)) return []
  const { type, anyOf, oneOf } = schema
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type.filter((each) => typeof each === 'string')
  const branches: unknown = anyOf ?? oneOf
  return Array.isArray(branches) ? branches.flatMap(typesOf) : []
}

/** The text as JSON; `undefined` if it is none. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject
}

/** The value that a text stands for, by the types that the schema allows. @returns The text itself where no other type fits. */
function convert(text: string, schema: unknown): unknown {
  const types = typesOf(schema)
  const value = asJson(text)
  if (value === undefined) return text
  if (types.length === 0) return typeof value === 'string' ? text : value
  // A text of digits is a string where strings are allowed, and a number only where they are not.
  if (types.includes('string')) return text
  return types.some((type) => KINDS[type]?.(value)) ? value : text
}

/** The entries `key=value`, converted. A key that comes more than once makes a list. */
function readPairs(words: readonly string[], properties: Members): Members {
  const values = new Map<string, unknown[]>()
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 1) throw usageError(`${printableLine(word, 60)} is neither key=value nor, alone, a JSON object`)
    const key = word.slice(0, at)
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined
    const isList = typesOf(schema).includes('array')
    const text = word.slice(at + 1)
    const whole = isList ? asJson(text) : undefined
    const items =
      isList && isObject(schema) ? (Array.isArray(whole) ? (whole as unknown[]) : [convert(text, schema.items)]) : [convert(text, schema)]
    values.set(key, [...(values.get(key) ?? []), ...items])
  }
  const entries = [...values].map(([key, all]): [string, unknown] => {
    const isList = Object.hasOwn(properties, key) && typesOf(properties[key]).includes('array')
    return [key, isList || all.length > 1 ? all : all[0]]
  })
  return Object.fromEntries(entries)
}

/** The arguments as they were given: one JSON object, or words such as `key=value`. */
export function readArguments(words: readonly string[], schema: unknown): Members {
  const [first = '', ...rest] = words
  if (first.trimStart().startsWith('{')) {
    const value = asJson(first)
    if (rest.length > 0) throw usageError('A JSON object must be the only argument')
    if (!isObject(value)) throw usageError(`The argument is not valid JSON: ${printableLine(first, 60)}`)
    return value
  }
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {}
  return readPairs(words, properties)
}

/** The last part of a JSON pointer, with the names that `properties` has. */
const nameAt = (location: string): string => location.replace(/^#\/?/, '').replaceAll('/', '.')

/** What is wrong with the arguments of a tool, a line each; empty if nothing is. */
export function findProblems(args: Members, schema: unknown): readonly string[] {
  if (!isObject(schema)) return []
  let errors
  try {
    errors = new Validator(schema, draftOf(schema), false).validate(args).errors
  } catch {
    // The schema is not valid: the server has to check the arguments itself.
    return []
  }
  // Keywords that only contain others, such as `properties`, fail together with the real cause: leave them out.
  const own = errors.filter(
    ({ keyword }) => !/^(properties|items|\$ref|allOf|prefixItems|additionalProperties)$/.test(keyword) || errors.length === 1
  )
  const lines = (own.length > 0 ? own : errors).map(({ instanceLocation, keyword, error }) => {
    const name = nameAt(instanceLocation)
    const value = name.split('.').reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), args)
    if (keyword === 'required') return printable(/"(.*)"/.exec(error)?.[1] ?? error) + ' is missing'
    if (keyword === 'false') return `${printable(name)} is not an argument of this tool`
    return `${name === '' ? '' : `${printable(name)}${value === undefined ? '' : ` = ${printableLine(printableJson(value), 60)}`}: `}${printable(error)}`
  })
  return [...new Set(lines)]
}

/** The draft of JSON Schema; MCP 2025-11-25 and later take 2020-12 where none is named. */
function draftOf({ $schema }: Members): '7' | '2019-09' | '2020-12' {
  if (typeof $schema !== 'string') return '2020-12'
  if (/draft-0?[4-7]/.test($schema)) return '7'
  return $schema.includes('2019-09') ? '2019-09' : '2020-12'
}

/** What a property takes, in a few words. */
export function describeType(schema: unknown): string {
  if (!isObject(schema)) return 'any'
  const { enum: values } = schema
  if (Array.isArray(values))
    return printableLine(values.map((each) => (typeof each === 'string' ? each : printableJson(each))).join(' | '), 60)
  const types = typesOf(schema)
  if (types.length === 1 && types[0] === 'array') return `list of ${describeType(schema.items)}`
  return printableLine(types.join(' | ') || 'any', 60)
}

/** The arguments of a tool, a line each. */
export function describeArguments({ inputSchema }: Tool): readonly string[] {
  // Not every server sends one, although MCP demands it.
  const { properties, required } = isObject(inputSchema) ? inputSchema : {}
  if (!isObject(properties)) return []
  return Object.entries(properties).map(([name, schema]) => {
    const isRequired = Array.isArray(required) && required.includes(name)
    const description = isObject(schema) && typeof schema.description === 'string' ? `  ${printableLine(schema.description, 100)}` : ''
    return `${printableLine(name)}: ${describeType(schema)}${isRequired ? '' : ' (optional)'}${description}`
  })
}
