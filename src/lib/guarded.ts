/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  } catch {
    // `Object.create(null)`, a proxy, a `toString` that throws.
    return new Error('a value was thrown that cannot be written as text')
  }
}

const isPromise = (value: unknown): boolean => typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

/**
 * Calls a callback of the program, which may be async. If it throws or rejects, only `onFailed` hears of it: one program's bug must not
 * end what others rely on, and Node ends the process at a rejection that nobody handles.
 * @returns What the callback returns; `undefined` if it threw.
 */
export function guarded<T>(callback: () => T, onFailed: (error: Error) => void): T | undefined {
  try {
    const returned = callback()
    if (isPromise(returned)) Promise.resolve(returned).catch((thrown: unknown) => onFailed(asError(thrown)))
    return returned
  } catch (thrown) {
    onFailed(asError(thrown))
    return undefined
  }
}

/**
 * Calls a callback of the program that decides, as {@link guarded} does. It must not return a promise: any promise would count as yes.
 * @returns `undefined` if the callback leaves it to the default, or failed.
 */
export function decided(name: string, callback: () => unknown, onFailed: (error: Error) => void): boolean | undefined {
  const decision = guarded(callback, onFailed)
  if (decision === undefined || typeof decision === 'boolean') return decision
  onFailed(new TypeError(`${name} must return true, false or undefined, and not a promise`))
  return undefined
}
