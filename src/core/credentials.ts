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
  const ofHeaders = Object.values(headers).flatMap((value) => [value, value.replace(/^\w+ /, '')])
  const ofQuery = url.search.split(/[?&]/).map((pair) => pair.replace(/^[^=]*=/, ''))
  const password = decode(url.password)
  const ofUser = [url.password, password, btoaUtf8(`${decode(url.username)}:${password}`)]
  const raw = [...tokens, ...ofHeaders, ...ofQuery, ...url.searchParams.values(), ...ofUser]
  // Servers quote what they received, sometimes in its encoded form. The longest first: one may be part of another.
  const forms = raw.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap((secret) => [secret, encodeURIComponent(secret)])
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Base64 of the text's UTF-8 bytes. */
export const btoaUtf8 = (text: string): string => btoa(String.fromCodePoint(...new TextEncoder().encode(text)))

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
