// React Native's signals have neither `reason` nor `throwIfAborted`, and its controllers take no reason.

/** An `AbortError`, like the reason of a signal that was aborted without one. @param message - Used only if it is a text. */
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

/**
 * Checks a signal that the program passed; called before anything else is done.
 * @throws The reason of the signal, if it fired; TypeError for a value that is no signal, such as an `AbortController`, whose event would
 * never come. The members decide, because a signal of a polyfill or of another realm is no instance of this realm's class.
 */
export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return
  const given: { readonly [Name in keyof AbortSignal]?: unknown } = signal
  if (given.aborted === undefined || !given.addEventListener || !given.removeEventListener)
    throw new TypeError('signal must be an AbortSignal')
  if (signal.aborted) throw reasonOf(signal)
}
