// What messages are made of, and resources with their contents.

import type { Entry, WithMeta } from './parts.js'

/** Who says or should see something. Source: MCP 2025-11-25, server/prompts. */
export type Role = 'user' | 'assistant'

/**
 * Hints on use: `priority` from 0 (optional) to 1 (required), `lastModified` as ISO 8601.
 * Source: MCP 2025-11-25, server/resources, "Annotations".
 */
export type Annotations = {
  audience?: Role[] | undefined
  priority?: number | undefined
  lastModified?: string | undefined
}

/** What every content block may carry. */
type Annotated = WithMeta & { annotations?: Annotations | undefined }

/** Plain text. Source: MCP 2025-11-25, server/tools, "Text Content". */
export type TextContent = Annotated & { type: 'text'; text: string }

/** An image; `data` is base64. Source: MCP 2025-11-25, server/tools, "Image Content". */
export type ImageContent = Annotated & { type: 'image'; data: string; mimeType: string }

/** A sound; `data` is base64. Source: MCP 2025-11-25, server/tools, "Audio Content". */
export type AudioContent = Annotated & { type: 'audio'; data: string; mimeType: string }

/** Something that the server lets clients read; `size` in bytes. Source: MCP 2025-11-25, server/resources. */
export type Resource = Entry & Annotated & { uri: string; mimeType?: string | undefined; size?: number | undefined }

/** A family of resources; `uriTemplate` as in RFC 6570. Source: MCP 2025-11-25, server/resources, "Resource Templates". */
export type ResourceTemplate = Entry & Annotated & { uriTemplate: string; mimeType?: string | undefined }

/** A resource by reference, for a later `resources/read`. Source: MCP 2025-11-25, server/tools, "Resource Links". */
export type ResourceLink = Resource & { type: 'resource_link' }

/** A resource by value. Source: MCP 2025-11-25, server/tools, "Embedded Resources". */
export type EmbeddedResource = Annotated & { type: 'resource'; resource: TextResourceContents | BlobResourceContents }

/** What tools return and prompts are made of. Source: MCP 2025-11-25, server/tools, "Tool Result". */
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource

type ResourceContents = WithMeta & { uri: string; mimeType?: string | undefined }

/** The contents of a resource that is text. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type TextResourceContents = ResourceContents & { text: string }

/** The contents of a resource that is binary; `blob` is base64. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type BlobResourceContents = ResourceContents & { blob: string }
