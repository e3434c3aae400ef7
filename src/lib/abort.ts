// React Native's signals have neither `reason` nor `throwIfAborted`, and its controllers take no reason.

/** Why a signal fired: its reason, or an `AbortError` where signals have none. */
export const reasonOf = (signal: AbortSignal): unknown =>
  signal.reason === undefined ? Object.assign(new Error('This operation was aborted'), { name: 'AbortError' }) : signal.reason

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
