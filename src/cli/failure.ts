import { ofFlag } from './in-flags.js'
import type { Signal } from './io.js'

/** How the program ends: done, failed, or called in a wrong way. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

// The exit code is 128 and this number, as in shells.
const NUMBERS: Readonly<Record<Signal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }

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

/** A command that a signal ended. @param message - Empty: nothing is printed, because whoever sent the signal knows. */
export const endedBy = (signal: Signal, message = ''): Failure => new Failure(message, 128 + NUMBERS[signal])
