/** The events of a page that hint at the network; all of `EventTarget` that is needed. */
interface Page {
  addEventListener?: (name: string, listener: () => void) => void
  removeEventListener?: (name: string, listener: () => void) => void
}

/**
 * Watches the page for hints that the network or the page woke up: `online`, becoming visible, and the return from the
 * back/forward cache. Hints speed things up and decide nothing; in Node there is no page and nothing happens.
 * @returns What ends the watch.
 */
export function watchPage(onWake: () => void): () => void {
  const scope = globalThis as Page & { document?: Page & { visibilityState?: string } }
  const { document } = scope
  const onVisible = (): void => {
    if (document?.visibilityState === 'visible') onWake()
  }
  scope.addEventListener?.('online', onWake)
  scope.addEventListener?.('pageshow', onWake)
  document?.addEventListener?.('visibilitychange', onVisible)
  return () => {
    scope.removeEventListener?.('online', onWake)
    scope.removeEventListener?.('pageshow', onWake)
    document?.removeEventListener?.('visibilitychange', onVisible)
  }
}
