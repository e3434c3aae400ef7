import { ProtocolError, type ErrorDetails } from '../errors.js'
import { isObject, membersOf } from '../lib/is-object.js'
import type { Emitter } from '../lib/emitter.js'
import type { ClientEvents } from '../session/events.js'
import type { CompileSchema, OutputValidator } from '../types/options.js'
import type { CallToolResult, JsonSchema, ListToolsResult } from '../types/server-features.js'

/** Knows what the tools of the server promise to return (MCP 2025-11-25, server/tools, "Output Schema"), and checks it. */
export class OutputSchemas {
  readonly #compile: CompileSchema
  /** By the name of the tool: makes its validator once; `undefined` if the tool promises nothing. */
  readonly #validators = new Map<string, () => OutputValidator | undefined>()
  /** Whether all tools are known. */
  #isComplete = false

  /** @param events - The events of the client: they tell when the known schemas may be out of date. */
  constructor(compile: CompileSchema, events: Emitter<ClientEvents>) {
    this.#compile = compile
    const forget = (): void => this.#forget()
    events.on('notification', ({ method }) => method === 'notifications/tools/list_changed' && forget())
    events.on('reconnected', ({ serverChanged }) => serverChanged && forget())
    // The next life may meet another server.
    events.on('failed', forget)
    events.on('close', forget)
  }

  /** A list came in. @param isWhole - Whether it is more than a page. */
  note({ tools }: ListToolsResult, isWhole: boolean): void {
    if (isWhole) this.#forget()
    this.#isComplete ||= isWhole
    // Not checked before: a page may lack the list, and the list may hold anything.
    for (const tool of Array.isArray(tools) ? tools : []) {
      if (!isObject(tool)) continue
      const { name, outputSchema } = tool
      let validator: OutputValidator | undefined
      this.#validators.set(name, () => (validator ??= outputSchema && this.#compile(outputSchema as JsonSchema)))
    }
  }

  /** Whether it is known what this tool promises. */
  knows(name: string): boolean {
    return this.#isComplete || this.#validators.has(name)
  }

  /**
   * The check for a result of this tool. It throws a ProtocolError, which has the result.
   * @throws ProtocolError if the schema cannot be compiled.
   */
  checkOf(name: string): (result: CallToolResult) => void {
    const validate = this.#validatorOf(name)
    return (result) => {
      // A result may be anything that JSON can hold.
      const { structuredContent, isError, content } = membersOf(result)
      const isMissing = structuredContent === undefined
      // A tool that failed promises nothing, and a result without any content is a task.
      if (!validate || isError || (isMissing && content === undefined)) return
      let verdict: boolean | string = 'it has no structuredContent'
      try {
        if (!isMissing) verdict = validate(structuredContent)
      } catch (thrown) {
        // Some validators find out only now that a schema is wrong. The tool was executed, and its result must not get lost.
        verdict = String(thrown)
      }
      const why = typeof verdict === 'string' ? `: ${verdict}` : ''
      if (verdict !== true) throw Object.assign(invalid(`the result of ${name} breaks its outputSchema${why}`), { result })
    }
  }

  #validatorOf(name: string): OutputValidator | undefined {
    try {
      return this.#validators.get(name)?.()
    } catch (cause) {
      throw invalid(`the outputSchema of ${name} cannot be compiled: ${String(cause)}`, { cause, delivery: 'not-sent' })
    }
  }

  #forget(): void {
    this.#isComplete = false
    this.#validators.clear()
  }
}

const invalid = (message: string, details?: ErrorDetails): ProtocolError => new ProtocolError('INVALID_OUTPUT', message, details)
