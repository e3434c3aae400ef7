import { StandardSocket } from './web-socket.js'

// Stands in for node-socket.ts in the browser build: no browser sets headers or shows an HTTP response.

/** `false` for every class, in a browser. */
export const canSetHeaders = (): boolean => false

/** A name for the import of `open-socket.ts`; in a browser nothing constructs it. */
export const NodeSocket: typeof StandardSocket = StandardSocket
