import { createElement, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, inject, it } from 'vitest'
import { App } from '../../docs/examples/react/app.js'
import { Banner } from '../../docs/examples/react/banner.js'
import type { UseMcpClientResult } from '../../src/react/index.js'
import { afterTest } from '../helpers/after-test.js'
import { useLab } from '../shared/lab.js'

// The components of docs/examples/react, in a real page.

const lab = useLab(inject('serverUrl'))

/** Shows it in the page until the end of the test. */
function show(node: ReactNode): HTMLElement {
  const place = document.body.appendChild(document.createElement('div'))
  const root = createRoot(place)
  root.render(node)
  afterTest(() => {
    root.unmount()
    place.remove()
  })
  return place
}

/** Resolves once the page is as wanted. */
const until = (place: HTMLElement, isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const observer = new MutationObserver(look)
    function look(): void {
      if (!isSo()) return
      observer.disconnect()
      resolve()
    }
    observer.observe(place, { childList: true, subtree: true, characterData: true })
    look()
  })

const shows = (place: HTMLElement, text: string): Promise<void> => until(place, () => place.textContent.includes(text))

it('the app shows the tools as buttons, and what the one that is pressed returned', async () => {
  const place = show(createElement(App, { url: lab.url('/legacy') }))
  await shows(place, 'echo')
  expect(place.querySelector('[role=status]')).toBeNull()
  place.querySelector('button')?.click()
  await shows(place, '[{"type":"text","text":"hi"}]')
})

it('the banner is hidden at first, then counts down to the next dial, and its button dials', async () => {
  let dials = 0
  const state = { state: 'waiting', attempt: 3, delay: 60_000, isConnectionLost: true, error: undefined, reconnect: () => dials++ }
  const bannerOf = (members: object): ReactNode => createElement(Banner, { ...state, ...members } as unknown as UseMcpClientResult)
  expect(show(bannerOf({ isConnectionLost: false })).textContent).toBe('')
  const place = show(bannerOf({}))
  await shows(place, 'The connection is lost. Next attempt in 60 s.')
  place.querySelector('button')?.click()
  expect(dials).toBe(1)
  await shows(show(bannerOf({ state: 'failed', error: new Error('it is gone') })), 'No connection: it is gone')
})
