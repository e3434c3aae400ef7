import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { useChild, type Child } from '../helpers/child.js'
import { freePort } from '../helpers/free-port.js'
import { TOKEN } from '../runtimes/real-server-api.js'
import { startRealServer } from '../runtimes/real-server.js'
import { chromium, launch } from './browsers.js'
import { contrasts, namelessControls } from './playground-in-page.js'

// The playground as its users get it: started by its own program, and used in a real browser.

const PROGRAM = fileURLToPath(new URL('../../docs/playground/run.mjs', import.meta.url))

/** Starts the playground; it ends after the test. */
async function usePlayground(): Promise<{ readonly url: string; readonly child: Child }> {
  const child = useChild(PROGRAM, ['--port', '0'])
  const url = /http:\S+/.exec(await child.nextLine())?.[0] ?? ''
  return { url, child }
}

/** One of the clients of the page, by the title of its card. */
interface View {
  readonly until: (what: RegExp) => Promise<void>
  readonly untilReady: () => Promise<void>
  readonly text: () => Promise<string>
  readonly texts: (selector: string) => Promise<string[]>
  readonly press: (label: string) => Promise<void>
}

interface Visit {
  readonly page: Page
  readonly left: View
  readonly right: View
  readonly both: readonly View[]
  readonly view: (title: string) => View
  /** Clicks a button, within a part of the page if it has more of this name. */
  readonly press: (label: string, within?: string) => Promise<void>
  /** Calls a tool with the values of its form. */
  readonly call: (tool: string, values?: Readonly<Record<string, string>>) => Promise<void>
}

describe.skipIf(chromium.executablePath === undefined)('the playground', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(chromium)
    // It serves all tests: not to be taken for something that one of them left behind.
    browser.process()?.unref()
  })
  afterAll(() => browser.close())

  /** Opens the page, and waits until both clients are connected. */
  async function visit(url: string): Promise<Visit> {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text())
    })
    afterTest(async () => {
      await page.close()
      expect(complaints).toEqual([])
    })
    await page.goto(url)
    const press = async (label: string, within = ''): Promise<void> => {
      const button = await page.waitForSelector(`${within} ::-p-aria([name="${label}"][role="button"])`)
      await button?.click()
    }
    const view = (title: string): View => {
      const card = `section[aria-label="${title}"]`
      const until = async (what: RegExp): Promise<void> => {
        await page.waitForFunction(
          (selector, source) => new RegExp(source).test(document.querySelector<HTMLElement>(selector)?.innerText ?? ''),
          { timeout: 20_000 },
          card,
          what.source
        )
      }
      return {
        until,
        untilReady: async () => {
          await page.waitForSelector(`${card} .state.ready`)
        },
        text: () => page.$eval(card, (element) => (element as HTMLElement).innerText),
        texts: (selector) => page.$$eval(`${card} ${selector}`, (elements) => elements.map(({ textContent }) => textContent)),
        press: (label) => press(label, card)
      }
    }
    const [left, right] = [view('Without sessions'), view('With sessions')]
    const call: Visit['call'] = async (tool, values = {}) => {
      await page.waitForSelector('#bench-here select:enabled')
      await page.select('#bench-here select', tool)
      for (const [name, value] of Object.entries(values)) await page.locator(`#bench-here [name="${name}"]`).fill(value)
      await press('Call', '#bench-here')
    }
    for (const one of [left, right]) await one.untilReady()
    return { page, left, right, both: [left, right], view, press, call }
  }

  test('shows that a cut loses the call of one client, and that the session of the other brings the answer, once', async () => {
    const { page, left, right, both, press, call } = await visit((await usePlayground()).url)
    await call('count', { to: '6', every: '400' })
    for (const view of both) await view.until(/2 of 6/)
    await press('Cut')
    await left.until(/delivery: 'unknown'/)
    await right.until(/counted to 6/)
    for (const view of both) await view.untilReady()
    expect(await left.texts('.call .outcome')).toEqual(['lost'])
    expect(await right.texts('.call .outcome')).toEqual(['done'])
    expect(await left.texts('.mark')).toEqual(['connection lost', expect.stringMatching(/^back after \d/)])
    expect(await right.texts('.mark')).toEqual(['connection lost', expect.stringMatching(/^resumed after \d/)])
    await page.$$eval('[data-part="frames"]', (logs) => logs.forEach((log) => log.setAttribute('open', '')))
    const answers = async (view: View): Promise<number> =>
      (await view.texts('.log .in + code')).filter((text) => text.includes('counted to')).length
    expect(await Promise.all([left, right].map(answers))).toEqual([0, 1])
  })

  test('shows that the heartbeat notices a stall, and that all is well when bytes flow again', async () => {
    const { left, right, both, press } = await visit((await usePlayground()).url)
    await press('Stall')
    for (const view of both) await view.until(/HEARTBEAT_TIMEOUT/)
    await press('Let bytes flow')
    await left.until(/without a session. No call was lost/)
    await right.until(/in the same session/)
  })

  test('shows that a session ends with its server', async () => {
    const { both, press, call } = await visit((await usePlayground()).url)
    await call('count', { to: '60', every: '100' })
    for (const view of both) await view.until(/2 of 60/)
    await press('Restart')
    for (const view of both) {
      await view.until(/without a session. One call was lost/)
      await view.untilReady()
      expect(await view.texts('.call .outcome')).toEqual(['lost'])
    }
  })

  test('shows that every dial fails while it is offline, and why', async () => {
    const { left, right, both, press } = await visit((await usePlayground()).url)
    await press('Go offline')
    for (const view of both) await view.until(/Hint: [\s\S]*CONNECT_FAILED/)
    await press('Go online')
    await left.until(/without a session/)
    await right.until(/in the same session/)
  })

  test('shows that a call waits while the server is stopped', async () => {
    const { both, press, call } = await visit((await usePlayground()).url)
    await press('Stop server')
    for (const view of both) await view.until(/\bwaiting\b/)
    await call('echo', { message: 'later' })
    for (const view of both) await view.until(/queued\s+1/)
    await press('Start server')
    for (const view of both) {
      await view.until(/\bdone\b/)
      expect(await view.texts('.call .outcome')).toEqual(['done'])
    }
  })

  test('calls a tool through its form by keyboard alone', async () => {
    const { page, both } = await visit((await usePlayground()).url)
    await page.waitForSelector('#bench-here select:enabled')
    const tabTo = async (selector: string): Promise<void> => {
      for (let presses = 0; presses < 20; presses++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
      }
      throw new Error(`Tab does not lead to ${selector}`)
    }
    await tabTo('[data-part="tool"]')
    await page.keyboard.type('e')
    await tabTo('[name="message"]')
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid')
    await page.keyboard.type('typed')
    await tabTo('[name="voice"]')
    await page.keyboard.type('l')
    await tabTo('[name="twice"]')
    await page.keyboard.press('Space')
    await page.keyboard.press('Enter')
    for (const view of both) await view.until(/TYPED TYPED/)
  })

  test('answers what a tool asks, and shows how a tool fails', async () => {
    const { page, both, call } = await visit((await usePlayground()).url)
    await call('ask')
    for (const view of both) await view.until(/The server asks: Which colour/)
    for (const select of await page.$$('.question select')) await select.select('1')
    for (const view of both) {
      await view.press('Answer')
      await view.until(/You like blue\./)
    }
    await call('fail', { reason: 'no luck' })
    for (const view of both) {
      await view.until(/It failed: no luck\./)
      expect(await view.texts('.call .outcome')).toEqual(['failed', 'done'])
    }
  })

  test('connects to a server of the user, with a token that it shows nowhere', async () => {
    const { url } = await usePlayground()
    const real = await startRealServer(new URL(url).origin)
    afterTest(() => real.close())
    const { page, view, press } = await visit(url)
    const connect = async (to: string, token = ''): Promise<View> => {
      await page.locator('[name="url"]').fill(to)
      await page.locator('[name="token"]').fill(token)
      await press('Connect', '#connect-form')
      return view('Your server')
    }
    await page.goto(`${url}#elsewhere`)
    const refused = await connect(`ws://127.0.0.1:${String(await freePort())}/ws`)
    await refused.until(/Hint: \w[\s\S]*CONNECT_FAILED/)

    await connect('nonsense')
    await page.waitForFunction(() => document.querySelector<HTMLElement>('#connect-problem')?.innerText.includes('url'))

    const own = await connect(real.url, TOKEN)
    await own.untilReady()
    await page.waitForSelector('#bench-elsewhere select:enabled')
    await page.$$eval('details', (all) => all.forEach((one) => (one.open = true)))
    expect(await page.evaluate(() => document.body.innerText)).not.toContain(TOKEN)
  })

  test('can be read and used: contrast in both colour schemes, names of all controls, no overflow on a narrow screen', async () => {
    const { page, both, press, call } = await visit((await usePlayground()).url)
    await call('count', { to: '60', every: '100' })
    await press('Go offline')
    for (const view of both) await view.until(/delivery|pending/)
    for (const value of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }])
      const found = await page.evaluate(contrasts)
      expect(found.length).toBeGreaterThan(30)
      expect(found.filter(({ ratio }) => ratio < 4.5)).toEqual([])
    }
    expect(await page.evaluate(namelessControls)).toEqual([])
    await page.setViewport({ width: 360, height: 740 })
    for (const hash of ['', '#elsewhere']) {
      await page.evaluate((to) => (location.hash = to), hash)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    }
  })

  test('ends by SIGTERM, with its page open', async () => {
    const { url, child } = await usePlayground()
    await visit(url)
    process.kill(child.pid, 'SIGTERM')
    expect([await child.gone, child.complaints]).toEqual([0, ''])
  })
})

test('the faults of the playground are for its own page alone', async () => {
  const { url } = await usePlayground()
  const { host, origin } = new URL(url)
  const statusOf = (method: string, path: string, headers: OutgoingHttpHeaders): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asking = httpRequest(new URL(path, url), { method, headers: { connection: 'close', ...headers } }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      asking.on('error', reject).end()
    })
  expect(await statusOf('POST', '/faults/cut', { host, origin })).toBe(200)
  expect(await statusOf('POST', '/faults/cut', { host, origin: 'https://evil.example' })).toBe(403)
  expect(await statusOf('POST', '/faults/cut', { host })).toBe(403)
  expect(await statusOf('POST', '/faults/cut', { host: 'evil.example', origin: 'http://evil.example' })).toBe(403)
  expect(await statusOf('GET', '/state', { host: `evil.example:${new URL(url).port}` })).toBe(403)
  expect(await statusOf('POST', '/faults/toString', { host, origin })).toBe(404)
  expect(await statusOf('GET', '/faults/cut', { host, origin })).toBe(404)
})
