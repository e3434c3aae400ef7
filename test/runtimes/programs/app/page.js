import { use } from './use.js'

const startWorker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
globalThis.app = globalThis.appOf(use, startWorker, '/service-worker.js', 'module')
