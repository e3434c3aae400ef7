// The tools of a server as buttons, and what each of them returned. The list stays through an outage, and is read anew when the server says
// that it changed.
import type { Tool } from 'mcp-websocket-client'
import { useMcpClient } from 'mcp-websocket-client/react'
import { useState } from 'react'
import { Banner } from './banner.js'

export function App({ url }: { url: string }) {
  const mcp = useMcpClient({ url })
  const [output, setOutput] = useState('')
  const call = async ({ name }: Tool): Promise<void> => {
    try {
      setOutput(JSON.stringify((await mcp.client.callTool({ name, arguments: { message: 'hi' } })).content))
    } catch (error) {
      setOutput(String(error))
    }
  }
  return (
    <>
      <Banner {...mcp} />
      {mcp.tools === undefined && <p>{mcp.state} …</p>}
      {mcp.tools?.map((tool) => (
        <button key={tool.name} onClick={() => void call(tool)}>
          {tool.name}
        </button>
      ))}
      <pre>{output}</pre>
    </>
  )
}
