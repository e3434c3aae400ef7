import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/session/journal.js'
import type { Params, RequestId } from '../../src/types/json-rpc.js'

function send(journal: Journal, id: RequestId, method: string, params?: Params): void {
  journal.noteSent({ jsonrpc: '2.0', id, method, ...(params && { params }) }, `frame ${String(id)}`)
}

const level = (name: string) => ({ method: 'logging/setLevel', params: { level: name } })
const subscribe = (uri: string) => ({ method: 'resources/subscribe', params: { uri } })

describe('Journal', () => {
  it('begins with nothing', () => {
    const journal = new Journal()
    expect(journal.restores('legacy')).toEqual([])
    expect(journal.listens()).toEqual([])
    expect(journal.subscribedUris).toEqual([])
  })

  it('remembers level and subscriptions once they are confirmed, the level first', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 2, 'logging/setLevel', { level: 'debug' })
    send(journal, 3, 'resources/subscribe', { uri: 'a:2' })
    expect(journal.restores('legacy')).toEqual([])
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    journal.noteEnd(3, true)
    expect(journal.restores('legacy')).toEqual([level('debug'), subscribe('a:1'), subscribe('a:2')])
    expect(journal.subscribedUris).toEqual(['a:1', 'a:2'])
  })

  it('tells a modern server nothing', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    journal.noteEnd(1, true)
    expect(journal.restores('modern')).toEqual([])
  })

  it('forgets a wish that was refused, lost or given up', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    journal.noteEnd(1, false)
    journal.noteEnd(1, true)
    expect(journal.restores('legacy')).toEqual([])
  })

  it('keeps the last level that was confirmed', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    journal.noteEnd(1, true)
    send(journal, 2, 'logging/setLevel', { level: 'error' })
    expect(journal.restores('legacy')).toEqual([level('debug')])
    journal.noteEnd(2, true)
    expect(journal.restores('legacy')).toEqual([level('error')])
    send(journal, 3, 'logging/setLevel', { level: 'nonsense' })
    journal.noteEnd(3, false)
    expect(journal.restores('legacy')).toEqual([level('error')])
  })

  it('names a resource once, however often it was subscribed', () => {
    const journal = new Journal()
    for (const id of [1, 2]) {
      send(journal, id, 'resources/subscribe', { uri: 'a:1' })
      journal.noteEnd(id, true)
    }
    expect(journal.restores('legacy')).toEqual([subscribe('a:1')])
  })

  it('ends a subscription when the unsubscribe is sent, not when it is answered', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    send(journal, 2, 'resources/unsubscribe', { uri: 'a:1' })
    expect(journal.subscribedUris).toEqual([])
    journal.noteEnd(2, false)
    expect(journal.restores('legacy')).toEqual([])
  })

  it('keeps a subscription ended whose unsubscribe was sent before its subscribe was answered', () => {
    const journal = new Journal()
    send(journal, 1, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 2, 'resources/unsubscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    expect(journal.restores('legacy')).toEqual([])
  })

  it('ignores all other requests', () => {
    const journal = new Journal()
    send(journal, 1, 'tools/call', { name: 'echo' })
    send(journal, 2, 'ping')
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    expect(journal.restores('legacy')).toEqual([])
    expect(journal.isListen(1)).toBe(false)
  })

  it('drops what the server refused to restore', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    send(journal, 2, 'resources/subscribe', { uri: 'a:1' })
    send(journal, 3, 'resources/subscribe', { uri: 'a:2' })
    for (const id of [1, 2, 3]) journal.noteEnd(id, true)
    journal.dropRestore({ method: 'resources/subscribe', params: { uri: 'a:1' } })
    expect(journal.restores('legacy')).toEqual([level('debug'), subscribe('a:2')])
    journal.dropRestore({ method: 'logging/setLevel', params: { level: 'debug' } })
    expect(journal.restores('legacy')).toEqual([subscribe('a:2')])
  })

  it('keeps live listens verbatim, oldest first, until they end', () => {
    const journal = new Journal()
    send(journal, 8, 'subscriptions/listen', { notifications: {} })
    send(journal, 5, 'subscriptions/listen', { notifications: {} })
    expect(journal.listens()).toEqual([
      [8, 'frame 8'],
      [5, 'frame 5']
    ])
    expect(journal.isListen(8)).toBe(true)
    journal.noteEnd(8, true)
    expect(journal.isListen(8)).toBe(false)
    expect(journal.listens()).toEqual([[5, 'frame 5']])
  })

  it('forgets everything with the life, what was not answered included', () => {
    const journal = new Journal()
    send(journal, 1, 'logging/setLevel', { level: 'debug' })
    send(journal, 2, 'resources/subscribe', { uri: 'a:1' })
    journal.noteEnd(1, true)
    journal.noteEnd(2, true)
    send(journal, 3, 'subscriptions/listen', {})
    send(journal, 4, 'resources/subscribe', { uri: 'a:2' })
    journal.clear()
    journal.noteEnd(4, true)
    expect(journal.restores('legacy')).toEqual([])
    expect(journal.listens()).toEqual([])
  })
})
