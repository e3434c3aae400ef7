import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameWriter } from '../../src/socket/frame-writer.js'
import { Receiver } from '../helpers/ws-receiver.js'

interface Rig {
  readonly writer: FrameWriter
  readonly stream: Writable
  readonly socket: { readyState: number }
  readonly writes: Buffer[]
  readonly texts: string[]
  readonly endTick: () => Promise<void>
}

/** A writer whose stream leads to a receiver of `ws`, which checks what RFC 6455 demands of a client. */
function rig(): Rig {
  const writes: Buffer[] = []
  const texts: string[] = []
  const receiver = new Receiver({ isServer: true })
  receiver.on('message', (data: Buffer, isBinary: boolean) => texts.push(isBinary ? 'binary' : data.toString()))
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(Buffer.from(chunk))
      receiver.write(chunk, done)
    }
  })
  const socket = { readyState: 1 }
  // Whatever a server's receiver rejects fails the test that wrote it.
  receiver.on('error', (error) => texts.push(String(error)))
  const endTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return { writer: new FrameWriter(stream, socket), stream, socket, writes, texts, endTick }
}

/** Where the header of the first frame ends and its key begins. */
const keyOf = (frame: Buffer): number => (((frame[1] ?? 0) & 0x7f) < 126 ? 2 : 4)

describe('FrameWriter', () => {
  it('writes frames that a receiver reads as the same texts, whatever is in them', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 140 }))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 60 }), async (given) => {
        const { writer, texts, endTick } = rig()
        expect(given.map((each) => writer.write(each))).toEqual(given.map((each) => Buffer.byteLength(each)))
        await endTick()
        expect(texts).toEqual(given.map((each) => Buffer.from(each).toString()))
      })
    )
  })

  it.each([0, 1, 41, 42, 43, 125, 126, 127, 682, 683, 2048])(
    'writes a text of %i characters, of one, two or three bytes each',
    async (length) => {
      const { writer, texts, endTick } = rig()
      const given = ['a', 'ü', '\u20ac'].map((character) => character.repeat(length))
      for (const each of given) writer.write(each)
      await endTick()
      expect(texts).toEqual(given)
    }
  )

  it('takes the shortest form of the length (RFC 6455 section 5.2)', async () => {
    const { writer, writes, endTick } = rig()
    for (const text of ['a'.repeat(125), 'a'.repeat(126), 'ü'.repeat(62), 'ü'.repeat(63)]) {
      writer.write(text)
      await endTick()
    }
    expect(writes.map(keyOf)).toEqual([2, 4, 2, 4])
  })

  it('draws another mask for every frame', async () => {
    const { writer, writes, endTick } = rig()
    for (let frame = 0; frame < 5000; frame++) {
      writer.write('a')
      await (frame % 100 === 99 ? endTick() : undefined)
    }
    await endTick()
    const bytes = Buffer.concat(writes)
    const keys = Array.from({ length: 5000 }, (_, frame) => bytes.readUInt32BE(frame * 7 + 2))
    // Five thousand random numbers of 32 bits hold about three that are alike.
    expect(new Set(keys).size).toBeGreaterThan(4980)
  })

  it('writes the frames of one tick at once', async () => {
    const { writer, writes, texts, endTick } = rig()
    writer.write('a')
    writer.write('b')
    await Promise.resolve()
    writer.write('c')
    expect([writes.length, writer.waiting]).toEqual([0, 21])
    await endTick()
    expect([writes.length, writer.waiting, texts]).toEqual([1, 0, ['a', 'b', 'c']])
  })

  it('writes what a callback writes together with what its promises set off', async () => {
    const { writer, writes, texts, endTick } = rig()
    const settled = Promise.resolve()
    setImmediate(() => {
      void settled.then(() => settled).then(() => writer.write('request'))
      writer.write('acknowledgement')
    })
    await endTick()
    await endTick()
    expect([writes.length, texts]).toEqual([1, ['acknowledgement', 'request']])
  })

  it('does not wait for the end of the tick with more than 4 KiB', async () => {
    const { writer, writes, texts, endTick } = rig()
    for (let text = 0; text < 60; text++) writer.write('a'.repeat(100))
    expect(writes.map(({ length }) => length)).toEqual([4134])
    await endTick()
    expect(texts).toHaveLength(60)
  })

  it('goes on in another block when one is full', async () => {
    const { writer, texts, endTick } = rig()
    const given = Array.from({ length: 400 }, (_, index) => `${String(index)} ${'x'.repeat(1000)}`)
    for (const each of given) writer.write(each)
    await endTick()
    expect(texts).toEqual(given)
  })

  it('hands over at once when asked to, and nothing twice', async () => {
    const { writer, writes, texts, endTick } = rig()
    writer.write('a')
    writer.flush()
    writer.flush()
    expect(writes).toHaveLength(1)
    await endTick()
    expect([writes.length, texts]).toEqual([1, ['a']])
  })

  it('leaves texts of more than 2,048 characters to ws', () => {
    const { writer } = rig()
    expect([writer.write('a'.repeat(2049)), writer.waiting]).toEqual([undefined, 0])
  })

  it('writes nothing once the socket is closing: nothing may follow a close frame (RFC 6455 section 5.5.1)', async () => {
    const { writer, socket, writes, endTick } = rig()
    writer.write('a')
    socket.readyState = 2
    await endTick()
    expect([writes, writer.waiting]).toEqual([[], 0])
  })

  it('writes nothing into a stream that has ended', async () => {
    const { writer, stream, writes, endTick } = rig()
    writer.write('a')
    stream.end()
    await endTick()
    expect([writes, writer.waiting]).toEqual([[], 0])
  })
})
