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
  /** Memory does not vary from round to round: once for each process is enough. */
  readonly oncePerProcess: boolean
  /** By the name of each value that the command returns. */
  readonly columns: Readonly<Record<string, Column>>
}

const cost = (key: string, title: string, decimals: number): Column => ({ key, title, decimals, isCost: true, hasRatio: true })
const speed = (key: string, title: string, decimals = 0): Column => ({ key, title, decimals, isCost: false, hasRatio: true })

const requests = (open: number): Figure => ({
  command: 'requests',
  argument: (count) => ({ count, open }),
  counts: [10_000, 8000],
  oncePerProcess: false,
  columns: {
    rate: speed(`rate${String(open)}`, `req/s, ${open.toLocaleString('en')} open`),
    cpu: cost(`cpu${String(open)}`, `CPU µs/req, ${open.toLocaleString('en')} open`, 1)
  }
})

const payload = (name: string, bytes: number, counts: readonly [number, number]): Figure => ({
  command: 'payload',
  argument: (count) => ({ count, bytes }),
  counts,
  oncePerProcess: false,
  columns: { rate: speed(`payload${name}`, `${name.replace('K', ' KiB').replace('M', ' MiB')} MB/s`) }
})

/** All that one peer does by itself, in the order of the table. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  rtt: {
    command: 'roundTrip',
    argument: (count) => count,
    counts: [2000, 1500],
    oncePerProcess: false,
    columns: { p50: cost('p50', 'RTT p50 µs', 0), p99: cost('p99', 'RTT p99 µs', 0) }
  },
  req64: requests(64),
  req1024: requests(1024),
  '1k': payload('1K', 2 ** 10, [1000, 500]),
  '64k': payload('64K', 2 ** 16, [100, 50]),
  '1m': payload('1M', 2 ** 20, [8, 4]),
  '16m': payload('16M', 2 ** 24, [1, 0]),
  notif: {
    command: 'notifications',
    argument: (count) => count,
    counts: [20_000, 20_000],
    oncePerProcess: false,
    columns: { rate: speed('notifications', 'notif/s'), cpu: cost('cpuNotification', 'CPU µs/notif', 2) }
  },
  pending: {
    command: 'pending',
    argument: (count) => count,
    counts: [9000, 9000],
    oncePerProcess: true,
    columns: { bytes: cost('pending', 'B/pending', 0) }
  },
  left: {
    command: 'left',
    argument: (count) => count,
    counts: [100_000, 20_000],
    oncePerProcess: true,
    columns: { bytes: { key: 'left', title: 'left KiB', decimals: 0, isCost: true, hasRatio: false } }
  }
}
