/**
 * The reason of a close frame with 1001 of a server that has responded to every request that it received: those that crossed the frame
 * were not executed (docs/binding.md, section 8).
 */
export const ALL_ANSWERED = 'the server is closing; all that it received is answered'

/** Close code after which a client comes back, as its session is somewhere else, or cannot be reached. */
export const SERVICE_RESTART = 1012
