// The loop of an agent over several servers. A server that is dead costs its tools, and not the agent; a call that fails becomes a text for
// the model. `main.ts` beside it is a program that runs it.
import { isMcpWebSocketError, McpWebSocketClient, type Tool } from 'mcp-websocket-client'

/** What the model wants: a tool, or to say what it has found. */
export type Step = { readonly tool: string; readonly arguments: Record<string, unknown> } | { readonly answer: string }
/** Your model: what to do next, after all that it has read. */
export type Model = (tools: readonly Tool[], history: readonly string[]) => Promise<Step>

/** Runs until the model answers. @param signal - Gives everything up, the call under way included. */
export async function runAgent(urls: readonly string[], model: Model, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const clients = urls.map((url) => new McpWebSocketClient({ url }))
  try {
    const owners = await connect(clients, urls, signal)
    const tools = [...owners.values()].map(({ tool }) => tool)
    const history: string[] = []
    for (;;) {
      signal.throwIfAborted()
      const step = await model(tools, history)
      if ('answer' in step) return step.answer
      history.push(await callTool(owners.get(step.tool)?.client, step.tool, step.arguments, signal))
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

interface Owner {
  readonly client: McpWebSocketClient
  readonly tool: Tool
}

/** Connects to every server that is there within 3 s. @returns Whose each tool is; the first server that has a name keeps it. */
async function connect(clients: readonly McpWebSocketClient[], urls: readonly string[], signal: AbortSignal): Promise<Map<string, Owner>> {
  // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect both before the time is over.
  const connecting = new AbortController()
  const timer = setTimeout(() => connecting.abort(new Error('no connection within 3 s')), 3000)
  signal.addEventListener('abort', () => connecting.abort(signal.reason), { once: true })
  const owners = new Map<string, Owner>()
  await Promise.all(
    clients.map(async (client, index) => {
      // The abort says only that the time is over: why there was no connection is told with each change of the state.
      let cause: Error | undefined
      client.on('state', ({ closure }) => {
        cause = closure?.error ?? cause
      })
      try {
        await client.connect({ signal: connecting.signal })
        for (const tool of (await client.listTools({}, { signal, timeout: 3000 })).tools)
          if (!owners.has(tool.name)) owners.set(tool.name, { client, tool })
      } catch (error) {
        console.error(`without ${urls[index] ?? ''}: ${String(error)}${cause ? `; ${cause.message}` : ''}`)
      }
    })
  )
  clearTimeout(timer)
  return owners
}

async function callTool(
  client: McpWebSocketClient | undefined,
  name: string,
  args: Record<string, unknown>,
  signal: AbortSignal
): Promise<string> {
  if (!client) return `There is no tool ${name}.`
  try {
    const options = { signal, timeout: 30_000, resetTimeoutOnProgress: true, maxTotalTimeout: 600_000 }
    const { content, isError } = await client.callTool({ name, arguments: args }, options)
    return `${name} ${isError ? 'failed' : 'returned'}: ${JSON.stringify(content)}`
  } catch (error) {
    signal.throwIfAborted()
    return describeFailure(name, error)
  }
}

/** What the model must know about a call that failed: whether it may have been executed. */
export function describeFailure(name: string, error: unknown): string {
  const { delivery, message } = isMcpWebSocketError(error) ? error : { delivery: undefined, message: String(error) }
  if (delivery === 'unknown')
    return (
      `${name} was called, and its result was lost. It may have been executed, or not. Do not call it again before you have checked ` +
      'with another tool whether it took effect. If you cannot check that, stop and tell the user.'
    )
  if (delivery === 'not-sent') return `${name} was not executed, because the server cannot be reached. You may call it again later.`
  return `${name} failed: ${message}`
}
