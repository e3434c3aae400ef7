// The entry `./probe`: finds out why a server cannot be reached, and what has to be changed. Each attempt is made by a real client, so what
// the report recommends has really connected.

import { throwIfAborted } from '../lib/abort.js'
import { systemClock } from '../lib/clock.js'
import { completeOptions, FUNCTION, MS, NONE, type Filled, type Rules } from '../lib/option-rules.js'
import { Waits } from '../lib/waits.js'
import { publicUrl } from '../socket/secrets.js'
import { readUrl } from '../socket/target.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import { causeOf, flagsOf, keyOf, remedyOf, typescriptOf, wordsOf, type Followed } from './advice.js'
import { attempt, type Limits, type Outcome } from './attempt.js'
import { candidatesAfter } from './candidates.js'
import { describeNetworkError, networkSteps } from './network-steps.js'
import type { ProbeChange, ProbedServer, ProbeOptions, ProbeReport, ProbeStep } from './types.js'

/** Options that no client of the probe checks under the name that the program gave; times in ms. */
const RULES: Rules = { timeout: [5000, MS], connectTimeout: [NONE, MS], onstep: [NONE, FUNCTION] }
type Own = Filled<Pick<ProbeOptions, 'timeout'>> & Pick<ProbeOptions, 'connectTimeout'>
/** Most dials in the search for what helps. Up to two more dials follow if a server was reached. */
const MOST_ATTEMPTS = 14

type Failed = Extract<Outcome, { ok: false }>

/** One probe: what it has tried so far. */
class Probe {
  readonly #url: URL
  readonly #options: ProbeOptions
  readonly #limits: Limits
  readonly #steps: ProbeStep[] = []
  readonly #waits = new Waits(systemClock)
  /** What was dialled with, so that nothing is tried twice. */
  readonly #tried = new Set<string>()
  /** The first change that led to another fault. */
  #followed: Followed | undefined
  #attempts = 0

  constructor(url: URL, options: ProbeOptions) {
    const own = { timeout: options.timeout, connectTimeout: options.connectTimeout, onstep: options.onstep }
    const { timeout, connectTimeout = timeout } = completeOptions(own, RULES) as Own
    this.#url = url
    this.#options = options
    this.#limits = { timeout, connectTimeout: Math.min(connectTimeout, timeout) }
  }

  async run(): Promise<ProbeReport> {
    // With an agent, the client may reach what this machine cannot reach directly.
    if (this.#options.agent === undefined) await this.#lookAtNetwork()
    const first = await this.#try({}, this.#nameOf({}))
    if (first.ok) return this.#succeed({}, first.server)
    const found = await this.#search(first, {}, 2)
    const { error, malformed } = first
    const failure = { ok: false, cause: causeOf(error, malformed), remedy: remedyOf(error, malformed, found?.change, this.#followed) }
    if (found === undefined) return { url: publicUrl(this.#url), steps: this.#steps, ...failure }
    return { ...(await this.#succeed(found.change, found.server)), ...failure }
  }

  async #lookAtNetwork(): Promise<void> {
    for (const { name, run } of networkSteps(this.#url, this.#options.tls)) {
      // Not `AbortSignal.any`: Node 20 may collect such a signal as garbage too early, and a lookup of a name ignores signals.
      const limits = { signals: [this.#options.signal], ms: this.#limits.connectTimeout, late: () => new Error('no answer in time') }
      const ok = await this.#step(name, () =>
        this.#waits.until(run, limits).then(
          (detail = '') => ({ ok: true, detail }),
          (error: unknown) => ({ ok: false, detail: describeNetworkError(error) })
        )
      )
      throwIfAborted(this.#options.signal)
      if (!ok) return
    }
  }

  async #step(name: string, work: () => Promise<{ ok: boolean; detail: string }>): Promise<boolean> {
    const startedAt = performance.now()
    const { ok, detail } = await work()
    const step = { name, ok, detail, duration: Math.round(performance.now() - startedAt) }
    this.#steps.push(step)
    this.#options.onstep?.(step)
    return ok
  }

  async #try(change: ProbeChange, name: string, options = this.#options, resume = false): Promise<Outcome> {
    this.#attempts++
    if (!resume && options === this.#options) this.#tried.add(keyOf(options, change))
    let outcome: Outcome | undefined
    await this.#step(name, async () => {
      outcome = await attempt(this.#url, options, change, this.#limits, resume)
      return { ok: outcome.ok, detail: outcome.ok ? describeServer(outcome.server) : causeOf(outcome.error, outcome.malformed) }
    })
    throwIfAborted(this.#options.signal)
    return outcome as Outcome
  }

  /** Tries what may help. A change that leads to another fault is kept, and what helps against that is tried on top of it. */
  async #search({ error }: Failed, base: ProbeChange, depth: number): Promise<{ change: ProbeChange; server: ProbedServer } | undefined> {
    const further: [Failed, ProbeChange][] = []
    for (const candidate of candidatesAfter(error, this.#urlOf(base), this.#options)) {
      if (this.#attempts >= MOST_ATTEMPTS) return undefined
      const change = { ...base, ...candidate }
      if (this.#tried.has(keyOf(this.#options, change))) continue
      const outcome = await this.#try(change, this.#nameOf(change))
      if (outcome.ok) return { change, server: outcome.server }
      if (kindOf(outcome.error) === kindOf(error)) continue
      further.push([outcome, change])
      this.#followed ??= { change, ...outcome }
    }
    if (depth === 1) return undefined
    for (const [outcome, change] of further) {
      const found = await this.#search(outcome, change, depth - 1)
      if (found) return found
    }
    return undefined
  }

  /** Asks what else is worth knowing of a server that was reached. */
  async #succeed(change: ProbeChange, server: ProbedServer): Promise<ProbeReport> {
    const url = this.#urlOf(change)
    // The option `offer` is the whole list, so `mcp.v1.resume` cannot be added.
    const hasPlace = (change.offer ?? this.#options.offer) === undefined
    const resumed = hasPlace ? await this.#try(change, 'MCP with sessions', this.#options, true) : undefined
    const resume = resumed?.ok === true && resumed.server.subprotocol === RESUME_SUBPROTOCOL
    const needsCredentials = await this.#needsCredentials(change)
    return {
      url: publicUrl(this.#url),
      ok: true,
      steps: this.#steps,
      change,
      typescript: typescriptOf(url, this.#options, change),
      flags: flagsOf(url, this.#options, change),
      server: { ...server, resume, needsCredentials }
    }
  }

  async #needsCredentials(change: ProbeChange): Promise<boolean | undefined> {
    const { auth, headers, ...bare } = this.#options
    if (auth === undefined && headers === undefined) return undefined
    const { via: _, ...others } = change
    return !(await this.#try(others, 'MCP without credentials', bare)).ok
  }

  #urlOf({ url }: ProbeChange): URL {
    return url === undefined ? this.#url : new URL(url)
  }

  #nameOf(change: ProbeChange): string {
    const words = wordsOf(change)
    return words.length === 0 ? 'MCP as given' : `MCP with ${words.join(', ')}`
  }
}

/** What tells one fault from another. */
function kindOf(error: unknown): string {
  const { code, status } = error as { code?: unknown; status?: unknown }
  return `${String(code)} ${String(status)}`
}

function describeServer({
  name = 'a server without a name',
  version = '',
  era = 'legacy',
  protocolVersion = '',
  subprotocol,
  roundTrip
}: ProbedServer): string {
  const time = roundTrip === undefined ? '' : `, ${String(Math.round(roundTrip))} ms for a round trip`
  return `${`${name} ${version}`.trim()}, MCP ${protocolVersion} (${era}), ${subprotocol === undefined ? 'no subprotocol' : `subprotocol ${subprotocol}`}${time}`
}

/**
 * Finds out whether a server can be reached, why not, and what has to be changed. It dials step by step, then as a client would, and after
 * a failure with what may help: other subprotocols, other paths of the same host. It sends credentials to no other host, and in plain text
 * only where the URL and the options say so. Node only.
 * @returns What it found; a server that cannot be reached is no reason to reject.
 * @throws TypeError for a wrong URL or option; the signal's reason if it aborts.
 * @example
 * ```ts
 * const { ok, cause, remedy, typescript } = await probe('ws://127.0.0.1:8080/ws')
 * if (!ok) console.log(cause, remedy, typescript)
 * ```
 */
export async function probe(url: string | URL, options: ProbeOptions = {}): Promise<ProbeReport> {
  throwIfAborted(options.signal)
  return new Probe(readUrl(url), options).run()
}
