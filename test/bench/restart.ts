import { pause } from '../helpers/pause.js'
import type { Opening } from './client.js'
import type { Folders } from './peers.js'
import { withPrograms, type Listening } from './processes.js'

/** The peers that dial again by themselves. */
export const REDIALLING = ['ours', 'rpc-websockets', 'partysocket', 'against'] as const

/** How long the server is away. */
const AWAY = 2000

/** What came of an outage: for every client of a peer, ms from the moment the server listens again to the first answer. */
export type Outages = Record<string, (number | undefined)[]>

/** Kills a server, starts it again on the same port after 2 s, and sees when `count` clients of each peer have an answer again. */
export async function measureRestart(peers: readonly string[], count: number, folders: Folders): Promise<Outages> {
  return withPrograms(async (start) => {
    const server = start('echo-server', 'server')
    const { port } = await server.order<Listening>('listen', 0)
    const opening = { url: `ws://127.0.0.1:${String(port)}`, folders, warmUp: 0, count }
    const programs = new Map(peers.map((peer) => [peer, start('client', 'client')]))
    for (const [peer, program] of programs) await program.order('openMany', { ...opening, peer } satisfies Opening & { count: number })
    await server.kill()
    await pause(AWAY)
    const { at } = await start('echo-server', 'server').order<Listening>('listen', port)
    const outages: Outages = {}
    for (const [peer, program] of programs) {
      // What JSON carries of `undefined` in a list is `null`.
      const answered = await program.order<(number | null)[]>('reopened')
      outages[peer] = answered.map((each) => (each === null ? undefined : each - at))
    }
    return outages
  })
}
