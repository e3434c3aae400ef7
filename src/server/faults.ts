import { guarded } from '../lib/guarded.js'

// If the error messages of a callback depend on what clients send, warnings must not fill the log of the program.
const MOST_WARNINGS = 20

/**
 * Reports the faults of a program's callbacks: to its `onerror`, or as warnings where it has none. Without them the program would only see
 * that clients cannot connect.
 */
export class Faults {
  readonly #onerror: ((error: Error) => void) | undefined
  readonly #warn: (text: string) => void
  readonly #told = new Set<string>()

  /** @param warn - Takes each distinct warning once. */
  constructor(onerror: ((error: Error) => void) | undefined, warn: (text: string) => void) {
    this.#onerror = onerror
    this.#warn = warn
  }

  /** @param fault - What failed, in words, such as `onconnection failed`. */
  report(fault: string, error: Error): void {
    // What `onerror` itself throws has nowhere to go.
    if (this.#onerror) {
      guarded(
        () => this.#onerror?.(error),
        () => undefined
      )
      return
    }
    const key = `${fault}: ${error.message}`
    if (this.#told.has(key) || this.#told.size >= MOST_WARNINGS) return
    this.#told.add(key)
    this.#warn(`${fault}: ${error.stack ?? error.message}\n(The option onerror takes such errors, in place of this warning.)`)
  }
}
