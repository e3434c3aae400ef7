import { spawn, type ChildProcess } from 'node:child_process'

/** The program: Debian's, unless the environment says otherwise. */
export const REDIS_PATH = process.env.REDIS_PATH ?? '/usr/bin/redis-server'

/** Starts a Redis on 127.0.0.1 that keeps nothing on disk, and waits until it takes connections. @param more - Further settings. */
export async function startRedis(port: number, folder: string, ...more: readonly string[]): Promise<ChildProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...more]
  const child = spawn(REDIS_PATH, settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`redis-server ended: ${said}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('Ready to accept connections')) resolve()
    })
  })
  return child
}
