import type { Meta } from './json-rpc.js'

/** Who says or should see something. Source: MCP 2025-11-25, server/prompts. */
export type Role = 'user' | 'assistant'

/** A picture for a user interface: `src` is an https or data URI, `sizes` are `WxH` or `any`. Source: MCP 2025-11-25, basic, "icons". */
export type Icon = {
  src: string
  mimeType?: string
  sizes?: string[]
  theme?: 'light' | 'dark'
}

/** Hints on use: `priority` from 0 (optional) to 1 (required), `lastModified` as ISO 8601. Source: MCP 2025-11-25, server/resources, "Annotations". */
export type Annotations = {
  audience?: Role[]
  priority?: number
  lastModified?: string
}

/** Plain text. Source: MCP 2025-11-25, server/tools, "Text Content". */
export type TextContent = {
  type: 'text'
  text: string
  annotations?: Annotations
  _meta?: Meta
}

/** An image; `data` is base64. Source: MCP 2025-11-25, server/tools, "Image Content". */
export type ImageContent = {
  type: 'image'
  data: string
  mimeType: string
  annotations?: Annotations
  _meta?: Meta
}

/** A sound; `data` is base64. Source: MCP 2025-11-25, server/tools, "Audio Content". */
export type AudioContent = {
  type: 'audio'
  data: string
  mimeType: string
  annotations?: Annotations
  _meta?: Meta
}

/** A resource by reference, for a later `resources/read`; `size` in bytes. Source: MCP 2025-11-25, server/tools, "Resource Links". */
export type ResourceLink = {
  type: 'resource_link'
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

/** A resource by value. Source: MCP 2025-11-25, server/tools, "Embedded Resources". */
export type EmbeddedResource = {
  type: 'resource'
  resource: TextResourceContents | BlobResourceContents
  annotations?: Annotations
  _meta?: Meta
}

/** What tools return and prompts are made of. Source: MCP 2025-11-25, server/tools, "Tool Result". */
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource

/** The contents of a resource that is text. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type TextResourceContents = {
  uri: string
  text: string
  mimeType?: string
  _meta?: Meta
}

/** The contents of a resource that is binary; `blob` is base64. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type BlobResourceContents = {
  uri: string
  blob: string
  mimeType?: string
  _meta?: Meta
}
