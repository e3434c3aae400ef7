import { isObject } from './is-object.js'

/*
 * The one way in which all entries of the package check their options: a layer declares a table of rules, and `completeOptions`
 * fills in the defaults and throws for the first value that no rule accepts, and for the first name that has no rule: a misspelt
 * option would be dropped without a word. Pure, and without any knowledge of the options.
 */

/** A kind of values: how an error names it, and how a value is tested. */
export type Kind = readonly [words: string, test: (value: unknown) => boolean]

/** Options as {@link completeOptions} leaves them: every member is there, and none is undefined. */
export type Filled<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> }

/** The rules of the options of one level, by name: `Object.keys` lists the names that are known. */
export interface Rules {
  /** The rule of one option. */
  readonly [name: string]: Rule
}

/** What an option accepts: a kind of values, a single value, or an object whose members have rules of their own. */
export type Accepted = Kind | Rules | string | number | boolean

/** The default of an option, and all that is accepted. */
export type Rule = readonly [fallback: unknown, ...accepted: readonly Accepted[]]

/** In place of a default: the option may be left out. */
export const NONE = undefined
/** In place of a default: the option has to be given. No kind accepts `null`. */
export const REQUIRED = null

const isNumber = (value: unknown, least: number): boolean => Number.isFinite(value) && (value as number) >= least
// A whole number beyond 2^53 - 1 would not be exact.
const isCount = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least

/** An object whose members are not looked at. */
export const OBJECT: Kind = ['an object', isObject]
/** A callback. */
export const FUNCTION: Kind = ['a function', (value) => typeof value === 'function']
/** Any string. */
export const STRING: Kind = ['a string', (value) => typeof value === 'string']
/** A non-empty string that a header can hold. A text that was read from a file often ends with a line break, which no header can hold. */
export const LINE: Kind = ['a non-empty string without line breaks', (value) => typeof value === 'string' && /^.+$/.test(value)]
/** A time in ms, which may have a fraction. */
export const MS: Kind = ['a positive number', (value) => isNumber(value, Number.MIN_VALUE)]
/** A factor by which something grows. */
export const FACTOR: Kind = ['a number of at least 1', (value) => isNumber(value, 1)]
/** How many there may be; 0 allows none. */
export const COUNT: Kind = ['a whole number of at least 0', (value) => isCount(value, 0)]
/** How many there may be, at least one. */
export const POSITIVE: Kind = ['a whole number of at least 1', (value) => isCount(value, 1)]
/** An array of different strings. @param words - How an error names it; they say what each string must be, too. */
export const listOf = (words: string, test: (value: string) => boolean): Kind => [
  words,
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'string' && test(each)) && new Set(value).size === value.length
]

const kindOf = (accepted: Accepted): Kind =>
  isObject(accepted) ? OBJECT : typeof accepted === 'object' ? accepted : [String(accepted), (value) => value === accepted]

/** How many letters have to be added, removed or replaced to turn one word into the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let i = 1; i <= one.length; i++) {
    let left = i
    row = row.map((above, j) => {
      if (j > 0) left = Math.min(Number(row[j - 1]) + Number(one[i - 1] !== other[j - 1]), above + 1, left + 1)
      return left
    })
  }
  return Number(row.at(-1))
}

/** The names of all options that have a rule; nested ones with their path, such as `reconnect.maxRetries`. */
const namesOf = (rules: Rules, path = ''): string[] =>
  Object.entries(rules).flatMap(([name, [, ...accepted]]) => [
    path + name,
    ...accepted.flatMap((each) => (isObject(each) ? namesOf(each, `${path}${name}.`) : []))
  ])

/**
 * The known name that the program most likely meant. It may be a nested one: `maxRetries` means `reconnect.maxRetries`.
 * @returns `undefined` if every known name differs in more than a third of its letters, or if more than two end with the given name, as
 * with `timeout`.
 */
function nearest(name: string, rules: Rules): string | undefined {
  const given = name.toLowerCase()
  let [found, least]: [string?, number?] = []
  const names = namesOf(rules)
  for (const known of names) {
    const last = known.slice(known.lastIndexOf('.') + 1).toLowerCase()
    const part = distance(given, last) / Math.max(name.length, last.length)
    if (part <= 1 / 3 && part < (least ?? 1)) [found, least] = [known, part]
  }
  const alike = names.filter((known) => known.toLowerCase().endsWith(given))
  return alike.length > 2 ? undefined : found
}

/** @throws TypeError naming the first member that has no rule, and the option that was meant. */
function checkNames(given: object, rules: Rules, path: string): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(rules, name))
  if (unknown === undefined) return
  const known = nearest(unknown, rules)
  throw new TypeError(`unknown option ${path}${unknown}${known === undefined ? '' : `: did you mean ${path}${known}?`}`)
}

/**
 * Checks that `options` is an object whose names all have a rule; the values are left to {@link completeOptions}.
 * @throws TypeError for any other value, and for a name without a rule.
 */
export function checkOptions(options: unknown, rules: Rules): void {
  if (!isObject(options)) throw new TypeError('options must be an object')
  checkNames(options, rules, '')
}

/**
 * The given options with their defaults.
 * @param path - What precedes the names of these options in an error, for options inside an option.
 * @throws TypeError naming the first option that is wrong or unknown, but never its value: that may be a secret.
 */
export function completeOptions(given: object, rules: Rules, path = ''): Record<string, unknown> {
  checkNames(given, rules, path)
  const all: Record<string, unknown> = { ...given }
  for (const [name, [fallback, ...accepted]] of Object.entries(rules)) {
    const { [name]: value = fallback } = all
    const match = accepted.find((each) => kindOf(each)[1](value))
    if (value === REQUIRED && fallback === REQUIRED) throw new TypeError(`${path}${name} must be given`)
    if (value !== undefined && match === undefined)
      throw new TypeError(`${path}${name} must be ${accepted.map((each) => kindOf(each)[0]).join(' or ')}`)
    all[name] = isObject(match) ? completeOptions(value as object, match, `${path}${name}.`) : value
  }
  return all
}
