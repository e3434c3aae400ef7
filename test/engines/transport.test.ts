import { beforeAll, describe, expect, test } from 'vitest'
import type { WebSocketClientTransport } from '../../src/transport/index.js'
import type { SdkMode } from '../helpers/sdk-client.js'
import { chromium, firefox, inTime, launch, openPage, type Engine } from './browsers.js'
import { relay, type RelayPlan, type Report, type Round } from './relay.js'
import type { PageReport } from './relay-in-page.js'
import { openStage, TOKEN, type Stage, type Accepted } from './stage.js'

// An unmodified `Client` of the official SDK on the transport as it is published, in every engine: in browsers both in one bundle, as users
// make it, in a page whose policy forbids `eval`.

const MODES = [
  { mode: 'v1', sdk: 'v1' },
  { mode: 'v2 legacy', sdk: 'v1' },
  { mode: 'v2 modern', sdk: 'v2' }
] as const

/** Plays a plan somewhere; pages are those of the site under this name of its host. */
type Play = (stage: Stage, plan: RelayPlan, host?: string) => Promise<Report | PageReport>

/** One engine. */
interface Column {
  readonly name: string
  readonly isMissing: boolean
  readonly isBrowser: boolean
  /** Starts it, lets it play all that it is asked to, and ends it. */
  readonly use: (playAll: (play: Play) => Promise<void>) => Promise<void>
}

const node: Column = {
  name: 'Node',
  isMissing: false,
  isBrowser: false,
  use: async (playAll) => {
    const { WebSocketClientTransport: Transport } = (await import(new URL('../../dist/node/transport.js', import.meta.url).href)) as {
      WebSocketClientTransport: typeof WebSocketClientTransport
    }
    await playAll((_stage, plan) => relay(Transport, plan))
  }
}

function columnOf(engine: Engine): Column {
  return {
    name: engine.name,
    isMissing: engine.executablePath === undefined,
    isBrowser: true,
    use: async (playAll) => {
      const browser = await launch(engine)
      try {
        await playAll(async ({ pages }, plan, host = '127.0.0.1') => {
          const page = await openPage(browser, `${pages.url.replace('127.0.0.1', host)}#${encodeURIComponent(JSON.stringify(plan))}`)
          return page.evaluate(() => report)
        })
      } finally {
        await browser.close()
      }
    }
  }
}

const columns = [node, columnOf(chromium), columnOf(firefox)].filter(({ isMissing }) => !isMissing)
const browsers = columns.filter(({ isBrowser }) => isBrowser)

/** What came of a plan, on both sides. */
interface Result {
  readonly report: Report | PageReport
  readonly accepted: readonly Accepted[]
  readonly rejected: Readonly<Record<number, number>>
  readonly script: string
}

const results = new Map<string, Result | Error>()

/** What came of this in this engine. */
function resultOf(name: string, what: string): Result {
  const result = results.get(`${name}: ${what}`)
  if (!result || result instanceof Error) throw result ?? new Error('it was not played')
  return result
}

// A stage, hence a port, for each: Firefox delays dials to where earlier ones failed.
async function onStage(mode: SdkMode, play: Play, changes: Partial<RelayPlan> = {}, host?: string): Promise<Result> {
  const stage = await openStage(MODES.find((each) => each.mode === mode)!.sdk)
  const plan = { mode, serverUrl: stage.serverUrl, stageUrl: stage.pages.url, token: TOKEN, maxRetries: null, ...changes }
  try {
    const report = await inTime(play(stage, plan, host))
    return { report, accepted: stage.accepted, rejected: stage.rejected, script: stage.pages.script }
  } finally {
    await stage.close()
  }
}

// All at once, and before the first test: a browser takes seconds to start, and must be gone when the tests look for what is left over.
beforeAll(async () => {
  await Promise.all(
    columns.map(({ name, isBrowser, use }) =>
      use(async (play) => {
        const note = async (what: string, result: Promise<Result>): Promise<void> =>
          void results.set(`${name}: ${what}`, await result.catch((error: unknown) => error as Error))
        for (const { mode } of MODES) await note(mode, onStage(mode, play))
        await note('wrong token', onStage('v1', play, { token: 'wrong', maxRetries: 0 }))
        if (isBrowser) await note('other origin', onStage('v1', play, { maxRetries: 0 }, 'localhost'))
      })
    )
  )
})

const LOST = { code: 1006, reason: 'CONNECTION_LOST', delivery: 'unknown' } as const
const SAID: Readonly<Record<string, RegExp>> = { sampling: /"hi"/, elicitation: /"colour":"red"/, roots: /"file:\/\/\/here"/ }

const roundOf = (how: string, method: string): Round => ({
  lost: LOST,
  waited: `since ${how}`,
  asked: expect.stringMatching(SAID[method]!) as string,
  heard: true
})

/** What each restart brings the server: one handshake or listen, the call that waited, `change`, the server request, and the next lost call. */
function wireOf(isModern: boolean): string[][] {
  const opening = isModern ? ['subscriptions/listen'] : ['initialize', 'notifications/initialized']
  const serverRequest = ['tools/call', isModern ? 'tools/call' : 'response']
  const again = [...opening, 'tools/call', 'tools/call', ...serverRequest]
  const first = [...(isModern ? ['server/discover'] : []), ...opening, 'tools/call', 'tools/call']
  return [first, [...again, 'tools/call'], [...again, 'tools/call'], again]
}

/** The file that a line of a bundle comes from: esbuild names each above its text. */
function fileAt(script: string, line: number): string | undefined {
  const above = script.split('\n').slice(0, line)
  return above.findLast((text) => /^ {2}\/\/ \S+\.[a-z]+$/.test(text))?.trim()
}

describe.for(columns.map((column) => [column.name, column] as const))('in %s', ([name]) => {
  describe.for(MODES)('an unmodified Client, $mode, that shows its token as a subprotocol', ({ mode }) => {
    test('loses one call to each of three restarts of the server, and goes on without having been closed', () => {
      expect(resultOf(name, mode).report).toMatchObject({
        subprotocol: 'mcp.v1',
        first: 'first',
        rounds: [roundOf('close', 'sampling'), roundOf('crash', 'elicitation'), roundOf('close', 'roots')],
        closes: [0, 1],
        errors: []
      })
    })

    test('is known to the server each time, and repeats one handshake or listen', () => {
      const { accepted, rejected } = resultOf(name, mode)
      expect(accepted.map(({ wire }) => wire)).toEqual(wireOf(mode === 'v2 modern'))
      expect(accepted.map(({ auth }) => auth)).toEqual(['ada', 'ada', 'ada', 'ada'])
      expect(rejected).toEqual({})
    })
  })

  test('a Client with a wrong token does not connect', () => {
    const { report, accepted, rejected } = resultOf(name, 'wrong token')
    // A page is not shown the 401.
    expect(report).toMatchObject({ failed: name === 'Node' ? 'UNAUTHORIZED' : 'RETRIES_EXHAUSTED', closes: [1] })
    expect([accepted, rejected]).toEqual([[], { 401: 1 }])
  })
})

describe.for(browsers.map((column) => [column.name, column] as const))('a page in %s', ([name]) => {
  test('of another origin does not connect, although its Client has the right token', () => {
    const { report, accepted, rejected } = resultOf(name, 'other origin')
    expect(report).toMatchObject({ failed: 'RETRIES_EXHAUSTED', closes: [1] })
    expect([accepted, rejected]).toEqual([[], { 403: 1 }])
  })

  test.for(MODES)('may forbid eval: the transport, with $mode, never tries it', ({ mode }) => {
    const { report, script } = resultOf(name, mode) as Result & { report: PageReport }
    // zod, of the SDK, tries and goes on without: so the policy is in force, and what it forbids is reported.
    expect(report.violations.map((line) => fileAt(script, line))).toEqual(['// node_modules/zod/v4/core/util.js'])
    expect(script).toContain('// dist/browser/transport.js')
  })
})
