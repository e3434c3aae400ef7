// What a client offers: roots, sampling and elicitation.

import type { AudioContent, ContentBlock, ImageContent, Role, TextContent } from './content.js'
import type { JsonObject, TaskMetadata } from './json-rpc.js'
import type { Labels, OpenResult, WithMeta } from './parts.js'
import type { Tool } from './server-features.js'

/** A directory or file that the server may work in; `uri` is a `file:` URI. Source: MCP 2025-11-25, client/roots. */
export type Root = WithMeta & { uri: string; name?: string | undefined }

/** The result of `roots/list`. Source: MCP 2025-11-25, client/roots. */
export type ListRootsResult = OpenResult & { roots: Root[] }

/** A tool call that the model asks for; `id` ties its result to it. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolUseContent = WithMeta & { type: 'tool_use'; id: string; name: string; input: { [name: string]: unknown } }

/** What the tool returned that the model called. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolResultContent = WithMeta & {
  type: 'tool_result'
  toolUseId: string
  content: ContentBlock[]
  structuredContent?: unknown
  isError?: boolean | undefined
}

/** What sampling messages are made of. Source: MCP 2025-11-25, client/sampling. */
export type SamplingContentBlock = TextContent | ImageContent | AudioContent | ToolUseContent | ToolResultContent

/** One turn of the conversation to sample from. Source: MCP 2025-11-25, client/sampling. */
export type SamplingMessage = WithMeta & { role: Role; content: SamplingContentBlock | SamplingContentBlock[] }

/**
 * Which model the server would like; `hints` in order of preference, priorities from 0 to 1.
 * Source: MCP 2025-11-25, client/sampling, "Model Preferences".
 */
export type ModelPreferences = {
  hints?: { name?: string | undefined }[] | undefined
  costPriority?: number | undefined
  speedPriority?: number | undefined
  intelligencePriority?: number | undefined
}

/** Whether the model may, must or must not call tools; `auto` where absent. Source: MCP 2025-11-25, client/sampling, "Tool Choice Modes". */
export type ToolChoice = { mode?: 'auto' | 'required' | 'none' | undefined }

/**
 * Params of `sampling/createMessage`; `maxTokens` is a ceiling. `tools` and `toolChoice` need the capability `sampling.tools`.
 * Source: MCP 2025-11-25, client/sampling.
 */
export type CreateMessageParams = WithMeta & {
  messages: SamplingMessage[]
  maxTokens: number
  modelPreferences?: ModelPreferences | undefined
  systemPrompt?: string | undefined
  includeContext?: 'none' | 'thisServer' | 'allServers' | undefined
  temperature?: number | undefined
  stopSequences?: string[] | undefined
  metadata?: JsonObject | undefined
  tools?: Tool[] | undefined
  toolChoice?: ToolChoice | undefined
  task?: TaskMetadata | undefined
}

/**
 * The model's message; `stopReason` is `endTurn`, `stopSequence`, `maxTokens`, `toolUse` or the provider's own word.
 * Source: MCP 2025-11-25, client/sampling.
 */
export type CreateMessageResult = OpenResult & {
  model: string
  role: Role
  content: SamplingContentBlock | SamplingContentBlock[]
  stopReason?: string | undefined
}

/** A text field of a form; lengths in characters. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type StringSchema = Labels & {
  type: 'string'
  minLength?: number | undefined
  maxLength?: number | undefined
  format?: 'email' | 'uri' | 'date' | 'date-time' | undefined
  default?: string | undefined
}

/** A number field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type NumberSchema = Labels & {
  type: 'number' | 'integer'
  minimum?: number | undefined
  maximum?: number | undefined
  default?: number | undefined
}

/** A yes-or-no field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type BooleanSchema = Labels & { type: 'boolean'; default?: boolean | undefined }

/** A value to choose, with the text that a person sees. */
type Choice = { const: string; title: string }

/**
 * A choice of one: bare values, or values with a title; `enumNames` is the old way to give titles.
 * Source: MCP 2025-11-25, client/elicitation, "Requested Schema".
 */
export type SingleSelectSchema = Labels & { type: 'string'; default?: string | undefined } & (
    { enum: string[]; enumNames?: string[] | undefined } | { oneOf: Choice[] }
  )

/** A choice of several: bare values, or values with a title. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type MultiSelectSchema = Labels & {
  type: 'array'
  minItems?: number | undefined
  maxItems?: number | undefined
  default?: string[] | undefined
} & ({ items: { type: 'string'; enum: string[] } } | { items: { anyOf: Choice[] } })

/** One field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type PrimitiveSchema = StringSchema | NumberSchema | BooleanSchema | SingleSelectSchema | MultiSelectSchema

/**
 * Params of `elicitation/create` that ask for a form to be filled in, with flat and primitive fields only.
 * Source: MCP 2025-11-25, client/elicitation, "Form Mode Elicitation Requests".
 */
export type ElicitFormParams = WithMeta & {
  mode?: 'form' | undefined
  message: string
  requestedSchema: {
    type: 'object'
    properties: { [name: string]: PrimitiveSchema }
    required?: string[] | undefined
    [keyword: string]: unknown
  }
  task?: TaskMetadata | undefined
}

/**
 * Params of `elicitation/create` that send the user to a URL; `elicitationId` is always there in 2025-11-25 and gone in 2026-07-28.
 * Source: MCP 2025-11-25 and 2026-07-28, client/elicitation.
 */
export type ElicitUrlParams = WithMeta & {
  mode: 'url'
  message: string
  url: string
  elicitationId?: string | undefined
  task?: TaskMetadata | undefined
}

/** Params of `elicitation/create`, in either mode. Source: MCP 2025-11-25, client/elicitation. */
export type ElicitParams = ElicitFormParams | ElicitUrlParams

/** What the user did; `content` only with `accept` in form mode. Source: MCP 2025-11-25, client/elicitation, "Response Actions". */
export type ElicitResult = OpenResult & {
  action: 'accept' | 'decline' | 'cancel'
  content?: { [name: string]: string | number | boolean | string[] } | undefined
}
