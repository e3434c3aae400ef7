import { bytesOf } from './utf8.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Base64 (RFC 4648 section 4) of the text's UTF-8 bytes. The engine's `btoa` throws for characters above U+00FF, and React Native had no
 * `btoa` for a long time.
 */
export function btoaUtf8(text: string): string {
  const bits = Array.from(bytesOf(text), (byte) => byte.charCodeAt(0).toString(2).padStart(8, '0')).join('')
  const digits = bits.match(/.{1,6}/g) ?? []
  const base64 = digits.map((digit) => ALPHABET.charAt(parseInt(digit.padEnd(6, '0'), 2))).join('')
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')
}
