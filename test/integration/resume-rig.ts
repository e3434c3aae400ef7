import type { McpWebSocketClientOptions } from '../../src/index.js'
import { useFaultProxy, type FaultProxy } from '../faults/kit/fault-proxy.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { useServer, type Served } from '../server/use-server.js'

/** Options of a client with sessions that notices and ends an outage soon. */
export const FAST = {
  resume: true,
  reconnect: { initialDelay: 10, maxDelay: 50, maxRetries: Infinity },
  heartbeat: { interval: 60, timeout: 60 }
} as const satisfies Partial<McpWebSocketClientOptions>

/** A server behind a bad network; it notes each call that took effect. */
export async function useResumableServer(): Promise<Served<undefined> & { readonly proxy: FaultProxy; readonly executed: string[] }> {
  const executed: string[] = []
  const served = await useServer({
    resume: true,
    heartbeat: { interval: 100, timeout: 100 },
    onconnection: (transport) => void serveTransport('v2', transport, { onExecuted: (name) => executed.push(name) })
  })
  return { ...served, proxy: await useFaultProxy(served.port), executed }
}

/** Breaks the connection again and again, each time in the next way, once the call that runs has come further. @param first - The way to begin with. */
export async function breakTimes(
  proxy: FaultProxy,
  times: number,
  isBack: () => boolean,
  progress: readonly number[],
  first = 0
): Promise<void> {
  for (let time = first; time < first + times; time++) {
    const before = progress.length
    await until(() => isBack() && progress.length > before, 'the client is back')
    const link = proxy.links.at(-1)
    if (time % 3 === 0) link?.cut('rst')
    else if (time % 3 === 1) link?.blackhole()
    // A restart of the proxy: all is reset, and for a while nobody is there.
    else {
      proxy.resetting = true
      for (const each of proxy.links) each.cut('rst')
      await until(() => !isBack(), 'the client noticed')
      proxy.resetting = false
    }
    await until(() => !isBack(), 'the client noticed')
  }
}
