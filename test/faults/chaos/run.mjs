// `node test/faults/chaos/run.mjs --seed N --seconds S --runs K`: chaos runs with the seeds from N to N + K - 1.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { seed, seconds, runs } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    seconds: { type: 'string', default: '30' },
    runs: { type: 'string', default: '1' }
  }
}).values
const root = fileURLToPath(new URL('../../../', import.meta.url))
console.log(`chaos: --seed ${seed} --seconds ${seconds} --runs ${runs}`)
const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node', 'test/faults/chaos/chaos.test.ts']
const env = { ...process.env, CHAOS_SEED: seed, CHAOS_SECONDS: seconds, CHAOS_RUNS: runs }
const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
child.on('exit', (code) => process.exit(code ?? 1))
