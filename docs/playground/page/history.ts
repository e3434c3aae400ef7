// What happened to a client, as the timeline shows it. Pure: times come in, in ms.

import type { StateChange, StateName } from 'mcp-websocket-client'
import { seconds } from './words.js'

/** A time that the client spent in one state. */
export interface Segment {
  readonly state: StateName
  readonly from: number
  /** `undefined`: it lasts. */
  to?: number
  /** When a delay is to end. */
  readonly planned?: number
  /** What to write on it, the longest first: what fits is taken. */
  readonly texts: readonly string[]
}

/** Something that happened at a point in time. */
export interface Mark {
  readonly at: number
  readonly kind: 'lost' | 'back'
  readonly label: string
}

/** A call, from its start to its end. */
export interface Bar {
  readonly from: number
  readonly lane: number
  /** `undefined`: it is pending. */
  to?: number
  outcome: 'pending' | 'done' | 'failed' | 'lost'
  label: string
}

/** How many calls can be shown below each other; further ones share the last lane. */
export const LANES = 3

/** What happened to one client. */
export class History {
  segments: Segment[]
  marks: Mark[] = []
  bars: Bar[] = []

  constructor(now: number) {
    this.segments = [{ state: 'idle', from: now, texts: ['idle'] }]
  }

  /** Notes a change of the state. */
  change(change: StateChange, now: number): void {
    const last = this.segments.at(-1)
    if (last) last.to = now
    if (change.from === 'ready' && change.to === 'waiting') this.marks.push({ at: now, kind: 'lost', label: 'connection lost' })
    const delay = change.to === 'waiting' ? change.delay : undefined
    const more =
      delay === undefined ? { texts: [change.to] } : { texts: [`waiting ${seconds(delay)}`, seconds(delay)], planned: now + delay }
    this.segments.push({ state: change.to, from: now, ...more })
  }

  /** Notes that an outage is over. */
  back(label: string, now: number): void {
    this.marks.push({ at: now, kind: 'back', label })
  }

  /** Notes the start of a call. */
  call(label: string, now: number): Bar {
    const taken = this.bars.filter(({ to }) => to === undefined).map(({ lane }) => lane)
    const free = [...Array(LANES).keys()].find((lane) => !taken.includes(lane)) ?? LANES - 1
    const bar: Bar = { from: now, lane: free, outcome: 'pending', label }
    this.bars.push(bar)
    return bar
  }

  /** Forgets what ended before this time. */
  forget(before: number): void {
    const lives = ({ to = Infinity }: { to?: number }): boolean => to > before
    this.segments = this.segments.filter(lives)
    this.bars = this.bars.filter(lives)
    this.marks = this.marks.filter(({ at }) => at > before)
  }
}
