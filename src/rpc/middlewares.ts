import type { Middleware } from '../types/extensions.js'

/** What stands around requests of one kind, outermost first. */
export class Middlewares<R> {
  readonly #all = new Set<Middleware<R>>()

  /** Whether there is none, so that nothing needs to be run. */
  get isEmpty(): boolean {
    return this.#all.size === 0
  }

  /** Adds one, inside of those that are there. @returns Removes it. @throws TypeError for what is no function. */
  add(middleware: Middleware<R>): () => void {
    if (typeof middleware !== 'function') throw new TypeError('middleware must be a function')
    // A function of its own, as the same may be added twice; and async, so that what it throws is a rejection too.
    const each: Middleware<R> = async (request, next) => middleware(request, next)
    this.#all.add(each)
    return () => void this.#all.delete(each)
  }

  /** Runs a request through all of them. @param last - What is done with the request that the innermost hands on. */
  run(request: R, last: (request: R) => Promise<unknown>): Promise<unknown> {
    return [...this.#all].reduceRight<typeof last>((next, each) => (handed) => each(handed, next), last)(request)
  }
}
