import type { IncomingMessage } from 'node:http'
import { asError } from '../lib/guarded.js'
import type { Clock, Timer } from '../lib/clock.js'
import { REJECTED_UPGRADES, type RejectedUpgrade } from './upgrade.js'
import type { McpWebSocketServerOptions } from './types.js'

/** How to authenticate. */
export interface AuthenticationConfig<Auth> {
  /** Measures `authTimeout`. */
  readonly clock: Clock
  /** The program's callback. */
  readonly authenticate: McpWebSocketServerOptions<Auth>['authenticate']
  /** How long it may take, in ms. */
  readonly authTimeout: number
  /** Called with what it throws or rejects with. */
  readonly onerror: (error: Error) => void
}

/** Who the client is, or the response that it gets instead of a socket, or `left` if it hung up meanwhile. */
export type Authentication<Auth> = { readonly auth: Auth } | { readonly rejected: RejectedUpgrade } | 'left'

// A client may send this many bytes before its upgrade is accepted: one that writes on would fill the memory.
const MAX_EARLY_BYTES = 64 * 1024

/**
 * Lets `authenticate` decide about an upgrade. Meanwhile only what Node buffers is read from the socket. Never rejects.
 * @param head - What Node has read beyond the request.
 */
export async function authenticateUpgrade<Auth>(
  request: IncomingMessage,
  token: string | undefined,
  head: Buffer,
  { clock, authenticate, authTimeout, onerror }: AuthenticationConfig<Auth>
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
    // `async` turns a synchronous throw into a rejection.
    const asked = async (): Promise<Auth | undefined> => authenticate?.(request, token)
    asked().then(
      // `false` is the result of a comparison that the program forgot to turn into auth info: it must not mean "come in".
      (auth) => resolve(auth === undefined || auth === null || auth === false ? { rejected: REJECTED_UPGRADES.unauthorized } : { auth }),
      (thrown: unknown) => {
        onerror(asError(thrown))
        resolve({ rejected: REJECTED_UPGRADES.authentication })
      }
    )
  })
  const authentication = await decided
  timer?.cancel()
  socket.off('end', onLeft).off('close', onLeft)
  if (authentication === 'left') return authentication
  return socket.bytesRead - readBefore > MAX_EARLY_BYTES ? { rejected: REJECTED_UPGRADES.malformed } : authentication
}
