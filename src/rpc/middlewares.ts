import type { Middleware } from '../types/extensions.js'

/** What stands around requests of one kind, outermost first. */
export class Middlewares<R> {
  /** Replaced, and never changed in place: a request passes the middleware that was there when it was made. */
  #all: readonly Middleware<R>[] = []

  /** Whether there is none, so that nothing needs to be run. */
  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  /** Adds one as the innermost. @returns Removes it. @throws TypeError for what is no function. */
  add(middleware: Middleware<R>): () => void {
    if (typeof middleware !== 'function') throw new TypeError('middleware must be a function')
    // Wrapped, because the same function may be added twice.
    const each: Middleware<R> = (request, next) => middleware(request, next)
    this.#all = [...this.#all, each]
    return () => {
      this.#all = this.#all.filter((other) => other !== each)
    }
  }

  /** Runs a request through all of them. @param last - What is done with the request that the innermost hands on. */
  run(request: R, last: (request: R) => Promise<unknown>): Promise<unknown> {
    return runFrom(0, this.#all, request, last)
  }
}

/** Not `async`, which would cost two promises more for each, on the path of every request. */
function runFrom<R>(index: number, all: readonly Middleware<R>[], request: R, last: (request: R) => Promise<unknown>): Promise<unknown> {
  const middleware = all[index]
  try {
    // Middleware in plain JavaScript may return a plain result in place of a promise.
    return Promise.resolve(middleware ? middleware(request, (handed) => runFrom(index + 1, all, handed, last)) : last(request))
  } catch (error) {
    return Promise.reject(error)
  }
}
