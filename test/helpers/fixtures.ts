import { PendingRequest } from '../../src/rpc/pending.js'
import type { Closure } from '../../src/errors.js'

/** What a client of a test can do for its server, so that every handler may be set. */
export const CAPABILITIES = { elicitation: {}, sampling: {}, roots: { listChanged: true } }

/** A closure of an open socket that broke, changed as a test needs it. */
export const closureOf = (changes: Partial<Closure> = {}): Closure => ({
  kind: 'close',
  code: 1006,
  wasClean: false,
  everReady: false,
  ...changes
})

/** A request that was sent and may be sent again, changed as a test needs it. */
export const requestOf = (changes: Partial<PendingRequest> = {}): PendingRequest =>
  Object.assign(new PendingRequest(1, 'tools/list', undefined), { phase: 'sent', text: '{}', mayResend: true, size: 2 }, changes)
