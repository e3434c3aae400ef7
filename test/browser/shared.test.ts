import { inject } from 'vitest'
import { clientSuite } from '../shared/client-suite.js'

clientSuite(inject('serverUrl'), 'browser')
