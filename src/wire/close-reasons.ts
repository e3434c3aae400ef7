/**
 * The reason that a server gives with 1001 if it has responded to every request that it received. So a request that crossed the close frame
 * was not executed (docs/binding.md, section 8).
 */
export const ALL_ANSWERED = 'the server is closing; all that it received is answered'

/** Close code that makes a client dial again, because its session is at another node, or cannot be reached now. */
export const SERVICE_RESTART = 1012

/**
 * Close codes that end a session of `mcp.v1.resume` (docs/binding.md, section 12). 1000 is an end that somebody wanted; after the others,
 * what was sent last would end the next socket too (RFC 6455 section 7.4.1).
 */
export const ENDING_CODES: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009]
