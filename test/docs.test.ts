import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { useCli } from './cli/use-cli.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(resolve(root, path), 'utf8')

/** A guide: its path below the root, and its text. */
interface Guide {
  readonly path: string
  readonly text: string
}

const paths = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'llms.txt',
  'skills/mcp-websocket-client/SKILL.md',
  ...ts.sys.readDirectory(resolve(root, 'docs'), ['.md']).map((path) => relative(root, path).replaceAll('\\', '/'))
]
const guides: readonly Guide[] = paths.map((path) => ({ path, text: read(path) }))

const FENCE = /^(```|~~~).*\n[\s\S]*?^\1[ \t]*$/gm

/** The text without its code blocks, whose comments would pass for headings and links. */
const proseOf = (text: string): string => text.replaceAll(FENCE, '')

const headingsOf = (text: string): string[] => [...proseOf(text).matchAll(/^#+ +(.+?) *$/gm)].map(([, heading = '']) => heading)

const parse = (path: string): ts.SourceFile => ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)

describe('docs/errors.md', () => {
  it('has one heading for every error code, and no other in capitals', () => {
    const codes = parse('src/errors.ts')
      .statements.filter(ts.isTypeAliasDeclaration)
      .filter(({ name }) => name.text === 'ErrorCode')
      .flatMap(({ type }) => (ts.isUnionTypeNode(type) ? type.types : []))
      .flatMap((member) => (ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal) ? member.literal.text : []))
    const documented = headingsOf(read('docs/errors.md')).filter((heading) => /^[A-Z_]+$/.test(heading))
    expect(codes.length).toBeGreaterThan(0)
    expect(documented.sort()).toEqual(codes.sort())
  })

  it('docs/troubleshooting.md leads to every code', () => {
    const codes = headingsOf(read('docs/errors.md')).filter((heading) => /^[A-Z_]+$/.test(heading))
    const links = [...read('docs/troubleshooting.md').matchAll(/\]\(errors\.md#([a-z_]+)\)/g)].map(([, anchor = '']) =>
      anchor.toUpperCase()
    )
    expect(codes.filter((code) => !links.includes(code))).toEqual([])
  })

  it('names every guard', () => {
    const guards = [...read('src/errors.ts').matchAll(/^export const (is\w+)/gm)].map(([, name = '']) => name)
    expect(guards.length).toBeGreaterThan(0)
    expect(guards.filter((name) => !read('docs/errors.md').includes(`\`${name}\``))).toEqual([])
  })
})

describe('docs/options.md', () => {
  const types = parse('src/types/options.ts')
  const interfaces = new Map(types.statements.filter(ts.isInterfaceDeclaration).map((each) => [each.name.text, each]))

  /** The options below a type: those of an interface by its name, those of an object type, those of a union's members. */
  function within(type: ts.TypeNode | undefined, prefix: string): string[] {
    if (type === undefined) return []
    if (ts.isUnionTypeNode(type)) return type.types.flatMap((member) => within(member, prefix))
    if (ts.isTypeLiteralNode(type)) return members(type.members, prefix)
    return ts.isTypeReferenceNode(type) && /Options$/.test(type.typeName.getText()) ? optionsOf(type.typeName.getText(), prefix) : []
  }

  function members(all: ts.NodeArray<ts.TypeElement>, prefix: string): string[] {
    return all
      .filter(ts.isPropertySignature)
      .flatMap(({ name, type }) => [prefix + name.getText(), ...within(type, `${prefix}${name.getText()}.`)])
  }

  function optionsOf(name: string, prefix = ''): string[] {
    const found = interfaces.get(name)
    const parents = found?.heritageClauses?.flatMap((clause) => clause.types.map(({ expression }) => expression.getText())) ?? []
    return [...parents.flatMap((parent) => optionsOf(parent, prefix)), ...(found ? members(found.members, prefix) : [])]
  }

  /** The options that a section names in headings or in the first column of its tables. */
  function documented(section: string): string[] {
    const text = new RegExp(`^## ${section}$([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(proseOf(read('docs/options.md')))?.[1] ?? ''
    return [...text.matchAll(/^(?:### |\| *)`([\w.]+)` *(?:\||$)/gm)].map(([, name = '']) => name)
  }

  it('docs/server.md names every option of the server once, and no other', () => {
    const source = parse('src/server/types.ts')
    const declared = source.statements.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === 'McpWebSocketServerOptions')
    const resume = source.statements.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === 'ResumeOptions')
    const options = [
      ...members(declared?.members ?? ts.factory.createNodeArray(), ''),
      ...members(resume?.members ?? ts.factory.createNodeArray(), 'resume.')
    ]
    const table = /^## Options$([\s\S]*?)(?=^## )/m.exec(proseOf(read('docs/server.md')))?.[1] ?? ''
    const named = [...table.matchAll(/^\| *`([\w.]+)` *\|/gm)].map(([, name = '']) => name)
    expect(options.length).toBeGreaterThan(15)
    expect(named.sort()).toEqual(options.sort())
  })

  it.each([
    ['McpWebSocketClientOptions', 'Options of the client'],
    ['RequestOptions', 'Options of a request']
  ])('names every option of %s once, and no other', (name, section) => {
    const options = optionsOf(name)
    expect(options.length).toBeGreaterThan(0)
    expect(documented(section).sort()).toEqual(options.sort())
  })
})

describe('docs/client.md', () => {
  /** The public members of a class or an interface. */
  const membersOf = (path: string, name: string): string[] =>
    parse(path)
      .statements.filter((each) => ts.isClassDeclaration(each) || ts.isInterfaceDeclaration(each))
      .filter((each) => each.name?.text === name)
      .flatMap((each): readonly ts.NamedDeclaration[] => [...each.members])
      .filter((member) => !(ts.getCombinedModifierFlags(member as ts.Declaration) & ts.ModifierFlags.Protected))
      .map((member) => member.name?.getText().replaceAll("'", '') ?? '#')
      .filter((member) => !/^[#[]/.test(member))

  it.each([
    ['src/client/client.ts', 'McpWebSocketClient'],
    ['src/client/methods.ts', 'McpMethods'],
    ['src/session/events.ts', 'ClientEvents'],
    ['src/types/client.ts', 'ClientStats'],
    ['src/types/client.ts', 'RequestContext']
  ])('%s: names every member of %s', (path, name) => {
    const names = membersOf(path, name)
    expect(names.length).toBeGreaterThan(0)
    const guide = read('docs/client.md')
    expect(names.filter((member) => !new RegExp(`\`${member}[\`(]`).test(guide))).toEqual([])
  })
})

describe('every TypeScript block', () => {
  // The API pages quote signatures, not programs.
  const written = guides.filter(({ path }) => !path.startsWith('docs/api/'))
  const blocks = written.flatMap(({ path, text }) =>
    [...text.matchAll(/^```(tsx?)\n([\s\S]*?)^```[ \t]*$/gm)].map(({ 1: suffix = '', 2: code = '', index }) => {
      const line = text.slice(0, index).split('\n').length
      // A file beside the guide that exists only here, so that imports resolve as they would there.
      return { name: `${path}:${String(line)}`, file: resolve(root, `${path}.${String(line)}.${suffix}`), code }
    })
  )
  let program: ts.Program

  beforeAll(() => {
    const config = ts.readConfigFile(resolve(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
    const { options } = ts.parseJsonConfigFileContent({ ...(config.config as object), include: [], files: [] }, ts.sys, root)
    options.moduleDetection = ts.ModuleDetectionKind.Force
    // An example may end before it uses what it made.
    options.noUnusedLocals = false
    const codeOf = new Map(blocks.map(({ file, code }) => [file, code]))
    const disk = ts.createCompilerHost(options)
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (path) => codeOf.has(path) || disk.fileExists(path),
      readFile: (path) => codeOf.get(path) ?? disk.readFile(path),
      getSourceFile: (path, ...rest) => {
        const code = codeOf.get(path)
        return code === undefined ? disk.getSourceFile(path, ...rest) : ts.createSourceFile(path, code, rest[0], true)
      }
    }
    program = ts.createProgram([...codeOf.keys()], options, host)
  }, 60_000)

  it('is found', () => {
    expect(blocks.map(({ name }) => name.replace(/:\d+$/, ''))).toEqual(
      expect.arrayContaining(['README.md', 'docs/options.md', 'docs/transport.md', 'docs/delivery.md'])
    )
  })

  it.each(blocks)('$name type-checks against src', { timeout: 60_000 }, ({ file }) => {
    const source = program.getSourceFile(file)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })
})

describe('every relative link', () => {
  /** The anchor under which GitHub shows a heading. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')

  /** The anchors of a page: its headings, numbered where they repeat, and those of table rows on API pages. */
  function anchorsOf(text: string): string[] {
    const seen = new Map<string, number>()
    const headings = headingsOf(text).map((heading) => {
      const anchor = anchorOf(heading)
      const count = seen.get(anchor) ?? 0
      seen.set(anchor, count + 1)
      return count === 0 ? anchor : `${anchor}-${String(count)}`
    })
    return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]
  }

  it.each(guides)('of $path resolves', ({ path, text }) => {
    const targets = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = targets.filter((target) => {
      if (/^[a-z][a-z+.-]*:/i.test(target)) return false
      const [file = '', anchor] = target.split('#')
      const full = file === '' ? resolve(root, path) : resolve(root, dirname(path), file)
      if (!existsSync(full)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(full, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })
})

describe('every command', () => {
  /** The shell commands of a text: those of its blocks, of its code within lines, and of the comments in programs. */
  const commandsOf = (text: string): string[] => {
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block.replaceAll(/ *\\\n */g, ' '))
    const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
    const comments = [...text.matchAll(/^\/\/ {3}(.+)$/gm)].map(([, line = '']) => line)
    return [...blocks, ...spans, ...comments].flatMap((each) => each.split(/\n|&&|[|;]| & ?/)).map((each) => each.trim())
  }
  /** What stands behind the name of our program; `undefined` for another one. */
  const wordsOf = (command: string): string[] | undefined =>
    /^(?:[A-Z_]+=\S+ )?(?:npx (?:-y )?(?:-p mcp-websocket-client )?)?mcp-ws (.+)$/.exec(command)?.[1]?.split(' ')

  const files = [...ts.sys.readDirectory(resolve(root, 'docs/examples'), ['.ts', '.tsx', '.mjs'])].map((path) => relative(root, path))
  const sources = [...guides, ...files.map((path) => ({ path, text: read(path) }))]
  const all = sources.flatMap(({ path, text }) => commandsOf(text).map((command) => ({ path, command })))

  /** The words of the help that begin with two dashes, or its commands. */
  const help = async (words: readonly string[], pattern: RegExp): Promise<Set<string>> => {
    const cli = useCli([...words, '--help'])
    await cli.code
    return new Set([...cli.out.matchAll(pattern)].map(([, found = '']) => found))
  }

  it('of npm is a script of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const used = all.flatMap(({ path, command }) => {
      const [, script, name = script] = /^npm (?:run ([\w:-]+)|(test)\b)/.exec(command) ?? []
      return name === undefined ? [] : [{ path, name }]
    })
    expect(used.length).toBeGreaterThan(20)
    expect(used.filter(({ name }) => !(name in scripts))).toEqual([])
  })

  it('of mcp-ws exists, with its flags', async () => {
    const known = await help([], /^ {2}([a-z]+) /gm)
    const flags = new Map(await Promise.all([...known].map(async (name) => [name, await help([name], /(--[\w-]+)/g)] as const)))
    const used = all.flatMap(({ path, command }) => {
      const words = wordsOf(command)
      return words === undefined ? [] : [{ path, command, words: words.slice(0, words.indexOf('--') >>> 0) }]
    })
    expect(known).toContain('probe')
    expect(used.length).toBeGreaterThan(20)
    const broken = used.filter(({ words: [name = '', ...rest] }) => {
      const allowed = name === 'help' ? new Set<string>() : flags.get(name)
      return !allowed || rest.some((word) => word.startsWith('--') && !allowed.has(word))
    })
    expect(broken.map(({ path, command }) => `${path}: ${command}`)).toEqual([])
  })
})

describe('every address of a CDN', () => {
  it('has the version of this package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    const named = guides.flatMap(({ path, text }) =>
      [...text.matchAll(/\/npm\/mcp-websocket-client@([^/]+)/g)].map(([, found = '']) => ({ path, found }))
    )
    expect(named.length).toBeGreaterThan(2)
    expect(named.filter(({ found }) => found !== version)).toEqual([])
  })
})

describe('README.md', () => {
  it.each(['npm ci && npm run demo', 'npm ci && npm test'])('contains the command %s', (command) => {
    expect(read('README.md')).toContain(command)
  })
})

describe('llms.txt', () => {
  it('has the form of llmstxt.org: a title, a summary, and lists of links below headings', () => {
    const [title, blank, ...rest] = read('llms.txt').split('\n')
    expect(title).toBe('# mcp-websocket-client')
    expect(blank).toBe('')
    expect(rest[0]).toMatch(/^> /)
    const lists = read('llms.txt')
      .split(/^## .*$/m)
      .slice(1)
    for (const line of lists.join('\n').split('\n').filter(Boolean)) expect(line).toMatch(/^- \[[^\]]+\]\([^)]+\): \S/)
  })

  it('lists every page of docs once', () => {
    const listed = [...read('llms.txt').matchAll(/\]\((docs\/[^)]+)\)/g)].map(([, path]) => path)
    expect(listed.sort()).toEqual(paths.filter((path) => path.startsWith('docs/')).sort())
  })
})

describe('the skill', () => {
  it('is named after its folder, and says in few words when to use it', () => {
    const [, head = ''] = /^---\n([\s\S]*?)\n---\n/.exec(read('skills/mcp-websocket-client/SKILL.md')) ?? []
    expect(head.split('\n')).toEqual(['name: mcp-websocket-client', expect.stringMatching(/^description: Use when .{1,1000}$/)])
  })
})
