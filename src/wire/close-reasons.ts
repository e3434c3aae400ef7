/**
 * The reason that a server gives with 1001 if it has responded to every request that it received. So a request that crossed the close frame
 * was not executed (docs/binding.md, section 8).
 */
export const ALL_ANSWERED = 'the server is closing; all that it received is answered'

/** Close code that makes a client dial again, because its session is at another node, or cannot be reached now. */
export const SERVICE_RESTART = 1012
