import { btoaUtf8 } from '../wire/base64.js'

// Shorter values would blank out ordinary words of an error message.
const SHORTEST_SECRET = 6

/** Whether the host is this machine: the only one to which credentials may go over plain text. */
export const isLoopback = (hostname: string): boolean => /(^|\.)localhost$|^127(\.\d{1,3}){3}$|^\[::1\]$/.test(hostname)

/** Whether anyone between here and the server can read what is sent to this URL. */
export const isExposed = (url: URL): boolean => url.protocol === 'ws:' && !isLoopback(url.hostname)

/** Whether these headers hold credentials of HTTP. */
export const hasCredentials = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name))

/** Everything secret of one dial: what no error, event or log may show. */
export function collectSecrets(url: URL, headers: Readonly<Record<string, string>>, tokens: readonly string[]): string[] {
  // Any header may be a gateway's key, and any part of a query a token; schemes like "Bearer" in front of it are none.
  const ofHeaders = Object.entries(headers).flatMap(partsOfHeader)
  const ofQuery = url.search.split(/[?&]/).map((pair) => pair.replace(/^[^=]*=/, ''))
  const password = decode(url.password)
  const user = decode(url.username)
  // A name alone is a token, as code hosts have it.
  const ofUser = [url.password, password, btoaUtf8(`${user}:${password}`), ...(password ? [] : [user])]
  const raw = [...tokens, ...ofHeaders, ...ofQuery, ...url.searchParams.values(), ...ofUser]
  // Servers quote what they received, sometimes in its encoded form. The longest first: one may be part of another.
  const forms = raw.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(quotedForms)
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

/** The header's value, and what in it is a secret by itself. */
function partsOfHeader([name, value]: [string, string]): string[] {
  const [, scheme = '', rest = value] = /^(\w+) (.*)/.exec(value) ?? []
  if (/^basic$/i.test(scheme)) return [value, rest, ...decodeBase64(rest).split(/:(.*)/s).slice(1)]
  if (/^cookie$/i.test(name)) return [value, ...value.split(/; */).map((pair) => pair.replace(/^[^=]*=/, ''))]
  return [value, rest]
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  } catch {
    return ''
  }
}

/** The secret as it may stand in an answer: as it is, in a URL, in JSON, in HTML. */
function quotedForms(secret: string): string[] {
  const inUrl = encodeURIComponent(secret)
  const inJson = JSON.stringify(secret).slice(1, -1)
  const inHtml = secret.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character] ?? character)
  return [secret, inUrl, inUrl.replace(/%../g, (code) => code.toLowerCase()), inJson, inJson.replaceAll('/', '\\/'), inHtml]
}

const HTML_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The text with every secret replaced. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}

/** The URL as messages show it: without userinfo, query and fragment, where credentials hide. */
export const publicUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`

/** The text with every secret replaced, cut to `most` characters, without the part of a secret that the cut left at its end. */
export function redactStart(text: string, secrets: readonly string[], most: number): string {
  let clean = redact(text, secrets).slice(0, most)
  if (text.length < most) return clean
  for (const secret of secrets) {
    for (let length = secret.length - 1; length > 0; length--) {
      if (clean.endsWith(secret.slice(0, length))) clean = clean.slice(0, -length)
    }
  }
  return clean
}
