import { probe as runProbe, type ProbeReport, type ProbeStep } from '../../probe/index.js'
import { endedBy, Failure, usageError } from '../failure.js'
import { connectionOptions } from '../flags.js'
import { inFlags, ofFlag } from '../in-flags.js'
import type { Io } from '../io.js'
import { printable, printableJson, printableLine } from '../printable.js'
import { hasColours, painter, type Paint } from '../terminal.js'
import type { VisitFlags } from '../visit.js'

/** The flags of `probe`. */
export type ProbeFlags = Omit<VisitFlags, 'resume' | 'retries' | 'verbose'>

const showStep = ({ name, ok, detail, duration }: ProbeStep, paint: Paint): string =>
  `${ok ? paint('green', 'ok    ') : paint('red', 'failed')}  ${printableLine(inFlags(name))}: ${printableLine(detail)} ${paint('dim', `(${String(duration)} ms)`)}`

/** A word of a command line as a shell reads it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)

/** What the report says behind its steps. */
function showReport({ ok, cause, remedy, typescript, flags, server }: ProbeReport, paint: Paint): string {
  const lines: string[] = []
  if (cause !== undefined) lines.push(paint('bold', 'What is wrong'), printable(cause), '')
  if (remedy !== undefined) lines.push(paint('bold', 'What to do'), printable(inFlags(remedy)), '')
  if (server !== undefined) {
    const { name = 'without a name', version = '', era = '', protocolVersion = '', subprotocol = 'none', resume, needsCredentials } = server
    lines.push(
      paint('bold', 'The server'),
      printableLine(`${name} ${version}`),
      `MCP ${printableLine(protocolVersion)} (${era}), subprotocol: ${printableLine(subprotocol)}`,
      resume
        ? 'It keeps sessions: with --resume, calls survive a lost connection.'
        : 'It keeps no sessions: a call is lost with its connection.',
      ...(needsCredentials === false ? ['It lets clients in without credentials.'] : []),
      ''
    )
  }
  if (typescript !== undefined && flags !== undefined)
    lines.push(
      paint('bold', ok ? 'These options work' : 'These options work, and were tried'),
      printable(typescript),
      `mcp-ws tools ${flags.map(quoted).join(' ')}`,
      ''
    )
  return lines.join('\n')
}

/** `mcp-ws probe URL` */
export async function probe(io: Io, url: string, flags: ProbeFlags): Promise<void> {
  const { auth, headers, subprotocols, offer, onMissingSubprotocol, connectTimeout, tls } = connectionOptions(flags, io.env)
  const paint = painter(hasColours(io.stdout, io.env))
  const interrupted = new AbortController()
  const endListening = io.onSignal((name) => interrupted.abort(endedBy(name, 'interrupted')))
  const onstep = (step: ProbeStep): void => {
    if (!flags.json) io.stdout.write(`${showStep(step, paint)}\n`)
  }
  const own = { protocol: flags.protocol, timeout: flags.timeout, signal: interrupted.signal, onstep }
  try {
    const report = await runProbe(url, { auth, headers, subprotocols, offer, onMissingSubprotocol, connectTimeout, tls, ...own })
    io.stdout.write(flags.json ? `${printableJson(report, 2)}\n` : `\n${showReport(report, paint)}`)
    if (!report.ok) throw new Failure('')
  } catch (error) {
    if (error instanceof TypeError) throw usageError(ofFlag(error.message))
    throw error
  } finally {
    endListening()
  }
}
