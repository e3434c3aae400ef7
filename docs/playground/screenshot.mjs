// Takes the pictures of the README: a call at both clients, the network gone and back, one call lost and the other one going on.
import { fileURLToPath } from 'node:url'
import { launch } from 'puppeteer-core'

const PICTURES = { light: '../playground.png', dark: '../playground-dark.png' }

/** Writes one picture for each colour scheme, of the page at this URL. */
export async function takeScreenshots(url) {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  const browser = await launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], pipe: true })
  try {
    const page = await browser.newPage()
    await page.setViewport({ width: 1280, height: 800 })
    for (const [scheme, path] of Object.entries(PICTURES)) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await page.goto(url)
      await breakAndComeBack(page)
      await page.screenshot({ path: fileURLToPath(new URL(path, import.meta.url)), optimizeForSpeed: false })
    }
  } finally {
    await browser.close()
  }
}

const button = (page, label) => page.waitForSelector(`::-p-aria([name="${label}"][role="button"])`)

/** Waits until there is this text, so many times. */
const says = (page, words, times = 1) =>
  page.waitForFunction((text, count) => document.body.innerText.split(text).length > count, {}, words, times)

async function breakAndComeBack(page) {
  await says(page, 'Connected.', 2)
  await (await button(page, 'Call')).click()
  await says(page, '3 of 10', 2)
  await (await button(page, 'Go offline')).click()
  // Both have dialed, and failed.
  await says(page, 'CONNECT_FAILED', 2)
  await (await button(page, 'Go online')).click()
  await says(page, 'Connected again', 2)
  await says(page, '8 of 10', 1)
}
