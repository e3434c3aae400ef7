// The steps below the upgrade: name, TCP, TLS. They only show where a dial gets stuck; the real dial is made by a client.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsConnectOptions, type TLSSocket } from 'node:tls'
import { readable } from '../socket/failed-dial.js'
import { hintForSystemError } from '../socket/hints.js'
import type { TlsOptions } from '../types/options.js'

/** What one of these steps found: words, or why it failed. */
export interface NetworkStep {
  /** What was tried. */
  readonly name: 'name' | 'TCP' | 'TLS'
  /** What came of it. */
  readonly run: (signal: AbortSignal) => Promise<string>
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')
const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'wss:' ? 443 : 80)

async function resolveName(host: string): Promise<string> {
  const addresses = await lookup(host, { all: true })
  return addresses.map(({ address }) => address).join(', ')
}

/** Opens a socket, and closes it again. */
async function opened<S extends Socket>(socket: S, event: string, signal: AbortSignal, describe: (socket: S) => string): Promise<string> {
  socket.on('error', () => undefined)
  try {
    await once(socket, event, { signal })
    return describe(socket)
  } finally {
    socket.destroy()
  }
}

function describeTls(socket: TLSSocket): string {
  const { subject, valid_to: end } = socket.getPeerCertificate() as { subject?: { CN?: unknown }; valid_to?: string }
  const name = typeof subject?.CN === 'string' ? `, certificate of ${subject.CN}` : ''
  return `${socket.getProtocol() ?? 'TLS'}${name}${end === undefined ? '' : `, valid until ${end}`}`
}

/** The steps that this URL needs. */
export function networkSteps(url: URL, tls: TlsOptions | undefined): readonly NetworkStep[] {
  const host = hostOf(url)
  const place = { host, port: portOf(url) }
  const steps: NetworkStep[] = []
  if (isIP(host) === 0) steps.push({ name: 'name', run: () => resolveName(host) })
  steps.push({
    name: 'TCP',
    run: (signal) =>
      opened(connectTcp(place), 'connect', signal, ({ remoteAddress = host }) => `${remoteAddress} port ${String(place.port)}`)
  })
  if (url.protocol !== 'wss:') return steps
  const servername = isIP(host) === 0 ? { servername: host } : {}
  steps.push({
    name: 'TLS',
    run: (signal) => opened(connectTls({ ...servername, ...(tls as TlsConnectOptions), ...place }), 'secureConnect', signal, describeTls)
  })
  return steps
}

/** Why a step failed, with what to do about it. */
export function describeNetworkError(error: unknown): string {
  const { message, code = '', errors } = error as { message?: string; code?: string; errors?: readonly Error[] }
  const words = readable(message || errors?.[0]?.message || 'no answer in time')
  const hint = hintForSystemError(code, words)
  return hint === undefined ? words : `${words}. ${hint}`
}
