import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { asError } from '../core/guarded.js'
import type { Clock } from '../io/clock.js'
import { REFUSALS, type Refusal } from './handshake.js'
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
  const verdict = await new Promise<Admission<Auth>>((resolve) => {
    const timer = clock.after(authTimeout, () => resolve({ refusal: REFUSALS.authenticationTimeout }))
    const onClose = (): void => resolve('left')
    socket.once('close', onClose)
    // `async`: a synchronous throw is a rejection too.
    const asked = async (): Promise<Auth | undefined> => authenticate?.(request, token)
    asked()
      .then(
        // `false` is what a comparison returns that somebody forgot to turn into auth info.
        (auth) => resolve(auth === undefined || auth === null || auth === false ? { refusal: REFUSALS.unauthorized } : { auth }),
        (thrown: unknown) => {
          onerror(asError(thrown))
          resolve({ refusal: REFUSALS.authentication })
        }
      )
      .finally(() => {
        timer.cancel()
        socket.off('close', onClose)
      })
  })
  if (await hasLeft(socket)) return 'left'
  return socket.bytesRead - readBefore > MOST_EARLY ? { refusal: REFUSALS.malformed } : verdict
}

/** Whether the client hung up. The end of a stream from which nobody reads shows only when it is asked for. */
async function hasLeft(socket: Duplex): Promise<boolean> {
  if (socket.readableLength === 0) socket.read(0)
  await new Promise((resolve) => setImmediate(resolve))
  return socket.destroyed || socket.readableEnded
}
