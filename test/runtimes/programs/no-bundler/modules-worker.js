import * as client from '/dist/browser/index.js'
import * as transport from '/dist/browser/transport.js'
import '/sdk.js'
import '/shared.js'

globalThis.answerWith(globalThis.useWith({ ...client, ...transport, Client: globalThis.Client }))
