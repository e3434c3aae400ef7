import { createServer, type Server } from 'node:https'
import type { TlsOptions } from 'node:tls'
import { generate } from 'selfsigned'
import { WebSocketServer } from 'ws'
import { serveMcp } from '../../helpers/mcp-server.js'
import { listenOnLoopback } from '../../helpers/listen-on-loopback.js'

/** A certificate and its key, in PEM; as `node:tls` takes them. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** How a certificate deviates from a good one for 127.0.0.1. */
export interface CertificateShape {
  /** The only host that it is for. */
  readonly host?: string
  /** When its time was over; it was good for a day. */
  readonly expired?: Date
  /** Who signed it; itself, if nobody is given. */
  readonly authority?: Certificate
}

const DAY = 86_400_000

/** Makes a certificate for 127.0.0.1, good from yesterday to tomorrow. */
export async function makeCertificate({ host, expired, authority }: CertificateShape = {}): Promise<Certificate> {
  const end = expired?.getTime() ?? Date.now() + DAY
  const made = await generate([{ name: 'commonName', value: host ?? 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Math.min(Date.now(), end) - DAY),
    notAfterDate: new Date(end),
    ...(authority && { ca: authority }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [host === undefined ? { type: 7, ip: '127.0.0.1' } : { type: 2, value: host }] }
    ]
  })
  return { cert: made.cert, key: made.private }
}

/** Makes a certificate authority, which no one trusts who is not told to (`tls.ca`). */
export async function makeAuthority(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'authority of a test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  return { cert: made.cert, key: made.private }
}

/** What tests of TLS need: an authority, and certificates that it signed, good ones and others. */
export async function makeCertificates(): Promise<Record<'authority' | 'good' | 'expired' | 'foreign' | 'ofClient', Certificate>> {
  const authority = await makeAuthority()
  return {
    authority,
    good: await makeCertificate({ authority }),
    expired: await makeCertificate({ authority, expired: new Date(Date.now() - 3_600_000) }),
    foreign: await makeCertificate({ authority, host: 'other.example.com' }),
    ofClient: await makeCertificate({ authority, host: 'client.example.com' })
  }
}

/** A server of MCP over `wss:`. */
export interface TlsServer {
  readonly url: string
  readonly port: number
  /** TCP connections so far, whatever became of them. */
  readonly dials: number
  /** Ends every connection in mid-air. */
  drop(): void
  /** Shows another certificate from now on. */
  present(certificate: Certificate): void
}

/** Starts a server of MCP over TLS on a free port of 127.0.0.1, closed after the test with all its sockets. */
export async function useTlsServer(options: TlsOptions): Promise<TlsServer> {
  const server: Server = createServer(options)
  const accepted = new WebSocketServer({ server })
  accepted.on('connection', (socket) => serveMcp('v2', socket))
  let dials = 0
  server.on('connection', () => dials++)
  const port = await listenOnLoopback(server)
  const drop = (): void => {
    for (const socket of accepted.clients) socket.terminate()
  }
  return {
    url: `wss://127.0.0.1:${String(port)}/ws`,
    port,
    get dials() {
      return dials
    },
    drop,
    present: (certificate) => server.setSecureContext({ ...certificate })
  }
}
