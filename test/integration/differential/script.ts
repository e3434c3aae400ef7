import { until } from '../../helpers/until.js'
import { GIVEN_UP, type Caller, type CallOptions, type Failure, type Told } from './callers.js'

/** One step of a program, as the user of a client saw it. */
export interface Step {
  readonly name: string
  readonly outcome: { readonly value: unknown } | Failure
  readonly progress: readonly unknown[]
  /** Notifications that came since the step before. */
  readonly heard: readonly Told[]
  /** Server requests that came since the step before. */
  readonly asked: readonly Told[]
}

/** What is special about a call. */
export interface StepOptions {
  /** The tool reports progress. */
  readonly reports?: boolean
  /** The call is given up at its first report. */
  readonly abort?: boolean
  /** The tool causes a notification that must come. */
  readonly hears?: boolean
  /** The call may be sent again. */
  readonly resend?: boolean
}

/** Plain JSON of what came, so that one run can be held against another; `undefined` members do not travel. */
export const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value ?? null)) as T

/** Runs the steps of a program with one client and writes down what its user sees. */
export class Script {
  readonly steps: Step[] = []
  /** Steps that a lost connection may fail: what must not be done twice, unless the client was told that it may be sent again. */
  readonly risky = new Set<string>()
  readonly caller: Caller
  readonly #names = new Set<string>()
  /** The step under way, for whoever has to say where a run hangs. */
  current = ''

  constructor(caller: Caller) {
    this.caller = caller
  }

  /** A step that may be done twice. */
  async step(name: string, act: (client: Caller['client']) => Promise<unknown>): Promise<void> {
    await this.#take(name, [], () => act(this.caller.client))
  }

  /** A request of a method that nobody knows, and of which nobody can know whether it may be sent twice. */
  async request(name: string, method: string): Promise<void> {
    this.risky.add(name)
    await this.#take(name, [], () => this.caller.request(method))
  }

  /** A call of a tool. Its mark, which tells it from all others, is the name of the step. */
  async call(name: string, tool: string, args: Record<string, unknown> = {}, wanted: StepOptions = {}): Promise<void> {
    const { reports = false, abort = false, hears = false, resend = false } = wanted
    const progress: unknown[] = []
    const controller = new AbortController()
    const onprogress = (report: unknown): void => {
      progress.push(plain(report))
      if (abort) controller.abort(new Error(GIVEN_UP))
    }
    const options: CallOptions = {
      ...(reports && { onprogress }),
      ...(abort && { signal: controller.signal }),
      ...(resend && { resend })
    }
    if (!resend || !this.caller.resends) this.risky.add(name)
    await this.#take(name, progress, async () => {
      const result = await this.caller.call(tool, { mark: name, ...args }, options)
      if (hears) await until(() => this.caller.heard.some((told) => bears(told, name)), `the notification of "${name}" comes`)
      return result
    })
  }

  async #take(name: string, progress: unknown[], act: () => Promise<unknown>): Promise<void> {
    if (this.#names.has(name)) throw new TypeError(`two steps are named "${name}"`)
    this.#names.add(name)
    this.current = name
    const { caller } = this
    const outcome = await act().then(
      (value): Step['outcome'] => ({ value: plain(value) }),
      (thrown: unknown) => plain(caller.failureOf(thrown))
    )
    this.steps.push({ name, outcome, progress, heard: plain(caller.heard.splice(0)), asked: plain(caller.asked.splice(0)) })
  }
}

/** Whether a notification was caused by the step of this name. */
export const bears = (told: Told, name: string): boolean => JSON.stringify(told).includes(JSON.stringify(name))
