import { createInterface } from 'node:readline/promises'
import type { ElicitResult } from '../index.js'
import type { Io } from './io.js'
import { membersOf, textOf, type Members } from './members.js'
import { printable, printableLine } from './printable.js'

/** The server's form, or its URL, as it came. */
type Params = Members

/** What the user did. */
export type Answer = ElicitResult

type Value = string | number | boolean | string[]

/** The values of a choice; `undefined` where anything may be written. */
function choicesOf(schema: Params): readonly string[] | undefined {
  const { enum: values, oneOf, anyOf } = schema
  if (Array.isArray(values)) return values.filter((each) => typeof each === 'string')
  const titled = oneOf ?? anyOf
  return Array.isArray(titled) ? titled.map((each) => textOf(membersOf(each).const)) : undefined
}

/**
 * Reads what the user wrote for a field.
 * @returns `undefined` if the user wrote nothing, and may.
 * @throws Error that says what is expected.
 */
export function readField(text: string, schema: Params, isRequired: boolean): Value | undefined {
  const { type, default: fallback } = schema
  if (text === '') {
    if (fallback !== undefined) return fallback as Value
    if (isRequired) throw new Error('A value is required.')
    return undefined
  }
  if (type === 'array') return text.split(',').map((each) => pick(each.trim(), choicesOf(membersOf(schema.items))))
  if (type === 'boolean') {
    if (/^(y|yes|true)$/i.test(text)) return true
    if (/^(n|no|false)$/i.test(text)) return false
    throw new Error('Answer yes or no.')
  }
  if (type === 'number' || type === 'integer') {
    const value = Number(text)
    if (type === 'integer' ? !Number.isInteger(value) : !Number.isFinite(value))
      throw new Error(`Write ${type === 'integer' ? 'a whole' : 'a'} number.`)
    return value
  }
  return pick(text, choicesOf(schema))
}

function pick(text: string, choices: readonly string[] | undefined): string {
  if (choices === undefined || choices.includes(text)) return text
  throw new Error(`Choose one of: ${choices.map((each) => printableLine(each)).join(', ')}`)
}

function questionOf(name: string, schema: Params, isRequired: boolean): string {
  const choices = choicesOf(schema.type === 'array' ? membersOf(schema.items) : schema)
  const notes = [
    choices ? choices.join(', ') : schema.type === 'boolean' ? 'yes, no' : textOf(schema.type),
    schema.type === 'array' && 'several with commas',
    !isRequired && 'optional',
    schema.default !== undefined && `default ${JSON.stringify(schema.default)}`
  ]
  const label = textOf(schema.title) || name
  const description = textOf(schema.description)
  return printableLine(`${label}${description ? ` – ${description}` : ''} (${notes.filter(Boolean).join('; ')}): `) + ' '
}

/**
 * Asks the user what the server wants to know (MCP, client/elicitation). Ctrl-D cancels.
 * @param signal - Aborted when the answer no longer matters.
 */
export async function askUser({ stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>, params: Params, signal: AbortSignal): Promise<Answer> {
  // A stream emits its end only once: after that, a question would wait for ever.
  if (signal.aborted || stdin.readableEnded) return { action: 'cancel' }
  const lines = createInterface({ input: stdin, output: stderr, terminal: false })
  const ended = new AbortController()
  lines.once('close', () => ended.abort())
  const either = AbortSignal.any([signal, ended.signal])
  const ask = async (question: string): Promise<string> => (await lines.question(question, { signal: either })).trim()
  try {
    stderr.write(`The server asks: ${printable(textOf(params.message))}\n`)
    if (params.mode === 'url') return await askForUrl(ask, stderr, textOf(params.url))
    return await askForForm(ask, stderr, membersOf(params.requestedSchema))
  } catch {
    return { action: 'cancel' }
  } finally {
    lines.close()
  }
}

/** Asks one thing at a time, in the order of the calls: all answers come from the same terminal. */
export function inTurn<T extends readonly unknown[]>(ask: (...args: T) => Promise<Answer>): (...args: T) => Promise<Answer> {
  let last: Promise<unknown> = Promise.resolve()
  return (...args) => {
    const answer = last.then(() => ask(...args))
    last = answer.catch(() => undefined)
    return answer
  }
}

type Ask = (question: string) => Promise<string>

async function askForUrl(ask: Ask, stderr: Io['stderr'], url: string): Promise<Answer> {
  stderr.write(`Open this address in a browser, if you trust it: ${printableLine(url)}\n`)
  return /^(y|yes)$/i.test(await ask('Done? (yes, no): ')) ? { action: 'accept' } : { action: 'decline' }
}

async function askForForm(ask: Ask, stderr: Io['stderr'], schema: Params): Promise<Answer> {
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : []
  const content: [string, Value][] = []
  for (const [name, field] of Object.entries(membersOf(schema.properties))) {
    const rules = membersOf(field)
    const isRequired = required.includes(name)
    for (;;) {
      const text = await ask(questionOf(name, rules, isRequired))
      try {
        const value = readField(text, rules, isRequired)
        if (value !== undefined) content.push([name, value])
        break
      } catch (error) {
        stderr.write(`${(error as Error).message}\n`)
      }
    }
  }
  if (!/^(y|yes|)$/i.test(await ask('Send this? (yes, no) [yes]: '))) return { action: 'decline' }
  return { action: 'accept', content: Object.fromEntries(content) }
}
