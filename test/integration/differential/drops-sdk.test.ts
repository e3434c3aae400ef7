import { describeDrops } from './break-everywhere.js'

describeDrops('the SDK')
