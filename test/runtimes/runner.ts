export { expect } from './expect.js'

// Stands in for `vitest` where that does not run: test/shared is bundled with this file in its place (see bundle.ts). It has no more than
// test/shared uses.

/** What came of one fact: `error` if it does not hold. */
export interface Finding {
  readonly fact: string
  readonly error?: string
}

type Body = () => unknown

interface Group {
  readonly name: string
  readonly parent: Group | undefined
  readonly before: Body[]
  readonly after: Body[]
}

/** How long a fact may take, in ms. */
const LIMIT = 20_000

const facts: { readonly name: string; readonly group: Group; readonly body: Body }[] = []
let group: Group = { name: '', parent: undefined, before: [], after: [] }

/** Collects the facts that `declare` states, under a common name. */
export function describe(name: string, declare: () => void): void {
  const parent = group
  group = { name, parent, before: [], after: [] }
  declare()
  group = parent
}

/** States a fact. */
export function it(name: string, body: Body): void {
  facts.push({ name, group, body })
}

/** States a fact for each case; `%s` and `%i` in its name stand for the values of the case. */
it.each =
  (cases: readonly unknown[]) =>
  (name: string, body: (...values: unknown[]) => unknown): void => {
    for (const each of cases) {
      const values: unknown[] = Array.isArray(each) ? each : [each]
      const rest = [...values]
      it(
        name.replace(/%[si]/g, () => String(rest.shift())),
        () => body(...values)
      )
    }
  }

/** States a fact only if the condition holds. */
it.runIf = (condition: unknown): typeof it | (() => void) => (condition ? it : () => undefined)

/** Runs before each fact of this group. */
export const beforeEach = (body: Body): unknown => group.before.push(body)

/** Runs after each fact of this group, whether it holds or not. */
export const afterEach = (body: Body): unknown => group.after.push(body)

/** Tries all facts, one after another. */
export async function tryAll(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { name, group: own, body } of facts) {
    const groups: Group[] = []
    for (let each: Group | undefined = own; each !== undefined; each = each.parent) groups.unshift(each)
    const fact = [...groups.map((each) => each.name).filter(Boolean), name].join(' > ')
    const error = await errorOf(async () => {
      for (const { before } of groups) for (const prepare of before) await prepare()
      await body()
    })
    const late = await errorOf(async () => {
      for (const { after } of groups.reverse()) for (const clean of after.reverse()) await clean()
    })
    const failure = error ?? late
    findings.push(failure === undefined ? { fact } : { fact, error: failure })
  }
  return findings
}

async function errorOf(work: () => Promise<void>): Promise<string | undefined> {
  let timer: unknown
  const limit = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${String(LIMIT)} ms`)), LIMIT)
  })
  try {
    await Promise.race([work(), limit])
    return undefined
  } catch (error) {
    const { name, message, stack = '' } = error as Error
    return [
      `${name}: ${message}`,
      ...stack
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 4)
    ].join('\n')
  } finally {
    clearTimeout(timer as number)
  }
}
