/** The token that the server accepts; base64url of it is not the same text. */
export const TOKEN = 'right~token?'

/** What the server saw of an upgrade. */
export interface Upgrade {
  readonly authorization: string | null
  readonly offered: string | null
  /** The header `X-Own`. */
  readonly own: string | null
}

/** Where the HTTP side of a WebSocket server is. */
export const httpOf = (url: string): string => new URL(url.replace(/^ws/, 'http')).origin
