import { useMcpClient } from 'mcp-websocket-client/react'
import { StrictMode, version } from 'react'
import { createRoot } from 'react-dom/client'

const Page = ({ url, token }) => {
  const auth = { token: () => token, via: 'subprotocol' }
  const { client, state, tools } = useMcpClient({ url, auth, reconnect: { initialDelay: 200, jitter: false } })
  const call = async ({ currentTarget }) => {
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'called' } })
    currentTarget.textContent = content[0].text
  }
  return (
    <>
      <p>
        {state} {tools?.length}
      </p>
      <button onClick={(event) => void call(event)}>call</button>
    </>
  )
}

const main = document.querySelector('main')
const root = createRoot(main)

/** What the page shows, each time that it changes, until it shows `last`. */
const until = (last) =>
  new Promise((resolve) => {
    const seen = [main.textContent]
    const look = () => {
      if (seen.at(-1) !== main.textContent) seen.push(main.textContent)
      if (seen.at(-1) !== last) return
      observer.disconnect()
      resolve(seen)
    }
    const observer = new MutationObserver(look)
    observer.observe(main, { childList: true, characterData: true, subtree: true })
    look()
  })

globalThis.app = {
  version: () => Promise.resolve(version),
  show({ url, token, message }) {
    root.render(
      <StrictMode>
        <Page url={url} token={token} />
      </StrictMode>
    )
    return until(message)
  },
  until: ({ message }) => until(message),
  click({ message }) {
    document.querySelector('button').click()
    return until(message)
  },
  unmount() {
    root.unmount()
    return until('')
  }
}
