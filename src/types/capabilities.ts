// Who the peers are, and what each can do for the other.

import type { JsonObject } from './json-rpc.js'
import type { Icon, Named } from './parts.js'

/** Who a client or server says it is: for display and logs, not for decisions. Source: MCP 2025-11-25, basic/lifecycle. */
export type Implementation = Named & {
  /** Version of the program. */
  version: string
  /** Where people read about it. */
  websiteUrl?: string | undefined
  /** Pictures of it, in several sizes. */
  icons?: Icon[] | undefined
}

/** What both sides may announce. */
type Extras = {
  /** Requests that may become tasks (MCP 2025-11-25). */
  tasks?: { [key: string]: unknown } | undefined
  /** What is not part of MCP, by name. */
  experimental?: { [key: string]: JsonObject } | undefined
  /** Extensions of MCP with their settings, by identifier (MCP 2026-07-28). */
  extensions?: { [key: string]: JsonObject } | undefined
}

/**
 * What a client can do for a server; absent means that it cannot. `elicitation.form.applyDefaults` asks the client to fill in the
 * defaults of the schema. Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28.
 */
export type ClientCapabilities = Extras & {
  /** It answers `roots/list`. */
  roots?:
    | {
        /** It tells when the roots change. */
        listChanged?: boolean | undefined
      }
    | undefined
  /** It answers `sampling/createMessage`. */
  sampling?:
    | {
        /** It takes `includeContext`. */
        context?: JsonObject | undefined
        /** It takes `tools` and `toolChoice`. */
        tools?: JsonObject | undefined
      }
    | undefined
  // `JsonObject` on both levels, as in the v2 SDK: otherwise neither type is assignable to the other with `exactOptionalPropertyTypes`.
  /** It answers `elicitation/create`. */
  elicitation?:
    | (JsonObject & {
        /** It shows forms. */
        form?:
          | (JsonObject & {
              /** Accepted content is completed with the defaults of the schema. */
              applyDefaults?: boolean | undefined
            })
          | undefined
        /** It opens URLs. */
        url?: JsonObject | undefined
      })
    | undefined
}

/**
 * What a server offers; absent means that it does not.
 * Source: MCP 2025-11-25, basic/lifecycle, "Capability Negotiation"; `extensions`: MCP 2026-07-28.
 */
export type ServerCapabilities = Extras & {
  /** It has tools. */
  tools?:
    | {
        /** It tells when the tools change. */
        listChanged?: boolean | undefined
      }
    | undefined
  /** It has resources. */
  resources?:
    | {
        /** It tells when a resource changes that somebody subscribed to. */
        subscribe?: boolean | undefined
        /** It tells when the list of resources changes. */
        listChanged?: boolean | undefined
      }
    | undefined
  /** It has prompts. */
  prompts?:
    | {
        /** It tells when the prompts change. */
        listChanged?: boolean | undefined
      }
    | undefined
  /** It completes arguments. */
  completions?: JsonObject | undefined
  /** It sends log messages. */
  logging?: JsonObject | undefined
}
