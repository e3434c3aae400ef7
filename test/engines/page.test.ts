import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { McpWebSocketClientOptions, StateName } from '../../src/index.js'
import { useRawServer, useRejectingServer } from '../faults/kit/raw-server.js'
import { acceptDial, textFrame, type RawPeer } from '../faults/kit/wire.js'
import { startScriptedServer, type Dial } from '../helpers/serve-for-browser.js'
import { afterTest } from '../helpers/after-test.js'
import { chromium, launch, openPage, servePages, type PageServer } from './browsers.js'

// What follows is done by the browser itself, through its DevTools protocol: no event is made up by the tests. `setOfflineMode` makes
// `navigator.onLine` false, fires `offline`, fails new sockets at once and holds back the frames of open ones; its end fires `online`.

/** Switches of the driver that would take away what is tested here: the back/forward cache, and the throttling of hidden pages. */
const DRIVER_SWITCHES = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding'
]

/** The second retry, and every later one, comes so late that only a hint can have caused a dial; hints may act once in a ms. */
const HINTED = { initialDelay: 1, growFactor: 1e7, maxDelay: 3_600_000, jitter: false } as const

/** Nothing but a hint sends a probe. */
const PATIENT = { interval: 3_600_000, timeout: 3_600_000 }

/** A silent server is probed after 100 ms, and given up after 200 more. */
const QUICK = { interval: 100, timeout: 200 }

interface Scene {
  readonly page: Page
  /** Opens a client on a path of the scripted server. */
  readonly open: (path: string, options?: Partial<McpWebSocketClientOptions>) => Promise<void>
  readonly until: (state: StateName) => Promise<void>
  /** Calls a tool: what was sent before has arrived then. */
  readonly echo: () => Promise<void>
  /** What the server saw; with `until`, once that came `count` times. */
  readonly log: (until?: string, count?: number) => Promise<Dial[]>
}

describe.skipIf(chromium.executablePath === undefined)('a page in Chromium', () => {
  let browser: Browser
  let pages: PageServer

  beforeAll(async () => {
    browser = await launch(chromium, DRIVER_SWITCHES)
    // It serves all tests: not to be taken for something that one of them left behind.
    browser.process()?.unref()
  })
  afterAll(() => browser.close())

  async function useScene(): Promise<Scene> {
    pages = await servePages()
    afterTest(() => pages.close())
    const server = await startScriptedServer()
    afterTest(() => server.close())
    const page = await openPage(browser, pages.url)
    afterTest(() => page.close())
    return {
      page,
      open: (path, options = {}) => page.evaluate((all) => visit.open(all), { url: server.url + path, ...options }),
      until: (state) => page.evaluate((name) => visit.until(name), state),
      echo: () => page.evaluate(() => visit.client.callTool({ name: 'echo', arguments: { message: 'x' } }).then(() => undefined)),
      log: async (until = '', count = 1) => {
        const query = until === '' ? '' : `?until=${until}&count=${String(count)}`
        return (await (await fetch(`${server.url.replace('ws', 'http')}/log${query}`)).json()) as Dial[]
      }
    }
  }

  const pings = (dials: readonly Dial[]): number =>
    dials.flatMap(({ messages }) => messages).filter(({ method }) => method === 'ping').length

  test('H17: that is offline goes on with its retries', async () => {
    const { page, open, until, log } = await useScene()
    await open('/legacy', { heartbeat: QUICK, reconnect: { initialDelay: 20, maxDelay: 20, jitter: false, maxRetries: 1000 } })
    await until('ready')
    await page.setOfflineMode(true)
    await page.evaluate(() => visit.untilDials(5))
    expect(await page.evaluate(() => navigator.onLine)).toBe(false)
    expect(await log()).toHaveLength(1)
    await page.setOfflineMode(false)
    await until('ready')
    const diary = await page.evaluate(() => visit.diary)
    expect(diary.find(({ what }) => what === 'waiting')).toMatchObject({ kind: 'heartbeat', delay: 20 })
  })

  test('H17: that comes online dials at once', async () => {
    const { page, open, until, log } = await useScene()
    await open('/legacy', { heartbeat: QUICK, reconnect: HINTED })
    await until('ready')
    await page.setOfflineMode(true)
    // The heartbeat notices, the first retry fails for want of a network, the second would come in an hour.
    await page.evaluate(() => visit.untilLongWait())
    await page.setOfflineMode(false)
    await until('ready')
    expect(await page.evaluate(() => visit.words)).toEqual([
      ...['connecting', 'initializing', 'ready', 'offline', 'waiting', 'connecting', 'waiting'],
      ...['online', 'connecting', 'initializing', 'ready']
    ])
    expect(await log()).toHaveLength(2)
  })

  test('H18: whose network flaps 50 times in 5 s dials no more often than once per initialDelay', async () => {
    const { page, open } = await useScene()
    const { url, dials: arrived } = await useRejectingServer({ status: 503 })
    await open('', { url, reconnect: { initialDelay: 1000, jitter: false } })
    const startedAt = await page.evaluate(() => performance.now())
    await flap(page, 50, 100)
    const { dials, state, now } = await page.evaluate(() => ({ dials: visit.dials, state: visit.client.state, now: performance.now() }))
    const gaps = dials.slice(1).map((at, n) => at - (dials[n] ?? 0))
    // Timers may come a part of a millisecond early.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(999)
    expect(dials.length).toBeLessThanOrEqual(2 + (now - startedAt) / 1000)
    // The delays alone are 1 s, 2 s and 4 s: three dials in 5 s.
    expect(dials.length).toBeGreaterThan(3)
    expect(arrived.length).toBeLessThanOrEqual(dials.length)
    expect(state).not.toBe('failed')
  })

  test('H18: whose network flaps waits as long as the server asked', async () => {
    const { page, open, until, log } = await useScene()
    await open('/close/1013/retry-after=60?after=notifications/initialized', { reconnect: HINTED })
    await until('waiting')
    await flap(page, 10, 50)
    const { state, diary } = await page.evaluate(() => ({ state: visit.client.state, diary: visit.diary }))
    expect(diary.filter(({ what }) => what === 'online')).toHaveLength(10)
    expect(diary.find(({ what }) => what === 'waiting')?.delay).toBeGreaterThanOrEqual(60_000)
    expect(state).toBe('waiting')
    expect(await log()).toHaveLength(1)
  })

  test('H19: that is online, but reaches no server, waits between its dials as usual', async () => {
    const { page, open, until } = await useScene()
    // No port that systems give away by themselves.
    await open('', { url: 'ws://127.0.0.1:65535/ws', reconnect: { initialDelay: 20, maxDelay: 80, jitter: false, maxRetries: 4 } })
    await until('failed')
    const { diary, dials, online } = await page.evaluate(() => ({ diary: visit.diary, dials: visit.dials, online: navigator.onLine }))
    expect(online).toBe(true)
    expect(dials).toHaveLength(5)
    const waits = diary.filter(({ what }) => what === 'waiting')
    expect(waits.map(({ delay }) => delay)).toEqual([20, 40, 80, 80])
    // The wait began before the page heard of it, and a timer may fire half a millisecond early.
    for (const [n, { at, delay = 0 }] of waits.entries()) expect((dials[n + 1] ?? 0) - at).toBeGreaterThanOrEqual(delay - 2)
  })

  test('H20: that is hidden, with throttled timers, keeps its connection', async () => {
    const { page, open, until, log } = await useScene()
    await open('/legacy', { heartbeat: QUICK })
    await until('ready')
    await hide(page)
    // Chromium lets the timers of hidden pages fire once a second: later than interval and timeout together.
    expect(await page.evaluate(() => visit.slowestTimer(2))).toBeGreaterThan(500)
    await log('ping', pings(await log()) + 2)
    expect(await page.evaluate(() => visit.words)).toEqual(['connecting', 'initializing', 'ready'])
    expect(await log()).toHaveLength(1)
  })

  test('H20: that is hidden, with throttled timers, notices that its connection is dead', async () => {
    const { page, open, until, log } = await useScene()
    await open('/deaf?after=notifications/nudge', { heartbeat: QUICK, reconnect: { initialDelay: 20, jitter: false } })
    await until('ready')
    await hide(page)
    expect(await page.evaluate(() => visit.slowestTimer(2))).toBeGreaterThan(500)
    await page.evaluate(() => visit.client.notify('notifications/nudge'))
    await log('dial', 2)
    expect(await page.evaluate(() => visit.diary.find(({ what }) => what === 'waiting'))).toMatchObject({ kind: 'heartbeat' })
  })

  test('H20: that becomes visible sends one probe at once', async () => {
    const { page, open, until, echo, log } = await useScene()
    await open('/legacy', { heartbeat: PATIENT, reconnect: HINTED })
    await until('ready')
    await hide(page)
    await echo()
    expect(pings(await log())).toBe(0)
    await page.bringToFront()
    await log('ping')
    await echo()
    expect(pings(await log())).toBe(1)
  })

  test.each([
    // A tab is suspended: the response comes in time, but finds nobody.
    ['while it stands still', 0, 1500],
    // The machine sleeps: the response comes when all are awake again, long after it was due.
    ['when it goes on', 1550, 0]
  ])(
    'H20: whose process stands still behind a probe, the response to which comes %s, keeps its connection',
    async (_when, before, after) => {
      const { page, open, until } = await useScene()
      // Other than a freeze through DevTools (see below), a signal leaves the socket alone.
      const stand = await standstillOf(browser)
      let peer: RawPeer | undefined
      const { url, dials } = await useRawServer((dial) => {
        peer = acceptDial(dial)
        peer.serveHandshake()
      })
      await open('', { url, protocol: 'legacy', heartbeat: QUICK })
      await until('ready')
      const ping = async (): Promise<number | undefined> => (await peer?.next('ping'))?.id
      const pong = (id: number | undefined): void => peer?.write(textFrame({ id, result: {} }))
      const id = await ping()
      stand.still()
      setTimeout(() => stand.up(), 1500)
      await new Promise((resolve) => setTimeout(resolve, before))
      pong(id)
      await new Promise((resolve) => setTimeout(resolve, after))
      for (let n = 0; n < 2; n++) pong(await ping())
      expect(await page.evaluate(() => visit.words)).toEqual(['connecting', 'initializing', 'ready'])
      expect(dials).toHaveLength(1)
    }
  )

  test('H20: that Chromium freezes, and whose socket it drops as it thaws, is ready again', async () => {
    const { page, open, until, echo, log } = await useScene()
    await open('/legacy', { heartbeat: PATIENT, reconnect: { initialDelay: 20, jitter: false } })
    await until('ready')
    const devtools = await page.createCDPSession()
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    expect(await log()).toHaveLength(1)
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await log('dial', 2)
    await until('ready')
    await echo()
    // No verdict of the heartbeat: the engine said so itself.
    expect(await page.evaluate(() => visit.diary.find(({ what }) => what === 'waiting'))).toMatchObject({ kind: 'close' })
  })

  test('H21: that goes into the back/forward cache closes its socket, and dials at once when it returns', async () => {
    const { page, open, echo, log } = await useScene()
    // The first connection is cut, so that the page is left in the second: the retry after that would come in an hour.
    await open('/drop?after=notifications/initialized', { reconnect: HINTED })
    await page.evaluate(() => visit.untilDials(2))
    await page.evaluate(() => visit.until('ready'))
    await page.goto(`${pages.url}elsewhere`)
    await log('close', 2)
    expect(await page.evaluate(() => visit.diary.length)).toBeLessThan(2)
    await page.goBack()
    await page.evaluate(() => visit.until('ready'))
    await echo()
    // The page was restored, not loaded again: it remembers what was before it was left.
    expect(await page.evaluate(() => visit.words)).toEqual([
      ...['connecting', 'initializing', 'ready', 'waiting', 'connecting', 'initializing', 'ready'],
      ...['pagehide persisted', 'waiting', 'pageshow persisted', 'connecting', 'initializing', 'ready']
    ])
    expect(await log()).toHaveLength(3)
  })

  test('H22: that loses and finds the network while it is ready sends one probe at once for each', async () => {
    const { page, open, until, echo, log } = await useScene()
    await open('/legacy', { heartbeat: PATIENT, reconnect: HINTED })
    await until('ready')
    await echo()
    expect(pings(await log())).toBe(0)
    const sent = await page.evaluate(() => visit.client.stats().sent)
    await page.setOfflineMode(true)
    // Two hints at once would cause one probe.
    await page.waitForFunction((before) => visit.client.stats().sent > before, {}, sent)
    await page.setOfflineMode(false)
    await log('ping', 2)
    await echo()
    expect(pings(await log())).toBe(2)
    expect(await log()).toHaveLength(1)
  })

  test('H22: whose server was lost with the old network notices within the timeout of that probe', async () => {
    const { page, open, until, log } = await useScene()
    await open('/deaf?after=notifications/nudge', { heartbeat: { ...PATIENT, timeout: 200 }, reconnect: HINTED })
    await until('ready')
    await page.evaluate(() => visit.client.notify('notifications/nudge'))
    await log('notifications/nudge')
    await flap(page, 1, 100)
    await log('dial', 2)
    await until('ready')
    expect(await page.evaluate(() => visit.diary.find(({ what }) => what === 'waiting'))).toMatchObject({ kind: 'heartbeat' })
  })

  /** Takes the network away and gives it back, so many times, in so many ms each. */
  async function flap(page: Page, times: number, ms: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      const pause = new Promise((resolve) => setTimeout(resolve, ms))
      await page.setOfflineMode(true)
      await page.setOfflineMode(false)
      await pause
    }
  }

  /** Hides a page behind another one. */
  async function hide(page: Page): Promise<void> {
    const other = await browser.newPage()
    afterTest(() => other.close())
    await other.bringToFront()
    await page.waitForFunction(() => document.visibilityState === 'hidden')
  }
})

/** Stops the processes of all pages of a browser, by the pids that it names, and lets them go on. */
async function standstillOf(browser: Browser): Promise<{ still(): void; up(): void }> {
  const devtools = await browser.target().createCDPSession()
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
  await devtools.detach()
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, name)
      } catch {
        // The browser has ended it meanwhile: it keeps a process in reserve.
      }
    }
  }
  // Whatever becomes of the test: a browser with pages that stand still does not close.
  afterTest(() => signal('SIGCONT'))
  return { still: () => signal('SIGSTOP'), up: () => signal('SIGCONT') }
}
