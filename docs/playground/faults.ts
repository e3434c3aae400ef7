// What the page and its server say to each other.

/** What the page may do to the connections and to the MCP server. */
export type Fault = 'cut' | 'stall' | 'flow' | 'offline' | 'online' | 'stop' | 'start' | 'restart'

/** What lasts until somebody ends it. */
export interface Trouble {
  /** No byte passes. */
  readonly stalled: boolean
  /** Every dial is refused. */
  readonly offline: boolean
  /** The MCP server does not run. */
  readonly stopped: boolean
}

/** The response to `GET /state` and to every fault. */
export interface PlaygroundState extends Trouble {
  /** Where the clients of the page connect. */
  readonly url: string
}
