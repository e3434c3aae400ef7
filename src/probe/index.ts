/**
 * What `mcp-ws probe` does, as a function: why a server cannot be reached, and what helps. For Node.
 *
 * @packageDocumentation
 */

export { probe } from './probe.js'
export type { ProbeChange, ProbedServer, ProbeOptions, ProbeReport, ProbeStep } from './types.js'
