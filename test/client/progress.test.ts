import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const tokenOf = (socket: FakeSocket): unknown => (socket.asked('tools/call').params?._meta as { progressToken?: unknown }).progressToken
const report = (socket: FakeSocket, params: object): void => socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params })

describe('a request with onprogress', () => {
  it('asks for progress under a unique string', async () => {
    const rig = useClient()
    const other = useClient()
    const tokens: unknown[] = []
    for (const { client, legacy } of [rig, other]) {
      const socket = await legacy()
      for (let n = 0; n < 3; n++) {
        watch(client.callTool({ name: 'x' }, { onprogress: () => undefined }))
        tokens.push(tokenOf(socket))
      }
    }
    for (const token of tokens) expect(typeof token).toBe('string')
    expect(new Set(tokens).size).toBe(6)
  })

  it('hears every report, and nothing after the response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const onprogress = vi.fn()
    const asked = watch(rig.client.callTool({ name: 'x' }, { onprogress }))
    const progressToken = tokenOf(socket)
    report(socket, { progressToken, progress: 1 })
    report(socket, { progressToken, progress: 2, total: 3, message: 'nearly' })
    socket.respond('tools/call', { content: [] })
    report(socket, { progressToken, progress: 3 })
    await settle()
    expect(onprogress.mock.calls).toEqual([[{ progress: 1 }], [{ progress: 2, total: 3, message: 'nearly' }]])
    expect(asked.value).toEqual({ content: [] })
  })

  it('P24: hears nothing of others', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const onprogress = vi.fn()
    watch(rig.client.callTool({ name: 'x' }, { onprogress }))
    for (const progressToken of ['other', 1, undefined, null, { a: 1 }]) report(socket, { progressToken, progress: 1 })
    report(socket, { progressToken: tokenOf(socket) })
    report(socket, { progressToken: tokenOf(socket), progress: 'much' })
    expect(onprogress).not.toHaveBeenCalled()
    expect(rig.errors).toEqual([])
  })

  it('goes on when onprogress throws: the event error tells', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const problem = new Error('bad callback')
    const asked = watch(
      rig.client.callTool(
        { name: 'x' },
        {
          onprogress: () => {
            throw problem
          }
        }
      )
    )
    report(socket, { progressToken: tokenOf(socket), progress: 1 })
    expect(rig.errors).toEqual([problem])
    socket.respond('tools/call', { content: [] })
    await settle()
    expect(asked.value).toEqual({ content: [] })
  })

  it('keeps its token when it is sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const onprogress = vi.fn()
    watch(rig.client.callTool({ name: 'x' }, { onprogress, resend: true }))
    const progressToken = tokenOf(first)
    first.drop()
    const socket = await rig.relegacy()
    expect(tokenOf(socket)).toBe(progressToken)
    report(socket, { progressToken, progress: 1 })
    expect(onprogress).toHaveBeenCalledOnce()
  })
})

describe('a request without onprogress', () => {
  it('asks for none', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }))
    expect(socket.asked('tools/call').params).toEqual({ name: 'x' })
  })
})

describe('a progress token of the caller', () => {
  it('is used as it is', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const onprogress = vi.fn()
    watch(rig.client.callTool({ name: 'x', _meta: { progressToken: 'mine' } }, { onprogress }))
    expect(tokenOf(socket)).toBe('mine')
    report(socket, { progressToken: 'mine', progress: 1 })
    expect(onprogress).toHaveBeenCalledOnce()
  })
})
