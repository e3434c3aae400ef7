import type { CallToolResult, Progress } from 'mcp-websocket-client'
import { element } from './dom.js'
import { failureOf, textOf, type Failure } from './words.js'

/** How a call ended, or that it has not. */
export type Outcome = 'pending' | 'done' | 'failed' | 'lost'

/** One call: its progress, then its result or why there is none. */
export class CallCard {
  readonly element: HTMLElement
  readonly #outcome = element('span', { className: 'outcome pending' }, 'pending')
  readonly #progress = element('progress', { max: 1 })
  readonly #said = element('span', { className: 'said' })
  readonly #cancel: HTMLButtonElement
  readonly #body = element('div', { className: 'body' })

  /** @param onCancel - Called when somebody gives the call up. */
  constructor(name: string, args: Readonly<Record<string, unknown>>, onCancel: () => void) {
    this.#cancel = element('button', { type: 'button', className: 'small', ariaLabel: `Cancel ${name}` }, 'Cancel')
    this.#cancel.addEventListener('click', onCancel)
    this.#progress.ariaLabel = `Progress of ${name}`
    const head = element(
      'div',
      { className: 'head' },
      element('strong', {}, name),
      element('code', {}, JSON.stringify(args)),
      this.#outcome
    )
    this.#body.append(this.#progress, this.#said, this.#cancel)
    this.element = element('li', { className: 'call' }, head, this.#body)
  }

  onProgress({ progress, total, message }: Progress): void {
    if (total !== undefined) {
      this.#progress.max = total
      this.#progress.value = progress
    }
    this.#said.textContent = message ?? String(progress)
  }

  /** @returns How it ended: a tool that failed says so in its result. */
  onResult(result: CallToolResult): Outcome {
    const outcome = result.isError === true ? 'failed' : 'done'
    this.#end(outcome, element('p', { className: 'result' }, textOf(result)))
    return outcome
  }

  onError(error: unknown): Outcome {
    const failure = failureOf(error)
    const outcome = failure.delivery === 'unknown' ? 'lost' : 'failed'
    this.#end(outcome, describe(failure))
    return outcome
  }

  #end(outcome: Outcome, body: HTMLElement): void {
    this.#outcome.className = `outcome ${outcome}`
    this.#outcome.textContent = outcome
    this.#body.replaceChildren(body)
  }
}

/** An error for people: what happened, its code and delivery, and what to do about it. */
export function describe({ message, code, delivery, hint }: Failure): HTMLElement {
  const facts = [code, delivery === undefined ? undefined : `delivery: '${delivery}'`].filter((fact) => fact !== undefined)
  return element(
    'div',
    { className: 'failure' },
    element('p', {}, message),
    ...(hint === undefined ? [] : [element('p', { className: 'hint' }, element('strong', {}, 'Hint: '), hint)]),
    element('p', { className: 'facts' }, ...facts.map((fact) => element('code', {}, fact)))
  )
}
