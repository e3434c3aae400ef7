import { describe, expect, it } from 'vitest'
import { mayResend } from '../../src/session/resend-policy.js'
import type { Params } from '../../src/types/json-rpc.js'

describe('mayResend', () => {
  it.each([
    'ping',
    'tools/list',
    'resources/list',
    'resources/templates/list',
    'prompts/list',
    'resources/read',
    'prompts/get',
    'completion/complete',
    'server/discover',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'tasks/get',
    'tasks/list',
    'tasks/result',
    'tasks/cancel'
  ])('allows %s by the policy safe, and not by never', (method) => {
    expect(mayResend({ method, params: undefined, resend: undefined }, 'safe')).toBe(true)
    expect(mayResend({ method, params: undefined, resend: undefined }, 'never')).toBe(false)
  })

  it.each(['tools/call', 'initialize', 'subscriptions/listen', 'tasks/update', 'x/list', 'constructor', ''])(
    'does not allow %j by itself',
    (method) => {
      expect(mayResend({ method, params: undefined, resend: undefined }, 'safe')).toBe(false)
      expect(mayResend({ method, params: undefined, resend: undefined }, 'never')).toBe(false)
    }
  )

  it('lets the option of the request win over every policy', () => {
    const throwing = (): never => {
      throw new Error('not asked')
    }
    for (const policy of ['safe', 'never', throwing] as const) {
      expect(mayResend({ method: 'tools/call', params: undefined, resend: true }, policy)).toBe(true)
      expect(mayResend({ method: 'ping', params: undefined, resend: false }, policy)).toBe(false)
    }
  })

  it('asks the predicate with method and params, also for safe methods', () => {
    const asked: { method: string; params?: Params | undefined }[] = []
    const policy = (request: { readonly method: string; readonly params?: Params | undefined }): boolean => {
      asked.push({ ...request })
      return request.params?.name === 'echo'
    }
    expect(mayResend({ method: 'tools/call', params: { name: 'echo' }, resend: undefined }, policy)).toBe(true)
    expect(mayResend({ method: 'tools/call', params: { name: 'pay' }, resend: undefined }, policy)).toBe(false)
    expect(mayResend({ method: 'ping', params: undefined, resend: undefined }, policy)).toBe(false)
    expect(asked).toEqual([
      { method: 'tools/call', params: { name: 'echo' } },
      { method: 'tools/call', params: { name: 'pay' } },
      { method: 'ping', params: undefined }
    ])
  })
})
