import type { Fault, PlaygroundState, Trouble } from '../faults.js'
import { byId } from './dom.js'

/** A button that begins a trouble and, while it lasts, ends it. */
interface Switch {
  readonly button: HTMLButtonElement
  readonly begin: string
  readonly lasts: keyof Trouble
}

const LASTING: Readonly<Record<string, keyof Trouble>> = { stall: 'stalled', offline: 'offline', stop: 'stopped' }

const OUTCOMES: Readonly<Record<Fault, string>> = {
  cut: 'Cut. Both clients dial again.',
  stall:
    'Stalled. The heartbeat notices within 5 s, unless a call is pending: then the client waits for that call, as its server may be busy.',
  flow: 'Bytes flow again.',
  offline: 'Offline. The delays between the dials grow.',
  online: 'Online. The next dial succeeds.',
  stop: 'The server has stopped.',
  start: 'The server runs again. It knows none of the earlier sessions.',
  restart: 'Restarted. The new server knows none of the earlier sessions: a call that was under way is lost on both sides.'
}

/** What the server of the playground says about itself. */
export const readState = (): Promise<PlaygroundState> => talk('/state', 'GET')

/** Makes the buttons do what they say. */
export function wireFaults(panel: HTMLElement, state: PlaygroundState): void {
  const switches: Switch[] = []
  const show = (now: Trouble): void => {
    for (const { button, begin, lasts } of switches) button.textContent = now[lasts] ? (button.dataset.endLabel ?? '') : begin
    for (const { button, lasts } of switches) button.classList.toggle('on', now[lasts])
  }
  let current: Trouble = state
  for (const button of panel.querySelectorAll('button')) {
    const begin = button.dataset.fault as Fault
    const lasts = LASTING[begin]
    if (lasts) switches.push({ button, begin: button.textContent, lasts })
    button.addEventListener('click', () => {
      const fault = lasts && current[lasts] ? (button.dataset.end as Fault) : begin
      void perform(fault).then((after) => {
        current = after ?? current
        show(current)
      })
    })
  }
  show(state)
}

async function perform(fault: Fault): Promise<PlaygroundState | undefined> {
  const after = await talk(`/faults/${fault}`, 'POST').catch(() => undefined)
  byId('fault-outcome').textContent = after ? OUTCOMES[fault] : 'The playground does not run any more: start it again.'
  return after
}

async function talk(path: string, method: 'GET' | 'POST'): Promise<PlaygroundState> {
  const response = await fetch(path, { method })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  return (await response.json()) as PlaygroundState
}
