import { btoaUtf8 } from '../wire/base64.js'
import { decodeUtf8 } from '../wire/utf8.js'

// What is secret in a dial, and how to keep it out of every text that the dial gives rise to.

// In characters. Redacting a shorter value would black out ordinary words of a message that happen to be equal.
const SHORTEST_SECRET = 6

/** Whether the host is this machine: the only one to which credentials may go in plain text. @param hostname - As `URL` gives it. */
export const isLoopback = (hostname: string): boolean => /(^|\.)localhost$|^127(\.\d{1,3}){3}$|^\[::1\]$/.test(hostname)

/** Whether everyone between here and the server can read what is sent to this URL. */
export const isExposed = (url: URL): boolean => url.protocol === 'ws:' && !isLoopback(url.hostname)

/** Whether these headers hold credentials of HTTP (RFC 9110 section 11, RFC 6265). */
export const hasCredentials = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name))

/**
 * Everything secret of one dial, in all forms in which a server may quote it: what no error, event or log may show.
 * @param tokens - Secrets that neither the URL nor the headers show by themselves, such as a token among the subprotocols.
 * @returns The longest first, as {@link redact} needs them.
 */
export function collectSecrets(url: URL, headers: Readonly<Record<string, string>>, tokens: readonly string[]): string[] {
  // Any header may hold the key of a gateway, and any part of a query a token.
  const ofHeaders = Object.entries(headers).flatMap(partsOfHeader)
  const ofQuery = url.search.split(/[?&]/).map(valueOfPair)
  const password = attempt(decodeURIComponent, url.password)
  const user = attempt(decodeURIComponent, url.username)
  // A user name without a password is a token, as code hosts use it.
  const basic = user || password ? btoaUtf8(`${user}:${password}`) : ''
  const ofUser = [url.password, password, basic, ...(password ? [] : [user])]
  const values = [...tokens, ...ofHeaders, ...ofQuery, ...url.searchParams.values(), ...ofUser]
  const forms = values.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(quotedForms)
  // One secret may be part of another: if the shorter one were replaced first, the rest of the longer one would stay.
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

/** The header's value, and the parts of it that are secret by themselves; a scheme such as "Bearer" is not. */
function partsOfHeader([name, value]: [string, string]): string[] {
  const [, scheme = '', rest = value] = /^(\w+) (.*)/.exec(value) ?? []
  if (/^basic$/i.test(scheme)) return [value, rest, attempt(decodeBase64, rest).replace(/^[^:]*:?/, '')]
  if (/^cookie$/i.test(name)) return [value, ...value.split(/; */).map(valueOfPair)]
  return [value, rest]
}

/** What stands behind the first `=`, or all of a pair that has none. */
const valueOfPair = (pair: string): string => pair.replace(/^[^=]*=/, '')

/** The converted text, or the text itself where it cannot be converted. */
function attempt(convert: (text: string) => string, text: string): string {
  try {
    return convert(text)
  } catch {
    return text
  }
}

const decodeBase64 = (text: string): string => decodeUtf8(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))

/** The secret as a server may quote it: as it is, in a URL, in JSON, in HTML. */
function quotedForms(secret: string): string[] {
  // A surrogate without its other half cannot be encoded.
  const inUrl = attempt(encodeURIComponent, secret)
  const inJson = JSON.stringify(secret).slice(1, -1)
  const inHtml = secret.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character] ?? '')
  return [secret, inUrl, inUrl.replace(/%../g, (code) => code.toLowerCase()), inJson, inJson.replaceAll('/', '\\/'), inHtml]
}

const HTML_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** The URL as messages show it: without userinfo, query and fragment, all of which may hold credentials. */
export const publicUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`

/** The text with every secret replaced by `[redacted]`. @param secrets - The longest first. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text)
}

/**
 * Redacts a text of which only the beginning is known: if it ends with the beginning of a secret, that goes too, since the secret may have
 * been cut there.
 */
export function redactStart(text: string, secrets: readonly string[]): string {
  let redacted = redact(text, secrets)
  for (const secret of secrets) {
    for (let length = secret.length - 1; length > 0; length--) {
      if (redacted.endsWith(secret.slice(0, length))) redacted = redacted.slice(0, -length)
    }
  }
  return redacted
}
