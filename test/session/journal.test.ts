import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/session/journal.js'
import type { Params, RequestId } from '../../src/types/json-rpc.js'

function send(journal: Journal, id: RequestId, method: string, params?: Params): { readonly mayResend: boolean } {
  const request = { id, method, params, mayResend: true }
  journal.noteSent(request, `frame ${String(id)}`)
  return request
}

const level = (name: string) => ({ method: 'logging/setLevel', params: { level: name } })
const subscribe = (uri: string) => ({ method: 'resources/subscribe', params: { uri } })

describe('Journal', () => {
  it('begins with nothing', () => {
    const journal = new Journal()
    expect(journal.restores).toEqual([])
    expect(journal.listens).toEqual([])
    expect(journal.subscribedUris).toEqual([])
  })

  it('remembers level and subscriptions once they are confirmed, the level first', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 2, 'logging/setLevel', { level: 'debug' })
    send(journal, 3, 'resources/subscribe', { uri: 'a:2' })
    expect(journal.restores).toEqual([])
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    journal.noteEnd(3, true)
    expect(journal.restores).toEqual([level('debug'), subscribe('a:1'), subscribe('a:2')])
    expect(journal.subscribedUris).toEqual(['a:1', 'a:2'])
  })

  it('forgets a state whose request failed, was lost or was given up', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    journal.noteEnd(1, false)
    journal.noteEnd(1, true)
    expect(journal.restores).toEqual([])
  })

  it('keeps the last level that was confirmed', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    journal.noteEnd(1, true)
    send(journal, 2, 'logging/setLevel', { level: 'error' })
    expect(journal.restores).toEqual([level('debug')])
    journal.noteEnd(2, true)
    expect(journal.restores).toEqual([level('error')])
    send(journal, 3, 'logging/setLevel', { level: 'nonsense' })
    journal.noteEnd(3, false)
    expect(journal.restores).toEqual([level('error')])
  })

  it('keeps the level that was asked for last, in whatever order the server responds', () => {
    const journal = new Journal()
    const first = send(journal, 1, 'logging/setLevel', { level: 'debug' })
    const second = send(journal, 2, 'logging/setLevel', { level: 'error' })
    const third = send(journal, 3, 'logging/setLevel', { level: 'info' })
    journal.noteEnd(2, true)
    // After a drop now, the first would undo the second.
    expect([first, second, third].map(({ mayResend }) => mayResend)).toEqual([false, true, true])
    journal.noteEnd(1, true)
    expect(journal.restores).toEqual([level('error')])
    journal.noteEnd(3, true)
    expect(journal.restores).toEqual([level('info')])
  })

  it('names a resource once, however often it was subscribed', () => {
    const journal = new Journal()
    for (const id of [1, 2]) {
      send(journal, id, 'resources/subscribe', { uri: 'a:1' })
      journal.noteEnd(id, true)
    }
    expect(journal.restores).toEqual([subscribe('a:1')])
  })

  it('ends a subscription when the unsubscribe is sent, not when its response comes', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    send(journal, 2, 'resources/unsubscribe', { uri: 'a:1' })
    expect(journal.subscribedUris).toEqual([])
    journal.noteEnd(2, false)
    expect(journal.restores).toEqual([])
  })

  it('keeps a subscription ended whose unsubscribe was sent before the response to its subscribe', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 2, 'resources/unsubscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    expect(journal.restores).toEqual([])
  })

  it('lets no request be sent again after a later one to the contrary about the same resource', () => {
    const journal = new Journal()
    const unsubscribed = send(journal, 1, 'resources/unsubscribe', { uri: 'a:1' })
    const other = send(journal, 2, 'resources/unsubscribe', { uri: 'a:2' })
    const subscribed = send(journal, 3, 'resources/subscribe', { uri: 'a:1' })
    expect([unsubscribed, other, subscribed].map(({ mayResend }) => mayResend)).toEqual([false, true, true])
    send(journal, 4, 'resources/unsubscribe', { uri: 'a:1' })
    expect(subscribed.mayResend).toBe(false)
    journal.noteEnd(3, true)
    expect(journal.restores).toEqual([])
  })

  it('lets requests be sent again that say the same as a later one, or set another level', () => {
    const journal = new Journal()
    const requests = ['a', 'b'].flatMap((name, index) => [
      send(journal, 10 + index, 'resources/subscribe', { uri: 'a:1' }),
      send(journal, 20 + index, 'logging/setLevel', { level: name })
    ])
    expect(requests.every(({ mayResend }) => mayResend)).toBe(true)
  })

  it('ignores all other requests', () => {
    const journal = new Journal()
    send(journal, 1, 'tools/call', { name: 'echo' })
    send(journal, 2, 'ping')
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    expect(journal.restores).toEqual([])
    expect(journal.isListen(1)).toBe(false)
  })

  it('drops what the server cannot restore', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    send(journal, 2, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 3, 'resources/subscribe', { uri: 'a:2' })
    for (const id of [1, 2, 3]) journal.noteEnd(id, true)
    journal.dropRestore({ method: 'resources/subscribe', params: { uri: 'a:1' } })
    expect(journal.restores).toEqual([level('debug'), subscribe('a:2')])
    journal.dropRestore({ method: 'logging/setLevel', params: { level: 'debug' } })
    expect(journal.restores).toEqual([subscribe('a:2')])
  })

  it('keeps live listens verbatim, oldest first, until they end', () => {
    const journal = new Journal()
    send(journal, 8, 'subscriptions/listen', { notifications: {} })
    send(journal, 5, 'subscriptions/listen', { notifications: {} })
    expect(journal.listens).toEqual([
      [8, 'frame 8'],
      [5, 'frame 5']
    ])
    expect(journal.isListen(8)).toBe(true)
    journal.noteEnd(8, true)
    expect(journal.isListen(8)).toBe(false)
    expect(journal.listens).toEqual([[5, 'frame 5']])
  })

  it('forgets everything with the life, requests without a response included', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    send(journal, 2, 'resources/subscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    send(journal, 3, 'subscriptions/listen', {})
    send(journal, 4, 'resources/subscribe', { uri: 'a:2' })
    journal.clear()
    journal.noteEnd(4, true)
    expect(journal.restores).toEqual([])
    expect(journal.listens).toEqual([])
  })

  describe('the end of a listen', () => {
    const RESULT = { jsonrpc: '2.0', id: 8, result: {} } as const

    function ending(): Journal {
      const journal = new Journal()
      send(journal, 8, 'subscriptions/listen')
      expect(journal.holdEnd(8, RESULT, 100)).toBe(1100)
      return journal
    }

    it('is held back for a second, during which the listen lives', () => {
      const journal = ending()
      expect(journal.isEnding(8)).toBe(true)
      expect(journal.isListen(8)).toBe(true)
      expect(journal.nextEndAt).toBe(1100)
      expect(journal.takeEnds(1099)).toEqual([])
      expect(journal.takeEnds(1100)).toEqual([[8, RESULT]])
      expect(journal.isEnding(8)).toBe(false)
      expect(journal.nextEndAt).toBe(Infinity)
    })

    it('is forgotten with the socket, and the listen lives on', () => {
      const journal = ending()
      journal.forgetEnds()
      expect(journal.takeEnds(Infinity)).toEqual([])
      expect(journal.listens).toEqual([[8, 'frame 8']])
    })

    it('is forgotten when somebody ends the listen, and with the life', () => {
      const journal = ending()
      journal.noteEnd(8, false)
      expect(journal.isEnding(8)).toBe(false)
      journal.holdEnd(8, RESULT, 0)
      journal.clear()
      expect(journal.takeEnds(Infinity)).toEqual([])
    })

    it('comes in the order in which the ends came, each in its time', () => {
      const journal = ending()
      send(journal, 9, 'subscriptions/listen')
      journal.holdEnd(9, { ...RESULT, id: 9 }, 50)
      expect(journal.nextEndAt).toBe(1050)
      expect(journal.takeEnds(1050).map(([id]) => id)).toEqual([9])
      expect(journal.takeEnds(5000).map(([id]) => id)).toEqual([8])
    })
  })
})
