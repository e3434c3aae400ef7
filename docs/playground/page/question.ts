import type { ElicitParams, ElicitResult } from 'mcp-websocket-client'
import { element } from './dom.js'
import { schemaForm } from './schema-form.js'

/** Shows what the server asks the user, until that is answered or `signal` fires. */
export function ask(place: HTMLElement, params: ElicitParams, signal: AbortSignal): Promise<ElicitResult> {
  // Only forms are announced as a capability.
  if (params.mode === 'url') return Promise.resolve({ action: 'decline' })
  const { element: fields, read } = schemaForm(params.requestedSchema)
  const button = (label: string, type: 'submit' | 'button'): HTMLButtonElement => element('button', { type }, label)
  const [accept, decline] = [button('Answer', 'submit'), button('Decline', 'button')]
  accept.className = 'primary'
  const title = element('p', { role: 'status' }, element('strong', {}, 'The server asks: '), params.message)
  const form = element('form', { className: 'question' }, title, fields, element('div', { className: 'send' }, accept, decline))
  place.append(form)
  return new Promise((resolve) => {
    const end = (result: ElicitResult): void => {
      form.remove()
      resolve(result)
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      // The schema of a question has flat and primitive fields only.
      end({ action: 'accept', content: read() as NonNullable<ElicitResult['content']> })
    })
    decline.addEventListener('click', () => end({ action: 'decline' }))
    signal.addEventListener('abort', () => end({ action: 'cancel' }))
  })
}
