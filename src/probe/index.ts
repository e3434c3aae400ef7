export { probe } from './probe.js'
export type { ProbeChange, ProbedServer, ProbeOptions, ProbeReport, ProbeStep } from './types.js'
