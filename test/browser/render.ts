import { createElement, StrictMode, useEffect } from 'react'
import { createRoot } from 'react-dom/client'
import { afterTest } from '../helpers/after-test.js'

/** A hook in a component of its own, which is in a page. */
export interface Rendered<T> {
  /** What the hook returned in every render that was shown. */
  readonly values: readonly T[]
  /** What it returned last. */
  readonly value: T
  /** What the hook returns once it is as wanted. */
  until(isWanted: (value: T) => boolean): Promise<T>
  /** Renders another hook in its place, or the same one again. */
  rerender(hook?: () => T): void
  unmount(): void
}

/** Renders a component that calls a hook; it is unmounted after the test. */
export function render<T>(hook: () => T, isStrict = false): Rendered<T> {
  const values: T[] = []
  const watchers = new Set<() => void>()
  const Component = ({ hook: use }: { readonly hook: () => T }): null => {
    const value = use()
    useEffect(() => {
      values.push(value)
      for (const look of [...watchers]) look()
    })
    return null
  }
  const root = createRoot(document.createElement('div'))
  let current = hook
  const rerender = (next = current): void => {
    current = next
    const element = createElement(Component, { hook: next })
    root.render(isStrict ? createElement(StrictMode, undefined, element) : element)
  }
  rerender()
  afterTest(() => root.unmount())
  return {
    values,
    get value() {
      return values.at(-1)!
    },
    until: (isWanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          const value = values.at(-1)
          if (value === undefined || !isWanted(value)) return
          watchers.delete(look)
          resolve(value)
        }
        watchers.add(look)
        look()
      }),
    rerender,
    unmount: () => root.unmount()
  }
}
