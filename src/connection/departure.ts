/** Why a socket has to be left: nothing new is sent over it, and once nothing is in flight the connection moves to a new one. */
export interface Departure {
  /** In words, for the closure. */
  readonly reason: string
  /** Least time until the next dial, in ms. */
  readonly delay: number
  /** Whether the session of `mcp.v1.resume` ends too. */
  readonly endsSession: boolean
}

/** The server is about to close. */
export const SERVER_CLOSING: Departure = { reason: 'the server is closing', delay: 0, endsSession: true }

/** The token is about to expire. */
export const TOKEN_EXPIRES: Departure = { reason: 'the token expires', delay: 0, endsSession: false }

// In ms. Time for what is in flight, for the provider, and for clocks that differ.
const LEAD = 30_000

/**
 * When to move to a connection with a new token, in ms from now.
 * @param lifetime - How long the token is good, in ms; `undefined`: for ever. A token that has expired already is left to the server: a new
 * one would be no better.
 */
export const renewAfter = (lifetime: number = Infinity): number => (lifetime > 0 ? Math.max(lifetime - LEAD, lifetime / 2) : Infinity)
