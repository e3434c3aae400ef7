import { pathToFileURL } from 'node:url'
import { chromium, launch, openPage, servePages } from '../engines/browsers.js'
import { FIGURES } from './figures.js'
import type { PageBench } from './in-page.js'
import { withPrograms, type Listening } from './processes.js'
import { rotated, type Measured, type Plan } from './rounds.js'

/** Who is measured in a page. The first is the floor. */
export const PAGE_PEERS = ['raw', 'again', 'ours'] as const

/** What was measured in a browser. */
export interface InBrowser {
  readonly browser: string
  readonly samples: Measured
}

/** MB/s of each payload in Chromium. @returns `undefined` if there is no Chromium. */
export async function measureBrowser(root: string, { isQuick }: Plan, rounds: number): Promise<InBrowser | undefined> {
  if (chromium.executablePath === undefined) return undefined
  const samples: Measured = Object.fromEntries(PAGE_PEERS.map((peer) => [peer, {}]))
  const site = await servePages({ entry: pathToFileURL(`${root}test/bench/in-page.ts`).href })
  const browser = await launch(chromium)
  const version = (await browser.version()).replace(/^(Headless)?Chrome\//, 'Chromium ')
  try {
    await withPrograms(async (start) => {
      const { port } = await start('echo-server', 'server').order<Listening>('listen', 0)
      const page = await openPage(browser, site.url)
      const inPage = <K extends keyof PageBench>(name: K, ...args: Parameters<PageBench[K]>): Promise<Awaited<ReturnType<PageBench[K]>>> =>
        page.evaluate(`bench.${name}(...${JSON.stringify(args)})`) as Promise<Awaited<ReturnType<PageBench[K]>>>
      for (const peer of PAGE_PEERS) await inPage('open', peer, `ws://127.0.0.1:${String(port)}`)
      for (let round = 0; round < rounds; round++)
        for (const { command, counts, argument, columns, every } of Object.values(FIGURES)) {
          const count = counts[isQuick ? 1 : 0]
          if (command !== 'payload' || count === 0 || round % every !== 0) continue
          const { bytes, open } = argument(count) as { readonly bytes: number; readonly open: number }
          for (const peer of rotated(PAGE_PEERS, round))
            (samples[peer]![columns.rate!.key] ??= []).push(await inPage('payload', peer, bytes, count, open))
        }
    })
  } finally {
    await browser.close()
    await site.close()
  }
  return { browser: version, samples }
}
