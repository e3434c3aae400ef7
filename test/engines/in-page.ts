// Bundled with the browser build of the package and served in every page (see browsers.ts); what a test does there goes through `visit`.
import { McpWebSocketClient, type McpWebSocketClientOptions, type StateName } from '../../src/index.js'
import { perform, type Scenario, type View } from './perform.js'

/** Something that happened in a page: a state of the client, or an event of the page itself. */
export interface Happening {
  readonly what: string
  /** In ms of the page's clock. */
  readonly at: number
  /** Of `waiting`: how long, and why. */
  readonly delay?: number | undefined
  readonly kind?: string | undefined
}

/** What a test does in a page, and what it finds there. */
export class Visit {
  #client: McpWebSocketClient | undefined
  /** Everything that happened, in order. */
  readonly diary: Happening[] = []

  constructor() {
    const note = (event: Event): void => {
      const persisted = event instanceof PageTransitionEvent && event.persisted ? ' persisted' : ''
      this.diary.push({ what: event.type + persisted, at: performance.now() })
    }
    for (const name of ['online', 'offline', 'pagehide', 'pageshow']) window.addEventListener(name, note)
  }

  get client(): McpWebSocketClient {
    if (!this.#client) throw new Error('open() comes first')
    return this.#client
  }

  /** What happened, in words, since the client's first dial. */
  get words(): string[] {
    const words = this.diary.map(({ what }) => what)
    return words.slice(words.indexOf('connecting'))
  }

  /** When the dials began. */
  get dials(): number[] {
    return this.diary.filter(({ what }) => what === 'connecting').map(({ at }) => at)
  }

  /** Makes a client that connects; how that went, `until` tells. */
  open(options: McpWebSocketClientOptions): void {
    const client = new McpWebSocketClient(options)
    this.#client = client
    client.on('state', ({ to, delay, closure }) => this.diary.push({ what: to, at: performance.now(), delay, kind: closure?.kind }))
    client.connect().catch(() => undefined)
  }

  /** Resolves in this state: at once, or when it comes. */
  until(state: StateName): Promise<void> {
    return this.#when(() => this.client.state === state)
  }

  /** Resolves when so many dials began. */
  untilDials(count: number): Promise<void> {
    return this.#when(() => this.dials.length >= count)
  }

  /** Resolves in a `waiting` that is long: nothing but a hint ends it. */
  untilLongWait(): Promise<void> {
    return this.#when(() => (this.diary.findLast(({ what }) => !/line|page/.test(what))?.delay ?? 0) > 60_000)
  }

  #when(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve()
    return new Promise((resolve) => {
      this.client.on('state', () => {
        if (isSo()) resolve()
      })
    })
  }

  /** The longest that a timer of 10 ms took, of so many one after the other. */
  async slowestTimer(count: number): Promise<number> {
    let slowest = 0
    for (let n = 0; n < count; n++) {
      const startedAt = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 10))
      slowest = Math.max(slowest, performance.now() - startedAt)
    }
    return slowest
  }

  play(serverUrl: string, scenario: Scenario): Promise<View> {
    return perform(McpWebSocketClient, serverUrl, scenario)
  }
}

declare global {
  var visit: Visit
}

globalThis.visit = new Visit()
