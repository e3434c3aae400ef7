// How `npm run docs:api` writes docs/api: one page for each entry of the package, without dates, commits or paths of this machine.

import {
  CommentTag,
  Converter,
  DeclarationReflection,
  IntersectionType,
  PageEvent,
  ReflectionFlag,
  ReflectionKind,
  ReflectionType,
  RendererEvent
} from 'typedoc'

const ENTRIES = ['index', 'transport', 'server', 'redis', 'otel', 'react', 'probe']

/** What shapes of MCP have in common. They have no name in the package: a page shows their members in place. */
const PARTS = ['WithMeta', 'OpenResult', 'Page', 'Labels', 'Named', 'Entry', 'Annotated', 'ResourceContents', 'Extras', 'Choice']

const SHAPES = /^src\/types\/(json-rpc|content|capabilities|server-features|client-features|legacy|modern|tasks|parts)\.ts$/

/** The heading under which a page shows an export, where its kind says less. */
function groupOf(path) {
  if (path === 'src/errors.ts') return 'Errors'
  return SHAPES.test(path) ? 'Shapes of MCP' : undefined
}

/** A getter is a member that can be read, as a property is; its page need not say "get signature" and "returns". */
function showAsProperty(project, accessor) {
  const { getSignature, setSignature } = accessor
  if (getSignature === undefined || setSignature !== undefined) return
  accessor.kind = ReflectionKind.Property
  accessor.type = getSignature.type
  accessor.comment = getSignature.comment
  accessor.setFlag(ReflectionFlag.Readonly)
  delete getSignature.type
  delete getSignature.comment
  accessor.getSignature = undefined
}

const typesIn = (type) => (type instanceof IntersectionType ? type.types.flatMap(typesIn) : [type])

const isObject = (type) => type instanceof ReflectionType && type.declaration.signatures === undefined

const move = (members, to) => {
  for (const member of members ?? []) {
    member.parent = to
    to.addChild(member)
  }
}

/** A type of objects, also one that is put together of several, is shown as an interface: all members in one table. */
function showAsInterface(alias) {
  const types = alias.type === undefined ? [] : typesIn(alias.type)
  if (types.length === 0 || !types.every(isObject)) return
  delete alias.type
  alias.kind = ReflectionKind.Interface
  for (const { declaration } of types) move(declaration.children, alias)
  // That an object may have more members needs saying where it has no others.
  if (types.length === 1) alias.indexSignatures = types[0].declaration.indexSignatures
}

const declarationsOf = (project) => Object.values(project.reflections).filter((each) => each instanceof DeclarationReflection)

/** Arranges the members of the pages. */
function arrange(project) {
  const all = declarationsOf(project)
  for (const each of all) {
    if (each.kindOf(ReflectionKind.Accessor)) showAsProperty(project, each)
    if (each.kindOf(ReflectionKind.TypeAlias)) showAsInterface(each)
    // A base of ours that is on no page says nothing to a reader.
    each.extendedTypes = each.extendedTypes?.filter((base) => base.reflection !== undefined || base.package !== 'mcp-websocket-client')
    if (each.kindOf(ReflectionKind.Property)) {
      // The guides show whole programs; in a table they would be one line.
      each.comment?.removeTags('@example')
      // Defaults of options are in their comments.
      delete each.defaultValue
    }
    const group = each.parent?.kindOf(ReflectionKind.Module) && groupOf(project.getSymbolIdFromReflection(each)?.packagePath ?? '')
    if (group) (each.comment ?? each.signatures?.[0]?.comment)?.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: group }]))
  }
}

/** Takes out what a page would say twice: members of a base that is on a page too, and where the others come from. */
function shorten(project) {
  for (const each of declarationsOf(project)) {
    if (each.inheritedFrom?.reflection !== undefined) {
      project.removeReflection(each)
      continue
    }
    for (const origin of [each, ...(each.signatures ?? [])]) {
      delete origin.inheritedFrom
      delete origin.overwrites
      delete origin.implementationOf
    }
  }
}

/** What a comment says of all overloads is said once. */
function sayOnce(project) {
  const textOf = ({ comment }) => JSON.stringify(comment?.summary)
  for (const { signatures: [first, ...others] = [] } of declarationsOf(project))
    for (const other of others) if (textOf(other) === textOf(first)) delete other.comment
}

const nameOf = (entry) => (entry === 'index' ? 'mcp-websocket-client' : `mcp-websocket-client/${entry}`)

/** Names the entries as programs do, and makes links of the guides that comments name. */
const polish = (text) =>
  text
    .replaceAll(/\[(\w+)\]\(\1\.md\)/g, (_link, entry) => `[\`${nameOf(entry)}\`](${entry}.md)`)
    .replaceAll(/`docs\/([\w/-]+\.md)`/g, '[`docs/$1`](../$1)')

/** @param {import('typedoc').Application} app */
function adapt(app) {
  app.converter.on(Converter.EVENT_BEGIN, (context) => PARTS.forEach((name) => context.inlineType.add(name)))
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => arrange(project))
  // After the members know what they were inherited from, before they are grouped.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => shorten(project), -50)
  // Only now: the check that all is documented lies between the two.
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => sayOnce(project))
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = polish(page.contents)
  })
}

/** @type {import('typedoc').TypeDocOptions & import('typedoc-plugin-markdown').PluginOptions} */
export default {
  name: 'API',
  tsconfig: '../../tsconfig.build.json',
  entryPoints: ENTRIES.map((name) => (name === 'index' ? '../../src/index.ts' : `../../src/${name}/index.ts`)),
  out: '../../docs/api',
  plugin: ['typedoc-plugin-markdown', adapt],
  // `npm run typecheck` does that.
  skipErrorChecking: true,
  readme: 'none',
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludeProtected: true,
  sort: ['source-order'],
  sortEntryPoints: false,
  groupOrder: [
    'Constructors',
    'Properties',
    'Methods',
    'Classes',
    'Functions',
    'Variables',
    'Interfaces',
    'Type Aliases',
    'Errors',
    'Shapes of MCP'
  ],
  validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: true, unusedMergeModuleWith: true },
  // What stands in for a type that TypeScript works out.
  intentionallyNotExported: ['ChangeTo', 'Rest'],
  // The interface says what the params and the result of a method are.
  intentionallyNotDocumented: [
    'ping',
    'server/discover',
    'tools/list',
    'tools/call',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'resources/subscribe',
    'resources/unsubscribe',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'logging/setLevel',
    'subscriptions/listen',
    'tasks/list',
    'tasks/get',
    'tasks/result',
    'tasks/cancel',
    'tasks/update'
  ]
    .map((method) => `index.ClientRequests.${method}`)
    .concat(['elicitation/create', 'sampling/createMessage', 'roots/list'].map((method) => `index.ServerRequests.${method}`))
    .flatMap((request) => [`${request}.__type.params`, `${request}.__type.result`]),
  treatValidationWarningsAsErrors: true,
  outputFileStrategy: 'modules',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  pageTitleTemplates: {
    index: () => 'API',
    module: ({ name }) => nameOf(name)
  },
  indexFormat: 'table',
  useCodeBlocks: true,
  expandObjects: true,
  parametersFormat: 'table',
  classPropertiesFormat: 'table',
  interfacePropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: { hideInherited: true, hideOverrides: true, hideModifiers: true, hideSources: true, leftAlignHeaders: true }
}
