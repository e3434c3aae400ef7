/** Waits until something is so; it looks after every turn of the event loop. */
export async function until(isSo: () => boolean, what: string, limit = 15_000): Promise<void> {
  const end = performance.now() + limit
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${String(limit)} ms: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
