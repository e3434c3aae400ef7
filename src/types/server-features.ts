import type { BlobResourceContents, Annotations, ContentBlock, Icon, Role, TextResourceContents } from './content.js'
import type { JsonValue, Meta, TaskMetadata } from './json-rpc.js'

/** What a tool claims to do; hints, not to be trusted unless the server is. Source: MCP 2025-11-25, server/tools. */
export type ToolAnnotations = {
  title?: string
  readOnlyHint?: boolean
  destructiveHint?: boolean
  idempotentHint?: boolean
  openWorldHint?: boolean
}

/** A tool of the server; both schemas are JSON Schema (2020-12 unless `$schema` says otherwise). Source: MCP 2025-11-25 and 2026-07-28, server/tools. */
export type Tool = {
  name: string
  title?: string
  description?: string
  icons?: Icon[]
  inputSchema: {
    $schema?: string
    type: 'object'
    properties?: { [name: string]: JsonValue }
    required?: string[]
    [keyword: string]: unknown
  }
  outputSchema?: { $schema?: string; [keyword: string]: unknown }
  annotations?: ToolAnnotations
  execution?: { taskSupport?: 'forbidden' | 'optional' | 'required' }
  _meta?: Meta
}

/** One page of `tools/list`; `nextCursor` is absent on the last. Source: MCP 2025-11-25, server/tools. */
export type ListToolsResult = {
  tools: Tool[]
  nextCursor?: string
  _meta?: Meta
  [key: string]: unknown
}

/** Params of `tools/call`. Source: MCP 2025-11-25, server/tools. */
export type CallToolParams = {
  name: string
  arguments?: { [name: string]: unknown }
  task?: TaskMetadata
  _meta?: Meta
}

/**
 * What a tool answered; with `isError` the content says what went wrong. `structuredContent` is any JSON value, `null` included: absent means `undefined`.
 * Source: MCP 2025-11-25 and 2026-07-28, server/tools.
 */
export type CallToolResult = {
  content: ContentBlock[]
  structuredContent?: unknown
  isError?: boolean
  _meta?: Meta
  [key: string]: unknown
}

/** Something the server lets clients read; `size` in bytes. Source: MCP 2025-11-25, server/resources. */
export type Resource = {
  uri: string
  name: string
  title?: string
  description?: string
  mimeType?: string
  size?: number
  icons?: Icon[]
  annotations?: Annotations
  _meta?: Meta
}

/** A family of resources; `uriTemplate` as in RFC 6570. Source: MCP 2025-11-25, server/resources, "Resource Templates". */
export type ResourceTemplate = {
  uriTemplate: string
  name: string
  title?: string
  description?: string
  mimeType?: string
  icons?: Icon[]
  annotations?: Annotations
  _meta?: Meta
}

/** One page of `resources/list`; `nextCursor` is absent on the last. Source: MCP 2025-11-25, server/resources. */
export type ListResourcesResult = {
  resources: Resource[]
  nextCursor?: string
  _meta?: Meta
  [key: string]: unknown
}

/** One page of `resources/templates/list`; `nextCursor` is absent on the last. Source: MCP 2025-11-25, server/resources. */
export type ListResourceTemplatesResult = {
  resourceTemplates: ResourceTemplate[]
  nextCursor?: string
  _meta?: Meta
  [key: string]: unknown
}

/** Params of `resources/read`. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceParams = {
  uri: string
  _meta?: Meta
}

/** What a resource holds: several entries where it has parts. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceResult = {
  contents: (TextResourceContents | BlobResourceContents)[]
  _meta?: Meta
  [key: string]: unknown
}

/** Params of `notifications/resources/updated`; `uri` may be a sub-resource of the one subscribed to. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type ResourceUpdatedParams = {
  uri: string
  _meta?: Meta
}

/** An argument that a prompt takes. Source: MCP 2025-11-25, server/prompts. */
export type PromptArgument = {
  name: string
  title?: string
  description?: string
  required?: boolean
}

/** A prompt that the server has ready. Source: MCP 2025-11-25, server/prompts. */
export type Prompt = {
  name: string
  title?: string
  description?: string
  arguments?: PromptArgument[]
  icons?: Icon[]
  _meta?: Meta
}

/** One message of a prompt. Source: MCP 2025-11-25, server/prompts, "PromptMessage". */
export type PromptMessage = {
  role: Role
  content: ContentBlock
}

/** One page of `prompts/list`; `nextCursor` is absent on the last. Source: MCP 2025-11-25, server/prompts. */
export type ListPromptsResult = {
  prompts: Prompt[]
  nextCursor?: string
  _meta?: Meta
  [key: string]: unknown
}

/** Params of `prompts/get`; argument values are strings. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptParams = {
  name: string
  arguments?: { [name: string]: string }
  _meta?: Meta
}

/** A prompt filled in. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptResult = {
  description?: string
  messages: PromptMessage[]
  _meta?: Meta
  [key: string]: unknown
}

/** Names a prompt for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type PromptReference = {
  type: 'ref/prompt'
  name: string
  title?: string
}

/** Names a resource or a resource template for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type ResourceTemplateReference = {
  type: 'ref/resource'
  uri: string
}

/** Params of `completion/complete`; `context` holds the arguments already settled. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteParams = {
  ref: PromptReference | ResourceTemplateReference
  argument: { name: string; value: string }
  context?: { arguments?: { [name: string]: string } }
  _meta?: Meta
}

/** Suggestions: at most 100 values, best first; `total` counts all there are. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteResult = {
  completion: {
    values: string[]
    total?: number
    hasMore?: boolean
    [key: string]: unknown
  }
  _meta?: Meta
  [key: string]: unknown
}

/** Severity of a log message, least first. Source: MCP 2025-11-25, server/utilities/logging; RFC 5424, 6.2.1. */
export type LoggingLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency'

/** Params of `notifications/message`; `data` is any JSON value. Source: MCP 2025-11-25, server/utilities/logging. */
export type LoggingMessageParams = {
  level: LoggingLevel
  logger?: string
  data: unknown
  _meta?: Meta
}
