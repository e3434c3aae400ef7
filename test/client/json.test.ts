import { describe, expect, it } from 'vitest'
import type { JsonOption } from '../../src/types/options.js'
import { settle } from '../helpers/fake-clock.js'
import { watch } from '../helpers/watch.js'
import { useClient } from './use-client.js'

/** A number as lossless parsers give it: an object that knows its digits. */
class Digits {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
  valueOf(): number {
    return Number(this.digits)
  }
}

/** Every number outside of a string becomes a `Digits`, and is written again as it was. */
const lossless: JsonOption = {
  parse: (text) =>
    JSON.parse(
      text.replace(/("(?:\\.|[^"\\])*")|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, (all, string?: string) => string ?? `{"$digits":"${all}"}`),
      (_name, value: unknown) =>
        typeof value === 'object' && value !== null && '$digits' in value ? new Digits(String(value.$digits)) : value
    ) as unknown,
  stringify: (value) =>
    JSON.stringify(value, (_name, member: unknown) => (member instanceof Digits ? { $digits: member.digits } : member)).replace(
      /\{"\$digits":"([^"]*)"\}/g,
      '$1'
    )
}

/** Numbers beyond 2^53 become a BigInt, as some parsers do; ids stay numbers. */
const withBigInts: JsonOption = {
  parse: (text) =>
    JSON.parse(text.replace(/:(\d{16,})/g, ':"$1n"'), (_name, value: unknown) =>
      typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
    ) as unknown,
  stringify: (value) =>
    JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? `${String(member)}n` : member)).replace(
      /"(\d+)n"/g,
      '$1'
    )
}

const HUGE = '9007199254740993'

describe('the option json', () => {
  it('reads the results, and writes the params', async () => {
    const { client, legacy } = useClient({ json: withBigInts })
    const socket = await legacy()
    const call = watch(client.request('x/count', { from: BigInt(HUGE) }))
    const sent = socket.texts.at(-1) ?? ''
    expect(sent).toContain(`"from":${HUGE}`)
    socket.deliver(`{"jsonrpc":"2.0","id":${String(socket.sent.at(-1)?.id)},"result":{"count":${HUGE}}}`)
    await settle()
    expect(call.value).toEqual({ count: BigInt(HUGE) })
  })

  it('may write every number as an object: ids, error codes and progress tokens are compared as numbers', async () => {
    const { client, legacy, errors } = useClient({ json: lossless })
    const socket = await legacy()
    const good = watch(client.request('x/count'))
    socket.deliver(`{"jsonrpc":"2.0","id":${String(socket.sent.at(-1)?.id)},"result":{"count":${HUGE}}}`)
    const bad = watch(client.request('x/count'))
    socket.deliver(`{"jsonrpc":"2.0","id":${String(socket.sent.at(-1)?.id)},"error":{"code":-32602,"message":"no"}}`)
    client.setRequestHandler('x/ask', ({ params }) => ({ given: params?.n }))
    socket.deliver(`{"jsonrpc":"2.0","id":7,"method":"x/ask","params":{"n":${HUGE}}}`)
    await settle()
    expect(good.value).toEqual({ count: new Digits(HUGE) })
    expect(bad.error).toMatchObject({ rpcCode: -32602 })
    expect(socket.texts.at(-1)).toBe(`{"jsonrpc":"2.0","id":7,"result":{"given":${HUGE}}}`)
    expect(errors).toEqual([])
  })

  it('gives reports of progress as numbers', async () => {
    const { client, legacy } = useClient({ json: lossless })
    const socket = await legacy()
    const reports: unknown[] = []
    const call = watch(client.request('x/count', {}, { onprogress: (report) => reports.push(report) }))
    const { progressToken } = (socket.sent.at(-1)?.params?._meta ?? {}) as { progressToken?: string }
    socket.deliver(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"${String(progressToken)}","progress":1,"total":2}}`
    )
    socket.deliver(`{"jsonrpc":"2.0","id":${String(socket.sent.at(-1)?.id)},"result":{}}`)
    await settle()
    expect(call.settled).toBe(true)
    expect(reports).toEqual([{ progress: 1, total: 2 }])
  })

  it('opens listens, and sends later what the server gave back', async () => {
    const { client, clock, modern } = useClient({ json: lossless, heartbeat: false })
    const socket = await modern()
    const listening = watch(client.listen({ toolsListChanged: true }))
    const _meta = { 'io.modelcontextprotocol/subscriptionId': socket.asked('subscriptions/listen').id }
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta, notifications: {} } })
    watch(client.request('x/count'))
    socket.respondError('x/count', -32023, 'later', { retryAfterMs: 500 })
    await clock.advance(1000)
    expect(listening.value?.honoredFilter).toEqual({})
    expect(socket.methods.slice(-2)).toEqual(['x/count', 'x/count'])
  })

  it('keeps the numbers of a modern request, whose _meta is added when it is sent', async () => {
    const { client, modern } = useClient({ json: lossless })
    const socket = await modern()
    watch(client.request('tools/call', { name: 'x', arguments: { n: new Digits(HUGE) } }))
    expect(socket.texts.at(-1)).toContain(`"n":${HUGE}`)
    expect(socket.sent.at(-1)?.params).toMatchObject({ _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } })
  })

  it('keeps the numbers of a request that the server answers with input requests', async () => {
    const { client, modern } = useClient({ json: lossless, capabilities: { roots: {} } })
    client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const socket = await modern()
    watch(client.request('tools/call', { name: 'x', arguments: { n: new Digits(HUGE) } }))
    const asked = { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } }
    socket.deliver(JSON.stringify({ jsonrpc: '2.0', id: socket.sent.at(-1)?.id, result: asked }))
    await settle()
    expect(socket.texts.at(-1)).toContain(`"n":${HUGE}`)
    expect(socket.texts.at(-1)).toContain('"inputResponses"')
  })

  it('that writes nothing is a TypeError that names the method', async () => {
    const { client } = useClient({
      json: {
        parse: JSON.parse,
        stringify: () => {
          throw new Error('no')
        }
      }
    })
    await expect(client.request('x/count')).rejects.toThrow('the parameters of x/count cannot be written as JSON: no')
  })

  it.each([{}, { parse: JSON.parse }, { stringify: JSON.stringify, parse: 'x' }, true])('may not be %j', (json) => {
    expect(() => useClient({ json: json as unknown as JsonOption })).toThrow(
      'json must be an object with the functions parse and stringify'
    )
  })
})
