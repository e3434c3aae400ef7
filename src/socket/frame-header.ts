// RFC 6455 section 5.2. The first byte of a frame that is a whole message, a ping or a pong.
/** A text. */
export const TEXT_FRAME = 0x81
const BINARY_FRAME = 0x82
const PING = 0x89
const PONG = 0x8a
/** The bit of the second byte that says that the payload is masked. Every client sets it, and no server does. */
export const MASKED = 0x80
/** A value in place of the length: two bytes with the length follow. */
export const TWO_BYTES_FOLLOW = 126
const EIGHT_BYTES_FOLLOW = 127

const isWhole = (firstByte: number | undefined): boolean =>
  firstByte === TEXT_FRAME || firstByte === BINARY_FRAME || firstByte === PING || firstByte === PONG

/** The index at which the payload begins. @param start - Where a server's frame begins. */
export function startOfPayload(bytes: Buffer, start: number): number {
  const length = bytes[start + 1]
  return start + (length === EIGHT_BYTES_FOLLOW ? 10 : length === TWO_BYTES_FOLLOW ? 4 : 2)
}

/**
 * The index behind a server's frame, which begins at `start`.
 * @returns `undefined` if its header is not complete; `NaN` for a close frame, a part of a message, and what no server may send.
 */
export function endOfFrame(bytes: Buffer, start: number): number | undefined {
  if (!isWhole(bytes[start])) return NaN
  const length = bytes[start + 1]
  if (length === undefined) return undefined
  if (length >= MASKED) return NaN
  const payload = startOfPayload(bytes, start)
  if (payload > bytes.length) return undefined
  if (length < TWO_BYTES_FOLLOW) return payload + length
  return payload + (length === TWO_BYTES_FOLLOW ? bytes.readUInt16BE(start + 2) : Number(bytes.readBigUInt64BE(start + 2)))
}
