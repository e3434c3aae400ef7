/** A column of the table. */
export interface Column {
  /** Names the column in the JSON. */
  readonly key: string
  readonly title: string
  readonly decimals: number
  /** Whether less is better. */
  readonly isCost: boolean
  /** Whether it is compared with the floor. */
  readonly hasRatio: boolean
}

/** What `--figures` picks. */
export interface Figure {
  /** The command of `client.ts` that measures it. */
  readonly command: string
  /** Its argument, from the number of requests (notifications, rounds of a payload). */
  readonly argument: (count: number) => unknown
  /** That number, in a full run and in a quick one. */
  readonly counts: readonly [full: number, quick: number]
  /** In which rounds: in all (1), in every n-th, or in the first only (`Infinity`), as memory does not vary. */
  readonly every: number
  /** By the name of each value that the command returns. */
  readonly columns: Readonly<Record<string, Column>>
}

const cost = (key: string, title: string, decimals: number): Column => ({ key, title, decimals, isCost: true, hasRatio: true })
const speed = (key: string, title: string, decimals = 0): Column => ({ key, title, decimals, isCost: false, hasRatio: true })

const requests = (open: number, counts: Figure['counts']): Figure => ({
  command: 'requests',
  argument: (count) => ({ count, open }),
  counts,
  every: 1,
  columns: {
    rate: speed(`rate${String(open)}`, `req/s, ${open.toLocaleString('en')} open`),
    cpu: cost(`cpu${String(open)}`, `CPU µs/req, ${open.toLocaleString('en')} open`, 1)
  }
})

const payload = (name: string, bytes: number, open: number, counts: Figure['counts'], every = 1): Figure => ({
  command: 'payload',
  argument: (count) => ({ count, bytes, open }),
  counts,
  every,
  columns: { rate: speed(`payload${name}`, `${name.replace('K', ' KiB').replace('M', ' MiB')} MB/s`, 1) }
})

/** All that one peer does by itself, in the order of the table. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  rtt: {
    command: 'roundTrip',
    argument: (count) => count,
    counts: [1000, 500],
    every: 1,
    columns: { p50: cost('p50', 'RTT p50 µs', 0), p99: cost('p99', 'RTT p99 µs', 0) }
  },
  req64: requests(64, [4000, 3000]),
  req1024: requests(1024, [8000, 5000]),
  '1k': payload('1K', 2 ** 10, 64, [1500, 800]),
  '64k': payload('64K', 2 ** 16, 8, [64, 32]),
  '1m': payload('1M', 2 ** 20, 2, [6, 4]),
  '16m': payload('16M', 2 ** 24, 1, [1, 0], 4),
  notif: {
    command: 'notifications',
    argument: (count) => count,
    counts: [10_000, 6000],
    every: 1,
    columns: { rate: speed('notifications', 'notif/s'), cpu: cost('cpuNotification', 'CPU µs/notif', 2) }
  },
  pending: {
    command: 'pending',
    argument: (count) => count,
    counts: [9000, 5000],
    every: Infinity,
    columns: { bytes: cost('pending', 'B/pending', 0) }
  },
  left: {
    command: 'left',
    argument: (count) => count,
    counts: [100_000, 0],
    every: Infinity,
    columns: { kibibytes: { key: 'left', title: 'left KiB', decimals: 0, isCost: true, hasRatio: false } }
  }
}
