// The other end of `useProgram`: what a child process needs to be driven by its test.

interface Command {
  readonly id: number
  readonly command: string
  readonly args: readonly unknown[]
}

/** Does what the test asks for, and answers; ends with the test. */
export function obey(commands: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ id, command, args }: Command) => {
    void (async () => {
      try {
        process.send?.({ id, value: plain(await commands[command]?.(...(args as never[]))) })
      } catch (error) {
        process.send?.({ id, error: { ...describe(error), ...(plain(error) as object) } })
      }
    })()
  })
}

/** Tells the test something that it did not ask for, with the time of this process's monotonic clock. */
export const tell = (event: string, payload: unknown): void =>
  void process.send?.({ event, payload: plain(payload), at: performance.now() })

/** Errors of the package say all as JSON; copied as errors they would lose what is more than name and message. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

const describe = (error: unknown): object =>
  error instanceof Error ? { name: error.name, message: error.message } : { message: String(error) }
