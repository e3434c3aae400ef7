// `node test/heavy/repeat.mjs [times]`: runs the tests in Node again and again, until one fails. What fails once in ten runs is broken.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const times = Number(process.argv[2] ?? 10)
const cwd = fileURLToPath(new URL('../../', import.meta.url))
let passed = 0
while (passed < times) {
  const startedAt = Date.now()
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node'], { cwd, stdio: 'inherit' })
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0)
  if (status !== 0) {
    console.error(`run ${passed + 1} of ${times} FAILED after ${seconds} s; ${passed} passed before it`)
    process.exit(1)
  }
  passed++
  console.log(`run ${passed} of ${times} passed in ${seconds} s`)
}
console.log(`${passed} of ${times} runs passed`)
