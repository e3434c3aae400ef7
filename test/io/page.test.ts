import { afterEach, describe, expect, it, vi } from 'vitest'
import { watchPage } from '../../src/io/page.js'

class FakeTarget {
  readonly listeners = new Map<string, Set<() => void>>()

  readonly addEventListener = (name: string, listener: () => void): void => {
    this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener))
  }

  readonly removeEventListener = (name: string, listener: () => void): void => {
    this.listeners.get(name)?.delete(listener)
  }

  fire(name: string): void {
    for (const listener of this.listeners.get(name) ?? []) listener()
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

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('watchPage', () => {
  it.each(['online', 'pageshow'])('tells when the page fires %s', (name) => {
    const { scope } = usePage()
    const onWake = vi.fn()
    const end = watchPage(onWake)
    scope.fire(name)
    expect(onWake).toHaveBeenCalledOnce()
    end()
  })

  it('tells when the page becomes visible, and not when it becomes hidden', () => {
    const { document } = usePage()
    const onWake = vi.fn()
    const end = watchPage(onWake)
    document.fire('visibilitychange')
    expect(onWake).not.toHaveBeenCalled()
    document.visibilityState = 'visible'
    document.fire('visibilitychange')
    expect(onWake).toHaveBeenCalledOnce()
    end()
  })

  it('leaves no listener when it ends', () => {
    const { scope, document } = usePage()
    const onWake = vi.fn()
    const end = watchPage(onWake)
    expect(scope.count + document.count).toBe(3)
    end()
    end()
    expect(scope.count + document.count).toBe(0)
    scope.fire('online')
    expect(onWake).not.toHaveBeenCalled()
  })

  it('does without a document, as workers do', () => {
    const { scope } = usePage()
    vi.stubGlobal('document', undefined)
    const onWake = vi.fn()
    const end = watchPage(onWake)
    scope.fire('online')
    expect(onWake).toHaveBeenCalledOnce()
    end()
  })

  it('does nothing where there is no page, as in Node', () => {
    vi.stubGlobal('addEventListener', undefined)
    vi.stubGlobal('removeEventListener', undefined)
    const end = watchPage(() => undefined)
    expect(end).not.toThrow()
  })

  it('keeps several watches apart', () => {
    const { scope } = usePage()
    const [one, two] = [vi.fn(), vi.fn()]
    const ends = [watchPage(one), watchPage(two)]
    ends[0]?.()
    scope.fire('online')
    expect(one).not.toHaveBeenCalled()
    expect(two).toHaveBeenCalledOnce()
    ends[1]?.()
  })
})
