import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ConnectionOptions } from '../index.js'
import { readDuration } from './duration.js'
import { usageError } from './failure.js'
import type { Io } from './io.js'

// The flags that more than one command has, and the options of the package that they stand for. The probe's advice uses the same names:
// src/probe/advice.ts.

/** The flags of every command that connects. */
export interface ConnectionFlags {
  /** A bearer token; from the environment too. */
  readonly token?: string | undefined
  /** How the token travels. */
  readonly tokenVia?: 'header' | 'subprotocol' | undefined
  /** Further headers, each `Name: value`. */
  readonly header?: readonly string[] | undefined
  /** Subprotocols to offer after `mcp.v1`. */
  readonly subprotocol?: readonly string[] | undefined
  /** The whole offer, separated by commas; empty for none. */
  readonly offer?: string | undefined
  /** Whether the server may name no subprotocol. */
  readonly acceptMissingSubprotocol?: boolean | undefined
  /** Whether the token may travel in plain text. */
  readonly allowInsecure?: boolean | undefined
  /** A file with the authorities to trust. */
  readonly ca?: string | undefined
  /** A file with the certificate of the client. */
  readonly cert?: string | undefined
  /** A file with its private key. */
  readonly key?: string | undefined
  /** The name to look for in the certificate of the server. */
  readonly servername?: string | undefined
  /** Whether any certificate is accepted. */
  readonly insecureTls?: boolean | undefined
  /** How long a dial, and the handshake, may take, in ms. */
  readonly connectTimeout?: number | undefined
  /** Whether to offer sessions that survive their connection. */
  readonly resume?: boolean | undefined
  /** Whether to say everything that happens. */
  readonly verbose?: boolean | undefined
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Reads a time for commander. */
export function duration(text: string): number {
  const ms = readDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('It must be a time such as 500ms, 30s or 2m.')
  return ms
}

/** Reads a whole number of at least `least` for commander. */
export const wholeNumber =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(
        `It must be a whole number${most < Number.MAX_SAFE_INTEGER ? ` from ${String(least)} to ${String(most)}` : ` of at least ${String(least)}`}.`
      )
    return value
  }

/** A flag that may come more than once. */
export const repeatable = (flags: string, description: string): Option => new Option(flags, description).argParser(collect)

/** The token of the flag, or of the environment, where fewer people can see it. */
export const tokenOf = ({ token }: { readonly token?: string | undefined }, { MCP_WS_TOKEN }: Io['env']): string | undefined =>
  (token ?? MCP_WS_TOKEN) || undefined

/** Gives a command the flags of a connection that may last. */
export const addConnectionFlags = (command: Command): Command =>
  addDialFlags(command)
    .option('--resume', 'keep calls through a lost connection, if the server has sessions')
    .option('-v, --verbose', 'say on standard error what happens')

/** Gives a command the flags of a dial. */
export function addDialFlags(command: Command): Command {
  const offer = new Option('--offer <names>', 'the whole offer, separated by commas, in place of mcp.v1; "" offers none')
  return command
    .option('--token <token>', 'bearer token; better in MCP_WS_TOKEN, as others see the command line')
    .addOption(new Option('--token-via <way>', 'how the token travels (default: header)').choices(['header', 'subprotocol']))
    .addOption(repeatable('--header <header>', 'further header of the upgrade, "Name: value" (repeatable)'))
    .addOption(repeatable('--subprotocol <name>', 'subprotocol to offer after mcp.v1, such as mcp (repeatable)'))
    .addOption(offer.conflicts('subprotocol'))
    .option('--accept-missing-subprotocol', 'go on with a server that names no subprotocol')
    .option('--allow-insecure', 'send the token over ws:// to another machine')
    .option('--ca <file>', 'authorities to trust, as PEM')
    .option('--cert <file>', 'certificate of this client, as PEM')
    .option('--key <file>', 'its private key, as PEM')
    .option('--servername <name>', 'name to look for in the certificate of the server')
    .option('--insecure-tls', 'accept any certificate: for tests only')
    .option('--connect-timeout <time>', 'how long one dial may take (default: 10s)', duration)
}

function readFile(flag: string, path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw usageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readHeader(header: string): [name: string, value: string] {
  const [, name, value] = /^([^\s:]+):\s*(.*)$/.exec(header) ?? []
  if (name === undefined || value === undefined) throw usageError('--header must be "Name: value"')
  return [name, value]
}

/** The names in a list that is separated by commas. */
export const namesIn = (list: string): string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

/** The options of the package that the flags stand for. @throws Failure for a file that cannot be read. */
export function connectionOptions(flags: ConnectionFlags, env: Io['env']): ConnectionOptions {
  const token = tokenOf(flags, env)
  const { header, subprotocol, offer, ca, cert, key, servername } = flags
  const tls = {
    ...(ca !== undefined && { ca: readFile('--ca', ca) }),
    ...(cert !== undefined && { cert: readFile('--cert', cert) }),
    ...(key !== undefined && { key: readFile('--key', key) }),
    ...(servername !== undefined && { servername }),
    ...(flags.insecureTls && { rejectUnauthorized: false })
  }
  return {
    ...(token && { auth: { token, via: flags.tokenVia, allowInsecure: flags.allowInsecure } }),
    ...(header && { headers: header.map(readHeader) }),
    ...(subprotocol && { subprotocols: subprotocol }),
    ...(offer !== undefined && { offer: namesIn(offer) }),
    ...(flags.acceptMissingSubprotocol && { onMissingSubprotocol: 'accept' }),
    ...(flags.resume && { resume: true }),
    ...(flags.connectTimeout !== undefined && { connectTimeout: flags.connectTimeout }),
    ...(Object.keys(tls).length > 0 && { tls })
  }
}
