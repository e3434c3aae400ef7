// What a client offers: roots, sampling and elicitation.

import type { AudioContent, ContentBlock, ImageContent, Role, TextContent } from './content.js'
import type { JsonObject, TaskMetadata } from './json-rpc.js'
import type { Labels, OpenResult, WithMeta } from './parts.js'
import type { Tool } from './server-features.js'

/** A directory or file that the server may work in; `uri` is a `file:` URI. Source: MCP 2025-11-25, client/roots. */
export type Root = WithMeta & {
  /** Where it is: a `file:` URI. */
  uri: string
  /** What people call it. */
  name?: string | undefined
}

/** The result of `roots/list`. Source: MCP 2025-11-25, client/roots. */
export type ListRootsResult = OpenResult & {
  /** All roots. */
  roots: Root[]
}

/** A tool call that the model asks for; `id` ties its result to it. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolUseContent = WithMeta & {
  /** Kind of content. */
  type: 'tool_use'
  /** Ties the result to this call. */
  id: string
  /** The name of the tool. */
  name: string
  /** The arguments. */
  input: { [name: string]: unknown }
}

/** What the tool returned that the model called. Source: MCP 2025-11-25, client/sampling, "Sampling with Tools". */
export type ToolResultContent = WithMeta & {
  /** Kind of content. */
  type: 'tool_result'
  /** `id` of the call. */
  toolUseId: string
  /** What the tool returned, for a model. */
  content: ContentBlock[]
  /** What the tool returned, for a program. */
  structuredContent?: unknown
  /** The tool failed, and `content` says why. Assumed where absent: `false`. */
  isError?: boolean | undefined
}

/** What sampling messages are made of. Source: MCP 2025-11-25, client/sampling. */
export type SamplingContentBlock = TextContent | ImageContent | AudioContent | ToolUseContent | ToolResultContent

/** One turn of the conversation to sample from. Source: MCP 2025-11-25, client/sampling. */
export type SamplingMessage = WithMeta & {
  /** Who says it. */
  role: Role
  /** What is said. */
  content: SamplingContentBlock | SamplingContentBlock[]
}

/**
 * Which model the server would like; `hints` in order of preference, priorities from 0 to 1.
 * Source: MCP 2025-11-25, client/sampling, "Model Preferences".
 */
export type ModelPreferences = {
  /** Models that would suit, the best first. */
  hints?:
    | {
        /** Name of a model, or a part of it. */
        name?: string | undefined
      }[]
    | undefined
  /** How much a low price matters, from 0 to 1. */
  costPriority?: number | undefined
  /** How much speed matters, from 0 to 1. */
  speedPriority?: number | undefined
  /** How much ability matters, from 0 to 1. */
  intelligencePriority?: number | undefined
}

/** Whether the model may, must or must not call tools; `auto` where absent. Source: MCP 2025-11-25, client/sampling, "Tool Choice Modes". */
export type ToolChoice = {
  /** Whether the model may, must or must not call a tool. */
  mode?: 'auto' | 'required' | 'none' | undefined
}

/**
 * Params of `sampling/createMessage`; `maxTokens` is a ceiling. `tools` and `toolChoice` need the capability `sampling.tools`.
 * Source: MCP 2025-11-25, client/sampling.
 */
export type CreateMessageParams = WithMeta & {
  /** The conversation so far. */
  messages: SamplingMessage[]
  /** Most tokens to make. */
  maxTokens: number
  /** Which model the server would like. */
  modelPreferences?: ModelPreferences | undefined
  /** What the model is told first; the client may change it. */
  systemPrompt?: string | undefined
  /** Whose context to add. Assumed where absent: `none`. */
  includeContext?: 'none' | 'thisServer' | 'allServers' | undefined
  /** How much chance there is in the choice of tokens. */
  temperature?: number | undefined
  /** Texts at which the model stops. */
  stopSequences?: string[] | undefined
  /** What the provider of the model should be given. */
  metadata?: JsonObject | undefined
  /** Tools that the model may call. */
  tools?: Tool[] | undefined
  /** Whether it may, must or must not call one. */
  toolChoice?: ToolChoice | undefined
  /** Makes a task of the request (MCP 2025-11-25). */
  task?: TaskMetadata | undefined
}

/**
 * The model's message; `stopReason` is `endTurn`, `stopSequence`, `maxTokens`, `toolUse` or the provider's own word.
 * Source: MCP 2025-11-25, client/sampling.
 */
export type CreateMessageResult = OpenResult & {
  /** Name of the model that answered. */
  model: string
  /** Who says it. */
  role: Role
  /** What is said. */
  content: SamplingContentBlock | SamplingContentBlock[]
  /** Why the model stopped, if that is known. */
  stopReason?: string | undefined
}

/** A text field of a form; lengths in characters. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type StringSchema = Labels & {
  /** Kind of field. */
  type: 'string'
  /** Fewest characters. */
  minLength?: number | undefined
  /** Most characters. */
  maxLength?: number | undefined
  /** What the text has to be. */
  format?: 'email' | 'uri' | 'date' | 'date-time' | undefined
  /** What the form shows at first. */
  default?: string | undefined
}

/** A number field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type NumberSchema = Labels & {
  /** Kind of field. */
  type: 'number' | 'integer'
  /** Least value. */
  minimum?: number | undefined
  /** Greatest value. */
  maximum?: number | undefined
  /** What the form shows at first. */
  default?: number | undefined
}

/** A yes-or-no field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type BooleanSchema = Labels & {
  /** Kind of field. */
  type: 'boolean'
  /** What the form shows at first. */
  default?: boolean | undefined
}

/** A value to choose, with the text that a person sees. */
type Choice = {
  /** The value. */
  const: string
  /** What a person sees. */
  title: string
}

/**
 * A choice of one: bare values, or values with a title; `enumNames` is the old way to give titles.
 * Source: MCP 2025-11-25, client/elicitation, "Requested Schema".
 */
export type SingleSelectSchema = Labels & {
  /** Kind of field. */
  type: 'string'
  /** What the form shows at first. */
  default?: string | undefined
} & (
    | {
        /** The values. */
        enum: string[]
        /** Their titles, in the same order. */
        enumNames?: string[] | undefined
      }
    | {
        /** The values with their titles. */
        oneOf: Choice[]
      }
  )

/** A choice of several: bare values, or values with a title. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type MultiSelectSchema = Labels & {
  /** Kind of field. */
  type: 'array'
  /** Fewest values to choose. */
  minItems?: number | undefined
  /** Most values to choose. */
  maxItems?: number | undefined
  /** What the form shows at first. */
  default?: string[] | undefined
} & (
    | {
        /** What there is to choose from. */
        items: {
          /** Values are texts. */
          type: 'string'
          /** The values. */
          enum: string[]
        }
      }
    | {
        /** What there is to choose from. */
        items: {
          /** The values with their titles. */
          anyOf: Choice[]
        }
      }
  )

/** One field of a form. Source: MCP 2025-11-25, client/elicitation, "Requested Schema". */
export type PrimitiveSchema = StringSchema | NumberSchema | BooleanSchema | SingleSelectSchema | MultiSelectSchema

/**
 * Params of `elicitation/create` that ask for a form to be filled in, with flat and primitive fields only.
 * Source: MCP 2025-11-25, client/elicitation, "Form Mode Elicitation Requests".
 */
export type ElicitFormParams = WithMeta & {
  /** Kind of question. Assumed where absent: `form`. */
  mode?: 'form' | undefined
  /** What the user is asked. */
  message: string
  /** The form, as a JSON Schema of a flat object. */
  requestedSchema: {
    /** The content of a form is an object. */
    type: 'object'
    /** The fields, by name. */
    properties: { [name: string]: PrimitiveSchema }
    /** The fields that must be filled in. */
    required?: string[] | undefined
    [keyword: string]: unknown
  }
  /** Makes a task of the request (MCP 2025-11-25). */
  task?: TaskMetadata | undefined
}

/**
 * Params of `elicitation/create` that send the user to a URL; `elicitationId` is always there in 2025-11-25 and gone in 2026-07-28.
 * Source: MCP 2025-11-25 and 2026-07-28, client/elicitation.
 */
export type ElicitUrlParams = WithMeta & {
  /** Kind of question. */
  mode: 'url'
  /** Why the user should open the URL. */
  message: string
  /** What to open, after the user has agreed. */
  url: string
  /** The name under which `notifications/elicitation/complete` tells that it is done. */
  elicitationId?: string | undefined
  /** Makes a task of the request (MCP 2025-11-25). */
  task?: TaskMetadata | undefined
}

/** Params of `elicitation/create`, in either mode. Source: MCP 2025-11-25, client/elicitation. */
export type ElicitParams = ElicitFormParams | ElicitUrlParams

/** What the user did; `content` only with `accept` in form mode. Source: MCP 2025-11-25, client/elicitation, "Response Actions". */
export type ElicitResult = OpenResult & {
  /** What the user did: agree, say no, or close the question. */
  action: 'accept' | 'decline' | 'cancel'
  /** The fields of the form, by name. */
  content?: { [name: string]: string | number | boolean | string[] } | undefined
}
