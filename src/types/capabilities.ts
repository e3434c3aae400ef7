import type { Icon } from './content.js'
import type { JsonObject } from './json-rpc.js'

/** Who a client or server says it is: for display and logs, not for decisions. Source: MCP 2025-11-25, basic/lifecycle. */
export type Implementation = {
  name: string
  version: string
  title?: string
  description?: string
  websiteUrl?: string
  icons?: Icon[]
}

/**
 * What a client can do for a server; absent means cannot. `elicitation.form.applyDefaults` asks the client to fill in the schema's defaults.
 * Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28.
 */
export type ClientCapabilities = {
  roots?: { listChanged?: boolean }
  sampling?: { context?: JsonObject; tools?: JsonObject }
  elicitation?: {
    form?: JsonObject & { applyDefaults?: boolean }
    url?: JsonObject
  }
  tasks?: { [key: string]: unknown }
  experimental?: { [key: string]: JsonObject }
  extensions?: { [key: string]: JsonObject }
}

/** What a server offers; absent means does not. Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28. */
export type ServerCapabilities = {
  tools?: { listChanged?: boolean }
  resources?: { subscribe?: boolean; listChanged?: boolean }
  prompts?: { listChanged?: boolean }
  completions?: JsonObject
  logging?: JsonObject
  tasks?: { [key: string]: unknown }
  experimental?: { [key: string]: JsonObject }
  extensions?: { [key: string]: JsonObject }
}
