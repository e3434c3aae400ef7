// Puts a framework on our transport, with the code of docs/recipes.md: lists, calls, lets the server be restarted, and calls again. It is
// copied into the folder where the frameworks are installed.
// Usage: node drive.mjs (ai | langchain | openai) URL-OF-THE-SERVER URL-THAT-RESTARTS-IT; the last line of stdout is what was found.

import { Agent, run, Usage } from '@openai/agents'
import * as recipe from './recipe.mjs'

const [framework, url, restartUrl] = process.argv.slice(2)
const errors = []
console.error = (error) => errors.push(String(error))

const textOf = (content) => content.map(({ text = '' }) => text).join('')

const DRIVERS = {
  async ai() {
    const { client, tools } = await recipe.connect(url)
    const call = async (name, args = {}) => textOf((await tools[name].execute(args, { toolCallId: '1', messages: [] })).content)
    return { tools: Object.keys(tools), call, close: () => client.close(), about: client.protocolVersion }
  },
  async langchain() {
    const { client, tools } = await recipe.connect(url)
    const call = (name, args = {}) => tools.find((tool) => tool.name.endsWith(name)).invoke(args)
    return { tools: tools.map(({ name }) => name), call, close: () => client.close() }
  },
  async openai() {
    const server = new recipe.WebSocketMcpServer('example', { url })
    await server.connect()
    return { tools: (await server.listTools()).map(({ name }) => name), call: agentCall(server), close: () => server.close() }
  }
}

/** Lets an agent make the call: its model wants this one tool, and then says what came of it. */
const agentCall =
  (server) =>
  async (name, args = {}) => {
    const model = {
      async getResponse({ input }) {
        const output = input.findLast?.(({ type }) => type === 'function_call_result')
        const next = output
          ? {
              type: 'message',
              role: 'assistant',
              status: 'completed',
              content: [{ type: 'output_text', text: JSON.stringify(output.output) }]
            }
          : { type: 'function_call', callId: '1', name, arguments: JSON.stringify(args), status: 'completed' }
        return { usage: new Usage(), output: [next] }
      }
    }
    const { finalOutput } = await run(new Agent({ name: 'assistant', model, mcpServers: [server] }), 'Call it.')
    return finalOutput
  }

const { tools, call, close, about } = await DRIVERS[framework]()
const before = await call('echo', { message: 'before' })
// Its server asks to be restarted as soon as the call has arrived.
const lost = call('hold').then(
  (text) => text,
  (error) => error.message
)
await fetch(restartUrl, { method: 'POST' })
// Before that, this process may not have read the end of the connection: a call would be lost with it, too.
const words = await lost
const after = await call('echo', { message: 'after' })
const report = { tools, before, lost: words, after, errors, about }
await close()
console.log(JSON.stringify(report))
