// Clients on raw sockets for the figures of the server: they do as little as they can, so that the server has to work.
import { openRaw, openRawSession, type RawConnection } from './connection.js'
import { many } from './many.js'
import { now, obey } from './processes.js'

const crowd: RawConnection[] = []
let heard: Promise<number>

/** Where clients connect to. */
interface Target {
  readonly url: string
  /** Whether each gets a session that survives its connection. */
  readonly hasSession: boolean
}

async function join({ url, hasSession }: Target): Promise<void> {
  const connection = await (hasSession ? openRawSession(url) : openRaw(url, ['mcp.v1']))
  crowd.push(connection)
  await connection.call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'crowd', version: '1.0.0' } })
}

obey({
  connect: async ({ count, ...target }: Target & { readonly count: number }) => {
    // A few at a time: no backlog of the system is that long.
    for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: Math.min(50, count - n) }, () => join(target)))
  },

  requests: ({ count, open }: { readonly count: number; readonly open: number }) =>
    many(count, open, async () => {
      const { content } = await crowd[0]!.request('ping', '')
      if (content[0]?.text !== 'pong') throw new Error('a wrong answer')
    }),

  /** From now on all wait for a notification. */
  listen: () => {
    let missing = crowd.length
    heard = new Promise((resolve) => {
      for (const connection of crowd)
        connection.onNotification(() => {
          if (--missing === 0) resolve(now())
        })
    })
  },

  /** @returns When the last of them had it. */
  heard: () => heard,

  leave: async () => {
    await Promise.all(crowd.splice(0).map((connection) => connection.close()))
  }
})
