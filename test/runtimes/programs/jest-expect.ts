/** The `expect` of Jest, in the place of expect.ts: both claim the same name in the global scope. Jest allows no second argument. */
export const expect = Object.assign(
  (value: unknown): unknown => (globalThis as unknown as Scope).expect(value),
  (globalThis as unknown as Scope).expect
)

interface Scope {
  readonly expect: (value: unknown) => unknown
}
