import type { McpWebSocketClientOptions } from '../../../src/index.js'
import { useFaultProxy, type Direction, type FaultProxy, type Link } from '../kit/fault-proxy.js'
import { Actor } from './actor.js'
import { Ledger, SLACK } from './ledger.js'
import { Random } from './random.js'
import { Hijacker } from './hijacker.js'
import type { Lie } from './mcp.js'
import { Nodes } from './nodes.js'
import { ResumeServer } from './resume-server.js'
import { ChaosServer, type Target } from './server.js'
import { pause } from '../../helpers/pause.js'

/** What a run is made of. */
export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  /** Lies of the server, and options of the clients that the ledger does not know of: what it has to find. */
  readonly lie?: Lie | undefined
  readonly changes?: Partial<McpWebSocketClientOptions>
  /** Whether sessions survive their sockets. */
  readonly resume?: boolean
  /** How many servers share their sessions by Redis; 0: there is one, in this process. */
  readonly nodes?: number
}

/** What a run found; `events` are the last ones before its end. */
export interface Report {
  readonly seed: number
  readonly violations: readonly string[]
  readonly events: readonly string[]
  /** How often things happened, so that a quiet run does not pass for a good one. */
  readonly counts: Readonly<Record<string, number>>
}

// 1002, 1003, 1007, 1008 and most of 44xx are the end of a life; the program begins another one.
const CODES = [undefined, 1000, 1001, 1009, 1011, 1012, 1013, 4000, 4401, 4429, 3000, 1008, 4403] as const

/** Everything at once, drawn from a seed: clients that never rest, a network and a server that never stay whole. */
export async function runChaos({ seed, seconds, lie, changes, nodes = 0, resume = nodes > 0 }: ChaosOptions): Promise<Report> {
  const random = new Random(seed)
  const ledger = new Ledger(resume, nodes > 0)
  const ttl = resume ? random.between(300, 3000) : 0
  const server = await makeServer({ seed, lie, nodes, resume }, ttl, ledger, random)
  const port = await server.start()
  const weather = new Weather(ledger, server, random, ttl)
  const proxy = await useFaultProxy(
    port,
    (link) => weather.onLink(link),
    () => random.next()
  )
  if (server instanceof Nodes) proxy.target = () => server.nextPort()
  const names = ['a', 'b', 'c'].slice(0, random.between(1, 3))
  const actors = names.map((name) => {
    const url = `${proxy.url}?run=${String(seed)}&client=${name}`
    return new Actor(name, url, ledger, new Random(random.between(0, 2 ** 31)), changes, resume)
  })
  const programs = actors.map((actor) => actor.run())
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && ledger.violations.length === 0) {
    await weather.change(proxy, actors)
    await pause(random.between(2, 80))
  }
  for (const actor of actors) actor.stop()
  await Promise.all(programs)
  await weather.clear(proxy)
  if (ledger.violations.length === 0) {
    await Promise.all(actors.map((actor) => actor.finish()))
    const over = performance.now() + SLACK
    while (proxy.links.some(({ closed }) => !closed) && performance.now() < over) await pause(5)
    if (proxy.links.some(({ closed }) => !closed)) ledger.violate('a socket is still open after close()')
    if (!(server instanceof ChaosServer)) await leaveNothing(server, ttl, ledger)
    ledger.audit()
  } else await Promise.all(actors.map(({ client }) => client.close()))
  await (server instanceof Nodes ? server.end() : server.kill())
  return { seed, violations: ledger.violations, events: ledger.events, counts: { dials: proxy.links.length, ...ledger.counts } }
}

async function makeServer(options: Omit<ChaosOptions, 'seconds'>, ttl: number, ledger: Ledger, random: Random) {
  const { seed, lie, nodes = 0, resume } = options
  const run = String(seed)
  const era = seed % 2 === 0 ? 'legacy' : 'modern'
  if (nodes > 0) return Nodes.make(nodes, run, era, ttl, ledger, random)
  if (!resume) return new ChaosServer(run, era, ledger, random, lie)
  return new ResumeServer(run, era, ledger, random, { ttl, maxMessages: random.chance(0.5) ? 256 : random.between(20, 60), lie })
}

/** The sessions of clients that were cut off live on, but not for long. */
async function leaveNothing(server: ResumeServer | Nodes, ttl: number, ledger: Ledger): Promise<void> {
  const end = performance.now() + ttl + SLACK
  while (!server.isEmpty && performance.now() < end) await pause(10)
  if (!server.isEmpty) ledger.violate(`the server has left ${JSON.stringify(server.left)}`)
}

/** What happens to the network and the server. */
class Weather {
  readonly #ledger: Ledger
  readonly #server: Target
  readonly #ttl: number
  readonly #corrupted = new Set<Link>()
  readonly #strikes = new Set<Promise<void>>()
  readonly #random: Random
  /** Links that nothing can heal. */
  readonly #holes = new Set<Link>()
  /** Links of which a side may wait for ever: they kept bytes back, or changed one. */
  readonly #stalled = new Set<Link>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #clear = false

  /** @param ttl - How long a server keeps sessions, if it does. */
  constructor(ledger: Ledger, server: Target, random: Random, ttl: number) {
    this.#ttl = ttl
    this.#ledger = ledger
    this.#server = server
    this.#random = random
  }

  /** A dial: some meet with bad luck from their first byte on. */
  onLink(link: Link): void {
    const random = this.#random
    if (this.#clear || !random.chance(0.2)) return
    random.weighted<() => void>([
      // In the middle of the upgrade, of the handshake, or of a frame.
      [
        3,
        () => link.after(random.chance(0.5) ? 'up' : 'down', random.between(1, 1500), () => link.cut(random.chance(0.5) ? 'rst' : 'fin'))
      ],
      [1, () => link.after(random.chance(0.5) ? 'up' : 'down', random.between(1, 1500), () => this.#swallow(link))],
      [1, () => this.#for(link, { slice: 1 })],
      [1, () => this.#lag(link)],
      [1, () => this.#for(link, { stall: true })]
    ])()
  }

  /** One more thing goes wrong. */
  async change(proxy: FaultProxy, actors: readonly Actor[]): Promise<void> {
    this.#judgeCorruption()
    const random = this.#random
    const server = this.#server
    const link = random.pick(proxy.links.filter((each) => !each.closed && !this.#holes.has(each)))
    const deeds: (readonly [number, string, (() => void | Promise<void>) | undefined])[] = [
      [12, 'speak', () => server.speak()],
      [4, 'babble', () => server.babble()],
      [5, 'cut', link && (() => link.cut(random.chance(0.5) ? 'rst' : 'fin'))],
      [2, 'swallow', link && (() => this.#swallow(link))],
      [3, 'stall', link && (() => this.#for(link, { stall: true }))],
      [3, 'lag', link && (() => this.#lag(link))],
      [2, 'slice', link && (() => this.#for(link, { slice: random.between(1, 3) }))],
      [1, 'corrupt', link && (() => this.#corrupt(link))],
      [3, 'close', () => server.close(random.pick(CODES), random.chance(0.05) ? 'retry-after=1' : '')],
      [2, 'resets', () => this.#resetDials(proxy)],
      [1, 'statuses', () => this.#rejectUpgrades()],
      [2, 'kill', () => this.#restart(proxy)],
      ...this.#deedsOnSessions(proxy, actors)
    ]
    const [what, deed] = random.weighted(deeds.map(([weight, name, act]) => [weight, [name, act] as const] as const))
    if (!deed) return
    this.#ledger.count(what)
    this.#ledger.note(`weather: ${what}`)
    await deed()
  }

  /** What only sessions have to fear. */
  #deedsOnSessions(proxy: FaultProxy, actors: readonly Actor[]): (readonly [number, string, (() => void | Promise<void>) | undefined])[] {
    const server = this.#server
    const ttl = this.#ttl
    if (server instanceof ChaosServer) return []
    const random = this.#random
    const deeds = [
      // Most of the time nothing shall end sessions, else nothing is left to resume.
      [12, 'cut', () => random.pick(proxy.links.filter(({ closed }) => !closed))?.cut('rst')],
      [3, 'hijack', () => this.#hijack(proxy, actors)],
      [0.5, 'absence', () => this.#beAway(proxy, random.between(ttl / 2, 2 * ttl))]
    ] as const
    if (server instanceof Nodes)
      return [
        ...deeds,
        [1, 'redis', () => server.killRedis(() => pause(random.between(0, 500)))],
        [1, 'freeze', () => server.freeze(() => pause(random.between(20, random.chance(0.1) ? 4500 : 800)))]
      ]
    if (!(server instanceof ResumeServer)) return []
    return [
      ...deeds,
      [0.3, 'end', () => server.end()],
      [0.5, 'jump', () => server.jump(random.between(1, random.chance(0.3) ? 2 * ttl : 300))],
      [0.5, 'sleep', () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random.between(20, 400))],
      [0.3, 'drain', () => this.#drain(proxy, server)]
    ]
  }

  /** All is well again, and stays so. */
  async clear(proxy: FaultProxy): Promise<void> {
    this.#ledger.note('weather: clear')
    this.#clear = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#server.rejections.length = 0
    proxy.resetting = false
    for (const link of [...this.#holes, ...this.#stalled]) link.cut('rst')
    for (const link of proxy.links) {
      link.after('up', Infinity, () => undefined)
      link.after('down', Infinity, () => undefined)
      for (const direction of ['up', 'down'] as const) link.set(direction, {})
    }
    if (!this.#server.isUp) await this.#start(proxy)
    this.#judgeCorruption()
    await Promise.all(this.#strikes)
  }

  #hijack(proxy: FaultProxy, actors: readonly Actor[]): void {
    const random = this.#random
    const { sniffed } = random.pick(actors) ?? {}
    if (!sniffed) return
    const url = new URL(`ws://127.0.0.1:${String(typeof proxy.target === 'function' ? proxy.target() : proxy.target)}/ws`)
    url.search = new URL(actors[0]?.url ?? '').search
    const strike = new Hijacker(url.href, this.#ledger, random).strike(sniffed)
    this.#strikes.add(strike)
    void strike.then(() => this.#strikes.delete(strike))
  }

  /** Nobody gets through for a while. */
  #beAway(proxy: FaultProxy, ms: number): void {
    proxy.resetting = true
    for (const link of proxy.links) link.cut('rst')
    this.#later(ms, () => (proxy.resetting = false))
  }

  async #drain(proxy: FaultProxy, server: ResumeServer): Promise<void> {
    await server.drain()
    proxy.target = await server.start()
  }

  /** Sessions are excused until the last byte of such a link has had its effect. */
  #judgeCorruption(): void {
    for (const link of this.#corrupted)
      if (link.closed) {
        this.#ledger.excuse(undefined, 'a byte was turned over')
        this.#corrupted.delete(link)
      }
    this.#ledger.corrupts = this.#corrupted.size > 0
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }

  #direction(): Direction {
    return this.#random.chance(0.5) ? 'up' : 'down'
  }

  /** A fault of one direction that passes. */
  #for(link: Link, fault: Parameters<Link['set']>[1]): void {
    const direction = this.#direction()
    if (fault.stall) this.#stalled.add(link)
    link.set(direction, fault)
    this.#later(this.#random.between(10, 500), () => this.#holes.has(link) || link.set(direction, {}))
  }

  /** Bytes travel in fits and starts. */
  #lag(link: Link, times = this.#random.between(1, 10)): void {
    if (times === 0 || this.#clear || this.#holes.has(link)) return
    const direction = this.#direction()
    this.#stalled.add(link)
    link.set(direction, { stall: true })
    this.#later(this.#random.between(1, 100), () => {
      if (!this.#holes.has(link)) link.set(direction, {})
      this.#lag(link, times - 1)
    })
  }

  #swallow(link: Link): void {
    this.#holes.add(link)
    link.blackhole()
    // The rest of it, if the client did not leave before.
    this.#later(this.#random.between(50, 1000), () => link.cut('rst'))
  }

  /** One byte to come is turned over in its highest bit: never again JSON, UTF-8 or the right frame. */
  #corrupt(link: Link): void {
    this.#ledger.corrupted = this.#ledger.corrupts = true
    this.#corrupted.add(link)
    // A length that is turned over makes its reader wait for bytes that never come.
    this.#stalled.add(link)
    let left = this.#random.between(0, 200)
    link.set(this.#direction(), { corrupt: (byte) => (left-- === 0 ? byte ^ 0x80 : byte) })
  }

  #resetDials(proxy: FaultProxy): void {
    proxy.resetting = true
    this.#later(this.#random.between(20, 300), () => (proxy.resetting = false))
  }

  #rejectUpgrades(): void {
    const { rejections } = this.#server
    // A first 404 makes a client offer less for the rest of its life, and then it has no sessions.
    const last = this.#ttl === 0 || this.#random.chance(0.1) ? 404 : 504
    const status = this.#random.pick([503, 503, 429, 500, 502, last, 401, 302]) ?? 503
    const retryAfter = this.#random.pick([undefined, 0, this.#random.chance(0.2) ? 1 : 0])
    for (let count = this.#random.between(1, 3); count > 0; count--) rejections.push({ status, retryAfter })
  }

  async #restart(proxy: FaultProxy): Promise<void> {
    const server = this.#server
    await server.kill()
    // Now and then another release comes up, which speaks the other era.
    if (this.#random.chance(0.1)) server.changeEra()
    await pause(this.#random.between(0, 250))
    await this.#start(proxy)
  }

  async #start(proxy: FaultProxy): Promise<void> {
    const port = await this.#server.start()
    if (typeof proxy.target === 'number') proxy.target = port
  }
}
