import { describe, expect, it } from 'vitest'
import { sameServer, type Agreement } from '../../src/session/agreement.js'
import type { JsonValue, ServerCapabilities } from '../../src/types/common.js'

describe('sameServer', () => {
  const agreement: Agreement = {
    era: 'legacy',
    version: '2025-11-25',
    serverInfo: { name: 's', version: '1' },
    capabilities: { tools: {} },
    instructions: undefined
  }

  it('sees the same server in an equal agreement', () => {
    expect(sameServer(agreement, structuredClone(agreement))).toBe(true)
  })

  it('does not look at the instructions', () => {
    expect(sameServer(agreement, { ...agreement, instructions: 'new' })).toBe(true)
  })

  it('does not look at the order of members and lists: some servers write that of a hash table', () => {
    const capabilitiesOf = (tools: object): ServerCapabilities => ({ tools, logging: {} })
    const one = { serverInfo: { name: 's', version: '1' }, capabilities: capabilitiesOf({ tools: [{ name: 'a', n: 1 }, { name: 'b' }] }) }
    const other = { serverInfo: { version: '1', name: 's' }, capabilities: capabilitiesOf({ tools: [{ name: 'b' }, { n: 1, name: 'a' }] }) }
    const third = { ...one, capabilities: capabilitiesOf({ tools: [{ name: 'b', n: 1 }, { name: 'a' }] }) }
    expect(sameServer({ ...agreement, ...one }, { ...agreement, ...other })).toBe(true)
    expect(sameServer({ ...agreement, ...one }, { ...agreement, ...third })).toBe(false)
  })

  it('is not held up by what is nested without end', () => {
    const nested = (bottom: string): ServerCapabilities => {
      let value: JsonValue = bottom
      for (let depth = 0; depth < 2000; depth++) value = [value]
      return { experimental: { deep: { value } } }
    }
    const bottom = 'x'.repeat(2 ** 20)
    const start = performance.now()
    expect(sameServer({ ...agreement, capabilities: nested(bottom) }, { ...agreement, capabilities: nested(bottom) })).toBe(true)
    expect(sameServer({ ...agreement, capabilities: nested(bottom) }, { ...agreement, capabilities: nested('y') })).toBe(false)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it.each<[string, Partial<Agreement>]>([
    ['era', { era: 'modern' }],
    ['version of MCP', { version: '2025-06-18' }],
    ['name', { serverInfo: { name: 't', version: '1' } }],
    ['version', { serverInfo: { name: 's', version: '2' } }],
    ['missing info', { serverInfo: undefined }],
    ['capabilities', { capabilities: { tools: { listChanged: true } } }],
    ['lost capabilities', { capabilities: {} }]
  ])('sees another server in another %s', (_what, changes) => {
    expect(sameServer(agreement, { ...agreement, ...changes })).toBe(false)
  })
})
