import { writeFileSync } from 'node:fs'
import { clientFacts, type Surroundings } from '../facts.js'
import { tryAll } from '../runner.js'

/** What Jest puts into the scope of a test. */
declare const test: (name: string, body: () => Promise<void>, timeout: number) => void
/** From `globals` in the configuration. */
declare const surroundings: Surroundings
declare const resultsPath: string

clientFacts(surroundings)
test('every fact is tried', async () => writeFileSync(resultsPath, JSON.stringify(await tryAll())), 120_000)
