import { asError, guarded } from '../lib/guarded.js'
import type { Clock } from '../lib/clock.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import { Waits } from '../lib/waits.js'
import type { RedisClient, RedisCommandOptions } from './redis-client.js'

// In ms. A healthy Redis answers within a few.
const ANSWER_LIMIT = 2000
// In ms, between two tries to reach Redis again. An event of the client may cause one sooner.
const RETRY = 500
// Texts are strings here, whatever types the program's client maps replies to. No timeout: that of node-redis costs a timer for each
// command.
const OPTIONS: RedisCommandOptions = { typeMapping: {}, timeout: 0 }

/** What a link needs of its owner. None of the functions throws, but `prepare` may reject. */
export interface LinkOwner {
  /** The channel to listen to. */
  readonly channel: string
  /** Ms between two beats. */
  readonly beat: number
  /** Called when commands can be sent, first and after each loss, before `onRestored`. */
  prepare(): Promise<void>
  /** A text came over the channel. */
  onText(text: string): void
  /** Called at regular intervals while Redis can be reached. */
  onBeat(): void
  /** Redis cannot be reached. */
  onLost(error: Error): void
  /** Redis can be reached again. */
  onRestored(): void
}

// In `redis` 6.0, `destroy` throws if the client has given up by itself.
const destroy = (client: RedisClient): unknown =>
  guarded(
    () => client.destroy(),
    () => undefined
  )

const due = (onDue: () => void): Due => ({ dueAt: 0, slot: -1, onDue })

/**
 * The way to Redis: the client of the program for commands, and a second one for the channel. It is lost as soon as a command fails or
 * gets no answer, or one of the clients says that something is wrong; and restored when both answer again.
 */
export class RedisLink {
  readonly #client: RedisClient
  readonly #owner: LinkOwner
  readonly #timer: SharedTimer
  readonly #waits: Waits
  #subscriber: RedisClient | undefined
  #state: 'opening' | 'ready' | 'lost' | 'closed' = 'opening'
  /** Grows with each loss. A reply to a command of an earlier era no longer counts: what it is about was given up. */
  #era = 0
  /** How often something went wrong. If it grows during a restore, the restore has failed. */
  #faults = 0
  #isRestoring = false
  /** Pings without an answer, one for each client: while Redis stands still, no further ones are sent. */
  readonly #pings = new Map<RedisClient, Promise<unknown>>()
  readonly #beat: Due = due(() => this.#onBeat())
  readonly #retry: Due = due(() => void this.#restore())
  readonly #onFault = (error?: unknown): void =>
    this.fail(error === undefined ? new Error('the connection to Redis broke') : asError(error))
  readonly #onReady = (): void => void this.#restore()

  /** @param client - Stays the program's: it is neither connected nor closed here. */
  constructor(client: RedisClient, clock: Clock, owner: LinkOwner) {
    this.#client = client
    this.#owner = owner
    this.#timer = new SharedTimer(clock)
    // The connections keep the process alive, not these timers.
    this.#timer.idle = true
    this.#waits = new Waits(clock)
  }

  /** Whether Redis can be reached. */
  get isReady(): boolean {
    return this.#state === 'ready'
  }

  /** Begins to listen. May be called once. @throws If Redis cannot be reached. */
  async open(): Promise<void> {
    this.#listen(this.#client, 'on')
    try {
      await this.#establish()
      this.#begin()
    } catch (thrown) {
      await this.close()
      throw thrown
    }
  }

  /** Ends everything; what was written before is carried out. Never rejects. @param lastCommand - Sent behind all that was written. */
  async close(lastCommand?: readonly string[]): Promise<void> {
    const wasReady = this.isReady
    this.#state = 'closed'
    this.#era++
    this.#timer.clear(this.#beat)
    this.#timer.clear(this.#retry)
    this.#listen(this.#client, 'off')
    const subscriber = this.#subscriber
    if (wasReady && this.#client.isReady && lastCommand)
      await Promise.allSettled([
        this.#limited(this.#client.sendCommand(lastCommand, OPTIONS)),
        // Without this, Redis would count the subscriber as present until it notices that the socket is closed.
        subscriber && this.#limited(subscriber.unsubscribe(this.#owner.channel))
      ])
    this.#dropSubscriber()
  }

  /**
   * Sends a command and does not wait. While Redis cannot be reached it is dropped: node-redis would keep it, without a bound.
   * @param onReply - Not called if Redis was lost meanwhile.
   */
  write(args: readonly string[], onReply: (reply: unknown) => void): void {
    if (!this.isReady) return
    const era = this.#era
    this.#client.sendCommand(args, OPTIONS).then(
      (reply) => {
        if (era === this.#era) onReply(reply)
      },
      (thrown: unknown) => {
        if (era === this.#era) this.fail(asError(thrown))
      }
    )
  }

  /**
   * Sends a command and waits for the reply.
   * @param spare - Sent in its place if Redis does not have the script.
   * @throws If Redis cannot be reached.
   */
  async ask(args: readonly string[], spare?: readonly string[]): Promise<unknown> {
    this.#checkOpen()
    if (!this.#client.isReady) throw new Error('Redis cannot be reached')
    const era = this.#era
    try {
      return await this.#limited(this.#client.sendCommand(args, OPTIONS))
    } catch (thrown) {
      const error = asError(thrown)
      if (spare && error.message.startsWith('NOSCRIPT')) return this.ask(spare)
      if (era === this.#era) this.fail(error)
      throw error
    }
  }

  /** Something is wrong: Redis counts as lost. */
  fail(error: Error): void {
    this.#faults++
    if (this.#state !== 'ready') return
    this.#state = 'lost'
    this.#era++
    this.#timer.clear(this.#beat)
    this.#timer.set(this.#retry, RETRY)
    this.#owner.onLost(error)
  }

  async #restore(): Promise<void> {
    if (this.#state !== 'lost' || this.#isRestoring) return
    this.#isRestoring = true
    const isRestored = await this.#establish().then(
      () => true,
      () => false
    )
    this.#isRestoring = false
    this.#onTried(isRestored)
  }

  #onTried(isRestored: boolean): void {
    if (this.#state !== 'lost') return
    if (!isRestored) return this.#timer.set(this.#retry, RETRY)
    this.#begin()
    this.#owner.onRestored()
  }

  #begin(): void {
    this.#checkOpen()
    this.#state = 'ready'
    this.#timer.clear(this.#retry)
    this.#timer.set(this.#beat, this.#owner.beat)
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new Error('close() was called')
  }

  async #establish(): Promise<void> {
    const faults = this.#faults
    await this.#ping(this.#client)
    if (this.#subscriber?.isOpen) await this.#ping(this.#subscriber)
    else await this.#subscribe()
    await this.#owner.prepare()
    if (faults !== this.#faults) throw new Error('the connection to Redis broke')
  }

  /** Makes the second client: at first, and where the last one has given up. */
  async #subscribe(): Promise<void> {
    this.#checkOpen()
    this.#dropSubscriber()
    const subscriber = this.#client.duplicate()
    this.#subscriber = subscriber
    // An error may come even after `destroy`; without a listener it would end the process.
    subscriber.on('error', () => undefined)
    try {
      await this.#limited(subscriber.connect())
      await this.#limited(subscriber.subscribe(this.#owner.channel, (text) => this.#onText(text)))
    } catch (thrown) {
      destroy(subscriber)
      if (this.#subscriber === subscriber) this.#subscriber = undefined
      throw thrown
    }
    // From now on the client reconnects and subscribes again by itself.
    if (this.#subscriber === subscriber) this.#listen(subscriber, 'on')
  }

  #dropSubscriber(): void {
    if (this.#subscriber === undefined) return
    this.#listen(this.#subscriber, 'off')
    this.#pings.delete(this.#subscriber)
    destroy(this.#subscriber)
    this.#subscriber = undefined
  }

  #listen(client: RedisClient, how: 'on' | 'off'): void {
    for (const event of ['error', 'end', 'reconnecting']) client[how](event, this.#onFault)
    client[how]('ready', this.#onReady)
  }

  #onText(text: string): void {
    if (this.#state !== 'closed') this.#owner.onText(text)
  }

  #onBeat(): void {
    this.#timer.set(this.#beat, this.#owner.beat)
    this.#owner.onBeat()
    // A subscriber whose connection is dead does not notice it by itself.
    if (this.#subscriber) this.#ping(this.#subscriber).catch((thrown: unknown) => this.fail(asError(thrown)))
  }

  async #ping(client: RedisClient): Promise<void> {
    if (!client.isReady) throw new Error('the Redis client is not connected')
    const ping = this.#pings.get(client) ?? client.sendCommand(['PING'], OPTIONS).finally(() => this.#pings.delete(client))
    this.#pings.set(client, ping)
    await this.#limited(ping)
  }

  #limited<T>(promise: Promise<T>): Promise<T | undefined> {
    const late = (): Error => new Error(`Redis has not answered within ${String(ANSWER_LIMIT)} ms`)
    return this.#waits.until(() => promise, { ms: ANSWER_LIMIT, late })
  }
}
