import { setTimeout as sleep } from 'node:timers/promises'

/** What a tool needs of the request that it works on, whichever SDK serves. */
export interface ToolRequest {
  readonly name: string
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
  /** Aborted when the client gives the call up. */
  readonly signal: AbortSignal
  readonly progressToken: string | number | undefined
  readonly notify: (notification: Progress) => Promise<void>
}

interface Progress {
  readonly method: 'notifications/progress'
  readonly params: { progressToken: string | number; progress: number; total: number }
}

interface Text {
  [name: string]: unknown
  content: { type: 'text'; text: string }[]
}

const STEPS = 4
/** Of all connections, so that another client can ask for it. */
let cancellations = 0

export const TOOLS = ['echo', 'slow', 'cancellations'].map((name) => ({ name, inputSchema: { type: 'object' as const } }))

/** The tools that every small server of these tests has. */
export async function callTool(request: ToolRequest): Promise<Text> {
  if (request.name === 'echo') return text(String(request.arguments?.message))
  return text(request.name === 'slow' ? await slow(Number(request.arguments?.seconds), request) : String(cancellations))
}

async function slow(seconds: number, { signal, progressToken, notify }: ToolRequest): Promise<string> {
  for (let progress = 1; progress <= STEPS; progress++) {
    await sleep((1000 * seconds) / STEPS, undefined, { signal }).catch((thrown: unknown) => {
      cancellations++
      throw thrown
    })
    if (progressToken !== undefined) await notify({ method: 'notifications/progress', params: { progressToken, progress, total: STEPS } })
  }
  return 'done'
}

const text = (words: string): Text => ({ content: [{ type: 'text', text: words }] })
