import { asError, guarded } from '../lib/guarded.js'

/** Calls a callback of the program: neither what it throws nor, if it is async, what it rejects with harms anybody else. */
export function callBack(callback: () => unknown, onFailed: (error: Error) => void): void {
  const returned = guarded(callback, onFailed)
  // One connection's bug must not end the process, as a rejection does that nobody handles.
  if (returned instanceof Promise) returned.catch((thrown: unknown) => onFailed(asError(thrown)))
}
