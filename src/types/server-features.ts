// What a server offers: tools, resources, prompts, completion and logging.

import type { BlobResourceContents, ContentBlock, Resource, ResourceTemplate, Role, TextResourceContents } from './content.js'
import type { JsonValue, TaskMetadata } from './json-rpc.js'
import type { Entry, Named, OpenResult, Page, WithMeta } from './parts.js'

/**
 * A JSON Schema, of the dialect that `$schema` names; without it 2020-12 (MCP 2025-11-25, basic, "JSON Schema Usage"). It validates
 * synchronously, although some libraries know `$async` schemas too.
 */
export type JsonSchema = {
  /** The dialect, as a URI. */
  $schema?: string
  /** Never `true`: the schema validates at once. */
  $async?: false
  [keyword: string]: unknown
}

/** What a tool claims to do; hints, not to be trusted unless the server is. Source: MCP 2025-11-25, server/tools. */
export type ToolAnnotations = {
  /** What people call the tool; `title` of the tool itself comes first. */
  title?: string | undefined
  /** It changes nothing. Assumed where absent: `false`. */
  readOnlyHint?: boolean | undefined
  /** It may destroy something. Assumed where absent: `true`. */
  destructiveHint?: boolean | undefined
  /** A second call with the same arguments changes nothing more. Assumed where absent: `false`. */
  idempotentHint?: boolean | undefined
  /** It deals with things beyond the server, such as the web. Assumed where absent: `true`. */
  openWorldHint?: boolean | undefined
}

/**
 * A tool of the server; both schemas are JSON Schema (2020-12 unless `$schema` says otherwise).
 * Source: MCP 2025-11-25 and 2026-07-28, server/tools.
 */
export type Tool = Entry & {
  /** The JSON Schema of its arguments. */
  inputSchema: {
    /** The dialect, as a URI. */
    $schema?: string | undefined
    /** Arguments are an object. */
    type: 'object'
    /** The schema of each argument, by name. */
    properties?: { [name: string]: JsonValue } | undefined
    /** The arguments that must be given. */
    required?: string[] | undefined
    [keyword: string]: unknown
  }
  /** The JSON Schema of `structuredContent`, if the tool promises one. */
  outputSchema?:
    | {
        /** The dialect, as a URI. */
        $schema?: string | undefined
        [keyword: string]: unknown
      }
    | undefined
  /** What the tool claims to do. */
  annotations?: ToolAnnotations | undefined
  /** How the tool may be run (MCP 2025-11-25). */
  execution?:
    | {
        /** Whether a call may, must or must not become a task. Assumed where absent: `forbidden`. */
        taskSupport?: 'forbidden' | 'optional' | 'required' | undefined
      }
    | undefined
}

/** One page of `tools/list`. Source: MCP 2025-11-25, server/tools. */
export type ListToolsResult = Page & {
  /** The tools of this page. */
  tools: Tool[]
}

/** Params of `tools/call`. Source: MCP 2025-11-25, server/tools. */
export type CallToolParams = WithMeta & {
  /** The name of the tool. */
  name: string
  /** Its arguments, as `inputSchema` wants them. */
  arguments?: { [name: string]: unknown } | undefined
  /** Makes a task of the call (MCP 2025-11-25). */
  task?: TaskMetadata | undefined
}

/**
 * What a tool returned; with `isError` the content says what went wrong. `structuredContent` is any JSON value, `null` included:
 * `undefined` means that there is none. Its type is what the program says; nothing checks it but the option `validateOutput`, by the
 * `outputSchema` of the tool. Source: MCP 2025-11-25 and 2026-07-28, server/tools.
 */
export type CallToolResult<T = unknown> = OpenResult & {
  /** What the tool returned, for a model. */
  content: ContentBlock[]
  /** What the tool returned, for a program; it fits the `outputSchema` of the tool, if there is one. */
  structuredContent?: T | undefined
  /** The tool failed, and `content` says why. Assumed where absent: `false`. */
  isError?: boolean | undefined
}

/** One page of `resources/list`. Source: MCP 2025-11-25, server/resources. */
export type ListResourcesResult = Page & {
  /** The resources of this page. */
  resources: Resource[]
}

/** One page of `resources/templates/list`. Source: MCP 2025-11-25, server/resources. */
export type ListResourceTemplatesResult = Page & {
  /** The templates of this page. */
  resourceTemplates: ResourceTemplate[]
}

/** Params of `resources/read`. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceParams = WithMeta & {
  /** The address of the resource. */
  uri: string
}

/** What a resource holds: several entries where it has parts. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceResult = OpenResult & {
  /** The resource, or its parts. */
  contents: (TextResourceContents | BlobResourceContents)[]
}

/**
 * Params of `notifications/resources/updated`; `uri` may be a sub-resource of the one subscribed to.
 * Source: MCP 2025-11-25, server/resources, "Subscriptions".
 */
export type ResourceUpdatedParams = WithMeta & {
  /** The address of what has changed. */
  uri: string
}

/** An argument that a prompt takes. Source: MCP 2025-11-25, server/prompts. */
export type PromptArgument = Named & {
  /** Whether it must be given. */
  required?: boolean | undefined
}

/** A prompt that the server has ready. Source: MCP 2025-11-25, server/prompts. */
export type Prompt = Entry & {
  /** What the prompt takes. */
  arguments?: PromptArgument[] | undefined
}

/** One message of a prompt. Source: MCP 2025-11-25, server/prompts, "PromptMessage". */
export type PromptMessage = {
  /** Who says it. */
  role: Role
  /** What is said. */
  content: ContentBlock
}

/** One page of `prompts/list`. Source: MCP 2025-11-25, server/prompts. */
export type ListPromptsResult = Page & {
  /** The prompts of this page. */
  prompts: Prompt[]
}

/** Params of `prompts/get`; argument values are strings. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptParams = WithMeta & {
  /** The name of the prompt. */
  name: string
  /** Its arguments, by name. */
  arguments?: { [name: string]: string } | undefined
}

/** A prompt filled in. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptResult = OpenResult & {
  /** What the prompt is for. */
  description?: string | undefined
  /** The prompt, with the arguments filled in. */
  messages: PromptMessage[]
}

/** Names a prompt for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type PromptReference = {
  /** Kind of reference. */
  type: 'ref/prompt'
  /** The name of the prompt. */
  name: string
  /** What people call the prompt. */
  title?: string | undefined
}

/** Names a resource or a resource template for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type ResourceTemplateReference = {
  /** Kind of reference. */
  type: 'ref/resource'
  /** The URI, or the template, of the resource. */
  uri: string
}

/** Params of `completion/complete`; `context` holds the arguments already settled. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteParams = WithMeta & {
  /** What the argument belongs to. */
  ref: PromptReference | ResourceTemplateReference
  /** The argument that is being typed. */
  argument: {
    /** Its name. */
    name: string
    /** What was typed so far. */
    value: string
  }
  /** What is already known. */
  context?:
    | {
        /** The other arguments, by name. */
        arguments?: { [name: string]: string } | undefined
      }
    | undefined
}

/** Suggestions: at most 100 values, best first; `total` counts all there are. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteResult = OpenResult & {
  /** The suggestions. */
  completion: {
    /** The best ones, at most 100. */
    values: string[]
    /** How many there are in all, if that is known. */
    total?: number | undefined
    /** Whether there are more than these. */
    hasMore?: boolean | undefined
    [key: string]: unknown
  }
}

/** Severity of a log message, least first. Source: MCP 2025-11-25, server/utilities/logging; RFC 5424, 6.2.1. */
export type LoggingLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency'

/** Params of `notifications/message`; `data` is any JSON value. Source: MCP 2025-11-25, server/utilities/logging. */
export type LoggingMessageParams = WithMeta & {
  /** How severe it is. */
  level: LoggingLevel
  /** Which part of the server says it. */
  logger?: string | undefined
  /** What it says: a text or any other JSON value. */
  data: unknown
}
