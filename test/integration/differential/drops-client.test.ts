import { describeDrops } from './break-everywhere.js'

describeDrops('our client')
