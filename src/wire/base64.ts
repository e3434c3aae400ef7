import { bytesOf } from './utf8.js'

/**
 * Base64 (RFC 4648 section 4) of the text's UTF-8 bytes; `btoa` alone throws for characters above U+00FF.
 * @throws TypeError naming `btoa`, in an engine that lacks it.
 */
export function btoaUtf8(text: string): string {
  if (typeof btoa === 'undefined') throw new TypeError('this engine has no btoa: load a polyfill before the client connects')
  return btoa(bytesOf(text))
}
