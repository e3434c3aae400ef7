import type { AudioContent, ContentBlock, ImageContent, Role, TextContent } from './content.js'
import type { JsonObject, Meta, TaskMetadata } from './json-rpc.js'
import type { Tool } from './server-features.js'

/** A directory or file that the server may work in; `uri` is a `file:` URI. Source: MCP 2025-11-25, client/roots. */
export type Root = {
  uri: string
  name?: string
  _meta?: Meta
}

/** The client's answer to `roots/list`. Source: MCP 2025-11-25, client/roots. */
export type ListRootsResult = {
  roots: Root[]
  _meta?: Meta
  [key: string]: unknown
}

/** The model's wish to call a tool; `id` ties its result to it. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolUseContent = {
  type: 'tool_use'
  id: string
  name: string
  input: { [name: string]: unknown }
  _meta?: Meta
}

/** What a tool that the model called has answered. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolResultContent = {
  type: 'tool_result'
  toolUseId: string
  content: ContentBlock[]
  structuredContent?: unknown
  isError?: boolean
  _meta?: Meta
}

/** What sampling messages are made of. Source: MCP 2025-11-25, client/sampling. */
export type SamplingContentBlock = TextContent | ImageContent | AudioContent | ToolUseContent | ToolResultContent

/** One turn of the conversation to sample from. Source: MCP 2025-11-25, client/sampling. */
export type SamplingMessage = {
  role: Role
  content: SamplingContentBlock | SamplingContentBlock[]
  _meta?: Meta
}

/** Which model the server would like; `hints` in order of preference, priorities from 0 to 1. Source: MCP 2025-11-25, client/sampling, "Model Preferences". */
export type ModelPreferences = {
  hints?: { name?: string }[]
  costPriority?: number
  speedPriority?: number
  intelligencePriority?: number
}

/** Whether the model may, must or must not call tools; `auto` where absent. Source: MCP 2025-11-25, client/sampling, "Tool Choice Modes". */
export type ToolChoice = {
  mode?: 'auto' | 'required' | 'none'
}

/** Params of `sampling/createMessage`; `maxTokens` is a ceiling. `tools` and `toolChoice` need `sampling.tools`. Source: MCP 2025-11-25, client/sampling. */
export type CreateMessageParams = {
  messages: SamplingMessage[]
  maxTokens: number
  modelPreferences?: ModelPreferences
  systemPrompt?: string
  includeContext?: 'none' | 'thisServer' | 'allServers'
  temperature?: number
  stopSequences?: string[]
  metadata?: JsonObject
  tools?: Tool[]
  toolChoice?: ToolChoice
  task?: TaskMetadata
  _meta?: Meta
}

/** The model's message; `stopReason` is `endTurn`, `stopSequence`, `maxTokens`, `toolUse` or the provider's own word. Source: MCP 2025-11-25, client/sampling. */
export type CreateMessageResult = {
  model: string
  role: Role
  content: SamplingContentBlock | SamplingContentBlock[]
  stopReason?: string
  _meta?: Meta
  [key: string]: unknown
}

/** A text field of a form; lengths in characters. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type StringSchema = {
  type: 'string'
  title?: string
  description?: string
  minLength?: number
  maxLength?: number
  format?: 'email' | 'uri' | 'date' | 'date-time'
  default?: string
}

/** A number field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type NumberSchema = {
  type: 'number' | 'integer'
  title?: string
  description?: string
  minimum?: number
  maximum?: number
  default?: number
}

/** A yes-or-no field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type BooleanSchema = {
  type: 'boolean'
  title?: string
  description?: string
  default?: boolean
}

/** A choice of one: bare values, or values with a title; `enumNames` is the old way to give titles. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type SingleSelectSchema =
  | { type: 'string'; enum: string[]; enumNames?: string[]; title?: string; description?: string; default?: string }
  | { type: 'string'; oneOf: { const: string; title: string }[]; title?: string; description?: string; default?: string }

/** A choice of several: bare values, or values with a title. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type MultiSelectSchema =
  | {
      type: 'array'
      items: { type: 'string'; enum: string[] }
      title?: string
      description?: string
      minItems?: number
      maxItems?: number
      default?: string[]
    }
  | {
      type: 'array'
      items: { anyOf: { const: string; title: string }[] }
      title?: string
      description?: string
      minItems?: number
      maxItems?: number
      default?: string[]
    }

/** One field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type PrimitiveSchema = StringSchema | NumberSchema | BooleanSchema | SingleSelectSchema | MultiSelectSchema

/** Params of `elicitation/create` that ask for a form to be filled in; flat, primitive fields only. Source: MCP 2025-11-25, client/elicitation, "Form Mode Elicitation Requests". */
export type ElicitFormParams = {
  mode?: 'form'
  message: string
  requestedSchema: {
    type: 'object'
    properties: { [name: string]: PrimitiveSchema }
    required?: string[]
    [keyword: string]: unknown
  }
  task?: TaskMetadata
  _meta?: Meta
}

/** Params of `elicitation/create` that send the user to a URL; `elicitationId` is always there in 2025-11-25 and gone in 2026-07-28. Source: MCP 2025-11-25 and 2026-07-28, client/elicitation. */
export type ElicitUrlParams = {
  mode: 'url'
  message: string
  url: string
  elicitationId?: string
  task?: TaskMetadata
  _meta?: Meta
}

/** Params of `elicitation/create`, in either mode. Source: MCP 2025-11-25, client/elicitation. */
export type ElicitParams = ElicitFormParams | ElicitUrlParams

/** What the user did; `content` only with `accept` in form mode. Source: MCP 2025-11-25, client/elicitation, "Response Actions". */
export type ElicitResult = {
  action: 'accept' | 'decline' | 'cancel'
  content?: { [name: string]: string | number | boolean | string[] }
  _meta?: Meta
  [key: string]: unknown
}
