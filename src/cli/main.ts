// The command line tool. It sees the public entries of the package and nothing below them: what it can do, every program can.

import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../version.js'
import type { BridgeFlags } from './commands/bridge.js'
import type { ListenFlags } from './commands/listen.js'
import type { ProbeFlags } from './commands/probe.js'
import type { RequestFlags, TaskFlags } from './commands/requests.js'
import type { ServeFlags } from './commands/serve.js'
import { EXIT, Failure } from './failure.js'
import { addConnectionFlags, addDialFlags, duration, repeatable, wholeNumber } from './flags.js'
import type { Io } from './io.js'
import { hasColours, painter } from './terminal.js'
import type { VisitFlags } from './visit.js'

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
// Loaded only when a command is called: help needs neither sockets nor TLS.
const lists = (): Promise<typeof import('./commands/lists.js')> => import('./commands/lists.js')
const requests = (): Promise<typeof import('./commands/requests.js')> => import('./commands/requests.js')
const ARGUMENTS = 'one JSON object, or key=value for each argument'

const era = (): Option => new Option('--protocol <era>', 'era of MCP').choices(['auto', 'legacy', 'modern']).default('auto')

/** Adds the flags of a command that asks a server something. */
const addVisitFlags = (command: Command): Command =>
  addConnectionFlags(command)
    .addOption(era())
    .option('--timeout <time>', 'how long a request may take, such as 500ms, 30s or 2m (default: 1m)', duration)
    .option('--retries <count>', 'how often to dial again (default: 3; listen: for ever)', wholeNumber(0))
    .option('--json', 'print the result as JSON')

function makeProgram(io: Io): Command {
  const program = new Command('mcp-ws')
    .description('Finds out why an MCP server cannot be reached over WebSocket, and uses it, bridges to it, or serves one.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      // The program colours nothing of its own help.
      getOutHasColors: () => false,
      getErrHasColors: () => false
    })
    .showHelpAfterError('(mcp-ws help shows how it is called)')
  addProbe(program, io)
  addListCommands(program, io)
  addRequestCommands(program, io)
  addBridge(program, io)
  addServe(program, io)
  return program
}

function addProbe(program: Command, io: Io): void {
  // Not `--retries`, `--resume` and `--verbose`: the probe dials each way once, tries sessions by itself, and says all that happens.
  addDialFlags(
    program.command('probe').description('find out why a server cannot be reached, and which options help').argument('<url>', 'its address')
  )
    .addOption(era())
    .option('--timeout <time>', 'how long each attempt may take, from the dial to the end of the handshake (default: 5s)', duration)
    .option('--json', 'print the report as JSON')
    .action(async (url: string, flags: ProbeFlags) => (await import('./commands/probe.js')).probe(io, url, flags))
}

function addListCommands(program: Command, io: Io): void {
  const commands = [
    ['tools', 'list the tools, with the arguments that they take', 'listTools'],
    ['resources', 'list the resources, and the templates of resources', 'listResources'],
    ['prompts', 'list the prompts, with the arguments that they take', 'listPrompts'],
    ['tasks', 'list the tasks that the server keeps', 'listTasks']
  ] as const
  for (const [name, description, list] of commands)
    addVisitFlags(program.command(name).description(description).argument('<url>', 'address of the server')).action(
      async (url: string, flags: VisitFlags) => (await lists())[list](io, url, flags)
    )
  addVisitFlags(program.command('listen').description('print every notification of the server').argument('<url>', 'address of the server'))
    .addOption(repeatable('--resource <uri>', 'a resource whose changes are wanted (repeatable)'))
    .addOption(new Option('--level <level>', 'least severe log message to send').choices(LEVELS))
    .action(async (url: string, flags: ListenFlags) => (await import('./commands/listen.js')).listen(io, url, flags))
}

function addRequestCommands(program: Command, io: Io): void {
  const request = (name: string, description: string): Command =>
    addVisitFlags(program.command(name).description(description).argument('<url>', 'address of the server')).option(
      '--save <folder>',
      'save images, sounds and blobs there'
    )
  request('call', 'call a tool')
    .argument('<tool>', 'its name')
    .argument('[arguments...]', ARGUMENTS)
    .action(async (url: string, tool: string, words: string[], flags: RequestFlags) =>
      (await requests()).callTool(io, url, tool, words, flags)
    )
  request('read', 'read a resource')
    .argument('<uri>', 'its address')
    .action(async (url: string, uri: string, flags: RequestFlags) => (await requests()).readResource(io, url, uri, flags))
  request('prompt', 'get a prompt, filled in')
    .argument('<name>', 'its name')
    .argument('[arguments...]', ARGUMENTS)
    .action(async (url: string, name: string, words: string[], flags: RequestFlags) =>
      (await requests()).getPrompt(io, url, name, words, flags)
    )
  request('task', 'wait for the end of a task, and print its result')
    .argument('<id>', 'its id, as call printed it')
    .option('--cancel', 'give the task up')
    .action(async (url: string, id: string, flags: TaskFlags) => (await requests()).finishTask(io, url, id, flags))
}

function addBridge(program: Command, io: Io): void {
  addConnectionFlags(program.command('bridge').description('a stdio server for any MCP host, in front of a server behind a WebSocket'))
    .argument('<url>', 'address of the server')
    .option('--retries <count>', 'how often to dial again (default: for ever)', wholeNumber(0))
    .option('--max-delay <time>', 'longest wait before a dial (default: 20s)', duration)
    .option('--max-message-bytes <count>', 'longest message of either side (default: 16 MiB)', wholeNumber(1))
    .action(async (url: string, flags: BridgeFlags) => (await import('./commands/bridge.js')).bridge(io, url, flags))
}

function addServe(program: Command, io: Io): void {
  program
    .command('serve')
    .description('put a stdio server behind a WebSocket: one process for each client')
    .argument('<command...>', 'the program and its arguments, behind --')
    .option('--port <port>', 'where to listen; 0 takes any that is free', wholeNumber(0, 65_535), 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--path <path>', 'path of the endpoint', '/ws')
    .option('--token <token>', 'what clients need to connect; better in MCP_WS_TOKEN, as others see the command line')
    .option('--allow-unauthenticated', 'let every client run the program, although others than this machine can connect')
    .addOption(repeatable('--allow-host <name>', 'name under which clients know this server (repeatable)'))
    .addOption(repeatable('--allow-origin <origin>', 'origin of pages that may connect (repeatable)'))
    .addOption(repeatable('--subprotocol <name>', 'subprotocol to accept beside mcp.v1 (repeatable)'))
    .option('--accept-missing-subprotocol', 'accept clients that offer none')
    .option('--resume <time>', 'keep the program of a client that is away for so long, such as 2m', duration)
    .option('--grace <time>', 'how long calls have to finish at the end (default: 10s)', duration)
    .option('--max-connections <count>', 'most clients at a time (default: 10000)', wholeNumber(1))
    .option('--max-message-bytes <count>', 'longest message of either side (default: 16 MiB)', wholeNumber(1))
    .option('--max-in-flight <count>', 'most requests of a client at a time (default: 100)', wholeNumber(1))
    .option('--metrics', 'serve figures at /metrics, in the text format of Prometheus')
    .option('-v, --verbose', 'say on standard error what happens')
    .action(async (command: [string, ...string[]], flags: ServeFlags) => (await import('./commands/serve.js')).serve(io, command, flags))
}

/**
 * Runs the program.
 * @param argv - Without the names of Node and of the program.
 * @returns The exit code: 0 done, 1 failed, 2 called in a wrong way, 128 and the number of the signal that ended it.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    await makeProgram(io).parseAsync(argv, { from: 'user' })
    return EXIT.done
  } catch (error) {
    // Commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const { code = EXIT.failed, message } =
      error instanceof Failure ? error : { message: (await import('./describe-error.js')).describeError(error) }
    if (message !== '') io.stderr.write(`${painter(hasColours(io.stderr, io.env))('red', 'error:')} ${message}\n`)
    return code
  }
}
