// One of several servers that share their sessions by Redis, in a process of its own. What it has to say are lines of JSON, which are
// written before anything follows from them, so that nothing is missing when it is killed.
import { writeSync } from 'node:fs'
import { createClient } from 'redis'
import { RedisSessionStore } from '../../../src/redis/index.js'
import type { NodeSettings, Told } from './nodes.js'
import { Random } from './random.js'
import { ResumeServer } from './resume-server.js'

const { run, era, seed, ttl, lease, redis, port } = JSON.parse(process.argv[2] ?? '') as NodeSettings
const EPOCH = Date.UTC(2026, 0)
let number = 0
const tell = (...told: Told): void => {
  const bytes = Buffer.from(`${JSON.stringify(told)}\n`)
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written)
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'EAGAIN') throw thrown
    }
  }
}

const client = createClient({ url: redis, socket: { reconnectStrategy: 20 } })
client.on('error', () => undefined)
await client.connect()
const random = new Random(seed)
const server = new ResumeServer(
  run,
  era,
  {
    note: (text) => tell('note', text),
    violate: (text) => tell('violate', text),
    executed: (key, socket) => tell('executed', key, socket),
    excuse: (name, why) => tell('excuse', name ?? '', why)
  },
  random,
  {
    ttl,
    maxMessages: 256,
    store: new RedisSessionStore(client, { lease }),
    // Each client has one session at a time, wherever that is.
    nextNumber: () => (Date.now() - EPOCH) * 1000 + (number = (number + 1) % 1000),
    onSession: (name) => tell('began', name)
  }
)
await server.start(port)
tell('listens')
const speak = (): void => {
  server.speak()
  setTimeout(speak, random.between(20, 400))
}
speak()
setInterval(() => tell('left', JSON.stringify(server.left)), 200)
