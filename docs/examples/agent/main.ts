// An agent that needs no model: it calls the tool `echo`, and answers with what came back. Put your model in the place of `model`.
//
//   npm pkg set type=module && npm install mcp-websocket-client
//   npx tsx main.ts ws://127.0.0.1:8080/ws ws://127.0.0.1:8081/ws
import { runAgent, type Model } from './agent.js'

const model: Model = (tools, history) => {
  const [last] = history
  if (last !== undefined) return Promise.resolve({ answer: last })
  const echo = tools.find(({ name }) => name === 'echo')
  return Promise.resolve(echo ? { tool: echo.name, arguments: { message: 'hello' } } : { answer: 'I have no tool for that.' })
}

// A supervisor ends programs with SIGTERM, and people with Ctrl-C.
const ending = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ending.abort(new Error(name)))

try {
  console.log(await runAgent(process.argv.slice(2), model, ending.signal))
} catch (error) {
  console.error(String(error))
  process.exitCode = 1
}
