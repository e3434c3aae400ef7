/** What was thrown, as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

/** Calls a callback of the program, whose failure must harm nobody else. @returns `undefined` if it threw. */
export function guarded<T>(callback: () => T, onThrown: (error: Error) => void): T | undefined {
  try {
    return callback()
  } catch (thrown) {
    onThrown(asError(thrown))
    return undefined
  }
}
