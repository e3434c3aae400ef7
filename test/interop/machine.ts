import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Not in `node_modules`, which every `npm ci` removes. */
const CACHE = fileURLToPath(new URL('../../.interop/', import.meta.url))

/** A language that some peers are written in: its programs, or why there are none. */
export type Toolchain = { readonly version: string; readonly folder: string } | { readonly missing: string }

const JAVA = 'Maven with a JDK of 17 or newer'
const PYTHON = 'Python 3.10 or newer with venv'

/** How each of them is made, and what it takes. */
const RECIPES = {
  /** The folder holds the programs of `go/`. */
  go: ['Go 1.25 or newer', prepareGo],
  /** The folder is a virtual environment for the programs of `python/` on SDK 1. */
  python: [PYTHON, () => preparePython('python', 'requirements.txt')],
  /** The same for those on SDK 2: the two exclude each other. */
  pythonSdk2: [PYTHON, () => preparePython('python-sdk2', 'requirements-sdk2.txt')],
  /** The folder holds the programs of `rust/`. */
  rust: ['Rust 1.90 or newer', prepareRust],
  /** The folder holds the classes of `kotlin/`, and beside them the libraries. */
  kotlin: [JAVA, () => prepareMaven('kotlin', 'compile')],
  /** The folder holds the application of `quarkus/`. */
  quarkus: [JAVA, () => prepareMaven('quarkus', 'package')],
  /** The folder holds the classes of `langchain4j/`, and beside them the libraries. */
  langchain4j: [JAVA, () => prepareMaven('langchain4j', 'compile')],
  /** The folder holds the official conformance runner, and a Node that is new enough for it. */
  conformance: ['npm', prepareConformance],
  /** The folder has the frameworks of `frameworks/`. */
  frameworks: ['npm', async () => ({ version: 'npm', folder: await prepareNpm('frameworks', 'frameworks') })],
  /** The folder has the programs of `stdio/`. */
  stdio: ['npm', async () => ({ version: 'npm', folder: await prepareNpm('stdio', 'stdio') })]
} as const satisfies Readonly<Record<string, readonly [string, () => Promise<Toolchain>]>>

/** What this machine can run besides Node. */
export type Machine = Readonly<Record<keyof typeof RECIPES, Toolchain>>

/** Builds and installs everything, once: what is there already is used again. Two at a time, as compilers take a core each. */
export async function prepareMachine(): Promise<Machine> {
  await mkdir(CACHE, { recursive: true })
  const machine: Partial<Record<keyof Machine, Toolchain>> = {}
  const recipes = Object.entries(RECIPES).values()
  const work = async (): Promise<void> => {
    for (const [name, [what, prepare]] of recipes) machine[name as keyof Machine] = await attempt(what, prepare)
  }
  await Promise.all([work(), work()])
  return machine as Machine
}

async function attempt(what: string, prepare: () => Promise<Toolchain>): Promise<Toolchain> {
  try {
    return await prepare()
  } catch (error) {
    const { code, stdout, stderr, message } = error as { code?: unknown; stdout?: string; stderr?: string; message: string }
    const isAbsent = code === 'ENOENT'
    return {
      missing: isAbsent ? `there is no ${what}` : `${what}: ${(stderr || stdout || message).trim().split('\n').slice(-3).join(' | ')}`
    }
  }
}

async function prepareGo(): Promise<Toolchain> {
  const folder = join(CACHE, 'go')
  const env = {
    ...process.env,
    // The Go that is here, and modules that an `rm -rf .interop` can remove.
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

async function prepareRust(): Promise<Toolchain> {
  const options = { cwd: join(HERE, 'rust'), env: { ...process.env, CARGO_TARGET_DIR: join(CACHE, 'rust') } }
  const { stdout } = await run('cargo', ['--version'], options)
  await run('cargo', ['build', '--locked', '--quiet'], options)
  return { version: stdout.split(' ').slice(0, 2).join(' '), folder: join(CACHE, 'rust/debug') }
}

/** Builds the Maven project in the folder `name` beside this file. */
async function prepareMaven(name: string, phase: string): Promise<Toolchain> {
  const project = join(HERE, name)
  const { stdout } = await run('mvn', ['--batch-mode', '--version'])
  const version = `Java ${/Java version: ([^,\s]+)/.exec(stdout)?.[1] ?? '?'}`
  const files = (await readdir(project, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sources = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))))
  const folder = await once(name, [version, ...sources], async (fresh) => {
    await run('mvn', ['--batch-mode', '--no-transfer-progress', '--quiet', `-Dfolder=${fresh}`, phase], { cwd: project })
  })
  return { version, folder }
}

/** Installs what a folder beside this file pins. */
async function prepareNpm(name: string, pinned: string): Promise<string> {
  const pins = ['package.json', 'package-lock.json'].map((file) => join(HERE, pinned, file))
  return once(name, await Promise.all(pins.map((pin) => readFile(pin))), async (fresh) => {
    await mkdir(fresh, { recursive: true })
    await Promise.all(pins.map((pin) => copyFile(pin, join(fresh, basename(pin)))))
    // The programs are in the packages: no script of theirs has to run.
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: fresh })
  })
}

async function prepareConformance(): Promise<Toolchain> {
  const folder = await prepareNpm('conformance', 'conformance/runner')
  const node = join(folder, `node_modules/node-${process.arch}/bin/node`)
  return existsSync(node) ? { version: 'Node 22', folder } : { missing: `npm has no Node 22 for ${process.platform} on ${process.arch}` }
}

async function preparePython(name: string, pins: string): Promise<Toolchain> {
  const python = process.env.PYTHON ?? 'python3'
  const requirements = join(HERE, 'python', pins)
  const { stdout } = await run(python, ['--version'])
  const version = stdout.trim()
  const folder = await once(name, [version, await readFile(requirements)], async (fresh) => {
    await run(python, ['-m', 'venv', fresh])
    await run(join(fresh, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
  })
  return { version, folder }
}

/** Fills a folder, unless it was filled from the same ingredients before. */
async function once(name: string, ingredients: readonly (string | Buffer)[], fill: (folder: string) => Promise<void>): Promise<string> {
  const key = createHash('sha256')
  for (const each of ingredients) key.update(each)
  const folder = join(CACHE, `${name}-${key.digest('hex').slice(0, 12)}`)
  const complete = join(folder, 'complete')
  if (!existsSync(complete)) {
    await rm(folder, { recursive: true, force: true })
    await fill(folder)
    await writeFile(complete, '')
  }
  return folder
}
