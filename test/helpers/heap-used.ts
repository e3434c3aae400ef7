import { pause } from './pause.js'
/** Bytes in use, when all garbage is gone. */
export async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 6; turn++) {
    await pause(10)
    ;(globalThis as { gc?: () => void }).gc?.()
  }
  return process.memoryUsage().heapUsed
}
