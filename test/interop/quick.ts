/** Redials that come soon. */
export const quick = { initialDelay: 20, maxDelay: 200, maxRetries: 300 }
