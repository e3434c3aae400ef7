// For values that a server or a host sends, which may be anything.

/** An object whose members may be anything. */
export type Members = Readonly<Record<string, unknown>>

/** Whether the value is what JSON calls an object. */
export const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members of an object; of anything else, none. */
export const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {})

/** The value if it is a text; `''` otherwise. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
