// React Native's signals have neither `reason` nor `throwIfAborted`, and its controllers take no reason.

/** An `AbortError`, as signals have for a reason where none was given. @param message - In place of what that says; used if it is a text. */
export const abortError = (message?: unknown): Error =>
  Object.assign(new Error(typeof message === 'string' && message ? message : 'This operation was aborted'), { name: 'AbortError' })

/** Why a signal fired: its reason, or an `AbortError` where signals have none. */
export const reasonOf = (signal: AbortSignal): unknown => (signal.reason === undefined ? abortError() : signal.reason)

/** Aborts, so that {@link reasonOf} finds the reason in every engine. */
export function abort(controller: AbortController, reason: unknown): void {
  const { signal } = controller
  if (!('reason' in signal)) Object.assign(signal, { reason })
  controller.abort(reason)
}

/** @throws The reason of the signal, if it fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw reasonOf(signal)
}
