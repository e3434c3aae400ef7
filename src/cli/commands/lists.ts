import { isRpcError, type McpWebSocketClient, type RequestOptions } from '../../index.js'
import type { Io } from '../io.js'
import { explainMissing, type Feature } from '../missing.js'
import { printableJson, printableLine } from '../printable.js'
import { hasColours, painter, type Paint } from '../terminal.js'
import { describeArguments } from '../tool-arguments.js'
import { visit, type VisitFlags } from '../visit.js'

// The commands that list what a server has.

/** How much of a description a list shows, in characters. */
const LONGEST_DESCRIPTION = 200

interface Entry {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
}

/** A list of the server, and how an entry is shown: in several lines, beginning with its name. */
interface List<T extends Entry> {
  readonly feature: Feature
  readonly ask: (client: McpWebSocketClient, request: RequestOptions) => Promise<readonly T[]>
  readonly nameOf: (entry: T) => string
  readonly details: (entry: T) => readonly string[]
}

function showEntry<T extends Entry>(entry: T, { nameOf, details }: List<T>, paint: Paint): string {
  const words = printableLine(entry.description ?? entry.title, LONGEST_DESCRIPTION)
  const head = paint('bold', printableLine(nameOf(entry))) + (words === '' ? '' : `  ${words}`)
  return [head, ...details(entry).map((line) => `  ${line}`)].join('\n')
}

/** A command that prints one list of the server. */
const listing =
  <T extends Entry>(list: List<T>) =>
  (io: Io, url: string, flags: VisitFlags): Promise<void> =>
    visit(io, url, flags, async ({ client, request }) => {
      const entries = await list.ask(client, request).catch(explainMissing(client, list.feature))
      if (flags.json) return void io.stdout.write(`${printableJson(entries, 2)}\n`)
      const paint = painter(hasColours(io.stdout, io.env))
      for (const entry of entries) io.stdout.write(`${showEntry(entry, list, paint)}\n`)
    })

/** `mcp-ws tools URL` */
export const listTools = listing({
  feature: 'tools',
  ask: async (client, request) => (await client.listTools(undefined, request)).tools,
  nameOf: ({ name }) => name,
  details: describeArguments
})

/** `mcp-ws prompts URL` */
export const listPrompts = listing({
  feature: 'prompts',
  ask: async (client, request) => (await client.listPrompts(undefined, request)).prompts,
  nameOf: ({ name }) => name,
  // `null` is how some servers write an empty list.
  details: ({ arguments: args }) =>
    (Array.isArray(args) ? args : []).map(({ name, description, required }) =>
      printableLine(`${name}${required ? '' : ' (optional)'}${description === undefined ? '' : `  ${description}`}`, LONGEST_DESCRIPTION)
    )
})

/** `mcp-ws tasks URL`: of a server of 2025-11-25; later ones have no list. */
export const listTasks = listing({
  feature: 'tasks',
  ask: async (client, request) => {
    const { tasks } = await client.listTasks(undefined, request)
    return tasks.map((task) => ({ ...task, name: task.taskId, description: [task.status, task.statusMessage].filter(Boolean).join(', ') }))
  },
  nameOf: ({ name }) => name,
  details: ({ lastUpdatedAt }) => [printableLine(`updated ${lastUpdatedAt}`, LONGEST_DESCRIPTION)]
})

/** `mcp-ws resources URL`: resources, and behind them the templates, whose addresses have parts to fill in. */
export const listResources = listing({
  feature: 'resources',
  ask: async (client, request) => {
    const { resources } = await client.listResources(undefined, request)
    const templates = await client.listResourceTemplates(undefined, request).catch((error: unknown) => {
      // Many servers know no templates. A list that breaks off, or that Ctrl-C ends, is not the whole list.
      if (!isRpcError(error)) throw error
      return { resourceTemplates: [] }
    })
    return [...resources, ...templates.resourceTemplates]
  },
  nameOf: (entry) => ('uriTemplate' in entry ? entry.uriTemplate : entry.uri),
  details: ({ name, mimeType }) => [printableLine([name, mimeType].filter(Boolean).join(', '), LONGEST_DESCRIPTION)]
})
