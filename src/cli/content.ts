// What people read of results. The server may send anything: nothing here relies on its types.

import { Buffer } from 'node:buffer'
import { membersOf, textOf, type Members } from './members.js'
import { printable, printableJson, printableLine } from './printable.js'

/** A file that was part of a result. */
export interface Attachment {
  /** The end of its file name, from a list of types: never words of the server. */
  readonly suffix: string
  /** What is in it. */
  readonly bytes: Uint8Array
}

/** A result for people. */
export interface Shown {
  /** Its text, printable. */
  readonly text: string
  /** Its images, sounds and blobs, in order. */
  readonly attachments: readonly Attachment[]
}

const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['image/png', 'png'],
  ['image/jpeg', 'jpg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
  ['image/svg+xml', 'svg'],
  ['audio/wav', 'wav'],
  ['audio/mpeg', 'mp3'],
  ['audio/ogg', 'ogg'],
  ['application/pdf', 'pdf'],
  ['application/json', 'json'],
  ['application/gzip', 'gz'],
  ['application/zip', 'zip'],
  ['text/plain', 'txt'],
  ['text/html', 'html']
])

/** How long it is, as people read it. */
export const showSize = (bytes: number): string => (bytes < 1000 ? `${String(bytes)} B` : `${(bytes / 1000).toFixed(1)} kB`)

function blob(what: string, data: unknown, mimeType: unknown): Shown {
  const bytes = Buffer.from(textOf(data), 'base64')
  const type = printableLine(textOf(mimeType), 60) || 'application/octet-stream'
  const suffix = SUFFIXES.get(textOf(mimeType)) ?? 'bin'
  return { text: `[${what}: ${type}, ${showSize(bytes.length)}]`, attachments: [{ suffix, bytes }] }
}

const plain = (text: string): Shown => ({ text: printable(text), attachments: [] })

/** The contents of a resource. */
export function showResource(resource: unknown): Shown {
  const { text, blob: data, mimeType, uri } = membersOf(resource)
  return typeof text === 'string' ? plain(text) : blob(`resource ${printableLine(textOf(uri), 100)}`, data, mimeType)
}

/** One block of content. */
export function showContent(block: unknown): Shown {
  const { type, text, data, mimeType, resource, uri, name } = membersOf(block)
  switch (type) {
    case 'text':
      return plain(textOf(text))
    case 'image':
    case 'audio':
      return blob(type, data, mimeType)
    case 'resource':
      return showResource(resource)
    case 'resource_link':
      return { text: `[link: ${printableLine(textOf(name), 60)} ${printableLine(textOf(uri))}]`, attachments: [] }
    default:
      return { text: printableJson(block, 2), attachments: [] }
  }
}

const join = (parts: readonly Shown[], between: string): Shown => ({
  text: parts.map(({ text }) => text).join(between),
  attachments: parts.flatMap(({ attachments }) => attachments)
})

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : [])

/** The result of a tool. Structured content is left out where the text says the same, as servers do for older clients. */
export function showToolResult(result: object): Shown {
  const { content, structuredContent } = result as Members
  const shown = join(listOf(content).map(showContent), '\n')
  if (structuredContent === undefined) return shown
  const texts = listOf(content).map((block) => textOf(membersOf(block).text))
  const pretty = printableJson(structuredContent, 2)
  if (texts.some((text) => sameJson(text, structuredContent))) return { ...shown, text: pretty }
  // Structured content must be an object, so servers wrap a list or a text in one, often as its only member.
  const [only, ...others] = Object.values(membersOf(structuredContent))
  if (others.length === 0 && texts.some((text) => text === only || sameJson(text, only))) return shown
  return join(
    [shown, { text: pretty, attachments: [] }].filter(({ text }) => text !== ''),
    '\n'
  )
}

function sameJson(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value)
  } catch {
    return false
  }
}

/** What was read of a resource. */
export const showContents = (result: object): Shown => join(listOf((result as Members).contents).map(showResource), '\n')

/** The messages of a prompt, each behind its role. */
export const showMessages = (result: object): Shown =>
  join(
    listOf((result as Members).messages).map((message) => {
      const { role, content } = membersOf(message)
      const shown = showContent(content)
      return { ...shown, text: `${printableLine(textOf(role), 20)}: ${shown.text}` }
    }),
    '\n'
  )
