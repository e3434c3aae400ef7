import { describe, expect, it } from 'vitest'
import { WebSocketClientTransport } from '../../src/transport/websocket-client-transport.js'
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResponse, Params } from '../../src/types/json-rpc.js'
import { FAST, methodsOf, useLab } from './lab.js'

/** The transport for the SDK: the same in Node and in browsers. */
export function relayingSuite(serverUrl: string): void {
  describe('the transport for the official SDK', () => suite(serverUrl))
}

function suite(serverUrl: string): void {
  const lab = useLab(serverUrl)
  const params: Params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'sdk', version: '1' } }

  it('replays the handshake below a client that knows nothing of it, and fails what was lost', async () => {
    const transport = new WebSocketClientTransport(lab.url('/drop?after=tools/call'), { reconnect: FAST })
    const waiting = new Map<unknown, (response: JsonRpcMessage) => void>()
    let closes = 0
    transport.onmessage = (message) => waiting.get('id' in message && message.id)?.(message)
    transport.onclose = () => {
      closes++
    }
    const ask = (id: number, method: string, of?: Params): Promise<JsonRpcMessage> => {
      const request: JsonRpcRequest = { jsonrpc: '2.0', id, method, ...(of && { params: of }) }
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve)
        transport.send(request).catch(reject)
      })
    }
    await transport.start()
    const agreed = (await ask(0, 'initialize', params)) as JsonRpcResponse
    expect(agreed).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } })
    await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    const lost = await ask(1, 'tools/call', { name: 'echo', arguments: { message: 'a' } })
    expect(lost).toMatchObject({ id: 1, error: { code: 1006, data: { reason: 'CONNECTION_LOST', delivery: 'unknown' } } })
    expect(await ask(2, 'tools/call', { name: 'echo', arguments: { message: 'b' } })).toMatchObject({ id: 2, result: {} })
    expect(closes).toBe(0)
    expect((await lab.log()).map(methodsOf)).toEqual([
      ['initialize', 'notifications/initialized', 'tools/call'],
      ['initialize', 'notifications/initialized', 'tools/call']
    ])
    await transport.close()
    expect(closes).toBe(1)
  })
}
