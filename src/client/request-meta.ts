import type { Params } from '../types/json-rpc.js'
import type { JsonOption } from '../types/options.js'

const PARAMS = ',"params":'
const META = '"_meta":'

/**
 * A request's text with further members in its `_meta`. They are added only when the request is sent, because a request that waits does not
 * know the era of its server yet; and to the text, because a large request need not be parsed again.
 * @param text - A request whose `_meta`, if it has one, comes first in its params. Everything before the params is ours: an id and an
 * escaped method, so that the first `,"params":` is the member.
 * @param members - JSON of the members, without braces.
 * @param json - What wrote the text. Any other than the engine's JSON may write in another form, so its text is parsed.
 */
export function withRequestMeta(text: string, members: string, json: JsonOption = JSON): string {
  if (json !== JSON) return parsedWithMeta(text, members, json)
  const at = text.indexOf(PARAMS)
  if (at === -1) return `${text.slice(0, -1)}${PARAMS}{${META}{${members}}}}`
  const inside = at + PARAMS.length + 1
  // `toJSON` of the params may return something other than an object: the server will reject that.
  if (text[inside - 1] !== '{') return text
  if (text.startsWith(`${META}{`, inside)) return splice(text, inside + META.length + 1, members)
  if (!text.includes(META, inside)) return splice(text, inside, `${META}{${members}}`)
  // Some `_meta` lies deeper, or behind a param whose name is an integer, which JSON.stringify writes first.
  return parsedWithMeta(text, members, json)
}

function parsedWithMeta(text: string, members: string, json: JsonOption): string {
  const { params, ...request } = json.parse(text) as { params?: Params }
  const _meta = { ...params?._meta, ...(JSON.parse(`{${members}}`) as object) }
  return json.stringify({ ...request, params: { ...params, _meta } })
}

/** Puts members in at the beginning of an object. */
function splice(text: string, at: number, members: string): string {
  return `${text.slice(0, at)}${members}${text[at] === '}' ? '' : ','}${text.slice(at)}`
}
