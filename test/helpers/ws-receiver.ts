import type { Writable } from 'node:stream'
import * as ws from 'ws'

/** What reads frames in a `ws`. Exported by it, though not by its types. */
export const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean; maxPayload?: number }) => Writable }
