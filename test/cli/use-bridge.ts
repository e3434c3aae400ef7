import { expect } from 'vitest'
import { serveTransport } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { useServer } from '../server/use-server.js'
import { useCli, type Run } from './use-cli.js'
import { useTcpProxy } from './use-tcp-proxy.js'

/** The first message of a host. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'host', version: '1' } }
}
/** A message as a line. */
export const line = (message: unknown): string => `${JSON.stringify(message)}\n`

/** A bridge with a host that has made its handshake. */
export async function useBridge(url: string, ...flags: string[]): Promise<Run> {
  const cli = useCli(['bridge', url, ...flags])
  cli.type(line(INITIALIZE))
  await cli.says('"serverInfo"')
  cli.type(line({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  return cli
}

const CUTS = 5
const EVERY = 250

/** A call through a bridge, whose connection is cut again and again, spread over the time that the call takes. @param seconds - That time. */
export async function surviveCuts(seconds: number): Promise<void> {
  const steps = (seconds * 1000) / EVERY
  const executed: unknown[] = []
  const { server, url } = await useServer({
    resume: true,
    onconnection: (transport) => void serveTransport('v1', transport, { onExecuted: (name, args) => executed.push([name, args]) })
  })
  const proxy = await useTcpProxy(Number(new URL(url).port))
  const cli = await useBridge(`ws://127.0.0.1:${String(proxy.port)}/ws`, '--resume', '--max-delay', '200')
  const _meta = { progressToken: 'count' }
  cli.type(line({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { _meta, name: 'count', arguments: { steps, every: EVERY } } }))
  for (let cut = 1; cut <= CUTS; cut++) {
    const step = Math.floor((steps * cut) / (CUTS + 2))
    await until(() => server.metrics().resumesTotal === cut - 1 && cli.out.includes(`"progress":${String(step)},`), `step ${String(step)}`)
    proxy.cut()
    await until(() => server.metrics().resumesTotal === cut, `resume ${String(cut)}`)
  }
  await cli.says(`counted to ${String(steps)}`)
  expect(executed).toEqual([['count', { steps, every: EVERY }]])
  expect(server.metrics().resumesTotal).toBe(CUTS)
}
