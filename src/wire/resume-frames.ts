import { isObject } from '../lib/is-object.js'

// The control frames of the subprotocol `mcp.v1.resume`: docs/binding.md, section 12. They travel between the frames of JSON-RPC, which
// they do not change.

/** How every control frame begins, byte for byte. So a control frame is recognised without parsing any frame. */
const START = '{"mcp.resume":'

/** Version of the control frames. */
const VERSION = 1

/** How much of what it sent one end keeps until the other end acknowledges it. */
export interface ReplayLimits {
  /** Most frames. */
  readonly messages: number
  /** Most UTF-16 code units of text; equal to bytes for ASCII. The frame that reaches the limit is still sent. */
  readonly bytes: number
}

/** Why a session could not be resumed. */
export type ResumeFailure =
  /** The client was away for longer than the server keeps a session. */
  | 'expired'
  /** The server does not know the session, or does not say. */
  | 'unknown'
  /** The server has lost its memory since. */
  | 'epoch'
  /** While the client was away there was more to keep than the limits allow. */
  | 'overflow'
  /** Another connection has the session. */
  | 'stale-generation'
  /** The session belongs to somebody else. */
  | 'principal'
  /** The two ends do not agree on what was sent. */
  | 'protocol'
  /** The machine that had the session is gone; what it had written is still delivered. */
  | 'owner-gone'

/** The client's first frame on every socket: asks for a session, or for the one that it had. */
export interface OpenFrame {
  /** Tells the kinds of control frames apart. */
  readonly 'mcp.resume': 'open'
  /** Version of the control frames. */
  readonly v: typeof VERSION
  /** The session to resume; `null`: a new one. */
  readonly session: string | null
  /** The epoch that came with it. */
  readonly epoch: string | null
  /** How many data frames the client has received in this session. */
  readonly received: number
  /** Higher with every dial of this client. */
  readonly generation: number
  /** What the client keeps of what it sends. */
  readonly limits: ReplayLimits
}

/** The server's first frame: says which session the socket has. */
export interface HelloFrame {
  /** Tells the kinds of control frames apart. */
  readonly 'mcp.resume': 'hello'
  /** Version of the control frames. */
  readonly v: typeof VERSION
  /** Whether it is the session that the client asked for. */
  readonly resumed: boolean
  /** Names the session. It is no credential, but nobody else needs it: it does not belong in logs. */
  readonly session: string
  /** Names the memory of the server. With another epoch, it has none of its earlier sessions. */
  readonly epoch: string
  /** How many data frames of the client the server has received in this session. */
  readonly received: number
  /** How long the server keeps the session for a client that is away, in ms. */
  readonly ttlMs: number
  /** What the server keeps of what it sends. */
  readonly limits: ReplayLimits
  /** Where the session is kept: in the memory of one process, or in a store that outlives it. */
  readonly durability: 'process' | 'store'
  /** Why the session that the client asked for is over. */
  readonly reason?: ResumeFailure | undefined
  /** How many data frames of the client the server had received in the session that is over; `null`: it does not know. */
  readonly delivered?: number | null | undefined
  /** How many data frames of the session that is over follow, before the new session begins. @default 0 */
  readonly tail?: number | undefined
}

/** Says how many data frames have been received: the other end may forget them. A ping asks for a pong. */
export interface ReceiptFrame {
  /** Tells the kinds of control frames apart. */
  readonly 'mcp.resume': 'ack' | 'ping' | 'pong'
  /** How many, since the session began. */
  readonly received: number
}

/** The server is about to close: the client finishes what is in flight and then dials anew. */
export interface GoawayFrame {
  /** Tells the kinds of control frames apart. */
  readonly 'mcp.resume': 'goaway'
  /** Least time until the client dials, in ms. */
  readonly retryAfterMs?: number | undefined
}

/** The session is over, and the other end may forget it: a close frame may get lost. */
export interface EndFrame {
  /** Tells the kinds of control frames apart. */
  readonly 'mcp.resume': 'end'
}

/** Any control frame. */
export type ControlFrame = OpenFrame | HelloFrame | ReceiptFrame | GoawayFrame | EndFrame

/** Whether a text is a control frame. To be asked only on a socket with the subprotocol `mcp.v1.resume`: no other has any. */
export const isControl = (text: string): boolean => text.startsWith(START)

/** The control frame as text. */
export const encodeControl = (frame: ControlFrame): string => JSON.stringify(frame)

/** The frame that says how many data frames have been received. */
export const receiptText = (kind: ReceiptFrame['mcp.resume'], received: number): string =>
  `${START}"${kind}","received":${String(received)}}`

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isName = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isLimits = (value: unknown): boolean =>
  isObject(value) && [value.messages, value.bytes].every((limit) => isCount(limit) && limit !== 0)
const isOptionalCount = (value: unknown): boolean => (value ?? undefined) === undefined || isCount(value)

type Check = (frame: Record<string, unknown>) => boolean

const hasReceived: Check = ({ received }) => isCount(received)
const isAny: Check = () => true

const isOpen: Check = ({ v, session, epoch, received, generation, limits }) =>
  v === VERSION &&
  (session === null ? epoch === null : isName(session) && isName(epoch)) &&
  isCount(received) &&
  isCount(generation) &&
  isLimits(limits)

const isHello: Check = ({ v, resumed, session, epoch, received, ttlMs, limits, delivered, tail }) =>
  v === VERSION &&
  typeof resumed === 'boolean' &&
  isName(session) &&
  isName(epoch) &&
  [received, ttlMs].every(isCount) &&
  isLimits(limits) &&
  [delivered, tail].every(isOptionalCount)

/** What both ends send. */
const COMMON = { ack: hasReceived, ping: hasReceived, pong: hasReceived, end: isAny }

/** Members that this version does not know are ignored, as a later one may have more. */
function read(text: string, checks: Readonly<Record<string, Check>>): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const kind = isObject(value) ? String(value['mcp.resume']) : ''
  return Object.hasOwn(checks, kind) && checks[kind]?.(value as Record<string, unknown>) ? value : undefined
}

const FROM_CLIENT = { ...COMMON, open: isOpen }
const FROM_SERVER = { ...COMMON, hello: isHello, goaway: ({ retryAfterMs }: Record<string, unknown>) => isOptionalCount(retryAfterMs) }

/** Reads a control frame of a client. @returns `undefined` for a text that begins like one but is not valid. */
export const readClientControl = (text: string): OpenFrame | ReceiptFrame | EndFrame | undefined =>
  read(text, FROM_CLIENT) as OpenFrame | ReceiptFrame | EndFrame | undefined

/** Reads a control frame of a server. @returns `undefined` for a text that begins like one but is not valid. */
export const readServerControl = (text: string): HelloFrame | ReceiptFrame | GoawayFrame | EndFrame | undefined =>
  read(text, FROM_SERVER) as HelloFrame | ReceiptFrame | GoawayFrame | EndFrame | undefined

/** The client's first frame. */
export const openFrame = (members: Omit<OpenFrame, 'mcp.resume' | 'v'>): OpenFrame => ({ 'mcp.resume': 'open', v: VERSION, ...members })

/** The server's first frame. */
export const helloFrame = (members: Omit<HelloFrame, 'mcp.resume' | 'v'>): HelloFrame => ({ 'mcp.resume': 'hello', v: VERSION, ...members })
