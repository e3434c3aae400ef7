import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { buildIfStale } from '../package/packed.js'

// The official conformance runner (modelcontextprotocol/conformance) against our client, and against the SDK's `Client` on our transport.
// Its other scenarios for clients are about HTTP and OAuth.

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('conformance/client.mjs', import.meta.url))
const BOTH_ERAS = [
  'initialize',
  'tools_call',
  'elicitation-sep1034-client-defaults',
  'json-schema-ref-no-deref',
  'json-schema-2020-12-preservation'
]
// SDK v1 does not speak the modern era.
const MODERN = ['request-metadata', 'sep-2322-client-request-state']
const SCENARIOS = { client: [...BOTH_ERAS, ...MODERN], v2: [...BOTH_ERAS, ...MODERN], v1: BOTH_ERAS }

const conformance = inject('machine').conformance

beforeAll(() => buildIfStale(), 120_000)

describe.skipIf('missing' in conformance).each(Object.entries(SCENARIOS))('%s passes the scenario', (kind, scenarios) => {
  const modules = 'folder' in conformance ? join(conformance.folder, 'node_modules') : ''
  const node = join(modules, `node-${process.arch}/bin/node`)
  const runner = join(modules, '@modelcontextprotocol/conformance/dist/index.js')

  it.each(scenarios.flatMap((scenario) => ['steady', 'killed'].map((fate) => [scenario, fate] as const)))(
    '%s, with a connection that is %s',
    async (scenario, fate) => {
      const command = `${process.execPath} ${PROGRAM} ${kind} ${fate}`
      const { stdout, stderr } = await run(node, [runner, 'client', '--command', command, '--scenario', scenario, '--timeout', '40000'])
      const [, passed, all] = /Passed: (\d+)\/(\d+), 0 failed, 0 warnings/.exec(stderr) ?? []
      expect(Number(passed), stdout + stderr).toBeGreaterThan(0)
      expect(passed).toBe(all)
    }
  )
})
