/** The part of `EventTarget` that is needed; workers lack some of it. */
interface Page {
  addEventListener?: (name: string, listener: (event: PageEvent) => void) => void
  removeEventListener?: (name: string, listener: (event: PageEvent) => void) => void
}

interface PageEvent {
  /** Of `pagehide` and `pageshow`: the page goes into the back/forward cache, or comes out of it. */
  readonly persisted?: boolean
}

/** Is told what the page does. */
export interface PageListener {
  /** The network or the page woke up: it is worth trying to connect. */
  onWake(): void
  /** The network is gone, as far as the page knows: an open connection is probably dead. */
  onOffline(): void
  /** The page is about to be frozen; no socket survives that. */
  onFreeze(): void
}

/**
 * Watches the page: `online`, when it becomes visible, and when it goes into the back/forward cache or comes out of it. These events are
 * hints: they speed things up and decide nothing. In Node there is no page, and nothing happens.
 * @returns What ends the watch.
 */
export function watchPage(listener: PageListener): () => void {
  const scope = globalThis as Page & { document?: Page & { visibilityState?: string } }
  const { document } = scope
  const onWake = (): void => listener.onWake()
  const onVisible = (): void => {
    if (document?.visibilityState === 'visible') onWake()
  }
  // Every page fires `pageshow` when it has loaded, too: nothing slept then, and there is nothing to probe.
  const onShow = ({ persisted }: PageEvent): void => {
    if (persisted) onWake()
  }
  const onHide = ({ persisted }: PageEvent): void => {
    if (persisted) listener.onFreeze()
  }
  const watched = [
    [scope, 'online', onWake],
    [scope, 'offline', () => listener.onOffline()],
    [scope, 'pageshow', onShow],
    [scope, 'pagehide', onHide],
    [document, 'visibilitychange', onVisible]
  ] as const
  for (const [page, name, hear] of watched) page?.addEventListener?.(name, hear)
  return () => {
    for (const [page, name, hear] of watched) page?.removeEventListener?.(name, hear)
  }
}
