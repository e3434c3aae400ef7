import { describe, expect, test } from 'vitest'
import { judge } from './judge.js'
import { PROGRAMS, type Program } from './programs.js'
import { PAIRINGS, runInMemory, runOverWebSocket, type Pairing, type Who } from './runs.js'
import type { Cut, Seen } from './tap.js'

/**
 * Everywhere that a connection can break: behind each message that passed, and at each message of the server, which is then lost.
 * A message of the client that is lost is in there: it is the next one, sent into a connection that is already gone.
 */
const cutsOf = (seen: readonly Seen[]): Cut[] =>
  seen.flatMap(({ direction }, index) => {
    const at = index + 1
    return direction === 'in'
      ? [{ at, how: 'after' }]
      : [
          { at, how: 'instead' },
          { at, how: 'after' }
        ]
  })

/** Runs the program once for every place at which its connection can break. @returns What is against the rule. */
async function breakEverywhere(program: Program, pairing: Pairing, who: Who): Promise<string[]> {
  const reference = await runInMemory(program, pairing)
  const { seen } = await runOverWebSocket(program, pairing, who)
  const problems: string[] = []
  for (const cut of cutsOf(seen)) {
    const { direction, message } = seen[cut.at - 1]!
    const where = `broken ${cut.how} message ${String(cut.at)} (${direction}, ${message.method ?? 'response'})`
    try {
      const found = judge(await runOverWebSocket(program, pairing, who, cut), reference)
      problems.push(...found.map((problem) => `${where}: ${problem}`))
    } catch (error) {
      // What hangs takes its time, and would again.
      return [...problems, `${where}: ${String(error)}`]
    }
  }
  return problems
}

/** Declares the tests of everybody who may be connected over WebSocket; they are in files of their own to run side by side. */
export function describeDrops(who: Who): void {
  describe.each(PAIRINGS)(`${who}, $mode: a connection that breaks at any message changes nothing for`, (pairing) => {
    const programs = PROGRAMS.filter(({ eras }) => eras.includes(pairing.era))
    const run = async (program: Program): Promise<void> => expect(await breakEverywhere(program, pairing, who)).toEqual([])
    test.each(programs)('$name', run, 120_000)
  })
}
