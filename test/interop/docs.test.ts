import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PEERS, type Peer } from './peers.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const versionOf = (name: string): string => (JSON.parse(read(`node_modules/${name}/package.json`)) as { version: string }).version

/** The cells of every row of the table. */
const rows = read('docs/interop.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim())
  )

/** As the table writes options: those of a key without its value, as every user has another. */
function optionsOf({ options }: Peer): string {
  const literal = (value: unknown): string => JSON.stringify(value).replaceAll('"', "'")
  const written = Object.entries(options).map(([name, value]) => (name === 'auth' ? '`auth`' : `\`${name}: ${literal(value)}\``))
  return written.join(', ') || 'none'
}

const CANCELLATION: Readonly<Record<Peer['cancels'], string>> = { tool: 'yes', answer: 'of the answer', nothing: 'no' }

describe('docs/interop.md', () => {
  it.each(Object.values<Peer>(PEERS).map((peer) => [peer.name, peer] as const))('says what the tests find: %s', (name, peer) => {
    const { subprotocol, era, protocolVersion } = peer.found
    const chosen = subprotocol === undefined ? 'none' : `\`${subprotocol}\``
    expect(rows).toContainEqual([
      name,
      optionsOf(peer),
      chosen,
      era,
      protocolVersion,
      peer.reports > 0 ? 'yes' : 'no',
      CANCELLATION[peer.cancels]
    ])
  })

  it('has no other rows', () => {
    expect(rows.map(([name]) => name).filter((name) => !name!.startsWith('-') && name !== 'server')).toEqual(
      Object.values<Peer>(PEERS).map(({ name }) => name)
    )
  })
})

describe('the versions in the names', () => {
  const requirements = read('test/interop/python/requirements.txt')
  const modules = read('test/interop/go/go.mod')

  it.each([
    [
      PEERS.everything,
      `server-everything ${versionOf('@modelcontextprotocol/server-everything')} behind supergateway ${versionOf('supergateway')}`
    ],
    [PEERS.gomcp, `GoMCP ${/gomcp v([\d.]+)/.exec(modules)?.[1] ?? ''}`],
    [PEERS.coder, `coder/websocket ${/coder\/websocket v([\d.]+)/.exec(modules)?.[1] ?? ''}`],
    [PEERS.pythonSdk, `Python SDK ${/^mcp==(.+)$/m.exec(requirements)?.[1] ?? ''}`],
    [PEERS.pythonWebsockets, `Python websockets ${/^websockets==(.+)$/m.exec(requirements)?.[1] ?? ''}`]
  ])('are those that run: $name', ({ name }, installed) => {
    expect(name).toBe(installed)
  })
})
