import type { McpWebSocketClientOptions } from 'mcp-websocket-client'
import type { Bench } from './bench.js'
import { ConnectionView } from './connection-view.js'
import { byId } from './dom.js'

/** The form that connects to a server of the user's own. */
export function wireOwnServer(bench: Bench): void {
  const form = byId('connect-form') as HTMLFormElement
  const [place, problem] = [byId('connections-elsewhere'), byId('connect-problem')]
  let view: ConnectionView | undefined
  byId('origin').textContent = location.origin
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    view?.dispose()
    problem.hidden = true
    try {
      view = new ConnectionView('Your server', optionsOf(new FormData(form)))
    } catch (error) {
      // A TypeError that names the option.
      problem.textContent = (error as Error).message
      problem.hidden = false
      return
    }
    place.replaceChildren(view.element)
    bench.use({ 'your server': view })
    view.connect()
  })
}

/** The options that the form stands for; what is empty keeps its default. */
function optionsOf(form: FormData): McpWebSocketClientOptions {
  const text = (name: string): string => (form.get(name) as string).trim()
  const list = (name: string): string[] =>
    text(name)
      .split(/[\s,]+/)
      .filter(Boolean)
  const [subprotocols, offer, token] = [list('subprotocols'), list('offer'), text('token')]
  return {
    url: text('url'),
    onMissingSubprotocol: text('onMissingSubprotocol') as 'fail' | 'accept',
    protocol: text('protocol') as 'auto' | 'legacy' | 'modern',
    resume: form.has('resume'),
    ...(subprotocols.length > 0 && { subprotocols }),
    ...(offer.length > 0 && { offer: offer[0] === 'none' ? [] : offer }),
    ...(token !== '' && { auth: { token, via: 'subprotocol' as const } })
  }
}
