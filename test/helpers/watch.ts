/** What became of a promise so far. */
export interface Outcome<T> {
  settled: boolean
  value: T | undefined
  error: unknown
}

/** Watches a promise without waiting for it; its rejection counts as handled. */
export function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { settled: false, value: undefined, error: undefined }
  promise.then(
    (value) => Object.assign(outcome, { settled: true, value }),
    (error: unknown) => Object.assign(outcome, { settled: true, error })
  )
  return outcome
}
