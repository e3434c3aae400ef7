import { isDeepStrictEqual } from 'node:util'
import { evenSteps } from './differences.js'
import type { Run } from './runs.js'
import type { Step } from './script.js'
import type { Seen } from './tap.js'

const NEWS = /^notifications\/((tools|prompts|resources)\/list_changed|resources\/updated)$/

/** What the transport or client says by itself after a reconnect, as the gap may have swallowed it: it bears no mark. */
const isSynthetic = ({ method, params }: Step['heard'][number]): boolean =>
  NEWS.test(method) && !JSON.stringify(params ?? {}).includes('"mark"')

/** Ids are named step by step: a connection begins to count anew, and a lost step may have had some. */
const withoutSynthetic = (steps: readonly Step[]): Step[] =>
  steps.flatMap((step) => evenSteps([{ ...step, heard: step.heard.filter((told) => !isSynthetic(told)) }]))

const short = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

/** Marks of the calls whose last response passed. */
function respondedMarks(seen: readonly Seen[]): string[] {
  const marks = new Map<unknown, string>()
  for (const { direction, message } of seen)
    if (direction === 'in' && message.method === 'tools/call') {
      const { mark } = message.params?.arguments as { mark: string }
      marks.set(message.id, mark)
    }
  const responses = seen.filter(({ direction, message }) => direction === 'out' && message.method === undefined)
  return responses.flatMap(({ message }) => (message.result?.resultType === 'input_required' ? [] : (marks.get(message.id) ?? [])))
}

/**
 * Holds a run whose connection broke once against the run without a wire. The rule, for every program and wherever it broke:
 *
 * - Every step ends as it does in the reference, and its user is told and asked the same meanwhile.
 * - A request that must not be sent twice, as the call of a tool, may instead be lost, if its response did not pass; then it was executed at most
 *   once, and not at all where the loss says that it was not sent.
 * - Nothing else is executed more often than in the reference; what may be sent again may be executed once more.
 * - There are two connections, nobody was told of an end, and nothing went wrong without an owner.
 * - After a reconnect the user may be told once more that a list or a resource changed, and each of them once.
 *
 * @returns What is against it.
 */
export function judge(run: Run, reference: Run): string[] {
  const problems: string[] = []
  const counts = (marks: readonly string[], mark: string): number => marks.filter((each) => each === mark).length
  const expected = new Map(withoutSynthetic(reference.steps).map((step) => [step.name, step]))
  const steps = withoutSynthetic(run.steps)
  const responded = respondedMarks(run.seen)
  if (steps.length !== expected.size) problems.push(`${String(steps.length)} steps instead of ${String(expected.size)}`)
  for (const step of steps) {
    const { name, outcome } = step
    const executed = counts(run.deeds.executed, name)
    const due = counts(reference.deeds.executed, name)
    if ('lost' in outcome && run.risky.has(name)) {
      if (!/^CONNECTION_LOST, (unknown|not-sent)$/.test(outcome.lost)) problems.push(`"${name}" was lost with ${outcome.lost}`)
      if (responded.includes(name)) problems.push(`"${name}" was lost, but its response had passed`)
      if (executed > (outcome.lost.endsWith('not-sent') ? 0 : due))
        problems.push(`"${name}", which was lost, was executed ${String(executed)} times`)
      continue
    }
    if (!isDeepStrictEqual(step, expected.get(name))) problems.push(`"${name}" is ${short(step)} instead of ${short(expected.get(name))}`)
    const most = run.risky.has(name) ? due : due * 2
    if (executed < due || executed > most) problems.push(`"${name}" was executed ${String(executed)} times instead of ${String(due)}`)
  }
  const synthetic = run.steps.flatMap(({ heard }) => heard.filter(isSynthetic).map((told) => JSON.stringify(told)))
  if (new Set(synthetic).size < synthetic.length) problems.push(`told more than once: ${synthetic.join()}`)
  if (run.connections !== 2) problems.push(`${String(run.connections)} connections instead of 2`)
  if (run.errors.length > reference.errors.length) problems.push(`errors: ${run.errors.map(String).join()}`)
  return problems
}
