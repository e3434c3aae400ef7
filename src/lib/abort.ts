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

/**
 * Everything that takes a signal of the program begins with this.
 * @throws The reason of the signal, if it fired; TypeError for what is no signal, such as the controller of one, before somebody waits
 * for an event that never comes. Signals of polyfills and of other realms are no instances of this realm's class.
 */
export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return
  const given: { readonly [Name in keyof AbortSignal]?: unknown } = signal
  if (given.aborted === undefined || !given.addEventListener || !given.removeEventListener)
    throw new TypeError('signal must be an AbortSignal')
  if (signal.aborted) throw reasonOf(signal)
}
