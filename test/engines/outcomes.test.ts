import { beforeAll, describe, expect, test } from 'vitest'
import type { McpWebSocketClient } from '../../src/index.js'
import { startScriptedServer, type Dial } from '../helpers/serve-for-browser.js'
import { chromium, firefox, inTime, launch, LIMIT, openPage, servePages, type Engine } from './browsers.js'
import { perform, type Scenario, type View } from './perform.js'
import { rows, type Expected, type Outcome, type Row } from './scenarios.js'
import { pause } from '../helpers/pause.js'

/** Plays a scenario somewhere. */
type Play = (serverUrl: string, scenario: Scenario) => Promise<View>

/** What came of a row: the outcome, and what is compared only where it is sure; or that the row could not be played. */
type Result = { readonly outcome: Outcome; readonly wire: string; readonly codes: (number | null)[] } | Error

/** One engine: how it plays, and its column in the table. */
interface Column {
  readonly name: string
  readonly expected: (row: Row) => Expected
  readonly isMissing?: boolean
  /** Starts it, lets it play all that it is asked to, and ends it. */
  readonly use: (playAll: (play: Play) => Promise<void>) => Promise<void>
}

const columns: readonly Column[] = [
  {
    name: 'Node',
    expected: ({ node }) => node,
    use: async (playAll) => {
      const { McpWebSocketClient: Client } = (await import(new URL('../../dist/node/index.js', import.meta.url).href)) as {
        McpWebSocketClient: typeof McpWebSocketClient
      }
      await playAll((serverUrl, scenario) => perform(Client, serverUrl, scenario))
    }
  },
  columnOf(chromium, ({ node, browser = node }) => browser),
  columnOf(firefox, ({ node, browser = node, firefox: own = browser }) => own)
]

function columnOf(engine: Engine, expected: Column['expected']): Column {
  return {
    name: engine.name,
    expected,
    isMissing: engine.executablePath === undefined,
    use: async (playAll) => {
      const browser = await launch(engine)
      const pages = await servePages()
      try {
        let page = await openPage(browser, pages.url)
        await playAll(async (serverUrl, scenario) => {
          const view = await page.evaluate((url, what) => visit.play(url, what), serverUrl, scenario)
          if (engine === chromium && view.connect !== 'ok') {
            // Chromium slows down the dials of a process in which many failed; another page has another process.
            await page.close()
            page = await openPage(browser, pages.url)
          }
          return view
        })
      } finally {
        await browser.close()
        await pages.close()
      }
    }
  }
}

async function resultOf(scenario: Scenario, codes: readonly number[], play: Play): Promise<Result> {
  // A server, hence a port, for each row: Firefox delays dials to where earlier ones failed.
  const server = await startScriptedServer()
  try {
    const view = await inTime(play(server.url, scenario))
    // Nothing more is to come after close(), where the next retry would have been due after 200 ms.
    if (view.closedAfter !== undefined) await pause(300)
    const log = `${server.url.replace('ws', 'http')}/log${codes.length > 0 ? `?until=close&count=${String(codes.length)}` : ''}`
    const dials = (await (await fetch(log, { signal: AbortSignal.timeout(LIMIT) })).json()) as Dial[]
    return {
      outcome: { ...view, dials: dials.length },
      wire: (dials.at(-1)?.messages ?? []).map(({ method }) => method).join(' '),
      codes: dials.map(({ closeCode }) => closeCode)
    }
  } finally {
    await server.close()
  }
}

const present = columns.filter(({ isMissing }) => isMissing !== true)
const results = new Map<string, Result>()

// All at once, and before the first test: a browser takes seconds to start, and must be gone when the tests look for what is left over.
// Within one engine the rows follow one another, as Firefox lets only one dial to an address be under way.
beforeAll(async () => {
  await Promise.all(
    present.map(({ name, expected, use }) =>
      use(async (play) => {
        for (const row of rows) {
          const result = resultOf(row.scenario, expected(row).codes ?? [], play)
          results.set(`${name}: ${row.scene}`, await result.catch((error: unknown) => error as Error))
        }
      })
    )
  )
})

describe.for(present.map((column) => [column.name, column] as const))('in %s the table holds for', ([name, column]) => {
  test.for(rows.map((row) => [row.scene, row] as const))('%s', ([scene, row]) => {
    const result = results.get(`${name}: ${scene}`)
    if (!result || result instanceof Error) throw result ?? new Error('the row was not played')
    const { wire, codes, ...outcome } = column.expected(row)
    expect(result.outcome).toEqual(outcome)
    if (wire !== undefined) expect(result.wire).toBe(wire)
    if (codes !== undefined) expect(result.codes).toEqual(codes)
  })
})
