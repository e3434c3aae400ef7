import { afterEach, describe, expect, it, vi, type Mock } from 'vitest'
import { watchPage, type PageListener } from '../../src/connection/page.js'

type Listener = (event: { readonly persisted?: boolean }) => void

class FakeTarget {
  readonly listeners = new Map<string, Set<Listener>>()

  readonly addEventListener = (name: string, listener: Listener): void => {
    this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener))
  }

  readonly removeEventListener = (name: string, listener: Listener): void => {
    this.listeners.get(name)?.delete(listener)
  }

  fire(name: string, event: { readonly persisted?: boolean } = {}): void {
    for (const listener of this.listeners.get(name) ?? []) listener(event)
  }

  get count(): number {
    return [...this.listeners.values()].reduce((sum, each) => sum + each.size, 0)
  }
}

class FakeDocument extends FakeTarget {
  visibilityState = 'hidden'
}

function usePage(): { scope: FakeTarget; document: FakeDocument } {
  const scope = new FakeTarget()
  const document = new FakeDocument()
  vi.stubGlobal('addEventListener', scope.addEventListener)
  vi.stubGlobal('removeEventListener', scope.removeEventListener)
  vi.stubGlobal('document', document)
  return { scope, document }
}

const useListener = (): Record<keyof PageListener, Mock<() => void>> => ({ onWake: vi.fn(), onOffline: vi.fn(), onFreeze: vi.fn() })

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('watchPage', () => {
  it('tells when the network is back', () => {
    const { scope } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    scope.fire('online')
    expect(listener.onWake).toHaveBeenCalledOnce()
    end()
  })

  it('tells when the network is gone', () => {
    const { scope } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    scope.fire('offline')
    expect(listener.onOffline).toHaveBeenCalledOnce()
    expect(listener.onWake).not.toHaveBeenCalled()
    end()
  })

  it('tells when the page comes out of the back/forward cache, and not when it has loaded', () => {
    const { scope } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    scope.fire('pageshow', { persisted: false })
    expect(listener.onWake).not.toHaveBeenCalled()
    scope.fire('pageshow', { persisted: true })
    expect(listener.onWake).toHaveBeenCalledOnce()
    end()
  })

  it('tells when the page becomes visible, and not when it becomes hidden', () => {
    const { document } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    document.fire('visibilitychange')
    expect(listener.onWake).not.toHaveBeenCalled()
    document.visibilityState = 'visible'
    document.fire('visibilitychange')
    expect(listener.onWake).toHaveBeenCalledOnce()
    end()
  })

  it('tells when the page goes into the back/forward cache, and not when it goes for ever', () => {
    const { scope } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    scope.fire('pagehide', { persisted: false })
    expect(listener.onFreeze).not.toHaveBeenCalled()
    scope.fire('pagehide', { persisted: true })
    expect(listener.onFreeze).toHaveBeenCalledOnce()
    expect(listener.onWake).not.toHaveBeenCalled()
    end()
  })

  it('leaves no listener when it ends', () => {
    const { scope, document } = usePage()
    const listener = useListener()
    const end = watchPage(listener)
    expect(scope.count + document.count).toBe(5)
    end()
    end()
    expect(scope.count + document.count).toBe(0)
    scope.fire('online')
    expect(listener.onWake).not.toHaveBeenCalled()
  })

  it('does without a document, as workers do', () => {
    const { scope } = usePage()
    vi.stubGlobal('document', undefined)
    const listener = useListener()
    const end = watchPage(listener)
    scope.fire('online')
    expect(listener.onWake).toHaveBeenCalledOnce()
    end()
  })

  it('does nothing where there is no page, as in Node', () => {
    vi.stubGlobal('addEventListener', undefined)
    vi.stubGlobal('removeEventListener', undefined)
    const end = watchPage(useListener())
    expect(end).not.toThrow()
  })

  it('keeps several watches apart', () => {
    const { scope } = usePage()
    const [one, two] = [useListener(), useListener()]
    const ends = [watchPage(one), watchPage(two)]
    ends[0]?.()
    scope.fire('online')
    expect(one.onWake).not.toHaveBeenCalled()
    expect(two.onWake).toHaveBeenCalledOnce()
    ends[1]?.()
  })
})
