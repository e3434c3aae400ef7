import { ofFlag } from './in-flags.js'

/** How the program ends: done, failed, called in a wrong way, or by Ctrl-C (128 and the number of the signal, as shells count). */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Ends a command with words for the person who called it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  /** The exit code. */
  readonly code: number

  constructor(message: string, code: number = EXIT.failed) {
    super(message)
    this.code = code
  }
}

/** A command that was called in a wrong way. */
export const usageError = (message: string): Failure => new Failure(message, EXIT.usage)

/** Makes what the flags stand for. @throws Failure in place of the `TypeError` for an option that is wrong: the flag was. */
export function construct<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof TypeError) throw usageError(ofFlag(error.message))
    throw error
  }
}
