type Params = Readonly<Record<string, unknown>>
type Id = number | string | undefined

const VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18']
const TOOLS = ['echo', 'slow', 'big', 'limited', 'drop', 'misread']
const STREAM_THRESHOLD = 32_768
const CHUNK = 65_536

const text = (words: string): object => ({ content: [{ type: 'text', text: words }] })

/** An error of edge-mcp. */
class EdgeError extends Error {
  readonly code: number
  readonly data: object

  constructor(code: number, message: string, data: object) {
    super(message)
    this.code = code
    this.data = data
  }
}

const protocolError = (message: string): EdgeError =>
  new EdgeError(-32600, `[PROTOCOL_ERROR] ${message}`, { code: 'PROTOCOL_ERROR', category: 'protocol', severity: 'error' })

/** What edge-mcp says on one connection. */
export class Conversation {
  readonly #write: (frame: string) => void
  readonly #close: (code: number) => void
  readonly #tools: readonly string[]
  #hasSession = true

  constructor(write: (frame: string) => void, close: (code: number) => void, moreTools = 0) {
    this.#write = write
    this.#close = close
    this.#tools = [...TOOLS, ...Array.from({ length: moreTools }, (_, i) => `tool-${String(i)}`)]
  }

  /** Works on one message; the next one comes when this is done. */
  async receive({ id: given, method: name, params = {} }: Record<string, unknown>): Promise<void> {
    const id = given as Id
    const method = String(name)
    // Never answered, even with an id.
    if (method === 'initialized') return
    try {
      const result = await this.#respond(method, params as Params)
      if (result) this.#reply(id, result)
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      const { code, message, data } = error
      // Notifications are answered, too; then there is no id.
      this.#send({ id, error: { code, message, data } })
    }
  }

  async #respond(method: string, params: Params): Promise<object | undefined> {
    if (method === 'initialize') return initialize(params)
    if (method === 'ping') return {}
    if (!this.#hasSession) throw protocolError('Session not found')
    if (method === 'shutdown') {
      this.#hasSession = false
      return {}
    }
    if (method === 'tools/list') return { tools: this.#tools.map((name) => ({ name, inputSchema: { type: 'object' } })) }
    if (method === 'tools/call') return this.#call(String(params.name), (params.arguments ?? {}) as Params)
    throw protocolError(`Method not found: The method '${method}' is not supported by this server`)
  }

  async #call(name: string, { message, seconds, bytes, filling = 'x' }: Params): Promise<object | undefined> {
    switch (name) {
      case 'echo':
        return text(String(message))
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000).unref())
        return text('done')
      case 'big':
        return text(String(filling).repeat(Number(bytes)))
      case 'limited':
        throw new EdgeError(429, 'Rate limit exceeded: tool', { limit_type: 'tool', limit: 50, remaining: 0, reset_at: 0, retry_after: 1 })
      case 'drop':
        this.#close(1000)
        return undefined
      case 'misread':
        this.#close(1007)
        return undefined
      default:
        throw new EdgeError(-32002, `[NOT_FOUND] Tool '${name}' not found`, { code: 'NOT_FOUND', category: 'resource' })
    }
  }

  /** Responses that are long and have an id travel in pieces. */
  #reply(id: Id, result: object): void {
    const response = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }))
    if (response.length > STREAM_THRESHOLD && id !== undefined) {
      this.#stream(id, response)
      this.#send({ id, result: { streamed: true, chunks_complete: true } })
    } else this.#send({ id, result })
  }

  #stream(requestId: number | string, response: Buffer): void {
    const total = Math.ceil(response.length / CHUNK)
    const token = `chunk_${String(requestId)}`
    const progress = (current: number, message: string): void => {
      this.#send({ method: '$/progress', params: { token, percentage: (100 * current) / total, message, current, total } })
    }
    progress(0, 'Starting content streaming')
    for (let chunk = 0; chunk < total; chunk++) {
      // Cut between bytes, not between characters.
      const data = response.subarray(chunk * CHUNK, (chunk + 1) * CHUNK).toString()
      const isLast = chunk === total - 1
      this.#send({
        method: '$/contentChunk',
        params: { chunk, contentType: 'application/json', data, isLast, requestId, totalChunks: total }
      })
      progress(chunk + 1, `Sent chunk ${String(chunk + 1)} of ${String(total)}`)
    }
    progress(total, 'Content streaming complete')
  }

  #send(message: object): void {
    this.#write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}

function initialize({ protocolVersion, clientInfo }: Params): object {
  const { name, version } = (clientInfo ?? {}) as { name?: unknown; version?: unknown }
  if (!name || !version) throw new EdgeError(-32602, '[VALIDATION_ERROR] clientInfo is incomplete', { code: 'VALIDATION_ERROR' })
  if (!VERSIONS.includes(String(protocolVersion)))
    throw new EdgeError(-32603, `[UNSUPPORTED_PROTOCOL_VERSION] Protocol version ${String(protocolVersion)} is not supported`, {
      code: 'UNSUPPORTED_PROTOCOL_VERSION',
      category: 'validation'
    })
  return {
    protocolVersion,
    capabilities: { tools: { listChanged: true }, resources: { subscribe: false, listChanged: false }, prompts: {}, logging: {} },
    serverInfo: { name: 'edge-mcp', version: '1.0.0' }
  }
}
