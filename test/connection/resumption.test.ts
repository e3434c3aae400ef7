import { describe, expect, it } from 'vitest'
import { UNRELATED, Resumption, type Attachment, type ResumptionHost } from '../../src/connection/resumption.js'
import type { Closure } from '../../src/errors.js'
import { SharedTimer } from '../../src/lib/shared-timer.js'
import type { SocketClosure } from '../../src/socket/web-socket.js'
import { encodeControl, helloFrame, type HelloFrame } from '../../src/wire/resume-frames.js'
import { FakeClock } from '../helpers/fake-clock.js'

const MESSAGES = 4
const TTL = 1000
const SESSION = { session: 's1', epoch: 'e1' } as const
const BROKEN: Closure = { kind: 'close', code: 1006, wasClean: false, everReady: true }
const FRAME = '{"jsonrpc":"2.0","method":"x"}'

/** A resumption, what it wrote, and what it told its owner. */
interface Rig {
  readonly resumption: Resumption
  readonly clock: FakeClock
  /** Control frames as objects, data frames as texts. */
  readonly written: unknown[]
  readonly told: unknown[]
  readonly attachments: Attachment[]
  readonly drops: SocketClosure[]
  readonly hello: (changes?: Partial<HelloFrame>) => void
  readonly control: (frame: object) => void
}

function make(): Rig {
  const clock = new FakeClock()
  const [written, told, attachments, drops]: [unknown[], unknown[], Attachment[], SocketClosure[]] = [[], [], [], []]
  const host: ResumptionHost = {
    timer: new SharedTimer(clock),
    write: (text) => written.push(text.startsWith('{"mcp.resume"') ? JSON.parse(text) : text),
    drop: (closure) => drops.push(closure),
    onMisunderstood: (reason) => told.push(`misunderstood: ${reason}`),
    onDrain: () => told.push('drain')
  }
  const resumption = new Resumption(host, {
    onAttached: (attachment) => attachments.push(attachment),
    onOver: () => told.push('over'),
    onPong: () => told.push('pong'),
    onDeparture: (departure) => told.push(departure)
  })
  const control = (frame: object): void => void resumption.receive(encodeControl(frame as HelloFrame))
  const hello = (changes: Partial<HelloFrame> = {}): void =>
    control(
      helloFrame({
        resumed: false,
        ...SESSION,
        received: 0,
        ttlMs: TTL,
        limits: { messages: MESSAGES, bytes: 1000 },
        durability: 'process',
        ...changes
      })
    )
  return { resumption, clock, written, told, attachments, drops, hello, control }
}

/** One that has its first session. */
function attached(messages: number = MESSAGES): Rig {
  const rig = make()
  rig.resumption.open()
  rig.hello({ limits: { messages, bytes: 1000 } })
  rig.resumption.confirm()
  rig.written.length = rig.attachments.length = 0
  return rig
}

/** One whose socket broke, with so many frames that the server has not acknowledged. */
function detached(sent = 0): Rig {
  const rig = attached()
  for (let n = 1; n <= sent; n++) rig.resumption.record(`frame ${String(n)}`)
  rig.resumption.detach(BROKEN)
  return rig
}

const ack = (received: number): object => ({ 'mcp.resume': 'ack', received })

describe('without a session', () => {
  it('everything is written, everything that comes in is a message, and nothing is kept', () => {
    const { resumption, written, clock } = make()
    expect(resumption.record(FRAME)).toBe(true)
    expect(resumption.receive(encodeControl({ 'mcp.resume': 'end' }))).toBe(true)
    expect(resumption.ping()).toBe(false)
    expect([resumption.isFull, resumption.isOpening, resumption.isDetached, resumption.isConfirmed]).toEqual([false, false, false, false])
    expect([resumption.sent, written, clock.pendingCount]).toEqual([0, [], 0])
  })

  it('the end of the socket, and of the life, leave nothing behind', () => {
    const { resumption, written, clock } = make()
    resumption.detach(BROKEN)
    resumption.end()
    expect([resumption.isDetached, written, clock.pendingCount]).toEqual([false, [], 0])
  })
})

describe('a socket that opens', () => {
  it('asks for a new session first, and has it with hello', () => {
    const { resumption, written, hello, attachments } = make()
    resumption.open()
    expect(written).toMatchObject([{ 'mcp.resume': 'open', session: null, epoch: null, received: 0, generation: 1 }])
    expect([resumption.isOpening, resumption.isDetached]).toEqual([true, false])
    expect(attachments).toEqual([])
    hello()
    expect(attachments).toEqual([UNRELATED])
    expect(resumption.isOpening).toBe(false)
  })

  it('takes nothing, and keeps nothing, before the first hello', () => {
    const { resumption, hello } = make()
    resumption.open()
    expect(resumption.record(FRAME)).toBe(false)
    hello()
    expect(resumption.sent).toBe(0)
    expect(resumption.record(FRAME)).toBe(true)
    expect(resumption.sent).toBe(1)
  })

  it.each([
    ['a message', FRAME, 'a message before hello'],
    ['another control frame', encodeControl({ 'mcp.resume': 'end' }), 'no hello'],
    ['an invalid one', '{"mcp.resume":"hello"}', 'no hello']
  ])('is misunderstood if %s comes first', (_what, text, reason) => {
    const { resumption, told } = make()
    resumption.open()
    expect(resumption.receive(text)).toBe(false)
    expect(told).toEqual([`misunderstood: ${reason}`])
  })

  it('is misunderstood if hello takes longer than 5 s, and not after it', async () => {
    const late = make()
    late.resumption.open()
    await late.clock.advance(4999)
    expect(late.told).toEqual([])
    await late.clock.advance(1)
    expect(late.told).toEqual(['misunderstood: no hello'])
    const inTime = attached()
    await inTime.clock.advance(60_000)
    expect(inTime.told).toEqual([])
  })

  it('gets no session back whose handshake broke off', () => {
    const { resumption, written, hello } = make()
    resumption.open()
    hello()
    resumption.detach(BROKEN)
    expect(resumption.isDetached).toBe(false)
    resumption.open()
    expect(written.at(-1)).toMatchObject({ session: null, epoch: null, generation: 2 })
  })

  it('is confirmed only once it has its session', () => {
    const { resumption } = make()
    resumption.open()
    resumption.confirm()
    expect(resumption.isConfirmed).toBe(false)
  })

  it('that claims a session which was never asked for is left', () => {
    const { resumption, hello, drops } = make()
    resumption.open()
    hello({ resumed: true })
    expect(drops).toHaveLength(1)
  })
})

describe('acknowledgements', () => {
  it('are written 1 s after the first frame that is owed one, however many follow', async () => {
    const { resumption, clock, written } = attached(100)
    expect(resumption.receive(FRAME)).toBe(true)
    await clock.advance(500)
    resumption.receive('')
    await clock.advance(499)
    expect(written).toEqual([])
    await clock.advance(1)
    expect(written).toEqual([ack(2)])
    await clock.advance(60_000)
    expect(written).toHaveLength(1)
  })

  it('are written at once after half of what the server keeps', () => {
    const { resumption, written } = attached()
    for (let n = 0; n < MESSAGES; n++) resumption.receive(FRAME)
    expect(written).toEqual([ack(2), ack(4)])
  })

  it('come with a ping and a pong', () => {
    const { resumption, control, written, told } = attached()
    resumption.receive(FRAME)
    expect(resumption.ping()).toBe(true)
    control({ 'mcp.resume': 'ping', received: 0 })
    expect(written).toEqual([
      { 'mcp.resume': 'ping', received: 1 },
      { 'mcp.resume': 'pong', received: 1 }
    ])
    expect(told).toEqual([])
    control({ 'mcp.resume': 'pong', received: 0 })
    expect(told).toEqual(['pong'])
    control(ack(0))
    expect(told).toEqual(['pong'])
  })

  it('of the server make room in a full buffer', () => {
    const { resumption, control, told } = attached()
    for (let n = 0; n < MESSAGES - 1; n++) resumption.record(FRAME)
    control(ack(1))
    expect([resumption.isFull, told]).toEqual([false, []])
    for (let n = 0; n < 2; n++) resumption.record(FRAME)
    expect(resumption.isFull).toBe(true)
    control(ack(1))
    expect(told).toEqual([])
    control(ack(2))
    expect([resumption.isFull, told]).toEqual([false, ['drain']])
  })

  it.each([
    [ack(2), 'an acknowledgement of what was not sent'],
    [{ 'mcp.resume': 'nonsense' }, 'an invalid control frame'],
    [
      helloFrame({ resumed: false, ...SESSION, received: 0, ttlMs: 1, limits: { messages: 1, bytes: 1 }, durability: 'process' }),
      'an invalid control frame'
    ]
  ])('and other frames that cannot be end the session and its socket: %j', (frame, what) => {
    const { resumption, control, drops, written } = attached()
    resumption.record(FRAME)
    control(frame)
    expect(drops).toEqual([{ kind: 'close', code: 1006, reason: `the server sent ${what}`, wasClean: false }])
    expect(written).toEqual([{ 'mcp.resume': 'end' }])
    resumption.detach(BROKEN)
    expect(resumption.isDetached).toBe(false)
  })
})

describe('a socket that breaks', () => {
  it('leaves a session, which the next one asks for', () => {
    const rig = attached()
    rig.resumption.receive(FRAME)
    rig.resumption.detach(BROKEN)
    expect([rig.resumption.isDetached, rig.resumption.isOpening]).toEqual([true, false])
    rig.resumption.open()
    expect(rig.written).toMatchObject([{ 'mcp.resume': 'open', ...SESSION, received: 1, generation: 2 }])
    expect([rig.resumption.isDetached, rig.resumption.isOpening]).toEqual([true, true])
    rig.hello({ resumed: true })
    expect(rig.attachments).toEqual([{ resumed: true, replayed: 0 }])
    expect([rig.resumption.isDetached, rig.resumption.isOpening]).toEqual([false, false])
  })

  it('has no say any more: no ping, no acknowledgement, no full buffer', async () => {
    const rig = attached()
    rig.resumption.receive(FRAME)
    for (let n = 0; n < MESSAGES; n++) rig.resumption.record(FRAME)
    rig.resumption.detach(BROKEN)
    expect([rig.resumption.ping(), rig.resumption.isFull]).toEqual([false, false])
    await rig.clock.advance(1000)
    expect(rig.written).toEqual([])
  })

  it('has what was sent and is not acknowledged sent again, then what was kept meanwhile', () => {
    const rig = detached(3)
    expect(rig.resumption.record('frame 4')).toBe(false)
    rig.resumption.open()
    expect(rig.resumption.record('frame 5')).toBe(false)
    rig.hello({ resumed: true, received: 2 })
    expect(rig.written.slice(1)).toEqual(['frame 3', 'frame 4', 'frame 5'])
    expect(rig.attachments).toEqual([{ resumed: true, replayed: 3 }])
    expect(rig.resumption.sent).toBe(5)
  })

  it.each([1000, 1002, 1003, 1007, 1008, 1009])('with %i ends the session', (code) => {
    const { resumption } = attached()
    resumption.detach({ ...BROKEN, code })
    expect(resumption.isDetached).toBe(false)
  })

  it.each([[{ ...BROKEN, code: 1001 }], [{ kind: 'heartbeat', wasClean: false, everReady: true } as const], [undefined]])(
    'with %j does not',
    (closure) => {
      const { resumption } = attached()
      resumption.detach(closure)
      expect(resumption.isDetached).toBe(true)
    }
  )

  it('after the server has said that the session is over leaves none', () => {
    const { resumption, control } = attached()
    control({ 'mcp.resume': 'end' })
    resumption.detach(BROKEN)
    expect(resumption.isDetached).toBe(false)
  })

  it.each([
    ['name', { session: 's2' }],
    ['epoch', { epoch: 'e2' }],
    ['count', { received: 1 }]
  ])('gets no session back whose %s does not fit', (_what, changes) => {
    const rig = detached()
    rig.resumption.open()
    rig.hello({ resumed: true, ...changes })
    expect(rig.drops).toMatchObject([{ code: 1006, reason: 'the server sent a hello that does not fit' }])
    expect([rig.written.at(-1), rig.attachments]).toEqual([{ 'mcp.resume': 'end' }, []])
  })
})

describe('a client without a socket', () => {
  it('keeps the session for twice the time for which the server does, however often it dials', async () => {
    const { resumption, clock, told } = detached()
    await clock.advance(TTL)
    resumption.open()
    resumption.detach(BROKEN)
    await clock.advance(TTL - 1)
    expect([told, resumption.isDetached]).toEqual([[], true])
    await clock.advance(1)
    expect([told, resumption.isDetached]).toEqual([['over'], false])
  })

  it('lets the server decide that is being asked when the time is over', async () => {
    const { resumption, clock, told, hello } = detached()
    await clock.advance(2 * TTL - 1)
    resumption.open()
    await clock.advance(1000)
    hello({ resumed: true })
    await clock.advance(60_000)
    expect(told).toEqual([])
  })

  it('is not full of what was sent before: a cancellation goes into the buffer', () => {
    const { resumption, told } = detached(MESSAGES)
    resumption.record('{"cancelled":0}')
    expect([told, resumption.isDetached]).toEqual([[], true])
  })

  it('ends with its socket when the server reads, but acknowledges none of four times the bytes that its limits allow', () => {
    const { resumption, written, drops } = attached()
    for (let sent = 0; sent < 4; sent++) expect(resumption.record('x'.repeat(1000))).toBe(true)
    expect(drops).toEqual([])
    expect(resumption.record(FRAME)).toBe(false)
    expect(written).toEqual([{ 'mcp.resume': 'end' }])
    expect(drops).toMatchObject([{ reason: 'the server acknowledged nothing of what was sent' }])
    expect(resumption.isConfirmed).toBe(false)
  })

  it('goes on after a burst of small messages: no server can acknowledge them before its end', () => {
    const { resumption, drops } = attached()
    for (let sent = 0; sent < 30; sent++) expect(resumption.record('{}')).toBe(true)
    expect(drops).toEqual([])
  })

  it('ends the session when four times as much waits as its limits allow', () => {
    const { resumption, told } = detached()
    for (let sent = 0; sent < 4 * MESSAGES; sent++) resumption.record(FRAME)
    expect(told).toEqual([])
    resumption.record(FRAME)
    expect(told).toEqual(['over'])
  })
})

describe('a session that is over', () => {
  it('is followed by a new one, once what is left of it was delivered', () => {
    const rig = detached(1)
    rig.resumption.open()
    rig.hello({ session: 's2', reason: 'owner-gone', delivered: 1, tail: 2 })
    expect(rig.resumption.isOpening).toBe(true)
    rig.control(ack(7))
    for (const left of [1, 0]) {
      expect(rig.resumption.receive(FRAME)).toBe(true)
      expect(rig.attachments).toEqual([])
      rig.resumption.delivered()
      expect(rig.resumption.isOpening).toBe(left > 0)
    }
    expect(rig.attachments).toEqual([{ resumed: false, delivered: 1 }])
    expect([rig.written.slice(1), rig.drops, rig.resumption.sent]).toEqual([[], [], 0])
    rig.resumption.receive(FRAME)
    rig.resumption.ping()
    expect(rig.written.at(-1)).toEqual({ 'mcp.resume': 'ping', received: 1 })
  })

  it('is followed by a new one at once if nothing is left, of which a message ends no second time', () => {
    const rig = detached()
    rig.resumption.open()
    rig.hello({ session: 's2', reason: 'expired' })
    expect(rig.attachments).toEqual([{ resumed: false, delivered: null }])
    rig.resumption.receive(FRAME)
    rig.resumption.delivered()
    expect(rig.attachments).toHaveLength(1)
    rig.resumption.confirm()
    rig.resumption.detach(BROKEN)
    rig.resumption.open()
    expect(rig.written.at(-1)).toMatchObject({ session: 's2', received: 1 })
  })

  it('because its client closes is told to the server, if there is a socket', () => {
    const open = attached()
    open.resumption.end()
    expect(open.written).toEqual([{ 'mcp.resume': 'end' }])
    const away = detached()
    away.resumption.end()
    expect([away.written, away.resumption.isDetached, away.clock.pendingCount]).toEqual([[], false, 0])
  })

  it('because the server is closing waits for the time that goaway names', () => {
    const { control, told } = attached()
    control({ 'mcp.resume': 'goaway', retryAfterMs: 700 })
    control({ 'mcp.resume': 'goaway' })
    expect(told).toMatchObject([{ delay: 700 }, { delay: 0 }])
  })
})

describe('a frame that may end sockets', () => {
  /** Breaks so many sockets, each of which has the session. */
  function lose(rig: Rig, times: number, closure: Closure | undefined = BROKEN, received = 0): void {
    for (let time = 0; time < times; time++) {
      rig.resumption.open()
      rig.hello({ resumed: true, received })
      rig.resumption.detach(closure)
    }
  }

  /** The next socket asks for the session. @returns Whether the client takes it. */
  function takes(rig: Rig, received = 0): boolean {
    rig.resumption.open()
    rig.hello({ resumed: true, received })
    return rig.drops.length === 0
  }

  it('ends the session when four sockets have ended while the server missed it', () => {
    const rig = detached(2)
    lose(rig, 2)
    expect(takes(rig)).toBe(true)
    rig.resumption.detach(BROKEN)
    expect(takes(rig)).toBe(false)
    expect(rig.drops).toMatchObject([{ reason: expect.stringMatching(/^the same message was lost/) as string }])
    expect(rig.written.at(-1)).toEqual({ 'mcp.resume': 'end' })
  })

  it('did not, if the server had received it', () => {
    const rig = detached(2)
    lose(rig, 3)
    expect(takes(rig, 1)).toBe(true)
  })

  it('is counted anew with the next one', () => {
    const rig = detached(2)
    lose(rig, 2)
    lose(rig, 2, BROKEN, 1)
    expect(takes(rig, 1)).toBe(true)
  })

  it('is none, if nothing was sent that the server lacks', () => {
    const rig = detached(1)
    lose(rig, 6, BROKEN, 1)
    expect(takes(rig, 1)).toBe(true)
  })

  it('does not end what silence, a replacement, or a socket without the session ended', () => {
    const rig = detached(1)
    lose(rig, 4, { kind: 'heartbeat', wasClean: false, everReady: true })
    rig.resumption.open()
    rig.hello({ resumed: true })
    for (let time = 0; time < 5; time++) {
      rig.resumption.detach(undefined)
      rig.resumption.open()
      rig.resumption.detach(BROKEN)
      rig.resumption.detach(BROKEN)
      rig.resumption.open()
      rig.hello({ resumed: true })
    }
    expect(rig.drops).toEqual([])
  })

  it('of an earlier session says nothing about a new one', () => {
    const rig = detached(1)
    lose(rig, 3)
    rig.resumption.open()
    rig.hello({ session: 's2', epoch: 'e2', reason: 'expired' })
    rig.resumption.confirm()
    rig.resumption.record(FRAME)
    rig.resumption.detach(BROKEN)
    rig.resumption.open()
    rig.hello({ resumed: true, session: 's2', epoch: 'e2' })
    expect(rig.drops).toEqual([])
  })
})
