import { PlainSocket } from './web-socket.js'

// Stands in for node-socket.ts in the browser build: no engine there sets headers or shows an HTTP answer.

/** Never, in a browser. */
export const canSetHeaders = (): boolean => false

/** Never made, in a browser: a name for the import that is bundled. */
export const NodeSocket: typeof PlainSocket = PlainSocket
