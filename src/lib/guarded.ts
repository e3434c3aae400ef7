/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  } catch {
    // `Object.create(null)`, a proxy, a `toString` that throws.
    return new Error('something was thrown of which no text can be made')
  }
}

/** Calls a callback of the program, whose failure must harm nobody else. @returns `undefined` if it threw. */
export function guarded<T>(callback: () => T, onThrown: (error: Error) => void): T | undefined {
  try {
    return callback()
  } catch (thrown) {
    onThrown(asError(thrown))
    return undefined
  }
}

/** @throws TypeError for what a program without types may pass in place of a handler. */
export function checkHandler(method: string, handler: unknown): void {
  if (typeof handler !== 'function') throw new TypeError(`the handler of ${method} must be a function`)
}
