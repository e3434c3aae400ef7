// Who the peers are, and what each can do for the other.

import type { JsonObject } from './json-rpc.js'
import type { Icon, Named } from './parts.js'

/** Who a client or server says it is: for display and logs, not for decisions. Source: MCP 2025-11-25, basic/lifecycle. */
export type Implementation = Named & { version: string; websiteUrl?: string | undefined; icons?: Icon[] | undefined }

/** What both sides may announce. */
type Extras = {
  tasks?: { [key: string]: unknown } | undefined
  experimental?: { [key: string]: JsonObject } | undefined
  extensions?: { [key: string]: JsonObject } | undefined
}

/**
 * What a client can do for a server; absent means that it cannot. `elicitation.form.applyDefaults` asks the client to fill in the
 * defaults of the schema. Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28.
 */
export type ClientCapabilities = Extras & {
  roots?: { listChanged?: boolean | undefined } | undefined
  sampling?: { context?: JsonObject | undefined; tools?: JsonObject | undefined } | undefined
  // `JsonObject` on both levels, as in the v2 SDK: otherwise neither type takes the other where optional properties are exact.
  elicitation?:
    (JsonObject & { form?: (JsonObject & { applyDefaults?: boolean | undefined }) | undefined; url?: JsonObject | undefined }) | undefined
}

/**
 * What a server offers; absent means that it does not.
 * Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28.
 */
export type ServerCapabilities = Extras & {
  tools?: { listChanged?: boolean | undefined } | undefined
  resources?: { subscribe?: boolean | undefined; listChanged?: boolean | undefined } | undefined
  prompts?: { listChanged?: boolean | undefined } | undefined
  completions?: JsonObject | undefined
  logging?: JsonObject | undefined
}
