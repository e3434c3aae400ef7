const SECRET_HEADER = /auth|cookie|key|token|secret/i
// Shorter values would blank out ordinary words of an error message.
const SHORTEST_SECRET = 6

/** Whether the host is this machine: the only one to which credentials may go over plain text. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** Whether anyone between here and the server can read what is sent to this URL. */
export const isExposed = (url: URL): boolean => url.protocol === 'ws:' && !isLoopback(url.hostname)

/** Whether these headers hold credentials of HTTP. */
export const hasCredentials = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name))

/** Everything secret of one dial: what no error, event or log may show. */
export function collectSecrets(url: URL, headers: Readonly<Record<string, string>>, tokens: readonly string[]): string[] {
  const ofHeaders = Object.entries(headers)
    .filter(([name]) => SECRET_HEADER.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\w+ /, '')])
  const ofUrl = [url.password, ...url.searchParams.values()]
  const raw = [...tokens, ...ofHeaders, ...ofUrl].filter((secret) => secret.length >= SHORTEST_SECRET)
  // Servers quote what they received, sometimes in its encoded form.
  return [...new Set(raw.flatMap((secret) => [secret, encodeURIComponent(secret)]))].sort((a, b) => b.length - a.length)
}

/** The text with every secret replaced. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}

/** The URL as messages show it: without userinfo, query and fragment, where credentials hide. */
export const publicUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`
