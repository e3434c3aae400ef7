// One client, and all that can be seen of it from outside: its state, its history, its numbers, its calls and its frames.

import { McpWebSocketClient, type McpWebSocketClientOptions, type Reconnected, type StateChange, type Tool } from 'mcp-websocket-client'
import { CallCard, describe } from './call-card.js'
import { copyOf, element, part, prependTo } from './dom.js'
import { FrameLog } from './frame-log.js'
import { History } from './history.js'
import { ask } from './question.js'
import { Timeline } from './timeline.js'
import { bytes, failureOf, seconds, sentenceFor } from './words.js'

/** Times between two pictures, in ms. */
const DRAW_EVERY = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 50
const COUNT_EVERY = 250
/** A call may be silent for so long, in ms; every report of progress starts it anew. */
const CALL_TIMEOUT = 15_000
const MOST_CALLS = 6
const MOST_LINES = 100

export class ConnectionView {
  readonly element: HTMLElement
  readonly client: McpWebSocketClient
  /** Called when the tools of the server are known, and whenever they change. */
  ontools: (tools: readonly Tool[]) => void = () => undefined
  readonly #parts: Readonly<Record<'state' | 'status' | 'problem' | 'stats' | 'questions' | 'calls' | 'log' | 'traffic', HTMLElement>>
  readonly #toggle: HTMLButtonElement
  readonly #history = new History(performance.now())
  readonly #start = performance.now()
  readonly #timers: readonly ReturnType<typeof setInterval>[]

  /** @throws TypeError naming the option that is wrong. */
  constructor(title: string, options: McpWebSocketClientOptions) {
    const root = copyOf('connection')
    this.element = root.firstElementChild as HTMLElement
    this.element.ariaLabel = title
    part(root, 'title').textContent = title
    part(root, 'setting').textContent = `resume: ${String(options.resume ?? false)}`
    const names = ['state', 'status', 'problem', 'stats', 'questions', 'calls', 'log', 'traffic'] as const
    this.#parts = Object.fromEntries(names.map((name) => [name, part(root, name)])) as Record<(typeof names)[number], HTMLElement>
    const frames = new FrameLog(root)
    this.client = new McpWebSocketClient({
      ...options,
      capabilities: { elicitation: { form: {} } },
      trace: (direction, text) => frames.add(direction, text)
    })
    this.#listen()
    this.#toggle = part(root, 'toggle', HTMLButtonElement)
    this.#toggle.addEventListener('click', () => (this.#isAlive ? void this.client.close() : this.connect()))
    part(root, 'reconnect').addEventListener('click', () => void this.client.reconnect().catch(() => undefined))
    const timeline = new Timeline(part(root, 'timeline'), this.#history)
    const draw = (): void => {
      if (!document.hidden) timeline.draw(performance.now())
    }
    this.#timers = [setInterval(draw, DRAW_EVERY), setInterval(() => this.#count(), COUNT_EVERY)]
    this.#count()
  }

  /** Connects; what comes of it is shown. */
  connect(): void {
    this.client.connect().catch(() => undefined)
  }

  /** Calls a tool, and shows what comes of it. */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const cancel = new AbortController()
    const card = new CallCard(name, args, () => cancel.abort(new Error('You gave it up.')))
    const bar = this.#history.call(name, performance.now())
    prependTo(this.#parts.calls, card.element, MOST_CALLS)
    const calling = this.client.callTool(
      { name, arguments: args },
      {
        timeout: CALL_TIMEOUT,
        resetTimeoutOnProgress: true,
        signal: cancel.signal,
        onprogress: (report) => {
          card.onProgress(report)
          bar.label = `${name} ${String(report.progress)}${report.total === undefined ? '' : `/${String(report.total)}`}`
        }
      }
    )
    const outcome = await calling.then(
      (result) => card.onResult(result),
      (error: unknown) => card.onError(error)
    )
    Object.assign(bar, { to: performance.now(), outcome, label: `${name} ${outcome}` })
    this.#say(`${name}: ${outcome}`)
  }

  /** Closes the client, and ends everything. */
  dispose(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.element.remove()
    void this.client.close()
  }

  get #isAlive(): boolean {
    return !['idle', 'closing', 'closed', 'failed'].includes(this.client.state)
  }

  #listen(): void {
    const { client } = this
    let knowsTools = false
    client.on('state', (change) => {
      this.#onState(change)
      if (change.to !== 'ready' || knowsTools) return
      knowsTools = true
      void this.#readTools()
    })
    client.on('resumed', ({ downtime }) => {
      this.#onBack(
        `resumed after ${seconds(downtime)}`,
        `Connected again after ${seconds(downtime)}, in the same session: nothing was lost.`
      )
    })
    client.on('reconnected', (outage) => {
      this.#onBack(`back after ${seconds(outage.downtime)}`, sentenceAfter(outage))
      void this.#readTools()
    })
    client.on('error', (error) => this.#say(failureOf(error).message))
    client.setNotificationHandler('notifications/tools/list_changed', () => this.#readTools())
    client.setRequestHandler('elicitation/create', ({ params }, { signal }) => ask(this.#parts.questions, params, signal))
  }

  #onState(change: StateChange): void {
    const { state, status, problem } = this.#parts
    this.#history.change(change, performance.now())
    state.textContent = change.to
    state.className = `state ${change.to}`
    status.textContent = sentenceFor(change)
    this.#toggle.textContent = this.#isAlive ? 'Disconnect' : 'Connect'
    const cause = change.to === 'failed' ? change.error : change.closure?.error
    const delay = change.to === 'waiting' ? ` ${seconds(change.delay)}` : ''
    this.#say(`${change.from} → ${change.to}${delay}${cause ? `: ${cause.message}` : ''}`)
    if (change.to === 'ready' || change.to === 'closed') problem.hidden = true
    else if (cause) {
      // Nobody asks whether a dial was delivered.
      problem.replaceChildren(describe({ ...failureOf(cause), delivery: undefined }))
      problem.hidden = false
    }
  }

  #onBack(label: string, sentence: string): void {
    this.#history.back(label, performance.now())
    this.#parts.status.textContent = sentence
    this.#say(sentence)
  }

  async #readTools(): Promise<void> {
    try {
      const { tools } = await this.client.listTools()
      this.ontools(tools)
      // The round trip is that of the last ping or heartbeat.
      await this.client.ping()
    } catch (error) {
      this.#say(`Reading the tools failed: ${failureOf(error).message}`)
    }
  }

  #say(words: string): void {
    const at = element('time', {}, seconds(performance.now() - this.#start))
    prependTo(this.#parts.log, element('li', {}, at, element('span', {}, words)), MOST_LINES)
  }

  #count(): void {
    const { client } = this
    const { latency, bytesWaiting, attempts, reconnects, lost, resent, sent, received, bytesSent, bytesReceived } = client.stats()
    const numbers = {
      'round trip': latency === undefined ? '–' : `${String(Math.round(latency))} ms`,
      pending: client.pendingCount,
      queued: client.queuedCount,
      waiting: bytes(bytesWaiting),
      dials: attempts,
      reconnects,
      lost,
      resent
    }
    const { stats, traffic } = this.#parts
    const pairs = Object.entries(numbers).map(([name, value]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, String(value)))
    )
    stats.replaceChildren(...pairs)
    traffic.textContent = `${String(sent)} sent (${bytes(bytesSent)}), ${String(received)} received (${bytes(bytesReceived)})`
  }
}

function sentenceAfter({ downtime, lost }: Reconnected): string {
  const calls = lost === 0 ? 'No call was lost.' : lost === 1 ? 'One call was lost.' : `${String(lost)} calls were lost.`
  return `Connected again after ${seconds(downtime)}, without a session. ${calls}`
}
