// What a failed dial most likely means, and what to do about it. Node only: browsers show neither the status nor the system error, so
// their bundle leaves these texts out.

const WANTS_CREDENTIALS = 'The server wants credentials: set auth.token (or headers).'
const REJECTED_CREDENTIALS =
  'The server rejected the credentials that were sent: are they the right ones, have they expired, and do proxies forward Authorization?'

/** What a location of nginx needs for a WebSocket; it sends `Sec-WebSocket-Protocol` and `Authorization` on by itself, unless told otherwise. */
export const NGINX_LINES: readonly string[] = [
  'proxy_http_version 1.1;',
  'proxy_set_header Upgrade $http_upgrade;',
  'proxy_set_header Connection "upgrade";'
]

const STATUS_HINTS: ReadonlyMap<number, string> = new Map([
  [200, 'A web page answered: the path is wrong, or a captive portal stands in between.'],
  [400, 'The request did not arrive as a WebSocket upgrade: check the path, and that proxies forward the Upgrade and Connection headers.'],
  [404, 'Nothing is served at this path; many servers use /ws or /mcp.'],
  [405, 'The path exists but takes no GET: it is probably an HTTP endpoint of MCP, not a WebSocket.'],
  [407, 'A proxy wants credentials: use the option agent.'],
  [
    426,
    'Either the server wants another subprotocol than those offered (mcp.v1 and the option subprotocols, or the option offer), or a proxy dropped ' +
      `the Upgrade and Connection headers (nginx: ${NGINX_LINES.join(' ').replaceAll(';', ',')} and forward Sec-WebSocket-Protocol).`
  ],
  [429, 'Too many connections or requests: wait as long as Retry-After asks.'],
  [502, 'A proxy cannot reach the server behind it.'],
  [503, 'The server is overloaded or restarting, or a proxy has no server behind it; this may pass.'],
  [504, 'A proxy got no answer from the server behind it.'],
  [511, 'A captive portal stands in between: sign in to the network with a browser.']
])

/**
 * What an HTTP status in place of 101 means.
 * @param hasCredentials - Whether the dial carried any.
 * @param redirect - Where a 3xx points to, without credentials.
 * @param words - What the server said about it, if anything.
 */
export function hintForStatus(status: number, hasCredentials: boolean, redirect?: string, words = ''): string {
  const forCredentials = hasCredentials && !/missing|required/i.test(words) ? REJECTED_CREDENTIALS : WANTS_CREDENTIALS
  if (status === 401) return forCredentials
  if (status === 403)
    return (
      `${hasCredentials ? 'The token has expired or does not suffice' : 'A token is missing'}, the path is wrong ` +
      '(servers on Starlette, such as FastAPI, say 403 to both), or the server does not accept this Origin or Host.'
    )
  // A 400 can mean anything: a guess would contradict what the server says.
  if (status === 400 && words && !/upgrade|websocket/i.test(words))
    return /auth|token|credential/i.test(words) ? forCredentials : 'The server says what is missing: check url, headers and subprotocols.'
  // Not 304: it says that something did not change, and leads nowhere.
  if (status >= 300 && status < 400 && status !== 304)
    return `Redirects are not followed, as they could carry credentials away. If you trust it, use ${redirect ?? 'the new address'} as url.`
  return (
    STATUS_HINTS.get(status) ??
    (status >= 500 ? 'The server failed: see its log.' : 'The server does not serve a WebSocket here: check the URL.')
  )
}

/** Whether this side cannot use what the option `tls` holds. OpenSSL gives no code to what is wrong with a PKCS #12 file. */
export const isLocalTlsFailure = (code: string, message: string): boolean =>
  /^ERR_(OSSL|TLS_INVALID|INVALID_ARG)/.test(code) || /^(mac verify failure|not enough data|header too long|wrong tag)$/.test(message)

const SYSTEM_HINTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Nothing listens on this port: is the server running?'],
  ['ENOTFOUND', 'The host name does not resolve.'],
  ['EAI_AGAIN', 'Name resolution failed: is the network up?'],
  ['ECONNRESET', 'The server hung up during the upgrade. If it speaks TLS, use wss://.'],
  ['ETIMEDOUT', 'No answer from this address: a firewall, or the wrong host.'],
  ['CERT_HAS_EXPIRED', 'The certificate of the server has expired (or the clock of this machine is wrong).'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'The certificate is for another host name.'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'The certificate is self-signed: pass it as tls.ca.'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'The certificate authority is not trusted: pass it as tls.ca.'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'The certificate authority is not trusted: pass it as tls.ca.']
])

/**
 * What an error of the network or of TLS means.
 * @param code - Its code in Node, such as `ECONNREFUSED`.
 * @param message - Its message: OpenSSL gives one code to many errors.
 * @returns `undefined` for an error that speaks for itself.
 */
export function hintForSystemError(code: string, message: string): string | undefined {
  if (/wrong version number/i.test(message)) return 'The server speaks plain text on this port: use ws://.'
  if (isLocalTlsFailure(code, message)) return 'This side cannot use its own TLS settings: check ca, cert, key, pfx and passphrase in tls.'
  return SYSTEM_HINTS.get(code)
}
