/** An upgrade request that differs from a usual one. */
export interface UpgradeOptions {
  readonly method?: string
  readonly target?: string
  /** `undefined` leaves a header out; a list sends it several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Bytes that travel in one packet with the request. */
  readonly early?: Buffer | string
}

/** The text of an upgrade request. It imports nothing, so that programs of tests can use it. */
export function upgradeRequest(port: number, { method = 'GET', target = '/ws', headers = {} }: UpgradeOptions = {}): string {
  const all: NonNullable<UpgradeOptions['headers']> = {
    Host: `127.0.0.1:${String(port)}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'mcp.v1',
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) => [value ?? []].flat().map((each) => `${name}: ${each}\r\n`))
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
