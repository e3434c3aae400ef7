import type { IncomingMessage } from 'node:http'
import { asError } from '../lib/guarded.js'
import type { Clock, Timer } from '../lib/clock.js'
import { REFUSALS, type Refusal } from './upgrade.js'
import type { McpWebSocketServerOptions } from './types.js'

/** Who asks for credentials to be judged, and for how long. */
export interface AdmissionConfig<Auth> {
  readonly clock: Clock
  readonly authenticate: McpWebSocketServerOptions<Auth>['authenticate']
  readonly authTimeout: number
  readonly onerror: (error: Error) => void
}

/** What became of a handshake: somebody comes in, somebody does not, or nobody is there any more. */
export type Admission<Auth> = { readonly auth: Auth } | { readonly refusal: Refusal } | 'left'

// What a client may send before it is told that it may, in bytes.
const MOST_EARLY = 64 * 1024

/** Lets `authenticate` decide. Meanwhile nothing is read beyond what Node buffers, and nothing is thrown. */
export async function admit<Auth>(
  request: IncomingMessage,
  token: string | undefined,
  head: Buffer,
  { clock, authenticate, authTimeout, onerror }: AdmissionConfig<Auth>
): Promise<Admission<Auth>> {
  const { socket } = request
  const readBefore = socket.bytesRead - head.length
  let onLeft: () => void = () => undefined
  let timer: Timer | undefined
  const decided = new Promise<Admission<Auth>>((resolve) => {
    timer = clock.after(authTimeout, () => resolve({ refusal: REFUSALS.authenticationTimeout }))
    onLeft = () => resolve('left')
    // `end` comes although nobody reads, as long as nothing was sent too early.
    socket.once('end', onLeft).once('close', onLeft)
    // `async`: a synchronous throw is a rejection too.
    const asked = async (): Promise<Auth | undefined> => authenticate?.(request, token)
    asked().then(
      // `false` is what a comparison returns that somebody forgot to turn into auth info.
      (auth) => resolve(auth === undefined || auth === null || auth === false ? { refusal: REFUSALS.unauthorized } : { auth }),
      (thrown: unknown) => {
        onerror(asError(thrown))
        resolve({ refusal: REFUSALS.authentication })
      }
    )
  })
  const verdict = await decided
  timer?.cancel()
  socket.off('end', onLeft).off('close', onLeft)
  if (verdict === 'left') return verdict
  return socket.bytesRead - readBefore > MOST_EARLY ? { refusal: REFUSALS.malformed } : verdict
}
