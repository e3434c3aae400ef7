import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Folders } from './peers.js'
import { rotated } from './rounds.js'

const run = promisify(execFile)

/** What is imported, and whether it is one of `peers/package.json`. */
const MODULES: readonly (readonly [specifier: string, isApart: boolean])[] = [
  ['ws', false],
  ['mcp-websocket-client', false],
  ['mcp-websocket-client/transport', false],
  ['mcp-websocket-client/server', false],
  ['@modelcontextprotocol/sdk/client/index.js', false],
  ['@modelcontextprotocol/client', false],
  ['rpc-websockets', true],
  ['json-rpc-2.0', true],
  ['vscode-jsonrpc/node', true],
  ['partysocket/ws', true]
]

/** ms that a fresh Node takes for each import, round by round. The first is the floor. */
export async function measureImports(root: string, folders: Folders, rounds: number): Promise<Record<string, number[]>> {
  const measured: Record<string, number[]> = Object.fromEntries(MODULES.map(([specifier]) => [specifier, []]))
  for (let round = 0; round < rounds; round++)
    for (const [specifier, isApart] of rotated(MODULES, round))
      measured[specifier]!.push(await importIn(isApart ? folders.peers : root, specifier))
  return measured
}

async function importIn(cwd: string, specifier: string): Promise<number> {
  const program = `const begun = performance.now(); await import('${specifier}'); console.log(performance.now() - begun); process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd })
  return Number(stdout)
}
