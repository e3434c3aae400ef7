import type { TestProject } from 'vitest/node'
import { prepareMachine, type Machine } from './machine.js'
import { PEERS, type Peer } from './peers.js'

declare module 'vitest' {
  interface ProvidedContext {
    machine: Machine
  }
}

/** Makes what the tests need, and tells of each peer whether it runs. In CI every one of them has to. */
export default async function setUp(project: TestProject): Promise<void> {
  const machine = await prepareMachine()
  for (const { name, needs } of Object.values<Peer>(PEERS)) {
    const toolchain = needs ? machine[needs] : { version: `Node ${process.version.slice(1)}` }
    const isMissing = 'missing' in toolchain
    console.log(`interop: ${isMissing ? 'SKIPPED' : 'runs   '}  ${name} (${isMissing ? toolchain.missing : toolchain.version})`)
  }
  const missing = Object.entries(machine).flatMap(([name, toolchain]) => ('missing' in toolchain ? [{ name, why: toolchain.missing }] : []))
  // Debian has no Rust that is new enough, so that `.ci/run` cannot install one.
  const faults = missing.filter(({ name, why }) => !(name === 'rust' && why.startsWith('there is no')))
  for (const { name, why } of faults) console.warn(`interop: what needs ${name} is skipped: ${why}`)
  if (process.env.CI === 'true' && faults.length > 0) throw new Error(`Missing: ${faults.map(({ name }) => name).join(', ')}`)
  project.provide('machine', machine)
}
