// The shapes that both eras share. One file for each topic below; everything else imports from here.

export type { Icon } from './parts.js'
export type * from './json-rpc.js'
export type * from './content.js'
export type * from './capabilities.js'
export type * from './server-features.js'
export type * from './client-features.js'
