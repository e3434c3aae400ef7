import type { ClientEvents, McpWebSocketClient, StateChange, Subscription, Tool } from 'mcp-websocket-client'

/** The tools of a server, for a component to show. */
export interface McpTools {
  /** All tools of the server, and the same array until they change; they stay through an outage. `undefined` before they are known. */
  readonly tools: readonly Tool[] | undefined
  /** Why the tools could not be read, or why the server does not tell of changes; `undefined` if all is well. */
  readonly error: Error | undefined
}

/** What is known before the first answer of the server. */
export const UNKNOWN: McpTools = { tools: undefined, error: undefined }

const CHANGED = 'notifications/tools/list_changed'

/** The list of a server's tools: read when somebody watches, and again whenever it may have changed. */
export class ToolList {
  readonly #client: McpWebSocketClient
  readonly #watchers = new Set<() => void>()
  #value = UNKNOWN
  /** Whether something may have changed since the list was last asked for. */
  #isStale = false
  #isReading = false
  /** In the modern era a server tells of changes only to a client that listens. */
  #subscription: Subscription | undefined

  /** @param client - Is neither connected nor closed. */
  constructor(client: McpWebSocketClient) {
    this.#client = client
  }

  /** What is known; the same object until something changed. */
  readonly read = (): McpTools => this.#value

  /** Calls `notify` at every change. @returns Ends that. */
  readonly watch = (notify: () => void): (() => void) => {
    this.#watchers.add(notify)
    if (this.#watchers.size === 1) {
      this.#client.on('state', this.#onState)
      this.#client.on('notification', this.#onNotification)
      void this.#refresh()
    }
    return () => {
      this.#watchers.delete(notify)
      if (this.#watchers.size > 0) return
      this.#client.off('state', this.#onState)
      this.#client.off('notification', this.#onNotification)
      this.#subscription?.close()
      this.#subscription = undefined
    }
  }

  // After every outage: the server may be another one, and what it told meanwhile is lost.
  readonly #onState = ({ to }: StateChange): void => {
    if (to === 'ready') void this.#refresh()
  }

  readonly #onNotification = ({ method }: ClientEvents['notification']): void => {
    if (method === CHANGED) void this.#refresh()
  }

  /** Not a property: it changes while something is awaited. */
  #isUseful(): boolean {
    return this.#watchers.size > 0 && this.#client.state === 'ready'
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    this.#isStale = true
    if (this.#isReading) return
    this.#isReading = true
    // Several causes in one turn ask only once: after a reconnect there are two, the state and a notification.
    await Promise.resolve()
    while (this.#isStale && this.#isUseful()) {
      this.#isStale = false
      await this.#ask()
    }
    this.#isReading = false
  }

  async #ask(): Promise<void> {
    const { tools } = this.#client.serverCapabilities ?? {}
    let error: Error | undefined
    const note = (thrown: unknown): undefined => void (error = thrown as Error)
    // Listens before it reads the list, so that no change is missed in between.
    if (tools?.listChanged && this.#client.era === 'modern') await this.#listen().catch(note)
    if (!this.#isUseful()) return
    const list = tools ? (await this.#client.listTools().catch(note))?.tools : []
    // If the connection has ended meanwhile, the list is read again on the next one.
    if (this.#isUseful()) this.#show({ tools: list ?? this.#value.tools, error })
  }

  async #listen(): Promise<void> {
    if (this.#subscription) return
    const subscription = await this.#client.listen({ toolsListChanged: true })
    this.#subscription = subscription
    void subscription.closed.then(() => {
      if (this.#subscription === subscription) this.#subscription = undefined
    })
    // Everybody may have gone while it was opened.
    if (this.#watchers.size === 0) subscription.close()
  }

  #show({ tools, error }: McpTools): void {
    const { tools: before, error: errorBefore } = this.#value
    const isSame = textOf(tools) === textOf(before)
    if (isSame && error === errorBefore) return
    this.#value = { tools: isSame ? before : tools, error }
    for (const notify of this.#watchers) notify()
  }
}

/** A list as text, to compare it; for one that cannot be written, a value that equals no other. */
function textOf(tools: McpTools['tools']): unknown {
  try {
    // The option `json` of a client may make a BigInt of a number.
    return JSON.stringify(tools, (_name, member: unknown) => (typeof member === 'bigint' ? String(member) : member))
  } catch {
    // A server may nest a schema more deeply than the engine can write.
    return {}
  }
}
