import { createElement, type FunctionComponent } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, inject, it } from 'vitest'
import { useMcpClient, useMcpState, useMcpTools } from '../../src/react/index.js'
import { useLab } from '../shared/lab.js'

const lab = useLab(inject('serverUrl'))
const rendered = (component: FunctionComponent): string => renderToString(createElement(component))

describe('on a server', () => {
  it('useMcpClient shows an idle client, and dials nothing', async () => {
    const url = lab.url('/legacy')
    const text = rendered(() => {
      const { client, reconnect, ...shown } = useMcpClient({ url })
      reconnect()
      return JSON.stringify([shown, client.state])
    })
    expect(JSON.parse(text.replaceAll('&quot;', '"'))).toEqual([{ state: 'idle', isConnectionLost: false }, 'idle'])
    expect(await lab.log()).toEqual([])
  })

  it('a client that is connected is shown as idle, as the page shows it before it is hydrated', async () => {
    const client = await lab.connected('/legacy')
    expect(rendered(() => `${useMcpState(client).state} ${typeof useMcpTools(client).tools}`)).toBe('idle undefined')
  })

  it('a wrong option throws a TypeError that names it', () => {
    expect(() => rendered(() => useMcpClient({ url: 'ftp://example.com' }).state)).toThrow(/url/)
  })
})
