import {
  isMcpWebSocketError,
  McpWebSocketClient,
  type McpWebSocketClientOptions,
  type RequestOptions,
  type StateChange,
  type Subscription
} from '../../../src/index.js'
import { systemClock, type Clock, type Timer } from '../../../src/lib/clock.js'
import { openSocket } from '../../../src/socket/open-socket.js'
import type { Sniffed } from './hijacker.js'
import { SLACK, type Ledger } from './ledger.js'
import { Pace, type Schedule } from './pace.js'
import type { Random } from './random.js'
import { KEY, PLAN, type Plan } from './mcp.js'
import { Witness } from './witness.js'
import { pause } from '../../helpers/pause.js'

/** Chance from the seed, time from the engine; counts the timers that are set. */
class ActorClock implements Clock {
  readonly timers = new Set<object>()
  drawnAt = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  random(): number {
    this.drawnAt = this.now()
    return this.#random.next()
  }

  now(): number {
    return systemClock.now()
  }

  after(ms: number, fire: () => void): Timer {
    const mark = {}
    this.timers.add(mark)
    const timer = systemClock.after(ms, () => {
      this.timers.delete(mark)
      fire()
    })
    return {
      ...timer,
      cancel: () => {
        this.timers.delete(mark)
        timer.cancel()
      }
    }
  }
}

const METHODS = [
  [12, 'tools/call'],
  [2, 'tools/list'],
  [2, 'resources/read'],
  [1, 'prompts/get'],
  [1, 'completion/complete'],
  [1, 'ping']
] as const

/** Messages may wait so long, in ms, though the client is ready; on a loaded machine. */
const LONG = 2000

/** A program that uses one client without rest, and compares what comes of it with what it asked for. */
export class Actor {
  readonly client: McpWebSocketClient
  readonly #name: string
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #clock: ActorClock
  readonly #pace: Pace
  readonly url: string
  #running = true
  #number = 0
  /** Promises other than requests, with what they are. */
  readonly #open = new Map<Promise<unknown>, string>()
  readonly #controllers = new Set<AbortController>()
  readonly #subscriptions: Subscription[] = []
  /** What was agreed about each resource: only what is certain is held against the server at the end. */
  readonly #resources = new Map<string, 'on' | 'off' | 'unknown'>()
  /** Lives of the client that are over. */
  #lives = 0
  /** Since when messages wait although the client is ready. */
  #waitsSince = Infinity
  #heard = { socket: 0, number: 0 }
  /** Set if its sessions survive their sockets. */
  readonly #witness: Witness | undefined

  /** @param changes - Options that the ledger does not know of: lies of the client. */
  constructor(name: string, url: string, ledger: Ledger, random: Random, changes: Partial<McpWebSocketClientOptions> = {}, resume = false) {
    this.#name = name
    this.url = url
    this.#ledger = ledger
    this.#random = random
    this.#clock = new ActorClock(random)
    this.#witness = resume ? new Witness(name, ledger) : undefined
    const schedule: Schedule = {
      initialDelay: random.between(10, 60),
      maxDelay: random.between(60, 300),
      growFactor: 2,
      jitter: random.chance(0.7),
      maxRetries: random.chance(resume ? 0.1 : 0.3) ? random.between(2, 6) : Infinity,
      resetAfter: random.between(50, 400)
    }
    this.#pace = new Pace(name, schedule, ledger, resume ? 2 : 1)
    const options: McpWebSocketClientOptions = {
      url,
      resume,
      reconnect: schedule,
      connectTimeout: 600,
      handshakeTimeout: 600,
      probeTimeout: 250,
      closeTimeout: 100,
      requestTimeout: 1000,
      heartbeat: random.chance(0.8) ? { interval: 120, timeout: 150 } : false,
      outbox: random.weighted<McpWebSocketClientOptions['outbox']>([
        [6, undefined],
        [3, { maxMessages: random.between(1, 20) }],
        [1, false]
      ]),
      maxPending: random.chance(0.2) ? 20 : 10_000,
      capabilities: { roots: {} },
      trace: (direction, text) => this.#onFrame(direction, text)
    }
    const ports = {
      clock: this.#clock,
      openSocket: (...given: Parameters<typeof openSocket>) => {
        this.#note('dials')
        this.#pace.onDial()
        return openSocket(...given)
      }
    }
    this.client = new McpWebSocketClient({ ...options, ...changes }, ports)
    this.#watch()
  }

  /** Its session, for whoever wants to take it. */
  get sniffed(): Sniffed | undefined {
    const sniffed = this.#witness?.sniffed
    return sniffed && { name: this.#name, ...sniffed }
  }

  /** Uses the client until `stop()`. */
  async run(): Promise<void> {
    this.#connect()
    while (this.#running) {
      for (let burst = this.#random.chance(0.2) ? this.#random.between(2, 15) : 1; burst > 0; burst--) this.#act()
      this.#check()
      await pause(this.#random.between(0, 25))
    }
  }

  stop(): void {
    this.#running = false
  }

  /** After the faults: the client works, and nothing hangs or is left behind. */
  async finish(): Promise<void> {
    await this.#recover()
    // What the server never answers ends by its own timeout, not by close(); a subscription lives on.
    const waiting = (): string[] => [
      ...this.#ledger.openKeys.filter((key) => key.startsWith(`${this.#name}.`)),
      ...[...this.#open.values()].filter((what) => what !== 'subscription')
    ]
    const end = performance.now() + 2 * SLACK
    while (waiting().length > 0 && performance.now() < end) {
      this.#ledger.checkOverdue()
      await pause(10)
    }
    if (waiting().length > 0) this.#violate(`promises hang: ${waiting().join(', ')}`)
    const wanted = [...this.#resources].filter(([, state]) => state === 'on').map(([uri]) => uri)
    const subscribed = await this.#recover()
    const missing = wanted.filter((uri) => this.#resources.get(uri) === 'on' && !subscribed.includes(uri))
    if (missing.length > 0) this.#violate(`the server does not know of the subscriptions of ${missing.join(', ')}`)
    // In the modern era subscriptions are requests that wait.
    const { era, pendingCount: pending } = this.client
    if (era === 'legacy' && pending > 0) this.#violate(`${String(pending)} requests are pending, but nobody waits for them`)
    const sent = this.#request('tools/call', { wait: 0, reports: 0, outcome: 'never' }, { timeout: 60_000 })
    await this.#close()
    await sent
    await pause(0)
    const { state, pendingCount, queuedCount } = this.client
    const left = { state, pendingCount, queuedCount, timers: this.#clock.timers.size, open: [...this.#open.values()] }
    const nothing = { state: 'closed', pendingCount: 0, queuedCount: 0, timers: 0, open: [] }
    if (JSON.stringify(left) !== JSON.stringify(nothing)) this.#violate(`after close(): ${JSON.stringify(left)}`)
  }

  /** @returns What the server knows of the client's subscriptions. */
  async #recover(): Promise<readonly string[]> {
    const end = performance.now() + 2 * SLACK
    while (performance.now() < end) {
      const { state } = this.client
      if (['idle', 'closing', 'closed', 'failed'].includes(state)) this.#connect()
      const subscribed = await this.#request('tools/call', { wait: 0, reports: 0, outcome: 'result' }, { timeout: 1000 })
      if (subscribed) return subscribed
      await pause(20)
    }
    this.#violate(`does not work when all faults are over: ${this.client.state}`)
    return []
  }

  #watch(): void {
    const { client } = this
    client.setRequestHandler('roots/list', async () => {
      await pause(this.#random.between(0, 200))
      return { roots: [] }
    })
    client.on('state', (change) => {
      this.#note(`${change.from} -> ${change.to}${change.delay === undefined ? '' : ` for ${change.delay.toFixed(0)} ms`}`)
      this.#ledger.count(change.to)
      this.#pace.onState(change, this.#clock.drawnAt)
      const { from, to } = change
      this.#watchSession(to)
      if (this.#witness === undefined && (from === 'ready' || (from === 'initializing' && to !== 'ready'))) this.#ledger.left(this.#name)
      if (to !== 'closed' && to !== 'failed') return
      // A life that is over takes what was subscribed with it.
      this.#lives++
      for (const uri of this.#resources.keys()) this.#resources.set(uri, 'unknown')
      setTimeout(
        () => {
          if (this.#running && this.client.state === to) this.#connect()
        },
        this.#random.between(0, 60)
      )
    })
    client.on('reconnected', ({ resent, lost }) => {
      this.#note(`reconnected: ${String(resent)} resent, ${String(lost)} lost`)
      // A moment in which messages still wait, though the client is ready.
      if (this.#random.chance(0.3)) this.#act()
    })
    client.on('error', (error) => {
      this.#ledger.count('error event')
      // Another era, which the server has since its restart.
      if ((error as { code?: string }).code === 'RESTORE_FAILED') this.#resources.clear()
    })
    client.on('notification', ({ method, params }) => {
      if (method !== 'notifications/chaos') return
      const { socket, number } = params as { socket: number; number: number }
      const last = this.#heard
      const follows = socket === last.socket ? number === last.number + 1 : socket > last.socket && number === 1
      if (!follows) this.#violate(`notification ${JSON.stringify(params)} came after ${JSON.stringify(last)}`)
      this.#heard = { socket, number }
      this.#ledger.count('heard')
    })
  }

  #watchSession(to: StateChange['to']): void {
    this.#witness?.onState(to === 'ready')
    if (to === 'closing' || to === 'closed' || to === 'failed') this.#ledger.excuse(this.#name, `the client is ${to}`)
    // A server that says 404 at first may be one that does not take the offer.
    else if (this.#witness !== undefined && to === 'ready' && this.client.subprotocol === 'mcp.v1') {
      this.#ledger.count('plain')
      this.#ledger.sessionBegan(this.#name)
      this.#ledger.excuse(this.#name, 'there are no sessions')
    }
  }

  #act(): void {
    this.#random.weighted<() => void>([
      [50, () => void this.#anyRequest()],
      [8, () => this.#notify()],
      [6, () => this.#resource()],
      [2, () => void this.#listen()],
      [2, () => this.#subscriptions.splice(0, 1)[0]?.close()],
      [2, () => void this.#track('setLoggingLevel', this.client.setLoggingLevel('info'))],
      [3, () => this.#abort()],
      [
        0.4,
        () =>
          void this.#close()
            .then(() => pause(this.#random.between(0, 30)))
            .then(() => this.#running && this.#connect())
      ],
      [0.2, () => void this.#close()],
      [0.4, () => this.#connect()],
      [0.6, () => this.#reconnect()]
    ])()
  }

  #anyRequest(): Promise<unknown> {
    const random = this.#random
    const plan: Plan = {
      wait: random.chance(0.5) ? 0 : random.between(1, random.chance(0.2) ? 400 : 40),
      reports: random.chance(0.2) ? random.between(1, 4) : 0,
      outcome: random.weighted([
        [20, 'result'],
        [2, 'error'],
        [1, 'never']
      ])
    }
    const options: RequestOptions = {
      timeout: random.chance(0.2) ? random.between(1, 60) : random.between(60, 1200),
      ...(random.chance(0.1) && { maxTotalTimeout: random.between(10, 800), resetTimeoutOnProgress: true }),
      ...(random.chance(0.15) && { resend: random.chance(0.5) })
    }
    // Somebody who waits for so long gets an answer, as long as the session lives.
    if (this.#witness !== undefined && plan.outcome !== 'never' && random.chance(0.3))
      return this.#request('tools/call', plan, { timeout: 120_000 })
    return this.#request(random.weighted<string>(METHODS), plan, options, random.chance(0.15) ? new AbortController() : undefined)
  }

  /** @returns The subscriptions that the server knows of, if it answers with a result. */
  async #request(
    method: string,
    plan: Plan,
    options: RequestOptions,
    controller?: AbortController
  ): Promise<readonly string[] | undefined> {
    const key = `${this.#name}.${String(++this.#number)}`
    const maySend = (options.resend ?? method !== 'tools/call') ? 2 : 1
    const { timeout = 0, maxTotalTimeout = Infinity } = options
    // Progress may put the end off once for each report, on each of two sockets.
    const entry = this.#ledger.open(key, maySend, Math.min(timeout * (1 + 2 * plan.reports), Math.max(timeout, maxTotalTimeout)))
    const signal = controller?.signal
    if (controller && this.#random.chance(0.1)) {
      controller.abort(new Error(`${key} aborted beforehand`))
      this.#ledger.deny(entry)
    } else if (controller) this.#controllers.add(controller)
    const wantsReports = plan.reports > 0 || this.#random.chance(0.05)
    let reports = 0
    const onprogress = ({ progress }: { readonly progress: number }): void => {
      if (entry.settled) this.#violate(`${key} reported progress after it had settled`)
      // What is executed again reports again.
      if (progress !== reports + 1 && !(progress === 1 && maySend > 1))
        this.#violate(`${key} reported ${String(progress)} after ${String(reports)}`)
      reports = progress
    }
    const all = { ...options, signal, ...(wantsReports && { onprogress }) }
    this.#note(`${key} ${method}, ${JSON.stringify({ ...options, ...plan })}`)
    const onAbort = (): void => {
      // The promise is settled at once: nobody waits for the network here.
      setImmediate(() => entry.settled || this.#violate(`${key} did not settle when it was aborted`))
    }
    signal?.addEventListener('abort', onAbort)
    try {
      const params = { name: 'chaos', uri: 'chaos://any', _meta: { [KEY]: key, [PLAN]: plan } }
      const { _meta } = await this.client.request<{ _meta?: { [KEY]?: string; subscribed?: string[] } }>(method, params, all)
      this.#ledger.resolved(entry, _meta?.[KEY])
      if (wantsReports && reports !== plan.reports)
        this.#violate(`${key} resolved after ${String(reports)} of ${String(plan.reports)} reports`)
      return _meta?.subscribed
    } catch (error) {
      this.#ledger.rejected(entry, error, signal?.aborted ? signal.reason : undefined)
      return undefined
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (controller) this.#controllers.delete(controller)
    }
  }

  #notify(): void {
    const key = `${this.#name}.${String(++this.#number)}`
    const entry = this.#ledger.open(key, 1, 0, true)
    this.#note(`${key} notification`)
    this.client.notify('notifications/chaos', { _meta: { [KEY]: key } }).then(
      () => this.#ledger.resolved(entry, undefined),
      (error: unknown) => this.#ledger.rejected(entry, error)
    )
  }

  #abort(): void {
    this.#random.pick([...this.#controllers])?.abort(new Error('aborted by the program'))
  }

  #resource(): void {
    const uri = `chaos://${this.#name}/${String(this.#random.between(1, 3))}`
    // Of two requests at once nobody could tell which one the server heard last.
    if ([...this.#open.values()].includes(uri)) return
    const on = this.#random.chance(0.6)
    const promise = on ? this.client.subscribeResource({ uri }) : this.client.unsubscribeResource({ uri })
    const lives = this.#lives
    this.#resources.set(uri, 'unknown')
    this.#note(`${on ? 'subscribes' : 'unsubscribes'} ${uri}`)
    void this.#track(uri, promise, (ok) => {
      this.#note(`${uri} ${on ? 'subscribed' : 'unsubscribed'}: ${String(ok)}`)
      // It may have been agreed at once, and the life have ended in the same turn of the loop.
      const isCertain = ok && lives === this.#lives
      this.#resources.set(uri, !isCertain ? 'unknown' : on ? 'on' : 'off')
    })
  }

  async #listen(): Promise<void> {
    const listening = this.client.listen({ toolsListChanged: true }, { timeout: 500 })
    void this.#track('listen', listening)
    try {
      const subscription = await listening
      void this.#track('subscription', subscription.closed)
      this.#subscriptions.push(subscription)
    } catch {
      // Rejected or lost; seen by `#track`.
    }
  }

  #connect(): void {
    const { state } = this.client
    if (['idle', 'closing', 'closed', 'failed'].includes(state)) this.#pace.hurry(true)
    const signal = this.#random.chance(0.05) ? AbortSignal.timeout(this.#random.between(1, 50)) : undefined
    this.#note('connect()')
    void this.#track('connect', this.client.connect({ signal }), undefined, () => signal?.reason)
  }

  #reconnect(): void {
    this.#pace.hurry(['idle', 'closing', 'closed', 'failed'].includes(this.client.state))
    this.#note('reconnect()')
    void this.#track('reconnect', this.client.reconnect())
  }

  async #close(): Promise<void> {
    this.#note('close()')
    const startedAt = performance.now()
    await this.#track('close', this.client.close(), (ok) => ok || this.#violate('close() rejected'))
    if (performance.now() - startedAt > 100 + SLACK) this.#violate('close() took too long')
  }

  /** Follows a promise that carries no key. @returns When it is settled. */
  async #track(
    what: string,
    promise: Promise<unknown>,
    onSettled: (ok: boolean) => unknown = () => undefined,
    reason: () => unknown = () => undefined
  ): Promise<void> {
    this.#open.set(promise, what)
    try {
      await promise
      this.#open.delete(promise)
      onSettled(true)
    } catch (error) {
      this.#open.delete(promise)
      onSettled(false)
      if (!isMcpWebSocketError(error) && error !== reason())
        this.#violate(`${what} was rejected with what is no error of the package: ${String(error)}`)
    }
  }

  /** What holds at any time. */
  #check(): void {
    this.#ledger.checkOverdue()
    const { client } = this
    const { state, queuedCount } = client
    // While the server's close frame is there and its end of the stream is not, new messages wait for the next socket.
    if (state !== 'ready' || queuedCount === 0) this.#waitsSince = Infinity
    else this.#waitsSince = Math.min(this.#waitsSince, performance.now())
    if (performance.now() - this.#waitsSince > LONG) this.#violate(`is ready, and yet ${String(queuedCount)} messages wait`)
  }

  #onFrame(direction: 'in' | 'out', text: string): void {
    this.#witness?.onFrame(direction, text)
    if (direction === 'in' && text.startsWith('{"mcp.resume":"goaway"')) this.#pace.hurry(false)
    if (direction === 'in' || text.startsWith('{"mcp.resume"')) return
    const message = JSON.parse(text) as { params?: { _meta?: { [KEY]?: string } } }
    const key = message.params?._meta?.[KEY]
    if (key !== undefined) this.#ledger.wrote(key)
  }

  #note(text: string): void {
    this.#ledger.note(`${this.#name} ${text}`)
  }

  #violate(text: string): void {
    this.#ledger.violate(`${this.#name} (${this.url}): ${text}`)
  }
}
