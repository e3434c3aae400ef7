import { use } from './use.js'

globalThis.answerWith(use)
