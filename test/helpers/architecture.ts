import ts from 'typescript'

/** One source file: its path below src/, with slashes, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** One broken rule, in one line that names the file first. */
export type Violation = string

/** One way in which a file depends on another, or on a package. */
interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  /** Path below src/ of what is imported; `undefined` for packages and builtins. */
  readonly target: string | undefined
}

/**
 * The layers, and what each may see beside itself: arrows go down only. A layer is a folder below src/, or one of the files
 * that lie beside the folders.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'version.ts': [],
  lib: [],
  types: ['errors.ts'],
  wire: ['lib', 'types', 'errors.ts'],
  rpc: ['lib', 'types', 'wire', 'errors.ts'],
  socket: ['lib', 'types', 'wire', 'errors.ts'],
  connection: ['lib', 'types', 'wire', 'socket', 'errors.ts'],
  session: ['lib', 'types', 'wire', 'rpc', 'socket', 'connection', 'errors.ts', 'version.ts'],
  client: ['lib', 'types', 'wire', 'rpc', 'connection', 'session', 'errors.ts'],
  transport: ['lib', 'types', 'wire', 'rpc', 'connection', 'session', 'errors.ts'],
  server: ['lib', 'types', 'wire', 'errors.ts'],
  redis: ['lib', 'types', 'errors.ts'],
  otel: ['types', 'wire', 'errors.ts'],
  probe: ['lib', 'types', 'wire', 'socket', 'client', 'errors.ts'],
  // Sees the public entry alone, by the name of the package, as a program does.
  react: [],
  'index.ts': ['types', 'connection', 'session', 'client', 'errors.ts'],
  'script.ts': ['index.ts', 'transport'],
  cli: ['index.ts', 'transport', 'server', 'probe', 'version.ts']
}

/** Where a package may be imported; everything that is not named here, the official SDK above all, has no home. */
const HOMES: readonly { readonly name: RegExp; readonly homes: readonly string[]; readonly typesOnly: boolean }[] = [
  { name: /^isomorphic-ws$/, homes: ['socket/open-socket.ts'], typesOnly: false },
  { name: /^eventemitter3$/, homes: ['lib/emitter.ts'], typesOnly: false },
  { name: /^nanoid\/non-secure$/, homes: ['rpc/rpc-peer.ts'], typesOnly: false },
  {
    name: /^node:/,
    homes: ['socket/node-socket.ts', 'socket/frame-reader.ts', 'socket/frame-writer.ts', 'socket/failed-dial.ts'],
    typesOnly: true
  },
  { name: /^node:/, homes: ['server/'], typesOnly: false },
  { name: /^@opentelemetry\/api$/, homes: ['otel/'], typesOnly: false },
  { name: /^node:/, homes: ['cli/', 'probe/network-steps.ts'], typesOnly: false },
  { name: /^commander$/, homes: ['cli/main.ts', 'cli/flags.ts'], typesOnly: false },
  { name: /^@cfworker\/json-schema$/, homes: ['cli/tool-arguments.ts'], typesOnly: false },
  { name: /^(react|mcp-websocket-client)$/, homes: ['react/'], typesOnly: false },
  { name: /^ws$/, homes: ['server/server.ts', 'server/peer-socket.ts'], typesOnly: false }
]

/**
 * The few files that touch time, chance, sockets, the page or promises: the class of each layer, and the edges of the platform.
 * All others decide and do nothing else, so that their tests need neither a clock nor a network.
 */
const EFFECTS: ReadonlySet<string> = new Set([
  'lib/clock.ts',
  'lib/deferred.ts',
  'lib/guarded.ts',
  'lib/waits.ts',
  'session/state-changes.ts',
  'wire/ordered-delivery.ts',
  'rpc/middlewares.ts',
  'rpc/rpc-peer.ts',
  'rpc/request-dispatcher.ts',
  'socket/open-socket.ts',
  'socket/web-socket.ts',
  'socket/frame-writer.ts',
  'socket/node-socket.ts',
  'socket/target.ts',
  'connection/connection.ts',
  'connection/page.ts',
  'session/session-host.ts',
  'client/client.ts',
  'client/methods.ts',
  'client/subscriptions.ts',
  'client/tasks.ts',
  'client/task-news.ts',
  'client/result-types.ts',
  'transport/websocket-client-transport.ts',
  'react/owned-client.ts',
  'react/tool-list.ts',
  'server/server.ts',
  'server/authentication.ts',
  'server/http-binding.ts',
  'server/peer.ts',
  'server/resumable-session.ts',
  'server/reception.ts',
  'server/shared-sessions.ts',
  'server/relay.ts',
  'server/relay-end.ts',
  'server/peer-socket.ts',
  'otel/instrument.ts',
  'redis/redis-link.ts',
  'redis/redis-session-store.ts',
  'probe/probe.ts',
  'probe/attempt.ts',
  'probe/network-steps.ts',
  // The tool is a program: its commands wait, and `bin.ts` is the one file that touches the process.
  'cli/bin.ts',
  'cli/main.ts',
  'cli/ask.ts',
  'cli/visit.ts',
  'cli/commands/lists.ts',
  'cli/commands/requests.ts',
  'cli/commands/listen.ts',
  'cli/commands/bridge.ts',
  'cli/commands/probe.ts',
  'cli/commands/serve.ts',
  // One process for each session.
  'cli/child.ts'
])

/** Names that bring time, chance, the network, the process or asynchrony into what has to be pure. */
const IMPURE: ReadonlySet<string> = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'crypto',
  'WebSocket',
  'process',
  'Promise',
  'fetch',
  'globalThis',
  'window',
  'document',
  'navigator',
  'require'
])

/** Lines of code that a file may have; comments and blank lines do not count. */
export const MOST_LINES = 400
/** Lines that a function may have, its comments included. */
export const MOST_FUNCTION_LINES = 60

const matches = (path: string, entry: string): boolean => (entry.endsWith('/') ? path.startsWith(entry) : path === entry)

const parse = ({ path, text }: Source): ts.SourceFile => ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

const lineOf = (file: ts.SourceFile, node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1

/** The path below src/ that a relative specifier means; TypeScript sources are imported under the name of their output. */
function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/').replace(/\.js$/, '.ts')
}

/** Every import of a file: static, for side effects, of types, `export from`, `import()` as value and as type, `require`. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    found.push({ specifier: specifier.text, typeOnly, target: resolve(source.path, specifier.text) })
  }
  walk(parse(source), (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
      add(node.moduleReference.expression, node.isTypeOnly)
    else if (ts.isCallExpression(node)) {
      const { expression } = node
      const loads = expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
      if (loads) add(node.arguments[0], false)
    }
  })
  return found
}

const layerOf = (path: string): string => path.split('/')[0] ?? path

/** Files import their own layer and those below it that it may see, and nothing else of src. */
export function checkLayers(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const { path } = source
    const layer = layerOf(path)
    const visible = LAYERS[layer]
    if (visible === undefined) return [`${path} lies in no layer: see LAYERS in test/helpers/architecture.ts`]
    return importsOf(source).flatMap(({ target }) => {
      if (target === undefined) return []
      const other = layerOf(target)
      if (layer === 'cli' && other !== layer && target.includes('/') && !target.endsWith('/index.ts'))
        return [`${path} imports ${target}, but cli sees entries only`]
      return other === layer || visible.includes(other) ? [] : [`${path} imports ${target}, but ${layer} may not see ${other}`]
    })
  })
}

/** The arrows between folders, files beside them included: fewer make a simpler picture. */
export function arrowsOf(sources: readonly Source[]): string[] {
  const arrows = sources.flatMap((source) =>
    importsOf(source).flatMap(({ target }) => (target === undefined ? [] : [`${layerOf(source.path)} > ${layerOf(target)}`]))
  )
  return [...new Set(arrows)].filter((arrow) => !/^(.*) > \1$/.test(arrow)).sort()
}

/** No file imports itself on any way, not even for types. Each circle is reported once. */
export function checkCycles(sources: readonly Source[]): Violation[] {
  const targets = new Map(sources.map((source) => [source.path, importsOf(source).flatMap(({ target }) => target ?? [])]))
  const done = new Set<string>()
  const circles = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path)
    if (seenAt !== -1) {
      circles.add([...trail.slice(seenAt), path].join(' > '))
      return
    }
    if (done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return [...circles].map((circle) => `${circle} is a cycle`)
}

/** `export *` hides what a module offers: only the public face and the types have it. */
export function checkStarExports(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    if (['index.ts', 'script.ts'].includes(source.path) || source.path.startsWith('types/')) return []
    return parse(source)
      .statements.filter(
        (node) => ts.isExportDeclaration(node) && (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause))
      )
      .map(() => `${source.path} has an export *`)
  })
}

/** Whether a file declares types and nothing else: it does nothing, whatever its types speak of. */
const isTypesOnly = (source: Source): boolean =>
  parse(source).statements.every(
    (node) =>
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      (ts.isExportDeclaration(node) && node.isTypeOnly) ||
      (ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
  )

/** Rules know no timer, clock, chance, socket, page, promise or dependency: all files but the few in EFFECTS, and files of types. */
export function checkPurity(sources: readonly Source[]): Violation[] {
  return sources
    .filter((source) => !EFFECTS.has(source.path) && !isTypesOnly(source))
    .flatMap((source) => {
      const file = parse(source)
      const found: Violation[] = []
      const report = (node: ts.Node, what: string): void => {
        found.push(`${source.path}:${String(lineOf(file, node))} uses ${what}, but it is no file for effects`)
      }
      walk(file, (node) => {
        if (ts.isIdentifier(node) && IMPURE.has(node.text) && !isMemberName(node)) report(node, node.text)
        else if (node.kind === ts.SyntaxKind.AsyncKeyword) report(node, 'async')
        else if (ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AwaitKeyword) report(node, 'await')
        else if (ts.isNewExpression(node) && isNamed(node.expression, 'Date') && !node.arguments?.length) report(node, 'new Date()')
        else if (ts.isPropertyAccessExpression(node) && isNamed(node.expression, 'Date') && node.name.text === 'now')
          report(node, 'Date.now')
        else if (ts.isPropertyAccessExpression(node) && isNamed(node.expression, 'Math') && node.name.text === 'random')
          report(node, 'Math.random')
      })
      return found
    })
}

const isNamed = (node: ts.Node, name: string): boolean => ts.isIdentifier(node) && node.text === name

/** `x.process`, `{ process: 1 }` and the like name a member and not the global. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isGetAccessor(parent) ||
      ts.isSetAccessor(parent)) &&
    parent.name === node
  )
}

/** Every package is imported in one place, so that it can be replaced there. */
export function checkDependencies(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) =>
    importsOf(source).flatMap(({ specifier, target, typeOnly }) => {
      if (target !== undefined) return []
      const known = HOMES.filter(({ name }) => name.test(specifier))
      if (known.length === 0) return [`${source.path} imports ${specifier}, which is no dependency of this package at run time`]
      const home = known.find(({ homes }) => homes.some((each) => matches(source.path, each)))
      const allHomes = known.flatMap(({ homes }) => homes).join(' and ')
      if (home === undefined) return [`${source.path} imports ${specifier}, whose home is ${allHomes}`]
      return home.typesOnly && !typeOnly ? [`${source.path} imports more than types of ${specifier}`] : []
    })
  )
}

/** Node's ESM resolution, which our output uses, completes no file names. */
export function checkExtensions(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith('.') && !specifier.endsWith('.js'))
      .map(({ specifier }) => `${source.path} imports ${specifier}, which does not end in .js`)
  )
}

/** Lines that hold a token; comments are none. */
export function countCodeLines(source: Source): number {
  const file = parse(source)
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return
    const children = node.getChildren(file)
    if (children.length > 0) return children.forEach(visit)
    if (node.getWidth(file) === 0) return
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line
    for (let line = lineOf(file, node) - 1; line <= last; line++) lines.add(line)
  }
  visit(file)
  return lines.size
}

/** A file that nobody can keep in the head is two files. */
export function checkLength(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const lines = countCodeLines(source)
    return lines > MOST_LINES ? [`${source.path} has ${String(lines)} lines of code, more than ${String(MOST_LINES)}`] : []
  })
}

/** A function that does not fit on a screen does more than one thing. */
export function checkFunctions(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const file = parse(source)
    const found: Violation[] = []
    walk(file, (node) => {
      if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return
      const lines = file.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(file, node)
      if (lines > MOST_FUNCTION_LINES)
        found.push(
          `${source.path}:${String(lineOf(file, node))} has a function of ${String(lines)} lines, more than ${String(MOST_FUNCTION_LINES)}`
        )
    })
    return found
  })
}

const hasDoc = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).some((doc) => ts.isJSDoc(doc))

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)

/** The public members of a class or an interface, without its constructor. */
function membersOf(node: ts.Statement): { name: string; node: ts.Node }[] {
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return []
  return [...node.members].flatMap((member) => {
    const { name } = member
    if (name === undefined || ts.isPrivateIdentifier(name)) return []
    const words = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : []
    const isHidden = words.some(({ kind }) => kind === ts.SyntaxKind.ProtectedKeyword || kind === ts.SyntaxKind.OverrideKeyword)
    return isHidden ? [] : [{ name: name.getText(), node: member }]
  })
}

/** Names of what a class or an interface implements or extends. */
const parentsOf = (node: ts.Statement): string[] =>
  ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)
    ? (node.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText()))
    : []

/**
 * Every export says what it is, and so does every public member of an exported class or interface. What an interface says of a
 * member holds for the classes that implement it.
 */
export function checkDocs(sources: readonly Source[]): Violation[] {
  const files = sources.map((source) => ({ path: source.path, file: parse(source) }))
  const statements = files.flatMap(({ path, file }) => file.statements.map((statement) => ({ path, file, statement })))
  /** `Interface.member` for every member with a comment. */
  const explained = new Set(
    statements.flatMap(({ statement }) =>
      membersOf(statement).flatMap(({ name, node }) => (hasDoc(node) ? [`${namesOf(statement).join()}.${name}`] : []))
    )
  )
  const parents = new Map(statements.flatMap(({ statement }) => namesOf(statement).map((name) => [name, parentsOf(statement)] as const)))
  const explains = (type: string, member: string): boolean =>
    explained.has(`${type}.${member}`) || (parents.get(type) ?? []).some((parent) => explains(parent, member))
  return files.flatMap(({ path, file }) => {
    const documented = new Set<string>()
    const public_ = new Map<string, number>()
    const note = (name: string, node: ts.Node, isDocumented: boolean): void => {
      if (!public_.has(name)) public_.set(name, lineOf(file, node))
      // The first of several overloads speaks for all.
      if (isDocumented) documented.add(name)
    }
    for (const statement of file.statements) {
      if (!isExported(statement)) continue
      for (const name of namesOf(statement)) {
        note(name, statement, hasDoc(statement))
        for (const member of membersOf(statement)) {
          note(`${name}.${member.name}`, member.node, explains(name, member.name))
        }
      }
    }
    return [...public_]
      .filter(([name]) => !documented.has(name))
      .map(([name, line]) => `${path}:${String(line)} exports ${name} without a TSDoc comment`)
  })
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = statement as ts.DeclarationStatement
  return [name?.getText() ?? 'default']
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/@ts-(ignore|expect-error|nocheck)\b/, 'switches the type checker off'],
  [/eslint-disable/, 'switches the linter off'],
  [/\b(TODO|FIXME|XXX)\b/, 'has a TODO']
]

/** What is not written in src: `any`, `!`, the console, switched-off checks, things left to do. */
export function checkStyle(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const file = parse(source)
    const found: Violation[] = []
    source.text.split('\n').forEach((line, index) => {
      for (const [pattern, what] of WORDS) if (pattern.test(line)) found.push(`${source.path}:${String(index + 1)} ${what}`)
    })
    const report = (node: ts.Node, what: string): void => {
      found.push(`${source.path}:${String(lineOf(file, node))} ${what}`)
    }
    walk(file, (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) report(node, 'has an any')
      else if (ts.isNonNullExpression(node)) report(node, 'has a non-null !')
      else if ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) && node.exclamationToken) report(node, 'has a definite !')
      else if (ts.isIdentifier(node) && node.text === 'console' && !isMemberName(node)) report(node, 'writes to the console')
    })
    return found
  })
}
