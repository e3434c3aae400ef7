/** A promise together with the functions that settle it. */
export interface Deferred<T> {
  /** The promise. */
  readonly promise: Promise<T>
  /** Resolves the promise, unless it is settled. */
  readonly resolve: (value: T) => void
  /** Rejects the promise, unless it is settled. */
  readonly reject: (error: unknown) => void
}

const ignore = (): void => undefined

/** Makes a promise that is settled later, by its owner. `Promise.withResolvers` is missing in Node 20. */
export function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = ignore
  let reject: Deferred<T>['reject'] = ignore
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
