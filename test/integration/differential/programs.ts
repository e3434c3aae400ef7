import type { Script } from './script.js'

/** Something that a user does with a client, step by step; each step is awaited unless its order is part of the program. */
export interface Program {
  readonly name: string
  readonly eras: readonly ('legacy' | 'modern')[]
  readonly run: (script: Script) => Promise<void>
}

const BOTH = ['legacy', 'modern'] as const

/** The one list of programs. It is run in every way that there is to connect a client with a server. */
export const PROGRAMS: readonly Program[] = [
  {
    name: 'tools, page by page and called',
    eras: BOTH,
    async run(script) {
      await script.step('one page', (client) => client.listTools({ cursor: 'second' }))
      await script.step('all pages', () => script.caller.allTools())
      await script.call('echo', 'echo', { message: 'grüß dich 👋' })
      await script.call('a tool that fails', 'fail')
    }
  },
  {
    name: 'errors',
    eras: BOTH,
    async run(script) {
      await script.call('a tool that is not there', 'nothing')
      await script.step('a resource that is not there', (client) => client.readResource({ uri: 'test://none' }))
      await script.request('a method that is not there', 'no/such')
      await script.call('echo', 'echo', { message: 'still here' })
    }
  },
  {
    name: 'resources',
    eras: BOTH,
    async run(script) {
      await script.step('resources', (client) => client.listResources())
      await script.step('templates', (client) => client.listResourceTemplates())
      await script.step('read', (client) => client.readResource({ uri: 'test://plain' }))
    }
  },
  {
    name: 'prompts and completion',
    eras: BOTH,
    async run(script) {
      await script.step('prompts', (client) => client.listPrompts())
      await script.step('get', (client) => client.getPrompt({ name: 'greet', arguments: { who: 'Ada' } }))
      await script.step('complete', (client) =>
        client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'a' } })
      )
    }
  },
  {
    name: 'progress',
    eras: BOTH,
    async run(script) {
      await script.call('slow', 'slow', {}, { reports: true })
      await script.call('slow again', 'slow', {}, { reports: true })
    }
  },
  {
    name: 'cancellation',
    eras: BOTH,
    async run(script) {
      await script.call('given up', 'hold', {}, { reports: true, abort: true })
      await script.call('echo', 'echo', { message: 'next' })
    }
  },
  {
    name: 'elicitation, sampling and roots',
    eras: BOTH,
    async run(script) {
      await script.call('elicitation', 'elicitation')
      await script.call('sampling', 'sampling')
      await script.call('roots', 'roots')
    }
  },
  {
    name: 'progress of a response to the server',
    eras: ['legacy'],
    async run(script) {
      await script.call('consult', 'consult')
    }
  },
  {
    name: 'a prompt that takes two rounds',
    eras: ['modern'],
    async run(script) {
      await script.step('get', (client) => client.getPrompt({ name: 'greet', arguments: { who: 'ask' } }))
      await script.step('get again', (client) => client.getPrompt({ name: 'greet', arguments: { who: 'ask' } }))
    }
  },
  {
    name: 'changed roots and ping',
    eras: ['legacy'],
    async run(script) {
      await script.step('roots changed', (client) => client.sendRootsListChanged())
      await script.step('ping', (client) => client.ping())
    }
  },
  {
    name: 'log level',
    eras: BOTH,
    async run(script) {
      await script.step('from warnings on', () => script.caller.setLevel('warning'))
      await script.call('too quiet', 'log', { level: 'info', data: 'too quiet' })
      await script.call('loud', 'log', { level: 'error', data: { said: 'loud' } }, { hears: true })
      await script.call('too quiet again', 'log', { level: 'info', data: 'too quiet again' })
      await script.step('all', () => script.caller.setLevel('debug'))
      await script.call('quiet', 'log', { level: 'info', data: 'quiet' }, { hears: true })
    }
  },
  {
    name: 'a subscribed resource',
    eras: ['legacy'],
    async run(script) {
      await script.step('subscribe', (client) => client.subscribeResource({ uri: 'test://a' }))
      // Twice: where a break takes the first call with it, the second tells whether the subscription lives.
      for (const name of ['touch', 'touch again']) await script.call(name, 'touch', { uri: 'test://a' }, { hears: true })
      await script.call('touch another', 'touch', { uri: 'test://b' })
      await script.step('unsubscribe', (client) => client.unsubscribeResource({ uri: 'test://a' }))
      for (const name of ['touch in vain', 'touch in vain again']) await script.call(name, 'touch', { uri: 'test://a' })
    }
  },
  {
    name: 'lists that change',
    eras: ['legacy'],
    async run(script) {
      for (const list of ['tools', 'prompts', 'resources']) await script.call(list, 'change', { list }, { hears: true })
    }
  },
  {
    name: 'listen',
    eras: ['modern'],
    async run(script) {
      const { caller } = script
      let close: () => void | Promise<void> = () => undefined
      await script.step('listen', async () => {
        const subscription = await caller.listen({ toolsListChanged: true, resourceSubscriptions: ['test://a'] })
        close = () => subscription.close()
        return subscription.honoredFilter
      })
      await script.call('change', 'change', { list: 'tools' }, { hears: true })
      await script.call('touch', 'touch', { uri: 'test://a' }, { hears: true })
      await script.call('another list', 'change', { list: 'prompts' })
      await script.step('close', async () => close())
      for (const name of ['change in vain', 'change in vain again']) await script.call(name, 'change', { list: 'tools' })
    }
  },
  {
    name: 'two listens',
    eras: ['modern'],
    async run(script) {
      const { caller } = script
      await script.step('listen for tools', async () => (await caller.listen({ toolsListChanged: true })).honoredFilter)
      await script.step('listen for prompts', async () => (await caller.listen({ promptsListChanged: true })).honoredFilter)
      for (const list of ['tools', 'prompts']) await script.call(list, 'change', { list }, { hears: true })
      for (const list of ['tools', 'prompts']) await script.call(`${list} again`, 'change', { list }, { hears: true })
    }
  },
  {
    name: 'calls that are answered in another order',
    eras: BOTH,
    async run(script) {
      await Promise.all(['a', 'b', 'c'].map((name) => script.call(name, 'together', { of: 3, message: name })))
      await script.call('echo', 'echo', { message: 'last' })
    }
  },
  {
    name: 'calls that may be sent again',
    eras: BOTH,
    async run(script) {
      await script.call('echo', 'echo', { message: 'once or twice' }, { resend: true })
      await script.call('echo again', 'echo', { message: 'once or twice' }, { resend: true })
    }
  }
]
