/**
 * How many bytes the text takes in UTF-8. A surrogate without its other half counts 3 bytes, as those of the U+FFFD that an encoder
 * writes in its place (WHATWG Encoding, "UTF-8 encoder"). Counting allocates nothing, whereas `TextEncoder` makes a copy of the text.
 */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0
    if (point > 0x7f) bytes += point > 0x7ff ? 2 : 1
    // A surrogate pair takes two units, which were counted as two bytes, and 4 bytes.
    if (point > 0xffff) at++
  }
  return bytes
}
