import { element } from './dom.js'
import { fieldsOf, valueOf, type Field } from './fields.js'

/** The fields of a schema, as inputs. They belong into a `form`, which checks them before it is sent. */
export interface SchemaForm {
  readonly element: HTMLElement
  /** What was entered. Call it after the form was checked. */
  readonly read: () => Record<string, unknown>
}

type Input = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

let made = 0

/** Inputs for the members of an object. */
export function schemaForm(schema: Readonly<Record<string, unknown>>): SchemaForm {
  const inputs = fieldsOf(schema).map((field) => [field, inputFor(field)] as const)
  return {
    element: element('div', { className: 'fields' }, ...inputs.map(([field, input]) => labelled(field, input))),
    read: () => {
      const values = inputs.map(([field, input]) => [field.name, valueOf(field, contentOf(input))] as const)
      return Object.fromEntries(values.filter(([, value]) => value !== undefined))
    }
  }
}

const contentOf = (input: Input): string | boolean =>
  input instanceof HTMLInputElement && input.type === 'checkbox' ? input.checked : input.value

function inputFor(field: Field): Input {
  const input = bare(field)
  input.name = field.name
  // A box that has to be checked could say only one thing.
  input.required = field.required && field.kind !== 'check'
  for (const [name, value] of Object.entries(field.limits)) input.setAttribute(name, value)
  return input
}

function bare({ kind, initial, choices, required }: Field): Input {
  if (kind === 'check') return element('input', { type: 'checkbox', checked: initial === true })
  if (kind === 'choice') {
    const options = choices.map(({ value, title }, n) => element('option', { value: String(n), selected: value === initial }, title))
    const none = required ? [] : [element('option', { value: '' }, '(none)')]
    return element('select', {}, ...none, ...options)
  }
  if (kind === 'json') return jsonInput(initial)
  const value = typeof initial === 'string' || typeof initial === 'number' ? String(initial) : ''
  return element('input', { type: kind, value, autocomplete: 'off' })
}

function jsonInput(initial: unknown): HTMLTextAreaElement {
  const input = element('textarea', { rows: 2, spellcheck: false, placeholder: 'JSON' })
  if (initial !== undefined) input.value = JSON.stringify(initial)
  input.addEventListener('input', () => {
    try {
      if (input.value !== '') JSON.parse(input.value)
      input.setCustomValidity('')
    } catch (error) {
      input.setCustomValidity(`This is not JSON: ${(error as Error).message}`)
    }
  })
  return input
}

function labelled({ label, hint, required, kind }: Field, input: Input): HTMLElement {
  const name = element('span', {}, label, ...(required || kind === 'check' ? [] : [element('em', {}, ' optional')]))
  const around = element('label', { className: kind === 'check' ? 'check' : '' })
  around.append(...(kind === 'check' ? [input, name] : [name, input]))
  if (hint !== undefined) {
    const id = `hint-${String(++made)}`
    input.setAttribute('aria-describedby', id)
    around.append(element('small', { id }, hint))
  }
  return around
}
