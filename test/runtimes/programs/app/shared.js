// No module: classic scripts load this, too.

const textOf = ({ content: [part] }) => part.text

/** What an app does that has both entries: a client of ours, the client of the official SDK, and a rejected dial of each. */
globalThis.useWith =
  ({ McpWebSocketClient, McpWebSocketError, WebSocketClientTransport, Client }) =>
  async ({ url, token, message }) => {
    const echo = { name: 'echo', arguments: { message } }
    const auth = { token, via: 'subprotocol' }

    const own = new McpWebSocketClient({ url, auth })
    await own.connect()
    const client = textOf(await own.callTool(echo))
    await own.close()

    const official = new Client({ name: 'bundled', version: '1.0.0' })
    await official.connect(new WebSocketClientTransport(url, { auth }))
    const transport = textOf(await official.callTool(echo))
    await official.close()

    const rejected = { auth: { token: 'wrong', via: 'subprotocol' }, reconnect: false }
    const dials = [new McpWebSocketClient({ url, ...rejected }).connect(), new WebSocketClientTransport(url, rejected).start()]
    const knowsErrors = (await Promise.allSettled(dials)).map(({ reason }) => reason instanceof McpWebSocketError)
    return { client, transport, knowsErrors }
  }

/** Sends a worker a message. @returns Its answer. */
const ask = (worker, message) =>
  new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data: { error, ...answer } }) => (error === undefined ? resolve(answer) : reject(new Error(error)))
    worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message}`))
    worker.postMessage(message, [port2])
  })

/** Answers each message that `ask` sends with what comes of `work`, in a worker or a service worker. */
globalThis.answerWith = (work) => {
  const answer = async ({ data, ports: [port] }) => {
    try {
      port.postMessage(await work(data))
    } catch (error) {
      port.postMessage({ error: String(error.stack) })
    }
  }
  addEventListener('install', (event) => event.waitUntil(skipWaiting()))
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('message', (event) => {
    const answered = answer(event)
    event.waitUntil?.(answered)
  })
}

/** What the tests call in a page. */
globalThis.appOf = (use, startWorker, serviceWorker, type) => ({
  page: use,
  async worker(place) {
    const worker = startWorker()
    try {
      return await ask(worker, place)
    } finally {
      worker.terminate()
    }
  },
  async serviceWorker(place) {
    await navigator.serviceWorker.register(serviceWorker, { type })
    return ask((await navigator.serviceWorker.ready).active, place)
  }
})
