import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../src/socket/frame-reader.js'
import { closeFrame, frame, OPCODE } from '../faults/kit/wire.js'
import { turn } from '../helpers/turn.js'
import { Receiver } from '../helpers/ws-receiver.js'

const MOST = 100_000

interface Rig {
  readonly stream: Duplex
  readonly socket: { readyState: number }
  /** Texts as they are, all else as `ws` names it. */
  readonly heard: string[]
  /** What `ws` was given. */
  readonly left: Buffer[]
  readonly feed: (chunks: Iterable<Buffer>) => Promise<void>
}

/** The stream below a `ws`, which listens to it and gives up as the real one does. */
function rig(): Rig {
  const heard: string[] = []
  const left: Buffer[] = []
  const socket = { readyState: 1 }
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const receiver = new Receiver({ isServer: false, maxPayload: MOST })
  const onData = (chunk: Buffer): void => {
    left.push(chunk)
    receiver.write(chunk)
  }
  const end = (): void => {
    socket.readyState = 2
    stream.off('data', onData)
  }
  receiver.on('message', (data: Buffer, isBinary: boolean) => heard.push(isBinary ? `binary ${data.toString('hex')}` : data.toString()))
  for (const event of ['ping', 'pong']) receiver.on(event, (data: Buffer) => heard.push(`${event} ${data.toString('hex')}`))
  receiver.on('conclude', (code: number) => {
    heard.push(`close ${String(code)}`)
    end()
  })
  receiver.on('error', ({ code }: { code?: string }) => {
    heard.push(code ?? '')
    end()
  })
  stream.on('data', onData)
  const feed = async (chunks: Iterable<Buffer>): Promise<void> => {
    for (const chunk of chunks) {
      stream.emit('data', chunk)
      await turn()
    }
  }
  return { stream, socket, heard, left, feed }
}

const read = ({ stream, socket, heard }: Rig, maxMessageBytes = MOST): FrameReader =>
  new FrameReader(stream, socket, maxMessageBytes, (text, bytes) => {
    expect(bytes).toBe(Buffer.byteLength(text))
    heard.push(text)
  })

const text = (payload: Buffer | string): Buffer => frame(OPCODE.text, payload)
const part = (opcode: number, payload: string): Buffer => frame(opcode, payload, { fin: false })
const lastPart = (payload: string): Buffer => frame(OPCODE.continuation, payload)

/** Cuts the bytes into pieces of these lengths, over and over. */
function* cut(bytes: Buffer, lengths: readonly number[]): Iterable<Buffer> {
  let at = 0
  for (let piece = 0; at < bytes.length; piece++) {
    const end = at + (lengths[piece % lengths.length] ?? 1)
    yield bytes.subarray(at, end)
    at = end
  }
}

const smallText = fc.string({ unit: 'binary', maxLength: 200 }).map((payload) => text(payload))
const wholeFrame = fc.oneof(
  { weight: 6, arbitrary: smallText },
  fc.constantFrom(16_379, 16_380, 16_381, 70_000, MOST).map((length) => text('a'.repeat(length))),
  fc.constant(text('what is \ufffd?')),
  fc.uint8Array({ maxLength: 300 }).map((payload) => frame(OPCODE.binary, Buffer.from(payload))),
  fc
    .tuple(fc.constantFrom(OPCODE.ping, OPCODE.pong), fc.uint8Array({ maxLength: 125 }))
    .map(([opcode, payload]) => frame(opcode, Buffer.from(payload))),
  // More bytes for the length than it takes, which no server should send, and `ws` reads.
  fc.constantFrom([126, 0, 1], [127, 0, 0, 0, 0, 0, 0, 0, 1]).map((length) => Buffer.from([0x81, ...length, 0x61])),
  fc.constant(
    Buffer.concat([part(OPCODE.text, 'one '), frame(OPCODE.ping, ''), part(OPCODE.continuation, 'message '), lastPart('in parts')])
  )
)
const lastFrame = fc.oneof(
  fc.constant(closeFrame(1000)),
  fc.constant(text(Buffer.from([0x7b, 0xff, 0x7d]))),
  fc.constant(text(Buffer.alloc(20_000, 0xff))),
  fc.constant(text('a'.repeat(MOST + 1))),
  fc.constant(frame(OPCODE.ping, 'a'.repeat(126))),
  fc.constant(Buffer.concat([part(OPCODE.text, 'one '), text('another')])),
  fc.constantFrom('a', '').map((payload) => frame(OPCODE.text, payload, { mask: true })),
  fc.constantFrom(frame(OPCODE.text, 'x', { rsv: 4 }), frame(3, 'x'), part(OPCODE.ping, 'x')),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes))
)

describe('FrameReader', () => {
  it('hears with ws what ws hears by itself, whatever comes and however it is cut', async () => {
    const traffic = fc.tuple(fc.array(wholeFrame, { maxLength: 12 }), fc.option(lastFrame), fc.array(smallText, { maxLength: 3 }))
    const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 70_000 })), {
      minLength: 1,
      maxLength: 5
    })
    await fc.assert(
      fc.asyncProperty(traffic, lengths, async ([frames, last, more], pieces) => {
        const bytes = Buffer.concat([...frames, ...(last ? [last] : []), ...more])
        // A megabyte byte by byte would take a minute.
        const chunks = [...cut(bytes, bytes.length > 5000 ? [...pieces, 4000] : pieces)]
        const [alone, both] = [rig(), rig()]
        read(both)
        await alone.feed(chunks)
        await both.feed(chunks)
        expect(both.heard).toEqual(alone.heard)
      }),
      { numRuns: 300 }
    )
  }, 60_000)

  it.each([
    { what: 'whole', pieces: [1_000_000] },
    { what: 'byte by byte', pieces: [1] },
    { what: 'in pieces of 130 bytes', pieces: [130] }
  ])('leaves no small text to ws that comes $what', async ({ pieces }) => {
    const both = rig()
    read(both)
    const texts = ['', 'a', 'ü'.repeat(62), 'a'.repeat(125), 'a'.repeat(126), 'ü\u20ac😀', 'a'.repeat(9000), 'b'.repeat(9000)]
    await both.feed(cut(Buffer.concat(texts.map((each) => text(each))), pieces))
    expect(both).toMatchObject({ heard: texts, left: [] })
  })

  it('leaves a long text to ws, and reads what comes behind it from the next chunk on', async () => {
    const both = rig()
    read(both)
    const long = text('a'.repeat(20_000))
    await both.feed([Buffer.concat([text('before'), long.subarray(0, 5000)]), Buffer.concat([long.subarray(5000), text('b')]), text('c')])
    expect(both.heard).toEqual(['before', 'a'.repeat(20_000), 'b', 'c'])
    expect(Buffer.concat(both.left)).toEqual(Buffer.concat([long, text('b')]))
  })

  it('does not take what stands in a long text for a frame', async () => {
    const both = rig()
    read(both)
    const payload = `${'a'.repeat(20_000)}\u00c1\u0001b`
    const long = text(payload)
    // The second byte of the last character but two is that with which a text frame begins.
    const middle = long.length - 3
    await both.feed([long.subarray(0, middle), long.subarray(middle)])
    expect(both.heard).toEqual([payload])
  })

  it.each([
    { what: 'of 16 KiB with its header', length: 16_380, most: MOST, left: 0 },
    { what: 'that is longer', length: 16_381, most: MOST, left: 1 },
    { what: 'that is longer than a message may be', length: 51, most: 50, left: 1 }
  ])('leaves $left of one text to ws $what', async ({ length, most, left }) => {
    const both = rig()
    read(both, most)
    await both.feed([text('a'.repeat(length))])
    expect([both.heard.map((each) => each.length), both.left.length]).toEqual([[length], left])
  })

  it.each([
    ['a binary message', frame(OPCODE.binary, 'x')],
    ['a ping', frame(OPCODE.ping, '')],
    ['a pong', frame(OPCODE.pong, '')],
    ['a text that may be wrong', text('\ufffd')]
  ])('leaves %s to ws, and reads the next chunk', async (_what, first) => {
    const both = rig()
    read(both)
    await both.feed([first, text('next')])
    expect(both.heard.at(-1)).toBe('next')
    expect(both.left).toEqual([first])
  })

  it('leaves everything to ws from the first part of a message on', async () => {
    const both = rig()
    read(both)
    await both.feed([part(OPCODE.text, 'part'), lastPart('s'), text('a')])
    expect(both).toMatchObject({ heard: ['parts', 'a'], left: [part(OPCODE.text, 'part'), lastPart('s'), text('a')] })
  })

  it('gives ws nothing behind a close frame: ws listens no more', async () => {
    const both = rig()
    read(both)
    await both.feed([frame(OPCODE.close, ''), text('a')])
    expect(both).toMatchObject({ heard: ['close 1005'], left: [frame(OPCODE.close, '')] })
  })

  it('hears nothing behind a text that was not UTF-8, also in the next chunk', async () => {
    const both = rig()
    read(both)
    await both.feed([Buffer.concat([text('a'), text(Buffer.from([0xff])), text('b')]), text('c')])
    expect(both.heard).toEqual(['a', 'WS_ERR_INVALID_UTF8'])
  })

  it('leaves everything to ws once it is retired, with the start of a frame that it held', async () => {
    const both = rig()
    const reader = read(both)
    const frames = Buffer.concat([text('a'), text('b')])
    await both.feed([frames.subarray(0, 4)])
    reader.retire()
    reader.retire()
    await both.feed([frames.subarray(4)])
    expect(both.heard).toEqual(['a', 'b'])
    expect(Buffer.concat(both.left)).toEqual(text('b'))
  })

  it('leaves the rest of a chunk to ws, part of a frame included, if it is retired by what stood before', async () => {
    const both = rig()
    const reader = new FrameReader(both.stream, both.socket, MOST, (each) => {
      both.heard.push(`read ${each}`)
      reader.retire()
    })
    const frames = Buffer.concat([text('a'), text('b'), text('c')])
    await both.feed([frames.subarray(0, 8), frames.subarray(8)])
    expect(both.heard).toEqual(['read a', 'b', 'c'])
  })

  it('gives ws nothing more when it is retired behind the end of the stream: ws would take that for an error', async () => {
    const both = rig()
    const reader = read(both)
    await both.feed([text('a').subarray(0, 2)])
    both.socket.readyState = 2
    reader.retire()
    expect(both.left).toEqual([])
  })

  it('leaves the stream alone if somebody else listens to it: it cannot know which listener is that of ws', async () => {
    const both = rig()
    const others: Buffer[] = []
    both.stream.on('data', (chunk: Buffer) => others.push(chunk))
    const reader = read(both)
    await both.feed([text('a')])
    reader.retire()
    await both.feed([text('b')])
    expect(both.heard).toEqual(['a', 'b'])
    expect([both.left, others]).toEqual([
      [text('a'), text('b')],
      [text('a'), text('b')]
    ])
  })
})
