import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CLIENTS, type ClientPeer } from './clients.js'
import { PEERS, type Peer } from './peers.js'
import { SDK_PEERS, versionsFor } from './use-sdk-client.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const versionOf = (name: string): string => (JSON.parse(read(`node_modules/${name}/package.json`)) as { version: string }).version

/** The cells of every row of the table in a section, without its head. */
function rowsOf(heading: string): string[][] {
  const [, section = ''] = read('docs/interop.md').split(`\n## ${heading}\n`)
  return section
    .split(/^## /m, 1)
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim())
    )
}

const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"', "'")

/** As the table writes options: those of a key without its value, as every user has another. */
function optionsOf(options: object): string {
  const written = Object.entries(options).map(([name, value]) => (name === 'auth' ? '`auth`' : `\`${name}: ${literal(value)}\``))
  return written.join(', ') || 'none'
}

const named = (subprotocol?: string): string => (subprotocol === undefined ? 'none' : `\`${subprotocol}\``)
const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no')

const CANCELLATION: Readonly<Record<Peer['cancels'], string>> = { tool: 'yes', response: 'of the answer', nothing: 'no' }

describe('docs/interop.md', () => {
  const rows = rowsOf('What works with which options')

  it.each(Object.values<Peer>(PEERS).map((peer) => [peer.name, peer] as const))('says what the tests find: %s', (name, peer) => {
    const { subprotocol, era, protocolVersion } = peer.found
    expect(rows).toContainEqual([
      name,
      optionsOf(peer.options),
      named(subprotocol),
      era,
      protocolVersion,
      yesOrNo(peer.reports > 0),
      CANCELLATION[peer.cancels]
    ])
  })

  it('has no other rows', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.values<Peer>(PEERS).map(({ name }) => name))
  })

  it('says what the tests find about clients', () => {
    expect(rowsOf('Clients')).toEqual(
      Object.values<ClientPeer>(CLIENTS).map(({ name, offers, options, sendsToken, found }) => [
        name,
        named(offers),
        optionsOf(options),
        yesOrNo(sendsToken),
        found.version,
        yesOrNo(found.progress),
        yesOrNo(found.cancels)
      ])
    )
  })

  it('says what each Client of the official SDK needs, and what it finds', () => {
    const restricted = (versions?: string[]): string =>
      versions ? `legacy, \`supportedProtocolVersions: ${literal(versions).replaceAll(',', ', ')}\`` : 'legacy'
    expect(rowsOf('With the official SDK')).toEqual(
      SDK_PEERS.map((peer) => [
        peer.name,
        peer.rejectsVersions ? 'no' : 'legacy',
        restricted(versionsFor(peer, 'v2 legacy')),
        peer.found.era === 'modern' ? 'modern' : restricted(versionsFor(peer, 'v2 modern'))
      ])
    )
  })
})

describe('the versions in the names', () => {
  const requirements = read('test/interop/python/requirements.txt')
  const modules = read('test/interop/go/go.mod')

  const goSdk = `Go SDK ${/go-sdk v([\d.]+)/.exec(modules)?.[1] ?? ''} over coder/websocket ${/coder\/websocket v([\d.]+)/.exec(modules)?.[1] ?? ''}`
  const requirements2 = read('test/interop/python/requirements-sdk2.txt')
  const pin = (name: string): string => new RegExp(`^${name}==(.+)$`, 'm').exec(requirements2)?.[1] ?? ''
  const crates = read('test/interop/rust/Cargo.lock')
  const crate = (name: string): string => new RegExp(`name = "${name}"\nversion = "(.+)"`).exec(crates)?.[1] ?? ''
  const project = (name: string): string => read(`test/interop/${name}/pom.xml`)
  const versionIn = (name: string, tag: string): string =>
    new RegExp(`${tag}(?:</artifactId>)?\\s*<?(?:version)?>(.+?)<`).exec(project(name))?.[1] ?? ''
  const kotlin = `Kotlin SDK ${versionIn('kotlin', '<sdk.version')} with Ktor ${versionIn('kotlin', '<ktor.version')}`
  const everything = `server-everything ${versionOf('@modelcontextprotocol/server-everything')}`

  it.each([
    [PEERS.everything, `${everything} behind McpWebSocketServer`],
    [PEERS.supergateway, `${everything} behind supergateway ${versionOf('supergateway')}`],
    [PEERS.sdkV1, `TypeScript SDK ${versionOf('@modelcontextprotocol/sdk')} behind McpWebSocketServer`],
    [PEERS.sdkV2, `TypeScript SDK ${versionOf('@modelcontextprotocol/server')} behind McpWebSocketServer`],
    [PEERS.gomcp, `GoMCP ${/gomcp v([\d.]+)/.exec(modules)?.[1] ?? ''}`],
    [PEERS.coder, `coder/websocket ${/coder\/websocket v([\d.]+)/.exec(modules)?.[1] ?? ''}`],
    [PEERS.goSdk, goSdk],
    [CLIENTS.goSdk, goSdk],
    [PEERS.pythonSdk, `Python SDK ${/^mcp==(.+)$/m.exec(requirements)?.[1] ?? ''}`],
    [CLIENTS.pythonSdk, `Python SDK ${/^mcp==(.+)$/m.exec(requirements)?.[1] ?? ''}`],
    [PEERS.pythonSdk2, `Python SDK ${pin('mcp')} over websockets ${pin('websockets')}`],
    [CLIENTS.pythonSdk2, `Python SDK ${pin('mcp')} over websockets ${pin('websockets')}`],
    [PEERS.starlette, `Python SDK ${pin('mcp')} in Starlette ${pin('starlette')}`],
    [CLIENTS.fastmcp, `FastMCP ${pin('fastmcp')} over websockets ${pin('websockets')}`],
    [PEERS.rmcp, `rmcp ${crate('rmcp')} over tokio-tungstenite ${crate('tokio-tungstenite')}`],
    [CLIENTS.rmcp, `rmcp ${crate('rmcp')} over tokio-tungstenite ${crate('tokio-tungstenite')}`],
    [PEERS.tower, `tower-mcp ${crate('tower-mcp')}`],
    [CLIENTS.tower, `tower-mcp ${crate('tower-mcp')}`],
    [PEERS.kotlin, kotlin],
    [CLIENTS.kotlin, kotlin],
    [PEERS.quarkus, `Quarkus MCP server ${versionIn('quarkus', 'quarkus-mcp-server-websocket')}`],
    [CLIENTS.langchain4j, `langchain4j-mcp ${versionIn('langchain4j', 'langchain4j-mcp')}`],
    [PEERS.pythonWebsockets, `Python websockets ${/^websockets==(.+)$/m.exec(requirements)?.[1] ?? ''}`]
  ])('are those that run: $name', ({ name }, installed) => {
    expect(name).toBe(installed)
  })

  it('says which versions of frameworks are tested', () => {
    const { dependencies } = JSON.parse(read('test/interop/frameworks/package.json')) as { dependencies: Record<string, string> }
    for (const [name = '', version] of rowsOf('Frameworks').map(([, name, version]) => [name?.replaceAll('`', ''), version]))
      expect([name, version]).toEqual([name, dependencies[name] ?? versionOf(name)])
    expect(rowsOf('Frameworks')).toHaveLength(5)
  })

  it('says which versions of programs on standard input and output are tested', () => {
    const { dependencies } = JSON.parse(read('test/interop/stdio/package.json')) as { dependencies: Record<string, string> }
    const rows = rowsOf('Hosts and servers on standard input and output').map(([, name, version]) => [name?.replaceAll('`', ''), version])
    expect(Object.fromEntries(rows)).toEqual(dependencies)
  })
})
