import { once } from 'node:events'
import { isRpcError, type LoggingLevel } from '../../index.js'
import { Failure } from '../failure.js'
import type { Io } from '../io.js'
import { explainMissing } from '../missing.js'
import { printableJson, printableLine } from '../printable.js'
import { visit, type VisitFlags } from '../visit.js'

/** The flags of `listen`. */
export interface ListenFlags extends VisitFlags {
  /** Resources whose changes are wanted. */
  readonly resource?: readonly string[] | undefined
  /** The least severe log level. */
  readonly level?: LoggingLevel | undefined
}

/** One notification on one line. */
function show(method: string, params: unknown): string {
  const name = printableLine(method.replace(/^notifications\//, ''), 60)
  return params === undefined ? name : `${name} ${printableJson(params)}`
}

/** `mcp-ws listen URL`: prints every notification, until Ctrl-C, through lost connections too. */
export async function listen(io: Io, url: string, flags: ListenFlags): Promise<void> {
  await visit(
    io,
    url,
    { ...flags, retries: flags.retries ?? Infinity },
    async ({ client, signal, request, status }) => {
      if (flags.level !== undefined) await client.setLoggingLevel(flags.level, request).catch(explainMissing(client, 'logging'))
      for (const uri of flags.resource ?? []) await client.subscribeResource({ uri }, request).catch(explainMissing(client, 'resources'))
      const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
      if (client.era === 'modern')
        await client.listen(filter, request).catch((error: unknown) => {
          if (!isRpcError(error)) throw error
          status.line(`the server sends no changes of its lists: ${printableLine(error.message)}`)
        })
      status.line(`listening to ${printableLine(client.serverInfo?.name ?? url)}; Ctrl-C ends it`)
      await Promise.race([once(signal, 'abort'), failed(client)])
      // Ctrl-C is the usual end: nothing is printed.
      throw new Failure('', (signal.reason as Failure).code)
    },
    (client) => {
      client.on('notification', ({ method, params }) => {
        io.stdout.write(`${flags.json ? printableJson({ method, params }) : show(method, params)}\n`)
      })
    }
  )
}

/** Rejects when the client gives up. */
const failed = (client: { once(event: 'failed', listener: (error: Error) => void): unknown }): Promise<never> =>
  new Promise((_resolve, reject) => client.once('failed', reject))
