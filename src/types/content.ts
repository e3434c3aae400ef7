// What messages are made of, and resources with their contents.

import type { Entry, WithMeta } from './parts.js'

/** Who says or should see something. Source: MCP 2025-11-25, server/prompts. */
export type Role = 'user' | 'assistant'

/**
 * Hints on use: `priority` from 0 (optional) to 1 (required), `lastModified` as ISO 8601.
 * Source: MCP 2025-11-25, server/resources, "Annotations".
 */
export type Annotations = {
  /** Whom it is for. */
  audience?: Role[] | undefined
  /** How much it matters, from 0 (optional) to 1 (required). */
  priority?: number | undefined
  /** When it was changed last, as ISO 8601. */
  lastModified?: string | undefined
}

/** What every content block may carry. */
type Annotated = WithMeta & {
  /** Hints on its use. */
  annotations?: Annotations | undefined
}

/** Plain text. Source: MCP 2025-11-25, server/tools, "Text Content". */
export type TextContent = Annotated & {
  /** Kind of content. */
  type: 'text'
  /** The text. */
  text: string
}

/** An image; `data` is base64. Source: MCP 2025-11-25, server/tools, "Image Content". */
export type ImageContent = Annotated & {
  /** Kind of content. */
  type: 'image'
  /** The image, as base64. */
  data: string
  /** Its media type, for example `image/png`. */
  mimeType: string
}

/** A sound; `data` is base64. Source: MCP 2025-11-25, server/tools, "Audio Content". */
export type AudioContent = Annotated & {
  /** Kind of content. */
  type: 'audio'
  /** The sound, as base64. */
  data: string
  /** Its media type, for example `audio/wav`. */
  mimeType: string
}

/** Something that the server lets clients read; `size` in bytes. Source: MCP 2025-11-25, server/resources. */
export type Resource = Entry &
  Annotated & {
    /** Its address, for `resources/read`. */
    uri: string
    /** Its media type, if that is known. */
    mimeType?: string | undefined
    /** Its size in bytes, before any encoding, if that is known. */
    size?: number | undefined
  }

/** A family of resources; `uriTemplate` as in RFC 6570. Source: MCP 2025-11-25, server/resources, "Resource Templates". */
export type ResourceTemplate = Entry &
  Annotated & {
    /** The template of the addresses, as in RFC 6570. */
    uriTemplate: string
    /** The media type of all of them, if they have the same. */
    mimeType?: string | undefined
  }

/** A resource by reference, for a later `resources/read`. Source: MCP 2025-11-25, server/tools, "Resource Links". */
export type ResourceLink = Resource & {
  /** Kind of content. */
  type: 'resource_link'
}

/** A resource by value. Source: MCP 2025-11-25, server/tools, "Embedded Resources". */
export type EmbeddedResource = Annotated & {
  /** Kind of content. */
  type: 'resource'
  /** The resource with its contents. */
  resource: TextResourceContents | BlobResourceContents
}

/** What tools return and prompts are made of. Source: MCP 2025-11-25, server/tools, "Tool Result". */
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource

type ResourceContents = WithMeta & {
  /** The address of the resource. */
  uri: string
  /** Its media type, if that is known. */
  mimeType?: string | undefined
}

/** The contents of a resource that is text. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type TextResourceContents = ResourceContents & {
  /** The text. */
  text: string
}

/** The contents of a resource that is binary; `blob` is base64. Source: MCP 2025-11-25, server/resources, "Resource Contents". */
export type BlobResourceContents = ResourceContents & {
  /** The bytes, as base64. */
  blob: string
}
