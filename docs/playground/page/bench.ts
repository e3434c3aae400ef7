import type { Tool } from 'mcp-websocket-client'
import type { ConnectionView } from './connection-view.js'
import { copyOf, element, part } from './dom.js'
import { schemaForm, type SchemaForm } from './schema-form.js'

/** A form for each tool of a server, made from the schema of its arguments; it calls the tool on one client, or on several. */
export class Bench {
  readonly #select: HTMLSelectElement
  readonly #call: HTMLButtonElement
  readonly #description: HTMLElement
  readonly #fields: HTMLElement
  readonly #targets: HTMLElement
  #views: readonly ConnectionView[] = []
  #tools: readonly Tool[] = []
  #form: SchemaForm = schemaForm({})

  /** @param title - What stands above the form. */
  constructor(root: HTMLElement, title: string) {
    const copy = copyOf('bench')
    part(copy, 'title').textContent = title
    this.#select = part(copy, 'tool', HTMLSelectElement)
    this.#call = part(copy, 'call', HTMLButtonElement)
    this.#description = part(copy, 'description')
    this.#fields = part(copy, 'fields')
    this.#targets = part(copy, 'targets')
    this.#select.addEventListener('change', () => this.#show())
    part(copy, 'form').addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    root.append(copy)
  }

  /** From now on calls go to these clients, whose server is the same. */
  use(views: Readonly<Record<string, ConnectionView>>): void {
    this.#views = Object.values(views)
    this.#offer([])
    for (const view of this.#views) view.ontools = (tools) => this.#offer(tools)
    this.#targets.hidden = this.#views.length < 2
    const radio = (name: string, value: string, checked: boolean): HTMLElement =>
      element('label', { className: 'check' }, element('input', { type: 'radio', name: 'target', value, checked }), name)
    const each = Object.keys(views).map((name, n) => radio(name, String(n), false))
    this.#targets.replaceChildren(element('legend', {}, 'on'), radio('both', 'all', true), ...each)
  }

  #offer(tools: readonly Tool[]): void {
    // What was entered stays when the same tools are read again.
    if (this.#tools.length > 0 && JSON.stringify(tools) === JSON.stringify(this.#tools)) return
    const { value } = this.#select
    this.#tools = tools
    this.#select.replaceChildren(...tools.map(({ name }) => element('option', { value: name, selected: name === value }, name)))
    this.#select.disabled = this.#call.disabled = tools.length === 0
    this.#show()
  }

  #show(): void {
    const tool = this.#tools.find(({ name }) => name === this.#select.value)
    this.#description.textContent = tool ? (tool.description ?? '') : 'The tools of the server appear here once it is connected.'
    this.#form = schemaForm(tool?.inputSchema ?? {})
    this.#fields.replaceChildren(this.#form.element)
  }

  #submit(): void {
    const chosen = this.#targets.querySelector<HTMLInputElement>('input:checked')?.value
    const views = this.#views.filter((_, n) => chosen === undefined || chosen === 'all' || chosen === String(n))
    const args = this.#form.read()
    for (const view of views) void view.call(this.#select.value, args)
  }
}
