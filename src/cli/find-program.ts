import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Why a program cannot be started. Checked at the start, so that it is not the first client who finds out.
 * @param path - The variable `PATH`; without one, the system has a default.
 * @returns `undefined` if it can be started, or if that is not known: Windows has rules of its own (`PATHEXT`).
 */
export function problemOfProgram(program: string, path: string | undefined, platform: NodeJS.Platform): string | undefined {
  if (platform === 'win32') return undefined
  if (program.includes('/')) return isProgram(program) ? undefined : `There is no program ${program}`
  if (path === undefined) return undefined
  // An empty entry is the current folder (POSIX, "Environment Variables").
  const isFound = path.split(delimiter).some((folder) => isProgram(join(folder || '.', program)))
  return isFound ? undefined : `There is no program ${program} in the folders of PATH`
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
