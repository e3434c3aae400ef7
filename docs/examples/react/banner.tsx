// A status for people. An outage of a second is no news: the banner appears after 5 s, counts down to the next dial, and lets people dial
// at once. Where the client gave up, it says why.
import type { UseMcpClientResult } from 'mcp-websocket-client/react'
import { useEffect, useState } from 'react'

export function Banner({ state, attempt, delay, isConnectionLost, error, reconnect }: UseMcpClientResult) {
  const seconds = useCountdown(delay, attempt)
  if (state !== 'failed' && !isConnectionLost) return null
  return (
    <p role="status">
      {state === 'failed' ? `No connection: ${error?.message ?? ''}` : 'The connection is lost.'}
      {state === 'waiting' && ` Next attempt in ${String(seconds)} s.`} <button onClick={reconnect}>Connect now</button>
    </p>
  )
}

/** Seconds until the end of a delay, which begins anew with every attempt. */
function useCountdown(delay = 0, attempt = 0): number {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    const end = performance.now() + delay
    const count = () => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)))
    count()
    const timer = setInterval(count, 250)
    return () => clearInterval(timer)
  }, [delay, attempt])
  return left
}
