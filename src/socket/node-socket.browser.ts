// Stands in for node-socket.ts in the browser build: no browser sets headers or shows an HTTP response. Some functions are empty because
// minifiers remove calls of empty functions, and the code that only runs after one.

/** Whether the class can send headers: `undefined` means no, as for every class in a browser. */
export function canSetHeaders(): undefined {}

/** Opens nothing, so that every socket of a browser is a `StandardSocket`. */
export function openNodeSocket(): undefined {}

/** The value as it is: in a browser there are no headers. */
export const checkFieldValue = (_name: string, value: string): string => value

/** None: in a browser there are no headers, and the constructor rejects the option. */
export const readHeaders = (): Record<string, string> => ({})

/** `false`: in a browser there are no headers. */
export const hasCredentials = (): boolean => false

/** Nothing: in a browser there are no headers. */
export const secretsOfHeaders = (): string[] => []

/** None: only Node has it. */
export function diagnosticsChannel(): undefined {}

/** Nobody does. */
export function isWatched(): undefined {}
