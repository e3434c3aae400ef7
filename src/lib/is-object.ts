/** Whether the value is what JSON calls an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members of a value that should be an object; no members for any other value. */
export const membersOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})
