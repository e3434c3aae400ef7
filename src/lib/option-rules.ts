import { isObject } from './is-object.js'

/*
 * The one way in which all entries of the package check their options: a layer declares a table of rules, and `completeOptions`
 * fills in the defaults and throws for the first value that no rule accepts. Pure, and without any knowledge of the options.
 */

/** A kind of values: how an error names it, and how a value is tested. */
export type Kind = readonly [words: string, test: (value: unknown) => boolean]

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
/** A string with something in it. */
export const TEXT: Kind = ['a non-empty string', (value) => typeof value === 'string' && value !== '']
/** A time in ms, which may have a fraction. */
export const MS: Kind = ['a positive number', (value) => isNumber(value, Number.MIN_VALUE)]
/** A factor by which something grows. */
export const FACTOR: Kind = ['a number of at least 1', (value) => isNumber(value, 1)]
/** How many there may be; 0 allows none. */
export const COUNT: Kind = ['a whole number of at least 0', (value) => isCount(value, 0)]
/** How many there may be, at least one. */
export const POSITIVE: Kind = ['a whole number of at least 1', (value) => isCount(value, 1)]
/** An array of strings, none of which comes twice. @param words - Say what each of them is, too. */
export const listOf = (words: string, test: (value: string) => boolean): Kind => [
  words,
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'string' && test(each)) && new Set(value).size === value.length
]

const kindOf = (accepted: Accepted): Kind =>
  isObject(accepted) ? OBJECT : typeof accepted === 'object' ? accepted : [String(accepted), (value) => value === accepted]

/** @throws TypeError for anything that a program without types may pass in place of options. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new TypeError('options must be an object')
}

/**
 * The given options with their defaults; members without a rule are kept as they are.
 * @param path - What precedes the names of these options in an error, for options inside an option.
 * @throws TypeError naming the first option that is wrong, but never its value: that may be a secret.
 */
export function completeOptions(given: object, rules: Rules, path = ''): Record<string, unknown> {
  const all: Record<string, unknown> = { ...given }
  for (const [name, [fallback, ...accepted]] of Object.entries(rules)) {
    const { [name]: value = fallback } = all
    const match = accepted.find((each) => kindOf(each)[1](value))
    if (value !== undefined && match === undefined)
      throw new TypeError(`${path}${name} must be ${accepted.map((each) => kindOf(each)[0]).join(' or ')}`)
    all[name] = isObject(match) ? completeOptions(value as object, match, `${path}${name}.`) : value
  }
  return all
}
