/**
 * Spans and metrics of OpenTelemetry for a client. For browsers and Node.
 *
 * @packageDocumentation
 */

export { instrument } from './instrument.js'
export type { ConnectionChange, InstrumentedClient, InstrumentOptions } from './instrument.js'
