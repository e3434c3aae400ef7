import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterTest } from './after-test.js'

/** An empty folder, which is removed after the test with all that is in it. */
export async function useFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-ws-'))
  afterTest(() => rm(folder, { recursive: true }))
  return folder
}
