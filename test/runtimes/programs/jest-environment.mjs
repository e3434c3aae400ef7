import { createRequire } from 'node:module'

// It stands where no Jest is installed: NODE_PATH says where one is, and only `require` heeds it.
const { TestEnvironment } = createRequire(import.meta.url)('jest-environment-jsdom')

/** jsdom has no `fetch`, with which the facts ask what their servers saw. The package itself needs none. */
export default class extends TestEnvironment {
  async setup() {
    await super.setup()
    this.global.fetch = fetch
  }
}
