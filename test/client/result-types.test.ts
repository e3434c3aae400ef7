import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import { watch } from '../helpers/watch.js'
import { closeClean, useClient } from './use-client.js'

const LATER = { resultType: 'acme/later', ticket: 7 }

describe('acceptResultType', () => {
  it('goes on with the request, and the caller gets what the handler returns', async () => {
    const rig = useClient()
    const seen = vi.fn()
    rig.client.acceptResultType('acme/later', async (result, flow) => {
      seen(result, flow.method, flow.params, flow.options)
      await flow.wait(500)
      return flow.request('acme/collect', { ticket: result.ticket })
    })
    const socket = await rig.modern()
    const options = { timeout: 100, resend: true, onprogress: () => undefined }
    const called = watch(rig.client.callTool({ name: 'x' }, options))
    socket.respond('tools/call', LATER)
    await settle()
    expect(seen).toHaveBeenCalledExactlyOnceWith(LATER, 'tools/call', expect.objectContaining({ name: 'x' }), options)
    await rig.clock.advance(499)
    expect(socket.methods).not.toContain('acme/collect')
    await rig.clock.advance(1)
    expect(socket.asked('acme/collect').params).toMatchObject({ ticket: 7 })
    expect(socket.asked('acme/collect').params?._meta).not.toHaveProperty('progressToken')
    socket.respond('acme/collect', { content: [] })
    await settle()
    expect(called.value).toEqual({ content: [] })
  })

  it('works for any method, and where the next result is of another type again', async () => {
    const rig = useClient()
    rig.client.acceptResultType('acme/later', (_result, flow) => flow.request(flow.method, flow.params))
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const socket = await rig.modern()
    const asked = watch(rig.client.request('acme/do', { a: 1 }))
    socket.respond('acme/do', LATER)
    await settle()
    socket.respond('acme/do', { resultType: 'input_required', inputRequests: { k: { method: 'roots/list' } } })
    await settle()
    expect(socket.asked('acme/do').params).toMatchObject({ a: 1, inputResponses: { k: { roots: [] } } })
    socket.respond('acme/do', { done: true })
    await settle()
    expect(asked.value).toEqual({ done: true })
  })

  it('may hand the result out as it is, also in place of multi round trips', async () => {
    const rig = useClient()
    rig.client.acceptResultType('input_required', (result) => Promise.resolve(result))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', { resultType: 'input_required', requestState: 's' })
    await settle()
    expect(called.value).toEqual({ resultType: 'input_required', requestState: 's' })
  })

  it('rejects with what the handler throws', async () => {
    const rig = useClient()
    const problem = new Error('no')
    rig.client.acceptResultType('acme/later', () => Promise.reject(problem))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', LATER)
    await settle()
    expect(called.error).toBe(problem)
  })

  it('waits no longer than maxTotalTimeout, nor than the life of the client', async () => {
    const rig = useClient()
    rig.client.acceptResultType('acme/later', (_result, flow) => flow.wait(1e6))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }, { maxTotalTimeout: 1000 }))
    socket.respond('tools/call', LATER)
    await rig.clock.advance(1000)
    expect(called.error).toMatchObject({ code: 'REQUEST_TIMEOUT', method: 'tools/call', timeout: 1000 })
    const other = watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', LATER)
    await settle()
    await closeClean(rig)
    expect(other.error).toMatchObject({ code: 'CLOSED' })
  })

  it('is no use for anything but a function', () => {
    const { client } = useClient()
    // @ts-expect-error no function
    expect(() => client.acceptResultType('acme/later', {})).toThrow('the handler of acme/later must be a function')
  })
})
