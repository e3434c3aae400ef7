import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { bundle } from '../helpers/child.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { useWsServer } from '../helpers/ws-server.js'
import { STUBBORN } from './programs.js'
import { isAlive, useClient } from './served.js'
import { INITIALIZE, line } from './use-bridge.js'

// What the tool makes of the signals and the streams of its process.

interface Program {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly out: string
  readonly err: string
  /** Its exit code, once it has ended. */
  readonly code: Promise<number | null>
}

/** Starts the tool as a program; ended by its pid after the test. */
async function useProgram(argv: readonly string[], stdout: 'pipe' | number = 'pipe'): Promise<Program> {
  const script = await bundle(new URL('../../src/cli/bin.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...argv], { stdio: ['pipe', stdout, 'pipe'] }) as Program['process']
  const code = once(child, 'exit').then(([exitCode]: unknown[]) => exitCode as number | null)
  afterTest(async () => {
    child.kill('SIGKILL')
    await code
  })
  const written = { out: '', err: '' }
  child.stdin.on('error', () => undefined)
  if (stdout === 'pipe') child.stdout.setEncoding('utf8').on('data', (text: string) => (written.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.err += text))
  return {
    process: child,
    get out() {
      return written.out
    },
    get err() {
      return written.err
    },
    code
  }
}

const useMcp = async (): Promise<string> =>
  (await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => 'mcp.v1' })).url

async function useServe(...flags: readonly string[]): Promise<Program & { readonly url: string }> {
  const program = await useProgram(['serve', '--port', '0', ...flags, '--', ...STUBBORN])
  await until(() => program.err.includes('serving'), 'it serves')
  const [, url = ''] = / at (ws:\S+)/.exec(program.err) ?? []
  return { ...program, url }
}

describe('SIGHUP', () => {
  test('ends serve with its programs, and with 129', async () => {
    const { url, code, process: serving } = await useServe()
    const client = await useClient(url, { reconnect: false })
    await client.request('stay')
    const { pid } = await client.request<{ pid: number }>('facts')
    afterTest(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    })
    serving.kill('SIGHUP')
    expect(await code).toBe(129)
    expect(isAlive(pid)).toBe(false)
  })

  test('ends a call with 129', async () => {
    const program = await useProgram(['call', await useMcp(), 'hold', '--verbose'])
    await until(() => program.err.includes('→ ready'), 'it is connected')
    program.process.kill('SIGHUP')
    expect(await program.code).toBe(129)
  })
})

describe('standard error that nobody reads any more', () => {
  test('does not end serve', async () => {
    const { url, process: serving } = await useServe('--verbose')
    serving.stderr.destroy()
    await (await useClient(url, { reconnect: false })).close()
    await expect((await useClient(url, { reconnect: false })).ping()).resolves.toEqual({})
  })

  test('does not end bridge', async () => {
    const host = await useProgram(['bridge', await useMcp()])
    host.process.stdin.write(line(INITIALIZE))
    await until(() => host.out.includes('"serverInfo"'), 'the handshake is made')
    host.process.stderr.destroy()
    host.process.stdin.write('not JSON\n')
    await until(() => host.out.includes('-32700'), 'it was told')
    host.process.stdin.write(line({ jsonrpc: '2.0', id: 2, method: 'ping' }))
    await until(() => host.out.includes('"id":2'), 'it goes on')
  })
})

describe('standard output', () => {
  test('that the host of a bridge does not read ends the bridge with 1, before it fills the memory', async () => {
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(2 ** 20) } })
    let sent = 0
    const { url } = await useWsServer(
      ({ socket }) => {
        void serveMcp('v1', socket)
        const flood = (): void => {
          sent++
          if (socket.readyState === socket.OPEN) socket.send(text, flood)
        }
        socket.on('message', (data: Buffer) => {
          if (data.includes('notifications/initialized')) flood()
        })
      },
      { handleProtocols: () => 'mcp.v1' }
    )
    const host = await useProgram(['bridge', url])
    host.process.stdin.write(line(INITIALIZE))
    await until(() => host.out.includes('"serverInfo"'), 'the handshake is made')
    host.process.stdout.pause()
    host.process.stdin.write(line({ jsonrpc: '2.0', method: 'notifications/initialized' }))
    await until(() => sent > 200 || host.err.includes('error:'), 'it has enough')
    expect(host.err).toContain('error: the host does not read what the bridge writes')
    host.process.stdout.resume()
    expect(await host.code).toBe(1)
  })

  test('that whoever reads it has closed ends the tool with 0, and without a word', async () => {
    const program = await useProgram(['tools', await useMcp()])
    program.process.stdout.destroy()
    expect([await program.code, program.err]).toEqual([0, ''])
  })

  test.skipIf(!existsSync('/dev/full'))('that cannot be written for another reason ends it with 1, and with the reason', async () => {
    const full = openSync('/dev/full', 'w')
    afterTest(() => closeSync(full))
    const program = await useProgram(['tools', await useMcp()], full)
    expect(await program.code).toBe(1)
    expect(program.err).toContain('ENOSPC')
  })
})
