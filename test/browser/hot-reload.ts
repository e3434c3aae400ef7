import * as refresh from 'react-refresh/runtime'

// What a bundler with hot reload does in a page, before React is loaded: so this is imported first.
refresh.injectIntoGlobalHook(globalThis)

export { refresh }
