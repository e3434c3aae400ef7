import { describe, expect, test } from 'vitest'
import { evenMessages, evenSteps } from './differences.js'
import { PROGRAMS } from './programs.js'
import { PAIRINGS, runInMemory, runOverWebSocket, type Run } from './runs.js'
import type { Seen } from './tap.js'

const DIRECTIONS = ['in', 'out'] as const

const ofDirection = ({ seen }: Run, direction: Seen['direction']): Seen[] => seen.filter((each) => each.direction === direction)

/** What must be the same whoever is connected, and how. */
const restOf = ({ deeds, errors, connections }: Run): object => ({ deeds, errors, connections })

describe.each(PAIRINGS)('the SDK, $mode', (pairing) => {
  const programs = PROGRAMS.filter(({ eras }) => eras.includes(pairing.era))

  test.each(programs)('over WebSocket its client sees and says what it does in memory: $name', async (program) => {
    const reference = await runInMemory(program, pairing)
    const run = await runOverWebSocket(program, pairing, 'the SDK')
    expect(run.steps).toEqual(reference.steps)
    for (const direction of DIRECTIONS) expect(ofDirection(run, direction)).toEqual(ofDirection(reference, direction))
    expect(restOf(run)).toEqual(restOf(reference))
  })

  test.each(programs)('our client sees and says the same, but for the differences that are written down: $name', async (program) => {
    const reference = await runInMemory(program, pairing)
    const run = await runOverWebSocket(program, pairing, 'our client')
    expect(evenSteps(run.steps)).toEqual(evenSteps(reference.steps))
    for (const direction of DIRECTIONS) expect(evenMessages(run.seen, direction)).toEqual(evenMessages(reference.seen, direction))
    expect(restOf(run)).toEqual(restOf(reference))
  })
})
