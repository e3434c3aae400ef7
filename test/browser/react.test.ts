import { refresh } from './hot-reload.js'
import { createElement, useEffect, type FunctionComponent } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { describe, expect, inject, it } from 'vitest'
import type { McpWebSocketClient, McpWebSocketClientOptions } from '../../src/index.js'
import { useMcpClient, useMcpState, useMcpTools, type UseMcpClientResult } from '../../src/react/index.js'
import { useClient } from '../client/use-client.js'
import { afterTest } from '../helpers/after-test.js'
import { FAST, LATE, messagesOf, methodsOf, offers, useLab } from '../shared/lab.js'
import { render, type Rendered } from './render.js'

const lab = useLab(inject('serverUrl'))

const show = (path: string, options: Partial<McpWebSocketClientOptions> = {}, isStrict = false): Rendered<UseMcpClientResult> => {
  const url = lab.url(path)
  return render(() => useMcpClient({ url, reconnect: FAST, ...options }), isStrict)
}

const namesOf = ({ tools }: { readonly tools: readonly { readonly name: string }[] | undefined }): string[] | undefined =>
  tools?.map(({ name }) => name)
const hasTools = ({ tools }: { readonly tools: readonly object[] | undefined }): boolean => tools !== undefined
const isReady = ({ state }: { readonly state: string }): boolean => state === 'ready'

describe('useMcpClient', () => {
  it('connects, shows each state and the tools, and closes the connection when the component is unmounted', async () => {
    const shown = show('/legacy')
    const { client, error } = await shown.until(hasTools)
    expect(shown.values[0]?.state).toBe('idle')
    expect(namesOf(shown.value)).toEqual(['echo'])
    expect([client.state, error]).toEqual(['ready', undefined])
    shown.unmount()
    const dials = await lab.log('close')
    expect(dials.map(({ closeCode }) => closeCode)).toEqual([1000])
    expect(client.state).toBe('closed')
  })

  it('dials once under StrictMode, keeps what a component asked for meanwhile, and leaves no connection when unmounted', async () => {
    const url = lab.url('/legacy')
    const said: unknown[] = []
    const shown = render(() => {
      const result = useMcpClient({ url })
      const { client } = result
      useEffect(() => {
        client.callTool({ name: 'echo', arguments: { message: 'early' } }).then(
          ({ content }) => said.push(content),
          (error: unknown) => said.push(error)
        )
      }, [client])
      return result
    }, true)
    const { client } = await shown.until(hasTools)
    const early = [{ type: 'text', text: 'early' }]
    await client.ping()
    expect(said).toEqual([early, early])
    expect((await lab.log()).map(({ closeCode }) => closeCode)).toEqual([null])
    shown.unmount()
    expect((await lab.log('close')).map(({ closeCode }) => closeCode)).toEqual([1000])
  })

  it('connects anew when the component is mounted again, with a client of its own', async () => {
    const first = show('/legacy')
    const { client } = await first.until(isReady)
    first.unmount()
    await lab.log('close')
    const second = show('/legacy')
    expect((await second.until(isReady)).client).not.toBe(client)
    expect((await lab.log()).map(({ closeCode }) => closeCode)).toEqual([1000, null])
  })

  it('dials nothing for a component that is rendered and never shown', async () => {
    const url = lab.url('/legacy')
    await new Promise<void>((resolve) => {
      render(() => {
        useMcpClient({ url })
        resolve()
        // Suspended for ever.
        throw new Promise(() => undefined)
      })
    })
    expect(await lab.log()).toEqual([])
  })

  it('keeps its connection when the component is rendered again with new objects and new functions of the same meaning', async () => {
    const url = lab.url('/legacy')
    const make = (): UseMcpClientResult =>
      useMcpClient({ url, reconnect: { ...FAST, shouldReconnect: () => undefined }, auth: { token: () => 'a', via: 'subprotocol' } })
    const shown = render(make)
    const { client, reconnect } = await shown.until(isReady)
    const { length } = shown.values
    shown.rerender()
    shown.rerender(() => make())
    await shown.until(() => shown.values.length > length)
    expect(shown.value.client).toBe(client)
    expect(shown.value.reconnect).toBe(reconnect)
    expect(await lab.log()).toHaveLength(1)
  })

  it('has another client when an option has another value, and closes the one before', async () => {
    const hookFor = (url: string) => () => useMcpClient({ url })
    const shown = render(hookFor(lab.url('/legacy')))
    const before = await shown.until(hasTools)
    expect(before.client.era).toBe('legacy')
    shown.rerender(hookFor(lab.url('/modern')))
    const after = await shown.until(({ client, tools }) => client !== before.client && tools !== undefined)
    const first = shown.values.find(({ client }) => client === after.client)
    expect([first?.state, first?.tools]).toEqual(['idle', undefined])
    expect(after.client.era).toBe('modern')
    expect((await lab.log('close')).map(({ path, closeCode }) => [path, closeCode])).toEqual([
      ['/legacy', 1000],
      ['/modern', null]
    ])
  })

  it('asks the token function of the last render', async () => {
    const url = lab.url('/legacy')
    const hookFor = (user: string) => () => useMcpClient({ url, auth: { token: () => `token of ${user}`, via: 'subprotocol' } })
    const shown = render(hookFor('ada'))
    const { reconnect } = await shown.until(isReady)
    const { length } = shown.values
    shown.rerender(hookFor('alan'))
    await shown.until(() => shown.values.length > length)
    reconnect()
    const tokens = (await lab.log('dial', 2)).map((dial) => atob(offers(dial)?.[1]?.replace('mcp.bearer.', '') ?? ''))
    expect(tokens).toEqual(['token of ada', 'token of alan'])
  })

  it('shows an outage with the delay, the attempt and the reason, and after it the tools of a server that changed', async () => {
    const shown = show('/drop?after=tools/call', { reconnect: { ...FAST, initialDelay: 20 } })
    const { client } = await shown.until(hasTools)
    const { length } = shown.values
    await client.callTool({ name: 'echo' }).catch(() => undefined)
    await shown.until(isReady)
    const outage = shown.values.slice(length)
    expect(outage.find(({ state }) => state === 'waiting')).toMatchObject({ attempt: 2, delay: 20, error: { code: 'CONNECTION_LOST' } })
    // The reason stays while the client dials, and the tools through the whole outage.
    expect(outage.filter(({ state, error }) => state !== 'ready' && error === undefined)).toEqual([])
    expect(outage.filter((each) => !hasTools(each))).toEqual([])
    expect(shown.value.error).toBeUndefined()
    expect(messagesOf(await lab.log('tools/list', 2), 'tools/list').length).toBeGreaterThanOrEqual(2)
  })

  it('dials at once when a person wants it', async () => {
    const waits = show('/status/503?times=1', { reconnect: LATE })
    const { delay, error } = await waits.until(({ state }) => state === 'waiting')
    expect(delay).toBe(60_000)
    expect(error).toMatchObject({ code: 'CONNECT_FAILED' })
    waits.value.reconnect()
    await waits.until(isReady)
  })

  it('dials again when a person wants it after the client gave up', async () => {
    const gaveUp = show('/drop?after=tools/list', { reconnect: false })
    const { reconnect } = await gaveUp.until(({ state }) => state === 'failed')
    expect(gaveUp.value.error).toMatchObject({ code: 'CONNECTION_LOST' })
    reconnect()
    await gaveUp.until((value) => isReady(value) && hasTools(value))
  })

  it('dials no more for a person when it is unmounted', async () => {
    const shown = show('/legacy')
    const { client, reconnect } = await shown.until(isReady)
    shown.unmount()
    await lab.log('close')
    reconnect()
    expect(client.state).toBe('closed')
    expect(await lab.log()).toHaveLength(1)
  })

  it('takes over what a server rendered without a difference, and connects then', async () => {
    const client = await lab.connected('/legacy')
    const url = lab.url('/legacy')
    const found: unknown[] = []
    const container = document.createElement('div')
    const ready = new Promise<void>((resolve) => {
      const Page = (): string => {
        const own = useMcpClient({ url })
        const other = useMcpState(client)
        useEffect(() => (own.state === 'ready' && other.state === 'ready' ? resolve() : undefined))
        return `${own.state} ${other.state}`
      }
      container.innerHTML = renderToString(createElement(Page))
      expect(container.textContent).toBe('idle idle')
      const hydrated = hydrateRoot(container, createElement(Page), { onRecoverableError: (error) => found.push(error) })
      afterTest(() => hydrated.unmount())
    })
    await ready
    expect([container.textContent, found]).toEqual(['ready ready', []])
  })

  it('keeps its connection through a hot reload', async () => {
    const url = lab.url('/legacy')
    const results: UseMcpClientResult[] = []
    const told: string[] = []
    let heard = (): void => undefined
    /** The module of a component, as the plugin of a bundler makes it. */
    const load = (version: string): FunctionComponent => {
      const Component = (): null => {
        const result = useMcpClient({ url })
        useEffect(() => {
          results.push(result)
          told.push(version)
          heard()
        })
        return null
      }
      refresh.register(Component, 'component')
      refresh.setSignature(Component, 'useMcpClient{}')
      return Component
    }
    const until = (isSo: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        heard = () => isSo() && resolve()
        heard()
      })
    const root = createRoot(document.createElement('div'))
    afterTest(() => root.unmount())
    root.render(createElement(load('first')))
    await until(() => results.at(-1)?.tools !== undefined)
    const { client } = results.at(-1)!
    load('second')
    refresh.performReactRefresh()
    await until(() => told.at(-1) === 'second')
    await client.ping()
    expect(results.at(-1)?.client).toBe(client)
    expect((await lab.log()).map(({ closeCode }) => closeCode)).toEqual([null])
  })
})

describe.each(['legacy', 'modern'])('the tools of a %s server', (era) => {
  const change = (client: McpWebSocketClient): Promise<unknown> => client.callTool({ name: 'change' })

  it('are read again when the server says that they changed', async () => {
    const shown = show(`/${era}`)
    const { client, tools } = await shown.until(hasTools)
    await change(client)
    expect(namesOf(await shown.until((value) => value.tools !== tools))).toEqual(['echo', 'added'])
  })

  it('are read again from the server that is there after a reconnect', async () => {
    const shown = show(`/drop?after=tools/call&times=2&era=${era}`)
    const { client } = await shown.until(hasTools)
    // The script cuts the first two calls.
    await client.callTool({ name: 'echo' }).catch(() => undefined)
    await client.callTool({ name: 'echo' }).catch(() => undefined)
    await change(client)
    await shown.until((value) => namesOf(value)?.length === 2)
    client.reconnect().catch(() => undefined)
    expect(namesOf(await shown.until((value) => namesOf(value)?.length === 1))).toEqual(['echo'])
  })

  it('are the same array as long as they are the same tools', async () => {
    const shown = show(`/${era}`)
    const { client, tools } = await shown.until(hasTools)
    await client.reconnect()
    await lab.log('tools/list', 2)
    await client.ping()
    await shown.until(isReady)
    expect(shown.value.tools).toBe(tools)
  })
})

describe('useMcpState and useMcpTools', () => {
  it('show a client that was made elsewhere, and leave it connected', async () => {
    const client = await lab.connected('/legacy')
    const shown = render(() => ({ ...useMcpTools(client), ...useMcpState(client) }))
    expect(namesOf(await shown.until(hasTools))).toEqual(['echo'])
    expect(shown.value.state).toBe('ready')
    shown.unmount()
    expect(client.state).toBe('ready')
  })

  it('read the tools once for several components, and hear of changes only while one of them is shown', async () => {
    const client = await lab.connected('/modern')
    const [first, second] = [render(() => useMcpTools(client)), render(() => useMcpTools(client))]
    await Promise.all([first.until(hasTools), second.until(hasTools)])
    expect(second.value.tools).toBe(first.value.tools)
    first.unmount()
    second.unmount()
    await client.ping()
    expect(methodsOf((await lab.log('notifications/cancelled'))[0])).toEqual([
      'server/discover',
      'subscriptions/listen',
      'tools/list',
      'notifications/cancelled',
      'server/discover'
    ])
  })

  it('show an outage that began before the component was there', async () => {
    const client = await lab.connected('/drop?after=tools/call', { reconnect: LATE })
    await client.callTool({ name: 'echo' }).catch(() => undefined)
    const shown = render(() => useMcpState(client))
    expect(await shown.until(() => true)).toMatchObject({ state: 'waiting', attempt: 2, delay: 60_000, error: { code: 'CONNECTION_LOST' } })
  })

  it('show when people are to hear of an outage, and of its end', async () => {
    const { client, clock, legacy, redial, relegacy } = useClient({ protocol: 'legacy', heartbeat: false, reconnect: LATE })
    const shown = render(() => useMcpState(client))
    const socket = await legacy()
    await shown.until(isReady)
    socket.drop()
    await clock.advance(4999)
    expect((await shown.until(({ state }) => state === 'waiting')).isConnectionLost).toBe(false)
    await clock.advance(1)
    expect((await shown.until(({ isConnectionLost }) => isConnectionLost)).state).toBe('waiting')
    await redial()
    await relegacy()
    expect((await shown.until(isReady)).isConnectionLost).toBe(false)
  })

  it('show another client when they are given one', async () => {
    const [first, second] = [lab.client('/legacy'), await lab.connected('/legacy')]
    const shown = render(() => useMcpState(first))
    expect((await shown.until(() => true)).state).toBe('idle')
    shown.rerender(() => useMcpState(second))
    await shown.until(isReady)
  })
})
