import type { TestProject } from 'vitest/node'
import { prepareMachine, type Machine } from './machine.js'
import { PEERS, type Peer } from './peers.js'

declare module 'vitest' {
  interface ProvidedContext {
    machine: Machine
  }
}

/** Makes what the peers need, and tells of each whether it runs. In CI every one of them has to. */
export default async function setUp(project: TestProject): Promise<void> {
  const machine = await prepareMachine()
  const skipped: string[] = []
  for (const { name, needs } of Object.values<Peer>(PEERS)) {
    const toolchain = needs ? machine[needs] : { version: `Node ${process.version.slice(1)}` }
    const isMissing = 'missing' in toolchain
    // Debian has no Rust that is new enough, so that `.ci/run` cannot install one.
    if (isMissing && !(needs === 'rust' && toolchain.missing.startsWith('there is no'))) skipped.push(`${name}: ${toolchain.missing}`)
    console.log(`interop: ${isMissing ? 'SKIPPED' : 'runs   '}  ${name} (${isMissing ? toolchain.missing : toolchain.version})`)
  }
  if (process.env.CI === 'true' && skipped.length > 0) throw new Error(`Skipped peers:\n${skipped.join('\n')}`)
  project.provide('machine', machine)
}
