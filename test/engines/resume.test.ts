import type { Browser } from 'puppeteer-core'
import { describe, expect, test } from 'vitest'
import { useFaultProxy } from '../faults/kit/fault-proxy.js'
import { afterTest } from '../helpers/after-test.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { useServer } from '../server/use-server.js'
import { chromium, firefox, inTime, launch, openPage, servePages } from './browsers.js'

const STEPS = 100

describe.each([chromium, firefox].filter(({ executablePath }) => executablePath !== undefined))('a page in $name', (engine) => {
  async function useBrowser(): Promise<Browser> {
    const browser = await launch(engine)
    afterTest(() => browser.close())
    return browser
  }

  test('goes offline and online in the middle of a call: it is executed once, with each report of progress once and in order', async () => {
    const pages = await servePages()
    afterTest(() => pages.close())
    const executed: string[] = []
    const { port, server } = await useServer({
      resume: true,
      allowedOrigins: [new URL(pages.url).origin],
      onconnection: (transport) => void serveTransport('v2', transport, { onExecuted: (name) => executed.push(name) })
    })
    const proxy = await useFaultProxy(port)
    const page = await openPage(await useBrowser(), pages.url)
    await page.evaluate((url) => {
      visit.open({
        url,
        resume: true,
        reconnect: { initialDelay: 20, maxDelay: 50, maxRetries: 1000 },
        heartbeat: { interval: 100, timeout: 150 }
      })
    }, proxy.url)
    await page.evaluate(() => visit.until('ready'))
    const result = page.evaluate(async (steps) => {
      const progress: number[] = []
      const { content } = await visit.client.callTool(
        { name: 'count', arguments: { steps, every: 20 } },
        { onprogress: (report) => progress.push(report.progress) }
      )
      return { content, progress, stats: visit.client.stats() }
    }, STEPS)
    await page.evaluate(() => visit.client.ping())
    // Frames of open sockets are held back, nobody is told, and new dials fail: a network that is gone.
    proxy.resetting = true
    for (const link of proxy.links) link.blackhole()
    await page.evaluate(() => visit.until('waiting'))
    await page.evaluate(() => visit.untilDials(4))
    proxy.resetting = false
    await page.evaluate(() => visit.until('ready'))
    for (const link of proxy.links) link.cut('rst')
    const { content, progress, stats } = await inTime(result)
    expect(content).toMatchObject([{ text: `counted to ${String(STEPS)}` }])
    expect(progress).toEqual(Array.from({ length: STEPS }, (_, index) => index + 1))
    expect(executed).toEqual(['count'])
    expect(stats).toMatchObject({ lost: 0, resent: 0 })
    expect(server.metrics().sessionsTotal).toBe(1)
    expect(server.metrics().resumesTotal).toBeGreaterThanOrEqual(2)
    await page.evaluate(() => visit.client.close())
  })

  test.skipIf(engine.name === 'Firefox')('that the browser takes offline resumes when it is online again', async () => {
    const pages = await servePages()
    afterTest(() => pages.close())
    const executed: string[] = []
    const { url, server } = await useServer({
      resume: true,
      allowedOrigins: [new URL(pages.url).origin],
      onconnection: (transport) => void serveTransport('v1', transport, { onExecuted: (name) => executed.push(name) })
    })
    const page = await openPage(await useBrowser(), pages.url)
    await page.evaluate((to) => {
      visit.open({
        url: to,
        resume: true,
        reconnect: { initialDelay: 20, maxDelay: 50, maxRetries: 1000 },
        heartbeat: { interval: 100, timeout: 150 }
      })
    }, url)
    await page.evaluate(() => visit.until('ready'))
    const result = page.evaluate(() =>
      visit.client.callTool({ name: 'count', arguments: { steps: 50, every: 20 } }).then(({ content }) => content)
    )
    await page.evaluate(() => visit.client.ping())
    await page.setOfflineMode(true)
    await page.evaluate(() => visit.until('waiting'))
    await page.setOfflineMode(false)
    expect(await inTime(result)).toMatchObject([{ text: 'counted to 50' }])
    expect(executed).toEqual(['count'])
    expect(server.metrics()).toMatchObject({ sessionsTotal: 1 })
    await page.evaluate(() => visit.client.close())
  })
})
