import { abort } from '../lib/abort.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import type { Agreement } from '../session/agreement.js'
import type { JsonRpcNotification } from '../types/json-rpc.js'
import type { SubscriptionFilter } from '../types/modern.js'
import type { RequestOptions } from '../types/options.js'
import { ACKNOWLEDGED } from '../wire/methods.js'
import type { Subscription } from './subscriptions.js'

/** What {@link TaskNews} works with. */
export interface TaskNewsHost {
  /** What was agreed with the server. */
  agreement(): Agreement | undefined
  /** Opens a subscription that is not shown to the program. */
  listen(filter: SubscriptionFilter, options: RequestOptions): Promise<Subscription>
}

/** Waits for what the server tells of one task. */
export class TaskWatch {
  /** Which task. */
  readonly taskId: string
  /** Ends the watch when it fires. */
  readonly over: AbortController = new AbortController()
  /** The subscription by which the server tells of the task; `undefined` if there is none. */
  subscription: Subscription | undefined
  #news: Deferred<void> = deferred()

  /** A watch that has heard nothing. */
  constructor(taskId: string) {
    this.taskId = taskId
  }

  /** Resolves when the server tells that the task has changed, or has done so since {@link reset}. */
  get news(): Promise<void> {
    return this.#news.promise
  }

  /** Whether the server tells of every change. */
  get isTold(): boolean {
    return this.subscription?.honoredFilter.taskIds?.includes(this.taskId) ?? false
  }

  /** The task is about to be looked at: what was told before no longer counts. */
  reset(): void {
    this.#news = deferred()
  }

  /** The task may have changed. */
  wake(): void {
    this.#news.resolve()
  }

  /** Nobody waits for the task any more. */
  close(): void {
    abort(this.over, new Error('the task is over'))
  }
}

/**
 * The notifications of servers about tasks: about those that somebody listens for (the extension), or about all that they have made
 * (2025-11-25). A notification only causes a look at the task before its time, because it may be late, or lost with its connection.
 */
export class TaskNews {
  readonly #host: TaskNewsHost
  readonly #watches = new Set<TaskWatch>()
  /** The agreement with a server that does not tell of tasks: it is not asked again. */
  #silent: Agreement | undefined

  /** @param host - Opens the subscriptions. */
  constructor(host: TaskNewsHost) {
    this.#host = host
  }

  /** Watches a task, until the watch is closed. */
  watch(taskId: string): TaskWatch {
    const watch = new TaskWatch(taskId)
    this.#watches.add(watch)
    watch.over.signal.addEventListener('abort', () => this.#watches.delete(watch))
    void this.#listen(watch)
    return watch
  }

  /** A notification came in. */
  onNotification({ method, params }: JsonRpcNotification): void {
    if (this.#watches.size === 0) return
    const isNews = method === 'notifications/tasks' || method === 'notifications/tasks/status'
    // A subscription tells nothing of changes before its acknowledgement, so the acknowledgement counts as news too, also after a
    // reconnect.
    const { taskIds } = (method === ACKNOWLEDGED && (params?.notifications as SubscriptionFilter | undefined)) || {}
    const ids = isNews ? [params?.taskId] : taskIds
    if (Array.isArray(ids)) for (const watch of this.#watches) if (ids.includes(watch.taskId)) watch.wake()
  }

  async #listen(watch: TaskWatch): Promise<void> {
    const { signal } = watch.over
    const agreement = this.#host.agreement()
    if (agreement?.era !== 'modern' || agreement === this.#silent) return
    const subscription = await this.#host.listen({ taskIds: [watch.taskId] }, { signal }).catch(() => undefined)
    watch.subscription = subscription
    if (watch.isTold) {
      await subscription?.closed
      watch.subscription = undefined
      watch.wake()
    } else {
      subscription?.close()
      if (!signal.aborted) this.#silent = agreement
    }
  }
}
