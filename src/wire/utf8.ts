/**
 * How many bytes the text takes in UTF-8. A surrogate without its other half counts 3 bytes, as those of the U+FFFD that an encoder
 * writes in its place (WHATWG Encoding, "UTF-8 encoder"). Counting allocates nothing, whereas `TextEncoder` makes a copy of the text.
 */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    // A surrogate pair is two units and four bytes. `charCodeAt` gives NaN behind the end, which is no low surrogate.
    if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++
  }
  return bytes
}
