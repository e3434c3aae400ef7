import { test } from 'vitest'
import { dial } from '../server/knock.js'
import { useServer } from '../server/use-server.js'

test('S15: a connection that never finishes its request is hung up on', { timeout: 30_000 }, async () => {
  const { port } = await useServer()
  const caller = await dial(port)
  caller.write('GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n')
  await caller.gone
})
