// What one script tag brings into a page: the entries for browsers, with all their exports in one global.
export * from './index.js'
export * from './transport/index.js'
