import { createHash } from 'node:crypto'

const NOT_JSON = 'resume.principal must be given where authenticate returns what JSON cannot hold'

/**
 * The user to whom a session belongs, as a hash: whoever reads the memory of a server, or its store, must not find names or tokens there.
 * @param auth - What `authenticate` returned.
 * @param principal - The program's function, if it has one. Without one, the whole of `auth` says who it is.
 * @throws What the function throws; TypeError if it does not return a string, or if JSON cannot hold `auth`: all users would then count as
 * one.
 */
export function hashPrincipal<Auth>(auth: Auth, principal: ((auth: Auth) => string) | undefined): string {
  const name: unknown = principal === undefined ? jsonOfAuth(auth) : principal(auth)
  if (typeof name !== 'string') throw new TypeError(principal === undefined ? NOT_JSON : 'resume.principal must return a string')
  return createHash('sha256').update(name).digest('base64url')
}

// `JSON.stringify` returns `undefined` for a function or a symbol, although its type does not say so.
const jsonOfAuth = (auth: unknown): unknown => (auth === undefined ? '' : JSON.stringify(auth, checkMember))

/** Rejects an object, such as a Map, that is not plain and has no `toJSON`: as JSON it would be `{}`, and all users would count as one. */
function checkMember(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  // `Object.prototype` may be that of another realm.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return value
  throw new TypeError(NOT_JSON)
}
