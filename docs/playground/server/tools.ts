import { setTimeout as pause } from 'node:timers/promises'
import { acceptedContent, fromJsonSchema, inputRequired, McpServer } from '@modelcontextprotocol/server'

const text = (words: string): { content: { type: 'text'; text: string }[] } => ({ content: [{ type: 'text', text: words }] })

/** An MCP server with a few tools that show what becomes of a call. */
export function makeMcpServer(): McpServer {
  const mcp = new McpServer({ name: 'playground', version: '1.0.0' })
  addCount(mcp)
  addEcho(mcp)
  addAsk(mcp)
  addFail(mcp)
  return mcp
}

function addCount(mcp: McpServer): void {
  const inputSchema = fromJsonSchema<{ to: number; every: number }>({
    type: 'object',
    properties: {
      to: { type: 'integer', title: 'Count to', minimum: 1, maximum: 60, default: 10 },
      every: {
        type: 'integer',
        title: 'Delay, in ms',
        description: 'Between one number and the next.',
        minimum: 10,
        maximum: 5000,
        default: 1000
      }
    },
    required: ['to', 'every']
  })
  const description = 'Counts slowly and reports its progress: break the connection meanwhile.'
  mcp.registerTool('count', { description, inputSchema }, async ({ to, every }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (let progress = 1; progress <= to; progress++) {
      await pause(every, undefined, { signal: mcpReq.signal })
      if (progressToken === undefined) continue
      const params = { progressToken, progress, total: to, message: `${String(progress)} of ${String(to)}` }
      await mcpReq.notify({ method: 'notifications/progress', params })
    }
    return text(`counted to ${String(to)}`)
  })
}

function addEcho(mcp: McpServer): void {
  const inputSchema = fromJsonSchema<{ message: string; voice?: string; twice?: boolean }>({
    type: 'object',
    properties: {
      message: { type: 'string', title: 'Message', minLength: 1, default: 'Hello' },
      voice: { type: 'string', title: 'Voice', enum: ['normal', 'loud', 'quiet'], default: 'normal' },
      twice: { type: 'boolean', title: 'Say it twice', default: false }
    },
    required: ['message']
  })
  mcp.registerTool('echo', { description: 'Says what you say, at once.', inputSchema }, ({ message, voice, twice }) => {
    const said = voice === 'loud' ? message.toUpperCase() : voice === 'quiet' ? message.toLowerCase() : message
    return text(twice ? `${said} ${said}` : said)
  })
}

function addAsk(mcp: McpServer): void {
  const description = 'Asks you something before it ends (elicitation).'
  mcp.registerTool('ask', { description }, ({ mcpReq }) => {
    const { inputResponses } = mcpReq
    const asked = inputResponses !== undefined && 'colour' in inputResponses
    if (!asked) return inputRequired({ inputRequests: { colour: inputRequired.elicit(QUESTION) } })
    const answer = acceptedContent<{ colour: string }>(inputResponses, 'colour')
    return text(answer ? `You like ${answer.colour}.` : 'You did not say.')
  })
}

const QUESTION = {
  message: 'Which colour do you like?',
  requestedSchema: {
    type: 'object' as const,
    properties: { colour: { type: 'string' as const, title: 'Colour', enum: ['green', 'blue', 'red'] } },
    required: ['colour']
  }
}

function addFail(mcp: McpServer): void {
  const inputSchema = fromJsonSchema<{ reason: string }>({
    type: 'object',
    properties: { reason: { type: 'string', title: 'Reason', default: 'the disk is full' } },
    required: ['reason']
  })
  mcp.registerTool('fail', { description: 'Fails, as tools do: its result says so.', inputSchema }, ({ reason }) => ({
    ...text(`It failed: ${reason}.`),
    isError: true
  }))
}
