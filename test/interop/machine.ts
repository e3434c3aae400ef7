import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HERE = fileURLToPath(new URL('.', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/mcp-websocket-client/interop/', import.meta.url))

/** A language that some peers are written in: its programs, or why there are none. */
export type Toolchain = { readonly version: string; readonly folder: string } | { readonly missing: string }

/** What this machine can run besides Node. */
export interface Machine {
  /** `folder` holds the programs of `go/`. */
  readonly go: Toolchain
  /** `folder` is a virtual environment with what `python/` needs. */
  readonly python: Toolchain
}

/** Builds and installs everything, once: what is there already is used again. */
export async function prepareMachine(): Promise<Machine> {
  await mkdir(CACHE, { recursive: true })
  const [go, python] = await Promise.all([attempt('Go 1.23 or newer', prepareGo), attempt('Python 3.10 or newer with venv', preparePython)])
  return { go, python }
}

async function attempt(what: string, prepare: () => Promise<Toolchain>): Promise<Toolchain> {
  try {
    return await prepare()
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string }
    const isAbsent = code === 'ENOENT'
    return { missing: isAbsent ? `there is no ${what}` : `${what}: ${(stderr || message).trim().split('\n').slice(-3).join(' | ')}` }
  }
}

async function prepareGo(): Promise<Toolchain> {
  const folder = join(CACHE, 'go')
  const env = {
    ...process.env,
    // The Go that is here, and modules that an `rm -rf node_modules` can remove.
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-mod=readonly -modcacherw -buildvcs=false',
    GOMODCACHE: join(CACHE, 'go-modules')
  }
  const options = { cwd: join(HERE, 'go'), env }
  const { stdout } = await run('go', ['env', 'GOVERSION'], options)
  await mkdir(folder, { recursive: true })
  await run('go', ['build', '-o', folder, './...'], options)
  return { version: stdout.trim().replace(/^go/, 'Go '), folder }
}

async function preparePython(): Promise<Toolchain> {
  const python = process.env.PYTHON ?? 'python3'
  const requirements = join(HERE, 'python/requirements.txt')
  const { stdout } = await run(python, ['--version'])
  const version = stdout.trim()
  const key = createHash('sha256')
    .update(version)
    .update(await readFile(requirements))
  const folder = join(CACHE, `python-${key.digest('hex').slice(0, 12)}`)
  const complete = join(folder, 'complete')
  if (!existsSync(complete)) {
    await rm(folder, { recursive: true, force: true })
    await run(python, ['-m', 'venv', folder])
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
    await writeFile(complete, '')
  }
  return { version, folder }
}
