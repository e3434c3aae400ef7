// `node test/faults/chaos/run.mjs --seed N --seconds S --runs K`: chaos runs with the seeds from N to N + K - 1.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { seed, seconds, runs, nodes, ...rest } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    seconds: { type: 'string', default: '30' },
    runs: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '0' },
    resume: { type: 'boolean', default: false }
  }
}).values
const resume = rest.resume || nodes !== '0'
const root = fileURLToPath(new URL('../../../', import.meta.url))
console.log(`chaos: --seed ${seed} --seconds ${seconds} --runs ${runs}${resume ? ' --resume' : ''} --nodes ${nodes}`)
const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', 'test/faults/chaos/chaos.test.ts']
const env = {
  ...process.env,
  CHAOS_SEED: seed,
  CHAOS_SECONDS: seconds,
  CHAOS_RUNS: runs,
  CHAOS_RESUME: resume ? '1' : '0',
  CHAOS_NODES: nodes
}
const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
child.on('exit', (code) => process.exit(code ?? 1))
