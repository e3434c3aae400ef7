// What many shapes of MCP have in common. Only `Meta` and `Icon` are exported from the package: the others stand for no shape of
// their own.
// Here and in all shapes: type aliases, since only an alias is assignable to an index signature and so passes for `Params`; and
// `| undefined` on optional members, as in the official SDKs, because programs may set `exactOptionalPropertyTypes`.

/**
 * The contents of a `_meta` member; keys with a `modelcontextprotocol` or `mcp` prefix belong to the protocol.
 * Source: MCP 2025-11-25, basic, "_meta".
 */
export type Meta = { [key: string]: unknown }

/** A picture for a user interface: `src` is an https or data URI, `sizes` are `WxH` or `any`. Source: MCP 2025-11-25, basic, "icons". */
export type Icon = {
  /** Where the picture is: an `https:` or `data:` URI. */
  src: string
  /** Its media type, if the URI does not tell. */
  mimeType?: string | undefined
  /** Its sizes, each as `48x48`, or `any` for one that scales. */
  sizes?: string[] | undefined
  /** The background that it was made for. */
  theme?: 'light' | 'dark' | undefined
}

/** Nearly everything may carry metadata. */
export type WithMeta = {
  /** Metadata, by name. */
  _meta?: Meta | undefined
}

/** Every result is an open object: peers may add members that this package does not know. */
export type OpenResult = WithMeta & { [key: string]: unknown }

/** A page of a list; the last one has no `nextCursor`. */
export type Page = OpenResult & {
  /** The `cursor` of the next page; absent on the last one. */
  nextCursor?: string | undefined
}

/** Texts for a user interface. */
export type Labels = {
  /** What people call it. */
  title?: string | undefined
  /** What it is for, for people and models. */
  description?: string | undefined
}

/** `name` is for programs, `title` is for people. */
export type Named = Labels & {
  /** What programs call it. */
  name: string
}

/** An entry of one of the server's lists. */
export type Entry = Named &
  WithMeta & {
    /** Pictures of it, in several sizes. */
    icons?: Icon[] | undefined
  }
