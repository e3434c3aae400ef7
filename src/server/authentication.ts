import type { IncomingMessage } from 'node:http'
import { asError } from '../lib/guarded.js'
import type { Clock, Timer } from '../lib/clock.js'
import { expiryOf } from './expiry.js'
import { REJECTED_UPGRADES, type RejectedUpgrade } from './upgrade.js'
import type { McpWebSocketServerOptions } from './types.js'

/** How to authenticate. */
export interface AuthenticationConfig<Auth> {
  /** Measures `authTimeout`. */
  readonly clock: Clock
  /** The program's list of origins, where it is a function. */
  readonly isAllowedOrigin: OriginFilter | undefined
  /** The program's callback. */
  readonly authenticate: McpWebSocketServerOptions<Auth>['authenticate']
  /** How long both may take together, in ms. */
  readonly authTimeout: number
  /** Called with what one of them throws or rejects with. */
  readonly onFailed: (callback: 'allowedOrigins' | 'authenticate', error: Error) => void
}

/** Decides whether pages of an origin may connect. */
export type OriginFilter = Extract<McpWebSocketServerOptions['allowedOrigins'], (...args: never) => unknown>

/** Who the client is; or the response that rejects its upgrade; or `left`, if it hung up meanwhile. */
export type Authentication<Auth> = { readonly auth: Auth } | { readonly rejected: RejectedUpgrade } | 'left'

// A client may send this many bytes before its upgrade is accepted: more of them would fill the memory.
const MAX_EARLY_BYTES = 64 * 1024

/**
 * Lets the program decide about an upgrade: first about its origin, then about its credentials. Meanwhile nobody reads from the socket;
 * Node buffers what comes. Never rejects.
 * @param head - What Node has read beyond the request.
 */
export async function authenticateUpgrade<Auth>(
  request: IncomingMessage,
  token: string | undefined,
  head: Buffer,
  { clock, isAllowedOrigin, authenticate, authTimeout, onFailed }: AuthenticationConfig<Auth>
): Promise<Authentication<Auth>> {
  const { socket } = request
  const readBefore = socket.bytesRead - head.length
  let onLeft: () => void = () => undefined
  let timer: Timer | undefined
  const decided = new Promise<Authentication<Auth>>((resolve) => {
    timer = clock.after(authTimeout, () => resolve({ rejected: REJECTED_UPGRADES.authenticationTimeout }))
    onLeft = () => resolve('left')
    // Node emits `end` although nobody reads, as long as the client has sent nothing too early.
    socket.once('end', onLeft).once('close', onLeft)
    let asked: 'allowedOrigins' | 'authenticate' = 'allowedOrigins'
    // `async` turns a synchronous throw into a rejection.
    const ask = async (): Promise<Authentication<Auth>> => {
      const { origin } = request.headers
      const isAsked = isAllowedOrigin !== undefined && origin !== undefined
      // Only `true` lets a page in: a function that forgot to return anything must not.
      const isAllowed: unknown = isAsked ? await isAllowedOrigin(origin, request) : true
      if (isAllowed !== true) return { rejected: REJECTED_UPGRADES.origin }
      asked = 'authenticate'
      if (authenticate === undefined) return { auth: undefined as Auth }
      const auth = await authenticate(request, token)
      // `false` may be a comparison that the program forgot to turn into auth info, and `''` or 0 a search for a name or an index. None of
      // these must let a client in.
      const isUnknown = !auth
      return isUnknown || (expiryOf(auth) ?? Infinity) <= Date.now() ? { rejected: REJECTED_UPGRADES.unauthorized } : { auth }
    }
    ask().then(resolve, (thrown: unknown) => {
      onFailed(asked, asError(thrown))
      resolve({ rejected: REJECTED_UPGRADES.authentication })
    })
  })
  const authentication = await decided
  timer?.cancel()
  socket.off('end', onLeft).off('close', onLeft)
  if (authentication === 'left') return authentication
  return socket.bytesRead - readBefore > MAX_EARLY_BYTES ? { rejected: REJECTED_UPGRADES.malformed } : authentication
}
