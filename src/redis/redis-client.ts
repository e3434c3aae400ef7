// The part of a client of the package `redis` that is used here, in types of our own: so a program without Redis does not need that
// package, and neither do our declarations.

/** How one command is sent. */
export interface RedisCommandOptions {
  /** The types to which replies are mapped. If it is empty, texts are strings. */
  readonly typeMapping?: object
  /** How long the command may wait until it is written, in ms; 0: for ever. */
  readonly timeout?: number
}

/** A client that `createClient()` of the package `redis` makes, version 6: as much of it as `RedisSessionStore` uses. */
export interface RedisClient {
  /** Whether it is connected, or connects again by itself. */
  readonly isOpen: boolean
  /** Whether it is connected, and commands are written at once. */
  readonly isReady: boolean
  /** Connects. */
  connect(): Promise<unknown>
  /** Makes another client with the same options, which is not connected. */
  duplicate(): RedisClient
  /** Sends one command; those of one client are carried out in their order. */
  sendCommand(args: readonly string[], options?: RedisCommandOptions): Promise<unknown>
  /** Listens to a channel; the connection can then be used for little else. */
  subscribe(channel: string, listener: (text: string) => void): Promise<void>
  /** Ends `subscribe`. */
  unsubscribe(channel: string): Promise<void>
  /** Adds a listener of an event. */
  on(event: string, listener: (error?: unknown) => void): unknown
  /** Removes a listener of an event. */
  off(event: string, listener: (error?: unknown) => void): unknown
  /** Closes the connection at once. */
  destroy(): void
}
