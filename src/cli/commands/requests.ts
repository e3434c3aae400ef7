import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tool } from '../../index.js'
import { showContents, showMessages, showToolResult, type Shown } from '../content.js'
import { EXIT, Failure, usageError } from '../failure.js'
import type { Io } from '../io.js'
import { explainMissing } from '../missing.js'
import { printableJson, printableLine } from '../printable.js'
import { findProblems, readArguments } from '../tool-arguments.js'
import { visit, type Visit, type VisitFlags } from '../visit.js'

// The commands that ask for one thing: call a tool, read a resource, get a prompt.

/** The flags of those commands. */
export interface RequestFlags extends VisitFlags {
  /** A folder for images, sounds and blobs. */
  readonly save?: string | undefined
}

/** Makes the folder before anything is dialled: a call may cost money, and should not be made if its result cannot be saved. */
function makeFolder({ save }: RequestFlags): void {
  if (save === undefined) return
  try {
    mkdirSync(save, { recursive: true })
  } catch (error) {
    throw usageError(`--save: ${(error as Error).message}`)
  }
}

/** Connects for one request, whose result may be saved. */
async function visitToSave(io: Io, url: string, flags: RequestFlags, work: (visit: Visit) => Promise<void>): Promise<void> {
  makeFolder(flags)
  await visit(io, url, flags, work)
}

/** Saves files under names of ours: a name from the server could lead anywhere. */
function saveAttachments({ attachments }: Shown, folder: string, status: Visit['status']): void {
  attachments.forEach(({ suffix, bytes }, index) => {
    const path = join(folder, `result-${String(index + 1)}.${suffix}`)
    try {
      // `wx` never overwrites a file.
      writeFileSync(path, bytes, { flag: 'wx' })
    } catch (error) {
      throw new Failure(`--save: ${(error as Error).message}`)
    }
    status.line(`saved ${path}`)
  })
}

function print(io: Io, { json, save }: RequestFlags, result: object, show: (result: object) => Shown, { status }: Visit): void {
  status.clear()
  const shown = show(result)
  io.stdout.write(`${json ? printableJson(result, 2) : shown.text}\n`)
  if (save !== undefined) saveAttachments(shown, save, status)
}

/** The tool of this name. @returns `undefined` if the server does not list its tools: it may still know this one. */
async function findTool({ client, request }: Visit, name: string): Promise<Tool | undefined> {
  if (client.serverCapabilities?.tools === undefined) return undefined
  const { tools } = await client.listTools(undefined, request)
  const found = tools.find((tool) => tool.name === name)
  if (found === undefined) {
    const names = tools.map((tool) => printableLine(tool.name, 60))
    throw usageError(`The server has no tool ${printableLine(name, 60)}. It has: ${names.join(', ') || 'none'}`)
  }
  return found
}

/** `mcp-ws call URL TOOL [JSON | key=value…]` */
export async function callTool(io: Io, url: string, name: string, words: readonly string[], flags: RequestFlags): Promise<void> {
  // Arguments that no tool could take fail before anything is dialled.
  readArguments(words, undefined)
  await visitToSave(io, url, flags, async (visiting) => {
    const { client, request } = visiting
    const tool = await findTool(visiting, name)
    const args = readArguments(words, tool?.inputSchema)
    const problems = findProblems(args, tool?.inputSchema)
    if (problems.length > 0) throw usageError([`${name} does not take these arguments:`, ...problems.map((line) => `  ${line}`)].join('\n'))
    // In 2025-11-25 the client has to ask for the task that some tools insist on; later servers decide by themselves.
    const task = tool?.execution?.taskSupport === 'required' ? { task: {} } : {}
    const result = await client.callTool({ name, arguments: args, ...task }, request).catch(explainMissing(client, 'tools'))
    print(io, flags, result, showToolResult, visiting)
    if (result.isError) throw new Failure('the tool failed', EXIT.failed)
  })
}

/** `mcp-ws read URL URI` */
export const readResource = (io: Io, url: string, uri: string, flags: RequestFlags): Promise<void> =>
  visitToSave(io, url, flags, async (visiting) => {
    const { client, request } = visiting
    print(io, flags, await client.readResource({ uri }, request).catch(explainMissing(client, 'resources')), showContents, visiting)
  })

/** The flags of {@link finishTask}. */
export interface TaskFlags extends RequestFlags {
  /** Whether to give the task up. */
  readonly cancel?: boolean | undefined
}

/** `mcp-ws task URL ID`: waits for the end of a task and prints the result of its tool. Ctrl-C leaves the task alone. */
export const finishTask = (io: Io, url: string, id: string, flags: TaskFlags): Promise<void> =>
  visitToSave(io, url, flags, async (visiting) => {
    const { client, request, signal, status } = visiting
    const explain = explainMissing(client, 'tasks')
    if (flags.cancel) {
      await client.cancelTask(id, request).catch(explain)
      status.line(printableLine(`task ${id}: cancelled`))
      return
    }
    // An abort of the request itself would cancel the task.
    const interrupted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    const result = await Promise.race([client.resumeTask(id, { ...request, signal: undefined }).catch(explain), interrupted])
    print(io, flags, result, showToolResult, visiting)
    if (result.isError) throw new Failure('the tool failed', EXIT.failed)
  })

/** `mcp-ws prompt URL NAME [key=value…]`: the values of a prompt are strings. */
export async function getPrompt(io: Io, url: string, name: string, words: readonly string[], flags: RequestFlags): Promise<void> {
  const entries = Object.entries(readArguments(words, { properties: {} }))
  const given = Object.fromEntries(entries.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]))
  await visitToSave(io, url, flags, async (visiting) => {
    const { client, request } = visiting
    const result = await client.getPrompt({ name, arguments: given }, request).catch(explainMissing(client, 'prompts'))
    print(io, flags, result, showMessages, visiting)
  })
}
