// What a server offers: tools, resources, prompts, completion and logging.

import type { BlobResourceContents, ContentBlock, Resource, ResourceTemplate, Role, TextResourceContents } from './content.js'
import type { JsonValue, TaskMetadata } from './json-rpc.js'
import type { Entry, Named, OpenResult, Page, WithMeta } from './parts.js'

/**
 * A JSON Schema, of the dialect that `$schema` names; without it 2020-12 (MCP 2025-11-25, basic, "JSON Schema Usage"). It validates at once:
 * some libraries know an `$async` too.
 */
export type JsonSchema = { $schema?: string; $async?: false; [keyword: string]: unknown }

/** What a tool claims to do; hints, not to be trusted unless the server is. Source: MCP 2025-11-25, server/tools. */
export type ToolAnnotations = {
  title?: string | undefined
  readOnlyHint?: boolean | undefined
  destructiveHint?: boolean | undefined
  idempotentHint?: boolean | undefined
  openWorldHint?: boolean | undefined
}

/**
 * A tool of the server; both schemas are JSON Schema (2020-12 unless `$schema` says otherwise).
 * Source: MCP 2025-11-25 and 2026-07-28, server/tools.
 */
export type Tool = Entry & {
  inputSchema: {
    $schema?: string | undefined
    type: 'object'
    properties?: { [name: string]: JsonValue } | undefined
    required?: string[] | undefined
    [keyword: string]: unknown
  }
  outputSchema?: { $schema?: string | undefined; [keyword: string]: unknown } | undefined
  annotations?: ToolAnnotations | undefined
  execution?: { taskSupport?: 'forbidden' | 'optional' | 'required' | undefined } | undefined
}

/** One page of `tools/list`. Source: MCP 2025-11-25, server/tools. */
export type ListToolsResult = Page & { tools: Tool[] }

/** Params of `tools/call`. Source: MCP 2025-11-25, server/tools. */
export type CallToolParams = WithMeta & {
  name: string
  arguments?: { [name: string]: unknown } | undefined
  task?: TaskMetadata | undefined
}

/**
 * What a tool returned; with `isError` the content says what went wrong. `structuredContent` is any JSON value, `null` included:
 * `undefined` means that there is none. Its type is what the program says, which the option `validateOutput` holds the server to.
 * Source: MCP 2025-11-25 and 2026-07-28, server/tools.
 */
export type CallToolResult<T = unknown> = OpenResult & {
  content: ContentBlock[]
  structuredContent?: T | undefined
  isError?: boolean | undefined
}

/** One page of `resources/list`. Source: MCP 2025-11-25, server/resources. */
export type ListResourcesResult = Page & { resources: Resource[] }

/** One page of `resources/templates/list`. Source: MCP 2025-11-25, server/resources. */
export type ListResourceTemplatesResult = Page & { resourceTemplates: ResourceTemplate[] }

/** Params of `resources/read`. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceParams = WithMeta & { uri: string }

/** What a resource holds: several entries where it has parts. Source: MCP 2025-11-25, server/resources. */
export type ReadResourceResult = OpenResult & { contents: (TextResourceContents | BlobResourceContents)[] }

/**
 * Params of `notifications/resources/updated`; `uri` may be a sub-resource of the one subscribed to.
 * Source: MCP 2025-11-25, server/resources, "Subscriptions".
 */
export type ResourceUpdatedParams = WithMeta & { uri: string }

/** An argument that a prompt takes. Source: MCP 2025-11-25, server/prompts. */
export type PromptArgument = Named & { required?: boolean | undefined }

/** A prompt that the server has ready. Source: MCP 2025-11-25, server/prompts. */
export type Prompt = Entry & { arguments?: PromptArgument[] | undefined }

/** One message of a prompt. Source: MCP 2025-11-25, server/prompts, "PromptMessage". */
export type PromptMessage = { role: Role; content: ContentBlock }

/** One page of `prompts/list`. Source: MCP 2025-11-25, server/prompts. */
export type ListPromptsResult = Page & { prompts: Prompt[] }

/** Params of `prompts/get`; argument values are strings. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptParams = WithMeta & { name: string; arguments?: { [name: string]: string } | undefined }

/** A prompt filled in. Source: MCP 2025-11-25, server/prompts. */
export type GetPromptResult = OpenResult & { description?: string | undefined; messages: PromptMessage[] }

/** Names a prompt for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type PromptReference = { type: 'ref/prompt'; name: string; title?: string | undefined }

/** Names a resource or a resource template for completion. Source: MCP 2025-11-25, server/utilities/completion. */
export type ResourceTemplateReference = { type: 'ref/resource'; uri: string }

/** Params of `completion/complete`; `context` holds the arguments already settled. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteParams = WithMeta & {
  ref: PromptReference | ResourceTemplateReference
  argument: { name: string; value: string }
  context?: { arguments?: { [name: string]: string } | undefined } | undefined
}

/** Suggestions: at most 100 values, best first; `total` counts all there are. Source: MCP 2025-11-25, server/utilities/completion. */
export type CompleteResult = OpenResult & {
  completion: { values: string[]; total?: number | undefined; hasMore?: boolean | undefined; [key: string]: unknown }
}

/** Severity of a log message, least first. Source: MCP 2025-11-25, server/utilities/logging; RFC 5424, 6.2.1. */
export type LoggingLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency'

/** Params of `notifications/message`; `data` is any JSON value. Source: MCP 2025-11-25, server/utilities/logging. */
export type LoggingMessageParams = WithMeta & { level: LoggingLevel; logger?: string | undefined; data: unknown }
