/** An upgrade request; `undefined` leaves a header out, a list sends it several times. */
export interface Request {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Bytes that travel in one packet with the request. */
  readonly glued?: Buffer | string
}

/** What a fair client says, but for what is given. */
export function requestText(port: number, { method = 'GET', target = '/ws', headers = {} }: Request = {}): string {
  const all: NonNullable<Request['headers']> = {
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
