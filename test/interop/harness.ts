// The harness of the integration tests, and what is usual here.
export { nextEvent, rejectionOf, until, useClient, type Observed } from '../integration/harness.js'

/** Redials that come soon. */
export const quick = { initialDelay: 20, maxDelay: 200, maxRetries: 300 }
