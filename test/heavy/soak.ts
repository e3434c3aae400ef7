import { expect } from 'vitest'
import { bundle, useChild, type Child } from '../helpers/child.js'

/** How much of the heap may be another's after a soak: compiled code, caches of the engine. */
export const MOST_LEFT = 2 * 2 ** 20

/** What a program says about itself in its last line. */
export interface Soaked {
  readonly leftBytes: number
  readonly handlesBefore: readonly string[]
  readonly handlesAfter: readonly string[]
}

/** A server in a process of its own. */
export interface SoakServer extends Child {
  readonly port: number
}

/** Starts `soak-server.ts`. @param port - 0 = any that is free. */
export async function useSoakServer(port = 0): Promise<SoakServer> {
  const child = useChild(await bundle(new URL('../faults/programs/soak-server.ts', import.meta.url)), [String(port)])
  return Object.assign(child, { port: Number(await child.nextLine()) })
}

/** Starts a program that soaks. */
export async function useSoak(program: 'soak-client' | 'soak-crowd', server: SoakServer, ...counts: number[]): Promise<Child> {
  const script = await bundle(new URL(`../faults/programs/${program}.ts`, import.meta.url))
  return useChild(script, [`ws://127.0.0.1:${String(server.port)}/ws`, ...counts.map(String)], ['--expose-gc'])
}

/** The next line that is no report of progress; those are shown. */
export async function nextWord(child: Child): Promise<string> {
  for (;;) {
    const line = await child.nextLine()
    if (!line.startsWith('#')) return line
    if (line !== '#') console.log(line)
  }
}

/** Nothing is left of what a program did: what it held at the start it holds at the end. */
export function expectNothingLeft({ leftBytes, handlesBefore, handlesAfter }: Soaked): void {
  expect(leftBytes, 'heap in bytes, after close()').toBeLessThanOrEqual(MOST_LEFT)
  expect(handlesAfter).toEqual(handlesBefore)
}

/** In KiB, for people. */
export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`
