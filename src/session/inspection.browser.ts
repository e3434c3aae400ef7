// Stands in for inspection.ts in the browser build: only Node asks objects how to show them. The function is empty because minifiers remove
// calls of empty functions.

/** Does nothing: the console of a browser shows what it likes. */
export function makeInspectable(): undefined {}
