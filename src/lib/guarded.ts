/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  } catch {
    // `Object.create(null)`, a proxy, a `toString` that throws.
    return new Error('a value was thrown that cannot be written as text')
  }
}

/** Whether the value is what JSON calls an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Calls a callback of the program. If it throws, only `onThrown` hears of it: one program's bug must not end what others rely on.
 * @returns What the callback returns; `undefined` if it threw.
 */
export function guarded<T>(callback: () => T, onThrown: (error: Error) => void): T | undefined {
  try {
    return callback()
  } catch (thrown) {
    onThrown(asError(thrown))
    return undefined
  }
}

/**
 * Calls a callback of the program that may be async: neither what it throws nor what it rejects with harms anybody else. Node ends
 * the process at a rejection that nobody handles.
 */
export function guardedAsync(callback: () => unknown, onFailed: (error: Error) => void): void {
  const returned = guarded(callback, onFailed)
  if (returned instanceof Promise) returned.catch((thrown: unknown) => onFailed(asError(thrown)))
}

/** @throws TypeError if the handler is not a function, as can happen in a program without types. */
export function checkHandler(method: string, handler: unknown): void {
  if (typeof handler !== 'function') throw new TypeError(`the handler of ${method} must be a function`)
}
