import { btoaUtf8 } from '../wire/base64.js'

// What is secret in a dial, and how to keep it out of every text that results from the dial.

// In characters. Redacting a shorter value would black out ordinary words of a message that happen to be equal.
const SHORTEST_SECRET = 6

/** Whether the host is this machine: the only one to which credentials may go in plain text. @param hostname - As `URL` gives it. */
export const isLoopback = (hostname: string): boolean => /(^|\.)localhost$|^127(\.\d{1,3}){3}$|^\[::1\]$/.test(hostname)

/** Whether everyone between here and the server can read what is sent to this URL. */
export const isExposed = (url: URL): boolean => url.protocol === 'ws:' && !isLoopback(url.hostname)

/**
 * Everything secret of one dial, in all forms in which a server may quote it: what no error, event or log may show.
 * @param others - Secrets beside those of the URL: of the headers, and a token among the subprotocols.
 * @returns The longest first, as {@link redact} needs them.
 */
export function collectSecrets(url: URL, others: readonly string[]): string[] {
  // Any part of a query may be a token.
  const ofQuery = url.search.split(/[?&]/).map(valueOfPair)
  const password = attempt(decodeURIComponent, url.password)
  const user = attempt(decodeURIComponent, url.username)
  // A user name without a password is a token, as code hosts use it.
  const basic = user || password ? btoaUtf8(`${user}:${password}`) : ''
  const ofUser = [url.password, password, basic, ...(password ? [] : [user])]
  const values = [...others, ...ofQuery, ...url.searchParams.values(), ...ofUser]
  const forms = values.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(quotedForms)
  // One secret may be part of another: if the shorter one were replaced first, the rest of the longer one would stay.
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

/** What stands behind the first `=`, or all of a pair that has none. */
export const valueOfPair = (pair: string): string => pair.replace(/^[^=]*=/, '')

/** The converted text, or the text itself where it cannot be converted. */
export function attempt(convert: (text: string) => string, text: string): string {
  try {
    return convert(text)
  } catch {
    return text
  }
}

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
 * Redacts a text that may have been cut at its end: if it ends with the beginning of a secret, that is removed too.
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
