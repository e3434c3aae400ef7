export { instrument } from './instrument.js'
export type { ConnectionChange, InstrumentedClient, InstrumentOptions } from './instrument.js'
