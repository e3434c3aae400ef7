import { decodeUtf8 } from '../wire/utf8.js'
import { attempt, valueOfPair } from './secrets.js'

// What is secret in the headers of a dial. Node only: no browser sets headers.

/** Whether these headers hold credentials of HTTP (RFC 9110 section 11, RFC 6265). */
export const hasCredentials = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name))

/** Everything secret in these headers: any of them may hold the key of a gateway. */
export const secretsOfHeaders = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flatMap(partsOfHeader)

/** The header's value, and the parts of it that are secret by themselves; a scheme such as "Bearer" is not. */
function partsOfHeader([name, value]: [string, string]): string[] {
  const [, scheme = '', rest = value] = /^(\w+) (.*)/.exec(value) ?? []
  if (/^basic$/i.test(scheme)) return [value, rest, attempt(decodeBase64, rest).replace(/^[^:]*:?/, '')]
  if (/^cookie$/i.test(name)) return [value, ...value.split(/; */).map(valueOfPair)]
  return [value, rest]
}

const decodeBase64 = (text: string): string => decodeUtf8(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
