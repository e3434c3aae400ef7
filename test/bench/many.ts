/** Does something `count` times, of which `open` are under way at any time. */
export async function many(count: number, open: number, once: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await once(next++)
  }
  await Promise.all(Array.from({ length: open }, work))
}
