import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { logTo } from '../../src/cli/log.js'

test('what nobody reads on standard error does not fill the memory, and whoever reads later is told how much is missing', () => {
  let read = ''
  let go = (): void => undefined
  const stderr = new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => {
      read += String(chunk)
      go = done
    }
  })
  const log = logTo(stderr)
  for (let count = 0; count < 5000; count++) log('x'.repeat(1000))
  expect(stderr.writableLength).toBeLessThan(1.1 * 2 ** 20)
  while (stderr.writableLength > 0) go()
  const lines = read.split('\n').length - 1
  read = ''
  log('the last')
  while (stderr.writableLength > 0) go()
  expect(read).toBe(`(left out here, as nobody read it: ${String(5000 - lines)} messages)\nthe last\n`)
})
