import { describe, expect, it } from 'vitest'
import { FakeClock } from '../helpers/fake-clock.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

describe('with unref', () => {
  it('no timer of a ready, idle client keeps the process alive', async () => {
    const clock = new FakeClock()
    const rig = useClient({ unref: true }, clock)
    await rig.legacy()
    expect(clock.pendingCount).toBeGreaterThan(0)
    expect(clock.holdCount).toBe(0)
    await clock.advance(30_000)
    expect(clock.holdCount).toBe(0)
  })

  it('a pending request keeps the process alive', async () => {
    const clock = new FakeClock()
    const rig = useClient({ unref: true }, clock)
    const socket = await rig.legacy()
    watch(rig.client.request('tools/list'))
    expect(clock.holdCount).toBe(1)
    socket.respond('tools/list', {})
    expect(clock.holdCount).toBe(0)
  })

  it('the first dial keeps the process alive, its wait for a retry, too', async () => {
    const clock = new FakeClock()
    const rig = useClient({ unref: true }, clock)
    watch(rig.client.connect())
    const socket = await rig.network.last()
    expect(clock.holdCount).toBe(1)
    socket.drop()
    expect(rig.client.state).toBe('waiting')
    expect(clock.holdCount).toBe(1)
  })

  it('an idle client that reconnects does not keep the process alive', async () => {
    const clock = new FakeClock()
    const rig = useClient({ unref: true }, clock)
    ;(await rig.legacy()).drop()
    expect(rig.client.state).toBe('waiting')
    expect(clock.holdCount).toBe(0)
  })
})

describe('without unref', () => {
  it('a ready client keeps the process alive', async () => {
    const clock = new FakeClock()
    await useClient({}, clock).legacy()
    expect(clock.holdCount).toBeGreaterThan(0)
  })
})
